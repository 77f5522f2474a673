/* SPDX-License-Identifier: MIT */
/*
 * A resolver in memory behind include/spf_resolver.h, with virtual time: its clock moves only in `wait`, so tests with
 * delays, lost answers and deadlines take no time and always go the same way. It allocates nothing while up to
 * MEMORY_IN_FLIGHT questions are under way, so that it can serve tests in which allocations fail.
 */
#ifndef TESTS_SUPPORT_MEMORY_RESOLVER_H
#define TESTS_SUPPORT_MEMORY_RESOLVER_H

#include "support/zone_data.h"

enum { MEMORY_IN_FLIGHT = 1024, MEMORY_LOG = 256 };

typedef struct memory_resolver memory_resolver_t;

/* Zero-initialised: every answer is given from inside `start`. */
typedef struct memory_options {
    bool is_late;       /* answers are given in `process`, even those without delay */
    bool as_packets;    /* answers are given as DNS messages, not as typed data */
    bool is_survey;     /* type SPF may be asked for */
    uint64_t delay_us;  /* of every answer; more than 0 implies is_late */
    uint64_t jitter_us; /* of every answer another delay below this, chosen by seed: answers change places */
    uint64_t seed;
    uint64_t timeout_us; /* after which what times out is reported as that; 0: never, the question stays open */
    unsigned lose;       /* the number, from 1, of the question that is never answered; 0: none is lost */
    unsigned slow;       /* the number of the question that is delayed by slow_us more; 0: none is */
    uint64_t slow_us;
    uint32_t ttl_s;                                  /* of every answer; 0: not to be kept */
    spf_dnssec_t dnssec;                             /* of every answer */
    void (*asked)(void *user_data, unsigned number); /* told of every question, from inside `start`; or NULL */
    void *user_data;
} memory_options_t;

typedef struct memory_counters {
    unsigned queries; /* questions asked */
    unsigned waits;   /* times that the clock moved: round trips, if all answers take the same time */
    unsigned cancelled;
    unsigned in_flight;  /* now */
    unsigned peak;       /* questions under way at once */
    unsigned violations; /* names and types that spf_resolver.h does not allow */
} memory_counters_t;

/* The zone must outlive it. */
memory_resolver_t *memory_resolver_new(const zone_t *zone);
void memory_resolver_free(memory_resolver_t *resolver);
/* For the questions to come. */
void memory_resolver_set_options(memory_resolver_t *resolver, const memory_options_t *options);
void memory_resolver_set_zone(memory_resolver_t *resolver, const zone_t *zone);

/* For spf_context_new_with_resolver(); the context does not free the resolver. */
extern const spf_resolver_ops_t memory_resolver_ops;

memory_counters_t memory_resolver_counters(const memory_resolver_t *resolver);
void memory_resolver_reset_counters(memory_resolver_t *resolver);
/* How often this was asked since then, within the first MEMORY_LOG questions; type 0: any; name NULL: any. */
unsigned memory_resolver_asked(const memory_resolver_t *resolver, const char *name, uint16_t type);

/* The virtual clock. */
uint64_t memory_resolver_now_us(const memory_resolver_t *resolver);
void memory_resolver_advance(memory_resolver_t *resolver, uint64_t us);

#endif
