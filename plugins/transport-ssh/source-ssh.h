/* SPDX-License-Identifier: Apache-2.0
 * Where virt-ferry does not run on the source: an ssh that the source itself starts, with root's keys there,
 * and that ends when our connection to the source does. */
#ifndef TRANSPORT_SSH_SOURCE_SSH_H
#define TRANSPORT_SSH_SOURCE_SSH_H

#include "ended.h"
#include "place.h"
#include <virt-ferry-plugin.h>

/* Can root on the source log in at p? 0; -1 with the error and a finding. */
int source_ssh_check(struct ferry_call *call, const struct ferry_services *services,
                     const struct ferry_route *route, const struct place *p);
/* Starts it, with the sockets in the folder `data` on the source. */
int source_ssh_open(struct ferry_call *call, const struct ferry_services *services,
                    const struct ferry_route *route, const struct place *p, const char *data,
                    const char *suffix);
/* It has ended by itself, on the source. */
bool source_ssh_has_ended(struct ended *ret);
void source_ssh_end(void);

/* transport-ssh.c: a command on the host that a way leads to. */
int ssh_run(struct ferry_call *call, const struct ferry_services *services, const char *uri,
            const char *folder, struct ferry_command *command);

#endif
