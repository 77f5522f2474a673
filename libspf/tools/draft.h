/* SPDX-License-Identifier: MIT */
/* TXT records that make up one policy, with all that is told about them. */
#ifndef SPF_TOOLS_DRAFT_H
#define SPF_TOOLS_DRAFT_H

#include "base/arena.h"
#include "base/buf.h"
#include "core/answer.h"
#include "spf_tools.h"

struct spf_draft {
    spf_arena_t arena;
    const char *domain; /* as a DNS name; "" if there is none */
    size_t domain_length;
    spf_draft_record_t *records;
    size_t record_count, record_room;
    const char **notes;
    size_t note_count, note_room;
    unsigned lookups;
    bool knows_others;  /* what else the domain publishes as TXT is known: */
    spf_text_t *others; /* without its record */
    size_t other_count;
};

/* NULL without memory. */
spf_draft_t *spf_draft_new(const char *domain, size_t length);
/* The name and the text are copied. False without memory. */
bool spf_draft_add_record(spf_draft_t *draft, const char *name, const char *text, size_t length);
/* A sentence in pieces; long ones are cut. False without memory. */
bool spf_draft_add_note(spf_draft_t *draft, const char *const *pieces);
#define SPF_DRAFT_ADD_NOTE(draft, ...) spf_draft_add_note(draft, (const char *const[]){__VA_ARGS__, NULL})
/* Keeps the texts of a TXT answer but for its v=spf1 records. False without memory. */
bool spf_draft_set_others(spf_draft_t *draft, const spf_answer_t *txt);

/* Octets of a DNS message without EDNS that answers a TXT question with this record; and of a record more in it. */
size_t spf_draft_answer_octets(size_t name_length, size_t text_length);
size_t spf_draft_record_octets(size_t text_length);
/* The longest text whose answer has that many octets at most; 0: there is none. */
size_t spf_draft_text_max(size_t name_length, size_t answer_octets);

/* The same as what is in buf. */
void spf_sentence_set(spf_buf_t *buf, const char *const *pieces);
#define SPF_SENTENCE_SET(buf, ...) spf_sentence_set(buf, (const char *const[]){__VA_ARGS__, NULL})

#endif
