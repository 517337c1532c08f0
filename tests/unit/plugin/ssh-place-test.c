/* SPDX-License-Identifier: Apache-2.0
 * The SSH transport's URIs and argv: hostile names never become an option, a token or a word of a shell. */
#include "../../../plugins/transport-ssh/place.c" /* NOLINT(bugprone-suspicious-include) */

#include "check-main.h"
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
    const char *uri, *host, *user, *port; /* host NULL: refused */
} uris[] = {
    { "qemu+ssh://hostB/system", "hostB", "", "" },
    { "qemu+ssh://root@hostB/system", "hostB", "root", "" },
    { "qemu+ssh://root@hostB:2222/system", "hostB", "root", "2222" },
    { "qemu+ssh://a_b.c-d@db-1.example.org/system", "db-1.example.org", "a_b.c-d", "" },
    { "qemu+ssh://[2001:db8::1]:22/system", "2001:db8::1", "", "22" },
    { "qemu+ssh://root@[::1]/system", "::1", "root", "" },
    { "qemu+tcp://hostB/system", NULL, NULL, NULL },
    { "qemu+ssh://hostB", NULL, NULL, NULL },
    { "qemu+ssh://hostB/", NULL, NULL, NULL },
    { "qemu+ssh://hostB/session", NULL, NULL, NULL },
    { "qemu+ssh://hostB/system/..", NULL, NULL, NULL },
    { "qemu+ssh://hostB/system?keyfile=/etc/shadow", NULL, NULL, NULL },
    { "qemu+ssh://hostB/system?command=/tmp/evil", NULL, NULL, NULL },
    { "qemu+ssh://hostB/system#x", NULL, NULL, NULL },
    { "qemu+ssh:///system", NULL, NULL, NULL },
    { "qemu+ssh://@hostB/system", NULL, NULL, NULL },
    { "qemu+ssh://root@/system", NULL, NULL, NULL },
    { "qemu+ssh://-oProxyCommand=x/system", NULL, NULL, NULL },
    { "qemu+ssh://-oProxyCommand=x@hostB/system", NULL, NULL, NULL },
    { "qemu+ssh://root@-hostB/system", NULL, NULL, NULL },
    { "qemu+ssh://root@evil@hostB/system", NULL, NULL, NULL },
    { "qemu+ssh://root:secret@hostB/system", NULL, NULL, NULL },
    { "qemu+ssh://%h@hostB/system", NULL, NULL, NULL },
    { "qemu+ssh://${HOME}@hostB/system", NULL, NULL, NULL },
    { "qemu+ssh://`id`/system", NULL, NULL, NULL },
    { "qemu+ssh://host;id/system", NULL, NULL, NULL },
    { "qemu+ssh://host B/system", NULL, NULL, NULL },
    { "qemu+ssh://host\n/system", NULL, NULL, NULL },
    { "qemu+ssh://..hostB/system", NULL, NULL, NULL },
    { "qemu+ssh://hostB:/system", NULL, NULL, NULL },
    { "qemu+ssh://hostB:0/system", NULL, NULL, NULL },
    { "qemu+ssh://hostB:123456/system", NULL, NULL, NULL },
    { "qemu+ssh://hostB:22x/system", NULL, NULL, NULL },
    { "qemu+ssh://hostB:-p/system", NULL, NULL, NULL },
    { "qemu+ssh://[::1/system", NULL, NULL, NULL },
    { "qemu+ssh://[::1]x/system", NULL, NULL, NULL },
    { "qemu+ssh://[-oX]/system", NULL, NULL, NULL },
    { "qemu+ssh://[fe80::1%eth0]/system", NULL, NULL, NULL },
};

START_TEST(a_uri_gives_a_place_or_says_why_not)
    {
        struct place p;
        const char *why = place_of_uri(uris[_i].uri, &p);

        ck_assert_msg((why == NULL) == (uris[_i].host != NULL), "'%s': %s", uris[_i].uri,
                      why ? why : "taken");
        if (why)
            return;
        ck_assert_str_eq(p.host, uris[_i].host);
        ck_assert_str_eq(p.user, uris[_i].user);
        ck_assert_str_eq(p.port, uris[_i].port);
    }
END_TEST

START_TEST(names_end_at_their_limit)
    {
        struct place p;
        char uri[400];

        (void)snprintf(uri, sizeof uri, "qemu+ssh://%0255d/system", 1);
        ck_assert_ptr_null(place_of_uri(uri, &p));
        (void)snprintf(uri, sizeof uri, "qemu+ssh://%0256d/system", 1);
        ck_assert_ptr_nonnull(place_of_uri(uri, &p));
        (void)snprintf(uri, sizeof uri, "qemu+ssh://%064d@h/system", 1);
        ck_assert_ptr_null(place_of_uri(uri, &p));
        (void)snprintf(uri, sizeof uri, "qemu+ssh://%065d@h/system", 1);
        ck_assert_ptr_nonnull(place_of_uri(uri, &p));
    }
END_TEST

static bool has_word(const struct words *w, const char *word)
{
    for (size_t i = 0; i < w->n; i++)
        if (strcmp(w->argv[i], word) == 0)
            return true;
    return false;
}

START_TEST(the_host_is_the_one_operand_and_stands_behind_two_dashes)
    {
        const struct place p = { .host = "hostB", .user = "root", .port = "2222" };
        struct words w;

        words_of_master(&w, &p, "/run/virt-ferry/way-0", "", NULL, NULL);
        ck_assert_str_eq(w.argv[0], "ssh");
        ck_assert_str_eq(w.argv[w.n - 1], "hostB");
        ck_assert_str_eq(w.argv[w.n - 2], "--");
        ck_assert_ptr_null(w.argv[w.n]);
        words_of_run(&w, &p, "/run/virt-ferry/way-0", "'true'");
        ck_assert_str_eq(w.argv[w.n - 3], "--");
        ck_assert_str_eq(w.argv[w.n - 2], "hostB");
        ck_assert_str_eq(w.argv[w.n - 1], "'true'");
        words_of_settings(&w, &p);
        ck_assert_str_eq(w.argv[w.n - 2], "--");
    }
END_TEST

START_TEST(a_master_makes_our_sockets_itself_where_the_user_has_no_forwards)
    {
        const struct place p = { .host = "hostB" };
        const struct forward list[PLACE_SERVICES] = { { "/run/a/one", "/run/libvirt/one" },
                                                      { "/run/a/two", "/run/libvirt/two" } };
        struct words w;

        words_of_master(&w, &p, "/run/a", "", list, NULL);
        ck_assert(has_word(&w, "ExitOnForwardFailure=yes"));
        ck_assert(!has_word(&w, "ClearAllForwardings=yes")); /* would clear these too */
        ck_assert(has_word(&w, "/run/a/one:/run/libvirt/one"));
        ck_assert(has_word(&w, "/run/a/two:/run/libvirt/two"));
        ck_assert_str_eq(w.argv[w.n - 2], "--");
    }
END_TEST

START_TEST(the_master_asks_nobody_and_trusts_no_new_key)
    {
        const struct place p = { .host = "hostB" };
        struct words w;

        words_of_master(&w, &p, "/run/virt-ferry/way-0", "", NULL, NULL);
        ck_assert(has_word(&w, "BatchMode=yes"));
        ck_assert(has_word(&w, "StrictHostKeyChecking=yes"));
        ck_assert(has_word(&w, "ForwardAgent=no"));
        ck_assert(has_word(&w, "ConnectTimeout=5"));
        ck_assert(has_word(&w, "ControlPersist=no"));
        ck_assert(has_word(&w, "/run/virt-ferry/way-0/ctl"));
        ck_assert(!has_word(&w, "-l"));
        ck_assert(!has_word(&w, "-p"));
    }
END_TEST

START_TEST(a_command_goes_over_the_master_or_not_at_all)
    {
        const struct place p = { .host = "hostB" };
        struct words w;

        words_of_run(&w, &p, "/run/virt-ferry/way-0", "'true'");
        ck_assert(has_word(&w, "ControlMaster=no"));
        ck_assert(has_word(&w, "ProxyCommand=exit 1"));
    }
END_TEST

static const struct {
    const char *folder;
    bool fits;
} folders[] = {
    { "/run/virt-ferry/way-0123456789abcdef", true },
    { "/run/user/1000/virt-ferry/way-0123456789abcdef", true },
    { "run/virt-ferry", false },
    { "", false },
    { "/run/with space", false },
    { "/run/100%", false },
    { "/run/a:b", false },
    { "/run/${HOME}", false },
};

START_TEST(a_folder_means_nothing_to_ssh_and_leaves_room_for_a_socket)
    {
        ck_assert_msg(place_folder_fits(folders[_i].folder) == folders[_i].fits, "'%s'", folders[_i].folder);
    }
END_TEST

static const struct {
    const char *word;
    bool is_quoted;
} quotes[] = {
    { "getent", true },      { "$(id) \"x\" \\ ; | & > `id` *", true },
    { "it's", false },       { "csh!history", false },
    { "two\nlines", false }, { "h\xc3\xb6st", false },
    { "\x1b[31m", false },   { "", true },
};

START_TEST(the_longest_socket_of_a_folder_fits_into_an_address)
    {
        char folder[128] = "/";

        memset(folder + 1, 'x', 74);
        ck_assert(place_folder_fits(folder)); /* 75, a slash, 31 of the longest name, and the end: 108 */
        folder[75] = 'x';
        ck_assert(!place_folder_fits(folder));
    }
END_TEST

START_TEST(a_word_comes_through_a_shell_as_it_was_or_is_refused)
    {
        const char *const argv[] = { "printf", "%s", quotes[_i].word, NULL };
        char quoted[256], came[256];
        FILE *shell;
        size_t n;

        ck_assert_int_eq(place_quote(quoted, sizeof quoted, argv), quotes[_i].is_quoted);
        if (!quotes[_i].is_quoted)
            return;
        shell = popen(quoted, "r"); /* NOLINT(cert-env33-c): what a shell makes of it is the question */
        ck_assert_ptr_nonnull(shell);
        n = fread(came, 1, sizeof came - 1, shell);
        came[n] = '\0';
        ck_assert_int_eq(pclose(shell), 0);
        ck_assert_str_eq(came, quotes[_i].word);
    }
END_TEST

START_TEST(a_command_that_does_not_fit_is_refused_and_not_cut)
    {
        const char *const argv[] = { "ab", "cd", NULL };
        char buf[10]; /* 'ab' 'cd' and the end */

        ck_assert(place_quote(buf, 10, argv));
        ck_assert_str_eq(buf, "'ab' 'cd'");
        ck_assert(!place_quote(buf, 9, argv));
    }
END_TEST

START_TEST(a_setting_is_a_whole_line)
    {
        static const char printed[] = "user root\nhostname hostb\nport 22\nproxyjump none\nport 23";
        char value[8];

        ck_assert(place_setting(printed, "hostname", value, sizeof value));
        ck_assert_str_eq(value, "hostb");
        ck_assert(place_setting(printed, "port", value, sizeof value));
        ck_assert_str_eq(value, "22");
        ck_assert(!place_setting(printed, "host", value, sizeof value));
        ck_assert(!place_setting(printed, "none", value, sizeof value));
        ck_assert(!place_setting(printed, "hostname", value, 5));
        ck_assert(!place_setting("", "port", value, sizeof value));
        ck_assert(place_is_set(printed, "hostname") && !place_is_set(printed, "host"));
        ck_assert(!place_is_set("", "port"));
    }
END_TEST

#define OWN                                                                                                  \
    "chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,aes256-gcm@"      \
    "openssh.com"
static const struct {
    const char *list;
    bool has_aes, is_changed;
} cipher_lists[] = {
    { OWN, true, true },
    { OWN, false, false },
    { "", true, false },
    { "aes256-ctr", true, false },
    { OWN ",3des-cbc", true, false },
    { "aes128-gcm@openssh.com", true, false },
};
START_TEST(a_list_of_ciphers_that_somebody_chose_stays)
    {
        struct place p;
        struct words w;
        char ciphers[PLACE_CIPHERS_SIZE];
        bool is_said = false;

        place_ciphers(cipher_lists[_i].list, cipher_lists[_i].has_aes, ciphers);
        ck_assert_int_eq(strncmp(ciphers, "aes128-gcm@openssh.com,", 23) == 0, cipher_lists[_i].is_changed);
        ck_assert_int_eq(ciphers[0] != '\0', cipher_lists[_i].is_changed);
        ck_assert(!cipher_lists[_i].is_changed || strlen(ciphers) == strlen(cipher_lists[_i].list));
        ck_assert_ptr_null(place_of_uri("qemu+ssh://hostB/system", &p));
        words_of_master(&w, &p, "/run/virt-ferry/way-0", ciphers, NULL, NULL);
        for (size_t i = 0; i < w.n; i++)
            is_said |= strncmp(w.argv[i], "Ciphers=", 8) == 0;
        ck_assert_int_eq(is_said, cipher_lists[_i].is_changed);
    }
END_TEST

START_TEST(a_processor_tells_whether_it_has_aes)
    {
        ck_assert(place_has_aes("processor\t: 0\nflags\t\t: fpu vme aes avx\nbugs\t: aes\n"));
        ck_assert(place_has_aes("Features\t: fp asimd aes\n"));
        ck_assert(!place_has_aes("flags\t\t: fpu aesx xaes\nmodel name\t: with aes \n"));
        ck_assert(!place_has_aes("flags"));
        ck_assert(!place_has_aes(""));
    }
END_TEST

START_TEST(only_plain_short_names_of_domains_end_a_socket)
    {
        char suffix[PLACE_SUFFIX_SIZE];

        place_suffix("web-1.example_x", suffix);
        ck_assert_str_eq(suffix, ".tunnelmigrate.dest.web-1.example_x");
        for (const char *const *name =
                 (const char *const[]){ "", "a b", "a/b", "..", "a..b", "a:b", "a%b", "\xc3\xa4",
                                        "a-name-that-is-far-too-long-for-it",
                                        "5f0c1a52-6c2e-4a35-9b7d-000000000001", NULL };
             *name; name++) {
            place_suffix(*name, suffix);
            ck_assert_str_eq(suffix, "");
        }
        place_suffix(NULL, suffix);
        ck_assert_str_eq(suffix, "");
    }
END_TEST

static unsigned words_like(const struct words *w, const char *word)
{
    unsigned n = 0;

    for (size_t i = 0; i < w->n; i++)
        n += strcmp(w->argv[i], word) == 0;
    return n;
}

/* Behind "-L", in order. */
static const char *forward_of(const struct words *w, unsigned nth)
{
    for (size_t i = 0; i + 1 < w->n; i++)
        if (strcmp(w->argv[i], "-L") == 0 && nth-- == 0)
            return w->argv[i + 1];
    return "";
}

START_TEST(whoever_stands_is_told_of_both_sockets_and_of_nothing_that_a_user_configured)
    {
        const struct forward list[PLACE_SERVICES] = {
            { "/run/virt-ferry/way-0/ram.7", "/run/libvirt/qemu/virt-ferry/way-1/ram.x" },
            { "/run/virt-ferry/way-0/nbd.7", "/run/libvirt/qemu/virt-ferry/way-1/nbd.x" }
        };
        struct place p;
        struct words w;

        ck_assert_ptr_null(place_of_uri("qemu+ssh://root@hostB:2222/system", &p));
        words_of_forward(&w, &p, "/run/virt-ferry/way-0", 0, list);
        ck_assert_str_eq(forward_of(&w, 0),
                         "/run/virt-ferry/way-0/ram.7:/run/libvirt/qemu/virt-ferry/way-1/ram.x");
        ck_assert_str_eq(forward_of(&w, 1),
                         "/run/virt-ferry/way-0/nbd.7:/run/libvirt/qemu/virt-ferry/way-1/nbd.x");
        ck_assert_str_eq(forward_of(&w, 2), "");
        ck_assert_uint_eq(words_like(&w, "/run/virt-ferry/way-0/ctl"), 1);
        ck_assert_uint_eq(words_like(&w, "/dev/null"), 1);
        ck_assert_uint_eq(words_like(&w, "ProxyCommand=exit 1"), 1);
        ck_assert_uint_eq(words_like(&w, "ClearAllForwardings=yes"), 0); /* it would clear these too */
        ck_assert_str_eq(w.argv[w.n - 2], "--");
        ck_assert_str_eq(w.argv[w.n - 1], "hostB");
        words_of_forward(&w, &p, "/run/virt-ferry/way-0", 7, list);
        ck_assert_uint_eq(words_like(&w, "/run/virt-ferry/way-0/ctl.7"), 1);
    }
END_TEST

START_TEST(to_an_address_of_its_own_ssh_knows_the_key_by_the_hosts_name_and_uses_no_master)
    {
        const struct own_way own = {
            .via = "fd00:9::5", .alias = "hostB", .ciphers = "", .folder = "/run/virt-ferry/way-0", .nth = 1
        };
        struct place p;
        struct words w;

        ck_assert_ptr_null(place_of_uri("qemu+ssh://root@hostB/system", &p));
        words_of_own(&w, &p, &own, "'true'");
        ck_assert_uint_eq(words_like(&w, "HostName=fd00:9::5"), 1);
        ck_assert_uint_eq(words_like(&w, "HostKeyAlias=hostB"), 1);
        ck_assert_uint_eq(words_like(&w, "StrictHostKeyChecking=yes"), 1);
        ck_assert_uint_eq(words_like(&w, "-M"), 1);
        ck_assert_uint_eq(words_like(&w, "/run/virt-ferry/way-0/ctl.1"), 1);
        ck_assert_uint_eq(words_like(&w, "/run/virt-ferry/way-0/ctl"), 0);
        ck_assert_str_eq(w.argv[w.n - 3], "--");
        ck_assert_str_eq(w.argv[w.n - 2], "hostB");
        ck_assert_str_eq(w.argv[w.n - 1], "'true'");
        ck_assert_ptr_null(w.argv[w.n]);
    }
END_TEST

START_TEST(a_connection_of_its_own_to_where_the_master_goes_leaves_address_and_cipher_to_ssh)
    {
        const struct own_way own = {
            .alias = "hostB", .ciphers = "", .folder = "/run/virt-ferry/way-0", .nth = 1
        };
        struct place p;
        struct words w;

        ck_assert_ptr_null(place_of_uri("qemu+ssh://root@hostB/system", &p));
        words_of_own(&w, &p, &own, "'true'");
        for (size_t i = 0; i < w.n; i++) {
            ck_assert_ptr_null(strstr(w.argv[i], "HostName="));
            ck_assert_ptr_null(strstr(w.argv[i], "HostKeyAlias="));
            ck_assert_ptr_null(strstr(w.argv[i], "Ciphers="));
        }
        ck_assert_uint_eq(words_like(&w, "StrictHostKeyChecking=yes"), 1);
    }
END_TEST

START_TEST(a_users_forwards_and_sessions_are_not_ours_and_an_old_ssh_is_told_nothing_that_it_refuses)
    {
        const struct own_way own = {
            .alias = "", .ciphers = "", .folder = "/run/virt-ferry/way-0", .nth = 8
        };
        struct place p;
        struct words w;

        ck_assert_ptr_null(place_of_uri("qemu+ssh://root@hostB:2222/system", &p));
        for (int is_new = 0; is_new < 2; is_new++) {
            p.has_session = is_new;
            words_of_master(&w, &p, "/run/virt-ferry/way-0", "aes128-ctr", NULL, NULL);
            ck_assert_uint_eq(words_like(&w, "ClearAllForwardings=yes"), 1);
            ck_assert_uint_eq(words_like(&w, "-L"), 0);
            ck_assert_uint_eq(words_like(&w, "ForkAfterAuthentication=no"), is_new);
            ck_assert_uint_eq(words_like(&w, "SessionType=default"), 0); /* -N says another */
            words_of_own(&w, &p, &own, "'true'");
            ck_assert_uint_eq(words_like(&w, "ClearAllForwardings=yes"), 1);
            ck_assert_uint_eq(words_like(&w, "ForkAfterAuthentication=no"), is_new);
            ck_assert_uint_eq(words_like(&w, "StdinNull=no"), is_new);
            ck_assert_uint_eq(words_like(&w, "SessionType=default"), is_new);
        }
    }
END_TEST

START_TEST(sockets_of_data_are_where_qemu_opens_them_and_each_of_several_has_its_own)
    {
        char path[PLACE_PATH_SIZE];

        place_own_socket("/run/virt-ferry/way-0", 1, 7, path);
        ck_assert_str_eq(path, "/run/virt-ferry/way-0/nbd.7");
        place_socket("/run/libvirt/qemu/virt-ferry/way-1", 0, ".x", path);
        ck_assert_str_eq(path, "/run/libvirt/qemu/virt-ferry/way-1/ram.x");
    }
END_TEST

START_TEST(a_port_of_its_own_is_part_of_the_name_of_a_key)
    {
        char alias[PLACE_NAME_SIZE];

        place_alias("hostB", "22", alias);
        ck_assert_str_eq(alias, "hostB");
        place_alias("hostB", "2222", alias);
        ck_assert_str_eq(alias, "[hostB]:2222");
    }
END_TEST

TEST_MAIN("plugin/ssh-place", LOOP(a_list_of_ciphers_that_somebody_chose_stays, TEST_ROWS(cipher_lists)),
          a_processor_tells_whether_it_has_aes, only_plain_short_names_of_domains_end_a_socket,
          whoever_stands_is_told_of_both_sockets_and_of_nothing_that_a_user_configured,
          to_an_address_of_its_own_ssh_knows_the_key_by_the_hosts_name_and_uses_no_master,
          a_connection_of_its_own_to_where_the_master_goes_leaves_address_and_cipher_to_ssh,
          sockets_of_data_are_where_qemu_opens_them_and_each_of_several_has_its_own,
          a_users_forwards_and_sessions_are_not_ours_and_an_old_ssh_is_told_nothing_that_it_refuses,
          a_port_of_its_own_is_part_of_the_name_of_a_key,
          LOOP(a_uri_gives_a_place_or_says_why_not, TEST_ROWS(uris)), names_end_at_their_limit,
          the_host_is_the_one_operand_and_stands_behind_two_dashes,
          a_master_makes_our_sockets_itself_where_the_user_has_no_forwards,
          the_master_asks_nobody_and_trusts_no_new_key, a_command_goes_over_the_master_or_not_at_all,
          LOOP(a_folder_means_nothing_to_ssh_and_leaves_room_for_a_socket, TEST_ROWS(folders)),
          the_longest_socket_of_a_folder_fits_into_an_address,
          LOOP(a_word_comes_through_a_shell_as_it_was_or_is_refused, TEST_ROWS(quotes)),
          a_command_that_does_not_fit_is_refused_and_not_cut, a_setting_is_a_whole_line)
