/* SPDX-License-Identifier: Apache-2.0
 * Two hosts without a domain: each rule of theirs on both sides of its border, and which other rules are
 * asked. */
#include "plan/pair.h"
#include "plan/rules.h"
#include "plan/sample.h"

/* Everything in order: two hosts that are alike, one channel that encrypts. */
static struct facts *pair_sample(void)
{
    struct facts *f = facts_new();
    static struct pool pools[2];
    static struct mount mounts[2];
    static const char *names[2][2] = { { "lan", "dmz" }, { "lan", "dmz" } };
    static const char *machines[2] = { "pc-q35-7.2", "pc-i440fx-7.2" };

    ck_assert_ptr_nonnull(f);
    f->source.name = "hostA";
    f->dest.name = "hostB";
    f->source.qemu_version = f->dest.qemu_version = 7002000;
    f->dest.suits_cpu = TRI_YES;
    f->dest.clock_apart_ms = 0;
    for (int i = 0; i < 2; i++) {
        struct host *h = i ? &f->dest : &f->source;

        pools[i] = (struct pool){ .name = "images", .target = "/images", .is_active = true };
        mounts[i] = (struct mount){ "nas:/images", "/images", "nfs4" };
        h->pools = &pools[i];
        h->mounts = &mounts[i];
        h->n_pools = h->n_mounts = 1;
        h->has_pool_list = h->has_network_list = true;
        h->has_mount_list = TRI_YES;
        h->networks = (struct finding_refs){ names[i], 2 };
        h->machines = (struct finding_refs){ machines, 2 };
    }
    (void)sample_channel(f, "tls", 2);
    return f;
}

typedef void spoil(struct facts *f);
#define SPOIL(name, ...)                                                                                     \
    static void name(struct facts *f)                                                                        \
    {                                                                                                        \
        struct channel *tls __attribute__((unused)) = &f->channels[0];                                       \
                                                                                                             \
        (void)f;                                                                                             \
        __VA_ARGS__;                                                                                         \
    }

SPOIL(fine, )
SPOIL(cpu_lacks, f->dest.suits_cpu = TRI_NO; f->dest.cpu_why = "it lacks required features: vmx,aes")
SPOIL(cpu_unseen, f->dest.suits_cpu = TRI_NOT_KNOWN)
SPOIL(machine_lacks, f->dest.machines.n = 1)
SPOIL(machines_unseen, f->dest.machines.n = 0)
SPOIL(pool_missing, f->dest.n_pools = 0)
SPOIL(pool_off, f->dest.pools[0].is_active = false)
SPOIL(pool_elsewhere, f->dest.pools[0].target = "/other")
SPOIL(pools_unseen, f->dest.n_pools = 0; f->dest.has_pool_list = false)
SPOIL(pool_off_at_both, f->source.pools[0].is_active = f->dest.pools[0].is_active = false)
SPOIL(network_missing, f->dest.networks.n = 1)
SPOIL(networks_unseen, f->dest.networks.n = 0; f->dest.has_network_list = false)
SPOIL(mount_missing, f->dest.n_mounts = 0)
SPOIL(mount_of_another, f->dest.mounts[0].source = "other:/images")
SPOIL(mount_elsewhere, f->dest.mounts[0].target = "/mnt")
SPOIL(mounts_unseen, f->dest.n_mounts = 0; f->dest.has_mount_list = TRI_NOT_KNOWN)
SPOIL(nfs_kept, f->dest.selinux_confines = TRI_YES; f->dest.selinux_lets_nfs = TRI_NO)
SPOIL(nfs_kept_and_none, nfs_kept(f); f->dest.mounts[0].type = "ceph")
SPOIL(nfs_let, nfs_kept(f); f->dest.selinux_lets_nfs = TRI_YES)
SPOIL(nfs_not_confined, nfs_kept(f); f->dest.selinux_confines = TRI_NO)
SPOIL(sockets_confined, f->source.selinux_confines = TRI_YES; tls->data_uri = "unix:///run/x/ram")
SPOIL(tls_confined, f->source.selinux_confines = TRI_YES)
SPOIL(clocks_apart, f->dest.clock_apart_ms = 2000)
SPOIL(clocks_near, f->dest.clock_apart_ms = 1999)
SPOIL(clocks_unseen, f->dest.clock_apart_ms = NOT_KNOWN)
SPOIL(one_host, f->source.uuid = f->dest.uuid = "11111111-1111-1111-1111-111111111111")
SPOIL(older, f->dest.qemu_version = 6002000)
SPOIL(no_channel, f->n_channels = 0)
SPOIL(clear, tls->protects_data = 0; tls->is_trusted = false)
SPOIL(clear_trusted, tls->protects_data = 0)
SPOIL(no_userfaultfd, f->dest.unprivileged_userfaultfd = TRI_NO)
SPOIL(filtered, tls->data_port = 49215; tls->data_port_open = TRI_NO)
SPOIL(locks, f->source.lock_manager = "lockd"; f->dest.lock_manager = "none")

static const struct {
    const char *id;
    spoil *facts;
    bool found, is_fit;
} cases[] = {
    { "hosts-cpu-differ", cpu_lacks, true, true },
    { "hosts-cpu-differ", cpu_unseen, false, true },
    { "hosts-machines-differ", machine_lacks, true, true },
    { "hosts-machines-differ", machines_unseen, false, true },
    { "hosts-pools-differ", pool_missing, true, true },
    { "hosts-pools-differ", pool_off, true, true },
    { "hosts-pools-differ", pool_elsewhere, true, true },
    { "hosts-pools-differ", pools_unseen, false, true },
    { "hosts-pools-differ", pool_off_at_both, false, true },
    { "hosts-networks-differ", network_missing, true, true },
    { "hosts-networks-differ", networks_unseen, false, true },
    { "hosts-mounts-differ", mount_missing, true, true },
    { "hosts-mounts-differ", mount_of_another, true, true },
    { "hosts-mounts-differ", mount_elsewhere, true, true },
    { "hosts-mounts-differ", mounts_unseen, false, true },
    { "hosts-selinux-nfs", nfs_kept, true, true },
    { "hosts-selinux-nfs", nfs_kept_and_none, false, true },
    { "hosts-selinux-nfs", nfs_let, false, true },
    { "hosts-selinux-nfs", nfs_not_confined, false, true },
    { "unix-selinux", sockets_confined, true, true },
    { "unix-selinux", tls_confined, false, true },
    { "hosts-clocks-differ", clocks_apart, true, true },
    { "hosts-clocks-differ", clocks_near, false, true },
    { "hosts-clocks-differ", clocks_unseen, false, true },
    { "hosts-not-looked-into", mounts_unseen, true, true },
    { "hosts-not-looked-into", fine, false, true },
    { "same-host", one_host, true, false },
    { "older-destination", older, true, true },
    { "no-channel", no_channel, true, false },
    { "cleartext", clear, true, false },
    { "cleartext", fine, false, true },
    { "cleartext-allowed", clear_trusted, true, true },
    { "userfaultfd", no_userfaultfd, true, true },
    { "migration-port-filtered", filtered, true, false },
    { "lock-manager-differs", locks, true, false },
};

static const struct finding *find(const struct pair *p, const char *id)
{
    for (size_t i = 0; i < p->findings.n; i++)
        if (text_equal(p->findings.list[i].id, id))
            return &p->findings.list[i];
    return NULL;
}

static struct pair *judged(const struct facts *f)
{
    const struct plan_limits limits = { .max_downtime_ms = NOT_KNOWN };
    struct error err = { 0 };
    struct pair *p = pair_judge(f, &limits, &err);

    ck_assert_ptr_nonnull(p);
    return p;
}

START_TEST(each_rule_of_two_hosts_speaks_on_one_side_of_its_border_only)
    {
        for (size_t i = 0; i < TEST_ROWS(cases); i++) {
            OWNED(facts) f = pair_sample();

            cases[i].facts(f);
            OWNED(pair) p = judged(f);
            ck_assert_msg(!!find(p, cases[i].id) == cases[i].found, "case %zu: '%s' %s", i, cases[i].id,
                          cases[i].found ? "is missing" : "stands there");
            ck_assert_msg(p->is_fit == cases[i].is_fit, "case %zu, '%s': fit is %d", i, cases[i].id,
                          p->is_fit);
        }
    }
END_TEST

START_TEST(two_hosts_that_are_alike_give_no_finding_at_all)
    {
        OWNED(facts) f = pair_sample();
        OWNED(pair) p = judged(f);

        ck_assert_uint_eq(p->findings.n, 0);
        ck_assert_uint_eq(p->n_channels, 1);
    }
END_TEST

/* A rule about a domain that is asked of two hosts would say something of a domain that is not there. */
START_TEST(every_rule_of_two_hosts_has_a_case_and_no_other_rule_speaks)
    {
        const struct rule *rule;

        for (size_t i = 0; (rule = rules_at(i)); i++) {
            int n[2] = { 0, 0 };

            for (size_t k = 0; k < TEST_ROWS(cases); k++)
                if (text_equal(cases[k].id, rule->id))
                    n[cases[k].found]++;
            ck_assert_msg(rule->scope != PER_PAIR || (n[0] && n[1]), "'%s' has %d and %d cases", rule->id,
                          n[0], n[1]);
            ck_assert_msg(rule->scope != PER_PAIR || rule->severity != REFUSES, "'%s' refuses", rule->id);
            ck_assert_msg(rule->scope == PER_PAIR || rule->of_pair || !n[1], "'%s' needs a domain", rule->id);
        }
    }
END_TEST

START_TEST(one_channel_that_is_refused_leaves_the_others)
    {
        OWNED(facts) f = pair_sample();

        (void)sample_channel(f, "tcp", 0);
        f->channels[1].is_trusted = false;
        OWNED(pair) p = judged(f);
        ck_assert(p->is_fit);
        ck_assert_uint_eq(p->n_channels, 1);
        ck_assert_str_eq(find(p, "cleartext")->where, "tcp");
    }
END_TEST

START_TEST(what_the_survey_found_is_taken_over_and_refuses_as_there)
    {
        OWNED(facts) f = pair_sample();

        facts_add_finding(f, REFUSES, "tls-qemu-expired", "tls")->what = "it expired";
        OWNED(pair) p = judged(f);
        ck_assert(!p->is_fit);
        ck_assert_str_eq(find(p, "tls-qemu-expired")->what, "it expired");
    }
END_TEST

START_TEST(a_long_list_is_cut_and_counted)
    {
        OWNED(facts) f = pair_sample();
        const char *many[] = { "a", "b", "c", "d", "e", "f", "g", "h" };

        f->source.networks = (struct finding_refs){ many, 8 };
        OWNED(pair) p = judged(f);
        ck_assert_str_eq(find(p, "hosts-networks-differ")->what,
                         "networks that are active at the source, and missing or not active on the "
                         "destination: 'a', 'b', 'c', 'd', 'e', 'f' and 2 more");
    }
END_TEST

TEST_MAIN("plan/pair", each_rule_of_two_hosts_speaks_on_one_side_of_its_border_only,
          two_hosts_that_are_alike_give_no_finding_at_all,
          every_rule_of_two_hosts_has_a_case_and_no_other_rule_speaks,
          one_channel_that_is_refused_leaves_the_others,
          what_the_survey_found_is_taken_over_and_refuses_as_there, a_long_list_is_cut_and_counted)
