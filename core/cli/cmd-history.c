/* SPDX-License-Identifier: Apache-2.0
 * virt-ferry history: what moves were predicted to cost, what they cost, and how far off that was. */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/table.h"
#include "facts/model.h"
#include "state/history.h"
#include "state/journal.h"
#include <stdio.h>
#include <time.h>

const struct option_row history_options[] = {
    { .name = "last", .argument = "N", .type = OPTION_U64, .help = "only the newest N moves; default is 20" },
    { .name = NULL },
};

static const char *when_text(char *buf, size_t size, const json_t *record)
{
    const time_t at = (time_t)json_u64(record, "at_s", 0);
    struct tm local;

    if (!localtime_r(&at, &local) || strftime(buf, size, "%Y-%m-%d %H:%M", &local) == 0)
        snprintf(buf, size, "?");
    return buf;
}

static const char *ms_text(char *buf, size_t size, uint64_t ms)
{
    if (ms == NOT_KNOWN)
        snprintf(buf, size, "?");
    else
        text_ms(buf, size, ms);
    return buf;
}

/* Of the likely time; a star where the move ended outside the interval. */
static const char *error_text(char *buf, size_t size, const json_t *predicted, uint64_t actual)
{
    const uint64_t likely = json_u64(predicted, "likely", 0), low = json_u64(predicted, "low", 0);
    const uint64_t high = json_u64(predicted, "high", UINT64_MAX);

    if (actual == NOT_KNOWN || likely == 0)
        snprintf(buf, size, "?");
    else
        snprintf(buf, size, "%+.0f %%%s", 100.0 * ((double)actual - (double)likely) / (double)likely,
                 actual < low || actual > high ? " *" : "");
    return buf;
}

static int add_row(struct table *t, const json_t *record, struct error *err)
{
    const json_t *predicted = json_child(json_child(record, "predicted"), "time_ms");
    const json_t *actual = json_child(record, "actual");
    const uint64_t time_ms = json_u64(actual, "time_ms", NOT_KNOWN);
    char when[32], likely[32], took[32], off[32], downtime[32];
    const char *const cells[] = {
        when_text(when, sizeof when, record),
        json_text(record, "domain", "?"),
        json_text(record, "source", "?"),
        json_text(record, "dest", "?"),
        json_text(record, "strategy", "?"),
        ms_text(likely, sizeof likely, json_u64(predicted, "likely", NOT_KNOWN)),
        ms_text(took, sizeof took, time_ms),
        error_text(off, sizeof off, predicted, time_ms),
        ms_text(downtime, sizeof downtime, json_u64(actual, "downtime_seen_ms", NOT_KNOWN)),
    };

    return table_add(t, cells, err);
}

static bool is_first_of_way(const json_t *records, size_t at)
{
    const json_t *one = json_array_get(records, at);

    for (size_t i = 0; i < at; i++) {
        const json_t *other = json_array_get(records, i);

        if (text_equal(json_text(other, "source_uuid", ""), json_text(one, "source_uuid", "")) &&
            text_equal(json_text(other, "dest_uuid", ""), json_text(one, "dest_uuid", "")) &&
            text_equal(json_text(other, "channel", ""), json_text(one, "channel", "")))
            return false;
    }
    return true;
}

static struct constants constants_of(const json_t *records, const json_t *one)
{
    struct constants c = { NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN,
                           NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN };

    history_fit(records, json_text(one, "source_uuid", NULL), json_text(one, "dest_uuid", NULL),
                json_text(one, "channel", NULL), &c);
    return c;
}

static void print_constants(const json_t *records)
{
    size_t i;
    const json_t *one;

    json_array_foreach(records, i, one)
    {
        const struct constants c = constants_of(records, one);
        char setup[32], finish[32], downtime[32];

        if (c.samples == NOT_KNOWN || !is_first_of_way(records, i))
            continue;
        printf("%s to %s over %s, by %llu moves: %s +- %s; set-up %s, finish %s, downtime %s\n",
               ESCAPED(json_text(one, "source", "?")), ESCAPED(json_text(one, "dest", "?")),
               ESCAPED(json_text(one, "channel", "?")), (unsigned long long)c.samples,
               RATE_TEXT(c.bytes_per_s), RATE_TEXT(c.bytes_per_s_spread),
               ms_text(setup, sizeof setup, c.setup_ms), ms_text(finish, sizeof finish, c.finish_ms),
               ms_text(downtime, sizeof downtime, c.downtime_ms));
    }
}

static int print_table(const json_t *records, size_t from, struct error *err)
{
    static const char *const headings[] = { "WHEN",      "DOMAIN", "FROM", "TO",    "STRATEGY",
                                            "PREDICTED", "ACTUAL", "OFF",  "STOOD", NULL };
    OWNED(table) t = table_new(headings, err);

    if (!t)
        return -err->code;
    for (size_t i = from; i < json_array_size(records); i++)
        if (add_row(t, json_array_get(records, i), err) < 0)
            return -err->code;
    if (table_print(t, err) < 0)
        return -err->code;
    print_constants(records);
    return 0;
}

int cmd_history(struct cli *cli, const struct options *o, struct error *err)
{
    OWNED_MEMORY char *dir = state_dir(err);
    OWNED_TEXT aside = { 0 };
    OWNED_JSON records = dir ? history_read(dir, &aside, err) : NULL;
    const uint64_t last = option_u64(o, "last", 20);
    size_t from;

    if (!records)
        return -err->code;
    if (aside.len)
        output_remark(cli, "the history was damaged; it is set aside as '%s'", text_of(&aside));
    from = json_array_size(records) > last ? json_array_size(records) - (size_t)last : 0;
    if (!cli->is_json)
        return print_table(records, from, err);
    for (size_t i = 0; i < from; i++)
        (void)json_array_remove(records, 0);
    return output_json(records, err);
}
