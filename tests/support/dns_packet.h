/* SPDX-License-Identifier: MIT */
/* Questions read from, and a zone's answers written as, DNS messages (RFC 1035, RFC 6891). */
#ifndef TESTS_SUPPORT_DNS_PACKET_H
#define TESTS_SUPPORT_DNS_PACKET_H

#include "support/zone_data.h"

enum { DNS_PACKET_MAX = 65535, DNS_PACKET_UDP_MIN = 512, DNS_PACKET_QUESTION_MAX = 12 + 255 + 4 };

typedef struct dns_question {
    uint8_t octets[DNS_PACKET_QUESTION_MAX]; /* header and question, to be repeated in the answer */
    size_t octet_count;
    char name[256]; /* as asked, labels parted by dots, no trailing dot */
    size_t name_length;
    uint16_t type;
    bool has_edns;
    size_t udp_room; /* how long an answer over UDP may be */
} dns_question_t;

/* False if the message is not one question of class IN for a name that a zone can hold. */
bool dns_question_parse(dns_question_t *question, const uint8_t *packet, size_t length);
/* Makes a question of its own, with EDNS. */
void dns_question_make(dns_question_t *question, const char *name, size_t length, uint16_t type);

/*
 * Writes the answer into room octets; if they are too few, one with the TC bit and no records. The TTL is that of the
 * records and of a negative answer. Returns its length, 0 if even that does not fit.
 */
size_t dns_answer_write(uint8_t *packet, size_t room, const dns_question_t *question, const zone_answer_t *answer,
                        uint32_t ttl_s);
/* Whether the TC bit is set in an answer written. */
bool dns_answer_is_truncated(const uint8_t *packet);

#endif
