/* SPDX-License-Identifier: MIT */
#include "engine/core/session_state.h"

#include <string.h>

#define LOSS_KEEP      0.7 /* A report of so many packets at least: */
#define REPORT_PACKETS 50
#define GAP_LEAST      (2 * TDM_MS)
#define PROVEN         200 /* Packets told of one by one, so that reports are not needed. */

/* By the totals: some report one source several times, and of those but one has the fraction. */
void tdm_session_take_losses(struct tdm_stream *st, const struct tdm_rtcp_report *report)
{
    struct stream_sender *tx = &st->tx;
    int32_t packets = (int32_t)(report->highest_seq - tx->told_seq);
    int32_t lost = report->cumulative_lost - tx->told_lost;

    if (packets >= 0 && packets < REPORT_PACKETS)
        return;
    tx->told_seq = report->highest_seq;
    tx->told_lost = report->cumulative_lost;
    if (packets > 0 && packets <= UINT16_MAX && lost <= packets)
        tx->told_loss =
            tx->told_loss * LOSS_KEEP + (lost > 0 ? (double)lost / packets : 0) * (1 - LOSS_KEEP);
}

void tdm_session_path(const struct tdm_session *s, const struct tdm_stream *st,
                      struct tdm_repair_path *path)
{
    const struct tdm_loss_pattern *pattern = &s->parity.pattern;

    *path = (struct tdm_repair_path){.loss = st->tx.told_loss, .burst = 1, .rtt = s->clock.rtt};
    if (pattern->packets < PROVEN)
        return;
    path->loss = tdm_loss_pattern_loss(pattern);
    path->burst = tdm_loss_pattern_burst(pattern);
    path->burst_time = tdm_loss_pattern_burst_time(pattern);
}

static struct tdm_send_packet *packet_of(struct tdm_send_store *store, uint16_t seq)
{
    int64_t extended = tdm_seq_extend(store->next, seq);
    struct tdm_send_packet *p = &store->packets[(uint64_t)extended & (store->packet_count - 1)];

    return p->seq == extended ? p : NULL;
}

void tdm_session_repeat(struct tdm_session *s, struct tdm_stream *st, tdm_time now, uint16_t seq)
{
    struct stream_sender *tx = &st->tx;
    struct session_repeats *r = &tx->repeats;
    const struct tdm_send_packet *p = packet_of(&tx->store, seq);
    tdm_time begun = p ? tx->frames[p->frame_slot].first_sent : TDM_NEVER;
    struct tdm_repair_path path;
    struct tdm_repeat_plan plan;

    /* Repairs over a window mend the rest. */
    if (st->config.kind != TDM_VIDEO || tdm_session_parity_part(s, st) > 0 ||
        r->count == REPEATS_MAX || begun == TDM_NEVER)
        return;
    /* What leaves a way later than the picture did comes so much after it. */
    tdm_time frame = tdm_session_frame_interval(st);

    tdm_session_path(s, st, &path);
    tdm_repeat_plan_make(&plan, &path, begun + frame + REPAIR_PATIENCE - now);
    tdm_repeat_budget_spend(&r->budget, &plan);
    if (plan.times < 2)
        return;
    tdm_time gap = tdm_time_max(plan.gap, GAP_LEAST);

    r->entries[r->count++] = (struct session_repeat){
        .seq = seq, .left = (uint8_t)(plan.times - 1), .due = now + gap, .gap = gap};
}

/* True when there is more to do for the entry. */
static bool run_repeat(struct tdm_send_store *store, tdm_time now, struct session_repeat *e)
{
    const struct tdm_send_packet *p = packet_of(store, e->seq);

    if (!p)
        return false;
    if (now >= e->due && tdm_send_store_ask(store, now, e->seq, 0)) {
        e->left--;
        e->due = now + e->gap;
    } else if (now >= e->due) {
        e->due = now + GAP_LEAST; /* The one before still waits for the pacer. */
    }
    return e->left > 0;
}

void tdm_session_run_repeats(struct tdm_stream *st, tdm_time now, struct tdm_session_out *out)
{
    struct session_repeats *r = &st->tx.repeats;
    uint16_t kept = 0;

    if (!st->config.send)
        r->count = 0;
    for (uint16_t i = 0; i < r->count; i++) {
        if (!run_repeat(&st->tx.store, now, &r->entries[i]))
            continue;
        tdm_session_wake(out, r->entries[i].due, "repeat");
        r->entries[kept++] = r->entries[i];
    }
    r->count = kept;
}
