/* SPDX-License-Identifier: MIT */
/**
 * @file spf.h
 * libspf: Sender Policy Framework (RFC 7208). The whole public API, but for spf_resolver.h.
 *
 * One question: may the client at this address send mail for this domain, and why?
 *
 *     spf_context_t *context;
 *     spf_check_t *check;
 *     spf_context_shared(&context, NULL);
 *     spf_check_new(&check, context);
 *     spf_check_set_ip(check, "192.0.2.7");
 *     spf_check_set_sender(check, "ann@example.com", SPF_STRLEN);
 *     spf_check_set_helo(check, "mail.example.com", SPF_STRLEN);
 *     if (spf_check_run(check) == SPF_OK)
 *         puts(spf_check_verdict(check)->reason);
 *     spf_check_free(check);
 *     spf_context_release(context);
 *
 * Two axes that never mix: an #spf_err_t says that a call failed (bad argument, no memory); an #spf_result_t is what
 * SPF says about the mail. What DNS or a record says is a result, never an error.
 *
 * Wherever arguments are positional their order is: client address, sender, HELO.
 *
 * Threads: a context may be used by any number of threads at once. A check, like a config, belongs to one thread at
 * a time; its callback runs in the thread that calls spf_context_process(), spf_context_wait() or spf_check_run().
 *
 * fork: a context goes on working in the child, which silently gets sockets and a resolver of its own at its first
 * use; checks that were in flight stay the parent's (in the child they can only be freed).
 */
#ifndef SPF_H
#define SPF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SPF_VERSION "0.1.0"

#ifndef SPF_API
#define SPF_API __attribute__((visibility("default")))
#endif

/** As the length of a text: it ends at its NUL. */
#define SPF_STRLEN ((size_t)-1)

/* ------------------------------------------------------------------------------------------------ errors, results */

/** X(enumerator, value, message): why a call failed. */
#define SPF_ERR_MAP(X)                                                                                                 \
    X(SPF_OK, 0, "success")                                                                                            \
    X(SPF_ENOMEM, -1, "out of memory")                                                                                 \
    X(SPF_EINVAL, -2, "invalid argument")                                                                              \
    X(SPF_ECANCELED, -3, "the check was cancelled")                                                                    \
    X(SPF_ESTATE, -4, "not possible in this state (already started, or not finished)")                                 \
    X(SPF_ECONFIG, -5, "invalid configuration")                                                                        \
    X(SPF_ERESOLVER, -6, "the resolver could not be set up")                                                           \
    X(SPF_ESYSTEM, -7, "a system call failed")

/** Why a call failed; 0 is success, failures are negative. */
typedef enum spf_err {
#define SPF_X(name, value, message) name = value,
    SPF_ERR_MAP(SPF_X)
#undef SPF_X
} spf_err_t;

/** X(enumerator, word): the results of check_host(), RFC 7208 section 2.6. */
#define SPF_RESULT_MAP(X)                                                                                              \
    X(SPF_RESULT_NONE, "none")                                                                                         \
    X(SPF_RESULT_NEUTRAL, "neutral")                                                                                   \
    X(SPF_RESULT_PASS, "pass")                                                                                         \
    X(SPF_RESULT_FAIL, "fail")                                                                                         \
    X(SPF_RESULT_SOFTFAIL, "softfail")                                                                                 \
    X(SPF_RESULT_TEMPERROR, "temperror")                                                                               \
    X(SPF_RESULT_PERMERROR, "permerror")

/** What SPF says, RFC 7208 section 2.6. */
typedef enum spf_result {
#define SPF_X(name, word) name,
    SPF_RESULT_MAP(SPF_X)
#undef SPF_X
} spf_result_t;

/** X(enumerator, word): what led to the result, one for each distinct story that a reason tells. */
#define SPF_CAUSE_MAP(X)                                                                                               \
    X(SPF_CAUSE_BAD_DOMAIN, "bad-domain")             /* none: the domain is no multi-label DNS name (4.3) */          \
    X(SPF_CAUSE_NO_DOMAIN, "no-domain")               /* none: NXDOMAIN (4.3) */                                       \
    X(SPF_CAUSE_NO_RECORD, "no-record")               /* none: no v=spf1 among its TXT records (4.5) */                \
    X(SPF_CAUSE_MATCH, "match")                       /* a mechanism matched (4.6.2) */                                \
    X(SPF_CAUSE_DEFAULT, "default")                   /* neutral: nothing matched, no redirect (4.7) */                \
    X(SPF_CAUSE_SEVERAL_RECORDS, "several-records")   /* permerror (4.5) */                                            \
    X(SPF_CAUSE_SYNTAX, "syntax")                     /* permerror (4.6) */                                            \
    X(SPF_CAUSE_LOOKUP_LIMIT, "lookup-limit")         /* permerror: the 11th term that needs DNS (4.6.4) */            \
    X(SPF_CAUSE_VOID_LIMIT, "void-limit")             /* permerror: the 3rd void lookup (4.6.4) */                     \
    X(SPF_CAUSE_MX_LIMIT, "mx-limit")                 /* permerror: more than 10 MX hosts (4.6.4) */                   \
    X(SPF_CAUSE_TARGET_NO_RECORD, "target-no-record") /* permerror: include or redirect to none (5.2, 6.1) */          \
    X(SPF_CAUSE_BAD_TARGET, "bad-target")             /* permerror: include or redirect to no DNS name (4.8) */        \
    X(SPF_CAUSE_DNS_TIMEOUT, "dns-timeout")           /* temperror: a question stayed without answer */                \
    X(SPF_CAUSE_DNS_ERROR, "dns-error")               /* temperror: SERVFAIL, REFUSED, ... (4.4, 5) */                 \
    X(SPF_CAUSE_DNS_BOGUS, "dns-bogus")               /* temperror: DNSSEC validation failed */                        \
    X(SPF_CAUSE_DEADLINE, "deadline")                 /* temperror: the whole check took too long (4.6.4) */

/** What led to the result; see #SPF_CAUSE_MAP. */
typedef enum spf_cause {
#define SPF_X(name, word) name,
    SPF_CAUSE_MAP(SPF_X)
#undef SPF_X
} spf_cause_t;

/** Which identity a check is about, RFC 7208 sections 2.3 and 2.4. */
typedef enum spf_identity {
    SPF_IDENTITY_MAILFROM, /**< the reverse-path; for the null one, postmaster@HELO */
    SPF_IDENTITY_HELO      /**< the HELO or EHLO name */
} spf_identity_t;

/** What DNSSEC says of all answers that the result rests on. */
typedef enum spf_dnssec {
    SPF_DNSSEC_INSECURE, /**< not validated, or some zone on the way is unsigned */
    SPF_DNSSEC_SECURE,   /**< every answer validated */
    SPF_DNSSEC_BOGUS     /**< an answer failed validation: the result is temperror */
} spf_dnssec_t;

/** The message for @p err, English, static; never NULL. */
SPF_API const char *spf_strerror(spf_err_t err);
/** The RFC's word for @p result ("pass"), static; "invalid" if it is none. */
SPF_API const char *spf_result_name(spf_result_t result);
/** The result that @p word names, in any case. @return false if it names none. */
SPF_API bool spf_result_from_name(const char *word, spf_result_t *result);
/** A short stable word for @p cause ("lookup-limit"), static. */
SPF_API const char *spf_cause_name(spf_cause_t cause);
/** "mailfrom" or "helo", static. */
SPF_API const char *spf_identity_name(spf_identity_t identity);
/** "insecure", "secure" or "bogus", static. */
SPF_API const char *spf_dnssec_name(spf_dnssec_t dnssec);
/** The version of the library that is running, static; #SPF_VERSION is that of the header. */
SPF_API const char *spf_version(void);

/* -------------------------------------------------------------------------------------------------- configuration */

/**
 * Settings by name, the same in a file, from a command line and from a program.
 *
 *     key               value                          default
 *     resolver          system, recursive, none, or    system
 *                       ADDR[@PORT], repeatable
 *     zone              master file, repeatable        -       alone with `resolver: none`, else on top of the network
 *     timeout           seconds, 0.001 to 600          20      one deadline for the whole check
 *     max-lookups       1 to 10                        10      terms that need DNS (4.6.4)
 *     max-void-lookups  0 to 10                        2       (4.6.4)
 *     max-mx-hosts      1 to 10                        10      per mx term (4.6.4)
 *     max-ptr-names     1 to 10                        10      per ptr term or %{p} (4.6.4)
 *     prefetch          yes or no                      yes     ask ahead for later terms; never changes a verdict
 *     trust-anchor      file                           -       DNSSEC validation, off without it
 *     receiver          host name                      this host's name, if it has a dot, else unknown
 *     explanation       text of at most 512 octets     -       for fail, where the domain publishes no exp
 *     record-cache      bytes, 0 to 1g                 8m      compiled records kept
 *     dns-cache         bytes, 64k to 4g               48m     libunbound's message and RRset caches together
 *     outgoing-sockets  16 to 16384                    1024    questions under way at once; lowered to fit the
 *                                                              process's file limit
 *
 * Sizes take the suffixes k, m and g. Not thread-safe; a context copies what it needs.
 */
typedef struct spf_config spf_config_t;

/** Where `spf_config_load(config, NULL)` looks. */
#define SPF_CONFIG_FILE "/etc/libspf.conf"

/** Makes a configuration with the defaults. @return SPF_OK or SPF_ENOMEM. */
SPF_API spf_err_t spf_config_new(spf_config_t **config);
/** Frees; NULL is ignored. */
SPF_API void spf_config_free(spf_config_t *config);
/**
 * Sets one key; the first `resolver` or `zone` set replaces the default, later ones add to it.
 * @return SPF_OK, SPF_ECONFIG (unknown key or bad value: spf_config_error() tells), SPF_ENOMEM.
 */
SPF_API spf_err_t spf_config_set(spf_config_t *config, const char *key, const char *value);
/**
 * Adds a zone given as text in master-file format, for what-if questions; as the key `zone` does with a file.
 * @return SPF_OK, SPF_ENOMEM. The text is parsed when a context is made.
 */
SPF_API spf_err_t spf_config_add_zone_text(spf_config_t *config, const char *text, size_t length);
/**
 * Reads `key: value` lines; `#` starts a comment. All of the file is applied or nothing.
 * @param path NULL for #SPF_CONFIG_FILE, which need not exist.
 * @return SPF_OK, SPF_ECONFIG (cannot be read, unknown key, bad value: spf_config_error() gives file, line, value
 *         and what is allowed), SPF_ENOMEM.
 */
SPF_API spf_err_t spf_config_load(spf_config_t *config, const char *path);
/** One sentence about the last failure of a call that was given @p config; "" if there was none. Lives in @p config. */
SPF_API const char *spf_config_error(const spf_config_t *config);

/* ------------------------------------------------------------------------------------------------------- contexts */

/** A resolver, its caches and the checks in flight. */
typedef struct spf_context spf_context_t;
/** One question and, once it is finished, its answer. */
typedef struct spf_check spf_check_t;

/**
 * Makes a context of the caller's own (say, one for each event loop).
 * @param config NULL for the defaults; its spf_config_error() tells why a call failed.
 * @return SPF_OK, SPF_ENOMEM, SPF_ECONFIG (a zone or trust-anchor file is missing or broken), SPF_ERESOLVER,
 *         SPF_ESYSTEM.
 */
SPF_API spf_err_t spf_context_new(spf_context_t **context, spf_config_t *config);
/** Another reference to @p context; give it back with spf_context_release(). */
SPF_API spf_context_t *spf_context_ref(spf_context_t *context);
/**
 * Gives up one reference. With the last one every check in flight is called back with SPF_ECANCELED, from inside this
 * call, and the context is freed; checks made from it can still be read and must still be freed.
 * May be called in a callback. NULL is ignored.
 */
SPF_API void spf_context_release(spf_context_t *context);
/**
 * The process-wide context, made at first use; a reference that the caller gives back with spf_context_release().
 * @param config_file the file it is configured from, or NULL for #SPF_CONFIG_FILE if that exists. The first caller's
 *        choice stands while anyone holds the context; another file asked for meanwhile is SPF_ESTATE.
 * @param error where to copy a sentence about a failure, of @p error_size octets; may be NULL.
 * @return as spf_context_new() and spf_config_load(). Thread-safe.
 */
SPF_API spf_err_t spf_context_shared(spf_context_t **context, const char *config_file, char *error, size_t error_size);

/**
 * One descriptor for the host's event loop: readable when spf_context_process() has something to do. The library
 * watches deadlines by itself through it, so spf_context_timeout_ms() is only needed by loops that cannot poll.
 * After a fork the child must ask again. @return the descriptor, or -1 if the resolver has none.
 */
SPF_API int spf_context_fd(spf_context_t *context);
/** Milliseconds until spf_context_process() must be called even if the descriptor stays quiet; -1: no need. */
SPF_API int spf_context_timeout_ms(spf_context_t *context);
/** Does what can be done without waiting and runs the callbacks that are due. @return SPF_OK or SPF_ESYSTEM. */
SPF_API spf_err_t spf_context_process(spf_context_t *context);
/**
 * Waits until something was done, at most @p timeout_ms (-1: until then), and runs the callbacks that are due.
 * Any number of threads may wait at once. @return SPF_OK (also when the time is over) or SPF_ESYSTEM.
 */
SPF_API spf_err_t spf_context_wait(spf_context_t *context, int timeout_ms);
/** How many checks are started and not yet called back. */
SPF_API size_t spf_context_pending(spf_context_t *context);

/* --------------------------------------------------------------------------------------------------------- checks */

/** Makes a check in @p context; free it with spf_check_free(). @return SPF_OK, SPF_ENOMEM. */
SPF_API spf_err_t spf_check_new(spf_check_t **check, spf_context_t *context);
/**
 * Frees @p check and all that was read from it. One in flight is called back with SPF_ECANCELED first, from inside
 * this call. Legal inside the check's own callback. NULL is ignored.
 */
SPF_API void spf_check_free(spf_check_t *check);

/* The setters return SPF_OK, SPF_EINVAL (spf_check_error() names the value and what is allowed), SPF_ENOMEM, or
 * SPF_ESTATE once the check was started. Texts are copied. */

/** The client's address: dotted quad or RFC 4291 text, no zone id; ::ffff:a.b.c.d is taken as IPv4. Required. */
SPF_API spf_err_t spf_check_set_ip(spf_check_t *check, const char *address);
/** The client's address as 4 or 16 octets in network order. */
SPF_API spf_err_t spf_check_set_ip_octets(spf_check_t *check, const uint8_t *octets, size_t length);
/** The reverse-path, without angle brackets; "", "<>" and NULL are the null one. At most 4096 octets of any value. */
SPF_API spf_err_t spf_check_set_sender(spf_check_t *check, const char *sender, size_t length);
/** The HELO or EHLO argument; "" and NULL: none was given. At most 4096 octets of any value. */
SPF_API spf_err_t spf_check_set_helo(spf_check_t *check, const char *helo, size_t length);
/** Which identity to check; SPF_IDENTITY_MAILFROM unless set. */
SPF_API spf_err_t spf_check_set_identity(spf_check_t *check, spf_identity_t identity);
/** This host's name for %{r} and the header fields; "" and NULL: the configuration's, as unless set. */
SPF_API spf_err_t spf_check_set_receiver(spf_check_t *check, const char *receiver);
/** The deadline in milliseconds, 1 to 600000; the configuration's unless set. */
SPF_API spf_err_t spf_check_set_timeout_ms(spf_check_t *check, unsigned timeout_ms);
/** Keep a trace (spf_check_step()); off unless set. */
SPF_API spf_err_t spf_check_set_trace(spf_check_t *check, bool trace);
/** After a permerror find out what the result had been with the offending term skipped; off unless set. */
SPF_API spf_err_t spf_check_set_would_be(spf_check_t *check, bool would_be);
/**
 * Evaluate this record text as if the checked domain had published it, without asking DNS for it (a policy of one's
 * own for domains without one; a record before it is published). NULL: ask DNS.
 */
SPF_API spf_err_t spf_check_set_record(spf_check_t *check, const char *record, size_t length);
/** One sentence about the last setter or start that failed; "" if none did. Lives in @p check. */
SPF_API const char *spf_check_error(const spf_check_t *check);

/**
 * Told that a check has ended: @p err is SPF_OK (read the verdict), SPF_ECANCELED, or why it could not be finished
 * (SPF_ENOMEM). Runs without any lock held: it may start, cancel and free checks, this one included, and release the
 * context.
 */
typedef void (*spf_check_callback_t)(spf_check_t *check, spf_err_t err, void *user_data);

/**
 * Starts @p check. Either this returns an error and @p callback is never called, or it returns SPF_OK and
 * @p callback is called exactly once, never from inside this call.
 * @return SPF_OK, SPF_EINVAL (no client address), SPF_ESTATE (started before), SPF_ENOMEM, SPF_ERESOLVER, SPF_ESYSTEM.
 */
SPF_API spf_err_t spf_check_start(spf_check_t *check, spf_check_callback_t callback, void *user_data);
/** Ends a check in flight: its callback is called with SPF_ECANCELED from inside this call. Otherwise does nothing. */
SPF_API void spf_check_cancel(spf_check_t *check);
/**
 * Runs @p check and waits for its end; without a system call where every answer is cached. Other checks of the
 * context go on meanwhile, and their callbacks may run in here. @return as spf_check_start(), or how the check ended.
 */
SPF_API spf_err_t spf_check_run(spf_check_t *check);

/* -------------------------------------------------------------------------------------------------------- verdict */

/**
 * What a check found. Everything in it lives until the check is freed. Texts are UTF-8 free of control characters
 * unless they say otherwise. Later versions add members at the end only.
 */
typedef struct spf_verdict {
    spf_result_t result;
    spf_cause_t cause;          /**< what led to it */
    const char *reason;         /**< the same in one sentence for an administrator */
    const char *explanation;    /**< for fail: the domain's exp text or the configured one, printable ASCII; or NULL */
    bool is_own_explanation;    /**< it is this host's configured text, not the domain's */
    const char *ip;             /**< the client's address in canonical text */
    const char *sender;         /**< as checked: postmaster@HELO for the null reverse-path; controls replaced by '?' */
    const char *helo;           /**< as given, controls replaced by '?'; "" if none */
    const char *receiver;       /**< this host's name */
    spf_identity_t identity;    /**< which identity was checked */
    const char *checked_domain; /**< the domain that was asked about, as A-labels; "" if it is none */
    const char *domain;         /**< the domain whose record decided */
    const char *record;         /**< that record as published, any octets; NULL if there is none */
    size_t record_length;       /**< its octets */
    const char *term;           /**< the term that decided, as published; NULL if none did */
    size_t term_offset;         /**< where it starts in the record */
    size_t term_length;         /**< its octets */
    size_t error_offset;        /**< for SPF_CAUSE_SYNTAX: the octet of the record that is wrong */
    const char *target;         /**< the DNS name that the deciding term or the failed question was about; or NULL */
    unsigned lookups;           /**< terms that needed DNS so far (4.6.4); 11 when the limit was the cause */
    unsigned void_lookups;      /**< of these, how many were void */
    unsigned dns_queries;       /**< questions asked in all, those asked ahead included, answered by a cache or not */
    int64_t ttl_s;              /**< lowest TTL of the answers used, in seconds; -1 if none was */
    uint64_t elapsed_us;        /**< from start to end */
    spf_dnssec_t dnssec;        /**< of the answers used */
    bool has_would_be;          /**< whether would_be says anything */
    spf_result_t would_be;      /**< after a permerror, on request: the result with the offending terms skipped */
} spf_verdict_t;

/** The verdict of a check that ended with SPF_OK; NULL before, and for any other end. */
SPF_API const spf_verdict_t *spf_check_verdict(const spf_check_t *check);

/** One term that needed DNS, in the order in which they were counted. Later versions add members at the end only. */
typedef struct spf_lookup {
    const char *domain;   /**< in whose record it stands */
    const char *term;     /**< as published */
    const char *target;   /**< the name it asked for */
    bool is_void;         /**< NXDOMAIN or no answer */
    unsigned dns_queries; /**< questions it needed: an mx asks for its hosts as well */
} spf_lookup_t;

/** Lookup @p index of the verdict's `lookups`; NULL past the last. */
SPF_API const spf_lookup_t *spf_check_lookup(const spf_check_t *check, size_t index);

/** X(enumerator, word): what became of a step of the trace. */
#define SPF_OUTCOME_MAP(X)                                                                                             \
    X(SPF_OUTCOME_PENDING, "pending") /* the check ended before it was decided */                                      \
    X(SPF_OUTCOME_RECORD, "record")   /* the domain's record was found */                                              \
    X(SPF_OUTCOME_NO_MATCH, "no match")                                                                                \
    X(SPF_OUTCOME_MATCH, "match")                                                                                      \
    X(SPF_OUTCOME_FOLLOWED, "followed") /* a redirect was followed, an exp text was fetched */                         \
    X(SPF_OUTCOME_NONE, "none")         /* the domain has no record */                                                 \
    X(SPF_OUTCOME_TEMPERROR, "temperror")                                                                              \
    X(SPF_OUTCOME_PERMERROR, "permerror")                                                                              \
    X(SPF_OUTCOME_UNUSABLE, "unusable") /* an exp that gives no explanation */

/** What became of a step; see #SPF_OUTCOME_MAP. */
typedef enum spf_outcome {
#define SPF_X(name, word) name,
    SPF_OUTCOME_MAP(SPF_X)
#undef SPF_X
} spf_outcome_t;

/** The word for @p outcome ("no match"), static. */
SPF_API const char *spf_outcome_name(spf_outcome_t outcome);

/** One step of the evaluation. Later versions add members at the end only. */
typedef struct spf_step {
    unsigned depth;        /**< 0 in the checked domain's record, one more inside each include */
    const char *domain;    /**< whose record it is about */
    const char *term;      /**< the term as published, controls replaced by '?'; NULL: the record itself was fetched */
    size_t term_offset;    /**< where it starts in that record */
    size_t term_length;    /**< its octets */
    const char *target;    /**< the name that it expanded to; NULL if it has none */
    const char *answer;    /**< what DNS said to that, for people ("192.0.2.1 192.0.2.9", "NXDOMAIN"); the record's
                                text for SPF_OUTCOME_RECORD; NULL if DNS was not needed */
    spf_outcome_t outcome; /**< what became of it */
    unsigned lookups;      /**< counted so far, this step included */
    unsigned void_lookups; /**< counted so far, this step included */
    const char *note;      /**< what else there is to know ("MX host mx2.example.com: SERVFAIL"); NULL if nothing */
} spf_step_t;

/** Step @p index of the trace; NULL past the last, or if no trace was asked for. */
SPF_API const spf_step_t *spf_check_step(const spf_check_t *check, size_t index);

/* --------------------------------------------------------------------------------------------------------- reports */

/** How a header field is folded at 78 columns. */
typedef enum spf_fold {
    SPF_FOLD_NONE, /**< one line */
    SPF_FOLD_LF,   /**< LF and a tab, as milters and Exim take them */
    SPF_FOLD_CRLF  /**< CR LF and a tab, as on the wire */
} spf_fold_t;

/* The report functions need a check that ended with SPF_OK; else, and without memory, they return NULL. Their texts
 * live until the check is freed, have no line end after the last line, and hold nothing that a sender or a DNS zone
 * could use to end the line, the field, the comment or a value. */

/** The whole "Received-SPF: ..." field, RFC 7208 section 9.1. */
SPF_API const char *spf_check_received_spf(spf_check_t *check, spf_fold_t fold);
/** The whole "Authentication-Results: ..." field for this one check, RFC 8601. */
SPF_API const char *spf_check_authentication_results(spf_check_t *check, spf_fold_t fold);
/** Only its method part, "spf=pass ...", to be joined with other methods' after the authserv-id. */
SPF_API const char *spf_check_authentication_resinfo(spf_check_t *check, spf_fold_t fold);

/** What to answer in SMTP if the mail is refused for this result. Later versions add members at the end only. */
typedef struct spf_smtp_reply {
    unsigned code;        /**< 550 for fail and permerror, 451 for temperror, else 250 */
    const char *enhanced; /**< "5.7.23", "5.7.24", "4.7.24" (RFC 7372) or "2.7.0" */
    const char *text;     /**< printable ASCII; lines are parted by LF, none over 450 octets */
} spf_smtp_reply_t;

/** The reply, RFC 7208 section 8 and RFC 7372. */
SPF_API const spf_smtp_reply_t *spf_check_smtp_reply(spf_check_t *check);
/** The trace, a line for each step, indented by depth, parted by LF; "" without one. */
SPF_API const char *spf_check_trace_text(spf_check_t *check);
/** Verdict, lookups, trace and reports as one JSON object on one line (docs: spf(1)). */
SPF_API const char *spf_check_json(spf_check_t *check);

#ifdef __cplusplus
}
#endif

#endif /* SPF_H */
