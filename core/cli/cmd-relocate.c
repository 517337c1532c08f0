/* SPDX-License-Identifier: Apache-2.0
 * virt-ferry relocate: disks of a domain to another place on its own host, and what became of them.
 */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/request.h"
#include "facts/location.h"
#include "facts/overwrite.h"
#include "relocation/relocate.h"
#include <stdio.h>
#include <string.h>

const struct option_row relocate_options[] = {
    { .name = "disk",
      .argument = "TARGET[,TARGET...]",
      .type = OPTION_TEXT,
      .flags = OPTION_REPEATS,
      .help = "the disks, by their names in the guest, or 'all' that the guest can write" },
    { .name = "to",
      .argument = "LOCATION",
      .type = OPTION_TEXT,
      .help = "a path, nfs://SERVER/EXPORT[/FILE], rbd:POOL[/IMAGE], pool:NAME[/VOLUME] or a block device" },
    { .name = "format",
      .argument = "raw|qcow2|keep",
      .type = OPTION_CHOICE,
      .help = "of the new image; default is what suits the place" },
    REQUEST_RELOCATE,
    { .name = "image",
      .argument = "FILE",
      .type = OPTION_TEXT,
      .flags = OPTION_INSTEAD,
      .help = "instead of a domain: an image of this machine that no running domain has open" },
    { .name = "image-format",
      .argument = "raw|qcow2",
      .type = OPTION_CHOICE,
      .help = "of --image, for QEMU to convert; not given: its bytes are copied as they are" },
    { .name = "verify",
      .argument = "sampled|full|none",
      .type = OPTION_CHOICE,
      .help = "of an image that nobody has open: how much of the copy is read back and compared; default is "
              "sampled" },
    { .name = "delete-source", .help = "remove the old images afterwards, where no domain names them" },
    { .name = "bandwidth",
      .argument = "RATE",
      .type = OPTION_RATE,
      .help = "the most that the copy may use, such as 500MiB/s or 1gbit" },
    { .name = "force-managed", .help = "relocate disks of a domain that another manager owns" },
    { .name = "dry-run", .help = "show what would be done and end" },
    { .name = NULL },
};

static int usage(struct error *err, const char *what, const char *fix)
{
    error_set(err, ERROR_USAGE, NULL, "%s", what);
    return error_fix(err, "%s", fix);
}

static int read_disks(struct request *r, const struct options *o, struct relocation_wish *wish,
                      struct error *err)
{
    bool is_all = false;

    for (size_t i = 0; i < option_count(o, "disk"); i++) {
        const char *text = option_nth(o, "disk", i);
        struct error why = { 0 };

        if (strcmp(text, "all") == 0) {
            is_all = true;
            continue;
        }
        if (overwrite_parse(text, r->arena, &wish->disks, &why) == 0)
            continue;
        error_set(err, ERROR_USAGE, NULL, "'%s' cannot be the value of option '--disk'", text);
        error_why(err, "%s", why.what);
        return error_fix(err, "Write targets such as vda, or vda,vdb; see virsh domblklist DOMAIN.");
    }
    if (!is_all && wish->disks.n == 0)
        return usage(err, "it is not said which disks shall be relocated",
                     "Name them: --disk TARGET[,TARGET...], or --disk all.");
    if (is_all && wish->disks.n > 0)
        return usage(err, "'--disk all' leaves none to be named", "Leave one of the two out.");
    return 0;
}

static int read_wish(struct request *r, const struct options *o, struct relocation_wish *wish,
                     struct error *err)
{
    *wish = (struct relocation_wish){ .to = option_text(o, "to"),
                                      .format = option_text(o, "format"),
                                      .verify = option_text(o, "verify") };
    if (!wish->to)
        return usage(err, "it is not said where the disks shall go", "Name the place: --to LOCATION.");
    r->run.relocate = wish;
    return read_disks(r, o, wish, err);
}

/* ---- shown ---- */

static int show_plan(const struct cli *cli, const struct relocation_plan *p, struct error *err)
{
    OWNED_TEXT text = { 0 };

    if (cli->is_json) {
        OWNED_JSON j = relocation_plan_to_json(p);

        return j ? output_json(j, err) : error_memory(err);
    }
    relocation_plan_explain(p, &text);
    if (text.failed)
        return error_memory(err);
    (void)fputs(text_of(&text), stdout);
    return 0;
}

static int show_json(const struct run_options *o, const struct run_result *result, struct error *err)
{
    OWNED_JSON j = json_pack("{ss ss ss sI}", "outcome", "relocated", "run", result->run, "domain", o->domain,
                             "time_ms", (json_int_t)result->time_ms);

    if (!j || (result->disk_bytes != NOT_KNOWN && json_put_u64(j, "bytes", result->disk_bytes) < 0) ||
        json_put(j, "plan", relocation_plan_to_json(result->relocation)) < 0 ||
        (result->problems.len > 0 && json_put_text(j, "problems", text_of(&result->problems)) < 0))
        return error_memory(err);
    return output_json(j, err);
}

static const char *place(struct arena *a, const struct disk *d)
{
    const struct location l = location_of_disk(d);
    const char *text = location_text(a, &l);

    return text ? text : "?";
}

static bool is_retired(const struct run_result *result, const struct disk *d)
{
    for (size_t i = 0; i < result->retired.n; i++)
        if (text_equal(result->retired.names[i], d->target))
            return true;
    return false;
}

static void show_lines(const struct run_options *o, const struct run_result *result)
{
    printf("Relocated disks of '%s' in %s", ESCAPED(o->domain), MS_TEXT(result->time_ms));
    if (result->disk_bytes != NOT_KNOWN)
        printf(", %s copied", SIZE_TEXT(result->disk_bytes));
    printf(":\n");
    for (size_t i = 0; i < result->facts->domain.n_disks; i++) {
        const struct disk *d = &result->facts->domain.disks[i];

        if (disk_relocation(d))
            printf("  %s is at %s; the old image, %s, is %s.\n", d->target,
                   ESCAPED(place(result->facts->arena, disk_relocation(d))),
                   ESCAPED(place(result->facts->arena, d)), is_retired(result, d) ? "removed" : "left");
    }
}

static int dry_run(struct request *r, struct error *err)
{
    struct run_result result = { 0 };
    int code = run_relocation_plan(&r->run, &result, err);

    if (code == 0)
        code = show_plan(r->cli, result.relocation, err);
    if (code == 0 && !relocation_plan_is_valid(result.relocation)) {
        code = relocation_plan_refusal(result.relocation, err);
        /* stdout is one document, and has said it. */
        if (r->cli->is_json)
            err->what[0] = '\0';
    }
    run_result_done(&result);
    return code;
}

static int relocate(struct request *r, struct error *err)
{
    struct run_result result = { 0 };
    struct error shown = { 0 };
    int code;

    r->progress = progress_new(r->cli, stderr, err);
    if (!r->progress)
        return -err->code;
    code = run_relocate(&r->run, &result, err);
    progress_free(r->progress);
    r->progress = NULL;
    if (result.was_relocated && r->cli->is_json && show_json(&r->run, &result, &shown) < 0 && code == 0) {
        *err = shown;
        code = -shown.code;
    }
    if (result.was_relocated && !r->cli->is_json)
        show_lines(&r->run, &result);
    if (code < 0 && result.run[0])
        output_remark(r->cli, "this was run %s", result.run);
    run_result_done(&result);
    return code;
}

int cmd_relocate(struct cli *cli, const struct options *o, struct error *err)
{
    struct request request = { 0 };
    struct relocation_wish wish;
    int r = option_given(o, "image") ? cmd_relocate_image(cli, o, err) : request_read(&request, cli, o, err);

    if (r < 0 || option_given(o, "image"))
        return r;
    /* One operand alone is a destination to the others. */
    request.run.domain = operand_at(o, 0);
    request.run.dest = NULL;
    request.run.n_maps = 0;
    r = read_wish(&request, o, &wish, err);
    if (r == 0)
        r = option_flag(o, "dry-run") ? dry_run(&request, err) : relocate(&request, err);
    request_done(&request);
    return r;
}
