/* SPDX-License-Identifier: MIT */
/* A DNS message read as the answer to one question: first what it comes to, then its data. */
#ifndef SPF_DNS_PACKET_H
#define SPF_DNS_PACKET_H

#include "base/name.h"
#include "core/query.h"

#include <arpa/nameser.h>

typedef struct spf_packet {
    ns_msg message;
    uint16_t type;
    spf_dns_status_t status;      /* SPF_DNS_ERROR for a message that cannot be parsed */
    const char *detail;           /* of an error, static; or NULL */
    uint32_t ttl_s;               /* lowest of the CNAMEs and the data; of a void answer: RFC 2308 section 5 */
    uint32_t count;               /* records of the type asked for at the end of the CNAME chain */
    size_t octets;                /* room that their names or texts need */
    unsigned cnames;              /* followed */
    uint8_t owner[NS_MAXCDNAME];  /* the name at the end of the chain, in wire format */
    char owner_text[NS_MAXDNAME]; /* the same, as the C library writes the owners of records */
} spf_packet_t;

/* Reads a message as the answer to the question for name (a DNS name) and type. The data must outlive the packet. */
void spf_packet_read(spf_packet_t *packet, const uint8_t *data, size_t length, const char *name, size_t name_length,
                     uint16_t type);
/* NOERROR or NXDOMAIN, without data. */
bool spf_packet_is_void(const spf_packet_t *packet);
/* The name at the end of the CNAME chain as a DNS name; false if it cannot be one (it has a dot within a label). */
bool spf_packet_owner(const spf_packet_t *packet, spf_name_t *name);
/* Answers the query, which must be in state SPF_QUERY_ASKED, with what was read; its TTL becomes at most ttl_max_s. */
void spf_packet_answer(spf_packet_t *packet, spf_query_t *query, spf_dnssec_t dnssec, uint32_t ttl_max_s);
/* A response code as administrators know it ("SERVFAIL"), static. */
const char *spf_packet_rcode_name(unsigned rcode);

#endif
