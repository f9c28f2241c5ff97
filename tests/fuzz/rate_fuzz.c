/* SPDX-License-Identifier: MIT */
/* Feedback that lies: times in the future, acknowledgements of what was never sent, doubles, huge
 * ranges. Whatever it says, what may be sent stays within the limit and is never nothing for long.
 */

#include "engine/base/bytes.h"
#include "engine/core/window_rate.h"

#include <assert.h>
#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIMIT_BPS 8000000
#define ACKS_MAX  16

struct world {
    struct tdm_window_rate rate;
    struct tdm_congestion_out out;
    tdm_time now, frame_at;
};

static void step(struct world *w, const struct tdm_congestion_in *in)
{
    tdm_window_rate_step(&w->rate, w->now, in, &w->out);
    assert(isfinite(w->rate.capacity_bps) && isfinite(w->rate.target_bps));
    assert(isfinite(w->rate.window_bytes) && isfinite(w->rate.acked_bps));
    assert(w->rate.inflight >= 0);
    assert(w->out.frame_bytes <= LIMIT_BPS / 8 / 30 + 200);
    assert(w->out.target_bps <= LIMIT_BPS);
    assert(w->out.pace_bps >= 60000 && w->out.pace_bps <= 4 * LIMIT_BPS);
    assert(w->out.probe_bytes <= 12000);
}

/* A time near now, or any. */
static tdm_time some_time(struct world *w, struct tdm_reader *r, uint8_t how)
{
    if (how & 1)
        return (tdm_time)tdm_read_uint(r, 8);
    return w->now - (tdm_time)tdm_read_u16(r) * (how & 2 ? TDM_MS : 10 * TDM_US);
}

static void feed(struct world *w, struct tdm_reader *r)
{
    struct tdm_ack acks[ACKS_MAX];
    uint32_t count = tdm_read_u8(r) % ACKS_MAX;

    for (uint32_t i = 0; i < count; i++) {
        uint8_t how = tdm_read_u8(r);

        acks[i].sent = some_time(w, r, how);
        acks[i].arrival = how & 4 ? TDM_NEVER : some_time(w, r, (uint8_t)(how >> 3));
        acks[i].bytes = how & 32 ? tdm_read_u32(r) : 1200;
        acks[i].ce = how & 64;
        acks[i].again = how & 128;
    }
    step(w, &(struct tdm_congestion_in){
                .kind = TDM_CONGESTION_ACKS, .acks = acks, .ack_count = count});
}

/* Time goes on, and at every frame it says something; within a second not only nothing. */
static void run_frames(struct world *w, int frames)
{
    for (int i = 0; i < frames; i++) {
        w->now += TDM_S / 30;
        step(w, &(struct tdm_congestion_in){.kind = TDM_CONGESTION_FRAME});
        if (w->out.frame_bytes)
            w->frame_at = w->now;
        assert(w->now - w->frame_at <= TDM_S);
        if (w->out.frame_bytes)
            step(w, &(struct tdm_congestion_in){.kind = TDM_CONGESTION_SENT,
                                                .bytes = w->out.frame_bytes});
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    struct tdm_reader r = tdm_reader_of(data, size);

    w = (struct world){.now = 1000 * TDM_S, .frame_at = 1000 * TDM_S};
    tdm_window_rate_init(&w.rate, w.now, 300000, LIMIT_BPS, NULL);
    while (tdm_reader_left(&r)) {
        uint8_t op = tdm_read_u8(&r);

        if (op & 1)
            feed(&w, &r);
        else
            run_frames(&w, 1 + (op >> 1) % 32);
    }
    run_frames(&w, 60);
    return 0;
}
