/* SPDX-License-Identifier: MIT */
#include "engine/video_in.h"

#include "capture/source.h"
#include "engine/base/rt.h"
#include "engine/base/time_code.h"
#include "engine/core/frame_budget.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"
#include "engine/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLICES_A_SIGNAL 3

struct tdm_video_in {
    struct tdm_video_in_config config;
    struct tdm_worker worker;
    const struct tdm_video_source_ops *ops;
    struct tdm_video_source *source;
    struct tdm_video_encoder_config encoder_config; /* But for the content. */
    struct tdm_video_encoder *encoder;
    enum tdm_content content; /* That it was opened for. */
    bool gone, broken;
    tdm_time next_dark;
    struct tdm_frame_budget budget;
    _Atomic bool dark;
    struct tdm_picture dark_picture;
    uint8_t *dark_storage;
    uint32_t frame_id;
    /* The frame being encoded. */
    tdm_time captured, encode_start;
    size_t frame_bytes;
    int slices_unsignalled;
    _Atomic uint64_t captured_count, encoded_count, skipped_count, encode_ns;
};

/* The next picture from the source, or a paced dark one without a source. */
static enum tdm_err next_picture(struct tdm_video_in *in, struct tdm_picture *pic)
{
    struct tdm_cause cause = {{0}};

    if (in->source && !in->gone) {
        enum tdm_err err = in->ops->next(in->source, pic, &cause);

        if (err == TDM_OK || err == TDM_E_AGAIN)
            return err;
        in->gone = true;
        in->next_dark = tdm_clock_now();
        tdm_worker_tell(&in->worker, &cause);
    }
    if (tdm_wait_until(in->next_dark, in->worker.wake, -1) == TDM_WAIT_WAKE)
        return TDM_E_AGAIN;
    tdm_picture_fill(&in->dark_picture, 24, 128, 128);
    *pic = in->dark_picture;
    pic->captured = in->next_dark;
    in->next_dark += TDM_S / in->config.fps;
    return TDM_OK;
}

static void emit(void *arg, const struct tdm_slice *slice)
{
    struct tdm_video_in *in = arg;
    struct tdm_link *link = in->config.link;
    struct tdm_link_slice_tx head = {
        .codec = in->config.encoder->id,
        .first = slice->first,
        .last = slice->last,
        .keyframe = slice->keyframe,
        .frame_id = in->frame_id,
        .captured = in->captured,
        .encode_start = in->encode_start,
        .encode_end = slice->last ? tdm_clock_now() : TDM_NEVER,
    };
    uint8_t *record =
        tdm_record_ring_reserve(&link->tx_video, (uint32_t)(sizeof head + slice->size));

    if (!record) {
        tdm_frame_budget_owe_keyframe(&in->budget); /* The receiver sees a damaged frame. */
        return;
    }
    memcpy(record, &head, sizeof head);
    if (slice->size)
        memcpy(record + sizeof head, slice->data, slice->size);
    tdm_record_ring_commit(&link->tx_video);
    in->frame_bytes += slice->size;
    /* The first slice leaves at once, so that the way is known to be open, and the last, for which
     * the other side waits; those between leave in twos and threes, at half the wake-ups. */
    if (slice->first || slice->last || ++in->slices_unsignalled == SLICES_A_SIGNAL) {
        in->slices_unsignalled = 0;
        tdm_wake_signal(link->net_wake);
    }
}

static struct tdm_frame_budget_out plan(struct tdm_video_in *in, tdm_time now)
{
    struct tdm_link *link = in->config.link;
    const struct tdm_frame_budget_in now_known = {
        .target_bps = atomic_load_explicit(&link->video_bps, memory_order_relaxed),
        .packets_waiting = atomic_load_explicit(&link->video_waiting, memory_order_relaxed),
        .keyframe_wanted =
            atomic_exchange_explicit(&link->keyframe_wanted, false, memory_order_relaxed),
    };
    struct tdm_frame_budget_out out;

    tdm_frame_budget_step(&in->budget, now, &now_known, &out);
    return out;
}

static void encode(struct tdm_video_in *in, const struct tdm_picture *pic)
{
    static const struct tdm_cause failed = {
        "the video encoder failed: video is off, sound goes on"};
    tdm_time now = tdm_clock_now();
    struct tdm_frame_budget_out out = plan(in, now);
    enum tdm_err err = TDM_E_AGAIN;

    if (!out.skip) {
        in->captured = pic->captured;
        in->encode_start = now;
        in->frame_bytes = 0;
        in->frame_id++;
        err =
            in->config.encoder->encode(in->encoder, pic, out.budget_bytes, out.keyframe, emit, in);
        if (err == TDM_E_AGAIN)
            tdm_frame_budget_dropped(&in->budget, &out);
    }
    if (err == TDM_E_AGAIN) {
        atomic_fetch_add_explicit(&in->skipped_count, 1, memory_order_relaxed);
        return;
    }
    if (err != TDM_OK) {
        in->broken = true;
        tdm_worker_tell(&in->worker, &failed);
        return;
    }
    tdm_frame_budget_encoded(&in->budget, &out, in->frame_bytes);
    atomic_fetch_add_explicit(&in->encoded_count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&in->encode_ns, (uint64_t)(tdm_clock_now() - now),
                              memory_order_relaxed);
}

static void *run(void *arg)
{
    struct tdm_video_in *in = arg;
    struct tdm_picture pic;

    tdm_rt_enter();
    while (next_picture(in, &pic) == TDM_OK) {
        atomic_fetch_add_explicit(&in->captured_count, 1, memory_order_relaxed);
        if (atomic_load_explicit(&in->dark, memory_order_relaxed))
            tdm_picture_fill(&pic, 24, 128, 128);
        if (in->config.self_view)
            in->config.self_view(in->config.self_view_arg, &pic);
        if (in->config.time_code)
            tdm_time_code_draw(&pic, pic.captured);
        if (!in->broken)
            encode(in, &pic);
    }
    tdm_rt_leave();
    return NULL;
}

static enum tdm_err open_source(struct tdm_video_in *in, const char *spec,
                                const struct tdm_video_source_ops **ops,
                                struct tdm_video_source **source, struct tdm_cause *cause)
{
    struct tdm_video_source_config config = {
        .width = in->config.width,
        .height = in->config.height,
        .fps = in->config.fps,
        .wake_fd = in->worker.wake,
    };

    *ops = NULL;
    *source = NULL;
    if (strcmp(spec, "off") == 0)
        return TDM_OK;
    *ops = tdm_video_source_find(spec, &config.argument, cause);
    return *ops ? (*ops)->create(&config, source, cause) : TDM_E_UNSUPPORTED;
}

static enum tdm_err start(struct tdm_video_in *in, struct tdm_cause *cause)
{
    in->gone = false;
    in->next_dark = tdm_clock_now();
    return tdm_worker_start(&in->worker, "tdm-video-in", TDM_PRIORITY_MEDIA, run, in, cause);
}

static enum tdm_content content_of(const char *spec)
{
    return strcmp(spec, "screen") == 0 || strncmp(spec, "screen:", strlen("screen:")) == 0
               ? TDM_CONTENT_SCREEN
               : TDM_CONTENT_CAMERA;
}

static enum tdm_err open_encoder(const struct tdm_video_in *in, enum tdm_content content,
                                 struct tdm_video_encoder **encoder, struct tdm_cause *cause)
{
    const struct tdm_video_encoder_ops *ops = in->config.encoder;
    struct tdm_video_encoder_config config = in->encoder_config;
    struct tdm_cause why = {""};

    if (!ops)
        return tdm_fail(cause, TDM_E_UNSUPPORTED, "this build has no encoder for that video codec");
    config.content = content;
    enum tdm_err err = ops->create(&config, encoder, &why);

    return err == TDM_OK ? TDM_OK
                         : tdm_fail(cause, err,
                                    "the video encoder %s does not open (%.120s): use another "
                                    "codec, size or preset",
                                    ops->name, why.text);
}

static void keep_encoder_config(struct tdm_video_in *in)
{
    const struct tdm_video_in_config *c = &in->config;
    struct tdm_video_encoder_config *to = &in->encoder_config;

    *to = (struct tdm_video_encoder_config){
        .width = c->width,
        .height = c->height,
        .fps = c->fps,
        .bitrate_bps = c->bitrate_bps,
        .slice_bytes_max = c->slice_bytes_max,
        .threads = c->threads ? c->threads : 1,
    };
    if (c->fmtp)
        (void)snprintf(to->fmtp, sizeof to->fmtp, "%s", c->fmtp);
    if (c->preset)
        (void)snprintf(to->preset, sizeof to->preset, "%s", c->preset);
}

enum tdm_err tdm_video_in_create(const struct tdm_video_in_config *config,
                                 struct tdm_video_in **out, struct tdm_cause *cause)
{
    struct tdm_video_in *in = calloc(1, sizeof *in);
    enum tdm_err err;

    if (in)
        in->dark_storage = malloc(tdm_picture_bytes(config->width, config->height));
    if (!in || !in->dark_storage) {
        free(in);
        return tdm_fail(cause, TDM_E_SYSTEM, "out of memory for video");
    }
    in->config = *config;
    tdm_picture_over(&in->dark_picture, in->dark_storage, config->width, config->height);
    tdm_frame_budget_init(&in->budget, config->fps);
    err = tdm_worker_open(&in->worker, config->control_wake, cause);
    keep_encoder_config(in);
    in->content = content_of(config->source);
    if (err == TDM_OK)
        err = open_encoder(in, in->content, &in->encoder, cause);
    if (err == TDM_OK)
        err = open_source(in, config->source, &in->ops, &in->source, cause);
    if (err == TDM_OK)
        err = start(in, cause);
    in->config.source = in->config.fmtp = in->config.preset = NULL;
    if (err != TDM_OK)
        tdm_video_in_destroy(in);
    else
        *out = in;
    return err;
}

void tdm_video_in_destroy(struct tdm_video_in *in)
{
    if (!in)
        return;
    tdm_worker_stop(&in->worker);
    if (in->source)
        in->ops->destroy(in->source);
    if (in->encoder)
        in->config.encoder->destroy(in->encoder);
    tdm_worker_close(&in->worker);
    free(in->dark_storage);
    free(in);
}

enum tdm_err tdm_video_in_set_source(struct tdm_video_in *in, const char *spec,
                                     struct tdm_cause *cause)
{
    const struct tdm_video_source_ops *ops;
    struct tdm_video_source *source;
    struct tdm_video_encoder *encoder = NULL;
    enum tdm_content content = content_of(spec);
    enum tdm_err err = open_source(in, spec, &ops, &source, cause);

    if (err == TDM_OK && content != in->content)
        err = open_encoder(in, content, &encoder, cause);
    if (err != TDM_OK) {
        if (source)
            ops->destroy(source);
        return err;
    }
    tdm_worker_stop(&in->worker);
    if (in->source)
        in->ops->destroy(in->source);
    in->ops = ops;
    in->source = source;
    if (encoder) { /* It begins with a keyframe of its own accord. */
        in->config.encoder->destroy(in->encoder);
        in->encoder = encoder;
        in->content = content;
        in->broken = false;
    }
    return start(in, cause);
}

void tdm_video_in_pause(struct tdm_video_in *in)
{
    tdm_worker_stop(&in->worker);
}

enum tdm_err tdm_video_in_resume(struct tdm_video_in *in, struct tdm_cause *cause)
{
    return start(in, cause);
}

void tdm_video_in_dark(struct tdm_video_in *in, bool on)
{
    atomic_store_explicit(&in->dark, on, memory_order_relaxed);
}

bool tdm_video_in_notice(struct tdm_video_in *in, struct tdm_cause *notice)
{
    return tdm_worker_notice(&in->worker, notice);
}

void tdm_video_in_stats_of(const struct tdm_video_in *in, struct tdm_video_in_stats *stats)
{
    uint64_t encoded = atomic_load_explicit(&in->encoded_count, memory_order_relaxed);

    *stats = (struct tdm_video_in_stats){
        .captured = atomic_load_explicit(&in->captured_count, memory_order_relaxed),
        .encoded = encoded,
        .skipped = atomic_load_explicit(&in->skipped_count, memory_order_relaxed),
    };
    if (encoded)
        stats->encode_ms = (double)atomic_load_explicit(&in->encode_ns, memory_order_relaxed) /
                           1e6 / (double)encoded;
}
