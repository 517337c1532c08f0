/* SPDX-License-Identifier: Apache-2.0
 * Text in and out of libvirt for this driver. libvirt writes its XML in one way, so that two words are found
 * by searching; what a user wrote never passes here but as text to be escaped. */
#include "words.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    char byte;
    const char *entity;
} entities[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '\'', "&apos;" }, { '"', "&quot;" } };

static bool has_control(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return true;
    return false;
}

static bool has_dots(const char *path)
{
    for (const char *at = path; (at = strstr(at, "/..")); at += 3)
        if (at[3] == '/' || at[3] == '\0')
            return true;
    return false;
}

const char *words_cut_path(const char *path, char *folder, char *name, size_t size)
{
    const char *last;
    size_t n = 0;

    if (!path || path[0] != '/')
        return "is not an absolute path";
    if (strlen(path) >= size)
        return "is too long";
    if (has_control(path))
        return "has control characters in it";
    if (has_dots(path))
        return "has a '..' in it";
    last = strrchr(path, '/') + 1;
    if (*last == '\0' || strcmp(last, ".") == 0)
        return "does not end in a file's name";
    for (const char *at = path; at < last; at++) {
        if (n > 0 && folder[n - 1] == '/' && at[0] == '.' && at[1] == '/')
            at++;
        else if (n == 0 || *at != '/' || folder[n - 1] != '/')
            folder[n++] = *at;
    }
    if (n > 1)
        n--;
    folder[n] = '\0';
    memcpy(name, last, strlen(last) + 1);
    return NULL;
}

char *words_escape_xml(const char *s)
{
    size_t longest = strlen(s) * 6 + 1;
    char *out = malloc(longest);
    size_t n = 0;

    for (; out && *s; s++) {
        const char *entity = NULL;

        for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++)
            if (*s == entities[i].byte)
                entity = entities[i].entity;
        if (entity) {
            memcpy(out + n, entity, strlen(entity));
            n += strlen(entity);
        } else {
            out[n++] = *s;
        }
    }
    if (out)
        out[n] = '\0';
    return out;
}

char *words_quote(const char *s)
{
    char *out = malloc(strlen(s) * 4 + 3);
    size_t n = 0;

    if (!out)
        return NULL;
    out[n++] = '\'';
    for (; *s; s++) {
        if (*s == '\'') {
            memcpy(out + n, "'\\'", 3);
            n += 3;
        }
        out[n++] = *s;
    }
    out[n++] = '\'';
    out[n] = '\0';
    return out;
}

static char *unescaped(const char *s, size_t len)
{
    char *out = malloc(len + 1);
    size_t n = 0;

    for (size_t i = 0; out && i < len;) {
        size_t taken = 1;
        char byte = s[i];

        for (size_t e = 0; e < sizeof entities / sizeof entities[0]; e++) {
            size_t l = strlen(entities[e].entity);

            if (l <= len - i && memcmp(s + i, entities[e].entity, l) == 0) {
                byte = entities[e].byte;
                taken = l;
            }
        }
        out[n++] = byte;
        i += taken;
    }
    if (out)
        out[n] = '\0';
    return out;
}

/* Past the opening tag's name, or NULL. */
static const char *find_tag(const char *xml, const char *element)
{
    size_t n = strlen(element);

    for (; xml && (xml = strchr(xml, '<')); xml++)
        if (strncmp(xml + 1, element, n) == 0 && strchr(" >/", xml[1 + n]) && xml[1 + n])
            return xml + 1 + n;
    return NULL;
}

char *words_xml_text(const char *xml, const char *parent, const char *element)
{
    const char *at = find_tag(xml, parent);

    at = at ? find_tag(at, element) : NULL;
    at = at ? strchr(at, '>') : NULL;
    if (!at || at[-1] == '/')
        return NULL;
    at++;
    return unescaped(at, strcspn(at, "<"));
}

char *words_xml_attribute(const char *xml, const char *element, const char *attribute)
{
    const char *at = find_tag(xml, element);
    const char *end = at ? strchr(at, '>') : NULL;
    size_t n = strlen(attribute);

    for (; end && at < end; at++)
        if (*at == ' ' && strncmp(at + 1, attribute, n) == 0 && strncmp(at + 1 + n, "='", 2) == 0)
            return unescaped(at + n + 3, strcspn(at + n + 3, "'"));
    return NULL;
}

bool words_uri_is_local(const char *uri)
{
    const char *after = uri ? strstr(uri, "://") : NULL;

    if (!after || after[3] != '/')
        return false;
    return !strchr(after, '?') && !strstr(uri, "+ext:");
}

static bool is_at(const char *path, const char *folder, const char *name)
{
    const size_t n = strcmp(folder, "/") == 0 ? 0 : strlen(folder);

    return path && strncmp(path, folder, n) == 0 && path[n] == '/' && strcmp(path + n + 1, name) == 0;
}

bool words_is_ours(const char *identity, const char *folder, const char *name, const struct words_volume *v)
{
    char format[16] = "";
    uint64_t capacity, first, length;
    int end = -1;

    if (!is_at(v->path, folder, name))
        return false;
    /* NOLINTNEXTLINE(cert-err34-c): of our own journal; a figure too large matches no file */
    if (sscanf(identity, "size:%" SCNu64 "%n", &first, &end) == 1 && end > 0 && !identity[end])
        return v->length == first;
    end = -1;
    /* NOLINTNEXTLINE(cert-err34-c) */
    if (sscanf(identity, "sent:%" SCNu64 "%n", &length, &end) == 1 && end > 0 && !identity[end])
        return v->length <= length;
    end = -1;
    /* NOLINTNEXTLINE(cert-err34-c) */
    if (sscanf(identity, "made:%15[a-z0-9]:%" SCNu64 ":%" SCNu64 ":%" SCNu64 "%n", format, &capacity, &first,
               &length, &end) != 4 ||
        end < 0 || identity[end])
        return false;
    if (v->length == first || v->length == length)
        return true;
    /* A qcow2 file grows; its virtual size does not. A raw one keeps its length, whatever a guest wrote. */
    return strcmp(format, "qcow2") == 0 && v->format && strcmp(v->format, format) == 0 &&
           v->capacity == capacity;
}
