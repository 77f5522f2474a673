/* SPDX-License-Identifier: MIT */
/* The explanation of a fail: RFC 7208 section 6.2. Whatever goes wrong with it leaves the configured one. */
#include "core/eval_impl.h"

#include <string.h>

enum { EXPLANATION_MAX = 2048 };

/* The letters that a macro string uses; false if it is none. */
static bool macro_letters(const char *text, size_t length, uint32_t *letters)
{
    spf_macro_token_t token;
    const char *error;
    size_t position = 0;
    int status;

    *letters = 0;
    while ((status = spf_macro_next(text, length, &position, SPF_MACRO_IN_EXPLANATION, &token, &error)) == 1)
        if (token.kind == SPF_MACRO_EXPAND)
            *letters |= SPF_MACRO_BIT(token.letter);
    return status == 0;
}

/* Expands one explanation. False: %{p} is still missing. An unusable text gives none. */
static bool expand(spf_eval_t *eval, const char *text, size_t length)
{
    const spf_frame_t *frame = eval->top;
    char storage[EXPLANATION_MAX];
    uint32_t letters;
    spf_buf_t raw;

    if (!macro_letters(text, length, &letters))
        return true;
    if (!spf_eval_set_macro_values(eval, frame->domain, frame->domain_length, (letters & SPF_MACRO_BIT('p')) != 0,
                                   !eval->is_expired))
        return eval->is_expired;
    spf_buf_init(&raw, storage, sizeof storage);
    spf_macro_expand(&raw, text, length, SPF_MACRO_IN_EXPLANATION, &eval->values);
    if (raw.full || raw.len == 0)
        return true;
    eval->explanation = spf_printable_copy(eval->arena, raw.data, raw.len, false);
    if (eval->explanation == NULL)
        eval->is_out_of_memory = true;
    return true;
}

/* The domain's own text: exactly one TXT record at the exp target. False: wait. */
static bool explain_by_domain(spf_eval_t *eval, const spf_frame_t *frame)
{
    const spf_term_t *term = &frame->record->terms[frame->record->exp];
    const spf_answer_t *answer;
    spf_target_status_t status;
    spf_query_t *query;
    spf_name_t name;

    status = spf_eval_expand_target(eval, frame->domain, frame->domain_length, frame->record, term, true, &name);
    if (status != SPF_TARGET_NAME)
        return status != SPF_TARGET_WAIT;
    spf_trace_target(eval, frame->step, name.text, name.length);
    query = spf_eval_want(eval, name.text, name.length, SPF_TYPE_TXT, false, true);
    if (query == NULL)
        return true;
    answer = spf_eval_use(eval, query);
    if (answer == NULL)
        return false;
    spf_trace_answer(eval, frame->step, query);
    if (answer->status != SPF_DNS_ANSWER || answer->count != 1)
        return true;
    return expand(eval, answer->texts[0].data, answer->texts[0].length);
}

bool spf_eval_explain(spf_eval_t *eval)
{
    const spf_frame_t *frame = eval->top;
    const spf_question_t *question = &eval->question;

    if (frame->record->exp != SPF_NO_TERM) {
        if (frame->step == NULL || frame->step->outcome != SPF_OUTCOME_PENDING)
            spf_trace_begin(eval, eval->top, &frame->record->terms[frame->record->exp]);
        if (!explain_by_domain(eval, frame) && !eval->is_expired)
            return eval->is_out_of_memory;
        spf_trace_end(eval, eval->top, eval->explanation != NULL ? SPF_OUTCOME_FOLLOWED : SPF_OUTCOME_UNUSABLE);
    }
    if (eval->explanation != NULL || question->default_explanation == NULL)
        return true;
    if (!expand(eval, question->default_explanation, question->default_explanation_length))
        return false;
    eval->is_default_explanation = eval->explanation != NULL;
    return true;
}
