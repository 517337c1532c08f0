/* SPDX-License-Identifier: Apache-2.0
 * Paths, XML text and connection URIs, taken apart and put together. No I/O. */
#ifndef COMMON_WORDS_H
#define COMMON_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

static inline void words_freep(void *p)
{
    free(*(void **)p);
}
/* Freed when it leaves its scope. */
#define OWNED_WORDS __attribute__((cleanup(words_freep)))

/* Cuts an absolute path into its folder, with single slashes and none at the end ("/" stays) and no '.',
 * and its last name. NULL when done, else what is wrong with it: it is not absolute, ends in a slash, has a
 * '..', or control characters, which libvirt does not list. */
const char *words_cut_path(const char *path, char *folder, char *name, size_t size);

/* malloc'ed, escaped for element text and attributes. */
char *words_escape_xml(const char *s);

/* malloc'ed, in single quotes for a shell: for commands that an operator is told to type. */
char *words_quote(const char *s);

/* malloc'ed: the unescaped text of the first <element>… after the first <parent …>; NULL when it is not
 * there. For XML that libvirt itself formatted, no other. */
char *words_xml_text(const char *xml, const char *parent, const char *element);
/* malloc'ed: the attribute of the first <element …>, single-quoted as libvirt does. */
char *words_xml_attribute(const char *xml, const char *element, const char *attribute);

/* The identity of a new image in the journal. "size:N": about to be created, with that length for a moment;
 * "made:FORMAT:CAPACITY:FIRST:LENGTH": it was, and its length is FIRST, then LENGTH, then what QEMU makes of
 * it. */
#define WORDS_SIZE_FORM "size:%" PRIu64
/* "sent:N": a raw one of that length was made, to be filled by a stream, which may cut it for a while. */
#define WORDS_SENT_FORM "sent:%" PRIu64
#define WORDS_MADE_FORM "made:%s:%" PRIu64 ":%" PRIu64 ":%" PRIu64
struct words_volume {
    const char *path, *format; /* as libvirt sees them; the format is its guess from the content */
    uint64_t capacity, length; /* virtual size, length of the file */
};
/* What stands there can be what was journalled under this identity for that place, and nothing tells
 * otherwise. */
bool words_is_ours(const char *identity, const char *folder, const char *name, const struct words_volume *v);

/* The connection ends at this machine: no server in the URI, and no parameters, of which `socket` may be the
 * near end of a forward. */
bool words_uri_is_local(const char *uri);

#endif
