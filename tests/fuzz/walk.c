/* SPDX-License-Identifier: MIT */
/*
 * The input is a script (fuzz/script.h), whose domain is surveyed: the tree is bounded, the same in every order of
 * answers, cut off by a deadline it is still one, and what a check of the script's client counts is found in it.
 */
#include "fuzz/script.h"

#include "report/tree.h"
#include "tools/lint.h"
#include "tools/strings.h"
#include "tools/walk.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { EVERYTHING = SPF_SURVEY_RECORDS | SPF_SURVEY_ADDRESSES | SPF_SURVEY_NEARBY };

/* One walk, or a check, with what it asked. */
typedef struct run {
    const script_t *script;
    spf_ip_t client;
    uint64_t mix; /* 0: answers come in the order in which they were asked for */
    bool expires;
    spf_arena_t arena;
    spf_walk_t *walk;
    spf_tree_t *tree;
    spf_query_t *open[SPF_WALK_QUESTIONS_MAX];
    unsigned open_count;
    unsigned asked;
    unsigned answers;
} run_t;

/* --------------------------------------------------------------------------------------------------------- running */

static const char *data_of(const fuzz_text_t *text)
{
    return text->data != NULL ? text->data : "";
}

/* The domain of the sender; false if it is none. */
static bool domain_of(const script_t *script, spf_name_t *name)
{
    const char *sender = data_of(&script->sender);
    const char *at = memrchr(sender, '@', script->sender.length);
    const char *domain = at != NULL ? at + 1 : sender;
    bool is_out_of_memory;

    return spf_name_from_utf8(name, domain, script->sender.length - (size_t)(domain - sender), &is_out_of_memory);
}

/* False if there is nothing to survey. */
static bool run_begin(run_t *run, const script_t *script, uint64_t mix, bool expires)
{
    spf_walk_question_t question = {.scope = EVERYTHING, .limits = script->limits};
    const char *ip = script->ip != NULL ? script->ip : "192.0.2.7";
    spf_strings_t strings;

    *run = (run_t){.script = script, .mix = mix, .expires = expires, .arena = SPF_ARENA_EMPTY};
    if (!spf_ip_parse_client(&run->client, ip, strlen(ip)) ||
        (!domain_of(script, &question.domain) && !script->has_given))
        return false;
    if (script->has_given) {
        fuzz_expect(spf_strings_read(&run->arena, data_of(&script->given), script->given.length, &strings),
                    "there is memory");
        question.given = strings.text;
        question.given_length = strings.length;
        question.written = data_of(&script->given);
        question.written_length = script->given.length;
    }
    run->walk = spf_walk_new(&run->arena, &question);
    fuzz_expect(run->walk != NULL, "there is memory");
    return true;
}

static unsigned mixed(run_t *run, unsigned count)
{
    run->mix = run->mix * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(run->mix >> 33) % count;
}

static void ask(run_t *run)
{
    spf_query_t *query;

    while ((query = spf_walk_next_wanted(run->walk)) != NULL) {
        fuzz_expect(query->state == SPF_QUERY_ASKED && query->name_length >= 1 && query->name_length <= 253,
                    "a question has a name");
        fuzz_expect(strlen(query->name) == query->name_length, "a name is not cut short by a NUL");
        fuzz_expect(++run->asked <= SPF_WALK_QUESTIONS_MAX, "questions are limited");
        run->open[run->open_count++] = query;
    }
}

static void answer_one(run_t *run)
{
    unsigned i = run->mix != 0 ? mixed(run, run->open_count) : 0;
    spf_query_t *query = run->open[i];

    memmove(&run->open[i], &run->open[i + 1], (--run->open_count - i) * sizeof(run->open[0]));
    script_answer(run->script, &run->client, query);
    run->answers++;
}

static void run_to_end(run_t *run)
{
    bool is_expired = false;

    while (spf_walk_step(run->walk) == SPF_EVAL_WAIT) {
        fuzz_expect(!is_expired, "a walk ends at its deadline");
        fuzz_expect(spf_walk_next_unneeded(run->walk) == NULL, "a walk needs what it asks");
        ask(run);
        if (run->expires && run->answers >= run->script->expire_after) {
            spf_walk_expire(run->walk);
            is_expired = true;
            continue;
        }
        fuzz_expect(run->open_count > 0, "a walk that waits has asked for something");
        answer_one(run);
    }
    fuzz_expect(spf_walk_step(run->walk) == SPF_EVAL_DONE, "a walk comes to its end");
    while (spf_walk_next_unneeded(run->walk) != NULL)
        run->open_count--;
    fuzz_expect(run->open_count == 0, "what is open at the end is dropped");
    run->tree = spf_walk_tree(run->walk);
    fuzz_expect(run->tree != NULL && spf_walk_tree(run->walk) == run->tree, "a tree can be made");
}

static void run_end(run_t *run)
{
    spf_walk_drop(run->walk);
    spf_arena_free(&run->arena);
}

/* ----------------------------------------------------------------------------------------------- what must be so */

static void expect_text(const char *text, const char *what)
{
    if (text != NULL)
        fuzz_expect(fuzz_is_printable_utf8(text, strlen(text)), what);
}

static void expect_term(const spf_tree_t *tree, const spf_node_t *node, const spf_node_term_t *term)
{
    const spf_survey_summary_t *summary = &tree->summary;

    expect_text(term->text, "a term is printable");
    expect_text(term->target, "a target is printable");
    expect_text(term->answer, "an answer is printable");
    fuzz_expect(term->offset <= node->record_length && term->length <= node->record_length - term->offset,
                "a term stands in its record");
    fuzz_expect(term->lookup_number <= summary->lookups && term->void_number <= summary->void_lookups &&
                    term->void_number6 <= summary->void_lookups6,
                "numbers are within what is counted");
    fuzz_expect(term->is_reached || (term->lookup_number == 0 && !term->is_past_limit),
                "what is not reached is not counted");
    fuzz_expect(term->lookup_number > 0 || (term->void_number == 0 && term->void_number6 == 0),
                "what is void is a lookup");
    fuzz_expect((term->lookup_number <= summary->max_lookups) || (term->is_past_limit && term->is_past_limit6),
                "what is past the limit says so");
    if (term->child != NULL)
        fuzz_expect(term->child->parent == node && &node->terms[term->child->parent_term] == term,
                    "what a term leads to knows it");
}

/* Every number is given once. */
static void expect_numbers(const spf_tree_t *tree)
{
    unsigned lookups = 0;
    uint64_t sum = 0;

    for (size_t i = 0; i < tree->node_count; i++) {
        for (size_t j = 0; j < tree->nodes[i]->view.term_count; j++) {
            lookups += tree->nodes[i]->view.terms[j].lookup_number > 0;
            sum += tree->nodes[i]->view.terms[j].lookup_number;
        }
    }
    fuzz_expect(lookups == tree->summary.lookups && sum == (uint64_t)lookups * (lookups + 1) / 2,
                "lookups are numbered");
    fuzz_expect(tree->nodes[0]->view.lookups == lookups, "the first record has all lookups");
}

static void expect_tree(const spf_tree_t *tree)
{
    size_t networks = 0;
    size_t octets = 0;

    fuzz_expect(tree->node_count >= 1 && tree->node_count <= SPF_WALK_NODES_MAX, "nodes are limited");
    for (size_t i = 0; i < tree->node_count; i++) {
        const spf_node_t *node = &tree->nodes[i]->view;
        fuzz_expect(tree->nodes[i]->index == i, "a node knows its place");
        fuzz_expect(node->depth <= SPF_WALK_DEPTH_MAX, "the depth is limited");
        fuzz_expect((node->parent == NULL) == (i == 0), "all but the first are led to");
        fuzz_expect(i == 0 || ((const spf_tree_node_t *)node->parent)->index < i,
                    "what leads to a node comes before it");
        expect_text(node->domain, "a domain is printable");
        expect_text(node->detail, "a detail is printable");
        fuzz_expect(!node->has_syntax_error || node->error_offset <= node->record_length,
                    "an error stands in the record");
        octets += node->term_count > 0 ? node->record_length : 0;
        for (size_t j = 0; j < node->term_count; j++) {
            networks += node->terms[j].network_count;
            expect_term(tree, node, &node->terms[j]);
        }
    }
    fuzz_expect(networks <= SPF_WALK_NETWORKS_MAX, "networks are limited");
    fuzz_expect(octets <= SPF_WALK_RECORD_OCTETS_MAX, "records are limited");
    expect_numbers(tree);
}

/* Lines, each of them printable but for the colours that were asked for. */
static void expect_lines(const char *text, bool is_ascii)
{
    fuzz_expect(text != NULL, "there is memory");
    for (;;) {
        size_t length = strcspn(text, "\n");
        fuzz_expect(is_ascii ? fuzz_is_printable_ascii(text, length) : fuzz_is_printable_utf8(text, length),
                    "a line is printable");
        if (text[length] == '\0')
            return;
        text += length + 1;
    }
}

static void expect_reports(run_t *run)
{
    const spf_lint_t *lint = spf_lint_tree(&run->arena, run->tree);
    const char *json = lint != NULL ? spf_report_tree_json(&run->arena, run->tree, lint) : NULL;
    json_t *object = json != NULL ? json_loads(json, JSON_ALLOW_NUL, NULL) : NULL;

    fuzz_expect(json_is_object(object), "the JSON can be read");
    json_decref(object);
    expect_lines(spf_report_tree_text(&run->arena, run->tree, 0), false);
    expect_lines(spf_report_tree_text(&run->arena, run->tree, SPF_TEXT_ASCII | SPF_TEXT_NETWORKS), true);
    expect_lines(spf_report_tree_dot(&run->arena, run->tree), false);
    fuzz_expect(spf_report_tree_text(&run->arena, run->tree, SPF_TEXT_COLOR) != NULL, "there is memory");
}

/* Whether a bound cut the tree short: where that is depends on the order of answers. */
static bool is_cut(const run_t *run)
{
    if (run->asked == SPF_WALK_QUESTIONS_MAX || run->tree->node_count == SPF_WALK_NODES_MAX)
        return true;
    for (size_t i = 0; i < run->tree->node_count; i++)
        if (run->tree->nodes[i]->view.status == SPF_NODE_NOT_ASKED ||
            run->tree->nodes[i]->view.depth == SPF_WALK_DEPTH_MAX)
            return true;
    return false;
}

static void expect_same(run_t *a, run_t *b)
{
    const spf_lint_t none = {.count = 0};
    const char *first = spf_report_tree_json(&a->arena, a->tree, &none);
    const char *second = spf_report_tree_json(&b->arena, b->tree, &none);

    fuzz_expect(first != NULL && second != NULL && strcmp(first, second) == 0, "every order gives the same tree");
}

/* ------------------------------------------------------------------------------------------------- beside a check */

typedef struct check {
    spf_arena_t arena;
    spf_question_t question;
    spf_eval_t *eval;
} check_t;

/* The script's check, one question at a time; false if there is none. */
static bool check_run(check_t *check, const run_t *run)
{
    const script_t *script = run->script;
    const char *sender = data_of(&script->sender);
    const char *at = memrchr(sender, '@', script->sender.length);
    spf_query_t *query;

    *check = (check_t){.arena = SPF_ARENA_EMPTY};
    check->question = (spf_question_t){.ip = run->client,
                                       .sender = sender,
                                       .sender_length = script->sender.length,
                                       .local_length = at != NULL ? (size_t)(at - sender) : 0,
                                       .helo = data_of(&script->helo),
                                       .helo_length = script->helo.length,
                                       .receiver = "mx.example.org",
                                       .receiver_length = strlen("mx.example.org"),
                                       .limits = script->limits};
    if (script->has_given || !domain_of(script, &check->question.domain))
        return false;
    check->eval = spf_eval_new(&check->arena, &check->question);
    fuzz_expect(check->eval != NULL, "there is memory");
    while (spf_eval_step(check->eval) == SPF_EVAL_WAIT) {
        query = spf_eval_next_wanted(check->eval);
        fuzz_expect(query != NULL, "an evaluation that waits has asked for something");
        script_answer(script, &run->client, query);
    }
    return true;
}

static void check_end(check_t *check)
{
    spf_eval_drop(check->eval);
    spf_arena_free(&check->arena);
}

/* Which of the tree's terms has this number. */
static const spf_tree_term_t *term_at(const spf_tree_t *tree, unsigned number, const spf_tree_node_t **node,
                                      const spf_node_term_t **view)
{
    for (size_t i = 0; i < tree->node_count; i++) {
        for (size_t j = 0; j < tree->nodes[i]->view.term_count; j++) {
            if (tree->nodes[i]->view.terms[j].lookup_number != number)
                continue;
            *node = tree->nodes[i];
            *view = &tree->nodes[i]->view.terms[j];
            return &tree->nodes[i]->terms[j];
        }
    }
    return NULL;
}

static bool leads_to_record(const spf_term_t *term)
{
    return term->kind == SPF_TERM_INCLUDE || term->kind == SPF_TERM_REDIRECT;
}

/* What a check counted comes in the tree's order, with the same void lookups. False once it goes where the tree does
 * not: round a loop, or to where the mail decides. */
static bool expect_counted(const run_t *run, const check_t *check)
{
    unsigned recorded;
    const spf_counted_t *counted = spf_eval_counted(check->eval, &recorded);
    unsigned number = 0;

    for (unsigned i = 0; i < recorded; i++) {
        const spf_tree_node_t *node = NULL;
        const spf_node_term_t *view = NULL;
        const spf_tree_term_t *term;
        do {
            term = term_at(run->tree, ++number, &node, &view);
            fuzz_expect(term != NULL, "what a check counts is in the tree, in its order");
        } while (strcmp(node->name, counted[i].domain) != 0 || counted[i].term != (uint32_t)(term - node->terms));
        if (view->status != SPF_NODE_MACRO)
            fuzz_expect(counted[i].is_void == ((run->client.family == 4 ? view->void_number : view->void_number6) > 0),
                        "what is void for a check is void in the tree");
        if (view->status == SPF_NODE_LOOP || (view->status == SPF_NODE_MACRO && leads_to_record(term->term)))
            return false;
    }
    return true;
}

static void expect_check(const run_t *run)
{
    const spf_survey_summary_t *summary = &run->tree->summary;
    check_t check;

    if (!check_run(&check, run))
        return;
    if (expect_counted(run, &check) && spf_eval_finding(check.eval)->result == SPF_RESULT_PERMERROR &&
        spf_eval_finding(check.eval)->cause != SPF_CAUSE_BAD_TARGET)
        fuzz_expect(run->client.family == 4 ? summary->is_permerror : summary->is_permerror6,
                    "what is a permerror for a check is one for the tree");
    check_end(&check);
}

/* ------------------------------------------------------------------------------------------------------------- input
 */

static void expect_ways(const script_t *script)
{
    static run_t runs[3];

    for (unsigned i = 0; i < 2u + script->expires; i++) {
        if (!run_begin(&runs[i], script, i > 0 ? script->mix + i : 0, i == 2)) {
            run_end(&runs[i]);
            break;
        }
        run_to_end(&runs[i]);
        expect_tree(runs[i].tree);
        if (i != 1)
            expect_reports(&runs[i]);
        if (i == 0 && !is_cut(&runs[0]))
            expect_check(&runs[0]);
        if (i == 1 && !is_cut(&runs[0]) && !is_cut(&runs[1]))
            expect_same(&runs[0], &runs[1]);
        if (i > 0)
            run_end(&runs[i]);
    }
    if (runs[0].walk != NULL)
        run_end(&runs[0]);
    runs[0].walk = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    script_t script;

    script_read(&script, data, size);
    expect_ways(&script);
    script_free(&script);
    return 0;
}
