/* SPDX-License-Identifier: Apache-2.0
 * What reaches the terminal: errors, remarks and JSON, and whether in colour.
 * Everything from outside passes the escaping here. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "base/json.h"
#include "cli/cli.h"
#include <stdio.h>

/* --color's value (NULL = auto) for a stream: always and never decide; else NO_COLOR, TERM and the terminal.
 */
bool output_wants_color(const char *choice, FILE *stream);

/* "virt-ferry: what (host 'h'): why", then "  Fix: …", on stderr; with --json {"error": {…}} on stdout.
 * One without words was told already. */
void output_error(const struct cli *cli, const struct error *err);
/* A line on stderr, escaped; nothing with -q. */
void output_remark(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Indented, on stdout. */
int output_json(const json_t *j, struct error *err);

/* The same into a file, which is replaced. */
int output_file(const char *path, const json_t *j, struct error *err);

/* Ends stdout: a full disk or a closed pipe shows only here. Returns the exit code to use instead of code,
 * and says why on stderr. */
int output_close(int code, bool has_changed);

#endif
