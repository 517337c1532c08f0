/* SPDX-License-Identifier: Apache-2.0
 * Several connections for the memory of one guest (QEMU's multifd): what does not go together with them, and
 * what they cannot bring. Each with the place where it is written. */
#include "plan/planner.h"
#include "plan/rules.h"

#define VERSION(major, minor) ((uint64_t)(major)*1000000u + (uint64_t)(minor)*1000u)

static bool has_several(const struct rule_case *c)
{
    return c->strategy->connections > 1 && c->strategy->mode != MODE_OFFLINE;
}

/* QEMU 7.2 takes both, and the destination's fails an assertion at its end (qemu-devel, 2022-11-09,
 * "migration: Fix yank on postcopy multifd crashing guest after migration"); 8.1 to 10.0 refuse them
 * ("Postcopy is not yet compatible with multifd", migrate_caps_check). libvirt 9.0 checks nothing. */
static const char *check_postcopy(struct rule_case *c)
{
    if (!has_several(c) || c->strategy->mode != MODE_POSTCOPY)
        return NULL;
    return SAY("post-copy does not go together with %u connections", c->strategy->connections);
}

static const char *check_channel(struct rule_case *c)
{
    if (!has_several(c) || c->channel->can_multifd)
        return NULL;
    return SAY("channel %s carries memory by one connection only", rules_name(c->channel->driver));
}

/* VIR_MIGRATE_PARALLEL is of libvirt 5.2.0 (2019). QEMU calls it "multifd" since 4.0 ("x-multifd" before),
 * and encrypts it since 5.2 (changelog of that release, "multifd: TLS support"). */
static const char *check_version(struct rule_case *c)
{
    const struct host *hosts[] = { &c->facts->source, &c->facts->dest };
    const bool has_tls = channel_has_tls(c->channel);
    const uint64_t qemu = has_tls ? VERSION(5, 2) : VERSION(4, 0);

    if (!has_several(c))
        return NULL;
    for (int i = 0; i < 2; i++) {
        if (hosts[i]->libvirt_version < VERSION(5, 2))
            return SAY("libvirt on '%s' is older than 5.2 and moves memory by one connection only",
                       rules_name(hosts[i]->name));
        if (hosts[i]->qemu_version < qemu)
            return SAY("QEMU on '%s' is older than %s and moves memory by one connection only%s",
                       rules_name(hosts[i]->name), has_tls ? "5.2" : "4.0", has_tls ? " over TLS" : "");
    }
    return NULL;
}

static const char *check_idle(struct rule_case *c)
{
    const struct host *hosts[] = { &c->facts->source, &c->facts->dest };

    if (!has_several(c))
        return NULL;
    for (int i = 0; i < 2; i++) {
        const uint64_t idle = hosts[i]->cpus_idle_milli;

        if (idle != NOT_KNOWN && idle / 1000 < c->strategy->connections)
            return SAY("%u connections, and %llu.%llu processors of '%s' are idle", c->strategy->connections,
                       (unsigned long long)(idle / 1000), (unsigned long long)(idle % 1000 / 100),
                       rules_name(hosts[i]->name));
    }
    return NULL;
}

static const char *check_forward(struct rule_case *c)
{
    const unsigned forwards = channel_forwards(c->channel, c->strategy->connections);
    const char *driver = rules_name(c->channel->driver);

    if (!has_several(c) || forwards == 0 || forwards >= c->strategy->connections)
        return NULL;
    if (forwards == 1)
        return SAY("one process of %s carries all %u connections", driver, c->strategy->connections);
    return SAY("%u processes of %s carry all %u connections", forwards, driver, c->strategy->connections);
}

static const struct rule rows[] = {
    { .id = "connections-postcopy",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .check = check_postcopy,
      .cause =
          "QEMU up to 10.0 cannot take a guest into post-copy whose memory came by several connections: "
          "7.2 crashes at the destination, 8.1 and later refuse it. (Newer ones can; that was not tried, "
          "so it is refused there as well.)",
      .fix = "Take a strategy of another mode, or leave --connections out." },
    { .id = "connections-channel",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .check = check_channel,
      .cause = "The transport driver does not declare that its channel can carry several connections.",
      .fix = "Take another channel, or leave --connections out." },
    { .id = "connections-version",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .check = check_version,
      .cause = "Several connections need libvirt 5.2 and QEMU 4.0, over TLS QEMU 5.2, on both hosts.",
      .fix = "Update that host, or leave --connections out." },
    { .id = "connections-idle",
      .severity = NOTES,
      .scope = PER_STRATEGY,
      .check = check_idle,
      .cause = "Each connection is a thread of QEMU on either host, which copies and encrypts: without a "
               "processor of its own it takes from the others, and from the guests there.",
      .fix = "Ask for fewer, or let the planner choose: leave --connections out." },
    { .id = "connections-forward",
      .severity = NOTES,
      .scope = PER_STRATEGY,
      .check = check_forward,
      .cause = "An ssh process encrypts on one processor, however many connections go into it, so that more "
               "connections than processes bring nothing. On the source itself each connection gets an ssh, "
               "up to 8; from another machine there is one.",
      .fix = "Run virt-ferry on the source, ask for fewer, or leave --connections out." },
};

const struct rule_set rules_connections = { "Several connections", rows, sizeof rows / sizeof rows[0] };
