/* SPDX-License-Identifier: Apache-2.0
 * A chain that is kept: of what a copied disk rests on, the files that the destination lacks go there as they
 * are, before libvirt copies the disk's own image alone. Which can go, and which do. */
#include "plan/planner.h"

bool chain_name_holds(const struct disk *above, const struct disk *below)
{
    const char *name = above->at_source.base;

    /* A name without a folder is one beside the image that has it; of one that was not read nothing is known.
     */
    return text_equal(disk_dest_source(below), below->source) &&
           ((name && name[0] == '/') || text_equal(disk_dest_source(above), above->source));
}

static enum chain_obstacle obstacle_of(const struct disk *d, const struct disk *above,
                                       const struct disk *layer)
{
    /* The overlay is made anew, with the name that its base has there. */
    if (above != d && above->sharing != SHARING_PROVED && !chain_name_holds(above, layer))
        return CHAIN_NAMES;
    if (layer->sharing == SHARING_PROVED)
        return CHAIN_GOES;
    if (!disk_is_file(layer) || !layer->format)
        return CHAIN_NO_FILE;
    if (layer->at_dest.present != TRI_NO)
        return layer->at_dest.present == TRI_YES ? CHAIN_THERE : CHAIN_UNSEEN;
    return text_equal(layer->driver, d->driver) ? CHAIN_GOES : CHAIN_DRIVER;
}

enum chain_obstacle chain_obstacle(const struct disk *d, const struct disk **ret_layer)
{
    *ret_layer = d;
    if (!d->driver_bases || !text_equal(d->format, "qcow2"))
        return CHAIN_DRIVER;
    for (size_t i = 0; i < d->n_chain; i++) {
        const enum chain_obstacle found = obstacle_of(d, i ? &d->chain[i - 1] : d, &d->chain[i]);

        *ret_layer = &d->chain[i];
        if (found != CHAIN_GOES)
            return found;
    }
    return CHAIN_GOES;
}

static bool is_same_file(const struct disk *a, const struct disk *b)
{
    return text_equal(a->source, b->source) && text_equal(disk_dest_source(a), disk_dest_source(b));
}

/* Does an earlier disk, or a nearer layer of this one, take that file along? */
static bool goes_before(const struct domain *domain, const enum treatment *disks, size_t disk, size_t layer)
{
    const struct disk *file = &domain->disks[disk].chain[layer];

    for (size_t i = 0; i <= disk; i++) {
        const struct disk *d = &domain->disks[i];

        for (size_t l = 0; disks[i] == TREAT_CHAIN && l < d->n_chain && (i < disk || l < layer); l++)
            if (d->chain[l].sharing != SHARING_PROVED && is_same_file(&d->chain[l], file))
                return true;
    }
    return false;
}

bool chain_sends(const struct domain *domain, const enum treatment *disks, size_t disk, size_t layer)
{
    return disks[disk] == TREAT_CHAIN && domain->disks[disk].chain[layer].sharing != SHARING_PROVED &&
           !goes_before(domain, disks, disk, layer);
}

uint64_t chain_sent_bytes(const struct domain *domain, const enum treatment *disks, size_t disk)
{
    const struct disk *d = &domain->disks[disk];
    uint64_t sum = 0;

    for (size_t l = 0; disks[disk] == TREAT_CHAIN && l < d->n_chain; l++)
        if (chain_sends(domain, disks, disk, l) &&
            __builtin_add_overflow(sum, d->chain[l].at_source.allocated_bytes, &sum))
            return NOT_KNOWN;
    return sum;
}
