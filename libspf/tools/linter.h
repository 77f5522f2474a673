/* SPDX-License-Identifier: MIT */
/* What the rules of lint share: the record in hand, and how to say something about it. */
#ifndef SPF_TOOLS_LINTER_H
#define SPF_TOOLS_LINTER_H

#include "tools/lint_codes.h"
#include "tools/tree.h"

typedef struct spf_lint_overlaps spf_lint_overlaps_t;

typedef struct spf_linter {
    spf_arena_t *arena;
    const spf_tree_t *tree;      /* NULL: there is no more than a record's text */
    const spf_tree_node_t *node; /* in hand; with tree NULL only its record is set */
    const spf_record_t *record;  /* of the node in hand */
    const char *text;            /* what offsets count in: the record's text, or one that was meant to be a record */
    size_t length;
    bool is_own;                   /* the domain's owner can change it; true without a tree */
    uint32_t all;                  /* index of the first all; term_count without one */
    uint32_t next_term;            /* terms before it are dealt with */
    spf_lint_overlaps_t *overlaps; /* lint_overlap.c's, of the record in hand; NULL: not looked for yet */
    spf_remark_t *remarks;
    size_t count, room;
    spf_remark_t spare; /* what is written into when there is no memory */
    bool failed;        /* there was none */
} spf_linter_t;

/* ---------------------------------------------------------------------------------------------------------- saying */

/* A remark about octets of the text in hand; it can be filled in further until the next one. Never NULL. Texts live in
 * the arena, or are static. */
spf_remark_t *spf_lint_add(spf_linter_t *linter, spf_lint_code_t code, size_t offset, size_t length,
                           const char *sentence, const char *fix);
/* The same about a whole term. */
spf_remark_t *spf_lint_add_term(spf_linter_t *linter, spf_lint_code_t code, const spf_term_t *term,
                                const char *sentence, const char *fix);
/* What to put in place of which octets of the text. */
void spf_lint_replace(spf_remark_t *remark, size_t offset, size_t length, const char *replacement);

/* Texts joined; NULL ends them. "" without memory. */
const char *spf_lint_join(spf_linter_t *linter, const char *const *parts);
#define SPF_SAY(linter, ...) spf_lint_join((linter), (const char *const[]){__VA_ARGS__, NULL})
/* Memory in the arena, and a NUL-terminated copy in it; NULL, noted, without memory. */
void *spf_lint_alloc(spf_linter_t *linter, size_t size);
char *spf_lint_copy(spf_linter_t *linter, const char *text, size_t length);
/* In quotes, printable, not too long. */
const char *spf_lint_quote(spf_linter_t *linter, const char *text, size_t length);
const char *spf_lint_quote_term(spf_linter_t *linter, const spf_term_t *term);
/* "192.0.2.0/24", "192.0.2.1" */
const char *spf_lint_network(spf_linter_t *linter, const spf_network_t *network);
const char *spf_lint_number(spf_linter_t *linter, uint64_t number);
/* "1 host", "2 hosts" */
const char *spf_lint_count(spf_linter_t *linter, uint64_t number, const char *noun);

/* -------------------------------------------------------------------------------------------------- about a record */

/* "v=spf1 " and the text as a record; its terms stand SPF_LINT_HEAD octets further on. NULL without memory. */
enum { SPF_LINT_HEAD = 7 };
spf_record_t *spf_lint_parse(spf_linter_t *linter, const char *text, size_t length);
/* Whether the text is terms without a syntax error. */
bool spf_lint_is_valid(spf_linter_t *linter, const char *text, size_t length);
/* Whether the text is one term that may have been meant: no syntax error, no unknown modifier, which nearly any text
 * with "=" is, and not "all" for "+all". */
bool spf_lint_is_term(spf_linter_t *linter, const char *text, size_t length);
/* Where the term's word begins: behind the qualifier. */
size_t spf_lint_word(const char *term, size_t length);

static inline bool spf_lint_is_network(const spf_term_t *term)
{
    return term->kind == SPF_TERM_IP4 || term->kind == SPF_TERM_IP6;
}

static inline bool spf_lint_is_mechanism(const spf_term_t *term)
{
    return term->kind <= SPF_TERM_EXISTS;
}

/* ----------------------------------------------------------------------------------------------------------- rules */

/* Rules about a term or, without index, about the record in hand. They say what they find. */
typedef void (*spf_lint_term_rule_t)(spf_linter_t *linter, uint32_t index);
typedef void (*spf_lint_node_rule_t)(spf_linter_t *linter);

/* lint_syntax.c */
void spf_lint_invalid(spf_linter_t *linter, uint32_t index);
/* lint_terms.c */
void spf_lint_qualifier(spf_linter_t *linter, uint32_t index);
void spf_lint_case(spf_linter_t *linter, uint32_t index);
void spf_lint_modifier(spf_linter_t *linter, uint32_t index);
void spf_lint_name(spf_linter_t *linter, uint32_t index);
void spf_lint_ptr(spf_linter_t *linter, uint32_t index);
void spf_lint_after_all(spf_linter_t *linter, uint32_t index);
void spf_lint_duplicate(spf_linter_t *linter, uint32_t index);
void spf_lint_version_case(spf_linter_t *linter);
void spf_lint_all(spf_linter_t *linter);
void spf_lint_redirect_with_all(spf_linter_t *linter);
void spf_lint_exp(spf_linter_t *linter);
/* lint_networks.c */
void spf_lint_host_bits(spf_linter_t *linter, uint32_t index);
void spf_lint_width(spf_linter_t *linter, uint32_t index);
void spf_lint_special_network(spf_linter_t *linter, uint32_t index);
/* lint_overlap.c */
void spf_lint_shadowed(spf_linter_t *linter, uint32_t index);
void spf_lint_mergeable(spf_linter_t *linter, uint32_t index);
/* lint_tree.c: with a tree only */
void spf_lint_term_limits(spf_linter_t *linter, uint32_t index);
void spf_lint_void(spf_linter_t *linter, uint32_t index);
void spf_lint_mx(spf_linter_t *linter, uint32_t index);
void spf_lint_idle_mx(spf_linter_t *linter, uint32_t index);
void spf_lint_target(spf_linter_t *linter, uint32_t index);
void spf_lint_failure(spf_linter_t *linter, uint32_t index);
void spf_lint_include(spf_linter_t *linter, uint32_t index);
void spf_lint_exp_target(spf_linter_t *linter, uint32_t index);
void spf_lint_several(spf_linter_t *linter);
void spf_lint_near_limit(spf_linter_t *linter);
void spf_lint_size(spf_linter_t *linter);
void spf_lint_dmarc(spf_linter_t *linter);
/* lint_nearby.c: about the domain as a whole, with a tree only */
void spf_lint_strings(spf_linter_t *linter);
void spf_lint_no_record(spf_linter_t *linter);
void spf_lint_nearby(spf_linter_t *linter);
/* The text with its version mended where that is certain; NULL: it looks like no record, is one, or cannot be mended.
 */
const char *spf_lint_mend_version(spf_linter_t *linter, const char *text, size_t length, size_t *mended_length);

#endif
