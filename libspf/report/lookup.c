/* SPDX-License-Identifier: MIT */
#include "report/report.h"

#include <string.h>

/* A copy fit for people. NULL without memory. */
static const char *printable(spf_arena_t *arena, const char *text, size_t length)
{
    return spf_printable_copy(arena, text, length, true);
}

/* Names hold what the sender chose: any octets. */
const spf_lookup_t *spf_report_lookup(spf_arena_t *arena, const spf_counted_t *counted)
{
    const spf_term_t *term = &counted->record->terms[counted->term];
    const char *target = counted->target;
    spf_lookup_t *lookup = spf_arena_calloc(arena, sizeof(*lookup));

    if (lookup == NULL)
        return NULL;
    lookup->domain = printable(arena, counted->domain, strlen(counted->domain));
    lookup->term = printable(arena, counted->record->text + term->offset, term->length);
    lookup->target = target != NULL ? printable(arena, target, strlen(target)) : NULL;
    lookup->is_void = counted->is_void;
    lookup->dns_queries = counted->dns_queries;
    if (lookup->domain == NULL || lookup->term == NULL || (target != NULL && lookup->target == NULL))
        return NULL;
    return lookup;
}
