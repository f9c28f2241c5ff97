/* SPDX-License-Identifier: MIT */
#include "sim/rate_peer.h"

#include <string.h>

/*
 * scream-like: the rules of draft-ietf-ccwg-rfc8298bis (SCReAMv2): a reference window that follows
 * acknowledged bytes, cut by 0.7 for a loss, by half the marked part for marks and by how far the
 * queue is beyond 60 ms, at most once a round trip; growth that is slow near the window of the last
 * cut and with small windows; the rate is the window over the round trip; pacing at 1.5.
 */

#define PACKET       1200.0
#define QUEUE_TARGET 0.060
#define LOSS_BETA    0.7
#define QUEUE_BETA   0.5
#define PACE         1.5
#define OVERHEAD     1.5                  /* Of the window, what may be under way in a burst. */
#define FRAME_EVERY  ((tdm_time)33333333) /* 30 a second. */

struct scream {
    double window, inflection, limit, start;
    double queue, srtt, l4s_alpha;
    tdm_time base, base_next, base_since;
    tdm_time cut_at, grown_at, inflection_at;
    uint32_t marked, delivered;
    double bytes_acked;
    int64_t inflight;
    tdm_time alpha_at;
};

static void init(void *state, tdm_time now, uint64_t start_bps, uint64_t limit_bps)
{
    struct scream *s = state;

    memset(s, 0, sizeof *s);
    s->start = (double)start_bps;
    s->limit = (double)limit_bps;
    s->window = s->start / 8 * 0.1;
    s->window = s->window < 3 * PACKET ? 3 * PACKET : s->window;
    s->inflection = 1;
    s->base = s->base_next = TDM_NEVER;
    s->base_since = s->cut_at = s->grown_at = s->inflection_at = s->alpha_at = now;
}

static void learn(struct scream *s, tdm_time now, const struct tdm_ack *ack)
{
    tdm_time way = ack->arrival - ack->sent;
    double rtt = (double)(now - ack->sent) * 1e-9;

    if (now - s->base_since > 10 * TDM_S) {
        s->base = s->base_next;
        s->base_next = TDM_NEVER;
        s->base_since = now;
    }
    s->base_next = tdm_time_min(s->base_next, way);
    s->base = tdm_time_min(s->base, s->base_next);
    s->queue += 0.25 * ((double)(way - s->base) * 1e-9 - s->queue);
    s->srtt = s->srtt > 0 ? s->srtt + 0.125 * (rtt - s->srtt) : rtt;
    s->bytes_acked += ack->bytes;
    s->delivered++;
    s->marked += ack->ce;
}

static void cut(struct scream *s, tdm_time now, double factor)
{
    if (now - s->inflection_at > (tdm_time)(5 * s->srtt * 1e9)) {
        s->inflection = s->window;
        s->inflection_at = now;
    }
    s->window *= factor;
    s->cut_at = now;
}

static void react(struct scream *s, tdm_time now, bool lost)
{
    bool may = (double)(now - s->cut_at) * 1e-9 > s->srtt;

    if ((double)(now - s->alpha_at) * 1e-9 > s->srtt && s->delivered) {
        s->l4s_alpha += 0.125 * ((double)s->marked / s->delivered - s->l4s_alpha);
        if (s->marked && may)
            cut(s, now, 1 - s->l4s_alpha / 2 > 0.5 ? 1 - s->l4s_alpha / 2 : 0.5);
        s->marked = s->delivered = 0;
        s->alpha_at = now;
    }
    if (!may)
        return;
    if (lost) {
        cut(s, now, LOSS_BETA);
    } else if (s->queue > QUEUE_TARGET / 2) {
        double over = (s->queue - QUEUE_TARGET / 2) / (QUEUE_TARGET / 2);

        cut(s, now, 1 - QUEUE_BETA * 0.5 * (over < 1 ? over : 1));
    }
}

static void grow(struct scream *s, tdm_time now)
{
    double near = (s->window - s->inflection) / s->inflection;
    double scale = near * near * 4 * 4;
    double increment = PACKET * s->bytes_acked / s->window;
    double post = (double)(now - s->cut_at) * 1e-9 / (s->srtt + 0.001) / 10;

    scale = scale < 0.1 ? 0.1 : scale > 1 ? 1 : scale;
    increment *= scale;
    if (s->window > 10 * PACKET && post > 1) /* Multiplicative, long after the last cut. */
        increment += s->bytes_acked * 0.02 * (post > 3 ? 3 : post);
    if ((double)s->inflight * 1.5 + 2 * PACKET > s->window)
        s->window += increment;
    s->bytes_acked = 0;
}

static void step(void *state, tdm_time now, const struct tdm_congestion_in *in,
                 struct tdm_congestion_out *out)
{
    struct scream *s = state;
    bool lost = false;

    if (in->kind == TDM_CONGESTION_SENT) {
        s->inflight += in->bytes;
    } else if (in->kind == TDM_CONGESTION_ACKS) {
        for (uint32_t i = 0; i < in->ack_count; i++) {
            const struct tdm_ack *ack = &in->acks[i];

            lost |= ack->arrival == TDM_NEVER;
            s->inflight -= ack->again ? 0 : ack->bytes;
            if (ack->arrival != TDM_NEVER && !ack->again)
                learn(s, now, ack);
        }
        react(s, now, lost);
        grow(s, now);
    } else if (in->kind == TDM_CONGESTION_LIMIT) {
        s->limit = (double)in->bps;
    }
    double floor = 2 * PACKET, srtt = s->srtt > 0.02 ? s->srtt : s->srtt > 0 ? 0.02 : 0.1;

    s->window = s->window < floor ? floor : s->window;
    if (s->window > s->limit / 8 * (srtt + 0.05))
        s->window = s->limit / 8 * (srtt + 0.05);
    double bps = s->window * 8 / srtt;

    bps = bps < s->limit ? bps : s->limit;
    out->target_bps = (uint64_t)bps;
    out->pace_bps = (uint64_t)(bps * PACE > 50000 ? bps * PACE : 50000);
    out->frame_bytes = (uint32_t)(bps / 8e9 * (double)FRAME_EVERY);
    if (in->kind == TDM_CONGESTION_FRAME && in->bytes > bps / 8 * 0.3)
        out->frame_bytes = 0; /* What waits is longer than 300 ms. */
    out->window_bytes = (uint32_t)(s->window * OVERHEAD + PACKET);
}

const struct tdm_rate_peer tdm_rate_peer_scream = {
    .name = "scream-like",
    .bytes = sizeof(struct scream),
    .feedback_every = 10 * TDM_MS,
    .arrival_tick = TDM_S / 1024,
    .init = init,
    .step = step,
};
