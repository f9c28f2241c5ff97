/* SPDX-License-Identifier: MIT */
#include "engine/video_in.h"

#include "capture/source.h"
#include "engine/base/rt.h"
#include "engine/base/time_code.h"
#include "engine/core/frame_budget.h"
#include "engine/core/picture_steps.h"
#include "engine/core/references.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"
#include "engine/video_coder.h"
#include "engine/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLICES_A_SIGNAL 3
#define TOLD_MASK       ((UINT64_C(1) << TDM_REFERENCE_REPORT_PICTURES) - 1)

struct tdm_video_in {
    struct tdm_video_in_config config;
    struct tdm_worker worker;
    const struct tdm_video_source_ops *ops;
    struct tdm_video_source *source;
    struct tdm_video_encoder_config encoder_config; /* But for the content and the sides. */
    struct tdm_video_coder *coder;
    enum tdm_content content; /* That it was opened for. */
    /* Another size: the encode thread says which, the control thread makes the coder for it, the
     * encode thread takes that and leaves the one it had. */
    struct tdm_picture_steps steps;
    struct tdm_picture_steps_in last_picture;
    uint64_t allowed_bps;          /* By the budget of the last picture whose turn it was. */
    _Atomic uint64_t sides_wanted; /* See sides_of. */
    uint64_t sides_made;           /* Control thread. */
    _Atomic(struct tdm_video_coder *) next_coder, old_coder;
    bool gone, broken;
    tdm_time next_dark;
    struct tdm_frame_budget budget;
    struct tdm_references references;
    _Atomic bool dark;
    struct tdm_picture dark_picture;
    uint8_t *dark_storage;
    uint32_t frame_id;
    /* The frame being encoded. */
    tdm_time captured, encode_start;
    size_t frame_bytes;
    uint8_t refers; /* As the encoder said. */
    int slices_unsignalled;
    _Atomic uint64_t captured_count, encoded_count, skipped_count, cut_count, encode_ns;
    _Atomic uint64_t fill, fill_squared; /* Sums, in parts of a thousand. */
    _Atomic uint64_t sides_now;
    _Atomic uint32_t fps_now;
    _Atomic int why_now;
};

static uint64_t sides_of(int width, int height)
{
    return (uint64_t)width << 32 | (uint32_t)height;
}

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

    if (in->config.references) {
        in->refers = slice->refers;
        head.has_reference = true;
        head.refers = tdm_references_distance(&in->references, in->frame_id, slice->refers);
    }
    uint8_t *record =
        tdm_record_ring_reserve(&link->tx_video, (uint32_t)(sizeof head + slice->size));

    if (!record) {
        tdm_frame_budget_owe_keyframe(&in->budget); /* The receiver sees a damaged frame. */
        atomic_fetch_add_explicit(&in->cut_count, slice->last, memory_order_relaxed);
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

/* What the next picture refers to; true when it can only be a keyframe. */
static bool plan_references(struct tdm_video_in *in, struct tdm_references_out *out)
{
    struct tdm_link *link = in->config.link;
    uint64_t told = atomic_load_explicit(&link->video_told, memory_order_relaxed);
    uint32_t chains = atomic_load_explicit(&link->video_chains, memory_order_relaxed);
    const struct tdm_repair_plan plan = {.chains = (uint8_t)chains,
                                         .known_every = (uint8_t)(chains >> 8)};

    if (!in->config.references)
        return false;
    if (told)
        tdm_references_told(&in->references,
                            &(struct tdm_reference_report){
                                .newest = (uint16_t)(told >> TDM_REFERENCE_REPORT_PICTURES),
                                .decoded = told & TOLD_MASK});
    tdm_references_step(&in->references, &plan, out);
    return out->keyframe;
}

static struct tdm_frame_budget_out plan(struct tdm_video_in *in, tdm_time now, bool keyframe)
{
    struct tdm_link *link = in->config.link;
    const struct tdm_frame_budget_in now_known = {
        .target_bps = atomic_load_explicit(&link->video_bps, memory_order_relaxed),
        .frame_bytes = atomic_load_explicit(&link->video_frame_bytes, memory_order_relaxed),
        .packets_waiting = atomic_load_explicit(&link->video_waiting, memory_order_relaxed),
        .keyframe_wanted =
            atomic_exchange_explicit(&link->keyframe_wanted, false, memory_order_relaxed) ||
            keyframe,
    };
    struct tdm_frame_budget_out out;
    uint64_t by_way = now_known.frame_bytes == UINT32_MAX
                          ? UINT64_MAX
                          : (uint64_t)now_known.frame_bytes * 8 * in->budget.fps;

    in->allowed_bps = by_way < now_known.target_bps ? by_way : now_known.target_bps;
    tdm_frame_budget_step(&in->budget, now, &now_known, &out);
    return out;
}

static void begin_references(struct tdm_video_in *in)
{
    if (in->config.references)
        tdm_references_init(&in->references, in->config.encoder->reach.known,
                            in->config.encoder->reach.chains);
}

/* The coder of another size, once it is there: it begins with a keyframe of its own accord. */
static void take_next_coder(struct tdm_video_in *in)
{
    struct tdm_video_coder *next;

    if (atomic_load_explicit(&in->old_coder, memory_order_acquire))
        return; /* The control thread has not yet taken the one before. */
    next = atomic_exchange_explicit(&in->next_coder, NULL, memory_order_acq_rel);
    if (!next)
        return;
    atomic_store_explicit(&in->old_coder, in->coder, memory_order_release);
    in->coder = next;
    begin_references(in);
    atomic_store_explicit(&in->sides_now, sides_of(next->width, next->height),
                          memory_order_relaxed);
    tdm_wake_signal(in->config.control_wake);
}

/* Whether it is this picture's turn, and what size and rate are wanted from now on. */
static bool step_pictures(struct tdm_video_in *in, const struct tdm_picture *pic)
{
    struct tdm_picture_steps_out out;
    struct tdm_link *link = in->config.link;

    in->last_picture.bps = in->allowed_bps;
    tdm_picture_steps_step(&in->steps, pic->captured, &in->last_picture, &out);
    in->last_picture = (struct tdm_picture_steps_in){0};
    if (out.resize) {
        atomic_store_explicit(&in->sides_wanted, sides_of(out.level.width, out.level.height),
                              memory_order_relaxed);
        tdm_wake_signal(in->config.control_wake);
    }
    tdm_frame_budget_follow(&in->budget, out.level.fps);
    atomic_store_explicit(&link->video_fps, out.level.fps, memory_order_relaxed);
    atomic_store_explicit(&in->fps_now, out.level.fps, memory_order_relaxed);
    atomic_store_explicit(&in->why_now, out.why, memory_order_relaxed);
    take_next_coder(in);
    return out.code;
}

static void encode(struct tdm_video_in *in, const struct tdm_picture *pic)
{
    static const struct tdm_cause failed = {
        "the video encoder failed: video is off, sound goes on"};
    tdm_time now = tdm_clock_now();
    struct tdm_references_out references = {0};
    struct tdm_frame_budget_out out = plan(in, now, plan_references(in, &references));
    enum tdm_err err = TDM_E_AGAIN;

    if (!out.skip) {
        in->captured = pic->captured;
        in->encode_start = now;
        in->frame_bytes = 0;
        in->frame_id++;
        if (references.wanted && !out.keyframe)
            in->config.encoder->refer(
                in->coder->encoder,
                &(struct tdm_reference){.wanted = references.wanted, .known = references.known});
        err = in->config.encoder->encode(in->coder->encoder, pic, out.budget_bytes, out.keyframe,
                                         emit, in);
        if (err == TDM_E_AGAIN)
            tdm_frame_budget_dropped(&in->budget, &out);
        in->last_picture = (struct tdm_picture_steps_in){
            .coded = true,
            .dropped = err == TDM_E_AGAIN,
            .fill = (double)in->frame_bytes / out.budget_bytes,
            .spent = tdm_clock_now() - now,
        };
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
    if (in->config.references)
        tdm_references_coded(&in->references, in->frame_id, in->refers);
    tdm_frame_budget_encoded(&in->budget, &out, in->frame_bytes);
    const uint64_t fill = 1000 * in->frame_bytes / out.budget_bytes;

    atomic_fetch_add_explicit(&in->fill, fill, memory_order_relaxed);
    atomic_fetch_add_explicit(&in->fill_squared, fill * fill, memory_order_relaxed);
    atomic_fetch_add_explicit(&in->encoded_count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&in->encode_ns, (uint64_t)(tdm_clock_now() - now),
                              memory_order_relaxed);
}

/* The time code is drawn at the size that is sent, where its cells are whole. */
static void scale_and_encode(struct tdm_video_in *in, const struct tdm_picture *captured)
{
    const struct tdm_picture *fitted = tdm_video_coder_fit(in->coder, captured);

    if (!fitted)
        return;
    struct tdm_picture pic = *fitted;

    if (in->config.time_code)
        tdm_time_code_draw(&pic, pic.captured);
    encode(in, &pic);
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
        if (!in->broken && step_pictures(in, &pic))
            scale_and_encode(in, &pic);
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

static enum tdm_err open_coder(const struct tdm_video_in *in, enum tdm_content content, int width,
                               int height, struct tdm_video_coder **coder, struct tdm_cause *cause)
{
    struct tdm_video_encoder_config config = in->encoder_config;

    if (!in->config.encoder)
        return tdm_fail(cause, TDM_E_UNSUPPORTED, "this build has no encoder for that video codec");
    config.content = content;
    config.width = width;
    config.height = height;
    return tdm_video_coder_create(in->config.encoder, &config, coder, cause);
}

/* A coder of the user's own size: with another one all begins anew. */
static void begin_with(struct tdm_video_in *in, struct tdm_video_coder *coder,
                       enum tdm_content content)
{
    assert(coder);
    uint64_t sides = sides_of(coder->width, coder->height);

    tdm_video_coder_destroy(in->coder);
    tdm_video_coder_destroy(atomic_exchange(&in->next_coder, NULL));
    in->coder = coder;
    in->content = content;
    in->allowed_bps = in->config.bitrate_bps;
    in->sides_made = sides;
    atomic_store(&in->sides_wanted, sides);
    atomic_store(&in->sides_now, sides);
    tdm_picture_steps_init(&in->steps, &(struct tdm_picture_steps_config){
                                           .width = coder->width,
                                           .height = coder->height,
                                           .fps = in->config.fps,
                                           .screen = content == TDM_CONTENT_SCREEN,
                                       });
    begin_references(in);
}

static void keep_encoder_config(struct tdm_video_in *in)
{
    const struct tdm_video_in_config *c = &in->config;
    struct tdm_video_encoder_config *to = &in->encoder_config;

    *to = (struct tdm_video_encoder_config){
        .fps = c->fps,
        .bitrate_bps = c->bitrate_bps,
        .slice_bytes_max = c->slice_bytes_max,
        .threads = c->threads ? c->threads : 1,
        .references = c->references,
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
    struct tdm_video_coder *coder = NULL;

    if (err == TDM_OK)
        err = open_coder(in, content_of(config->source), config->width, config->height, &coder,
                         cause);
    if (err == TDM_OK)
        begin_with(in, coder, content_of(config->source));
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
    tdm_video_coder_destroy(in->coder);
    tdm_video_coder_destroy(atomic_load(&in->next_coder));
    tdm_video_coder_destroy(atomic_load(&in->old_coder));
    tdm_worker_close(&in->worker);
    free(in->dark_storage);
    free(in);
}

enum tdm_err tdm_video_in_set_source(struct tdm_video_in *in, const char *spec,
                                     struct tdm_cause *cause)
{
    const struct tdm_video_source_ops *ops;
    struct tdm_video_source *source;
    struct tdm_video_coder *coder = NULL;
    enum tdm_content content = content_of(spec);
    enum tdm_err err = open_source(in, spec, &ops, &source, cause);

    if (err == TDM_OK && content != in->content)
        err = open_coder(in, content, in->config.width, in->config.height, &coder, cause);
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
    if (coder) { /* It begins with a keyframe of its own accord. */
        begin_with(in, coder, content);
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

void tdm_video_in_follow(struct tdm_video_in *in)
{
    uint64_t sides = atomic_load_explicit(&in->sides_wanted, memory_order_relaxed);
    struct tdm_video_coder *coder = NULL;
    struct tdm_cause cause;

    tdm_video_coder_destroy(atomic_exchange_explicit(&in->old_coder, NULL, memory_order_acq_rel));
    if (sides == in->sides_made)
        return;
    in->sides_made = sides;
    if (open_coder(in, in->content, (int)(sides >> 32), (int)(sides & UINT32_MAX), &coder,
                   &cause) != TDM_OK) {
        tdm_worker_tell(&in->worker, &cause); /* It goes on at the size that it has. */
        return;
    }
    /* One that was made and not yet taken is of no use any more. */
    tdm_video_coder_destroy(atomic_exchange_explicit(&in->next_coder, coder, memory_order_acq_rel));
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
        .cut = atomic_load_explicit(&in->cut_count, memory_order_relaxed),
        .fill = (double)atomic_load_explicit(&in->fill, memory_order_relaxed) / 1e3,
        .fill_squared = (double)atomic_load_explicit(&in->fill_squared, memory_order_relaxed) / 1e6,
        .fps = atomic_load_explicit(&in->fps_now, memory_order_relaxed),
        .why = (enum tdm_picture_why)atomic_load_explicit(&in->why_now, memory_order_relaxed),
    };
    uint64_t sides = atomic_load_explicit(&in->sides_now, memory_order_relaxed);

    stats->width = (int)(sides >> 32);
    stats->height = (int)(sides & UINT32_MAX);
    if (encoded)
        stats->encode_ms = (double)atomic_load_explicit(&in->encode_ns, memory_order_relaxed) /
                           1e6 / (double)encoded;
}
