/* SPDX-License-Identifier: Apache-2.0
 * Whether this process holds a Kerberos ticket, as the library says by which libvirt's client would use it.
 * Opened when it is needed: few hosts ask for Kerberos. */
#ifndef TRANSPORT_TLS_TICKET_H
#define TRANSPORT_TLS_TICKET_H

enum ticket { TICKET_GOOD, TICKET_NONE, TICKET_EXPIRED, TICKET_NO_LIBRARY };

enum ticket ticket_look(void);
/* Of what the two calls of GSSAPI returned; apart for tests. */
enum ticket ticket_of_status(unsigned acquired, unsigned inquired, unsigned lifetime_s);

#endif
