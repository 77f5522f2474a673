/* SPDX-License-Identifier: MIT */
/* The <target-name> of a term (RFC 7208 sections 4.8 and 7). */
#ifndef SPF_CORE_TARGET_H
#define SPF_CORE_TARGET_H

#include "base/name.h"
#include "syntax/macro.h"
#include "syntax/record.h"

/* What a term of a record of domain is about; values has what its macros, if it has any, stand for. False: what they
 * make is no DNS name. */
bool spf_target_name(spf_name_t *name, const char *domain, size_t domain_length, const spf_record_t *record,
                     const spf_term_t *term, const spf_macro_values_t *values);

#endif
