/* SPDX-License-Identifier: Apache-2.0
 * The hand-over, exhaustively: breadth first over every state that libvirt's protocol, the gate, a recovery
 * with the real table, and a fault of any party at any point can reach. Ends with variants that must go
 * wrong, and do. */
#include "check-main.h"
#include "model.h"

#include "base/owned.h"

enum rule {
    TWO_RUN,         /* two vCPUs at once */
    SOURCE_AFTER,    /* the source runs though the destination has run */
    DEST_AFTER,      /* the destination runs though the source ran on */
    LAST_COPY,       /* a recovery ended the last copy, or one that had run */
    NOT_SETTLED,     /* all is well again, and the table does not end it */
    WRONGLY_SETTLED, /* it says "stayed" or "moved" where no guest is */
    RULES,
};
static const char *const rule_words[RULES] = { "two run",
                                               "the source runs after the destination has",
                                               "the destination runs after the source ran on",
                                               "a last copy was ended",
                                               "not settled",
                                               "wrongly settled" };

struct found {
    union world world;
    size_t from; /* its predecessor */
    const char *step;
};

struct search {
    struct variant v;
    struct table table;
    bool ends_early; /* with the first rule that is broken */
    struct found *list;
    size_t n, size, at;
    uint32_t *slots; /* index into list + 1, 0 = free */
    size_t n_slots;
    size_t broken[RULES];              /* how many worlds break each rule */
    size_t first[RULES];               /* one of them */
    size_t calm[DECIDE_NOT_KNOWN + 1]; /* how many calm worlds got each decision */
};

static uint32_t *slot_of(struct search *s, uint64_t key)
{
    size_t i = (size_t)((key * 0x9e3779b97f4a7c15u) >> 32) & (s->n_slots - 1);

    while (s->slots[i] && s->list[s->slots[i] - 1].world.key != key)
        i = (i + 1) & (s->n_slots - 1);
    return &s->slots[i];
}

static void grow(struct search *s)
{
    s->size = s->size ? s->size * 2 : 1u << 16;
    s->n_slots = s->size * 4;
    s->list = realloc(s->list, s->size * sizeof *s->list);
    free(s->slots);
    s->slots = calloc(s->n_slots, sizeof *s->slots);
    if (!s->list || !s->slots)
        abort();
    for (size_t i = 0; i < s->n; i++)
        *slot_of(s, s->list[i].world.key) = (uint32_t)i + 1;
}

static void reach(struct search *s, union world w, const char *step)
{
    uint32_t *slot;

    if (s->n == s->size)
        grow(s);
    slot = slot_of(s, w.key);
    if (*slot)
        return;
    s->list[s->n] = (struct found){ .world = w, .from = s->at, .step = step };
    *slot = (uint32_t)++s->n;
}

/* A step: when the condition holds, the change is made to a copy and that world is reached. */
#define STEP(name, condition, ...)                                                                           \
    do {                                                                                                     \
        if (condition) {                                                                                     \
            union world w = now;                                                                             \
            __VA_ARGS__;                                                                                     \
            reach(s, w, name);                                                                               \
        }                                                                                                    \
    } while (0)

/* ---- libvirt ---- */

static void qemu_steps(struct search *s, union world now)
{
    const struct variant *v = &s->v;
    bool guest_lives = now.s_qemu == RUNNING || (v->was_paused && now.s_qemu == PAUSED);

    STEP("memory arrives",
         now.net && now.s_phase == PERFORMING && !now.whole && now.d_qemu == WAITING && guest_lives,
         w.whole = 1;
         w.s_qemu = PAUSED);
    STEP("guest ends at the source", v->guest_ends && now.s_qemu == RUNNING, source_ends(v, &w, OFF_OTHER));
    STEP("guest ends at the destination", v->guest_ends && now.d_qemu == STARTED, w.d_qemu = NOTHING;
         w.d_off = w.d_defined ? OFF_OTHER : OFF_ABSENT);
}

static void source_steps(struct search *s, union world now)
{
    const struct variant *v = &s->v;

    if (!now.s_up)
        return;
    STEP("perform succeeds", now.s_phase == PERFORMING && now.whole && now.s_qemu == PAUSED,
         w.s_phase = PERFORMED);
    STEP("perform fails", now.s_phase == PERFORMING, source_resumes(v, &w); w.s_phase = QUIET);
    STEP("confirm: moved", now.confirm == OK && now.s_phase == PERFORMED, w.confirm = NONE;
         w.s_phase = ENDING);
    STEP("confirm: cancelled", now.confirm == CANCEL && (now.s_phase == PERFORMED || now.s_phase == BEGUN),
         w.confirm = NONE;
         w.s_phase = CANCELLING);
    STEP("confirm without a job", now.confirm && now.s_phase == QUIET, w.confirm = NONE);
    STEP("source ended by confirm", now.s_phase == ENDING, source_ends(v, &w, OFF_WORD); w.s_phase = QUIET);
    STEP("source resumed by confirm", now.s_phase == CANCELLING, source_resumes(v, &w); w.s_phase = QUIET);
    STEP("source sees its client gone", !now.s_conn && (now.s_phase == BEGUN || now.s_phase == PERFORMED),
         w.s_phase = CLOSING);
    STEP("source's job ends, it stays paused", now.s_phase == CLOSING, w.s_phase = QUIET);
}

static void dest_steps(struct search *s, union world now)
{
    const struct variant *v = &s->v;
    bool is_whole = now.d_qemu == WAITING && now.whole, is_defined = now.d_defined || !v->is_persistent;

    if (!now.d_up)
        return;
    STEP("finish begins", now.request == OK && now.d_phase == PREPARED, w.request = NONE;
         w.d_phase = FINISHING);
    STEP("finish: cancelled", now.request == CANCEL && now.d_phase == PREPARED, w.request = NONE;
         dest_ends(&w, OFF_WORD); w.reply = w.d_conn ? CANCEL : NONE);
    STEP("finish without a job", now.request && now.d_phase == IDLE, w.request = NONE;
         w.reply = w.d_conn ? CANCEL : NONE);
    STEP("finish defines the domain", now.d_phase == FINISHING && v->is_persistent && !now.d_defined,
         w.d_defined = 1);
    STEP("finish starts the guest",
         now.d_phase == FINISHING && is_whole && is_defined && !v->is_held && !v->was_paused, dest_starts(&w);
         w.d_phase = FINISHED);
    STEP("finish leaves the guest paused",
         now.d_phase == FINISHING && is_whole && is_defined && (v->is_held || v->was_paused),
         w.d_phase = FINISHED);
    STEP("finish fails", now.d_phase == FINISHING, dest_ends(&w, OFF_WORD);
         w.reply = w.d_conn ? CANCEL : NONE);
    STEP("finish answers", now.d_phase == FINISHED, w.d_phase = IDLE; w.reply = w.d_conn ? OK : NONE;
         w.d_qemu = w.d_qemu == WAITING ? ARRIVED : w.d_qemu);
    STEP("destination sees its client gone", !now.d_conn && now.d_phase == PREPARED,
         dest_ends(&w, OFF_OTHER));
}

static void source_returns(struct search *s, union world now)
{
    const struct variant *v = &s->v;
    union world w = now;

    if (now.s_up || now.s_dead)
        return;
    w.s_up = 1;
    if (now.s_phase == PERFORMING || now.s_phase == CANCELLING || now.s_phase == CLOSING)
        source_resumes(v, &w);
    if (w.s_off == OFF_WORD)
        w.s_off = OFF_OTHER;
    if (now.s_phase == ENDING)
        source_ends(v, &w, OFF_OTHER);
    w.s_phase = QUIET;
    reach(s, w, "source's libvirtd returns");
}

static void dest_returns(struct search *s, union world now)
{
    union world w = now;

    if (now.d_up || now.d_dead)
        return;
    w.d_up = 1;
    if (w.d_off == OFF_WORD)
        w.d_off = OFF_OTHER;
    if (now.d_phase != IDLE && now.d_qemu != STARTED)
        dest_ends(&w, OFF_OTHER);
    w.d_phase = IDLE;
    reach(s, w, "destination's libvirtd returns");
}

/* ---- the client: libvirt's own protocol in the mover, and the gate ---- */

static void client_confirms(struct search *s, union world now, bool is_ok)
{
    union world w = now;

    w.reply = NONE;
    w.client = is_ok ? C_CONFIRM_OK : C_CONFIRM;
    if (!now.s_conn) {
        w.said = is_ok;
        client_ends(&w);
    } else if (!is_ok && s->v.has_gate) {
        w.held = 1;
    } else {
        w.confirm = is_ok ? OK : CANCEL;
    }
    reach(s, w, is_ok ? "client confirms: moved" : "client confirms: cancelled");
}

static void client_steps(struct search *s, union world now)
{
    bool reaches_dest = now.net && now.d_up && now.d_conn;

    STEP("journal: migrate", now.client == C_NEW && !now.asked, w.asked = 1);
    STEP("begin", now.client == C_NEW && now.asked && now.s_up && now.s_conn, w.s_phase = BEGUN; w.client = C_BEGUN);
    STEP("prepare", now.client == C_BEGUN && reaches_dest, w.d_qemu = WAITING; w.d_phase = PREPARED;
         w.client = C_PREPARED);
    STEP("prepare fails", now.client == C_BEGUN && now.s_conn, w.confirm = CANCEL; w.client = C_CONFIRM);
    STEP("perform", now.client == C_PREPARED && now.s_conn && now.s_phase == BEGUN, w.s_phase = PERFORMING;
         w.client = C_PERFORM);
    STEP("perform was answered: success", now.client == C_PERFORM && now.s_conn && now.s_phase == PERFORMED,
         w.client = C_FINISH;
         w.request = now.d_conn ? OK : NONE);
    STEP("perform was answered: failure",
         (now.client == C_PERFORM || now.client == C_PREPARED) && (!now.s_conn || now.s_phase == QUIET),
         w.client = C_FINISH_CANCEL;
         w.request = now.d_conn ? CANCEL : NONE);
    if (now.client == C_FINISH && now.reply && now.net)
        client_confirms(s, now, now.reply == OK);
    /* Its patience may end at any time: a host can be slow as well as dead. */
    if (now.client == C_FINISH) {
        union world w = now;

        w.d_conn = 0;
        client_confirms(s, w, false);
    }
    STEP("cancelled finish is over", now.client == C_FINISH_CANCEL, client_ends(&w));
    STEP("call returns", now.client == C_CONFIRM && !now.held, client_ends(&w));
    STEP("call returns success", now.client == C_CONFIRM_OK, w.said = s->v.says_moved; client_ends(&w));
    STEP("call fails early", (now.client == C_NEW || now.client == C_BEGUN) && !now.s_conn, client_ends(&w));
}

static void gate_looks(struct search *s, union world now)
{
    struct side source = { .state = SIDE_PAUSED, .reason = s->v.was_paused ? REASON_USER : REASON_MIGRATION };
    enum decision d = decide(&s->v, &s->table, now, source);
    bool may_run = d == DECIDE_RESUME_SOURCE || d == DECIDE_STAYED ||
                   (s->v.absence_is_trusted && look_dest(&s->v, now).state == SIDE_ABSENT);

    STEP("gate saw nothing there", may_run, w.gate = G_LET);
    STEP("gate saw it wait there", d == DECIDE_DROP_DEST, w.gate = G_DROP);
    STEP("gate saw it run there", d == DECIDE_FINISH, w.gate = s->v.turns ? G_TURN : G_SHUT);
    STEP("gate cannot know", d == DECIDE_NOT_KNOWN, w.gate = G_SHUT);
}

static void gate_steps(struct search *s, union world now)
{
    bool answers = now.d_up && now.net;

    if (!now.held)
        return;
    if (answers && now.gate == G_LOOK)
        gate_looks(s, now);
    STEP("gate lets through", now.gate == G_LET, w.held = 0; w.gate = G_LOOK; w.confirm = CANCEL);
    STEP("gate ends the destination", now.gate == G_DROP && answers, w.lost |= w.ran && w.d_qemu != NOTHING;
         dest_ends(&w, OFF_OTHER); w.destroyed = 1; w.gate = G_DROPPED);
    STEP("gate looks after", now.gate == G_DROPPED && answers, w.gate = w.d_qemu == NOTHING ? G_LET : G_LOOK);
    STEP("gate gives an act up", !answers && now.gate != G_LOOK, w.gate = G_LOOK);
    STEP("gate makes it a success", now.gate == G_TURN, w.held = 0; w.gate = G_LOOK; w.confirm = OK);
    STEP("gate closes", now.gate == G_SHUT, client_ends(&w));
    STEP("gate's patience ends", true, client_ends(&w));
}

/* ---- settling, in the run itself or in a later one ---- */

static void recovery_decides(struct search *s, union world now)
{
    struct side source = { .state = (enum side_state)now.seen_state,
                           .reason = (enum side_reason)now.seen_reason,
                           .has_job = now.seen_job };
    union world w = now;

    w.seen_state = w.seen_reason = w.seen_job = 0;
    w.recovery = R_LOOK;
    switch (decide(&s->v, &s->table, now, source)) {
    case DECIDE_STAYED:
        w.recovery = R_STAYED;
        if (w.d_qemu == NOTHING)
            w.d_off = w.d_defined = 0; /* undone */
        break;
    case DECIDE_RESUME_SOURCE:
        w.recovery = R_RESUME_SOURCE;
        break;
    case DECIDE_DROP_DEST:
        w.recovery = R_DROP;
        break;
    case DECIDE_RESUME_DEST:
        w.recovery = R_RESUME_DEST;
        break;
    case DECIDE_FINISH:
        w.recovery = R_FINISH;
        break;
    default:
        break;
    }
    reach(s, w, "recovery looks at the destination");
}

static void recovery_steps(struct search *s, union world now)
{
    bool answers = now.d_up && now.net;
    struct side source = look_source(&s->v, now);

    if (now.client != C_OVER)
        return;
    STEP("recovery looks at the source", now.recovery == R_LOOK, w.recovery = R_LOOKED;
         w.seen_state = source.state; w.seen_reason = source.reason; w.seen_job = source.has_job);
    if (now.recovery == R_LOOKED)
        recovery_decides(s, now);
    STEP("recovery resumes the source", now.recovery == R_RESUME_SOURCE && now.s_up, w.recovery = R_LOOK;
         if (w.s_phase == QUIET) source_resumes(&s->v, &w));
    STEP("recovery ends the destination", now.recovery == R_DROP && answers, w.recovery = R_LOOK;
         w.lost |= w.ran && w.d_qemu != NOTHING; dest_ends(&w, OFF_OTHER); w.destroyed = 1);
    STEP("recovery ends the destination and dies", now.recovery == R_DROP && answers, w.recovery = R_LOOK;
         w.lost |= w.ran && w.d_qemu != NOTHING; dest_ends(&w, OFF_OTHER));
    STEP("recovery starts the destination", now.recovery == R_RESUME_DEST && answers, w.recovery = R_LOOK;
         if (w.d_phase == IDLE && (w.d_qemu == ARRIVED || w.d_qemu == WAITING)) dest_starts(&w));
    STEP("recovery has no source to end", now.recovery == R_FINISH && now.s_dead, w.recovery = R_MOVED);
    STEP(
        "recovery ends the source", now.recovery == R_FINISH && now.s_up && now.s_phase == QUIET,
        w.recovery = R_LOOK;
        if (w.s_qemu != RUNNING) {
            w.lost |= w.s_qemu == PAUSED && w.d_qemu != ARRIVED && !w.ran;
            source_ends(&s->v, &w, OFF_ABSENT);
            w.recovery = R_MOVED;
        });
    STEP("recovery dies", now.recovery > R_LOOK && now.recovery < R_STAYED, w.recovery = R_LOOK;
         w.seen_state = 0; w.seen_reason = 0; w.seen_job = 0);
}

/* ---- faults ---- */

static void fault_steps(struct search *s, union world now)
{
    const struct variant *v = &s->v;

    STEP("source's libvirtd dies", now.s_up && (now.s_phase != CLOSING || v->closing_crash),
         source_daemon_ends(&w));
    STEP("destination's libvirtd dies", now.d_up, dest_daemon_ends(&w));
    STEP("client dies", now.client != C_OVER, client_ends(&w));
    STEP("client loses its way to the source", now.s_conn && now.client != C_OVER, w.s_conn = 0;
         if (w.held) client_ends(&w));
    STEP("link goes", now.net, w.net = 0);
    STEP("link comes", !now.net, w.net = 1);
    STEP("request is lost", now.request && !now.net, w.request = NONE);
    STEP("answer is lost", now.reply && (!now.net || !now.d_up), w.reply = NONE);
    STEP("source's host dies", v->dies && !now.s_dead && !now.d_dead, source_ends(v, &w, OFF_OTHER);
         w.s_phase = QUIET; w.s_dead = 1; source_daemon_ends(&w));
    STEP("destination's host dies", v->dies && !now.s_dead && !now.d_dead, dest_ends(&w, OFF_OTHER);
         w.d_dead = 1; dest_daemon_ends(&w));
    STEP("source's host reboots", v->reboots, source_ends(v, &w, OFF_OTHER); w.s_phase = QUIET;
         source_daemon_ends(&w));
    STEP("destination's host reboots", v->reboots, dest_ends(&w, OFF_OTHER); w.d_rebooted = 1;
         dest_daemon_ends(&w));
}

/* ---- what must hold ---- */

static void breaks(struct search *s, enum rule rule, bool is_broken)
{
    if (!is_broken)
        return;
    if (s->broken[rule]++ == 0)
        s->first[rule] = s->at;
}

/* Everybody is up again and has nothing left to do: here the table has the last word. */
static bool is_calm(union world w)
{
    return (w.s_up || w.s_dead) && (w.d_up || w.d_dead) && w.net && w.client == C_OVER && w.s_phase == QUIET && w.d_phase == IDLE &&
           !w.request && !w.confirm;
}

/* A run that was settled is not looked at again. */
static void check_settled(struct search *s, union world w)
{
    bool may_be_gone = s->v.guest_ends || s->v.reboots || s->v.dies;

    if (w.recovery == R_STAYED)
        breaks(s, WRONGLY_SETTLED, w.d_qemu != NOTHING || (w.s_qemu == ENDED && !may_be_gone));
    else
        breaks(s, WRONGLY_SETTLED, w.s_qemu != ENDED || (w.d_qemu == NOTHING && !may_be_gone));
}

/* What the recovery does of it, with nothing else going on. */
static void act(const struct variant *v, enum decision d, union world *w)
{
    if (d == DECIDE_RESUME_SOURCE && w->s_up)
        source_resumes(v, w);
    if (d == DECIDE_RESUME_DEST && w->d_up && (w->d_qemu == ARRIVED || w->d_qemu == WAITING))
        dest_starts(w);
    if (d == DECIDE_DROP_DEST && w->d_up) {
        w->lost |= w->ran && w->d_qemu != NOTHING;
        dest_ends(w, OFF_OTHER);
        w->destroyed = 1;
    }
}

static bool is_act(enum decision d)
{
    return d == DECIDE_RESUME_SOURCE || d == DECIDE_DROP_DEST || d == DECIDE_RESUME_DEST;
}

/* With all parties back the recovery ends, by a few acts: the last word is judged. */
static void check_calm(struct search *s, union world w)
{
    enum decision d = decide(&s->v, &s->table, w, look_source(&s->v, w));
    bool source_lives, dest_is_off;

    s->calm[d]++;
    for (int acts = 0; is_act(d) && acts < 4; acts++) {
        act(&s->v, d, &w);
        d = decide(&s->v, &s->table, w, look_source(&s->v, w));
    }
    source_lives = w.s_qemu != ENDED;
    dest_is_off = w.d_qemu == NOTHING && w.d_off == OFF_OTHER;
    switch (d) {
    case DECIDE_STAYED:
        breaks(s, WRONGLY_SETTLED, (!source_lives && w.asked) || w.d_qemu != NOTHING || w.ran);
        break;
    case DECIDE_FINISH:
        breaks(s, WRONGLY_SETTLED,
               w.s_qemu == RUNNING || w.stale || !w.whole || (w.d_qemu != STARTED && w.d_qemu != ARRIVED));
        break;
    case DECIDE_GONE:
        breaks(s, NOT_SETTLED, source_lives || w.d_qemu != NOTHING);
        break;
    case DECIDE_NOT_KNOWN: /* the three cases that README.md names */
        breaks(s, NOT_SETTLED,
               !dest_is_off && !w.d_rebooted && !w.d_dead && (source_lives || w.d_qemu == NOTHING));
        break;
    default: /* it waits, or acts, for ever; or says twice, where no two are */
        breaks(s, NOT_SETTLED, true);
        break;
    }
}

static void check_world(struct search *s, union world w)
{
    breaks(s, TWO_RUN, w.s_qemu == RUNNING && w.d_qemu == STARTED);
    breaks(s, SOURCE_AFTER, w.s_qemu == RUNNING && w.ran);
    breaks(s, DEST_AFTER, w.d_qemu == STARTED && w.stale);
    breaks(s, LAST_COPY, w.lost);
    if (is_calm(w) && w.recovery == R_LOOK)
        check_calm(s, w);
    if (is_calm(w) && (w.recovery == R_STAYED || w.recovery == R_MOVED))
        check_settled(s, w);
}

static bool is_broken(const struct search *s)
{
    for (int rule = 0; rule < RULES; rule++)
        if (s->broken[rule])
            return true;
    return false;
}

static struct search search_by(struct variant v, const struct outcome_row *rows, size_t n, bool ends_early)
{
    struct search s = { .v = v, .table = { rows, n, 0 }, .ends_early = ends_early };
    union world start = { .key = 0 };

    start.s_qemu = v.was_paused ? PAUSED : RUNNING;
    start.s_up = start.s_conn = start.d_up = start.d_conn = start.net = 1;
    reach(&s, start, "start");
    for (s.at = 0; s.at < s.n && !(ends_early && is_broken(&s)); s.at++) {
        union world now = s.list[s.at].world;

        check_world(&s, now);
        qemu_steps(&s, now);
        source_steps(&s, now);
        dest_steps(&s, now);
        source_returns(&s, now);
        dest_returns(&s, now);
        client_steps(&s, now);
        gate_steps(&s, now);
        recovery_steps(&s, now);
        fault_steps(&s, now);
    }
    return s;
}

static struct search search(struct variant v)
{
    size_t n;
    const struct outcome_row *rows = outcome_rows(&n);

    return search_by(v, rows, n, false);
}

static void search_done(struct search *s)
{
    free(s->list);
    free(s->slots);
}
#define SEARCH __attribute__((cleanup(search_done))) struct search

static const char *way_to(const struct search *s, size_t at)
{
    static char way[4096];
    const char *steps[256];
    size_t n = 0, len = 0;

    for (; at != 0 && n < 256; at = s->list[at].from)
        steps[n++] = s->list[at].step;
    way[0] = '\0';
    while (n > 0 && len < sizeof way - 80)
        len += (size_t)snprintf(way + len, sizeof way - len, "%s; ", steps[--n]);
    return way;
}

static void none_broken(const struct search *s, const char *name)
{
    if (getenv("MODEL_SIZES"))
        printf("%s: %zu states, %zu calm and not known\n", name, s->n, s->calm[DECIDE_NOT_KNOWN]);
    for (int rule = 0; rule < RULES; rule++)
        ck_assert_msg(s->broken[rule] == 0, "%s: %s: %s", name, rule_words[rule], way_to(s, s->first[rule]));
}

/* ---- the tests ---- */

static const struct {
    const char *name;
    struct variant v;
} safe[] = {
    { "gated", { .has_gate = true, .is_persistent = true } },
    { "gated, transient", { .has_gate = true } },
    { "gated, paused before", { .has_gate = true, .was_paused = true, .is_persistent = true } },
    { "gated, paused before, transient", { .has_gate = true, .was_paused = true } },
    { "held", { .is_held = true, .is_persistent = true } },
    { "held, transient", { .is_held = true } },
    { "held, paused before", { .is_held = true, .was_paused = true, .is_persistent = true } },
    { "held, success journalled", { .is_held = true, .is_persistent = true, .says_moved = true } },
    { "gated, reboots", { .has_gate = true, .is_persistent = true, .reboots = true } },
    { "gated, reboots, transient", { .has_gate = true, .reboots = true } },
    { "held, reboots", { .is_held = true, .is_persistent = true, .reboots = true } },
    { "gated, guest ends", { .has_gate = true, .is_persistent = true, .guest_ends = true } },
    { "held, guest ends", { .is_held = true, .is_persistent = true, .guest_ends = true } },
    { "gated, hosts die", { .has_gate = true, .is_persistent = true, .dies = true } },
    { "gated, transient, hosts die", { .has_gate = true, .dies = true } },
    { "gated, paused before, hosts die",
      { .has_gate = true, .was_paused = true, .is_persistent = true, .dies = true } },
    { "held, hosts die", { .is_held = true, .is_persistent = true, .dies = true } },
    { "held, hosts die, success journalled",
      { .is_held = true, .is_persistent = true, .dies = true, .says_moved = true } },
    { "held, transient, hosts die, success journalled", { .is_held = true, .dies = true, .says_moved = true } },
    { "held, paused before, hosts die, success journalled",
      { .is_held = true, .was_paused = true, .is_persistent = true, .dies = true, .says_moved = true } },
    { "gated, hosts die, success journalled",
      { .has_gate = true, .is_persistent = true, .dies = true, .says_moved = true } },
    { "gate turns the confirm", { .has_gate = true, .is_persistent = true, .turns = true } },
    { "gate turns the confirm, all faults",
      { .has_gate = true, .is_persistent = true, .turns = true, .reboots = true, .guest_ends = true } },
};

START_TEST(no_fault_at_any_point_makes_two_runners_or_loses_one)
    {
        SEARCH s = search(safe[_i].v);

        ck_assert_uint_gt(s.n, 1000);
        none_broken(&s, safe[_i].name);
    }
END_TEST

/* What goes wrong without a piece of it: each rule of this test can fail. */
static const struct {
    const char *name;
    struct variant v;
    enum rule breaks;
} unsafe[] = {
    { "plain virsh", { .is_persistent = true }, TWO_RUN },
    { "plain virsh", { .is_persistent = true }, SOURCE_AFTER },
    { "plain virsh, transient", { .is_persistent = false }, NOT_SETTLED },
    { "incoming job not seen", { .has_gate = true, .is_persistent = true, .job_unseen = true }, LAST_COPY },
    { "incoming job not seen",
      { .has_gate = true, .is_persistent = true, .job_unseen = true },
      SOURCE_AFTER },
    { "the gate asks for no reboot",
      { .has_gate = true, .reboots = true, .absence_is_trusted = true },
      SOURCE_AFTER },
    /* The limits that README.md names: */
    { "libvirtd dies while it clears up",
      { .has_gate = true, .is_persistent = true, .closing_crash = true },
      TWO_RUN },
    { "a transient guest ends by itself", { .has_gate = true, .guest_ends = true }, SOURCE_AFTER },
    { "a held transient guest ends by itself", { .is_held = true, .guest_ends = true }, DEST_AFTER },
};

START_TEST(without_a_piece_of_it_the_rules_break)
    {
        SEARCH s = search(unsafe[_i].v);

        if (getenv("MODEL_SIZES"))
            printf("%s: %zu states; %s: %s\n", unsafe[_i].name, s.n, rule_words[unsafe[_i].breaks],
                   way_to(&s, s.first[unsafe[_i].breaks]));
        ck_assert_msg(s.broken[unsafe[_i].breaks] > 0, "%s: nothing broke '%s' in %zu states",
                      unsafe[_i].name, rule_words[unsafe[_i].breaks], s.n);
    }
END_TEST

static const struct {
    const char *name;
    struct variant v;
    enum decision decision;
} ends[] = {
    { "gated", { .has_gate = true, .is_persistent = true }, DECIDE_STAYED },
    { "gated", { .has_gate = true, .is_persistent = true }, DECIDE_RESUME_SOURCE },
    { "gated", { .has_gate = true, .is_persistent = true }, DECIDE_FINISH },
    { "gated", { .has_gate = true, .is_persistent = true }, DECIDE_NOT_KNOWN },
    { "gated, paused before",
      { .has_gate = true, .was_paused = true, .is_persistent = true },
      DECIDE_DROP_DEST },
    { "held", { .is_held = true, .is_persistent = true }, DECIDE_DROP_DEST },
    { "held", { .is_held = true, .is_persistent = true }, DECIDE_RESUME_DEST },
    { "held", { .is_held = true, .is_persistent = true }, DECIDE_RESUME_SOURCE },
    { "held, guest ends", { .is_held = true, .is_persistent = true, .guest_ends = true }, DECIDE_GONE },
};

/* A model in which little happens would find nothing. */
START_TEST(each_decision_is_the_last_word_somewhere)
    {
        SEARCH s = search(ends[_i].v);

        ck_assert_msg(s.calm[ends[_i].decision] > 0, "%s: never '%s'", ends[_i].name,
                      decision_word(ends[_i].decision));
    }
END_TEST

TEST_MAIN("run/model", LOOP(no_fault_at_any_point_makes_two_runners_or_loses_one, TEST_ROWS(safe)),
          LOOP(without_a_piece_of_it_the_rules_break, TEST_ROWS(unsafe)),
          LOOP(each_decision_is_the_last_word_somewhere, TEST_ROWS(ends)))
