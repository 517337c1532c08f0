/* SPDX-License-Identifier: Apache-2.0
 * Names that come from outside, checked before they reach a library or a program.
 * A host name that begins with a dash would be an option to ssh; one that holds a slash, part of a URI. */
#ifndef BASE_NAME_H
#define BASE_NAME_H

#include "base/error.h"
#include <stdbool.h>

/* A host: letters, digits, dot, dash, underscore; or an IPv4 / bracketed IPv6 address; at most 253 bytes. */
int name_check_host(const char *name, struct error *err);
/* A bare IPv4 or IPv6 address, and nothing else. */
bool name_is_address(const char *s);
/* A user of another host: letters, digits, dot, dash, underscore, no dash or dot first; at most 64 bytes.
 * What a shell or ssh's configuration could take for more than a name is in none of them. */
int name_check_user(const char *name, struct error *err);
/* A domain as libvirt can know it: not empty, valid length (at most 255 bytes), no slash, no newline, valid
 * UTF-8. A leading dash is legal in libvirt: it is only ever passed as a value, never in an argv. */
int name_check_domain(const char *name, struct error *err);

/* A new run's name: UTC time and 32 random bits, "20261124T101530-9f3a12bc"; sorts by time.
 * buf holds at least NAME_RUN_SIZE bytes. */
#define NAME_RUN_SIZE 32
int name_new_run(char *buf, struct error *err);
int name_check_run(const char *name, struct error *err);
/* n random bytes as hex; buf holds 2 n + 1. */
int name_random_hex(char *buf, unsigned n, struct error *err);

#endif
