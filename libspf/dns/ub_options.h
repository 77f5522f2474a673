/* SPDX-License-Identifier: MIT */
/* What our settings are in libunbound's words. */
#ifndef SPF_DNS_UB_OPTIONS_H
#define SPF_DNS_UB_OPTIONS_H

#include "dns/unbound.h"

#include <unbound.h>

/* Sets a new context up completely; see spf_ub_context_init(). */
spf_err_t spf_ub_options_apply(struct ub_ctx *ctx, const spf_dns_settings_t *settings, int zone_fd, spf_buf_t *error);

#endif
