/* SPDX-License-Identifier: MIT */
/*
 * Bytes become packets of any codec, settings and steps of time. Checked: frames come in order,
 * each once, of bounded size, inside the assembly, and begin with a keyframe or after long asking;
 * no wake in the past; the wakes of one instant come to an end; every packet is accounted for.
 */

#include "engine/base/bytes.h"
#include "engine/core/assembly.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    struct tdm_assembly *a;
    tdm_time now, wake_at;
    int64_t next_seq; /* No frame begins before it. */
    uint64_t frames, packets_out;
};

static void step(struct world *w, const struct tdm_assembly_in *in)
{
    struct tdm_assembly_out out;
    const uint8_t *storage = (const uint8_t *)w->a;

    tdm_assembly_step(w->a, w->now, in, &out);
    assert(out.wake_at >= w->now);
    w->wake_at = out.wake_at;
    if (!out.has_frame)
        return;
    assert(out.frame.size > 0 && out.frame.size <= TDM_ASSEMBLY_FRAME_MAX);
    assert(out.frame.data >= storage &&
           out.frame.data + out.frame.size <= storage + tdm_assembly_bytes());
    assert(out.frame.first_seq >= w->next_seq && out.frame.last_seq >= out.frame.first_seq);
    assert(out.frame.first_arrival <= out.frame.last_arrival);
    assert(out.forget_before > out.frame.last_seq);
    w->next_seq = out.frame.last_seq + 1;
    w->packets_out += (uint64_t)(out.frame.last_seq - out.frame.first_seq + 1);
    w->frames++;
}

static void run_until(struct world *w, tdm_time end)
{
    for (int turn = 0; w->wake_at <= end; turn++) {
        assert(turn < 3000);
        w->now = tdm_time_max(w->now, w->wake_at);
        step(w, NULL);
    }
    w->now = end;
}

/* Two codecs that the old inputs know, then the others. */
static enum tdm_codec_id codec_of(uint8_t shape)
{
    static const enum tdm_codec_id codecs[] = {TDM_CODEC_VP8, TDM_CODEC_H264, TDM_CODEC_VP9,
                                               TDM_CODEC_AV1, TDM_CODEC_H265, TDM_CODEC_VP9};

    return codecs[(shape & 1) + (shape >> 2) % 3 * 2];
}

/* Payloads as they begin in the field, or bytes from the input. */
static uint16_t payload_of(struct tdm_reader *r, enum tdm_codec_id codec, uint8_t op,
                           uint8_t payload[32])
{
    static const uint8_t begins[TDM_CODEC_COUNT][8][10] = {
        [TDM_CODEC_VP8] = {{0x10, 0x10, 1}, {0x10, 0x11, 1}, {0x00, 0x11, 1}, {0x10, 0x10, 1}},
        [TDM_CODEC_H264] = {{0x41, 0x1a, 1},
                            {0x09, 0xf0, 1},
                            {0x68, 0xce, 1},
                            {0x67, 0x42, 1},
                            {0x65, 0x88, 1},
                            {0x41, 0x9a, 1},
                            {0x7c, 0x85, 0x88},
                            {0x7c, 0x45, 1}},
        [TDM_CODEC_VP9] = {{0x0c, 0x82, 0x49, 0x83, 0x42, 0x40, 0x15, 0xf0, 0x11, 0xf0},
                           {0x08, 0x82, 0x49, 0x83, 0x42, 0x40, 0x15, 0xf0, 0x11, 0xf0},
                           {0x4c, 0x86, 1},
                           {0x48, 0x86, 1},
                           {0x40, 0x82, 3},
                           {0x44, 0x82, 5},
                           {0x2c, 0x03, 0, 0x86, 7},
                           {0x6c, 0x03, 0, 0x86, 8}},
        [TDM_CODEC_AV1] = {{0x28, 2, 0x08, 9, 0x30, 0x10, 1},
                           {0x60, 2, 0x08, 9, 0x30, 0x10, 1},
                           {0xd0, 2, 3},
                           {0x90, 4, 5},
                           {0x10, 0x30, 0x30, 1},
                           {0x20, 2, 0x08, 9, 0x30, 0x30, 1},
                           {0x10, 0x10},
                           {0xa0, 1, 4, 0x28, 5}},
        [TDM_CODEC_H265] = {{0x40, 1, 0x0c, 1},
                            {0x42, 1, 0x01, 1},
                            {0x60, 1, 0, 2, 0x40, 1, 0, 2, 0x42, 1},
                            {0x26, 1, 0x80, 1},
                            {0x02, 1, 0x80, 1},
                            {0x62, 1, 0x93, 0x80},
                            {0x62, 1, 0x13, 1},
                            {0x62, 1, 0x53, 1}},
    };
    uint16_t size = 10;

    if (op & 8) {
        for (size = 0; size < (op & 7) * 4 && tdm_reader_left(r); size++)
            payload[size] = tdm_read_u8(r);
        return size;
    }
    for (int i = 0; i < 10; i++)
        payload[i] = begins[codec][op & 7][i];
    /* The zeros behind are no part of it. */
    while (size > 3 && !payload[size - 1])
        size--;
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    uint8_t shape = tdm_read_u8(&r);
    enum tdm_codec_id codec = codec_of(shape);
    void *storage = malloc(tdm_assembly_bytes());
    struct world w = {.now = TDM_S, .wake_at = TDM_NEVER};
    int64_t seq = 70000;
    int64_t rtp_time = 0;
    uint64_t packets = 0;
    uint16_t number = 0;
    struct tdm_reference_report report;

    if (!storage)
        abort();
    w.a = tdm_assembly_init(storage, &(struct tdm_assembly_config){codec, shape & 2, shape & 64},
                            w.now);
    while (tdm_reader_left(&r)) {
        uint8_t op = tdm_read_u8(&r);
        struct tdm_assembly_in in = {.kind = TDM_ASSEMBLY_PACKET};
        uint8_t payload[32];

        if (op < 128) {
            in.packet.marker = op & 16;
            seq += op & 32 ? (int8_t)tdm_read_u8(&r) : 1;
            rtp_time += op & 64 ? (int8_t)tdm_read_u8(&r) : 0;
            seq = seq < 0 ? 0 : seq;
            in.packet.seq = seq;
            in.packet.rtp_time = rtp_time;
            in.packet.arrival = w.now;
            in.packet.size = payload_of(&r, codec, op, payload);
            in.packet.payload = payload;
            if (shape & 0x80 && in.packet.marker) { /* It says what it refers to. */
                uint8_t how = tdm_read_u8(&r);

                number = (uint16_t)(number + (how & 3 ? 1 : tdm_read_u16(&r)));
                in.packet.has_reference = how & 4;
                in.packet.reference =
                    (struct tdm_reference_mark){.number = number,
                                                .refers = how & 8 ? how >> 6 : tdm_read_u8(&r),
                                                .index = how >> 4 & 3};
            }
            packets++;
        } else if (op < 200) {
            run_until(&w, w.now + (op & 63) * TDM_MS);
            continue;
        } else if (op < 210) {
            seq += (int16_t)tdm_read_u16(&r);
            seq = seq < 0 ? 0 : seq;
            continue;
        } else if (op < 220) {
            in.kind = TDM_ASSEMBLY_RTT;
            in.rtt = (tdm_time)tdm_read_u16(&r) * TDM_MS;
        } else {
            in.kind = op & 1 ? TDM_ASSEMBLY_GIVE_UP : TDM_ASSEMBLY_BROKEN;
        }
        step(&w, &in);
        if (tdm_assembly_report(w.a, &report))
            assert(report.decoded >> TDM_REFERENCE_REPORT_PICTURES == 0);
    }
    run_until(&w, w.now + 2 * TDM_S);

    const struct tdm_assembly_stats *s = tdm_assembly_stats_of(w.a);

    assert(s->frames == w.frames && s->keyframes <= s->frames);
    assert(s->duplicate_packets + s->late_packets + s->malformed_packets + s->abandoned_packets +
               w.packets_out <=
           packets);
    free(storage);
    return 0;
}
