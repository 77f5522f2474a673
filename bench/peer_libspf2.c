/* SPDX-License-Identifier: MIT */
#include "peer_libspf2.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

#include <spf2/spf.h>

struct peer_libspf2 {
    SPF_server_t *server;
};

static unsigned server_port;

/* libspf2 asks whom the C library's resolver finds in /etc/resolv.conf, and cannot be told otherwise; but it calls
 * this function, exported by the program, in place of the C library's that sets a resolver up. */
__attribute__((visibility("default"))) int res_ninit(res_state state)
{
    int (*real)(res_state) = (int (*)(res_state))dlsym(RTLD_NEXT, "__res_ninit");
    int result = real(state);

    if (result != 0)
        return result;
    state->nscount = 1;
    state->nsaddr_list[0] = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)server_port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return 0;
}

peer_libspf2_t *peer_libspf2_new(unsigned port, bool has_cache)
{
    peer_libspf2_t *peer = calloc(1, sizeof *peer);

    if (peer == NULL)
        return NULL;
    server_port = port;
    peer->server = SPF_server_new(has_cache ? SPF_DNS_CACHE : SPF_DNS_RESOLV, 0);
    if (peer->server == NULL) {
        free(peer);
        return NULL;
    }
    SPF_server_set_rec_dom(peer->server, "mx.receiver.example");
    return peer;
}

void peer_libspf2_free(peer_libspf2_t *peer)
{
    SPF_server_free(peer->server);
    free(peer);
}

static char letter(SPF_result_t result)
{
    static const char letters[] = {[SPF_RESULT_INVALID] = '!',   [SPF_RESULT_NEUTRAL] = 'N',  [SPF_RESULT_PASS] = 'P',
                                   [SPF_RESULT_FAIL] = 'F',      [SPF_RESULT_SOFTFAIL] = 'S', [SPF_RESULT_NONE] = 'O',
                                   [SPF_RESULT_TEMPERROR] = 'T', [SPF_RESULT_PERMERROR] = 'E'};

    return letters[result];
}

char peer_libspf2_check(peer_libspf2_t *peer, const char *ip, const char *sender, const char *helo)
{
    SPF_request_t *request = SPF_request_new(peer->server);
    SPF_response_t *response = NULL;
    char result;

    if (strchr(ip, ':') != NULL)
        SPF_request_set_ipv6_str(request, ip);
    else
        SPF_request_set_ipv4_str(request, ip);
    SPF_request_set_helo_dom(request, helo);
    if (strcmp(sender, "<>") != 0)
        SPF_request_set_env_from(request, sender);
    SPF_request_query_mailfrom(request, &response);
    result = response != NULL ? letter(SPF_response_result(response)) : '!';
    SPF_response_free(response);
    SPF_request_free(request);
    return result;
}
