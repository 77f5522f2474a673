/* SPDX-License-Identifier: MIT */
#include "signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

bool signals_open(signals_t *signals)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    *signals = (signals_t){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
    return signals->fd >= 0;
}

void signals_close(signals_t *signals)
{
    if (signals->fd >= 0)
        close(signals->fd);
}

void signals_take(signals_t *signals)
{
    struct signalfd_siginfo info;

    while (read(signals->fd, &info, sizeof info) == (ssize_t)sizeof info) {
        signals->is_ended = signals->is_ended || info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT;
        signals->is_hurried = signals->is_hurried || info.ssi_signo == SIGHUP;
    }
}
