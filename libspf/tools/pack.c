/* SPDX-License-Identifier: MIT */
#include "tools/pack.h"

#include <string.h>

static const char version[] = "v=spf1";
static const char further_end[] = " -all";

enum { VERSION_LENGTH = sizeof version - 1, FURTHER_END_LENGTH = sizeof further_end - 1, PARTS_MAX = SPF_LOOKUPS_MAX };

/* A further record. */
typedef struct part {
    char name[SPF_NAME_MAX + 1];
    char *include; /* " include:NAME", without a qualifier */
    size_t include_length;
    size_t room;                 /* octets left */
    int host;                    /* the part that includes it; IN_MAIN: the first record */
    const spf_plan_item_t *item; /* whose networks it holds */
    size_t first, end;           /* which of them */
} part_t;

enum { IN_MAIN = -1 };

/* Where the networks of an item are: all in the first record, or from `first` on and before that in parts. */
typedef struct place {
    const spf_plan_item_t *item;
    size_t octets; /* of all its networks with their spaces and qualifiers */
    bool is_spilled;
    size_t first;
} place_t;

typedef struct packer {
    spf_draft_t *draft;
    const spf_plan_t *plan;
    const spf_pack_options_t *options;
    spf_buf_t *error;
    spf_arena_t scratch;
    place_t *places;
    size_t place_count;
    part_t parts[PARTS_MAX];
    unsigned part_count;
    unsigned parts_max; /* what the other lookups leave */
    unsigned number;    /* of the name to try next */
    bool is_short;      /* the first record is to be as short as can be */
    size_t room;        /* of the first record: octets left */
} packer_t;

/* ------------------------------------------------------------------------------------------------------- text of it */

enum { NETWORK_TEXT_MAX = 64 };

/* " ip4:192.0.2.0/24" */
static void add_network(spf_buf_t *buf, spf_result_t result, const spf_network_t *network)
{
    char qualifier = spf_plan_qualifier(result);

    spf_buf_add_char(buf, ' ');
    if (qualifier != '\0')
        spf_buf_add_char(buf, qualifier);
    spf_buf_add_text(buf, network->family == 4 ? "ip4:" : "ip6:");
    spf_network_add_text(buf, network);
}

static size_t network_octets(spf_result_t result, const spf_network_t *network)
{
    char storage[NETWORK_TEXT_MAX];
    spf_buf_t buf;

    spf_buf_init(&buf, storage, sizeof storage);
    add_network(&buf, result, network);
    return buf.len;
}

static size_t item_octets(const spf_plan_item_t *item)
{
    size_t octets = 0;

    for (size_t i = 0; i < item->network_count; i++)
        octets += network_octets(item->result, &item->networks[i]);
    return octets;
}

static void add_term(spf_buf_t *buf, spf_result_t result, const char *term)
{
    char qualifier = spf_plan_qualifier(result);

    spf_buf_add_char(buf, ' ');
    if (qualifier != '\0')
        spf_buf_add_char(buf, qualifier);
    spf_buf_add_text(buf, term);
}

static bool has_all(const spf_plan_t *plan)
{
    return plan->has_all && plan->redirect == NULL;
}

/* Octets of the first record without its networks. */
static size_t fixed_octets(const packer_t *packer)
{
    const spf_plan_t *plan = packer->plan;
    size_t octets = VERSION_LENGTH;

    for (const spf_plan_item_t *item = plan->first; item != NULL; item = item->next)
        if (item->term != NULL)
            octets += 1u + (spf_plan_qualifier(item->result) != '\0') + strlen(item->term);
    for (size_t i = 0; i < packer->options->tail_count; i++)
        octets += 1 + strlen(packer->options->tail[i]);
    if (plan->redirect != NULL)
        octets += 1 + strlen(plan->redirect);
    if (has_all(plan))
        octets += strlen(" all") + (spf_plan_qualifier(plan->otherwise) != '\0');
    return octets;
}

/* -------------------------------------------------------------------------------------------------- further records */

/* A name as a domain-spec (RFC 7208 section 7.1); false if it cannot be one. */
static bool add_spec(spf_buf_t *buf, const char *name)
{
    for (; *name != '\0'; name++) {
        if ((unsigned char)*name <= ' ' || (unsigned char)*name > '~')
            return false;
        spf_buf_add_text(buf, *name == '%' ? "%%" : (char[]){*name, '\0'});
    }
    return !buf->full;
}

enum { INCLUDE_MAX = SPF_NAME_MAX + SPF_NAME_MAX + sizeof " include:" };

/* Whether the name after the next number is one; it may be taken. */
static bool next_name(packer_t *packer, spf_buf_t *text, spf_name_t *name)
{
    spf_buf_init(text, text->data, text->cap);
    spf_buf_add_text(text, packer->options->prefix);
    spf_buf_add_uint(text, packer->number++);
    spf_buf_add_char(text, '.');
    spf_buf_add(text, packer->draft->domain, packer->draft->domain_length);
    return !text->full && packer->draft->domain_length > 0 && spf_name_from_text(name, text->data, text->len);
}

static bool is_taken(const packer_t *packer, const spf_name_t *name)
{
    return packer->options->is_taken != NULL && packer->options->is_taken(packer->options->user_data, name->text);
}

/* Names the part after the next number that is free. */
static bool name_part(packer_t *packer, part_t *part)
{
    char storage[2 * SPF_NAME_MAX], include[INCLUDE_MAX];
    spf_buf_t written = {.data = storage, .cap = sizeof storage};
    spf_name_t name;
    spf_buf_t text;
    bool is_name;

    do {
        is_name = next_name(packer, &written, &name);
    } while (is_name && is_taken(packer, &name));
    spf_buf_init(&text, include, sizeof include);
    spf_buf_add_text(&text, " include:");
    if (!is_name || !add_spec(&text, name.text)) {
        SPF_SENTENCE_SET(packer->error, "the record must be parted, and \"", written.data,
                         "\" cannot be the name of a further one");
        return false;
    }
    memcpy(part->name, name.text, name.length + 1u);
    part->include = spf_arena_copy(&packer->scratch, text.data, text.len);
    part->include_length = text.len;
    return part->include != NULL;
}

static size_t part_room(const packer_t *packer, const part_t *part)
{
    size_t text = spf_draft_text_max(strlen(part->name), packer->options->answer_max);

    return text > VERSION_LENGTH + FURTHER_END_LENGTH ? text - VERSION_LENGTH - FURTHER_END_LENGTH : 0;
}

/* Finds who includes each part: the first record as long as it has room, then parts before it. */
static bool find_hosts(packer_t *packer, const place_t *place, part_t *parts, unsigned count, size_t *main_room)
{
    size_t qualifier = spf_plan_qualifier(place->item->result) != '\0';

    for (unsigned i = 0; i < count; i++) {
        parts[i].room = part_room(packer, &parts[i]);
        parts[i].host = IN_MAIN;
        if (parts[i].include_length + qualifier <= *main_room) {
            *main_room -= parts[i].include_length + qualifier;
            continue;
        }
        unsigned host = 0;
        while (host < i && parts[host].room < parts[i].include_length)
            host++;
        if (host == i)
            return false;
        parts[host].room -= parts[i].include_length;
        parts[i].host = (int)(packer->part_count + host);
    }
    return true;
}

/* Fills that many parts, and the first record with what is left. */
static bool fill_parts(packer_t *packer, place_t *place, unsigned count)
{
    const spf_plan_item_t *item = place->item;
    part_t *parts = &packer->parts[packer->part_count];
    size_t main_room = packer->room;
    size_t at = 0;

    if (!find_hosts(packer, place, parts, count, &main_room))
        return false;
    for (unsigned i = 0; i < count; i++) {
        size_t octets;
        parts[i].item = item;
        parts[i].first = at;
        while (at < item->network_count &&
               (octets = network_octets(SPF_RESULT_PASS, &item->networks[at])) <= parts[i].room) {
            parts[i].room -= octets;
            at++;
        }
        parts[i].end = at;
    }
    place->first = at;
    for (; at < item->network_count; at++) {
        size_t octets = network_octets(item->result, &item->networks[at]);
        if (octets > main_room)
            return false;
        main_room -= octets;
    }
    packer->room = main_room;
    return true;
}

static spf_err_t too_many(packer_t *packer, const place_t *place)
{
    char storage[24];
    spf_buf_t count;

    spf_buf_init(&count, storage, sizeof storage);
    spf_buf_add_uint(&count, place->item->network_count);
    SPF_SENTENCE_SET(packer->error, "the ", count.data,
                     " networks that are left after merging take more records of this size than ten lookups allow");
    return SPF_EINVAL;
}

/* Puts the item's networks into as few parts as will hold them. */
static spf_err_t spill(packer_t *packer, place_t *place)
{
    for (unsigned count = 1; packer->part_count + count <= packer->parts_max; count++) {
        if (!name_part(packer, &packer->parts[packer->part_count + count - 1]))
            return packer->error->len > 0 ? SPF_EINVAL : SPF_ENOMEM;
        if (fill_parts(packer, place, count)) {
            packer->part_count += count;
            return SPF_OK;
        }
    }
    return too_many(packer, place);
}

/* ----------------------------------------------------------------------------------------------------- distribution */

/* Octets of a reference to a further record, with a number of two digits. */
static size_t reference_octets(const packer_t *packer, const place_t *place)
{
    return strlen(" include:") + strlen(packer->options->prefix) + 3 + packer->draft->domain_length +
           (spf_plan_qualifier(place->item->result) != '\0');
}

static place_t *largest_in_main(packer_t *packer)
{
    place_t *largest = NULL;

    for (size_t i = 0; i < packer->place_count; i++) {
        place_t *place = &packer->places[i];
        if (!place->is_spilled && (largest == NULL || place->octets > largest->octets))
            largest = place;
    }
    return largest;
}

static spf_err_t fixed_too_long(packer_t *packer)
{
    SPF_SENTENCE_SET(packer->error, "what must stay in the record of ", packer->draft->domain,
                     " is too long for a DNS answer of this size");
    return SPF_EINVAL;
}

/* Decides which items leave the first record, the largest first, and what room is left in it then. */
static spf_err_t choose_spilled(packer_t *packer, size_t text_max)
{
    size_t octets = fixed_octets(packer);

    for (size_t i = 0; i < packer->place_count; i++)
        octets += packer->places[i].octets;
    while ((octets > text_max || packer->is_short) && packer->options->prefix != NULL) {
        place_t *place = largest_in_main(packer);
        if (place == NULL || place->octets <= reference_octets(packer, place))
            break;
        place->is_spilled = true;
        octets = octets - place->octets + reference_octets(packer, place);
    }
    if (octets > text_max && packer->options->prefix != NULL)
        return fixed_too_long(packer);
    packer->room = octets < text_max && !packer->is_short ? text_max - octets : 0;
    return SPF_OK;
}

static spf_err_t distribute(packer_t *packer, size_t text_max)
{
    spf_err_t err = choose_spilled(packer, text_max);

    for (size_t i = 0; err == SPF_OK && i < packer->place_count; i++) {
        place_t *place = &packer->places[i];
        if (!place->is_spilled)
            continue;
        packer->room += reference_octets(packer, place);
        err = spill(packer, place);
    }
    return err;
}

static bool list_places(packer_t *packer)
{
    size_t count = 0;

    for (const spf_plan_item_t *item = packer->plan->first; item != NULL; item = item->next)
        count += item->term == NULL;
    packer->places = spf_arena_calloc(&packer->scratch, count * sizeof *packer->places);
    if (packer->places == NULL)
        return false;
    for (const spf_plan_item_t *item = packer->plan->first; item != NULL; item = item->next)
        if (item->term == NULL)
            packer->places[packer->place_count++] = (place_t){.item = item, .octets = item_octets(item)};
    return true;
}

/* ---------------------------------------------------------------------------------------------------------- writing */

static void write_includes(const packer_t *packer, spf_buf_t *buf, const spf_plan_item_t *item, int host)
{
    spf_result_t result = host == IN_MAIN ? item->result : SPF_RESULT_PASS;

    for (unsigned i = 0; i < packer->part_count; i++)
        if (packer->parts[i].item == item && packer->parts[i].host == host)
            add_term(buf, result, packer->parts[i].include + 1);
}

static const place_t *place_of(const packer_t *packer, const spf_plan_item_t *item)
{
    const place_t *place = packer->places;

    while (place->item != item)
        place++;
    return place;
}

static void write_main(const packer_t *packer, spf_buf_t *buf)
{
    const spf_plan_t *plan = packer->plan;

    spf_buf_add_text(buf, version);
    for (const spf_plan_item_t *item = plan->first; item != NULL; item = item->next) {
        if (item->term != NULL) {
            add_term(buf, item->result, item->term);
            continue;
        }
        for (size_t i = place_of(packer, item)->first; i < item->network_count; i++)
            add_network(buf, item->result, &item->networks[i]);
        write_includes(packer, buf, item, IN_MAIN);
    }
    for (size_t i = 0; i < packer->options->tail_count; i++)
        add_term(buf, SPF_RESULT_PASS, packer->options->tail[i]);
    if (plan->redirect != NULL)
        add_term(buf, SPF_RESULT_PASS, plan->redirect);
    if (has_all(plan))
        add_term(buf, plan->otherwise, "all");
}

static void write_part(const packer_t *packer, spf_buf_t *buf, unsigned index)
{
    const part_t *part = &packer->parts[index];

    spf_buf_add_text(buf, version);
    for (size_t i = part->first; i < part->end; i++)
        add_network(buf, SPF_RESULT_PASS, &part->item->networks[i]);
    write_includes(packer, buf, part->item, (int)index);
    spf_buf_add_text(buf, further_end);
}

/* What was written is read again: a record that nobody could read is not handed out. */
static spf_err_t add_record(packer_t *packer, const char *name, const spf_buf_t *text)
{
    spf_record_t *record = text->full ? NULL : spf_record_parse(text->data, text->len);
    bool is_good = record != NULL && record->error_term == SPF_NO_TERM;

    spf_record_unref(record);
    if (record == NULL || (is_good && !spf_draft_add_record(packer->draft, name, text->data, text->len)))
        return SPF_ENOMEM;
    if (is_good)
        return SPF_OK;
    SPF_SENTENCE_SET(packer->error, "the name ", name, " cannot stand in a record");
    return SPF_EINVAL;
}

static spf_err_t write_records(packer_t *packer)
{
    size_t size = fixed_octets(packer) + 1;
    spf_err_t err;
    spf_buf_t buf;

    for (size_t i = 0; i < packer->place_count; i++)
        size += packer->places[i].octets;
    for (unsigned i = 0; i < packer->part_count; i++)
        size += packer->parts[i].include_length + 1;
    size += VERSION_LENGTH + FURTHER_END_LENGTH;
    char *storage = spf_arena_alloc(&packer->scratch, size);
    if (storage == NULL)
        return SPF_ENOMEM;
    spf_buf_init(&buf, storage, size);
    write_main(packer, &buf);
    err = add_record(packer, packer->draft->domain, &buf);
    for (unsigned i = 0; err == SPF_OK && i < packer->part_count; i++) {
        spf_buf_init(&buf, storage, size);
        write_part(packer, &buf, i);
        err = add_record(packer, packer->parts[i].name, &buf);
    }
    return err;
}

/* -------------------------------------------------------------------------------------------------------------- all */

static unsigned kept_lookups(const spf_plan_t *plan)
{
    unsigned lookups = plan->redirect != NULL ? plan->redirect_lookups : 0;

    for (const spf_plan_item_t *item = plan->first; item != NULL; item = item->next)
        if (item->term != NULL)
            lookups += item->lookups;
    return lookups;
}

static size_t others_octets(const spf_draft_t *draft)
{
    size_t octets = 0;

    for (size_t i = 0; i < draft->other_count; i++)
        octets += spf_draft_record_octets(draft->others[i].length);
    return octets;
}

static spf_err_t pack(packer_t *packer, size_t main_answer_max)
{
    spf_err_t err;

    SPF_SENTENCE_SET(packer->error, "");
    packer->part_count = 0;
    packer->number = 1;
    packer->place_count = 0;
    packer->draft->record_count = 0;
    if (!list_places(packer))
        return SPF_ENOMEM;
    err = distribute(packer, spf_draft_text_max(packer->draft->domain_length, main_answer_max));
    return err == SPF_OK ? write_records(packer) : err;
}

/* Beside what the name publishes otherwise, or, where that leaves too little, as short as can be, or as if it were
 * alone. */
static spf_err_t pack_beside_others(packer_t *packer)
{
    size_t answer_max = packer->options->answer_max;
    size_t others = others_octets(packer->draft);
    spf_err_t err = SPF_EINVAL;
    char storage[24];
    spf_buf_t number;

    if (others < answer_max)
        err = pack(packer, answer_max - others);
    if (others == 0 || err != SPF_EINVAL)
        return err;
    packer->is_short = true;
    err = pack(packer, answer_max);
    if (err == SPF_EINVAL) {
        packer->is_short = false;
        err = pack(packer, answer_max);
    }
    if (err != SPF_OK)
        return err;
    spf_buf_init(&number, storage, sizeof storage);
    spf_buf_add_uint(&number, others);
    return SPF_DRAFT_ADD_NOTE(packer->draft, "The other TXT records of ", packer->draft->domain, " take ", number.data,
                              " octets of an answer: together with them the record may not fit a DNS answer over UDP.")
               ? SPF_OK
               : SPF_ENOMEM;
}

spf_err_t spf_pack(spf_draft_t *draft, const spf_plan_t *plan, const spf_pack_options_t *options, spf_buf_t *error)
{
    unsigned kept = kept_lookups(plan);
    packer_t packer = {.draft = draft, .plan = plan, .options = options, .error = error};
    spf_err_t err;

    packer.parts_max = kept < SPF_LOOKUPS_MAX ? SPF_LOOKUPS_MAX - kept : 0;
    err = pack_beside_others(&packer);
    draft->lookups = kept + packer.part_count;
    spf_arena_free(&packer.scratch);
    return err;
}
