/* SPDX-License-Identifier: Apache-2.0
 * The way of one piece: read, then written run by run, zeroes left out. A slot has one request at a time; it
 * is the number of slots that keeps both ends busy. */
#include "copy/job.h"
#include "copy/zero.h"
#include <string.h>

/* Shorter runs of zeroes are written as they are, where zeroes have to be written at all. */
#define WORTH_ZEROING 65536u
#define ZERO_MOST (256u << 20)

static struct slot *free_slot(struct job *j, size_t first, size_t n)
{
    for (size_t i = first; i < first + n; i++)
        if (!j->slots[i].is_busy)
            return &j->slots[i];
    return NULL;
}

static int send_read(struct job *j, struct slot *s, struct error *err)
{
    s->request = (struct ferry_request){
        .what = FERRY_READ, .offset_bytes = s->offset, .length_bytes = s->length, .buffer = s->buffer
    };
    return end_submit(j->from, &s->request, err);
}

static int send_write(struct job *j, struct slot *s, uint32_t what, uint64_t length, struct error *err)
{
    s->request = (struct ferry_request){ .what = what,
                                         .offset_bytes = s->offset + s->done,
                                         .length_bytes = length,
                                         .buffer = what == FERRY_WRITE ? s->buffer + s->done : NULL };
    return end_submit(j->to, &s->request, err);
}

static void take(struct job *j, struct slot *s)
{
    s->is_busy = true;
    j->busy++;
}

/* Its buffer stays where it is until another piece takes it. */
static int give_back(struct job *j, struct slot *s)
{
    s->is_busy = false;
    j->taken &= ~s->units;
    s->units = 0;
    j->busy--;
    return 0;
}

static struct slot *slot_for(struct job *j, const struct piece *p)
{
    struct slot *s = p->is_zero || p->length > JOB_SMALL_BYTES ? NULL : free_slot(j, j->n_large, j->n_small);

    if (s)
        return s;
    s = free_slot(j, 0, j->n_large);
    return s && (p->is_zero || job_take_units(j, s, p->length)) ? s : NULL;
}

int slot_begin(struct job *j, const struct piece *p, struct error *err)
{
    struct slot *s;

    if (p->is_zero && j->reads_zero) {
        j->now.zero_bytes += p->length;
        return 1;
    }
    s = slot_for(j, p);
    if (!s)
        return 0;
    s->offset = p->offset;
    s->length = s->write_length = p->length;
    s->done = 0;
    take(j, s);
    if (!p->is_zero)
        return send_read(j, s, err) < 0 ? -err->code : 1;
    j->now.zero_bytes += p->length;
    return send_write(j, s, FERRY_ZERO, p->length < ZERO_MOST ? p->length : ZERO_MOST, err) < 0 ? -err->code
                                                                                                : 1;
}

int slot_flush(struct job *j, struct error *err)
{
    struct slot *s = &j->slots[j->n_slots - 1];

    s->offset = s->covers = job_done_to(j);
    s->length = s->done = 0;
    take(j, s);
    j->is_flushing = true;
    j->unflushed_bytes = 0;
    s->request = (struct ferry_request){ .what = FERRY_FLUSH };
    return end_submit(j->to, &s->request, err);
}

/* The run at s->done, as long as it is of one kind and worth a request of its own. */
static uint64_t run_of(const struct job *j, const struct slot *s, bool *ret_is_zero)
{
    size_t run = zero_run(s->buffer, s->write_length, s->done, ret_is_zero), more;
    bool is_zero;

    if (j->reads_zero || (*ret_is_zero && run >= WORTH_ZEROING))
        return run;
    *ret_is_zero = false;
    while (s->done + run < s->write_length) {
        more = zero_run(s->buffer, s->write_length, s->done + run, &is_zero);
        if (is_zero && more >= WORTH_ZEROING)
            break;
        run += more;
    }
    return run;
}

static int write_next(struct job *j, struct slot *s, struct error *err)
{
    while (s->done < s->write_length) {
        bool is_zero;
        const uint64_t run = run_of(j, s, &is_zero);

        if (!is_zero || !j->reads_zero) {
            if (is_zero)
                j->now.zero_bytes += run;
            return send_write(j, s, is_zero ? FERRY_ZERO : FERRY_WRITE, run, err);
        }
        j->now.zero_bytes += run;
        s->done += run;
    }
    return give_back(j, s);
}

/* The last bytes are filled up with zeroes where the destination goes on. */
static void pad(const struct job *j, struct slot *s)
{
    const uint64_t block = j->walk.block_bytes, end = s->offset + s->length;
    uint64_t room = j->to->is.length_bytes - end;

    if (end % block == 0)
        return;
    if (room > block - end % block)
        room = block - end % block;
    memset(s->buffer + s->length, 0, room);
    s->write_length = s->length + room;
}

static int flushed(struct job *j, struct slot *s)
{
    j->is_flushing = false;
    if (s->request.error == FERRY_LOST)
        j->is_lost = true;
    else if (s->covers > j->now.safe_bytes)
        j->now.safe_bytes = s->covers;
    return give_back(j, s);
}

/* The first of those under way writes, and no other. */
static int write_first(struct job *j, struct error *err)
{
    for (;;) {
        struct slot *first = NULL;

        for (size_t i = 0; i + 1 < j->n_slots; i++)
            if (j->slots[i].is_busy && (!first || j->slots[i].offset < first->offset))
                first = &j->slots[i];
        if (!first || !first->is_parked)
            return 0;
        first->is_parked = false;
        if (write_next(j, first, err) < 0)
            return -err->code;
    }
}

static int next(struct job *j, struct slot *s, struct error *err)
{
    const struct ferry_request *r = &s->request;

    if (r->error != 0 && !(r->what == FERRY_FLUSH && r->error == FERRY_LOST)) {
        (void)give_back(j, s);
        return end_refused(r->what == FERRY_READ ? j->from : j->to, r, err);
    }
    switch (r->what) {
    case FERRY_READ:
        j->now.read_bytes += s->length;
        pad(j, s);
        if (!j->to->in_order)
            return write_next(j, s, err);
        s->is_parked = true;
        return 0;
    case FERRY_WRITE:
        j->now.written_bytes += r->length_bytes;
        j->unflushed_bytes += r->length_bytes;
        s->done += r->length_bytes;
        job_keep(j, r->offset_bytes);
        return write_next(j, s, err);
    case FERRY_ZERO:
        s->done += r->length_bytes;
        j->unflushed_bytes++;
        if (s->length > s->room && s->done < s->length)
            return send_write(j, s, FERRY_ZERO,
                              s->length - s->done < ZERO_MOST ? s->length - s->done : ZERO_MOST, err);
        return s->done < s->write_length ? write_next(j, s, err) : give_back(j, s);
    default:
        return flushed(j, s);
    }
}

int slot_next(struct job *j, struct slot *s, struct error *err)
{
    if (next(j, s, err) < 0)
        return -err->code;
    return j->to->in_order ? write_first(j, err) : 0;
}
