/* SPDX-License-Identifier: MIT */
#include "support/zone_data.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ZONE_NAME_MAX = 253, ZONE_LABEL_MAX = 63, ZONE_STRING_MAX = 255, ZONE_TEXT_MAX = 65000 };

typedef struct zone_name {
    struct zone_name *next; /* in the same bucket */
    zone_record_t *first, *last;
    size_t length;
    char text[ZONE_NAME_MAX + 1]; /* lower case, no trailing dot */
} zone_name_t;

struct zone {
    zone_name_t **buckets;
    size_t bucket_count; /* a power of two */
    size_t name_count;
};

static const struct {
    const char *word;
    uint16_t type;
} zone_types[] = {
    {"A", SPF_TYPE_A},     {"AAAA", SPF_TYPE_AAAA},    {"MX", SPF_TYPE_MX},    {"PTR", SPF_TYPE_PTR},
    {"TXT", SPF_TYPE_TXT}, {"CNAME", ZONE_TYPE_CNAME}, {"SPF", ZONE_TYPE_SPF}, {"*", ZONE_TYPE_ANY},
};

static const struct {
    const char *word;
    spf_dns_status_t status;
} zone_failures[] = {{"TIMEOUT", SPF_DNS_TIMEOUT}, {"SERVFAIL", SPF_DNS_ERROR}, {"BOGUS", SPF_DNS_BOGUS}};

static void zone_fail(const char *what, const char *value)
{
    fprintf(stderr, "zone data: %s: %s\n", what, value);
    abort();
}

static void *zone_alloc(size_t size)
{
    void *memory = calloc(1, size);
    if (!memory)
        zone_fail("out of memory", "");
    return memory;
}

zone_t *zone_new(void)
{
    zone_t *zone = zone_alloc(sizeof *zone);
    zone->bucket_count = 64;
    zone->buckets = zone_alloc(zone->bucket_count * sizeof(zone_name_t *));
    return zone;
}

static void zone_name_free(zone_name_t *name)
{
    for (zone_record_t *record = name->first, *next; record; record = next) {
        next = record->next;
        free(record);
    }
    free(name);
}

void zone_free(zone_t *zone)
{
    if (!zone)
        return;
    for (size_t i = 0; i < zone->bucket_count; i++) {
        for (zone_name_t *name = zone->buckets[i], *next; name; name = next) {
            next = name->next;
            zone_name_free(name);
        }
    }
    free(zone->buckets);
    free(zone);
}

bool zone_name_is_valid(const char *name, size_t length)
{
    if (length && name[length - 1] == '.')
        length--;
    size_t label = 0;
    for (size_t i = 0; i < length; i++) {
        if (name[i] != '.')
            label++;
        else if (label == 0)
            return false;
        else
            label = 0;
        if (label > ZONE_LABEL_MAX)
            return false;
    }
    return length <= ZONE_NAME_MAX && (length == 0 || label > 0);
}

/* Lower case without the trailing dot; returns the length. */
static size_t zone_name_normalise(char out[ZONE_NAME_MAX + 1], const char *name, size_t length)
{
    if (!zone_name_is_valid(name, length))
        zone_fail("no domain name", name);
    if (length && name[length - 1] == '.')
        length--;
    for (size_t i = 0; i < length; i++)
        out[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
    out[length] = '\0';
    return length;
}

const char *zone_name_at(const zone_t *zone, size_t index, size_t *length)
{
    for (size_t i = 0; i < zone->bucket_count; i++) {
        for (const zone_name_t *name = zone->buckets[i]; name; name = name->next) {
            if (index-- == 0) {
                *length = name->length;
                return name->text;
            }
        }
    }
    return NULL;
}

/* FNV-1a. */
static size_t zone_hash(const char *text, size_t length)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    return (size_t)(hash ^ hash >> 32);
}

static zone_name_t **zone_bucket(const zone_t *zone, const char *text, size_t length)
{
    return &zone->buckets[zone_hash(text, length) & (zone->bucket_count - 1)];
}

/* The name, which is normalised; NULL if it does not exist. */
static zone_name_t *zone_find(const zone_t *zone, const char *text, size_t length)
{
    zone_name_t *name = *zone_bucket(zone, text, length);
    while (name && (name->length != length || memcmp(name->text, text, length) != 0))
        name = name->next;
    return name;
}

static void zone_grow(zone_t *zone)
{
    zone_t larger = {.bucket_count = zone->bucket_count * 2, .name_count = zone->name_count};
    larger.buckets = zone_alloc(larger.bucket_count * sizeof(zone_name_t *));
    for (size_t i = 0; i < zone->bucket_count; i++) {
        for (zone_name_t *name = zone->buckets[i], *next; name; name = next) {
            next = name->next;
            zone_name_t **bucket = zone_bucket(&larger, name->text, name->length);
            name->next = *bucket;
            *bucket = name;
        }
    }
    free(zone->buckets);
    *zone = larger;
}

static zone_name_t *zone_insert(zone_t *zone, const char *text, size_t length)
{
    if (zone->name_count >= zone->bucket_count)
        zone_grow(zone);
    zone_name_t *name = zone_alloc(sizeof *name);
    name->length = length;
    memcpy(name->text, text, length);
    zone_name_t **bucket = zone_bucket(zone, text, length);
    name->next = *bucket;
    *bucket = name;
    zone->name_count++;
    return name;
}

/* Makes the name and those above it: a name with something below it exists (RFC 8020). */
static zone_name_t *zone_make(zone_t *zone, const char *text, size_t length)
{
    zone_name_t *made = zone_find(zone, text, length);
    if (!made)
        made = zone_insert(zone, text, length);
    while (length) {
        const char *dot = memchr(text, '.', length);
        size_t skip = dot ? (size_t)(dot - text) + 1 : length;
        text += skip;
        length -= skip;
        if (zone_find(zone, text, length))
            break;
        zone_insert(zone, text, length);
    }
    return made;
}

void zone_add_record(zone_t *zone, const char *name, uint16_t type, uint16_t preference, spf_dns_status_t status,
                     const void *data, size_t length)
{
    char text[ZONE_NAME_MAX + 1];
    zone_name_t *owner = zone_make(zone, text, zone_name_normalise(text, name, strlen(name)));
    zone_record_t *record = zone_alloc(sizeof *record + length + 1);
    record->type = type;
    record->preference = preference;
    record->status = status;
    record->length = length;
    if (length)
        memcpy(record->data, data, length);
    if (owner->last)
        owner->last->next = record;
    else
        owner->first = record;
    owner->last = record;
}

void zone_add_strings(zone_t *zone, const char *name, const char *const *strings, const size_t *lengths, size_t count)
{
    uint8_t data[ZONE_TEXT_MAX];
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (lengths[i] > ZONE_STRING_MAX || used + 1 + lengths[i] > sizeof data)
            zone_fail("too long a TXT record at", name);
        data[used++] = (uint8_t)lengths[i];
        memcpy(data + used, strings[i], lengths[i]);
        used += lengths[i];
    }
    zone_add_record(zone, name, SPF_TYPE_TXT, 0, SPF_DNS_ANSWER, data, used);
}

static void zone_add_text(zone_t *zone, const char *name, uint16_t type, const char *text)
{
    uint8_t data[ZONE_TEXT_MAX];
    size_t used = 0, left = strlen(text);
    do {
        size_t part = left < ZONE_STRING_MAX ? left : ZONE_STRING_MAX;
        if (used + 1 + part > sizeof data)
            zone_fail("too long a TXT record at", name);
        data[used++] = (uint8_t)part;
        memcpy(data + used, text, part);
        used += part;
        text += part;
        left -= part;
    } while (left);
    zone_add_record(zone, name, type, 0, SPF_DNS_ANSWER, data, used);
}

static void zone_add_address(zone_t *zone, const char *name, uint16_t type, const char *address)
{
    uint8_t octets[16];
    if (inet_pton(type == SPF_TYPE_A ? AF_INET : AF_INET6, address, octets) != 1)
        zone_fail("no address", address);
    zone_add_record(zone, name, type, 0, SPF_DNS_ANSWER, octets, type == SPF_TYPE_A ? 4 : 16);
}

static void zone_add_host(zone_t *zone, const char *name, uint16_t type, const char *value)
{
    uint16_t preference = 0;
    if (type == SPF_TYPE_MX) {
        char *end;
        preference = (uint16_t)strtoul(value, &end, 10);
        if (end == value || *end != ' ')
            zone_fail("no preference and host", value);
        value = end + 1;
    }
    if (!zone_name_is_valid(value, strlen(value)))
        zone_fail("no host name", value);
    zone_add_record(zone, name, type, preference, SPF_DNS_ANSWER, value, strlen(value));
}

void zone_add(zone_t *zone, const char *name, const char *type_word, const char *value)
{
    uint16_t type = zone_type_from_name(type_word);
    for (size_t i = 0; i < sizeof zone_failures / sizeof zone_failures[0]; i++) {
        if (type && strcmp(value, zone_failures[i].word) == 0) {
            zone_add_record(zone, name, type, 0, zone_failures[i].status, NULL, 0);
            return;
        }
    }
    switch (type) {
    case SPF_TYPE_A:
    case SPF_TYPE_AAAA:
        zone_add_address(zone, name, type, value);
        break;
    case SPF_TYPE_MX:
    case SPF_TYPE_PTR:
    case ZONE_TYPE_CNAME:
        zone_add_host(zone, name, type, value);
        break;
    case SPF_TYPE_TXT:
    case ZONE_TYPE_SPF:
        zone_add_text(zone, name, type, value);
        break;
    default:
        zone_fail("unknown type", type_word);
    }
}

/* Takes what comes before the end character, which must be there. */
static char *zone_take(const char **text, char end)
{
    const char *at = strchr(*text, end);
    char *part = at ? strndup(*text, (size_t)(at - *text)) : NULL;
    if (!part)
        zone_fail("no name, type, value and line end", *text);
    else
        *text = at + 1;
    return part;
}

void zone_add_lines(zone_t *zone, const char *lines)
{
    while (*lines) {
        char *name = zone_take(&lines, ' ');
        char *type = zone_take(&lines, ' ');
        char *value = zone_take(&lines, '\n');
        zone_add(zone, name, type, value);
        free(name);
        free(type);
        free(value);
    }
}

uint16_t zone_type_from_name(const char *word)
{
    for (size_t i = 0; i < sizeof zone_types / sizeof zone_types[0]; i++) {
        if (strcmp(word, zone_types[i].word) == 0)
            return zone_types[i].type;
    }
    return 0;
}

static const zone_record_t *zone_record_of_type(const zone_record_t *record, uint16_t type)
{
    while (record && record->type != type)
        record = record->next;
    return record;
}

zone_answer_t zone_lookup(const zone_t *zone, const char *name, size_t length, uint16_t type)
{
    zone_answer_t answer = {.status = SPF_DNS_ERROR};
    char text[ZONE_NAME_MAX + 1];
    for (;;) {
        length = zone_name_normalise(text, name, length);
        const zone_name_t *owner = zone_find(zone, text, length);
        if (!owner) {
            answer.status = SPF_DNS_NXDOMAIN;
            return answer;
        }
        answer.record = zone_record_of_type(owner->first, type);
        const zone_record_t *cname = answer.record ? NULL : zone_record_of_type(owner->first, ZONE_TYPE_CNAME);
        if (!cname) {
            const zone_record_t *failure =
                answer.record ? answer.record : zone_record_of_type(owner->first, ZONE_TYPE_ANY);
            answer.status = failure ? failure->status : SPF_DNS_ANSWER;
            if (answer.status != SPF_DNS_ANSWER)
                answer.record = NULL;
            return answer;
        }
        if (cname->status != SPF_DNS_ANSWER || answer.cname_count == ZONE_CHAIN_MAX) {
            answer.status = cname->status == SPF_DNS_ANSWER ? SPF_DNS_ERROR : cname->status;
            return answer;
        }
        answer.cnames[answer.cname_count++] = cname;
        name = (const char *)cname->data;
        length = cname->length;
    }
}

const zone_record_t *zone_record_next(const zone_record_t *record)
{
    return zone_record_of_type(record->next, record->type);
}
