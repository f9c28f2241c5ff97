/* SPDX-License-Identifier: MIT */
#include "sim/scheduler.h"

#include <assert.h>

void tdm_sim_scheduler_init(struct tdm_sim_scheduler *s, tdm_time now, uint32_t source_count)
{
    assert(source_count <= TDM_SIM_SOURCES_MAX);
    *s =
        (struct tdm_sim_scheduler){.now = now, .source_count = source_count, .second = now / TDM_S};
    for (uint32_t i = 0; i < TDM_SIM_SOURCES_MAX; i++)
        s->due[i] = TDM_NEVER;
}

void tdm_sim_scheduler_set(struct tdm_sim_scheduler *s, uint32_t source, tdm_time due)
{
    assert(source < s->source_count);
    if (due < s->now) {
        s->past_wakes++;
        s->last_past_wake = source;
        due = s->now;
    }
    s->due[source] = due;
}

static void count_step(struct tdm_sim_scheduler *s, tdm_time at)
{
    s->instant_steps = at == s->now && s->steps ? s->instant_steps + 1 : 1;
    if (s->instant_steps > s->instant_steps_max)
        s->instant_steps_max = s->instant_steps;
    if (at / TDM_S != s->second) {
        s->second = at / TDM_S;
        s->second_steps = 0;
    }
    if (++s->second_steps > s->second_steps_max)
        s->second_steps_max = s->second_steps;
    s->steps++;
}

bool tdm_sim_scheduler_next(struct tdm_sim_scheduler *s, tdm_time end, uint32_t *source)
{
    uint32_t first = 0;

    for (uint32_t i = 1; i < s->source_count; i++)
        if (s->due[i] < s->due[first])
            first = i;
    if (s->source_count == 0 || s->due[first] >= end) {
        s->now = tdm_time_max(s->now, end);
        return false;
    }
    count_step(s, s->due[first]);
    s->now = s->due[first];
    s->due[first] = TDM_NEVER;
    *source = first;
    return true;
}
