/* SPDX-License-Identifier: Apache-2.0
 * Edit distance over short words. */
#include "state/nearest.h"
#include <string.h>

#define NEAREST_MAX_LENGTH 63u /* no word of ours is longer */

static size_t least(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;

    return m < c ? m : c;
}

static size_t edit_distance(const char *a, const char *b)
{
    size_t row[NEAREST_MAX_LENGTH + 1], n = strlen(b);

    for (size_t k = 0; k <= n; k++)
        row[k] = k;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t k = 1; k <= n; k++) {
            size_t above = row[k];

            row[k] = least(row[k - 1] + 1, above + 1, diagonal + (a[i - 1] != b[k - 1]));
            diagonal = above;
        }
    }
    return row[n];
}

void nearest_offer(struct nearest *n, const char *typed, const char *candidate)
{
    size_t length = strlen(typed), allowed = (length + 2) / 3, distance;

    if (length > NEAREST_MAX_LENGTH || strlen(candidate) > NEAREST_MAX_LENGTH)
        return;
    distance = edit_distance(typed, candidate);
    if (distance > (allowed < 3 ? allowed : 3) || (n->word && distance >= n->distance))
        return;
    n->word = candidate;
    n->distance = distance;
}
