/* SPDX-License-Identifier: Apache-2.0
 * What a libvirt daemon wants of whoever connects: asked by the two messages that its protocol allows before
 * anybody has shown who he is. Nothing is logged in. */
#ifndef TRANSPORT_TLS_AUTH_H
#define TRANSPORT_TLS_AUTH_H

#include "stream.h"

struct auth {
    bool is_known;     /* the daemon answered */
    bool asks_nothing; /* whoever connects is let in */
    bool asks_sasl;
    char mechanisms[256]; /* of SASL: "SCRAM-SHA-256,GSSAPI" */
};
void auth_ask(struct stream *s, struct auth *ret);

/* The protocol's words, for tests: an answer's head and body, as auth_ask takes them. */
bool auth_of_list(const unsigned char *body, size_t n, struct auth *ret);
bool auth_of_mechanisms(const unsigned char *body, size_t n, struct auth *ret);

#endif
