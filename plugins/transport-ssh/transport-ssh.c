/* SPDX-License-Identifier: Apache-2.0
 * Control through OpenSSH's own ssh, one master for each way, libvirt's UNIX socket forwarded by it;
 * virt-ssh-helper is not needed on the other host. Two transport drivers: "ssh", whose RAM and disks go
 * through the same master, by sockets that QEMU opens at one path on both hosts; and "ssh-clear", whose go as
 * with "tcp", in the clear. Read it from the bottom. */
#include "../common/reach.h"
#include "../common/route.h"
#include "hello.h"
#include "keeper.h"
#include "login.h"
#include "master.h"
#include "relay.h"
#include "said.h"
#include "session.h"
#include "source-ssh.h"
#include "trouble.h"
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SSH_PORT 22u
#define OPEN_MS 6500 /* virt-ferry gives 7 s, and then nobody hears the reason */
#define LEAST_MS 600
#define PROBE_MS 4500
#define KEEPER_MS 3000
#define OWN_MS 5000 /* with a login */
#define SEVERAL_MS 3500

_Static_assert(KEEPER_MOST <= RELAY_MOST, "each of the ssh is one to hand connections on to");

static const char *ssh_uri(struct ferry_call *call, const struct ferry_services *services, const char *host)
{
    return services->text(call, "qemu+ssh://%s/system", host);
}

static int no_place(struct ferry_call *call, const struct ferry_services *services, const char *uri,
                    const char *why)
{
    services->error(call, "Write it as qemu+ssh://[USER@]HOST[:PORT]/system.", "URI '%s' cannot be used: %s",
                    uri, why);
    return -1;
}

/* The first of libvirt's sockets that is answered at. */
static int find_libvirt(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
                        const char *folder, int64_t until, struct ferry_way *ret)
{
    const int64_t left = until - master_now_ms();
    struct forward list[PLACE_SERVICES];
    unsigned which;

    login_forwards(folder, list);
    switch (hello(list, left > LEAST_MS ? (int)left : LEAST_MS, &which)) {
    case HELLO_YES:
        ret->socket = services->text(call, "%s", list[which].here);
        ret->libvirt_uri = services->text(call, "qemu+unix:///system?socket=%s", list[which].here);
        return ret->socket && ret->libvirt_uri ? 0 : -1;
    case HELLO_SILENT:
        return trouble(
            call, services, "ssh-libvirt-silent",
            services->text(call,
                           "Look on '%s': is libvirtd or virtqemud stopped or "
                           "overloaded? virsh version, there, should answer at once.",
                           p->host),
            services->text(call, "libvirt on '%s' accepts connections and does not answer", p->host));
    case HELLO_CLOSED:
        break;
    }
    return trouble_libvirt(call, services, p, folder);
}

/* In whole seconds, as ssh has it; 0: no other than always. */
static unsigned way_patience_s(const struct ferry_way *way)
{
    const uint32_t ms = way->patience_ms;

    return ms == 0 || ms >= PLACE_CONNECT_S * 1000u ? 0 : (ms + 999u) / 1000u;
}

static int ssh_open(struct ferry_call *call, const struct ferry_services *services, const char *uri,
                    const char *folder, struct ferry_way *ret)
{
    int64_t until = master_now_ms() + OPEN_MS;
    struct place p;
    const char *why = place_of_uri(uri, &p);

    if (why)
        return no_place(call, services, uri, why);
    if (!place_folder_fits(folder)) {
        services->error(call, "Set XDG_RUNTIME_DIR to a short folder of letters and digits.",
                        "sockets for ssh cannot lie in '%s'", folder);
        return -1;
    }
    p.connect_s = way_patience_s(ret);
    if (login(call, services, &p, folder) != 0) {
        master_end();
        return -1;
    }
    /* libvirt is given the same time as sshd was. */
    if (p.connect_s && until > master_now_ms() + (int64_t)p.connect_s * 1000)
        until = master_now_ms() + (int64_t)p.connect_s * 1000;
    if (find_libvirt(call, services, &p, folder, until, ret) == 0)
        return 0;
    master_end();
    return -1;
}

static void ssh_close(struct ferry_call *call, const struct ferry_services *services)
{
    (void)call;
    (void)services;
    source_ssh_end();
    relay_end();
    keeper_end(); /* before the connection that it needs to tidy up */
    master_end();
}

int ssh_run(struct ferry_call *call, const struct ferry_services *services, const char *uri,
            const char *folder, struct ferry_command *command)
{
    const char *const *argv = command->argv;
    char quoted[4096], said[512], line[512];
    struct words w;
    struct place p;
    const char *why = place_of_uri(uri, &p);
    int r;

    if (why)
        return no_place(call, services, uri, why);
    if (!place_quote(quoted, sizeof quoted, argv)) {
        services->error(call, NULL, "a command for '%s' has words that a shell could misread", p.host);
        return -1;
    }
    if (!command->errors) {
        command->errors = said;
        command->errors_room = sizeof said;
    }
    words_of_session(&w, &p, folder, quoted);
    command->argv = w.argv;
    r = services->program(call, command);
    command->argv = argv;
    if (r == 0 && command->exit_code == 255) {
        size_t n = strcspn(command->errors, "\n");

        (void)snprintf(line, sizeof line, "%.*s", (int)n, command->errors);
        services->error(call, NULL, "no command could be run on '%s': ssh said '%s'", p.host, line);
        r = -1;
    }
    if (command->errors == said) {
        command->errors = NULL;
        command->errors_room = command->errors_bytes = 0;
        /* Nobody asked for its errors: that they were long is no matter. */
        command->is_cut &= command->output && command->output_bytes + 1 >= command->output_room;
    }
    return r;
}

static int probe_ms(const struct ferry_route *route)
{
    const bool is_known =
        route->size >= offsetof(struct ferry_route, patience_ms) + sizeof route->patience_ms;

    return is_known && route->patience_ms > 0 && route->patience_ms < PROBE_MS ? (int)route->patience_ms
                                                                               : PROBE_MS;
}

static int clear_probe(struct ferry_call *call, const struct ferry_services *services, const char *uri,
                       struct ferry_route *ret)
{
    struct settings s;
    struct reached reached;
    struct place p;
    const char *why = place_of_uri(uri, &p);

    if (why)
        return no_place(call, services, uri, why);
    settings_of(call, services, &p, &s);
    if (s.has_proxy || !(login_reached(s.host, &reached) ||
                         reach(s.host, s.port, probe_ms(ret), &reached, &why) == REACH_YES))
        /* ssh came through, by a way of its own: data cannot take that one. virt-ferry may find out at the
         * source where the destination is. */
        return 0;
    ret->from_source = 1;
    ret->address = services->text(call, "%s", reached.address);
    ret->latency_us = reached.latency_us;
    ret->bytes_per_s = reached.bytes_per_s;
    return ret->address ? 0 : -1;
}

static int clear_parameter(struct ferry_call *call, const struct ferry_services *services,
                           const struct ferry_route *route, uint32_t i, struct ferry_parameter *ret)
{
    const char *address = route_data_address(route);

    if (i > 0 || !address)
        return 1;
    ret->name = "migrate_uri";
    ret->value = services->text(call, strchr(address, ':') ? "tcp://[%s]" : "tcp://%s", address);
    return ret->value ? 0 : -1;
}

/* ---- RAM and disks through the master ---- */

/* Does ssh answer at the address that RAM and disks shall take? */
static int check_via(struct ferry_call *call, const struct ferry_services *services, const char *uri,
                     const char *via)
{
    struct settings s;
    struct reached reached;
    struct place p;
    const char *why = place_of_uri(uri, &p);

    if (why)
        return no_place(call, services, uri, why);
    settings_of(call, services, &p, &s);
    if (s.has_proxy || reach(via, s.port, PROBE_MS, &reached, &why) == REACH_YES)
        return 0;
    return trouble(
        call, services, "ssh-via-closed",
        services->text(call, "Let sshd on '%s' listen at %s too, or leave --via out.", p.host, via),
        services->text(call, "RAM and disks cannot go through ssh to %s: port %s does not answer there", via,
                       s.port));
}

static int ssh_probe(struct ferry_call *call, const struct ferry_services *services, const char *uri,
                     struct ferry_route *ret)
{
    struct place p;

    /* From a third machine there is the one ssh that the source starts. */
    if (ROUTE_HAS(ret, forwards))
        ret->forwards = ret->source_uri ? 1 : KEEPER_MOST;
    if (!ret->is_here && !ret->source_uri) {
        services->error(
            call,
            "Run virt-ferry on the source, or reach the source by ssh too: -c "
            "qemu+ssh://SOURCE/system.",
            "RAM and disks go through ssh only from a source that is this machine or is reached by ssh");
        return -1;
    }
    if (!ret->data_folder) {
        services->error(
            call, "Run virt-ferry as root.",
            "RAM and disks go through sockets that QEMU opens, and only root can make them there");
        return -1;
    }
    if (ret->source_uri) {
        const char *why = place_of_uri(uri, &p);

        if (why)
            return no_place(call, services, uri, why);
        return source_ssh_check(call, services, ret, &p);
    }
    if (route_via(ret) && check_via(call, services, uri, route_via(ret)) < 0)
        return -1;
    return clear_probe(call, services, uri, ret);
}

/* Where the source is elsewhere: another one, since this machine may be the destination, and has its own. */
static const char *sockets_folder(struct ferry_call *call, const struct ferry_services *services,
                                  const struct ferry_route *route)
{
    return route->source_uri && route->data_folder ? services->text(call, "%s-far", route->data_folder)
                                                   : route->data_folder;
}

static int ssh_parameter(struct ferry_call *call, const struct ferry_services *services,
                         const struct ferry_route *route, uint32_t i, struct ferry_parameter *ret)
{
    static const struct {
        const char *name, *socket;
    } sockets[2] = { { "migrate_uri", PLACE_RAM }, { "disks_uri", PLACE_DISKS } };

    const char *folder = i < 2 ? sockets_folder(call, services, route) : NULL;
    char suffix[PLACE_SUFFIX_SIZE];

    if (!folder)
        return 1;
    place_suffix(route->domain, suffix);
    ret->name = sockets[i].name;
    ret->value = services->text(call, "unix://%s/%s%s", folder, sockets[i].socket, suffix);
    return ret->value ? 0 : -1;
}

/* What is to be opened, and for whom. */
struct opening {
    const struct place *place;
    const char *folder, *data, *owner, *via;
    unsigned connections;
    char suffix[PLACE_SUFFIX_SIZE];
};

/* The master's shell there makes the folder, and tells of the processor. */
static int keep_folder(struct ferry_call *call, const struct ferry_services *services,
                       const struct opening *o)
{
    char quoted[2048], line[256];
    const char *said = "";
    struct words w;

    if (!place_quote(quoted, sizeof quoted, keeper_words))
        return -1;
    words_of_session(&w, o->place, o->folder, quoted);
    if (keeper_begin(&w, o->data, o->owner, o->suffix, KEEPER_MS, &said) == 0)
        return 0;
    said_last_line(said, line, sizeof line);
    services->error(call,
                    services->text(call,
                                   "See that root can make folders in /run on '%s'; or take a channel "
                                   "whose data goes another way.",
                                   o->place->host),
                    "no folder '%s' could be made on '%s' for the sockets of RAM and disks: %s", o->data,
                    o->place->host, line);
    return -1;
}

/* By the master (by 0), or one that has a connection of its own: where QEMU opens them, or, of several, at
 * places of its own. */
static int forward_data(struct ferry_call *call, const struct ferry_services *services,
                        const struct opening *o, unsigned by, unsigned nth_of_several)
{
    struct forward list[PLACE_SERVICES];

    for (unsigned i = 0; i < PLACE_SERVICES; i++) {
        place_socket(o->data, i, o->suffix, list[i].there);
        if (nth_of_several)
            place_own_socket(o->folder, i, nth_of_several, list[i].here);
        else
            place_socket(o->data, i, o->suffix, list[i].here);
    }
    return login_sockets(call, services, o->place, o->folder, by, list);
}

/* An ssh for each of several connections, as far as they come, and what hands the connections on to them.
 * false: there would be no more than one. */
static bool open_several(struct ferry_call *call, const struct ferry_services *services,
                         const struct opening *o, const struct own_way *own, const char *command)
{
    const unsigned n = o->connections < KEEPER_MOST ? o->connections : KEEPER_MOST;
    struct words w[KEEPER_MOST];
    struct own_way nth = *own;
    struct relay r = { .n = 0 };
    const char *said = "";
    uint32_t stand;
    int problem = 0;

    for (nth.nth = 1; nth.nth <= n; nth.nth++)
        words_of_own(&w[nth.nth - 1], o->place, &nth, command);
    stand = keeper_carry(w, n, SEVERAL_MS, &said);
    for (unsigned i = 0; i < n; i++) {
        if (!(stand & 1u << i) || forward_data(call, services, o, i + 1, i + 1) < 0)
            continue;
        for (unsigned k = 0; k < PLACE_SERVICES; k++)
            place_own_socket(o->folder, k, i + 1, r.there[r.n][k]);
        r.n++;
    }
    for (unsigned k = 0; k < PLACE_SERVICES; k++)
        place_socket(o->data, k, o->suffix, r.here[k]);
    if (r.n > 1)
        problem = relay_begin(&r);
    if (r.n > 1 && !problem)
        return true;
    services->log(call, "%u of %u ssh stand: %s", r.n, n, problem ? strerror(problem) : said);
    keeper_drop_carriers();
    return false;
}

/* The master's cipher is chosen before anything is known of the processor there: where that has no AES, RAM
 * and disks have a connection of their own, by the cipher that ssh itself would take. */
static int open_from_here(struct ferry_call *call, const struct ferry_services *services,
                          const struct opening *o)
{
    char quoted[512], ciphers[PLACE_CIPHERS_SIZE], line[256];
    const char *said = "";
    struct own_way own = { .via = o->via, .folder = o->folder, .nth = 1 };
    struct settings s;
    struct words w;

    settings_of(call, services, o->place, &s);
    place_ciphers(s.ciphers, login_has_aes(), ciphers);
    if (!place_quote(quoted, sizeof quoted, carrier_words))
        return -1;
    own.alias = s.alias;
    own.ciphers = keeper_has_aes() ? ciphers : "";
    if (o->connections > 1 && open_several(call, services, o, &own, quoted))
        return 0;
    if (!o->via && (!ciphers[0] || keeper_has_aes()))
        return forward_data(call, services, o, 0, 0);
    words_of_own(&w, o->place, &own, quoted);
    if (keeper_carry(&w, 1, OWN_MS, &said))
        return forward_data(call, services, o, own.nth, 0);
    if (!o->via) /* one login may be all that is allowed there: slower, and encrypted all the same */
        return forward_data(call, services, o, 0, 0);
    said_last_line(said, line, sizeof line);
    services->error(call, "Leave --via out; or take a channel whose data goes another way.",
                    "ssh to %s of '%s' did not open the way for RAM and disks: %s", o->via, o->place->host,
                    line);
    return -1;
}

static int ssh_open_data(struct ferry_call *call, const struct ferry_services *services, const char *uri,
                         const char *folder, const struct ferry_route *route, const char *owner)
{
    struct settings s;
    struct place p;
    const char *why = place_of_uri(uri, &p);
    const char *data = sockets_folder(call, services, route);
    struct opening o = { .place = &p,
                         .folder = folder,
                         .data = data,
                         .owner = owner,
                         .via = route->source_uri ? NULL : route_via(route),
                         .connections = ROUTE_HAS(route, connections) ? route->connections : 1 };

    if (why)
        return no_place(call, services, uri, why);
    if (!data || !place_folder_fits(data)) {
        services->error(call, NULL, "there is no folder for the sockets of RAM and disks");
        return -1;
    }
    settings_of(call, services, &p, &s);
    p.has_session = s.has_session;
    place_suffix(route->domain, o.suffix);
    if (keep_folder(call, services, &o) < 0)
        return -1;
    return route->source_uri ? source_ssh_open(call, services, route, &p, data, o.suffix)
                             : open_from_here(call, services, &o);
}

static int ssh_ended(struct ferry_call *call, const struct ferry_services *services, const char *uri)
{
    struct ended e = { .code = 0 };
    struct place p;

    if (master_has_ended(&e.code, &e.pid))
        e.said = master_said();
    else if (relay_has_ended(&e.code, &e.pid)) {
        e.is_relay = true;
        e.said = "";
    } else if (!keeper_carrier_has_ended(&e) && !source_ssh_has_ended(&e))
        return 0;
    e.to = place_of_uri(uri, &p) ? uri : p.host;
    return ended_tell(call, services, &e);
}

static const struct ferry_transport ssh = {
    .size = sizeof ssh,
    /* No P2P: the source's libvirtd would need keys of its own. */
    .carries = FERRY_CARRIES_DISKS | FERRY_CARRIES_MULTIFD | FERRY_CARRIES_POSTCOPY | FERRY_CARRIES_VIA,
    .protects_control = FERRY_PROTECTS_ENCRYPTION,
    .protects_data = FERRY_PROTECTS_ENCRYPTION,
    .name = "ssh",
    .summary = "all through ssh: control, RAM and disks",
    .uri_scheme = "qemu+ssh",
    .control_port = SSH_PORT,
    .preference = 20,
    .uri = ssh_uri,
    .probe = ssh_probe,
    .parameter = ssh_parameter,
    .open = ssh_open,
    .close = ssh_close,
    .run = ssh_run,
    .open_data = ssh_open_data,
    .ended = ssh_ended,
};

static const struct ferry_transport ssh_clear = {
    .size = sizeof ssh_clear,
    .carries = FERRY_CARRIES_DISKS | FERRY_CARRIES_MULTIFD | FERRY_CARRIES_POSTCOPY | FERRY_CARRIES_VIA,
    .protects_control = FERRY_PROTECTS_ENCRYPTION,
    .protects_data = FERRY_PROTECTS_NOTHING,
    .name = "ssh-clear",
    .summary = "control encrypted by ssh, data in the clear",
    .uri_scheme = "qemu+ssh",
    .control_port = SSH_PORT,
    .preference = 21,
    .uri = ssh_uri,
    .probe = clear_probe,
    .parameter = clear_parameter,
    .rides = "ssh",
};

FERRY_PLUGIN(.name = "transport-ssh", .version = "0.2", .summary = "libvirt, RAM and disks through OpenSSH",
             .transports = (const struct ferry_transport *const[]){ &ssh, &ssh_clear, NULL })
