/* SPDX-License-Identifier: MIT */
#include "tools/draft.h"

#include "syntax/record.h"

#include <stdlib.h>
#include <string.h>

enum {
    HEADER_OCTETS = 12,
    QUESTION_OCTETS = 4, /* type and class, behind the name */
    RR_OCTETS = 12,      /* a compressed name, type, class, TTL and the length of the data */
    STRING_MAX = 255,
    SENTENCE_MAX = 1024,
    PIECE_MAX = 200, /* of what a sentence quotes */
    FIRST_ROOM = 4
};

spf_draft_t *spf_draft_new(const char *domain, size_t length)
{
    spf_draft_t *draft = calloc(1, sizeof *draft);

    if (draft == NULL)
        return NULL;
    draft->domain = spf_arena_copy(&draft->arena, domain, length);
    draft->domain_length = length;
    if (draft->domain != NULL)
        return draft;
    spf_draft_free(draft);
    return NULL;
}

void spf_draft_free(spf_draft_t *draft)
{
    if (draft == NULL)
        return;
    spf_arena_free(&draft->arena);
    free(draft);
}

const spf_draft_record_t *spf_draft_record(const spf_draft_t *draft, size_t index)
{
    return index < draft->record_count ? &draft->records[index] : NULL;
}

unsigned spf_draft_lookups(const spf_draft_t *draft)
{
    return draft->lookups;
}

const char *spf_draft_note(const spf_draft_t *draft, size_t index)
{
    return index < draft->note_count ? draft->notes[index] : NULL;
}

/* ---------------------------------------------------------------------------------------------------------- sizes */

size_t spf_draft_record_octets(size_t text_length)
{
    size_t strings = text_length == 0 ? 1 : (text_length + STRING_MAX - 1) / STRING_MAX;

    return RR_OCTETS + text_length + strings;
}

/* A name takes an octet before its first label and one behind its last. */
static size_t fixed_octets(size_t name_length)
{
    return HEADER_OCTETS + name_length + (name_length > 0 ? 2 : 1) + QUESTION_OCTETS;
}

size_t spf_draft_answer_octets(size_t name_length, size_t text_length)
{
    return fixed_octets(name_length) + spf_draft_record_octets(text_length);
}

size_t spf_draft_text_max(size_t name_length, size_t answer_octets)
{
    size_t fixed = fixed_octets(name_length) + RR_OCTETS;
    size_t data = answer_octets > fixed ? answer_octets - fixed : 0;

    return data - (data + STRING_MAX) / (STRING_MAX + 1);
}

/* ------------------------------------------------------------------------------------------------------- building */

/* An array with room for one element more: it is doubled by copying, the arena keeps the old one. */
static void *grow(spf_arena_t *arena, void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return array;
    size_t wanted = *room > 0 ? *room * 2 : FIRST_ROOM;
    if (wanted > SIZE_MAX / 2 / size)
        return NULL;
    void *grown = spf_arena_alloc(arena, wanted * size);
    if (grown == NULL)
        return NULL;
    if (count > 0)
        memcpy(grown, array, count * size);
    *room = wanted;
    return grown;
}

bool spf_draft_add_record(spf_draft_t *draft, const char *name, const char *text, size_t length)
{
    spf_draft_record_t *records =
        grow(&draft->arena, draft->records, draft->record_count, &draft->record_room, sizeof *records);
    size_t name_length = strlen(name);
    spf_draft_record_t record = {.length = length,
                                 .answer_octets = (unsigned)spf_draft_answer_octets(name_length, length)};

    if (records == NULL)
        return false;
    draft->records = records;
    record.name = spf_arena_copy(&draft->arena, name, name_length);
    record.text = spf_arena_copy(&draft->arena, text, length);
    if (record.name == NULL || record.text == NULL)
        return false;
    records[draft->record_count++] = record;
    return true;
}

static void add_pieces(spf_buf_t *buf, const char *const *pieces)
{
    for (; *pieces != NULL; pieces++) {
        size_t length = strnlen(*pieces, PIECE_MAX + 1);
        spf_buf_add_printable(buf, *pieces, length <= PIECE_MAX ? length : PIECE_MAX, true);
        if (length > PIECE_MAX)
            spf_buf_add_text(buf, "...");
    }
}

bool spf_draft_add_note(spf_draft_t *draft, const char *const *pieces)
{
    const char **notes = grow(&draft->arena, draft->notes, draft->note_count, &draft->note_room, sizeof *notes);
    char storage[SENTENCE_MAX];
    spf_buf_t buf;

    if (notes == NULL)
        return false;
    draft->notes = notes;
    spf_buf_init(&buf, storage, sizeof storage);
    add_pieces(&buf, pieces);
    notes[draft->note_count] = spf_arena_copy(&draft->arena, buf.data, buf.len);
    if (notes[draft->note_count] == NULL)
        return false;
    draft->note_count++;
    return true;
}

void spf_sentence_set(spf_buf_t *buf, const char *const *pieces)
{
    spf_buf_init(buf, buf->data, buf->cap);
    add_pieces(buf, pieces);
}

bool spf_draft_set_others(spf_draft_t *draft, const spf_answer_t *txt)
{
    spf_text_t *others = spf_arena_alloc(&draft->arena, txt->count * sizeof *others);

    if (others == NULL)
        return false;
    for (uint32_t i = 0; i < txt->count; i++) {
        spf_text_t *other = &others[draft->other_count];
        if (spf_record_is_record(txt->texts[i].data, txt->texts[i].length))
            continue;
        other->length = txt->texts[i].length;
        other->data = spf_arena_copy(&draft->arena, txt->texts[i].data, other->length);
        if (other->data == NULL)
            return false;
        draft->other_count++;
    }
    draft->others = others;
    draft->knows_others = true;
    return true;
}
