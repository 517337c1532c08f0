/* SPDX-License-Identifier: Apache-2.0
 * Rules about what a copied disk rests on: copied into one image with it, or kept as files of its own. That
 * it is there already, and the same, is judged with the disks. */
#include "plan/planner.h"
#include "plan/rules.h"

static const char *layer_name(const struct disk *layer)
{
    return rules_name(layer->source ? layer->source : layer->volume);
}

static bool is_copied_apart(const struct rule_case *c)
{
    return treatment_copies(c->treatment) && c->disk->sharing != SHARING_PROVED && c->disk->driver;
}

static const char *check_flattened(struct rule_case *c)
{
    const struct disk *loose = disk_loose_base(c->disk);

    if (!is_copied_apart(c) || c->treatment != TREAT_COPY || c->disk->n_chain == 0)
        return NULL;
    if (!loose)
        return SAY("disk '%s' rests on '%s', and will rest on nothing", c->disk->target,
                   layer_name(&c->disk->chain[0]));
    return SAY("disk '%s' rests on '%s', and will rest on nothing: it is not proved to be the same at the "
               "destination (%s)",
               c->disk->target, layer_name(loose),
               loose->at_dest.present == TRI_NO  ? "it is not there"
               : loose->sharing_evidence != NULL ? loose->sharing_evidence
                                                 : "no evidence was found either way");
}

/* What is in the way of this disk alone; NULL: nothing, so that another disk is. */
static const char *say_obstacle(struct rule_case *c)
{
    const struct disk *layer;
    const char *disk = c->disk->target;

    switch (chain_obstacle(c->disk, &layer)) {
    case CHAIN_DRIVER:
        return SAY("what disk '%s' rests on is not kept: no image that rests on another is made where '%s' "
                   "would be",
                   disk, layer_name(layer));
    case CHAIN_NO_FILE:
        return SAY("what disk '%s' rests on is not kept: '%s' is no file, or nobody says its format", disk,
                   layer_name(layer));
    case CHAIN_THERE:
        c->fix =
            "If it is the same, as one that was copied there by hand: --compare-bases. Otherwise move it "
            "away on the destination, or name another place: --map-storage FROM=TO.";
        return SAY("what disk '%s' rests on is not kept: something stands at '%s' on the destination already",
                   disk, rules_name(disk_dest_source(layer)));
    case CHAIN_UNSEEN:
        return SAY("what disk '%s' rests on is not kept: whether something stands at '%s' on the destination "
                   "is not known",
                   disk, rules_name(disk_dest_source(layer)));
    case CHAIN_NAMES:
        return SAY("what disk '%s' rests on is not kept: an image would name '%s' by a path that is another "
                   "at the destination",
                   disk, layer_name(layer));
    case CHAIN_GOES:
        break;
    }
    return NULL;
}

static const char *check_not_kept(struct rule_case *c)
{
    const char *why;

    if (!c->limits->keep_chain || c->disk->n_chain == 0 || c->disk->sharing == SHARING_PROVED)
        return NULL;
    if (c->treatment == TREAT_RELOCATE)
        return SAY("disk '%s' would rest on nothing where it is relocated to", c->disk->target);
    if (c->treatment == TREAT_COPY) {
        why = say_obstacle(c);
        return why ? why
                   : SAY("what disk '%s' rests on is not kept: another disk has to be copied whole, and "
                         "libvirt copies all of them so or none",
                         c->disk->target);
    }
    if (c->treatment != TREAT_CHAIN)
        return NULL;
    if (!facts_is_here(&c->facts->source))
        return SAY("disk '%s' rests on files of another machine", c->disk->target);
    if (c->limits->bandwidth_bytes_per_s != NOT_KNOWN)
        return SAY("--bandwidth does not bound what is sent of that which disk '%s' rests on",
                   c->disk->target);
    return NULL;
}

static const char *check_kept(struct rule_case *c)
{
    const uint64_t bytes = chain_sent_bytes(&c->facts->domain, c->strategy->disks, c->disk_index);
    size_t n = 0;

    if (c->treatment != TREAT_CHAIN)
        return NULL;
    for (size_t l = 0; l < c->disk->n_chain; l++)
        n += chain_sends(&c->facts->domain, c->strategy->disks, c->disk_index, l);
    if (n == 0)
        return SAY("what disk '%s' rests on goes before another disk", c->disk->target);
    return SAY("'%s'%s, which disk '%s' rests on, is sent first and compared (%s)",
               layer_name(disk_loose_base(c->disk)), n > 1 ? " with what is below it" : "", c->disk->target,
               bytes == NOT_KNOWN ? "its size is not known" : SIZE_TEXT(bytes));
}

static const struct rule rows[] = {
    RULE(
        "copied-flat", NOTES, PER_TREATMENT, check_flattened,
        "The disk is copied with all that it rests on, into one image; the backing file is not needed at the "
        "destination."),
    RULE(
        "chain-not-kept", REFUSES, PER_TREATMENT, check_not_kept,
        "The user wants the disk to rest on files of its own at the destination. virt-ferry sends those that "
        "it lacks: files of the machine on which it runs, to where nothing stands, as they are, at full "
        "speed.",
        .fix = "Run virt-ferry on the source, without --bandwidth; or leave --keep-chain out: then the disk "
               "is copied into one image."),
    RULE("chain-kept", NOTES, PER_TREATMENT, check_kept,
         "What the disk rests on is nobody's to write while the guest runs. It is sent before libvirt is "
         "asked, locked meanwhile, and compared; then the disk's own image is copied onto it. If the move "
         "does not succeed it is removed again."),
};

const struct rule_set rules_chain = { "What a copied disk rests on", rows, sizeof rows / sizeof rows[0] };
