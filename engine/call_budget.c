/* SPDX-License-Identifier: MIT */
#include "engine/call_budget.h"

#include <stdio.h>

static const char *const names[TDM_BUDGET_KINDS] = {
    [TDM_BUDGET_PICTURE] = "the picture", [TDM_BUDGET_SOUND] = "the sound"};

static int to_ms(tdm_time t)
{
    return (int)((t + TDM_MS / 2) / TDM_MS);
}

static void say_broken(const struct tdm_latency_budget *b, enum tdm_budget_kind kind,
                       struct tdm_cause *said)
{
    const struct tdm_latency_budget_line *line = &b->lines[kind];
    tdm_time mean = line->means[line->stage];
    const char *stage = kind == TDM_BUDGET_PICTURE ? tdm_latency_video_stage(line->stage)
                                                   : tdm_latency_audio_stage(line->stage);

    int budget = to_ms(b->budget), whole = to_ms(tdm_latency_budget_whole(line));

    if (mean > b->budget)
        (void)snprintf(said->text, sizeof said->text,
                       "the latency budget of %d ms cannot be held: %s alone takes %d of the %d ms "
                       "of %s",
                       budget, stage, to_ms(mean), whole, names[kind]);
    else
        (void)snprintf(said->text, sizeof said->text,
                       "the latency budget of %d ms is not held: %s takes %d ms, of which %s %d "
                       "(its share is %d)",
                       budget, names[kind], whole, stage, to_ms(mean),
                       to_ms(tdm_latency_budget_share(b->budget, kind, line->stage)));
}

static bool judge(struct tdm_latency_budget *b, tdm_time now,
                  const struct tdm_latency_budget_in *in, struct tdm_cause *said)
{
    struct tdm_latency_budget_out out;

    tdm_latency_budget_step(b, now, in, &out);
    if (out.broken)
        say_broken(b, in->kind, said);
    if (out.held)
        (void)snprintf(said->text, sizeof said->text,
                       "the latency budget of %d ms is held again for %s, after %.1f s",
                       to_ms(b->budget), names[in->kind], (double)out.after * 1e-9);
    return out.broken || out.held;
}

bool tdm_call_budget_picture(struct tdm_latency_budget *b, const struct tdm_video_trace *trace,
                             struct tdm_cause *said)
{
    struct tdm_latency_budget_in in = {.kind = TDM_BUDGET_PICTURE};

    return tdm_latency_video_parts(trace, in.stages) &&
           judge(b, trace->trace.at[TDM_STAGE_PRESENTED], &in, said);
}

bool tdm_call_budget_sound(struct tdm_latency_budget *b, const struct tdm_audio_trace *trace,
                           struct tdm_cause *said)
{
    struct tdm_latency_budget_in in = {.kind = TDM_BUDGET_SOUND};

    return tdm_latency_audio_parts(trace, in.stages) && judge(b, trace->play_at, &in, said);
}

static void fill(const struct tdm_latency_budget *b, enum tdm_budget_kind kind,
                 struct tandem_stage *stages, uint8_t count, struct tandem_budget_line *to)
{
    const struct tdm_latency_budget_line *line = &b->lines[kind];

    for (uint8_t i = 0; i < count; i++) {
        stages[i].share_ms = (double)tdm_latency_budget_share(b->budget, kind, i) * 1e-6;
        stages[i].over_seconds = (double)line->stage_times[i] * 1e-9;
    }
    *to = (struct tandem_budget_line){
        .over = line->broken,
        .now_ms = (double)tdm_latency_budget_whole(line) * 1e-6,
        .over_seconds = (double)line->over_time * 1e-9,
        .times = line->times,
    };
    if (line->times)
        (void)snprintf(to->stage, sizeof to->stage, "%s", stages[line->stage].name);
}

void tdm_call_budget_stats(const struct tdm_latency_budget *b, struct tandem_stats *stats)
{
    stats->budget_ms = (double)b->budget * 1e-6;
    if (!b->budget)
        return;
    fill(b, TDM_BUDGET_PICTURE, stats->video_stages, stats->video_stage_count,
         &stats->budget_picture);
    fill(b, TDM_BUDGET_SOUND, stats->audio_stages, stats->audio_stage_count, &stats->budget_sound);
}
