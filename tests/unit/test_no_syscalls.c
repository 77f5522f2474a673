/* SPDX-License-Identifier: MIT */
/*
 * A blocking check whose answers are all cached makes no system call. A child checks until everything is cached, then
 * has the kernel trap whatever it calls but for what it reports by, and checks again.
 */
#include "spf.h"
#include "support/dns_server.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef __has_feature
#define HAS_FEATURE(feature) __has_feature(feature)
#else
#define HAS_FEATURE(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || HAS_FEATURE(address_sanitizer) ||                 \
    HAS_FEATURE(thread_sanitizer)
enum { IS_SANITIZED = 1 };
#else
enum { IS_SANITIZED = 0 };
#endif

enum { PASSES_BEFORE = 3, PASSES_TRAPPED = 50, TTL_S = 3600 };

static const char zone_lines[] =
    "example.com TXT v=spf1 a mx include:inner.example exists:%{ir}.x.example -all exp=why.example\n"
    "example.com A 192.0.2.1\n"
    "example.com AAAA 2001:db8::1\n"
    "example.com MX 10 mx.example.com\n"
    "mx.example.com A 192.0.2.2\n"
    "inner.example TXT v=spf1 ip4:192.0.2.3 ?all\n"
    "4.2.0.192.x.example A 127.0.0.2\n"
    "why.example TXT %{i} is none of ours\n"
    "ptr.example TXT v=spf1 ptr ~all\n"
    "5.2.0.192.in-addr.arpa PTR host.ptr.example\n"
    "host.ptr.example A 192.0.2.5\n"
    "moved.example TXT v=spf1 redirect=inner.example\n"
    "broken.example TXT v=spf1 ip4:example -all\n";

static const struct {
    const char *ip, *sender;
    spf_result_t result;
} checks[] = {
    {"192.0.2.1", "ann@example.com", SPF_RESULT_PASS},         {"2001:db8::1", "ann@example.com", SPF_RESULT_PASS},
    {"192.0.2.2", "ann@example.com", SPF_RESULT_PASS},         {"192.0.2.3", "ann@example.com", SPF_RESULT_PASS},
    {"192.0.2.4", "ann@example.com", SPF_RESULT_PASS},         {"192.0.2.9", "ann@example.com", SPF_RESULT_FAIL},
    {"192.0.2.5", "ann@ptr.example", SPF_RESULT_PASS},         {"192.0.2.3", "ann@moved.example", SPF_RESULT_PASS},
    {"192.0.2.3", "ann@broken.example", SPF_RESULT_PERMERROR}, {"192.0.2.3", "ann@absent.example", SPF_RESULT_NONE},
};

/* What a child ends with. */
enum { END_OK = 0, END_WRONG = 1, END_CALL = 2, END_NO_SECCOMP = 3 };

static spf_context_t *context_at(const char *address, const char *record_cache)
{
    spf_config_t *config;
    spf_context_t *context;

    if (spf_config_new(&config) != SPF_OK || spf_config_set(config, "resolver", address) != SPF_OK ||
        spf_config_set(config, "record-cache", record_cache) != SPF_OK || spf_context_new(&context, config) != SPF_OK)
        _exit(END_WRONG);
    spf_config_free(config);
    return context;
}

static void check_all(spf_context_t *context)
{
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        spf_check_t *check;
        if (spf_check_new(&check, context) != SPF_OK || spf_check_set_ip(check, checks[i].ip) != SPF_OK ||
            spf_check_set_sender(check, checks[i].sender, SPF_STRLEN) != SPF_OK || spf_check_run(check) != SPF_OK ||
            spf_check_verdict(check)->result != checks[i].result)
            _exit(END_WRONG);
        spf_check_free(check);
    }
}

static void on_call(int signal, siginfo_t *info, void *machine)
{
    static const char sentence[] = "system call number ";
    char digits[4] = {(char)('0' + info->si_syscall / 100 % 10), (char)('0' + info->si_syscall / 10 % 10),
                      (char)('0' + info->si_syscall % 10), '\n'};

    (void)signal, (void)machine;
    if (write(STDERR_FILENO, sentence, sizeof sentence - 1) < 0 || write(STDERR_FILENO, digits, sizeof digits) < 0)
        _exit(END_WRONG);
    _exit(END_CALL);
}

/* The clocks are read without a system call where the kernel lends a page for it; whether it does is not our matter. */
static bool trap_calls(void)
{
#define ALLOW(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(SYS_write),
        ALLOW(SYS_exit_group),
        ALLOW(SYS_clock_gettime),
#ifdef SYS_time
        ALLOW(SYS_time),
#endif
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    };
#undef ALLOW
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    struct sigaction action = {.sa_sigaction = on_call, .sa_flags = SA_SIGINFO};

    return sigaction(SIGSYS, &action, NULL) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

static void run_child(const char *address, const char *record_cache)
{
    spf_context_t *context = context_at(address, record_cache);

    for (int i = 0; i < PASSES_BEFORE; i++)
        check_all(context);
    if (!trap_calls())
        _exit(END_NO_SECCOMP);
    for (int i = 0; i < PASSES_TRAPPED; i++)
        check_all(context);
    _exit(END_OK);
}

static void expect_no_call(const char *record_cache)
{
    const char *preload = getenv("LD_PRELOAD");
    zone_t *zone;
    dns_server_t *server;
    int status;
    pid_t child;

    if (IS_SANITIZED || (preload != NULL && strstr(preload, "vgpreload") != NULL)) {
        print_message("skipped: sanitizers and valgrind make system calls of their own\n");
        skip();
    }
    zone = zone_new();
    zone_add_lines(zone, zone_lines);
    server = dns_server_start(zone);
    assert_non_null(server);
    dns_server_set_ttl_s(server, TTL_S);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        run_child(dns_server_address(server), record_cache);
    assert_int_equal(waitpid(child, &status, 0), child);
    dns_server_stop(server);
    zone_free(zone);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == END_NO_SECCOMP) {
        print_message("skipped: no seccomp filter can be set here\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), END_OK);
}

static void test_with_kept_records(void **state)
{
    (void)state;
    expect_no_call("8m");
}

static void test_with_the_dns_cache_alone(void **state)
{
    (void)state;
    expect_no_call("0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_with_kept_records),
        cmocka_unit_test(test_with_the_dns_cache_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
