/* SPDX-License-Identifier: Apache-2.0
 * What every command is given: the global options as they were decided, and the settings.
 * The only folder that prints; results go to stdout, everything else to stderr. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/error.h"
#include "state/config.h"
#include <stdbool.h>

struct cli {
    const char *uri; /* of the source: -c, else LIBVIRT_DEFAULT_URI, else qemu:///system */
    bool is_json, is_quiet;
    unsigned verbosity; /* how many -v */
    bool colors_stdout, colors_stderr;
    struct config *config; /* by cli_config */
};

/* The settings, read when they are asked for first: what needs none works beside a broken file. Lent. */
const struct config *cli_config(struct cli *cli, struct error *err);

/* The whole program: from the command line to the exit code. */
int cli_main(int argc, char **argv);

#endif
