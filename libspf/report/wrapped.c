/* SPDX-License-Identifier: MIT */
#include "report/wrapped.h"

#include <string.h>

/* Text that is led in far keeps some room, past the usual limit. */
enum { COLUMNS = 80, ROOM_LEAST = 40 };

static const char *const colors[] = {[SPF_COLOR_PLAIN] = NULL,
                                     [SPF_COLOR_NAME] = "\033[1m",
                                     [SPF_COLOR_PROBLEM] = "\033[1;31m",
                                     [SPF_COLOR_NOTE] = "\033[36m",
                                     [SPF_COLOR_FAINT] = "\033[2m"};

/* Columns of printable UTF-8: characters. */
static size_t width_of(const char *text, size_t length)
{
    size_t width = 0;

    for (size_t i = 0; i < length; i++)
        width += ((unsigned char)text[i] & 0xc0) != 0x80;
    return width;
}

/* Returns the columns that it takes. */
static size_t add_colored(const spf_wrapped_t *wrapped, spf_long_text_t *to, spf_color_t color, const char *text,
                          size_t length)
{
    const char *on = wrapped->is_colored ? colors[color] : NULL;
    size_t width;

    if (length == 0)
        return 0;
    if (on != NULL)
        spf_long_add_text(to, on);
    spf_long_add_printable(to, text, length, !wrapped->is_ascii);
    width = to->failed ? 0 : width_of(to->buf.data + to->buf.len - length, length);
    if (on != NULL)
        spf_long_add_text(to, "\033[0m");
    return width;
}

void spf_wrapped_init(spf_wrapped_t *wrapped, spf_arena_t *arena, bool is_ascii, bool is_colored)
{
    *wrapped = (spf_wrapped_t){
        .out = {.arena = arena}, .word = {.arena = arena}, .is_ascii = is_ascii, .is_colored = is_colored};
}

static void lead_in(spf_wrapped_t *wrapped, const char *lead)
{
    wrapped->column = add_colored(wrapped, &wrapped->out, SPF_COLOR_FAINT, lead, strlen(lead));
    wrapped->has_words = false;
}

void spf_wrapped_begin(spf_wrapped_t *wrapped, const char *lead, const char *rest)
{
    size_t length = strnlen(rest, sizeof wrapped->rest - 1);
    size_t width = width_of(rest, length);

    memcpy(wrapped->rest, rest, length);
    wrapped->rest[length] = '\0';
    wrapped->limit = width + ROOM_LEAST > COLUMNS ? width + ROOM_LEAST : COLUMNS;
    lead_in(wrapped, lead);
}

static void add_to_word(spf_wrapped_t *wrapped, spf_color_t color, const char *text, size_t length)
{
    wrapped->word_width += add_colored(wrapped, &wrapped->word, color, text, length);
}

void spf_wrapped_add(spf_wrapped_t *wrapped, spf_color_t color, const char *text)
{
    add_to_word(wrapped, color, text, strlen(text));
}

void spf_wrapped_add_uint(spf_wrapped_t *wrapped, spf_color_t color, uint64_t number)
{
    char storage[24];
    spf_buf_t buf;

    spf_buf_init(&buf, storage, sizeof storage);
    spf_buf_add_uint(&buf, number);
    add_to_word(wrapped, color, buf.data, buf.len);
}

void spf_wrapped_add_words(spf_wrapped_t *wrapped, spf_color_t color, const char *text, size_t length)
{
    for (const char *end = text + length; text < end; text++) {
        const char *space = memchr(text, ' ', (size_t)(end - text));
        add_to_word(wrapped, color, text, (size_t)((space != NULL ? space : end) - text));
        if (space == NULL)
            return;
        spf_wrapped_space(wrapped);
        text = space;
    }
}

void spf_wrapped_space(spf_wrapped_t *wrapped)
{
    spf_buf_t *word = &wrapped->word.buf;

    if (wrapped->word_width == 0)
        return;
    if (wrapped->has_words && wrapped->column + 1 + wrapped->word_width > wrapped->limit) {
        spf_long_add_text(&wrapped->out, "\n");
        lead_in(wrapped, wrapped->rest);
    } else if (wrapped->has_words) {
        spf_long_add_text(&wrapped->out, " ");
        wrapped->column++;
    }
    if (!wrapped->word.failed)
        spf_long_add(&wrapped->out, word->data, word->len);
    wrapped->column += wrapped->word_width;
    wrapped->has_words = true;
    wrapped->word_width = 0;
    word->len = 0;
}

void spf_wrapped_end_line(spf_wrapped_t *wrapped)
{
    spf_wrapped_space(wrapped);
    spf_long_add_text(&wrapped->out, "\n");
}

const char *spf_wrapped_end(spf_wrapped_t *wrapped)
{
    spf_buf_t *out = &wrapped->out.buf;

    wrapped->out.failed = wrapped->out.failed || wrapped->word.failed;
    if (out->len > 0)
        out->data[--out->len] = '\0'; /* lines are parted by LF, not ended */
    return spf_long_end(&wrapped->out);
}
