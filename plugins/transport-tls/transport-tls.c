/* SPDX-License-Identifier: Apache-2.0
 * libvirt's own sockets: "tcp" in the clear, "tls" encrypted, control and data alike. SASL is no driver of
 * its own: it is how either server may ask who connects, and its URI is the same. */
#include "address.h"
#include "drivers.h"
#include "files.h"
#include "say.h"
#include "stream.h"
#include "ticket.h"
#include <string.h>

#define TEXT(...) services->text(call, __VA_ARGS__)

#define LEAST_MS 250

int driver_patience(const struct ferry_route *route)
{
    const uint64_t ms = ROUTE_HAS(route, patience_ms) ? route->patience_ms : 0;

    return ms < 60000 ? (int)ms : 60000;
}

int64_t driver_until(int patience, int64_t begun, int ms)
{
    const int64_t now = stream_now_ms();

    if (!patience)
        return now + ms;
    return begun + patience > now + LEAST_MS ? begun + patience : now + LEAST_MS;
}

static const char *id_of(struct ferry_call *call, const struct ferry_services *services,
                         const struct knock *k, const char *what)
{
    const char *id = TEXT("%s-%s", k->kind, what);

    return id ? id : k->kind;
}

int driver_refuse(struct ferry_call *call, const struct ferry_services *services, enum reach_answer answer,
                  const struct knock *k)
{
    switch (answer) {
    case REACH_NO_NAME:
        return say_trouble(call, services, id_of(call, services, k, "no-name"),
                           "Name the host as the source can resolve it, or give its address.",
                           TEXT("host name '%s' could not be resolved: %s", k->host, k->why));
    case REACH_REFUSED:
        return say_trouble(
            call, services, id_of(call, services, k, "port-refused"), k->listen,
            TEXT("host '%s' refuses connections to port %s: libvirt does not listen for %s there", k->host,
                 k->port, strcmp(k->kind, "tls") == 0 ? "TLS" : "TCP"));
    case REACH_SILENT:
        return say_trouble(call, services, id_of(call, services, k, "port-filtered"),
                           TEXT("Open TCP port %s in the firewall of '%s'.", k->port, k->host),
                           TEXT("host '%s' did not answer on port %s within %d%s", k->host, k->port,
                                k->ms % 1000 ? k->ms : k->ms / 1000, k->ms % 1000 ? " ms" : " s"));
    default:
        return say_trouble(call, services, id_of(call, services, k, "no-route"), NULL,
                           TEXT("host '%s' could not be reached on port %s: %s", k->host, k->port, k->why));
    }
}

int driver_check_order(struct ferry_call *call, const struct ferry_services *services, const char *host,
                       const char *kind, const struct reached *reached)
{
    const bool has_colon = strchr(reached->address, ':') != NULL;

    if (!reached->silent[0])
        return 0;
    return say_trouble(
        call, services, TEXT("%s-address-silent", kind),
        TEXT("Name the host by the address that answers, qemu+%s://%s%s%s/system, or take %s out of DNS or "
             "/etc/hosts.",
             kind, has_colon ? "[" : "", reached->address, has_colon ? "]" : "", reached->silent),
        TEXT("name '%s' leads to %s first, which does not answer, and only then to %s, which does: libvirt "
             "would wait for the first",
             host, reached->silent, reached->address));
}

static int no_ticket(struct ferry_call *call, const struct ferry_services *services, const char *host)
{
    static const struct {
        const char *id, *what, *fix;
    } rows[] = {
        [TICKET_NONE] = { "sasl-no-ticket", "and there is none on this machine",
                          "Get one as the user who runs virt-ferry: kinit USER. klist shows it; a machine "
                          "logs "
                          "in by its key: kinit -k." },
        [TICKET_EXPIRED] = { "sasl-ticket-expired", "and the one on this machine has expired",
                             "Get a new one as the user who runs virt-ferry: kinit USER." },
        [TICKET_NO_LIBRARY] = { "sasl-no-gssapi", "and this machine has no library for it",
                                "Install libsasl2-modules-gssapi-mit and krb5-user (Debian), or "
                                "cyrus-sasl-gssapi and krb5-workstation (Fedora)." },
    };
    const enum ticket seen = ticket_look();

    if (seen == TICKET_GOOD)
        return 0;
    return say_trouble(
        call, services, rows[seen].id, rows[seen].fix,
        TEXT("libvirt on '%s' asks for a Kerberos ticket (SASL: GSSAPI), %s", host, rows[seen].what));
}

/* GSSAPI logs in by a ticket, the others by a name and a password. */
int driver_passwords(struct ferry_call *call, const struct ferry_services *services, const char *uri,
                     const char *host, const struct auth *auth)
{
    char authfile[512], path[512];
    const char *given = address_parameter(uri, "authfile", authfile, sizeof authfile) ? authfile : NULL;

    if (auth->asks_sasl && strcmp(auth->mechanisms, "GSSAPI") == 0)
        return no_ticket(call, services, host);
    if (!auth->asks_sasl || strstr(auth->mechanisms, "GSS") || files_passwords(given, path, sizeof path))
        return 0;
    return say_trouble(
        call, services, "sasl-no-credentials",
        TEXT("Write user and password into ~/.config/libvirt/auth.conf (mode 600): [credentials-ferry] with "
             "authname= and password=, then [auth-libvirt-%s] with credentials=ferry. Or name such a file "
             "with LIBVIRT_AUTH_FILE, or in the URI: ?authfile=FILE.",
             host),
        TEXT("libvirt on '%s' asks for a user and a password (SASL%s%s), and there is none on this "
             "machine%s%s",
             host, auth->mechanisms[0] ? ": " : "", auth->mechanisms, given ? ": no file " : "",
             given ? given : ""));
}

int driver_migrate_uri(struct ferry_call *call, const struct ferry_services *services, const char *address,
                       struct ferry_parameter *ret)
{
    ret->name = "migrate_uri";
    ret->value = TEXT(address_needs_brackets(address) ? "tcp://[%s]" : "tcp://%s", address);
    return ret->value ? 0 : -1;
}

FERRY_PLUGIN(.name = "transport-tls", .version = "0.2", .summary = "libvirt's own TCP and TLS sockets",
             .transports = (const struct ferry_transport *const[]){ &driver_tcp, &driver_tls, NULL })
