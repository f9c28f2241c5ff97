/* SPDX-License-Identifier: MIT */
/*
 * Bytes become packets, losses, true repairs, and repairs made of the bytes themselves. Checked:
 * what comes back is what was sent, as long as nobody lied; bounded always; a repair that parses is
 * written as it was read.
 */

#include "engine/base/bytes.h"
#include "engine/core/xor_code.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t packet(int64_t seq, uint8_t *bytes)
{
    size_t size = 12 + (size_t)(seq * 37 % 40);

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(seq * 31 + (int64_t)i);
    bytes[0] = 0x80;
    bytes[2] = (uint8_t)(seq >> 8);
    bytes[3] = (uint8_t)seq;
    memset(bytes + 8, 7, 4);
    return size;
}

static size_t repair(int64_t base, uint8_t count, uint8_t index, uint8_t of, uint8_t *room)
{
    struct tdm_xor_sum sum = {0};
    uint64_t mask = tdm_xor_mask(count, index, of);
    struct tdm_writer w = tdm_writer_of(room, 256);
    uint8_t bytes[64];

    for (uint8_t i = 0; i < count; i++)
        if (mask >> i & 1)
            tdm_xor_add(&sum, bytes, packet(base + i, bytes));
    tdm_ulpfec_write(&w, &(struct tdm_ulpfec){.flags = sum.flags,
                                              .type = sum.type,
                                              .timestamp = sum.timestamp,
                                              .length = sum.length,
                                              .base = (uint16_t)base,
                                              .mask = mask,
                                              .size = sum.size,
                                              .data = sum.body});
    assert(w.ok);
    return tdm_writer_size(&w);
}

static void check_layout(const uint8_t *payload, size_t size)
{
    struct tdm_ulpfec fec, again;
    uint8_t room[2000];
    struct tdm_writer w = tdm_writer_of(room, sizeof room);

    if (tdm_ulpfec_parse(&fec, payload, size) != TDM_OK || size > sizeof room)
        return;
    tdm_ulpfec_write(&w, &fec);
    assert(w.ok && tdm_writer_size(&w) <= size);
    assert(tdm_ulpfec_parse(&again, room, tdm_writer_size(&w)) == TDM_OK);
    assert(again.mask == fec.mask && again.base == fec.base && again.size == fec.size &&
           again.length == fec.length && again.flags == fec.flags && again.type == fec.type);
}

static void check(const struct tdm_xor_decoder *d, const struct tdm_xor_out *out, bool lied)
{
    uint8_t bytes[64];

    assert(out->count <= TDM_XOR_ROWS);
    for (uint8_t i = 0; i < out->count; i++) {
        const struct tdm_xor_packet *p = out->packets[i];

        assert(p->seq >= 0 && p->seq <= d->highest && p->seq > d->highest - TDM_XOR_MEMORY);
        assert(p->size >= 12 && p->size <= TDM_DATAGRAM_MAX);
        assert(lied || (p->size == packet(p->seq, bytes) && !memcmp(p->bytes, bytes, p->size)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tdm_xor_decoder d;
    struct tdm_reader r = tdm_reader_of(data, size);
    struct tdm_xor_out out = {0};
    uint8_t bytes[256];
    int64_t seq = 65000;
    bool lied = false;

    tdm_xor_decoder_init(&d);
    check_layout(data, size);
    for (int turn = 0; tdm_reader_left(&r) && turn < 600; turn++) {
        uint8_t op = tdm_read_u8(&r);

        out.count = 0;
        if (op < 128) { /* A packet; every other value loses it. */
            seq += op % 64 == 63 ? 1 + tdm_read_u8(&r) : 1;
            size_t n = packet(seq, bytes);

            if (op & 1)
                tdm_xor_decoder_packet(&d, seq, bytes, n, &out);
        } else if (op < 144) { /* One that is late, or twice. */
            int64_t late = seq - op % 16 * 11;

            tdm_xor_decoder_packet(&d, late, bytes, packet(late, bytes), &out);
        } else if (op < 224) { /* A repair over the last packets. */
            uint8_t count = (uint8_t)(1 + op % TDM_ULPFEC_COVER_MAX), of = 1 + (op >> 5) % 4;
            uint8_t index = tdm_read_u8(&r) % of;
            size_t n = repair(seq - count + 1, count, index, of, bytes);

            if (index < count)
                (void)tdm_xor_decoder_repair(&d, seq, bytes, n, &out);
        } else {
            size_t n = tdm_read_u8(&r), left = tdm_reader_left(&r);

            n = n < left ? n : left;
            lied = true;
            (void)tdm_xor_decoder_repair(&d, seq, tdm_read_bytes(&r, n), n, &out);
        }
        check(&d, &out, lied);
    }
    return 0;
}
