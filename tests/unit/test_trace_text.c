/* SPDX-License-Identifier: MIT */
/* The trace as people read it. */
#include "report/report.h"
#include "unit/evaluation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    evaluation_input_t input;
    const char *text;
} rows[] = {
    {{.zone = "example.com TXT v=spf1 a include:_spf.example.net -all\n"
              "_spf.example.net TXT v=spf1 mx ip4:198.51.100.0/24 ~all\n"
              "_spf.example.net MX 10 mx1.example.net\n"
              "mx1.example.net A 198.51.100.1\n"},
     "example.com: v=spf1 a include:_spf.example.net -all\n"
     "  a -> example.com (no data): no match [lookups 1, void 1]\n"
     "  include:_spf.example.net -> _spf.example.net: no match [lookups 3, void 1]\n"
     "  _spf.example.net: v=spf1 mx ip4:198.51.100.0/24 ~all\n"
     "    mx -> _spf.example.net (mx1.example.net): no match [lookups 3, void 1]\n"
     "    ip4:198.51.100.0/24: no match\n"
     "    ~all: match\n"
     "  -all: match"},
    {{.zone = "example.com TXT hello\n"}, "example.com: none (no v=spf1 record)"},
    {{.zone = "example.com TXT SERVFAIL\n"}, "example.com: temperror (SERVFAIL)"},
    {{.zone = "example.com TXT v=spf1\nexample.com TXT v=spf1 -all\n"},
     "example.com: permerror (several v=spf1 records)"},
    {{.zone = "example.com TXT v=spf1 exists:%{i}.example.net redirect=_spf.example.net\n"
              "192.0.2.7.example.net A SERVFAIL\n"},
     "example.com: v=spf1 exists:%{i}.example.net redirect=_spf.example.net\n"
     "  exists:%{i}.example.net -> 192.0.2.7.example.net (SERVFAIL): temperror [lookups 1, void 0]"},
};

static void steps_are_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        evaluation_input_t input = rows[i].input;
        evaluation_t evaluation;
        const char *text;

        input.ip = "192.0.2.7";
        input.sender = "ann@example.com";
        input.helo = "mail.example.com";
        evaluation_run(&evaluation, &input);
        text = spf_report_trace_text(&evaluation.arena, evaluation.eval);
        assert_non_null(text);
        assert_string_equal(text, rows[i].text);
        evaluation_free(&evaluation);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(steps_are_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
