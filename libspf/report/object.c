/* SPDX-License-Identifier: MIT */
#include "report/object.h"

#include "base/buf.h"

#include <string.h>

enum { USUAL_SIZE = 8192 }; /* what an object takes unless it has a long trace */

spf_object_t spf_object_begin(spf_arena_t *arena)
{
    spf_object_t object = {.json = json_object(), .arena = arena};
    object.failed = object.json == NULL;
    return object;
}

void spf_object_set(spf_object_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object->json, key, value) != 0)
        object->failed = true;
}

json_t *spf_object_end(spf_object_t *object)
{
    if (!object->failed)
        return object->json;
    json_decref(object->json);
    return NULL;
}

/* U+FFFD, for an octet that belongs to no character. */
static const char replacement[] = "\xef\xbf\xbd";

/* Octets of the character at the start of text; 0: there is none. Controls of ASCII JSON can escape. */
static size_t character(const char *text, size_t length)
{
    uint32_t code;

    return (unsigned char)text[0] < 0x80 ? 1 : spf_utf8_octets(text, length, &code);
}

static bool is_utf8(const char *text, size_t length)
{
    size_t octets = 1;

    for (size_t i = 0; i < length && octets > 0; i += octets)
        octets = character(text + i, length - i);
    return octets > 0;
}

/* JSON is UTF-8, a record need not be. */
json_t *spf_json_octets(spf_arena_t *arena, const char *text, size_t length)
{
    size_t size = length * (sizeof(replacement) - 1) + 1;
    char *mended;
    spf_buf_t out;

    if (is_utf8(text, length))
        return json_stringn_nocheck(text, length);
    mended = spf_arena_alloc(arena, size);
    if (mended == NULL)
        return NULL;
    spf_buf_init(&out, mended, size);
    for (size_t i = 0, octets; i<length; i += octets> 0 ? octets : 1) {
        octets = character(text + i, length - i);
        if (octets > 0)
            spf_buf_add(&out, text + i, octets);
        else
            spf_buf_add_text(&out, replacement);
    }
    return json_stringn_nocheck(out.data, out.len);
}

void spf_object_set_octets(spf_object_t *object, const char *key, const char *text, size_t length)
{
    spf_object_set(object, key, text != NULL ? spf_json_octets(object->arena, text, length) : json_null());
}

void spf_object_set_text(spf_object_t *object, const char *key, const char *text)
{
    spf_object_set_octets(object, key, text, text != NULL ? strlen(text) : 0);
}

void spf_object_set_number(spf_object_t *object, const char *key, uint64_t number)
{
    spf_object_set(object, key, json_integer((json_int_t)number));
}

void spf_object_set_number_if(spf_object_t *object, const char *key, uint64_t number, bool is_there)
{
    spf_object_set(object, key, is_there ? json_integer((json_int_t)number) : json_null());
}

bool spf_json_append(json_t *array, json_t *element)
{
    return json_array_append_new(array, element) == 0;
}

/* Not by json_dumps(): its text would have to be freed by the allocator that the host may have given to jansson. */
const char *spf_json_text(spf_arena_t *arena, const json_t *object)
{
    /* 15 digits give every microsecond of a check and no digit more. */
    const size_t flags = JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15);
    char usual[USUAL_SIZE];
    size_t size = json_dumpb(object, usual, sizeof(usual), flags);
    char *text;

    if (size <= sizeof(usual))
        return size > 0 ? spf_arena_copy(arena, usual, size) : NULL;
    text = spf_arena_alloc(arena, size + 1);
    if (text == NULL || json_dumpb(object, text, size, flags) != size)
        return NULL;
    text[size] = '\0';
    return text;
}
