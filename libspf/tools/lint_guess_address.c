/* SPDX-License-Identifier: MIT */
/* Syntax errors around addresses and prefix lengths. */
#include "base/ascii.h"
#include "base/ip.h"
#include "base/name.h"
#include "tools/lint_guess.h"

#include <string.h>

enum { RANGE_NETWORKS_MAX = 8, IP4_BITS = 32, IP6_BITS = 128 };

/* "address/rest", or "address" alone. */
typedef struct network_text {
    const char *address, *rest; /* rest begins at the slash, if there is one */
    size_t address_length, rest_length;
} network_text_t;

static network_text_t split_network(const char *text, size_t length)
{
    const char *slash = memchr(text, '/', length);
    size_t address = slash == NULL ? length : (size_t)(slash - text);
    return (network_text_t){text, text + address, address, length - address};
}

static network_text_t value_of(const spf_wrong_t *wrong)
{
    return split_network(wrong->text + wrong->value, wrong->length - wrong->value);
}

unsigned spf_lint_family(const char *text, size_t length)
{
    spf_ip_t ip;

    if (spf_ip_parse_v4(&ip, text, length))
        return 4;
    return spf_ip_parse_v6(&ip, text, length) ? 6 : 0;
}

static bool is_named(const spf_wrong_t *wrong, const char *word)
{
    return spf_text_equals_nocase(wrong->text + wrong->word, wrong->name - wrong->word, word, strlen(word));
}

/* The family that the mechanism takes; 0: it is neither ip4 nor ip6. */
static unsigned family_of_mechanism(const spf_wrong_t *wrong)
{
    if (is_named(wrong, "ip4"))
        return 4;
    return is_named(wrong, "ip6") ? 6 : 0;
}

/* The qualifier as it stands, and the mechanism that takes addresses of the family. */
static void begin_network(const spf_wrong_t *wrong, spf_buf_t *out, unsigned family)
{
    spf_buf_add(out, wrong->text, wrong->word);
    spf_buf_add_text(out, family == 4 ? "ip4:" : "ip6:");
}

/* Behind an address: a single slash, where "//" was written. */
static void add_rest(const network_text_t *network, spf_buf_t *out)
{
    size_t skip = network->rest_length > 1 && network->rest[1] == '/' ? 1 : 0;
    spf_buf_add(out, network->rest + skip, network->rest_length - skip);
}

/* ip4:2001:db8::1, ip6:192.0.2.1 */
spf_guess_t spf_guess_family(const spf_wrong_t *wrong, spf_buf_t *out)
{
    network_text_t network = value_of(wrong);
    unsigned family = family_of_mechanism(wrong);
    unsigned found = spf_lint_family(network.address, network.address_length);

    if (family == 0 || found == 0 || found == family)
        return SPF_GUESS_NONE;
    begin_network(wrong, out, found);
    spf_buf_add(out, network.address, network.address_length);
    add_rest(&network, out);
    return SPF_GUESS_MENDED;
}

/* a:192.0.2.1, include:192.0.2.0/24 */
spf_guess_t spf_guess_address_as_name(const spf_wrong_t *wrong, spf_buf_t *out)
{
    static const char *const names[] = {"a", "mx", "include", "ptr", "exists"};
    network_text_t network = value_of(wrong);
    unsigned family = spf_lint_family(network.address, network.address_length);

    for (size_t i = 0; family != 0 && i < sizeof(names) / sizeof(names[0]); i++) {
        if (is_named(wrong, names[i])) {
            begin_network(wrong, out, family);
            spf_buf_add(out, network.address, network.address_length);
            add_rest(&network, out);
            return SPF_GUESS_MENDED;
        }
    }
    return SPF_GUESS_NONE;
}

/* 192.0.2.1, +2001:db8::/32 */
spf_guess_t spf_guess_bare_address(const spf_wrong_t *wrong, spf_buf_t *out)
{
    network_text_t network = split_network(wrong->text + wrong->word, wrong->length - wrong->word);
    unsigned family = spf_lint_family(network.address, network.address_length);

    if (family == 0)
        return SPF_GUESS_NONE;
    begin_network(wrong, out, family);
    spf_buf_add(out, network.address, network.address_length);
    add_rest(&network, out);
    return SPF_GUESS_MENDED;
}

/* A last label as there are: letters, or an A-label. An address with a slip in it has none. */
static bool is_toplabel(const char *text, size_t length)
{
    size_t letters = 0;

    while (letters < length && spf_ascii_is_alpha(text[letters]))
        letters++;
    return (letters == length && length >= 2) || (length > 4 && strncasecmp(text, "xn--", 4) == 0);
}

static bool is_host_name(const char *text, size_t length)
{
    const char *dot = memrchr(text, '.', length);

    for (size_t i = 0; i < length; i++)
        if (!spf_ascii_is_alphanum(text[i]) && text[i] != '-' && text[i] != '.' && text[i] != '_')
            return false;
    return dot != NULL && is_toplabel(dot + 1, (size_t)(text + length - dot - 1));
}

/* ip4:mail.example.com; what looks like the name of a policy may have been meant as an include. */
spf_guess_t spf_guess_name_as_address(const spf_wrong_t *wrong, spf_buf_t *out)
{
    network_text_t network = value_of(wrong);

    if (family_of_mechanism(wrong) == 0 || !is_host_name(network.address, network.address_length))
        return SPF_GUESS_NONE;
    if (network.address[0] == '_' || strncasecmp(network.address, "spf", 3) == 0)
        return SPF_GUESS_KNOWN;
    spf_buf_add(out, wrong->text, wrong->word);
    spf_buf_add_text(out, "a:");
    spf_buf_add(out, network.address, network.address_length);
    spf_buf_add(out, network.rest, network.rest_length);
    return SPF_GUESS_MENDED;
}

static uint32_t ip4_number(const spf_ip_t *ip)
{
    return (uint32_t)ip->octets[0] << 24 | (uint32_t)ip->octets[1] << 16 | (uint32_t)ip->octets[2] << 8 | ip->octets[3];
}

static void add_ip4(spf_buf_t *out, uint32_t address, unsigned prefix)
{
    for (unsigned shift = 24;; shift -= 8) {
        spf_buf_add_uint(out, address >> shift & 0xff);
        if (shift == 0)
            break;
        spf_buf_add_char(out, '.');
    }
    if (prefix < IP4_BITS) {
        spf_buf_add_char(out, '/');
        spf_buf_add_uint(out, prefix);
    }
}

/* ip4:192.0.2.0/255.255.255.0 */
spf_guess_t spf_guess_netmask(const spf_wrong_t *wrong, spf_buf_t *out)
{
    network_text_t network = value_of(wrong);
    spf_ip_t mask;
    unsigned prefix = 0;

    if (network.rest_length == 0 || spf_lint_family(network.address, network.address_length) != 4 ||
        !spf_ip_parse_v4(&mask, network.rest + 1, network.rest_length - 1))
        return SPF_GUESS_NONE;
    uint32_t bits = ip4_number(&mask);
    while (prefix < IP4_BITS && (bits << prefix & UINT32_C(0x80000000)) != 0)
        prefix++;
    if (prefix < IP4_BITS && bits << prefix != 0)
        return SPF_GUESS_KNOWN;
    spf_buf_add(out, wrong->text, wrong->value);
    spf_buf_add(out, network.address, network.address_length);
    spf_buf_add_char(out, '/');
    spf_buf_add_uint(out, prefix);
    return SPF_GUESS_MENDED;
}

/* The second end of a range: an address, or the last number of one that begins as the first. */
static bool parse_range_end(const char *text, size_t length, uint32_t first, uint32_t *last)
{
    spf_ip_t ip;
    unsigned number = 0;

    if (spf_ip_parse_v4(&ip, text, length)) {
        *last = ip4_number(&ip);
        return true;
    }
    if (length == 0 || length > 3)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!spf_ascii_is_digit(text[i]))
            return false;
        number = number * 10 + (unsigned)(text[i] - '0');
    }
    *last = (first & ~UINT32_C(0xff)) | number;
    return number <= 0xff;
}

/* The networks that make up a range, as terms; false: there are too many. */
static bool add_range(const spf_wrong_t *wrong, spf_buf_t *out, uint64_t first, uint64_t last)
{
    for (unsigned networks = 0; first <= last; networks++) {
        unsigned bits = 0;
        while (bits < IP4_BITS && (first >> bits & 1) == 0 && first + (UINT64_C(2) << bits) - 1 <= last)
            bits++;
        if (networks == RANGE_NETWORKS_MAX)
            return false;
        if (networks > 0)
            spf_buf_add_char(out, ' ');
        begin_network(wrong, out, 4);
        add_ip4(out, (uint32_t)first, IP4_BITS - bits);
        first += UINT64_C(1) << bits;
    }
    return true;
}

/* ip4:192.0.2.0-192.0.2.255, ip4:192.0.2.4-7 */
spf_guess_t spf_guess_range(const spf_wrong_t *wrong, spf_buf_t *out)
{
    const char *value = wrong->text + wrong->value;
    size_t length = wrong->length - wrong->value;
    const char *dash = memchr(value, '-', length);
    spf_ip_t ip;
    uint32_t last;

    if (dash == NULL || !spf_ip_parse_v4(&ip, value, (size_t)(dash - value)))
        return SPF_GUESS_NONE;
    uint32_t first = ip4_number(&ip);
    if (!parse_range_end(dash + 1, (size_t)(value + length - dash - 1), first, &last))
        return SPF_GUESS_NONE;
    return first <= last && add_range(wrong, out, first, last) ? SPF_GUESS_MENDED : SPF_GUESS_KNOWN;
}

/* How many numbers from 0 to 255, parted by dots, an address begins with; *end: behind them. */
static unsigned count_numbers(const char *text, size_t length, size_t *end)
{
    unsigned count = 0;

    for (size_t at = 0; at < length; at++) {
        unsigned value = 0;
        size_t start = at;
        for (; at < length && at - start < 3 && spf_ascii_is_digit(text[at]); at++)
            value = value * 10 + (unsigned)(text[at] - '0');
        if (at == start || value > 0xff || (at < length && text[at] != '.'))
            break;
        count++;
        *end = at;
    }
    return count;
}

static bool is_wild(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] != '.' && text[i] != '*' && spf_ascii_lower(text[i]) != 'x')
            return false;
    return length > 1;
}

static bool is_prefix(const network_text_t *network, unsigned prefix)
{
    unsigned value = 0;

    for (size_t i = 1; i < network->rest_length && i < 4; i++) {
        if (!spf_ascii_is_digit(network->rest[i]))
            return false;
        value = value * 10 + (unsigned)(network->rest[i] - '0');
    }
    return network->rest_length > 1 && value == prefix;
}

/* ip4:192.0.2/24, ip4:192.0.2.*; without such a hint the missing number may have been any. */
spf_guess_t spf_guess_short(const spf_wrong_t *wrong, spf_buf_t *out)
{
    network_text_t network = value_of(wrong);
    size_t end = 0;
    unsigned count = count_numbers(network.address, network.address_length, &end);
    size_t left = network.address_length - end;

    if (family_of_mechanism(wrong) != 4 || count == 0 || count >= 4)
        return SPF_GUESS_NONE;
    bool wild = is_wild(network.address + end, left);
    if (left > 1 && !wild)
        return SPF_GUESS_NONE;
    if (network.rest_length == 0 ? !wild : !is_prefix(&network, count * 8))
        return SPF_GUESS_KNOWN;
    spf_buf_add(out, wrong->text, wrong->value + end);
    for (unsigned i = count; i < 4; i++)
        spf_buf_add_text(out, ".0");
    spf_buf_add_char(out, '/');
    spf_buf_add_uint(out, UINT64_C(8) * count);
    return SPF_GUESS_MENDED;
}

/* ip4:192.0.02.1: to some software that is octal. */
spf_guess_t spf_guess_leading_zero(const spf_wrong_t *wrong, spf_buf_t *out)
{
    network_text_t network = value_of(wrong);
    size_t end = 0;

    (void)out;
    if (family_of_mechanism(wrong) != 4 || count_numbers(network.address, network.address_length, &end) != 4 ||
        end != network.address_length || spf_lint_family(network.address, network.address_length) == 4)
        return SPF_GUESS_NONE;
    return SPF_GUESS_KNOWN;
}

/* A text with something in place of some octets of it. */
static spf_guess_t exchange(const spf_wrong_t *wrong, spf_buf_t *out, size_t at, size_t length, const char *by)
{
    spf_buf_add(out, wrong->text, at);
    spf_buf_add_text(out, by);
    spf_buf_add(out, wrong->text + at + length, wrong->length - at - length);
    return SPF_GUESS_MENDED;
}

static bool has_slash_before(const spf_wrong_t *wrong, size_t at)
{
    return at > 0 && spf_ascii_is_digit(wrong->text[at - 1]) && memchr(wrong->text, '/', at) != NULL;
}

/* ip4:192.0.2.0//24, a/24/64, a/024; of what is too large nobody knows what it should be. */
static spf_guess_t mend_prefix(const spf_wrong_t *wrong, spf_buf_t *out, size_t slash)
{
    bool is_network = family_of_mechanism(wrong) != 0;
    size_t zeros = slash + 1;

    if (is_network && wrong->text[slash - 1] == '/')
        return exchange(wrong, out, slash, 1, "");
    if (!is_network && has_slash_before(wrong, slash))
        return exchange(wrong, out, slash, 1, "//");
    while (zeros + 1 < wrong->length && wrong->text[zeros] == '0')
        zeros++;
    return zeros > slash + 1 ? exchange(wrong, out, slash + 1, zeros - slash - 1, "") : SPF_GUESS_KNOWN;
}

/* What stands behind the last slash, or a backslash in its place. */
spf_guess_t spf_guess_prefix(const spf_wrong_t *wrong, spf_buf_t *out)
{
    const char *slash = memrchr(wrong->text, '/', wrong->length);
    const char *backslash = memchr(wrong->text, '\\', wrong->length);
    size_t digits;

    if (family_of_mechanism(wrong) == 0 && !is_named(wrong, "a") && !is_named(wrong, "mx"))
        return SPF_GUESS_NONE;
    if (backslash != NULL && slash == NULL)
        return exchange(wrong, out, (size_t)(backslash - wrong->text), 1, "/");
    if (slash == NULL || slash == wrong->text || wrong->at < (size_t)(slash - wrong->text))
        return SPF_GUESS_NONE;
    for (digits = (size_t)(slash + 1 - wrong->text); digits < wrong->length; digits++)
        if (!spf_ascii_is_digit(wrong->text[digits]))
            return SPF_GUESS_NONE;
    return mend_prefix(wrong, out, (size_t)(slash - wrong->text));
}
