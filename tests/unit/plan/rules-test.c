/* SPDX-License-Identifier: Apache-2.0
 * Every rule on both sides of its border, and docs/findings.md against the rows (REGEN=1 rewrites it). */
#include "plan/rule-cases.h"
#include "plan/rules.h"
#include "plan/same.h"

START_TEST(each_rule_speaks_on_one_side_of_its_border_only)
    {
        for (size_t i = 0; i < TEST_ROWS(cases); i++) {
            OWNED(facts) f = sample();
            struct plan_limits limits = sample_limits();

            cases[i].facts(f, &limits);
            OWNED(plan) p = plan_with(f, limits);
            ck_assert_msg(!!plan_finds(p, cases[i].id, NULL) == cases[i].found, "case %zu: '%s' %s", i,
                          cases[i].id, cases[i].found ? "is missing" : "stands there");
            ck_assert_msg(!!plan_chosen(p) == cases[i].valid, "case %zu, '%s': %zu of %zu are valid", i,
                          cases[i].id, p->n_valid, p->n);
            OWNED(briefing) b = briefing_new(&limits);
            ck_assert_msg(brief_is_same(b, f, &limits) == cases[i].valid, "case %zu: the brief differs", i);
        }
    }
END_TEST

/* Of all rows that there are, so that a new table of rules cannot be forgotten. */
START_TEST(every_rule_has_cases_on_both_sides_and_says_its_cause)
    {
        const struct rule *rule;
        size_t n_rules = 0;

        for (; (rule = rules_at(n_rules)); n_rules++) {
            int n[2] = { 0, 0 };

            for (size_t i = 0; i < TEST_ROWS(cases); i++)
                if (text_equal(cases[i].id, rule->id))
                    n[cases[i].found]++;
            /* pair-test.c has those of two hosts, relocate-test.c that of a relocation by itself. */
            ck_assert_msg(rule->scope >= PER_PAIR || (n[0] && n[1]), "'%s' has %d and %d cases", rule->id,
                          n[0], n[1]);
            ck_assert_msg(rule->cause && (rule->fix || rule->severity == NOTES), "'%s'", rule->id);
        }
        ck_assert_uint_gt(n_rules, 70);
        for (size_t i = 0; i < TEST_ROWS(cases); i++)
            ck_assert_msg(rules_find(cases[i].id) != NULL, "case %zu: no rule '%s'", i, cases[i].id);
    }
END_TEST

START_TEST(no_driver_begins_with_the_words_that_operators_search_for)
    {
        OWNED(facts) f = sample();
        struct plan_limits limits = sample_limits();
        struct error err = { 0 };

        no_driver(f, &limits);
        OWNED(plan) p = plan_of(f);
        ck_assert_int_eq(plan_refusal(p, &err), -ERROR_REFUSED);
        ck_assert(text_starts(err.what, "no storage driver claims disk 'vda'"));
        ck_assert_ptr_nonnull(strstr(err.fix, "plugin list"));
    }
END_TEST

START_TEST(cleartext_is_priced_and_its_fix_names_both_ways_out)
    {
        OWNED(facts) f = sample();

        f->channels[0].is_trusted = false;
        OWNED(plan) p = plan_of(f);
        const struct finding *found = plan_finds(p, "cleartext", "tcp");

        ck_assert_ptr_nonnull(found);
        ck_assert_ptr_nonnull(strstr(found->fix, "--allow-cleartext"));
        ck_assert_ptr_nonnull(strstr(found->fix, "trusted_networks"));
        ck_assert_uint_gt(p->list[0].time_ms.likely, 0);
    }
END_TEST

START_TEST(cleartext_says_what_crosses_and_what_does_not)
    {
        OWNED(facts) f = sample();

        f->channels[0].is_trusted = false;
        (void)sample_local(sample_disk(f, "vdb"));
        OWNED(plan) both = plan_of(f);

        ck_assert_str_eq(plan_finds(both, "cleartext", "tcp")->what,
                         "the guest's memory and the copied disk 'vdb' would cross the network in the clear "
                         "to 10.0.0.2 over tcp; so does control, with the domain's definition and its "
                         "passwords");
        ck_assert_ptr_nonnull(
            strstr(plan_finds(both, "cleartext", "tcp")->fix, "add 10.0.0.2 or its network"));
        ck_assert_ptr_nonnull(strstr(plan_finds(both, "cleartext", "tcp")->fix, "[security]"));
        f->channels[0].protects_control = 2;
        f->domain.n_disks = 1;
        OWNED(plan) data = plan_of(f);

        ck_assert_str_eq(plan_finds(data, "cleartext", "tcp")->what,
                         "the guest's memory would cross the network in the clear to 10.0.0.2 over tcp; "
                         "control, with the domain's definition, is encrypted");
        f->domain.run = RUN_SHUTOFF;
        OWNED(plan) off = plan_of(f);

        ck_assert_ptr_null(plan_finds(off, "cleartext", NULL));
        f->channels[0].protects_control = 0;
        OWNED(plan) definition = plan_of(f);

        ck_assert(text_starts(plan_finds(definition, "cleartext", "tcp")->what,
                              "the domain's definition, with its passwords, would cross"));
    }
END_TEST

START_TEST(the_fix_of_a_device_names_the_very_option_and_the_reason_its_evidence)
    {
        OWNED(facts) f = sample();
        struct error err = { 0 };

        (void)device_of(f, facts_disk(f, "vda"));
        (void)device_of(f, sample_disk(f, "vdb"));
        OWNED(plan) p = plan_of(f);
        const struct finding *found = plan_finds(p, "device-would-be-overwritten", "vdb");

        ck_assert_ptr_nonnull(found);
        ck_assert_ptr_nonnull(strstr(found->fix, "--overwrite vda,vdb."));
        ck_assert_ptr_nonnull(strstr(found->what, "device 'dm-3' has no WWN"));
        ck_assert_ptr_null(plan_finds(p, "device-would-be-overwritten", "vda"));
        ck_assert_int_eq(plan_refusal(p, &err), -ERROR_REFUSED);
        ck_assert_ptr_nonnull(strstr(err.fix, "--overwrite vda,vdb"));
    }
END_TEST

START_TEST(the_reason_of_a_refusal_is_the_evidence_that_was_looked_for)
    {
        OWNED(facts) f = sample();
        struct error err = { 0 };

        facts_disk(f, "vda")->sharing = SHARING_NOT_PROVED;
        facts_disk(f, "vda")->sharing_evidence = "root squash forbids the nonce";
        OWNED(plan) p = plan_of(f);
        ck_assert_int_eq(plan_refusal(p, &err), -ERROR_REFUSED);
        ck_assert_ptr_nonnull(strstr(err.what, "root squash forbids the nonce"));
    }
END_TEST

START_TEST(unsafe_needs_proof_and_cache_none_for_every_disk_not_only_the_unusual_one)
    {
        OWNED(facts) f = sample();

        facts_disk(f, "vda")->file_system = "fuse.moosefs";
        sample_disk(f, "vdb")->cache = "writeback"; /* on nfs, where libvirt would have allowed it */
        OWNED(plan) p = plan_of(f);
        ck_assert_ptr_nonnull(plan_finds(p, "cache-mode", "vdb"));
        ck_assert_ptr_null(plan_chosen(p));
    }
END_TEST

START_TEST(a_finding_of_the_survey_refuses_and_one_about_a_channel_refuses_that_channel_alone)
    {
        OWNED(facts) f = sample();

        (void)sample_channel(f, "tls", 2);
        facts_add_finding(f, REFUSES, "certificate", "tls")->what = "the certificate is out of date";
        OWNED(plan) p = plan_of(f);
        ck_assert_str_eq(plan_chosen(p)->channel->driver, "tcp");
        ck_assert_ptr_nonnull(
            find_in(&plan_strategy(p, "precopy-tls-gated")->findings, "certificate", "tls"));
        ck_assert_ptr_null(find_in(&p->findings, "certificate", NULL));

        facts_add_finding(f, REFUSES, "broken-image", "vda")->what = "the image is broken";
        OWNED(plan) q = plan_of(f);
        ck_assert_ptr_null(plan_chosen(q));
        ck_assert_str_eq(plan_refuses(q, &q->list[0])->id, "broken-image");
    }
END_TEST

START_TEST(a_name_that_a_shell_would_take_apart_stands_in_no_command)
    {
        ck_assert_str_eq(rules_command_word("web; reboot", "X"), "X");
        ck_assert_str_eq(rules_command_word("-web", "X"), "X");
        ck_assert_str_eq(rules_command_word("we-b.1", "X"), "we-b.1");
        ck_assert_str_eq(rules_command_word("", "X"), "X");
        ck_assert_str_eq(rules_command_word(NULL, "X"), "X");
    }
END_TEST

/* Program and file are found from the top of the tree, where tests are run. */
START_TEST(the_document_of_findings_is_what_the_rows_say)
    {
        static const char path[] = "docs/findings.md";
        OWNED_TEXT expected = { 0 }, found = { 0 };
        FILE *file;

        rules_document(&expected);
        ck_assert(!expected.failed);
        if (getenv("REGEN")) {
            file = fopen(path, "w");
            ck_assert_ptr_nonnull(file);
            ck_assert_int_ge(fputs(text_of(&expected), file), 0);
            ck_assert_int_eq(fclose(file), 0);
        }
        file = fopen(path, "r");
        ck_assert_msg(file != NULL, "run it from the top of the tree: %s cannot be opened", path);
        for (char line[4096]; fgets(line, sizeof line, file);)
            text_add(&found, "%s", line);
        (void)fclose(file);
        ck_assert_msg(strcmp(text_of(&expected), text_of(&found)) == 0,
                      "%s differs from the rules; REGEN=1 rewrites it", path);
    }
END_TEST

TEST_MAIN("plan/rules", each_rule_speaks_on_one_side_of_its_border_only,
          every_rule_has_cases_on_both_sides_and_says_its_cause,
          no_driver_begins_with_the_words_that_operators_search_for,
          cleartext_is_priced_and_its_fix_names_both_ways_out, cleartext_says_what_crosses_and_what_does_not,
          the_fix_of_a_device_names_the_very_option_and_the_reason_its_evidence,
          the_reason_of_a_refusal_is_the_evidence_that_was_looked_for,
          unsafe_needs_proof_and_cache_none_for_every_disk_not_only_the_unusual_one,
          a_finding_of_the_survey_refuses_and_one_about_a_channel_refuses_that_channel_alone,
          a_name_that_a_shell_would_take_apart_stands_in_no_command,
          the_document_of_findings_is_what_the_rows_say)
