/* SPDX-License-Identifier: MIT */
/* What Lua programs give: every value is looked at, and a wrong one raises an error that names it. */
#include "libspf_lua.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

enum { SHOWN_MAX = 64, TIMEOUT_MAX_S = 600, ITEMS_MAX = 1000000 };

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
        if (luaL_getmetafield(L, index, "__name") && lua_type(L, -1) == LUA_TSTRING)
            return lua_pushfstring(L, "a %s", lua_tostring(L, -1));
        return lua_pushfstring(L, "a %s", luaL_typename(L, index));
    }
}

void spf_lua_bad_kind(lua_State *L, const char *function, const char *name, int index, const char *wanted)
{
    spf_lua_bad(L, function, name, "%s where %s is wanted", spf_lua_shown(L, index), wanted);
}

/* ---------------------------------------------------------------------------------------------------------- values */

const char *spf_lua_text(lua_State *L, const char *function, const char *name, int index)
{
    size_t length;
    const char *text;

    if (lua_type(L, index) != LUA_TSTRING)
        spf_lua_bad_kind(L, function, name, index, "a string");
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
        spf_lua_bad_kind(L, function, "timeout", index, "a number of seconds, 0 or more, or nil for no limit");
    return seconds < 1e6 ? (int)(seconds * 1000 + 0.999) : 1000000000;
}

const char *spf_lua_octets(lua_State *L, const char *function, const char *name, int index, size_t *length)
{
    if (lua_type(L, index) != LUA_TSTRING)
        spf_lua_bad_kind(L, function, name, index, "a string");
    return lua_tolstring(L, index, length);
}

bool spf_lua_flag(lua_State *L, const char *function, const char *name, int index)
{
    if (!lua_isboolean(L, index))
        spf_lua_bad_kind(L, function, name, index, "true or false");
    return lua_toboolean(L, index);
}

spf_identity_t spf_lua_identity(lua_State *L, const char *function, const char *name, int index)
{
    for (spf_identity_t identity = SPF_IDENTITY_MAILFROM; identity <= SPF_IDENTITY_HELO; identity++)
        if (lua_type(L, index) == LUA_TSTRING && strcmp(lua_tostring(L, index), spf_identity_name(identity)) == 0)
            return identity;
    spf_lua_bad_kind(L, function, name, index, "\"mailfrom\" or \"helo\"");
}

unsigned spf_lua_deadline_ms(lua_State *L, const char *function, const char *name, int index)
{
    lua_Number seconds = lua_type(L, index) == LUA_TNUMBER ? lua_tonumber(L, index) : 0;

    if (!(seconds >= 0.001 && seconds <= TIMEOUT_MAX_S))
        spf_lua_bad_kind(L, function, name, index, "a number of seconds from 0.001 to 600");
    return (unsigned)(seconds * 1000 + 0.5);
}

unsigned spf_lua_number(lua_State *L, const char *function, const char *name, int index, unsigned least,
                        unsigned largest)
{
    lua_Number number;

    if (lua_isnoneornil(L, index))
        return 0;
    number = lua_type(L, index) == LUA_TNUMBER ? lua_tonumber(L, index) : -1;
    if (!(number >= least && number <= largest) || number != floor(number))
        spf_lua_bad(L, function, name, "%s where a whole number from %d to %d is wanted", spf_lua_shown(L, index),
                    (int)least, (int)largest);
    return (unsigned)number;
}

static bool is_place(lua_State *L, int index)
{
    lua_Number place = lua_type(L, index) == LUA_TNUMBER ? lua_tonumber(L, index) : 0;

    return place >= 1 && place <= ITEMS_MAX && place == floor(place);
}

static bool is_one_of(lua_State *L, int index, const char *const *names)
{
    for (; names != NULL && *names != NULL; names++)
        if (lua_type(L, index) == LUA_TSTRING && strcmp(lua_tostring(L, index), *names) == 0)
            return true;
    return false;
}

/* What # gives is only one of the places where an array with holes ends, and may be beyond any size: so the items are
 * counted. */
int spf_lua_count_items(lua_State *L, const char *function, const char *name, int index, const char *const *others)
{
    int count = 0;

    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        count += is_place(L, -2);
        if (!is_place(L, -2) && !is_one_of(L, -2, others))
            spf_lua_bad(L, function, name, "%s is no item; items are numbered from 1 to at most %d",
                        spf_lua_shown(L, -2), (int)ITEMS_MAX);
    }
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(L, index, i);
        if (lua_isnil(L, -1))
            spf_lua_bad(L, function, name, "item %d is missing, and there are more after it", i);
        lua_pop(L, 1);
    }
    return count;
}

const char *const *spf_lua_texts(lua_State *L, const char *function, const char *name, int index, size_t *count)
{
    bool is_table = lua_istable(L, index);
    const char **texts;

    luaL_checkstack(L, 8, function);
    *count = is_table ? (size_t)spf_lua_count_items(L, function, name, index, NULL) : !lua_isnil(L, index);
    texts = lua_newuserdata(L, (*count + 1) * sizeof(*texts));
    if (!is_table && *count > 0)
        texts[0] = spf_lua_text(L, function, name, index);
    for (size_t i = 0; is_table && i < *count; i++) {
        lua_rawgeti(L, index, (int)i + 1);
        texts[i] = spf_lua_text(L, function, name, lua_gettop(L));
        lua_pop(L, 1);
    }
    return texts;
}

/* --------------------------------------------------------------------------------------------------------- options */

void spf_lua_take(const spf_lua_reading_t *reading, const spf_lua_option_t *option, int index)
{
    spf_err_t err = option->take(reading, option->name, index);

    if (err != SPF_OK)
        spf_lua_bad(reading->L, reading->function, option->name, "%s",
                    err == SPF_EINVAL ? reading->error(reading->target) : spf_strerror(err));
}

static const spf_lua_option_t *find_option(const spf_lua_reading_t *reading, const spf_lua_option_t *options, int index)
{
    luaL_Buffer allowed;
    const char *list;

    for (size_t i = 0; options[i].name != NULL; i++)
        if (lua_type(reading->L, index) == LUA_TSTRING && strcmp(lua_tostring(reading->L, index), options[i].name) == 0)
            return &options[i];
    luaL_buffinit(reading->L, &allowed);
    for (size_t i = 0; options[i].name != NULL; i++) {
        luaL_addstring(&allowed, i == 0 ? "" : options[i + 1].name != NULL ? ", " : " and ");
        luaL_addstring(&allowed, options[i].name);
    }
    luaL_pushresult(&allowed);
    list = lua_tostring(reading->L, -1);
    spf_lua_bad(reading->L, reading->function, "options", "%s is no option; the options are %s",
                spf_lua_shown(reading->L, index), list);
}

void spf_lua_read_table(const spf_lua_reading_t *reading, const spf_lua_option_t *options, int table, bool has_callback)
{
    lua_State *L = reading->L;

    luaL_checkstack(L, 8, reading->function);
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1))
        if (!has_callback || lua_type(L, -2) != LUA_TNUMBER || lua_tonumber(L, -2) != 1)
            spf_lua_take(reading, find_option(reading, options, lua_gettop(L) - 1), lua_gettop(L));
}

int spf_lua_settle_arguments(lua_State *L, const char *function, int first, int positions, bool *has_callback)
{
    int last = lua_istable(L, first) ? first : first + positions - 1;

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
        spf_lua_bad_kind(L, function, "callback", last + 1, "a function");
    return last + 1;
}
