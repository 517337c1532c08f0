/* SPDX-License-Identifier: Apache-2.0
 * Where a URI leads, the words that ssh is called with, and a command quoted for the shell of any user there.
 * No I/O. Whatever could be more than a name is refused here again, whoever checked it before. */
#ifndef TRANSPORT_SSH_PLACE_H
#define TRANSPORT_SSH_PLACE_H

#include <stdbool.h>
#include <stddef.h>

struct place {
    char host[256];     /* without brackets */
    char user[65];      /* "" = ssh's own choice */
    char port[6];       /* "" = ssh's own choice */
    unsigned connect_s; /* how long a sign of sshd is waited for; 0 = PLACE_CONNECT_S */
    bool has_session;   /* ssh here knows ForkAfterAuthentication, StdinNull, SessionType: 8.7 and later */
};
#define PLACE_CONNECT_S 5u

/* NULL, or why "qemu+ssh://[user@]host[:port]/system" is not what `uri` is. */
const char *place_of_uri(const char *uri, struct place *ret);

/* A folder in which sockets may lie: of characters that mean nothing to ssh, and short. */
bool place_folder_fits(const char *folder);

#define PLACE_CONTROL "ctl"
#define PLACE_PATH_SIZE 108u
#define PLACE_CIPHERS_SIZE 512u
#define PLACE_NAME_SIZE 256u
#define PLACE_OWN_CIPHERS                                                                                    \
    "chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,"                 \
    "aes256-gcm@openssh.com"

/* Lists end with NULL; texts live in the struct. */
struct words {
    const char *argv[64];
    size_t n;
    char control[PLACE_PATH_SIZE], forward[2][2 * PLACE_PATH_SIZE];
    char ciphers[PLACE_CIPHERS_SIZE + 8], connect[32];
    char via[PLACE_NAME_SIZE + 16], alias[PLACE_NAME_SIZE + 16];
    char program[1024];
};

/* Of a list of ciphers that no configuration chose (OpenSSH's own), the same with AES-GCM first, which
 * processors with instructions for AES run fastest; of any other nothing: buf is "". */
void place_ciphers(const char *list, bool has_aes, char buf[PLACE_CIPHERS_SIZE]);
/* Do these lines of /proc/cpuinfo tell of such instructions? */
bool place_has_aes(const char *cpuinfo);

/* Sockets that are forwarded together: libvirt's, or those for RAM and for disks. */
#define PLACE_SERVICES 2u
extern const char *const place_sockets[PLACE_SERVICES]; /* libvirt's names there; preferred first */
struct forward {
    char here[PLACE_PATH_SIZE], there[PLACE_PATH_SIZE];
};
/* The master; what makes it one, its socket in `folder`, is made last, behind those of `list`. That is NULL
 * where the user's configuration has forwards, which would be made too. ciphers: in this order, "" = as ssh
 * has it. dial: what connects for it (dial.h), lent for the words' life; NULL = ssh itself. */
void words_of_master(struct words *w, const struct place *p, const char *folder, const char *ciphers,
                     const struct forward *list, const char *dial);
/* A command over the master, and never over a new connection. */
void words_of_run(struct words *w, const struct place *p, const char *folder, const char *command);
/* The same, asked of a program first: "PROGRAM CONTROL ssh ... COMMAND". */
void words_through(struct words *w, const char *program);
/* Has an ssh make sockets here that lead to others there: the master (nth 0), or the nth of those that have a
 * connection of their own. */
#define PLACE_RAM "ram"
#define PLACE_DISKS "nbd"
void words_of_forward(struct words *w, const struct place *p, const char *folder, unsigned nth,
                      const struct forward list[PLACE_SERVICES]);
/* A connection of its own, the nth (from 1 on), a master too, with a command that runs as long as it; via: to
 * another address of that host, whose key is known under `alias` (NULL: to where the master goes). */
struct own_way {
    const char *via, *alias, *ciphers, *folder;
    unsigned nth;
};
/* Where sockets for data are: QEMU's, and the nth of several connections'. service: 0 RAM, 1 disks. */
void place_socket(const char *data, unsigned service, const char *suffix, char buf[PLACE_PATH_SIZE]);
void place_own_socket(const char *here, unsigned service, unsigned nth, char buf[PLACE_PATH_SIZE]);
void words_of_own(struct words *w, const struct place *p, const struct own_way *own, const char *command);
/* What known_hosts calls a host, as ssh reaches it. */
void place_alias(const char *host, const char *port, char buf[PLACE_NAME_SIZE]);
/* What their names end in, so that AppArmor lets the QEMU of that domain have them: libvirt's profile has a
 * rule for the sockets of tunnelled migrations. "" for a domain whose name is none for a socket, or is not
 * known. */
#define PLACE_SUFFIX_SIZE 64u
void place_suffix(const char *domain, char buf[PLACE_SUFFIX_SIZE]);
/* "What would you do": prints the configuration that holds for this host. */
void words_of_settings(struct words *w, const struct place *p);

/* argv as one word of a command line, each in single quotes; false: a word cannot be quoted for every shell,
 * or buf is too small. */
bool place_quote(char *buf, size_t size, const char *const *argv);

/* Takes the value of a line "key value" out of what ssh -G printed; false: it is not there or does not fit.
 */
bool place_setting(const char *printed, const char *key, char *buf, size_t size);
/* The line is there, however long. */
bool place_is_set(const char *printed, const char *key);
/* The line is there and says just this. */
bool place_is(const char *printed, const char *key, const char *value);

#endif
