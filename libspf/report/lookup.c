/* SPDX-License-Identifier: MIT */
#include "report/report.h"

const spf_lookup_t *spf_report_lookup(spf_arena_t *arena, const spf_counted_t *counted)
{
    const spf_term_t *term = &counted->record->terms[counted->term];
    spf_lookup_t *lookup = spf_arena_calloc(arena, sizeof(*lookup));
    char *text = spf_arena_alloc(arena, (size_t)term->length + 1);
    spf_buf_t buf;

    if (lookup == NULL || text == NULL)
        return NULL;
    spf_buf_init(&buf, text, (size_t)term->length + 1);
    spf_buf_add_printable(&buf, counted->record->text + term->offset, term->length, true);
    lookup->domain = counted->domain;
    lookup->term = text;
    lookup->target = counted->target;
    lookup->is_void = counted->is_void;
    lookup->dns_queries = counted->dns_queries;
    return lookup;
}
