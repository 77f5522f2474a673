/* SPDX-License-Identifier: MIT */
/* The questions of an evaluation: each asked once, whoever wants it. */
#include "core/eval_impl.h"

#include <string.h>

/*
 * How many questions may be asked ahead that evaluation in order has not got to (yet). What is asked in vain is bounded
 * by it, so a check asks at most 1 + 10 * 11 (ten mx of ten hosts) + 1 (exp) + 11 (%{p}) = 123 questions in order; each
 * include that leads away from what was asked ahead costs ten of these, so with it there are never more than 125.
 */
enum { SPF_AHEAD_MAX = 12 };

static bool query_is(const spf_query_t *query, const char *name, size_t name_length, uint16_t type, bool is_policy)
{
    return query->type == type && query->name_length == name_length && query->is_policy == is_policy &&
           query->state != SPF_QUERY_DROPPED && memcmp(query->name, name, name_length) == 0;
}

static spf_query_t *query_find(const spf_eval_t *eval, const char *name, size_t name_length, uint16_t type,
                               bool is_policy)
{
    for (spf_query_t *query = eval->queries; query != NULL; query = query->next)
        if (query_is(query, name, name_length, type, is_policy))
            return query;
    return NULL;
}

static spf_query_t *query_add(spf_eval_t *eval, const char *name, size_t name_length, uint16_t type, bool is_policy)
{
    spf_query_t *query = spf_arena_calloc(eval->arena, sizeof *query);
    char *copy = spf_arena_copy(eval->arena, name, name_length);

    if (query == NULL || copy == NULL) {
        eval->is_out_of_memory = true;
        return NULL;
    }
    query->name = copy;
    query->name_length = (uint8_t)name_length;
    query->type = type;
    query->is_policy = is_policy;
    query->arena = eval->arena;
    if (eval->last_query != NULL)
        eval->last_query->next = query;
    else
        eval->queries = query;
    eval->last_query = query;
    if (eval->next_wanted == NULL)
        eval->next_wanted = query;
    return query;
}

spf_query_t *spf_eval_want(spf_eval_t *eval, const char *name, size_t name_length, uint16_t type, bool is_policy,
                           bool is_demanded)
{
    spf_query_t *query = query_find(eval, name, name_length, type, is_policy);

    if (query == NULL) {
        if (!is_demanded && eval->ahead >= SPF_AHEAD_MAX)
            return NULL;
        query = query_add(eval, name, name_length, type, is_policy);
        if (query == NULL)
            return NULL;
        query->is_demanded = is_demanded;
        eval->ahead += !is_demanded;
    } else if (is_demanded && !query->is_demanded) {
        query->is_demanded = true;
        eval->ahead--;
    }
    query->is_unneeded = false;
    return query;
}

const spf_answer_t *spf_eval_peek(const spf_query_t *query)
{
    return query->state == SPF_QUERY_ANSWERED ? &query->answer : NULL;
}

const spf_answer_t *spf_eval_use(spf_eval_t *eval, spf_query_t *query)
{
    const spf_answer_t *answer = spf_eval_peek(query);
    spf_tally_t *tally = &eval->tally;

    if (answer == NULL)
        return NULL;
    if (query->is_out_of_memory)
        eval->is_out_of_memory = true;
    tally->has_answer = true;
    if (answer->dnssec != SPF_DNSSEC_SECURE)
        tally->has_insecure = true;
    if (!spf_answer_is_failure(answer) && (tally->ttl_s < 0 || answer->ttl_s < tally->ttl_s))
        tally->ttl_s = answer->ttl_s;
    return answer;
}

void spf_eval_unneed_all(spf_eval_t *eval)
{
    for (spf_query_t *query = eval->queries; query != NULL; query = query->next)
        query->is_unneeded = query->state != SPF_QUERY_ANSWERED;
}

spf_query_t *spf_eval_next_wanted(spf_eval_t *eval)
{
    while (eval->next_wanted != NULL) {
        spf_query_t *query = eval->next_wanted;
        eval->next_wanted = query->next;
        if (!query->is_unneeded) {
            query->state = SPF_QUERY_ASKED;
            eval->asked++;
            return query;
        }
        query->state = SPF_QUERY_DROPPED;
    }
    return NULL;
}

spf_query_t *spf_eval_next_unneeded(spf_eval_t *eval)
{
    for (spf_query_t *query = eval->queries; query != NULL; query = query->next) {
        if (query->state == SPF_QUERY_ASKED && (query->is_unneeded || eval->is_done)) {
            query->state = SPF_QUERY_DROPPED;
            return query;
        }
    }
    return NULL;
}
