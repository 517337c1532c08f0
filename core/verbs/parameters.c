/* SPDX-License-Identifier: Apache-2.0
 * The table of parameters and flags. migrate_uri is none of them: it is the channel's data_uri. */
#include "verbs/parameters.h"

#include "base/name.h"
#include "base/text.h"
#include "plugin/virt-ferry-plugin.h"
#include "worker/sockets.h"
#include <string.h>

/* Names a host: in a certificate, by letters or as an address. */
static bool is_host(const char *value)
{
    struct error ignored = { 0 };

    return name_is_address(value) || name_check_host(value, &ignored) == 0;
}

/* In a folder of ours. */
static bool is_socket(const char *value)
{
    static const char here[] = "unix://" SOCKETS_DATA_DIR "/";

    return text_starts(value, here) && !strstr(value, "..") &&
           strspn(value + sizeof here - 1,
                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-_.") ==
               strlen(value + sizeof here - 1);
}

static const struct {
    const char *name;
    bool (*takes)(const char *value);
    bool for_disks; /* libvirt takes it only where disks are copied */
} texts[] = {
    { VIR_MIGRATE_PARAM_TLS_DESTINATION, is_host, false },
    { VIR_MIGRATE_PARAM_DISKS_URI, is_socket, true },
};
static const struct {
    const char *name;
    unsigned flag;
} flags_known[] = {
    { "tls", VIR_MIGRATE_TLS },
};

static unsigned flag_of(const char *value)
{
    for (size_t i = 0; i < sizeof flags_known / sizeof *flags_known; i++)
        if (text_equal(flags_known[i].name, value))
            return flags_known[i].flag;
    return 0;
}

static bool is_text(const char *name, const char *value)
{
    for (size_t i = 0; value && i < sizeof texts / sizeof *texts; i++)
        if (text_equal(texts[i].name, name))
            return texts[i].takes(value);
    return false;
}

bool parameter_is_known(const struct parameter *p)
{
    return text_equal(p->name, FERRY_PARAMETER_FLAG) ? flag_of(p->value) != 0 : is_text(p->name, p->value);
}

static bool is_wanted(const struct parameter *p, bool has_disks)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (text_equal(texts[i].name, p->name))
            return has_disks || !texts[i].for_disks;
    return true;
}

json_t *parameters_to_json(const struct channel *ch, bool has_disks)
{
    OWNED_JSON list = json_array();

    for (size_t i = 0; list && i < ch->n_parameters; i++)
        if (is_wanted(&ch->parameters[i], has_disks) &&
            json_array_append_new(list, json_pack("{ss ss}", "name", ch->parameters[i].name, "value",
                                                  ch->parameters[i].value)) < 0)
            return NULL;
    return HAND_OVER(list);
}

int parameters_add(const json_t *list, virTypedParameterPtr *params, int *n, int *size, unsigned *flags,
                   struct error *err)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        const struct parameter p = { json_text(one, "name", ""), json_text(one, "value", "") };

        if (!parameter_is_known(&p))
            return error_set(err, ERROR_INPUT, NULL, "libvirt is not told '%s' = '%s': it is not known here",
                             p.name, p.value);
        if (text_equal(p.name, FERRY_PARAMETER_FLAG))
            *flags |= flag_of(p.value);
        else if (virTypedParamsAddString(params, n, size, p.name, p.value) < 0)
            return error_memory(err);
    }
    return 0;
}
