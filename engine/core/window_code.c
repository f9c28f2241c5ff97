/* SPDX-License-Identifier: MIT */
#include "engine/core/window_code.h"

#include "engine/base/bytes.h"
#include "engine/base/gf256.h"

#include <string.h>

#define TURN 128 /* Of the numbers that make coefficients. */

static uint8_t factor_of(int64_t seq, uint8_t repair)
{
    return tdm_gf256_inverse((uint8_t)((TURN + repair % TURN) ^ (uint8_t)(seq & (TURN - 1))));
}

/* sum += factor * (size, bytes) */
static void add_packet(uint8_t *sum, const struct tdm_window_packet *p, uint8_t factor)
{
    uint8_t head[2] = {(uint8_t)(p->size >> 8), (uint8_t)p->size};

    tdm_gf256_mul_add(sum, head, factor, sizeof head);
    tdm_gf256_mul_add(sum + sizeof head, p->bytes, factor, p->size);
}

/* The sender's side. */

void tdm_window_encoder_init(struct tdm_window_encoder *e)
{
    e->first = e->next = 0;
    e->repair = 0;
}

void tdm_window_encoder_push(struct tdm_window_encoder *e, int64_t seq, const uint8_t *data,
                             size_t size)
{
    struct tdm_window_packet *p = &e->packets[seq & (TDM_WINDOW_SPAN_MAX - 1)];

    if (size > TDM_RTP_PACKET_MAX) {
        e->first = e->next = seq + 1;
        return;
    }
    if (seq != e->next)
        e->first = seq;
    else if (seq - e->first >= TDM_WINDOW_SPAN_MAX)
        e->first = seq - TDM_WINDOW_SPAN_MAX + 1;
    e->next = seq + 1;
    p->seq = seq;
    p->size = (uint16_t)size;
    if (size)
        memcpy(p->bytes, data, size);
}

size_t tdm_window_encoder_repair(struct tdm_window_encoder *e, uint16_t span,
                                 uint8_t room[TDM_WINDOW_REPAIR_MAX])
{
    int64_t have = e->next - e->first;
    int64_t count = span < have ? span : have;
    struct tdm_writer w = tdm_writer_of(room, TDM_WINDOW_REPAIR_MAX);
    uint8_t *sum = room + TDM_WINDOW_HEAD_BYTES;
    size_t size = 0;

    if (count == 0)
        return 0;
    tdm_write_u16(&w, (uint16_t)(e->next - 1));
    tdm_write_u8(&w, (uint8_t)count);
    tdm_write_u8(&w, e->repair);
    memset(sum, 0, TDM_WINDOW_SYMBOL_MAX);
    for (int64_t seq = e->next - count; seq < e->next; seq++) {
        const struct tdm_window_packet *p = &e->packets[seq & (TDM_WINDOW_SPAN_MAX - 1)];

        add_packet(sum, p, factor_of(seq, e->repair));
        size = p->size > size ? p->size : size;
    }
    e->repair = (uint8_t)((e->repair + 1) % TURN);
    return TDM_WINDOW_HEAD_BYTES + 2 + size;
}

/* The receiver's side: rows stay reduced, each with a pivot that no other row has. */

static size_t column(int64_t seq)
{
    return (size_t)(seq & (TDM_WINDOW_MEMORY - 1));
}

static int64_t oldest(const struct tdm_window_decoder *d)
{
    return d->highest - TDM_WINDOW_MEMORY + 1;
}

static bool has(const struct tdm_window_decoder *d, int64_t seq)
{
    return d->packets[column(seq)].seq == seq;
}

void tdm_window_decoder_init(struct tdm_window_decoder *d)
{
    d->started = false;
    d->highest = 0;
    for (size_t i = 0; i < TDM_WINDOW_MEMORY; i++)
        d->packets[i].seq = -1;
    for (size_t i = 0; i < TDM_WINDOW_ROWS; i++)
        d->rows[i].used = false;
    d->recovered = d->redundant = d->refused = 0;
}

const struct tdm_window_packet *tdm_window_decoder_find(const struct tdm_window_decoder *d,
                                                        int64_t seq)
{
    return seq >= 0 && has(d, seq) ? &d->packets[column(seq)] : NULL;
}

/* Takes the pivot of `from` out of `to`. */
static void reduce(struct tdm_window_row *to, const struct tdm_window_row *from)
{
    size_t at = column(from->pivot);
    uint8_t factor = tdm_gf256_mul(to->factors[at], tdm_gf256_inverse(from->factors[at]));

    if (!factor)
        return;
    tdm_gf256_mul_add(to->factors, from->factors, factor, TDM_WINDOW_MEMORY);
    if (from->size > to->size) {
        memset(to->sum + to->size, 0, (size_t)(from->size - to->size));
        to->size = from->size;
    }
    tdm_gf256_mul_add(to->sum, from->sum, factor, from->size);
}

/* Gives a row the oldest of its packets as pivot and clears this from the others. False: it has
 * none left. */
static bool settle(struct tdm_window_decoder *d, struct tdm_window_row *row)
{
    int64_t seq = oldest(d);

    while (seq <= d->highest && row->factors[column(seq)] == 0)
        seq++;
    row->used = seq <= d->highest;
    if (!row->used)
        return false;
    row->pivot = seq;
    for (size_t i = 0; i < TDM_WINDOW_ROWS; i++)
        if (d->rows[i].used && &d->rows[i] != row)
            reduce(&d->rows[i], row);
    return true;
}

/* What is known of a packet leaves every row. */
static void substitute(struct tdm_window_decoder *d, const struct tdm_window_packet *p)
{
    size_t at = column(p->seq);

    for (size_t i = 0; i < TDM_WINDOW_ROWS; i++) {
        struct tdm_window_row *row = &d->rows[i];
        uint8_t factor = row->used ? row->factors[at] : 0;

        if (!factor)
            continue;
        row->factors[at] = 0;
        if (row->size < 2 + p->size) {
            row->used = false; /* It cannot have covered this packet: the other side errs. */
            continue;
        }
        add_packet(row->sum, p, factor);
        if (row->pivot == p->seq && !settle(d, row))
            d->redundant++;
    }
}

/* Room for newer packets: the oldest are forgotten, with the rows that need them. */
static void advance(struct tdm_window_decoder *d, int64_t highest)
{
    int64_t gone = oldest(d);
    int64_t end = highest - TDM_WINDOW_MEMORY + 1;

    if (highest - d->highest >= TDM_WINDOW_MEMORY)
        end = gone + TDM_WINDOW_MEMORY;
    for (; gone < end; gone++) {
        d->packets[column(gone)].seq = -1;
        for (size_t i = 0; i < TDM_WINDOW_ROWS; i++)
            if (d->rows[i].used && d->rows[i].factors[column(gone)])
                d->rows[i].used = false;
    }
    d->highest = highest;
}

static bool alone(const struct tdm_window_row *row)
{
    size_t count = 0;

    for (size_t i = 0; i < TDM_WINDOW_MEMORY && count < 2; i++)
        count += row->factors[i] != 0;
    return count == 1;
}

/* The packet of a row that has no other left. False: the sum is not one. */
static bool solve(struct tdm_window_decoder *d, const struct tdm_window_row *row)
{
    struct tdm_window_packet *p = &d->packets[column(row->pivot)];
    uint8_t factor = tdm_gf256_inverse(row->factors[column(row->pivot)]);
    size_t size =
        (size_t)tdm_gf256_mul(row->sum[0], factor) << 8 | tdm_gf256_mul(row->sum[1], factor);

    if (2 + size > row->size)
        return false;
    p->seq = row->pivot;
    p->size = (uint16_t)size;
    memset(p->bytes, 0, size);
    tdm_gf256_mul_add(p->bytes, row->sum + 2, factor, size);
    return true;
}

static void recover(struct tdm_window_decoder *d, struct tdm_window_out *out)
{
    for (size_t i = 0; i < TDM_WINDOW_ROWS; i++) {
        struct tdm_window_row *row = &d->rows[i];

        if (!row->used || !alone(row))
            continue;
        row->used = false;
        if (solve(d, row)) {
            d->recovered++;
            out->packets[out->count++] = &d->packets[column(row->pivot)];
        } else {
            d->refused++;
        }
    }
}

void tdm_window_decoder_packet(struct tdm_window_decoder *d, int64_t seq, const uint8_t *data,
                               size_t size, struct tdm_window_out *out)
{
    struct tdm_window_packet *p = &d->packets[column(seq)];

    out->count = 0;
    if (size > TDM_RTP_PACKET_MAX || seq < 0)
        return;
    if (!d->started) {
        d->started = true;
        d->highest = seq;
    }
    if (seq > d->highest)
        advance(d, seq);
    if (seq < oldest(d) || has(d, seq))
        return;
    p->seq = seq;
    p->size = (uint16_t)size;
    if (size)
        memcpy(p->bytes, data, size);
    substitute(d, p);
    recover(d, out);
}

static struct tdm_window_row *free_row(struct tdm_window_decoder *d)
{
    struct tdm_window_row *row = &d->rows[0];

    for (size_t i = 0; i < TDM_WINDOW_ROWS; i++) {
        if (!d->rows[i].used)
            return &d->rows[i];
        if (d->rows[i].pivot < row->pivot)
            row = &d->rows[i];
    }
    return row; /* All wait: the one that waits longest goes. */
}

/* What the window has that is there leaves the sum; the rest are unknowns. False: a packet is
 * longer than the repair says that any was. */
static bool fill_row(const struct tdm_window_decoder *d, struct tdm_window_row *row, int64_t first,
                     int64_t last, uint8_t repair)
{
    for (int64_t seq = first; seq <= last; seq++) {
        const struct tdm_window_packet *p = &d->packets[column(seq)];

        if (!has(d, seq))
            row->factors[column(seq)] = factor_of(seq, repair);
        else if (2 + p->size > row->size)
            return false;
        else
            add_packet(row->sum, p, factor_of(seq, repair));
    }
    return true;
}

enum tdm_err tdm_window_decoder_repair(struct tdm_window_decoder *d, const uint8_t *data,
                                       size_t size, struct tdm_window_out *out)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    uint16_t low = tdm_read_u16(&r);
    uint8_t count = tdm_read_u8(&r);
    uint8_t repair = tdm_read_u8(&r);
    size_t sum_size = tdm_reader_left(&r);
    const uint8_t *sum = tdm_read_bytes(&r, sum_size);
    struct tdm_window_row *row;
    int64_t last;

    out->count = 0;
    if (!r.ok || !sum || sum_size < 2 || sum_size > TDM_WINDOW_SYMBOL_MAX || repair >= TURN ||
        count == 0 || count > TDM_WINDOW_SPAN_MAX)
        return TDM_E_MALFORMED;
    last = tdm_seq_extend(d->highest, low);
    if (!d->started || last - count + 1 < oldest(d)) {
        d->redundant++;
        return TDM_OK;
    }
    if (last > d->highest)
        advance(d, last);
    row = free_row(d);
    row->used = false;
    row->size = (uint16_t)sum_size;
    memset(row->factors, 0, sizeof row->factors);
    memcpy(row->sum, sum, sum_size);
    if (!fill_row(d, row, last - count + 1, last, repair)) {
        d->refused++;
        return TDM_OK;
    }
    for (size_t i = 0; i < TDM_WINDOW_ROWS; i++)
        if (d->rows[i].used)
            reduce(row, &d->rows[i]);
    if (!settle(d, row))
        d->redundant++;
    recover(d, out);
    return TDM_OK;
}
