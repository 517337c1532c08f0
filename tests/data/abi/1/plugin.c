/* SPDX-License-Identifier: Apache-2.0
 * A plugin built against the header beside it, which every later virt-ferry loads, asks and is answered by.
 * It uses all that ABI 1 has: each callback, each service, each constant. Never change it: what later headers
 * add is for another plugin. cc -std=gnu11 -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -I. -o
 * plugin.so plugin.c */
#include <stddef.h>
#include <string.h>
#include <virt-ferry-plugin.h>

#define LENGTH 65536u

/* An image in memory; no other host has it. */
static unsigned char bytes[LENGTH];
static struct ferry_request *waiting;
static uint64_t changes;
static uint32_t seen_ahead;

static int is_mine(const struct ferry_disk *disk)
{
    return disk->source && strcmp(disk->source, "/abi/1") == 0;
}

static int refuse(struct ferry_call *call, const struct ferry_services *services, const char *what)
{
    services->error(call, "Name what is there.", "'%s' is not there", what ? what : "");
    return -1;
}

static int claim(struct ferry_call *call, const struct ferry_services *services,
                 const struct ferry_disk *disk)
{
    services->log(call, "claim %s", disk->target);
    return is_mine(disk) ? 90 : 0;
}

static int identify(struct ferry_call *call, const struct ferry_services *services,
                    const struct ferry_disk *disk, struct ferry_identity *ret)
{
    if (!is_mine(disk))
        return 0;
    ret->identity = services->text(call, "abi-1:%s", disk->source);
    ret->directory = NULL;
    ret->evidence =
        services->text(call, "seen on %s, ahead %u, size %u of %s %s", services->host(call), seen_ahead,
                       (unsigned)(disk->size >= sizeof *disk), disk->type, disk->format ? disk->format : "");
    ret->was_read = 1;
    return ret->identity && ret->evidence ? 0 : -1;
}

static int inspect(struct ferry_call *call, const struct ferry_services *services,
                   const struct ferry_disk *disk, struct ferry_image *ret)
{
    const char *present = services->config(call, "present");

    if (!services->libvirt(call))
        services->log(call, "without libvirt");
    ret->present = 2;
    ret->capacity_bytes = ret->allocated_bytes = ret->free_bytes = FERRY_NOT_KNOWN;
    if (!is_mine(disk))
        return 0;
    ret->present = present && strcmp(present, "no") == 0 ? 0 : 1;
    ret->capacity_bytes = LENGTH;
    ret->free_bytes = 1 << 20;
    ret->keeps_length = 1;
    return 0;
}

static int check(struct ferry_call *call, const struct ferry_services *services,
                 const struct ferry_disk *disk)
{
    services->finding(call, 2, "abi-1-checked",
                      disk->flags & FERRY_DISK_AT_DEST ? "at the destination" : "at the source",
                      "Nothing is to be done.");
    return 0;
}

static int create(struct ferry_call *call, const struct ferry_services *services,
                  const struct ferry_new_image *image)
{
    if (!is_mine(image->disk))
        return refuse(call, services, image->disk->source);
    if (image->capacity_bytes == 0 || image->capacity_bytes > LENGTH || image->base) {
        services->error(call, "Take another length.", "no image of %llu bytes can be made%s",
                        (unsigned long long)image->capacity_bytes,
                        image->flags & FERRY_NEW_HERE       ? " here"
                        : image->flags & FERRY_NEW_STREAMED ? " there"
                                                            : "");
        return -1;
    }
    return services->journal(call, "image", "/abi", "1", NULL);
}

static int remove_it(struct ferry_call *call, const struct ferry_services *services, const char *what,
                     const char *place, const char *name, const char *identity)
{
    (void)call;
    (void)services;
    (void)place;
    (void)name;
    return strcmp(what, "image") != 0 || (identity && strcmp(identity, "abi-1:/abi/1") != 0);
}

static int retire(struct ferry_call *call, const struct ferry_services *services,
                  const struct ferry_disk *disk, const char *identity)
{
    (void)call;
    (void)services;
    (void)disk;
    return strcmp(identity, "abi-1:/abi/1") != 0;
}

static void look_ahead(struct ferry_call *call, const struct ferry_services *services,
                       const struct ferry_disk *const *disks, uint32_t n)
{
    (void)call;
    (void)services;
    (void)disks;
    seen_ahead = n;
}

/* ---- block I/O: requests are done when they are asked after ---- */

static int open_it(struct ferry_call *call, const struct ferry_services *services,
                   const struct ferry_opening *how, struct ferry_opened *ret)
{
    if (!is_mine(how->disk))
        return refuse(call, services, how->disk->source);
    ret->fd = 0;
    ret->handle = bytes;
    ret->length_bytes = LENGTH;
    ret->block_bytes = 512;
    ret->piece_bytes = 65536;
    ret->depth = how->flags & FERRY_OPEN_THERE ? 1 : 2;
    ret->reads_zero = how->flags & FERRY_OPEN_WRITE ? 1 : 0;
    ret->flush_bytes = 0;
    return 0;
}

static int extents(struct ferry_call *call, const struct ferry_services *services, void *handle,
                   uint64_t from_bytes, struct ferry_extent *ret, uint32_t room, uint32_t *ret_n)
{
    (void)call;
    (void)services;
    (void)handle;
    if (room == 0)
        return -1;
    ret[0].offset_bytes = from_bytes;
    ret[0].length_bytes = LENGTH - from_bytes;
    ret[0].is_zero = 0;
    *ret_n = 1;
    return 0;
}

static int submit(struct ferry_call *call, const struct ferry_services *services, void *handle,
                  struct ferry_request *request)
{
    (void)call;
    (void)services;
    (void)handle;
    request->next = waiting;
    waiting = request;
    return 0;
}

static int reap(struct ferry_call *call, const struct ferry_services *services, void *handle,
                struct ferry_request **ret_done)
{
    (void)call;
    (void)services;
    (void)handle;
    for (struct ferry_request *r = waiting; r; r = r->next) {
        if (r->what == FERRY_READ)
            memcpy(r->buffer, bytes + r->offset_bytes, r->length_bytes);
        else if (r->what == FERRY_WRITE)
            memcpy(bytes + r->offset_bytes, r->buffer, r->length_bytes);
        else if (r->what == FERRY_ZERO)
            memset(bytes + r->offset_bytes, 0, r->length_bytes);
        else
            r->error = r->what == FERRY_FLUSH ? 0 : FERRY_LOST;
        changes += r->what == FERRY_WRITE;
    }
    *ret_done = waiting;
    waiting = NULL;
    return 0;
}

static int changed(struct ferry_call *call, const struct ferry_services *services, void *handle,
                   uint64_t *ret)
{
    (void)call;
    (void)services;
    (void)handle;
    *ret = changes;
    return 0;
}

static void close_it(struct ferry_call *call, const struct ferry_services *services, void *handle)
{
    (void)call;
    (void)services;
    (void)handle;
}

static int clone(struct ferry_call *call, const struct ferry_services *services, void *from, void *to)
{
    (void)call;
    (void)services;
    (void)from;
    (void)to;
    return 1;
}

static const struct ferry_storage storage = {
    .size = sizeof storage,
    .declares = FERRY_STORAGE_SHARES | FERRY_STORAGE_LOCKS | FERRY_STORAGE_READS_ZERO |
                FERRY_STORAGE_UNSAFE_OK | FERRY_STORAGE_BASES | FERRY_STORAGE_HEADS | FERRY_STORAGE_STREAMS,
    .name = "abi-1-storage",
    .summary = "an image in memory",
    .claim = claim,
    .identify = identify,
    .inspect = inspect,
    .check = check,
    .create = create,
    .remove = remove_it,
    .retire = retire,
    .look_ahead = look_ahead,
    .open = open_it,
    .extents = extents,
    .submit = submit,
    .reap = reap,
    .changed = changed,
    .close = close_it,
    .clone = clone,
};

/* ---- a transport that leads nowhere ---- */

static const char *uri(struct ferry_call *call, const struct ferry_services *services, const char *host)
{
    return services->text(call, "qemu+abi1://%s/system", host);
}

static int probe(struct ferry_call *call, const struct ferry_services *services, const char *to,
                 struct ferry_route *ret)
{
    static const char *const words[] = { "true", NULL };
    struct ferry_command command = { .size = sizeof command, .timeout_ms = 5000, .argv = words };

    if (services->program(call, &command) < 0)
        return -1;
    if (strcmp(to, "qemu+abi1://there/system") != 0 || command.exit_code != 0)
        return refuse(call, services, to);
    ret->address = services->text(call, "127.0.0.9");
    ret->latency_us = FERRY_NOT_KNOWN;
    ret->bytes_per_s = FERRY_NOT_KNOWN;
    ret->protects_control = FERRY_PROTECTS_ENCRYPTION;
    return ret->address ? 0 : -1;
}

static int parameter(struct ferry_call *call, const struct ferry_services *services,
                     const struct ferry_route *route, uint32_t i, struct ferry_parameter *ret)
{
    const char *address = route->data_address ? route->data_address : route->address;

    ret->name = i == 0 ? "migrate_uri" : FERRY_PARAMETER_FLAG;
    ret->value = i == 0 ? services->text(call, "tcp:%s", address ? address : "") : "tls";
    return i > 1 ? 1 : ret->value ? 0 : -1;
}

static int open_way(struct ferry_call *call, const struct ferry_services *services, const char *to,
                    const char *folder, struct ferry_way *ret)
{
    if (strcmp(to, "qemu+abi1://there/system") != 0)
        return refuse(call, services, to);
    ret->socket = services->text(call, "%s/socket", folder);
    ret->libvirt_uri = services->text(call, "%s", to);
    return ret->socket && ret->libvirt_uri ? 0 : -1;
}

static void close_way(struct ferry_call *call, const struct ferry_services *services)
{
    services->log(call, "closed");
}

static int run(struct ferry_call *call, const struct ferry_services *services, const char *to,
               const char *folder, struct ferry_command *command)
{
    (void)folder;
    if (services->size < offsetof(struct ferry_services, run) + sizeof services->run)
        return refuse(call, services, to);
    return services->run(call, command);
}

static int check_way(struct ferry_call *call, const struct ferry_services *services, const char *to,
                     const struct ferry_route *route, uint32_t at_dest)
{
    (void)to;
    (void)route;
    services->finding(call, 1, "abi-1-way", at_dest ? "at the destination" : "at the source", NULL);
    return 0;
}

static int open_data(struct ferry_call *call, const struct ferry_services *services, const char *to,
                     const char *folder, const struct ferry_route *route, const char *owner)
{
    (void)to;
    (void)folder;
    (void)route;
    services->error(call, NULL, "no data for '%s'", owner ? owner : "nobody");
    return -1;
}

static const struct ferry_transport transport = {
    .size = sizeof transport,
    .carries = FERRY_CARRIES_DISKS | FERRY_CARRIES_P2P | FERRY_CARRIES_MULTIFD | FERRY_CARRIES_POSTCOPY |
               FERRY_CARRIES_VIA,
    .protects_control = FERRY_PROTECTS_NOTHING,
    .protects_data = FERRY_PROTECTS_AUTHENTICATION,
    .name = "abi-1-transport",
    .summary = "leads nowhere",
    .uri_scheme = "qemu+abi1",
    .control_port = 1,
    .preference = 1000,
    .uri = uri,
    .probe = probe,
    .parameter = parameter,
    .open = open_way,
    .close = close_way,
    .run = run,
    .check = check_way,
    .rides = NULL,
    .open_data = open_data,
};

FERRY_PLUGIN(.name = "abi-1", .version = "1.0", .summary = "what was built for ABI 1",
             .storage = (const struct ferry_storage *const[]){ &storage, NULL },
             .transports = (const struct ferry_transport *const[]){ &transport, NULL })
