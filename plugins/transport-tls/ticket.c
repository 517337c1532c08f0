/* SPDX-License-Identifier: Apache-2.0
 * Two calls of GSSAPI (RFC 2744), whose ABI is MIT's: acquiring may put off the look into the cache,
 * inquiring makes it. */
#include "ticket.h"
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>

#define LIBRARY "libgssapi_krb5.so.2"
#define INDEFINITE UINT32_MAX
#define TO_INITIATE 1
#define ROUTINE_ERROR 0x00ff0000u
#define CREDENTIALS_EXPIRED (11u << 16)

typedef uint32_t acquire_cred(uint32_t *minor, void *name, uint32_t time, void *mechanisms, int usage,
                              void **ret_cred, void *ret_mechanisms, uint32_t *ret_time);
typedef uint32_t inquire_cred(uint32_t *minor, void *cred, void *ret_name, uint32_t *ret_lifetime,
                              int *ret_usage, void *ret_mechanisms);
typedef uint32_t release_cred(uint32_t *minor, void **cred);

enum ticket ticket_of_status(unsigned acquired, unsigned inquired, unsigned lifetime_s)
{
    const unsigned first = acquired & ROUTINE_ERROR, second = inquired & ROUTINE_ERROR;

    if (first == CREDENTIALS_EXPIRED || second == CREDENTIALS_EXPIRED)
        return TICKET_EXPIRED;
    if (first || second)
        return TICKET_NONE;
    return lifetime_s ? TICKET_GOOD : TICKET_EXPIRED;
}

enum ticket ticket_look(void)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    acquire_cred *acquire = library ? (acquire_cred *)dlsym(library, "gss_acquire_cred") : NULL;
    inquire_cred *inquire = library ? (inquire_cred *)dlsym(library, "gss_inquire_cred") : NULL;
    release_cred *release = library ? (release_cred *)dlsym(library, "gss_release_cred") : NULL;
    uint32_t minor = 0, acquired, inquired = 0, lifetime_s = 0;
    void *cred = NULL;

    /* The library stays: it keeps data of its own for each thread, and the worker ends soon. */
    if (!acquire || !inquire || !release)
        return TICKET_NO_LIBRARY;
    acquired = acquire(&minor, NULL, INDEFINITE, NULL, TO_INITIATE, &cred, NULL, NULL);
    if ((acquired & ROUTINE_ERROR) == 0)
        inquired = inquire(&minor, cred, NULL, &lifetime_s, NULL, NULL);
    if (cred)
        (void)release(&minor, &cred);
    return ticket_of_status(acquired, inquired, lifetime_s);
}
