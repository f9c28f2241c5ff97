/* SPDX-License-Identifier: MIT */
#include "engine/share_region.h"

#include "codecs/codec.h"
#include "engine/base/bgrx.h"
#include "engine/io/clock.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"
#include "engine/share_bytes.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define FPS         30 /* That budgets are counted for. */
#define FIRST_COSTS 6  /* Times the budget: nothing is there to refer to. */

/* Whose a slot is: the caller's (`FREE`, `CODED`, `FAILED`) or the thread's. */
enum state { FREE, FILLED, CODING, CODED, FAILED };

struct slot {
    /* Under the lock. */
    enum state state;
    bool used;
    bool key_wanted;               /* The caller's. */
    struct tdm_screen_video video; /* As it is wanted. */

    /* Of whoever the state names. */
    uint32_t frame_id; /* Of the region that the picture is of. */
    bool key;
    struct tdm_share_coded coded;
    struct tdm_picture picture;
    uint8_t *storage;
    uint32_t budget;
    struct tdm_share_bytes unit;

    /* The thread's. */
    struct tdm_video_encoder *encoder;
    uint32_t encoder_id; /* The region's. */
    bool key_owed;       /* The encoder dropped what was to be one. */
    bool broken;         /* There was no memory for a slice. */
};

struct tdm_share_region {
    const struct tdm_video_encoder_ops *ops;
    uint8_t codec;
    int told, wake; /* The caller's, ours. */
    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    bool stopping;
    struct slot slots[TDM_SCREEN_VIDEOS_MAX];
};

static void close_encoder(struct tdm_share_region *r, struct slot *s)
{
    if (s->encoder)
        r->ops->destroy(s->encoder);
    s->encoder = NULL;
}

static enum tdm_err open_encoder(struct tdm_share_region *r, struct slot *s)
{
    struct tdm_video_encoder_config config = {.width = s->picture.width,
                                              .height = s->picture.height,
                                              .fps = FPS,
                                              .bitrate_bps = s->budget * 8 * FPS,
                                              .threads = 1,
                                              .fmtp = "profile-level-id=640034"};
    struct tdm_cause why = {""};

    close_encoder(r, s);
    s->encoder_id = s->frame_id;
    return r->ops->create(&config, &s->encoder, &why);
}

static void emit(void *arg, const struct tdm_slice *slice)
{
    static const uint8_t start_code[] = {0, 0, 0, 1};
    struct slot *s = arg;

    if (slice->size)
        s->broken = !tdm_share_bytes_put(&s->unit, start_code, sizeof start_code) ||
                    !tdm_share_bytes_put(&s->unit, slice->data, slice->size) || s->broken;
}

static void emit_whole(void *arg, const struct tdm_slice *slice)
{
    struct slot *s = arg;

    s->broken =
        (slice->size && !tdm_share_bytes_put(&s->unit, slice->data, slice->size)) || s->broken;
}

/* The state in which the slot goes back. */
static enum state code(struct tdm_share_region *r, struct slot *s)
{
    bool other = !s->encoder || s->encoder_id != s->frame_id;
    bool first = other || s->key || s->key_owed;

    s->coded.times.encode_start = tdm_clock_now();
    enum tdm_err err = other ? open_encoder(r, s) : TDM_OK;

    tdm_share_bytes_clear(&s->unit);
    s->broken = false;
    if (err == TDM_OK)
        err = r->ops->encode(s->encoder, &s->picture, s->budget * (first ? FIRST_COSTS : 1), first,
                             r->codec == TDM_SCREEN_VIDEO_H264 ? emit : emit_whole, s);
    size_t size = tdm_share_bytes_size(&s->unit);

    s->coded.keyframe = first;
    s->coded.times.encode_end = tdm_clock_now();
    s->key_owed = err == TDM_E_AGAIN && first;
    if (err == TDM_E_AGAIN && !other)
        return FREE;
    if (err == TDM_OK && !s->broken && size && size <= TDM_SCREEN_UNIT_MAX)
        return CODED;
    close_encoder(r, s);
    return FAILED;
}

/* The next slot with a picture; encoders that nobody needs are closed on the way. */
static struct slot *next(struct tdm_share_region *r)
{
    for (int i = 0; i < TDM_SCREEN_VIDEOS_MAX; i++) {
        struct slot *s = &r->slots[i];

        if (s->state == FILLED) {
            s->state = CODING;
            return s;
        }
        if (!s->used)
            close_encoder(r, s);
    }
    return NULL;
}

static void *run(void *arg)
{
    struct tdm_share_region *r = arg;

    for (;;) {
        pthread_mutex_lock(&r->lock);
        bool stopping = r->stopping;
        struct slot *s = stopping ? NULL : next(r);

        pthread_mutex_unlock(&r->lock);
        if (stopping)
            return NULL;
        if (!s) {
            (void)tdm_wait_until(TDM_NEVER, r->wake, -1);
            tdm_wake_clear(r->wake);
            continue;
        }
        enum state state = code(r, s);

        pthread_mutex_lock(&r->lock);
        s->state = state;
        pthread_mutex_unlock(&r->lock);
        tdm_wake_signal(r->told);
    }
}

enum tdm_codec_id tdm_share_region_codec(void)
{
    return tdm_video_encoder_find(TDM_CODEC_H264) ? TDM_CODEC_H264 : TDM_CODEC_VP8;
}

enum tdm_err tdm_share_region_create(struct tdm_share_region **region, int wake,
                                     struct tdm_cause *cause)
{
    struct tdm_share_region *r = calloc(1, sizeof *r);

    *region = NULL;
    if (!r)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory to share a screen");
    r->ops = tdm_video_encoder_find(tdm_share_region_codec());
    r->codec =
        tdm_share_region_codec() == TDM_CODEC_H264 ? TDM_SCREEN_VIDEO_H264 : TDM_SCREEN_VIDEO_VP8;
    (void)pthread_mutex_init(&r->lock, NULL);
    r->told = wake;
    r->wake = tdm_wake_open(cause);
    enum tdm_err err = r->wake < 0 ? TDM_E_SYSTEM
                                   : tdm_thread_start(&r->thread, "tdm-region", TDM_PRIORITY_NORMAL,
                                                      run, r, NULL, cause);

    r->running = err == TDM_OK;
    if (err != TDM_OK)
        tdm_share_region_destroy(r);
    else
        *region = r;
    return err;
}

void tdm_share_region_destroy(struct tdm_share_region *r)
{
    if (!r)
        return;
    if (r->running) {
        pthread_mutex_lock(&r->lock);
        r->stopping = true;
        pthread_mutex_unlock(&r->lock);
        tdm_wake_signal(r->wake);
        (void)pthread_join(r->thread, NULL);
    }
    for (int i = 0; i < TDM_SCREEN_VIDEOS_MAX; i++) {
        close_encoder(r, &r->slots[i]);
        free(r->slots[i].storage);
        tdm_share_bytes_free(&r->slots[i].unit);
    }
    if (r->wake >= 0)
        (void)close(r->wake);
    (void)pthread_mutex_destroy(&r->lock);
    free(r);
}

void tdm_share_region_set(struct tdm_share_region *r, const struct tdm_screen_video *videos,
                          uint32_t count)
{
    pthread_mutex_lock(&r->lock);
    for (int i = 0; i < TDM_SCREEN_VIDEOS_MAX; i++)
        r->slots[i].used = false;
    for (uint32_t i = 0; i < count; i++) {
        struct slot *s = &r->slots[videos[i].stream];

        s->used = true;
        s->video = videos[i];
    }
    pthread_mutex_unlock(&r->lock);
    tdm_wake_signal(r->wake);
}

/* What is of a region that is over is nobody's. The lock is held. */
static void drop_old(struct slot *s)
{
    if ((s->state == CODED || s->state == FAILED) && (!s->used || s->frame_id != s->video.frame_id))
        s->state = FREE;
}

/* Lays the slot's picture over memory of the region's size; an odd last column or row is not coded,
 * the viewer repeats the one before it. */
static bool fit_picture(struct slot *s)
{
    int width = s->video.rect.width & ~1, height = s->video.rect.height & ~1;

    if (s->storage && s->picture.width == width && s->picture.height == height)
        return true;
    free(s->storage);
    s->storage = malloc(tdm_picture_bytes(width, height));
    if (s->storage)
        tdm_picture_over(&s->picture, s->storage, width, height);
    return s->storage != NULL;
}

bool tdm_share_region_give(struct tdm_share_region *r, uint8_t stream, const uint8_t *pixels,
                           ptrdiff_t stride, uint32_t budget_bytes)
{
    struct slot *s = &r->slots[stream];

    pthread_mutex_lock(&r->lock);
    drop_old(s);
    bool fits = s->used && s->state == FREE;
    bool sized = fits && s->video.rect.width <= TDM_PICTURE_SIDE_MAX &&
                 s->video.rect.height <= TDM_PICTURE_SIDE_MAX && fit_picture(s);

    if (fits && !sized) {
        s->frame_id = s->video.frame_id;
        s->state = FAILED;
    }
    pthread_mutex_unlock(&r->lock);
    if (!sized)
        return false;
    /* The slot is the caller's, and only the caller changes `video` and `key_wanted`. */
    s->coded.times.captured = tdm_clock_now();
    tdm_bgrx_to_i420(&s->picture, pixels, stride);
    s->frame_id = s->video.frame_id;
    s->key = s->key_wanted;
    s->key_wanted = false;
    s->budget = budget_bytes;
    pthread_mutex_lock(&r->lock);
    s->state = FILLED;
    pthread_mutex_unlock(&r->lock);
    tdm_wake_signal(r->wake);
    return true;
}

void tdm_share_region_key(struct tdm_share_region *r, uint8_t stream)
{
    r->slots[stream].key_wanted = true;
}

bool tdm_share_region_take(struct tdm_share_region *r, uint32_t streams,
                           struct tdm_screen_unit *unit, struct tdm_share_coded *coded)
{
    bool found = false;

    pthread_mutex_lock(&r->lock);
    for (int i = 0; i < TDM_SCREEN_VIDEOS_MAX && !found; i++) {
        struct slot *s = &r->slots[i];

        drop_old(s);
        found = s->state == CODED && streams >> i & 1;
        if (found && coded)
            *coded = s->coded;
        if (found)
            *unit = (struct tdm_screen_unit){.stream = (uint8_t)i,
                                             .codec = r->codec,
                                             .frame_id = s->frame_id,
                                             .data = s->unit.data + s->unit.at,
                                             .size = tdm_share_bytes_size(&s->unit)};
    }
    pthread_mutex_unlock(&r->lock);
    return found;
}

void tdm_share_region_taken(struct tdm_share_region *r, uint8_t stream)
{
    pthread_mutex_lock(&r->lock);
    r->slots[stream].state = FREE;
    pthread_mutex_unlock(&r->lock);
}

uint32_t tdm_share_region_failed(struct tdm_share_region *r)
{
    uint32_t streams = 0;

    pthread_mutex_lock(&r->lock);
    for (int i = 0; i < TDM_SCREEN_VIDEOS_MAX; i++) {
        struct slot *s = &r->slots[i];

        drop_old(s);
        if (s->state == FAILED) {
            streams |= 1u << i;
            s->state = FREE;
        }
    }
    pthread_mutex_unlock(&r->lock);
    return streams;
}
