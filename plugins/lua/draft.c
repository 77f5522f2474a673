/* SPDX-License-Identifier: MIT */
/* Drafts, which are records to be published, and compose, which makes them from what may send. */
#include "libspf_lua.h"

#include <limits.h>
#include <string.h>

/* ----------------------------------------------------------------------------------------------------------- fields */

static void push_records(lua_State *L, const spf_draft_t *draft)
{
    const spf_draft_record_t *record;

    lua_newtable(L);
    for (size_t i = 0; (record = spf_draft_record(draft, i)) != NULL; i++) {
        lua_createtable(L, 0, 3);
        spf_lua_set_text(L, "name", record->name);
        spf_lua_set_octets(L, "text", record->text, record->length);
        spf_lua_set_number(L, "answer_octets", (lua_Integer)record->answer_octets);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

static void push_lookups(lua_State *L, const spf_draft_t *draft)
{
    lua_pushinteger(L, (lua_Integer)spf_draft_lookups(draft));
}

static void push_notes(lua_State *L, const spf_draft_t *draft)
{
    const char *note;

    lua_newtable(L);
    for (size_t i = 0; (note = spf_draft_note(draft, i)) != NULL; i++) {
        lua_pushstring(L, note);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

static const struct field {
    const char *name;
    void (*push)(lua_State *L, const spf_draft_t *draft);
} fields[] = {{"records", push_records}, {"lookups", push_lookups}, {"notes", push_notes}};

enum { FIELD_COUNT = sizeof(fields) / sizeof(fields[0]) };

static spf_draft_t *to_draft(lua_State *L, const char *function)
{
    spf_draft_t **draft = spf_lua_test_userdata(L, 1, SPF_LUA_DRAFT);

    if (draft == NULL)
        spf_lua_bad(L, function, "self", "%s where a draft is wanted; methods are called with a colon",
                    spf_lua_shown(L, 1));
    if (*draft == NULL)
        luaL_error(L, "'%s' of a draft that was closed", function);
    return *draft;
}

/* The upvalue has methods, and the numbers of fields, by name. */
static int draft_index(lua_State *L)
{
    const struct field *field;

    luaL_checkstack(L, 8, "draft");
    lua_settop(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    if (lua_type(L, 2) != LUA_TNUMBER)
        return 1;
    field = &fields[lua_tointeger(L, 2)];
    field->push(L, to_draft(L, field->name));
    return 1;
}

/* The domain's own record. */
static int draft_tostring(lua_State *L)
{
    const spf_draft_record_t *record = spf_draft_record(to_draft(L, "tostring"), 0);

    lua_pushlstring(L, record->text, record->length);
    return 1;
}

/* ---------------------------------------------------------------------------------------------------------- reports */

static int draft_zone(lua_State *L)
{
    spf_draft_t *draft = to_draft(L, "zone");

    return spf_lua_report(L, "zone", spf_draft_zone(draft, spf_lua_number(L, "zone", "ttl", 2, 1, INT_MAX)));
}

/* A word of a command to nsupdate, or nil. */
static const char *word(lua_State *L, const char *name, int index)
{
    const char *text;

    if (lua_isnil(L, index))
        return NULL;
    text = spf_lua_text(L, "nsupdate", name, index);
    for (const char *at = text; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~' || *at == ';')
            spf_lua_bad(L, "nsupdate", name, "%s has a character in it that none has", spf_lua_shown(L, index));
    if (*text == '\0')
        spf_lua_bad(L, "nsupdate", name, "it is empty");
    return text;
}

static int draft_nsupdate(lua_State *L)
{
    enum { TTL = 2, ZONE, SERVER };
    spf_draft_t *draft = to_draft(L, "nsupdate");
    const char *zone, *server;
    unsigned ttl_s;

    lua_settop(L, SERVER);
    ttl_s = spf_lua_number(L, "nsupdate", "ttl", TTL, 1, INT_MAX);
    zone = word(L, "zone", ZONE);
    server = word(L, "server", SERVER);
    if (spf_draft_record(draft, 0)->name[0] == '\0')
        return luaL_error(L, "nsupdate: the draft was made without a domain");
    return spf_lua_report(L, "nsupdate", spf_draft_nsupdate(draft, ttl_s, zone, server));
}

static int draft_json(lua_State *L)
{
    return spf_lua_report(L, "json", spf_draft_json(to_draft(L, "json")));
}

/* ------------------------------------------------------------------------------------------------------- the object */

static int draft_close(lua_State *L)
{
    spf_draft_t **draft = luaL_checkudata(L, 1, SPF_LUA_DRAFT);

    spf_draft_free(*draft);
    *draft = NULL;
    return 0;
}

/* About what the usual draft, of one record, comes to. */
spf_draft_t **spf_lua_push_draft(lua_State *L)
{
    enum { DRAFT_OCTETS = 5000 };

    spf_lua_account(L, DRAFT_OCTETS);
    return spf_lua_new_userdata(L, sizeof(spf_draft_t *), SPF_LUA_DRAFT);
}

void spf_lua_open_draft(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"zone", draft_zone}, {"nsupdate", draft_nsupdate}, {"json", draft_json}, {NULL, NULL}};
    static const luaL_Reg metamethods[] = {{"__index", draft_index},
                                           {"__tostring", draft_tostring},
                                           {"__gc", draft_close},
                                           {"__close", draft_close},
                                           {NULL, NULL}};

    spf_lua_new_class(L, SPF_LUA_DRAFT, methods, metamethods);
    for (int i = 0; i < FIELD_COUNT; i++) {
        lua_pushinteger(L, i);
        lua_setfield(L, -2, fields[i].name);
    }
    lua_pop(L, 1);
}

/* ---------------------------------------------------------------------------------------------------------- compose */

/* An array's texts are taken when all is known. */
static spf_err_t take_senders(const spf_lua_reading_t *reading, const char *name, int index)
{
    if (lua_type(reading->L, index) != LUA_TSTRING && !lua_istable(reading->L, index))
        spf_lua_bad_kind(reading->L, reading->function, name, index, "an array of senders");
    return SPF_OK;
}

static spf_err_t take_domain(const spf_lua_reading_t *reading, const char *name, int index)
{
    spf_compose_options_t *compose = reading->target;

    compose->domain = spf_lua_text(reading->L, reading->function, name, index);
    return SPF_OK;
}

static spf_err_t take_all(const spf_lua_reading_t *reading, const char *name, int index)
{
    spf_compose_options_t *compose = reading->target;

    compose->all = spf_lua_text(reading->L, reading->function, name, index);
    return SPF_OK;
}

static const spf_lua_option_t options[] = {
    {"senders", take_senders}, {"domain", take_domain}, {"all", take_all}, {NULL, NULL}};

/* Whether the library refuses these by themselves. */
static bool is_refused(const spf_compose_options_t *compose)
{
    spf_draft_t *draft;
    bool is_refused = spf_compose(&draft, compose, NULL, 0) == SPF_EINVAL;

    spf_draft_free(draft);
    return is_refused;
}

/* The sentence names the value; which option has it, each of them tells alone. */
static int raise_compose(lua_State *L, const spf_compose_options_t *compose, const char *sentence)
{
    const char *name = "senders";

    if (is_refused(&(spf_compose_options_t){.size = sizeof(*compose), .domain = compose->domain}))
        name = "domain";
    else if (is_refused(&(spf_compose_options_t){.size = sizeof(*compose), .all = compose->all}))
        name = "all";
    return spf_lua_bad(L, "compose", name, "%s", sentence);
}

/* libspf.compose{senders =, domain =, all =} */
static int compose(lua_State *L)
{
    enum { TABLE = 1, SENDERS };
    spf_compose_options_t given = {.size = sizeof(given)};
    char sentence[1024];
    spf_draft_t **draft;
    spf_err_t err;

    spf_lua_drop_module(L);
    lua_settop(L, TABLE);
    if (!lua_istable(L, TABLE))
        spf_lua_bad_kind(L, "compose", "options", TABLE, "a table");
    spf_lua_read_table(&(spf_lua_reading_t){.L = L, .function = "compose", .target = &given}, options, TABLE, false);
    lua_pushliteral(L, "senders");
    lua_rawget(L, TABLE);
    given.senders = spf_lua_texts(L, "compose", "senders", SENDERS, &given.sender_count);
    draft = spf_lua_push_draft(L);
    err = spf_compose(draft, &given, sentence, sizeof(sentence));
    if (err == SPF_EINVAL)
        return raise_compose(L, &given, sentence);
    if (err != SPF_OK)
        return luaL_error(L, "compose: %s", spf_strerror(err));
    return 1;
}

const luaL_Reg spf_lua_draft_functions[] = {{"compose", compose}, {NULL, NULL}};
