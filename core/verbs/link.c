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
static int question_of(size_t bytes, struct text *ret, struct error *err)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char random[256];

    text_add(ret, "%s", BEFORE);
    for (size_t done = 0; done < bytes; done += sizeof random) {
        char padding[sizeof random];

        if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
            return error_errno(err, NULL, "could not read random numbers");
        for (size_t i = 0; i < sizeof random; i++)
            padding[i] = letters[random[i] % 64u];
        text_add_bytes(ret, padding, sizeof padding);
    }
    text_add(ret, "%s", BEHIND);
    return ret->failed ? error_memory(err) : 0;
}

static uint64_t clamped(uint64_t x, uint64_t least, uint64_t most)
{
    return x < least ? least : x > most ? most : x;
}

/* {}: "bytes_per_s", of payload */
int verb_measure_link(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_TEXT trial = { 0 };
    OWNED_TEXT question = { 0 };
    struct carried carried = { .libvirt = c->libvirt };
    uint64_t began_ms, took_ms;

    (void)args;
    if (question_of(TRIAL_BYTES, &trial, err) < 0)
        return -err->code;
    began_ms = loop_now_ms();
    ask(c->libvirt, text_of(&trial));
    took_ms = clamped(loop_now_ms() - began_ms, 1, MOST_MS);
    carried.bytes = clamped(TRIAL_BYTES / took_ms * QUESTION_MS, LEAST_BYTES, MOST_BYTES);
    if (question_of(carried.bytes, &question, err) < 0)
        return -err->code;
    carried.question = text_of(&question);
    began_ms = loop_now_ms();
    carried.until_ms = began_ms + clamped(took_ms * ROUND_TRIPS, LEAST_MS, MOST_MS);
    together(TOGETHER, keep_asking, &carried);
    took_ms = clamped(loop_now_ms() - began_ms, 1, UINT64_MAX);
    if (virConnectIsAlive(c->libvirt) != 1)
        return error_set(err, ERROR_CONNECTION, c->host, "the connection was lost while it was measured");
    return json_put_u64(reply, "bytes_per_s", atomic_load(&carried.answered) * 1000u / took_ms);
}
