/* SPDX-License-Identifier: MIT */
/*
 * A resolver written in Lua in libunbound's place. Inside libspf a question is only put into a list, or, when its
 * answer is not wanted any more, out of it; the resolver is told when the library has returned.
 */
#include "libspf_lua.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_OCTETS = 253, DETAIL_MAX = 200 };

typedef struct question question_t;

/* A question of libspf's, until it is answered or the resolver knows that it need not be. */
struct spf_lua_asked {
    spf_query_t *query;   /* NULL: not wanted any more */
    question_t *question; /* what the resolver has of it; NULL: nothing yet, or it was collected */
    unsigned holds;       /* calls under way that look at it again */
    bool is_over;         /* it is freed when the last of them does not hold it any more */
    TAILQ_ENTRY(spf_lua_asked) link;
    spf_lua_asked_list_t *list; /* which it is in */
};

/* The userdata that the resolver is given. Its value is the context. */
struct question {
    spf_lua_asked_t *asked; /* NULL: over */
    uint16_t type;
    size_t name_length;
    char name[NAME_MAX_OCTETS + 1];
};

static const struct type {
    const char *name;
    uint16_t number;
} types[] = {{"A", SPF_TYPE_A},     {"AAAA", SPF_TYPE_AAAA}, {"MX", SPF_TYPE_MX},
             {"TXT", SPF_TYPE_TXT}, {"PTR", SPF_TYPE_PTR},   {"SPF", SPF_TYPE_SPF}};

static void move(spf_lua_asked_t *asked, spf_lua_asked_list_t *list)
{
    if (asked->list != NULL)
        TAILQ_REMOVE(asked->list, asked, link);
    asked->list = list;
    if (list != NULL)
        TAILQ_INSERT_TAIL(list, asked, link);
}

/* The first of a list, taken out of it; NULL: it is empty. */
static spf_lua_asked_t *pop(spf_lua_asked_list_t *list)
{
    spf_lua_asked_t *first = TAILQ_FIRST(list);

    if (first != NULL) {
        TAILQ_REMOVE(list, first, link);
        first->list = NULL;
    }
    return first;
}

/* Nobody waits for its answer any more. */
static void end(spf_lua_asked_t *asked)
{
    move(asked, NULL);
    if (asked->question != NULL)
        asked->question->asked = NULL;
    asked->question = NULL;
    asked->query = NULL;
    asked->is_over = true;
}

static void forget(spf_lua_asked_t *asked)
{
    end(asked);
    if (asked->holds == 0)
        free(asked);
}

static void release(spf_lua_asked_t *asked)
{
    if (--asked->holds == 0 && asked->is_over)
        free(asked);
}

/* -------------------------------------------------------------------------------------------------- inside libspf */

static spf_err_t start(void *resolver, spf_query_t *query)
{
    spf_lua_context_t *context = resolver;
    spf_lua_asked_t *asked = calloc(1, sizeof(*asked));

    if (asked == NULL)
        return SPF_ENOMEM;
    asked->query = query;
    spf_query_set_token(query, asked);
    move(asked, &context->asked);
    return SPF_OK;
}

static void cancel(void *resolver, spf_query_t *query)
{
    spf_lua_context_t *context = resolver;
    spf_lua_asked_t *asked = spf_query_token(query);

    asked->query = NULL;
    if (asked->list == &context->asked)
        forget(asked);
    else
        move(asked, &context->taken_back);
}

const spf_resolver_ops_t spf_lua_resolver_ops = {.size = sizeof(spf_resolver_ops_t), .start = start, .cancel = cancel};

static void drop(spf_lua_asked_list_t *list)
{
    spf_lua_asked_t *asked;

    while ((asked = pop(list)) != NULL)
        forget(asked);
}

void spf_lua_resolver_drop(spf_lua_context_t *context)
{
    drop(&context->asked);
    drop(&context->given);
    drop(&context->taken_back);
}

/* ----------------------------------------------------------------------------------------------- to the resolver */

void spf_lua_push_resolver_function(lua_State *L, const char *function)
{
    spf_lua_push_value(L, SPF_LUA_SELF);
    lua_rawgeti(L, -1, 1);
    lua_getfield(L, -1, function);
    lua_replace(L, -3);
    lua_pop(L, 1);
}

/* The questions that the resolver has are kept in the context's table. */
static void keep_question(lua_State *L, const spf_lua_asked_t *asked, int question)
{
    spf_lua_push_value(L, SPF_LUA_SELF);
    lua_pushlightuserdata(L, (void *)asked);
    lua_pushvalue(L, question);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

static void let_question_go(lua_State *L, const spf_lua_asked_t *asked)
{
    spf_lua_push_value(L, SPF_LUA_SELF);
    lua_pushlightuserdata(L, (void *)asked);
    lua_pushnil(L);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

static question_t *push_question(lua_State *L)
{
    question_t *question = spf_lua_new_userdata(L, sizeof(*question), SPF_LUA_QUESTION);

    lua_pushvalue(L, SPF_LUA_SELF);
    spf_lua_set_value(L, -2);
    return question;
}

static void tie(question_t *question, spf_lua_asked_t *asked)
{
    const char *name = spf_query_name(asked->query, &question->name_length);

    question->type = spf_query_type(asked->query);
    if (question->name_length > NAME_MAX_OCTETS)
        question->name_length = NAME_MAX_OCTETS;
    memcpy(question->name, name, question->name_length);
    question->asked = asked;
    asked->question = question;
}

/* (context, question of libspf's): hands it to the resolver. */
int spf_lua_ask(lua_State *L)
{
    spf_lua_asked_t *asked = lua_touserdata(L, 2);
    question_t *question;

    luaL_checkstack(L, 12, "libspf");
    spf_lua_push_resolver_function(L, "query");
    question = push_question(L);
    if (asked->query == NULL)
        return 0; /* a finalizer ended what it was asked for */
    keep_question(L, asked, lua_gettop(L));
    tie(question, asked);
    lua_call(L, 1, 0);
    return 0;
}

/* A resolver that raises has no answer: the check is told so, in its words. */
static void give(lua_State *L, spf_lua_asked_t *asked)
{
    spf_lua_context_t *context = lua_touserdata(L, SPF_LUA_SELF);
    char detail[DETAIL_MAX] = "the resolver failed";
    const char *text;

    move(asked, &context->given);
    asked->holds++;
    spf_lua_push_slot(L, SPF_LUA_ASK);
    lua_pushvalue(L, SPF_LUA_SELF);
    lua_pushlightuserdata(L, asked);
    if (lua_pcall(L, 2, 0, 0) != 0) {
        if (lua_type(L, -1) == LUA_TSTRING && asked->query != NULL) {
            text = lua_tostring(L, -1);
            strncpy(detail, text, sizeof(detail) - 1);
            detail[sizeof(detail) - 1] = '\0';
        }
        lua_pop(L, 1);
        if (asked->query != NULL) {
            spf_query_finish(asked->query, SPF_DNS_ERROR, 0, SPF_DNSSEC_INSECURE, detail);
            if (asked->question != NULL)
                let_question_go(L, asked);
            end(asked);
        }
    }
    release(asked);
}

/* (context, question of libspf's): tells the resolver that it need not be answered. */
int spf_lua_take_back(lua_State *L)
{
    const spf_lua_asked_t *asked = lua_touserdata(L, 2);

    luaL_checkstack(L, 12, "libspf");
    spf_lua_push_resolver_function(L, "cancel");
    spf_lua_push_value(L, SPF_LUA_SELF);
    lua_pushlightuserdata(L, (void *)asked);
    lua_rawget(L, -2);
    lua_remove(L, -2);
    if (!lua_isnil(L, -2) && !lua_isnil(L, -1))
        lua_call(L, 1, 0);
    return 0;
}

static void take_back(lua_State *L, spf_lua_asked_t *asked, int error)
{
    spf_lua_push_slot(L, SPF_LUA_TAKE_BACK);
    lua_pushvalue(L, SPF_LUA_SELF);
    lua_pushlightuserdata(L, asked);
    spf_lua_call_protected(L, 2, error);
    if (asked->question != NULL)
        let_question_go(L, asked);
    forget(asked);
}

void spf_lua_resolver_serve(lua_State *L, int error)
{
    spf_lua_context_t *context = lua_touserdata(L, SPF_LUA_SELF);
    spf_lua_asked_t *asked;

    while (error != SPF_LUA_NO_ERROR && (asked = pop(&context->taken_back)) != NULL)
        take_back(L, asked, error);
    while ((asked = pop(&context->asked)) != NULL)
        give(L, asked);
}

/* (context): lets the resolver do what it has to do. */
int spf_lua_process_resolver(lua_State *L)
{
    spf_lua_push_resolver_function(L, "process");
    if (!lua_isnil(L, -1))
        lua_call(L, 0, 0);
    return 0;
}

/* --------------------------------------------------------------------------------------------- from the resolver */

static question_t *to_question(lua_State *L, const char *function)
{
    question_t *question = spf_lua_test_userdata(L, 1, SPF_LUA_QUESTION);

    if (question == NULL)
        spf_lua_bad(L, function, "self", "%s where a question is wanted; methods are called with a colon",
                    spf_lua_shown(L, 1));
    return question;
}

/* An answer is given: the check goes on, its function is called if it has ended. */
static int go_on(lua_State *L, question_t *question)
{
    spf_lua_context_t *context;
    spf_lua_asked_t *asked = question->asked;

    lua_settop(L, 1);
    spf_lua_push_value(L, 1);
    lua_insert(L, SPF_LUA_SELF);
    context = lua_touserdata(L, SPF_LUA_SELF);
    let_question_go(L, asked);
    forget(asked);
    context->has_news = true;
    if (context->inside == 0)
        spf_lua_process(L);
    lua_pushboolean(L, true);
    return 1;
}

/* Whether the answer is wanted yet. After a fork none is. */
static bool is_wanted(lua_State *L, question_t *question)
{
    if (question->asked == NULL)
        return false;
    spf_lua_push_value(L, 1);
    spf_lua_context_own(L, lua_touserdata(L, -1));
    lua_pop(L, 1);
    return question->asked != NULL && question->asked->query != NULL;
}

static int not_wanted(lua_State *L)
{
    lua_pushboolean(L, false);
    return 1;
}

static spf_dnssec_t to_dnssec(lua_State *L, const char *function, int index)
{
    if (lua_isnoneornil(L, index))
        return SPF_DNSSEC_INSECURE;
    for (spf_dnssec_t dnssec = SPF_DNSSEC_INSECURE; dnssec <= SPF_DNSSEC_BOGUS; dnssec++)
        if (lua_type(L, index) == LUA_TSTRING && strcmp(lua_tostring(L, index), spf_dnssec_name(dnssec)) == 0)
            return dnssec;
    spf_lua_bad(L, function, "dnssec", "%s where \"insecure\", \"secure\" or \"bogus\" is wanted",
                spf_lua_shown(L, index));
    return SPF_DNSSEC_INSECURE;
}

static uint32_t to_ttl(lua_State *L, const char *function, int index)
{
    lua_Number ttl;

    if (lua_isnoneornil(L, index))
        return 0;
    ttl = lua_type(L, index) == LUA_TNUMBER ? lua_tonumber(L, index) : -1;
    if (!(ttl >= 0 && ttl <= 2147483647))
        spf_lua_bad(L, function, "ttl", "%s where a number of seconds from 0 to 2147483647 is wanted",
                    spf_lua_shown(L, index));
    return (uint32_t)ttl;
}

/* Looks at the answer's item on the top of the stack and, once all were looked at, adds it. */
typedef spf_err_t item_t(lua_State *L, question_t *question, bool is_adding);

static spf_err_t take_address(lua_State *L, question_t *question, bool is_adding)
{
    bool is_v6 = question->type == SPF_TYPE_AAAA;
    uint8_t octets[16];

    if (inet_pton(is_v6 ? AF_INET6 : AF_INET, spf_lua_text(L, "answer", "records", -1), octets) != 1)
        spf_lua_bad(L, "answer", "records", "%s where an %s address is wanted", spf_lua_shown(L, -1),
                    is_v6 ? "IPv6" : "IPv4");
    return is_adding ? spf_query_add_address(question->asked->query, octets, is_v6 ? 16 : 4) : SPF_OK;
}

static spf_err_t take_host(lua_State *L, question_t *question, bool is_adding)
{
    const char *host = spf_lua_text(L, "answer", "records", -1);

    if (strchr(host, ' ') != NULL || strlen(host) > NAME_MAX_OCTETS + 1)
        spf_lua_bad(L, "answer", "records", "%s where a host's name is wanted, and nothing else", spf_lua_shown(L, -1));
    return is_adding ? spf_query_add_host(question->asked->query, host, strlen(host)) : SPF_OK;
}

static spf_err_t take_text(lua_State *L, question_t *question, bool is_adding)
{
    size_t length;
    const char *text;

    if (lua_type(L, -1) != LUA_TSTRING)
        spf_lua_bad(L, "answer", "records", "%s where a record's text is wanted", spf_lua_shown(L, -1));
    text = lua_tolstring(L, -1, &length);
    return is_adding ? spf_query_add_text(question->asked->query, text, length) : SPF_OK;
}

static item_t *item_of(const question_t *question)
{
    switch (question->type) {
    case SPF_TYPE_A:
    case SPF_TYPE_AAAA:
        return take_address;
    case SPF_TYPE_TXT:
    case SPF_TYPE_SPF:
        return take_text;
    default:
        return take_host;
    }
}

static spf_err_t take_items(lua_State *L, question_t *question, int count, bool is_adding)
{
    item_t *item = item_of(question);
    spf_err_t err = SPF_OK;

    for (int i = 1; err == SPF_OK && i <= count; i++) {
        lua_rawgeti(L, 2, i);
        err = item(L, question, is_adding);
        lua_pop(L, 1);
    }
    return err;
}

/* question:answer{record, ..., ttl = SECONDS, dnssec = WORD} */
static int question_answer(lua_State *L)
{
    static const char *const others[] = {"ttl", "dnssec", NULL};
    question_t *question = to_question(L, "answer");
    spf_dnssec_t dnssec;
    uint32_t ttl_s;
    int count;

    if (!lua_istable(L, 2))
        spf_lua_bad(L, "answer", "records", "%s where a table of records is wanted", spf_lua_shown(L, 2));
    luaL_checkstack(L, 12, "answer");
    lua_settop(L, 2);
    lua_getfield(L, 2, "ttl");
    ttl_s = to_ttl(L, "answer", 3);
    lua_getfield(L, 2, "dnssec");
    dnssec = to_dnssec(L, "answer", 4);
    count = spf_lua_count_items(L, "answer", "records", 2, others);
    take_items(L, question, count, false);
    if (!is_wanted(L, question))
        return not_wanted(L);
    if (take_items(L, question, count, true) == SPF_OK)
        spf_query_finish(question->asked->query, dnssec == SPF_DNSSEC_BOGUS ? SPF_DNS_BOGUS : SPF_DNS_ANSWER, ttl_s,
                         dnssec, NULL);
    else
        spf_query_finish(question->asked->query, SPF_DNS_ERROR, 0, dnssec, "the answer could not be stored");
    return go_on(L, question);
}

/* question:answer_packet(octets [, dnssec]) */
static int question_answer_packet(lua_State *L)
{
    question_t *question = to_question(L, "answer_packet");
    spf_dnssec_t dnssec = to_dnssec(L, "answer_packet", 3);
    const char *packet;
    size_t length;

    if (lua_type(L, 2) != LUA_TSTRING)
        spf_lua_bad(L, "answer_packet", "packet", "%s where a DNS message's octets are wanted", spf_lua_shown(L, 2));
    packet = lua_tolstring(L, 2, &length);
    if (!is_wanted(L, question))
        return not_wanted(L);
    spf_query_answer_packet(question->asked->query, (const uint8_t *)packet, length, dnssec);
    return go_on(L, question);
}

/* question:fail(WORD [, detail [, ttl]]) */
static int question_fail(lua_State *L)
{
    static const struct {
        const char *word;
        spf_dns_status_t status;
    } ways[] = {{"nxdomain", SPF_DNS_NXDOMAIN},
                {"timeout", SPF_DNS_TIMEOUT},
                {"error", SPF_DNS_ERROR},
                {"bogus", SPF_DNS_BOGUS}};
    question_t *question = to_question(L, "fail");
    const char *detail = lua_isnoneornil(L, 3) ? NULL : spf_lua_text(L, "fail", "detail", 3);
    uint32_t ttl_s = to_ttl(L, "fail", 4);

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (lua_type(L, 2) != LUA_TSTRING || strcmp(lua_tostring(L, 2), ways[i].word) != 0)
            continue;
        if (!is_wanted(L, question))
            return not_wanted(L);
        spf_query_finish(question->asked->query, ways[i].status, ttl_s, SPF_DNSSEC_INSECURE, detail);
        return go_on(L, question);
    }
    return spf_lua_bad(L, "fail", "failure", "%s where \"nxdomain\", \"timeout\", \"error\" or \"bogus\" is wanted",
                       spf_lua_shown(L, 2));
}

/* ----------------------------------------------------------------------------------------------------- the object */

static const char *type_name(const question_t *question)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (types[i].number == question->type)
            return types[i].name;
    return NULL;
}

static int question_index(lua_State *L)
{
    const question_t *question = to_question(L, "index");
    const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";

    if (strcmp(key, "name") == 0)
        lua_pushlstring(L, question->name, question->name_length);
    else if (strcmp(key, "type") == 0)
        lua_pushstring(L, type_name(question));
    else
        lua_rawget(L, lua_upvalueindex(1));
    return 1;
}

static int question_tostring(lua_State *L)
{
    const question_t *question = to_question(L, "tostring");

    lua_pushfstring(L, "%s %s", type_name(question), question->name);
    return 1;
}

static int question_gc(lua_State *L)
{
    question_t *question = luaL_checkudata(L, 1, SPF_LUA_QUESTION);

    if (question->asked != NULL)
        question->asked->question = NULL;
    question->asked = NULL;
    return 0;
}

void spf_lua_open_resolver(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"answer", question_answer}, {"answer_packet", question_answer_packet}, {"fail", question_fail}, {NULL, NULL}};
    static const luaL_Reg metamethods[] = {
        {"__index", question_index}, {"__tostring", question_tostring}, {"__gc", question_gc}, {NULL, NULL}};

    spf_lua_new_class(L, SPF_LUA_QUESTION, methods, metamethods);
    lua_pop(L, 1);
}
