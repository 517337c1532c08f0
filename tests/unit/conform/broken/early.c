/* SPDX-License-Identifier: Apache-2.0
 * Broken: it makes the file before the journal knows of it, and says so on standard output. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <virt-ferry-plugin.h>

static int claim(struct ferry_call *call, const struct ferry_services *services,
                 const struct ferry_disk *disk)
{
    (void)call;
    (void)services;
    return strcmp(disk->type, "file") == 0 ? 50 : 0;
}

static int create(struct ferry_call *call, const struct ferry_services *services,
                  const struct ferry_new_image *image)
{
    int fd = -1;

    if (image->disk->source)
        fd = open(image->disk->source, O_CREAT | O_EXCL | O_WRONLY, 0644);
    if (fd < 0) {
        services->error(call, "Name another place.", "it cannot be made there");
        return -1;
    }
    (void)close(fd);
    printf("made %s\n", image->disk->source);
    return services->journal(call, "file", "/", image->disk->source, NULL);
}

static int remove_none(struct ferry_call *call, const struct ferry_services *services, const char *what,
                       const char *place, const char *name, const char *identity)
{
    (void)call;
    (void)services;
    (void)what;
    (void)place;
    (void)name;
    (void)identity;
    return 1;
}

static const struct ferry_storage early = { .size = sizeof early,
                                            .name = "early",
                                            .summary = "for tests",
                                            .claim = claim,
                                            .create = create,
                                            .remove = remove_none };

FERRY_PLUGIN(.name = "early", .version = "1", .summary = "for tests",
             .storage = (const struct ferry_storage *const[]){ &early, NULL })
