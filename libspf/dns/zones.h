/* SPDX-License-Identifier: MIT */
/* Zone files made into the one zone, of the root, that libunbound can answer from. */
#ifndef SPF_DNS_ZONES_H
#define SPF_DNS_ZONES_H

#include "dns/unbound.h"

/*
 * Reads and checks all zones. *fd becomes an anonymous file with a zone of the root that holds them all. A broken one
 * puts "FILE:LINE: what is wrong, what is allowed" into error. SPF_OK, SPF_ENOMEM, SPF_ECONFIG, SPF_ESYSTEM.
 */
spf_err_t spf_zones_merge(const spf_dns_zone_t *zones, int *fd, spf_buf_t *error);
/* Whether a trust-anchor file can be read and holds DS or DNSKEY records; errors as above. */
spf_err_t spf_zones_check_anchor(const char *path, spf_buf_t *error);

#endif
