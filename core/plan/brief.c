/* SPDX-License-Identifier: Apache-2.0
 * The choice without the plan. What cannot win is left out, by these, so that the choice is the same:
 * an alternative treatment is refused by its rules always; a held strategy is dearer than the gated one of
 * its mode and channel, and less safe, and so is peer to peer beside direct unless it was asked for; and
 * where the whole move is refused nothing needs a price. */
#include "plan/brief.h"
#include "plan/planner.h"
#include "plan/range.h"
#include "plan/rules.h"
#include <stdio.h>
#include <string.h>

enum { CHANNELS_MOST = 16 }; /* with more of them, or with names that collide, plan_make is asked */

/* What the strategies of a channel are called, for the order among equals. */
struct word {
    const char *driver;
    char rest[16];
    size_t channel;
};

struct briefing {
    struct plan_limits limits;
    struct rule_index rules; /* those that refuse */
    enum treatment *disks;
    size_t room;
    struct word words[CHANNELS_MOST];
    struct cost_shared shared;
    struct strategy list[CHANNELS_MOST * N_WAYS * 2]; /* by one connection, and by several */
    size_t n;
};

struct briefing *briefing_new(const struct plan_limits *limits)
{
    struct briefing *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    b->limits = *limits;
    rules_refusing(&b->rules);
    return b;
}

void briefing_free(struct briefing *b)
{
    if (!b)
        return;
    free(b->disks);
    free(b);
}

static bool room_make(struct briefing *b, size_t n)
{
    enum treatment *grown;

    if (n <= b->room)
        return true;
    grown = realloc(b->disks, n * sizeof *grown);
    if (!grown)
        return false;
    b->disks = grown;
    b->room = n;
    return true;
}

/* ---- the order of channels ---- */

static char letter(const struct word *w, size_t i, size_t length)
{
    if (i < length)
        return w->driver[i];
    return w->rest[i - length];
}

/* As strcmp of the names would, which go on alike behind it. */
static int word_order(const struct word *a, const struct word *b)
{
    const size_t na = strlen(a->driver), nb = strlen(b->driver);

    for (size_t i = 0;; i++) {
        const unsigned char x = (unsigned char)letter(a, i, na), y = (unsigned char)letter(b, i, nb);

        if (x != y || !x)
            return (int)x - (int)y;
    }
}

/* Names as candidates.c gives them: "tcp-", "tcp2-". false where two would be one. */
static bool words_make(struct word *words, const struct facts *f)
{
    for (size_t c = 0; c < f->n_channels; c++) {
        const char *driver = f->channels[c].driver;
        struct word w = { .driver = driver ? driver : "channel", .rest = "-", .channel = c };
        const unsigned number = candidates_channel_number(f, c);
        size_t at = c;

        if (number > 1)
            (void)snprintf(w.rest, sizeof w.rest, "%u-", number);
        for (int order; at > 0 && (order = word_order(&words[at - 1], &w)) >= 0; at--) {
            if (order == 0)
                return false;
            words[at] = words[at - 1];
        }
        words[at] = w;
    }
    return true;
}

/* ---- rules ---- */

static const char *refused_by_survey(const struct facts *f, const struct channel *c)
{
    for (size_t i = 0; i < f->findings.n; i++) {
        const struct finding *finding = &f->findings.list[i];

        if (finding->severity == REFUSES &&
            (c ? text_equal(c->driver, finding->where) : !rules_is_about_channel(f, finding)))
            return finding->id;
    }
    return NULL;
}

static const char *refused_move(const struct briefing *b, const struct rule_case *c)
{
    const char *id = refused_by_survey(c->facts, NULL);

    return id ? id : rules_refused(&b->rules, RULES_OF_MOVE, c);
}

/* ---- strategies ---- */

/* Member by member: the branches of post-copy and the findings are large, and nobody looks at them here. */
static void strategy_set(struct strategy *s, const struct channel *c, const struct assignment *a,
                         enum memory_mode mode, enum hand_over hand_over, unsigned connections)
{
    s->connections = connections;
    s->disks = a->disks;
    s->channel = c;
    s->mode = mode;
    s->hand_over = hand_over;
    s->needs_unsafe = a->needs_unsafe && mode != MODE_OFFLINE;
}

/* Whatever it would cost. taken: the gated ways that may be chosen. Locked is taken where it is named, and so
 * is standing still where no downtime is allowed; held is dearer than gated; and a guest that no pass would
 * slow is in pre-copy, which comes first among equals. */
static bool cannot_win(const struct planning *p, const struct cost_shared *shared, const bool *taken,
                       enum memory_mode mode, enum hand_over hand_over)
{
    if (hand_over == HAND_OVER_LOCKED || (hand_over == HAND_OVER_HELD && taken[mode]))
        return true;
    if (mode == MODE_PAUSED)
        return p->limits.max_downtime_ms == NOT_KNOWN;
    return mode == MODE_THROTTLED && taken[MODE_PRECOPY] && !shared->guests.made[QUIET].slows &&
           !shared->guests.made[LIKELY].slows && !shared->guests.made[BUSY].slows;
}

static void candidates_by(struct briefing *b, struct planning *p, struct rule_case *c,
                          const struct assignment *a, unsigned connections, const char **ret_refused_by)
{
    const bool is_asked = p->limits.connections > 0;
    bool taken[MODE_OFFLINE + 1] = { false };

    cost_share(p, c->channel, connections, a->disks, &b->shared);
    for (size_t w = 0; w < N_WAYS; w++) {
        struct strategy *s = &b->list[b->n];
        struct memory_cost stays, switches;
        enum memory_mode mode;
        enum hand_over hand_over;
        const char *id;

        if (!candidates_way(p->facts, w, &mode, &hand_over) ||
            cannot_win(p, &b->shared, taken, mode, hand_over) ||
            (connections > 1 && mode == MODE_POSTCOPY && !is_asked))
            continue;
        strategy_set(s, c->channel, a, mode, hand_over, connections);
        cost_price_shared(p, &b->shared, s, &stays, &switches);
        c->strategy = s;
        id = rules_refused(&b->rules, RULES_OF_STRATEGY, c);
        if (id) {
            *ret_refused_by = *ret_refused_by ? *ret_refused_by : id;
            continue;
        }
        if (s->hand_over == HAND_OVER_GATED)
            taken[s->mode] = true;
        b->n++;
    }
}

/* As candidates.c has them. */
static void candidates_of(struct briefing *b, struct planning *p, struct rule_case *c,
                          const struct assignment *a, const char **ret_refused_by)
{
    const bool is_off = p->facts->domain.run == RUN_SHUTOFF;
    const unsigned asked = is_off ? 1 : p->limits.connections;
    const unsigned several = asked ? 1 : cost_connections(p, c->channel);

    candidates_by(b, p, c, a, asked ? asked : 1, ret_refused_by);
    if (several > 1)
        candidates_by(b, p, c, a, several, ret_refused_by);
}

/* Rules about disks look at what is done to them, so one strategy stands for all of its channel. */
static const char *refused_channel(const struct briefing *b, struct rule_case *c, const struct assignment *a,
                                   struct strategy *any)
{
    const char *id = refused_by_survey(c->facts, c->channel);

    strategy_set(any, c->channel, a, c->facts->domain.run == RUN_SHUTOFF ? MODE_OFFLINE : MODE_PRECOPY,
                 HAND_OVER_GATED, 1);
    c->strategy = any;
    if (!id)
        id = rules_refused(&b->rules, RULES_OF_CHANNEL, c);
    return id ? id : rules_refused(&b->rules, RULES_OF_TREATMENT, c);
}

static void put_choice(struct brief *ret, const struct strategy *s, const struct facts *f)
{
    ret->channel = s->channel;
    ret->mode = s->mode;
    ret->hand_over = s->hand_over;
    ret->needs_unsafe = s->needs_unsafe;
    ret->connections = s->connections;
    ret->time_ms = s->time_ms;
    ret->downtime_ms = s->downtime_ms;
    ret->bytes = s->bytes;
    ret->exposure_ms = s->exposure_ms;
    ret->refused_by = NULL;
    for (size_t i = 0; i < f->domain.n_disks; i++)
        ret->copies_disks |= treatment_copies(s->disks[i]);
}

static void choose(struct briefing *b, struct planning *p, struct brief *ret)
{
    struct rule_case c = { .facts = p->facts, .limits = &b->limits, .is_brief = true };
    struct assignment natural = { .disks = b->disks };
    const struct strategy *best;

    ret->refused_by = refused_move(b, &c);
    if (ret->refused_by)
        return;
    candidates_assign(&p->facts->domain, ASSIGN_NATURAL, &p->limits, &natural);
    b->n = 0;
    b->shared.rate = range_of(-1); /* no channel's: of other facts */
    for (size_t i = 0; i < p->facts->n_channels; i++) {
        struct strategy any = { .id = NULL };
        const char *id;

        c.channel = &p->facts->channels[b->words[i].channel];
        id = refused_channel(b, &c, &natural, &any);
        if (!id)
            candidates_of(b, p, &c, &natural, &id);
        ret->refused_by = ret->refused_by ? ret->refused_by : id;
    }
    best = rank_best(p, b->list, b->n);
    if (best)
        put_choice(ret, best, p->facts);
}

static int from_plan(const struct briefing *b, const struct facts *facts, struct brief *ret,
                     struct error *err)
{
    OWNED(plan) p = plan_make(facts, &b->limits, err);
    const struct strategy *s = p ? plan_chosen(p) : NULL;
    const struct finding *refusal;

    if (!p)
        return -ERROR_MEMORY;
    if (s) {
        put_choice(ret, s, facts);
        return 0;
    }
    /* Without any strategy the plan's own findings are all that speaks. */
    refusal = p->n > p->n_valid ? plan_refuses(p, &p->list[p->n_valid])
                                : plan_refuses(p, &(struct strategy){ .id = NULL });
    /* The plan's text goes with it: a row's id stays, as does what the facts hold. */
    ret->refused_by = refusal ? refusal->id : "no-channel";
    return 0;
}

/* There are two ways to treat the disks then. */
static bool relocates(const struct facts *f)
{
    for (size_t i = 0; i < f->domain.n_disks; i++)
        if (disk_relocation(&f->domain.disks[i]))
            return true;
    return false;
}

int briefing_make(struct briefing *b, const struct facts *facts, struct brief *ret, struct error *err)
{
    struct plan plan = { .facts = facts };
    struct planning p = { .plan = &plan, .facts = facts, .limits = b->limits };

    *ret = (struct brief){ .channel = NULL };
    if (!room_make(b, facts->domain.n_disks))
        return error_memory(err);
    if (b->limits.manner == MANNER_P2P || facts->n_channels > CHANNELS_MOST || !words_make(b->words, facts) ||
        relocates(facts))
        return from_plan(b, facts, ret, err);
    plan.max_downtime_ms = planning_max_downtime_ms(&p);
    choose(b, &p, ret);
    return 0;
}
