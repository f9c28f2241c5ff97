/* SPDX-License-Identifier: MIT */
#include "engine/wire/ccfb.h"

#include "engine/wire/rtcp_types.h"

#define CAME         0x8000u
#define AGE_HZ       1024
#define AGE_TOO_LONG 0x1ffeu /* Longer ago than the field can say. */
#define AGE_UNKNOWN  0x1fffu /* Or later than the time stamp. */
#define STAMP_HZ     65536

static void open_source(struct tdm_ccfb_reader *reader)
{
    reader->ssrc = tdm_read_u32(&reader->blocks);
    reader->seq = tdm_read_u16(&reader->blocks);
    reader->left = tdm_read_u16(&reader->blocks);
    reader->reports = tdm_read_sub(&reader->blocks, ((size_t)reader->left + 1) / 2 * 4);
}

/* Section 3.1: whole sources up to the time stamp. */
static bool is_whole(struct tdm_ccfb_reader reader)
{
    while (reader.blocks.ok && tdm_reader_left(&reader.blocks)) {
        open_source(&reader);
        if (reader.left > TDM_CCFB_SOURCE_MAX)
            return false;
    }
    return reader.blocks.ok;
}

enum tdm_err tdm_ccfb_open(struct tdm_ccfb_reader *reader, const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);

    *reader = (struct tdm_ccfb_reader){0};
    if (size < 4)
        return TDM_E_MALFORMED;
    reader->blocks = tdm_read_sub(&r, size - 4);
    reader->timestamp = tdm_time_of_units(tdm_read_u32(&r), STAMP_HZ);
    return is_whole(*reader) ? TDM_OK : TDM_E_MALFORMED;
}

enum tdm_err tdm_ccfb_next(struct tdm_ccfb_reader *reader, struct tdm_ccfb_report *report)
{
    while (!reader->left) {
        if (!tdm_reader_left(&reader->blocks))
            return TDM_E_AGAIN;
        open_source(reader);
    }
    uint16_t bits = tdm_read_u16(&reader->reports);
    uint16_t age = bits & AGE_UNKNOWN;

    reader->left--;
    *report = (struct tdm_ccfb_report){
        .ssrc = reader->ssrc,
        .seq = reader->seq++,
        .received = bits & CAME,
        .ecn = bits & CAME ? (enum tdm_ecn)(bits >> 13 & 3) : TDM_ECN_NONE,
        .age = bits & CAME && age < AGE_TOO_LONG ? tdm_time_of_units(age, AGE_HZ) : TDM_NEVER,
    };
    return TDM_OK;
}

static uint16_t bits_of(const struct tdm_ccfb_arrival *arrival, tdm_time now)
{
    if (arrival->at == TDM_NEVER)
        return 0;
    tdm_time age = now - arrival->at;
    uint16_t units = AGE_UNKNOWN;

    if (age >= 0)
        units = age < 8 * TDM_S ? (uint16_t)tdm_units_of_time(age, AGE_HZ) : AGE_TOO_LONG;
    return (uint16_t)(CAME | (unsigned)arrival->ecn << 13 | units);
}

static void write_source(struct tdm_writer *w, const struct tdm_ccfb_source *source, tdm_time now)
{
    assert(source->count <= TDM_CCFB_SOURCE_MAX);
    tdm_write_u32(w, source->ssrc);
    tdm_write_u16(w, source->begin_seq);
    tdm_write_u16(w, source->count);
    for (uint16_t i = 0; i < source->count; i++)
        tdm_write_u16(w, bits_of(&source->arrivals[i], now));
    if (source->count % 2)
        tdm_write_u16(w, 0);
}

void tdm_ccfb_write(struct tdm_writer *w, uint32_t sender_ssrc, tdm_time now, uint64_t ntp,
                    const struct tdm_ccfb_source *sources, uint8_t source_count)
{
    size_t bytes = TDM_CCFB_HEAD_BYTES;

    for (uint8_t i = 0; i < source_count; i++)
        bytes += tdm_ccfb_source_bytes(sources[i].count);
    tdm_write_u8(w, 0x80 | FMT_CCFB);
    tdm_write_u8(w, TYPE_RTPFB);
    tdm_write_u16(w, (uint16_t)(bytes / 4 - 1));
    tdm_write_u32(w, sender_ssrc);
    for (uint8_t i = 0; i < source_count; i++)
        write_source(w, &sources[i], now);
    tdm_write_u32(w, (uint32_t)(ntp >> 16));
}
