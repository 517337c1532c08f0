/* SPDX-License-Identifier: Apache-2.0
 * virt-ferry plugin list and plugin info: what was found, what was refused and why, what each declares. */
#include "base/json.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/table.h"
#include "plugin/registry.h"
#include "state/nearest.h"
#include <stdio.h>
#include <string.h>

struct word {
    uint32_t bit;
    const char *word, *meaning;
};
static const struct word storage_words[] = {
    { FERRY_STORAGE_SHARES, "shares", "two hosts can hold the same image" },
    { FERRY_STORAGE_LOCKS, "locks", "an open image is locked between hosts" },
    { FERRY_STORAGE_READS_ZERO, "reads-zero", "a new image reads as zero" },
    { FERRY_STORAGE_UNSAFE_OK, "unsafe-ok", "with proof of sharing, libvirt's own refusal may be lifted" },
    { FERRY_STORAGE_BASES, "bases", "a new qcow2 image can rest on a backing file" },
    { FERRY_STORAGE_HEADS, "heads", "a qcow2 image can be made in a device" },
    { FERRY_STORAGE_STREAMS, "streams", "an image on another machine can be written through its libvirt" },
    { 0, NULL, NULL },
};
static const struct word transport_words[] = {
    { FERRY_CARRIES_DISKS, "disks", "disks" },
    { FERRY_CARRIES_P2P, "p2p", "the source's libvirtd can use it by itself" },
    { FERRY_CARRIES_MULTIFD, "multifd", "several connections" },
    { FERRY_CARRIES_POSTCOPY, "postcopy", "post-copy" },
    { FERRY_CARRIES_VIA, "via", "data to an address of its own" },
    { 0, NULL, NULL },
};
static const struct word protects_words[] = {
    { FERRY_PROTECTS_AUTHENTICATION, "authentication", "authentication" },
    { FERRY_PROTECTS_ENCRYPTION, "encryption", "encryption" },
    { 0, NULL, NULL },
};

static const char *file_name(const struct plugin_entry *e)
{
    const char *slash = strrchr(e->path, '/');

    return slash ? slash + 1 : e->path;
}

/* ---- JSON ---- */

static json_t *json_words(const struct word *w, uint32_t bits)
{
    json_t *list = json_array();

    for (; w->word; w++)
        if (bits & w->bit)
            (void)json_array_append_new(list, json_string(w->word));
    return list;
}

static json_t *json_storage(const struct ferry_storage *s)
{
    return json_pack("{s:s, s:s, s:o}", "name", s->name, "summary", s->summary, "declares",
                     json_words(storage_words, s->declares));
}

static json_t *json_transport(const struct ferry_transport *t)
{
    return json_pack("{s:s, s:s, s:s, s:i, s:o, s:o, s:o}", "name", t->name, "summary", t->summary,
                     "uri_scheme", t->uri_scheme, "control_port", (int)t->control_port, "carries",
                     json_words(transport_words, t->carries), "protects_control",
                     json_words(protects_words, t->protects_control), "protects_data",
                     json_words(protects_words, t->protects_data));
}

static json_t *json_entry(const struct plugin_entry *e, struct error *err)
{
    OWNED_JSON j = json_object();
    json_t *storage = json_array(), *transports = json_array();
    int failed = 0;

    failed |= json_put(j, "storage", storage) | json_put(j, "transports", transports);
    failed |= json_put_text(j, "file", e->path);
    if (e->refused) {
        failed |= json_put_text(j, "refused", e->refused);
    } else {
        failed |= json_put_text(j, "name", e->plugin.name) | json_put_text(j, "version", e->plugin.version) |
                  json_put_text(j, "summary", e->plugin.summary);
        for (size_t i = 0; i < e->n_storage; i++)
            failed |= json_array_append_new(storage, json_storage(&e->storage[i]));
        for (size_t i = 0; i < e->n_transports; i++)
            failed |= json_array_append_new(transports, json_transport(&e->transports[i]));
    }
    if (failed) {
        error_memory(err);
        return NULL;
    }
    return HAND_OVER(j);
}

static int list_json(struct error *err)
{
    OWNED_JSON whole = json_object();
    json_t *list = json_array();

    if (json_put(whole, "plugins", list) < 0)
        return error_memory(err);
    for (size_t i = 0; i < registry_count(); i++) {
        json_t *entry = json_entry(registry_at(i), err);

        if (!entry)
            return -err->code;
        if (json_array_append_new(list, entry) < 0)
            return error_memory(err);
    }
    return output_json(whole, err);
}

/* ---- for the eye ---- */

/* "storage nfs, transport tcp" */
static void add_provides(struct text *t, const struct plugin_entry *e)
{
    for (size_t i = 0; i < e->n_storage; i++)
        text_add(t, "%sstorage %s", t->len ? ", " : "", e->storage[i].name);
    for (size_t i = 0; i < e->n_transports; i++)
        text_add(t, "%stransport %s", t->len ? ", " : "", e->transports[i].name);
}

static int list_table(struct error *err)
{
    static const char *const headings[] = { "NAME", "VERSION", "PROVIDES", "STATE", NULL };
    OWNED(table) t = table_new(headings, err);

    if (!t)
        return -err->code;
    for (size_t i = 0; i < registry_count(); i++) {
        const struct plugin_entry *e = registry_at(i);
        OWNED_TEXT provides = { 0 }, state = { 0 };
        const char *cells[4];

        add_provides(&provides, e);
        text_add(&state, "%s%s", e->refused ? "refused: " : "loaded", e->refused ? e->refused : "");
        if (provides.failed || state.failed)
            return error_memory(err);
        cells[0] = e->refused ? file_name(e) : e->plugin.name;
        cells[1] = e->refused ? "-" : e->plugin.version;
        cells[2] = provides.len ? text_of(&provides) : "-";
        cells[3] = text_of(&state);
        if (table_add(t, cells, err) < 0)
            return -err->code;
    }
    return table_print(t, err);
}

static void print_words(const char *label, const struct word *w, uint32_t bits)
{
    bool is_first = true;

    for (; w->word; w++) {
        if (!(bits & w->bit))
            continue;
        (void)printf("%-19s%s\n", is_first ? label : "", w->meaning);
        is_first = false;
    }
    if (is_first)
        (void)printf("%-19s%s\n", label, "nothing");
}

static void print_entry(const struct plugin_entry *e)
{
    (void)printf("%-19s%s\n", "File:", ESCAPED(e->path));
    if (e->refused) {
        (void)printf("%-19s%s\n", "Refused:", ESCAPED(e->refused));
        return;
    }
    (void)printf("%-19s%s\n", "Name:", ESCAPED(e->plugin.name));
    (void)printf("%-19s%s\n", "Version:", ESCAPED(e->plugin.version));
    (void)printf("%-19s%s\n", "Summary:", ESCAPED(e->plugin.summary));
    for (size_t i = 0; i < e->n_storage; i++) {
        const struct ferry_storage *s = &e->storage[i];

        (void)printf("\n%-19s%s: %s\n", "Storage driver:", ESCAPED(s->name), ESCAPED(s->summary));
        print_words("  Declares:", storage_words, s->declares);
    }
    for (size_t i = 0; i < e->n_transports; i++) {
        const struct ferry_transport *t = &e->transports[i];

        (void)printf("\n%-19s%s: %s\n", "Transport driver:", ESCAPED(t->name), ESCAPED(t->summary));
        (void)printf("%-19s%s, port %u\n", "  URI scheme:", ESCAPED(t->uri_scheme),
                     (unsigned)t->control_port);
        print_words("  Carries:", transport_words, t->carries);
        print_words("  Protects control:", protects_words, t->protects_control);
        print_words("  Protects data:", protects_words, t->protects_data);
    }
}

/* ---- the commands ---- */

int cmd_plugin_list(struct cli *cli, const struct options *o, struct error *err)
{
    (void)o;
    if (registry_load(NULL, err) < 0)
        return -err->code;
    if (cli->is_json)
        return list_json(err);
    if (registry_count() > 0)
        return list_table(err);
    output_remark(cli, "there are no plugins; VIRT_FERRY_PLUGIN_PATH names the folders to look in");
    return 0;
}

/* By its name, or by its file where it was refused and so has none. */
static const struct plugin_entry *find_entry(const char *name, struct error *err)
{
    const struct plugin_entry *found = registry_find(name);
    struct nearest hint = { 0 };

    for (size_t i = 0; !found && i < registry_count(); i++) {
        const struct plugin_entry *e = registry_at(i);

        if (text_equal(file_name(e), name))
            return e;
        nearest_offer(&hint, name, e->refused ? file_name(e) : e->plugin.name);
    }
    if (found)
        return found;
    error_set(err, ERROR_USAGE, NULL, "there is no plugin '%s'", name);
    if (hint.word)
        error_fix(err, "Did you mean '%s'? See 'virt-ferry plugin list'.", hint.word);
    else
        error_fix(err, "See 'virt-ferry plugin list'.");
    return NULL;
}

int cmd_plugin_info(struct cli *cli, const struct options *o, struct error *err)
{
    const struct plugin_entry *e;
    OWNED_JSON j = NULL;

    if (registry_load(NULL, err) < 0)
        return -err->code;
    e = find_entry(operand_at(o, 0), err);
    if (!e)
        return -err->code;
    if (!cli->is_json) {
        print_entry(e);
        return 0;
    }
    j = json_entry(e, err);
    return j ? output_json(j, err) : -err->code;
}
