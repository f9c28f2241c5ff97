/* SPDX-License-Identifier: MIT */
#include "engine/channel_link_state.h"

#include "engine/io/clock.h"
#include "engine/io/tcp.h"
#include "engine/io/wake.h"
#include "engine/link.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POLLS      (TDM_CHANNEL_CONNS + 3)
#define TELL_EVERY (200 * TDM_MS) /* Figures, while it is up: the call's share follows them. */

enum tdm_err tdm_channel_link_create(struct tdm_channel_link **link,
                                     const struct tdm_channel_link_config *config,
                                     struct tdm_cause *cause)
{
    struct tdm_channel_link *l = calloc(1, sizeof *l);

    *link = NULL;
    if (!l)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the data channel");
    l->config = *config;
    l->config.address = NULL;
    l->listener = -1;
    tdm_ring_init(&l->terms_ring, l->terms_slots, sizeof *l->terms_slots, 4);
    tdm_ring_init(&l->media_ring, l->media_slots, sizeof *l->media_slots, 8);
    tdm_ring_init(&l->status_ring, l->status_slots, sizeof *l->status_slots, TDM_CHANNEL_STATUSES);
    tdm_door_open(l);
    enum tdm_err err = tdm_worker_open(&l->worker, config->control_wake, cause);

    if (err != TDM_OK) {
        free(l);
        return err;
    }
    if (tdm_tcp_listen(config->address, config->port_min, config->port_max, &l->listener, &l->port,
                       cause) != TDM_OK)
        l->port = 0;
    *link = l;
    return TDM_OK;
}

void tdm_channel_link_destroy(struct tdm_channel_link *link)
{
    if (!link)
        return;
    atomic_store(&link->stopping, true);
    tdm_worker_stop(&link->worker);
    tdm_door_close(link);
    for (uint32_t i = 0; i < link->rider_count; i++)
        if (link->seats[i].ops->detach)
            link->seats[i].ops->detach(link->seats[i].rider);
    /* Riders' threads may wake it until they are detached. */
    tdm_worker_close(&link->worker);
    free(link->core_storage);
    free(link->reliable_storage);
    free(link);
}

uint16_t tdm_channel_link_port(const struct tdm_channel_link *link)
{
    return link->port;
}

enum tdm_err tdm_channel_link_attach(struct tdm_channel_link *link, const struct tdm_rider_ops *ops,
                                     void *rider)
{
    struct tdm_rider_seat *seat = &link->seats[link->rider_count];

    assert(!link->started);
    if (link->rider_count == TDM_CHANNEL_RIDERS_MAX)
        return TDM_E_SPACE;
    *seat = (struct tdm_rider_seat){.link = link, .ops = ops, .rider = rider};
    link->rider_count++;
    ops->attach(rider, seat);
    return TDM_OK;
}

void tdm_channel_link_tell(struct tdm_channel_link *l, tdm_time now,
                           enum tdm_channel_link_state state, const char *format, ...)
{
    va_list args;

    l->status.state = state;
    l->status_at = now;
    va_start(args, format);
    (void)vsnprintf(l->status.text, sizeof l->status.text, format, args);
    va_end(args);
    if (l->core)
        tdm_channel_stats(l->core, &l->status.stats);
    (void)tdm_ring_push(&l->status_ring, &l->status);
    tdm_wake_signal(l->config.control_wake);
}

/* Figures that move, and why nothing stands yet. */
static tdm_time tell_figures(struct tdm_channel_link *l, tdm_time now)
{
    if (!l->agreed || l->failed)
        return TDM_NEVER;
    if (now < l->status_at + TELL_EVERY)
        return l->status_at + TELL_EVERY;
    if (l->status.state == TDM_CHANNEL_WAITING && l->dial_failed[0])
        (void)snprintf(l->status.text, sizeof l->status.text, "no data channel yet: %.130s",
                       l->dial_failed);
    l->status_at = now;
    tdm_channel_stats(l->core, &l->status.stats);
    (void)tdm_ring_push(&l->status_ring, &l->status);
    tdm_wake_signal(l->config.control_wake);
    return now + TELL_EVERY;
}

static void take_terms(struct tdm_channel_link *l, tdm_time now)
{
    const struct tdm_channel_terms *terms;

    while ((terms = tdm_ring_peek(&l->terms_ring))) {
        tdm_door_agree(l, now, terms);
        tdm_ring_release(&l->terms_ring);
    }
}

static void wait_for(struct tdm_channel_link *l, tdm_time until, struct pollfd polls[POLLS])
{
    tdm_time now = tdm_clock_now();
    tdm_time left = until > now ? until - now : 0;
    struct timespec time = {.tv_sec = left / TDM_S, .tv_nsec = left % TDM_S};

    tdm_door_polls(l, polls);
    polls[TDM_CHANNEL_CONNS + 1] = (struct pollfd){.fd = l->worker.wake, .events = POLLIN};
    polls[TDM_CHANNEL_CONNS + 2] =
        (struct pollfd){.fd = l->config.media ? l->config.media->data_wake : -1, .events = POLLIN};
    if (ppoll(polls, POLLS, until == TDM_NEVER ? NULL : &time, NULL) < 0)
        for (int i = 0; i < POLLS; i++)
            polls[i].revents = 0;
    if (polls[TDM_CHANNEL_CONNS + 1].revents)
        tdm_wake_clear(l->worker.wake);
}

static void *run(void *arg)
{
    struct tdm_channel_link *l = arg;
    struct pollfd polls[POLLS] = {0};

    while (!atomic_load(&l->stopping)) {
        tdm_time now = tdm_clock_now();
        int in_use = l->in_use;
        bool readable = in_use >= 0 && in_use < TDM_CHANNEL_CONNS &&
                        polls[in_use].revents & (POLLIN | POLLHUP | POLLERR);

        take_terms(l, now);
        tdm_media_news(l);
        tdm_door_polled(l, now, polls);
        tdm_time door = tdm_door_run(l, now);

        tdm_media_receive(l, now);
        tdm_drive_run(l, now, readable && l->in_use == in_use);
        tdm_time wake = tdm_time_min(tdm_media_send(l, now), tell_figures(l, now));

        wake = tdm_time_min(wake, tdm_time_min(door, tdm_drive_wake(l)));

        if (l->in_use < 0 && l->dial_at < wake)
            wake = l->dial_at; /* Lost just now. */
        wait_for(l, wake, polls);
    }
    return NULL;
}

enum tdm_err tdm_channel_link_start(struct tdm_channel_link *link, struct tdm_cause *cause)
{
    enum tdm_err err =
        tdm_worker_start(&link->worker, "tdm-channel", TDM_PRIORITY_NORMAL, run, link, cause);

    link->started = err == TDM_OK;
    return err;
}

void tdm_channel_link_agree(struct tdm_channel_link *link, const struct tdm_channel_terms *terms)
{
    /* Full: the thread has not run for four agreements; the next one finds room. */
    (void)tdm_ring_push(&link->terms_ring, terms);
    tdm_wake_signal(link->worker.wake);
}

void tdm_channel_link_media(struct tdm_channel_link *link, const struct tdm_channel_media *media)
{
    (void)tdm_ring_push(&link->media_ring, media);
    tdm_wake_signal(link->worker.wake);
}

void tdm_channel_link_budget(struct tdm_channel_link *link, uint64_t rate_bps)
{
    if (atomic_exchange(&link->budget_bps, rate_bps) != rate_bps)
        tdm_wake_signal(link->worker.wake);
}

bool tdm_channel_link_status(struct tdm_channel_link *link, struct tdm_channel_link_status *status)
{
    return tdm_ring_pop(&link->status_ring, status) == TDM_OK;
}

void tdm_channel_link_wake(struct tdm_channel_link *link)
{
    atomic_store(&link->woken, true);
    tdm_wake_signal(link->worker.wake);
}
