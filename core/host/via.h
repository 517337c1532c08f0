/* SPDX-License-Identifier: Apache-2.0
 * The address that RAM and disks shall travel to, where the user or the configuration chose one: an address,
 * or a network in which one of the destination's own is looked for. A part of the survey; runs in the parent.
 */
#ifndef HOST_VIA_H
#define HOST_VIA_H

#include "host/channels.h"

/* Fills s->via_address, with the source connected; ERROR_REFUSED where it is not known which one it is. */
int via_resolve(struct survey *s, struct openings *o, struct error *err);

#endif
