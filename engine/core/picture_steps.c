/* SPDX-License-Identifier: MIT */
#include "engine/core/picture_steps.h"

#include "engine/base/err.h"

#include <math.h>

#define BITS_A_PIXEL    0.030 /* Below this a smaller picture looks better (docs/codecs.md). */
#define ENOUGH_TO_RISE  1.5   /* Of what the higher level needs. */
#define FALL_AFTER      (700 * TDM_MS)
#define RISE_AFTER      (4 * TDM_S)
#define RISE_AFTER_MAX  (64 * TDM_S)
#define LASTED          (20 * TDM_S)  /* An ascent that was taken back before was none. */
#define SETTLED         (120 * TDM_S) /* Without a change the wait is halved again. */
#define SMOOTH_S        0.5   /* Both ways alike: budgets of pictures leap, to nothing and back. */
#define GAP_MAX         TDM_S /* A source that rested says nothing of the time between. */
#define NEED_MIN        0.25
#define NEED_MAX        2.0
#define FILL_LITTLE     0.5 /* Of the budget: pictures are easy; */
#define FILL_WELL       0.8 /* as usual; */
#define FILL_OVER       1.2 /* too hard. */
#define LEARN           0.03
#define BUSY_MOST       0.85
#define BUSY_TO_RISE    0.60
#define SMOOTH_PICTURES 0.1
#define FPS_MIN         10
#define FPS_MIN_SCREEN  5
#define SIDE_MIN        120

struct share {
    int side_num, side_den, fps_num, fps_den;
};

static const struct share camera[] = {{1, 1, 1, 1}, {3, 4, 1, 1}, {1, 2, 1, 1}, {1, 2, 2, 3},
                                      {1, 3, 2, 3}, {1, 3, 1, 2}, {1, 4, 1, 2}, {1, 4, 1, 3}};
static const struct share screen[] = {
    {1, 1, 1, 1}, {1, 1, 2, 3}, {1, 1, 1, 2}, {1, 1, 1, 3}, {1, 1, 1, 6}};

static struct tdm_picture_level level_of(const struct tdm_picture_steps_config *config,
                                         const struct share *share)
{
    uint32_t least = config->screen ? FPS_MIN_SCREEN : FPS_MIN;
    uint32_t fps = config->fps * (uint32_t)share->fps_num / (uint32_t)share->fps_den;

    least = least > config->fps ? config->fps : least;
    return (struct tdm_picture_level){
        .width = config->width * share->side_num / share->side_den & ~1,
        .height = config->height * share->side_num / share->side_den & ~1,
        .fps = fps < least ? least : fps,
    };
}

void tdm_picture_steps_init(struct tdm_picture_steps *s,
                            const struct tdm_picture_steps_config *config)
{
    const struct share *shares = config->screen ? screen : camera;
    int count =
        (int)(config->screen ? sizeof screen / sizeof *screen : sizeof camera / sizeof *camera);

    assert(config->width > 0 && config->height > 0 && config->fps > 0);
    *s = (struct tdm_picture_steps){
        .fps = config->fps,
        .need = 1,
        .fill = FILL_WELL,
        .stepped_at = TDM_NEVER,
        .low_since = TDM_NEVER,
        .slow_since = TDM_NEVER,
        .high_since = TDM_NEVER,
        .changed_at = TDM_NEVER,
        .rise_wait = RISE_AFTER,
        .due = TDM_NEVER,
    };
    for (int i = 0; i < count; i++) {
        struct tdm_picture_level level = level_of(config, &shares[i]);
        const struct tdm_picture_level *above = i ? &s->levels[s->count - 1] : &level;
        bool small = level.width < SIDE_MIN || level.height < SIDE_MIN;
        bool same = level.width == above->width && level.fps == above->fps;

        if (i == 0 || (!same && !(small && level.width < above->width)))
            s->levels[s->count++] = level;
    }
}

/* Pixels a second. */
static double work_of(const struct tdm_picture_level *level)
{
    return (double)level->width * level->height * level->fps;
}

static double need_of(const struct tdm_picture_steps *s, int at)
{
    return work_of(&s->levels[at]) * BITS_A_PIXEL * s->need;
}

static void learn_rate(struct tdm_picture_steps *s, tdm_time now, double bps)
{
    tdm_time gap = s->stepped_at == TDM_NEVER || now < s->stepped_at ? 0 : now - s->stepped_at;
    double seconds = (double)(gap > GAP_MAX ? GAP_MAX : gap) * 1e-9;

    if (s->stepped_at == TDM_NEVER)
        s->bps = bps;
    s->bps += (bps - s->bps) * (1 - exp(-seconds / SMOOTH_S));
    s->stepped_at = now;
}

static void learn_picture(struct tdm_picture_steps *s, const struct tdm_picture_steps_in *in)
{
    double target = 0;

    if (!in->coded)
        return;
    double fill = in->dropped ? 2 * FILL_OVER : fmin(fmax(in->fill, 0), 2 * FILL_OVER);
    double busy = (double)in->spent * 1e-9 * s->levels[s->at].fps;

    s->fill += SMOOTH_PICTURES * (fill - s->fill);
    if (!in->dropped)
        s->busy += SMOOTH_PICTURES * (fmin(fmax(busy, 0), 4) - s->busy);
    if (s->fill < FILL_LITTLE)
        target = NEED_MIN;
    else if (s->fill > FILL_OVER)
        target = NEED_MAX;
    else if (s->fill > FILL_WELL)
        target = 1;
    if (target > 0)
        s->need += LEARN * (target - s->need);
}

/* Since when something is so; TDM_NEVER while it is not. */
static tdm_time since(tdm_time before, tdm_time now, bool is_so)
{
    return !is_so ? TDM_NEVER : before == TDM_NEVER || before > now ? now : before;
}

static bool for_long(tdm_time since, tdm_time now, tdm_time least)
{
    return since != TDM_NEVER && now - since >= least;
}

static void move(struct tdm_picture_steps *s, tdm_time now, int to, enum tdm_picture_why why)
{
    bool rises = to < s->at;
    tdm_time lasted = s->changed_at == TDM_NEVER || now < s->changed_at ? 0 : now - s->changed_at;

    if (!rises && s->rose && lasted < LASTED && s->rise_wait < RISE_AFTER_MAX)
        s->rise_wait *= 2;
    s->busy *= work_of(&s->levels[to]) / work_of(&s->levels[s->at]);
    s->at = to;
    s->why = to == 0 ? TDM_PICTURE_WHOLE : why;
    s->rose = rises;
    s->changed_at = now;
    s->fill = FILL_WELL; /* Of other pictures nothing is known. */
    s->low_since = s->slow_since = s->high_since = TDM_NEVER;
}

static void fall(struct tdm_picture_steps *s, tdm_time now)
{
    bool last = s->at + 1 >= s->count;
    int to = s->at + 1;

    s->low_since = since(s->low_since, now, !last && s->bps < need_of(s, s->at));
    s->slow_since = since(s->slow_since, now, !last && s->busy > BUSY_MOST);
    if (for_long(s->low_since, now, FALL_AFTER)) {
        while (to + 1 < s->count && s->bps < need_of(s, to))
            to++;
        move(s, now, to, TDM_PICTURE_BY_RATE);
    } else if (for_long(s->slow_since, now, FALL_AFTER)) {
        move(s, now, to, TDM_PICTURE_BY_TIME);
    }
}

static bool may_rise(const struct tdm_picture_steps *s, int to)
{
    double more = work_of(&s->levels[to]) / work_of(&s->levels[s->at]);

    return s->bps > ENOUGH_TO_RISE * need_of(s, to) && s->busy * more < BUSY_TO_RISE;
}

static void rise(struct tdm_picture_steps *s, tdm_time now)
{
    int to = s->at - 1;

    s->high_since = since(s->high_since, now, s->at > 0 && may_rise(s, to));
    if (!for_long(s->high_since, now, s->rise_wait))
        return;
    while (to > 0 && may_rise(s, to - 1))
        to--;
    move(s, now, to, s->why);
}

/* Whether it is this picture's turn; half of the source's interval is its own unrest. */
static bool is_due(struct tdm_picture_steps *s, tdm_time now)
{
    tdm_time interval = TDM_S / s->levels[s->at].fps, half = TDM_S / s->fps / 2;

    if (s->due != TDM_NEVER && now < s->due - half && now > s->due - 2 * interval)
        return false;
    bool steady = s->due != TDM_NEVER && now < s->due + interval && now >= s->due - half;

    s->due = (steady ? s->due : now) + interval;
    return true;
}

void tdm_picture_steps_step(struct tdm_picture_steps *s, tdm_time now,
                            const struct tdm_picture_steps_in *in,
                            struct tdm_picture_steps_out *out)
{
    int width = s->levels[s->at].width;

    learn_rate(s, now, (double)in->bps);
    learn_picture(s, in);
    if (s->changed_at != TDM_NEVER && now - s->changed_at > SETTLED && s->rise_wait > RISE_AFTER) {
        s->rise_wait /= 2;
        s->changed_at = now;
        s->rose = false;
    }
    fall(s, now);
    rise(s, now);
    *out = (struct tdm_picture_steps_out){
        .code = is_due(s, now),
        .resize = s->levels[s->at].width != width,
        .level = s->levels[s->at],
        .why = s->why,
    };
}
