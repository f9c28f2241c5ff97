/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_PLAYOUT_H
#define TDM_CORE_PLAYOUT_H

/*
 * Audio playout: when each received sample is heard. Decides how much to buffer (from the lateness
 * of arrivals), what to decode, what to conceal, when to stretch or shrink, and by how much to
 * resample so that the sender's and the device's clocks stay together. It does not decode: it asks
 * the driver to, through `out`, because codecs live beside it and not under it.
 *
 * Owned by the audio-out thread (the device's pull). Packets reach it through a ring.
 *
 *   driver, for each packet:  step at the time when it arrived, which may be before `now`
 *   driver, for each pull:    in = PULL
 *     do { tdm_playout_step(p, now, &in, &out);
 *          DECODE  -> decode out.payload, in = PCM (or PCM with failed = true)
 *          CONCEAL -> conceal out.samples, in = PCM
 *          READY   -> out.pcm holds exactly the samples asked for
 *     } while (out.action is not READY);
 *
 * All sample counts are per channel at `sample_hz`; PCM is interleaved.
 */

#include "engine/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_PLAYOUT_PACKETS     256  /* Ring of waiting packets; more are dropped, oldest first. */
#define TDM_PLAYOUT_PAYLOAD_MAX 1472 /* What a UDP datagram carries on Ethernet. */
#define TDM_PLAYOUT_PULL_MAX    2048 /* Samples of one pull. */
#define TDM_PLAYOUT_FRAME_MAX   5760 /* Samples of one packet: 120 ms at 48 kHz. */

struct tdm_playout_config {
    uint32_t sample_hz;            /* Of the PCM in and out: 48000. */
    uint32_t rtp_hz;               /* RTP clock of the stream: 48000, 8000 ... */
    uint8_t channels;              /* 1 or 2. */
    tdm_time min_delay, max_delay; /* Bounds of the playout delay: 0 and 2 s are usual. */
    bool dry;                      /* Simulation: counts samples, never touches PCM. */
};

struct tdm_playout_packet {
    int64_t seq;      /* Extended. */
    int64_t rtp_time; /* Extended, in rtp_hz units. */
    tdm_time arrival; /* Kernel receive time, local clock. */
    tdm_time
        captured; /* Sender's capture time of the first sample on the local clock, or TDM_NEVER. */
    uint32_t samples; /* What the payload decodes to, at sample_hz; 0 = not known yet. */
    uint16_t size;
    bool repair; /* A copy that a later packet carried (RFC 2198), not the packet itself. */
    bool heals;  /* The decoder finds the packet before it in it, too (Opus LBRR). */
    const uint8_t *payload; /* Copied by the step. */
};

enum tdm_playout_in_kind {
    TDM_PLAYOUT_PACKET,
    TDM_PLAYOUT_PULL,
    TDM_PLAYOUT_PCM,
    TDM_PLAYOUT_MIN_DELAY, /* Lip sync asks for at least this delay. */
};

struct tdm_playout_in {
    enum tdm_playout_in_kind kind;
    union {
        struct tdm_playout_packet packet;
        struct {
            uint32_t samples; /* Up to TDM_PLAYOUT_PULL_MAX. */
            tdm_time play_at; /* When the first of them will be heard. */
        } pull;
        struct {
            const int16_t *data; /* Borrowed for the step; NULL when dry. */
            uint32_t samples;
            bool failed; /* The payload did not decode: conceal it. */
        } pcm;
        tdm_time min_delay;
    };
};

enum tdm_playout_action {
    TDM_PLAYOUT_NOTHING, /* After PACKET and MIN_DELAY. */
    TDM_PLAYOUT_DECODE,  /* Decode `payload`, answer with PCM. */
    TDM_PLAYOUT_CONCEAL, /* Make `samples` of concealment (payload: the next packet, if there is
                            one right behind the gap, else NULL), answer with PCM. */
    TDM_PLAYOUT_READY,   /* `pcm` holds the samples of the pull. */
};

struct tdm_playout_out {
    enum tdm_playout_action action;
    const uint8_t *payload; /* Valid until the next step. */
    uint16_t payload_size;
    uint32_t samples;
    const int16_t *pcm; /* READY: owned by the core, valid until the next step; NULL when dry. */
    tdm_time captured;  /* READY: capture time of the first sample (local clock), or TDM_NEVER. */
    bool concealed;     /* READY: some of it is concealment. */
    bool silent;        /* READY: nothing has been received yet, or the stream stopped. */
};

/**
 * Running totals; samples at sample_hz. Read by the owner, or copied out between steps. What is
 * pulled is what went in: pulled = played + concealed + silent + stretched - shrunk + resampled -
 * buffered.
 */
struct tdm_playout_stats {
    uint64_t packets, late_packets, duplicate_packets, dropped_packets;
    uint64_t repaired_packets; /* That came only as copies in later ones; some may be late. */
    uint64_t played_samples, concealed_samples, stretched_samples, shrunk_samples, silent_samples;
    uint64_t cut_samples; /* Lost, and left out instead of made up. */
    uint64_t conceal_events;
    int64_t resampled_samples; /* Made (or, negative, saved) by following the sender's clock. */
    uint32_t buffered_samples; /* On the line, not yet played. */
    tdm_time delay;            /* Now: time from the fastest packet's arrival to its playing. */
    tdm_time target_delay;
    tdm_time jitter_p95; /* Lateness of arrivals against the fastest. */
    double drift_ppm;    /* Sender's clock against the device's. */
};

struct tdm_playout;

/** Bytes of storage that a playout for this config needs; the caller allocates them once. */
size_t tdm_playout_bytes(const struct tdm_playout_config *config);

/** Lays a playout over `storage` (aligned as by malloc). */
struct tdm_playout *tdm_playout_init(void *storage, const struct tdm_playout_config *config,
                                     tdm_time now);

void tdm_playout_step(struct tdm_playout *p, tdm_time now, const struct tdm_playout_in *in,
                      struct tdm_playout_out *out);

const struct tdm_playout_stats *tdm_playout_stats_of(const struct tdm_playout *p);

#endif
