/* SPDX-License-Identifier: Apache-2.0
 * Does a file system enforce QEMU's lock between two hosts? A paused domain of ours holds an empty file on
 * one, and the other must be refused it. Both go away with what the nonce made. */
#include "verbs/verbs.h"

#include "base/name.h"
#include "base/text.h"
#include "verbs/xml.h"
#include "worker/serve.h"
#include <libvirt/virterror.h>
#include <stdio.h>
#include <string.h>

#define NAME_SIZE 48
#define MEMORY_MIB 16

static int domain_xml(const json_t *args, const char *name, struct text *xml, struct error *err)
{
    OWNED_MEMORY char *type = xml_quoted(json_text(args, "type", "qemu"));
    OWNED_MEMORY char *arch = xml_quoted(json_text(args, "arch", "x86_64"));
    OWNED_MEMORY char *path = xml_quoted(json_text(args, "path", ""));

    if (!type || !arch || !path)
        return error_memory(err);
    text_add(
        xml,
        "<domain type='%s'><name>%s</name><memory unit='MiB'>%u</memory><os><type arch='%s'>hvm</type></os>"
        "<devices><disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='%s'/>"
        "<target dev='vda' bus='virtio'/></disk><controller type='usb' model='none'/>"
        "<memballoon model='none'/></devices></domain>",
        type, name, MEMORY_MIB, arch, path);
    return xml->failed ? error_memory(err) : 0;
}

/* NULL: it was not started, and libvirt's last error says why; err is set where it was not even asked. */
static virDomainPtr start(struct child *c, const json_t *args, char name[NAME_SIZE], struct error *err)
{
    char hex[33];
    OWNED_TEXT xml = { 0 };

    if (name_random_hex(hex, 16, err) < 0)
        return NULL;
    (void)snprintf(name, NAME_SIZE, NONCE_PREFIX "%s", hex);
    if (domain_xml(args, name, &xml, err) < 0 ||
        child_journal(c, nonce_record(c, "domain", json_text(args, "path", ""), name), err) < 0)
        return NULL;
    return virDomainCreateXML(c->libvirt, text_of(&xml),
                              VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY);
}

/* {"path", "type", "arch"}: has a domain open that file; {"name": the domain's} */
int verb_lock_hold(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    char name[NAME_SIZE];
    OWNED_DOMAIN d = start(c, args, name, err);

    if (!d)
        return err->code ? -err->code : libvirt_error(err, c->host, "could not start a domain for the lock");
    return json_put_text(reply, "name", name) < 0 ? error_memory(err) : 0;
}

/* QEMU's own words, and those of libvirt's lock managers. */
static bool is_about_a_lock(const virError *e)
{
    return e && e->message &&
           (strstr(e->message, "Failed to get \"write\" lock") ||
            strstr(e->message, "Failed to acquire lock") || strstr(e->message, "resource busy"));
}

/* {"path", "type", "arch"}: "is_refused": a domain here could not open the file, since it is locked. What
 * failed for another reason is an error. */
int verb_lock_try(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    char name[NAME_SIZE];
    OWNED_DOMAIN d = start(c, args, name, err);

    if (!d && err->code)
        return -err->code;
    if (!d && !is_about_a_lock(virGetLastError()))
        return libvirt_error(err, c->host, "could not try the lock");
    if (d && virDomainDestroy(d) < 0)
        return libvirt_error(err, c->host, "could not end domain '%s'", name);
    return json_put_flag(reply, "is_refused", !d) < 0 ? error_memory(err) : 0;
}

/* {"name"}: ends what lock-hold started; what is gone is no error; {} */
int verb_lock_release(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    const char *name = json_text(args, "name", "");
    OWNED_DOMAIN d = text_starts(name, NONCE_PREFIX) ? virDomainLookupByName(c->libvirt, name) : NULL;

    (void)reply;
    return d && virDomainDestroy(d) < 0 ? libvirt_error(err, c->host, "could not end domain '%s'", name) : 0;
}
