/* SPDX-License-Identifier: Apache-2.0
 * A disk of type 'volume' as the file or device that it is on this host. Asks libvirt for the pool as it is:
 * a pool that is not active still has a place, and what stands there is the driver's to see. */
#include "verbs/verbs.h"

#include "base/text.h"
#include "verbs/xml.h"
#include <string.h>

/* Where a volume that is not there would be: in these alone its name is that of a file in the target. */
static const char *future_path(struct arena *a, const char *type, const char *target, const char *volume)
{
    const bool is_named = pool_keeps_devices(type) == TRI_NO || text_equal(type, "logical");

    if (!target || strchr(volume, '/') || !is_named)
        return NULL;
    return arena_format(a, "%s%s%s", target, text_ends(target, "/") ? "" : "/", volume);
}

bool volume_resolve(struct child *c, struct arena *a, struct disk *d)
{
    OWNED_POOL pool = virStoragePoolLookupByName(c->libvirt, d->pool);
    OWNED_MEMORY char *text = pool ? virStoragePoolGetXMLDesc(pool, 0) : NULL;
    OWNED(xml) x = text ? xml_read(text) : NULL;
    OWNED_MEMORY char *type = x ? xml_value(x, "/pool/@type") : NULL;
    OWNED_MEMORY char *target = x ? xml_value(x, "/pool/target/path") : NULL;
    const enum tristate is_device = pool_keeps_devices(type);
    OWNED_VOLUME volume = is_device != TRI_NOT_KNOWN ? virStorageVolLookupByName(pool, d->volume) : NULL;
    OWNED_MEMORY char *path = volume ? virStorageVolGetPath(volume) : NULL;

    if (is_device == TRI_NOT_KNOWN)
        return false;
    d->source = path ? arena_text(a, path) : future_path(a, type, target, d->volume);
    d->volume_is_device = is_device;
    return d->source != NULL;
}
