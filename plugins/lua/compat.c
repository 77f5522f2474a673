/* SPDX-License-Identifier: MIT */
#include "compat.h"

#include <string.h>

int spf_lua_absolute(lua_State *L, int index)
{
    return index > 0 || index <= LUA_REGISTRYINDEX ? index : lua_gettop(L) + index + 1;
}

void spf_lua_set_functions(lua_State *L, const luaL_Reg *functions, int upvalues)
{
    int table = lua_gettop(L) - upvalues;

    luaL_checkstack(L, upvalues + 2, "too many upvalues");
    for (; functions->name != NULL; functions++) {
        for (int i = 1; i <= upvalues; i++)
            lua_pushvalue(L, table + i);
        lua_pushcclosure(L, functions->func, upvalues);
        lua_setfield(L, table, functions->name);
    }
    lua_pop(L, upvalues);
}

void *spf_lua_test_userdata(lua_State *L, int index, const char *metatable)
{
    void *userdata = lua_touserdata(L, index);
    int is_ours;

    if (userdata == NULL || !lua_getmetatable(L, index))
        return NULL;
    luaL_getmetatable(L, metatable);
    is_ours = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return is_ours ? userdata : NULL;
}

void *spf_lua_new_userdata(lua_State *L, size_t size, const char *metatable)
{
    void *userdata = lua_newuserdata(L, size);

    memset(userdata, 0, size);
    luaL_getmetatable(L, metatable);
#if LUA_VERSION_NUM < 502
    /* Every userdata has an environment: one that holds no value yet has its metatable there. */
    lua_pushvalue(L, -1);
    lua_setfenv(L, -3);
#endif
    lua_setmetatable(L, -2);
    return userdata;
}

#if LUA_VERSION_NUM < 503
/* Pushes the table that the userdata holds its value in. */
static void push_holder(lua_State *L, int index)
{
#if LUA_VERSION_NUM < 502
    lua_getfenv(L, index);
    lua_getmetatable(L, index);
    if (!lua_rawequal(L, -1, -2)) {
        lua_pop(L, 1);
        return;
    }
    lua_pop(L, 2);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, -1);
    lua_setfenv(L, index);
#else
    lua_getuservalue(L, index);
    if (lua_istable(L, -1))
        return;
    lua_pop(L, 1);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, -1);
    lua_setuservalue(L, index);
#endif
}
#endif

/* Before Lua 5.3 a userdata holds nothing but a table: the value is put into one. */
void spf_lua_set_value(lua_State *L, int index)
{
    index = spf_lua_absolute(L, index);
#if LUA_VERSION_NUM < 503
    push_holder(L, index);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 1);
    lua_pop(L, 1);
#else
    lua_setuservalue(L, index);
#endif
}

void spf_lua_push_value(lua_State *L, int index)
{
#if LUA_VERSION_NUM < 502
    lua_getfenv(L, index);
#else
    lua_getuservalue(L, index);
#endif
#if LUA_VERSION_NUM < 503
    if (lua_istable(L, -1)) {
        lua_rawgeti(L, -1, 1);
        lua_remove(L, -2);
    }
#endif
}
