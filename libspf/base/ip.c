/* SPDX-License-Identifier: MIT */
#include "base/ip.h"

#include "base/ascii.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { IP4_OCTETS = 4, IP6_OCTETS = 16, IP6_GROUPS = 8, IP6_NIBBLES = 32 };

static const uint8_t mapped_prefix[IP6_OCTETS - IP4_OCTETS] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/*
 * qnum = DIGIT                 ; 0-9
 *        / %x31-39 DIGIT       ; 10-99
 *        / "1" 2DIGIT          ; 100-199
 *        / "2" %x30-34 DIGIT   ; 200-249
 *        / "25" %x30-35        ; 250-255
 */
static bool parse_qnum(const char *text, size_t length, size_t *position, uint8_t *value)
{
    size_t start = *position;
    size_t at = start;
    unsigned number = 0;
    while (at < length && at - start < 3 && spf_ascii_is_digit(text[at]))
        number = number * 10 + (unsigned)(text[at++] - '0');
    if (at == start || number > UINT8_MAX || (text[start] == '0' && at - start > 1))
        return false;
    *value = (uint8_t)number;
    *position = at;
    return true;
}

/* ip4-network = qnum "." qnum "." qnum "." qnum */
bool spf_ip_parse_v4(spf_ip_t *ip, const char *text, size_t length)
{
    spf_ip_t parsed = {.family = 4};
    size_t at = 0;
    for (size_t i = 0; i < IP4_OCTETS; i++) {
        if (i > 0 && (at >= length || text[at++] != '.'))
            return false;
        if (!parse_qnum(text, length, &at, &parsed.octets[i]))
            return false;
    }
    if (at != length)
        return false;
    *ip = parsed;
    return true;
}

bool spf_ip_parse_v6(spf_ip_t *ip, const char *text, size_t length)
{
    spf_ip_t parsed = {.family = 6};
    char copy[SPF_IP_TEXT_MAX];
    if (length == 0 || length >= sizeof(copy) || memchr(text, '\0', length) != NULL)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (inet_pton(AF_INET6, copy, parsed.octets) != 1)
        return false;
    *ip = parsed;
    return true;
}

bool spf_ip_parse_client(spf_ip_t *ip, const char *text, size_t length)
{
    spf_ip_t parsed;
    if (spf_ip_parse_v4(ip, text, length))
        return true;
    return spf_ip_parse_v6(&parsed, text, length) && spf_ip_from_octets(ip, parsed.octets, IP6_OCTETS);
}

bool spf_ip_from_octets(spf_ip_t *ip, const uint8_t *octets, size_t length)
{
    spf_ip_t made = {.family = length == IP4_OCTETS ? 4 : 6};
    if (length != IP4_OCTETS && length != IP6_OCTETS)
        return false;
    if (length == IP6_OCTETS && memcmp(octets, mapped_prefix, sizeof(mapped_prefix)) == 0) {
        made.family = 4;
        octets += sizeof(mapped_prefix);
        length = IP4_OCTETS;
    }
    memcpy(made.octets, octets, length);
    *ip = made;
    return true;
}

bool spf_ip_prefix_equals(const spf_ip_t *ip, const uint8_t *octets, unsigned prefix)
{
    unsigned bits = ip->family == 4 ? IP4_OCTETS * 8 : IP6_OCTETS * 8;
    if (prefix > bits)
        prefix = bits;
    size_t whole = prefix / 8;
    unsigned rest = prefix % 8;
    if (memcmp(ip->octets, octets, whole) != 0)
        return false;
    return rest == 0 || (ip->octets[whole] ^ octets[whole]) >> (8 - rest) == 0;
}

static void add_quad(spf_buf_t *buf, const uint8_t *octets, bool reverse)
{
    char text[IP4_OCTETS * sizeof("255.")];
    char *end = text;
    for (size_t i = 0; i < IP4_OCTETS; i++) {
        uint8_t octet = octets[reverse ? IP4_OCTETS - 1 - i : i];
        if (octet >= 100)
            *end++ = (char)('0' + octet / 100);
        if (octet >= 10)
            *end++ = (char)('0' + octet / 10 % 10);
        *end++ = (char)('0' + octet % 10);
        *end++ = '.';
    }
    spf_buf_add(buf, text, (size_t)(end - text) - 1); /* all but the last dot */
}

/* The first of the longest runs of zero groups; length 1 if none has two or more. */
static void find_zero_run(const uint16_t *groups, size_t *start, size_t *length)
{
    size_t run = 0;
    *start = IP6_GROUPS;
    *length = 1;
    for (size_t i = 0; i < IP6_GROUPS; i++) {
        run = groups[i] == 0 ? run + 1 : 0;
        if (run > *length) {
            *length = run;
            *start = i + 1 - run;
        }
    }
}

/* RFC 5952 section 4. */
static void add_groups(spf_buf_t *buf, const uint8_t *octets)
{
    uint16_t groups[IP6_GROUPS];
    char text[SPF_IP_TEXT_MAX];
    char *end = text;
    size_t zeros, zero_count;
    for (size_t i = 0; i < IP6_GROUPS; i++)
        groups[i] = (uint16_t)(octets[2 * i] << 8 | octets[2 * i + 1]);
    find_zero_run(groups, &zeros, &zero_count);
    for (size_t i = 0; i < IP6_GROUPS; i++) {
        if (i > 0 || i == zeros)
            *end++ = ':';
        if (i == zeros) {
            i += zero_count - 1;
            if (i == IP6_GROUPS - 1)
                *end++ = ':';
            continue;
        }
        for (int shift = 12; shift >= 0; shift -= 4)
            if (groups[i] >> shift != 0 || shift == 0)
                *end++ = "0123456789abcdef"[groups[i] >> shift & 0xf];
    }
    spf_buf_add(buf, text, (size_t)(end - text));
}

void spf_ip_add_text(spf_buf_t *buf, const spf_ip_t *ip)
{
    if (ip->family == 4) {
        add_quad(buf, ip->octets, false);
    } else if (memcmp(ip->octets, mapped_prefix, sizeof(mapped_prefix)) == 0) {
        spf_buf_add_text(buf, "::ffff:"); /* RFC 5952 section 5 */
        add_quad(buf, ip->octets + sizeof(mapped_prefix), false);
    } else {
        add_groups(buf, ip->octets);
    }
}

static char nibble_at(const spf_ip_t *ip, size_t index, const char *digits)
{
    uint8_t octet = ip->octets[index / 2];
    return digits[index % 2 == 0 ? octet >> 4 : octet & 0xf];
}

void spf_ip_add_dotted(spf_buf_t *buf, const spf_ip_t *ip)
{
    char text[2 * IP6_NIBBLES];
    if (ip->family == 4) {
        add_quad(buf, ip->octets, false);
        return;
    }
    for (size_t i = 0; i < IP6_NIBBLES; i++) {
        text[2 * i] = nibble_at(ip, i, "0123456789ABCDEF");
        text[2 * i + 1] = '.';
    }
    spf_buf_add(buf, text, sizeof(text) - 1); /* all but the last dot */
}

static void add_reverse_nibbles(spf_buf_t *buf, const spf_ip_t *ip)
{
    for (size_t i = IP6_NIBBLES; i-- > 0;) {
        spf_buf_add_char(buf, nibble_at(ip, i, "0123456789abcdef"));
        spf_buf_add_char(buf, '.');
    }
}

void spf_ip_add_reverse_name(spf_buf_t *buf, const spf_ip_t *ip)
{
    if (ip->family == 4) {
        add_quad(buf, ip->octets, true);
        spf_buf_add_text(buf, ".in-addr.arpa");
    } else {
        add_reverse_nibbles(buf, ip);
        spf_buf_add_text(buf, "ip6.arpa");
    }
}
