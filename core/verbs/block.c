/* SPDX-License-Identifier: Apache-2.0
 * QEMU's copy of a disk while the guest writes: begun, looked at, ended in the new image or in the old one.
 * Each act is asked for by the parent after it stands in the journal. */
#include "verbs/verbs.h"

#include "base/text.h"
#include "facts/domain-xml.h"
#include "facts/location.h"
#include "verbs/xml.h"
#include "worker/serve.h"
#include <libvirt/virterror.h>
#include <stdio.h>
#include <string.h>

#define MOST_TARGET 64u

/* ---- XML of the new image ---- */

static void add_attribute(struct text *out, const char *name, const char *value)
{
    OWNED_MEMORY char *quoted = value ? xml_quoted(value) : NULL;

    if (!value)
        return;
    if (quoted)
        text_add(out, " %s='%s'", name, quoted);
    else
        out->failed = true;
}

/* "name:port", "[v6]:port", or either without its port. */
static void add_host(struct text *out, const char *host)
{
    const char *end = host[0] == '[' ? strchr(host, ']') : NULL;
    const char *name = end ? host + 1 : host;
    const size_t n = end ? (size_t)(end - name) : strcspn(host, ":");
    const char *port = end ? end + 1 : host + n;
    OWNED_TEXT alone = { 0 };

    text_add(&alone, "%.*s", (int)n, name);
    out->failed |= alone.failed;
    text_add(out, "<host");
    add_attribute(out, "name", text_of(&alone));
    if (*port == ':')
        add_attribute(out, "port", port + 1);
    text_add(out, "/>");
}

static void add_network(struct text *out, const struct disk *d)
{
    for (size_t i = 0; i < d->hosts.n; i++)
        add_host(out, d->hosts.names[i]);
    if (d->config_file) {
        text_add(out, "<config");
        add_attribute(out, "file", d->config_file);
        text_add(out, "/>");
    }
    if (d->auth_user) {
        text_add(out, "<auth");
        add_attribute(out, "username", d->auth_user);
        text_add(out, "><secret");
        add_attribute(out, "type", d->secret_type);
        add_attribute(out, d->secret_uuid ? "uuid" : "usage",
                      d->secret_uuid ? d->secret_uuid : d->secret_usage);
        text_add(out, "/></auth>");
    }
    if (d->user && d->group) {
        text_add(out, "<identity");
        add_attribute(out, "user", d->user);
        add_attribute(out, "group", d->group);
        text_add(out, "/>");
    }
}

void block_disk_xml(struct text *out, const struct disk *d)
{
    text_add(out, "<disk type='%s'><driver name='qemu'", disk_type_word(d->type));
    add_attribute(out, "type", d->format);
    text_add(out, "/><source");
    if (d->type == DISK_NETWORK)
        add_attribute(out, "protocol", d->protocol);
    add_attribute(out, d->type == DISK_FILE ? "file" : d->type == DISK_BLOCK ? "dev" : "name", d->source);
    text_add(out, ">");
    if (d->type == DISK_NETWORK)
        add_network(out, d);
    text_add(out, "</source></disk>");
}

/* ---- acts ---- */

/* {"uuid", "facts", "target", "bandwidth_bytes_per_s" (absent: none), "is_synchronous"}: begins to copy onto
 * the image at the disk's new place, which stands; {} */
int verb_block_copy(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_DOMAIN d = verb_domain(c, args, err);
    OWNED(facts) f = d ? facts_from_json(json_child(args, "facts"), err) : NULL;
    const char *target = json_text(args, "target", "");
    struct disk *disk = f ? facts_disk(f, target) : NULL;
    const uint64_t rate = json_u64(args, "bandwidth_bytes_per_s", NOT_KNOWN);
    virTypedParameterPtr params = NULL;
    unsigned flags = VIR_DOMAIN_BLOCK_COPY_REUSE_EXT | VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB;
    OWNED_TEXT xml = { 0 };
    int n = 0, max = 0, r;

    (void)reply;
    if (!f)
        return -err->code;
    if (!disk || disk->n_relocations == 0)
        return error_set(err, ERROR_INPUT, NULL, "disk '%s' has no place to go to", target);
    block_disk_xml(&xml, &disk->relocation[0]);
    if (xml.failed || (rate != NOT_KNOWN &&
                       virTypedParamsAddULLong(&params, &n, &max, VIR_DOMAIN_BLOCK_COPY_BANDWIDTH, rate) < 0))
        return error_memory(err);
#if LIBVIR_VERSION_NUMBER >= 8000000
    if (json_flag(args, "is_synchronous", false))
        flags |= VIR_DOMAIN_BLOCK_COPY_SYNCHRONOUS_WRITES;
#endif
    r = virDomainBlockCopy(d, target, text_of(&xml), params, n, flags);
    virTypedParamsFree(params, n);
    return r < 0 ? libvirt_error(err, c->host, "could not begin to copy disk '%s'", target) : 0;
}

/* {"uuid", "target"}: the guest goes on with the new image; {} */
int verb_block_pivot(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_DOMAIN d = verb_domain(c, args, err);
    const char *target = json_text(args, "target", "");

    (void)reply;
    if (!d)
        return -err->code;
    return virDomainBlockJobAbort(d, target, VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT) < 0
               ? libvirt_error(err, c->host, "could not switch disk '%s' to its new image", target)
               : 0;
}

/* {"uuid", "target"}: the guest goes on with the old image; that there is no such copy is success; {} */
int verb_block_abort(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_DOMAIN d = verb_domain(c, args, err);
    const char *target = json_text(args, "target", "");
    virDomainBlockJobInfo info;

    (void)reply;
    if (!d)
        return err->code == ERROR_ABSENT ? 0 : -err->code;
    if (virDomainIsActive(d) != 1 || virDomainGetBlockJobInfo(d, target, &info, 0) == 0)
        return 0;
    if (virDomainBlockJobAbort(d, target, 0) < 0 && virDomainIsActive(d) == 1 &&
        virDomainGetBlockJobInfo(d, target, &info, 0) != 0)
        return libvirt_error(err, c->host, "could not end the copy of disk '%s'", target);
    return 0;
}

/* ---- looks ---- */

static char *value_of(struct xml *x, const char *target, const char *rest)
{
    char path[256];

    if (strpbrk(target, "'\"") || strlen(target) > MOST_TARGET ||
        (size_t)snprintf(path, sizeof path, "/domain/devices/disk[target/@dev='%s']/%s", target, rest) >=
            sizeof path)
        return NULL;
    return xml_value(x, path);
}

/* Where the disk is by this XML, as a location. */
static int put_place(json_t *to, const char *key, const char *xml, const char *target, struct error *err)
{
    OWNED(facts) f = facts_new();
    struct location l;
    struct disk *d;
    const char *text;

    if (!f)
        return error_memory(err);
    if (domain_xml_read(f, xml, err) < 0)
        return -err->code;
    d = facts_disk(f, target);
    if (!d)
        return 0;
    l = location_of_disk(d);
    text = location_text(f->arena, &l);
    return text && json_put_text(to, key, text) < 0 ? error_memory(err) : 0;
}

static int put_mirror(json_t *to, const char *xml, const char *target, struct error *err)
{
    OWNED(xml) x = xml_read(xml);
    OWNED_MEMORY char *ready = x ? value_of(x, target, "mirror/@ready") : NULL;
    OWNED_MEMORY char *type = x ? value_of(x, target, "mirror/@type") : NULL;
    OWNED_MEMORY char *file = x ? value_of(x, target, "mirror/source/@file") : NULL;
    OWNED_MEMORY char *dev = x ? value_of(x, target, "mirror/source/@dev") : NULL;
    OWNED_MEMORY char *name = x ? value_of(x, target, "mirror/source/@name") : NULL;

    if (!x)
        return error_set(err, ERROR_INPUT, NULL, "the domain's XML could not be read");
    if (!type)
        return 0;
    return json_put_text(to, "mirror",
                         file   ? file
                         : dev  ? dev
                         : name ? name
                                : "?") < 0 ||
                   json_put_flag(to, "is_ready", text_equal(ready, "yes")) < 0
               ? error_memory(err)
               : 0;
}

static int look_at_disk(struct child *c, virDomainPtr d, const char *target, bool is_brief, json_t *to,
                        struct error *err)
{
    virDomainBlockJobInfo info = { .type = 0 };
    const int has_job = virDomainGetBlockJobInfo(d, target, &info, 0);
    OWNED_MEMORY char *live = NULL;
    OWNED_MEMORY char *config = NULL;

    if (has_job < 0)
        return libvirt_error(err, c->host, "could not ask for the copy of disk '%s'", target);
    if (json_put_text(to, "target", target) < 0 || json_put_flag(to, "has_job", has_job == 1) < 0 ||
        (has_job == 1 &&
         (json_put_u64(to, "done_bytes", info.cur) < 0 || json_put_u64(to, "total_bytes", info.end) < 0)))
        return error_memory(err);
    if (is_brief && has_job == 1 && (info.cur < info.end || info.end == 0))
        return 0;
    live = virDomainGetXMLDesc(d, 0);
    if (!live)
        return libvirt_error(err, c->host, "could not read the domain's XML");
    if (put_place(to, "place", live, target, err) < 0 || put_mirror(to, live, target, err) < 0)
        return -err->code;
    if (is_brief || virDomainIsPersistent(d) != 1)
        return 0;
    config = virDomainGetXMLDesc(d, VIR_DOMAIN_XML_INACTIVE);
    return config ? put_place(to, "config_place", config, target, err)
                  : libvirt_error(err, c->host, "could not read the domain's definition");
}

/* Of one that is off: where it will find its disk when it starts. */
static int look_at_definition(struct child *c, virDomainPtr d, const char *target, json_t *to,
                              struct error *err)
{
    OWNED_MEMORY char *config = virDomainGetXMLDesc(d, VIR_DOMAIN_XML_INACTIVE);

    if (!config)
        return libvirt_error(err, c->host, "could not read the domain's definition");
    if (json_put_text(to, "target", target) < 0)
        return error_memory(err);
    return put_place(to, "config_place", config, target, err);
}

/* {"uuid", "targets", "is_brief"}: "present", "is_active", and of each target in "disks": "has_job",
 * "done_bytes", "total_bytes"; and, where it is not brief or the copy may be ready: "place" and
 * "config_place" as locations, "mirror" (a name), "is_ready" */
int verb_block_look(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_DOMAIN d = verb_domain(c, args, err);
    json_t *list = json_array();
    bool is_active;
    size_t i;
    const json_t *target;

    if (json_put(reply, "disks", list) < 0)
        return error_memory(err);
    if (!d && err->code == ERROR_ABSENT)
        return json_put_flag(reply, "present", false);
    if (!d)
        return -err->code;
    is_active = virDomainIsActive(d) == 1;
    if (json_put_flag(reply, "present", true) < 0 || json_put_flag(reply, "is_active", is_active) < 0)
        return error_memory(err);
    json_array_foreach(json_child(args, "targets"), i, target)
    {
        json_t *one = json_object();

        if (!one || json_array_append_new(list, one) < 0)
            return error_memory(err);
        if ((is_active
                 ? look_at_disk(c, d, json_string_value(target), json_flag(args, "is_brief", false), one, err)
                 : look_at_definition(c, d, json_string_value(target), one, err)) < 0)
            return -err->code;
    }
    return 0;
}
