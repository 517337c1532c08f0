/* SPDX-License-Identifier: Apache-2.0
 * The worker's own loop: read a question, run its verb, answer; ends when the parent's end closes.
 * Runs in the forked child and never returns. */
#ifndef WORKER_SERVE_H
#define WORKER_SERVE_H

#include "worker/worker.h"

void serve_child(int fd, const struct worker_setup *setup) __attribute__((noreturn));

/* libvirt's last error of this thread, as ours: what is formatted, why is libvirt's text, code from
 * libvirt's: no such domain is ERROR_ABSENT, a lost or refused connection ERROR_CONNECTION. */
int libvirt_error(struct error *err, const char *host, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
