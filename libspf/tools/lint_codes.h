/* SPDX-License-Identifier: MIT */
/* Everything that lint can say: spf-lint(1) explains each code. */
#ifndef SPF_TOOLS_LINT_CODES_H
#define SPF_TOOLS_LINT_CODES_H

#define SPF_RFC(section) "RFC 7208 section " section

/* X(enumerator, code, severity, section) */
#define SPF_LINT_MAP(X)                                                                                                \
    /* Syntax errors, each by what was meant. */                                                                       \
    X(SPF_LINT_SMART_QUOTE, "smart-quote", ERROR, SPF_RFC("12"))                                                       \
    X(SPF_LINT_QUOTE, "quote", ERROR, SPF_RFC("12"))                                                                   \
    X(SPF_LINT_INVISIBLE, "invisible-character", ERROR, SPF_RFC("12"))                                                 \
    X(SPF_LINT_WHITE_SPACE, "white-space", ERROR, SPF_RFC("4.6.1"))                                                    \
    X(SPF_LINT_LOOKALIKE, "lookalike-sign", ERROR, SPF_RFC("12"))                                                      \
    X(SPF_LINT_NON_ASCII, "non-ascii", ERROR, SPF_RFC("12"))                                                           \
    X(SPF_LINT_COMMA, "comma", ERROR, SPF_RFC("4.6.1"))                                                                \
    X(SPF_LINT_PUNCTUATION, "trailing-punctuation", ERROR, SPF_RFC("4.6.1"))                                           \
    X(SPF_LINT_BACKSLASH, "backslash", ERROR, SPF_RFC("12"))                                                           \
    X(SPF_LINT_BRACKETS, "brackets", ERROR, SPF_RFC("12"))                                                             \
    X(SPF_LINT_URL, "url", ERROR, SPF_RFC("7.1"))                                                                      \
    X(SPF_LINT_RUN_TOGETHER, "run-together", ERROR, SPF_RFC("4.6.1"))                                                  \
    X(SPF_LINT_STRAY_SPACE, "stray-space", ERROR, SPF_RFC("4.6.1"))                                                    \
    X(SPF_LINT_QUALIFIER, "qualifier", ERROR, SPF_RFC("4.6.1"))                                                        \
    X(SPF_LINT_QUALIFIED_MODIFIER, "qualified-modifier", ERROR, SPF_RFC("6"))                                          \
    X(SPF_LINT_DUPLICATE_MODIFIER, "duplicate-modifier", ERROR, SPF_RFC("6"))                                          \
    X(SPF_LINT_MODIFIER_COLON, "modifier-colon", ERROR, SPF_RFC("4.6.1"))                                              \
    X(SPF_LINT_MISSPELT_MECHANISM, "misspelt-mechanism", ERROR, SPF_RFC("4.6.2"))                                      \
    X(SPF_LINT_UNKNOWN_MECHANISM, "unknown-mechanism", ERROR, SPF_RFC("4.6.2"))                                        \
    X(SPF_LINT_COLON, "missing-colon", ERROR, SPF_RFC("4.6.1"))                                                        \
    X(SPF_LINT_ADDRESS_FAMILY, "address-family", ERROR, SPF_RFC("5.6"))                                                \
    X(SPF_LINT_ADDRESS_AS_NAME, "address-as-name", ERROR, SPF_RFC("5.6"))                                              \
    X(SPF_LINT_NAME_AS_ADDRESS, "name-as-address", ERROR, SPF_RFC("5.6"))                                              \
    X(SPF_LINT_BARE_ADDRESS, "bare-address", ERROR, SPF_RFC("5.6"))                                                    \
    X(SPF_LINT_BARE_NAME, "bare-name", ERROR, SPF_RFC("4.6.1"))                                                        \
    X(SPF_LINT_NETMASK, "netmask", ERROR, SPF_RFC("5.6"))                                                              \
    X(SPF_LINT_ADDRESS_RANGE, "address-range", ERROR, SPF_RFC("5.6"))                                                  \
    X(SPF_LINT_SHORT_ADDRESS, "short-address", ERROR, SPF_RFC("5.6"))                                                  \
    X(SPF_LINT_LEADING_ZERO, "leading-zero", ERROR, SPF_RFC("5.6"))                                                    \
    X(SPF_LINT_PREFIX_LENGTH, "prefix-length", ERROR, SPF_RFC("5.6"))                                                  \
    X(SPF_LINT_ALL_ARGUMENT, "all-argument", ERROR, SPF_RFC("5.1"))                                                    \
    X(SPF_LINT_MISSING_NAME, "missing-name", ERROR, SPF_RFC("5"))                                                      \
    X(SPF_LINT_SINGLE_LABEL, "single-label", ERROR, SPF_RFC("7.1"))                                                    \
    X(SPF_LINT_MACRO, "macro", ERROR, SPF_RFC("7.1"))                                                                  \
    X(SPF_LINT_SYNTAX, "syntax", ERROR, SPF_RFC("4.6"))                                                                \
    /* What breaks evaluation, or publishing. */                                                                       \
    X(SPF_LINT_NO_RECORD, "no-record", ERROR, SPF_RFC("4.5"))                                                          \
    X(SPF_LINT_MISSPELT_VERSION, "misspelt-version", ERROR, SPF_RFC("4.5"))                                            \
    X(SPF_LINT_WRONG_NAME, "wrong-name", ERROR, SPF_RFC("3"))                                                          \
    X(SPF_LINT_SEVERAL_RECORDS, "several-records", ERROR, SPF_RFC("4.5"))                                              \
    X(SPF_LINT_LONG_STRING, "long-string", ERROR, SPF_RFC("3.3"))                                                      \
    X(SPF_LINT_BAD_TARGET, "bad-target", ERROR, SPF_RFC("4.8"))                                                        \
    X(SPF_LINT_TARGET_NO_RECORD, "target-no-record", ERROR, SPF_RFC("5.2"))                                            \
    X(SPF_LINT_TARGET_IS_HOST, "target-is-host", ERROR, SPF_RFC("5.2"))                                                \
    X(SPF_LINT_LOOP, "loop", ERROR, SPF_RFC("4.6.4"))                                                                  \
    X(SPF_LINT_LOOKUP_LIMIT, "lookup-limit", ERROR, SPF_RFC("4.6.4"))                                                  \
    X(SPF_LINT_VOID_LIMIT, "void-limit", ERROR, SPF_RFC("4.6.4"))                                                      \
    X(SPF_LINT_MX_LIMIT, "mx-limit", ERROR, SPF_RFC("4.6.4"))                                                          \
    X(SPF_LINT_DNS_FAILURE, "dns-failure", ERROR, SPF_RFC("2.6.6"))                                                    \
    /* What does not do what was meant, or does harm. */                                                               \
    X(SPF_LINT_PLUS_ALL, "plus-all", WARNING, SPF_RFC("5.1"))                                                          \
    X(SPF_LINT_NEUTRAL_ALL, "neutral-all", WARNING, SPF_RFC("8.2"))                                                    \
    X(SPF_LINT_NO_ALL, "no-all", WARNING, SPF_RFC("4.7"))                                                              \
    X(SPF_LINT_TERM_AFTER_ALL, "term-after-all", WARNING, SPF_RFC("5.1"))                                              \
    X(SPF_LINT_REDIRECT_WITH_ALL, "redirect-with-all", WARNING, SPF_RFC("6.1"))                                        \
    X(SPF_LINT_PTR, "ptr", WARNING, SPF_RFC("5.5"))                                                                    \
    X(SPF_LINT_DUPLICATE_TERM, "duplicate-term", WARNING, SPF_RFC("4.6.4"))                                            \
    X(SPF_LINT_SHADOWED_NETWORK, "shadowed-network", WARNING, SPF_RFC("4.6.2"))                                        \
    X(SPF_LINT_WIDE_NETWORK, "wide-network", WARNING, SPF_RFC("11.4"))                                                 \
    X(SPF_LINT_PRIVATE_NETWORK, "private-network", WARNING, "RFC 6890 section 2.2")                                    \
    X(SPF_LINT_MAPPED_ADDRESS, "mapped-address", WARNING, SPF_RFC("5"))                                                \
    X(SPF_LINT_MECHANISM_EQUALS, "mechanism-equals", WARNING, SPF_RFC("4.6.1"))                                        \
    X(SPF_LINT_MISSPELT_MODIFIER, "misspelt-modifier", WARNING, SPF_RFC("6"))                                          \
    X(SPF_LINT_SECOND_VERSION, "second-version", WARNING, SPF_RFC("4.5"))                                              \
    X(SPF_LINT_SUSPICIOUS_NAME, "suspicious-name", WARNING, SPF_RFC("7.1"))                                            \
    X(SPF_LINT_BAD_NAME, "bad-name", WARNING, SPF_RFC("4.8"))                                                          \
    X(SPF_LINT_LONG_RECORD, "long-record", WARNING, SPF_RFC("3.4"))                                                    \
    X(SPF_LINT_VOID_LOOKUP, "void-lookup", WARNING, SPF_RFC("4.6.4"))                                                  \
    X(SPF_LINT_MX_NO_ADDRESS, "mx-no-address", WARNING, SPF_RFC("5.4"))                                                \
    X(SPF_LINT_IPV6_VOID, "ipv6-void", WARNING, SPF_RFC("4.6.4"))                                                      \
    X(SPF_LINT_NAME_IS_POLICY, "name-is-policy", WARNING, SPF_RFC("5.2"))                                              \
    X(SPF_LINT_INCLUDE_PLUS_ALL, "include-plus-all", WARNING, SPF_RFC("5.2"))                                          \
    X(SPF_LINT_TYPE99, "type99", WARNING, SPF_RFC("3.1"))                                                              \
    X(SPF_LINT_LEFTOVER_RECORD, "leftover-record", WARNING, SPF_RFC("4.5"))                                            \
    /* What could be better. */                                                                                        \
    X(SPF_LINT_REDUNDANT_PLUS, "redundant-plus", ADVICE, SPF_RFC("4.6.2"))                                             \
    X(SPF_LINT_UPPER_CASE, "upper-case", ADVICE, SPF_RFC("4.6.1"))                                                     \
    X(SPF_LINT_HOST_BITS, "host-bits", ADVICE, SPF_RFC("5.6"))                                                         \
    X(SPF_LINT_MERGEABLE_NETWORKS, "mergeable-networks", ADVICE, SPF_RFC("5.6"))                                       \
    X(SPF_LINT_UNKNOWN_MODIFIER, "unknown-modifier", ADVICE, SPF_RFC("6"))                                             \
    X(SPF_LINT_EXP_UNUSABLE, "exp-unusable", ADVICE, SPF_RFC("6.2"))                                                   \
    X(SPF_LINT_UNUSED_INCLUDE, "unused-include", ADVICE, SPF_RFC("5.2"))                                               \
    X(SPF_LINT_NEAR_LOOKUP_LIMIT, "near-lookup-limit", ADVICE, SPF_RFC("4.6.4"))                                       \
    X(SPF_LINT_FAIL_WITH_DMARC, "fail-with-dmarc", ADVICE, "RFC 7489 section 10.1")                                    \
    X(SPF_LINT_ALL_WITHOUT_DMARC, "all-without-dmarc", ADVICE, "RFC 7489 section 3.1")

typedef enum spf_lint_code {
#define SPF_X(name, word, severity, section) name,
    SPF_LINT_MAP(SPF_X)
#undef SPF_X
        SPF_LINT_CODE_COUNT
} spf_lint_code_t;

#endif
