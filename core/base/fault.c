/* SPDX-License-Identifier: Apache-2.0
 * Fault points, in builds for tests only: VIRT_FERRY_FAULT=ACTION:POINT:N[,…] is read at the first passage,
 * each entry counts the passages of its own point in this process. A setting that cannot be read aborts: a
 * test that armed nothing must not pass. */
#include "base/fault.h"

#ifdef FERRY_FAULTS

#include "base/text.h"
#include <signal.h>
#include <string.h>

#define FAULTS_MOST 16
#define SETTING_MOST 1024

static struct fault {
    char *action, *point;
    uint64_t at, passages;
} faults[FAULTS_MOST];
static size_t n_faults;
static char setting[SETTING_MOST];

static bool is_action(const char *word)
{
    return text_equal(word, "kill") || text_equal(word, "stop") || text_equal(word, "fail");
}

static void arm_one(char *entry)
{
    struct error err;
    char *rest = NULL, *at;
    struct fault f = { .action = strtok_r(entry, ":", &rest) };

    f.point = strtok_r(NULL, ":", &rest);
    at = strtok_r(NULL, ":", &rest);
    if (n_faults == FAULTS_MOST || !is_action(f.action) || !f.point || *rest ||
        text_parse_u64(at, UINT64_MAX, &f.at, &err) < 0 || f.at == 0)
        abort();
    faults[n_faults++] = f;
}

static void arm(void)
{
    const char *s = getenv("VIRT_FERRY_FAULT");
    char *rest = NULL;

    if (!s || !*s)
        return;
    if (strlen(s) >= sizeof setting)
        abort();
    memcpy(setting, s, strlen(s) + 1);
    for (char *entry = strtok_r(setting, ",", &rest); entry; entry = strtok_r(NULL, ",", &rest))
        arm_one(entry);
}

bool fault_point(const char *point)
{
    static bool is_armed;
    bool fails = false;

    if (!is_armed)
        arm();
    is_armed = true;
    for (struct fault *f = faults; f < faults + n_faults; f++) {
        if (!text_equal(f->point, point) || ++f->passages != f->at)
            continue;
        if (text_equal(f->action, "kill"))
            (void)raise(SIGKILL);
        else if (text_equal(f->action, "stop"))
            (void)raise(SIGSTOP);
        else
            fails = true;
    }
    return fails;
}

uint64_t fault_figure(const char *variable, uint64_t otherwise)
{
    const char *s = getenv(variable);
    uint64_t figure;
    struct error err;

    if (!s)
        return otherwise;
    if (text_parse_u64(s, UINT64_MAX, &figure, &err) < 0 || figure == 0)
        abort();
    return figure;
}

#else

/* A translation unit without a declaration is not ISO C. */
extern int fault_is_compiled_out;

#endif
