/* SPDX-License-Identifier: Apache-2.0
 * The model's structs as rows: one row per member, read by the writer and by the reader of its JSON,
 * so that the two cannot drift apart. For the folder's own use. */
#ifndef FACTS_FIELDS_H
#define FACTS_FIELDS_H

#include "facts/map.h"
#include "facts/words.h"

enum field_kind {
    FIELD_TEXT,   /* const char *, NULL = absent */
    FIELD_FIGURE, /* uint64_t, NOT_KNOWN = absent */
    FIELD_SMALL,  /* uint8_t, absent = 0, at most max */
    FIELD_FLAG,   /* bool */
    FIELD_WORD,   /* an enum, by its words */
    FIELD_TRI,    /* enum tristate, absent = not known */
    FIELD_NAMES,  /* struct finding_refs */
    FIELD_OBJECT, /* a struct, by its own rows */
    FIELD_LIST,   /* pointer and count of structs, by their own rows */
};
struct field {
    const char *name;
    enum field_kind kind;
    bool required;
    size_t offset;
    const struct words *words;
    const struct field *rows;               /* of an object, and of a list's elements */
    size_t count_offset, element_size, max; /* of a list; max of names and small figures too */
};

/* Each ends with a row that has no name. */
extern const struct field fields_facts[], fields_disk[], fields_finding[], fields_host[];

#define FACTS_SCHEMA "virt-ferry-facts/0"
#define FACTS_MAX_TEXT 4096u   /* bytes in one text */
#define FACTS_MAX_LIST 4096u   /* interfaces, devices, findings, names */
#define FACTS_MAX_CHANNELS 32u /* eleven strategies for each, a finding for each disk */
#define FACTS_MAX_DISKS 1024u
#define FACTS_MAX_MAPS MAP_MOST
#define FACTS_MAX_LAYERS 256u /* as deep as XML may nest */

#endif
