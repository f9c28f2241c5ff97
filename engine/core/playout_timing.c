/* SPDX-License-Identifier: MIT */
#include "engine/core/playout_timing.h"

#include "engine/core/resample.h"

#include <math.h>
#include <string.h>

#define STALL           (80 * TDM_MS) /* A device so far behind the wall has lost sound. */
#define LEAD_DECAY      0.001         /* The most by which a sound card's clock is slow. */
#define GUARD           TDM_MS        /* An arrival this close before a pull counts as after it. */
#define PLAY_AT_REACH   TDM_S
#define EPOCH           TDM_S
#define EPOCH_ARRIVALS  8 /* Fewer say nothing about a path. */
#define FASTER_S        0.010
#define DRIFT_TRUST_PPM 60.0 /* Standard error at which a drift estimate is used. */
#define DRIFT_SLEW_PPM  20.0 /* Change of the ratio per second. */

static tdm_time time_of(const struct tdm_playout_timing *t, double samples)
{
    return (tdm_time)(samples * 1e9 / t->sample_hz);
}

static double samples_of(const struct tdm_playout_timing *t, tdm_time time)
{
    return (double)time * 1e-9 * t->sample_hz;
}

void tdm_playout_timing_init(struct tdm_playout_timing *t, uint32_t sample_hz, tdm_time now)
{
    *t = (struct tdm_playout_timing){
        .sample_hz = sample_hz, .pulled_at = now, .played_at = now, .began = now};
    tdm_playout_timing_restart(t);
}

void tdm_playout_timing_restart(struct tdm_playout_timing *t)
{
    tdm_lateness_init(&t->lateness);
    tdm_drift_init(&t->drift);
    t->drift_ppm = 0;
    t->jitter = 0;
    memset(t->epochs, 0, sizeof t->epochs);
}

/* How much sound the device has lost, all at once or a little with each pull. */
static tdm_time lost(struct tdm_playout_timing *t, tdm_time now)
{
    tdm_time lead = time_of(t, (double)t->device) - (now - t->began);
    tdm_time decayed = t->lead_max - (tdm_time)((double)(now - t->lead_at) * LEAD_DECAY);

    t->lead_max = t->lead_known ? tdm_time_max(lead, decayed) : lead;
    t->lead_known = true;
    t->lead_at = now;
    return t->lead_max - lead;
}

void tdm_playout_timing_keep(struct tdm_playout_timing *t, tdm_time now)
{
    tdm_time missed = t->pulling ? lost(t, now) : now - t->pulled_at - time_of(t, t->pull_samples);

    if (missed <= (t->pulling ? STALL : 0))
        return;
    double samples = samples_of(t, missed);
    t->clock += samples;
    t->device += (int64_t)samples;
    t->clock_start = t->clock;
    t->device_start = t->device;
    t->pull_samples = 0;
    t->pulling = false;
    t->stalled = true;
    t->pulled_at = now;
    t->played_at = now;
}

double tdm_playout_timing_late(const struct tdm_playout_timing *t, int64_t pos)
{
    return t->clock + TDM_RESAMPLE_AFTER - (double)pos;
}

/* Every arrival of a second was faster than any before: the path itself became faster (or the
 * device swallowed some time), and what was learned moves along. The epoch between, in which that
 * happened, is left out. */
static void follow_faster_path(struct tdm_playout_timing *t)
{
    const struct tdm_playout_epoch *newest = &t->epochs[0];
    double before = INFINITY;

    for (int i = 2; i < TDM_PLAYOUT_EPOCHS; i++)
        if (t->epochs[i].count)
            before = fmin(before, t->epochs[i].least);
    if (newest->count < EPOCH_ARRIVALS || before == INFINITY ||
        newest->most > before - t->sample_hz * FASTER_S)
        return;
    tdm_lateness_shift(&t->lateness, time_of(t, newest->least - before));
    for (int i = 1; i < TDM_PLAYOUT_EPOCHS; i++)
        t->epochs[i].count = 0;
}

static void learn_fastest(struct tdm_playout_timing *t, tdm_time now, double raw)
{
    struct tdm_playout_epoch *newest = &t->epochs[0];

    if (newest->count && now - newest->since > EPOCH) {
        follow_faster_path(t);
        memmove(&t->epochs[1], &t->epochs[0], (TDM_PLAYOUT_EPOCHS - 1) * sizeof t->epochs[0]);
        newest->count = 0;
    }
    if (!newest->count++)
        *newest = (struct tdm_playout_epoch){now, 1, raw, raw};
    newest->least = fmin(newest->least, raw);
    newest->most = fmax(newest->most, raw);
    t->fastest = newest->least;
    for (int i = 1; i < TDM_PLAYOUT_EPOCHS; i++)
        if (t->epochs[i].count)
            t->fastest = fmin(t->fastest, t->epochs[i].least);

    /* Steps up and down that balance where 5 % lie above. */
    double step = 0.02 * (t->jitter + t->sample_hz * 1e-3);
    t->jitter = fmax(t->jitter + (raw - t->fastest > t->jitter ? 0.95 : -0.05) * step, 0);
}

void tdm_playout_timing_arrive(struct tdm_playout_timing *t, tdm_time now, tdm_time arrival,
                               int64_t pos, uint32_t samples, bool overtaken)
{
    double late = tdm_playout_timing_late(t, pos);
    tdm_time due = t->pulled_at + time_of(t, t->pull_samples);

    arrival = tdm_time_min(tdm_time_max(arrival, now - TDM_S), now);
    double since = samples_of(t, arrival - t->pulled_at);
    double device = (double)t->device_start + samples_of(t, arrival - t->played_at);

    learn_fastest(t, now, t->clock_start + since * (1 + t->drift_ppm * 1e-6) - (double)pos);
    t->last_late = late;
    if (t->pulling && arrival + GUARD >= due)
        late += t->pull_samples;
    tdm_lateness_add(&t->lateness, time_of(t, late), tdm_time_max(time_of(t, samples), TDM_MS),
                     overtaken);
    tdm_drift_add(&t->drift, time_of(t, device), time_of(t, device - (double)pos));
}

void tdm_playout_timing_pull(struct tdm_playout_timing *t, tdm_time now, tdm_time play_at,
                             uint32_t count)
{
    double wanted = t->drift.error_ppm < DRIFT_TRUST_PPM ? t->drift.ppm : 0;
    double most = DRIFT_SLEW_PPM * count / t->sample_hz;

    t->clock_start = t->clock;
    t->device_start = t->device;
    t->clock += count * (1 + t->drift_ppm * 1e-6);
    t->device += count;
    t->pulled_at = now;
    t->played_at = play_at > now - PLAY_AT_REACH && play_at < now + PLAY_AT_REACH ? play_at : now;
    t->pull_samples = count;
    t->pulling = true;
    t->stalled = false;
    t->drift_ppm += fmin(fmax(wanted - t->drift_ppm, -most), most);
}

double tdm_playout_timing_target(const struct tdm_playout_timing *t)
{
    double target = samples_of(t, tdm_lateness_target(&t->lateness));
    double least = t->fastest + fmax(t->min_delay, t->ask);

    return fmin(fmax(target, least), t->fastest + t->max_delay);
}
