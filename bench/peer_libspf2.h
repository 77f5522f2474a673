/* SPDX-License-Identifier: MIT */
/* Debian's libspf2, made to ask our DNS server. Its header and libspf's have enumerators of the same names: they never
 * meet in one source. */
#ifndef BENCH_PEER_LIBSPF2_H
#define BENCH_PEER_LIBSPF2_H

#include <stdbool.h>

typedef struct peer_libspf2 peer_libspf2_t;

/* NULL if it cannot be set up. */
peer_libspf2_t *peer_libspf2_new(unsigned port, bool has_cache);
void peer_libspf2_free(peer_libspf2_t *peer);
/* The result as bench_letter() has it, or '!' for what it calls invalid. */
char peer_libspf2_check(peer_libspf2_t *peer, const char *ip, const char *sender, const char *helo);

#endif
