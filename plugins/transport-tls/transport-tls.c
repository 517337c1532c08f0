/* SPDX-License-Identifier: Apache-2.0
 * Transport driver "tcp": libvirt's clear TCP socket for control, QEMU's clear TCP for RAM and disks.
 * The driver for TLS will stand beside it. Read it from the bottom. */
#include "../common/reach.h"
#include "address.h"
#include <stdio.h>
#include <virt-ferry-plugin.h>

#define LIBVIRT_PORT 16509u
#define PROBE_MS 4500 /* the worker is killed at 5 s, and then nobody hears the reason */

static const char *tcp_uri(struct ferry_call *call, const struct ferry_services *services, const char *host)
{
    if (address_needs_brackets(host))
        return services->text(call, "qemu+tcp://[%s]/system", host);
    return services->text(call, "qemu+tcp://%s/system", host);
}

static int refuse(struct ferry_call *call, const struct ferry_services *services, enum reach_answer answer,
                  const char *host, const char *port, const char *why)
{
    switch (answer) {
    case REACH_NO_NAME:
        services->error(call, "Name the host as the source can resolve it, or give its address.",
                        "host name '%s' could not be resolved: %s", host, why);
        break;
    case REACH_REFUSED:
        services->error(
            call,
            services->text(call,
                           "Let libvirt on '%s' listen: listen_tcp = 1 in /etc/libvirt/libvirtd.conf and "
                           "libvirtd with --listen, or libvirtd-tcp.socket under systemd.",
                           host),
            "host '%s' refuses connections to port %s: libvirt does not listen for TCP there", host, port);
        break;
    case REACH_SILENT:
        services->error(call, services->text(call, "Open TCP port %s in the firewall of '%s'.", port, host),
                        "host '%s' did not answer on port %s within %d ms", host, port, PROBE_MS);
        break;
    default:
        services->error(call, NULL, "host '%s' could not be reached on port %s: %s", host, port, why);
        break;
    }
    return -1;
}

static int tcp_probe(struct ferry_call *call, const struct ferry_services *services, const char *uri,
                     struct ferry_route *ret)
{
    struct reached reached;
    enum reach_answer answer;
    char host[256];
    char port[6];
    const char *why;

    if (!address_of_uri(uri, host, sizeof host, port)) {
        services->error(call, "Write it as qemu+tcp://HOST/system.", "URI '%s' names no host", uri);
        return -1;
    }
    if (!port[0])
        (void)snprintf(port, sizeof port, "%u", LIBVIRT_PORT);
    answer = reach(host, port, PROBE_MS, &reached, &why);
    if (answer != REACH_YES)
        return refuse(call, services, answer, host, port, why);
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
    if (i > 0 || !route->address)
        return 1;
    ret->name = "migrate_uri";
    ret->value = services->text(call, address_needs_brackets(route->address) ? "tcp://[%s]" : "tcp://%s",
                                route->address);
    return ret->value ? 0 : -1;
}

static const struct ferry_transport tcp = {
    .size = sizeof tcp,
    .carries = FERRY_CARRIES_DISKS | FERRY_CARRIES_P2P | FERRY_CARRIES_MULTIFD | FERRY_CARRIES_POSTCOPY,
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

FERRY_PLUGIN(.name = "transport-tls", .version = "0.1", .summary = "libvirt's own TCP sockets",
             .transports = (const struct ferry_transport *const[]){ &tcp, NULL })
