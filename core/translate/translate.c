/* SPDX-License-Identifier: Apache-2.0
 * Finds the row of a text, and writes an error anew with it. */
#include "translate/translate.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *find_piece(const char *text, const char *piece, size_t n)
{
    for (; *text; text++)
        if (strncasecmp(text, piece, n) == 0)
            return text;
    return NULL;
}

static bool fits(const char *text, const char *pattern)
{
    for (;;) {
        size_t n = strcspn(pattern, "*");

        text = find_piece(text, pattern, n);
        if (!text || !pattern[n])
            return text != NULL;
        text += n;
        pattern += n + 1;
    }
}

const struct translation *translate_find(const char *text)
{
    for (size_t i = 0; text && i < translations_n; i++)
        if (fits(text, translations[i].pattern))
            return &translations[i];
    return NULL;
}

static const char *host_of(const struct translation *t, const struct facts *f)
{
    if (!f || t->where == AT_EITHER)
        return NULL;
    return t->where == AT_SOURCE ? f->source.name : f->dest.name;
}

bool translate_blames_postcopy(const struct error *err)
{
    const struct translation *t = translate_find(err->why[0] ? err->why : err->what);

    return t && t->is_of_postcopy;
}

bool translate_error(struct error *err, const struct facts *f)
{
    const char *text = err->why[0] ? err->why : err->what;
    const struct translation *t = translate_find(text);
    struct error before = *err;
    OWNED_TEXT shown = { 0 };

    if (!t)
        return false;
    if (!f || !t->shown || !t->shown(f, text, &shown) || shown.failed)
        text_add(&shown, "%s", t->cause);
    (void)error_set(err, (enum error_code)before.code, before.host[0] ? before.host : NULL, "%s", t->what);
    if (host_of(t, f))
        (void)snprintf(err->host, sizeof err->host, "%s", host_of(t, f));
    err->detail = before.detail;
    (void)error_why(err, "%s", before.why[0] ? before.why : before.what);
    (void)error_fix(err, "%s %s", shown.failed ? t->cause : text_of(&shown), t->fix);
    return true;
}
