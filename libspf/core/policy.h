/* SPDX-License-Identifier: MIT */
/*
 * What a domain publishes: the outcome of RFC 7208 sections 4.4 and 4.5 for one domain, with the compiled record.
 * Immutable and reference-counted, so that it can be kept for its TTL and shared by checks and threads.
 */
#ifndef SPF_CORE_POLICY_H
#define SPF_CORE_POLICY_H

#include "core/answer.h"
#include "syntax/record.h"

#include <stdatomic.h>

typedef enum spf_policy_kind {
    SPF_POLICY_NO_DOMAIN, /* NXDOMAIN */
    SPF_POLICY_NONE,      /* no v=spf1 record */
    SPF_POLICY_RECORD,    /* exactly one */
    SPF_POLICY_SEVERAL    /* permerror */
} spf_policy_kind_t;

typedef struct spf_policy {
    atomic_uint references;
    spf_policy_kind_t kind;
    uint32_t record_count; /* v=spf1 records there are */
    bool is_void;          /* there was no TXT record at all (4.6.4) */
    spf_record_t *record;  /* for SPF_POLICY_RECORD, else NULL; one reference */
} spf_policy_t;

/* Where records already compiled may be found by their text; returns a new reference or NULL. */
typedef spf_record_t *(*spf_record_source_t)(void *source, const char *text, size_t length);

/* The policy in a TXT answer that is no failure; source may be NULL. NULL only without memory. */
spf_policy_t *spf_policy_from_answer(const spf_answer_t *answer, spf_record_source_t find, void *source);
/* A policy of one given record text, as if it had been published; anything but a record gives SPF_POLICY_NONE. */
spf_policy_t *spf_policy_from_text(const char *text, size_t length);
/* One reference more; one less. NULL is ignored. Thread-safe. */
spf_policy_t *spf_policy_ref(const spf_policy_t *policy);
void spf_policy_unref(const spf_policy_t *policy);

#endif
