/* SPDX-License-Identifier: Apache-2.0
 * Looks at a copy every 10 ms while it may end soon, every 100 ms while it has long to go. How much room is
 * left is asked over a connection of its own, so that a slow server holds up nothing. */
#include "relocation/watch.h"

#include "base/log.h"
#include "facts/json.h"
#include <stdio.h>

#define SOON_MS 10
#define LATER_MS 100
#define ROOM_EVERY_MS 1000u
#define ROOM_LEAST (UINT64_C(16) << 20)
#define RATE_OVER_MS 500u
#define TREND_STEP (UINT64_C(256) << 10)

struct relocation_watch {
    struct move *m;
    uint64_t bytes; /* of the disks that are done */

    const struct disk *disk; /* in hand */
    char phase[96];
    struct relocation_trend trend;
    uint64_t done, total, rate, rate_at_ms, rate_done;
    bool said_late;

    struct worker *asking; /* how much room there is */
    struct call *room;
    uint64_t asked_ms, free_bytes; /* NOT_KNOWN */
};

struct relocation_watch *relocation_watch_new(struct move *m, struct error *err)
{
    struct relocation_watch *w = calloc(1, sizeof *w);

    if (!w) {
        error_memory(err);
        return NULL;
    }
    w->m = m;
    return w;
}

void relocation_watch_free(struct relocation_watch *w)
{
    if (!w)
        return;
    call_free(w->room);
    if (w->asking)
        worker_kill(w->asking);
    worker_free(w->asking);
    free(w);
}

uint64_t relocation_watch_bytes(const struct relocation_watch *w)
{
    return w->bytes;
}

/* ---- trend ---- */

void relocation_trend_begin(struct relocation_trend *t, uint64_t now_ms)
{
    *t = (struct relocation_trend){ .least_left = UINT64_MAX, .least_at_ms = now_ms };
}

bool relocation_trend_is_stuck(struct relocation_trend *t, uint64_t now_ms, uint64_t done_bytes,
                               uint64_t total_bytes)
{
    const uint64_t left = total_bytes > done_bytes ? total_bytes - done_bytes : 0;
    const uint64_t step = t->least_left / 100 < TREND_STEP ? t->least_left / 100 : TREND_STEP;

    /* Luck in one look is no progress. */
    if (t->least_left == UINT64_MAX || left < t->least_left - step) {
        *t = (struct relocation_trend){
            .least_left = left, .least_at_ms = now_ms, .done_then = done_bytes, .total_then = total_bytes
        };
        return false;
    }
    return now_ms - t->least_at_ms >= RELOCATION_STUCK_MS;
}

/* Not a byte in all that time: whatever the guest writes, it is the new place. */
static int give_up_on_place(const struct relocation_watch *w, struct error *err)
{
    error_set(err, ERROR_FAILED, w->m->survey.source_host, "the copy of disk '%s' stands still",
              w->disk->target);
    error_why(err, "for %s its new place took nothing, with %s left", MS_TEXT(RELOCATION_STUCK_MS),
              SIZE_TEXT(w->trend.least_left));
    return error_fix(err, "See whether that storage answers, then run the same command again.");
}

static int give_up_on_guest(struct relocation_watch *w, uint64_t now, struct error *err)
{
    const struct relocation_trend *t = &w->trend;
    const uint64_t ms = now - t->least_at_ms ? now - t->least_at_ms : 1;
    const uint64_t copied = (w->done - t->done_then) * 1000u / ms;
    const uint64_t written = w->total > t->total_then ? (w->total - t->total_then) * 1000u / ms : 0;

    error_set(err, ERROR_FAILED, w->m->survey.source_host, "the copy of disk '%s' does not catch up",
              w->disk->target);
    error_why(err, "for %s %s were left at the least; copied were %s, written by the guest %s", MS_TEXT(ms),
              SIZE_TEXT(t->least_left), RATE_TEXT(copied), RATE_TEXT(written));
    return error_fix(err,
                     "Let the guest wait for both images: --synchronous-writes; %sor do it when the guest "
                     "writes less.",
                     w->m->o->limits.bandwidth_bytes_per_s != NOT_KNOWN ? "give more --bandwidth; " : "");
}

enum relocation_beginning relocation_beginning_after(uint64_t ms)
{
    return ms >= RELOCATION_NEVER_MS  ? BEGINNING_NEVER
           : ms >= RELOCATION_LATE_MS ? BEGINNING_LATE
                                      : BEGINNING_SOON;
}

static int wait_for_beginning(struct relocation_watch *w, uint64_t now, struct error *err)
{
    switch (relocation_beginning_after(now - w->trend.least_at_ms)) {
    case BEGINNING_SOON:
        return 0;
    case BEGINNING_LATE:
        if (!w->said_late)
            move_say(w->m,
                     "QEMU has not begun to copy disk '%s' for %s: it looks for what the old image holds, or "
                     "the new place does not answer; Ctrl-C leaves the guest where it is",
                     w->disk->target, MS_TEXT(RELOCATION_LATE_MS));
        w->said_late = true;
        return 0;
    case BEGINNING_NEVER:
        break;
    }
    error_set(err, ERROR_FAILED, w->m->survey.source_host, "the copy of disk '%s' does not begin",
              w->disk->target);
    error_why(err, "for %s QEMU said nothing of how much there is to copy", MS_TEXT(RELOCATION_NEVER_MS));
    return error_fix(err, "See whether the storages of both images answer, then run the same command again.");
}

/* ---- room ---- */

static void ask_for_room(struct relocation_watch *w, uint64_t now)
{
    struct error ignored = { 0 };

    w->asked_ms = now;
    if (!w->asking)
        w->asking = survey_fresh(&w->m->survey, false, &ignored);
    if (!w->asking)
        return;
    worker_journal_to(w->asking, move_record_for_worker, w->m);
    w->room = worker_ask(w->asking, "relocation-room",
                         json_pack("{so ss}", "facts", facts_to_json(w->m->facts), "target", w->disk->target),
                         ANSWER_MS, &ignored);
    if (!w->room) {
        worker_free(w->asking);
        w->asking = NULL;
    }
}

static void hear_of_room(struct relocation_watch *w)
{
    struct error ignored = { 0 };
    OWNED_JSON reply = NULL;

    if (call_wait(w->room, &reply, &ignored) == 0) {
        w->free_bytes = json_u64(reply, "free_bytes", NOT_KNOWN);
    } else if (ignored.code == ERROR_TIMEOUT) {
        worker_free(w->asking);
        w->asking = NULL;
    }
    call_free(w->room);
    w->room = NULL;
}

static int no_room(struct relocation_watch *w, struct error *err)
{
    error_set(err, ERROR_SPACE, w->m->survey.source_host,
              "the new place of disk '%s' fills up: there is room for %s, and %s are left to copy",
              w->disk->target, SIZE_TEXT(w->free_bytes), SIZE_TEXT(w->total - w->done));
    return error_fix(err, "Free space there, or name another location; then run the same command again.");
}

static int watch_room(struct relocation_watch *w, uint64_t now, struct error *err)
{
    const struct disk *to = disk_relocation(w->disk);

    if (disk_is_device(to))
        return 0;
    if (w->room && call_is_over(w->room))
        hear_of_room(w);
    else if (!w->room && now - w->asked_ms >= ROOM_EVERY_MS)
        ask_for_room(w, now);
    if (w->free_bytes != NOT_KNOWN && w->free_bytes < ROOM_LEAST && w->total > w->done &&
        w->total - w->done > w->free_bytes)
        return no_room(w, err);
    return 0;
}

/* ---- progress ---- */

static void report(struct relocation_watch *w, uint64_t now)
{
    const struct run_progress p = { .phase = w->phase,
                                    .elapsed_ms = now - w->m->began_ms,
                                    .total_bytes = w->total,
                                    .processed_bytes = w->done,
                                    .remaining_bytes = w->total > w->done ? w->total - w->done : 0,
                                    .bytes_per_s = w->rate,
                                    .dirty_bytes_per_s = NOT_KNOWN,
                                    .pass = NOT_KNOWN };

    if (w->m->o->progress && w->total > 0)
        w->m->o->progress(w->m->o->context, &p);
}

static void take_rate(struct relocation_watch *w, uint64_t now)
{
    const uint64_t ms = now - w->rate_at_ms;

    if (ms < RATE_OVER_MS)
        return;
    w->rate = w->done > w->rate_done ? (w->done - w->rate_done) * 1000u / ms : 0;
    w->rate_at_ms = now;
    w->rate_done = w->done;
}

static int pause_ms(const struct relocation_watch *w)
{
    const uint64_t left = w->total > w->done ? w->total - w->done : 0;

    return w->rate != NOT_KNOWN && left > w->rate ? LATER_MS : SOON_MS;
}

/* ---- the copy's end ---- */

static int ended_by_itself(struct relocation_watch *w, struct error *err)
{
    const uint64_t now = loop_now_ms();

    if (!w->room)
        ask_for_room(w, now);
    if (w->room)
        hear_of_room(w);
    error_set(err, ERROR_FAILED, w->m->survey.source_host,
              "the copy of disk '%s' ended by itself: QEMU could not read the old image or write the new one",
              w->disk->target);
    if (w->free_bytes != NOT_KNOWN)
        error_why(err, "at the new place there is room for %s", SIZE_TEXT(w->free_bytes));
    return error_fix(err, "See /var/log/libvirt/qemu of the host for QEMU's words, mend the cause, and run "
                          "the same command again.");
}

/* 1: ready; 0: look again. */
static int judge(struct relocation_watch *w, const json_t *look, struct error *err)
{
    const json_t *one = json_array_get(json_child(look, "disks"), 0);
    const uint64_t now = loop_now_ms();

    if (!json_flag(look, "present", false) || !json_flag(look, "is_active", false))
        return error_set(err, ERROR_FAILED, w->m->survey.source_host,
                         "the guest ended while disk '%s' was copied", w->disk->target);
    if (json_flag(one, "has_job", false)) {
        w->done = json_u64(one, "done_bytes", w->done);
        w->total = json_u64(one, "total_bytes", w->total);
    } else if (!json_child(one, "mirror")) {
        return ended_by_itself(w, err);
    }
    take_rate(w, now);
    report(w, now);
    if (json_flag(one, "is_ready", false))
        return 1;
    if (w->total == 0)
        return wait_for_beginning(w, now, err);
    if (relocation_trend_is_stuck(&w->trend, now, w->done, w->total))
        return w->done == w->trend.done_then ? give_up_on_place(w, err) : give_up_on_guest(w, now, err);
    return watch_room(w, now, err);
}

int relocation_watch_until_ready(struct relocation_watch *w, const struct disk *d, struct error *err)
{
    int r;

    w->disk = d;
    w->done = w->total = 0;
    w->said_late = false;
    w->rate = w->free_bytes = NOT_KNOWN;
    w->rate_done = 0;
    w->rate_at_ms = w->asked_ms = loop_now_ms();
    (void)snprintf(w->phase, sizeof w->phase, "copying disk '%.60s'", d->target);
    relocation_trend_begin(&w->trend, loop_now_ms());
    for (;;) {
        OWNED_JSON look = NULL;

        if (worker_do(w->m->survey.source, "block-look",
                      json_pack("{ss s[s] sb}", "uuid", w->m->uuid, "targets", d->target, "is_brief", 1),
                      ANSWER_MS, &look, err) < 0)
            return -err->code;
        r = judge(w, look, err);
        if (r < 0)
            return r;
        if (r > 0)
            break;
        if (loop_step(w->m->loop, pause_ms(w), err) < 0 || move_not_interrupted(w->m, err) < 0)
            return -err->code;
    }
    w->bytes += w->done;
    return 0;
}
