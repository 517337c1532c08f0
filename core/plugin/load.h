/* SPDX-License-Identifier: Apache-2.0
 * Makes one file into a plugin entry: opens, checks and copies it, or says in one sentence why not. */
#ifndef PLUGIN_LOAD_H
#define PLUGIN_LOAD_H

#include "plugin/registry.h"
#include <stdbool.h>

/* Fills a zeroed entry; entry->path must be set. *ret_fd stays open as long as the object is loaded, -1 when
 * it is not: the loader knows an object by its name /proc/self/fd/N, so N must not be given to another. A
 * refusal is no failure; only lack of memory is. */
int load_plugin(struct plugin_entry *entry, int *ret_fd, struct error *err);

/* Takes the drivers away again and notes the sentence; the object stays loaded until load_release. */
int load_refuse(struct plugin_entry *entry, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void load_release(struct plugin_entry *entry, int fd);

/* A driver's, plugin's or finding's name: lower case letters, digits and dashes, a letter first. */
bool load_is_word(const char *s);

#endif
