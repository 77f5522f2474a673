/* SPDX-License-Identifier: MIT */
/* The proof that records say what a tree says: the evaluator judges both, for the edges of every network. */
#ifndef SPF_TOOLS_PROVE_H
#define SPF_TOOLS_PROVE_H

#include "tools/draft.h"
#include "tools/tree.h"

/*
 * Evaluates the tree's first record, its limits lifted, and the draft, for the first and the last address of every
 * network that either names, those beside them, and the ends of both families. What depends on the mail is answered
 * alike for both: nothing matches, everything does, and mixtures. SPF_EINVAL with a sentence in error if they differ,
 * or there are too many networks; SPF_ENOMEM.
 */
spf_err_t spf_prove(const spf_tree_t *tree, const spf_draft_t *draft, spf_buf_t *error);

#endif
