/* SPDX-License-Identifier: Apache-2.0
 * How fast a guest dirties its memory, as QEMU's page sampling can tell: 512 pages of each GiB, in whole
 * MiB/s, over whole seconds. What sampling cannot know goes into the figure's low and high. */
#include "verbs/verbs.h"

#include "worker/loop.h"
#include "worker/serve.h"
#include <math.h>

#define SAMPLES_PER_GIB 512.0
#define PATIENCE_MS 3000u /* beyond the window: reading the samples takes its time under emulation */
#define POLL_MS 50u

/* 1 done, 0 not yet, negative: failed. */
static int read_rate(struct child *c, virDomainPtr d, long long *ret_mib_per_s, struct error *err)
{
    virDomainStatsRecordPtr *records = NULL;
    virDomainPtr one[] = { d, NULL };
    int status = -1, n = virDomainListGetStats(one, VIR_DOMAIN_STATS_DIRTYRATE, &records, 0);

    if (n < 0)
        return libvirt_error(err, c->host, "could not read the dirty rate");
    if (n > 0) {
        (void)virTypedParamsGetInt(records[0]->params, records[0]->nparams, "dirtyrate.calc_status", &status);
        if (status == VIR_DOMAIN_DIRTYRATE_MEASURED &&
            virTypedParamsGetLLong(records[0]->params, records[0]->nparams, "dirtyrate.megabytes_per_second",
                                   ret_mib_per_s) != 1)
            status = -1;
    }
    virDomainStatsRecordListFree(records);
    return status == VIR_DOMAIN_DIRTYRATE_MEASURED;
}

static int measure(struct child *c, virDomainPtr d, unsigned seconds, long long *ret_mib_per_s,
                   struct error *err)
{
    uint64_t until = loop_now_ms() + seconds * 1000u + PATIENCE_MS;
    int r = 0;

    if (virDomainStartDirtyRateCalc(d, (int)seconds, 0) < 0)
        return libvirt_error(err, c->host, "could not measure the dirty rate");
    loop_pause_ms(seconds * 1000u);
    while ((r = read_rate(c, d, ret_mib_per_s, err)) == 0) {
        if (loop_now_ms() > until)
            return error_set(err, ERROR_TIMEOUT, c->host, "the dirty rate was not measured in time");
        loop_pause_ms(POLL_MS);
    }
    return r < 0 ? r : 0;
}

/* Two standard deviations of a share that so few samples give, and half of the unit of the answer. */
static json_t *window_of(unsigned seconds, double mib_per_s, double memory_mib)
{
    const double seen = fmin(fmax(mib_per_s, 0) * seconds, memory_mib);
    const double samples = fmax(memory_mib / 1024.0 * SAMPLES_PER_GIB, 1);
    const double share = fmin(fmax(seen / memory_mib, 1 / samples), 1 - 1 / samples);
    const double error = 2 * memory_mib * sqrt(share * (1 - share) / samples) + 0.5 * seconds;
    const double low = fmax(seen - error, 0), high = fmin(seen + error, memory_mib);

    return json_pack("{sI sI sI sI}", "window_ms", (json_int_t)seconds * 1000, "low_bytes",
                     (json_int_t)(low * 1048576.0), "bytes", (json_int_t)(seen * 1048576.0), "high_bytes",
                     (json_int_t)(high * 1048576.0));
}

/* {"domain" or "uuid", "seconds"}: "dirty", as facts have it: a window of a second, and one of the rest */
int verb_measure_dirty(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_DOMAIN d = verb_domain(c, args, err);
    unsigned seconds = (unsigned)json_u64(args, "seconds", 1);
    const unsigned windows[] = { 1, seconds > 2 ? seconds - 1 : 0 };
    OWNED_JSON dirty = json_array();
    virDomainInfo info;

    if (!d)
        return -err->code;
    if (!dirty)
        return error_memory(err);
    if (virDomainGetInfo(d, &info) < 0 || info.maxMem == 0)
        return libvirt_error(err, c->host, "could not ask for the domain's memory");
    for (size_t i = 0; i < 2 && windows[i]; i++) {
        long long rate = 0;

        if (measure(c, d, windows[i], &rate, err) < 0)
            return -err->code;
        if (json_array_append_new(dirty, window_of(windows[i], (double)rate, (double)info.maxMem / 1024.0)) <
            0)
            return error_memory(err);
    }
    return json_put(reply, "dirty", json_incref(dirty));
}
