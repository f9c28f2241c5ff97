/* SPDX-License-Identifier: MIT */
#include "desktop/look.h"

void tdm_look_init(struct tdm_look *look, size_t strip_count, bool hints, tdm_time now)
{
    assert(strip_count <= TDM_LOOK_STRIPS_MAX);
    *look = (struct tdm_look){
        .hints = hints,
        .trusted = hints,
        .strip_count = strip_count,
        .due = now,
        .interval = TDM_LOOK_FAST,
        .hint_at = now,
        .lie_at = now,
        .first_round = true,
    };
}

void tdm_look_hinted(struct tdm_look *look, tdm_time now)
{
    look->hint_at = now;
    look->interval = TDM_LOOK_FAST;
    if (!look->trusted)
        look->due = tdm_time_min(look->due, now + TDM_LOOK_FAST);
}

struct tdm_look_plan tdm_look_plan(const struct tdm_look *look, tdm_time now)
{
    if (now < look->due || look->strip_count == 0)
        return (struct tdm_look_plan){0, 0};
    if (look->trusted)
        return (struct tdm_look_plan){look->next_strip, 1};
    return (struct tdm_look_plan){0, look->strip_count};
}

static void judge(struct tdm_look *look, const struct tdm_look_seen *seen)
{
    if (seen->unhinted > 0) {
        look->trusted = false;
        look->lie_at = seen->began;
        look->proofs = 0;
        look->interval = TDM_LOOK_FAST;
    } else if (seen->changed > 0 && look->hints && !look->trusted) {
        look->proofs++;
        look->trusted =
            look->proofs >= TDM_LOOK_PROOFS && seen->began - look->lie_at >= TDM_LOOK_PROBATION;
    }
}

static tdm_time audit_interval(const struct tdm_look *look, tdm_time now)
{
    if (look->first_round)
        return TDM_LOOK_FAST;
    return now - look->hint_at > TDM_LOOK_IDLE_AFTER ? TDM_LOOK_AUDIT_IDLE : TDM_LOOK_AUDIT;
}

void tdm_look_done(struct tdm_look *look, const struct tdm_look_plan *plan,
                   const struct tdm_look_seen *seen)
{
    judge(look, seen);
    look->next_strip = plan->first + plan->count;
    if (look->next_strip >= look->strip_count) {
        look->next_strip = 0;
        look->first_round = false;
    }
    if (look->trusted) {
        look->due = seen->ended + audit_interval(look, seen->ended);
        return;
    }
    if (seen->changed > 0)
        look->interval = TDM_LOOK_FAST;
    else
        look->interval = tdm_time_min(look->interval * 3 / 2, TDM_LOOK_SLOW);
    look->due = seen->ended + tdm_time_max(look->interval,
                                           (seen->ended - seen->began) * (TDM_LOOK_COST_SHARE - 1));
}
