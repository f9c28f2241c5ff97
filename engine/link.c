/* SPDX-License-Identifier: MIT */
#include "engine/link.h"

#include "engine/io/wake.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TX_AUDIO_BYTES (64u << 10)
#define TX_VIDEO_BYTES (2u << 20)
#define RX_AUDIO_BYTES (128u << 10)
#define DATA_BYTES     (256u << 10) /* Each way. */
#define REGION_BYTES   (4u << 20)   /* Each way. */
#define RX_VIDEO_BYTES (4u << 20)   /* A record may be a quarter of it: 1 MiB, over any frame. */

enum tdm_err tdm_link_init(struct tdm_link *link, struct tdm_cause *cause)
{
    uint8_t *at;

    memset(link, 0, sizeof *link);
    atomic_store(&link->region_wake, -1);
    atomic_store(&link->video_frame_bytes, UINT32_MAX);
    link->net_wake = tdm_wake_open(cause);
    link->video_wake = tdm_wake_open(cause);
    link->data_wake = tdm_wake_open(cause);
    if (link->net_wake < 0 || link->video_wake < 0 || link->data_wake < 0)
        return TDM_E_SYSTEM;
    at = link->storage =
        aligned_alloc(TDM_RECORD_ALIGN, TX_AUDIO_BYTES + TX_VIDEO_BYTES + RX_AUDIO_BYTES +
                                            RX_VIDEO_BYTES + 2 * REGION_BYTES + 2 * DATA_BYTES);
    if (!at)
        return tdm_fail(cause, TDM_E_SYSTEM, "out of memory for the media rings");
    tdm_record_ring_init(&link->tx_audio, at, TX_AUDIO_BYTES);
    at += TX_AUDIO_BYTES;
    tdm_record_ring_init(&link->tx_video, at, TX_VIDEO_BYTES);
    at += TX_VIDEO_BYTES;
    tdm_record_ring_init(&link->rx_audio, at, RX_AUDIO_BYTES);
    at += RX_AUDIO_BYTES;
    tdm_record_ring_init(&link->rx_video, at, RX_VIDEO_BYTES);
    at += RX_VIDEO_BYTES;
    tdm_record_ring_init(&link->tx_region, at, REGION_BYTES);
    at += REGION_BYTES;
    tdm_record_ring_init(&link->rx_region, at, REGION_BYTES);
    at += REGION_BYTES;
    tdm_record_ring_init(&link->tx_data, at, DATA_BYTES);
    at += DATA_BYTES;
    tdm_record_ring_init(&link->rx_data, at, DATA_BYTES);
    return TDM_OK;
}

void tdm_link_free(struct tdm_link *link)
{
    free(link->storage);
    link->storage = NULL;
    if (link->net_wake > 0)
        (void)close(link->net_wake);
    if (link->video_wake > 0)
        (void)close(link->video_wake);
    if (link->data_wake > 0)
        (void)close(link->data_wake);
    link->net_wake = link->video_wake = link->data_wake = 0;
}
