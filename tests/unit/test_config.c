/* SPDX-License-Identifier: MIT */
/* Configuration: every key with its limits, files whole or not at all, and what the errors say. */
#include "api/config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define EXPLANATION_ERROR                                                                                              \
    "is no explanation: 1 to 512 printable ASCII characters, in which macros are expanded (%% is a percent sign)"

static char path[] = "/tmp/libspf-test-config-XXXXXX";

static int make_file(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    if (fd < 0)
        return -1;
    return close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_file(const char *text, size_t length)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static spf_config_t *config_new(void)
{
    spf_config_t *config;

    assert_int_equal(spf_config_new(&config), SPF_OK);
    assert_string_equal(spf_config_error(config), "");
    return config;
}

static const struct {
    const char *key, *value;
    const char *error; /* behind the value; NULL: it is taken */
} value_cases[] = {
    {"timeout", "20", NULL},
    {"timeout", "0.001", NULL},
    {"timeout", "600", NULL},
    {"timeout", "600.000000", NULL},
    {"timeout", "1.23456789", NULL},
    {"timeout", "0.0009", "is no number of seconds from 0.001 to 600"},
    {"timeout", "600.001", "is no number of seconds from 0.001 to 600"},
    {"timeout", "1.", "is no number of seconds from 0.001 to 600"},
    {"timeout", ".5", "is no number of seconds from 0.001 to 600"},
    {"timeout", "-1", "is no number of seconds from 0.001 to 600"},
    {"timeout", "abc", "is no number of seconds from 0.001 to 600"},
    {"timeout", "", "is no number of seconds from 0.001 to 600"},
    {"timeout", "99999999999999999999999", "is no number of seconds from 0.001 to 600"},
    {"max-lookups", "1", NULL},
    {"max-lookups", "10", NULL},
    {"max-lookups", "0", "is no whole number from 1 to 10"},
    {"max-lookups", "11", "is no whole number from 1 to 10"},
    {"max-void-lookups", "0", NULL},
    {"max-void-lookups", "11", "is no whole number from 0 to 10"},
    {"max-mx-hosts", "10", NULL},
    {"max-mx-hosts", "1 ", "is no whole number from 1 to 10"},
    {"max-ptr-names", "10", NULL},
    {"max-ptr-names", "+3", "is no whole number from 1 to 10"},
    {"prefetch", "yes", NULL},
    {"prefetch", "no", NULL},
    {"prefetch", "true", "is neither yes nor no"},
    {"trust-anchor", "/etc/root.key", NULL},
    {"trust-anchor", "", "is no name of a file"},
    {"receiver", "mx.example.org", NULL},
    {"receiver", "unknown", NULL},
    {"receiver", "a b", "is no host name"},
    {"receiver", "", "is no host name"},
    {"receiver", "mx..example.org", "is no host name"},
    {"explanation", "See http://example.org/#spf", NULL},
    {"explanation", "100%% sure: %{i} at %{R}, %{t}", NULL},
    {"explanation", "100% sure", EXPLANATION_ERROR},
    {"explanation", "%{x}", EXPLANATION_ERROR},
    {"explanation", "", EXPLANATION_ERROR},
    {"explanation", "a\nb", EXPLANATION_ERROR},
    {"record-cache", "0", NULL},
    {"record-cache", "1g", NULL},
    {"record-cache", "1024m", NULL},
    {"record-cache", "1025m", "is no size from 0 to 1g"},
    {"record-cache", "2g", "is no size from 0 to 1g"},
    {"record-cache", "999999999999999999g", "is no size from 0 to 1g"},
    {"record-cache", "8M", "is no size from 0 to 1g"},
    {"record-cache", "8mb", "is no size from 0 to 1g"},
    {"dns-cache", "64k", NULL},
    {"dns-cache", "65536", NULL},
    {"dns-cache", "4g", NULL},
    {"dns-cache", "65535", "is no size from 64k to 4g"},
    {"outgoing-sockets", "16", NULL},
    {"outgoing-sockets", "16384", NULL},
    {"outgoing-sockets", "15", "is no whole number from 16 to 16384"},
    {"zone", "example.zone", NULL},
    {"zone", "", "is no name of a zone file (at most 256 may be given)"},
    {"resolver", "system", NULL},
    {"resolver", "recursive", NULL},
    {"resolver", "none", NULL},
    {"resolver", "192.0.2.1", NULL},
    {"resolver", "192.0.2.1@5353", NULL},
    {"resolver", "2001:db8::1@65535", NULL},
    {"resolver", "::1", NULL},
};

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof value_cases / sizeof value_cases[0]; i++) {
        spf_config_t *config = config_new();
        char expected[512] = "";
        spf_err_t err = spf_config_set(config, value_cases[i].key, value_cases[i].value);

        if (value_cases[i].error != NULL && strchr(value_cases[i].value, '\n') == NULL)
            snprintf(expected, sizeof expected, "%s: \"%s\" %s", value_cases[i].key, value_cases[i].value,
                     value_cases[i].error);
        else if (value_cases[i].error != NULL)
            snprintf(expected, sizeof expected, "%s: \"a?b\" %s", value_cases[i].key, value_cases[i].error);
        assert_string_equal(spf_config_error(config), expected);
        assert_int_equal(err, value_cases[i].error != NULL ? SPF_ECONFIG : SPF_OK);
        spf_config_free(config);
    }
}

static void test_bad_resolvers(void **state)
{
    static const char *const bad_values[] = {
        "",          "localhost",     "1.2.3",      "1.2.3.4@", "1.2.3.4@0",    "1.2.3.4@65536",
        "1.2.3.4@x", "1.2.3.4@53@53", "1.2.3.4:53", "[::1]",    "fe80::1%eth0", "@53",
        "1.2.3.4 ",  "SYSTEM",
    };
    spf_config_t *config = config_new();

    (void)state;
    for (size_t i = 0; i < sizeof bad_values / sizeof bad_values[0]; i++) {
        assert_int_equal(spf_config_set(config, "resolver", bad_values[i]), SPF_ECONFIG);
        assert_non_null(strstr(spf_config_error(config), "nor an IP address with or without @PORT"));
        assert_int_equal(config->settings.dns.source, SPF_DNS_SYSTEM);
        assert_null(config->settings.dns.forwarders);
    }
    spf_config_free(config);
}

/* What is stored is what was meant. */
static void test_stored(void **state)
{
    static const char *const pairs[][2] = {
        {"timeout", "1.5"},      {"max-lookups", "9"},      {"max-void-lookups", "3"}, {"max-mx-hosts", "8"},
        {"max-ptr-names", "7"},  {"prefetch", "no"},        {"trust-anchor", "root"},  {"receiver", "mx.example.org"},
        {"explanation", "Why."}, {"record-cache", "16k"},   {"dns-cache", "1m"},       {"outgoing-sockets", "64"},
        {"zone", "a.zone"},      {"resolver", "127.0.0.1"}, {"zone", "b.zone"},        {"resolver", "::1@5353"},
    };
    spf_config_t *config = config_new();
    const spf_settings_t *settings = &config->settings;

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        assert_int_equal(spf_config_set(config, pairs[i][0], pairs[i][1]), SPF_OK);
    assert_int_equal(settings->timeout_us, 1500000);
    assert_int_equal(settings->limits.lookups, 9);
    assert_int_equal(settings->limits.void_lookups, 3);
    assert_int_equal(settings->limits.mx_hosts, 8);
    assert_int_equal(settings->limits.ptr_names, 7);
    assert_false(settings->prefetch);
    assert_string_equal(settings->dns.trust_anchor, "root");
    assert_string_equal(settings->receiver, "mx.example.org");
    assert_string_equal(settings->explanation, "Why.");
    assert_int_equal(settings->record_cache_bytes, 16384);
    assert_int_equal(settings->dns.cache_bytes, 1048576);
    assert_int_equal(settings->dns.outgoing_sockets, 64);
    assert_int_equal(settings->dns.source, SPF_DNS_FORWARD);
    assert_string_equal(settings->dns.forwarders[0], "127.0.0.1");
    assert_string_equal(settings->dns.forwarders[1], "::1@5353");
    assert_null(settings->dns.forwarders[2]);
    assert_string_equal(settings->dns.zones->path, "a.zone");
    assert_string_equal(settings->dns.zones->next->path, "b.zone");
    assert_null(settings->dns.zones->next->next);
    spf_config_free(config);
}

static void test_resolver_replaces(void **state)
{
    spf_config_t *config = config_new();
    const spf_dns_settings_t *dns = &config->settings.dns;

    (void)state;
    assert_int_equal(spf_config_set(config, "resolver", "192.0.2.1"), SPF_OK);
    assert_int_equal(spf_config_set(config, "resolver", "recursive"), SPF_OK);
    assert_int_equal(dns->source, SPF_DNS_RECURSIVE);
    assert_null(dns->forwarders);
    assert_int_equal(spf_config_set(config, "resolver", "192.0.2.2"), SPF_OK);
    assert_int_equal(dns->source, SPF_DNS_FORWARD);
    assert_string_equal(dns->forwarders[0], "192.0.2.2");
    assert_null(dns->forwarders[1]);
    spf_config_free(config);
}

static void test_lists_are_bounded(void **state)
{
    static const char *const keys[] = {"resolver", "zone"};

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        spf_config_t *config = config_new();
        for (size_t i = 0; i < 256; i++)
            assert_int_equal(spf_config_set(config, keys[k], "192.0.2.1"), SPF_OK);
        assert_int_equal(spf_config_set(config, keys[k], "192.0.2.1"), SPF_ECONFIG);
        assert_non_null(strstr(spf_config_error(config), "at most 256"));
        spf_config_free(config);
    }
}

static void test_unknown_key(void **state)
{
    spf_config_t *config = config_new();

    (void)state;
    assert_int_equal(spf_config_set(config, "time-out", "3"), SPF_ECONFIG);
    assert_string_equal(spf_config_error(config),
                        "\"time-out\" is no key; the keys are resolver, zone, timeout, max-lookups, max-void-lookups, "
                        "max-mx-hosts, max-ptr-names, prefetch, trust-anchor, receiver, explanation, record-cache, "
                        "dns-cache and outgoing-sockets");
    assert_int_equal(spf_config_set(config, NULL, NULL), SPF_ECONFIG);
    assert_int_equal(spf_config_set(config, "timeout", NULL), SPF_ECONFIG);
    spf_config_free(config);
}

/* However long path, key and value are, the sentence stays whole. */
static void test_long_values(void **state)
{
    spf_config_t *config = config_new();
    char value[5000];

    (void)state;
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    assert_int_equal(spf_config_set(config, "timeout", value), SPF_ECONFIG);
    assert_non_null(strstr(spf_config_error(config), "...\" is no number of seconds from 0.001 to 600"));
    assert_int_equal(spf_config_set(config, value, value), SPF_ECONFIG);
    assert_non_null(strstr(spf_config_error(config), "and outgoing-sockets"));
    assert_int_equal(spf_config_set(config, "explanation", value), SPF_ECONFIG);
    spf_config_free(config);
}

static void test_file(void **state)
{
    static const char text[] = "# a comment\r\n"
                               "\n"
                               "  timeout :\t2.5   # behind a blank\r\n"
                               "explanation: see http://example.org/#why\n"
                               "zone: a#b\n"
                               "\0 is no key\n";
    static const char good[] = "# \0 in a comment\n"
                               "timeout: 3\n"
                               "prefetch: no";
    spf_config_t *config = config_new();
    char expected[256];

    (void)state;
    write_file(text, sizeof text - 1);
    assert_int_equal(spf_config_load(config, path), SPF_ECONFIG);
    snprintf(expected, sizeof expected, "%s:6: \"? is no key\" is no line of the form \"key: value\"", path);
    assert_string_equal(spf_config_error(config), expected);
    assert_int_equal(config->settings.timeout_us, 20000000);
    assert_null(config->settings.explanation);
    assert_null(config->settings.dns.zones);

    write_file(text, sizeof text - 1 - strlen(" is no key\n") - 1);
    assert_int_equal(spf_config_load(config, path), SPF_OK);
    assert_int_equal(config->settings.timeout_us, 2500000);
    assert_string_equal(config->settings.explanation, "see http://example.org/#why");
    assert_string_equal(config->settings.dns.zones->path, "a#b");

    write_file(good, sizeof good - 1);
    assert_int_equal(spf_config_load(config, path), SPF_OK);
    assert_int_equal(config->settings.timeout_us, 3000000);
    assert_false(config->settings.prefetch);
    assert_string_equal(config->settings.explanation, "see http://example.org/#why");
    spf_config_free(config);
}

static void test_file_errors(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"timeout: 5\ntimeout: abc\n", "2: timeout: \"abc\" is no number of seconds from 0.001 to 600"},
        {"timeout:\n", "1: timeout: \"\" is no number of seconds from 0.001 to 600"},
        {"\n\nresolvers: 1\n", "3: \"resolvers\" is no key; the keys are resolver,"},
        {"prefetch\n", "1: \"prefetch\" is no line of the form \"key: value\""},
        {": yes\n", "1: \"\" is no key; the keys are"},
        {"prefetch: yes no\n", "1: prefetch: \"yes no\" is neither yes nor no"},
    };
    spf_config_t *config = config_new();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[256];
        write_file(cases[i].text, strlen(cases[i].text));
        assert_int_equal(spf_config_load(config, path), SPF_ECONFIG);
        int length = snprintf(expected, sizeof expected, "%s:%s", path, cases[i].error);
        assert_memory_equal(spf_config_error(config), expected, (size_t)length);
        assert_int_equal(config->settings.timeout_us, 20000000);
    }
    spf_config_free(config);
}

static void test_file_unreadable(void **state)
{
    spf_config_t *config = config_new();

    (void)state;
    errno = EDOM;
    assert_int_equal(spf_config_load(config, "/nonexistent/libspf.conf"), SPF_ECONFIG);
    assert_string_equal(spf_config_error(config), "/nonexistent/libspf.conf: the configuration file cannot be read: "
                                                  "No such file or directory");
    assert_int_equal(spf_config_load(config, "/"), SPF_ECONFIG);
    assert_string_equal(spf_config_error(config), "/: the configuration file cannot be read: Is a directory");
    assert_int_equal(errno, EDOM);

    static char big[(1 << 20) + 1];
    memset(big, '\n', sizeof big);
    write_file(big, sizeof big - 1);
    assert_int_equal(spf_config_load(config, path), SPF_OK);
    write_file(big, sizeof big);
    assert_int_equal(spf_config_load(config, path), SPF_ECONFIG);
    assert_non_null(strstr(spf_config_error(config), "it is longer than 1 MiB"));
    spf_config_free(config);
}

static void test_zone_text(void **state)
{
    static const char zone[] = "a TXT \"v=spf1 -all\"\0 and more";
    spf_config_t *config = config_new();

    (void)state;
    assert_int_equal(spf_config_set(config, "zone", "first.zone"), SPF_OK);
    assert_int_equal(spf_config_add_zone_text(config, zone, sizeof zone), SPF_OK);
    assert_int_equal(spf_config_add_zone_text(config, zone, SPF_STRLEN), SPF_OK);
    const spf_dns_zone_t *second = config->settings.dns.zones->next;
    assert_null(second->path);
    assert_int_equal(second->text_length, sizeof zone);
    assert_memory_equal(second->text, zone, sizeof zone);
    assert_int_equal(second->next->text_length, strlen(zone));
    spf_config_free(config);
}

/* A copy shares nothing with its source, and knows the receiver's name. */
static void test_copy(void **state)
{
    spf_config_t *config = config_new();
    spf_settings_t copy;
    char host[256] = "";

    (void)state;
    gethostname(host, sizeof host - 1);
    assert_true(spf_settings_copy(&copy, &config->settings));
    assert_string_equal(copy.receiver, strchr(host, '.') != NULL ? host : "unknown");
    assert_null(config->settings.receiver);
    spf_settings_clear(&copy);

    assert_int_equal(spf_config_set(config, "resolver", "192.0.2.1"), SPF_OK);
    assert_int_equal(spf_config_set(config, "zone", "a.zone"), SPF_OK);
    assert_int_equal(spf_config_set(config, "receiver", "mx.example.org"), SPF_OK);
    assert_int_equal(spf_config_set(config, "explanation", "Why."), SPF_OK);
    assert_int_equal(spf_config_set(config, "trust-anchor", "root"), SPF_OK);
    assert_int_equal(spf_config_add_zone_text(config, "x", 1), SPF_OK);
    assert_true(spf_settings_copy(&copy, &config->settings));
    spf_config_free(config);
    assert_string_equal(copy.receiver, "mx.example.org");
    assert_string_equal(copy.explanation, "Why.");
    assert_string_equal(copy.dns.trust_anchor, "root");
    assert_string_equal(copy.dns.forwarders[0], "192.0.2.1");
    assert_string_equal(copy.dns.zones->path, "a.zone");
    assert_string_equal(copy.dns.zones->next->text, "x");
    spf_settings_clear(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_bad_resolvers),
        cmocka_unit_test(test_stored),
        cmocka_unit_test(test_resolver_replaces),
        cmocka_unit_test(test_lists_are_bounded),
        cmocka_unit_test(test_unknown_key),
        cmocka_unit_test(test_long_values),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_file_errors),
        cmocka_unit_test(test_file_unreadable),
        cmocka_unit_test(test_zone_text),
        cmocka_unit_test(test_copy),
    };

    return cmocka_run_group_tests_name("config", tests, make_file, remove_file);
}
