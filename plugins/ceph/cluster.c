/* SPDX-License-Identifier: Apache-2.0
 * Connects as the user whom the domain's XML names. The key comes from the host's libvirt secret where that
 * may be read, else from a keyring of this machine; it is wiped at once and goes nowhere but to librados. */
#include "cluster.h"
#include "resolve.h"
#include <errno.h>
#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONF "/etc/ceph/ceph.conf"
#define SECONDS "5"
#define FORGET_FAILURE_MS 10000u
#define FORGET_ANSWER_MS 2000u
#define KEY_SIZE 128

static struct cluster *clusters;

static uint64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static void fail(struct cluster *c, enum cluster_state state)
{
    c->state = state;
    c->failed_at_ms = now_ms();
}

/* ---- the key ---- */

static virSecretPtr find_secret(virConnectPtr connection, const struct words_place *place)
{
    if (place->secret_uuid[0])
        return virSecretLookupByUUIDString(connection, place->secret_uuid);
    return virSecretLookupByUsage(connection, VIR_SECRET_USAGE_TYPE_CEPH, place->secret_usage);
}

/* The value as librados takes it; wiped by the caller. */
static enum cluster_secret read_secret(virConnectPtr connection, const struct words_place *place,
                                       char key[KEY_SIZE])
{
    virSecretPtr secret = find_secret(connection, place);
    enum cluster_secret answer = SECRET_HIDDEN;
    unsigned char *value;
    size_t size = 0;

    if (!secret)
        return virGetLastErrorCode() == VIR_ERR_NO_SECRET ? SECRET_MISSING : SECRET_HIDDEN;
    value = virSecretGetValue(secret, &size, 0);
    if (!value && virGetLastErrorCode() == VIR_ERR_NO_SECRET)
        answer = SECRET_EMPTY;
    else if (value && size > 0 && words_base64(value, size, key, KEY_SIZE))
        answer = SECRET_READ;
    if (value)
        explicit_bzero(value, size);
    free(value);
    (void)virSecretFree(secret);
    return answer;
}

/* Over a connection that others can read the value would travel in the clear. */
static void ask_for_secret(struct ferry_call *call, const struct ferry_services *services, struct cluster *c)
{
    virConnectPtr connection;
    char key[KEY_SIZE];

    if (!c->is_disks_user || (!c->place.secret_uuid[0] && !c->place.secret_usage[0]))
        return;
    connection = services->libvirt(call);
    if (!connection || virConnectIsSecure(connection) != 1)
        return;
    c->secret = read_secret(connection, &c->place, key);
    if (c->secret == SECRET_READ && c->library->rados_conf_set(c->rados, "key", key) < 0)
        c->secret = SECRET_HIDDEN;
    explicit_bzero(key, sizeof key);
}

/* ---- connecting ---- */

/* Images are copied, or looked at once: a cache costs memory and a copy of each byte, and a scheduler holds
 * small writes back to join them. The engine leaves a buffer alone until its request came back, so librbd
 * need not keep a second one. Set before there is a connection: on one that stands, an image that is not
 * there was not refused in time. What librbd does not know it goes without. */
static void be_quick(const struct cluster *c)
{
    static const struct {
        const char *option, *value;
    } options[] = {
        { "rbd_cache", "false" },
        { "rbd_io_scheduler", "none" },
        { "rbd_disable_zero_copy_writes", "false" },
    };

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        (void)c->library->rados_conf_set(c->rados, options[i].option, options[i].value);
}

static int set_conf(struct cluster *c, const char *conf, const char *keyring)
{
    char hosts[WORDS_HOSTS] = "";
    const struct {
        const char *option, *value;
    } options[] = {
        { "mon_host", c->place.hosts[0] ? hosts : NULL },
        { "keyring", keyring },
        { "client_mount_timeout", SECONDS },
        { "rados_mon_op_timeout", SECONDS },
        { "rados_osd_op_timeout", SECONDS },
        /* A driver prints nothing, and a worker that is killed leaves no socket behind. */
        { "log_to_stderr", "false" },
        { "err_to_stderr", "false" },
        { "admin_socket", "" },
    };

    if (conf && c->library->rados_conf_read_file(c->rados, conf) < 0) {
        (void)snprintf(c->why, sizeof c->why, "'%s' cannot be read as a configuration of Ceph", conf);
        return -1;
    }
    if (c->place.hosts[0] && !resolve_hosts(c->place.hosts, hosts)) {
        (void)snprintf(c->why, sizeof c->why, "no name of a monitor in '%s' can be resolved on this machine",
                       c->place.hosts);
        return -1;
    }
    be_quick(c);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (options[i].value &&
            c->library->rados_conf_set(c->rados, options[i].option, options[i].value) < 0) {
            (void)snprintf(c->why, sizeof c->why, "librados refuses '%s' as '%s'", options[i].value,
                           options[i].option);
            return -1;
        }
    return 0;
}

/* One of the files in which librados looks for the key can be read. Without any it leaves cephx out, and the
 * monitors then refuse the user as if it had a wrong key. */
static bool has_keyring(struct cluster *c)
{
    char list[4096], key[4];
    char *rest = NULL;

    /* Not the key itself: there is one as soon as it does not fit. */
    if (c->library->rados_conf_get(c->rados, "key", key, sizeof key) != 0 || *key)
        return true;
    if (c->library->rados_conf_get(c->rados, "keyring", list, sizeof list) != 0)
        return true;
    for (char *file = strtok_r(list, ",; ", &rest); file; file = strtok_r(NULL, ",; ", &rest))
        if (access(file, R_OK) == 0)
            return true;
    return false;
}

static void explain(struct cluster *c, const char *host, int code)
{
    const char *hosts = c->place.hosts[0] ? c->place.hosts : "those of " CONF;
    const char *key = c->secret == SECRET_READ ? "in the libvirt secret" : "on this machine";

    if ((code == -EACCES || code == -EPERM) && c->secret != SECRET_READ && !has_keyring(c))
        code = -ENOENT;

    switch (-code) {
    case ETIMEDOUT:
        fail(c, CLUSTER_SILENT);
        (void)snprintf(c->why, sizeof c->why, "no monitor answers at '%s' within " SECONDS " s", hosts);
        return;
    case EACCES:
    case EPERM:
    case EOPNOTSUPP:
        fail(c, CLUSTER_KEY_REFUSED);
        break;
    case EINVAL:
        /* Read from the secret, the key is the one thing here that librados has not judged yet. */
        fail(c, c->secret == SECRET_READ ? CLUSTER_KEY_REFUSED : CLUSTER_FAILED);
        break;
    case ENOENT:
        fail(c, CLUSTER_NO_KEY);
        (void)snprintf(c->why, sizeof c->why, "there is no key of user '%s' on this machine", c->user);
        return;
    default:
        fail(c, CLUSTER_FAILED);
        break;
    }
    if (c->state == CLUSTER_KEY_REFUSED)
        (void)snprintf(c->why, sizeof c->why, "the monitors at '%s' refuse user '%s' with the key %s%s%s%s",
                       hosts, c->user, key, c->secret == SECRET_READ ? " of host '" : "",
                       c->secret == SECRET_READ ? host : "", c->secret == SECRET_READ ? "'" : "");
    else
        (void)snprintf(c->why, sizeof c->why, "could not connect to the monitors at '%s': %s", hosts,
                       strerror(-code));
}

/* librados 16 writes what hinders it in connecting to standard error, whatever err_to_stderr says; some of it
 * only when it is shut down. Returns what `speak_again` takes. */
static int be_silent(void)
{
    const int kept = fcntl(2, F_DUPFD_CLOEXEC, 3), nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (kept >= 0 && nowhere >= 0)
        (void)dup2(nowhere, 2);
    if (nowhere >= 0)
        (void)close(nowhere);
    return kept;
}

static void speak_again(int kept)
{
    if (kept < 0)
        return;
    (void)dup2(kept, 2);
    (void)close(kept);
}

/* The handle is set up. */
static void connect_as(struct ferry_call *call, const struct ferry_services *services, struct cluster *c)
{
    int code = c->library->rados_connect(c->rados);

    if (c->secret == SECRET_READ)
        (void)c->library->rados_conf_set(c->rados, "key", "");
    if (code == 0 && c->library->rados_cluster_fsid(c->rados, c->fsid, sizeof c->fsid) >= 0)
        c->state = CLUSTER_OPEN;
    else
        explain(c, services->host(call), code);
}

static void connect_it(struct ferry_call *call, const struct ferry_services *services, struct cluster *c)
{
    const char *conf = services->config(call, "conf"), *keyring = services->config(call, "keyring");
    const char *library_why;
    int kept;

    c->rados = NULL;
    c->library = library_open(&library_why);
    if (!c->library) {
        fail(c, CLUSTER_NO_LIBRARY);
        (void)snprintf(c->why, sizeof c->why, "%s", library_why);
        return;
    }
    fail(c, CLUSTER_FAILED);
    (void)snprintf(c->why, sizeof c->why, "librados could not be set up");
    if (c->library->rados_create(&c->rados, strchr(c->user, '.') + 1) < 0)
        return;
    if (!conf && access(CONF, R_OK) == 0)
        conf = CONF;
    kept = be_silent();
    if (set_conf(c, conf, keyring) == 0) {
        ask_for_secret(call, services, c);
        connect_as(call, services, c);
    }
    if (c->state != CLUSTER_OPEN)
        c->library->rados_shutdown(c->rados);
    speak_again(kept);
}

static bool is_place(const struct cluster *c, const struct words_place *place)
{
    return strcmp(c->place.hosts, place->hosts) == 0 && strcmp(c->place.user, place->user) == 0 &&
           strcmp(c->place.secret_uuid, place->secret_uuid) == 0 &&
           strcmp(c->place.secret_usage, place->secret_usage) == 0;
}

struct cluster *cluster_open(struct ferry_call *call, const struct ferry_services *services,
                             const struct words_place *place)
{
    const char *user = services->config(call, "user");
    const char *disks_user = place->user[0] ? place->user : "admin";
    struct cluster *c = clusters;

    while (c && !is_place(c, place))
        c = c->next;
    if (c && (c->state == CLUSTER_OPEN || now_ms() - c->failed_at_ms < FORGET_FAILURE_MS))
        return c;
    if (!c) {
        c = calloc(1, sizeof *c);
        if (!c) {
            services->error(call, NULL, "no memory left");
            return NULL;
        }
        c->place = *place;
        c->next = clusters;
        clusters = c;
    }
    c->is_disks_user = !user || !*user || strcmp(user, disks_user) == 0;
    (void)snprintf(c->user, sizeof c->user, "client.%s", c->is_disks_user ? disks_user : user);
    connect_it(call, services, c);
    services->log(call, "cluster at '%s' as '%s': %s", place->hosts, c->user,
                  c->state == CLUSTER_OPEN ? c->fsid : c->why);
    return c;
}

void cluster_is_silent(struct cluster *c)
{
    if (c->state != CLUSTER_OPEN)
        return;
    /* Left as it is: whatever would close it could wait for the same answer. */
    fail(c, CLUSTER_SILENT);
    (void)snprintf(c->why, sizeof c->why, "the cluster at '%s' did not answer within " SECONDS " s",
                   c->place.hosts[0] ? c->place.hosts : "the monitors of " CONF);
}

/* ---- questions to the monitors ---- */

static int send_command(struct cluster *c, const char *json, char **ret_out, size_t *ret_n)
{
    const char *commands[] = { json };
    char *words = NULL;
    size_t n_words = 0;
    int code =
        c->library->rados_mon_command(c->rados, commands, 1, NULL, 0, ret_out, ret_n, &words, &n_words);

    if (words)
        c->library->rados_buffer_free(words);
    if (code == -ETIMEDOUT)
        cluster_is_silent(c);
    return code;
}

int cluster_command(struct cluster *c, const char *json)
{
    char *out = NULL;
    size_t n = 0;
    int code = send_command(c, json, &out, &n);

    if (out)
        c->library->rados_buffer_free(out);
    return code;
}

const struct cluster_answer *cluster_ask(struct cluster *c, enum cluster_question question)
{
    static const char *const commands[] = {
        [CLUSTER_POOLS] = "{\"prefix\": \"osd pool ls\", \"detail\": \"detail\", \"format\": \"json\"}",
        [CLUSTER_ROOM] = "{\"prefix\": \"df\", \"detail\": \"detail\", \"format\": \"json\"}",
    };
    struct cluster_answer *answer = &c->answers[question];

    if (c->state != CLUSTER_OPEN)
        return NULL;
    if (answer->at_ms && now_ms() - answer->at_ms < FORGET_ANSWER_MS)
        return answer->json ? answer : NULL;
    if (answer->json)
        c->library->rados_buffer_free(answer->json);
    *answer = (struct cluster_answer){ .at_ms = now_ms() };
    if (send_command(c, commands[question], &answer->json, &answer->n) < 0 && answer->json) {
        c->library->rados_buffer_free(answer->json);
        answer->json = NULL;
    }
    return answer->json ? answer : NULL;
}
