/* SPDX-License-Identifier: MIT */
/* The one bounded text builder: it never writes past its storage, and remembers that something did not fit. */
#ifndef SPF_BASE_BUF_H
#define SPF_BASE_BUF_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct spf_buf {
    char *data; /* always NUL-terminated once initialised with capacity > 0 */
    size_t len; /* octets written, without the NUL */
    size_t cap; /* octets of storage, the NUL included */
    bool full;  /* something did not fit: an addition is made whole or, from the first that fails, not at all */
} spf_buf_t;

/* Writes into storage of cap >= 1 octets. */
void spf_buf_init(spf_buf_t *buf, char *storage, size_t cap);
void spf_buf_add(spf_buf_t *buf, const char *text, size_t length);
void spf_buf_add_text(spf_buf_t *buf, const char *text); /* NUL-terminated */
void spf_buf_add_char(spf_buf_t *buf, char octet);
void spf_buf_add_uint(spf_buf_t *buf, uint64_t number); /* decimal */
/* The octets with everything but printable ASCII (and, if utf8, well-formed UTF-8 above U+009F but what is there for
 * layout alone) replaced by '?'. */
void spf_buf_add_printable(spf_buf_t *buf, const char *text, size_t length, bool utf8);
/* How many octets at the start of text form one well-formed sequence (RFC 3629) for a character above U+009F, the end
 * of the C1 controls; 0: none. *code is then without meaning. */
size_t spf_utf8_octets(const char *text, size_t length, uint32_t *code);
/* A copy of the text made so, in the arena; NULL without memory. */
char *spf_printable_copy(spf_arena_t *arena, const char *text, size_t length, bool utf8);
/* The same of a NUL-terminated text that lives as long as the arena: itself if nothing in it is to be replaced. */
const char *spf_printable_text(spf_arena_t *arena, const char *text, size_t length, bool utf8);

#endif
