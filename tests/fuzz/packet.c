/* SPDX-License-Identifier: MIT */
/*
 * The first octet of the input chooses the type and the name asked for, and what DNSSEC says; the rest is the message.
 */
#include "fuzz/fuzz.h"

#include "core/query.h"

#include <errno.h>
#include <string.h>

enum { HOST_MAX = 2 * 255 }; /* a dot within a label is written twice */

static const uint16_t types[] = {SPF_TYPE_TXT, SPF_TYPE_A, SPF_TYPE_AAAA, SPF_TYPE_MX, SPF_TYPE_PTR, SPF_TYPE_SPF};

static const char *const names[] = {
    "example.com",
    "a.b",
    "l\xc3\xb6\x01.example",
    "012345678901234567890123456789012345678901234567890123456789012."
    "012345678901234567890123456789012345678901234567890"
    "123456789012.012345678901234567890123456789012345678901234567890123456789012.0123456789012345678901234567890123456"
    "789012345678901234567890",
};

/* Every octet is read. */
static bool is_same(const char *a, const char *b, size_t length)
{
    return length == 0 || memcmp(a, b, length) == 0;
}

static void expect_texts(const spf_query_t *query, const spf_answer_t *again, size_t size)
{
    bool is_text = query->type == SPF_TYPE_TXT || query->type == SPF_TYPE_SPF;
    size_t total = 0;

    for (uint32_t i = 0; i < query->answer.count; i++) {
        const spf_text_t *text = &query->answer.texts[i];
        total += text->length;
        fuzz_expect(text->length == again->texts[i].length && is_same(text->data, again->texts[i].data, text->length) &&
                        text->data[text->length] == '\0',
                    "the same message gives the same texts");
        fuzz_expect(is_text || text->length <= HOST_MAX, "a host's name is bounded");
    }
    fuzz_expect(!is_text || total <= size, "texts are no longer than the message");
}

static void expect_answer(const spf_query_t *query, const spf_answer_t *again, size_t size)
{
    const spf_answer_t *answer = &query->answer;
    size_t octets = query->type == SPF_TYPE_A ? 4 : 16;

    fuzz_expect(query->state == SPF_QUERY_ANSWERED && !query->is_out_of_memory, "a message answers the question");
    fuzz_expect(answer->status == again->status && answer->count == again->count && answer->ttl_s == again->ttl_s,
                "the same message gives the same answer");
    fuzz_expect(answer->ttl_s <= INT32_MAX, "the TTL is in range (RFC 2181 section 8)");
    fuzz_expect(answer->status == SPF_DNS_ANSWER || answer->count == 0, "a failure has no data");
    fuzz_expect((answer->status == SPF_DNS_ERROR) == (answer->detail != NULL), "an error tells why");
    if (answer->count == 0)
        return;
    if (query->type == SPF_TYPE_A || query->type == SPF_TYPE_AAAA) {
        fuzz_expect(answer->count * octets <= size, "addresses are no more than the message holds");
        fuzz_expect(memcmp(answer->addresses, again->addresses, answer->count * octets) == 0,
                    "the same message gives the same addresses");
    } else {
        expect_texts(query, again, size);
    }
}

static void count_answered(spf_query_t *query)
{
    ++*(unsigned *)query->owner;
}

static spf_query_t ask(const char *name, uint16_t type, spf_arena_t *arena, unsigned *answered)
{
    return (spf_query_t){
        .name = name,
        .name_length = (uint8_t)strlen(name),
        .state = SPF_QUERY_ASKED,
        .type = type,
        .arena = arena,
        .answered = count_answered,
        .owner = answered,
    };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    spf_arena_t arena = SPF_ARENA_EMPTY;
    unsigned answered = 0;
    unsigned choice = size > 0 ? data[0] : 0;
    uint16_t type = types[choice % 5];
    const char *name = names[choice / 5 % 4];
    spf_dnssec_t dnssec = (spf_dnssec_t)(choice / 20 % 3);
    spf_query_t query = ask(name, type, &arena, &answered);
    spf_query_t again = ask(name, type, &arena, &answered);
    fuzz_text_t packet = fuzz_text_copy(data + (size > 0), size > 0 ? size - 1 : 0);

    errno = ECHILD;
    spf_query_answer_packet(&query, (const uint8_t *)packet.data, packet.length, dnssec);
    fuzz_expect(errno == ECHILD, "errno is left alone");
    spf_query_answer_packet(&again, (const uint8_t *)packet.data, packet.length, dnssec);
    fuzz_expect(answered == 2, "each question is answered once");
    if (dnssec == SPF_DNSSEC_BOGUS)
        fuzz_expect(query.answer.status == SPF_DNS_BOGUS && query.answer.count == 0, "bogus data is not looked at");
    else
        expect_answer(&query, &again.answer, packet.length);
    spf_query_answer_packet(&query, (const uint8_t *)packet.data, packet.length, dnssec);
    fuzz_expect(answered == 2, "a question answered stays answered");
    fuzz_text_free(&packet);
    spf_arena_free(&arena);
    return 0;
}
