/* SPDX-License-Identifier: MIT */
#include "engine/wire/frame_timing.h"

#include "engine/base/bytes.h"

#define UNIT      (16 * TDM_US)
#define MOST      0xfffeu
#define NOT_KNOWN 0xffffu
#define MOD_BITS  48
#define MOD_MASK  ((UINT64_C(1) << MOD_BITS) - 1)

static uint16_t units_of(tdm_time after_capture)
{
    if (after_capture == TDM_NEVER)
        return NOT_KNOWN;
    if (after_capture <= 0)
        return 0;
    if (after_capture >= MOST * UNIT)
        return MOST;
    return (uint16_t)((after_capture + UNIT / 2) / UNIT);
}

static tdm_time time_of(uint16_t units)
{
    return units == NOT_KNOWN ? TDM_NEVER : units * UNIT;
}

void tdm_frame_timing_write(uint8_t bytes[TDM_FRAME_TIMING_BYTES],
                            const struct tdm_frame_timing *timing)
{
    struct tdm_writer w = tdm_writer_of(bytes, TDM_FRAME_TIMING_BYTES);

    tdm_write_uint(&w, (uint64_t)timing->captured_us & MOD_MASK, MOD_BITS / 8);
    tdm_write_u16(&w, timing->frame_id);
    tdm_write_u16(&w, units_of(timing->encode_start));
    tdm_write_u16(&w, units_of(timing->encode_end));
    tdm_write_u16(&w, units_of(timing->first_sent));
    tdm_write_u16(&w, units_of(timing->last_sent));
}

enum tdm_err tdm_frame_timing_parse(struct tdm_frame_timing *timing, const uint8_t *data,
                                    size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);

    timing->captured_us = (int64_t)tdm_read_uint(&r, MOD_BITS / 8);
    timing->frame_id = tdm_read_u16(&r);
    timing->encode_start = time_of(tdm_read_u16(&r));
    timing->encode_end = time_of(tdm_read_u16(&r));
    timing->first_sent = time_of(tdm_read_u16(&r));
    timing->last_sent = time_of(tdm_read_u16(&r));
    return r.ok && !tdm_reader_left(&r) ? TDM_OK : TDM_E_MALFORMED;
}

int64_t tdm_frame_timing_extend(int64_t near_us, int64_t us_mod_2_48)
{
    uint64_t ahead = ((uint64_t)us_mod_2_48 - (uint64_t)near_us) & MOD_MASK;

    if (ahead >> (MOD_BITS - 1))
        ahead -= MOD_MASK + 1;
    return (int64_t)((uint64_t)near_us + ahead);
}
