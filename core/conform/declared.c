/* SPDX-License-Identifier: Apache-2.0
 * What a plugin says of itself, looked at without calling a driver. What load.c refuses is told in its words;
 * the rest is what a loaded plugin could still say wrongly. */
#include "base/text.h"
#include "conform/trial.h"
#include <stdio.h>
#include <string.h>

#define STORAGE_BITS                                                                                         \
    (FERRY_STORAGE_SHARES | FERRY_STORAGE_LOCKS | FERRY_STORAGE_READS_ZERO | FERRY_STORAGE_UNSAFE_OK |       \
     FERRY_STORAGE_BASES | FERRY_STORAGE_HEADS | FERRY_STORAGE_STREAMS)
#define CARRIES_BITS                                                                                         \
    (FERRY_CARRIES_DISKS | FERRY_CARRIES_P2P | FERRY_CARRIES_MULTIFD | FERRY_CARRIES_POSTCOPY |              \
     FERRY_CARRIES_VIA)
#define PROTECTS_BITS (FERRY_PROTECTS_AUTHENTICATION | FERRY_PROTECTS_ENCRYPTION)
#define LONGEST_LINE 200u

/* A line for a table: no control character, no direction mark, and not longer than a screen or two. */
static void look_at_line(struct trial *t, const char *whose, const char *member, const char *line)
{
    char safe[1024];

    if (strlen(line) > LONGEST_LINE)
        trial_note(t, "the %s of %s has more than %u bytes", member, whose, LONGEST_LINE);
    else if (strcmp(text_escape(safe, sizeof safe, line), line) != 0)
        trial_note(t, "the %s of %s is not one line of printable UTF-8: '%s'", member, whose, safe);
}

static void look_at_bits(struct trial *t, const char *whose, const char *member, uint32_t bits,
                         uint32_t known)
{
    if (bits & ~known)
        trial_note(t, "%s has bits in '%s' that have no meaning: 0x%x", whose, member,
                   (unsigned)(bits & ~known));
}

static bool is_scheme(const char *s)
{
    return *s >= 'a' && *s <= 'z' && s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789+-.")] == '\0';
}

static void look_at_storage(struct trial *t, size_t i)
{
    const struct ferry_storage *s = &t->entry.storage[i];
    char whose[96];

    (void)snprintf(whose, sizeof whose, "storage driver '%s'", s->name);
    look_at_line(t, whose, "summary", s->summary);
    look_at_bits(t, whose, "declares", s->declares, STORAGE_BITS);
    for (size_t j = 0; j < i; j++)
        if (strcmp(t->entry.storage[j].name, s->name) == 0)
            trial_note(t, "two storage drivers bear the name '%s'", s->name);
}

static void look_at_transport(struct trial *t, size_t i)
{
    const struct ferry_transport *one = &t->entry.transports[i];
    char whose[96];

    (void)snprintf(whose, sizeof whose, "transport driver '%s'", one->name);
    look_at_line(t, whose, "summary", one->summary);
    look_at_bits(t, whose, "carries", one->carries, CARRIES_BITS);
    look_at_bits(t, whose, "protects_control", one->protects_control, PROTECTS_BITS);
    look_at_bits(t, whose, "protects_data", one->protects_data, PROTECTS_BITS);
    if (!is_scheme(one->uri_scheme))
        trial_note(t, "the uri_scheme of %s cannot begin a URI: '%s'", whose, one->uri_scheme);
    if (one->control_port > UINT16_MAX)
        trial_note(t, "the control_port of %s is %u", whose, (unsigned)one->control_port);
    for (size_t j = 0; j < i; j++)
        if (strcmp(t->entry.transports[j].name, one->name) == 0)
            trial_note(t, "two transport drivers bear the name '%s'", one->name);
}

/* The parent has no plugin loaded: it goes by what is written here. */
static void write_drivers(const struct plugin_entry *e, struct trial_page *page)
{
    for (unsigned i = 0; i < e->n_storage && i < TRIAL_DRIVERS; i++) {
        const struct ferry_storage *s = &e->storage[i];

        (void)snprintf(page->storage[i].name, sizeof page->storage[i].name, "%s", s->name);
        page->storage[i].has = (s->identify ? TRIAL_HAS_IDENTIFY : 0) | (s->inspect ? TRIAL_HAS_INSPECT : 0) |
                               (s->check ? TRIAL_HAS_CHECK : 0) | (s->create ? TRIAL_HAS_CREATE : 0) |
                               (s->look_ahead ? TRIAL_HAS_LOOK_AHEAD : 0) | (s->open ? TRIAL_HAS_BLOCKS : 0);
        page->n_storage = i + 1;
    }
    for (unsigned i = 0; i < e->n_transports && i < TRIAL_DRIVERS; i++) {
        const struct ferry_transport *one = &e->transports[i];

        (void)snprintf(page->transports[i].name, sizeof page->transports[i].name, "%s", one->name);
        page->transports[i].has = (one->open ? TRIAL_HAS_OPEN : 0) | (one->check ? TRIAL_HAS_CHECK : 0) |
                                  (one->ended ? TRIAL_HAS_ENDED : 0);
        page->n_transports = i + 1;
    }
}

static void load(struct trial *t, unsigned i)
{
    (void)i;
    if (t->entry.refused)
        trial_note(t, "%s", t->entry.refused);
    else
        write_drivers(&t->entry, t->page);
}

static void declare(struct trial *t, unsigned i)
{
    (void)i;
    look_at_line(t, "the plugin", "summary", t->entry.plugin.summary);
    look_at_line(t, "the plugin", "version", t->entry.plugin.version);
    if (t->entry.n_storage + t->entry.n_transports == 0)
        trial_note(t, "it provides no driver");
    for (size_t j = 0; j < t->entry.n_storage; j++)
        look_at_storage(t, j);
    for (size_t j = 0; j < t->entry.n_transports; j++)
        look_at_transport(t, j);
}

const struct trial_check conform_loaded = {
    .sentence = "the file can be trusted, it loads, and its ABI, sizes, names and required members are there",
    .cases = 1,
    .one = load,
};
const struct trial_check conform_declared = {
    .sentence = "summaries are lines that can be printed, names are unique, and flags have a meaning",
    .cases = 1,
    .one = declare,
};
