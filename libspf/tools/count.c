/* SPDX-License-Identifier: MIT */
/*
 * The counters of a tree (RFC 7208 section 4.6.4): those of a mail that no term matches but all, taken in the order of
 * evaluation, past every limit and error, so that they tell how much is to be mended.
 */
#include "tools/terms.h"
#include "tools/walk_impl.h"

/* A record being gone through. */
typedef struct frame {
    spf_tree_node_t *node;
    uint32_t index;  /* of the next term; one behind the last: the redirect is done too */
    bool is_reached; /* the record is */
    bool is_ended;   /* an all, or an include that passed, ended it */
    spf_result_t result;
    unsigned lookups, voids, voids6; /* of all the terms before it */
} frame_t;

typedef struct count {
    spf_tree_t *tree;
    unsigned depth; /* of frames */
    unsigned lookups, voids, voids6;
    frame_t frames[SPF_WALK_DEPTH_MAX + 1];
} count_t;

static void enter(count_t *count, const spf_tree_node_t *node, bool is_reached)
{
    spf_survey_summary_t *summary = &count->tree->summary;

    count->frames[count->depth++] = (frame_t){.node = (spf_tree_node_t *)node,
                                              .is_reached = is_reached,
                                              .result = SPF_RESULT_NEUTRAL,
                                              .lookups = count->lookups,
                                              .voids = count->voids,
                                              .voids6 = count->voids6};
    if (is_reached && node->view.has_syntax_error)
        summary->is_permerror = summary->is_permerror6 = true;
}

static bool is_void(const spf_answer_t *answer)
{
    return answer != NULL && spf_answer_is_void(answer);
}

/* Whether the term is an error by itself: it leads to no record, or to too many hosts. */
static bool is_error(const count_t *count, const spf_node_term_t *view, const spf_term_t *term)
{
    if (term->kind == SPF_TERM_MX)
        return view->host_count > count->tree->limits.mx_hosts;
    if (term->kind != SPF_TERM_INCLUDE && term->kind != SPF_TERM_REDIRECT)
        return false;
    return view->status == SPF_NODE_NO_DOMAIN || view->status == SPF_NODE_NO_RECORD ||
           view->status == SPF_NODE_SEVERAL || view->status == SPF_NODE_BAD_NAME || view->status == SPF_NODE_LOOP;
}

static void count_term(count_t *count, spf_node_term_t *view, const spf_tree_term_t *term)
{
    spf_survey_summary_t *summary = &count->tree->summary;
    const spf_answer_t *own6 = term->own6 != NULL ? term->own6 : term->own;
    bool is_past;

    view->is_reached = true;
    if (spf_term_needs_dns(term->term)) {
        view->lookup_number = ++count->lookups;
        view->void_number = is_void(term->own) ? ++count->voids : 0;
        view->void_number6 = is_void(own6) ? ++count->voids6 : 0;
    }
    if (term->term->kind > SPF_TERM_REDIRECT)
        return;
    is_past = count->lookups > summary->max_lookups;
    view->is_past_limit = is_past || count->voids > summary->max_void_lookups;
    view->is_past_limit6 = is_past || count->voids6 > summary->max_void_lookups;
    summary->is_permerror = summary->is_permerror || view->is_past_limit || is_error(count, view, term->term);
    summary->is_permerror6 = summary->is_permerror6 || view->is_past_limit6 || is_error(count, view, term->term);
}

static void end(frame_t *frame, spf_result_t result)
{
    frame->is_ended = true;
    frame->result = result;
}

/* The record's terms in order, its redirect after all of them (section 6.1). */
static void take_term(count_t *count, frame_t *frame)
{
    const spf_record_t *record = frame->node->record;
    bool at_end = frame->index == record->term_count;
    uint32_t index = at_end ? (uint32_t)record->redirect : frame->index;
    const spf_tree_term_t *term = &frame->node->terms[index];
    spf_node_term_t *view = (spf_node_term_t *)&frame->node->view.terms[index];
    bool is_reached = frame->is_reached && !(frame->is_ended && term->term->kind <= SPF_TERM_REDIRECT);

    frame->index++;
    if (term->term->kind == SPF_TERM_REDIRECT && !at_end)
        return;
    if (is_reached)
        count_term(count, view, term);
    if (term->term->kind == SPF_TERM_ALL && !frame->is_ended)
        end(frame, (spf_result_t)term->term->result);
    if (term->child != NULL)
        enter(count, term->child, is_reached);
}

/* A record is through: what that means for the one whose include or redirect led to it. */
static void leave(count_t *count)
{
    const frame_t *frame = &count->frames[--count->depth];
    frame_t *outer = count->depth > 0 ? &count->frames[count->depth - 1] : NULL;
    spf_node_t *view = &frame->node->view;
    const spf_term_t *term;

    view->lookups = count->lookups - frame->lookups;
    view->void_lookups = count->voids - frame->voids;
    view->void_lookups6 = count->voids6 - frame->voids6;
    view->running_lookups = count->lookups;
    view->running_void_lookups = count->voids;
    view->running_void_lookups6 = count->voids6;
    if (outer == NULL || outer->is_ended)
        return;
    term = outer->node->terms[view->parent_term].term;
    if (term->kind == SPF_TERM_REDIRECT)
        end(outer, frame->result);
    else if (frame->result == SPF_RESULT_PASS)
        end(outer, (spf_result_t)term->result);
}

static bool has_more(const frame_t *frame)
{
    const spf_record_t *record = frame->node->record;

    if (record == NULL)
        return false;
    return frame->index < record->term_count + (record->redirect != SPF_NO_TERM);
}

void spf_tree_count(spf_tree_t *tree)
{
    count_t count = {.tree = tree};
    spf_survey_summary_t *summary = &tree->summary;

    summary->is_permerror = summary->is_permerror6 = tree->nodes[0]->view.status == SPF_NODE_SEVERAL;
    enter(&count, tree->nodes[0], true);
    while (count.depth > 0) {
        frame_t *frame = &count.frames[count.depth - 1];
        if (has_more(frame))
            take_term(&count, frame);
        else
            leave(&count);
    }
    summary->lookups = count.lookups;
    summary->void_lookups = count.voids;
    summary->void_lookups6 = count.voids6;
}
