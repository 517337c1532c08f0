/* SPDX-License-Identifier: Apache-2.0
 * First the requests for all ids are under way, then all images are opened. */
#include "ahead.h"
#include <string.h>
#include <time.h>

#define KEPT_MS 5000u

static struct {
    struct ahead_image {
        struct image image;
        char source[WORDS_NAME * 3];
        bool is_there, is_opened;
    } list[AHEAD_MOST];
    size_t n;
    uint64_t at_ms;
} kept;

static uint64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

void ahead_forget(void)
{
    for (size_t i = 0; i < kept.n; i++)
        if (kept.list[i].is_there)
            image_done(&kept.list[i].image);
    kept.n = 0;
}

void ahead_look(struct ferry_call *call, const struct ferry_services *services,
                const struct ahead_wish *wishes, size_t n)
{
    struct image *all[AHEAD_MOST];
    size_t n_found = 0, n_opened = 0;

    ahead_forget();
    for (size_t i = 0; i < n && i < AHEAD_MOST; i++) {
        struct ahead_image *one = &kept.list[kept.n];

        if (strlen(wishes[i].source) >= sizeof one->source ||
            image_begin(call, services, &wishes[i].place, &wishes[i].name, wishes[i].snapshot, &one->image) <
                0)
            continue;
        memcpy(one->source, wishes[i].source, strlen(wishes[i].source) + 1);
        one->is_there = true;
        one->is_opened = wishes[i].is_opened;
        all[n_found++] = &one->image;
        kept.n++;
    }
    image_find_ids(all, n_found);
    for (size_t i = 0; i < kept.n; i++)
        if (kept.list[i].is_opened)
            all[n_opened++] = &kept.list[i].image;
    image_open_all(all, n_opened);
    kept.at_ms = now_ms();
}

bool ahead_take(const struct ferry_disk *disk, const struct words_place *place, struct image *ret)
{
    const char *snapshot = disk->snapshot ? disk->snapshot : "";

    if (now_ms() - kept.at_ms > KEPT_MS)
        ahead_forget();
    for (size_t i = 0; i < kept.n; i++) {
        struct ahead_image *one = &kept.list[i];

        if (!one->is_there || strcmp(one->source, disk->source) != 0 ||
            strcmp(one->image.snapshot, snapshot) != 0 ||
            memcmp(&one->image.place, place, sizeof *place) != 0)
            continue;
        *ret = one->image;
        one->is_there = false;
        return true;
    }
    return false;
}
