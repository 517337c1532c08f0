/* SPDX-License-Identifier: Apache-2.0
 * Images of a domain that is shut off, from this machine to the host that this worker serves: as they are,
 * byte by byte, through that host's libvirt. */
#include "verbs/copy-image.h"

#include "facts/location.h"
#include "verbs/command.h"
#include <string.h>

#define SYNC_MS 120000u

/* An image of this machine that is open, and so locked as QEMU locks it, until the worker ends. */
struct held {
    struct copy_end end;
    struct call_host lent;
    char target[64], host[256];
    uint64_t layer; /* 0: the disk's own image */
    struct held *next;
};

static void let_go(struct child *c)
{
    for (struct held *h = c->held, *next; h; h = next) {
        next = h->next;
        end_close(&h->end);
        free(h);
    }
    c->held = NULL;
}

static struct held *held_of(const struct child *c, const char *target, uint64_t layer)
{
    struct held *h = c->held;

    while (h && (h->layer != layer || !text_equal(h->target, target)))
        h = h->next;
    return h;
}

/* Files are what both ends are, whatever a pool calls them. */
static const struct ferry_storage *driver_of_files(const struct plugin_entry **ret_owner, struct error *err)
{
    const struct ferry_storage *driver = registry_storage("local-block", ret_owner);

    if (!driver)
        error_set(err, ERROR_REFUSED, NULL, "storage driver 'local-block' is not loaded");
    return driver;
}

static int open_file(struct copy_end *ret, const struct call_host *lent, const struct disk *d, bool is_there,
                     struct error *err)
{
    struct ferry_disk seen = call_disk(d, NULL);
    struct end_place place = { .host = lent, .disk = &seen, .name = d->source, .is_there = is_there };

    seen.format = "raw"; /* its bytes, whatever they mean */
    place.driver = driver_of_files(&place.owner, err);
    return place.driver ? end_open(ret, &place, is_there, err) : -err->code;
}

struct disk *image_in(struct facts *f, const json_t *args, struct error *err)
{
    struct disk *d = f ? facts_disk(f, json_text(args, "target", "")) : NULL;
    const uint64_t layer = json_u64(args, "layer", 0);

    if (f && (!d || layer > d->n_chain)) {
        error_set(err, ERROR_INPUT, NULL, "there is no disk '%s' with %llu backing files",
                  json_text(args, "target", ""), (unsigned long long)layer);
        return NULL;
    }
    if (!d || !layer)
        return d;
    d->chain[layer - 1].target = d->target;
    return &d->chain[layer - 1];
}

/* {"facts", "target", "layer"}: opens the image of that disk, or what it rests on, on this machine, which is
 * the source, and keeps it locked until the worker ends: {"length_bytes"} */
int verb_image_hold(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED(facts) f = facts_from_json(json_child(args, "facts"), err);
    struct disk *d = image_in(f, args, err);
    struct held *h = d ? calloc(1, sizeof *h) : NULL;

    if (!d)
        return -err->code;
    if (!h)
        return error_memory(err);
    disk_stand_for(d);
    (void)snprintf(h->host, sizeof h->host, "%s", f->source.name ? f->source.name : "");
    h->lent = verb_call_host(c);
    h->lent.host = h->host;
    (void)snprintf(h->target, sizeof h->target, "%s", d->target);
    h->layer = json_u64(args, "layer", 0);
    h->next = c->held;
    c->held = h;
    c->at_end = let_go;
    if (open_file(&h->end, &h->lent, d, false, err) < 0)
        return -err->code;
    return json_put_u64(reply, "length_bytes", h->end.is.length_bytes) < 0 ? error_memory(err) : 0;
}

/* libvirt syncs nothing. False: no command can be run there. */
static bool sync_there(struct child *c, const char *path)
{
    static const char script[] = "IFS= read -r p; sync -- \"$p\" && echo done";
    OWNED_TEXT input = { 0 };
    OWNED_MEMORY char *output = NULL;
    struct error ignored = { 0 };

    text_add(&input, "%s\n", path);
    if (!input.failed)
        output = command_script(c, script, text_of(&input), SYNC_MS, &ignored);
    return output && text_starts(output, "done");
}

static int send(struct child *c, struct held *h, const struct disk *to, const char *verify,
                struct copy_progress *ret, struct error *err)
{
    const struct copy_wants wants = { .verify = image_copy_verify(verify),
                                      .tell = image_copy_tell,
                                      .context = c };
    const struct call_host lent = verb_call_host(c);
    struct copy_end end = { 0 };
    int r;

    if (open_file(&end, &lent, to, true, err) < 0)
        return -err->code;
    r = copy_run(&h->end, &end, &wants, ret, err);
    end_close(&end);
    return r;
}

/* {"facts", "target", "layer", "verify"}: copies what is held of that image into the one here, which was made
 * for that: {figures, "is_synced"} */
int verb_image_send(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED(facts) f = facts_from_json(json_child(args, "facts"), err);
    const struct disk *d = image_in(f, args, err);
    struct held *h = d ? held_of(c, d->target, json_u64(args, "layer", 0)) : NULL;
    struct copy_progress figures = { 0 };
    struct disk to;

    if (!d)
        return -err->code;
    if (!h || !h->end.driver)
        return error_set(err, ERROR_INPUT, NULL, "the image of disk '%s' is not open", d->target);
    to = disk_there(d);
    disk_stand_for(&to);
    if (send(c, h, &to, json_text(args, "verify", ""), &figures, err) < 0)
        return -err->code;
    return image_copy_put(reply, &figures) < 0 ||
                   json_put_flag(reply, "is_synced", sync_there(c, to.source)) < 0
               ? error_memory(err)
               : 0;
}
