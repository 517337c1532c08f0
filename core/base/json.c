/* SPDX-License-Identifier: Apache-2.0
 * JSON over jansson. Size and depth are looked at before the parser sees a byte; the parser then refuses
 * duplicate keys, NUL bytes and invalid UTF-8 by itself, and the grammar has no NaN. */
#include "base/json.h"

#include "base/owned.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Brackets outside strings. A quote ends a string unless a backslash stands before it. */
static bool is_too_deep(const char *s, size_t n)
{
    size_t depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < n; i++) {
        if (in_string && s[i] == '\\')
            i++;
        else if (s[i] == '"')
            in_string = !in_string;
        else if (!in_string && (s[i] == '[' || s[i] == '{') && ++depth > JSON_MAX_DEPTH)
            return true;
        else if (!in_string && (s[i] == ']' || s[i] == '}') && depth > 0)
            depth--;
    }
    return false;
}

json_t *json_read(const char *bytes, size_t n, const char *source, struct error *err)
{
    json_error_t why;
    json_t *j;

    if (n > JSON_MAX_BYTES) {
        error_set(err, ERROR_INPUT, NULL, "the JSON of '%s' is larger than %s", source,
                  SIZE_TEXT(JSON_MAX_BYTES));
        return NULL;
    }
    if (is_too_deep(bytes, n)) {
        error_set(err, ERROR_INPUT, NULL, "the JSON of '%s' is more than %u levels deep", source,
                  JSON_MAX_DEPTH);
        return NULL;
    }
    j = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &why);
    if (!j) {
        error_set(err, ERROR_INPUT, NULL, "'%s' is not valid JSON", source);
        error_why(err, "line %d: %s", why.line, why.text);
    }
    return j;
}

/* One byte above the limit is read and no more, so that what has no size of its own (a pipe) is bounded too.
 */
static int read_all(int fd, struct text *ret)
{
    char buf[65536];

    while (ret->len <= JSON_MAX_BYTES) {
        ssize_t n = read(fd, buf, sizeof buf);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return (int)n;
        text_add_bytes(ret, buf, (size_t)n);
        if (ret->failed) {
            errno = ENOMEM;
            return -1;
        }
    }
    return 0;
}

json_t *json_read_file(const char *path, struct error *err)
{
    OWNED_TEXT t = { 0 };
    OWNED_FD fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || read_all(fd, &t) < 0) {
        error_errno(err, NULL, "could not read '%s'", path);
        return NULL;
    }
    return json_read(text_of(&t), t.len, path, err);
}

char *json_write(const json_t *j, bool pretty, struct error *err)
{
    char *s = json_dumps(j, JSON_ENCODE_ANY | (pretty ? JSON_INDENT(2) : (size_t)JSON_COMPACT));

    if (!s)
        error_memory(err);
    return s;
}

const char *json_text(const json_t *o, const char *key, const char *absent)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s ? s : absent;
}

uint64_t json_u64(const json_t *o, const char *key, uint64_t absent)
{
    const json_t *j = json_object_get(o, key);

    return json_is_integer(j) && json_integer_value(j) >= 0 ? (uint64_t)json_integer_value(j) : absent;
}

double json_number(const json_t *o, const char *key, double absent)
{
    const json_t *j = json_object_get(o, key);

    return json_is_number(j) ? json_number_value(j) : absent;
}

bool json_flag(const json_t *o, const char *key, bool absent)
{
    const json_t *j = json_object_get(o, key);

    return json_is_boolean(j) ? json_is_true(j) : absent;
}

const json_t *json_child(const json_t *o, const char *key)
{
    return json_object_get(o, key);
}

int json_put(json_t *o, const char *key, json_t *value)
{
    return json_object_set_new(o, key, value) < 0 ? -ERROR_MEMORY : 0;
}

int json_put_text(json_t *o, const char *key, const char *value)
{
    if (!value)
        return 0;
    if (!text_is_utf8(value)) {
        /* A name that no JSON can carry still has to be told: escaped, as it would be shown. */
        OWNED_TEXT t = { 0 };

        text_add_escaped(&t, value);
        return t.failed ? -ERROR_MEMORY : json_put(o, key, json_string(text_of(&t)));
    }
    return json_put(o, key, json_string(value));
}

int json_put_u64(json_t *o, const char *key, uint64_t value)
{
    /* jansson's integers are signed. No figure of ours comes near 2^63 but NOT_KNOWN, and what is not known
     * is left out. */
    if (value > INT64_MAX) {
        (void)json_object_del(o, key);
        return 0;
    }
    return json_put(o, key, json_integer((json_int_t)value));
}

int json_put_flag(json_t *o, const char *key, bool value)
{
    return json_put(o, key, json_boolean(value));
}

json_t *json_of_error(const struct error *err)
{
    json_t *j = json_object();

    if (json_put(j, "code", json_integer(err->code)) < 0 ||
        json_put(j, "detail", json_integer(err->detail)) < 0 || json_put_text(j, "host", err->host) < 0 ||
        json_put_text(j, "what", err->what) < 0 || json_put_text(j, "why", err->why) < 0 ||
        json_put_text(j, "fix", err->fix) < 0) {
        json_decref(j);
        return NULL;
    }
    return j;
}

void json_to_error(const json_t *j, struct error *err)
{
    json_int_t code = json_integer_value(json_object_get(j, "code"));
    json_int_t detail = json_integer_value(json_object_get(j, "detail"));
    bool is_ours =
        (code >= ERROR_FAILED && code <= ERROR_GUEST_LOST) || (code >= ERROR_MEMORY && code <= ERROR_LIBVIRT);

    error_set(err, is_ours ? (enum error_code)code : ERROR_FAILED, json_text(j, "host", ""), "%s",
              json_text(j, "what", "no reason was given"));
    err->detail = detail >= INT32_MIN && detail <= INT32_MAX ? (int)detail : 0;
    error_why(err, "%s", json_text(j, "why", ""));
    error_fix(err, "%s", json_text(j, "fix", ""));
}
