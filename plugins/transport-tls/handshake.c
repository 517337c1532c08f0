/* SPDX-License-Identifier: Apache-2.0
 * GnuTLS verifies nothing here: certificate.c judges what was shown, so that each fault has its own name. Not
 * a byte of ours goes over this connection but libvirt's two questions. */
#include "handshake.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define LETS_US_IN 1 /* the byte that libvirtd sends when it has looked at our certificate */

struct session {
    gnutls_certificate_credentials_t credentials;
    gnutls_session_t session;
};

static void session_done(struct session *s)
{
    if (s->session)
        gnutls_deinit(s->session);
    if (s->credentials)
        gnutls_certificate_free_credentials(s->credentials);
}

static int session_make(struct session *s, int fd, const char *host, const struct files *own,
                        bool has_certificate)
{
    unsigned char address[16];
    int r = gnutls_certificate_allocate_credentials(&s->credentials);

    if (r >= 0 && has_certificate)
        r = gnutls_certificate_set_x509_key_file(s->credentials, own->certificate, own->key,
                                                 GNUTLS_X509_FMT_PEM);
    if (r >= 0)
        r = gnutls_init(&s->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
    if (r >= 0)
        r = gnutls_set_default_priority(s->session);
    if (r >= 0)
        r = gnutls_credentials_set(s->session, GNUTLS_CRD_CERTIFICATE, s->credentials);
    /* An address is no name that a server could choose by. */
    if (r >= 0 && inet_pton(AF_INET, host, address) != 1 && inet_pton(AF_INET6, host, address) != 1)
        r = gnutls_server_name_set(s->session, GNUTLS_NAME_DNS, host, strlen(host));
    if (r >= 0)
        gnutls_transport_set_int(s->session, fd);
    return r;
}

static enum handshake_end end_of(const struct stream *s)
{
    if (s->is_late)
        return HANDSHAKE_LATE;
    switch (s->problem) {
    case GNUTLS_E_UNEXPECTED_PACKET_LENGTH:
    case GNUTLS_E_UNEXPECTED_PACKET:
    case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
    case GNUTLS_E_RECORD_OVERFLOW:
        return HANDSHAKE_NO_TLS;
    default:
        return HANDSHAKE_FAILED;
    }
}

static void keep_chain(gnutls_session_t session, struct certificates *ret)
{
    unsigned n = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);

    if (chain && n)
        (void)certificates_of_chain(chain, n, ret);
}

/* libvirtd looks at our certificate only now, and answers with one byte or with the end. */
static void await_word(struct stream *s, struct handshake *ret)
{
    char word = 0;

    if (!stream_read(s, &word, 1)) {
        ret->end = s->is_late ? HANDSHAKE_LATE : HANDSHAKE_REFUSED;
        return;
    }
    if (word != LETS_US_IN) {
        ret->end = HANDSHAKE_REFUSED;
        return;
    }
    auth_ask(s, &ret->auth);
    ret->end = HANDSHAKE_DONE;
}

void handshake_make(int fd, const char *host, const struct files *own, bool has_certificate, int64_t until_ms,
                    struct handshake *ret)
{
    __attribute__((cleanup(session_done))) struct session session = { 0 };
    struct stream s = { .fd = fd, .until_ms = until_ms };
    const int r = session_make(&session, fd, host, own, has_certificate);

    *ret = (struct handshake){ .end = HANDSHAKE_FAILED };
    if (r < 0) {
        (void)snprintf(ret->why, sizeof ret->why, "%s", gnutls_strerror(r));
        return;
    }
    s.tls = session.session;
    if (stream_handshake(&s)) {
        keep_chain(session.session, &ret->shown);
        await_word(&s, ret);
        return;
    }
    keep_chain(session.session, &ret->shown);
    ret->end = s.problem == GNUTLS_E_FATAL_ALERT_RECEIVED && ret->shown.n ? HANDSHAKE_REFUSED : end_of(&s);
    (void)snprintf(ret->why, sizeof ret->why, "%s",
                   s.problem == GNUTLS_E_FATAL_ALERT_RECEIVED
                       ? gnutls_alert_get_name(gnutls_alert_get(session.session))
                       : gnutls_strerror(s.problem));
}
