/* SPDX-License-Identifier: MIT */
/*
 * check_host() as an explicit machine (RFC 7208 section 4). Sans-I/O: it wants answers to questions, eats them, and
 * never sees a socket or a clock. Any driver runs it:
 *
 *     while (spf_eval_step(eval) == SPF_EVAL_WAIT) {
 *         ask all that spf_eval_next_wanted(eval) gives; if an answer is there at once, step again
 *         spf_eval_prefetch(eval); ask what it wants ahead
 *         wait until one of the questions is answered
 *     }
 *
 * Nothing is kept in locals across a wait, and nothing recurses: an include pushes a frame, a redirect replaces one,
 * the budget of lookups bounds the stack. Answers are judged strictly in the order of the terms, so what was asked
 * ahead never changes a verdict.
 */
#ifndef SPF_CORE_EVAL_H
#define SPF_CORE_EVAL_H

#include "base/ip.h"
#include "base/name.h"
#include "core/query.h"

/* RFC 7208 section 4.6.4. */
enum { SPF_LOOKUPS_MAX = 10, SPF_HOSTS_MAX = 10 };

typedef struct spf_limits {
    unsigned lookups; /* terms that need DNS; without prefetch it may be more than SPF_LOOKUPS_MAX: those are recorded */
    unsigned void_lookups;
    unsigned mx_hosts;  /* at most SPF_HOSTS_MAX */
    unsigned ptr_names; /* at most SPF_HOSTS_MAX */
} spf_limits_t;

/* What is asked. Texts must outlive the evaluation. */
typedef struct spf_question {
    spf_ip_t ip;
    spf_name_t domain;  /* <domain>: length 0 if it is no domain at all */
    const char *sender; /* <sender>: local-part@domain, domain as A-labels */
    size_t sender_length;
    size_t local_length; /* octets before its last '@' */
    const char *helo;
    size_t helo_length;
    const char *receiver;
    size_t receiver_length;
    const char *default_explanation; /* or NULL */
    size_t default_explanation_length;
    spf_policy_t *given; /* evaluate this instead of asking for the domain's; or NULL */
    uint64_t time_s;     /* for %{t} */
    spf_limits_t limits;
    bool wants_trace;
    bool wants_would_be;
} spf_question_t;

/* One term that was counted against the limit of 10. */
typedef struct spf_counted {
    const char *domain; /* in whose record it stands */
    const spf_record_t *record;
    uint32_t term;
    const char *target; /* the name it asked for; NULL if it expanded to no DNS name */
    bool is_void;
    uint8_t dns_queries;
} spf_counted_t;

/* The result and the facts its reason is made of. Texts live in the arena; the record while the machine does. */
typedef struct spf_finding {
    spf_result_t result;
    spf_cause_t cause;
    const char *domain;         /* whose record decided; the checked domain where there is none */
    const spf_record_t *record; /* or NULL */
    int32_t term;               /* the term that decided, or SPF_NO_TERM */
    const char *target;         /* DNS name the term or the failed question was about, or NULL */
    uint16_t type;              /* DNS type of the question that failed, 0 if none did */
    const char *detail;         /* of the DNS failure ("SERVFAIL"), or NULL */
    uint32_t count;  /* several-records: how many; mx-limit: how many hosts; no-record: 0 without any TXT record */
    const char *via; /* mx, ptr: the host whose address matched; or NULL */
    const char *include_domain; /* an include matched: the domain of the record inside which a term passed; or NULL */
    const spf_record_t *include_record; /* that record */
    int32_t include_term;               /* the term in there that passed, or SPF_NO_TERM */
} spf_finding_t;

typedef struct spf_eval spf_eval_t;

typedef enum spf_eval_status {
    SPF_EVAL_WAIT, /* some answer is missing */
    SPF_EVAL_DONE, /* spf_eval_finding() is there */
    SPF_EVAL_NOMEM
} spf_eval_status_t;

/* Makes a machine in the arena; the question is copied, its texts are not. NULL without memory. */
spf_eval_t *spf_eval_new(spf_arena_t *arena, const spf_question_t *question);
/* Gives back what is not in the arena (references to policies). NULL is ignored. */
void spf_eval_drop(spf_eval_t *eval);

/* Goes on as far as the answers reach. */
spf_eval_status_t spf_eval_step(spf_eval_t *eval);
/* While it waits: wants ahead what the rest of the evaluation may need. */
spf_eval_status_t spf_eval_prefetch(spf_eval_t *eval);
/* The next question to ask, now taken as asked; NULL when there is none. */
spf_query_t *spf_eval_next_wanted(spf_eval_t *eval);
/* The next question that is asked and no longer needed, now taken as dropped: cancel it. NULL when there is none. */
spf_query_t *spf_eval_next_unneeded(spf_eval_t *eval);
/* Nobody wants the result any more: everything that is asked is unneeded now. */
void spf_eval_abort(spf_eval_t *eval);
/* The time is over: whatever is still missing counts as a timeout, and the next step is done. */
void spf_eval_expire(spf_eval_t *eval);

/* Once done. */
const spf_finding_t *spf_eval_finding(const spf_eval_t *eval);
/* The explanation (RFC 7208 section 6.2): printable ASCII, NULL if there is none. */
const char *spf_eval_explanation(const spf_eval_t *eval);
/* Whether that is the question's default, not the domain's own. */
bool spf_eval_is_default_explanation(const spf_eval_t *eval);
/* The terms counted, in order, and how many lookups were counted (one more than recorded when the limit was hit). */
const spf_counted_t *spf_eval_counted(const spf_eval_t *eval, unsigned *recorded);
unsigned spf_eval_lookups(const spf_eval_t *eval);
unsigned spf_eval_void_lookups(const spf_eval_t *eval);
/* Questions taken by spf_eval_next_wanted(). */
unsigned spf_eval_queries(const spf_eval_t *eval);
/* Lowest TTL of the answers that evaluation in order used, -1 if none. */
int64_t spf_eval_ttl_s(const spf_eval_t *eval);
spf_dnssec_t spf_eval_dnssec(const spf_eval_t *eval);
/* Networks and host addresses that the client was compared with. */
unsigned spf_eval_compared(const spf_eval_t *eval);
/* Whether a would-be result was reached, and which. */
bool spf_eval_would_be(const spf_eval_t *eval, spf_result_t *result);
/* The trace; NULL past its last step. */
const spf_step_t *spf_eval_trace_step(const spf_eval_t *eval, size_t index);

#endif
