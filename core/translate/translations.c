/* SPDX-License-Identifier: Apache-2.0
 * The table of texts. libvirt 9.0 and QEMU 7.2 say them; the pieces are those that older and newer ones
 * share. The first row that fits counts: the narrower text stands before the wider. */
#include "translate/translate.h"

#include <string.h>

/* ---- what the facts say ---- */

static const struct disk *disk_in(const struct facts *f, const char *text)
{
    for (size_t i = 0; i < f->domain.n_disks; i++) {
        const struct disk *d = &f->domain.disks[i];

        if (d->source && *d->source && (strstr(text, d->source) || strstr(text, disk_dest_source(d))))
            return d;
    }
    return NULL;
}

static bool show_disk(const struct facts *f, const char *text, struct text *out)
{
    const struct disk *d = disk_in(f, text);

    if (!d)
        return false;
    text_add(out, "It is the image of disk '%s', whose sharing was %s%s%s.", d->target,
             d->sharing == SHARING_PROVED   ? "proved"
             : d->sharing == SHARING_DENIED ? "ruled out"
                                            : "not proved",
             d->sharing_evidence ? ": " : "", d->sharing_evidence ? d->sharing_evidence : "");
    return true;
}

/* The destination told of SELinux, which says no more than "Permission denied". */
static bool show_denied(const struct facts *f, const char *text, struct text *out)
{
    const struct host *d = &f->dest;
    const bool has_disk = show_disk(f, text, out);

    if (d->selinux_confines != TRI_YES)
        return has_disk;
    text_add(out, "%sSELinux confines QEMU there%s.", has_disk ? " " : "",
             d->selinux_lets_nfs == TRI_NO ? ", and keeps it from NFS (virt_use_nfs is off)" : "");
    return true;
}

static bool show_interface(const struct facts *f, const char *text, struct text *out)
{
    for (size_t i = 0; i < f->domain.n_interfaces; i++) {
        const struct interface *n = &f->domain.interfaces[i];

        if (!n->source || !strstr(text, interface_dest_source(n)))
            continue;
        text_add(out, "An interface of the domain%s%s needs '%s'", n->mac ? ", " : "", n->mac ? n->mac : "",
                 interface_dest_source(n));
        if (f->dest.bridges.n)
            text_add(out, "; the destination has '%s'%s", f->dest.bridges.names[0],
                     f->dest.bridges.n > 1 ? " and others" : "");
        text_add(out, ".");
        return true;
    }
    return false;
}

static bool show_memory(const struct facts *f, const char *text, struct text *out)
{
    (void)text;
    if (f->domain.memory_bytes == NOT_KNOWN || f->dest.memory_free_bytes == NOT_KNOWN)
        return false;
    text_add(out, "The domain may use %s; the destination had %s free when it was surveyed.",
             SIZE_TEXT(f->domain.memory_bytes), SIZE_TEXT(f->dest.memory_free_bytes));
    return true;
}

static bool show_machine(const struct facts *f, const char *text, struct text *out)
{
    (void)text;
    if (!f->domain.machine)
        return false;
    text_add(out, "The guest has machine type '%s'", f->domain.machine);
    if (f->source.qemu_version != NOT_KNOWN && f->dest.qemu_version != NOT_KNOWN)
        text_add(out, "; QEMU is %u.%u on the source and %u.%u on the destination",
                 (unsigned)(f->source.qemu_version / 1000000),
                 (unsigned)(f->source.qemu_version / 1000 % 1000), (unsigned)(f->dest.qemu_version / 1000000),
                 (unsigned)(f->dest.qemu_version / 1000 % 1000));
    text_add(out, ".");
    return true;
}

static bool show_cpu(const struct facts *f, const char *text, struct text *out)
{
    (void)text;
    if (!f->domain.cpu_mode && !f->domain.cpu_model)
        return false;
    text_add(out, "The guest has CPU mode '%s'%s%s; the destination offers '%s'.",
             f->domain.cpu_mode ? f->domain.cpu_mode : "custom", f->domain.cpu_model ? ", model " : "",
             f->domain.cpu_model ? f->domain.cpu_model : "", f->dest.cpu_model ? f->dest.cpu_model : "?");
    return true;
}

static bool show_port(const struct facts *f, const char *text, struct text *out)
{
    (void)text;
    for (size_t i = 0; i < f->n_channels; i++) {
        const struct channel *c = &f->channels[i];

        if (c->data_port == NOT_KNOWN || c->data_port_open == TRI_NOT_KNOWN)
            continue;
        text_add(out, "Port %u of %s %s when it was tried from the source.", (unsigned)c->data_port,
                 c->peer_address ? c->peer_address : "the destination",
                 c->data_port_open == TRI_YES ? "answered" : "was filtered");
        return true;
    }
    return false;
}

static bool show_graphics(const struct facts *f, const char *text, struct text *out)
{
    (void)text;
    for (size_t i = 0; i < f->domain.n_graphics; i++) {
        const struct graphics *g = &f->domain.graphics[i];

        if (!g->address)
            continue;
        text_add(out, "Display '%s' of the domain listens on %s.", g->type ? g->type : "?", g->address);
        return true;
    }
    return false;
}

static bool show_locks(const struct facts *f, const char *text, struct text *out)
{
    (void)text;
    if (!f->source.lock_manager)
        return false;
    text_add(out, "The source's lock_manager is '%s', the destination's '%s'.", f->source.lock_manager,
             f->dest.lock_manager ? f->dest.lock_manager : "not known");
    return true;
}

#define ROW(text, at, says, because, then, ...)                                                              \
    {                                                                                                        \
        .pattern = (text), .where = (at), .what = (says), .cause = (because), .fix = (then), __VA_ARGS__     \
    }

const struct translation translations[] = {
    /* ---- the way to a host ---- */
    ROW("Host key verification failed", AT_DEST, "the host key of the other host is not known or has changed",
        "ssh compares the key that a host shows with those that it knows.",
        "Compare the fingerprint with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub "
        "there), "
        "then accept it once by hand: ssh HOST."),
    ROW("Permission denied (", AT_DEST, "ssh to the other host was refused: no key of ours is accepted there",
        "ssh asks no password where no terminal is.", "Install the key there: ssh-copy-id USER@HOST."),
    ROW("nc: command not found", AT_DEST, "the other host has neither virt-ssh-helper nor nc",
        "libvirt over ssh needs one of the two there.",
        "Install libvirt-daemon there, of 6.8 or newer, or netcat-openbsd."),
    ROW("virt-ssh-helper*not found", AT_DEST, "the other host has no virt-ssh-helper",
        "libvirt over ssh starts it there.", "Install libvirt-daemon there, or give the URI 'proxy=netcat'."),
    ROW("authentication failed: authentication failed", AT_EITHER,
        "libvirtd does not accept our user or password (SASL)",
        "The password is wrong, or the user is not among those of that host; sasldblistusers2 shows them "
        "there.",
        "Correct ~/.config/libvirt/auth.conf, or the file that LIBVIRT_AUTH_FILE names; on that host: "
        "saslpasswd2 -a libvirt USER."),
    ROW("Failed to*credentials", AT_EITHER,
        "libvirtd asks for a user and a password (SASL), and there is none here",
        "libvirt's own file has none for this host.",
        "Write them into ~/.config/libvirt/auth.conf: [credentials-NAME] with authname= and password=, then "
        "[auth-libvirt-HOST] with credentials=NAME."),
    ROW("authentication failed", AT_EITHER, "a libvirtd refused our credentials",
        "A password, key or certificate is missing, wrong or not of those that it accepts.",
        "Try it by hand: virsh -c URI version; name and password are taken from ~/.config/libvirt/auth.conf. "
        "For SASL see 'sasldblistusers2' there, for TLS "
        "tls_allowed_dn_list "
        "in libvirtd.conf."),
    ROW("no polkit agent available", AT_EITHER, "libvirtd asks polkit, and nobody can answer",
        "The user is neither root nor of group libvirt.",
        "Add the user to the group, usermod -aG libvirt USER, and log in anew; or run virt-ferry as root."),
    ROW("access denied", AT_EITHER, "libvirtd does not allow this user to do that",
        "Its access driver (polkit rules) refused.", "Allow it in the polkit rules of that host."),
    ROW("certificate hasn't got a known issuer", AT_EITHER,
        "a certificate was signed by a CA that is not known",
        "Each host trusts the CA in /etc/pki/CA/cacert.pem alone.",
        "Put the same CA certificate on both hosts, and on this one."),
    ROW("certificate*expired", AT_EITHER, "a certificate is out of date",
        "Its time is over, or a clock is wrong.",
        "Look at both: certtool -i --infile CERTIFICATE, and date."),
    ROW("certificate*does not match the hostname", AT_EITHER,
        "a certificate is not for the name that was used",
        "The name in the URI must be one of the certificate's.",
        "Use that name, or issue the certificate with both."),
    ROW("Certificate failed validation", AT_EITHER, "a certificate was not accepted",
        "It was issued by another CA, is out of date, or for another purpose.",
        "Check it on its host: virt-pki-validate."),
    ROW("unable to connect to server at '*:49*Connection refused", AT_DEST,
        "the destination refused the connection that RAM was to take",
        "Its QEMU ended before, or a firewall rejects the ports from 49152 on.",
        "Open 49152 to 49215 on the destination, or see /var/log/libvirt/qemu/DOMAIN.log there for why it "
        "ended."),
    ROW("unable to connect to server at '*:49*timed out", AT_DEST, "RAM found no way to the destination",
        "A firewall drops the ports from 49152 on.", "Open 49152 to 49215 on the destination.",
        .shown = show_port),
    ROW("unable to connect to server at*Connection refused", AT_EITHER,
        "nobody listens there: connection refused",
        "libvirtd does not run there, or does not listen on that port (16509 TCP, 16514 TLS).",
        "On that host: systemctl start libvirtd-tcp.socket or libvirtd-tls.socket."),
    ROW("unable to connect to server at*timed out", AT_EITHER, "the other host does not answer on that port",
        "A firewall drops the packets, or the address is of another network.",
        "Open the port there, 16509 or 16514, and try: nc -vz HOST PORT."),
    ROW("unable to connect to server at*No route to host", AT_EITHER, "no way leads to the other host",
        "A firewall rejects it, or routing is wrong.",
        "Try from the source: nc -vz HOST PORT; and look at the firewall there.", .shown = show_port),
    ROW("Failed to connect to '*Connection refused", AT_DEST, "QEMU could not reach the destination's QEMU",
        "The destination's QEMU ended before, or listens elsewhere.",
        "See /var/log/libvirt/qemu/DOMAIN.log on the destination for why it ended.", .shown = show_port),
    ROW("Failed to connect to '*timed out", AT_DEST, "RAM or disks found no way to the destination",
        "A firewall drops the ports from 49152 on.", "Open 49152 to 49215 on the destination.",
        .shown = show_port),
    ROW("Name or service not known", AT_EITHER, "the name of a host cannot be resolved",
        "Both this host and the source must know the destination by that name.",
        "Try it on the source: getent hosts NAME; or use an address."),
    ROW("hostname on destination resolved to localhost", AT_DEST,
        "the destination takes itself for localhost", "Its own name stands at 127.0.0.1 in /etc/hosts.",
        "Give it its real address there."),
    ROW("keepalive timeout", AT_EITHER, "a host fell silent during the move",
        "The network was cut, or its libvirtd was stopped.",
        "Look whether it answers: virsh -c URI version."),
    ROW("Lost connection to destination host", AT_DEST, "the connection to the destination was lost",
        "The network was cut, or its libvirtd died.", "See journalctl -u libvirtd there."),
    ROW("Failed to connect*qemu/virt-ferry/*Permission denied", AT_SOURCE,
        "QEMU at the source may not come to the sockets that ssh made there",
        "SELinux or AppArmor confines it: ausearch -m avc -ts recent, or journalctl -k, tells which.",
        "Take a channel whose data goes another way, such as TLS (docs/tls.md)."),
    ROW("Failed to connect socket to", AT_EITHER, "libvirtd does not run here",
        "Its socket is not there or refuses.", "Start it: systemctl start libvirtd."),
    ROW("Cannot recv data", AT_EITHER, "the connection to a libvirtd broke",
        "ssh or the proxy at the other end ended.", "Try it by hand: virsh -c URI version."),
    ROW("End of file while reading data", AT_EITHER, "a libvirtd closed the connection",
        "It was restarted or died, or has too many clients.", "See journalctl -u libvirtd there."),

    /* ---- what libvirt refuses ---- */
    ROW("to the same host", AT_EITHER, "both connections lead to the same host, or to two with one uuid",
        "Cloned hosts share the uuid of their firmware.",
        "Set host_uuid in /etc/libvirt/libvirtd.conf of one, and restart libvirtd."),
    ROW("domain '*' already exists with uuid", AT_DEST,
        "another domain of that name stands on the destination", "It is defined there under another uuid.",
        "Look at it there: virsh dominfo DOMAIN; rename it."),
    ROW("domain '*' is already defined with uuid", AT_DEST,
        "the domain's uuid stands there under another name",
        "It was defined there before, by hand or by an earlier move.",
        "Undefine it there if it is a left-over: virsh undefine UUID."),
    ROW("domain*already active", AT_DEST, "the domain runs on the destination already",
        "It was started there, or an earlier move ended half.",
        "Look at both hosts before anything else: virsh list --all. Never let both run."),
    ROW("cannot migrate domain with*snapshots", AT_SOURCE,
        "libvirt does not move a domain that has snapshots", "Their metadata would stay behind.",
        "List them: virsh snapshot-list DOMAIN; delete them."),
    ROW("domain has active block job", AT_SOURCE, "a block job works on a disk of the domain",
        "A copy, commit, pull or backup has begun since the survey.",
        "Wait for it: virsh blockjob DOMAIN TARGET."),
    ROW("Migration may lead to data corruption", AT_SOURCE, "a cache mode of a disk is not safe for a move",
        "With a host cache the destination may read old data.",
        "Set cache='none' on the disk's driver and start the domain anew."),
    ROW("Migration without shared storage is unsafe", AT_SOURCE,
        "libvirt takes a disk for one of this host alone",
        "It lies on a file system that libvirt does not know as shared.",
        "Let virt-ferry prove the sharing or copy the disk: virt-ferry plan DOMAIN DEST."),
    ROW("different from target", AT_DEST, "the two hosts lock disks in different ways",
        "lock_manager differs in /etc/libvirt/qemu.conf.", "Set the same on both and restart libvirtd.",
        .shown = show_locks),
    ROW("TSC frequency is not specified", AT_SOURCE,
        "the guest has an invariant TSC without a fixed frequency", "QEMU does not move it so.",
        "Give timer 'tsc' a frequency in the domain's clock, or drop 'invtsc'."),
    ROW("virtiofs", AT_SOURCE, "a shared folder (virtiofs) ties the domain to its host",
        "Its state cannot move.", "Unmount it in the guest and detach it: virsh detach-device DOMAIN FILE."),
    ROW("VFIO*migration", AT_SOURCE, "a device of the host ties the domain to it",
        "A passed-through device does not move.", "Detach it: virsh detach-device DOMAIN FILE."),
    ROW("does not support migration", AT_SOURCE, "a device of the guest cannot move",
        "QEMU says so of the device that the text names.", "Detach it, or replace it by one that can."),
    ROW("Migration is disabled", AT_SOURCE, "a device of the guest forbids to move",
        "QEMU names it in the text.", "Unmount or detach it in the guest first."),
    ROW("cannot migrate domain", AT_SOURCE, "the domain cannot be moved as it is",
        "QEMU or libvirt gives the reason in the text.", "Take what it names away, then plan again."),
    ROW("cannot acquire state change lock", AT_EITHER, "another job holds the domain",
        "An earlier call to its QEMU has not come back, or a backup or dump works on it.",
        "Look: virsh domjobinfo DOMAIN. If QEMU hangs, see its log."),

    /* ---- what the destination lacks ---- */
    ROW("Cannot get interface MTU on", AT_DEST, "a bridge of the domain is missing on the destination",
        "Bridges must have the same name on both hosts.", "Create it there: ip link add NAME type bridge.",
        .shown = show_interface),
    ROW("Network not found", AT_DEST, "a libvirt network of the domain is missing on the destination",
        "Networks must have the same name on both hosts.",
        "Define it there: virsh net-dumpxml NAME on the source, virsh net-define FILE there, virsh "
        "net-start.",
        .shown = show_interface),
    ROW("network '*' is not active", AT_DEST, "a libvirt network of the domain is not started",
        "It is defined there and not active.", "Start it: virsh net-start NAME; virsh net-autostart NAME.",
        .shown = show_interface),
    ROW("Storage pool not found", AT_DEST, "a pool of a disk is missing on the destination",
        "A disk that names a pool needs it there under the same name.",
        "Define and start it there: virsh pool-define, virsh pool-start."),
    ROW("storage pool '*' is not active", AT_DEST, "a pool of a disk is not started",
        "It is defined and not active.", "Start it: virsh pool-start POOL; virsh pool-autostart POOL."),
    ROW("no secret with matching", AT_DEST, "a secret of a disk is missing on the destination",
        "Secrets stay on their host.",
        "Define it there with the same uuid and usage: virsh secret-define FILE, virsh secret-set-value."),
    ROW("Secret not found", AT_DEST, "a secret of a disk is missing on the destination",
        "Secrets stay on their host.",
        "Define it there with the same uuid and usage: virsh secret-define FILE, virsh secret-set-value."),
    ROW("Unable to allow access for disk path", AT_DEST,
        "an image of the domain is not there on the destination",
        "It lies on storage of the source alone, or is mounted elsewhere there.",
        "Mount the same storage at the same path, or let the disk be copied: virt-ferry plan DOMAIN DEST.",
        .shown = show_disk),
    ROW("Cannot access storage file*Permission denied", AT_DEST,
        "QEMU may not read an image on the destination", "The owner differs, or NFS squashes root.",
        "Compare ls -ln of the image on both hosts, user and group in qemu.conf, and the export's options.",
        .shown = show_disk),
    ROW("Cannot access storage file", AT_DEST, "an image of the domain is not there on the destination",
        "It lies on storage of the source alone, or is mounted elsewhere there.",
        "Mount the same storage at the same path, or let the disk be copied: virt-ferry plan DOMAIN DEST.",
        .shown = show_disk),
    ROW("CPU is incompatible with host CPU", AT_DEST, "the destination's processor lacks what the guest has",
        "The text names the missing features.",
        "Choose another destination, or a CPU model that both have, and start the domain anew.",
        .shown = show_cpu),
    ROW("guest CPU doesn't match specification", AT_DEST,
        "the destination's QEMU cannot give the guest its CPU",
        "The text names the features; microcode, kernel or QEMU differ between the hosts.",
        "Bring both hosts to the same state, or choose a CPU model that both have.", .shown = show_cpu),
    ROW("host doesn't support requested feature", AT_DEST, "the destination's processor lacks a feature",
        "The text names it.", "Choose a CPU model that both hosts have.", .shown = show_cpu),
    ROW("support machine type", AT_DEST, "the destination's QEMU does not have the guest's machine type",
        "It is older, or of another distribution.", "Install a QEMU there that has it.",
        .shown = show_machine),
    ROW("unsupported machine type", AT_DEST, "the destination's QEMU does not have the guest's machine type",
        "It is older, or of another distribution.", "Install a QEMU there that has it.",
        .shown = show_machine),
    ROW("Unable to find 'swtpm", AT_DEST, "the destination has no TPM emulator",
        "An emulated TPM needs swtpm on both hosts.", "Install swtpm and swtpm-tools there."),
    ROW("hugetlbfs filesystem is not mounted", AT_DEST, "the destination has no huge pages",
        "The domain's memory is of huge pages.",
        "Mount hugetlbfs there and allocate pages: virsh allocpages."),
    ROW("map backing store for guest RAM", AT_DEST, "the destination has not enough huge pages",
        "The domain's memory is of huge pages.", "Allocate more there: virsh allocpages PAGESIZE COUNT.",
        .shown = show_memory),
    ROW("cannot set up guest memory", AT_DEST, "the destination has not enough memory for the guest",
        "QEMU could not allocate it.", "Free memory there, or choose another host.", .shown = show_memory),
    ROW("Cannot allocate memory", AT_EITHER, "a host has not enough memory",
        "QEMU or libvirtd could not allocate it.", "Free memory there, or choose another host.",
        .shown = show_memory),
    ROW("NUMA node*unavailable", AT_DEST, "the domain's memory is bound to a NUMA node that is not there",
        "The hosts' topologies differ.", "Change it: virsh numatune DOMAIN --nodeset NODES --live --config."),
    ROW("cpuset.cpus", AT_DEST, "the domain is bound to processors that the destination lacks",
        "The hosts' processors differ.", "Change it: virsh vcpupin DOMAIN VCPU CPUS --live --config."),
    ROW("Unable to find an unused port in range", AT_DEST, "all migration ports of the destination are taken",
        "Too many moves arrive there at once, or another program holds the ports.",
        "Wait, or widen migration_port_min and _max in its qemu.conf."),
    ROW("Failed to bind socket*Cannot assign requested address", AT_DEST,
        "QEMU cannot listen on an address that the destination lacks",
        "A display or serial line listens on an address of the source.",
        "Let it listen on 0.0.0.0 or 127.0.0.1, and start the domain anew.", .shown = show_graphics),
    ROW("Failed to bind socket*qemu/virt-ferry/*Permission denied", AT_DEST,
        "QEMU on the destination may not have the socket that RAM or disks come to",
        "AppArmor lets it have sockets by their names alone, which a domain's name of up to 24 letters, "
        "digits, "
        "dots, dashes and underscores gives.",
        "Take a channel whose data goes another way, or a shorter name (virsh domrename, when it is shut "
        "off)."),
    ROW("Address already in use", AT_DEST, "a port that the domain wants is taken on the destination",
        "A display or serial line has a fixed port that another program holds.",
        "Use autoport='yes' in the domain's XML.", .shown = show_graphics),

    /* ---- disks ---- */
    ROW("Failed to get*lock*Is another process using the image", AT_DEST,
        "another process has a disk of the domain open",
        "QEMU's lock on the image holds: a second guest, a backup or a mount uses it. It kept both from "
        "writing.",
        "Look who: lsof IMAGE on both hosts.", .shown = show_disk),
    ROW("Lockspace resource", AT_DEST, "another domain holds the lock of a disk",
        "virtlockd keeps two domains from one image.",
        "Look who has it: virsh list on all hosts that share it.", .shown = show_disk),
    ROW("Failed to acquire lock", AT_DEST, "the lock of a disk could not be had",
        "sanlock or virtlockd says that another holds it.",
        "Look who has it on all hosts that share the image.", .shown = show_disk),
    ROW("Could not open '*No such file", AT_DEST, "an image of the domain is not there on the destination",
        "It or its backing file lies on storage of the source alone.",
        "Mount the same storage at the same path, or let the disk be copied.", .shown = show_disk),
    ROW("Could not open '*Permission denied", AT_DEST, "QEMU may not open an image on the destination",
        "The owner differs, NFS squashes root, or AppArmor or SELinux forbids it.",
        "Compare ls -lnZ of the image on both hosts; where SELinux is on, ausearch -m avc -ts recent there "
        "tells "
        "what it refused, and images on NFS need setsebool -P virt_use_nfs on.",
        .shown = show_denied),
    ROW("No space left on device", AT_DEST, "the place of a disk is full",
        "The copy needed more than was free, or the file system filled meanwhile.",
        "Free space there, then run the same command again."),
    ROW("migration of disk*failed", AT_DEST, "the copy of a disk failed",
        "Reading, sending or writing it gave an error; the text has it.",
        "See /var/log/libvirt/qemu/DOMAIN.log on both hosts.", .shown = show_disk),
    ROW("Input/output error", AT_EITHER, "a disk or the migration stream gave an I/O error",
        "Storage failed, or the other end of the stream ended.",
        "See the kernel's log on both hosts, and /var/log/libvirt/qemu/DOMAIN.log."),

    /* ---- the stream between the two QEMUs ---- */
    ROW("Machine type received is", AT_DEST, "the two QEMUs have different machine types",
        "The definition of the destination is not that of the source.", "Report it with both XMLs.",
        .shown = show_machine),
    ROW("Unknown savevm section", AT_DEST, "the destination's QEMU does not know a device of the guest",
        "It is older, or a device differs.", "Bring both hosts to the same QEMU.", .shown = show_machine),
    ROW("error while loading state", AT_DEST, "the destination's QEMU could not read the state of a device",
        "The two QEMUs differ in that device.", "Bring both hosts to the same QEMU.", .shown = show_machine),
    ROW("Missing section footer", AT_DEST, "the migration stream does not fit the destination's QEMU",
        "The two QEMUs differ.", "Bring both hosts to the same QEMU.", .shown = show_machine),
    ROW("Not a migration stream", AT_DEST, "what reached the destination's port is no migration",
        "Another program, a scanner perhaps, connected to the port first.",
        "Keep others from the ports 49152 to 49215, and try again."),
    ROW("load of migration failed", AT_DEST, "the destination's QEMU could not take the guest over",
        "The stream broke, or the two QEMUs differ.", "See /var/log/libvirt/qemu/DOMAIN.log there.",
        .shown = show_machine),
    ROW("Postcopy is not supported", AT_DEST, "post-copy cannot be had between these hosts",
        "userfaultfd is not allowed there, or the memory is of a kind that it cannot serve.",
        "Allow it there, sysctl -w vm.unprivileged_userfaultfd=1, or pass --no-postcopy.",
        .is_of_postcopy = true),
    ROW("userfaultfd", AT_DEST, "the destination's kernel does not let QEMU use userfaultfd",
        "Post-copy needs it.", "Allow it there: sysctl -w vm.unprivileged_userfaultfd=1.",
        .is_of_postcopy = true),
    ROW("canceled by client", AT_SOURCE, "somebody ended the job",
        "virsh domjobabort or another program asked for it.", "Run the same command again."),
    ROW("process exited while connecting to monitor", AT_DEST, "the destination's QEMU did not start",
        "Its command line or its host does not suit; the text has its last words.",
        "See /var/log/libvirt/qemu/DOMAIN.log there."),
    ROW("qemu unexpectedly closed the monitor", AT_EITHER, "a QEMU died during the move",
        "It crashed or was killed, for lack of memory perhaps.",
        "See /var/log/libvirt/qemu/DOMAIN.log and the kernel's log on both hosts."),
    ROW("Unable to read from monitor", AT_EITHER, "a QEMU died during the move",
        "It crashed or was killed, for lack of memory perhaps.",
        "See /var/log/libvirt/qemu/DOMAIN.log and the kernel's log on both hosts."),
    ROW("domain is not running", AT_SOURCE, "the guest ended before or during the move",
        "It was shut down from within, or its QEMU died.", "Look: virsh domstate DOMAIN --reason."),
    /* libvirt asks for the one that arrives by its name, and for all else by its uuid. */
    ROW("Domain not found: no domain with matching name", AT_DEST,
        "the guest that was arriving at the destination is not there any more",
        "Somebody ended it there while its memory came.", "See /var/log/libvirt/qemu/DOMAIN.log there."),
    ROW("Domain not found", AT_EITHER, "the domain is not there any more",
        "It ended, was undefined, or moved elsewhere meanwhile.", "Look on both hosts: virsh list --all."),
    ROW("unexpectedly failed", AT_EITHER, "the migration broke off in one of the two QEMUs",
        "The stream was cut or a QEMU gave up without a reason.",
        "See /var/log/libvirt/qemu/DOMAIN.log on both hosts.", .shown = show_port),
};
const size_t translations_n = sizeof translations / sizeof *translations;
