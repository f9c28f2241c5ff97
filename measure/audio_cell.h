/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_AUDIO_CELL_H
#define TDM_MEASURE_AUDIO_CELL_H

/*
 * One audio cell of a bench: one encoder in one mode, over a few seconds of sound. Each round adds
 * to its times; the first one also measures delay, signal-to-noise ratio and concealment.
 */

#include "codecs/codec.h"
#include "measure/series.h"
#include "measure/sound.h"

struct tdm_audio_spec {
    const struct tdm_audio_encoder_ops *ops;
    char mode[32]; /* "low delay 10 ms". */
    struct tdm_audio_encoder_config config;
};

struct tdm_audio_cell {
    struct tdm_audio_spec spec;
    struct tdm_series encode_ms, decode_ms;
    struct tdm_series payload_bytes; /* Of the first round. */
    double delay_ms, snr_db, loss_snr_db, loss_ms;
    uint64_t memory_bytes;
    uint32_t rounds;
    bool failed;
    char why[160];
};

void tdm_audio_cell_free(struct tdm_audio_cell *cell);

/** Measures one round with sound of the cell's rate and channels. After an error the cell is
 *  `failed` and says why. */
enum tdm_err tdm_audio_cell_measure(struct tdm_audio_cell *cell, const struct tdm_sound *sound,
                                    struct tdm_cause *cause);

#endif
