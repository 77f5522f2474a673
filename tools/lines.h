/* SPDX-License-Identifier: MIT */
/* Lines of a descriptor, without waiting for more than there is. */
#ifndef SPF_TOOL_LINES_H
#define SPF_TOOL_LINES_H

#include <stdbool.h>
#include <stddef.h>

enum { LINE_MAX_OCTETS = 16384 };

typedef struct lines {
    int fd;
    bool at_end;      /* nothing more can be read */
    bool is_skipping; /* inside a line that was too long */
    size_t start, end;
    char text[LINE_MAX_OCTETS];
} lines_t;

typedef enum line_status { LINE_READY, LINE_TOO_LONG, LINE_MISSING, LINE_NO_MORE } line_status_t;

/* The next line without its end (LF or CR LF), valid until the next call; LINE_MISSING: lines_read() first. */
line_status_t lines_next(lines_t *lines, const char **line, size_t *length);
/* Reads what there is, or waits for some. False with errno set. */
bool lines_read(lines_t *lines);

#endif
