/* SPDX-License-Identifier: Apache-2.0
 * Facts as JSON and back: nothing is lost, nothing unknown is invented, nothing hostile is accepted. */
#include "base/text.h"
#include "data.h"
#include "facts/json.h"

static struct facts *read_text(const char *text, struct error *err)
{
    OWNED_JSON j = json_read(text, strlen(text), "the test", err);

    ck_assert_msg(j != NULL, "%s (%s)", err->what, err->why);
    return facts_from_json(j, err);
}

START_TEST(every_member_of_the_model_survives_the_round_trip)
    {
        struct error err = { 0 };
        size_t n;
        OWNED_MEMORY char *text = data_read("every-member.facts.json", &n);
        OWNED(facts) f = read_text(text, &err);

        ck_assert_msg(f != NULL, "%s", err.what);
        OWNED_MEMORY char *again = facts_text(f);
        data_expect("every-member.facts.json", again);
    }
END_TEST

START_TEST(members_land_where_they_belong)
    {
        struct error err = { 0 };
        size_t n;
        OWNED_MEMORY char *text = data_read("every-member.facts.json", &n);
        OWNED(facts) f = read_text(text, &err);

        ck_assert_msg(f != NULL, "%s", err.what);
        const struct disk *d = facts_disk(f, "vda");
        ck_assert_ptr_nonnull(d);
        ck_assert_int_eq(d->type, DISK_FILE);
        ck_assert_int_eq(d->sharing, SHARING_PROVED);
        ck_assert_int_eq(d->reads_zero, TRI_YES);
        ck_assert_int_eq(d->lock_enforced, TRI_NO);
        ck_assert_uint_eq(d->at_dest.free_bytes, 53687091201);
        ck_assert_uint_eq(d->n_chain, 1);
        ck_assert_str_eq(d->chain[0].source, "/dev/vg0/base");
        ck_assert_uint_eq(f->source.networks.n, 2);
        ck_assert_str_eq(f->source.networks.names[1], "storage");
        ck_assert_uint_eq(f->channels[0].protects_data, 2);
        ck_assert(f->channels[0].can_postcopy && f->channels[0].was_probed);
        ck_assert_int_eq(f->domain.run, RUN_RUNNING);
        ck_assert_uint_eq(f->history.samples, 7);
        ck_assert_uint_eq(f->domain.interfaces[0].dest_mtu, 9000);
        ck_assert_int_eq(f->domain.interfaces[0].at_dest, TRI_NO);
        ck_assert_str_eq(f->domain.cpu_disables.names[0], "hle");
        ck_assert_str_eq(f->domain.secrets[0].usage, "client.libvirt");
        ck_assert_uint_eq(f->dest.pools[0].free_bytes, 2000);
        ck_assert_uint_eq(f->dest.pages[0].free, 512);
        ck_assert_int_eq(f->dest.suits_cpu, TRI_YES);
        ck_assert_int_eq(f->dest.knows_machine, TRI_NO);
        ck_assert_int_eq(f->channels[0].data_port_open, TRI_YES);
        ck_assert_int_eq(f->findings.list[0].severity, REFUSES);
        ck_assert_str_eq(f->domain.interfaces[0].dest_source, "br1");
        ck_assert_str_eq(d->dest_source, "/data/images/web.qcow2");
        ck_assert_str_eq(f->domain.dtb, "/boot/board.dtb");
        ck_assert_int_eq(f->maps[1].kind, MAP_STORAGE);
        ck_assert(f->maps[0].is_used && !f->maps[1].is_used);
        ck_assert_uint_eq(d->at_dest.block_bytes, 4096);
        ck_assert_int_eq(d->at_dest.in_use, TRI_YES);
        ck_assert_int_eq(d->at_dest.is_device, TRI_NO);
        ck_assert_int_eq(d->at_dest.identity_read, TRI_YES);
        ck_assert_int_eq(d->at_source.head_read, TRI_YES);
        ck_assert_uint_eq(d->at_source.n_snapshots, 3);
        ck_assert_int_eq(d->at_source.is_open, TRI_YES);
        ck_assert_uint_eq(d->at_source.open_least_bytes, 2147483640);
        ck_assert_uint_eq(d->at_source.open_most_bytes, 2147483650);
        ck_assert_str_eq(d->at_source.base, "golden.qcow2");
        ck_assert_str_eq(d->at_source.base_format, "qcow2");
        ck_assert_str_eq(d->at_source.data_file, "vault.data");
        ck_assert_str_eq(f->overwrite.names[1], "vdb");
        ck_assert(f->domain.has_iothreads);
        ck_assert(channel_has_tls(&f->channels[0]));
        ck_assert_str_eq(channel_parameter(&f->channels[0], "tls.destination"), "hostB");
    }
END_TEST

START_TEST(a_new_member_of_the_model_needs_a_row_in_fields)
    {
        /* Whoever changes a figure here has added the row, and the member to every-member.facts.json. */
        ck_assert_uint_eq(sizeof(struct finding), 40);
        ck_assert_uint_eq(sizeof(struct parameter), 16);
        ck_assert_uint_eq(sizeof(struct disk_image), 176);
        ck_assert_uint_eq(sizeof(struct disk), 672);
        ck_assert_uint_eq(sizeof(struct interface), 64);
        ck_assert_uint_eq(sizeof(struct graphics), 32);
        ck_assert_uint_eq(sizeof(struct secret), 24);
        ck_assert_uint_eq(sizeof(struct device), 16);
        ck_assert_uint_eq(sizeof(struct dirty_window), 32);
        ck_assert_uint_eq(sizeof(struct memory_end), 32);
        ck_assert_uint_eq(sizeof(struct domain), 384);
        ck_assert_uint_eq(sizeof(struct pages), 16);
        ck_assert_uint_eq(sizeof(struct pool), 64);
        ck_assert_uint_eq(sizeof(struct mount), 24);
        ck_assert_uint_eq(sizeof(struct host), 392);
        ck_assert_uint_eq(sizeof(struct channel), 232);
        ck_assert_uint_eq(sizeof(struct several), 96);
        ck_assert_uint_eq(sizeof(struct constants), 88);
        ck_assert_uint_eq(sizeof(struct map), 40);
        ck_assert_uint_eq(sizeof(struct facts), 1328);
    }
END_TEST

START_TEST(what_is_not_known_is_absent_and_comes_back_not_known)
    {
        struct error err = { 0 };
        OWNED(facts) f = facts_new();

        facts_add_disk(f)->target = "vda";
        (void)facts_add_channel(f);
        f->channels[0].driver = "tcp";
        OWNED_MEMORY char *text = facts_text(f);
        ck_assert_ptr_null(strstr(text, "_bytes"));
        ck_assert_ptr_null(strstr(text, "_ms"));
        ck_assert_ptr_null(strstr(text, "null"));
        ck_assert_ptr_null(strstr(text, "present"));
        OWNED(facts) g = read_text(text, &err);
        ck_assert_msg(g != NULL, "%s", err.what);
        ck_assert_uint_eq(g->domain.memory_bytes, NOT_KNOWN);
        ck_assert_uint_eq(g->dest.cpus, NOT_KNOWN);
        ck_assert_uint_eq(g->history.samples, NOT_KNOWN);
        ck_assert_uint_eq(g->channels[0].latency_us, NOT_KNOWN);
        ck_assert_uint_eq(g->domain.disks[0].at_dest.free_bytes, NOT_KNOWN);
        ck_assert_ptr_null(g->domain.name);
    }
END_TEST

#define FACTS(members) "{\"schema\": \"virt-ferry-facts/0\"" members "}"
#define DISK(members)                                                                                        \
    FACTS(", \"domain\": {\"disks\": [{\"target\": \"vda\", \"type\": \"file\"" members "}]}")

START_TEST(absent_objects_read_as_not_known)
    {
        struct error err = { 0 };
        OWNED(facts) f = read_text(FACTS(""), &err);
        OWNED(facts) g = read_text(DISK(""), &err);

        ck_assert(f && g);
        ck_assert_uint_eq(f->domain.memory_bytes, NOT_KNOWN);
        ck_assert_uint_eq(f->source.memory_bytes, NOT_KNOWN);
        ck_assert_uint_eq(g->domain.disks[0].at_dest.capacity_bytes, NOT_KNOWN);
    }
END_TEST

static const struct {
    const char *figure;
    uint64_t read;
} figures[] = {
    { "0", 0 },
    { "9223372036854775807", INT64_MAX },
    { "-1", NOT_KNOWN },
    { "-9223372036854775808", NOT_KNOWN },
    { "1.0", NOT_KNOWN },
    { "1e3", NOT_KNOWN },
    { "\"17\"", NOT_KNOWN },
    { "null", NOT_KNOWN },
    { "true", NOT_KNOWN },
    { "[]", NOT_KNOWN },
};
START_TEST(figures_that_are_no_counts_read_as_not_known)
    {
        struct error err = { 0 };
        OWNED_TEXT text = { 0 };

        text_add(&text, FACTS(", \"domain\": {\"memory_bytes\": %s}"), figures[_i].figure);
        OWNED(facts) f = read_text(text_of(&text), &err);
        ck_assert_msg(f != NULL, "%s", err.what);
        ck_assert_uint_eq(f->domain.memory_bytes, figures[_i].read);
    }
END_TEST

START_TEST(protection_beyond_the_scale_reads_as_none)
    {
        struct error err = { 0 };
        OWNED(facts)
        f = read_text(FACTS(", \"channels\": [{\"driver\": \"a\", \"protects_data\": 3},"
                            "{\"driver\": \"b\", \"protects_data\": 2},"
                            "{\"driver\": \"c\", \"protects_data\": -1}]"),
                      &err);

        ck_assert_msg(f != NULL, "%s", err.what);
        ck_assert_uint_eq(f->channels[0].protects_data, 0);
        ck_assert_uint_eq(f->channels[1].protects_data, 2);
        ck_assert_uint_eq(f->channels[2].protects_data, 0);
    }
END_TEST

static const struct {
    const char *text, *what;
} refused[] = {
    { "{}", "'schema' is missing" },
    { "[]", "'schema' is missing" },
    { "{\"schema\": \"virt-ferry-facts/1\"}", "'virt-ferry-facts/1'" },
    { "{\"schema\": 0}", "'schema' is missing" },
    { FACTS(", \"domain\": []"), "'domain' is no object" },
    { FACTS(", \"domain\": {\"name\": 5}"), "'domain.name' is no text" },
    { FACTS(", \"domain\": {\"disks\": {}}"), "'domain.disks' is no list" },
    { FACTS(", \"domain\": {\"disks\": [null]}"), "'domain.disks[0]' is no object" },
    { FACTS(", \"domain\": {\"disks\": [{\"type\": \"file\"}]}"), "'domain.disks[0].target' is missing" },
    { FACTS(", \"domain\": {\"disks\": [{\"target\": \"vda\"}]}"), "'domain.disks[0].type' is missing" },
    { DISK(", \"readonly\": \"no\""), "'domain.disks[0].readonly' is neither" },
    { DISK(", \"sharing\": true"), "'domain.disks[0].sharing' is no word" },
    { DISK(", \"at_dest\": {\"identity\": []}"), "'domain.disks[0].at_dest.identity' is no text" },
    { FACTS(", \"dest\": {\"networks\": [\"a\", 1]}"), "'dest.networks[1]' is no text" },
    { FACTS(", \"dest\": {\"networks\": \"a\"}"), "'dest.networks' is no list" },
    { FACTS(", \"findings\": [{\"what\": \"x\"}]"), "'findings[0].id' is missing" },
};
START_TEST(what_is_of_the_wrong_kind_is_refused_with_its_place)
    {
        struct error err = { 0 };

        ck_assert_ptr_null(read_text(refused[_i].text, &err));
        ck_assert_int_eq(err.code, ERROR_INPUT);
        ck_assert_msg(strstr(err.what, refused[_i].what) != NULL, "'%s' in: %s", refused[_i].what, err.what);
        ck_assert_str_ne(err.fix, "");
    }
END_TEST

START_TEST(strange_words_read_as_the_careful_value)
    {
        struct error err = { 0 };
        OWNED(facts)
        f = read_text(FACTS(", \"domain\": {\"disks\": [{\"target\": \"vda\", \"type\": \"holographic\","
                            "\"sharing\": \"surely\", \"reads_zero\": \"maybe\"}], \"run\": \"x\"},"
                            "\"findings\": [{\"id\": \"a\", \"severity\": \"explodes\"}, {\"id\": \"b\"}]"),
                      &err);

        ck_assert_msg(f != NULL, "%s", err.what);
        ck_assert_int_eq(f->domain.disks[0].type, DISK_OTHER);
        ck_assert_int_eq(f->domain.disks[0].sharing, SHARING_NOT_PROVED);
        ck_assert_int_eq(f->domain.disks[0].reads_zero, TRI_NOT_KNOWN);
        ck_assert_int_eq(f->domain.run, RUN_NOT_KNOWN);
        ck_assert_int_eq(f->findings.list[0].severity, REFUSES);
        ck_assert_int_eq(f->findings.list[1].severity, NOTES);
    }
END_TEST

static const struct {
    const char *before, *element, *after;
    size_t most;
} lists[] = {
    { ", \"domain\": {\"disks\": [", "{\"target\": \"a\", \"type\": \"file\"}", "]}", 1024 },
    { ", \"domain\": {\"interfaces\": [", "{}", "]}", 4096 },
    { ", \"findings\": [", "{\"id\": \"a\"}", "]", 4096 },
    { ", \"dest\": {\"bridges\": [", "\"br0\"", "]}", 4096 },
};
static bool list_is_read(int i, size_t n)
{
    struct error err = { 0 };
    OWNED_TEXT text = { 0 };

    text_add(&text, "{\"schema\": \"virt-ferry-facts/0\"%s", lists[i].before);
    for (size_t k = 0; k < n; k++)
        text_add(&text, "%s%s", k ? "," : "", lists[i].element);
    text_add(&text, "%s}", lists[i].after);
    OWNED(facts) f = read_text(text_of(&text), &err);
    ck_assert_msg(f || strstr(err.what, "is too long a list"), "%s", err.what);
    return f;
}
START_TEST(lists_are_read_up_to_their_border)
    {
        ck_assert(list_is_read(_i, lists[_i].most));
        ck_assert(!list_is_read(_i, lists[_i].most + 1));
    }
END_TEST

static bool text_is_read(int n)
{
    struct error err = { 0 };
    OWNED_TEXT text = { 0 };

    text_add(&text, FACTS(", \"domain\": {\"title\": \"%0*d\"}"), n, 0);
    OWNED(facts) f = read_text(text_of(&text), &err);
    ck_assert_msg(f || strstr(err.what, "'domain.title' is longer than 4096 bytes"), "%s", err.what);
    return f;
}
START_TEST(texts_are_read_up_to_4096_bytes)
    {
        ck_assert(text_is_read(4096));
        ck_assert(!text_is_read(4097));
    }
END_TEST

START_TEST(members_of_a_newer_writer_are_passed_over)
    {
        struct error err = { 0 };
        OWNED(facts) f = read_text(FACTS(", \"weather\": {\"rain\": [1, 2]}"), &err);

        ck_assert_msg(f != NULL, "%s", err.what);
    }
END_TEST

START_TEST(a_name_that_is_no_utf8_is_written_as_a_picture_of_it)
    {
        OWNED(facts) f = facts_new();

        f->dest.hostname = "host\xff";
        OWNED_MEMORY char *text = facts_text(f);
        ck_assert_ptr_nonnull(strstr(text, "host\\\\x"));
    }
END_TEST

START_TEST(words_are_those_of_the_contract)
    {
        ck_assert_str_eq(disk_type_word(DISK_NETWORK), "network");
        ck_assert_str_eq(disk_device_word(DEVICE_LUN), "lun");
        ck_assert_str_eq(sharing_word(SHARING_PROVED), "proved");
        ck_assert_str_eq(severity_word(REFUSES), "refuses");
        ck_assert_str_eq(severity_word(NOTES), "notes");
        ck_assert_str_eq(severity_word((enum severity)0), "refuses");
        ck_assert_str_eq(run_word(RUN_SHUTOFF), "shutoff");
    }
END_TEST

START_TEST(a_disk_and_a_finding_are_written_alone_as_within_the_facts)
    {
        struct error err = { 0 };
        size_t n;
        OWNED_MEMORY char *text = data_read("every-member.facts.json", &n);
        OWNED(facts) f = read_text(text, &err);
        ck_assert_msg(f != NULL, "%s", err.what);
        OWNED_JSON all = facts_to_json(f);
        OWNED_JSON disk = disk_to_json(&f->domain.disks[0]);
        OWNED_JSON finding = finding_to_json(&f->findings.list[0]);

        ck_assert(json_equal(disk, json_array_get(json_child(json_child(all, "domain"), "disks"), 0)));
        ck_assert(json_equal(finding, json_array_get(json_child(all, "findings"), 0)));
    }
END_TEST

TEST_MAIN("facts/json", every_member_of_the_model_survives_the_round_trip, members_land_where_they_belong,
          a_new_member_of_the_model_needs_a_row_in_fields,
          what_is_not_known_is_absent_and_comes_back_not_known, absent_objects_read_as_not_known,
          LOOP(figures_that_are_no_counts_read_as_not_known, TEST_ROWS(figures)),
          protection_beyond_the_scale_reads_as_none,
          LOOP(what_is_of_the_wrong_kind_is_refused_with_its_place, TEST_ROWS(refused)),
          strange_words_read_as_the_careful_value, LOOP(lists_are_read_up_to_their_border, TEST_ROWS(lists)),
          texts_are_read_up_to_4096_bytes, members_of_a_newer_writer_are_passed_over,
          a_name_that_is_no_utf8_is_written_as_a_picture_of_it, words_are_those_of_the_contract,
          a_disk_and_a_finding_are_written_alone_as_within_the_facts)
