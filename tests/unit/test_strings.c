/* SPDX-License-Identifier: MIT */
/* TXT data as people paste it. */
#include "tools/strings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *given;
    const char *joined;
    size_t count; /* of strings; 0: it is taken as it is */
    size_t first; /* where the first ends */
} rows[] = {
    {"v=spf1 -all", "v=spf1 -all", 0, 0},
    {"", "", 0, 0},
    {"  ", "  ", 0, 0},
    {"\"v=spf1 -all\"", "v=spf1 -all", 1, 11},
    {"\"v=spf1\" \" -all\"", "v=spf1 -all", 2, 6},
    {"( \"v=spf1 \"\n\t\"a\" \"\"  \" -all\" )\r\n", "v=spf1 a -all", 4, 7},
    {"\"\"", "", 1, 0},
    {"\"a\\\"b\\\\c\\-\\045d\"", "a\"b\\c--d", 1, 8},
    {"\"\\255\"", "\xff", 1, 1},
    {"\"\\256\"", "\"\\256\"", 0, 0},
    {"\"\\25\"", "\"\\25\"", 0, 0},
    {"\"\\2", "\"\\2", 0, 0},
    {"\"\\", "\"\\", 0, 0},
    {"\"v=spf1 -all", "\"v=spf1 -all", 0, 0},
    {"\"v=spf1\" -all", "\"v=spf1\" -all", 0, 0},
    {"v=spf1 \"-all\"", "v=spf1 \"-all\"", 0, 0},
    {"example.com. 3600 IN TXT \"v=spf1\" \" -all\"\n", "v=spf1 -all", 2, 6},
    {"example.com.\t3600\tIN\ttxt\t( \"v=spf1 \" ; \"a\n \"-all\" ) ; the end", "v=spf1 -all", 2, 7},
    {"example.com descriptive text \"v=spf1 -all\"", "v=spf1 -all", 1, 11},
    {"example.com\ttext = \"v=spf1 -all\"\r\n", "v=spf1 -all", 1, 11},
    {"TXT \"v=spf1 -all\"", "v=spf1 -all", 1, 11},
    {"TXT v=spf1 -all", "TXT v=spf1 -all", 0, 0},
    {"example.com. IN MX \"v=spf1 -all\"", "example.com. IN MX \"v=spf1 -all\"", 0, 0},
    {"v=spf1 txt \"-all\"", "v=spf1 txt \"-all\"", 0, 0},
    {"\"v=spf1 -all\" TXT \"v=spf1 mx\"", "\"v=spf1 -all\" TXT \"v=spf1 mx\"", 0, 0},
    {"; \"a\"", "; \"a\"", 0, 0},
    {"\"a\" ; b", "a", 1, 1},
    {"=", "=", 0, 0},
};

static void test_texts(void **state)
{
    spf_strings_t strings;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        spf_arena_t arena = SPF_ARENA_EMPTY;
        assert_true(spf_strings_read(&arena, rows[i].given, strlen(rows[i].given), &strings));
        assert_string_equal(strings.text, rows[i].joined);
        assert_int_equal(strings.length, strlen(rows[i].joined));
        assert_int_equal(strings.count, rows[i].count);
        if (rows[i].count > 0) {
            assert_int_equal(strings.ends[0], rows[i].first);
            assert_int_equal(strings.ends[strings.count - 1], strings.length);
        }
        spf_arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
