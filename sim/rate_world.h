/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_RATE_WORLD_H
#define TDM_SIM_RATE_WORLD_H

/*
 * Flows of media and of TCP over one bottleneck each way, packet by packet in virtual time, and
 * what came of it. A media flow is a camera, a model encoder that keeps near its frame's budget, a
 * pacer, one of the controllers of rate_peer.h, and a receiver that tells; what is lost is sent
 * once more. Nothing here is bytes: the real messages and the session are in sim/call.h.
 */

#include "engine/base/histogram.h"
#include "sim/rate_link.h"
#include "sim/rate_peer.h"

#define TDM_RATE_FLOWS  12
#define TDM_RATE_TENTHS 3200 /* Of a second: the longest run. */

enum tdm_rate_flow_kind { TDM_RATE_MEDIA, TDM_RATE_CUBIC, TDM_RATE_BBR };

struct tdm_rate_flow_config {
    enum tdm_rate_flow_kind kind;
    const struct tdm_rate_peer *peer; /* MEDIA */
    uint8_t way; /* Its data takes link 0 or 1; the other takes what is told. */
    bool ect1;
    tdm_time from, to;             /* When it runs; */
    tdm_time pause_from, pause_to; /* and when its source rests. */
    tdm_time delay;                /* One way, without the queue; */
    tdm_time reroute_at, rerouted; /* and from reroute_at on, if not 0, so long. */
    uint64_t start_bps, limit_bps; /* MEDIA */
    double fill, sigma; /* MEDIA: of the budget, mean and spread of frame sizes; 0: 0.97, 0.03. */
    bool voice;         /* MEDIA: with sound beside it, which waits for no frame. */
    uint64_t transfer_bytes; /* TCP: of each transfer, 0: for ever; */
    tdm_time transfer_pause; /* and the mean rest between two of them. */
};

struct tdm_rate_world_config {
    uint64_t seed;
    tdm_time length;
    struct tdm_rate_link_config links[2];
    uint8_t flow_count;
    struct tdm_rate_flow_config flows[TDM_RATE_FLOWS];
    tdm_time measure_from; /* Delays count from here on. */
};

struct tdm_rate_flow_result {
    struct tdm_histogram queue; /* Of each packet. */
    struct tdm_histogram frame; /* From capture until the last packet is there, less the way. */
    struct tdm_histogram
        voice; /* Of each of its packets, from microphone to there, less the way. */
    uint64_t voice_sent, voice_here;
    uint64_t frames, late; /* Late: 200 ms or never. */
    uint64_t sent, lost;
    tdm_time worst_frame;
    uint32_t bytes_ms100[TDM_RATE_TENTHS]; /* Arrived in each tenth of a second. */
    float queue_ms100[TDM_RATE_TENTHS];    /* The longest queue in it, ms. */
};

struct tdm_rate_world;

size_t tdm_rate_world_bytes(void);
struct tdm_rate_world *tdm_rate_world_init(void *storage,
                                           const struct tdm_rate_world_config *config);
void tdm_rate_world_run(struct tdm_rate_world *world);

const struct tdm_rate_flow_result *tdm_rate_world_result(const struct tdm_rate_world *world,
                                                         uint8_t flow);
const struct tdm_rate_link *tdm_rate_world_link(const struct tdm_rate_world *world, uint8_t way);

/** Mean rate of a flow between two times, bits a second. */
double tdm_rate_flow_bps(const struct tdm_rate_flow_result *result, tdm_time from, tdm_time to);

#endif
