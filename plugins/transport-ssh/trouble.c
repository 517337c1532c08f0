/* SPDX-License-Identifier: Apache-2.0
 * One function for each thing that can stand between us and a host, and the table that chooses.
 * Asks only where that helps: the host's key, the configuration, libvirt's sockets over the live master. */
#include "trouble.h"
#include "dial.h"
#include "key.h"
#include "said.h"
#include "session.h"
#include <stdio.h>
#include <string.h>

#define ASK_MS 4000
#define SCAN_MS 4000

typedef int explain(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
                    const char *said);

#define TEXT(...) services->text(call, __VA_ARGS__)

int trouble(struct ferry_call *call, const struct ferry_services *services, const char *id, const char *fix,
            const char *what)
{
    if (!what)
        return -1; /* no memory, and that is said */
    services->finding(call, 3, id, what, fix);
    services->error(call, fix, "%s", what);
    return -1;
}

void settings_of(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
                 struct settings *ret)
{
    static struct place known_place;
    static struct settings known;
    static bool is_known;
    struct words w;
    char printed[16384];
    struct ferry_command c = {
        .size = sizeof c, .timeout_ms = ASK_MS, .output = printed, .output_room = sizeof printed
    };

    if (is_known && strcmp(known_place.host, p->host) == 0 && strcmp(known_place.user, p->user) == 0 &&
        strcmp(known_place.port, p->port) == 0) {
        *ret = known;
        return;
    }
    *ret = (struct settings){ .has_proxy = false };
    words_of_settings(&w, p);
    c.argv = w.argv;
    if (services->program(call, &c) < 0 || c.exit_code != 0)
        printed[0] = '\0';
    if (!place_setting(printed, "hostname", ret->host, sizeof ret->host))
        (void)snprintf(ret->host, sizeof ret->host, "%s", p->host);
    if (!place_setting(printed, "port", ret->port, sizeof ret->port))
        (void)snprintf(ret->port, sizeof ret->port, "%s", p->port[0] ? p->port : "22");
    if (!place_setting(printed, "hostkeyalias", ret->alias, sizeof ret->alias))
        place_alias(ret->host, ret->port, ret->alias);
    if (!place_setting(printed, "user", ret->user, sizeof ret->user))
        (void)snprintf(ret->user, sizeof ret->user, "%s", p->user[0] ? p->user : "?");
    if (!place_setting(printed, "ciphers", ret->ciphers, sizeof ret->ciphers))
        ret->ciphers[0] = '\0';
    ret->has_session = strstr(printed, "\nforkafterauthentication ") != NULL;
    ret->may_forward = !printed[0] || strstr(printed, "\nlocalforward ") ||
                       strstr(printed, "\nremoteforward ") || strstr(printed, "\ndynamicforward ");
    ret->has_proxy = (place_is_set(printed, "proxyjump") && !place_is(printed, "proxyjump", "none")) ||
                     place_is_set(printed, "proxycommand");
    ret->is_plain = !ret->has_proxy && dial_is_plain(printed);
    known_place = *p;
    known = *ret;
    is_known = printed[0] != '\0';
}

/* How the operator tries the same by hand. */
static const char *by_hand(struct ferry_call *call, const struct ferry_services *services,
                           const struct place *p)
{
    return TEXT("ssh%s%s%s%s -- %s", p->port[0] ? " -p " : "", p->port, p->user[0] ? " -l " : "", p->user,
                p->host);
}

static bool scan(struct ferry_call *call, const struct ferry_services *services, const struct settings *s,
                 struct host_key *ret)
{
    const char *const argv[] = { "ssh-keyscan", "-T",    "3", "-p", s->port[0] ? s->port : "22",
                                 "--",          s->host, NULL };
    char printed[16384];
    struct ferry_command c = { .size = sizeof c,
                               .timeout_ms = SCAN_MS,
                               .argv = argv,
                               .output = printed,
                               .output_room = sizeof printed };

    return services->program(call, &c) == 0 && key_of_scan(printed, ret);
}

/* ssh-keyscan asks, ssh-keygen names the fingerprint; nothing is written to known_hosts. false: the host
 * shows no key, or the programs are not there. */
static bool key_ask(struct ferry_call *call, const struct ferry_services *services, const struct settings *s,
                    struct host_key *ret)
{
    static const char *const argv[] = { "ssh-keygen", "-l", "-f", "-", NULL };
    char printed[1024];
    struct ferry_command c = { .size = sizeof c,
                               .timeout_ms = SCAN_MS,
                               .argv = argv,
                               .output = printed,
                               .output_room = sizeof printed };

    *ret = (struct host_key){ .line = "" };
    if (!scan(call, services, s, ret))
        return false;
    c.input = ret->line;
    c.input_bytes = strlen(ret->line);
    return services->program(call, &c) == 0 && key_fingerprint_of(printed, ret);
}

static int key_not_known(struct ferry_call *call, const struct ferry_services *services,
                         const struct place *p, const char *said)
{
    struct settings s;
    char line[sizeof((struct host_key *)0)->line + sizeof s.alias];
    struct host_key key;

    (void)said;
    settings_of(call, services, p, &s);
    if (s.has_proxy || !key_ask(call, services, &s, &key) ||
        !key_line_under(&key, s.alias, line, sizeof line))
        return trouble(
            call, services, "ssh-key-not-known",
            TEXT("Log in once by hand and compare the key that is shown: %s.", by_hand(call, services, p)),
            TEXT("the host key of '%s' is not known here", p->host));
    return trouble(
        call, services, "ssh-key-not-known",
        TEXT("Compare it, on '%s' itself: for k in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf "
             "$k; done. If it is there, accept it here: echo '%s' >>~/.ssh/known_hosts",
             p->host, line),
        TEXT("the host key of '%s' is not known here; it shows %s (%s)", p->host, key.fingerprint, key.type));
}

static int key_changed(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
                       const char *said)
{
    struct settings s;
    struct host_key key;
    bool has_key;

    (void)said;
    settings_of(call, services, p, &s);
    has_key = !s.has_proxy && key_ask(call, services, &s, &key);
    return trouble(call, services, "ssh-key-changed",
                   TEXT("Find out why: another machine may be answering under this name. If the host was "
                        "installed anew, forget the old key: ssh-keygen -R %s; then accept the new one.",
                        s.alias),
                   TEXT("the host key of '%s' is another than the one that is known here%s%s", p->host,
                        has_key ? "; it shows " : "", has_key ? key.fingerprint : ""));
}

static int denied(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
                  const char *said)
{
    struct settings s;

    (void)said;
    settings_of(call, services, p, &s);
    if (p->user[0])
        return trouble(
            call, services, "ssh-user-refused",
            TEXT("Look on '%s': id %s; and put this machine's key there: ssh-copy-id%s%s %s@%s.", p->host,
                 s.user, p->port[0] ? " -p " : "", p->port, s.user, p->host),
            TEXT("user '%s' cannot log in on '%s': it does not exist there, or none of our keys is "
                 "accepted for it (ssh does not tell which)",
                 s.user, p->host));
    return trouble(call, services, "ssh-key-refused",
                   TEXT("Put this machine's key there, ssh-copy-id %s@%s, or name another user: "
                        "qemu+ssh://USER@%s/system. Only keys are tried, no password is asked for.",
                        s.user, p->host, p->host),
                   TEXT("'%s' accepts none of our keys for user '%s'", p->host, s.user));
}

static int timed_out(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
                     const char *said)
{
    (void)said;
    return trouble(call, services, "ssh-timeout",
                   TEXT("See whether the host is up and its firewall lets us through, then by hand: %s.",
                        by_hand(call, services, p)),
                   TEXT("'%s' did not answer by ssh within %u s", p->host,
                        p->connect_s ? p->connect_s : PLACE_CONNECT_S));
}

static int port_refused(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
                        const char *said)
{
    (void)said;
    return trouble(call, services, "ssh-port-refused",
                   TEXT("Start sshd on '%s', or name its port: qemu+ssh://%s:PORT/system.", p->host, p->host),
                   TEXT("'%s' refuses connections to its ssh port: no sshd listens there", p->host));
}

static int no_route(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
                    const char *said)
{
    char line[512];

    said_line_of(said, SAID_NO_ROUTE, line, sizeof line);
    return trouble(call, services, "ssh-no-route", TEXT("See the way there: ip route get ADDRESS."),
                   TEXT("'%s' cannot be reached from here: %s", p->host, line));
}

static int no_name(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
                   const char *said)
{
    (void)said;
    return trouble(call, services, "ssh-no-name",
                   "Name the host as this machine can resolve it, or give its address.",
                   TEXT("host name '%s' could not be resolved here", p->host));
}

static int other(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
                 const char *said)
{
    char line[512];

    said_last_line(said, line, sizeof line);
    return trouble(call, services, "ssh-failed",
                   TEXT("Try the same by hand: %s.", by_hand(call, services, p)),
                   TEXT("ssh to '%s' ended: %s", p->host, line[0] ? line : "it said nothing"));
}

static explain *const explains[] = {
    [SAID_NOTHING] = other,           [SAID_KEY_NOT_KNOWN] = key_not_known,
    [SAID_KEY_CHANGED] = key_changed, [SAID_DENIED] = denied,
    [SAID_TIMEOUT] = timed_out,       [SAID_REFUSED] = port_refused,
    [SAID_NO_ROUTE] = no_route,       [SAID_NO_NAME] = no_name,
    [SAID_OPEN_FAILED] = other,       [SAID_FORBIDDEN] = other,
};

int trouble_said(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
                 const char *said)
{
    return explains[said_by(said)](call, services, p, said);
}

/* ssh says "open failed" of a socket that is not there, of one that we may not open, and of a forward that
 * sshd forbids. The host knows: a listening socket of libvirt's stands in /proc/net/unix. No quote and no
 * exclamation mark: see place_quote. */
static const char look[] = "for s in virtqemud-sock libvirt-sock; do p=/run/libvirt/$s; "
                           "if grep -q \" 00010000 .*/run/libvirt/$s\\$\" /proc/net/unix; then "
                           "if test -w $p; then echo open; else echo closed; fi; fi; done; echo end";

int trouble_libvirt(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
                    const char *folder)
{
    static const char *const argv[] = { "sh", "-c", look, NULL };
    char command[512], printed[256] = "";
    struct words w;
    struct ferry_command c = {
        .size = sizeof c, .timeout_ms = ASK_MS, .output = printed, .output_room = sizeof printed
    };
    bool answered = place_quote(command, sizeof command, argv);

    words_of_session(&w, p, folder, command);
    c.argv = w.argv;
    answered = answered && services->program(call, &c) == 0 && strstr(printed, "end");
    if (answered && strstr(printed, "open"))
        return trouble(call, services, "ssh-forwarding-forbidden",
                       TEXT("Allow it in sshd_config on '%s': AllowStreamLocalForwarding yes (or local), no "
                            "DisableForwarding, and neither 'restrict' nor 'no-port-forwarding' before our "
                            "key in authorized_keys; then reload sshd. sshd -T shows what holds.",
                            p->host),
                       TEXT("sshd on '%s' forbids forwarding to libvirt's socket", p->host));
    if (answered && strstr(printed, "closed"))
        return trouble(call, services, "ssh-libvirt-denied",
                       TEXT("Log in as root, or put the user into the group 'libvirt' on '%s'.", p->host),
                       TEXT("the user that we log in as on '%s' may not open libvirt's socket", p->host));
    if (answered)
        return trouble(
            call, services, "ssh-no-libvirt",
            TEXT("Start it on '%s': systemctl start libvirtd.socket, or virtqemud.socket.", p->host),
            TEXT("no libvirt listens on '%s': neither /run/libvirt/virtqemud-sock nor libvirt-sock "
                 "is served",
                 p->host));
    return trouble(
        call, services, "ssh-forwarding-forbidden",
        TEXT("Look on '%s': is libvirtd or virtqemud running, and does sshd allow forwarding to it "
             "(AllowStreamLocalForwarding in sshd_config)?",
             p->host),
        TEXT("libvirt's socket on '%s' could not be opened through ssh, and no command may be run "
             "there to see why",
             p->host));
}
