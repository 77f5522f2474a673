/* SPDX-License-Identifier: MIT */
#include "core/target.h"

#include <string.h>

/* Octets at the end of an expansion that can still be in the name once labels are dropped from its left. */
enum { TAIL_MAX = 2 * (SPF_NAME_MAX + 1), EXPANSION_MAX = 16384 };

/* Expands token by token, keeping no more than the end of what came so far: a name is cut from its left anyway. */
static void expand_tail(spf_buf_t *buf, const char *text, size_t length, const spf_macro_values_t *values)
{
    spf_macro_token_t token;
    const char *error;
    size_t position = 0;
    size_t start = 0;

    while (spf_macro_next(text, length, &position, SPF_MACRO_IN_RECORD, &token, &error) == 1) {
        if (token.kind == SPF_MACRO_EXPAND) {
            spf_macro_expand(buf, text + start, position - start, SPF_MACRO_IN_RECORD, values);
        } else {
            size_t kept = token.length < TAIL_MAX ? token.length : TAIL_MAX;
            spf_buf_add(buf, token.text + token.length - kept, kept);
        }
        if (buf->len > TAIL_MAX) {
            memmove(buf->data, buf->data + buf->len - TAIL_MAX, TAIL_MAX + 1);
            buf->len = TAIL_MAX;
        }
        start = position;
    }
}

bool spf_target_name(spf_name_t *name, const char *domain, size_t domain_length, const spf_record_t *record,
                     const spf_term_t *term, const spf_macro_values_t *values)
{
    const char *spec = record->text + term->spec_offset;
    char storage[EXPANSION_MAX];
    spf_buf_t buf;

    if (term->spec_length == 0)
        return spf_name_from_text(name, domain, domain_length);
    if (!term->has_macro)
        return spf_name_from_expansion(name, spec, term->spec_length);
    spf_buf_init(&buf, storage, sizeof storage);
    expand_tail(&buf, spec, term->spec_length, values);
    return !buf.full && spf_name_from_expansion(name, buf.data, buf.len);
}
