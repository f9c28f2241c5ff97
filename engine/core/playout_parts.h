/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_PLAYOUT_PARTS_H
#define TDM_CORE_PLAYOUT_PARTS_H

/*
 * The playout's own state, shared by its three files and nobody else: playout.c takes packets and
 * answers steps, playout_fill.c puts samples onto the line, playout_pull.c decides on the delay
 * and plays from the line.
 */

#include "engine/core/playout.h"
#include "engine/core/playout_line.h"
#include "engine/core/playout_store.h"
#include "engine/core/playout_timing.h"
#include "engine/core/resample.h"
#include "engine/core/stretch.h"

/* Kept above the target, so that its own rounding is never heard; where jitter is small, so that
 * the latest packet in minutes is not either. */
#define TDM_PLAYOUT_MARGIN_MS       0.3
#define TDM_PLAYOUT_QUIET_MS        5.0
#define TDM_PLAYOUT_QUIET_MARGIN_MS 1.0

enum tdm_playout_wish { TDM_PLAYOUT_LEAVE, TDM_PLAYOUT_GROW, TDM_PLAYOUT_SHRINK };
enum tdm_playout_pending {
    TDM_PLAYOUT_NO_PCM,
    TDM_PLAYOUT_DECODED_PCM,
    TDM_PLAYOUT_GAP_PCM,
    TDM_PLAYOUT_EXTRA_PCM
};

/* What the driver was asked for. */
struct tdm_playout_request {
    enum tdm_playout_pending kind;
    uint32_t samples;
    int64_t pos;
    uint32_t length; /* Expected, for a payload that does not decode. */
};

struct tdm_playout {
    struct tdm_playout_config config;
    struct tdm_playout_stats stats;
    struct tdm_playout_store store;
    struct tdm_playout_timing timing;
    struct tdm_playout_line line;
    struct tdm_resample resample;
    struct tdm_stretch stretch;
    uint8_t *payloads; /* TDM_PLAYOUT_PACKETS * TDM_PLAYOUT_PAYLOAD_MAX */
    int16_t *block;    /* TDM_PLAYOUT_PULL_MAX * channels, NULL when dry. */
    tdm_time now;

    bool started;                      /* A packet has come. */
    int64_t rtp_base;                  /* RTP time of media position 0. */
    struct tdm_playout_packet suspect; /* The last implausible packet; size 1 when there is one. */
    int64_t heard_seq, heard_rtp_time; /* Of the last packet that was believed. */
    int64_t newest_seq;                /* The highest so far. */
    int64_t seen[TDM_PLAYOUT_PACKETS]; /* The numbers of what came, or INT64_MIN. */
    double expected, came;             /* Packets, the older the less they count. */
    tdm_time captured;                 /* Of media position captured_pos, or TDM_NEVER. */
    int64_t captured_pos;

    bool idle;         /* Silent until a packet comes. */
    bool fresh;        /* Idle since the start of the stream. */
    bool dtx;          /* The sender announced its silence. */
    bool concealing;   /* In a conceal event. */
    uint32_t lead;     /* Silence to play before the waiting packet. */
    uint32_t expanded; /* Extra samples concealed since the last packet. */
    uint32_t length;   /* Samples of the last packet, 0 = none yet. */
    struct tdm_playout_request request;
    uint32_t want; /* Samples of the pull under way. */
    tdm_time play_at;
    enum tdm_playout_wish wish;
    float resemblance;
    uint32_t lag_limit;
    bool looming;        /* The next packet is later than usual. */
    uint32_t pause_lags; /* Lags to play between two splices: 3 is a quarter of the speed. */
    uint32_t cooldown;   /* Samples to play before the next splice. */
    uint32_t dry_splices;
    double steer_ppm;
    double excess;    /* Samples of delay above the target. */
    uint32_t unheard; /* Lost samples that are cut, which the decoder must make all the same. */
};

static inline uint32_t tdm_playout_samples(const struct tdm_playout *p, double ms)
{
    return (uint32_t)(ms * 1e-3 * p->config.sample_hz);
}

static inline bool tdm_playout_quiet(const struct tdm_playout *p)
{
    return p->timing.jitter < TDM_PLAYOUT_QUIET_MS * 1e-3 * p->config.sample_hz;
}

/* Samples of delay above the target. */
static inline double tdm_playout_margin(const struct tdm_playout *p)
{
    return (tdm_playout_quiet(p) ? TDM_PLAYOUT_QUIET_MARGIN_MS : TDM_PLAYOUT_MARGIN_MS) * 1e-3 *
           p->config.sample_hz;
}

/* The playout delay at the read position, in samples on the lateness' origin. */
static inline double tdm_playout_delay(const struct tdm_playout *p)
{
    return p->timing.clock - (double)tdm_playout_line_media(&p->line) - p->resample.fraction;
}

static inline const uint8_t *tdm_playout_payload(const struct tdm_playout *p,
                                                 const struct tdm_playout_slot *slot)
{
    return p->payloads + (size_t)(slot - p->store.slots) * TDM_PLAYOUT_PAYLOAD_MAX;
}

static inline uint32_t tdm_playout_length(const struct tdm_playout *p,
                                          const struct tdm_playout_slot *slot)
{
    return slot->samples ? slot->samples : p->length;
}

/* ---- playout_fill.c ---- */

/** Drops a waiting packet and all before it. */
void tdm_playout_give_up(struct tdm_playout *p, const struct tdm_playout_slot *slot);

/** One step towards `missing` more samples on the line; true when the driver must answer first. */
bool tdm_playout_fill_step(struct tdm_playout *p, struct tdm_playout_out *out, uint32_t missing);

/** The driver's answer goes onto the line; true when it must answer again. */
bool tdm_playout_take_pcm(struct tdm_playout *p, const struct tdm_playout_in *in,
                          struct tdm_playout_out *out);

/* ---- playout_pull.c ---- */

/** Compares the delay with the target and decides what to do about it in this pull. */
void tdm_playout_control(struct tdm_playout *p);

/** Fills the line as far as the pull needs; true when the driver must answer first. */
bool tdm_playout_fill(struct tdm_playout *p, struct tdm_playout_out *out);

/** Plays the pull. */
void tdm_playout_produce(struct tdm_playout *p, struct tdm_playout_out *out);

#endif
