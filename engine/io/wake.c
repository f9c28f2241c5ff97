/* SPDX-License-Identifier: MIT */
#include "engine/io/wake.h"

#include "engine/io/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

int tdm_wake_open(struct tdm_cause *cause)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    if (fd < 0)
        (void)tdm_fail(cause, TDM_E_SYSTEM,
                       "cannot make an eventfd (error %d): raise the open file limit (ulimit -n)",
                       errno);
    return fd;
}

void tdm_wake_signal(int fd)
{
    uint64_t one = 1;
    ssize_t written = write(fd, &one, sizeof one);

    (void)written; /* Only fails when the counter is full: then it is readable anyway. */
}

void tdm_wake_clear(int fd)
{
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof count);

    (void)got; /* EAGAIN: nothing was signalled. */
}

int tdm_wake_join(int a, int b, struct tdm_cause *cause)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);
    const int fds[2] = {a, b};
    bool done = fd >= 0;

    for (int i = 0; i < 2; i++)
        done = done && (fds[i] < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, fds[i],
                                                &(struct epoll_event){.events = EPOLLIN}) == 0);
    if (done)
        return fd;
    (void)tdm_fail(cause, TDM_E_SYSTEM,
                   "cannot watch two things at once (error %d): raise the open file limit "
                   "(ulimit -n)",
                   errno);
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

enum tdm_wait tdm_wait_until(tdm_time deadline, int wake_fd, int device_fd)
{
    struct pollfd fds[2] = {
        {.fd = wake_fd, .events = POLLIN},
        {.fd = device_fd, .events = POLLIN},
    };

    for (;;) {
        tdm_time left = deadline == TDM_NEVER ? 0 : tdm_time_max(deadline - tdm_clock_now(), 0);
        struct timespec timeout = {.tv_sec = left / TDM_S, .tv_nsec = left % TDM_S};
        int ready = ppoll(fds, 2, deadline == TDM_NEVER ? NULL : &timeout, NULL);

        if (ready > 0 && fds[0].revents)
            return TDM_WAIT_WAKE;
        if (ready > 0 && fds[1].revents)
            return TDM_WAIT_DEVICE;
        if (ready == 0 && tdm_clock_now() >= deadline)
            return TDM_WAIT_TIME;
        assert(ready >= 0 || errno == EINTR);
    }
}
