/* SPDX-License-Identifier: MIT */
/*
 * Finds everything that a domain's record leads to. Sans-I/O, and driven as core/eval.h is: it wants all questions of a
 * level at once and takes the answers in any order. Nothing is evaluated: every term is followed, also those that no
 * mail gets to. Whatever a zone holds, the walk ends: names, depth, questions and text are bounded, and what goes
 * beyond is SPF_NODE_NOT_ASKED.
 */
#ifndef SPF_TOOLS_WALK_H
#define SPF_TOOLS_WALK_H

#include "core/eval.h"
#include "tools/tree.h"

enum {
    SPF_WALK_NODES_MAX = 256,
    SPF_WALK_DEPTH_MAX = 30, /* of a node; the first has 0 */
    SPF_WALK_QUESTIONS_MAX = 1000,
    SPF_WALK_RECORD_OCTETS_MAX = 256 * 1024, /* of all nodes' records together */
    SPF_WALK_NETWORKS_MAX = 64 * 1024        /* that all terms stand for */
};

/* What is asked. Texts must outlive the walk. */
typedef struct spf_walk_question {
    spf_name_t domain; /* length 0: none is given */
    const char *given; /* take this for the domain's record, strings joined, at most 64 KiB; NULL: ask */
    size_t given_length;
    const char *written; /* the same as its publisher wrote it */
    size_t written_length;
    unsigned scope; /* SPF_SURVEY_... */
    spf_limits_t limits;
} spf_walk_question_t;

typedef struct spf_walk spf_walk_t;

/* Makes a machine in the arena; the question is copied, its texts are not. NULL without memory. */
spf_walk_t *spf_walk_new(spf_arena_t *arena, const spf_walk_question_t *question);
/* Gives back what is not in the arena (compiled records): the tree is gone then. NULL is ignored. */
void spf_walk_drop(spf_walk_t *walk);

/* These are as those of core/eval.h. */
spf_eval_status_t spf_walk_step(spf_walk_t *walk);
spf_query_t *spf_walk_next_wanted(spf_walk_t *walk);
spf_query_t *spf_walk_next_unneeded(spf_walk_t *walk);
void spf_walk_abort(spf_walk_t *walk);
/* The time is over: whatever is still missing counts as a timeout, and the next step is done. */
void spf_walk_expire(spf_walk_t *walk);

/* Once done: makes the tree, counted. NULL without memory. */
spf_tree_t *spf_walk_tree(spf_walk_t *walk);

#endif
