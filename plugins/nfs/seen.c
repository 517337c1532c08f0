/* SPDX-License-Identifier: Apache-2.0
 * What was seen of the disks in hand. An image that the common look did not bring (its folder was refused,
 * the server went away) is simply not kept: it is then asked for by itself, which says why. */
#include "seen.h"
#include "flight.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEN_MOST 64u /* images of a domain that are looked at together */
#define KEPT_MS 5000u
#define HURRY_MS                                                                                             \
    1000u /* no other server is begun with then: all is to be over within the time of a question */

static struct seen *kept[SEEN_MOST];
static size_t next;

void seen_forget(void)
{
    for (size_t i = 0; i < SEEN_MOST; i++)
        if (kept[i])
            kept[i]->at_ms = 0;
    next = 0;
}

static void name_disk(const struct ferry_disk *disk, char *ret, size_t size)
{
    (void)snprintf(ret, size, "%s|%s|%s|%s|%s", disk->type, disk->server ? disk->server : "",
                   disk->user ? disk->user : "", disk->group ? disk->group : "",
                   disk->source ? disk->source : "");
}

static struct seen *find(const struct ferry_disk *disk)
{
    char key[sizeof kept[0]->disk];

    name_disk(disk, key, sizeof key);
    for (size_t i = 0; i < SEEN_MOST; i++)
        if (kept[i] && kept[i]->at_ms && flight_now_ms() - kept[i]->at_ms < KEPT_MS &&
            strcmp(kept[i]->disk, key) == 0)
            return kept[i];
    return NULL;
}

/* Empty, and its place found; NULL without memory. */
static struct seen *begin(struct ferry_call *call, const struct ferry_services *services,
                          const struct ferry_disk *disk)
{
    struct seen *s = kept[next % SEEN_MOST];

    if (!s && !(s = kept[next % SEEN_MOST] = malloc(sizeof *s)))
        return NULL;
    next++;
    memset(s, 0, sizeof *s);
    name_disk(disk, s->disk, sizeof s->disk);
    s->answer = place_find(call, services, disk, &s->place);
    return s;
}

const struct seen *seen_of(struct ferry_call *call, const struct ferry_services *services,
                           const struct ferry_disk *disk)
{
    struct seen *s = find(disk);

    if (s)
        return s;
    s = begin(call, services, disk);
    if (!s)
        services->error(call, NULL, "no memory left");
    if (!s || s->answer == PLACE_FAILED)
        return NULL;
    if (s->answer == PLACE_KNOWN) {
        const unsigned before = server_trips();

        server_time(ANSWER_MS);
        s->has_look = server_look(s->place.address, s->place.folder, s->place.name, &s->place.user, &s->look,
                                  &s->trouble) == 0;
        services->log(call, "looked at NFS server '%s', image '%s/%s', round trips: %u", s->place.address,
                      s->place.folder, s->place.name, server_trips() - before);
    }
    s->at_ms = flight_now_ms();
    return s;
}

bool seen_is_image(const struct seen *s)
{
    return s->has_look && s->look.found.status == NFS3_OK && s->look.found.attributes.type == NF3REG;
}

bool seen_is_checked_at_source(const struct ferry_disk *disk, const struct seen *s)
{
    struct identity there;

    return disk->user && disk->group && identity_read(disk->at_source, &there) &&
           strcmp(there.address, s->place.address) == 0 && seen_is_image(s) &&
           there.fileid == s->look.found.attributes.fileid;
}

/* ---- all together ---- */

struct crowd {
    struct ferry_call *call;
    const struct ferry_services *services;
    struct {
        const struct ferry_disk *disk;
        struct seen *seen;
        struct want want;
        bool is_asked;
    } of[SEEN_MOST];
    size_t n;
};

static void gather(struct crowd *c, const struct ferry_disk *const *disks, size_t n)
{
    for (size_t i = 0; i < n && c->n < SEEN_MOST; i++) {
        struct seen *s = begin(c->call, c->services, disks[i]);

        if (!s || s->answer != PLACE_KNOWN)
            continue;
        c->of[c->n].disk = disks[i];
        c->of[c->n].seen = s;
        c->of[c->n++].want = (struct want){ .address = s->place.address,
                                            .folder = s->place.folder,
                                            .name = s->place.name,
                                            .user = &s->place.user,
                                            .look = &s->look };
    }
}

/* What check and inspect will ask for, where the look has brought an image. */
static size_t list_found(struct crowd *c, const char *address, struct want **ret)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n; i++) {
        const struct ferry_disk *disk = c->of[i].disk;
        struct seen *s = c->of[i].seen;
        struct want *w = &c->of[i].want;

        if (strcmp(w->address, address) != 0 || !w->is_seen)
            continue;
        s->has_look = true;
        w->wants_rights = seen_is_image(s) && s->place.has_user && !seen_is_checked_at_source(disk, s);
        w->wants_head = seen_is_image(s) && disk->format && strcmp(disk->format, "qcow2") == 0;
        if (w->wants_rights || w->wants_head)
            ret[n++] = w;
    }
    return n;
}

/* All that lies on the server of the first one. */
static void ask_server(struct crowd *c, const char *address)
{
    const unsigned before = server_trips();
    struct want *wants[SEEN_MOST];
    struct trouble t = { .id = NULL };
    size_t n = 0;

    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->of[i].want.address, address) == 0) {
            c->of[i].is_asked = true;
            wants[n++] = &c->of[i].want;
        }
    if (server_look_all(wants, n, &t) < 0)
        c->services->log(c->call, "%s", t.what);
    c->services->log(c->call, "looked at NFS server '%s', images: %zu, round trips: %u", address, n,
                     server_trips() - before);
    n = list_found(c, address, wants);
    if (n > 0 && server_learn_all(wants, n, &t) < 0)
        c->services->log(c->call, "%s", t.what);
}

void seen_all(struct ferry_call *call, const struct ferry_services *services,
              const struct ferry_disk *const *disks, size_t n)
{
    const uint64_t began = flight_now_ms();
    struct crowd *c = calloc(1, sizeof *c);

    seen_forget();
    if (!c)
        return;
    c->call = call;
    c->services = services;
    gather(c, disks, n);
    for (size_t i = 0; i < c->n && flight_now_ms() - began < HURRY_MS; i++) {
        if (c->of[i].is_asked)
            continue;
        server_time(ANSWER_MS);
        ask_server(c, c->of[i].want.address);
    }
    for (size_t i = 0; i < c->n; i++)
        if (c->of[i].want.is_seen)
            c->of[i].seen->at_ms = flight_now_ms();
    free(c);
}
