/* SPDX-License-Identifier: MIT */
#include "report/long_text.h"

#include <string.h>

enum { FIRST_ROOM = 1024 };

/* Sees to room for so many octets more; what there is moves to twice the room. */
static bool make_room(spf_long_text_t *text, size_t length)
{
    spf_buf_t *buf = &text->buf;
    size_t room = buf->cap > 0 ? 2 * buf->cap : FIRST_ROOM;
    spf_buf_t grown;
    char *storage;

    if (text->failed || (buf->cap > 0 && length < buf->cap - buf->len))
        return !text->failed;
    while (room - buf->len <= length)
        room *= 2;
    storage = spf_arena_alloc(text->arena, room);
    if (storage == NULL) {
        text->failed = true;
        return false;
    }
    spf_buf_init(&grown, storage, room);
    if (buf->cap > 0)
        spf_buf_add(&grown, buf->data, buf->len);
    *buf = grown;
    return true;
}

void spf_long_add(spf_long_text_t *text, const char *octets, size_t length)
{
    if (make_room(text, length))
        spf_buf_add(&text->buf, octets, length);
}

void spf_long_add_text(spf_long_text_t *text, const char *word)
{
    spf_long_add(text, word, strlen(word));
}

void spf_long_add_uint(spf_long_text_t *text, uint64_t number)
{
    enum { DIGITS_MAX = 20 };

    if (make_room(text, DIGITS_MAX))
        spf_buf_add_uint(&text->buf, number);
}

void spf_long_add_printable(spf_long_text_t *text, const char *octets, size_t length, bool utf8)
{
    if (make_room(text, length))
        spf_buf_add_printable(&text->buf, octets, length, utf8);
}

const char *spf_long_end(spf_long_text_t *text)
{
    return make_room(text, 0) ? text->buf.data : NULL;
}
