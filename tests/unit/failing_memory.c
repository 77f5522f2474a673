/* SPDX-License-Identifier: MIT */
#include "unit/failing_memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct {
    bool is_armed;
    unsigned count;   /* allocations so far */
    unsigned fail_at; /* the one that fails, from 1 */
    long live;        /* made and not freed */
} memory;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *old);

static bool memory_fails(void)
{
    if (!memory.is_armed || ++memory.count != memory.fail_at)
        return false;
    errno = ENOMEM;
    return true;
}

static void *memory_made(void *made, const void *old)
{
    memory.live += memory.is_armed && made && !old;
    return made;
}

void *__wrap_malloc(size_t size)
{
    return memory_fails() ? NULL : memory_made(__real_malloc(size), NULL);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return memory_fails() ? NULL : memory_made(__real_calloc(count, size), NULL);
}

void *__wrap_realloc(void *old, size_t size)
{
    return memory_fails() ? NULL : memory_made(__real_realloc(old, size), old);
}

void __wrap_free(void *old)
{
    memory.live -= memory.is_armed && old;
    __real_free(old);
}

bool failing_memory_was_met(void)
{
    return memory.count >= memory.fail_at;
}

void failing_memory_run(spf_err_t (*run)(void *argument), void *argument, bool may_recover)
{
    bool was_met;
    memory.fail_at = 0;
    do {
        memory.fail_at++;
        memory.count = 0;
        memory.live = 0;
        memory.is_armed = true;
        spf_err_t result = run(argument);
        memory.is_armed = false;
        was_met = failing_memory_was_met();
        if (memory.live != 0)
            fail_msg("%ld allocations are left after the failure of allocation %u", memory.live, memory.fail_at);
        if (was_met && may_recover ? result != SPF_OK && result != SPF_ENOMEM
                                   : result != (was_met ? SPF_ENOMEM : SPF_OK))
            fail_msg("allocation %u of %u failed: %s", memory.fail_at, memory.count, spf_strerror(result));
    } while (was_met);
    assert_true(memory.fail_at > 1);
}
