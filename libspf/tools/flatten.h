/* SPDX-License-Identifier: MIT */
/* Flatten: a tree of records made into few that give every client address the same verdict. */
#ifndef SPF_TOOLS_FLATTEN_H
#define SPF_TOOLS_FLATTEN_H

#include "tools/draft.h"
#include "tools/tree.h"

/* See spf_survey_flatten(). SPF_OK; SPF_EINVAL with a sentence in error; SPF_ENOMEM. */
spf_err_t spf_flatten(spf_draft_t **draft, const spf_tree_t *tree, const spf_flatten_options_t *options,
                      spf_buf_t *error);

#endif
