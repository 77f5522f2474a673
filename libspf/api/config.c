/* SPDX-License-Identifier: MIT */
/* Settings by name: one table of keys serves spf_config_set(), files and error messages. */
#include "api/config.h"

#include "base/ip.h"
#include "base/name.h"
#include "syntax/macro.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FILE_MAX = 1 << 20,    /* octets of a configuration file */
    LIST_MAX = 256,        /* resolvers, and zone files */
    EXPLANATION_MAX = 512, /* octets */
    SHOWN_MAX = 120        /* octets of a wrong value that an error repeats */
};

typedef struct spf_key spf_key_t;

/* Octets of a key or a value: never NUL-terminated, a file may hold anything. */
typedef struct spf_span {
    const char *text;
    size_t length;
} spf_span_t;

/* How a value was taken. */
typedef enum spf_taken { TAKEN, WRONG, NO_MEMORY } spf_taken_t;

struct spf_key {
    const char *name;
    spf_taken_t (*take)(void *field, const spf_key_t *key, spf_span_t value);
    size_t offset; /* of what it sets in spf_settings_t */
    uint64_t min, max;
    const char *problem; /* completes the sentence: timeout: "abc" ... */
};

static bool span_equals(spf_span_t span, const char *word)
{
    return span.length == strlen(word) && memcmp(span.text, word, span.length) == 0;
}

static bool is_blank(char octet)
{
    return octet == ' ' || octet == '\t' || octet == '\r';
}

static bool is_printable(spf_span_t span)
{
    for (size_t i = 0; i < span.length; i++)
        if (span.text[i] < ' ' || span.text[i] > '~')
            return false;
    return true;
}

/* Replaces the text at *field by a copy of span. */
static spf_taken_t store_text(char **field, spf_span_t span)
{
    char *copy = malloc(span.length + 1);

    if (copy == NULL)
        return NO_MEMORY;
    memcpy(copy, span.text, span.length);
    copy[span.length] = '\0';
    free(*field);
    *field = copy;
    return TAKEN;
}

/* ------------------------------------------------------------------------------------------------ kinds of values */

/* Takes decimal digits off the front of *span. False if there are none, or more than 18: no key goes that far. */
static bool take_digits(spf_span_t *span, uint64_t *number)
{
    size_t digits = 0;

    *number = 0;
    while (digits < span->length && span->text[digits] >= '0' && span->text[digits] <= '9') {
        if (digits == 18)
            return false;
        *number = *number * 10 + (uint64_t)(span->text[digits++] - '0');
    }
    span->text += digits;
    span->length -= digits;
    return digits > 0;
}

static spf_taken_t take_count(void *field, const spf_key_t *key, spf_span_t value)
{
    uint64_t number;

    if (!take_digits(&value, &number) || value.length != 0 || number < key->min || number > key->max)
        return WRONG;
    *(unsigned *)field = (unsigned)number;
    return TAKEN;
}

static spf_taken_t take_size(void *field, const spf_key_t *key, spf_span_t value)
{
    static const char suffixes[] = "kmg";
    uint64_t number;

    if (!take_digits(&value, &number) || value.length > 1 || number > key->max)
        return WRONG;
    if (value.length == 1) {
        const char *suffix = memchr(suffixes, value.text[0], strlen(suffixes));
        if (suffix == NULL)
            return WRONG;
        unsigned shift = 10 * (unsigned)(suffix - suffixes + 1);
        if (number > key->max >> shift)
            return WRONG;
        number <<= shift;
    }
    if (number < key->min)
        return WRONG;
    *(uint64_t *)field = number;
    return TAKEN;
}

/* Seconds with a fraction, kept in microseconds. */
static spf_taken_t take_seconds(void *field, const spf_key_t *key, spf_span_t value)
{
    uint64_t whole, us;

    if (!take_digits(&value, &whole) || whole > key->max / 1000000)
        return WRONG;
    us = whole * 1000000;
    if (value.length > 1 && value.text[0] == '.') {
        uint64_t unit = 100000;
        for (value.text++, value.length--; value.length > 0; value.text++, value.length--, unit /= 10) {
            if (value.text[0] < '0' || value.text[0] > '9')
                return WRONG;
            us += (uint64_t)(value.text[0] - '0') * unit;
        }
    }
    if (value.length != 0 || us < key->min || us > key->max)
        return WRONG;
    *(uint64_t *)field = us;
    return TAKEN;
}

static spf_taken_t take_flag(void *field, const spf_key_t *key, spf_span_t value)
{
    (void)key;
    if (!span_equals(value, "yes") && !span_equals(value, "no"))
        return WRONG;
    *(bool *)field = span_equals(value, "yes");
    return TAKEN;
}

/* A file's name: anything that a path can be. */
static spf_taken_t take_path(void *field, const spf_key_t *key, spf_span_t value)
{
    (void)key;
    if (value.length == 0 || memchr(value.text, '\0', value.length) != NULL)
        return WRONG;
    return store_text(field, value);
}

static bool is_host_name(const char *text, size_t length)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    spf_name_t name;

    for (size_t i = 0; i < length; i++)
        if (memchr(allowed, text[i], strlen(allowed)) == NULL)
            return false;
    return spf_name_from_text(&name, text, length);
}

static spf_taken_t take_host(void *field, const spf_key_t *key, spf_span_t value)
{
    (void)key;
    return is_host_name(value.text, value.length) ? store_text(field, value) : WRONG;
}

/* An explain-string of one's own (RFC 7208 section 6.2): its macros are expanded as in a domain's. */
static spf_taken_t take_explanation(void *field, const spf_key_t *key, spf_span_t value)
{
    spf_macro_token_t token;
    const char *error;
    size_t position = 0;
    int found;

    if (value.length < key->min || value.length > key->max || !is_printable(value))
        return WRONG;
    do
        found = spf_macro_next(value.text, value.length, &position, SPF_MACRO_IN_EXPLANATION, &token, &error);
    while (found > 0);
    return found == 0 ? store_text(field, value) : WRONG;
}

/* -------------------------------------------------------------------------------------------- resolvers and zones */

static void free_list(char **list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++)
        free(list[i]);
    free(list);
}

static size_t list_length(char *const *list)
{
    size_t length = 0;

    while (list != NULL && list[length] != NULL)
        length++;
    return length;
}

/* Adds a copy of span to a NULL-terminated list, which moves. */
static spf_taken_t list_add(char ***list, spf_span_t span)
{
    size_t length = list_length(*list);

    if (length == LIST_MAX)
        return WRONG;
    char **longer = realloc(*list, (length + 2) * sizeof *longer);
    if (longer == NULL)
        return NO_MEMORY;
    *list = longer;
    longer[length] = NULL;
    longer[length + 1] = NULL;
    return store_text(&longer[length], span);
}

/* ADDR[@PORT] with an address literal and a port from 1 to 65535. */
static bool is_resolver_address(spf_span_t value)
{
    const char *at = memchr(value.text, '@', value.length);
    size_t length = at == NULL ? value.length : (size_t)(at - value.text);
    spf_ip_t ip;
    uint64_t port;

    if (!spf_ip_parse_v4(&ip, value.text, length) && !spf_ip_parse_v6(&ip, value.text, length))
        return false;
    if (at == NULL)
        return true;
    spf_span_t rest = {at + 1, value.length - length - 1};
    return take_digits(&rest, &port) && rest.length == 0 && port >= 1 && port <= 65535;
}

/* A word replaces all that was set before; the first address replaces a word, later ones add to it. */
static spf_taken_t take_resolver(void *field, const spf_key_t *key, spf_span_t value)
{
    static const struct {
        const char *word;
        spf_dns_source_t source;
    } words[] = {{"system", SPF_DNS_SYSTEM}, {"recursive", SPF_DNS_RECURSIVE}, {"none", SPF_DNS_ZONES_ONLY}};
    spf_dns_settings_t *dns = field;

    (void)key;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!span_equals(value, words[i].word))
            continue;
        free_list(dns->forwarders);
        dns->forwarders = NULL;
        dns->source = words[i].source;
        return TAKEN;
    }
    if (!is_resolver_address(value))
        return WRONG;
    spf_taken_t taken = list_add(&dns->forwarders, value);
    if (taken == TAKEN)
        dns->source = SPF_DNS_FORWARD;
    return taken;
}

static void free_zones(spf_dns_zone_t *zone)
{
    while (zone != NULL) {
        spf_dns_zone_t *next = zone->next;
        free(zone->path);
        free(zone->text);
        free(zone);
        zone = next;
    }
}

/* A zone of its own: from the file at path, or, without one, of text. */
static spf_dns_zone_t *zone_new(const char *path, const char *text, size_t text_length)
{
    spf_dns_zone_t *zone = calloc(1, sizeof *zone);

    if (zone == NULL)
        return NULL;
    zone->text_length = text_length;
    spf_taken_t taken = path != NULL ? store_text(&zone->path, (spf_span_t){path, strlen(path)})
                                     : store_text(&zone->text, (spf_span_t){text, text_length});
    if (taken != TAKEN) {
        free(zone);
        return NULL;
    }
    return zone;
}

static spf_dns_zone_t **zones_end(spf_dns_zone_t **zones, size_t *count)
{
    for (*count = 0; *zones != NULL; ++*count)
        zones = &(*zones)->next;
    return zones;
}

static spf_taken_t take_zone(void *field, const spf_key_t *key, spf_span_t value)
{
    size_t count;
    spf_dns_zone_t **end = zones_end(field, &count);
    char *path = NULL;

    if (count >= LIST_MAX)
        return WRONG;
    spf_taken_t taken = take_path(&path, key, value);
    if (taken != TAKEN)
        return taken;
    *end = zone_new(path, NULL, 0);
    free(path);
    return *end != NULL ? TAKEN : NO_MEMORY;
}

/* ------------------------------------------------------------------------------------------------------- the keys */

#define FIELD(member) offsetof(spf_settings_t, member)

static const spf_key_t keys[] = {
    {"resolver", take_resolver, FIELD(dns), 0, 0,
     "is neither system, recursive nor none, nor an IP address with or without @PORT (at most 256 of these)"},
    {"zone", take_zone, FIELD(dns.zones), 0, 0, "is no name of a zone file (at most 256 may be given)"},
    {"timeout", take_seconds, FIELD(timeout_us), 1000, 600000000, "is no number of seconds from 0.001 to 600"},
    {"max-lookups", take_count, FIELD(limits.lookups), 1, SPF_LOOKUPS_MAX, "is no whole number from 1 to 10"},
    {"max-void-lookups", take_count, FIELD(limits.void_lookups), 0, 10, "is no whole number from 0 to 10"},
    {"max-mx-hosts", take_count, FIELD(limits.mx_hosts), 1, SPF_HOSTS_MAX, "is no whole number from 1 to 10"},
    {"max-ptr-names", take_count, FIELD(limits.ptr_names), 1, SPF_HOSTS_MAX, "is no whole number from 1 to 10"},
    {"prefetch", take_flag, FIELD(prefetch), 0, 0, "is neither yes nor no"},
    {"trust-anchor", take_path, FIELD(dns.trust_anchor), 0, 0, "is no name of a file"},
    {"receiver", take_host, FIELD(receiver), 0, 0, "is no host name"},
    {"explanation", take_explanation, FIELD(explanation), 1, EXPLANATION_MAX,
     "is no explanation: 1 to 512 printable ASCII characters, in which macros are expanded (%% is a percent sign)"},
    {"record-cache", take_size, FIELD(record_cache_bytes), 0, UINT64_C(1) << 30, "is no size from 0 to 1g"},
    {"dns-cache", take_size, FIELD(dns.cache_bytes), UINT64_C(64) << 10, UINT64_C(4) << 30,
     "is no size from 64k to 4g"},
    {"outgoing-sockets", take_count, FIELD(dns.outgoing_sockets), 16, 16384, "is no whole number from 16 to 16384"},
};

enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

/* --------------------------------------------------------------------------------------------------------- errors */

/* Where a value stands: line 0 is no file's. */
typedef struct spf_place {
    const char *path;
    unsigned line;
} spf_place_t;

static void add_shown(spf_buf_t *buf, const char *text, size_t length)
{
    spf_buf_add_printable(buf, text, length < SHOWN_MAX ? length : SHOWN_MAX, true);
    if (length > SHOWN_MAX)
        spf_buf_add_text(buf, "...");
}

static void add_quoted(spf_buf_t *buf, spf_span_t span)
{
    spf_buf_add_char(buf, '"');
    add_shown(buf, span.text, span.length);
    spf_buf_add_char(buf, '"');
}

static void error_start(spf_buf_t *buf, spf_config_t *config, const spf_place_t *place)
{
    spf_buf_init(buf, config->error, sizeof config->error);
    if (place->path == NULL)
        return;
    add_shown(buf, place->path, strlen(place->path));
    if (place->line > 0) {
        spf_buf_add_char(buf, ':');
        spf_buf_add_uint(buf, place->line);
    }
    spf_buf_add_text(buf, ": ");
}

static spf_err_t no_memory(spf_config_t *config)
{
    spf_buf_t buf;

    spf_buf_init(&buf, config->error, sizeof config->error);
    spf_buf_add_text(&buf, "out of memory");
    return SPF_ENOMEM;
}

static spf_err_t wrong_value(spf_config_t *config, const spf_place_t *place, const spf_key_t *key, spf_span_t value)
{
    spf_buf_t buf;

    error_start(&buf, config, place);
    spf_buf_add_text(&buf, key->name);
    spf_buf_add_text(&buf, ": ");
    add_quoted(&buf, value);
    spf_buf_add_char(&buf, ' ');
    spf_buf_add_text(&buf, key->problem);
    return SPF_ECONFIG;
}

static spf_err_t unknown_key(spf_config_t *config, const spf_place_t *place, spf_span_t name)
{
    spf_buf_t buf;

    error_start(&buf, config, place);
    add_quoted(&buf, name);
    spf_buf_add_text(&buf, " is no key; the keys are ");
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (i > 0)
            spf_buf_add_text(&buf, i + 1 < KEY_COUNT ? ", " : " and ");
        spf_buf_add_text(&buf, keys[i].name);
    }
    return SPF_ECONFIG;
}

static spf_err_t wrong_line(spf_config_t *config, const spf_place_t *place, spf_span_t line)
{
    spf_buf_t buf;

    error_start(&buf, config, place);
    add_quoted(&buf, line);
    spf_buf_add_text(&buf, " is no line of the form \"key: value\"");
    return SPF_ECONFIG;
}

static spf_err_t unreadable(spf_config_t *config, const char *path, const char *why)
{
    spf_buf_t buf;

    error_start(&buf, config, &(spf_place_t){path, 0});
    spf_buf_add_text(&buf, "the configuration file cannot be read: ");
    spf_buf_add_text(&buf, why);
    return SPF_ECONFIG;
}

/* ------------------------------------------------------------------------------------------------------- settings */

static void set_defaults(spf_settings_t *settings)
{
    *settings = (spf_settings_t){
        .dns = {.source = SPF_DNS_SYSTEM, .cache_bytes = UINT64_C(48) << 20, .outgoing_sockets = 1024},
        .limits = {.lookups = SPF_LOOKUPS_MAX,
                   .void_lookups = 2,
                   .mx_hosts = SPF_HOSTS_MAX,
                   .ptr_names = SPF_HOSTS_MAX},
        .timeout_us = 20000000,
        .prefetch = true,
        .record_cache_bytes = UINT64_C(8) << 20,
    };
}

void spf_settings_clear(spf_settings_t *settings)
{
    free_list(settings->dns.forwarders);
    free_zones(settings->dns.zones);
    free(settings->dns.trust_anchor);
    free(settings->receiver);
    free(settings->explanation);
    *settings = (spf_settings_t){0};
}

/* Copies a text that may be NULL. */
static bool copy_text(char **to, const char *from)
{
    return from == NULL || store_text(to, (spf_span_t){from, strlen(from)}) == TAKEN;
}

static bool copy_forwarders(char ***to, char *const *from)
{
    for (size_t i = 0; from != NULL && from[i] != NULL; i++)
        if (list_add(to, (spf_span_t){from[i], strlen(from[i])}) != TAKEN)
            return false;
    return true;
}

static bool copy_zones(spf_dns_zone_t **to, const spf_dns_zone_t *from)
{
    for (; from != NULL; from = from->next, to = &(*to)->next) {
        *to = zone_new(from->path, from->text, from->text_length);
        if (*to == NULL)
            return false;
    }
    return true;
}

static bool clone(spf_settings_t *to, const spf_settings_t *from)
{
    *to = *from;
    to->dns.forwarders = NULL;
    to->dns.zones = NULL;
    to->dns.trust_anchor = NULL;
    to->receiver = NULL;
    to->explanation = NULL;
    if (copy_forwarders(&to->dns.forwarders, from->dns.forwarders) && copy_zones(&to->dns.zones, from->dns.zones) &&
        copy_text(&to->dns.trust_anchor, from->dns.trust_anchor) && copy_text(&to->receiver, from->receiver) &&
        copy_text(&to->explanation, from->explanation))
        return true;
    spf_settings_clear(to);
    return false;
}

/* This host's name where it is one that others can use. */
static bool default_receiver(char **receiver)
{
    char name[SPF_NAME_MAX + 1];

    if (gethostname(name, sizeof name) != 0 || memchr(name, '\0', sizeof name) == NULL || strchr(name, '.') == NULL ||
        !is_host_name(name, strlen(name)))
        return copy_text(receiver, "unknown");
    return copy_text(receiver, name);
}

bool spf_settings_copy(spf_settings_t *to, const spf_settings_t *from)
{
    if (!clone(to, from))
        return false;
    if (to->receiver != NULL || default_receiver(&to->receiver))
        return true;
    spf_settings_clear(to);
    return false;
}

/* ----------------------------------------------------------------------------------------------------- public API */

static spf_err_t set_key(spf_config_t *config, spf_settings_t *settings, const spf_place_t *place, spf_span_t name,
                         spf_span_t value)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (!span_equals(name, keys[i].name))
            continue;
        switch (keys[i].take((char *)settings + keys[i].offset, &keys[i], value)) {
        case TAKEN:
            return SPF_OK;
        case NO_MEMORY:
            return no_memory(config);
        case WRONG:
            return wrong_value(config, place, &keys[i], value);
        }
    }
    return unknown_key(config, place, name);
}

static spf_span_t trim(const char *text, const char *end)
{
    while (text < end && is_blank(*text))
        text++;
    while (text < end && is_blank(end[-1]))
        end--;
    return (spf_span_t){text, (size_t)(end - text)};
}

/* A comment starts with '#' at the start of a line or behind a blank, so that a value may hold one. */
static const char *comment_start(const char *line, const char *end)
{
    const char *hash = line;

    while ((hash = memchr(hash, '#', (size_t)(end - hash))) != NULL) {
        if (hash == line || is_blank(hash[-1]))
            return hash;
        hash++;
    }
    return end;
}

static spf_err_t load_line(spf_config_t *config, spf_settings_t *settings, const spf_place_t *place, const char *text,
                           const char *end)
{
    spf_span_t line = trim(text, comment_start(text, end));

    if (line.length == 0)
        return SPF_OK;
    const char *colon = memchr(line.text, ':', line.length);
    if (colon == NULL)
        return wrong_line(config, place, line);
    return set_key(config, settings, place, trim(line.text, colon), trim(colon + 1, line.text + line.length));
}

static spf_err_t load_text(spf_config_t *config, const char *path, const char *text, size_t length)
{
    const char *end = text + length;
    spf_place_t place = {path, 0};
    spf_settings_t settings;
    spf_err_t err = SPF_OK;

    if (!clone(&settings, &config->settings))
        return no_memory(config);
    while (err == SPF_OK && text < end) {
        const char *line_end = memchr(text, '\n', (size_t)(end - text));
        if (line_end == NULL)
            line_end = end;
        place.line++;
        err = load_line(config, &settings, &place, text, line_end);
        text = line_end < end ? line_end + 1 : end;
    }
    if (err != SPF_OK) {
        spf_settings_clear(&settings);
        return err;
    }
    spf_settings_clear(&config->settings);
    config->settings = settings;
    return SPF_OK;
}

/* Reads at most FILE_MAX octets, and one more to see that there are more. -1 with errno set. */
static ssize_t read_all(int fd, char *text)
{
    size_t length = 0;

    while (length <= FILE_MAX) {
        ssize_t got = read(fd, text + length, FILE_MAX + 1 - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        length += (size_t)got;
    }
    return (ssize_t)length;
}

static spf_err_t load_fd(spf_config_t *config, const char *path, int fd)
{
    char *text = malloc(FILE_MAX + 1);
    spf_err_t err;

    if (text == NULL)
        return no_memory(config);
    ssize_t length = read_all(fd, text);
    if (length < 0)
        err = unreadable(config, path, strerrordesc_np(errno));
    else if (length > FILE_MAX)
        err = unreadable(config, path, "it is longer than 1 MiB");
    else
        err = load_text(config, path, text, (size_t)length);
    free(text);
    return err;
}

static spf_err_t load_file(spf_config_t *config, const char *path, bool is_optional)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return is_optional && errno == ENOENT ? SPF_OK : unreadable(config, path, strerrordesc_np(errno));
    spf_err_t err = load_fd(config, path, fd);
    close(fd);
    return err;
}

spf_err_t spf_config_new(spf_config_t **config)
{
    int saved_errno = errno;
    spf_config_t *made = calloc(1, sizeof *made);

    if (made != NULL)
        set_defaults(&made->settings);
    errno = saved_errno;
    *config = made;
    return made != NULL ? SPF_OK : SPF_ENOMEM;
}

void spf_config_free(spf_config_t *config)
{
    if (config == NULL)
        return;
    spf_settings_clear(&config->settings);
    free(config);
}

spf_err_t spf_config_set(spf_config_t *config, const char *key, const char *value)
{
    int saved_errno = errno;
    spf_span_t name = {key != NULL ? key : "", key != NULL ? strlen(key) : 0};
    spf_span_t text = {value != NULL ? value : "", value != NULL ? strlen(value) : 0};
    spf_err_t err = set_key(config, &config->settings, &(spf_place_t){NULL, 0}, name, text);

    errno = saved_errno;
    return err;
}

spf_err_t spf_config_add_zone_text(spf_config_t *config, const char *text, size_t length)
{
    int saved_errno = errno;
    size_t count;
    spf_dns_zone_t *zone = zone_new(NULL, text, length == SPF_STRLEN ? strlen(text) : length);

    *zones_end(&config->settings.dns.zones, &count) = zone;
    errno = saved_errno;
    return zone != NULL ? SPF_OK : no_memory(config);
}

spf_err_t spf_config_load(spf_config_t *config, const char *path)
{
    int saved_errno = errno;
    spf_err_t err = load_file(config, path != NULL ? path : SPF_CONFIG_FILE, path == NULL);

    errno = saved_errno;
    return err;
}

const char *spf_config_error(const spf_config_t *config)
{
    return config->error;
}
