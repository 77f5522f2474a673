/* SPDX-License-Identifier: MIT */
/* Pieces of what programs are given. */
#include "libspf_lua.h"

void spf_lua_set_text(lua_State *L, const char *key, const char *text)
{
    if (text == NULL)
        return;
    lua_pushstring(L, text);
    lua_setfield(L, -2, key);
}

void spf_lua_set_octets(lua_State *L, const char *key, const char *octets, size_t length)
{
    if (octets == NULL)
        return;
    lua_pushlstring(L, octets, length);
    lua_setfield(L, -2, key);
}

void spf_lua_set_number(lua_State *L, const char *key, lua_Integer number)
{
    lua_pushinteger(L, number);
    lua_setfield(L, -2, key);
}

void spf_lua_set_flag(lua_State *L, const char *key, bool flag)
{
    lua_pushboolean(L, flag);
    lua_setfield(L, -2, key);
}

void spf_lua_push_text(lua_State *L, const char *text)
{
    if (text != NULL)
        lua_pushstring(L, text);
    else
        lua_pushnil(L);
}

lua_Integer spf_lua_position(size_t offset)
{
    return (lua_Integer)offset + 1;
}

int spf_lua_report(lua_State *L, const char *function, const char *text)
{
    if (text == NULL)
        return luaL_error(L, "%s: %s", function, spf_strerror(SPF_ENOMEM));
    lua_pushstring(L, text);
    return 1;
}
