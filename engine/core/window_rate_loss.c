/* SPDX-License-Identifier: MIT */
#include "engine/core/window_rate_parts.h"

#define CUT               0.75
#define MARKED_LEAST      0.92
#define STANDING_NS       10e6
#define CLASSIC_MS        12.0
#define CLASSIC_CUT       0.15
#define LOSS_PACKETS      60
#define LOSS_SURE         5
#define LOSS_PACKETS_SURE 250
#define LOSS_EVERY        (300 * TDM_MS)
#define GAP               (250 * TDM_MS)
#define CEILING_FOR       (8 * TDM_S)
#define JUDGE_AGAIN       (20 * TDM_S)
#define USED_LEAST        0.1

/* Nothing came for a while, and something comes again: what was lost in between says of the way
 * that it was gone, and nothing of how much it carries. */
void tdm_window_rate_note_gap(struct tdm_window_rate *r, tdm_time now, const struct tdm_ack *ack)
{
    if (r->last_arrival == TDM_NEVER || ack->arrival - r->last_arrival < GAP)
        return;
    r->gap_sent = ack->sent;
    r->packets = r->lost = 0;
    r->came_bytes = 0;
    r->lost_since = now;
    if (r->suspect > 0) {
        r->suspect = r->ceiling_bps = 0;
        if (r->unsuspected_bps > r->capacity_bps)
            tdm_window_rate_set_capacity(r, r->unsuspected_bps);
    }
}

void tdm_window_rate_take_loss(struct tdm_window_rate *r, tdm_time now, const struct tdm_ack *ack)
{
    bool gap = r->gap_sent != TDM_NEVER && ack->sent < r->gap_sent;

    r->packets += !gap;
    r->lost += !gap;
    if (r->mode != TDM_RATE_COEXIST || ack->sent < r->cut_at)
        return;
    r->window_bytes *= CUT;
    r->cut_at = now;
}

static void send_less(struct tdm_window_rate *r, tdm_time now, double bps)
{
    r->ceiling_bps = at_least(bps, 2 * TDM_WINDOW_RATE_FLOOR_BPS);
    r->ceiling_at = now;
}

/* Loss without a queue. Whether it is for what we send shows when we send less: a policer then
 * lets all of it pass, and a bad way does not. */
void tdm_window_rate_judge_loss(struct tdm_window_rate *r, tdm_time now)
{
    tdm_time passed = now - r->lost_since;

    if (r->mode == TDM_RATE_START && r->lost >= 5 && passed > LOSS_EVERY)
        r->mode = TDM_RATE_DELAY; /* It found the end of the way, if not by a queue. */
    if (r->mode == TDM_RATE_COEXIST || r->queue > TDM_WINDOW_RATE_CALM_QUEUE) {
        r->packets = r->lost = 0; /* Loss by a queue is the queue's affair. */
        r->came_bytes = 0;
        r->lost_since = now;
    }
    if (r->ceiling_bps > 0 && r->suspect <= 0 && now - r->ceiling_at > CEILING_FOR) {
        r->ceiling_bps *= 1.1;
        r->ceiling_at += TDM_S;
        /* Pictures that are small by themselves would not find it again. */
        if (r->capacity_bps < at_most(r->ceiling_bps, r->unsuspected_bps) &&
            r->queue < TDM_WINDOW_RATE_SMALL_QUEUE)
            tdm_window_rate_set_capacity(r, at_most(r->ceiling_bps, r->unsuspected_bps));
        if (r->ceiling_bps > (double)r->limit_bps)
            r->ceiling_bps = 0;
    }
    /* A few that are lost may be chance. */
    if (r->packets < LOSS_PACKETS || passed < LOSS_EVERY ||
        (r->lost < LOSS_SURE && r->packets < LOSS_PACKETS_SURE))
        return;
    double part = (double)r->lost / r->packets;
    double came_bps = r->came_bytes * 8e9 / (double)passed;
    /* Where less is sent than may be, so much less of what may be is so much less of what is. */
    double used =
        came_bps / at_least(1 - part, 0.1) / at_least(r->target_bps, TDM_WINDOW_RATE_FLOOR_BPS);

    came_bps /= between(USED_LEAST, used, 1);
    r->packets = r->lost = 0;
    r->came_bytes = 0;
    r->lost_since = now;
    if (r->suspect > 0) {
        if (now - r->ceiling_at < LOSS_EVERY + round_trip(r))
            return; /* Of what was sent before. */
        if (part <= r->suspect / 2) {
            r->suspect = 0;
        } else if (r->suspect_tries++ == 0) {
            send_less(r, now,
                      0.85 * came_bps); /* What arrived may have been a bucket being emptied. */
        } else {
            r->inherent = at_least(r->inherent, part);
            r->ceiling_bps = r->suspect = 0;
            if (r->unsuspected_bps > r->capacity_bps) /* What was given up was for nothing. */
                tdm_window_rate_set_capacity(r, r->unsuspected_bps);
        }
    } else if (part > 2.5 * r->inherent + 0.03 ||
               (r->inherent > 0.02 && now - r->ceiling_at > JUDGE_AGAIN)) {
        r->suspect = part - at_most(r->inherent, part / 2);
        r->suspect_tries = 0;
        r->unsuspected_bps = at_least(r->capacity_bps, r->ceiling_bps > 0 ? r->unsuspected_bps : 0);
        send_less(r, now, 0.92 * came_bps);
    } else {
        r->inherent += (part - r->inherent) * 0.05;
    }
}

/* What left a queue that stood, where a mark comes with one; 0: none did. */
static double standing_bps(const struct tdm_window_rate *r)
{
    return r->standing.ns > STANDING_NS ? r->standing.bytes * 8e9 / r->standing.ns : 0;
}

/* Once a round trip: less by half of the marked part, or a little more. One queue for all that
 * marks late (RFC 3168) goes on marking what left before the cut is felt: not less than a part of
 * what was seen to pass then, at which it is soon gone. */
void tdm_window_rate_follow_marks(struct tdm_window_rate *r, tdm_time now)
{
    tdm_time rtt = tdm_time_max(round_trip(r), 10 * TDM_MS);

    if (now - r->marks_since < rtt || !(r->marked + r->unmarked))
        return;
    double part = (double)r->marked / (r->marked + r->unmarked);
    double least = MARKED_LEAST;

    r->marked_part += (part - r->marked_part) / 8;
    r->mode = TDM_RATE_DELAY;
    double cut = at_least(r->marked_part, part / 4) / 2;

    /* Who marks behind so long a queue does so where it would drop, and rarely (RFC 9331 section
     * 4.3): each mark is worth a loss. */
    if (r->marked_queue_ms > CLASSIC_MS) {
        cut = at_least(cut, CLASSIC_CUT);
        least = 1 - CLASSIC_CUT;
    }
    if (r->marked)
        tdm_window_rate_set_capacity(r,
                                     at_least(r->capacity_bps * (1 - cut),
                                              at_most(standing_bps(r) * least, r->capacity_bps)));
    else
        tdm_window_rate_set_capacity(r, r->capacity_bps * 1.005 + 2 * TDM_WINDOW_RATE_PACKET_BYTES *
                                                                      8e9 / (double)rtt * 0.2);
    r->marked = r->unmarked = 0;
    r->standing = (struct tdm_window_rate_busy){0};
    r->marks_since = now;
}
