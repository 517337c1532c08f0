/* SPDX-License-Identifier: Apache-2.0
 * The master logs in: by which words, who connects it, which sockets it makes, and what a connection that was
 * made for it has told of the way to the host. */
#ifndef TRANSPORT_SSH_LOGIN_H
#define TRANSPORT_SSH_LOGIN_H

#include "../common/reach.h"
#include "place.h"
#include <virt-ferry-plugin.h>

/* 0 when the master stands with libvirt's sockets in `folder`; -1 with a finding and the call's error. */
int login(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
          const char *folder);
/* What the master's own connection to that host (as settings_of calls it) has told, so that sshd there need
 * not answer another one; false: ssh has connected by itself, or to another. */
bool login_reached(const char *host, struct reached *ret);

/* libvirt's sockets: here, in `folder`, and there. */
void login_forwards(const char *folder, struct forward ret[PLACE_SERVICES]);
/* An ssh that stands makes sockets: the master, or the nth of those that have a connection of their own. */
int login_sockets(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
                  const char *folder, unsigned nth, const struct forward list[PLACE_SERVICES]);
/* Of this machine's processor. */
bool login_has_aes(void);

#endif
