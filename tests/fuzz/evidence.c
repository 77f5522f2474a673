/* SPDX-License-Identifier: MIT */
/* The input is a header section, or what somebody pasted for one. */
#include "fuzz/fuzz.h"

#include "base/ip.h"
#include "spf_tools.h"

#include <string.h>

static void expect_text(const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        fuzz_expect((unsigned char)*text >= ' ' && *text != '\x7f', "texts are free of controls");
}

static void expect_item(const spf_evidence_item_t *item)
{
    spf_ip_t ip;
    spf_result_t value;

    fuzz_expect(item->ip == NULL || spf_ip_parse_client(&ip, item->ip, strlen(item->ip)), "an address is one");
    fuzz_expect(!item->has_result || item->result != NULL, "a result was written");
    fuzz_expect(!item->has_result || spf_result_from_name(spf_result_name(item->value), &value), "a result is one");
    expect_text(item->result);
    expect_text(item->sender);
    expect_text(item->helo);
    expect_text(item->receiver);
    expect_text(item->comment);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const spf_evidence_item_t *item;
    spf_evidence_t *evidence;
    size_t end = 0, count = 0;

    fuzz_expect(spf_evidence_new(&evidence, (const char *)data, size) == SPF_OK, "there is memory");
    for (; (item = spf_evidence_item(evidence, count)) != NULL; count++) {
        fuzz_expect(item->offset <= size && item->length <= size - item->offset, "an item stands in the text");
        fuzz_expect(item->offset >= end, "items stand in order");
        end = item->offset;
        expect_item(item);
    }
    fuzz_expect((spf_evidence_check(evidence) != NULL) == (count > 0), "items tell of a check");
    if (count > 0)
        expect_item(spf_evidence_check(evidence));
    spf_evidence_free(evidence);
    return 0;
}
