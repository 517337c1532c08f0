/* SPDX-License-Identifier: Apache-2.0
 * The loop: pieces begin while slots are free, what came back goes on, flushes overlap with the rest; only
 * when nothing moved does it wait. README.md has the algorithm. */
#include "copy/copy.h"
#include "copy/job.h"
#include <errno.h>
#include <inttypes.h>

#define LOST_MOST 5u
#define PROBE_BYTES 4096u

static bool may_begin(const struct job *j)
{
    return !j->is_lost && (!j->walk_is_over || j->has_piece);
}

/* As many pieces as there are slots for. */
static int begin_pieces(struct job *j, struct error *err)
{
    while (may_begin(j)) {
        int r = j->has_piece ? 1 : walk_next(&j->walk, &j->piece, err);

        if (r < 0)
            return r;
        j->has_piece = r > 0;
        j->walk_is_over = r == 0;
        if (r == 0)
            return 0;
        r = slot_begin(j, &j->piece, err);
        if (r <= 0)
            return r;
        j->has_piece = false;
    }
    return 0;
}

/* In the middle while the rest goes on; at the end once all is written. */
static int begin_flush(struct job *j, struct error *err)
{
    const bool is_last =
        j->walk_is_over && !j->has_piece && j->busy == 0 && j->now.safe_bytes < j->now.whole_bytes;

    if (j->is_flushing || j->is_lost || (!is_last && j->unflushed_bytes < j->flush_bytes))
        return 0;
    return slot_flush(j, err);
}

/* What one end has done; how many requests came back, or negative. After the first that failed the others are
 * only back: nobody waits for them any more. */
static int take_back(struct job *j, struct copy_end *e, struct error *err)
{
    struct ferry_request *done = NULL;
    int n = 0, failed = 0;

    if (end_reap(e, &done, err) < 0)
        return -err->code;
    for (struct ferry_request *next; done; done = next, n++) {
        struct slot *s = (struct slot *)(void *)done;

        next = done->next;
        if (failed < 0)
            s->is_busy = false;
        else
            failed = slot_next(j, s, err);
    }
    return failed < 0 ? failed : n;
}

/* What was written since the last flush is copied once more, from the source: nothing of it was kept. */
static int begin_again(struct job *j, struct error *err)
{
    j->lost_here = j->lost_at == j->now.safe_bytes ? j->lost_here + 1 : 1;
    j->lost_at = j->now.safe_bytes;
    j->now.lost_times++;
    if (j->lost_here > LOST_MOST) {
        error_set(err, ERROR_FAILED, NULL, "the storage of '%s' lost what was written %u times", j->to->name,
                  j->lost_here);
        return error_fix(err, "See why the server restarts.");
    }
    walk_begin(&j->walk, j->from, j->to->is.length_bytes, j->walk.block_bytes, j->walk.piece_bytes,
               j->now.safe_bytes);
    j->is_lost = j->walk_is_over = j->has_piece = false;
    j->unflushed_bytes = 0;
    return 0;
}

static int turn(struct job *j, struct error *err)
{
    const uint64_t safe = j->now.safe_bytes;
    int from, to;

    if (j->is_lost && j->busy == 0 && begin_again(j, err) < 0)
        return -err->code;
    if (begin_pieces(j, err) < 0 || begin_flush(j, err) < 0)
        return -err->code;
    from = take_back(j, j->from, err);
    to = from < 0 ? from : take_back(j, j->to, err);
    if (to < 0)
        return to;
    j->now.done_bytes = job_done_to(j);
    if (job_tell(j, j->now.safe_bytes > safe, err) < 0)
        return -err->code;
    if (from + to > 0)
        j->heard_ms = job_now_ms();
    return from + to > 0 || j->busy == 0 ? 0 : job_wait(j, err);
}

static bool is_reading(const struct slot *s)
{
    return s->is_busy && !s->is_parked && s->request.what == FERRY_READ;
}

/* The exact place of a read error, for the operator: the piece again, block by block. What is under way at
 * the source has to come back first. */
static void find_place(struct job *j, struct error *err)
{
    const struct ferry_request *failed = NULL;
    struct slot *s = NULL;
    struct error ignored = { 0 };
    uint64_t end;

    for (size_t i = 0; i + 1 < j->n_slots; i++) {
        const struct ferry_request *r = &j->slots[i].request;

        if (is_reading(&j->slots[i]))
            return;
        if (!j->slots[i].is_busy && r->what == FERRY_READ && r->error > 0 && !failed) {
            s = &j->slots[i];
            failed = r;
        }
    }
    if (!failed)
        return;
    end = s->offset + s->length;
    for (uint64_t at = s->offset; at < end; at += PROBE_BYTES) {
        struct ferry_request r = { .what = FERRY_READ,
                                   .offset_bytes = at,
                                   .length_bytes = end - at < PROBE_BYTES ? end - at : PROBE_BYTES,
                                   .buffer = s->buffer };

        if (end_do(j->from, &r, &ignored) != 0) {
            if (r.error > 0)
                (void)end_refused(j->from, &r, err);
            return;
        }
    }
}

/* Nothing new begins; what the source still has in hand comes back. */
static void drain_source(struct job *j)
{
    struct error ignored = { 0 };
    const uint64_t until = job_now_ms() + 5000;

    while (job_now_ms() < until) {
        struct ferry_request *done = NULL;
        bool is_waited_for = false;

        if (end_reap(j->from, &done, &ignored) < 0)
            return;
        for (; done; done = done->next)
            ((struct slot *)(void *)done)->is_busy = false;
        for (size_t i = 0; i + 1 < j->n_slots; i++)
            is_waited_for |= is_reading(&j->slots[i]);
        if (!is_waited_for)
            return;
        (void)end_wait(j->from, NULL, 100);
    }
}

static void clone_all(struct job *j)
{
    if (j->now.done_bytes == 0 && end_clone(j->from, j->to))
        j->now.done_bytes = j->now.safe_bytes = j->now.cloned_bytes = j->now.whole_bytes;
}

static int copy_all(struct job *j, struct error *err)
{
    uint64_t before = 0, after = 0;
    const bool is_known = end_changed(j->from, &before);

    clone_all(j);
    while (j->now.safe_bytes < j->now.whole_bytes || j->busy > 0)
        if (turn(j, err) < 0)
            return -err->code;
    if (is_known && !end_changed(j->from, &after)) {
        error_set(err, ERROR_TIMEOUT, NULL, "whether '%s' was changed while it was copied could not be asked",
                  j->from->name);
        return error_fix(err, "See whether its storage answers.");
    }
    if (is_known && before != after) {
        error_set(err, ERROR_STALE, NULL, "'%s' was changed while it was copied", j->from->name);
        return error_fix(err, "See who writes to it, then copy it again.");
    }
    return 0;
}

int copy_run(struct copy_end *from, struct copy_end *to, const struct copy_wants *wants,
             struct copy_progress *ret, struct error *err)
{
    struct job j;
    int r = job_begin(&j, from, to, wants, err);

    if (r == 0)
        r = copy_all(&j, err);
    if (r == -ERROR_FAILED && j.slots) {
        drain_source(&j);
        find_place(&j, err);
    }
    if (r == 0)
        r = verify_run(&j, err);
    if (r == 0)
        r = job_tell(&j, true, err);
    *ret = j.now;
    /* Before the buffers go: what is under way still writes into them. After a success nothing is, and who
     * has opened an image may want it locked for longer. */
    if (r < 0) {
        end_close(from);
        end_close(to);
    }
    job_end(&j);
    return r;
}
