/* SPDX-License-Identifier: MIT */
/* One DNS question of a check: made by the evaluator, taken and answered by whoever drives it. */
#ifndef SPF_CORE_QUERY_H
#define SPF_CORE_QUERY_H

#include "base/arena.h"
#include "core/policy.h"

typedef enum spf_query_state {
    SPF_QUERY_WANTED,   /* nobody was asked yet */
    SPF_QUERY_ASKED,    /* the driver has it */
    SPF_QUERY_ANSWERED, /* answer (and policy) are set */
    SPF_QUERY_DROPPED   /* no longer needed before it was answered */
} spf_query_state_t;

struct spf_query {
    spf_query_t *next; /* in the order in which they were first wanted */
    const char *name;  /* a DNS name, see base/name.h; NUL-terminated too */
    uint8_t name_length;
    uint8_t state; /* spf_query_state_t */
    uint16_t type;
    bool is_policy;        /* a TXT question for a domain's record: answered by a policy */
    bool is_demanded;      /* evaluation in order got to it; otherwise it was only asked ahead */
    bool is_unneeded;      /* what it was asked for is decided: if it is still open, drop it */
    bool is_out_of_memory; /* its answer could not be stored: the check must end with SPF_ENOMEM */
    uint32_t room;         /* while the answer is built: how many records there is room for */
    spf_answer_t answer;
    spf_policy_t *policy; /* one reference, while state is SPF_QUERY_ANSWERED and the answer no failure */
    spf_arena_t *arena;   /* where the answer is stored */
    void *token;          /* the resolver's own */
    void (*answered)(spf_query_t *query); /* set by the driver: the answer has come */
    void *owner;                          /* the driver's own */
};

#endif
