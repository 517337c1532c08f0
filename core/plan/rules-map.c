/* SPDX-License-Identifier: Apache-2.0
 * Rules about maps: what has another name at the destination, and what was mapped in vain. The rules that
 * judge what stands there judge the name that it has there. */
#include "plan/rules.h"

static const char *option_of(const struct map *m)
{
    return m->kind == MAP_NETWORK ? "--map-network" : "--map-storage";
}

/* Of one kind that is not known nothing was asked. */
static bool is_in_vain(const struct map *m)
{
    return !m->is_used && m->kind != MAP_OTHER;
}

static const char *check_not_used(struct rule_case *c)
{
    const struct facts *f = c->facts;
    OWNED_TEXT names = { 0 };

    for (size_t i = 0; i < f->n_maps; i++)
        if (is_in_vain(&f->maps[i]))
            text_add(&names, "%s%s '%s'", names.len ? ", " : "", option_of(&f->maps[i]), f->maps[i].from);
    return names.len ? SAY("nothing of the domain is called so on the source: %s", text_of(&names)) : NULL;
}

static const char *check_network_mapped(struct rule_case *c)
{
    const struct interface *i = c->interface;

    if (!i->dest_source)
        return NULL;
    return SAY("an interface%s%s leaves '%s' for '%s'", i->mac ? " " : "", i->mac ? i->mac : "",
               rules_name(i->source), i->dest_source);
}

static const char *check_storage_mapped(struct rule_case *c)
{
    const struct disk *d = c->disk;

    if (!d->dest_source)
        return NULL;
    return SAY("disk '%s' leaves '%s' for '%s'", d->target, rules_name(d->source), d->dest_source);
}

/* Two that become one: QEMU would write both into one image. */
static const char *check_mapped_together(struct rule_case *c)
{
    const struct domain *d = &c->facts->domain;
    const struct disk *disk = c->disk;

    for (size_t i = 0; i < d->n_disks; i++) {
        const struct disk *other = &d->disks[i];

        if (other == disk || other->type != DISK_FILE || disk->type != DISK_FILE ||
            !(disk->dest_source || other->dest_source) || text_equal(disk->source, other->source) ||
            !text_equal(disk_dest_source(disk), disk_dest_source(other)))
            continue;
        return SAY("disks '%s' and '%s' have two images, and one place at the destination: '%s'",
                   disk->target, other->target, rules_name(disk_dest_source(disk)));
    }
    return NULL;
}

static const struct rule rows[] = {
    { .id = "map-not-used",
      .severity = WARNS,
      .scope = PER_MOVE,
      .check = check_not_used,
      .cause = "A map was given for a name that the domain does not have; nothing is changed by it.",
      .fix = "Compare its FROM with 'virsh domiflist' and 'virsh domblklist --details': a typing error is "
             "likely." },
    { .id = "network-mapped",
      .severity = NOTES,
      .scope = PER_INTERFACE,
      .about = ABOUT_DEST,
      .check = check_network_mapped,
      .cause = "The domain's XML at the destination, live and persistent, has the name that the map gives." },
    { .id = "storage-mapped",
      .severity = NOTES,
      .scope = PER_DISK,
      .check = check_storage_mapped,
      .cause =
          "The image is looked for, or made, at the place that the map gives, and the domain's XML at the "
          "destination, live and persistent, has that." },
    { .id = "mapped-together",
      .severity = REFUSES,
      .scope = PER_DISK,
      .check = check_mapped_together,
      .cause = "Maps lead the images of two disks to one place.",
      .fix = "Give each its own place: --map-storage takes a file too." },
};

const struct rule_set rules_map = { "Maps", rows, sizeof rows / sizeof rows[0] };
