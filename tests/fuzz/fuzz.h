/* SPDX-License-Identifier: Apache-2.0
 * A fuzz target: one function, called with each input, by libFuzzer or by driver.c. It ends the program where
 * a promise is broken, and a sanitizer ends it where memory is. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No input is longer. */
enum { FUZZ_MOST = 1 << 16 };

#define PROMISE(holds)                                                                                       \
    do {                                                                                                     \
        if (!(holds)) {                                                                                      \
            (void)fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #holds);                        \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

#endif
