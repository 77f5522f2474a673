/* SPDX-License-Identifier: MIT */
#include "dns/zones.h"

#include "base/ip.h"
#include "dns/master_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 256 * 1024 * 1024, LINE_MAX_OCTETS = 60000, OUTPUT_SIZE = 2 * LINE_MAX_OCTETS };

/* The merged zone on its way into the anonymous file. */
typedef struct spf_zone_writer {
    int fd;
    spf_buf_t line; /* of the present record */
    char *storage;
    size_t room;
    bool has_failed; /* errno tells */
} spf_zone_writer_t;

/* A negative answer may be kept for as long as its last field says. */
static const char synthetic_soa[] = ". 300 IN SOA . . 1 3600 600 86400 300\n";
/* Stands for a record that libunbound shall not act on, so that its owner exists all the same. */
static const char placeholder[] = "TYPE65280 \\# 0";

/* ----------------------------------------------------------------------------------------------------------- files */

static spf_err_t fail_file(spf_buf_t *error, const char *path, int number)
{
    spf_buf_add_text(error, path);
    spf_buf_add_text(error, ": ");
    spf_buf_add_text(error, number == EFBIG ? "not a file of at most 256 MB" : strerrordesc_np(number));
    return number == ENOMEM ? SPF_ENOMEM : SPF_ECONFIG;
}

static bool read_all(int fd, char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        ssize_t count = read(fd, text + at, length - at);
        if (count == 0)
            errno = EIO; /* it became shorter while it was read */
        if (count == 0 || (count < 0 && errno != EINTR))
            return false;
        at += count > 0 ? (size_t)count : 0;
    }
    return true;
}

static bool read_open_file(int fd, char **text, size_t *length)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return false;
    if (!S_ISREG(status.st_mode) || status.st_size > FILE_MAX) {
        errno = EFBIG;
        return false;
    }
    *length = (size_t)status.st_size;
    *text = malloc(*length + 1);
    if (*text && read_all(fd, *text, *length))
        return true;
    free(*text);
    return false;
}

static spf_err_t read_file(const char *path, char **text, size_t *length, spf_buf_t *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fail_file(error, path, errno);
    bool is_read = read_open_file(fd, text, length);
    int number = errno;
    close(fd);
    return is_read ? SPF_OK : fail_file(error, path, number);
}

/* ---------------------------------------------------------------------------------------------------------- output */

static void add_escaped(spf_buf_t *line, uint8_t octet)
{
    char escape[4] = {'\\', (char)('0' + octet / 100), (char)('0' + octet / 10 % 10), (char)('0' + octet % 10)};
    spf_buf_add(line, escape, sizeof escape);
}

static bool is_letter_or_digit(uint8_t octet)
{
    return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') || (octet >= '0' && octet <= '9');
}

/* A lone * must stay as it is: it makes a wildcard (RFC 4592 section 2.1.1). */
static void add_name(spf_buf_t *line, const spf_wire_name_t *name)
{
    for (size_t at = 0; name->octets[at]; at += 1u + name->octets[at]) {
        for (size_t i = 1; i <= name->octets[at]; i++) {
            uint8_t octet = name->octets[at + i];
            if (is_letter_or_digit(octet) || octet == '-' || octet == '_' || octet == '*')
                spf_buf_add_char(line, (char)octet);
            else
                add_escaped(line, octet);
        }
        spf_buf_add_char(line, '.');
    }
    if (name->length == 1)
        spf_buf_add_char(line, '.');
}

static void add_string(spf_buf_t *line, const uint8_t *octets, size_t length)
{
    spf_buf_add_char(line, '"');
    for (size_t i = 0; i < length; i++) {
        if (octets[i] >= ' ' && octets[i] < 0x7F && octets[i] != '"' && octets[i] != '\\')
            spf_buf_add_char(line, (char)octets[i]);
        else
            add_escaped(line, octets[i]);
    }
    spf_buf_add_text(line, "\" ");
}

static void flush(spf_zone_writer_t *writer)
{
    const spf_buf_t *line = &writer->line;
    for (size_t at = 0; at < line->len && !writer->has_failed;) {
        ssize_t count = write(writer->fd, line->data + at, line->len - at);
        if (count < 0 && errno != EINTR)
            writer->has_failed = true;
        at += count > 0 ? (size_t)count : 0;
    }
    spf_buf_init(&writer->line, writer->storage, writer->room);
}

/* ------------------------------------------------------------------------------------------------------ record data */

typedef bool (*spf_rdata_writer_t)(spf_master_t *master, spf_buf_t *line);

/* A token that must be there. */
static bool need(spf_master_t *master, spf_master_token_t *token, const char *what)
{
    spf_master_next_t next = spf_master_next_token(master, token);
    if (next == SPF_MASTER_END)
        spf_master_fail(master, what, NULL);
    return next == SPF_MASTER_ITEM;
}

static bool write_a(spf_master_t *master, spf_buf_t *line)
{
    static const char allowed[] = "A takes one IPv4 address, as in 192.0.2.1";
    spf_master_token_t token;
    spf_ip_t ip;
    if (!need(master, &token, allowed))
        return false;
    if (!spf_ip_parse_v4(&ip, token.text, token.length))
        return spf_master_fail(master, allowed, &token);
    spf_buf_add(line, token.text, token.length);
    return true;
}

static bool write_aaaa(spf_master_t *master, spf_buf_t *line)
{
    static const char allowed[] = "AAAA takes one IPv6 address, as in 2001:db8::1";
    spf_master_token_t token;
    spf_ip_t ip;
    if (!need(master, &token, allowed))
        return false;
    if (!spf_ip_parse_v6(&ip, token.text, token.length))
        return spf_master_fail(master, allowed, &token);
    spf_buf_add(line, token.text, token.length);
    return true;
}

static bool write_host(spf_master_t *master, spf_buf_t *line)
{
    spf_master_token_t token;
    spf_wire_name_t name;
    if (!need(master, &token, "a host name must follow") || !spf_master_name(master, &token, &name))
        return false;
    add_name(line, &name);
    return true;
}

static bool write_mx(spf_master_t *master, spf_buf_t *line)
{
    static const char allowed[] = "MX takes a preference from 0 to 65535 and a host name";
    spf_master_token_t token;
    if (!need(master, &token, allowed))
        return false;
    unsigned preference = 0;
    for (size_t i = 0; i < token.length; i++) {
        if (token.text[i] < '0' || token.text[i] > '9' || preference > UINT16_MAX / 10)
            return spf_master_fail(master, allowed, &token);
        preference = preference * 10 + (unsigned)(token.text[i] - '0');
    }
    if (!token.length || preference > UINT16_MAX)
        return spf_master_fail(master, allowed, &token);
    spf_buf_add_uint(line, preference);
    spf_buf_add_char(line, ' ');
    return write_host(master, line);
}

static bool write_txt(spf_master_t *master, spf_buf_t *line)
{
    spf_master_token_t token;
    spf_master_next_t next = SPF_MASTER_ITEM;
    if (!need(master, &token, "TXT takes one or more strings, as in \"v=spf1 -all\""))
        return false;
    if (!token.is_quoted && token.length == 2 && memcmp(token.text, "\\#", 2) == 0) /* RFC 3597 section 5 */
        return spf_master_fail(master, "data in hexadecimal is not supported; write strings", &token);
    for (; next == SPF_MASTER_ITEM; next = spf_master_next_token(master, &token)) {
        uint8_t octets[SPF_CHARACTER_STRING_MAX];
        size_t length;
        if (!spf_master_string(master, &token, octets, &length))
            return false;
        add_string(line, octets, length);
    }
    return next == SPF_MASTER_END;
}

static bool write_placeholder(spf_master_t *master, spf_buf_t *line)
{
    spf_master_token_t token;
    spf_master_next_t next;
    do {
        next = spf_master_next_token(master, &token);
    } while (next == SPF_MASTER_ITEM);
    spf_buf_add_text(line, placeholder);
    return next == SPF_MASTER_END;
}

/* The types that SPF asks for, and aliases. Anything else could send libunbound elsewhere (NS) or apart (a second SOA),
 * and nobody asks for it. */
static const struct {
    const char *type;
    spf_rdata_writer_t write;
} rdata_writers[] = {
    {"A", write_a},      {"AAAA", write_aaaa}, {"CNAME", write_host}, {"MX", write_mx},
    {"PTR", write_host}, {"TXT", write_txt},   {"SPF", write_txt},
};

static bool write_rdata(spf_master_t *master, const char *type, spf_buf_t *line)
{
    spf_master_token_t extra;
    for (size_t i = 0; type && i < sizeof rdata_writers / sizeof *rdata_writers; i++) {
        if (strcmp(type, rdata_writers[i].type) != 0)
            continue;
        spf_buf_add_text(line, type);
        spf_buf_add_char(line, ' ');
        if (!rdata_writers[i].write(master, line))
            return false;
        spf_master_next_t next = spf_master_next_token(master, &extra);
        return next == SPF_MASTER_ITEM ? spf_master_fail(master, "nothing may follow the data of the record", &extra)
                                       : next == SPF_MASTER_END;
    }
    return write_placeholder(master, line);
}

static bool write_record(spf_master_t *master, const spf_master_record_t *record, spf_zone_writer_t *writer)
{
    spf_buf_t *line = &writer->line;
    size_t start = line->len;
    add_name(line, record->owner);
    spf_buf_add_char(line, ' ');
    spf_buf_add_uint(line, record->ttl_s);
    spf_buf_add_text(line, " IN ");
    if (!write_rdata(master, record->type, line))
        return false;
    spf_buf_add_char(line, '\n');
    if (line->full || line->len - start > LINE_MAX_OCTETS)
        return spf_master_fail(master, "the record is too long; allowed are 60000 characters", NULL);
    if (line->len > OUTPUT_SIZE - LINE_MAX_OCTETS)
        flush(writer);
    return true;
}

/* ---------------------------------------------------------------------------------------------------------- merging */

static spf_err_t merge_text(const char *source, const char *text, size_t length, spf_zone_writer_t *writer,
                            spf_buf_t *error)
{
    spf_master_t master;
    spf_master_record_t record;
    spf_master_next_t next;
    spf_master_init(&master, source, text, length, error);
    while ((next = spf_master_next_record(&master, &record)) == SPF_MASTER_ITEM) {
        if (!write_record(&master, &record, writer))
            return SPF_ECONFIG;
    }
    return next == SPF_MASTER_END ? SPF_OK : SPF_ECONFIG;
}

static spf_err_t merge_zone(const spf_dns_zone_t *zone, spf_zone_writer_t *writer, spf_buf_t *error)
{
    if (!zone->path)
        return merge_text("zone text", zone->text, zone->text_length, writer, error);
    char *text;
    size_t length;
    spf_err_t result = read_file(zone->path, &text, &length, error);
    if (result != SPF_OK)
        return result;
    result = merge_text(zone->path, text, length, writer, error);
    free(text);
    return result;
}

static spf_err_t merge_all(const spf_dns_zone_t *zones, spf_zone_writer_t *writer, spf_buf_t *error)
{
    spf_err_t result = SPF_OK;
    spf_buf_init(&writer->line, writer->storage, writer->room);
    spf_buf_add_text(&writer->line, synthetic_soa);
    for (; zones && result == SPF_OK; zones = zones->next)
        result = merge_zone(zones, writer, error);
    if (result != SPF_OK)
        return result;
    flush(writer);
    if (!writer->has_failed)
        return SPF_OK;
    fail_file(error, "zones in memory", errno);
    return SPF_ESYSTEM;
}

spf_err_t spf_zones_merge(const spf_dns_zone_t *zones, int *fd, spf_buf_t *error)
{
    spf_zone_writer_t writer = {.room = OUTPUT_SIZE + 1, .fd = memfd_create("spf-zones", MFD_CLOEXEC)};
    if (writer.fd < 0) {
        fail_file(error, "zones in memory", errno);
        return SPF_ESYSTEM;
    }
    writer.storage = malloc(writer.room);
    spf_err_t result = writer.storage ? merge_all(zones, &writer, error) : SPF_ENOMEM;
    free(writer.storage);
    if (result == SPF_OK)
        *fd = writer.fd;
    else
        close(writer.fd);
    return result;
}

/* ---------------------------------------------------------------------------------------------------- trust anchors */

static bool skip_data(spf_master_t *master, unsigned *count)
{
    spf_master_token_t token;
    spf_master_next_t next;
    for (*count = 0; (next = spf_master_next_token(master, &token)) == SPF_MASTER_ITEM;)
        ++*count;
    return next == SPF_MASTER_END;
}

static bool check_anchor_text(spf_master_t *master)
{
    enum { FIELDS = 4 }; /* of a DS or DNSKEY, RFC 4034 sections 2.2 and 5.3 */
    static const char allowed[] = "a trust-anchor file holds DS or DNSKEY records in master-file format";
    spf_master_record_t record;
    spf_master_next_t next;
    bool is_found = false;
    while ((next = spf_master_next_record(master, &record)) == SPF_MASTER_ITEM) {
        unsigned fields;
        bool is_anchor = record.type && (strcmp(record.type, "DS") == 0 || strcmp(record.type, "DNSKEY") == 0);
        if (!skip_data(master, &fields))
            return false;
        if (is_anchor && fields < FIELDS)
            return spf_master_fail(master, "DS and DNSKEY have four fields", NULL);
        is_found = is_found || is_anchor;
    }
    if (next == SPF_MASTER_ERROR)
        return false;
    return is_found ? true : spf_master_fail(master, allowed, NULL);
}

spf_err_t spf_zones_check_anchor(const char *path, spf_buf_t *error)
{
    char *text;
    size_t length;
    spf_err_t result = read_file(path, &text, &length, error);
    if (result != SPF_OK)
        return result;
    spf_master_t master;
    spf_master_init(&master, path, text, length, error);
    result = check_anchor_text(&master) ? SPF_OK : SPF_ECONFIG;
    free(text);
    return result;
}
