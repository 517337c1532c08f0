/* SPDX-License-Identifier: Apache-2.0
 * A check in its child: what the child sets up, how the parent waits for it and what it makes of its end.
 * A plugin that dies takes the child with it; the next case goes on in a new one. */
#include "conform/trial.h"
#include "base/log.h"
#include "plugin/load.h"
#include "plugin/program.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

/* What a child may take besides the calls: loading, and looking. */
#define BESIDES_MS 20000u
/* A call that keeps to its limit by a timer of its own ends a little after it. */
#define GRACE_MS 500u
/* So many calls that do not return are enough of a check. */
#define MOST_LATE 2u

uint64_t trial_now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

static void note_args(struct trial_page *page, const char *format, va_list args)
{
    char *line;
    int n = 0;

    if (page->n_why >= TRIAL_WHYS)
        return;
    line = page->why[page->n_why];
    if (page->doing[0])
        n = snprintf(line, sizeof page->why[0], "%.*s: ", (int)sizeof page->doing - 1, page->doing);
    (void)vsnprintf(line + n, sizeof page->why[0] - (size_t)n, format, args);
    /* The same fault for each disk is one line. */
    for (unsigned i = 0; i < page->n_why; i++)
        if (strcmp(page->why[i], line) == 0)
            return;
    page->n_why++;
}

void trial_note(struct trial *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    note_args(t->page, format, args);
    va_end(args);
}

static void note_end(struct trial_page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note_end(struct trial_page *page, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    note_args(page, format, args);
    va_end(args);
}

/* ---- in the child ---- */

/* Output of the plugin goes nowhere, and is seen. */
static int catch_output(void)
{
    int empty = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int caught = memfd_create("virt-ferry-check", MFD_CLOEXEC);

    if (empty < 0 || caught < 0 || dup2(empty, 0) < 0 || dup2(caught, 1) < 0 || dup2(caught, 2) < 0)
        return -1;
    (void)close(empty);
    (void)close(caught);
    return 0;
}

static void take_driver(struct trial *t, bool is_transport, unsigned driver)
{
    if (is_transport && driver < t->entry.n_transports)
        t->transport = &t->entry.transports[driver];
    else if (!is_transport && driver < t->entry.n_storage)
        t->storage = &t->entry.storage[driver];
}

static __attribute__((noreturn)) void be_child(const struct conform_ask *ask, const struct trial_check *check,
                                               bool is_transport, unsigned driver, struct trial_page *page,
                                               unsigned from)
{
    static struct trial t;
    struct error err = { 0 };
    bool is_ready = false;

    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    log_open(NULL);
    /* What was freed reads as rubbish, at once. */
    (void)mallopt(M_PERTURB, 0xa5);
    t = (struct trial){ .ask = ask, .page = page, .fd = -1 };
    t.entry.path = strdup(ask->path);
    (void)snprintf(page->doing, sizeof page->doing, "loading it");
    if (!t.entry.path || catch_output() < 0)
        note_end(page, "the check itself could not begin: %s", strerror(errno));
    else if (load_plugin(&t.entry, &t.fd, &err) < 0 || chdir(page->folder) < 0)
        note_end(page, "it could not be loaded for the check: %s", err.what);
    else
        is_ready = check == &conform_loaded || !t.entry.refused;
    page->doing[0] = '\0';
    if (is_ready) {
        /* Before anything is counted. */
        t.libvirt = ask->libvirt ? ask->libvirt(ask->context) : NULL;
        t.may_keep = ask->libvirt || ask->location;
        take_driver(&t, is_transport, driver);
        for (unsigned i = from; i < check->cases; i++) {
            page->at = i;
            check->one(&t, i);
        }
    }
    page->doing[0] = '\0';
    page->is_done = 1;
    _exit(0);
}

/* ---- around each call ---- */

static unsigned count_names(const char *folder)
{
    OWNED_FD fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char bytes[4096];
    unsigned n = 0;
    ssize_t got;

    while (fd >= 0 && (got = getdents64(fd, bytes, sizeof bytes)) > 0)
        for (ssize_t at = 0; at < got; n++)
            at += ((const struct dirent64 *)(const void *)(bytes + at))->d_reclen;
    return n;
}

static off_t printed_bytes(void)
{
    struct stat st;

    (void)fflush(NULL);
    return fstat(1, &st) == 0 ? st.st_size : 0;
}

static void look(struct trial_state *s)
{
    const char *locale = setlocale(LC_ALL, NULL);

    memset(s, 0, sizeof *s);
    for (int i = 1; i < NSIG; i++)
        (void)sigaction(i, NULL, &s->signals[i]);
    (void)snprintf(s->locale, sizeof s->locale, "%s", locale ? locale : "");
    if (!getcwd(s->folder, sizeof s->folder))
        s->folder[0] = '\0';
    s->umask = umask(0);
    (void)umask(s->umask);
    s->threads = count_names("/proc/self/task");
    s->descriptors = count_names("/proc/self/fd");
}

void trial_begin(struct trial *t, enum trial_mood mood, uint64_t limit_ms, const char *format, ...)
{
    struct trial_call *c = &t->now;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(t->page->doing, sizeof t->page->doing, format, args);
    va_end(args);
    *c = (struct trial_call){ .mood = mood, .trial = t, .services = trial_services(mood) };
    c->host = (struct call_host){
        .host = "localhost", .libvirt = t->libvirt, .config = t->ask->config, .context = t->ask->context
    };
    if (call_begin(&c->call, &c->host, &t->entry, t->storage ? t->storage->name : t->transport->name, "vda",
                   NULL, &c->err) < 0)
        _exit(ERROR_MEMORY);
    t->printed = printed_bytes();
    look(&t->before);
    t->page->until_ms = trial_now_ms() + (t->ask->limit_ms ? t->ask->limit_ms : limit_ms + GRACE_MS);
}

static void note_printed(struct trial *t)
{
    char bytes[80];
    ssize_t n = pread(1, bytes, sizeof bytes - 1, t->printed);

    bytes[n > 0 ? n : 0] = '\0';
    trial_note(t, "prints to standard output or standard error: '%.*s'", (int)strcspn(bytes, "\n"), bytes);
}

void trial_end(struct trial *t)
{
    struct trial_state after;

    t->page->until_ms = 0;
    look(&after);
    if (printed_bytes() != t->printed)
        note_printed(t);
    for (int i = 1; i < NSIG; i++)
        if (after.signals[i].sa_handler != t->before.signals[i].sa_handler)
            trial_note(t, "changes the handler of signal %d (%s)", i, strsignal(i));
    if (strcmp(after.locale, t->before.locale) != 0)
        trial_note(t, "changes the locale to '%s'", after.locale);
    if (strcmp(after.folder, t->before.folder) != 0)
        trial_note(t, "changes the working directory to '%s'", after.folder);
    if (after.umask != t->before.umask)
        trial_note(t, "changes the umask to %03o", (unsigned)after.umask);
    if (after.threads > t->before.threads && !t->may_keep)
        trial_note(t, "leaves %u threads behind", after.threads - t->before.threads);
    if (after.descriptors > t->before.descriptors && !t->may_keep)
        trial_note(t, "leaves %u descriptors open", after.descriptors - t->before.descriptors);
    call_done(&t->now.call);
    t->page->doing[0] = '\0';
}

void trial_result(struct trial *t, int result)
{
    const struct trial_call *c = &t->now;

    if (result < -1 || result > 0)
        trial_note(t, "returns %d, and there are 0 and -1", result);
    if (result == -1 && (!c->call.error_was_set || !c->err.what[0]))
        trial_note(t, "returns -1 and sets no error");
    if (result == 0 && c->said_error)
        trial_note(t, "returns 0 and sets an error: '%s'", c->err.what);
}

/* ---- in the parent ---- */

static void told_by_status(struct trial_page *page, int status, bool is_late)
{
    if (is_late)
        note_end(page, "does not return in time and was killed");
    else if (WIFSIGNALED(status))
        note_end(page, "ends the process by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        note_end(page, "ends the process with exit code %d", WEXITSTATUS(status));
}

/* The child's exit; *ret_late: it was killed since its call took too long. */
static int wait_for(pid_t child, const struct trial_page *page, bool *ret_late)
{
    uint64_t beside = trial_now_ms() + BESIDES_MS;
    int status = 0;

    for (;;) {
        const uint64_t until = page->until_ms, now = trial_now_ms();
        pid_t got = waitpid(child, &status, WNOHANG);

        if (got == child || (got < 0 && errno != EINTR))
            break;
        if (until)
            beside = now + BESIDES_MS;
        if (!*ret_late && now > (until ? until : beside)) {
            *ret_late = true;
            (void)kill(child, SIGKILL);
        }
        (void)usleep(500);
    }
    /* Whatever it started. */
    (void)kill(-child, SIGKILL);
    return status;
}

static int make_folder(struct trial_page *page)
{
    (void)snprintf(page->folder, sizeof page->folder, "/tmp/virt-ferry-check.XXXXXX");
    return mkdtemp(page->folder) ? 0 : -1;
}

/* With whatever was made there. */
static void drop_folder(const struct trial_page *page)
{
    const char *const argv[] = { "rm", "-rf", "--", page->folder, NULL };
    struct ferry_command rm = { .size = sizeof rm, .timeout_ms = 5000, .argv = argv };
    struct error ignored = { 0 };

    (void)program_run(&rm, &ignored);
}

/* A child for the cases from *from on, which then says where the next one begins. */
static int run_from(const struct conform_ask *ask, const struct trial_check *check, bool is_transport,
                    unsigned driver, struct trial_page *page, unsigned *from)
{
    bool is_late = false;
    int status;
    pid_t child;

    page->until_ms = 0;
    page->is_done = 0;
    page->at = *from;
    page->doing[0] = '\0';
    (void)fflush(NULL);
    child = fork();
    if (child < 0)
        return -1;
    if (child == 0)
        be_child(ask, check, is_transport, driver, page, *from);
    status = wait_for(child, page, &is_late);
    if (!page->is_done)
        told_by_status(page, status, is_late);
    page->n_late += is_late;
    *from = page->is_done ? check->cases : page->at + 1;
    return 0;
}

int trial_run(const struct conform_ask *ask, const struct trial_check *check, bool is_transport,
              unsigned driver, struct trial_page *page, struct error *err)
{
    int result = 0;

    page->n_why = page->n_late = 0;
    page->skipped[0] = '\0';
    if (make_folder(page) < 0)
        return error_errno(err, NULL, "a folder for the check could not be made in /tmp");
    for (unsigned from = 0; from < check->cases && page->n_late < MOST_LATE && result == 0;)
        if (run_from(ask, check, is_transport, driver, page, &from) < 0)
            result = error_errno(err, NULL, "a process for the check could not be started");
    drop_folder(page);
    return result;
}
