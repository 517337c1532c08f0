/* SPDX-License-Identifier: Apache-2.0
 * The cases of what images rest on and say of themselves, and of block devices: facts for rows of the table
 * in rule-cases.h, which includes this. */
#ifndef UNIT_PLAN_RULE_CASES_IMAGES_H
#define UNIT_PLAN_RULE_CASES_IMAGES_H

#define BASE(...)                                                                                            \
    {                                                                                                        \
        .target = "vda", .type = DISK_FILE, .format = "qcow2", .source = "/images/base.qcow2",               \
        .readonly = true,                                                                                    \
        .at_source = { .allocated_bytes = MiB(100),                                                          \
                       .n_snapshots = NOT_KNOWN,                                                             \
                       .open_most_bytes = NOT_KNOWN },                                                       \
        __VA_ARGS__                                                                                          \
    }
static struct disk proved_base_with_data = BASE(.sharing = SHARING_PROVED, .at_source.data_file = "d.raw");
static struct disk loose_base = BASE(.sharing_evidence = "two folders");
static struct disk missing_base = BASE(.sharing = SHARING_DENIED, .at_dest = { .present = TRI_NO });
static struct disk gone_base =
    BASE(.driver = "local-block", .at_dest = { .present = TRI_NO, .free_bytes = GiB(10) });
static struct disk other_base = BASE(.sharing = SHARING_PROVED, .at_source.is_open = TRI_NO);
static struct disk proved_base = BASE(.sharing = SHARING_PROVED);
static struct disk half_proved[] = { BASE(.sharing = SHARING_PROVED), BASE(.sharing = SHARING_DENIED) };
SPOIL(copy_loose, sample_local(vda)->chain = &loose_base; vda->n_chain = 1)
SPOIL(copy_overlay, sample_local(vda)->chain = &proved_base; vda->n_chain = 1; vda->driver_bases = true)
SPOIL(copy_base_by_old_driver, sample_local(vda)->chain = &proved_base; vda->n_chain = 1)
SPOIL(keep_loose, copy_loose(f, limits); limits->keep_chain = true)
SPOIL(keep_missing, sample_local(vda)->chain = &gone_base; vda->n_chain = 1; vda->driver_bases = true;
      limits->keep_chain = true; f->source.uri = "qemu:///system")
SPOIL(keep_missing_far, keep_missing(f, limits); f->source.uri = "qemu+ssh://hostA/system")
SPOIL(keep_overlay, copy_overlay(f, limits); limits->keep_chain = true)
SPOIL(shared_loose, vda->chain = &loose_base; vda->n_chain = 1)
SPOIL(shared_missing, vda->chain = &missing_base; vda->n_chain = 1)
SPOIL(shared_half, vda->chain = half_proved; vda->n_chain = 2)
SPOIL(off_qcow2, f->domain.run = RUN_SHUTOFF; vda->format = "qcow2")
SPOIL(off_alone, f->domain.run = RUN_SHUTOFF; vda->format = "qcow2"; vda->at_source.head_read = TRI_YES)
SPOIL(off_on_network, f->domain.run = RUN_SHUTOFF; vda->format = "qcow2"; vda->at_source.head_read = TRI_YES;
      vda->at_source.base = "nbd://host/x")
#define OPEN(there, least, most)                                                                             \
    vda->at_source.allocated_bytes = (there);                                                                \
    vda->at_source.open_least_bytes = (least);                                                               \
    vda->at_source.open_most_bytes = (most)
SPOIL(open_other, vda->at_source.is_open = TRI_NO)
SPOIL(open_same, vda->at_source.is_open = TRI_YES)
SPOIL(open_other_below, vda->chain = &other_base; vda->n_chain = 1)
SPOIL(open_other_copied, sample_local(vda)->at_source.is_open = TRI_NO)
SPOIL(open_below, OPEN(MiB(5) - KiB(512) - 1, MiB(5), MiB(6)))
SPOIL(open_least, OPEN(MiB(5) - KiB(512), MiB(5), MiB(6)))
SPOIL(open_most, OPEN(MiB(6) + KiB(512), MiB(5), MiB(6)))
SPOIL(open_above, OPEN(MiB(6) + KiB(512) + 1, MiB(5), MiB(6)))
SPOIL(open_lost, OPEN(MiB(6), 0, 0))
SPOIL(open_not_said, OPEN(MiB(6), NOT_KNOWN, NOT_KNOWN))
SPOIL(shared_data_file, vda->at_source.data_file = "d.raw")
SPOIL(shared_data_file_below, vda->chain = &proved_base_with_data; vda->n_chain = 1)
SPOIL(copy_data_file, sample_local(vda)->at_source.data_file = "")
SPOIL(copy_snapshots, sample_local(vda)->at_source.n_snapshots = 2)
SPOIL(copy_no_snapshots, sample_local(vda)->at_source.n_snapshots = 0)
SPOIL(off_raw, f->domain.run = RUN_SHUTOFF; vda->format = "raw")
SPOIL(shared_proved, vda->chain = &proved_base; vda->n_chain = 1)
SPOIL(copy_lun, sample_local(vda)->device = DEVICE_LUN)
SPOIL(device_fine, (void)device_of(f, vda))
SPOIL(device_not_named, (void)device_of(f, vda); f->overwrite.n = 0)
SPOIL(device_other_named, (void)device_of(f, vda); f->overwrite = NAMES_OF(features, 1))
SPOIL(device_shared, device_of(f, vda)->sharing = SHARING_PROVED; f->overwrite.n = 0)
SPOIL(device_shared_named, device_of(f, vda)->sharing = SHARING_PROVED)
SPOIL(file_named, device_of(f, vda)->type = DISK_FILE; sample_local(vda))
SPOIL(device_file_here, device_of(f, vda)->at_source.is_device = TRI_NO)
SPOIL(device_file_there, device_of(f, vda)->at_dest.is_device = TRI_NO)
SPOIL(device_file_there_shared, device_of(f, vda)->at_dest.is_device = TRI_NO; vda->sharing = SHARING_PROVED)
SPOIL(device_type_not_known, device_of(f, vda)->at_dest.is_device = TRI_NOT_KNOWN;
      vda->at_source.is_device = TRI_NOT_KNOWN)
SPOIL(device_missing, device_of(f, vda)->at_dest.present = TRI_NO)
SPOIL(device_made, device_of(f, vda)->at_dest.present = TRI_NO; vda->at_dest.pool = "vg0"; f->overwrite.n = 0)
SPOIL(device_unseen, device_of(f, vda)->at_dest.present = TRI_NOT_KNOWN)
SPOIL(device_smaller, device_of(f, vda)->at_dest.capacity_bytes = GiB(1) - 512)
SPOIL(device_larger, device_of(f, vda)->at_dest.capacity_bytes = GiB(1) + 512)
SPOIL(device_no_size, device_of(f, vda)->at_dest.capacity_bytes = NOT_KNOWN)
SPOIL(device_blocks, device_of(f, vda)->at_dest.block_bytes = 4096)
SPOIL(device_both_blocks, device_of(f, vda)->at_dest.block_bytes = vda->at_source.block_bytes = 4096)
SPOIL(device_no_blocks, device_of(f, vda)->at_dest.block_bytes = NOT_KNOWN)
SPOIL(device_no_blocks_here, device_of(f, vda)->at_source.block_bytes = NOT_KNOWN)
SPOIL(device_used, device_of(f, vda)->at_dest.in_use = TRI_YES)
SPOIL(device_used_shared, device_of(f, vda)->at_dest.in_use = TRI_YES; vda->sharing = SHARING_PROVED)
SPOIL(device_use_unseen, device_of(f, vda)->at_dest.in_use = TRI_NOT_KNOWN)
SPOIL(device_one_host, (void)device_of(f, vda); f->dest.uuid = NULL)
SPOIL(device_one_host_told, device_of(f, vda)->at_source.identity = "wwn:1"; f->dest.uuid = NULL)
SPOIL(device_two_kinds, device_of(f, vda)->at_source.identity = "wwn:1"; vda->at_dest.identity = "serial:1";
      vda->sharing = SHARING_DENIED)
SPOIL(device_one_kind, device_of(f, vda)->at_source.identity = "wwn:1"; vda->at_dest.identity = "wwn:2";
      vda->sharing = SHARING_DENIED)
SPOIL(device_one_unread, device_of(f, vda)->at_source.identity = "wwn:1";
      vda->at_dest.identity_read = TRI_NOT_KNOWN)
SPOIL(device_other_unread, device_of(f, vda)->at_dest.identity = "wwn:1";
      vda->at_source.identity_read = TRI_NOT_KNOWN)
SPOIL(device_none_dest_unread, device_of(f, vda)->at_dest.identity_read = TRI_NOT_KNOWN)
SPOIL(device_none_unread, device_of(f, vda)->at_source.identity_read = TRI_NOT_KNOWN;
      vda->at_dest.identity_read = TRI_NOT_KNOWN)
SPOIL(device_qcow2, device_of(f, vda)->format = "qcow2")
SPOIL(device_image, (void)device_image_of(f, vda))
SPOIL(device_image_blocks, device_image_of(f, vda)->at_dest.block_bytes = 4096)
SPOIL(device_image_short, device_image_of(f, vda)->at_dest.device_bytes = GiB(2) - 1)
SPOIL(device_image_larger, device_image_of(f, vda)->at_dest.device_bytes = GiB(3))
SPOIL(device_image_no_size, device_image_of(f, vda)->at_dest.device_bytes = NOT_KNOWN)
SPOIL(device_image_full, device_image_of(f, vda)->at_source.device_bytes = GiB(20);
      vda->at_dest.device_bytes = GiB(10) + GiB(10) / 4096 + (1u << 20))
SPOIL(device_image_not_full, device_image_of(f, vda)->at_source.device_bytes = GiB(20);
      vda->at_dest.device_bytes = GiB(10) + GiB(10) / 4096 + (1u << 20) - 1)
SPOIL(device_image_with_base, device_image_of(f, vda)->chain = &loose_base; vda->n_chain = 1)
SPOIL(device_image_made, device_image_of(f, vda)->at_dest.present = TRI_NO; vda->at_dest.pool = "vg0";
      vda->at_dest.free_bytes = GiB(2))
SPOIL(device_image_made_short, device_image_of(f, vda)->at_dest.present = TRI_NO; vda->at_dest.pool = "vg0";
      vda->at_dest.free_bytes = GiB(2) - 1)
SPOIL(device_no_format, device_of(f, vda)->format = NULL)
SPOIL(device_qcow2_shared, device_of(f, vda)->format = "qcow2"; vda->sharing = SHARING_PROVED)

#define CASES_DEVICES                                                                                        \
    { "device-not-a-device", device_file_there, true, false },                                               \
        { "device-not-a-device", device_file_there_shared, true, false },                                    \
        { "device-not-a-device", device_type_not_known, false, true },                                       \
        { "device-not-a-device", device_fine, false, true },                                                 \
        { "overwrite-not-used", device_fine, false, true },                                                  \
        { "overwrite-not-used", device_other_named, true, false },                                           \
        { "overwrite-not-used", device_shared_named, true, true },                                           \
        { "overwrite-not-used", file_named, true, true },                                                    \
        { "device-would-be-overwritten", device_not_named, true, false },                                    \
        { "device-would-be-overwritten", device_other_named, true, false },                                  \
        { "device-would-be-overwritten", device_fine, false, true },                                         \
        { "device-would-be-overwritten", device_made, false, true },                                         \
        { "device-would-be-overwritten", device_shared, false, true },                                       \
        { "device-overwritten", device_fine, true, true },                                                   \
        { "device-overwritten", device_not_named, false, false },                                            \
        { "device-overwritten", device_shared_named, false, true },                                          \
        { "destination-image-exists", device_fine, false, true },                                            \
        { "destination-image-not-known", device_unseen, true, false },                                       \
        { "destination-space-not-known", device_fine, false, true },                                         \
        { "destination-space-not-known", device_made, true, true },                                          \
        { "device-missing", device_missing, true, false }, { "device-missing", device_made, false, true },   \
        { "device-missing", device_unseen, false, false },                                                   \
        { "device-size-differs", device_smaller, true, false },                                              \
        { "device-size-differs", device_larger, true, false },                                               \
        { "device-size-differs", device_fine, false, true },                                                 \
        { "device-size-differs", device_image_larger, false, true },                                         \
        { "device-too-small", device_image, false, true },                                                   \
        { "device-too-small", device_image_short, true, false },                                             \
        { "device-too-small", device_image_larger, false, true },                                            \
        { "device-too-small", device_image_full, false, true },                                              \
        { "device-too-small", device_image_not_full, true, false },                                          \
        { "device-too-small", device_image_with_base, true, false },                                         \
        { "device-too-small", device_image_made, false, true },                                              \
        { "device-too-small", device_smaller, false, false },                                                \
        { "destination-space", device_image_made, false, true },                                             \
        { "destination-space", device_image_made_short, true, false },                                       \
        { "device-size-not-known", device_image_no_size, true, false },                                      \
        { "device-block-size-differs", device_image_blocks, false, true },                                   \
        { "device-format", device_image, false, true },                                                      \
        { "device-size-not-known", device_no_size, true, false },                                            \
        { "device-size-not-known", device_made, false, true },                                               \
        { "device-block-size-differs", device_blocks, true, false },                                         \
        { "device-block-size-differs", device_both_blocks, false, true },                                    \
        { "device-block-size-not-known", device_no_blocks, true, true },                                     \
        { "device-block-size-not-known", device_no_blocks_here, true, true },                                \
        { "device-block-size-not-known", device_blocks, false, false },                                      \
        { "device-in-use", device_used, true, false }, { "device-in-use", device_used_shared, false, true }, \
        { "device-in-use", device_use_unseen, false, true },                                                 \
        { "device-use-not-known", device_use_unseen, true, true },                                           \
        { "device-use-not-known", device_fine, false, true },                                                \
        { "device-not-told-apart", device_one_host, true, false },                                           \
        { "device-not-told-apart", device_one_host_told, false, true },                                      \
        { "device-not-told-apart", device_two_kinds, true, false },                                          \
        { "device-not-told-apart", device_one_kind, false, true },                                           \
        { "device-not-told-apart", device_one_unread, true, false },                                         \
        { "device-not-told-apart", device_other_unread, true, false },                                       \
        { "device-not-told-apart", device_none_unread, true, false },                                        \
        { "device-not-told-apart", device_none_dest_unread, false, true },                                   \
        { "device-format", device_qcow2, true, false }, { "device-format", device_fine, false, true },       \
        { "device-format", device_qcow2_shared, false, true },                                               \
        { "copy-format", device_qcow2, false, false },                                                       \
    {                                                                                                        \
        "copy-format", device_no_format, true, false                                                         \
    }

#endif
