/* SPDX-License-Identifier: Apache-2.0
 * `abort`: a run that lives on this client is asked to stop by a signal, and stops itself in order; the job
 * of another machine's run is ended at the source, and that run undoes what it had prepared. Nothing is
 * undone here: what died is recover's. */
#include "recovery/recovery.h"
#include "recovery/settle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

#define STOP_MS 120000u /* a guest that has switched to post-copy goes on until its memory is there */
#define JOB_END_MS 20000u
#define LOOK_EACH_MS 50u
#define SLOW_MS 2000u

struct abort {
    const struct recovery_options *o;
    struct loop *loop;
    char *dir;
    struct recovered *row;
    bool has_died; /* the run: its job may go on without it */
};

static void __attribute__((format(printf, 2, 3))) say(const struct abort *a, const char *format, ...)
{
    char line[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (a->o->say)
        a->o->say(a->o->context, line);
}

static bool is_of_domain(const struct abort *a, const json_t *begin)
{
    return text_equal(json_text(begin, "domain", ""), a->o->what) ||
           text_equal(json_text(begin, "uuid", ""), a->o->what);
}

/* Who wrote last that it works on it: a number, and no more until that process is seen to hold the file. */
static pid_t pid_in(const json_t *records)
{
    const json_t *by = recover_last_step(records, "recover");

    return (pid_t)json_u64(by ? by : recover_last_step(records, "begin"), "pid", 0);
}

/* Does that process have the journal open? Another may have got its number since. */
static bool has_open(pid_t pid, const char *path)
{
    char folder[64];
    struct stat journal, theirs;
    const struct dirent *entry;
    DIR *fds;
    bool found = false;

    (void)snprintf(folder, sizeof folder, "/proc/%d/fd", (int)pid);
    if (stat(path, &journal) < 0 || !(fds = opendir(folder)))
        return false;
    while (!found && (entry = readdir(fds)))
        found = fstatat(dirfd(fds), entry->d_name, &theirs, 0) == 0 && theirs.st_dev == journal.st_dev &&
                theirs.st_ino == journal.st_ino;
    (void)closedir(fds);
    return found;
}

/* By a descriptor of the process, so that the signal meets the one that was looked at. */
static int ask_process(const struct abort *a, const json_t *records, struct error *err)
{
    const pid_t pid = pid_in(records);
    OWNED_MEMORY char *path = NULL;
    OWNED_FD process = -1;

    if (asprintf(&path, "%s/runs/%s.journal", a->dir, a->row->run) < 0) {
        path = NULL;
        return error_memory(err);
    }
    process = pid > 0 ? pidfd_open(pid, 0) : -1;
    if (process < 0 || !has_open(pid, path)) {
        error_set(err, ERROR_FAILED, NULL, "the process of run '%s' cannot be seen from here", a->row->run);
        return error_fix(err, "Look for it in the container, or as the user, that it runs in: fuser '%s'.",
                         path);
    }
    say(a, "run %s, process %d, is asked to stop", a->row->run, (int)pid);
    return pidfd_send_signal(process, SIGTERM, NULL, 0) < 0
               ? error_errno(err, NULL, "could not signal the process %d", (int)pid)
               : 0;
}

/* One look each time; 1 = it still goes on. */
static int wait_for_end(const struct abort *a, uint64_t most_ms,
                        int (*goes_on)(const struct abort *a, void *), void *what, const char *slow,
                        struct error *err)
{
    const uint64_t began = loop_now_ms();
    bool is_told = false;
    int r;

    while ((r = goes_on(a, what)) > 0) {
        const uint64_t age = loop_now_ms() - began;

        if (loop_step(a->loop, (int)LOOK_EACH_MS, err) < 0)
            return -err->code;
        if (age > most_ms || loop_interrupts(a->loop) > 0) {
            error_set(err, ERROR_NOT_KNOWN, NULL, "it was asked to stop, and has not ended yet");
            return error_fix(err, "Look again later: virt-ferry recover --dry-run '%s'.", a->row->domain);
        }
        if (age > SLOW_MS && !is_told)
            say(a, "%s", slow);
        is_told = is_told || age > SLOW_MS;
    }
    return r;
}

static int run_goes_on(const struct abort *a, void *ret_records)
{
    json_t **records = ret_records;
    bool is_held = false;
    struct error err = { 0 };

    json_decref(*records);
    *records = journal_peek(a->dir, a->row->run, &is_held, &err);
    return *records && is_held;
}

static int tell_end(const struct abort *a, const json_t *records, struct error *err)
{
    const json_t *end = recover_last_step(records, "end");
    struct recovered *row = a->row;

    if (!end) {
        error_set(err, ERROR_NOT_KNOWN, NULL, "run '%s' has ended, and left something open", row->run);
        return error_fix(err, "Finish or undo it: virt-ferry recover %s.", row->run);
    }
    row->state = RECOVERED_SETTLED;
    row->outcome = text_equal(json_text(end, "outcome", ""), "moved") ? OUTCOME_MOVED : OUTCOME_STAYED;
    if (row->outcome == OUTCOME_STAYED)
        return 0;
    return error_set(err, ERROR_PROBLEMS, NULL, "it was too late: domain '%s' has moved to '%s'", row->domain,
                     row->dest_host);
}

static int stop_run(const struct abort *a, struct error *err)
{
    OWNED_JSON records = NULL;
    bool is_held = false;

    records = journal_peek(a->dir, a->row->run, &is_held, err);
    if (!records || ask_process(a, records, err) < 0 ||
        wait_for_end(a, STOP_MS, run_goes_on, &records,
                     "it has not ended yet; its own messages say what it waits for", err) < 0)
        return -err->code;
    return tell_end(a, records, err);
}

/* The run that holds the domain here. 1: found, and its journal is held; 0: none that lives. */
static int find_run(struct abort *a, struct error *err)
{
    OWNED_JSON runs = journal_list(a->dir, err);
    struct recovered *row = a->row;
    int found = 0;

    for (size_t i = json_array_size(runs); i-- > 0 && !found;) {
        const char *run = json_string_value(json_array_get(runs, i));
        bool is_held = false;
        struct error ignored = { 0 };
        OWNED_JSON records = journal_peek(a->dir, run, &is_held, &ignored);
        const json_t *begin = recover_last_step(records, "begin");

        if (!begin || recover_last_step(records, "end") || !is_of_domain(a, begin) ||
            text_equal(json_text(begin, "kind", ""), "survey"))
            continue;
        (void)snprintf(row->run, sizeof row->run, "%s", run);
        (void)snprintf(row->domain, sizeof row->domain, "%s", json_text(begin, "domain", ""));
        (void)snprintf(row->source_host, sizeof row->source_host, "%s", json_text(begin, "source_host", ""));
        (void)snprintf(row->dest_host, sizeof row->dest_host, "%s", json_text(begin, "dest_host", ""));
        a->has_died = !is_held;
        found = is_held;
        if (!is_held)
            break;
    }
    return runs ? found : -err->code;
}

/* ---- another machine's run ---- */

struct far_run {
    struct worker *source;
    json_t *state;
};

static int ask_state(struct far_run *f, json_t *args, struct error *err)
{
    json_decref(f->state);
    f->state = NULL;
    return worker_do(f->source, "state", args, ANSWER_MS, &f->state, err);
}

static int job_goes_on(const struct abort *a, void *far_run)
{
    struct far_run *f = far_run;
    struct error err = { 0 };

    return ask_state(f, json_pack("{ss}", "uuid", a->row->uuid), &err) < 0 ||
           json_flag(f->state, "has_job", false);
}

/* Is there a job of a run of ours that is not on this client? */
static int check_job(const struct abort *a, const json_t *state, struct error *err)
{
    if (!json_flag(state, "present", false))
        return error_set(err, ERROR_ABSENT, a->row->source_host, "no domain '%s'", a->o->what);
    if (!json_flag(state, "has_job", false) && a->has_died) {
        error_set(err, ERROR_NOT_KNOWN, NULL, "run '%s' of domain '%s' died, and no job goes on", a->row->run,
                  a->o->what);
        return error_fix(err, "Finish or undo what it left: virt-ferry recover %s.", a->row->run);
    }
    if (!json_flag(state, "has_job", false) && mark_in(state)) {
        mark_busy(mark_in(state), err);
        return error_why(err, "no job is in progress that could be aborted from here");
    }
    if (!json_flag(state, "has_job", false))
        return error_set(err, ERROR_ABSENT, a->row->source_host, "no run works on domain '%s'", a->o->what);
    if (mark_in(state))
        return 0;
    error_set(err, ERROR_REFUSED, a->row->source_host, "the job on domain '%s' is none of virt-ferry's",
              a->o->what);
    return error_fix(err, "See what it is: virsh domjobinfo '%s'; whoever began it can abort it.",
                     a->o->what);
}

static int abort_far(const struct abort *a, struct far_run *f, struct error *err)
{
    struct recovered *row = a->row;

    if (ask_state(f, json_pack("{ss}", "domain", a->o->what), err) < 0 || check_job(a, f->state, err) < 0)
        return -err->code;
    (void)snprintf(row->domain, sizeof row->domain, "%s", json_text(f->state, "name", ""));
    (void)snprintf(row->uuid, sizeof row->uuid, "%s", json_text(f->state, "uuid", ""));
    (void)snprintf(row->run, sizeof row->run, "%s", json_text(mark_in(f->state), "run", ""));
    (void)snprintf(row->client, sizeof row->client, "%s", json_text(mark_in(f->state), "host", ""));
    say(a, "run %s %s '%s'; libvirt is asked to end its job", row->run, a->has_died ? "died on" : "lives on",
        row->client);
    if (worker_do(f->source, "abort-job", json_pack("{ss}", "uuid", row->uuid), ANSWER_MS, NULL, err) < 0)
        return -err->code;
    if (wait_for_end(a, JOB_END_MS, job_goes_on, f, "libvirt has not ended the job yet", err) < 0)
        return -err->code;
    if (!text_equal(json_text(f->state, "state", ""), "running") &&
        !text_equal(json_text(f->state, "state", ""), "paused")) {
        error_set(err, ERROR_NOT_KNOWN, NULL, "the job ended, and domain '%s' is no longer on '%s'",
                  row->domain, row->source_host);
        return error_fix(err, "It may have moved already: see what run '%s' says on '%s'.", row->run,
                         row->client);
    }
    row->state = RECOVERED_SETTLED;
    row->outcome = OUTCOME_STAYED;
    return 0;
}

static int abort_at_source(const struct abort *a, struct error *err)
{
    struct survey s = {
        .loop = a->loop, .config = a->o->config, .source_uri = a->o->source_uri, .domain = a->o->what
    };
    struct far_run f = { .source = NULL };
    int r = survey_host_of_uri(s.source_uri, s.source_host, sizeof s.source_host, err);

    (void)snprintf(a->row->source_host, sizeof a->row->source_host, "%s", s.source_host);
    f.source = r < 0 ? NULL : survey_fresh(&s, false, err);
    r = f.source ? abort_far(a, &f, err) : -err->code;
    json_decref(f.state);
    worker_free(f.source);
    survey_done(&s);
    return r;
}

int run_abort(const struct recovery_options *o, struct recovered *ret, struct error *err)
{
    OWNED(loop) loop = loop_new(err);
    OWNED_MEMORY char *dir = loop ? state_dir(err) : NULL;
    struct abort a = { .o = o, .loop = loop, .dir = dir, .row = ret };
    int found;

    *ret = (struct recovered){ .state = RECOVERED_FAILED };
    if (!dir || name_check_domain(o->what, err) < 0)
        return -err->code;
    found = find_run(&a, err);
    if (found < 0)
        return found;
    return found ? stop_run(&a, err) : abort_at_source(&a, err);
}
