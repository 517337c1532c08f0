/* SPDX-License-Identifier: Apache-2.0
 * What a host is asked about QEMU's certificates, run here: qemu.conf as it may be written. And which file of
 * passwords libvirt would read. */
#include "../../../plugins/transport-tls/certificate.c" /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-tls/files.c"       /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-tls/qemu-words.c"  /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-tls/qemu.c"        /* NOLINT(bugprone-suspicious-include) */

#include "base/text.h"
#include "check-main.h"
#include <stdlib.h>
#include <sys/stat.h>

/* What is said of what was seen is not tried here. */
unsigned say_judgement(struct ferry_call *call, const struct ferry_services *services, const struct shown *c,
                       const struct judgement *j, int is_error)
{
    (void)call, (void)services, (void)c, (void)j, (void)is_error;
    return 0;
}
int say_unreadable(struct ferry_call *call, const struct ferry_services *services, const struct shown *c,
                   const char *id, const char *why, int is_error)
{
    (void)call, (void)services, (void)c, (void)id, (void)why, (void)is_error;
    return -1;
}

static char scratch[64];

static const char *in_scratch(const char *name)
{
    static char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", scratch, name);
    return path;
}

static void scratch_make(void)
{
    (void)snprintf(scratch, sizeof scratch, "/tmp/tls-look-test.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(scratch));
}

static void put_file(const char *name, const char *text)
{
    FILE *file = fopen(in_scratch(name), "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

/* The script, of a file that is ours. */
static void look_at(const char *conf, struct qemu_folder *ret)
{
    static const char path[] = "/etc/libvirt/qemu.conf";
    const char *at = strstr(look, path);
    OWNED_TEXT script = { 0 };
    char answer[4096];
    size_t n;
    FILE *said;

    ck_assert_ptr_nonnull(at);
    put_file("qemu.conf", conf);
    text_add(&script, "%.*s%s/qemu.conf%s", (int)(at - look), look, scratch, at + strlen(path));
    ck_assert_int_eq(setenv("SCRIPT", text_of(&script), 1), 0);
    said = popen("sh -c \"$SCRIPT\" </dev/null", "r"); /* NOLINT(cert-env33-c) */
    ck_assert_ptr_nonnull(said);
    n = fread(answer, 1, sizeof answer - 1, said);
    answer[n] = '\0';
    ck_assert_int_eq(pclose(said), 0);
    ck_assert_msg(qemu_folder_of_answer(answer, ret), "%s", answer);
}

static const struct {
    const char *conf, *path;
    bool verifies;
} confs[] = {
    { "migrate_tls_x509_cert_dir = \"/nowhere/a\"\n", "/nowhere/a", true },
    { "migrate_tls_x509_cert_dir='/nowhere/b'\nmigrate_tls_x509_verify=0\n", "/nowhere/b", false },
    { "migrate_tls_x509_cert_dir = \"/nowhere/c\"  # ours\nmigrate_tls_x509_verify = 0 # none\n",
      "/nowhere/c", false },
    { "migrate_tls_x509_cert_dir = \"/nowhere/old\"\n\tmigrate_tls_x509_cert_dir = \"/nowhere/d\"\n"
      "default_tls_x509_verify = 0\nmigrate_tls_x509_verify = 1\n",
      "/nowhere/d", true },
    { "#migrate_tls_x509_verify = 0\nmigrate_tls_x509_cert_dir = \"/nowhere/e\"\n", "/nowhere/e", true },
};

START_TEST(qemus_folder_is_found_however_the_file_is_written)
    {
        struct qemu_folder f;

        scratch_make();
        look_at(confs[_i].conf, &f);
        ck_assert_str_eq(f.path, confs[_i].path);
        ck_assert_int_eq(f.verifies, confs[_i].verifies);
        ck_assert(!f.is_there && f.state[QEMU_CA] == QEMU_MISSING);
        qemu_folder_done(&f);
        ck_assert_int_eq(unlink(in_scratch("qemu.conf")) | rmdir(scratch), 0);
    }
END_TEST

static const struct {
    const char *variable, *xdg, *authfile, *taken; /* NULL = not set; "-" for a file that is not there */
} passwords[] = {
    { "one", NULL, NULL, "one" },
    { "one", NULL, "two", "one" }, /* libvirt's order */
    { "-", NULL, "two", NULL },
    { NULL, NULL, "two", "two" },
    { NULL, NULL, "-", NULL },
    { NULL, "xdg", NULL, "xdg/libvirt/auth.conf" },
    { NULL, "-", NULL, NULL }, /* then not in HOME */
    { NULL, NULL, NULL, ".config/libvirt/auth.conf" },
};

static void folders_of_passwords(bool is_made)
{
    static const char *const folders[] = { "xdg", "xdg/libvirt", ".config", ".config/libvirt" };
    static const char *const files[] = { "one", "two", "xdg/libvirt/auth.conf", ".config/libvirt/auth.conf" };

    for (size_t i = 0; is_made && i < TEST_ROWS(folders); i++)
        ck_assert_int_eq(mkdir(in_scratch(folders[i]), 0700), 0);
    for (size_t i = 0; i < TEST_ROWS(files); i++)
        if (is_made)
            put_file(files[i], "");
        else
            ck_assert_int_eq(unlink(in_scratch(files[i])), 0);
    for (size_t i = TEST_ROWS(folders); !is_made && i-- > 0;)
        ck_assert_int_eq(rmdir(in_scratch(folders[i])), 0);
    if (!is_made)
        ck_assert_int_eq(rmdir(scratch), 0);
}

static void set_to(const char *variable, const char *name)
{
    ck_assert_int_eq(name ? setenv(variable, in_scratch(name), 1) : unsetenv(variable), 0);
}

START_TEST(the_file_of_passwords_is_the_one_that_libvirt_would_read)
    {
        char authfile[128], path[512] = "";
        bool is_found;

        if (access("/etc/libvirt/auth.conf", F_OK) == 0)
            return; /* the last that is looked for is there */
        scratch_make();
        folders_of_passwords(true);
        set_to("HOME", "");
        set_to("LIBVIRT_AUTH_FILE", passwords[_i].variable);
        set_to("XDG_CONFIG_HOME", passwords[_i].xdg);
        (void)snprintf(authfile, sizeof authfile, "%s/%s", scratch,
                       passwords[_i].authfile ? passwords[_i].authfile : "");
        is_found = files_passwords(passwords[_i].authfile ? authfile : NULL, path, sizeof path);
        ck_assert_int_eq(is_found, passwords[_i].taken != NULL);
        if (is_found)
            ck_assert_msg(text_ends(path, passwords[_i].taken), "%s", path);
        folders_of_passwords(false);
    }
END_TEST

TEST_MAIN("plugin/tls-look", LOOP(qemus_folder_is_found_however_the_file_is_written, TEST_ROWS(confs)),
          LOOP(the_file_of_passwords_is_the_one_that_libvirt_would_read, TEST_ROWS(passwords)))
