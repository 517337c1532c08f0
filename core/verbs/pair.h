/* SPDX-License-Identifier: Apache-2.0
 * What is read of a host where two are looked at without a domain: machine types, network mounts, its clock.
 * None of it fails: what could not be read stays not known. */
#ifndef VERBS_PAIR_H
#define VERBS_PAIR_H

#include "verbs/verbs.h"
#include "verbs/xml.h"

/* Into h, texts on a; of capabilities the machine types. ret_clock gets {"offset_ms", "spread_ms"}: how far
 * its clock is before this machine's, and how far off that may be; NULL: not known. */
void pair_of_host(struct child *c, struct xml *capabilities, struct arena *a, struct host *h,
                  json_t **ret_clock);
/* The mounts in what the script printed, and the clock: ms since 1970, NOT_KNOWN. An answer that was cut
 * changes nothing. */
void pair_read(const char *said, struct arena *a, struct host *h, uint64_t *ret_clock_ms);
/* How far apart the clocks of two hosts are at least, of their "clock"; NOT_KNOWN where one is. */
uint64_t pair_clocks_apart_ms(const json_t *one, const json_t *other);

#endif
