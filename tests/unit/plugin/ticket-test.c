/* SPDX-License-Identifier: Apache-2.0
 * What GSSAPI's answers mean for a ticket, and that asking without a cache ends with "none", not with a
 * crash. */
#include "../../../plugins/transport-tls/ticket.c" /* NOLINT(bugprone-suspicious-include) */

#include "check-main.h"

#define NO_CRED (7u << 16)
#define FAILURE (13u << 16)
#define SUPPLEMENTARY 1u /* a bit that is no error */

static const struct {
    unsigned acquired, inquired, lifetime_s;
    enum ticket is;
} rows[] = {
    { 0, 0, 3600, TICKET_GOOD },
    { 0, 0, 1, TICKET_GOOD },
    { 0, 0, INDEFINITE, TICKET_GOOD },
    { SUPPLEMENTARY, SUPPLEMENTARY, 3600, TICKET_GOOD },
    { 0, 0, 0, TICKET_EXPIRED },
    { 0, CREDENTIALS_EXPIRED, 0, TICKET_EXPIRED },
    { CREDENTIALS_EXPIRED, 0, 0, TICKET_EXPIRED },
    { NO_CRED, 0, 0, TICKET_NONE },
    { FAILURE, 0, 0, TICKET_NONE },
    { 0, NO_CRED, 3600, TICKET_NONE },
};

START_TEST(each_answer_is_a_ticket_none_or_one_that_has_expired)
    {
        ck_assert_int_eq(ticket_of_status(rows[_i].acquired, rows[_i].inquired, rows[_i].lifetime_s),
                         rows[_i].is);
    }
END_TEST

START_TEST(without_a_cache_there_is_no_ticket)
    {
        enum ticket seen;

        ck_assert_int_eq(setenv("KRB5CCNAME", "FILE:/nowhere/cc", 1), 0);
        ck_assert_int_eq(setenv("KRB5_CLIENT_KTNAME", "FILE:/nowhere/tab", 1), 0);
        seen = ticket_look();
        ck_assert_msg(seen == TICKET_NONE || seen == TICKET_NO_LIBRARY, "%d", seen);
    }
END_TEST

TEST_MAIN("plugin/ticket", LOOP(each_answer_is_a_ticket_none_or_one_that_has_expired, TEST_ROWS(rows)),
          without_a_cache_there_is_no_ticket)
