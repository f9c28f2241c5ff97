/* SPDX-License-Identifier: MIT */
#include "engine/io/helper.h"

#include "engine/io/clock.h"
#include "engine/io/environment.h"
#include "engine/io/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_AT_ONCE ((size_t)256 << 10)

static const char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C",
                                          "HOME=/nonexistent", NULL};

static bool redirect(posix_spawn_file_actions_t *actions, int input, int output)
{
    return posix_spawn_file_actions_adddup2(actions, input, 0) == 0 &&
           posix_spawn_file_actions_adddup2(actions, output, 1) == 0 &&
           posix_spawn_file_actions_addopen(actions, 2, "/dev/null", O_WRONLY, 0) == 0 &&
           posix_spawn_file_actions_addclosefrom_np(actions, 3) == 0 &&
           posix_spawn_file_actions_addchdir_np(actions, "/") == 0;
}

/* With no signal held back, in a group of its own, which keys of the terminal do not reach. */
static int start(const struct tdm_helper *h, int output, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int failed = EINVAL;

    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    if (posix_spawn_file_actions_init(&actions) != 0)
        return ENOMEM;
    if (posix_spawnattr_init(&attributes) == 0) {
        if (redirect(&actions, h->input, output) &&
            posix_spawnattr_setsigmask(&attributes, &none) == 0 &&
            posix_spawnattr_setsigdefault(&attributes, &all) == 0 &&
            posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                      POSIX_SPAWN_SETPGROUP) == 0)
            failed = posix_spawnp(pid, h->words[0], &actions, &attributes,
                                  (char *const *)(uintptr_t)h->words,
                                  (char *const *)(uintptr_t)environment);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static void limit(const struct tdm_helper *h, pid_t pid)
{
    rlim_t seconds = (rlim_t)(h->limit / TDM_S) + 1;

    (void)prlimit(pid, RLIMIT_AS, &(struct rlimit){h->memory_max, h->memory_max}, NULL);
    (void)prlimit(pid, RLIMIT_CPU, &(struct rlimit){seconds, seconds}, NULL);
    (void)prlimit(pid, RLIMIT_FSIZE, &(struct rlimit){0, 0}, NULL); /* Pipes are no files. */
    (void)prlimit(pid, RLIMIT_CORE, &(struct rlimit){0, 0}, NULL);
}

/* Everything until its end: TDM_E_SPACE when that is too much, or too late. */
static enum tdm_err collect(const struct tdm_helper *h, int pipe_fd, uint8_t **output, size_t *size)
{
    tdm_time deadline = tdm_clock_now() + h->limit;
    size_t room = 0;

    for (;;) {
        if (room - *size < READ_AT_ONCE) {
            uint8_t *more = realloc(*output, room += READ_AT_ONCE + room / 2);

            if (!more)
                return TDM_E_SYSTEM;
            *output = more;
        }
        ssize_t got = read(pipe_fd, *output + *size, room - *size - 1);

        if (got > 0)
            *size += (size_t)got;
        if (*size > h->output_max || tdm_clock_now() > deadline)
            return TDM_E_SPACE;
        if (got == 0) {
            (*output)[*size] = 0;
            return TDM_OK;
        }
        if (got < 0 && errno == EAGAIN)
            (void)tdm_wait_until(deadline + 1, -1, pipe_fd);
        else if (got < 0 && errno != EINTR)
            return TDM_E_SYSTEM;
    }
}

/* Whether it ended well; a program that collects its children itself leaves that open. */
static bool ended_well(pid_t pid)
{
    int status = 0;
    pid_t done;

    do
        done = waitpid(pid, &status, 0);
    while (done < 0 && errno == EINTR);
    return done < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static enum tdm_err tell(const struct tdm_helper *h, enum tdm_err err, struct tdm_cause *cause)
{
    if (err == TDM_E_SPACE)
        return tdm_fail(cause, err, "%.60s took too long or made too much of this file",
                        h->words[0]);
    if (err == TDM_E_MALFORMED)
        return tdm_fail(cause, err, "%.60s cannot read this file: it is spoiled or locked",
                        h->words[0]);
    return tdm_fail(cause, err, "cannot run %.60s: %s", h->words[0], strerrordesc_np(errno));
}

enum tdm_err tdm_helper_run(const struct tdm_helper *h, uint8_t **output, size_t *size,
                            struct tdm_cause *cause)
{
    int ends[2], failed;
    pid_t pid = 0;
    enum tdm_err err;

    *output = NULL;
    *size = 0;
    if (lseek(h->input, 0, SEEK_SET) != 0 || pipe2(ends, O_CLOEXEC) != 0)
        return tell(h, TDM_E_SYSTEM, cause);
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    failed = start(h, ends[1], &pid);
    (void)close(ends[1]);
    if (failed) {
        (void)close(ends[0]);
        if (failed == ENOENT)
            return tdm_fail(cause, TDM_E_UNSUPPORTED,
                            "%.60s is needed for this and not installed (on Debian: apt install "
                            "poppler-utils)",
                            h->words[0]);
        errno = failed;
        return tell(h, TDM_E_SYSTEM, cause);
    }
    limit(h, pid);
    err = collect(h, ends[0], output, size);
    if (err != TDM_OK)
        (void)kill(-pid, SIGKILL);
    (void)close(ends[0]);
    if (!ended_well(pid) && err == TDM_OK)
        err = TDM_E_MALFORMED;
    if (err == TDM_OK)
        return TDM_OK;
    free(*output);
    *output = NULL;
    return tell(h, err, cause);
}

bool tdm_helper_there(const char *program)
{
    const char *at = tdm_environment("PATH");
    char path[512];

    while (at && *at) {
        size_t size = strcspn(at, ":");

        if (snprintf(path, sizeof path, "%.*s/%s", (int)size, at, program) < (int)sizeof path &&
            access(path, X_OK) == 0)
            return true;
        at += size + (at[size] == ':');
    }
    return false;
}
