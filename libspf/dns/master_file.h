/* SPDX-License-Identifier: MIT */
/* Reads zones in master-file format (RFC 1035 section 5, RFC 2308 section 4), record by record. */
#ifndef SPF_DNS_MASTER_FILE_H
#define SPF_DNS_MASTER_FILE_H

#include "base/buf.h"

enum { SPF_WIRE_NAME_MAX = 255, SPF_CHARACTER_STRING_MAX = 255 };

/* A name in wire format, in the case it was written in. */
typedef struct spf_wire_name {
    uint8_t length;
    uint8_t octets[SPF_WIRE_NAME_MAX];
} spf_wire_name_t;

/* A piece of an entry as it was written, without the quotes around it. */
typedef struct spf_master_token {
    const char *text;
    size_t length;
    bool is_quoted;
} spf_master_token_t;

typedef enum spf_master_next {
    SPF_MASTER_ITEM,
    SPF_MASTER_END,  /* of the entry, of the file */
    SPF_MASTER_ERROR /* the error sentence is written */
} spf_master_next_t;

typedef struct spf_master {
    const char *source; /* for errors: the path */
    const char *text;
    size_t length;
    size_t at;
    size_t line;    /* counted from 1 */
    unsigned depth; /* of parentheses */
    bool has_owner; /* some entry had one */
    uint32_t ttl_s; /* of records without */
    spf_wire_name_t origin;
    spf_wire_name_t owner;
    spf_buf_t *error;
} spf_master_t;

typedef struct spf_master_record {
    const spf_wire_name_t *owner; /* lives until the next record */
    uint32_t ttl_s;
    const char *type; /* static, as RFCs write it; NULL: one written as TYPE and a number */
} spf_master_record_t;

/* A reader of a text that outlives it. The origin is the root, the default TTL an hour. */
void spf_master_init(spf_master_t *master, const char *source, const char *text, size_t length, spf_buf_t *error);
/* The next record, up to its type. Its data is then read by tokens up to SPF_MASTER_END. */
spf_master_next_t spf_master_next_record(spf_master_t *master, spf_master_record_t *record);
spf_master_next_t spf_master_next_token(spf_master_t *master, spf_master_token_t *token);
/* A token as a name; one that does not end in a dot is continued with the origin. False: the error is written. */
bool spf_master_name(spf_master_t *master, const spf_master_token_t *token, spf_wire_name_t *name);
/* A token as a <character-string>: its octets, escapes resolved. False: the error is written. */
bool spf_master_string(spf_master_t *master, const spf_master_token_t *token, uint8_t *octets, size_t *length);
/* Writes "SOURCE:LINE: problem", with the token, if any, named between. Returns false. */
bool spf_master_fail(spf_master_t *master, const char *problem, const spf_master_token_t *token);

#endif
