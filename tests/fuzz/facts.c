/* SPDX-License-Identifier: Apache-2.0
 * Facts as anybody may have written them: read, planned, shown, and written as they were read. */
#include "planned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = { 0 };
    OWNED_JSON j = size <= FUZZ_MOST ? json_read((const char *)data, size, "the input", &err) : NULL;
    OWNED(facts) f = j ? facts_from_json(j, &err) : NULL;

    if (!f) {
        PROMISE(size > FUZZ_MOST || (err.code == ERROR_INPUT && *err.what));
        return 0;
    }
    OWNED_JSON once = facts_to_json(f);
    OWNED(facts) again = facts_from_json(once, &err);
    PROMISE(again != NULL);
    OWNED_JSON twice = facts_to_json(again);
    PROMISE(json_equal(once, twice));
    planned_twice(f);
    return 0;
}
