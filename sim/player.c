/* SPDX-License-Identifier: MIT */
#include "sim/player.h"

#define WARM_UP (2 * TDM_S)
#define SETTLED (120 * TDM_S)

/* The delay of what is heard counts, and how far it strays once all has settled. */
static void note_delay(struct tdm_player_score *score, tdm_time now, double delay_ms)
{
    score->delay_ms += delay_ms;
    if (now < SETTLED)
        return;
    score->least_ms = delay_ms < score->least_ms ? delay_ms : score->least_ms;
    score->most_ms = delay_ms > score->most_ms ? delay_ms : score->most_ms;
}

struct tdm_player_score tdm_player_play(const struct tdm_player_ops *ops,
                                        const struct tdm_player_setting *setting,
                                        const struct tdm_player_run *run)
{
    struct tdm_player_score score = {.least_ms = 1e9, .most_ms = -1e9};
    void *player = ops->create(setting);
    tdm_time least = tdm_jitter_least(run->packets, run->count);
    tdm_time end = (tdm_time)run->count * run->frame;
    uint32_t next = 0, samples = ops->pull_samples ? ops->pull_samples : run->pull_samples;
    uint64_t timed = 0, pulls = 0;
    double period = samples * 1e9 / TDM_PLAYER_HZ * (1 - run->drift_ppm * 1e-6);
    double at = period * run->phase / 7;

    for (tdm_time now = (tdm_time)at; player && now < end; now = (tdm_time)(at += period)) {
        struct tdm_player_heard heard = {0};

        for (; next < run->count && !run->packets[next].lost && run->packets[next].arrival <= now;
             next++)
            ops->packet(player, &run->packets[next]);
        ops->pull(player, now, samples, &heard);
        if (now < WARM_UP)
            continue;
        pulls++;
        score.concealed += heard.concealed;
        score.scaled += heard.scaled;
        if (heard.media) {
            note_delay(&score, now, (double)(now - heard.sent - least) * 1e-6);
            timed++;
        }
    }
    ops->destroy(player);
    score.delay_ms /= timed ? (double)timed : 1;
    score.concealed *= pulls ? 100.0 / ((double)pulls * samples) : 0;
    score.scaled *= pulls ? 100.0 / ((double)pulls * samples) : 0;
    return score;
}
