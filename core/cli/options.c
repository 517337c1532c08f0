/* SPDX-License-Identifier: Apache-2.0
 * The command line, read by getopt_long from rows. Abbreviations, which getopt_long grants, are refused: a
 * script that uses one breaks when an option is added. */
#include "cli/options.h"
#include "base/text.h"
#include "state/nearest.h"
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define OPTIONS_MAX 128

struct option_value {
    const struct option_row *row;
    const char *text;
    uint64_t figure;
};

struct options {
    struct option_value *values;
    size_t n_values;
    const char **operands;
    size_t n_operands;
};

/* One call of options_read: both lists in one, in getopt's form. */
struct reading {
    struct options *options;
    const char *command;
    const struct option_row *rows[OPTIONS_MAX];
    size_t n_rows;
    struct option longs[OPTIONS_MAX + 1]; /* val is the row's index above the letters */
    char shorts[2 * OPTIONS_MAX + 4];
    struct error *err;
};
#define FIRST_ROW 256

struct options *options_new(struct error *err)
{
    struct options *o = calloc(1, sizeof *o);

    if (!o)
        error_memory(err);
    return o;
}

void options_free(struct options *o)
{
    if (!o)
        return;
    free(o->values);
    free(o->operands);
    free(o);
}

static int make_room(struct options *o, size_t more, struct error *err)
{
    struct option_value *values = reallocarray(o->values, o->n_values + more, sizeof *values);
    const char **operands;

    if (!values)
        return error_memory(err);
    o->values = values;
    operands = reallocarray(o->operands, o->n_operands + more, sizeof *operands);
    if (!operands)
        return error_memory(err);
    o->operands = operands;
    return 0;
}

static int add_rows(struct reading *r, const struct option_row *list)
{
    for (; list && list->name; list++) {
        size_t at = strlen(r->shorts);

        if (r->n_rows == OPTIONS_MAX)
            return error_set(r->err, ERROR_FAILED, NULL, "there are more than %d options", OPTIONS_MAX);
        r->longs[r->n_rows] = (struct option){ .name = list->name,
                                               .has_arg = list->argument ? required_argument : no_argument,
                                               .val = FIRST_ROW + (int)r->n_rows };
        r->rows[r->n_rows++] = list;
        if (list->letter)
            (void)snprintf(r->shorts + at, sizeof r->shorts - at, "%c%s", list->letter,
                           list->argument ? ":" : "");
    }
    return 0;
}

static const struct option_row *row_of(const struct reading *r, int val)
{
    if (val >= FIRST_ROW)
        return r->rows[val - FIRST_ROW];
    for (size_t i = 0; i < r->n_rows; i++)
        if (r->rows[i]->letter == val)
            return r->rows[i];
    return NULL;
}

static const struct option_row *row_named(const struct reading *r, const char *name)
{
    for (size_t i = 0; i < r->n_rows; i++)
        if (text_equal(r->rows[i]->name, name))
            return r->rows[i];
    return NULL;
}

static int see_help(struct reading *r, const char *hint)
{
    return error_fix(r->err, "%s%s%sSee 'virt-ferry help%s%s'.", hint ? "Did you mean '--" : "",
                     hint ? hint : "", hint ? "'? " : "", r->command ? " " : "",
                     r->command ? r->command : "");
}

/* What was typed may be a beginning of the word, or near to it. */
static int refuse_long(struct reading *r, const char *token)
{
    struct nearest hint = { 0 };
    size_t n = strcspn(token + 2, "=");
    char typed[64];

    (void)snprintf(typed, sizeof typed, "%.*s", (int)(n < sizeof typed ? n : sizeof typed - 1), token + 2);
    for (size_t i = 0; i < r->n_rows; i++) {
        if (r->rows[i]->flags & OPTION_HIDDEN)
            continue;
        if (*typed && text_starts(r->rows[i]->name, typed))
            hint = (struct nearest){ .word = r->rows[i]->name };
        nearest_offer(&hint, typed, r->rows[i]->name);
    }
    error_set(r->err, ERROR_USAGE, NULL, "option '--%s' is not known", typed);
    return see_help(r, hint.word);
}

/* getopt_long names the row when a flag was given a value, else the letter. */
static int refuse_option(struct reading *r)
{
    if (optopt >= FIRST_ROW)
        error_set(r->err, ERROR_USAGE, NULL, "option '--%s' takes no value", row_of(r, optopt)->name);
    else
        error_set(r->err, ERROR_USAGE, NULL, "option '-%c' is not known", optopt);
    return see_help(r, NULL);
}

static int refuse_missing(struct reading *r)
{
    const struct option_row *row = row_of(r, optopt);

    error_set(r->err, ERROR_USAGE, NULL, "option '--%s' needs a value: %s", row->name, row->argument);
    return see_help(r, NULL);
}

static bool is_choice(const char *choices, const char *value)
{
    size_t n = strlen(value);

    for (const char *word = choices; *word; word += strcspn(word, "|"), word += *word == '|')
        if (n == strcspn(word, "|") && memcmp(word, value, n) == 0)
            return true;
    return false;
}

static int read_figure(const struct option_row *row, const char *value, uint64_t *ret, struct error *why)
{
    switch (row->type) {
    case OPTION_FLAG:
    case OPTION_TEXT:
        return 0;
    case OPTION_CHOICE:
        return is_choice(row->argument, value)
                   ? 0
                   : error_set(why, ERROR_USAGE, NULL, "it is none of %s", row->argument);
    case OPTION_U64:
        return text_parse_u64(value, UINT64_MAX, ret, why);
    case OPTION_BYTES:
        return text_parse_bytes(value, ret, why);
    case OPTION_RATE:
        return text_parse_rate(value, ret, why);
    case OPTION_MS:
        return text_parse_ms(value, row->bare_ms ? row->bare_ms : 1, ret, why);
    }
    return 0;
}

/* What could be written instead. */
static int show_form(struct reading *r, const struct option_row *row)
{
    static const char *const forms[] = {
        [OPTION_U64] = "a whole number, such as '5'",
        [OPTION_BYTES] = "a size, such as '512MiB' or '10G'",
        [OPTION_RATE] = "a rate, such as '500MiB/s' or '1gbit'",
        [OPTION_MS] = "a time, such as '300ms', '2s' or '5min'",
    };

    if (row->type == OPTION_CHOICE)
        return error_fix(r->err, "Write one of these: %s.", row->argument);
    if ((size_t)row->type < sizeof forms / sizeof *forms && forms[row->type])
        return error_fix(r->err, "Write %s.", forms[row->type]);
    return see_help(r, NULL);
}

static int take_value(struct reading *r, const struct option_row *row, const char *value)
{
    struct option_value *v = &r->options->values[r->options->n_values];
    struct error why = { 0 };

    *v = (struct option_value){ .row = row->stands_for ? row_named(r, row->stands_for) : row, .text = value };
    if (!v->row)
        return error_set(r->err, ERROR_FAILED, NULL, "option '--%s' stands for none", row->name);
    if (read_figure(row, value, &v->figure, &why) == 0) {
        r->options->n_values++;
        return 0;
    }
    error_set(r->err, ERROR_USAGE, NULL, "'%s' cannot be the value of option '--%s'", value, row->name);
    error_why(r->err, "%s", why.what);
    return why.fix[0] ? error_fix(r->err, "%s", why.fix) : show_form(r, row);
}

/* getopt_long would take "--na" for "--name". */
static bool is_abbreviated(const struct reading *r, const char *token)
{
    size_t n;

    if (!text_starts(token, "--"))
        return false;
    n = strcspn(token + 2, "=");
    for (size_t i = 0; i < r->n_rows; i++)
        if (strlen(r->rows[i]->name) == n && memcmp(r->rows[i]->name, token + 2, n) == 0)
            return false;
    return true;
}

/* token is the argument that getopt_long took c from. */
static int take_option(struct reading *r, int c, const char *token)
{
    if (is_abbreviated(r, token))
        return refuse_long(r, token);
    if (c == '?')
        return refuse_option(r);
    if (c == ':')
        return refuse_missing(r);
    return take_value(r, row_of(r, c), optarg);
}

int options_read(struct options *o, const char *command, const struct option_row *global,
                 const struct option_row *own, int argc, char **argv, int *ret_rest, struct error *err)
{
    /* '+' ends before the first operand, '-' gives each where it stands; neither moves an argument, which
     * would let a value pass for an option. ':' tells a missing value apart. */
    struct reading r = { .options = o, .command = command, .err = err };
    int c, token;

    (void)snprintf(r.shorts, sizeof r.shorts, "%s", ret_rest ? "+:" : "-:");
    if (add_rows(&r, global) < 0 || add_rows(&r, own) < 0 || make_room(o, (size_t)argc + 1, err) < 0)
        return -err->code;
    opterr = 0;
    optind = 0; /* GNU: begins anew */
    for (token = 1; (c = getopt_long(argc, argv, r.shorts, r.longs, NULL)) != -1; token = optind)
        if (c == 1)
            o->operands[o->n_operands++] = optarg;
        else if (take_option(&r, c, argv[token]) < 0)
            return -err->code;
    if (ret_rest)
        *ret_rest = optind;
    else
        while (optind < argc)
            o->operands[o->n_operands++] = argv[optind++];
    return 0;
}

static const struct option_value *find_nth(const struct options *o, const char *name, size_t i)
{
    for (size_t k = 0; k < o->n_values; k++)
        if (text_equal(o->values[k].row->name, name) && i-- == 0)
            return &o->values[k];
    return NULL;
}

size_t option_count(const struct options *o, const char *name)
{
    size_t n = 0;

    while (find_nth(o, name, n))
        n++;
    return n;
}

static const struct option_value *find_last(const struct options *o, const char *name)
{
    size_t n = option_count(o, name);

    return n > 0 ? find_nth(o, name, n - 1) : NULL;
}

bool option_given(const struct options *o, const char *name)
{
    return find_nth(o, name, 0) != NULL;
}

bool option_flag(const struct options *o, const char *name)
{
    return option_given(o, name);
}

const char *option_text(const struct options *o, const char *name)
{
    const struct option_value *v = find_last(o, name);

    return v ? v->text : NULL;
}

uint64_t option_u64(const struct options *o, const char *name, uint64_t absent)
{
    const struct option_value *v = find_last(o, name);

    return v ? v->figure : absent;
}

const char *option_nth(const struct options *o, const char *name, size_t i)
{
    const struct option_value *v = find_nth(o, name, i);

    return v ? v->text : NULL;
}

size_t operand_count(const struct options *o)
{
    return o->n_operands;
}

const char *operand_at(const struct options *o, size_t i)
{
    return i < o->n_operands ? o->operands[i] : NULL;
}
