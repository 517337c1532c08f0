/* SPDX-License-Identifier: Apache-2.0
 * A row says which command helps against which finding; a function, where it is to be typed. */
#include "cli/setup.h"

#include "plan/pair.h"
#include "plan/rules.h"
#include <stdio.h>
#include <string.h>

#define CA_HOSTS "/etc/pki/virt-ferry-ca/hosts/"
#define USER "ferry" /* a name for SASL, where none is known */

/* In the order in which they are done: who logs in first, then what is reached by that. */
enum mend {
    MEND_SSH,
    MEND_FIREWALL,
    MEND_TLS,
    MEND_SASL,
    MEND_TCP,
    MEND_USERFAULTFD,
    MEND_MOUNTS,
    MEND_SELINUX,
    N_MENDS
};

static const struct {
    const char *id;
    enum mend mend;
    bool is_start; /* of the id */
} rows[] = {
    { "ssh-key-refused", MEND_SSH, false },
    { "ssh-user-refused", MEND_SSH, false },
    { "ssh-data-no-login", MEND_SSH, false },
    { "tls-port-refused", MEND_TLS, false },
    { "tls-own-", MEND_TLS, true },
    { "tls-peer-", MEND_TLS, true },
    { "tls-qemu-ca-missing", MEND_TLS, false },
    { "tls-qemu-expire", MEND_TLS, true },
    { "tls-qemu-foreign", MEND_TLS, false },
    { "tls-qemu-key", MEND_TLS, true },
    { "tls-qemu-missing", MEND_TLS, false },
    { "tls-qemu-name", MEND_TLS, false },
    { "tls-qemu-no-folder", MEND_TLS, false },
    { "tls-port-filtered", MEND_FIREWALL, false },
    { "migration-port-filtered", MEND_FIREWALL, false },
    { "sasl-no-credentials", MEND_SASL, false },
    { "tcp-anyone-is-root", MEND_TCP, false },
    { "userfaultfd", MEND_USERFAULTFD, false },
    { "hosts-mounts-differ", MEND_MOUNTS, false },
    { "hosts-selinux-nfs", MEND_SELINUX, false },
};

static enum mend mend_of(const struct finding *f)
{
    for (size_t i = 0; f->id && i < sizeof rows / sizeof *rows; i++)
        if (rows[i].is_start ? text_starts(f->id, rows[i].id) : text_equal(f->id, rows[i].id))
            return rows[i].mend;
    return N_MENDS;
}

bool setup_mends(const struct finding *f)
{
    return mend_of(f) != N_MENDS;
}

struct making {
    struct setup *setup;
    const struct facts *facts;
    const char *source, *dest; /* as words of a command */
};

static void add(struct making *m, bool is_dest, const char *line)
{
    struct setup *s = m->setup;
    struct setup_command *grown = line ? arena_grown(s->arena, s->list, s->n, sizeof *grown) : NULL;

    if (!grown)
        return;
    s->list = grown;
    grown[s->n++] = (struct setup_command){
        .host = is_dest ? m->facts->dest.name : m->facts->source.name,
        .line = line,
    };
}

#define SOURCE(...) add(m, false, arena_format(m->setup->arena, __VA_ARGS__))
#define DEST(...) add(m, true, arena_format(m->setup->arena, __VA_ARGS__))
#define APPLY SETUP_PROGRAM " --apply "

static bool is_address(const char *word)
{
    return word[strspn(word, "0123456789abcdefABCDEF.:")] == '\0' && strpbrk(word, ".:");
}

/* An address that the destination was reached by belongs into its certificate, beside its name. */
static const char *other_address(const struct making *m)
{
    for (size_t i = 0; i < m->facts->n_channels; i++) {
        const char *address = m->facts->channels[i].peer_address;

        if (address && is_address(address) && !text_equal(address, m->dest))
            return address;
    }
    return "";
}

static void mend_tls(struct making *m)
{
    const char *address = other_address(m);

    SOURCE(APPLY "ca");
    SOURCE(APPLY "certificate %s", m->source);
    SOURCE(APPLY "certificate %s%s%s", m->dest, *address ? " " : "", address);
    SOURCE(APPLY "tls " CA_HOSTS "%s.tar", m->source);
    SOURCE("scp " CA_HOSTS "%s.tar root@%s:/root/", m->dest, m->dest);
    DEST(APPLY "tls /root/%s.tar", m->dest);
}

static void mend_mounts(struct making *m)
{
    const struct mount *lacking;

    for (size_t at = 0; (lacking = pair_mount_lacking(m->facts, &at));) {
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-/:[]";

        if (!text_starts(lacking->type, "nfs") || lacking->source[0] == '-' ||
            lacking->source[strspn(lacking->source, plain)] || lacking->target[0] != '/' ||
            lacking->target[strspn(lacking->target, plain)])
            continue;
        DEST(APPLY "nfs-mount %s %s", lacking->source, lacking->target);
    }
}

static void mend(struct making *m, enum mend which)
{
    switch (which) {
    case MEND_SSH:
        SOURCE(APPLY "ssh-key");
        SOURCE("ssh-copy-id -i /root/.ssh/id_ed25519.pub root@%s", m->dest);
        break;
    case MEND_FIREWALL:
        DEST(APPLY "firewall");
        break;
    case MEND_SELINUX:
        DEST("setsebool -P virt_use_nfs on");
        break;
    case MEND_TLS:
        mend_tls(m);
        break;
    case MEND_SASL:
        DEST(APPLY "sasl-user " USER);
        SOURCE(APPLY "sasl-login %s " USER, m->dest);
        break;
    case MEND_TCP:
        DEST(APPLY "tcp-off");
        break;
    case MEND_USERFAULTFD:
        DEST(APPLY "userfaultfd");
        break;
    case MEND_MOUNTS:
        mend_mounts(m);
        break;
    case N_MENDS:
        break;
    }
}

void setup_make(const struct gathered *g, const struct facts *f, struct arena *arena, struct setup *ret)
{
    struct making m = { .setup = ret,
                        .facts = f,
                        .source = rules_command_word(f->source.name, "SOURCE"),
                        .dest = rules_command_word(f->dest.name, "DESTINATION") };
    bool is_wanted[N_MENDS + 1] = { false };

    *ret = (struct setup){ .arena = arena };
    for (size_t i = 0; i < g->n; i++)
        is_wanted[mend_of(g->list[i])] = true;
    for (enum mend i = 0; i < N_MENDS; i++)
        if (is_wanted[i])
            mend(&m, i);
}

void setup_text(const struct setup *s, struct text *out)
{
    const char *host = NULL;

    if (s->n)
        text_add(out, "\nIn this order; each shows what it would change, and asks. "
                      "In the source tree it is contrib/host-setup.\n");
    for (size_t i = 0; i < s->n; i++) {
        if (!text_equal(host, s->list[i].host)) {
            host = s->list[i].host;
            text_add(out, "\nOn ");
            text_add_escaped(out, rules_name(host));
            text_add(out, ":\n");
        }
        text_add(out, "    ");
        text_add_escaped(out, s->list[i].line);
        text_add(out, "\n");
    }
}

json_t *setup_json(const struct setup *s)
{
    OWNED_JSON list = json_array();

    for (size_t i = 0; list && i < s->n; i++)
        if (json_array_append_new(
                list, json_pack("{ss* ss}", "host", s->list[i].host, "command", s->list[i].line)) < 0)
            return NULL;
    return list ? json_incref(list) : NULL;
}
