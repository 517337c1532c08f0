/* SPDX-License-Identifier: Apache-2.0
 * A memory file: gone with this process, and never on any disk but swap. */
#include "host/passwords.h"

#include "base/owned.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOST_BYTES 65536

static int memory = -1;
static int n_added;

static int open_own_file(void)
{
    static const char *const places[][2] = {
        { "LIBVIRT_AUTH_FILE", "" },
        { "XDG_CONFIG_HOME", "/libvirt/auth.conf" },
        { "HOME", "/.config/libvirt/auth.conf" },
    };
    char path[512];
    int fd = -1;

    for (size_t i = 0; fd < 0 && i < sizeof places / sizeof *places; i++) {
        const char *begin = getenv(places[i][0]);

        if (begin && snprintf(path, sizeof path, "%s%s", begin, places[i][1]) < (int)sizeof path)
            fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    }
    return fd >= 0 ? fd : open("/etc/libvirt/auth.conf", O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

/* libvirt looks at one file: what the user has already goes on being there. */
static void keep_own_file(void)
{
    OWNED_FD fd = open_own_file();
    char text[4096];
    ssize_t n;
    size_t all = 0;

    while (fd >= 0 && all < MOST_BYTES && (n = read(fd, text, sizeof text)) > 0) {
        if (write(memory, text, (size_t)n) != n)
            break;
        all += (size_t)n;
    }
    explicit_bzero(text, sizeof text);
}

static int make_memory(struct error *err)
{
    char path[64];

    if (memory >= 0)
        return 0;
    memory = memfd_create("virt-ferry", MFD_CLOEXEC);
    if (memory < 0)
        return error_errno(err, NULL, "no memory for a password");
    keep_own_file();
    /* Workers close what they inherit; as children of the same user they may open it here. */
    (void)snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), memory);
    return setenv("LIBVIRT_AUTH_FILE", path, 1) < 0 ? error_memory(err) : 0;
}

int passwords_add(const char *host, const char *user, const char *password, struct error *err)
{
    int n;

    if (make_memory(err) < 0)
        return -err->code;
    n = ++n_added;
    if (dprintf(memory,
                "\n[credentials-virt-ferry-%d]\nauthname=%s\npassword=%s\n[auth-libvirt-%s]\n"
                "credentials=virt-ferry-%d\n",
                n, user, password, host, n) < 0)
        return error_errno(err, NULL, "could not keep the password for '%s'", host);
    return 0;
}
