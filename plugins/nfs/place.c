/* SPDX-License-Identifier: Apache-2.0
 * Where a disk's image lies. A name is resolved where QEMU resolves it, on the host: this machine may know
 * another server by it. A mount table is read in the mount namespace of that host's libvirt. */
#include "place.h"
#include "../common/words.h"
#include "flight.h"
#include <inttypes.h>
#include <libvirt/libvirt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COMMAND_MS 5000u
#define MOUNTS_ROOM 262144u
#define MOUNTS_KEPT_MS 5000u
#define NAME_KEPT_MS 5000u

#define SCRIPT_MOUNTS                                                                                        \
    "for f in /run/virtqemud.pid /run/libvirtd.pid; do p=; n=; test -r $f && read -r p <$f; "                \
    "test -r /proc/$p/comm && read -r n </proc/$p/comm; case $n in "                                         \
    "virtqemud|libvirtd) exec cat /proc/$p/mountinfo;; esac; done; exec cat /proc/self/mountinfo"
#define SCRIPT_ADDRESS "IFS= read -r n && exec getent ahosts -- \"$n\""
#define SCRIPT_USER "IFS= read -r n && exec getent passwd -- \"$n\""
#define SCRIPT_GROUP "IFS= read -r n && exec getent group -- \"$n\""
/* What is left of a file system is never told from a client's cache. */
#define SCRIPT_ROOM "IFS= read -r p && exec stat -f -c %a -- \"$p\""
#define SCRIPT_INODE "IFS= read -r p && exec stat -L -c %i -- \"$p\""

/* A script of ours on the host, with one line of input; false where that cannot be. */
static bool host_says(struct ferry_call *call, const struct ferry_services *services, const char *script,
                      const char *line, char *ret, size_t room)
{
    const char *const argv[] = { "sh", "-c", script, NULL };
    const char *input = services->text(call, "%s\n", line);
    struct ferry_command command = { .size = sizeof command,
                                     .timeout_ms = COMMAND_MS,
                                     .argv = argv,
                                     .input = input,
                                     .input_bytes = input ? strlen(input) : 0,
                                     .output = ret,
                                     .output_room = room };

    if (!input || services->size < offsetof(struct ferry_services, run) + sizeof services->run)
        return false;
    return services->run(call, &command) == 0 && command.exit_code == 0 && !command.is_cut;
}

/* ---- mounts ---- */

/* The mount table of the host, as of some seconds ago; NULL where it cannot be read. */
static const char *mount_table(struct ferry_call *call, const struct ferry_services *services)
{
    static char *table;
    static uint64_t read_at;
    static bool is_read;

    if (!table && !(table = malloc(MOUNTS_ROOM)))
        return NULL;
    if (!read_at || flight_now_ms() - read_at > MOUNTS_KEPT_MS) {
        is_read = host_says(call, services, SCRIPT_MOUNTS, "", table, MOUNTS_ROOM);
        read_at = flight_now_ms();
    }
    return is_read ? table : NULL;
}

/* A netfs pool of libvirt that is mounted at this folder: the way of hosts where no command can be run. */
static bool find_pool(struct ferry_call *call, const struct ferry_services *services, const char *folder,
                      char *server, size_t server_size, char *path, size_t path_size)
{
    virConnectPtr libvirt = services->libvirt(call);
    virStoragePoolPtr *pools = NULL;
    bool found = false;
    int n = libvirt ? virConnectListAllStoragePools(libvirt, &pools,
                                                    VIR_CONNECT_LIST_STORAGE_POOLS_NETFS |
                                                        VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE)
                    : 0;

    for (int i = 0; i < n; i++) {
        OWNED_WORDS char *xml = virStoragePoolGetXMLDesc(pools[i], 0);
        OWNED_WORDS char *target = xml ? words_xml_text(xml, "target", "path") : NULL;
        OWNED_WORDS char *host = xml ? words_xml_attribute(xml, "host", "name") : NULL;
        OWNED_WORDS char *source = xml ? words_xml_attribute(xml, "dir", "path") : NULL;
        OWNED_WORDS char *format = xml ? words_xml_attribute(xml, "format", "type") : NULL;

        if (target && host && source && strcmp(target, folder) == 0 && format &&
            (strcmp(format, "nfs") == 0 || strcmp(format, "auto") == 0)) {
            (void)snprintf(server, server_size, "%s", host);
            (void)snprintf(path, path_size, "%s", source);
            found = true;
        }
        (void)virStoragePoolFree(pools[i]);
    }
    free(pools);
    return found;
}

bool place_is_on_mount(struct ferry_call *call, const struct ferry_services *services, const char *path)
{
    char folder[PATH_MAX];
    char name[PATH_MAX];
    char server[256];
    char source[PATH_MAX];
    struct mount mount;
    const char *table;

    if (words_cut_path(path, folder, name, sizeof folder))
        return false;
    table = mount_table(call, services);
    if (table)
        return mounts_find(table, folder, &mount) == MOUNTS_NFS;
    return find_pool(call, services, folder, server, sizeof server, source, sizeof source);
}

bool place_inode(struct ferry_call *call, const struct ferry_services *services, const char *path,
                 uint64_t *ret)
{
    char output[32] = "";
    char *end;

    if (strchr(path, '\n') || !host_says(call, services, SCRIPT_INODE, path, output, sizeof output))
        return false;
    *ret = strtoull(output, &end, 10);
    return end > output && *end == '\n';
}

bool place_answers(struct ferry_call *call, const struct ferry_services *services, const struct place *p)
{
    static char asked[ADDRESS_SIZE];
    static uint64_t asked_at;
    static bool it_answers;
    char output[32] = "";

    /* One that is silent is waited for once, not for each disk. */
    if (!asked_at || flight_now_ms() - asked_at > MOUNTS_KEPT_MS || strcmp(asked, p->address) != 0) {
        it_answers = host_says(call, services, SCRIPT_ROOM, p->host_folder, output, sizeof output);
        asked_at = flight_now_ms();
        memcpy(asked, p->address, sizeof asked);
    }
    return it_answers;
}

/* ---- addresses ---- */

static enum place_answer not_known(struct place *p, const char *fix, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static enum place_answer not_known(struct place *p, const char *fix, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(p->why, sizeof p->why, format, args);
    va_end(args);
    p->fix = fix;
    return PLACE_NOT_KNOWN;
}

static bool names_are_trusted(struct ferry_call *call, const struct ferry_services *services)
{
    const char *word = services->config(call, "names_mean_the_same");

    return word && strcmp(word, "yes") == 0;
}

/* As this machine resolves it: only where the operator says that all do it alike. */
static bool resolve_here(struct ferry_call *call, const struct ferry_services *services, const char *name,
                         char *ret, size_t room)
{
    const char *const argv[] = { "getent", "ahosts", "--", name, NULL };
    struct ferry_command command = {
        .size = sizeof command, .timeout_ms = COMMAND_MS, .argv = argv, .output = ret, .output_room = room
    };

    return services->program(call, &command) == 0 && command.exit_code == 0;
}

/* What a name stands for. One that nobody answers for takes seconds each time it is asked, and all disks of a
 * domain may name it. */
struct resolved {
    char server[256], host[256];
    bool is_answered;
    char list[ADDRESS_MOST][ADDRESS_SIZE];
    size_t n;
    uint64_t at_ms; /* 0: of no name */
};

static const struct resolved *resolve(struct ferry_call *call, const struct ferry_services *services,
                                      const char *server)
{
    static struct resolved kept;
    char output[4096] = "";

    if (kept.at_ms && flight_now_ms() - kept.at_ms < NAME_KEPT_MS && strcmp(kept.server, server) == 0 &&
        strcmp(kept.host, services->host(call)) == 0)
        return &kept;
    kept = (struct resolved){ .n = 0 };
    kept.is_answered =
        host_says(call, services, SCRIPT_ADDRESS, server, output, sizeof output) ||
        (names_are_trusted(call, services) && resolve_here(call, services, server, output, sizeof output));
    if (kept.is_answered)
        kept.n = address_list(output, kept.list);
    (void)snprintf(kept.host, sizeof kept.host, "%s", services->host(call));
    if ((size_t)snprintf(kept.server, sizeof kept.server, "%s", server) < sizeof kept.server)
        kept.at_ms = flight_now_ms();
    return &kept;
}

static enum place_answer find_address(struct ferry_call *call, const struct ferry_services *services,
                                      const char *server, struct place *p)
{
    char list[ADDRESS_MOST][ADDRESS_SIZE];
    const char *problem;
    size_t n = 1;

    if (!server || !*server || strchr(server, '/') || strchr(server, '\n'))
        return not_known(p, "Name the server by <host name='…'/> in the disk's <source>.",
                         "the NFS server is not named by an address or a name");
    if (!address_normalise(server, list[0])) {
        const struct resolved *r = resolve(call, services, server);

        if (!r->is_answered)
            return not_known(
                p,
                "Name the NFS server by its address in the domain's XML, let virt-ferry reach the host "
                "by ssh, or, where every host resolves names alike, set names_mean_the_same = yes in "
                "the section [nfs] of virt-ferry.conf.",
                "which address host '%s' has for NFS server '%s' could not be asked there",
                services->host(call), server);
        n = r->n;
        memcpy(list, r->list, sizeof list);
    }
    if (n == 0 || n > ADDRESS_MOST)
        return not_known(p, "Name the NFS server by its address in the domain's XML.",
                         "host '%s' has %s for NFS server '%s'", services->host(call),
                         n ? "too many addresses" : "no address", server);
    for (size_t i = 0; i < n; i++) {
        problem = address_problem(list[i]);
        if (problem)
            return not_known(p, "Name the NFS server by an address that all hosts reach it by.",
                             "the address '%s' of NFS server '%s' %s", list[i], server, problem);
    }
    memcpy(p->address, list[0], sizeof p->address);
    p->n_others = n - 1;
    for (size_t i = 1; i < n; i++)
        memcpy(p->others[i - 1], list[i], sizeof p->others[0]);
    return PLACE_KNOWN;
}

/* ---- whom QEMU is ---- */

static bool default_user(struct ferry_call *call, const struct ferry_services *services, struct user *ret)
{
    static struct user known;
    static int is_known = -1;

    if (is_known < 0) {
        virConnectPtr libvirt = services->libvirt(call);
        OWNED_WORDS char *xml = libvirt ? virConnectGetCapabilities(libvirt) : NULL;

        is_known = user_of_capabilities(xml, &known);
    }
    *ret = known;
    return is_known == 1;
}

static bool number_of(struct ferry_call *call, const struct ferry_services *services, const char *script,
                      const char *text, uint32_t *ret)
{
    char line[1024] = "";

    if (user_number(text, ret))
        return true;
    return !strchr(text, '\n') && host_says(call, services, script, text, line, sizeof line) &&
           user_of_getent(line, ret);
}

static void find_user(struct ferry_call *call, const struct ferry_services *services,
                      const struct ferry_disk *disk, struct place *p)
{
    const bool is_network = strcmp(disk->type, "network") == 0;
    const char *user = is_network ? disk->user : NULL;
    const char *group = is_network ? disk->group : NULL;
    struct user found = { 0, 0 };

    p->has_user = (user && group) || default_user(call, services, &found);
    if (user)
        p->has_user = p->has_user && number_of(call, services, SCRIPT_USER, user, &found.uid);
    if (group)
        p->has_user = p->has_user && number_of(call, services, SCRIPT_GROUP, group, &found.gid);
    p->user = p->has_user ? found : (struct user){ getuid(), getgid() };
}

/* ---- the whole ---- */

static enum place_answer find_mounted(struct ferry_call *call, const struct ferry_services *services,
                                      struct place *p)
{
    const char *table = mount_table(call, services);
    char server[256];
    char *source = p->folder;

    p->is_mounted = true;
    if (!table) {
        if (find_pool(call, services, p->host_folder, server, sizeof server, source, sizeof p->folder))
            return find_address(call, services, server, p);
        return not_known(p, "Look there yourself: findmnt -T FOLDER.",
                         "whether '%s' on host '%s' is an NFS mount could not be asked there", p->host_folder,
                         services->host(call));
    }
    switch (mounts_find(table, p->host_folder, &p->mount)) {
    case MOUNTS_NFS:
        memcpy(p->folder, p->mount.folder, sizeof p->folder);
        return find_address(call, services, p->mount.address, p);
    case MOUNTS_OTHER:
        (void)not_known(p, NULL, "'%s' on host '%s' lies on no NFS mount", p->host_folder,
                        services->host(call));
        return PLACE_NOT_MOUNTED;
    case MOUNTS_UNCLEAR:
        break;
    }
    return not_known(p, NULL, "the mount of '%s' on host '%s' is not clear", p->host_folder,
                     services->host(call));
}

enum place_answer place_find(struct ferry_call *call, const struct ferry_services *services,
                             const struct ferry_disk *disk, struct place *ret)
{
    const bool is_network = strcmp(disk->type, "network") == 0;
    char name[PATH_MAX];
    const char *problem;

    memset(ret, 0, sizeof *ret);
    problem = words_cut_path(disk->source, is_network ? ret->folder : ret->host_folder, name, sizeof name);
    if (!problem && strlen(name) >= sizeof ret->name)
        problem = "has a name that is too long";
    if (problem) {
        services->error(call, "Name the image by an absolute path in the domain's XML.", "image '%s' %s",
                        disk->source ? disk->source : "", problem);
        return PLACE_FAILED;
    }
    memcpy(ret->name, name, strlen(name) + 1);
    find_user(call, services, disk, ret);
    return is_network ? find_address(call, services, disk->server, ret) : find_mounted(call, services, ret);
}

int place_need(struct ferry_call *call, const struct ferry_services *services, const struct ferry_disk *disk,
               struct place *ret)
{
    switch (place_find(call, services, disk, ret)) {
    case PLACE_KNOWN:
        return 0;
    case PLACE_FAILED:
        break;
    case PLACE_NOT_KNOWN:
    case PLACE_NOT_MOUNTED:
        services->error(call, ret->fix, "%s", ret->why);
        break;
    }
    return -1;
}
