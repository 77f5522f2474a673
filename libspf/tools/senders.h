/* SPDX-License-Identifier: MIT */
/* Who may send, by a tree: the addresses that it gives pass, so far as that can be told without a mail. */
#ifndef SPF_TOOLS_SENDERS_H
#define SPF_TOOLS_SENDERS_H

#include "tools/addresses.h"
#include "tools/tree.h"

/* Fills a set that is empty; false without memory. Terms that depend on the mail are taken as matching nobody. */
bool spf_senders_collect(spf_addresses_t *senders, const spf_tree_t *tree);

#endif
