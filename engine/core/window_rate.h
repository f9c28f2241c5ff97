/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_WINDOW_RATE_H
#define TDM_CORE_WINDOW_RATE_H

/*
 * Our controller of the sent rate (docs/rate.md). It knows three things by feedback alone: how long
 * the way is at best (base), how much longer it is now (queue), and how fast packets leave the
 * bottleneck while they stand in it (capacity). A frame gets the bytes that leave a queue of a few
 * milliseconds behind it, with what is under way foreseen. Beside flows that fill the queue and do
 * not give way it shares by loss instead (coexistence) and looks for the moment when they are gone.
 *
 * It does not decide what waits before the pacer, nor who of several streams gets the bytes.
 */

#include "engine/core/congestion.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_WINDOW_RATE_SENDS 2048 /* A power of two: packets under way that it foresees with. */

#define TDM_WINDOW_RATE_BURSTS 64 /* A power of two. */

/** Constants that were found on the training seeds of docs/rate.md. */
struct tdm_window_rate_tuning {
    double pace;       /* Of the capacity: how fast a frame leaves. */
    double queue_ms;   /* What is left standing. */
    double correct_ms; /* In how much time a queue that is too long is to be gone. */
    double memory_ms;  /* Of the capacity, in time that the bottleneck was busy. */
    double raise;      /* Most that a frame may get beyond its share. */
    double small_ms;   /* How much longer a queue a flow of 1 Mb/s bears; others inversely. */
};

extern const struct tdm_window_rate_tuning tdm_window_rate_default;

enum tdm_window_rate_mode {
    TDM_RATE_START,   /* Nothing is known of the capacity: probing. */
    TDM_RATE_DELAY,   /* By queue and capacity. */
    TDM_RATE_COEXIST, /* Somebody else keeps the queue full. */
};

struct tdm_window_rate_send {
    tdm_time at;
    uint32_t bytes;
};

struct tdm_window_rate {
    struct tdm_window_rate_tuning tuning;
    enum tdm_window_rate_mode mode;
    uint64_t limit_bps, start_bps;
    double capacity_bps; /* What the bottleneck lets us have, 0: not known. */
    double acked_bps;    /* What arrives. */
    double target_bps;

    /* Under way. */
    int64_t inflight;
    uint32_t send_head, send_count; /* Sent behind the last packet that was told of. */
    struct tdm_window_rate_send sends[TDM_WINDOW_RATE_SENDS];
    tdm_time sent_at; /* The last. */

    /* The way. */
    tdm_time base, base_next, base_since, base_seen;
    tdm_time rtt_min, rtt_next, heard;
    tdm_time drain_until, last_frame;

    /* The queue. */
    tdm_time queue;      /* At the start of the last burst, smoothed. */
    tdm_time last_queue; /* Of the last packet, sent at: */
    tdm_time last_sent, last_arrival;
    double crowd; /* 0: alone; 1: among others that give way. */

    /* The capacity. */
    double busy_bytes, busy_ns;
    double acked_bytes;
    tdm_time acked_since;
    tdm_time burst_sent, burst_arrival, burst_queue;
    uint32_t start_head, start_count; /* Bursts that were sent and not told of yet. */
    tdm_time starts[TDM_WINDOW_RATE_BURSTS];
    uint32_t burst_bytes, burst_packets;
    tdm_time probe_at;
    uint8_t probes;

    /* Loss without a queue: a policer, or simply a bad way. */
    uint32_t packets, lost;
    tdm_time lost_since;
    double inherent;    /* What the way loses whatever is sent, fraction. */
    double suspect;     /* Loss that is being looked into by sending less; 0: none. */
    double ceiling_bps; /* 0: none. */
    tdm_time ceiling_at;

    /* Coexistence. */
    tdm_time crowded_since; /* Since then the queue was never short; TDM_NEVER: it is. */
    double owed_ms;         /* Of queue that should be gone by what we gave up since then. */
    double crowded_top_ms;
    double remembered_bps; /* What we had before. */
    double window_bytes;
    tdm_time cut_at, try_at, try_queue;

    /* Marks (RFC 9331). */
    double marked_part;
    uint32_t marked, unmarked;
    tdm_time marks_since, marked_at;
};

/** `tuning` NULL: the default. */
void tdm_window_rate_init(struct tdm_window_rate *r, tdm_time now, uint64_t start_bps,
                          uint64_t limit_bps, const struct tdm_window_rate_tuning *tuning);

void tdm_window_rate_step(struct tdm_window_rate *r, tdm_time now,
                          const struct tdm_congestion_in *in, struct tdm_congestion_out *out);

#endif
