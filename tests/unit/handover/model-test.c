/* SPDX-License-Identifier: Apache-2.0
 * The hand-over, exhaustively: breadth first over every state that libvirt's protocol, the gate, a recovery
 * with the real table, and a fault of any party at any point can reach. Ends with variants that must go
 * wrong, and do. */
#include "check-main.h"
#include "model-variants.h"

static void none_broken(const struct search *s, const char *name)
{
    if (getenv("MODEL_SIZES"))
        printf("%s: %zu states, %zu calm and not known\n", name, s->n, s->calm[DECIDE_NOT_KNOWN]);
    for (int rule = 0; rule < RULES; rule++)
        ck_assert_msg(s->broken[rule] == 0, "%s: %s: %s", name, rule_words[rule], way_to(s, s->first[rule]));
}

/* ---- the tests ---- */

START_TEST(no_fault_at_any_point_makes_two_runners_or_loses_one)
    {
        SEARCH s = search(safe[_i].v);

        ck_assert_uint_gt(s.n, 1000);
        none_broken(&s, safe[_i].name);
    }
END_TEST

/* What goes wrong without a piece of it: each rule of this test can fail. */
static const struct {
    const char *name;
    struct variant v;
    enum rule breaks;
} unsafe[] = {
    { "plain virsh", { .is_persistent = true }, TWO_RUN },
    { "plain virsh", { .is_persistent = true }, SOURCE_AFTER },
    { "plain virsh, transient", { .is_persistent = false }, SOURCE_AFTER },
    { "incoming job not seen", { .has_gate = true, .is_persistent = true, .job_unseen = true }, LAST_COPY },
    { "incoming job not seen",
      { .has_gate = true, .is_persistent = true, .job_unseen = true },
      SOURCE_AFTER },
    { "the gate asks for no reboot",
      { .has_gate = true, .reboots = true, .absence_is_trusted = true },
      SOURCE_AFTER },
    /* The limits that README.md names: */
    { "libvirtd dies while it clears up",
      { .has_gate = true, .is_persistent = true, .closing_crash = true },
      TWO_RUN },
    { "a transient guest ends by itself", { .has_gate = true, .guest_ends = true }, SOURCE_AFTER },
    { "a held transient guest ends by itself", { .is_held = true, .guest_ends = true }, DEST_AFTER },
    { "locked, guest ends", { .has_lock = true, .is_persistent = true, .guest_ends = true }, SOURCE_AFTER },
    { "locked, guest stops", { .has_lock = true, .is_persistent = true, .stops = true }, SOURCE_AFTER },
    { "locked, QEMU dies", { .has_lock = true, .is_persistent = true, .qemu_dies = true }, SOURCE_AFTER },
    { "locked, hosts die", { .has_lock = true, .is_persistent = true, .dies = true }, SOURCE_AFTER },
    { "locked, reboots", { .has_lock = true, .is_persistent = true, .reboots = true }, SOURCE_AFTER },
};

START_TEST(without_a_piece_of_it_the_rules_break)
    {
        SEARCH s = search(unsafe[_i].v);

        if (getenv("MODEL_SIZES"))
            printf("%s: %zu states; %s: %s\n", unsafe[_i].name, s.n, rule_words[unsafe[_i].breaks],
                   way_to(&s, s.first[unsafe[_i].breaks]));
        ck_assert_msg(s.broken[unsafe[_i].breaks] > 0, "%s: nothing broke '%s' in %zu states",
                      unsafe[_i].name, rule_words[unsafe[_i].breaks], s.n);
    }
END_TEST

/* What a lock does promise, whatever ends: limit 10 is about what the source knows, not about two that run.
 */
START_TEST(a_lock_lets_never_two_run)
    {
        for (unsigned faults = 0; faults < 32; faults++)
            for (unsigned is_persistent = 0; is_persistent < 2; is_persistent++) {
                SEARCH s = search((struct variant){ .has_lock = true,
                                                    .is_persistent = is_persistent,
                                                    .reboots = faults & 1u,
                                                    .guest_ends = faults & 2u,
                                                    .stops = faults & 4u,
                                                    .qemu_dies = faults & 8u,
                                                    .dies = faults & 16u });

                ck_assert_msg(s.broken[TWO_RUN] == 0, "%u: %s", faults, way_to(&s, s.first[TWO_RUN]));
                ck_assert_uint_eq(s.broken[LAST_COPY] + s.broken[NOT_OURS], 0);
            }
    }
END_TEST

static const struct {
    const char *name;
    struct variant v;
    enum decision decision;
} ends[] = {
    { "gated", { .has_gate = true, .is_persistent = true }, DECIDE_STAYED },
    { "gated", { .has_gate = true, .is_persistent = true }, DECIDE_RESUME_SOURCE },
    { "gated", { .has_gate = true, .is_persistent = true }, DECIDE_FINISH },
    { "gated", { .has_gate = true, .is_persistent = true }, DECIDE_NOT_KNOWN },
    { "gated, paused before",
      { .has_gate = true, .was_paused = true, .is_persistent = true },
      DECIDE_DROP_DEST },
    { "held", { .is_held = true, .is_persistent = true }, DECIDE_DROP_DEST },
    { "held", { .is_held = true, .is_persistent = true }, DECIDE_RESUME_DEST },
    { "held", { .is_held = true, .is_persistent = true }, DECIDE_RESUME_SOURCE },
    { "held, guest ends", { .is_held = true, .is_persistent = true, .guest_ends = true }, DECIDE_GONE },
};

/* A model in which little happens would find nothing. */
START_TEST(each_decision_is_the_last_word_somewhere)
    {
        SEARCH s = search(ends[_i].v);

        ck_assert_msg(s.calm[ends[_i].decision] > 0, "%s: never '%s'", ends[_i].name,
                      decision_word(ends[_i].decision));
    }
END_TEST

TEST_MAIN("handover/model", LOOP(no_fault_at_any_point_makes_two_runners_or_loses_one, TEST_ROWS(safe)),
          LOOP(without_a_piece_of_it_the_rules_break, TEST_ROWS(unsafe)), a_lock_lets_never_two_run,
          LOOP(each_decision_is_the_last_word_somewhere, TEST_ROWS(ends)))
