/* SPDX-License-Identifier: MIT */
#include "publish.h"

#include "tool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const char verb[] = "flatten";

/* The draft as a file without a name; -1 if that failed. */
static int draft_file(spf_draft_t *draft, const draft_style_t *style)
{
    int fd = memfd_create("draft", MFD_CLOEXEC);
    int copy = fd >= 0 ? dup(fd) : -1;
    FILE *file = copy >= 0 ? fdopen(copy, "w") : NULL;
    bool is_good = file != NULL && drafts_print(file, draft, style);

    if (file != NULL)
        is_good = fclose(file) == 0 && is_good;
    else if (copy >= 0)
        close(copy);
    if (is_good && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Starts it with the file as its standard input, and with signals as they usually are. */
static int spawn(pid_t *pid, char *const *arguments, int fd)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, usual;
    int error;

    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    error = posix_spawnp(pid, arguments[0], &actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* Waits until it ends; a signal that ends the program is handed on to it. */
static bool wait_for(signals_t *signals, pid_t pid, int *status)
{
    if (signals == NULL) {
        while (waitpid(pid, status, 0) < 0 && errno == EINTR)
            continue;
        return true;
    }
    while (waitpid(pid, status, WNOHANG) == 0) {
        struct pollfd pollfd = {.fd = signals->fd, .events = POLLIN};
        poll(&pollfd, 1, -1);
        signals_take(signals);
        if (signals->is_ended)
            kill(pid, SIGTERM);
    }
    return !signals->is_ended;
}

static publish_end_t failed(const char *what, const char *why)
{
    tool_internal_error(verb, "%s: %s", what, why);
    return PUBLISH_FAILED;
}

static publish_end_t judge(const char *what, int status)
{
    char text[64];

    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return PUBLISHED;
    if (WIFEXITED(status))
        snprintf(text, sizeof text, "ended with status %d", WEXITSTATUS(status));
    else
        snprintf(text, sizeof text, "was ended by signal %d", WTERMSIG(status));
    return failed(what, text);
}

static publish_end_t run(const publisher_t *publisher, spf_draft_t *draft, const draft_style_t *style,
                         const char *const *arguments, const char *what)
{
    int fd = draft_file(draft, style);
    int status = 0;
    pid_t pid;

    if (fd < 0)
        return failed(what, strerror(errno));
    fflush(stdout);
    signal(SIGCHLD, SIG_DFL); /* where it was ignored from the start, nobody would learn how the command ended */
    int error = spawn(&pid, (char *const *)arguments, fd);
    close(fd);
    if (error != 0)
        return failed(what, strerror(error));
    if (!wait_for(publisher->signals, pid, &status))
        return PUBLISH_ENDED;
    return judge(what, status);
}

static publish_end_t run_nsupdate(const publisher_t *publisher, spf_draft_t *draft)
{
    const char *arguments[] = {"nsupdate", "-t", "30", publisher->key != NULL ? "-k" : NULL, publisher->key, NULL};
    draft_style_t style = publisher->style;

    style.format = DRAFT_NSUPDATE;
    return run(publisher, draft, &style, arguments, "nsupdate");
}

static publish_end_t run_exec(const publisher_t *publisher, spf_draft_t *draft)
{
    static const char *const formats[] = {"text", "zone", "json", "nsupdate"};
    const char *arguments[] = {"sh", "-c", publisher->exec, NULL};

    if (setenv("SPF_DOMAIN", publisher->domain, 1) != 0 ||
        setenv("SPF_FORMAT", formats[publisher->style.format], 1) != 0)
        return failed("--exec", strerror(errno));
    return run(publisher, draft, &publisher->style, arguments, "--exec");
}

publish_end_t publish(const publisher_t *publisher, spf_draft_t *draft)
{
    publish_end_t end = PUBLISHED;

    if (publisher->nsupdate)
        end = run_nsupdate(publisher, draft);
    if (end == PUBLISHED && publisher->exec != NULL)
        end = run_exec(publisher, draft);
    return end;
}
