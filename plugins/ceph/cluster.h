/* SPDX-License-Identifier: Apache-2.0
 * The connections to Ceph of this process: one for each cluster and user, opened when it is first asked for,
 * and kept. Nothing here waits for longer than 5 s. */
#ifndef CEPH_CLUSTER_H
#define CEPH_CLUSTER_H

#include "library.h"
#include "words.h"
#include <stdbool.h>
#include <virt-ferry-plugin.h>

enum cluster_state {
    CLUSTER_OPEN,
    CLUSTER_NO_LIBRARY,
    CLUSTER_SILENT,
    CLUSTER_KEY_REFUSED,
    CLUSTER_NO_KEY,
    CLUSTER_FAILED,
};
/* What the libvirt secret on the worker's host was good for. */
enum cluster_secret {
    SECRET_NOT_ASKED, /* the disk names none, or the connection would carry it in the clear */
    SECRET_HIDDEN,    /* private, as secrets of Ceph mostly are; or it could not be read */
    SECRET_MISSING,
    SECRET_EMPTY,
    SECRET_READ,
};
struct cluster {
    enum cluster_state state;
    char why[WORDS_HOSTS + 1024]; /* one line, where it is not open */
    const struct library *library;
    rados_t rados;
    char fsid[WORDS_FSID];
    char user[WORDS_NAME + 8]; /* "client.libvirt" */
    bool is_disks_user;        /* it acts as the user of the disk, with the same rights */
    enum cluster_secret secret;
    bool is_fencing_tried; /* check.c's */
    int fencing_code;
    /* For cluster.c alone: */
    struct words_place place;
    uint64_t failed_at_ms;
    struct cluster_answer {
        char *json;
        size_t n;
        uint64_t at_ms;
    } answers[2];
    struct cluster *next;
};

/* Never NULL but without memory (the error is set then). */
struct cluster *cluster_open(struct ferry_call *call, const struct ferry_services *services,
                             const struct words_place *place);
/* After an answer did not come in time: for some seconds the cluster is not asked again. */
void cluster_is_silent(struct cluster *c);

enum cluster_question { CLUSTER_POOLS, CLUSTER_ROOM };
/* The monitors' answer as JSON, at most 2 s old; NULL where there is none. */
const struct cluster_answer *cluster_ask(struct cluster *c, enum cluster_question question);

/* Sends a command to the monitors. A negative errno, or 0. */
int cluster_command(struct cluster *c, const char *json);

#endif
