/* SPDX-License-Identifier: MIT */
/* The SPF story that header fields tell. What they leave out is taken from their comments, as other software writes
 * them, and from the fields around. */
#include "base/ip.h"
#include "base/name.h"
#include "spf_tools.h"
#include "tools/fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* More than any honest header section has; the rest is not read. */
enum { TEXT_MAX = 1 << 20, ITEMS_MAX = 256, VALUE_MAX = 1024 };

static const char results_name[] = "Authentication-Results", arc_name[] = "ARC-Authentication-Results";

struct spf_evidence {
    spf_arena_t arena;
    spf_evidence_item_t *items[ITEMS_MAX];
    size_t count;
    const char *text;
    bool is_out_of_memory;
    bool has_check;
    spf_evidence_item_t check;
};

/* ----------------------------------------------------------------------------------------------------------- values */

static bool is_text(spf_text_t text, const char *word)
{
    return spf_text_equals_nocase(text.data, text.length, word, strlen(word));
}

/* A copy without quoted pairs' backslashes, line ends and other controls. NULL, and noted, without memory. */
static const char *copy_value(spf_evidence_t *evidence, spf_text_t text)
{
    char storage[VALUE_MAX + 1];
    const char *copy;
    spf_buf_t buf;

    spf_buf_init(&buf, storage, sizeof storage);
    for (uint32_t i = 0; i < text.length && buf.len < VALUE_MAX; i++) {
        char octet = text.data[i];

        if (octet == '\\' && i + 1 < text.length)
            octet = text.data[++i];
        if (octet == '\n' || octet == '\t')
            octet = ' ';
        if (octet != '\r')
            spf_buf_add_char(&buf, octet);
    }
    copy = spf_printable_copy(&evidence->arena, buf.data, buf.len, true);
    evidence->is_out_of_memory |= copy == NULL;
    return copy;
}

/* An address or name without the brackets that it may stand in. */
static spf_text_t without(spf_text_t text, char open, char close)
{
    if (text.length >= 2 && text.data[0] == open && text.data[text.length - 1] == close)
        return (spf_text_t){.data = text.data + 1, .length = text.length - 2};
    return text;
}

/* A client's address: bare, or a literal as in SMTP, "[192.0.2.1]", "[IPv6:2001:db8::1]". */
static bool parse_ip(spf_ip_t *ip, spf_text_t text)
{
    static const char tag[] = "IPv6:";
    const uint32_t tag_length = sizeof tag - 1;

    text = without(text, '[', ']');
    if (text.length > tag_length && spf_text_equals_nocase(text.data, tag_length, tag, tag_length)) {
        text.data += tag_length;
        text.length -= tag_length;
    }
    return spf_ip_parse_client(ip, text.data, text.length);
}

static const char *copy_ip(spf_evidence_t *evidence, const spf_ip_t *ip)
{
    char storage[SPF_IP_TEXT_MAX];
    const char *copy;
    spf_buf_t buf;

    spf_buf_init(&buf, storage, sizeof storage);
    spf_ip_add_text(&buf, ip);
    copy = spf_arena_copy(&evidence->arena, buf.data, buf.len);
    evidence->is_out_of_memory |= copy == NULL;
    return copy;
}

/* Words of RFC 5451 and of drafts, which some still write. */
static const struct {
    const char *word;
    spf_result_t result;
} old_results[] = {{"hardfail", SPF_RESULT_FAIL}, {"error", SPF_RESULT_TEMPERROR}, {"unknown", SPF_RESULT_PERMERROR}};

static void set_result(spf_evidence_t *evidence, spf_evidence_item_t *item, spf_text_t word)
{
    item->result = copy_value(evidence, word);
    if (item->result == NULL)
        return;
    item->has_result = spf_result_from_name(item->result, &item->value);
    for (size_t i = 0; i < sizeof old_results / sizeof old_results[0]; i++) {
        if (is_text(word, old_results[i].word)) {
            item->has_result = true;
            item->value = old_results[i].result;
        }
    }
}

/* --------------------------------------------------------------------------------------------------- putting together
 */

static const char *domain_part(const char *sender)
{
    const char *at = strrchr(sender, '@');

    return at != NULL ? at + 1 : sender;
}

static bool is_same_domain(const char *a, const char *b)
{
    a = domain_part(a);
    b = domain_part(b);
    return spf_text_equals_nocase(a, strlen(a), b, strlen(b));
}

/* What a host on the way found (RFC 8617). */
static bool is_arc(const spf_evidence_item_t *item)
{
    return item->field == arc_name;
}

/* Whether both can be about one check: nothing that both tell differs. */
static bool is_same_check(const spf_evidence_item_t *a, const spf_evidence_item_t *b)
{
    return a->has_result && b->has_result && is_arc(a) == is_arc(b) && a->value == b->value &&
           a->identity == b->identity && (a->ip == NULL || b->ip == NULL || strcmp(a->ip, b->ip) == 0) &&
           (a->sender == NULL || b->sender == NULL || is_same_domain(a->sender, b->sender));
}

/* A domain alone gives way to a mailbox in it: who may send can depend on the local part. */
static void fill_sender(spf_evidence_item_t *check, const spf_evidence_item_t *other)
{
    if (other->sender == NULL)
        return;
    if (check->sender == NULL || (strchr(check->sender, '@') == NULL && strchr(other->sender, '@') != NULL &&
                                  is_same_domain(check->sender, other->sender)))
        check->sender = other->sender;
}

static void fill(spf_evidence_item_t *check, const spf_evidence_item_t *other)
{
    fill_sender(check, other);
    if (check->ip == NULL)
        check->ip = other->ip;
    if (check->helo == NULL)
        check->helo = other->helo;
    if (check->receiver == NULL)
        check->receiver = other->receiver;
    if (check->comment == NULL)
        check->comment = other->comment;
}

/* ------------------------------------------------------------------------------------------------------ the fields */

/* NULL without memory, or when there are enough of them. */
static spf_evidence_item_t *new_item(spf_evidence_t *evidence, const char *name, const spf_field_t *field)
{
    spf_evidence_item_t *item;
    const char *end = field->body.data + field->body.length;

    if (evidence->count >= ITEMS_MAX)
        return NULL;
    item = spf_arena_calloc(&evidence->arena, sizeof *item);
    if (item == NULL) {
        evidence->is_out_of_memory = true;
        return NULL;
    }
    evidence->items[evidence->count++] = item;
    while (end > field->name.data && (end[-1] == '\r' || end[-1] == '\n'))
        end--;
    item->field = name;
    item->offset = (size_t)(field->name.data - evidence->text);
    item->length = (size_t)(end - field->name.data);
    return item;
}

/* An address goes into the item in canonical text, and nothing that is none. */
static void set_ip(spf_evidence_t *evidence, spf_evidence_item_t *item, spf_text_t value)
{
    spf_ip_t ip;

    if (item->ip == NULL && parse_ip(&ip, value))
        item->ip = copy_ip(evidence, &ip);
}

static void set_sender(spf_evidence_t *evidence, spf_evidence_item_t *item, spf_text_t value)
{
    item->sender = copy_value(evidence, without(value, '<', '>'));
}

static void set_helo(spf_evidence_t *evidence, spf_evidence_item_t *item, spf_text_t value)
{
    item->helo = copy_value(evidence, value);
}

static void set_receiver(spf_evidence_t *evidence, spf_evidence_item_t *item, spf_text_t value)
{
    item->receiver = copy_value(evidence, value);
}

static void set_identity(spf_evidence_t *evidence, spf_evidence_item_t *item, spf_text_t value)
{
    (void)evidence;
    item->identity = is_text(value, "helo") ? SPF_IDENTITY_HELO : SPF_IDENTITY_MAILFROM;
}

/* Which key of which field tells what. */
typedef struct member {
    const char *key;
    void (*set)(spf_evidence_t *evidence, spf_evidence_item_t *item, spf_text_t value);
} member_t;

static const member_t received_spf_members[] = {
    {"client-ip", set_ip},      {"envelope-from", set_sender}, {"helo", set_helo},
    {"receiver", set_receiver}, {"identity", set_identity},    {NULL, NULL},
};

static const member_t resinfo_members[] = {
    {"smtp.mailfrom", set_sender}, {"smtp.mail", set_sender}, /* of old Gmail */
    {"smtp.helo", set_helo},       {"smtp.remote-ip", set_ip}, {NULL, NULL},
};

/* RFC 8601 section 3, and what Exim and others write. */
static const member_t iprev_members[] = {{"policy.iprev", set_ip}, {"smtp.remote-ip", set_ip}, {NULL, NULL}};

static void set_member(spf_evidence_t *evidence, spf_evidence_item_t *item, const member_t *members,
                       const spf_item_t *pair)
{
    for (const member_t *member = members; member->key != NULL; member++)
        if (is_text(pair->key, member->key))
            member->set(evidence, item, pair->value);
}

/* Once: a mailbox that a comment names, not an address of a client. */
static void set_said_sender(spf_evidence_t *evidence, spf_evidence_item_t *said, spf_text_t value)
{
    spf_ip_t ip;

    if (value.length > 0 && value.data[value.length - 1] == ':')
        value.length--;
    if (said->sender == NULL && value.length > 0 && !parse_ip(&ip, value))
        set_sender(evidence, said, value);
}

/* "domain of ann@example.com designates 192.0.2.1 as permitted sender", "domain of transitioning ann@example.com does
 * not designate ...", "error in processing during lookup of ann@example.com: DNS error", "ann@example.com does not
 * designate permitted sender hosts", "sender IP is 192.0.2.1", "client-ip=192.0.2.1; helo=mail.example.com" */
static void read_comment(spf_evidence_t *evidence, spf_evidence_item_t *said, spf_text_t comment)
{
    spf_scan_t scan = {comment.data, comment.data + comment.length};
    spf_text_t last = {0}, last_but_one = {0};
    spf_item_t item;

    if (said->comment == NULL)
        said->comment = copy_value(evidence, comment);
    while ((item = spf_items_next(&scan)).kind != SPF_ITEM_END) {
        bool is_pair = item.kind == SPF_ITEM_PAIR;
        spf_text_t text = is_pair ? (spf_text_t){item.key.data, (uint32_t)(scan.at - item.key.data)} : item.value;
        if ((item.kind != SPF_ITEM_WORD && !is_pair) || is_text(text, "transitioning"))
            continue;
        if (is_text(last, "of") && (is_text(last_but_one, "domain") || is_text(last_but_one, "lookup")))
            set_said_sender(evidence, said, text); /* "=" and all, as in SRS0=x=y=example.com=ann@example.net */
        else if (is_pair)
            set_member(evidence, said, received_spf_members, &item);
        else if (is_text(text, "does"))
            set_said_sender(evidence, said, last);
        else
            set_ip(evidence, said, text);
        last_but_one = last;
        last = text;
    }
}

static void read_received_spf(spf_evidence_t *evidence, spf_evidence_item_t *item, spf_scan_t scan)
{
    spf_evidence_item_t said = {0};
    spf_item_t next;

    while ((next = spf_items_next(&scan)).kind != SPF_ITEM_END) {
        if (next.kind == SPF_ITEM_WORD && item->result == NULL)
            set_result(evidence, item, next.value);
        else if (next.kind == SPF_ITEM_COMMENT)
            read_comment(evidence, &said, next.value);
        else if (next.kind == SPF_ITEM_PAIR)
            set_member(evidence, item, received_spf_members, &next);
    }
    fill(item, &said);
}

/* One method's result, up to its semicolon. */
static void read_resinfo(spf_evidence_t *evidence, spf_evidence_item_t *item, spf_scan_t *scan)
{
    spf_evidence_item_t said = {0};
    spf_item_t next;

    while ((next = spf_items_next(scan)).kind != SPF_ITEM_END && next.kind != SPF_ITEM_SEMICOLON) {
        if (next.kind == SPF_ITEM_COMMENT)
            read_comment(evidence, &said, next.value);
        else if (next.kind == SPF_ITEM_PAIR)
            set_member(evidence, item, resinfo_members, &next);
    }
    if (item->sender == NULL && item->helo != NULL)
        item->identity = SPF_IDENTITY_HELO;
    fill(item, &said);
}

/* RFC 8601 section 2.2; every spf method of it is an item. The client may be told by another method. */
static void read_authentication_results(spf_evidence_t *evidence, const char *name, const spf_field_t *field)
{
    spf_scan_t scan = {field->body.data, field->body.data + field->body.length};
    spf_evidence_item_t session = {0};
    const char *receiver = NULL;
    size_t begun = evidence->count;
    spf_evidence_item_t *item;
    spf_item_t next;

    while ((next = spf_items_next(&scan)).kind != SPF_ITEM_END) {
        if (next.kind == SPF_ITEM_WORD && receiver == NULL)
            receiver = copy_value(evidence, next.value);
        if (next.kind == SPF_ITEM_PAIR)
            set_member(evidence, &session, iprev_members, &next);
        if (next.kind != SPF_ITEM_PAIR || !(is_text(next.key, "spf") || is_text(next.key, "spf/1")))
            continue;
        item = new_item(evidence, name, field);
        if (item == NULL)
            break;
        item->receiver = receiver;
        set_result(evidence, item, next.value);
        read_resinfo(evidence, item, &scan);
    }
    for (; begun < evidence->count; begun++)
        fill(evidence->items[begun], &session);
}

/* The client in the comments behind "from": "(mail.example.com [192.0.2.1])", "(HELO mail.example.com) (192.0.2.1)",
 * "([192.0.2.1] helo=mail.example.com)". */
static void read_client(spf_evidence_t *evidence, spf_evidence_item_t *item, spf_text_t comment)
{
    spf_scan_t scan = {comment.data, comment.data + comment.length};
    bool is_helo = false;
    spf_item_t word;

    while ((word = spf_items_next(&scan)).kind != SPF_ITEM_END) {
        if (is_helo || (word.kind == SPF_ITEM_PAIR && (is_text(word.key, "helo") || is_text(word.key, "ehlo"))))
            set_helo(evidence, item, word.value);
        else
            set_ip(evidence, item, word.value);
        is_helo = word.kind == SPF_ITEM_WORD && (is_text(word.value, "helo") || is_text(word.value, "ehlo"));
    }
}

/* RFC 5321 section 4.4: "from" with the HELO name and the client, "by" with the receiver. */
static void read_received(spf_evidence_t *evidence, spf_evidence_item_t *item, spf_scan_t scan)
{
    spf_text_t before = {0};
    spf_item_t next;

    while ((next = spf_items_next(&scan)).kind != SPF_ITEM_END && item->receiver == NULL) {
        if (next.kind == SPF_ITEM_COMMENT)
            read_client(evidence, item, next.value);
        if (next.kind != SPF_ITEM_WORD)
            continue;
        if (is_text(before, "by"))
            set_receiver(evidence, item, next.value);
        if (is_text(before, "from")) {
            set_helo(evidence, item, next.value);
            set_ip(evidence, item, next.value);
        }
        before = next.value;
    }
}

static void read_return_path(spf_evidence_t *evidence, spf_evidence_item_t *item, spf_scan_t scan)
{
    spf_item_t next = spf_items_next(&scan);

    if (next.kind == SPF_ITEM_WORD)
        set_sender(evidence, item, next.value);
}

/* The fields with one item each. */
static const struct {
    const char *name;
    void (*read)(spf_evidence_t *evidence, spf_evidence_item_t *item, spf_scan_t scan);
} readers[] = {{"Received-SPF", read_received_spf}, {"Received", read_received}, {"Return-Path", read_return_path}};

static void read_field(spf_evidence_t *evidence, const spf_field_t *field)
{
    spf_scan_t scan = {field->body.data, field->body.data + field->body.length};
    spf_evidence_item_t *item;

    if (is_text(field->name, results_name))
        read_authentication_results(evidence, results_name, field);
    if (is_text(field->name, arc_name))
        read_authentication_results(evidence, arc_name, field);
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        if (!is_text(field->name, readers[i].name))
            continue;
        item = new_item(evidence, readers[i].name, field);
        if (item != NULL)
            readers[i].read(evidence, item, scan);
    }
}

/* ------------------------------------------------------------------------------------------------- the story in sum */

/* Networks of hosts behind the receiver's own door. */
static const struct {
    uint8_t family, prefix, octets[16];
} own_networks[] = {
    {4, 8, {127}}, {4, 8, {10}},   {4, 12, {172, 16}},    {4, 16, {192, 168}},
    {6, 127, {0}}, {6, 7, {0xfc}}, {6, 10, {0xfe, 0x80}},
};

static bool is_outside(const char *text)
{
    spf_ip_t ip;

    if (text == NULL || !spf_ip_parse_client(&ip, text, strlen(text)))
        return false;
    for (size_t i = 0; i < sizeof own_networks / sizeof own_networks[0]; i++)
        if (ip.family == own_networks[i].family &&
            spf_ip_prefix_equals(&ip, own_networks[i].octets, own_networks[i].prefix))
            return false;
    return true;
}

static size_t distance(size_t a, size_t b)
{
    return a > b ? a - b : b - a;
}

/* The Received field with a client from outside that is nearest to the check's field; of two, the lower, since hosts
 * put theirs on top. */
static const spf_evidence_item_t *nearest_received(const spf_evidence_t *evidence, size_t from)
{
    const spf_evidence_item_t *nearest = NULL;
    size_t least = SIZE_MAX;

    for (size_t i = 0; i < evidence->count; i++) {
        if (strcmp(evidence->items[i]->field, "Received") != 0 || !is_outside(evidence->items[i]->ip))
            continue;
        if (distance(i, from) <= least) {
            least = distance(i, from);
            nearest = evidence->items[i];
        }
    }
    return nearest;
}

/* The first item with a result; what hosts on the way found counts where nothing else does. */
static size_t find_result(const spf_evidence_t *evidence)
{
    size_t first = evidence->count;

    for (size_t i = 0; i < evidence->count; i++) {
        if (!evidence->items[i]->has_result)
            continue;
        if (!is_arc(evidence->items[i]))
            return i;
        if (first == evidence->count)
            first = i;
    }
    return first;
}

/* The first item of a field; the count if there is none. */
static size_t find_field(const spf_evidence_t *evidence, const char *field)
{
    size_t i = 0;

    while (i < evidence->count && strcmp(evidence->items[i]->field, field) != 0)
        i++;
    return i;
}

static void conclude(spf_evidence_t *evidence)
{
    size_t first = find_result(evidence), return_path = find_field(evidence, "Return-Path");
    const spf_evidence_item_t *received;

    evidence->has_check = evidence->count > 0;
    if (!evidence->has_check)
        return;
    if (first == evidence->count)
        first = 0;
    evidence->check = *evidence->items[first];
    for (size_t i = 0; i < evidence->count; i++)
        if (is_same_check(&evidence->check, evidence->items[i]))
            fill(&evidence->check, evidence->items[i]);
    received = nearest_received(evidence, first);
    if (received != NULL && (evidence->check.ip == NULL || strcmp(evidence->check.ip, received->ip) == 0))
        fill(&evidence->check, received);
    if (return_path < evidence->count)
        fill_sender(&evidence->check, evidence->items[return_path]);
}

/* ------------------------------------------------------------------------------------------------------- the calls */

/* Without any field of a known name: the body of a field, copied without its name. */
static void read_bare(spf_evidence_t *evidence, const char *text, size_t length)
{
    spf_field_t field = {{.data = text, .length = 0}, {.data = text, .length = (uint32_t)length}};
    spf_scan_t scan = {text, text + length};
    spf_item_t first = spf_items_next(&scan);
    spf_evidence_item_t *item;

    if (first.kind == SPF_ITEM_PAIR && is_text(first.key, "spf")) {
        read_authentication_results(evidence, results_name, &field);
        return;
    }
    item = new_item(evidence, "Received-SPF", &field);
    if (item == NULL)
        return;
    read_received_spf(evidence, item, (spf_scan_t){text, text + length});
    if (!item->has_result)
        evidence->count = 0;
}

spf_err_t spf_evidence_new(spf_evidence_t **evidence, const char *text, size_t length)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    int saved_errno = errno;
    spf_evidence_t *made = calloc(1, sizeof *made);
    spf_scan_t scan;
    spf_field_t field;

    errno = saved_errno;
    if (made == NULL)
        return SPF_ENOMEM;
    made->text = text;
    if (length == SPF_STRLEN)
        length = strlen(text);
    if (length > TEXT_MAX)
        length = TEXT_MAX;
    scan = (spf_scan_t){text, text + length};
    if (length >= sizeof byte_order_mark - 1 && memcmp(text, byte_order_mark, sizeof byte_order_mark - 1) == 0)
        scan.at += sizeof byte_order_mark - 1;
    while (scan.at < scan.end && strchr(" \t\r\n", *scan.at) != NULL && *scan.at != '\0')
        scan.at++;
    text = scan.at;
    while (spf_fields_next(&scan, &field))
        read_field(made, &field);
    if (made->count == 0)
        read_bare(made, text, (size_t)(scan.end - text));
    if (!made->is_out_of_memory)
        conclude(made);
    if (made->is_out_of_memory) {
        spf_evidence_free(made);
        return SPF_ENOMEM;
    }
    *evidence = made;
    return SPF_OK;
}

void spf_evidence_free(spf_evidence_t *evidence)
{
    int saved_errno = errno;

    if (evidence == NULL)
        return;
    spf_arena_free(&evidence->arena);
    free(evidence);
    errno = saved_errno;
}

const spf_evidence_item_t *spf_evidence_item(const spf_evidence_t *evidence, size_t index)
{
    return index < evidence->count ? evidence->items[index] : NULL;
}

const spf_evidence_item_t *spf_evidence_check(const spf_evidence_t *evidence)
{
    return evidence->has_check ? &evidence->check : NULL;
}
