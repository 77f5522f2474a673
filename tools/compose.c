/* SPDX-License-Identifier: MIT */
/* `spf compose`: a record from what may send. */
#include "drafts.h"
#include "options.h"
#include "tool.h"

#include <stdint.h>

enum { ERROR_MAX = 1024, TTL_MAX = INT32_MAX };

static const char verb[] = "compose";

typedef struct compose_options {
    options_t options; /* first */
    const char *domain, *all;
    draft_style_t style;
} compose_options_t;

static const option_definition_t definitions[] = {
    {"domain", "DOMAIN", OPTION_TEXT(compose_options_t, domain), "whose record it is, for the zone line"},
    {"all", "ALL", OPTION_TEXT(compose_options_t, all), "-all, ~all or ?all; unless set that of the records merged"},
    {"format", "FORMAT", OPTION_WORD(compose_options_t, style.format, DRAFT_FORMATS), "text (default), zone or json"},
    {"ttl", "SECONDS", OPTION_NUMBER(compose_options_t, style.ttl_s, 1, TTL_MAX), "of the zone line"},
};

static int run(options_t *command_line, spf_context_t *context)
{
    const compose_options_t *own = (const compose_options_t *)command_line;
    const spf_compose_options_t options = {.size = sizeof options,
                                           .domain = own->domain,
                                           .senders = own->options.operands.texts,
                                           .sender_count = own->options.operands.count,
                                           .all = own->all};
    char error[ERROR_MAX];
    spf_draft_t *draft;
    spf_err_t err = spf_compose(&draft, &options, error, sizeof error);

    (void)context;
    if (err == SPF_EINVAL)
        return tool_usage_error(verb, "%s", error);
    if (err == SPF_OK && !drafts_print(stdout, draft, &own->style))
        err = SPF_ENOMEM;
    spf_draft_free(draft);
    return err == SPF_OK ? 0 : tool_internal_error(verb, "%s", spf_strerror(err));
}

static const compose_options_t defaults = {.style.counts_own_only = true};

const command_t compose_command = {
    .verb = verb,
    .summary = "a record from what may send",
    .usage = "Usage: spf compose [OPTION]... SENDER...\n\n"
             "A SENDER is an address, a network, a host name, a term such as mx or include:example.com,\n"
             "or a whole record, \"v=spf1 ...\", that is merged. Terms such as -mx stand behind \"--\".\n",
    .notes = "\nExit status: 0, 64 usage or a sender that is none, 70 internal error.\n",
    .takes_terms = true,
    .operand_max = SIZE_MAX,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run,
    .options = definitions,
    .option_count = sizeof definitions / sizeof definitions[0],
};
