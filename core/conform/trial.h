/* SPDX-License-Identifier: Apache-2.0
 * One check of a plugin in a child process of its own: the page that child and parent share, what is watched
 * around each call, and the services that the plugin is given. */
#ifndef CONFORM_TRIAL_H
#define CONFORM_TRIAL_H

#include "conform/conform.h"
#include "plugin/call.h"
#include <limits.h>
#include <signal.h>

#define TRIAL_WHYS 12u
#define TRIAL_DRIVERS 64u
#define TRIAL_RECORDS 8u
#define TRIAL_QUESTION_MS 5000u
#define TRIAL_OPEN_MS 7000u
#define TRIAL_CREATION_MS 60000u

struct trial_record {
    char what[64], place[1024], name[512], identity[1024];
    bool has_identity;
};

/* Written by the child. It lives for the whole run, so that what one child made the next one removes. */
struct trial_page {
    volatile uint64_t until_ms; /* of the call in progress, 0 = none */
    volatile unsigned at;       /* the case in hand */
    volatile unsigned is_done;
    char doing[400];
    unsigned n_late; /* how many children were killed */
    unsigned n_why;
    char why[TRIAL_WHYS][900];
    char skipped[200];
    char folder[64]; /* ours, empty when a check begins */
    /* What the first child found. */
    unsigned n_storage, n_transports;
    struct trial_driver {
        char name[64];
        unsigned has; /* TRIAL_HAS_* */
    } storage[TRIAL_DRIVERS], transports[TRIAL_DRIVERS];
    /* The image at the location. */
    char image[80]; /* its name there */
    bool is_claimed, is_made;
    unsigned n_records;
    struct trial_record records[TRIAL_RECORDS];
};
#define TRIAL_HAS_IDENTIFY 1u
#define TRIAL_HAS_INSPECT 2u
#define TRIAL_HAS_CHECK 4u
#define TRIAL_HAS_CREATE 8u
#define TRIAL_HAS_OPEN 16u
#define TRIAL_HAS_LOOK_AHEAD 32u
#define TRIAL_HAS_BLOCKS 64u
#define TRIAL_HAS_ENDED 128u

enum trial_mood {
    MOOD_WILLING, /* what a worker without libvirt gives */
    MOOD_OLD,     /* the shortest table that a host may have; what lies beyond it is no memory */
    MOOD_FAILING, /* no service can do anything, and there is no memory */
    MOODS,
};

/* What must be the same before and after a call. */
struct trial_state {
    struct sigaction signals[NSIG];
    char locale[200], folder[PATH_MAX];
    mode_t umask;
    unsigned threads, descriptors;
};

/* The call in progress. `call` is first: the services know it by that. */
struct trial_call {
    struct ferry_call call;
    struct call_host host;
    struct error err;
    enum trial_mood mood;
    struct trial *trial;
    const struct ferry_services *services;
    bool said_error;    /* the plugin itself did */
    unsigned forbidden; /* what it called that it may not: TRIAL_CALLED_* */
    unsigned n_journalled;
};
#define TRIAL_CALLED_JOURNAL 1u
#define TRIAL_CALLED_FINDING 2u
#define TRIAL_CALLED_PROGRAM 4u

struct trial {
    const struct conform_ask *ask;
    struct trial_page *page;
    struct plugin_entry entry;
    int fd;
    const struct ferry_storage *storage; /* the driver at hand; NULL for the other kind */
    const struct ferry_transport *transport;
    struct trial_state before;
    off_t printed;
    void *libvirt;        /* NULL = drivers get none */
    bool may_keep;        /* storage can be reached, and a connection to it may stay open */
    bool journal_refuses; /* and else agrees */
    struct trial_call now;
};

/* A row of a table of checks; `one` is called for each case, again in a new child after one that died. */
struct trial_check {
    const char *sentence;
    unsigned needs; /* TRIAL_HAS_* */
    unsigned cases;
    void (*one)(struct trial *t, unsigned i);
};
extern const struct trial_check conform_loaded, conform_declared;
extern const struct trial_check conform_storage[], conform_transport[],
    conform_location[]; /* end: one NULL */

/* Runs a check in children, until all cases were tried. page->n_why and page->skipped say what came of it;
 * -1 with the error when no child could be had. transport: driver is one. */
int trial_run(const struct conform_ask *ask, const struct trial_check *check, bool is_transport,
              unsigned driver, struct trial_page *page, struct error *err);

/* In the child. What is wrong is noted with what was being done before it. */
void trial_note(struct trial *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Before and after a call of the plugin; between them page->doing says which, with what. */
void trial_begin(struct trial *t, enum trial_mood mood, uint64_t limit_ms, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void trial_end(struct trial *t);
/* After trial_begin and before trial_end: a result of 0 or -1 and the error that belongs to it. */
void trial_result(struct trial *t, int result);

/* Texts that the plugin gave are looked at twice, with stack and heap written over in between. */
struct trial_text {
    const char *member, *text;
};
void trial_texts(struct trial *t, const struct trial_text *texts, size_t n);

/* blocks.c, between trial_begin and trial_end: writes to an empty image of that length and reads it back. */
void trial_blocks(struct trial *t, const struct ferry_disk *d, uint64_t bytes);

/* The table of a mood. */
const struct ferry_services *trial_services(enum trial_mood mood);
uint64_t trial_now_ms(void);

/* ---- disks ---- */

/* Where the user said that images may be made; texts are static. */
void trial_disk_at(const struct trial *t, struct ferry_disk *ret);

struct trial_disk {
    const char *about; /* "a file", for the sentence */
    struct ferry_disk disk;
};
#define TRIAL_DISKS 16u
/* The i-th disk; texts are static, `folder` is where a file on this machine may be. */
void trial_disk(unsigned i, const char *folder, struct trial_disk *ret);

#endif
