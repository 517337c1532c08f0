/* SPDX-License-Identifier: Apache-2.0
 * Errors, remarks and JSON as text on the two streams. */
#include "cli/output.h"
#include "base/text.h"
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define RED "\033[1;31m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

bool output_wants_color(const char *choice, FILE *stream)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

    if (text_equal(choice, "always") || text_equal(choice, "never"))
        return text_equal(choice, "always");
    if (no_color && *no_color)
        return false;
    return isatty(fileno(stream)) && term && *term && !text_equal(term, "dumb");
}

static void add_error(struct text *t, const struct cli *cli, const struct error *err)
{
    bool colors = cli->colors_stderr;

    text_add(t, "%svirt-ferry:%s ", colors ? RED : "", colors ? PLAIN : "");
    text_add_escaped(t, err->what);
    if (err->host[0]) {
        text_add(t, " (host '");
        text_add_escaped(t, err->host);
        text_add(t, "')");
    }
    if (err->why[0]) {
        text_add(t, ": ");
        text_add_escaped(t, err->why);
    }
    text_add(t, "\n");
    if (err->fix[0]) {
        text_add(t, "  %sFix:%s ", colors ? BOLD : "", colors ? PLAIN : "");
        text_add_escaped(t, err->fix);
        text_add(t, "\n");
    }
}

static bool print_json_error(const struct error *err)
{
    OWNED_JSON whole = json_object();
    json_t *inner = json_of_error(err);
    struct error ignored = { 0 };

    return inner && json_put(inner, "exit", json_integer(error_exit(err->code))) == 0 &&
           json_put(whole, "error", inner) == 0 && output_json(whole, &ignored) == 0;
}

void output_error(const struct cli *cli, const struct error *err)
{
    OWNED_TEXT t = { 0 };

    if (!err->what[0])
        return;
    if (cli->is_json && print_json_error(err))
        return;
    add_error(&t, cli, err);
    /* Without memory for its escaped form an error is still told, by what is ours in it. */
    (void)fputs(t.failed ? "virt-ferry: there is no memory left\n" : text_of(&t), stderr);
}

void output_remark(const struct cli *cli, const char *format, ...)
{
    OWNED_TEXT t = { 0 };
    OWNED_MEMORY char *line = NULL;
    va_list args;

    if (cli->is_quiet)
        return;
    va_start(args, format);
    if (vasprintf(&line, format, args) < 0)
        line = NULL;
    va_end(args);
    text_add_escaped(&t, line);
    (void)fprintf(stderr, "%s\n", text_of(&t));
}

int output_json(const json_t *j, struct error *err)
{
    OWNED_MEMORY char *s = json_write(j, true, err);

    if (!s)
        return -err->code;
    (void)printf("%s\n", s); /* output_close sees whether it was written */
    return 0;
}

int output_file(const char *path, const json_t *j, struct error *err)
{
    OWNED_MEMORY char *s = json_write(j, true, err);
    FILE *file;
    bool is_written;

    if (!s)
        return -err->code;
    file = fopen(path, "we");
    is_written = file && fprintf(file, "%s\n", s) > 0;
    if (file && fclose(file) == EOF)
        is_written = false;
    return is_written ? 0 : error_errno(err, NULL, "could not write '%s'", path);
}

int output_close(int code, bool has_changed)
{
    bool had_failed = ferror(stdout);
    int saved;

    errno = 0;
    if (fclose(stdout) == 0 && !had_failed)
        return code;
    saved = errno;
    /* Whoever closed the pipe knows; a message would stand in the way of `virt-ferry … | head`. */
    if (saved != EPIPE)
        (void)fprintf(stderr, "virt-ferry: the result could not be written%s%s\n", saved ? ": " : "",
                      saved ? strerrordesc_np(saved) : "");
    if (code != 0)
        return code;
    return error_exit(has_changed ? ERROR_PROBLEMS : ERROR_FAILED);
}
