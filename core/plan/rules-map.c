/* SPDX-License-Identifier: Apache-2.0
 * Rules about maps: what has another name at the destination, and what was mapped in vain. The rules that
 * judge what stands there judge the name that it has there. */
#include "facts/location.h"
#include "facts/map.h"
#include "plan/rules.h"

static const char *option_of(const struct map *m)
{
    return m->kind == MAP_NETWORK ? "--map-network" : "--map-storage";
}

/* Of one kind that is not known nothing was asked; what the configuration has is for all domains. */
static bool is_in_vain(const struct map *m)
{
    return !m->is_used && m->kind != MAP_OTHER && !m->origin;
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

/* Who said so: facts of an older writer do not have it. */
static const char *origin_of(const struct map *m)
{
    return !m ? "a map" : m->origin ? m->origin : option_of(m);
}

static const char *check_network_mapped(struct rule_case *c)
{
    const struct interface *i = c->interface;

    if (!i->dest_source)
        return NULL;
    return SAY("an interface%s%s leaves '%s' for '%s' (%s)", i->mac ? " " : "", i->mac ? i->mac : "",
               rules_name(i->source), i->dest_source,
               origin_of(map_for_name(c->facts->maps, c->facts->n_maps, i->source)));
}

static const char *place_of(struct rule_case *c, const struct location *l)
{
    const char *text = location_text(c->arena, l);

    return rules_name(text ? text : c->disk->source);
}

static const char *check_storage_mapped(struct rule_case *c)
{
    const struct disk *d = c->disk;
    struct location here, there;

    if (!disk_is_mapped(d))
        return NULL;
    here = location_of_disk(d);
    there = location_of_disk_there(d);
    return SAY("disk '%s' leaves '%s' for '%s' (%s)", d->target, place_of(c, &here), place_of(c, &there),
               origin_of(map_for_disk(c->facts, c->arena, d)));
}

/* Two that become one: QEMU would write both into one image. */
static const char *check_mapped_together(struct rule_case *c)
{
    const struct domain *d = &c->facts->domain;
    const struct disk *disk = c->disk;

    for (size_t i = 0; i < d->n_disks; i++) {
        const struct disk *other = &d->disks[i];
        struct location here, there, its, its_there;

        if (other == disk || !(disk_is_mapped(disk) || disk_is_mapped(other)))
            continue;
        here = location_of_disk(disk);
        there = location_of_disk_there(disk);
        its = location_of_disk(other);
        its_there = location_of_disk_there(other);
        if (there.kind == LOCATION_NONE || location_is_same(&here, &its) ||
            !location_is_same(&there, &its_there))
            continue;
        return SAY("disks '%s' and '%s' have two images, and one place at the destination: '%s'",
                   disk->target, other->target, place_of(c, &there));
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
