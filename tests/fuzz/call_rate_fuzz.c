/* SPDX-License-Identifier: MIT */
/* Bytes become what happens to a call's rate and steps of time, with feedback that may say anything
 * of what was sent. Checked: what comes out is within the limits that were given, never starves and
 * never lets more through than the link could be worth, and asking changes nothing. */

#include "engine/base/bytes.h"
#include "engine/core/call_rate.h"

#include <assert.h>
#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FLOOR_BPS UINT64_C(64000)
#define ROW       64

struct world {
    tdm_time now;
    uint64_t limit_bps, remb_bps, tmmbr_bps;
    struct tdm_call_rate rate;
    struct tdm_call_rate_out out;
    struct tdm_ack row[ROW]; /* What left and was not told of yet, oldest first. */
    uint32_t row_count, under_way;
};

/* Any size of number: a byte of exponent, a byte of digits. */
static uint64_t wide(struct tdm_reader *r)
{
    uint8_t shift = tdm_read_u8(r) % 56;

    return (uint64_t)(tdm_read_u8(r) + 1) << shift >> 1;
}

static void leave(struct world *w, struct tdm_reader *r, struct tdm_call_rate_in *in)
{
    in->bytes = 1 + tdm_read_u16(r) % 1500;
    if (w->row_count == ROW)
        return;
    w->row[w->row_count++] = (struct tdm_ack){.sent = w->now, .bytes = in->bytes};
    w->under_way += in->bytes;
}

/* The oldest of the row came, were lost, or came at a time of the other side's choice. */
static void tell(struct world *w, struct tdm_reader *r, struct tdm_call_rate_in *in)
{
    static struct tdm_ack acks[ROW];
    uint8_t how = tdm_read_u8(r);
    uint32_t count = w->row_count < how % ROW + 1u ? w->row_count : how % ROW + 1u;
    tdm_time way = (tdm_time)wide(r);

    for (uint32_t i = 0; i < count; i++) {
        uint8_t fate = tdm_read_u8(r);

        acks[i] = w->row[i];
        acks[i].arrival = fate & 1 ? TDM_NEVER : acks[i].sent + way + fate * TDM_MS;
        if (fate & 2) /* Another clock. */
            acks[i].arrival = fate & 4 ? (tdm_time)wide(r) : -(tdm_time)wide(r);
        acks[i].ce = fate & 8;
        acks[i].again = fate & 16;
        w->under_way -= acks[i].bytes;
    }
    memmove(w->row, w->row + count, (w->row_count - count) * sizeof w->row[0]);
    w->row_count -= count;
    in->acks = acks;
    in->ack_count = count;
    in->bytes = w->under_way;
}

static void check(const struct world *w)
{
    const struct tdm_window_rate *window = &w->rate.window;
    uint64_t most = w->limit_bps < w->remb_bps ? w->limit_bps : w->remb_bps;

    most = most > FLOOR_BPS ? most : FLOOR_BPS;
    most = most < w->tmmbr_bps ? most : w->tmmbr_bps;
    assert(w->out.limit_bps == most && w->out.target_bps <= most);
    if (!w->out.controlled)
        return;
    assert(w->out.pace_bps >= FLOOR_BPS / 2 && w->out.pace_bps <= UINT64_C(1) << 50);
    assert(w->out.target_bps > 0 || !w->tmmbr_bps);
    assert(isfinite(window->target_bps) && isfinite(window->capacity_bps));
    assert(window->crowd >= 0 && window->crowd <= 1 && window->inflight >= 0);
}

static void step(struct world *w, struct tdm_reader *r, uint8_t op)
{
    struct tdm_call_rate_in in = {.kind = op % 9};

    switch (in.kind) {
    case TDM_CALL_RATE_AGREED:
        in.told = op & 64;
        break;
    case TDM_CALL_RATE_LIMIT:
        w->limit_bps = in.bps = wide(r) % (UINT64_C(1) << 34);
        break;
    case TDM_CALL_RATE_REMB:
        w->remb_bps = in.bps = wide(r) % (UINT64_C(1) << 40);
        break;
    case TDM_CALL_RATE_TMMBR:
        w->tmmbr_bps = in.bps = wide(r) % (UINT64_C(1) << 40);
        break;
    case TDM_CALL_RATE_BESIDE:
        in.bps = wide(r) % (UINT64_C(1) << 40);
        break;
    case TDM_CALL_RATE_REPORT:
        in.fraction_lost = tdm_read_u8(r);
        in.rtt = (tdm_time)(wide(r) % (uint64_t)(30 * TDM_S));
        break;
    case TDM_CALL_RATE_SENT:
        leave(w, r, &in);
        break;
    case TDM_CALL_RATE_ACKS:
        tell(w, r, &in);
        break;
    case TDM_CALL_RATE_FRAME:
        in.bytes = tdm_read_u16(r);
        break;
    }
    tdm_call_rate_step(&w->rate, w->now, &in, &w->out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    static struct tdm_call_rate before;
    struct tdm_reader r = tdm_reader_of(data, size);

    w = (struct world){
        .now = 1000 * TDM_S, .limit_bps = 2000000, .remb_bps = UINT64_MAX, .tmmbr_bps = UINT64_MAX};
    tdm_call_rate_init(&w.rate, w.now, w.limit_bps);
    while (tdm_reader_left(&r)) {
        uint8_t op = tdm_read_u8(&r);

        /* Mostly milliseconds; now and then as long as somebody may be away. */
        w.now += op & 128 ? (tdm_time)tdm_read_u8(&r) * TDM_MS : 0;
        if (op == 255)
            w.now += (tdm_time)(wide(&r) % (uint64_t)(1000000 * TDM_S));
        step(&w, &r, op);
        check(&w);
        memcpy(&before, &w.rate, sizeof before);
        uint32_t bytes = tdm_call_rate_frame(&w.rate, w.now, tdm_read_u8(&r) * 100u);

        assert(memcmp((const uint8_t *)&before, (const uint8_t *)&w.rate, sizeof before) == 0);
        assert((bytes == UINT32_MAX) == !w.out.controlled);
    }
    return 0;
}
