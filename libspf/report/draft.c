/* SPDX-License-Identifier: MIT */
/* Drafts as zone-file lines, as commands of nsupdate(1) and as JSON. */
#include "tools/draft.h"

#include "base/ascii.h"
#include "report/object.h"

#include <errno.h>
#include <string.h>

enum { STRING_MAX = 255, TTL_USUAL = 3600 };

/* Octets of "\DDD", and of what stands in a line beside names and texts. */
static const size_t escaped = 4, line_room = 128;

/* ------------------------------------------------------------------------------------- presentation (RFC 1035, 5.1) */

static void add_escaped(spf_buf_t *buf, char octet)
{
    unsigned char number = (unsigned char)octet;

    spf_buf_add_char(buf, '\\');
    if (spf_ascii_is_visible(octet)) {
        spf_buf_add_char(buf, octet);
        return;
    }
    spf_buf_add_char(buf, (char)('0' + number / 100));
    spf_buf_add_char(buf, (char)('0' + number / 10 % 10));
    spf_buf_add_char(buf, (char)('0' + number % 10));
}

/* "example.com."; "@", the zone itself, for no name */
static void add_name(spf_buf_t *buf, const char *name)
{
    if (name[0] == '\0') {
        spf_buf_add_char(buf, '@');
        return;
    }
    for (; *name != '\0'; name++) {
        if (spf_ascii_is_alphanum(*name) || *name == '-' || *name == '_' || *name == '.')
            spf_buf_add_char(buf, *name);
        else
            add_escaped(buf, *name);
    }
    spf_buf_add_char(buf, '.');
}

/* "strings" "of at most 255 octets" */
static void add_strings(spf_buf_t *buf, const char *text, size_t length)
{
    size_t at = 0;

    do {
        size_t end = length - at > STRING_MAX ? at + STRING_MAX : length;
        spf_buf_add_text(buf, at > 0 ? " \"" : "\"");
        for (; at < end; at++) {
            bool is_plain = (spf_ascii_is_visible(text[at]) || text[at] == ' ') && text[at] != '"' && text[at] != '\\';
            if (is_plain)
                spf_buf_add_char(buf, text[at]);
            else
                add_escaped(buf, text[at]);
        }
        spf_buf_add_char(buf, '"');
    } while (at < length);
}

/* NAME [TTL] IN TXT "TEXT" */
static void add_record(spf_buf_t *buf, const char *name, uint32_t ttl_s, const char *text, size_t length)
{
    add_name(buf, name);
    if (ttl_s > 0) {
        spf_buf_add_char(buf, ' ');
        spf_buf_add_uint(buf, ttl_s);
    }
    spf_buf_add_text(buf, " IN TXT ");
    add_strings(buf, text, length);
}

/* Room for all of the draft's records and names, each name three times. */
static size_t room_of(const spf_draft_t *draft)
{
    size_t room = line_room;

    for (size_t i = 0; i < draft->record_count; i++)
        room += 3 * line_room + 3 * escaped * strlen(draft->records[i].name) + 2 * escaped * draft->records[i].length;
    for (size_t i = 0; i < draft->other_count; i++)
        room += line_room + escaped * draft->domain_length + 2 * escaped * draft->others[i].length;
    return room;
}

static bool text_begin(spf_draft_t *draft, spf_buf_t *buf, size_t more)
{
    size_t room = room_of(draft) + more;
    char *storage = spf_arena_alloc(&draft->arena, room);

    if (storage != NULL)
        spf_buf_init(buf, storage, room);
    return storage != NULL;
}

const char *spf_draft_zone(spf_draft_t *draft, uint32_t ttl_s)
{
    int saved_errno = errno;
    bool is_good;
    spf_buf_t buf;

    is_good = text_begin(draft, &buf, 0);
    for (size_t i = 0; is_good && i < draft->record_count; i++) {
        const spf_draft_record_t *record = &draft->records[i];
        if (i > 0)
            spf_buf_add_char(&buf, '\n');
        add_record(&buf, record->name, ttl_s, record->text, record->length);
    }
    errno = saved_errno;
    return is_good ? buf.data : NULL;
}

/* --------------------------------------------------------------------------------------------------------- nsupdate */

/* "server ADDR PORT" of "ADDR@PORT" */
static void add_server(spf_buf_t *buf, const char *server)
{
    const char *at = strchr(server, '@');
    size_t length = at != NULL ? (size_t)(at - server) : strlen(server);

    spf_buf_add_text(buf, "server ");
    spf_buf_add_printable(buf, server, length, false);
    if (at != NULL) {
        spf_buf_add_char(buf, ' ');
        spf_buf_add_printable(buf, at + 1, strlen(at + 1), false);
    }
    spf_buf_add_char(buf, '\n');
}

static void add_update(spf_buf_t *buf, const char *name, uint32_t ttl_s, const char *text, size_t length)
{
    spf_buf_add_text(buf, "update add ");
    add_record(buf, name, ttl_s, text, length);
    spf_buf_add_char(buf, '\n');
}

static void add_command(spf_buf_t *buf, const char *command, const char *name)
{
    spf_buf_add_text(buf, command);
    spf_buf_add_char(buf, ' ');
    add_name(buf, name);
    spf_buf_add_text(buf, " TXT\n");
}

/* All in one message, so that it is done as a whole or not at all (RFC 2136 section 3). */
static void add_updates(spf_buf_t *buf, const spf_draft_t *draft, uint32_t ttl_s)
{
    if (!draft->knows_others)
        add_command(buf, "prereq nxrrset", draft->domain);
    for (size_t i = 0; i < draft->record_count; i++) {
        const spf_draft_record_t *record = &draft->records[i];
        if (i > 0 || draft->knows_others)
            add_command(buf, "update delete", record->name);
        add_update(buf, record->name, ttl_s, record->text, record->length);
    }
    for (size_t i = 0; i < draft->other_count; i++)
        add_update(buf, draft->domain, ttl_s, draft->others[i].data, draft->others[i].length);
    spf_buf_add_text(buf, "send");
}

const char *spf_draft_nsupdate(spf_draft_t *draft, uint32_t ttl_s, const char *zone, const char *server)
{
    size_t more = (zone != NULL ? strlen(zone) : 0) + (server != NULL ? strlen(server) : 0);
    int saved_errno = errno;
    bool is_good = draft->domain_length > 0;
    spf_buf_t buf;

    is_good = is_good && text_begin(draft, &buf, more);
    errno = saved_errno;
    if (!is_good)
        return NULL;
    if (server != NULL)
        add_server(&buf, server);
    if (zone != NULL) {
        spf_buf_add_text(&buf, "zone ");
        spf_buf_add_printable(&buf, zone, strlen(zone), false);
        spf_buf_add_char(&buf, '\n');
    }
    add_updates(&buf, draft, ttl_s > 0 ? ttl_s : TTL_USUAL);
    return buf.data;
}

/* ------------------------------------------------------------------------------------------------------------- JSON */

static json_t *strings_array(const spf_draft_record_t *record)
{
    json_t *array = json_array();

    for (size_t at = 0; array != NULL && at < record->length; at += STRING_MAX) {
        size_t length = record->length - at > STRING_MAX ? STRING_MAX : record->length - at;
        if (!spf_json_append(array, json_stringn(record->text + at, length))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *record_object(spf_arena_t *arena, const spf_draft_record_t *record)
{
    spf_object_t object = spf_object_begin(arena);

    spf_object_set_text(&object, "name", record->name);
    spf_object_set_octets(&object, "text", record->text, record->length);
    spf_object_set(&object, "strings", strings_array(record));
    spf_object_set_number(&object, "answer_octets", record->answer_octets);
    return spf_object_end(&object);
}

static json_t *records_array(spf_arena_t *arena, const spf_draft_t *draft)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && i < draft->record_count; i++) {
        if (!spf_json_append(array, record_object(arena, &draft->records[i]))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *notes_array(const spf_draft_t *draft)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && i < draft->note_count; i++) {
        if (!spf_json_append(array, json_string(draft->notes[i]))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

const char *spf_draft_json(spf_draft_t *draft)
{
    int saved_errno = errno;
    spf_arena_t scratch = SPF_ARENA_EMPTY;
    spf_object_t object = spf_object_begin(&scratch);
    const char *text;
    json_t *json;

    spf_object_set_text(&object, "domain", draft->domain);
    spf_object_set_number(&object, "lookups", draft->lookups);
    spf_object_set(&object, "records", records_array(&scratch, draft));
    spf_object_set(&object, "notes", notes_array(draft));
    json = spf_object_end(&object);
    text = json != NULL ? spf_json_text(&draft->arena, json) : NULL;
    json_decref(json);
    spf_arena_free(&scratch);
    errno = saved_errno;
    return text;
}
