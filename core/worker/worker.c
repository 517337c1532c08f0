/* SPDX-License-Identifier: Apache-2.0
 * The parent's end of a worker: fork, questions with a time limit, answers in order, death noticed.
 * A worker that died or was killed turns every open question into an error, never into an answer. */
#include "worker/worker.h"

#include "base/fault.h"
#include "base/log.h"
#include "worker/serve.h"
#include "worker/wire.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define GOODBYE_MS 200u

struct call {
    struct worker *worker; /* NULL once the worker is freed */
    struct call *next;     /* in the order of asking */
    char verb[40];
    uint64_t id, deadline_ms; /* 0 = none */
    json_t *reply;
    struct error err;
    bool over;
};

struct worker {
    struct loop *loop;
    struct worker_setup setup;
    pid_t pid;
    int fd;
    uint64_t last_id;
    struct call *open; /* unanswered, oldest first */
    bool is_busy;      /* left with a question open, or struck: no goodbye is waited for */
    struct wire_inbox in;
};

static void call_end(struct worker *w, struct call *c)
{
    struct call **at = &w->open;

    while (*at && *at != c)
        at = &(*at)->next;
    if (*at)
        *at = c->next;
    c->over = true;
    c->worker = NULL;
}

/* Every open question answers with why. */
static void worker_lost(struct worker *w, const struct error *why)
{
    loop_remove(w->loop, w->fd);
    while (w->open) {
        struct call *c = w->open;

        c->err = *why;
        call_end(w, c);
    }
    if (w->fd >= 0)
        (void)close(w->fd);
    w->fd = -1;
}

/* Before Linux 5.3 there is no descriptor of it. */
static void look_for_end(pid_t *pid)
{
    for (unsigned ms = 0; *pid > 0 && ms < GOODBYE_MS; ms += 2) {
        if (waitpid(*pid, NULL, WNOHANG) != 0)
            *pid = 0;
        else
            (void)usleep(2000);
    }
}

static void wait_for_end(pid_t *pid)
{
    const uint64_t until_ms = loop_now_ms() + GOODBYE_MS;
    struct pollfd one = { pidfd_open(*pid, 0), POLLIN, 0 };
    uint64_t now_ms;

    if (one.fd < 0) {
        look_for_end(pid);
        return;
    }
    while ((now_ms = loop_now_ms()) < until_ms && poll(&one, 1, (int)(until_ms - now_ms)) < 0 &&
           errno == EINTR)
        ;
    (void)close(one.fd);
}

static void reap(struct worker *w, bool by_force)
{
    if (w->pid <= 0)
        return;
    if (by_force)
        (void)kill(w->pid, SIGKILL);
    while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    w->pid = 0;
}

static void journal_for_worker(struct worker *w, const json_t *records)
{
    struct error err = { 0 };
    OWNED_JSON answer = json_object();
    int r = w->setup.journal
                ? w->setup.journal(w->setup.context, records, &err)
                : error_set(&err, ERROR_FAILED, NULL, "no run is there to journal what would be created");

    /* Without an answer the worker waits, creates nothing, and its question runs out of time. */
    if (answer && (r == 0 || json_put(answer, "error", json_of_error(&err)) == 0))
        (void)wire_send(w->fd, answer, &err);
}

static void answer_call(struct worker *w, const json_t *message)
{
    uint64_t id = json_u64(message, "id", 0);
    struct call *c = w->open;

    while (c && c->id != id)
        c = c->next;
    if (!c)
        return;
    if (json_child(message, "error"))
        json_to_error(json_child(message, "error"), &c->err);
    else
        c->reply = json_incref((json_t *)(uintptr_t)json_child(message, "reply"));
    log_event("worker", "answer", "%s %s: %s", w->setup.host, c->verb, c->reply ? "done" : c->err.what);
    call_end(w, c);
}

static void on_readable(void *context, uint32_t events)
{
    struct worker *w = context;
    struct error err = { 0 };
    int r = wire_fill(&w->in, w->fd, &err);

    (void)events;
    while (w->fd >= 0) {
        OWNED_JSON message = wire_next(&w->in, &err);

        if (!message)
            break;
        if (json_child(message, "journal"))
            journal_for_worker(w, json_child(message, "journal"));
        else
            answer_call(w, message);
    }
    if (r < 0 || err.code != 0) {
        snprintf(err.host, sizeof err.host, "%s", w->setup.host);
        worker_lost(w, &err);
    }
}

static void nothing(int number)
{
    (void)number;
}

/* Who stops a run, a service manager or pkill, tells all of its processes: what it means is the parent's to
 * say, and to do in order that takes the workers. A handler, since programs that a worker starts must not
 * inherit it. */
static void leave_user_signals_to_parent(void)
{
    const int theirs[] = { SIGINT, SIGTERM, SIGHUP };
    const struct sigaction deaf = { .sa_handler = nothing, .sa_flags = SA_RESTART };

    for (unsigned i = 0; i < sizeof theirs / sizeof theirs[0]; i++)
        (void)sigaction(theirs[i], &deaf, NULL);
}

static int start_child(struct worker *w, int theirs, struct error *err)
{
    pid_t parent = getpid();

    w->pid = fork();
    if (w->pid < 0)
        return error_errno(err, w->setup.host, "could not start a worker");
    if (w->pid == 0) {
        leave_user_signals_to_parent();
        loop_leave_child();
        /* Ctrl-C is for the parent to understand; and no worker outlives it. */
        (void)setpgid(0, 0);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        serve_child(theirs, &w->setup);
    }
    return 0;
}

struct worker *worker_start(struct loop *l, const struct worker_setup *setup, struct error *err)
{
    OWNED(worker) w = calloc(1, sizeof *w);
    struct timeval patience = { .tv_sec = 5 };
    int pair[2], r;

    if (!w) {
        error_memory(err);
        return NULL;
    }
    *w = (struct worker){ .loop = l, .setup = *setup, .fd = -1 };
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        error_errno(err, setup->host, "could not create a socket pair");
        return NULL;
    }
    w->fd = pair[0];
    (void)setsockopt(w->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    r = start_child(w, pair[1], err);
    (void)close(pair[1]);
    if (r < 0 || loop_add(l, w->fd, EPOLLIN, on_readable, w, err) < 0)
        return NULL;
    return HAND_OVER(w);
}

void worker_strike(struct worker *w)
{
    struct error err = { 0 };

    error_set(&err, ERROR_TIMEOUT, w->setup.host, "the question was given up");
    worker_lost(w, &err);
    w->is_busy = true;
    if (w->pid > 0)
        (void)kill(w->pid, SIGKILL);
}

void worker_kill(struct worker *w)
{
    worker_strike(w);
    reap(w, true);
}

void worker_leave(struct worker *w)
{
    struct error err = { 0 };

    if (!w || w->fd < 0)
        return;
    w->is_busy = w->open != NULL;
    error_set(&err, ERROR_TIMEOUT, w->setup.host, "the question was given up");
    worker_lost(w, &err);
}

void worker_free(struct worker *w)
{
    if (!w)
        return;
    worker_leave(w);
    /* An idle one sees its socket close and says goodbye to libvirt; that may hang too. */
    if (!w->is_busy && w->pid > 0)
        wait_for_end(&w->pid);
    reap(w, true);
    wire_inbox_done(&w->in);
    free(w);
}

pid_t worker_pid(const struct worker *w)
{
    return w->pid;
}

const char *worker_host(const struct worker *w)
{
    return w->setup.host;
}

void worker_journal_to(struct worker *w, int (*journal)(void *, const json_t *, struct error *),
                       void *context)
{
    w->setup.journal = journal;
    w->setup.context = context;
}

struct call *worker_ask(struct worker *w, const char *verb, json_t *args, uint64_t timeout_ms,
                        struct error *err)
{
    OWNED_JSON owned = args;
    OWNED(call) c = calloc(1, sizeof *c);
    OWNED_JSON message = json_object();

    if (!c || !message || json_put_text(message, "verb", verb) < 0 ||
        json_put_u64(message, "id", w->last_id + 1u) < 0 ||
        (owned && json_put(message, "args", json_incref(owned)) < 0)) {
        error_memory(err);
        return NULL;
    }
    if (w->fd < 0) {
        error_set(err, ERROR_CONNECTION, w->setup.host, "the connection was lost before");
        return NULL;
    }
    c->id = ++w->last_id;
    /* Tests with hosts that are emulated give them more time. */
    timeout_ms *= fault_figure("VIRT_FERRY_PATIENCE", 1);
    c->deadline_ms = timeout_ms ? loop_now_ms() + timeout_ms : 0;
    snprintf(c->verb, sizeof c->verb, "%s", verb);
    log_event("worker", "ask", "%s %s", w->setup.host, verb);
    if (wire_send(w->fd, message, err) < 0) {
        /* Half a question stands in the socket of one that does not read: nothing may follow it. */
        if (err->detail == EAGAIN)
            worker_kill(w);
        return NULL;
    }
    struct call **last = &w->open;
    while (*last)
        last = &(*last)->next;
    *last = c;
    c->worker = w;
    return HAND_OVER(c);
}

bool worker_has(const struct worker *w, const struct call *c)
{
    return c->over ? c->reply != NULL : c->worker == w;
}

bool call_is_over(struct call *c)
{
    struct worker *w = c->worker;

    if (!c->over && c->deadline_ms && loop_now_ms() >= c->deadline_ms) {
        struct error late = { 0 };

        error_set(&late, ERROR_TIMEOUT, w->setup.host, "no answer in time to '%s'", c->verb);
        error_fix(&late, "Look whether libvirtd answers there: virsh -c URI version.");
        c->err = late;
        call_end(w, c);
        /* What it hangs in cannot be ended but with the process. */
        worker_kill(w);
    }
    return c->over;
}

static int wait_until_over(struct call *c, struct error *err)
{
    while (!call_is_over(c)) {
        uint64_t now = loop_now_ms();
        int wait_ms = c->deadline_ms ? (int)(c->deadline_ms > now ? c->deadline_ms - now : 0) : 1000;

        if (loop_ends_waits(c->worker->loop)) {
            worker_kill(c->worker);
            return error_set(err, ERROR_CANCELLED, NULL, "cancelled");
        }
        if (loop_step(c->worker->loop, wait_ms, err) < 0)
            return -err->code;
    }
    return 0;
}

int call_wait(struct call *c, json_t **ret_reply, struct error *err)
{
    struct loop *loop = c->worker ? c->worker->loop : NULL;
    char what[sizeof c->verb + 300];
    const char *before;
    int r;

    if (loop) {
        (void)snprintf(what, sizeof what, "the answer of '%s' to '%s'", c->worker->setup.host, c->verb);
        before = loop_waits_for(loop, what);
        r = wait_until_over(c, err);
        (void)loop_waits_for(loop, before);
        if (r < 0)
            return r;
    }
    if (!c->reply) {
        *err = c->err;
        if (err->code == ERROR_NONE)
            error_set(err, ERROR_CONNECTION, NULL, "'%s' was answered with nothing", c->verb);
        return -err->code;
    }
    if (ret_reply)
        *ret_reply = json_incref(c->reply);
    return 0;
}

void call_free(struct call *c)
{
    if (!c)
        return;
    if (c->worker)
        call_end(c->worker, c);
    json_decref(c->reply);
    free(c);
}

int worker_do(struct worker *w, const char *verb, json_t *args, uint64_t timeout_ms, json_t **ret_reply,
              struct error *err)
{
    OWNED(call) c = worker_ask(w, verb, args, timeout_ms, err);

    return c ? call_wait(c, ret_reply, err) : -err->code;
}
