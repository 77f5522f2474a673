/* SPDX-License-Identifier: MIT */
/* A record from what may send, and from records that are merged: see spf_tools.h and spf-compose(1). */
#include "base/ascii.h"
#include "base/name.h"
#include "tools/clashes.h"
#include "tools/draft.h"
#include "tools/pack.h"
#include "tools/plan.h"
#include "tools/strings.h"
#include "tools/terms.h"

#include <errno.h>
#include <string.h>

enum { TAIL_MAX = 16, ANSWER_USUAL = 512, NO_RESULT = 0xff, CLASH_NOTES_MAX = 8, NETWORK_TEXT_MAX = 64 };

typedef struct composer {
    spf_draft_t *draft;
    spf_plan_t plan;
    spf_arena_t scratch;
    spf_buf_t *error;
    uint8_t all;                    /* the strictest seen, spf_result_t; NO_RESULT: none */
    bool has_alls;                  /* several that differ */
    unsigned redirects;             /* that stand for what the record lacks: */
    spf_plan_item_t *redirect_item; /* as an include of the same domain */
    const char *redirect;           /* as the modifier, of the last */
    const char *tail[TAIL_MAX];     /* other modifiers */
    size_t tail_count;
    spf_clashes_t clashes;
    size_t clash_count;
    const spf_plan_item_t *earlier; /* the last item of the senders before the one in hand; NULL: there is none */
} composer_t;

typedef enum outcome {
    TAKEN,
    NOT_THAT, /* the text is something else */
    FAILED    /* the sentence is written, or, without one, there was no memory */
} outcome_t;

/* --------------------------------------------------------------------------------------------------- contradictions */

/* A term that is overruled by what other senders said before: the first that decides does. */
static bool note_clash(composer_t *composer, spf_result_t result, const char *term, spf_result_t before)
{
    const char qualifier[] = {spf_plan_qualifier(result), '\0'};

    if (composer->clash_count++ >= CLASH_NOTES_MAX)
        return true;
    return SPF_DRAFT_ADD_NOTE(composer->draft, qualifier, term, " contradicts what was given before it: the result of ",
                              "that, ", spf_result_name(before), ", stays.");
}

static bool note_more_clashes(composer_t *composer)
{
    char storage[24];
    spf_buf_t buf;

    if (composer->clash_count <= CLASH_NOTES_MAX)
        return true;
    spf_buf_init(&buf, storage, sizeof storage);
    spf_buf_add_uint(&buf, composer->clash_count - CLASH_NOTES_MAX);
    return SPF_DRAFT_ADD_NOTE(composer->draft, "Terms more that contradict what was given before them: ", buf.data,
                              ".");
}

/* False without memory. */
static bool add_network(composer_t *composer, spf_result_t result, const spf_network_t *network)
{
    spf_addresses_t *set = spf_plan_addresses(&composer->plan, result);
    spf_result_t before = spf_clashes_add(&composer->clashes, result, network);
    char storage[NETWORK_TEXT_MAX];
    spf_buf_t text;

    if (set == NULL)
        return false;
    spf_addresses_add_network(set, network);
    if (before == result)
        return true;
    spf_buf_init(&text, storage, sizeof storage);
    spf_buf_add_text(&text, network->family == 4 ? "ip4:" : "ip6:");
    spf_network_add_text(&text, network);
    return note_clash(composer, result, text.data, before);
}

/* What the same term of an earlier sender gives, unless the one in hand has it already; else the same result. */
static spf_result_t earlier_result(const composer_t *composer, spf_result_t result, const char *term)
{
    bool is_earlier = composer->earlier != NULL;
    const spf_plan_item_t *first = NULL;

    for (const spf_plan_item_t *item = composer->plan.first; item != NULL; item = item->next) {
        bool is_same = item->term != NULL && strcmp(item->term, term) == 0;
        if (is_same && !is_earlier)
            return result;
        if (is_same && first == NULL)
            first = item;
        is_earlier = is_earlier && item != composer->earlier;
    }
    return first != NULL ? (spf_result_t)first->result : result;
}

/* NULL without memory. */
static spf_plan_item_t *add_term(composer_t *composer, spf_result_t result, spf_term_kind_t kind, const char *term)
{
    spf_result_t before = earlier_result(composer, result, term);

    if (before != result && !note_clash(composer, result, term, before))
        return NULL;
    return spf_plan_add_term(&composer->plan, result, kind, term, 1);
}

/* --------------------------------------------------------------------------------------------- addresses and names */

/* Whether a name is the domain's own. */
static bool is_own_name(const composer_t *composer, const char *name, size_t length)
{
    if (length > 1 && name[length - 1] == '.')
        length--;
    return composer->draft->domain_length > 0 &&
           spf_text_equals_nocase(name, length, composer->draft->domain, composer->draft->domain_length);
}

static bool parse_prefix(const char *text, size_t length, unsigned max, uint8_t *prefix)
{
    unsigned value = 0;

    if (length == 0 || length > 3 || (length > 1 && text[0] == '0'))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!spf_ascii_is_digit(text[i]))
            return false;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    *prefix = (uint8_t)value;
    return value <= max;
}

/* A client at an IPv4-mapped address is one of IPv4. */
static void unmap(spf_network_t *network)
{
    spf_ip_t ip;

    if (network->prefix < 96 || !spf_ip_from_octets(&ip, network->octets, sizeof network->octets) || ip.family != 4)
        return;
    network->family = 4;
    network->prefix = (uint8_t)(network->prefix - 96);
    memcpy(network->octets, ip.octets, sizeof network->octets);
}

/* ADDRESS [ "/" PREFIX ] of either family */
static outcome_t take_network(composer_t *composer, const char *text, size_t length)
{
    const char *slash = memchr(text, '/', length);
    size_t address_length = slash != NULL ? (size_t)(slash - text) : length;
    spf_network_t network = {0};
    spf_ip_t ip;

    if (!spf_ip_parse_v4(&ip, text, address_length) && !spf_ip_parse_v6(&ip, text, address_length))
        return NOT_THAT;
    network.family = ip.family;
    network.prefix = ip.family == 4 ? 32 : 128;
    memcpy(network.octets, ip.octets, sizeof network.octets);
    if (slash != NULL && !parse_prefix(slash + 1, length - address_length - 1, network.prefix, &network.prefix)) {
        SPF_SENTENCE_SET(composer->error, "\"", text, "\" has no prefix length of 0 to ", ip.family == 4 ? "32" : "128",
                         " behind its \"/\"");
        return FAILED;
    }
    if (network.family == 6)
        unmap(&network);
    return add_network(composer, SPF_RESULT_PASS, &network) ? TAKEN : FAILED;
}

static bool is_host_text(const spf_name_t *name)
{
    for (size_t i = 0; i < name->length; i++)
        if (!spf_ascii_is_alphanum(name->text[i]) && strchr("-_.", name->text[i]) == NULL)
            return false;
    return true;
}

/* A host, or a domain whose A and AAAA records are meant. */
static outcome_t take_host(composer_t *composer, const char *text, size_t length)
{
    bool is_out_of_memory, is_bound = false;
    spf_name_t name;
    const char *term;

    if (!spf_name_from_utf8(&name, text, length, &is_out_of_memory))
        return is_out_of_memory ? FAILED : NOT_THAT;
    if (!spf_name_is_checkable(&name) || !is_host_text(&name))
        return NOT_THAT;
    term = is_own_name(composer, name.text, name.length)
               ? spf_term_kind_name(SPF_TERM_A)
               : spf_term_text_of_name(&composer->draft->arena, SPF_TERM_A, name.text, &is_bound);
    if (term == NULL)
        return is_bound ? NOT_THAT : FAILED;
    return add_term(composer, SPF_RESULT_PASS, SPF_TERM_A, term) != NULL ? TAKEN : FAILED;
}

/* ----------------------------------------------------------------------------------------------------------- terms */

/* How strict a mail that nothing else decides is dealt with. */
static unsigned strictness(uint8_t result)
{
    static const uint8_t order[] = {
        [SPF_RESULT_PASS] = 0, [SPF_RESULT_NEUTRAL] = 1, [SPF_RESULT_SOFTFAIL] = 2, [SPF_RESULT_FAIL] = 3};

    return order[result];
}

static void take_all(composer_t *composer, uint8_t result)
{
    if (composer->all != NO_RESULT && composer->all != result)
        composer->has_alls = true;
    if (composer->all == NO_RESULT || strictness(result) > strictness(composer->all))
        composer->all = result;
}

static bool take_tail(composer_t *composer, const char *modifier)
{
    for (size_t i = 0; i < composer->tail_count; i++)
        if (strcmp(composer->tail[i], modifier) == 0)
            return true;
    if (composer->tail_count == TAIL_MAX) {
        SPF_SENTENCE_SET(composer->error, "there are more modifiers than compose can merge; leave out \"", modifier,
                         "\"");
        return false;
    }
    composer->tail[composer->tail_count++] = modifier;
    return true;
}

static bool has_exp(const composer_t *composer)
{
    for (size_t i = 0; i < composer->tail_count; i++)
        if (strncmp(composer->tail[i], "exp=", 4) == 0)
            return true;
    return false;
}

/* There can be one exp only (RFC 7208 section 6): the first. */
static bool take_exp(composer_t *composer, const char *text)
{
    bool is_known = false;

    for (size_t i = 0; i < composer->tail_count; i++)
        is_known = is_known || strcmp(composer->tail[i], text) == 0;
    if (!is_known && has_exp(composer))
        return SPF_DRAFT_ADD_NOTE(composer->draft, "There can be only one exp: ", text, " is left out.");
    return take_tail(composer, text);
}

/* For now as an include that stands at the end of its record. */
static bool take_redirect(composer_t *composer, const spf_record_t *record, const spf_term_t *term, const char *text)
{
    spf_term_t include = *term;
    bool is_bound;
    const char *include_text;

    if (composer->redirect != NULL && strcmp(composer->redirect, text) == 0)
        return true;
    include.kind = SPF_TERM_INCLUDE;
    include_text = spf_term_text(&composer->draft->arena, record, &include, NULL, &is_bound);
    if (include_text == NULL)
        return false;
    composer->redirects++;
    composer->redirect = text;
    composer->redirect_item = add_term(composer, SPF_RESULT_PASS, SPF_TERM_INCLUDE, include_text);
    return composer->redirect_item != NULL;
}

/* The term with nothing in place of the domain's own name, where that means the same. */
static spf_term_t without_own_name(const composer_t *composer, const spf_record_t *record, const spf_term_t *term)
{
    bool may_lack_name = term->kind == SPF_TERM_A || term->kind == SPF_TERM_MX || term->kind == SPF_TERM_PTR;
    spf_term_t bare = *term;

    if (may_lack_name && is_own_name(composer, record->text + term->spec_offset, term->spec_length))
        bare.spec_length = 0;
    return bare;
}

/* An include or a redirect of the record itself ends in permerror. */
static bool leads_to_itself(const composer_t *composer, const spf_record_t *record, const spf_term_t *term)
{
    return (term->kind == SPF_TERM_INCLUDE || term->kind == SPF_TERM_REDIRECT) &&
           is_own_name(composer, record->text + term->spec_offset, term->spec_length);
}

static bool take_term(composer_t *composer, const spf_record_t *record, const spf_term_t *term)
{
    spf_term_t bare = without_own_name(composer, record, term);
    spf_network_t network;
    const char *text;
    bool is_bound;

    if (leads_to_itself(composer, record, term)) {
        SPF_SENTENCE_SET(composer->error, "\"", spf_term_kind_name((spf_term_kind_t)term->kind),
                         term->kind == SPF_TERM_REDIRECT ? "=" : ":", composer->draft->domain,
                         "\" would lead the record to itself; leave it out");
        return false;
    }
    switch (term->kind) {
    case SPF_TERM_ALL:
        take_all(composer, term->result);
        return true;
    case SPF_TERM_IP4:
    case SPF_TERM_IP6:
        network = spf_term_network(record, term);
        return add_network(composer, (spf_result_t)term->result, &network);
    case SPF_TERM_UNKNOWN:
        text = spf_arena_copy(&composer->draft->arena, record->text + term->offset, term->length);
        return text != NULL && take_tail(composer, text);
    default:
        text = spf_term_text(&composer->draft->arena, record, &bare, NULL, &is_bound);
    }
    if (text == NULL)
        return false;
    if (term->kind == SPF_TERM_EXP)
        return take_exp(composer, text);
    if (term->kind == SPF_TERM_REDIRECT)
        return take_redirect(composer, record, term, text);
    return add_term(composer, (spf_result_t)term->result, (spf_term_kind_t)term->kind, text) != NULL;
}

/* -------------------------------------------------------------------------------------------------------- records */

/* Mechanisms behind an all are never tested (section 5.1), a redirect beside one is ignored (section 6.1), and a
 * redirect anywhere stands at the end (section 6.1). */
static outcome_t merge_terms(composer_t *composer, const spf_record_t *record)
{
    bool is_over = false;

    for (uint32_t i = 0; i < record->term_count; i++) {
        const spf_term_t *term = &record->terms[i];
        if ((is_over && term->kind < SPF_TERM_REDIRECT) || term->kind == SPF_TERM_REDIRECT)
            continue;
        if (!take_term(composer, record, term))
            return FAILED;
        is_over = is_over || term->kind == SPF_TERM_ALL;
    }
    if (record->redirect != SPF_NO_TERM && !record->has_all &&
        !take_term(composer, record, &record->terms[record->redirect]))
        return FAILED;
    return TAKEN;
}

static outcome_t merge_record(composer_t *composer, const char *text, size_t length)
{
    spf_record_t *record = spf_record_parse(text, length);
    outcome_t outcome;
    char storage[24];
    spf_buf_t offset;

    if (record == NULL)
        return FAILED;
    if (record->error_term == SPF_NO_TERM) {
        outcome = merge_terms(composer, record);
    } else {
        spf_buf_init(&offset, storage, sizeof storage);
        spf_buf_add_uint(&offset, record->error_offset);
        SPF_SENTENCE_SET(composer->error, "the record \"", record->text, "\" is wrong at octet ", offset.data, ": ",
                         record->error);
        outcome = FAILED;
    }
    spf_record_unref(record);
    return outcome;
}

/* One term as it would stand in a record. An unknown modifier is more likely a mistake ("include=example.com"). */
static outcome_t take_single(composer_t *composer, const char *text, size_t length)
{
    size_t size = length + sizeof "v=spf1 ";
    char *storage = spf_arena_alloc(&composer->scratch, size);
    outcome_t outcome = NOT_THAT;
    spf_record_t *record;
    spf_buf_t buf;

    if (storage == NULL)
        return FAILED;
    spf_buf_init(&buf, storage, size);
    spf_buf_add_text(&buf, "v=spf1 ");
    spf_buf_add(&buf, text, length);
    record = spf_record_parse(buf.data, buf.len);
    if (record == NULL)
        return FAILED;
    if (record->error_term == SPF_NO_TERM && record->term_count == 1 && record->terms[0].kind != SPF_TERM_UNKNOWN)
        outcome = take_term(composer, record, &record->terms[0]) ? TAKEN : FAILED;
    spf_record_unref(record);
    return outcome;
}

/* -------------------------------------------------------------------------------------------------------- senders */

static outcome_t take_sender(composer_t *composer, const char *sender)
{
    static outcome_t (*const takers[])(composer_t *, const char *, size_t) = {take_network, take_single, take_host};
    spf_strings_t strings;
    outcome_t outcome = NOT_THAT;

    if (!spf_strings_read(&composer->scratch, sender, strlen(sender), &strings))
        return FAILED;
    if (spf_record_is_record(strings.text, strings.length))
        return merge_record(composer, strings.text, strings.length);
    for (size_t i = 0; outcome == NOT_THAT && i < sizeof takers / sizeof takers[0]; i++)
        outcome = takers[i](composer, strings.text, strings.length);
    if (outcome != NOT_THAT)
        return outcome;
    SPF_SENTENCE_SET(composer->error, "\"", sender,
                     "\" is no sender: expected an address, a network, a host name, a term such as mx or "
                     "include:example.com, or a record that begins with v=spf1");
    return FAILED;
}

static bool is_error(const composer_t *composer)
{
    return composer->error->len > 0;
}

static spf_err_t take_senders(composer_t *composer, const spf_compose_options_t *options)
{
    for (size_t i = 0; i < options->sender_count; i++) {
        if (take_sender(composer, options->senders[i]) != TAKEN)
            return is_error(composer) ? SPF_EINVAL : SPF_ENOMEM;
        composer->earlier = spf_plan_last(&composer->plan);
        spf_clashes_next_policy(&composer->clashes);
    }
    return note_more_clashes(composer) ? SPF_OK : SPF_ENOMEM;
}

/* ---------------------------------------------------------------------------------------------------------- the end */

static bool parse_all(const char *all, uint8_t *result)
{
    static const struct {
        const char *text;
        uint8_t result;
    } alls[] = {{"-all", SPF_RESULT_FAIL}, {"~all", SPF_RESULT_SOFTFAIL}, {"?all", SPF_RESULT_NEUTRAL}};

    for (size_t i = 0; i < sizeof alls / sizeof alls[0]; i++) {
        if (strcmp(all, alls[i].text) == 0) {
            *result = alls[i].result;
            return true;
        }
    }
    return false;
}

static void remove_item(spf_plan_t *plan, const spf_plan_item_t *item)
{
    spf_plan_item_t **at = &plan->first;

    while (*at != item)
        at = &(*at)->next;
    *at = item->next;
}

/* A redirect can stay one if nothing else says what becomes of the rest. */
static bool settle_redirect(composer_t *composer)
{
    if (composer->redirects == 0)
        return true;
    if (composer->redirects == 1 && composer->all == NO_RESULT) {
        remove_item(&composer->plan, composer->redirect_item);
        composer->plan.redirect = composer->redirect;
        composer->plan.redirect_lookups = 1;
        return true;
    }
    if (composer->redirects == 1)
        return SPF_DRAFT_ADD_NOTE(composer->draft, "There can be no ", composer->redirect,
                                  " beside other policies: it became an include, so what it lets pass still passes.");
    return SPF_DRAFT_ADD_NOTE(composer->draft, "There can be only one redirect, and only without other policies: ",
                              "each became an include, so what it lets pass still passes.");
}

static bool settle_all(composer_t *composer, const spf_compose_options_t *options)
{
    static const char *const words[] = {[SPF_RESULT_PASS] = "+all",
                                        [SPF_RESULT_FAIL] = "-all",
                                        [SPF_RESULT_SOFTFAIL] = "~all",
                                        [SPF_RESULT_NEUTRAL] = "?all"};
    uint8_t usual = options->sender_count > 0 ? SPF_RESULT_SOFTFAIL : SPF_RESULT_FAIL;

    if (options->all == NULL && composer->has_alls &&
        !SPF_DRAFT_ADD_NOTE(composer->draft, "The records end in different alls: ", words[composer->all],
                            ", the strictest, is taken."))
        return false;
    if (options->all != NULL)
        parse_all(options->all, &composer->all);
    if (!settle_redirect(composer))
        return false;
    if (composer->plan.redirect != NULL)
        return true;
    composer->plan.has_all = true;
    composer->plan.otherwise = composer->all != NO_RESULT ? composer->all : usual;
    return true;
}

static bool add_number(spf_draft_t *draft, const char *before, size_t number, const char *behind)
{
    char storage[24];
    spf_buf_t buf;

    spf_buf_init(&buf, storage, sizeof storage);
    spf_buf_add_uint(&buf, number);
    return SPF_DRAFT_ADD_NOTE(draft, before, buf.data, behind);
}

static bool add_size_notes(spf_draft_t *draft)
{
    const spf_draft_record_t *record = &draft->records[0];

    if (draft->lookups > SPF_LOOKUPS_MAX &&
        !add_number(draft, "The record has ", draft->lookups,
                    " terms that need DNS; ten are allowed (RFC 7208 section 4.6.4), with those of its includes."))
        return false;
    return record->answer_octets <= ANSWER_USUAL ||
           add_number(draft, "The record takes ", record->answer_octets,
                      " octets of a DNS answer; 512 fit everywhere (RFC 7208 section 3.4).");
}

static spf_err_t finish(composer_t *composer, const spf_compose_options_t *options)
{
    spf_pack_options_t pack = {.answer_max = ANSWER_USUAL, .tail = composer->tail};
    spf_err_t err;

    if (!settle_all(composer, options))
        return SPF_ENOMEM;
    spf_plan_settle(&composer->plan, SPF_PLAN_SORTED);
    if (spf_plan_is_out_of_memory(&composer->plan) || composer->clashes.is_out_of_memory ||
        (composer->plan.otherwise == SPF_RESULT_PASS &&
         !SPF_DRAFT_ADD_NOTE(composer->draft, "+all lets everybody send mail for the domain.")))
        return SPF_ENOMEM;
    pack.tail_count = composer->tail_count;
    err = spf_pack(composer->draft, &composer->plan, &pack, composer->error);
    if (err == SPF_OK && !add_size_notes(composer->draft))
        err = SPF_ENOMEM;
    return err;
}

static spf_err_t compose(spf_draft_t **draft, const spf_compose_options_t *options, spf_buf_t *error)
{
    composer_t composer = {.error = error, .all = NO_RESULT};
    bool is_out_of_memory = false;
    spf_name_t domain = {0};
    uint8_t all;
    spf_err_t err;

    if (options->all != NULL && !parse_all(options->all, &all)) {
        SPF_SENTENCE_SET(error, "\"", options->all, "\" is none of -all, ~all and ?all");
        return SPF_EINVAL;
    }
    if (options->domain != NULL &&
        !spf_name_from_utf8(&domain, options->domain, strlen(options->domain), &is_out_of_memory)) {
        SPF_SENTENCE_SET(error, "\"", options->domain, "\" is no domain name");
        return is_out_of_memory ? SPF_ENOMEM : SPF_EINVAL;
    }
    if (options->domain != NULL && !spf_name_is_checkable(&domain)) {
        SPF_SENTENCE_SET(error, "\"", options->domain, "\" is no domain name of several labels, as mail has");
        return SPF_EINVAL;
    }
    composer.draft = spf_draft_new(domain.text, domain.length);
    if (composer.draft == NULL)
        return SPF_ENOMEM;
    spf_plan_init(&composer.plan, &composer.draft->arena);
    err = take_senders(&composer, options);
    if (err == SPF_OK)
        err = finish(&composer, options);
    spf_plan_clear(&composer.plan);
    spf_clashes_clear(&composer.clashes);
    spf_arena_free(&composer.scratch);
    if (err == SPF_OK)
        *draft = composer.draft;
    else
        spf_draft_free(composer.draft);
    return err;
}

spf_err_t spf_compose(spf_draft_t **draft, const spf_compose_options_t *options, char *error, size_t error_size)
{
    spf_compose_options_t known = {0};
    int saved_errno = errno;
    char storage[1024];
    spf_buf_t sentence;
    spf_err_t err;

    memcpy(&known, options, options->size < sizeof known ? options->size : sizeof known);
    *draft = NULL;
    spf_buf_init(&sentence, storage, sizeof storage);
    err = compose(draft, &known, &sentence);
    if (error != NULL && error_size > 0) {
        spf_buf_t out;
        spf_buf_init(&out, error, error_size);
        const char *text = err == SPF_OK ? "" : err == SPF_EINVAL ? sentence.data : spf_strerror(err);
        spf_buf_add(&out, text, strnlen(text, error_size - 1));
    }
    errno = saved_errno;
    return err;
}
