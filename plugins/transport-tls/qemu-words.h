/* SPDX-License-Identifier: Apache-2.0
 * QEMU's folder of certificates, as a host's answer describes it. No I/O. */
#ifndef TRANSPORT_TLS_QEMU_WORDS_H
#define TRANSPORT_TLS_QEMU_WORDS_H

#include "certificate.h"
#include <stdint.h>

enum qemu_file_state { QEMU_MISSING, QEMU_THERE, QEMU_CLOSED /* QEMU's user may not read it */ };
enum qemu_file { QEMU_CA, QEMU_SERVER_CERT, QEMU_CLIENT_CERT, QEMU_SERVER_KEY, QEMU_CLIENT_KEY, QEMU_FILES };
struct qemu_folder {
    char path[512];
    bool is_there, verifies; /* verifies: whoever connects must show a certificate */
    int64_t now_s;           /* by that host's clock */
    enum qemu_file_state state[QEMU_FILES];
    struct certificates certificates[QEMU_SERVER_KEY]; /* of the first three; n 0: none, or not to be read */
};
extern const char *const qemu_file_names[QEMU_FILES];

/* What the host printed; false: it is not whole. The caller frees with qemu_folder_done. */
bool qemu_folder_of_answer(const char *answer, struct qemu_folder *ret);
void qemu_folder_done(struct qemu_folder *f);
/* "+0:+0" as libvirt's capabilities have it for whom QEMU is; false: they do not say. */
bool qemu_user_of_capabilities(const char *xml, unsigned *ret_uid, unsigned *ret_gid);

#endif
