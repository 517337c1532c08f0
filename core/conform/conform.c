/* SPDX-License-Identifier: Apache-2.0
 * The order of the checks, and what is told of each. No plugin is ever loaded in this process. */
#include "conform/conform.h"
#include "base/owned.h"
#include "conform/trial.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

struct run {
    const struct conform_ask *ask;
    struct trial_page *page;
    unsigned failed;
    bool anyone_claims; /* the location */
};

static void tell(struct run *r, const char *driver, const char *sentence)
{
    const char *why[TRIAL_WHYS];
    char whole[256];
    struct conform_line line = { .sentence = whole, .why = why };

    (void)snprintf(whole, sizeof whole, "%s%s%s", driver ? driver : "", driver ? ": " : "", sentence);
    for (; line.n_why < r->page->n_why && line.n_why < TRIAL_WHYS; line.n_why++) {
        r->page->why[line.n_why][sizeof r->page->why[0] - 1] = '\0';
        why[line.n_why] = r->page->why[line.n_why];
    }
    line.is_ok = line.n_why == 0;
    r->page->skipped[sizeof r->page->skipped - 1] = '\0';
    line.skipped = line.is_ok && r->page->skipped[0] ? r->page->skipped : NULL;
    r->failed += !line.is_ok;
    r->ask->tell(r->ask->context, &line);
}

static int run_one(struct run *r, const struct trial_check *check, struct error *err)
{
    if (trial_run(r->ask, check, false, 0, r->page, err) < 0)
        return -err->code;
    tell(r, NULL, check->sentence);
    return 0;
}

static int run_table(struct run *r, const struct trial_check *check, bool is_transport, unsigned driver,
                     struct error *err)
{
    const struct trial_driver *d = is_transport ? &r->page->transports[driver] : &r->page->storage[driver];
    char name[96];

    (void)snprintf(name, sizeof name, "%s driver '%.63s'", is_transport ? "transport" : "storage", d->name);
    for (; check->sentence; check++) {
        if ((d->has & check->needs) != check->needs)
            continue;
        if (trial_run(r->ask, check, is_transport, driver, r->page, err) < 0)
            return -err->code;
        tell(r, name, check->sentence);
    }
    return 0;
}

/* A name that nobody uses, the same for all steps. */
static int name_image(struct trial_page *page, struct error *err)
{
    uint64_t n;

    if (getrandom(&n, sizeof n, 0) != (ssize_t)sizeof n)
        return error_errno(err, NULL, "could not get random bytes");
    (void)snprintf(page->image, sizeof page->image, "virt-ferry-check-%016llx.raw", (unsigned long long)n);
    page->is_claimed = page->is_made = false;
    page->n_records = 0;
    return 0;
}

static int run_location(struct run *r, unsigned driver, struct error *err)
{
    if (name_image(r->page, err) < 0 || run_table(r, conform_location, false, driver, err) < 0)
        return -err->code;
    r->anyone_claims |= r->page->is_claimed;
    return 0;
}

static void tell_whether_claimed(struct run *r)
{
    r->page->n_why = r->anyone_claims ? 0 : 1;
    r->page->skipped[0] = '\0';
    (void)snprintf(r->page->why[0], sizeof r->page->why[0],
                   "no storage driver of it claims a disk at '%.700s', with the settings that are in force",
                   r->ask->location);
    tell(r, NULL, "the location is claimed by a driver");
}

static int run_all(struct run *r, struct error *err)
{
    if (run_one(r, &conform_loaded, err) < 0)
        return -err->code;
    if (r->failed)
        return 0;
    if (run_one(r, &conform_declared, err) < 0)
        return -err->code;
    for (unsigned i = 0; i < r->page->n_storage && i < TRIAL_DRIVERS; i++)
        if (run_table(r, conform_storage, false, i, err) < 0 ||
            (r->ask->location && run_location(r, i, err) < 0))
            return -err->code;
    for (unsigned i = 0; i < r->page->n_transports && i < TRIAL_DRIVERS; i++)
        if (run_table(r, conform_transport, true, i, err) < 0)
            return -err->code;
    if (r->ask->location)
        tell_whether_claimed(r);
    return 0;
}

int conform_run(const struct conform_ask *ask, unsigned *ret_failed, struct error *err)
{
    struct run r = { .ask = ask };
    int result;

    r.page = mmap(NULL, sizeof *r.page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (r.page == MAP_FAILED)
        return error_errno(err, NULL, "no memory to share with the checks");
    result = run_all(&r, err);
    (void)munmap(r.page, sizeof *r.page);
    *ret_failed = r.failed;
    return result;
}
