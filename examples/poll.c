/* SPDX-License-Identifier: MIT */
/*
 * Many checks at once in a host's own loop:  poll [CONFIG-FILE] <FILE
 *
 * Every line of standard input, "IP SENDER HELO", is started as soon as it is read; answers are printed as they come.
 * libspf has one descriptor beside the host's own.
 *
 *     cc poll.c $(pkg-config --cflags --libs libspf) -o poll
 */
#include <poll.h>
#include <spf.h>
#include <stdio.h>
#include <stdlib.h>

/* Called once for every check that was started, from inside spf_context_process(). */
static void on_end(spf_check_t *check, spf_err_t err, void *user_data)
{
    unsigned *open_checks = user_data;

    if (err == SPF_OK) {
        const spf_verdict_t *verdict = spf_check_verdict(check);
        printf("%s %s: %s: %s\n", verdict->ip, verdict->sender, spf_result_name(verdict->result), verdict->reason);
    } else {
        fprintf(stderr, "poll: %s\n", spf_strerror(err));
    }
    --*open_checks;
    spf_check_free(check);
}

static void start(spf_context_t *context, const char *ip, const char *sender, const char *helo, unsigned *open_checks)
{
    spf_check_t *check;

    if (spf_check_new(&check, context) != SPF_OK)
        return;
    if (spf_check_set_ip(check, ip) == SPF_OK && spf_check_set_sender(check, sender, SPF_STRLEN) == SPF_OK &&
        spf_check_set_helo(check, helo, SPF_STRLEN) == SPF_OK &&
        spf_check_start(check, on_end, open_checks) == SPF_OK) {
        ++*open_checks;
        return;
    }
    fprintf(stderr, "poll: %s\n", spf_check_error(check));
    spf_check_free(check);
}

int main(int argc, char **argv)
{
    char error[512];
    char ip[64], sender[512], helo[512];
    spf_context_t *context;
    unsigned open_checks = 0;

    if (spf_context_shared(&context, argc > 1 ? argv[1] : NULL, error, sizeof error) != SPF_OK) {
        fprintf(stderr, "poll: %s\n", error);
        return 1;
    }
    while (scanf("%63s %511s %511s", ip, sender, helo) == 3)
        start(context, ip, sender, helo, &open_checks);
    while (open_checks > 0) {
        struct pollfd poller = {.fd = spf_context_fd(context), .events = POLLIN};
        if (poll(&poller, 1, spf_context_timeout_ms(context)) >= 0)
            spf_context_process(context);
    }
    spf_context_release(context);
    return 0;
}
