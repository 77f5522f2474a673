/* SPDX-License-Identifier: MIT */
/* Surveys: everything that a domain's record leads to, and what lint has to say about it. */
#include "exchange.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------------------------- options */

/* A survey in the making. */
typedef struct making {
    spf_survey_t *survey;
    unsigned scope;
    bool has_subject;
} making_t;

static const char *refusal(const void *target)
{
    return spf_survey_error(((const making_t *)target)->survey);
}

static spf_err_t take_domain(const spf_lua_reading_t *reading, const char *name, int index)
{
    making_t *making = reading->target;
    size_t length;
    const char *domain;

    if (lua_type(reading->L, index) != LUA_TSTRING)
        spf_lua_bad_kind(reading->L, reading->function, name, index,
                         "a domain, a string like \"example.com\", or else a record,");
    domain = spf_lua_octets(reading->L, reading->function, name, index, &length);
    making->has_subject = true;
    return spf_survey_set_domain(making->survey, domain, length);
}

static spf_err_t take_record(const spf_lua_reading_t *reading, const char *name, int index)
{
    making_t *making = reading->target;
    size_t length;
    const char *record = spf_lua_octets(reading->L, reading->function, name, index, &length);

    making->has_subject = true;
    return spf_survey_set_record(making->survey, record, length);
}

static spf_err_t take_scope(const spf_lua_reading_t *reading, const char *name, int index, spf_survey_scope_t scope)
{
    making_t *making = reading->target;

    if (spf_lua_flag(reading->L, reading->function, name, index))
        making->scope |= (unsigned)scope;
    else
        making->scope &= ~(unsigned)scope;
    return spf_survey_set_scope(making->survey, making->scope);
}

static spf_err_t take_records(const spf_lua_reading_t *reading, const char *name, int index)
{
    return take_scope(reading, name, index, SPF_SURVEY_RECORDS);
}

static spf_err_t take_addresses(const spf_lua_reading_t *reading, const char *name, int index)
{
    return take_scope(reading, name, index, SPF_SURVEY_ADDRESSES);
}

static spf_err_t take_nearby(const spf_lua_reading_t *reading, const char *name, int index)
{
    return take_scope(reading, name, index, SPF_SURVEY_NEARBY);
}

static spf_err_t take_timeout(const spf_lua_reading_t *reading, const char *name, int index)
{
    making_t *making = reading->target;

    return spf_survey_set_timeout_ms(making->survey, spf_lua_deadline_ms(reading->L, reading->function, name, index));
}

/* The first may be given without its name. */
static const spf_lua_option_t options[] = {
    {"domain", take_domain},
    {"record", take_record},
    {"records", take_records},
    {"addresses", take_addresses},
    {"nearby", take_nearby},
    {"timeout", take_timeout},
    {NULL, NULL},
};

enum { POSITIONS = 1, SCOPE_USUAL = SPF_SURVEY_RECORDS | SPF_SURVEY_ADDRESSES };

static void new_survey(lua_State *L, const char *function, spf_context_t *context, spf_survey_t **survey)
{
    if (spf_survey_new(survey, context) != SPF_OK)
        luaL_error(L, "%s: %s", function, spf_strerror(SPF_ENOMEM));
}

static bool read_arguments(lua_State *L, const char *function, int first, bool has_callback, spf_context_t *context,
                           void **subject)
{
    making_t making = {.scope = SCOPE_USUAL};
    const spf_lua_reading_t reading = {.L = L, .function = function, .target = &making, .error = refusal};

    new_survey(L, function, context, &making.survey);
    *subject = making.survey;
    if (lua_istable(L, first))
        spf_lua_read_table(&reading, options, first, has_callback);
    else
        spf_lua_take(&reading, &options[0], first);
    if (!making.has_subject) {
        lua_pushnil(L);
        spf_lua_take(&reading, &options[0], lua_gettop(L));
    }
    return false;
}

/* --------------------------------------------------------------------------------------------------------- the kind */

static void called_back(spf_survey_t *survey, spf_err_t err, void *user_data)
{
    (void)survey;
    spf_lua_ended(user_data, err);
}

static spf_err_t start_job(spf_lua_job_t *job)
{
    return spf_survey_start(job->subject, called_back, job);
}

static spf_err_t run_survey(void *survey)
{
    return spf_survey_run(survey);
}

/* Each term of a record is kept with all that is known of it. */
static size_t more_octets(const void *survey, bool has_trace)
{
    enum { TIMES = 32 };
    const spf_node_t *node;
    size_t octets = 0;

    (void)has_trace;
    for (size_t i = 0; (node = spf_survey_node(survey, i)) != NULL; i++)
        octets += node->record_length * TIMES;
    return octets;
}

static void cancel_survey(void *survey)
{
    spf_survey_cancel(survey);
}

static void free_survey(void *survey)
{
    spf_survey_free(survey);
}

static const char *survey_error(const void *survey)
{
    return spf_survey_error(survey);
}

const spf_lua_kind_t spf_lua_survey = {
    .name = "survey",
    .result = SPF_LUA_SURVEY,
    .octets = 24000,
    .positions = POSITIONS,
    .read = read_arguments,
    .start = start_job,
    .run = run_survey,
    .more_octets = more_octets,
    .cancel = cancel_survey,
    .free = free_survey,
    .error = survey_error,
};

/* ------------------------------------------------------------------------------------------------------------ nodes */

/* Nodes refer to each other by their place in the array. */
static void set_node(lua_State *L, const char *key, const spf_survey_t *survey, const spf_node_t *node)
{
    const spf_node_t *other;

    for (size_t i = 0; node != NULL && (other = spf_survey_node(survey, i)) != NULL; i++)
        if (other == node)
            spf_lua_set_number(L, key, spf_lua_position(i));
}

/* What is counted from 1 on, or, being 0, is not there. */
static void set_count(lua_State *L, const char *key, unsigned count)
{
    if (count > 0)
        spf_lua_set_number(L, key, (lua_Integer)count);
}

static void set_ttl(lua_State *L, int64_t ttl_s)
{
    if (ttl_s >= 0)
        spf_lua_set_number(L, "ttl", (lua_Integer)ttl_s);
}

static void push_networks(lua_State *L, const spf_network_t *networks, size_t count)
{
    char address[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + sizeof("/128")];

    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        inet_ntop(networks[i].family == 4 ? AF_INET : AF_INET6, networks[i].octets, address, sizeof(address));
        snprintf(text, sizeof(text), "%s/%u", address, networks[i].prefix);
        lua_pushstring(L, text);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

static void push_term(lua_State *L, const spf_survey_t *survey, const spf_node_term_t *term)
{
    lua_createtable(L, 0, 20);
    spf_lua_set_text(L, "text", term->text);
    spf_lua_set_number(L, "offset", spf_lua_position(term->offset));
    spf_lua_set_number(L, "length", (lua_Integer)term->length);
    spf_lua_set_text(L, "kind", term->kind);
    spf_lua_set_text(L, "result", term->is_mechanism ? spf_result_name(term->result) : NULL);
    spf_lua_set_text(L, "target", term->target);
    spf_lua_set_flag(L, "depends_on_mail", term->depends_on_mail);
    spf_lua_set_flag(L, "is_reached", term->is_reached);
    set_count(L, "lookup_number", term->lookup_number);
    set_count(L, "void_number", term->void_number);
    set_count(L, "void_number6", term->void_number6);
    spf_lua_set_flag(L, "is_past_limit", term->is_past_limit);
    spf_lua_set_flag(L, "is_past_limit6", term->is_past_limit6);
    spf_lua_set_text(L, "status", spf_node_status_name(term->status));
    spf_lua_set_text(L, "answer", term->answer);
    set_ttl(L, term->ttl_s);
    push_networks(L, term->networks, term->network_count);
    lua_setfield(L, -2, "networks");
    spf_lua_set_number(L, "host_count", (lua_Integer)term->host_count);
    set_node(L, "child", survey, term->child);
}

static void set_counters(lua_State *L, const spf_node_t *node)
{
    spf_lua_set_number(L, "lookups", (lua_Integer)node->lookups);
    spf_lua_set_number(L, "void_lookups", (lua_Integer)node->void_lookups);
    spf_lua_set_number(L, "void_lookups6", (lua_Integer)node->void_lookups6);
    spf_lua_set_number(L, "running_lookups", (lua_Integer)node->running_lookups);
    spf_lua_set_number(L, "running_void_lookups", (lua_Integer)node->running_void_lookups);
    spf_lua_set_number(L, "running_void_lookups6", (lua_Integer)node->running_void_lookups6);
    set_count(L, "answer_octets", node->answer_octets);
}

static void push_node(lua_State *L, const spf_survey_t *survey, const spf_node_t *node)
{
    lua_createtable(L, 0, 24);
    set_node(L, "parent", survey, node->parent);
    if (node->parent != NULL)
        spf_lua_set_number(L, "parent_term", spf_lua_position(node->parent_term));
    spf_lua_set_number(L, "depth", (lua_Integer)node->depth);
    spf_lua_set_text(L, "domain", node->domain);
    spf_lua_set_text(L, "status", spf_node_status_name(node->status));
    spf_lua_set_text(L, "detail", node->detail);
    spf_lua_set_octets(L, "record", node->record, node->record_length);
    spf_lua_set_number(L, "record_count", (lua_Integer)node->record_count);
    set_ttl(L, node->ttl_s);
    spf_lua_set_text(L, "dnssec", spf_dnssec_name(node->dnssec));
    if (node->has_syntax_error)
        spf_lua_set_number(L, "error_offset", spf_lua_position(node->error_offset));
    spf_lua_set_text(L, "error", node->error);
    set_counters(L, node);
    lua_createtable(L, (int)node->term_count, 0);
    for (size_t i = 0; i < node->term_count; i++) {
        push_term(L, survey, &node->terms[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, "terms");
}

/* ----------------------------------------------------------------------------------------------------------- fields */

/* Whoever goes along the tree looks at them again and again: the survey, which is at index 1, keeps them. */
static void push_nodes(lua_State *L, spf_survey_t *survey)
{
    const spf_node_t *node;

    spf_lua_push_value(L, 1);
    if (lua_istable(L, -1))
        return;
    lua_newtable(L);
    for (size_t i = 0; (node = spf_survey_node(survey, i)) != NULL; i++) {
        push_node(L, survey, node);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_pushvalue(L, -1);
    spf_lua_set_value(L, 1);
}

static void push_summary(lua_State *L, spf_survey_t *survey)
{
    const spf_survey_summary_t *summary = spf_survey_summary(survey);

    lua_createtable(L, 0, 15);
    spf_lua_set_number(L, "lookups", (lua_Integer)summary->lookups);
    spf_lua_set_number(L, "void_lookups", (lua_Integer)summary->void_lookups);
    spf_lua_set_number(L, "void_lookups6", (lua_Integer)summary->void_lookups6);
    spf_lua_set_number(L, "max_lookups", (lua_Integer)summary->max_lookups);
    spf_lua_set_number(L, "max_void_lookups", (lua_Integer)summary->max_void_lookups);
    spf_lua_set_number(L, "records", (lua_Integer)summary->records);
    spf_lua_set_number(L, "networks", (lua_Integer)summary->networks);
    spf_lua_set_flag(L, "is_anybody", summary->is_anybody);
    spf_lua_set_flag(L, "is_complete", summary->is_complete);
    spf_lua_set_flag(L, "has_failure", summary->has_failure);
    spf_lua_set_flag(L, "is_permerror", summary->is_permerror);
    spf_lua_set_flag(L, "is_permerror6", summary->is_permerror6);
    set_ttl(L, summary->ttl_s);
    lua_pushnumber(L, (lua_Number)summary->elapsed_us / 1000000);
    lua_setfield(L, -2, "elapsed");
}

static void push_remark(lua_State *L, const spf_survey_t *survey, const spf_remark_t *remark)
{
    lua_createtable(L, 0, 13);
    spf_lua_set_text(L, "severity", spf_severity_name(remark->severity));
    spf_lua_set_text(L, "code", remark->code);
    spf_lua_set_text(L, "domain", remark->domain);
    set_node(L, "node", survey, remark->node);
    spf_lua_set_octets(L, "record", remark->record, remark->record_length);
    if (remark->offset > 0 || remark->length > 0) {
        spf_lua_set_number(L, "offset", spf_lua_position(remark->offset));
        spf_lua_set_number(L, "length", (lua_Integer)remark->length);
    }
    spf_lua_set_text(L, "section", remark->section);
    spf_lua_set_text(L, "sentence", remark->sentence);
    spf_lua_set_text(L, "fix", remark->fix);
    if (remark->replacement == NULL)
        return;
    spf_lua_set_text(L, "replacement", remark->replacement);
    spf_lua_set_number(L, "replace_offset", spf_lua_position(remark->replace_offset));
    spf_lua_set_number(L, "replace_length", (lua_Integer)remark->replace_length);
}

static void push_remarks(lua_State *L, spf_survey_t *survey)
{
    const spf_remark_t *remark;

    lua_newtable(L);
    for (size_t i = 0; (remark = spf_survey_remark(survey, i)) != NULL; i++) {
        push_remark(L, survey, remark);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

static void push_fixed_record(lua_State *L, spf_survey_t *survey)
{
    size_t length;
    const char *fixed = spf_survey_fixed_record(survey, &length);

    if (fixed != NULL)
        lua_pushlstring(L, fixed, length);
    else
        lua_pushnil(L);
}

static const struct field {
    const char *name;
    void (*push)(lua_State *L, spf_survey_t *survey);
} fields[] = {
    {"nodes", push_nodes},
    {"summary", push_summary},
    {"remarks", push_remarks},
    {"fixed_record", push_fixed_record},
};

enum { FIELD_COUNT = sizeof(fields) / sizeof(fields[0]) };

static spf_survey_t *to_survey(lua_State *L, const char *function)
{
    const spf_lua_result_t *result = spf_lua_test_userdata(L, 1, SPF_LUA_SURVEY);

    if (result == NULL)
        spf_lua_bad(L, function, "self", "%s where a survey is wanted; methods are called with a colon",
                    spf_lua_shown(L, 1));
    if (result->subject == NULL)
        luaL_error(L, "'%s' of a survey that was closed", function);
    return result->subject;
}

/* The upvalue has methods, and the numbers of fields, by name. */
static int survey_index(lua_State *L)
{
    const struct field *field;

    luaL_checkstack(L, 12, "survey");
    lua_settop(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    if (lua_type(L, 2) != LUA_TNUMBER)
        return 1;
    field = &fields[lua_tointeger(L, 2)];
    field->push(L, to_survey(L, field->name));
    return 1;
}

static int survey_tostring(lua_State *L)
{
    spf_survey_t *survey = to_survey(L, "tostring");
    const spf_survey_summary_t *summary = spf_survey_summary(survey);
    const spf_node_t *node = spf_survey_node(survey, 0);

    lua_pushfstring(L, "%s: %s, %d of %d lookups", node->domain[0] != '\0' ? node->domain : "a given record",
                    spf_node_status_name(node->status), (int)summary->lookups, (int)summary->max_lookups);
    return 1;
}

/* ---------------------------------------------------------------------------------------------------------- reports */

static spf_err_t take_style(const spf_lua_reading_t *reading, const char *name, int index, spf_text_style_t style)
{
    if (spf_lua_flag(reading->L, reading->function, name, index))
        *(unsigned *)reading->target |= (unsigned)style;
    return SPF_OK;
}

static spf_err_t take_ascii(const spf_lua_reading_t *reading, const char *name, int index)
{
    return take_style(reading, name, index, SPF_TEXT_ASCII);
}

static spf_err_t take_color(const spf_lua_reading_t *reading, const char *name, int index)
{
    return take_style(reading, name, index, SPF_TEXT_COLOR);
}

static spf_err_t take_networks(const spf_lua_reading_t *reading, const char *name, int index)
{
    return take_style(reading, name, index, SPF_TEXT_NETWORKS);
}

/* A table of options at index 2, or nothing. False: nothing. */
static bool has_options(lua_State *L, const char *function)
{
    lua_settop(L, 2);
    if (!lua_isnil(L, 2) && !lua_istable(L, 2))
        spf_lua_bad_kind(L, function, "options", 2, "a table");
    return lua_istable(L, 2);
}

static int survey_text(lua_State *L)
{
    static const spf_lua_option_t styles[] = {
        {"ascii", take_ascii}, {"networks", take_networks}, {"color", take_color}, {NULL, NULL}};
    spf_survey_t *survey = to_survey(L, "text");
    unsigned style = 0;

    if (has_options(L, "text"))
        spf_lua_read_table(&(spf_lua_reading_t){.L = L, .function = "text", .target = &style}, styles, 2, false);
    return spf_lua_report(L, "text", spf_survey_text(survey, style));
}

static int survey_dot(lua_State *L)
{
    return spf_lua_report(L, "dot", spf_survey_dot(to_survey(L, "dot")));
}

static int survey_json(lua_State *L)
{
    return spf_lua_report(L, "json", spf_survey_json(to_survey(L, "json")));
}

/* ---------------------------------------------------------------------------------------------------------- flatten */

enum { ANSWER_LEAST = 128, ANSWER_LARGEST = 65535 };

/* An array's texts are taken when all is known. */
static spf_err_t take_keep(const spf_lua_reading_t *reading, const char *name, int index)
{
    if (lua_type(reading->L, index) != LUA_TSTRING && !lua_istable(reading->L, index))
        spf_lua_bad_kind(reading->L, reading->function, name, index, "an array of domains");
    return SPF_OK;
}

static spf_err_t take_prefix(const spf_lua_reading_t *reading, const char *name, int index)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    spf_flatten_options_t *flatten = reading->target;

    flatten->prefix = spf_lua_text(reading->L, reading->function, name, index);
    if (flatten->prefix[strspn(flatten->prefix, allowed)] != '\0')
        spf_lua_bad(reading->L, reading->function, name, "%s where letters, digits, hyphens and underscores are wanted",
                    spf_lua_shown(reading->L, index));
    return SPF_OK;
}

static spf_err_t take_answer_max(const spf_lua_reading_t *reading, const char *name, int index)
{
    spf_flatten_options_t *flatten = reading->target;

    flatten->answer_max = spf_lua_number(reading->L, reading->function, name, index, ANSWER_LEAST, ANSWER_LARGEST);
    return SPF_OK;
}

/* What the library would refuse, along with records that cannot be flattened: it is the program that is wrong. */
static void check_keep(lua_State *L, const spf_flatten_options_t *flatten)
{
    char sentence[512];
    spf_draft_t *draft;
    spf_err_t err;

    for (size_t i = 0; i < flatten->keep_count; i++) {
        err = spf_compose(&draft,
                          &(spf_compose_options_t){.size = sizeof(spf_compose_options_t), .domain = flatten->keep[i]},
                          sentence, sizeof(sentence));
        spf_draft_free(draft);
        if (err == SPF_EINVAL)
            spf_lua_bad(L, "flatten", "keep", "%s", sentence);
    }
}

static void read_flatten(lua_State *L, spf_flatten_options_t *flatten)
{
    static const spf_lua_option_t flatten_options[] = {
        {"keep", take_keep}, {"prefix", take_prefix}, {"answer_max", take_answer_max}, {NULL, NULL}};

    spf_lua_read_table(&(spf_lua_reading_t){.L = L, .function = "flatten", .target = flatten}, flatten_options, 2,
                       false);
    lua_pushliteral(L, "keep");
    lua_rawget(L, 2);
    flatten->keep = spf_lua_texts(L, "flatten", "keep", lua_gettop(L), &flatten->keep_count);
    check_keep(L, flatten);
}

static int survey_flatten(lua_State *L)
{
    spf_flatten_options_t flatten = {.size = sizeof(flatten)};
    spf_survey_t *survey = to_survey(L, "flatten");
    spf_draft_t **draft;
    spf_err_t err;

    if (has_options(L, "flatten"))
        read_flatten(L, &flatten);
    draft = spf_lua_push_draft(L);
    err = spf_survey_flatten(survey, &flatten, draft);
    if (err == SPF_OK)
        return 1;
    if (err != SPF_EINVAL)
        return luaL_error(L, "flatten: %s", spf_strerror(err));
    lua_pushnil(L);
    lua_pushstring(L, spf_survey_error(survey));
    return 2;
}

/* ------------------------------------------------------------------------------------------------------- the object */

static int survey_close(lua_State *L)
{
    spf_lua_close_result(luaL_checkudata(L, 1, SPF_LUA_SURVEY));
    return 0;
}

void spf_lua_open_survey(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"text", survey_text}, {"dot", survey_dot}, {"json", survey_json}, {"flatten", survey_flatten}, {NULL, NULL}};
    static const luaL_Reg metamethods[] = {{"__index", survey_index},
                                           {"__tostring", survey_tostring},
                                           {"__gc", survey_close},
                                           {"__close", survey_close},
                                           {NULL, NULL}};

    spf_lua_new_class(L, SPF_LUA_SURVEY, methods, metamethods);
    for (int i = 0; i < FIELD_COUNT; i++) {
        lua_pushinteger(L, i);
        lua_setfield(L, -2, fields[i].name);
    }
    lua_pop(L, 1);
}

/* -------------------------------------------------------------------------------------------------------- functions */

static int run(lua_State *L)
{
    spf_lua_to_context(L, "survey");
    spf_lua_run(L, &spf_lua_survey, "survey", SPF_LUA_SELF + 1);
    return 1;
}

static int start(lua_State *L)
{
    spf_lua_to_context(L, "start_survey");
    spf_lua_start(L, &spf_lua_survey, "start_survey", SPF_LUA_SELF + 1);
    return 1;
}

/* A domain has no blanks, colons, quotes or equals signs; no record does without all of them. */
static bool is_record(const char *text)
{
    return strpbrk(text, " =:\"\t\r\n") != NULL;
}

/* Puts the options of the survey in the place of the text. */
static void make_lint_options(lua_State *L)
{
    enum { TEXT = SPF_LUA_SELF + 1 };
    size_t length;
    const char *text, *at;

    lua_settop(L, TEXT);
    if (lua_type(L, TEXT) != LUA_TSTRING)
        spf_lua_bad_kind(L, "lint", "text", TEXT, "a record or a domain, a string,");
    text = spf_lua_octets(L, "lint", "text", TEXT, &length);
    at = strrchr(text, '@');
    if (!is_record(text) && at != NULL)
        spf_lua_bad(L, "lint", "text", "%s is a mailbox; its domain, or a record, is wanted", spf_lua_shown(L, TEXT));
    lua_createtable(L, 0, 2);
    lua_pushvalue(L, TEXT);
    lua_setfield(L, -2, is_record(text) ? "record" : "domain");
    spf_lua_set_flag(L, "nearby", true);
    lua_replace(L, TEXT);
}

/* (text): remarks, and the survey that they come from */
static int lint(lua_State *L)
{
    spf_lua_result_t *result;

    spf_lua_to_context(L, "lint");
    make_lint_options(L);
    result = spf_lua_run(L, &spf_lua_survey, "lint", SPF_LUA_SELF + 1);
    luaL_checkstack(L, 8, "lint");
    push_remarks(L, result->subject);
    lua_insert(L, -2);
    return 2;
}

const luaL_Reg spf_lua_survey_functions[] = {{"survey", run}, {"start_survey", start}, {"lint", lint}, {NULL, NULL}};
