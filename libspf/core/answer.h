/* SPDX-License-Identifier: MIT */
/* What DNS said, typed: the evaluator's input. Lives in the arena of its check. */
#ifndef SPF_CORE_ANSWER_H
#define SPF_CORE_ANSWER_H

#include "spf_resolver.h"

/* Octets with a length: a TXT record's joined strings, or a host's name. */
typedef struct spf_text {
    const char *data;
    uint32_t length;
} spf_text_t;

typedef struct spf_answer {
    spf_dns_status_t status;
    spf_dnssec_t dnssec;
    uint32_t ttl_s;
    uint32_t count;           /* records of the type asked for */
    const uint8_t *addresses; /* A, AAAA: count times 4 or 16 octets */
    const spf_text_t *texts;  /* TXT: texts; MX, PTR: host names, length 0 for the root */
    const char *detail;       /* about a failure: "SERVFAIL"; NULL if there is nothing to say */
} spf_answer_t;

/* NXDOMAIN, or NOERROR without data (RFC 7208 section 4.6.4). */
static inline bool spf_answer_is_void(const spf_answer_t *answer)
{
    return answer->status == SPF_DNS_NXDOMAIN || (answer->status == SPF_DNS_ANSWER && answer->count == 0);
}

/* Whether there is neither data nor a definite "no". */
static inline bool spf_answer_is_failure(const spf_answer_t *answer)
{
    return answer->status != SPF_DNS_ANSWER && answer->status != SPF_DNS_NXDOMAIN;
}

#endif
