/* SPDX-License-Identifier: Apache-2.0
 * Opens a folder or file that only root and the effective user can change, and says so when others can.
 * Every folder on the way is checked on its opened descriptor, symbolic links are walked, never followed. */
#ifndef PLUGIN_TRUST_H
#define PLUGIN_TRUST_H

#include <stddef.h>

enum trust_kind { TRUST_FOLDER, TRUST_FILE };
enum trust_answer {
    TRUST_YES = 0,
    TRUST_ABSENT = -1, /* nothing stands there */
    TRUST_NO = -2,     /* why holds one sentence without a full stop */
};

/* *ret_fd: the checked folder or file, O_PATH; the caller closes it. */
enum trust_answer trust_open(const char *path, enum trust_kind kind, int *ret_fd, char *why, size_t size);

#endif
