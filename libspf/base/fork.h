/* SPDX-License-Identifier: MIT */
/* What a library must know of forks: that one happened, without a system call, and that none happens just now. */
#ifndef SPF_BASE_FORK_H
#define SPF_BASE_FORK_H

#include <stdbool.h>

/* Starts watching, once for the process. False without memory. */
bool spf_fork_watch(void);
/* A number that changes in the child of every fork. */
unsigned spf_fork_generation(void);
/*
 * The one lock over what the process shares (the shared context, the making of engines, libunbound's process-wide
 * set-up). No fork happens while it is held, so a child finds it free and all of that whole. The thread that holds it
 * may take it again. It is never held while callbacks run.
 */
void spf_fork_lock(void);
void spf_fork_unlock(void);

#endif
