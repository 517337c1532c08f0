/* SPDX-License-Identifier: Apache-2.0
 * When a guest that stands still has done so for too long. */
#include "check-main.h"
#include "migration/stall.h"

static const struct {
    uint64_t at_ms;
    bool is_suspended;
    uint64_t moved;
    bool is_over;
} looks[][6] = {
    { { 0, true, 5, false },
      { STALL_MS - 1, true, 5, false },
      { STALL_MS, true, 5, true },
      { STALL_MS + 1, true, 5, false },
      { 2 * STALL_MS - 1, true, 5, false },
      { 2 * STALL_MS, true, 5, true } },
    { { 0, true, 5, false },
      { STALL_MS - 1, true, 6, false },
      { STALL_MS, true, 6, false },
      { 2 * STALL_MS - 2, true, 6, false },
      { 2 * STALL_MS - 1, true, 6, true },
      { 2 * STALL_MS, true, 7, false } },
    { { 0, false, 5, false },
      { STALL_MS, false, 5, false },
      { 9 * STALL_MS, false, 5, false },
      { 9 * STALL_MS + 1, true, 5, false },
      { 10 * STALL_MS, true, 5, false },
      { 10 * STALL_MS + 1, true, 5, true } },
    { { 0, true, 5, false },
      { STALL_MS - 1, false, 5, false },
      { STALL_MS, true, 5, false },
      { 2 * STALL_MS - 1, true, 5, false },
      { 2 * STALL_MS, true, 5, true },
      { 9 * STALL_MS, false, 5, false } },
};

START_TEST(nothing_that_moves_while_the_guest_stands_still_is_borne_for_so_long)
    {
        struct stall s = { .is_watched = false };

        for (size_t i = 0; i < TEST_ROWS(looks[_i]); i++)
            ck_assert_msg(stall_see(&s, looks[_i][i].at_ms, looks[_i][i].is_suspended, looks[_i][i].moved) ==
                              looks[_i][i].is_over,
                          "look %zu", i);
    }
END_TEST

TEST_MAIN("migration/stall",
          LOOP(nothing_that_moves_while_the_guest_stands_still_is_borne_for_so_long, TEST_ROWS(looks)))
