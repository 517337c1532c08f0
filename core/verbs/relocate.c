/* SPDX-License-Identifier: Apache-2.0
 * The new places of disks: found, looked at, and made. What is made stands in the journal first. */
#include "verbs/verbs.h"

#include "base/text.h"
#include "verbs/locate.h"
#include <stdint.h>
#include <sys/stat.h>

/* What stands at the path now is what the copy engine copies: later it is removed only if it is still that.
 */
static void look_at_image_that_is_off(struct facts *f, struct disk *disk)
{
    struct stat st;

    if (disk->type == DISK_FILE && disk->source && stat(disk->source, &st) == 0)
        disk->at_source.file_id =
            arena_format(f->arena, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
}

/* {"facts", "wishes": [{"target", "to", "format"}]}: "facts", in which each of these disks has its relocation
 */
int verb_survey_relocation(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED(facts) f = facts_from_json(json_child(args, "facts"), err);
    size_t i;
    const json_t *one;

    if (!f)
        return -err->code;
    json_array_foreach(json_child(args, "wishes"), i, one)
    {
        struct disk *disk = facts_disk(f, json_text(one, "target", ""));

        if (!disk)
            return error_set(err, ERROR_USAGE, c->host, "domain '%s' has no disk '%s'", f->domain.name,
                             json_text(one, "target", ""));
        if (f->domain.run == RUN_SHUTOFF && verb_is_local(c))
            look_at_image_that_is_off(f, disk);
        if (locate(c, f, disk, json_text(one, "to", ""), json_text(one, "format", NULL), err) < 0)
            return -err->code;
    }
    return json_put(reply, "facts", facts_to_json(f));
}

static struct disk *relocation_in(struct facts *f, const json_t *args, struct error *err)
{
    struct disk *disk = f ? facts_disk(f, json_text(args, "target", "")) : NULL;

    if (f && (!disk || disk->n_relocations == 0))
        error_set(err, ERROR_INPUT, NULL, "disk '%s' has no place to go to", json_text(args, "target", ""));
    return disk && disk->n_relocations ? &disk->relocation[0] : NULL;
}

/* {"facts", "target"}: of the new place as it is now "free_bytes" and the image's "identity", where known,
 * and "facts" with all that was seen of it */
int verb_relocation_room(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED(facts) f = facts_from_json(json_child(args, "facts"), err);
    struct disk *to = relocation_in(f, args, err);

    if (!to)
        return -err->code;
    disk_forget_dest(to);
    if (survey_relocation(c, f, to, err) < 0)
        return -err->code;
    if ((to->at_dest.free_bytes != NOT_KNOWN &&
         json_put_u64(reply, "free_bytes", to->at_dest.free_bytes) < 0) ||
        (to->at_dest.identity && json_put_text(reply, "identity", to->at_dest.identity) < 0) ||
        json_put_flag(reply, "is_there", to->at_dest.present == TRI_YES) < 0)
        return error_memory(err);
    return json_put(reply, "facts", facts_to_json(f));
}

/* {"facts", "target"}: makes the image at the new place; {} */
int verb_relocation_create(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED(facts) f = facts_from_json(json_child(args, "facts"), err);
    struct disk *to = relocation_in(f, args, err);
    struct ferry_new_image image = { .base = NULL };
    struct ferry_disk wanted;

    (void)reply;
    if (!to)
        return -err->code;
    wanted = call_disk(to, NULL);
    wanted.capacity_bytes = image.capacity_bytes = facts_disk(f, to->target)->at_source.capacity_bytes;
    return image_create(c, to, &wanted, &image, err);
}
