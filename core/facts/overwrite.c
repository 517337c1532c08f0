/* SPDX-License-Identifier: Apache-2.0
 * A word that is wrong here costs a disk, so nothing is guessed: a target is written out, no pattern and no
 * 'all'. */
#include "facts/overwrite.h"
#include "base/text.h"
#include <string.h>

#define MOST_LETTERS 32u

static int refuse(struct error *err, size_t length, const char *word)
{
    error_set(err, ERROR_USAGE, NULL, "'%.*s' is no target of a disk", (int)(length < 64 ? length : 64),
              word);
    return error_fix(err, "Write the targets with commas between them, such as 'vdb' or 'vdb,vdc'.");
}

static int add(const char *word, size_t length, struct arena *a, struct finding_refs *to, struct error *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const char *name =
        arena_format(a, "%.*s", (int)(length < MOST_LETTERS + 1 ? length : MOST_LETTERS + 1), word);
    const char **grown;

    if (!name)
        return error_memory(err);
    if (length == 0 || length > MOST_LETTERS || *name == '-' || name[strspn(name, letters)])
        return refuse(err, length, word);
    for (size_t i = 0; i < to->n; i++)
        if (text_equal(to->names[i], name))
            return 0;
    if (to->n >= OVERWRITE_MOST) {
        error_set(err, ERROR_USAGE, NULL, "more than %u devices are to be overwritten", OVERWRITE_MOST);
        return error_fix(err, "Move the disks in several steps.");
    }
    grown = arena_grown(a, to->names, to->n, sizeof *grown);
    if (!grown)
        return error_memory(err);
    to->names = grown;
    grown[to->n++] = name;
    return 0;
}

int overwrite_parse(const char *text, struct arena *a, struct finding_refs *to, struct error *err)
{
    for (;;) {
        const size_t length = strcspn(text, ",");

        if (add(text, length, a, to, err) < 0)
            return -err->code;
        if (!text[length])
            return 0;
        text += length + 1;
    }
}

json_t *overwrite_to_json(const struct finding_refs *names)
{
    OWNED_JSON list = json_array();

    for (size_t i = 0; list && i < names->n; i++)
        if (json_array_append_new(list, json_string(names->names[i])) < 0)
            return NULL;
    return list ? HAND_OVER(list) : NULL;
}

int overwrite_from_json(const json_t *j, struct arena *a, struct finding_refs *to, struct error *err)
{
    const json_t *one;
    size_t i;

    if (j && !json_is_array(j))
        return error_set(err, ERROR_INPUT, NULL, "what it would overwrite is no list");
    json_array_foreach(j, i, one)
    {
        const char *word = json_is_string(one) ? json_string_value(one) : "";

        if (add(word, strlen(word), a, to, err) < 0)
            return -err->code;
    }
    return 0;
}

int overwrite_apply(struct facts *f, const struct finding_refs *names, struct error *err)
{
    for (size_t i = 0; i < names->n; i++)
        if (add(names->names[i], strlen(names->names[i]), f->arena, &f->overwrite, err) < 0)
            return -err->code;
    return 0;
}
