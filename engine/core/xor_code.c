/* SPDX-License-Identifier: MIT */
#include "engine/core/xor_code.h"

#include <string.h>

#define HEAD 12

void tdm_xor_add(struct tdm_xor_sum *sum, const uint8_t *packet, size_t size)
{
    struct tdm_reader r = tdm_reader_of(packet + 4, 4);
    uint16_t body = (uint16_t)(size - HEAD);

    assert(size >= HEAD && size <= TDM_DATAGRAM_MAX);
    sum->flags ^= packet[0] & 0x3f;
    sum->type ^= packet[1];
    sum->timestamp ^= tdm_read_u32(&r);
    sum->length ^= body;
    for (uint16_t i = 0; i < body; i++)
        sum->body[i] ^= packet[HEAD + i];
    if (body > sum->size)
        sum->size = body;
}

uint64_t tdm_xor_mask(uint8_t count, uint8_t index, uint8_t of)
{
    uint64_t mask = 0;

    assert(count <= TDM_ULPFEC_COVER_MAX && index < of);
    for (uint8_t i = index; i < count; i = (uint8_t)(i + of))
        mask |= 1ull << i;
    return mask;
}

void tdm_xor_decoder_init(struct tdm_xor_decoder *d)
{
    memset(d, 0, sizeof *d);
    for (int i = 0; i < TDM_XOR_MEMORY; i++)
        d->packets[i].seq = -1;
}

static struct tdm_xor_packet *slot_of(struct tdm_xor_decoder *d, int64_t seq)
{
    return &d->packets[(uint64_t)seq & (TDM_XOR_MEMORY - 1)];
}

const struct tdm_xor_packet *tdm_xor_decoder_find(const struct tdm_xor_decoder *d, int64_t seq)
{
    const struct tdm_xor_packet *p = &d->packets[(uint64_t)seq & (TDM_XOR_MEMORY - 1)];

    return seq >= 0 && p->seq == seq ? p : NULL;
}

static bool is_remembered(const struct tdm_xor_decoder *d, int64_t seq)
{
    return seq >= 0 && seq > d->highest - TDM_XOR_MEMORY;
}

/* Of the packets of a row those that are not there; `last`: one of them. */
static int missing_of(const struct tdm_xor_decoder *d, const struct tdm_xor_row *row, int64_t *last)
{
    int missing = 0;

    for (int i = 0; i < TDM_ULPFEC_COVER_MAX; i++)
        if (row->mask >> i & 1 && !tdm_xor_decoder_find(d, row->base + i)) {
            *last = row->base + i;
            missing++;
        }
    return missing;
}

static void note_highest(struct tdm_xor_decoder *d, int64_t seq)
{
    if (!d->started || seq > d->highest)
        d->highest = seq;
    d->started = true;
}

/* What the others of its row leave is the packet, if it is one. The row is spent. */
static const struct tdm_xor_packet *recover(struct tdm_xor_decoder *d, struct tdm_xor_row *row,
                                            int64_t seq)
{
    struct tdm_xor_sum *sum = &row->sum;
    uint16_t covered = sum->size;

    row->used = false;
    for (int i = 0; i < TDM_ULPFEC_COVER_MAX; i++) {
        const struct tdm_xor_packet *p =
            row->mask >> i & 1 ? tdm_xor_decoder_find(d, row->base + i) : NULL;

        if (p)
            tdm_xor_add(sum, p->bytes, p->size);
    }
    if (sum->length > covered || !is_remembered(d, seq) || slot_of(d, seq)->seq > seq) {
        d->refused++;
        return NULL;
    }
    struct tdm_xor_packet *p = slot_of(d, seq);
    struct tdm_writer w = tdm_writer_of(p->bytes, sizeof p->bytes);

    tdm_write_u8(&w, (uint8_t)(0x80 | (sum->flags & 0x3f)));
    tdm_write_u8(&w, sum->type);
    tdm_write_u16(&w, (uint16_t)seq);
    tdm_write_u32(&w, sum->timestamp);
    tdm_write_bytes(&w, d->ssrc, sizeof d->ssrc);
    tdm_write_bytes(&w, sum->body, sum->length);
    p->seq = w.ok ? seq : -1;
    p->size = (uint16_t)tdm_writer_size(&w);
    note_highest(d, seq);
    d->recovered += w.ok;
    return w.ok ? p : NULL;
}

/* Each packet that comes back may leave another row with one missing. */
static void solve(struct tdm_xor_decoder *d, struct tdm_xor_out *out)
{
    bool again = true;

    while (again) {
        again = false;
        for (int i = 0; i < TDM_XOR_ROWS; i++) {
            struct tdm_xor_row *row = &d->rows[i];
            int64_t seq = -1;
            int missing = row->used ? missing_of(d, row, &seq) : TDM_ULPFEC_COVER_MAX;

            if (missing == 0) {
                row->used = false;
                d->redundant++;
            }
            if (missing != 1)
                continue;
            const struct tdm_xor_packet *p = recover(d, row, seq);

            if (p && out->count < TDM_XOR_ROWS)
                out->packets[out->count++] = p;
            again |= p != NULL;
        }
    }
}

void tdm_xor_decoder_packet(struct tdm_xor_decoder *d, int64_t seq, const uint8_t *data,
                            size_t size, struct tdm_xor_out *out)
{
    out->count = 0;
    if (seq < 0 || size < HEAD || size > TDM_DATAGRAM_MAX || (d->started && !is_remembered(d, seq)))
        return;
    struct tdm_xor_packet *p = slot_of(d, seq);

    note_highest(d, seq);
    if (p->seq >= seq)
        return;
    p->seq = seq;
    p->size = (uint16_t)size;
    memcpy(p->bytes, data, size);
    memcpy(d->ssrc, data + 8, sizeof d->ssrc);
    solve(d, out);
}

static struct tdm_xor_row *free_row(struct tdm_xor_decoder *d)
{
    for (int i = 0; i < TDM_XOR_ROWS; i++) {
        struct tdm_xor_row *row = &d->rows[d->next_row];

        d->next_row = (uint8_t)((d->next_row + 1) % TDM_XOR_ROWS);
        if (!row->used)
            return row;
    }
    struct tdm_xor_row *oldest = &d->rows[d->next_row];

    d->next_row = (uint8_t)((d->next_row + 1) % TDM_XOR_ROWS);
    return oldest;
}

enum tdm_err tdm_xor_decoder_repair(struct tdm_xor_decoder *d, int64_t near, const uint8_t *payload,
                                    size_t size, struct tdm_xor_out *out)
{
    struct tdm_ulpfec fec;
    enum tdm_err err = tdm_ulpfec_parse(&fec, payload, size);

    out->count = 0;
    if (err == TDM_OK && fec.size > TDM_DATAGRAM_MAX - HEAD)
        err = TDM_E_MALFORMED;
    if (err != TDM_OK || !d->started) {
        d->refused++;
        return err;
    }
    int64_t base = tdm_seq_extend(near, fec.base);

    if (!is_remembered(d, base) || base > near + TDM_XOR_MEMORY) {
        d->refused++; /* Too old to be of use, or of another world. */
        return TDM_OK;
    }
    struct tdm_xor_row *row = free_row(d);

    *row = (struct tdm_xor_row){
        .used = true,
        .base = base,
        .mask = fec.mask,
        .sum = {.flags = fec.flags,
                .type = fec.type,
                .timestamp = fec.timestamp,
                .length = fec.length,
                .size = fec.size},
    };
    memcpy(row->sum.body, fec.data, fec.size);
    solve(d, out);
    return TDM_OK;
}
