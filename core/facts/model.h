/* SPDX-License-Identifier: Apache-2.0
 * The facts: all that was read or measured about a domain, its disks, two hosts and the way between them.
 * Plain data on one arena, JSON in and out (facts/json.h); nothing here knows libvirt or a plugin. */
#ifndef FACTS_MODEL_H
#define FACTS_MODEL_H

#include "base/arena.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What was never measured. Text that is not known is NULL. */
#define NOT_KNOWN UINT64_MAX

enum tristate { TRI_NOT_KNOWN = 0, TRI_NO, TRI_YES };

struct finding_refs {
    const char **names;
    size_t n;
};

enum severity { NOTES = 1, WARNS, REFUSES };

/* A verdict over the facts: by a rule of the planner, by a driver, or by the survey itself. */
struct finding {
    const char *id; /* a word with dashes, as in docs/findings.md */
    enum severity severity;
    const char *where; /* a disk's target, a host's name, or NULL for the whole move */
    const char *what;  /* one line */
    const char *fix;   /* NULL when there is nothing to do */
};
struct findings {
    struct finding *list;
    size_t n;
};

enum disk_device { DEVICE_DISK, DEVICE_CDROM, DEVICE_FLOPPY, DEVICE_LUN };
enum disk_type { DISK_EMPTY, DISK_FILE, DISK_BLOCK, DISK_NETWORK, DISK_VOLUME, DISK_DIR, DISK_OTHER };
enum sharing {
    SHARING_NOT_PROVED = 0, /* no evidence either way, and the reason stands in sharing_evidence */
    SHARING_PROVED,
    SHARING_DENIED, /* proved to be two different images */
};
/* One host's view of an image. */
struct disk_image {
    enum tristate present; /* at the destination: an image stands at that place already */
    const char *identity;  /* globally unique, or NULL */
    const char *directory; /* what the nonce must prove shared instead, or NULL */
    const char *evidence;  /* for identity, for the reader */
    uint64_t capacity_bytes, allocated_bytes;
    uint64_t free_bytes;        /* where an image would be created */
    const char *pool;           /* libvirt pool that it lives in, NULL = none */
    enum tristate keeps_length; /* QEMU there does not see that the image grew after it was opened */
    /* Of a disk of type block: */
    enum tristate is_device;     /* what stands there is a block device */
    enum tristate identity_read; /* what could tell it from others was read, also where that is nothing */
    enum tristate in_use;        /* at the destination: something there has it open or mounted */
    uint64_t block_bytes;        /* logical block size */
    const char *in_use_by;       /* who: "it is mounted at '/srv'" */
    /* Is it what the guest's QEMU has open? By device and inode; where those cannot be seen, what that one
     * occupies, as QEMU says: allocated_bytes lies between, if the two are one. NOT_KNOWN */
    enum tristate is_open;
    uint64_t open_least_bytes, open_most_bytes;
    /* Of a qcow2 image at the source, as its own head says: */
    enum tristate head_read;
    uint64_t n_snapshots;           /* internal ones; NOT_KNOWN */
    const char *base, *base_format; /* the backing file, NULL = none */
    const char *file_id;            /* of one that QEMU has open: "device:inode" */
    const char *data_file; /* the file that holds its data; "" = it does not say which; NULL = itself */
    uint64_t device_bytes; /* of the device that holds an image of another size: qcow2; NOT_KNOWN */
};
struct disk {
    const char *target; /* vda */
    const char *bus;
    enum disk_device device;
    enum disk_type type;
    const char *source; /* path, device, or the image's name on a network protocol; NULL when empty, and
                           of a volume whose path is not known */
    const char *pool, *volume;     /* type volume */
    const char *protocol, *server; /* type network */
    const char *format;            /* raw, qcow2, …; NULL when the XML does not say */
    const char *cache;             /* none, writeback, …; NULL = libvirt's default */
    const char *startup_policy;
    bool readonly, shareable, transient, encrypted;
    struct disk *chain; /* the backing chain below source, nearest first: images that are read only and have
                           none themselves */
    size_t n_chain;
    /* From the survey: */
    const char *driver;          /* the storage driver that claims it, NULL = none */
    const char *file_system;     /* as the driver calls it, NULL = not known */
    bool driver_shares;          /* the driver declares that its images can be shared */
    bool driver_creates;         /* the driver can create an image on the destination */
    bool driver_bases;           /* and one that rests on a backing file */
    bool driver_heads;           /* and one that is qcow2 in a device */
    bool driver_retires;         /* it can remove an image when the guest has left it */
    enum tristate reads_zero;    /* a new image of this driver reads as zero */
    enum tristate lock_enforced; /* declared by the driver: an open image is locked between hosts */
    enum sharing sharing;
    const char *sharing_evidence; /* how it was proved or denied, or why it could not be */
    struct disk_image at_source, at_dest;
    /* More of the XML: */
    const char *user, *group;  /* whom QEMU is on a network protocol: "+0", "qemu" */
    struct finding_refs hosts; /* "name:port", an IPv6 address in brackets, or a socket's path */
    const char *config_file, *snapshot;
    const char *auth_user;
    const char *secret_type, *secret_uuid, *secret_usage; /* of its <auth>; never the value */
    const char *dest_source; /* what a map puts in the place of source; NULL = it keeps it */
    const char *dest_server, *dest_pool, *dest_volume; /* the same of server, pool and volume */
    /* Where it is to be relocated to on its own host: none, or one image, of which at_dest tells. */
    struct disk *relocation;
    size_t n_relocations;
    const char *discard; /* what becomes of the guest's discards: unmap, ignore; NULL = libvirt's default */
    /* Of type volume, from the survey; source is then its path: */
    const char *volume_dest_path;   /* as libvirt there has it */
    enum tristate volume_is_device; /* or a file */
    /* Was the lock seen to be enforced between the two hosts in the image's directory? TRI_NOT_KNOWN without
     * evidence: nobody tried; with it: why that could not be seen. */
    enum tristate lock_proved;
    const char *lock_evidence;
};

struct interface {
    const char *type;   /* bridge, network, direct, … */
    const char *source; /* the bridge or network */
    const char *mac, *model;
    /* From the survey: */
    uint64_t mtu, dest_mtu;  /* of what it sits on, as each host says; NOT_KNOWN */
    enum tristate at_dest;   /* what it sits on is there, and active */
    const char *dest_source; /* what a map puts in the place of source; NULL = it keeps its name */
};
/* Where a display of the domain listens; NULL what the XML does not say. */
struct graphics {
    const char *type; /* vnc, spice, … */
    const char *address, *network, *socket;
};
/* A libvirt secret, by one or both of its names; never its value. */
struct secret {
    const char *uuid;
    const char *usage_type, *usage; /* ceph, volume, …; the usage's own name */
};
/* Something that ties a domain to its host, in the XML's words. */
struct device {
    const char *kind; /* hostdev, tpm, filesystem, redirdev, shmem, … */
    const char *detail;
};
/* How many distinct bytes the guest dirtied within a window, as far as sampling can tell. */
struct dirty_window {
    uint64_t window_ms, low_bytes, bytes, high_bytes;
};
/* So much of the last end_bytes of the guest's memory lies in pages that are not zero, as far as sampling can
 * tell. QEMU sends them last. */
struct memory_end {
    uint64_t end_bytes, low_bytes, bytes, high_bytes;
};
struct domain {
    const char *name, *uuid, *title;
    const char *type; /* kvm, qemu */
    const char *arch, *machine;
    const char *cpu_mode, *cpu_model;
    uint64_t memory_bytes;     /* the most it can have */
    uint64_t memory_now_bytes; /* what the balloon leaves it */
    uint64_t memory_rss_bytes; /* what its QEMU holds, NOT_KNOWN if not running */
    uint64_t vcpus;
    const char *kernel, *initrd; /* direct boot: files that both hosts need */
    const char *loader, *nvram, *nvram_template, *dtb;
    bool has_tpm, has_hugepages, has_snapshots, has_managed_save;
    const char *manager; /* another manager that owns it (oVirt, OpenStack, …), NULL = none */
    struct disk *disks;
    size_t n_disks;
    struct interface *interfaces;
    size_t n_interfaces;
    struct device *devices;
    size_t n_devices;
    /* From the survey: */
    enum domain_run { RUN_NOT_KNOWN, RUN_RUNNING, RUN_PAUSED, RUN_SHUTOFF } run;
    enum tristate persistent, autostart;
    const char *job;          /* a job in progress: "migration out", "block copy", …; NULL = none */
    uint64_t max_downtime_ms; /* in force now; NOT_KNOWN */
    enum tristate ran_here;   /* of a paused one: its disks were used in this QEMU */
    /* More of the XML: */
    const char *cpu_vendor;
    struct finding_refs cpu_requires, cpu_disables; /* features beside those of cpu_model */
    const char *pinned_cpus, *numa_nodes;           /* "0-3,8": all that any of its threads is bound to */
    uint64_t hugepage_bytes;                        /* NOT_KNOWN: none, or the host's default */
    struct graphics *graphics;
    size_t n_graphics;
    struct secret *secrets;
    size_t n_secrets;
    bool has_checkpoints, has_iothreads;
    bool has_qemu_options;      /* its XML hands words to QEMU that libvirt does not know */
    struct dirty_window *dirty; /* none where it was not measured */
    size_t n_dirty;
    struct memory_end *content; /* the nearest to the end first, the last is all of it; none: not looked at */
    size_t n_content;
};

/* Free pages of one size, all NUMA nodes together. */
struct pages {
    uint64_t size_bytes, free;
};
/* A network file system that a host has mounted. */
struct mount {
    const char *source, *target, *type; /* "server:/export", where it stands, nfs4 */
};
struct pool {
    const char *name, *type, *target;
    bool is_active;
    uint64_t capacity_bytes, allocated_bytes, free_bytes;
    const char *source; /* of type rbd: "MONITOR[,MONITOR…]/POOL"; NULL: not said */
};
struct host {
    const char *name; /* as the user or the URI calls it; where its URI names none, as libvirt there says */
    const char *uri;
    const char *hostname, *uuid;            /* as libvirt there says */
    uint64_t libvirt_version, qemu_version; /* major * 1,000,000 + minor * 1,000 + release */
    uint64_t memory_free_bytes, memory_bytes;
    uint64_t cpus;
    uint64_t link_bytes_per_s; /* the fastest physical-looking link that is up, NOT_KNOWN */
    bool is_local_socket;      /* reached through a UNIX socket of this machine, its own or
                                  one that a way holds: a gate can stand before it */
    bool has_same_name;        /* a domain of this name or uuid is defined or runs there (destination) */
    struct finding_refs networks, bridges;
    bool has_network_list, has_bridge_list; /* read: an empty list means that there are none */
    bool has_pool_list, has_secret_list;
    const char *cpu_ids, *node_ids; /* processors that are online, NUMA nodes: "0-3,8" */
    struct pages *pages;
    size_t n_pages;
    struct pool *pools;
    size_t n_pools;
    struct secret *secrets;
    size_t n_secrets;
    /* What QEMU there can give a guest at most: of a pair, by default; on a domain's destination one of its
     * machine, and on its source only where it was given all of the processor. */
    const char *cpu_model, *cpu_vendor;
    struct finding_refs cpu_requires, cpu_disables;
    struct finding_refs tpm_backends; /* emulator, passthrough; empty: not known */
    /* Read where commands or files of the host can be reached: */
    const char *kernel_release, *lock_manager;
    uint64_t cgroup_version;
    enum tristate unprivileged_userfaultfd;
    struct finding_refs addresses; /* all of them; empty: not known */
    /* Of the destination, about this domain: */
    enum tristate suits_cpu, knows_machine;
    const char *cpu_why, *machine_why; /* libvirt's words when it does not */
    /* Read where two hosts are looked at without a domain; of what suits_cpu says then, the guest is one that
     * was given all of the source's processor: */
    struct finding_refs machines; /* machine types of its own architecture; empty: not known */
    struct mount *mounts;
    size_t n_mounts;
    enum tristate has_mount_list; /* yes: an empty list means that there are none */
    /* Read where commands can be run: SELinux holds QEMU there to its policy; that policy lets it have files
     * of NFS (virt_use_nfs). */
    enum tristate selinux_confines, selinux_lets_nfs;
    enum tristate apparmor_confines; /* libvirt there confines QEMU by AppArmor */
    uint64_t
        clock_apart_ms; /* of the destination: its clock is at least so far from the source's; NOT_KNOWN */
    uint64_t cpus_idle_milli; /* thousandths of a processor that had nothing to do while it was looked at */
};

#define FACTS_MAX_PARAMETERS 32u /* of a channel */
/* A parameter of libvirt's migration, or a flag: the name is "flag" then. */
struct parameter {
    const char *name, *value;
};
/* What earlier moves between this pair of hosts showed; NOT_KNOWN where none stands. */
struct constants {
    uint64_t bytes_per_s;
    uint64_t setup_ms, finish_ms, downtime_ms;
    uint64_t samples;
    /* Half the width of what was seen around each; NOT_KNOWN where it is not worth a figure. */
    uint64_t bytes_per_s_spread, setup_ms_spread, finish_ms_spread, downtime_ms_spread;
    uint64_t guest_bytes,
        guest_bytes_spread; /* that the first pass of this very guest sent, wherever it went */
};

/* The same of moves that sent memory by so many connections at once: none of them says what one does. */
#define FACTS_MAX_SEVERAL 8u /* counts of connections that are remembered of a channel */
struct several {
    uint64_t connections;
    struct constants history;
};

/* What a channel does for what it carries; the figures are those of FERRY_PROTECTS_ in the plugin header. */
enum { PROTECTS_NOTHING, PROTECTS_AUTHENTICATION, PROTECTS_ENCRYPTION };

/* One channel that a transport driver offers for this pair. */
struct channel {
    const char *driver; /* tcp */
    const char *dest_uri;
    const char *data_uri;                    /* where RAM and disks travel to: tcp://10.0.0.2 */
    const char *peer_address;                /* numeric, as seen from where it was probed */
    bool was_probed;                         /* the address was reached from the source itself */
    bool is_trusted;                         /* peer_address lies in a trusted network of the configuration */
    uint8_t protects_control, protects_data; /* PROTECTS_ */
    uint64_t bytes_per_s;                    /* as the driver knows it, NOT_KNOWN */
    uint64_t latency_us;
    bool can_copy_disks, can_p2p, can_multifd, can_postcopy;
    /* The highest port of the range that libvirt there takes for the data, tried from the source: */
    uint64_t data_port;
    enum tristate data_port_open; /* refused is open too: nobody listens yet; TRI_NO: filtered */
    struct parameter *parameters; /* what libvirt is told beside data_uri: {"tls.destination", "hostB"} */
    size_t n_parameters;
    const char
        *data_address;    /* that RAM and disks travel to, where the user chose one; NULL = peer_address */
    bool is_data_trusted; /* data_address lies in a trusted network of the configuration */
    struct constants history; /* of moves over this channel, by one connection */
    struct several *several;  /* and by more */
    size_t n_several;
    uint64_t measured_bytes_per_s; /* of payload, on the way that its data takes, a moment ago; NOT_KNOWN */
    uint64_t forwards; /* processes of its driver that several connections can be spread over, at most;
                          NOT_KNOWN */
};

/* What is called FROM on the source is called TO on the destination: the user's word, for this move. */
enum map_kind { MAP_NETWORK, MAP_STORAGE, MAP_OTHER /* a newer writer's: it maps nothing here */ };
struct map {
    enum map_kind kind;
    const char *from, *to;
    const char *origin; /* "FILE:LINE" of the configuration; NULL = the command line */
    bool is_used;       /* the domain names something that it applies to */
};

struct facts {
    struct arena *arena; /* everything below hangs on it */
    struct domain domain;
    struct host source, dest;
    struct channel *channels;
    size_t n_channels;
    struct constants history; /* of moves over any channel: counts where a channel's own has nothing */
    struct findings findings; /* of the survey and the drivers */
    struct map *maps;         /* that the names at the destination come from (facts/map.h) */
    size_t n_maps;
    /* Targets of disks: what the devices at their places on the destination hold may be overwritten, this
     * time. The user's word. */
    struct finding_refs overwrite;
};

struct facts *facts_new(void); /* NULL when there is no memory; figures read NOT_KNOWN */
void facts_free(struct facts *f);
OWNED_DEFINE(facts)

/* A zeroed disk or channel with its figures NOT_KNOWN, at the end of the array; NULL without memory. */
struct disk *facts_add_disk(struct facts *f);
struct channel *facts_add_channel(struct facts *f);
struct interface *facts_add_interface(struct facts *f);
struct finding *facts_add_finding(struct facts *f, enum severity severity, const char *id, const char *where);

struct disk *facts_disk(struct facts *f, const char *target); /* NULL when there is none */

/* libvirt's URI of a connection that ends at this machine, not at a socket that leads elsewhere. */
bool uri_is_here(const char *uri);
/* Its libvirt is this machine's own, and so are its files. */
bool facts_is_here(const struct host *h);
/* The domain is shut off on a host that is known to be another machine. */
bool facts_is_off_elsewhere(const struct facts *f);

/* --overwrite has named it. */
bool facts_may_overwrite(const struct facts *f, const struct disk *d);
/* The device of the host that it is at the source, and shall be at the destination. */
bool disk_is_device(const struct disk *d);
/* Of a libvirt pool of that type. Of others the volumes are neither files nor devices of the host. */
enum tristate pool_keeps_devices(const char *type);
bool disk_is_file(const struct disk *d); /* a volume of a pool of files, too */
/* A volume of which it is known becomes the file or device that it is. */
void disk_stand_for(struct disk *d);
/* A qcow2 image in a device. */
bool disk_is_in_device(const struct disk *d);
/* How long a device has to be to hold a copy of such an image, whole or of it alone: as long as the source's,
 * or as an image of that size can become. NOT_KNOWN */
uint64_t disk_device_need(const struct disk *d);
/* The channel's data is encrypted by QEMU's own TLS. */
bool channel_has_tls(const struct channel *ch);
/* How many processes of its driver carry memory that is sent by so many connections; 0: none, QEMU itself
 * reaches the destination. */
unsigned channel_forwards(const struct channel *ch, unsigned connections);
/* The address that RAM and disks travel to, NULL when it is not known; and may they cross in the clear? */
const char *channel_data_address(const struct channel *ch);
bool channel_trusts_data(const struct channel *ch);
/* Its parameter of this name, NULL when it has none. */
const char *channel_parameter(const struct channel *ch, const char *name);
/* Its name at the destination. */
const char *interface_dest_source(const struct interface *i);
const char *disk_dest_source(const struct disk *d);
void constants_init(struct constants *c); /* all NOT_KNOWN */
/* Zeroed, with its figures NOT_KNOWN. */
void disk_init(struct disk *d);
bool disk_is_mapped(const struct disk *d);
/* The disk under the names that it has there; lent by d. */
struct disk disk_there(const struct disk *d);
/* Forgets what was seen of the image there, and of its sharing. */
void disk_forget_dest(struct disk *d);

/* The image that it is to be relocated to; NULL: it stays. */
const struct disk *disk_relocation(const struct disk *d);
/* QEMU writes a raw image there in full, zeroes and all: its driver has no request for zeroes. */
bool disk_writes_zeroes(const struct disk *d);
/* The format that a new image gets: what the user wants (raw, qcow2), or else the disk's own, but raw where
 * the place knows nothing else, and qcow2 where QEMU would write every zero of a raw one. */
const char *relocation_format(const struct disk *d, const struct disk *to, const char *wanted);
bool disk_is_empty(const struct disk *d);
bool disk_is_writable(const struct disk *d); /* not empty, not read-only, no CD-ROM */
/* Its startupPolicy lets a drive arrive empty where what lies in it is missing. */
bool disk_may_be_let_go(const struct disk *d);
/* The nearest layer of its chain that is not proved to be the same on both hosts; NULL when all are. */
const struct disk *disk_loose_base(const struct disk *d);
/* What the image and all that it rests on occupy; at most its virtual size. NOT_KNOWN where one is. */
uint64_t disk_occupied_bytes(const struct disk *d);

#endif
