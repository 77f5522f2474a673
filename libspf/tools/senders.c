/* SPDX-License-Identifier: MIT */
#include "tools/senders.h"

#include "tools/walk.h"

/* A record being gone through. */
typedef struct frame {
    const spf_tree_node_t *node;
    uint32_t index;          /* of the next term; one behind the last: the redirect is done too */
    spf_addresses_t decided; /* by the terms before it */
    spf_addresses_t passed;
} frame_t;

typedef struct senders {
    frame_t frames[SPF_WALK_DEPTH_MAX + 1];
    unsigned depth;
    bool is_out_of_memory;
} senders_t;

static void enter(senders_t *senders, const spf_tree_node_t *node)
{
    senders->frames[senders->depth++] = (frame_t){.node = node};
}

/* A term matches these addresses. What is new among them is added network by network: they are few, what is decided
 * already may be many. */
static void match(senders_t *senders, frame_t *frame, const spf_addresses_t *matched, spf_result_t result)
{
    spf_addresses_t fresh = {0};
    spf_cover_t cover = {.set = &fresh};
    spf_network_t network;

    spf_addresses_add(&fresh, matched);
    spf_addresses_subtract(&fresh, &frame->decided);
    while (spf_cover_next(&cover, &network)) {
        spf_addresses_add_network(&frame->decided, &network);
        if (result == SPF_RESULT_PASS)
            spf_addresses_add_network(&frame->passed, &network);
    }
    senders->is_out_of_memory = senders->is_out_of_memory || fresh.is_out_of_memory ||
                                frame->decided.is_out_of_memory || frame->passed.is_out_of_memory;
    spf_addresses_clear(&fresh);
}

/* What the term matches by itself. */
static void match_term(senders_t *senders, frame_t *frame, const spf_tree_term_t *term, const spf_node_term_t *view)
{
    bool is_everybody =
        term->term->kind == SPF_TERM_ALL || (term->term->kind == SPF_TERM_EXISTS && view->status == SPF_NODE_RECORD);
    spf_addresses_t matched = {0};

    if (is_everybody)
        spf_addresses_add_everything(&matched);
    for (size_t i = 0; i < view->network_count; i++)
        spf_addresses_add_network(&matched, &view->networks[i]);
    if (!spf_addresses_is_empty(&matched) || matched.is_out_of_memory)
        match(senders, frame, &matched, view->result);
    spf_addresses_clear(&matched);
}

/* The record's terms in order, its redirect after all of them. */
static void take_term(senders_t *senders, frame_t *frame)
{
    const spf_record_t *record = frame->node->record;
    bool at_end = frame->index == record->term_count;
    uint32_t index = at_end ? (uint32_t)record->redirect : frame->index;
    const spf_tree_term_t *term = &frame->node->terms[index];
    const spf_node_term_t *view = &frame->node->view.terms[index];

    frame->index++;
    if (!view->is_reached || (term->term->kind == SPF_TERM_REDIRECT && !at_end))
        return;
    if (term->child != NULL)
        enter(senders, term->child);
    else
        match_term(senders, frame, term, view);
}

/* A record is through: its pass is a match of the include that led to it, or the answer of the redirect. */
static void leave(senders_t *senders)
{
    frame_t *inner = &senders->frames[--senders->depth];
    frame_t *outer = &senders->frames[senders->depth - 1];
    const spf_node_term_t *view = &outer->node->view.terms[inner->node->view.parent_term];

    match(senders, outer, &inner->passed, view->is_mechanism ? view->result : SPF_RESULT_PASS);
    spf_addresses_clear(&inner->decided);
    spf_addresses_clear(&inner->passed);
}

static bool has_more(const frame_t *frame)
{
    const spf_record_t *record = frame->node->record;

    return record != NULL && frame->index < record->term_count + (record->redirect != SPF_NO_TERM);
}

bool spf_senders_collect(spf_addresses_t *set, const spf_tree_t *tree)
{
    senders_t senders = {.depth = 0};
    frame_t *first = &senders.frames[0];

    enter(&senders, tree->nodes[0]);
    while (senders.depth > 1 || has_more(first)) {
        frame_t *frame = &senders.frames[senders.depth - 1];
        if (has_more(frame) && !senders.is_out_of_memory)
            take_term(&senders, frame);
        else if (frame != first)
            leave(&senders);
        else
            break;
    }
    *set = first->passed;
    spf_addresses_clear(&first->decided);
    return !senders.is_out_of_memory;
}
