/* SPDX-License-Identifier: Apache-2.0
 * What a guest's memory holds, and how fast it changes, by reading it at some hundred places again and again
 * through libvirt: much finer than QEMU's own sampling (dirty.c), and it tells which pages are zero.
 * What is read stays in this process. The guest goes on meanwhile; a read of 64 KiB holds it up for less than
 * a timer does. */
#include "verbs/verbs.h"

#include "verbs/sample.h"
#include "worker/loop.h"
#include "worker/serve.h"
#include <string.h>
#include <sys/random.h>

#define SWEEP_MS 900u /* that all places together may take */
#define TRIAL 8u      /* places by which that is judged */
#define LEAST_PLACES 24u
#define MOST_WINDOWS 3u
/* The shortest window: how fast a working set that is small is dirtied shows in no longer one. */
#define SLOT_MS 250u
#define TURNS (2 * SWEEP_MS / SLOT_MS + 1) /* so that those of one are read twice in a slot */
/* From so many seconds on there is time for longer short windows too, each turn being read four times. */
#define LONG_S 4u
#define TURNS_LONG 12u
#define ENDS 7u /* the last 1/64 of the memory, 1/32, … and all of it */

struct look {
    struct child *c;
    virDomainPtr domain;
    uint64_t memory_bytes;
    size_t n; /* not 0 once they are placed */
    uint64_t address[SAMPLE_MOST];
    unsigned char (*was)[SAMPLE_CHUNK]; /* by the first sweep */
    uint64_t read_ms[SAMPLE_MOST];      /* when */
};

static int read_place(const struct look *l, size_t i, unsigned char *to, struct error *err)
{
    return virDomainMemoryPeek(l->domain, l->address[i], SAMPLE_CHUNK, to, VIR_MEMORY_PHYSICAL) < 0
               ? libvirt_error(err, l->c->host, "could not look into the domain's memory")
               : 0;
}

static int place_all(struct look *l, const json_t *args, size_t n, struct error *err)
{
    uint64_t random[SAMPLE_MOST];

    if (getrandom(random, n * sizeof *random, 0) != (ssize_t)(n * sizeof *random))
        return error_errno(err, NULL, "could not read random numbers");
    for (size_t i = 0; i < n; i++)
        if (!sample_address(json_text(args, "arch", NULL), json_text(args, "machine", NULL), l->memory_bytes,
                            sample_offset(l->memory_bytes, n, i, random[i]), &l->address[i]))
            return error_set(err, ERROR_FAILED, l->c->host,
                             "where memory lies in such a machine is not known");
    l->n = n;
    return 0;
}

/* As many places as can be read in the time. */
static int place_some(struct look *l, const json_t *args, struct error *err)
{
    unsigned char chunk[SAMPLE_CHUNK];
    uint64_t began_ms;
    size_t n;

    if (place_all(l, args, TRIAL, err) < 0)
        return -err->code;
    began_ms = loop_now_ms();
    for (size_t i = 0; i < TRIAL; i++)
        if (read_place(l, i, chunk, err) < 0)
            return -err->code;
    n = (size_t)SWEEP_MS * TRIAL / (size_t)(loop_now_ms() - began_ms + 1);
    n = n < SAMPLE_MOST ? n : SAMPLE_MOST;
    if (n < LEAST_PLACES)
        return error_set(err, ERROR_TIMEOUT, l->c->host, "the domain's memory is read too slowly");
    return place_all(l, args, n, err);
}

static json_t *json_of(const char *key, uint64_t figure, struct sample_estimate e)
{
    return json_pack("{sI sI sI sI}", key, (json_int_t)figure, "low_bytes", (json_int_t)e.low, "bytes",
                     (json_int_t)e.bytes, "high_bytes", (json_int_t)e.high);
}

static int read_first(struct look *l, size_t i, unsigned char *full, struct error *err)
{
    if (read_place(l, i, l->was[i], err) < 0)
        return -err->code;
    l->read_ms[i] = loop_now_ms();
    full[i] = (unsigned char)sample_full(l->was[i]);
    return 0;
}

/* Whether the place differs by now, and since when: added to *ms. */
static int read_again(const struct look *l, size_t i, unsigned char *changed, uint64_t *ms, struct error *err)
{
    unsigned char chunk[SAMPLE_CHUNK];

    if (read_place(l, i, chunk, err) < 0)
        return -err->code;
    *ms += loop_now_ms() - l->read_ms[i];
    changed[i] = (unsigned char)sample_changed(chunk, l->was[i]);
    return 0;
}

static int put_window(const struct look *l, const unsigned char *changed, uint64_t ms, json_t *dirty,
                      struct error *err)
{
    json_t *one =
        json_of("window_ms", ms / (l->n ? l->n : 1), sample_estimate(changed, l->n, l->memory_bytes));

    return json_array_append_new(dirty, one) < 0 ? error_memory(err) : 0;
}

/* A window that is shorter than it takes to read all places: they are read in turns, one in a slot of time,
 * and each again so many slots later. */
struct short_window {
    unsigned slots;
    unsigned char changed[SAMPLE_MOST];
    uint64_t ms;
};

static int read_turn(struct look *l, size_t turn, size_t turns, unsigned char *full, struct short_window *w,
                     struct error *err)
{
    for (size_t i = turn; i < l->n && turn < turns; i += turns)
        if ((w ? read_again(l, i, w->changed, &w->ms, err) : read_first(l, i, full, err)) < 0)
            return -err->code;
    return 0;
}

/* All places for the first time. Each turn is spread over the whole memory, so that a guest that writes
 * through it from end to end is met in each. */
static int first_sweep(struct look *l, unsigned seconds, unsigned char *full, json_t *dirty,
                       struct error *err)
{
    struct short_window windows[] = { { .slots = 1 }, { .slots = 2 }, { .slots = 4 } };
    const bool is_long = seconds >= LONG_S;
    const size_t turns = is_long ? TURNS_LONG : TURNS, n = is_long ? sizeof windows / sizeof windows[0] : 1;

    for (size_t slot = 0; slot < turns + windows[n - 1].slots; slot++) {
        const uint64_t began_ms = loop_now_ms();
        uint64_t now;

        if (read_turn(l, slot, turns, full, NULL, err) < 0)
            return -err->code;
        for (size_t k = 0; k < n; k++)
            if (slot >= windows[k].slots &&
                read_turn(l, slot - windows[k].slots, turns, full, &windows[k], err) < 0)
                return -err->code;
        if ((now = loop_now_ms()) - began_ms < SLOT_MS)
            loop_pause_ms((unsigned)(began_ms + SLOT_MS - now));
    }
    for (size_t k = 0; k < n; k++)
        if (put_window(l, windows[k].changed, windows[k].ms, dirty, err) < 0)
            return -err->code;
    return 0;
}

/* How full the memory's end is: QEMU sends it last, and what is left then is sent while the guest stands
 * still. The first byte of it counts as its first place. */
static json_t *content(const struct look *l, const unsigned char *full, struct error *err)
{
    OWNED_JSON list = json_array();

    for (unsigned k = ENDS; k-- > 0;) {
        const size_t n = l->n >> k;
        const uint64_t end = l->memory_bytes / (l->n ? l->n : 1) * n;

        (void)json_array_append_new(list,
                                    json_of("end_bytes", k ? end : l->memory_bytes,
                                            sample_estimate(full + l->n - n, n, k ? end : l->memory_bytes)));
    }
    if (json_array_size(list) != ENDS) {
        error_memory(err);
        return NULL;
    }
    return HAND_OVER(list);
}

/* What changed since the first sweep. */
static int put_late_window(struct look *l, json_t *dirty, struct error *err)
{
    unsigned char changed[SAMPLE_MOST];
    uint64_t ms = 0;

    for (size_t i = 0; i < l->n; i++)
        if (read_again(l, i, changed, &ms, err) < 0)
            return -err->code;
    return put_window(l, changed, ms, dirty, err);
}

/* The later windows: each twice as long as the one before. */
static int watch(struct look *l, unsigned seconds, json_t *dirty, struct error *err)
{
    const unsigned n = seconds < MOST_WINDOWS ? seconds : MOST_WINDOWS;
    const uint64_t began_ms = l->read_ms[0];

    for (unsigned i = n; i-- > 0;) {
        const uint64_t at = began_ms + (seconds * 1000u >> i), now = loop_now_ms();

        if (now >= at && i && seconds >= LONG_S)
            continue; /* a short window was as long */
        if (now < at)
            loop_pause_ms((unsigned)(at - now));
        if (put_late_window(l, dirty, err) < 0)
            return -err->code;
    }
    return 0;
}

/* "content", and the first of the windows. */
static int look_first(struct look *l, unsigned seconds, json_t *reply, json_t *dirty, struct error *err)
{
    unsigned char full[SAMPLE_MOST];
    json_t *found;

    if (first_sweep(l, seconds, full, dirty, err) < 0)
        return -err->code;
    found = content(l, full, err);
    return found ? json_put(reply, "content", found) : -err->code;
}

/* {"domain" or "uuid", "seconds", "arch", "machine"}: "content" and "dirty", as facts have them */
int verb_measure_memory(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_DOMAIN d = verb_domain(c, args, err);
    OWNED_MEMORY unsigned char(*was)[SAMPLE_CHUNK] = calloc(SAMPLE_MOST, sizeof *was);
    OWNED_JSON dirty = json_array();
    struct look l = { .c = c, .domain = d, .was = was };
    const unsigned seconds = (unsigned)json_u64(args, "seconds", 1);
    virDomainInfo info;

    if (!d)
        return -err->code;
    if (!was || !dirty)
        return error_memory(err);
    if (virDomainGetInfo(d, &info) < 0)
        return libvirt_error(err, c->host, "could not ask for the domain's memory");
    l.memory_bytes = (uint64_t)info.maxMem * 1024u;
    if (place_some(&l, args, err) < 0 || look_first(&l, seconds, reply, dirty, err) < 0 ||
        watch(&l, seconds, dirty, err) < 0)
        return -err->code;
    return json_put(reply, "dirty", json_incref(dirty));
}
