/* SPDX-License-Identifier: MIT */
/* The arena: alignment, growth, pieces of any size, and what happens without memory. */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What malloc() cannot give is part of these tests: the sanitizers must let it fail. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void empty_needs_no_freeing(void **state)
{
    spf_arena_t arena = SPF_ARENA_EMPTY;
    (void)state;
    assert_null(arena.head);
    assert_int_equal(arena.total, 0);
    spf_arena_free(&arena);
    spf_arena_free(&arena);
}

/* Pieces are aligned, do not overlap, and keep what was written into them. */
static void pieces_are_aligned_and_apart(void **state)
{
    enum { PIECES = 600 };
    static unsigned char *pieces[PIECES];
    spf_arena_t arena = SPF_ARENA_EMPTY;
    (void)state;
    for (size_t i = 0; i < PIECES; i++) {
        pieces[i] = spf_arena_alloc(&arena, i);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        memset(pieces[i], (int)(i & 0xff), i);
    }
    for (size_t i = 0; i < PIECES; i++) {
        for (size_t j = 0; j < i; j++)
            assert_int_equal(pieces[i][j], i & 0xff);
    }
    spf_arena_free(&arena);
    assert_null(arena.head);
    assert_int_equal(arena.total, 0);
}

static void calloc_clears(void **state)
{
    spf_arena_t arena = SPF_ARENA_EMPTY;
    unsigned char *memory = spf_arena_alloc(&arena, 500);
    (void)state;
    memset(memory, 0xa5, 500);
    spf_arena_trim(&arena, memory, 500, 0);
    memory = spf_arena_calloc(&arena, 500);
    for (size_t i = 0; i < 500; i++)
        assert_int_equal(memory[i], 0);
    spf_arena_free(&arena);
}

static void copy_is_terminated_and_counts_octets(void **state)
{
    spf_arena_t arena = SPF_ARENA_EMPTY;
    char *copy = spf_arena_copy(&arena, "a\0bcd", 4);
    (void)state;
    assert_memory_equal(copy, "a\0bc", 5);
    assert_string_equal(spf_arena_copy(&arena, NULL, 0), "");
    assert_memory_equal(copy, "a\0bc", 5); /* its end too is its own */
    /* Behind a text of odd length other pieces are aligned again. */
    assert_int_equal((uintptr_t)spf_arena_alloc(&arena, 8) % _Alignof(max_align_t), 0);
    spf_arena_free(&arena);
}

static void small_work_takes_one_small_block(void **state)
{
    spf_arena_t arena = SPF_ARENA_EMPTY;
    (void)state;
    for (int i = 0; i < 100; i++)
        assert_non_null(spf_arena_copy(&arena, "192.0.2.1 is it", 15));
    assert_true(arena.total <= 4096);
    for (int i = 0; i < 200; i++)
        assert_non_null(spf_arena_copy(&arena, "192.0.2.1 is it", 15));
    assert_true(arena.total <= 8192);
    spf_arena_free(&arena);
}

/* A big piece does not cost the rest of the block in use. */
static void big_pieces_stand_alone(void **state)
{
    spf_arena_t arena = SPF_ARENA_EMPTY;
    char *small = spf_arena_alloc(&arena, 16);
    char *big = spf_arena_alloc(&arena, 100000);
    char *next = spf_arena_alloc(&arena, 16);
    (void)state;
    memset(big, 1, 100000);
    assert_ptr_equal(next, small + 16);
    assert_true(arena.total >= 100000 && arena.total < 100000 + 8192);
    spf_arena_free(&arena);

    big = spf_arena_alloc(&arena, 100000); /* also as the first one */
    assert_non_null(big);
    memset(big, 1, 100000);
    spf_arena_free(&arena);
}

static void trim_gives_back_only_the_last(void **state)
{
    spf_arena_t arena = SPF_ARENA_EMPTY;
    char *first = spf_arena_alloc(&arena, 64);
    char *last = spf_arena_alloc(&arena, 256);
    char *big;
    (void)state;
    spf_arena_trim(&arena, first, 64, 0); /* not the last: nothing happens */
    spf_arena_trim(&arena, last, 256, 16);
    assert_ptr_equal(spf_arena_alloc(&arena, 16), last + 16);
    big = spf_arena_alloc(&arena, 50000); /* in a block of its own: kept as it is */
    spf_arena_trim(&arena, big, 50000, 10);
    assert_ptr_equal(spf_arena_alloc(&arena, 16), last + 32);
    spf_arena_free(&arena);
    spf_arena_trim(&arena, last, 0, 0);
}

static void exhaustion_is_null_and_harmless(void **state)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 40, SIZE_MAX / 4};
    spf_arena_t arena = SPF_ARENA_EMPTY;
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_null(spf_arena_alloc(&arena, sizes[i]));
        assert_null(spf_arena_calloc(&arena, sizes[i]));
        assert_null(spf_arena_copy(&arena, "x", sizes[i]));
    }
    assert_null(arena.head);
    assert_int_equal(arena.total, 0);
    char *good = spf_arena_copy(&arena, "good", 4);
    size_t total = arena.total;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        assert_null(spf_arena_alloc(&arena, sizes[i]));
    assert_int_equal(arena.total, total);
    assert_string_equal(good, "good");
    spf_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_needs_no_freeing),
        cmocka_unit_test(pieces_are_aligned_and_apart),
        cmocka_unit_test(calloc_clears),
        cmocka_unit_test(copy_is_terminated_and_counts_octets),
        cmocka_unit_test(small_work_takes_one_small_block),
        cmocka_unit_test(big_pieces_stand_alone),
        cmocka_unit_test(trim_gives_back_only_the_last),
        cmocka_unit_test(exhaustion_is_null_and_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
