/* SPDX-License-Identifier: Apache-2.0
 * Rules about the room that copied disks find at the destination. Each alone may fit and all not: what goes
 * to one place before a disk is counted with it. */
#include "plan/planner.h"
#include "plan/rules.h"

static uint64_t sum_of(uint64_t a, uint64_t b)
{
    uint64_t sum;

    /* NOT_KNOWN is the largest figure, so one that is not known makes the sum so. */
    return __builtin_add_overflow(a, b, &sum) ? NOT_KNOWN : sum;
}

static bool is_copied_apart(const struct rule_case *c)
{
    return treatment_copies(c->treatment) && c->disk->sharing != SHARING_PROVED && c->disk->driver;
}

static uint64_t occupied(const struct disk *d, enum treatment t)
{
    const uint64_t bytes = disk_is_in_device(d) ? disk_device_need(d)
                           : t == TREAT_COPY    ? disk_occupied_bytes(d)
                                                : d->at_source.allocated_bytes;

    return bytes != NOT_KNOWN ? bytes : d->at_source.capacity_bytes;
}

static uint64_t capacity(const struct disk *d, enum treatment t)
{
    (void)t;
    return d->at_source.capacity_bytes;
}

static bool is_one_place(const struct disk_image *a, const struct disk_image *b)
{
    if (a == b)
        return true;
    if (b->pool)
        return text_equal(a->pool, b->pool);
    return b->directory && text_equal(a->directory, b->directory) && !a->pool;
}

/* What this disk and the copied ones before it put there. */
static uint64_t wanted(const struct rule_case *c, const struct disk_image *there,
                       uint64_t (*size)(const struct disk *, enum treatment))
{
    const struct domain *domain = &c->facts->domain;
    const enum treatment *disks = c->strategy->disks;
    uint64_t sum = 0;

    for (size_t i = 0; i <= c->disk_index; i++) {
        const struct disk *d = &domain->disks[i];

        if (treatment_copies(disks[i]) && is_one_place(&d->at_dest, there))
            sum = sum_of(sum, size(d, disks[i]));
        /* These are not written to any more. */
        for (size_t l = 0; disks[i] == TREAT_CHAIN && l < d->n_chain; l++)
            if (is_one_place(&d->chain[l].at_dest, there) && chain_sends(domain, disks, i, l))
                sum = sum_of(sum, occupied(&d->chain[l], TREAT_CHAIN));
    }
    return sum;
}

static const char *place_name(const struct disk *d)
{
    const struct disk_image *there = &d->at_dest;

    return there->pool ? there->pool : there->directory ? there->directory : rules_name(disk_dest_source(d));
}

static const char *short_of(struct rule_case *c, const struct disk *image)
{
    const uint64_t room = image->at_dest.free_bytes;
    uint64_t need;

    if (room == NOT_KNOWN)
        return NULL;
    need = wanted(c, &image->at_dest, occupied);
    if (need == NOT_KNOWN || room >= need)
        return NULL;
    return SAY("'%s' has %s free, disk '%s' with those before it needs %s", place_name(image),
               SIZE_TEXT(room), c->disk->target, SIZE_TEXT(need));
}

static const char *check_space(struct rule_case *c)
{
    const char *found;

    if (!is_copied_apart(c))
        return NULL;
    found = short_of(c, c->disk);
    for (size_t l = 0; !found && c->treatment == TREAT_CHAIN && l < c->disk->n_chain; l++)
        if (chain_sends(&c->facts->domain, c->strategy->disks, c->disk_index, l))
            found = short_of(c, &c->disk->chain[l]);
    return found;
}

static const char *check_space_not_known(struct rule_case *c)
{
    /* A device that stands there needs no more room. */
    if (!is_copied_apart(c) || c->disk->at_dest.free_bytes != NOT_KNOWN ||
        (disk_is_device(c->disk) && c->disk->at_dest.present != TRI_NO))
        return NULL;
    return SAY("how much room disk '%s' finds on the destination is not known", c->disk->target);
}

static const char *check_overcommit(struct rule_case *c)
{
    const uint64_t room = c->disk->at_dest.free_bytes;
    uint64_t full;

    if (!is_copied_apart(c) || room == NOT_KNOWN || check_space(c))
        return NULL;
    full = wanted(c, &c->disk->at_dest, capacity);
    if (full == NOT_KNOWN || room >= full)
        return NULL;
    return SAY("'%s' has %s free, disk '%s' with those before it may grow to %s", place_name(c->disk),
               SIZE_TEXT(room), c->disk->target, SIZE_TEXT(full));
}

static const struct rule rows[] = {
    RULE("destination-space", REFUSES, PER_TREATMENT, check_space,
         "The place on the destination has less room than what the copied disks occupy.",
         .fix = "Free space there, then plan again."),
    RULE("destination-space-not-known", WARNS, PER_TREATMENT, check_space_not_known,
         "The room on the destination could not be read; the copy may stop for lack of it.",
         .fix = "Look at it with 'virsh pool-info' on the destination."),
    RULE("destination-overcommit", WARNS, PER_TREATMENT, check_overcommit,
         "What is occupied fits, but the disks may grow to more than the room there is.",
         .fix = "Watch the room on the destination."),
};

const struct rule_set rules_room = { "Room at the destination", rows, sizeof rows / sizeof rows[0] };
