/* SPDX-License-Identifier: Apache-2.0
 * Where libvirt's client on this machine looks for its CA, its certificate, its key and its passwords. */
#ifndef TRANSPORT_TLS_FILES_H
#define TRANSPORT_TLS_FILES_H

#include "certificate.h"

struct files {
    char ca[512], certificate[512], key[512];
};
/* pkipath: of the URI, NULL = none. Reads nothing but whether the user's own are there. */
void files_locate(const char *pkipath, struct files *ret);

/* The file of SASL passwords that libvirt would read for a URI whose authfile is this (NULL = none); false:
 * there is none. */
bool files_passwords(const char *authfile, char *path, size_t size);

/* NULL with errno set: it cannot be read, or is larger than any certificate. malloc'ed. */
char *files_read(const char *path, size_t *ret_n);
/* NULL, or why not. */
const char *files_certificates(const char *path, struct certificates *ret);

#endif
