/* SPDX-License-Identifier: Apache-2.0
 * The first try is with a socket that is connected already, where one can be had; a second, of ssh alone. */
#include "login.h"
#include "dial.h"
#include "master.h"
#include "said.h"
#include "trouble.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOGIN_MS 5600
#define SOCKETS_MS 3000
#define EACH_S 2u /* for each of several addresses */

bool login_has_aes(void)
{
    char lines[8192];
    int fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, lines, sizeof lines - 1) : -1;

    if (fd >= 0)
        (void)close(fd);
    lines[n > 0 ? n : 0] = '\0';
    return place_has_aes(lines);
}

static bool has_several_addresses(const char *host)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
    struct addrinfo *all = NULL;
    const bool has_several = getaddrinfo(host, NULL, &hints, &all) == 0 && all->ai_next;

    if (all)
        freeaddrinfo(all);
    return has_several;
}

int login_sockets(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
                  const char *folder, unsigned nth, const struct forward list[PLACE_SERVICES])
{
    char said[512] = "", line[256];
    struct ferry_command command = {
        .size = sizeof command, .timeout_ms = SOCKETS_MS, .errors = said, .errors_room = sizeof said
    };
    struct words w;

    words_of_forward(&w, p, folder, nth, list);
    command.argv = w.argv;
    if (services->program(call, &command) < 0)
        return -1;
    if (command.exit_code == 0)
        return 0;
    said_last_line(said, line, sizeof line);
    services->error(call, NULL, "ssh to '%s' made no socket '%s': %s", p->host, list[0].here, line);
    return -1;
}

void login_forwards(const char *folder, struct forward ret[PLACE_SERVICES])
{
    for (unsigned i = 0; i < PLACE_SERVICES; i++) {
        (void)snprintf(ret[i].here, sizeof ret[i].here, "%s/%s", folder, place_sockets[i]);
        (void)snprintf(ret[i].there, sizeof ret[i].there, "/run/libvirt/%s", place_sockets[i]);
    }
}

/* ssh tries them in turn, and the first that is dead must not take all the time. */
static unsigned seconds_for_each(const struct place *p, const struct settings *s)
{
    if (p->connect_s)
        return p->connect_s;
    return has_several_addresses(s->host) ? EACH_S : PLACE_CONNECT_S;
}

/* Which host the master has been connected to, and what came of it. */
static struct dialled dialled;
static char dialled_host[256];

bool login_reached(const char *host, struct reached *ret)
{
    if (!dialled.address[0] || strcmp(host, dialled_host) != 0)
        return false;
    *ret = (struct reached){ .latency_us = dialled.latency_us };
    (void)snprintf(ret->address, sizeof ret->address, "%s", dialled.address);
    ret->bytes_per_s = reach_speed(ret->address);
    return true;
}

static void words_of_login(struct words *w, const struct place *p, const struct settings *s,
                           const char *folder, const char *dial)
{
    char ciphers[PLACE_CIPHERS_SIZE];
    struct forward list[PLACE_SERVICES];

    login_forwards(folder, list);
    place_ciphers(s->ciphers, login_has_aes(), ciphers);
    words_of_master(w, p, folder, ciphers, s->may_forward ? NULL : list, dial);
}

static bool are_same(const struct words *a, const struct words *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++)
        if (strcmp(a->argv[i], b->argv[i]) != 0)
            return false;
    return a->n == b->n;
}

/* ssh starts as it would where nobody has configured anything, and waits to be connected, while it is asked
 * what holds. MASTER_MISSING: that is not what was begun, or there was no socket for it; none runs. */
static enum master_answer log_in_dialled(struct ferry_call *call, const struct ferry_services *services,
                                         const struct place *p, const char *folder, int64_t until)
{
    const struct settings usual = { .has_session = true, .ciphers = PLACE_OWN_CIPHERS };
    struct place with_session = *p;
    char option[DIAL_SIZE];
    struct settings s;
    struct words begun, wanted;
    struct dial d;
    enum master_answer answer = MASTER_MISSING;

    if (!dial_new(&d, option, sizeof option))
        return MASTER_MISSING;
    with_session.has_session = true;
    words_of_login(&begun, &with_session, &usual, folder, option);
    if (master_begin(&begun) == MASTER_READY) {
        settings_of(call, services, p, &s);
        words_of_login(&wanted, s.has_session ? &with_session : p, &s, folder, option);
        if (s.is_plain && are_same(&begun, &wanted) && dial_to(&d, s.host, s.port, seconds_for_each(p, &s)))
            answer = master_wait(folder, (int)(until - master_now_ms()));
    }
    dial_done(&d);
    if (answer == MASTER_ENDED && dial_failed(master_said()))
        answer = MASTER_MISSING;
    if (answer == MASTER_MISSING) {
        master_end();
        return answer;
    }
    dial_reached(master_said_first(), &dialled);
    (void)snprintf(dialled_host, sizeof dialled_host, "%s", s.host);
    return answer;
}

static enum master_answer log_in(const struct place *p, const struct settings *s, const char *folder,
                                 int64_t until)
{
    struct place patient = *p;
    struct words w;
    enum master_answer begun;

    patient.has_session = s->has_session;
    patient.connect_s = s->has_proxy ? p->connect_s : seconds_for_each(p, s);
    words_of_login(&w, &patient, s, folder, NULL);
    begun = master_begin(&w);
    return begun == MASTER_READY ? master_wait(folder, (int)(until - master_now_ms())) : begun;
}

int login(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
          const char *folder)
{
    const int64_t until = master_now_ms() + LOGIN_MS;
    enum master_answer answer = log_in_dialled(call, services, p, folder, until);
    struct forward list[PLACE_SERVICES];
    struct place slow;
    struct settings s;

    settings_of(call, services, p, &s);
    if (answer == MASTER_MISSING)
        answer = log_in(p, &s, folder, until);
    switch (answer) {
    case MASTER_READY:
        login_forwards(folder, list);
        return s.may_forward ? login_sockets(call, services, p, folder, 0, list) : 0;
    case MASTER_ENDED:
        return trouble_said(call, services, p, dial_behind(master_said()));
    case MASTER_SILENT:
        /* It had spoken: that limit was kept, and the longer one was not. */
        slow = *p;
        slow.connect_s = 0;
        return trouble_said(call, services, &slow, "Connection timed out");
    case MASTER_MISSING:
        return trouble(call, services, "ssh-missing", "Install OpenSSH's client: apt install openssh-client.",
                       "there is no ssh on this machine");
    case MASTER_FAILED:
        break;
    }
    services->error(call, NULL, "ssh could not be started: %s", strerror(errno));
    return -1;
}
