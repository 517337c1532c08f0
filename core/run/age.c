/* SPDX-License-Identifier: Apache-2.0
 * The age of a run. Within one boot of one machine its count since that boot tells it, whatever is done to
 * the time of day; after another boot, and from another machine, the time of day is all there is. */
#include "run/age.h"

#include "base/text.h"
#include "facts/model.h"
#include "worker/loop.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

void age_now(struct age_moment *ret)
{
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

    *ret = (struct age_moment){ .wall_s = (uint64_t)time(NULL), .awake_ms = loop_awake_ms() };
    if (!f)
        return;
    if (fgets(ret->boot, sizeof ret->boot, f))
        ret->boot[strcspn(ret->boot, "\n")] = '\0';
    (void)fclose(f);
}

uint64_t age_s(const struct age_moment *began, const struct age_moment *now)
{
    uint64_t by_day_s, up_s;

    if (began->boot[0] && text_equal(began->boot, now->boot) && now->awake_ms >= began->awake_ms)
        return (now->awake_ms - began->awake_ms) / 1000u;
    /* A time of day that went back says nothing. */
    if (began->wall_s == 0 || began->wall_s > now->wall_s)
        return NOT_KNOWN;
    by_day_s = now->wall_s - began->wall_s;
    /* It began before this machine was booted, whatever the time was taken for. */
    up_s = began->boot[0] && !began->is_elsewhere ? now->awake_ms / 1000u : 0;
    return by_day_s > up_s ? by_day_s : up_s;
}

int age_put(json_t *begin, const struct age_moment *began)
{
    return json_put_text(begin, "boot", began->boot) < 0 ||
                   json_put_u64(begin, "awake_ms", began->awake_ms) < 0
               ? -1
               : 0;
}

void age_read(const json_t *begin, struct age_moment *ret)
{
    *ret = (struct age_moment){ .wall_s = json_u64(begin, "at_ms", 0) / 1000u,
                                .awake_ms = json_u64(begin, "awake_ms", 0) };
    (void)snprintf(ret->boot, sizeof ret->boot, "%s", json_text(begin, "boot", ""));
}
