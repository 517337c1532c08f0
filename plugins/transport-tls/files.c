/* SPDX-License-Identifier: Apache-2.0
 * The same order as libvirt's own: the URI's folder, the user's, the system's; root has no folder of its own
 * for certificates. A private key is opened, never read. */
#include "files.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_BYTES (1u << 20)
#define PKI "/etc/pki/"

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void in_folder(const char *folder, struct files *ret)
{
    (void)snprintf(ret->ca, sizeof ret->ca, "%s/cacert.pem", folder);
    (void)snprintf(ret->certificate, sizeof ret->certificate, "%s/clientcert.pem", folder);
    (void)snprintf(ret->key, sizeof ret->key, "%s/clientkey.pem", folder);
}

void files_locate(const char *pkipath, struct files *ret)
{
    const char *home = getenv("HOME");
    struct files own;
    char folder[400];

    if (pkipath) {
        in_folder(pkipath, ret);
        return;
    }
    *ret = (struct files){ .ca = PKI "CA/cacert.pem",
                           .certificate = PKI "libvirt/clientcert.pem",
                           .key = PKI "libvirt/private/clientkey.pem" };
    if (geteuid() == 0 || !home || strlen(home) > 300)
        return;
    (void)snprintf(folder, sizeof folder, "%s/.pki/libvirt", home);
    in_folder(folder, &own);
    if (is_there(own.ca))
        memcpy(ret->ca, own.ca, sizeof ret->ca);
    /* One alone would not fit the system's other. */
    if (is_there(own.certificate) && is_there(own.key)) {
        memcpy(ret->certificate, own.certificate, sizeof ret->certificate);
        memcpy(ret->key, own.key, sizeof ret->key);
    }
}

static bool take_path(const char *folder, const char *rest, char *path, size_t size)
{
    const int n = folder && *folder ? snprintf(path, size, "%s%s", folder, rest) : -1;

    return n > 0 && (size_t)n < size && is_there(path);
}

bool files_passwords(const char *authfile, char *path, size_t size)
{
    const char *named = getenv("LIBVIRT_AUTH_FILE"), *folder = getenv("XDG_CONFIG_HOME");

    /* libvirt takes the environment's before the URI's. */
    if (named || authfile)
        return take_path(named ? named : authfile, "", path, size);
    return (folder && *folder ? take_path(folder, "/libvirt/auth.conf", path, size)
                              : take_path(getenv("HOME"), "/.config/libvirt/auth.conf", path, size)) ||
           take_path("/etc", "/libvirt/auth.conf", path, size);
}

char *files_read(const char *path, size_t *ret_n)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    char *all = fd >= 0 ? malloc(MOST_BYTES + 1u) : NULL;
    size_t n = 0;
    ssize_t r = all ? 1 : -1;
    int problem;

    while (r > 0 && n <= MOST_BYTES) {
        r = read(fd, all + n, MOST_BYTES + 1u - n);
        n += r > 0 ? (size_t)r : 0;
    }
    problem = n > MOST_BYTES ? EFBIG : errno;
    if (fd >= 0)
        (void)close(fd);
    if (r == 0) {
        all[n] = '\0';
        *ret_n = n;
        return all;
    }
    free(all);
    errno = problem;
    return NULL;
}

const char *files_certificates(const char *path, struct certificates *ret)
{
    size_t n = 0;
    char *text = files_read(path, &n);
    const char *why = text ? NULL : strerror(errno);

    *ret = (struct certificates){ .n = 0 };
    if (text && !certificates_of_pem(text, n, ret))
        why = "it holds no certificate";
    free(text);
    return why;
}
