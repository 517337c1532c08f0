/* SPDX-License-Identifier: Apache-2.0
 * From the command line to the exit code: global options, the command's own, its run, and what is said at the
 * end. Owns the process: descriptors, signals that must not kill a move, the locale. */
#include "cli/cli.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/output.h"
#include "plugin/registry.h"
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>

const struct config *cli_config(struct cli *cli, struct error *err)
{
    if (!cli->config)
        cli->config = config_load(err);
    return cli->config;
}

/* A journal that got descriptor 1, because the caller had closed it, would be written by printf. The
 * stand-ins are opened the wrong way round, so that using them fails as if they were closed. */
static void hold_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            _exit(ERROR_FAILED);
}

static void take_globals(struct cli *cli, const struct options *o)
{
    const char *uri = option_text(o, "connect"), *color = option_text(o, "color");

    if (!uri)
        uri = getenv("LIBVIRT_DEFAULT_URI");
    cli->uri = uri && *uri ? uri : "qemu:///system";
    cli->is_json = option_flag(o, "json");
    cli->is_quiet = option_flag(o, "quiet");
    cli->verbosity = (unsigned)option_count(o, "verbose");
    cli->colors_stdout = output_wants_color(color, stdout);
    cli->colors_stderr = output_wants_color(color, stderr);
}

/* The option that was given in place of the operands, NULL = none. */
static const char *instead_of_operands(const struct command *c, const struct options *o)
{
    for (const struct option_row *row = c->options; row && row->name; row++)
        if ((row->flags & OPTION_INSTEAD) && option_given(o, row->name))
            return row->name;
    return NULL;
}

static int check_operands(const struct command *c, const struct options *o, struct error *err)
{
    const char *instead = instead_of_operands(c, o);
    size_t least, most, n = operand_count(o);

    command_operands(c, &least, &most);
    if (instead && n > 0)
        return error_set(err, ERROR_USAGE, NULL, "'%s' and --%s exclude each other", operand_at(o, 0),
                         instead);
    if (instead)
        return 0;
    if (n >= least && n <= most)
        return 0;
    if (n > most)
        error_set(err, ERROR_USAGE, NULL, "'%s' is one operand too many", operand_at(o, most));
    else
        error_set(err, ERROR_USAGE, NULL, "command '%s' needs more operands", c->name);
    return error_fix(err, "Write: virt-ferry %s%s%s%s.", c->name, c->options ? " [OPTION]..." : "",
                     *c->operands ? " " : "", c->operands);
}

/* c may be NULL: all commands then. */
static int show_help(const struct command *c, struct error *err)
{
    OWNED_TEXT t = { 0 };

    if (c)
        help_command(&t, c);
    else
        help_all(&t);
    if (t.failed)
        return error_memory(err);
    (void)fputs(text_of(&t), stdout);
    return 0;
}

static int read_and_run(struct cli *cli, struct options *o, int argc, char **argv, unsigned *ret_flags,
                        struct error *err)
{
    const struct command *c = NULL;
    int rest = 0, words = 0, result;

    result = options_read(o, NULL, global_options, NULL, argc, argv, &rest, err);
    take_globals(cli, o); /* also after a failure: they say how to tell it */
    if (result < 0)
        return result;
    if (rest < argc || !(option_flag(o, "help") || option_flag(o, "version"))) {
        c = command_find(argc - rest, argv + rest, &words, err);
        if (!c)
            return -err->code;
        /* The last word of its name stands where getopt expects the program's. */
        rest += words - 1;
        result = options_read(o, c->name, global_options, c->options, argc - rest, argv + rest, NULL, err);
        take_globals(cli, o);
        if (result < 0)
            return result;
        *ret_flags = c->flags;
    }
    /* These two stand in for a command, and ask for nothing else to be right. */
    if (option_flag(o, "version"))
        return cmd_version(cli, o, err);
    if (!c || option_flag(o, "help"))
        return show_help(c, err);
    return check_operands(c, o, err) < 0 ? -err->code : c->run(cli, o, err);
}

/* A program that reads JSON shall get its error so, even where that stands before --json. */
static bool asks_json(int argc, char **argv)
{
    for (int i = 1; i < argc && !text_equal(argv[i], "--"); i++)
        if (text_equal(argv[i], "--json"))
            return true;
    return false;
}

int cli_main(int argc, char **argv)
{
    struct error err = { 0 };
    struct cli cli = { .uri = "" };
    OWNED(options) o = NULL;
    unsigned flags = 0;
    int result;

    hold_streams();
    (void)signal(SIGPIPE, SIG_IGN); /* a reader that went away must not kill a move */
    (void)setlocale(LC_CTYPE, "");  /* widths of what tables show; figures stay as they are */
    log_open(getenv("VIRT_FERRY_TRACE"));
    o = options_new(&err);
    result = o ? read_and_run(&cli, o, argc, argv, &flags, &err) : -err.code;
    if (result < 0) {
        cli.is_json = cli.is_json || asks_json(argc, argv);
        output_error(&cli, &err);
        result = error_exit(err.code);
    }
    result = output_close(result, flags & COMMAND_CHANGES);
    registry_unload();
    config_free(cli.config);
    return result;
}
