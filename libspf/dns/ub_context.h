/* SPDX-License-Identifier: MIT */
/* One libunbound context in event mode: set up from our settings, asked by DNS name. */
#ifndef SPF_DNS_UB_CONTEXT_H
#define SPF_DNS_UB_CONTEXT_H

#include "dns/ub_events.h"
#include "dns/unbound.h"

#include <unbound.h>

typedef struct spf_ub_context {
    spf_ub_base_t base;
    struct ub_ctx *ctx;
    bool is_warm; /* it has taken a question: nothing more is set up in it */
} spf_ub_context_t;

/*
 * Sets a context up: zone_fd is an open file with the one zone it answers from, or -1 for the network as the settings
 * have it. A failure leaves nothing behind and puts a sentence into error.
 */
spf_err_t spf_ub_context_init(spf_ub_context_t *context, spf_loop_t *loop, const spf_dns_settings_t *settings,
                              int zone_fd, spf_buf_t *error);
/* Whether it was set up, and not cleared. */
bool spf_ub_context_is_open(const spf_ub_context_t *context);
/* Questions still open are called back from inside. */
void spf_ub_context_clear(spf_ub_context_t *context);
/*
 * Asks for a DNS name of any octets. The callback, which may run before this returns, gets argument as its first.
 * False if libunbound refused; then it is not called.
 */
bool spf_ub_context_ask(spf_ub_context_t *context, const char *name, size_t length, uint16_t type,
                        ub_event_callback_type callback, void *argument, int *id);

#endif
