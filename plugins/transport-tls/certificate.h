/* SPDX-License-Identifier: Apache-2.0
 * What is wrong with a certificate, for a use, a name and a CA, at a time. No I/O, no clock. */
#ifndef TRANSPORT_TLS_CERTIFICATE_H
#define TRANSPORT_TLS_CERTIFICATE_H

#include <gnutls/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum certificate_problem {
    CERTIFICATE_EXPIRED = 1,
    CERTIFICATE_NOT_YET = 2,
    CERTIFICATE_SOON = 4, /* it expires within CERTIFICATE_SOON_DAYS */
    CERTIFICATE_NAME = 8,
    CERTIFICATE_CA = 16,         /* none of the CAs signed it */
    CERTIFICATE_USE = 32,        /* not made for this end of a connection: libvirt and QEMU refuse it */
    CERTIFICATE_USE_ODD = 64,    /* the same, and some of them take it */
    CERTIFICATE_CA_EXPIRED = 128 /* the CA that signed it */
};
#define CERTIFICATE_SOON_DAYS 30
enum certificate_use { CERTIFICATE_SERVER, CERTIFICATE_CLIENT };

/* The certificates of a PEM text, or of a chain. Zeroed = none. */
struct certificates {
    gnutls_x509_crt_t *list;
    unsigned n;
};
/* false: there is none in it that can be read. */
bool certificates_of_pem(const char *pem, size_t n, struct certificates *ret);
/* false: one of them cannot be read. */
bool certificates_of_chain(const gnutls_datum_t *chain, unsigned n, struct certificates *ret);
void certificates_done(struct certificates *c);

struct judgement {
    unsigned problems; /* enum certificate_problem */
    time_t from, until;
    char names[512]; /* all that it names, for the reader: "hostB, 10.0.0.2"; escaped */
};
/* The first of `own`, the rest being what leads to the CA. name NULL: it is asked for none. */
void certificate_judge(const struct certificates *own, const struct certificates *cas, const char *name,
                       enum certificate_use use, time_t now, struct judgement *ret);
bool certificate_names(const struct certificates *own, const char *name);

#endif
