/* SPDX-License-Identifier: Apache-2.0
 * A device's identity out of sysfs: its WWN or serial; a partition's is its disk's with a number; that of a
 * volume of LVM is LVM's own uuid together with what its physical volumes are, since a disk that was cloned
 * has all uuids of the first. Paths and device numbers are none. */
#include "device-words.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MOST_PARTS 32
#define WORD_SIZE 256
#define SHORTEST_SERIAL 8
#define SHORTEST_WWN 16
#define LVM_UUID 64 /* of the group and of the volume, one behind the other */
#define IDENTITY_OF_PART 400

/* One device of the answer: the first is the disk's own, the others are what it rests on. */
struct part {
    char name[WORD_SIZE], wwid[WORD_SIZE], serial[WORD_SIZE], vendor[WORD_SIZE], model[WORD_SIZE],
        dm[WORD_SIZE];
    unsigned partition;
};

struct answer {
    struct part parts[MOST_PARTS];
    size_t n;
    bool is_too_long, ended;
};

/* ---- weak words ---- */

static bool is_one_character(const char *s)
{
    char first = 0;

    for (; *s; s++) {
        if (strchr(" -_.:", *s))
            continue;
        if (!first)
            first = *s;
        else if (*s != first)
            return false;
    }
    return true;
}

bool device_serial_is_weak(const char *serial)
{
    static const char *const beginnings[] = {
        "QM000",   "drive-", "0123456789",    "123456789", "deadbeef", "none",
        "unknown", "n/a",    "not specified", "default",   "serial",   "to be filled",
    };

    if (strlen(serial) < SHORTEST_SERIAL || is_one_character(serial))
        return true;
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++)
        if (strncasecmp(serial, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

static bool is_hex(const char *s)
{
    return *s && s[strspn(s, "0123456789abcdefABCDEF")] == '\0';
}

/* ---- identities ---- */

static void lower(char *s)
{
    for (; *s; s++)
        *s = (char)tolower((unsigned char)*s);
}

/* kind:HEX. false: it is none, or one that is not the only one of its kind. */
static bool hex_identity(const char *kind, const char *hex, char ret[IDENTITY_OF_PART])
{
    /* NAA 3 is "locally assigned": two hosts may each have given it. */
    if (!is_hex(hex) || strlen(hex) < SHORTEST_WWN || is_one_character(hex + 1) ||
        (strcmp(kind, "wwn") == 0 && *hex == '3'))
        return false;
    (void)snprintf(ret, IDENTITY_OF_PART, "%s:%.200s", kind, hex);
    lower(ret);
    return true;
}

/* Words with one underscore between them, as multipath writes them. */
static void join_words(const char *from, char *to, size_t size)
{
    size_t n = 0;

    for (; *from && n + 1 < size; from++) {
        if (*from != ' ' && *from != '_')
            to[n++] = *from;
        else if (n > 0 && to[n - 1] != '_')
            to[n++] = '_';
    }
    while (n > 0 && to[n - 1] == '_')
        n--;
    to[n] = '\0';
}

static bool t10_identity(const char *text, char ret[IDENTITY_OF_PART])
{
    char joined[WORD_SIZE];
    const char *last;

    join_words(text, joined, sizeof joined);
    last = strrchr(joined, '_');
    if (!last || device_serial_is_weak(last + 1))
        return false;
    (void)snprintf(ret, IDENTITY_OF_PART, "t10:%s", joined);
    return true;
}

/* nvme.VENDOR-SERIAL-MODEL-NAMESPACE, serial and model in hex. */
static bool nvme_identity(const char *text, char ret[IDENTITY_OF_PART])
{
    const char *hex = strchr(text, '-');
    char serial[WORD_SIZE] = "";
    size_t n = 0;

    for (hex = hex ? hex + 1 : ""; isxdigit((unsigned char)hex[0]) && isxdigit((unsigned char)hex[1]);
         hex += 2) {
        const char pair[] = { hex[0], hex[1], '\0' };

        if (n + 1 < sizeof serial)
            serial[n++] = (char)strtol(pair, NULL, 16);
    }
    while (n > 0 && serial[n - 1] == ' ')
        n--;
    serial[n] = '\0';
    if (*hex != '-' || device_serial_is_weak(serial))
        return false;
    (void)snprintf(ret, IDENTITY_OF_PART, "nvme:%s", text);
    return true;
}

static bool wwid_identity(const char *wwid, char ret[IDENTITY_OF_PART])
{
    if (strncmp(wwid, "naa.", 4) == 0)
        return hex_identity("wwn", wwid + 4, ret);
    if (strncmp(wwid, "eui.", 4) == 0)
        return hex_identity("eui", wwid + 4, ret);
    if (strncmp(wwid, "t10.", 4) == 0)
        return t10_identity(wwid + 4, ret);
    if (strncmp(wwid, "nvme.", 5) == 0)
        return nvme_identity(wwid + 5, ret);
    if (strncmp(wwid, "uuid.", 5) == 0 && !is_one_character(wwid + 5) && strlen(wwid) == 5 + 36) {
        (void)snprintf(ret, IDENTITY_OF_PART, "uuid:%s", wwid + 5);
        lower(ret);
        return true;
    }
    return false;
}

/* As SCSI's page 0x83 is written by scsi_id, udev and multipath: a digit for the kind before it. */
static bool scsi_id_identity(const char *id, char ret[IDENTITY_OF_PART])
{
    if (*id == '3')
        return hex_identity("wwn", id + 1, ret);
    if (*id == '2')
        return hex_identity("eui", id + 1, ret);
    return false;
}

static bool multipath_identity(const char *wwid, char ret[IDENTITY_OF_PART])
{
    if (*wwid == '1')
        return t10_identity(wwid + 1, ret);
    return scsi_id_identity(wwid, ret) || wwid_identity(wwid, ret);
}

static bool serial_identity(const struct part *p, char ret[IDENTITY_OF_PART])
{
    char vendor[100], model[100], serial[160];

    if (device_serial_is_weak(p->serial))
        return false;
    join_words(strncmp(p->name, "vd", 2) == 0 ? "virtio" : p->vendor, vendor, sizeof vendor);
    join_words(strncmp(p->name, "vd", 2) == 0 ? "" : p->model, model, sizeof model);
    join_words(p->serial, serial, sizeof serial);
    (void)snprintf(ret, IDENTITY_OF_PART, "serial:%s:%s:%s", vendor, model, serial);
    return true;
}

/* Of a device that is no volume of LVM; false: it has none. */
static bool part_identity(const struct part *p, char ret[IDENTITY_OF_PART])
{
    bool is_known;
    size_t n;

    if (*p->dm)
        is_known = strncmp(p->dm, "mpath-", 6) == 0 && multipath_identity(p->dm + 6, ret);
    else
        is_known = wwid_identity(p->wwid, ret) || serial_identity(p, ret);
    n = is_known ? strlen(ret) : 0;
    if (is_known && p->partition)
        (void)snprintf(ret + n, IDENTITY_OF_PART - n, ":part%u", p->partition);
    return is_known;
}

static bool is_of_lvm(const struct part *p)
{
    return strncmp(p->dm, "LVM-", 4) == 0;
}

static void say_none(const struct part *p, struct device *ret)
{
    const char *word = *p->wwid ? p->wwid : p->serial;

    if (*p->dm && !is_of_lvm(p))
        (void)snprintf(ret->evidence, sizeof ret->evidence,
                       "device '%.60s' is made by device-mapper, and neither by LVM nor by multipath",
                       p->name);
    else if (*word)
        (void)snprintf(ret->evidence, sizeof ret->evidence,
                       "'%.100s' of device '%.60s' is no WWN or serial that it has alone", word, p->name);
    else
        (void)snprintf(ret->evidence, sizeof ret->evidence,
                       "device '%.60s' has no WWN and no serial that would tell it from others", p->name);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* LVM's uuid, and what each of its physical volumes is. */
static void lvm_identity(const struct answer *a, struct device *ret)
{
    char found[MOST_PARTS][IDENTITY_OF_PART];
    const struct part *volume = &a->parts[0];
    size_t n = 0, length;

    for (size_t i = 1; i < a->n; i++) {
        if (is_of_lvm(&a->parts[i]))
            continue;
        if (!part_identity(&a->parts[i], found[n++])) {
            say_none(&a->parts[i], ret);
            return;
        }
    }
    if (strlen(volume->dm + 4) != LVM_UUID || n == 0 || a->is_too_long) {
        (void)snprintf(ret->evidence, sizeof ret->evidence,
                       "'%.60s' is a volume of LVM of which it is not seen where it lies", volume->name);
        return;
    }
    qsort(found, n, sizeof found[0], by_text);
    length = (size_t)snprintf(ret->identity, sizeof ret->identity, "lvm:%s", volume->dm + 4);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && strcmp(found[i], found[i - 1]) == 0)
            continue;
        if (length + strlen(found[i]) + 2 > sizeof ret->identity) {
            ret->identity[0] = '\0';
            (void)snprintf(ret->evidence, sizeof ret->evidence,
                           "'%.60s' is a volume of LVM on too many devices", volume->name);
            return;
        }
        length += (size_t)snprintf(ret->identity + length, sizeof ret->identity - length, "@%s", found[i]);
    }
    (void)snprintf(ret->evidence, sizeof ret->evidence,
                   "LVM's uuid of '%.60s', and the WWNs or serials of what it lies on", volume->name);
}

/* Devices that several hosts can have, and that say nothing of themselves. */
static bool may_be_anywhere(const struct part *p)
{
    static const char *const kinds[] = { "rbd", "nbd", "drbd", "dm-", "md" };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(p->name, kinds[i], strlen(kinds[i])) == 0)
            return true;
    return p->dm[0] != '\0';
}

static void identify(const struct answer *a, struct device *ret)
{
    const struct part *p = &a->parts[0];
    char identity[IDENTITY_OF_PART];

    ret->was_read = true;
    if (is_of_lvm(p)) {
        lvm_identity(a, ret);
    } else if (part_identity(p, identity)) {
        (void)snprintf(ret->identity, sizeof ret->identity, "%s", identity);
        (void)snprintf(ret->evidence, sizeof ret->evidence, "the WWN or serial of device '%.60s'", p->name);
    } else {
        say_none(p, ret);
    }
    if (!ret->identity[0] && may_be_anywhere(p))
        ret->was_read = false;
}

void device_of_node(const char *block, const char *serial, struct device *ret)
{
    const char *name = strrchr(block, '/') ? strrchr(block, '/') + 1 : block;
    struct part p = { .name = "" };
    char identity[IDENTITY_OF_PART];
    bool is_known;

    (void)snprintf(p.name, sizeof p.name, "%s", name);
    (void)snprintf(p.serial, sizeof p.serial, "%s", serial ? serial : "");
    is_known =
        strncmp(name, "vd", 2) == 0 ? serial_identity(&p, identity) : scsi_id_identity(p.serial, identity);
    if (is_known)
        (void)snprintf(ret->identity, sizeof ret->identity, "%s", identity);
    ret->was_read = is_known;
    (void)snprintf(ret->evidence, sizeof ret->evidence,
                   is_known ? "the serial that libvirt's list of devices has of '%.60s'"
                            : "libvirt's list of devices says nothing of '%.60s' that tells it from others",
                   name);
}

/* ---- the answer ---- */

static void take_use(struct device *ret, const char *before, const char *value, const char *behind)
{
    ret->use = DEVICE_IN_USE;
    if (!ret->used_by[0])
        (void)snprintf(ret->used_by, sizeof ret->used_by, "%s%.200s%s", before, value, behind);
}

static bool take_what(const char *value, struct device *ret)
{
    ret->what = strcmp(value, "block") == 0   ? DEVICE_BLOCK
                : strcmp(value, "other") == 0 ? DEVICE_OTHER
                                              : DEVICE_NOTHING;
    return true;
}

/* Words about the disk's own device, and about its use. */
static bool take_own(const char *key, const char *value, bool is_first, struct device *ret)
{
    static const struct {
        const char *key, *before, *behind;
    } uses[] = {
        { "holder", "device '", "' is built on it" },
        { "mount", "it is mounted at '", "'" },
        { "swap", "'", "' is swap" },
        { "open", "a process has it open: ", "" },
    };
    char *end;

    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++)
        if (strcmp(key, uses[i].key) == 0) {
            take_use(ret, uses[i].before, value, uses[i].behind);
            return true;
        }
    if (strcmp(key, "type") == 0)
        return take_what(value, ret);
    if (strcmp(key, "use") == 0) {
        ret->use = ret->use == DEVICE_USE_NOT_KNOWN ? DEVICE_FREE : ret->use;
    } else if (strcmp(key, "sectors") == 0 && is_first) {
        const unsigned long long sectors = strtoull(value, &end, 10);

        if (end > value && !*end && sectors < UINT64_MAX / 512)
            ret->bytes = (uint64_t)sectors * 512;
    } else if (strcmp(key, "block") == 0 && is_first) {
        const unsigned long bytes = strtoul(value, &end, 10);

        if (end > value && !*end && bytes <= 1u << 20)
            ret->block_bytes = (uint32_t)bytes;
    } else {
        return false;
    }
    return true;
}

static void take_word(const char *key, const char *value, struct answer *a)
{
    struct part *p = a->n ? &a->parts[a->n - 1] : NULL;
    char *to;

    if (strcmp(key, "at") == 0) {
        a->is_too_long |= a->n == MOST_PARTS;
        if (a->n < MOST_PARTS)
            (void)snprintf(a->parts[a->n++].name, WORD_SIZE, "%s", value);
        return;
    }
    if (!p)
        return;
    if (strcmp(key, "part") == 0)
        p->partition = (unsigned)strtoul(value, NULL, 10);
    to = strcmp(key, "wwid") == 0     ? p->wwid
         : strcmp(key, "serial") == 0 ? p->serial
         : strcmp(key, "vendor") == 0 ? p->vendor
         : strcmp(key, "model") == 0  ? p->model
         : strcmp(key, "dm") == 0     ? p->dm
                                      : NULL;
    /* A word that is cut would be equal to others that begin so. */
    if (to && !*to && strlen(value) < WORD_SIZE)
        (void)snprintf(to, WORD_SIZE, "%s", value);
}

/* Plain letters are left; false: there were others, so that the word is no identity. */
static bool make_plain(char *value)
{
    bool was_plain = true;

    for (; *value; value++)
        if (*value < ' ' || *value > '~') {
            *value = '?';
            was_plain = false;
        }
    return was_plain;
}

bool device_of_answer(const char *answer, struct device *ret)
{
    struct answer *a = calloc(1, sizeof *a);

    *ret = (struct device){ .bytes = UINT64_MAX };
    while (a && *answer) {
        const size_t length = strcspn(answer, "\n");
        char line[1024];

        if (length < sizeof line) {
            char *value;
            bool is_plain;

            memcpy(line, answer, length);
            line[length] = '\0';
            value = strchr(line, '=');
            if (value) {
                *value++ = '\0';
                is_plain = make_plain(value);
                a->ended |= strcmp(line, "end") == 0;
                if (!take_own(line, value, a->n <= 1, ret) && (is_plain || strcmp(line, "at") == 0))
                    take_word(line, value, a);
            }
        }
        answer += length + (answer[length] == '\n');
    }
    if (a && a->ended && a->n > 0)
        identify(a, ret);
    if (!a || !a->ended)
        *ret = (struct device){ .bytes = UINT64_MAX };
    free(a);
    return ret->what != DEVICE_NOT_KNOWN;
}
