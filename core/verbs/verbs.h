/* SPDX-License-Identifier: Apache-2.0
 * What a worker can be asked: the verbs of a host's worker and of the mover, a file per subject.
 * Each runs in the worker; arguments and replies are JSON objects, described at each function. */
#ifndef VERBS_VERBS_H
#define VERBS_VERBS_H

#include "base/arena.h"
#include "base/text.h"
#include "facts/json.h"
#include "plugin/call.h"
#include "worker/worker.h"
#include <libvirt/libvirt.h>

static inline void virt_domain_freep(virDomainPtr *d)
{
    if (*d)
        (void)virDomainFree(*d);
}
static inline void virt_pool_freep(virStoragePoolPtr *p)
{
    if (*p)
        (void)virStoragePoolFree(*p);
}
static inline void virt_volume_freep(virStorageVolPtr *v)
{
    if (*v)
        (void)virStorageVolFree(*v);
}
#define OWNED_DOMAIN __attribute__((cleanup(virt_domain_freep))) virDomainPtr
#define OWNED_POOL __attribute__((cleanup(virt_pool_freep))) virStoragePoolPtr
#define OWNED_VOLUME __attribute__((cleanup(virt_volume_freep))) virStorageVolPtr

extern const struct verb verbs_host[];
extern const struct verb verbs_mover[];
extern const struct verb verbs_way[];
extern const struct verb verbs_copy[]; /* of a worker that copies images: copy-image.c */

/* The domain that args name by "uuid", or by "domain" (a name, or a uuid); NULL with err set. */
virDomainPtr verb_domain(struct child *c, const json_t *args, struct error *err);
/* What drivers are given in this worker. */
struct call_host verb_call_host(struct child *c);
/* The worker's connection goes through a socket of this machine. */
bool verb_is_local(struct child *c);

/* host.c */
/* Can a host whose URI names none be called so: it is a host's name, that of one machine, and not the
 * destination's? */
bool verb_takes_hostname(const char *hostname, const char *dest_host);
virConnectAuth verb_auth(void); /* asks nobody */
int verb_connect(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_hostname(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_survey_host(struct child *c, const json_t *args, json_t *reply, struct error *err);
/* probe.c */
int verb_probe(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_address(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_name_addresses(struct child *c, const json_t *args, json_t *reply, struct error *err);
/* One driver's channel to a host, added to f, or a finding that says why there is none. uri NULL: as the
 * driver names the host. */
int probe_channel(struct child *c, struct facts *f, const struct ferry_transport *t,
                  const struct plugin_entry *owner, const char *uri, const char *host, const json_t *seen,
                  struct error *err);
bool verb_is_of_scheme(const char *uri, const char *scheme);
/* channel.c */
int verb_check_channels(struct child *c, const json_t *args, json_t *reply, struct error *err);
/* capabilities.c, of which verb_survey_pair too */
int verb_qemu_owner(struct child *c, const json_t *args, json_t *reply, struct error *err);
/* survey.c */
int verb_survey_domain(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_survey_disks(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_survey_pair(struct child *c, const json_t *args, json_t *reply, struct error *err);
/* What stands at the place that a disk is to be relocated to. */
int survey_relocation(struct child *c, struct facts *f, struct disk *to, struct error *err);
/* relocate.c */
int verb_survey_relocation(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_relocation_room(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_image_users(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_image_retire(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_relocation_create(struct child *c, const json_t *args, json_t *reply, struct error *err);
/* block.c */
int verb_block_copy(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_block_look(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_block_pivot(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_block_abort(struct child *c, const json_t *args, json_t *reply, struct error *err);
/* A <disk> with the type, the format and the source of d, and no more. */
void block_disk_xml(struct text *out, const struct disk *d);
/* definition.c */
int verb_definition_read(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_definition_write(struct child *c, const json_t *args, json_t *reply, struct error *err);
/* open.c */
void open_compare(struct child *c, struct facts *f);
/* Of its image nothing but what QEMU says it occupies tells whether it is the one that is seen here. */
bool open_is_told_by_size(const struct disk *disk);
void open_sizes(struct disk *disk, const virDomainBlockInfo *info);
/* volume.c: of a disk of type volume, what it is here and its path (volume_is_device, source). false: not to
 * be told, and nothing is changed but source. */
bool volume_resolve(struct child *c, struct arena *a, struct disk *d);
/* domain.c */
int verb_domain_name(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_state(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_mark_set(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_mark_clear(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_autostart(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_start_paused(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_max_downtime(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_resume(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_destroy(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_undefine(struct child *c, const json_t *args, json_t *reply, struct error *err);
/* job.c */
int verb_job(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_control(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_abort_job(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_start_postcopy(struct child *c, const json_t *args, json_t *reply, struct error *err);
/* dirty.c */
int verb_measure_dirty(struct child *c, const json_t *args, json_t *reply, struct error *err);
/* memory.c */
int verb_measure_memory(struct child *c, const json_t *args, json_t *reply, struct error *err);
/* link.c */
int verb_measure_link(struct child *c, const json_t *args, json_t *reply, struct error *err);
/* nonce.c */
#define NONCE_PREFIX ".virt-ferry-" /* of all that looking makes */
/* The record that "what" is about to be made for a proof; "nonce-remove" takes it. */
json_t *nonce_record(struct child *c, const char *what, const char *place, const char *name);
int verb_nonce_open(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_nonce_look(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_nonce_stat(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_nonce_close(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_nonce_remove(struct child *c, const json_t *args, json_t *reply, struct error *err);
/* lock.c */
int verb_lock_hold(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_lock_try(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_lock_release(struct child *c, const json_t *args, json_t *reply, struct error *err);
/* ports.c */
int verb_reach_ports(struct child *c, const json_t *args, json_t *reply, struct error *err);
/* image.c */
/* By the driver of at, at the place that wanted names; what image says of base and capacity. */
int image_create(struct child *c, const struct disk *at, const struct ferry_disk *wanted,
                 const struct ferry_new_image *image, struct error *err);
int verb_image_create(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_image_remove(struct child *c, const json_t *args, json_t *reply, struct error *err);
/* send.c */
/* The image that args name by "target" and "layer": 0 or absent, the disk's own; n, the n-th that it rests
 * on. NULL with err set, or because f is. */
struct disk *image_in(struct facts *f, const json_t *args, struct error *err);
int verb_image_hold(struct child *c, const json_t *args, json_t *reply, struct error *err);
int verb_image_send(struct child *c, const json_t *args, json_t *reply, struct error *err);

#endif
