/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A check should need one or two blocks: the first is small, for thousands may be in flight, and each block that
 * follows is as large as all before it, up to a limit, so that a long trace costs few calls of malloc(). */
enum { BLOCK_FIRST = 4096, BLOCK_LARGEST = 16384, MALLOC_OVERHEAD = 16 };

struct spf_arena_block {
    struct spf_arena_block *next;
    size_t size; /* octets of data */
    size_t used;
    alignas(max_align_t) char data[];
};

/* A new block with room for size octets of data. It is not linked yet. */
static struct spf_arena_block *block_new(spf_arena_t *arena, size_t size)
{
    struct spf_arena_block *block;
    if (size > PTRDIFF_MAX - sizeof(*block)) /* no object can be larger */
        return NULL;
    block = malloc(sizeof(*block) + size);
    if (block == NULL)
        return NULL;
    block->next = NULL;
    block->size = size;
    block->used = 0;
    arena->total += sizeof(*block) + size;
    return block;
}

/* Room for size octets where the head has none: a big piece gets a block of its own behind the head, which stays in
 * use; for a small one a new head is begun. */
static void *alloc_in_new_block(spf_arena_t *arena, size_t size)
{
    size_t growth = arena->total < BLOCK_FIRST ? BLOCK_FIRST : arena->total;
    size_t room = (growth < BLOCK_LARGEST ? growth : BLOCK_LARGEST) - sizeof(struct spf_arena_block) - MALLOC_OVERHEAD;
    bool big = size > room / 4;
    struct spf_arena_block *block = block_new(arena, big ? size : room);
    if (block == NULL)
        return NULL;
    block->used = size;
    if (big && arena->head != NULL) {
        block->next = arena->head->next;
        arena->head->next = block;
    } else {
        block->next = arena->head;
        arena->head = block;
    }
    return block->data;
}

static void *alloc_aligned(spf_arena_t *arena, size_t size, size_t alignment)
{
    struct spf_arena_block *head = arena->head;
    if (head != NULL) {
        size_t offset = (head->used + alignment - 1) & ~(alignment - 1);
        if (offset <= head->size && size <= head->size - offset) {
            head->used = offset + size;
            return head->data + offset;
        }
    }
    return alloc_in_new_block(arena, size);
}

void *spf_arena_alloc(spf_arena_t *arena, size_t size)
{
    return alloc_aligned(arena, size, alignof(max_align_t));
}

void *spf_arena_calloc(spf_arena_t *arena, size_t size)
{
    void *memory = spf_arena_alloc(arena, size);
    if (memory != NULL)
        memset(memory, 0, size);
    return memory;
}

char *spf_arena_copy(spf_arena_t *arena, const char *text, size_t length)
{
    char *copy;
    if (length == SIZE_MAX)
        return NULL;
    copy = alloc_aligned(arena, length + 1, 1);
    if (copy == NULL)
        return NULL;
    if (length > 0)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

void spf_arena_trim(spf_arena_t *arena, void *last, size_t size, size_t used)
{
    struct spf_arena_block *head = arena->head;
    if (head == NULL || used > size || size > head->used)
        return;
    /* A piece in a block of its own is not the head's last, and is left as it is. */
    if (head->data + (head->used - size) == last)
        head->used -= size - used;
}

void spf_arena_free(spf_arena_t *arena)
{
    struct spf_arena_block *block = arena->head;
    while (block != NULL) {
        struct spf_arena_block *next = block->next;
        free(block);
        block = next;
    }
    *arena = SPF_ARENA_EMPTY;
}
