/* SPDX-License-Identifier: Apache-2.0
 * The parent's side of a copy: the journal, the worker, and what is done when it ends, however it ends. */
#include "relocation/image.h"

#include "base/log.h"
#include "base/text.h"
#include "facts/location.h"
#include "recovery/settle.h"
#include "state/journal.h"
#include "verbs/verbs.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KIND "copy"
#define CONNECT_MS 5000u
#define REMOVE_MS 60000u
/* How often a mark is written down that a later run could go on from. */
#define MARK_MS 1000u

struct copy_run {
    const struct image_wish *c;
    struct image_relocated *result;
    struct loop *loop;
    struct journal *journal;
    struct worker *worker;
    char *state_dir;
    char host[128];
    uint64_t began_ms, marked_ms, marked_bytes;
};

/* ---- what the worker tells ---- */

static void read_figures(const json_t *j, struct copy_progress *ret)
{
    *ret = (struct copy_progress){ .whole_bytes = json_u64(j, "whole_bytes", 0),
                                   .done_bytes = json_u64(j, "done_bytes", 0),
                                   .safe_bytes = json_u64(j, "safe_bytes", 0),
                                   .read_bytes = json_u64(j, "read_bytes", 0),
                                   .written_bytes = json_u64(j, "written_bytes", 0),
                                   .zero_bytes = json_u64(j, "zero_bytes", 0),
                                   .verified_bytes = json_u64(j, "verified_bytes", 0),
                                   .cloned_bytes = json_u64(j, "cloned_bytes", 0),
                                   .lost_times = (uint32_t)json_u64(j, "lost_times", 0) };
}

static int append(struct copy_run *r, const json_t *record, struct error *err)
{
    const char *step = json_text(record, "step", "");
    json_t *fields = json_deep_copy(record);

    if (!fields || json_object_del(fields, "step") < 0)
        return error_memory(err);
    return journal_append(r->journal, step, fields, err);
}

static int told(void *context, const json_t *record, struct error *err)
{
    struct copy_run *r = context;
    struct copy_progress *p = &r->result->figures;
    const uint64_t now = loop_now_ms();

    if (loop_interrupts(r->loop) > 0)
        return error_set(err, ERROR_CANCELLED, NULL, "the copy was cancelled");
    if (!text_equal(json_text(record, "step", ""), "copied"))
        return append(r, record, err);
    read_figures(record, p);
    if (r->c->progress)
        r->c->progress(r->c->context, p, now - r->began_ms);
    if (p->safe_bytes <= r->marked_bytes || now - r->marked_ms < MARK_MS)
        return 0;
    r->marked_bytes = p->safe_bytes;
    r->marked_ms = now;
    return append(r, record, err);
}

static void say(struct copy_run *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct copy_run *r, const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (r->c->say)
        r->c->say(r->c->context, line);
}

/* ---- the worker ---- */

/* libvirt is there for Ceph's driver, which asks it for the key, and for that of devices, which runs commands
 * on its host; files and NFS servers need none. */
static int start_worker(struct copy_run *r, struct error *err)
{
    const struct worker_setup setup = {
        .host = r->host, .verbs = verbs_copy, .config = r->c->config, .journal = told, .context = r
    };
    const bool needs_libvirt = location_kind_of(r->c->to) == LOCATION_RBD ||
                               location_kind_of(r->c->image) == LOCATION_RBD || r->c->overwrite;
    struct error ignored = { 0 };

    if (r->worker)
        return 0;
    r->worker = worker_start(r->loop, &setup, err);
    if (!r->worker)
        return -err->code;
    if (needs_libvirt &&
        worker_do(r->worker, "connect", json_pack("{ss}", "uri", r->c->uri), CONNECT_MS, NULL, &ignored) < 0)
        log_event("copy", "connect", "%s: %s", ignored.what, ignored.why);
    return 0;
}

/* ---- the way back ---- */

/* The newest first. What is not this run's is left, as its driver says. */
static int remove_made(struct copy_run *r, struct error *err)
{
    OWNED_JSON records = json_copy((json_t *)(uintptr_t)journal_records(r->journal));

    worker_free(r->worker);
    r->worker = NULL;
    if (!records)
        return error_memory(err);
    if (start_worker(r, err) < 0)
        return -err->code;
    for (size_t i = json_array_size(records); i-- > 0;) {
        const json_t *record = json_array_get(records, i);

        if (text_equal(json_text(record, "step", ""), "create") &&
            worker_do(r->worker, "image-remove", json_deep_copy(record), REMOVE_MS, NULL, err) < 0)
            return -err->code;
    }
    return journal_append(r->journal, "end", json_pack("{ss}", "outcome", "undone"), err);
}

/* Only where the storage went away is there something to go on from. */
static bool may_go_on(const struct copy_run *r, int code)
{
    return code == -ERROR_TIMEOUT && r->result->figures.safe_bytes > 0;
}

static int undo(struct copy_run *r, int code, struct error *err)
{
    struct error undone = { 0 };

    if (may_go_on(r, code)) {
        (void)error_fix(err, "%s%sRun the same command again: it goes on at %s.", err->fix,
                        err->fix[0] ? " " : "", SIZE_TEXT(r->result->figures.safe_bytes));
        return code;
    }
    if (remove_made(r, &undone) < 0)
        say(r, "what this run made is not all removed: %s: %s", undone.what, undone.why);
    return code;
}

/* ---- a copy that was killed ---- */

static bool is_of_image(const struct copy_run *r, const json_t *begin)
{
    return text_equal(json_text(begin, "kind", ""), KIND) &&
           text_equal(json_text(begin, "image", ""), r->c->image);
}

static bool is_same(const struct copy_run *r, const json_t *begin)
{
    return is_of_image(r, begin) && text_equal(json_text(begin, "to", ""), r->c->to) &&
           text_equal(json_text(begin, "image_format", NULL), r->c->image_format) &&
           text_equal(json_text(begin, "format", NULL), r->c->format);
}

static int refuse_living(const struct copy_run *r, const char *run, const json_t *begin, struct error *err)
{
    error_set(err, ERROR_BUSY, NULL, "run '%s' is copying '%s' to '%s'", run, ESCAPED(r->c->image),
              ESCAPED(json_text(begin, "to", "?")));
    return error_fix(err, "Wait until it has ended, or stop it: Ctrl-C where it runs.");
}

/* An open journal of this very copy that nobody holds: r->journal, or NULL. One image is copied by one run at
 * a time, wherever to. */
static int find_dead(struct copy_run *r, struct error *err)
{
    OWNED_JSON runs = journal_list(r->state_dir, err);
    const json_t *run;
    size_t i;

    if (!runs)
        return -err->code;
    json_array_foreach(runs, i, run)
    {
        const char *name = json_string_value(run);
        struct error unreadable = { 0 };
        bool is_held = false;
        OWNED_JSON records = journal_peek(r->state_dir, name, &is_held, &unreadable);
        const json_t *begin = recover_last_step(records, "begin");

        if (is_held && is_of_image(r, begin))
            return refuse_living(r, name, begin, err);
        if (!is_same(r, begin))
            continue;
        r->journal = journal_open(r->state_dir, name, err);
        if (!r->journal)
            return -err->code;
        if (!journal_is_ended(r->journal)) {
            (void)snprintf(r->result->run, sizeof r->result->run, "%s", name);
            return 0;
        }
        journal_free(r->journal);
        r->journal = NULL;
    }
    return 0;
}

/* What the dead run has for this one; NULL: nothing, and what it made is removed. */
static json_t *take_over(struct copy_run *r, struct error *err)
{
    const json_t *copying = journal_last(r->journal, "copying"), *copied = journal_last(r->journal, "copied");
    json_t *resume;

    if (!copying || !copied || json_u64(copied, "safe_bytes", 0) == 0) {
        (void)remove_made(r, err);
        journal_free(r->journal);
        r->journal = NULL;
        r->result->run[0] = '\0';
        return NULL;
    }
    resume = json_pack("{sI sI sb}", "safe_bytes", (json_int_t)json_u64(copied, "safe_bytes", 0), "changed",
                       (json_int_t)json_u64(copying, "changed", 0), "was_empty",
                       (int)json_flag(copying, "was_empty", false));
    if (!resume)
        (void)error_memory(err);
    else
        say(r, "run %s of this copy was interrupted; it goes on at %s", r->result->run,
            SIZE_TEXT(json_u64(copied, "safe_bytes", 0)));
    r->result->was_resumed = resume != NULL;
    return resume;
}

/* ---- the whole ---- */

static int begin_journal(struct copy_run *r, struct error *err)
{
    if (name_new_run(r->result->run, err) < 0)
        return -err->code;
    r->journal = journal_create(r->state_dir, r->result->run, err);
    if (!r->journal)
        return -err->code;
    return journal_append(r->journal, "begin",
                          json_pack("{ss ss sI ss ss ss* ss* ss ss ss ss ss}", "kind", KIND, "client",
                                    r->host, "pid", (json_int_t)getpid(), "image", r->c->image, "to",
                                    r->c->to, "image_format", r->c->image_format, "format", r->c->format,
                                    "source_uri", r->c->uri, "source_host", r->host, "dest_uri", "",
                                    "dest_host", "", "domain", ""),
                          err);
}

static int ask(struct copy_run *r, json_t *resume, struct error *err)
{
    OWNED_JSON reply = NULL;
    json_t *args = json_pack("{ss ss ss* ss* ss* sb so*}", "image", r->c->image, "to", r->c->to,
                             "image_format", r->c->image_format, "format", r->c->format, "verify",
                             r->c->verify, "overwrite", (int)r->c->overwrite, "resume", resume);
    int code = args ? worker_do(r->worker, "copy", args, 0, &reply, err) : error_memory(err);

    if (code < 0)
        return undo(r, code, err);
    read_figures(reply, &r->result->figures);
    (void)snprintf(r->result->dest, sizeof r->result->dest, "%s", json_text(reply, "to", ""));
    return journal_append(r->journal, "end", json_pack("{ss}", "outcome", "copied"), err);
}

static int run(struct copy_run *r, struct error *err)
{
    json_t *resume = NULL;

    if (find_dead(r, err) < 0)
        return -err->code;
    if (r->journal)
        resume = take_over(r, err);
    if (err->code)
        return -err->code;
    if ((!r->journal && begin_journal(r, err) < 0) || start_worker(r, err) < 0) {
        json_decref(resume);
        return -err->code;
    }
    return ask(r, resume, err);
}

int relocate_image(const struct image_wish *c, struct image_relocated *ret, struct error *err)
{
    OWNED(loop) loop = loop_new(err);
    struct copy_run r = { .c = c, .result = ret, .loop = loop, .began_ms = loop_now_ms() };
    int code;

    *ret = (struct image_relocated){ .run = "" };
    if (!loop || !(r.state_dir = state_dir(err)))
        return -err->code;
    (void)this_host(r.host, sizeof r.host);
    code = run(&r, err);
    ret->time_ms = loop_now_ms() - r.began_ms;
    worker_free(r.worker);
    journal_free(r.journal);
    free(r.state_dir);
    return code;
}
