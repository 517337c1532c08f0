/* SPDX-License-Identifier: Apache-2.0
 * What the files of this folder share: the plan in the making, and the five steps that make it.
 * Nothing outside core/plan includes it; tests of this folder may. */
#ifndef PLAN_PLANNER_H
#define PLAN_PLANNER_H

#include "plan/plan.h"

/* A plan in the making. Lack of memory is remembered by the arena and looked at once, at the end. */
struct planning {
    struct plan *plan;
    const struct facts *facts;
    struct plan_limits limits;
};

/* In this order. */
void candidates_make(struct planning *p);
void cost_price(const struct planning *p, struct strategy *s);
void rules_judge(struct planning *p);
void rank_plan(struct planning *p);

/* The downtime that is allowed: the user's, else the domain's own, else libvirt's. */
uint64_t planning_max_downtime_ms(const struct planning *p);

/* What becomes of all disks, and what strategies that do so are called after. */
struct assignment {
    enum treatment *disks;
    const char *suffix;
    bool is_alternative, needs_unsafe;
};
enum { ASSIGN_NATURAL, ASSIGN_SHARED, ASSIGN_COPIED, ASSIGN_RELOCATED, N_ASSIGNMENTS };
/* Fills a, whose disks has room for all of d; a zeroed but for that. */
void candidates_assign(const struct domain *d, int which, const struct plan_limits *limits,
                       struct assignment *a);
/* The i-th way in which the memory of such a domain travels; N_WAYS of them, and false where it does not. */
enum { N_WAYS = 9 };
bool candidates_way(const struct facts *f, size_t i, enum memory_mode *ret_mode,
                    enum hand_over *ret_hand_over);

/* The one that rank_plan would put first and nobody needs to name; all n are valid, and of no two would only
 * the name decide but the first shall win. NULL when there is none. */
const struct strategy *rank_best(const struct planning *p, const struct strategy *list, size_t n);

/* The disk whose lock lets one QEMU alone have this domain's disks, treated so: writable, shared, and of a
 * driver that declares the lock; one that was seen to be enforced before one that was not tried. NULL when
 * there is none, or when something in the domain may switch it off. */
const struct disk *candidates_lock(const struct domain *d, const enum treatment *disks);
/* How many connections are worth a candidate of their own over this channel, beside one; 1: none. */
unsigned cost_connections(const struct planning *p, const struct channel *c);

/* The natural treatment of a disk, as README.md states it. */
enum treatment candidates_natural(const struct disk *d);
/* 1, or 2 for the second channel of its driver, whose strategies are called after "tcp2". */
unsigned candidates_channel_number(const struct facts *f, size_t index);
/* libvirt would refuse this shared disk's file system unless VIR_MIGRATE_UNSAFE is given. */
bool candidates_disk_needs_unsafe(const struct disk *d);
/* libvirt takes this file system for a shared one, and for a cluster's, whose cache mode it does not mind. */
bool candidates_file_system_known(const char *file_system);
bool candidates_file_system_cluster(const char *file_system);

/* Why what a disk rests on cannot go to the destination as it is. */
enum chain_obstacle {
    CHAIN_GOES,
    CHAIN_DRIVER,  /* its storage makes no image that rests on another, or is of another kind */
    CHAIN_NO_FILE, /* a layer is none, or does not say its format */
    CHAIN_THERE,   /* something stands there that is not proved to be the same */
    CHAIN_UNSEEN,  /* whether something does is not known */
    CHAIN_NAMES,   /* an image that is sent names what it rests on by a path that is another there */
};
/* The first, from the disk down, and of which image. */
enum chain_obstacle chain_obstacle(const struct disk *d, const struct disk **ret_layer);
/* An image that is sent as it is names its base by what that one is called there? */
bool chain_name_holds(const struct disk *above, const struct disk *below);
/* What the layers occupy that are sent for that disk; NOT_KNOWN where one's is. */
uint64_t chain_sent_bytes(const struct domain *domain, const enum treatment *disks, size_t disk);

/* Adds a finding; its texts must live as long as the arena. */
void findings_add(struct arena *a, struct findings *to, const struct finding *f);
size_t findings_refusing(const struct findings *f);

#endif
