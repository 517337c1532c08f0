/* SPDX-License-Identifier: Apache-2.0
 * The services that a plugin is tried with: those of call.c with a watch on them, on a host that is older,
 * and on one where nothing can be done. */
#include "base/text.h"
#include "conform/trial.h"
#include "plugin/load.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* The services that every host has: all before `run`. */
#define LEAST offsetof(struct ferry_services, run)

static struct trial_call *call_of(struct ferry_call *call)
{
    return (struct trial_call *)call;
}

/* As a service does that failed: the reason is its own, not the plugin's. */
static void could_not(struct ferry_call *call, const char *what)
{
    (void)error_set(call->err, ERROR_FAILED, NULL, "%s", what);
    call->error_was_set = true;
}

static void watch_error(struct ferry_call *call, const char *fix, const char *what_format, ...)
{
    char what[sizeof call->err->what];
    va_list args;

    va_start(args, what_format);
    (void)vsnprintf(what, sizeof what, what_format, args);
    va_end(args);
    call_services.error(call, fix, "%s", what);
    call_of(call)->said_error = true;
}

static void watch_log(struct ferry_call *call, const char *format, ...)
{
    char line[1024];
    va_list args;

    (void)call;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
}

static const char *watch_config(struct ferry_call *call, const char *key)
{
    return call_of(call)->mood == MOOD_FAILING ? NULL : call_services.config(call, key);
}

static const char *watch_text(struct ferry_call *call, const char *format, ...)
{
    OWNED_MEMORY char *made = NULL;
    va_list args;

    if (call_of(call)->mood == MOOD_FAILING) {
        could_not(call, "no memory left");
        return NULL;
    }
    va_start(args, format);
    if (vasprintf(&made, format, args) < 0)
        made = NULL;
    va_end(args);
    return made ? call_services.text(call, "%s", made) : NULL;
}

static void *watch_libvirt(struct ferry_call *call)
{
    struct trial_call *c = call_of(call);

    if (c->mood == MOOD_FAILING)
        could_not(call, "there is no connection");
    return c->mood == MOOD_FAILING ? NULL : call_services.libvirt(call);
}

static const char *watch_host(struct ferry_call *call)
{
    (void)call;
    return "localhost";
}

static void keep_record(struct trial_page *page, const char *what, const char *place, const char *name,
                        const char *identity)
{
    struct trial_record *r = &page->records[page->n_records];

    if (page->n_records == TRIAL_RECORDS)
        return;
    (void)snprintf(r->what, sizeof r->what, "%s", what);
    (void)snprintf(r->place, sizeof r->place, "%s", place);
    (void)snprintf(r->name, sizeof r->name, "%s", name);
    (void)snprintf(r->identity, sizeof r->identity, "%s", identity ? identity : "");
    r->has_identity = identity != NULL;
    page->n_records++;
}

static int watch_journal(struct ferry_call *call, const char *what, const char *place, const char *name,
                         const char *identity)
{
    struct trial_call *c = call_of(call);

    c->forbidden |= TRIAL_CALLED_JOURNAL;
    c->n_journalled++;
    if (!load_is_word(what) || !place || !name || !*name)
        trial_note(c->trial, "calls 'journal' without a word for the kind, a place and a name");
    else if (c->mood == MOOD_WILLING && !c->trial->journal_refuses) {
        keep_record(c->trial->page, what, place, name, identity);
        return 0;
    }
    could_not(call, "the journal cannot be written");
    return -1;
}

static void watch_finding(struct ferry_call *call, int severity, const char *id, const char *what,
                          const char *fix)
{
    struct trial_call *c = call_of(call);

    c->forbidden |= TRIAL_CALLED_FINDING;
    /* Without memory a text may be missing. */
    if (c->mood == MOOD_FAILING)
        return;
    if (severity < 1 || severity > 3)
        trial_note(c->trial, "adds a finding of severity %d, and there are 1, 2 and 3", severity);
    if (!load_is_word(id))
        trial_note(c->trial, "adds a finding whose id '%s' is not a word with dashes", id ? id : "");
    if (!what || !*what || !text_is_utf8(what) || (fix && !text_is_utf8(fix)))
        trial_note(c->trial, "adds a finding '%s' without a text in UTF-8", id ? id : "");
}

static int watch_program(struct ferry_call *call, struct ferry_command *command)
{
    struct trial_call *c = call_of(call);

    c->forbidden |= TRIAL_CALLED_PROGRAM;
    if (!command->argv || !command->argv[0] || command->timeout_ms == 0)
        trial_note(c->trial, "calls 'program' without words or without a limit of time");
    else if (c->mood != MOOD_FAILING)
        return call_services.program(call, command);
    could_not(call, "the program could not be started");
    return -1;
}

static int watch_run(struct ferry_call *call, struct ferry_command *command)
{
    for (const char *const *word = command->argv; word && *word; word++)
        for (const char *at = *word; *at; at++)
            if (*at < ' ' || *at > '~' || *at == '\'' || *at == '!') {
                trial_note(call_of(call)->trial, "calls 'run' with the word '%s', which a shell may misread",
                           *word);
                break;
            }
    could_not(call, "no command can be run there");
    return -1;
}

static void watch_no_answer(struct ferry_call *call)
{
    call_services.no_answer(call);
}

static const struct ferry_services watched = {
    .size = sizeof watched,
    .error = watch_error,
    .log = watch_log,
    .config = watch_config,
    .text = watch_text,
    .libvirt = watch_libvirt,
    .host = watch_host,
    .journal = watch_journal,
    .finding = watch_finding,
    .program = watch_program,
    .run = watch_run,
    .no_answer = watch_no_answer,
};

/* Ends where a page ends, and nothing lies behind it. */
static const struct ferry_services *shortest(void)
{
    static const struct ferry_services *made;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const uint32_t size = LEAST;
    char *at;

    if (made)
        return made;
    at = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED || mprotect(at + page, page, PROT_NONE) < 0)
        return &watched;
    at += page - size;
    memcpy(at, &watched, size);
    memcpy(at, &size, sizeof size);
    made = (const struct ferry_services *)(const void *)at;
    return made;
}

const struct ferry_services *trial_services(enum trial_mood mood)
{
    return mood == MOOD_OLD ? shortest() : &watched;
}
