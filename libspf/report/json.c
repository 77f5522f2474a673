/* SPDX-License-Identifier: MIT */
/* Everything about a check as one JSON object. */
#include "report/report.h"

#include <jansson.h>
#include <string.h>

enum { USUAL_SIZE = 8192 }; /* what an object takes unless it has a long trace */

/* An object in the making; jansson's setters free what they are given also where they fail. */
typedef struct object {
    json_t *json;
    spf_arena_t *arena;
    bool failed; /* no memory */
} object_t;

static object_t object_begin(spf_arena_t *arena)
{
    object_t object = {.json = json_object(), .arena = arena};
    object.failed = object.json == NULL;
    return object;
}

static void set(object_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object->json, key, value) != 0)
        object->failed = true;
}

/* The finished object, or NULL. */
static json_t *object_end(object_t *object)
{
    if (!object->failed)
        return object->json;
    json_decref(object->json);
    return NULL;
}

/* U+FFFD, for an octet that belongs to no character. */
static const char replacement[] = "\xef\xbf\xbd";

/* The text as UTF-8, where clean differs from it at some octets. */
static json_t *mended_string(spf_arena_t *arena, const char *text, const char *clean, size_t length)
{
    size_t size = length * (sizeof(replacement) - 1) + 1;
    char *mended = spf_arena_alloc(arena, size);
    spf_buf_t out;

    if (mended == NULL)
        return NULL;
    spf_buf_init(&out, mended, size);
    for (size_t i = 0; i < length; i++) {
        if (clean[i] == text[i] || (unsigned char)text[i] < 0x80)
            spf_buf_add_char(&out, text[i]);
        else
            spf_buf_add_text(&out, replacement);
    }
    return json_stringn_nocheck(out.data, out.len);
}

/* JSON is UTF-8, a record need not be. The filter of base/buf.h, which keeps positions, tells what is no character;
 * ASCII controls, that it replaces too, JSON can escape. */
static json_t *string(spf_arena_t *arena, const char *text, size_t length)
{
    const char *clean = spf_printable_copy(arena, text, length, true);

    if (clean == NULL)
        return NULL;
    if (memcmp(clean, text, length) != 0)
        return mended_string(arena, text, clean, length);
    return json_stringn_nocheck(text, length);
}

static void set_octets(object_t *object, const char *key, const char *text, size_t length)
{
    set(object, key, text != NULL ? string(object->arena, text, length) : json_null());
}

static void set_text(object_t *object, const char *key, const char *text)
{
    set_octets(object, key, text, text != NULL ? strlen(text) : 0);
}

static void set_number(object_t *object, const char *key, uint64_t number)
{
    set(object, key, json_integer((json_int_t)number));
}

/* Only what is told of a term that there is. */
static void set_number_if(object_t *object, const char *key, uint64_t number, bool is_there)
{
    set(object, key, is_there ? json_integer((json_int_t)number) : json_null());
}

/* ------------------------------------------------------------------------------------------------------ the parts */

static json_t *reply_object(spf_arena_t *arena, const spf_verdict_t *verdict)
{
    const spf_smtp_reply_t *reply = spf_report_smtp_reply(arena, verdict);
    object_t object;

    if (reply == NULL)
        return NULL;
    object = object_begin(arena);
    set_number(&object, "code", reply->code);
    set_text(&object, "enhanced", reply->enhanced);
    set_text(&object, "text", reply->text);
    return object_end(&object);
}

static json_t *step_object(spf_arena_t *arena, const spf_step_t *step)
{
    object_t object = object_begin(arena);
    set_number(&object, "depth", step->depth);
    set_text(&object, "domain", step->domain);
    set_text(&object, "term", step->term);
    set_number_if(&object, "term_offset", step->term_offset, step->term != NULL);
    set_number_if(&object, "term_length", step->term_length, step->term != NULL);
    set_text(&object, "target", step->target);
    set_text(&object, "answer", step->answer);
    set_text(&object, "outcome", spf_outcome_name(step->outcome));
    set_number(&object, "lookups", step->lookups);
    set_number(&object, "void_lookups", step->void_lookups);
    set_text(&object, "note", step->note);
    return object_end(&object);
}

static json_t *lookup_object(spf_arena_t *arena, const spf_counted_t *counted)
{
    const spf_lookup_t *lookup = spf_report_lookup(arena, counted);
    object_t object;

    if (lookup == NULL)
        return NULL;
    object = object_begin(arena);
    set_text(&object, "domain", lookup->domain);
    set_text(&object, "term", lookup->term);
    set_text(&object, "target", lookup->target);
    set(&object, "void", json_boolean(lookup->is_void));
    set_number(&object, "dns_queries", lookup->dns_queries);
    return object_end(&object);
}

static bool append(json_t *array, json_t *element)
{
    return json_array_append_new(array, element) == 0;
}

static json_t *trace_array(spf_arena_t *arena, const spf_eval_t *eval)
{
    json_t *array = json_array();
    const spf_step_t *step;

    for (size_t i = 0; (step = spf_eval_trace_step(eval, i)) != NULL; i++) {
        if (!append(array, step_object(arena, step))) {
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
        if (!append(array, lookup_object(arena, &counted[i]))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static void set_findings(object_t *object, const spf_verdict_t *verdict)
{
    set_text(object, "result", spf_result_name(verdict->result));
    set_text(object, "reason", verdict->reason);
    set_text(object, "explanation", verdict->explanation);
    set_text(object, "domain", verdict->domain);
    set_text(object, "identity", spf_identity_name(verdict->identity));
    set_text(object, "ip", verdict->ip);
    set_text(object, "sender", verdict->sender);
    set_text(object, "helo", verdict->helo);
    set_octets(object, "term", verdict->term, verdict->term_length);
    set_octets(object, "record", verdict->record, verdict->record_length);
    set_number(object, "lookups", verdict->lookups);
    set_number(object, "void_lookups", verdict->void_lookups);
    set_number(object, "dns_queries", verdict->dns_queries);
    set_number_if(object, "ttl", (uint64_t)verdict->ttl_s, verdict->ttl_s >= 0);
    set(object, "elapsed_ms", json_real((double)verdict->elapsed_us / 1000.0));
    set_text(object, "would_be", verdict->has_would_be ? spf_result_name(verdict->would_be) : NULL);
}

static void set_details(object_t *object, const spf_verdict_t *verdict)
{
    set_text(object, "cause", spf_cause_name(verdict->cause));
    set_text(object, "checked_domain", verdict->checked_domain);
    set_text(object, "receiver", verdict->receiver);
    set_number_if(object, "term_offset", verdict->term_offset, verdict->term != NULL);
    set_number_if(object, "term_length", verdict->term_length, verdict->term != NULL);
    set_number_if(object, "error_offset", verdict->error_offset, verdict->cause == SPF_CAUSE_SYNTAX);
    set_text(object, "target", verdict->target);
    set_text(object, "dnssec", spf_dnssec_name(verdict->dnssec));
}

static json_t *verdict_object(spf_arena_t *arena, const spf_verdict_t *verdict, const spf_eval_t *eval)
{
    const char *received_spf = spf_report_received_spf(arena, verdict, SPF_FOLD_NONE);
    const char *results = spf_report_authentication_results(arena, verdict, SPF_FOLD_NONE, true);
    object_t object;

    if (received_spf == NULL || results == NULL)
        return NULL;
    object = object_begin(arena);
    set_findings(&object, verdict);
    set_text(&object, "received_spf", received_spf);
    set_text(&object, "authentication_results", results);
    set(&object, "smtp_reply", reply_object(arena, verdict));
    set(&object, "trace", trace_array(arena, eval));
    set_details(&object, verdict);
    set(&object, "terms", terms_array(arena, eval));
    return object_end(&object);
}

/* Not by json_dumps(): its text would have to be freed by the allocator that the host may have given to jansson. */
static const char *dump(spf_arena_t *arena, const json_t *object)
{
    /* 15 digits give every microsecond of a check and no digit more. */
    const size_t flags = JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15);
    char usual[USUAL_SIZE];
    size_t size = json_dumpb(object, usual, sizeof(usual), flags);
    char *text;

    if (size <= sizeof(usual))
        return size > 0 ? spf_arena_copy(arena, usual, size) : NULL;
    text = spf_arena_alloc(arena, size + 1);
    if (text == NULL || json_dumpb(object, text, size, flags) != size)
        return NULL;
    text[size] = '\0';
    return text;
}

const char *spf_report_json(spf_arena_t *arena, const spf_verdict_t *verdict, const spf_eval_t *eval)
{
    spf_arena_t scratch = SPF_ARENA_EMPTY;
    json_t *object = verdict_object(&scratch, verdict, eval);
    const char *text = object != NULL ? dump(arena, object) : NULL;

    json_decref(object);
    spf_arena_free(&scratch);
    return text;
}
