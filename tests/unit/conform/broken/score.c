/* SPDX-License-Identifier: Apache-2.0
 * Broken: it is surer of a disk than one can be. */
#include <stddef.h>
#include <virt-ferry-plugin.h>

static int claim(struct ferry_call *call, const struct ferry_services *services,
                 const struct ferry_disk *disk)
{
    (void)call;
    (void)services;
    return disk->source ? 200 : 0;
}

static const struct ferry_storage score = {
    .size = sizeof score, .name = "score", .summary = "for tests", .claim = claim
};

FERRY_PLUGIN(.name = "score", .version = "1", .summary = "for tests",
             .storage = (const struct ferry_storage *const[]){ &score, NULL })
