/* SPDX-License-Identifier: MIT */
/*
 * The DNS data that tests and benchmarks serve, in memory or over sockets: names, their records by type, and names
 * that fail. Building it aborts the program on bad input, as a test that cannot be set up should; once built it is
 * only read, by any number of threads.
 */
#ifndef TESTS_SUPPORT_ZONE_DATA_H
#define TESTS_SUPPORT_ZONE_DATA_H

#include "spf_resolver.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ZONE_TYPE_CNAME = 5,
    ZONE_TYPE_SPF = 99,
    ZONE_TYPE_ANY = 255, /* of a failure: all types that the name does not list */
    ZONE_CHAIN_MAX = 8   /* CNAME records followed; a longer chain is an error, as a loop is */
};

typedef struct zone zone_t;

typedef struct zone_record {
    struct zone_record *next; /* of the same name, in the order in which they were added */
    uint16_t type;
    uint16_t preference;     /* of an MX */
    spf_dns_status_t status; /* SPF_DNS_ANSWER, or how a question for this type fails */
    size_t length;
    uint8_t data[]; /* A, AAAA: octets. TXT: character-strings as on the wire. MX, PTR, CNAME: the host as written. */
} zone_record_t;

/* What the zone says to a question. */
typedef struct zone_answer {
    spf_dns_status_t status;
    const zone_record_t *cnames[ZONE_CHAIN_MAX]; /* the chain that was followed */
    unsigned cname_count;
    const zone_record_t *record; /* the first of the type asked for; see zone_record_next() */
} zone_answer_t;

zone_t *zone_new(void);
void zone_free(zone_t *zone);

/*
 * Adds a record. Type: A, AAAA, MX, PTR, CNAME, TXT, SPF (type 99), or "*", which only takes a failure. Value: an
 * address; "10 mx.example.com"; a host; a text, taken literally and split at 255 octets; or, for any type, TIMEOUT,
 * SERVFAIL or BOGUS. The names above `name` exist from then on, without records.
 */
void zone_add(zone_t *zone, const char *name, const char *type, const char *value);
/* Adds a TXT record of several character-strings, each of any octets, at most 255. */
void zone_add_strings(zone_t *zone, const char *name, const char *const *strings, const size_t *lengths, size_t count);
/* Adds a record whose data stands as in zone_record_t; status other than SPF_DNS_ANSWER: a failure. */
void zone_add_record(zone_t *zone, const char *name, uint16_t type, uint16_t preference, spf_dns_status_t status,
                     const void *data, size_t length);
/* Adds lines of "name type value", ended by LF; the value goes up to it. */
void zone_add_lines(zone_t *zone, const char *lines);

/* Whether a text can be a name in a zone: labels of 1 to 63 octets, 253 in all, a trailing dot allowed. */
bool zone_name_is_valid(const char *name, size_t length);
/* The type's number; 0 if it is none of those above. */
uint16_t zone_type_from_name(const char *word);

/* Name number index, in an order of the zone's own, as octets that a NUL ends; NULL past the last. */
const char *zone_name_at(const zone_t *zone, size_t index, size_t *length);

zone_answer_t zone_lookup(const zone_t *zone, const char *name, size_t length, uint16_t type);
/* The next record of the same type. */
const zone_record_t *zone_record_next(const zone_record_t *record);

#endif
