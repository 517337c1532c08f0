/* SPDX-License-Identifier: Apache-2.0
 * Of an error that was just set: the storage gave no answer in time. Says nothing to a virt-ferry that cannot
 * be told. */
#ifndef COMMON_NO_ANSWER_H
#define COMMON_NO_ANSWER_H

#include <stddef.h>
#include <virt-ferry-plugin.h>

static inline void no_answer(struct ferry_call *call, const struct ferry_services *services)
{
    if (services->size >= offsetof(struct ferry_services, no_answer) + sizeof services->no_answer)
        services->no_answer(call);
}

#endif
