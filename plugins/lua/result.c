/* SPDX-License-Identifier: MIT */
/* What a check has found, as an object with fields and methods. */
#include "libspf_lua.h"

#include <string.h>

/* ---------------------------------------------------------------------------------------------------------- tables */

static void push_step(lua_State *L, const spf_step_t *step)
{
    lua_createtable(L, 0, 10);
    spf_lua_set_number(L, "depth", (lua_Integer)step->depth);
    spf_lua_set_text(L, "domain", step->domain);
    spf_lua_set_text(L, "term", step->term);
    if (step->term != NULL)
        spf_lua_set_number(L, "term_offset", spf_lua_position(step->term_offset));
    spf_lua_set_text(L, "target", step->target);
    spf_lua_set_text(L, "answer", step->answer);
    spf_lua_set_text(L, "outcome", spf_outcome_name(step->outcome));
    spf_lua_set_number(L, "lookups", (lua_Integer)step->lookups);
    spf_lua_set_number(L, "void_lookups", (lua_Integer)step->void_lookups);
    spf_lua_set_text(L, "note", step->note);
}

static void push_lookup(lua_State *L, const spf_lookup_t *lookup)
{
    lua_createtable(L, 0, 5);
    spf_lua_set_text(L, "domain", lookup->domain);
    spf_lua_set_text(L, "term", lookup->term);
    spf_lua_set_text(L, "target", lookup->target);
    spf_lua_set_flag(L, "void", lookup->is_void);
    spf_lua_set_number(L, "dns_queries", (lua_Integer)lookup->dns_queries);
}

/* ----------------------------------------------------------------------------------------------------------- fields */

typedef void field_push_t(lua_State *L, const spf_lua_result_t *result, const spf_verdict_t *verdict);

#define TEXT_FIELD(name, expression)                                                                                   \
    static void push_##name(lua_State *L, const spf_lua_result_t *result, const spf_verdict_t *verdict)                \
    {                                                                                                                  \
        (void)result;                                                                                                  \
        spf_lua_push_text(L, expression);                                                                              \
    }

#define NUMBER_FIELD(name)                                                                                             \
    static void push_##name(lua_State *L, const spf_lua_result_t *result, const spf_verdict_t *verdict)                \
    {                                                                                                                  \
        (void)result;                                                                                                  \
        lua_pushinteger(L, (lua_Integer)verdict->name);                                                                \
    }

TEXT_FIELD(result, spf_result_name(verdict->result))
TEXT_FIELD(cause, spf_cause_name(verdict->cause))
TEXT_FIELD(reason, verdict->reason)
TEXT_FIELD(explanation, verdict->explanation)
TEXT_FIELD(ip, verdict->ip)
TEXT_FIELD(sender, verdict->sender)
TEXT_FIELD(helo, verdict->helo)
TEXT_FIELD(receiver, verdict->receiver)
TEXT_FIELD(identity, spf_identity_name(verdict->identity))
TEXT_FIELD(checked_domain, verdict->checked_domain)
TEXT_FIELD(domain, verdict->domain)
TEXT_FIELD(term, verdict->term)
TEXT_FIELD(target, verdict->target)
TEXT_FIELD(dnssec, spf_dnssec_name(verdict->dnssec))
TEXT_FIELD(would_be, verdict->has_would_be ? spf_result_name(verdict->would_be) : NULL)
NUMBER_FIELD(lookups)
NUMBER_FIELD(void_lookups)
NUMBER_FIELD(dns_queries)

static void push_is_own_explanation(lua_State *L, const spf_lua_result_t *result, const spf_verdict_t *verdict)
{
    (void)result;
    lua_pushboolean(L, verdict->is_own_explanation);
}

static void push_record(lua_State *L, const spf_lua_result_t *result, const spf_verdict_t *verdict)
{
    (void)result;
    if (verdict->record != NULL)
        lua_pushlstring(L, verdict->record, verdict->record_length);
    else
        lua_pushnil(L);
}

/* Lua counts from 1. */
static void push_term_offset(lua_State *L, const spf_lua_result_t *result, const spf_verdict_t *verdict)
{
    (void)result;
    if (verdict->term != NULL)
        lua_pushinteger(L, spf_lua_position(verdict->term_offset));
    else
        lua_pushnil(L);
}

static void push_error_offset(lua_State *L, const spf_lua_result_t *result, const spf_verdict_t *verdict)
{
    (void)result;
    if (verdict->cause == SPF_CAUSE_SYNTAX)
        lua_pushinteger(L, spf_lua_position(verdict->error_offset));
    else
        lua_pushnil(L);
}

static void push_ttl(lua_State *L, const spf_lua_result_t *result, const spf_verdict_t *verdict)
{
    (void)result;
    if (verdict->ttl_s >= 0)
        lua_pushinteger(L, (lua_Integer)verdict->ttl_s);
    else
        lua_pushnil(L);
}

static void push_elapsed(lua_State *L, const spf_lua_result_t *result, const spf_verdict_t *verdict)
{
    (void)result;
    lua_pushnumber(L, (lua_Number)verdict->elapsed_us / 1000000);
}

static void push_trace(lua_State *L, const spf_lua_result_t *result, const spf_verdict_t *verdict)
{
    const spf_step_t *step;

    (void)verdict;
    if (!result->has_trace) {
        lua_pushnil(L);
        return;
    }
    lua_newtable(L);
    for (int i = 0; (step = spf_check_step(result->subject, (size_t)i)) != NULL; i++) {
        push_step(L, step);
        lua_rawseti(L, -2, i + 1);
    }
}

static void push_lookup_terms(lua_State *L, const spf_lua_result_t *result, const spf_verdict_t *verdict)
{
    const spf_lookup_t *lookup;

    (void)verdict;
    lua_newtable(L);
    for (int i = 0; (lookup = spf_check_lookup(result->subject, (size_t)i)) != NULL; i++) {
        push_lookup(L, lookup);
        lua_rawseti(L, -2, i + 1);
    }
}

static const struct field {
    const char *name;
    field_push_t *push;
} fields[] = {
    {"result", push_result},
    {"cause", push_cause},
    {"reason", push_reason},
    {"explanation", push_explanation},
    {"is_own_explanation", push_is_own_explanation},
    {"ip", push_ip},
    {"sender", push_sender},
    {"helo", push_helo},
    {"receiver", push_receiver},
    {"identity", push_identity},
    {"checked_domain", push_checked_domain},
    {"domain", push_domain},
    {"record", push_record},
    {"term", push_term},
    {"term_offset", push_term_offset},
    {"error_offset", push_error_offset},
    {"target", push_target},
    {"lookups", push_lookups},
    {"void_lookups", push_void_lookups},
    {"dns_queries", push_dns_queries},
    {"lookup_terms", push_lookup_terms},
    {"ttl", push_ttl},
    {"elapsed", push_elapsed},
    {"dnssec", push_dnssec},
    {"would_be", push_would_be},
    {"trace", push_trace},
};

enum { FIELD_COUNT = sizeof(fields) / sizeof(fields[0]) };

static spf_lua_result_t *to_result(lua_State *L, const char *function)
{
    spf_lua_result_t *result = spf_lua_test_userdata(L, 1, SPF_LUA_RESULT);

    if (result == NULL)
        spf_lua_bad(L, function, "self", "%s where a result is wanted; methods are called with a colon",
                    spf_lua_shown(L, 1));
    if (result->subject == NULL)
        luaL_error(L, "'%s' of a result that was closed", function);
    return result;
}

/* The upvalue has methods, and the numbers of fields, by name. */
static int result_index(lua_State *L)
{
    spf_lua_result_t *result;
    const struct field *field;

    lua_settop(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    if (lua_type(L, 2) != LUA_TNUMBER)
        return 1;
    field = &fields[lua_tointeger(L, 2)];
    result = to_result(L, field->name);
    field->push(L, result, spf_check_verdict(result->subject));
    return 1;
}

static int result_as_table(lua_State *L)
{
    spf_lua_result_t *result = to_result(L, "as_table");

    lua_createtable(L, 0, FIELD_COUNT);
    for (int i = 0; i < FIELD_COUNT; i++) {
        fields[i].push(L, result, spf_check_verdict(result->subject));
        lua_setfield(L, -2, fields[i].name);
    }
    return 1;
}

static int result_tostring(lua_State *L)
{
    const spf_verdict_t *verdict = spf_check_verdict(to_result(L, "tostring")->subject);

    lua_pushfstring(L, "%s: %s", spf_result_name(verdict->result), verdict->reason);
    return 1;
}

/* ---------------------------------------------------------------------------------------------------------- reports */

static spf_fold_t to_fold(lua_State *L, const char *function)
{
    static const char *const words[] = {"none", "lf", "crlf"};

    if (lua_isnoneornil(L, 2))
        return SPF_FOLD_NONE;
    for (spf_fold_t fold = SPF_FOLD_NONE; fold <= SPF_FOLD_CRLF; fold++)
        if (lua_type(L, 2) == LUA_TSTRING && strcmp(lua_tostring(L, 2), words[fold]) == 0)
            return fold;
    spf_lua_bad(L, function, "fold", "%s where \"none\", \"lf\" or \"crlf\" is wanted", spf_lua_shown(L, 2));
    return SPF_FOLD_NONE;
}

static int result_received_spf(lua_State *L)
{
    spf_check_t *check = to_result(L, "received_spf")->subject;
    return spf_lua_report(L, "received_spf", spf_check_received_spf(check, to_fold(L, "received_spf")));
}

static int result_authentication_results(lua_State *L)
{
    spf_check_t *check = to_result(L, "authentication_results")->subject;
    return spf_lua_report(L, "authentication_results",
                          spf_check_authentication_results(check, to_fold(L, "authentication_results")));
}

static int result_authentication_resinfo(lua_State *L)
{
    spf_check_t *check = to_result(L, "authentication_resinfo")->subject;
    return spf_lua_report(L, "authentication_resinfo",
                          spf_check_authentication_resinfo(check, to_fold(L, "authentication_resinfo")));
}

static int result_trace_text(lua_State *L)
{
    return spf_lua_report(L, "trace_text", spf_check_trace_text(to_result(L, "trace_text")->subject));
}

static int result_json(lua_State *L)
{
    return spf_lua_report(L, "json", spf_check_json(to_result(L, "json")->subject));
}

static int result_advice(lua_State *L)
{
    return spf_lua_advice(L, to_result(L, "advice")->subject);
}

static int result_smtp_reply(lua_State *L)
{
    const spf_smtp_reply_t *reply = spf_check_smtp_reply(to_result(L, "smtp_reply")->subject);

    if (reply == NULL)
        return luaL_error(L, "smtp_reply: %s", spf_strerror(SPF_ENOMEM));
    lua_pushinteger(L, (lua_Integer)reply->code);
    lua_pushstring(L, reply->enhanced);
    lua_pushstring(L, reply->text);
    return 3;
}

/* ----------------------------------------------------------------------------------------------------- the object */

static int result_close(lua_State *L)
{
    spf_lua_close_result(luaL_checkudata(L, 1, SPF_LUA_RESULT));
    return 0;
}

void spf_lua_open_result(lua_State *L)
{
    static const luaL_Reg methods[] = {{"received_spf", result_received_spf},
                                       {"authentication_results", result_authentication_results},
                                       {"authentication_resinfo", result_authentication_resinfo},
                                       {"smtp_reply", result_smtp_reply},
                                       {"trace_text", result_trace_text},
                                       {"json", result_json},
                                       {"advice", result_advice},
                                       {"as_table", result_as_table},
                                       {NULL, NULL}};
    static const luaL_Reg metamethods[] = {{"__index", result_index},
                                           {"__tostring", result_tostring},
                                           {"__gc", result_close},
                                           {"__close", result_close},
                                           {NULL, NULL}};

    spf_lua_new_class(L, SPF_LUA_RESULT, methods, metamethods);
    for (int i = 0; i < FIELD_COUNT; i++) {
        lua_pushinteger(L, i);
        lua_setfield(L, -2, fields[i].name);
    }
    lua_pop(L, 1);
}
