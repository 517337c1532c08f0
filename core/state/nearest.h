/* SPDX-License-Identifier: Apache-2.0
 * The word that was probably meant: for the hint behind "is not known". */
#ifndef STATE_NEAREST_H
#define STATE_NEAREST_H

#include <stddef.h>

/* Keeps the best candidate so far. Zero-initialise, offer each word, then read `word` (NULL = none is near).
 */
struct nearest {
    const char *word;
    size_t distance;
};
/* At most a third of the letters may differ, and at most three. */
void nearest_offer(struct nearest *n, const char *typed, const char *candidate);

#endif
