/* SPDX-License-Identifier: MIT */
/**
 * @file spf_resolver.h
 * The resolver interface of libspf: how a host's own DNS takes libunbound's place.
 *
 * The library hands a question to `start`; the resolver answers it, at once or later, by one spf_query_answer_packet(),
 * or by spf_query_add_...() calls that end in one spf_query_finish(). An answer only stores data and wakes the check:
 * it never evaluates, so it may be given from inside `start` and from any callback of the resolver.
 *
 * Threads: the library calls the operations of one resolver from one thread at a time. Answers must be given from
 * inside an operation (`start`, `process`, `wait`), or else, from outside, by the only thread that uses the context,
 * which then calls spf_context_process() so that the check goes on.
 */
#ifndef SPF_RESOLVER_H
#define SPF_RESOLVER_H

#include "spf.h"

#ifdef __cplusplus
extern "C" {
#endif

/** DNS types that libspf asks for (class IN); for type SPF (RFC 7208 section 3.1) no check ever does, only surveys. */
enum { SPF_TYPE_A = 1, SPF_TYPE_PTR = 12, SPF_TYPE_MX = 15, SPF_TYPE_TXT = 16, SPF_TYPE_AAAA = 28, SPF_TYPE_SPF = 99 };

/** How a question ended. */
typedef enum spf_dns_status {
    SPF_DNS_ANSWER,   /**< NOERROR; void if no data was added */
    SPF_DNS_NXDOMAIN, /**< the name does not exist */
    SPF_DNS_TIMEOUT,  /**< nobody answered */
    SPF_DNS_ERROR,    /**< SERVFAIL, REFUSED, a CNAME loop, an answer that makes no sense, ... */
    SPF_DNS_BOGUS     /**< DNSSEC validation failed */
} spf_dns_status_t;

/** One question in flight: owned by the check, valid until it is answered or cancelled. */
typedef struct spf_query spf_query_t;

/**
 * The name asked for: lower case, no trailing dot, labels of 1 to 63 octets, at most 253 in all. The octets are the
 * labels' own (no presentation escapes) and may be any but NUL and the dot that parts labels. NUL-terminated too.
 */
SPF_API const char *spf_query_name(const spf_query_t *query, size_t *length);
/** The type asked for, SPF_TYPE_... */
SPF_API uint16_t spf_query_type(const spf_query_t *query);
/** A place for the resolver's own state of this question; NULL at `start`. */
SPF_API void spf_query_set_token(spf_query_t *query, void *token);
/** What spf_query_set_token() stored. */
SPF_API void *spf_query_token(const spf_query_t *query);

/**
 * Answers with a whole DNS message, from its header on; its CNAME chain is followed within it. A message that cannot
 * be parsed becomes SPF_DNS_ERROR. The packet is not needed after the call.
 */
SPF_API void spf_query_answer_packet(spf_query_t *query, const uint8_t *packet, size_t length, spf_dnssec_t dnssec);

/** Adds one record of the type asked for: the 4 or 16 octets of an A or AAAA. @return SPF_EINVAL if it does not fit. */
SPF_API spf_err_t spf_query_add_address(spf_query_t *query, const uint8_t *octets, size_t length);
/** Adds a host name: a PTR, or an MX (whose preference does not matter to SPF). "" or "." is the root. */
SPF_API spf_err_t spf_query_add_host(spf_query_t *query, const char *name, size_t length);
/** Adds a TXT record, or one of type SPF: its strings joined with nothing between; any octets. */
SPF_API spf_err_t spf_query_add_text(spf_query_t *query, const char *text, size_t length);
/**
 * Ends the answer. For a status that is no answer what was added is forgotten.
 * @param ttl_s the lowest TTL in seconds, or of a negative answer; 0: do not keep.
 * @param detail what to tell an administrator about a failure ("SERVFAIL"), or NULL.
 */
SPF_API void spf_query_finish(spf_query_t *query, spf_dns_status_t status, uint32_t ttl_s, spf_dnssec_t dnssec,
                              const char *detail);

/** What a resolver can do. Members may be NULL where it is said. Later versions add members at the end only. */
typedef struct spf_resolver_ops {
    size_t size; /**< sizeof(spf_resolver_ops_t) */
    /** Starts a question. An error is taken as SPF_DNS_ERROR, and the query must not be answered then. */
    spf_err_t (*start)(void *resolver, spf_query_t *query);
    /** Its answer is no longer wanted: forget the query, it is not valid any more. */
    void (*cancel)(void *resolver, spf_query_t *query);
    /** A descriptor that becomes readable when `process` has something to do; -1 or NULL: none. */
    int (*fd)(void *resolver);
    /** Microseconds until `process` must be called all the same; -1: no need. NULL: -1. */
    int64_t (*timeout_us)(void *resolver);
    /** Does what can be done without waiting. NULL: nothing. */
    void (*process)(void *resolver);
    /**
     * Blocks until `process` has something to do, at most @p timeout_us (-1: no limit). NULL: the library waits on
     * `fd` and `timeout_us` itself. A resolver with a clock of its own moves it here.
     */
    void (*wait)(void *resolver, int64_t timeout_us);
    /** Microseconds on a clock that never goes back, for deadlines. NULL: CLOCK_MONOTONIC. */
    uint64_t (*now_us)(void *resolver);
    /** Seconds since the epoch, for %{t}. NULL: time(). */
    uint64_t (*time_s)(void *resolver);
    /** Frees the resolver when its context ends. NULL: nothing to free. */
    void (*free)(void *resolver);
} spf_resolver_ops_t;

/**
 * A context on a resolver of the caller's own; otherwise as spf_context_new(). The resolver is freed with the context,
 * or, if this call fails, not at all. A child of a fork that uses the context goes on with the same resolver.
 */
SPF_API spf_err_t spf_context_new_with_resolver(spf_context_t **context, spf_config_t *config,
                                                const spf_resolver_ops_t *ops, void *resolver);

#ifdef __cplusplus
}
#endif

#endif /* SPF_RESOLVER_H */
