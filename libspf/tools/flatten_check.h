/* SPDX-License-Identifier: MIT */
/* Which records of a tree are to be flattened, and whether they can be: all answers there, and nothing wrong. */
#ifndef SPF_TOOLS_FLATTEN_CHECK_H
#define SPF_TOOLS_FLATTEN_CHECK_H

#include "base/name.h"
#include "tools/tree.h"

/* A domain whose includes and redirects stay. */
typedef struct spf_flatten_keep {
    spf_name_t name;
    bool is_found;
} spf_flatten_keep_t;

typedef struct spf_flatten_check {
    bool *is_live;     /* for each node: some mail gets to it, and its record is to be taken apart */
    unsigned *lookups; /* for each node: the terms in it and below that need DNS, for a mail that matches none */
    spf_flatten_keep_t *keep;
    size_t keep_count;
} spf_flatten_check_t;

/* The options with defaults for what is not set, or not known to the caller's version of them. */
spf_flatten_options_t spf_flatten_known_options(const spf_flatten_options_t *options);
/* Whether they can be used, whatever the tree. SPF_OK; SPF_EINVAL with a sentence in error; SPF_ENOMEM. */
spf_err_t spf_flatten_check_options(const spf_flatten_options_t *options, spf_buf_t *error);
/* SPF_OK; SPF_EINVAL: a sentence in error tells what stands against it; SPF_ENOMEM. */
spf_err_t spf_flatten_check(spf_flatten_check_t *check, spf_arena_t *arena, const spf_tree_t *tree,
                            const spf_flatten_options_t *options, spf_buf_t *error);
/* Whether the term leads to a domain that is to be kept. */
bool spf_flatten_is_kept(const spf_flatten_check_t *check, const spf_tree_term_t *term);
/* Whether some mail gets to the term: no all stands before it, nor beside a redirect (RFC 7208 sections 5.1 and 6.1).
 */
bool spf_flatten_is_reached(const spf_record_t *record, uint32_t index);
/* The index of a node; the number of nodes for NULL. */
size_t spf_flatten_index(const spf_tree_t *tree, const spf_tree_node_t *node);

#endif
