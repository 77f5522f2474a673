/* SPDX-License-Identifier: MIT */
/* The inside of the evaluator, shared by its source files and nobody else. */
#ifndef SPF_CORE_EVAL_IMPL_H
#define SPF_CORE_EVAL_IMPL_H

#include "core/eval.h"
#include "syntax/macro.h"

/* What judging a term, or a part of that, came to. */
typedef enum spf_judgement {
    SPF_JUDGE_READY, /* a part is done: go on with the term */
    SPF_JUDGE_WAIT,  /* an answer is missing: judge again when it is there */
    SPF_JUDGE_MATCH,
    SPF_JUDGE_NO_MATCH,
    SPF_JUDGE_MOVED,  /* the top frame is another one now */
    SPF_JUDGE_DECIDED /* the check is decided, or out of memory */
} spf_judgement_t;

/* What an include's own check_host() came to. */
typedef enum spf_inner { SPF_INNER_OPEN, SPF_INNER_PASS, SPF_INNER_OTHER } spf_inner_t;

/* One check_host() in progress, and the state of the term that it is at. */
typedef struct spf_frame {
    struct spf_frame *outer; /* the frame whose include this is; NULL for the outermost */
    struct spf_frame *spare; /* an inner frame popped before, to be used again */
    unsigned depth;
    const char *domain;
    size_t domain_length;
    const spf_policy_t *policy; /* NULL until it is there; the query or the question holds the reference */
    const spf_record_t *record; /* the policy's */
    uint32_t index;             /* of the term; term_count: at the redirect */
    /* of the term at index: */
    bool is_begun;      /* counted against the limit */
    bool has_target;    /* target is settled */
    const char *target; /* the DNS name; NULL: what it expanded to is none */
    size_t target_length;
    bool is_unmatchable; /* it uses a local part that is not ASCII (RFC 8616 section 4) */
    bool void_is_counted;
    spf_inner_t inner;
    spf_counted_t *counted;
    spf_step_t *step;
} spf_frame_t;

/* Everything that the verdict reports as counted: frozen when a would-be evaluation goes on after a permerror. */
typedef struct spf_tally {
    unsigned lookups;
    unsigned void_lookups;
    unsigned counted;
    unsigned compared;
    int64_t ttl_s;
    bool has_insecure;
    bool has_answer;
} spf_tally_t;

struct spf_eval {
    spf_arena_t *arena;
    spf_question_t question;
    spf_macro_values_t values;
    bool sender_is_ascii; /* its local part */
    uint16_t address_type;
    spf_frame_t *top;

    bool is_decided; /* the finding stands; perhaps the explanation is still to be fetched */
    bool is_done;
    bool is_expired;
    bool is_prefetching; /* the driver lets it ask ahead: hosts and names are asked all at once */
    bool is_out_of_memory;
    bool is_frozen; /* a permerror stands, the would-be evaluation goes on */
    bool has_would_be;
    spf_result_t would_be;

    spf_query_t *queries; /* all that were ever wanted, in order */
    spf_query_t *last_query;
    spf_query_t *next_wanted;
    unsigned asked;
    unsigned ahead; /* wanted ahead and not (yet) demanded */

    spf_tally_t tally;
    spf_tally_t frozen;
    spf_counted_t counted[SPF_LOOKUPS_MAX + 1]; /* the last is that of the term at hand, past all that are recorded */
    spf_finding_t finding;
    const char *passed_domain; /* the innermost term that passed, for a match through includes */
    const spf_record_t *passed_record;
    int32_t passed_term;
    const char *via; /* the MX host or PTR name that matched last */

    const char *explanation;
    bool is_default_explanation;
    spf_step_t **steps; /* the trace */
    size_t step_count;
    size_t step_room;
};

/* eval.c */
spf_judgement_t spf_eval_raise(spf_eval_t *eval, spf_frame_t *frame, spf_result_t result, spf_cause_t cause);
spf_judgement_t spf_eval_raise_dns(spf_eval_t *eval, spf_frame_t *frame, const spf_query_t *query);
spf_judgement_t spf_eval_nomem(spf_eval_t *eval);
bool spf_eval_push(spf_eval_t *eval, const char *domain, size_t domain_length);
void spf_eval_enter(spf_eval_t *eval, spf_frame_t *frame, const char *domain, size_t domain_length,
                    const spf_policy_t *policy);
void spf_eval_term_reset(spf_frame_t *frame);

/* eval_terms.c */
spf_judgement_t spf_eval_judge(spf_eval_t *eval, spf_frame_t *frame);
spf_judgement_t spf_eval_redirect(spf_eval_t *eval, spf_frame_t *frame);
/* Whether one of the addresses in an answer matches the term; *judged: up to and with which. */
bool spf_eval_address_matches(const spf_eval_t *eval, const spf_answer_t *answer, const spf_term_t *term,
                              uint32_t *judged);
bool spf_eval_is_network(const spf_term_t *term);
/* The first term of the run of networks that starts at frame's term which matches, or its end. */
uint32_t spf_eval_scan_networks(const spf_eval_t *eval, const spf_record_t *record, uint32_t index, unsigned *compared);

/* eval_target.c */
typedef enum spf_target_status {
    SPF_TARGET_NAME,
    SPF_TARGET_BAD,         /* no DNS name */
    SPF_TARGET_UNMATCHABLE, /* RFC 8616 section 4 */
    SPF_TARGET_WAIT         /* %{p} is not known yet */
} spf_target_status_t;
spf_target_status_t spf_eval_expand_target(spf_eval_t *eval, const char *domain, size_t domain_length,
                                           const spf_record_t *record, const spf_term_t *term, bool may_ask,
                                           spf_name_t *name);
/* How close a PTR name must be to the domain to be taken. */
typedef enum spf_closeness { SPF_CLOSE_SAME, SPF_CLOSE_WITHIN, SPF_CLOSE_ANY } spf_closeness_t;
/* The best validated name of the client up to that closeness, section 5.5: MATCH, NO_MATCH or WAIT. *tried: how many
 * names were looked up on the way. */
spf_judgement_t spf_eval_validated_name(spf_eval_t *eval, const char *domain, size_t domain_length,
                                        spf_closeness_t closeness, const char **name, unsigned *tried);
/* Sets the values of the macros that depend on where they stand, d and p. False: p is not known yet. */
bool spf_eval_set_macro_values(spf_eval_t *eval, const char *domain, size_t domain_length, bool needs_validated,
                               bool may_ask);
/* The question for the client's PTR records; NULL without memory. */
spf_query_t *spf_eval_want_ptr(spf_eval_t *eval, bool is_demanded);

/* eval_query.c */
/* The query for that name and type, a new one if there is none yet. Demanded queries are those that evaluation in
 * order got to; others are asked ahead, as far as the credit goes. NULL: no memory (recorded), or no credit. */
spf_query_t *spf_eval_want(spf_eval_t *eval, const char *name, size_t name_length, uint16_t type, bool is_policy,
                           bool is_demanded);
/* Its answer, used in order, so it counts for the TTL and DNSSEC; NULL: not there yet. */
const spf_answer_t *spf_eval_use(spf_eval_t *eval, spf_query_t *query);
/* Its answer if it has one; nothing is counted. */
const spf_answer_t *spf_eval_peek(const spf_query_t *query);
/* Everything that is still open was asked for what is decided now. */
void spf_eval_unneed_all(spf_eval_t *eval);

/* explain.c: fetches and expands the explanation; true when that is over. */
bool spf_eval_explain(spf_eval_t *eval);

/* trace.c: all do nothing unless a trace is wanted and the finding is not frozen. */
/* query: the question for the record, or NULL if it was not asked. */
void spf_trace_record(spf_eval_t *eval, const spf_frame_t *frame, spf_outcome_t outcome, const spf_query_t *query);
void spf_trace_begin(spf_eval_t *eval, spf_frame_t *frame, const spf_term_t *term);
void spf_trace_target(spf_eval_t *eval, spf_step_t *step, const char *name, size_t length);
void spf_trace_answer(spf_eval_t *eval, spf_step_t *step, const spf_query_t *query);
void spf_trace_note(spf_eval_t *eval, spf_step_t *step, const char *what, const char *name, const char *rest);
void spf_trace_end(spf_eval_t *eval, spf_frame_t *frame, spf_outcome_t outcome);

#endif
