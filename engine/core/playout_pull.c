/* SPDX-License-Identifier: MIT */
#include "engine/core/playout_parts.h"

#include <math.h>
#include <string.h>

#define EXCESS_MS       500  /* Further behind than this is not caught up with but skipped. */
#define STALL_EXCESS_MS 30   /* The same when the device made a gap anyway. */
#define GROW_BELOW_MS   2.0  /* Off the target by so much: stretch, */
#define SHRINK_ABOVE_MS 2.0  /* or shrink; what is nearer is left to the resampler. */
#define SHRINK_QUIET_MS 4.0  /* On a quiet path what is off is drift. */
#define FAR_MS          60.0 /* So far behind: shrink by a third. */
#define STEER_REST_MS   0.3
#define STEER_PPM_MS    400.0 /* Per ms above the target, */
#define STEER_LACK_MS   600.0 /* and below it, */
#define STEER_PPM_MAX   250.0
#define LAST_MS         60.0 /* When a gap looms and no more than this is left, stretch harder. */
#define NEAR_MS         10.0 /* With so little left the warning comes earlier. */
#define NEAR_WARNING    TDM_MS
#define HOLE_AHEAD_MS   40.0 /* A packet that is missing so near ahead: stretch towards it, */
#define HOLE_GAIN_MS    15.0 /* up to so much, which is given back in the gap if it is lost. */
#define HOLE_GAIN_SHARE 0.6  /* and to so much of what is missing. */
#define HOLE_PACKETS    16
#define RESEMBLANCE     0.85f
#define RESEMBLANCE_LOW 0.6f

/* Is the next packet later than usual while there is still something to play? Then what there is
 * has to last longer. */
static bool gap_looms(struct tdm_playout *p)
{
    const struct tdm_playout_slot *newest = tdm_playout_store_at(&p->store, p->store.highest);
    int64_t next = newest ? newest->pos + tdm_playout_length(p, newest) : p->line.media_end;
    double late = tdm_playout_timing_late(&p->timing, next) + p->want;
    tdm_time usual = tdm_lateness_recent(&p->timing.lateness, TDM_LATENESS_USUAL);
    double left = (double)(next - tdm_playout_line_media(&p->line)) - p->want;

    bool near = left < tdm_playout_samples(p, NEAR_MS) && p->length >= tdm_playout_samples(p, 10);
    tdm_time warning = near ? NEAR_WARNING : TDM_LATENESS_WARNING;

    if (p->dtx || p->expanded || late < (double)(usual + warning) * 1e-9 * p->config.sample_hz)
        return false;
    p->looming = true;
    p->pause_lags = left < tdm_playout_samples(p, LAST_MS) ? 1 : 3;
    return true;
}

/* The first packet that is missing in front of one that has come: its media position, and samples
 * that are missing there; 0 when none is so near. */
static double next_hole(struct tdm_playout *p, double reach, double *pos)
{
    int64_t seq = p->store.next;
    const struct tdm_playout_slot *slot;

    *pos = (double)p->line.media_end;
    while (*pos <= reach && (slot = tdm_playout_store_at(&p->store, seq))) {
        *pos = (double)(slot->pos + tdm_playout_length(p, slot));
        seq++;
    }
    for (int i = 0; i < HOLE_PACKETS && seq < p->store.highest && *pos <= reach; i++)
        if ((slot = tdm_playout_store_at(&p->store, ++seq)))
            return slot->heals && i == 0 ? 0 : (double)slot->pos - *pos;
    return 0;
}

/* A packet is missing and its time is near: it may still come, and what is gained for it here is
 * cut from the gap if it does not. */
static bool hole_nears(struct tdm_playout *p)
{
    double reach =
        (double)tdm_playout_line_media(&p->line) + p->want + tdm_playout_samples(p, HOLE_AHEAD_MS);
    double pos, gain;

    if (!p->store.count || p->concealing)
        return false;
    gain = fmin(HOLE_GAIN_SHARE * next_hole(p, reach, &pos), tdm_playout_samples(p, HOLE_GAIN_MS));
    return gain >= p->stretch.lag_min && p->excess <= gain;
}

/* Far behind: skips whole packets until the target is near. */
static double skip(struct tdm_playout *p, double excess)
{
    struct tdm_playout_slot *slot = tdm_playout_store_first(&p->store);
    int64_t media = p->line.media_end;

    while (slot && p->store.count > 1 &&
           excess > tdm_playout_length(p, slot) + tdm_playout_samples(p, 10)) {
        tdm_playout_give_up(p, slot);
        slot = tdm_playout_store_first(&p->store);
        excess -= (double)(slot->pos - media);
        media = slot->pos;
    }
    if (media > p->line.media_end)
        tdm_playout_line_jump(&p->line, media);
    return excess;
}

static void limit_lag(struct tdm_playout *p, double most)
{
    p->lag_limit = most < p->lag_limit ? (uint32_t)most : p->lag_limit;
}

/* Compares the delay with the target and decides what to do about it in this pull. */
void tdm_playout_control(struct tdm_playout *p)
{
    p->wish = TDM_PLAYOUT_LEAVE;
    p->pause_lags = 3;
    p->looming = false;
    p->steer_ppm = 0;
    p->resemblance = RESEMBLANCE;
    p->lag_limit = p->stretch.lag_max;
    p->excess = 0;
    if (p->idle || p->lead || !p->timing.lateness.count)
        return;
    double excess =
        tdm_playout_delay(p) - tdm_playout_timing_target(&p->timing) - tdm_playout_margin(p);
    if (excess > tdm_playout_samples(p, p->timing.stalled ? STALL_EXCESS_MS : EXCESS_MS))
        excess = skip(p, excess);
    double off_ms = tdm_playout_timing_ms(&p->timing, excess);

    p->excess = excess;

    if (fabs(off_ms) > STEER_REST_MS)
        p->steer_ppm =
            fmin(fmax(off_ms * (off_ms < 0 ? STEER_LACK_MS : STEER_PPM_MS), -STEER_PPM_MAX),
                 STEER_PPM_MAX);
    if (gap_looms(p)) {
        p->wish = TDM_PLAYOUT_GROW;
        p->resemblance = RESEMBLANCE_LOW;
    } else if (hole_nears(p)) {
        p->wish = TDM_PLAYOUT_GROW;
        p->looming = true;
    } else if (off_ms < -GROW_BELOW_MS) {
        p->wish = TDM_PLAYOUT_GROW;
        limit_lag(p, -excess + tdm_playout_samples(p, 2));
    } else if (off_ms > (tdm_playout_quiet(p) ? SHRINK_QUIET_MS : SHRINK_ABOVE_MS)) {
        p->wish = TDM_PLAYOUT_SHRINK;
        limit_lag(p, excess + tdm_playout_samples(p, 1));
        p->resemblance = off_ms > 100 ? RESEMBLANCE_LOW : RESEMBLANCE;
        p->pause_lags = off_ms > FAR_MS ? 2 : 3;
    }
}

static double ratio_of(const struct tdm_playout *p)
{
    return 1 + (p->timing.drift_ppm + p->steer_ppm) * 1e-6;
}

/* Samples that must be unread on the line to play `count`. */
static uint32_t need_of(const struct tdm_playout *p, uint32_t count)
{
    return tdm_resample_span(&p->resample, count, ratio_of(p)) + TDM_RESAMPLE_AFTER;
}

/* Could a packet be decoded at the end of the line right now? */
static bool can_decode(struct tdm_playout *p)
{
    const struct tdm_playout_slot *slot = tdm_playout_store_first(&p->store);

    return slot && !p->idle && !p->lead && slot->pos <= p->line.media_end;
}

/* Fills the line as far as the pull needs; true when the driver must answer first. */
bool tdm_playout_fill(struct tdm_playout *p, struct tdm_playout_out *out)
{
    uint32_t need = need_of(p, p->want), spare = p->stretch.lag_max + p->stretch.window;

    for (;;) {
        uint32_t unread = tdm_playout_line_unread(&p->line);

        if (unread >= need && p->wish != TDM_PLAYOUT_LEAVE && unread < need + spare &&
            can_decode(p)) {
            if (tdm_playout_fill_step(p, out, need + spare - unread))
                return true;
            continue;
        }
        if (unread >= need)
            return false;
        if (tdm_playout_fill_step(p, out, need - unread))
            return true;
    }
}

/* Moves the read position by one period, if that is wished and the signal allows it; `count` more
 * samples are to be played in this pull. */
static void splice(struct tdm_playout *p, uint32_t count)
{
    struct tdm_playout_line *l = &p->line;
    struct tdm_stretch s = p->stretch;
    uint32_t unread = tdm_playout_line_unread(l), need = need_of(p, count), lag = 0;
    int16_t *at = l->pcm ? l->pcm + (size_t)l->read * l->channels : NULL;

    if (p->wish == TDM_PLAYOUT_LEAVE || p->cooldown || p->idle)
        return;
    s.lag_max = p->lag_limit > s.lag_min ? p->lag_limit : s.lag_min;
    /* Dry, three seams of four are found, at 5 ms. */
    uint32_t plain = s.lag_max < tdm_playout_samples(p, 5) ? s.lag_max : tdm_playout_samples(p, 5);
    plain = !at && p->dry_splices++ % 4 == 3 ? 0 : plain;
    if (p->wish == TDM_PLAYOUT_GROW) {
        uint32_t before = l->read - TDM_RESAMPLE_BEFORE;

        if (unread >= s.window && before >= s.lag_max)
            lag =
                at ? tdm_stretch_grow(&s, at, before, unread, l->channels, p->resemblance) : plain;
        l->read -= lag;
        p->stats.stretched_samples += lag;
    } else if (unread >= need + s.lag_max + s.window) {
        lag = at ? tdm_stretch_shrink(&s, at, unread, l->channels, p->resemblance) : plain;
        l->read += lag;
        p->stats.shrunk_samples += lag;
    }
    p->cooldown = lag ? p->pause_lags * lag : tdm_playout_samples(p, 2.5);
    if (lag && !p->looming)
        p->wish = TDM_PLAYOUT_LEAVE;
    if (lag && at) /* What the resampler looks back at is what was heard. */
        memmove(l->pcm + (size_t)(l->read - TDM_RESAMPLE_BEFORE) * l->channels,
                at - (size_t)TDM_RESAMPLE_BEFORE * l->channels,
                (size_t)TDM_RESAMPLE_BEFORE * l->channels * sizeof *at);
}

static void report(struct tdm_playout *p, double delay)
{
    const struct tdm_playout_timing *t = &p->timing;
    double unit = 1e9 / p->config.sample_hz;

    if (!t->lateness.count)
        return;
    p->stats.delay = p->idle ? 0 : (tdm_time)((delay - t->fastest) * unit);
    p->stats.target_delay = (tdm_time)((tdm_playout_timing_target(t) - t->fastest) * unit);
    p->stats.jitter_p95 = (tdm_time)(t->jitter * unit);
    p->stats.drift_ppm = t->drift_ppm;
}

/* Plays the pull from the line in parts of 5 ms, with a splice where one is due. */
void tdm_playout_produce(struct tdm_playout *p, struct tdm_playout_out *out)
{
    struct tdm_playout_line *l = &p->line;
    uint32_t from = l->read, step = p->config.sample_hz / 200, channels = l->channels;
    double ratio = ratio_of(p), delay = tdm_playout_delay(p);
    double past = (double)(tdm_playout_line_media(l) - p->captured_pos) + p->resample.fraction;

    for (uint32_t made = 0; made < p->want;) {
        uint32_t part = p->want - made < step ? p->want - made : step;

        splice(p, p->want - made);
        int16_t *at = l->pcm ? l->pcm + (size_t)l->read * channels : NULL;
        int16_t *to = l->pcm ? p->block + (size_t)made * channels : NULL;
        uint32_t span = tdm_resample_run(&p->resample, at, to, part, ratio, channels);
        l->read += span;
        made += part;
        p->stats.resampled_samples += (int64_t)part - span;
        p->cooldown = p->cooldown > span ? p->cooldown - span : 0;
    }
    out->action = TDM_PLAYOUT_READY;
    out->samples = p->want;
    out->pcm = p->block;
    out->silent = l->silent.from <= from && l->silent.to >= l->read;
    out->concealed = tdm_playout_range_meets(l->concealed, from, l->read);
    if (p->captured != TDM_NEVER && !out->silent)
        out->captured = p->captured + (tdm_time)(past * 1e9 / p->config.sample_hz);
    p->stats.buffered_samples = tdm_playout_line_unread(l);
    tdm_playout_timing_pull(&p->timing, p->now, p->play_at, p->want);
    report(p, delay);
}
