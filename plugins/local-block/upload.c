/* SPDX-License-Identifier: Apache-2.0
 * One stream of libvirt, finished only when all of it was taken. The error is told where it is met: each
 * further call of libvirt forgets it. */
#include "upload.h"
#include <stdbool.h>

static int send_all(virStreamPtr stream, const unsigned char *bytes, size_t n)
{
    while (n > 0) {
        const int sent = virStreamSend(stream, (const char *)bytes, n);

        if (sent <= 0)
            return -1;
        bytes += sent;
        n -= (size_t)sent;
    }
    return 0;
}

int upload(struct ferry_call *call, const struct ferry_services *services, virStorageVolPtr volume,
           const unsigned char *bytes, size_t n, const char *fix, const char *what)
{
    virStreamPtr stream = virStreamNew(services->libvirt(call), 0);
    const bool has_begun = stream && virStorageVolUpload(volume, stream, 0, n, 0) == 0;
    const bool is_sent = has_begun && send_all(stream, bytes, n) == 0;
    const bool is_done = is_sent && virStreamFinish(stream) == 0;

    if (!is_done)
        (void)place_error(call, services, fix, what);
    if (has_begun && !is_sent)
        (void)virStreamAbort(stream);
    if (stream)
        (void)virStreamFree(stream);
    return is_done ? 0 : -1;
}
