/* SPDX-License-Identifier: MIT */
/* What Lua programs give: every value is looked at, and a wrong one raises an error that names it. */
#include "libspf_lua.h"

#include <stdarg.h>
#include <string.h>

enum { SHOWN_MAX = 64, TIMEOUT_MAX_S = 600 };

/* ---------------------------------------------------------------------------------------------------------- errors */

int spf_lua_bad(lua_State *L, const char *function, const char *name, const char *format, ...)
{
    va_list arguments;
    const char *text;

    va_start(arguments, format);
    text = lua_pushvfstring(L, format, arguments);
    va_end(arguments);
    luaL_error(L, "bad argument '%s' to '%s' (%s)", name, function, text);
    __builtin_unreachable();
}

static const char *shown_string(lua_State *L, int index)
{
    char shown[SHOWN_MAX + 1];
    size_t length;
    const char *text = lua_tolstring(L, index, &length);
    size_t count = length < SHOWN_MAX ? length : SHOWN_MAX;

    for (size_t i = 0; i < count; i++)
        shown[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    shown[count] = '\0';
    return lua_pushfstring(L, length > count ? "\"%s...\"" : "\"%s\"", shown);
}

/* lua_pushstring() gives nothing back in Lua 5.1. */
static const char *shown_word(lua_State *L, const char *word)
{
    lua_pushstring(L, word);
    return lua_tostring(L, -1);
}

const char *spf_lua_shown(lua_State *L, int index)
{
    switch (lua_type(L, index)) {
    case LUA_TSTRING:
        return shown_string(L, index);
    case LUA_TNUMBER:
        lua_pushvalue(L, index);
        return lua_tostring(L, -1);
    case LUA_TBOOLEAN:
        return shown_word(L, lua_toboolean(L, index) ? "true" : "false");
    case LUA_TNIL:
    case LUA_TNONE:
        return shown_word(L, "nil");
    default:
        return lua_pushfstring(L, "a %s", luaL_typename(L, index));
    }
}

static void bad_kind(lua_State *L, const char *function, const char *name, int index, const char *wanted)
{
    spf_lua_bad(L, function, name, "%s where %s is wanted", spf_lua_shown(L, index), wanted);
}

/* ---------------------------------------------------------------------------------------------------------- values */

const char *spf_lua_text(lua_State *L, const char *function, const char *name, int index)
{
    size_t length;
    const char *text;

    if (lua_type(L, index) != LUA_TSTRING)
        bad_kind(L, function, name, index, "a string");
    text = lua_tolstring(L, index, &length);
    if (strlen(text) != length)
        spf_lua_bad(L, function, name, "%s has a NUL in it", spf_lua_shown(L, index));
    return text;
}

int spf_lua_timeout_ms(lua_State *L, const char *function, int index)
{
    lua_Number seconds;

    if (lua_isnoneornil(L, index))
        return -1;
    seconds = lua_type(L, index) == LUA_TNUMBER ? lua_tonumber(L, index) : -1;
    if (!(seconds >= 0))
        bad_kind(L, function, "timeout", index, "a number of seconds, 0 or more, or nil for no limit");
    return seconds < 1e6 ? (int)(seconds * 1000 + 0.999) : 1000000000;
}

static const char *octets(lua_State *L, const char *function, const char *name, int index, size_t *length)
{
    if (lua_type(L, index) != LUA_TSTRING)
        bad_kind(L, function, name, index, "a string");
    return lua_tolstring(L, index, length);
}

static bool flag(lua_State *L, const char *function, const char *name, int index)
{
    if (!lua_isboolean(L, index))
        bad_kind(L, function, name, index, "true or false");
    return lua_toboolean(L, index);
}

/* ------------------------------------------------------------------------------------------------------- the check */

/* A question in the making. */
typedef struct reading {
    lua_State *L;
    const char *function;
    spf_check_t *check;
    bool has_ip;
    bool wants_trace;
} reading_t;

static spf_err_t take_ip(reading_t *reading, const char *name, int index)
{
    if (lua_type(reading->L, index) != LUA_TSTRING)
        bad_kind(reading->L, reading->function, name, index,
                 "the client's address, a string like \"192.0.2.1\" or \"2001:db8::1\",");
    reading->has_ip = true;
    return spf_check_set_ip(reading->check, spf_lua_text(reading->L, reading->function, name, index));
}

static spf_err_t take_sender(reading_t *reading, const char *name, int index)
{
    size_t length;
    const char *sender = octets(reading->L, reading->function, name, index, &length);

    return spf_check_set_sender(reading->check, sender, length);
}

static spf_err_t take_helo(reading_t *reading, const char *name, int index)
{
    size_t length;
    const char *helo = octets(reading->L, reading->function, name, index, &length);

    return spf_check_set_helo(reading->check, helo, length);
}

static spf_err_t take_identity(reading_t *reading, const char *name, int index)
{
    for (spf_identity_t identity = SPF_IDENTITY_MAILFROM; identity <= SPF_IDENTITY_HELO; identity++)
        if (lua_type(reading->L, index) == LUA_TSTRING &&
            strcmp(lua_tostring(reading->L, index), spf_identity_name(identity)) == 0)
            return spf_check_set_identity(reading->check, identity);
    bad_kind(reading->L, reading->function, name, index, "\"mailfrom\" or \"helo\"");
    return SPF_EINVAL;
}

static spf_err_t take_receiver(reading_t *reading, const char *name, int index)
{
    return spf_check_set_receiver(reading->check, spf_lua_text(reading->L, reading->function, name, index));
}

static spf_err_t take_timeout(reading_t *reading, const char *name, int index)
{
    lua_Number seconds = lua_type(reading->L, index) == LUA_TNUMBER ? lua_tonumber(reading->L, index) : 0;

    if (!(seconds >= 0.001 && seconds <= TIMEOUT_MAX_S))
        bad_kind(reading->L, reading->function, name, index, "a number of seconds from 0.001 to 600");
    return spf_check_set_timeout_ms(reading->check, (unsigned)(seconds * 1000 + 0.5));
}

static spf_err_t take_trace(reading_t *reading, const char *name, int index)
{
    reading->wants_trace = flag(reading->L, reading->function, name, index);
    return spf_check_set_trace(reading->check, reading->wants_trace);
}

static spf_err_t take_would_be(reading_t *reading, const char *name, int index)
{
    return spf_check_set_would_be(reading->check, flag(reading->L, reading->function, name, index));
}

static spf_err_t take_record(reading_t *reading, const char *name, int index)
{
    size_t length;
    const char *record = octets(reading->L, reading->function, name, index, &length);

    return spf_check_set_record(reading->check, record, length);
}

/* The first three are those that may be given in this order without names. */
static const struct option {
    const char *name;
    spf_err_t (*take)(reading_t *reading, const char *name, int index);
} options[] = {
    {"ip", take_ip},
    {"sender", take_sender},
    {"helo", take_helo},
    {"identity", take_identity},
    {"receiver", take_receiver},
    {"timeout", take_timeout},
    {"trace", take_trace},
    {"would_be", take_would_be},
    {"record", take_record},
};

enum { OPTION_COUNT = sizeof(options) / sizeof(options[0]), POSITIONAL_COUNT = 3 };

static void take(reading_t *reading, const struct option *option, int index)
{
    spf_err_t err = option->take(reading, option->name, index);

    if (err != SPF_OK)
        spf_lua_bad(reading->L, reading->function, option->name, "%s",
                    err == SPF_EINVAL ? spf_check_error(reading->check) : spf_strerror(err));
}

static const struct option *find_option(reading_t *reading, int index)
{
    luaL_Buffer allowed;
    const char *list;

    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (lua_type(reading->L, index) == LUA_TSTRING && strcmp(lua_tostring(reading->L, index), options[i].name) == 0)
            return &options[i];
    luaL_buffinit(reading->L, &allowed);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        luaL_addstring(&allowed, i == 0 ? "" : i + 1 < OPTION_COUNT ? ", " : " and ");
        luaL_addstring(&allowed, options[i].name);
    }
    luaL_pushresult(&allowed);
    list = lua_tostring(reading->L, -1);
    spf_lua_bad(reading->L, reading->function, "options", "%s is no option; the options are %s",
                spf_lua_shown(reading->L, index), list);
    return NULL;
}

/* The array item 1 is the callback, which is looked at elsewhere. */
static void read_table(reading_t *reading, int table, bool has_callback)
{
    lua_State *L = reading->L;

    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1))
        if (!has_callback || lua_type(L, -2) != LUA_TNUMBER || lua_tonumber(L, -2) != 1)
            take(reading, find_option(reading, lua_gettop(L) - 1), lua_gettop(L));
    if (!reading->has_ip) {
        lua_pushnil(L);
        take(reading, &options[0], lua_gettop(L));
    }
}

static void read_positions(reading_t *reading, int first)
{
    for (int i = 0; i < POSITIONAL_COUNT; i++)
        if (i == 0 || !lua_isnil(reading->L, first + i))
            take(reading, &options[i], first + i);
}

bool spf_lua_read_check(lua_State *L, const char *function, int first, bool has_callback, spf_context_t *context,
                        spf_check_t **check)
{
    reading_t reading = {.L = L, .function = function};

    luaL_checkstack(L, 8, function);
    if (spf_check_new(check, context) != SPF_OK)
        luaL_error(L, "%s: %s", function, spf_strerror(SPF_ENOMEM));
    reading.check = *check;
    if (lua_istable(L, first))
        read_table(&reading, first, has_callback);
    else
        read_positions(&reading, first);
    return reading.wants_trace;
}

int spf_lua_settle_arguments(lua_State *L, const char *function, int first, bool *has_callback)
{
    int last = lua_istable(L, first) ? first : first + POSITIONAL_COUNT - 1;

    if (has_callback == NULL) {
        lua_settop(L, last);
        return last;
    }
    lua_settop(L, last + 1);
    *has_callback = lua_istable(L, first) && lua_isnil(L, last + 1);
    if (*has_callback) {
        lua_rawgeti(L, first, 1);
        lua_replace(L, last + 1);
    }
    if (!lua_isnil(L, last + 1) && !lua_isfunction(L, last + 1))
        bad_kind(L, function, "callback", last + 1, "a function");
    return last + 1;
}
