/* SPDX-License-Identifier: Apache-2.0
 * The definition of a domain that is shut off, given other places for its disks: only if nothing of it and of
 * the domain has changed since it was read, and read back afterwards. */
#include "verbs/verbs.h"

#include "base/text.h"
#include "facts/domain-xml.h"
#include "facts/location.h"
#include "worker/serve.h"
#include <string.h>

static void wipe(char **s)
{
    if (*s)
        explicit_bzero(*s, strlen(*s));
    free(*s);
}
#define OWNED_SECRET __attribute__((cleanup(wipe))) char *

static int not_the_same(struct child *c, const char *what, struct error *err)
{
    error_set(err, ERROR_FAILED, c->host, "%s, so its definition was not written", what);
    return error_fix(err, "See what it is now, then run the same command again.");
}

static int is_off(struct child *c, virDomainPtr d, struct error *err)
{
    const int active = virDomainIsActive(d), saved = virDomainHasManagedSaveImage(d, 0);

    if (active < 0 || saved < 0)
        return libvirt_error(err, c->host, "could not ask for the domain's state");
    if (active)
        return not_the_same(c, "the domain was started meanwhile", err);
    return saved ? not_the_same(c, "the domain's state was saved meanwhile", err) : 0;
}

static char *definition(struct child *c, virDomainPtr d, unsigned flags, struct error *err)
{
    char *xml = virDomainGetXMLDesc(d, VIR_DOMAIN_XML_INACTIVE | flags);

    if (!xml)
        (void)libvirt_error(err, c->host, "could not read the domain's definition");
    return xml;
}

/* ---- with the new places ---- */

static char *placed(const char *xml, const struct disk *d, struct error *err)
{
    const struct disk *to = disk_relocation(d);
    OWNED_JSON alone = json_pack("[s]", d->target);
    OWNED_SECRET moved = NULL;
    OWNED_TEXT disk = { 0 };

    block_disk_xml(&disk, to);
    if (!alone || disk.failed) {
        (void)error_memory(err);
        return NULL;
    }
    moved = domain_xml_placed(xml, d->target, text_of(&disk), err);
    if (!moved || (d->n_chain == 0 && text_equal(d->format, to->format)))
        return HAND_OVER(moved);
    /* What was converted rests on nothing. */
    return domain_xml_flat(moved, alone, false, err);
}

static char *all_placed(const char *xml, const struct facts *f, struct error *err)
{
    OWNED_SECRET now = strdup(xml);

    if (!now)
        (void)error_memory(err);
    for (size_t i = 0; now && i < f->domain.n_disks; i++) {
        char *next;

        if (!disk_relocation(&f->domain.disks[i]))
            continue;
        next = placed(now, &f->domain.disks[i], err);
        wipe(&now);
        now = next;
    }
    return HAND_OVER(now);
}

static json_t *targets_of(const struct facts *f)
{
    json_t *targets = json_array();

    for (size_t i = 0; targets && i < f->domain.n_disks; i++)
        if (disk_relocation(&f->domain.disks[i]))
            (void)json_array_append_new(targets, json_string(f->domain.disks[i].target));
    return targets;
}

/* {"uuid", "facts"}: {"definition": as it is now, without secrets}; refuses what could not be written with
 * the new places of its disks */
int verb_definition_read(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_DOMAIN d = verb_domain(c, args, err);
    OWNED(facts) f = d ? facts_from_json(json_child(args, "facts"), err) : NULL;
    OWNED_MEMORY char *xml = NULL;
    OWNED_SECRET there = NULL;

    if (!f || is_off(c, d, err) < 0 || !(xml = definition(c, d, 0, err)))
        return -err->code;
    there = all_placed(xml, f, err);
    if (!there)
        return -err->code;
    return json_put_text(reply, "definition", xml) < 0 ? error_memory(err) : 0;
}

/* ---- written ---- */

static int define(struct child *c, const char *xml, struct error *err)
{
    OWNED_DOMAIN d = virDomainDefineXML(c->libvirt, xml);

    return d ? 0 : libvirt_error(err, c->host, "could not write the domain's definition");
}

/* Does XML lead to where the disk is now? */
static bool leads_to(const struct facts *seen, const struct disk *d)
{
    const struct disk *now = facts_disk((struct facts *)(uintptr_t)seen, d->target);
    const struct location a = location_of_disk(d), b = now ? location_of_disk(now) : (struct location){ 0 };

    return now && a.kind != LOCATION_NONE && location_is_same(&a, &b) && text_equal(now->format, d->format);
}

static int check_places(struct child *c, const char *xml, const struct facts *f, struct error *err)
{
    OWNED(facts) seen = facts_new();

    if (!seen)
        return error_memory(err);
    if (domain_xml_read(seen, xml, err) < 0)
        return -err->code;
    for (size_t i = 0; i < f->domain.n_disks; i++) {
        const struct disk *d = &f->domain.disks[i], *to = disk_relocation(d);
        struct disk wanted;

        if (!to)
            continue;
        wanted = *to;
        wanted.target = d->target;
        if (!leads_to(seen, &wanted))
            return error_set(err, ERROR_NOT_KNOWN, c->host,
                             "the definition that was written does not lead disk '%s' to its new place",
                             d->target);
    }
    return 0;
}

/* One that was started in the moment of the writing runs with what it was defined as before: it shall go on
 * so.
 */
static int check_still_off(struct child *c, virDomainPtr d, const char *before, const struct facts *f,
                           struct error *err)
{
    const int active = virDomainIsActive(d);
    OWNED_MEMORY char *live = active == 1 ? virDomainGetXMLDesc(d, 0) : NULL;
    struct error elsewhere = { 0 };

    if (active == 0)
        return 0;
    if (live && check_places(c, live, f, &elsewhere) == 0)
        return 0;
    if (define(c, before, err) < 0)
        return -err->code;
    return not_the_same(c, "the domain was started in that moment", err);
}

static int read_back(struct child *c, virDomainPtr d, const char *before, const struct facts *f,
                     json_t *reply, struct error *err)
{
    OWNED_JSON targets = targets_of(f);
    OWNED_MEMORY char *after = definition(c, d, 0, err);
    OWNED_MEMORY char *rest_before = after ? domain_xml_but_places(before, targets, err) : NULL;
    OWNED_MEMORY char *rest_after = rest_before ? domain_xml_but_places(after, targets, err) : NULL;

    if (!rest_after || check_places(c, after, f, err) < 0)
        return -err->code;
    return json_put_flag(reply, "is_else_changed", !text_equal(rest_before, rest_after)) < 0
               ? error_memory(err)
               : 0;
}

/* {"uuid", "facts", "definition": as definition-read gave it}: writes the definition with the new places;
 * {"is_else_changed": something else came out different}. ERROR_FAILED when the domain runs or its definition
 * is another one: then it is as it was. */
int verb_definition_write(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_DOMAIN d = verb_domain(c, args, err);
    OWNED(facts) f = d ? facts_from_json(json_child(args, "facts"), err) : NULL;
    const char *before = json_text(args, "definition", "");
    OWNED_MEMORY char *now = NULL;
    OWNED_SECRET whole = NULL;
    OWNED_SECRET there = NULL;

    if (!f || !(whole = definition(c, d, VIR_DOMAIN_XML_SECURE, err)) ||
        !(there = all_placed(whole, f, err)) || !(now = definition(c, d, 0, err)))
        return -err->code;
    if (!text_equal(now, before))
        return not_the_same(c, "the domain's definition was changed meanwhile", err);
    if (is_off(c, d, err) < 0 || define(c, there, err) < 0 || check_still_off(c, d, whole, f, err) < 0)
        return -err->code;
    return read_back(c, d, before, f, reply, err);
}
