/* SPDX-License-Identifier: Apache-2.0
 * The nonce: does a directory hold the same bytes on two hosts? Through libvirt's storage API alone.
 * A pool that stands there is used and never refreshed; without one, a transient pool of ours is. */
#include "verbs/verbs.h"

#include "base/name.h"
#include "base/text.h"
#include "verbs/command.h"
#include "verbs/together.h"
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

/* NULL: it has none. */
static char *target_of(virStoragePoolPtr pool)
{
    OWNED_MEMORY char *text = virStoragePoolGetXMLDesc(pool, 0);
    OWNED(xml) x = text ? xml_read(text) : NULL;

    return x ? xml_value(x, "/pool/target/path") : NULL;
}

json_t *nonce_record(struct child *c, const char *what, const char *place, const char *name)
{
    return json_pack("{ss ss ss ss ss}", "step", "nonce", "host", c->host, "what", what, "place", place,
                     "name", name);
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

/* ---- questions about several folders, which are looked at side by side ---- */

/* One of them, and what came of it. */
struct folder {
    struct child *c;
    const json_t *asks;
    const char *directory;
    json_t *reply;
    virStoragePoolPtr pool;
    char temporary[NAME_SIZE]; /* of a pool that is to be ours */
    json_t *found;             /* times that a command told; NULL: none */
    bool is_told;              /* nothing more can be found out */
    struct error err;
};

struct folders {
    struct folder *list;
    size_t n;
};

static int folders_begin(struct child *c, const json_t *args, struct folders *ret, struct error *err)
{
    const json_t *asked = json_child(args, "folders");

    ret->n = json_array_size(asked);
    ret->list = calloc(ret->n + 1, sizeof *ret->list);
    if (!ret->list)
        return error_memory(err);
    for (size_t i = 0; i < ret->n; i++) {
        struct folder *f = &ret->list[i];

        *f = (struct folder){ .c = c, .asks = json_array_get(asked, i), .reply = json_object() };
        f->directory = json_text(f->asks, "directory", "");
        if (!f->reply)
            (void)error_memory(&f->err);
    }
    return 0;
}

/* What went wrong with one folder is its own answer; r: with all of them. */
static int folders_end(struct folders *all, json_t *reply, int r, struct error *err)
{
    json_t *list = json_array();

    for (size_t i = 0; i < all->n; i++) {
        struct folder *f = &all->list[i];

        if (f->pool)
            (void)virStoragePoolFree(f->pool);
        json_decref(f->found);
        if (f->err.code && f->reply)
            (void)json_put(f->reply, "error", json_of_error(&f->err));
        (void)json_array_append_new(list, f->reply ? f->reply : json_null());
    }
    free(all->list);
    if (json_array_size(list) != all->n) {
        json_decref(list);
        return error_memory(err);
    }
    return json_put(reply, "folders", list) < 0 ? error_memory(err) : r;
}

static bool is_open(const struct folder *f)
{
    return !f->err.code && !f->is_told;
}

/* All of it at once: each record on its own would be another wait for the disk of the journal. */
static int journal_names(struct child *c, const struct folders *all, const char *const keys[], size_t n_keys,
                         struct error *err)
{
    OWNED_JSON records = json_array();

    for (size_t i = 0; i < all->n; i++) {
        const struct folder *f = &all->list[i];

        if (is_open(f) && f->temporary[0] &&
            json_array_append_new(records, nonce_record(c, "pool", f->directory, f->temporary)) < 0)
            return error_memory(err);
        for (size_t k = 0; is_open(f) && k < n_keys; k++)
            if (json_array_append_new(
                    records, nonce_record(c, "volume", f->directory, json_text(f->asks, keys[k], ""))) < 0)
                return error_memory(err);
    }
    if (!records)
        return error_memory(err);
    return json_array_size(records) ? child_journal(c, HAND_OVER(records), err) : 0;
}

/* An active one first. */
static void take_pool(struct folders *all, virStoragePoolPtr pool, const char *target)
{
    for (size_t i = 0; i < all->n; i++) {
        struct folder *f = &all->list[i];

        if (!same_directory(target, f->directory) || (f->pool && virStoragePoolIsActive(pool) != 1) ||
            virStoragePoolRef(pool) < 0)
            continue;
        if (f->pool)
            (void)virStoragePoolFree(f->pool);
        f->pool = pool;
    }
}

/* A run's temporary pool counts only where it is to be removed: any other will be gone in a moment. */
static void find_pools(struct child *c, struct folders *all, bool also_temporary)
{
    virStoragePoolPtr *list = NULL;
    const int n = virConnectListAllStoragePools(c->libvirt, &list, 0);

    for (int i = 0; i < n; i++) {
        const bool is_temporary = text_starts(virStoragePoolGetName(list[i]), NONCE_PREFIX);
        OWNED_MEMORY char *target = is_temporary && !also_temporary ? NULL : target_of(list[i]);

        if (target)
            take_pool(all, list[i], target);
        (void)virStoragePoolFree(list[i]);
    }
    free(list);
}

static int needs_start(struct folder *f)
{
    OWNED_TEXT gap = { 0 };
    const char *name = virStoragePoolGetName(f->pool);

    text_add(&gap, "pool '%s' over '%s' is not active on '%s'; start it: virsh pool-start %s", name,
             f->directory, f->c->host, name);
    f->is_told = true;
    return json_put_text(f->reply, "gap", text_of(&gap)) < 0 ? error_memory(&f->err) : 0;
}

/* Which pool it will be. */
static void choose_pool(struct folder *f)
{
    if (!f->err.code && f->pool && virStoragePoolIsActive(f->pool) != 1)
        (void)needs_start(f);
    else if (!f->err.code && !f->pool)
        (void)random_pool_name(f->temporary, &f->err);
}

static void open_one(void *context, size_t i)
{
    struct folder *f = (struct folder *)context + i;
    const bool is_ours = f->temporary[0];
    int r;

    if (!is_open(f) || (is_ours && !(f->pool = transient_pool(f->c, f->directory, f->temporary, &f->err))) ||
        put_pool(f->c, f->pool, is_ours, f->reply, &f->err) < 0)
        return;
    r = create_name(f->c, f->pool, f->directory, json_text(f->asks, "name", ""), &f->err);
    if (r > 0)
        return;
    if (is_ours)
        (void)virStoragePoolDestroy(f->pool);
    if (r == 0)
        (void)error_set(&f->err, ERROR_FAILED, f->c->host, "a random name stands in '%s' already",
                        f->directory);
}

/* {"folders": [{"directory", "name"}]}: creates name in each directory. Answered with as many, here and
 * below: "pool" and "is_ours", to be given back to the others, and "finds_new", whether a file that another
 * host makes there from now on will be found; or "gap", why nothing can be proved here; or "error" */
int verb_nonce_open(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    struct folders all;
    int r;

    if (folders_begin(c, args, &all, err) < 0)
        return -err->code;
    find_pools(c, &all, false);
    for (size_t i = 0; i < all.n; i++)
        choose_pool(&all.list[i]);
    r = journal_names(c, &all, (const char *const[]){ "name" }, 1, err);
    if (r == 0)
        together(all.n, open_one, all.list);
    return folders_end(&all, reply, r, err);
}

static bool has_pool(struct folder *f)
{
    if (!f->err.code &&
        !(f->pool = virStoragePoolLookupByName(f->c->libvirt, json_text(f->asks, "pool", ""))))
        (void)libvirt_error(&f->err, f->c->host, "the pool over '%s' is gone", f->directory);
    return f->pool != NULL;
}

static void look_one(void *context, size_t i)
{
    struct folder *f = (struct folder *)context + i;
    const char *other = json_text(f->asks, "other", ""), *third = json_text(f->asks, "third", "");
    int of_other, of_third;

    if (!has_pool(f))
        return;
    of_other = create_name(f->c, f->pool, f->directory, other, &f->err);
    if (of_other < 0 || (of_other > 0 && remove_name(f->c, f->pool, other, &f->err) < 0))
        return;
    of_third = create_name(f->c, f->pool, f->directory, third, &f->err);
    if (of_third < 0 || (of_third > 0 && remove_name(f->c, f->pool, third, &f->err) < 0))
        return;
    if (of_third == 0)
        (void)error_set(&f->err, ERROR_FAILED, f->c->host, "nothing can be created in directory '%s'",
                        f->directory);
    else if (json_put_flag(f->reply, "seen", of_other == 0) < 0)
        (void)error_memory(&f->err);
}

/* {"folders": [{"pool", "directory", "other", "third"}]}: "seen": creating the other host's name is refused
 * as existing while a third is accepted */
int verb_nonce_look(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    struct folders all;
    int r;

    if (folders_begin(c, args, &all, err) < 0)
        return -err->code;
    r = journal_names(c, &all, (const char *const[]){ "other", "third" }, 2, err);
    if (r == 0)
        together(all.n, look_one, all.list);
    return folders_end(&all, reply, r, err);
}

/* As libvirt writes it: without a fraction that is zero. */
static bool is_ctime(char *text)
{
    const size_t seconds = strspn(text, "0123456789");
    const size_t fraction = text[seconds] == '.' ? strspn(text + seconds + 1, "0123456789") : 0;

    if (seconds == 0 || fraction != 9 || text[seconds + 1 + fraction])
        return false;
    text[seconds + (strtoul(text + seconds + 1, NULL, 10) ? 1 + fraction : 0)] = '\0';
    return true;
}

static char *ctime_in_pool(virStoragePoolPtr pool, const char *name)
{
    OWNED_VOLUME volume = virStorageVolLookupByName(pool, name);
    OWNED_MEMORY char *text = volume ? virStorageVolGetXMLDesc(volume, 0) : NULL;
    OWNED(xml) x = text ? xml_read(text) : NULL;

    return x ? xml_value(x, "/volume/target/timestamps/ctime") : NULL;
}

static void stat_one(void *context, size_t i)
{
    struct folder *f = (struct folder *)context + i;
    json_t *ctimes = json_object(), *name;
    size_t k;

    if (!has_pool(f) || !ctimes || json_put(f->reply, "ctimes", json_incref(ctimes)) < 0) {
        json_decref(ctimes);
        return;
    }
    json_array_foreach(json_child(f->asks, "names"), k, name)
    {
        const char *text = json_string_value(name);
        OWNED_MEMORY char *listed = text ? ctime_in_pool(f->pool, text) : NULL;

        if (listed && json_put_text(ctimes, text, listed) < 0)
            (void)error_memory(&f->err);
    }
    json_decref(ctimes);
}

/* Calls use() with each file that no pool lists, and a command can be asked for. */
static void each_unlisted(struct folders *all, void (*use)(struct folder *f, const char *name, void *context),
                          void *context)
{
    for (struct folder *f = all->list; f < all->list + all->n; f++) {
        const json_t *ctimes = json_child(f->reply, "ctimes");
        json_t *name;
        size_t k;

        if (!ctimes || !f->directory[0] || strchr(f->directory, '\n'))
            continue;
        json_array_foreach(json_child(f->asks, "names"), k, name)
        {
            const char *text = json_string_value(name);

            if (text && !strpbrk(text, "\n/") && !json_child(ctimes, text))
                use(f, text, context);
        }
    }
}

static void put_path(struct folder *f, const char *name, void *context)
{
    text_add(context, "%s/%s\n", f->directory, name);
}

/* One line is the next name's; what is known already stays so until all have been read. */
static void take_time(struct folder *f, const char *name, void *context)
{
    char **at = context, *line = strsep(at, "\n");

    if (line && is_ctime(line) &&
        ((!f->found && !(f->found = json_object())) || json_put_text(f->found, name, line) < 0))
        (void)error_memory(&f->err);
}

/* Those that came there after the pool was refreshed the last time: asked of the host itself. What a symbolic
 * link leads to counts, as it does for libvirt. */
static void stat_by_command(struct child *c, struct folders *all)
{
    static const char script[] =
        "while IFS= read -r p; do { [ -f \"$p\" ] && stat -L -c %.9Z -- \"$p\"; } || echo -; done";
    OWNED_TEXT input = { 0 };
    OWNED_MEMORY char *output = NULL;
    struct error ignored = { 0 };
    char *at;

    each_unlisted(all, put_path, &input);
    if (input.len > 0 && !input.failed)
        at = output = command_script(c, script, text_of(&input), STAT_MS, &ignored);
    if (output)
        each_unlisted(all, take_time, &at);
    for (struct folder *f = all->list; f < all->list + all->n; f++)
        if (f->found && json_object_update(json_object_get(f->reply, "ctimes"), f->found) < 0)
            (void)error_memory(&f->err);
}

/* {"folders": [{"pool", "directory", "names": […]}]}: "ctimes": {name: "seconds.nanoseconds"}; a name that
 * the pool does not list, and that no command finds in the directory, is not in it */
int verb_nonce_stat(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    struct folders all;

    if (folders_begin(c, args, &all, err) < 0)
        return -err->code;
    together(all.n, stat_one, all.list);
    stat_by_command(c, &all);
    return folders_end(&all, reply, 0, err);
}

static void close_one(void *context, size_t i)
{
    struct folder *f = (struct folder *)context + i;
    const char *name = json_text(f->asks, "name", "");

    if (f->err.code || !(f->pool = pool_named(f->c, json_text(f->asks, "pool", ""), &f->err)))
        return;
    if (text_starts(name, NONCE_PREFIX))
        (void)remove_name(f->c, f->pool, name, &f->err);
    if (json_flag(f->asks, "is_ours", false) && text_starts(virStoragePoolGetName(f->pool), NONCE_PREFIX) &&
        virStoragePoolDestroy(f->pool) < 0)
        (void)libvirt_error(&f->err, f->c->host, "could not take down pool '%s'",
                            virStoragePoolGetName(f->pool));
}

/* {"folders": [{"pool", "is_ours", "name"}]}: removes what open made; what is gone already is no error; {} */
int verb_nonce_close(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    struct folders all;

    if (folders_begin(c, args, &all, err) < 0)
        return -err->code;
    together(all.n, close_one, all.list);
    return folders_end(&all, reply, 0, err);
}

/* ---- what a run that died has left ---- */

static virStoragePoolPtr pool_over(struct child *c, const char *directory)
{
    struct folder one = { .directory = directory };

    find_pools(c, &(struct folders){ .list = &one, .n = 1 }, true);
    return one.pool;
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
                      : text_equal(what, "volume") ? pool_over(c, place)
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
