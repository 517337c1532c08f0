/* SPDX-License-Identifier: Apache-2.0
 * Trace events for eyes or programs: VIRT_FERRY_TRACE=1 (stderr), a file, or json:FILE.
 * Free when off; never carries a secret; what a command prints for its user does not pass here. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

void log_open(const char *setting); /* NULL or "" = off */
bool log_on(void);
/* area: the folder or worker that speaks; event: one word; the rest is text. */
void log_event(const char *area, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
