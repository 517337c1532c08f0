/* SPDX-License-Identifier: Apache-2.0
 * Two addresses, one server? */
#ifndef NFS_PROOF_H
#define NFS_PROOF_H

#include "place.h"
#include "server.h"

/* Makes a file in the place's folder through its address and looks for it through the other one. ret_why says
 * why it is not known. */
enum identity_verdict proof_of_addresses(struct ferry_call *call, const struct ferry_services *services,
                                         const struct place *p, const char *other, char *ret_why,
                                         size_t size);
/* What was found so far: a proof is good for all images of a folder, for some seconds. */
void proof_forget(void);

#endif
