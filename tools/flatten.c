/* SPDX-License-Identifier: MIT */
/* `spf flatten`: records with the same verdict and fewer lookups. */
#include "flatten.h"

#include "tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TTL_MAX = INT32_MAX, INTERVAL_MAX = 7 * 86400, ANSWER_LEAST = 128, ANSWER_LARGEST = 65535 };

/* Between two rounds, in seconds, unless set. */
enum { INTERVAL_LEAST = 60, INTERVAL_MOST = 3600 };

static const char verb[] = "flatten";

/* ------------------------------------------------------------------------------------------------------------- once */

static int status_of(const spf_survey_t *survey)
{
    const spf_survey_summary_t *summary = spf_survey_summary(survey);

    switch (spf_survey_node(survey, 0)->status) {
    case SPF_NODE_NO_DOMAIN:
    case SPF_NODE_NO_RECORD:
    case SPF_NODE_BAD_NAME:
        return FLATTEN_NONE;
    default:
        return summary->has_failure ? FLATTEN_TEMPORARY : FLATTEN_REFUSED;
    }
}

static void set_error(flattened_t *flattened, int status, const char *text)
{
    flattened->status = status;
    snprintf(flattened->error, sizeof flattened->error, "%s", text);
}

static void note_ttl(flattened_t *flattened, int64_t ttl_s)
{
    if (ttl_s >= 0 && (flattened->ttl_s < 0 || ttl_s < flattened->ttl_s))
        flattened->ttl_s = ttl_s;
}

static void set_library_error(flattened_t *flattened, spf_err_t err)
{
    const char *text = flattened->survey != NULL ? spf_survey_error(flattened->survey) : "";

    set_error(flattened, err == SPF_EINVAL ? TOOL_USAGE : TOOL_INTERNAL, text[0] != '\0' ? text : spf_strerror(err));
}

static spf_err_t flatten_survey(const flatten_options_t *own, spf_survey_t *survey, spf_draft_t **draft)
{
    const spf_flatten_options_t options = {.size = sizeof options,
                                           .keep = own->keep.texts,
                                           .keep_count = own->keep.count,
                                           .prefix = own->prefix,
                                           .answer_max = own->answer_max};

    return spf_survey_flatten(survey, &options, draft);
}

/* A record that is flattened in place of the domain's own. */
typedef struct source {
    const char *text; /* NULL: there is none */
    size_t length;
} source_t;

/* Copies the record that was found at another name; else an error is set. The copy is to be freed. */
static char *take_source(const flatten_options_t *own, spf_survey_t *survey, flattened_t *flattened, source_t *source)
{
    const spf_node_t *node = spf_survey_node(survey, 0);
    char *copy = NULL;

    note_ttl(flattened, node->ttl_s);
    if (node->record == NULL || node->record_count != 1) {
        flatten_survey(own, survey, &flattened->draft);
        flattened->status = status_of(survey);
        snprintf(flattened->error, sizeof flattened->error, "--from: %s", spf_survey_error(survey));
        return NULL;
    }
    copy = malloc(node->record_length + 1);
    if (copy == NULL) {
        set_error(flattened, TOOL_INTERNAL, spf_strerror(SPF_ENOMEM));
        return NULL;
    }
    memcpy(copy, node->record, node->record_length);
    *source = (source_t){copy, node->record_length};
    return copy;
}

/* As take_source(), of the name that --from tells; NULL also if *is_interrupted. */
static char *read_source(const flatten_options_t *own, spf_context_t *context, survey_runner_t *run, void *user_data,
                         flattened_t *flattened, source_t *source, bool *is_interrupted)
{
    spf_survey_t *survey;
    spf_err_t err = spf_survey_new(&survey, context);
    char *copy = NULL;

    if (err == SPF_OK)
        err = spf_survey_set_domain(survey, own->from, SPF_STRLEN);
    if (err == SPF_OK)
        err = spf_survey_set_scope(survey, 0);
    if (err == SPF_OK)
        *is_interrupted = !run(user_data, survey, &err);
    if (err == SPF_OK && !*is_interrupted)
        copy = take_source(own, survey, flattened, source);
    else if (!*is_interrupted)
        set_error(flattened, err == SPF_EINVAL ? TOOL_USAGE : TOOL_INTERNAL,
                  err == SPF_EINVAL ? spf_survey_error(survey) : spf_strerror(err));
    spf_survey_free(survey);
    return copy;
}

static spf_err_t set_question(const flatten_options_t *own, spf_survey_t *survey, const source_t *source)
{
    spf_err_t err = spf_survey_set_domain(survey, own->domain, SPF_STRLEN);
    bool is_update = own->publisher.nsupdate || own->publisher.style.format == DRAFT_NSUPDATE;

    if (err == SPF_OK && source->text != NULL)
        err = spf_survey_set_record(survey, source->text, source->length);
    /* An update must know what else the domain publishes. */
    if (err == SPF_OK && source->text != NULL && is_update)
        err = spf_survey_set_scope(survey, SPF_SURVEY_RECORDS | SPF_SURVEY_ADDRESSES | SPF_SURVEY_NEARBY);
    return err;
}

static void make_draft(const flatten_options_t *own, flattened_t *flattened)
{
    spf_err_t err = flatten_survey(own, flattened->survey, &flattened->draft);

    note_ttl(flattened, spf_survey_summary(flattened->survey)->ttl_s);
    if (err == SPF_EINVAL)
        set_error(flattened, status_of(flattened->survey), spf_survey_error(flattened->survey));
    else if (err != SPF_OK)
        set_library_error(flattened, err);
}

static bool survey_and_flatten(const flatten_options_t *own, spf_context_t *context, survey_runner_t *run,
                               void *user_data, const source_t *source, flattened_t *flattened)
{
    spf_err_t err = spf_survey_new(&flattened->survey, context);

    if (err == SPF_OK)
        err = set_question(own, flattened->survey, source);
    if (err == SPF_OK && !run(user_data, flattened->survey, &err))
        return false;
    if (err == SPF_OK)
        make_draft(own, flattened);
    else
        set_library_error(flattened, err);
    return true;
}

bool flatten_once(const flatten_options_t *own, spf_context_t *context, survey_runner_t *run, void *user_data,
                  flattened_t *flattened)
{
    source_t source = {own->record, SPF_STRLEN};
    bool is_interrupted = false;
    char *copy = NULL;

    *flattened = (flattened_t){.status = FLATTEN_OK, .ttl_s = -1};
    if (own->from != NULL) {
        copy = read_source(own, context, run, user_data, flattened, &source, &is_interrupted);
        if (copy == NULL)
            return !is_interrupted;
    }
    is_interrupted = !survey_and_flatten(own, context, run, user_data, &source, flattened);
    free(copy);
    return !is_interrupted;
}

void flatten_free(flattened_t *flattened)
{
    spf_draft_free(flattened->draft);
    spf_survey_free(flattened->survey);
}

static bool run_survey(void *user_data, spf_survey_t *survey, spf_err_t *err)
{
    (void)user_data;
    *err = spf_survey_run(survey);
    return true;
}

static int print_error(int status, const char *error)
{
    tool_usage_error(verb, "%s", error);
    return status;
}

/* What the library refuses whatever DNS says is told before anything is asked. */
static int check_texts(const flatten_options_t *own, spf_context_t *context)
{
    const char *zone = own->publisher.style.update_zone;
    spf_survey_t *survey;
    spf_draft_t *draft;
    spf_err_t err = spf_survey_new(&survey, context);
    int status = 0;

    if (err != SPF_OK)
        return tool_internal_error(verb, "%s", spf_strerror(err));
    err = flatten_survey(own, survey, &draft);
    if (err == SPF_EINVAL)
        status = tool_usage_error(verb, "%s", spf_survey_error(survey));
    else if (zone != NULL && spf_survey_set_domain(survey, zone, SPF_STRLEN) == SPF_EINVAL)
        status = tool_usage_error(verb, "--update-zone: %s", spf_survey_error(survey));
    spf_survey_free(survey);
    return status;
}

static int run_once(const flatten_options_t *own, spf_context_t *context)
{
    const publisher_t *publisher = &own->publisher;
    flattened_t flattened;

    flatten_once(own, context, run_survey, NULL, &flattened);
    int status = flattened.status;
    if (status != FLATTEN_OK)
        status = print_error(status, flattened.error);
    else if (publisher->exec != NULL || publisher->nsupdate)
        status = publish(publisher, flattened.draft) == PUBLISHED ? FLATTEN_OK : FLATTEN_NOT_PUBLISHED;
    else if (!drafts_print(stdout, flattened.draft, &publisher->style))
        status = tool_internal_error(verb, "out of memory");
    flatten_free(&flattened);
    return status;
}

static int run(options_t *options, spf_context_t *context)
{
    flatten_options_t *own = (flatten_options_t *)options;
    int status = check_texts(own, context);

    if (status != 0)
        return status;
    return own->watch ? flatten_watch(own, context) : run_once(own, context);
}

/* ------------------------------------------------------------------------------------------------ the command line */

static const option_definition_t definitions[] = {
    {"keep", "DOMAIN", OPTION_LIST(flatten_options_t, keep), "leave includes of this domain alone (repeatable)"},
    {"from", "NAME", OPTION_TEXT(flatten_options_t, from), "the record that is flattened stands there"},
    {"record", "TEXT", OPTION_TEXT(flatten_options_t, record), "the record that is flattened is this"},
    {"prefix", "PREFIX", OPTION_TEXT(flatten_options_t, prefix),
     "of further records: _spf, unless set, as in _spf1.example.com"},
    {"answer-max", "OCTETS", OPTION_NUMBER(flatten_options_t, answer_max, ANSWER_LEAST, ANSWER_LARGEST),
     "of a DNS answer; unless set 512, or 1232 if it must be"},
    {"format", "FORMAT", OPTION_WORD(flatten_options_t, publisher.style.format, DRAFT_FORMATS_NSUPDATE),
     "text (default), zone, json or nsupdate"},
    {"ttl", "SECONDS", OPTION_NUMBER(flatten_options_t, publisher.style.ttl_s, 1, TTL_MAX), "of the records"},
    {"exec", "COMMAND", OPTION_TEXT(flatten_options_t, publisher.exec), "hand the records to this shell command"},
    {"nsupdate", NULL, OPTION_FLAG(flatten_options_t, publisher.nsupdate), "send them as a dynamic update (RFC 2136)"},
    {"server", "ADDR[@PORT]", OPTION_TEXT(flatten_options_t, publisher.style.server), "of the update"},
    {"update-zone", "ZONE", OPTION_TEXT(flatten_options_t, publisher.style.update_zone), "of the update"},
    {"key", "FILE", OPTION_TEXT(flatten_options_t, publisher.key), "that signs the update (TSIG)"},
    {"watch", NULL, OPTION_FLAG(flatten_options_t, watch), "go on, and ask again as TTLs run out"},
    {"min-interval", "SECONDS", OPTION_NUMBER(flatten_options_t, min_interval_s, 1, INTERVAL_MAX),
     "between two rounds at least; 60 unless set"},
    {"max-interval", "SECONDS", OPTION_NUMBER(flatten_options_t, max_interval_s, 1, INTERVAL_MAX),
     "between two rounds at most; 3600 unless set"},
};

/* ADDR or ADDR@PORT, of a name too. */
static bool is_server(const char *server)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:%_-";
    size_t length = strspn(server, allowed);
    size_t digits = server[length] == '@' ? strspn(server + length + 1, "0123456789") : 0;

    if (length == 0 || server[length] == '\0')
        return length > 0;
    if (digits == 0 || digits > 5 || server[length + 1 + digits] != '\0')
        return false;
    long port = strtol(server + length + 1, NULL, 10);
    return port >= 1 && port <= UINT16_MAX;
}

/* Whether both are the same name, as far as can be seen without asking. */
static bool is_same_name(const char *a, const char *b)
{
    size_t a_length = strlen(a), b_length = strlen(b);

    a_length -= a_length > 0 && a[a_length - 1] == '.';
    b_length -= b_length > 0 && b[b_length - 1] == '.';
    return a_length == b_length && strncasecmp(a, b, a_length) == 0;
}

static int check_update(const flatten_options_t *own)
{
    const publisher_t *publisher = &own->publisher;
    const char *server = publisher->style.server;
    bool is_update = publisher->nsupdate || publisher->style.format == DRAFT_NSUPDATE;

    if (!is_update && (server != NULL || publisher->style.update_zone != NULL))
        return tool_usage_error(verb, "--server and --update-zone go with --nsupdate or --format nsupdate");
    if (server != NULL && !is_server(server))
        return tool_usage_error(verb, "--server: %s is no ADDR[@PORT], as in 192.0.2.53@53",
                                tool_quote(server, strlen(server)).text);
    if (!publisher->nsupdate && publisher->key != NULL)
        return tool_usage_error(verb, "--key goes with --nsupdate");
    if (!own->watch || !publisher->nsupdate || own->record != NULL)
        return 0;
    if (own->from == NULL || is_same_name(own->from, own->domain))
        return tool_usage_error(verb,
                                "--from NAME or --record TEXT %s: the record that is flattened cannot stand where the "
                                "flattened one goes",
                                own->from == NULL ? "is missing" : "is to be another");
    return 0;
}

/* An interval that is not set gives way to one that is. */
static bool settle_intervals(flatten_options_t *own)
{
    if (own->min_interval_s == 0)
        own->min_interval_s =
            own->max_interval_s > 0 && own->max_interval_s < INTERVAL_LEAST ? own->max_interval_s : INTERVAL_LEAST;
    if (own->max_interval_s == 0)
        own->max_interval_s = own->min_interval_s > INTERVAL_MOST ? own->min_interval_s : INTERVAL_MOST;
    return own->min_interval_s <= own->max_interval_s;
}

static int check_combination(options_t *options)
{
    flatten_options_t *own = (flatten_options_t *)options;

    if (own->options.operands.count == 0)
        return tool_usage_error(verb, "the domain is missing, as in spf flatten example.com");
    own->domain = own->publisher.domain = own->options.operands.texts[0];
    if (tool_check_domain(verb, own->domain) != 0)
        return TOOL_USAGE;
    if (own->from != NULL && own->record != NULL)
        return tool_usage_error(verb, "--from and --record do not go together");
    if (!settle_intervals(own))
        return tool_usage_error(verb, "--min-interval %u is more than --max-interval %u", own->min_interval_s,
                                own->max_interval_s);
    return check_update(own);
}

static const flatten_options_t defaults = {.domain = NULL};

const command_t flatten_command = {
    .verb = verb,
    .summary = "records with the same verdict and fewer lookups",
    .usage = "Usage: spf flatten DOMAIN [OPTION]...\n"
             "       spf flatten DOMAIN --from NAME --watch [--exec COMMAND] [--nsupdate] [OPTION]...\n",
    .notes =
        "Exit status: 0 flattened (and published, if that was asked for), 1 it cannot be flattened, 2 it could not\n"
        "be published, 5 DNS failed for some of it, 6 there is no record; 64 usage, 70 internal error.\n"
        "Watching ends with 0 at SIGTERM or SIGINT.\n",
    .advice = "one domain is flattened at a time",
    .asks_dns = true,
    .operand_max = 1,
    .defaults = &defaults,
    .size = sizeof defaults,
    .check = check_combination,
    .run = run,
    .options = definitions,
    .option_count = sizeof definitions / sizeof definitions[0],
};
