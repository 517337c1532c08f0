/* SPDX-License-Identifier: Apache-2.0
 * Ceph's names as the domain's XML has them, and as the journal keeps them.
 * What cannot be meant is refused here, before a cluster is asked. */
#include "words.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Bits as librbd 16 names them; those of a newer one come without a name. */
static const char *const feature_names[] = {
    "layering",   "striping",  "exclusive-lock", "object-map", "fast-diff",   "deep-flatten",
    "journaling", "data-pool", "operations",     "migrating",  "non-primary", "dirty-cache",
};
#define N_FEATURES (sizeof feature_names / sizeof feature_names[0])

static bool is_plain(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return false;
    return true;
}

static bool take(char ret[WORDS_NAME], const char *s, size_t n)
{
    if (n == 0 || n >= WORDS_NAME || !is_plain(s, n))
        return false;
    memcpy(ret, s, n);
    ret[n] = '\0';
    return true;
}

const char *words_cut_name(const char *source, struct words_name *ret)
{
    const char *first = source ? strchr(source, '/') : NULL, *last = source ? strrchr(source, '/') : NULL;

    memset(ret, 0, sizeof *ret);
    if (!first)
        return "names no pool: it is not 'pool/image'";
    if (first != last && memchr(first + 1, '/', (size_t)(last - first - 1)))
        return "has more parts than 'pool/namespace/image'";
    if (strchr(last, '@'))
        return "has an '@' in it: a snapshot has its own element in the XML";
    if (!take(ret->pool, source, (size_t)(first - source)) || !take(ret->image, last + 1, strlen(last + 1)) ||
        (first != last && !take(ret->space, first + 1, (size_t)(last - first - 1))))
        return "has a part that is empty, too long, or has control characters in it";
    return NULL;
}

/* ---- monitors ---- */

const char *words_join_hosts(const char *const *hosts, size_t n, char ret[WORDS_HOSTS])
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]";
    size_t at = 0;

    ret[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(hosts[i]);

        if (hosts[i][0] == '/')
            return "a monitor cannot be reached through a UNIX socket";
        if (length == 0 || strspn(hosts[i], allowed) != length)
            return "the name of a monitor has characters in it that no name has";
        if (at + length + 2 > WORDS_HOSTS)
            return "the names of the monitors are too long";
        if (at > 0)
            ret[at++] = ',';
        memcpy(ret + at, hosts[i], length + 1);
        at += length;
    }
    return NULL;
}

bool words_hosts_are_loopback(const char *const *hosts, size_t n)
{
    static const char *const own[] = {
        "localhost", "127.", "[::1]", "::1", "[::ffff:127.", "0.0.0.0", "[::]"
    };

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < sizeof own / sizeof own[0]; j++) {
            const size_t length = strlen(own[j]);
            const char *end = hosts[i] + length;

            if (strncmp(hosts[i], own[j], length) == 0 &&
                (*end == '\0' || *end == ':' || own[j][length - 1] == '.' || (*end == '.' && j == 0)))
                return true;
        }
    return false;
}

/* ---- places ---- */

static void escape(const char *s, const char *keep, char *ret, size_t size)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_~";
    size_t at = 0;

    for (; *s && at + 4 <= size; s++) {
        if (strchr(plain, *s) || strchr(keep, *s)) {
            ret[at++] = *s;
        } else {
            ret[at++] = '%';
            ret[at++] = hex[(unsigned char)*s >> 4];
            ret[at++] = hex[(unsigned char)*s & 15];
        }
    }
    ret[at] = '\0';
}

static int hex_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool unescape(const char *s, size_t n, char *ret, size_t size)
{
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        char c = s[i];

        if (at + 1 >= size)
            return false;
        if (c == '%') {
            if (i + 2 >= n || hex_of(s[i + 1]) < 0 || hex_of(s[i + 2]) < 0)
                return false;
            c = (char)(hex_of(s[i + 1]) * 16 + hex_of(s[i + 2]));
            i += 2;
        }
        if (c == '\0')
            return false;
        ret[at++] = c;
    }
    ret[at] = '\0';
    return true;
}

bool words_write_place(const struct words_place *place, char ret[WORDS_PLACE])
{
    char user[WORDS_NAME * 3], pool[WORDS_NAME * 3], space[WORDS_NAME * 3], secret[WORDS_NAME * 3];
    const bool by_uuid = place->secret_uuid[0] != '\0';
    const bool has_secret = by_uuid || place->secret_usage[0];
    int n;

    escape(place->user, "", user, sizeof user);
    escape(place->pool, "", pool, sizeof pool);
    escape(place->space, "", space, sizeof space);
    escape(by_uuid ? place->secret_uuid : place->secret_usage, "", secret, sizeof secret);
    n = snprintf(ret, WORDS_PLACE, "rbd://%s%s%s/%s%s%s%s%s", user, *user ? "@" : "", place->hosts, pool,
                 *space ? "/" : "", space,
                 !has_secret ? ""
                 : by_uuid   ? "?secret="
                             : "?usage=",
                 secret);
    return n > 0 && n < WORDS_PLACE;
}

bool words_read_place(const char *text, struct words_place *ret)
{
    static const char scheme[] = "rbd://", by_uuid[] = "?secret=", by_usage[] = "?usage=";
    const char *at = text + strlen(scheme), *slash, *user_end, *end, *query, *second;

    memset(ret, 0, sizeof *ret);
    if (strncmp(text, scheme, strlen(scheme)) != 0 || !(slash = strchr(at, '/')))
        return false;
    user_end = memchr(at, '@', (size_t)(slash - at));
    if (user_end && !unescape(at, (size_t)(user_end - at), ret->user, sizeof ret->user))
        return false;
    at = user_end ? user_end + 1 : at;
    if (!unescape(at, (size_t)(slash - at), ret->hosts, sizeof ret->hosts))
        return false;
    query = strchr(slash, '?');
    end = query ? query : slash + strlen(slash);
    second = memchr(slash + 1, '/', (size_t)(end - slash - 1));
    if (second && !unescape(second + 1, (size_t)(end - second - 1), ret->space, sizeof ret->space))
        return false;
    if (!unescape(slash + 1, (size_t)((second ? second : end) - slash - 1), ret->pool, sizeof ret->pool))
        return false;
    if (query && strncmp(query, by_uuid, strlen(by_uuid)) == 0) {
        at = query + strlen(by_uuid);
        return unescape(at, strlen(at), ret->secret_uuid, sizeof ret->secret_uuid) && *ret->pool;
    }
    if (query && strncmp(query, by_usage, strlen(by_usage)) == 0) {
        at = query + strlen(by_usage);
        return unescape(at, strlen(at), ret->secret_usage, sizeof ret->secret_usage) && *ret->pool;
    }
    return !query && *ret->pool;
}

/* ---- identities ---- */

bool words_write_identity(const char *fsid, int64_t pool_id, const char *space, const char *id,
                          const char *snapshot, char ret[WORDS_IDENTITY])
{
    const int n = snprintf(ret, WORDS_IDENTITY, "%s/%" PRId64 "/%s%s%s%s%s", fsid, pool_id, space,
                           *space ? "/" : "", id, snapshot ? "@" : "", snapshot ? snapshot : "");

    return n > 0 && n < WORDS_IDENTITY;
}

bool words_read_id(const void *bytes, size_t n, char ret[WORDS_ID])
{
    const unsigned char *b = bytes;
    uint32_t length;

    if (n < 4)
        return false;
    length = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    if (length == 0 || length >= WORDS_ID || length > n - 4)
        return false;
    for (uint32_t i = 0; i < length; i++)
        if (!((b[4 + i] >= '0' && b[4 + i] <= '9') || (b[4 + i] >= 'a' && b[4 + i] <= 'z')))
            return false;
    memcpy(ret, b + 4, length);
    ret[length] = '\0';
    return true;
}

/* ---- features and sizes ---- */

void words_write_features(uint64_t features, char *ret, size_t size)
{
    size_t at = 0;

    ret[0] = '\0';
    for (unsigned i = 0; i < 64 && at < size; i++) {
        const char *separator = at > 0 ? ", " : "";

        if (!(features >> i & 1u))
            continue;
        at += (size_t)(i < N_FEATURES ? snprintf(ret + at, size - at, "%s%s", separator, feature_names[i])
                                      : snprintf(ret + at, size - at, "%sbit %u", separator, i));
    }
}

bool words_read_features(const char *text, uint64_t *ret)
{
    uint64_t features = 0;

    for (text += strspn(text, ", \t"); *text; text += strspn(text, ", \t")) {
        const size_t n = strcspn(text, ", \t");
        size_t i = 0;

        while (i < N_FEATURES && (strlen(feature_names[i]) != n || strncmp(feature_names[i], text, n) != 0))
            i++;
        if (i == N_FEATURES)
            return false;
        features |= 1ull << i;
        text += n;
    }
    *ret = features;
    return true;
}

uint64_t words_nameless_features(uint64_t features)
{
    return features >> N_FEATURES << N_FEATURES;
}

bool words_read_object_size(const char *text, uint64_t *ret_order)
{
    static const struct {
        const char *unit;
        unsigned shift;
    } units[] = { { "", 0 },     { "K", 10 }, { "KiB", 10 }, { "k", 10 },
                  { "kiB", 10 }, { "M", 20 }, { "MiB", 20 }, { "B", 0 } };
    uint64_t figure = 0;
    const char *unit = text;

    for (; *unit >= '0' && *unit <= '9' && figure < UINT32_MAX; unit++)
        figure = figure * 10 + (uint64_t)(*unit - '0');
    unit += strspn(unit, " ");
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(unit, units[i].unit) != 0)
            continue;
        figure <<= units[i].shift;
        for (uint64_t order = 12; order <= 25; order++)
            if (figure == 1ull << order) {
                *ret_order = order;
                return true;
            }
    }
    return false;
}

bool words_base64(const void *bytes, size_t n, char *ret, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *b = bytes;
    size_t at = 0;

    if ((n + 2) / 3 * 4 + 1 > size)
        return false;
    for (size_t i = 0; i < n; i += 3) {
        const uint32_t left = (uint32_t)(n - i);
        const uint32_t three = (uint32_t)b[i] << 16 | (left > 1 ? (uint32_t)b[i + 1] << 8 : 0) |
                               (left > 2 ? (uint32_t)b[i + 2] : 0);

        ret[at++] = digits[three >> 18];
        ret[at++] = digits[three >> 12 & 63];
        ret[at++] = '=';
        ret[at++] = '=';
        if (left > 1)
            ret[at - 2] = digits[three >> 6 & 63];
        if (left > 2)
            ret[at - 1] = digits[three & 63];
    }
    ret[at] = '\0';
    return true;
}

bool words_uri_is_local(const char *uri)
{
    const char *after = uri ? strstr(uri, "://") : NULL;

    return after && after[3] == '/' && !strchr(after, '?') && !strstr(uri, "+ext:");
}
