/* SPDX-License-Identifier: MIT */
/* What the JSON reports are made with. */
#ifndef SPF_REPORT_OBJECT_H
#define SPF_REPORT_OBJECT_H

#include "base/arena.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An object in the making; jansson's setters free what they are given also where they fail. */
typedef struct spf_object {
    json_t *json;
    spf_arena_t *arena; /* for what is needed on the way */
    bool failed;        /* no memory */
} spf_object_t;

spf_object_t spf_object_begin(spf_arena_t *arena);
/* The finished object, or NULL. */
json_t *spf_object_end(spf_object_t *object);

/* Takes the value, which may be NULL for want of memory. */
void spf_object_set(spf_object_t *object, const char *key, json_t *value);
/* Octets that need not be UTF-8; null for NULL. */
void spf_object_set_octets(spf_object_t *object, const char *key, const char *text, size_t length);
void spf_object_set_text(spf_object_t *object, const char *key, const char *text);
void spf_object_set_number(spf_object_t *object, const char *key, uint64_t number);
/* null unless it is there. */
void spf_object_set_number_if(spf_object_t *object, const char *key, uint64_t number, bool is_there);

/* Octets that need not be UTF-8, as a string; NULL without memory. */
json_t *spf_json_octets(spf_arena_t *arena, const char *text, size_t length);
/* Takes the element, which may be NULL for want of memory. */
bool spf_json_append(json_t *array, json_t *element);
/* On one line, in the arena; NULL without memory. */
const char *spf_json_text(spf_arena_t *arena, const json_t *object);

#endif
