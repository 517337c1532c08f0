/* SPDX-License-Identifier: Apache-2.0
 * What people and programs read of a plan: width, escaping, the sentence, the members of the JSON. */
#include "plan/explain.h"
#include "plan/sample.h"

/* No line is wider than 80 characters, and nothing but text is in it. */
static void ck_page(const char *s)
{
    while (*s) {
        const size_t n = strcspn(s, "\n");
        size_t width = 0;

        for (size_t i = 0; i < n; i++) {
            ck_assert_msg((unsigned char)s[i] >= 0x20 && s[i] != 0x7f, "control byte %d", s[i]);
            width += ((unsigned char)s[i] & 0xC0) != 0x80;
        }
        ck_assert_msg(width <= EXPLAIN_COLUMNS, "%zu columns: %.*s", width, (int)n, s);
        s += n + (s[n] == '\n');
    }
}

START_TEST(the_first_sentence_says_what_will_be_done_and_what_it_costs)
    {
        OWNED(facts) f = sample();
        OWNED(plan) p = plan_of(f);
        OWNED_TEXT t = { 0 };

        plan_explain(p, false, &t);
        ck_assert(text_starts(
            text_of(&t), "Move 'web' from hostA to hostB: pre-copy over tcp (in the clear), gated; disk\n"
                         "  vda shared; about 1.5 s, downtime 0.1 s, "));
        ck_assert_ptr_nonnull(strstr(text_of(&t), "precopy-tcp-gated "));
        ck_assert_ptr_nonnull(strstr(text_of(&t), "chosen"));
        ck_assert_ptr_nonnull(strstr(text_of(&t), "already-shared (vda): "));
        ck_page(text_of(&t));
    }
END_TEST

START_TEST(shared_and_copied_disks_are_named_and_many_are_counted)
    {
        OWNED(facts) f = sample();

        for (size_t i = 1; i <= 6; i++)
            (void)sample_local(sample_disk(f, arena_format(f->arena, "vd%zu", i)));
        OWNED(plan) p = plan_of(f);
        OWNED_TEXT t = { 0 };

        plan_explain(p, false, &t);
        ck_assert_ptr_nonnull(
            strstr(text_of(&t), "; disk\n  vda shared; disks vd1, vd2, vd3, vd4 and 2 more copied"));
        ck_page(text_of(&t));
    }
END_TEST

START_TEST(a_refused_plan_says_so_first_and_still_shows_the_table)
    {
        OWNED(facts) f = sample();

        f->channels[0].is_trusted = false;
        OWNED(plan) p = plan_of(f);
        OWNED_TEXT t = { 0 };

        plan_explain(p, false, &t);
        ck_assert(
            text_starts(text_of(&t), "Refused: the guest's memory would cross the network in the clear"));
        ck_assert_ptr_nonnull(strstr(text_of(&t), "iB cleartext\n"));
        ck_assert_ptr_nonnull(strstr(text_of(&t), "--allow-cleartext"));
        ck_page(text_of(&t));
    }
END_TEST

static const struct {
    uint8_t control, data;
    const char *says;
} protections[] = {
    { 0, 0, "in the clear" },
    { 1, 1, "signed" },
    { 2, 2, "encrypted" },
    { 2, 0, "control encrypted, data in the clear" },
    { 2, 1, "control encrypted, data signed" },
    { 0, 2, "control in the clear, data encrypted" },
};

START_TEST(what_a_channel_protects_stands_in_the_sentence_and_below_the_table)
    {
        OWNED(facts) f = sample();
        char in_sentence[100], in_table[100];

        f->channels[0].driver = "ssh";
        f->channels[0].protects_control = protections[_i].control;
        f->channels[0].protects_data = protections[_i].data;
        (void)sample_channel(f, "ssh", 2);
        OWNED(plan) p = plan_of(f);
        OWNED_TEXT t = { 0 };

        (void)snprintf(in_table, sizeof in_table, "\nChannel ssh: %s\nChannel ssh2: encrypted\n",
                       protections[_i].says);
        plan_explain(p, false, &t);
        ck_assert_msg(strstr(text_of(&t), in_table) != NULL, "%s", text_of(&t));
        f->n_channels = 1;
        OWNED(plan) alone = plan_of(f);
        OWNED_TEXT one = { 0 };

        plan_explain(alone, false, &one);
        for (char *c = one.s; *c; c++) /* where the line is broken does not matter */
            if (c[0] == '\n' && c[1] == ' ')
                memmove(c, c + 2, strlen(c + 1));
        (void)snprintf(in_sentence, sizeof in_sentence, " over ssh (%s), gated", protections[_i].says);
        ck_assert_msg(strstr(text_of(&one), in_sentence) != NULL, "%s", text_of(&one));
    }
END_TEST

static const struct {
    const char *data_uri;
    uint64_t forwards;
    const char *says;
} carried_by[] = {
    { "tcp://10.0.0.2", NOT_KNOWN, " by 3 connections, gated" },
    { "unix:///run/ram", NOT_KNOWN, " by 3 connections through one process of ssh, gated" },
    { "unix:///run/ram", 1, " by 3 connections through one process of ssh, gated" },
    { "unix:///run/ram", 2, " by 3 connections through 2 processes of ssh, gated" },
    { "unix:///run/ram", 8, " by 3 connections through 3 processes of ssh, gated" },
};

START_TEST(the_sentence_says_how_many_processes_carry_several_connections)
    {
        struct plan_limits limits = sample_limits();
        OWNED(facts) f = sample();
        OWNED_TEXT t = { 0 };

        limits.connections = 3;
        f->channels[0].driver = "ssh";
        f->channels[0].protects_control = f->channels[0].protects_data = 2;
        f->channels[0].can_multifd = true;
        f->channels[0].data_uri = carried_by[_i].data_uri;
        f->channels[0].forwards = carried_by[_i].forwards;
        OWNED(plan) p = plan_with(f, limits);
        plan_explain(p, false, &t);
        for (char *c = t.s; *c; c++) /* where the line is broken does not matter */
            if (c[0] == '\n' && c[1] == ' ')
                memmove(c, c + 2, strlen(c + 1));
        ck_assert_msg(strstr(text_of(&t), carried_by[_i].says) != NULL, "%s", text_of(&t));
    }
END_TEST

START_TEST(an_identifier_is_in_one_piece_and_its_line_within_the_page)
    {
        static const char *const drivers[] = { "tcp", "seventeen-letters",
                                               "one-that-leaves-no-room-for-figures",
                                               "one-that-is-as-wide-as-a-page-with-all-of-its-name-a" };
        OWNED(facts) f = sample();

        f->channels[0].driver = drivers[_i];
        f->dest.memory_free_bytes = NOT_KNOWN; /* destination-memory-not-known */
        facts_disk(f, "vda")->sharing = SHARING_NOT_PROVED;
        (void)sample_local(sample_disk(f, "vdb"));
        OWNED(plan) p = plan_of(f);
        OWNED_TEXT t = { 0 };

        plan_explain(p, false, &t);
        ck_page(text_of(&t));
        for (size_t i = 0; i < p->n; i++) {
            const char *at = strstr(text_of(&t), p->list[i].id);
            const struct finding *refuses = plan_refuses(p, &p->list[i]);

            ck_assert_msg(at != NULL && (at == text_of(&t) || at[-1] == '\n'), "%s", p->list[i].id);
            ck_assert_msg(!refuses || strstr(at, refuses->id) != NULL, "%s", p->list[i].id);
        }
    }
END_TEST

START_TEST(a_verdict_that_is_too_wide_has_a_line_of_its_own_that_ends_with_the_page)
    {
        OWNED(facts) f = sample();
        OWNED_TEXT wide = { 0 };

        facts_add_finding(f, REFUSES, "a-finding-of-a-plugin-with-a-name-that-is-long", "hostB")->what = "no";
        OWNED(plan) p = plan_of(f);
        OWNED_TEXT t = { 0 };

        text_add(&wide, "iB\n%80s\n", "a-finding-of-a-plugin-with-a-name-that-is-long");
        plan_explain(p, false, &t);
        ck_assert_msg(strstr(text_of(&t), text_of(&wide)) != NULL, "%s", text_of(&t));
        ck_page(text_of(&t));
    }
END_TEST

START_TEST(without_any_channel_there_is_a_sentence_and_no_table)
    {
        OWNED(facts) f = sample();

        f->n_channels = 0;
        OWNED(plan) p = plan_of(f);
        OWNED_TEXT t = { 0 };

        plan_explain(p, false, &t);
        ck_assert(text_starts(text_of(&t), "Refused: no channel leads from 'hostA' to 'hostB'."));
        ck_assert_ptr_null(strstr(text_of(&t), "VERDICT"));
    }
END_TEST

START_TEST(names_from_outside_cannot_steer_a_terminal_nor_widen_the_page)
    {
        static char wide[2000];
        OWNED(facts) f = sample();

        memset(wide, 'x', sizeof wide - 1);
        f->domain.name = "web\033[2J\nroot \xff \xe2\x80\xae";
        f->source.name = wide;
        f->channels[0].driver = "t\033\xe2\x80\xae"
                                "cp-with-a-name-that-is-longer-than-any-column";
        facts_disk(f, "vda")->sharing = SHARING_NOT_PROVED;
        facts_disk(f, "vda")->sharing_evidence = "a\033]0;title\007 \xc3\xa4\xc3\xa4\xc3\xa4";
        f->domain.manager = "\033[31mred";
        facts_add_finding(f, WARNS, "odd\033", "ho\nst")->what = "wh\rat";
        OWNED(plan) p = plan_of(f);
        OWNED_TEXT t = { 0 };

        plan_explain(p, false, &t);
        ck_assert(!t.failed);
        ck_page(text_of(&t));
        ck_assert_ptr_nonnull(strstr(text_of(&t), "\\x1b"));
        ck_assert_ptr_null(strstr(text_of(&t), "\\x5c")); /* not escaped twice */
        ck_assert_ptr_null(
            strstr(text_of(&t), "\xe2\x80\xae")); /* a mark that turns the direction of writing */
    }
END_TEST

START_TEST(a_line_is_filled_to_its_last_column_and_a_word_is_moved_rather_than_broken)
    {
        OWNED_TEXT fits = { 0 };
        OWNED_TEXT moved = { 0 };
        OWNED_TEXT broken = { 0 };
        char word[90];

        memset(word, 'x', sizeof word);
        word[sizeof word - 1] = '\0';
        explain_wrapped(&fits, "ab cd", 75, 3); /* up to column 80 */
        ck_assert_str_eq(text_of(&fits), "ab cd");
        explain_wrapped(&moved, "ab cd", 76, 3);
        ck_assert_str_eq(text_of(&moved), "ab\n   cd");
        explain_wrapped(&broken, word, 0, 3);
        ck_assert_uint_eq(strcspn(text_of(&broken), "\n"), 80);
        ck_assert_uint_eq(strlen(text_of(&broken)), 89 + 4);
    }
END_TEST

START_TEST(colour_is_there_only_when_it_was_asked_for)
    {
        OWNED(facts) f = sample();
        OWNED(plan) p = plan_of(f);
        OWNED_TEXT plain = { 0 };
        OWNED_TEXT coloured = { 0 };

        plan_explain(p, false, &plain);
        plan_explain(p, true, &coloured);
        ck_assert_ptr_null(strchr(text_of(&plain), '\033'));
        ck_assert_ptr_nonnull(strchr(text_of(&coloured), '\033'));
    }
END_TEST

static const struct {
    struct estimate ms;
    const char *span, *likely;
} spans[] = {
    { { 30, 120, 400 }, "30-400 ms", "0.1 s" },
    { { 0, 0, 0 }, "0 ms", "0 ms" },
    { { 30, 49, 999 }, "30-999 ms", "49 ms" },
    { { 450, 1450, 4300 }, "0.5-4.3 s", "1.4 s" },
    { { 1000, 1000, 1000 }, "1.0 s", "1.0 s" },
    { { 9940, 9960, 99999 }, "9.9-100 s", "10 s" },
    { { 60000, 120000, 5999999 }, "1.0-100 min", "2.0 min" },
    { { 3600000, 7200000, 36000000 }, "1.0-10 h", "2.0 h" },
    { { 86400000, 172800000, 864000000 }, "1.0-10 days", "48 h" },
    { { 1000, 2000, 315360000000u }, "1.0 s-?", "2.0 s" },
    { { 1000, 315360000000u, 315360000000u }, "1.0 s-?", "?" },
};

START_TEST(a_span_has_one_unit_and_no_false_precision)
    {
        char buf[64];

        ck_assert_str_eq(explain_span(buf, sizeof buf, &spans[_i].ms), spans[_i].span);
        ck_assert_str_eq(explain_likely(buf, sizeof buf, &spans[_i].ms), spans[_i].likely);
    }
END_TEST

START_TEST(the_json_of_a_plan_has_every_strategy_with_its_price_and_verdict)
    {
        OWNED(facts) f = sample();
        OWNED(plan) p = plan_of(f);
        OWNED_JSON j = plan_to_json(p);
        const json_t *list = json_child(j, "strategies"), *first = json_array_get(list, 0);

        ck_assert_str_eq(json_text(j, "chosen", ""), "precopy-tcp-gated");
        ck_assert_uint_eq(json_u64(j, "max_downtime_ms", 0), 300);
        ck_assert_uint_eq(json_array_size(list), p->n);
        ck_assert_str_eq(json_text(first, "id", ""), "precopy-tcp-gated");
        ck_assert(json_flag(first, "valid", false));
        ck_assert_uint_eq(json_u64(json_child(first, "time_ms"), "likely", 0), p->list[0].time_ms.likely);
        ck_assert_str_eq(json_text(json_array_get(json_child(first, "disks"), 0), "target", ""), "vda");
        ck_assert_str_eq(json_text(json_array_get(json_child(first, "disks"), 0), "treatment", ""), "shared");
        ck_assert_str_eq(json_text(json_array_get(list, p->n - 1), "refused_by", ""), "already-shared");
        ck_assert(!json_flag(json_array_get(list, p->n - 1), "valid", true));
        ck_assert_ptr_null(json_child(j, "refusal"));
    }
END_TEST

START_TEST(the_json_of_a_refused_plan_has_the_refusal)
    {
        OWNED(facts) f = sample();

        f->domain.run = RUN_NOT_KNOWN;
        OWNED(plan) p = plan_of(f);
        OWNED_JSON j = plan_to_json(p);

        ck_assert_ptr_null(json_child(j, "chosen"));
        ck_assert_str_eq(json_text(json_child(j, "refusal"), "what", ""),
                         "the state of domain 'web' is not known");
        ck_assert_str_eq(json_text(json_array_get(json_child(j, "findings"), 0), "id", ""),
                         "domain-not-running");
    }
END_TEST

TEST_MAIN("plan/explain", the_first_sentence_says_what_will_be_done_and_what_it_costs,
          shared_and_copied_disks_are_named_and_many_are_counted,
          a_refused_plan_says_so_first_and_still_shows_the_table,
          LOOP(the_sentence_says_how_many_processes_carry_several_connections, TEST_ROWS(carried_by)),
          LOOP(what_a_channel_protects_stands_in_the_sentence_and_below_the_table, TEST_ROWS(protections)),
          LOOP(an_identifier_is_in_one_piece_and_its_line_within_the_page, 4),
          a_verdict_that_is_too_wide_has_a_line_of_its_own_that_ends_with_the_page,
          without_any_channel_there_is_a_sentence_and_no_table,
          names_from_outside_cannot_steer_a_terminal_nor_widen_the_page,
          a_line_is_filled_to_its_last_column_and_a_word_is_moved_rather_than_broken,
          colour_is_there_only_when_it_was_asked_for,
          LOOP(a_span_has_one_unit_and_no_false_precision, TEST_ROWS(spans)),
          the_json_of_a_plan_has_every_strategy_with_its_price_and_verdict,
          the_json_of_a_refused_plan_has_the_refusal)
