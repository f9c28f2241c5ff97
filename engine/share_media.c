/* SPDX-License-Identifier: MIT */
#include "engine/share_media.h"

#include "engine/io/wake.h"

#include <string.h>

#define START_CODE 4 /* Zero, zero, zero, one. */

void tdm_share_media_init(struct tdm_share_media *m)
{
    memset(m, 0, sizeof *m);
    (void)pthread_mutex_init(&m->lock, NULL);
}

void tdm_share_media_free(struct tdm_share_media *m)
{
    (void)pthread_mutex_destroy(&m->lock);
}

void tdm_share_media_join(struct tdm_share_media *m, struct tdm_link *link, bool sends, int wake)
{
    pthread_mutex_lock(&m->lock);
    m->link = link;
    m->sends = sends;
    pthread_mutex_unlock(&m->lock);
    atomic_store(&link->region_wake, wake);
}

void tdm_share_media_leave(struct tdm_share_media *m)
{
    pthread_mutex_lock(&m->lock);
    if (m->link)
        atomic_store(&m->link->region_wake, -1);
    m->link = NULL;
    m->sends = false;
    pthread_mutex_unlock(&m->lock);
}

void tdm_share_media_look(struct tdm_share_media *m, struct tdm_share_media_state *state)
{
    *state = (struct tdm_share_media_state){.sends = false};
    pthread_mutex_lock(&m->lock);
    if (m->link && m->sends)
        *state = (struct tdm_share_media_state){
            .sends = true,
            .bps = atomic_load(&m->link->region_bps),
            .waiting = atomic_load(&m->link->region_waiting),
            .keyframe_wanted = atomic_exchange(&m->link->region_keyframe_wanted, false),
        };
    pthread_mutex_unlock(&m->lock);
}

/* Where the next NAL unit begins, or the end. No NAL unit has a start code inside. */
static const uint8_t *next_start(const uint8_t *at, const uint8_t *end)
{
    static const uint8_t start_code[START_CODE] = {0, 0, 0, 1};
    const uint8_t *found = memmem(at, (size_t)(end - at), start_code, sizeof start_code);

    return found ? found : end;
}

static bool put_slice(struct tdm_record_ring *ring, const struct tdm_link_slice_tx *head,
                      const uint8_t *data, size_t size)
{
    uint8_t *record = tdm_record_ring_reserve(ring, (uint32_t)(sizeof *head + size));

    if (!record)
        return false;
    memcpy(record, head, sizeof *head);
    memcpy(record + sizeof *head, data, size);
    tdm_record_ring_commit(ring);
    return true;
}

/* As the payload formats want it: H.264 by NAL units without their start codes, VP8 as it is. */
static bool put_unit(struct tdm_record_ring *ring, struct tdm_link_slice_tx *head,
                     const struct tdm_screen_unit *unit)
{
    const uint8_t *at = unit->data, *end = unit->data + unit->size;

    if (unit->codec != TDM_SCREEN_VIDEO_H264) {
        head->first = head->last = true;
        return put_slice(ring, head, at, unit->size);
    }
    at = next_start(at, end);
    for (head->first = true; at < end; head->first = false) {
        const uint8_t *nal = at + START_CODE;

        at = next_start(nal, end);
        head->last = at == end;
        if (!put_slice(ring, head, nal, (size_t)(at - nal)))
            return false;
    }
    return !head->first;
}

bool tdm_share_media_send(struct tdm_share_media *m, const struct tdm_screen_unit *unit,
                          bool keyframe, const struct tdm_share_unit_times *times)
{
    struct tdm_link_slice_tx head = {
        .codec = unit->codec == TDM_SCREEN_VIDEO_H264 ? TDM_CODEC_H264 : TDM_CODEC_VP8,
        .keyframe = keyframe,
        .mark = {.stream = unit->stream, .frame_id = unit->frame_id},
        .captured = times->captured,
        .encode_start = times->encode_start,
        .encode_end = times->encode_end,
    };

    pthread_mutex_lock(&m->lock);
    head.frame_id = m->frame_id++;
    bool fits = m->link && m->sends && put_unit(&m->link->tx_region, &head, unit);

    if (m->link)
        tdm_wake_signal(m->link->net_wake);
    pthread_mutex_unlock(&m->lock);
    if (fits)
        atomic_fetch_add(&m->sent, 1);
    return fits;
}

bool tdm_share_media_peek(struct tdm_share_media *m, struct tdm_region_mark *mark, tdm_time *came)
{
    uint32_t size;

    pthread_mutex_lock(&m->lock);
    const struct tdm_link_video_rx *head =
        m->link ? tdm_record_ring_peek(&m->link->rx_region, &size) : NULL;

    if (head) {
        *mark = head->video.mark;
        *came = head->video.trace.at[TDM_STAGE_DECODABLE];
    }
    pthread_mutex_unlock(&m->lock);
    return head != NULL;
}

bool tdm_share_media_take(struct tdm_share_media *m, uint8_t *room, struct tdm_screen_unit *unit)
{
    uint32_t size;

    pthread_mutex_lock(&m->lock);
    const struct tdm_link_video_rx *head =
        m->link ? tdm_record_ring_peek(&m->link->rx_region, &size) : NULL;
    bool fits = head && head->video.size <= TDM_SCREEN_UNIT_MAX;

    if (fits) {
        memcpy(room, head + 1, head->video.size);
        *unit = (struct tdm_screen_unit){
            .stream = head->video.mark.stream,
            .codec =
                head->video.codec == TDM_CODEC_H264 ? TDM_SCREEN_VIDEO_H264 : TDM_SCREEN_VIDEO_VP8,
            .frame_id = head->video.mark.frame_id,
            .data = room,
            .size = head->video.size,
        };
    }
    if (head)
        tdm_record_ring_release(&m->link->rx_region);
    pthread_mutex_unlock(&m->lock);
    if (fits)
        atomic_fetch_add(&m->got, 1);
    return fits;
}

void tdm_share_media_failed(struct tdm_share_media *m)
{
    pthread_mutex_lock(&m->lock);
    if (m->link) {
        atomic_store(&m->link->region_failed, true);
        tdm_wake_signal(m->link->net_wake);
    }
    pthread_mutex_unlock(&m->lock);
}
