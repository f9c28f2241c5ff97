/* SPDX-License-Identifier: MIT */
#ifndef TDM_TESTS_UNIT_X_SERVER_H
#define TDM_TESTS_UNIT_X_SERVER_H

/* A private Xvfb for one test: it chooses its own display number and ends with the test. */

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct x_server {
    pid_t pid;
    char display[16];
};

/** False when Xvfb is not installed: skip the test. */
static inline bool x_server_start(struct x_server *x, const char *screen)
{
    int ends[2];
    char number[16] = "", fd_text[16];

    if (pipe(ends))
        return false;
    x->pid = fork();
    if (x->pid == 0) {
        int null = open("/dev/null", O_RDWR);

        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        (void)dup2(null, 1);
        (void)dup2(null, 2);
        (void)snprintf(fd_text, sizeof fd_text, "%d", ends[1]);
        (void)execlp("Xvfb", "Xvfb", "-displayfd", fd_text, "-noreset", "-nolisten", "tcp",
                     "-screen", "0", screen, (char *)NULL);
        _exit(127);
    }
    (void)close(ends[1]);
    ssize_t got = 0, more;

    while (got < 15 && (more = read(ends[0], number + got, (size_t)(15 - got))) > 0) {
        got += more;
        if (number[got - 1] == '\n')
            break;
    }
    (void)close(ends[0]);
    if (got < 2) {
        (void)waitpid(x->pid, NULL, 0);
        return false;
    }
    (void)snprintf(x->display, sizeof x->display, ":%ld", strtol(number, NULL, 10));
    return true;
}

static inline void x_server_stop(struct x_server *x)
{
    if (x->pid > 0) {
        (void)kill(x->pid, SIGTERM);
        (void)waitpid(x->pid, NULL, 0);
    }
    x->pid = 0;
}

#endif
