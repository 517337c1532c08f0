/* SPDX-License-Identifier: Apache-2.0
 * QEMU has a byte for each thing that one may do with an image, and one for each that others may not. Whoever
 * opens it holds a shared lock on the bytes that are true of him, then looks whether anybody holds the
 * opposite ones. */
#include "lock.h"
#include <errno.h>
#include <fcntl.h>

enum { READS, WRITES, WRITES_THE_SAME, RESIZES, N_RIGHTS };
#define DOES_BASE 100
#define DENIES_BASE 200
#define BIT(right) (1u << (right))

static struct flock byte_at(short type, off_t at)
{
    return (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };
}

static int hold(int fd, off_t base, unsigned rights)
{
    for (int i = 0; i < N_RIGHTS; i++) {
        struct flock l = byte_at(F_RDLCK, base + i);

        if (rights & BIT(i) && fcntl(fd, F_OFD_SETLK, &l) < 0)
            return errno == EACCES ? EAGAIN : errno;
    }
    return 0;
}

/* Somebody else's lock is in the way of one of ours that would be exclusive. */
static int look(int fd, off_t base, unsigned rights)
{
    for (int i = 0; i < N_RIGHTS; i++) {
        struct flock l = byte_at(F_WRLCK, base + i);

        if (!(rights & BIT(i)))
            continue;
        if (fcntl(fd, F_OFD_GETLK, &l) < 0)
            return errno;
        if (l.l_type != F_UNLCK)
            return EAGAIN;
    }
    return 0;
}

int lock_image(int fd, bool to_write)
{
    const unsigned does = to_write ? BIT(READS) | BIT(WRITES) | BIT(RESIZES) : BIT(READS);
    const unsigned denies = to_write ? BIT(READS) | BIT(WRITES) | BIT(WRITES_THE_SAME) | BIT(RESIZES)
                                     : BIT(WRITES) | BIT(RESIZES);
    int code = hold(fd, DOES_BASE, does);

    if (code == 0)
        code = hold(fd, DENIES_BASE, denies);
    if (code == 0)
        code = look(fd, DENIES_BASE, does);
    return code == 0 ? look(fd, DOES_BASE, denies) : code;
}
