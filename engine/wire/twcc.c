/* SPDX-License-Identifier: MIT */
#include "engine/wire/twcc.h"

#include "engine/wire/rtcp_types.h"

#define HEAD_BYTES    20 /* RTCP header, two SSRCs, base to feedback count. */
#define RUN_MAX       0x1fffu
#define ONE_BIT_COUNT 14
#define TWO_BIT_COUNT 7
#define RUN_WORTH     TWO_BIT_COUNT /* From here on a run is no longer than a vector. */

enum symbol { NOT_RECEIVED = 0, SMALL_DELTA = 1, LARGE_DELTA = 2, RESERVED = 3 };

/* Section 3.1.3 (a run) and 3.1.4 (a vector, of one-bit or two-bit symbols). */
static uint16_t symbols_in(uint16_t chunk)
{
    if (!(chunk & 0x8000))
        return chunk & RUN_MAX;
    return chunk & 0x4000 ? TWO_BIT_COUNT : ONE_BIT_COUNT;
}

static enum symbol next_symbol(struct tdm_twcc_reader *reader)
{
    if (!reader->chunk_left) {
        reader->chunk = tdm_read_u16(&reader->chunks);
        reader->chunk_left = symbols_in(reader->chunk);
        if (!reader->chunk_left) {
            reader->chunks.ok = false;
            return NOT_RECEIVED;
        }
    }
    uint16_t chunk = reader->chunk;
    unsigned left = --reader->chunk_left;

    if (!(chunk & 0x8000))
        return chunk >> 13 & 3;
    return chunk & 0x4000 ? chunk >> 2 * left & 3 : chunk >> left & 1;
}

/* The deltas begin where the chunks end, which only the symbols tell. */
static enum tdm_err find_deltas(struct tdm_twcc_reader reader, struct tdm_reader *deltas)
{
    size_t bytes = 0;

    for (uint16_t i = 0; i < reader.left && reader.chunks.ok; i++) {
        enum symbol symbol = next_symbol(&reader);

        if (symbol == RESERVED)
            return TDM_E_MALFORMED;
        bytes += symbol;
    }
    *deltas = reader.chunks;
    return reader.chunks.ok && tdm_reader_left(deltas) >= bytes ? TDM_OK : TDM_E_MALFORMED;
}

enum tdm_err tdm_twcc_open(struct tdm_twcc_reader *reader, const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);

    *reader = (struct tdm_twcc_reader){0};
    reader->seq = tdm_read_u16(&r);
    reader->left = tdm_read_u16(&r);
    /* Signed, in 24 bits. */
    reader->time = (int32_t)(tdm_read_u24(&r) << 8) / 256 * TDM_TWCC_REFERENCE;
    reader->feedback_count = tdm_read_u8(&r);
    reader->chunks = r;
    if (!r.ok || !reader->left || reader->left > TDM_TWCC_READ_MAX)
        return TDM_E_MALFORMED;
    return find_deltas(*reader, &reader->deltas);
}

enum tdm_err tdm_twcc_next(struct tdm_twcc_reader *reader, struct tdm_twcc_status *status)
{
    if (!reader->left)
        return TDM_E_AGAIN;
    enum symbol symbol = next_symbol(reader);

    reader->left--;
    status->seq = reader->seq++;
    status->received = symbol != NOT_RECEIVED;
    if (symbol == SMALL_DELTA)
        reader->time += tdm_read_u8(&reader->deltas) * TDM_TWCC_TICK;
    else if (symbol == LARGE_DELTA)
        reader->time += (int16_t)tdm_read_u16(&reader->deltas) * TDM_TWCC_TICK;
    status->arrival = status->received ? reader->time : TDM_NEVER;
    return TDM_OK;
}

/* What a message says of each packet, before it is packed. */
struct statuses {
    uint16_t count;
    tdm_time reference; /* In units of 64 ms. */
    uint8_t symbols[TDM_TWCC_WRITE_MAX];
    int16_t deltas[TDM_TWCC_WRITE_MAX];
};

/* Whole units in `t`, rounded down, of a clock that may stand below 0. */
static tdm_time units_in(tdm_time t, tdm_time unit)
{
    return t / unit - (t % unit < 0);
}

static void collect(struct statuses *s, const tdm_time *arrivals, uint16_t count)
{
    tdm_time last = 0;
    bool any = false;

    s->count = 0;
    s->reference = 0;
    for (uint16_t i = 0; i < count; i++) {
        s->symbols[i] = NOT_RECEIVED;
        if (arrivals[i] == TDM_NEVER)
            continue;
        tdm_time ticks = units_in(arrivals[i], TDM_TWCC_TICK);

        if (!any) {
            s->reference = units_in(arrivals[i], TDM_TWCC_REFERENCE);
            last = s->reference * (TDM_TWCC_REFERENCE / TDM_TWCC_TICK);
            any = true;
        }
        tdm_time delta = ticks - last;

        if (delta < INT16_MIN || delta > INT16_MAX)
            return;
        s->symbols[i] = delta >= 0 && delta <= UINT8_MAX ? SMALL_DELTA : LARGE_DELTA;
        s->deltas[i] = (int16_t)delta;
        s->count = (uint16_t)(i + 1); /* What is behind the last that came may come yet. */
        last = ticks;
    }
}

static uint16_t run_at(const struct statuses *s, uint16_t at)
{
    uint16_t run = 1;

    while (at + run < s->count && s->symbols[at + run] == s->symbols[at])
        run++;
    return run;
}

static bool fits_one_bit(const struct statuses *s, uint16_t at)
{
    for (uint16_t i = at; i < s->count && i < at + ONE_BIT_COUNT; i++)
        if (s->symbols[i] == LARGE_DELTA)
            return false;
    return true;
}

/* One chunk from `at` on; returns how many statuses it covers. Behind the last it is zeros. */
static uint16_t write_chunk(struct tdm_writer *w, const struct statuses *s, uint16_t at)
{
    uint16_t run = run_at(s, at);
    bool one_bit = fits_one_bit(s, at);
    unsigned bits = one_bit ? 1 : 2;
    uint16_t size = one_bit ? ONE_BIT_COUNT : TWO_BIT_COUNT;
    uint16_t chunk = one_bit ? 0x8000 : 0xc000;

    if (run >= (one_bit ? ONE_BIT_COUNT : RUN_WORTH) || at + run == s->count) {
        tdm_write_u16(w, (uint16_t)(s->symbols[at] << 13 | run));
        return run;
    }
    for (uint16_t i = 0; i < size && at + i < s->count; i++)
        chunk |= (uint16_t)(s->symbols[at + i] << bits * (size - 1u - i));
    tdm_write_u16(w, chunk);
    return size;
}

static void write_deltas(struct tdm_writer *w, const struct statuses *s)
{
    for (uint16_t i = 0; i < s->count; i++) {
        if (s->symbols[i] == SMALL_DELTA)
            tdm_write_u8(w, (uint8_t)s->deltas[i]);
        else if (s->symbols[i] == LARGE_DELTA)
            tdm_write_u16(w, (uint16_t)s->deltas[i]);
    }
}

uint16_t tdm_twcc_write(struct tdm_writer *w, const struct tdm_twcc_feedback *feedback)
{
    assert(feedback->count <= TDM_TWCC_WRITE_MAX);
    struct statuses s;
    uint8_t body[TDM_TWCC_BYTES_MAX - HEAD_BYTES];
    struct tdm_writer b = tdm_writer_of(body, sizeof body);

    collect(&s, feedback->arrivals, feedback->count);
    if (!s.count)
        return 0;
    for (uint16_t at = 0; at < s.count;)
        at = (uint16_t)(at + write_chunk(&b, &s, at));
    write_deltas(&b, &s);

    size_t size = tdm_writer_size(&b);
    size_t padding = (4 - size % 4) % 4;

    assert(b.ok && size + padding <= sizeof body);
    /* With the padding bit: zeros behind the deltas could be taken for deltas. */
    tdm_write_u8(w, (uint8_t)(0x80 | (padding ? 0x20 : 0) | FMT_TWCC));
    tdm_write_u8(w, TYPE_RTPFB);
    tdm_write_u16(w, (uint16_t)((HEAD_BYTES + size + padding) / 4 - 1));
    tdm_write_u32(w, feedback->sender_ssrc);
    tdm_write_u32(w, feedback->media_ssrc);
    tdm_write_u16(w, feedback->base_seq);
    tdm_write_u16(w, s.count);
    tdm_write_u24(w, (uint32_t)s.reference & 0xffffff);
    tdm_write_u8(w, feedback->feedback_count);
    tdm_write_bytes(w, body, size);
    if (padding)
        tdm_write_uint(w, padding, padding);
    return s.count;
}
