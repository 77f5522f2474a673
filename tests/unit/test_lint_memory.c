/* SPDX-License-Identifier: MIT */
/* Lint when the n-th allocation fails, for every n: all of its remarks, or none. */
#include "tools/lint.h"

#include "unit/failing_memory.h"
#include "unit/walking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *const records[] = {
    "v=spf1 +ip4:192.0.2.9/24 ip4:192.0.2.0/25 ip4:192.0.2.128/25 ip6:::ffff:192.0.2.1 A include=a.example "
    "redirct=b.example c.example ip4:10.0.0.0/7 v=spf1 foo=bar a:a..b.example ptr a all mx",
    "v=spf1 ipv4:192.0.2.1, include: example.com a:192.0.2.1 ip4:192.0.2.0-192.0.2.255 -all.",
    "v=spf1 include:b\xc3\xbc"
    "cher.example include:http://x.example mx-all redirect=a.example redirect=b.example",
    "v=spf1; ip4:192.0.2.0 /24 \xe2\x80\x93"
    "all",
    "\"v=spf1 a\" \"mx -all\"",
    "nothing",
};

typedef struct attempt {
    const spf_tree_t *tree;
    size_t count;
    bool is_fixed;
} attempt_t;

static spf_err_t lint(void *argument)
{
    attempt_t *attempt = argument;
    spf_arena_t arena = SPF_ARENA_EMPTY;
    const spf_lint_t *made = spf_lint_tree(&arena, attempt->tree);
    spf_err_t err = made != NULL ? SPF_OK : SPF_ENOMEM;

    if (made != NULL) {
        assert_int_equal(made->count, attempt->count);
        assert_int_equal(made->fixed != NULL, attempt->is_fixed);
    }
    spf_arena_free(&arena);
    return err;
}

static void test_all_or_nothing(void **state)
{
    zone_t *zone = zone_new();
    walking_t walking;

    (void)state;
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        assert_true(
            walking_run(&walking, &(walking_input_t){.zone = zone, .record = records[i], .scope = WALKING_NOTHING}));
        const spf_lint_t *made = spf_lint_tree(&walking.arena, walking.tree);
        assert_non_null(made);
        failing_memory_run(
            lint, &(attempt_t){.tree = walking.tree, .count = made->count, .is_fixed = made->fixed != NULL}, false);
        walking_free(&walking);
    }
    zone_free(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
