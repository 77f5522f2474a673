/* SPDX-License-Identifier: MIT */
/*
 * What Lua 5.1 (and LuaJIT, which loads the same build), 5.2, 5.3 and 5.4 do not have in common, under names of our
 * own: LuaJIT exports some of the later names itself.
 */
#ifndef SPF_LUA_COMPAT_H
#define SPF_LUA_COMPAT_H

#include <lauxlib.h>
#include <lua.h>

/* The entry points of the module are all that it exports. */
#define SPF_LUA_EXPORT __attribute__((visibility("default")))

#if LUA_VERSION_NUM < 502
#define spf_lua_length(L, index) lua_objlen(L, index)
#else
#define spf_lua_length(L, index) lua_rawlen(L, index)
#endif

/* The index counted from the bottom of the stack, so that pushing does not change its meaning. */
int spf_lua_absolute(lua_State *L, int index);
/* Sets functions into the table below the upvalues that are on the stack, each with copies of them; pops these. */
void spf_lua_set_functions(lua_State *L, const luaL_Reg *functions, int upvalues);
/* The userdata at index if it is one of that metatable's, else NULL. */
void *spf_lua_test_userdata(lua_State *L, int index, const char *metatable);
/* Pushes a new userdata, zeroed, that has the metatable of that name and no value. */
void *spf_lua_new_userdata(lua_State *L, size_t size, const char *metatable);
/* The one Lua value that a userdata holds: pops it from the stack into the userdata at index, and pushes it. */
void spf_lua_set_value(lua_State *L, int index);
void spf_lua_push_value(lua_State *L, int index);

#endif
