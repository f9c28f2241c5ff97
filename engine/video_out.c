/* SPDX-License-Identifier: MIT */
#include "engine/video_out.h"

#include "codecs/codec.h"
#include "engine/base/rt.h"
#include "engine/base/time_code.h"
#include "engine/core/lipsync.h"
#include "engine/io/clock.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"
#include "render/contact_sheet.h"
#include "render/sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRACES           256
#define KEYS             32
#define SNAPSHOT_WAIT    TDM_S
#define SHEET_COLUMNS    4
#define SHEET_ROWS       3
#define SHEET_CELL_WIDTH 320

struct decoder {
    const struct tdm_video_decoder_ops *ops;
    struct tdm_video_decoder *instance;
};

struct tdm_video_out {
    struct tdm_video_out_config config;
    char spec[256]; /* Of the sink that runs. */
    const struct tdm_video_sink_ops *ops;
    struct tdm_video_sink *sink; /* NULL: nothing is shown. */
    pthread_t thread;
    bool running;
    _Atomic bool stopping;
    _Atomic tdm_time age; /* At which pictures are shown. */
    struct decoder decoders[TDM_CODEC_COUNT];
    _Atomic uint64_t decoded, errors, decode_ns;
    struct tdm_ring traces, keys;
    struct tdm_video_trace trace_slots[TRACES];
    int key_slots[KEYS];
    struct tdm_contact_sheet *sheet;
    char sheet_path[1024];
    const char *snapshot_path; /* Set by the control thread before it asks. */
    _Atomic bool snapshot_asked, snapshot_written;
    int snapshot_done; /* Wake fd. */
    enum tdm_err snapshot_err;
    struct tdm_cause snapshot_cause;
};

/* --- on the sink's thread --- */

static void presented(void *arg, const struct tdm_frame_trace *trace, const struct tdm_picture *pic)
{
    struct tdm_video_out *out = arg;
    struct tdm_video_trace shown = {
        .trace = *trace,
        .pixel_captured = TDM_NEVER,
        .width = pic->width,
        .height = pic->height,
    };

    if (out->config.read_time_code && !tdm_time_code_read(pic, &shown.pixel_captured))
        shown.pixel_captured = TDM_NEVER;
    (void)tdm_ring_push(&out->traces, &shown);
    if (out->sheet)
        tdm_contact_sheet_add(out->sheet, pic, trace->at[TDM_STAGE_PRESENTED]);
    if (!atomic_exchange_explicit(&out->snapshot_asked, false, memory_order_acquire))
        return;
    out->snapshot_err = tdm_snapshot_write(pic, out->snapshot_path, &out->snapshot_cause);
    atomic_store_explicit(&out->snapshot_written, true, memory_order_release);
    tdm_wake_signal(out->snapshot_done);
}

static void push_key(void *arg, int key)
{
    struct tdm_video_out *out = arg;

    (void)tdm_ring_push(&out->keys, &key);
    tdm_wake_signal(out->config.control_wake);
}

static void closed(void *arg)
{
    push_key(arg, TDM_VIDEO_OUT_CLOSED);
}

/* --- on the decode thread --- */

static void decode(struct tdm_video_out *out, const struct tdm_session_video *video,
                   const uint8_t *data)
{
    const struct decoder *d = &out->decoders[video->codec];
    struct tdm_frame_trace trace = video->trace;
    struct tdm_picture pic;
    enum tdm_err err = TDM_E_UNSUPPORTED;

    trace.at[TDM_STAGE_DECODE_START] = tdm_clock_now();
    if (d->instance)
        err = d->ops->decode(d->instance, data, video->size, &pic);
    trace.at[TDM_STAGE_DECODE_END] = tdm_clock_now();
    if (err == TDM_E_AGAIN)
        return;
    if (err != TDM_OK) {
        atomic_fetch_add_explicit(&out->errors, 1, memory_order_relaxed);
        atomic_store_explicit(&out->config.link->decode_failed, true, memory_order_relaxed);
        tdm_wake_signal(out->config.link->net_wake);
        return;
    }
    pic.captured = trace.at[TDM_STAGE_CAPTURED];
    pic.frame_id = trace.frame_id;
    if (out->sink)
        out->ops->show(out->sink, &pic, &trace);
    atomic_fetch_add_explicit(&out->decoded, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(
        &out->decode_ns,
        (uint64_t)(trace.at[TDM_STAGE_DECODE_END] - trace.at[TDM_STAGE_DECODE_START]),
        memory_order_relaxed);
    if (out->config.coded)
        out->config.coded(out->config.coded_arg, video->codec, data, video->size, video->keyframe,
                          pic.width, pic.height, trace.at[TDM_STAGE_DECODE_END]);
}

/* Waits coded until the picture's sound is nearly due: what comes meanwhile waits in the ring. */
static void wait_for_sound(struct tdm_video_out *out, const struct tdm_frame_trace *trace)
{
    const tdm_time came = tdm_clock_now();

    while (!atomic_load_explicit(&out->stopping, memory_order_relaxed)) {
        tdm_time age = atomic_load_explicit(&out->age, memory_order_relaxed);
        tdm_time until = tdm_lipsync_show_at(age, trace->at[TDM_STAGE_CAPTURED], came);

        if (until <= tdm_clock_now())
            return;
        (void)tdm_wait_until(until, out->config.link->video_wake, -1);
        tdm_wake_clear(out->config.link->video_wake);
    }
}

static void *run(void *arg)
{
    struct tdm_video_out *out = arg;
    struct tdm_link *link = out->config.link;

    tdm_rt_enter();
    while (!atomic_load_explicit(&out->stopping, memory_order_relaxed)) {
        const struct tdm_link_video_rx *rx;
        uint32_t size;

        (void)tdm_wait_until(TDM_NEVER, link->video_wake, -1);
        tdm_wake_clear(link->video_wake);
        while ((rx = tdm_record_ring_peek(&link->rx_video, &size))) {
            wait_for_sound(out, &rx->video.trace);
            decode(out, &rx->video, (const uint8_t *)(rx + 1));
            tdm_record_ring_release(&link->rx_video);
        }
    }
    tdm_rt_leave();
    return NULL;
}

/* --- on the control thread --- */

static enum tdm_err start(struct tdm_video_out *out, struct tdm_cause *cause)
{
    atomic_store_explicit(&out->stopping, false, memory_order_relaxed);
    tdm_wake_signal(out->config.link->video_wake); /* Frames may wait already. */
    enum tdm_err err =
        tdm_thread_start(&out->thread, "tdm-video-out", TDM_PRIORITY_DECODE, run, out, NULL, cause);

    out->running = err == TDM_OK;
    return err;
}

static void stop(struct tdm_video_out *out)
{
    if (!out->running)
        return;
    atomic_store_explicit(&out->stopping, true, memory_order_relaxed);
    tdm_wake_signal(out->config.link->video_wake);
    (void)pthread_join(out->thread, NULL);
    out->running = false;
}

static enum tdm_err open_sink(struct tdm_video_out *out, const char *spec,
                              const struct tdm_video_sink_ops **ops, struct tdm_video_sink **sink,
                              struct tdm_cause *cause)
{
    struct tdm_video_sink_config config = {
        .width = out->config.width,
        .height = out->config.height,
        .events = {.arg = out, .presented = presented, .key = push_key, .closed = closed},
    };

    *ops = NULL;
    *sink = NULL;
    if (strcmp(spec, "off") == 0)
        return TDM_OK;
    *ops = tdm_video_sink_find(spec, &config.argument, cause);
    return *ops ? (*ops)->create(&config, sink, cause) : TDM_E_UNSUPPORTED;
}

static enum tdm_err open_decoders(struct tdm_video_out *out, struct tdm_cause *cause)
{
    for (int id = 0; id < TDM_CODEC_COUNT; id++) {
        struct decoder *d = &out->decoders[id];

        d->ops = tdm_video_decoder_find((enum tdm_codec_id)id);
        enum tdm_err err = d->ops ? d->ops->create(&d->instance, cause) : TDM_OK;

        if (err != TDM_OK)
            return err;
    }
    return TDM_OK;
}

static enum tdm_err open_sheet(struct tdm_video_out *out, struct tdm_cause *cause)
{
    const struct tdm_contact_sheet_config config = {
        .columns = SHEET_COLUMNS,
        .rows = SHEET_ROWS,
        .cell_width = SHEET_CELL_WIDTH,
        .interval = out->config.sheet_every,
    };

    if (!out->config.sheet_path)
        return TDM_OK;
    (void)snprintf(out->sheet_path, sizeof out->sheet_path, "%s", out->config.sheet_path);
    return tdm_contact_sheet_create(&config, &out->sheet, cause);
}

enum tdm_err tdm_video_out_create(const struct tdm_video_out_config *config,
                                  struct tdm_video_out **result, struct tdm_cause *cause)
{
    struct tdm_video_out *out = calloc(1, sizeof *out);
    enum tdm_err err;

    if (!out)
        return tdm_fail(cause, TDM_E_SYSTEM, "out of memory for video");
    out->config = *config;
    (void)snprintf(out->spec, sizeof out->spec, "%s", config->sink);
    tdm_ring_init(&out->traces, out->trace_slots, sizeof *out->trace_slots, TRACES);
    tdm_ring_init(&out->keys, out->key_slots, sizeof *out->key_slots, KEYS);
    out->snapshot_done = tdm_wake_open(cause);
    err = out->snapshot_done < 0 ? TDM_E_SYSTEM : open_decoders(out, cause);
    if (err == TDM_OK)
        err = open_sheet(out, cause);
    if (err == TDM_OK)
        err = open_sink(out, config->sink, &out->ops, &out->sink, cause);
    if (err == TDM_OK)
        err = start(out, cause);
    out->config.sink = out->config.sheet_path = NULL;
    if (err != TDM_OK)
        tdm_video_out_destroy(out);
    else
        *result = out;
    return err;
}

void tdm_video_out_age(struct tdm_video_out *out, tdm_time age)
{
    atomic_store_explicit(&out->age, age, memory_order_relaxed);
}

void tdm_video_out_destroy(struct tdm_video_out *out)
{
    if (!out)
        return;
    stop(out);
    if (out->sink)
        out->ops->destroy(out->sink);
    if (out->sheet) {
        (void)tdm_contact_sheet_write(out->sheet, out->sheet_path, NULL);
        tdm_contact_sheet_destroy(out->sheet);
    }
    for (int i = 0; i < TDM_CODEC_COUNT; i++)
        if (out->decoders[i].instance)
            out->decoders[i].ops->destroy(out->decoders[i].instance);
    if (out->snapshot_done >= 0)
        (void)close(out->snapshot_done);
    free(out);
}

enum tdm_err tdm_video_out_set_sink(struct tdm_video_out *out, const char *spec,
                                    struct tdm_cause *cause)
{
    const struct tdm_video_sink_ops *ops;
    struct tdm_video_sink *sink;
    enum tdm_err err = open_sink(out, spec, &ops, &sink, cause);

    if (err != TDM_OK)
        return err;
    stop(out);
    if (out->sink)
        out->ops->destroy(out->sink);
    out->ops = ops;
    out->sink = sink;
    (void)snprintf(out->spec, sizeof out->spec, "%s", spec);
    return start(out, cause);
}

void tdm_video_out_self_view(void *arg, const struct tdm_picture *pic)
{
    struct tdm_video_out *out = arg;

    if (out->sink && out->ops->show_self)
        out->ops->show_self(out->sink, pic);
}

void tdm_video_out_set_overlay(struct tdm_video_out *out, const char *text)
{
    if (out->sink && out->ops->set_overlay)
        out->ops->set_overlay(out->sink, text);
}

void tdm_video_out_set_fullscreen(struct tdm_video_out *out, bool on)
{
    if (out->sink && out->ops->set_fullscreen)
        out->ops->set_fullscreen(out->sink, on);
}

bool tdm_video_out_next_trace(struct tdm_video_out *out, struct tdm_video_trace *trace)
{
    return tdm_ring_pop(&out->traces, trace) == TDM_OK;
}

bool tdm_video_out_next_key(struct tdm_video_out *out, int *key)
{
    return tdm_ring_pop(&out->keys, key) == TDM_OK;
}

void tdm_video_out_stats_of(const struct tdm_video_out *out, struct tdm_video_out_stats *stats)
{
    uint64_t decoded = atomic_load_explicit(&out->decoded, memory_order_relaxed);

    *stats = (struct tdm_video_out_stats){
        .decoded = decoded,
        .errors = atomic_load_explicit(&out->errors, memory_order_relaxed),
    };
    if (decoded)
        stats->decode_ms = (double)atomic_load_explicit(&out->decode_ns, memory_order_relaxed) /
                           1e6 / (double)decoded;
}

enum tdm_err tdm_video_out_snapshot(struct tdm_video_out *out, const char *path,
                                    struct tdm_cause *cause)
{
    if (!out->sink)
        return tdm_fail(cause, TDM_E_GONE, "nothing is shown: turn the picture on first");
    tdm_wake_clear(out->snapshot_done);
    out->snapshot_path = path;
    atomic_store_explicit(&out->snapshot_written, false, memory_order_relaxed);
    atomic_store_explicit(&out->snapshot_asked, true, memory_order_release);
    if (tdm_wait_until(tdm_clock_now() + SNAPSHOT_WAIT, out->snapshot_done, -1) != TDM_WAIT_WAKE &&
        atomic_exchange_explicit(&out->snapshot_asked, false, memory_order_acquire))
        return tdm_fail(cause, TDM_E_AGAIN, "no picture came within a second: try again");
    /* Either it is done, or it was just being written. */
    while (!atomic_load_explicit(&out->snapshot_written, memory_order_acquire))
        (void)tdm_wait_until(TDM_NEVER, out->snapshot_done, -1);
    if (cause)
        *cause = out->snapshot_cause;
    return out->snapshot_err;
}
