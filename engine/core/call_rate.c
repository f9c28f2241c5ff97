/* SPDX-License-Identifier: MIT */
#include "engine/core/call_rate.h"

#include "engine/core/latency_budget.h"

#include <stddef.h>

#define START_BPS     500000
#define START_PACE    UINT64_C(4000000)
#define FIRST_BYTES   (START_PACE / 8 / TDM_CALL_RATE_FPS) /* Leave in a frame's time at that. */
#define WAY_MIN_BPS   20000000 /* Of larger ways than that, or than four times what pictures may */
#define WAY_OF_LIMIT  4        /* have, it is of no use to know more. */
#define SILENT_MIN    (3 * TDM_S) /* Reports come and feedback does not: it will not. */
#define REPORTS_LATER (2 * TDM_S) /* Those reports are not from before. */
#define SILENT_BPS    64000       /* Then from there, as the way may have become that bad. */
#define WIRE_PART     1.08        /* Of headers, beside the pictures. */
#define SEND_STAGE    2           /* Of a picture (latency_budget.c). */
#define SKIP_LEAST    (15 * TDM_MS)

static uint64_t most_of(const struct tdm_call_rate *r)
{
    uint64_t most = r->remb_bps < r->limit_bps ? r->remb_bps : r->limit_bps;

    most = r->tmmbr_bps < most ? r->tmmbr_bps : most;
    return most > SILENT_BPS ? most : SILENT_BPS;
}

static uint64_t on_wire(uint64_t bps)
{
    return (uint64_t)((double)bps * WIRE_PART);
}

/* How far the controller looks. The limit itself is kept picture by picture (frame_budget.h), so
 * that on a wide way a small picture is not spread over its whole time. */
static uint64_t horizon(const struct tdm_call_rate *r)
{
    uint64_t bps = WAY_OF_LIMIT * on_wire(most_of(r));

    return bps > WAY_MIN_BPS ? bps : WAY_MIN_BPS;
}

void tdm_call_rate_init(struct tdm_call_rate *r, tdm_time now, uint64_t limit_bps)
{
    r->agreed = r->controlled = r->heard = false;
    r->limit_bps = limit_bps;
    r->remb_bps = r->tmmbr_bps = UINT64_MAX;
    r->beside_bps = 0;
    r->untold_since = r->reported_at = TDM_NEVER;
    r->out = (struct tdm_congestion_out){0};
    tdm_rate_init(&r->plain, now, limit_bps);
    r->tuning = tdm_window_rate_default;
    tdm_window_rate_init(&r->window, now, limit_bps, limit_bps, NULL);
}

void tdm_call_rate_budget(struct tdm_call_rate *r, tdm_time budget)
{
    tdm_time share = tdm_latency_budget_share(budget, TDM_BUDGET_PICTURE, SEND_STAGE);
    double part = (double)tdm_time_max(share, SKIP_LEAST) * 1e-6;

    r->tuning = tdm_window_rate_default;
    if (budget > 0 && part < r->tuning.skip_ms) {
        r->tuning.small_ms *= part / r->tuning.skip_ms;
        r->tuning.skip_ms = part;
    }
    r->window.tuning = r->tuning;
}

static void control(struct tdm_call_rate *r, tdm_time now, const struct tdm_congestion_in *in)
{
    tdm_window_rate_step(&r->window, now, in, &r->out);
}

static void begin(struct tdm_call_rate *r, tdm_time now, uint64_t start_bps)
{
    uint64_t most = most_of(r);

    r->controlled = true;
    r->untold_since = TDM_NEVER;
    tdm_window_rate_init(&r->window, now, on_wire(start_bps < most ? start_bps : most), horizon(r),
                         &r->tuning);
    control(r, now, &(struct tdm_congestion_in){.kind = TDM_CONGESTION_LIMIT, .bps = horizon(r)});
}

static void plain(struct tdm_call_rate *r, tdm_time now, const struct tdm_rate_in *in)
{
    struct tdm_rate_out out;

    tdm_rate_step(&r->plain, now, in, &out);
}

/* The plain rule from its start, below what the other side asked for before. */
static void begin_plain(struct tdm_call_rate *r, tdm_time now, uint64_t limit_bps)
{
    tdm_rate_init(&r->plain, now, limit_bps);
    plain(r, now, &(struct tdm_rate_in){.kind = TDM_RATE_REMB, .bps = r->remb_bps});
}

static void end(struct tdm_call_rate *r, tdm_time now)
{
    begin_plain(r, now, r->limit_bps);
    if (r->heard)
        r->plain.target_bps = SILENT_BPS;
    r->controlled = false;
}

static void limit(struct tdm_call_rate *r, tdm_time now, uint64_t bps)
{
    if (!r->plain.limit_bps || r->plain.target_bps == r->plain.limit_bps)
        begin_plain(r, now, bps);
    r->limit_bps = bps;
    plain(r, now, &(struct tdm_rate_in){.kind = TDM_RATE_LIMIT, .bps = bps});
}

static void report(struct tdm_call_rate *r, tdm_time now, const struct tdm_call_rate_in *in)
{
    r->reported_at = now;
    if (r->controlled && r->untold_since != TDM_NEVER && now - r->untold_since > SILENT_MIN &&
        r->reported_at - r->untold_since > REPORTS_LATER)
        end(r, now);
    if (!r->controlled)
        plain(r, now,
              &(struct tdm_rate_in){
                  .kind = TDM_RATE_REPORT, .fraction_lost = in->fraction_lost, .rtt = in->rtt});
}

static void take_acks(struct tdm_call_rate *r, tdm_time now, const struct tdm_call_rate_in *in)
{
    if (!r->controlled)
        begin(r, now, r->plain.target_bps);
    r->heard = true;
    r->untold_since = in->bytes ? now : TDM_NEVER;
    control(r, now,
            &(struct tdm_congestion_in){
                .kind = TDM_CONGESTION_ACKS, .acks = in->acks, .ack_count = in->ack_count});
}

static void take(struct tdm_call_rate *r, tdm_time now, const struct tdm_call_rate_in *in)
{
    switch (in->kind) {
    case TDM_CALL_RATE_AGREED:
        if (in->told && !r->agreed)
            begin(r, now, START_BPS);
        else if (!in->told && r->controlled)
            r->controlled = false;
        r->agreed = in->told;
        break;
    case TDM_CALL_RATE_LIMIT:
        limit(r, now, in->bps);
        break;
    case TDM_CALL_RATE_REMB:
        r->remb_bps = in->bps;
        plain(r, now, &(struct tdm_rate_in){.kind = TDM_RATE_REMB, .bps = in->bps});
        break;
    case TDM_CALL_RATE_TMMBR:
        r->tmmbr_bps = in->bps;
        break;
    case TDM_CALL_RATE_BESIDE:
        r->beside_bps = in->bps;
        break;
    case TDM_CALL_RATE_REPORT:
        report(r, now, in);
        break;
    case TDM_CALL_RATE_SENT:
        r->untold_since = tdm_time_min(r->untold_since, now);
        if (r->controlled)
            control(r, now,
                    &(struct tdm_congestion_in){.kind = TDM_CONGESTION_SENT, .bytes = in->bytes});
        break;
    case TDM_CALL_RATE_ACKS:
        if (r->agreed && in->ack_count)
            take_acks(r, now, in);
        break;
    case TDM_CALL_RATE_FRAME:
        if (r->controlled)
            control(r, now,
                    &(struct tdm_congestion_in){.kind = TDM_CONGESTION_FRAME, .bytes = in->bytes});
        break;
    }
}

void tdm_call_rate_step(struct tdm_call_rate *r, tdm_time now, const struct tdm_call_rate_in *in,
                        struct tdm_call_rate_out *out)
{
    uint64_t most = most_of(r);

    take(r, now, in);
    r->window.beside_bps = r->beside_bps;
    if (r->controlled && most_of(r) != most)
        control(r, now,
                &(struct tdm_congestion_in){.kind = TDM_CONGESTION_LIMIT, .bps = horizon(r)});
    uint64_t limit = most_of(r) < r->tmmbr_bps ? most_of(r) : r->tmmbr_bps;

    *out = (struct tdm_call_rate_out){
        .controlled = r->controlled,
        .target_bps = r->plain.target_bps < limit ? r->plain.target_bps : limit,
        .limit_bps = limit,
    };
    if (!r->controlled)
        return;
    out->target_bps = (uint64_t)((double)r->out.target_bps / WIRE_PART);
    out->target_bps = out->target_bps < out->limit_bps ? out->target_bps : out->limit_bps;
    out->pace_bps = r->out.pace_bps;
    /* The first picture shows how fast the way is, as a probe would; more than it is not under way
     * before that is known. */
    if (r->window.mode == TDM_RATE_START && r->window.capacity_bps <= 0 &&
        out->pace_bps < START_PACE)
        out->pace_bps = START_PACE;
}

uint32_t tdm_call_rate_frame(const struct tdm_call_rate *r, tdm_time now, uint32_t waiting_bytes)
{
    struct tdm_congestion_out out = {0};

    if (!r->controlled)
        return UINT32_MAX;
    /* What it would say, without having been asked. */
    struct tdm_window_rate window = r->window;

    tdm_window_rate_step(
        &window, now,
        &(struct tdm_congestion_in){.kind = TDM_CONGESTION_FRAME, .bytes = waiting_bytes}, &out);
    /* The first picture is a keyframe: of a frame's share of the start it would be a blur. */
    if (!r->heard && waiting_bytes + r->window.behind_bytes + out.frame_bytes < FIRST_BYTES)
        return (uint32_t)FIRST_BYTES - waiting_bytes - (uint32_t)r->window.behind_bytes;
    return out.frame_bytes;
}

tdm_time tdm_call_rate_when(const struct tdm_call_rate *r, tdm_time now)
{
    if (!r->controlled || r->window.behind_bytes < r->out.window_bytes ||
        (!r->heard && r->window.behind_bytes < FIRST_BYTES))
        return now;
    return tdm_time_max(now, r->window.sent_at + TDM_WINDOW_RATE_ALIVE);
}
