/* SPDX-License-Identifier: MIT */
#include "tests/rt/lossy.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

#define VIDEO_BYTES_MIN 250
#define BATCH_MAX       64

static _Atomic uint32_t lose_every, seen, dropped;

void lossy_set(uint32_t every)
{
    atomic_store(&lose_every, every);
}

uint32_t lossy_dropped(void)
{
    return atomic_load(&dropped);
}

static size_t size_of(const struct msghdr *message)
{
    size_t size = 0;

    for (size_t i = 0; i < message->msg_iovlen; i++)
        size += message->msg_iov[i].iov_len;
    return size;
}

static int (*real)(int fd, struct mmsghdr *messages, unsigned count, int flags);

__attribute__((constructor)) static void prepare(void)
{
    *(void **)&real = dlsym(RTLD_NEXT, "sendmmsg");
}

/* The lost ones are left out of the batch and counted as sent. */
int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    struct mmsghdr kept[BATCH_MAX];
    uint32_t every = atomic_load(&lose_every);
    unsigned kept_count = 0;

    if (!every || count > BATCH_MAX)
        return real(fd, messages, count, flags);
    for (unsigned i = 0; i < count; i++) {
        if (size_of(&messages[i].msg_hdr) > VIDEO_BYTES_MIN &&
            atomic_fetch_add(&seen, 1) % every == every - 1)
            atomic_fetch_add(&dropped, 1);
        else
            kept[kept_count++] = messages[i];
    }
    if (kept_count && real(fd, kept, kept_count, flags) < 0)
        return -1;
    return (int)count;
}
