/* SPDX-License-Identifier: MIT */
/* Rules about ip4 and ip6 terms and prefix lengths. */
#include "base/buf.h"
#include "base/ip.h"
#include "tools/linter.h"

#include <string.h>

enum { IP4_BITS = 32, IP6_BITS = 128, WIDE_IP4 = 16, WIDE_IP6 = 32, TEXT_SIZE = 64 };

typedef struct network {
    spf_ip_t ip; /* host bits as published */
    unsigned prefix;
} network_t;

static unsigned bits_of(const network_t *network)
{
    return network->ip.family == 4 ? IP4_BITS : IP6_BITS;
}

/* The network without its host bits; whether it had some. */
static bool mask_host_bits(network_t *network)
{
    bool had = false;

    for (unsigned octet = network->prefix / 8; octet < bits_of(network) / 8; octet++) {
        unsigned kept = octet == network->prefix / 8 ? network->prefix % 8 : 0;
        uint8_t mask = (uint8_t)(0xff00 >> kept);
        had = had || (network->ip.octets[octet] & ~mask) != 0;
        network->ip.octets[octet] &= mask;
    }
    return had;
}

/* The network of a term of kind ip4 or ip6, its host bits zero. */
static network_t network_of(const spf_linter_t *linter, const spf_term_t *term)
{
    const spf_record_t *record = linter->record;
    network_t network = {.ip = {.family = 4}, .prefix = term->cidr4};

    if (term->kind == SPF_TERM_IP4) {
        uint32_t address = record->net4s[term->net4].address;
        for (unsigned i = 0; i < 4; i++)
            network.ip.octets[i] = (uint8_t)(address >> (24 - 8 * i));
        return network;
    }
    network.ip.family = 6;
    network.prefix = term->cidr6;
    memcpy(network.ip.octets, record->net6s[term->net6].address, sizeof(network.ip.octets));
    mask_host_bits(&network);
    return network;
}

/* The same with its address as published. */
static network_t published_network(const spf_linter_t *linter, const spf_term_t *term)
{
    network_t network = {.prefix = term->kind == SPF_TERM_IP4 ? term->cidr4 : term->cidr6};
    const char *text = linter->text + term->spec_offset;

    if (term->kind == SPF_TERM_IP4)
        spf_ip_parse_v4(&network.ip, text, term->spec_length);
    else
        spf_ip_parse_v6(&network.ip, text, term->spec_length);
    return network;
}

static const char *address_text(spf_linter_t *linter, const spf_ip_t *ip)
{
    char storage[TEXT_SIZE];
    spf_buf_t buf;

    spf_buf_init(&buf, storage, sizeof(storage));
    spf_ip_add_text(&buf, ip);
    return SPF_SAY(linter, storage);
}

static bool is_covered(const network_t *inner, const network_t *outer)
{
    return inner->ip.family == outer->ip.family && inner->prefix >= outer->prefix &&
           spf_ip_prefix_equals(&inner->ip, outer->ip.octets, outer->prefix);
}

void spf_lint_host_bits(spf_linter_t *linter, uint32_t index)
{
    const spf_term_t *term = &linter->record->terms[index];
    network_t network;

    if (!spf_lint_is_network(term))
        return;
    network = published_network(linter, term);
    if (!mask_host_bits(&network))
        return;
    const char *text = address_text(linter, &network.ip);
    spf_remark_t *remark =
        spf_lint_add(linter, SPF_LINT_HOST_BITS, term->spec_offset, term->spec_length,
                     SPF_SAY(linter, spf_lint_quote_term(linter, term), " names an address in a network: all of ", text,
                             "/", spf_lint_number(linter, network.prefix), " is meant."),
                     SPF_SAY(linter, "Write ", text, "/", spf_lint_number(linter, network.prefix),
                             ", or leave out the prefix length if the one address is meant."));
    spf_lint_replace(remark, term->spec_offset, term->spec_length, text);
}

/* ------------------------------------------------------------------------------------------------------------ width */

static void say_wide(spf_linter_t *linter, const spf_term_t *term, unsigned prefix, unsigned family)
{
    unsigned bits = (family == 4 ? IP4_BITS : IP6_BITS) - prefix;
    const char *what = family == 4 && bits < IP4_BITS
                           ? SPF_SAY(linter, spf_lint_number(linter, UINT64_C(1) << bits), " IPv4 addresses")
                       : prefix == 0 ? SPF_SAY(linter, "every IPv", spf_lint_number(linter, family), " address")
                                     : "an IPv6 network wider than a whole provider's";

    spf_lint_add_term(
        linter, SPF_LINT_WIDE_NETWORK, term,
        SPF_SAY(linter, spf_lint_quote_term(linter, term), " lets ", what, " send mail in the domain's name."),
        "Name the networks that really send.");
}

/* What an a or mx term with a prefix length lets send is as wide as a network's. */
void spf_lint_width(spf_linter_t *linter, uint32_t index)
{
    const spf_term_t *term = &linter->record->terms[index];
    bool has_prefix = spf_lint_is_network(term) || term->kind == SPF_TERM_A || term->kind == SPF_TERM_MX;

    if (!has_prefix || term->result != SPF_RESULT_PASS)
        return;
    if (term->kind != SPF_TERM_IP6 && term->cidr4 < WIDE_IP4)
        say_wide(linter, term, term->cidr4, 4);
    else if (term->kind != SPF_TERM_IP4 && term->cidr6 < WIDE_IP6)
        say_wide(linter, term, term->cidr6, 6);
}

/* Addresses that no mail comes from over the Internet: RFC 6890 section 2.2, and multicast. */
static const struct {
    network_t network;
    const char *name;
} special[] = {
    {{{4, {0}}, 8}, "\"this network\""},
    {{{4, {10}}, 8}, "private"},
    {{{4, {100, 64}}, 10}, "a carrier's own"},
    {{{4, {127}}, 8}, "loopback"},
    {{{4, {169, 254}}, 16}, "link-local"},
    {{{4, {172, 16}}, 12}, "private"},
    {{{4, {192, 168}}, 16}, "private"},
    {{{4, {224}}, 4}, "multicast"},
    {{{4, {240}}, 4}, "reserved"},
    {{{6, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}, 128}, "loopback"},
    {{{6, {0xfc}}, 7}, "private"},
    {{{6, {0xfe, 0x80}}, 10}, "link-local"},
    {{{6, {0xff}}, 8}, "multicast"},
};

static const network_t mapped = {{6, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}}, 96};

/* A client ::ffff:192.0.2.1 is an IPv4 client: no ip6 term matches it. */
static void say_mapped(spf_linter_t *linter, const spf_term_t *term, const network_t *network)
{
    spf_ip_t ip = {.family = 4};

    memcpy(ip.octets, network->ip.octets + 12, 4);
    const char *meant = network->prefix == IP6_BITS
                            ? SPF_SAY(linter, "ip4:", address_text(linter, &ip))
                            : SPF_SAY(linter, "ip4:", address_text(linter, &ip), "/",
                                      spf_lint_number(linter, network->prefix - (IP6_BITS - IP4_BITS)));
    size_t word = spf_lint_word(linter->text + term->offset, term->length);
    spf_remark_t *remark = spf_lint_add_term(
        linter, SPF_LINT_MAPPED_ADDRESS, term,
        SPF_SAY(linter, spf_lint_quote_term(linter, term), " is an IPv4 address in IPv6 form, and never matches."),
        SPF_SAY(linter, "Write ", meant, "."));
    spf_lint_replace(remark, term->offset + word, term->length - word, meant);
}

void spf_lint_special_network(spf_linter_t *linter, uint32_t index)
{
    const spf_term_t *term = &linter->record->terms[index];
    network_t network;

    if (!spf_lint_is_network(term))
        return;
    network = network_of(linter, term);
    if (is_covered(&network, &mapped)) {
        say_mapped(linter, term, &network);
        return;
    }
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
        if (!is_covered(&network, &special[i].network))
            continue;
        spf_lint_add_term(linter, SPF_LINT_PRIVATE_NETWORK, term,
                          SPF_SAY(linter, spf_lint_quote_term(linter, term), " is ", special[i].name,
                                  ": no mail comes from there over the Internet."),
                          "Remove it, or name the address that the mail leaves by.");
        return;
    }
}

/* ----------------------------------------------------------------------------------------------- several networks */

static void say_shadowed(spf_linter_t *linter, const spf_term_t *term, const spf_term_t *by)
{
    bool same = term->result == by->result;
    const char *how = by > term                                              ? "is part of "
                      : by->cidr4 == term->cidr4 && by->cidr6 == term->cidr6 ? "is there before, as "
                                                                             : "never matches: it is part of ";
    spf_remark_t *remark =
        spf_lint_add_term(linter, SPF_LINT_SHADOWED_NETWORK, term,
                          SPF_SAY(linter, spf_lint_quote_term(linter, term), " ", how, spf_lint_quote_term(linter, by),
                                  by > term ? ", which follows."
                                  : same    ? "."
                                            : ", which stands before it and decides."),
                          same ? "Remove it." : "Put it before the wider network, or remove it.");
    if (same)
        spf_lint_replace(remark, term->offset, term->length, "");
}

/* A network that one before it holds: it never matches. */
static const spf_term_t *find_wider_before(const spf_linter_t *linter, uint32_t index, const network_t *network)
{
    const spf_term_t *terms = linter->record->terms;

    for (uint32_t i = 0; i < index; i++) {
        if (terms[i].kind != terms[index].kind ||
            (terms[i].kind == SPF_TERM_IP4 ? terms[i].cidr4 : terms[i].cidr6) > network->prefix)
            continue;
        network_t other = network_of(linter, &terms[i]);
        if (is_covered(network, &other))
            return &terms[i];
    }
    return NULL;
}

/* Calls for every later network of the same run with the same result: their order is no matter. */
typedef bool (*pair_test_t)(const network_t *a, const network_t *b);

static const spf_term_t *find_partner(const spf_linter_t *linter, uint32_t index, const network_t *network,
                                      pair_test_t test)
{
    const spf_term_t *terms = linter->record->terms;

    for (uint32_t i = index + 1; i < terms[index].run_end && terms[i].result == terms[index].result; i++) {
        if (terms[i].kind != terms[index].kind)
            continue;
        network_t other = network_of(linter, &terms[i]);
        if (test(network, &other))
            return &terms[i];
    }
    return NULL;
}

static bool is_within_wider(const network_t *a, const network_t *b)
{
    return b->prefix < a->prefix && is_covered(a, b);
}

void spf_lint_shadowed(spf_linter_t *linter, uint32_t index)
{
    const spf_term_t *term = &linter->record->terms[index];
    const spf_term_t *by;
    network_t network;

    if (!spf_lint_is_network(term) || index >= linter->all)
        return;
    network = network_of(linter, term);
    by = find_wider_before(linter, index, &network);
    if (by == NULL)
        by = find_partner(linter, index, &network, is_within_wider);
    if (by != NULL)
        say_shadowed(linter, term, by);
}

/* Two halves of one network. */
static bool are_halves(const network_t *a, const network_t *b)
{
    unsigned last = a->prefix - 1; /* the bit in which they differ */

    return a->prefix > 0 && a->prefix == b->prefix && spf_ip_prefix_equals(&a->ip, b->ip.octets, last) &&
           ((a->ip.octets[last / 8] ^ b->ip.octets[last / 8]) & 0x80 >> last % 8) != 0;
}

void spf_lint_mergeable(spf_linter_t *linter, uint32_t index)
{
    const spf_term_t *term = &linter->record->terms[index];
    const spf_term_t *other;
    network_t network;

    if (!spf_lint_is_network(term) || index >= linter->all)
        return;
    network = network_of(linter, term);
    other = find_partner(linter, index, &network, are_halves);
    if (other == NULL || find_wider_before(linter, index, &network) != NULL)
        return;
    network.prefix--;
    mask_host_bits(&network);
    size_t word = spf_lint_word(linter->text + term->offset, term->length);
    const char *merged = SPF_SAY(linter, network.ip.family == 4 ? "ip4:" : "ip6:", address_text(linter, &network.ip),
                                 "/", spf_lint_number(linter, network.prefix));
    spf_remark_t *remark = spf_lint_add_term(linter, SPF_LINT_MERGEABLE_NETWORKS, term,
                                             SPF_SAY(linter, spf_lint_quote_term(linter, term), " and ",
                                                     spf_lint_quote_term(linter, other), " together are one network."),
                                             SPF_SAY(linter, "Write ", merged, " in place of both."));
    spf_lint_replace(remark, term->offset + word, term->length - word, merged);
}
