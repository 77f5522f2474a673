/* SPDX-License-Identifier: MIT */
/* libspf.context{...}: every key of the configuration file, with _ for -, and what only a program can give. */
#include "libspf_lua.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { KEY_MAX = 64, NUMBER_MAX = 64 };

static const char class_name[] = "libspf.config";

/* Its configuration is freed in any case. */
static int config_gc(lua_State *L)
{
    spf_config_t **config = luaL_checkudata(L, 1, class_name);

    spf_config_free(*config);
    *config = NULL;
    return 0;
}

static spf_config_t *push_config(lua_State *L)
{
    spf_config_t **config = spf_lua_new_userdata(L, sizeof(spf_config_t *), class_name);

    if (spf_config_new(config) != SPF_OK)
        luaL_error(L, "libspf: %s", spf_strerror(SPF_ENOMEM));
    return *config;
}

static const char *sentence(const spf_config_t *config, spf_err_t err)
{
    return *spf_config_error(config) != '\0' ? spf_config_error(config) : spf_strerror(err);
}

static void load(lua_State *L, const char *function, spf_config_t *config, const char *file)
{
    spf_err_t err = spf_config_load(config, file);

    if (err != SPF_OK)
        spf_lua_bad(L, function, "config", "%s", sentence(config, err));
}

void spf_lua_try_config(lua_State *L, const char *file)
{
    spf_config_t *config = push_config(L);

    load(L, "configure", config, file);
    lua_pop(L, 1);
}

/* ------------------------------------------------------------------------------------------------------------- keys */

static bool may_have_several(const char *key)
{
    static const char *const keys[] = {"resolver", "zone", "zone_text"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

/* As libspf reads it, in any locale. */
static const char *number_text(lua_State *L, lua_Number number)
{
    char text[NUMBER_MAX];
    long long millionths;

    if (!(number >= 0 && number < 1e12) || number == floor(number)) {
        snprintf(text, sizeof(text), "%.0f", number);
    } else {
        millionths = llround(number * 1e6);
        snprintf(text, sizeof(text), "%lld.%06lld", millionths / 1000000, millionths % 1000000);
    }
    lua_pushstring(L, text);
    return lua_tostring(L, -1);
}

/* The setting's text is pushed. */
static const char *setting_text(lua_State *L, const char *key, int index)
{
    switch (lua_type(L, index)) {
    case LUA_TNUMBER:
        return number_text(L, lua_tonumber(L, index));
    case LUA_TBOOLEAN:
        lua_pushstring(L, lua_toboolean(L, index) ? "yes" : "no");
        return lua_tostring(L, -1);
    case LUA_TSTRING:
        lua_pushvalue(L, index);
        return spf_lua_text(L, "context", key, -1);
    default:
        spf_lua_bad(L, "context", key, "%s where a string, a number, true%s is wanted", spf_lua_shown(L, index),
                    may_have_several(key) ? ", false or an array of them" : " or false");
        return NULL;
    }
}

/* The library names the keys as the file writes them, and does not know of ours. */
static void refuse(lua_State *L, const char *key, spf_config_t *config, spf_err_t err)
{
    const char *text = sentence(config, err);

    if (*text == '"') {
        text = luaL_gsub(L, text, "-", "_");
        spf_lua_bad(L, "context", key, "%s; and config and zone_text", text);
    }
    spf_lua_bad(L, "context", key, "%s", text);
}

static void take_zone_text(lua_State *L, spf_config_t *config, int index)
{
    size_t length;
    const char *text;

    if (lua_type(L, index) != LUA_TSTRING)
        spf_lua_bad(L, "context", "zone_text", "%s where a string is wanted", spf_lua_shown(L, index));
    text = lua_tolstring(L, index, &length);
    if (spf_config_add_zone_text(config, text, length) != SPF_OK)
        luaL_error(L, "libspf: %s", spf_strerror(SPF_ENOMEM));
}

/* One value of a key. */
static void take(lua_State *L, spf_config_t *config, const char *key, int index)
{
    char name[KEY_MAX];
    spf_err_t err;

    if (strcmp(key, "zone_text") == 0) {
        take_zone_text(L, config, index);
        return;
    }
    snprintf(name, sizeof(name), "%s", key);
    for (char *at = name; *at != '\0'; at++)
        if (*at == '_')
            *at = '-';
    err = spf_config_set(config, name, setting_text(L, key, index));
    if (err != SPF_OK)
        refuse(L, key, config, err);
    lua_pop(L, 1);
}

static void take_all(lua_State *L, spf_config_t *config, const char *key, int index)
{
    int count;

    if (!lua_istable(L, index) || !may_have_several(key)) {
        take(L, config, key, index);
        return;
    }
    count = spf_lua_count_items(L, "context", key, index, NULL);
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(L, index, i);
        take(L, config, key, lua_gettop(L));
        lua_pop(L, 1);
    }
}

/* --------------------------------------------------------------------------------------------------------- resolver */

/* Whether the value on the top of the stack is a resolver written in Lua. */
static bool is_resolver(lua_State *L)
{
    static const char *const functions[] = {"query", "cancel", "fd", "timeout", "process", "wait"};

    if (!lua_istable(L, -1) || spf_lua_length(L, -1) > 0)
        return false;
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        lua_getfield(L, -1, functions[i]);
        if (!lua_isfunction(L, -1) && (i == 0 || !lua_isnil(L, -1)))
            spf_lua_bad(L, "context", "resolver", "its %s is %s, where a function is wanted", functions[i],
                        spf_lua_shown(L, -1));
        lua_pop(L, 1);
    }
    return true;
}

/* The context's value is a table with the resolver in it. */
static void keep_resolver(lua_State *L)
{
    lua_newtable(L);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, 1);
    spf_lua_set_value(L, SPF_LUA_SELF);
}

/* ---------------------------------------------------------------------------------------------------------- context */

enum { TABLE = SPF_LUA_SELF + 1 };

static void take_config(lua_State *L, spf_config_t *config)
{
    lua_pushliteral(L, "config");
    lua_rawget(L, TABLE);
    if (!lua_isnil(L, -1))
        load(L, "context", config, spf_lua_text(L, "context", "config", -1));
    lua_pop(L, 1);
}

static void take_table(lua_State *L, spf_lua_context_t *context, spf_config_t *config)
{
    const char *key;

    take_config(L, config);
    for (lua_pushnil(L); lua_next(L, TABLE) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            spf_lua_bad(L, "context", "settings", "%s where a setting's name is wanted", spf_lua_shown(L, -2));
        lua_pushvalue(L, -2);
        key = spf_lua_text(L, "context", "settings", -1);
        lua_insert(L, -2);
        if (strcmp(key, "resolver") == 0 && is_resolver(L)) {
            keep_resolver(L);
            context->has_resolver = true;
        } else if (strcmp(key, "config") != 0) {
            take_all(L, config, key, lua_gettop(L));
        }
        lua_remove(L, -2);
    }
}

void spf_lua_make_context(lua_State *L, spf_lua_context_t *context)
{
    spf_config_t *config;
    spf_err_t err;

    luaL_checkstack(L, 16, "context");
    config = push_config(L);
    if (lua_istable(L, TABLE))
        take_table(L, context, config);
    if (context->has_resolver)
        err = spf_context_new_with_resolver(&context->context, config, &spf_lua_resolver_ops, context);
    else
        err = spf_context_new(&context->context, config);
    if (err != SPF_OK)
        luaL_error(L, "context: %s", sentence(config, err));
}

void spf_lua_open_settings(lua_State *L)
{
    static const luaL_Reg methods[] = {{NULL, NULL}};
    static const luaL_Reg metamethods[] = {{"__gc", config_gc}, {NULL, NULL}};

    spf_lua_new_class(L, class_name, methods, metamethods);
    lua_pop(L, 1);
}
