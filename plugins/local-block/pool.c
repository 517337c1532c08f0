/* SPDX-License-Identifier: Apache-2.0
 * Finds the pool of a folder, or makes a transient one under a random name and uuid and takes it away again.
 * Never refreshes, builds or starts a pool of somebody else: a refresh that fails would deactivate it. */
#include "pool.h"
#include "../common/words.h"
#include <errno.h>
#include <inttypes.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define TRIES 20

static const struct timespec moment = { .tv_nsec = 50 * 1000 * 1000 };

int place_error(struct ferry_call *call, const struct ferry_services *services, const char *fix,
                const char *doing)
{
    virErrorPtr last = virGetLastError();

    services->error(call, fix, "%s: %s", doing,
                    last && last->message ? last->message : "libvirt gave no reason");
    return -1;
}

bool place_errno_is(int number)
{
    virErrorPtr last = virGetLastError();

    return last && last->code == VIR_ERR_SYSTEM_ERROR && last->int1 == number;
}

bool place_is_temporary(const struct place *place)
{
    return place->name && strncmp(place->name, POOL_PREFIX, strlen(POOL_PREFIX)) == 0;
}

static const char *fix_with(struct ferry_call *call, const struct ferry_services *services, const char *doing,
                            const char *command, const char *name)
{
    OWNED_WORDS char *quoted = words_quote(name ? name : "");

    return services->text(call, "%s on host '%s': %s -- %s", doing, services->host(call), command,
                          quoted ? quoted : "NAME");
}

const char *place_start_fix(struct ferry_call *call, const struct ferry_services *services, const char *pool)
{
    return fix_with(call, services, "Start it", "virsh pool-start", pool);
}

const char *place_make_fix(struct ferry_call *call, const struct ferry_services *services, const char *folder)
{
    return fix_with(call, services, "Make it", "mkdir -p", folder);
}

/* dir, fs and netfs pools keep images as files under their own names; in others a new volume would be
 * something else. */
static bool holds_files(const char *xml)
{
    OWNED_WORDS char *type = words_xml_attribute(xml, "pool", "type");

    return type && (strcmp(type, "dir") == 0 || strcmp(type, "fs") == 0 || strcmp(type, "netfs") == 0);
}

static const char *as_given(const char *folder)
{
    return folder ? folder : "";
}

/* 1 when the pool's target is the folder and it can hold image files, 0 when not. */
static int fits(virStoragePoolPtr pool, const char *folder)
{
    OWNED_WORDS char *xml = virStoragePoolGetXMLDesc(pool, 0);
    OWNED_WORDS char *target = xml ? words_xml_text(xml, "target", "path") : NULL;
    size_t n;

    if (!target)
        return 0;
    for (n = strlen(target); n > 1 && target[n - 1] == '/'; n--)
        target[n - 1] = '\0';
    return strcmp(target, as_given(folder)) == 0 && holds_files(xml);
}

/* The pool whose target the folder is, active or not; NULL with *ret_failed when libvirt did not answer. */
static virStoragePoolPtr find_pool(virConnectPtr connection, const char *folder, bool *ret_failed)
{
    OWNED_WORDS virStoragePoolPtr *pools = NULL;
    virStoragePoolPtr found = NULL;
    int n = virConnectListAllStoragePools(connection, &pools, 0);

    *ret_failed = n < 0;
    for (int i = 0; i < n; i++) {
        if (!found && fits(pools[i], folder))
            found = pools[i];
        else
            (void)virStoragePoolFree(pools[i]);
    }
    return found;
}

static int random_words(char hex[33], char uuid[37])
{
    unsigned char b[32];

    if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
        return -1;
    for (int i = 0; i < 16; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", b[i]);
    b[22] = (unsigned char)((b[22] & 0x0f) | 0x40);
    b[24] = (unsigned char)((b[24] & 0x3f) | 0x80);
    (void)snprintf(uuid, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[16],
                   b[17], b[18], b[19], b[20], b[21], b[22], b[23], b[24], b[25], b[26], b[27], b[28], b[29],
                   b[30], b[31]);
    return 0;
}

static enum place_answer make_pool(struct ferry_call *call, const struct ferry_services *services,
                                   virConnectPtr connection, const char *folder, struct place *ret)
{
    OWNED_WORDS char *escaped = words_escape_xml(folder);
    char hex[33];
    char uuid[37];
    const char *xml;

    if (!escaped || random_words(hex, uuid) < 0) {
        services->error(call, NULL, "could not make a name for a temporary pool");
        return PLACE_FAILED;
    }
    ret->name = services->text(call, POOL_PREFIX "%s", hex);
    xml = services->text(call,
                         "<pool type='dir'><name>" POOL_PREFIX
                         "%s</name><uuid>%s</uuid><target><path>%s</path></target></pool>",
                         hex, uuid, escaped);
    if (!ret->name || !xml)
        return PLACE_FAILED;
    if (services->journal(call, "pool", folder, ret->name, uuid) < 0)
        return PLACE_FAILED;
    ret->pool = virStoragePoolCreateXML(connection, xml, 0);
    if (ret->pool) {
        ret->is_ours = true;
        return PLACE_OPEN;
    }
    if (virGetLastError() && virGetLastError()->code == VIR_ERR_OPERATION_FAILED)
        return PLACE_TAKEN;
    if (place_errno_is(ENOENT) || place_errno_is(ENOTDIR))
        return PLACE_MISSING;
    (void)place_error(call, services, "Check the folder, or define a storage pool on it.",
                      services->text(call, "could not look into folder '%s'", folder));
    return PLACE_FAILED;
}

static enum place_answer open_once(struct ferry_call *call, const struct ferry_services *services,
                                   virConnectPtr connection, const char *folder, struct place *ret)
{
    bool failed;

    *ret = (struct place){ 0 };
    ret->pool = find_pool(connection, folder, &failed);
    if (failed) {
        (void)place_error(call, services, NULL, "could not list the storage pools");
        return PLACE_FAILED;
    }
    if (!ret->pool)
        return make_pool(call, services, connection, folder, ret);
    ret->name = services->text(call, "%s", virStoragePoolGetName(ret->pool));
    if (ret->name && virStoragePoolIsActive(ret->pool) == 1)
        return PLACE_OPEN;
    (void)virStoragePoolFree(ret->pool);
    ret->pool = NULL;
    return ret->name ? PLACE_INACTIVE : PLACE_FAILED;
}

enum place_answer place_open(struct ferry_call *call, const struct ferry_services *services,
                             const char *folder, struct place *ret)
{
    virConnectPtr connection = services->libvirt(call);
    enum place_answer answer = PLACE_FAILED;

    *ret = (struct place){ 0 };
    if (!connection)
        return PLACE_FAILED;
    /* Two runs that look into one folder: libvirt has room for one pool on it. */
    for (int i = 0; i < TRIES; i++) {
        answer = open_once(call, services, connection, folder, ret);
        if (answer != PLACE_TAKEN)
            return answer;
        (void)nanosleep(&moment, NULL);
    }
    (void)place_error(call, services, "Try again.", "another pool was just made on the folder");
    return PLACE_FAILED;
}

int place_refuse(struct ferry_call *call, const struct ferry_services *services, enum place_answer answer,
                 const char *folder, const struct place *place)
{
    if (answer == PLACE_MISSING)
        services->error(call, place_make_fix(call, services, folder), "folder '%s' is not there", folder);
    else if (answer == PLACE_INACTIVE)
        services->error(call, place_start_fix(call, services, place->name),
                        "pool '%s' holds folder '%s' and is not active", place->name, folder);
    return -1;
}

/* libvirt refuses to destroy a pool while a thread of its own still works on a volume of it. */
static int destroy(virStoragePoolPtr pool)
{
    for (int i = 0; i < TRIES; i++) {
        virErrorPtr last;

        if (virStoragePoolDestroy(pool) == 0)
            return 0;
        last = virGetLastError();
        if (last && last->code == VIR_ERR_NO_STORAGE_POOL)
            return 0;
        if (!last || (last->code != VIR_ERR_INTERNAL_ERROR && last->code != VIR_ERR_OPERATION_INVALID))
            return -1;
        (void)nanosleep(&moment, NULL);
    }
    return -1;
}

void place_close(struct ferry_call *call, const struct ferry_services *services, struct place *place)
{
    if (!place->pool)
        return;
    /* Left behind it does no harm and stands in the journal: recover takes it away. */
    if (place->is_ours && destroy(place->pool) < 0)
        services->log(call, "temporary pool '%s' is left: %s", place->name, virGetLastErrorMessage());
    (void)virStoragePoolFree(place->pool);
    place->pool = NULL;
}

int place_remove(struct ferry_call *call, const struct ferry_services *services, const char *name,
                 const char *uuid)
{
    virConnectPtr connection = services->libvirt(call);
    virStoragePoolPtr pool;
    char found[VIR_UUID_STRING_BUFLEN] = "";
    int result = 1;

    if (!connection)
        return -1;
    if (strncmp(name, POOL_PREFIX, strlen(POOL_PREFIX)) != 0 || !uuid)
        return 1;
    pool = virStoragePoolLookupByName(connection, name);
    if (!pool) {
        virErrorPtr last = virGetLastError();

        if (last && last->code == VIR_ERR_NO_STORAGE_POOL)
            return 0;
        return place_error(call, services, NULL, "could not look for the temporary pool");
    }
    if (virStoragePoolGetUUIDString(pool, found) == 0 && strcmp(found, uuid) == 0 &&
        virStoragePoolIsPersistent(pool) == 0)
        result =
            destroy(pool) == 0 ? 0 : place_error(call, services, NULL, "could not remove a temporary pool");
    (void)virStoragePoolFree(pool);
    return result;
}
