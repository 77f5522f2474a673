/* SPDX-License-Identifier: MIT */
/* What the verbs of the spf command share. */
#ifndef SPF_TOOL_H
#define SPF_TOOL_H

#include <stdbool.h>
#include <stddef.h>

/* Exit statuses beside those of the results; the names are sysexits.h's. */
enum { TOOL_USAGE = 64, TOOL_INTERNAL = 70 };

/* One sentence on standard error, behind the verb's name. Return TOOL_USAGE, TOOL_INTERNAL. */
int tool_usage_error(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));
int tool_internal_error(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The text in quotes for a message: what is not printable becomes '?', what is too long ends in "...". */
typedef struct tool_quoted {
    char text[96];
} tool_quoted_t;
tool_quoted_t tool_quote(const char *text, size_t length);

/* 0; TOOL_USAGE, with a message, for what one might give in place of a domain: the rest the library refuses. */
int tool_check_domain(const char *verb, const char *domain);

/* Whether text holds an ASCII control character. */
bool tool_has_control(const char *text, size_t length);

#endif
