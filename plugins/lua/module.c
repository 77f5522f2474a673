/* SPDX-License-Identifier: MIT */
/* local libspf = require "libspf" */
#include "exchange.h"

#include <string.h>

/* It is too late for another file once this state uses the shared context. */
static void try_file_of_shared(lua_State *L, const char *file)
{
    spf_context_t *shared;
    char error[512];
    bool is_used;

    spf_lua_push_slot(L, SPF_LUA_SHARED);
    is_used = !lua_isnil(L, -1);
    lua_pop(L, 1);
    if (!is_used)
        return;
    if (spf_context_shared(&shared, file, error, sizeof(error)) != SPF_OK)
        spf_lua_bad(L, "configure", "config", "%s", error);
    spf_context_release(shared);
}

/* libspf.configure{config = FILE} */
static int configure(lua_State *L)
{
    const char *file;

    spf_lua_drop_module(L);
    lua_settop(L, 1);
    if (!lua_istable(L, 1))
        spf_lua_bad(L, "configure", "settings", "%s where a table is wanted", spf_lua_shown(L, 1));
    for (lua_pushnil(L); lua_next(L, 1) != 0; lua_pop(L, 1))
        if (lua_type(L, -2) != LUA_TSTRING || strcmp(lua_tostring(L, -2), "config") != 0)
            spf_lua_bad(L, "configure", "settings",
                        "%s is no setting of the shared context; there is only config, the name of its file",
                        spf_lua_shown(L, -2));
    lua_pushliteral(L, "config");
    lua_rawget(L, 1);
    file = spf_lua_text(L, "configure", "config", -1);
    spf_lua_try_config(L, file);
    try_file_of_shared(L, file);
    spf_lua_set_slot(L, SPF_LUA_CONFIG_FILE);
    return 0;
}

static void push_results(lua_State *L)
{
    lua_createtable(L, SPF_RESULT_PERMERROR + 1, 0);
    for (spf_result_t result = SPF_RESULT_NONE; result <= SPF_RESULT_PERMERROR; result++) {
        lua_pushstring(L, spf_result_name(result));
        lua_rawseti(L, -2, (int)result + 1);
    }
}

static void set_functions_of_shared(lua_State *L, const luaL_Reg *functions)
{
    lua_pushboolean(L, true);
    spf_lua_set_functions(L, functions, 1);
}

static void fill_slots(lua_State *L)
{
    lua_pushvalue(L, -1);
    spf_lua_set_slot(L, SPF_LUA_MODULE);
    lua_pushcfunction(L, spf_lua_deliver);
    spf_lua_set_slot(L, SPF_LUA_DELIVER);
    lua_pushcfunction(L, spf_lua_ask);
    spf_lua_set_slot(L, SPF_LUA_ASK);
    lua_pushcfunction(L, spf_lua_take_back);
    spf_lua_set_slot(L, SPF_LUA_TAKE_BACK);
    lua_pushcfunction(L, spf_lua_process_resolver);
    spf_lua_set_slot(L, SPF_LUA_PROCESS_RESOLVER);
    lua_pushcfunction(L, spf_lua_follow_resolver);
    spf_lua_set_slot(L, SPF_LUA_FOLLOW_RESOLVER);
}

SPF_LUA_EXPORT int luaopen_libspf(lua_State *L);

int luaopen_libspf(lua_State *L)
{
#if LUA_VERSION_NUM >= 502
    luaL_checkversion(L);
#endif
    if (!spf_lua_exchange_open())
        return luaL_error(L, "libspf: %s", spf_strerror(SPF_ENOMEM));
    lua_newtable(L);
    fill_slots(L);
    lua_pushstring(L, spf_version());
    lua_setfield(L, -2, "version");
    push_results(L);
    lua_setfield(L, -2, "results");
    lua_pushcfunction(L, configure);
    lua_setfield(L, -2, "configure");
    set_functions_of_shared(L, spf_lua_context_functions);
    set_functions_of_shared(L, spf_lua_event_functions);
    set_functions_of_shared(L, spf_lua_check_functions);
    set_functions_of_shared(L, spf_lua_survey_functions);
    spf_lua_set_functions(L, spf_lua_draft_functions, 0);
    spf_lua_set_functions(L, spf_lua_evidence_functions, 0);
    spf_lua_open_result(L);
    spf_lua_open_job(L);
    spf_lua_open_survey(L);
    spf_lua_open_draft(L);
    spf_lua_open_evidence(L);
    spf_lua_open_settings(L);
    spf_lua_open_context(L);
    spf_lua_open_resolver(L);
    return 1;
}
