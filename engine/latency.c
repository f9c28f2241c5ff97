/* SPDX-License-Identifier: MIT */
#include "engine/latency.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FREEZE_EXTRA (150 * TDM_MS)
#define SMOOTHING    0.05

/* A stage lasts from one stamp to the next; in this order they add up to presented - captured. */
static const struct {
    const char *name;
    enum tdm_stage from, to;
} video_stages[TDM_VIDEO_STAGES] = {
    {"capture", TDM_STAGE_CAPTURED, TDM_STAGE_ENCODE_START},
    {"encode", TDM_STAGE_ENCODE_START, TDM_STAGE_ENCODE_END},
    {"send", TDM_STAGE_ENCODE_END, TDM_STAGE_LAST_SENT},
    {"network", TDM_STAGE_LAST_SENT, TDM_STAGE_LAST_RECEIVED},
    {"assemble", TDM_STAGE_LAST_RECEIVED, TDM_STAGE_DECODABLE},
    {"wait", TDM_STAGE_DECODABLE, TDM_STAGE_DECODE_START},
    {"decode", TDM_STAGE_DECODE_START, TDM_STAGE_DECODE_END},
    {"present", TDM_STAGE_DECODE_END, TDM_STAGE_PRESENTED},
};

static const char *const audio_stage_names[TDM_AUDIO_STAGES] = {"frame+encode", "send+network",
                                                                "playout"};

void tdm_latency_init(struct tdm_latency *l)
{
    memset(l, 0, sizeof *l);
    l->last_shown = TDM_NEVER;
    l->glass_now = l->mouth_now = TDM_NEVER;
}

static void smooth(tdm_time *mean, tdm_time value)
{
    *mean = *mean == TDM_NEVER ? value : *mean + (tdm_time)((double)(value - *mean) * SMOOTHING);
}

/* The median of the last pictures: a keyframe takes many times as long to encode as those behind
 * it, and the sound must not wait for one picture. Nothing is known before there are enough. */
static void follow_glass(struct tdm_latency *l, tdm_time latency)
{
    tdm_time sorted[TDM_LATENCY_RECENT];

    l->recent_glass[l->recent_count++ % TDM_LATENCY_RECENT] = latency;
    if (l->recent_count < TDM_LATENCY_RECENT)
        return;
    for (int i = 0; i < TDM_LATENCY_RECENT; i++) {
        int at = i;

        for (; at > 0 && sorted[at - 1] > l->recent_glass[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = l->recent_glass[i];
    }
    smooth(&l->glass_now, sorted[TDM_LATENCY_RECENT / 2]);
}

/* A freeze is a gap of max(3 mean intervals, mean + 150 ms), as libwebrtc counts it. */
static void count_freeze(struct tdm_latency *l, tdm_time presented)
{
    if (l->last_shown != TDM_NEVER) {
        l->shown_time += presented - l->last_shown;
        l->shown_intervals++;
        double gap = (double)(presented - l->last_shown);
        double mean = l->interval_mean_ns;

        if (mean > 0 && gap >= 3 * mean && gap >= mean + (double)FREEZE_EXTRA) {
            l->freezes++;
            l->frozen += presented - l->last_shown;
        } else {
            l->interval_mean_ns = mean > 0 ? mean + (gap - mean) / 30 : gap;
        }
    }
    l->last_shown = l->paused ? TDM_NEVER : presented;
}

void tdm_latency_pause(struct tdm_latency *l, bool paused)
{
    l->paused = paused;
    if (!paused)
        return;
    l->last_shown = TDM_NEVER;
    l->glass_now = l->mouth_now = TDM_NEVER;
    l->recent_count = 0;
}

bool tdm_latency_video_parts(const struct tdm_video_trace *trace, tdm_time parts[TDM_VIDEO_STAGES])
{
    const tdm_time *at = trace->trace.at;

    for (int i = 0; i < TDM_STAGE_COUNT; i++)
        if (at[i] == TDM_NEVER && i != TDM_STAGE_FIRST_SENT)
            return false;
    for (int i = 0; i < TDM_VIDEO_STAGES; i++)
        parts[i] = at[video_stages[i].to] - at[video_stages[i].from];
    return true;
}

bool tdm_latency_audio_parts(const struct tdm_audio_trace *trace, tdm_time parts[TDM_AUDIO_STAGES])
{
    if (trace->captured == TDM_NEVER || trace->silent || trace->encode_end == TDM_NEVER ||
        trace->arrival == TDM_NEVER)
        return false;
    parts[0] = trace->encode_end - trace->captured;
    parts[1] = trace->arrival - trace->encode_end;
    parts[2] = trace->play_at - trace->arrival;
    return true;
}

const char *tdm_latency_video_stage(uint8_t index)
{
    return video_stages[index].name;
}

const char *tdm_latency_audio_stage(uint8_t index)
{
    return audio_stage_names[index];
}

void tdm_latency_video(struct tdm_latency *l, const struct tdm_video_trace *t)
{
    const tdm_time *at = t->trace.at;
    tdm_time presented = at[TDM_STAGE_PRESENTED];

    l->videos[l->video_kept++ % TDM_LATENCY_KEPT] = *t;
    l->shown++;
    l->width = t->width;
    l->height = t->height;
    count_freeze(l, presented);
    if (t->pixel_captured != TDM_NEVER)
        tdm_histogram_add(&l->pixels, presented - t->pixel_captured);
    if (at[TDM_STAGE_CAPTURED] == TDM_NEVER)
        return;
    tdm_histogram_add(&l->glass, presented - at[TDM_STAGE_CAPTURED]);
    follow_glass(l, presented - at[TDM_STAGE_CAPTURED]);
    if (t->pixel_captured != TDM_NEVER) {
        tdm_time error = t->pixel_captured - at[TDM_STAGE_CAPTURED];

        tdm_histogram_add(&l->pixel_error, error < 0 ? -error : error);
    }
    tdm_time parts[TDM_VIDEO_STAGES];

    if (!tdm_latency_video_parts(t, parts))
        return;
    for (int i = 0; i < TDM_VIDEO_STAGES; i++)
        tdm_histogram_add(&l->video_stages[i], parts[i]);
    tdm_histogram_add(&l->beyond_codec,
                      presented - at[TDM_STAGE_CAPTURED] -
                          (at[TDM_STAGE_ENCODE_END] - at[TDM_STAGE_ENCODE_START]) -
                          (at[TDM_STAGE_DECODE_END] - at[TDM_STAGE_DECODE_START]));
}

void tdm_latency_audio(struct tdm_latency *l, const struct tdm_audio_trace *t)
{
    if (!t->silent)
        l->audios[l->audio_kept++ % TDM_LATENCY_KEPT] = *t;
    if (t->chirp_ms >= 0)
        tdm_histogram_add(&l->chirps, (tdm_time)(t->chirp_ms * 1e6));
    if (t->captured == TDM_NEVER || t->silent)
        return;
    tdm_histogram_add(&l->mouth, t->play_at - t->captured);
    smooth(&l->mouth_now, t->play_at - t->captured);
    if (l->glass_now != TDM_NEVER) {
        tdm_time skew = l->mouth_now - l->glass_now;

        tdm_histogram_add(&l->skew, skew < 0 ? -skew : skew);
    }
    tdm_time parts[TDM_AUDIO_STAGES];

    for (int i = 0; tdm_latency_audio_parts(t, parts) && i < TDM_AUDIO_STAGES; i++)
        tdm_histogram_add(&l->audio_stages[i], parts[i]);
}

static struct tandem_distribution distribution(const struct tdm_histogram *h)
{
    return (struct tandem_distribution){
        .count = h->count,
        .mean = (double)tdm_histogram_mean(h) / 1e6,
        .p50 = (double)tdm_histogram_quantile(h, 0.5) / 1e6,
        .p95 = (double)tdm_histogram_quantile(h, 0.95) / 1e6,
        .p99 = (double)tdm_histogram_quantile(h, 0.99) / 1e6,
        .max = (double)h->max / 1e6,
    };
}

static void fill_stage(struct tandem_stage *stage, const char *name, const struct tdm_histogram *h)
{
    (void)snprintf(stage->name, sizeof stage->name, "%s", name);
    stage->ms = distribution(h);
}

void tdm_latency_stats(const struct tdm_latency *l, struct tandem_stats *stats)
{
    stats->glass_to_glass = distribution(&l->glass);
    stats->beyond_codec = distribution(&l->beyond_codec);
    stats->mouth_to_ear = distribution(&l->mouth);
    stats->pixel_latency = distribution(&l->pixels);
    stats->trace_minus_pixels = distribution(&l->pixel_error);
    stats->chirp_latency = distribution(&l->chirps);
    stats->skew = distribution(&l->skew);
    stats->frames_shown = l->shown;
    stats->freezes = l->freezes;
    stats->frozen_seconds = (double)l->frozen / 1e9;
    stats->width = l->width;
    stats->height = l->height;
    if (l->shown_time > 0)
        stats->shown_fps = (double)l->shown_intervals * 1e9 / (double)l->shown_time;
    stats->video_stage_count = TDM_VIDEO_STAGES;
    for (int i = 0; i < TDM_VIDEO_STAGES; i++)
        fill_stage(&stats->video_stages[i], video_stages[i].name, &l->video_stages[i]);
    stats->audio_stage_count = TDM_AUDIO_STAGES;
    for (int i = 0; i < TDM_AUDIO_STAGES; i++)
        fill_stage(&stats->audio_stages[i], audio_stage_names[i], &l->audio_stages[i]);
}

/* One complete event ("X"); times in microseconds. A stage that ended before it began (a slice sent
 * before its frame was coded) is not drawn. */
static void write_event(FILE *file, const char *name, const char *category, int thread,
                        tdm_time from, tdm_time to, uint64_t frame)
{
    if (from == TDM_NEVER || to == TDM_NEVER || to < from)
        return;
    (void)fprintf(file,
                  ",\n{\"name\":\"%s\",\"cat\":\"%s\",\"ph\":\"X\",\"pid\":1,\"tid\":%d,"
                  "\"ts\":%.3f,\"dur\":%.3f,\"args\":{\"frame\":%llu}}",
                  name, category, thread, (double)from / 1e3, (double)(to - from) / 1e3,
                  (unsigned long long)frame);
}

static void write_thread(FILE *file, int thread, const char *name)
{
    (void)fprintf(file,
                  ",\n{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":%d,"
                  "\"args\":{\"name\":\"%s\"}}",
                  thread, name);
}

static void write_videos(FILE *file, const struct tdm_latency *l)
{
    uint64_t first = l->video_kept > TDM_LATENCY_KEPT ? l->video_kept - TDM_LATENCY_KEPT : 0;

    for (uint64_t i = first; i < l->video_kept; i++) {
        const struct tdm_frame_trace *t = &l->videos[i % TDM_LATENCY_KEPT].trace;

        for (int stage = 0; stage < TDM_VIDEO_STAGES; stage++)
            write_event(file, video_stages[stage].name, "video", 10 + stage,
                        t->at[video_stages[stage].from], t->at[video_stages[stage].to],
                        t->frame_id);
        write_event(file, "glass to glass", "video", 9, t->at[TDM_STAGE_CAPTURED],
                    t->at[TDM_STAGE_PRESENTED], t->frame_id);
    }
}

static void write_audios(FILE *file, const struct tdm_latency *l)
{
    uint64_t first = l->audio_kept > TDM_LATENCY_KEPT ? l->audio_kept - TDM_LATENCY_KEPT : 0;

    for (uint64_t i = first; i < l->audio_kept; i++) {
        const struct tdm_audio_trace *t = &l->audios[i % TDM_LATENCY_KEPT];

        write_event(file, audio_stage_names[0], "audio", 31, t->captured, t->encode_end, i);
        write_event(file, audio_stage_names[1], "audio", 32, t->encode_end, t->arrival, i);
        write_event(file, t->concealed ? "playout (concealed)" : audio_stage_names[2], "audio", 33,
                    t->arrival, t->play_at, i);
    }
}

enum tdm_err tdm_latency_write_trace(const struct tdm_latency *l, const char *path,
                                     struct tdm_cause *cause)
{
    FILE *file = fopen(path, "w");

    if (!file)
        return tdm_fail(cause, TDM_E_SYSTEM, "cannot write %s: %s", path, strerrordesc_np(errno));
    (void)fputs("[{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,"
                "\"args\":{\"name\":\"tandem, received side\"}}",
                file);
    write_thread(file, 9, "video: glass to glass");
    for (int stage = 0; stage < TDM_VIDEO_STAGES; stage++) {
        char name[64];

        (void)snprintf(name, sizeof name, "video %d: %s", stage + 1, video_stages[stage].name);
        write_thread(file, 10 + stage, name);
    }
    for (int stage = 0; stage < TDM_AUDIO_STAGES; stage++) {
        char name[64];

        (void)snprintf(name, sizeof name, "audio %d: %s", stage + 1, audio_stage_names[stage]);
        write_thread(file, 31 + stage, name);
    }
    write_videos(file, l);
    write_audios(file, l);
    (void)fputs("]\n", file);
    bool failed = ferror(file) != 0;

    if (fclose(file) != 0 || failed)
        return tdm_fail(cause, TDM_E_SYSTEM,
                        "cannot write %s: the disk is full or the file is gone", path);
    return TDM_OK;
}
