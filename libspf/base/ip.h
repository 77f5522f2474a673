/* SPDX-License-Identifier: MIT */
/* Client addresses and networks. */
#ifndef SPF_BASE_IP_H
#define SPF_BASE_IP_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct spf_ip {
    uint8_t family;     /* 4 or 6 */
    uint8_t octets[16]; /* network order; the first 4 for IPv4, the rest 0 */
} spf_ip_t;

enum { SPF_IP_TEXT_MAX = 46 }; /* with the NUL */

/* Dotted quad without leading zeros: RFC 7208 section 5.6, ip4-network. */
bool spf_ip_parse_v4(spf_ip_t *ip, const char *text, size_t length);
/* RFC 4291 section 2.2 text, no zone id. An IPv4-mapped address stays IPv6 here. */
bool spf_ip_parse_v6(spf_ip_t *ip, const char *text, size_t length);
/* A client's address: either family; IPv4-mapped becomes IPv4. */
bool spf_ip_parse_client(spf_ip_t *ip, const char *text, size_t length);
/* From 4 or 16 octets; IPv4-mapped becomes IPv4. False for another length. */
bool spf_ip_from_octets(spf_ip_t *ip, const uint8_t *octets, size_t length);

/* Whether the first prefix bits of ip's family's octets equal those of octets (4 or 16 of them). */
bool spf_ip_prefix_equals(const spf_ip_t *ip, const uint8_t *octets, unsigned prefix);

/* Canonical text (RFC 5952): what %{c} gives. */
void spf_ip_add_text(spf_buf_t *buf, const spf_ip_t *ip);
/* What %{i} gives: dotted quad, or 32 upper-case nibbles parted by dots (RFC 7208 section 7.3). */
void spf_ip_add_dotted(spf_buf_t *buf, const spf_ip_t *ip);
/* The name of its PTR records, lower case: "7.2.0.192.in-addr.arpa". */
void spf_ip_add_reverse_name(spf_buf_t *buf, const spf_ip_t *ip);

#endif
