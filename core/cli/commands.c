/* SPDX-License-Identifier: Apache-2.0
 * The commands that work, in the order in which help shows them. What is not built yet stands nowhere. */
#include "cli/commands.h"
#include "base/text.h"
#include "state/nearest.h"
#include <stdio.h>
#include <string.h>

const struct option_row global_options[] = {
    { .name = "connect",
      .letter = 'c',
      .argument = "URI",
      .type = OPTION_TEXT,
      .help = "libvirt's URI of the source host; default is LIBVIRT_DEFAULT_URI, then qemu:///system" },
    { .name = "json", .help = "print results and errors as JSON on stdout" },
    { .name = "quiet", .letter = 'q', .help = "no progress and no remarks" },
    { .name = "verbose", .letter = 'v', .flags = OPTION_REPEATS, .help = "say more" },
    { .name = "color",
      .argument = "auto|always|never",
      .type = OPTION_CHOICE,
      .help = "colours; auto is on a terminal, where NO_COLOR is not set" },
    { .name = "help", .letter = 'h', .help = "show the options of a command, or all commands" },
    { .name = "version", .letter = 'V', .help = "show the version" },
    { .name = NULL },
};

static const struct command commands[] = {
    { .name = "plan",
      .operands = "DOMAIN DEST",
      .summary = "show what a move would do and cost, and why not otherwise",
      .run = cmd_plan,
      .options = plan_options },
    { .name = "check",
      .operands = "[DOMAIN] DEST",
      .summary = "judge whether a domain, or any, can move, and say what is in the way; exit 0 or 3",
      .run = cmd_check,
      .options = check_options },
    { .name = "migrate",
      .operands = "DOMAIN DEST",
      .summary = "move a domain by the cheapest way that is safe",
      .run = cmd_migrate,
      .options = migrate_options,
      .flags = COMMAND_CHANGES },
    { .name = "relocate",
      .operands = "DOMAIN",
      .summary = "move disks of a domain to another place on its host",
      .run = cmd_relocate,
      .options = relocate_options,
      .flags = COMMAND_CHANGES },
    { .name = "abort",
      .operands = "DOMAIN",
      .summary = "stop the run that holds a domain; the guest stays where it is",
      .run = cmd_abort,
      .flags = COMMAND_CHANGES },
    { .name = "recover",
      .operands = "[NAME]",
      .summary = "finish or undo runs that died: all, one by its name, or those of a domain",
      .run = cmd_recover,
      .options = recover_options,
      .flags = COMMAND_CHANGES },
    { .name = "survey",
      .operands = "[DOMAIN] DEST",
      .summary = "print all that is known of a domain, two hosts and the way between, as JSON",
      .run = cmd_survey,
      .options = survey_options },
    { .name = "explain",
      .operands = "TEXT...",
      .summary = "explain a finding by its id, or an error of libvirt or QEMU by its text",
      .run = cmd_explain },
    { .name = "history",
      .operands = "",
      .summary = "show what moves were predicted to cost, and what they cost",
      .run = cmd_history,
      .options = history_options },
    { .name = "plugin list",
      .operands = "",
      .summary = "list the plugins and what became of each",
      .run = cmd_plugin_list },
    { .name = "plugin info",
      .operands = "NAME",
      .summary = "show what a plugin provides and declares",
      .run = cmd_plugin_info },
    { .name = "plugin check",
      .operands = "FILE",
      .summary = "try a plugin's file against the contract of plugins, in TAP; exit 0 or 1",
      .run = cmd_plugin_check,
      .options = plugin_check_options },
    { .name = "version", .operands = "", .summary = "show the version", .run = cmd_version },
    { .name = "help",
      .operands = "[COMMAND] [WORD]",
      .summary = "show all commands, or one with its options",
      .run = cmd_help },
};
#define COUNT (sizeof commands / sizeof commands[0])

size_t command_count(void)
{
    return COUNT;
}

const struct command *command_at(size_t i)
{
    return &commands[i];
}

/* How many of the words are the command's name; 0 when they are another's. */
static int words_matched(const struct command *c, int n, char *const *words)
{
    const char *second = strchr(c->name, ' ');
    size_t first_length = strcspn(c->name, " ");

    if (n < 1 || strlen(words[0]) != first_length || memcmp(words[0], c->name, first_length) != 0)
        return 0;
    if (!second)
        return 1;
    return n > 1 && text_equal(words[1], second + 1) ? 2 : 0;
}

static const char *group_of(const struct command *c, char *buf, size_t size)
{
    (void)snprintf(buf, size, "%.*s", (int)strcspn(c->name, " "), c->name);
    return buf;
}

/* "plugin" alone, or with a word that is none of its. */
static int refuse_group(const char *group, const char *word, struct error *err)
{
    struct nearest hint = { 0 };
    OWNED_TEXT names = { 0 };
    char buf[32];

    for (size_t i = 0; i < COUNT; i++) {
        if (!text_equal(group_of(&commands[i], buf, sizeof buf), group))
            continue;
        text_add(&names, "%s'%s'", names.len ? ", " : "", commands[i].name);
        if (word)
            nearest_offer(&hint, word, strchr(commands[i].name, ' ') + 1);
    }
    if (word)
        error_set(err, ERROR_USAGE, NULL, "command '%s %s' is not known", group, word);
    else
        error_set(err, ERROR_USAGE, NULL, "'%s' is half of a command", group);
    if (hint.word)
        return error_fix(err, "Did you mean '%s %s'? See 'virt-ferry help'.", group, hint.word);
    return error_fix(err, "There is %s.", text_of(&names));
}

const struct command *command_find(int n, char *const *words, int *ret_words, struct error *err)
{
    struct nearest hint = { 0 };
    char groups[COUNT][32];

    if (n == 0) {
        error_set(err, ERROR_USAGE, NULL, "no command was given");
        error_fix(err, "See 'virt-ferry help'.");
        return NULL;
    }
    for (size_t i = 0; i < COUNT; i++)
        if ((*ret_words = words_matched(&commands[i], n, words)) > 0)
            return &commands[i];
    for (size_t i = 0; i < COUNT; i++) {
        const char *first = group_of(&commands[i], groups[i], sizeof groups[i]);

        if (text_equal(first, words[0])) {
            refuse_group(words[0], n > 1 && words[1][0] != '-' ? words[1] : NULL, err);
            return NULL;
        }
        nearest_offer(&hint, words[0], first);
    }
    error_set(err, ERROR_USAGE, NULL, "command '%s' is not known", words[0]);
    if (hint.word)
        error_fix(err, "Did you mean '%s'? See 'virt-ferry help'.", hint.word);
    else
        error_fix(err, "See 'virt-ferry help'.");
    return NULL;
}

void command_operands(const struct command *c, size_t *ret_least, size_t *ret_most)
{
    *ret_least = *ret_most = 0;
    for (const char *s = c->operands; *s;) {
        size_t n = strcspn(s, " ");

        *ret_most = n > 3 && memcmp(s + n - 3, "...", 3) == 0 ? SIZE_MAX : *ret_most + 1;
        if (*s != '[')
            ++*ret_least;
        s += n + (s[n] == ' ');
    }
}
