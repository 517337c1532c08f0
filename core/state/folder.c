/* SPDX-License-Identifier: Apache-2.0
 * Where the state lies, and which runs lie there. What the folder holds decides what is started and what is
 * removed: so it is ours alone, or it is not used. */
#include "base/name.h"
#include "base/text.h"
#include "state/journal.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char *folder_name(struct error *err)
{
    const char *named = getenv("VIRT_FERRY_STATE_DIR"), *xdg = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    char *dir = NULL;
    int n = -1;

    if (named && *named)
        n = asprintf(&dir, "%s", named);
    else if (geteuid() == 0)
        n = asprintf(&dir, "/var/lib/virt-ferry");
    else if (xdg && *xdg == '/')
        n = asprintf(&dir, "%s/virt-ferry", xdg);
    else if (home && *home == '/')
        n = asprintf(&dir, "%s/.local/state/virt-ferry", home);
    else {
        error_set(err, ERROR_USAGE, NULL, "there is no place for the state: HOME is not set");
        error_fix(err, "Name a folder by VIRT_FERRY_STATE_DIR.");
        return NULL;
    }
    if (n < 0) {
        error_memory(err);
        return NULL;
    }
    return dir;
}

/* Also the folders above it, which nothing secret stands in; path is whole again afterwards. */
static int make_parents(char *path, struct error *err)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        int n;

        *slash = '\0';
        n = mkdir(path, 0755);
        if (n < 0 && errno != EEXIST) {
            error_errno(err, NULL, "could not create the folder '%s'", path);
            *slash = '/';
            return -err->code;
        }
        *slash = '/';
    }
    return 0;
}

static int check_own(const char *path, struct error *err)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return error_errno(err, NULL, "could not look at the folder '%s'", path);
    if (!S_ISDIR(st.st_mode))
        return error_set(err, ERROR_USAGE, NULL, "'%s' is not a folder", path);
    if (st.st_uid == geteuid() && !(st.st_mode & 022))
        return 0;
    error_set(err, ERROR_USAGE, NULL, "the state folder '%s' can be written by other users", path);
    return error_fix(err, "Make it your own and nobody else's: chown %u '%s' && chmod 700 '%s'.",
                     (unsigned)geteuid(), path, path);
}

static int make_own(const char *path, struct error *err)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return error_errno(err, NULL, "could not create the folder '%s'", path);
    return check_own(path, err);
}

char *state_dir_at(const char *path, struct error *err)
{
    OWNED_MEMORY char *dir = realpath(path, NULL);
    OWNED_MEMORY char *runs = NULL;

    if (!dir) {
        error_errno(err, NULL, "could not look at the folder '%s'", path);
        return NULL;
    }
    if (text_ends(dir, "/runs"))
        dir[strlen(dir) - strlen("/runs")] = '\0';
    if (asprintf(&runs, "%s/runs", dir) < 0) {
        runs = NULL;
        error_memory(err);
        return NULL;
    }
    if (access(runs, F_OK) < 0) {
        error_set(err, ERROR_USAGE, NULL, "there is no folder 'runs' in '%s'", dir);
        error_fix(err, "Name a state folder, /var/lib/virt-ferry of the machine that ran virt-ferry, copied "
                       "or mounted here.");
        return NULL;
    }
    if (check_own(dir, err) < 0 || check_own(runs, err) < 0)
        return NULL;
    return HAND_OVER(dir);
}

char *state_dir(struct error *err)
{
    OWNED_MEMORY char *dir = folder_name(err);
    OWNED_MEMORY char *runs = NULL;

    if (!dir)
        return NULL;
    if (asprintf(&runs, "%s/runs", dir) < 0) {
        runs = NULL;
        error_memory(err);
        return NULL;
    }
    if (make_parents(dir, err) < 0 || make_own(dir, err) < 0 || make_own(runs, err) < 0)
        return NULL;
    return HAND_OVER(dir);
}

static int is_journal(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && text_ends(entry->d_name, ".journal");
}

/* Names begin with the time: the order of bytes is that of age. */
static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

json_t *journal_list(const char *dir, struct error *err)
{
    OWNED_MEMORY char *runs = NULL;
    OWNED_JSON list = json_array();
    struct dirent **entries = NULL;
    struct error ignored = { 0 };
    int n, failed = list ? 0 : -1;

    if (asprintf(&runs, "%s/runs", dir) < 0) {
        runs = NULL;
        error_memory(err);
        return NULL;
    }
    n = scandir(runs, &entries, is_journal, by_bytes);
    if (n < 0 && errno != ENOENT) {
        error_errno(err, NULL, "could not list the folder '%s'", runs);
        return NULL;
    }
    for (int i = 0; i < n; i++) {
        entries[i]->d_name[strlen(entries[i]->d_name) - strlen(".journal")] = '\0';
        if (!failed && name_check_run(entries[i]->d_name, &ignored) == 0)
            failed = json_array_append_new(list, json_string(entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
    if (failed) {
        error_memory(err);
        return NULL;
    }
    return HAND_OVER(list);
}
