/* SPDX-License-Identifier: MIT */
#include "core/policy.h"

#include <stdlib.h>

static spf_policy_t *policy_new(spf_policy_kind_t kind, uint32_t record_count, bool is_void, spf_record_t *record)
{
    spf_policy_t *policy = malloc(sizeof *policy);

    if (policy == NULL) {
        spf_record_unref(record);
        return NULL;
    }
    atomic_init(&policy->references, 1);
    policy->kind = kind;
    policy->record_count = record_count;
    policy->is_void = is_void;
    policy->record = record;
    return policy;
}

/* Section 4.5: only records with the version section of exactly "v=spf1" count, and there may be but one. */
spf_policy_t *spf_policy_from_answer(const spf_answer_t *answer, spf_record_source_t find, void *source)
{
    const spf_text_t *text = NULL;
    uint32_t record_count = 0;
    spf_record_t *record = NULL;

    if (answer->status == SPF_DNS_NXDOMAIN)
        return policy_new(SPF_POLICY_NO_DOMAIN, 0, true, NULL);
    for (uint32_t i = 0; i < answer->count; i++) {
        if (spf_record_is_record(answer->texts[i].data, answer->texts[i].length)) {
            text = &answer->texts[i];
            record_count++;
        }
    }
    if (record_count == 0)
        return policy_new(SPF_POLICY_NONE, 0, answer->count == 0, NULL);
    if (record_count > 1)
        return policy_new(SPF_POLICY_SEVERAL, record_count, false, NULL);
    if (find != NULL)
        record = find(source, text->data, text->length);
    if (record == NULL)
        record = spf_record_parse(text->data, text->length);
    return record != NULL ? policy_new(SPF_POLICY_RECORD, 1, false, record) : NULL;
}

spf_policy_t *spf_policy_from_text(const char *text, size_t length)
{
    spf_text_t only = {.data = text, .length = (uint32_t)length};
    spf_answer_t answer = {.status = SPF_DNS_ANSWER, .count = 1, .texts = &only};

    return spf_policy_from_answer(&answer, NULL, NULL);
}

spf_policy_t *spf_policy_ref(const spf_policy_t *policy)
{
    spf_policy_t *shared = (spf_policy_t *)policy;

    atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
    return shared;
}

void spf_policy_unref(const spf_policy_t *policy)
{
    spf_policy_t *shared = (spf_policy_t *)policy;

    if (shared == NULL || atomic_fetch_sub_explicit(&shared->references, 1, memory_order_acq_rel) != 1)
        return;
    spf_record_unref(shared->record);
    free(shared);
}
