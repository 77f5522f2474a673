/* SPDX-License-Identifier: MIT */
/* Every cause has its sentence; so has, for a match, every mechanism and every result. */
#include "report/report.h"
#include "unit/evaluation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct sentence {
    spf_cause_t cause;
    evaluation_input_t input;
    const char *reason;
} sentence_t;

static void check(const sentence_t *sentence)
{
    evaluation_t evaluation;
    const char *reason;

    evaluation_run(&evaluation, &sentence->input);
    reason = spf_report_reason(&evaluation.arena, &evaluation.question, evaluation.eval);
    assert_string_equal(reason, sentence->reason);
    assert_string_equal(spf_cause_name(spf_eval_finding(evaluation.eval)->cause), spf_cause_name(sentence->cause));
    evaluation_free(&evaluation);
}
/* SPF_CAUSE_MATCH: each mechanism, then each result of a qualifier, and of all. */
static const sentence_t matches[] = {
    {SPF_CAUSE_MATCH,
     {.zone = "example.com TXT v=spf1 ip4:192.0.2.0/24 -all\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "192.0.2.7 matches ip4:192.0.2.0/24 at offset 7 of example.com's record"},
    {SPF_CAUSE_MATCH,
     {.zone = "example.com TXT v=spf1 ip6:2001:db8::/32 -all\n",
      .ip = "2001:db8::1",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "2001:db8::1 matches ip6:2001:db8::/32 at offset 7 of example.com's record"},
    {SPF_CAUSE_MATCH,
     {.zone = "example.com TXT v=spf1 a:mail.example.com/28 -all\n"
              "mail.example.com A 192.0.2.1\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "192.0.2.7 matches a:mail.example.com/28 at offset 7 of example.com's record, by an address of "
     "mail.example.com"},
    {SPF_CAUSE_MATCH,
     {.zone = "example.com TXT v=spf1 mx -all\n"
              "example.com MX 10 mx1.example.com\n"
              "mx1.example.com A 192.0.2.7\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "192.0.2.7 matches mx at offset 7 of example.com's record, by an address of example.com's mail exchanger "
     "mx1.example.com"},
    {SPF_CAUSE_MATCH,
     {.zone = "example.com TXT v=spf1 ptr -all\n"
              "7.2.0.192.in-addr.arpa PTR host.example.com\n"
              "host.example.com A 192.0.2.7\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "192.0.2.7 matches ptr at offset 7 of example.com's record, by its validated host name host.example.com"},
    {SPF_CAUSE_MATCH,
     {.zone = "example.com TXT v=spf1 exists:%{i}.ok.example.com -all\n"
              "192.0.2.7.ok.example.com A 127.0.0.2\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "192.0.2.7 matches exists:%{i}.ok.example.com at offset 7 of example.com's record, for "
     "192.0.2.7.ok.example.com exists"},
    {SPF_CAUSE_MATCH,
     {.zone = "example.com TXT v=spf1 mx +all\n"
              "example.com MX 10 mx1.example.com\n"
              "mx1.example.com A 192.0.2.1\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "+all at offset 10 of example.com's record permits every client, 192.0.2.7 too"},
    {SPF_CAUSE_MATCH,
     {.zone = "example.com TXT v=spf1 include:_spf.example.net -all\n"
              "_spf.example.net TXT v=spf1 a:a.example.net ip4:192.0.2.0/25 -all\n"
              "a.example.net A 198.51.100.1\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "192.0.2.7 matches ip4:192.0.2.0/25 at offset 23 of _spf.example.net's record, included by "
     "include:_spf.example.net at offset 7 of example.com's record"},
    {SPF_CAUSE_MATCH,
     {.zone = "example.com TXT v=spf1 redirect=_spf.example.net\n"
              "_spf.example.net TXT v=spf1 ip4:192.0.2.0/24 -all\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "192.0.2.7 matches ip4:192.0.2.0/24 at offset 7 of _spf.example.net's record; the record of example.com "
     "leads there"},
    {SPF_CAUSE_MATCH,
     {.zone = "example.com TXT v=spf1 -ip4:192.0.2.0/24 +all\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "192.0.2.7 matches -ip4:192.0.2.0/24 at offset 7 of example.com's record, whose qualifier says fail: not "
     "permitted"},
    {SPF_CAUSE_MATCH,
     {.zone = "example.com TXT v=spf1 ~ip4:192.0.2.0/24 +all\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "192.0.2.7 matches ~ip4:192.0.2.0/24 at offset 7 of example.com's record, whose qualifier says softfail: "
     "probably not permitted"},
    {SPF_CAUSE_MATCH,
     {.zone = "example.com TXT v=spf1 ?ip4:192.0.2.0/24 +all\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "192.0.2.7 matches ?ip4:192.0.2.0/24 at offset 7 of example.com's record, whose qualifier says neutral: "
     "neither permitted nor denied"},
    {SPF_CAUSE_MATCH,
     {.zone = "example.com TXT v=spf1 -include:_spf.example.net +all\n"
              "_spf.example.net TXT v=spf1 ip4:192.0.2.0/25\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "192.0.2.7 matches ip4:192.0.2.0/25 at offset 7 of _spf.example.net's record, included by "
     "-include:_spf.example.net at offset 7 of example.com's record, whose qualifier says fail: not permitted"},
    {SPF_CAUSE_MATCH,
     {.zone = "example.com TXT v=spf1 exp=e.example.com a -all\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "no term of example.com's record before -all at offset 27 matches 192.0.2.7; -all says fail"},
    {SPF_CAUSE_MATCH,
     {.zone = "example.com TXT v=spf1 -all\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "-all at offset 7 of example.com's record is its first term and says fail to every client"},
    {SPF_CAUSE_MATCH,
     {.zone = "example.com TXT v=spf1 ip4:198.51.100.0/24 -all\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "192.0.2.7 is not in the one network example.com lists; -all at offset 27 says fail"},
    {SPF_CAUSE_MATCH,
     {.zone = "example.com TXT v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.0/24 a ~all\n"
              "example.com A 192.0.2.1\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "192.0.2.7 is in none of the 3 networks example.com lists; ~all at offset 48 says softfail"},
    {SPF_CAUSE_MATCH,
     {.zone = "example.com TXT v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.0/24 ?all\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "192.0.2.7 is in none of the 2 networks example.com lists; ?all at offset 46 says neutral"},
    {SPF_CAUSE_MATCH,
     {.zone = "example.com TXT v=spf1 redirect=_spf.example.net\n"
              "_spf.example.net TXT v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.0/24 -all\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "192.0.2.7 is in none of the 2 networks _spf.example.net lists; -all at offset 46 says fail; the record "
     "of example.com leads there"},
};

/* Everything else. */
static const sentence_t causes[] = {
    {SPF_CAUSE_BAD_DOMAIN,
     {.zone = "example.com A 192.0.2.1\n", .ip = "192.0.2.7", .sender = "ann@localhost", .helo = "mail.example.com"},
     "there is no domain to check: the domain of the sender \"ann@localhost\" has a single label"},
    {SPF_CAUSE_BAD_DOMAIN,
     {.zone = "example.com A 192.0.2.1\n", .ip = "192.0.2.7", .sender = "ann@[192.0.2.1]", .helo = "mail.example.com"},
     "there is no domain to check: the domain of the sender \"ann@[192.0.2.1]\" is an address literal"},
    {SPF_CAUSE_BAD_DOMAIN,
     {.zone = "example.com A 192.0.2.1\n", .ip = "192.0.2.7", .sender = "ann@192.0.2.1", .helo = "mail.example.com"},
     "there is no domain to check: the domain of the sender \"ann@192.0.2.1\" ends in a label of digits only, "
     "as an address does"},
    {SPF_CAUSE_BAD_DOMAIN,
     {.zone = "example.com A 192.0.2.1\n", .ip = "192.0.2.7", .sender = "ann@example..com", .helo = "mail.example.com"},
     "there is no domain to check: the domain of the sender \"ann@example..com\" has an empty label"},
    {SPF_CAUSE_BAD_DOMAIN,
     {.zone = "example.com A 192.0.2.1\n", .ip = "192.0.2.7", .sender = "ann@", .helo = "mail.example.com"},
     "there is no domain to check: the domain of the sender \"ann@\" is empty"},
    {SPF_CAUSE_BAD_DOMAIN,
     {.zone = "example.com A 192.0.2.1\n", .ip = "192.0.2.7", .sender = NULL, .helo = ""},
     "there is no domain to check: the client gave no HELO name"},
    {SPF_CAUSE_BAD_DOMAIN,
     {.zone = "example.com A 192.0.2.1\n", .ip = "192.0.2.7", .sender = NULL, .helo = "[192.0.2.7]"},
     "there is no domain to check: the HELO name \"[192.0.2.7]\" is an address literal"},
    {SPF_CAUSE_BAD_DOMAIN,
     {.zone = "example.com A 192.0.2.1\n", .ip = "192.0.2.7", .sender = NULL, .helo = "mail"},
     "there is no domain to check: the HELO name \"mail\" has a single label"},
    {SPF_CAUSE_NO_DOMAIN,
     {.zone = "example.net A 192.0.2.1\n", .ip = "192.0.2.7", .sender = "ann@example.com", .helo = "mail.example.com"},
     "example.com does not exist (NXDOMAIN), so it has no SPF record"},
    {SPF_CAUSE_NO_RECORD,
     {.zone = "example.com A 192.0.2.1\n", .ip = "192.0.2.7", .sender = "ann@example.com", .helo = "mail.example.com"},
     "example.com publishes no SPF record: it has no TXT record at all"},
    {SPF_CAUSE_NO_RECORD,
     {.zone = "example.com TXT v=spf10\n", .ip = "192.0.2.7", .sender = "ann@example.com", .helo = "mail.example.com"},
     "example.com publishes no SPF record: none of its TXT records begins with v=spf1"},
    {SPF_CAUSE_DEFAULT,
     {.zone = "example.com TXT v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.0/24\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "192.0.2.7 is in none of the 2 networks example.com lists, and its record ends without all or redirect, "
     "which means neutral"},
    {SPF_CAUSE_DEFAULT,
     {.zone = "example.com TXT v=spf1 ip4:198.51.100.0/24\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "192.0.2.7 is not in the one network example.com lists, and its record ends without all or redirect, "
     "which means neutral"},
    {SPF_CAUSE_DEFAULT,
     {.zone = "example.com TXT v=spf1\n", .ip = "192.0.2.7", .sender = "ann@example.com", .helo = "mail.example.com"},
     "no term of example.com's record matches 192.0.2.7, and it ends without all or redirect, which means "
     "neutral"},
    {SPF_CAUSE_SEVERAL_RECORDS,
     {.zone = "example.com TXT v=spf1 -all\n"
              "example.com TXT v=spf1 +all\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "two v=spf1 records at example.com; RFC 7208 section 4.5 allows one"},
    {SPF_CAUSE_SEVERAL_RECORDS,
     {.zone = "example.com TXT v=spf1 include:x.example.net\n"
              "x.example.net TXT v=spf1 -all\n"
              "x.example.net TXT v=spf1 +all\n"
              "x.example.net TXT v=spf1 ?all\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "three v=spf1 records at x.example.net, which include:x.example.net at offset 7 of example.com's record "
     "needs; RFC 7208 section 4.5 allows one"},
    {SPF_CAUSE_SYNTAX,
     {.zone = "example.com TXT v=spf1 ip4:1.2.3/24 -all\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "syntax error at offset 11 of example.com's record, in \"ip4:1.2.3/24\": expected an IPv4 address of "
     "four numbers from 0 to 255 without leading zeros"},
    {SPF_CAUSE_SYNTAX,
     {.zone = "example.com TXT v=spf1 include:x.example.net -all\n"
              "x.example.net TXT v=spf1 foo:bar -all\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "syntax error at offset 7 of x.example.net's record, in \"foo:bar\": unknown mechanism; expected all, "
     "include, a, mx, ptr, ip4, ip6 or exists; the record of example.com leads there"},
    {SPF_CAUSE_LOOKUP_LIMIT,
     {.zone = "example.com TXT v=spf1 a:a0.example.com a:a1.example.com a:a2.example.com a:a3.example.com "
              "a:a4.example.com a:a5.example.com a:a6.example.com a:a7.example.com a:a8.example.com a:a9.example.com "
              "include:spf.example.net -all\n"
              "a0.example.com A 198.51.100.0\n"
              "a1.example.com A 198.51.100.1\n"
              "a2.example.com A 198.51.100.2\n"
              "a3.example.com A 198.51.100.3\n"
              "a4.example.com A 198.51.100.4\n"
              "a5.example.com A 198.51.100.5\n"
              "a6.example.com A 198.51.100.6\n"
              "a7.example.com A 198.51.100.7\n"
              "a8.example.com A 198.51.100.8\n"
              "a9.example.com A 198.51.100.9\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "include:spf.example.net at offset 177 of example.com's record is the 11th term that needs DNS; RFC 7208 "
     "allows 10 (terms used: a:a0.example.com a:a1.example.com a:a2.example.com a:a3.example.com "
     "a:a4.example.com a:a5.example.com a:a6.example.com a:a7.example.com a:a8.example.com a:a9.example.com)"},
    {SPF_CAUSE_LOOKUP_LIMIT,
     {.zone = "example.com TXT v=spf1 a mx include:spf.example.net -all\n"
              "example.com A 198.51.100.1\n"
              "example.com MX 10 example.com\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com",
      .lookups = 2},
     "include:spf.example.net at offset 12 of example.com's record is the 3rd term that needs DNS; this "
     "server allows 2 (terms used: a mx)"},
    {SPF_CAUSE_LOOKUP_LIMIT,
     {.zone = "example.com TXT v=spf1 redirect=_spf.example.net\n"
              "_spf.example.net TXT v=spf1 mx -all\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com",
      .lookups = 1},
     "mx at offset 7 of _spf.example.net's record is the 2nd term that needs DNS; this server allows 1 (terms "
     "used: redirect=_spf.example.net); the record of example.com leads there"},
    {SPF_CAUSE_VOID_LIMIT,
     {.zone = "example.com TXT v=spf1 a:x.example.com mx exists:%{i}.example.com -all\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "exists:%{i}.example.com at offset 26 of example.com's record is the 3rd void lookup; RFC 7208 allows 2 "
     "(found nothing: a:x.example.com, mx asked for example.com, exists:%{i}.example.com asked for "
     "192.0.2.7.example.com)"},
    {SPF_CAUSE_VOID_LIMIT,
     {.zone = "example.com TXT v=spf1 a:x.example.com mx -all\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com",
      .void_lookups = 1},
     "mx at offset 23 of example.com's record is the 2nd void lookup; this server allows 1 (found nothing: "
     "a:x.example.com, mx asked for example.com)"},
    {SPF_CAUSE_MX_LIMIT,
     {.zone = "example.com TXT v=spf1 mx -all\n"
              "example.com MX 10 m0.example.com\n"
              "example.com MX 10 m1.example.com\n"
              "example.com MX 10 m2.example.com\n"
              "example.com MX 10 m3.example.com\n"
              "example.com MX 10 m4.example.com\n"
              "example.com MX 10 m5.example.com\n"
              "example.com MX 10 m6.example.com\n"
              "example.com MX 10 m7.example.com\n"
              "example.com MX 10 m8.example.com\n"
              "example.com MX 10 m9.example.com\n"
              "example.com MX 10 m10.example.com\n"
              "example.com MX 10 m11.example.com\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "mx at offset 7 of example.com's record leads to 12 mail exchangers; RFC 7208 allows 10"},
    {SPF_CAUSE_MX_LIMIT,
     {.zone = "example.com TXT v=spf1 mx -all\n"
              "example.com MX 10 m0.example.com\n"
              "example.com MX 10 m1.example.com\n"
              "example.com MX 10 m2.example.com\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com",
      .mx_hosts = 2},
     "mx at offset 7 of example.com's record leads to 3 mail exchangers; this server allows 2"},
    {SPF_CAUSE_TARGET_NO_RECORD,
     {.zone = "example.com TXT v=spf1 include:x.example.net -all\n"
              "x.example.net A 192.0.2.1\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "include:x.example.net at offset 7 of example.com's record needs the SPF record of x.example.net, which "
     "publishes none; remove the term or publish one"},
    {SPF_CAUSE_TARGET_NO_RECORD,
     {.zone = "example.com TXT v=spf1 redirect=x.example.net\n"
              "x.example.net TXT hello\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "redirect=x.example.net at offset 7 of example.com's record needs the SPF record of x.example.net, which "
     "publishes none; remove the term or publish one"},
    {SPF_CAUSE_BAD_TARGET,
     {.zone = "example.com TXT v=spf1 include:%{l}.example.net -all\n",
      .ip = "192.0.2.7",
      .sender = "a..b@example.com",
      .helo = "mail.example.com"},
     "include:%{l}.example.net at offset 7 of example.com's record expands to no domain name that DNS can be "
     "asked for"},
    {SPF_CAUSE_DNS_TIMEOUT,
     {.zone = "example.com TXT TIMEOUT\n", .ip = "192.0.2.7", .sender = "ann@example.com", .helo = "mail.example.com"},
     "no answer in time for the TXT records of example.com"},
    {SPF_CAUSE_DNS_TIMEOUT,
     {.zone = "example.com TXT v=spf1 mx -all\n"
              "example.com MX 10 mx1.example.com\n"
              "mx1.example.com A TIMEOUT\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "no answer in time for the A records of mx1.example.com, which mx at offset 7 of example.com's record "
     "needs"},
    {SPF_CAUSE_DNS_ERROR,
     {.zone = "example.com TXT v=spf1 mx -all\n"
              "example.com MX SERVFAIL\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "SERVFAIL for the MX records of example.com, which mx at offset 7 of example.com's record needs"},
    {SPF_CAUSE_DNS_ERROR,
     {.zone = "example.com TXT v=spf1 redirect=x.example.net\n"
              "x.example.net TXT SERVFAIL\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "SERVFAIL for the TXT records of x.example.net, which redirect=x.example.net at offset 7 of "
     "example.com's record needs"},
    {SPF_CAUSE_DNS_ERROR,
     {.zone = "example.com TXT v=spf1 include:x.example.net\n"
              "x.example.net TXT v=spf1 a -all\n"
              "x.example.net AAAA SERVFAIL\n",
      .ip = "2001:db8::1",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "SERVFAIL for the AAAA records of x.example.net, which a at offset 7 of x.example.net's record needs; "
     "the record of example.com leads there"},
    {SPF_CAUSE_DNS_BOGUS,
     {.zone = "example.com TXT v=spf1 a -all\n"
              "example.com A BOGUS\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "DNSSEC validation failed for the A records of example.com, which a at offset 7 of example.com's record "
     "needs"},
    {SPF_CAUSE_DEADLINE,
     {.zone = "example.com TXT v=spf1 include:x.example.net -all\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com",
      .lost = "x.example.net"},
     "the time allowed for the whole check is over while waiting for the TXT records of x.example.net, which "
     "include:x.example.net at offset 7 of example.com's record needs"},
    {SPF_CAUSE_DEADLINE,
     {.zone = "example.com TXT v=spf1 -all\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com",
      .lost = "example.com"},
     "the time allowed for the whole check is over while waiting for the TXT records of example.com"},
    {SPF_CAUSE_BAD_DOMAIN,
     {.zone = "example.com A 192.0.2.1\n",
      .ip = "192.0.2.7",
      .sender = "ann@xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.example.com",
      .helo = "mail.example.com"},
     "there is no domain to check: the domain of the sender "
     "\"ann@xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.example.com\" is too long, or has a label "
     "that is too long or no valid international one"},
    {SPF_CAUSE_SEVERAL_RECORDS,
     {.zone = "example.com TXT v=spf1\nexample.com TXT v=spf1\nexample.com TXT v=spf1\nexample.com TXT v=spf1\n"
              "example.com TXT v=spf1\nexample.com TXT v=spf1\nexample.com TXT v=spf1\nexample.com TXT v=spf1\n"
              "example.com TXT v=spf1\nexample.com TXT v=spf1\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com"},
     "10 v=spf1 records at example.com; RFC 7208 section 4.5 allows one"},
    {SPF_CAUSE_VOID_LIMIT,
     {.zone = "example.com TXT v=spf1 a:y.example.com a:x.example.com mx -all\ny.example.com A 198.51.100.1\n",
      .ip = "192.0.2.7",
      .sender = "ann@example.com",
      .helo = "mail.example.com",
      .void_lookups = 1},
     "mx at offset 39 of example.com's record is the 2nd void lookup; this server allows 1 (found nothing: "
     "a:x.example.com, mx asked for example.com)"},
    {SPF_CAUSE_NO_DOMAIN,
     {.zone = "example.net A 192.0.2.1\n", .ip = "192.0.2.7", .sender = NULL, .helo = "mail.example.com"},
     "mail.example.com, the HELO name, does not exist (NXDOMAIN), so it has no SPF record"},
    {SPF_CAUSE_NO_RECORD,
     {.zone = "mail.example.com A 192.0.2.1\n", .ip = "192.0.2.7", .sender = NULL, .helo = "mail.example.com"},
     "mail.example.com, the HELO name, publishes no SPF record: it has no TXT record at all"},
};

static void matches_tell_the_term(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++)
        check(&matches[i]);
}

static void causes_have_sentences(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
        check(&causes[i]);
}

enum { REASON_MAX = 1000 };

/* The reason for a zone that has values of any length and any octets: bounded, clean, whole to its last word. */
static void check_bounds(const char *zone, spf_cause_t cause, const char *begin, const char *end)
{
    const evaluation_input_t input = {
        .zone = zone, .ip = "192.0.2.7", .sender = "ann@example.com", .helo = "mail.example.com"};
    evaluation_t evaluation;
    const char *reason;

    evaluation_run(&evaluation, &input);
    assert_int_equal(spf_eval_finding(evaluation.eval)->cause, cause);
    reason = spf_report_reason(&evaluation.arena, &evaluation.question, evaluation.eval);
    assert_in_range(strlen(reason), strlen(begin) + strlen(end), REASON_MAX);
    assert_memory_equal(reason, begin, strlen(begin));
    assert_string_equal(reason + strlen(reason) - strlen(end), end);
    for (const char *at = reason; *at != '\0'; at++)
        assert_true((unsigned char)*at >= ' ' && *at != 0x7f);
    evaluation_free(&evaluation);
}

/* "x...x" of count octets, as a label or several. */
static const char *labels(char *storage, size_t count)
{
    for (size_t i = 0; i < count; i++)
        storage[i] = i % 50 == 49 ? '.' : 'x';
    storage[count] = '\0';
    return storage;
}

static void long_lists_are_cut(void **state)
{
    char zone[16384], name[256];
    size_t length = (size_t)snprintf(zone, sizeof(zone),
                                     "example.com TXT v=spf1 redirect=%s.example.net\n%s.example.net TXT v=spf1",
                                     labels(name, 199), labels(name, 199));

    (void)state;
    for (unsigned i = 0; i < 10; i++)
        length += (size_t)snprintf(zone + length, sizeof(zone) - length, " a:%u.%s.example.org", i, labels(name, 199));
    length += (size_t)snprintf(zone + length, sizeof(zone) - length, " -all\n");
    for (unsigned i = 0; i < 10; i++)
        length += (size_t)snprintf(zone + length, sizeof(zone) - length, "%u.%s.example.org A 198.51.100.1\n", i,
                                   labels(name, 199));
    check_bounds(zone, SPF_CAUSE_LOOKUP_LIMIT, "a:9.xxx", " ...); the record of example.com leads there");
}

static void long_terms_lose_their_middle(void **state)
{
    char zone[8192], name[4096];

    (void)state;
    snprintf(zone, sizeof(zone), "example.com TXT v=spf1 ip4:%s.end -all\n", labels(name, 4000));
    check_bounds(zone, SPF_CAUSE_SYNTAX, "syntax error at offset 11 of example.com's record, in \"ip4:xxx",
                 "expected an IPv4 address of four numbers from 0 to 255 without leading zeros");
}

static void what_is_no_text_is_replaced(void **state)
{
    (void)state;
    check_bounds("example.com TXT v=spf1 a:\r\x1b\xff\x7f.example.com -all\n", SPF_CAUSE_SYNTAX,
                 "syntax error at offset 9 of example.com's record, in \"a:????.example.com\": ", "");
}

static void a_hostile_sender_is_replaced(void **state)
{
    const evaluation_input_t input = {.zone = "example.com A 192.0.2.1\n",
                                      .ip = "192.0.2.7",
                                      .sender = "a\r\nb\xff@local\"host",
                                      .helo = "mail.example.com"};
    const sentence_t sentence = {
        SPF_CAUSE_BAD_DOMAIN, input,
        "there is no domain to check: the domain of the sender \"a??b?@local\"host\" has a single label"};

    (void)state;
    check(&sentence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_tell_the_term),       cmocka_unit_test(causes_have_sentences),
        cmocka_unit_test(long_lists_are_cut),          cmocka_unit_test(long_terms_lose_their_middle),
        cmocka_unit_test(what_is_no_text_is_replaced), cmocka_unit_test(a_hostile_sender_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
