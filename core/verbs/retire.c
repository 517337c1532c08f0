/* SPDX-License-Identifier: Apache-2.0
 * Old images: which domains of this host still name one, and its removal by its driver. */
#include "verbs/verbs.h"

#include "base/text.h"
#include "facts/domain-xml.h"
#include "facts/location.h"
#include "verbs/command.h"
#include "worker/serve.h"
#include <string.h>

#define STAT_MS 5000u

struct looking {
    const struct disk *image;
    struct text paths; /* of all files that domains name, a line each */
    bool is_named;
};

static void look_at_layer(struct looking *l, const struct disk *d)
{
    const struct location a = location_of_disk(d), b = location_of_disk(l->image);

    l->is_named |= a.kind != LOCATION_NONE && location_is_same(&a, &b);
    if (d->type == DISK_FILE && d->source && !strchr(d->source, '\n'))
        text_add(&l->paths, "%s\n", d->source);
}

static int look_in_xml(struct looking *l, const char *xml, struct error *err)
{
    OWNED(facts) f = facts_new();

    if (!f)
        return error_memory(err);
    if (domain_xml_read(f, xml, err) < 0)
        return -err->code;
    for (size_t i = 0; i < f->domain.n_disks; i++) {
        const struct disk *d = &f->domain.disks[i];

        look_at_layer(l, d);
        for (size_t k = 0; k < d->n_chain; k++)
            look_at_layer(l, &d->chain[k]);
    }
    return l->paths.failed ? error_memory(err) : 0;
}

static int look_in_domain(struct child *c, struct looking *l, virDomainPtr d, struct error *err)
{
    static const unsigned flags[] = { 0, VIR_DOMAIN_XML_INACTIVE };

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        OWNED_MEMORY char *xml = virDomainGetXMLDesc(d, flags[i]);

        if (!xml)
            return libvirt_error(err, c->host, "could not read the XML of domain '%s'", virDomainGetName(d));
        if (look_in_xml(l, xml, err) < 0)
            return -err->code;
    }
    return 0;
}

/* The same file by another path. */
static int look_at_files(struct child *c, struct looking *l, struct error *err)
{
    static const char script[] =
        "while IFS= read -r image; do stat -Lc %d:%i -- \"$image\" 2>/dev/null; done; :";
    const char *id = l->image->at_source.file_id;
    OWNED_MEMORY char *output = NULL;

    if (!id)
        return 0;
    output = command_script(c, script, text_of(&l->paths), STAT_MS, err);
    if (!output)
        return -err->code;
    for (const char *at = output; *at; at += strcspn(at, "\n") + (at[strcspn(at, "\n")] == '\n'))
        l->is_named |= strcspn(at, "\n") == strlen(id) && memcmp(at, id, strlen(id)) == 0;
    return 0;
}

static struct disk *disk_in(struct facts *f, const json_t *args, struct error *err)
{
    struct disk *d = f ? facts_disk(f, json_text(args, "target", "")) : NULL;

    if (f && !d)
        error_set(err, ERROR_INPUT, NULL, "there is no disk '%s'", json_text(args, "target", ""));
    return d;
}

/* {"facts", "target"}: "is_used": a domain of this host, running or defined, names the disk's image as the
 * facts have it, by its location or as the same file */
int verb_image_users(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED(facts) f = facts_from_json(json_child(args, "facts"), err);
    struct looking l = { .image = disk_in(f, args, err) };
    virDomainPtr *list = NULL;
    int n = l.image ? virConnectListAllDomains(c->libvirt, &list, 0) : 0, r = l.image ? 0 : -err->code;

    if (n < 0)
        r = libvirt_error(err, c->host, "could not list the domains");
    for (int i = 0; i < n; i++) {
        if (r == 0)
            r = look_in_domain(c, &l, list[i], err);
        (void)virDomainFree(list[i]);
    }
    free(list);
    if (r == 0 && l.image)
        r = look_at_files(c, &l, err);
    text_done(&l.paths);
    return r == 0 ? json_put_flag(reply, "is_used", l.is_named) : r;
}

/* {"facts", "target", "identity"}: removes the disk's image as the facts have it; "left": another stands
 * there
 */
int verb_image_retire(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    struct call_host lent = verb_call_host(c);
    OWNED(facts) f = facts_from_json(json_child(args, "facts"), err);
    struct disk *d = disk_in(f, args, err);
    const struct plugin_entry *owner = NULL;
    const struct ferry_storage *driver = d && d->driver ? registry_storage(d->driver, &owner) : NULL;
    struct ferry_disk named;
    struct ferry_call call;
    int r;

    if (!d)
        return -err->code;
    if (!driver || !driver->retire)
        return error_set(err, ERROR_FAILED, c->host, "no driver removes the image of disk '%s'", d->target);
    named = call_disk(d, NULL);
    if (call_begin(&call, &lent, owner, driver->name, d->target, NULL, err) < 0)
        return -err->code;
    r = driver->retire(&call, &call_services, &named, json_text(args, "identity", NULL));
    if (r < 0)
        r = call_failed(&call, "removing the old image");
    call_done(&call);
    return r < 0 ? r : json_put_flag(reply, "left", r > 0);
}
