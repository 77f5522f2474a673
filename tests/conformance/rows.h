/* SPDX-License-Identifier: MIT */
/* Whole checks as rows of a table, each run with its answers coming in several ways. */
#ifndef TESTS_CONFORMANCE_ROWS_H
#define TESTS_CONFORMANCE_ROWS_H

#include "support/memory_resolver.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Names that several tests use. 192.0.2.1 is the client, as 2001:db8::1; 198.51.100.0/24 is somebody else. */
#define COMMON                                                                                                         \
    "me.example.com A 192.0.2.1\n"                                                                                     \
    "me.example.com AAAA 2001:db8::1\n"                                                                                \
    "other.example.com A 198.51.100.1\n"                                                                               \
    "broken.example.com * SERVFAIL\n"                                                                                  \
    "slow.example.com * TIMEOUT\n"                                                                                     \
    "pass.example.com TXT v=spf1 +all\n"                                                                               \
    "fail.example.com TXT v=spf1 -all\n"                                                                               \
    "soft.example.com TXT v=spf1 ~all\n"                                                                               \
    "neutral.example.com TXT v=spf1 ?all\n"

#define ROW_IP     "192.0.2.1"
#define ROW_DOMAIN "r.example.com"

/* What is asked and expected. What is not set is not looked at, or has the default given. */
typedef struct row {
    const char *record; /* published at r.example.com; NULL: no record of its own */
    spf_result_t result;
    const char *ip;       /* 192.0.2.1 */
    const char *sender;   /* ann@r.example.com */
    size_t sender_length; /* that of the text */
    const char *helo;     /* mail.example.org */
    spf_identity_t identity;
    spf_cause_t cause;
    const char *explanation; /* ROW_NONE: there is none */
    unsigned queries;        /* how many, with nothing asked ahead */
    bool has_counts;
    unsigned lookups, void_lookups;
} row_t;

#define ROW_NONE         ""
#define ROW_COUNTS(a, b) .has_counts = true, .lookups = (a), .void_lookups = (b)

/* A zone, a resolver over it and a context on that. */
typedef struct world {
    zone_t *zone;
    memory_resolver_t *resolver;
    spf_context_t *context;
} world_t;

/* The zone of those lines and that record (see row_t). Settings: key, value, ..., NULL; or NULL. */
void world_open(world_t *world, const char *lines, const char *record, const char *const *settings);
/* The same on a zone that is the world's from now on. */
void world_open_zone(world_t *world, zone_t *zone, const char *const *settings);
void world_close(world_t *world);

/* A check with what the row says, not run. */
spf_check_t *world_check(const world_t *world, const row_t *row);
/* Runs a check and wants it to end well. */
const spf_verdict_t *world_run(spf_check_t *check);

/* Runs every row with and without asking ahead, answers at once, late, and out of order. */
void rows_run(const char *lines, const row_t *rows, size_t count, const char *const *settings);
#define ROWS_RUN(lines, rows) rows_run(lines, rows, sizeof(rows) / sizeof((rows)[0]), NULL)

#endif
