/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_PRESET_H
#define TDM_MEASURE_PRESET_H

/* Which of an encoder's presets calls use: found by its bits, because only the encoder knows. */

#include "measure/video_cell.h"

/** Presets of the table, 0 when it names none. */
size_t tdm_preset_count(const struct tdm_video_encoder_ops *ops);

/** The place of a preset in the table, or the count when it has no such one. */
size_t tdm_preset_index(const struct tdm_video_encoder_ops *ops, const char *name, size_t size);

/** The place of the preset that gives the same bits as none at all, for the size, threads and rate
 *  of `spec`; the count when no preset does. Codes a few pictures with each. */
size_t tdm_preset_of_calls(const struct tdm_video_spec *spec);

#endif
