/* SPDX-License-Identifier: MIT */
#include "measure/report_json.h"

#include "measure/figures.h"
#include "measure/plan_codecs.h"
#include "measure/recommend.h"

#include <cairo.h>
#include <jansson.h>
#include <libavutil/avutil.h>
#include <math.h>
#include <pango/pango.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void put(json_t *object, const char *key, json_t *value)
{
    (void)json_object_set_new(object, key, value);
}

static void put_text(json_t *object, const char *key, const char *text)
{
    put(object, key, json_string(text));
}

static void put_count(json_t *object, const char *key, uint64_t value)
{
    put(object, key, json_integer((json_int_t)value));
}

static void put_real(json_t *object, const char *key, double value)
{
    put(object, key, json_real(isfinite(value) ? round(value * 1e6) / 1e6 : 0));
}

static json_t *distribution(const struct tdm_summary *s)
{
    json_t *o = json_object();

    put_count(o, "n", s->count);
    put_real(o, "min", s->min);
    put_real(o, "p50", s->p50);
    put_real(o, "p95", s->p95);
    put_real(o, "p99", s->p99);
    put_real(o, "max", s->max);
    put_real(o, "mean", s->mean);
    put_real(o, "ci_low", s->ci_low);
    put_real(o, "ci_high", s->ci_high);
    return o;
}

static json_t *machine(const struct tdm_machine *m)
{
    json_t *o = json_object(), *flags = json_array();

    put_text(o, "cpu", m->cpu);
    put_count(o, "cores", (uint64_t)m->cores);
    put_count(o, "memory_bytes", m->memory_bytes);
    put_text(o, "kernel", m->kernel);
    for (const char *at = m->flags; *at;) {
        size_t size = strcspn(at, " ");

        (void)json_array_append_new(flags, json_stringn(at, size));
        at += size + (at[size] == ' ');
    }
    put(o, "flags", flags);
    put(o, "governor", m->governor[0] ? json_string(m->governor) : json_null());
    put_real(o, "load", m->load);
    return o;
}

static void add_library(json_t *list, const char *name, const char *version)
{
    (void)json_array_append_new(list, json_pack("{s:s, s:s}", "name", name, "version", version));
}

static json_t *libraries(void)
{
    const struct tdm_video_encoder_ops *ops;
    json_t *list = json_array();

    for (size_t i = 0; (ops = tdm_video_encoder_at(i)); i++)
        if (ops->version)
            add_library(list, ops->name, ops->version());
    add_library(list, "ffmpeg", av_version_info());
    add_library(list, "cairo", cairo_version_string());
    add_library(list, "pango", pango_version_string());
    return list;
}

static json_t *method(const struct tandem_bench *b)
{
    json_t *o = json_object();

    put_count(o, "frames", b->plan.frames);
    put_count(o, "warmup", b->plan.warmup);
    put_count(o, "rounds", b->plan.rounds);
    put_count(o, "fps", b->plan.fps);
    put(o, "pinned", json_boolean(b->pinned));
    put(o, "quick", json_boolean(b->plan.quick));
    put_real(o, "seconds", b->seconds);
    return o;
}

static json_t *input(const struct tdm_bench_input *in)
{
    json_t *o = json_object();

    put_text(o, "content", in->content);
    if (in->sample_hz) {
        put_count(o, "sample_hz", in->sample_hz);
        put_count(o, "channels", in->channels);
    } else {
        put_count(o, "width", (uint64_t)in->width);
        put_count(o, "height", (uint64_t)in->height);
    }
    put_text(o, "source", in->source);
    put(o, "generated", json_boolean(in->generated));
    put_count(o, in->sample_hz ? "samples" : "frames", in->frames);
    put_text(o, "sha256", in->sha256);
    return o;
}

static json_t *planes(const struct tdm_quality *quality,
                      double (*figure)(const struct tdm_quality *, int plane))
{
    json_t *o = json_object();

    put_real(o, "y", figure(quality, 0));
    put_real(o, "u", figure(quality, 1));
    put_real(o, "v", figure(quality, 2));
    put_real(o, "all", figure(quality, TDM_QUALITY_ALL));
    return o;
}

static void put_spec(json_t *o, const struct tandem_bench *b, const struct tdm_video_spec *spec)
{
    char codec[24];

    tdm_codec_name(codec, sizeof codec, spec->ops->rtp_name);
    put_text(o, "encoder", spec->ops->name);
    put_text(o, "codec", codec);
    put_text(o, "preset", spec->preset);
    put_count(o, "threads", spec->threads);
    put_text(o, "hint", spec->screen ? "screen" : "camera");
    put_text(o, "content", b->plan.contents[spec->content].name);
    put_count(o, "width", (uint64_t)spec->width);
    put_count(o, "height", (uint64_t)spec->height);
    put_count(o, "fps", spec->fps);
    put_count(o, "bps", spec->bps);
}

static json_t *latency(const struct tdm_video_latency *l)
{
    json_t *o = json_object();

    put_real(o, "held", l->held);
    put_real(o, "encode", l->encode);
    put_real(o, "serialise", l->serialise);
    put_real(o, "decode", l->decode);
    put_real(o, "total", l->total);
    return o;
}

static void put_sizes(json_t *o, const struct tdm_video_cell *cell,
                      const struct tdm_video_figures *f)
{
    const struct tdm_video_spec *spec = &cell->spec;
    json_t *bytes = json_array();

    put(o, "frame_bytes", distribution(&f->frame_bytes));
    put(o, "share", distribution(&f->share));
    put_count(o, "reached_bps", spec->frames ? cell->bytes * 8 * spec->fps / spec->frames : 0);
    put_count(o, "dropped", cell->dropped);
    put(o, "step",
        json_pack("{s:f, s:I, s:I}", "worst_share", round(cell->step.worst_share * 1e3) / 1e3,
                  "frames_over", (json_int_t)cell->step.frames_over, "settled_after",
                  (json_int_t)cell->step.settled_after));
    for (size_t i = 0; i < cell->frame_bytes.count; i++)
        (void)json_array_append_new(bytes, json_integer((json_int_t)cell->frame_bytes.values[i]));
    put(o, "bytes", bytes);
}

static json_t *video_cell(const struct tandem_bench *b, const struct tdm_video_cell *cell,
                          const struct tdm_video_figures *f)
{
    json_t *o = json_object();

    put_spec(o, b, &cell->spec);
    put_count(o, "frames_held", cell->held);
    put(o, "encode_ms", distribution(&f->encode));
    put(o, "first_slice_ms", distribution(&f->first_slice));
    put(o, "packetise_ms", distribution(&f->packetise));
    put(o, "decode_ms", distribution(&f->decode));
    put(o, "latency_ms", latency(&f->latency));
    put_sizes(o, cell, f);
    put(o, "psnr_db", planes(&cell->quality, tdm_quality_psnr_db));
    put(o, "ssim", planes(&cell->quality, tdm_quality_ssim));
    put(o, "loss",
        json_pack("{s:I, s:I}", "frames", (json_int_t)cell->loss.frames, "bytes",
                  (json_int_t)cell->loss.bytes));
    put_count(o, "memory_bytes", cell->memory_bytes);
    put_real(o, "cpu_ms",
             cell->times.encode.count ? cell->cpu_ms_sum / (double)cell->times.encode.count : 0);
    put(o, "fits", json_boolean(f->fits));
    put_text(o, "bits_sha256", cell->sha256);
    put(o, "bits_stable", json_boolean(!cell->bits_differ));
    return o;
}

static json_t *audio_cell(const struct tdm_audio_cell *cell)
{
    const struct tdm_audio_encoder_config *config = &cell->spec.config;
    struct tdm_audio_figures f;
    json_t *o = json_object(), *sum = json_object();
    char codec[24];

    tdm_audio_figures_make(&f, cell);
    tdm_codec_name(codec, sizeof codec, cell->spec.ops->rtp_name);
    put_text(o, "encoder", codec);
    put_text(o, "codec", codec);
    put_text(o, "mode", cell->spec.mode);
    put_count(o, "bps", config->bitrate_bps);
    put_real(o, "frame_ms", config->frame_us / 1000.0);
    put_count(o, "channels", config->channels);
    put_count(o, "sample_hz", config->sample_hz);
    put_real(o, "delay_ms", cell->delay_ms);
    put_real(sum, "frame", f.latency.frame);
    put_real(sum, "lookahead", f.latency.lookahead);
    put_real(sum, "encode", f.latency.encode);
    put_real(sum, "serialise", f.latency.serialise);
    put_real(sum, "decode", f.latency.decode);
    put_real(sum, "total", f.latency.total);
    put(o, "latency_ms", sum);
    put(o, "encode_ms", distribution(&f.encode));
    put(o, "decode_ms", distribution(&f.decode));
    put(o, "payload_bytes", distribution(&f.payload_bytes));
    put_count(o, "reached_bps", (uint64_t)f.reached_bps);
    put_real(o, "snr_db", cell->snr_db);
    put(o, "loss",
        json_pack("{s:f, s:f}", "snr_db", round(cell->loss_snr_db * 100) / 100, "ms",
                  round(cell->loss_ms * 100) / 100));
    put_count(o, "memory_bytes", cell->memory_bytes);
    return o;
}

static json_t *failed(const struct tandem_bench *b)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < b->plan.video_count; i++) {
        const struct tdm_video_cell *cell = &b->video[i];

        if (cell->why[0])
            (void)json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "encoder",
                                                        cell->spec.ops->name, "preset",
                                                        cell->spec.preset, "why", cell->why));
    }
    for (uint32_t i = 0; i < b->plan.audio_count; i++) {
        const struct tdm_audio_cell *cell = &b->audio[i];

        if (cell->why[0])
            (void)json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "encoder",
                                                        cell->spec.ops->rtp_name, "preset",
                                                        cell->spec.mode, "why", cell->why));
    }
    return list;
}

static bool same_place(const struct tdm_video_spec *a, const struct tdm_video_spec *b)
{
    return a->content == b->content && a->width == b->width && a->height == b->height &&
           a->bps == b->bps;
}

static json_t *recommendation(const struct tandem_bench *b, const struct tdm_candidate *candidates,
                              size_t count)
{
    char why[TDM_RECOMMEND_WHY_BYTES];
    const struct tdm_candidate *c = &candidates[tdm_recommend(candidates, count, why, sizeof why)];

    assert(c->cell);
    const struct tdm_video_spec *spec = &c->cell->spec;
    json_t *o = json_object();

    put_text(o, "content", b->plan.contents[spec->content].name);
    put_count(o, "width", (uint64_t)spec->width);
    put_count(o, "height", (uint64_t)spec->height);
    put_count(o, "bps", spec->bps);
    put_text(o, "encoder", spec->ops->name);
    put_text(o, "preset", spec->preset);
    put_text(o, "why", why);
    return o;
}

/* Cells of one content, size and rate stand together in the plan. */
static json_t *recommendations(const struct tandem_bench *b, const struct tdm_video_figures *f)
{
    struct tdm_candidate *candidates = calloc(b->plan.video_count + 1, sizeof *candidates);
    json_t *list = json_array();

    for (uint32_t i = 0; candidates && i < b->plan.video_count;) {
        const struct tdm_video_spec *first = &b->plan.video[i];
        size_t count = 0;

        for (; i < b->plan.video_count && same_place(first, &b->plan.video[i]); i++)
            if (b->video[i].rounds > 0 && !b->video[i].failed)
                candidates[count++] = (struct tdm_candidate){&b->video[i], &f[i]};
        if (count > 0)
            (void)json_array_append_new(list, recommendation(b, candidates, count));
    }
    free(candidates);
    return list;
}

static void put_cells(json_t *o, const struct tandem_bench *b, const struct tdm_video_figures *f)
{
    json_t *video = json_array(), *audio = json_array(), *inputs = json_array();

    for (uint32_t i = 0; i < b->input_count; i++)
        (void)json_array_append_new(inputs, input(&b->inputs[i]));
    for (uint32_t i = 0; i < b->plan.video_count; i++)
        if (b->video[i].rounds > 0 && !b->video[i].failed)
            (void)json_array_append_new(video, video_cell(b, &b->video[i], &f[i]));
    for (uint32_t i = 0; i < b->plan.audio_count; i++)
        if (b->audio[i].rounds > 0 && !b->audio[i].failed)
            (void)json_array_append_new(audio, audio_cell(&b->audio[i]));
    put(o, "inputs", inputs);
    put(o, "video", video);
    put(o, "audio", audio);
    put(o, "failed", failed(b));
    put(o, "recommendations", recommendations(b, f));
}

char *tdm_bench_report(const struct tandem_bench *b)
{
    struct tdm_video_figures *f = calloc(b->plan.video_count + 1, sizeof *f);
    time_t seconds = (time_t)(b->wall / TDM_S);
    json_t *o = json_object();
    struct tm utc = {0};
    char when[32] = "";

    if (gmtime_r(&seconds, &utc))
        (void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
    put_count(o, "tandem_bench", 1);
    put_text(o, "version", TANDEM_VERSION);
    put_text(o, "when", when);
    put(o, "machine", machine(&b->machine));
    put(o, "libraries", libraries());
    put(o, "method", method(b));
    for (uint32_t i = 0; f && i < b->plan.video_count; i++)
        tdm_video_figures_make(&f[i], &b->video[i]);
    if (f)
        put_cells(o, b, f);
    char *text = f ? json_dumps(o, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) : NULL;

    json_decref(o);
    free(f);
    return text;
}
