/* SPDX-License-Identifier: MIT */
/* Flatten: that what it writes fits, and that the evaluator finds no difference, in zones like large providers' and in
 * random ones. */
#include "support/memory_resolver.h"
#include "tools/prove.h"
#include "unit/evaluation.h"
#include "unit/flattening.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---------------------------------------------------------------------------------------------------------- judging */

/* The zone as it is once the draft is published. */
static zone_t *published(const char *lines, const spf_draft_t *draft)
{
    static char kept[TEXT_MAX];
    const spf_draft_record_t *record;
    zone_t *zone = zone_new();
    size_t length = 0;

    while (*lines != '\0') {
        size_t line = strcspn(lines, "\n") + 1;
        bool is_replaced = false;
        for (size_t i = 0; (record = spf_draft_record(draft, i)) != NULL; i++) {
            size_t name = strlen(record->name);
            is_replaced = is_replaced || (strncmp(lines, record->name, name) == 0 &&
                                          strncmp(lines + name, " TXT v=spf1", strlen(" TXT v=spf1")) == 0);
        }
        if (!is_replaced) {
            memcpy(kept + length, lines, line);
            length += line;
        }
        lines += line;
    }
    kept[length] = '\0';
    zone_add_lines(zone, kept);
    for (size_t i = 0; (record = spf_draft_record(draft, i)) != NULL; i++)
        zone_add(zone, record->name, "TXT", record->text);
    return zone;
}

static spf_result_t judge(const zone_t *zone, const char *domain, const spf_ip_t *ip, const char *sender,
                          unsigned lookups)
{
    spf_question_t question = {.ip = *ip,
                               .sender = sender,
                               .sender_length = strlen(sender),
                               .local_length = (size_t)(strchr(sender, '@') - sender),
                               .helo = "helo.example",
                               .helo_length = strlen("helo.example"),
                               .receiver = "mx.example",
                               .receiver_length = strlen("mx.example"),
                               .limits = {lookups, 1000, SPF_HOSTS_MAX, SPF_HOSTS_MAX}};
    spf_arena_t arena = SPF_ARENA_EMPTY;
    spf_eval_t *eval;
    spf_result_t result;

    spf_name_from_text(&question.domain, domain, strlen(domain));
    eval = spf_eval_new(&arena, &question);
    while (spf_eval_step(eval) == SPF_EVAL_WAIT)
        evaluation_answer(spf_eval_next_wanted(eval), zone);
    result = spf_eval_finding(eval)->result;
    spf_eval_drop(eval);
    spf_arena_free(&arena);
    return result;
}

/* Both zones agree for the client, whoever sends. */
static void assert_agree(const zone_t *before, const zone_t *after, const char *domain, const char *client,
                         const char *lines, const spf_draft_t *draft)
{
    static const char *const senders[] = {"ann@a.example", "bob@other.example"};
    spf_ip_t ip;

    assert_true(spf_ip_parse_client(&ip, client, strlen(client)));
    for (size_t i = 0; i < sizeof senders / sizeof senders[0]; i++) {
        spf_result_t was = judge(before, domain, &ip, senders[i], 1000);
        spf_result_t is = judge(after, domain, &ip, senders[i], SPF_LOOKUPS_MAX);
        if (was != is)
            fail_msg("%s, %s: was %s, is %s by %s\nin\n%s", client, senders[i], spf_result_name(was),
                     spf_result_name(is), draft_text(draft), lines);
    }
}

static void assert_fits(const spf_draft_t *draft, unsigned answer_max)
{
    const spf_draft_record_t *record;

    assert_true(spf_draft_lookups(draft) <= SPF_LOOKUPS_MAX);
    for (size_t i = 0; (record = spf_draft_record(draft, i)) != NULL; i++) {
        assert_true(record->answer_octets <= answer_max);
        assert_int_equal(record->length, strlen(record->text));
    }
}

typedef struct writer {
    char text[TEXT_MAX];
    size_t length;
} writer_t;

static void add(writer_t *writer, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(writer_t *writer, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    writer->length +=
        (size_t)vsnprintf(writer->text + writer->length, sizeof writer->text - writer->length, format, arguments);
    va_end(arguments);
    assert_true(writer->length < sizeof writer->text);
}

/* ---------------------------------------------------------------------------------------------------------- size */

enum { BLOCKS = 12, PER_BLOCK = 25 };

static zone_t *make_zone(const writer_t *writer)
{
    zone_t *zone = zone_new();

    zone_add_lines(zone, writer->text);
    return zone;
}

/* A sender whose three providers publish 300 networks in twelve records, three includes below its own. */
static void large_providers(writer_t *writer, bool merge)
{
    writer->length = 0;
    add(writer,
        "example.com TXT v=spf1 mx include:a.example include:b.example include:c.example ip4:203.0.113.0/24 ~all\n"
        "example.com TXT verification=0123456789abcdef0123456789abcdef\n"
        "example.com MX 10 mx.example.com\nmx.example.com A 203.0.113.9\nmx.example.com AAAA 2001:db8::25\n");
    for (char provider = 'a'; provider <= 'c'; provider++) {
        add(writer, "%c.example TXT v=spf1 include:_spf.%c.example ?all\n", provider, provider);
        add(writer, "_spf.%c.example TXT v=spf1", provider);
        for (unsigned i = 0; i < BLOCKS / 3; i++)
            add(writer, " include:_block%u.%c.example", i, provider);
        add(writer, " ~all\n");
    }
    for (unsigned block = 0; block < BLOCKS; block++) {
        add(writer, "_block%u.%c.example TXT v=spf1", block % 4, (char)('a' + block / 4));
        /* Providers' networks come in runs. */
        for (unsigned i = 0; i < PER_BLOCK; i++) {
            if (i % 8 == 7)
                add(writer, " ip6:2001:db8:%x::/%u", 16 * (block * PER_BLOCK + i), 44 + i % 5);
            else
                add(writer, " ip4:%u.%u.%u.0/24", 100 + 7 * block, 50 + i / 8, merge ? i % 8 : 2 * (i % 8) + 1);
        }
        add(writer, " ~all\n");
    }
}

static void large_providers_fit(void **state)
{
    static writer_t writer;

    (void)state;
    for (unsigned merge = 0; merge < 2; merge++) {
        large_providers(&writer, merge == 1);
        zone_t *zone = make_zone(&writer);
        flattening_t flattening;
        flattening_run(&flattening, &(walking_input_t){.zone = zone, .domain = "example.com"}, NULL);
        assert_flattened(&flattening);
        assert_int_equal(flattening.walking.tree->summary.lookups, 19);
        assert_true(has_note(flattening.draft, "past the limits"));
        assert_int_equal(has_note(flattening.draft, "up to 1232"), merge == 0);
        /* Larger answers need EDNS: 11 octets of an OPT record and 28 of a cookie. */
        assert_fits(flattening.draft, merge == 1 ? 512 : 1232 - 39);
        assert_true(spf_draft_lookups(flattening.draft) > 1);
        flattening_free(&flattening);
        zone_free(zone);
    }
}

static void too_many_networks(void **state)
{
    static const spf_flatten_options_t options = {.size = sizeof options, .answer_max = 512};
    static writer_t writer;
    flattening_t flattening;

    (void)state;
    large_providers(&writer, false);
    zone_t *zone = make_zone(&writer);
    flattening_run(&flattening, &(walking_input_t){.zone = zone, .domain = "example.com"}, &options);
    assert_int_equal(flattening.err, SPF_EINVAL);
    if (strstr(flattening.error, "networks that are left after merging take more records") == NULL)
        fail_msg("%s", flattening.error);
    flattening_free(&flattening);
    zone_free(zone);
}

/* Networks that do not touch, so that each takes its octets. */
static void add_networks(writer_t *writer, const char *qualifier, unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++)
        add(writer, " %sip4:10.%u.%u.1", qualifier, i / 100, i % 100);
}

/* How each record goes into an answer beside what is there already, whatever names are taken. */
static const struct {
    unsigned others; /* octets of another TXT record of the name; 0: there is none */
    unsigned networks;
    const char *before, *between, *behind; /* terms around two halves of them */
    unsigned answer_max, lookups;
    const char *first; /* the record of the domain; NULL: any */
    const char *note;
} partings[] = {
    {0, 20, "", "", " ~all", 512, 0, NULL, NULL},
    {0, 40, "", "", " ~all", 512, 1, NULL, NULL},
    {0, 40, "", "", "", 512, 1, NULL, NULL},
    {180, 40, "", "", " -all", 512, 1, NULL, NULL},
    /* no room for anything but one include, which then leads to all others */
    {410, 200, "", "", " -all", 512, 7, "v=spf1 include:_spf1.a.example -all", NULL},
    {430, 60, "", "", " -all", 512, 2, "v=spf1 include:_spf1.a.example -all",
     "The other TXT records of a.example take 44"},
    /* two sets that a term parts go into records of their own, in their order */
    {0, 80, "", " exists:%{i}.b.example", " -all", 256, 7, NULL, "stays"},
    {300, 40, "", " exists:%{i}.b.example", " -all", 512, 3,
     "v=spf1 include:_spf1.a.example exists:%{i}.b.example include:_spf2.a.example -all", "stays"},
    /* with EDNS, not less than without */
    {0, 40, "", "", " -all", 520, 1, NULL, NULL},
    /* kept includes keep their names */
    {330, 60, " include:_spf1.a.example include:_spf3.a.example", "", " -all", 512, 4, NULL, "stays"},
};

static void records_are_parted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof partings / sizeof partings[0]; i++) {
        static const char *const keep[] = {"_spf1.a.example", "_spf3.a.example"};
        const spf_flatten_options_t options = {.size = sizeof options,
                                               .keep = keep,
                                               .keep_count = strstr(partings[i].before, "_spf") ? 2 : 0,
                                               .answer_max = partings[i].answer_max};
        static writer_t writer;
        flattening_t flattening;
        writer.length = 0;
        add(&writer, "a.example TXT v=spf1%s", partings[i].before);
        add_networks(&writer, "", 0, partings[i].networks / 2);
        add(&writer, "%s", partings[i].between);
        add_networks(&writer, "", partings[i].networks / 2, partings[i].networks / 2);
        add(&writer, "%s\n_spf1.a.example TXT v=spf1 -all\n_spf3.a.example TXT v=spf1 ip4:192.0.2.3 -all\n",
            partings[i].behind);
        if (partings[i].others > 0)
            add(&writer, "a.example TXT %0*d\n", (int)partings[i].others, 0);
        zone_t *zone = make_zone(&writer);
        flattening_run(&flattening, &(walking_input_t){.zone = zone, .domain = "a.example"}, &options);
        if (flattening.err != SPF_OK)
            fail_msg("%zu: %s", i, flattening.error);
        assert_fits(flattening.draft, partings[i].answer_max);
        if (partings[i].note == NULL || strncmp(partings[i].note, "The other", 9) != 0)
            assert_true(spf_draft_record(flattening.draft, 0)->answer_octets +
                            (partings[i].others > 0 ? 12 + partings[i].others + 1 + partings[i].others / 256 : 0) <=
                        partings[i].answer_max);
        if (spf_draft_lookups(flattening.draft) != partings[i].lookups)
            fail_msg("%zu: %u lookups: %s", i, spf_draft_lookups(flattening.draft), draft_text(flattening.draft));
        if (partings[i].first != NULL)
            assert_string_equal(spf_draft_record(flattening.draft, 0)->text, partings[i].first);
        assert_int_equal(has_note(flattening.draft, partings[i].note), partings[i].note != NULL);
        if (options.keep_count > 0)
            assert_null(strstr(draft_text(flattening.draft), "|_spf1."));
        flattening_free(&flattening);
        zone_free(zone);
    }
}

static void what_is_refused_still_is_when_parted(void **state)
{
    static writer_t writer;
    flattening_t flattening;

    (void)state;
    writer.length = 0;
    add(&writer, "a.example TXT v=spf1 -ip4:10.0.0.0/31");
    add_networks(&writer, "-", 0, 60);
    add_networks(&writer, "?", 100, 60);
    add(&writer, " ip4:10.0.0.0/8 ~all\n");
    zone_t *zone = make_zone(&writer);
    flattening_run(&flattening, &(walking_input_t){.zone = zone, .domain = "a.example"}, NULL);
    assert_flattened(&flattening);
    assert_non_null(strstr(spf_draft_record(flattening.draft, 0)->text, " -include:_spf"));
    assert_non_null(strstr(spf_draft_record(flattening.draft, 0)->text, " ?include:_spf"));
    assert_non_null(strstr(spf_draft_record(flattening.draft, 0)->text, " ip4:10.0.0.0/8 ~all"));
    flattening_free(&flattening);
    zone_free(zone);
}

static void names_that_cannot_be_parted(void **state)
{
    static const spf_flatten_options_t options = {.size = sizeof options, .answer_max = 128};
    static const spf_flatten_options_t long_name = {.size = sizeof options, .answer_max = 512};
    static writer_t writer;
    zone_t *zone = zone_new();
    char name[254];
    flattening_t flattening;

    (void)state;
    for (size_t i = 0; i < 250; i++)
        name[i] = i % 50 == 49 ? '.' : 'n';
    strcpy(name + 250, "nn");
    writer.length = 0;
    add(&writer, "v=spf1");
    add_networks(&writer, "", 0, 60);
    zone_add(zone, name, "TXT", writer.text);
    flattening_run(&flattening, &(walking_input_t){.zone = zone, .domain = name}, &long_name);
    assert_int_equal(flattening.err, SPF_EINVAL);
    assert_non_null(strstr(flattening.error, "is too long for a DNS answer"));
    flattening_free(&flattening);
    flattening_run(&flattening, &(walking_input_t){.zone = zone, .record = writer.text}, &options);
    assert_int_equal(flattening.err, SPF_EINVAL);
    assert_non_null(strstr(flattening.error, "cannot be the name"));
    flattening_free(&flattening);
    zone_free(zone);
}

/* --------------------------------------------------------------------------------------------------------- the proof
 */

static void the_proof_finds_differences(void **state)
{
    static const struct {
        const char *zone, *draft;
        bool is_proved;
    } cases[] = {
        {"a.example TXT v=spf1 ip4:192.0.2.0/24 -all\n", "v=spf1 ip4:192.0.2.0/25 ip4:192.0.2.128/25 -all", true},
        {"a.example TXT v=spf1 ip4:192.0.2.0/24 -all\n", "v=spf1 ip4:192.0.2.0/25 ip4:192.0.2.129 -all", false},
        {"a.example TXT v=spf1 ip4:192.0.2.0/24 -all\n", "v=spf1 ip4:192.0.2.0/23 -all", false},
        {"a.example TXT v=spf1 ip6:2001:db8::/32 -all\n", "v=spf1 ip6:2001:db8::/33 -all", false},
        {"a.example TXT v=spf1 ip6:2001:db8::/32 -all\n", "v=spf1 ip6:2001:db8::/32 ~all", false},
        {"a.example TXT v=spf1 a:h.example -all\nh.example A 192.0.2.1\n", "v=spf1 -all", false},
        {"a.example TXT v=spf1 mx -all\na.example MX 1 h.example\nh.example A 192.0.2.1\n", "v=spf1 a:h.example -all",
         true},
        {"a.example TXT v=spf1 exists:%{l}.b.example ip4:192.0.2.1 -all\n",
         "v=spf1 ip4:192.0.2.1 exists:%{l}.b.example -all", true},
        {"a.example TXT v=spf1 exists:%{l}.b.example ip4:192.0.2.1 -all\n", "v=spf1 ip4:192.0.2.1 -all", false},
        {"a.example TXT v=spf1 exists:%{l}.b.example ip4:192.0.2.1 -all\n",
         "v=spf1 exists:%{l}.c.example ip4:192.0.2.1 -all", false},
        {"a.example TXT v=spf1 ?exists:%{l}.b.example ip4:192.0.2.1 -all\n",
         "v=spf1 ip4:192.0.2.1 ?exists:%{l}.b.example -all", false},
        {"a.example TXT v=spf1 ptr:b.example -ptr:c.example ip4:192.0.2.1 -all\n",
         "v=spf1 -ptr:c.example ptr:b.example ip4:192.0.2.1 -all", false},
        {"a.example TXT v=spf1 mx:%{o} -a:%{o} -all\n", "v=spf1 -a:%{o} mx:%{o} -all", false},
        {"a.example TXT v=spf1 include:%{l}.b.example -all\n", "v=spf1 include:%{l}.b.example -all", true},
        {"a.example TXT v=spf1 include:%{l}.b.example -all\n", "v=spf1 -all", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        zone_t *zone = zone_new();
        spf_draft_t *draft = spf_draft_new("a.example", strlen("a.example"));
        char storage[ERROR_MAX];
        walking_t walking;
        spf_buf_t error;
        zone_add_lines(zone, cases[i].zone);
        assert_true(walking_run(&walking, &(walking_input_t){.zone = zone, .domain = "a.example"}));
        assert_true(spf_draft_add_record(draft, "a.example", cases[i].draft, strlen(cases[i].draft)));
        spf_buf_init(&error, storage, sizeof storage);
        if (spf_prove(walking.tree, draft, &error) != (cases[i].is_proved ? SPF_OK : SPF_EINVAL))
            fail_msg("%s: %s: %s", cases[i].zone, cases[i].draft, error.data);
        assert_int_equal(strstr(error.data, "the proof failed: for ") != NULL, !cases[i].is_proved);
        spf_draft_free(draft);
        walking_free(&walking);
        zone_free(zone);
    }
}

/* ----------------------------------------------------------------------------------------------------- random zones */

static uint64_t seed = 20260607;

static unsigned roll(unsigned below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % below;
}

enum { DOMAINS = 6, HOSTS = 5, WINDOW = 32 };

static const char *random_qualifier(void)
{
    static const char *const qualifiers[] = {"", "", "", "", "", "-", "~", "?"};

    return qualifiers[roll(8)];
}

/* What depends on the mail; the zone answers some of it. */
static const char *random_opaque(void)
{
    static const char *const terms[] = {
        "exists:%{i}.list.example",     "exists:%{l}.%{d}",     "exists:%{l}.%{d2}.list.example",
        "a:%{l}.host.example",          "exists:%{o}",          "ptr",
        "exists:%{dr-}.%{l}.x.example", "exists:host0.example", "include:%{l}.pol.example",
        "mx:%{l}.host.example/30"};

    return terms[roll(sizeof terms / sizeof terms[0])];
}

static void add_term(writer_t *writer, unsigned domain)
{
    const char *qualifier = random_qualifier();
    unsigned deeper = domain + 1 + roll(DOMAINS - domain);
    unsigned at = roll(WINDOW), number = roll(6); /* one after the other, whatever the compiler */

    switch (roll(9)) {
    case 0:
    case 1:
        add(writer, " %sip4:192.0.2.%u/%u", qualifier, at, 27 + number);
        break;
    case 2:
        add(writer, " %sip6:2001:db8::%x/%u", qualifier, at, 123 + number);
        break;
    case 3:
        add(writer, " %sa:host%u.example%s", qualifier, at % HOSTS, number % 2 ? "/30//127" : "");
        break;
    case 4:
        add(writer, " %smx%s", qualifier, roll(3) ? "" : "/31");
        break;
    case 5:
        if (roll(3) == 0)
            add(writer, " %s%s", qualifier, random_opaque());
        break;
    default:
        if (deeper < DOMAINS || roll(40) == 0)
            add(writer, " %sinclude:d%u.example", qualifier, deeper);
    }
}

static void add_record(writer_t *writer, unsigned domain)
{
    static const char *const ends[] = {"", " -all", " ~all", " ?all", " -all", " +all"};
    unsigned deeper = domain + 1 + roll(DOMAINS - domain);
    unsigned end = roll(8);

    add(writer, "d%u.example TXT v=spf1", domain);
    for (unsigned count = 1 + roll(6); count > 0; count--)
        add_term(writer, domain);
    if (end < 6)
        add(writer, "%s", ends[end]);
    else if (deeper < DOMAINS)
        add(writer, " redirect=d%u.example", deeper);
    add(writer, "\n");
}

static void random_zone(writer_t *writer)
{
    writer->length = 0;
    for (unsigned i = 0; i < DOMAINS; i++) {
        add_record(writer, i);
        for (unsigned count = roll(3); count > 0; count--)
            add(writer, "d%u.example MX 10 host%u.example\n", i, roll(HOSTS));
        if (roll(2) == 0)
            add(writer, "ann.d%u.example A 127.0.0.2\n", i);
    }
    for (unsigned i = 0; i < HOSTS; i++) {
        for (unsigned count = roll(3); count > 0; count--)
            add(writer, "host%u.example A 192.0.2.%u\n", i, roll(WINDOW));
        if (roll(2) == 0)
            add(writer, "host%u.example AAAA 2001:db8::%x\n", i, roll(WINDOW));
    }
    add(writer, "ann.host.example A 192.0.2.%u\nann.host.example MX 1 host1.example\n", roll(WINDOW));
    add(writer, "192.0.2.%u.list.example A 127.0.0.2\nbob.d3.example.list.example A 127.0.0.2\n", roll(WINDOW));
    add(writer, "ann.pol.example TXT v=spf1 ip4:192.0.2.%u/30 -all\nbob.pol.example TXT v=spf1 ?all\n", roll(WINDOW));
    add(writer, "example.d2.ann.x.example A 127.0.0.2\n");
    unsigned client = roll(WINDOW);
    add(writer, "%u.2.0.192.in-addr.arpa PTR host0.d%u.example\n", client, roll(DOMAINS));
}

static unsigned rounds_wanted(void)
{
    const char *number = getenv("SPF_FLATTEN_ROUNDS");

    return number != NULL ? (unsigned)strtoul(number, NULL, 10) : 400;
}

static void compare_everywhere(const writer_t *writer, const spf_draft_t *draft)
{
    static const char *const ends[] = {"0.0.0.0",     "255.255.255.255",
                                       "::",          "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                                       "192.0.1.255", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff"};
    zone_t *before = zone_new(), *after = published(writer->text, draft);
    char client[64];

    zone_add_lines(before, writer->text);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        assert_agree(before, after, "d0.example", ends[i], writer->text, draft);
    /* All addresses of the window, so all edges of the networks that are in it. */
    for (unsigned i = 0; i <= WINDOW; i++) {
        snprintf(client, sizeof client, "192.0.2.%u", i);
        assert_agree(before, after, "d0.example", client, writer->text, draft);
        snprintf(client, sizeof client, "2001:db8::%x", i);
        assert_agree(before, after, "d0.example", client, writer->text, draft);
    }
    zone_free(before);
    zone_free(after);
}

static void random_zones_agree(void **state)
{
    static writer_t writer;
    unsigned rounds = rounds_wanted(), flattened = 0, parted = 0;
    uint64_t first_seed = seed;

    (void)state;
    for (unsigned i = 0; i < rounds; i++) {
        static const char *const keep[] = {"d3.example", "d4.example"};
        const spf_flatten_options_t options = {
            .size = sizeof options, .keep = keep, .keep_count = i % 3, .answer_max = i % 2 == 0 ? 140 : 512};
        zone_t *zone = zone_new();
        flattening_t flattening;
        random_zone(&writer);
        zone_add_lines(zone, writer.text);
        flattening_run(&flattening, &(walking_input_t){.zone = zone, .domain = "d0.example"}, &options);
        if (flattening.err == SPF_OK) {
            flattened++;
            parted += spf_draft_record(flattening.draft, 1) != NULL;
            assert_fits(flattening.draft, options.answer_max);
            compare_everywhere(&writer, flattening.draft);
        } else if (strstr(flattening.error, "proof") != NULL) {
            fail_msg("%s\nin\n%s", flattening.error, writer.text);
        }
        flattening_free(&flattening);
        zone_free(zone);
    }
    printf("%u zones from seed %llu: %u flattened, %u of them into several records\n", rounds,
           (unsigned long long)first_seed, flattened, parted);
    assert_true(flattened > rounds / 2);
    assert_true(parted > rounds / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_providers_fit),         cmocka_unit_test(too_many_networks),
        cmocka_unit_test(records_are_parted),          cmocka_unit_test(what_is_refused_still_is_when_parted),
        cmocka_unit_test(names_that_cannot_be_parted), cmocka_unit_test(the_proof_finds_differences),
        cmocka_unit_test(random_zones_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
