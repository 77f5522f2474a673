/* SPDX-License-Identifier: MIT */
/* The <target-name> of a term (RFC 7208 sections 4.8 and 7), and the client's validated names (section 5.5). */
#include "core/eval_impl.h"
#include "core/target.h"

#include <string.h>

/* ----------------------------------------------------------------------------------------------- validated names */

spf_query_t *spf_eval_want_ptr(spf_eval_t *eval, bool is_demanded)
{
    char storage[SPF_NAME_MAX + 1];
    spf_buf_t name;

    spf_buf_init(&name, storage, sizeof storage);
    spf_ip_add_reverse_name(&name, &eval->question.ip);
    return spf_eval_want(eval, name.data, name.len, SPF_TYPE_PTR, false, is_demanded);
}

static spf_closeness_t closeness_of(const spf_name_t *name, const char *domain, size_t domain_length)
{
    if (name->length == domain_length && memcmp(name->text, domain, domain_length) == 0)
        return SPF_CLOSE_SAME;
    return spf_name_is_within(name->text, name->length, domain, domain_length) ? SPF_CLOSE_WITHIN : SPF_CLOSE_ANY;
}

static bool answer_has_client(const spf_eval_t *eval, const spf_answer_t *answer)
{
    static const spf_term_t whole_address = {.cidr4 = 32, .cidr6 = 128};
    uint32_t judged;

    return spf_eval_address_matches(eval, answer, &whole_address, &judged);
}

/* The PTR names that are worth a look, the closest first; only the first ten count, the rest is ignored. */
static unsigned candidates(spf_eval_t *eval, const spf_answer_t *ptr, const char *domain, size_t domain_length,
                           spf_closeness_t closeness, spf_query_t **queries)
{
    uint32_t limit = eval->question.limits.ptr_names;
    uint32_t name_count = ptr->count < limit ? ptr->count : limit;
    unsigned count = 0;

    for (unsigned close = SPF_CLOSE_SAME; close <= (unsigned)closeness; close++) {
        for (uint32_t i = 0; i < name_count; i++) {
            spf_name_t name;
            if (!spf_name_from_text(&name, ptr->texts[i].data, ptr->texts[i].length) ||
                closeness_of(&name, domain, domain_length) != close)
                continue;
            queries[count] = spf_eval_want(eval, name.text, name.length, eval->address_type, false, true);
            if (queries[count] == NULL)
                return count;
            count++;
            if (!eval->is_prefetching && spf_eval_peek(queries[count - 1]) == NULL)
                return count;
        }
    }
    return count;
}

spf_judgement_t spf_eval_validated_name(spf_eval_t *eval, const char *domain, size_t domain_length,
                                        spf_closeness_t closeness, const char **name, unsigned *tried)
{
    spf_query_t *queries[SPF_HOSTS_MAX];
    spf_query_t *ptr = spf_eval_want_ptr(eval, true);
    const spf_answer_t *answer = ptr != NULL ? spf_eval_use(eval, ptr) : NULL;
    bool is_missing = false;
    unsigned count;

    *tried = 0;
    if (answer == NULL)
        return SPF_JUDGE_WAIT;
    if (spf_answer_is_failure(answer))
        return SPF_JUDGE_NO_MATCH;
    count = candidates(eval, answer, domain, domain_length, closeness, queries);
    for (unsigned i = 0; i < count; i++) {
        answer = spf_eval_peek(queries[i]);
        is_missing = is_missing || answer == NULL;
        ++*tried;
        /* For ptr any name will do; %{p} wants the best, so the better ones must be known first. */
        if (answer != NULL && (!is_missing || closeness != SPF_CLOSE_ANY) && answer_has_client(eval, answer)) {
            spf_eval_use(eval, queries[i]);
            *name = queries[i]->name;
            return SPF_JUDGE_MATCH;
        }
    }
    if (is_missing || eval->is_out_of_memory)
        return SPF_JUDGE_WAIT;
    for (unsigned i = 0; i < count; i++)
        spf_eval_use(eval, queries[i]);
    return SPF_JUDGE_NO_MATCH;
}

/* ------------------------------------------------------------------------------------------------------ expansion */

bool spf_eval_set_macro_values(spf_eval_t *eval, const char *domain, size_t domain_length, bool needs_validated,
                               bool may_ask)
{
    const char *name = "unknown";
    unsigned tried;

    eval->values.domain = domain;
    eval->values.domain_length = domain_length;
    if (needs_validated) {
        if (!may_ask)
            return false;
        if (spf_eval_validated_name(eval, domain, domain_length, SPF_CLOSE_ANY, &name, &tried) == SPF_JUDGE_WAIT)
            return false;
    }
    eval->values.validated = name;
    eval->values.validated_length = strlen(name);
    return true;
}

spf_target_status_t spf_eval_expand_target(spf_eval_t *eval, const char *domain, size_t domain_length,
                                           const spf_record_t *record, const spf_term_t *term, bool may_ask,
                                           spf_name_t *name)
{
    if ((term->macros & (SPF_MACRO_BIT('s') | SPF_MACRO_BIT('l'))) != 0 && !eval->sender_is_ascii)
        return SPF_TARGET_UNMATCHABLE;
    if (term->has_macro &&
        !spf_eval_set_macro_values(eval, domain, domain_length, (term->macros & SPF_MACRO_BIT('p')) != 0, may_ask))
        return SPF_TARGET_WAIT;
    return spf_target_name(name, domain, domain_length, record, term, &eval->values) ? SPF_TARGET_NAME : SPF_TARGET_BAD;
}
