/* SPDX-License-Identifier: MIT */
/*
 * What a walk (tools/walk.h) found: the tree of records that a domain's record leads to. Lives in the walk's arena.
 * The public views come first in each struct; what only the tools read stands behind them.
 */
#ifndef SPF_TOOLS_TREE_H
#define SPF_TOOLS_TREE_H

#include "base/arena.h"
#include "core/eval.h"
#include "spf_tools.h"

/* A host of an mx. Its answers are NULL where nobody was asked: its name is none (a null MX). */
typedef struct spf_tree_host {
    const char *name;      /* a DNS name, NUL-terminated; NULL: it is none */
    const spf_answer_t *a; /* what was not answered in time has SPF_DNS_TIMEOUT, here and everywhere */
    const spf_answer_t *aaaa;
} spf_tree_host_t;

typedef struct spf_tree_term {
    const spf_term_t *term;       /* in the node's record */
    const char *name;             /* view.target as it goes to DNS: any octets but NUL in its labels; or NULL */
    const spf_answer_t *own;      /* to its own question: A (of a: see own6), MX, TXT; NULL if it was not asked */
    const spf_answer_t *own6;     /* of a: AAAA, own being A */
    const spf_tree_host_t *hosts; /* of an mx: own->count of them; NULL of one with too many hosts */
    const spf_answer_t *other; /* within SPF_SURVEY_NEARBY, of an include without a record: A of its target; of an a or
                                  mx that is void, and of an exp: TXT of its target; else NULL */
    const struct spf_tree_node *child;
} spf_tree_term_t;

typedef struct spf_tree_node {
    spf_node_t view;            /* first: a spf_node_t * is one of these */
    size_t index;               /* in the tree's nodes */
    const char *name;           /* view.domain as it goes to DNS */
    const spf_record_t *record; /* compiled; also of a record with syntax errors; NULL without one, and for several */
    const spf_answer_t *txt;    /* all TXT records of the name; NULL if a record was given, or none was answered */
    spf_tree_term_t *terms;     /* as view.terms, record->term_count of them */
} spf_tree_node_t;

/* X(enumerator, prefix, type): what is asked beside the records within SPF_SURVEY_NEARBY; the prefix goes before the
 * domain. Names other than the domain itself are asked only if it has no record. */
#define SPF_NEARBY_MAP(X)                                                                                              \
    X(SPF_NEARBY_TXT, "", SPF_TYPE_TXT) /* with a record given: what the domain publishes beside it */                 \
    X(SPF_NEARBY_TYPE99, "", SPF_TYPE_SPF)                                                                             \
    X(SPF_NEARBY_MX, "", SPF_TYPE_MX)                                                                                  \
    X(SPF_NEARBY_SPF, "spf.", SPF_TYPE_TXT)                                                                            \
    X(SPF_NEARBY_UNDERSCORE_SPF, "_spf.", SPF_TYPE_TXT)                                                                \
    X(SPF_NEARBY_WWW, "www.", SPF_TYPE_TXT)                                                                            \
    X(SPF_NEARBY_TWICE, NULL, SPF_TYPE_TXT) /* example.com.example.com: a zone-file name without its last dot */

typedef enum spf_nearby_kind {
#define SPF_X(name, prefix, type) name,
    SPF_NEARBY_MAP(SPF_X)
#undef SPF_X
        SPF_NEARBY_COUNT
} spf_nearby_kind_t;

typedef struct spf_nearby {
    const char *name;           /* what was asked; NULL if it was not */
    const spf_answer_t *answer; /* NULL if there was none */
} spf_nearby_t;

typedef struct spf_tree {
    spf_arena_t *arena;
    const char *domain;     /* "" if none was given */
    bool is_given;          /* the first record is the caller's text, not what DNS says */
    const char *given_text; /* as the caller wrote it: quoted strings, if so */
    size_t given_length;
    unsigned scope;          /* SPF_SURVEY_... */
    spf_tree_node_t **nodes; /* each before what it leads to, as terms come, a redirect where it stands */
    size_t node_count;
    spf_nearby_t nearby[SPF_NEARBY_COUNT];
    spf_nearby_t dmarc;  /* the nearest _dmarc record, the domain's own or a parent's; answer NULL: none found; a
                            failure: nobody knows */
    spf_limits_t limits; /* of the configuration */
    spf_survey_summary_t summary;
} spf_tree_t;

#endif
