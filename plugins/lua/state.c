/* SPDX-License-Identifier: MIT */
/* What the module keeps in a Lua state: one table in the registry. */
#include "libspf_lua.h"

enum { ACCOUNT_OCTETS = 768 * 1024, STEP_OCTETS = 1024 };

static char key; /* its address is the table's key */

static void push_table(lua_State *L)
{
    lua_pushlightuserdata(L, &key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    if (!lua_isnil(L, -1))
        return;
    lua_pop(L, 1);
    lua_createtable(L, SPF_LUA_SLOTS, 0);
    lua_newtable(L);
    lua_rawseti(L, -2, SPF_LUA_ANCHORS);
    lua_pushlightuserdata(L, &key);
    lua_pushvalue(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
}

void spf_lua_push_slot(lua_State *L, spf_lua_slot_t slot)
{
    push_table(L);
    lua_rawgeti(L, -1, slot);
    lua_remove(L, -2);
}

void spf_lua_set_slot(lua_State *L, spf_lua_slot_t slot)
{
    push_table(L);
    lua_insert(L, -2);
    lua_rawseti(L, -2, slot);
    lua_pop(L, 1);
}

void spf_lua_anchor(lua_State *L, const void *userdata)
{
    spf_lua_push_slot(L, SPF_LUA_ANCHORS);
    lua_pushlightuserdata(L, (void *)userdata);
    lua_pushvalue(L, -3);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

/* Setting an entry that is there to nil needs no memory. */
void spf_lua_let_go(lua_State *L, const void *userdata)
{
    spf_lua_push_slot(L, SPF_LUA_ANCHORS);
    lua_pushlightuserdata(L, (void *)userdata);
    lua_pushnil(L);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

void spf_lua_push_anchored(lua_State *L, const void *userdata)
{
    spf_lua_push_slot(L, SPF_LUA_ANCHORS);
    lua_pushlightuserdata(L, (void *)userdata);
    lua_rawget(L, -2);
    lua_remove(L, -2);
}

/* Lua counts its own memory alone: so it gets as much garbage of its own to see, which nobody touches. The collector of
 * Lua 5.1 does but a small step each time that something is made, however much that is: so it is asked often. */
void spf_lua_account(lua_State *L, size_t octets)
{
    size_t unaccounted;

    spf_lua_push_slot(L, SPF_LUA_UNACCOUNTED);
    unaccounted = (size_t)lua_tointeger(L, -1) + octets;
    lua_pop(L, 1);
    if (unaccounted >= ACCOUNT_OCTETS) {
        lua_newuserdata(L, unaccounted);
        lua_pop(L, 1);
        for (size_t i = 0; i < unaccounted / STEP_OCTETS; i++) {
            lua_pushliteral(L, "");
            lua_pop(L, 1);
        }
        unaccounted = 0;
    }
    lua_pushinteger(L, (lua_Integer)unaccounted);
    spf_lua_set_slot(L, SPF_LUA_UNACCOUNTED);
}

void spf_lua_new_class(lua_State *L, const char *name, const luaL_Reg *methods, const luaL_Reg *metamethods)
{
    luaL_newmetatable(L, name);
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__name");
    lua_pushliteral(L, "of libspf");
    lua_setfield(L, -2, "__metatable");
    lua_newtable(L);
    spf_lua_set_functions(L, methods, 0);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "__index");
    lua_pushvalue(L, -2);
    spf_lua_set_functions(L, metamethods, 1);
    lua_pop(L, 1);
    lua_remove(L, -2);
}
