/* SPDX-License-Identifier: MIT */
/* What header fields, as many kinds of software write them, tell of an SPF check. */
#include "spf_tools.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Text, and the check that it tells of: result, ip, sender, helo, receiver; NULL: it does not say. */
static const struct {
    const char *text;
    const char *result, *ip, *sender, *helo, *receiver;
    spf_identity_t identity;
} rows[] = {
    /* our own, folded */
    {"Received-SPF: fail (mx.example.org: 192.0.2.1 matched -all) client-ip=192.0.2.1;\r\n"
     "\tenvelope-from=\"ann@example.com\"; helo=mail.example.com;\r\n\treceiver=mx.example.org; identity=mailfrom\r\n",
     "fail", "192.0.2.1", "ann@example.com", "mail.example.com", "mx.example.org", SPF_IDENTITY_MAILFROM},
    /* the address in the comment alone */
    {"Received-SPF: softfail (mx.example.org: domain of transitioning bob@example.com does not designate 192.0.2.9 as "
     "permitted sender) client-ip=192.0.2.9;",
     "softfail", "192.0.2.9", "bob@example.com", NULL, NULL, SPF_IDENTITY_MAILFROM},
    {"Received-SPF: Pass (mx.example.org: domain of example.com designates 192.0.2.9 as permitted sender)\n"
     " receiver=mx.example.org; client-ip=192.0.2.9; helo=out.example.com; pr=C\n",
     "Pass", "192.0.2.9", "example.com", "out.example.com", "mx.example.org", SPF_IDENTITY_MAILFROM},
    {"Received-SPF: none (x) client-ip=2001:db8::1; helo=h.example; identity=helo;", "none", "2001:db8::1", NULL,
     "h.example", NULL, SPF_IDENTITY_HELO},
    /* values with an equals sign, brackets, quoted pairs, quoted local parts */
    {"Received-SPF: pass client-ip=[IPv6:2001:db8::1]; envelope-from=<prvs=12=ann@example.com>;", "pass", "2001:db8::1",
     "prvs=12=ann@example.com", NULL, NULL, SPF_IDENTITY_MAILFROM},
    {"Received-SPF: pass client-ip=192.0.2.1; envelope-from=\"\\\"a b\\\"@example.com\"; helo=\"x;result=fail\"",
     "pass", "192.0.2.1", "\"a b\"@example.com", "x;result=fail", NULL, SPF_IDENTITY_MAILFROM},
    {"Received-SPF: pass client-ip=192.0.2.1; envelope-from=\"a b\"@example.com;", "pass", "192.0.2.1",
     "\"a b\"@example.com", NULL, NULL, SPF_IDENTITY_MAILFROM},
    /* Authentication-Results: the spf method among others */
    {"Authentication-Results: mx.example.org; dkim=pass header.d=example.com; spf=softfail (sender IP is 192.0.2.7)\n"
     " smtp.mailfrom=example.com; dmarc=fail (p=none)",
     "softfail", "192.0.2.7", "example.com", NULL, "mx.example.org", SPF_IDENTITY_MAILFROM},
    {"Authentication-Results: mx.example.org 1; spf=hardfail smtp.mailfrom=ann@example.com", "hardfail", NULL,
     "ann@example.com", NULL, "mx.example.org", SPF_IDENTITY_MAILFROM},
    {"Authentication-Results: mx.example.org; spf=pass smtp.helo=mail.example.com", "pass", NULL, NULL,
     "mail.example.com", "mx.example.org", SPF_IDENTITY_HELO},
    {"Authentication-Results: mx.example.org; none", NULL, NULL, NULL, NULL, NULL, SPF_IDENTITY_MAILFROM},
    /* the Postfix policy server's, with all of it in a second comment */
    {"Authentication-Results: mx.example.org; spf=Pass (sender SPF authorized) smtp.mailfrom=example.com\n"
     " (client-ip=192.0.2.7; helo=out.example.com; envelope-from=ann@example.com; receiver=bob@example.org)",
     "Pass", "192.0.2.7", "ann@example.com", "out.example.com", "mx.example.org", SPF_IDENTITY_MAILFROM},
    /* what a comment says gives way to what the field itself says */
    {"Received-SPF: pass (x client-ip=203.0.113.66; helo=forged.example; envelope-from=eve@example.net)\n"
     " client-ip=192.0.2.7; helo=out.example.com; envelope-from=ann@example.com",
     "pass", "192.0.2.7", "ann@example.com", "out.example.com", NULL, SPF_IDENTITY_MAILFROM},
    /* Exim and Fastmail, RFC 8601: another method tells the client */
    {"Authentication-Results: mx.example.org; iprev=pass (out.example.com) smtp.remote-ip=192.0.2.7;\n"
     " spf=pass smtp.mailfrom=example.com",
     "pass", "192.0.2.7", "example.com", NULL, "mx.example.org", SPF_IDENTITY_MAILFROM},
    {"Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=example.com;\n"
     " iprev=pass policy.iprev=\"2001:db8::7\" (out.example.com)",
     "pass", "2001:db8::7", "example.com", NULL, "mx.example.org", SPF_IDENTITY_MAILFROM},
    /* Gmail: senders with "=", and where it found nothing */
    {"Received-SPF: pass (google.com: domain of srs0=x=y=example.com=ann@example.net designates 192.0.2.7 as permitted "
     "sender) client-ip=192.0.2.7;",
     "pass", "192.0.2.7", "srs0=x=y=example.com=ann@example.net", NULL, NULL, SPF_IDENTITY_MAILFROM},
    {"Received-SPF: temperror (google.com: error in processing during lookup of ann@example.com: DNS error) "
     "client-ip=192.0.2.7;",
     "temperror", "192.0.2.7", "ann@example.com", NULL, NULL, SPF_IDENTITY_MAILFROM},
    {"Received-SPF: none (google.com: ann@example.com does not designate permitted sender hosts) client-ip=192.0.2.7;",
     "none", "192.0.2.7", "ann@example.com", NULL, NULL, SPF_IDENTITY_MAILFROM},
    {"Received-SPF: fail (192.0.2.7 does not match) client-ip=192.0.2.7;", "fail", "192.0.2.7", NULL, NULL, NULL,
     SPF_IDENTITY_MAILFROM},
    {"Authentication-Results: mx.google.com; spf=pass smtp.mail=ann@example.com", "pass", NULL, "ann@example.com", NULL,
     "mx.google.com", SPF_IDENTITY_MAILFROM},
    /* ARC counts where there is nothing else, and lends nothing otherwise */
    {"ARC-Authentication-Results: i=1; mx.google.com; spf=pass (google.com: domain of ann@example.com designates "
     "192.0.2.7 as permitted sender) smtp.mailfrom=ann@example.com",
     "pass", "192.0.2.7", "ann@example.com", NULL, "mx.google.com", SPF_IDENTITY_MAILFROM},
    {"ARC-Authentication-Results: i=1; mx.example.net; spf=pass smtp.mailfrom=ann@example.com "
     "smtp.remote-ip=192.0.2.7\n"
     "Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=example.com\n",
     "pass", NULL, "example.com", NULL, "mx.example.org", SPF_IDENTITY_MAILFROM},
    /* what an editor puts before a text */
    {"\xef\xbb\xbfReceived-SPF: pass client-ip=192.0.2.7; envelope-from=ann@example.com", "pass", "192.0.2.7",
     "ann@example.com", NULL, NULL, SPF_IDENTITY_MAILFROM},
    /* what stands in quotes or comments is no result */
    {"Authentication-Results: mx.example.org; dkim=fail reason=\"a; spf=pass\" (b; spf=pass) header.d=x.example", NULL,
     NULL, NULL, NULL, NULL, SPF_IDENTITY_MAILFROM},
    /* the body of a field alone */
    {"neutral (x) client-ip=192.0.2.3; envelope-from=c@example.com", "neutral", "192.0.2.3", "c@example.com", NULL,
     NULL, SPF_IDENTITY_MAILFROM},
    {"  spf=fail smtp.mailfrom=c@example.com", "fail", NULL, "c@example.com", NULL, NULL, SPF_IDENTITY_MAILFROM},
    /* two fields about one check */
    {"Authentication-Results: mx.example.org; spf=fail smtp.mailfrom=example.com\n"
     "Received-SPF: fail client-ip=192.0.2.4; envelope-from=dora@example.com; helo=h.example.com\n",
     "fail", "192.0.2.4", "dora@example.com", "h.example.com", "mx.example.org", SPF_IDENTITY_MAILFROM},
    /* two checks: the upper one counts, and the lower one lends it nothing */
    {"Received-SPF: pass client-ip=192.0.2.4; envelope-from=dora@example.com\n"
     "Received-SPF: fail client-ip=192.0.2.5; envelope-from=eve@example.net; helo=h.example.net\n",
     "pass", "192.0.2.4", "dora@example.com", NULL, NULL, SPF_IDENTITY_MAILFROM},
    /* the client from the nearest Received field that has one from outside */
    {"Return-Path: <ann@example.com>\nReceived: from localhost (localhost [127.0.0.1]) by mx.example.org; now\n"
     "Authentication-Results: mx.example.org; spf=fail smtp.mailfrom=example.com\n"
     "Received: from out.example.com (rdns.example.com [192.0.2.6])\n\tby mx.example.org with ESMTP; now\n"
     "Received: from deeper.example.com ([198.51.100.1]) by out.example.com; now\nSubject: x\n\n"
     "Received-SPF: pass client-ip=203.0.113.1\n",
     "fail", "192.0.2.6", "ann@example.com", "out.example.com", "mx.example.org", SPF_IDENTITY_MAILFROM},
    /* no SPF field at all */
    {"From ann@example.com Sat Nov 21 2026\nReturn-Path: <>\nReceived: from unknown (HELO h.example) (192.0.2.8)\n"
     "  by mx.example.org with SMTP; now\n",
     NULL, "192.0.2.8", "", "h.example", "mx.example.org", SPF_IDENTITY_MAILFROM},
    {"Received: from [192.0.2.8] (helo=h.example) by mx.example.org with esmtp (Exim)", NULL, "192.0.2.8", NULL,
     "h.example", "mx.example.org", SPF_IDENTITY_MAILFROM},
    {"Received: from h.example ([IPv6:2001:db8::8]) by mx.example.org", NULL, "2001:db8::8", NULL, "h.example",
     "mx.example.org", SPF_IDENTITY_MAILFROM},
    /* controls stay out */
    {"Received-SPF: fail client-ip=192.0.2.1; envelope-from=\"a\x1b[2J\x01@example.com\"", "fail", "192.0.2.1",
     "a?[2J?@example.com", NULL, NULL, SPF_IDENTITY_MAILFROM},
};

static void assert_text(const char *text, const char *expected, const char *what, const char *input)
{
    if (text == NULL && expected == NULL)
        return;
    if (text == NULL || expected == NULL || strcmp(text, expected) != 0)
        fail_msg("%s: got %s, not %s, in: %s", what, text != NULL ? text : "(none)",
                 expected != NULL ? expected : "(none)", input);
}

static void every_field_tells_its_check(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const spf_evidence_item_t nothing = {0}, *check;
        spf_evidence_t *evidence;

        assert_int_equal(spf_evidence_new(&evidence, rows[i].text, SPF_STRLEN), SPF_OK);
        check = spf_evidence_check(evidence);
        if (check == NULL)
            check = &nothing;
        assert_text(check->result, rows[i].result, "result", rows[i].text);
        assert_text(check->ip, rows[i].ip, "ip", rows[i].text);
        assert_text(check->sender, rows[i].sender, "sender", rows[i].text);
        assert_text(check->helo, rows[i].helo, "helo", rows[i].text);
        assert_text(check->receiver, rows[i].receiver, "receiver", rows[i].text);
        assert_int_equal(check->identity, rows[i].identity);
        assert_int_equal(check->has_result, rows[i].result != NULL);
        spf_evidence_free(evidence);
    }
}

static void old_words_are_results(void **state)
{
    static const struct {
        const char *text;
        spf_result_t value;
    } words[] = {{"Received-SPF: unknown (x)", SPF_RESULT_PERMERROR},
                 {"Received-SPF: ERROR (x)", SPF_RESULT_TEMPERROR},
                 {"Authentication-Results: a; spf=hardfail", SPF_RESULT_FAIL}};

    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        spf_evidence_t *evidence;

        assert_int_equal(spf_evidence_new(&evidence, words[i].text, SPF_STRLEN), SPF_OK);
        assert_true(spf_evidence_check(evidence)->has_result);
        assert_int_equal(spf_evidence_check(evidence)->value, words[i].value);
        spf_evidence_free(evidence);
    }
}

static void items_know_their_place(void **state)
{
    static const char text[] = "\n X: y\nReceived-SPF: fail (a)\r\n\tb\r\nTo: z\r\nReceived-SPF: pass (c)\r\n";
    spf_evidence_t *evidence;
    const spf_evidence_item_t *item;

    (void)state;
    assert_int_equal(spf_evidence_new(&evidence, text, sizeof text - 1), SPF_OK);
    item = spf_evidence_item(evidence, 0);
    assert_int_equal(item->length, strlen("Received-SPF: fail (a)\r\n\tb"));
    assert_memory_equal(text + item->offset, "Received-SPF: fail", 18);
    item = spf_evidence_item(evidence, 1);
    assert_memory_equal(text + item->offset, "Received-SPF: pass (c)", item->length);
    assert_null(spf_evidence_item(evidence, 2));
    spf_evidence_free(evidence);
    spf_evidence_free(NULL);
}

static void many_fields_are_bounded(void **state)
{
    static const char field[] = "Received-SPF: fail\n";
    const size_t count = 5000;
    char *text = malloc(count * (sizeof field - 1));
    spf_evidence_t *evidence;
    size_t found = 0;

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * (sizeof field - 1), field, sizeof field - 1);
    assert_int_equal(spf_evidence_new(&evidence, text, count * (sizeof field - 1)), SPF_OK);
    while (spf_evidence_item(evidence, found) != NULL)
        found++;
    assert_int_equal(found, 256);
    spf_evidence_free(evidence);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_tells_its_check),
        cmocka_unit_test(old_words_are_results),
        cmocka_unit_test(items_know_their_place),
        cmocka_unit_test(many_fields_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
