/* SPDX-License-Identifier: Apache-2.0
 * The channels from the source to the destination: ways opened, each driver asked from where the source is,
 * and what is there put into facts. A part of the survey; runs in the parent. */
#ifndef HOST_CHANNELS_H
#define HOST_CHANNELS_H

#include "host/survey.h"
#include "host/way.h"

#define MOST_WAYS 8u

/* Ways to the destination in the making. */
struct openings {
    struct way *list[MOST_WAYS];
    size_t n;
    /* Once it was waited for: */
    struct opened {
        bool is_over;
        json_t *facts; /* why it could not be opened; may be NULL */
        struct error failed;
    } opened[MOST_WAYS];
};
void openings_done(struct openings *o);
#define OWNED_OPENINGS __attribute__((cleanup(openings_done))) struct openings

/* Waits for the i-th; false: it could not be opened. */
bool openings_wait(struct openings *o, size_t i);
int channels_open_ways(struct survey *s, struct openings *o, struct error *err);
/* Facts of all channels and findings; the ways that stand go to the survey. */
json_t *channels_probe(struct survey *s, struct openings *o, bool is_here, struct error *err);
/* Keeps them, and chooses the one for control. */
int channels_take(struct survey *s, const json_t *all, struct error *err);

/* Of connect.c: */
bool survey_dest_is_uri(const struct survey *s);
/* The newest way that was opened for this URI, or NULL. */
struct way *survey_way_of(const struct survey *s, const char *uri);
/* A finding may say that a password is wanted. */
void survey_note_password(struct survey *s, const struct finding *finding, bool is_dest);

#endif
