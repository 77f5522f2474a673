/* SPDX-License-Identifier: MIT */
/* What a result means and what can be done about it: tables of sentences, in which '%' and a letter stand for a fact.
 */
#include "report/advice.h"

#include "report/text.h"

#include <string.h>

enum { ADVICE_MAX = 4096, VALUE_MAX = 160 };

/* What the result says about the mail (RFC 7208 sections 2.6 and 8). */
static const char *const meanings[] = {
    [SPF_RESULT_NONE] = "Nothing is said about this mail: no SPF policy was found that applies to it.",
    [SPF_RESULT_NEUTRAL] =
        "%d says neither that %c may send mail for it nor that it may not; receivers treat the mail as "
        "if there were no policy.",
    [SPF_RESULT_PASS] = "%d permits %c to send mail for it.",
    [SPF_RESULT_FAIL] = "%d says that %c may not send mail for it; receivers may refuse the mail.",
    [SPF_RESULT_SOFTFAIL] = "%d says that %c probably may not send mail for it; receivers mostly accept such mail and "
                            "look at it more closely.",
    [SPF_RESULT_TEMPERROR] =
        "It could not be found out this time; receivers let the sender try again or accept the mail "
        "without an SPF result.",
    [SPF_RESULT_PERMERROR] =
        "What %d publishes cannot be followed; nobody gets an SPF pass from it until it is mended, "
        "and some receivers refuse the mail.",
};

/* What its owner, the sender or the receiver can do about each cause. NULL: see unwanted[]. */
static const char *const remedies[] = {
    [SPF_CAUSE_BAD_DOMAIN] = "The sender's host has to give a full domain name that exists, such as mail.example.com, "
                             "as HELO and in the sender.",
    [SPF_CAUSE_NO_DOMAIN] = "The name %d does not exist in DNS: look for a misspelling in the sender, or register the "
                            "domain; receivers have reason to refuse mail that cannot be answered.",
    [SPF_CAUSE_NO_RECORD] =
        "The owner of %d should publish one TXT record at that very name that begins with \"v=spf1\"; "
        "for a domain that sends no mail it is \"v=spf1 -all\".",
    [SPF_CAUSE_MATCH] = NULL,
    [SPF_CAUSE_DEFAULT] =
        "The record of %D ends without a word on all other hosts: its owner should put -all or ~all at "
        "its end, and before it what stands for %c if that host is one of theirs.",
    [SPF_CAUSE_SEVERAL_RECORDS] =
        "The owner of %D has to merge its records into one that begins with \"v=spf1\", and to "
        "remove the others.",
    [SPF_CAUSE_SYNTAX] = "The owner of %D has to correct the record at %t.",
    [SPF_CAUSE_LOOKUP_LIMIT] = "The record leads to more than 10 terms that need DNS: the owner of %d has to remove "
                               "includes that are not used, or to put networks in place of names.",
    [SPF_CAUSE_VOID_LIMIT] =
        "Too many names in the record do not exist or have no data of the type asked for, which can "
        "depend on the client being IPv4 or IPv6: the owner of %D has to remove those terms.",
    [SPF_CAUSE_MX_LIMIT] = "%g has more than 10 MX hosts, which an mx term must not have: the owner of %D has to put "
                           "networks in its place.",
    [SPF_CAUSE_TARGET_NO_RECORD] = "%t leads to %g, which has no SPF record: the owner of %D has to remove the term or "
                                   "correct the name; for a host it has to be \"a:\".",
    [SPF_CAUSE_BAD_TARGET] = "%t leads to no DNS name for this mail: the owner of %D has to correct the term.",
    [SPF_CAUSE_DNS_TIMEOUT] = "No name server answered for %g: its owner should look after its name servers; at the "
                              "receiver, see whether other names are answered.",
    [SPF_CAUSE_DNS_ERROR] =
        "The name servers of %g answer with an error: its owner should look after them; DNSSEC that "
        "does not validate at the receiver's resolver shows in the same way.",
    [SPF_CAUSE_DNS_BOGUS] =
        "The DNSSEC signatures of %g are wrong or out of date: its owner has to sign the zone again.",
    [SPF_CAUSE_DEADLINE] = "The check took longer than it may: slow name servers, or a deadline set too short here.",
};

/* A match that was not wanted. */
static const char *const unwanted[] = {
    "If %c belongs to %d or to a service that sends for it: the owner of %d has to put ip4:, ip6: or the service's "
    "include: for it before %t in the record.",
    "If the mail was forwarded or came over a list: only the last host's address is checked. The forwarder has to put "
    "a "
    "domain of its own into MAIL FROM; DKIM signatures survive forwarding.",
    "If %c is a relay of the receiver's own: check the address that handed the mail to it instead, or exempt it.",
    "Otherwise the mail does not come from where %d lets it come from.",
};

typedef struct advice {
    spf_buf_t buf;
    const spf_verdict_t *verdict;
} advice_t;

static void add_value(advice_t *advice, const char *text)
{
    spf_text_add_clipped(&advice->buf, text, strlen(text), VALUE_MAX, true);
}

static void add_fact(advice_t *advice, char letter)
{
    const spf_verdict_t *verdict = advice->verdict;

    switch (letter) {
    case 'c':
        add_value(advice, verdict->ip);
        break;
    case 'd':
        add_value(advice, verdict->checked_domain[0] != '\0' ? verdict->checked_domain : "the sender's domain");
        break;
    case 'D':
        add_value(advice, verdict->domain);
        break;
    case 'g':
        add_value(advice, verdict->target != NULL ? verdict->target : verdict->domain);
        break;
    default:
        add_value(advice, verdict->term != NULL ? verdict->term : "the term in error");
    }
}

static void add_line(advice_t *advice, const char *template)
{
    if (advice->buf.len > 0)
        spf_buf_add_char(&advice->buf, '\n');
    for (; *template != '\0'; template ++) {
        if (*template == '%')
            add_fact(advice, *++template);
        else
            spf_buf_add_char(&advice->buf, *template);
    }
}

/* How what a header said then compares with what is found now. */
static void add_comparison(advice_t *advice, const spf_evidence_item_t *then)
{
    spf_result_t now = advice->verdict->result;

    if (then == NULL || !then->has_result)
        return;
    if (then->value == now) {
        add_line(advice, "The header said the same.");
        return;
    }
    add_line(advice, "The header said ");
    spf_buf_add_text(&advice->buf, spf_result_name(then->value));
    spf_buf_add_text(&advice->buf, ", and now it is ");
    spf_buf_add_text(&advice->buf, spf_result_name(now));
    if (then->value == SPF_RESULT_TEMPERROR)
        spf_buf_add_text(&advice->buf, ": DNS failed the receiver then.");
    else if (now == SPF_RESULT_TEMPERROR)
        spf_buf_add_text(&advice->buf, ": DNS fails now, which says nothing about then.");
    else
        spf_buf_add_text(&advice->buf, ": the record, or what its names stand for, has changed since; or the receiver "
                                       "asked about another client or sender, or does not keep to RFC 7208.");
}

const char *spf_report_advice(spf_arena_t *arena, const spf_verdict_t *verdict, const spf_evidence_item_t *then)
{
    char storage[ADVICE_MAX];
    advice_t advice = {.verdict = verdict};

    spf_buf_init(&advice.buf, storage, sizeof storage);
    add_line(&advice, meanings[verdict->result]);
    add_comparison(&advice, then);
    if (remedies[verdict->cause] != NULL)
        add_line(&advice, remedies[verdict->cause]);
    else if (verdict->result != SPF_RESULT_PASS)
        for (size_t i = 0; i < sizeof unwanted / sizeof unwanted[0]; i++)
            add_line(&advice, unwanted[i]);
    return spf_arena_copy(arena, advice.buf.data, advice.buf.len);
}
