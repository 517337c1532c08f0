/* SPDX-License-Identifier: Apache-2.0
 * A shell on the source holds folder and ssh for as long as it hears from us, over the way to the source.
 * What could be misread comes to it on standard input. */
#include "source-ssh.h"
#include "../common/route.h"
#include "hold.h"
#include "master.h"
#include "said.h"
#include "session.h"
#include "trouble.h"
#include <stdio.h>
#include <string.h>

#define LOGIN_MS 4500u
#define OPEN_MS 6500
#define TOLD_MS 300 /* a word of the source that is on its way */
#define NO_ROOT 3
#define NO_AES 4 /* at the destination, and all is well */

#define TEXT(...) services->text(call, __VA_ARGS__)

/* To another address of that host, whose key is known under the name that ssh would look for without it. */
#define VIA                                                                                                  \
    "[ \"$v\" = - ] || { k=; n=$h; o=22; while read -r x y; do case $x in hostkeyalias) k=$y;; "             \
    "hostname) n=$y;; port) o=$y;; esac; done < <(ssh -G \"${a[@]}\" -- \"$h\"); "                           \
    "[ -n \"$k\" ] || { [ \"$o\" = 22 ] && k=$n || k=\"[$n]:$o\"; }; "                                       \
    "a+=(-o \"HostName=$v\" -o \"HostKeyAlias=$k\"); }; "

/* What the configuration there must not change. A connection that its user shares would be shared by us, and
 * so would the user's forwards. ssh before 8.7 does not know the last ones, and refuses what it does not
 * know. AES-GCM comes first where nobody chose ciphers and the processors of both hosts have AES. */
#define OPTIONS                                                                                              \
    "export LC_ALL=C; read -r h; read -r u; read -r p; read -r v; "                                          \
    "a=(-o BatchMode=yes -o LogLevel=INFO -o ForwardAgent=no -o ForwardX11=no -o PermitLocalCommand=no "     \
    "-o RemoteCommand=none -o RequestTTY=no -o ControlMaster=no -o ControlPath=none "                        \
    "-o ClearAllForwardings=yes "                                                                            \
    "-o StrictHostKeyChecking=yes -o UpdateHostKeys=no -o ConnectTimeout=3 -o ConnectionAttempts=1 "         \
    "-o ServerAliveInterval=3 -o ServerAliveCountMax=4); "                                                   \
    "[ \"$u\" = - ] || a+=(-l \"$u\"); [ \"$p\" = - ] || a+=(-p \"$p\"); "                                   \
    "t=(); ssh -G \"${a[@]}\" -- \"$h\" | grep -q \"^forkafterauthentication \" && "                         \
    "{ a+=(-o ForkAfterAuthentication=no -o StdinNull=no); t=(-o SessionType=default); }; " VIA

static const char log_in[] =
    OPTIONS "[ $(id -u) = 0 ] || exit 3; "
            "ssh \"${a[@]}\" \"${t[@]}\" -- \"$h\" \"grep -qw aes /proc/cpuinfo\" </dev/null; "
            "case $? in 0) exit 0;; 255) exit 1;; *) exit 4;; esac";

static const char ask_ciphers[] = OPTIONS
    "if grep -qw aes /proc/cpuinfo; then ssh -G \"${a[@]}\" -- \"$h\" | grep \"^ciphers \"; fi; exit 0";

static const char carry[] = OPTIONS
    "read -r d; read -r c; IFS= read -r n; umask 077; exec 8<&0; "
    "e() { kill $(jobs -p) 2>/dev/null; rm -f \"$d/" PLACE_RAM "$n\" \"$d/" PLACE_DISKS
    "$n\" \"$d/" PLACE_CONTROL "\"; rmdir \"$d\"; }; "
    "mkdir -p -m 711 \"${d%/*}\" && mkdir -m 711 \"$d\" || exit 1; trap e EXIT; exec 9<\"$d\"; flock 9; "
    "[ \"$c\" = - ] || a+=(-o \"Ciphers=$c\"); "
    "ssh \"${a[@]}\" -M -N -S \"$d/" PLACE_CONTROL "\" -o ControlPersist=no -- \"$h\" </dev/null >/dev/null "
    "8<&- 9<&- & s=$(jobs -p); "
    "until [ -S \"$d/" PLACE_CONTROL "\" ]; do kill -0 $s 2>/dev/null || exit 1; sleep 0.01; done; "
    "ssh -F /dev/null -S \"$d/" PLACE_CONTROL "\" -o \"ProxyCommand=exit 1\" -O forward "
    "-L \"$d/" PLACE_RAM "$n:$d/" PLACE_RAM "$n\" -L \"$d/" PLACE_DISKS "$n:$d/" PLACE_DISKS
    "$n\" -- \"$h\" </dev/null >/dev/null 8<&- 9<&- || exit 1; exec 2>/dev/null; echo ready; "
    "while read -r -t " HOLD_SILENCE_SECONDS " x; do :; done <&8 8<&- 9<&- & "
    "wait -n; c=$?; kill -0 $s || echo \"ended $c $s\"";

static struct hold carrier = HOLD_NONE; /* this worker's own */
static char said_there[2048];
static char ciphers[PLACE_CIPHERS_SIZE];

static const char *place_lines(struct ferry_call *call, const struct ferry_services *services,
                               const struct ferry_route *route, const struct place *p)
{
    return TEXT("%s\n%s\n%s\n%s\n", p->host, p->user[0] ? p->user : "-", p->port[0] ? p->port : "-",
                route_via(route) ? route_via(route) : "-");
}

static int ask(struct ferry_call *call, const struct ferry_services *services,
               const struct ferry_route *route, const char *script, const char *input,
               struct ferry_command *c)
{
    const char *const argv[] = { "bash", "-c", script, NULL };
    int r;

    c->size = sizeof *c;
    c->timeout_ms = LOGIN_MS;
    c->argv = argv;
    c->input = input;
    c->input_bytes = strlen(input);
    r = ssh_run(call, services, route->source_uri, route->source_folder, c);
    c->argv = NULL;
    return r;
}

static void choose_ciphers(struct ferry_call *call, const struct ferry_services *services,
                           const struct ferry_route *route, const char *input)
{
    char printed[PLACE_CIPHERS_SIZE + 16] = "", list[PLACE_CIPHERS_SIZE];
    struct ferry_command c = { .output = printed, .output_room = sizeof printed };

    ciphers[0] = '\0';
    if (ask(call, services, route, ask_ciphers, input, &c) == 0 &&
        place_setting(printed, "ciphers", list, sizeof list))
        place_ciphers(list, true, ciphers);
}

int source_ssh_check(struct ferry_call *call, const struct ferry_services *services,
                     const struct ferry_route *route, const struct place *p)
{
    char said[2048] = "", line[512];
    struct ferry_command c = { .errors = said, .errors_room = sizeof said };
    const char *input = place_lines(call, services, route, p);

    if (!input || ask(call, services, route, log_in, input, &c) < 0)
        return -1;
    ciphers[0] = '\0';
    if (c.exit_code == NO_AES)
        return 0;
    if (c.exit_code == 0) {
        choose_ciphers(call, services, route, input);
        return 0;
    }
    if (c.exit_code == NO_ROOT)
        return trouble(
            call, services, "ssh-data-needs-root",
            "Reach the source as root: -c qemu+ssh://root@SOURCE/system.",
            "RAM and disks cannot go through ssh: our user on the source is not root, and the sockets "
            "belong to QEMU");
    said_last_line(said, line, sizeof line);
    return trouble(call, services, "ssh-data-no-login",
                   TEXT("On the source: ssh-copy-id %s%s%s, then ssh there once and accept its key.", p->user,
                        p->user[0] ? "@" : "", p->host),
                   TEXT("RAM and disks cannot go through ssh: the source cannot log in on '%s' (%s)", p->host,
                        line[0] ? line : "it said nothing"));
}

static int start_carrier(struct ferry_call *call, const struct ferry_services *services,
                         const struct ferry_route *route, const char *input)
{
    static const char *const argv[] = { "bash", "-c", carry, NULL };
    char quoted[4096];
    struct words w;
    struct place source;
    int problem;

    if (place_of_uri(route->source_uri, &source) || !place_quote(quoted, sizeof quoted, argv)) {
        services->error(call, NULL, "no command could be made for '%s'", route->source_uri);
        return -1;
    }
    words_of_session(&w, &source, route->source_folder, quoted);
    problem = hold_begin(&carrier, w.argv, input);
    if (problem)
        services->error(call, NULL, "what carries RAM and disks could not be started: %s", strerror(problem));
    return problem ? -1 : 0;
}

int source_ssh_open(struct ferry_call *call, const struct ferry_services *services,
                    const struct ferry_route *route, const struct place *p, const char *data,
                    const char *suffix)
{
    const char *lines = place_lines(call, services, route, p);
    const char *input =
        lines ? TEXT("%s%s\n%s\n%s\n", lines, data, ciphers[0] ? ciphers : "-", suffix) : NULL;
    char said[2048], line[512];

    source_ssh_end();
    if (!input || start_carrier(call, services, route, input) < 0)
        return -1;
    if (hold_wait(&carrier, master_now_ms() + OPEN_MS))
        return 0;
    hold_said(&carrier, said, sizeof said);
    said_last_line(said, line, sizeof line);
    source_ssh_end();
    services->error(call,
                    "Try it on the source by hand: ssh to the destination. Or take a channel whose data goes "
                    "another way.",
                    "the source's ssh to '%s' did not open the way for RAM and disks: %s", p->host,
                    line[0] ? line : "nothing was heard of it");
    return -1;
}

bool source_ssh_has_ended(struct ended *ret)
{
    const char *told = carrier.pid > 0 ? hold_heard(&carrier, "ended ", master_now_ms() + TOLD_MS) : NULL;

    *ret = (struct ended){ .is_at_source = true, .said = said_there };
    if (!told || !ended_read(told, ret))
        return false;
    hold_said(&carrier, said_there, sizeof said_there);
    return true;
}

void source_ssh_end(void)
{
    hold_end(&carrier);
}
