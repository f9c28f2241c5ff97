/* SPDX-License-Identifier: MIT */
#include "engine/io/lookup.h"

#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/thread.h"
#include "engine/io/udp.h"
#include "engine/io/wake.h"
#include "engine/wire/mdns.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MDNS_TRIES 4
#define MDNS_WAIT  (250 * TDM_MS)

_Static_assert(TDM_MDNS_ANSWERS <= TDM_LOOKUP_MAX, "an answer fits");

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

/* Who has the name answers to the port that asked (RFC 6762 section 6.7). */
static void ask_everybody(struct tdm_lookup *l)
{
    const uint16_t id = (uint16_t)tdm_entropy_u64();
    struct sockaddr_in group = {.sin_family = AF_INET, .sin_port = htons(TDM_MDNS_PORT)};
    uint8_t data[1500];
    size_t size;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || inet_pton(AF_INET, TDM_MDNS_GROUP, &group.sin_addr) != 1 ||
        tdm_mdns_ask(l->name, id, data, &size) != TDM_OK)
        size = 0;
    for (int i = 0; i < MDNS_TRIES && size && !l->count; i++) {
        tdm_time until = tdm_clock_now() + MDNS_WAIT;
        uint8_t answer[1500];

        (void)sendto(fd, data, size, 0, (struct sockaddr *)&group, sizeof group);
        while (!l->count && tdm_wait_until(until, -1, fd) == TDM_WAIT_DEVICE) {
            ssize_t got = recv(fd, answer, sizeof answer, MSG_DONTWAIT);

            if (got > 0)
                (void)tdm_mdns_answers(answer, (size_t)got, l->name, l->list, &l->count);
        }
    }
    if (fd >= 0)
        (void)close(fd);
}

static void *run(void *arg)
{
    struct tdm_lookup *l = arg;

    if (tdm_mdns_is_local(l->name))
        ask_everybody(l);
    if (!l->count)
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
