/* SPDX-License-Identifier: Apache-2.0
 * qemu-img prints a line for each stretch of an image, and a line is read as what it is by itself: a map of
 * millions of them never is one tree in memory. */
#include "copy/places.h"
#include "base/json.h"
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 256u
#define LINE_MOST 1000u

void places_end(struct places *p)
{
    free(p->list);
    *p = (struct places){ 0 };
}

static int add(struct places *p, const struct place *one, struct error *err)
{
    struct place *last = p->n > 0 ? &p->list[p->n - 1] : NULL;

    if (last && last->offset + last->length == one->offset && last->at + last->length == one->at) {
        last->length += one->length;
        return 0;
    }
    if (p->n == p->room) {
        const size_t room = p->room ? 2 * p->room : ROOM_FIRST;
        struct place *list = reallocarray(p->list, room, sizeof *list);

        if (!list)
            return error_memory(err);
        p->list = list;
        p->room = room;
    }
    p->list[p->n++] = *one;
    return 0;
}

static bool has_place(const json_t *line)
{
    return json_child(line, "offset") && json_u64(line, "depth", 1) == 0 && json_flag(line, "data", false) &&
           !json_flag(line, "zero", true) && !json_flag(line, "compressed", false);
}

/* {"start", "length", "depth", "zero", "data", "offset"}, of which the last may be absent. */
static int take(struct places *p, const json_t *line, struct error *err)
{
    const struct place one = { .offset = json_u64(line, "start", PLACE_NONE),
                               .length = json_u64(line, "length", 0),
                               .at = json_u64(line, "offset", PLACE_NONE) };

    if (one.offset != p->to || one.length == 0 || one.length > INT64_MAX - p->to)
        return error_set(err, ERROR_INPUT, NULL, "QEMU's map of an image has gaps");
    p->to += one.length;
    return has_place(line) && one.at <= INT64_MAX - one.length ? add(p, &one, err) : 0;
}

/* The object in a line, without what makes a list of the lines. */
static int take_line(struct places *p, const char *line, size_t n, struct error *err)
{
    const char *first = memchr(line, '{', n), *last = memrchr(line, '}', n);
    OWNED_JSON object = NULL;

    if (!first || !last || last < first || n > LINE_MOST)
        return error_set(err, ERROR_INPUT, NULL, "QEMU's map of an image is none");
    object = json_read(first, (size_t)(last - first) + 1, "qemu-img", err);
    return object ? take(p, object, err) : -err->code;
}

int places_read(struct places *p, const char *text, size_t n, uint64_t from, struct error *err)
{
    const char *end;
    int r = 0;

    p->n = 0;
    p->from = p->to = from;
    for (; r == 0 && (end = memchr(text, '\n', n)) != NULL; text = end + 1) {
        n -= (size_t)(end - text) + 1;
        r = take_line(p, text, (size_t)(end - text), err);
    }
    if (r == 0)
        return 0;
    p->n = 0;
    p->to = from;
    return r;
}

/* The first place that ends behind offset. */
static size_t next_place(const struct places *p, uint64_t offset)
{
    size_t low = 0, high = p->n;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (p->list[middle].offset + p->list[middle].length <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint64_t places_find(const struct places *p, uint64_t offset, uint64_t most, uint64_t *ret_at)
{
    const size_t next = next_place(p, offset);
    const struct place *one = next < p->n ? &p->list[next] : NULL;
    uint64_t n = most;

    *ret_at = PLACE_NONE;
    if (one && offset < one->offset) {
        n = one->offset - offset;
    } else if (one) {
        *ret_at = one->at + (offset - one->offset);
        n = one->offset + one->length - offset;
    }
    return n < most ? n : most;
}
