/* SPDX-License-Identifier: Apache-2.0
 * A brief is what the plan says: the comparison, for every test of this folder that has facts in hand. */
#ifndef UNIT_PLAN_SAME_H
#define UNIT_PLAN_SAME_H

#include "plan/brief.h"
#include "plan/sample.h"

static void same_estimate(const struct estimate *a, const struct estimate *b)
{
    ck_assert_uint_eq(a->low, b->low);
    ck_assert_uint_eq(a->likely, b->likely);
    ck_assert_uint_eq(a->high, b->high);
}

/* Returns whether something is chosen. */
__attribute__((unused)) static bool brief_is_same(struct briefing *b, const struct facts *f,
                                                  const struct plan_limits *limits)
{
    struct error err = { 0 };
    struct brief brief;
    OWNED(plan) p = plan_with(f, *limits);
    const struct strategy *s = plan_chosen(p);

    ck_assert_int_eq(briefing_make(b, f, &brief, &err), 0);
    ck_assert_msg(!!s == !!brief.channel, "the plan has '%s', the brief '%s'", s ? s->id : "(none)",
                  brief.refused_by ? brief.refused_by : "(none)");
    if (!s) {
        ck_assert_msg(brief.refused_by && plan_finds(p, brief.refused_by, NULL), "'%s' is no finding",
                      brief.refused_by ? brief.refused_by : "(null)");
        for (size_t i = 0; i < p->findings.n; i++)
            if (p->findings.list[i].severity == REFUSES) {
                ck_assert_str_eq(brief.refused_by, p->findings.list[i].id);
                break;
            }
        return false;
    }
    ck_assert_ptr_null(brief.refused_by);
    ck_assert_ptr_eq(brief.channel, s->channel);
    ck_assert_int_eq(brief.mode, s->mode);
    ck_assert_int_eq(brief.hand_over, s->hand_over);
    ck_assert_int_eq(brief.needs_unsafe, s->needs_unsafe);
    ck_assert_uint_eq(brief.connections, s->connections);
    same_estimate(&brief.time_ms, &s->time_ms);
    same_estimate(&brief.downtime_ms, &s->downtime_ms);
    same_estimate(&brief.bytes, &s->bytes);
    same_estimate(&brief.exposure_ms, &s->exposure_ms);
    return true;
}

#endif
