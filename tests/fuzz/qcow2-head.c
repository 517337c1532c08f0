/* SPDX-License-Identifier: Apache-2.0
 * The head of a qcow2 image, which a guest may have written: a good one, wounded where the input says (a
 * place in two bytes, and what stands there), and read as far as it says. */
#include "../../plugins/common/qcow2-head.c" /* NOLINT(bugprone-suspicious-include) */
#include "../../plugins/common/qcow2.c"      /* NOLINT(bugprone-suspicious-include) */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned char good[QCOW2_HEAD_BYTES];
    const struct qcow2_base base = { .path = "/srv/base.img", .format = "raw" };
    struct qcow2_head head;
    unsigned char *bytes;
    size_t n;

    if (size < 2 || size > FUZZ_MOST)
        return 0;
    PROMISE(qcow2_write_head(1u << 30, data[0] & 1 ? &base : NULL, good) == 0);
    n = data[0] & 2 ? (size_t)data[1] << 4 : QCOW2_LOOK_BYTES;
    bytes = malloc(n ? n : 1);
    PROMISE(bytes != NULL);
    memcpy(bytes, good, n);
    for (size_t i = 2; i + 2 < size; i += 3) {
        /* The first bytes are of more interest than the rest. */
        const size_t at =
            data[i] & 3 ? data[i + 1] % 128u : ((size_t)data[i] << 6 | data[i + 1]) % QCOW2_LOOK_BYTES;

        if (at < n)
            bytes[at] = data[i + 2];
    }
    if (qcow2_read_head(bytes, n, &head)) {
        PROMISE(head.capacity <= INT64_MAX);
        PROMISE(memchr(head.base, '\0', sizeof head.base) &&
                memchr(head.data_file, '\0', sizeof head.data_file));
        PROMISE(memchr(head.base_format, '\0', sizeof head.base_format) != NULL);
    }
    free(bytes);
    return 0;
}
