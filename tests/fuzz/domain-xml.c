/* SPDX-License-Identifier: Apache-2.0
 * Domain XML from a libvirt that is not trusted: read into facts, which survive JSON and can be planned; and
 * the mark of a run taken out of it, which leaves XML that reads the same. */
#include "facts/domain-xml.h"
#include "planned.h"
#include <string.h>

static void without_mark(const char *xml, const struct facts *f)
{
    struct error err = { 0 };
    OWNED_MEMORY char *without = domain_xml_without_mark(xml, &err);
    OWNED(facts) again = facts_new();

    PROMISE(without && again && domain_xml_read(again, without, &err) == 0);
    OWNED_JSON a = facts_to_json(f);
    OWNED_JSON b = facts_to_json(again);
    PROMISE(json_equal(a, b));
}

static void survives_json(const struct facts *f)
{
    struct error err = { 0 };
    OWNED_JSON once = facts_to_json(f);
    OWNED(facts) again = facts_from_json(once, &err);

    PROMISE(again != NULL);
    OWNED_JSON twice = facts_to_json(again);
    PROMISE(json_equal(once, twice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = { 0 };
    struct mark mark;
    OWNED(facts) f = facts_new();
    OWNED_MEMORY char *xml = strndup((const char *)data, size <= FUZZ_MOST ? size : 0);

    PROMISE(f && xml);
    (void)mark_read(xml, &mark, &err);
    if (domain_xml_read(f, xml, &err) < 0) {
        PROMISE(err.code != ERROR_NONE && *err.what);
        return 0;
    }
    survives_json(f);
    without_mark(xml, f);
    planned_twice(f);
    return 0;
}
