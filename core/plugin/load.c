/* SPDX-License-Identifier: Apache-2.0
 * One shared object: is it whole, does it speak our ABI, does it keep the contract of the public header.
 * What is looked at is the opened descriptor, so what was checked is what is loaded. */
#include "plugin/load.h"
#include "base/owned.h"
#include "base/text.h"
#include "plugin/trust.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_DRIVERS 64u
#define MAX_HEADERS 256u
/* The size up to and with a member: what an older plugin must at least bring. */
#define UP_TO(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

bool load_is_word(const char *s)
{
    size_t n = s ? strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") : 0;

    return n > 0 && n < 64 && s[n] == '\0' && s[0] >= 'a' && s[0] <= 'z' && s[n - 1] != '-';
}

static void drop_drivers(struct plugin_entry *entry)
{
    free(entry->storage);
    free(entry->transports);
    entry->storage = NULL;
    entry->transports = NULL;
    entry->n_storage = entry->n_transports = 0;
    entry->plugin = (struct ferry_plugin){ .name = "", .version = "", .summary = "" };
}

int load_refuse(struct plugin_entry *entry, struct error *err, const char *format, ...)
{
    va_list args;
    int n;

    drop_drivers(entry);
    free(entry->refused);
    va_start(args, format);
    n = vasprintf(&entry->refused, format, args);
    va_end(args);
    if (n < 0) {
        entry->refused = NULL;
        return error_memory(err);
    }
    return 0;
}

void load_release(struct plugin_entry *entry, int fd)
{
    drop_drivers(entry);
    if (entry->handle)
        (void)dlclose(entry->handle);
    if (fd >= 0)
        (void)close(fd);
    free(entry->refused);
    free(entry->path);
    *entry = (struct plugin_entry){ 0 };
}

static bool lies_within(uint64_t offset, uint64_t length, uint64_t size)
{
    return offset <= size && length <= size - offset;
}

/* The loader of the system maps what the headers promise, and a file that is shorter than its promise kills
 * the process when it is touched: so the promise is checked first. NULL = whole. */
static const char *elf_problem(int fd)
{
    ElfW(Ehdr) head;
    struct stat st;

    if (fstat(fd, &st) < 0)
        return "could not be read";
    if (pread(fd, &head, sizeof head, 0) != (ssize_t)sizeof head ||
        memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
        return "is not an ELF file";
    if (head.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) || head.e_type != ET_DYN)
        return "is not a shared object for this machine";
    if (head.e_phentsize != sizeof(ElfW(Phdr)) || head.e_phnum == 0 || head.e_phnum > MAX_HEADERS)
        return "has damaged ELF headers";
    if (!lies_within(head.e_shoff, (uint64_t)head.e_shnum * head.e_shentsize, (uint64_t)st.st_size))
        return "is truncated";
    for (unsigned i = 0; i < head.e_phnum; i++) {
        ElfW(Phdr) part;
        off_t at = (off_t)(head.e_phoff + (uint64_t)i * sizeof part);

        if (at < 0 || pread(fd, &part, sizeof part, at) != (ssize_t)sizeof part)
            return "is truncated";
        if (!lies_within(part.p_offset, part.p_filesz, (uint64_t)st.st_size))
            return "is truncated";
    }
    return NULL;
}

/* Copies what both sides know and leaves the rest absent. */
static void copy_smaller(void *to, size_t to_size, const void *from, uint32_t from_size)
{
    memcpy(to, from, from_size < to_size ? from_size : to_size);
    *(uint32_t *)to = (uint32_t)to_size;
}

static const char *storage_problem(const struct ferry_storage *s)
{
    if (!load_is_word(s->name))
        return "a storage driver has no name, or one that is not a word with dashes";
    if (!s->summary || !*s->summary)
        return "storage driver '%s' lacks the required summary";
    if (!s->claim)
        return "storage driver '%s' lacks the required callback claim";
    if (s->create && !s->remove)
        return "storage driver '%s' has create without remove";
    if (s->remove && !s->create)
        return "storage driver '%s' has remove without create";
    if (!s->open && (s->submit || s->reap || s->close || s->extents || s->changed || s->clone))
        return "storage driver '%s' has block I/O without open";
    if (s->open && (!s->submit || !s->reap || !s->close))
        return "storage driver '%s' has open without submit, reap and close";
    return NULL;
}

static const char *transport_problem(const struct ferry_transport *t)
{
    if (!load_is_word(t->name))
        return "a transport driver has no name, or one that is not a word with dashes";
    if (!t->summary || !*t->summary)
        return "transport driver '%s' lacks the required summary";
    if (!t->uri_scheme || !*t->uri_scheme)
        return "transport driver '%s' lacks the required uri_scheme";
    if (!t->uri)
        return "transport driver '%s' lacks the required callback uri";
    if (!t->probe)
        return "transport driver '%s' lacks the required callback probe";
    if (!t->parameter)
        return "transport driver '%s' lacks the required callback parameter";
    if (t->open && !t->close)
        return "transport driver '%s' has open without close";
    if (t->close && !t->open)
        return "transport driver '%s' has close without open";
    if (t->run && !t->open)
        return "transport driver '%s' has run without open";
    if (t->open_data && !t->open)
        return "transport driver '%s' has open_data without open";
    if (t->ended && !t->open)
        return "transport driver '%s' has ended without open";
    if (t->rides && t->open)
        return "transport driver '%s' rides on another and has an open of its own";
    return NULL;
}

/* The problems above have room for one name. */
static int refuse_driver(struct plugin_entry *entry, const char *problem, const char *name, struct error *err)
{
    const char *mark = strstr(problem, "%s");
    char safe[80];

    if (!mark)
        return load_refuse(entry, err, "%s", problem);
    (void)text_escape(safe, sizeof safe, name);
    return load_refuse(entry, err, "%.*s%s%s", (int)(mark - problem), problem, safe, mark + 2);
}

static size_t count_drivers(const void *const *list)
{
    size_t n = 0;

    while (list && n <= MAX_DRIVERS && list[n])
        n++;
    return n;
}

/* Both kinds of driver begin with their size. */
static bool is_big_enough(const void *driver, size_t least, uint32_t *ret_size)
{
    memcpy(ret_size, driver, sizeof *ret_size);
    return *ret_size >= least;
}

static int take_storage(struct plugin_entry *entry, struct error *err)
{
    const struct ferry_storage *const *list = entry->plugin.storage;
    size_t n = count_drivers((const void *const *)list);
    const size_t least = UP_TO(struct ferry_storage, claim);

    if (n > MAX_DRIVERS)
        return load_refuse(entry, err, "it lists more than %u storage drivers", MAX_DRIVERS);
    if (n > 0 && !(entry->storage = calloc(n, sizeof *entry->storage)))
        return error_memory(err);
    for (size_t i = 0; i < n; i++) {
        uint32_t size;
        const char *problem;

        if (!is_big_enough(list[i], least, &size))
            return load_refuse(entry, err, "a storage driver says that its size is %u bytes, %zu are needed",
                               size, least);
        copy_smaller(&entry->storage[i], sizeof entry->storage[i], list[i], size);
        if ((problem = storage_problem(&entry->storage[i])))
            return refuse_driver(entry, problem, entry->storage[i].name, err);
        entry->n_storage = i + 1;
    }
    return 0;
}

static int take_transports(struct plugin_entry *entry, struct error *err)
{
    const struct ferry_transport *const *list = entry->plugin.transports;
    size_t n = count_drivers((const void *const *)list);
    const size_t least = UP_TO(struct ferry_transport, parameter);

    if (n > MAX_DRIVERS)
        return load_refuse(entry, err, "it lists more than %u transport drivers", MAX_DRIVERS);
    if (n > 0 && !(entry->transports = calloc(n, sizeof *entry->transports)))
        return error_memory(err);
    for (size_t i = 0; i < n; i++) {
        uint32_t size;
        const char *problem;

        if (!is_big_enough(list[i], least, &size))
            return load_refuse(
                entry, err, "a transport driver says that its size is %u bytes, %zu are needed", size, least);
        copy_smaller(&entry->transports[i], sizeof entry->transports[i], list[i], size);
        if ((problem = transport_problem(&entry->transports[i])))
            return refuse_driver(entry, problem, entry->transports[i].name, err);
        entry->n_transports = i + 1;
    }
    return 0;
}

static int take_plugin(struct plugin_entry *entry, const struct ferry_plugin *theirs, struct error *err)
{
    const size_t least = UP_TO(struct ferry_plugin, summary);
    struct ferry_plugin *p = &entry->plugin;

    /* Of another ABI nothing but the number is known to stand where we look. */
    if (theirs->size >= UP_TO(struct ferry_plugin, abi) && theirs->abi != FERRY_ABI)
        return load_refuse(entry, err, "was built for ABI %u, this virt-ferry speaks ABI %u", theirs->abi,
                           FERRY_ABI);
    if (theirs->size < least)
        return load_refuse(entry, err, "says that its size is %u bytes, %zu are needed", theirs->size, least);
    *p = (struct ferry_plugin){ 0 };
    copy_smaller(p, sizeof *p, theirs, theirs->size);
    if (!load_is_word(p->name))
        return load_refuse(entry, err, "has no name, or one that is not a word with dashes");
    if (!p->version || !*p->version)
        return load_refuse(entry, err, "lacks the required version");
    if (!p->summary || !*p->summary)
        return load_refuse(entry, err, "lacks the required summary");
    if (take_storage(entry, err) < 0 || (!entry->refused && take_transports(entry, err) < 0))
        return -err->code;
    return 0;
}

static int open_object(struct plugin_entry *entry, int fd, struct error *err)
{
    union {
        void *object;
        const struct ferry_plugin *(*call)(void);
    } symbol;
    const struct ferry_plugin *theirs;
    char name[40];

    /* The descriptor and not the path: what was checked cannot be swapped any more. */
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    entry->handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!entry->handle) {
        const char *why = dlerror();

        if (why && text_starts(why, name))
            why += strlen(name) + strspn(why + strlen(name), ": ");
        return load_refuse(entry, err, "could not be loaded: %s", ESCAPED(why ? why : "no reason given"));
    }
    symbol.object = dlsym(entry->handle, FERRY_PLUGIN_SYMBOL);
    if (!symbol.object)
        return load_refuse(entry, err, "has no symbol '%s': it is not a virt-ferry plugin",
                           FERRY_PLUGIN_SYMBOL);
    theirs = symbol.call();
    if (!theirs)
        return load_refuse(entry, err, "'%s' gave nothing", FERRY_PLUGIN_SYMBOL);
    return take_plugin(entry, theirs, err);
}

static void give_fd(int *fd, int *ret_fd)
{
    *ret_fd = *fd;
    *fd = -1;
}

int load_plugin(struct plugin_entry *entry, int *ret_fd, struct error *err)
{
    char why[PATH_MAX + 200];
    char name[40];
    const char *problem;
    OWNED_FD path_fd = -1;
    int result;

    *ret_fd = -1;
    drop_drivers(entry);
    switch (trust_open(entry->path, TRUST_FILE, &path_fd, why, sizeof why)) {
    case TRUST_ABSENT:
        return load_refuse(entry, err, "leads to a file that is not there");
    case TRUST_NO:
        return load_refuse(entry, err, "is not trusted: %s", why);
    case TRUST_YES:
        break;
    }
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", path_fd);
    OWNED_FD fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return load_refuse(entry, err, "could not be opened: %m");
    if ((problem = elf_problem(fd)))
        return load_refuse(entry, err, "%s", problem);
    result = open_object(entry, fd, err);
    if (entry->handle)
        give_fd(&fd, ret_fd);
    return result;
}
