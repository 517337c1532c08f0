/* SPDX-License-Identifier: Apache-2.0
 * Rules: rows of one table, each a check over facts with its cause and its fix. docs/findings.md is printed
 * from the rows, so a rule that is not documented cannot be. */
#ifndef PLAN_RULES_H
#define PLAN_RULES_H

#include "plan/plan.h"

/* What a check is called for. The first four give findings of the plan, the others of a strategy. A check
 * PER_TREATMENT looks at what the strategy does to the disks, one PER_CHANNEL at the channel alone. PER_PAIR
 * is for two hosts without a domain (pair.h), and PER_RELOCATION for one by itself (relocate.h): for no plan.
 */
enum rule_scope {
    PER_MOVE,
    PER_DISK,
    PER_INTERFACE,
    PER_DEVICE,
    PER_TREATMENT,
    PER_CHANNEL,
    PER_STRATEGY,
    PER_PAIR,
    PER_RELOCATION
};
/* What a finding of PER_MOVE, PER_INTERFACE, PER_DEVICE and PER_PAIR is about; the other scopes know by
 * themselves. */
enum rule_about { ABOUT_MOVE, ABOUT_SOURCE, ABOUT_DEST };

/* What a check may read; members that its scope does not have are NULL. */
struct rule_case {
    struct arena *arena;
    const struct facts *facts;
    const struct plan_limits *limits;
    const struct disk *disk; /* PER_DISK, PER_TREATMENT */
    size_t disk_index;
    enum treatment treatment; /* PER_TREATMENT */
    const struct interface *interface;
    const struct device *device;
    const struct channel *channel;   /* PER_CHANNEL, PER_STRATEGY, PER_TREATMENT */
    const struct strategy *strategy; /* the same; NULL where there is no domain */
    const char *fix;                 /* a check may set it where it can be closer than the row's */
    bool is_brief;                   /* whether, not what: no text is made, and arena is NULL */
};
/* What a check found, in its words. Its arguments are not looked at where only whether counts. */
#define SAY(...) (c->is_brief ? "" : arena_format(c->arena, __VA_ARGS__))

/* A disk that would be in a new raw file of QEMU's, past the page cache, and whose length is then no multiple
 * of what QEMU takes for that file's smallest block: the file is one hole, which tells nothing of it. QEMU
 * could write its end only by making it longer, which a copy may not. */
#define RULES_DIRECT_BLOCK_BYTES 4096u
bool rules_has_odd_end(const struct disk *d);

struct rule {
    const char *id;
    const char *(*check)(struct rule_case *c); /* what was found, on c->arena; NULL = nothing */
    const char *cause, *fix;                   /* for any reader; fix NULL = nothing to do */
    enum severity severity;
    enum rule_scope scope;
    enum rule_about about;
    bool of_pair; /* it needs no domain: two hosts are judged by it too, without a disk or a strategy */
};

/* A row; what follows the cause are further members: .about, .fix. */
#define RULE(name, level, per, function, because, ...)                                                       \
    {                                                                                                        \
        .id = (name), .severity = (level), .scope = (per), .check = (function), .cause = (because),          \
        __VA_ARGS__                                                                                          \
    }

struct rule_set {
    const char *title;
    const struct rule *rows;
    size_t n;
};
extern const struct rule_set rules_domain, rules_host, rules_disk, rules_chain, rules_room, rules_channel,
    rules_mode, rules_map, rules_device, rules_tls, rules_p2p, rules_connections, rules_pair, rules_relocate;

/* The rule of this id; NULL when no row has it. */
const struct rule *rules_find(const char *id);
const struct rule *rules_at(size_t i); /* all of them, in the document's order; NULL behind the last */

/* brief.c: the rows that refuse, sorted by what they are called for, and the id of the first that speaks;
 * NULL when none does. The case's disk, interface and device are set here. */
enum rules_of { RULES_OF_MOVE, RULES_OF_CHANNEL, RULES_OF_TREATMENT, RULES_OF_STRATEGY, N_RULES_OF };
enum { RULES_MOST = 128 }; /* a test counts that none was left out */
struct rule_index {
    const struct rule *rows[N_RULES_OF][RULES_MOST]; /* in the document's order */
    size_t n[N_RULES_OF];
    const struct rule *by_scope[PER_RELOCATION + 1][RULES_MOST];
    size_t n_by_scope[PER_RELOCATION + 1];
};
void rules_refusing(struct rule_index *ret);
const char *rules_refused(const struct rule_index *index, enum rules_of of, const struct rule_case *c);
/* Calls one rule for the case, and adds what it finds. */
void rules_apply(const struct rule *r, struct rule_case c, struct findings *to);
/* A finding that names a channel's driver says something of that channel alone, whoever made it. */
bool rules_is_about_channel(const struct facts *f, const struct finding *finding);

/* "(not said)" for NULL, so that a name that is not known still makes a sentence. */
const char *rules_name(const char *name);
/* name where a shell takes it for one plain word, else otherwise: for commands within a fix. */
const char *rules_command_word(const char *name, const char *otherwise);

/* docs/findings.md, all of it. */
void rules_document(struct text *out);

#endif
