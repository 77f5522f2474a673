/* SPDX-License-Identifier: MIT */
#include "tools/clashes.h"

void spf_clashes_clear(spf_clashes_t *clashes)
{
    for (unsigned result = 0; result < SPF_CLASHES_RESULTS; result++) {
        spf_addresses_clear(&clashes->decided[result]);
        spf_addresses_clear(&clashes->own[result]);
    }
}

/* A result other than the given one of which the sets have an address of the network; else the given one. */
static spf_result_t other_result(const spf_addresses_t *sets, spf_result_t result, const spf_network_t *network)
{
    for (unsigned other = 0; other < SPF_CLASHES_RESULTS; other++)
        if (other != (unsigned)result && spf_addresses_meets_network(&sets[other], network))
            return (spf_result_t)other;
    return result;
}

/* What of the network the policy in hand has not decided yet in another way. */
static void find_fresh(spf_clashes_t *clashes, spf_result_t result, const spf_network_t *network,
                       spf_addresses_t *fresh)
{
    spf_addresses_add_network(fresh, network);
    if (other_result(clashes->own, result, network) == result)
        return;
    for (unsigned other = 0; other < SPF_CLASHES_RESULTS; other++)
        if (other != (unsigned)result)
            spf_addresses_subtract(fresh, &clashes->own[other]);
}

spf_result_t spf_clashes_add(spf_clashes_t *clashes, spf_result_t result, const spf_network_t *network)
{
    spf_addresses_t fresh = {0};
    spf_cover_t cover = {.set = &fresh};
    spf_result_t before = result;
    spf_network_t part;

    find_fresh(clashes, result, network, &fresh);
    while (spf_cover_next(&cover, &part)) {
        if (before == result)
            before = other_result(clashes->decided, result, &part);
        spf_addresses_add_network(&clashes->own[result], &part);
    }
    clashes->is_out_of_memory =
        clashes->is_out_of_memory || fresh.is_out_of_memory || clashes->own[result].is_out_of_memory;
    spf_addresses_clear(&fresh);
    return before;
}

void spf_clashes_next_policy(spf_clashes_t *clashes)
{
    for (unsigned result = 0; result < SPF_CLASHES_RESULTS; result++) {
        spf_cover_t cover = {.set = &clashes->own[result]};
        spf_network_t network;

        while (spf_cover_next(&cover, &network))
            if (other_result(clashes->decided, (spf_result_t)result, &network) == (spf_result_t)result)
                spf_addresses_add_network(&clashes->decided[result], &network);
        clashes->is_out_of_memory = clashes->is_out_of_memory || clashes->decided[result].is_out_of_memory;
        spf_addresses_clear(&clashes->own[result]);
    }
}
