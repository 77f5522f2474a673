/* SPDX-License-Identifier: MIT */
#include "report/text.h"

#include <string.h>

/* What stays free in a word for the writer's own text behind a value: quotes, brackets, a semicolon, dots. */
enum { WORD_RESERVE = 16, UTF8_TAIL_MAX = 3 };

static const char ellipsis[] = "...";

static bool is_utf8_tail(char octet)
{
    return ((unsigned char)octet & 0xc0) == 0x80;
}

/* Moves a cut at most as far back as a character may have begun. */
static size_t character_start(const char *text, size_t position)
{
    size_t start = position;
    for (unsigned i = 0; i < UTF8_TAIL_MAX && start > 0 && is_utf8_tail(text[start]); i++)
        start--;
    return start;
}

static size_t character_end(const char *text, size_t length, size_t position)
{
    for (unsigned i = 0; i < UTF8_TAIL_MAX && position < length && is_utf8_tail(text[position]); i++)
        position++;
    return position;
}

void spf_text_add_clipped(spf_buf_t *buf, const char *text, size_t length, size_t max, bool utf8)
{
    if (length <= max) {
        spf_buf_add_printable(buf, text, length, utf8);
        return;
    }
    size_t head = max / 4;
    size_t tail = length - (max - head - strlen(ellipsis));
    spf_buf_add_printable(buf, text, character_start(text, head), utf8);
    spf_buf_add_text(buf, ellipsis);
    tail = character_end(text, length, tail);
    spf_buf_add_printable(buf, text + tail, length - tail, utf8);
}

static void word_clear(spf_folder_t *folder)
{
    spf_buf_init(&folder->word, folder->storage, sizeof(folder->storage));
    folder->is_cut = false;
}

void spf_folder_init(spf_folder_t *folder, spf_buf_t *out, const spf_fold_style_t *style)
{
    folder->out = out;
    folder->style = style;
    folder->column = 0;
    folder->is_begun = false;
    word_clear(folder);
}

void spf_folder_add(spf_folder_t *folder, const char *text)
{
    spf_buf_add_text(&folder->word, text);
}

/* One character, its backslash with it, or nothing of it once the word is too long. */
static void add_character(spf_folder_t *folder, const char *text, size_t length, bool is_special)
{
    size_t room = folder->style->line_max - folder->style->indent - WORD_RESERVE;
    if (folder->is_cut)
        return;
    if (folder->word.len + is_special + length > room) {
        spf_buf_add_text(&folder->word, ellipsis);
        folder->is_cut = true;
        return;
    }
    if (is_special)
        spf_buf_add_char(&folder->word, '\\');
    spf_buf_add(&folder->word, text, length);
}

void spf_folder_add_value(spf_folder_t *folder, const char *text, size_t length, const char *specials)
{
    bool is_blank = folder->word.len == 0; /* no line may be all blanks (RFC 5322 section 3.2.2) */
    for (size_t i = 0; i < length;) {
        size_t octets = character_end(text, length, i + 1) - i;
        bool is_place = text[i] == ' ' && !is_blank && i + 1 < length && text[i + 1] != ' ';
        if (is_place)
            spf_folder_break(folder);
        else
            add_character(folder, text + i, octets, strchr(specials, text[i]) != NULL);
        is_blank = is_blank && text[i] == ' ';
        i += octets;
    }
}

void spf_folder_break(spf_folder_t *folder)
{
    const spf_fold_style_t *style = folder->style;
    if (folder->word.len == 0)
        return;
    if (folder->is_begun && style->line_end != NULL && folder->column + 1 + folder->word.len > style->width) {
        spf_buf_add_text(folder->out, style->line_end);
        folder->column = style->indent;
    } else if (folder->is_begun) {
        spf_buf_add_char(folder->out, ' ');
        folder->column++;
    }
    spf_buf_add(folder->out, folder->word.data, folder->word.len);
    folder->column += folder->word.len;
    folder->is_begun = true;
    word_clear(folder);
}
