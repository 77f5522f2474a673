/* SPDX-License-Identifier: MIT */
/* What a check found, as the public view; and the reports about it. */
#include "api/check.h"
#include "api/context.h"
#include "report/advice.h"
#include "report/report.h"

#include <errno.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------------------------- verdict */

/* A NUL-terminated text of the check or the evaluation, made fit for people. NULL without memory. */
static const char *printable(spf_arena_t *arena, const char *text, size_t length)
{
    return spf_printable_text(arena, text, length, true);
}

static const char *ip_text(spf_arena_t *arena, const spf_ip_t *ip)
{
    char storage[SPF_IP_TEXT_MAX];
    spf_buf_t buf;

    spf_buf_init(&buf, storage, sizeof storage);
    spf_ip_add_text(&buf, ip);
    return spf_arena_copy(arena, buf.data, buf.len);
}

/* What was asked. False without memory. */
static bool set_question(spf_arena_t *arena, spf_verdict_t *verdict, const spf_check_t *check)
{
    const spf_question_t *question = &check->question;

    verdict->identity = check->identity;
    verdict->ip = ip_text(arena, &question->ip);
    verdict->sender = printable(arena, question->sender, question->sender_length);
    verdict->helo = printable(arena, check->helo != NULL ? check->helo : "", check->helo_length);
    verdict->receiver = printable(arena, question->receiver, question->receiver_length);
    verdict->checked_domain = printable(arena, question->domain.text, question->domain.length);
    return verdict->ip != NULL && verdict->sender != NULL && verdict->helo != NULL && verdict->receiver != NULL &&
           verdict->checked_domain != NULL;
}

static bool set_term(spf_arena_t *arena, spf_verdict_t *verdict, const spf_finding_t *finding)
{
    const spf_term_t *term;

    if (finding->record == NULL)
        return true;
    verdict->record = finding->record->text;
    verdict->record_length = finding->record->length;
    if (finding->cause == SPF_CAUSE_SYNTAX)
        verdict->error_offset = finding->record->error_offset;
    if (finding->term == SPF_NO_TERM)
        return true;
    term = &finding->record->terms[finding->term];
    verdict->term = spf_printable_copy(arena, finding->record->text + term->offset, term->length, true);
    verdict->term_offset = term->offset;
    verdict->term_length = term->length;
    return verdict->term != NULL;
}

static bool set_finding(spf_arena_t *arena, spf_verdict_t *verdict, const spf_eval_t *eval)
{
    const spf_finding_t *finding = spf_eval_finding(eval);

    verdict->result = finding->result;
    verdict->cause = finding->cause;
    verdict->explanation = spf_eval_explanation(eval);
    verdict->is_own_explanation = spf_eval_is_default_explanation(eval);
    verdict->domain = printable(arena, finding->domain, strlen(finding->domain));
    if (finding->target != NULL)
        verdict->target = printable(arena, finding->target, strlen(finding->target));
    verdict->lookups = spf_eval_lookups(eval);
    verdict->void_lookups = spf_eval_void_lookups(eval);
    verdict->dns_queries = spf_eval_queries(eval);
    verdict->ttl_s = spf_eval_ttl_s(eval);
    verdict->dnssec = spf_eval_dnssec(eval);
    verdict->has_would_be = spf_eval_would_be(eval, &verdict->would_be);
    return verdict->domain != NULL && (finding->target == NULL || verdict->target != NULL) &&
           set_term(arena, verdict, finding);
}

spf_err_t spf_check_conclude(spf_check_t *check)
{
    spf_verdict_t *verdict = spf_arena_calloc(&check->arena, sizeof *verdict);

    if (verdict == NULL || !set_question(&check->arena, verdict, check) ||
        !set_finding(&check->arena, verdict, check->eval))
        return SPF_ENOMEM;
    verdict->elapsed_us = check->job.elapsed_us;
    verdict->reason = spf_report_reason(&check->arena, &check->question, check->eval);
    if (verdict->reason == NULL)
        return SPF_ENOMEM;
    check->verdict = verdict;
    return SPF_OK;
}

const spf_verdict_t *spf_check_verdict(const spf_check_t *check)
{
    return check->verdict;
}

/* Made when it is first asked for, and kept: the check is not const for this. */
const spf_lookup_t *spf_check_lookup(const spf_check_t *check, size_t index)
{
    spf_check_t *own = (spf_check_t *)check;
    const spf_counted_t *counted;
    unsigned recorded;

    if (check->verdict == NULL)
        return NULL;
    counted = spf_eval_counted(check->eval, &recorded);
    if (index >= recorded)
        return NULL;
    if (own->lookups == NULL)
        own->lookups = spf_arena_calloc(&own->arena, SPF_LOOKUPS_MAX * sizeof *own->lookups);
    if (own->lookups != NULL && own->lookups[index] == NULL)
        own->lookups[index] = spf_report_lookup(&own->arena, &counted[index]);
    return own->lookups != NULL ? own->lookups[index] : NULL;
}

const spf_step_t *spf_check_step(const spf_check_t *check, size_t index)
{
    return check->verdict != NULL ? spf_eval_trace_step(check->eval, index) : NULL;
}

/* ---------------------------------------------------------------------------------------------------------- reports */

const char *spf_check_received_spf(spf_check_t *check, spf_fold_t fold)
{
    return check->verdict != NULL ? spf_report_received_spf(&check->arena, check->verdict, fold) : NULL;
}

const char *spf_check_authentication_results(spf_check_t *check, spf_fold_t fold)
{
    return check->verdict != NULL ? spf_report_authentication_results(&check->arena, check->verdict, fold, true) : NULL;
}

const char *spf_check_authentication_resinfo(spf_check_t *check, spf_fold_t fold)
{
    return check->verdict != NULL ? spf_report_authentication_results(&check->arena, check->verdict, fold, false)
                                  : NULL;
}

const spf_smtp_reply_t *spf_check_smtp_reply(spf_check_t *check)
{
    return check->verdict != NULL ? spf_report_smtp_reply(&check->arena, check->verdict) : NULL;
}

const char *spf_check_trace_text(spf_check_t *check)
{
    return check->verdict != NULL ? spf_report_trace_text(&check->arena, check->eval) : NULL;
}

const char *spf_check_json(spf_check_t *check)
{
    return check->verdict != NULL ? spf_report_json(&check->arena, check->verdict, check->eval) : NULL;
}

const char *spf_check_advice(spf_check_t *check, const spf_evidence_item_t *then)
{
    return check->verdict != NULL ? spf_report_advice(&check->arena, check->verdict, then) : NULL;
}
