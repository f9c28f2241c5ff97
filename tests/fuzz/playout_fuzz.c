/* SPDX-License-Identifier: MIT */
/*
 * Bytes become packets, pulls, answers and steps of time. Checked: a pull always ends, with
 * exactly the samples asked for; every sample is accounted for; payloads lie inside the playout.
 */

#include "engine/base/bytes.h"
#include "engine/core/playout.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TURNS_MAX 4000

struct world {
    struct tdm_playout *p;
    const uint8_t *storage;
    size_t storage_size;
    struct tdm_playout_config config;
    struct tdm_reader r;
    tdm_time now;
    int64_t seq, rtp_time;
    uint64_t pulled;
    int16_t pcm[TDM_PLAYOUT_FRAME_MAX * 2];
};

static void send_packet(struct world *w)
{
    static const uint32_t lengths[] = {0, 120, 480, 960, 5760, 5761, 441, 1};
    static const uint8_t payload[TDM_PLAYOUT_PAYLOAD_MAX + 1];
    struct tdm_playout_in in = {.kind = TDM_PLAYOUT_PACKET};
    struct tdm_playout_out out;
    uint8_t how = tdm_read_u8(&w->r);
    uint32_t length = lengths[how & 7];

    w->seq += how & 8 ? (int8_t)tdm_read_u8(&w->r) : 1;
    w->rtp_time += how & 16 ? (int16_t)tdm_read_u16(&w->r)
                            : (int64_t)length * w->config.rtp_hz / w->config.sample_hz;
    if ((how & 0xe0) == 0xe0) {
        w->seq = (int64_t)tdm_read_u64(&w->r);
        w->rtp_time = (int64_t)tdm_read_u64(&w->r);
    }
    in.packet.seq = w->seq;
    in.packet.rtp_time = w->rtp_time;
    in.packet.samples = length;
    in.packet.size = how & 32 ? tdm_read_u16(&w->r) % (sizeof payload + 1) : 40;
    in.packet.payload = payload;
    in.packet.arrival = how & 64 ? (int64_t)tdm_read_u64(&w->r) : w->now;
    in.packet.captured = how & 128 ? (int64_t)tdm_read_u64(&w->r) : w->now;
    tdm_playout_step(w->p, w->now, &in, &out);
    assert(out.action == TDM_PLAYOUT_NOTHING);
    if (w->seq > INT64_MAX / 2 || w->seq < INT64_MIN / 2)
        w->seq = 0;
    if (w->rtp_time > INT64_MAX / 2 || w->rtp_time < INT64_MIN / 2)
        w->rtp_time = 0;
}

static void answer(struct world *w, const struct tdm_playout_out *out, struct tdm_playout_in *in)
{
    uint8_t how = tdm_read_u8(&w->r);
    const uint8_t *end = w->storage + w->storage_size;

    assert(out->action == TDM_PLAYOUT_DECODE || out->action == TDM_PLAYOUT_CONCEAL);
    if (out->payload)
        assert(out->payload >= w->storage && out->payload + out->payload_size <= end);
    *in = (struct tdm_playout_in){.kind = TDM_PLAYOUT_PCM};
    in->pcm.data = w->config.dry ? NULL : w->pcm;
    in->pcm.samples = out->samples ? out->samples : 480;
    in->pcm.failed = (how & 15) == 1;
    if ((how & 15) == 2)
        in->pcm.samples = tdm_read_u16(&w->r) % (TDM_PLAYOUT_FRAME_MAX + 1);
    for (int i = 0; i < 64; i++)
        w->pcm[i * 90] = (int16_t)(how << 7);
}

static void pull(struct world *w, uint32_t samples)
{
    struct tdm_playout_in in = {.kind = TDM_PLAYOUT_PULL};
    struct tdm_playout_out out;

    in.pull.samples = samples;
    in.pull.play_at = w->now;
    for (int turn = 0;; turn++) {
        assert(turn < TURNS_MAX);
        tdm_playout_step(w->p, w->now, &in, &out);
        if (out.action == TDM_PLAYOUT_READY)
            break;
        answer(w, &out, &in);
    }
    assert(out.samples == samples);
    assert((out.pcm == NULL) == w->config.dry);
    w->pulled += samples;

    const struct tdm_playout_stats *s = tdm_playout_stats_of(w->p);
    int64_t in_all = (int64_t)(s->played_samples + s->concealed_samples + s->silent_samples +
                               s->stretched_samples - s->shrunk_samples) +
                     s->resampled_samples - s->buffered_samples;
    assert(in_all == (int64_t)w->pulled);
}

static void one(struct world *w)
{
    static const uint32_t pulls[] = {64, 128, 240, 441, 480, 960, 2048, 1};
    uint8_t op = tdm_read_u8(&w->r);
    struct tdm_playout_in in = {.kind = TDM_PLAYOUT_MIN_DELAY};
    struct tdm_playout_out out;

    switch (op >> 6) {
    case 0:
        w->now += (tdm_time)(op & 63) * TDM_MS;
        break;
    case 1:
        send_packet(w);
        break;
    case 2:
        pull(w, pulls[op & 7]);
        w->now += tdm_time_of_units(pulls[op & 7], 48000);
        break;
    default:
        if (op & 32) { /* An ordinary 10 ms of life. */
            w->seq++;
            w->rtp_time += w->config.rtp_hz / 100;
            in.kind = TDM_PLAYOUT_PACKET;
            in.packet = (struct tdm_playout_packet){.seq = w->seq,
                                                    .rtp_time = w->rtp_time,
                                                    .arrival = w->now,
                                                    .captured = w->now,
                                                    .samples = 480,
                                                    .size = 3,
                                                    .payload = (const uint8_t *)"abc"};
            tdm_playout_step(w->p, w->now, &in, &out);
            pull(w, 480);
            w->now += 10 * TDM_MS;
        } else {
            in.min_delay = (int64_t)tdm_read_u32(&w->r) * TDM_US;
            tdm_playout_step(w->p, w->now, &in, &out);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    uint8_t shape;

    memset(&w, 0, sizeof w);
    w.r = tdm_reader_of(data, size);
    shape = tdm_read_u8(&w.r);
    w.config = (struct tdm_playout_config){.sample_hz = 48000,
                                           .rtp_hz = shape & 1 ? 8000 : 48000,
                                           .channels = shape & 2 ? 2 : 1,
                                           .max_delay = 2 * TDM_S,
                                           .dry = shape & 4};
    w.storage_size = tdm_playout_bytes(&w.config);
    void *storage = malloc(w.storage_size);
    if (!storage)
        abort();
    w.storage = storage;
    w.now = (tdm_time)(shape >> 3) * TDM_S;
    w.p = tdm_playout_init(storage, &w.config, w.now);
    for (int steps = 0; tdm_reader_left(&w.r) && steps < 2000; steps++)
        one(&w);
    free(storage);
    return 0;
}
