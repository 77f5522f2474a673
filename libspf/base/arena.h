/* SPDX-License-Identifier: MIT */
/* Memory that is given out piece by piece and freed all at once: one arena for each check. */
#ifndef SPF_BASE_ARENA_H
#define SPF_BASE_ARENA_H

#include <stddef.h>

typedef struct spf_arena {
    struct spf_arena_block *head; /* the block in use; older ones hang behind it */
    size_t total;                 /* octets of all blocks */
} spf_arena_t;

/* An empty arena holds nothing and needs no freeing. */
#define SPF_ARENA_EMPTY ((spf_arena_t){0})

/* size octets, aligned for any type, not cleared; NULL without memory. Size 0 gives a valid pointer. */
void *spf_arena_alloc(spf_arena_t *arena, size_t size);
/* The same, cleared. */
void *spf_arena_calloc(spf_arena_t *arena, size_t size);
/* A NUL-terminated copy of length octets. */
char *spf_arena_copy(spf_arena_t *arena, const char *text, size_t length);
/* Gives back the end of the allocation made last: it keeps `used` of its `size` octets. */
void spf_arena_trim(spf_arena_t *arena, void *last, size_t size, size_t used);
/* Frees all of it; the arena is empty then. */
void spf_arena_free(spf_arena_t *arena);

#endif
