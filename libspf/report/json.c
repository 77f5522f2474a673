/* SPDX-License-Identifier: MIT */
/* Everything about a check as one JSON object. */
#include "report/object.h"
#include "report/report.h"

/* ------------------------------------------------------------------------------------------------------ the parts */

static json_t *reply_object(spf_arena_t *arena, const spf_verdict_t *verdict)
{
    const spf_smtp_reply_t *reply = spf_report_smtp_reply(arena, verdict);
    spf_object_t object;

    if (reply == NULL)
        return NULL;
    object = spf_object_begin(arena);
    spf_object_set_number(&object, "code", reply->code);
    spf_object_set_text(&object, "enhanced", reply->enhanced);
    spf_object_set_text(&object, "text", reply->text);
    return spf_object_end(&object);
}

static json_t *step_object(spf_arena_t *arena, const spf_step_t *step)
{
    spf_object_t object = spf_object_begin(arena);
    spf_object_set_number(&object, "depth", step->depth);
    spf_object_set_text(&object, "domain", step->domain);
    spf_object_set_text(&object, "term", step->term);
    spf_object_set_number_if(&object, "term_offset", step->term_offset, step->term != NULL);
    spf_object_set_number_if(&object, "term_length", step->term_length, step->term != NULL);
    spf_object_set_text(&object, "target", step->target);
    spf_object_set_text(&object, "answer", step->answer);
    spf_object_set_text(&object, "outcome", spf_outcome_name(step->outcome));
    spf_object_set_number(&object, "lookups", step->lookups);
    spf_object_set_number(&object, "void_lookups", step->void_lookups);
    spf_object_set_text(&object, "note", step->note);
    return spf_object_end(&object);
}

static json_t *lookup_object(spf_arena_t *arena, const spf_counted_t *counted)
{
    const spf_lookup_t *lookup = spf_report_lookup(arena, counted);
    spf_object_t object;

    if (lookup == NULL)
        return NULL;
    object = spf_object_begin(arena);
    spf_object_set_text(&object, "domain", lookup->domain);
    spf_object_set_text(&object, "term", lookup->term);
    spf_object_set_text(&object, "target", lookup->target);
    spf_object_set(&object, "void", json_boolean(lookup->is_void));
    spf_object_set_number(&object, "dns_queries", lookup->dns_queries);
    return spf_object_end(&object);
}

static json_t *trace_array(spf_arena_t *arena, const spf_eval_t *eval)
{
    json_t *array = json_array();
    const spf_step_t *step;

    for (size_t i = 0; (step = spf_eval_trace_step(eval, i)) != NULL; i++) {
        if (!spf_json_append(array, step_object(arena, step))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *terms_array(spf_arena_t *arena, const spf_eval_t *eval)
{
    unsigned recorded;
    const spf_counted_t *counted = spf_eval_counted(eval, &recorded);
    json_t *array = json_array();

    for (unsigned i = 0; i < recorded; i++) {
        if (!spf_json_append(array, lookup_object(arena, &counted[i]))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static void set_findings(spf_object_t *object, const spf_verdict_t *verdict)
{
    spf_object_set_text(object, "result", spf_result_name(verdict->result));
    spf_object_set_text(object, "reason", verdict->reason);
    spf_object_set_text(object, "explanation", verdict->explanation);
    spf_object_set_text(object, "domain", verdict->domain);
    spf_object_set_text(object, "identity", spf_identity_name(verdict->identity));
    spf_object_set_text(object, "ip", verdict->ip);
    spf_object_set_text(object, "sender", verdict->sender);
    spf_object_set_text(object, "helo", verdict->helo);
    spf_object_set_octets(object, "term", verdict->term, verdict->term_length);
    spf_object_set_octets(object, "record", verdict->record, verdict->record_length);
    spf_object_set_number(object, "lookups", verdict->lookups);
    spf_object_set_number(object, "void_lookups", verdict->void_lookups);
    spf_object_set_number(object, "dns_queries", verdict->dns_queries);
    spf_object_set_number_if(object, "ttl", (uint64_t)verdict->ttl_s, verdict->ttl_s >= 0);
    spf_object_set(object, "elapsed_ms", json_real((double)verdict->elapsed_us / 1000.0));
    spf_object_set_text(object, "would_be", verdict->has_would_be ? spf_result_name(verdict->would_be) : NULL);
}

static void set_details(spf_object_t *object, const spf_verdict_t *verdict)
{
    spf_object_set_text(object, "cause", spf_cause_name(verdict->cause));
    spf_object_set_text(object, "checked_domain", verdict->checked_domain);
    spf_object_set_text(object, "receiver", verdict->receiver);
    spf_object_set_number_if(object, "term_offset", verdict->term_offset, verdict->term != NULL);
    spf_object_set_number_if(object, "term_length", verdict->term_length, verdict->term != NULL);
    spf_object_set_number_if(object, "error_offset", verdict->error_offset, verdict->cause == SPF_CAUSE_SYNTAX);
    spf_object_set_text(object, "target", verdict->target);
    spf_object_set_text(object, "dnssec", spf_dnssec_name(verdict->dnssec));
}

static json_t *verdict_object(spf_arena_t *arena, const spf_verdict_t *verdict, const spf_eval_t *eval)
{
    const char *received_spf = spf_report_received_spf(arena, verdict, SPF_FOLD_NONE);
    const char *results = spf_report_authentication_results(arena, verdict, SPF_FOLD_NONE, true);
    spf_object_t object;

    if (received_spf == NULL || results == NULL)
        return NULL;
    object = spf_object_begin(arena);
    set_findings(&object, verdict);
    spf_object_set_text(&object, "received_spf", received_spf);
    spf_object_set_text(&object, "authentication_results", results);
    spf_object_set(&object, "smtp_reply", reply_object(arena, verdict));
    spf_object_set(&object, "trace", trace_array(arena, eval));
    set_details(&object, verdict);
    spf_object_set(&object, "terms", terms_array(arena, eval));
    return spf_object_end(&object);
}

const char *spf_report_json(spf_arena_t *arena, const spf_verdict_t *verdict, const spf_eval_t *eval)
{
    spf_arena_t scratch = SPF_ARENA_EMPTY;
    json_t *object = verdict_object(&scratch, verdict, eval);
    const char *text = object != NULL ? spf_json_text(arena, object) : NULL;

    json_decref(object);
    spf_arena_free(&scratch);
    return text;
}
