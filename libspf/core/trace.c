/* SPDX-License-Identifier: MIT */
/* The trace: one structured step for each record and each term, made only when it is asked for. */
#include "core/eval_impl.h"

#include <string.h>

enum { STEPS_AT_FIRST = 16, ANSWER_MAX = 512 };

static bool is_tracing(const spf_eval_t *eval)
{
    return eval->question.wants_trace && !eval->is_frozen && !eval->is_out_of_memory;
}

/* A copy fit for people; an empty text if memory is short, which is recorded. */
static const char *printable(spf_eval_t *eval, const char *text, size_t length)
{
    const char *copy = spf_printable_copy(eval->arena, text, length, false);

    if (copy != NULL)
        return copy;
    eval->is_out_of_memory = true;
    return "";
}

/* Room for one step more. */
static bool steps_grow(spf_eval_t *eval)
{
    size_t room = eval->step_room == 0 ? STEPS_AT_FIRST : 2 * eval->step_room;
    spf_step_t **steps;

    if (eval->step_count < eval->step_room)
        return true;
    steps = spf_arena_alloc(eval->arena, room * sizeof *steps);
    if (steps == NULL)
        return false;
    if (eval->step_count > 0)
        memcpy(steps, eval->steps, eval->step_count * sizeof *steps);
    eval->steps = steps;
    eval->step_room = room;
    return true;
}

static spf_step_t *step_add(spf_eval_t *eval, const spf_frame_t *frame)
{
    spf_step_t *step = spf_arena_calloc(eval->arena, sizeof *step);

    if (step == NULL || !steps_grow(eval)) {
        eval->is_out_of_memory = true;
        return NULL;
    }
    eval->steps[eval->step_count++] = step;
    step->depth = frame->depth;
    step->domain = printable(eval, frame->domain, frame->domain_length);
    step->lookups = eval->tally.lookups;
    step->void_lookups = eval->tally.void_lookups;
    return step;
}

void spf_trace_begin(spf_eval_t *eval, spf_frame_t *frame, const spf_term_t *term)
{
    spf_step_t *step = is_tracing(eval) ? step_add(eval, frame) : NULL;

    frame->step = step;
    if (step == NULL)
        return;
    step->term = printable(eval, frame->record->text + term->offset, term->length);
    step->term_offset = term->offset;
    step->term_length = term->length;
}

void spf_trace_target(spf_eval_t *eval, spf_step_t *step, const char *name, size_t length)
{
    if (step != NULL && is_tracing(eval))
        step->target = printable(eval, name, length);
}

static const char *failure_text(const spf_answer_t *answer)
{
    switch (answer->status) {
    case SPF_DNS_NXDOMAIN:
        return "NXDOMAIN";
    case SPF_DNS_TIMEOUT:
        return "timeout";
    case SPF_DNS_BOGUS:
        return answer->detail != NULL ? answer->detail : "bogus";
    case SPF_DNS_ERROR:
        return answer->detail != NULL ? answer->detail : "error";
    case SPF_DNS_ANSWER:
        break;
    }
    return "no data";
}

/* A policy may have been kept without the answer that it was made of. */
static const char *policy_text(const spf_policy_t *policy)
{
    if (policy->kind == SPF_POLICY_NO_DOMAIN)
        return "NXDOMAIN";
    if (policy->kind == SPF_POLICY_SEVERAL)
        return "several v=spf1 records";
    return policy->is_void ? "no data" : "no v=spf1 record";
}

void spf_trace_record(spf_eval_t *eval, const spf_frame_t *frame, spf_outcome_t outcome, const spf_query_t *query)
{
    spf_step_t *step = is_tracing(eval) ? step_add(eval, frame) : NULL;

    if (step == NULL)
        return;
    step->outcome = outcome;
    if (frame->record != NULL)
        step->answer = printable(eval, frame->record->text, frame->record->length);
    else if (frame->policy != NULL)
        step->answer = policy_text(frame->policy);
    else if (query != NULL)
        step->answer = failure_text(&query->answer);
}

static void add_record(spf_buf_t *buf, const spf_query_t *query, uint32_t index)
{
    const spf_answer_t *answer = &query->answer;
    size_t size = query->type == SPF_TYPE_A ? 4 : 16;
    spf_ip_t ip = {.family = query->type == SPF_TYPE_A ? 4 : 6};

    if (query->type == SPF_TYPE_A || query->type == SPF_TYPE_AAAA) {
        memcpy(ip.octets, answer->addresses + index * size, size);
        spf_ip_add_text(buf, &ip);
    } else {
        spf_buf_add_printable(buf, answer->texts[index].data, answer->texts[index].length, false);
    }
}

void spf_trace_answer(spf_eval_t *eval, spf_step_t *step, const spf_query_t *query)
{
    const spf_answer_t *answer = &query->answer;
    char storage[ANSWER_MAX];
    spf_buf_t buf;

    if (step == NULL || !is_tracing(eval))
        return;
    if (query->policy != NULL) {
        step->answer = policy_text(query->policy);
        return;
    }
    spf_buf_init(&buf, storage, sizeof storage);
    for (uint32_t i = 0; answer->status == SPF_DNS_ANSWER && i < answer->count && !buf.full; i++) {
        if (i > 0)
            spf_buf_add_char(&buf, ' ');
        add_record(&buf, query, i);
    }
    if (answer->status != SPF_DNS_ANSWER || answer->count == 0)
        spf_buf_add_text(&buf, failure_text(answer));
    step->answer = printable(eval, buf.data, buf.len);
}

void spf_trace_note(spf_eval_t *eval, spf_step_t *step, const char *what, const char *name, const char *rest)
{
    char storage[ANSWER_MAX];
    spf_buf_t buf;

    if (step == NULL || !is_tracing(eval))
        return;
    spf_buf_init(&buf, storage, sizeof storage);
    spf_buf_add_text(&buf, what);
    spf_buf_add_text(&buf, name);
    if (rest != NULL) {
        spf_buf_add_text(&buf, ": ");
        spf_buf_add_text(&buf, rest);
    }
    step->note = printable(eval, buf.data, buf.len);
}

void spf_trace_end(spf_eval_t *eval, spf_frame_t *frame, spf_outcome_t outcome)
{
    if (frame->step == NULL || !is_tracing(eval))
        return;
    frame->step->outcome = outcome;
    frame->step->lookups = eval->tally.lookups;
    frame->step->void_lookups = eval->tally.void_lookups;
}
