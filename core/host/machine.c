/* SPDX-License-Identifier: Apache-2.0
 * What the machine that a worker runs on says of itself, where libvirt's socket leads no further than here.
 * Reads a handful of small files and nothing that could hang. */
#include "host/capabilities.h"

#include "base/text.h"
#include <ifaddrs.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/utsname.h>

#define CGROUP2_MAGIC 0x63677270
#define MAX_ADDRESSES 1024u

static void read_kernel(struct arena *a, struct host *h)
{
    struct utsname name;
    struct statfs fs;

    if (uname(&name) == 0)
        h->kernel_release = arena_text(a, name.release);
    if (statfs("/sys/fs/cgroup", &fs) == 0)
        h->cgroup_version = (uint32_t)fs.f_type == CGROUP2_MAGIC ? 2 : 1;
}

/* The file came with Linux 5.2; before, everybody could. */
static void read_userfaultfd(struct host *h)
{
    FILE *file = fopen("/proc/sys/vm/unprivileged_userfaultfd", "re");
    int c = file ? fgetc(file) : EOF;

    h->unprivileged_userfaultfd = c == '1' ? TRI_YES : c == '0' ? TRI_NO : TRI_NOT_KNOWN;
    if (file)
        (void)fclose(file);
}

/* 'none' is libvirt's default, and what a file says that does not name one. */
static void read_lock_manager(struct arena *a, struct host *h)
{
    FILE *file = fopen("/etc/libvirt/qemu.conf", "re");
    char line[512], name[64];

    if (!file)
        return;
    h->lock_manager = "none";
    while (fgets(line, sizeof line, file))
        if (sscanf(line, " lock_manager = \"%63[^\"]\"", name) == 1)
            h->lock_manager = text_equal(name, "nop") ? "none" : arena_text(a, name);
    (void)fclose(file);
}

static void add_address(struct arena *a, const struct sockaddr *address, struct finding_refs *to)
{
    const socklen_t size =
        address->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    const char **grown;
    char text[NI_MAXHOST];

    if (getnameinfo(address, size, text, sizeof text, NULL, 0, NI_NUMERICHOST) != 0)
        return;
    grown = arena_grown(a, to->names, to->n, sizeof *grown);
    if (!grown)
        return;
    to->names = grown;
    grown[to->n++] = arena_text(a, text);
}

static void read_addresses(struct arena *a, struct host *h)
{
    struct ifaddrs *all = NULL;

    if (getifaddrs(&all) < 0)
        return;
    for (const struct ifaddrs *i = all; i && h->addresses.n < MAX_ADDRESSES; i = i->ifa_next)
        if (i->ifa_addr && (i->ifa_addr->sa_family == AF_INET || i->ifa_addr->sa_family == AF_INET6))
            add_address(a, i->ifa_addr, &h->addresses);
    freeifaddrs(all);
}

void capabilities_of_machine(struct arena *a, struct host *h)
{
    read_kernel(a, h);
    read_userfaultfd(h);
    read_lock_manager(a, h);
    read_addresses(a, h);
}
