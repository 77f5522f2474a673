/* SPDX-License-Identifier: MIT */
/* What a header says of a check that somebody made, and what can be done about a result. */
#include "libspf_lua.h"

#include <stddef.h>
#include <string.h>

static const char class_name[] = "libspf.evidence";

/* The members of an item that are texts. */
static const struct member {
    const char *name;
    size_t offset;
} members[] = {
    {"field", offsetof(spf_evidence_item_t, field)},     {"result", offsetof(spf_evidence_item_t, result)},
    {"ip", offsetof(spf_evidence_item_t, ip)},           {"sender", offsetof(spf_evidence_item_t, sender)},
    {"helo", offsetof(spf_evidence_item_t, helo)},       {"receiver", offsetof(spf_evidence_item_t, receiver)},
    {"comment", offsetof(spf_evidence_item_t, comment)},
};

enum { MEMBER_COUNT = sizeof(members) / sizeof(members[0]) };

/* --------------------------------------------------------------------------------------------------------- evidence */

static int evidence_gc(lua_State *L)
{
    spf_evidence_t **evidence = luaL_checkudata(L, 1, class_name);

    spf_evidence_free(*evidence);
    *evidence = NULL;
    return 0;
}

static void push_item(lua_State *L, const spf_evidence_item_t *item)
{
    lua_createtable(L, 0, MEMBER_COUNT + 4);
    for (size_t i = 0; i < MEMBER_COUNT; i++)
        spf_lua_set_text(L, members[i].name, *(const char *const *)((const char *)item + members[i].offset));
    spf_lua_set_text(L, "value", item->has_result ? spf_result_name(item->value) : NULL);
    spf_lua_set_text(L, "identity", spf_identity_name(item->identity));
    spf_lua_set_number(L, "offset", spf_lua_position(item->offset));
    spf_lua_set_number(L, "length", (lua_Integer)item->length);
}

static void push_evidence(lua_State *L, const spf_evidence_t *evidence)
{
    const spf_evidence_item_t *item;

    lua_createtable(L, 0, 2);
    lua_newtable(L);
    for (size_t i = 0; (item = spf_evidence_item(evidence, i)) != NULL; i++) {
        push_item(L, item);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, "items");
    item = spf_evidence_check(evidence);
    if (item == NULL)
        return;
    push_item(L, item);
    lua_setfield(L, -2, "check");
}

/* libspf.evidence(text) */
static int evidence(lua_State *L)
{
    spf_evidence_t **read;
    const char *text;
    size_t length;

    spf_lua_drop_module(L);
    lua_settop(L, 1);
    text = spf_lua_octets(L, "evidence", "text", 1, &length);
    read = spf_lua_new_userdata(L, sizeof(spf_evidence_t *), class_name);
    if (spf_evidence_new(read, text, length) != SPF_OK)
        return luaL_error(L, "evidence: %s", spf_strerror(SPF_ENOMEM));
    push_evidence(L, *read);
    spf_evidence_free(*read);
    *read = NULL;
    return 1;
}

void spf_lua_open_evidence(lua_State *L)
{
    static const luaL_Reg methods[] = {{NULL, NULL}};
    static const luaL_Reg metamethods[] = {{"__gc", evidence_gc}, {NULL, NULL}};

    spf_lua_new_class(L, class_name, methods, metamethods);
    lua_pop(L, 1);
}

/* ----------------------------------------------------------------------------------------------------------- advice */

/* The member of the table at index, or NULL. The table keeps it. */
static const char *member(lua_State *L, int table, const char *name)
{
    const char *text = NULL;

    lua_pushstring(L, name);
    lua_rawget(L, table);
    if (!lua_isnil(L, -1))
        text = spf_lua_text(L, "advice", name, lua_gettop(L));
    lua_pop(L, 1);
    return text;
}

static void read_value(lua_State *L, int table, spf_evidence_item_t *item)
{
    const char *value = member(L, table, "value");

    if (value == NULL)
        return;
    for (spf_result_t result = SPF_RESULT_NONE; result <= SPF_RESULT_PERMERROR; result++)
        if (strcmp(value, spf_result_name(result)) == 0) {
            item->has_result = true;
            item->value = result;
            return;
        }
    lua_pushstring(L, value);
    spf_lua_bad(L, "advice", "value", "%s is no result; libspf.results has them", spf_lua_shown(L, -1));
}

static void read_item(lua_State *L, int table, spf_evidence_item_t *item)
{
    for (size_t i = 0; i < MEMBER_COUNT; i++)
        *(const char **)((char *)item + members[i].offset) = member(L, table, members[i].name);
    lua_pushliteral(L, "identity");
    lua_rawget(L, table);
    if (!lua_isnil(L, -1))
        item->identity = spf_lua_identity(L, "advice", "identity", lua_gettop(L));
    lua_pop(L, 1);
    read_value(L, table, item);
}

static void push_lines(lua_State *L, const char *text)
{
    size_t length;

    lua_newtable(L);
    for (int i = 1; *text != '\0'; i++) {
        length = strcspn(text, "\n");
        lua_pushlstring(L, text, length);
        lua_rawseti(L, -2, i);
        text += length + (text[length] == '\n');
    }
}

int spf_lua_advice(lua_State *L, spf_check_t *check)
{
    enum { ITEM = 2 };
    spf_evidence_item_t then = {0};
    const char *advice;

    lua_settop(L, ITEM);
    if (lua_istable(L, ITEM))
        read_item(L, ITEM, &then);
    else if (!lua_isnil(L, ITEM))
        spf_lua_bad_kind(L, "advice", "item", ITEM, "what evidence() gave for a header, a table, or nil");
    advice = spf_check_advice(check, lua_istable(L, ITEM) ? &then : NULL);
    if (advice == NULL)
        return luaL_error(L, "advice: %s", spf_strerror(SPF_ENOMEM));
    push_lines(L, advice);
    return 1;
}

const luaL_Reg spf_lua_evidence_functions[] = {{"evidence", evidence}, {NULL, NULL}};
