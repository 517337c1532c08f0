/* SPDX-License-Identifier: Apache-2.0
 * A run whose workers' records are not written ends with the survey, by that reason. */
#include "check-main.h"
#include "run/move.h"
#include "state/journal-world.h"
#include <string.h>

static int record(struct move *m, json_t *fields, struct error *err)
{
    OWNED_JSON owned = fields;

    *err = (struct error){ 0 };
    return move_record_for_worker(m, owned, err);
}

START_TEST(a_survey_whose_proofs_could_not_be_journalled_has_not_ended_well)
    {
        struct move m = { .is_timed_out = false };
        struct error err = { 0 };

        world();
        m.journal = journal_create(dir, RUN, &err);
        ck_assert_msg(m.journal != NULL, "%s", err.what);
        ck_assert_int_eq(record(&m, json_pack("{ss}", "step", "nonce"), &err), 0);
        ck_assert_int_eq(move_surveyed(&m, &err), 0);
        ck_assert_ptr_nonnull(journal_last(m.journal, "surveyed"));

        /* The second of two, and then one that is written again. */
        ck_assert_int_lt(record(&m, json_pack("[{ss}, {ss}]", "step", "create", "not-a-step", ""), &err), 0);
        ck_assert_int_eq(record(&m, json_pack("{ss}", "step", "nonce"), &err), 0);
        ck_assert_int_lt(move_surveyed(&m, &err), 0);
        ck_assert_msg(strstr(err.what, "has no step") != NULL, "%s", err.what);
        ck_assert_str_eq(json_text(json_array_get(journal_records(m.journal),
                                                  json_array_size(journal_records(m.journal)) - 1),
                                   "step", ""),
                         "nonce");
        journal_free(m.journal);
        world_ends();
    }
END_TEST

TEST_MAIN("run/move", a_survey_whose_proofs_could_not_be_journalled_has_not_ended_well)
