/* SPDX-License-Identifier: Apache-2.0
 * Maps as text, as JSON and on facts. A map is the user's own word, and still checked as if it were not: it
 * goes into XML, and what it names is created. */
#include "facts/map.h"
#include "base/text.h"
#include "facts/json.h"
#include "facts/location.h"
#include "facts/words.h"
#include <string.h>

#define MAX_TEXT 4096u /* as facts/json.h reads it */

static int fix_form(enum map_kind kind, struct error *err)
{
    return error_fix(err,
                     "Write FROM=TO, such as %s; an '=' within FROM is written '\\=', a backslash there "
                     "'\\\\'.",
                     kind == MAP_NETWORK ? "'br0=br1'"
                                         : "'/srv/images=/data/images', 'pool:images=pool:fast', "
                                           "'nfs://10.0.0.5/a=nfs://10.0.0.6/a', 'rbd:hot=rbd:cold'");
}

/* ---- checks ---- */

/* XML cannot hold the first kind, a terminal should not see the second. */
static bool has_control(const char *s)
{
    for (const unsigned char *c = (const unsigned char *)s; *c; c++) {
        if (*c < 0x20 || *c == 0x7f || (*c == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f))
            return true;
        if (*c == 0xef && c[1] == 0xbf && (c[2] == 0xbe || c[2] == 0xbf))
            return true;
    }
    return false;
}

static const char *problem_of_text(const char *s)
{
    if (!*s)
        return "is empty";
    if (strlen(s) > MAX_TEXT)
        return "is longer than 4096 bytes";
    if (!text_is_utf8(s))
        return "is not UTF-8";
    return has_control(s) ? "has a control character" : NULL;
}

static const char *problem_of(enum map_kind kind, const char *s)
{
    const char *problem = problem_of_text(s);

    if (problem)
        return problem;
    if (kind == MAP_STORAGE)
        return location_problem(s);
    return strchr(s, '/') ? "has a slash, and names no bridge or network" : NULL;
}

/* A map gives other names to the parts of a place; a place of another kind has other parts. */
static const char *problem_between(const struct map *m)
{
    const enum location_kind kind = location_kind_of(m->from);

    if (m->kind != MAP_STORAGE)
        return NULL;
    if (kind != location_kind_of(m->to))
        return "are places of two kinds";
    if (kind == LOCATION_POOL && !strchr(m->from, '/') != !strchr(m->to, '/'))
        return "are a pool and a volume";
    return NULL;
}

static int check(const struct map *m, struct error *err)
{
    const char *between, *from = problem_of(m->kind, m->from), *to = problem_of(m->kind, m->to);

    if (from || to)
        error_set(err, ERROR_USAGE, NULL, "%s '%s' of a map %s", from ? "FROM" : "TO",
                  ESCAPED(from ? m->from : m->to), from ? from : to);
    else if (text_equal(m->from, m->to))
        error_set(err, ERROR_USAGE, NULL, "'%s' is mapped to itself", ESCAPED(m->from));
    else if ((between = problem_between(m)))
        error_set(err, ERROR_USAGE, NULL, "'%s' and '%s' %s", ESCAPED(m->from), ESCAPED(m->to), between);
    else
        return 0;
    return fix_form(m->kind, err);
}

/* ---- text and JSON ---- */

static int made(enum map_kind kind, struct arena *a, const char *from, const char *to, struct map *ret,
                struct error *err)
{
    if (from && kind == MAP_STORAGE)
        from = location_plain(a, from);
    if (to && kind == MAP_STORAGE)
        to = location_plain(a, to);
    if (!from || !to)
        return error_memory(err);
    *ret = (struct map){ .kind = kind, .from = from, .to = to };
    return check(ret, err);
}

int map_parse(enum map_kind kind, const char *text, struct arena *a, struct map *ret, struct error *err)
{
    char *from = arena_text(a, text), *end = from;
    const char *c = text;

    if (!from)
        return error_memory(err);
    while (*c && *c != '=') {
        if (*c == '\\' && (c[1] == '=' || c[1] == '\\'))
            c++;
        *end++ = *c++;
    }
    *end = '\0';
    if (!*c) {
        error_set(err, ERROR_USAGE, NULL, "there is no '=' between FROM and TO");
        return fix_form(kind, err);
    }
    return made(kind, a, from, arena_text(a, c + 1), ret, err);
}

int map_add(struct arena *a, struct map **list, size_t *n, const struct map *m, struct error *err)
{
    struct map *grown;

    for (size_t i = 0; i < *n; i++) {
        if ((*list)[i].kind != m->kind || !text_equal((*list)[i].from, m->from))
            continue;
        if (text_equal((*list)[i].to, m->to))
            return 0;
        error_set(err, ERROR_USAGE, NULL, "'%s' is mapped to two names, '%s' and '%s'", ESCAPED(m->from),
                  ESCAPED((*list)[i].to), ESCAPED(m->to));
        return error_fix(err, "Leave one of them out.");
    }
    if (*n >= MAP_MOST) {
        error_set(err, ERROR_USAGE, NULL, "there are more than %u maps", MAP_MOST);
        return error_fix(err, "Map a folder instead of each file in it.");
    }
    grown = arena_grown(a, *list, *n, sizeof *grown);
    if (!grown)
        return error_memory(err);
    *list = grown;
    grown[(*n)++] = *m;
    return 0;
}

json_t *maps_to_json(const struct map *maps, size_t n)
{
    OWNED_JSON list = json_array();

    for (size_t i = 0; list && i < n; i++)
        if (json_array_append_new(
                list, json_pack("{ss ss ss ss*}", "kind", words_say(&words_map_kind, (int)maps[i].kind),
                                "from", maps[i].from, "to", maps[i].to, "origin", maps[i].origin)) < 0)
            return NULL;
    return list ? HAND_OVER(list) : NULL;
}

int maps_from_json(const json_t *j, struct arena *a, struct map **ret, size_t *ret_n, struct error *err)
{
    size_t i;
    const json_t *one;

    *ret = NULL;
    *ret_n = 0;
    if (j && !json_is_array(j))
        return error_set(err, ERROR_INPUT, NULL, "its maps are no list");
    json_array_foreach(j, i, one)
    {
        int kind = words_read(&words_map_kind, json_text(one, "kind", "other"));
        struct map m = { 0 };

        if (kind == MAP_OTHER)
            return error_set(err, ERROR_INPUT, NULL, "it has a map of a kind that is not known");
        if (made((enum map_kind)kind, a, arena_text(a, json_text(one, "from", "")),
                 arena_text(a, json_text(one, "to", "")), &m, err) < 0)
            return -err->code;
        m.origin = arena_text(a, json_text(one, "origin", NULL));
        if (map_add(a, ret, ret_n, &m, err) < 0)
            return -err->code;
    }
    return 0;
}

/* ---- use ---- */

const struct map *map_for_name(const struct map *maps, size_t n, const char *name)
{
    for (size_t i = 0; name && i < n; i++)
        if (maps[i].kind == MAP_NETWORK && text_equal(maps[i].from, name))
            return &maps[i];
    return NULL;
}

static bool climbs(const char *path)
{
    for (const char *at = path; (at = strstr(at, "/..")); at += 3)
        if (at[3] == '/' || at[3] == '\0')
            return true;
    return false;
}

const char *map_rest(const struct map *m, const char *path)
{
    return path + strlen(m->from);
}

/* An RBD image is POOL/IMAGE: another pool is no place for one that FROM names itself. */
static bool leads_to_image(const struct map *m, const char *rest)
{
    return *rest || location_kind_of(m->to) != LOCATION_RBD || strchr(m->to, '/');
}

const struct map *map_for_path(const struct map *maps, size_t n, const char *path)
{
    const struct map *best = NULL;

    if (!path || climbs(path))
        return NULL;
    for (size_t i = 0; i < n; i++) {
        const struct map *m = &maps[i];

        /* Whole components: '/srv/a' is no folder of '/srv/ab'. */
        if (m->kind != MAP_STORAGE || !text_starts(path, m->from) ||
            (*map_rest(m, path) && *map_rest(m, path) != '/') || !leads_to_image(m, map_rest(m, path)))
            continue;
        if (!best || strlen(m->from) > strlen(best->from))
            best = m;
    }
    return best;
}

const char *map_path(struct arena *a, const struct map *maps, size_t n, const char *path)
{
    const struct map *m = map_for_path(maps, n, path);

    return m ? arena_format(a, "%s%s", m->to, map_rest(m, path)) : path;
}

static void use(struct facts *f, const struct map *m)
{
    if (m)
        f->maps[m - f->maps].is_used = true;
}

static bool sits_on_a_name(const struct interface *i)
{
    return text_equal(i->type, "network") || text_equal(i->type, "bridge") || text_equal(i->type, "direct");
}

static void map_interface(struct facts *f, struct interface *i)
{
    const struct map *m = sits_on_a_name(i) ? map_for_name(f->maps, f->n_maps, i->source) : NULL;
    const char *seen = interface_dest_source(i);

    use(f, m);
    i->dest_source = m ? m->to : NULL;
    if (text_equal(seen, interface_dest_source(i)))
        return;
    i->at_dest = TRI_NOT_KNOWN;
    i->dest_mtu = NOT_KNOWN;
}

const struct map *map_for_disk(const struct facts *f, struct arena *a, const struct disk *d)
{
    const struct location here = location_of_disk(d);

    return map_for_path(f->maps, f->n_maps, location_text(a, &here));
}

/* What differs; it keeps the rest. */
static void name_there(struct disk *d, const struct location *there)
{
    if (there->name && !text_equal(there->name, d->source))
        d->dest_source = there->name;
    if (there->server && !text_equal(there->server, d->server))
        d->dest_server = there->server;
    if (there->pool && !text_equal(there->pool, d->pool))
        d->dest_pool = there->pool;
    if (there->volume && !text_equal(there->volume, d->volume))
        d->dest_volume = there->volume;
}

static void map_image(struct facts *f, struct disk *d)
{
    const struct location here = location_of_disk(d), before = location_of_disk_there(d);
    const char *seen = location_text(f->arena, &before);
    const struct map *m = map_for_disk(f, f->arena, d);
    const char *text = m ? map_path(f->arena, f->maps, f->n_maps, location_text(f->arena, &here)) : NULL;
    struct location there;

    use(f, m);
    d->dest_source = d->dest_server = d->dest_pool = d->dest_volume = NULL;
    if (text && location_read(f->arena, text, &there) == 0)
        name_there(d, &there);
    there = location_of_disk_there(d);
    if (here.kind != LOCATION_NONE && !text_equal(seen, location_text(f->arena, &there)))
        disk_forget_dest(d);
}

static void map_disk(struct facts *f, struct disk *d)
{
    map_image(f, d);
    for (size_t i = 0; i < d->n_chain; i++)
        map_image(f, &d->chain[i]);
}

static void use_files(struct facts *f)
{
    const struct domain *d = &f->domain;
    const char *const files[] = { d->kernel, d->initrd, d->dtb, d->loader, d->nvram, d->nvram_template };

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        use(f, map_for_path(f->maps, f->n_maps, files[i]));
}

int maps_apply(struct facts *f, const struct map *maps, size_t n, struct error *err)
{
    if (n == 0)
        return 0;
    f->maps = arena_zeroed(f->arena, n, sizeof *f->maps);
    if (!f->maps)
        return error_memory(err);
    f->n_maps = n;
    for (size_t i = 0; i < n; i++)
        f->maps[i] = (struct map){ .kind = maps[i].kind,
                                   .from = arena_text(f->arena, maps[i].from),
                                   .to = arena_text(f->arena, maps[i].to),
                                   .origin = arena_text(f->arena, maps[i].origin) };
    if (arena_failed(f->arena))
        return error_memory(err);
    for (size_t i = 0; i < f->domain.n_interfaces; i++)
        map_interface(f, &f->domain.interfaces[i]);
    for (size_t i = 0; i < f->domain.n_disks; i++)
        map_disk(f, &f->domain.disks[i]);
    use_files(f);
    return arena_failed(f->arena) ? error_memory(err) : 0;
}
