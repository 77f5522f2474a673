/* SPDX-License-Identifier: MIT */
/*
 * What fuzz input says about a check, in lines: what is asked and what DNS answers. The answer to a question depends on
 * its name and type and on nothing else, so that it is the same whenever and however often it is asked.
 *
 *     ip 192.0.2.7           sender ann@example.com     helo mail.example.com      receiver mx.example.org
 *     limits 9 2 9 9         lookups less 1, voids, MX hosts less 1, PTR names less 1
 *     flags two              t: trace; w: would-be; i: the HELO identity
 *     default TEXT           the explanation of a domain that has none
 *     given v=spf1 -all      evaluated in place of what the domain publishes
 *     mix 17                 chooses the order of answers
 *     expire 3               the deadline passes after that many answers
 *     TXT example.com v=spf1 mx -all
 *     MX * a.example b.example
 *     PTR * mail.example.com
 *     ADDRESS * cd           each letter an address; c is the client's, others differ in a bit or two
 *     ? * SERVFAIL           any type; also TIMEOUT, BOGUS, NXDOMAIN, NODATA
 *
 * A word's first letter will do. Lines that name the question's name and type are all records of one answer. Without
 * any, one of the lines for "*" is chosen by name and type; without those the answer is NXDOMAIN.
 */
#ifndef TESTS_FUZZ_SCRIPT_H
#define TESTS_FUZZ_SCRIPT_H

#include "fuzz/fuzz.h"

#include "core/eval.h"

enum { SCRIPT_LINES_MAX = 48 };

typedef struct script_line {
    char type; /* T, M, P, A, ? */
    const char *name;
    size_t name_length; /* 0: "*" */
    const char *value;
    size_t value_length;
} script_line_t;

typedef struct script {
    char *ip;
    fuzz_text_t sender, helo, explanation, given;
    char *receiver;
    bool has_explanation, has_given;
    bool wants_trace, wants_would_be;
    spf_identity_t identity;
    spf_limits_t limits;
    uint64_t mix;
    bool expires;
    uint64_t expire_after; /* answers */
    size_t line_count;
    script_line_t lines[SCRIPT_LINES_MAX];
} script_t;

/* The lines stay in data. */
void script_read(script_t *script, const uint8_t *data, size_t size);
void script_free(script_t *script);

/* Answers a question of a check whose client has that address. */
void script_answer(const script_t *script, const spf_ip_t *client, spf_query_t *query);

#endif
