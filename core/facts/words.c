/* SPDX-License-Identifier: Apache-2.0
 * The words that the model's enums have in JSON and in output, one table for both directions.
 * A word that is not in its table reads as the value that makes a plan most careful. */
#include "facts/words.h"
#include "base/text.h"

static const char *const disk_types[] = { "empty", "file", "block", "network", "volume", "dir", "other" };
static const char *const disk_devices[] = { "disk", "cdrom", "floppy", "lun" };
static const char *const sharings[] = { "not-proved", "proved", "denied" };
static const char *const severities[] = { "notes", "warns", "refuses" };
static const char *const runs[] = { "not-known", "running", "paused", "shutoff" };
static const char *const map_kinds[] = { "network", "storage", "other" };
static const char *const tristates[] = { "not-known", "no", "yes" };

#define WORDS(table, first_value, strange_value)                                                             \
    {                                                                                                        \
        .list = (table), .n = sizeof(table) / sizeof *(table), .first = (first_value),                       \
        .strange = (strange_value),                                                                          \
    }
const struct words words_disk_type = WORDS(disk_types, DISK_EMPTY, DISK_OTHER);
const struct words words_disk_device = WORDS(disk_devices, DEVICE_DISK, DEVICE_DISK);
const struct words words_sharing = WORDS(sharings, SHARING_NOT_PROVED, SHARING_NOT_PROVED);
const struct words words_severity = WORDS(severities, NOTES, REFUSES);
const struct words words_run = WORDS(runs, RUN_NOT_KNOWN, RUN_NOT_KNOWN);
const struct words words_map_kind = WORDS(map_kinds, MAP_NETWORK, MAP_OTHER);
const struct words words_tristate = WORDS(tristates, TRI_NOT_KNOWN, TRI_NOT_KNOWN);

const char *words_say(const struct words *w, int value)
{
    int i = value - w->first;

    return w->list[i >= 0 && (size_t)i < w->n ? i : w->strange - w->first];
}

int words_read(const struct words *w, const char *word)
{
    if (!word)
        return w->first;
    for (size_t i = 0; i < w->n; i++)
        if (text_equal(w->list[i], word))
            return w->first + (int)i;
    return w->strange;
}

const char *disk_type_word(enum disk_type t)
{
    return words_say(&words_disk_type, (int)t);
}

const char *disk_device_word(enum disk_device d)
{
    return words_say(&words_disk_device, (int)d);
}

const char *sharing_word(enum sharing s)
{
    return words_say(&words_sharing, (int)s);
}

const char *severity_word(enum severity s)
{
    return words_say(&words_severity, (int)s);
}

const char *run_word(enum domain_run r)
{
    return words_say(&words_run, (int)r);
}
