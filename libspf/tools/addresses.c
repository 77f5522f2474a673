/* SPDX-License-Identifier: MIT */
#include "tools/addresses.h"

#include <stdlib.h>
#include <string.h>

enum { RANGES_LEAST = 4 };

static const unsigned family_bits[SPF_FAMILY_COUNT] = {[SPF_FAMILY_IP4] = 32, [SPF_FAMILY_IP6] = 128};

/* ------------------------------------------------------------------------------------------------------- numbers */

static spf_number_t family_last(unsigned family)
{
    return family == SPF_FAMILY_IP4 ? (spf_number_t){0, UINT32_MAX} : (spf_number_t){UINT64_MAX, UINT64_MAX};
}

int spf_number_compare(spf_number_t a, spf_number_t b)
{
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    return a.low == b.low ? 0 : a.low < b.low ? -1 : 1;
}

bool spf_range_is_within(const spf_range_t *inner, const spf_range_t *outer)
{
    return spf_number_compare(inner->first, outer->first) >= 0 && spf_number_compare(inner->last, outer->last) <= 0;
}

bool spf_number_step_up(spf_number_t *number, unsigned family)
{
    if (spf_number_compare(*number, family_last(family)) >= 0)
        return false;
    number->low++;
    number->high += number->low == 0;
    return true;
}

bool spf_number_step_down(spf_number_t *number)
{
    if (number->high == 0 && number->low == 0)
        return false;
    number->high -= number->low == 0;
    number->low--;
    return true;
}

/* A number whose low bits, up to 128 of them, are ones, and nothing else. */
static spf_number_t low_ones(unsigned bits)
{
    spf_number_t ones = {0, 0};

    if (bits >= 64)
        ones.high = bits >= 128 ? UINT64_MAX : (UINT64_C(1) << (bits - 64)) - 1;
    ones.low = bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
    return ones;
}

/* How many zero bits stand at the low end. */
static unsigned low_zeros(spf_number_t number)
{
    unsigned count = 0;

    if (number.low == 0) {
        if (number.high == 0)
            return 128;
        count = 64;
        number.low = number.high;
    }
    for (; (number.low & 1) == 0; number.low >>= 1)
        count++;
    return count;
}

static spf_number_t number_of_octets(const uint8_t *octets, unsigned family)
{
    spf_number_t number = {0, 0};

    for (unsigned i = 0; i < family_bits[family] / 8; i++) {
        number.high = number.high << 8 | number.low >> 56;
        number.low = number.low << 8 | octets[i];
    }
    return number;
}

spf_ip_t spf_number_to_ip(spf_number_t number, unsigned family)
{
    spf_ip_t ip = {.family = family == SPF_FAMILY_IP4 ? 4 : 6};

    for (unsigned i = family_bits[family] / 8; i-- > 0;) {
        ip.octets[i] = (uint8_t)number.low;
        number.low = number.low >> 8 | number.high << 56;
        number.high >>= 8;
    }
    return ip;
}

static unsigned family_of(unsigned version)
{
    return version == 4 ? SPF_FAMILY_IP4 : SPF_FAMILY_IP6;
}

spf_range_t spf_range_of_network(const spf_network_t *network)
{
    unsigned family = family_of(network->family);
    unsigned bits = family_bits[family];
    spf_number_t ones = low_ones(network->prefix < bits ? bits - network->prefix : 0);
    spf_number_t number = number_of_octets(network->octets, family);
    spf_range_t range = {.first = {number.high & ~ones.high, number.low & ~ones.low},
                         .last = {number.high | ones.high, number.low | ones.low}};

    return range;
}

bool spf_network_mask(spf_network_t *network)
{
    unsigned size = family_bits[family_of(network->family)] / 8;
    bool had = false;

    for (unsigned i = 0; i < size; i++) {
        unsigned kept = network->prefix > 8 * i ? network->prefix - 8 * i : 0;
        unsigned host_bits = kept < 8 ? 0xffU >> kept : 0;
        had = had || (network->octets[i] & host_bits) != 0;
        network->octets[i] = (uint8_t)(network->octets[i] & ~host_bits);
    }
    return had;
}

void spf_network_add_text(spf_buf_t *buf, const spf_network_t *network)
{
    spf_ip_t ip = {.family = network->family};

    memcpy(ip.octets, network->octets, sizeof ip.octets);
    spf_ip_add_text(buf, &ip);
    if (network->prefix < family_bits[family_of(network->family)]) {
        spf_buf_add_char(buf, '/');
        spf_buf_add_uint(buf, network->prefix);
    }
}

/* -------------------------------------------------------------------------------------------- ranges of one family */

/* Room for that many, and never none. */
static bool ranges_new(spf_ranges_t *ranges, size_t count)
{
    spf_range_t *items = count < SIZE_MAX / sizeof *items ? malloc((count + 1) * sizeof *items) : NULL;

    if (items == NULL)
        return false;
    *ranges = (spf_ranges_t){.items = items, .room = count + 1};
    return true;
}

/* Room for one more. */
static bool ranges_grow(spf_ranges_t *ranges)
{
    size_t room = ranges->room * 2 + RANGES_LEAST;

    if (ranges->count < ranges->room)
        return true;
    if (room > SIZE_MAX / 4 / sizeof *ranges->items)
        return false;
    spf_range_t *items = realloc(ranges->items, room * sizeof *items);
    if (items == NULL)
        return false;
    ranges->items = items;
    ranges->room = room;
    return true;
}

/* Whether b begins before the end of a, or right behind it. */
static bool touches(const spf_range_t *a, const spf_range_t *b, unsigned family)
{
    spf_number_t next = a->last;

    return !spf_number_step_up(&next, family) || spf_number_compare(b->first, next) <= 0;
}

/* Puts a range that begins no earlier than the last one at the end; there is room for it. */
static void ranges_append(spf_ranges_t *ranges, const spf_range_t *range, unsigned family)
{
    spf_range_t *last = ranges->count > 0 ? &ranges->items[ranges->count - 1] : NULL;

    if (last == NULL || !touches(last, range, family))
        ranges->items[ranges->count++] = *range;
    else if (spf_number_compare(range->last, last->last) > 0)
        last->last = range->last;
}

/* Index of the first range that ends at or behind the number. */
static size_t ranges_find(const spf_ranges_t *ranges, spf_number_t number)
{
    size_t low = 0, high = ranges->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (spf_number_compare(ranges->items[middle].last, number) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool ranges_insert(spf_ranges_t *ranges, spf_range_t range, unsigned family)
{
    size_t first = ranges_find(ranges, range.first);
    size_t end;

    if (!ranges_grow(ranges))
        return false;
    if (first > 0 && touches(&ranges->items[first - 1], &range, family))
        first--;
    for (end = first; end < ranges->count && touches(&range, &ranges->items[end], family); end++) {
        if (spf_number_compare(ranges->items[end].first, range.first) < 0)
            range.first = ranges->items[end].first;
        if (spf_number_compare(ranges->items[end].last, range.last) > 0)
            range.last = ranges->items[end].last;
    }
    memmove(&ranges->items[first + 1], &ranges->items[end], (ranges->count - end) * sizeof range);
    ranges->items[first] = range;
    ranges->count = ranges->count - (end - first) + 1;
    return true;
}

static bool ranges_union(spf_ranges_t *out, const spf_ranges_t *a, const spf_ranges_t *b, unsigned family)
{
    size_t i = 0, j = 0;

    if (!ranges_new(out, a->count + b->count))
        return false;
    while (i < a->count || j < b->count) {
        bool takes_a = j == b->count || (i < a->count && spf_number_compare(a->items[i].first, b->items[j].first) <= 0);
        ranges_append(out, takes_a ? &a->items[i++] : &b->items[j++], family);
    }
    return true;
}

/* What of a is not in b. Each range of b parts one of a at most once more. */
static bool ranges_difference(spf_ranges_t *out, const spf_ranges_t *a, const spf_ranges_t *b, unsigned family)
{
    if (!ranges_new(out, a->count + b->count))
        return false;
    for (size_t i = 0; i < a->count; i++) {
        spf_range_t rest = a->items[i];
        bool is_left = true;
        for (size_t j = ranges_find(b, rest.first); is_left && j < b->count; j++) {
            const spf_range_t *hole = &b->items[j];
            if (spf_number_compare(hole->first, rest.last) > 0)
                break;
            if (spf_number_compare(hole->first, rest.first) > 0) {
                spf_range_t before = {rest.first, hole->first};
                spf_number_step_down(&before.last);
                ranges_append(out, &before, family);
            }
            rest.first = hole->last;
            is_left = spf_number_step_up(&rest.first, family) && spf_number_compare(rest.first, rest.last) <= 0;
        }
        if (is_left)
            ranges_append(out, &rest, family);
    }
    return true;
}

static bool ranges_intersection(spf_ranges_t *out, const spf_ranges_t *a, const spf_ranges_t *b, unsigned family)
{
    size_t i = 0, j = 0;

    if (!ranges_new(out, a->count + b->count))
        return false;
    while (i < a->count && j < b->count) {
        const spf_range_t *x = &a->items[i], *y = &b->items[j];
        spf_range_t both = {spf_number_compare(x->first, y->first) > 0 ? x->first : y->first,
                            spf_number_compare(x->last, y->last) < 0 ? x->last : y->last};
        if (spf_number_compare(both.first, both.last) <= 0)
            ranges_append(out, &both, family);
        if (spf_number_compare(x->last, y->last) < 0)
            i++;
        else
            j++;
    }
    return true;
}

/* ---------------------------------------------------------------------------------------------------------- sets */

void spf_addresses_clear(spf_addresses_t *set)
{
    for (unsigned family = 0; family < SPF_FAMILY_COUNT; family++)
        free(set->of[family].items);
    *set = (spf_addresses_t){0};
}

void spf_addresses_add_network(spf_addresses_t *set, const spf_network_t *network)
{
    unsigned family = family_of(network->family);

    if (!ranges_insert(&set->of[family], spf_range_of_network(network), family))
        set->is_out_of_memory = true;
}

void spf_addresses_add_everything(spf_addresses_t *set)
{
    for (unsigned family = 0; family < SPF_FAMILY_COUNT; family++)
        if (!ranges_insert(&set->of[family], (spf_range_t){{0, 0}, family_last(family)}, family))
            set->is_out_of_memory = true;
}

typedef bool (*operation_t)(spf_ranges_t *out, const spf_ranges_t *a, const spf_ranges_t *b, unsigned family);

static void combine(spf_addresses_t *set, const spf_addresses_t *other, operation_t operation)
{
    for (unsigned family = 0; family < SPF_FAMILY_COUNT; family++) {
        spf_ranges_t out = {0};
        if (!operation(&out, &set->of[family], &other->of[family], family)) {
            free(out.items);
            set->is_out_of_memory = true;
            return;
        }
        free(set->of[family].items);
        set->of[family] = out;
    }
    set->is_out_of_memory = set->is_out_of_memory || other->is_out_of_memory;
}

void spf_addresses_add(spf_addresses_t *set, const spf_addresses_t *other)
{
    combine(set, other, ranges_union);
}

void spf_addresses_subtract(spf_addresses_t *set, const spf_addresses_t *other)
{
    combine(set, other, ranges_difference);
}

void spf_addresses_intersect(spf_addresses_t *set, const spf_addresses_t *other)
{
    combine(set, other, ranges_intersection);
}

bool spf_addresses_is_empty(const spf_addresses_t *set)
{
    return set->of[SPF_FAMILY_IP4].count == 0 && set->of[SPF_FAMILY_IP6].count == 0;
}

static bool meets(const spf_addresses_t *set, const spf_range_t *range, unsigned family)
{
    const spf_ranges_t *ranges = &set->of[family];
    size_t index = ranges_find(ranges, range->first);

    return index < ranges->count && spf_number_compare(ranges->items[index].first, range->last) <= 0;
}

bool spf_addresses_has(const spf_addresses_t *set, const spf_ip_t *ip)
{
    unsigned family = family_of(ip->family);
    spf_number_t number = number_of_octets(ip->octets, family);

    return meets(set, &(spf_range_t){number, number}, family);
}

bool spf_addresses_meets_network(const spf_addresses_t *set, const spf_network_t *network)
{
    spf_range_t range = spf_range_of_network(network);

    return meets(set, &range, family_of(network->family));
}

/* --------------------------------------------------------------------------------------------------------- cover */

/* The largest network that begins at `first` and does not go past the last: so taken one after the other they are the
 * fewest. */
static spf_range_t largest_network(spf_number_t first, spf_number_t last, unsigned family, unsigned *host_bits)
{
    unsigned zeros = low_zeros(first);
    unsigned bits = zeros < family_bits[family] ? zeros : family_bits[family];
    spf_range_t range = {first, first};

    for (;; bits--) {
        spf_number_t ones = low_ones(bits);
        range.last = (spf_number_t){first.high | ones.high, first.low | ones.low};
        if (spf_number_compare(range.last, last) <= 0)
            break;
    }
    *host_bits = bits;
    return range;
}

bool spf_cover_next(spf_cover_t *cover, spf_network_t *network)
{
    const spf_ranges_t *ranges = &cover->set->of[cover->family];

    while (cover->index == ranges->count) {
        if (++cover->family >= SPF_FAMILY_COUNT) {
            cover->family--;
            return false;
        }
        cover->index = 0;
        ranges = &cover->set->of[cover->family];
    }
    const spf_range_t *range = &ranges->items[cover->index];
    unsigned host_bits;
    spf_range_t taken =
        largest_network(cover->is_within ? cover->at : range->first, range->last, cover->family, &host_bits);
    spf_ip_t ip = spf_number_to_ip(taken.first, cover->family);
    *network = (spf_network_t){.family = ip.family, .prefix = (uint8_t)(family_bits[cover->family] - host_bits)};
    memcpy(network->octets, ip.octets, sizeof network->octets);
    cover->at = taken.last;
    cover->is_within = spf_number_step_up(&cover->at, cover->family) && spf_number_compare(cover->at, range->last) <= 0;
    cover->index += !cover->is_within;
    return true;
}

size_t spf_addresses_count_networks(const spf_addresses_t *set)
{
    spf_cover_t cover = {.set = set};
    spf_network_t network;
    size_t count = 0;

    while (spf_cover_next(&cover, &network))
        count++;
    return count;
}
