/* SPDX-License-Identifier: Apache-2.0
 * Facts as JSON and back: what `survey` prints, workers send and `plan --facts` replays.
 * Reading bounds every count and figure; what it does not know, it passes over. */
#ifndef FACTS_JSON_H
#define FACTS_JSON_H

#include "base/json.h"
#include "facts/model.h"

json_t *facts_to_json(const struct facts *f); /* NULL without memory */
struct facts *facts_from_json(const json_t *j, struct error *err);

json_t *facts_schema(void); /* JSON Schema of what facts_to_json writes */

/* One disk, as workers and drivers exchange it. */
json_t *disk_to_json(const struct disk *d);
json_t *finding_to_json(const struct finding *f);
json_t *host_to_json(const struct host *h);

/* The words of the enums, as they stand in JSON: "file", "proved", "refuses"; NULL-safe back-conversion
 * gives the first value. */
const char *disk_type_word(enum disk_type t);
const char *disk_device_word(enum disk_device d);
const char *sharing_word(enum sharing s);
const char *severity_word(enum severity s);
const char *run_word(enum domain_run r);

#endif
