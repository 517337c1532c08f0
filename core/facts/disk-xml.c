/* SPDX-License-Identifier: Apache-2.0
 * Reads a <disk>: its image, and the chain below it that libvirt writes into live XML.
 * Nothing is guessed: a format that the XML does not say stays not known. */
#include "facts/disk-xml.h"
#include "base/text.h"
#include "facts/domain-xml.h"
#include "facts/fields.h"
#include "facts/words.h"
#include <string.h>

#define MAX_HOSTS 256u

/* libvirt's words; those of kinds that virt-ferry does not know (nvme, vhostuser) are DISK_OTHER. */
static enum disk_type type_of(struct xml_reader *r, const xmlNode *node)
{
    const char *word = xml_attribute(r, node, "type");

    if (!word)
        return DISK_FILE; /* libvirt's default */
    if (text_equal(word, "empty"))
        return DISK_OTHER; /* a word of ours, not of libvirt */
    return (enum disk_type)words_read(&words_disk_type, word);
}

/* The path, device or image's name in a <source>; NULL where there is none. */
static const char *source_of(struct xml_reader *r, const xmlNode *source, enum disk_type type)
{
    switch (type) {
    case DISK_FILE:
        return xml_attribute(r, source, "file");
    case DISK_BLOCK:
        return xml_attribute(r, source, "dev");
    case DISK_DIR:
        return xml_attribute(r, source, "dir");
    case DISK_NETWORK:
        return xml_attribute(r, source, "name");
    case DISK_VOLUME:
    case DISK_EMPTY:
    case DISK_OTHER:
        break;
    }
    return NULL;
}

static const char *host_of(struct xml_reader *r, const xmlNode *host)
{
    const char *name = xml_attribute(r, host, "name"), *port = xml_attribute(r, host, "port");
    const bool is_v6 = name && strchr(name, ':') && name[0] != '[';

    if (!name)
        return xml_attribute(r, host, "socket");
    return arena_format(r->arena, "%s%s%s%s%s", is_v6 ? "[" : "", name, is_v6 ? "]" : "", port ? ":" : "",
                        port ? port : "");
}

static void read_hosts(struct xml_reader *r, const xmlNode *source, struct disk *d)
{
    for (const xmlNode *host = xml_child(source, "host"); host && !r->failed; host = xml_next(host, "host")) {
        const char *text = host_of(r, host);
        const char **grown;

        if (!text)
            continue;
        grown = arena_grown(r->arena, d->hosts.names, d->hosts.n, sizeof *grown);
        if (!grown || d->hosts.n >= MAX_HOSTS) {
            r->failed = grown ? error_set(r->err, ERROR_INPUT, NULL, "disk '%s' has more than %u hosts",
                                          ESCAPED(d->target), MAX_HOSTS)
                              : error_memory(r->err);
            return;
        }
        d->hosts.names = grown;
        grown[d->hosts.n++] = text;
    }
}

/* Where the user put it: below the source, or below the disk as libvirt once had it. */
static void read_auth(struct xml_reader *r, const xmlNode *disk, struct disk *d)
{
    const xmlNode *below = xml_child(xml_child(disk, "source"), "auth");
    const xmlNode *auth = below ? below : xml_child(disk, "auth");
    const xmlNode *secret = xml_child(auth, "secret");

    d->auth_user = xml_attribute(r, auth, "username");
    d->secret_type = xml_attribute(r, secret, "type");
    d->secret_uuid = xml_attribute(r, secret, "uuid");
    d->secret_usage = xml_attribute(r, secret, "usage");
}

static void read_source(struct xml_reader *r, const xmlNode *source, struct disk *d)
{
    const xmlNode *host = xml_child(source, "host"), *identity = xml_child(source, "identity");

    d->source = source_of(r, source, d->type);
    d->startup_policy = xml_attribute(r, source, "startupPolicy");
    if (d->type == DISK_VOLUME) {
        d->pool = xml_attribute(r, source, "pool");
        d->volume = xml_attribute(r, source, "volume");
    }
    if (d->type == DISK_NETWORK) {
        d->protocol = xml_attribute(r, source, "protocol");
        d->server = xml_attribute(r, host, "name");
        if (!d->server)
            d->server = xml_attribute(r, host, "socket");
        d->user = xml_attribute(r, identity, "user");
        d->group = xml_attribute(r, identity, "group");
        d->config_file = xml_attribute(r, xml_child(source, "config"), "file");
        d->snapshot = xml_attribute(r, xml_child(source, "snapshot"), "name");
        read_hosts(r, source, d);
    }
    d->encrypted = xml_child(source, "encryption") != NULL;
}

/* An element without a type ends the chain; a missing one says that libvirt does not know how it goes on. */
static void read_chain(struct xml_reader *r, const xmlNode *disk, struct disk *d)
{
    const xmlNode *store = xml_child(disk, "backingStore");

    for (; store && xml_attribute(r, store, "type") && !r->failed; store = xml_child(store, "backingStore")) {
        struct disk *grown = arena_grown(r->arena, d->chain, d->n_chain, sizeof *grown);

        if (!grown || d->n_chain >= FACTS_MAX_LAYERS) {
            r->failed = grown ? error_set(r->err, ERROR_INPUT, NULL, "disk '%s' has more than %u layers",
                                          ESCAPED(d->target), FACTS_MAX_LAYERS)
                              : error_memory(r->err);
            return;
        }
        d->chain = grown;
        grown += d->n_chain++;
        disk_init(grown);
        grown->target = d->target;
        grown->readonly = true;
        grown->type = type_of(r, store);
        grown->format = xml_attribute(r, xml_child(store, "format"), "type");
        read_source(r, xml_child(store, "source"), grown);
        if (grown->type == DISK_NETWORK)
            read_auth(r, store, grown);
    }
}

/* A drive without a medium is empty; a disk without one would be left behind by whoever believed it. */
static void judge_empty(struct xml_reader *r, struct disk *d)
{
    if (r->failed || !disk_is_empty(d))
        return;
    if (d->device == DEVICE_CDROM || d->device == DEVICE_FLOPPY)
        d->type = DISK_EMPTY;
    else
        r->failed = error_set(r->err, ERROR_INPUT, NULL, "the domain XML names no source for disk '%s'",
                              ESCAPED(d->target));
}

static void read_into(struct xml_reader *r, const xmlNode *node, struct disk *d)
{
    const xmlNode *target = xml_child(node, "target"), *driver = xml_child(node, "driver");

    d->target = xml_attribute(r, target, "dev");
    d->bus = xml_attribute(r, target, "bus");
    d->device = (enum disk_device)words_read(&words_disk_device, xml_attribute(r, node, "device"));
    d->type = type_of(r, node);
    d->format = xml_attribute(r, driver, "type");
    d->cache = xml_attribute(r, driver, "cache");
    d->discard = xml_attribute(r, driver, "discard");
    read_source(r, xml_child(node, "source"), d);
    d->readonly = xml_child(node, "readonly") != NULL;
    d->shareable = xml_child(node, "shareable") != NULL;
    d->transient = xml_child(node, "transient") != NULL;
    d->encrypted = d->encrypted || xml_child(node, "encryption");
    if (d->type == DISK_NETWORK)
        read_auth(r, node, d);
    if (!r->failed && !d->target)
        r->failed = error_set(r->err, ERROR_INPUT, NULL, "the domain XML has a disk without a target");
    judge_empty(r, d);
    read_chain(r, node, d);
}

void disk_xml_read(struct xml_reader *r, const xmlNode *disk, struct facts *f)
{
    const char *target = xml_attribute(r, xml_child(disk, "target"), "dev");
    struct disk *d;

    if (f->domain.n_disks >= DOMAIN_XML_MAX_DISKS) {
        r->failed = error_set(r->err, ERROR_INPUT, NULL, "the domain XML has more than %u disks",
                              DOMAIN_XML_MAX_DISKS);
        return;
    }
    if (!r->failed && facts_disk(f, target)) {
        r->failed =
            error_set(r->err, ERROR_INPUT, NULL, "the domain XML has two disks '%s'", ESCAPED(target));
        return;
    }
    d = facts_add_disk(f);
    if (d)
        read_into(r, disk, d);
    else
        r->failed = error_memory(r->err);
}

static const char *part(struct xml_reader *r, const xmlNode *node, const char *name)
{
    const char *value = xml_attribute(r, node, name);

    return value ? value : "?";
}

static const char *address_of(struct xml_reader *r, const xmlNode *source)
{
    const xmlNode *a = xml_child(source, "address"), *vendor = xml_child(source, "vendor");

    if (xml_attribute(r, a, "uuid"))
        return xml_attribute(r, a, "uuid");
    if (xml_attribute(r, a, "slot"))
        return arena_format(r->arena, "%s:%s:%s.%s", part(r, a, "domain"), part(r, a, "bus"),
                            part(r, a, "slot"), part(r, a, "function"));
    if (vendor)
        return arena_format(r->arena, "%s:%s", part(r, vendor, "id"),
                            part(r, xml_child(source, "product"), "id"));
    return xml_attribute(r, xml_child(source, "adapter"), "name");
}

static const char *joined(struct xml_reader *r, const char *a, const char *b)
{
    return a && b ? arena_format(r->arena, "%s %s", a, b) : a ? a : b;
}

static const char *path_of(struct xml_reader *r, const xmlNode *source)
{
    static const char *const names[] = { "path", "dir", "file", "dev", "name", "socket", "evdev" };
    const char *path = NULL;

    for (size_t i = 0; !path && i < sizeof names / sizeof *names; i++)
        path = xml_attribute(r, source, names[i]);
    return path;
}

/* Devices that exist on one host only, or whose state does. Serial lines and their like do when they are a
 * device of the host; memory when a file or a device of the host holds it. */
static bool is_tied(struct xml_reader *r, const xmlNode *node)
{
    static const char *const always[] = { "hostdev", "tpm",   "filesystem", "redirdev",
                                          "shmem",   "lease", "smartcard" };
    static const char *const lines[] = { "serial", "parallel", "console", "channel" };

    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (xml_is(node, always[i]))
            return true;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (xml_is(node, lines[i]))
            return text_equal(xml_attribute(r, node, "type"), "dev");
    if (xml_is(node, "input"))
        return text_equal(xml_attribute(r, node, "type"), "passthrough") ||
               text_equal(xml_attribute(r, node, "type"), "evdev");
    return xml_is(node, "memory") && xml_child(xml_child(node, "source"), "path");
}

static const char *detail_of(struct xml_reader *r, const xmlNode *node)
{
    const xmlNode *source = xml_child(node, "source"), *backend = xml_child(node, "backend");
    const char *type = xml_attribute(r, node, "type");

    if (xml_is(node, "tpm"))
        return joined(r, xml_attribute(r, node, "model"), xml_attribute(r, backend, "type"));
    if (xml_is(node, "hostdev"))
        return joined(r, type, address_of(r, source));
    if (xml_is(node, "shmem"))
        return xml_attribute(r, node, "name");
    if (xml_is(node, "redirdev"))
        return joined(r, xml_attribute(r, node, "bus"), type);
    if (xml_is(node, "smartcard"))
        return xml_attribute(r, node, "mode");
    if (xml_is(node, "lease"))
        return xml_content(r, xml_child(node, "key"));
    if (xml_is(node, "memory"))
        return joined(r, xml_attribute(r, node, "model"), xml_content(r, xml_child(source, "path")));
    return joined(r, type, path_of(r, source));
}

void device_xml_read(struct xml_reader *r, const xmlNode *node, struct domain *d, size_t max)
{
    struct device *grown, added = { 0 };

    if (!is_tied(r, node))
        return;
    if (d->n_devices >= max) {
        r->failed =
            error_set(r->err, ERROR_INPUT, NULL, "the domain XML has more than %zu devices of its host", max);
        return;
    }
    added.kind = arena_text(r->arena, (const char *)node->name);
    added.detail = detail_of(r, node);
    grown = arena_grown(r->arena, d->devices, d->n_devices, sizeof *grown);
    if (!grown || !added.kind) {
        r->failed = error_memory(r->err);
        return;
    }
    d->devices = grown;
    grown[d->n_devices++] = added;
}
