/* SPDX-License-Identifier: Apache-2.0
 * QEMU reads its certificates only when a migration begins, and then it is late: so they are read here first,
 * each on its own host and by that host's clock. Keys are never read, only asked whether QEMU may. */
#include "qemu.h"
#include "../common/route.h"
#include "qemu-words.h"
#include "say.h"
#include <libvirt/libvirt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_MS 4000u
#define ANSWER_ROOM (2u << 20) /* whole bundles of CAs */

#define TEXT(...) services->text(call, __VA_ARGS__)

/* The folder as libvirt finds it, what stands in it, whether QEMU's user (uid and gid on standard input) may
 * read that, and the certificates. */
static const char look[] =
    "read -r uid gid; conf=/etc/libvirt/qemu.conf; "
    "get() { sed -n "
    "\"s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*[\\\"\\x27]*\\([^\\\"\\x27#]*\\)"
    "[\\\"\\x27]*[[:space:]]*\\(#.*\\)*$/\\1/p\" $conf "
    "2>/dev/null | tail -n 1; }; "
    "dir=$(get migrate_tls_x509_cert_dir); "
    "[ -n \"$dir\" ] || { [ -d /etc/pki/libvirt-migrate ] && dir=/etc/pki/libvirt-migrate; }; "
    "[ -n \"$dir\" ] || dir=$(get default_tls_x509_cert_dir); "
    "[ -n \"$dir\" ] || dir=/etc/pki/qemu; echo \"dir $dir\"; "
    "v=$(get migrate_tls_x509_verify); [ -n \"$v\" ] || v=$(get default_tls_x509_verify); "
    "echo \"verify ${v:-1}\"; [ -d \"$dir\" ] && echo isdir; "
    "may() { if [ -n \"$gid\" ] && [ \"$(id -u)\" = 0 ] && [ \"$uid\" -gt 0 ] && command -v setpriv "
    ">/dev/null; then "
    "setpriv --reuid \"$uid\" --regid \"$gid\" --clear-groups test -r \"$1\" || "
    "setpriv --reuid \"$uid\" --regid \"$gid\" --init-groups test -r \"$1\" 2>/dev/null; "
    "else test -r \"$1\"; fi; }; "
    "for f in ca-cert.pem server-cert.pem client-cert.pem server-key.pem client-key.pem; do "
    "if [ -e \"$dir/$f\" ]; then if may \"$dir/$f\"; then echo \"there $f\"; else echo \"closed $f\"; fi; "
    "case $f in *-cert.pem) echo \"pem $f\"; head -c 600000 \"$dir/$f\"; echo; echo end;; esac; "
    "else echo \"missing $f\"; fi; done; echo \"now $(date +%s)\"";

/* An empty line where libvirt does not say. */
static const char *whom_qemu_is(struct ferry_call *call, const struct ferry_services *services)
{
    virConnectPtr libvirt = services->libvirt(call);
    char *xml = libvirt ? virConnectGetCapabilities(libvirt) : NULL;
    unsigned uid, gid;
    const char *line = xml && qemu_user_of_capabilities(xml, &uid, &gid) ? TEXT("%u %u\n", uid, gid) : "\n";

    free(xml);
    return line;
}

static bool look_there(struct ferry_call *call, const struct ferry_services *services,
                       struct qemu_folder *ret)
{
    static const char *const argv[] = { "sh", "-c", look, NULL };
    const char *input = whom_qemu_is(call, services);
    char *answer = malloc(ANSWER_ROOM);
    struct ferry_command command = { .size = sizeof command,
                                     .timeout_ms = COMMAND_MS,
                                     .argv = argv,
                                     .input = input,
                                     .input_bytes = input ? strlen(input) : 0,
                                     .output = answer,
                                     .output_room = ANSWER_ROOM };
    bool is_seen = false;

    *ret = (struct qemu_folder){ .now_s = 0 };
    if (answer && input && services->size >= offsetof(struct ferry_services, run) + sizeof services->run)
        is_seen = services->run(call, &command) == 0 && command.exit_code == 0 && !command.is_cut &&
                  qemu_folder_of_answer(answer, ret);
    if (!is_seen)
        qemu_folder_done(ret);
    free(answer);
    return is_seen;
}

/* One end of a connection, as the folder has it. */
struct end {
    enum qemu_file cert, key;
    struct shown shown;
};

static bool file_is_usable(struct ferry_call *call, const struct ferry_services *services,
                           const struct qemu_folder *f, enum qemu_file which, const struct end *e)
{
    struct shown c = e->shown;

    if (f->state[which] == QEMU_THERE && (which >= QEMU_SERVER_KEY || f->certificates[which].n))
        return true;
    c.file = TEXT("%s/%s", f->path, qemu_file_names[which]);
    if (c.file)
        (void)say_unreadable(call, services, &c,
                             which >= QEMU_SERVER_KEY ? "tls-qemu-key"
                             : which == QEMU_CA       ? "tls-qemu-ca-missing"
                                                      : "tls-qemu-missing",
                             f->state[which] == QEMU_MISSING  ? "there is no such file"
                             : f->state[which] == QEMU_CLOSED ? "the user that QEMU is may not read it"
                                                              : "it holds no certificate",
                             0);
    return false;
}

static void judge(struct ferry_call *call, const struct ferry_services *services, const struct qemu_folder *f,
                  struct end *e)
{
    const bool has_ca = file_is_usable(call, services, f, QEMU_CA, e);
    const bool has_cert = file_is_usable(call, services, f, e->cert, e);
    struct judgement j;

    (void)file_is_usable(call, services, f, e->key, e);
    if (!has_ca || !has_cert)
        return;
    e->shown.file = TEXT("%s/%s", f->path, qemu_file_names[e->cert]);
    certificate_judge(&f->certificates[e->cert], &f->certificates[QEMU_CA], e->shown.name, e->shown.use,
                      (time_t)f->now_s, &j);
    if (e->shown.file)
        (void)say_judgement(call, services, &e->shown, &j, 0);
}

static void not_checked(struct ferry_call *call, const struct ferry_services *services, const char *host)
{
    services->finding(
        call, SAY_NOTES, "tls-qemu-not-checked",
        TEXT("QEMU's certificates on '%s' were not looked at: no command can be run there", host), NULL);
}

static void no_folder(struct ferry_call *call, const struct ferry_services *services, const char *host,
                      const struct qemu_folder *f)
{
    services->finding(
        call, SAY_REFUSES, "tls-qemu-no-folder",
        TEXT("QEMU's folder of certificates, '%s', is not there on '%s'", f->path, host),
        TEXT("Make it on '%s', with ca-cert.pem, server-cert.pem, server-key.pem, client-cert.pem and "
             "client-key.pem, readable for the user that QEMU is; docs/tls.md has the commands.",
             host));
}

int qemu_check(struct ferry_call *call, const struct ferry_services *services, const char *uri,
               const struct ferry_route *route, uint32_t at_dest)
{
    const char *host = services->host(call);
    struct qemu_folder f;
    struct end e = {
        .cert = at_dest ? QEMU_SERVER_CERT : QEMU_CLIENT_CERT,
        .key = at_dest ? QEMU_SERVER_KEY : QEMU_CLIENT_KEY,
        .shown = { .whose = WHOSE_QEMU,
                   .use = at_dest ? CERTIFICATE_SERVER : CERTIFICATE_CLIENT,
                   .host = host,
                   .name = !at_dest           ? NULL
                           : route->data_name ? route->data_name
                                              : route_data_address(route) },
    };

    (void)uri;
    if (!look_there(call, services, &f)) {
        not_checked(call, services, host);
        return 0;
    }
    if (!f.is_there)
        no_folder(call, services, host, &f);
    else
        judge(call, services, &f, &e);
    if (f.is_there && at_dest && !f.verifies)
        services->finding(
            call, SAY_WARNS, "tls-qemu-verifies-nobody",
            TEXT("QEMU on '%s' takes data from whoever connects: migrate_tls_x509_verify is 0 there", host),
            TEXT("Leave that line out of /etc/libvirt/qemu.conf on '%s'.", host));
    qemu_folder_done(&f);
    return 0;
}
