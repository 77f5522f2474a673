/* SPDX-License-Identifier: MIT */
/* What the keys of a configuration set; see spf_config_t. */
#ifndef SPF_API_CONFIG_H
#define SPF_API_CONFIG_H

#include "core/eval.h"
#include "dns/unbound.h"

typedef struct spf_settings {
    spf_dns_settings_t dns;
    spf_limits_t limits;
    uint64_t timeout_us;
    bool prefetch;
    char *receiver;    /* never NULL in a context */
    char *explanation; /* or NULL */
    uint64_t record_cache_bytes;
} spf_settings_t;

struct spf_config {
    spf_settings_t settings;
    char error[512];
};

/* A deep copy, with the receiver's default filled in; and its end. False without memory. */
bool spf_settings_copy(spf_settings_t *to, const spf_settings_t *from);
void spf_settings_clear(spf_settings_t *settings);

#endif
