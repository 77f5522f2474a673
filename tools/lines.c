/* SPDX-License-Identifier: MIT */
/* Lines of a descriptor in a fixed buffer. */
#include "lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Takes length octets and, if has_end, the LF behind them. */
static line_status_t take(lines_t *lines, size_t length, bool has_end, const char **line, size_t *line_length)
{
    bool was_skipping = lines->is_skipping;

    *line = lines->text + lines->start;
    *line_length = length > 0 && (*line)[length - 1] == '\r' ? length - 1 : length;
    lines->start += length + has_end;
    lines->is_skipping = false;
    return was_skipping ? LINE_TOO_LONG : LINE_READY;
}

line_status_t lines_next(lines_t *lines, const char **line, size_t *length)
{
    size_t there = lines->end - lines->start;
    const char *end = memchr(lines->text + lines->start, '\n', there);

    if (end != NULL)
        return take(lines, (size_t)(end - lines->text) - lines->start, true, line, length);
    if (lines->at_end)
        return there > 0 || lines->is_skipping ? take(lines, there, false, line, length) : LINE_NO_MORE;
    if (there == sizeof lines->text) {
        lines->is_skipping = true;
        lines->start = lines->end;
    }
    return LINE_MISSING;
}

bool lines_read(lines_t *lines)
{
    ssize_t got;

    memmove(lines->text, lines->text + lines->start, lines->end - lines->start);
    lines->end -= lines->start;
    lines->start = 0;
    do
        got = read(lines->fd, lines->text + lines->end, sizeof lines->text - lines->end);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return false;
    lines->at_end = got == 0;
    lines->end += (size_t)got;
    return true;
}
