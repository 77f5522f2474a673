/* SPDX-License-Identifier: MIT */
/* The bounded text builder, at and past its bounds. */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void fills_to_the_last_octet(void **state)
{
    char storage[8];
    spf_buf_t buf;
    (void)state;
    memset(storage, 'x', sizeof(storage));
    spf_buf_init(&buf, storage, sizeof(storage));
    assert_string_equal(buf.data, "");
    spf_buf_add_text(&buf, "abc");
    spf_buf_add(&buf, "defg", 4);
    assert_string_equal(buf.data, "abcdefg");
    assert_int_equal(buf.len, 7);
    assert_false(buf.full);
}

/* From the first addition that does not fit nothing is added any more, not even what would. */
static void full_is_whole_or_not_at_all(void **state)
{
    char storage[8];
    spf_buf_t buf;
    (void)state;
    spf_buf_init(&buf, storage, sizeof(storage));
    spf_buf_add_text(&buf, "abcd");
    spf_buf_add_text(&buf, "efgh");
    assert_true(buf.full);
    assert_string_equal(buf.data, "abcd");
    spf_buf_add_char(&buf, 'e');
    spf_buf_add_uint(&buf, 1);
    spf_buf_add_printable(&buf, "e", 1, false);
    assert_string_equal(buf.data, "abcd");
    assert_int_equal(buf.len, 4);
}

static void storage_of_one_octet_holds_the_end(void **state)
{
    char storage[1];
    spf_buf_t buf;
    (void)state;
    spf_buf_init(&buf, storage, sizeof(storage));
    spf_buf_add(&buf, NULL, 0);
    assert_false(buf.full);
    spf_buf_add(&buf, "abc", SIZE_MAX);
    assert_true(buf.full);
    assert_string_equal(buf.data, "");
}

static void octets_are_counted_not_terminated(void **state)
{
    char storage[8];
    spf_buf_t buf;
    (void)state;
    spf_buf_init(&buf, storage, sizeof(storage));
    spf_buf_add(&buf, "a\0b", 3);
    spf_buf_add_char(&buf, '\0');
    assert_int_equal(buf.len, 4);
    assert_memory_equal(buf.data, "a\0b\0", 5);
}

static void numbers_are_decimal(void **state)
{
    static const struct {
        uint64_t number;
        const char *text;
    } cases[] = {{0, "0"}, {7, "7"}, {10, "10"}, {4294967296, "4294967296"}, {UINT64_MAX, "18446744073709551615"}};
    char storage[24];
    spf_buf_t buf;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        spf_buf_init(&buf, storage, sizeof(storage));
        spf_buf_add_uint(&buf, cases[i].number);
        assert_string_equal(buf.data, cases[i].text);
    }
    spf_buf_init(&buf, storage, 3);
    spf_buf_add_uint(&buf, 100);
    assert_true(buf.full);
    assert_string_equal(buf.data, "");
}

static void unprintable_becomes_a_question_mark(void **state)
{
    static const struct {
        const char *text;
        size_t length;
        const char *ascii, *utf8;
    } cases[] = {
        {"plain text~!", 12, "plain text~!", "plain text~!"},
        {"a\r\nb\tc\0d\x1b", 9, "a??b?c?d?", "a??b?c?d?"},
        {"\x7f", 1, "?", "?"},
        {"z\xc3\xbcrich", 7, "z??rich", "z\xc3\xbcrich"},
        {"\xe2\x82\xac \xf0\x9f\x93\xa7", 8, "??? ????", "\xe2\x82\xac \xf0\x9f\x93\xa7"},
        {"\xc2\x80\xc2\x9f\xc2\xa0", 6, "??????", "????\xc2\xa0"},    /* C1 controls end at U+009F */
        {"\xc0\xaf\xc1\xbf", 4, "????", "????"},                      /* overlong */
        {"\xe0\x9f\xbf\xe0\xa0\x80", 6, "??????", "???\xe0\xa0\x80"}, /* overlong, least of three */
        {"\xf0\x8f\xbf\xbf\xf0\x90\x80\x80", 8, "????????", "????\xf0\x90\x80\x80"},
        {"\xed\x9f\xbf\xed\xa0\x80\xed\xbf\xbf\xee\x80\x80", 12, "????????????",
         "\xed\x9f\xbf??????\xee\x80\x80"}, /* surrogates */
        {"\xf4\x8f\xbf\xbf\xf4\x90\x80\x80\xf8\x88\x80\x80\x80", 13, "?????????????",
         "\xf4\x8f\xbf\xbf?????????"},                                   /* past U+10FFFF */
        {"\xd8\x9b\xd8\x9c\xd8\x9d", 6, "??????", "\xd8\x9b??\xd8\x9d"}, /* what turns text round */
        {"\xe2\x80\x8d\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\x90", 12, "????????????", "\xe2\x80\x8d??????\xe2\x80\x90"},
        {"\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xae\xe2\x80\xaf", 12, "????????????", "\xe2\x80\xa7??????\xe2\x80\xaf"},
        {"\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa", 12, "????????????", "\xe2\x81\xa5??????\xe2\x81\xaa"},
        {"\xc3", 1, "?", "?"},     /* cut off */
        {"\xc3\xbc", 1, "?", "?"}, /* what goes on behind the end does not count */
        {"\xe2\x82", 2, "??", "??"},
        {"\xe2\x82z", 3, "??z", "??z"},
        {"\xbc\xbf\xfe\xff", 4, "????", "????"},
    };
    char storage[32];
    spf_buf_t buf;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        spf_buf_init(&buf, storage, sizeof(storage));
        spf_buf_add_printable(&buf, cases[i].text, cases[i].length, false);
        assert_string_equal(buf.data, cases[i].ascii);
        spf_buf_init(&buf, storage, sizeof(storage));
        spf_buf_add_printable(&buf, cases[i].text, cases[i].length, true);
        assert_string_equal(buf.data, cases[i].utf8);
        spf_buf_init(&buf, storage, cases[i].length);
        spf_buf_add_printable(&buf, cases[i].text, cases[i].length, true);
        assert_true(buf.full);
        assert_string_equal(buf.data, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_to_the_last_octet),
        cmocka_unit_test(full_is_whole_or_not_at_all),
        cmocka_unit_test(storage_of_one_octet_holds_the_end),
        cmocka_unit_test(octets_are_counted_not_terminated),
        cmocka_unit_test(numbers_are_decimal),
        cmocka_unit_test(unprintable_becomes_a_question_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
