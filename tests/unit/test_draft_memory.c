/* SPDX-License-Identifier: MIT */
/* Compose, flatten and drafts when the n-th allocation fails, for every n: what is made is whole, or nothing is. */
#include "tools/flatten.h"
#include "unit/failing_memory.h"
#include "unit/walking.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* All that can be written of a draft; SPF_ENOMEM if some of it is missing. */
static spf_err_t write_all(spf_draft_t *draft, const char *expected)
{
    const char *texts[] = {spf_draft_zone(draft, 300), spf_draft_json(draft),
                           spf_draft_nsupdate(draft, 0, "a.example", "127.0.0.1@53")};

    assert_string_equal(spf_draft_record(draft, 0)->text, expected);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i] == NULL)
            return SPF_ENOMEM;
    return SPF_OK;
}

static spf_err_t compose(void *argument)
{
    static const char *const senders[] = {"192.0.2.1",
                                          "mx",
                                          "mail.a.example",
                                          "2001:db8::/32",
                                          "v=spf1 -ip4:10.0.0.1 ip4:10.0.0.0/24 exp=why.%{d} a:%{l}.b.example ?all",
                                          "\"v=spf1 \" \"redirect=b.example\"",
                                          "v=spf1 ~mx ?ip4:10.0.0.0/30 -ip4:10.0.0.2 exp=x.b.example x=y ~all"};
    static const spf_compose_options_t options = {.size = sizeof options,
                                                  .domain = "a.example",
                                                  .senders = senders,
                                                  .sender_count = sizeof senders / sizeof senders[0]};
    spf_draft_t *draft;
    char error[256];
    spf_err_t err = spf_compose(&draft, &options, error, sizeof error);

    (void)argument;
    assert_string_equal(error, err == SPF_OK ? "" : spf_strerror(err));
    if (err == SPF_OK)
        err = write_all(draft, "v=spf1 ip4:192.0.2.1 ip6:2001:db8::/32 a:mail.a.example mx -ip4:10.0.0.1 "
                               "ip4:10.0.0.0/24 a:%{l}.b.example include:b.example exp=why.%{d} x=y ~all");
    spf_draft_free(draft);
    return err;
}

static spf_err_t refused(void *argument)
{
    static const char *const senders[] = {"192.0.2.1", "v=spf1 ip4:1 -all"};
    static const spf_compose_options_t options = {.size = sizeof options, .senders = senders, .sender_count = 2};
    spf_draft_t *draft;
    spf_err_t err = spf_compose(&draft, &options, NULL, 0);

    (void)argument;
    assert_null(draft);
    return err == SPF_EINVAL ? SPF_OK : err;
}

static const char zone_lines[] =
    "a.example TXT v=spf1 ip4:192.0.2.0/31 include:b.example exists:%{i}.%{d} include:k.example -ip4:192.0.2.9 "
    "redirect=c.example\n"
    "a.example TXT other text\n"
    "b.example TXT v=spf1 -ip4:192.0.2.2 mx ip4:192.0.2.2/31 ?all\n"
    "b.example MX 1 m.example\nm.example A 192.0.2.2\nm.example AAAA 2001:db8::1\n"
    "c.example TXT v=spf1 exists:%{l}.%{d} exp=why.%{d} -all\n"
    "k.example TXT v=spf1 ip4:198.51.100.1 -all\n";

static spf_err_t flatten(void *argument)
{
    static const char *const keep[] = {"k.example", "n.example"};
    static const spf_flatten_options_t options = {
        .size = sizeof options, .keep = keep, .keep_count = 2, .answer_max = 200};
    char storage[512];
    spf_buf_t error;
    spf_draft_t *draft;

    spf_buf_init(&error, storage, sizeof storage);
    spf_err_t err = spf_flatten(&draft, argument, &options, &error);
    assert_int_not_equal(err, SPF_EINVAL);
    if (err == SPF_OK)
        err = write_all(draft, "v=spf1 include:_spf1.a.example exists:%{i}.%{d} include:k.example -ip4:192.0.2.9 "
                               "exists:%{l}.c.example exp=why.c.example -all");
    spf_draft_free(draft);
    return err;
}

static spf_err_t flatten_in_parts(void *argument)
{
    static const spf_flatten_options_t options = {.size = sizeof options, .answer_max = 130};
    char storage[512];
    spf_buf_t error;
    spf_draft_t *draft;

    spf_buf_init(&error, storage, sizeof storage);
    spf_err_t err = spf_flatten(&draft, argument, &options, &error);
    assert_int_not_equal(err, SPF_EINVAL);
    if (err == SPF_OK)
        err = write_all(draft, "v=spf1 include:_spf1.a.example exists:%{l}.b.example exp=why.b.example -all");
    spf_draft_free(draft);
    return err;
}

static void run_flatten(const char *lines, spf_err_t (*run)(void *argument))
{
    zone_t *zone = zone_new();
    walking_t walking;

    zone_add_lines(zone, lines);
    assert_true(walking_run(&walking, &(walking_input_t){.zone = zone, .domain = "a.example"}));
    failing_memory_run(run, walking.tree, false);
    walking_free(&walking);
    zone_free(zone);
}

static void compose_is_whole_or_not_there(void **state)
{
    (void)state;
    failing_memory_run(compose, NULL, false);
    failing_memory_run(refused, NULL, true); /* what is wrong may be told instead */
}

static void flatten_is_whole_or_not_there(void **state)
{
    (void)state;
    run_flatten(zone_lines, flatten);
    run_flatten("a.example TXT v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/24 ip6:2001:db8::/32 "
                "redirect=b.example\n"
                "b.example TXT v=spf1 exists:%{l}.%{d} exp=why.%{d} -all\n",
                flatten_in_parts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compose_is_whole_or_not_there),
        cmocka_unit_test(flatten_is_whole_or_not_there),
    };
    json_set_alloc_funcs(__wrap_malloc, __wrap_free);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
