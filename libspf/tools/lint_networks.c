/* SPDX-License-Identifier: MIT */
/* Rules about single ip4 and ip6 terms and prefix lengths. */
#include "base/ip.h"
#include "tools/addresses.h"
#include "tools/linter.h"
#include "tools/terms.h"

#include <string.h>

enum { IP4_BITS = 32, IP6_BITS = 128, WIDE_IP4 = 16, WIDE_IP6 = 32 };

/* The network of a term with its address as published. */
static spf_network_t published_network(const spf_linter_t *linter, const spf_term_t *term)
{
    spf_network_t network = {.prefix = term->kind == SPF_TERM_IP4 ? term->cidr4 : term->cidr6};
    const char *text = linter->text + term->spec_offset;
    spf_ip_t ip = {.family = 4};

    if (term->kind == SPF_TERM_IP4)
        spf_ip_parse_v4(&ip, text, term->spec_length);
    else
        spf_ip_parse_v6(&ip, text, term->spec_length);
    network.family = ip.family;
    memcpy(network.octets, ip.octets, sizeof(network.octets));
    return network;
}

/* Its address, without a prefix. */
static const char *address_text(spf_linter_t *linter, spf_network_t network)
{
    network.prefix = network.family == 4 ? IP4_BITS : IP6_BITS;
    return spf_lint_network(linter, &network);
}

void spf_lint_host_bits(spf_linter_t *linter, uint32_t index)
{
    const spf_term_t *term = &linter->record->terms[index];
    spf_network_t network;

    if (!spf_lint_is_network(term))
        return;
    network = published_network(linter, term);
    if (!spf_network_mask(&network))
        return;
    const char *meant = spf_lint_network(linter, &network);
    spf_remark_t *remark =
        spf_lint_add(linter, SPF_LINT_HOST_BITS, term->spec_offset, term->spec_length,
                     SPF_SAY(linter, spf_lint_quote_term(linter, term), " names an address in a network: all of ",
                             meant, " is meant."),
                     SPF_SAY(linter, "Write ", meant, ", or leave out the prefix length if the one address is meant."));
    spf_lint_replace(remark, term->spec_offset, term->spec_length, address_text(linter, network));
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
    spf_network_t network;
    const char *name;
} special[] = {
    {{4, 8, {0}}, "\"this network\""},
    {{4, 8, {10}}, "private"},
    {{4, 10, {100, 64}}, "a carrier's own"},
    {{4, 8, {127}}, "loopback"},
    {{4, 16, {169, 254}}, "link-local"},
    {{4, 12, {172, 16}}, "private"},
    {{4, 16, {192, 168}}, "private"},
    {{4, 4, {224}}, "multicast"},
    {{4, 4, {240}}, "reserved"},
    {{6, 128, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}, "loopback"},
    {{6, 7, {0xfc}}, "private"},
    {{6, 10, {0xfe, 0x80}}, "link-local"},
    {{6, 8, {0xff}}, "multicast"},
};

static const spf_network_t mapped = {6, 96, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};

static bool is_within(const spf_network_t *inner, const spf_network_t *outer)
{
    spf_range_t a = spf_range_of_network(inner), b = spf_range_of_network(outer);

    return inner->family == outer->family && spf_range_is_within(&a, &b);
}

/* A client ::ffff:192.0.2.1 is an IPv4 client: no ip6 term matches it. */
static void say_mapped(spf_linter_t *linter, const spf_term_t *term, const spf_network_t *network)
{
    spf_network_t ip4 = {.family = 4, .prefix = (uint8_t)(network->prefix - (IP6_BITS - IP4_BITS))};

    memcpy(ip4.octets, network->octets + 12, 4);
    const char *meant = SPF_SAY(linter, "ip4:", spf_lint_network(linter, &ip4));
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
    spf_network_t network;

    if (!spf_lint_is_network(term))
        return;
    network = spf_term_network(linter->record, term);
    if (is_within(&network, &mapped)) {
        say_mapped(linter, term, &network);
        return;
    }
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
        if (!is_within(&network, &special[i].network))
            continue;
        spf_lint_add_term(linter, SPF_LINT_PRIVATE_NETWORK, term,
                          SPF_SAY(linter, spf_lint_quote_term(linter, term), " is ", special[i].name,
                                  ": no mail comes from there over the Internet."),
                          "Remove it, or name the address that the mail leaves by.");
        return;
    }
}
