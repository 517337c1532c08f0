/* SPDX-License-Identifier: Apache-2.0
 * Certificates made here, judged on both sides of each border; what libvirtd asks; what a host says of QEMU's
 * folder; parameters of URIs. */
#include "../../../plugins/transport-tls/auth.c"        /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-tls/certificate.c" /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-tls/stream.c"      /* NOLINT(bugprone-suspicious-include) */

#include "../../../plugins/transport-tls/qemu-words.c" /* NOLINT(bugprone-suspicious-include) */

#include "base/owned.h"
#include "base/text.h"
#include "check-main.h"
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#define NOW 1800000000 /* 2027 */
#define DAYS(n) ((time_t)(n)*DAY_S)

struct made {
    gnutls_x509_privkey_t key;
    struct certificates cert;
};

/* What a certificate of the tests has; zeroed: a good one, for hostB and 10.0.0.2, for both ends. */
struct wish {
    time_t from, until;
    const char *name;    /* NULL = hostB with its address */
    const char *purpose; /* NULL = both */
    unsigned usage;      /* 0 = both bits */
    int is_critical, is_rsa;
};

static gnutls_x509_privkey_t key_of(int is_rsa)
{
    static gnutls_x509_privkey_t keys[2];

    if (!keys[is_rsa]) {
        ck_assert_int_ge(gnutls_x509_privkey_init(&keys[is_rsa]), 0);
        ck_assert_int_ge(
            gnutls_x509_privkey_generate(keys[is_rsa], is_rsa ? GNUTLS_PK_RSA : GNUTLS_PK_ECDSA,
                                         is_rsa ? 2048 : GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
            0);
    }
    return keys[is_rsa];
}

static gnutls_x509_crt_t begin(gnutls_x509_privkey_t key, const char *cn, time_t from, time_t until)
{
    gnutls_x509_crt_t crt;

    ck_assert_int_ge(gnutls_x509_crt_init(&crt), 0);
    ck_assert_int_ge(gnutls_x509_crt_set_version(crt, 3), 0);
    ck_assert_int_ge(gnutls_x509_crt_set_serial(crt, "\x01", 1), 0);
    ck_assert_int_ge(
        gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, cn, (unsigned)strlen(cn)), 0);
    ck_assert_int_ge(gnutls_x509_crt_set_activation_time(crt, from), 0);
    ck_assert_int_ge(gnutls_x509_crt_set_expiration_time(crt, until), 0);
    ck_assert_int_ge(gnutls_x509_crt_set_key(crt, key), 0);
    return crt;
}

/* Read again as it would come from a file: what was only set is not all seen. */
static struct certificates one(gnutls_x509_crt_t crt)
{
    struct certificates c;
    gnutls_datum_t der;

    ck_assert_int_ge(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), 0);
    ck_assert(certificates_of_chain(&der, 1, &c));
    gnutls_free(der.data);
    gnutls_x509_crt_deinit(crt);
    return c;
}

static void ca_make(struct made *ca, time_t until)
{
    ck_assert_int_ge(gnutls_x509_privkey_init(&ca->key), 0);
    ck_assert_int_ge(gnutls_x509_privkey_generate(ca->key, GNUTLS_PK_ECDSA,
                                                  GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
                     0);
    gnutls_x509_crt_t crt = begin(ca->key, "a CA", NOW - DAYS(1000), until);

    ck_assert_int_ge(gnutls_x509_crt_set_ca_status(crt, 1), 0);
    ck_assert_int_ge(gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN), 0);
    ck_assert_int_ge(gnutls_x509_crt_sign2(crt, crt, ca->key, GNUTLS_DIG_SHA256, 0), 0);
    ca->cert = one(crt);
}

static void made_done(struct made *m)
{
    certificates_done(&m->cert);
    gnutls_x509_privkey_deinit(m->key);
}

static struct certificates cert_make(const struct made *ca, const struct wish *w)
{
    static const unsigned char address[] = { 10, 0, 0, 2 };
    gnutls_x509_crt_t crt = begin(key_of(w->is_rsa), "made", w->from ? w->from : NOW - DAYS(10),
                                  w->until ? w->until : NOW + DAYS(1000));
    const char *name = w->name ? w->name : "hostB";

    ck_assert_int_ge(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, name,
                                                          (unsigned)strlen(name), GNUTLS_FSAN_APPEND),
                     0);
    if (!w->name)
        ck_assert_int_ge(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, address,
                                                              sizeof address, GNUTLS_FSAN_APPEND),
                         0);
    if (!w->purpose || strcmp(w->purpose, GNUTLS_KP_TLS_WWW_SERVER) == 0)
        ck_assert_int_ge(
            gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, (unsigned)w->is_critical), 0);
    if (!w->purpose || strcmp(w->purpose, GNUTLS_KP_TLS_WWW_CLIENT) == 0)
        ck_assert_int_ge(
            gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_CLIENT, (unsigned)w->is_critical), 0);
    ck_assert_int_ge(gnutls_x509_crt_set_key_usage(crt, w->usage ? w->usage
                                                                 : GNUTLS_KEY_DIGITAL_SIGNATURE |
                                                                       GNUTLS_KEY_KEY_ENCIPHERMENT),
                     0);
    ck_assert_int_ge(gnutls_x509_crt_sign2(crt, ca->cert.list[0], ca->key, GNUTLS_DIG_SHA256, 0), 0);
    return one(crt);
}

static const struct {
    struct wish wish;
    const char *name;
    enum certificate_use use;
    unsigned problems;
} rows[] = {
    { { 0 }, "hostB", CERTIFICATE_SERVER, 0 },
    { { 0 }, "10.0.0.2", CERTIFICATE_SERVER, 0 },
    { { 0 }, NULL, CERTIFICATE_CLIENT, 0 },
    { { 0 }, "10.0.0.3", CERTIFICATE_SERVER, CERTIFICATE_NAME },
    { { 0 }, "hostB.example", CERTIFICATE_SERVER, CERTIFICATE_NAME },
    { { .name = "*.lab.example" }, "hostB.lab.example", CERTIFICATE_SERVER, 0 },
    { { .until = NOW }, "hostB", CERTIFICATE_SERVER, CERTIFICATE_SOON },
    { { .until = NOW - 1 }, "hostB", CERTIFICATE_SERVER, CERTIFICATE_EXPIRED },
    { { .until = NOW + DAYS(30) }, "hostB", CERTIFICATE_SERVER, 0 },
    { { .until = NOW + DAYS(30) - 1 }, "hostB", CERTIFICATE_SERVER, CERTIFICATE_SOON },
    { { .from = NOW }, "hostB", CERTIFICATE_SERVER, 0 },
    { { .from = NOW + 1 }, "hostB", CERTIFICATE_SERVER, CERTIFICATE_NOT_YET },
    { { .purpose = GNUTLS_KP_TLS_WWW_SERVER }, "hostB", CERTIFICATE_SERVER, 0 },
    { { .purpose = GNUTLS_KP_TLS_WWW_CLIENT }, "hostB", CERTIFICATE_SERVER, CERTIFICATE_USE_ODD },
    { { .purpose = GNUTLS_KP_TLS_WWW_CLIENT }, NULL, CERTIFICATE_CLIENT, 0 },
    { { .purpose = GNUTLS_KP_TLS_WWW_SERVER, .is_critical = 1 }, NULL, CERTIFICATE_CLIENT, CERTIFICATE_USE },
    { { .usage = GNUTLS_KEY_DIGITAL_SIGNATURE }, "hostB", CERTIFICATE_SERVER, CERTIFICATE_USE_ODD },
    { { .usage = GNUTLS_KEY_DIGITAL_SIGNATURE, .is_rsa = 1 }, "hostB", CERTIFICATE_SERVER, CERTIFICATE_USE },
    { { .usage = GNUTLS_KEY_KEY_ENCIPHERMENT }, "hostB", CERTIFICATE_SERVER, CERTIFICATE_USE },
    { { .until = NOW - 1, .name = "other" },
      "hostB",
      CERTIFICATE_SERVER,
      CERTIFICATE_EXPIRED | CERTIFICATE_NAME },
};

START_TEST(a_certificate_is_judged_on_both_sides_of_each_border)
    {
        __attribute__((cleanup(made_done))) struct made ca = { 0 };
        struct judgement j;

        ca_make(&ca, NOW + DAYS(1000));
        for (size_t i = 0; i < TEST_ROWS(rows); i++) {
            struct certificates own = cert_make(&ca, &rows[i].wish);

            certificate_judge(&own, &ca.cert, rows[i].name, rows[i].use, NOW, &j);
            ck_assert_msg(j.problems == rows[i].problems, "row %zu: problems %u, not %u", i, j.problems,
                          rows[i].problems);
            certificates_done(&own);
        }
    }
END_TEST

START_TEST(another_ca_of_the_same_name_is_no_ca_of_ours_and_an_old_one_is_said_to_be_old)
    {
        __attribute__((cleanup(made_done))) struct made ca = { 0 }, other = { 0 }, old = { 0 };
        struct judgement j;

        ca_make(&ca, NOW + DAYS(1000));
        ca_make(&other, NOW + DAYS(1000));
        ca_make(&old, NOW - 1);
        struct certificates own = cert_make(&ca, &(struct wish){ .until = NOW - 1 });
        struct certificates of_old = cert_make(&old, &(struct wish){ 0 });

        certificate_judge(&own, &other.cert, "hostB", CERTIFICATE_SERVER, NOW, &j);
        ck_assert_uint_eq(j.problems, CERTIFICATE_CA | CERTIFICATE_EXPIRED);
        certificate_judge(&of_old, &old.cert, "hostB", CERTIFICATE_SERVER, NOW, &j);
        ck_assert_uint_eq(j.problems, CERTIFICATE_CA_EXPIRED);
        certificates_done(&own);
        certificates_done(&of_old);
    }
END_TEST

/* Signed by root; what it signs leads there. */
static void between_make(const struct made *root, struct made *ret, time_t until)
{
    gnutls_x509_crt_t crt;

    ck_assert_int_ge(gnutls_x509_privkey_init(&ret->key), 0);
    ck_assert_int_ge(gnutls_x509_privkey_generate(ret->key, GNUTLS_PK_ECDSA,
                                                  GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
                     0);
    crt = begin(ret->key, "between", NOW - DAYS(1000), until);
    ck_assert_int_ge(gnutls_x509_crt_set_ca_status(crt, 1), 0);
    ck_assert_int_ge(gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN), 0);
    ck_assert_int_ge(gnutls_x509_crt_sign2(crt, root->cert.list[0], root->key, GNUTLS_DIG_SHA256, 0), 0);
    ret->cert = one(crt);
}

static const struct {
    time_t between, root;
    bool trusts_between; /* the file of CAs has the one between, and not the root */
    unsigned problems;
} chains[] = {
    { NOW + DAYS(1), NOW + DAYS(1), false, 0 },
    { NOW - 1, NOW + DAYS(1), false, CERTIFICATE_CA_EXPIRED },
    { NOW + DAYS(1), NOW - 1, false, CERTIFICATE_CA_EXPIRED },
    { NOW + DAYS(1), NOW - 1, true, 0 },
};

START_TEST(all_that_leads_to_the_ca_must_be_of_today)
    {
        __attribute__((cleanup(made_done))) struct made root = { 0 }, between = { 0 };
        gnutls_x509_crt_t list[2];
        struct judgement j;

        ca_make(&root, chains[_i].root);
        between_make(&root, &between, chains[_i].between);
        struct certificates leaf = cert_make(&between, &(struct wish){ 0 });
        struct certificates own = { list, 2 };

        list[0] = leaf.list[0];
        list[1] = between.cert.list[0];
        certificate_judge(&own, chains[_i].trusts_between ? &between.cert : &root.cert, "hostB",
                          CERTIFICATE_SERVER, NOW, &j);
        ck_assert_uint_eq(j.problems, chains[_i].problems);
        certificates_done(&leaf);
    }
END_TEST

START_TEST(names_are_shown_and_what_could_move_a_terminal_is_not)
    {
        __attribute__((cleanup(made_done))) struct made ca = { 0 };
        struct judgement j;

        ca_make(&ca, NOW + DAYS(1000));
        struct certificates own = cert_make(&ca, &(struct wish){ 0 });
        char names[8] = "";

        certificate_judge(&own, &ca.cert, NULL, CERTIFICATE_SERVER, NOW, &j);
        ck_assert_str_eq(j.names, "hostB, 10.0.0.2");
        add_name(names, sizeof names, "a\033[b");
        ck_assert_str_eq(names, "a?[b");
        add_name(names, sizeof names, "much longer");
        ck_assert_str_eq(names, "a?[b, m");
        certificates_done(&own);
    }
END_TEST

/* ---- what a host says of QEMU's folder ---- */

static char *pem_of(const struct certificates *c)
{
    gnutls_datum_t out;

    ck_assert_int_ge(gnutls_x509_crt_export2(c->list[0], GNUTLS_X509_FMT_PEM, &out), 0);
    return (char *)out.data;
}

START_TEST(a_folder_is_read_whole_or_not_at_all)
    {
        __attribute__((cleanup(made_done))) struct made ca = { 0 };
        struct qemu_folder f;
        OWNED_TEXT said = { 0 };
        char *pem;

        ca_make(&ca, NOW + DAYS(1000));
        pem = pem_of(&ca.cert);
        text_add(&said,
                 "dir /etc/pki/qemu\nverify 0\nisdir\nthere ca-cert.pem\npem ca-cert.pem\n%s\nend\n"
                 "missing server-cert.pem\nclosed client-cert.pem\npem client-cert.pem\nnonsense\nend\n"
                 "there server-key.pem\nclosed client-key.pem\n",
                 pem);
        ck_assert(!qemu_folder_of_answer(text_of(&said), &f)); /* the time is missing: it was cut */
        qemu_folder_done(&f);
        text_add(&said, "now 1800000000\n");
        ck_assert(qemu_folder_of_answer(text_of(&said), &f));
        ck_assert_str_eq(f.path, "/etc/pki/qemu");
        ck_assert(f.is_there && !f.verifies);
        ck_assert_uint_eq(f.certificates[QEMU_CA].n, 1);
        ck_assert_uint_eq(f.certificates[QEMU_CLIENT_CERT].n, 0);
        ck_assert_int_eq(f.state[QEMU_CA], QEMU_THERE);
        ck_assert_int_eq(f.state[QEMU_SERVER_CERT], QEMU_MISSING);
        ck_assert_int_eq(f.state[QEMU_CLIENT_CERT], QEMU_CLOSED);
        ck_assert_int_eq(f.state[QEMU_SERVER_KEY], QEMU_THERE);
        ck_assert_int_eq(f.state[QEMU_CLIENT_KEY], QEMU_CLOSED);
        ck_assert_int_eq(f.now_s, 1800000000);
        qemu_folder_done(&f);
        gnutls_free(pem);
    }
END_TEST

static const char *const torn[] = {
    "",
    "dir relative\nnow 1\n",
    "dir /x\npem ca-cert.pem\nno end\n",
    "dir /x\npem ca-cert.pem",
    "dir /x\npem other.pem\n\nend\nnow 1\n",
    "now 1",
};

START_TEST(what_is_torn_is_no_folder)
    {
        struct qemu_folder f;

        ck_assert_msg(!qemu_folder_of_answer(torn[_i], &f), "'%s'", torn[_i]);
        qemu_folder_done(&f);
    }
END_TEST

START_TEST(whom_qemu_is_stands_in_the_capabilities)
    {
        unsigned uid = 7, gid = 7;

        ck_assert(qemu_user_of_capabilities(
            "<secmodel><model>apparmor</model></secmodel><secmodel><model>dac</model><doi>0</doi>"
            "<baselabel type='kvm'>+64055:+108</baselabel></secmodel>",
            &uid, &gid));
        ck_assert_uint_eq(uid, 64055);
        ck_assert_uint_eq(gid, 108);
        ck_assert(!qemu_user_of_capabilities("<secmodel><model>dac</model></secmodel>", &uid, &gid));
        ck_assert(!qemu_user_of_capabilities("", &uid, &gid));
    }
END_TEST

/* ---- what libvirtd asks ---- */

static const struct {
    const unsigned char *body;
    size_t n;
    bool is_known, nothing, sasl;
} lists[] = {
    { (const unsigned char *)"\0\0\0\1\0\0\0\0", 8, true, true, false },
    { (const unsigned char *)"\0\0\0\1\0\0\0\1", 8, true, false, true },
    { (const unsigned char *)"\0\0\0\2\0\0\0\1\0\0\0\0", 12, true, false, true },
    { (const unsigned char *)"\0\0\0\1\0\0\0\2", 8, true, false, false }, /* polkit */
    { (const unsigned char *)"\0\0\0\2\0\0\0\1", 8, false, false, false },
    { (const unsigned char *)"\xff\xff\xff\xff\0\0\0\0", 8, false, false, false },
    { (const unsigned char *)"\0\0\0\0", 4, false, false, false },
    { (const unsigned char *)"\0\0", 2, false, false, false },
};

START_TEST(what_a_daemon_asks_is_taken_if_it_is_whole)
    {
        struct auth a = { .is_known = false };

        ck_assert_int_eq(auth_of_list(lists[_i].body, lists[_i].n, &a), lists[_i].is_known);
        ck_assert_int_eq(a.is_known, lists[_i].is_known);
        ck_assert_int_eq(a.asks_nothing, lists[_i].nothing);
        ck_assert_int_eq(a.asks_sasl, lists[_i].sasl);
    }
END_TEST

START_TEST(mechanisms_are_words_and_nothing_else)
    {
        struct auth a = { .is_known = false };

        ck_assert(auth_of_mechanisms((const unsigned char *)"\0\0\0\6GSSAPI\0\0", 12, &a));
        ck_assert_str_eq(a.mechanisms, "GSSAPI");
        ck_assert(!auth_of_mechanisms((const unsigned char *)"\0\0\0\6GS\033API\0\0", 12, &a));
        ck_assert_str_eq(a.mechanisms, "");
        ck_assert(!auth_of_mechanisms((const unsigned char *)"\0\0\0\x09GSSAPI\0\0", 12, &a));
        ck_assert(!auth_of_mechanisms((const unsigned char *)"\0\0", 2, &a));
    }
END_TEST

/* The other end of a socket pair, as libvirtd without authentication speaks; silent when there is no answer.
 */
struct daemon {
    int fd;
    const unsigned char *answer;
    size_t n;
};
static void *serve(void *context)
{
    struct daemon *d = context;
    unsigned char asked[HEAD];

    if (recv(d->fd, asked, sizeof asked, MSG_WAITALL) == (ssize_t)sizeof asked && d->n)
        (void)!write(d->fd, d->answer, d->n);
    return NULL;
}

static void asked_of(const unsigned char *answer, size_t n, struct auth *ret)
{
    int fds[2];
    pthread_t thread;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    struct daemon d = { fds[1], answer, n };
    ck_assert_int_eq(fcntl(fds[1], F_SETFL, 0), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, serve, &d), 0);
    auth_ask(&(struct stream){ .fd = fds[0], .until_ms = stream_now_ms() + 300 }, ret);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

#define ANSWER(status)                                                                                       \
    "\0\0\0\x24\x20\0\x80\x86\0\0\0\1\0\0\0\x42\0\0\0\1\0\0\0\x42\0\0\0" status "\0\0\0\1\0\0\0\0"

START_TEST(an_answer_is_believed_only_if_it_is_one)
    {
        struct auth a;

        asked_of((const unsigned char *)ANSWER("\0"), 36, &a);
        ck_assert(a.is_known && a.asks_nothing);
        asked_of((const unsigned char *)ANSWER("\1"), 36, &a);
        ck_assert(!a.is_known);
        asked_of((const unsigned char *)"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", 32, &a);
        ck_assert(!a.is_known);
    }
END_TEST

START_TEST(a_silent_daemon_costs_the_time_that_was_given)
    {
        const int64_t begun = stream_now_ms();
        struct auth a;

        asked_of(NULL, 0, &a);
        ck_assert(!a.is_known);
        ck_assert_int_ge(stream_now_ms() - begun, 290);
        ck_assert_int_lt(stream_now_ms() - begun, 1500);
    }
END_TEST

TEST_MAIN("plugin/tls", a_certificate_is_judged_on_both_sides_of_each_border,
          another_ca_of_the_same_name_is_no_ca_of_ours_and_an_old_one_is_said_to_be_old,
          LOOP(all_that_leads_to_the_ca_must_be_of_today, TEST_ROWS(chains)),
          names_are_shown_and_what_could_move_a_terminal_is_not, a_folder_is_read_whole_or_not_at_all,
          LOOP(what_is_torn_is_no_folder, TEST_ROWS(torn)), whom_qemu_is_stands_in_the_capabilities,
          LOOP(what_a_daemon_asks_is_taken_if_it_is_whole, TEST_ROWS(lists)),
          mechanisms_are_words_and_nothing_else, an_answer_is_believed_only_if_it_is_one,
          a_silent_daemon_costs_the_time_that_was_given)
