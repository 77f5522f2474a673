/* SPDX-License-Identifier: MIT */
/* The inside of a walk, shared by its source files and nobody else. */
#ifndef SPF_TOOLS_WALK_IMPL_H
#define SPF_TOOLS_WALK_IMPL_H

#include "tools/walk.h"

#include <sys/queue.h>

typedef struct spf_walk_host {
    const char *name;   /* NULL: it is none */
    spf_query_t *query; /* for A; NULL: nobody was asked */
    spf_query_t *query6;
} spf_walk_host_t;

typedef struct spf_walk_term {
    const char *name; /* NULL: not known, or none */
    /* Why its own question is not asked: SPF_NODE_MACRO, ..._BAD_NAME, ..._LOOP, ..._NOT_ASKED. SPF_NODE_RECORD: it is
     * asked, or there is none. */
    spf_node_status_t hindrance;
    spf_query_t *own, *own6, *other; /* as in spf_tree_term_t */
    spf_walk_host_t *hosts;          /* of an mx, once its hosts are asked about or there are too many */
    struct spf_walk_node *child;
} spf_walk_term_t;

typedef struct spf_walk_node {
    spf_tree_node_t tree; /* first */
    struct spf_walk_node *parent;
    uint32_t parent_term;
    unsigned depth;
    const char *name; /* "": none was given */
    size_t name_length;
    spf_query_t *query; /* for its TXT records; NULL: it needs none */
    spf_node_status_t status;
    const spf_policy_t *policy; /* the query's, or the walk's given one; NULL without a definite answer */
    spf_walk_term_t *terms;     /* of a policy with a record */
} spf_walk_node_t;

/* Something to do once answers are there: open the node, or look at a term that asks in two steps. */
typedef struct spf_walk_task {
    spf_walk_node_t *node;
    spf_walk_term_t *term; /* NULL: open the node */
    TAILQ_ENTRY(spf_walk_task) link;
} spf_walk_task_t;

enum { SPF_DMARC_NAMES_MAX = 8 };

struct spf_walk {
    spf_arena_t *arena;
    spf_walk_question_t question;
    spf_policy_t *given;
    spf_walk_node_t *root;
    size_t nodes;
    size_t record_octets;
    TAILQ_HEAD(spf_walk_tasks, spf_walk_task) tasks;

    spf_query_t *queries; /* all that were ever wanted, in order */
    spf_query_t *last_query;
    spf_query_t *next_wanted;
    const spf_query_t *first_open; /* all before it are settled */
    unsigned query_count;
    spf_query_t *nearby[SPF_NEARBY_COUNT];
    spf_query_t *dmarc[SPF_DMARC_NAMES_MAX]; /* the domain's own first */

    bool is_expired;
    bool is_done;
    bool is_out_of_memory;
    spf_tree_t *tree;
};

/* walk.c: the answer to a question of a walk that is done; NULL if there is no question. */
const spf_answer_t *spf_walk_answer(const spf_query_t *query);
/* view.c: what is there for people; false without memory. */
bool spf_walk_view(spf_walk_t *walk, spf_tree_t *tree);
/* count.c: the counters of a tree whose views are made otherwise. */
void spf_tree_count(spf_tree_t *tree);

#endif
