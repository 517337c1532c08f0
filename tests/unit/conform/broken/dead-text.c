/* SPDX-License-Identifier: Apache-2.0
 * Broken: the text that it gives lies in its own frame, and where it fails it does not say why. */
#include <stdint.h>
#include <stdio.h>
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
    char text[256];

    (void)call;
    (void)services;
    if (!disk->source)
        return -1;
    (void)snprintf(text, sizeof text, "dead:%.200s", disk->source);
    /* By way of a number, which no compiler warns about. */
    ret->identity = (const char *)((uintptr_t)text);
    return 0;
}

static const struct ferry_storage dead_text = { .size = sizeof dead_text,
                                                .name = "dead-text",
                                                .summary = "for tests",
                                                .claim = claim,
                                                .identify = identify };

FERRY_PLUGIN(.name = "dead-text", .version = "1", .summary = "for tests",
             .storage = (const struct ferry_storage *const[]){ &dead_text, NULL })
