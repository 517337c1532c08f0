/* SPDX-License-Identifier: Apache-2.0
 * Options as rows: what can be given, how it is read and what help says of it stand in one place.
 * A value is checked when it is parsed, so that asking for one cannot fail. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "base/error.h"
#include "base/owned.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_CHOICE, /* one of the words of `argument`: "auto|always|never" */
    OPTION_U64,
    OPTION_BYTES,
    OPTION_RATE, /* bytes per second */
    OPTION_MS,
};

#define OPTION_HIDDEN 1u  /* accepted, stands in no help: what virsh calls it, or what is done anyway */
#define OPTION_REPEATS 2u /* every value counts, else the last does */
#define OPTION_INSTEAD 4u /* it stands in for the command's operands */

/* A list of rows ends with a row without a name. */
struct option_row {
    const char *name;     /* without its dashes */
    char letter;          /* 0 = none */
    const char *argument; /* "FILE", as help shows it; NULL for a flag */
    const char *help;     /* one sentence without a full stop */
    enum option_type type;
    unsigned flags;
    uint64_t bare_ms;       /* OPTION_MS: what 1 is worth without a unit; 0 = a millisecond */
    const char *stands_for; /* another row's name: given so, it counts as that one */
};

struct options;

struct options *options_new(struct error *err);
void options_free(struct options *o);
OWNED_DEFINE(options)

/* Reads argv[1] to argv[argc - 1] by the rows of both lists (own may be NULL), adding to what o holds; texts
 * are lent from argv. With ret_rest it ends before the first operand, and says at which argument; else every
 * operand is taken, also between options. "--" ends the options: what follows is operands, dash or not.
 * command names who is asking for the hint of an error, NULL = virt-ferry itself. */
int options_read(struct options *o, const char *command, const struct option_row *global,
                 const struct option_row *own, int argc, char **argv, int *ret_rest, struct error *err);

bool option_given(const struct options *o, const char *name);
bool option_flag(const struct options *o, const char *name);
const char *option_text(const struct options *o, const char *name);              /* NULL when not given */
uint64_t option_u64(const struct options *o, const char *name, uint64_t absent); /* also bytes, rate, ms */
size_t option_count(const struct options *o, const char *name);
const char *option_nth(const struct options *o, const char *name, size_t i); /* in the order of the line */

size_t operand_count(const struct options *o);
const char *operand_at(const struct options *o, size_t i); /* NULL behind the last */

#endif
