/* SPDX-License-Identifier: Apache-2.0
 * Transport driver "tcp": libvirt's clear TCP socket for control, QEMU's clear TCP for RAM and disks.
 * Read it from the bottom. */
#include "address.h"
#include "drivers.h"
#include "say.h"
#include "stream.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIBVIRT_PORT 16509u
#define PROBE_MS 4500 /* the worker is killed at 5 s, and then nobody hears the reason */
#define ASK_MS 1000   /* for what is worth knowing and no more */

static const char *tcp_uri(struct ferry_call *call, const struct ferry_services *services, const char *host)
{
    if (address_needs_brackets(host))
        return services->text(call, "qemu+tcp://[%s]/system", host);
    return services->text(call, "qemu+tcp://%s/system", host);
}

static int refuse(struct ferry_call *call, const struct ferry_services *services, enum reach_answer answer,
                  const char *host, const char *port, const char *why, int ms)
{
    const struct knock k = {
        .host = host,
        .port = port,
        .why = why,
        .kind = "tcp",
        .ms = ms,
        .listen =
            services->text(call,
                           "Let libvirt on '%s' listen: listen_tcp = 1 in /etc/libvirt/libvirtd.conf and "
                           "libvirtd with --listen, or libvirtd-tcp.socket under systemd.",
                           host),
    };

    return driver_refuse(call, services, answer, &k);
}

/* On plain TCP libvirt lets SASL in only with a layer that encrypts. That of Kerberos is one; the others are
 * too old to be called so. */
static int judge_auth(struct ferry_call *call, const struct ferry_services *services, const char *uri,
                      const char *host, const struct auth *auth, struct ferry_route *ret)
{
    if (auth->asks_nothing)
        services->finding(
            call, SAY_WARNS, "tcp-anyone-is-root",
            services->text(call, "libvirt on '%s' lets everybody in who reaches its TCP port, as root", host),
            services->text(call,
                           "Let it ask for SASL (auth_tcp = \"sasl\" in /etc/libvirt/libvirtd.conf), "
                           "or listen for TLS instead (docs/tls.md), on '%s'.",
                           host));
    if (auth->asks_sasl && ROUTE_HAS(ret, protects_control))
        ret->protects_control = strcmp(auth->mechanisms, "GSSAPI") == 0 ? FERRY_PROTECTS_ENCRYPTION
                                                                        : FERRY_PROTECTS_AUTHENTICATION;
    return driver_passwords(call, services, uri, host, auth);
}

static int tcp_probe(struct ferry_call *call, const struct ferry_services *services, const char *uri,
                     struct ferry_route *ret)
{
    struct reached reached;
    enum reach_answer answer;
    struct auth auth;
    char host[256];
    char port[6];
    const char *why;
    const int64_t begun = stream_now_ms();
    const int patience = driver_patience(ret);
    const int ms = patience ? patience : PROBE_MS - ASK_MS;
    int fd;

    if (!address_of_uri(uri, host, sizeof host, port)) {
        services->error(call, "Write it as qemu+tcp://HOST/system.", "URI '%s' names no host", uri);
        return -1;
    }
    if (!port[0])
        (void)snprintf(port, sizeof port, "%u", LIBVIRT_PORT);
    answer = reach_open(host, port, ms, &reached, &why, &fd);
    if (answer != REACH_YES)
        return refuse(call, services, answer, host, port, why, ms);
    if (driver_check_order(call, services, host, "tcp", &reached) < 0) {
        (void)close(fd);
        return -1;
    }
    auth_ask(&(struct stream){ .fd = fd, .until_ms = driver_until(patience, begun, ASK_MS) }, &auth);
    (void)close(fd);
    /* Named by its URI it is tried all the same: libvirt's client says what it meets. */
    if (!auth.is_known && patience)
        return say_trouble(
            call, services, "tcp-libvirt-silent",
            services->text(call,
                           "Look on '%s': is libvirtd or virtproxyd stopped or overloaded, and is it libvirt "
                           "that listens at port %s?",
                           host, port),
            services->text(call,
                           "'%s' accepts connections to port %s and does not answer as libvirt does within "
                           "%d s",
                           host, port, patience / 1000));
    if (judge_auth(call, services, uri, host, &auth, ret) < 0)
        return -1;
    /* True where the worker runs; virt-ferry knows whether that is the source and corrects it. */
    ret->from_source = 1;
    ret->address = services->text(call, "%s", reached.address);
    ret->latency_us = reached.latency_us;
    ret->bytes_per_s = reached.bytes_per_s;
    return ret->address ? 0 : -1;
}

static int tcp_parameter(struct ferry_call *call, const struct ferry_services *services,
                         const struct ferry_route *route, uint32_t i, struct ferry_parameter *ret)
{
    const char *address = route_data_address(route);

    return i > 0 || !address ? 1 : driver_migrate_uri(call, services, address, ret);
}

const struct ferry_transport driver_tcp = {
    .size = sizeof driver_tcp,
    .carries = FERRY_CARRIES_DISKS | FERRY_CARRIES_P2P | FERRY_CARRIES_MULTIFD | FERRY_CARRIES_POSTCOPY |
               FERRY_CARRIES_VIA,
    .protects_control = FERRY_PROTECTS_NOTHING,
    .protects_data = FERRY_PROTECTS_NOTHING,
    .name = "tcp",
    .summary = "clear TCP, for control and for data",
    .uri_scheme = "qemu+tcp",
    .control_port = LIBVIRT_PORT,
    .preference = 10,
    .uri = tcp_uri,
    .probe = tcp_probe,
    .parameter = tcp_parameter,
};
