/* SPDX-License-Identifier: Apache-2.0
 * raw is as long as the disk, an empty qcow2 image as long as its head and the table behind it. */
#include "new-image.h"
#include "qcow2.h"
#include <inttypes.h>
#include <string.h>

uint64_t new_image_bytes(struct ferry_call *call, const struct ferry_services *services,
                         const struct ferry_new_image *image)
{
    const char *format = image->disk->format ? image->disk->format : "";
    uint64_t bytes = 0;

    if (strcmp(format, "raw") == 0)
        bytes = image->capacity_bytes == FERRY_NOT_KNOWN ? 0 : image->capacity_bytes;
    else if (strcmp(format, "qcow2") == 0)
        bytes = qcow2_file_bytes(image->capacity_bytes);
    else {
        services->error(call, "Convert the image to raw or qcow2, or create it by hand.",
                        "a new image of format '%s' cannot be created, only raw and qcow2", format);
        return 0;
    }
    if (bytes == 0)
        services->error(call, "See that the image at the source has a size that can be read.",
                        "a new %s image of %" PRIu64 " bytes cannot be created", format,
                        image->capacity_bytes);
    return bytes;
}
