/* SPDX-License-Identifier: Apache-2.0
 * A domain that is shut off: its definition alone moves, over the control connection. What is wrong with the
 * way of RAM and disks is then in nobody's way; what is wrong with control is. Beside it two rules about what
 * is named in a move that no channel or no state of a TPM comes with. */
#include "plan/rules.h"
#include "plan/sample.h"

static bool is_found(const struct findings *in, const char *id)
{
    for (size_t i = 0; i < in->n; i++)
        if (text_equal(in->list[i].id, id))
            return true;
    return false;
}

static const struct finding *finding_of(const struct plan *p, const char *id)
{
    for (size_t i = 0; i < p->findings.n; i++)
        if (text_equal(p->findings.list[i].id, id))
            return &p->findings.list[i];
    return NULL;
}

static const struct way_case {
    enum domain_run run;
    uint8_t control, data;
    bool is_refused;
} way_cases[] = {
    { RUN_RUNNING, 2, 0, true },
    { RUN_RUNNING, 0, 2, false },
    { RUN_SHUTOFF, 2, 0, false },
    { RUN_SHUTOFF, 0, 2, true },
};

START_TEST(what_must_be_protected_is_what_crosses)
    {
        const struct way_case *w = &way_cases[_i];
        OWNED(facts) f = sample();

        f->domain.run = w->run;
        f->channels[0].is_trusted = false;
        f->channels[0].protects_control = w->control;
        f->channels[0].protects_data = w->data;
        OWNED(plan) p = plan_of(f);
        ck_assert_uint_gt(p->n, 0);
        for (size_t i = 0; i < p->n; i++)
            ck_assert_int_eq(is_found(&p->list[i].findings, "cleartext"), w->is_refused);
    }
END_TEST

START_TEST(the_way_of_memory_is_no_matter_to_a_domain_without_any)
    {
        static const char *const ids[] = { "address-not-checked", "channel-no-address",
                                           "migration-port-filtered" };
        const bool is_off = _i;
        OWNED(facts) f = sample();

        f->domain.run = is_off ? RUN_SHUTOFF : RUN_RUNNING;
        f->channels[0].was_probed = false;
        f->channels[0].data_uri = NULL;
        f->channels[0].data_port = 49215;
        f->channels[0].data_port_open = TRI_NO;
        OWNED(plan) p = plan_of(f);
        ck_assert_uint_gt(p->n, 0);
        for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
            ck_assert_msg(is_found(&p->list[0].findings, ids[i]) == !is_off, "%s", ids[i]);
        f->channels[0].data_port_open = TRI_NOT_KNOWN;
        OWNED(plan) q = plan_of(f);
        ck_assert_int_eq(is_found(&q->list[0].findings, "migration-port-not-checked"), !is_off);
    }
END_TEST

START_TEST(a_tpm_has_a_state_that_moves_unless_it_is_passed_through)
    {
        struct device devices[] = { { .kind = "tpm", .detail = "tpm-tis emulator" } };
        OWNED(facts) f = sample();

        f->domain.has_tpm = true;
        f->domain.devices = devices;
        f->domain.n_devices = 1;
        OWNED(plan) p = plan_of(f);
        ck_assert_ptr_nonnull(finding_of(p, "tpm-state"));
        ck_assert_ptr_null(finding_of(p, "device-tied"));
        devices[0].detail = "tpm-tis passthrough";
        OWNED(plan) q = plan_of(f);
        ck_assert_ptr_null(finding_of(q, "tpm-state"));
        ck_assert_ptr_nonnull(finding_of(q, "device-tied"));
    }
END_TEST

START_TEST(without_a_channel_a_destination_without_a_name_is_told_to_have_one)
    {
        OWNED(facts) f = sample();

        f->n_channels = 0;
        OWNED(plan) p = plan_of(f);
        ck_assert_ptr_nonnull(strstr(finding_of(p, "no-channel")->fix, "plugin list"));
        f->dest.name = "localhost";
        OWNED(plan) q = plan_of(f);
        ck_assert_ptr_nonnull(strstr(finding_of(q, "no-channel")->fix, "Name the destination"));
    }
END_TEST

TEST_MAIN("plan/rules-offline", LOOP(what_must_be_protected_is_what_crosses, TEST_ROWS(way_cases)),
          LOOP(the_way_of_memory_is_no_matter_to_a_domain_without_any, 2),
          a_tpm_has_a_state_that_moves_unless_it_is_passed_through,
          without_a_channel_a_destination_without_a_name_is_told_to_have_one)
