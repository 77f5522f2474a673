/* SPDX-License-Identifier: MIT */
/* Knowing that one is in the child of a fork, without a system call. */
#ifndef SPF_API_FORK_H
#define SPF_API_FORK_H

#include <stdbool.h>

/* Starts watching, once for the process. False without memory. */
bool spf_fork_watch(void);
/* A number that changes in the child of every fork. */
unsigned spf_fork_generation(void);
/* The one lock over what the process shares: no fork happens while it is held, so a child finds it free. Held only for
 * making and replacing engines, never while callbacks run. */
void spf_fork_lock(void);
void spf_fork_unlock(void);

#endif
