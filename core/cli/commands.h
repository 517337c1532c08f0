/* SPDX-License-Identifier: Apache-2.0
 * The table of commands: dispatch, help and the manual's synopsis all read it.
 * A new command is a file cmd-NAME.c with its rows, a line here and a row in commands.c. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/cli.h"
#include "cli/options.h"
#include <stddef.h>

#define COMMAND_CHANGES 1u /* it changes a host: a result that could not be written is then exit 6, not 1 */

struct command {
    const char *name;     /* one word, or two: "plugin list" */
    const char *operands; /* "DOMAIN DEST [LOCATION]", "" for none; their number is checked by it */
    const char *summary;  /* half a line */
    /* 0; a negative code with the error set, which is printed then; or an exit code when all was said. */
    int (*run)(struct cli *cli, const struct options *o, struct error *err);
    const struct option_row *options; /* NULL = none of its own */
    unsigned flags;
    const char *details; /* paragraphs below the options in help, NULL = none */
};

extern const struct option_row global_options[];

size_t command_count(void);
const struct command *command_at(size_t i);
/* The command that the words at argv begin with; *ret_words is how many are its name. ERROR_USAGE with the
 * nearest name when there is none. */
const struct command *command_find(int n, char *const *words, int *ret_words, struct error *err);
/* How many operands its row asks for. */
void command_operands(const struct command *c, size_t *ret_least, size_t *ret_most);

int cmd_abort(struct cli *cli, const struct options *o, struct error *err);
int cmd_check(struct cli *cli, const struct options *o, struct error *err);
int cmd_explain(struct cli *cli, const struct options *o, struct error *err);
int cmd_help(struct cli *cli, const struct options *o, struct error *err);
int cmd_history(struct cli *cli, const struct options *o, struct error *err);
int cmd_migrate(struct cli *cli, const struct options *o, struct error *err);
int cmd_plan(struct cli *cli, const struct options *o, struct error *err);
int cmd_plugin_check(struct cli *cli, const struct options *o, struct error *err);
int cmd_plugin_info(struct cli *cli, const struct options *o, struct error *err);
int cmd_plugin_list(struct cli *cli, const struct options *o, struct error *err);
int cmd_recover(struct cli *cli, const struct options *o, struct error *err);
int cmd_relocate(struct cli *cli, const struct options *o, struct error *err);
int cmd_relocate_image(struct cli *cli, const struct options *o, struct error *err); /* with --image */
int cmd_survey(struct cli *cli, const struct options *o, struct error *err);
int cmd_version(struct cli *cli, const struct options *o, struct error *err);

extern const struct option_row check_options[];
extern const struct option_row history_options[];
extern const struct option_row migrate_options[];
extern const struct option_row plan_options[];
extern const struct option_row plugin_check_options[];
extern const struct option_row recover_options[];
extern const struct option_row relocate_options[];
extern const struct option_row survey_options[];

#endif
