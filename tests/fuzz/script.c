/* SPDX-License-Identifier: MIT */
#include "fuzz/script.h"

#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------------------------------------------------- reading */

/* Takes the next word off the front, and the blank behind it. */
static fuzz_lines_t take_word(fuzz_lines_t *rest)
{
    const char *blank = memchr(rest->at, ' ', (size_t)(rest->end - rest->at));
    fuzz_lines_t word = {rest->at, blank != NULL ? blank : rest->end};

    rest->at = blank != NULL ? blank + 1 : rest->end;
    return word;
}

static uint64_t take_number(fuzz_lines_t *rest)
{
    fuzz_lines_t word = take_word(rest);
    uint64_t number = 0;

    for (; word.at < word.end; word.at++)
        number = number * 10 + (unsigned char)*word.at % 16u;
    return number;
}

static void set_text(fuzz_text_t *text, fuzz_lines_t value)
{
    fuzz_text_free(text);
    *text = fuzz_lines_text(&value);
}

static void set_string(char **string, fuzz_lines_t value)
{
    free(*string);
    *string = fuzz_lines_string(&value);
}

static void set_limits(script_t *script, fuzz_lines_t value)
{
    script->limits.lookups = 1 + (unsigned)(take_number(&value) % SPF_LOOKUPS_MAX);
    script->limits.void_lookups = (unsigned)(take_number(&value) % 11);
    script->limits.mx_hosts = 1 + (unsigned)(take_number(&value) % SPF_HOSTS_MAX);
    script->limits.ptr_names = 1 + (unsigned)(take_number(&value) % SPF_HOSTS_MAX);
}

static void set_flags(script_t *script, fuzz_lines_t value)
{
    for (; value.at < value.end; value.at++) {
        script->wants_trace = script->wants_trace || *value.at == 't';
        script->wants_would_be = script->wants_would_be || *value.at == 'w';
        if (*value.at == 'i')
            script->identity = SPF_IDENTITY_HELO;
    }
}

static void set_expiry(script_t *script, fuzz_lines_t value)
{
    script->expires = true;
    script->expire_after = take_number(&value) % 128;
}

static void set_mix(script_t *script, fuzz_lines_t value)
{
    script->mix = take_number(&value);
}

static void set_ip(script_t *script, fuzz_lines_t value)
{
    set_string(&script->ip, value);
}

static void set_sender(script_t *script, fuzz_lines_t value)
{
    set_text(&script->sender, value);
}

static void set_helo(script_t *script, fuzz_lines_t value)
{
    set_text(&script->helo, value);
}

static void set_receiver(script_t *script, fuzz_lines_t value)
{
    set_string(&script->receiver, value);
}

static void set_explanation(script_t *script, fuzz_lines_t value)
{
    script->has_explanation = true;
    set_text(&script->explanation, value);
}

static void set_given(script_t *script, fuzz_lines_t value)
{
    script->has_given = true;
    set_text(&script->given, value);
}

static const struct {
    char letter;
    void (*set)(script_t *script, fuzz_lines_t value);
} settings[] = {
    {'i', set_ip},    {'s', set_sender}, {'h', set_helo},        {'r', set_receiver}, {'l', set_limits},
    {'f', set_flags}, {'m', set_mix},    {'d', set_explanation}, {'g', set_given},    {'e', set_expiry},
};

static void add_line(script_t *script, char type, fuzz_lines_t rest)
{
    fuzz_lines_t name = take_word(&rest);
    bool is_any = name.end - name.at == 1 && *name.at == '*';

    if (script->line_count == SCRIPT_LINES_MAX || name.at == name.end)
        return;
    script->lines[script->line_count++] = (script_line_t){
        .type = type,
        .name = name.at,
        .name_length = is_any ? 0 : (size_t)(name.end - name.at),
        .value = rest.at,
        .value_length = (size_t)(rest.end - rest.at),
    };
}

void script_read(script_t *script, const uint8_t *data, size_t size)
{
    fuzz_lines_t lines = fuzz_lines(data, size);
    const char *line;
    size_t length;

    *script = (script_t){.limits = {.lookups = 10, .void_lookups = 2, .mx_hosts = 10, .ptr_names = 10}};
    while (fuzz_lines_next(&lines, &line, &length)) {
        fuzz_lines_t rest = {line, line + length};
        fuzz_lines_t word = take_word(&rest);
        char letter = word.at < word.end ? *word.at : '\0';
        for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
            if (settings[i].letter == letter)
                settings[i].set(script, rest);
        if (letter != '\0' && strchr("TMPA?", letter) != NULL)
            add_line(script, letter, rest);
    }
}

void script_free(script_t *script)
{
    free(script->ip);
    free(script->receiver);
    fuzz_text_free(&script->sender);
    fuzz_text_free(&script->helo);
    fuzz_text_free(&script->explanation);
    fuzz_text_free(&script->given);
}

/* ------------------------------------------------------------------------------------------------------- answering */

/* FNV-1a */
static uint64_t hash(const char *data, size_t length, uint64_t start)
{
    for (size_t i = 0; i < length; i++)
        start = (start ^ (unsigned char)data[i]) * UINT64_C(1099511628211);
    return start ^ start >> 29;
}

static char type_letter(uint16_t type)
{
    if (type == SPF_TYPE_TXT || type == SPF_TYPE_SPF)
        return 'T';
    return type == SPF_TYPE_MX ? 'M' : type == SPF_TYPE_PTR ? 'P' : 'A';
}

static bool is_for(const script_line_t *line, const spf_query_t *query, bool by_name)
{
    if (line->type != '?' && line->type != type_letter(query->type))
        return false;
    if (!by_name)
        return line->name_length == 0;
    return line->name_length == query->name_length && memcmp(line->name, query->name, query->name_length) == 0;
}

/* The client's address, changed in its last octet for c and its first for the rest of the letter. */
static void add_addresses(spf_query_t *query, const spf_ip_t *client, fuzz_lines_t letters)
{
    size_t size = query->type == SPF_TYPE_A ? 4 : 16;

    for (; letters.at < letters.end; letters.at++) {
        uint8_t octets[16];
        unsigned change = (unsigned char)*letters.at ^ (unsigned char)'c';
        memcpy(octets, client->octets, sizeof(octets));
        octets[size - 1] = (uint8_t)(octets[size - 1] ^ (change & 0xf));
        octets[0] = (uint8_t)(octets[0] ^ change >> 4);
        fuzz_expect(spf_query_add_address(query, octets, size) == SPF_OK, "an address is added");
    }
}

static void add_hosts(spf_query_t *query, fuzz_lines_t hosts)
{
    while (hosts.at < hosts.end) {
        fuzz_lines_t word = take_word(&hosts);
        fuzz_text_t host = fuzz_lines_text(&word);
        spf_query_add_host(query, host.data != NULL ? host.data : "", host.length);
        fuzz_text_free(&host);
    }
}

static void add_text(spf_query_t *query, fuzz_lines_t value)
{
    fuzz_text_t text = fuzz_lines_text(&value);

    spf_query_add_text(query, text.data != NULL ? text.data : "", text.length);
    fuzz_text_free(&text);
}

/* A line that is no data: how the question ends. */
static bool ends(const script_line_t *line, spf_dns_status_t *status)
{
    static const struct {
        const char *word;
        spf_dns_status_t status;
    } ends[] = {{"SERVFAIL", SPF_DNS_ERROR},
                {"TIMEOUT", SPF_DNS_TIMEOUT},
                {"BOGUS", SPF_DNS_BOGUS},
                {"NXDOMAIN", SPF_DNS_NXDOMAIN},
                {"NODATA", SPF_DNS_ANSWER}};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (line->value_length == strlen(ends[i].word) && memcmp(line->value, ends[i].word, line->value_length) == 0) {
            *status = ends[i].status;
            return true;
        }
    }
    return false;
}

static void add_data(spf_query_t *query, const spf_ip_t *client, const script_line_t *line)
{
    fuzz_lines_t value = {line->value, line->value + line->value_length};

    if (query->type == SPF_TYPE_TXT || query->type == SPF_TYPE_SPF)
        add_text(query, value);
    else if (query->type == SPF_TYPE_MX || query->type == SPF_TYPE_PTR)
        add_hosts(query, value);
    else
        add_addresses(query, client, value);
}

static const script_line_t *choose(const script_t *script, const spf_query_t *query)
{
    const script_line_t *found[SCRIPT_LINES_MAX];
    size_t count = 0;

    for (size_t i = 0; i < script->line_count; i++)
        if (is_for(&script->lines[i], query, false))
            found[count++] = &script->lines[i];
    return count > 0 ? found[hash(query->name, query->name_length, query->type) % count] : NULL;
}

/* The last line that ends the question does so, whatever data there is. */
static spf_dns_status_t add_lines(const script_t *script, const spf_ip_t *client, spf_query_t *query)
{
    const script_line_t *chosen = NULL;
    spf_dns_status_t status = SPF_DNS_ANSWER;
    bool is_named = false;

    for (size_t i = 0; i < script->line_count; i++) {
        if (!is_for(&script->lines[i], query, true))
            continue;
        is_named = true;
        if (!ends(&script->lines[i], &status))
            add_data(query, client, &script->lines[i]);
    }
    if (is_named)
        return status;
    chosen = choose(script, query);
    if (chosen == NULL)
        return SPF_DNS_NXDOMAIN;
    if (!ends(chosen, &status))
        add_data(query, client, chosen);
    return status;
}

void script_answer(const script_t *script, const spf_ip_t *client, spf_query_t *query)
{
    uint64_t name = hash(query->name, query->name_length, query->type);
    spf_dns_status_t status = add_lines(script, client, query);
    spf_dnssec_t dnssec = name % 8 < 6 ? SPF_DNSSEC_SECURE : SPF_DNSSEC_INSECURE;

    spf_query_finish(query, status, (uint32_t)(name % 4096), dnssec, status == SPF_DNS_ERROR ? "SERVFAIL" : NULL);
    if (query->is_policy && !spf_answer_is_failure(&query->answer)) {
        query->policy = spf_policy_from_answer(&query->answer, NULL, NULL);
        fuzz_expect(query->policy != NULL, "there is memory");
    }
}
