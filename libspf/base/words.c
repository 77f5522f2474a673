/* SPDX-License-Identifier: MIT */
/* The words of the public enumerations, from the tables that define them. */
#include "base/name.h"
#include "spf_tools.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *word_at(const char *const *words, size_t count, size_t index)
{
    return index < count ? words[index] : "invalid";
}

#define SPF_X(name, word) [name] = (word),
static const char *const result_words[] = {SPF_RESULT_MAP(SPF_X)};
static const char *const cause_words[] = {SPF_CAUSE_MAP(SPF_X)};
static const char *const outcome_words[] = {SPF_OUTCOME_MAP(SPF_X)};
static const char *const node_status_words[] = {SPF_NODE_MAP(SPF_X)};
#undef SPF_X

static const char *const identity_words[] = {[SPF_IDENTITY_MAILFROM] = "mailfrom", [SPF_IDENTITY_HELO] = "helo"};

static const char *const dnssec_words[] = {
    [SPF_DNSSEC_INSECURE] = "insecure", [SPF_DNSSEC_SECURE] = "secure", [SPF_DNSSEC_BOGUS] = "bogus"};

const char *spf_strerror(spf_err_t err)
{
    switch (err) {
#define SPF_X(name, value, message)                                                                                    \
    case name:                                                                                                         \
        return message;
        SPF_ERR_MAP(SPF_X)
#undef SPF_X
    }
    return "unknown error";
}

const char *spf_result_name(spf_result_t result)
{
    return word_at(result_words, COUNT(result_words), (size_t)result);
}

bool spf_result_from_name(const char *word, spf_result_t *result)
{
    if (word == NULL)
        return false;
    for (size_t i = 0; i < COUNT(result_words); i++) {
        if (spf_text_equals_nocase(word, strlen(word), result_words[i], strlen(result_words[i]))) {
            *result = (spf_result_t)i;
            return true;
        }
    }
    return false;
}

const char *spf_cause_name(spf_cause_t cause)
{
    return word_at(cause_words, COUNT(cause_words), (size_t)cause);
}

const char *spf_identity_name(spf_identity_t identity)
{
    return word_at(identity_words, COUNT(identity_words), (size_t)identity);
}

const char *spf_dnssec_name(spf_dnssec_t dnssec)
{
    return word_at(dnssec_words, COUNT(dnssec_words), (size_t)dnssec);
}

const char *spf_outcome_name(spf_outcome_t outcome)
{
    return word_at(outcome_words, COUNT(outcome_words), (size_t)outcome);
}

const char *spf_node_status_name(spf_node_status_t status)
{
    return word_at(node_status_words, COUNT(node_status_words), (size_t)status);
}

const char *spf_version(void)
{
    return SPF_VERSION;
}
