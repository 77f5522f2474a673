/* SPDX-License-Identifier: MIT */
/* Master files: what is read, and what is said about those that cannot be. */
#include "dns/zones.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char soa[] = ". 300 IN SOA . . 1 3600 600 86400 300\n";
static char error_text[512];

static spf_err_t merge(const char *text, size_t length, int *fd)
{
    spf_dns_zone_t zone = {.text = (char *)text, .text_length = length};
    spf_buf_t error;
    spf_buf_init(&error, error_text, sizeof error_text);
    return spf_zones_merge(&zone, fd, &error);
}

static void test_merged_text(void **state)
{
    static const struct {
        const char *text;
        const char *merged;
    } cases[] = {
        {"", ""},
        {"; nothing\n\n  \n\t; at all", ""},
        {"example.com. TXT x", "example.com. 3600 IN TXT \"x\" \n"},
        {"Example.com TXT x", "Example.com. 3600 IN TXT \"x\" \n"},
        {"a. 5 IN A 1.2.3.4\r\n\r\n IN 6 AAAA ::1\r\n", "a. 5 IN A 1.2.3.4\na. 6 IN AAAA ::1\n"},
        {"$TTL 1h30m\n$ORIGIN b.\n@ A 1.2.3.4\na 1w2d3h4m5s a 1.2.3.4",
         "b. 5400 IN A 1.2.3.4\na.b. 788645 IN A 1.2.3.4\n"},
        {"$ORIGIN b.\n$ORIGIN a\n@ A 1.2.3.4", "a.b. 3600 IN A 1.2.3.4\n"},
        {". MX 0 .", ". 3600 IN MX 0 .\n"},
        {"a. ( MX\n 65535 ; comment\n) b.", "a. 3600 IN MX 65535 b.\n"},
        {"a.\n", NULL},
        {"a. TXT \"a b;()\" c\\;d \"\\\"\\065\\000\\255\" \"\"",
         "a. 3600 IN TXT \"a b;()\" \"c;d\" \"\\034A\\000\\255\" \"\" \n"},
        {"*.w. TXT x\n\\*\\.\\065. TXT y", "*.w. 3600 IN TXT \"x\" \n*\\046A. 3600 IN TXT \"y\" \n"},
        {"a. CNAME \\032b.\na. PTR a_-9.", "a. 3600 IN CNAME \\032b.\na. 3600 IN PTR a_-9.\n"},
        {"a. SOA a b (1 2\n3 4 5)\na. NS b.\na. SRV 0 0 1 b.\na. type65535 \\# 0",
         "a. 3600 IN TYPE65280 \\# 0\na. 3600 IN TYPE65280 \\# 0\na. 3600 IN TYPE65280 \\# 0\n"
         "a. 3600 IN TYPE65280 \\# 0\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[512];
        char merged[512] = "";
        int fd;
        spf_err_t result = merge(cases[i].text, strlen(cases[i].text), &fd);
        assert_int_equal(result, cases[i].merged ? SPF_OK : SPF_ECONFIG);
        if (result != SPF_OK)
            continue;
        snprintf(expected, sizeof expected, "%s%s", soa, cases[i].merged);
        assert_true(pread(fd, merged, sizeof merged - 1, 0) > 0);
        assert_string_equal(merged, expected);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        close(fd);
    }
}

#define NAME_63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static void test_errors(void **state)
{
    static const struct {
        const char *text;
        const char *error;
    } cases[] = {
        {"a. TXTT x", ":1: \"TXTT\": expected is [TTL] [IN] TYPE, TYPE being A, AAAA, CNAME, MX, PTR, TXT, ..."},
        {"a. CH TXT x", ":1: \"CH\": expected is"},
        {"a. TYPE x", ":1: \"TYPE\": expected is"},
        {"a. 99999999999 TXT x", ":1: \"99999999999\": expected is"},
        {"a. IN", ":1: the record ends before its type"},
        {"a.", ":1: the record ends before its type"},
        {"\n A 1.2.3.4", ":2: the first record needs an owner name at the start of its line"},
        {"a. A", ":1: A takes one IPv4 address, as in 192.0.2.1"},
        {"a. A 1.2.3", ":1: \"1.2.3\": A takes one IPv4 address, as in 192.0.2.1"},
        {"a. A 1.2.3.4 5", ":1: \"5\": nothing may follow the data of the record"},
        {"a. AAAA 1.2.3.4", ":1: \"1.2.3.4\": AAAA takes one IPv6 address, as in 2001:db8::1"},
        {"a. MX b.", ":1: \"b.\": MX takes a preference from 0 to 65535 and a host name"},
        {"a. MX 65536 b.", ":1: \"65536\": MX takes a preference from 0 to 65535 and a host name"},
        {"a. MX 10", ":1: a host name must follow"},
        {"a. TXT", ":1: TXT takes one or more strings, as in \"v=spf1 -all\""},
        {"a. TXT \\# 2 0161", ":1: \"\\#\": data in hexadecimal is not supported; write strings"},
        {"a. TXT \\256", ":1: \"\\256\": bad escape"},
        {"a. TXT \\25", ":1: \"\\25\": bad escape"},
        {"a. TXT \"x\ny\"", ":1: a quoted string must end in \" on the same line"},
        {"a. TXT \"" NAME_63 NAME_63 NAME_63 NAME_63 "\\0011234\"", ":1: \"" NAME_63 "a\": a string has at most 255"},
        {"a. TXT (\n\nx", ":3: the file ends inside of ( )"},
        {"a. TXT x )", ":1: a ) without its ("},
        {"a. TXT \001", ":1: a control character"},
        {"a..b. A 1.2.3.4", ":1: \"a..b.\": not a name; its labels must have 1 to 63 octets, at most 253 in all"},
        {NAME_63 "h. A 1.2.3.4", ":1: \"" NAME_63 "h\": not a name"},
        {NAME_63 "." NAME_63 "." NAME_63 "." NAME_63 ". A 1.2.3.4", ":1: \"" NAME_63 ".\": not a name"},
        {"$ORIGIN " NAME_63 "." NAME_63 "." NAME_63 ".\n" NAME_63 " A 1.2.3.4",
         ":2: \"" NAME_63 "\": a name has at most 253 octets"},
        {"\"\" A 1.2.3.4", ":1: \"\": not a name"},
        {"$INCLUDE x", ":1: \"$INCLUDE\": not supported; allowed are $ORIGIN and $TTL"},
        {"$TTL", ":1: \"$TTL\": a value must follow"},
        {"$TTL 5x", ":1: \"5x\": not a TTL"},
        {"$TTL 2147483648", ":1: \"2147483648\": not a TTL"},
        {"$ORIGIN a. b", ":1: \"b\": nothing may follow the value"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[256];
        int fd;
        snprintf(expected, sizeof expected, "zone text%s", cases[i].error);
        assert_int_equal(merge(cases[i].text, strlen(cases[i].text), &fd), SPF_ECONFIG);
        assert_true(strlen(error_text) >= strlen(expected));
        error_text[strlen(expected)] = '\0';
        assert_string_equal(error_text, expected);
    }
}

/* Cut and damaged texts give a zone or an error, and nothing past their end is read. */
static void test_damaged_text(void **state)
{
    static const char text[] = "$TTL 5\n$ORIGIN a.b.\n@ ( IN\nTXT \"x\\065\" ) ; c\n  MX 1 m\\.n\n*.x CNAME \\000.y.\n";
    static const char values[] = {'\0', '\n', '"', '\\', '(', ')', ';', ' ', '.', '@', '9', '\xFF'};
    (void)state;
    for (size_t length = 0; length < sizeof text; length++) {
        for (size_t i = 0; i < sizeof values; i++) {
            char *exact = malloc(length + 1);
            int fd;
            memcpy(exact, text, length);
            exact[length] = values[i];
            spf_err_t result = merge(exact, length + 1, &fd);
            assert_true(result == SPF_OK || (result == SPF_ECONFIG && error_text[0]));
            if (result == SPF_OK)
                close(fd);
            free(exact);
        }
    }
}

/* Longer than what is written at a time. */
static void test_many_records(void **state)
{
    (void)state;
    enum { RECORDS = 20000, LENGTH = sizeof "00000. 3600 IN A 192.0.2.1\n" - 1 };
    char *text = malloc(RECORDS * LENGTH + 1);
    char *merged = malloc(RECORDS * LENGTH + sizeof soa);
    size_t length = 0;
    int fd;
    for (int i = 0; i < RECORDS; i++)
        length += (size_t)sprintf(text + length, "%05d. 3600 IN A 192.0.2.1\n", i);
    assert_int_equal(merge(text, length, &fd), SPF_OK);
    assert_int_equal(pread(fd, merged, length + sizeof soa, 0), length + sizeof soa - 1);
    assert_memory_equal(merged, soa, sizeof soa - 1);
    assert_memory_equal(merged + sizeof soa - 1, text, length);
    close(fd);
    free(merged);
    free(text);
}

static void test_record_that_is_too_long(void **state)
{
    (void)state;
    enum { STRINGS = 400 };
    char *text = malloc(16 + STRINGS * 256);
    int fd;
    size_t length = (size_t)sprintf(text, "a. TXT ");
    for (int i = 0; i < STRINGS; i++, length += 201) {
        memset(text + length, 'x', 200);
        text[length + 200] = ' ';
    }
    assert_int_equal(merge(text, length, &fd), SPF_ECONFIG);
    assert_string_equal(error_text, "zone text:1: the record is too long; allowed are 60000 characters");
    assert_int_equal(merge(text, 7 + 201 * 290, &fd), SPF_OK);
    close(fd);
    free(text);
}

static void test_files(void **state)
{
    (void)state;
    char path[] = "/tmp/spf-test-zones-XXXXXX";
    int file = mkstemp(path);
    int fd;
    spf_dns_zone_t zone = {.path = path};
    spf_dns_zone_t directory = {.path = (char *)"/tmp"};
    spf_buf_t error;
    spf_buf_init(&error, error_text, sizeof error_text);
    assert_int_equal(write(file, "a. A 1.2.3.4\nb. A x\n", 20), 20);
    assert_int_equal(spf_zones_merge(&zone, &fd, &error), SPF_ECONFIG);
    assert_non_null(strstr(error_text, path));
    assert_non_null(strstr(error_text, ":2: \"x\": A takes"));
    close(file);
    unlink(path);
    spf_buf_init(&error, error_text, sizeof error_text);
    assert_int_equal(spf_zones_merge(&zone, &fd, &error), SPF_ECONFIG);
    assert_non_null(strstr(error_text, ": No such file or directory"));
    spf_buf_init(&error, error_text, sizeof error_text);
    assert_int_equal(spf_zones_merge(&directory, &fd, &error), SPF_ECONFIG);
    assert_string_equal(error_text, "/tmp: not a file of at most 256 MB");
}

static void test_trust_anchors(void **state)
{
    static const struct {
        const char *text;
        const char *error;
    } cases[] = {
        {"; autotrust\n. 172800 IN DNSKEY 257 3 8 AwEA AaaL ; comment\n", NULL},
        {". IN DS 20326 8 2 E06D44B8\n", NULL},
        {"", ":1: a trust-anchor file holds DS or DNSKEY records in master-file format"},
        {"a. A 1.2.3.4\n", ":2: a trust-anchor file holds DS"},
        {". IN DS 20326 8 2\n", ":1: DS and DNSKEY have four fields"},
        {"trusted-keys {\n", ":1: \"{\": expected is"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[] = "/tmp/spf-test-anchor-XXXXXX";
        int file = mkstemp(path);
        spf_buf_t error;
        spf_buf_init(&error, error_text, sizeof error_text);
        assert_int_equal(write(file, cases[i].text, strlen(cases[i].text)), strlen(cases[i].text));
        close(file);
        assert_int_equal(spf_zones_check_anchor(path, &error), cases[i].error ? SPF_ECONFIG : SPF_OK);
        unlink(path);
        if (cases[i].error)
            assert_non_null(strstr(error_text, cases[i].error));
        else
            assert_string_equal(error_text, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merged_text),   cmocka_unit_test(test_errors),
        cmocka_unit_test(test_damaged_text),  cmocka_unit_test(test_record_that_is_too_long),
        cmocka_unit_test(test_many_records),  cmocka_unit_test(test_files),
        cmocka_unit_test(test_trust_anchors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
