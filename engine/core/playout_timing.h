/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_PLAYOUT_TIMING_H
#define TDM_CORE_PLAYOUT_TIMING_H

/*
 * The clocks of a playout. The device clock counts the samples that were pulled; the play clock
 * is the same, scaled to the sender's sample rate. Lateness is play clock at arrival less the
 * packet's media position; a playout at delay C plays media position (play clock - C). So a
 * packet is in time exactly when its lateness is at most C, whatever the size, the phase or the
 * bursts of the pulls: they are part of the lateness. It holds what is known of the arrivals and
 * says which C to aim at.
 */

#include "engine/core/drift.h"
#include "engine/core/lateness.h"

#define TDM_PLAYOUT_EPOCHS 9

/** Raw lateness of the arrivals of about a second. */
struct tdm_playout_epoch {
    tdm_time since;
    uint32_t count;
    double least, most;
};

/** Owned by the playout. All positions and delays in samples at `sample_hz`. */
struct tdm_playout_timing {
    uint32_t sample_hz;
    double clock;       /* Play clock at the next sample to be pulled. */
    double clock_start; /* Play clock at the start of the last pull, */
    int64_t device;     /* device clock at the next sample, */
    int64_t device_start;
    tdm_time pulled_at; /* when that pull came, */
    tdm_time played_at; /* and when its first sample is heard. */
    uint32_t pull_samples;
    bool pulling;      /* The device pulls: it has begun and has not stalled. */
    tdm_time began;    /* Where the wall stood when the device clock was 0. */
    bool lead_known;   /* The device clock less the wall, at most so far: a device that keeps up */
    tdm_time lead_max; /* comes back to it, one that loses sound does not. */
    tdm_time lead_at;
    bool stalled; /* It had stalled, or not begun, before the pull that is being served. */

    struct tdm_lateness lateness;
    struct tdm_drift drift;
    double drift_ppm;                                    /* In use; follows the estimate slowly. */
    struct tdm_playout_epoch epochs[TDM_PLAYOUT_EPOCHS]; /* By second, the newest first. */
    double fastest;                                      /* Least raw lateness of all epochs. */
    double jitter;    /* 95th percentile of raw lateness above the fastest. */
    double last_late; /* Of the last packet. */
    double ask;       /* Lip sync's least delay. */
    double min_delay, max_delay;
};

void tdm_playout_timing_init(struct tdm_playout_timing *t, uint32_t sample_hz, tdm_time now);

/** A new stream: what was known of arrivals is forgotten; the clocks go on. */
void tdm_playout_timing_restart(struct tdm_playout_timing *t);

/** The device did not pull for long (or has not begun): its clock goes on by the wall. */
void tdm_playout_timing_keep(struct tdm_playout_timing *t, tdm_time now);

/** Lateness of a packet at media position `pos` that is handed over now. */
double tdm_playout_timing_late(const struct tdm_playout_timing *t, int64_t pos);

/** Learns from one arrival; `samples` is the packet's length, > 0. */
void tdm_playout_timing_arrive(struct tdm_playout_timing *t, tdm_time now, tdm_time arrival,
                               int64_t pos, uint32_t samples, bool overtaken);

/**
 * A pull of `count` samples has been served; the first will be heard at `play_at`, which is
 * steadier than the time of the call. One far from now is not believed.
 */
void tdm_playout_timing_pull(struct tdm_playout_timing *t, tdm_time now, tdm_time play_at,
                             uint32_t count);

/** The delay to aim at. Only after the first arrival. */
double tdm_playout_timing_target(const struct tdm_playout_timing *t);

static inline double tdm_playout_timing_ms(const struct tdm_playout_timing *t, double samples)
{
    return samples * 1e3 / t->sample_hz;
}

#endif
