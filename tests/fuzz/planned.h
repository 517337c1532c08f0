/* SPDX-License-Identifier: Apache-2.0
 * What holds for the plan of any facts, wherever they came from: figures in order and within what is shown,
 * a reason where nothing is valid, a text and a JSON without a negative figure, and a brief that agrees. */
#ifndef FUZZ_PLANNED_H
#define FUZZ_PLANNED_H

#include "facts/json.h"
#include "fuzz.h"
#include "plan/brief.h"
#include <math.h>

#define PLANNED_MOST ((uint64_t)1 << 60)

static void planned_estimate(const struct estimate *e)
{
    PROMISE(e->low <= e->likely && e->likely <= e->high && e->high <= PLANNED_MOST);
}

/* Ids, versions and counts are integers too, and none of them is below zero. */
static void planned_figures(const json_t *j)
{
    const char *key;
    json_t *value;
    size_t i;

    if (json_is_object(j)) {
        json_object_foreach((json_t *)(uintptr_t)j, key, value) planned_figures(value);
    }
    json_array_foreach(j, i, value) planned_figures(value);
    PROMISE(!json_is_number(j) || (isfinite(json_number_value(j)) && json_number_value(j) >= 0));
}

static void planned_brief(const struct facts *f, const struct plan_limits *limits,
                          const struct strategy *chosen)
{
    struct error err = { 0 };
    OWNED(briefing) b = briefing_new(limits);
    struct brief brief;

    PROMISE(b && briefing_make(b, f, &brief, &err) == 0);
    PROMISE(!chosen == !brief.channel);
    PROMISE(!chosen ||
            (brief.channel == chosen->channel && brief.mode == chosen->mode &&
             brief.hand_over == chosen->hand_over && brief.time_ms.likely == chosen->time_ms.likely));
    PROMISE(chosen || brief.refused_by);
}

static void planned(const struct facts *f, const struct plan_limits *limits)
{
    struct error err = { 0 };
    OWNED(plan) p = plan_make(f, limits, &err);
    OWNED_TEXT text = { 0 };

    PROMISE(p != NULL);
    for (size_t i = 0; i < p->n; i++) {
        planned_estimate(&p->list[i].time_ms);
        planned_estimate(&p->list[i].downtime_ms);
        planned_estimate(&p->list[i].bytes);
        planned_estimate(&p->list[i].exposure_ms);
    }
    PROMISE(p->n_valid || plan_refusal(p, &err) < 0);
    plan_explain(p, false, &text);
    PROMISE(!text.failed && text.len > 0 && text_is_utf8(text_of(&text)));
    OWNED_JSON j = plan_to_json(p);
    PROMISE(j != NULL);
    planned_figures(j);
    planned_brief(f, limits, plan_chosen(p));
}

static void planned_twice(const struct facts *f)
{
    planned(f, &(struct plan_limits){ .max_downtime_ms = NOT_KNOWN,
                                      .bandwidth_bytes_per_s = NOT_KNOWN,
                                      .deadline_ms = NOT_KNOWN });
    planned(f, &(struct plan_limits){ .max_downtime_ms = 5000,
                                      .bandwidth_bytes_per_s = 1,
                                      .deadline_ms = 1000000,
                                      .prefer = PREFER_BYTES,
                                      .allow_cleartext = true,
                                      .force_managed = true });
}

#endif
