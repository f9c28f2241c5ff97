/* SPDX-License-Identifier: MIT */
#include "measure/bench.h"

#include "engine/io/clock.h"
#include "measure/report_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOUND_SECONDS 8
#define FIRST_WORK    1.7 /* A first round also measures quality, step and loss. */
#define AUDIO_WORK    4e6 /* A round of an audio cell, in pixels. */

static double work_of(const struct tandem_bench *b, uint32_t index, uint32_t round)
{
    double first = round == 0 ? FIRST_WORK : 1;

    if (index >= b->plan.video_count)
        return AUDIO_WORK * first;
    const struct tdm_video_spec *spec = &b->plan.video[index];

    return first * (spec->frames + spec->warmup) * spec->width * spec->height;
}

static uint32_t cell_count(const struct tandem_bench *b)
{
    return b->plan.video_count + b->plan.audio_count;
}

static bool alloc_cells(struct tandem_bench *b)
{
    const struct tdm_plan *plan = &b->plan;

    b->input_capacity = TDM_PLAN_CONTENTS_MAX * TDM_PLAN_SIZES_MAX + plan->audio_count;
    b->video = calloc(plan->video_count + 1, sizeof *b->video);
    b->audio = calloc(plan->audio_count + 1, sizeof *b->audio);
    b->inputs = calloc(b->input_capacity, sizeof *b->inputs);
    if (!b->video || !b->audio || !b->inputs)
        return false;
    for (uint32_t i = 0; i < plan->video_count; i++)
        b->video[i].spec = plan->video[i];
    for (uint32_t i = 0; i < plan->audio_count; i++)
        b->audio[i].spec = plan->audio[i];
    b->total = plan->rounds * cell_count(b);
    for (uint32_t round = 0; round < plan->rounds; round++)
        for (uint32_t i = 0; i < cell_count(b); i++)
            b->work_total += work_of(b, i, round);
    return true;
}

enum tandem_status tandem_bench_create(const struct tandem_bench_config *config,
                                       struct tandem_bench **bench, struct tandem_cause *cause)
{
    struct tandem_bench *b = calloc(1, sizeof *b);
    struct tdm_cause why = {{0}};
    enum tandem_status status = TANDEM_FAILED;

    (void)tdm_fail(&why, TDM_E_SYSTEM, "no memory for a bench");
    if (b) {
        status = tdm_plan_make(&b->plan, config, &why);
        if (!status && !alloc_cells(b))
            status = TANDEM_FAILED;
    }
    if (status) {
        tandem_bench_destroy(b);
        if (cause)
            (void)snprintf(cause->text, sizeof cause->text, "%s", why.text);
        return status;
    }
    tdm_machine_describe(&b->machine);
    b->wall = tdm_clock_now() + tdm_clock_wall_offset();
    *bench = b;
    return TANDEM_OK;
}

void tandem_bench_destroy(struct tandem_bench *b)
{
    if (!b)
        return;
    for (uint32_t i = 0; b->video && i < b->plan.video_count; i++)
        tdm_video_cell_free(&b->video[i]);
    for (uint32_t i = 0; b->audio && i < b->plan.audio_count; i++)
        tdm_audio_cell_free(&b->audio[i]);
    free(b->video);
    free(b->audio);
    free(b->inputs);
    tdm_clip_free(&b->clip);
    tdm_sound_free(&b->sound);
    tdm_plan_free(&b->plan);
    free(b);
}

static void note_input(struct tandem_bench *b, const struct tdm_bench_input *input)
{
    for (uint32_t i = 0; i < b->input_count; i++)
        if (strcmp(b->inputs[i].sha256, input->sha256) == 0)
            return;
    if (b->input_count < b->input_capacity)
        b->inputs[b->input_count++] = *input;
}

/* The most pictures that a cell of this content and size uses. */
static uint32_t pictures_for(const struct tandem_bench *b, const struct tdm_video_spec *like)
{
    uint32_t most = 1;

    for (uint32_t i = 0; i < b->plan.video_count; i++) {
        const struct tdm_video_spec *spec = &b->plan.video[i];

        if (spec->content == like->content && spec->width == like->width &&
            spec->height == like->height && spec->frames + spec->warmup > most)
            most = spec->frames + spec->warmup;
    }
    return most;
}

static enum tdm_err load_clip(struct tandem_bench *b, const struct tdm_video_spec *spec,
                              struct tdm_cause *cause)
{
    const struct tdm_footage *content = &b->plan.contents[spec->content];
    const struct tdm_clip_request request = {
        .width = spec->width,
        .height = spec->height,
        .fps = spec->fps,
        .count = pictures_for(b, spec),
        .hash = b->round == 0,
    };

    if (b->clip.storage && b->clip_content == spec->content && b->clip.width == spec->width &&
        b->clip.height == spec->height)
        return TDM_OK;
    tdm_clip_free(&b->clip);
    enum tdm_err err = tdm_clip_load(&b->clip, content, &request, cause);

    if (err) {
        tdm_clip_free(&b->clip);
        return err;
    }
    b->clip_content = spec->content;
    if (request.hash) {
        struct tdm_bench_input input = {.width = b->clip.width,
                                        .height = b->clip.height,
                                        .frames = b->clip.count,
                                        .generated = b->clip.generated};

        (void)snprintf(input.content, sizeof input.content, "%s", content->name);
        (void)snprintf(input.source, sizeof input.source, "%s", b->clip.source);
        (void)snprintf(input.sha256, sizeof input.sha256, "%s", b->clip.sha256);
        note_input(b, &input);
    }
    return TDM_OK;
}

static enum tdm_err load_sound(struct tandem_bench *b,
                               const struct tdm_audio_encoder_config *config,
                               struct tdm_cause *cause)
{
    const struct tdm_sound_request request = {
        .sample_hz = config->sample_hz, .channels = config->channels, .seconds = SOUND_SECONDS};
    struct tdm_bench_input input = {.sample_hz = config->sample_hz, .channels = config->channels};

    if (b->sound.pcm && b->sound.sample_hz == config->sample_hz &&
        b->sound.channels == config->channels)
        return TDM_OK;
    tdm_sound_free(&b->sound);
    enum tdm_err err = tdm_sound_load(&b->sound, &request, cause);

    if (err) {
        tdm_sound_free(&b->sound);
        return err;
    }
    (void)snprintf(input.content, sizeof input.content, "%s",
                   config->channels == 2 ? "music" : "speech");
    (void)snprintf(input.source, sizeof input.source, "%s", b->sound.source);
    (void)snprintf(input.sha256, sizeof input.sha256, "%s", b->sound.sha256);
    input.frames = b->sound.samples;
    input.generated = b->sound.generated;
    note_input(b, &input);
    return TDM_OK;
}

static double last_of(const struct tdm_series *series)
{
    struct tdm_summary summary;

    return tdm_series_summarize(series, &summary) ? summary.p50 : 0;
}

static void tell_video(struct tandem_bench *b, const struct tdm_video_cell *cell,
                       struct tandem_bench_progress *progress)
{
    const struct tdm_video_spec *spec = &cell->spec;

    (void)snprintf(progress->cell, sizeof progress->cell, "%s%s%s %dx%d %s %.3g Mb/s",
                   spec->ops->name, spec->preset[0] ? " " : "", spec->preset, spec->width,
                   spec->height, b->plan.contents[spec->content].name, spec->bps / 1e6);
    progress->encode_ms = last_of(&cell->times.encode);
    progress->decode_ms = last_of(&cell->times.decode);
    progress->psnr_db = tdm_quality_psnr_db(&cell->quality, TDM_QUALITY_ALL);
}

/* A codec that failed once is left out with this preset, at every size. */
static void leave_out(struct tandem_bench *b, const struct tdm_video_cell *failed)
{
    for (uint32_t i = 0; i < b->plan.video_count; i++) {
        struct tdm_video_cell *cell = &b->video[i];

        if (cell->spec.ops == failed->spec.ops &&
            strcmp(cell->spec.preset, failed->spec.preset) == 0)
            cell->failed = true;
    }
}

static enum tdm_err step_video(struct tandem_bench *b, struct tdm_video_cell *cell,
                               struct tandem_bench_progress *progress, struct tdm_cause *cause)
{
    enum tdm_err err = load_clip(b, &cell->spec, cause);

    if (err) {
        cell->failed = true;
        (void)snprintf(cell->why, sizeof cell->why, "%.159s", cause->text);
    } else {
        err = tdm_video_cell_measure(cell, &b->clip, cause);
        if (err)
            leave_out(b, cell);
    }
    tell_video(b, cell, progress);
    return err;
}

static enum tdm_err step_audio(struct tandem_bench *b, struct tdm_audio_cell *cell,
                               struct tandem_bench_progress *progress, struct tdm_cause *cause)
{
    enum tdm_err err = load_sound(b, &cell->spec.config, cause);

    if (!err)
        err = tdm_audio_cell_measure(cell, &b->sound, cause);
    if (err) {
        cell->failed = true;
        (void)snprintf(cell->why, sizeof cell->why, "%.159s", cause->text);
    }
    (void)snprintf(progress->cell, sizeof progress->cell, "%s %s", cell->spec.ops->rtp_name,
                   cell->spec.mode);
    progress->encode_ms = last_of(&cell->encode_ms);
    progress->decode_ms = last_of(&cell->decode_ms);
    return err;
}

static bool is_left_out(const struct tandem_bench *b, uint32_t index)
{
    return index < b->plan.video_count ? b->video[index].failed
                                       : b->audio[index - b->plan.video_count].failed;
}

static void move_on(struct tandem_bench *b)
{
    b->work_done += work_of(b, b->next, b->round);
    b->done++;
    if (++b->next == cell_count(b)) {
        b->next = 0;
        b->round++;
    }
}

/* Whether there is a step left; the next one is then of a cell that works. */
static bool find_next(struct tandem_bench *b)
{
    if (b->plan.seconds_max > 0 && b->round > 0 && b->seconds > b->plan.seconds_max)
        b->total = b->done;
    while (b->done < b->total && is_left_out(b, b->next))
        move_on(b);
    return b->done < b->total;
}

static double seconds_left(const struct tandem_bench *b)
{
    double left = b->work_done > 0 ? b->seconds / b->work_done * (b->work_total - b->work_done) : 0;

    if (b->done >= b->total)
        return 0;
    if (b->plan.seconds_max > 0 && b->round > 0 && b->seconds + left > b->plan.seconds_max)
        return b->plan.seconds_max > b->seconds ? b->plan.seconds_max - b->seconds : 0;
    return left > 0 ? left : 0;
}

enum tandem_status tandem_bench_step(struct tandem_bench *b, struct tandem_bench_progress *progress,
                                     struct tandem_cause *cause)
{
    struct tandem_bench_progress told = {0};
    struct tdm_cause why = {{0}};
    struct tdm_pin pin = {0};

    if (!find_next(b))
        return TANDEM_AGAIN;
    tdm_time start = tdm_clock_now();
    uint32_t videos = b->plan.video_count;

    if (b->plan.threads == 1)
        tdm_pin_take(&pin);
    b->pinned = pin.pinned;
    enum tdm_err err = b->next < videos ? step_video(b, &b->video[b->next], &told, &why)
                                        : step_audio(b, &b->audio[b->next - videos], &told, &why);

    tdm_pin_release(&pin);
    b->seconds += (double)(tdm_clock_now() - start) / (double)TDM_S;
    move_on(b);
    told.done = b->done;
    told.total = b->total;
    told.seconds_left = seconds_left(b);
    if (progress)
        *progress = told;
    if (err && cause)
        (void)snprintf(cause->text, sizeof cause->text, "%s", why.text);
    return err ? TANDEM_FAILED : TANDEM_OK;
}

char *tandem_bench_json(struct tandem_bench *b)
{
    return tdm_bench_report(b);
}
