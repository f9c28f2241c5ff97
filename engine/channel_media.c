/* SPDX-License-Identifier: MIT */
/*
 * The connection of last resort: the reliable stream (engine/core/reliable.h) in datagrams of the
 * association that protects the media. The opener begins it when TCP has had its time; the other
 * side takes whichever it is spoken to on. Datagrams go to and from the net thread by two rings; a
 * full ring loses them, as the way itself may.
 */
#include "engine/channel_link_state.h"

#include "engine/io/wake.h"
#include "engine/link.h"

#include <stdlib.h>
#include <string.h>

#define TCP_FIRST   (3 * TDM_S)
#define AGAIN_AFTER TDM_S

void tdm_media_plan(struct tdm_channel_link *l, tdm_time now)
{
    bool tcp = l->terms.setup != TDM_SETUP_HOLDCONN && (l->terms.target_count || l->port);

    /* Where TCP was of no use before it need not be waited for again. */
    l->media_at = l->over_media ? now + AGAIN_AFTER : tcp ? now + TCP_FIRST : now;
}

void tdm_media_news(struct tdm_channel_link *l)
{
    const struct tdm_channel_media *news;

    while ((news = tdm_ring_peek(&l->media_ring))) {
        l->media = *news;
        tdm_ring_release(&l->media_ring);
    }
}

static bool allowed(const struct tdm_channel_link *l)
{
    return l->config.media && l->core && !l->failed && l->media.ready &&
           tdm_door_is_named(&l->terms, l->media.peer);
}

static void put(struct tdm_channel_link *l)
{
    struct tdm_link *link = l->config.media;
    void *record = l->reliable_out.size
                       ? tdm_record_ring_reserve(&link->tx_data, (uint32_t)l->reliable_out.size)
                       : NULL;

    if (!record)
        return;
    memcpy(record, l->reliable_out.data, l->reliable_out.size);
    tdm_record_ring_commit(&link->tx_data);
    tdm_wake_signal(link->net_wake);
}

static void step(struct tdm_channel_link *l, tdm_time now, const struct tdm_reliable_in *in)
{
    tdm_reliable_step(l->reliable, now, in, &l->reliable_out);
    put(l);
    if (!l->reliable_out.begun || l->in_use != TDM_CHANNEL_MEDIA)
        return;
    /* The opener has begun anew before we saw the old one end. */
    l->in_use = -1;
    tdm_drive_disconnected(l, now);
}

static void begin(struct tdm_channel_link *l, tdm_time now)
{
    /* Later ones have later numbers; those of the last link of this call, too. */
    struct tdm_reliable_config config = {.opener = l->opener, .id = (uint32_t)(now / TDM_MS)};

    if (!l->reliable_storage)
        l->reliable_storage = malloc(tdm_reliable_bytes());
    if (!l->reliable_storage)
        return;
    l->reliable = tdm_reliable_init(l->reliable_storage, &config, now);
    step(l, now,
         &(struct tdm_reliable_in){.kind = TDM_RELIABLE_RATE,
                                   .rate_bps = atomic_load(&l->budget_bps)});
}

void tdm_media_close(struct tdm_channel_link *l, tdm_time now)
{
    if (!l->reliable)
        return;
    step(l, now, &(struct tdm_reliable_in){.kind = TDM_RELIABLE_CLOSE});
    if (l->opener)
        l->reliable = NULL; /* The other side's end remembers which streams are over. */
    l->media_at = now + AGAIN_AFTER;
}

static void receive(struct tdm_channel_link *l, tdm_time now)
{
    struct tdm_record_ring *ring = &l->config.media->rx_data;
    const uint8_t *data;
    uint32_t size;

    tdm_wake_clear(l->config.media->data_wake);
    while ((data = tdm_record_ring_peek(ring, &size))) {
        if (l->reliable && allowed(l))
            step(l, now,
                 &(struct tdm_reliable_in){
                     .kind = TDM_RELIABLE_RECEIVED, .data = data, .size = size});
        tdm_record_ring_release(ring);
    }
}

static bool is_over(const struct tdm_channel_link *l)
{
    enum tdm_reliable_state state = tdm_reliable_state_of(l->reliable);

    return state == TDM_RELIABLE_CLOSED || state == TDM_RELIABLE_LOST;
}

/* Whether the stream is the connection now, or is it no more. */
static void judge(struct tdm_channel_link *l, tdm_time now)
{
    bool used = l->in_use == TDM_CHANNEL_MEDIA;

    if (is_over(l)) {
        if (used && !tdm_reliable_readable(l->reliable))
            l->broken = true;
        else if (!used && l->opener)
            tdm_media_close(l, now);
    } else if (tdm_reliable_state_of(l->reliable) == TDM_RELIABLE_UP && !used) {
        if (l->opener && l->in_use >= 0)
            tdm_media_close(l, now); /* TCP was faster. */
        else if (l->opener || tdm_reliable_readable(l->reliable))
            tdm_door_use_media(l, now);
    }
}

void tdm_media_receive(struct tdm_channel_link *l, tdm_time now)
{
    if (!l->config.media)
        return;
    if (!l->reliable && allowed(l) && (!l->opener || (l->in_use < 0 && now >= l->media_at)))
        begin(l, now);
    receive(l, now);
    if (l->reliable)
        judge(l, now);
    if (l->reliable && l->in_use == TDM_CHANNEL_MEDIA && tdm_reliable_readable(l->reliable))
        l->more_to_read = true;
}

tdm_time tdm_media_send(struct tdm_channel_link *l, tdm_time now)
{
    bool waits = l->opener && l->in_use < 0 && allowed(l);

    if (!l->reliable)
        return waits ? l->media_at : TDM_NEVER;
    if (atomic_load(&l->budget_bps) != l->media_budget) {
        l->media_budget = atomic_load(&l->budget_bps);
        step(l, now,
             &(struct tdm_reliable_in){.kind = TDM_RELIABLE_RATE, .rate_bps = l->media_budget});
    }
    do
        step(l, now, NULL);
    while (l->reliable_out.wake_at <= now);
    if (l->in_use == TDM_CHANNEL_MEDIA && is_over(l))
        return now; /* What it brought has been read. */
    return tdm_drive_may_write(l) ? now : l->reliable_out.wake_at;
}
