/* SPDX-License-Identifier: Apache-2.0
 * A worker's connection, and what its host is. */
#include "host/verbs.h"

#include "base/text.h"
#include "host/capabilities.h"
#include "host/command.h"
#include "host/serve.h"
#include "host/survey.h"
#include "host/xml.h"
#include "state/config.h"
#include <stdio.h>
#include <string.h>

const struct verb verbs_host[] = {
    { "connect", verb_connect },
    { "hostname", verb_hostname },
    { "survey-host", verb_survey_host },
    { "probe", verb_probe },
    { "address", verb_address },
    { "check-channels", verb_check_channels },
    { "qemu-owner", verb_qemu_owner },
    { "run", verb_run },
    { "reach-ports", verb_reach_ports },
    { "survey-domain", verb_survey_domain },
    { "survey-disks", verb_survey_disks },
    { "state", verb_state },
    { "mark-set", verb_mark_set },
    { "mark-clear", verb_mark_clear },
    { "autostart", verb_autostart },
    { "max-downtime", verb_max_downtime },
    { "resume", verb_resume },
    { "destroy", verb_destroy },
    { "undefine", verb_undefine },
    { "job", verb_job },
    { "abort-job", verb_abort_job },
    { "start-postcopy", verb_start_postcopy },
    { "measure-dirty", verb_measure_dirty },
    { "nonce-open", verb_nonce_open },
    { "nonce-look", verb_nonce_look },
    { "nonce-stat", verb_nonce_stat },
    { "nonce-close", verb_nonce_close },
    { "nonce-remove", verb_nonce_remove },
    { "image-create", verb_image_create },
    { "image-remove", verb_image_remove },
    { NULL, NULL },
};

static int take_way(struct child *c, const json_t *way, struct error *err)
{
    c->way.driver = registry_transport(json_text(way, "driver", ""), &c->way.owner);
    if (!c->way.driver)
        return error_set(err, ERROR_INPUT, c->host, "the driver of its way is not there");
    (void)snprintf(c->way.uri, sizeof c->way.uri, "%s", json_text(way, "uri", ""));
    (void)snprintf(c->way.folder, sizeof c->way.folder, "%s", json_text(way, "folder", ""));
    return 0;
}

/* Nobody is asked: a worker has neither a terminal nor the time, and what libvirt's own questions print would
 * stand in our output. What auth.conf says was taken before. */
static int ask_nobody(virConnectCredentialPtr wanted, unsigned n, void *context)
{
    (void)wanted;
    (void)n;
    (void)context;
    return -1;
}

virConnectAuth verb_auth(void)
{
    virConnectAuth auth = *virConnectAuthPtrDefault; /* its kinds of credentials */

    auth.cb = ask_nobody;
    return auth;
}

/* {"uri", "way" (absent: none)}: connects; {"is_local": libvirt is that of this machine} */
int verb_connect(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    const char *uri = json_text(args, "uri", "");
    const json_t *way = json_child(args, "way");
    virConnectAuth auth = verb_auth();

    if (way && take_way(c, way, err) < 0)
        return -err->code;
    c->libvirt = virConnectOpenAuth(uri, &auth, 0);
    if (!c->libvirt) {
        libvirt_error(err, c->host, "could not connect to '%s'", way ? c->way.uri : uri);
        err->code = ERROR_CONNECTION;
        return error_fix(err, "Try the same by hand: virsh -c '%s' version.", way ? c->way.uri : uri);
    }
    return json_put_flag(reply, "is_local", verb_is_local(c)) < 0 ? error_memory(err) : 0;
}

/* {"dest_host"}: of a host whose URI names none: {"hostname": as libvirt there says}, by which this worker
 * calls it from now on; {} where that would not tell the two hosts apart */
int verb_hostname(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_MEMORY char *hostname = virConnectGetHostname(c->libvirt);

    if (!survey_takes_hostname(hostname, json_text(args, "dest_host", "")))
        return 0;
    if (json_put_text(reply, "hostname", hostname) < 0)
        return error_memory(err);
    c->host = HAND_OVER(hostname);
    return 0;
}

bool verb_is_local(struct child *c)
{
    char *uri = virConnectGetURI(c->libvirt);
    const char *slashes = uri ? strstr(uri, "://") : NULL;
    bool is_local = slashes && slashes[3] == '/' && !strstr(uri, "+ext:") && !strchr(uri, '?');

    free(uri);
    return is_local;
}

static const char *config_for_driver(void *context, const char *section, const char *key)
{
    const struct child *c = context;

    return c->config ? config_get(c->config, section, key) : NULL;
}

static int journal_for_driver(void *context, const char *driver, const char *what, const char *place,
                              const char *name, const char *identity, struct error *err)
{
    struct child *c = context;
    OWNED_JSON record = json_pack("{ss ss ss ss ss ss*}", "step", "create", "host", c->host, "driver", driver,
                                  "what", what, "place", place ? place : "", "identity", identity);

    if (!record || json_put_text(record, "name", name) < 0)
        return error_memory(err);
    return child_journal(c, json_incref(record), err);
}

static int run_for_driver(void *context, struct ferry_command *command, struct error *err)
{
    return command_run(context, command, err);
}

struct call_host verb_call_host(struct child *c)
{
    return (struct call_host){ .host = c->host,
                               .libvirt = c->libvirt,
                               .config = config_for_driver,
                               .journal = journal_for_driver,
                               .run = run_for_driver,
                               .context = c };
}

static void names_of_networks(struct child *c, json_t *host)
{
    virNetworkPtr *list = NULL;
    int n = virConnectListAllNetworks(c->libvirt, &list, VIR_CONNECT_LIST_NETWORKS_ACTIVE);
    json_t *names = json_array();

    for (int i = 0; i < n; i++) {
        (void)json_array_append_new(names, json_string(virNetworkGetName(list[i])));
        (void)virNetworkFree(list[i]);
    }
    free(list);
    (void)json_put_flag(host, "has_network_list", n >= 0);
    if (n < 0)
        json_decref(names);
    else
        (void)json_put(host, "networks", names);
}

/* Bridges and other interfaces that are up; not every libvirt is built to tell. */
static void names_of_interfaces(struct child *c, json_t *host)
{
    virInterfacePtr *list = NULL;
    int n = virConnectListAllInterfaces(c->libvirt, &list, VIR_CONNECT_LIST_INTERFACES_ACTIVE);
    json_t *names = json_array();

    for (int i = 0; i < n; i++) {
        (void)json_array_append_new(names, json_string(virInterfaceGetName(list[i])));
        (void)virInterfaceFree(list[i]);
    }
    free(list);
    (void)json_put_flag(host, "has_bridge_list", n >= 0);
    if (n < 0)
        json_decref(names);
    else
        (void)json_put(host, "bridges", names);
}

/* The fastest link that is up, from the node devices: they need no shell on that host. */
static void fastest_link(struct child *c, json_t *host)
{
    virNodeDevicePtr *list = NULL;
    int n = virConnectListAllNodeDevices(c->libvirt, &list, VIR_CONNECT_LIST_NODE_DEVICES_CAP_NET);
    uint64_t fastest = 0;

    for (int i = 0; i < n; i++) {
        char *text = virNodeDeviceGetXMLDesc(list[i], 0);
        OWNED(xml) x = text ? xml_read(text) : NULL;
        OWNED_MEMORY char *speed = x ? xml_value(x, "/device/capability/link[@state='up']/@speed") : NULL;
        uint64_t mbit = speed ? strtoull(speed, NULL, 10) : 0;

        if (mbit > fastest && mbit < 10000000u)
            fastest = mbit;
        free(text);
        (void)virNodeDeviceFree(list[i]);
    }
    free(list);
    if (fastest)
        (void)json_put_u64(host, "link_bytes_per_s", fastest * 125000u);
}

static int put_versions(struct child *c, json_t *host, struct error *err)
{
    unsigned long libvirt_version, qemu_version;
    virNodeInfo node;
    const unsigned long long free_bytes = virNodeGetFreeMemory(c->libvirt); /* 0: it failed */

    if (virConnectGetLibVersion(c->libvirt, &libvirt_version) < 0 ||
        virConnectGetVersion(c->libvirt, &qemu_version) < 0 || virNodeGetInfo(c->libvirt, &node) < 0)
        return libvirt_error(err, c->host, "could not ask the host what it is");
    if (json_put_u64(host, "libvirt_version", libvirt_version) < 0 ||
        json_put_u64(host, "qemu_version", qemu_version) < 0 || json_put_u64(host, "cpus", node.cpus) < 0 ||
        json_put_u64(host, "memory_bytes", (uint64_t)node.memory * 1024u) < 0 ||
        json_put_u64(host, "memory_free_bytes", free_bytes > 0 ? free_bytes : NOT_KNOWN) < 0)
        return error_memory(err);
    return 0;
}

/* What the file of the capabilities reads, beside what stands in host already. */
static int put_capabilities(struct child *c, struct xml *capabilities, json_t *host, struct error *err)
{
    OWNED(facts) f = facts_new();
    OWNED_JSON more = NULL;

    if (!f)
        return error_memory(err);
    capabilities_of_host(c, capabilities, f->arena, &f->source);
    more = arena_failed(f->arena) ? NULL : host_to_json(&f->source);
    return !more || json_object_update_missing(host, more) < 0 ? error_memory(err) : 0;
}

/* {}: a host as facts have it, under "host" */
int verb_survey_host(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_JSON host = json_object();
    char *capabilities = virConnectGetCapabilities(c->libvirt);
    OWNED(xml) x = capabilities ? xml_read(capabilities) : NULL;
    OWNED_MEMORY char *uuid = x ? xml_value(x, "/capabilities/host/uuid") : NULL;
    OWNED_MEMORY char *hostname = virConnectGetHostname(c->libvirt);
    OWNED_MEMORY char *uri = virConnectGetURI(c->libvirt);
    const char *type = virConnectGetType(c->libvirt);

    (void)args;
    free(capabilities);
    if (!x || !hostname || !host || !type)
        return libvirt_error(err, c->host, "could not ask the host what it is");
    if (strcmp(type, "QEMU") != 0) {
        error_set(err, ERROR_REFUSED, c->host, "its hypervisor is '%s', not QEMU", type);
        return error_fix(err, "virt-ferry moves QEMU domains: give a qemu:// URI.");
    }
    if (json_put_text(host, "name", c->host) < 0 || json_put_text(host, "uuid", uuid) < 0 ||
        json_put_text(host, "hostname", hostname) < 0 ||
        json_put_text(host, "uri", c->way.driver ? c->way.uri : uri) < 0 ||
        json_put_flag(host, "is_local_socket", verb_is_local(c) || c->way.driver) < 0)
        return error_memory(err);
    if (put_versions(c, host, err) < 0)
        return -err->code;
    names_of_networks(c, host);
    names_of_interfaces(c, host);
    fastest_link(c, host);
    if (put_capabilities(c, x, host, err) < 0)
        return -err->code;
    return json_put(reply, "host", json_incref(host));
}
