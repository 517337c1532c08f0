/* SPDX-License-Identifier: Apache-2.0
 * What a host is called whose URI names none. */
#include "check-main.h"
#include "verbs/verbs.h"

static const struct {
    const char *hostname, *dest;
    bool is_taken;
} hosts[] = {
    { "hostA", "hostB", true },
    { "hostA.example.org", "hostB", true },
    { "hostB", "hostB", false }, /* the journal tells the two apart by these names */
    { "localhost", "hostB", false },
    { "localhost.localdomain", "hostB", false },
    { "-oProxyCommand=x", "hostB", false },
    { "a b", "hostB", false },
    { "", "hostB", false },
    { NULL, "hostB", false },
};

START_TEST(a_host_is_called_as_it_calls_itself_where_that_tells_it_from_the_other)
    {
        ck_assert_int_eq(verb_takes_hostname(hosts[_i].hostname, hosts[_i].dest), hosts[_i].is_taken);
    }
END_TEST

TEST_MAIN("verbs/host",
          LOOP(a_host_is_called_as_it_calls_itself_where_that_tells_it_from_the_other, TEST_ROWS(hosts)))
