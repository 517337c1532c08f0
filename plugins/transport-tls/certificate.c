/* SPDX-License-Identifier: Apache-2.0
 * Certificates looked at as libvirt and QEMU look at them: dates, purposes, key usage, name, and the CA. */
#include "certificate.h"
#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <string.h>

#define MOST_NAMES 64u
#define DAY_S (24 * 60 * 60)

void certificates_done(struct certificates *c)
{
    for (unsigned i = 0; i < c->n; i++)
        gnutls_x509_crt_deinit(c->list[i]);
    gnutls_free(c->list);
    *c = (struct certificates){ .n = 0 };
}

bool certificates_of_pem(const char *pem, size_t n, struct certificates *ret)
{
    const gnutls_datum_t data = { (unsigned char *)(uintptr_t)pem, (unsigned)n };

    *ret = (struct certificates){ .n = 0 };
    if (gnutls_x509_crt_list_import2(&ret->list, &ret->n, &data, GNUTLS_X509_FMT_PEM, 0) >= 0 && ret->n > 0)
        return true;
    *ret = (struct certificates){ .n = 0 };
    return false;
}

bool certificates_of_chain(const gnutls_datum_t *chain, unsigned n, struct certificates *ret)
{
    *ret = (struct certificates){ .list = n ? gnutls_calloc(n, sizeof(gnutls_x509_crt_t)) : NULL };
    for (unsigned i = 0; ret->list && i < n; i++) {
        if (gnutls_x509_crt_init(&ret->list[i]) < 0)
            break;
        ret->n = i + 1;
        if (gnutls_x509_crt_import(ret->list[i], &chain[i], GNUTLS_X509_FMT_DER) < 0)
            break;
        if (ret->n == n)
            return true;
    }
    certificates_done(ret);
    return false;
}

static unsigned problem_of(int is_critical)
{
    return is_critical ? CERTIFICATE_USE : CERTIFICATE_USE_ODD;
}

/* As libvirt and QEMU do: a purpose that is named must be ours, none named allows all, and what is not marked
 * critical is not held against it. */
static unsigned judge_purpose(gnutls_x509_crt_t cert, const char *wanted)
{
    unsigned is_critical = 0;

    for (unsigned i = 0; i < MOST_NAMES; i++) {
        char oid[128];
        size_t size = sizeof oid;
        const int r = gnutls_x509_crt_get_key_purpose_oid(cert, i, oid, &size, &is_critical);

        if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            return i == 0 ? 0 : problem_of((int)is_critical);
        if (r >= 0 && (strcmp(oid, wanted) == 0 || strcmp(oid, GNUTLS_KP_ANY) == 0))
            return 0;
    }
    return problem_of((int)is_critical);
}

/* Only RSA enciphers keys, and that only before TLS 1.3; older libvirt wants the bit of every key. */
static unsigned judge_key_usage(gnutls_x509_crt_t cert)
{
    const bool is_rsa = gnutls_x509_crt_get_pk_algorithm(cert, NULL) == GNUTLS_PK_RSA;
    unsigned usage = 0, is_critical = 0;

    if (gnutls_x509_crt_get_key_usage(cert, &usage, &is_critical) < 0)
        return 0;
    if (!(usage & GNUTLS_KEY_DIGITAL_SIGNATURE))
        return problem_of((int)is_critical);
    return usage & GNUTLS_KEY_KEY_ENCIPHERMENT ? 0 : problem_of(is_critical && is_rsa);
}

static void add_name(char *names, size_t size, const char *name)
{
    size_t at = strlen(names);

    if (at && at + 2 < size)
        at += (size_t)snprintf(names + at, size - at, ", ");
    for (; *name && at + 1 < size; name++)
        names[at++] = (char)(*name > ' ' && *name < 127 ? *name : '?');
    names[at] = '\0';
}

static void add_alternative(char *names, size_t size, int type, const char *value, size_t n)
{
    char text[INET6_ADDRSTRLEN];

    if (type == GNUTLS_SAN_DNSNAME)
        add_name(names, size, value);
    else if (type == GNUTLS_SAN_IPADDRESS && (n == 4 || n == 16) &&
             inet_ntop(n == 4 ? AF_INET : AF_INET6, value, text, sizeof text))
        add_name(names, size, text);
}

static void name_all(gnutls_x509_crt_t cert, char *names, size_t size)
{
    char value[256];
    size_t n = sizeof value;

    names[0] = '\0';
    for (unsigned i = 0; i < MOST_NAMES; i++) {
        n = sizeof value - 1;
        const int type = gnutls_x509_crt_get_subject_alt_name(cert, i, value, &n, NULL);

        if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            break;
        if (type < 0)
            continue;
        value[n < sizeof value ? n : sizeof value - 1] = '\0';
        add_alternative(names, size, type, value, n);
    }
    n = sizeof value;
    if (!names[0] && gnutls_x509_crt_get_dn_by_oid(cert, GNUTLS_OID_X520_COMMON_NAME, 0, 0, value, &n) >= 0)
        add_name(names, size, value);
}

static bool is_own_issuer(gnutls_x509_crt_t cert)
{
    return gnutls_x509_crt_check_issuer(cert, cert) != 0;
}

static bool has_valid_issuer(gnutls_x509_crt_t cert, const struct certificates *cas, time_t now)
{
    for (unsigned i = 0; i < cas->n; i++)
        if (gnutls_x509_crt_check_issuer(cert, cas->list[i]) &&
            gnutls_x509_crt_get_expiration_time(cas->list[i]) >= now)
            return true;
    return false;
}

/* Dates are judged apart, so that an old certificate of the right CA is not called one of a wrong CA. */
static unsigned judge_ca(const struct certificates *own, const struct certificates *cas, time_t now)
{
    unsigned status = 0;

    if (gnutls_x509_crt_list_verify(
            own->list, (int)own->n, cas->list, (int)cas->n, NULL, 0,
            GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS, &status) < 0 ||
        (status & GNUTLS_CERT_INVALID))
        return CERTIFICATE_CA;
    for (unsigned k = 1; k < own->n; k++)
        if (gnutls_x509_crt_get_expiration_time(own->list[k]) < now && !is_own_issuer(own->list[k]))
            return CERTIFICATE_CA_EXPIRED;
    for (unsigned k = 0; k < own->n; k++)
        if (has_valid_issuer(own->list[k], cas, now))
            return 0;
    return CERTIFICATE_CA_EXPIRED;
}

bool certificate_names(const struct certificates *own, const char *name)
{
    return gnutls_x509_crt_check_hostname(own->list[0], name) != 0;
}

void certificate_judge(const struct certificates *own, const struct certificates *cas, const char *name,
                       enum certificate_use use, time_t now, struct judgement *ret)
{
    gnutls_x509_crt_t cert = own->list[0];
    const char *purpose = use == CERTIFICATE_SERVER ? GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_TLS_WWW_CLIENT;

    *ret = (struct judgement){ .from = gnutls_x509_crt_get_activation_time(cert),
                               .until = gnutls_x509_crt_get_expiration_time(cert) };
    name_all(cert, ret->names, sizeof ret->names);
    if (ret->until < now)
        ret->problems |= CERTIFICATE_EXPIRED;
    else if (ret->until - now < (time_t)CERTIFICATE_SOON_DAYS * DAY_S)
        ret->problems |= CERTIFICATE_SOON;
    if (ret->from > now)
        ret->problems |= CERTIFICATE_NOT_YET;
    if (name && !certificate_names(own, name))
        ret->problems |= CERTIFICATE_NAME;
    ret->problems |= judge_purpose(cert, purpose) | judge_key_usage(cert);
    ret->problems |= judge_ca(own, cas, now);
}
