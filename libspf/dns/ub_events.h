/* SPDX-License-Identifier: MIT */
/* The event base that libunbound runs on, made of our loop's watches and timers. */
#ifndef SPF_DNS_UB_EVENTS_H
#define SPF_DNS_UB_EVENTS_H

#include "dns/loop.h"

#include <sys/queue.h>
#include <unbound-event.h>

typedef struct spf_ub_base {
    struct ub_event_base base; /* first: libunbound knows us by its address */
    spf_loop_t *loop;
    TAILQ_HEAD(spf_ub_soon, spf_ub_event) soon; /* timers without delay, first set first */
    unsigned depth;                             /* calls into libunbound that we are inside of */
} spf_ub_base_t;

void spf_ub_base_init(spf_ub_base_t *base, spf_loop_t *loop);
/* Every call into libunbound stands between these two. libunbound starts each question by a timer without delay:
 * those are not worth a place in the heap, the outermost leave fires them. */
void spf_ub_base_enter(spf_ub_base_t *base);
void spf_ub_base_leave(spf_ub_base_t *base);

#endif
