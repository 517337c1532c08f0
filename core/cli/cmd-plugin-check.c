/* SPDX-License-Identifier: Apache-2.0
 * virt-ferry plugin check: the checks of a plugin as TAP, or as JSON. */
#include "base/json.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "conform/conform.h"
#include "state/config.h"
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

const struct option_row plugin_check_options[] = {
    { .name = "location",
      .argument = "PLACE",
      .type = OPTION_TEXT,
      .help = "also create a small image there and remove it: a folder, nfs://SERVER/PATH or rbd:POOL" },
    { .name = NULL },
};

struct telling {
    const struct cli *cli;
    const struct config *config;
    const char *uri; /* libvirt's, NULL = drivers get no connection */
    unsigned n;
    json_t *list; /* NULL = TAP */
    bool failed;
};

static const char *config_of(void *context, const char *section, const char *key)
{
    const struct telling *t = context;

    return config_get(t->config, section, key);
}

static void be_silent(void *context, virErrorPtr problem)
{
    (void)context;
    (void)problem;
}

/* In a child that ends soon, so that nothing need close it. */
static void *connect_libvirt(void *context)
{
    const struct telling *t = context;

    virSetErrorFunc(NULL, be_silent);
    return virConnectOpen(t->uri);
}

/* A "#" in a sentence would begin a directive of TAP, and a line break another line. */
static void print_line(struct telling *t, const struct conform_line *line)
{
    OWNED_TEXT out = { 0 };

    text_add(&out, "%s %u - ", line->is_ok ? "ok" : "not ok", t->n);
    text_add_escaped(&out, line->sentence);
    if (line->skipped)
        text_add(&out, " # SKIP %s", line->skipped);
    text_add(&out, "\n");
    for (size_t i = 0; i < line->n_why; i++) {
        text_add(&out, "# ");
        text_add_escaped(&out, line->why[i]);
        text_add(&out, "\n");
    }
    t->failed |= out.failed;
    (void)fputs(text_of(&out), stdout);
}

static void add_line(struct telling *t, const struct conform_line *line)
{
    json_t *one = json_object(), *why = json_array();

    for (size_t i = 0; i < line->n_why; i++) {
        OWNED_TEXT safe = { 0 };

        text_add_escaped(&safe, line->why[i]);
        t->failed |= safe.failed || json_array_append_new(why, json_string(text_of(&safe))) < 0;
    }
    t->failed |= json_put_flag(one, "ok", line->is_ok) < 0 ||
                 json_put_text(one, "sentence", line->sentence) < 0 ||
                 json_put_text(one, "skipped", line->skipped) < 0 || json_put(one, "why", why) < 0;
    t->failed |= json_array_append_new(t->list, one) < 0;
}

static void tell(void *context, const struct conform_line *line)
{
    struct telling *t = context;

    t->n++;
    if (t->list)
        add_line(t, line);
    else
        print_line(t, line);
}

/* How many checks there were, which TAP tells behind them; or all of them as JSON. */
static int end(struct telling *t, unsigned failed, json_t *whole, struct error *err)
{
    if (t->failed)
        return error_memory(err);
    if (!whole)
        (void)printf("1..%u\n", t->n);
    else if (json_put_u64(whole, "failed", failed) < 0)
        return error_memory(err);
    else if (output_json(whole, err) < 0)
        return -err->code;
    return failed ? ERROR_FAILED : 0;
}

int cmd_plugin_check(struct cli *cli, const struct options *o, struct error *err)
{
    struct telling t = { .cli = cli, .config = cli_config(cli, err) };
    OWNED_JSON whole = NULL;
    unsigned failed = 0;
    const struct conform_ask ask = {
        .path = operand_at(o, 0),
        .location = option_text(o, "location"),
        .config = config_of,
        .libvirt = option_given(o, "connect") ? connect_libvirt : NULL,
        .tell = tell,
        .context = &t,
    };

    if (!t.config)
        return -err->code;
    t.uri = cli->uri;
    if (cli->is_json) {
        whole = json_object();
        t.list = json_array();
        if (json_put(whole, "checks", t.list) < 0)
            return error_memory(err);
    } else {
        (void)printf("TAP version 13\n");
    }
    if (conform_run(&ask, &failed, err) < 0)
        return -err->code;
    return end(&t, failed, whole, err);
}
