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
#define TDM_WINDOW_RATE_RUN    6  /* Packets in a row that measure a way at the start. */
#define TDM_WINDOW_RATE_ALIVE  (500 * TDM_MS) /* So often something leaves, however full it is. */

/** Constants that were found on the training seeds of docs/rate.md. */
struct tdm_window_rate_tuning {
    double pace;       /* Of the capacity: how fast a frame leaves. */
    double queue_ms;   /* What is left standing. */
    double correct_ms; /* In how much time a queue that is too long is to be gone. */
    double memory_ms;  /* Of the capacity, in time that the bottleneck was busy. */
    double raise;      /* Most that a frame may get beyond its share. */
    double recent_ms;  /* As memory_ms, to see a fall early: */
    double fallen;     /* below this part of the capacity it is one. */
    double margin;     /* Of the capacity's deviation: so much is left out of a budget. */
    double skip_ms;    /* A frame behind a longer queue would come too late to be of use. */
    double silent_ms;  /* Nor one while nothing passes: what is overdue for longer than foreseen. */
    double small_ms;   /* How much longer a queue a flow of 1 Mb/s bears; others inversely. */
};

extern const struct tdm_window_rate_tuning tdm_window_rate_default;

enum tdm_window_rate_mode {
    TDM_RATE_START,   /* Nothing is known of the capacity: probing. */
    TDM_RATE_DELAY,   /* By queue and capacity. */
    TDM_RATE_COEXIST, /* Somebody else keeps the queue full. */
};

/** What left a busy bottleneck lately, and in how much time; older of it counts less. */
struct tdm_window_rate_busy {
    double bytes, ns;
};

struct tdm_window_rate_arrival {
    tdm_time sent, arrival, queue;
    uint32_t bytes;
};

struct tdm_window_rate_send {
    tdm_time at;
    uint32_t bytes;
};

/* A queue that came all at once, and what became of it. */
struct tdm_window_rate_jump {
    tdm_time since;      /* TDM_NEVER: there is none. */
    tdm_time level;      /* The least of its first piece of time; TDM_NEVER: not known yet. */
    tdm_time low, piece; /* The least of this piece, and since when that is. */
    uint32_t pieces;
    double owed_ms; /* Of queue that should be gone by what we gave up. */
    double capacity_bps;
};

struct tdm_window_rate {
    struct tdm_window_rate_tuning tuning;
    enum tdm_window_rate_mode mode;
    uint64_t limit_bps, start_bps;
    uint64_t beside_bps; /* What of ours goes the same way and is not counted: voice, the channel.
                            Set by who owns it, kept through init by nobody. */
    double capacity_bps; /* What the bottleneck lets us have, 0: not known. */
    double acked_bps;    /* What arrives. */
    double target_bps;

    /* Under way. */
    int64_t inflight;
    uint32_t send_head, send_count; /* Sent behind the last packet that was told of. */
    struct tdm_window_rate_send sends[TDM_WINDOW_RATE_SENDS];
    uint64_t behind_bytes; /* Of those. */
    tdm_time sent_at;      /* The last. */

    /* The way. */
    tdm_time base, base_next, base_since, base_seen;
    tdm_time rtt_min, rtt_next, heard;
    tdm_time tell_every;                             /* How often feedback comes. */
    tdm_time back, back_base, back_next, back_since; /* Its own way: what it waits on it. */
    tdm_time shorter, doubts; /* A shorter way that one message told of, at this time. */
    tdm_time drain_until, last_frame;
    struct tdm_window_rate_jump jump;
    tdm_time silent; /* How much longer than foreseen nothing has been told. */

    /* The queue. */
    tdm_time queue;      /* At the start of the last burst, smoothed. */
    tdm_time last_queue; /* Of the last packet, sent at: */
    tdm_time last_sent, last_arrival;
    double crowd; /* 0: alone; 1: among others that give way. */

    /* The capacity. */
    struct tdm_window_rate_busy busy, recent; /* The same with a longer and a shorter memory. */
    struct tdm_window_rate_busy piece;        /* To see how it wavers: */
    double mean_bps, variance;
    double acked_bytes;
    tdm_time acked_since;
    tdm_time burst_sent, burst_arrival, burst_queue;
    uint32_t start_head, start_count; /* Bursts that were sent and not told of yet. */
    tdm_time starts[TDM_WINDOW_RATE_BURSTS];
    uint32_t burst_bytes, burst_packets; /* Behind its first, */
    uint32_t burst_first,
        offered_bytes;    /* which has so many; what a frame might have had lately. */
    tdm_time proved_at;   /* When a burst was last large enough to measure with. */
    tdm_time probe_until; /* When the last one has left. */
    uint8_t probes, run_count;
    struct tdm_window_rate_arrival run[TDM_WINDOW_RATE_RUN];

    /* Loss without a queue: a policer, or simply a bad way. */
    uint32_t packets, lost;
    tdm_time lost_since;
    double came_bytes; /* Since then. */
    tdm_time gap_sent; /* The first packet that came again when nothing had for a while. */
    double inherent;   /* What the way loses whatever is sent, fraction. */
    double suspect;    /* Loss that is being looked into by sending less; 0: none. */
    uint8_t suspect_tries;
    double unsuspected_bps; /* The capacity before. */
    double ceiling_bps;     /* 0: none. */
    tdm_time ceiling_at;

    /* Coexistence. */
    tdm_time stopped_at;    /* The bottleneck stood still, last. */
    tdm_time crowded_since; /* Since then the queue was never short; TDM_NEVER: it is. */
    double owed_ms;         /* Of queue that should be gone by what we gave up since then. */
    double crowded_top_ms;
    double remembered_bps; /* What we had before. */
    double window_bytes;
    tdm_time cut_at, try_at, try_queue;

    /* Marks (RFC 9331). */
    double marked_part;
    double marked_queue_ms; /* Behind which marked packets stood, slowly following. */
    uint32_t marked, unmarked;
    tdm_time marks_since, marked_at;
    struct tdm_window_rate_busy standing; /* As `busy`, since the last look at the marks. */
};

/** `tuning` NULL: the default. */
void tdm_window_rate_init(struct tdm_window_rate *r, tdm_time now, uint64_t start_bps,
                          uint64_t limit_bps, const struct tdm_window_rate_tuning *tuning);

void tdm_window_rate_step(struct tdm_window_rate *r, tdm_time now,
                          const struct tdm_congestion_in *in, struct tdm_congestion_out *out);

#endif
