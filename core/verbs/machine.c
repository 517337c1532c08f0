/* SPDX-License-Identifier: Apache-2.0
 * What a machine says of itself beside libvirt: its kernel, its addresses and two settings of qemu.conf. One
 * script asks, here or over a way that can run commands; what it prints is read in one place. */
#include "verbs/machine.h"

#include "base/name.h"
#include "base/text.h"
#include "verbs/command.h"
#include <stdio.h>
#include <string.h>

#define MAX_ADDRESSES 1024u
#define PATIENCE_MS 1500u /* without an answer all of it stays not known */

/* No quotes and no exclamation mark may stand in it; of qemu.conf, which may hold passwords, two lines. What
 * the shell can do by itself it does: over ssh each program that it starts is waited for. Its read fails at
 * the end of some files of /proc, and has read them all the same. */
static const char script[] =
    "PATH=$PATH:/usr/sbin:/sbin; w=; read -r w </proc/sys/kernel/osrelease; echo kernel $w; "
    "test -e /sys/fs/cgroup/cgroup.controllers && echo cgroup 2 || echo cgroup 1; "
    "w=; test -e /proc/sys/vm/unprivileged_userfaultfd && read -r w </proc/sys/vm/unprivileged_userfaultfd; "
    "echo userfaultfd $w; w=; test -r /sys/fs/selinux/enforce && read -r w </sys/fs/selinux/enforce; "
    "echo selinux $w; w=; f=/sys/fs/selinux/booleans/virt_use_nfs; test -r $f && read -r w <$f; "
    "echo virt_use_nfs $w; test -r /etc/libvirt/qemu.conf && { echo conf; "
    "grep -E \"^[[:space:]]*(lock_manager|user|security_driver)[[:space:]]*=\" /etc/libvirt/qemu.conf; }; "
    "ip -o addr | while read -r n device kind address rest; do "
    "case $kind in inet*) echo address ${address%%/*};; esac; done; echo end";

static void add_address(struct arena *a, const char *text, struct finding_refs *to)
{
    const char **grown;

    if (to->n >= MAX_ADDRESSES || !name_is_address(text))
        return;
    grown = arena_grown(a, to->names, to->n, sizeof *grown);
    if (!grown)
        return;
    to->names = grown;
    grown[to->n++] = arena_text(a, text);
}

static bool is_root(const char *user)
{
    return text_equal(user, "root") || text_equal(user, "0") || text_equal(user, "+0");
}

/* libvirt's default is what the host has. */
static void read_security(const char *line, struct host *h)
{
    if (h->selinux_confines == TRI_YES && !strstr(line, "selinux"))
        h->selinux_confines = TRI_NO;
}

static enum tristate of_figure(const char *word)
{
    return text_equal(word, "1") ? TRI_YES : text_equal(word, "0") ? TRI_NO : TRI_NOT_KNOWN;
}

static void read_line(struct arena *a, const char *line, struct host *h, bool *is_root_there)
{
    char word[256];

    if (sscanf(line, "kernel %255s", word) == 1)
        h->kernel_release = arena_text(a, word);
    else if (sscanf(line, "cgroup %255s", word) == 1)
        h->cgroup_version = text_equal(word, "2") ? 2 : 1;
    else if (sscanf(line, "userfaultfd %255s", word) == 1)
        /* The file came with Linux 5.2; before, everybody could. */
        h->unprivileged_userfaultfd = of_figure(word);
    else if (text_equal(line, "conf"))
        h->lock_manager = "none"; /* libvirt's default, and what a file says that does not name one */
    else if (sscanf(line, " lock_manager = \"%63[^\"]\"", word) == 1)
        h->lock_manager = text_equal(word, "nop") ? "none" : arena_text(a, word);
    else if (sscanf(line, " user = \"%63[^\"]\"", word) == 1)
        *is_root_there = is_root(word);
    else if (sscanf(line, "selinux %255s", word) == 1)
        h->selinux_confines = of_figure(word);
    else if (sscanf(line, "virt_use_nfs %255s", word) == 1)
        h->selinux_lets_nfs = of_figure(word);
    else if (sscanf(line, " security_driver %255s", word) == 1)
        read_security(line, h);
    else if (sscanf(line, "address %255s", word) == 1)
        add_address(a, word, &h->addresses);
}

void machine_read(const char *said, struct arena *a, struct host *h)
{
    struct host read = *h;
    bool is_root_there = false, is_whole = false;

    for (const char *at = said; *at;) {
        size_t n = strcspn(at, "\n");
        char line[512];

        (void)snprintf(line, sizeof line, "%.*s", (int)n, at);
        is_whole = text_equal(line, "end");
        read_line(a, line, &read, &is_root_there);
        at += n + (at[n] == '\n');
    }
    /* A list that was cut would make an address look missing. */
    if (!is_whole)
        return;
    /* Whose QEMU runs as root is not held back by what others may not. */
    if (is_root_there && read.unprivileged_userfaultfd == TRI_NO)
        read.unprivileged_userfaultfd = TRI_YES;
    *h = read;
}

char *machine_ask(struct child *c)
{
    struct error ignored = { 0 };

    return command_script(c, script, NULL, PATIENCE_MS, &ignored);
}
