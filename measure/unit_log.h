/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_UNIT_LOG_H
#define TDM_MEASURE_UNIT_LOG_H

/*
 * The coded pictures of a round, kept so that a decoder can be timed by itself: one that takes
 * turns with an encoder finds its data gone from the caches and takes a fifth to a third longer,
 * which says more about the encoder (docs/codecs.md).
 */

#include "codecs/codec.h"
#include "measure/series.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tdm_unit_log {
    uint8_t *bytes;
    size_t size, capacity;
    struct tdm_logged_unit *units;
    uint32_t count, capacity_count;
};

/** Zero-init the log first. False when there is no memory. */
bool tdm_unit_log_add(struct tdm_unit_log *log, const uint8_t *unit, size_t size, bool counts);

/** Of the heap. */
size_t tdm_unit_log_bytes(const struct tdm_unit_log *log);
void tdm_unit_log_free(struct tdm_unit_log *log);

/** Decodes all units with a decoder of its own and adds the times of those that count, in
 *  milliseconds. The decoder's error, or TDM_E_SPACE without memory. */
enum tdm_err tdm_unit_log_time(const struct tdm_unit_log *log,
                               const struct tdm_video_decoder_ops *ops, struct tdm_series *times);

#endif
