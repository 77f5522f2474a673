/* SPDX-License-Identifier: MIT */
#include <spf.h>
#include <spf_resolver.h>
#include <stdio.h>

int main(void)
{
    static const char zone[] = "$ORIGIN example.com.\n"
                               "@ 300 IN SOA ns hostmaster 1 3600 600 86400 300\n"
                               "@ 300 IN TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n";
    spf_config_t *config = NULL;
    spf_context_t *context = NULL;
    spf_check_t *check = NULL;
    int wrong = spf_config_new(&config) != SPF_OK || spf_config_set(config, "resolver", "none") != SPF_OK ||
                spf_config_add_zone_text(config, zone, SPF_STRLEN) != SPF_OK ||
                spf_context_new(&context, config) != SPF_OK || spf_check_new(&check, context) != SPF_OK ||
                spf_check_set_ip(check, "192.0.2.7") != SPF_OK ||
                spf_check_set_sender(check, "ann@example.com", SPF_STRLEN) != SPF_OK ||
                spf_check_run(check) != SPF_OK || spf_check_verdict(check)->result != SPF_RESULT_PASS;

    printf("libspf %s: %s\n", spf_version(), wrong ? "wrong" : spf_check_verdict(check)->reason);
    spf_check_free(check);
    spf_context_release(context);
    spf_config_free(config);
    return wrong;
}
