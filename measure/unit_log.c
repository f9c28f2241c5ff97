/* SPDX-License-Identifier: MIT */
#include "measure/unit_log.h"

#include "engine/io/clock.h"

#include <stdlib.h>
#include <string.h>

#define BYTES_START (256u << 10)
#define UNITS_START 64u

struct tdm_logged_unit {
    size_t at, size;
    bool counts;
};

static bool grow(struct tdm_unit_log *log, size_t bytes)
{
    if (log->count == log->capacity_count) {
        uint32_t count = log->capacity_count ? 2 * log->capacity_count : UNITS_START;
        struct tdm_logged_unit *units = realloc(log->units, count * sizeof *units);

        if (!units)
            return false;
        log->units = units;
        log->capacity_count = count;
    }
    if (log->capacity - log->size < bytes) {
        size_t capacity = 2 * log->capacity + bytes + BYTES_START;
        uint8_t *larger = realloc(log->bytes, capacity);

        if (!larger)
            return false;
        log->bytes = larger;
        log->capacity = capacity;
    }
    return true;
}

bool tdm_unit_log_add(struct tdm_unit_log *log, const uint8_t *unit, size_t size, bool counts)
{
    if (!grow(log, size + TDM_DECODER_PADDING))
        return false;
    memcpy(log->bytes + log->size, unit, size);
    memset(log->bytes + log->size + size, 0, TDM_DECODER_PADDING);
    log->units[log->count++] =
        (struct tdm_logged_unit){.at = log->size, .size = size, .counts = counts};
    log->size += size + TDM_DECODER_PADDING;
    return true;
}

size_t tdm_unit_log_bytes(const struct tdm_unit_log *log)
{
    return log->capacity + log->capacity_count * sizeof *log->units;
}

void tdm_unit_log_free(struct tdm_unit_log *log)
{
    free(log->bytes);
    free(log->units);
    *log = (struct tdm_unit_log){.bytes = NULL};
}

enum tdm_err tdm_unit_log_time(const struct tdm_unit_log *log,
                               const struct tdm_video_decoder_ops *ops, struct tdm_series *times)
{
    struct tdm_video_decoder *decoder;
    struct tdm_cause unsaid;
    enum tdm_err err = ops->create(&decoder, &unsaid);

    if (err != TDM_OK)
        return err;
    for (uint32_t i = 0; err == TDM_OK && i < log->count; i++) {
        const struct tdm_logged_unit *unit = &log->units[i];
        struct tdm_picture pic;
        tdm_time start = tdm_clock_now();

        err = ops->decode(decoder, log->bytes + unit->at, unit->size, &pic);
        if (err == TDM_OK && unit->counts &&
            !tdm_series_add(times, (double)(tdm_clock_now() - start) / (double)TDM_MS))
            err = TDM_E_SPACE;
    }
    ops->destroy(decoder);
    return err;
}
