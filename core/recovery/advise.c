/* SPDX-License-Identifier: Apache-2.0
 * What an operator does where the table may not: step by step, with the commands, in the order in which they
 * are safe. Each way ends with the recovery that closes the run. */
#include "recovery/settle.h"

int advise_gone(const struct move *m, bool was_postcopy, struct error *err)
{
    const char *source = m->survey.source_host, *dest = m->survey.dest_host;

    if (m->is_dead[0] || m->is_dead[1])
        return advise_dead(m, err);
    if (was_postcopy)
        return error_fix(
            err,
            "%s1. Look at what is left of it on both hosts: virsh domstate --reason. 2. End that: "
            "virsh destroy. 3. Its newest writes are on its disks at '%s', whole up to the last "
            "one: start it there; where it is not defined, define it from virsh dumpxml "
            "--inactive at '%s'. 4. At '%s' undefine it: virsh undefine --keep-nvram. 5. Run "
            "virt-ferry recover: it closes run %s.",
            m->dest_is_mute ? "Where QEMU there is only stopped (ps: state T), let it go on and run "
                              "virt-ferry recover. Else: "
                            : "",
            dest, source, source, m->run);
    if (m->is_offline)
        return error_fix(err,
                         "1. Look on both hosts: virsh list --all. 2. Where it is on neither, define it at "
                         "'%s' anew, from a backup of its definition; its disks are untouched. 3. Run "
                         "virt-ferry recover: it closes run %s.",
                         source, m->run);
    return error_fix(
        err,
        "1. See that it still runs on neither: virsh domstate --reason at '%s' and at '%s'. 2. See "
        "in /var/log/libvirt/qemu at '%s' whether it ran there. 3. Start it there if it did, since "
        "its newest writes are there, else at '%s': on one host only. 4. Undefine it on the other: "
        "virsh undefine --keep-nvram. 5. Run virt-ferry recover: it closes run %s.",
        source, dest, dest, source, m->run);
}

int advise_unheard(const struct move *m, struct error *err)
{
    return error_fix(
        err,
        "At '%s', as root, with the address of '%s' for SOURCE: ss -tK 'dst SOURCE and sport >= "
        ":49152 and sport <= :49215': QEMU there then knows that its connection is gone, and the "
        "halves are joined; by virt-ferry recover %s where the run has ended.",
        m->survey.dest_host, m->survey.source_host, m->run);
}

int advise_hung(const struct move *m, struct error *err)
{
    return error_fix(
        err,
        "When both hosts answer again: virt-ferry recover %s. Where '%s' is up and its job does not end "
        "within two minutes, QEMU there waits over a connection whose other end is gone: as root, with the "
        "address of '%s' for DEST: ss -tK 'dst DEST and dport >= :49152 and dport <= :49215'. The guest then "
        "goes on there.",
        m->run, m->survey.source_host, m->survey.dest_host);
}

int advise_waits(const struct move *m, struct error *err)
{
    const char *source = m->survey.source_host, *dest = m->survey.dest_host;

    return error_fix(
        err,
        "1. See at '%s' how it ended there last: /var/log/libvirt/qemu/%s.log. 2. Where that is "
        "'reason=migrated', all of it is at '%s': virsh resume there. Else it may have run on: end "
        "what waits at '%s' (virsh destroy, virsh undefine --keep-nvram), then virsh start at "
        "'%s'. 3. Run virt-ferry recover: it closes run %s.",
        source, m->name, dest, dest, source, m->run);
}

/* It runs at the source, and is off at the destination. */
static int advise_off_there(const struct move *m, struct error *err)
{
    const char *source = m->survey.source_host, *dest = m->survey.dest_host;

    return error_fix(
        err,
        "1. See at '%s' how it ended there last: /var/log/libvirt/qemu/%s.log. 2. Where that is "
        "'reason=failed', or it was ended before it ran, undefine it there: virsh undefine --keep-nvram. "
        "Else it has run on both: end it at '%s' too (virsh destroy), check its disks, start it on one host "
        "and undefine it on the other. 3. Run virt-ferry recover: it closes run %s.",
        dest, m->name, source, m->run);
}

/* It waits at the source, and is off at the destination. */
static int advise_off_unproved(const struct move *m, struct error *err)
{
    const char *source = m->survey.source_host, *dest = m->survey.dest_host;

    return error_fix(
        err,
        "1. See at '%s' how it ended there last: /var/log/libvirt/qemu/%s.log. 2. Where that is "
        "'reason=shutdown' or 'reason=crashed', or it was ended after it ran, its newest writes are there: "
        "end what waits at '%s' (virsh destroy, virsh undefine --keep-nvram), then virsh start at '%s'. Else "
        "virsh undefine --keep-nvram at '%s', then virsh resume at '%s'. 3. Run virt-ferry recover: it "
        "closes run %s.",
        dest, m->name, source, dest, dest, source, m->run);
}

static int advise_rebooted(const struct move *m, struct error *err)
{
    const char *source = m->survey.source_host, *dest = m->survey.dest_host;

    return error_fix(
        err,
        "1. See at '%s' whether it ran there before that host started anew: "
        "/var/log/libvirt/qemu/%s.log. 2. Where it did, what waits at '%s' is older than its disks: end that "
        "(virsh destroy), then virsh start, at '%s' where a disk was copied, else at '%s'. Where it did not: "
        "virsh resume at '%s'. 3. Undefine it on the other host: virsh undefine --keep-nvram. 4. Run "
        "virt-ferry recover: it closes run %s.",
        dest, m->name, source, dest, source, source, m->run);
}

static int advise_halves(const struct move *m, struct error *err)
{
    const char *source = m->survey.source_host, *dest = m->survey.dest_host;

    return error_fix(
        err,
        "See the link between '%s' and '%s'; when it carries again: virt-ferry recover %s. To give up its "
        "memory instead: 1. virsh destroy on both hosts. 2. virsh start at '%s', where its newest writes "
        "are; where it is not defined, define it from virsh dumpxml --inactive at '%s'. 3. At '%s' virsh "
        "undefine --keep-nvram. 4. Run virt-ferry recover: it closes the run.",
        source, dest, m->run, dest, source, source);
}

int advise_row(const struct move *m, struct error *err)
{
    static const struct {
        const char *row;
        int (*advise)(const struct move *m, struct error *err);
    } rows[] = {
        { "off-there", advise_off_there }, { "off-unproved", advise_off_unproved },
        { "rebooted", advise_rebooted },   { "held-unproved", advise_waits },
        { "incomplete", advise_waits },    { "postcopy-split", advise_halves },
        { "postcopy-cut", advise_halves },
    };

    for (size_t i = 0; m->row && i < sizeof rows / sizeof *rows; i++)
        if (text_equal(m->row->name, rows[i].row))
            return rows[i].advise(m, err);
    return error_fix(err, "When both hosts answer again: virt-ferry recover %s.", m->run);
}

int advise_dead(const struct move *m, struct error *err)
{
    const bool is_dest = m->is_dead[1];
    const char *dead = is_dest ? m->survey.dest_host : m->survey.source_host;
    const char *other = is_dest ? m->survey.source_host : m->survey.dest_host;

    if (m->is_dead[0] && m->is_dead[1])
        return error_fix(err, "When one of the hosts is back: virt-ferry recover %s.", m->run);
    return error_fix(err,
                     "It may have run on '%s' before that host died, so what is left of its memory on '%s' "
                     "is not started. "
                     "Where no disk was being copied: 1. At '%s': virsh destroy. 2. There, virsh start, "
                     "which boots it from "
                     "its disks as after a power cut. 3. virt-ferry recover --host-is-dead '%s' %s closes "
                     "the run. Where a "
                     "disk was copied, its newest writes may be on '%s': get that host's disks back first.",
                     dead, other, other, dead, m->run, dead);
}
