/* SPDX-License-Identifier: Apache-2.0
 * Rules about what the destination has to offer: processor, machine type, pages, networks, pools, secrets,
 * ports. What could not be read there is no reason to refuse; where that matters, a note says so. */
#include "facts/cpuset.h"
#include "plan/rules.h"
#include <string.h>
#include <strings.h>

static bool names_hold(const struct finding_refs *refs, const char *name)
{
    for (size_t i = 0; i < refs->n; i++)
        if (text_equal(refs->names[i], name))
            return true;
    return false;
}

/* "br1, br2", the first few; NULL when there are none. */
static const char *names_text(struct rule_case *c, const struct finding_refs *refs)
{
    OWNED_TEXT t = { 0 };

    for (size_t i = 0; i < refs->n && i < 6; i++)
        text_add(&t, "%s%s", i ? ", " : "", refs->names[i]);
    if (refs->n > 6)
        text_add(&t, " and %zu more", refs->n - 6);
    return t.len && !t.failed ? SAY("%s", text_of(&t)) : NULL;
}

/* ---- processor and machine ---- */

/* libvirt names the features behind a colon; without one its own words must do. */
static const char *check_cpu(struct rule_case *c)
{
    static const char words[] = "required features: ";
    const char *why = c->facts->dest.cpu_why, *names = why ? strstr(why, words) : NULL;

    if (c->facts->dest.suits_cpu != TRI_NO)
        return NULL;
    if (names)
        return SAY("the destination's processor lacks what the guest was given: %s",
                   names + sizeof words - 1);
    return SAY("the destination's processor cannot stand in for the source's: %s", rules_name(why));
}

static const char *check_machine(struct rule_case *c)
{
    const struct host *d = &c->facts->dest;

    if (d->knows_machine != TRI_NO)
        return NULL;
    return SAY("machine type '%s' cannot run there: %s", rules_name(c->facts->domain.machine),
               rules_name(d->machine_why));
}

/* libvirt refuses it too, unless the XML fixes the frequency, which facts do not know. */
static const char *check_invtsc(struct rule_case *c)
{
    return names_hold(&c->facts->domain.cpu_requires, "invtsc")
               ? SAY("the guest was promised a clock of constant rate (CPU feature 'invtsc')")
               : NULL;
}

static const char *outside(struct rule_case *c, const char *wanted, const char *there)
{
    struct cpuset want = { 0 }, have = { 0 }, left;
    const char *text;

    if (!cpuset_add(&want, wanted) || !cpuset_add(&have, there))
        return NULL;
    left = cpuset_without(&want, &have);
    if (cpuset_is_empty(&left) || c->is_brief)
        return cpuset_is_empty(&left) ? NULL : "";
    text = cpuset_text(c->arena, &left);
    return text ? text : "of many numbers";
}

/* Apart, since the sets above are large: most domains are bound to nothing. */
static const char *outside_of(struct rule_case *c, const char *wanted, const char *there)
{
    return wanted && there ? outside(c, wanted, there) : NULL;
}

static const char *check_pinned(struct rule_case *c)
{
    const char *left = outside_of(c, c->facts->domain.pinned_cpus, c->facts->dest.cpu_ids);

    if (!left)
        return NULL;
    c->fix = SAY("Bind it to what both hosts have: virsh vcpupin %s VCPU %s (and emulatorpin, iothreadpin).",
                 rules_command_word(c->facts->domain.name, "DOMAIN"), c->facts->dest.cpu_ids);
    return SAY("domain '%s' is bound to processors %s, which the destination lacks (it has %s)",
               rules_name(c->facts->domain.name), left, c->facts->dest.cpu_ids);
}

static const char *check_nodes(struct rule_case *c)
{
    const char *left = outside_of(c, c->facts->domain.numa_nodes, c->facts->dest.node_ids);

    if (!left)
        return NULL;
    return SAY("domain '%s' has its memory on NUMA nodes %s, which the destination lacks (it has %s)",
               rules_name(c->facts->domain.name), left, c->facts->dest.node_ids);
}

/* ---- huge pages ---- */

/* Of the size that the domain names; without one, of the host's only size. NULL: cannot be said. */
static const struct pages *pages_for(const struct facts *f)
{
    const struct host *d = &f->dest;

    if (f->domain.hugepage_bytes == NOT_KNOWN)
        return d->n_pages == 1 ? &d->pages[0] : NULL;
    for (size_t i = 0; i < d->n_pages; i++)
        if (d->pages[i].size_bytes == f->domain.hugepage_bytes)
            return &d->pages[i];
    return NULL;
}

static bool lacks_page_size(const struct facts *f)
{
    return f->domain.hugepage_bytes != NOT_KNOWN && f->dest.n_pages > 0 && !pages_for(f);
}

static const char *check_hugepages_missing(struct rule_case *c)
{
    const struct facts *f = c->facts;
    const struct pages *p = pages_for(f);
    uint64_t room;

    if (!f->domain.has_hugepages)
        return NULL;
    if (lacks_page_size(f))
        return SAY("the destination has no huge pages of %s", SIZE_TEXT(f->domain.hugepage_bytes));
    if (!p || p->free == NOT_KNOWN || p->size_bytes == NOT_KNOWN || f->domain.memory_bytes == NOT_KNOWN)
        return NULL;
    if (__builtin_mul_overflow(p->free, p->size_bytes, &room) || room >= f->domain.memory_bytes)
        return NULL;
    return SAY("the destination has %s in free huge pages of %s, domain '%s' needs %s", SIZE_TEXT(room),
               SIZE_TEXT(p->size_bytes), rules_name(f->domain.name), SIZE_TEXT(f->domain.memory_bytes));
}

static const char *check_hugepages(struct rule_case *c)
{
    if (!c->facts->domain.has_hugepages || pages_for(c->facts) || lacks_page_size(c->facts))
        return NULL;
    return SAY("the domain's memory is of huge pages, and how many are free on the destination is not known");
}

/* ---- networks ---- */

static bool is_missing(const struct rule_case *c, const char *type, bool is_listed,
                       const struct finding_refs *refs)
{
    const struct interface *i = c->interface;

    if (!text_equal(i->type, type) || !i->source || i->at_dest == TRI_YES)
        return false;
    return i->at_dest == TRI_NO || ((is_listed || refs->n) && !names_hold(refs, interface_dest_source(i)));
}

static const char *check_bridge(struct rule_case *c)
{
    const struct host *d = &c->facts->dest;
    const char *others;

    if (!is_missing(c, "bridge", d->has_bridge_list, &d->bridges))
        return NULL;
    others = names_text(c, &d->bridges);
    if (others)
        c->fix =
            SAY("Create it there with the same name: ip link add %s type bridge. The destination has %s: "
                "if one of these is meant, name it: --map-network %s=BRIDGE.",
                rules_command_word(interface_dest_source(c->interface), "BRIDGE"), others,
                rules_command_word(c->interface->source, "FROM"));
    return SAY("bridge '%s' is missing on the destination", interface_dest_source(c->interface));
}

static const char *check_network(struct rule_case *c)
{
    const struct host *d = &c->facts->dest;

    if (!is_missing(c, "network", d->has_network_list, &d->networks))
        return NULL;
    c->fix = SAY("Define and start it there: virsh net-start %s. Where another one is meant, name it: "
                 "--map-network %s=NETWORK.",
                 rules_command_word(interface_dest_source(c->interface), "NETWORK"),
                 rules_command_word(c->interface->source, "FROM"));
    return SAY("network '%s' is missing or not active on the destination",
               interface_dest_source(c->interface));
}

static const char *check_device(struct rule_case *c)
{
    if (!is_missing(c, "direct", false, &(struct finding_refs){ NULL, 0 }))
        return NULL;
    c->fix = SAY("Name the destination's device: --map-network %s=DEVICE.",
                 rules_command_word(c->interface->source, "FROM"));
    return SAY("network device '%s', on which an interface sits, is missing on the destination",
               interface_dest_source(c->interface));
}

static const char *check_direct(struct rule_case *c)
{
    if (!text_equal(c->interface->type, "direct") || c->interface->at_dest != TRI_NOT_KNOWN)
        return NULL;
    return SAY("an interface is to sit on '%s', which was not looked for on the destination",
               rules_name(interface_dest_source(c->interface)));
}

static const char *check_mtu(struct rule_case *c)
{
    const struct interface *i = c->interface;

    if (i->mtu == NOT_KNOWN || i->dest_mtu == NOT_KNOWN || i->dest_mtu >= i->mtu)
        return NULL;
    return SAY("'%s' has MTU %u on the destination, the guest's interface has %u",
               rules_name(interface_dest_source(i)), (unsigned)i->dest_mtu, (unsigned)i->mtu);
}

/* ---- displays ---- */

static bool is_anywhere(const char *address)
{
    static const char *const words[] = { "0.0.0.0", "::", "::1", "localhost" };

    for (size_t i = 0; address && i < sizeof words / sizeof *words; i++)
        if (text_equal(address, words[i]))
            return true;
    return !address || text_starts(address, "127.");
}

static bool was_reached_there(const struct facts *f, const char *address)
{
    for (size_t i = 0; i < f->n_channels; i++)
        if (text_equal(f->channels[i].peer_address, address))
            return true;
    return false;
}

static const char *check_graphics(struct rule_case *c)
{
    const struct host *d = &c->facts->dest;

    for (size_t i = 0; i < c->facts->domain.n_graphics; i++) {
        const struct graphics *g = &c->facts->domain.graphics[i];

        if (g->network && d->has_network_list && !names_hold(&d->networks, g->network))
            return SAY("display '%s' listens on network '%s', which is missing on the destination",
                       rules_name(g->type), g->network);
        if (!is_anywhere(g->address) && d->addresses.n && !names_hold(&d->addresses, g->address))
            return SAY("display '%s' listens on address %s, which the destination lacks", rules_name(g->type),
                       g->address);
    }
    return NULL;
}

static const char *check_graphics_not_known(struct rule_case *c)
{
    const struct facts *f = c->facts;

    for (size_t i = 0; !f->dest.addresses.n && i < f->domain.n_graphics; i++) {
        const struct graphics *g = &f->domain.graphics[i];

        if (is_anywhere(g->address) || was_reached_there(f, g->address))
            continue;
        return SAY("display '%s' listens on address %s%s; the destination's addresses are not known",
                   rules_name(g->type), g->address,
                   names_hold(&f->source.addresses, g->address) ? ", which is the source's" : "");
    }
    return NULL;
}

/* ---- pools, secrets, devices ---- */

static const char *check_pool(struct rule_case *c)
{
    const struct host *d = &c->facts->dest;
    const char *pool, *word;
    bool is_there = false;

    if (c->disk->type != DISK_VOLUME || !d->has_pool_list)
        return NULL;
    pool = disk_there(c->disk).pool;
    if (!pool)
        return NULL;
    word = rules_command_word(pool, "POOL");
    for (size_t i = 0; i < d->n_pools; i++)
        if (text_equal(d->pools[i].name, pool)) {
            is_there = true;
            if (d->pools[i].is_active)
                return NULL;
        }
    c->fix = is_there
                 ? SAY("Start pool '%s' on '%s': virsh pool-start %s", pool, rules_name(d->name), word)
                 : SAY("Define pool '%s' on '%s' from what the source prints (virsh pool-dumpxml %s): virsh "
                       "pool-define FILE, then virsh pool-start %s; or name one that is there: --map-storage "
                       "pool:%s=pool:NAME",
                       pool, rules_name(d->name), rules_command_word(c->disk->pool, "POOL"), word,
                       rules_command_word(c->disk->pool, "POOL"));
    return SAY("pool '%s' of disk '%s' is %s on the destination", pool, c->disk->target,
               is_there ? "not active" : "missing");
}

static const char *check_pool_kind(struct rule_case *c)
{
    const struct host *there = &c->facts->dest;
    const struct disk *d = c->disk;
    const char *pool;

    if (d->type != DISK_VOLUME || d->volume_is_device == TRI_NOT_KNOWN)
        return NULL;
    pool = disk_there(d).pool;
    for (size_t i = 0; i < there->n_pools; i++) {
        const enum tristate keeps = pool_keeps_devices(there->pools[i].type);

        if (text_equal(there->pools[i].name, pool) && keeps != d->volume_is_device)
            return SAY(
                "volume '%s' of disk '%s' is a %s, and pool '%s' on the destination, of type '%s', keeps "
                "%s",
                rules_name(d->volume), d->target, d->volume_is_device == TRI_YES ? "block device" : "file",
                rules_name(pool), there->pools[i].type ? there->pools[i].type : "not known",
                keeps == TRI_NOT_KNOWN ? "neither files nor devices"
                : keeps == TRI_YES     ? "devices"
                                       : "files");
    }
    return NULL;
}

static bool has_secret(const struct host *h, const struct secret *wanted)
{
    for (size_t i = 0; i < h->n_secrets; i++) {
        const struct secret *s = &h->secrets[i];

        if (wanted->uuid
                ? s->uuid && strcasecmp(s->uuid, wanted->uuid) == 0
                : text_equal(s->usage, wanted->usage) && text_equal(s->usage_type, wanted->usage_type))
            return true;
    }
    return false;
}

static const char *check_secret(struct rule_case *c)
{
    const struct domain *d = &c->facts->domain;

    for (size_t i = 0; c->facts->dest.has_secret_list && i < d->n_secrets; i++) {
        const struct secret *s = &d->secrets[i];

        if (has_secret(&c->facts->dest, s))
            continue;
        c->fix =
            SAY("Define the same secret there with 'virsh secret-define FILE' and give it its value with "
                "'virsh secret-set-value %s --file FILE'.",
                rules_command_word(s->uuid, "UUID"));
        return s->uuid ? SAY("secret %s, which the domain needs, is missing on the destination", s->uuid)
                       : SAY("the secret of %s '%s', which the domain needs, is missing on the destination",
                             rules_name(s->usage_type), rules_name(s->usage));
    }
    return NULL;
}

static const char *check_tpm(struct rule_case *c)
{
    const struct facts *f = c->facts;

    for (size_t i = 0; f->dest.tpm_backends.n && i < f->domain.n_devices; i++) {
        const struct device *d = &f->domain.devices[i];

        if (text_equal(d->kind, "tpm") && d->detail && strstr(d->detail, "emulator") &&
            !names_hold(&f->dest.tpm_backends, "emulator"))
            return SAY("the domain has an emulated TPM, and the destination has no emulator of one");
    }
    return NULL;
}

/* ---- the hosts' own settings ---- */

static const char *check_locks_differ(struct rule_case *c)
{
    const char *from = c->facts->source.lock_manager, *to = c->facts->dest.lock_manager;

    if (!from || !to || text_equal(from, to))
        return NULL;
    return SAY("the source's lock manager is '%s', the destination's '%s'", from, to);
}

static const char *check_lock_not_known(struct rule_case *c)
{
    const char *from = c->facts->source.lock_manager;

    if (!from || c->facts->dest.lock_manager || text_equal(from, "none"))
        return NULL;
    return SAY("the source uses lock manager '%s'; the destination's is not known", from);
}

static const char *check_userfaultfd(struct rule_case *c)
{
    if ((c->strategy && c->strategy->mode != MODE_PRECOPY) ||
        c->facts->dest.unprivileged_userfaultfd != TRI_NO)
        return NULL;
    return SAY("the destination's kernel lets only root use userfaultfd, which post-copy needs");
}

static const char *check_postcopy_userfaultfd(struct rule_case *c)
{
    if (!c->strategy || c->strategy->mode != MODE_POSTCOPY ||
        c->facts->dest.unprivileged_userfaultfd != TRI_NO)
        return NULL;
    return SAY(
        "the destination's kernel lets only root use userfaultfd, and QEMU does not run as root there");
}

/* Where the source itself tells of what the image lies on. */
static const char *check_selinux_nfs(struct rule_case *c)
{
    const struct host *d = &c->facts->dest;

    if (d->selinux_confines != TRI_YES || d->selinux_lets_nfs != TRI_NO ||
        !text_starts(c->disk->file_system, "nfs"))
        return NULL;
    return SAY("SELinux on '%s' keeps guests from files of NFS: virt_use_nfs is off", rules_name(d->name));
}

/* ---- ports ---- */

/* Of a domain that is shut off nothing travels to one. */
static bool uses_port(const struct rule_case *c)
{
    return c->channel->data_port != NOT_KNOWN && (!c->strategy || c->strategy->mode != MODE_OFFLINE);
}

static const char *check_port(struct rule_case *c)
{
    const struct channel *ch = c->channel;

    if (ch->data_port_open != TRI_NO || !uses_port(c))
        return NULL;
    c->fix =
        SAY("Open the range there: firewall-cmd --permanent --add-port=49152-%u/tcp, then firewall-cmd "
            "--reload. If qemu.conf there has another range, say so: '%s.migration_ports = FIRST-LAST' in "
            "[hosts] of the configuration.",
            (unsigned)ch->data_port, rules_command_word(c->facts->dest.name, "HOST"));
    return SAY("port %u of %s, one of those that RAM and disks travel to, is filtered: no answer came",
               (unsigned)ch->data_port, rules_name(channel_data_address(ch)));
}

static const char *check_port_not_known(struct rule_case *c)
{
    const struct channel *ch = c->channel;

    if (ch->data_port_open != TRI_NOT_KNOWN || !uses_port(c))
        return NULL;
    return SAY("port %u of %s could not be tried from the source", (unsigned)ch->data_port,
               rules_name(channel_data_address(ch)));
}

#define ROW(name, level, per, where, function, because, ...)                                                 \
    RULE(name, level, per, function, because, .about = (where), __VA_ARGS__)

static const struct rule rows[] = {
    ROW("cpu-not-suited", REFUSES, PER_MOVE, ABOUT_DEST, check_cpu,
        "libvirt on the destination compared the guest's processor with its own and found features missing. "
        "A "
        "running guest cannot lose a feature of its processor.",
        .fix = "Choose another destination, or give the domain a CPU model that both hosts have ('virsh "
               "hypervisor-cpu-baseline' finds it) and start it anew."),
    ROW("machine-type-missing", REFUSES, PER_MOVE, ABOUT_DEST, check_machine,
        "A guest keeps its machine type for as long as it runs, and QEMU on the destination does not have "
        "it.",
        .fix = "Install a QEMU there that lists it in 'virsh domcapabilities', or give the domain an older "
               "machine type and start it anew."),
    ROW("invtsc", WARNS, PER_MOVE, ABOUT_MOVE, check_invtsc,
        "QEMU does not move a guest with an invariant TSC unless its frequency is fixed in the XML.",
        .fix = "Give the clock's timer 'tsc' a frequency in the domain's XML, or drop the feature."),
    ROW("pinned-processors", REFUSES, PER_MOVE, ABOUT_DEST, check_pinned,
        "Threads of the domain are bound to processors that the destination does not have; it would not "
        "start "
        "there.",
        .fix = "Bind the domain to processors that both hosts have."),
    ROW("numa-nodes", REFUSES, PER_MOVE, ABOUT_DEST, check_nodes,
        "The domain's memory is bound to NUMA nodes that the destination does not have.",
        .fix = "Change it with 'virsh numatune --nodeset', for the running domain and its definition."),
    ROW("hugepages-missing", REFUSES, PER_MOVE, ABOUT_DEST, check_hugepages_missing,
        "The domain's memory is of huge pages, and the destination has not enough free ones of that size.",
        .fix = "Allocate more there: virsh allocpages PAGESIZE COUNT."),
    ROW("hugepages", WARNS, PER_MOVE, ABOUT_DEST, check_hugepages,
        "The domain needs free huge pages of the same size on the destination, which could not be counted.",
        .fix = "Compare with 'virsh freepages --all' on the destination."),
    ROW("bridge-missing", REFUSES, PER_INTERFACE, ABOUT_DEST, check_bridge,
        "An interface of the domain needs a bridge that the destination does not have.",
        .fix = "Create the bridge there with the same name, or name another one: --map-network FROM=TO."),
    ROW("network-missing", REFUSES, PER_INTERFACE, ABOUT_DEST, check_network,
        "An interface of the domain needs a libvirt network that is not active on the destination.",
        .fix = "Define and start the network there, or name another one: --map-network FROM=TO."),
    ROW("interface-device-missing", REFUSES, PER_INTERFACE, ABOUT_DEST, check_device,
        "A macvtap interface needs its device on the destination.",
        .fix = "Name the destination's device: --map-network FROM=TO."),
    ROW("interface-direct", WARNS, PER_INTERFACE, ABOUT_DEST, check_direct,
        "A macvtap interface needs its device on the destination.",
        .fix = "Compare with 'ip link' on the destination."),
    ROW("mtu-smaller", WARNS, PER_INTERFACE, ABOUT_DEST, check_mtu,
        "The guest keeps its MTU; larger packets than the destination's bridge carries are lost there.",
        .fix = "Raise it there: ip link set BRIDGE mtu MTU."),
    ROW("graphics-address", REFUSES, PER_MOVE, ABOUT_DEST, check_graphics,
        "A display listens on an address or network that the destination does not have, so QEMU would not "
        "start there.",
        .fix = "Let it listen on 0.0.0.0 or 127.0.0.1 in the domain's XML, and start the domain anew."),
    ROW("graphics-address-not-known", WARNS, PER_MOVE, ABOUT_DEST, check_graphics_not_known,
        "A display listens on one address, and QEMU on the destination starts only if it has that too.",
        .fix = "Compare with 'ip address' on the destination."),
    ROW("pool-missing", REFUSES, PER_DISK, ABOUT_DEST, check_pool,
        "The disk names a libvirt pool, which must be active on the destination under the same name.",
        .fix = "Define and start the pool there."),
    ROW("pool-of-another-kind", REFUSES, PER_DISK, ABOUT_DEST, check_pool_kind,
        "A volume is copied or found as what it is: a file in a pool of files, a device in one of devices.",
        .fix = "Name a pool of the same kind there: --map-storage pool:NAME=pool:OTHER."),
    ROW("secret-missing", REFUSES, PER_MOVE, ABOUT_DEST, check_secret,
        "A disk or TPM of the domain needs a libvirt secret, by its uuid or its usage, on each host.",
        .fix = "Define the same secret there and give it its value."),
    ROW("tpm-missing", REFUSES, PER_MOVE, ABOUT_DEST, check_tpm,
        "libvirt on the destination lists its TPM backends, and 'emulator' is not among them.",
        .fix = "Install swtpm and swtpm-tools there, and restart libvirtd."),
    ROW("lock-manager-differs", REFUSES, PER_MOVE, ABOUT_DEST, check_locks_differ,
        "libvirt moves a domain only between hosts that lock disks in the same way.", .of_pair = true,
        .fix = "Set the same lock_manager in /etc/libvirt/qemu.conf of both hosts, and restart libvirtd."),
    ROW("lock-manager-not-known", NOTES, PER_MOVE, ABOUT_DEST, check_lock_not_known,
        "libvirt moves a domain only between hosts that lock disks in the same way, and the destination's "
        "settings could not be read.",
        .of_pair = true, .fix = "Compare lock_manager in /etc/libvirt/qemu.conf of both hosts."),
    ROW("userfaultfd", WARNS, PER_STRATEGY, ABOUT_DEST, check_userfaultfd,
        "Post-copy fetches missing memory through userfaultfd, which QEMU lacks there: a guest that writes "
        "faster than the channel carries has no way but to be slowed.",
        .of_pair = true, .fix = "Allow it there: sysctl -w vm.unprivileged_userfaultfd=1."),
    ROW("postcopy-userfaultfd", REFUSES, PER_STRATEGY, ABOUT_DEST, check_postcopy_userfaultfd,
        "QEMU asks for userfaultfd before a move that may go on in post-copy begins, and libvirt ends it "
        "where "
        "the kernel refuses that. Without commands on the destination this is not known beforehand: the move "
        "is "
        "then made again without post-copy.",
        .fix = "Allow it there: sysctl -w vm.unprivileged_userfaultfd=1; or be content with --no-postcopy."),
    RULE("selinux-nfs", WARNS, PER_DISK, check_selinux_nfs,
         "Files of NFS bear no label of a guest's own, so SELinux's policy has one switch for all of them. "
         "While "
         "it is off QEMU on the destination cannot open the image, unless the mount has a label (context=).",
         .fix = "Let guests have NFS there: setsebool -P virt_use_nfs on."),
    ROW("migration-port-filtered", REFUSES, PER_CHANNEL, ABOUT_DEST, check_port,
        "A connection from the source to the last of libvirt's migration ports had no answer, not even a "
        "refusal: a firewall drops it, and a migration would wait for it until it times out.",
        .of_pair = true, .fix = "Open the ports 49152 to 49215 on the destination for the source."),
    ROW("migration-port-not-checked", NOTES, PER_CHANNEL, ABOUT_DEST, check_port_not_known,
        "Whether a firewall stands before libvirt's migration ports could not be found out.", .of_pair = true,
        .fix = "Try it from the source by hand."),
};

const struct rule_set rules_host = { "What the destination offers", rows, sizeof rows / sizeof rows[0] };
