/* SPDX-License-Identifier: Apache-2.0
 * The table with one row changed, or left out: the model must break, or the reason why it may be so stands
 * here. So no row is there for nothing, and the model sees what each is for. */
#include "check-main.h"
#include "model-variants.h"

#include <string.h>

#define ROWS_MOST 64
#define DROPPED (DECIDE_NOT_KNOWN + 1)
#define VARIANTS (TEST_ROWS(safe) + 1)

/* The last is a world in which two do run: what is done about them is to be said and not touched. */
static struct variant variant_at(size_t i)
{
    return i < TEST_ROWS(safe) ? safe[i].v : (struct variant){ .is_persistent = true };
}

static struct {
    uint64_t used;   /* the rows that decided in it */
    unsigned broken; /* the rules that the real table breaks there: none but in the last */
} walked[VARIANTS];

static void walk_all(void)
{
    for (size_t i = 0; i < VARIANTS; i++) {
        SEARCH s = search(variant_at(i));

        walked[i].used = s.table.used;
        for (int rule = 0; rule < RULES; rule++)
            walked[i].broken |= s.broken[rule] ? 1u << rule : 0;
    }
}

static bool mutant_is_killed(size_t row, int decision)
{
    struct outcome_row rows[ROWS_MOST];
    size_t n, kept = 0;
    const struct outcome_row *table = outcome_rows(&n);

    for (size_t i = 0; i < n; i++) {
        if (i == row && decision == DROPPED)
            continue;
        rows[kept] = table[i];
        if (i == row)
            rows[kept].decision = (enum decision)decision;
        kept++;
    }
    for (size_t i = 0; i < VARIANTS; i++)
        if (walked[i].used >> row & 1u) {
            SEARCH s = search_by(variant_at(i), rows, kept, &walked[i].broken);

            if (is_broken(&s))
                return true;
        }
    return false;
}

/* What may be decided otherwise, or left out, and breaks no rule: and why it is as it is. */
static const struct {
    const char *row, *decisions, *because;
} survivors[] = {
    { "source-silent", "wait dropped",
      "to wait is what not knowing begins with; and no other row has a silent source: where none fits "
      "nothing is known" },
    { "dest-silent", "wait dropped", "the same of the destination" },
    { "job", "not-known", "to look again is what both do until the patience ends; the words differ" },
    { "off-there", "stayed drop-dest",
      "in the model nobody starts a guest behind libvirt's back, so that what is off there never ran while "
      "the "
      "source runs; on a host an operator may have" },
    { "off-there", "dropped", "no other row has it: where none fits nothing is known" },
    { "as-before", "dropped",
      "a guest that the user paused is stopped-here's case as well: the row says why" },
};

static const char *word_of(int decision)
{
    return decision == DROPPED ? "dropped" : decision_word((enum decision)decision);
}

static bool is_explained(const char *row, const char *word)
{
    const size_t n = strlen(word);

    for (size_t i = 0; i < TEST_ROWS(survivors); i++) {
        if (strcmp(survivors[i].row, row) != 0)
            continue;
        for (const char *at = survivors[i].decisions; (at = strstr(at, word)); at += n)
            if ((at == survivors[i].decisions || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
                return true;
    }
    return false;
}

START_TEST(a_table_with_one_row_changed_breaks_a_rule_or_is_explained)
    {
        size_t n, killed = 0;
        const struct outcome_row *table = outcome_rows(&n);

        ck_assert_uint_le(n, ROWS_MOST);
        walk_all();
        for (size_t row = 0; row < n; row++)
            for (int decision = DECIDE_STAYED; decision <= DROPPED; decision++) {
                bool is_killed;

                if (decision == (int)table[row].decision)
                    continue;
                is_killed = mutant_is_killed(row, decision);
                if (getenv("MODEL_SIZES") && !is_killed)
                    printf("survives: %s as %s\n", table[row].name, word_of(decision));
                ck_assert_msg(is_killed != is_explained(table[row].name, word_of(decision)),
                              is_killed ? "row '%s' as '%s' breaks a rule, and is listed as if it did not"
                                        : "row '%s' as '%s' breaks no rule",
                              table[row].name, word_of(decision));
                killed += is_killed;
            }
        if (getenv("MODEL_SIZES"))
            printf("%zu tables with one change break the model\n", killed);
        ck_assert_uint_gt(killed, 6 * n);
    }
END_TEST

TEST_MAIN("handover/mutant", a_table_with_one_row_changed_breaks_a_rule_or_is_explained)
