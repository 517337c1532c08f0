/* SPDX-License-Identifier: Apache-2.0
 * Read whole, written whole: a new file takes the old one's place, so that a reader sees one or the other. */
#include "state/locks.h"

#include "base/owned.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char *path_of(const char *state_dir, const char *suffix, struct error *err)
{
    char *path = NULL;

    if (asprintf(&path, "%s/locks%s", state_dir, suffix) < 0) {
        (void)error_memory(err);
        return NULL;
    }
    return path;
}

json_t *locks_read(const char *state_dir)
{
    struct error ignored = { 0 };
    OWNED_MEMORY char *path = path_of(state_dir, "", &ignored);
    OWNED_JSON read = path ? json_read_file(path, &ignored) : NULL;

    return json_is_object(read) ? HAND_OVER(read) : json_object();
}

int locks_write(const char *state_dir, const json_t *locks, struct error *err)
{
    OWNED_MEMORY char *path = path_of(state_dir, "", err);
    OWNED_MEMORY char *new = path ? path_of(state_dir, ".XXXXXX", err) : NULL;
    OWNED_MEMORY char *text = new ? json_write(locks, true, err) : NULL;
    OWNED_FD fd = -1;

    if (!text)
        return -err->code;
    fd = mkstemp(new);
    if (fd < 0)
        return error_errno(err, NULL, "could not make '%s'", new);
    if (write(fd, text, strlen(text)) == (ssize_t)strlen(text) && rename(new, path) == 0)
        return 0;
    error_errno(err, NULL, "could not write '%s'", path);
    (void)unlink(new);
    return -err->code;
}

/* The same for either direction. false: something of it is not known, and nothing can be remembered. */
static bool key_of(const struct facts *f, const struct disk *d, struct text *key)
{
    const char *uuids[] = { f->source.uuid, f->dest.uuid };
    const char *directories[] = { d->at_source.directory, d->at_dest.directory };
    size_t first;

    if (!uuids[0] || !uuids[1] || !directories[0] || !directories[1])
        return false;
    first = strcmp(uuids[0], uuids[1]) > 0;
    text_add(key, "%s:%s %s:%s %s", uuids[first], directories[first], uuids[!first], directories[!first],
             d->file_system ? d->file_system : "?");
    return !key->failed;
}

static bool is_of_today(uint64_t seen_s, uint64_t now_s)
{
    return seen_s && seen_s <= now_s && now_s - seen_s < LOCKS_VALID_S;
}

uint64_t locks_seen_s(const json_t *locks, const struct facts *f, const struct disk *d, uint64_t now_s)
{
    OWNED_TEXT key = { 0 };
    const uint64_t seen_s = key_of(f, d, &key) ? json_u64(locks, text_of(&key), 0) : 0;

    return is_of_today(seen_s, now_s) ? seen_s : 0;
}

int locks_note(json_t *locks, const struct facts *f, const struct disk *d, uint64_t now_s, struct error *err)
{
    OWNED_TEXT key = { 0 };
    const char *old;
    json_t *value;
    void *next;

    json_object_foreach_safe(locks, next, old, value) if (!is_of_today(json_u64(locks, old, 0), now_s))(void)
        json_object_del(locks, old);
    if (!key_of(f, d, &key))
        return key.failed ? error_memory(err) : 0;
    return json_put_u64(locks, text_of(&key), now_s) < 0 ? error_memory(err) : 0;
}
