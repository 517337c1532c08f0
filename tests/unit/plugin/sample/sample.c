/* SPDX-License-Identifier: Apache-2.0
 * A plugin that the registry's tests build at test time; each -D makes it break one rule of the contract. */
#include <stddef.h>
#include <virt-ferry-plugin.h>

#ifndef PLUGIN_NAME
#define PLUGIN_NAME "sample"
#endif
#ifndef PLUGIN_VERSION
#define PLUGIN_VERSION "1"
#endif
#ifndef PLUGIN_SUMMARY
#define PLUGIN_SUMMARY "for tests"
#endif
#ifndef PLUGIN_SIZE
#define PLUGIN_SIZE sizeof(struct ferry_plugin)
#endif
#ifndef PLUGIN_ABI
#define PLUGIN_ABI FERRY_ABI
#endif
#ifndef STORAGE_NAME
#define STORAGE_NAME "sample-storage"
#endif
#ifndef STORAGE_SUMMARY
#define STORAGE_SUMMARY "nothing"
#endif
#ifndef STORAGE_SIZE
#define STORAGE_SIZE sizeof(struct ferry_storage)
#endif
#ifndef STORAGE_CLAIM
#define STORAGE_CLAIM claim
#endif
#ifndef STORAGE_CREATE
#define STORAGE_CREATE create
#endif
#ifndef STORAGE_REMOVE
#define STORAGE_REMOVE remove_one
#endif
#ifndef TRANSPORT_NAME
#define TRANSPORT_NAME "sample-transport"
#endif
#ifndef TRANSPORT_SIZE
#define TRANSPORT_SIZE sizeof(struct ferry_transport)
#endif
#ifndef TRANSPORT_SCHEME
#define TRANSPORT_SCHEME "qemu+sample"
#endif
#ifndef TRANSPORT_URI
#define TRANSPORT_URI uri
#endif
#ifndef TRANSPORT_PROBE
#define TRANSPORT_PROBE probe
#endif
#ifndef TRANSPORT_PARAMETER
#define TRANSPORT_PARAMETER parameter
#endif
#ifndef TRANSPORT_OPEN
#define TRANSPORT_OPEN open_way
#endif
#ifndef TRANSPORT_CLOSE
#define TRANSPORT_CLOSE close_way
#endif
#ifndef TRANSPORT_RUN
#define TRANSPORT_RUN run
#endif
#ifndef MORE_STORAGE
#define MORE_STORAGE
#endif

#ifndef SCORE
#define SCORE 7
#endif
static __attribute__((unused)) int claim(struct ferry_call *call, const struct ferry_services *services,
                                         const struct ferry_disk *disk)
{
    (void)call;
    (void)services;
    (void)disk;
    return SCORE;
}

static __attribute__((unused)) int create(struct ferry_call *call, const struct ferry_services *services,
                                          const struct ferry_new_image *image)
{
    (void)call;
    (void)services;
    (void)image;
    return -1;
}

static __attribute__((unused)) int remove_one(struct ferry_call *call, const struct ferry_services *services,
                                              const char *what, const char *place, const char *name,
                                              const char *identity)
{
    (void)call;
    (void)services;
    (void)what;
    (void)place;
    (void)name;
    (void)identity;
    return 0;
}

static __attribute__((unused)) const char *uri(struct ferry_call *call, const struct ferry_services *services,
                                               const char *host)
{
    (void)call;
    (void)services;
    return host;
}

static __attribute__((unused)) int probe(struct ferry_call *call, const struct ferry_services *services,
                                         const char *to, struct ferry_route *ret)
{
    (void)call;
    (void)services;
    (void)to;
    (void)ret;
    return -1;
}

static __attribute__((unused)) int parameter(struct ferry_call *call, const struct ferry_services *services,
                                             const struct ferry_route *route, uint32_t i,
                                             struct ferry_parameter *ret)
{
    (void)call;
    (void)services;
    (void)route;
    (void)i;
    (void)ret;
    return 1;
}

static __attribute__((unused)) int open_way(struct ferry_call *call, const struct ferry_services *services,
                                            const char *to, const char *folder, struct ferry_way *ret)
{
    (void)call;
    (void)services;
    (void)to;
    (void)folder;
    (void)ret;
    return -1;
}

static __attribute__((unused)) void close_way(struct ferry_call *call, const struct ferry_services *services)
{
    (void)call;
    (void)services;
}

static __attribute__((unused)) int run(struct ferry_call *call, const struct ferry_services *services,
                                       const char *to, const char *folder, struct ferry_command *command)
{
    (void)call;
    (void)services;
    (void)to;
    (void)folder;
    (void)command;
    return -1;
}

/* One field more than the header knows, as a newer plugin would have. */
static const struct {
    struct ferry_storage known;
    void *newer;
} storage = { .known = { .size = STORAGE_SIZE,
                         .name = STORAGE_NAME,
                         .summary = STORAGE_SUMMARY,
                         .claim = STORAGE_CLAIM,
                         .create = STORAGE_CREATE,
                         .remove = STORAGE_REMOVE } };

static int ended(struct ferry_call *call, const struct ferry_services *services, const char *to)
{
    (void)call;
    (void)services;
    (void)to;
    return 0;
}

static const struct ferry_transport transport = { .size = TRANSPORT_SIZE,
                                                  .name = TRANSPORT_NAME,
                                                  .summary = "nothing",
                                                  .uri_scheme = TRANSPORT_SCHEME,
                                                  .uri = TRANSPORT_URI,
                                                  .probe = TRANSPORT_PROBE,
                                                  .parameter = TRANSPORT_PARAMETER,
                                                  .open = TRANSPORT_OPEN,
                                                  .close = TRANSPORT_CLOSE,
                                                  .run = TRANSPORT_RUN,
                                                  .ended = ended };

static const struct ferry_storage *const storages[] = { &storage.known, MORE_STORAGE NULL };
static const struct ferry_transport *const transports[] = { &transport, NULL };
static const struct ferry_plugin self = { .size = PLUGIN_SIZE,
                                          .abi = PLUGIN_ABI,
                                          .name = PLUGIN_NAME,
                                          .version = PLUGIN_VERSION,
                                          .summary = PLUGIN_SUMMARY,
                                          .storage = storages,
                                          .transports = transports };

#ifndef WITHOUT_SYMBOL
__attribute__((visibility("default"))) const struct ferry_plugin *ferry_plugin_entry(void);
const struct ferry_plugin *ferry_plugin_entry(void)
{
#ifdef GIVES_NOTHING
    return NULL;
#endif
    return &self;
}
#else
__attribute__((visibility("default"))) const void *something_else = &self;
#endif
