/* SPDX-License-Identifier: MIT */
/*
 * A policy that is being written: sets of addresses and terms in the order in which they decide, and what becomes of
 * mail that none of them decides. Settled, it is as short as its order allows.
 */
#ifndef SPF_TOOLS_PLAN_H
#define SPF_TOOLS_PLAN_H

#include "syntax/record.h"
#include "tools/addresses.h"

typedef struct spf_plan_item {
    struct spf_plan_item *next;
    uint8_t result;   /* spf_result_t */
    uint8_t kind;     /* spf_term_kind_t, of a term */
    bool is_bound;    /* of a term: in another domain's record it would mean something else */
    const char *term; /* without its qualifier; NULL: addresses */
    unsigned lookups; /* that the term takes */
    const char *why;  /* it stays, or NULL; flatten's */

    spf_addresses_t addresses; /* as they were written */
    spf_addresses_t own;       /* settled: those of them that no addresses before it decide */
    spf_network_t *networks;   /* settled: the fewest that decide them */
    size_t network_count;
} spf_plan_item_t;

typedef struct spf_plan {
    spf_arena_t *arena;
    spf_plan_item_t *first;
    bool has_all;
    uint8_t otherwise;    /* what all gives; neutral without one (RFC 7208 section 4.7) */
    const char *redirect; /* the whole modifier, or NULL */
    unsigned redirect_lookups;
    const char *redirect_why; /* as an item's */
    bool is_out_of_memory;    /* its own; see spf_plan_is_out_of_memory() */
} spf_plan_t;

void spf_plan_init(spf_plan_t *plan, spf_arena_t *arena);
/* Frees what is not in the arena; the plan is empty then. */
void spf_plan_clear(spf_plan_t *plan);
bool spf_plan_is_out_of_memory(const spf_plan_t *plan);

/* The item at the end; NULL: the plan is empty. */
spf_plan_item_t *spf_plan_last(const spf_plan_t *plan);
/* The set at the end of the plan to which addresses with this result go; NULL without memory. */
spf_addresses_t *spf_plan_addresses(spf_plan_t *plan, spf_result_t result);
/* A term at the end; its text is not copied. NULL without memory. */
spf_plan_item_t *spf_plan_add_term(spf_plan_t *plan, spf_result_t result, spf_term_kind_t kind, const char *term,
                                   unsigned lookups);

typedef enum spf_plan_order {
    SPF_PLAN_TERMS_STAY, /* no addresses change places with a term; the all may be another one, if that is shorter */
    SPF_PLAN_SORTED      /* where the verdict is the same: addresses first, then terms by what they cost */
} spf_plan_order_t;

/* Merges what may be merged, drops what cannot decide anything, and finds the fewest networks. */
void spf_plan_settle(spf_plan_t *plan, spf_plan_order_t order);

/* The character before a term with this result, '\0' for pass. */
char spf_plan_qualifier(spf_result_t result);

#endif
