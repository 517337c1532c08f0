/* SPDX-License-Identifier: Apache-2.0
 * Which parameters and flags reach libvirt, and that no other does. */
#include "check-main.h"
#include "verbs/parameters.h"

static const struct {
    const char *name, *value;
    bool is_known;
} rows[] = {
    { "flag", "tls", true },
    { "flag", "unsafe", false },
    { "flag", "", false },
    { "flag", NULL, false },
    { "tls.destination", "hostB", true },
    { "tls.destination", "10.0.0.2", true },
    { "tls.destination", "fd00::2", true },
    { "tls.destination", "-oProxyCommand=x", false },
    { "tls.destination", "a b", false },
    { "tls.destination", NULL, false },
    { "destination_xml", "<domain/>", false },
    { "migrate_uri", "tcp://10.0.0.2", false },
    { "", "", false },
    { NULL, NULL, false },
};

START_TEST(only_what_is_in_the_table_is_known)
    {
        ck_assert_int_eq(parameter_is_known(&(struct parameter){ rows[_i].name, rows[_i].value }),
                         rows[_i].is_known);
    }
END_TEST

START_TEST(texts_become_parameters_and_flags_bits)
    {
        struct parameter own[] = { { "flag", "tls" }, { "tls.destination", "hostB" } };
        const struct channel ch = { .parameters = own, .n_parameters = 2 };
        OWNED_JSON list = parameters_to_json(&ch, true);
        virTypedParameterPtr params = NULL;
        int n = 0, size = 0;
        unsigned flags = VIR_MIGRATE_LIVE;
        struct error err = { 0 };

        ck_assert_int_eq(virInitialize(), 0);
        ck_assert_int_eq(parameters_add(list, &params, &n, &size, &flags, &err), 0);
        ck_assert_uint_eq(flags, VIR_MIGRATE_LIVE | VIR_MIGRATE_TLS);
        ck_assert_int_eq(n, 1);
        ck_assert_str_eq(params[0].field, VIR_MIGRATE_PARAM_TLS_DESTINATION);
        ck_assert_str_eq(params[0].value.s, "hostB");
        virTypedParamsFree(params, n);
    }
END_TEST

START_TEST(one_that_is_not_known_ends_it)
    {
        struct parameter own[] = { { "flag", "unsafe" } };
        const struct channel ch = { .parameters = own, .n_parameters = 1 };
        OWNED_JSON list = parameters_to_json(&ch, true);
        virTypedParameterPtr params = NULL;
        int n = 0, size = 0;
        unsigned flags = 0;
        struct error err = { 0 };

        ck_assert_int_eq(virInitialize(), 0);
        ck_assert_int_eq(parameters_add(list, &params, &n, &size, &flags, &err), -ERROR_INPUT);
        ck_assert_uint_eq(flags, 0);
        ck_assert_int_eq(n, 0);
    }
END_TEST

TEST_MAIN("verbs/parameters", LOOP(only_what_is_in_the_table_is_known, TEST_ROWS(rows)),
          texts_become_parameters_and_flags_bits, one_that_is_not_known_ends_it)
