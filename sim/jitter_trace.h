/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_JITTER_TRACE_H
#define TDM_SIM_JITTER_TRACE_H

/*
 * When the packets of a voice arrive: drawn from a seed for kinds of networks, computed for a
 * voice that shares a mobile link with video, or read from a recording. Nothing plays them here;
 * bench/playout and tests/sim do. A queue keeps the order of packets in all that is drawn.
 */

#include "engine/base/err.h"
#include "engine/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tdm_jitter_kind {
    TDM_JITTER_LAN,           /* 0.3 ms and half a millisecond of noise. */
    TDM_JITTER_ACCESS,        /* 1 Mb/s shared with 1500-byte packets of others, 12 ms each. */
    TDM_JITTER_GAUSS,         /* Deviation 12 ms; the base moves by up to 32 ms every 20 to 40 s. */
    TDM_JITTER_WIFI,          /* Nothing passes for 30 to 250 ms, every 2 to 6 s. */
    TDM_JITTER_SPIKES,        /* Nothing passes for 100 to 400 ms, every 7 to 22 s. */
    TDM_JITTER_WIFI_RANDOM,   /* The same stalls, */
    TDM_JITTER_SPIKES_RANDOM, /* without memory of the one before. */
    TDM_JITTER_KINDS,
};

struct tdm_jitter_packet {
    int64_t seq;
    tdm_time sent, arrival; /* The sender's sample clock, from 0, and when it comes. */
    bool lost;
};

/** Losses beside the delays: independent, or in bursts that end with chance 1 / burst. */
struct tdm_jitter_loss {
    double share;
    double burst; /* Mean length; at most 1: independent. */
};

/** Draws `count` packets, one every `frame`. */
void tdm_jitter_draw(enum tdm_jitter_kind kind, uint64_t seed, tdm_time frame,
                     struct tdm_jitter_packet *packets, uint32_t count);

/** Marks packets as lost, whatever their delays. */
void tdm_jitter_lose(const struct tdm_jitter_loss *loss, uint64_t seed,
                     struct tdm_jitter_packet *packets, uint32_t count);

/**
 * A voice behind video of constant rate on a link of sim/rate_trace.h, with one queue for both.
 *
 * @param share  Of the link's mean capacity that the video takes.
 */
void tdm_jitter_behind(const uint32_t *trace_ms, uint32_t trace_count, double share, tdm_time frame,
                       struct tdm_jitter_packet *packets, uint32_t count);

/**
 * Reads a recording as rtpdump writes it ("#!rtpplay1.0"). The RTP clock is the usual one that
 * fits the recording's length best; a number that is missing becomes a lost packet.
 *
 * @param frame  Becomes the length of a packet.
 *
 * @return TDM_E_MALFORMED when it is no such recording or has under two packets, TDM_E_SPACE when
 *         it has more than `capacity`.
 */
enum tdm_err tdm_jitter_read(const uint8_t *data, size_t size, struct tdm_jitter_packet *packets,
                             uint32_t capacity, uint32_t *count, tdm_time *frame);

/** Sorts by arrival, what never comes last. */
void tdm_jitter_sort(struct tdm_jitter_packet *packets, uint32_t count);

/** Least time from sending to arrival of what comes. */
tdm_time tdm_jitter_least(const struct tdm_jitter_packet *packets, uint32_t count);

#endif
