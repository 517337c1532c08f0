/* SPDX-License-Identifier: Apache-2.0
 * For each rule, facts on either side of its border: what is changed in the sample's, whether the rule speaks
 * then, and whether anything can still be chosen. */
#ifndef UNIT_PLAN_RULE_CASES_H
#define UNIT_PLAN_RULE_CASES_H

#include "plan/needs.h"

typedef void spoil(struct facts *f, struct plan_limits *limits);

#define SPOIL(name, ...)                                                                                     \
    static void name(struct facts *f, struct plan_limits *limits)                                            \
    {                                                                                                        \
        struct disk *vda __attribute__((unused)) = facts_disk(f, "vda");                                     \
        struct channel *tcp __attribute__((unused)) = &f->channels[0];                                       \
                                                                                                             \
        (void)limits;                                                                                        \
        __VA_ARGS__;                                                                                         \
    }

SPOIL(fine, )
SPOIL(state_not_known, f->domain.run = RUN_NOT_KNOWN)
SPOIL(cpu_lacks, f->dest.suits_cpu = TRI_NO;
      f->dest.cpu_why =
          "the CPU is incompatible with host CPU: Host CPU does not provide required features: vmx")
SPOIL(cpu_suits, f->dest.suits_cpu = TRI_YES)
SPOIL(machine_lacks, f->dest.knows_machine = TRI_NO; f->domain.machine = "pc-q35-9.0")
SPOIL(machine_known, f->dest.knows_machine = TRI_YES; f->domain.machine = "pc-q35-9.0")
SPOIL(invtsc, f->domain.cpu_requires = NAMES_OF(features, 2))
SPOIL(no_invtsc, f->domain.cpu_requires = NAMES_OF(features, 1))
SPOIL(pinned_out, f->domain.pinned_cpus = "2-4"; f->dest.cpu_ids = "0-3")
SPOIL(pinned_in, f->domain.pinned_cpus = "2-3"; f->dest.cpu_ids = "0-3")
SPOIL(pinned_unseen, f->domain.pinned_cpus = "2-4")
SPOIL(nodes_out, f->domain.numa_nodes = "1"; f->dest.node_ids = "0")
SPOIL(nodes_in, f->domain.numa_nodes = "0"; f->dest.node_ids = "0")
SPOIL(pages_short, need_pages(f, small_pages, 1, MiB(2), 127))
SPOIL(pages_exact, need_pages(f, small_pages, 1, MiB(2), 128))
SPOIL(pages_default_short, need_pages(f, small_pages, 1, NOT_KNOWN, 127))
SPOIL(pages_which, need_pages(f, both_pages, 2, NOT_KNOWN, 1))
SPOIL(pages_of_no_such_size, need_pages(f, small_pages, 1, GiB(1), 1000))
SPOIL(interface_seen_missing, interface_on(f, "bridge", "br7")->at_dest = TRI_NO)
SPOIL(interface_seen_there, interface_on(f, "bridge", "br7")->at_dest = TRI_YES)
SPOIL(no_network_at_all, interface_on(f, "network", "lan"); f->dest.has_network_list = true)
SPOIL(direct_missing, interface_on(f, "direct", "eth7")->at_dest = TRI_NO)
SPOIL(direct_there, interface_on(f, "direct", "eth7")->at_dest = TRI_YES)
SPOIL(mtu_smaller, interface_on(f, "bridge", "br7")->mtu = 9000; f->domain.interfaces[0].dest_mtu = 8999)
SPOIL(mtu_equal, interface_on(f, "bridge", "br7")->mtu = 9000; f->domain.interfaces[0].dest_mtu = 9000)
SPOIL(mtu_unseen, interface_on(f, "bridge", "br7")->mtu = 9000; f->domain.interfaces[0].dest_mtu = NOT_KNOWN)
SPOIL(shown_elsewhere, (void)show_on(f, "10.0.0.1"))
SPOIL(shown_there, (void)show_on(f, "10.0.0.2"))
SPOIL(shown_anywhere, (void)show_on(f, "0.0.0.0"))
SPOIL(shown_on_network, show_on(f, NULL)->network = "lan"; f->dest.has_network_list = true)
SPOIL(shown_unseen, (void)show_on(f, "10.0.0.1"); f->dest.addresses.n = 0)
SPOIL(shown_at_peer, (void)show_on(f, "10.0.0.2"); f->dest.addresses.n = 0)
SPOIL(pool_missing, (void)volume_in(f, "other"))
SPOIL(pool_off, volume_in(f, "images")->is_active = false)
SPOIL(pool_there, (void)volume_in(f, "images"))
SPOIL(pool_mapped_there, (void)volume_in(f, "other"); use_map(f, MAP_STORAGE, "pool:other", "pool:images");
      vda->sharing = SHARING_PROVED)
SPOIL(pool_mapped_away, (void)volume_in(f, "images"); use_map(f, MAP_STORAGE, "pool:images", "pool:other"))
SPOIL(pool_of_files, (void)volume_on_lvm(f, "dir"))
SPOIL(pool_of_rbd, (void)volume_on_lvm(f, "rbd"))
SPOIL(pool_of_devices, (void)volume_on_lvm(f, "logical"); vda->volume_is_device = TRI_NO)
SPOIL(pool_of_same, (void)volume_on_lvm(f, "logical"))
SPOIL(volume_named, (void)volume_on_lvm(f, "logical"))
SPOIL(volume_not_named, (void)volume_on_lvm(f, "logical"); f->overwrite.n = 0)
SPOIL(volume_smaller, volume_on_lvm(f, "logical")->at_dest.capacity_bytes = GiB(1) - 512)
SPOIL(volume_made, volume_on_lvm(f, "logical")->at_dest.present = TRI_NO; vda->at_dest.pool = "images";
      f->overwrite.n = 0; vda->at_source.allocated_bytes = vda->at_dest.free_bytes = GiB(1))
SPOIL(volume_made_short, volume_on_lvm(f, "logical")->at_dest.present = TRI_NO; vda->at_dest.pool = "images";
      f->overwrite.n = 0; vda->at_source.allocated_bytes = GiB(1); vda->at_dest.free_bytes = GiB(1) - 1)
SPOIL(volume_of_no_pool, volume_on_lvm(f, "logical")->at_dest.present = TRI_NO; f->overwrite.n = 0)
SPOIL(secret_missing, need_secret(f, (struct secret){ .usage_type = "volume", .usage = "client.libvirt" }))
SPOIL(secret_other_uuid, need_secret(f, (struct secret){ .uuid = "bbbb0000-0000-0000-0000-00000000000a" }))
SPOIL(secret_there, need_secret(f, (struct secret){ .uuid = "aaaa0000-0000-0000-0000-00000000000a" }))
SPOIL(secret_by_usage, need_secret(f, (struct secret){ .usage_type = "ceph", .usage = "client.libvirt" }))
SPOIL(tpm_lacks, add_device(f, "tpm", "tpm-crb emulator"); f->dest.tpm_backends = NAMES_OF(backends, 1))
SPOIL(tpm_there, add_device(f, "tpm", "tpm-crb emulator"); f->dest.tpm_backends = NAMES_OF(backends, 2))
SPOIL(locks_differ, f->source.lock_manager = "lockd"; f->dest.lock_manager = "none")
SPOIL(locks_equal, f->source.lock_manager = f->dest.lock_manager = "lockd")
SPOIL(lock_unseen, f->source.lock_manager = "lockd")
SPOIL(no_lock, f->source.lock_manager = "none")
SPOIL(no_userfaultfd, tcp->can_postcopy = true; f->dest.unprivileged_userfaultfd = TRI_NO)
SPOIL(userfaultfd, tcp->can_postcopy = true; f->dest.unprivileged_userfaultfd = TRI_YES)
SPOIL(port_filtered, tcp->data_port = 49215; tcp->data_port_open = TRI_NO)
SPOIL(port_open, tcp->data_port = 49215; tcp->data_port_open = TRI_YES)
SPOIL(port_unseen, tcp->data_port = 49215)
SPOIL(checkpoints, f->domain.has_checkpoints = true)
SPOIL(starts_by_itself, f->domain.autostart = TRI_YES)
SPOIL(shut_off, f->domain.run = RUN_SHUTOFF)
SPOIL(paused, f->domain.run = RUN_PAUSED)
SPOIL(paused_arrival, f->domain.run = RUN_PAUSED; f->domain.ran_here = TRI_NO;
      f->source.qemu_version = 9999999)
SPOIL(paused_arrival_new, f->domain.run = RUN_PAUSED; f->domain.ran_here = TRI_NO;
      f->source.qemu_version = 10000000)
SPOIL(paused_after_running, f->domain.run = RUN_PAUSED; f->domain.ran_here = TRI_YES;
      f->source.qemu_version = 7002000)
SPOIL(job, f->domain.job = "block copy")
SPOIL(managed, f->domain.manager = "oVirt")
SPOIL(managed_forced, f->domain.manager = "oVirt"; limits->force_managed = true)
SPOIL(only_forced, limits->force_managed = true)
SPOIL(managed_save, f->domain.has_managed_save = true)
SPOIL(snapshots, f->domain.has_snapshots = true)
SPOIL(same_host, f->dest.uuid = "AAAAAAAA-0000-0000-0000-000000000001")
SPOIL(no_uuids, f->source.uuid = f->dest.uuid = NULL)
SPOIL(same_name, f->dest.has_same_name = true)
SPOIL(memory_short, f->dest.memory_free_bytes = MiB(256) - 1)
SPOIL(memory_exact, f->dest.memory_free_bytes = MiB(256))
SPOIL(memory_not_known, f->dest.memory_free_bytes = NOT_KNOWN)
SPOIL(hugepages, f->domain.has_hugepages = true)
SPOIL(older_qemu, f->dest.qemu_version = 7001999)
SPOIL(passthrough_cpu, f->domain.cpu_mode = "host-passthrough")
SPOIL(custom_cpu, f->domain.cpu_mode = "custom")
SPOIL(direct_boot, f->domain.kernel = "/boot/vmlinuz")
SPOIL(firmware, f->domain.loader = "/usr/share/OVMF/OVMF_CODE.fd")
SPOIL(has_tpm, f->domain.has_tpm = true; add_device(f, "tpm", "tpm-crb emulator"))
SPOIL(tpm_passed, add_device(f, "tpm", "tpm-tis passthrough"))
SPOIL(hostdev, add_device(f, "hostdev", "pci 0:3:0.0"))
SPOIL(redirdev, add_device(f, "redirdev", "usb spicevmc"))
SPOIL(nvdimm, add_device(f, "memory", "nvdimm /dev/pmem0"))
SPOIL(bridge_missing, add_interface(f, "bridge", "br1"))
SPOIL(bridge_there, add_interface(f, "bridge", "br0"))
SPOIL(bridge_list_not_known, add_interface(f, "bridge", "br1"); f->dest.bridges.n = 0)
SPOIL(bridge_mapped_there, add_interface(f, "bridge", "br1"); use_map(f, MAP_NETWORK, "br1", "br0"))
SPOIL(bridge_mapped_away, add_interface(f, "bridge", "br0"); use_map(f, MAP_NETWORK, "br0", "br1"))
SPOIL(network_mapped_there, add_interface(f, "network", "lan"); use_map(f, MAP_NETWORK, "lan", "default"))
SPOIL(storage_mapped, use_map(f, MAP_STORAGE, "/images", "/data"); vda->sharing = SHARING_DENIED;
      vda->at_dest.present = TRI_NO)
SPOIL(mapped_together, sample_disk(f, "vdb")->source = "/data/web.qcow2";
      use_map(f, MAP_STORAGE, "/images", "/data"))
SPOIL(mapped_apart, sample_disk(f, "vdb")->source = "/data/other.qcow2";
      use_map(f, MAP_STORAGE, "/images", "/data"))
SPOIL(mapped_in_vain_for_all, add_interface(f, "bridge", "br0"); use_map(f, MAP_NETWORK, "br", "br1");
      f->maps[0].origin = "virt-ferry.conf:3")
SPOIL(mapped_in_vain, add_interface(f, "bridge", "br0"); use_map(f, MAP_NETWORK, "br", "br1"))
SPOIL(network_missing, add_interface(f, "network", "lan"))
SPOIL(network_there, add_interface(f, "network", "default"))
SPOIL(interface_passed, add_interface(f, "hostdev", NULL))
SPOIL(interface_direct, add_interface(f, "direct", "eth0"))
SPOIL(interface_user, add_interface(f, "user", NULL))
SPOIL(no_channel, f->n_channels = 0)
SPOIL(untrusted, tcp->is_trusted = false)
SPOIL(untrusted_signed, tcp->is_trusted = false; tcp->protects_data = 1)
SPOIL(untrusted_allowed, tcp->is_trusted = false; limits->allow_cleartext = true)
SPOIL(untrusted_encrypted, tcp->is_trusted = false; tcp->protects_data = 2)
SPOIL(no_address, tcp->data_uri = NULL)
SPOIL(not_probed, tcp->was_probed = false)
SPOIL(copy_on_bare_channel, sample_local(vda); tcp->can_copy_disks = false)
SPOIL(copy_fine, sample_local(vda))
SPOIL(remote_source, f->source.is_local_socket = false)
SPOIL(file_system_unusual, vda->file_system = "fuse.moosefs")
SPOIL(file_system_not_known, vda->file_system = NULL)
SPOIL(unusual_block, vda->file_system = NULL; vda->type = DISK_BLOCK)
SPOIL(no_driver, vda->driver = NULL; vda->sharing = SHARING_NOT_PROVED)
SPOIL(no_driver_readonly, vda->driver = NULL; vda->readonly = true)
SPOIL(transient, vda->transient = true)
SPOIL(readonly_missing, vda->readonly = true; vda->at_dest.present = TRI_NO)
SPOIL(readonly_there, vda->readonly = true)
SPOIL(readonly_unseen, vda->readonly = true; vda->at_dest.present = TRI_NOT_KNOWN)
SPOIL(cdrom_empty, vda->device = DEVICE_CDROM; vda->type = DISK_EMPTY; vda->source = NULL;
      vda->at_dest.present = TRI_NO)
SPOIL(cdrom_missing, vda->device = DEVICE_CDROM; vda->at_dest.present = TRI_NO)
SPOIL(cdrom_let_go, vda->device = DEVICE_CDROM; vda->at_dest.present = TRI_NO;
      vda->startup_policy = "optional")
SPOIL(floppy_let_go, vda->device = DEVICE_FLOPPY; vda->readonly = true; vda->at_dest.present = TRI_NO;
      vda->startup_policy = "requisite")
SPOIL(cdrom_mandatory, vda->device = DEVICE_CDROM; vda->at_dest.present = TRI_NO;
      vda->startup_policy = "mandatory")
SPOIL(disk_optional, vda->readonly = true; vda->at_dest.present = TRI_NO; vda->startup_policy = "optional")
SPOIL(encrypted, vda->encrypted = true)
SPOIL(not_proved, vda->sharing = SHARING_NOT_PROVED)
SPOIL(not_proved_unseen, vda->sharing = SHARING_NOT_PROVED; vda->at_dest.present = TRI_NOT_KNOWN)
SPOIL(proved_yet_absent, vda->at_dest.present = TRI_NO)
SPOIL(proved_unseen, vda->at_dest.present = TRI_NOT_KNOWN)
SPOIL(unusual_cached, vda->file_system = "fuse.moosefs"; vda->cache = "writeback")
SPOIL(unusual_directsync, vda->file_system = "fuse.moosefs"; vda->cache = "directsync")
SPOIL(nfs_cached, vda->cache = NULL)
SPOIL(nfs_cached_old, vda->cache = NULL; f->source.qemu_version = 3999999)
SPOIL(nfs_cached_first, vda->cache = NULL; f->source.qemu_version = 4000000)
SPOIL(ceph_cached_old, vda->cache = NULL; vda->file_system = "ceph"; f->source.qemu_version = 3999999)
SPOIL(copy_there, sample_local(vda)->at_dest.present = TRI_YES)
SPOIL(copy_unseen, sample_local(vda)->at_dest.present = TRI_NOT_KNOWN)
SPOIL(copy_uncreatable, sample_local(vda)->driver_creates = false)
SPOIL(copy_no_format, sample_local(vda)->format = NULL)
SPOIL(copy_vmdk, sample_local(vda)->format = "vmdk")
SPOIL(copy_raw, sample_local(vda)->format = "raw")
SPOIL(copy_odd, copy_raw(f, limits); vda->cache = "none"; vda->at_source.capacity_bytes = GiB(1) + 512)
SPOIL(copy_even, copy_odd(f, limits); vda->at_source.capacity_bytes = GiB(1) + 4096)
SPOIL(copy_odd_cached, copy_odd(f, limits); vda->cache = "writeback")
SPOIL(copy_odd_qcow2, copy_odd(f, limits); vda->format = "qcow2")
SPOIL(copy_odd_off, copy_odd(f, limits); f->domain.run = RUN_SHUTOFF; f->source.uri = "qemu:///system")
#include "rule-cases-images.h"
SPOIL(copy_shareable, sample_local(vda)->shareable = true)
SPOIL(shared_shareable, vda->shareable = true)
SPOIL(copy_encrypted, sample_local(vda)->encrypted = true)
SPOIL(copy_no_size, sample_local(vda)->at_source.capacity_bytes = NOT_KNOWN)
SPOIL(space_short, sample_local(vda)->at_dest.free_bytes = MiB(400) - 1)
SPOIL(space_exact, sample_local(vda)->at_dest.free_bytes = MiB(400))
SPOIL(space_by_capacity, sample_local(vda)->at_dest.free_bytes = GiB(1) - 1;
      vda->at_source.allocated_bytes = NOT_KNOWN)
SPOIL(space_of_two_short, sample_local(vda)->at_dest.free_bytes = MiB(800) - 1;
      sample_local(sample_disk(f, "vdb"))->at_dest.free_bytes = MiB(800) - 1)
SPOIL(space_of_two_exact, sample_local(vda)->at_dest.free_bytes = MiB(800);
      sample_local(sample_disk(f, "vdb"))->at_dest.free_bytes = MiB(800))
SPOIL(space_of_two_pools, sample_local(vda)->at_dest.free_bytes = MiB(400);
      sample_local(sample_disk(f, "vdb"))->at_dest.free_bytes = MiB(400);
      facts_disk(f, "vdb")->at_dest.pool = "other")
SPOIL(space_not_known, sample_local(vda)->at_dest.free_bytes = NOT_KNOWN)
SPOIL(space_to_grow_short, sample_local(vda)->at_dest.free_bytes = GiB(1) - 1)
SPOIL(space_to_grow, sample_local(vda)->at_dest.free_bytes = GiB(1))

/* ---- the memory mode, and what the user allows ---- */

/* The sample's link carries 117.5 MB/s at best and 88.1 MB/s at worst; some 95 % of that end within 60
 * passes. */
static void writes(struct facts *f, uint64_t low_bytes, uint64_t high_bytes)
{
    static struct dirty_window one;

    one = (struct dirty_window){ 1000, low_bytes, low_bytes, high_bytes };
    f->domain.dirty = &one;
    f->domain.n_dirty = 1;
}
/* The most that any strategy says of itself: with a limit of that none is beyond it. */
static uint64_t most(const struct facts *f, size_t offset)
{
    OWNED(plan) p = plan_of(f);
    uint64_t figure = 0;

    for (size_t i = 0; i < p->n; i++) {
        const uint64_t own = *(const uint64_t *)(const void *)((const char *)&p->list[i] + offset);

        figure = own > figure ? own : figure;
    }
    return figure;
}
#define MOST(member) most(f, offsetof(struct strategy, member))
SPOIL(no_postcopy, limits->no_postcopy = true)
SPOIL(no_throttle, limits->no_throttle = true)
SPOIL(carries_postcopy, tcp->can_postcopy = true)
SPOIL(writes_too_fast, writes(f, 115000000, 115000000))
SPOIL(writes_just_slow_enough, writes(f, 113000000, 113000000))
SPOIL(may_write_too_fast, writes(f, 1000000, 83500000))
SPOIL(cannot_write_too_fast, writes(f, 1000000, 81500000))
SPOIL(deadline_short, writes(f, 0, 0); limits->deadline_ms = MOST(time_ms.likely) - 1)
SPOIL(deadline_kept, writes(f, 0, 0); limits->deadline_ms = MOST(time_ms.likely))
SPOIL(deadline_may_be_short, writes(f, 0, 0); limits->deadline_ms = MOST(time_ms.high) - 1)
SPOIL(deadline_is_kept, writes(f, 0, 0); limits->deadline_ms = MOST(time_ms.high))
SPOIL(downtime_short, limits->max_downtime_ms = MOST(downtime_ms.low) - 1)
SPOIL(downtime_kept, limits->max_downtime_ms = MOST(downtime_ms.low))
SPOIL(grows_unseen, vda->at_dest.keeps_length = TRI_YES; vda->format = "qcow2")
SPOIL(grows_unseen_raw, vda->at_dest.keeps_length = TRI_YES; vda->format = "raw")
SPOIL(grows_unseen_read_only, vda->at_dest.keeps_length = TRI_YES; vda->format = "qcow2";
      vda->readonly = true)
SPOIL(grows_unseen_paused, vda->at_dest.keeps_length = TRI_YES; vda->format = "qcow2";
      f->domain.run = RUN_PAUSED)
SPOIL(grows_unseen_shut_off, vda->at_dest.keeps_length = TRI_YES; vda->format = "qcow2";
      f->domain.run = RUN_SHUTOFF)
SPOIL(shut_off_local, f->domain.run = RUN_SHUTOFF; sample_local(vda); f->source.uri = "qemu:///system")
SPOIL(shut_off_local_far, shut_off_local(f, limits); f->source.uri = "qemu+ssh://hostA/system")
SPOIL(shut_off_local_forwarded, shut_off_local(f, limits); f->source.uri = "qemu:///system?socket=/run/x")
SPOIL(shut_off_local_device, shut_off_local(f, limits); vda->type = DISK_BLOCK)
SPOIL(shut_off_local_based, shut_off_local(f, limits); vda->chain = &loose_base; vda->n_chain = 1)
SPOIL(shut_off_local_overlay, shut_off_local(f, limits); vda->chain = &proved_base; vda->n_chain = 1;
      vda->driver_bases = true)
SPOIL(shut_off_local_bound, shut_off_local(f, limits); limits->bandwidth_bytes_per_s = MiB(1))

/* found: does the rule speak; valid: can anything be chosen then. */
#include "rule-cases-connections.h"
#include "rule-cases-relocate.h"
#include "rule-cases-tls.h"
#include "rule-cases-way.h"

static const struct {
    const char *id;
    spoil *facts;
    bool found, valid;
} cases[] = {
    { "domain-not-running", state_not_known, true, false },
    { "domain-not-running", shut_off, false, true },
    { "cpu-not-suited", cpu_lacks, true, false },
    { "cpu-not-suited", cpu_suits, false, true },
    { "cpu-not-suited", fine, false, true },
    { "machine-type-missing", machine_lacks, true, false },
    { "machine-type-missing", machine_known, false, true },
    { "invtsc", invtsc, true, true },
    { "invtsc", no_invtsc, false, true },
    { "pinned-processors", pinned_out, true, false },
    { "pinned-processors", pinned_in, false, true },
    { "pinned-processors", pinned_unseen, false, true },
    { "numa-nodes", nodes_out, true, false },
    { "numa-nodes", nodes_in, false, true },
    { "hugepages-missing", pages_short, true, false },
    { "hugepages-missing", pages_default_short, true, false },
    { "hugepages-missing", pages_of_no_such_size, true, false },
    { "hugepages-missing", pages_exact, false, true },
    { "hugepages-missing", pages_which, false, true },
    { "hugepages", pages_which, true, true },
    { "hugepages", pages_exact, false, true },
    { "hugepages", pages_of_no_such_size, false, false },
    { "bridge-missing", interface_seen_missing, true, false },
    { "bridge-missing", interface_seen_there, false, true },
    { "network-missing", no_network_at_all, true, false },
    { "interface-device-missing", direct_missing, true, false },
    { "interface-device-missing", direct_there, false, true },
    { "interface-direct", direct_missing, false, false },
    { "interface-direct", direct_there, false, true },
    { "mtu-smaller", mtu_smaller, true, true },
    { "mtu-smaller", mtu_equal, false, true },
    { "mtu-smaller", mtu_unseen, false, true },
    { "graphics-address", shown_elsewhere, true, false },
    { "graphics-address", shown_on_network, true, false },
    { "graphics-address", shown_there, false, true },
    { "graphics-address", shown_anywhere, false, true },
    { "graphics-address", shown_unseen, false, true },
    { "graphics-address-not-known", shown_unseen, true, true },
    { "graphics-address-not-known", shown_at_peer, false, true },
    { "graphics-address-not-known", shown_elsewhere, false, false },
    { "pool-missing", pool_missing, true, false },
    { "pool-missing", pool_off, true, false },
    { "pool-missing", pool_there, false, true },
    { "pool-missing", pool_mapped_there, false, true },
    { "pool-missing", pool_mapped_away, true, false },
    { "pool-of-another-kind", pool_there, false, true },
    { "pool-of-another-kind", pool_of_devices, true, false },
    { "pool-of-another-kind", pool_of_files, true, false },
    { "pool-of-another-kind", pool_of_rbd, true, false },
    { "pool-of-another-kind", pool_of_same, false, true },
    { "device-would-be-overwritten", volume_not_named, true, false },
    { "device-overwritten", volume_named, true, true },
    { "device-size-differs", volume_smaller, true, false },
    { "device-missing", volume_made, false, true },
    { "device-missing", volume_of_no_pool, true, false },
    { "destination-space", volume_made_short, true, false },
    { "destination-space", volume_made, false, true },
    { "storage-mapped", pool_mapped_there, true, true },
    { "secret-missing", secret_missing, true, false },
    { "secret-missing", secret_other_uuid, true, false },
    { "secret-missing", secret_there, false, true },
    { "secret-missing", secret_by_usage, false, true },
    { "tpm-missing", tpm_lacks, true, false },
    { "tpm-missing", tpm_there, false, true },
    { "lock-manager-differs", locks_differ, true, false },
    { "lock-manager-differs", locks_equal, false, true },
    { "lock-manager-differs", lock_unseen, false, true },
    { "lock-manager-not-known", lock_unseen, true, true },
    { "lock-manager-not-known", no_lock, false, true },
    { "lock-manager-not-known", locks_equal, false, true },
    { "userfaultfd", no_userfaultfd, true, true },
    { "userfaultfd", userfaultfd, false, true },
    { "postcopy-userfaultfd", no_userfaultfd, true, true },
    { "postcopy-userfaultfd", userfaultfd, false, true },
    { "migration-port-filtered", port_filtered, true, false },
    { "migration-port-filtered", port_open, false, true },
    { "migration-port-not-checked", port_unseen, true, true },
    { "migration-port-not-checked", port_open, false, true },
    { "checkpoints", checkpoints, true, true },
    { "checkpoints", fine, false, true },
    { "autostart", starts_by_itself, true, true },
    { "autostart", fine, false, true },
    { "domain-not-running", state_not_known, true, false },
    { "domain-not-running", paused, false, true },
    { "paused-arrival", paused_arrival, true, false },
    { "paused-arrival", paused_arrival_new, false, true },
    { "paused-arrival", paused_after_running, false, true },
    { "job-in-progress", job, true, false },
    { "job-in-progress", fine, false, true },
    { "managed-domain", managed, true, false },
    { "managed-domain", managed_forced, false, true },
    { "managed-domain-forced", managed_forced, true, true },
    { "managed-domain-forced", only_forced, false, true },
    { "managed-save", managed_save, true, false },
    { "managed-save", fine, false, true },
    { "snapshots", snapshots, true, false },
    { "snapshots", fine, false, true },
    { "same-host", same_host, true, false },
    { "same-host", no_uuids, false, true },
    { "name-taken", same_name, true, false },
    { "name-taken", fine, false, true },
    { "destination-memory", memory_short, true, false },
    { "destination-memory", memory_exact, false, true },
    { "destination-memory", memory_not_known, false, true },
    { "destination-memory-not-known", memory_not_known, true, true },
    { "destination-memory-not-known", memory_exact, false, true },
    { "hugepages", hugepages, true, true },
    { "hugepages", fine, false, true },
    { "older-destination", older_qemu, true, true },
    { "older-destination", fine, false, true },
    { "cpu-of-source", passthrough_cpu, true, true },
    { "cpu-of-source", custom_cpu, false, true },
    { "direct-boot", direct_boot, true, true },
    { "direct-boot", fine, false, true },
    { "firmware", firmware, true, true },
    { "firmware", fine, false, true },
    { "tpm-state", has_tpm, true, true },
    { "tpm-state", fine, false, true },
    { "device-tied", hostdev, true, false },
    { "device-tied", tpm_passed, true, false },
    { "device-tied", nvdimm, true, false },
    { "device-tied", has_tpm, false, true },
    { "device-tied", redirdev, false, true },
    { "device-host-side", redirdev, true, true },
    { "device-host-side", has_tpm, false, true },
    { "bridge-missing", bridge_missing, true, false },
    { "bridge-missing", bridge_there, false, true },
    { "bridge-missing", bridge_list_not_known, false, true },
    { "network-missing", network_missing, true, false },
    { "network-missing", network_there, false, true },
    { "interface-tied", interface_passed, true, false },
    { "interface-tied", interface_user, false, true },
    { "interface-direct", interface_direct, true, true },
    { "interface-direct", interface_user, false, true },
    { "bridge-missing", bridge_mapped_there, false, true },
    { "bridge-missing", bridge_mapped_away, true, false },
    { "network-missing", network_mapped_there, false, true },
    { "network-mapped", bridge_mapped_there, true, true },
    { "network-mapped", bridge_there, false, true },
    { "map-not-used", mapped_in_vain, true, true },
    { "map-not-used", mapped_in_vain_for_all, false, true },
    { "storage-mapped", storage_mapped, true, true },
    { "storage-mapped", fine, false, true },
    { "mapped-together", mapped_together, true, false },
    { "mapped-together", mapped_apart, false, false },
    { "mapped-together", fine, false, true },
    { "map-not-used", bridge_mapped_there, false, true },
    { "no-channel", no_channel, true, false },
    { "no-channel", fine, false, true },
    { "cleartext", untrusted, true, false },
    { "cleartext", untrusted_signed, true, false },
    { "cleartext", untrusted_allowed, false, true },
    { "cleartext", untrusted_encrypted, false, true },
    { "cleartext", fine, false, true },
    { "cleartext-allowed", untrusted_allowed, true, true },
    { "cleartext-allowed", fine, true, true },
    { "cleartext-allowed", untrusted_encrypted, false, true },
    { "channel-no-address", no_address, true, false },
    { "channel-no-address", fine, false, true },
    { "address-not-checked", not_probed, true, true },
    { "address-not-checked", fine, false, true },
    { "channel-without-disks", copy_on_bare_channel, true, false },
    { "channel-without-disks", copy_fine, false, true },
    { "no-gate", remote_source, true, true },
    { "no-gate", fine, false, true },
    { "unsafe-with-proof", file_system_unusual, true, true },
    { "unsafe-with-proof", file_system_not_known, true, true },
    { "unsafe-with-proof", unusual_block, false, true },
    { "unsafe-with-proof", fine, false, true },
    { "unsafe-with-proof", copy_fine, false, true },
    { "no-driver", no_driver, true, false },
    { "no-driver", no_driver_readonly, false, true },
    { "transient-disk", transient, true, false },
    { "transient-disk", fine, false, true },
    { "readonly-image-missing", readonly_missing, true, false },
    { "readonly-image-missing", cdrom_missing, true, false },
    { "readonly-image-missing", readonly_there, false, true },
    { "readonly-image-missing", cdrom_empty, false, true },
    { "readonly-image-missing", cdrom_mandatory, true, false },
    { "readonly-image-missing", disk_optional, true, false },
    { "readonly-image-missing", cdrom_let_go, false, true },
    { "drive-arrives-empty", cdrom_let_go, true, true },
    { "drive-arrives-empty", floppy_let_go, true, true },
    { "drive-arrives-empty", cdrom_mandatory, false, false },
    { "drive-arrives-empty", disk_optional, false, false },
    { "drive-arrives-empty", readonly_there, false, true },
    { "readonly-image-not-known", readonly_unseen, true, true },
    { "readonly-image-not-known", readonly_there, false, true },
    { "encrypted-disk", encrypted, true, true },
    { "encrypted-disk", fine, false, true },
    { "sharing-not-proved", not_proved, true, false },
    { "sharing-not-proved", not_proved_unseen, true, false },
    { "sharing-not-proved", fine, false, true },
    { "not-shared", copy_fine, true, true },
    { "not-shared", fine, false, true },
    { "sharing-contradicted", proved_yet_absent, true, false },
    { "sharing-contradicted", proved_unseen, false, true },
    { "cache-mode", unusual_cached, true, false },
    { "cache-mode", unusual_directsync, false, true },
    { "cache-mode", nfs_cached, false, true },
    { "cache-mode-old-qemu", nfs_cached_old, true, false },
    { "cache-mode-old-qemu", nfs_cached_first, false, true },
    { "cache-mode-old-qemu", ceph_cached_old, false, true },
    { "cache-dropped", nfs_cached, true, true },
    { "cache-dropped", fine, false, true },
    { "already-shared", fine, true, true },
    { "already-shared", copy_fine, false, true },
    { "destination-image-exists", copy_there, true, false },
    { "destination-image-exists", copy_fine, false, true },
    { "destination-image-not-known", copy_unseen, true, false },
    { "destination-image-not-known", copy_fine, false, true },
    { "cannot-create", copy_uncreatable, true, false },
    { "cannot-create", copy_fine, false, true },
    { "copy-format", copy_no_format, true, false },
    { "copy-format", copy_vmdk, true, false },
    { "copy-format", copy_raw, false, true },
    { "copy-length", copy_odd, true, false },
    { "copy-length", copy_even, false, true },
    { "copy-length", copy_odd_cached, false, true },
    { "copy-length", copy_odd_qcow2, false, true },
    { "copy-length", copy_odd_off, false, true },
    { "backing-file-not-proved", shared_loose, true, false },
    { "backing-file-not-proved", shared_missing, true, false },
    { "backing-file-not-proved", shared_half, true, false },
    { "backing-file-not-proved", shared_proved, false, true },
    { "chain-not-known", off_qcow2, true, true },
    { "chain-not-known", off_raw, false, true },
    { "chain-not-known", shared_proved, false, true },
    { "chain-not-known", fine, false, true },
    { "chain-not-known", off_alone, false, true },
    { "chain-not-known", off_on_network, false, false },
    { "base-no-file", off_on_network, true, false },
    { "base-no-file", off_qcow2, false, true },
    { "base-no-file", off_alone, false, true },
    { "base-no-file", shared_proved, false, true },
    { "data-file-not-proved", shared_data_file, true, false },
    { "data-file-not-proved", shared_data_file_below, true, false },
    { "data-file-not-proved", copy_data_file, true, true },
    { "data-file-not-proved", fine, false, true },
    { "image-replaced", open_other, true, false },
    { "image-replaced", open_same, false, true },
    { "image-replaced", open_other_below, true, false },
    { "image-replaced", open_other_copied, true, true },
    { "image-replaced", open_below, true, false },
    { "image-replaced", open_least, false, true },
    { "image-replaced", open_most, false, true },
    { "image-replaced", open_above, true, false },
    { "image-replaced", open_lost, true, false },
    { "image-replaced", open_not_said, false, true },
    { "snapshots-in-image", copy_snapshots, true, true },
    { "snapshots-in-image", copy_no_snapshots, false, true },
    { "snapshots-in-image", copy_fine, false, true },
    { "copied-flat", copy_loose, true, true },
    { "copied-flat", copy_base_by_old_driver, true, true },
    { "copied-flat", copy_overlay, false, true },
    { "copied-flat", copy_fine, false, true },
    { "chain-not-kept", keep_loose, true, false },
    { "chain-not-kept", keep_missing_far, true, false },
    { "chain-not-kept", keep_missing, false, true },
    { "chain-not-kept", keep_overlay, false, true },
    { "chain-kept", keep_missing, true, true },
    { "chain-kept", keep_overlay, false, true },
    { "copy-lun", copy_lun, true, false },
    { "copy-lun", copy_fine, false, true },
    { "copy-shareable", copy_shareable, true, false },
    { "copy-shareable", shared_shareable, false, true },
    { "copy-encrypted", copy_encrypted, true, false },
    { "copy-encrypted", encrypted, false, true },
    { "copy-size-not-known", copy_no_size, true, false },
    { "copy-size-not-known", copy_fine, false, true },
    { "destination-space", space_short, true, false },
    { "destination-space", space_exact, false, true },
    { "destination-space", space_by_capacity, true, false },
    { "destination-space", space_of_two_short, true, false },
    { "destination-space", space_of_two_exact, false, true },
    { "destination-space", space_of_two_pools, false, true },
    { "destination-space-not-known", space_not_known, true, true },
    { "destination-space-not-known", copy_fine, false, true },
    { "destination-overcommit", space_to_grow_short, true, true },
    { "destination-overcommit", space_to_grow, false, true },
    { "destination-overcommit", space_short, false, false },
    { "device-not-a-device", device_file_here, true, false },
    CASES_DEVICES,
    { "postcopy-not-wanted", no_postcopy, true, true },
    { "postcopy-not-wanted", no_throttle, false, true },
    { "throttle-not-wanted", no_throttle, true, true },
    { "throttle-not-wanted", no_postcopy, false, true },
    { "channel-without-postcopy", fine, true, true },
    { "channel-without-postcopy", carries_postcopy, false, true },
    { "never-ends", writes_too_fast, true, true },
    { "never-ends", writes_just_slow_enough, false, true },
    { "may-not-end", may_write_too_fast, true, true },
    { "may-not-end", cannot_write_too_fast, false, true },
    { "deadline-missed", deadline_short, true, true },
    { "deadline-missed", deadline_kept, false, true },
    { "deadline-near", deadline_may_be_short, true, true },
    { "deadline-near", deadline_is_kept, false, true },
    { "downtime-too-long", downtime_short, true, true },
    { "downtime-too-long", downtime_kept, false, true },
    { "offline-copy", shut_off_local, false, true },
    { "offline-copy", shut_off_local_far, true, false },
    { "offline-copy", shut_off_local_forwarded, true, false },
    { "offline-copy", shut_off_local_device, true, false },
    { "offline-copy", shut_off_local_based, true, false },
    { "offline-copy", shut_off_local_overlay, false, true },
    { "offline-copy", shut_off_local_bound, true, false },
    { "offline-copy", shut_off, false, true },
    { "grows-unseen", grows_unseen, true, false },
    { "grows-unseen", grows_unseen_raw, false, true },
    { "grows-unseen", grows_unseen_read_only, false, true },
    { "grows-unseen", grows_unseen_paused, false, true },
    { "grows-unseen", grows_unseen_shut_off, false, true },
    CASES_RELOCATE,
    CASES_TLS,
    CASES_TLS_LIBVIRT,
    CASES_TLS_HANG,
    CASES_OF_THE_WAY,
    CASES_CONNECTIONS,
};

/* One test over the whole table: Check forks for each turn of a loop test, and there are many. */

#endif
