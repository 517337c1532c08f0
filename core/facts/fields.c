/* SPDX-License-Identifier: Apache-2.0
 * Every member of the model, and its name in JSON. A member that is missing here is lost between worker and
 * parent; tests/unit/facts/json-test.c counts the bytes of each struct to remind of it. */
#include "facts/fields.h"

#define TEXT(type, member)                                                                                   \
    {                                                                                                        \
        .name = #member, .kind = FIELD_TEXT, .offset = offsetof(struct type, member)                         \
    }
#define NEEDED(type, member)                                                                                 \
    {                                                                                                        \
        .name = #member, .kind = FIELD_TEXT, .required = true, .offset = offsetof(struct type, member)       \
    }
#define FIGURE(type, member)                                                                                 \
    {                                                                                                        \
        .name = #member, .kind = FIELD_FIGURE, .offset = offsetof(struct type, member)                       \
    }
#define SMALL(type, member, limit)                                                                           \
    {                                                                                                        \
        .name = #member, .kind = FIELD_SMALL, .offset = offsetof(struct type, member), .max = (limit)        \
    }
#define FLAG(type, member)                                                                                   \
    {                                                                                                        \
        .name = #member, .kind = FIELD_FLAG, .offset = offsetof(struct type, member)                         \
    }
#define TRI(type, member)                                                                                    \
    {                                                                                                        \
        .name = #member, .kind = FIELD_TRI, .offset = offsetof(struct type, member)                          \
    }
#define WORD(type, member, table)                                                                            \
    {                                                                                                        \
        .name = #member, .kind = FIELD_WORD, .offset = offsetof(struct type, member), .words = &(table)      \
    }
#define NAMES(type, member)                                                                                  \
    {                                                                                                        \
        .name = #member, .kind = FIELD_NAMES, .offset = offsetof(struct type, member), .max = FACTS_MAX_LIST \
    }
#define OBJECT(type, member, table)                                                                          \
    {                                                                                                        \
        .name = #member, .kind = FIELD_OBJECT, .offset = offsetof(struct type, member), .rows = (table)      \
    }
#define LIST(text, type, member, count, table, limit)                                                        \
    {                                                                                                        \
        .name = (text), .kind = FIELD_LIST, .offset = offsetof(struct type, member), .rows = (table),        \
        .count_offset = offsetof(struct type, count), .element_size = sizeof *((struct type *)NULL)->member, \
        .max = (limit)                                                                                       \
    }
#define END                                                                                                  \
    {                                                                                                        \
        .name = NULL                                                                                         \
    }

const struct field fields_finding[] = {
    NEEDED(finding, id),  WORD(finding, severity, words_severity),
    TEXT(finding, where), TEXT(finding, what),
    TEXT(finding, fix),   END,
};

static const struct field fields_image[] = {
    TRI(disk_image, present),
    TEXT(disk_image, identity),
    TEXT(disk_image, directory),
    TEXT(disk_image, evidence),
    FIGURE(disk_image, capacity_bytes),
    FIGURE(disk_image, allocated_bytes),
    FIGURE(disk_image, free_bytes),
    TEXT(disk_image, pool),
    TRI(disk_image, keeps_length),
    TRI(disk_image, is_device),
    TRI(disk_image, identity_read),
    TRI(disk_image, in_use),
    FIGURE(disk_image, block_bytes),
    TEXT(disk_image, in_use_by),
    TRI(disk_image, is_open),
    FIGURE(disk_image, open_least_bytes),
    FIGURE(disk_image, open_most_bytes),
    TRI(disk_image, head_read),
    FIGURE(disk_image, n_snapshots),
    TEXT(disk_image, base),
    TEXT(disk_image, base_format),
    TEXT(disk_image, data_file),
    TEXT(disk_image, file_id),
    FIGURE(disk_image, device_bytes),
    END,
};

/* What an image has, be it a disk's own or one that it rests on. */
#define IMAGE_FIELDS                                                                                         \
    TEXT(disk, source), TEXT(disk, pool), TEXT(disk, volume), TEXT(disk, protocol), TEXT(disk, server),      \
        TEXT(disk, format), FLAG(disk, readonly), FLAG(disk, encrypted), TEXT(disk, driver),                 \
        FLAG(disk, driver_shares), WORD(disk, sharing, words_sharing), TEXT(disk, sharing_evidence),         \
        OBJECT(disk, at_source, fields_image), OBJECT(disk, at_dest, fields_image), TEXT(disk, user),        \
        TEXT(disk, group), NAMES(disk, hosts), TEXT(disk, config_file), TEXT(disk, snapshot),                \
        TEXT(disk, auth_user), TEXT(disk, secret_type), TEXT(disk, secret_uuid), TEXT(disk, secret_usage),   \
        TEXT(disk, dest_source), TEXT(disk, dest_server), TEXT(disk, dest_pool), TEXT(disk, dest_volume),    \
        TRI(disk, volume_is_device), TEXT(disk, volume_dest_path)

static const struct field fields_layer[] = {
    WORD(disk, type, words_disk_type),
    IMAGE_FIELDS,
    END,
};

/* A new image at another place. */
static const struct field fields_relocation[] = {
    WORD(disk, type, words_disk_type),
    IMAGE_FIELDS,
    TEXT(disk, target),
    TEXT(disk, file_system),
    FLAG(disk, driver_creates),
    TRI(disk, reads_zero),
    TRI(disk, lock_enforced),
    TEXT(disk, cache),
    END,
};

const struct field fields_disk[] = {
    NEEDED(disk, target),
    TEXT(disk, bus),
    WORD(disk, device, words_disk_device),
    { .name = "type",
      .kind = FIELD_WORD,
      .required = true, /* absent would read as empty, and the disk would be left behind */
      .offset = offsetof(struct disk, type),
      .words = &words_disk_type },
    IMAGE_FIELDS,
    TEXT(disk, cache),
    TEXT(disk, startup_policy),
    FLAG(disk, shareable),
    FLAG(disk, transient),
    LIST("chain", disk, chain, n_chain, fields_layer, FACTS_MAX_LAYERS),
    TEXT(disk, file_system),
    FLAG(disk, driver_creates),
    FLAG(disk, driver_bases),
    FLAG(disk, driver_heads),
    TRI(disk, reads_zero),
    TRI(disk, lock_enforced),
    LIST("relocation", disk, relocation, n_relocations, fields_relocation, 1),
    TEXT(disk, discard),
    FLAG(disk, driver_retires),
    TRI(disk, lock_proved),
    TEXT(disk, lock_evidence),
    END,
};

static const struct field fields_interface[] = {
    TEXT(interface, type),   TEXT(interface, source),      TEXT(interface, mac),
    TEXT(interface, model),  FIGURE(interface, mtu),       FIGURE(interface, dest_mtu),
    TRI(interface, at_dest), TEXT(interface, dest_source), END,
};

static const struct field fields_graphics[] = {
    TEXT(graphics, type), TEXT(graphics, address), TEXT(graphics, network), TEXT(graphics, socket), END,
};

static const struct field fields_secret[] = {
    TEXT(secret, uuid),
    TEXT(secret, usage_type),
    TEXT(secret, usage),
    END,
};

static const struct field fields_pages[] = { FIGURE(pages, size_bytes), FIGURE(pages, free), END };

static const struct field fields_pool[] = {
    TEXT(pool, name),
    TEXT(pool, type),
    TEXT(pool, target),
    FLAG(pool, is_active),
    FIGURE(pool, capacity_bytes),
    FIGURE(pool, allocated_bytes),
    FIGURE(pool, free_bytes),
    TEXT(pool, source),
    END,
};

static const struct field fields_mount[] = {
    NEEDED(mount, source),
    NEEDED(mount, target),
    TEXT(mount, type),
    END,
};

static const struct field fields_device[] = { NEEDED(device, kind), TEXT(device, detail), END };

static const struct field fields_dirty[] = {
    FIGURE(dirty_window, window_ms),
    FIGURE(dirty_window, low_bytes),
    FIGURE(dirty_window, bytes),
    FIGURE(dirty_window, high_bytes),
    END,
};

static const struct field fields_content[] = {
    FIGURE(memory_end, end_bytes),
    FIGURE(memory_end, low_bytes),
    FIGURE(memory_end, bytes),
    FIGURE(memory_end, high_bytes),
    END,
};

static const struct field fields_domain[] = {
    TEXT(domain, name),
    TEXT(domain, uuid),
    TEXT(domain, title),
    TEXT(domain, type),
    TEXT(domain, arch),
    TEXT(domain, machine),
    TEXT(domain, cpu_mode),
    TEXT(domain, cpu_model),
    FIGURE(domain, memory_bytes),
    FIGURE(domain, memory_now_bytes),
    FIGURE(domain, memory_rss_bytes),
    FIGURE(domain, vcpus),
    TEXT(domain, kernel),
    TEXT(domain, initrd),
    TEXT(domain, loader),
    TEXT(domain, nvram),
    TEXT(domain, nvram_template),
    TEXT(domain, dtb),
    FLAG(domain, has_tpm),
    FLAG(domain, has_hugepages),
    FLAG(domain, has_snapshots),
    FLAG(domain, has_managed_save),
    TEXT(domain, manager),
    LIST("disks", domain, disks, n_disks, fields_disk, FACTS_MAX_DISKS),
    LIST("interfaces", domain, interfaces, n_interfaces, fields_interface, FACTS_MAX_LIST),
    LIST("devices", domain, devices, n_devices, fields_device, FACTS_MAX_LIST),
    WORD(domain, run, words_run),
    TRI(domain, persistent),
    TRI(domain, autostart),
    TEXT(domain, job),
    FIGURE(domain, max_downtime_ms),
    TRI(domain, ran_here),
    TEXT(domain, cpu_vendor),
    NAMES(domain, cpu_requires),
    NAMES(domain, cpu_disables),
    TEXT(domain, pinned_cpus),
    TEXT(domain, numa_nodes),
    FIGURE(domain, hugepage_bytes),
    LIST("graphics", domain, graphics, n_graphics, fields_graphics, FACTS_MAX_LIST),
    LIST("secrets", domain, secrets, n_secrets, fields_secret, FACTS_MAX_LIST),
    FLAG(domain, has_checkpoints),
    FLAG(domain, has_iothreads),
    FLAG(domain, has_qemu_options),
    LIST("dirty", domain, dirty, n_dirty, fields_dirty, 8),
    LIST("content", domain, content, n_content, fields_content, 8),
    END,
};

const struct field fields_host[] = {
    TEXT(host, name),
    TEXT(host, uri),
    TEXT(host, hostname),
    TEXT(host, uuid),
    FIGURE(host, libvirt_version),
    FIGURE(host, qemu_version),
    FIGURE(host, memory_free_bytes),
    FIGURE(host, memory_bytes),
    FIGURE(host, cpus),
    FIGURE(host, link_bytes_per_s),
    FLAG(host, is_local_socket),
    FLAG(host, has_same_name),
    NAMES(host, networks),
    NAMES(host, bridges),
    FLAG(host, has_network_list),
    FLAG(host, has_bridge_list),
    FLAG(host, has_pool_list),
    FLAG(host, has_secret_list),
    TEXT(host, cpu_ids),
    TEXT(host, node_ids),
    LIST("pages", host, pages, n_pages, fields_pages, FACTS_MAX_LIST),
    LIST("pools", host, pools, n_pools, fields_pool, FACTS_MAX_LIST),
    LIST("secrets", host, secrets, n_secrets, fields_secret, FACTS_MAX_LIST),
    TEXT(host, cpu_model),
    TEXT(host, cpu_vendor),
    NAMES(host, cpu_requires),
    NAMES(host, cpu_disables),
    NAMES(host, tpm_backends),
    TEXT(host, kernel_release),
    TEXT(host, lock_manager),
    FIGURE(host, cgroup_version),
    TRI(host, unprivileged_userfaultfd),
    NAMES(host, addresses),
    TRI(host, suits_cpu),
    TRI(host, knows_machine),
    TEXT(host, cpu_why),
    TEXT(host, machine_why),
    NAMES(host, machines),
    LIST("mounts", host, mounts, n_mounts, fields_mount, FACTS_MAX_LIST),
    TRI(host, has_mount_list),
    FIGURE(host, clock_apart_ms),
    FIGURE(host, cpus_idle_milli),
    TRI(host, selinux_confines),
    TRI(host, selinux_lets_nfs),
    TRI(host, apparmor_confines),
    END,
};

static const struct field fields_parameter[] = { NEEDED(parameter, name), NEEDED(parameter, value), END };

static const struct field fields_constants[] = {
    FIGURE(constants, bytes_per_s),
    FIGURE(constants, setup_ms),
    FIGURE(constants, finish_ms),
    FIGURE(constants, downtime_ms),
    FIGURE(constants, samples),
    FIGURE(constants, bytes_per_s_spread),
    FIGURE(constants, setup_ms_spread),
    FIGURE(constants, finish_ms_spread),
    FIGURE(constants, downtime_ms_spread),
    FIGURE(constants, guest_bytes),
    FIGURE(constants, guest_bytes_spread),
    END,
};

static const struct field fields_several[] = { FIGURE(several, connections),
                                               OBJECT(several, history, fields_constants), END };

static const struct field fields_channel[] = {
    NEEDED(channel, driver),
    TEXT(channel, dest_uri),
    TEXT(channel, data_uri),
    TEXT(channel, peer_address),
    FLAG(channel, was_probed),
    FLAG(channel, is_trusted),
    SMALL(channel, protects_control, 2),
    SMALL(channel, protects_data, 2),
    FIGURE(channel, bytes_per_s),
    FIGURE(channel, latency_us),
    FLAG(channel, can_copy_disks),
    FLAG(channel, can_p2p),
    FLAG(channel, can_multifd),
    FLAG(channel, can_postcopy),
    FIGURE(channel, data_port),
    TRI(channel, data_port_open),
    LIST("parameters", channel, parameters, n_parameters, fields_parameter, FACTS_MAX_PARAMETERS),
    TEXT(channel, data_address),
    FLAG(channel, is_data_trusted),
    OBJECT(channel, history, fields_constants),
    FIGURE(channel, measured_bytes_per_s),
    LIST("several", channel, several, n_several, fields_several, FACTS_MAX_SEVERAL),
    FIGURE(channel, forwards),
    END,
};

static const struct field fields_map[] = {
    WORD(map, kind, words_map_kind),
    NEEDED(map, from),
    NEEDED(map, to),
    TEXT(map, origin),
    FLAG(map, is_used),
    END,
};

const struct field fields_facts[] = {
    OBJECT(facts, domain, fields_domain),
    OBJECT(facts, source, fields_host),
    OBJECT(facts, dest, fields_host),
    LIST("channels", facts, channels, n_channels, fields_channel, FACTS_MAX_CHANNELS),
    OBJECT(facts, history, fields_constants),
    { .name = "findings",
      .kind = FIELD_LIST,
      .offset = offsetof(struct facts, findings.list),
      .rows = fields_finding,
      .count_offset = offsetof(struct facts, findings.n),
      .element_size = sizeof(struct finding),
      .max = FACTS_MAX_LIST },
    LIST("maps", facts, maps, n_maps, fields_map, FACTS_MAX_MAPS),
    NAMES(facts, overwrite),
    END,
};
