/* SPDX-License-Identifier: Apache-2.0
 * Reads heads where this process may, else has libvirt send them. A look that fails tells nothing. */
#include "head.h"
#include "../common/tell-head.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool wants_head(const struct ferry_disk *disk)
{
    return disk->format && strcmp(disk->format, "qcow2") == 0 && !(disk->flags & FERRY_DISK_AT_DEST);
}

bool head_here(struct ferry_call *call, const struct ferry_services *services, const struct ferry_disk *disk,
               struct ferry_image *ret)
{
    unsigned char bytes[QCOW2_LOOK_BYTES];
    struct qcow2_head head;
    int fd = wants_head(disk) ? open(disk->source, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -1;
    ssize_t n = fd >= 0 ? pread(fd, bytes, sizeof bytes, 0) : -1;

    if (fd >= 0)
        (void)close(fd);
    return n < 0 || !qcow2_read_head(bytes, (size_t)n, &head) || tell_head(call, services, &head, ret);
}

/* libvirt sends what stands in the file; what it cannot read is as good as not looked at. */
static size_t download(virConnectPtr connection, virStorageVolPtr volume, unsigned char *bytes, size_t size)
{
    virStreamPtr stream = connection ? virStreamNew(connection, 0) : NULL;
    size_t n = 0;
    int got = 1;

    if (stream && virStorageVolDownload(volume, stream, 0, size, 0) == 0) {
        while (n < size && got > 0) {
            got = virStreamRecv(stream, (char *)bytes + n, size - n);
            n += got > 0 ? (size_t)got : 0;
        }
        if (got < 0 || virStreamFinish(stream) < 0)
            (void)virStreamAbort(stream);
    }
    if (stream)
        (void)virStreamFree(stream);
    return n;
}

bool head_there(struct ferry_call *call, const struct ferry_services *services, virStorageVolPtr volume,
                const struct ferry_disk *disk, struct ferry_image *ret)
{
    unsigned char bytes[QCOW2_LOOK_BYTES];
    struct qcow2_head head;

    return !wants_head(disk) ||
           !qcow2_read_head(bytes, download(services->libvirt(call), volume, bytes, sizeof bytes), &head) ||
           tell_head(call, services, &head, ret);
}
