/* SPDX-License-Identifier: Apache-2.0
 * virt-ferry-plugin.h: all that a virt-ferry plugin needs, and all that it may use.
 *
 * A plugin is a shared object that exports one symbol, made by FERRY_PLUGIN at the bottom of its file. It
 * lists storage drivers, which say what they know about a disk's image, and transport drivers, which say how
 * bytes can travel between two hosts. The manual, with a plugin built from nothing, is docs/plugins.md.
 *
 * ABI 1. What stands here keeps its place, its type and its meaning for ever: a plugin that was built with
 * this header is loaded by every later virt-ferry that speaks ABI 1. There is another number only if that can
 * hold no longer. Bits and values that are not defined here are not used; a bit that virt-ferry does not know
 * it ignores.
 *
 * SIZES. Every struct begins with its own size in bytes, but struct ferry_extent, which stands in arrays and
 * never grows. Fields are only ever added at the end. Of what a plugin lists, virt-ferry copies the smaller
 * of the two sizes and zeroes the rest: a field that an older plugin lacks reads as absent (NULL or 0), and
 * every field below says what absence means. An answer (`ret`) arrives zeroed with its size set, but for what
 * its function says. A plugin built against a newer header runs in an older virt-ferry as long as `abi` is
 * equal: of what it is passed it reads and writes nothing behind the struct's `size`, which it leaves as it
 * is, and it sets the fields of an answer one by one.
 *
 * PROCESSES AND THREADS. Drivers are called in a worker process, one per host, never in the process that
 * holds the plan. Calls into one plugin come one at a time, from one thread. A call may take long: the
 * worker is killed when its time (5 s for a question, 60 s for a creation) is over, and the answer is then
 * "not known". A plugin keeps no state that it could not lose; static variables are per worker.
 *
 * OWNERSHIP. What is passed to a plugin lives until the call returns. Text that a plugin returns is copied
 * at once and may be static, or be made by ferry_services.text, which frees it after the call. A driver's
 * tables (`struct ferry_storage`, …) must stay valid as long as the object is loaded.
 *
 * ERRORS. A function that can fail returns 0, or -1 after services->error was called once. Positive returns
 * are defined where they exist. A driver never prints, never exits, never changes signal handlers, the
 * working directory, the umask or the locale.
 *
 * NAMES FROM OUTSIDE (domains, paths, hosts) are passed as they are: never hand them to a shell, never let
 * them begin an option.
 *
 * FIGURES. Bytes are bytes, times are milliseconds unless the field says otherwise; FERRY_NOT_KNOWN is for
 * what was not measured, never 0. */
#ifndef VIRT_FERRY_PLUGIN_H
#define VIRT_FERRY_PLUGIN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FERRY_ABI 1u
#define FERRY_NOT_KNOWN UINT64_MAX

/* ---- what virt-ferry tells a driver ---------------------------------------------------------------- */

/* A disk of a domain, as its XML describes it. Texts are UTF-8 and bounded to 4,096 bytes; NULL = not said.
 * Source of every field: the live domain XML. */
struct ferry_disk {
    uint32_t size;
    uint32_t flags;       /* FERRY_DISK_* */
    const char *target;   /* name on the guest's bus, "vda"; never NULL */
    const char *type;     /* libvirt's word: "file", "block", "network", "volume", "dir"; never NULL. A volume
                             that is a file or a device of the host comes as that, source being its path */
    const char *source;   /* path, device node, or image name on a network protocol */
    const char *format;   /* "raw", "qcow2", …; never probed */
    const char *protocol; /* "nfs", "rbd", … for type network */
    const char *server;   /* first host of a network disk */
    const char *pool;     /* of a volume */
    const char *volume;
    const char *cache;       /* libvirt's cache mode; NULL = its default */
    uint64_t capacity_bytes; /* virtual size as the guest sees it, FERRY_NOT_KNOWN before the survey */
    /* On the destination: the identity that `identify` gave on the source; NULL there, and where none was
     * known. Whoever knows that it is the same image by another name answers this very text. */
    const char *at_source;
    const char *user, *group; /* whom QEMU is on a network protocol: "+0", "qemu" */
    /* Of a network disk, NULL or 0 = not said: */
    const char *const *hosts; /* all its hosts, in order: "name:port" or "name", an IPv6 address in brackets,
                                 or a socket's path */
    uint32_t n_hosts;
    uint32_t reserved;       /* 0 */
    const char *config_file; /* of the storage's client, on the domain's host */
    const char *snapshot;    /* of the image; the guest only reads it */
    const char *auth_user;   /* whom the storage knows */
    const char *secret_type; /* the libvirt secret that holds the user's key: "ceph", and one of: */
    const char *secret_uuid;
    const char *secret_usage;
    const char *discard; /* what QEMU does with the guest's discards: "unmap", "ignore"; NULL = libvirt's
                            default, ignore */
};
#define FERRY_DISK_READONLY 1u  /* the guest cannot write it */
#define FERRY_DISK_SHAREABLE 2u /* marked for use by several domains */
#define FERRY_DISK_CDROM 4u     /* a CD-ROM or floppy drive */
#define FERRY_DISK_IN_USE 8u    /* the domain is not shut off: its QEMU on the source has the image open */
#define FERRY_DISK_AT_DEST 16u  /* asked on the destination; not set: on the source */

/* ---- what a driver can call ------------------------------------------------------------------------ */

struct ferry_call; /* the call in progress; opaque, valid until the driver returns */

/* A program that is run: the first four fields ask, the others answer. What comes from outside goes through
 * `input`; words of argv that may are checked first and stand behind "--". */
struct ferry_command {
    uint32_t size;
    uint32_t timeout_ms;     /* required; the program is killed then, and the call fails */
    const char *const *argv; /* NULL-ended; argv[0] is looked up in PATH */
    const char *input;       /* its standard input; NULL = empty */
    uint64_t input_bytes;
    char *output;         /* the caller's buffer for standard output; always terminated; NULL = dropped */
    uint64_t output_room; /* its size; what does not fit is dropped and is_cut set */
    char *errors;         /* the same for standard error */
    uint64_t errors_room;
    uint64_t output_bytes; /* what came, without the terminator */
    uint64_t errors_bytes;
    int32_t exit_code; /* 128 + N after signal N */
    uint32_t is_cut;
};

/* Services of virt-ferry, the same for every call. Never NULL up to the size that `size` gives. Every host
 * has those up to and with `program`; a later one is called only where `size` says that it is there. All are
 * to be called on the thread that the driver was called on. */
struct ferry_services {
    uint32_t size;
    uint32_t reserved; /* 0 */
    /* Says why the call fails: what (lower case, no full stop), then what the operator can do (sentences with
     * the command in them, or NULL). Once per failing call; a second one replaces the first. */
    void (*error)(struct ferry_call *call, const char *fix, const char *what_format, ...)
        __attribute__((format(printf, 3, 4)));
    /* For the trace; one line, no secret. */
    void (*log)(struct ferry_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
    /* A value of the section of the configuration that bears the plugin's name; NULL when it is not set. */
    const char *(*config)(struct ferry_call *call, const char *key);
    /* Formatted text that lives until the call has been answered. NULL when there is no memory (the error is
     * set then). */
    const char *(*text)(struct ferry_call *call, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
    /* The libvirt connection (virConnectPtr) of the host that this worker serves; do not close it. NULL, with
     * the error set, when there is none, which every driver must expect (`plugin check` has none unless it is
     * given -c): it then does what can be done without, or fails. */
    void *(*libvirt)(struct ferry_call *call);
    /* Name of the host that this worker serves, as the user calls it; never NULL. */
    const char *(*host)(struct ferry_call *call);
    /* Writes into the run's journal that `what` ("pool", "volume", "image") is about to be created under
     * `name` in `place`; returns 0 when that is on disk and creation may begin, -1 (error set) otherwise.
     * `identity` is what remove later compares, NULL when it is not known before. Also allowed to be called
     * again with the identity once it is known. */
    int (*journal)(struct ferry_call *call, const char *what, const char *place, const char *name,
                   const char *identity);
    /* Adds a finding to the answer of `check` or `probe`: severity 1 notes, 2 warns, 3 refuses; id is a word
     * with dashes; what is one line; fix is NULL or sentences. Texts are copied. */
    void (*finding)(struct ferry_call *call, int severity, const char *id, const char *what, const char *fix);
    /* Runs a program on this machine (the one that virt-ferry runs on), without a shell, in the C locale; it
     * dies with the worker. 0 when it ended, whatever its exit code; -1 (error set) when it could not be
     * started or was killed. */
    int (*program)(struct ferry_call *call, struct ferry_command *command);
    /* Runs a program on the host that this worker serves, where that can be done: on this machine when its
     * libvirt is this machine's, else over the way of a transport that runs commands. The words of argv are
     * constants of the driver, of printable ASCII without ' and !: values go through input. 0 and -1 as for
     * program; -1 also where nothing can be run there. */
    int (*run)(struct ferry_call *call, struct ferry_command *command);
    /* Says of the error that was just set that the storage gave no answer in time: the same may work later. A
     * copy is kept then, and goes on when it is asked for again. */
    void (*no_answer)(struct ferry_call *call);
};

/* ---- storage drivers ------------------------------------------------------------------------------- */

/* What a storage driver declares; each bit is a guarantee that the planner relies on. */
#define FERRY_STORAGE_SHARES 1u /* two hosts can hold the same image of this kind */
#define FERRY_STORAGE_LOCKS                                                                                  \
    2u /* an image that a QEMU has open for writing cannot be opened for writing                             \
          by a QEMU on another host */
#define FERRY_STORAGE_READS_ZERO 4u /* what was never written to an image made by create reads as zero */
#define FERRY_STORAGE_UNSAFE_OK                                                                              \
    8u /* with proof of sharing and cache none or directsync, libvirt's own                                  \
          refusal for a file system it does not know may be lifted */
#define FERRY_STORAGE_BASES                                                                                  \
    16u /* create makes a qcow2 image that rests on a backing file, where asked to                           \
         */
#define FERRY_STORAGE_HEADS                                                                                  \
    32u /* create makes a qcow2 image in a device, be it a new one or one that stands there                  \
         */
#define FERRY_STORAGE_STREAMS 64u /* open takes FERRY_OPEN_THERE */

/* What proves that two hosts hold the same image. */
struct ferry_identity {
    uint32_t size;
    uint32_t reserved;
    const char *identity; /* equal on two hosts if and only if the bytes are the same; globally unique (server
                             and export, cluster and pool and image, …). NULL when the driver cannot know */
    const char *directory; /* where identity is NULL: the directory whose sharing would prove it, together
                              with the file's own name in it; virt-ferry then proves the directory itself.
                              NULL = nothing can prove it */
    const char *evidence;  /* one line for the operator: what was looked at */
    uint32_t was_read; /* 1: all that could tell the image from others was read; without an identity it has
                          none, and is not merely one that was not looked at */
    uint32_t reserved_too;
};

struct ferry_image {
    uint32_t size;
    uint32_t present;         /* 1 stands there, 0 does not, 2 not known */
    uint64_t capacity_bytes;  /* virtual size; FERRY_NOT_KNOWN */
    uint64_t allocated_bytes; /* occupied on storage */
    uint64_t free_bytes;      /* room where a new image would be created, as that storage tells */
    const char *pool;         /* libvirt pool that holds it, NULL = none */
    uint32_t is_silent;       /* 1: the storage does not answer; a QEMU that uses it may wait for it at any
                                 question, and libvirt with it: none is asked then */
    uint32_t keeps_length;    /* 1: a QEMU takes the image's length once, when it opens it: what another QEMU
                                 appends after that reads as zeroes there (QEMU's NFS driver). A running guest
                                 is then not moved with an image that may grow */
    /* Of a disk of type "block"; 0 = not known: */
    uint32_t is_device;   /* what stands there: 1 a block device, 2 something else */
    uint32_t block_bytes; /* the device's logical block size */
    uint32_t in_use;      /* on the destination: 1 something there has it open or mounted, 2 nothing has */
    uint32_t reserved;
    const char *in_use_by; /* who, as a part of a sentence: "it is mounted at '/srv'"; NULL = not known */
    /* What the head of a qcow2 image at the source says; read only where the domain says that it is one: */
    uint32_t head_read;      /* 1: it was read. All below is 0 and NULL where it was not */
    uint32_t n_snapshots;    /* internal snapshots */
    const char *base;        /* the backing file, as the image names it; NULL = none */
    const char *base_format; /* as the image has it: "raw", "qcow2"; NULL = it does not say */
    const char *data_file;   /* where its data lies, as the image names it, "" = without a name; NULL = in the
                                image */
    uint64_t device_bytes;   /* how long the device is that holds an image of another size (qcow2); 0 = not
                                known, or capacity_bytes is that */
};

/* A new image at the place that `disk` names, on the host of the worker. */
struct ferry_new_image {
    uint32_t size;
    uint32_t flags;                /* FERRY_NEW_* */
    const struct ferry_disk *disk; /* its source and format are those wanted */
    uint64_t capacity_bytes;       /* exact virtual size */
    const char *base; /* path of the backing file that the new image shall rest on, as QEMU on that host
                         opens it: absolute, 1,023 bytes at most; NULL = none. Only drivers that declare
                         FERRY_STORAGE_BASES are asked for one, and only for qcow2 */
    const char *base_format; /* raw or qcow2; with base */
    uint64_t device_bytes;   /* how long a new device has to be for it at least; 0 = as long as the image */
    uint32_t is_onto; /* 1: a device stands there that the user gave to be overwritten, and the image is to be
                         made in it: qcow2, an empty one whatever the device held. Only drivers that declare
                         FERRY_STORAGE_HEADS are asked; nothing is journalled, since nothing can be removed */
    uint32_t reserved_too;
};
#define FERRY_NEW_HERE                                                                                       \
    1u /* the host is this machine, and libvirt there need not know: it may be made directly */
#define FERRY_NEW_STREAMED                                                                                   \
    2u /* it will be filled through FERRY_OPEN_THERE: while that lasts the image may be shorter than it was  \
          made */

/* ---- block I/O, for the copy engine ---- */

/* An image that is to be opened: the bytes that stand there, whatever format they are in. */
struct ferry_opening {
    uint32_t size;
    uint32_t flags;                /* FERRY_OPEN_* */
    const struct ferry_disk *disk; /* where it is */
};
/* Not set: to be read, and nobody may write it meanwhile. Set: to be written and read back, and nobody may
 * have it open meanwhile. Either as far as that storage can enforce it; what is in use is refused. */
#define FERRY_OPEN_WRITE 1u
/* With FERRY_OPEN_WRITE: the image is on the host of the worker, which may be another machine, and is reached
 * through what that host's libvirt has for it. It was made with FERRY_NEW_STREAMED. It is written from its
 * beginning to its end by one request at a time, flushed once, then read. Only drivers that declare
 * FERRY_STORAGE_STREAMS are asked. */
#define FERRY_OPEN_THERE 2u

struct ferry_opened {
    uint32_t size;
    int32_t fd;            /* can be polled for input: readable when reap has something to do. The driver's */
    void *handle;          /* the driver's own, until close; never NULL */
    uint64_t length_bytes; /* all that can be read */
    uint32_t block_bytes;  /* offsets, lengths and buffers of requests are multiples of this power of two, 1
                              to 4,096, but for the length of a request that ends at length_bytes */
    uint32_t piece_bytes;  /* a longer request is no faster: a power of two, 65,536 to 4 MiB */
    uint32_t depth;        /* more requests at a time are no faster; at least 1 */
    uint32_t reads_zero;   /* 1: all of it reads as zero now. 0: it does not, or is not known */
    uint64_t flush_bytes;  /* a flush after so many bytes is worth it for the storage; 0: only at the end */
};

struct ferry_extent {
    uint64_t offset_bytes, length_bytes;
    uint32_t is_zero; /* 1: reads as zero; 0: must be read */
    uint32_t reserved;
};

/* One request; the engine's memory, the driver's from submit until reap has given it back. */
struct ferry_request {
    uint32_t size;
    uint32_t what; /* FERRY_READ, … */
    uint64_t offset_bytes, length_bytes;
    void *buffer;  /* for READ and WRITE, aligned to 4,096 */
    int32_t error; /* the driver's answer: 0 all of it was done, an errno, or FERRY_LOST */
    uint32_t reserved;
    /* The driver's while it has the request; 0 and NULL when it gets it. */
    uint64_t progress_bytes;
    void *own;
    struct ferry_request *next;
};
#define FERRY_READ 1u
#define FERRY_WRITE 2u
#define FERRY_ZERO 3u  /* let the range read as zero, by whatever is cheapest */
#define FERRY_FLUSH 4u /* all writes that were given back before it was submitted outlast a loss of power */
/* Answer to a flush: some of what was written since the flush before is gone (a server restarted). The engine
 * writes it again. */
#define FERRY_LOST (-1)

struct ferry_storage {
    uint32_t size;
    uint32_t declares;   /* FERRY_STORAGE_* */
    const char *name;    /* "local-block"; a word with dashes, unique; required */
    const char *summary; /* one line; required */

    /* Called on the source and on the destination alike. */

    /* How sure the driver is that `disk` is its own, 0 (not mine) to 100; the highest of all drivers gets the
     * disk, equal scores go to the first name in alphabetical order. No storage is asked, though the host's
     * own table of mounts and its pools may be (`run`, `libvirt`). Required. */
    int (*claim)(struct ferry_call *call, const struct ferry_services *services,
                 const struct ferry_disk *disk);
    /* What would prove, on this host, which image it is. ret is zeroed with its size set. Absent: the
     * driver's disks are never shared. */
    int (*identify)(struct ferry_call *call, const struct ferry_services *services,
                    const struct ferry_disk *disk, struct ferry_identity *ret);
    /* Presence, sizes and room, as seen from this host. Absent: not known, and a copy is refused. */
    int (*inspect)(struct ferry_call *call, const struct ferry_services *services,
                   const struct ferry_disk *disk, struct ferry_image *ret);
    /* Adds findings about the disk on this host. Absent: nothing to say. */
    int (*check)(struct ferry_call *call, const struct ferry_services *services,
                 const struct ferry_disk *disk);

    /* Called on the destination only; both or neither. Absent: images of this kind cannot be copied to. */

    /* Creates the image, exclusively: fails when anything stands there. Journals each thing before it exists.
     */
    int (*create)(struct ferry_call *call, const struct ferry_services *services,
                  const struct ferry_new_image *image);
    /* Removes one thing that create journalled under these words. 0 removed or not there; 1 left, since its
     * identity differs from the journalled one. Never recursive. */
    int (*remove)(struct ferry_call *call, const struct ferry_services *services, const char *what,
                  const char *place, const char *name, const char *identity);

    /* Removes the image that `disk` names, when a guest has left it and the user wants it to go: only where
     * it is still the one with this identity, that of `identify`, or, where that gave none for a file, its
     * "DEVICE:INODE" as stat tells them. 0 it is gone; 1 another stands there, or somebody has it open, and
     * it was left. Absent: images of this kind are not removed. */
    int (*retire)(struct ferry_call *call, const struct ferry_services *services,
                  const struct ferry_disk *disk, const char *identity);
    /* Called on the source and on the destination alike. */

    /* All images of one domain that the driver has claimed, before the first of them is identified: the
     * driver may ask its storage for all of them in one go, and answer identify, inspect and check from what
     * it kept (for 5 s at most; what was kept before this call is forgotten). Creates nothing, and adds no
     * finding. What it could not learn is asked again, disk by disk. `disks` lives until it returns. Absent:
     * each disk is asked for by itself. */
    void (*look_ahead)(struct ferry_call *call, const struct ferry_services *services,
                       const struct ferry_disk *const *disks, uint32_t n);

    /* Block I/O: called in a worker that copies one image, on this machine, with one call for an image's
     * whole life: texts of services->text live until close. open, submit, reap and close, or none of them.
     * Absent: images of this kind are copied through QEMU alone. Threads of the driver's own are allowed
     * between open and close; they call no service. */

    /* ret is zeroed with its size set. */
    int (*open)(struct ferry_call *call, const struct ferry_services *services,
                const struct ferry_opening *how, struct ferry_opened *ret);
    /* What lies from `from_bytes` on, without gaps: at least one extent, `room` at most, ret_n of them. It
     * may wait for the storage. Absent: all must be read. */
    int (*extents)(struct ferry_call *call, const struct ferry_services *services, void *handle,
                   uint64_t from_bytes, struct ferry_extent *ret, uint32_t room, uint32_t *ret_n);
    /* Takes a request; it need not be sent before the next reap. Never waits. -1: it was not taken. */
    int (*submit)(struct ferry_call *call, const struct ferry_services *services, void *handle,
                  struct ferry_request *request);
    /* Sends what was taken, and gives back what is done: a list by `next`, NULL for none. Never waits. -1:
     * the storage is lost. */
    int (*reap)(struct ferry_call *call, const struct ferry_services *services, void *handle,
                struct ferry_request **ret_done);
    /* A figure that differs once the image was changed by anybody: the time of its last change in ns, or the
     * like. Absent: not known. */
    int (*changed)(struct ferry_call *call, const struct ferry_services *services, void *handle,
                   uint64_t *ret);
    /* Gives back nothing any more: what is still under way is waited for or dropped, and buffers are touched
     * no longer when it returns. */
    void (*close)(struct ferry_call *call, const struct ferry_services *services, void *handle);
    /* Lets the second image, which is new and as long, hold for good what the first one holds, without any
     * byte copied; both were opened by this driver. 0 done, 1 that cannot be. May wait for the storage.
     * Absent: never. */
    int (*clone)(struct ferry_call *call, const struct ferry_services *services, void *from, void *to);
};

/* ---- transport drivers ----------------------------------------------------------------------------- */

/* What a transport protects, for control and for data. */
#define FERRY_PROTECTS_NOTHING 0u
#define FERRY_PROTECTS_AUTHENTICATION 1u
#define FERRY_PROTECTS_ENCRYPTION 2u

/* What a transport can carry. */
#define FERRY_CARRIES_DISKS 1u   /* block copy inside the migration (NBD) */
#define FERRY_CARRIES_P2P 2u     /* the source's libvirtd can use it by itself */
#define FERRY_CARRIES_MULTIFD 4u /* several connections */
#define FERRY_CARRIES_POSTCOPY 8u
#define FERRY_CARRIES_VIA 16u /* data to another address than control's: ferry_route.data_address */

/* What a probe of a pair of hosts found. */
struct ferry_route {
    uint32_t size;
    uint32_t from_source;  /* 1: probed on the source itself, 0: elsewhere (its worker runs on the client) */
    const char *address;   /* numeric address of the destination that answered; never its own idea of its
                              name. NULL = not known */
    uint64_t latency_us;   /* one connection set-up, FERRY_NOT_KNOWN */
    uint64_t bytes_per_s;  /* FERRY_NOT_KNOWN unless it was measured or read from the link */
    const char *data_name; /* the name that the destination's certificate for data must bear, where that is
                              not `address`. Set before probe when the user gave one; NULL = the address */
    uint32_t protects_control; /* FERRY_PROTECTS_*, where the probe saw more than the driver declares; 0 = as
                                  declared */
    uint32_t is_here;          /* 1: this machine is the source. Set before probe */
    /* A folder on this machine, 0711, in which open_data may make sockets that QEMU opens; a folder of that
     * path is free on the destination too. Set before probe; NULL where there is none. */
    const char *data_folder;
    /* Where this machine is not the source, and the source is reached by a way that this driver opened: its
     * URI and its folder, as `run` takes them. Set before probe and open_data; NULL otherwise. */
    const char *source_uri;
    const char *source_folder;
    const char *domain; /* the domain's name, where the user named it so. Set before probe and open_data; NULL
                           = not known */
    /* For how many ms the probe may wait until the host shows that it is there, where all drivers are tried
     * by its name; 0: as long as the driver sees fit. Set before probe. */
    uint64_t patience_ms;
    const char *data_address; /* numeric address of the destination that RAM and disks shall travel to, where
                                 the user chose one. Set before probe, check and open_data, and only for a
                                 driver that declares FERRY_CARRIES_VIA; NULL = `address` */
    uint32_t connections;     /* that memory will be sent by. Set before open_data; 0 = one */
    uint32_t forwards; /* Of a driver with open_data, answered by probe: over how many processes of its own,
                          at most, open_data can spread several connections; 0 = not told: one carries
                          them all */
};

/* What libvirt must be told of a move over this transport: a migration parameter by libvirt's name, or a
 * flag. virt-ferry passes these on and no others: "migrate_uri", "disks_uri" (only where disks are copied),
 * "tls.destination", and the flag "tls". */
struct ferry_parameter {
    uint32_t size;
    uint32_t reserved;
    const char *name;  /* libvirt's, or FERRY_PARAMETER_FLAG */
    const char *value; /* every value as text; virt-ferry gives it libvirt's type. Of a flag its name, as
                          virsh has it */
};
#define FERRY_PARAMETER_FLAG "flag"

/* A way that was opened to a host. */
struct ferry_way {
    uint32_t size;
    uint32_t patience_ms; /* as that of ferry_route. Set before open */
    const char *socket;   /* UNIX socket of this machine behind which that host's libvirt answers; a gate can
                             stand before it; required */
    const char *libvirt_uri; /* how libvirt is to be told of it; required */
};

struct ferry_transport {
    uint32_t size;
    uint32_t carries;          /* FERRY_CARRIES_* */
    uint32_t protects_control; /* FERRY_PROTECTS_* */
    uint32_t protects_data;
    const char *name;       /* "tcp"; required */
    const char *summary;    /* required */
    const char *uri_scheme; /* the libvirt URI scheme it serves: "qemu+tcp"; required */
    uint32_t control_port;  /* TCP port of the destination that control uses by default */
    uint32_t preference;    /* lower is tried first among those that protect equally */

    /* The libvirt URI of a host that was given by name. Required. Text by services->text. */
    const char *(*uri)(struct ferry_call *call, const struct ferry_services *services, const char *host);
    /* Called in a worker of its own, without libvirt (with `open`: in the way's): reach the destination that
     * `uri` names, within 5 s, or patience_ms. ret is zeroed but for its size, for what is set before probe,
     * and for address where the source is known to
     * see the destination under another than this machine does. -1: not available, with the error as the
     * reason; a `finding` may say which case it is. Findings beside 0 are about this channel. Required. */
    int (*probe)(struct ferry_call *call, const struct ferry_services *services, const char *uri,
                 struct ferry_route *ret);
    /* The i-th parameter or flag for a move over `route`; 0 gives one, 1 says there are no more. Required. */
    int (*parameter)(struct ferry_call *call, const struct ferry_services *services,
                     const struct ferry_route *route, uint32_t i, struct ferry_parameter *ret);

    /* For a transport that must hold something open while libvirt is spoken to. All or none of open and
     * close. Absent: libvirt opens the URI by itself. Then open is called before probe, on this machine, in a
     * worker of its own which lives as long as the way; each way has one worker. */

    /* Opens the way to the host that `uri` names, within 7 s, its first sign within patience_ms, and proves
     * that libvirt answers at its end. `folder` is an empty folder of ours, 0700, of letters, digits and
     * "/._-" only and short enough for a socket; what lies in it is removed with it. Processes that are
     * started must die with the worker (PR_SET_PDEATHSIG). ret is zeroed with its size set. -1: not
     * available; a `finding` whose id says which case it is may come beside the error. */
    int (*open)(struct ferry_call *call, const struct ferry_services *services, const char *uri,
                const char *folder, struct ferry_way *ret);
    /* Ends what open started, in the same worker. */
    void (*close)(struct ferry_call *call, const struct ferry_services *services);
    /* Runs a command on the host over the way that stands in `folder`; called in any worker. The words of
     * argv are constants of the caller, of printable ASCII without ' and !: values go through input. Absent:
     * nothing can be run there. -1 as for services->program, also when the way is gone. */
    int (*run)(struct ferry_call *call, const struct ferry_services *services, const char *uri,
               const char *folder, struct ferry_command *command);

    /* Called in the worker of either host once both are connected, with the route that probe gave: adds
     * findings about what data over this channel needs on that host. at_dest is 1 on the destination. Absent:
     * nothing to say. */
    int (*check)(struct ferry_call *call, const struct ferry_services *services, const char *uri,
                 const struct ferry_route *route, uint32_t at_dest);

    /* Where another driver opens the ways of these URIs: its name. Control then takes that way, and this
     * driver has no open of its own; its probe is called in that way's worker. NULL: none. */
    const char *rides;
    /* Opens what RAM and disks take, at the places that parameter named for this route, within 7 s: called in
     * the way's worker right before libvirt is asked. owner is "UID:GID" of the QEMU there, NULL = not known.
     * What it makes on the destination must go when the way ends, however it ends. Absent: nothing is to be
     * opened. Needs open. */
    int (*open_data)(struct ferry_call *call, const struct ferry_services *services, const char *uri,
                     const char *folder, const struct ferry_route *route, const char *owner);

    /* Whether something that open or open_data started has ended by itself: asked in the way's worker after
     * what went over the way has failed. 0: not as far as can be known; -1: it has, and the error says what
     * it was, how it ended and where to look. Absent: not known. Needs open. */
    int (*ended)(struct ferry_call *call, const struct ferry_services *services, const char *uri);
};

/* ---- the plugin ------------------------------------------------------------------------------------ */

struct ferry_plugin {
    uint32_t size;
    uint32_t abi;        /* FERRY_ABI of the header it was built with */
    const char *name;    /* a word with dashes, unique; also its section in the configuration; required */
    const char *version; /* its own; required */
    const char *summary; /* one line; required */
    const struct ferry_storage *const *storage;      /* NULL-ended, or NULL for none */
    const struct ferry_transport *const *transports; /* NULL-ended, or NULL for none */
};

/* The one symbol. The struct stands at file scope: a compound literal inside a function is no constant. */
#define FERRY_PLUGIN_SYMBOL "ferry_plugin_entry"
#define FERRY_PLUGIN(...)                                                                                    \
    static const struct ferry_plugin ferry_plugin_self = { .size = sizeof(struct ferry_plugin),              \
                                                           .abi = FERRY_ABI,                                 \
                                                           __VA_ARGS__ };                                    \
    __attribute__((visibility("default"))) const struct ferry_plugin *ferry_plugin_entry(void);              \
    const struct ferry_plugin *ferry_plugin_entry(void)                                                      \
    {                                                                                                        \
        return &ferry_plugin_self;                                                                           \
    }

#ifdef __cplusplus
}
#endif

#endif
