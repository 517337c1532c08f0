/* SPDX-License-Identifier: Apache-2.0
 * virt-ferry relocate --image: an image that no domain has open, copied to another place. */
#include "base/json.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "facts/location.h"
#include "plugin/registry.h"
#include "relocation/image.h"
#include "worker/loop.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct showing {
    struct cli *cli;
    struct progress *progress;
};

static void say(void *context, const char *line)
{
    const struct showing *s = context;

    progress_clear(s->progress);
    output_remark(s->cli, "%s", line);
}

static void show(void *context, const struct copy_progress *p, uint64_t elapsed_ms)
{
    const struct showing *s = context;
    struct progress_sample sample = PROGRESS_NOTHING;
    const bool is_copied = p->safe_bytes == p->whole_bytes;
    const uint64_t moved = p->read_bytes + p->verified_bytes;

    sample.phase = is_copied ? "verifying" : "copying";
    sample.zero_bytes = p->zero_bytes;
    if (!is_copied) {
        sample.done_bytes = p->done_bytes;
        sample.total_bytes = p->whole_bytes;
        sample.remaining_bytes = p->whole_bytes - p->done_bytes;
        /* Holes take no time: the share that is done says how long the rest will take. */
        if (p->done_bytes > 0 && elapsed_ms > 0)
            sample.eta_ms =
                (uint64_t)((double)elapsed_ms * (double)sample.remaining_bytes / (double)p->done_bytes);
    }
    if (elapsed_ms > 0)
        sample.rate_bytes_per_s = (uint64_t)((double)moved * 1000.0 / (double)elapsed_ms);
    progress_show(s->progress, &sample, loop_now_ms());
}

static int report(const struct cli *cli, const struct image_wish *c, const struct image_relocated *r,
                  struct error *err)
{
    const struct copy_progress *p = &r->figures;
    OWNED_JSON j = NULL;

    if (!cli->is_json) {
        printf("Copied '%s' to '%s' in %s:\n  %s, of which %s were written and %s are zeroes.\n",
               ESCAPED(c->image), ESCAPED(r->dest), MS_TEXT(r->time_ms), SIZE_TEXT(p->whole_bytes),
               SIZE_TEXT(p->written_bytes), SIZE_TEXT(p->zero_bytes));
        if (p->cloned_bytes)
            printf("  Both share what they hold on their storage, until one is written to.\n");
        if (p->lost_times)
            printf("  The storage lost what was not flushed %u times, and it was written again.\n",
                   (unsigned)p->lost_times);
        printf("  The old image is left.\n");
        return 0;
    }
    j = json_pack("{ss ss ss ss sI sI sI sI sI sI sI sI sb}", "outcome", "copied", "run", r->run, "image",
                  c->image, "destination", r->dest, "time_ms", (json_int_t)r->time_ms, "bytes",
                  (json_int_t)p->whole_bytes, "read_bytes", (json_int_t)p->read_bytes, "written_bytes",
                  (json_int_t)p->written_bytes, "zero_bytes", (json_int_t)p->zero_bytes, "verified_bytes",
                  (json_int_t)p->verified_bytes, "cloned_bytes", (json_int_t)p->cloned_bytes, "lost_times",
                  (json_int_t)p->lost_times, "was_resumed", (int)r->was_resumed);
    return j ? output_json(j, err) : error_memory(err);
}

/* What is said of disks of a domain means nothing here, and one who says --dry-run wants nothing done. */
static int refuse_others(const struct options *o, struct error *err)
{
    static const char *const others[] = { "disk",          "dry-run",   "synchronous-writes",
                                          "delete-source", "bandwidth", "force-managed" };

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (option_given(o, others[i])) {
            error_set(err, ERROR_USAGE, NULL, "'--%s' is for disks of a domain, not for an image", others[i]);
            return error_fix(err, "Leave it out, or name the domain instead of --image.");
        }
    return 0;
}

/* "keep" is what is done anyway. */
static const char *format_of(const struct options *o)
{
    const char *format = option_text(o, "format");

    return format && strcmp(format, "keep") == 0 ? NULL : format;
}

/* The device at --to is written over where it is said so of "image". */
static bool may_overwrite(const struct options *o)
{
    for (size_t i = 0; i < option_count(o, "overwrite"); i++)
        if (strcmp(option_nth(o, "overwrite", i), "image") == 0)
            return true;
    return false;
}

static int read_places(const struct options *o, struct arena *a, struct image_wish *c, char *real,
                       struct error *err)
{
    const char *image = option_text(o, "image"), *to = option_text(o, "to");
    const char *problem = to ? location_problem(location_plain(a, to)) : NULL;

    if (!image || !to) {
        error_set(err, ERROR_USAGE, NULL, "%s",
                  image ? "it is not said where the image shall go"
                        : "it is not said which image shall be relocated");
        return error_fix(err, "Name both: relocate --image FILE --to LOCATION.");
    }
    if (problem) {
        error_set(err, ERROR_USAGE, NULL, "location '%s' %s", ESCAPED(to), problem);
        return error_fix(err, "Write a path, nfs://SERVER/EXPORT[/FILE] or rbd:POOL[/IMAGE].");
    }
    c->to = to;
    if (location_kind_of(image) == LOCATION_NFS || location_kind_of(image) == LOCATION_RBD) {
        c->image = location_plain(a, image);
        problem = location_problem(c->image);
        return problem ? error_set(err, ERROR_USAGE, NULL, "location '%s' %s", ESCAPED(image), problem) : 0;
    }
    if (!realpath(image, real)) {
        error_set(err, ERROR_ABSENT, NULL, "image '%s' cannot be found", ESCAPED(image));
        (void)error_why(err, "%s", strerror(errno));
        return error_fix(err, "See that the path is right.");
    }
    c->image = real;
    return 0;
}

int cmd_relocate_image(struct cli *cli, const struct options *o, struct error *err)
{
    OWNED(arena) a = arena_new();
    OWNED(progress) progress = NULL;
    struct showing showing = { .cli = cli };
    struct image_relocated result = { 0 };
    struct image_wish c = { .uri = cli->uri,
                            .image_format = option_text(o, "image-format"),
                            .format = format_of(o),
                            .verify = option_text(o, "verify"),
                            .overwrite = may_overwrite(o),
                            .config = cli_config(cli, err),
                            .say = say,
                            .progress = show,
                            .context = &showing };
    char real[PATH_MAX];
    int r;

    if (!a)
        return error_memory(err);
    if (!c.config || refuse_others(o, err) < 0 || read_places(o, a, &c, real, err) < 0 ||
        registry_load(NULL, err) < 0)
        return -err->code;
    progress = showing.progress = progress_new(cli, stderr, err);
    if (!progress)
        return -err->code;
    r = relocate_image(&c, &result, err);
    progress_clear(progress);
    if (r < 0 && result.run[0])
        output_remark(cli, "this was run %s", result.run);
    return r < 0 ? r : report(cli, &c, &result, err);
}
