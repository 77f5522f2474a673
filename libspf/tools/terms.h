/* SPDX-License-Identifier: MIT */
/* Terms written anew, without their qualifier, in one way for all that mean the same. */
#ifndef SPF_TOOLS_TERMS_H
#define SPF_TOOLS_TERMS_H

#include "syntax/record.h"
#include "tools/addresses.h"

/* The name of a kind as records write it, static. */
const char *spf_term_kind_name(spf_term_kind_t kind);

/* Whether it counts among those that are limited to ten (RFC 7208 section 4.6.4). */
bool spf_term_needs_dns(const spf_term_t *term);

/* The network of an ip4 or ip6 term. */
spf_network_t spf_term_network(const spf_record_t *record, const spf_term_t *term);

/*
 * The term as it means the same anywhere: with `domain` in place of %{d} and where the term names none; NULL: as it
 * means the same in a record of the same domain. Lives in the arena. NULL without memory, and then *is_bound is false;
 * or because the term has a macro that depends on the record's domain in another way: *is_bound.
 */
const char *spf_term_text(spf_arena_t *arena, const spf_record_t *record, const spf_term_t *term, const char *domain,
                          bool *is_bound);
/* "include:NAME", "redirect=NAME", "a:NAME", ...: the same from a DNS name; *is_bound: it cannot stand in a record. */
const char *spf_term_text_of_name(spf_arena_t *arena, spf_term_kind_t kind, const char *name, bool *is_bound);

#endif
