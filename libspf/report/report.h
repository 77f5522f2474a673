/* SPDX-License-Identifier: MIT */
/* The words about a check: made from its facts, stored in its arena. All return NULL only without memory. */
#ifndef SPF_REPORT_REPORT_H
#define SPF_REPORT_REPORT_H

#include "base/arena.h"
#include "core/eval.h"

/* The one-sentence why; see spf_verdict_t. The machine is done. */
const char *spf_report_reason(spf_arena_t *arena, const spf_question_t *question, const spf_eval_t *eval);

const char *spf_report_received_spf(spf_arena_t *arena, const spf_verdict_t *verdict, spf_fold_t fold);
/* authserv_id false: the resinfo alone, "spf=pass ...". */
const char *spf_report_authentication_results(spf_arena_t *arena, const spf_verdict_t *verdict, spf_fold_t fold,
                                              bool authserv_id);
const spf_smtp_reply_t *spf_report_smtp_reply(spf_arena_t *arena, const spf_verdict_t *verdict);
const char *spf_report_trace_text(spf_arena_t *arena, const spf_eval_t *eval);
/* The counted term as the public view. */
const spf_lookup_t *spf_report_lookup(spf_arena_t *arena, const spf_counted_t *counted);
const char *spf_report_json(spf_arena_t *arena, const spf_verdict_t *verdict, const spf_eval_t *eval);

#endif
