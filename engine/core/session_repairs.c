/* SPDX-License-Identifier: MIT */
#include "engine/core/session_state.h"

#define FRAMES_A_S 30
#define HEARD_FOR  TDM_S /* Repairs came lately: they may come for what is missing now. */
#define HOLD_MAX   (60 * TDM_MS)

/* A marked stream shares its line with the one that has the repairs. */
bool tdm_session_may_mend(const struct tdm_stream *st)
{
    return st->active && st->config.kind == TDM_VIDEO && !st->config.mark_ext_id;
}

tdm_time tdm_session_frame_interval(const struct tdm_stream *st)
{
    return TDM_S / (st->config.fps ? st->config.fps : FRAMES_A_S);
}

void tdm_session_repair_came(struct session_repairs *repairs, tdm_time now)
{
    repairs->received++;
    repairs->heard = true;
    repairs->heard_at = now;
}

static bool heard(const struct session_repairs *repairs, tdm_time now)
{
    return repairs->heard && now - repairs->heard_at < HEARD_FOR;
}

void tdm_session_hold_requests(struct tdm_session *s, struct tdm_stream *st, tdm_time now)
{
    bool expected = (tdm_session_takes_parity(s, st) && heard(&s->parity.repairs, now)) ||
                    (tdm_session_takes_ulpfec(s, st) && heard(&s->ulpfec.repairs, now)) ||
                    (st->rx.assembly && tdm_assembly_may_jump(st->rx.assembly));

    st->rx.nack.hold = expected ? tdm_time_min(st->rx.nack.rtt / 4, HOLD_MAX) : 0;
}

static void add_sent(struct tdm_stream_stats *stats, const struct session_repairs *repairs)
{
    stats->parity_sent += repairs->sent;
    stats->parity_bytes += repairs->sent_bytes;
}

static void add_received(struct tdm_stream_stats *stats, const struct session_repairs *repairs)
{
    stats->parity_received += repairs->received;
    stats->mended += repairs->mended;
    stats->mended_late += repairs->mended_late;
}

void tdm_session_repairs_stats(const struct tdm_session *s, const struct tdm_stream *st,
                               struct tdm_stream_stats *stats)
{
    if (tdm_session_sends_parity(s, st))
        add_sent(stats, &s->parity.repairs);
    if (tdm_session_takes_parity(s, st))
        add_received(stats, &s->parity.repairs);
    if (tdm_session_sends_ulpfec(s, st))
        add_sent(stats, &s->ulpfec.repairs);
    if (tdm_session_takes_ulpfec(s, st))
        add_received(stats, &s->ulpfec.repairs);
}
