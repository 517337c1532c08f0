/* SPDX-License-Identifier: Apache-2.0
 * Findings into commands: on which host, in which order, and no word that a shell would take apart. */
#include "check-main.h"
#include "cli/setup.h"
#include "facts/model.h"

/* "HOST: LINE" for each, a line each. */
static void made(struct facts *f, struct text *ret)
{
    OWNED_GATHERED g = { 0 };
    OWNED(arena) arena = arena_new();
    struct error err = { 0 };
    struct setup s;

    ck_assert_ptr_nonnull(arena);
    ck_assert_int_eq(gathered_add(&g, &f->findings, &err), 0);
    setup_make(&g, f, arena, &s);
    for (size_t i = 0; i < s.n; i++)
        text_add(ret, "%s: %s\n", s.list[i].host, s.list[i].line);
}

static struct facts *two_hosts(const char *source, const char *dest)
{
    struct facts *f = facts_new();

    ck_assert_ptr_nonnull(f);
    f->source.name = source;
    f->dest.name = dest;
    return f;
}

START_TEST(certificates_are_made_at_the_source_and_carried_over)
    {
        OWNED(facts) f = two_hosts("hostA", "hostB");
        OWNED_TEXT lines = { 0 };

        facts_add_channel(f)->peer_address = "10.0.0.2";
        facts_add_finding(f, NOTES, "tls-port-refused", "hostB");
        facts_add_finding(f, NOTES, "tls-own-ca-missing", "hostB");
        made(f, &lines);
        ck_assert_str_eq(text_of(&lines),
                         "hostA: virt-ferry-host-setup --apply ca\n"
                         "hostA: virt-ferry-host-setup --apply certificate hostA\n"
                         "hostA: virt-ferry-host-setup --apply certificate hostB 10.0.0.2\n"
                         "hostA: virt-ferry-host-setup --apply tls /etc/pki/virt-ferry-ca/hosts/hostA.tar\n"
                         "hostA: scp /etc/pki/virt-ferry-ca/hosts/hostB.tar root@hostB:/root/\n"
                         "hostB: virt-ferry-host-setup --apply tls /root/hostB.tar\n");
    }
END_TEST

static const struct {
    const char *id, *line;
} rows[] = {
    { "ssh-key-refused", "hostA: virt-ferry-host-setup --apply ssh-key\n"
                         "hostA: ssh-copy-id -i /root/.ssh/id_ed25519.pub root@hostB\n" },
    { "migration-port-filtered", "hostB: virt-ferry-host-setup --apply firewall\n" },
    { "sasl-no-credentials", "hostB: virt-ferry-host-setup --apply sasl-user ferry\n"
                             "hostA: virt-ferry-host-setup --apply sasl-login hostB ferry\n" },
    { "tcp-anyone-is-root", "hostB: virt-ferry-host-setup --apply tcp-off\n" },
    { "userfaultfd", "hostB: virt-ferry-host-setup --apply userfaultfd\n" },
    { "hosts-selinux-nfs", "hostB: setsebool -P virt_use_nfs on\n" },
    { "hosts-clocks-differ", "" },
    { "tls-libvirt-silent", "" },
    { "tls-qemu-not-checked", "" },
};

START_TEST(each_finding_has_its_command_or_none)
    {
        OWNED(facts) f = two_hosts("hostA", "hostB");
        OWNED_TEXT lines = { 0 };
        struct finding *one = facts_add_finding(f, WARNS, rows[_i].id, "hostB");

        ck_assert_ptr_nonnull(one);
        made(f, &lines);
        ck_assert_str_eq(text_of(&lines), rows[_i].line);
        ck_assert_int_eq(setup_mends(one), rows[_i].line[0] != '\0');
    }
END_TEST

START_TEST(only_mounts_of_nfs_that_a_shell_leaves_whole_are_mounted)
    {
        OWNED(facts) f = two_hosts("hostA", "hostB");
        OWNED_TEXT lines = { 0 };
        struct mount mounts[] = { { "nas:/images", "/srv/images", "nfs4" },
                                  { "nas:/x", "/srv/$(reboot)", "nfs4" },
                                  { "a:/", "/ceph", "ceph" },
                                  { "-o:/x", "/x", "nfs" } };

        f->source.mounts = mounts;
        f->source.n_mounts = 4;
        f->source.has_mount_list = f->dest.has_mount_list = TRI_YES;
        facts_add_finding(f, WARNS, "hosts-mounts-differ", "hostB");
        made(f, &lines);
        ck_assert_str_eq(text_of(&lines),
                         "hostB: virt-ferry-host-setup --apply nfs-mount nas:/images /srv/images\n");
    }
END_TEST

START_TEST(a_name_that_a_shell_would_take_apart_stands_in_no_command)
    {
        OWNED(facts) f = two_hosts("a;reboot", "-oProxyCommand=x");
        OWNED_TEXT lines = { 0 };

        facts_add_finding(f, NOTES, "tls-port-refused", NULL);
        made(f, &lines);
        ck_assert_ptr_nonnull(strstr(text_of(&lines), "certificate SOURCE\n"));
        ck_assert_ptr_nonnull(strstr(text_of(&lines), "root@DESTINATION:/root/"));
        ck_assert_ptr_null(strstr(strstr(text_of(&lines), "--apply"), "reboot "));
    }
END_TEST

TEST_MAIN("cli/setup", certificates_are_made_at_the_source_and_carried_over,
          LOOP(each_finding_has_its_command_or_none, TEST_ROWS(rows)),
          only_mounts_of_nfs_that_a_shell_leaves_whole_are_mounted,
          a_name_that_a_shell_would_take_apart_stands_in_no_command)
