/* SPDX-License-Identifier: Apache-2.0
 * Images of Ceph made, and taken away again. */
#ifndef CEPH_MAKE_H
#define CEPH_MAKE_H

#include "words.h"
#include <virt-ferry-plugin.h>

int make_image(struct ferry_call *call, const struct ferry_services *services,
               const struct words_place *place, const struct words_name *name, uint64_t bytes);
/* As ferry_storage.remove. */
int make_gone(struct ferry_call *call, const struct ferry_services *services, const char *place,
              const char *name, const char *identity);

/* The image of that name, if its identity is this one: 0 gone, 1 left. */
int make_retire(struct ferry_call *call, const struct ferry_services *services,
                const struct words_place *place, const struct words_name *name, const char *identity);

#endif
