/* SPDX-License-Identifier: MIT */
/* Lint: what is wrong with a record, or could be better, found in the tree that a walk left. It asks nothing. */
#ifndef SPF_TOOLS_LINT_H
#define SPF_TOOLS_LINT_H

#include "tools/tree.h"

typedef struct spf_lint {
    const spf_remark_t *remarks; /* errors first, then as they stand in the tree */
    size_t count;
    const char *fixed; /* see spf_survey_fixed_record() */
    size_t fixed_length;
} spf_lint_t;

/* All remarks about a finished tree, made in the arena, which must live as long. NULL only without memory. */
const spf_lint_t *spf_lint_tree(spf_arena_t *arena, const spf_tree_t *tree);

#endif
