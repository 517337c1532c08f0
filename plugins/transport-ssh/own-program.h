/* SPDX-License-Identifier: Apache-2.0
 * Programs that stand beside the plugin and help it with ssh. Whoever could change the plugin could change
 * them, and nobody else. */
#ifndef TRANSPORT_SSH_OWN_PROGRAM_H
#define TRANSPORT_SSH_OWN_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

/* Its path; false: it is not there, or others may write it, or the path does not fit. */
bool own_program(const char *name, char *buf, size_t size);

#endif
