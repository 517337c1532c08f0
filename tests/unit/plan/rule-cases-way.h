/* SPDX-License-Identifier: Apache-2.0
 * The cases of an address for data, of peer to peer and of UNIX sockets: rows of the table in rule-cases.h,
 * which includes this. */
#ifndef UNIT_PLAN_RULE_CASES_WAY_H
#define UNIT_PLAN_RULE_CASES_WAY_H

#define UNIX_SOCKET "unix:///run/libvirt/qemu/virt-ferry/way-0/ram"
SPOIL(via_trusted, tcp->data_address = "10.9.0.2"; tcp->is_data_trusted = true; tcp->data_port_open = TRI_YES)
SPOIL(via_untrusted, tcp->data_address = "10.9.0.2")
SPOIL(via_control_untrusted, tcp->data_address = "10.9.0.2"; tcp->is_data_trusted = true;
      tcp->is_trusted = false)
SPOIL(via_control_encrypted, tcp->data_address = "10.9.0.2"; tcp->is_data_trusted = true;
      tcp->is_trusted = false; tcp->protects_control = 2)
SPOIL(via_not_reached, tcp->data_address = "10.9.0.2"; tcp->is_data_trusted = true;
      tcp->data_port_open = TRI_NOT_KNOWN)
static const char *own_addresses[] = { "10.0.0.2", "10.9.0.2" };
SPOIL(via_own, tcp->data_address = "10.9.0.2"; tcp->is_data_trusted = true;
      f->dest.addresses = (struct finding_refs){ own_addresses, 2 })
SPOIL(via_elsewhere, tcp->data_address = "10.9.0.3"; tcp->is_data_trusted = true;
      f->dest.addresses = (struct finding_refs){ own_addresses, 2 })
SPOIL(via_elsewhere_by_socket, tcp->data_address = "10.9.0.3"; tcp->is_data_trusted = true;
      tcp->data_uri = UNIX_SOCKET; f->dest.addresses = (struct finding_refs){ own_addresses, 2 })
SPOIL(p2p_asked, limits->manner = MANNER_P2P; tcp->can_p2p = true)
SPOIL(p2p_possible, tcp->can_p2p = true)
SPOIL(p2p_asked_for_nothing, limits->manner = MANNER_P2P; tcp->can_p2p = false)
SPOIL(p2p_asked_with_parameters, limits->manner = MANNER_P2P; tcp->can_p2p = true;
      tcp->dest_uri = "qemu+tcp://b/system?authfile=/a")
SPOIL(direct_asked, limits->manner = MANNER_DIRECT; tcp->can_p2p = true)
/* Peer to peer, with a lock that the driver declares. */
static void lock_declared(struct facts *f, struct plan_limits *limits)
{
    struct disk *vda = facts_disk(f, "vda");

    limits->manner = MANNER_P2P;
    f->channels[0].can_p2p = true;
    vda->lock_enforced = TRI_YES;
    vda->at_source.directory = vda->at_dest.directory = "/images";
}
SPOIL(lock_to_prove, lock_declared(f, limits))
SPOIL(lock_of_no_use, lock_declared(f, limits); limits->manner = MANNER_ANY)
SPOIL(lock_from_a_third, lock_declared(f, limits); limits->manner = MANNER_ANY;
      f->source.is_local_socket = false)
SPOIL(lock_proved, lock_declared(f, limits); vda->lock_proved = TRI_YES;
      vda->lock_evidence = "it was refused")
SPOIL(lock_refuted, lock_declared(f, limits); vda->lock_proved = TRI_NO; vda->lock_evidence = "it was opened")
SPOIL(lock_not_tried, lock_declared(f, limits); vda->lock_evidence = "no QEMU there")
SPOIL(lock_undeclared, lock_declared(f, limits); vda->lock_enforced = TRI_NOT_KNOWN)
SPOIL(lock_shareable, lock_declared(f, limits); vda->shareable = true)
SPOIL(lock_switched_off, lock_declared(f, limits); f->domain.has_qemu_options = true)
SPOIL(lock_of_a_copy, lock_declared(f, limits); (void)sample_local(vda))
SPOIL(lock_on_network, lock_declared(f, limits); vda->type = DISK_NETWORK; vda->protocol = "rbd")
SPOIL(lock_of_a_paused, lock_declared(f, limits); f->domain.run = RUN_PAUSED; f->domain.ran_here = TRI_YES)
SPOIL(unix_old_source, tcp->data_uri = UNIX_SOCKET; f->source.libvirt_version = 6007999)
SPOIL(unix_old_dest, tcp->data_uri = UNIX_SOCKET; f->dest.libvirt_version = 6007999)
SPOIL(unix_first, tcp->data_uri = UNIX_SOCKET; f->source.libvirt_version = f->dest.libvirt_version = 6008000)
SPOIL(tcp_old, f->source.libvirt_version = f->dest.libvirt_version = 6007999)

SPOIL(session_postcopy, tcp->can_postcopy = true; tcp->dest_uri = "qemu+tcp://b:16510/session?no_tty=1")
SPOIL(session_allowed, tcp->can_postcopy = true; tcp->dest_uri = "qemu+tcp://b:16510/session";
      f->dest.unprivileged_userfaultfd = TRI_YES)
SPOIL(system_postcopy, tcp->can_postcopy = true; tcp->dest_uri = "qemu+tcp://b/system?x=/session")

SPOIL(unix_confined, f->source.selinux_confines = TRI_YES; tcp->data_uri = UNIX_SOCKET)
SPOIL(unix_free, f->source.selinux_confines = TRI_NO; tcp->data_uri = UNIX_SOCKET)
SPOIL(unix_confined_there, f->dest.selinux_confines = TRI_YES; tcp->data_uri = UNIX_SOCKET)
SPOIL(unix_profiled, f->dest.apparmor_confines = TRI_YES; f->domain.name = "web"; tcp->data_uri = UNIX_SOCKET)
SPOIL(unix_profiled_named, unix_profiled(f, limits); tcp->data_uri = UNIX_SOCKET ".tunnelmigrate.dest.web")
SPOIL(unix_profiled_other, unix_profiled(f, limits); tcp->data_uri = UNIX_SOCKET ".tunnelmigrate.dest.webs")
SPOIL(unix_not_profiled, unix_profiled(f, limits); f->dest.apparmor_confines = TRI_NO)
SPOIL(tcp_profiled, unix_profiled(f, limits); tcp->data_uri = "tcp://10.0.0.2")
SPOIL(nfs_confined, f->dest.selinux_confines = TRI_YES; f->dest.selinux_lets_nfs = TRI_NO;
      facts_disk(f, "vda")->file_system = "nfs")
SPOIL(nfs_allowed, f->dest.selinux_confines = TRI_YES; f->dest.selinux_lets_nfs = TRI_YES;
      facts_disk(f, "vda")->file_system = "nfs")
SPOIL(nfs_elsewhere, f->dest.selinux_confines = TRI_YES; f->dest.selinux_lets_nfs = TRI_NO;
      facts_disk(f, "vda")->file_system = "ext4")

#define CASES_OF_THE_WAY                                                                                     \
    { "data-address-elsewhere", via_own, false, true },                                                      \
        { "data-address-elsewhere", via_elsewhere, true, false },                                            \
        { "data-address-elsewhere", via_elsewhere_by_socket, false, true },                                  \
        { "data-address-elsewhere", via_untrusted, false, false },                                           \
        { "unix-libvirt", unix_old_source, true, false }, { "unix-libvirt", unix_old_dest, true, false },    \
        { "unix-libvirt", unix_first, false, true }, { "unix-libvirt", tcp_old, false, true },               \
        { "unix-apparmor", unix_profiled, true, false },                                                     \
        { "unix-apparmor", unix_profiled_named, false, true },                                               \
        { "unix-apparmor", unix_profiled_other, true, false },                                               \
        { "unix-apparmor", unix_not_profiled, false, true }, { "unix-apparmor", tcp_profiled, false, true }, \
        { "unix-selinux", unix_confined, true, true }, { "unix-selinux", unix_free, false, true },           \
        { "unix-selinux", unix_confined_there, false, true }, { "selinux-nfs", nfs_confined, true, true },   \
        { "selinux-nfs", nfs_allowed, false, true }, { "selinux-nfs", nfs_elsewhere, false, true },          \
        { "p2p-not-safe", p2p_asked, true, true }, { "p2p-not-safe", p2p_possible, false, true },            \
        { "p2p-channel", p2p_asked_for_nothing, true, false }, { "p2p-channel", p2p_asked, false, true },    \
        { "session-postcopy", session_postcopy, true, true },                                                \
        { "session-postcopy", session_allowed, false, true },                                                \
        { "session-postcopy", system_postcopy, false, true },                                                \
        { "lock-to-prove", lock_to_prove, true, true }, { "lock-to-prove", lock_proved, false, true },       \
        { "lock-to-prove", lock_from_a_third, true, true },                                                  \
        { "lock-to-prove", lock_of_no_use, false, true }, { "lock-proved", lock_proved, true, true },        \
        { "lock-proved", lock_to_prove, false, true }, { "lock-not-proved", lock_refuted, true, true },      \
        { "lock-not-proved", lock_not_tried, true, true }, { "lock-not-proved", lock_proved, false, true },  \
        { "lock-lives", lock_proved, true, true }, { "lock-lives", lock_undeclared, false, true },           \
        { "lock-lives", lock_shareable, false, true }, { "lock-lives", lock_switched_off, false, true },     \
        { "lock-lives", lock_of_a_copy, false, true }, { "lock-lives", lock_on_network, false, true },       \
        { "lock-lives", lock_of_a_paused, false, true },                                                     \
        { "p2p-uri", p2p_asked_with_parameters, true, false }, { "p2p-uri", p2p_asked, false, true },        \
        { "p2p-credentials", p2p_asked, true, true }, { "p2p-credentials", p2p_possible, false, true },      \
        { "p2p-credentials", direct_asked, false, true }, { "cleartext", via_trusted, false, true },         \
        { "cleartext", via_untrusted, true, false }, { "cleartext", via_control_untrusted, true, false },    \
        { "cleartext", via_control_encrypted, false, true }, { "data-address", via_trusted, true, true },    \
        { "data-address", fine, false, true }, { "address-not-checked", via_not_reached, true, true },       \
    {                                                                                                        \
        "address-not-checked", via_trusted, false, true                                                      \
    }

#endif
