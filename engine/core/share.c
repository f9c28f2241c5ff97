/* SPDX-License-Identifier: MIT */
#include "engine/core/share.h"

#define START_BPS 128000
#define IDLE_BPS  32000 /* So little makes no queue. */
/* A round trip so much above the shortest is a hint, two in a row are a queue; */
#define QUEUE_SIGN        (10 * TDM_MS)
#define QUEUE_SURE        (25 * TDM_MS) /* so is one of this. */
#define LOSS_SIGN         0.02
#define RTT_STRETCH       (15 * TDM_S) /* A path may become longer: what is older does not count. */
#define CUT_EVERY         (600 * TDM_MS)
#define HOLD              (15 * TDM_S) /* After a cut, before looking for more. */
#define LESS_AT_REST      0.98
#define STEP_MAX          (500 * TDM_MS)
#define PEAK_FOR          3.0 /* Seconds in which a peak of media is forgotten. */
#define SHARE_OF_LEFT     0.45
#define LEAST_OF_PICTURES 4
#define AFTER_CUT         0.5  /* Of what was used: the queue has to go, too. */
#define SEARCH_A_S        0.7  /* Growth a second, of the share: while searching, */
#define GENTLE_A_S        0.05 /* but of media and share together at first, */
#define RETURN_A_S        0.5  /* back to what is left, */
#define PROBE_A_S         0.06 /* and beyond. */

/* Less than this would stand still; on a way where pictures have little, it is a part of theirs. */
static uint64_t least_of(const struct tdm_share *s)
{
    uint64_t part = s->pictures_bps / LEAST_OF_PICTURES;

    return !s->pictures_bps || part > TDM_SHARE_MIN_BPS ? TDM_SHARE_MIN_BPS
           : part > TDM_SHARE_SMALL_BPS                 ? part
                                                        : TDM_SHARE_SMALL_BPS;
}

static uint64_t bounded(const struct tdm_share *s, double bps)
{
    uint64_t least = least_of(s);

    return bps < (double)least       ? least
           : bps > TDM_SHARE_MAX_BPS ? TDM_SHARE_MAX_BPS
                                     : (uint64_t)bps;
}

static void take_rtt(struct tdm_share *s, tdm_time now, tdm_time rtt)
{
    if (rtt <= 0 || rtt == s->rtt)
        return;
    s->rtt_before = s->rtt;
    s->rtt = rtt;
    if (now - s->stretch_at >= RTT_STRETCH) {
        s->stretch_at = now;
        s->rtt_min = s->rtt_next;
        s->rtt_next = rtt;
    }
    s->rtt_next = s->rtt_next && s->rtt_next < rtt ? s->rtt_next : rtt;
    s->rtt_min = s->rtt_min && s->rtt_min < rtt ? s->rtt_min : rtt;
}

static tdm_time queue_of(const struct tdm_share *s, tdm_time rtt)
{
    return rtt ? rtt - s->rtt_min : 0;
}

static bool queue_stands(const struct tdm_share *s, double loss)
{
    tdm_time queue = queue_of(s, s->rtt);

    return loss > LOSS_SIGN || queue > QUEUE_SURE ||
           (queue > QUEUE_SIGN && queue_of(s, s->rtt_before) > QUEUE_SIGN);
}

/* What the channel may have of what media leaves. */
static uint64_t left_of_link(const struct tdm_share *s)
{
    return s->link_bps > s->media_bps
               ? bounded(s, (double)(s->link_bps - s->media_bps) * SHARE_OF_LEFT)
               : least_of(s);
}

static void cut(struct tdm_share *s, tdm_time now, const struct tdm_share_in *in)
{
    uint64_t used = in->used_bps < s->budget_bps ? in->used_bps : s->budget_bps;

    if (used < IDLE_BPS || now - s->cut_at < CUT_EVERY) /* Idle: media made the queue. */
        return;
    /* At rest it was not the channel that filled the link: media may have for a moment. */
    double least = s->searching || s->probing ? 0 : (double)s->link_bps * LESS_AT_REST;
    uint64_t link_bps = s->media_bps + used;

    s->searching = s->probing = false;
    s->cut_at = now;
    s->link_bps = (double)link_bps > least ? link_bps : (uint64_t)least;
    s->budget_bps = bounded(s, (double)used * AFTER_CUT);
}

static void grow(struct tdm_share *s, tdm_time now, tdm_time passed, const struct tdm_share_in *in)
{
    double seconds = (double)passed * 1e-9;
    uint64_t left = left_of_link(s);
    bool used = in->used_bps >= s->budget_bps - s->budget_bps / 4;

    if (s->searching) {
        double growth = SEARCH_A_S * (double)s->budget_bps;
        double gentle = GENTLE_A_S * (double)(s->media_bps + s->budget_bps);

        double found = in->capacity_bps > s->media_bps
                           ? (double)(in->capacity_bps - s->media_bps) * SHARE_OF_LEFT
                           : 0;

        /* Below what media take, the end may be near: little of the whole at a time. */
        if (s->budget_bps < s->media_bps && growth > gentle)
            growth = gentle;
        if (used && queue_of(s, s->rtt) <= QUEUE_SIGN)
            s->budget_bps = bounded(s, (double)s->budget_bps + growth * seconds);
        if (found > (double)s->budget_bps)
            s->budget_bps = bounded(s, found);
        return;
    }
    if (s->probing) {
        if (used)
            s->budget_bps = bounded(s, (double)s->budget_bps * (1 + PROBE_A_S * seconds));
        return;
    }
    uint64_t more = bounded(s, (double)s->budget_bps * (1 + RETURN_A_S * seconds));

    s->budget_bps = more < left ? more : left;
    s->probing = used && now - s->cut_at >= HOLD;
}

/* Media makes peaks; what it leaves between them is not for the channel. */
static void follow_media(struct tdm_share *s, tdm_time passed, uint64_t media_bps)
{
    double fallen = (double)s->media_bps * (1 - (double)passed * 1e-9 / PEAK_FOR);

    s->media_bps = fallen > (double)media_bps ? (uint64_t)fallen : media_bps;
}

void tdm_share_step(struct tdm_share *s, tdm_time now, const struct tdm_share_in *in,
                    struct tdm_share_out *out)
{
    tdm_time passed = tdm_time_max(tdm_time_min(now - s->stepped_at, STEP_MAX), 0);

    out->budget_bps = 0;
    if (!in->media) {
        s->media = false;
        return;
    }
    if (!s->media) {
        /* Voice that joins a screen is no reason to look for the link's size anew. */
        double known = (double)in->known_bps * SHARE_OF_LEFT;

        *s = (struct tdm_share){.media = true,
                                .searching = true,
                                .budget_bps = known > START_BPS ? bounded(s, known) : START_BPS,
                                .stretch_at = now,
                                .cut_at = now};
        passed = 0;
    }
    s->stepped_at = now;
    s->pictures_bps = in->pictures_bps;
    take_rtt(s, now, in->rtt);
    follow_media(s, passed, in->media_bps);
    if (queue_stands(s, in->loss))
        cut(s, now, in);
    else
        grow(s, now, passed, in);
    out->budget_bps = s->budget_bps;
}
