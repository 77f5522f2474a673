/* SPDX-License-Identifier: MIT */
/* Where policies that are merged contradict each other about addresses: the earlier one decides. */
#ifndef SPF_TOOLS_CLASHES_H
#define SPF_TOOLS_CLASHES_H

#include "tools/addresses.h"

enum { SPF_CLASHES_RESULTS = SPF_RESULT_SOFTFAIL + 1 };

/* Zero-initialised: nothing is decided yet. */
typedef struct spf_clashes {
    spf_addresses_t decided[SPF_CLASHES_RESULTS]; /* by the policies before */
    spf_addresses_t own[SPF_CLASHES_RESULTS];     /* by the one in hand */
    bool is_out_of_memory;
} spf_clashes_t;

void spf_clashes_clear(spf_clashes_t *clashes);
/* The next network of the policy in hand, which gives this result: what an earlier policy gives to some of the
 * addresses that the one in hand has not decided yet, or the same result if nothing clashes. */
spf_result_t spf_clashes_add(spf_clashes_t *clashes, spf_result_t result, const spf_network_t *network);
/* The policy in hand is through. Where it clashed, what was decided before stays. */
void spf_clashes_next_policy(spf_clashes_t *clashes);

#endif
