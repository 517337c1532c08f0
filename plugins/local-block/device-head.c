/* SPDX-License-Identifier: Apache-2.0
 * Reads and writes heads. What a device held before is no part of an empty image: all that such an image
 * consists of is written, its table of clusters too, which is zero. */
#include "device-head.h"
#include "../common/new-image.h"
#include "../common/qcow2.h"
#include "../common/tell-head.h"
#include "../common/words.h"
#include "head.h"
#include "pool.h"
#include "upload.h"
#include <stdlib.h>
#include <string.h>

#define READ_MS 4000u
#define WRITE_MS 20000u
#define SCRIPT_READ "IFS= read -r p && exec head -c 4096 -- \"$p\""
/* dd stops at no end of its input that is not one, and ends when the device has it. */
#define SCRIPT_WRITE                                                                                         \
    "IFS= read -r p && test -b \"$p\" && exec dd of=\"$p\" bs=65536 iflag=fullblock conv=notrunc,fsync "     \
    "status=none"

static bool can_run(const struct ferry_services *services)
{
    return services->size >= offsetof(struct ferry_services, run) + sizeof services->run;
}

static bool fits_a_line(const char *path)
{
    return !strchr(path, '\n');
}

/* ---- reading ---- */

static size_t read_by_command(struct ferry_call *call, const struct ferry_services *services,
                              const char *path, unsigned char *bytes, size_t room)
{
    const char *const argv[] = { "sh", "-c", SCRIPT_READ, NULL };
    const char *input = services->text(call, "%s\n", path);
    struct ferry_command command = { .size = sizeof command,
                                     .timeout_ms = READ_MS,
                                     .argv = argv,
                                     .input = input,
                                     .input_bytes = input ? strlen(input) : 0,
                                     .output = (char *)bytes,
                                     .output_room = room };

    if (!input || !can_run(services) || !fits_a_line(path))
        return 0;
    return services->run(call, &command) == 0 && command.exit_code == 0 ? command.output_bytes : 0;
}

bool device_head_read(struct ferry_call *call, const struct ferry_services *services,
                      const struct ferry_disk *disk, struct ferry_image *ret)
{
    unsigned char bytes[QCOW2_LOOK_BYTES + 1];
    struct qcow2_head head;
    virConnectPtr libvirt;
    virStorageVolPtr volume;
    bool good = true;

    if (qcow2_read_head(bytes, read_by_command(call, services, disk->source, bytes, sizeof bytes), &head)) {
        ret->capacity_bytes = head.capacity;
        return tell_head(call, services, &head, ret);
    }
    libvirt = services->libvirt(call);
    volume = libvirt ? virStorageVolLookupByPath(libvirt, disk->source) : NULL;
    if (!volume)
        return true;
    good = head_there(call, services, volume, disk, ret);
    (void)virStorageVolFree(volume);
    return good;
}

/* ---- writing ---- */

/* All of an empty image; NULL with the error set. */
static unsigned char *empty_image(struct ferry_call *call, const struct ferry_services *services,
                                  const struct ferry_new_image *image, size_t front, size_t *ret_n)
{
    const uint64_t n = new_image_bytes(call, services, image);
    unsigned char *bytes = n ? calloc(1, front + n) : NULL;

    if (n && !bytes)
        services->error(call, NULL, "no memory left");
    if (!bytes || qcow2_write_head(image->capacity_bytes, NULL, bytes + front) < 0) {
        free(bytes);
        return NULL;
    }
    *ret_n = (size_t)n;
    return bytes;
}

/* 1: nothing can be run there. */
static int write_by_command(struct ferry_call *call, const struct ferry_services *services,
                            const struct ferry_new_image *image)
{
    const char *path = image->disk->source;
    const char *const argv[] = { "sh", "-c", SCRIPT_WRITE, NULL };
    const size_t front = strlen(path) + 1;
    char said[256] = "";
    size_t n = 0;
    OWNED_WORDS unsigned char *bytes = empty_image(call, services, image, front, &n);
    struct ferry_command command = { .size = sizeof command,
                                     .timeout_ms = WRITE_MS,
                                     .argv = argv,
                                     .input = (const char *)bytes,
                                     .input_bytes = front + n,
                                     .errors = said,
                                     .errors_room = sizeof said };

    if (!bytes)
        return -1;
    memcpy(bytes, path, front - 1);
    bytes[front - 1] = '\n';
    if (services->run(call, &command) < 0)
        return 1;
    if (command.exit_code == 0)
        return 0;
    said[strcspn(said, "\n")] = '\0';
    services->error(call, "Look at the device there: blockdev --report, dmesg.",
                    "could not write an empty qcow2 image into '%s': %s", path,
                    said[0] ? said : "it is no block device");
    return -1;
}

static int upload_image(struct ferry_call *call, const struct ferry_services *services,
                        virStorageVolPtr volume, const struct ferry_new_image *image)
{
    size_t n = 0;
    OWNED_WORDS unsigned char *bytes = empty_image(call, services, image, 0, &n);

    if (!bytes)
        return -1;
    return upload(call, services, volume, bytes, n, "Look at the device there: blockdev --report, dmesg.",
                  "could not write an empty qcow2 image into the device");
}

int device_head_write(struct ferry_call *call, const struct ferry_services *services,
                      const struct ferry_new_image *image)
{
    const char *path = image->disk->source;
    const bool has_command = can_run(services) && fits_a_line(path);
    int result = has_command ? write_by_command(call, services, image) : 1;
    virConnectPtr libvirt;
    virStorageVolPtr volume;

    if (result <= 0)
        return result;
    libvirt = services->libvirt(call);
    volume = libvirt ? virStorageVolLookupByPath(libvirt, path) : NULL;
    if (!volume) {
        services->error(
            call, "Let virt-ferry reach the host by ssh, or give it a libvirt pool that lists the device.",
            "no empty qcow2 image can be written into '%s' on host '%s'", path, services->host(call));
        return -1;
    }
    result = upload_image(call, services, volume, image);
    (void)virStorageVolFree(volume);
    return result;
}
