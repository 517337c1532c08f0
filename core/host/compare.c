/* SPDX-License-Identifier: Apache-2.0
 * One program for each file and host, the path on its standard input. What cannot be read stays not proved.
 */
#include "host/compare.h"

#include "base/text.h"
#include <string.h>

#define READ_MS (4u * 3600u * 1000u) /* 10 TB at 700 MB/s */
#define DIGEST_LENGTH (COMPARE_DIGEST_SIZE - 1u)

static struct call *ask(struct worker *w, const char *path, struct error *err)
{
    OWNED_TEXT line = { 0 };

    text_add(&line, "%s\n", path);
    if (line.failed) {
        error_memory(err);
        return NULL;
    }
    return worker_ask(w, "run",
                      json_pack("{s[sss] ss sI}", "argv", "sh", "-c",
                                "IFS= read -r image && exec sha256sum <\"$image\"", "input", text_of(&line),
                                "timeout_ms", (json_int_t)READ_MS),
                      READ_MS + ANSWER_MS, err);
}

/* false with err set: not known. */
static bool hear(struct call *c, const char *host, char digest[DIGEST_LENGTH + 1], struct error *err)
{
    OWNED_JSON reply = NULL;
    const char *said;

    if (!c || call_wait(c, &reply, err) < 0)
        return false;
    said = json_text(reply, "output", "");
    if (json_u64(reply, "exit", 1) != 0 || strspn(said, "0123456789abcdef") != DIGEST_LENGTH) {
        error_set(err, ERROR_FAILED, host, "sha256sum could not read it");
        return false;
    }
    memcpy(digest, said, DIGEST_LENGTH);
    digest[DIGEST_LENGTH] = '\0';
    return true;
}

int compare_content(const struct disk *file, struct worker *source, struct worker *dest,
                    char ret_digest[COMPARE_DIGEST_SIZE], struct error *err)
{
    char there[DIGEST_LENGTH + 1];
    OWNED(call) at_source = ask(source, file->source, err);
    OWNED(call) at_dest = at_source ? ask(dest, disk_dest_source(file), err) : NULL;

    if (!hear(at_source, worker_host(source), ret_digest, err) ||
        !hear(at_dest, worker_host(dest), there, err))
        return -err->code;
    return text_equal(ret_digest, there);
}

static void compare(struct facts *f, struct disk *layer, struct worker *source, struct worker *dest)
{
    char here[COMPARE_DIGEST_SIZE], line[512];
    struct error err = { 0 };
    const int equal = compare_content(layer, source, dest, here, &err);

    if (equal < 0) {
        error_line(&err, line, sizeof line);
        layer->sharing_evidence = arena_format(f->arena, "its content could not be compared: %s", line);
    } else if (equal) {
        layer->sharing = SHARING_PROVED;
        layer->sharing_evidence =
            arena_format(f->arena, "not one file, but its content is equal on both hosts: SHA-256 %s", here);
    } else {
        layer->sharing_evidence = arena_text(f->arena, "its content differs on the two hosts");
    }
}

/* Several disks may rest on one file. */
static const struct disk *compared_before(const struct facts *f, const struct disk *layer)
{
    for (size_t i = 0; i < f->domain.n_disks; i++)
        for (size_t l = 0; l < f->domain.disks[i].n_chain; l++) {
            const struct disk *other = &f->domain.disks[i].chain[l];

            if (other == layer)
                return NULL;
            if (text_equal(other->source, layer->source) &&
                text_equal(disk_dest_source(other), disk_dest_source(layer)))
                return other;
        }
    return NULL;
}

int compare_bases(struct facts *f, struct worker *source, struct worker *dest, struct error *err)
{
    for (size_t i = 0; i < f->domain.n_disks; i++)
        for (size_t l = 0; l < f->domain.disks[i].n_chain; l++) {
            struct disk *layer = &f->domain.disks[i].chain[l];
            const struct disk *before = compared_before(f, layer);

            if (layer->type != DISK_FILE || layer->sharing == SHARING_PROVED ||
                layer->at_dest.present != TRI_YES)
                continue;
            if (before) {
                layer->sharing = before->sharing;
                layer->sharing_evidence = before->sharing_evidence;
            } else {
                compare(f, layer, source, dest);
            }
        }
    return arena_failed(f->arena) ? error_memory(err) : 0;
}
