/* SPDX-License-Identifier: MIT */
/* The input is a zone in master-file format; it is read as a file with trust anchors, too. */
#include "fuzz/fuzz.h"

#include "dns/zones.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ERROR_MAX = 512 };

/* "SOURCE:LINE: what is wrong" */
static void expect_error(const spf_buf_t *error, const char *source, const char *text, size_t length)
{
    char *end;
    unsigned long line;
    unsigned long lines = 1;

    fuzz_expect(fuzz_is_printable_ascii(error->data, error->len), "an error is printable");
    fuzz_expect(strncmp(error->data, source, strlen(source)) == 0 && error->data[strlen(source)] == ':',
                "an error names its source");
    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n';
    line = strtoul(error->data + strlen(source) + 1, &end, 10);
    fuzz_expect(line >= 1 && line <= lines && *end == ':', "an error names its line");
}

/* Merges a text; the merged one is the caller's to free, and has no data if the text is no zone. */
static fuzz_text_t merge(const char *text, size_t length)
{
    spf_dns_zone_t zone = {.text = (char *)text, .text_length = length};
    char storage[ERROR_MAX];
    fuzz_text_t merged = {NULL, 0};
    struct stat status;
    spf_buf_t error;
    spf_err_t err;
    int fd;

    spf_buf_init(&error, storage, sizeof(storage));
    err = spf_zones_merge(&zone, &fd, &error);
    if (err != SPF_OK) {
        fuzz_expect(err == SPF_ECONFIG, "what goes wrong is the zone");
        expect_error(&error, "zone text", text, length);
        return merged;
    }
    fuzz_expect(fstat(fd, &status) == 0 && status.st_size > 0, "a merged zone is not empty");
    merged = (fuzz_text_t){malloc((size_t)status.st_size), (size_t)status.st_size};
    fuzz_expect(pread(fd, merged.data, merged.length, 0) == (ssize_t)merged.length, "a merged zone can be read");
    close(fd);
    return merged;
}

static size_t line_length(const fuzz_text_t *text, size_t at)
{
    const char *end = memchr(text->data + at, '\n', text->length - at);
    fuzz_expect(end != NULL, "a line has its end");
    return (size_t)(end - text->data) - at + 1;
}

/* What is merged is a zone itself, and merging it leaves all of it as it is: only its SOA becomes a placeholder. */
static void expect_merged(const fuzz_text_t *merged)
{
    fuzz_text_t again = merge(merged->data, merged->length);
    size_t soa = line_length(merged, 0);
    size_t rest = merged->length - soa;

    for (size_t at = 0, length; at < merged->length; at += length) {
        length = line_length(merged, at);
        fuzz_expect(fuzz_is_printable_ascii(merged->data + at, length - 1), "a merged zone is printable");
    }
    fuzz_expect(again.data != NULL, "a merged zone is a zone");
    fuzz_expect(again.length >= merged->length && memcmp(again.data, merged->data, soa) == 0, "the SOA comes first");
    soa += line_length(&again, soa);
    fuzz_expect(again.length - soa == rest && memcmp(again.data + soa, merged->data + merged->length - rest, rest) == 0,
                "merging a merged zone changes nothing");
    fuzz_text_free(&again);
}

static void expect_anchor(const uint8_t *data, size_t size)
{
    char path[FUZZ_PATH_MAX];
    char storage[ERROR_MAX];
    int fd = fuzz_memory_file(data, size, path);
    spf_buf_t error;
    spf_err_t err;

    spf_buf_init(&error, storage, sizeof(storage));
    err = spf_zones_check_anchor(path, &error);
    if (err != SPF_OK) {
        fuzz_expect(err == SPF_ECONFIG, "what goes wrong is the file");
        expect_error(&error, path, (const char *)data, size);
    }
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_text_t merged = merge((const char *)data, size);

    if (merged.data != NULL)
        expect_merged(&merged);
    fuzz_text_free(&merged);
    expect_anchor(data, size);
    return 0;
}
