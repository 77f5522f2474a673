/* SPDX-License-Identifier: MIT */
#include "drafts.h"

#include <string.h>

enum { LOOKUPS_MAX = 10 };

/* ---------------------------------------------------------------------------------------------------------- printing
 */

static void print_notes(FILE *to, const spf_draft_t *draft)
{
    const char *note;

    for (size_t i = 0; (note = spf_draft_note(draft, i)) != NULL; i++)
        fprintf(to, "note: %s\n", note);
}

static bool leads_to_records(const spf_draft_t *draft)
{
    const char *text = spf_draft_record(draft, 0)->text;

    return strstr(text, "include:") != NULL || strstr(text, " redirect=") != NULL;
}

/* Each record with its size, what they cost, and how they stand in a zone. */
static bool print_text(FILE *to, spf_draft_t *draft, const draft_style_t *style)
{
    bool is_part = style->counts_own_only && leads_to_records(draft);
    const char *zone = spf_draft_zone(draft, style->ttl_s);
    const spf_draft_record_t *record;

    for (size_t i = 0; (record = spf_draft_record(draft, i)) != NULL; i++)
        fprintf(to, "%s%s%s\n", record->name, record->name[0] != '\0' ? ": " : "", record->text);
    fprintf(to, "lookups: %u of %d%s\n", spf_draft_lookups(draft), LOOKUPS_MAX,
            is_part ? ", not counting those of included records" : "");
    for (size_t i = 0; (record = spf_draft_record(draft, i)) != NULL; i++)
        fprintf(to, "octets of an answer%s%s: %u\n", record->name[0] != '\0' ? " for " : "", record->name,
                record->answer_octets);
    print_notes(to, draft);
    if (zone != NULL)
        fprintf(to, "\n%s\n", zone);
    return zone != NULL;
}

bool drafts_print(FILE *to, spf_draft_t *draft, const draft_style_t *style)
{
    const char *text = NULL;

    switch (style->format) {
    case DRAFT_ZONE:
        text = spf_draft_zone(draft, style->ttl_s);
        break;
    case DRAFT_JSON:
        text = spf_draft_json(draft);
        break;
    case DRAFT_NSUPDATE:
        text = spf_draft_nsupdate(draft, style->ttl_s, style->update_zone, style->server);
        break;
    default:
        return print_text(to, draft, style);
    }
    if (style->format != DRAFT_JSON)
        print_notes(stderr, draft);
    return text != NULL && fprintf(to, "%s\n", text) >= 0;
}

/* --------------------------------------------------------------------------------------------------------- comparing
 */

bool drafts_are_equal(const spf_draft_t *a, const spf_draft_t *b)
{
    for (size_t i = 0;; i++) {
        const spf_draft_record_t *x = spf_draft_record(a, i), *y = spf_draft_record(b, i);
        if (x == NULL || y == NULL)
            return x == y;
        if (strcmp(x->name, y->name) != 0 || strcmp(x->text, y->text) != 0)
            return false;
    }
}

/* A term of a record: what stands between spaces. */
typedef struct term {
    const char *text;
    size_t length;
} term_t;

/* The next term at or behind *at; false at the end. */
static bool next_term(const char *text, size_t *at, term_t *term)
{
    *at += strspn(text + *at, " ");
    *term = (term_t){text + *at, strcspn(text + *at, " ")};
    *at += term->length;
    return term->length > 0;
}

/* An include that only leads to a further record of the draft. */
static bool is_own_include(const spf_draft_t *draft, const term_t *term)
{
    const char *colon = memchr(term->text, ':', term->length);
    const spf_draft_record_t *record;
    size_t length = colon != NULL ? term->length - (size_t)(colon + 1 - term->text) : 0;

    for (size_t i = 1; colon != NULL && (record = spf_draft_record(draft, i)) != NULL; i++)
        if (strlen(record->name) == length && memcmp(record->name, colon + 1, length) == 0)
            return true;
    return false;
}

/* Whether the term says something of its own: not the version, nor the end of a further record. */
static bool is_telling(const spf_draft_t *draft, size_t index, size_t offset, const term_t *term)
{
    return offset > 0 && !(index > 0 && term->text[term->length] == '\0') && !is_own_include(draft, term);
}

static bool has_term(const spf_draft_t *draft, const term_t *wanted)
{
    const spf_draft_record_t *record;
    term_t term;

    for (size_t i = 0; (record = spf_draft_record(draft, i)) != NULL; i++)
        for (size_t at = 0; next_term(record->text, &at, &term);)
            if (term.length == wanted->length && memcmp(term.text, wanted->text, term.length) == 0)
                return true;
    return false;
}

/* The terms of one draft that another, or NULL, has not; returns how many. */
static unsigned print_missing(FILE *to, const char *verb, const spf_draft_t *of, const spf_draft_t *in)
{
    const spf_draft_record_t *record;
    unsigned count = 0;
    term_t term;

    for (size_t i = 0; (record = spf_draft_record(of, i)) != NULL; i++) {
        for (size_t at = 0; next_term(record->text, &at, &term);) {
            if (!is_telling(of, i, (size_t)(term.text - record->text), &term) || (in != NULL && has_term(in, &term)))
                continue;
            fprintf(to, "%s %.*s", count++ > 0 ? "" : verb, (int)term.length, term.text);
        }
    }
    return count;
}

void drafts_print_changes(FILE *to, const spf_draft_t *before, const spf_draft_t *after)
{
    unsigned count = print_missing(to, "added", after, before);

    if (before != NULL && print_missing(to, count > 0 ? "; removed" : "removed", before, after) + count == 0)
        fputs("the same terms in other records", to);
}
