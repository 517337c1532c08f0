/* SPDX-License-Identifier: Apache-2.0
 * What the way to a host carries: padding in a question that libvirtd answers without doing anything, over
 * the connection that stands. Nothing is made there. Bounded in time, hence in bytes. */
#include "verbs/verbs.h"

#include "verbs/together.h"
#include "worker/loop.h"
#include <libvirt/virterror.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

#define TOGETHER 3u        /* so that the wire never waits for an answer */
#define TRIAL_BYTES 32768u /* how far away, and how slow */
#define LEAST_BYTES 32768u /* of one question */
#define MOST_BYTES 262144u /* larger ones take libvirtd long to read: 512 KiB halved the rate */
#define LEAST_MS 300u      /* of measuring */
#define MOST_MS 1500u
#define ROUND_TRIPS 12u /* TCP needs some until it is at full speed */
#define QUESTION_MS 40u /* what one question may take of the wire */

#define BEFORE "<cpu match='exact'><model>qemu64</model><!--"
#define BEHIND "--></cpu>"

struct carried {
    virConnectPtr libvirt;
    const char *question;
    size_t bytes;
    uint64_t until_ms;
    atomic_size_t answered;
};

/* What it says of the processor does not matter, an error that it may be neither: it came back. */
static void ask(virConnectPtr libvirt, const char *question)
{
    (void)virConnectCompareCPU(libvirt, question, 0);
    virResetLastError();
}

static void keep_asking(void *context, size_t i)
{
    struct carried *c = context;

    (void)i;
    while (loop_now_ms() < c->until_ms) {
        ask(c->libvirt, c->question);
        (void)atomic_fetch_add(&c->answered, c->bytes);
    }
}

/* Letters that no compression makes shorter by much; none of them ends a comment. */
static char *question_of(size_t bytes)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const size_t before = strlen(BEFORE), behind = strlen(BEHIND);
    char *q = malloc(bytes + before + behind + 1);
    size_t done = 0;

    while (q && done < bytes) {
        const ssize_t got = getrandom(q + before + done, bytes - done, 0);

        if (got <= 0) {
            free(q);
            return NULL;
        }
        done += (size_t)got;
    }
    if (!q)
        return NULL;
    for (size_t i = before; i < before + bytes; i++)
        q[i] = letters[(unsigned char)q[i] % 64u];
    memcpy(q, BEFORE, before);
    memcpy(q + before + bytes, BEHIND, behind + 1);
    return q;
}

static uint64_t clamped(uint64_t x, uint64_t least, uint64_t most)
{
    return x < least ? least : x > most ? most : x;
}

/* {}: "bytes_per_s", of payload */
int verb_measure_link(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_MEMORY char *trial = question_of(TRIAL_BYTES);
    OWNED_MEMORY char *question = NULL;
    struct carried carried = { .libvirt = c->libvirt };
    uint64_t began_ms = loop_now_ms(), took_ms;

    (void)args;
    if (!trial)
        return error_memory(err);
    ask(c->libvirt, trial);
    took_ms = clamped(loop_now_ms() - began_ms, 1, MOST_MS);
    carried.bytes = clamped(TRIAL_BYTES / took_ms * QUESTION_MS, LEAST_BYTES, MOST_BYTES);
    carried.question = question = question_of(carried.bytes);
    if (!question)
        return error_memory(err);
    began_ms = loop_now_ms();
    carried.until_ms = began_ms + clamped(took_ms * ROUND_TRIPS, LEAST_MS, MOST_MS);
    together(TOGETHER, keep_asking, &carried);
    took_ms = clamped(loop_now_ms() - began_ms, 1, UINT64_MAX);
    if (virConnectIsAlive(c->libvirt) != 1)
        return error_set(err, ERROR_CONNECTION, c->host, "the connection was lost while it was measured");
    return json_put_u64(reply, "bytes_per_s", atomic_load(&carried.answered) * 1000u / took_ms);
}
