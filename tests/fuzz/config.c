/* SPDX-License-Identifier: MIT */
/* The input is a configuration file; its first line is also given to spf_config_set(), parted at its first colon. */
#include "fuzz/fuzz.h"

#include "api/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void expect_settings(const spf_settings_t *settings)
{
    const spf_limits_t *limits = &settings->limits;

    fuzz_expect(limits->lookups >= 1 && limits->lookups <= 10 && limits->void_lookups <= 10, "limits are in range");
    fuzz_expect(limits->mx_hosts >= 1 && limits->mx_hosts <= 10 && limits->ptr_names >= 1 && limits->ptr_names <= 10,
                "limits are in range");
    fuzz_expect(settings->timeout_us >= 1000 && settings->timeout_us <= 600000000, "the timeout is in range");
    fuzz_expect(settings->record_cache_bytes <= UINT64_C(1) << 30, "the record cache is in range");
    fuzz_expect(settings->dns.cache_bytes >= UINT64_C(64) << 10 && settings->dns.cache_bytes <= UINT64_C(4) << 30,
                "the DNS cache is in range");
    fuzz_expect(settings->dns.outgoing_sockets >= 16 && settings->dns.outgoing_sockets <= 16384,
                "outgoing sockets are in range");
    fuzz_expect((settings->dns.source == SPF_DNS_FORWARD) == (settings->dns.forwarders != NULL),
                "forwarders go with their source");
    if (settings->explanation != NULL)
        fuzz_expect(fuzz_is_printable_ascii(settings->explanation, strlen(settings->explanation)),
                    "the explanation is printable");
    if (settings->receiver != NULL)
        fuzz_expect(settings->receiver[0] != '\0' && strlen(settings->receiver) <= 254, "the receiver is a name");
}

static void expect_error(const spf_config_t *config, spf_err_t err, const char *place)
{
    const char *error = spf_config_error(config);

    fuzz_expect(err == SPF_ECONFIG, "what goes wrong is the configuration");
    fuzz_expect(strlen(error) > strlen(place) && strncmp(error, place, strlen(place)) == 0, "an error names the place");
    fuzz_expect(fuzz_is_printable_utf8(error, strlen(error)), "an error is printable");
}

static spf_config_t *make_config(void)
{
    spf_config_t *config;

    fuzz_expect(spf_config_new(&config) == SPF_OK, "a configuration can be made");
    return config;
}

/* All of the file is applied or nothing. */
static void expect_file(const uint8_t *data, size_t size)
{
    char path[FUZZ_PATH_MAX];
    int fd = fuzz_memory_file(data, size, path);
    spf_config_t *config = make_config();
    spf_config_t *defaults = make_config();
    spf_err_t err;

    errno = ECHILD;
    err = spf_config_load(config, path);
    fuzz_expect(errno == ECHILD, "errno is left alone");
    if (err != SPF_OK) {
        expect_error(config, err, path);
        fuzz_expect(memcmp(&config->settings, &defaults->settings, sizeof(config->settings)) == 0,
                    "a bad file changes nothing");
    }
    expect_settings(&config->settings);
    spf_config_free(config);
    spf_config_free(defaults);
    close(fd);
}

static void expect_setter(const uint8_t *data, size_t size)
{
    fuzz_lines_t lines = fuzz_lines(data, size);
    char *line = fuzz_lines_string(&lines);
    char *colon = strchr(line, ':');
    spf_config_t *config = make_config();
    spf_err_t err;

    if (colon != NULL)
        *colon++ = '\0';
    errno = ECHILD;
    err = spf_config_set(config, line, colon);
    fuzz_expect(errno == ECHILD, "errno is left alone");
    if (err != SPF_OK)
        expect_error(config, err, "");
    expect_settings(&config->settings);
    spf_config_free(config);
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    expect_file(data, size);
    expect_setter(data, size);
    return 0;
}
