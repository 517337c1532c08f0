/* SPDX-License-Identifier: Apache-2.0
 * The copy engine between real files, by the driver as it is loaded: by io_uring and by threads, sparse, of
 * odd lengths and names, and locked as QEMU locks images. */
#include "copy/copy.h"

#include "../plugin/plugin-build.h"
#include "base/owned.h"
#include "base/text.h"
#include "check-main.h"
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define MIB (UINT64_C(1) << 20)
#define TIB (UINT64_C(1) << 40)

static struct error err;
static const char *uring;
static char folder[64], from_path[200], to_path[200];

static const char *config(void *context, const char *section, const char *key)
{
    (void)context;
    return text_equal(section, "local-block") && text_equal(key, "io_uring") ? uring : NULL;
}

static const struct call_host host = { .host = "hostA", .config = config };

static void begin(const char *from, const char *to)
{
    char plugins[PATH_MAX];

    ck_assert_ptr_nonnull(getenv("FERRY_BUILD"));
    (void)snprintf(plugins, sizeof plugins, "%s/plugins", getenv("FERRY_BUILD"));
    ck_assert_int_eq(registry_load(plugins, &err), 0);
    /* A file system of disks: not every one in memory has direct I/O. */
    (void)snprintf(folder, sizeof folder, "/var/tmp/virt-ferry-copy-test.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(from_path, sizeof from_path, "%s/%s", folder, from);
    (void)snprintf(to_path, sizeof to_path, "%s/%s", folder, to);
}

static void end(void)
{
    (void)unlink(from_path);
    (void)unlink(to_path);
    ck_assert_int_eq(rmdir(folder), 0);
    registry_unload();
}

static void make(const char *path, uint64_t length)
{
    OWNED_FD fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, (off_t)length), 0);
}

static void put(const char *path, uint64_t at, const void *bytes, size_t n)
{
    OWNED_FD fd = open(path, O_RDWR | O_CLOEXEC);

    ck_assert_int_eq(pwrite(fd, bytes, n, (off_t)at), (ssize_t)n);
}

static int open_end(struct copy_end *e, const char *path, bool to_write)
{
    const struct plugin_entry *owner = NULL;
    const struct ferry_storage *driver = registry_storage("local-block", &owner);
    const struct ferry_disk d = {
        .size = sizeof d, .target = "vda", .type = "file", .source = path, .format = "raw"
    };
    const struct end_place place = {
        .host = &host, .owner = owner, .driver = driver, .disk = &d, .name = path
    };

    err = (struct error){ 0 };
    ck_assert_ptr_nonnull(driver);
    return end_open(e, &place, to_write, &err);
}

static int copy(enum copy_verify verify, struct copy_progress *ret)
{
    const struct copy_wants wants = { .verify = verify };
    struct copy_end a = { 0 }, b = { 0 };
    int r;

    ck_assert_msg(open_end(&a, from_path, false) == 0, "%s", err.what);
    ck_assert_msg(open_end(&b, to_path, true) == 0, "%s", err.what);
    r = copy_run(&a, &b, &wants, ret, &err);
    end_close(&a);
    end_close(&b);
    return r;
}

static bool are_equal(void)
{
    OWNED_FD a = open(from_path, O_RDONLY | O_CLOEXEC);
    OWNED_FD b = open(to_path, O_RDONLY | O_CLOEXEC);
    static unsigned char x[65536], y[65536];

    for (off_t at = 0;; at += (off_t)sizeof x) {
        const ssize_t n = pread(a, x, sizeof x, at), m = pread(b, y, sizeof y, at);

        if (n != m || n < 0 || memcmp(x, y, (size_t)n) != 0)
            return false;
        if (n == 0)
            return true;
    }
}

static uint64_t occupied(const char *path)
{
    struct stat st;

    ck_assert_int_eq(stat(path, &st), 0);
    return (uint64_t)st.st_blocks * 512;
}

static const struct {
    const char *from, *to, *uring;
    uint64_t length;
} files[] = {
    { "from", "to", NULL, 10 * MIB },
    { "from", "to", "no", 10 * MIB },
    { "a b'c\"d\ne\xc3\xa9", "-rf", NULL, 10 * MIB + 1 },
    { "from", "to", "no", 10 * MIB + 511 },
    { "from", "to", NULL, 10 * MIB + 4095 },
    { "from", "to", NULL, 1 },
    { "from", "to", "no", 4097 },
};

/* Data, a hole, zeroes that were written, and the last byte. */
static void fill(uint64_t length)
{
    static unsigned char bytes[MIB];

    make(from_path, length);
    make(to_path, length);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 13) | 1;
    if (length > 9 * MIB) {
        put(from_path, 0, bytes, sizeof bytes);
        put(from_path, 5 * MIB - 100, bytes, sizeof bytes);
        memset(bytes + 4096, 0, sizeof bytes - 4096);
        put(from_path, 8 * MIB, bytes, sizeof bytes);
    }
    put(from_path, length - 1, "x", 1);
}

START_TEST(files_arrive_and_stay_sparse)
    {
        struct copy_progress p;

        begin(files[_i].from, files[_i].to);
        uring = files[_i].uring;
        fill(files[_i].length);
        ck_assert_msg(copy(COPY_VERIFY_FULL, &p) == 0, "%s: %s", err.what, err.why);
        ck_assert(are_equal());
        ck_assert_uint_eq(p.verified_bytes, files[_i].length);
        if (files[_i].length > 9 * MIB)
            ck_assert_uint_lt(occupied(to_path), 2 * MIB + 64 * 1024);
        end();
    }
END_TEST

START_TEST(old_bytes_of_a_destination_do_not_show_through)
    {
        static unsigned char old[3 * MIB];
        struct copy_progress p;

        begin("from", "to");
        uring = _i ? "no" : NULL;
        make(from_path, 3 * MIB);
        make(to_path, 3 * MIB);
        memset(old, 0xaa, sizeof old);
        put(to_path, 0, old, sizeof old);
        put(from_path, MIB + 5000, "new", 3);
        ck_assert_msg(copy(COPY_VERIFY_SAMPLED, &p) == 0, "%s: %s", err.what, err.why);
        ck_assert(are_equal());
        end();
    }
END_TEST

START_TEST(eight_tib_with_little_in_them_take_no_time)
    {
        static unsigned char bytes[MIB];
        struct copy_progress p;
        const time_t began = time(NULL);

        begin("from", "to");
        uring = NULL;
        make(from_path, 8 * TIB);
        make(to_path, 8 * TIB);
        memset(bytes, 7, sizeof bytes);
        put(from_path, 5 * TIB + 12345, bytes, sizeof bytes);
        ck_assert_msg(copy(COPY_VERIFY_FULL, &p) == 0, "%s: %s", err.what, err.why);
        ck_assert_uint_eq(p.whole_bytes, 8 * TIB);
        ck_assert_uint_le(p.read_bytes, MIB + 8192);
        ck_assert_int_lt(time(NULL) - began, 10);
        end();
    }
END_TEST

/* Who has the image open, and who is refused then. */
static const struct {
    bool first_writes, second_writes, is_refused;
} locks[] = {
    { false, false, false },
    { false, true, true },
    { true, false, true },
    { true, true, true },
};

START_TEST(an_image_in_use_is_refused)
    {
        struct copy_end a = { 0 }, b = { 0 };
        int r;

        begin("from", "to");
        make(from_path, MIB);
        ck_assert_int_eq(open_end(&a, from_path, locks[_i].first_writes), 0);
        r = open_end(&b, from_path, locks[_i].second_writes);
        ck_assert_int_eq(r < 0, locks[_i].is_refused);
        if (r < 0)
            ck_assert_msg(strstr(err.what, "is in use on host 'hostA'") != NULL, "%s", err.what);
        end_close(&b);
        end_close(&a);
        ck_assert_int_eq(open_end(&a, from_path, true), 0);
        end_close(&a);
        end();
    }
END_TEST

/* QEMU itself, where it is installed. */
START_TEST(qemu_and_we_refuse_each_other)
    {
        struct copy_end a = { 0 };
        char command[400];

        begin("from", "to");
        make(from_path, MIB);
        (void)snprintf(command, sizeof command, "qemu-io -f raw -c 'write 0 512' '%s' >/dev/null 2>&1",
                       from_path);
        if (build_run("command -v qemu-io >/dev/null") == 0) {
            ck_assert_int_eq(build_run(command), 0);
            ck_assert_int_eq(open_end(&a, from_path, _i), 0);
            ck_assert_int_ne(build_run(command), 0);
            end_close(&a);
            (void)snprintf(command, sizeof command,
                           "qemu-io -f raw -c 'write 0 512' -c 'sleep 600' '%s' >/dev/null 2>&1 & sleep 0.3",
                           from_path);
            ck_assert_int_eq(build_run(command), 0);
            ck_assert_int_lt(open_end(&a, from_path, _i), 0);
            ck_assert_msg(strstr(err.what, "is in use") != NULL, "%s", err.what);
            (void)usleep(600000);
        }
        end();
    }
END_TEST

static const struct {
    const char *path, *what;
} unopenable[] = {
    { "/nonexistent/image", "could not open '/nonexistent/image': No such file or directory" },
    { "/dev/null", "could not open '/dev/null': Invalid argument" },
    { "/", "could not open '/': Invalid argument" },
    { "image", "image 'image' has no absolute path" },
};

START_TEST(what_is_no_image_is_not_opened)
    {
        struct copy_end a = { 0 };

        begin("from", "to");
        ck_assert_int_lt(open_end(&a, unopenable[_i].path, false), 0);
        ck_assert_msg(strstr(err.what, unopenable[_i].what) != NULL, "%s", err.what);
        ck_assert(err.fix[0]);
        end();
    }
END_TEST

TEST_MAIN("copy/files", LOOP(files_arrive_and_stay_sparse, TEST_ROWS(files)),
          LOOP(old_bytes_of_a_destination_do_not_show_through, 2), eight_tib_with_little_in_them_take_no_time,
          LOOP(an_image_in_use_is_refused, TEST_ROWS(locks)), LOOP(qemu_and_we_refuse_each_other, 2),
          LOOP(what_is_no_image_is_not_opened, TEST_ROWS(unopenable)))
