/* SPDX-License-Identifier: MIT */
#include "measure/plan.h"

#include "measure/list.h"
#include "measure/plan_audio.h"
#include "measure/plan_codecs.h"
#include "measure/preset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FPS_DEFAULT     30
#define FPS_MAX         120
#define FRAMES_DEFAULT  60
#define FRAMES_QUICK    30
#define FRAMES_MAX      10000
#define ROUNDS_DEFAULT  3
#define ROUNDS_QUICK    2
#define ROUNDS_MAX      100
#define THREADS_MAX     64
#define WARMUP          10
#define SIDE_MIN        64
#define SIDE_MAX        4096
#define LARGE_PIXELS    1200000 /* From here on a default round has half of the frames. */
#define SECONDS_DEFAULT 510.0
#define SECONDS_QUICK   40.0
#define RATES_DEFAULT   3
#define PRESETS_MAX     16

/* The lists as they were asked for. */
struct wishes {
    struct tdm_picks picks;
    struct {
        int width, height;
    } sizes[TDM_PLAN_SIZES_MAX];
    size_t size_count;
    uint32_t rates[TDM_PLAN_RATES_MAX];
    size_t rate_count; /* 0: three that suit each size. */
    bool frames_given;
};

uint32_t tdm_plan_rate(int width, int height)
{
    double pixels = (double)width * height;
    double rate = 1.5e6 * pow(pixels / (1280.0 * 720.0), 0.75);
    double digit = pow(10, floor(log10(rate)) - 1);

    return (uint32_t)(round(rate / digit) * digit);
}

static enum tandem_status invalid(struct tdm_cause *cause, const char *what,
                                  const struct tdm_item *item)
{
    (void)tdm_fail(cause, TDM_E_MALFORMED, "%s: \"%.*s\"", what,
                   item->size > 60 ? 60 : (int)item->size, item->text);
    return TANDEM_INVALID;
}

static enum tandem_status parse_sizes(struct wishes *wishes, const char *text,
                                      struct tdm_cause *cause)
{
    struct tdm_item item;
    int w, h;

    while (tdm_list_next(&text, &item)) {
        if (!tdm_item_sides(&item, &w, &h))
            return invalid(cause, "a size is WIDTHxHEIGHT, as in 1280x720; this is none", &item);
        if (w % 2 || h % 2)
            return invalid(cause, "width and height must be even", &item);
        if (w < SIDE_MIN || h < SIDE_MIN || w > SIDE_MAX || h > SIDE_MAX)
            return invalid(cause, "width and height must be from 64 to 4096", &item);
        if (wishes->size_count == TDM_PLAN_SIZES_MAX)
            return invalid(cause, "more than 8 sizes are too many for one bench", &item);
        wishes->sizes[wishes->size_count].width = w;
        wishes->sizes[wishes->size_count++].height = h;
    }
    return TANDEM_OK;
}

static enum tandem_status parse_rates(struct wishes *wishes, const char *text,
                                      struct tdm_cause *cause)
{
    struct tdm_item item;
    uint32_t bps;

    while (tdm_list_next(&text, &item)) {
        if (!tdm_item_rate(&item, &bps))
            return invalid(cause, "a rate is bits a second, as in 500k or 1.5M; this is none",
                           &item);
        if (bps < 8000)
            return invalid(cause, "nothing can be sent at this rate: give 8k or more", &item);
        if (wishes->rate_count == TDM_PLAN_RATES_MAX)
            return invalid(cause, "more than 8 rates are too many for one bench", &item);
        wishes->rates[wishes->rate_count++] = bps;
    }
    return TANDEM_OK;
}

static enum tandem_status parse_contents(struct tdm_plan *plan, const char *text,
                                         struct tdm_cause *cause)
{
    struct tdm_item item;

    while (tdm_list_next(&text, &item)) {
        struct tdm_footage *content = &plan->contents[plan->content_count];

        if (plan->content_count == TDM_PLAN_CONTENTS_MAX)
            return invalid(cause, "more than 8 contents are too many for one bench", &item);
        enum tdm_err err = tdm_footage_parse(content, item.text, item.size, cause);

        if (err)
            return err == TDM_E_MALFORMED && !content->path[0] ? TANDEM_INVALID : TANDEM_FAILED;
        for (uint16_t i = 0; i < plan->content_count; i++)
            if (strcmp(plan->contents[i].name, content->name) == 0)
                return invalid(cause, "this content is named twice", &item);
        plan->content_count++;
    }
    return TANDEM_OK;
}

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value ? value : otherwise;
}

static enum tandem_status take_numbers(struct tdm_plan *plan, struct wishes *wishes,
                                       const struct tandem_bench_config *c, struct tdm_cause *cause)
{
    const char *wrong = c->fps > FPS_MAX           ? "more than 120 frames a second"
                        : c->frames > FRAMES_MAX   ? "more than 10000 frames a round"
                        : c->rounds > ROUNDS_MAX   ? "more than 100 rounds"
                        : c->threads > THREADS_MAX ? "more than 64 threads"
                                                   : NULL;

    if (wrong) {
        (void)tdm_fail(cause, TDM_E_MALFORMED, "%s cannot be measured", wrong);
        return TANDEM_INVALID;
    }
    plan->quick = c->quick;
    plan->fps = or_default(c->fps, FPS_DEFAULT);
    plan->frames = or_default(c->frames, c->quick ? FRAMES_QUICK : FRAMES_DEFAULT);
    plan->rounds = or_default(c->rounds, c->quick ? ROUNDS_QUICK : ROUNDS_DEFAULT);
    plan->threads = or_default(c->threads, 1);
    plan->warmup = WARMUP;
    wishes->frames_given = c->frames;
    bool listed = c->codecs || c->sizes || c->content || c->rates || c->frames || c->rounds;

    plan->seconds_max = c->quick ? SECONDS_QUICK : listed ? 0 : SECONDS_DEFAULT;
    return TANDEM_OK;
}

static enum tandem_status read_wishes(struct tdm_plan *plan, struct wishes *wishes,
                                      const struct tandem_bench_config *c, struct tdm_cause *cause)
{
    const char *sizes = c->quick ? "1280x720" : "640x480,1280x720,1920x1080";
    const char *contents = c->quick ? "camera,text,scroll" : "camera,text,scroll,slides,game";
    enum tandem_status status = take_numbers(plan, wishes, c, cause);

    if (!status)
        status = tdm_picks_parse(&wishes->picks, c->codecs, c->no_audio, cause);
    if (!status)
        status = parse_sizes(wishes, c->sizes ? c->sizes : sizes, cause);
    if (!status && c->rates)
        status = parse_rates(wishes, c->rates, cause);
    if (!status)
        status = parse_contents(plan, c->content ? c->content : contents, cause);
    return status;
}

/* One place in the space of video cells. */
struct place {
    uint16_t content;
    size_t size;
    uint32_t bps;
    bool usual_rate; /* The middle one, or one that was asked for. */
};

static bool add_video(struct tdm_plan *plan, const struct tdm_video_spec *spec)
{
    for (uint32_t i = 0; i < plan->video_count; i++) {
        const struct tdm_video_spec *have = &plan->video[i];

        if (have->ops == spec->ops && strcmp(have->preset, spec->preset) == 0 &&
            have->width == spec->width && have->height == spec->height &&
            have->content == spec->content && have->bps == spec->bps)
            return true;
    }
    if (plan->video_count == TDM_PLAN_CELLS_MAX)
        return false;
    plan->video[plan->video_count++] = *spec;
    return true;
}

static void name_preset(struct tdm_video_spec *spec, size_t index)
{
    (void)snprintf(spec->preset, sizeof spec->preset, "%s",
                   index < tdm_preset_count(spec->ops) ? spec->ops->presets[index] : "");
}

/* The cells of one encoder at one place. `calls` is the preset that calls use there. */
static bool add_encoder(struct tdm_plan *plan, const struct wishes *wishes,
                        const struct tdm_pick *pick, const struct place *place, size_t calls)
{
    size_t count = tdm_preset_count(pick->video);
    bool middle_size = place->size == wishes->size_count / 2;
    bool broad = place->content == 0 || (middle_size && !plan->quick);
    struct tdm_video_spec spec = {
        .ops = pick->video,
        .threads = plan->threads,
        .width = wishes->sizes[place->size].width,
        .height = wishes->sizes[place->size].height,
        .fps = plan->fps,
        .bps = place->bps,
        .content = place->content,
        .screen = plan->contents[place->content].screen,
        .frames = plan->frames,
        .warmup = plan->warmup,
    };

    if (!wishes->frames_given && spec.width * spec.height > LARGE_PIXELS) {
        spec.frames /= 2;
        spec.warmup /= 2;
    }
    if (calls >= count && pick->wish == TDM_PRESET_NEIGHBOURS) { /* A choice of its own. */
        name_preset(&spec, count);
        return (place->usual_rate || place->content == 0) ? add_video(plan, &spec) : true;
    }
    for (size_t i = 0; i < count; i++) {
        bool near = i == calls || i + 1 == calls || i == calls + 1;
        bool wanted = pick->wish == TDM_PRESET_EVERY ||
                      (pick->wish == TDM_PRESET_NAMED && i == pick->preset) ||
                      (pick->wish == TDM_PRESET_NEIGHBOURS && near && (i == calls || broad));
        bool main_one =
            pick->wish == TDM_PRESET_NAMED || (pick->wish == TDM_PRESET_NEIGHBOURS && i == calls);

        if (!wanted || (!place->usual_rate && !(place->content == 0 && main_one)))
            continue;
        name_preset(&spec, i);
        if (!add_video(plan, &spec))
            return false;
    }
    return true;
}

/* Which preset calls use for each pick at each size: asked once. */
struct usual {
    size_t preset[TDM_PICKS_MAX][TDM_PLAN_SIZES_MAX];
};

static void find_usual(const struct tdm_plan *plan, const struct wishes *wishes,
                       struct usual *usual)
{
    for (size_t i = 0; i < wishes->picks.count; i++) {
        const struct tdm_pick *pick = &wishes->picks.list[i];

        for (size_t s = 0; s < wishes->size_count; s++) {
            struct tdm_video_spec spec = {
                .ops = pick->video,
                .threads = plan->threads,
                .width = wishes->sizes[s].width,
                .height = wishes->sizes[s].height,
                .fps = plan->fps,
                .bps = tdm_plan_rate(wishes->sizes[s].width, wishes->sizes[s].height),
            };

            if (pick->video && pick->wish == TDM_PRESET_NEIGHBOURS)
                usual->preset[i][s] = tdm_preset_of_calls(&spec);
        }
    }
}

static bool add_place(struct tdm_plan *plan, const struct wishes *wishes, const struct usual *usual,
                      const struct place *place)
{
    for (size_t i = 0; i < wishes->picks.count; i++)
        if (wishes->picks.list[i].video && !add_encoder(plan, wishes, &wishes->picks.list[i], place,
                                                        usual->preset[i][place->size]))
            return false;
    return true;
}

static bool add_size(struct tdm_plan *plan, const struct wishes *wishes, const struct usual *usual,
                     struct place place)
{
    uint32_t middle =
        tdm_plan_rate(wishes->sizes[place.size].width, wishes->sizes[place.size].height);
    const uint32_t suiting[RATES_DEFAULT] = {middle / 2, middle, middle * 2};
    size_t count = wishes->rate_count ? wishes->rate_count : RATES_DEFAULT;

    for (size_t i = 0; i < count; i++) {
        place.bps = wishes->rate_count ? wishes->rates[i] : suiting[i];
        place.usual_rate = wishes->rate_count || i == RATES_DEFAULT / 2;
        if (plan->quick && !place.usual_rate)
            continue;
        if (!add_place(plan, wishes, usual, &place))
            return false;
    }
    return true;
}

static enum tandem_status fill(struct tdm_plan *plan, const struct wishes *wishes,
                               struct tdm_cause *cause)
{
    struct usual usual = {0};
    bool fits = true;

    find_usual(plan, wishes, &usual);
    for (uint16_t c = 0; fits && c < plan->content_count; c++)
        for (size_t s = 0; fits && s < wishes->size_count; s++)
            fits = add_size(plan, wishes, &usual, (struct place){.content = c, .size = s});
    for (size_t i = 0; fits && i < wishes->picks.count; i++)
        if (wishes->picks.list[i].audio)
            fits = tdm_plan_add_audio(plan, wishes->picks.list[i].audio);
    if (!fits) {
        (void)tdm_fail(cause, TDM_E_SPACE, "these are more than %d cells: give shorter lists",
                       TDM_PLAN_CELLS_MAX);
        return TANDEM_INVALID;
    }
    if (plan->video_count + plan->audio_count == 0) {
        (void)tdm_fail(cause, TDM_E_MALFORMED,
                       "there is nothing to measure: name a codec, or leave the list out for all");
        return TANDEM_INVALID;
    }
    return TANDEM_OK;
}

enum tandem_status tdm_plan_make(struct tdm_plan *plan, const struct tandem_bench_config *config,
                                 struct tdm_cause *cause)
{
    const struct tandem_bench_config defaults = {0};
    struct wishes wishes = {0};

    *plan = (struct tdm_plan){0};
    enum tandem_status status = read_wishes(plan, &wishes, config ? config : &defaults, cause);

    if (status)
        return status;
    plan->video = calloc(TDM_PLAN_CELLS_MAX, sizeof *plan->video);
    plan->audio = calloc(TDM_PLAN_AUDIO_MAX, sizeof *plan->audio);
    if (!plan->video || !plan->audio) {
        (void)tdm_fail(cause, TDM_E_SYSTEM, "no memory to plan a bench");
        return TANDEM_FAILED;
    }
    return fill(plan, &wishes, cause);
}

void tdm_plan_free(struct tdm_plan *plan)
{
    free(plan->video);
    free(plan->audio);
    *plan = (struct tdm_plan){0};
}
