/* SPDX-License-Identifier: Apache-2.0
 * The nonce: does a directory hold the same bytes on two hosts? Through libvirt's storage API alone.
 * A pool that stands there is used and never refreshed; without one, a transient pool of ours is. */
#include "verbs/verbs.h"

#include "base/name.h"
#include "base/text.h"
#include "verbs/command.h"
#include "verbs/xml.h"
#include "worker/serve.h"
#include <errno.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OTHERS_TRIES 20
#define OTHERS_PAUSE_US 100000u
#define STAT_MS 3000u
#define NAME_SIZE 64

static bool same_directory(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b);

    while (na > 1 && a[na - 1] == '/')
        na--;
    while (nb > 1 && b[nb - 1] == '/')
        nb--;
    return na == nb && memcmp(a, b, na) == 0;
}

static bool pool_is_over(virStoragePoolPtr pool, const char *directory)
{
    OWNED_MEMORY char *text = virStoragePoolGetXMLDesc(pool, 0);
    OWNED(xml) x = text ? xml_read(text) : NULL;
    OWNED_MEMORY char *path = x ? xml_value(x, "/pool/target/path") : NULL;

    return path && same_directory(path, directory);
}

/* The pool whose target the directory is, an active one first; NULL when there is none. A run's temporary
 * pool counts only where it is to be removed: any other will be gone in a moment. */
static virStoragePoolPtr pool_over(struct child *c, const char *directory, bool also_temporary)
{
    virStoragePoolPtr *list = NULL, found = NULL;
    int n = virConnectListAllStoragePools(c->libvirt, &list, 0);

    for (int i = 0; i < n; i++) {
        bool is_temporary = text_starts(virStoragePoolGetName(list[i]), NONCE_PREFIX);
        bool fits = (also_temporary || !is_temporary) && pool_is_over(list[i], directory);

        if (fits && (!found || virStoragePoolIsActive(list[i]) == 1)) {
            if (found)
                (void)virStoragePoolFree(found);
            found = list[i];
        } else {
            (void)virStoragePoolFree(list[i]);
        }
    }
    free(list);
    return found;
}

json_t *nonce_record(struct child *c, const char *what, const char *place, const char *name)
{
    return json_pack("{ss ss ss ss ss}", "step", "nonce", "host", c->host, "what", what, "place", place,
                     "name", name);
}

/* All of it at once: each record on its own would be another wait for the disk of the journal. */
static int journal_files(struct child *c, json_t *pool, const char *directory, const char *const *names,
                         size_t n, struct error *err)
{
    OWNED_JSON records = json_array();

    if (!records || (pool && json_array_append_new(records, pool) < 0))
        return error_memory(err);
    for (size_t i = 0; i < n; i++)
        if (json_array_append_new(records, nonce_record(c, "volume", directory, names[i])) < 0)
            return error_memory(err);
    return child_journal(c, HAND_OVER(records), err);
}

static int random_pool_name(char ret[NAME_SIZE], struct error *err)
{
    char hex[33];

    if (name_random_hex(hex, 16, err) < 0)
        return -err->code;
    (void)snprintf(ret, NAME_SIZE, NONCE_PREFIX "%s", hex);
    return 0;
}

/* One that stands in the journal. */
static virStoragePoolPtr transient_pool(struct child *c, const char *directory, const char *name,
                                        struct error *err)
{
    OWNED_MEMORY char *path = xml_quoted(directory);
    OWNED_TEXT xml = { 0 };
    virStoragePoolPtr pool;

    text_add(&xml, "<pool type='dir'><name>%s</name><target><path>%s</path></target></pool>", name,
             path ? path : "");
    if (!path || xml.failed) {
        error_memory(err);
        return NULL;
    }
    pool = virStoragePoolCreateXML(c->libvirt, xml.s, 0);
    /* libvirt allows one pool over a directory: another run's temporary one must go first. */
    for (int i = 0; !pool && i < OTHERS_TRIES && virGetLastErrorCode() == VIR_ERR_OPERATION_FAILED; i++) {
        (void)usleep(OTHERS_PAUSE_US);
        pool = virStoragePoolCreateXML(c->libvirt, xml.s, 0);
    }
    if (!pool)
        libvirt_error(err, c->host, "could not look into directory '%s'", directory);
    return pool;
}

/* One that stands in the journal. 1 created, 0 refused since it is there, negative: neither. */
static int create_name(struct child *c, virStoragePoolPtr pool, const char *directory, const char *name,
                       struct error *err)
{
    OWNED_TEXT xml = { 0 };
    OWNED_VOLUME volume = NULL;
    virErrorPtr last;

    text_add(&xml,
             "<volume><name>%s</name><capacity>0</capacity><allocation>0</allocation>"
             "<target><format type='raw'/></target></volume>",
             name);
    if (xml.failed)
        return error_memory(err);
    volume = virStorageVolCreateXML(pool, xml.s, 0);
    if (volume)
        return 1;
    last = virGetLastError();
    if (last && (last->code == VIR_ERR_STORAGE_VOL_EXIST || last->code == VIR_ERR_OPERATION_INVALID ||
                 (last->code == VIR_ERR_SYSTEM_ERROR && last->int1 == EEXIST)))
        return 0;
    return libvirt_error(err, c->host, "could not create a file in directory '%s'", directory);
}

/* What is gone already is no error. */
static int remove_name(struct child *c, virStoragePoolPtr pool, const char *name, struct error *err)
{
    OWNED_VOLUME volume = virStorageVolLookupByName(pool, name);

    if ((volume && virStorageVolDelete(volume, 0) < 0) ||
        (!volume && virGetLastErrorCode() != VIR_ERR_NO_STORAGE_VOL))
        return libvirt_error(err, c->host, "could not remove the file '%s'", name);
    return 0;
}

/* NULL with err->code 0: there is none of that name. */
static virStoragePoolPtr pool_named(struct child *c, const char *name, struct error *err)
{
    virStoragePoolPtr pool = virStoragePoolLookupByName(c->libvirt, name);

    if (!pool && virGetLastErrorCode() != VIR_ERR_NO_STORAGE_POOL)
        libvirt_error(err, c->host, "could not look for pool '%s'", name);
    return pool;
}

static int put_pool(struct child *c, virStoragePoolPtr pool, bool is_ours, json_t *reply, struct error *err)
{
    if (json_put_text(reply, "pool", virStoragePoolGetName(pool)) < 0 ||
        json_put_flag(reply, "is_ours", is_ours) < 0 ||
        json_put_flag(reply, "finds_new", is_ours || command_can_run(c)) < 0)
        return error_memory(err);
    return 0;
}

/* {"directory", "name"}: creates name in the directory; "pool" and "is_ours", to be given back to the others,
 * and "finds_new", whether a file that another host makes there from now on will be found; or "gap", why
 * nothing can be proved here */
int verb_nonce_open(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    const char *directory = json_text(args, "directory", ""), *name = json_text(args, "name", "");
    OWNED_POOL pool = pool_over(c, directory, false);
    bool is_ours = !pool;
    char temporary[NAME_SIZE] = "";
    json_t *record = NULL;
    int r;

    if (pool && virStoragePoolIsActive(pool) != 1) {
        OWNED_TEXT gap = { 0 };

        text_add(&gap, "pool '%s' over '%s' is not active on '%s'; start it: virsh pool-start %s",
                 virStoragePoolGetName(pool), directory, c->host, virStoragePoolGetName(pool));
        return json_put_text(reply, "gap", text_of(&gap));
    }
    if (is_ours && random_pool_name(temporary, err) < 0)
        return -err->code;
    if (is_ours && !(record = nonce_record(c, "pool", directory, temporary)))
        return error_memory(err);
    if (journal_files(c, record, directory, &name, 1, err) < 0)
        return -err->code;
    if (is_ours && !(pool = transient_pool(c, directory, temporary, err)))
        return -err->code;
    if (put_pool(c, pool, is_ours, reply, err) < 0)
        return -err->code;
    r = create_name(c, pool, directory, name, err);
    if (r > 0)
        return 0;
    if (is_ours)
        (void)virStoragePoolDestroy(pool);
    return r < 0 ? r
                 : error_set(err, ERROR_FAILED, c->host, "a random name stands in '%s' already", directory);
}

/* {"pool", "directory", "other", "third"}: "seen": creating the other host's name is refused as existing
 * while a third is accepted */
int verb_nonce_look(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    const char *directory = json_text(args, "directory", "");
    const char *other = json_text(args, "other", ""), *third = json_text(args, "third", "");
    OWNED_POOL pool = virStoragePoolLookupByName(c->libvirt, json_text(args, "pool", ""));
    int of_other, of_third;

    if (!pool)
        return libvirt_error(err, c->host, "the pool over '%s' is gone", directory);
    if (journal_files(c, NULL, directory, (const char *const[]){ other, third }, 2, err) < 0)
        return -err->code;
    of_other = create_name(c, pool, directory, other, err);
    if (of_other < 0 || (of_other > 0 && remove_name(c, pool, other, err) < 0))
        return -err->code;
    of_third = create_name(c, pool, directory, third, err);
    if (of_third < 0 || (of_third > 0 && remove_name(c, pool, third, err) < 0))
        return -err->code;
    if (of_third == 0)
        return error_set(err, ERROR_FAILED, c->host, "nothing can be created in directory '%s'", directory);
    return json_put_flag(reply, "seen", of_other == 0);
}

/* As libvirt writes it: without a fraction that is zero. */
static bool is_ctime(char *text)
{
    const size_t seconds = strspn(text, "0123456789");
    const size_t fraction = text[seconds] == '.' ? strspn(text + seconds + 1, "0123456789") : 0;

    if (seconds == 0 || fraction != 9 || strcmp(text + seconds + 1 + fraction, "\n") != 0)
        return false;
    text[seconds + (strtoul(text + seconds + 1, NULL, 10) ? 1 + fraction : 0)] = '\0';
    return true;
}

/* Of a file that came there after the pool was refreshed the last time: asked of the host itself. What a
 * symbolic link leads to counts, as it does for libvirt. NULL: not there, or nobody can be asked. */
static char *ctime_by_command(struct child *c, const char *directory, const char *name)
{
    static const char script[] = "IFS= read -r p; [ -f \"$p\" ] && stat -L -c %.9Z -- \"$p\"";
    OWNED_TEXT input = { 0 };
    OWNED_MEMORY char *output = NULL;
    struct error ignored = { 0 };

    if (!directory[0] || strchr(directory, '\n') || strchr(name, '\n') || strchr(name, '/'))
        return NULL;
    text_add(&input, "%s/%s\n", directory, name);
    output = input.failed ? NULL : command_script(c, script, text_of(&input), STAT_MS, &ignored);
    return output && is_ctime(output) ? HAND_OVER(output) : NULL;
}

static char *ctime_in_pool(virStoragePoolPtr pool, const char *name)
{
    OWNED_VOLUME volume = virStorageVolLookupByName(pool, name);
    OWNED_MEMORY char *text = volume ? virStorageVolGetXMLDesc(volume, 0) : NULL;
    OWNED(xml) x = text ? xml_read(text) : NULL;

    return x ? xml_value(x, "/volume/target/timestamps/ctime") : NULL;
}

/* {"pool", "directory", "names": […]}: "ctimes": {name: "seconds.nanoseconds"}; a name that the pool does not
 * list, and that no command finds in the directory, is not in it */
int verb_nonce_stat(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_POOL pool = virStoragePoolLookupByName(c->libvirt, json_text(args, "pool", ""));
    json_t *ctimes = json_object();
    const json_t *names = json_child(args, "names");
    size_t i;
    json_t *name;

    if (!ctimes || json_put(reply, "ctimes", ctimes) < 0)
        return error_memory(err);
    if (!pool)
        return libvirt_error(err, c->host, "the pool is gone");
    json_array_foreach(names, i, name)
    {
        const char *text = json_string_value(name);
        OWNED_MEMORY char *listed = text ? ctime_in_pool(pool, text) : NULL;
        OWNED_MEMORY char *found =
            listed || !text ? NULL : ctime_by_command(c, json_text(args, "directory", ""), text);

        if ((listed || found) && json_put_text(ctimes, text, listed ? listed : found) < 0)
            return error_memory(err);
    }
    return 0;
}

/* {"pool", "is_ours", "name"}: removes what open made; what is gone already is no error; {} */
int verb_nonce_close(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_POOL pool = pool_named(c, json_text(args, "pool", ""), err);
    const char *name = json_text(args, "name", "");
    int r = 0;

    (void)reply;
    if (!pool)
        return -err->code;
    if (text_starts(name, NONCE_PREFIX))
        r = remove_name(c, pool, name, err);
    if (json_flag(args, "is_ours", false) && text_starts(virStoragePoolGetName(pool), NONCE_PREFIX) &&
        virStoragePoolDestroy(pool) < 0)
        return libvirt_error(err, c->host, "could not take down pool '%s'", virStoragePoolGetName(pool));
    return r;
}

/* What should lie in it does not either: it was journalled, and could not be made. */
static bool folder_is_missing(void)
{
    const virErrorPtr last = virGetLastError();

    return last && last->code == VIR_ERR_SYSTEM_ERROR && (last->int1 == ENOENT || last->int1 == ENOTDIR);
}

/* {"what", "place", "name"}, as journalled by a run that died: removes it, if it bears our random name; {} */
int verb_nonce_remove(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    const char *what = json_text(args, "what", ""), *name = json_text(args, "name", "");
    const char *place = json_text(args, "place", "");
    bool is_pool = text_equal(what, "pool");
    OWNED_POOL pool = is_pool                      ? pool_named(c, name, err)
                      : text_equal(what, "volume") ? pool_over(c, place, true)
                                                   : NULL;

    if (!text_starts(name, NONCE_PREFIX))
        return error_set(err, ERROR_FAILED, c->host, "'%s' does not bear a name of ours and stays", name);
    if (text_equal(what, "domain"))
        return verb_lock_release(c, args, reply, err);
    if (is_pool) {
        if (pool && virStoragePoolDestroy(pool) < 0)
            return libvirt_error(err, c->host, "could not take down pool '%s'", name);
        return -err->code;
    }
    if (!pool) {
        char temporary[NAME_SIZE];
        OWNED_POOL own = NULL;
        int r;

        if (random_pool_name(temporary, err) < 0 ||
            child_journal(c, nonce_record(c, "pool", place, temporary), err) < 0)
            return -err->code;
        own = transient_pool(c, place, temporary, err);
        if (!own && folder_is_missing()) {
            *err = (struct error){ 0 };
            return 0;
        }
        if (!own)
            return -err->code;
        r = remove_name(c, own, name, err);
        if (virStoragePoolDestroy(own) < 0)
            return libvirt_error(err, c->host, "could not take down our own pool");
        return r;
    }
    return remove_name(c, pool, name, err);
}
