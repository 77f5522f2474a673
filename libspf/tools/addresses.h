/* SPDX-License-Identifier: MIT */
/*
 * Sets of addresses of both families: united, subtracted, intersected, and given back as the fewest networks that cover
 * them. A set without memory says so from then on, and so does one that was made of it: it is asked once, at the end.
 */
#ifndef SPF_TOOLS_ADDRESSES_H
#define SPF_TOOLS_ADDRESSES_H

#include "base/ip.h"
#include "spf_tools.h"

/* An address as a number: one of IPv4 in the low 32 bits. */
typedef struct spf_number {
    uint64_t high, low;
} spf_number_t;

typedef struct spf_range {
    spf_number_t first, last; /* both within */
} spf_range_t;

/* Of one family: sorted, disjoint, and no two of them adjacent. */
typedef struct spf_ranges {
    spf_range_t *items;
    size_t count, room;
} spf_ranges_t;

enum { SPF_FAMILY_IP4, SPF_FAMILY_IP6, SPF_FAMILY_COUNT };

/* Zero-initialised: empty. */
typedef struct spf_addresses {
    spf_ranges_t of[SPF_FAMILY_COUNT];
    bool is_out_of_memory;
} spf_addresses_t;

/* Frees; the set is empty then. */
void spf_addresses_clear(spf_addresses_t *set);

/* Host bits count as zero, a prefix that is too long as a whole address. */
void spf_addresses_add_network(spf_addresses_t *set, const spf_network_t *network);
/* Every address there is. */
void spf_addresses_add_everything(spf_addresses_t *set);
/* The other may be the same set. */
void spf_addresses_add(spf_addresses_t *set, const spf_addresses_t *other);
void spf_addresses_subtract(spf_addresses_t *set, const spf_addresses_t *other);
void spf_addresses_intersect(spf_addresses_t *set, const spf_addresses_t *other);

bool spf_addresses_is_empty(const spf_addresses_t *set);
bool spf_addresses_has(const spf_addresses_t *set, const spf_ip_t *ip);
/* Whether they have an address in common. */
bool spf_addresses_meets_network(const spf_addresses_t *set, const spf_network_t *network);

/* The fewest networks that are the set, IPv4 first, in order: zero-initialise the cover but for its set. */
typedef struct spf_cover {
    const spf_addresses_t *set;
    unsigned family;
    size_t index;   /* of the range */
    bool is_within; /* at is set: where in the range to go on */
    spf_number_t at;
} spf_cover_t;

bool spf_cover_next(spf_cover_t *cover, spf_network_t *network);
size_t spf_addresses_count_networks(const spf_addresses_t *set);

/* The number as an address of SPF_FAMILY_..., and the first and last number of a network. */
spf_ip_t spf_number_to_ip(spf_number_t number, unsigned family);
spf_range_t spf_range_of_network(const spf_network_t *network);
/* <0, 0, >0 */
int spf_number_compare(spf_number_t a, spf_number_t b);
/* Whether all of one is in the other; both of one family. */
bool spf_range_is_within(const spf_range_t *inner, const spf_range_t *outer);
/* The next and the one before: false at the family's end. */
bool spf_number_step_up(spf_number_t *number, unsigned family);
bool spf_number_step_down(spf_number_t *number);

/* Clears the host bits; whether any was set. */
bool spf_network_mask(spf_network_t *network);
/* "192.0.2.0/24"; without the prefix for a single address. */
void spf_network_add_text(spf_buf_t *buf, const spf_network_t *network);

#endif
