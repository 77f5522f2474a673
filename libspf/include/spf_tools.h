/* SPDX-License-Identifier: MIT */
/**
 * @file spf_tools.h
 * The record tools of libspf: is my record right, what does it authorise, how do I write it, how do I get under ten
 * lookups, and what does that header mean?
 *
 * One thing here asks DNS: a *survey*, which finds everything that a domain's record leads to. It is started, waited
 * for and cancelled as a check is. All else is worked out from a finished survey, or from text, without waiting.
 *
 *     spf_survey_t *survey;
 *     spf_survey_new(&survey, context);
 *     spf_survey_set_domain(survey, "example.com", SPF_STRLEN);
 *     if (spf_survey_run(survey) == SPF_OK)
 *         puts(spf_survey_text(survey, 0));
 *     spf_survey_free(survey);
 *
 * Threads and forks: as with checks (spf.h). Texts are UTF-8 free of control characters unless they say otherwise.
 * Structs get new members at their end only.
 */
#ifndef SPF_TOOLS_H
#define SPF_TOOLS_H

#include "spf.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Addresses that share a prefix. */
typedef struct spf_network {
    uint8_t family;     /**< 4 or 6 */
    uint8_t prefix;     /**< bits, up to 32 or 128 */
    uint8_t octets[16]; /**< network order, host bits zero; the first 4 for IPv4, the rest 0 */
} spf_network_t;

/* ---------------------------------------------------------------------------------------------------------- surveys */

/** Everything that a domain's record leads to. */
typedef struct spf_survey spf_survey_t;

/** What a survey looks for; any of them together. */
typedef enum spf_survey_scope {
    SPF_SURVEY_RECORDS = 1,   /**< the record, and those of its includes and redirects */
    SPF_SURVEY_ADDRESSES = 2, /**< what a, mx and exists terms stand for */
    SPF_SURVEY_NEARBY = 4     /**< what people do wrong around a record: other names, DMARC, type 99 */
} spf_survey_scope_t;

/** Makes a survey in @p context; free it with spf_survey_free(). @return SPF_OK, SPF_ENOMEM. */
SPF_API spf_err_t spf_survey_new(spf_survey_t **survey, spf_context_t *context);
/** As spf_check_free(). */
SPF_API void spf_survey_free(spf_survey_t *survey);

/* The setters return SPF_OK, SPF_EINVAL (spf_survey_error() names the value and what is allowed), SPF_ENOMEM, or
 * SPF_ESTATE once the survey was started. Texts are copied. */

/** The domain; U-labels become A-labels. Required, unless a record is given. */
SPF_API spf_err_t spf_survey_set_domain(spf_survey_t *survey, const char *domain, size_t length);
/**
 * Survey this record, of at most 64 KiB, as if the domain had published it. Also as it stands in a zone file, as
 * "quoted" "strings". Without a domain, terms that mean the domain itself stand for nothing.
 */
SPF_API spf_err_t spf_survey_set_record(spf_survey_t *survey, const char *record, size_t length);
/** SPF_SURVEY_... together; SPF_SURVEY_RECORDS | SPF_SURVEY_ADDRESSES unless set; 0 asks DNS for nothing but the
 * record. */
SPF_API spf_err_t spf_survey_set_scope(spf_survey_t *survey, unsigned scope);
/** As spf_check_set_timeout_ms(). What was not answered by then is reported as SPF_NODE_TIMEOUT and the like. */
SPF_API spf_err_t spf_survey_set_timeout_ms(spf_survey_t *survey, unsigned timeout_ms);
/** One sentence about the last setter, start or tool that failed; "" if none did. Lives in @p survey. */
SPF_API const char *spf_survey_error(const spf_survey_t *survey);

/** As spf_check_callback_t. */
typedef void (*spf_survey_callback_t)(spf_survey_t *survey, spf_err_t err, void *user_data);
/** As spf_check_start(). */
SPF_API spf_err_t spf_survey_start(spf_survey_t *survey, spf_survey_callback_t callback, void *user_data);
/** As spf_check_cancel(). */
SPF_API void spf_survey_cancel(spf_survey_t *survey);
/** As spf_check_run(). */
SPF_API spf_err_t spf_survey_run(spf_survey_t *survey);

/** X(enumerator, word): what was found where a record should be. */
#define SPF_NODE_MAP(X)                                                                                                \
    X(SPF_NODE_RECORD, "record")                                                                                       \
    X(SPF_NODE_NO_DOMAIN, "no-domain") /* NXDOMAIN */                                                                  \
    X(SPF_NODE_NO_RECORD, "no-record") /* the domain is there, a record is not */                                      \
    X(SPF_NODE_SEVERAL, "several")     /* several records */                                                           \
    X(SPF_NODE_TIMEOUT, "timeout")                                                                                     \
    X(SPF_NODE_ERROR, "error")         /* SERVFAIL, REFUSED, ... */                                                    \
    X(SPF_NODE_BOGUS, "bogus")         /* DNSSEC validation failed */                                                  \
    X(SPF_NODE_BAD_NAME, "bad-name")   /* the term leads to no DNS name */                                             \
    X(SPF_NODE_MACRO, "macro")         /* which name it is depends on the mail */                                      \
    X(SPF_NODE_LOOP, "loop")           /* a record that is above it in the tree */                                     \
    X(SPF_NODE_NOT_ASKED, "not-asked") /* outside the scope, or past what a survey follows */

/** What was found where a record should be; see #SPF_NODE_MAP. */
typedef enum spf_node_status {
#define SPF_X(name, word) name,
    SPF_NODE_MAP(SPF_X)
#undef SPF_X
} spf_node_status_t;

/** The word for @p status ("no-record"), static. */
SPF_API const char *spf_node_status_name(spf_node_status_t status);

/** A record of the tree, and one term of it; the counters are those of a mail that no term matches. */
typedef struct spf_node spf_node_t;
typedef struct spf_node_term {
    const char *text;         /**< as published, controls replaced by '?' */
    size_t offset;            /**< where it starts in the record, in octets */
    size_t length;            /**< its octets */
    const char *kind;         /**< "include", "ip4", ..., "modifier" for an unknown one, "invalid" for a syntax error */
    bool is_mechanism;        /**< then result is what its qualifier gives */
    spf_result_t result;      /**< pass, fail, softfail or neutral */
    const char *target;       /**< the DNS name it is about; NULL if it has none or that depends on the mail */
    bool depends_on_mail;     /**< a macro, ptr: what it stands for cannot be said without a mail */
    bool is_reached;          /**< false behind an all or an include that ends in +all, for a redirect beside an all,
                                   and below such */
    unsigned lookup_number;   /**< its place among the terms that need DNS, from 1 on (4.6.4); 0: it needs none, or is
                                   not reached */
    unsigned void_number;     /**< its place among the void lookups of an IPv4 client; 0: it is none */
    bool is_past_limit;       /**< for an IPv4 client it is the 11th lookup, the 3rd void one, or comes after them */
    spf_node_status_t status; /**< of its own question; SPF_NODE_RECORD: there is what it asks for, or it asks nothing */
    const char *answer;       /**< what DNS said, for people ("2 hosts: 192.0.2.1 192.0.2.9", "NXDOMAIN"); or NULL */
    int64_t ttl_s;            /**< lowest TTL of its answers; -1: none */
    const spf_network_t *networks; /**< what it stands for, as published or resolved */
    size_t network_count;
    unsigned host_count;     /**< of an mx: its hosts */
    const spf_node_t *child; /**< of include and redirect, if its record was asked for (whatever came of it); or NULL */
    unsigned void_number6;   /**< as void_number of an IPv6 client: a terms ask for AAAA then, and can be void */
    bool is_past_limit6;     /**< as is_past_limit of an IPv6 client */
} spf_node_term_t;

struct spf_node {
    const spf_node_t *parent; /**< NULL for the first */
    size_t parent_term;       /**< by which of the parent's terms */
    unsigned depth;           /**< 0 for the first */
    const char *domain;       /**< "" if none was given */
    spf_node_status_t status;
    const char *detail; /**< of a failure ("SERVFAIL"), or NULL */
    const char *record; /**< as published, any octets; NULL if there is none; of several: the first */
    size_t record_length;
    unsigned record_count; /**< v=spf1 records at this name */
    int64_t ttl_s;         /**< -1 if there was no answer */
    spf_dnssec_t dnssec;
    bool has_syntax_error;
    size_t error_offset; /**< the octet of the record that is wrong */
    const char *error;   /**< what was expected there; or NULL */
    unsigned lookups;    /**< terms in this record and below that need DNS and are reached */
    unsigned void_lookups;
    unsigned answer_octets;       /**< of a DNS message with all TXT records of the name, without EDNS; 0: not known */
    const spf_node_term_t *terms; /**< of several records: none */
    size_t term_count;
    unsigned void_lookups6; /**< void_lookups being those of an IPv4 client: of an IPv6 client */
    /** Lookups and void ones of everything that is evaluated up to the end of this record, of an IPv4 client and of an
     * IPv6 client. */
    unsigned running_lookups, running_void_lookups, running_void_lookups6;
};

/** What a survey found in sum. */
typedef struct spf_survey_summary {
    unsigned lookups, void_lookups;         /**< of a mail that no term matches */
    unsigned max_lookups, max_void_lookups; /**< the limits that they are held against: the configuration's */
    size_t records;                         /**< nodes with a record */
    size_t networks;                        /**< that may send: the result is pass, merged as far as possible */
    bool is_complete;                       /**< no question failed and nothing was left out */
    bool is_permerror;                      /**< a mail from IPv4 that no term matches gets permerror */
    int64_t ttl_s;                          /**< lowest of all answers; -1: none */
    uint64_t elapsed_us;
    unsigned void_lookups6; /**< void_lookups being those of an IPv4 client: of an IPv6 client */
    bool is_permerror6;     /**< the same as is_permerror of an IPv6 client */
    bool is_anybody;        /**< the networks that may send are all there are */
    bool has_failure;       /**< a question failed: SERVFAIL, a timeout, a forged answer; another time may be better */
} spf_survey_summary_t;

/* Of a survey that ended with SPF_OK; else, and without memory, NULL. All of it lives until the survey is freed. */

/** Node @p index of the tree, each before what it leads to; NULL past the last. */
SPF_API const spf_node_t *spf_survey_node(const spf_survey_t *survey, size_t index);
SPF_API const spf_survey_summary_t *spf_survey_summary(const spf_survey_t *survey);

/** How the tree is drawn; any of them together. */
typedef enum spf_text_style {
    SPF_TEXT_ASCII = 1,    /**< without UTF-8 lines */
    SPF_TEXT_COLOR = 2,    /**< with the SGR sequences of ECMA-48 */
    SPF_TEXT_NETWORKS = 4  /**< with every network, not only the first few */
} spf_text_style_t;

/** The tree for a terminal of 80 columns: each record with what its terms lead to, and what it comes to, in lines
 * parted by LF. @p style: SPF_TEXT_... together, or 0. */
SPF_API const char *spf_survey_text(spf_survey_t *survey, unsigned style);
/** The tree, the summary and the remarks as one JSON object on one line (docs: spf-lookup(1)). */
SPF_API const char *spf_survey_json(spf_survey_t *survey);
/** The tree as a Graphviz digraph. */
SPF_API const char *spf_survey_dot(spf_survey_t *survey);

/* ---------------------------------------------------------------------------------------------------------- remarks */

/** X(enumerator, word): how bad it is. */
#define SPF_SEVERITY_MAP(X)                                                                                            \
    X(SPF_SEVERITY_ERROR, "error")     /* mail fails of it, or may */                                                  \
    X(SPF_SEVERITY_WARNING, "warning") /* it does not do what was meant, or does harm */                               \
    X(SPF_SEVERITY_ADVICE, "advice")   /* it could be better */

/** How bad a remark is; see #SPF_SEVERITY_MAP. */
typedef enum spf_severity {
#define SPF_X(name, word) name,
    SPF_SEVERITY_MAP(SPF_X)
#undef SPF_X
} spf_severity_t;

/** "error", "warning" or "advice", static. */
SPF_API const char *spf_severity_name(spf_severity_t severity);

/** One thing that lint has to say. */
typedef struct spf_remark {
    spf_severity_t severity;
    const char *code;       /**< a stable word: "lookup-limit" (spf-lint(1) lists them) */
    const char *domain;     /**< whose record; "" where none was given */
    const spf_node_t *node; /**< that record's; or NULL: about the domain as a whole */
    const char *record;     /**< the text that offsets count in: the node's record, or one that was meant to be one;
                                 any octets; NULL: the remark is about no text */
    size_t record_length;
    size_t offset, length; /**< which octets; 0, 0: the text as a whole; length 0 elsewhere: something lacks there */
    const char *section;   /**< "RFC 7208 section 4.6.4" */
    const char *sentence;  /**< what is wrong, or could be better */
    const char *fix;       /**< what to do, in a sentence; or NULL */
    const char *replacement; /**< what to put in place of these octets, where that is certain, "" deletes; or NULL */
    size_t replace_offset, replace_length;
} spf_remark_t;

/** Remark @p index of a finished survey, errors first, then as they stand in the tree; NULL past the last. */
SPF_API const spf_remark_t *spf_survey_remark(spf_survey_t *survey, size_t index);
/**
 * The first record, or the text that was meant to be it, with every certain fix made. It has no syntax error: NULL if
 * one remains, if there is nothing to fix, or no record. @p length may be NULL.
 */
SPF_API const char *spf_survey_fixed_record(spf_survey_t *survey, size_t *length);

/* ------------------------------------------------------------------------------------------- records to be published
 */

/** A set of TXT records that make up one policy: the first is the domain's own. */
typedef struct spf_draft spf_draft_t;

/** One TXT record of a draft. */
typedef struct spf_draft_record {
    const char *name; /**< where it goes, without trailing dot; "" if no domain was given */
    const char *text; /**< the record, printable ASCII */
    size_t length;
    unsigned answer_octets; /**< of a DNS message that holds it alone, without EDNS */
} spf_draft_record_t;

/** Frees; NULL is ignored. */
SPF_API void spf_draft_free(spf_draft_t *draft);
/** Record @p index; NULL past the last. */
SPF_API const spf_draft_record_t *spf_draft_record(const spf_draft_t *draft, size_t index);
/** Terms that need DNS in a mail that no term matches, so far as can be told without asking. */
SPF_API unsigned spf_draft_lookups(const spf_draft_t *draft);
/** Something that was left as it is or could not be done, in a sentence; NULL past the last. */
SPF_API const char *spf_draft_note(const spf_draft_t *draft, size_t index);
/** Zone-file lines, parted by LF: strings of at most 255 octets; @p ttl_s 0: without a TTL. NULL without memory, as what
 * follows; all live until the draft is freed. */
SPF_API const char *spf_draft_zone(spf_draft_t *draft, uint32_t ttl_s);
/**
 * The same as commands of nsupdate(1) that put them in place of the record that is there, and leave the name's other TXT
 * records as they are. Where these are not known, because nobody asked for them (compose; a given record surveyed without
 * #SPF_SURVEY_NEARBY), the server refuses the update if there are any.
 * @param ttl_s of the name's TXT records; 0: an hour.
 * @param zone the zone that the update is for; or NULL.
 * @param server "ADDR" or "ADDR@PORT"; or NULL.
 * @return NULL also for a draft without a domain.
 */
SPF_API const char *spf_draft_nsupdate(spf_draft_t *draft, uint32_t ttl_s, const char *zone, const char *server);
/** As one JSON object on one line (docs: spf-flatten(1)). */
SPF_API const char *spf_draft_json(spf_draft_t *draft);

/** What compose is given. */
typedef struct spf_compose_options {
    size_t size;                /**< sizeof(spf_compose_options_t) */
    const char *domain;         /**< for the zone line; or NULL */
    const char *const *senders; /**< addresses, networks, host names (as a:), "mx", "a", whole terms, and whole records
                                     ("v=spf1 ...") that are merged */
    size_t sender_count;
    const char *all; /**< "-all", "~all", "?all"; NULL: that of the records merged, the strictest; else "~all", or,
                        without any sender, "-all" */
} spf_compose_options_t;

/**
 * A valid, ordered, minimal record from what may send. Asks DNS for nothing.
 * @param error where to copy a sentence about a failure, of @p error_size octets; may be NULL.
 * @return SPF_OK, SPF_EINVAL (a sender is none of these, names the value), SPF_ENOMEM.
 */
SPF_API spf_err_t spf_compose(spf_draft_t **draft, const spf_compose_options_t *options, char *error,
                              size_t error_size);

/** What flatten is given. */
typedef struct spf_flatten_options {
    size_t size;             /**< sizeof(spf_flatten_options_t) */
    const char *const *keep; /**< domains whose includes stay as they are; or NULL */
    size_t keep_count;
    const char *prefix;  /**< of the names of further records, "_spf" unless set: _spf1.example.com, ... */
    unsigned answer_max; /**< octets of a DNS answer, 128 to 65535; 0: 512, or, where that would take more than ten
                              lookups, 1232 */
} spf_flatten_options_t;

/**
 * Records with the same verdict for every client address and fewer lookups, from a finished survey with addresses.
 * It proves itself: both are evaluated for the edges of every network that either names, and a difference is an error.
 * @return SPF_OK, SPF_EINVAL (spf_survey_error(): the survey is not complete, the record has errors, too long, ...),
 *         SPF_ESTATE, SPF_ENOMEM.
 */
SPF_API spf_err_t spf_survey_flatten(spf_survey_t *survey, const spf_flatten_options_t *options, spf_draft_t **draft);

/* --------------------------------------------------------------------------------------------------------- evidence */

/** What a header field says of an SPF check that somebody made. Members that it does not tell are NULL. */
typedef struct spf_evidence_item {
    const char *field;  /**< its name, such as "Received-SPF": see spf_evidence(3) */
    const char *result; /**< the word as it stands there */
    bool has_result;    /**< whether that is a result that there is, then: */
    spf_result_t value;
    const char *ip, *sender, *helo, *receiver;
    spf_identity_t identity;
    const char *comment;   /**< what it says about why */
    size_t offset, length; /**< where in the text the field stands */
} spf_evidence_item_t;

/** The SPF story that a header field or a whole message tells. */
typedef struct spf_evidence spf_evidence_t;

/**
 * Reads a Received-SPF or Authentication-Results field, several, or a whole message (its header section is read).
 * @return SPF_OK, also if nothing is found; SPF_ENOMEM.
 */
SPF_API spf_err_t spf_evidence_new(spf_evidence_t **evidence, const char *text, size_t length);
/** Frees; NULL is ignored. */
SPF_API void spf_evidence_free(spf_evidence_t *evidence);
/** Item @p index, in the order of the text; NULL past the last. */
SPF_API const spf_evidence_item_t *spf_evidence_item(const spf_evidence_t *evidence, size_t index);
/** What all items together tell of the check that the topmost was about: what one lacks another fills in. */
SPF_API const spf_evidence_item_t *spf_evidence_check(const spf_evidence_t *evidence);

/**
 * For a check that ended with SPF_OK: what the result means, and what the domain's owner, the sender and the receiver
 * can do about it; sentences parted by LF. @p then is what a header said, or NULL. Lives until the check is freed.
 */
SPF_API const char *spf_check_advice(spf_check_t *check, const spf_evidence_item_t *then);

#ifdef __cplusplus
}
#endif

#endif /* SPF_TOOLS_H */
