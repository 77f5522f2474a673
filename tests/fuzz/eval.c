/* SPDX-License-Identifier: MIT */
/*
 * The input is a script (fuzz/script.h): a check and the answers of DNS. It is run in several ways, that must all come
 * to the same: one question at a time; asked ahead; answers in a mixed order, some at once; and cut off by a deadline.
 */
#include "fuzz/script.h"

#include "api/check.h"
#include "api/context.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { QUERIES_MAX = 125, STEPS_MAX = 4 * QUERIES_MAX };

/* ------------------------------------------------------------------------------------------------ one way to run it */

typedef struct way {
    bool prefetches;
    uint64_t mix; /* 0: answers come in the order in which they were asked for */
    bool expires;
    uint64_t expire_after;
} way_t;

typedef struct run {
    spf_check_t *check;
    const script_t *script;
    way_t way;
    spf_query_t *open[QUERIES_MAX];
    unsigned open_count;
    uint64_t answers;
    bool has_mx_or_ptr;
} run_t;

static spf_err_t refuse_query(void *resolver, spf_query_t *query)
{
    (void)resolver;
    (void)query;
    return SPF_ERESOLVER;
}

static void forget_query(void *resolver, spf_query_t *query)
{
    (void)resolver;
    (void)query;
}

/* A context for the checks' sake: its resolver is never asked. */
static spf_context_t *shared_context(void)
{
    static const spf_resolver_ops_t ops = {.size = sizeof(ops), .start = refuse_query, .cancel = forget_query};
    static spf_context_t *context;
    spf_config_t *config;

    if (context != NULL)
        return context;
    fuzz_expect(spf_config_new(&config) == SPF_OK && spf_config_set(config, "receiver", "mx.example.org") == SPF_OK &&
                    spf_context_new_with_resolver(&context, config, &ops, NULL) == SPF_OK,
                "a context can be made");
    spf_config_free(config);
    return context;
}

static const char *data_of(const fuzz_text_t *text)
{
    return text->data != NULL ? text->data : "";
}

/* False if the script asks for what cannot be asked. */
static bool run_begin(run_t *run, const script_t *script, const way_t *way)
{
    spf_check_t *check;
    spf_err_t err;

    *run = (run_t){.script = script, .way = *way};
    fuzz_expect(spf_check_new(&run->check, shared_context()) == SPF_OK, "a check can be made");
    check = run->check;
    spf_check_set_identity(check, script->identity);
    spf_check_set_trace(check, script->wants_trace);
    spf_check_set_would_be(check, script->wants_would_be);
    err = spf_check_set_ip(check, script->ip != NULL ? script->ip : "192.0.2.7");
    if (err == SPF_OK)
        err = spf_check_set_sender(check, data_of(&script->sender), script->sender.length);
    if (err == SPF_OK)
        err = spf_check_set_helo(check, data_of(&script->helo), script->helo.length);
    if (err == SPF_OK && script->receiver != NULL)
        err = spf_check_set_receiver(check, script->receiver);
    if (err == SPF_OK && script->has_given)
        err = spf_check_set_record(check, data_of(&script->given), script->given.length);
    if (err != SPF_OK) {
        fuzz_expect(err == SPF_EINVAL && spf_check_error(check)[0] != '\0', "what is refused is told");
        fuzz_expect(fuzz_is_printable_ascii(spf_check_error(check), strlen(spf_check_error(check))),
                    "an error is printable");
        return false;
    }
    fuzz_expect(spf_check_prepare(check) == SPF_OK, "a check can be prepared");
    check->question.limits = script->limits;
    if (script->has_explanation) {
        check->question.default_explanation = data_of(&script->explanation);
        check->question.default_explanation_length = script->explanation.length;
    }
    check->eval = spf_eval_new(&check->arena, &check->question);
    fuzz_expect(check->eval != NULL, "there is memory");
    return true;
}

static unsigned mixed(run_t *run, unsigned count)
{
    run->way.mix = run->way.mix * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(run->way.mix >> 33) % count;
}

static void answer(run_t *run, spf_query_t *query)
{
    script_answer(run->script, &run->check->question.ip, query);
    run->answers++;
}

/* Asks all that is wanted; in a mixed order some answers are there at once. Whether there were such. */
static bool ask(run_t *run)
{
    spf_query_t *query;
    bool has_news = false;

    while ((query = spf_eval_next_wanted(run->check->eval)) != NULL) {
        run->has_mx_or_ptr = run->has_mx_or_ptr || query->type == SPF_TYPE_MX || query->type == SPF_TYPE_PTR;
        fuzz_expect(query->state == SPF_QUERY_ASKED && query->name_length >= 1 && query->name_length <= 253,
                    "a question has a name");
        fuzz_expect(strlen(query->name) == query->name_length, "a name is not cut short by a NUL");
        fuzz_expect(spf_eval_queries(run->check->eval) <= QUERIES_MAX, "there are at most 125 questions");
        if (run->way.mix != 0 && mixed(run, 4) == 0) {
            answer(run, query);
            has_news = true;
        } else {
            run->open[run->open_count++] = query;
        }
    }
    return has_news;
}

static void drop_unneeded(run_t *run)
{
    spf_query_t *query;

    while ((query = spf_eval_next_unneeded(run->check->eval)) != NULL) {
        unsigned i = 0;
        while (i < run->open_count && run->open[i] != query)
            i++;
        fuzz_expect(i < run->open_count, "what is dropped is open");
        memmove(&run->open[i], &run->open[i + 1], (--run->open_count - i) * sizeof(run->open[0]));
    }
}

static void answer_one(run_t *run)
{
    unsigned i = run->way.mix != 0 ? mixed(run, run->open_count) : 0;
    spf_query_t *query = run->open[i];

    memmove(&run->open[i], &run->open[i + 1], (--run->open_count - i) * sizeof(run->open[0]));
    answer(run, query);
}

/* As the engine does: what is needed now is asked first, and only if that has to be waited for anything ahead. */
static spf_eval_status_t run_turn(run_t *run)
{
    spf_eval_t *eval = run->check->eval;
    spf_eval_status_t status = spf_eval_step(eval);

    while (status == SPF_EVAL_WAIT && ask(run))
        status = spf_eval_step(eval);
    if (status == SPF_EVAL_WAIT && run->way.prefetches) {
        status = spf_eval_prefetch(eval);
        while (status == SPF_EVAL_WAIT && ask(run))
            status = spf_eval_step(eval);
    }
    return status;
}

static void run_to_end(run_t *run)
{
    spf_eval_t *eval = run->check->eval;
    bool is_expired = false;

    for (unsigned steps = 0; run_turn(run) == SPF_EVAL_WAIT; steps++) {
        fuzz_expect(steps < STEPS_MAX, "an evaluation ends");
        fuzz_expect(!is_expired, "an evaluation ends at its deadline");
        drop_unneeded(run);
        if (run->way.expires && run->answers >= run->way.expire_after) {
            spf_eval_expire(eval);
            is_expired = true;
            continue;
        }
        fuzz_expect(run->open_count > 0, "an evaluation that waits has asked for something");
        do
            answer_one(run);
        while (run->way.mix != 0 && run->open_count > 0 && mixed(run, 3) == 0);
    }
    fuzz_expect(spf_eval_step(eval) == SPF_EVAL_DONE, "an evaluation comes to its end");
    drop_unneeded(run);
    fuzz_expect(run->open_count == 0, "what is open at the end is dropped");
    fuzz_expect(spf_check_conclude(run->check) == SPF_OK, "a verdict can be made");
}

/* -------------------------------------------------------------------------------------------------- what must be so */

static void expect_text(const char *text, const char *what)
{
    if (text != NULL)
        fuzz_expect(fuzz_is_printable_utf8(text, strlen(text)), what);
}

static void expect_verdict(const run_t *run)
{
    const spf_verdict_t *verdict = spf_check_verdict(run->check);
    const spf_limits_t *limits = &run->script->limits;
    const spf_lookup_t *lookup;
    unsigned voids = 0;
    size_t count = 0;

    fuzz_expect(verdict->result <= SPF_RESULT_PERMERROR && verdict->cause <= SPF_CAUSE_DEADLINE, "a verdict is one");
    fuzz_expect(verdict->dns_queries <= QUERIES_MAX, "there are at most 125 questions");
    fuzz_expect(verdict->lookups <= limits->lookups + 1, "lookups are limited");
    fuzz_expect(verdict->void_lookups <= limits->void_lookups + 1, "void lookups are limited");
    fuzz_expect((verdict->lookups > limits->lookups) == (verdict->cause == SPF_CAUSE_LOOKUP_LIMIT),
                "too many lookups are the cause");
    fuzz_expect((verdict->void_lookups > limits->void_lookups) == (verdict->cause == SPF_CAUSE_VOID_LIMIT),
                "too many void lookups are the cause");
    for (; (lookup = spf_check_lookup(run->check, count)) != NULL; count++) {
        expect_text(lookup->domain, "a lookup's domain is printable");
        expect_text(lookup->term, "a lookup's term is printable");
        expect_text(lookup->target, "a lookup's target is printable");
        voids += lookup->is_void;
    }
    fuzz_expect(count == (verdict->lookups < limits->lookups ? verdict->lookups : limits->lookups) &&
                    voids == verdict->void_lookups,
                "every lookup can be listed");
    fuzz_expect(verdict->reason[0] != '\0', "there is a reason");
    fuzz_expect(verdict->explanation == NULL || verdict->result == SPF_RESULT_FAIL, "only a fail is explained");
    if (verdict->term != NULL)
        fuzz_expect(verdict->term_offset <= verdict->record_length &&
                        verdict->term_length <= verdict->record_length - verdict->term_offset,
                    "the term stands in the record");
    if (verdict->cause == SPF_CAUSE_SYNTAX)
        fuzz_expect(verdict->error_offset <= verdict->record_length, "an error stands in the record");
}

static void expect_texts(const run_t *run)
{
    const spf_verdict_t *verdict = spf_check_verdict(run->check);
    const spf_step_t *step;

    expect_text(verdict->reason, "the reason is printable");
    expect_text(verdict->sender, "the sender is printable");
    expect_text(verdict->helo, "the HELO name is printable");
    expect_text(verdict->receiver, "the receiver is printable");
    expect_text(verdict->checked_domain, "the checked domain is printable");
    expect_text(verdict->domain, "the domain is printable");
    expect_text(verdict->term, "the term is printable");
    expect_text(verdict->target, "the target is printable");
    if (verdict->explanation != NULL)
        fuzz_expect(fuzz_is_printable_ascii(verdict->explanation, strlen(verdict->explanation)),
                    "an explanation is printable ASCII");
    for (size_t i = 0; (step = spf_check_step(run->check, i)) != NULL; i++) {
        expect_text(step->domain, "a step's domain is printable");
        expect_text(step->term, "a step's term is printable");
        expect_text(step->target, "a step's target is printable");
        expect_text(step->answer, "a step's answer is printable");
        expect_text(step->note, "a step's note is printable");
    }
    fuzz_expect(run->script->wants_trace == (spf_check_step(run->check, 0) != NULL) ||
                    verdict->cause == SPF_CAUSE_BAD_DOMAIN || verdict->record == NULL,
                "there is a trace if it is wanted");
}

static bool is_same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Two runs that were not cut off. */
static void expect_same(const run_t *a, const run_t *b)
{
    const spf_verdict_t *first = spf_check_verdict(a->check);
    const spf_verdict_t *second = spf_check_verdict(b->check);

    fuzz_expect(first->result == second->result && first->cause == second->cause, "every way gives the same result");
    fuzz_expect(first->lookups == second->lookups && first->void_lookups == second->void_lookups,
                "every way counts the same");
    fuzz_expect(is_same_text(first->explanation, second->explanation), "every way gives the same explanation");
    fuzz_expect(is_same_text(first->domain, second->domain) && is_same_text(first->term, second->term) &&
                    first->term_offset == second->term_offset && is_same_text(first->target, second->target),
                "every way gives the same term");
    fuzz_expect(first->has_would_be == second->has_would_be && first->would_be == second->would_be,
                "every way gives the same would-be result");
    /* Which of several MX hosts or PTR names matched is told by whose answer came first. */
    if (a->has_mx_or_ptr || b->has_mx_or_ptr)
        return;
    ((spf_verdict_t *)second)->dns_queries = first->dns_queries;
    fuzz_expect(is_same_text(spf_check_json(a->check), spf_check_json(b->check)),
                "every way gives the same reason, trace and all the rest");
}

/* A deadline leaves the verdict as it is or makes it temperror. */
static void expect_cut_off(const run_t *whole, const run_t *cut)
{
    const spf_verdict_t *first = spf_check_verdict(whole->check);
    const spf_verdict_t *second = spf_check_verdict(cut->check);

    if (second->cause == SPF_CAUSE_DEADLINE)
        fuzz_expect(second->result == SPF_RESULT_TEMPERROR, "the deadline means temperror");
    else
        fuzz_expect(first->result == second->result && first->cause == second->cause,
                    "a deadline changes nothing else");
}

/* The reports take whatever the verdict says; here they only must be made. */
static void expect_reports(const run_t *run)
{
    const spf_smtp_reply_t *reply = spf_check_smtp_reply(run->check);
    json_t *object = json_loads(spf_check_json(run->check), JSON_ALLOW_NUL, NULL);

    fuzz_expect(json_is_object(object), "the JSON can be read");
    json_decref(object);
    fuzz_expect(spf_check_received_spf(run->check, SPF_FOLD_CRLF) != NULL &&
                    spf_check_authentication_results(run->check, SPF_FOLD_LF) != NULL && reply != NULL &&
                    spf_check_trace_text(run->check) != NULL,
                "the reports are made");
}

static void expect_ways(const script_t *script)
{
    const way_t ways[] = {
        {0},
        {.prefetches = true},
        {.prefetches = true, .mix = script->mix + 1},
        {.mix = script->mix + 2},
        {.prefetches = script->mix % 2 == 0,
         .mix = script->mix + 3,
         .expires = true,
         .expire_after = script->expire_after},
    };
    static run_t runs[sizeof(ways) / sizeof(ways[0])];
    size_t count = sizeof(ways) / sizeof(ways[0]) - !script->expires;
    size_t begun = 0;

    while (begun < count && run_begin(&runs[begun], script, &ways[begun]))
        begun++;
    for (size_t i = 0; begun == count && i < count; i++) {
        run_to_end(&runs[i]);
        expect_verdict(&runs[i]);
        expect_texts(&runs[i]);
        if (i > 0 && !ways[i].expires)
            expect_same(&runs[0], &runs[i]);
        else if (i > 0)
            expect_cut_off(&runs[0], &runs[i]);
    }
    if (begun == count)
        expect_reports(&runs[0]);
    for (size_t i = 0; i < count && i <= begun; i++)
        spf_check_free(runs[i].check);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    script_t script;

    script_read(&script, data, size);
    expect_ways(&script);
    script_free(&script);
    return 0;
}
