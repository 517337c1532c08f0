/* SPDX-License-Identifier: Apache-2.0
 * A plan for people: one sentence, the table of all strategies, the findings with their fixes.
 * 80 columns; everything that came from outside is escaped; colour only where it was asked for. */
#include "plan/explain.h"
#include "facts/json.h"
#include "plan/planner.h"
#include <string.h>

/* More would push the sentence out of sight; JSON has them all. */
enum { MAX_NAMED_DISKS = 4, MAX_SHOWN_FINDINGS = 40 };

static const char *mode_text(enum memory_mode m)
{
    static const char *const texts[] = {
        [MODE_PRECOPY] = "pre-copy",
        [MODE_POSTCOPY] = "pre-copy, post-copy after the first pass if need be,",
        [MODE_THROTTLED] = "pre-copy, the guest slowed if need be,",
        [MODE_PAUSED] = "paused",
        [MODE_OFFLINE] = "the definition",
    };

    return texts[m];
}

static void add_disks_treated(struct text *t, const struct plan *p, const struct strategy *s,
                              enum treatment treatment, const char *word)
{
    const struct domain *d = &p->facts->domain;
    size_t n = 0;

    for (size_t i = 0; i < d->n_disks; i++)
        n += s->disks[i] == treatment;
    if (!n)
        return;
    text_add(t, n == 1 ? "; disk" : "; disks");
    for (size_t i = 0, named = 0; i < d->n_disks && named < MAX_NAMED_DISKS; i++)
        if (s->disks[i] == treatment) {
            text_add(t, "%s ", named++ ? "," : "");
            text_add_escaped(t, d->disks[i].target);
        }
    if (n > MAX_NAMED_DISKS)
        text_add(t, " and %zu more", n - MAX_NAMED_DISKS);
    text_add(t, " %s", word);
}

static void add_names(struct text *t, const struct facts *f)
{
    text_add(t, "'");
    text_add_escaped(t, f->domain.name ? f->domain.name : "?");
    text_add(t, "' from ");
    text_add_escaped(t, f->source.name ? f->source.name : "?");
    text_add(t, " to ");
    text_add_escaped(t, f->dest.name ? f->dest.name : "?");
}

/* By how many connections, and what carries them. */
static void add_connections(const struct strategy *s, struct text *t)
{
    const unsigned forwards = channel_forwards(s->channel, s->connections);

    if (s->connections <= 1)
        return;
    text_add(t, " by %u connections", s->connections);
    if (forwards == 0)
        return;
    text_add(t, forwards == 1 ? " through one process of " : " through %u processes of ", forwards);
    text_add_escaped(t, s->channel->driver ? s->channel->driver : "?");
}

static void add_sentence(const struct plan *p, const struct strategy *s, struct text *t)
{
    char time[48], downtime[48], protection[64];

    text_add(t, "Move ");
    add_names(t, p->facts);
    text_add(t, ": %s over ", mode_text(s->mode));
    text_add_escaped(t, s->channel->driver ? s->channel->driver : "?");
    if (s->channel->data_address && s->mode != MODE_OFFLINE) {
        text_add(t, " via ");
        text_add_escaped(t, s->channel->data_address);
    }
    text_add(t, " (%s)", explain_protection(protection, sizeof protection, s->channel));
    add_connections(s, t);
    text_add(t, ", %s", hand_over_word(s->hand_over));
    if (s->is_p2p)
        text_add(t, ", peer to peer");
    add_disks_treated(t, p, s, TREAT_SHARED, "shared");
    add_disks_treated(t, p, s, TREAT_COPY, "copied");
    add_disks_treated(t, p, s, TREAT_OVERLAY, "copied without its base");
    add_disks_treated(t, p, s, TREAT_CHAIN, "copied with its base kept");
    add_disks_treated(t, p, s, TREAT_RELOCATE, "relocated first");
    text_add(t, "; about %s, downtime %s, %s.", explain_likely(time, sizeof time, &s->time_ms),
             explain_likely(downtime, sizeof downtime, &s->downtime_ms), SIZE_TEXT(s->bytes.likely));
}

static void add_branch(struct text *out, const char *when, const struct price *price)
{
    char time[48], downtime[48], exposure[48];
    OWNED_TEXT line = { 0 };

    text_add(&line, "%s: %s, downtime %s, %s", when, explain_span(time, sizeof time, &price->time_ms),
             explain_span(downtime, sizeof downtime, &price->downtime_ms), SIZE_TEXT(price->bytes.likely));
    if (price->exposure_ms.high)
        text_add(&line, ", %s of it in post-copy",
                 explain_span(exposure, sizeof exposure, &price->exposure_ms));
    text_add(out, "  ");
    explain_wrapped(out, text_of(&line), 2, 4);
    text_add(out, "\n");
    out->failed |= line.failed;
}

/* Who makes the calls, why, and what a cut does then. */
static void add_manner(const struct plan *p, const struct strategy *s, struct text *out)
{
    OWNED_TEXT line = { 0 };

    if (s->mode == MODE_OFFLINE)
        return;
    if (s->is_p2p) {
        text_add(&line, "Peer to peer: libvirt on ");
        text_add_escaped(&line, p->facts->source.name ? p->facts->source.name : "?");
        text_add(&line,
                 " makes the calls, which the %s hand-over allows, and goes on when this program ends.",
                 hand_over_word(s->hand_over));
    } else {
        text_add(&line, "Direct: the calls come from here, %s.",
                 s->hand_over == HAND_OVER_GATED ? "through the gate"
                                                 : "and the source needs no credentials");
    }
    text_add(&line, " %s survives cuts up to %u s; after %u s libvirt gives up, and the guest stays%s.",
             s->is_p2p ? "Between the hosts it" : "It", CUT_SURVIVED_MS(s->is_p2p) / 1000u,
             CUT_GIVEN_UP_MS(s->is_p2p) / 1000u,
             s->mode == MODE_POSTCOPY ? ", or waits for its memory in post-copy" : "");
    text_add(out, "  ");
    explain_wrapped(out, text_of(&line), 2, 4);
    text_add(out, "\n");
    out->failed |= line.failed;
}

/* Both ways of an armed strategy: which one is decided by what the first pass leaves. */
static void add_branches(const struct strategy *s, struct text *out)
{
    if (s->mode != MODE_POSTCOPY)
        return;
    add_branch(out, "If pre-copy ends", &s->stays);
    add_branch(out, "If it would not", &s->switches);
}

static void add_refusal(const struct plan *p, struct text *t)
{
    struct error err = { 0 };

    (void)plan_refusal(p, &err);
    text_add(t, "Refused: ");
    text_add_escaped(t, err.what);
    text_add(t, ".");
}

static const char *severity_colour(enum severity s)
{
    switch (s) {
    case REFUSES:
        return "\033[31m";
    case WARNS:
        return "\033[33m";
    case NOTES:
        break;
    }
    return "\033[36m";
}

static void add_finding(const struct finding *f, bool colour, struct text *out)
{
    static const size_t indent = 9;
    OWNED_TEXT line = { 0 }, fix = { 0 };

    text_add_escaped(&line, f->id);
    if (f->where) {
        text_add(&line, " (");
        text_add_escaped(&line, f->where);
        text_add(&line, ")");
    }
    text_add(&line, ": ");
    text_add_escaped(&line, f->what ? f->what : "");
    text_add(out, "%s%-7s%s  ", colour ? severity_colour(f->severity) : "", severity_word(f->severity),
             colour ? "\033[0m" : "");
    explain_wrapped(out, text_of(&line), indent, indent);
    text_add(out, "\n");
    if (f->fix) {
        text_add_escaped(&fix, f->fix);
        text_add(out, "%*s", (int)indent, "");
        explain_wrapped(out, text_of(&fix), indent, indent);
        text_add(out, "\n");
    }
    out->failed |= line.failed || fix.failed;
}

/* Findings that are gathered for showing: lent, each once, the worst first. */
struct shown {
    struct shown_one {
        const struct finding *finding;
    } * list;
    size_t n, size;
    bool failed;
};

static bool is_same(const struct finding *a, const struct finding *b)
{
    return text_equal(a->id, b->id) && text_equal(a->where, b->where) && text_equal(a->what, b->what);
}

static void shown_add(struct shown *s, const struct finding *f)
{
    for (size_t i = 0; i < s->n; i++)
        if (is_same(s->list[i].finding, f))
            return;
    if (s->n == s->size) {
        const size_t size = s->size ? 2 * s->size : 16;
        struct shown_one *grown = reallocarray(s->list, size, sizeof *grown);

        if (!grown) {
            s->failed = true;
            return;
        }
        s->list = grown;
        s->size = size;
    }
    s->list[s->n++].finding = f;
}

static void shown_add_all(struct shown *s, const struct findings *f)
{
    for (size_t i = 0; i < f->n; i++)
        shown_add(s, &f->list[i]);
}

/* From the from-th on, since the first ones were shown before. */
static void add_findings(const struct shown *s, size_t from, const char *title, bool colour, struct text *out)
{
    size_t count = 0;

    if (from == s->n)
        return;
    text_add(out, "\n%s\n", title);
    for (int severity = REFUSES; severity >= NOTES; severity--)
        for (size_t i = from; i < s->n; i++)
            if ((int)s->list[i].finding->severity == severity && count++ < MAX_SHOWN_FINDINGS)
                add_finding(s->list[i].finding, colour, out);
    if (count > MAX_SHOWN_FINDINGS)
        text_add(out, "and %zu more, which --json shows\n", count - MAX_SHOWN_FINDINGS);
}

void plan_explain(const struct plan *p, bool colour, struct text *out)
{
    OWNED_TEXT sentence = { 0 };
    struct shown shown = { 0 };
    size_t n_first;

    if (plan_chosen(p))
        add_sentence(p, plan_chosen(p), &sentence);
    else
        add_refusal(p, &sentence);
    explain_wrapped(out, text_of(&sentence), 0, 2);
    text_add(out, "\n");
    if (plan_chosen(p)) {
        add_manner(p, plan_chosen(p), out);
        add_branches(plan_chosen(p), out);
    }
    if (p->n) {
        text_add(out, "\n");
        explain_table(p, colour, out);
    }
    shown_add_all(&shown, &p->findings);
    n_first = shown.n;
    for (size_t i = 0; i < p->n; i++) {
        shown_add_all(&shown, &p->list[i].findings);
        if (i == 0) /* the chosen one, or the nearest to being it */
            n_first = shown.n;
    }
    add_findings(&(struct shown){ .list = shown.list, .n = n_first }, 0, "Findings", colour, out);
    add_findings(&shown, n_first, "Findings of the other strategies", colour, out);
    out->failed |= sentence.failed || shown.failed;
    free(shown.list);
}
