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

static const command_t command = {
    .verb = verb,
    .usage = "spf compose: a record from what may send\n\n"
             "Usage: spf compose [OPTION]... SENDER...\n\n"
             "A SENDER is an address, a network, a host name, a term such as mx or include:example.com,\n"
             "or a whole record, \"v=spf1 ...\", that is merged.\n",
    .notes = "\nExit status: 0, 64 usage or a sender that is none, 70 internal error.\n",
    .advice = "",
    .operand_max = SIZE_MAX,
    .options = definitions,
    .option_count = sizeof definitions / sizeof definitions[0],
};

static int compose(const compose_options_t *own)
{
    const spf_compose_options_t options = {.size = sizeof options,
                                           .domain = own->domain,
                                           .senders = own->options.operands.texts,
                                           .sender_count = own->options.operands.count,
                                           .all = own->all};
    char error[ERROR_MAX];
    spf_draft_t *draft;
    spf_err_t err = spf_compose(&draft, &options, error, sizeof error);

    if (err == SPF_EINVAL)
        return tool_usage_error(verb, "%s", error);
    if (err == SPF_OK && !drafts_print(stdout, draft, &own->style))
        err = SPF_ENOMEM;
    spf_draft_free(draft);
    return err == SPF_OK ? 0 : tool_internal_error(verb, "%s", spf_strerror(err));
}

int compose_run(int argc, char **argv)
{
    compose_options_t own = {.domain = NULL};
    int status = options_parse(&own.options, &command, argc, argv);

    if (status == 0 && own.options.help)
        options_print_help(&command);
    else if (status == 0)
        status = compose(&own);
    options_free(&own.options);
    return status;
}

void compose_help(void)
{
    options_print_help(&command);
}
