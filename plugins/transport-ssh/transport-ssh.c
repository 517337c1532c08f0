/* SPDX-License-Identifier: Apache-2.0
 * Transport driver "ssh": control through OpenSSH's own ssh, one master for each way, libvirt's UNIX socket
 * forwarded by it; RAM and disks travel as with "tcp", in the clear. virt-ssh-helper is not needed on the
 * other host. Read it from the bottom. */
#include "../common/reach.h"
#include "master.h"
#include "trouble.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SSH_PORT 22u
#define OPEN_MS 6500 /* virt-ferry gives 7 s, and then nobody hears the reason */
#define LOGIN_MS 5600
#define LEAST_MS 600
#define PROBE_MS 4500

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

static int login(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
                 const char *folder)
{
    const int64_t until = master_now_ms() + LOGIN_MS;
    enum master_answer answer;
    struct settings s;
    struct words w;

    words_of_master(&w, p, folder);
    answer = master_begin(&w);
    if (answer == MASTER_READY) {
        /* They will be wanted, and are there before the login is done. */
        settings_of(call, services, p, &s);
        answer = master_wait(folder, (int)(until - master_now_ms()));
    }
    switch (answer) {
    case MASTER_READY:
        return 0;
    case MASTER_ENDED:
        return trouble_said(call, services, p, master_said());
    case MASTER_SILENT:
        return trouble_said(call, services, p, "Connection timed out");
    case MASTER_MISSING:
        return trouble(call, services, "ssh-missing", "Install OpenSSH's client: apt install openssh-client.",
                       "there is no ssh on this machine");
    case MASTER_FAILED:
        break;
    }
    services->error(call, NULL, "ssh could not be started: %s", strerror(errno));
    return -1;
}

/* The first of libvirt's sockets that is answered at. */
static int find_libvirt(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
                        const char *folder, int64_t until, struct ferry_way *ret)
{
    for (int i = 0; i < 2; i++) {
        const char *path = services->text(call, "%s/%s", folder, place_sockets[i]);
        int64_t left = until - master_now_ms();

        switch (path ? hello(path, left > LEAST_MS ? (int)left : LEAST_MS) : HELLO_SILENT) {
        case HELLO_YES:
            ret->socket = path;
            ret->libvirt_uri = services->text(call, "qemu+unix:///system?socket=%s", path);
            return ret->libvirt_uri ? 0 : -1;
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
    }
    return trouble_libvirt(call, services, p, folder);
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
    if (login(call, services, &p, folder) == 0 && find_libvirt(call, services, &p, folder, until, ret) == 0)
        return 0;
    master_end();
    return -1;
}

static void ssh_close(struct ferry_call *call, const struct ferry_services *services)
{
    (void)call;
    (void)services;
    master_end();
}

static int ssh_run(struct ferry_call *call, const struct ferry_services *services, const char *uri,
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
    words_of_run(&w, &p, folder, quoted);
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
    }
    return r;
}

static int ssh_probe(struct ferry_call *call, const struct ferry_services *services, const char *uri,
                     struct ferry_route *ret)
{
    struct settings s;
    struct reached reached;
    struct place p;
    const char *why = place_of_uri(uri, &p);

    if (why)
        return no_place(call, services, uri, why);
    settings_of(call, services, &p, &s);
    if (s.has_proxy || reach(s.host, s.port, PROBE_MS, &reached, &why) != REACH_YES)
        /* ssh came through, by a way of its own: data cannot take that one. virt-ferry may find out at the
         * source where the destination is. */
        return 0;
    ret->from_source = 1;
    ret->address = services->text(call, "%s", reached.address);
    ret->latency_us = reached.latency_us;
    ret->bytes_per_s = reached.bytes_per_s;
    return ret->address ? 0 : -1;
}

static int ssh_parameter(struct ferry_call *call, const struct ferry_services *services,
                         const struct ferry_route *route, uint32_t i, struct ferry_parameter *ret)
{
    if (i > 0 || !route->address)
        return 1;
    ret->name = "migrate_uri";
    ret->value =
        services->text(call, strchr(route->address, ':') ? "tcp://[%s]" : "tcp://%s", route->address);
    return ret->value ? 0 : -1;
}

static const struct ferry_transport ssh = {
    .size = sizeof ssh,
    /* No P2P: the source's libvirtd would need keys of its own. */
    .carries = FERRY_CARRIES_DISKS | FERRY_CARRIES_MULTIFD | FERRY_CARRIES_POSTCOPY,
    .protects_control = FERRY_PROTECTS_ENCRYPTION,
    .protects_data = FERRY_PROTECTS_NOTHING,
    .name = "ssh",
    .summary = "control encrypted by ssh, data in the clear",
    .uri_scheme = "qemu+ssh",
    .control_port = SSH_PORT,
    .preference = 20,
    .uri = ssh_uri,
    .probe = ssh_probe,
    .parameter = ssh_parameter,
    .open = ssh_open,
    .close = ssh_close,
    .run = ssh_run,
};

FERRY_PLUGIN(.name = "transport-ssh", .version = "0.1", .summary = "libvirt's socket through OpenSSH",
             .transports = (const struct ferry_transport *const[]){ &ssh, NULL })
