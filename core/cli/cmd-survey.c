/* SPDX-License-Identifier: Apache-2.0
 * virt-ferry survey: facts as JSON, read from both hosts; or what a domain's XML says and no more. */
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/request.h"
#include "facts/domain-xml.h"
#include "facts/json.h"
#include "migration/migrate.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

const struct option_row survey_options[] = {
    { .name = "domain-xml",
      .argument = "FILE",
      .type = OPTION_TEXT,
      .flags = OPTION_INSTEAD,
      .help = "read the domain from this XML, - for standard input; no host is asked" },
    { .name = "schema", .flags = OPTION_INSTEAD, .help = "print the JSON Schema of facts" },
    { .name = NULL },
};

/* One byte above the limit is read and no more: a pipe has no size of its own. */
static int read_bounded(int fd, const char *path, struct text *ret, struct error *err)
{
    char buf[65536];
    ssize_t n;

    while ((n = read(fd, buf, sizeof buf)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, NULL, "could not read '%s'", path);
        text_add_bytes(ret, buf, (size_t)n);
        if (ret->failed)
            return error_memory(err);
        if (ret->len > DOMAIN_XML_MAX_BYTES)
            return error_set(err, ERROR_INPUT, NULL, "'%s' is larger than %s", path,
                             SIZE_TEXT(DOMAIN_XML_MAX_BYTES));
    }
    if (strlen(text_of(ret)) != ret->len)
        return error_set(err, ERROR_INPUT, NULL, "'%s' holds a zero byte, it is no XML", path);
    return 0;
}

static int read_xml(const char *path, struct text *ret, struct error *err)
{
    OWNED_FD fd = -1;

    if (text_equal(path, "-"))
        return read_bounded(STDIN_FILENO, "standard input", ret, err);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return error_errno(err, NULL, "could not open '%s'", path);
    return read_bounded(fd, path, ret, err);
}

static int print(json_t *j, struct error *err)
{
    OWNED_JSON owned = j;

    return owned ? output_json(owned, err) : error_memory(err);
}

static int survey_file(const char *path, struct error *err)
{
    OWNED_TEXT xml = { 0 };
    OWNED(facts) f = facts_new();

    if (!f)
        return error_memory(err);
    if (read_xml(path, &xml, err) < 0)
        return -err->code;
    if (domain_xml_read(f, text_of(&xml), err) < 0)
        return error_while(err, "reading '%s'", path);
    return print(facts_to_json(f), err);
}

static int survey_hosts(struct cli *cli, const struct options *o, struct error *err)
{
    struct run_result result = { 0 };
    struct request request = { .cli = cli };
    int r = request_read(&request, cli, o, err);

    if (r < 0)
        return r;
    r = run_survey(&request.run, &result, err);
    if (r == 0)
        r = print(facts_to_json(result.facts), err);
    run_result_done(&result);
    request_done(&request);
    return r;
}

int cmd_survey(struct cli *cli, const struct options *o, struct error *err)
{
    if (option_flag(o, "schema"))
        return print(facts_schema(), err);
    if (option_text(o, "domain-xml"))
        return survey_file(option_text(o, "domain-xml"), err);
    return survey_hosts(cli, o, err);
}
