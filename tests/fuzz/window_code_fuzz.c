/* SPDX-License-Identifier: MIT */
/*
 * Bytes become packets, losses, repairs, and repairs made of the bytes themselves. Checked: what
 * comes back is what was sent, as long as nobody lied; bounded always.
 */

#include "engine/base/bytes.h"
#include "engine/core/window_code.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t packet(int64_t seq, uint8_t *bytes)
{
    size_t size = (size_t)(seq * 37 % 40);

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(seq * 31 + (int64_t)i);
    return size;
}

static void check(const struct tdm_window_decoder *d, const struct tdm_window_out *out, bool lied)
{
    uint8_t bytes[TDM_RTP_PACKET_MAX];

    assert(out->count <= TDM_WINDOW_ROWS);
    for (uint16_t i = 0; i < out->count; i++) {
        const struct tdm_window_packet *p = out->packets[i];

        assert(p->seq <= d->highest && p->seq > d->highest - TDM_WINDOW_MEMORY);
        assert(p->size <= TDM_RTP_PACKET_MAX);
        assert(lied || (p->size == packet(p->seq, bytes) && !memcmp(p->bytes, bytes, p->size)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tdm_window_encoder encoder;
    static struct tdm_window_decoder decoder;
    struct tdm_reader r = tdm_reader_of(data, size);
    struct tdm_window_out out = {0};
    uint8_t bytes[TDM_WINDOW_REPAIR_MAX];
    int64_t seq = 65000;
    bool lied = false;

    tdm_window_encoder_init(&encoder);
    tdm_window_decoder_init(&decoder);
    for (int turn = 0; tdm_reader_left(&r) && turn < 600; turn++) {
        uint8_t op = tdm_read_u8(&r);
        size_t n;

        out.count = 0;
        if (op < 128) { /* A packet; every other value loses it. */
            seq += op % 64 == 63 ? 1 + tdm_read_u8(&r) : 1;
            n = packet(seq, bytes);
            tdm_window_encoder_push(&encoder, seq, bytes, n);
            if (op & 1)
                tdm_window_decoder_packet(&decoder, seq, bytes, n, &out);
        } else if (op < 144) { /* One from before. */
            int64_t late = seq - (op & 15) * 5;

            tdm_window_decoder_packet(&decoder, late, bytes, packet(late, bytes), &out);
        } else if (op < 248) {
            n = tdm_window_encoder_repair(&encoder, op - 143, bytes);
            if (n && op % 3)
                assert(tdm_window_decoder_repair(&decoder, bytes, n, &out) == TDM_OK);
        } else {
            size_t left = tdm_read_u8(&r);
            const uint8_t *raw;

            left = left < tdm_reader_left(&r) ? left : tdm_reader_left(&r);
            raw = tdm_read_bytes(&r, left);
            lied = true;
            (void)tdm_window_decoder_repair(&decoder, raw, left, &out);
        }
        check(&decoder, &out, lied);
    }
    return 0;
}
