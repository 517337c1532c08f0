/* SPDX-License-Identifier: Apache-2.0
 * The TCP transport's way to find the address that answers. Two plugins share no symbols, so each has its own
 * copy of the object, not of the source. */
#include "../transport-tls/reach.c" /* NOLINT(bugprone-suspicious-include) */
