/* SPDX-License-Identifier: Apache-2.0
 * What OpenSSH 9.2 said in the lab, and what is made of it; keys from the network that end in a command. */
#include "../../../plugins/transport-ssh/key.c"  /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-ssh/said.c" /* NOLINT(bugprone-suspicious-include) */

#include "check-main.h"

static const struct {
    const char *text;
    enum said means;
} samples[] = {
    { "No ED25519 host key is known for hostb and you have requested strict checking.\r\n"
      "Host key verification failed.\r\n",
      SAID_KEY_NOT_KNOWN },
    { "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r\n"
      "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n"
      "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r\n"
      "Host key for hostb has changed and you have requested strict checking.\r\n"
      "Host key verification failed.\r\n",
      SAID_KEY_CHANGED },
    { "root@hostb: Permission denied (publickey).\r\n", SAID_DENIED },
    { "nosuch@hostb: Permission denied (publickey,password).\r\n", SAID_DENIED },
    { "Received disconnect from 10.111.0.11 port 22:2: Too many authentication failures\r\n", SAID_DENIED },
    { "ssh: Could not resolve hostname nosuchhost: Temporary failure in name resolution\r\n", SAID_NO_NAME },
    { "ssh: connect to host hostb port 2222: Connection refused\r\n", SAID_REFUSED },
    { "ssh: connect to host 10.111.0.99 port 22: Connection timed out\r\n", SAID_TIMEOUT },
    { "Connection timed out during banner exchange\r\n", SAID_TIMEOUT },
    { "ssh: connect to host 192.0.2.1 port 22: Network is unreachable\r\n", SAID_NO_ROUTE },
    { "ssh: connect to host 10.111.0.99 port 22: No route to host\r\n", SAID_NO_ROUTE },
    { "channel 2: open failed: connect failed: open failed\r\n", SAID_OPEN_FAILED },
    { "channel 2: open failed: administratively prohibited: open failed\r\n", SAID_FORBIDDEN },
    { "kex_exchange_identification: Connection closed by remote host\r\n", SAID_NOTHING },
    /* A key file that may not be read is no refusal of the other side. */
    { "Load key \"/root/.ssh/id_ed25519\": Permission denied\r\n", SAID_NOTHING },
    { "", SAID_NOTHING },
};

START_TEST(each_of_sshs_words_has_its_meaning)
    {
        ck_assert_int_eq(said_by(samples[_i].text), samples[_i].means);
    }
END_TEST

START_TEST(the_last_line_is_given_without_its_end_and_cut_to_fit)
    {
        char line[16];

        said_last_line("one\r\ntwo\r\n\r\n", line, sizeof line);
        ck_assert_str_eq(line, "two");
        said_last_line("", line, sizeof line);
        ck_assert_str_eq(line, "");
        said_last_line("\n", line, sizeof line);
        ck_assert_str_eq(line, "");
        said_last_line("0123456789abcdef", line, sizeof line);
        ck_assert_str_eq(line, "0123456789abcde");
    }
END_TEST

START_TEST(the_line_that_tells_why_is_found_before_others)
    {
        static const char said[] = "ssh: connect to host 192.0.2.1 port 22: No route to host\r\n"
                                   "mm_receive_fd: recvmsg: expected received 1 got 0\r\n"
                                   "proxy dialer did not pass back a connection\r\n";
        char line[80];

        said_line_of(said, SAID_NO_ROUTE, line, sizeof line);
        ck_assert_str_eq(line, "ssh: connect to host 192.0.2.1 port 22: No route to host");
        said_line_of(said, SAID_DENIED, line, sizeof line);
        ck_assert_str_eq(line, "proxy dialer did not pass back a connection");
    }
END_TEST

START_TEST(what_it_said_of_a_channel_is_not_its_last_word)
    {
        char line[64];

        said_last_words("Broken pipe\r\nchannel 2: open failed: x\r\nchannel 3: open failed: y\r\n", line,
                        sizeof line);
        ck_assert_str_eq(line, "Broken pipe");
        said_last_words("channel 2: open failed: x\r\n", line, sizeof line);
        ck_assert_str_eq(line, "");
        said_last_words("", line, sizeof line);
        ck_assert_str_eq(line, "");
    }
END_TEST

#define ED25519 "AAAAC3NzaC1lZDI1NTE5AAAAII7zZudEs8y+yB0oYaNwNnYgb/RnfLUGTMrXWSip2Qcq"

START_TEST(the_best_key_of_a_host_is_taken_whatever_the_order)
    {
        struct host_key key;

        ck_assert(key_of_scan("# hostB:22 SSH-2.0-OpenSSH_9.2p1\nhostb ssh-rsa AAAAB3==\n"
                              "hostb ssh-ed25519 " ED25519 "\nhostb ecdsa-sha2-nistp256 AAAAE2\n",
                              &key));
        ck_assert_str_eq(key.type, "ssh-ed25519");
        ck_assert_str_eq(key.line, "hostb ssh-ed25519 " ED25519);
        ck_assert(key_of_scan("[hostb]:2222 ssh-rsa AAAAB3==\r\n", &key));
        ck_assert_str_eq(key.line, "[hostb]:2222 ssh-rsa AAAAB3==");
    }
END_TEST

static const char *const hostile[] = {
    "",
    "\n\n",
    "hostb ssh-ed25519",
    "hostb ssh-ed25519 ",
    "hostb ssh-ed25519 AAAA'; rm -rf ~; echo '",
    "hostb ssh-ed25519 AAAA extra words",
    "host$(id) ssh-ed25519 AAAA",
    "hostb'x ssh-ed25519 AAAA",
    "hostb ssh-ed25519-evil AAAA",
    "hostb ssh-dss AAAA",
    " ssh-ed25519 AAAA",
    "@cert-authority * ssh-ed25519 AAAA",
    "hostb",
};

START_TEST(a_key_that_could_be_more_than_a_key_is_not_shown)
    {
        struct host_key key;

        ck_assert_msg(!key_of_scan(hostile[_i], &key), "'%s'", hostile[_i]);
    }
END_TEST

START_TEST(a_key_is_shown_under_the_name_that_ssh_looks_for)
    {
        const struct host_key key = { .line = "hostb ssh-ed25519 AAAA" };
        char line[32];

        ck_assert(key_line_under(&key, "[ali.as]:22", line, sizeof line));
        ck_assert_str_eq(line, "[ali.as]:22 ssh-ed25519 AAAA");
        ck_assert(!key_line_under(&key, "a'b", line, sizeof line));
        ck_assert(!key_line_under(&key, "a b", line, sizeof line));
        ck_assert(!key_line_under(&key, "", line, sizeof line));
        ck_assert(!key_line_under(&key, "much.longer.than.fits", line, sizeof line));
        ck_assert(!key_line_under(&(struct host_key){ .line = "" }, "a", line, sizeof line));
    }
END_TEST

START_TEST(a_key_that_is_too_long_for_a_line_is_not_shown)
    {
        struct host_key key;
        char printed[800];
        int n = snprintf(printed, sizeof printed, "hostb ssh-rsa ");

        memset(printed + n, 'A', sizeof printed - (size_t)n);
        printed[sizeof key.line - 1] = '\0';
        ck_assert(key_of_scan(printed, &key));
        printed[sizeof key.line - 1] = 'A';
        printed[sizeof key.line] = '\0';
        ck_assert(!key_of_scan(printed, &key));
    }
END_TEST

START_TEST(a_fingerprint_is_letters_and_nothing_else)
    {
        struct host_key key = { .line = "" };

        ck_assert(key_fingerprint_of(
            "256 SHA256:LnQXPOiTZ47O/h1lNlQYgAkDBrVJAjeXqY6URrTkJ6E hostb (ED25519)\n", &key));
        ck_assert_str_eq(key.fingerprint, "SHA256:LnQXPOiTZ47O/h1lNlQYgAkDBrVJAjeXqY6URrTkJ6E");
        ck_assert(!key_fingerprint_of("256 SHA256: hostb\n", &key));
        ck_assert(!key_fingerprint_of("256 SHA256:ab\x1b[31m hostb\n", &key));
        ck_assert(!key_fingerprint_of("(stdin) is not a public key file.\n", &key));
    }
END_TEST

TEST_MAIN("plugin/ssh-said", LOOP(each_of_sshs_words_has_its_meaning, TEST_ROWS(samples)),
          the_last_line_is_given_without_its_end_and_cut_to_fit,
          the_line_that_tells_why_is_found_before_others, what_it_said_of_a_channel_is_not_its_last_word,
          the_best_key_of_a_host_is_taken_whatever_the_order,
          LOOP(a_key_that_could_be_more_than_a_key_is_not_shown, TEST_ROWS(hostile)),
          a_key_is_shown_under_the_name_that_ssh_looks_for, a_key_that_is_too_long_for_a_line_is_not_shown,
          a_fingerprint_is_letters_and_nothing_else)
