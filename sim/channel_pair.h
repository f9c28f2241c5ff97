/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_CHANNEL_PAIR_H
#define TDM_SIM_CHANNEL_PAIR_H

/*
 * Two channel cores over two modelled byte streams in virtual time, with programs on both ends that
 * produce and check what the streams carry: each byte is a function of its stream, side and offset,
 * so that one lost, doubled or swapped is seen where it arrives.
 */

#include "engine/core/channel.h"
#include "sim/byte_stream.h"

#define TDM_PAIR_FLOWS_MAX    128
#define TDM_PAIR_MESSAGES_MAX 4096

/** What one side sends on one stream. */
struct tdm_pair_flow {
    enum tdm_channel_class cls;
    uint64_t total_bytes; /* Then it ends. */
    /* A message of so many bytes each `every`, from `from` on; 0: all there is at once. */
    uint32_t message_bytes;
    tdm_time every, from;

    /* What came of it. */
    uint32_t stream;
    int side;
    bool opened, fin_sent, fin_acked, fin_received, reset;
    uint64_t produced, acked, received, rewound_bytes;
    uint32_t message_count;                    /* Arrived whole, in order, */
    tdm_time latencies[TDM_PAIR_MESSAGES_MAX]; /* each so long after it was there to send. */
};

struct tdm_pair_config {
    struct tdm_byte_stream_config path[2]; /* From side 0 and from side 1. */
    struct tdm_channel_config core[2];
    uint64_t seed;
    bool split;           /* Bytes are handed over in pieces of random size. */
    bool no_lowat;        /* Sockets take all that fits. */
    uint64_t consume_bps; /* How fast the programs take what arrives; 0: at once. */
};

struct tdm_pair;

struct tdm_pair *tdm_pair_create(const struct tdm_pair_config *config);
void tdm_pair_destroy(struct tdm_pair *p);

/** `flow` is the caller's and lives as long as the pair. */
void tdm_pair_open(struct tdm_pair *p, int side, struct tdm_pair_flow *flow);
void tdm_pair_reset(struct tdm_pair *p, const struct tdm_pair_flow *flow);
void tdm_pair_budget(struct tdm_pair *p, int side, uint64_t rate_bps);
/** Both sides see a connection that stands; what one wrote reaches the other from here on. */
void tdm_pair_connect(struct tdm_pair *p);
/** It breaks: what is under way is gone. Both sides are told. */
void tdm_pair_cut(struct tdm_pair *p);
/** Cuts when side 0 and side 1 together have read so many bytes of all connections. */
void tdm_pair_cut_at(struct tdm_pair *p, uint64_t bytes_read);
void tdm_pair_run(struct tdm_pair *p, tdm_time until);

tdm_time tdm_pair_now(const struct tdm_pair *p);
bool tdm_pair_connected(const struct tdm_pair *p);
/** NULL while both cores and all bytes are as they should be; else what went wrong. */
const char *tdm_pair_failed(const struct tdm_pair *p);
uint64_t tdm_pair_bytes_read(const struct tdm_pair *p);
/** A hash over all events of that side, in order, without their times. */
uint64_t tdm_pair_events(const struct tdm_pair *p, int side);
void tdm_pair_stats(const struct tdm_pair *p, int side, struct tdm_channel_stats *stats);
struct tdm_byte_stream *tdm_pair_path(struct tdm_pair *p, int side);

#endif
