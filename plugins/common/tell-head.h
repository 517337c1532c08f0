/* SPDX-License-Identifier: Apache-2.0
 * The head of a qcow2 image as a driver tells it to virt-ferry. */
#ifndef COMMON_TELL_HEAD_H
#define COMMON_TELL_HEAD_H

#include "qcow2-head.h"
#include <virt-ferry-plugin.h>

/* false: no memory. */
bool tell_head(struct ferry_call *call, const struct ferry_services *services, const struct qcow2_head *head,
               struct ferry_image *ret);

#endif
