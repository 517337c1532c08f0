/* SPDX-License-Identifier: Apache-2.0
 * Rules about the domain, its devices and the two hosts, whatever the strategy.
 * In line with what libvirt 9.0 itself refuses; a rule here says it before anything was begun. */
#include "facts/map.h"
#include "plan/rules.h"
#include <string.h>
#include <strings.h>

static const char *check_same_host(struct rule_case *c)
{
    const struct facts *f = c->facts;

    if (!f->source.uuid || !f->dest.uuid || strcasecmp(f->source.uuid, f->dest.uuid) != 0)
        return NULL;
    return SAY("source and destination are the same host, uuid '%s'", f->source.uuid);
}

static const char *check_name_taken(struct rule_case *c)
{
    if (!c->facts->dest.has_same_name)
        return NULL;
    c->fix =
        SAY("Look at it with 'virsh -c URI dominfo %s' on the destination; rename it, or undefine it if it "
            "is a left-over.",
            rules_command_word(c->facts->domain.name, "DOMAIN"));
    return SAY("a domain with the name or the uuid of '%s' stands on the destination already",
               rules_name(c->facts->domain.name));
}

static const char *check_not_running(struct rule_case *c)
{
    switch (c->facts->domain.run) {
    case RUN_RUNNING:
    case RUN_PAUSED:
    case RUN_SHUTOFF: /* its definition can move */
        return NULL;
    case RUN_NOT_KNOWN:
        break;
    }
    return SAY("the state of domain '%s' is not known", rules_name(c->facts->domain.name));
}

/* QEMU before 10.0 keeps the disks of a guest that arrived paused inactive until it runs, and ends in an
 * assertion when it is to hand them over once more: the guest's memory is lost. Seen with 7.2. */
static const char *check_paused_arrival(struct rule_case *c)
{
    const struct domain *d = &c->facts->domain;
    uint64_t qemu = c->facts->source.qemu_version;

    if (d->run != RUN_PAUSED || d->ran_here != TRI_NO || (qemu != NOT_KNOWN && qemu >= 10000000u))
        return NULL;
    return SAY("domain '%s' is paused and has not run on this host, and its QEMU would end when it is moved",
               rules_name(d->name));
}

static const char *check_managed(struct rule_case *c)
{
    if (!c->facts->domain.manager || c->limits->force_managed)
        return NULL;
    return SAY("domain '%s' is managed by %s", rules_name(c->facts->domain.name), c->facts->domain.manager);
}

static const char *check_managed_forced(struct rule_case *c)
{
    if (!c->facts->domain.manager || !c->limits->force_managed)
        return NULL;
    return SAY("domain '%s' is managed by %s, which will not know of the move",
               rules_name(c->facts->domain.name), c->facts->domain.manager);
}

static const char *check_job(struct rule_case *c)
{
    if (!c->facts->domain.job)
        return NULL;
    return SAY("domain '%s' has a job in progress: %s", rules_name(c->facts->domain.name),
               c->facts->domain.job);
}

static const char *check_managed_save(struct rule_case *c)
{
    if (!c->facts->domain.has_managed_save)
        return NULL;
    c->fix = SAY("Remove it if it is no longer wanted: virsh managedsave-remove %s",
                 rules_command_word(c->facts->domain.name, "DOMAIN"));
    return SAY("domain '%s' has a managed-save image on the source", rules_name(c->facts->domain.name));
}

static const char *check_snapshots(struct rule_case *c)
{
    if (!c->facts->domain.has_snapshots)
        return NULL;
    c->fix = SAY("List them with 'virsh snapshot-list %s'; delete them, or their metadata alone with "
                 "'virsh snapshot-delete --metadata'.",
                 rules_command_word(c->facts->domain.name, "DOMAIN"));
    return SAY("domain '%s' has snapshots", rules_name(c->facts->domain.name));
}

static const char *check_checkpoints(struct rule_case *c)
{
    return c->facts->domain.has_checkpoints
               ? SAY("domain '%s' has checkpoints", rules_name(c->facts->domain.name))
               : NULL;
}

static const char *check_autostart(struct rule_case *c)
{
    return c->facts->domain.autostart == TRI_YES
               ? SAY("domain '%s' starts with its host", rules_name(c->facts->domain.name))
               : NULL;
}

static const char *check_memory(struct rule_case *c)
{
    const uint64_t need = c->facts->domain.memory_bytes, room = c->facts->dest.memory_free_bytes;

    if (need == NOT_KNOWN || room == NOT_KNOWN || room >= need)
        return NULL;
    return SAY("the destination has %s of memory free, domain '%s' needs %s", SIZE_TEXT(room),
               rules_name(c->facts->domain.name), SIZE_TEXT(need));
}

static const char *check_memory_not_known(struct rule_case *c)
{
    if (c->facts->domain.memory_bytes != NOT_KNOWN && c->facts->dest.memory_free_bytes != NOT_KNOWN)
        return NULL;
    return SAY("whether the destination has memory enough is not known");
}

static const char *check_older_qemu(struct rule_case *c)
{
    const uint64_t from = c->facts->source.qemu_version, to = c->facts->dest.qemu_version;

    if (from == NOT_KNOWN || to == NOT_KNOWN || to >= from)
        return NULL;
    return SAY("the destination's QEMU %u.%u is older than the source's %u.%u", (unsigned)(to / 1000000),
               (unsigned)(to / 1000 % 1000), (unsigned)(from / 1000000), (unsigned)(from / 1000 % 1000));
}

static const char *check_cpu(struct rule_case *c)
{
    const char *mode = c->facts->domain.cpu_mode;

    if (!text_equal(mode, "host-passthrough") && !text_equal(mode, "maximum"))
        return NULL;
    return SAY("the guest sees the source's own processor (CPU mode '%s')", mode);
}

static const char *mapped(struct rule_case *c, const char *path)
{
    return map_path(c->arena, c->facts->maps, c->facts->n_maps, path);
}

static const char *check_direct_boot(struct rule_case *c)
{
    const struct domain *d = &c->facts->domain;

    if (!d->kernel && !d->initrd)
        return NULL;
    return SAY("the domain boots from '%s', which the destination must have too",
               mapped(c, d->kernel ? d->kernel : d->initrd));
}

static const char *check_firmware(struct rule_case *c)
{
    if (!c->facts->domain.loader)
        return NULL;
    return SAY("the domain's firmware '%s' must stand on the destination too",
               mapped(c, c->facts->domain.loader));
}

static const char *check_interface_tied(struct rule_case *c)
{
    const char *type = c->interface->type;

    if (!text_equal(type, "hostdev") && !text_equal(type, "vdpa"))
        return NULL;
    return SAY("an interface of type '%s' is a device of the source", type);
}

static bool detail_has(const struct device *d, const char *word)
{
    return d->detail && strcasestr(d->detail, word);
}

/* A passed-through TPM is spoken of by "device-tied". */
static const char *check_tpm(struct rule_case *c)
{
    const struct domain *d = &c->facts->domain;

    for (size_t i = 0; i < d->n_devices; i++)
        if (text_equal(d->devices[i].kind, "tpm") && detail_has(&d->devices[i], "passthrough"))
            return NULL;
    return d->has_tpm ? SAY("the state of the domain's TPM moves with it") : NULL;
}

/* Kinds whose state or link cannot follow. An emulated TPM does follow, as do channels that libvirt opens. */
static bool device_cannot_move(const struct device *d)
{
    static const char *const kinds[] = { "hostdev", "filesystem", "shmem", "nvdimm", "vdpa" };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (text_equal(d->kind, kinds[i]))
            return true;
    if (text_equal(d->kind, "memory"))
        return detail_has(d, "nvdimm") || detail_has(d, "virtio-pmem");
    return (text_equal(d->kind, "tpm") || text_equal(d->kind, "input")) && detail_has(d, "passthrough");
}

static const char *device_text(const struct rule_case *c)
{
    const struct device *d = c->device;

    if (d->detail)
        return SAY("'%s' (%s)", rules_name(d->kind), d->detail);
    return SAY("'%s'", rules_name(d->kind));
}

static const char *check_device(struct rule_case *c)
{
    if (!device_cannot_move(c->device))
        return NULL;
    return SAY("device %s ties the domain to the source", rules_name(device_text(c)));
}

static const char *check_device_warns(struct rule_case *c)
{
    /* An emulated TPM is spoken of by "tpm-state". */
    if (device_cannot_move(c->device) || text_equal(c->device->kind, "tpm"))
        return NULL;
    return SAY("device %s may not find on the destination what it has on the source",
               rules_name(device_text(c)));
}

static const struct rule rows[] = {
    { .id = "domain-not-running",
      .severity = REFUSES,
      .scope = PER_MOVE,
      .about = ABOUT_SOURCE,
      .check = check_not_running,
      .cause = "A domain whose state is not known cannot be moved.",
      .fix = "Look at it with 'virsh domstate DOMAIN'." },
    { .id = "paused-arrival",
      .severity = REFUSES,
      .scope = PER_MOVE,
      .about = ABOUT_SOURCE,
      .check = check_paused_arrival,
      .cause = "A guest that arrived paused, or was started paused, and has not run since: QEMU before 10.0 "
               "ends in an assertion when it is moved, and its memory is lost.",
      .fix = "Let it run until it used a disk or a network: virsh resume DOMAIN; then suspend it again, or "
             "move it running." },
    { .id = "job-in-progress",
      .severity = REFUSES,
      .scope = PER_MOVE,
      .about = ABOUT_SOURCE,
      .check = check_job,
      .cause =
          "A migration, block copy, backup or dump is at work on the domain; libvirt allows one at a time.",
      .fix =
          "Wait for it, or look at it with 'virsh domjobinfo DOMAIN' and end it with 'virsh domjobabort'." },
    { .id = "managed-domain",
      .severity = REFUSES,
      .scope = PER_MOVE,
      .check = check_managed,
      .cause = "Another manager owns the domain. A move behind its back may make it start the guest twice.",
      .fix = "Move it with that manager, or pass --force-managed if that manager is no longer in charge." },
    { .id = "managed-domain-forced",
      .severity = WARNS,
      .scope = PER_MOVE,
      .check = check_managed_forced,
      .cause = "The domain bears another manager's mark, and --force-managed was given.",
      .fix = "Make sure that the manager cannot start the domain on the source again." },
    { .id = "managed-save",
      .severity = REFUSES,
      .scope = PER_MOVE,
      .about = ABOUT_SOURCE,
      .check = check_managed_save,
      .cause = "A managed-save image would start an old state of the guest from the source later.",
      .fix = "Remove it if it is no longer wanted: virsh managedsave-remove DOMAIN" },
    { .id = "snapshots",
      .severity = REFUSES,
      .scope = PER_MOVE,
      .about = ABOUT_SOURCE,
      .check = check_snapshots,
      .cause = "libvirt does not move a domain that has snapshots to another host.",
      .fix = "Delete the snapshots, or their metadata alone." },
    { .id = "checkpoints",
      .severity = WARNS,
      .scope = PER_MOVE,
      .about = ABOUT_SOURCE,
      .check = check_checkpoints,
      .cause = "Checkpoints are known to the source's libvirt alone and do not move.",
      .fix = "Let the next backup after the move be a full one." },
    { .id = "autostart",
      .severity = NOTES,
      .scope = PER_MOVE,
      .about = ABOUT_SOURCE,
      .check = check_autostart,
      .cause = "Autostart is switched off at the source before the move, and on at the destination after it; "
               "if the move is undone, on again at the source." },
    { .id = "same-host",
      .of_pair = true,
      .severity = REFUSES,
      .scope = PER_MOVE,
      .check = check_same_host,
      .cause = "Both connections lead to the same host; a domain cannot be moved onto itself.",
      .fix = "Check the names or URIs of the two hosts. Cloned hosts may share a uuid: set host_uuid in "
             "/etc/libvirt/libvirtd.conf of one." },
    { .id = "name-taken",
      .severity = REFUSES,
      .scope = PER_MOVE,
      .about = ABOUT_DEST,
      .check = check_name_taken,
      .cause = "The destination has a domain of the same name or uuid, defined or running.",
      .fix = "Rename it, or undefine it if it is a left-over." },
    { .id = "destination-memory",
      .severity = REFUSES,
      .scope = PER_MOVE,
      .about = ABOUT_DEST,
      .check = check_memory,
      .cause = "The destination has less free memory than the domain may use.",
      .fix = "Free memory there, choose another host, or shrink the domain with 'virsh setmem'." },
    { .id = "destination-memory-not-known",
      .severity = NOTES,
      .scope = PER_MOVE,
      .about = ABOUT_DEST,
      .check = check_memory_not_known,
      .cause = "The free memory of the destination or the size of the domain could not be read." },
    { .id = "older-destination",
      .of_pair = true,
      .severity = WARNS,
      .scope = PER_MOVE,
      .about = ABOUT_DEST,
      .check = check_older_qemu,
      .cause = "An older QEMU may lack the machine type or refuse the state of a device.",
      .fix = "Check that the machine type is listed by 'virsh domcapabilities' there." },
    { .id = "cpu-of-source",
      .severity = WARNS,
      .scope = PER_MOVE,
      .check = check_cpu,
      .cause = "With CPU mode host-passthrough or maximum the guest may use what the destination's processor "
               "lacks.",
      .fix = "Move between equal processors only, or give the domain a CPU model that both have." },
    { .id = "direct-boot",
      .severity = NOTES,
      .scope = PER_MOVE,
      .about = ABOUT_DEST,
      .check = check_direct_boot,
      .cause = "Kernel and initrd of a direct boot are files of the host and do not move.",
      .fix =
          "Put the same files at the same path on the destination, or name another: --map-storage FROM=TO." },
    { .id = "firmware",
      .severity = NOTES,
      .scope = PER_MOVE,
      .about = ABOUT_DEST,
      .check = check_firmware,
      .cause = "The firmware image is a file of the host; its variables move with the guest's state.",
      .fix = "Install the same firmware package on the destination." },
    { .id = "tpm-state",
      .severity = NOTES,
      .scope = PER_MOVE,
      .check = check_tpm,
      .cause = "An emulated TPM's state is sent by swtpm, which the destination needs too.",
      .fix = "Install swtpm of at least the same version on the destination." },
    { .id = "interface-tied",
      .severity = REFUSES,
      .scope = PER_INTERFACE,
      .about = ABOUT_SOURCE,
      .check = check_interface_tied,
      .cause = "A passed-through network device cannot follow the guest.",
      .fix = "Detach the interface with 'virsh detach-interface' and attach one on the destination after the "
             "move." },
    { .id = "device-tied",
      .severity = REFUSES,
      .scope = PER_DEVICE,
      .about = ABOUT_SOURCE,
      .check = check_device,
      .cause =
          "Host devices, shared folders, shared memory, NVDIMMs and passed-through TPMs or input devices "
          "belong to the host; QEMU or libvirt refuses to move them.",
      .fix =
          "Detach the device with 'virsh detach-device' and attach one on the destination after the move." },
    { .id = "device-host-side",
      .severity = WARNS,
      .scope = PER_DEVICE,
      .about = ABOUT_DEST,
      .check = check_device_warns,
      .cause = "The device has a side on the host (a socket, a file, a redirection) that does not move.",
      .fix = "Make sure that the destination has the same, or that the guest can do without." },
};

const struct rule_set rules_domain = { "The domain and the two hosts", rows, sizeof rows / sizeof rows[0] };
