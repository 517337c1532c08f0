/* SPDX-License-Identifier: Apache-2.0
 * What a transport driver may have libvirt told of a move: the parameters and flags that are known here, each
 * with the type that libvirt wants. Whatever else a driver, facts or a plan name is never passed on. */
#ifndef VERBS_PARAMETERS_H
#define VERBS_PARAMETERS_H

#include "facts/model.h"
#include "worker/worker.h"
#include <libvirt/libvirt.h>

/* Is it known, and its value one that may be passed? */
bool parameter_is_known(const struct parameter *p);

/* As the mover takes them: [{"name", "value"}, …], those for disks only where any are copied. NULL without
 * memory. */
json_t *parameters_to_json(const struct channel *ch, bool has_disks);
/* Adds those of list that are libvirt's typed ones to *params, and the others' bits to *flags. */
int parameters_add(const json_t *list, virTypedParameterPtr *params, int *n, int *size, unsigned *flags,
                   struct error *err);

#endif
