/* SPDX-License-Identifier: Apache-2.0
 * The settings, read by inih and judged here: inih cuts what is too long and passes over what it cannot read,
 * both in silence, so each line is looked at before it gets it. */
#include "state/config.h"
#include "base/arena.h"
#include "base/name.h"
#include "base/text.h"
#include "state/config-map.h"
#include "state/nearest.h"
#include "state/network.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define CONFIG_MAX_BYTES (1 << 20)
#define CONFIG_MAX_NAME 49 /* inih cuts sections and keys to this */
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum value_type { VALUE_MS, VALUE_RATE, VALUE_NETWORKS, VALUE_PORTS, VALUE_VIA, VALUE_TEXT };

static const struct config_key {
    const char *section, *key;
    enum value_type type;
    uint64_t bare_ms; /* what one is worth without a unit */
} keys[] = {
    { "security", "trusted_networks", VALUE_NETWORKS, 0 },
    { "migrate", "max_downtime", VALUE_MS, 1 },
    { "migrate", "bandwidth", VALUE_RATE, 0 },
    { "migrate", "timeout", VALUE_MS, 1000 },
    { "migrate", "relocate_to", VALUE_TEXT, 0 }, /* judged where it is used, as the option is */
    { "hosts", "migration_ports", VALUE_PORTS, 0 },
    { "hosts", "via", VALUE_VIA, 0 },
};

static const struct config_section {
    const char *name;
    bool is_of_hosts; /* its keys are HOST.KEY */
} sections[] = { { "security", false }, { "migrate", false }, { "hosts", true } };

struct config {
    struct arena *arena;
    struct config_value *values;
    size_t n_values;
    struct network *networks;
    size_t n_networks;
    struct config_maps maps;
};

/* One file or the environment, while it is read. */
struct source {
    struct config *config;
    struct error *err;
    const char *path, *bytes;
    size_t n, at;
    unsigned line;
    size_t first_value; /* values from here on were set by this source */
    const char *origin;
    bool failed;
};

void config_free(struct config *c)
{
    if (!c)
        return;
    arena_free(c->arena);
    free(c);
}

static const struct config_section *find_section(const char *name)
{
    for (size_t i = 0; i < COUNT(sections); i++)
        if (text_equal(sections[i].name, name))
            return &sections[i];
    return NULL;
}

/* What of a key is the core's: "migration_ports" of "hostB.migration_ports", whose host may have dots too. */
static const char *own_part(const char *section, const char *key)
{
    const struct config_section *known = find_section(section);
    const char *dot = known && known->is_of_hosts ? strrchr(key, '.') : NULL;

    return dot ? dot + 1 : key;
}

static const struct config_key *find_key(const char *section, const char *key)
{
    for (size_t i = 0; i < COUNT(keys); i++)
        if (text_equal(keys[i].section, section) && text_equal(keys[i].key, own_part(section, key)))
            return &keys[i];
    return NULL;
}

static int refuse_key(struct source *s, const char *section, const char *key)
{
    const char *own = own_part(section, key);
    struct nearest hint = { 0 };

    error_set(s->err, ERROR_USAGE, NULL, "%s: key '%s' is not known in section '[%s]'", s->origin, key,
              section);
    for (size_t i = 0; i < COUNT(keys); i++)
        if (text_equal(keys[i].section, section))
            nearest_offer(&hint, own, keys[i].key);
    if (hint.word)
        return error_fix(s->err, "Write '%.*s%s', or remove the line.", (int)(own - key), key, hint.word);
    return error_fix(s->err, "Remove the line, or see virt-ferry.conf.example for the keys.");
}

static int check_host_of_key(struct source *s, const char *key, const char *own)
{
    char host[CONFIG_MAX_NAME + 1];
    struct error why = { 0 };

    (void)snprintf(host, sizeof host, "%.*s", own > key ? (int)(own - key) - 1 : 0, key);
    if (name_check_host(host, &why) == 0)
        return 0;
    error_set(s->err, ERROR_USAGE, NULL, "%s: key '%s' names no host", s->origin, key);
    error_why(s->err, "%s", why.what);
    return error_fix(s->err, "Write the host, a dot and the key: 'hostB.%s'.", own);
}

/* A mistyped name of a section would make its settings a plugin's, which nobody reads. */
static int check_names(struct source *s, const char *section, const char *key)
{
    const struct config_section *known = find_section(section);
    struct nearest hint = { 0 };

    if (!*section) {
        error_set(s->err, ERROR_USAGE, NULL, "%s: key '%s' stands before any section", s->origin, key);
        return error_fix(s->err, "Put it below a line such as '[migrate]'.");
    }
    if (!*key || strlen(key) > CONFIG_MAX_NAME)
        return error_set(s->err, ERROR_USAGE, NULL, "%s: the key has %zu characters, allowed are 1 to %d",
                         s->origin, strlen(key), CONFIG_MAX_NAME);
    if (known && !find_key(section, key))
        return refuse_key(s, section, key);
    if (known)
        return known->is_of_hosts ? check_host_of_key(s, key, own_part(section, key)) : 0;
    for (size_t i = 0; i < COUNT(sections); i++)
        nearest_offer(&hint, section, sections[i].name);
    nearest_offer(&hint, section, "map");
    if (!hint.word)
        return 0;
    error_set(s->err, ERROR_USAGE, NULL, "%s: section '[%s]' is not known", s->origin, section);
    return error_fix(s->err, "Write '[%s]'.", hint.word);
}

static int add_networks(struct source *s, const char *value, struct error *why)
{
    OWNED_MEMORY char *list = strdup(value);
    struct config *c = s->config;
    char *rest = NULL;

    if (!list)
        return error_memory(why);
    for (char *word = strtok_r(list, ", \t", &rest); word; word = strtok_r(NULL, ", \t", &rest)) {
        struct network network;
        struct network *grown;

        if (network_parse(word, &network, why) < 0)
            return -why->code;
        grown = arena_grown(c->arena, c->networks, c->n_networks, sizeof *grown);
        if (!grown)
            return error_memory(why);
        c->networks = grown;
        c->networks[c->n_networks++] = network;
    }
    return 0;
}

/* "FIRST-LAST"; the figure is the last one. */
static int parse_ports(const char *value, uint64_t *ret_last, struct error *why)
{
    const char *dash = strchr(value, '-');
    uint64_t first;
    char text[16];

    if (!dash || (size_t)snprintf(text, sizeof text, "%.*s", (int)(dash - value), value) >= sizeof text)
        return error_set(why, ERROR_USAGE, NULL, "'%s' is no range of ports", value);
    if (text_parse_u64(text, 65535, &first, why) < 0 || text_parse_u64(dash + 1, 65535, ret_last, why) < 0)
        return -why->code;
    if (first == 0 || first > *ret_last)
        return error_set(why, ERROR_USAGE, NULL, "ports begin at 1, and the first is not above the last");
    return 0;
}

static int check_value(struct source *s, const struct config_key *key, const char *value,
                       uint64_t *ret_figure)
{
    static const char *const fixes[] = {
        [VALUE_MS] = "Write a time such as '300ms', '2s' or '5min'.",
        [VALUE_RATE] = "Write a rate such as '500MiB/s' or '1gbit'.",
        [VALUE_PORTS] = "Write two ports as qemu.conf of that host has them, such as '49152-49215'.",
        [VALUE_VIA] = "Write an address of that host such as '10.9.0.5', or its network, '10.9.0.0/16'.",
        [VALUE_TEXT] = "Write one line.",
        [VALUE_NETWORKS] = "Write networks such as '10.1.0.0/16 fd00:7::/64'; a host alone is '10.1.0.5'.",
    };
    struct error why = { 0 };
    int result = 0;

    switch (key->type) {
    case VALUE_MS:
        result = text_parse_ms(value, key->bare_ms, ret_figure, &why);
        break;
    case VALUE_RATE:
        result = text_parse_rate(value, ret_figure, &why);
        break;
    case VALUE_PORTS:
        result = parse_ports(value, ret_figure, &why);
        break;
    case VALUE_VIA:
        result = network_parse_via(value, &why);
        break;
    case VALUE_TEXT:
        break;
    case VALUE_NETWORKS:
        result = add_networks(s, value, &why);
        break;
    }
    if (result == 0)
        return 0;
    if (why.code == ERROR_MEMORY)
        return error_memory(s->err);
    error_set(s->err, ERROR_USAGE, NULL, "%s: '%s' cannot be the value of '%s'", s->origin, value, key->key);
    error_why(s->err, "%s", why.what);
    return error_fix(s->err, "%s", fixes[key->type]);
}

/* What an earlier source set goes; what this one set already is a list's next line, or an error. */
static int make_way(struct source *s, const struct config_key *known, const char *section, const char *key)
{
    struct config *c = s->config;

    for (size_t i = 0; i < c->n_values; i++) {
        const struct config_value *v = &c->values[i];

        if (!text_equal(v->section, section) || !text_equal(v->key, key))
            continue;
        if (i >= s->first_value && known && known->type == VALUE_NETWORKS)
            return 0;
        if (i >= s->first_value) {
            error_set(s->err, ERROR_USAGE, NULL, "%s: '%s' is set already at %s", s->origin, key, v->origin);
            return error_fix(s->err, "Remove one of the two; a value ends with its line.");
        }
        memmove(&c->values[i], &c->values[i + 1], (c->n_values - i - 1) * sizeof *v);
        c->n_values--;
        s->first_value--;
        i--;
    }
    if (known && known->type == VALUE_NETWORKS)
        c->n_networks = 0;
    return 0;
}

static int add_value(struct source *s, const char *section, const char *key, const char *value)
{
    const struct config_key *known = find_key(section, key);
    struct config *c = s->config;
    struct config_value *grown;
    uint64_t figure = 0;

    if (make_way(s, known, section, key) < 0 || (known && check_value(s, known, value, &figure) < 0))
        return -s->err->code;
    grown = arena_grown(c->arena, c->values, c->n_values, sizeof *grown);
    if (!grown)
        return error_memory(s->err);
    c->values = grown;
    c->values[c->n_values++] = (struct config_value){ .section = arena_text(c->arena, section),
                                                      .key = arena_text(c->arena, key),
                                                      .value = arena_text(c->arena, value),
                                                      .origin = s->origin,
                                                      .figure = figure };
    return arena_failed(c->arena) ? error_memory(s->err) : 0;
}

/* inih's handler: 0 is failure. */
static int take_line(void *user, const char *section, const char *name, const char *value)
{
    struct source *s = user;

    if (s->failed)
        return 0;
    s->origin = arena_format(s->config->arena, "%s:%u", s->path, s->line);
    if (!s->origin)
        s->failed = error_memory(s->err) < 0;
    else
        s->failed = check_names(s, section, name) < 0 || add_value(s, section, name, value) < 0;
    return !s->failed;
}

static void refuse_line(struct source *s, const char *what)
{
    error_set(s->err, ERROR_USAGE, NULL, "%s:%u: %s", s->path, s->line, what);
    s->failed = true;
}

/* true: the line is none for inih. */
static bool take_map(struct source *s, const char *line, size_t n)
{
    struct config_maps *maps = &s->config->maps;
    const char *origin;

    if (*line != '[' && !maps->is_in)
        return false;
    origin = arena_format(s->config->arena, "%s:%u", s->path, s->line);
    if (!origin)
        s->failed = error_memory(s->err) < 0;
    else if (*line == '[')
        s->failed = config_map_section(maps, line, n, origin, s->err) < 0;
    else
        s->failed = config_map_line(maps, line, n, origin, s->err) < 0;
    return maps->is_in;
}

/* Refuses what inih would cut. An indented line is the next value of the key above it for inih; one that
 * holds a '=' was meant as a setting of its own, so its indentation goes. */
static const char *judge_line(struct source *s, const char *line, size_t *n, size_t room)
{
    const char *first = line;

    while (first < line + *n && (*first == ' ' || *first == '\t'))
        first++;
    if (first == line + *n || *first == '#' || *first == ';') {
        *n = 0;
        return line;
    }
    if (memchr(line, '\0', *n))
        refuse_line(s, "the line holds a zero byte, this is no text file");
    else if (*n > room) {
        refuse_line(s, "the line is too long");
        error_why(s->err, "it has %zu characters, %zu can be read", *n, room);
        error_fix(s->err, "Write one value a line: a list may go on with the same key on the next.");
    } else if (*first == '[') {
        const char *end = memchr(first, ']', (size_t)(line + *n - first));

        if (end && end - first - 1 > CONFIG_MAX_NAME)
            refuse_line(s, "the name of the section is too long");
    }
    if (!s->failed && take_map(s, first, (size_t)(line + *n - first))) {
        *n = 0;
        return line;
    }
    if (*first != '[' && !memchr(first, '=', (size_t)(line + *n - first)))
        return line;
    *n -= (size_t)(first - line);
    return first;
}

/* inih's reader, like fgets. */
static char *next_line(char *buf, int size, void *user)
{
    struct source *s = user;
    const char *line = s->bytes + s->at, *end;
    size_t n;

    if (s->failed || s->at >= s->n)
        return NULL;
    end = memchr(line, '\n', s->n - s->at);
    n = end ? (size_t)(end - line) : s->n - s->at;
    s->at += n + (end != NULL);
    s->line++;
    if (s->line == 1 && n >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
        line += 3;
        n -= 3;
    }
    line = judge_line(s, line, &n, (size_t)size - 3);
    if (s->failed)
        return NULL;
    memcpy(buf, line, n);
    buf[n] = '\n';
    buf[n + 1] = '\0';
    return buf;
}

static int read_bytes(int fd, char *bytes, size_t size, size_t *ret_n, const char *path, struct error *err)
{
    ssize_t got;

    *ret_n = 0;
    do {
        got = read(fd, bytes + *ret_n, size - *ret_n);
        if (got < 0 && errno != EINTR) {
            int saved = errno;

            error_set(err, ERROR_USAGE, NULL, "could not read '%s'", path);
            return error_why(err, "%s", strerrordesc_np(saved));
        }
        if (got > 0)
            *ret_n += (size_t)got;
    } while (got != 0 && *ret_n < size);
    if (*ret_n < size)
        return 0;
    return error_set(err, ERROR_USAGE, NULL, "'%s' is larger than a configuration can be", path);
}

static int check_file(int fd, const char *path, struct error *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return error_errno(err, NULL, "could not look at '%s'", path);
    if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode)) {
        error_set(err, ERROR_USAGE, NULL, "'%s' is not a file", path);
        return error_fix(err, "The configuration is read from there: move away what stands in its place.");
    }
    if (!S_ISREG(st.st_mode) || !(st.st_mode & 002))
        return 0;
    error_set(err, ERROR_USAGE, NULL, "'%s' can be written by everybody", path);
    error_why(err, "it decides which networks are trusted");
    return error_fix(err, "Run: chmod o-w '%s'.", path);
}

static int read_file(struct config *c, const char *path, struct error *err)
{
    OWNED_MEMORY char *bytes = malloc(CONFIG_MAX_BYTES + 1);
    OWNED_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct source s = { .config = c, .err = err, .path = path, .bytes = bytes, .first_value = c->n_values };
    int bad_line;

    c->maps.first = c->maps.n;
    c->maps.is_in = false;
    if (!bytes)
        return error_memory(err);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (fd < 0) {
        int saved = errno;

        error_set(err, ERROR_USAGE, NULL, "could not read the configuration '%s'", path);
        error_why(err, "%s", strerrordesc_np(saved));
        return error_fix(err, "Make it readable for you, or remove it: it is never needed.");
    }
    if (check_file(fd, path, err) < 0 || read_bytes(fd, bytes, CONFIG_MAX_BYTES + 1, &s.n, path, err) < 0)
        return -err->code;
    bad_line = ini_parse_stream(next_line, &s, take_line, &s);
    /* inih goes on after a line that it cannot read: the first bad line is the one to tell. */
    if (bad_line == 0 || (s.failed && (unsigned)bad_line >= s.line))
        return s.failed ? -err->code : 0;
    error_set(err, ERROR_USAGE, NULL, "%s:%d: the line is neither a section nor a setting", path, bad_line);
    return error_fix(err, "Write '[section]', 'key = value', or begin a comment with '#'.");
}

static int read_user_file(struct config *c, struct error *err)
{
    const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    const char *path = NULL;

    if (xdg && *xdg == '/')
        path = arena_format(c->arena, "%s/virt-ferry.conf", xdg);
    else if (home && *home == '/')
        path = arena_format(c->arena, "%s/.config/virt-ferry.conf", home);
    else
        return 0;
    return path ? read_file(c, path, err) : error_memory(err);
}

static int read_environment(struct config *c, struct error *err)
{
    for (size_t i = 0; i < COUNT(keys); i++) {
        char name[64] = "VIRT_FERRY_";
        size_t n = strlen(name);
        struct source s = { .config = c, .err = err, .first_value = c->n_values };
        const char *value;

        if (find_section(keys[i].section)->is_of_hosts) /* a variable names no host */
            continue;
        for (size_t k = 0; keys[i].key[k] && n + 1 < sizeof name; k++)
            name[n++] = (char)toupper((unsigned char)keys[i].key[k]);
        value = getenv(name);
        if (!value)
            continue;
        s.origin = arena_format(c->arena, "%s in the environment", name);
        if (!s.origin)
            return error_memory(err);
        if (add_value(&s, keys[i].section, keys[i].key, value) < 0)
            return -err->code;
    }
    return 0;
}

struct config *config_load(struct error *err)
{
    OWNED(config) c = calloc(1, sizeof *c);
    const char *system_file = getenv("VIRT_FERRY_CONF");

    if (!c || !(c->arena = arena_new())) {
        error_memory(err);
        return NULL;
    }
    c->maps.arena = c->arena;
    if (read_file(c, system_file && *system_file ? system_file : FERRY_CONF, err) < 0 ||
        read_user_file(c, err) < 0 || read_environment(c, err) < 0)
        return NULL;
    return HAND_OVER(c);
}

static const struct config_value *find_value(const struct config *c, const char *section, const char *key)
{
    for (size_t i = 0; i < c->n_values; i++)
        if (text_equal(c->values[i].section, section) && text_equal(c->values[i].key, key))
            return &c->values[i];
    return NULL;
}

const char *config_get(const struct config *c, const char *section, const char *key)
{
    const struct config_value *v = find_value(c, section, key);

    return v ? v->value : NULL;
}

uint64_t config_u64(const struct config *c, const char *section, const char *key, uint64_t absent)
{
    const struct config_value *v = find_value(c, section, key);

    return v ? v->figure : absent;
}

const char *config_origin(const struct config *c, const char *section, const char *key)
{
    const struct config_value *v = find_value(c, section, key);

    return v ? v->origin : NULL;
}

bool config_is_trusted(const struct config *c, const char *numeric_address)
{
    for (size_t i = 0; i < c->n_networks; i++)
        if (network_holds(&c->networks[i], numeric_address))
            return true;
    return false;
}

static bool is_for(const struct config_map *m, const char *source, const char *dest, bool of_pair)
{
    return of_pair ? m->source && text_equal(m->source, source) && text_equal(m->dest, dest) : !m->source;
}

static bool has_from(const struct map *list, size_t n, const struct map *m)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].kind == m->kind && text_equal(list[i].from, m->from))
            return true;
    return false;
}

int config_add_maps(const struct config *c, const char *source, const char *dest, struct arena *a,
                    struct map **list, size_t *n, struct error *err)
{
    for (int of_pair = 1; of_pair >= 0; of_pair--)
        for (size_t i = 0; i < c->maps.n; i++) {
            const struct config_map *m = &c->maps.list[i];

            if (is_for(m, source, dest, of_pair) && !has_from(*list, *n, &m->map) &&
                map_add(a, list, n, &m->map, err) < 0)
                return -err->code;
        }
    return 0;
}

size_t config_count(const struct config *c)
{
    return c->n_values;
}

const struct config_value *config_at(const struct config *c, size_t i)
{
    return &c->values[i];
}
