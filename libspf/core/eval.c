/* SPDX-License-Identifier: MIT */
/* The machine itself: frames, decisions, and what was found. */
#include "core/eval_impl.h"

#include <string.h>

static bool is_ascii(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] >= 0x80)
            return false;
    return true;
}

static void values_init(spf_eval_t *eval)
{
    const spf_question_t *question = &eval->question;

    eval->values = (spf_macro_values_t){
        .ip = &question->ip,
        .sender = question->sender,
        .sender_length = question->sender_length,
        .local_length = question->local_length,
        .helo = question->helo,
        .helo_length = question->helo_length,
        .receiver = question->receiver,
        .receiver_length = question->receiver_length,
        .time_s = question->time_s,
    };
    eval->sender_is_ascii = is_ascii(question->sender, question->local_length);
}

spf_eval_t *spf_eval_new(spf_arena_t *arena, const spf_question_t *question)
{
    spf_eval_t *eval = spf_arena_calloc(arena, sizeof *eval);

    if (eval == NULL)
        return NULL;
    eval->arena = arena;
    eval->question = *question;
    eval->address_type = question->ip.family == 4 ? SPF_TYPE_A : SPF_TYPE_AAAA;
    eval->tally.ttl_s = -1;
    eval->finding.term = eval->finding.include_term = SPF_NO_TERM;
    values_init(eval);
    if (!spf_eval_push(eval, eval->question.domain.text, eval->question.domain.length))
        return NULL;
    if (eval->question.given != NULL)
        spf_policy_ref(eval->question.given);
    return eval;
}

void spf_eval_drop(spf_eval_t *eval)
{
    if (eval == NULL)
        return;
    spf_policy_unref(eval->question.given);
    eval->question.given = NULL;
    for (spf_query_t *query = eval->queries; query != NULL; query = query->next) {
        spf_policy_unref(query->policy);
        query->policy = NULL;
    }
}

/* ----------------------------------------------------------------------------------------------------- frames */

void spf_eval_term_reset(spf_frame_t *frame)
{
    frame->is_begun = frame->has_target = frame->is_unmatchable = frame->void_is_counted = false;
    frame->target = NULL;
    frame->target_length = 0;
    frame->inner = SPF_INNER_OPEN;
    frame->counted = NULL;
    frame->step = NULL;
}

void spf_eval_enter(spf_eval_t *eval, spf_frame_t *frame, const char *domain, size_t domain_length,
                    const spf_policy_t *policy)
{
    (void)eval;
    frame->domain = domain;
    frame->domain_length = domain_length;
    frame->policy = policy;
    frame->record = NULL;
    frame->index = 0;
    spf_eval_term_reset(frame);
}

bool spf_eval_push(spf_eval_t *eval, const char *domain, size_t domain_length)
{
    spf_frame_t *outer = eval->top;
    spf_frame_t *frame = outer != NULL ? outer->spare : NULL;

    if (frame == NULL) {
        frame = spf_arena_calloc(eval->arena, sizeof *frame);
        if (frame == NULL) {
            eval->is_out_of_memory = true;
            return false;
        }
        frame->outer = outer;
        frame->depth = outer != NULL ? outer->depth + 1 : 0;
        if (outer != NULL)
            outer->spare = frame;
    }
    eval->top = frame;
    spf_eval_enter(eval, frame, domain, domain_length, NULL);
    return true;
}

/* -------------------------------------------------------------------------------------------------- decisions */

spf_judgement_t spf_eval_nomem(spf_eval_t *eval)
{
    eval->is_out_of_memory = true;
    return SPF_JUDGE_DECIDED;
}

static void finding_set(spf_eval_t *eval, const spf_frame_t *frame, spf_result_t result, spf_cause_t cause)
{
    spf_finding_t *finding = &eval->finding;

    finding->result = result;
    finding->cause = cause;
    finding->domain = frame->domain;
    finding->record = frame->record;
    finding->term = SPF_NO_TERM;
    finding->target = frame->target;
    if (frame->record == NULL)
        return;
    if (cause == SPF_CAUSE_SYNTAX)
        finding->term = frame->record->error_term;
    else if (frame->index < frame->record->term_count)
        finding->term = (int32_t)frame->index;
    else if (cause != SPF_CAUSE_DEFAULT)
        finding->term = frame->record->redirect;
}

/* Ends the evaluation; a fail in the outermost record has an explanation to come (section 6.2). */
static void decide(spf_eval_t *eval, spf_result_t result)
{
    eval->is_decided = true;
    spf_eval_unneed_all(eval);
    if (eval->is_frozen) {
        eval->has_would_be = true;
        eval->would_be = result;
    }
    eval->is_done = eval->is_frozen || result != SPF_RESULT_FAIL;
}

spf_judgement_t spf_eval_raise(spf_eval_t *eval, spf_frame_t *frame, spf_result_t result, spf_cause_t cause)
{
    spf_outcome_t outcome = result == SPF_RESULT_PERMERROR ? SPF_OUTCOME_PERMERROR : SPF_OUTCOME_TEMPERROR;

    if (!eval->is_frozen) {
        finding_set(eval, frame, result, cause);
        for (spf_frame_t *at = frame; at != NULL; at = at->outer)
            spf_trace_end(eval, at, outcome);
    }
    if (result != SPF_RESULT_PERMERROR || !eval->question.wants_would_be) {
        decide(eval, result);
        return SPF_JUDGE_DECIDED;
    }
    if (!eval->is_frozen) {
        eval->is_frozen = true;
        eval->frozen = eval->tally;
    }
    return SPF_JUDGE_NO_MATCH;
}

static spf_cause_t dns_cause(spf_dns_status_t status)
{
    switch (status) {
    case SPF_DNS_TIMEOUT:
        return SPF_CAUSE_DNS_TIMEOUT;
    case SPF_DNS_BOGUS:
        return SPF_CAUSE_DNS_BOGUS;
    default:
        return SPF_CAUSE_DNS_ERROR;
    }
}

spf_judgement_t spf_eval_raise_dns(spf_eval_t *eval, spf_frame_t *frame, const spf_query_t *query)
{
    bool was_frozen = eval->is_frozen;
    spf_judgement_t judgement = spf_eval_raise(eval, frame, SPF_RESULT_TEMPERROR, dns_cause(query->answer.status));

    if (!was_frozen) {
        eval->finding.target = query->name;
        eval->finding.type = query->type;
        eval->finding.detail = query->answer.detail;
    }
    return judgement;
}

/* The deadline passed while answers were missing: the first of them is named. */
static void decide_expired(spf_eval_t *eval)
{
    const spf_query_t *query = eval->queries;

    while (query != NULL && (query->state == SPF_QUERY_ANSWERED || !query->is_demanded))
        query = query->next;
    if (!eval->is_frozen) {
        spf_eval_raise(eval, eval->top, SPF_RESULT_TEMPERROR, SPF_CAUSE_DEADLINE);
        eval->finding.target = query != NULL ? query->name : eval->finding.target;
        eval->finding.type = query != NULL ? query->type : 0;
    } else {
        decide(eval, SPF_RESULT_TEMPERROR);
    }
}

/* A record is through with this result; without index pointing at a term it was the default of section 4.7. */
static void frame_end(spf_eval_t *eval, spf_frame_t *frame, spf_result_t result, bool by_match)
{
    bool by_include = by_match && frame->record->terms[frame->index].kind == SPF_TERM_INCLUDE;

    if (by_match && !by_include) {
        eval->passed_domain = frame->domain;
        eval->passed_record = frame->record;
        eval->passed_term = (int32_t)frame->index;
    }
    if (frame->outer != NULL) {
        frame->outer->inner = result == SPF_RESULT_PASS ? SPF_INNER_PASS : SPF_INNER_OTHER;
        eval->top = frame->outer;
        return;
    }
    if (!eval->is_frozen) {
        finding_set(eval, frame, result, by_match ? SPF_CAUSE_MATCH : SPF_CAUSE_DEFAULT);
        eval->finding.via = by_match ? eval->via : NULL;
        if (by_include) {
            eval->finding.include_domain = eval->passed_domain;
            eval->finding.include_record = eval->passed_record;
            eval->finding.include_term = eval->passed_term;
        }
    }
    decide(eval, result);
}

/* ------------------------------------------------------------------------------------- fetching the first record */

static void decide_none(spf_eval_t *eval, spf_frame_t *frame, spf_cause_t cause)
{
    finding_set(eval, frame, SPF_RESULT_NONE, cause);
    eval->finding.count = frame->policy != NULL && !frame->policy->is_void;
    spf_trace_record(eval, frame, SPF_OUTCOME_NONE, NULL);
    decide(eval, SPF_RESULT_NONE);
}

/* Sections 4.3 and 4.4 for the checked domain; includes and redirects bring their policy with them. */
static bool fetch_policy(spf_eval_t *eval, spf_frame_t *frame)
{
    spf_query_t *query;
    const spf_answer_t *answer;

    if (eval->question.given != NULL) {
        frame->policy = eval->question.given;
        return true;
    }
    query = spf_eval_want(eval, frame->domain, frame->domain_length, SPF_TYPE_TXT, true, true);
    if (query == NULL)
        return true;
    answer = spf_eval_use(eval, query);
    if (answer == NULL)
        return false;
    if (spf_answer_is_failure(answer)) {
        spf_trace_record(eval, frame, SPF_OUTCOME_TEMPERROR, query);
        spf_eval_raise_dns(eval, frame, query);
    } else {
        frame->policy = query->policy;
    }
    return true;
}

/* Takes up the record of a frame that has none yet. False: wait. */
static bool frame_open(spf_eval_t *eval, spf_frame_t *frame)
{
    if (frame->policy == NULL) {
        if (frame->outer == NULL && !spf_name_is_checkable(&eval->question.domain)) {
            decide_none(eval, frame, SPF_CAUSE_BAD_DOMAIN);
            return true;
        }
        if (!fetch_policy(eval, frame))
            return false;
        if (frame->policy == NULL)
            return true;
    }
    if (frame->policy->kind == SPF_POLICY_NO_DOMAIN || frame->policy->kind == SPF_POLICY_NONE) {
        decide_none(eval, frame, frame->policy->kind == SPF_POLICY_NONE ? SPF_CAUSE_NO_RECORD : SPF_CAUSE_NO_DOMAIN);
        return true;
    }
    if (frame->policy->kind == SPF_POLICY_SEVERAL) {
        eval->finding.count = frame->policy->record_count;
        spf_trace_record(eval, frame, SPF_OUTCOME_PERMERROR, NULL);
        if (spf_eval_raise(eval, frame, SPF_RESULT_PERMERROR, SPF_CAUSE_SEVERAL_RECORDS) == SPF_JUDGE_NO_MATCH)
            eval->is_decided = eval->is_done = true; /* no record is left that would-be could go by */
        return true;
    }
    frame->record = frame->policy->record;
    spf_trace_record(eval, frame, SPF_OUTCOME_RECORD, NULL);
    /* Section 4.6: the whole record is parsed first. */
    if (frame->record->error_term != SPF_NO_TERM)
        spf_eval_raise(eval, frame, SPF_RESULT_PERMERROR, SPF_CAUSE_SYNTAX);
    return true;
}

/* ---------------------------------------------------------------------------------------------------- stepping */

/* One term, or the end of a record. False: wait. */
static bool frame_advance(spf_eval_t *eval, spf_frame_t *frame)
{
    const spf_record_t *record = frame->record;
    bool at_end = frame->index >= record->term_count;
    uint32_t index = frame->index;

    switch (at_end ? spf_eval_redirect(eval, frame) : spf_eval_judge(eval, frame)) {
    case SPF_JUDGE_WAIT:
        return false;
    case SPF_JUDGE_MATCH:
        spf_trace_end(eval, frame, SPF_OUTCOME_MATCH);
        frame_end(eval, frame, (spf_result_t)record->terms[frame->index].result, true);
        break;
    case SPF_JUDGE_NO_MATCH:
        if (at_end) {
            frame_end(eval, frame, SPF_RESULT_NEUTRAL, false);
            break;
        }
        spf_trace_end(eval, frame, SPF_OUTCOME_NO_MATCH);
        frame->index += frame->index == index; /* a run of networks moved it by itself */
        spf_eval_term_reset(frame);
        break;
    default:
        break;
    }
    return true;
}

spf_eval_status_t spf_eval_step(spf_eval_t *eval)
{
    while (!eval->is_done && !eval->is_out_of_memory) {
        bool went_on;
        if (eval->is_decided)
            went_on = eval->is_done = spf_eval_explain(eval);
        else if (eval->top->record == NULL)
            went_on = frame_open(eval, eval->top);
        else
            went_on = frame_advance(eval, eval->top);
        if (went_on)
            continue;
        if (!eval->is_expired)
            return eval->is_out_of_memory ? SPF_EVAL_NOMEM : SPF_EVAL_WAIT;
        decide_expired(eval);
    }
    return eval->is_out_of_memory ? SPF_EVAL_NOMEM : SPF_EVAL_DONE;
}

void spf_eval_abort(spf_eval_t *eval)
{
    eval->is_decided = eval->is_done = true;
}

void spf_eval_expire(spf_eval_t *eval)
{
    eval->is_expired = true;
}

/* ----------------------------------------------------------------------------------------------- what was found */

static const spf_tally_t *tally(const spf_eval_t *eval)
{
    return eval->is_frozen ? &eval->frozen : &eval->tally;
}

const spf_finding_t *spf_eval_finding(const spf_eval_t *eval)
{
    return &eval->finding;
}

const char *spf_eval_explanation(const spf_eval_t *eval)
{
    return eval->explanation;
}

const spf_counted_t *spf_eval_counted(const spf_eval_t *eval, unsigned *recorded)
{
    *recorded = tally(eval)->counted;
    return eval->counted;
}

bool spf_eval_is_default_explanation(const spf_eval_t *eval)
{
    return eval->is_default_explanation;
}

unsigned spf_eval_lookups(const spf_eval_t *eval)
{
    return tally(eval)->lookups;
}

unsigned spf_eval_void_lookups(const spf_eval_t *eval)
{
    return tally(eval)->void_lookups;
}

unsigned spf_eval_queries(const spf_eval_t *eval)
{
    return eval->asked;
}

int64_t spf_eval_ttl_s(const spf_eval_t *eval)
{
    return tally(eval)->ttl_s;
}

spf_dnssec_t spf_eval_dnssec(const spf_eval_t *eval)
{
    if (eval->finding.cause == SPF_CAUSE_DNS_BOGUS)
        return SPF_DNSSEC_BOGUS;
    return tally(eval)->has_answer && !tally(eval)->has_insecure ? SPF_DNSSEC_SECURE : SPF_DNSSEC_INSECURE;
}

unsigned spf_eval_compared(const spf_eval_t *eval)
{
    return tally(eval)->compared;
}

bool spf_eval_would_be(const spf_eval_t *eval, spf_result_t *result)
{
    if (eval->has_would_be)
        *result = eval->would_be;
    return eval->has_would_be;
}

const spf_step_t *spf_eval_trace_step(const spf_eval_t *eval, size_t index)
{
    return index < eval->step_count ? eval->steps[index] : NULL;
}
