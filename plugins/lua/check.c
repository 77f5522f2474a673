/* SPDX-License-Identifier: MIT */
/* Checks: what they are given, and how libspf does them. */
#include "exchange.h"

/* --------------------------------------------------------------------------------------------------------- options */

/* A check in the making. */
typedef struct making {
    spf_check_t *check;
    bool has_ip;
    bool wants_trace;
} making_t;

static spf_check_t *check_of(const spf_lua_reading_t *reading)
{
    return ((const making_t *)reading->target)->check;
}

static const char *refusal(const void *target)
{
    return spf_check_error(((const making_t *)target)->check);
}

static spf_err_t take_ip(const spf_lua_reading_t *reading, const char *name, int index)
{
    making_t *making = reading->target;

    if (lua_type(reading->L, index) != LUA_TSTRING)
        spf_lua_bad_kind(reading->L, reading->function, name, index,
                         "the client's address, a string like \"192.0.2.1\" or \"2001:db8::1\",");
    making->has_ip = true;
    return spf_check_set_ip(check_of(reading), spf_lua_text(reading->L, reading->function, name, index));
}

static spf_err_t take_sender(const spf_lua_reading_t *reading, const char *name, int index)
{
    size_t length;
    const char *sender = spf_lua_octets(reading->L, reading->function, name, index, &length);

    return spf_check_set_sender(check_of(reading), sender, length);
}

static spf_err_t take_helo(const spf_lua_reading_t *reading, const char *name, int index)
{
    size_t length;
    const char *helo = spf_lua_octets(reading->L, reading->function, name, index, &length);

    return spf_check_set_helo(check_of(reading), helo, length);
}

static spf_err_t take_identity(const spf_lua_reading_t *reading, const char *name, int index)
{
    return spf_check_set_identity(check_of(reading), spf_lua_identity(reading->L, reading->function, name, index));
}

static spf_err_t take_receiver(const spf_lua_reading_t *reading, const char *name, int index)
{
    return spf_check_set_receiver(check_of(reading), spf_lua_text(reading->L, reading->function, name, index));
}

static spf_err_t take_timeout(const spf_lua_reading_t *reading, const char *name, int index)
{
    return spf_check_set_timeout_ms(check_of(reading), spf_lua_deadline_ms(reading->L, reading->function, name, index));
}

static spf_err_t take_trace(const spf_lua_reading_t *reading, const char *name, int index)
{
    making_t *making = reading->target;

    making->wants_trace = spf_lua_flag(reading->L, reading->function, name, index);
    return spf_check_set_trace(making->check, making->wants_trace);
}

static spf_err_t take_would_be(const spf_lua_reading_t *reading, const char *name, int index)
{
    return spf_check_set_would_be(check_of(reading), spf_lua_flag(reading->L, reading->function, name, index));
}

static spf_err_t take_record(const spf_lua_reading_t *reading, const char *name, int index)
{
    size_t length;
    const char *record = spf_lua_octets(reading->L, reading->function, name, index, &length);

    return spf_check_set_record(check_of(reading), record, length);
}

/* The first three are those that may be given in this order without names. */
static const spf_lua_option_t options[] = {
    {"ip", take_ip},
    {"sender", take_sender},
    {"helo", take_helo},
    {"identity", take_identity},
    {"receiver", take_receiver},
    {"timeout", take_timeout},
    {"trace", take_trace},
    {"would_be", take_would_be},
    {"record", take_record},
    {NULL, NULL},
};

enum { POSITIONS = 3 };

static bool read_arguments(lua_State *L, const char *function, int first, bool has_callback, spf_context_t *context,
                           void **subject)
{
    making_t making = {.check = NULL};
    const spf_lua_reading_t reading = {.L = L, .function = function, .target = &making, .error = refusal};

    if (spf_check_new(&making.check, context) != SPF_OK)
        luaL_error(L, "%s: %s", function, spf_strerror(SPF_ENOMEM));
    *subject = making.check;
    if (lua_istable(L, first))
        spf_lua_read_table(&reading, options, first, has_callback);
    for (int i = 0; i < POSITIONS && !lua_istable(L, first); i++)
        if (!lua_isnil(L, first + i))
            spf_lua_take(&reading, &options[i], first + i);
    if (!making.has_ip) {
        lua_pushnil(L);
        spf_lua_take(&reading, &options[0], lua_gettop(L));
    }
    return making.wants_trace;
}

/* ------------------------------------------------------------------------------------------------------ the kind */

static void called_back(spf_check_t *check, spf_err_t err, void *user_data)
{
    (void)check;
    spf_lua_ended(user_data, err);
}

static spf_err_t start_job(spf_lua_job_t *job)
{
    return spf_check_start(job->subject, called_back, job);
}

static spf_err_t run_check(void *check)
{
    return spf_check_run(check);
}

/* The record is kept as it was published and as its terms, and the trace tells of each of them. */
static size_t more_octets(const void *check, bool has_trace)
{
    enum { TIMES = 4, TIMES_WITH_TRACE = 13 };

    return spf_check_verdict(check)->record_length * (has_trace ? TIMES_WITH_TRACE : TIMES);
}

static void cancel_check(void *check)
{
    spf_check_cancel(check);
}

static void free_check(void *check)
{
    spf_check_free(check);
}

static const char *check_error(const void *check)
{
    return spf_check_error(check);
}

const spf_lua_kind_t spf_lua_check = {
    .name = "check",
    .result = SPF_LUA_RESULT,
    .octets = 6000,
    .positions = POSITIONS,
    .read = read_arguments,
    .start = start_job,
    .run = run_check,
    .more_octets = more_octets,
    .cancel = cancel_check,
    .free = free_check,
    .error = check_error,
};

/* ------------------------------------------------------------------------------------------------------ functions */

static int run(lua_State *L)
{
    spf_lua_to_context(L, "check");
    spf_lua_run(L, &spf_lua_check, "check", SPF_LUA_SELF + 1);
    return 1;
}

static int start(lua_State *L)
{
    spf_lua_to_context(L, "start");
    spf_lua_start(L, &spf_lua_check, "start", SPF_LUA_SELF + 1);
    return 1;
}

const luaL_Reg spf_lua_check_functions[] = {{"check", run}, {"start", start}, {NULL, NULL}};
