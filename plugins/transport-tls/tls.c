/* SPDX-License-Identifier: Apache-2.0
 * Transport driver "tls": libvirt's TLS socket for control, QEMU's own TLS for RAM and disks
 * (VIR_MIGRATE_TLS). Before anything moves a real handshake is made, and every certificate that can be seen
 * is judged. Read it from the bottom. */
#include "address.h"
#include "drivers.h"
#include "handshake.h"
#include "qemu.h"
#include "say.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIBVIRT_PORT 16514u
#define REACH_MS 2000 /* one packet may be lost; nobody waits long for a host that has no TLS */
#define TALK_MS 2000

#define TEXT(...) services->text(call, __VA_ARGS__)

/* What a probe knows while it goes on. */
struct probe {
    struct ferry_call *call;
    const struct ferry_services *services;
    const char *uri;
    char host[256], port[6];
    struct files files;
    struct certificates cas;
    bool has_certificate;
};

static const char *tls_uri(struct ferry_call *call, const struct ferry_services *services, const char *host)
{
    if (address_needs_brackets(host))
        return TEXT("qemu+tls://[%s]/system", host);
    return TEXT("qemu+tls://%s/system", host);
}

static int take_uri(struct probe *p)
{
    static const char *const known[] = { "pkipath", "authfile", NULL };
    char strange[64], pkipath[400];
    struct ferry_call *call = p->call;
    const struct ferry_services *services = p->services;

    if (!address_of_uri(p->uri, p->host, sizeof p->host, p->port)) {
        services->error(call, "Write it as qemu+tls://HOST/system.", "URI '%s' names no host", p->uri);
        return -1;
    }
    if (address_strange_parameter(p->uri, known, strange, sizeof strange))
        return say_trouble(
            call, services, "tls-uri-parameter",
            "Leave it out: only pkipath and authfile are understood, as plain paths.",
            TEXT("parameter '%s' of URI '%s' is not taken: a server that is not verified could be "
                 "any",
                 strange, p->uri));
    if (!p->port[0])
        (void)snprintf(p->port, sizeof p->port, "%u", LIBVIRT_PORT);
    files_locate(address_parameter(p->uri, "pkipath", pkipath, sizeof pkipath) ? pkipath : NULL, &p->files);
    return 0;
}

static bool is_of_the_web(gnutls_x509_crt_t ca, gnutls_x509_trust_list_t web)
{
    unsigned status = 1;

    return gnutls_x509_trust_list_verify_crt(web, &ca, 1, GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &status, NULL) >=
               0 &&
           status == 0;
}

/* A CA that signs for half the world lets half the world in. */
static void judge_ca_file(struct probe *p)
{
    gnutls_x509_trust_list_t web = NULL;
    bool is_public = false;
    struct ferry_call *call = p->call;
    const struct ferry_services *services = p->services;

    if (gnutls_x509_trust_list_init(&web, 0) < 0)
        return;
    if (gnutls_x509_trust_list_add_system_trust(web, 0, 0) > 0)
        for (unsigned i = 0; i < p->cas.n && !is_public; i++)
            is_public = is_of_the_web(p->cas.list[i], web);
    gnutls_x509_trust_list_deinit(web, 1);
    if (is_public)
        services->finding(
            call, SAY_WARNS, "tls-ca-public",
            TEXT("a CA in '%s' on this machine is one that this system trusts for the web: where hosts have "
                 "the same file, whoever has a certificate of it is let in by libvirt",
                 p->files.ca),
            "Sign the hosts' certificates by a CA of your own, which signs nothing else; "
            "docs/tls.md has the commands.");
}

static int take_ca(struct probe *p)
{
    const char *why = files_certificates(p->files.ca, &p->cas);
    struct ferry_call *call = p->call;
    const struct ferry_services *services = p->services;

    if (why)
        return say_trouble(
            call, services, "tls-own-ca-missing",
            TEXT("Copy the certificate of the CA that signed that of '%s' to '%s'; docs/tls.md has "
                 "the commands.",
                 p->host, p->files.ca),
            TEXT("'%s' on this machine cannot be used: %s", p->files.ca, why));
    judge_ca_file(p);
    return 0;
}

/* Ours, as libvirt's client. Without one libvirtd may let us in all the same, where it verifies nobody. */
static int take_own(struct probe *p)
{
    const struct shown c = {
        .whose = WHOSE_OWN, .use = CERTIFICATE_CLIENT, .host = "this machine", .file = p->files.certificate
    };
    struct shown key = c;
    struct certificates own = { 0 };
    struct judgement j;
    const char *why;
    unsigned n;

    p->has_certificate = access(p->files.certificate, F_OK) == 0;
    if (!p->has_certificate)
        return 0;
    why = files_certificates(p->files.certificate, &own);
    if (why)
        return say_unreadable(p->call, p->services, &c, "tls-own-unreadable", why, 1);
    certificate_judge(&own, &p->cas, NULL, CERTIFICATE_CLIENT, time(NULL), &j);
    certificates_done(&own);
    key.file = p->files.key;
    if (access(p->files.key, R_OK) < 0)
        return say_unreadable(p->call, p->services, &key, "tls-own-key", strerror(errno), 1);
    n = say_judgement(p->call, p->services, &c, &j, 1);
    return n ? -1 : 0;
}

static int say_end(struct probe *p, const struct handshake *h)
{
    struct ferry_call *call = p->call;
    const struct ferry_services *services = p->services;

    switch (h->end) {
    case HANDSHAKE_DONE:
        return 0;
    case HANDSHAKE_LATE:
        return say_trouble(
            call, services, "tls-libvirt-silent",
            TEXT("Look on '%s': is libvirtd or virtproxyd stopped or overloaded? virsh version, "
                 "there, should answer at once.",
                 p->host),
            TEXT("libvirt on '%s' accepts connections to port %s and does not answer", p->host, p->port));
    case HANDSHAKE_NO_TLS:
        return say_trouble(call, services, "tls-not-tls",
                           "Give the port of libvirt's TLS socket, 16514 unless it was changed.",
                           TEXT("what answers at port %s of '%s' does not speak TLS", p->port, p->host));
    case HANDSHAKE_REFUSED:
        if (!p->has_certificate)
            return say_trouble(
                call, services, "tls-own-missing",
                say_how(call, services,
                        &(struct shown){
                            .whose = WHOSE_OWN, .use = CERTIFICATE_CLIENT, .file = p->files.certificate }),
                TEXT("libvirt on '%s' wants a client certificate, and there is no '%s' on this machine",
                     p->host, p->files.certificate));
        return say_trouble(
            call, services, "tls-own-refused",
            TEXT("See on '%s' that /etc/pki/CA/cacert.pem is the CA that signed '%s', and that "
                 "tls_allowed_dn_list in libvirtd.conf, if it is set, has our name.",
                 p->host, p->files.certificate),
            TEXT("libvirt on '%s' does not accept our certificate '%s'", p->host, p->files.certificate));
    case HANDSHAKE_FAILED:
        break;
    }
    return say_trouble(call, services, "tls-failed", NULL,
                       TEXT("no TLS connection to '%s' port %s: %s", p->host, p->port, h->why));
}

/* What libvirtd showed is judged before how it ended: its fault may be the reason. */
static int judge_peer(struct probe *p, struct handshake *h, struct ferry_route *ret)
{
    const struct shown c = {
        .whose = WHOSE_PEER, .use = CERTIFICATE_SERVER, .host = p->host, .name = p->host
    };
    struct judgement j;

    if (!h->shown.n)
        return say_end(p, h);
    certificate_judge(&h->shown, &p->cas, p->host, CERTIFICATE_SERVER, time(NULL), &j);
    if (say_judgement(p->call, p->services, &c, &j, 1) || say_end(p, h) < 0)
        return -1;
    /* QEMU's certificate is taken to bear the same names as libvirt's, until it can be looked at. */
    if (!ret->data_name && route_data_address(ret) && !certificate_names(&h->shown, route_data_address(ret)))
        ret->data_name = p->services->text(p->call, "%s", p->host);
    return driver_passwords(p->call, p->services, p->uri, p->host, &h->auth);
}

static int talk(struct probe *p, struct ferry_route *ret)
{
    struct ferry_call *call = p->call;
    const struct ferry_services *services = p->services;
    struct reached reached;
    struct handshake h;
    const char *why;
    int fd, r;
    const int64_t begun = stream_now_ms();
    const int patience = driver_patience(ret), ms = patience ? patience : REACH_MS;
    const enum reach_answer answer = reach_open(p->host, p->port, ms, &reached, &why, &fd);

    if (answer != REACH_YES) {
        const struct knock k = {
            .host = p->host,
            .port = p->port,
            .why = why,
            .kind = "tls",
            .ms = ms,
            .listen =
                TEXT("Let libvirt on '%s' listen: certificates in /etc/pki (docs/tls.md), listen_tls = 1 in "
                     "/etc/libvirt/libvirtd.conf and libvirtd with --listen, or libvirtd-tls.socket under "
                     "systemd.",
                     p->host),
        };

        return driver_refuse(call, services, answer, &k);
    }
    if (driver_check_order(call, services, p->host, "tls", &reached) < 0) {
        (void)close(fd);
        return -1;
    }
    /* True where the worker runs; virt-ferry knows whether that is the source and corrects it. */
    ret->from_source = 1;
    if (!ret->address)
        ret->address = TEXT("%s", reached.address);
    ret->latency_us = reached.latency_us;
    ret->bytes_per_s = reached.bytes_per_s;
    handshake_make(fd, p->host, &p->files, p->has_certificate, driver_until(patience, begun, TALK_MS), &h);
    (void)close(fd);
    r = judge_peer(p, &h, ret);
    certificates_done(&h.shown);
    return r < 0 || !ret->address ? -1 : 0;
}

static int tls_probe(struct ferry_call *call, const struct ferry_services *services, const char *uri,
                     struct ferry_route *ret)
{
    struct probe p = { .call = call, .services = services, .uri = uri };
    int r;

    /* One that does not know what came with it would not pass the flag on, and data would go in the clear. */
    if (!ROUTE_HAS(ret, data_name)) {
        services->error(call, "Update virt-ferry.", "this virt-ferry is older than its driver for TLS");
        return -1;
    }
    r = take_uri(&p);
    if (r == 0)
        r = take_ca(&p);
    if (r == 0)
        r = take_own(&p);
    if (r == 0)
        r = talk(&p, ret);
    certificates_done(&p.cas);
    return r;
}

static int tls_parameter(struct ferry_call *call, const struct ferry_services *services,
                         const struct ferry_route *route, uint32_t i, struct ferry_parameter *ret)
{
    if (!route_data_address(route) || i > 2 || (i == 2 && !route->data_name))
        return 1;
    if (i == 0)
        return driver_migrate_uri(call, services, route_data_address(route), ret);
    ret->name = i == 1 ? FERRY_PARAMETER_FLAG : "tls.destination";
    ret->value = i == 1 ? "tls" : route->data_name;
    return 0;
}

const struct ferry_transport driver_tls = {
    .size = sizeof driver_tls,
    .carries = FERRY_CARRIES_DISKS | FERRY_CARRIES_P2P | FERRY_CARRIES_MULTIFD | FERRY_CARRIES_POSTCOPY |
               FERRY_CARRIES_VIA,
    .protects_control = FERRY_PROTECTS_ENCRYPTION,
    .protects_data = FERRY_PROTECTS_ENCRYPTION,
    .name = "tls",
    .summary = "TLS with certificates, for control and for data",
    .uri_scheme = "qemu+tls",
    .control_port = LIBVIRT_PORT,
    /* Where ssh leads there too, commands can be run over it, and more is seen of the host. */
    .preference = 30,
    .uri = tls_uri,
    .probe = tls_probe,
    .parameter = tls_parameter,
    .check = qemu_check,
};
