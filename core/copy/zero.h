/* SPDX-License-Identifier: Apache-2.0
 * Runs of zeroes in memory, found at the speed of memory. What is found here is neither sent nor written. */
#ifndef COPY_ZERO_H
#define COPY_ZERO_H

#include <stdbool.h>
#include <stddef.h>

/* What is looked at as one; a block of the file systems that hold images. */
#define ZERO_GRAIN 4096u

bool zero_is(const void *bytes, size_t n);
/* From `at` on: how long the run of one kind is, in grains counted from the beginning, and its kind. at < n.
 */
size_t zero_run(const unsigned char *bytes, size_t n, size_t at, bool *ret_is_zero);

#endif
