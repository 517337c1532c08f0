/* SPDX-License-Identifier: Apache-2.0
 * The example plugin of docs/plugins.md: a storage driver for image files in a folder that every host mounts
 * from one cluster. It needs the installed header and nothing else. Read it from the bottom. */
#include <string.h>
#include <virt-ferry-plugin.h>

/* The part of the disk's path below the folder of our section, or NULL when it is not below it. */
static const char *below_folder(const char *folder, const char *path)
{
    size_t n;

    if (!folder || folder[0] != '/' || !path)
        return NULL;
    n = strlen(folder);
    while (n > 0 && folder[n - 1] == '/')
        n--;
    if (strncmp(path, folder, n) != 0 || path[n] != '/' || path[n + 1] == '\0')
        return NULL;
    return path + n + 1;
}

/* A '..' part would name a file outside the folder by a path inside it. */
static int has_dots(const char *path)
{
    for (; path; path = strchr(path, '/')) {
        path += *path == '/';
        if (strncmp(path, "..", 2) == 0 && (path[2] == '/' || path[2] == '\0'))
            return 1;
    }
    return 0;
}

static int example_claim(struct ferry_call *call, const struct ferry_services *services,
                         const struct ferry_disk *disk)
{
    const char *folder = services->config(call, "folder");

    if (strcmp(disk->type, "file") != 0 || !services->config(call, "cluster"))
        return 0;
    /* More than local-block's 10: we know what lies below this path. */
    return below_folder(folder, disk->source) ? 50 : 0;
}

static int example_identify(struct ferry_call *call, const struct ferry_services *services,
                            const struct ferry_disk *disk, struct ferry_identity *ret)
{
    const char *cluster = services->config(call, "cluster");
    const char *rest = below_folder(services->config(call, "folder"), disk->source);

    if (!cluster || !rest || has_dots(rest)) {
        services->error(call, "Write the path of the image without '..' parts.",
                        "image '%s' is not plainly below the cluster's folder",
                        disk->source ? disk->source : "");
        return -1;
    }
    /* Two hosts hold the same image when both say the same here. A real driver asks its cluster for an id of
     * the cluster and of the image, and does not trust a name in a configuration as this one does. */
    ret->identity = services->text(call, "example:%s:%s", cluster, rest);
    ret->evidence = services->text(call, "image '%s' of cluster '%s', by configuration", rest, cluster);
    return ret->identity && ret->evidence ? 0 : -1;
}

static const struct ferry_storage example = {
    .size = sizeof example,
    .declares = FERRY_STORAGE_SHARES,
    .name = "example",
    .summary = "image files in the folder of a cluster",
    .claim = example_claim,
    .identify = example_identify,
    /* No .inspect, .check, .create or .remove: such images are shared or the move is refused, never copied.
     */
};

FERRY_PLUGIN(.name = "example", .version = "1.0", .summary = "the plugin of the plugin manual",
             .storage = (const struct ferry_storage *const[]){ &example, NULL })
