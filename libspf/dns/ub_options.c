/* SPDX-License-Identifier: MIT */
#include "dns/ub_options.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

typedef struct spf_ub_option {
    const char *name; /* with libunbound's colon */
    const char *value;
} spf_ub_option_t;

/* Everywhere. */
static const spf_ub_option_t common_options[] = {
    {"verbosity:", "0"},
    {"use-syslog:", "no"},
    {"use-caps-for-id:", "no"},  /* some servers answer nothing then */
    {"rrset-roundrobin:", "no"}, /* the same answer has the same order each time */
    /* A server that did not answer is tried again soon, and probed meanwhile: after an outage questions are answered
     * again within seconds. */
    {"infra-host-ttl:", "15"},
    {"infra-keep-probing:", "yes"},
};

/* Where others resolve for us, or zone files: libunbound must not answer names for special use by itself. */
static const spf_ub_option_t relay_options[] = {
    {"do-not-query-localhost:", "no"}, /* the usual place of a caching resolver */
    {"qname-minimisation:", "no"},
    {"unblock-lan-zones:", "yes"},
    {"insecure-lan-zones:", "yes"},
    {"local-zone:", "localhost. transparent"},
    {"local-zone:", "127.in-addr.arpa. transparent"},
    {"local-zone:", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa. transparent"},
    {"local-zone:", "home.arpa. transparent"},
    {"local-zone:", "onion. transparent"},
    {"local-zone:", "test. transparent"},
    {"local-zone:", "invalid. transparent"},
};

/* Where we ask the name servers of zones. */
static const spf_ub_option_t recursion_options[] = {
    {"do-not-query-localhost:", "yes"}, /* whatever a delegation says */
};

static spf_err_t refuse(spf_buf_t *error, const char *what, const char *value, int code)
{
    spf_buf_add_text(error, "libunbound refuses ");
    spf_buf_add_text(error, what);
    spf_buf_add_char(error, ' ');
    spf_buf_add_text(error, value);
    spf_buf_add_text(error, ": ");
    spf_buf_add_text(error, ub_strerror(code));
    return code == UB_NOMEM ? SPF_ENOMEM : SPF_ERESOLVER;
}

static spf_err_t set_option(struct ub_ctx *ctx, const char *name, const char *value, spf_buf_t *error)
{
    int code = ub_ctx_set_option(ctx, name, value);
    return code ? refuse(error, name, value, code) : SPF_OK;
}

static spf_err_t set_number(struct ub_ctx *ctx, const char *name, uint64_t number, spf_buf_t *error)
{
    char storage[24];
    spf_buf_t value;
    spf_buf_init(&value, storage, sizeof storage);
    spf_buf_add_uint(&value, number);
    return set_option(ctx, name, storage, error);
}

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static spf_err_t set_options(struct ub_ctx *ctx, const spf_ub_option_t *options, size_t count, spf_buf_t *error)
{
    spf_err_t result = SPF_OK;
    for (size_t i = 0; i < count && result == SPF_OK; i++)
        result = set_option(ctx, options[i].name, options[i].value, error);
    return result;
}

/* ----------------------------------------------------------------------------------------------------------- sizes */

static uint64_t count_open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    if (!directory)
        return 0;
    uint64_t count = 0;
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* More sockets than descriptors are left would make libunbound fail questions that it could as well have queued. Half
 * of what is left is the host's. */
static unsigned outgoing_sockets(unsigned wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return wanted;
    uint64_t used = count_open_descriptors();
    uint64_t half = limit.rlim_cur > used ? (limit.rlim_cur - used) / 2 : 0;
    if (half < 1)
        return 1;
    return half < wanted ? (unsigned)half : wanted;
}

/* Answers that do not fit a datagram are fetched over TCP: a share of the sockets, each of which has a buffer. */
static unsigned tcp_sockets(unsigned sockets)
{
    unsigned share = sockets / 32;
    return share < 4 ? 4 : share > 64 ? 64 : share;
}

static spf_err_t set_sizes(struct ub_ctx *ctx, const spf_dns_settings_t *settings, spf_buf_t *error)
{
    unsigned sockets = outgoing_sockets(settings->outgoing_sockets);
    spf_err_t result = set_number(ctx, "outgoing-range:", sockets, error);
    if (result == SPF_OK)
        result = set_number(ctx, "outgoing-num-tcp:", tcp_sockets(sockets), error);
    if (result == SPF_OK)
        result = set_number(ctx, "msg-cache-size:", settings->cache_bytes / 3, error);
    if (result == SPF_OK)
        result = set_number(ctx, "rrset-cache-size:", settings->cache_bytes - settings->cache_bytes / 3, error);
    return result;
}

/* --------------------------------------------------------------------------------------------------------- sources */

static spf_err_t set_forwarder(struct ub_ctx *ctx, const char *address, spf_buf_t *error)
{
    int code = ub_ctx_set_fwd(ctx, address);
    return code ? refuse(error, "the resolver address", address, code) : SPF_OK;
}

/* The address in a line "nameserver ADDRESS", cut out of it; NULL in any other line. */
static const char *find_name_server(char *line)
{
    static const char keyword[] = "nameserver";
    char *address = line + sizeof keyword - 1;
    if (strncmp(line, keyword, sizeof keyword - 1) != 0 || (*address != ' ' && *address != '\t'))
        return NULL;
    address += strspn(address, " \t");
    address[strcspn(address, " \t\r\n;#")] = '\0';
    return address;
}

/* As the C library reads resolv.conf(5): what is no address is passed over, and without a name server in it, or without
 * the file, the one on this machine is meant. libunbound's own reader would turn to the root servers then. */
static spf_err_t set_system_forwarders(struct ub_ctx *ctx, spf_buf_t *error)
{
    FILE *file = fopen("/etc/resolv.conf", "re");
    spf_err_t result = SPF_OK;
    bool is_found = false;
    char line[512];
    while (file && result == SPF_OK && fgets(line, sizeof line, file)) {
        const char *address = find_name_server(line);
        int code = address ? ub_ctx_set_fwd(ctx, address) : UB_SYNTAX;
        if (code != UB_SYNTAX)
            result = code ? refuse(error, "the resolver address", address, code) : SPF_OK;
        is_found = is_found || code == UB_NOERROR;
    }
    if (file)
        fclose(file);
    return is_found || result != SPF_OK ? result : set_forwarder(ctx, "127.0.0.1", error);
}

static spf_err_t set_source(struct ub_ctx *ctx, const spf_dns_settings_t *settings, spf_buf_t *error)
{
    spf_err_t result = SPF_OK;
    if (settings->source == SPF_DNS_RECURSIVE)
        return SPF_OK;
    if (settings->source == SPF_DNS_SYSTEM)
        return set_system_forwarders(ctx, error);
    for (char **address = settings->forwarders; *address && result == SPF_OK; address++)
        result = set_forwarder(ctx, *address, error);
    return result;
}

/* Authoritative zones cannot be set option by option; a file without a place in the file system has to do. */
static spf_err_t set_zone(struct ub_ctx *ctx, int zone_fd, spf_buf_t *error)
{
    char storage[256];
    spf_buf_t config;
    spf_buf_init(&config, storage, sizeof storage);
    spf_buf_add_text(&config, "auth-zone:\n name: \".\"\n for-upstream: yes\n for-downstream: no\n"
                              " fallback-enabled: no\n zonefile: \"/proc/self/fd/");
    spf_buf_add_uint(&config, (uint64_t)zone_fd);
    spf_buf_add_text(&config, "\"\n");
    int fd = memfd_create("spf-config", MFD_CLOEXEC);
    if (fd < 0 || write(fd, storage, config.len) != (ssize_t)config.len) {
        if (fd >= 0)
            close(fd);
        spf_buf_add_text(error, "no memory file for the zones could be made");
        return SPF_ESYSTEM;
    }
    spf_buf_init(&config, storage, sizeof storage);
    spf_buf_add_text(&config, "/proc/self/fd/");
    spf_buf_add_uint(&config, (uint64_t)fd);
    int code = ub_ctx_config(ctx, storage);
    close(fd);
    return code ? refuse(error, "the zones as", storage, code) : SPF_OK;
}

static spf_err_t set_trust_anchor(struct ub_ctx *ctx, const char *path, spf_buf_t *error)
{
    int code = ub_ctx_add_ta_file(ctx, path);
    return code ? refuse(error, "the trust anchor", path, code) : SPF_OK;
}

/* libunbound reads files only when it must: now, by a change of local data that there is none of, rather than at the
 * first question. */
static spf_err_t finish(struct ub_ctx *ctx, const char *trust_anchor, spf_buf_t *error)
{
    int code = ub_ctx_data_remove(ctx, "none.invalid.");
    if (!code)
        return SPF_OK;
    if (!trust_anchor || code == UB_NOMEM)
        return refuse(error, "to start", "with these settings", code);
    spf_buf_add_text(error, trust_anchor);
    spf_buf_add_text(error, ": libunbound cannot use it; allowed are DS or DNSKEY records in master-file format");
    return SPF_ECONFIG;
}

spf_err_t spf_ub_options_apply(struct ub_ctx *ctx, const spf_dns_settings_t *settings, int zone_fd, spf_buf_t *error)
{
    bool is_relay = settings->source != SPF_DNS_RECURSIVE || zone_fd >= 0;
    const char *trust_anchor = zone_fd < 0 ? settings->trust_anchor : NULL;
    spf_err_t result = set_options(ctx, common_options, COUNT_OF(common_options), error);
    if (result == SPF_OK)
        result = is_relay ? set_options(ctx, relay_options, COUNT_OF(relay_options), error)
                          : set_options(ctx, recursion_options, COUNT_OF(recursion_options), error);
    if (result == SPF_OK)
        result = set_option(ctx, "module-config:", trust_anchor ? "validator iterator" : "iterator", error);
    if (result == SPF_OK)
        result = set_sizes(ctx, settings, error);
    if (result == SPF_OK && trust_anchor)
        result = set_trust_anchor(ctx, trust_anchor, error);
    if (result == SPF_OK)
        result = zone_fd >= 0 ? set_zone(ctx, zone_fd, error) : set_source(ctx, settings, error);
    return result == SPF_OK ? finish(ctx, trust_anchor, error) : result;
}
