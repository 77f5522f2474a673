/* SPDX-License-Identifier: MIT */
#ifndef SPF_REPORT_ADVICE_H
#define SPF_REPORT_ADVICE_H

#include "base/arena.h"
#include "spf_tools.h"

/* What the verdict means and what can be done about it, and how it compares with what a header said (NULL: nothing).
 * NULL only without memory. */
const char *spf_report_advice(spf_arena_t *arena, const spf_verdict_t *verdict, const spf_evidence_item_t *then);

#endif
