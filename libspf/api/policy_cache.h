/* SPDX-License-Identifier: MIT */
/*
 * Compiled records that are kept: what a domain publishes, by its name, for the answer's TTL; and records by their
 * text, so that one that is published at many names, or published again, is compiled once. DNS answers themselves are
 * libunbound's to cache. Least recently used first out, under a cap of octets. Not thread-safe: its engine's lock is.
 */
#ifndef SPF_API_POLICY_CACHE_H
#define SPF_API_POLICY_CACHE_H

#include "core/query.h"

typedef struct spf_policy_cache spf_policy_cache_t;

/* NULL without memory. A cap of 0 keeps nothing. */
spf_policy_cache_t *spf_policy_cache_new(uint64_t max_bytes);
void spf_policy_cache_free(spf_policy_cache_t *cache);

/* Answers a policy question from what is kept. False: it has to be asked. */
bool spf_policy_cache_answer(spf_policy_cache_t *cache, spf_query_t *query, uint64_t now_us);
/* Makes the policy of a question that DNS answered, and keeps it. Without memory the question says so. */
void spf_policy_cache_compile(spf_policy_cache_t *cache, spf_query_t *query, uint64_t now_us);

/* Octets and entries held. */
uint64_t spf_policy_cache_bytes(const spf_policy_cache_t *cache);
size_t spf_policy_cache_entries(const spf_policy_cache_t *cache);

#endif
