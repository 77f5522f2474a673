/* SPDX-License-Identifier: MIT */
/*
 * The input is lines: a macro string, the sender, the HELO name, the domain, the validated name, the receiver, and
 * octets of the client's address (4 or more of them are taken, 16 or more make it IPv6).
 */
#include "fuzz/fuzz.h"

#include "syntax/macro.h"

#include <stdlib.h>
#include <string.h>

enum { TEXTS = 6, ROOM = 4096 };

static spf_ip_t address(fuzz_lines_t *lines)
{
    uint8_t octets[16] = {192, 0, 2, 7};
    const char *line = "";
    size_t length = 0;
    spf_ip_t ip;

    fuzz_lines_next(lines, &line, &length);
    memcpy(octets, line, length < sizeof(octets) ? length : sizeof(octets));
    fuzz_expect(spf_ip_from_octets(&ip, octets, length >= sizeof(octets) ? 16 : 4), "4 or 16 octets are an address");
    return ip;
}

/* Takes the macro string apart: whether it is one. */
static bool expect_tokens(const fuzz_text_t *text, spf_macro_context_t context)
{
    spf_macro_token_t token;
    const char *error = NULL;
    size_t position = 0;
    size_t before = 0;
    int more;

    while ((more = spf_macro_next(text->data, text->length, &position, context, &token, &error)) == 1) {
        fuzz_expect(position > before && position <= text->length, "a token takes octets of the text");
        before = position;
        if (token.kind == SPF_MACRO_LITERAL) {
            fuzz_expect(token.length > 0 && fuzz_is_printable_ascii(token.text, token.length),
                        "a literal is printable");
            continue;
        }
        fuzz_expect(strchr("slodiphcrtv", token.letter) != NULL && token.letter != '\0', "a macro has a letter");
        fuzz_expect(token.digits <= 255 && token.delim_count < text->length, "a macro's parts are bounded");
    }
    fuzz_expect(more == 0 ? position == text->length : position <= text->length && error != NULL,
                "an error has its place and its sentence");
    return more == 0;
}

/* Expands into as many octets as there are; they are what fits of the whole. */
static void expect_expansion(const fuzz_text_t *text, spf_macro_context_t context, const spf_macro_values_t *values,
                             size_t room, const spf_buf_t *whole)
{
    char *storage = malloc(room);
    spf_buf_t buf;

    spf_buf_init(&buf, storage, room);
    spf_macro_expand(&buf, text->data, text->length, context, values);
    fuzz_expect(buf.len < room && buf.data == storage && storage[buf.len] == '\0', "an expansion keeps to its buffer");
    fuzz_expect(buf.len <= whole->len && memcmp(storage, whole->data, buf.len) == 0, "less room gives the same start");
    fuzz_expect(buf.full == (whole->full || whole->len >= room), "an expansion that does not fit says so");
    free(storage);
}

static void expect_context(const fuzz_text_t *text, spf_macro_context_t context, const spf_macro_values_t *values)
{
    char *storage = malloc(ROOM);
    spf_buf_t whole;

    if (expect_tokens(text, context)) {
        spf_buf_init(&whole, storage, ROOM);
        spf_macro_expand(&whole, text->data, text->length, context, values);
        fuzz_expect(whole.len < ROOM, "an expansion keeps to its buffer");
        expect_expansion(text, context, values, 1 + text->length, &whole);
        expect_expansion(text, context, values, whole.len + 1, &whole);
        expect_expansion(text, context, values, whole.len / 2 + 1, &whole);
    }
    free(storage);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_lines_t lines = fuzz_lines(data, size);
    fuzz_text_t texts[TEXTS];
    const char *at;
    spf_ip_t ip;

    for (size_t i = 0; i < TEXTS; i++)
        texts[i] = fuzz_lines_text(&lines);
    ip = address(&lines);
    at = memrchr(texts[1].data, '@', texts[1].length);
    spf_macro_values_t values = {
        .ip = &ip,
        .sender = texts[1].data,
        .sender_length = texts[1].length,
        .local_length = at != NULL ? (size_t)(at - texts[1].data) : texts[1].length,
        .helo = texts[2].data,
        .helo_length = texts[2].length,
        .domain = texts[3].data,
        .domain_length = texts[3].length,
        .validated = texts[4].data,
        .validated_length = texts[4].length,
        .receiver = texts[5].data,
        .receiver_length = texts[5].length,
        .time_s = size,
    };
    expect_context(&texts[0], SPF_MACRO_IN_RECORD, &values);
    expect_context(&texts[0], SPF_MACRO_IN_EXPLANATION, &values);
    for (size_t i = 0; i < TEXTS; i++)
        fuzz_text_free(&texts[i]);
    return 0;
}
