/* SPDX-License-Identifier: MIT */
/* A settled plan as TXT records: one, or several that it includes, each small enough for a DNS answer. */
#ifndef SPF_TOOLS_PACK_H
#define SPF_TOOLS_PACK_H

#include "core/eval.h"
#include "tools/draft.h"
#include "tools/plan.h"

typedef struct spf_pack_options {
    const char *prefix;      /* of the names of further records; NULL: everything goes into one, however long */
    size_t answer_max;       /* octets of a DNS answer */
    const char *const *tail; /* modifiers that stand at the end */
    size_t tail_count;
    bool (*is_taken)(void *user_data, const char *name); /* whether a name is somebody else's; or NULL */
    void *user_data;
} spf_pack_options_t;

/*
 * Adds the records to the draft, whose domain names them, and counts its lookups. SPF_EINVAL with a sentence in error:
 * it does not go into records of that size, or would take more than ten lookups; SPF_ENOMEM.
 */
spf_err_t spf_pack(spf_draft_t *draft, const spf_plan_t *plan, const spf_pack_options_t *options, spf_buf_t *error);

#endif
