/* SPDX-License-Identifier: MIT */
/*
 * One blocking check:  check IP SENDER HELO [CONFIG-FILE]
 *
 *     cc check.c $(pkg-config --cflags --libs libspf) -o check
 */
#include <spf.h>
#include <stdio.h>

static int run(spf_context_t *context, const char *ip, const char *sender, const char *helo)
{
    spf_check_t *check;
    spf_err_t err = spf_check_new(&check, context);

    if (err != SPF_OK) {
        fprintf(stderr, "check: %s\n", spf_strerror(err));
        return 1;
    }
    err = spf_check_set_ip(check, ip);
    if (err == SPF_OK)
        err = spf_check_set_sender(check, sender, SPF_STRLEN);
    if (err == SPF_OK)
        err = spf_check_set_helo(check, helo, SPF_STRLEN);
    if (err == SPF_OK)
        err = spf_check_run(check);
    if (err == SPF_OK) {
        const spf_verdict_t *verdict = spf_check_verdict(check);
        printf("%s: %s\n", spf_result_name(verdict->result), verdict->reason);
        for (size_t i = 0; spf_check_lookup(check, i) != NULL; i++)
            printf("lookup %zu: %s asks for %s\n", i + 1, spf_check_lookup(check, i)->term,
                   spf_check_lookup(check, i)->target);
    } else {
        const char *sentence = spf_check_error(check);
        fprintf(stderr, "check: %s\n", *sentence != '\0' ? sentence : spf_strerror(err));
    }
    spf_check_free(check);
    return err == SPF_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    char error[512];
    spf_context_t *context;
    int status;

    if (argc < 4 || argc > 5) {
        fprintf(stderr, "usage: check IP SENDER HELO [CONFIG-FILE]\n");
        return 64;
    }
    if (spf_context_shared(&context, argv[4], error, sizeof error) != SPF_OK) {
        fprintf(stderr, "check: %s\n", error);
        return 1;
    }
    status = run(context, argv[1], argv[2], argv[3]);
    spf_context_release(context);
    return status;
}
