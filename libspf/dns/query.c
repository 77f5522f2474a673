/* SPDX-License-Identifier: MIT */
/* The resolver's side of a question: what it asks, and answers record by record. */
#include "core/query.h"

#include <string.h>

enum { FIRST_ROOM = 4, TEXT_MAX = 65535 };

const char *spf_query_name(const spf_query_t *query, size_t *length)
{
    if (length)
        *length = query->name_length;
    return query->name;
}

uint16_t spf_query_type(const spf_query_t *query)
{
    return query->type;
}

void spf_query_set_token(spf_query_t *query, void *token)
{
    query->token = token;
}

void *spf_query_token(const spf_query_t *query)
{
    return query->token;
}

static size_t text_length(const char *text, size_t length)
{
    return length == SPF_STRLEN ? strlen(text) : length;
}

/* The array with room for one record more: it is doubled by copying, the arena keeps the old one. NULL without
 * memory, which the query remembers. */
static void *grow(spf_query_t *query, const void *array, size_t record_size)
{
    if (query->answer.count < query->room)
        return (void *)array;
    if (query->room > UINT32_MAX / 2 / record_size)
        return NULL;
    uint32_t room = query->room ? query->room * 2 : FIRST_ROOM;
    void *grown = spf_arena_alloc(query->arena, room * record_size);
    if (!grown)
        return NULL;
    if (query->answer.count)
        memcpy(grown, array, query->answer.count * record_size);
    query->room = room;
    return grown;
}

static spf_err_t out_of_memory(spf_query_t *query)
{
    query->is_out_of_memory = true;
    return SPF_ENOMEM;
}

static spf_err_t add_text(spf_query_t *query, const char *text, size_t length)
{
    if (length > TEXT_MAX)
        return SPF_EINVAL;
    spf_text_t *texts = grow(query, query->answer.texts, sizeof *texts);
    if (!texts)
        return out_of_memory(query);
    query->answer.texts = texts;
    char *copy = spf_arena_copy(query->arena, text, length);
    if (!copy)
        return out_of_memory(query);
    texts[query->answer.count++] = (spf_text_t){copy, (uint32_t)length};
    return SPF_OK;
}

spf_err_t spf_query_add_address(spf_query_t *query, const uint8_t *octets, size_t length)
{
    size_t size = query->type == SPF_TYPE_A ? 4 : query->type == SPF_TYPE_AAAA ? 16 : 0;
    if (!size || length != size)
        return SPF_EINVAL;
    if (query->state != SPF_QUERY_ASKED)
        return SPF_ESTATE;
    uint8_t *addresses = grow(query, query->answer.addresses, size);
    if (!addresses)
        return out_of_memory(query);
    memcpy(addresses + query->answer.count++ * size, octets, size);
    query->answer.addresses = addresses;
    return SPF_OK;
}

spf_err_t spf_query_add_host(spf_query_t *query, const char *name, size_t length)
{
    if (query->type != SPF_TYPE_MX && query->type != SPF_TYPE_PTR)
        return SPF_EINVAL;
    if (query->state != SPF_QUERY_ASKED)
        return SPF_ESTATE;
    length = text_length(name, length);
    if (length > 0 && name[length - 1] == '.')
        length--;
    return add_text(query, name, length);
}

spf_err_t spf_query_add_text(spf_query_t *query, const char *text, size_t length)
{
    if (query->type != SPF_TYPE_TXT && query->type != SPF_TYPE_SPF)
        return SPF_EINVAL;
    if (query->state != SPF_QUERY_ASKED)
        return SPF_ESTATE;
    return add_text(query, text, text_length(text, length));
}

void spf_query_finish(spf_query_t *query, spf_dns_status_t status, uint32_t ttl_s, spf_dnssec_t dnssec,
                      const char *detail)
{
    if (query->state != SPF_QUERY_ASKED)
        return;
    spf_answer_t *answer = &query->answer;
    if (status != SPF_DNS_ANSWER)
        *answer = (spf_answer_t){0};
    answer->status = status;
    answer->ttl_s = ttl_s;
    answer->dnssec = status == SPF_DNS_BOGUS ? SPF_DNSSEC_BOGUS : dnssec;
    answer->detail = NULL;
    if (detail && !(answer->detail = spf_arena_copy(query->arena, detail, strlen(detail))))
        query->is_out_of_memory = true;
    query->state = SPF_QUERY_ANSWERED;
    if (query->answered)
        query->answered(query);
}
