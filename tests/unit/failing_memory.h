/* SPDX-License-Identifier: MIT */
/*
 * Allocations that fail. The linker sends the library's to here (see tests/CMakeLists.txt: --wrap); those of other
 * libraries stay as they are.
 */
#ifndef TESTS_UNIT_FAILING_MEMORY_H
#define TESTS_UNIT_FAILING_MEMORY_H

#include "spf.h"

#include <stdbool.h>
#include <stddef.h>

/* For libraries that take their allocator by a call. */
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *old);

/*
 * Runs something with its n-th allocation failing, for every n, until it no longer meets the one that fails. It frees
 * what it made, and returns SPF_ENOMEM after a failure and SPF_OK without; may_recover: perhaps SPF_OK after one too.
 * Fails the test otherwise.
 */
void failing_memory_run(spf_err_t (*run)(void *argument), void *argument, bool may_recover);
/* Within a run: whether the allocation has failed already. */
bool failing_memory_was_met(void);

#endif
