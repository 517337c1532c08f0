/* SPDX-License-Identifier: Apache-2.0
 * URIs taken apart and argv put together. Every operand stands behind "--", and no value is an option. */
#include "place.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define SCHEME "qemu+ssh://"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define NAME_LETTERS LETTERS "._-"

/* ssh binds its control socket under a longer name first. */
#define LONGEST_NAME (sizeof "virtqemud-sock.0123456789abcdef" - 1)

const char *const place_sockets[PLACE_SERVICES] = { "virtqemud-sock", "libvirt-sock" };

static bool take(char *to, size_t size, const char *from, size_t n)
{
    if (n == 0 || n >= size)
        return false;
    memcpy(to, from, n);
    to[n] = '\0';
    return true;
}

static bool is_name(const char *s)
{
    return s[0] != '-' && s[0] != '.' && !strstr(s, "..") && s[strspn(s, NAME_LETTERS)] == '\0';
}

static const char *take_port(struct place *p, const char *from, size_t n)
{
    if (!take(p->port, sizeof p->port, from, n) || p->port[strspn(p->port, "0123456789")] != '\0' ||
        p->port[0] == '0')
        return "its port is no number";
    return NULL;
}

static const char *take_host(struct place *p, const char *at, const char *end)
{
    const char *after;
    struct in6_addr address;

    if (*at == '[') {
        after = memchr(at, ']', (size_t)(end - at));
        if (!after || !take(p->host, sizeof p->host, at + 1, (size_t)(after - at) - 1) ||
            inet_pton(AF_INET6, p->host, &address) != 1)
            return "its brackets hold no IPv6 address";
        after++;
    } else {
        after = memchr(at, ':', (size_t)(end - at));
        if (!after)
            after = end;
        if (!take(p->host, sizeof p->host, at, (size_t)(after - at)) || !is_name(p->host))
            return "it names no host";
    }
    if (after == end)
        return NULL;
    return *after == ':' ? take_port(p, after + 1, (size_t)(end - after) - 1) : "it names no host";
}

const char *place_of_uri(const char *uri, struct place *ret)
{
    const char *at = uri + strlen(SCHEME);
    const char *end;
    const char *user;

    *ret = (struct place){ .host = "" };
    if (strncmp(uri, SCHEME, strlen(SCHEME)) != 0)
        return "it does not begin with " SCHEME;
    end = at + strcspn(at, "/?#");
    if (strcmp(end, "/system") != 0)
        return strchr(end, '?') ? "parameters are not understood: what ssh needs stands in ~/.ssh/config"
                                : "it does not end with /system";
    user = memchr(at, '@', (size_t)(end - at));
    if (user) {
        if (!take(ret->user, sizeof ret->user, at, (size_t)(user - at)) || !is_name(ret->user))
            return "it names no user";
        at = user + 1;
    }
    return take_host(ret, at, end);
}

bool place_folder_fits(const char *folder)
{
    return folder[0] == '/' && folder[strspn(folder, NAME_LETTERS "/")] == '\0' &&
           strlen(folder) + 1 + LONGEST_NAME < PLACE_PATH_SIZE;
}

static void add(struct words *w, const char *word)
{
    if (w->n + 1 < sizeof w->argv / sizeof w->argv[0])
        w->argv[w->n++] = word;
    w->argv[w->n] = NULL;
}

static void add_option(struct words *w, const char *setting)
{
    add(w, "-o");
    add(w, setting);
}

/* What a user's own configuration must not change, or would hold us up. */
static void begin_words(struct words *w)
{
    *w = (struct words){ .n = 0 };
    add(w, "ssh");
    add_option(w, "BatchMode=yes");
    add_option(w, "LogLevel=INFO");
    add_option(w, "ForwardAgent=no");
    add_option(w, "ForwardX11=no");
    add_option(w, "PermitLocalCommand=no");
    add_option(w, "RemoteCommand=none");
    add_option(w, "RequestTTY=no");
}

static void add_place(struct words *w, const struct place *p)
{
    if (p->user[0]) {
        add(w, "-l");
        add(w, p->user);
    }
    if (p->port[0]) {
        add(w, "-p");
        add(w, p->port);
    }
    add(w, "--");
    add(w, p->host);
}

static void add_control(struct words *w, const char *folder, unsigned nth)
{
    if (nth == 0)
        (void)snprintf(w->control, sizeof w->control, "%s/" PLACE_CONTROL, folder);
    else
        (void)snprintf(w->control, sizeof w->control, "%s/" PLACE_CONTROL ".%u", folder, nth);
    add(w, "-S");
    add(w, w->control);
}

/* As `ssh -G` prints it where nobody chose: OpenSSH 6.7 to 9.8, and since 9.9. */
static const char *const own_ciphers[] = {
    PLACE_OWN_CIPHERS,
    "chacha20-poly1305@openssh.com,aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,aes192-ctr,"
    "aes256-ctr",
};
#define GCM_FIRST                                                                                            \
    "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,"     \
    "aes256-ctr"

void place_ciphers(const char *list, bool has_aes, char buf[PLACE_CIPHERS_SIZE])
{
    buf[0] = '\0';
    for (size_t i = 0; has_aes && i < sizeof own_ciphers / sizeof own_ciphers[0]; i++)
        if (strcmp(list, own_ciphers[i]) == 0)
            (void)snprintf(buf, PLACE_CIPHERS_SIZE, "%s", GCM_FIRST);
}

bool place_has_aes(const char *cpuinfo)
{
    for (const char *line = cpuinfo; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const size_t n = strcspn(line, "\n");
        const char *at = line;

        if (strncmp(line, "flags", 5) != 0 && strncmp(line, "Features", 8) != 0)
            continue;
        while ((at = memmem(at, (size_t)(line + n - at), " aes", 4))) {
            at += 4;
            if (at == line + n || *at == ' ')
                return true;
        }
    }
    return false;
}

/* Of a connection that is made. */
static void add_safety(struct words *w, const struct place *p, const char *ciphers, bool has_forwards)
{
    add_option(w, "StrictHostKeyChecking=yes");
    add_option(w, "UpdateHostKeys=no");
    /* The user's forwards are the user's ssh's: one that cannot be made must not end ours. It clears those of
     * the command line too. */
    add_option(w, has_forwards ? "ExitOnForwardFailure=yes" : "ClearAllForwardings=yes");
    if (p->has_session) {
        add_option(w, "ForkAfterAuthentication=no");
        add_option(w, "StdinNull=no");
    }
    add_option(w, "StreamLocalBindMask=0177");
    /* For the connection and sshd's first words; who has spoken is given time to log us in. */
    (void)snprintf(w->connect, sizeof w->connect, "ConnectTimeout=%u",
                   p->connect_s ? p->connect_s : PLACE_CONNECT_S);
    add_option(w, w->connect);
    add_option(w, "ConnectionAttempts=1");
    if (*ciphers) {
        (void)snprintf(w->ciphers, sizeof w->ciphers, "Ciphers=%s", ciphers);
        add_option(w, w->ciphers);
    }
    /* A peer that is silent is given up after 15 s, as libvirt's keepalive does. */
    add_option(w, "ServerAliveInterval=3");
    add_option(w, "ServerAliveCountMax=4");
}

static void add_forwards(struct words *w, const struct forward list[PLACE_SERVICES])
{
    for (unsigned i = 0; i < PLACE_SERVICES; i++) {
        (void)snprintf(w->forward[i], sizeof w->forward[i], "%s:%s", list[i].here, list[i].there);
        add(w, "-L");
        add(w, w->forward[i]);
    }
}

void words_of_master(struct words *w, const struct place *p, const char *folder, const char *ciphers,
                     const struct forward *list, const char *dial)
{
    begin_words(w);
    add(w, "-M");
    add(w, "-N");
    add_control(w, folder, 0);
    add_option(w, "ControlPersist=no");
    add_safety(w, p, ciphers, list != NULL);
    if (dial) {
        add_option(w, "ProxyUseFdpass=yes");
        add_option(w, dial);
    }
    if (list)
        add_forwards(w, list);
    add_place(w, p);
}

/* To a master: nothing of the user's configuration is for it, forwards least of all. Without its master ssh
 * would open a connection of its own. */
static void begin_words_over(struct words *w, const char *folder, unsigned nth)
{
    begin_words(w);
    add(w, "-F");
    add(w, "/dev/null");
    add_control(w, folder, nth);
    add_option(w, "ControlMaster=no");
    add_option(w, "ProxyCommand=exit 1");
}

void words_of_run(struct words *w, const struct place *p, const char *folder, const char *command)
{
    begin_words_over(w, folder, 0);
    add_place(w, p);
    add(w, command);
}

void words_through(struct words *w, const char *program)
{
    if (w->n + 2 >= sizeof w->argv / sizeof w->argv[0])
        return;
    memmove(w->argv + 2, w->argv, (w->n + 1) * sizeof w->argv[0]);
    w->argv[0] = program;
    w->argv[1] = w->control;
    w->n += 2;
}

#define CONFINED ".tunnelmigrate.dest."
#define NAME_MOST 24u /* of a domain: the socket's path has 107 bytes in all */

void place_suffix(const char *domain, char buf[PLACE_SUFFIX_SIZE])
{
    const size_t n = domain ? strlen(domain) : 0;

    buf[0] = '\0';
    if (n == 0 || n > NAME_MOST || domain[strspn(domain, NAME_LETTERS)] != '\0' || strstr(domain, ".."))
        return;
    (void)snprintf(buf, PLACE_SUFFIX_SIZE, CONFINED "%s", domain);
}

static const char *const data_sockets[PLACE_SERVICES] = { PLACE_RAM, PLACE_DISKS };

void place_socket(const char *data, unsigned service, const char *suffix, char buf[PLACE_PATH_SIZE])
{
    (void)snprintf(buf, PLACE_PATH_SIZE, "%s/%s%s", data, data_sockets[service], suffix);
}

void place_own_socket(const char *here, unsigned service, unsigned nth, char buf[PLACE_PATH_SIZE])
{
    (void)snprintf(buf, PLACE_PATH_SIZE, "%s/%s.%u", here, data_sockets[service], nth);
}

void words_of_forward(struct words *w, const struct place *p, const char *folder, unsigned nth,
                      const struct forward list[PLACE_SERVICES])
{
    begin_words_over(w, folder, nth);
    add(w, "-O");
    add(w, "forward");
    add_forwards(w, list);
    add_place(w, p);
}

void place_alias(const char *host, const char *port, char buf[PLACE_NAME_SIZE])
{
    if (strcmp(port, "22") == 0)
        (void)snprintf(buf, PLACE_NAME_SIZE, "%s", host);
    else
        (void)snprintf(buf, PLACE_NAME_SIZE, "[%.*s]:%s", (int)PLACE_NAME_SIZE - 16, host, port);
}

void words_of_own(struct words *w, const struct place *p, const struct own_way *own, const char *command)
{
    begin_words(w);
    add(w, "-M");
    add_control(w, own->folder, own->nth);
    add_option(w, "ControlPersist=no");
    add_safety(w, p, own->ciphers, false);
    if (p->has_session)
        add_option(w, "SessionType=default");
    if (own->via) {
        (void)snprintf(w->via, sizeof w->via, "HostName=%s", own->via);
        add_option(w, w->via);
        (void)snprintf(w->alias, sizeof w->alias, "HostKeyAlias=%s", own->alias);
        add_option(w, w->alias);
    }
    add_place(w, p);
    add(w, command);
}

void words_of_settings(struct words *w, const struct place *p)
{
    begin_words(w);
    add(w, "-G");
    add_place(w, p);
}

static bool is_quotable(const char *word)
{
    for (const char *c = word; *c; c++)
        if (*c < ' ' || *c > '~' || *c == '\'' || *c == '!')
            return false;
    return true;
}

bool place_quote(char *buf, size_t size, const char *const *argv)
{
    size_t n = 0;

    if (!argv[0] || size == 0)
        return false;
    buf[0] = '\0';
    for (size_t i = 0; argv[i]; i++) {
        int added = is_quotable(argv[i]) ? snprintf(buf + n, size - n, "%s'%s'", i ? " " : "", argv[i]) : -1;

        if (added < 0 || (size_t)added >= size - n)
            return false;
        n += (size_t)added;
    }
    return true;
}

/* Behind the key of its line; NULL: there is none. */
static const char *value_of(const char *printed, const char *key)
{
    const size_t n = strlen(key);

    for (const char *line = printed; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (strncmp(line, key, n) == 0 && line[n] == ' ')
            return line + n + 1;
    return NULL;
}

bool place_setting(const char *printed, const char *key, char *buf, size_t size)
{
    const char *value = value_of(printed, key);

    return value && take(buf, size, value, strcspn(value, "\n"));
}

bool place_is_set(const char *printed, const char *key)
{
    return value_of(printed, key) != NULL;
}

bool place_is(const char *printed, const char *key, const char *value)
{
    const char *is = value_of(printed, key);
    const size_t n = strlen(value);

    return is && strncmp(is, value, n) == 0 && (is[n] == '\n' || is[n] == '\0');
}
