/* SPDX-License-Identifier: MIT */
#include "engine/core/nack.h"

#include <string.h>

#define RTT_START        (60 * TDM_MS)
#define RETRY_MIN        (10 * TDM_MS)
#define GIVE_UP_AFTER    (1000 * TDM_MS)
#define REORDER_WAIT_MAX (30 * TDM_MS)
/* A longer gap is an outage: a keyframe is sooner there, and fresher. */
#define GAP_MAX 64

void tdm_nack_init(struct tdm_nack *n, tdm_time now)
{
    (void)now;
    memset(n, 0, sizeof *n);
    n->rtt = RTT_START;
}

static void remove_at(struct tdm_nack *n, uint16_t index)
{
    n->count--;
    memmove(&n->missing[index], &n->missing[index + 1],
            (size_t)(n->count - index) * sizeof n->missing[0]);
}

static void remove_first(struct tdm_nack *n, uint16_t count)
{
    n->count = (uint16_t)(n->count - count);
    memmove(&n->missing[0], &n->missing[count], n->count * sizeof n->missing[0]);
}

static void forget_before(struct tdm_nack *n, int64_t seq)
{
    uint16_t old = 0;

    while (old < n->count && n->missing[old].seq < seq)
        old++;
    n->abandoned += old;
    remove_first(n, old);
}

/* A packet that comes sooner after its request than any answer could was only reordered. */
static void learn_reordering(struct tdm_nack *n, tdm_time now, const struct tdm_nack_entry *e)
{
    if (e->tries && now - e->asked_at >= n->rtt / 2)
        return;
    tdm_time late = now - e->missing_since;

    if (e->tries)
        n->spurious++;
    if (late * 5 / 4 > n->reorder_wait)
        n->reorder_wait = tdm_time_min(late * 5 / 4, REORDER_WAIT_MAX);
}

static void came(struct tdm_nack *n, tdm_time now, int64_t seq, bool repair)
{
    for (uint16_t i = 0; i < n->count; i++) {
        if (n->missing[i].seq != seq)
            continue;
        n->recovered += repair || n->missing[i].tries > 0;
        if (!repair)
            learn_reordering(n, now, &n->missing[i]);
        remove_at(n, i);
        return;
    }
}

static void add_gap(struct tdm_nack *n, tdm_time now, int64_t from, int64_t to,
                    struct tdm_nack_out *out)
{
    if (to - from > GAP_MAX || n->count + (to - from) > TDM_NACK_MISSING_MAX) {
        n->abandoned += n->count + (uint64_t)(to - from);
        n->count = 0;
        out->gave_up = true;
        return;
    }
    for (int64_t seq = from; seq < to; seq++)
        n->missing[n->count++] = (struct tdm_nack_entry){
            .seq = seq,
            .missing_since = now,
            .due = now + tdm_time_max(n->reorder_wait, n->hold),
        };
}

static void take_packet(struct tdm_nack *n, tdm_time now, int64_t seq, struct tdm_nack_out *out)
{
    if (!n->started) {
        n->started = true;
        n->highest_seq = seq;
        return;
    }
    if (seq <= n->highest_seq) {
        came(n, now, seq, false);
        return;
    }
    if (seq > n->highest_seq + 1)
        add_gap(n, now, n->highest_seq + 1, seq, out);
    n->highest_seq = seq;
}

/* Asks for what is due and drops what has been asked for in vain. */
static void ask(struct tdm_nack *n, tdm_time now, struct tdm_nack_out *out)
{
    uint16_t kept = 0;

    for (uint16_t i = 0; i < n->count; i++) {
        struct tdm_nack_entry *e = &n->missing[i];

        if (now >= e->due &&
            (e->tries == TDM_NACK_TRIES_MAX || now - e->missing_since > GIVE_UP_AFTER)) {
            n->abandoned++;
            out->gave_up = true;
            continue;
        }
        if (now >= e->due) {
            out->seqs[out->count++] = (uint16_t)e->seq;
            n->asked += e->tries == 0;
            e->tries++;
            e->asked_at = now;
            e->due = now + tdm_time_max(n->rtt + n->rtt / 4, RETRY_MIN);
        }
        out->wake_at = tdm_time_min(out->wake_at, e->due);
        n->missing[kept++] = *e;
    }
    n->count = kept;
}

void tdm_nack_step(struct tdm_nack *n, tdm_time now, const struct tdm_nack_in *in,
                   struct tdm_nack_out *out)
{
    out->count = 0;
    out->gave_up = false;
    out->wake_at = TDM_NEVER;
    if (in && in->kind == TDM_NACK_PACKET)
        take_packet(n, now, in->seq, out);
    else if (in && in->kind == TDM_NACK_REPAIR)
        came(n, now, in->seq, true);
    else if (in && in->kind == TDM_NACK_RTT)
        n->rtt = in->rtt;
    else if (in)
        forget_before(n, in->seq);
    if (n->count)
        ask(n, now, out);
}
