/* SPDX-License-Identifier: Apache-2.0
 * Is what stands at an image's path what the guest's QEMU has open? A program on the host compares devices
 * and inodes; where none can be run, and for images on a server, what both occupy is compared. */
#include "verbs/verbs.h"

#include "base/text.h"
#include "verbs/command.h"
#include <string.h>

#define SCRIPT_MS 3000u

/* Reads a domain's name, then paths. Prints device:inode of each file that its QEMU has open, an empty line,
 * and that of each path or a word. */
static const char script[] =
    "IFS= read -r name && { read -r pid || test \"$pid\"; } <\"/run/libvirt/qemu/$name.pid\" && "
    "stat -Lc %d:%i \"/proc/$pid/fd/\"* 2>/dev/null; echo; "
    "while IFS= read -r image; do set -- \"$@\" \"$image\"; done; "
    "all=$(stat -Lc %d:%i \"$@\" 2>/dev/null) && echo \"$all\" || "
    "for image; do stat -Lc %d:%i \"$image\" 2>/dev/null || echo none; done";

static bool is_file(const struct disk *d)
{
    return disk_is_file(d) && d->source && !strchr(d->source, '\n');
}

/* In the order of the script's input: each disk's image, then what it rests on. */
static void each_file(struct facts *f, void (*visit)(void *context, struct disk *image), void *context)
{
    for (size_t i = 0; i < f->domain.n_disks; i++) {
        struct disk *d = &f->domain.disks[i];

        if (!disk_is_writable(d) || disk_is_empty(d))
            continue;
        if (is_file(d))
            visit(context, d);
        for (size_t l = 0; l < d->n_chain; l++)
            if (is_file(&d->chain[l]))
                visit(context, &d->chain[l]);
    }
}

static void add_path(void *context, struct disk *image)
{
    text_add(context, "%s\n", image->source);
}

struct answer {
    struct arena *arena;
    const char *open; /* lines, to the empty one */
    size_t open_n;
    const char *next; /* the next path's line */
};

static bool has_line(const char *lines, size_t n, const char *line, size_t line_n)
{
    for (const char *at = lines; at < lines + n; at += strcspn(at, "\n") + 1)
        if (strcspn(at, "\n") == line_n && memcmp(at, line, line_n) == 0)
            return true;
    return false;
}

static void take_line(void *context, struct disk *image)
{
    struct answer *a = context;
    const size_t n = strcspn(a->next, "\n");

    if (a->next[n] != '\n')
        return;
    image->at_source.is_open = has_line(a->open, a->open_n, a->next, n) ? TRI_YES : TRI_NO;
    if (image->at_source.is_open == TRI_YES)
        image->at_source.file_id = arena_format(a->arena, "%.*s", (int)n, a->next);
    a->next += n + 1;
}

void open_compare(struct child *c, struct facts *f)
{
    OWNED_TEXT input = { 0 };
    OWNED_MEMORY char *output = NULL;
    struct error ignored = { 0 };
    const char *end;
    struct answer a;
    size_t name_len;

    if (!f->domain.name || strpbrk(f->domain.name, "/\n"))
        return;
    text_add(&input, "%s\n", f->domain.name);
    name_len = input.len;
    each_file(f, add_path, &input);
    if (input.failed || input.len == name_len)
        return;
    output = command_script(c, script, text_of(&input), SCRIPT_MS, &ignored);
    if (!output)
        return;
    /* Nothing open: its files were not ours to see. */
    end = output[0] == '\n' ? NULL : strstr(output, "\n\n");
    if (!end)
        return;
    a = (struct answer){
        .arena = f->arena, .open = output, .open_n = (size_t)(end + 1 - output), .next = end + 2
    };
    each_file(f, take_line, &a);
}

/* What a guest can write to an image on a server between the driver's look and QEMU's. */
#define MOMENT_BYTES (UINT64_C(64) << 20)

bool open_is_told_by_size(const struct disk *disk)
{
    return disk->type == DISK_NETWORK && text_equal(disk->protocol, "nfs");
}

void open_sizes(struct disk *disk, const virDomainBlockInfo *info)
{
    struct disk_image *at = &disk->at_source;
    uint64_t open = info->physical;

    if (!open_is_told_by_size(disk) || at->allocated_bytes == NOT_KNOWN)
        return;
    /* Where it is nothing, or QEMU cannot say it, libvirt tells the capacity. */
    if (open == info->capacity && at->allocated_bytes < open)
        open = 0;
    at->open_least_bytes = open > MOMENT_BYTES ? open - MOMENT_BYTES : 0;
    at->open_most_bytes = open;
}
