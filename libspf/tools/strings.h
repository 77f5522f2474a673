/* SPDX-License-Identifier: MIT */
/* TXT data as people paste it: as it is, or as the quoted strings of a zone file (RFC 1035 section 5.1), alone or with
 * what stands before them there, in dig(1)'s answers, and in those of host(1) and nslookup(1). */
#ifndef SPF_TOOLS_STRINGS_H
#define SPF_TOOLS_STRINGS_H

#include "base/arena.h"

#include <stdbool.h>

typedef struct spf_strings {
    const char *text; /* the strings joined with nothing between (RFC 7208 section 3.3); NUL-terminated too */
    size_t length;
    const size_t *ends; /* where each of them ends in text */
    size_t count;       /* 0: the text was not quoted and is taken as it is */
} spf_strings_t;

/* False only without memory. */
bool spf_strings_read(spf_arena_t *arena, const char *text, size_t length, spf_strings_t *strings);

#endif
