/* SPDX-License-Identifier: Apache-2.0
 * Destination images through the storage drivers: create exclusively, and remove what a run had journalled.
 */
#include "verbs/verbs.h"

int image_create(struct child *c, const struct disk *at, const struct ferry_disk *wanted,
                 const struct ferry_new_image *image, struct error *err)
{
    struct call_host lent = verb_call_host(c);
    const struct plugin_entry *owner = NULL;
    const struct ferry_storage *driver = at->driver ? registry_storage(at->driver, &owner) : NULL;
    struct ferry_new_image asked = *image;
    struct ferry_call call;
    int r = 0;

    if (!driver || !driver->create)
        return error_set(err, ERROR_FAILED, c->host, "no storage driver creates the image of disk '%s'",
                         at->target ? at->target : "");
    asked.size = sizeof asked;
    asked.disk = wanted;
    if (call_begin(&call, &lent, owner, driver->name, at->target, NULL, err) < 0)
        return -err->code;
    if (driver->create(&call, &call_services, &asked) < 0)
        r = call_failed(&call, "creating the image");
    call_done(&call);
    return r;
}

/* {"facts", "target", "layer", "on_base", "onto", "sent_bytes"}: creates the image of that disk, or what it
 * rests on, here, at the place that it has at the destination; with on_base it rests on what the disk's own
 * rests on, with onto it is made in the device that stands there, with sent_bytes it is a file of that length
 * without any content; {} */
int verb_image_create(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED(facts) f = facts_from_json(json_child(args, "facts"), err);
    struct disk *disk = image_in(f, args, err);
    struct ferry_new_image image = { .base = NULL };
    struct ferry_disk wanted;
    struct disk named;

    (void)reply;
    if (!disk)
        return -err->code;
    named = disk_there(disk);
    disk_stand_for(&named);
    wanted = call_disk(&named, disk_is_mapped(disk) ? NULL : disk->at_source.identity);
    wanted.capacity_bytes = image.capacity_bytes = disk->at_source.capacity_bytes;
    image.is_onto = json_flag(args, "onto", false);
    if (disk_is_in_device(disk) && disk_device_need(disk) != NOT_KNOWN)
        image.device_bytes = disk_device_need(disk);
    if (json_child(args, "sent_bytes")) {
        image.flags = FERRY_NEW_STREAMED;
        wanted.format = "raw";
        wanted.capacity_bytes = image.capacity_bytes = json_u64(args, "sent_bytes", 0);
    }
    if (json_flag(args, "on_base", false) && disk->n_chain > 0) {
        image.base = disk_dest_source(&disk->chain[0]);
        image.base_format = disk->chain[0].format;
    }
    return image_create(c, disk, &wanted, &image, err);
}

/* {"driver", "what", "place", "name", "identity"}, as journalled: {"left": its identity had changed} */
int verb_image_remove(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    struct call_host lent = verb_call_host(c);
    const struct plugin_entry *owner = NULL;
    const char *name = json_text(args, "driver", "");
    const struct ferry_storage *driver = registry_storage(name, &owner);
    struct ferry_call call;
    int r;

    if (!driver || !driver->remove)
        return error_set(err, ERROR_FAILED, c->host,
                         "no storage driver '%s' is loaded to remove what it created", name);
    if (call_begin(&call, &lent, owner, driver->name, json_text(args, "name", ""), NULL, err) < 0)
        return -err->code;
    r = driver->remove(&call, &call_services, json_text(args, "what", ""), json_text(args, "place", ""),
                       json_text(args, "name", ""), json_text(args, "identity", NULL));
    if (r < 0)
        r = call_failed(&call, "removing what was created");
    call_done(&call);
    return r < 0 ? r : json_put_flag(reply, "left", r > 0);
}
