/* SPDX-License-Identifier: MIT */
#include "support/dns_packet.h"

#include <string.h>

enum {
    DNS_HEADER_SIZE = 12,
    DNS_CLASS_IN = 1,
    DNS_TYPE_SOA = 6,
    DNS_TYPE_OPT = 41,
    DNS_EDNS_SIZE = 4096,
    DNS_POINTER_TO_QUESTION = 0xc000 | DNS_HEADER_SIZE,
    DNS_FLAG_QR = 0x80,
    DNS_FLAG_TC = 0x02,
    DNS_FLAG_RD = 0x01,
    DNS_FLAG_RA = 0x80,
    DNS_RCODE_SERVFAIL = 2,
    DNS_RCODE_NXDOMAIN = 3
};

/* What does not fit is remembered, not written. */
typedef struct dns_writer {
    uint8_t *data;
    size_t used, room;
    bool full;
} dns_writer_t;

static void dns_put(dns_writer_t *writer, const void *octets, size_t length)
{
    if (writer->full || length > writer->room - writer->used) {
        writer->full = true;
        return;
    }
    memcpy(writer->data + writer->used, octets, length);
    writer->used += length;
}

static void dns_put_u8(dns_writer_t *writer, unsigned number)
{
    dns_put(writer, &(uint8_t){(uint8_t)number}, 1);
}

static void dns_put_u16(dns_writer_t *writer, unsigned number)
{
    dns_put_u8(writer, number >> 8 & 0xff);
    dns_put_u8(writer, number & 0xff);
}

static void dns_put_u32(dns_writer_t *writer, uint32_t number)
{
    dns_put_u16(writer, number >> 16);
    dns_put_u16(writer, number & 0xffff);
}

/* A valid name (see zone_name_is_valid), uncompressed, with or without a trailing dot. */
static void dns_put_name(dns_writer_t *writer, const char *name, size_t length)
{
    while (length && !(length == 1 && *name == '.')) {
        const char *dot = memchr(name, '.', length);
        size_t label = dot ? (size_t)(dot - name) : length;
        dns_put_u8(writer, (unsigned)label);
        dns_put(writer, name, label);
        name += label + (dot ? 1 : 0);
        length -= label + (dot ? 1 : 0);
    }
    dns_put_u8(writer, 0);
}

static void dns_patch_u16(uint8_t *at, size_t number)
{
    at[0] = (uint8_t)(number >> 8);
    at[1] = (uint8_t)number;
}

static unsigned dns_get_u16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* Reads the uncompressed name of the question; returns the octets it takes, 0 if it is broken. */
static size_t dns_question_name(dns_question_t *question, const uint8_t *from, size_t length)
{
    size_t at = 0, used = 0;
    while (at < length && from[at] != 0) {
        size_t label = from[at++];
        if (label > 63 || label > length - at || used + label + 1 >= sizeof question->name)
            return 0;
        if (used)
            question->name[used++] = '.';
        memcpy(question->name + used, from + at, label);
        if (memchr(from + at, '.', label))
            return 0;
        used += label;
        at += label;
    }
    question->name_length = used;
    question->name[used] = '\0';
    return at < length ? at + 1 : 0;
}

/* The OPT record of a query, if it is the only additional one: root name, type, payload size as class. */
static void dns_question_edns(dns_question_t *question, const uint8_t *from, size_t length)
{
    question->udp_room = DNS_PACKET_UDP_MIN;
    question->has_edns = length >= 11 && from[0] == 0 && dns_get_u16(from + 1) == DNS_TYPE_OPT;
    if (question->has_edns && dns_get_u16(from + 3) > DNS_PACKET_UDP_MIN)
        question->udp_room = dns_get_u16(from + 3);
}

bool dns_question_parse(dns_question_t *question, const uint8_t *packet, size_t length)
{
    if (length < DNS_HEADER_SIZE || packet[2] & DNS_FLAG_QR || dns_get_u16(packet + 4) != 1)
        return false;
    size_t name = dns_question_name(question, packet + DNS_HEADER_SIZE, length - DNS_HEADER_SIZE);
    size_t end = DNS_HEADER_SIZE + name + 4;
    if (name == 0 || end > length || end > sizeof question->octets || dns_get_u16(packet + end - 2) != DNS_CLASS_IN)
        return false;
    if (!zone_name_is_valid(question->name, question->name_length))
        return false;
    memcpy(question->octets, packet, end);
    question->octet_count = end;
    question->type = (uint16_t)dns_get_u16(packet + end - 4);
    dns_question_edns(question, packet + end, length - end);
    return true;
}

void dns_question_make(dns_question_t *question, const char *name, size_t length, uint16_t type)
{
    dns_writer_t writer = {question->octets, 0, sizeof question->octets, false};
    dns_put(&writer, (const uint8_t[DNS_HEADER_SIZE]){[2] = DNS_FLAG_RD, [5] = 1}, DNS_HEADER_SIZE);
    dns_put_name(&writer, name, length);
    dns_put_u16(&writer, type);
    dns_put_u16(&writer, DNS_CLASS_IN);
    question->octet_count = writer.used;
    memcpy(question->name, name, length);
    question->name_length = length;
    question->name[length] = '\0';
    question->type = type;
    question->has_edns = true;
    question->udp_room = DNS_PACKET_MAX;
}

/* A name that owns records: the question's by a pointer to it. */
static void dns_put_owner(dns_writer_t *writer, const char *name, size_t length)
{
    if (name)
        dns_put_name(writer, name, length);
    else
        dns_put_u16(writer, DNS_POINTER_TO_QUESTION);
}

static void dns_put_record(dns_writer_t *writer, const char *owner, size_t owner_length, const zone_record_t *record,
                           uint32_t ttl_s)
{
    dns_put_owner(writer, owner, owner_length);
    dns_put_u16(writer, record->type);
    dns_put_u16(writer, DNS_CLASS_IN);
    dns_put_u32(writer, ttl_s);
    size_t length_at = writer->used;
    dns_put_u16(writer, 0);
    if (record->type == SPF_TYPE_MX)
        dns_put_u16(writer, record->preference);
    if (record->type == SPF_TYPE_MX || record->type == SPF_TYPE_PTR || record->type == ZONE_TYPE_CNAME)
        dns_put_name(writer, (const char *)record->data, record->length);
    else
        dns_put(writer, record->data, record->length);
    if (!writer->full)
        dns_patch_u16(writer->data + length_at, writer->used - length_at - 2);
}

/* The SOA of the root, which makes a negative answer one that may be kept (RFC 2308). */
static void dns_put_soa(dns_writer_t *writer, uint32_t ttl_s)
{
    dns_put_u8(writer, 0);
    dns_put_u16(writer, DNS_TYPE_SOA);
    dns_put_u16(writer, DNS_CLASS_IN);
    dns_put_u32(writer, ttl_s);
    dns_put_u16(writer, 2 + 5 * 4);
    dns_put_u16(writer, 0); /* MNAME and RNAME are the root */
    for (unsigned i = 0; i < 4; i++)
        dns_put_u32(writer, 1); /* SERIAL, REFRESH, RETRY, EXPIRE */
    dns_put_u32(writer, ttl_s); /* MINIMUM */
}

static void dns_put_opt(dns_writer_t *writer)
{
    dns_put_u8(writer, 0);
    dns_put_u16(writer, DNS_TYPE_OPT);
    dns_put_u16(writer, DNS_EDNS_SIZE);
    dns_put_u32(writer, 0);
    dns_put_u16(writer, 0);
}

/* Chain and records; returns how many. */
static unsigned dns_put_answers(dns_writer_t *writer, const zone_answer_t *answer, uint32_t ttl_s)
{
    const char *owner = NULL;
    size_t owner_length = 0;
    unsigned count = 0;
    for (; count < answer->cname_count; count++) {
        const zone_record_t *cname = answer->cnames[count];
        dns_put_record(writer, owner, owner_length, cname, ttl_s);
        owner = (const char *)cname->data;
        owner_length = cname->length;
    }
    for (const zone_record_t *record = answer->record; record; record = zone_record_next(record), count++)
        dns_put_record(writer, owner, owner_length, record, ttl_s);
    return count;
}

static unsigned dns_rcode(spf_dns_status_t status)
{
    if (status == SPF_DNS_ANSWER)
        return 0;
    return status == SPF_DNS_NXDOMAIN ? DNS_RCODE_NXDOMAIN : DNS_RCODE_SERVFAIL;
}

/* Header and question, as the question had them. */
static void dns_put_head(dns_writer_t *writer, const dns_question_t *question, unsigned rcode)
{
    dns_put(writer, question->octets, question->octet_count);
    if (writer->full)
        return;
    writer->data[2] = (uint8_t)(DNS_FLAG_QR | (writer->data[2] & DNS_FLAG_RD));
    writer->data[3] = (uint8_t)(DNS_FLAG_RA | rcode);
    memset(writer->data + 6, 0, 6);
    if (question->has_edns)
        writer->data[11] = 1;
}

size_t dns_answer_write(uint8_t *packet, size_t room, const dns_question_t *question, const zone_answer_t *answer,
                        uint32_t ttl_s)
{
    dns_writer_t writer = {packet, 0, room, false};
    unsigned rcode = dns_rcode(answer->status), answers = 0;
    bool has_soa = rcode != DNS_RCODE_SERVFAIL && !answer->record;
    dns_put_head(&writer, question, rcode);
    if (rcode != DNS_RCODE_SERVFAIL)
        answers = dns_put_answers(&writer, answer, ttl_s);
    if (has_soa)
        dns_put_soa(&writer, ttl_s);
    if (question->has_edns)
        dns_put_opt(&writer);
    if (!writer.full) {
        dns_patch_u16(packet + 6, answers);
        packet[9] = has_soa;
        return writer.used;
    }
    writer = (dns_writer_t){packet, 0, room, false};
    dns_put_head(&writer, question, 0);
    if (question->has_edns)
        dns_put_opt(&writer);
    if (writer.full)
        return 0;
    packet[2] |= DNS_FLAG_TC;
    return writer.used;
}

bool dns_answer_is_truncated(const uint8_t *packet)
{
    return packet[2] & DNS_FLAG_TC;
}
