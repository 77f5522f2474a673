/* SPDX-License-Identifier: MIT */
/* The tree that a survey found, as text, JSON and a graph. All return NULL only without memory. */
#ifndef SPF_REPORT_TREE_H
#define SPF_REPORT_TREE_H

#include "base/ip.h"
#include "tools/lint.h"

/* style: SPF_TEXT_... */
const char *spf_report_tree_text(spf_arena_t *arena, const spf_tree_t *tree, unsigned style);
const char *spf_report_tree_json(spf_arena_t *arena, const spf_tree_t *tree, const spf_lint_t *lint);
const char *spf_report_tree_dot(spf_arena_t *arena, const spf_tree_t *tree);

/* What a node came to, where that is no record: "NXDOMAIN: there is no such domain". Static, or of the node. */
const char *spf_report_node_lack(const spf_node_t *node);

#endif
