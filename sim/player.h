/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_PLAYER_H
#define TDM_SIM_PLAYER_H

/*
 * What plays packets over the traces of sim/jitter_trace.h: our playout and models of others,
 * through one table. A player is told of arrivals and pulled by a device; it answers which moment
 * of the sender's media is heard and how much of the pull it had to make up.
 */

#include "sim/jitter_trace.h"

#define TDM_PLAYER_HZ 48000

struct tdm_player_payload {
    uint16_t size;
    uint8_t bytes[600];
};

/** What a sender with copies sends, by packet number. */
struct tdm_player_copies {
    struct tdm_player_payload *payloads;
    double extra_bps; /* Mean, above a sender without. */
};

/** Of packets in the order of their numbers; NULL when there is no memory. */
struct tdm_player_copies *tdm_player_copies_create(const struct tdm_jitter_packet *packets,
                                                   uint32_t count, tdm_time frame,
                                                   uint32_t frame_bytes);
void tdm_player_copies_free(struct tdm_player_copies *copies);

struct tdm_player_setting {
    const struct tdm_player_copies *copies; /* NULL: a packet has its own frame only. */
    uint32_t frame_samples;                 /* Of a packet, at TDM_PLAYER_HZ. */
    double quantile;                        /* For who has one; 0: its own. */
};

struct tdm_player_heard {
    bool media;       /* Something is heard; else nothing has begun. */
    tdm_time sent;    /* The sender's time of the first sample. */
    double concealed; /* Samples of the pull that nobody sent. */
    double scaled;    /* Samples that time scaling made or took. */
};

struct tdm_player_ops {
    const char *name;
    uint32_t pull_samples; /* It can only be pulled so; 0: as the bench likes. */
    void *(*create)(const struct tdm_player_setting *setting);
    void (*packet)(void *player, const struct tdm_jitter_packet *packet);
    void (*pull)(void *player, tdm_time now, uint32_t samples, struct tdm_player_heard *heard);
    void (*destroy)(void *player);
};

extern const struct tdm_player_ops tdm_player_ours;  /* engine/core/playout.h, without PCM. */
extern const struct tdm_player_ops tdm_player_neteq; /* The policy of NetEQ, in 10 ms ticks. */

struct tdm_player_score {
    double delay_ms;          /* Mean, above the fastest packet. */
    double concealed;         /* Per cent of what was pulled. */
    double scaled;            /* Per cent, both ways. */
    double least_ms, most_ms; /* Delay, after two minutes. */
    double extra_kbps;        /* Of copies. */
};

/** What is played, and on what. */
struct tdm_player_run {
    const struct tdm_jitter_packet *packets; /* Sorted by arrival. */
    uint32_t count;
    tdm_time frame;
    uint32_t pull_samples;
    unsigned phase;   /* Of the device, in sevenths of a pull. */
    double drift_ppm; /* Its clock is fast by this. */
};

/** A device pulls while packets come. The first two seconds do not count. */
struct tdm_player_score tdm_player_play(const struct tdm_player_ops *ops,
                                        const struct tdm_player_setting *setting,
                                        const struct tdm_player_run *run);

/**
 * The least of delay and price of concealment that is possible at +-20 % of speed for who knows
 * the future: a bound, not a player.
 */
void tdm_player_bound(const struct tdm_jitter_packet *packets, uint32_t count, tdm_time frame,
                      double price_ms, struct tdm_player_score *score);

#endif
