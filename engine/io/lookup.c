/* SPDX-License-Identifier: MIT */
#include "engine/io/lookup.h"

#include "engine/io/thread.h"
#include "engine/io/udp.h"
#include "engine/io/wake.h"

#include <fcntl.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Shared by its owner and its thread; who leaves last frees it. */
struct tdm_lookup {
    atomic_int holders;
    atomic_bool done;
    int wake_fd; /* A copy of its owner's, which may be gone when this ends. */
    char name[256];
    uint32_t count;
    struct tdm_address list[TDM_LOOKUP_MAX];
};

static void drop(struct tdm_lookup *l)
{
    if (l->wake_fd >= 0)
        (void)close(l->wake_fd);
    free(l);
}

static void leave(struct tdm_lookup *l)
{
    if (atomic_fetch_sub(&l->holders, 1) == 1)
        drop(l);
}

static void ask_system(struct tdm_lookup *l)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *found;

    if (getaddrinfo(l->name, NULL, &hints, &found) != 0)
        return;
    for (const struct addrinfo *i = found; i && l->count < TDM_LOOKUP_MAX; i = i->ai_next) {
        struct sockaddr_storage address = {0};

        memcpy(&address, i->ai_addr, i->ai_addrlen);
        tdm_udp_address_of(&address, &l->list[l->count]);
        l->list[l->count].port = 0;
        l->count += l->list[l->count].family != TDM_ADDRESS_NONE;
    }
    freeaddrinfo(found);
}

static void *run(void *arg)
{
    struct tdm_lookup *l = arg;

    ask_system(l);
    atomic_store(&l->done, true);
    if (l->wake_fd >= 0)
        tdm_wake_signal(l->wake_fd);
    leave(l);
    return NULL;
}

enum tdm_err tdm_lookup_start(struct tdm_lookup **lookup, const char *name, int wake_fd,
                              struct tdm_cause *cause)
{
    struct tdm_lookup *l = calloc(1, sizeof *l);
    pthread_t thread;

    if (!l)
        return tdm_fail(cause, TDM_E_SYSTEM, "out of memory to look up %s", name);
    atomic_init(&l->holders, 2);
    l->wake_fd = wake_fd >= 0 ? fcntl(wake_fd, F_DUPFD_CLOEXEC, 0) : -1;
    (void)snprintf(l->name, sizeof l->name, "%s", name);
    enum tdm_err err =
        tdm_thread_start(&thread, "lookup", TDM_PRIORITY_NORMAL, run, l, NULL, cause);

    if (err != TDM_OK) {
        drop(l);
        return err;
    }
    (void)pthread_detach(thread);
    *lookup = l;
    return TDM_OK;
}

enum tdm_err tdm_lookup_take(const struct tdm_lookup *lookup,
                             struct tdm_address list[TDM_LOOKUP_MAX], uint32_t *count)
{
    if (!atomic_load(&lookup->done))
        return TDM_E_AGAIN;
    *count = lookup->count;
    memcpy(list, lookup->list, lookup->count * sizeof *list);
    return lookup->count ? TDM_OK : TDM_E_GONE;
}

void tdm_lookup_free(struct tdm_lookup *lookup)
{
    if (lookup)
        leave(lookup);
}
