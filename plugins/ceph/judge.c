/* SPDX-License-Identifier: Apache-2.0
 * The verdicts. Where an answer is missing or says too little, it is "not known", never "no". */
#include "judge.h"
#include <jansson.h>
#include <rbd/features.h>
#include <string.h>

enum judge_watch judge_watchers(size_t n, struct judge_use use)
{
    if (use.is_shareable)
        return WATCH_EXPECTED;
    if (use.is_read || !use.is_in_use)
        return n == 0 ? WATCH_EXPECTED : WATCH_SOMEBODY;
    return n == 0 ? WATCH_NONE : n == 1 ? WATCH_EXPECTED : WATCH_SECOND;
}

uint64_t judge_blocking_feature(uint64_t features)
{
    /* dirty-cache: what the guest wrote last lies on a disk of the source. non-primary: the image follows
     * another cluster's and takes no writes. */
    static const uint64_t blocking[] = { RBD_FEATURE_DIRTY_CACHE, RBD_FEATURE_NON_PRIMARY };

    for (size_t i = 0; i < sizeof blocking / sizeof blocking[0]; i++)
        if (features & blocking[i])
            return blocking[i];
    return 0;
}

static const json_t *pool_in(const json_t *list, const char *key, int64_t pool_id)
{
    size_t i;
    const json_t *pool;

    json_array_foreach(list, i, pool)
    {
        const json_t *id = json_object_get(pool, key);

        if (json_is_integer(id) && json_integer_value(id) == pool_id)
            return pool;
    }
    return NULL;
}

static bool has_word(const char *list, const char *word)
{
    const size_t n = strlen(word);

    for (; *list; list += strspn(list, ",")) {
        const size_t length = strcspn(list, ",");

        if (length == n && strncmp(list, word, n) == 0)
            return true;
        list += length;
    }
    return false;
}

enum judge_full judge_pool_full(const char *json, size_t n, int64_t pool_id)
{
    json_t *all = json ? json_loadb(json, n, 0, NULL) : NULL;
    const char *flags = json_string_value(json_object_get(pool_in(all, "pool_id", pool_id), "flags_names"));
    enum judge_full verdict = !flags                          ? FULL_NOT_KNOWN
                              : has_word(flags, "full_quota") ? FULL_QUOTA
                              : has_word(flags, "full")       ? FULL_CLUSTER
                              : has_word(flags, "nearfull")   ? FULL_NEAR
                                                              : FULL_NO;

    json_decref(all);
    return verdict;
}

/* UINT64_MAX where it is not said. */
static uint64_t figure(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) && json_integer_value(value) >= 0 ? (uint64_t)json_integer_value(value)
                                                                    : UINT64_MAX;
}

uint64_t judge_pool_free(const char *json, size_t n, int64_t pool_id)
{
    json_t *all = json ? json_loadb(json, n, 0, NULL) : NULL;
    const json_t *pool = pool_in(json_object_get(all, "pools"), "id", pool_id);
    const json_t *stats = json_object_get(pool, "stats");
    /* Without a manager daemon every figure reads 0: that is no full cluster, but one that nobody counts. */
    const uint64_t total = figure(json_object_get(all, "stats"), "total_bytes");
    uint64_t room = total > 0 && total != UINT64_MAX ? figure(stats, "max_avail") : UINT64_MAX;
    const uint64_t quota = figure(stats, "quota_bytes"), stored = figure(stats, "stored");

    if (room != UINT64_MAX && quota != UINT64_MAX && quota > 0 && stored != UINT64_MAX) {
        const uint64_t left = quota > stored ? quota - stored : 0;

        room = left < room ? left : room;
    }
    json_decref(all);
    return room;
}
