/* SPDX-License-Identifier: MIT */
/*
 * A wire message becomes a typed answer. The C library takes the message apart; what stands in the answer section may
 * come in any order, so the CNAMEs are collected first and followed in a table.
 */
#include "dns/packet.h"

#include <errno.h>
#include <resolv.h>
#include <string.h>

enum { CNAMES_MAX = 16, TTL_MAX = INT32_MAX };

typedef struct spf_alias {
    uint8_t owner[NS_MAXCDNAME];
    uint8_t target[NS_MAXCDNAME];
    uint32_t ttl_s;
    bool is_followed;
} spf_alias_t;

typedef struct spf_aliases {
    unsigned count;
    spf_alias_t list[CNAMES_MAX];
} spf_aliases_t;

static const char malformed[] = "malformed answer";

static void fail(spf_packet_t *packet, const char *detail)
{
    packet->status = SPF_DNS_ERROR;
    packet->detail = detail;
    packet->count = 0;
    packet->ttl_s = 0;
}

/* ------------------------------------------------------------------------------------------------ names on the wire */

static uint8_t lower(uint8_t octet)
{
    return octet >= 'A' && octet <= 'Z' ? (uint8_t)(octet + ('a' - 'A')) : octet;
}

static size_t wire_length(const uint8_t *wire)
{
    size_t length = 0;
    while (wire[length])
        length += 1u + wire[length];
    return length + 1;
}

/* Length octets, being at most 63, are no letters: names can be compared without looking for labels. */
static bool is_same_name(const uint8_t *a, const uint8_t *b)
{
    size_t length = wire_length(a);
    if (length != wire_length(b))
        return false;
    if (memcmp(a, b, length) == 0) /* as nearly always */
        return true;
    for (size_t i = 0; i < length; i++) {
        if (lower(a[i]) != lower(b[i]))
            return false;
    }
    return true;
}

/* A DNS name has labels of 1 to 63 octets and 253 at most in all, so it fits. */
static void wire_from_name(uint8_t *wire, const char *name, size_t length)
{
    size_t start = 0;
    for (size_t i = 0; i <= length; i++) {
        if (i < length && name[i] != '.') {
            wire[i + 1] = (uint8_t)name[i];
            continue;
        }
        wire[start] = (uint8_t)(i - start);
        start = i + 1;
    }
    wire[start] = 0;
}

/*
 * Octets of labels parted by dots, at most 254 of them (RFC 1035 section 2.3.4). A dot within a label has no form in
 * such a text: it becomes two, so that the text has an empty label and is no DNS name. Out may be NULL.
 */
static size_t text_from_wire(char *out, const uint8_t *wire)
{
    size_t length = 0;
    for (size_t at = 0; wire[at]; at += 1u + wire[at]) {
        for (size_t i = 0; i <= wire[at]; i++) {
            bool is_separator = i == 0;
            if (is_separator && at == 0)
                continue;
            char octet = is_separator ? '.' : (char)wire[at + i];
            for (int copies = !is_separator && octet == '.' ? 2 : 1; copies; copies--, length++) {
                if (out)
                    out[length] = octet;
            }
        }
    }
    return length;
}

bool spf_packet_owner(const spf_packet_t *packet, spf_name_t *name)
{
    char text[2 * NS_MAXCDNAME];
    return spf_name_from_text(name, text, text_from_wire(text, packet->owner));
}

/* The name that fills rdata from an offset to its end, without compression. */
static bool unpack_rdata_name(const spf_packet_t *packet, const ns_rr *rr, unsigned offset, uint8_t *wire)
{
    if (ns_rr_rdlen(*rr) <= offset)
        return false;
    int used = ns_name_unpack(ns_msg_base(packet->message), ns_msg_end(packet->message), ns_rr_rdata(*rr) + offset,
                              wire, NS_MAXCDNAME);
    return used >= 0 && (unsigned)used == ns_rr_rdlen(*rr) - offset;
}

static bool unpack_owner(const ns_rr *rr, uint8_t *wire)
{
    return ns_name_pton(ns_rr_name(*rr), wire, NS_MAXCDNAME) >= 0;
}

/* ------------------------------------------------------------------------------------------------- what it comes to */

static uint32_t lower_ttl(uint32_t ttl_s, const ns_rr *rr)
{
    /* RFC 2181 section 8: with the highest bit set it is taken as zero. */
    uint32_t other_s = ns_rr_ttl(*rr) > TTL_MAX ? 0 : (uint32_t)ns_rr_ttl(*rr);
    return other_s < ttl_s ? other_s : ttl_s;
}

const char *spf_packet_rcode_name(unsigned rcode)
{
    static const char *const names[] = {NULL,       "FORMERR", "SERVFAIL", NULL,      "NOTIMP", "REFUSED",
                                        "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH", "NOTZONE"};
    const char *name = rcode < sizeof names / sizeof *names ? names[rcode] : NULL;
    return name ? name : "unknown response code";
}

static bool read_header(spf_packet_t *packet, const uint8_t *data, size_t length)
{
    if (length > NS_MAXMSG || ns_initparse(data, (int)length, &packet->message) != 0) {
        fail(packet, malformed);
        return false;
    }
    unsigned rcode = (unsigned)ns_msg_getflag(packet->message, ns_f_rcode);
    if (!ns_msg_getflag(packet->message, ns_f_qr))
        fail(packet, malformed);
    else if (rcode != ns_r_noerror && rcode != ns_r_nxdomain)
        fail(packet, spf_packet_rcode_name(rcode));
    else if (ns_msg_getflag(packet->message, ns_f_tc))
        fail(packet, "truncated answer");
    else
        packet->status = rcode == ns_r_noerror ? SPF_DNS_ANSWER : SPF_DNS_NXDOMAIN;
    return packet->status != SPF_DNS_ERROR;
}

/* The question, if the message repeats it, must be the one that was asked. It stands right behind the header, and
 * ns_initparse() has seen that all of it is there. */
static bool is_our_question(const spf_packet_t *packet)
{
    uint8_t name[NS_MAXCDNAME];
    const uint8_t *at = ns_msg_base(packet->message) + NS_HFIXEDSZ;
    unsigned count = ns_msg_count(packet->message, ns_s_qd);
    if (count == 0)
        return true;
    int used = ns_name_unpack(ns_msg_base(packet->message), ns_msg_end(packet->message), at, name, sizeof name);
    return count == 1 && used >= 0 && ns_get16(at + used) == packet->type && ns_get16(at + used + 2) == ns_c_in &&
           is_same_name(name, packet->owner);
}

static const char *add_alias(const spf_packet_t *packet, spf_aliases_t *aliases, const ns_rr *rr)
{
    spf_alias_t alias = {.ttl_s = lower_ttl(TTL_MAX, rr)};
    if (!unpack_owner(rr, alias.owner) || !unpack_rdata_name(packet, rr, 0, alias.target))
        return malformed;
    for (unsigned i = 0; i < aliases->count; i++) {
        spf_alias_t *known = &aliases->list[i];
        if (!is_same_name(known->owner, alias.owner))
            continue;
        if (!is_same_name(known->target, alias.target))
            return "several CNAMEs at one name";
        if (alias.ttl_s < known->ttl_s)
            known->ttl_s = alias.ttl_s;
        return NULL;
    }
    if (aliases->count == CNAMES_MAX)
        return "too many CNAMEs";
    aliases->list[aliases->count++] = alias;
    return NULL;
}

/* Whether a record matters: RRSIGs and other types do not. */
static bool is_wanted(const ns_rr *rr, uint16_t type)
{
    return ns_rr_class(*rr) == ns_c_in && ns_rr_type(*rr) == type;
}

static bool collect_aliases(spf_packet_t *packet, spf_aliases_t *aliases)
{
    ns_rr rr;
    int count = ns_msg_count(packet->message, ns_s_an);
    for (int i = 0; i < count; i++) {
        if (ns_parserr(&packet->message, ns_s_an, i, &rr) != 0) {
            fail(packet, malformed);
            return false;
        }
        const char *problem = is_wanted(&rr, ns_t_cname) ? add_alias(packet, aliases, &rr) : NULL;
        if (problem) {
            fail(packet, problem);
            return false;
        }
    }
    return true;
}

static spf_alias_t *find_alias(spf_aliases_t *aliases, const uint8_t *owner)
{
    for (unsigned i = 0; i < aliases->count; i++) {
        if (is_same_name(aliases->list[i].owner, owner))
            return &aliases->list[i];
    }
    return NULL;
}

/* RFC 1034 section 3.6.2. Each alias can be followed once: a second time is a loop. */
static bool follow_aliases(spf_packet_t *packet)
{
    spf_aliases_t aliases;
    aliases.count = 0;
    if (!collect_aliases(packet, &aliases))
        return false;
    spf_alias_t *alias;
    while ((alias = find_alias(&aliases, packet->owner))) {
        if (alias->is_followed) {
            fail(packet, "CNAME loop");
            return false;
        }
        alias->is_followed = true;
        packet->cnames++;
        if (alias->ttl_s < packet->ttl_s)
            packet->ttl_s = alias->ttl_s;
        memcpy(packet->owner, alias->target, sizeof packet->owner);
    }
    return true;
}

/* RFC 1035 section 3.3.14: one or more <character-string>s. The length of all of them, -1 if they overrun rdata. */
static int joined_length(const uint8_t *rdata, unsigned length)
{
    int joined = 0;
    for (unsigned at = 0; at < length; at += 1u + rdata[at]) {
        if (rdata[at] > length - at - 1)
            return -1;
        joined += rdata[at];
    }
    return joined;
}

/* How much room the name or text of a record needs; -1 if the record is malformed. */
static int data_length(const spf_packet_t *packet, const ns_rr *rr)
{
    uint8_t wire[NS_MAXCDNAME];
    unsigned length = ns_rr_rdlen(*rr);
    switch (packet->type) {
    case SPF_TYPE_A:
        return length == 4 ? 0 : -1;
    case SPF_TYPE_AAAA:
        return length == 16 ? 0 : -1;
    case SPF_TYPE_TXT:
    case SPF_TYPE_SPF:
        return joined_length(ns_rr_rdata(*rr), length);
    default:
        if (!unpack_rdata_name(packet, rr, packet->type == SPF_TYPE_MX ? 2 : 0, wire))
            return -1;
        return (int)text_from_wire(NULL, wire);
    }
}

/* Names that were written by the same function. */
static bool is_same_text(const char *a, const char *b)
{
    return strcmp(a, b) == 0 || spf_text_equals_nocase(a, strlen(a), b, strlen(b));
}

/* The owner as ns_parserr() gives it, to which the root is the empty text. */
static void write_owner(spf_packet_t *packet)
{
    if (ns_name_ntop(packet->owner, packet->owner_text, sizeof packet->owner_text) < 0 || packet->owner[0] == 0)
        packet->owner_text[0] = '\0';
}

/* The next record of the answer, from *index on, that is of the type asked for and at the end of the chain. */
static bool next_data(spf_packet_t *packet, int *index, ns_rr *rr)
{
    while (*index < ns_msg_count(packet->message, ns_s_an)) {
        if (ns_parserr(&packet->message, ns_s_an, (*index)++, rr) != 0)
            return false;
        if (is_wanted(rr, packet->type) && is_same_text(ns_rr_name(*rr), packet->owner_text))
            return true;
    }
    return false;
}

static bool count_data(spf_packet_t *packet)
{
    ns_rr rr;
    for (int i = 0; next_data(packet, &i, &rr);) {
        int length = data_length(packet, &rr);
        if (length < 0) {
            fail(packet, malformed);
            return false;
        }
        packet->count++;
        packet->octets += (size_t)length + 1;
        packet->ttl_s = lower_ttl(packet->ttl_s, &rr);
    }
    return true;
}

/* RFC 2308 section 5: the TTL of "no" is the lower of the SOA's own and its MINIMUM, the last field of it. */
static void read_negative_ttl(spf_packet_t *packet)
{
    ns_rr rr;
    bool is_found = false;
    int count = ns_msg_count(packet->message, ns_s_ns);
    for (int i = 0; i < count && ns_parserr(&packet->message, ns_s_ns, i, &rr) == 0; i++) {
        if (!is_wanted(&rr, ns_t_soa) || ns_rr_rdlen(rr) < 22)
            continue;
        uint32_t minimum_s = (uint32_t)ns_get32(ns_rr_rdata(rr) + ns_rr_rdlen(rr) - 4);
        packet->ttl_s = lower_ttl(packet->ttl_s, &rr);
        if (minimum_s < packet->ttl_s)
            packet->ttl_s = minimum_s;
        is_found = true;
    }
    if (!is_found)
        packet->ttl_s = 0;
}

static void read_message(spf_packet_t *packet, const uint8_t *data, size_t length)
{
    if (!read_header(packet, data, length))
        return;
    if (!is_our_question(packet)) {
        fail(packet, "answer to another question");
        return;
    }
    if (!follow_aliases(packet))
        return;
    write_owner(packet);
    if (packet->status == SPF_DNS_ANSWER && !count_data(packet))
        return;
    if (packet->count == 0)
        read_negative_ttl(packet);
}

void spf_packet_read(spf_packet_t *packet, const uint8_t *data, size_t length, const char *name, size_t name_length,
                     uint16_t type)
{
    int error = errno; /* the C library's parser sets it */
    packet->type = type;
    packet->status = SPF_DNS_ANSWER;
    packet->detail = NULL;
    packet->ttl_s = TTL_MAX;
    packet->count = 0;
    packet->octets = 0;
    packet->cnames = 0;
    wire_from_name(packet->owner, name, name_length);
    read_message(packet, data, length);
    errno = error;
}

bool spf_packet_is_void(const spf_packet_t *packet)
{
    return packet->status == SPF_DNS_NXDOMAIN || (packet->status == SPF_DNS_ANSWER && packet->count == 0);
}

/* --------------------------------------------------------------------------------------------------------- its data */

static size_t copy_text(const spf_packet_t *packet, const ns_rr *rr, char *out)
{
    size_t length = 0;
    if (packet->type == SPF_TYPE_TXT || packet->type == SPF_TYPE_SPF) {
        const uint8_t *rdata = ns_rr_rdata(*rr);
        for (unsigned at = 0; at < ns_rr_rdlen(*rr); at += 1u + rdata[at]) {
            memcpy(out + length, rdata + at + 1, rdata[at]);
            length += rdata[at];
        }
    } else {
        uint8_t wire[NS_MAXCDNAME];
        if (unpack_rdata_name(packet, rr, packet->type == SPF_TYPE_MX ? 2 : 0, wire))
            length = text_from_wire(out, wire);
    }
    out[length] = '\0';
    return length;
}

static bool store_addresses(spf_packet_t *packet, spf_query_t *query)
{
    size_t size = packet->type == SPF_TYPE_A ? 4 : 16;
    uint8_t *addresses = spf_arena_alloc(query->arena, packet->count * size);
    if (!addresses)
        return false;
    query->answer.addresses = addresses;
    ns_rr rr;
    for (int i = 0; next_data(packet, &i, &rr); addresses += size)
        memcpy(addresses, ns_rr_rdata(rr), size);
    return true;
}

static bool store_texts(spf_packet_t *packet, spf_query_t *query)
{
    spf_text_t *texts = spf_arena_alloc(query->arena, packet->count * sizeof *texts);
    char *octets = spf_arena_alloc(query->arena, packet->octets);
    if (!texts || !octets)
        return false;
    query->answer.texts = texts;
    ns_rr rr;
    for (int i = 0; next_data(packet, &i, &rr); texts++) {
        *texts = (spf_text_t){octets, (uint32_t)copy_text(packet, &rr, octets)};
        octets += texts->length + 1;
    }
    return true;
}

void spf_packet_answer(spf_packet_t *packet, spf_query_t *query, spf_dnssec_t dnssec, uint32_t ttl_max_s)
{
    int error = errno;
    query->answer = (spf_answer_t){0};
    if (packet->count) {
        bool is_address = packet->type == SPF_TYPE_A || packet->type == SPF_TYPE_AAAA;
        if (is_address ? store_addresses(packet, query) : store_texts(packet, query))
            query->answer.count = packet->count;
        else
            query->is_out_of_memory = true;
    }
    spf_query_finish(query, packet->status, packet->ttl_s < ttl_max_s ? packet->ttl_s : ttl_max_s, dnssec,
                     packet->detail);
    errno = error;
}

void spf_query_answer_packet(spf_query_t *query, const uint8_t *packet, size_t length, spf_dnssec_t dnssec)
{
    if (query->state != SPF_QUERY_ASKED)
        return;
    if (dnssec == SPF_DNSSEC_BOGUS) {
        spf_query_finish(query, SPF_DNS_BOGUS, 0, dnssec, NULL);
        return;
    }
    spf_packet_t message;
    spf_packet_read(&message, packet, length, query->name, query->name_length, query->type);
    spf_packet_answer(&message, query, dnssec, UINT32_MAX);
}
