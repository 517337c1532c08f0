/* SPDX-License-Identifier: Apache-2.0
 * Rules about the way in which memory travels, and about the limits that the user set for a move.
 * They read prices, so a strategy is judged after it was priced. */
#include "plan/planner.h"
#include "plan/range.h"
#include "plan/rules.h"
#include <string.h>

static const char *check_no_postcopy(struct rule_case *c)
{
    return c->strategy->mode == MODE_POSTCOPY && c->limits->no_postcopy ? SAY("--no-postcopy was given")
                                                                        : NULL;
}

static const char *check_no_throttle(struct rule_case *c)
{
    return c->strategy->mode == MODE_THROTTLED && c->limits->no_throttle ? SAY("--no-throttle was given")
                                                                         : NULL;
}

static const char *check_channel_without_postcopy(struct rule_case *c)
{
    if (c->strategy->mode != MODE_POSTCOPY || c->channel->can_postcopy)
        return NULL;
    return SAY("channel %s cannot carry post-copy", rules_name(c->channel->driver));
}

/* A session's QEMU is the user's: what only root's may do there it may not. */
static const char *check_session_postcopy(struct rule_case *c)
{
    const char *uri = c->channel->dest_uri;
    const size_t path = uri ? strcspn(uri, "?#") : 0;

    if (c->strategy->mode != MODE_POSTCOPY || path < 8u || strncmp(uri + path - 8u, "/session", 8u) != 0 ||
        c->facts->dest.unprivileged_userfaultfd == TRI_YES)
        return NULL;
    return SAY(
        "QEMU in a session on '%s' is not root's, and it is not seen that userfaultfd, which post-copy "
        "needs, is allowed to others there",
        rules_name(c->facts->dest.name));
}

static const char *check_never_ends(struct rule_case *c)
{
    if ((c->strategy->mode != MODE_PRECOPY && c->strategy->mode != MODE_THROTTLED) ||
        c->strategy->time_ms.low < (uint64_t)COST_MAX_MS)
        return NULL;
    return SAY("the guest writes its memory faster than channel %s carries it",
               rules_name(c->channel->driver));
}

static const char *check_may_not_end(struct rule_case *c)
{
    if (!c->strategy->may_not_end || c->strategy->time_ms.low >= (uint64_t)COST_MAX_MS)
        return NULL;
    return SAY(c->facts->domain.n_dirty
                   ? "as fast as the guest may write its memory, pre-copy would never end"
                   : "how fast the guest writes its memory was not measured; a busy one would never end");
}

static bool has_deadline(const struct plan_limits *limits)
{
    return limits->deadline_ms != NOT_KNOWN && limits->deadline_ms;
}

static const char *check_deadline(struct rule_case *c)
{
    if (!has_deadline(c->limits) || c->strategy->time_ms.likely <= c->limits->deadline_ms)
        return NULL;
    return SAY("it would likely take %s, and %s are allowed", MS_TEXT(c->strategy->time_ms.likely),
               MS_TEXT(c->limits->deadline_ms));
}

static const char *check_deadline_near(struct rule_case *c)
{
    if (!has_deadline(c->limits) || c->strategy->time_ms.likely > c->limits->deadline_ms ||
        c->strategy->time_ms.high <= c->limits->deadline_ms)
        return NULL;
    return SAY("it may take longer than the %s that are allowed", MS_TEXT(c->limits->deadline_ms));
}

/* What libvirt has in force is an aim of its own; only what the user said binds. */
static const char *check_downtime(struct rule_case *c)
{
    if (c->limits->max_downtime_ms == NOT_KNOWN || c->strategy->downtime_ms.low <= c->limits->max_downtime_ms)
        return NULL;
    return SAY("the guest would stand still for %s at least, and %s are allowed",
               MS_TEXT(c->strategy->downtime_ms.low), MS_TEXT(c->limits->max_downtime_ms));
}

/* The copy engine sends files of this machine, as they are. */
static const char *not_sent(struct rule_case *c, const struct disk *d, enum treatment t)
{
    const struct disk there = disk_there(d);

    if (!facts_is_here(&c->facts->source))
        return SAY("disk '%s' would have to be copied, and its image is on another machine",
                   rules_name(d->target));
    if (!disk_is_file(d) || !disk_is_file(&there))
        return SAY("disk '%s' would have to be copied, and only files are while a domain is shut off",
                   rules_name(d->target));
    if (d->n_chain > 0 && !treatment_rests(t))
        return SAY("disk '%s' would have to be copied into one image with what it rests on, which only its "
                   "QEMU does",
                   rules_name(d->target));
    if (d->n_chain > 0 && !chain_name_holds(d, &d->chain[0]))
        return SAY("the image of disk '%s' names its base by a path that is another at the destination",
                   rules_name(d->target));
    if (c->limits->bandwidth_bytes_per_s != NOT_KNOWN)
        return SAY("disk '%s' would have to be copied, which --bandwidth does not bound while a domain is "
                   "shut off",
                   rules_name(d->target));
    return NULL;
}

static const char *check_offline_copy(struct rule_case *c)
{
    const char *what = NULL;

    if (c->strategy->mode != MODE_OFFLINE)
        return NULL;
    for (size_t i = 0; !what && i < c->facts->domain.n_disks; i++)
        if (treatment_copies(c->strategy->disks[i]))
            what = not_sent(c, &c->facts->domain.disks[i], c->strategy->disks[i]);
    return what;
}

/* Raw images do not grow: their length is the disk's. */
static const char *check_grows_unseen(struct rule_case *c)
{
    if (c->strategy->mode == MODE_OFFLINE || c->facts->domain.run == RUN_PAUSED)
        return NULL;
    for (size_t i = 0; i < c->facts->domain.n_disks; i++) {
        const struct disk *d = &c->facts->domain.disks[i];

        if (c->strategy->disks[i] == TREAT_SHARED && d->at_dest.keeps_length == TRI_YES && !d->readonly &&
            !text_equal(d->format, "raw"))
            return SAY("QEMU at the destination would read zeroes where disk '%s' grows during the move",
                       rules_name(d->target));
    }
    return NULL;
}

static const struct rule rows[] = {
    { .id = "postcopy-not-wanted",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .check = check_no_postcopy,
      .cause = "The user rules post-copy out: while it lasts a cut link stops the guest.",
      .fix = "Leave --no-postcopy out." },
    { .id = "session-postcopy",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .check = check_session_postcopy,
      .cause =
          "Post-copy fetches missing memory through userfaultfd, which the kernel gives to root alone unless "
          "vm.unprivileged_userfaultfd is 1. The QEMU of a user's session never is root's, and a migration "
          "that could switch to post-copy would fail before it begins.",
      .fix =
          "Take another mode; or allow it there, sysctl -w vm.unprivileged_userfaultfd=1, where that can be "
          "seen over ssh." },
    { .id = "throttle-not-wanted",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .check = check_no_throttle,
      .cause = "The user does not want the guest to be slowed.",
      .fix = "Leave --no-throttle out." },
    { .id = "channel-without-postcopy",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .check = check_channel_without_postcopy,
      .cause = "The transport driver does not declare that its channel can carry post-copy.",
      .fix = "Take another channel, or a strategy of another mode." },
    { .id = "never-ends",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .check = check_never_ends,
      .cause = "Each pass leaves as much to send as the one before, however quiet the guest is taken to be.",
      .fix = "Take post-copy, or let the guest be throttled." },
    { .id = "may-not-end",
      .severity = NOTES,
      .scope = PER_STRATEGY,
      .check = check_may_not_end,
      .cause = "Pre-copy ends only if the guest writes its memory more slowly than the channel carries it.",
      .fix = "Measure it: --measure-dirty 4." },
    { .id = "deadline-missed",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .check = check_deadline,
      .cause = "The likely time is beyond --deadline.",
      .fix = "Allow more time, or more bandwidth." },
    { .id = "deadline-near",
      .severity = WARNS,
      .scope = PER_STRATEGY,
      .check = check_deadline_near,
      .cause = "The likely time is within --deadline, the highest is not.",
      .fix = "Measure the dirty rate with --measure-dirty 4, which narrows the interval." },
    { .id = "downtime-too-long",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .check = check_downtime,
      .cause = "Even the lowest predicted downtime is above what --max-downtime allows.",
      .fix = "Allow more downtime, or take a strategy of another mode or hand-over." },
    { .id = "grows-unseen",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .check = check_grows_unseen,
      .cause =
          "QEMU's NFS driver takes an image's length once, when it opens it, which at the destination is "
          "before the guest stops at the source: of a qcow2 image that grows in between the guest reads "
          "zeroes instead of what it wrote.",
      .fix = "Suspend the guest first (virsh suspend) and resume it when it has moved, or give it a raw "
             "image, or "
             "the image by a path that is mounted on both hosts." },
    { .id = "offline-copy",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .check = check_offline_copy,
      .cause = "Of a domain that is shut off libvirt moves the definition alone. Its images are sent by "
               "virt-ferry: files of the machine on which it runs, as they are, at full speed.",
      .fix = "Run virt-ferry on the source, start the domain, or bring its images to storage that both hosts "
             "share." },
};

const struct rule_set rules_mode = { "The memory mode and the user's limits", rows,
                                     sizeof rows / sizeof rows[0] };
