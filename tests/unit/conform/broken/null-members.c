/* SPDX-License-Identifier: Apache-2.0
 * Broken: it reads members of a disk that may be NULL. */
#include <string.h>
#include <virt-ferry-plugin.h>

static int claim(struct ferry_call *call, const struct ferry_services *services,
                 const struct ferry_disk *disk)
{
    (void)call;
    (void)services;
    return strcmp(disk->type, "file") == 0 ? 50 : 0;
}

static int identify(struct ferry_call *call, const struct ferry_services *services,
                    const struct ferry_disk *disk, struct ferry_identity *ret)
{
    ret->identity = services->text(call, "%s", strcmp(disk->format, "raw") == 0 ? "raw" : "other");
    return ret->identity ? 0 : -1;
}

static const struct ferry_storage null_members = { .size = sizeof null_members,
                                                   .name = "null-members",
                                                   .summary = "for tests",
                                                   .claim = claim,
                                                   .identify = identify };

FERRY_PLUGIN(.name = "null-members", .version = "1", .summary = "for tests",
             .storage = (const struct ferry_storage *const[]){ &null_members, NULL })
