/* SPDX-License-Identifier: Apache-2.0
 * One script tells everything of a device, on this machine and over a transport alike. Where none can be run
 * libvirt is asked, which knows less: the serial that udev made up, or a pool's list. */
#include "device-look.h"
#include "../common/words.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COMMAND_MS 4000u
#define ANSWER_ROOM 65536u
#define KEPT_MS 2000u

/* $o is the device's folder in sysfs, $d that of its disk, $u device-mapper's uuid. What an LV rests on is
 * told down to the first that is none. */
#define TELL                                                                                                 \
    "word() { test -r \"$2\" && read -r w <\"$2\" && echo \"$1=$w\"; }; "                                    \
    "tell() { o=$(cd -P \"$1\" && pwd -P) || return; d=$o; u=; echo \"at=${o##*/}\"; "                       \
    "word sectors $o/size; test -r $o/partition && word part $o/partition && d=${o%/*}; "                    \
    "word block $d/queue/logical_block_size; word wwid $d/device/wwid; word wwid $d/wwid; "                  \
    "word serial $d/serial; word serial $d/device/serial; word vendor $d/device/vendor; "                    \
    "word model $d/device/model; "                                                                           \
    "test -r $d/dm/uuid && read -r u <$d/dm/uuid && echo \"dm=$u\"; }; "                                     \
    "below() { for l in \"$1\"/slaves/*; do test -e \"$l\" || continue; tell \"$l\"; "                       \
    "case $u in LVM-*) below \"$o\";; esac; done; }; "
/* What was built on it or on a partition of it, where these are mounted, and who has it open by its own
 * name. */
#define USE                                                                                                  \
    "if test \"$q\" = use; then "                                                                            \
    "for h in $k/holders/* $k/*/holders/*; do test -e \"$h\" && echo \"holder=${h##*/}\"; done; "            \
    "read -r m <$k/dev; m=\" $m \"; "                                                                        \
    "for x in $k/*/partition; do test -r $x && read -r y <${x%/*}/dev && m=\"$m$y \"; done; "                \
    "r=$(readlink -f -- \"$p\"); "                                                                           \
    "while read -r a a c a t z; do case \"$m\" in *\" $c \"*) echo \"mount=$t\";; "                          \
    "*) case \" ${z##* - } \" in *\" $p \"*|*\" $r \"*) echo \"mount=$t\";; esac;; esac; "                   \
    "done </proc/self/mountinfo; "                                                                           \
    "while read -r a z; do test \"$a\" = \"$r\" && echo \"swap=$a\"; done </proc/swaps; "                    \
    "case $r in *[][*?]*) ;; *) command -v find >/dev/null && "                                              \
    "f=$(find /proc/[0-9]*/fd -lname \"$r\" 2>/dev/null | head -n 1) && "                                    \
    "{ test -n \"$f\" && echo \"open=$f\"; echo use=seen; };; esac; fi; "
#define SCRIPT_DEVICE                                                                                        \
    TELL "IFS= read -r p; read -r q; "                                                                       \
         "if test -b \"$p\"; then echo type=block; "                                                         \
         "elif test -e \"$p\"; then echo type=other; echo end=1; exit 0; "                                   \
         "else echo type=none; echo end=1; exit 0; fi; "                                                     \
         "n=$(stat -L -c %t:%T -- \"$p\") || exit 1; "                                                       \
         "s=/sys/dev/block/$((0x${n%:*})):$((0x${n#*:})); test -d $s || exit 1; "                            \
         "tell $s; k=$o; case $u in LVM-*) below $k;; esac; " USE "echo end=1"

/* ---- by a command ---- */

static bool look_by_command(struct ferry_call *call, const struct ferry_services *services, const char *path,
                            bool wants_use, struct device *ret)
{
    static char output[ANSWER_ROOM];
    const char *const argv[] = { "sh", "-c", SCRIPT_DEVICE, NULL };
    const char *input = services->text(call, "%s\n%s\n", path, wants_use ? "use" : "");
    struct ferry_command command = { .size = sizeof command,
                                     .timeout_ms = COMMAND_MS,
                                     .argv = argv,
                                     .input = input,
                                     .input_bytes = input ? strlen(input) : 0,
                                     .output = output,
                                     .output_room = sizeof output };

    if (!input || services->size < offsetof(struct ferry_services, run) + sizeof services->run)
        return false;
    return services->run(call, &command) == 0 && command.exit_code == 0 && !command.is_cut &&
           device_of_answer(output, ret);
}

/* ---- by libvirt ---- */

static uint64_t figure(const char *text)
{
    char *end = NULL;
    const unsigned long long n = text ? strtoull(text, &end, 10) : 0;

    return n > 0 && !*end ? (uint64_t)n : UINT64_MAX;
}

static bool node_is_at(const char *xml, const char *block, const char *path)
{
    OWNED_WORDS char *escaped = words_escape_xml(path);
    char link[1200];

    if (block && strcmp(block, path) == 0)
        return true;
    if (!escaped || strlen(escaped) > 1000)
        return false;
    (void)snprintf(link, sizeof link, "<devnode type='link'>%s</devnode>", escaped);
    return strstr(xml, link) != NULL;
}

static bool take_node(virNodeDevicePtr node, const char *path, struct device *ret)
{
    OWNED_WORDS char *xml = virNodeDeviceGetXMLDesc(node, 0);
    OWNED_WORDS char *block = xml ? words_xml_text(xml, "capability", "block") : NULL;
    OWNED_WORDS char *serial = NULL;
    OWNED_WORDS char *size = NULL;
    OWNED_WORDS char *sector = NULL;
    uint64_t sector_bytes;

    if (!block || !node_is_at(xml, block, path))
        return false;
    serial = words_xml_text(xml, "capability", "serial");
    size = words_xml_text(xml, "capability", "size");
    sector = words_xml_text(xml, "capability", "logical_block_size");
    ret->what = DEVICE_BLOCK;
    ret->bytes = figure(size);
    sector_bytes = figure(sector);
    ret->block_bytes = sector_bytes <= 1u << 20 ? (uint32_t)sector_bytes : 0;
    device_of_node(block, serial, ret);
    return true;
}

static bool look_by_nodes(virConnectPtr libvirt, const char *path, struct device *ret)
{
    OWNED_WORDS virNodeDevicePtr *nodes = NULL;
    int n = virConnectListAllNodeDevices(libvirt, &nodes, VIR_CONNECT_LIST_NODE_DEVICES_CAP_STORAGE);
    bool found = false;

    for (int i = 0; i < n; i++) {
        found = found || take_node(nodes[i], path, ret);
        (void)virNodeDeviceFree(nodes[i]);
    }
    return found;
}

/* A pool of files lists a device that stands among them as one of these. The length of what stands there is
 * its own; the capacity would be libvirt's guess from what a guest wrote. */
static bool look_by_pools(virConnectPtr libvirt, const char *path, struct device *ret)
{
    virStorageVolPtr volume = virStorageVolLookupByPath(libvirt, path);
    virStorageVolInfo info, lengths;
    bool found = false;

    if (!volume)
        return false;
    if (virStorageVolGetInfo(volume, &info) == 0) {
        found = true;
        ret->what = info.type == VIR_STORAGE_VOL_BLOCK  ? DEVICE_BLOCK
                    : info.type == VIR_STORAGE_VOL_FILE ? DEVICE_LISTED
                                                        : DEVICE_OTHER;
        if (ret->what == DEVICE_BLOCK)
            ret->bytes = info.capacity;
        else if (ret->what == DEVICE_LISTED &&
                 virStorageVolGetInfoFlags(volume, &lengths, VIR_STORAGE_VOL_GET_PHYSICAL) == 0)
            ret->bytes = lengths.allocation;
        (void)snprintf(ret->evidence, sizeof ret->evidence,
                       "no command can be run there, and a pool's list tells no device from another");
    }
    (void)virStorageVolFree(volume);
    return found;
}

static bool is_logical(virStoragePoolPtr pool, const char *folder)
{
    OWNED_WORDS char *xml = virStoragePoolGetXMLDesc(pool, 0);
    OWNED_WORDS char *type = xml ? words_xml_attribute(xml, "pool", "type") : NULL;
    OWNED_WORDS char *target = xml ? words_xml_text(xml, "target", "path") : NULL;

    return type && target && strcmp(type, "logical") == 0 && strcmp(target, folder) == 0;
}

virStoragePoolPtr device_pool(struct ferry_call *call, const struct ferry_services *services,
                              const char *folder)
{
    OWNED_WORDS virStoragePoolPtr *pools = NULL;
    virConnectPtr libvirt = services->libvirt(call);
    virStoragePoolPtr found = NULL;
    int n =
        libvirt ? virConnectListAllStoragePools(libvirt, &pools, VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE) : 0;

    for (int i = 0; i < n; i++) {
        if (!found && is_logical(pools[i], folder))
            found = pools[i];
        else
            (void)virStoragePoolFree(pools[i]);
    }
    return found;
}

static void look_by_libvirt(struct ferry_call *call, const struct ferry_services *services, const char *path,
                            struct device *ret)
{
    virConnectPtr libvirt = services->libvirt(call);
    const char *slash = strrchr(path, '/');
    const char *folder = slash ? services->text(call, "%.*s", (int)(slash - path), path) : NULL;
    virStoragePoolPtr pool;

    *ret = (struct device){ .bytes = UINT64_MAX };
    (void)snprintf(ret->evidence, sizeof ret->evidence,
                   "no command can be run there, and libvirt there does not list the device");
    if (!libvirt || !folder || look_by_nodes(libvirt, path, ret) || look_by_pools(libvirt, path, ret))
        return;
    pool = device_pool(call, services, folder);
    if (!pool)
        return;
    ret->what = DEVICE_NOTHING;
    (void)virStoragePoolFree(pool);
}

/* ---- use ---- */

/* A domain that is off wants its disk back some day. */
static void look_at_domains(struct ferry_call *call, const struct ferry_services *services, const char *path,
                            struct device *ret)
{
    OWNED_WORDS virDomainPtr *domains = NULL;
    OWNED_WORDS char *escaped = words_escape_xml(path);
    virConnectPtr libvirt = services->libvirt(call);
    const char *needle = escaped ? services->text(call, "<source dev='%s'", escaped) : NULL;
    int n = libvirt && needle ? virConnectListAllDomains(libvirt, &domains, 0) : 0;

    for (int i = 0; i < n; i++) {
        OWNED_WORDS char *xml = ret->use == DEVICE_IN_USE ? NULL : virDomainGetXMLDesc(domains[i], 0);

        if (xml && strstr(xml, needle)) {
            ret->use = DEVICE_IN_USE;
            (void)snprintf(ret->used_by, sizeof ret->used_by, "it is a disk of domain '%.400s' there",
                           virDomainGetName(domains[i]));
        }
        (void)virDomainFree(domains[i]);
    }
}

static bool is_this_machine(struct ferry_call *call, const struct ferry_services *services)
{
    virConnectPtr libvirt = services->libvirt(call);
    OWNED_WORDS char *uri = libvirt ? virConnectGetURI(libvirt) : NULL;

    return words_uri_is_local(uri);
}

/* Mounts, device-mapper, RAID and the like claim a device for themselves, whatever the tables say. */
static void try_to_claim(const char *path, struct device *ret)
{
    int fd = open(path, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);

    if (fd >= 0) {
        (void)close(fd);
    } else if (errno == EBUSY) {
        ret->use = DEVICE_IN_USE;
        (void)snprintf(ret->used_by, sizeof ret->used_by, "something there holds it for itself");
    }
}

static uint64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

void device_look(struct ferry_call *call, const struct ferry_services *services, const char *path,
                 bool wants_use, struct device *ret)
{
    /* identify and inspect follow one another: over a transport each look is a login's worth of time. */
    static struct device kept;
    static char kept_key[4400];
    static uint64_t kept_at;
    const char *key = services->text(call, "%s %d %s", services->host(call), (int)wants_use, path);

    if (key && kept_at && now_ms() - kept_at < KEPT_MS && strcmp(kept_key, key) == 0) {
        *ret = kept;
        return;
    }
    if (!look_by_command(call, services, path, wants_use, ret))
        look_by_libvirt(call, services, path, ret);
    if (wants_use && ret->what >= DEVICE_BLOCK && ret->use != DEVICE_IN_USE)
        look_at_domains(call, services, path, ret);
    if (wants_use && ret->what == DEVICE_BLOCK && ret->use != DEVICE_IN_USE &&
        is_this_machine(call, services))
        try_to_claim(path, ret);
    kept = *ret;
    kept_at = key && strlen(key) < sizeof kept_key ? now_ms() : 0;
    (void)snprintf(kept_key, sizeof kept_key, "%s", kept_at ? key : "");
}
