/* SPDX-License-Identifier: Apache-2.0
 * Either side of the border of each rule about relocation: by itself none of them keeps a move from being
 * made, since the disk can be copied. */
#ifndef UNIT_PLAN_RULE_CASES_RELOCATE_H
#define UNIT_PLAN_RULE_CASES_RELOCATE_H

#include "plan/sample-relocate.h"

SPOIL(goes, (void)relocation_of(f, vda))
SPOIL(goes_shut_off, (void)relocation_of(f, vda); f->domain.run = RUN_SHUTOFF)
SPOIL(goes_shut_off_far, goes_shut_off(f, limits); f->source.uri = "qemu+tcp://hostA/system")
SPOIL(goes_paused, (void)relocation_of(f, vda); f->domain.run = RUN_PAUSED; f->domain.ran_here = TRI_YES)
SPOIL(goes_with_snapshots, (void)relocation_of(f, vda); f->domain.has_snapshots = true)
SPOIL(goes_transient, (void)relocation_of(f, vda); f->domain.persistent = TRI_NO)
SPOIL(goes_sync_old, (void)relocation_of(f, vda); limits->synchronous_writes = true;
      f->source.libvirt_version = 7999999)
SPOIL(goes_sync_new, (void)relocation_of(f, vda); limits->synchronous_writes = true;
      f->source.libvirt_version = 8000000)
SPOIL(goes_readonly, (void)relocation_of(f, sample_cdrom(f)))
SPOIL(goes_shareable, (void)relocation_of(f, vda); vda->shareable = true)
SPOIL(goes_encrypted, (void)relocation_of(f, vda); vda->encrypted = true)
SPOIL(goes_unsized, (void)relocation_of(f, vda); vda->at_source.capacity_bytes = NOT_KNOWN)
SPOIL(goes_on_base, (void)relocation_of(f, vda); sample_base(f, vda))
SPOIL(goes_with_inner, (void)relocation_of(f, vda); vda->at_source.n_snapshots = 1)
SPOIL(goes_without_inner, (void)relocation_of(f, vda); vda->at_source.n_snapshots = 0)
SPOIL(goes_unclaimed, relocation_of(f, vda)->driver = NULL)
SPOIL(goes_nowhere, relocation_to_itself(f, vda))
SPOIL(goes_to_same_identity, relocation_of(f, vda)->at_dest.identity = "one"; vda->at_source.identity = "one")
SPOIL(goes_to_other_identity, relocation_of(f, vda)->at_dest.identity = "two";
      vda->at_source.identity = "one")
SPOIL(goes_both, (void)relocation_of(f, vda); (void)relocation_of(f, sample_disk(f, "vdb")))
SPOIL(goes_where_one_is, relocation_of(f, vda)->at_dest.present = TRI_YES)
SPOIL(goes_where_maybe, relocation_of(f, vda)->at_dest.present = TRI_NOT_KNOWN)
SPOIL(goes_uncreated, relocation_of(f, vda)->driver_creates = false)
SPOIL(goes_to_device, (void)relocation_to_device(f, vda))
SPOIL(goes_to_device_named, (void)relocation_to_device(f, vda); name_device(f))
SPOIL(goes_to_device_used, relocation_to_device(f, vda)->at_dest.in_use = TRI_YES; name_device(f))
SPOIL(goes_to_device_larger, relocation_to_device(f, vda)->at_dest.capacity_bytes = GiB(1) + 512;
      name_device(f))
SPOIL(goes_as_vmdk, relocation_of(f, vda)->format = "vmdk")
SPOIL(goes_to_rbd_as_qcow2, relocation_of(f, vda)->protocol = "rbd")
SPOIL(goes_to_rbd_as_raw, relocation_of(f, vda)->protocol = "rbd"; vda->relocation->format = "raw")
SPOIL(goes_tight, relocation_of(f, vda)->at_dest.free_bytes = MiB(400))
SPOIL(goes_too_tight, relocation_of(f, vda)->at_dest.free_bytes = MiB(400) - 1)
SPOIL(goes_roomy, relocation_of(f, vda)->at_dest.free_bytes = GiB(1))
SPOIL(goes_room_not_known, relocation_of(f, vda)->at_dest.free_bytes = NOT_KNOWN)
SPOIL(goes_raw, relocation_of(f, vda)->format = "raw")
SPOIL(goes_to_folder, relocation_of(f, vda)->type = DISK_FILE; vda->relocation->protocol = NULL)
SPOIL(goes_to_folder_of_both, relocation_of(f, vda)->type = DISK_FILE; vda->relocation->protocol = NULL;
      vda->relocation->sharing = SHARING_PROVED; vda->relocation->cache = "none")
SPOIL(goes_to_folder_cached, goes_to_folder_of_both(f, limits); vda->relocation->cache = "writeback")
SPOIL(goes_to_folder_on_nfs, goes_to_folder_cached(f, limits); vda->relocation->file_system = "nfs4")

SPOIL(goes_to_raw_file, goes_to_folder_of_both(f, limits); vda->relocation->format = "raw";
      vda->cache = "none"; vda->at_source.capacity_bytes = GiB(1) + 4096)
SPOIL(goes_to_raw_file_odd, goes_to_raw_file(f, limits); vda->at_source.capacity_bytes -= 512)
SPOIL(goes_to_raw_file_odd_direct, goes_to_raw_file_odd(f, limits); vda->cache = "directsync")
SPOIL(goes_to_raw_file_odd_cached, goes_to_raw_file_odd(f, limits); vda->cache = "writeback")
SPOIL(goes_to_qcow2_odd, goes_to_raw_file_odd(f, limits); vda->relocation->format = "qcow2")
SPOIL(goes_to_nfs_odd, goes_raw(f, limits); vda->cache = "none"; vda->at_source.capacity_bytes = GiB(1) + 512)

SPOIL(goes_for_good, (void)relocation_of(f, vda); limits->deletes_source = true; vda->driver_retires = true;
      vda->at_source.file_id = "1:2")
SPOIL(goes_for_good_unseen, (void)relocation_of(f, vda); limits->deletes_source = true;
      vda->driver_retires = true)
SPOIL(goes_for_good_undriven, (void)relocation_of(f, vda); limits->deletes_source = true;
      vda->at_source.file_id = "1:2")

#define CASES_RELOCATE                                                                                       \
    { "relocate-not-running", goes_shut_off, true, false },                                                  \
        { "relocate-not-running", goes_shut_off_far, true, false },                                          \
        { "relocate-not-running", goes_paused, false, true },                                                \
        { "relocate-snapshots", goes_with_snapshots, true, false },                                          \
        { "relocate-snapshots", goes, false, true }, { "relocate-transient", goes_transient, true, true },   \
        { "relocate-transient", goes, false, true },                                                         \
        { "relocate-synchronous-writes", goes_sync_old, true, true },                                        \
        { "relocate-synchronous-writes", goes_sync_new, false, true },                                       \
        { "relocate-drive", goes_readonly, true, false }, { "relocate-drive", goes, false, true },           \
        { "relocate-kind", goes_shareable, true, false }, { "relocate-kind", goes_encrypted, true, false },  \
        { "relocate-kind", goes, false, true }, { "relocate-size-not-known", goes_unsized, true, false },    \
        { "relocate-size-not-known", goes, false, true }, { "relocate-flat", goes_on_base, true, true },     \
        { "relocate-flat", goes, false, true }, { "relocate-inner-snapshots", goes_with_inner, true, true }, \
        { "relocate-inner-snapshots", goes_without_inner, false, true },                                     \
        { "relocate-no-driver", goes_unclaimed, true, true }, { "relocate-no-driver", goes, false, true },   \
        { "relocate-same-place", goes_nowhere, true, true },                                                 \
        { "relocate-same-place", goes_to_same_identity, true, true },                                        \
        { "relocate-same-place", goes_both, false, true },                                                   \
        { "relocate-same-place", goes_to_other_identity, false, true },                                      \
        { "relocate-image-exists", goes_where_one_is, true, true },                                          \
        { "relocate-image-exists", goes, false, true },                                                      \
        { "relocate-image-not-known", goes_where_maybe, true, true },                                        \
        { "relocate-image-not-known", goes, false, true },                                                   \
        { "relocate-cannot-create", goes_uncreated, true, true },                                            \
        { "relocate-cannot-create", goes, false, true }, { "relocate-device", goes_to_device, true, true },  \
        { "relocate-device", goes_to_device_named, false, true },                                            \
        { "relocate-device", goes_to_device_used, true, true },                                              \
        { "relocate-device", goes_to_device_larger, true, true },                                            \
        { "relocate-device-overwritten", goes_to_device_named, true, true },                                 \
        { "relocate-device-overwritten", goes_to_device, false, true },                                      \
        { "relocate-format", goes_as_vmdk, true, true },                                                     \
        { "relocate-format", goes_to_rbd_as_qcow2, true, true },                                             \
        { "relocate-format", goes_to_rbd_as_raw, false, true },                                              \
        { "relocate-length", goes_to_raw_file_odd, true, true },                                             \
        { "relocate-length", goes_to_raw_file_odd_direct, true, true },                                      \
        { "relocate-length", goes_to_raw_file, false, true },                                                \
        { "relocate-length", goes_to_raw_file_odd_cached, false, true },                                     \
        { "relocate-length", goes_to_qcow2_odd, false, true },                                               \
        { "relocate-length", goes_to_nfs_odd, false, true },                                                 \
        { "relocate-space", goes_too_tight, true, true }, { "relocate-space", goes_tight, false, true },     \
        { "relocate-overcommit", goes_tight, true, true },                                                   \
        { "relocate-overcommit", goes_room_not_known, true, true },                                          \
        { "relocate-overcommit", goes_roomy, false, true }, { "relocate-zeroes", goes_raw, true, true },     \
        { "relocate-zeroes", goes, false, true }, { "relocate-format-changes", goes_raw, true, true },       \
        { "relocate-format-changes", goes, false, true },                                                    \
        { "relocate-delete", goes_for_good_unseen, true, true },                                             \
        { "relocate-delete", goes_for_good_undriven, true, true },                                           \
        { "relocate-delete", goes_for_good, false, true },                                                   \
        { "relocate-deleted", goes_for_good, true, true }, { "relocate-deleted", goes, false, true },        \
        { "relocate-not-shared", goes_to_folder, true, true },                                               \
        { "relocate-not-shared", goes_to_folder_of_both, false, true },                                      \
        { "relocate-not-shared", goes_to_folder_cached, true, true },                                        \
        { "relocate-not-shared", goes_to_folder_on_nfs, false, true },                                       \
    {                                                                                                        \
        "relocate-not-shared", goes, false, true                                                             \
    }

#endif
