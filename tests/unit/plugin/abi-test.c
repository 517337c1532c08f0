/* SPDX-License-Identifier: Apache-2.0
 * ABI 1 for ever: what was frozen in tests/data/abi/1 stands where it stood, and a plugin that was built
 * against it is loaded, asked and answered by this virt-ferry. */
#include "plugin/call.h"

#include "../copy/memory.h"
#include "base/text.h"
#include "check-main.h"
#include "plugin-build.h"
#include <string.h>

#define FROZEN "tests/data/abi/1"
#define LINE 160

static struct error err;
static struct build b;

static const char *cc(void)
{
    const char *named = getenv("CC");

    return named && *named ? named : "cc";
}

/* ---- layout ---- */

static void print_layout(const char *headers, const char *name)
{
    char command[600];

    (void)snprintf(command, sizeof command,
                   "%s -std=gnu11 -I%s -DMEMBERS='\"1/members.h\"' -o '%s/layout' tests/data/abi/layout.c && "
                   "'%s/layout' >'%s'",
                   cc(), headers, b.folder, b.folder, build_path(&b, name));
    ck_assert_int_eq(build_run(command), 0);
}

START_TEST(what_was_frozen_was_not_changed_since)
    {
        char command[300];

        b = build_begin();
        print_layout(FROZEN, "frozen");
        (void)snprintf(command, sizeof command, "diff " FROZEN "/layout.txt '%s'", build_path(&b, "frozen"));
        if (sizeof(void *) == 8)
            ck_assert_int_eq(build_run(command), 0);
        build_end(&b);
    }
END_TEST

/* "member ferry_x y 8 4", "size ferry_x 64": the figures behind the names, 0 where there is none. */
struct row {
    char kind[16], name[80], rest[3][80];
};

static struct row row_of(const char *line)
{
    struct row r = { .kind = "" };

    (void)sscanf(line, "%15s %79s %79s %79s %79s", r.kind, r.name, r.rest[0], r.rest[1], r.rest[2]);
    return r;
}

static size_t figure(const struct row *r, int i)
{
    return strtoul(r->rest[i], NULL, 10);
}

/* A struct may have grown; what it had stands where it stood. */
static bool is_kept(const char *before, const char *now)
{
    const struct row was = row_of(before), is = row_of(now);

    if (strcmp(was.kind, "size") == 0)
        return strcmp(is.kind, "size") == 0 && strcmp(was.name, is.name) == 0 &&
               figure(&is, 0) >= figure(&was, 0);
    return strcmp(before, now) == 0;
}

START_TEST(all_of_it_stands_where_it_stood)
    {
        char before[LINE], now[LINE];
        FILE *a, *z;

        b = build_begin();
        print_layout(FROZEN, "frozen");
        print_layout("core/plugin", "now");
        a = fopen(build_path(&b, "frozen"), "r");
        z = fopen(build_path(&b, "now"), "r");
        ck_assert(a && z);
        while (fgets(before, sizeof before, a)) {
            ck_assert_ptr_nonnull(fgets(now, sizeof now, z));
            ck_assert_msg(is_kept(before, now), "was: %snow: %s", before, now);
        }
        ck_assert_int_eq(fclose(a) | fclose(z), 0);
        build_end(&b);
    }
END_TEST

/* The list of members was made once: nothing may be missing in it. */
START_TEST(the_list_of_what_was_frozen_has_no_gap)
    {
        size_t end = 0, size = 0;
        char line[LINE];
        FILE *f = fopen(FROZEN "/layout.txt", "r");

        ck_assert_ptr_nonnull(f);
        while (fgets(line, sizeof line, f)) {
            const struct row r = row_of(line);

            if (strcmp(r.kind, "member") == 0) {
                ck_assert_msg(figure(&r, 1) >= end && figure(&r, 1) - end < 8, "before: %s", line);
                end = figure(&r, 1) + figure(&r, 2);
                continue;
            }
            ck_assert_msg(size >= end && size - end < 8, "before: %s", line);
            end = 0;
            size = strcmp(r.kind, "size") == 0 ? figure(&r, 0) : 0;
        }
        ck_assert_int_eq(fclose(f), 0);
    }
END_TEST

/* ---- the plugin ---- */

static const char *config(void *context, const char *section, const char *key)
{
    (void)context;
    return text_equal(section, "abi-1") && text_equal(key, "present") ? "yes" : NULL;
}

static char journalled[200];

static int journal(void *context, const char *driver, const char *what, const char *place, const char *name,
                   const char *identity, struct error *e)
{
    (void)context;
    (void)e;
    (void)snprintf(journalled, sizeof journalled, "%s %s %s %s %s", driver, what, place, name,
                   identity ? identity : "-");
    return 0;
}

static const struct call_host host = { .host = "hostB", .config = config, .journal = journal };
static const struct plugin_entry *entry;
static const char *const headers[] = { FROZEN, "core/plugin" };

/* As the comment at its top says. */
static void load(int i)
{
    char command[600];

    b = build_begin();
    (void)snprintf(
        command, sizeof command,
        "%s -std=gnu11 -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -I%s -o '%s' " FROZEN
        "/plugin.c",
        cc(), headers[i], build_path(&b, "abi-1.so"));
    ck_assert_int_eq(build_run(command), 0);
    ck_assert_int_eq(registry_load(b.folder, &err), 0);
    ck_assert_uint_eq(registry_count(), 1);
    entry = registry_at(0);
    ck_assert_msg(!entry->refused, "%s", entry->refused);
    ck_assert_uint_eq(entry->n_storage, 1);
    ck_assert_uint_eq(entry->n_transports, 1);
}

static struct ferry_call begin(struct facts *f)
{
    struct ferry_call call;

    err = (struct error){ 0 };
    ck_assert_int_eq(call_begin(&call, &host, entry, "abi-1", "vda", f, &err), 0);
    return call;
}

static const struct disk image = { .target = "vda", .type = DISK_FILE, .source = "/abi/1", .format = "raw" };

START_TEST(its_storage_is_asked_and_answers)
    {
        struct facts *f = facts_new();
        const struct ferry_storage *s;
        const struct ferry_disk d = call_disk(&image, NULL);
        const struct ferry_disk *const all[] = { &d };
        const struct ferry_new_image new_image = { .size = sizeof new_image,
                                                   .disk = &d,
                                                   .capacity_bytes = 4096 };
        struct ferry_identity identity = { .size = sizeof identity };
        struct ferry_image seen = { .size = sizeof seen };
        struct ferry_call call;

        load(_i);
        s = call_claim(&host, &image, NULL, NULL);
        ck_assert(s && strcmp(s->name, "abi-1-storage") == 0);
        call = begin(f);
        s->look_ahead(&call, &call_services, all, 1);
        ck_assert_int_eq(s->identify(&call, &call_services, &d, &identity), 0);
        ck_assert_str_eq(identity.identity, "abi-1:/abi/1");
        ck_assert_str_eq(identity.evidence, "seen on hostB, ahead 1, size 1 of file raw");
        ck_assert_uint_eq(identity.was_read, 1);
        ck_assert_int_eq(s->inspect(&call, &call_services, &d, &seen), 0);
        ck_assert_uint_eq(seen.present, 1);
        ck_assert_uint_eq(seen.capacity_bytes, 65536);
        ck_assert_uint_eq(seen.allocated_bytes, FERRY_NOT_KNOWN);
        ck_assert_uint_eq(seen.keeps_length, 1);
        ck_assert_int_eq(s->check(&call, &call_services, &d), 0);
        ck_assert_uint_eq(f->findings.n, 1);
        ck_assert_str_eq(f->findings.list[0].id, "abi-1-checked");
        ck_assert_int_eq(s->create(&call, &call_services, &new_image), 0);
        ck_assert_str_eq(journalled, "abi-1 image /abi 1 -");
        ck_assert_int_eq(s->remove(&call, &call_services, "image", "/abi", "1", "other"), 1);
        ck_assert_int_eq(s->retire(&call, &call_services, &d, "abi-1:/abi/1"), 0);
        call_done(&call);
        facts_free(f);
        build_end(&b);
    }
END_TEST

static void open_end(struct copy_end *e, const struct ferry_storage *driver, const char *source)
{
    const struct ferry_disk d = { .size = sizeof d, .target = "vda", .type = "file", .source = source };
    const struct end_place place = {
        .host = &host, .owner = entry, .driver = driver, .disk = &d, .name = source
    };

    ck_assert_msg(end_open(e, &place, driver != &memory_storage, &err) == 0, "%s", err.what);
}

START_TEST(its_block_input_and_output_serves_the_copy_engine)
    {
        const struct copy_wants wants = { .verify = COPY_VERIFY_FULL };
        struct copy_end from = { 0 }, to = { 0 };
        struct copy_progress p;
        struct memory m;
        char source[32];

        load(_i);
        memory_begin(&m, 65536, 7);
        (void)snprintf(source, sizeof source, "%llx", (unsigned long long)(uintptr_t)&m);
        open_end(&from, &memory_storage, source);
        open_end(&to, &entry->storage[0], "/abi/1");
        ck_assert_msg(copy_run(&from, &to, &wants, &p, &err) == 0, "%s: %s", err.what, err.why);
        end_close(&from);
        end_close(&to);
        ck_assert_uint_eq(p.written_bytes, 65536);
        ck_assert_uint_eq(p.verified_bytes, 65536);
        memory_end(&m);
        build_end(&b);
    }
END_TEST

START_TEST(its_transport_is_asked_and_answers)
    {
        struct facts *f = facts_new();
        const struct ferry_transport *t;
        struct ferry_route route = { .size = sizeof route };
        struct ferry_parameter parameter = { .size = sizeof parameter };
        struct ferry_way way = { .size = sizeof way };
        struct ferry_call call;

        load(_i);
        t = registry_transport_for_scheme("qemu+abi1", NULL);
        ck_assert_ptr_nonnull(t);
        ck_assert_uint_eq(t->preference, 1000);
        ck_assert_ptr_null(t->rides);
        call = begin(f);
        ck_assert_str_eq(t->uri(&call, &call_services, "there"), "qemu+abi1://there/system");
        ck_assert_int_eq(t->probe(&call, &call_services, "qemu+abi1://there/system", &route), 0);
        ck_assert_str_eq(route.address, "127.0.0.9");
        ck_assert_uint_eq(route.protects_control, FERRY_PROTECTS_ENCRYPTION);
        ck_assert_int_eq(t->parameter(&call, &call_services, &route, 0, &parameter), 0);
        ck_assert_str_eq(parameter.value, "tcp:127.0.0.9");
        route.data_address = "10.0.0.9";
        ck_assert_int_eq(t->parameter(&call, &call_services, &route, 0, &parameter), 0);
        ck_assert_str_eq(parameter.value, "tcp:10.0.0.9");
        ck_assert_int_eq(t->parameter(&call, &call_services, &route, 2, &parameter), 1);
        ck_assert_int_eq(t->open(&call, &call_services, "qemu+abi1://there/system", "/run/x", &way), 0);
        ck_assert_str_eq(way.socket, "/run/x/socket");
        ck_assert_int_eq(t->check(&call, &call_services, "", &route, 1), 0);
        ck_assert_uint_eq(f->findings.n, 1);
        ck_assert_int_lt(t->open_data(&call, &call_services, "", "", &route, "0:0"), 0);
        ck_assert_int_lt(call_failed(&call, NULL), 0);
        ck_assert_str_eq(err.what, "no data for '0:0'");
        t->close(&call, &call_services);
        call_done(&call);
        facts_free(f);
        build_end(&b);
    }
END_TEST

START_TEST(it_passes_the_conformance_run)
    {
        char command[400];

        load(_i);
        (void)snprintf(command, sizeof command,
                       "'%s/virt-ferry' plugin check '%s' >'%s/said' || { cat '%s/said'; exit 1; }",
                       getenv("FERRY_BUILD"), build_path(&b, "abi-1.so"), b.folder, b.folder);
        ck_assert_int_eq(build_run(command), 0);
        build_end(&b);
    }
END_TEST

TEST_MAIN("plugin/abi", what_was_frozen_was_not_changed_since, all_of_it_stands_where_it_stood,
          the_list_of_what_was_frozen_has_no_gap, LOOP(its_storage_is_asked_and_answers, TEST_ROWS(headers)),
          LOOP(its_block_input_and_output_serves_the_copy_engine, TEST_ROWS(headers)),
          LOOP(its_transport_is_asked_and_answers, TEST_ROWS(headers)),
          LOOP(it_passes_the_conformance_run, TEST_ROWS(headers)))
