/* SPDX-License-Identifier: Apache-2.0
 * The way back: each journalled step undone, the newest first, when the guest stayed at its source. A step
 * that cannot be undone now is left in the journal, which then stays open for the next run. */
#include "recovery/settle.h"

#include "base/log.h"

#define REMOVE_MS 30000u

struct undo {
    struct move *m;
    struct worker *source, *dest; /* fresh, made when first needed */
    struct error first;           /* of what could not be undone */
    bool hit_dead;                /* on a host that is dead, as was attested */
    bool was_asked;               /* libvirt was: it may have copied */
    const json_t *left;           /* the newest record of what was not ours to remove */
};

static struct worker *worker_for(struct undo *u, bool is_dest, struct error *err)
{
    struct worker **w = is_dest ? &u->dest : &u->source;

    u->hit_dead = u->m->is_dead[is_dest];
    if (u->hit_dead) {
        error_set(err, ERROR_CONNECTION, is_dest ? u->m->survey.dest_host : u->m->survey.source_host,
                  "the host is dead, as was attested");
        return NULL;
    }
    if (!*w)
        *w = survey_fresh(&u->m->survey, is_dest, err);
    return *w;
}

static int ask_for(struct undo *u, bool is_dest, const char *verb, json_t *args, json_t **ret_reply,
                   struct error *err)
{
    struct worker *w = worker_for(u, is_dest, err);

    if (!w) {
        json_decref(args);
        return -err->code;
    }
    worker_journal_to(w, move_record_for_worker, u->m);
    return worker_do(w, verb, args, REMOVE_MS, ret_reply, err);
}

static int ask(struct undo *u, bool is_dest, const char *verb, json_t *args, struct error *err)
{
    return ask_for(u, is_dest, verb, args, NULL, err);
}

static bool is_of_dest(struct undo *u, const json_t *record)
{
    return text_equal(json_text(record, "host", ""), u->m->survey.dest_host);
}

static int undo_mark(struct undo *u, const json_t *record, struct error *err)
{
    (void)record;
    return ask(u, false, "mark-clear", json_pack("{ss ss}", "uuid", u->m->uuid, "run", u->m->run), err);
}

static int undo_autostart(struct undo *u, const json_t *record, struct error *err)
{
    (void)record;
    return ask(u, false, "autostart", json_pack("{ss sb}", "uuid", u->m->uuid, "on", 1), err);
}

static int undo_max_downtime(struct undo *u, const json_t *record, struct error *err)
{
    return ask(u, false, "max-downtime",
               json_pack("{ss sI}", "uuid", u->m->uuid, "ms", (json_int_t)json_u64(record, "old_ms", 300)),
               err);
}

static int undo_create(struct undo *u, const json_t *record, struct error *err)
{
    OWNED_JSON reply = NULL;

    if (ask_for(u, is_of_dest(u, record), "image-remove", json_deep_copy(record), &reply, err) < 0)
        return -err->code;
    if (!json_flag(reply, "left", false))
        return 0;
    /* One thing has a record before its creation and one after it. */
    if (!text_equal(json_text(u->left, "name", NULL), json_text(record, "name", "")) ||
        !text_equal(json_text(u->left, "place", NULL), json_text(record, "place", "")))
        move_say(u->m, "'%s' in '%s' on '%s' is left as it is: it is not what this run created",
                 json_text(record, "name", ""), json_text(record, "place", ""),
                 json_text(record, "host", ""));
    u->left = record;
    return 0;
}

/* Nothing of it is ours to remove. Before libvirt was asked nobody wrote to it. */
static int undo_overwrite(struct undo *u, const json_t *record, struct error *err)
{
    (void)err;
    if (u->was_asked)
        move_say(u->m, "what '%s' on '%s' held is gone, in part or in whole: disk '%s' was copied onto it",
                 json_text(record, "place", ""), json_text(record, "host", ""),
                 json_text(record, "target", ""));
    return 0;
}

static int undo_nonce(struct undo *u, const json_t *record, struct error *err)
{
    return ask(u, is_of_dest(u, record), "nonce-remove", json_deep_copy(record), err);
}

/* libvirt persists the definition before it starts the guest: what did not start may have left one behind.
 * The destination had no domain of that name or uuid when this began, so it is this run's. */
static int undo_migrate(struct undo *u, const json_t *record, struct error *err)
{
    struct side dest = look_at(u->m, true);

    (void)record;
    if (dest.state == SIDE_ABSENT)
        return 0;
    u->hit_dead = dest.state == SIDE_DEAD;
    if (dest.state != SIDE_OFF)
        return error_set(err, ERROR_NOT_KNOWN, u->m->survey.dest_host, "the destination was not seen empty");
    return ask(u, true, "undefine", json_pack("{ss}", "uuid", u->m->uuid), err);
}

static int undo_start_paused(struct undo *u, const json_t *record, struct error *err)
{
    struct worker *w = worker_for(u, false, err);

    (void)record;
    return w ? settle_stand_in(u->m, w, err) : -err->code;
}

static const struct {
    const char *step;
    int (*undo)(struct undo *u, const json_t *record, struct error *err);
} undos[] = {
    { "mark", undo_mark },       { "autostart-off", undo_autostart },   { "max-downtime", undo_max_downtime },
    { "create", undo_create },   { "overwrite", undo_overwrite },       { "nonce", undo_nonce },
    { "migrate", undo_migrate }, { "start-paused", undo_start_paused },
};

/* Nobody comes back for it: the operator is told what to remove by hand. */
static void tell_left(struct undo *u, const char *step, const json_t *record)
{
    const struct survey *s = &u->m->survey;
    const char *name = json_text(record, "name", json_text(record, "file", ""));
    const bool is_dest = text_equal(step, "migrate") || is_of_dest(u, record);

    if (text_equal(step, "migrate"))
        move_problem(u->m,
                     "'%s' may still define the domain: before anything else there, when it is back: virsh "
                     "undefine --keep-nvram '%s'",
                     s->dest_host, u->m->name);
    else if (text_equal(step, "create") || text_equal(step, "nonce"))
        move_problem(u->m, "'%s' in '%s' on '%s' is left: remove it when that host is back", name,
                     json_text(record, "place", "?"), is_dest ? s->dest_host : s->source_host);
    else
        move_problem(u->m, "on '%s', which is dead, step '%s' is not undone", s->source_host, step);
}

static void undo_one(struct undo *u, const json_t *record)
{
    const char *step = json_text(record, "step", "");

    for (size_t i = 0; i < sizeof undos / sizeof *undos; i++) {
        struct error err = { 0 };

        if (!text_equal(step, undos[i].step))
            continue;
        u->hit_dead = false;
        if (undos[i].undo(u, record, &err) < 0 && u->hit_dead) {
            tell_left(u, step, record);
        } else if (err.code) {
            log_event("run", "undo", "%s: %s: %s", step, err.what, err.why);
            if (!u->first.code)
                u->first = err;
        }
    }
}

/* In which image each disk of a relocation is, of a guest that runs or of one that is off. */
static int settle_images(struct move *m, struct error *err)
{
    return journal_last(m->journal, "definition") ? settle_definition(m, err) : settle_disks(m, err);
}

int undo_all(struct move *m, struct error *err)
{
    struct undo u = { .m = m };
    OWNED_JSON records = NULL;
    bool of_survey = false;

    if (!m->journal)
        return 0;
    /* Nothing of a copy that may go on is removed. */
    if (settle_images(m, err) < 0)
        return -err->code;
    records = json_copy((json_t *)(uintptr_t)journal_records(m->journal));
    if (!records || move_record(m, "undo", NULL, err) < 0)
        return records ? -err->code : error_memory(err);
    for (size_t i = json_array_size(records); i-- > 0;) {
        const json_t *record = json_array_get(records, i);
        const char *step = json_text(record, "step", "");

        u.was_asked = u.was_asked || text_equal(step, "migrate") || text_equal(step, "block-copy") ||
                      text_equal(step, "image-copy");
        /* A survey that ended well took down what it had made. */
        if (text_equal(step, "surveyed"))
            of_survey = !json_flag(record, "left", false);
        if (text_equal(step, "create") && settle_keeps(m, records, i))
            continue;
        if (!of_survey || (!text_equal(step, "nonce") && !text_equal(step, "create")))
            undo_one(&u, record);
    }
    worker_free(u.source);
    worker_free(u.dest);
    if (u.first.code) {
        *err = u.first;
        return -err->code;
    }
    return move_record(
        m, "end", json_pack("{ss}", "outcome", journal_last(m->journal, "pivoted") ? "relocated" : "stayed"),
        err);
}

void undo_look(struct move *m, int r)
{
    struct error undone = { 0 };

    if (!m->journal)
        return;
    loop_end_waits(m->loop, false);
    if (undo_all(m, &undone) < 0 && r == 0)
        move_say(m, "what the survey created is not all removed: %s: %s", undone.what, undone.why);
}

void undo_and_tell(struct move *m)
{
    struct error left = { 0 };

    if (undo_all(m, &left) < 0)
        move_problem(m,
                     "what was prepared is not all undone: %s%s%s; when that is gone: virt-ferry recover %s",
                     left.what, left.why[0] ? ": " : "", left.why, m->run);
}

int undo_given_up(struct move *m, struct error *err)
{
    loop_end_waits(m->loop, false);
    m->result->outcome = OUTCOME_STAYED;
    if (err->code == ERROR_CANCELLED)
        (void)move_cancelled(m, err);
    if (err->code == ERROR_CONNECTION || err->code == ERROR_LIBVIRT || err->code == ERROR_FAILED)
        (void)move_blame_way(m, err);
    undo_and_tell(m);
    return -err->code;
}
