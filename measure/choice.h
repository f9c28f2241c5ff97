/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_CHOICE_H
#define TDM_MEASURE_CHOICE_H

/*
 * Which encoder, preset, size and number of threads a call should use, from what each costs on this
 * machine (measure/cost_table.h) and what the link carries. Pure: a table and a wish in, a choice
 * out. It does not know the network; the rate that the caller allows stands for it.
 *
 * A candidate must fit: its encoding and decoding within half a frame interval, so that the other
 * half is left for everything else. Among those the one wins whose latency, plus what its missing
 * quality is worth in milliseconds, is lowest (docs/bench-codec.md has the numbers).
 */

#include "codecs/codec.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_COSTS_MAX       48
#define TDM_COST_NAME_BYTES 16

/** What one encoder with one preset costs here. */
struct tdm_cost {
    char encoder[TDM_COST_NAME_BYTES]; /* As tdm_video_encoder_named knows it. */
    char preset[TDM_COST_NAME_BYTES];
    enum tdm_codec_id codec;
    double encode_ns; /* A pixel of luma, one thread. */
    double decode_ns;
    double parallel; /* Speed-up of the second thread: 1 none, 2 ideal. */
    double first;    /* Share of encoding after which the first slice leaves: 1 for whole frames. */
};

struct tdm_cost_table {
    uint32_t count;
    struct tdm_cost costs[TDM_COSTS_MAX];
};

struct tdm_choice_wish {
    enum tdm_codec_id codec; /* TDM_CODEC_NONE: any. */
    const char *encoder;     /* Only this one; NULL: any. */
    const char *preset;      /* Only this one; NULL: any. */
    enum tdm_content content;
    int width, height; /* The largest picture wanted. */
    bool size_fixed;   /* No smaller one will do. */
    uint32_t fps, bps;
    unsigned cores;
};

struct tdm_choice {
    const struct tdm_cost *cost; /* Into the table; NULL: it has nothing that was wished for. */
    unsigned threads;
    int width, height; /* Even. */
    double encode_ms, decode_ms, psnr_db;
    bool fits; /* In half a frame interval; false: the cheapest there is, and still too slow. */
};

struct tdm_choice tdm_choice_make(const struct tdm_cost_table *table,
                                  const struct tdm_choice_wish *wish);

/** Fills `order` with the codecs of the table, the one to prefer first; returns how many. */
uint8_t tdm_choice_order(const struct tdm_cost_table *table, const struct tdm_choice_wish *wish,
                         enum tdm_codec_id *order, uint8_t capacity);

/** The quality to expect of an encoder in decibels (PSNR of the luma), for ordinary content. */
double tdm_choice_psnr(const struct tdm_cost *cost, const struct tdm_choice_wish *wish,
                       double pixels);

#endif
