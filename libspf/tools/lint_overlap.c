/* SPDX-License-Identifier: MIT */
/*
 * Rules about networks of a record that hold one another or adjoin. Two networks are apart, or one holds the other; so,
 * sorted by their first address and the wider first, those that hold a network stand before it like open brackets, and
 * one pass finds for each of them what the rules ask. Whoever publishes a record may put thousands into it.
 */
#include "tools/addresses.h"
#include "tools/linter.h"
#include "tools/terms.h"

#include <stdlib.h>

enum { NO_TERM = UINT32_MAX, DEPTH_MAX = 130 /* networks that hold one another: a prefix length each */ };

typedef struct place {
    spf_range_t range;
    uint32_t term;
    uint32_t group;  /* networks in a row with the same result: their order is no matter */
    uint32_t wider;  /* the first term whose network holds this one and more; or NO_TERM */
    uint32_t holder; /* the same, or the first term with this very network */
    uint8_t family;
} place_t;

struct spf_lint_overlaps {
    uint32_t count;
    place_t places[];
};

static int compare_networks(const place_t *a, const place_t *b)
{
    int order = (int)a->family - (int)b->family;

    if (order == 0)
        order = spf_number_compare(a->range.first, b->range.first);
    return order != 0 ? order : spf_number_compare(b->range.last, a->range.last);
}

static int compare_places(const void *a, const void *b)
{
    const place_t *left = a, *right = b;
    int order = compare_networks(left, right);

    return order != 0 ? order : left->term < right->term ? -1 : left->term > right->term;
}

static place_t place_of(const spf_record_t *record, uint32_t index)
{
    spf_network_t network = spf_term_network(record, &record->terms[index]);

    return (place_t){.range = spf_range_of_network(&network), .term = index, .family = network.family};
}

static void find_places(spf_lint_overlaps_t *overlaps, const spf_record_t *record)
{
    const spf_term_t *terms = record->terms;
    uint32_t group = 0;

    for (uint32_t i = 0; i < record->term_count; i++) {
        if (!spf_lint_is_network(&terms[i]))
            continue;
        group += i == 0 || !spf_lint_is_network(&terms[i - 1]) || terms[i - 1].result != terms[i].result;
        overlaps->places[overlaps->count] = place_of(record, i);
        overlaps->places[overlaps->count++].group = group;
    }
}

static bool is_held(const place_t *inner, const place_t *outer)
{
    return inner->family == outer->family && spf_range_is_within(&inner->range, &outer->range);
}

/* In their order, with those that hold the one in hand on a stack. */
static void find_holders(spf_lint_overlaps_t *overlaps)
{
    const place_t *open[DEPTH_MAX];
    unsigned depth = 0;

    for (uint32_t i = 0; i < overlaps->count; i++) {
        place_t *place = &overlaps->places[i];
        while (depth > 0 && !is_held(place, open[depth - 1]))
            depth--;
        if (depth > 0 && compare_networks(place, open[depth - 1]) == 0) {
            place->wider = open[depth - 1]->wider;
            place->holder = open[depth - 1]->holder;
            continue;
        }
        place->wider = depth > 0 ? open[depth - 1]->holder : NO_TERM;
        place->holder = place->term < place->wider ? place->term : place->wider;
        open[depth++] = place;
    }
}

/* Of the record in hand; NULL without memory. */
static const spf_lint_overlaps_t *find_overlaps(spf_linter_t *linter)
{
    const spf_record_t *record = linter->record;
    spf_lint_overlaps_t *overlaps = linter->overlaps;

    if (overlaps != NULL)
        return overlaps;
    overlaps = spf_lint_alloc(linter, sizeof(*overlaps) + (record->net4_count + record->net6_count) * sizeof(place_t));
    if (overlaps == NULL)
        return NULL;
    overlaps->count = 0;
    find_places(overlaps, record);
    qsort(overlaps->places, overlaps->count, sizeof(place_t), compare_places);
    find_holders(overlaps);
    linter->overlaps = overlaps;
    return overlaps;
}

/* The first place of the network that is no earlier term's than that; NULL: there is none. */
static const place_t *find_place(const spf_lint_overlaps_t *overlaps, const place_t *wanted)
{
    uint32_t low = 0, high = overlaps->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare_places(&overlaps->places[middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < overlaps->count && compare_networks(&overlaps->places[low], wanted) == 0 ? &overlaps->places[low]
                                                                                          : NULL;
}

/* The place of a network before an all; NULL: it is no such term, or there is no memory. */
static const place_t *find_own(spf_linter_t *linter, const spf_lint_overlaps_t **overlaps, uint32_t index)
{
    if (!spf_lint_is_network(&linter->record->terms[index]) || index >= linter->all)
        return NULL;
    *overlaps = find_overlaps(linter);
    if (*overlaps == NULL)
        return NULL;
    place_t wanted = place_of(linter->record, index);
    return find_place(*overlaps, &wanted);
}

/* ------------------------------------------------------------------------------------------------------------ rules */

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

/* A network that one before it holds never matches; one in the same group that follows holds it as well. */
void spf_lint_shadowed(spf_linter_t *linter, uint32_t index)
{
    const spf_term_t *terms = linter->record->terms;
    const spf_lint_overlaps_t *overlaps;
    const place_t *own = find_own(linter, &overlaps, index);

    if (own == NULL)
        return;
    if (own->holder < index) {
        say_shadowed(linter, &terms[index], &terms[own->holder]);
    } else if (own->wider != NO_TERM) {
        place_t wider = place_of(linter->record, own->wider);
        if (find_place(overlaps, &wider)->group == own->group)
            say_shadowed(linter, &terms[index], &terms[own->wider]);
    }
}

/* The other half of the network that is one bit wider, in the same group behind this one; NULL: it is not there. */
static const place_t *find_other_half(const spf_linter_t *linter, const spf_lint_overlaps_t *overlaps,
                                      const place_t *own)
{
    spf_network_t network = spf_term_network(linter->record, &linter->record->terms[own->term]);
    unsigned last = network.prefix - 1U; /* the bit in which they differ */

    if (network.prefix == 0)
        return NULL;
    network.octets[last / 8] ^= (uint8_t)(0x80 >> last % 8);
    const place_t wanted = {.range = spf_range_of_network(&network), .term = own->term + 1, .family = network.family};
    const place_t *found = find_place(overlaps, &wanted);
    return found != NULL && found->group == own->group ? found : NULL;
}

void spf_lint_mergeable(spf_linter_t *linter, uint32_t index)
{
    const spf_term_t *term = &linter->record->terms[index];
    const spf_lint_overlaps_t *overlaps;
    const place_t *own = find_own(linter, &overlaps, index);
    const place_t *other = own != NULL && own->holder == index ? find_other_half(linter, overlaps, own) : NULL;

    if (other == NULL)
        return;
    spf_network_t network = spf_term_network(linter->record, term);
    network.prefix--;
    spf_network_mask(&network);
    size_t word = spf_lint_word(linter->text + term->offset, term->length);
    const char *merged = SPF_SAY(linter, network.family == 4 ? "ip4:" : "ip6:", spf_lint_network(linter, &network));
    spf_remark_t *remark = spf_lint_add_term(linter, SPF_LINT_MERGEABLE_NETWORKS, term,
                                             SPF_SAY(linter, spf_lint_quote_term(linter, term), " and ",
                                                     spf_lint_quote_term(linter, &linter->record->terms[other->term]),
                                                     " together are one network."),
                                             SPF_SAY(linter, "Write ", merged, " in place of both."));
    spf_lint_replace(remark, term->offset + word, term->length - word, merged);
}
