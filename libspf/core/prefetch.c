/* SPDX-License-Identifier: MIT */
/*
 * Asking ahead: while evaluation waits, it walks on in thought through the terms that may still come, in their order
 * and within the budget of lookups, and wants what they will need. It stops where evaluation is certain to end. Nothing
 * here is judged or counted, so it cannot change a verdict.
 */
#include "core/eval_impl.h"

/* Where the walk stands in one of the records on the way out. */
typedef struct place {
    const spf_record_t *record;
    const char *domain;
    size_t domain_length;
    uint32_t index;
} place_t;

typedef struct walk {
    place_t places[SPF_LOOKUPS_MAX + 1]; /* the outermost record first */
    unsigned depth;                      /* how many there are */
    unsigned budget;                     /* lookups that are left */
    bool is_over;
} walk_t;

/* What the walk knows of a term. */
typedef enum sight { SIGHT_OPEN, SIGHT_MATCH, SIGHT_MOVED } sight_t;

/* The frames as they stand, each behind its current term. */
static void walk_init(walk_t *walk, const spf_eval_t *eval)
{
    unsigned depth = eval->top->depth + 1;

    walk->depth = depth;
    walk->budget = eval->question.limits.lookups - eval->tally.lookups;
    walk->is_over = false;
    for (const spf_frame_t *frame = eval->top; frame != NULL; frame = frame->outer)
        walk->places[--depth] = (place_t){frame->record, frame->domain, frame->domain_length,
                                          frame->index + (frame->index < frame->record->term_count)};
}

/* The question of a term as far as it can be known now; NULL: it cannot, or there is no credit left. */
static spf_query_t *term_query(spf_eval_t *eval, const place_t *place, const spf_term_t *term, uint16_t type,
                               bool is_policy)
{
    spf_name_t name;

    if (type == SPF_TYPE_PTR)
        return spf_eval_want_ptr(eval, false);
    if (spf_eval_expand_target(eval, place->domain, place->domain_length, place->record, term, false, &name) !=
        SPF_TARGET_NAME)
        return NULL;
    return spf_eval_want(eval, name.text, name.length, type, is_policy, false);
}

/* The hosts of an MX answer that is there already. */
static void want_hosts(spf_eval_t *eval, const spf_answer_t *mx)
{
    if (mx->count > eval->question.limits.mx_hosts)
        return;
    for (uint32_t i = 0; i < mx->count; i++) {
        spf_name_t name;
        if (spf_name_from_text(&name, mx->texts[i].data, mx->texts[i].length))
            spf_eval_want(eval, name.text, name.length, eval->address_type, false, false);
    }
}

/* An include or redirect whose record is there is walked into; without a record the check ends at it. */
static sight_t see_policy(walk_t *walk, const spf_query_t *query, bool is_redirect)
{
    const spf_answer_t *answer = query != NULL ? spf_eval_peek(query) : NULL;
    place_t *place;

    if (answer == NULL)
        return SIGHT_OPEN;
    if (spf_answer_is_failure(answer) || query->policy == NULL || query->policy->kind != SPF_POLICY_RECORD ||
        query->policy->record->error_term != SPF_NO_TERM) {
        walk->is_over = true;
        return SIGHT_OPEN;
    }
    if (!is_redirect)
        walk->depth++;
    place = &walk->places[walk->depth - 1];
    *place = (place_t){query->policy->record, query->name, query->name_length, 0};
    return SIGHT_MOVED;
}

/* A term that asks one question; what its answer says, if it is there. */
static sight_t see_question(spf_eval_t *eval, walk_t *walk, const place_t *place, const spf_term_t *term)
{
    const spf_answer_t *answer;
    const spf_query_t *query;
    uint32_t judged;

    if (walk->budget == 0) {
        walk->is_over = true;
        return SIGHT_OPEN;
    }
    walk->budget--;
    switch (term->kind) {
    case SPF_TERM_INCLUDE:
    case SPF_TERM_REDIRECT:
        query = term_query(eval, place, term, SPF_TYPE_TXT, true);
        return see_policy(walk, query, term->kind == SPF_TERM_REDIRECT);
    case SPF_TERM_A:
        query = term_query(eval, place, term, eval->address_type, false);
        answer = query != NULL ? spf_eval_peek(query) : NULL;
        return answer != NULL && spf_eval_address_matches(eval, answer, term, &judged) ? SIGHT_MATCH : SIGHT_OPEN;
    case SPF_TERM_EXISTS:
        query = term_query(eval, place, term, SPF_TYPE_A, false);
        answer = query != NULL ? spf_eval_peek(query) : NULL;
        return answer != NULL && answer->count > 0 ? SIGHT_MATCH : SIGHT_OPEN;
    case SPF_TERM_MX:
        query = term_query(eval, place, term, SPF_TYPE_MX, false);
        answer = query != NULL ? spf_eval_peek(query) : NULL;
        if (answer != NULL)
            want_hosts(eval, answer);
        return SIGHT_OPEN;
    default:
        term_query(eval, place, term, SPF_TYPE_PTR, false);
        return SIGHT_OPEN;
    }
}

/* The next term of the innermost place; places move on by themselves. */
static sight_t see_term(spf_eval_t *eval, walk_t *walk, place_t *place, const spf_term_t **seen)
{
    const spf_term_t *term = &place->record->terms[place->index];
    unsigned compared = 0;

    *seen = term;
    if (spf_eval_is_network(term)) {
        place->index = spf_eval_scan_networks(eval, place->record, place->index, &compared);
        if (place->index == term->run_end)
            return SIGHT_OPEN;
        *seen = &place->record->terms[place->index];
        return SIGHT_MATCH;
    }
    place->index++;
    if (term->kind == SPF_TERM_ALL)
        return SIGHT_MATCH;
    if (term->kind < SPF_TERM_REDIRECT)
        return see_question(eval, walk, place, term);
    return SIGHT_OPEN;
}

/* A record is through: out of as many includes as pass with it, up to one that does not match. */
static void walk_out(walk_t *walk, uint8_t result)
{
    while (--walk->depth > 0) {
        const place_t *outer = &walk->places[walk->depth - 1];
        if (result != SPF_RESULT_PASS)
            return;
        result = outer->record->terms[outer->index - 1].result;
    }
}

static void walk_on(spf_eval_t *eval, walk_t *walk)
{
    place_t *place = &walk->places[walk->depth - 1];
    const spf_record_t *record = place->record;
    const spf_term_t *term;

    if (place->index < record->term_count) {
        if (see_term(eval, walk, place, &term) == SIGHT_MATCH)
            walk_out(walk, term->result);
    } else if (record->redirect == SPF_NO_TERM || record->has_all ||
               see_question(eval, walk, place, &record->terms[record->redirect]) == SIGHT_OPEN) {
        walk_out(walk, SPF_RESULT_NEUTRAL);
    }
}

spf_eval_status_t spf_eval_prefetch(spf_eval_t *eval)
{
    walk_t walk;

    if (!eval->is_prefetching) {
        /* From now on hosts and names are asked all at once: also those of the term that is waiting. */
        eval->is_prefetching = true;
        spf_eval_step(eval);
    }
    if (!eval->is_decided && eval->top->record != NULL && !eval->is_frozen && !eval->is_out_of_memory) {
        walk_init(&walk, eval);
        while (walk.depth > 0 && !walk.is_over && !eval->is_out_of_memory)
            walk_on(eval, &walk);
    }
    if (eval->is_out_of_memory)
        return SPF_EVAL_NOMEM;
    return eval->is_done ? SPF_EVAL_DONE : SPF_EVAL_WAIT;
}
