/* SPDX-License-Identifier: Apache-2.0
 * Ceph's list of monitors, as a host has it, into those that QEMU can be told. */
#include "base/text.h"
#include "check-main.h"
#include "verbs/locate-rbd.h"

static const struct {
    const char *mon_host, *all;
} monitors[] = {
    { "[v2:10.0.0.1:3300]", "10.0.0.1:3300 " },
    { "[v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0],[v2:10.0.0.2:3300/0,v1:10.0.0.2:6789/0]",
      "10.0.0.1:3300 10.0.0.2:3300 " },
    { "10.0.0.1, mon-b.example:6789", "10.0.0.1 mon-b.example:6789 " },
    { "[2001:db8::1]", "" },
    { "v2:", "" },
    { "", "" },
    { "10.0.0.1;reboot", "" },
};

START_TEST(monitors_are_those_that_qemu_can_be_told)
    {
        OWNED(arena) a = arena_new();
        struct finding_refs hosts = { 0 };
        OWNED_TEXT all = { 0 };

        ck_assert_int_eq(locate_rbd_monitors(a, monitors[_i].mon_host, &hosts), 0);
        for (size_t i = 0; i < hosts.n; i++)
            text_add(&all, "%s ", hosts.names[i]);
        ck_assert_str_eq(text_of(&all), monitors[_i].all);
    }
END_TEST

TEST_MAIN("verbs/locate-rbd", LOOP(monitors_are_those_that_qemu_can_be_told, TEST_ROWS(monitors)))
