/* SPDX-License-Identifier: MIT */
#include "engine/share_give.h"

#include "desktop/region.h"
#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"
#include "engine/share_bytes.h"
#include "engine/share_region.h"
#include "render/screen_window.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define OUT_BYTES    (256u << 10) /* Of a frame that may lie ready. */
#define OUT_LOW      (64u << 10)  /* Below it the rest of a frame is fetched. */
#define REFINE_BYTES 16384        /* So much of a refinement is fetched when the channel asks. */
#define ANSWER_SLOTS 64
#define PIECES       (2 * TDM_MS) /* In which what belongs together is told. */
#define UNIT_LOW     (16u << 10)  /* With more before it a coded picture waits. */

/* Of moving regions. Pictures come as often as they do, but for those that nobody would see. */
#define REGION_EVERY  (30 * TDM_MS)
#define REGION_FPS    30
#define REGION_RATE   4000000 /* Of a link that was not measured yet. */
#define REGION_BYTES  500     /* At least, a picture. */
#define REGION_PIXELS 24      /* A byte for so many of them is all that a picture needs. */

/* A surface: the desktop's, with a frame to capture into and the core's memory. */
struct surface {
    uint16_t desktop_id; /* 0: free. */
    uint32_t generation;
    struct tdm_desktop_surface desktop;
    uint8_t *pixels;
    ptrdiff_t stride;
    void *storage;
    struct tdm_region dirty; /* Not captured yet. */
    bool seen;               /* In the newest list. */
};

struct tdm_share_give {
    struct tdm_share_give_config config;
    pthread_t thread;
    bool running;
    _Atomic bool stopping;
    int wake;

    /* The thread's own. */
    struct tdm_desktop *desktop;
    struct tdm_desktop_out told;
    struct tdm_screen_host *core;
    struct tdm_screen_host_out out;
    struct surface surfaces[TDM_SCREEN_SURFACES_MAX];
    bool started; /* The core was told of streams. */
    bool more;    /* It is in the middle of a frame. */
    bool ready, refine_ready;
    tdm_time core_wake;
    uint64_t shapes[TDM_SCREEN_CURSOR_SLOTS]; /* Hashes of what the slots hold. */
    uint8_t shape, shape_next;
    uint8_t shape_pixels[TDM_SCREEN_CURSOR_SIDE_MAX * TDM_SCREEN_CURSOR_SIDE_MAX * 4];
    /* What the core fills; only this thread puts it into `bytes`, but a put may move them: so the
     * lock, for a copy. */
    uint8_t room[OUT_BYTES];
    struct tdm_share_bytes answer_now;
    struct tdm_share_region *region; /* NULL: moving regions are coded as pictures. */
    struct tdm_screen_video videos[TDM_SCREEN_VIDEOS_MAX];
    uint32_t video_count;
    struct {
        bool dirty;                  /* Captured since the last picture of it. */
        tdm_time at;                 /* No next picture before. */
    } moving[TDM_SCREEN_VIDEOS_MAX]; /* By stream. */
    bool between;                    /* As the core said last. */
    struct tdm_share_media_state rtp;
    int rider;         /* The region that goes by RTP; -1: none. */
    uint32_t rider_id; /* The frame that it began with. */
    struct {
        uint32_t frame;
        tdm_time at;
    } sent[ANSWER_SLOTS];

    pthread_mutex_t lock; /* Of what follows. */
    uint32_t news;
    bool restart, on;
    bool open;              /* The channel has room: it asked in vain. */
    uint32_t refine_wanted; /* So much of a refinement it asked for in vain. */
    bool offers, offers_refine;
    struct tdm_share_bytes bytes, answers;
    size_t consumed;       /* Of answers. */
    struct tdm_rect again; /* Of the desktop: to be captured. */
    char save_path[512];   /* A picture is wanted; "": none. */
    enum tdm_err saved;
    struct tdm_cause save_cause;
    pthread_cond_t save_done;
    uint64_t rate_bps;
    tdm_time rtt;
    bool link_news, lost;
    struct tdm_cause why;
    enum tdm_desktop_state state;
    struct tdm_screen_pointer pointer;
    struct tdm_control_surface areas[TDM_CONTROL_SURFACES_MAX];
    struct tdm_share_give_figures figures;
};

static void tell(struct tdm_share_give *g, uint32_t news)
{
    pthread_mutex_lock(&g->lock);
    g->news |= news;
    pthread_mutex_unlock(&g->lock);
    g->config.wake(g->config.arg);
}

static void list_videos(struct tdm_share_give *g)
{
    g->video_count = tdm_screen_host_videos(g->core, g->videos);
    if (!g->region)
        return;
    tdm_share_region_set(g->region, g->videos, g->video_count);
    for (uint32_t i = 0; i < g->video_count; i++)
        g->moving[g->videos[i].stream].dirty = true;
}

static void step(struct tdm_share_give *g, tdm_time now, const struct tdm_screen_host_in *in)
{
    tdm_screen_host_step(g->core, now, in, &g->out);
    g->between = g->out.between;
    if (g->out.videos_changed || (in && in->kind == TDM_SCREEN_HOST_SURFACES))
        list_videos(g);
    g->core_wake = g->out.wake_at;
    g->ready = g->out.screen_ready;
    g->refine_ready = g->out.refine_ready;
    if (g->out.acked) {
        uint32_t slot = g->out.frame_id % ANSWER_SLOTS;

        if (g->sent[slot].at && g->sent[slot].frame == g->out.frame_id) {
            pthread_mutex_lock(&g->lock);
            tdm_histogram_add(&g->figures.answer, now - g->sent[slot].at);
            pthread_mutex_unlock(&g->lock);
            g->sent[slot].at = 0;
        }
    }
}

static struct surface *surface_of(struct tdm_share_give *g, uint16_t desktop_id)
{
    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++)
        if (g->surfaces[i].desktop_id == desktop_id)
            return &g->surfaces[i];
    return NULL;
}

static void free_surface(struct surface *s)
{
    free(s->pixels);
    free(s->storage);
    *s = (struct surface){.desktop_id = 0};
}

/* Memory for a surface that is new or has another size. */
static bool make_surface(struct surface *s, const struct tdm_desktop_surface *d)
{
    size_t width = (size_t)d->area.width, height = (size_t)d->area.height;
    bool same = s->pixels && s->desktop_id == d->id && s->desktop.area.width == d->area.width &&
                s->desktop.area.height == d->area.height;

    if (!same) {
        free_surface(s);
        s->stride = (ptrdiff_t)(width * 4 + 63) / 64 * 64;
        s->pixels =
            aligned_alloc(64, (size_t)s->stride * height + 64 - (size_t)s->stride * height % 64);
        s->storage = malloc(tdm_screen_host_surface_bytes((uint16_t)width, (uint16_t)height));
        if (s->pixels)
            memset(s->pixels, 0, (size_t)s->stride * height);
    }
    s->desktop_id = d->id;
    s->generation = d->generation;
    s->desktop = *d;
    return s->pixels && s->storage;
}

static void list_surfaces(struct tdm_share_give *g, tdm_time now)
{
    const struct tdm_desktop_surface *list;
    size_t count = g->config.ops->surfaces(g->desktop, &list);
    struct tdm_screen_shared shared[TDM_SCREEN_SURFACES_MAX];
    struct tdm_control_surface areas[TDM_CONTROL_SURFACES_MAX] = {0};
    uint32_t count_shared = 0;

    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++)
        g->surfaces[i].seen = false;
    for (size_t i = 0; i < count; i++) {
        struct surface *s = surface_of(g, list[i].id);

        s = s ? s : surface_of(g, 0);
        if (s && make_surface(s, &list[i]))
            s->seen = true;
        else if (s)
            free_surface(s);
    }
    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++) {
        struct surface *s = &g->surfaces[i];
        struct tdm_screen_shared *source = &shared[count_shared];

        if (!s->seen) {
            free_surface(s);
            continue;
        }
        *source = (struct tdm_screen_shared){.surface = {.id = (uint8_t)i,
                                                         .primary = s->desktop.primary,
                                                         .width = (uint16_t)s->desktop.area.width,
                                                         .height = (uint16_t)s->desktop.area.height,
                                                         .x = s->desktop.area.x,
                                                         .y = s->desktop.area.y},
                                             .pixels = s->pixels,
                                             .stride = s->stride,
                                             .storage = s->storage};
        (void)snprintf(source->surface.name, sizeof source->surface.name, "%.31s", s->desktop.name);
        areas[i] = (struct tdm_control_surface){.id = (uint16_t)i,
                                                .x = s->desktop.area.x,
                                                .y = s->desktop.area.y,
                                                .width = (uint32_t)s->desktop.area.width,
                                                .height = (uint32_t)s->desktop.area.height};
        count_shared++;
    }
    step(g, now,
         &(struct tdm_screen_host_in){
             .kind = TDM_SCREEN_HOST_SURFACES, .shared = shared, .count = count_shared});
    if (g->config.ink) {
        struct tdm_screen_surface plain[TDM_SCREEN_SURFACES_MAX];

        for (uint32_t i = 0; i < count_shared; i++)
            plain[i] = shared[i].surface;
        tdm_share_ink_surfaces(g->config.ink, plain, count_shared);
    }
    pthread_mutex_lock(&g->lock);
    memcpy(g->areas, areas, sizeof areas);
    pthread_mutex_unlock(&g->lock);
    tell(g, TDM_SHARE_NEWS_SURFACES);
}

/* The desktop's colours are multiplied by alpha, and its shapes may be larger than the wire's. */
static void send_shape(struct tdm_share_give *g, tdm_time now)
{
    uint8_t *pixels = g->shape_pixels;
    struct tdm_desktop_cursor c;

    g->config.ops->cursor(g->desktop, &c);
    if (!c.visible || !c.width || !c.height)
        return;
    for (uint8_t i = 0; i < TDM_SCREEN_CURSOR_SLOTS; i++)
        if (g->shapes[i] == c.hash && c.hash) {
            g->shape = i;
            return;
        }
    uint16_t width = c.width < TDM_SCREEN_CURSOR_SIDE_MAX ? c.width : TDM_SCREEN_CURSOR_SIDE_MAX;
    uint16_t height = c.height < TDM_SCREEN_CURSOR_SIDE_MAX ? c.height : TDM_SCREEN_CURSOR_SIDE_MAX;

    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++) {
            uint32_t from = c.argb[y * c.width + x], alpha = from >> 24;
            uint8_t *to = pixels + (y * width + x) * 4;

            for (int n = 0; n < 3; n++) {
                uint32_t whole = alpha ? ((from >> (8 * n) & 255) * 255 + alpha / 2) / alpha : 0;

                to[n] = (uint8_t)(whole < 255 ? whole : 255);
            }
            to[3] = (uint8_t)alpha;
        }
    struct tdm_screen_cursor cursor = {.slot = g->shape_next,
                                       .width = width,
                                       .height = height,
                                       .hot_x = c.hot_x < width ? c.hot_x : (uint16_t)(width - 1),
                                       .hot_y = c.hot_y < height ? c.hot_y : (uint16_t)(height - 1),
                                       .pixels = pixels};

    g->shape = g->shape_next;
    g->shapes[g->shape] = c.hash;
    g->shape_next = (uint8_t)((g->shape_next + 1) % TDM_SCREEN_CURSOR_SLOTS);
    step(g, now, &(struct tdm_screen_host_in){.kind = TDM_SCREEN_HOST_CURSOR, .cursor = &cursor});
}

static void look_at_pointer(struct tdm_share_give *g, tdm_time now)
{
    struct tdm_desktop_pointer p;
    struct tdm_desktop_cursor c;

    g->config.ops->pointer(g->desktop, &p);
    g->config.ops->cursor(g->desktop, &c);
    const struct surface *s = p.surface ? surface_of(g, p.surface) : NULL;
    struct tdm_screen_pointer pointer = {.surface = s ? (uint8_t)(s - g->surfaces) : 0,
                                         .visible = s && c.visible,
                                         .shape = g->shape,
                                         .x = p.surface_x,
                                         .y = p.surface_y};

    step(g, now,
         &(struct tdm_screen_host_in){.kind = TDM_SCREEN_HOST_POINTER, .pointer = &pointer});
    pthread_mutex_lock(&g->lock);
    g->pointer = pointer;
    pthread_mutex_unlock(&g->lock);
    tell(g, TDM_SHARE_NEWS_POINTER);
}

static void lose(struct tdm_share_give *g, const struct tdm_cause *why)
{
    g->config.ops->close(g->desktop);
    g->desktop = NULL;
    pthread_mutex_lock(&g->lock);
    g->lost = true;
    g->why = *why;
    pthread_mutex_unlock(&g->lock);
    tell(g, TDM_SHARE_NEWS_STATE);
}

static void step_desktop(struct tdm_share_give *g, tdm_time now)
{
    struct tdm_cause why = {""};

    if (g->config.ops->step(g->desktop, now, &g->told, &why) != TDM_OK) {
        lose(g, &why);
        return;
    }
    if (g->told.told & TDM_DESKTOP_TOLD_SURFACES)
        list_surfaces(g, now);
    for (size_t i = 0; i < g->told.dirty_count; i++) {
        struct surface *s = surface_of(g, g->told.dirty[i].surface);

        if (s)
            tdm_region_add_near(&s->dirty, g->told.dirty[i].rect);
    }
    if (g->told.told & TDM_DESKTOP_TOLD_SHAPE)
        send_shape(g, now);
    if (g->told.told & (TDM_DESKTOP_TOLD_SHAPE | TDM_DESKTOP_TOLD_POINTER))
        look_at_pointer(g, now);
    if (g->told.told & TDM_DESKTOP_TOLD_STATE) {
        pthread_mutex_lock(&g->lock);
        g->state = g->told.state;
        pthread_mutex_unlock(&g->lock);
        tell(g, TDM_SHARE_NEWS_STATE);
    }
}

static bool is_dirty(const struct tdm_share_give *g)
{
    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++)
        if (g->surfaces[i].dirty.count)
            return true;
    return false;
}

/* Notes which moving regions have another picture. */
static void look_for_movement(struct tdm_share_give *g, int surface,
                              const struct tdm_screen_rect *rects, uint32_t count)
{
    for (uint32_t i = 0; i < g->video_count; i++) {
        const struct tdm_screen_rect *v = &g->videos[i].rect;
        bool *dirty = &g->moving[g->videos[i].stream].dirty;

        for (uint32_t r = 0; g->videos[i].surface == surface && r < count && !*dirty; r++)
            *dirty = rects[r].x < v->x + v->width && v->x < rects[r].x + rects[r].width &&
                     rects[r].y < v->y + v->height && v->y < rects[r].y + rects[r].height;
    }
}

/* The largest region goes by RTP, where there is one; it stays there until it is over. */
static void choose_rider(struct tdm_share_give *g)
{
    const struct tdm_screen_video *best = NULL;
    int before = g->rider;

    if (g->config.media)
        tdm_share_media_look(g->config.media, &g->rtp);
    for (uint32_t i = 0; g->rtp.sends && i < g->video_count; i++) {
        const struct tdm_screen_video *v = &g->videos[i];

        if (v->stream == before && v->frame_id == g->rider_id) {
            best = v;
            break;
        }
        if (!best || v->rect.width * v->rect.height > best->rect.width * best->rect.height)
            best = v;
    }
    g->rider = best ? best->stream : -1;
    g->rider_id = best ? best->frame_id : 0;
    if (g->config.media)
        atomic_store(&g->config.media->wanted, g->video_count && !g->rtp.sends);
    if (before >= 0 && g->rider != before) /* What the decoder of the other way knows is old. */
        tdm_share_region_key(g->region, (uint8_t)before);
    if (g->rider >= 0 && (g->rider != before || g->rtp.keyframe_wanted))
        tdm_share_region_key(g->region, (uint8_t)g->rider);
}

/* Half of the channel is for what moves; of the call's RTP what its rate control gives. */
static uint32_t region_budget(struct tdm_share_give *g, const struct tdm_screen_video *video)
{
    const struct tdm_screen_rect *rect = &video->rect;
    uint64_t most = (uint64_t)rect->width * (uint64_t)rect->height / REGION_PIXELS;

    if (video->stream == g->rider) {
        uint64_t share = g->rtp.bps / 8 / REGION_FPS * 15 / 16; /* The rest is for headers. */

        return (uint32_t)(share > most ? most : share > REGION_BYTES ? share : REGION_BYTES);
    }
    pthread_mutex_lock(&g->lock);
    uint64_t rate = g->rate_bps ? g->rate_bps : REGION_RATE;

    pthread_mutex_unlock(&g->lock);
    uint32_t others = g->video_count - (g->rider >= 0);
    uint64_t bytes = rate / 8 / 2 / REGION_FPS / (others ? others : 1);

    bytes = bytes < most ? bytes : most;
    return (uint32_t)(bytes > REGION_BYTES ? bytes : REGION_BYTES);
}

/* Pictures of moving regions to the thread that codes them. @return when the next is due. */
static tdm_time feed_regions(struct tdm_share_give *g, tdm_time now)
{
    tdm_time due = TDM_NEVER;
    uint32_t failed = tdm_share_region_failed(g->region);

    for (uint8_t i = 0; i < TDM_SCREEN_VIDEOS_MAX; i++)
        if (failed >> i & 1)
            step(g, now,
                 &(struct tdm_screen_host_in){.kind = TDM_SCREEN_HOST_VIDEO_GONE, .video = i});
    choose_rider(g);
    for (uint32_t i = 0; i < g->video_count; i++) {
        const struct tdm_screen_video *v = &g->videos[i];
        const struct surface *s = &g->surfaces[v->surface];

        if (!g->moving[v->stream].dirty || !s->pixels)
            continue;
        /* The pacer still has the last one: the next is taken when it would be newer. */
        if (v->stream == g->rider && g->rtp.waiting && now >= g->moving[v->stream].at)
            g->moving[v->stream].at = now + REGION_EVERY;
        if (now < g->moving[v->stream].at) {
            due = tdm_time_min(due, g->moving[v->stream].at);
        } else if (tdm_share_region_give(g->region, v->stream,
                                         s->pixels + v->rect.y * s->stride +
                                             (ptrdiff_t)4 * v->rect.x,
                                         s->stride, region_budget(g, v))) {
            g->moving[v->stream].dirty = false;
            g->moving[v->stream].at = now + REGION_EVERY;
        }
    }
    return due;
}

/* Streams, as bits, that go by the channel. */
static uint32_t by_channel(const struct tdm_share_give *g)
{
    return g->rider >= 0 ? ~(1u << g->rider) : TDM_SHARE_REGION_ALL;
}

/* The coded picture of the region that goes by RTP: at once, whatever the channel does. */
static void send_unit(struct tdm_share_give *g)
{
    struct tdm_screen_unit unit;
    struct tdm_share_coded coded;

    if (!g->region || g->rider < 0 ||
        !tdm_share_region_take(g->region, 1u << g->rider, &unit, &coded))
        return;
    bool sent = tdm_share_media_send(g->config.media, &unit, coded.keyframe, &coded.times);

    if (!sent)
        tdm_share_region_key(g->region, unit.stream);
    tdm_share_region_taken(g->region, unit.stream);
    pthread_mutex_lock(&g->lock);
    g->figures.units += sent;
    g->figures.rtp_units += sent;
    g->figures.unit_bytes += sent ? unit.size : 0;
    pthread_mutex_unlock(&g->lock);
}

/* A coded picture behind what lies ready, or alone. @return whether there was one. */
static bool take_unit(struct tdm_share_give *g)
{
    struct tdm_screen_unit unit;
    uint8_t head[TDM_SCREEN_UNIT_HEAD_MAX];

    if (!g->region || !g->between || !tdm_share_region_take(g->region, by_channel(g), &unit, NULL))
        return false;
    size_t size = tdm_screen_unit_write_head(&unit, head);

    pthread_mutex_lock(&g->lock);
    if (!tdm_share_bytes_put(&g->bytes, head, size) ||
        !tdm_share_bytes_put(&g->bytes, unit.data, unit.size))
        g->news |= TDM_SHARE_NEWS_FAILED;
    g->open = false;
    g->figures.units++;
    g->figures.unit_bytes += unit.size;
    pthread_mutex_unlock(&g->lock);
    tdm_share_region_taken(g->region, unit.stream);
    return true;
}

static bool has_unit(struct tdm_share_give *g)
{
    struct tdm_screen_unit unit;

    return g->region && tdm_share_region_take(g->region, by_channel(g), &unit, NULL);
}

/* Ink that is over the desktop is not in the picture of it. */
static enum tdm_err grab(struct tdm_share_give *g, struct surface *s, struct tdm_rect rect,
                         struct tdm_cause *why)
{
    const struct tdm_rect *area = &s->desktop.area;

    if (g->config.ink)
        tdm_share_ink_lift(g->config.ink, area->x, area->y, rect, s->pixels, s->stride);
    enum tdm_err err =
        g->config.ops->grab(g->desktop, &s->desktop, rect, s->pixels, s->stride, why);

    if (g->config.ink)
        tdm_share_ink_lifted(g->config.ink, area->x, area->y, rect, s->pixels, s->stride);
    return err;
}

/* Takes the pixels of all that changed, and tells the core. */
static void capture(struct tdm_share_give *g, tdm_time now)
{
    struct tdm_cause why = {""};

    for (int i = 0; g->desktop && i < TDM_SCREEN_SURFACES_MAX; i++) {
        struct surface *s = &g->surfaces[i];
        struct tdm_screen_rect rects[TDM_REGION_MAX];
        uint32_t count = 0;

        for (size_t r = 0; r < s->dirty.count; r++) {
            struct tdm_rect rect =
                tdm_rect_both(s->dirty.rects[r], (struct tdm_rect){0, 0, s->desktop.area.width,
                                                                   s->desktop.area.height});
            enum tdm_err err = tdm_rect_empty(rect) ? TDM_E_AGAIN : grab(g, s, rect, &why);

            if (err == TDM_OK)
                rects[count++] = (struct tdm_screen_rect){rect.x, rect.y, rect.width, rect.height};
            if (err != TDM_OK && err != TDM_E_AGAIN) {
                lose(g, &why);
                return;
            }
        }
        s->dirty.count = 0;
        look_for_movement(g, i, rects, count);
        if (count)
            step(g, now,
                 &(struct tdm_screen_host_in){.kind = TDM_SCREEN_HOST_DAMAGE,
                                              .surface = (uint8_t)i,
                                              .rects = rects,
                                              .count = count});
    }
}

/* Has the core fill up what lies ready for the channel. @return whether there is more. */
static void fetch(struct tdm_share_give *g, tdm_time now, bool refine, size_t max)
{
    struct tdm_screen_host_in in = {
        .kind = refine ? TDM_SCREEN_HOST_PULL_REFINE : TDM_SCREEN_HOST_PULL, .size = max};

    in.room = g->room;
    step(g, now, &in);
    g->more = g->out.more && !refine;
    pthread_mutex_lock(&g->lock);
    if (!tdm_share_bytes_put(&g->bytes, g->room, g->out.filled))
        g->news |= TDM_SHARE_NEWS_FAILED;
    pthread_mutex_unlock(&g->lock);
}

static void make_frame(struct tdm_share_give *g)
{
    /* The server draws around ink in pieces, and tells of each: a scroll is to be one frame. */
    if (g->config.ink && tdm_share_ink_shows(g->config.ink)) {
        (void)tdm_wait_until(tdm_clock_now() + PIECES, -1, -1);
        step_desktop(g, tdm_clock_now());
    }
    tdm_time begun = tdm_clock_now();

    capture(g, begun);
    tdm_time captured = tdm_clock_now();

    if (g->ready)
        fetch(g, captured, false, OUT_BYTES);
    tdm_time made = tdm_clock_now();
    struct tdm_screen_host_stats stats;

    tdm_screen_host_stats(g->core, &stats);
    if (g->config.ink)
        tdm_share_ink_frame(g->config.ink, stats.frame_id, g->out.moves, g->out.move_count);
    g->sent[stats.frame_id % ANSWER_SLOTS].frame = stats.frame_id;
    g->sent[stats.frame_id % ANSWER_SLOTS].at = begun;
    pthread_mutex_lock(&g->lock);
    tdm_histogram_add(&g->figures.capture, captured - begun);
    tdm_histogram_add(&g->figures.encode, made - captured);
    g->figures.core = stats;
    pthread_mutex_unlock(&g->lock);
}

/* Frames, when there is room; refinement, when the channel asked for it. */
static void give(struct tdm_share_give *g)
{
    uint32_t offers = 0;

    pthread_mutex_lock(&g->lock);
    size_t lies = tdm_share_bytes_size(&g->bytes);
    bool open = g->open;
    uint32_t refine = g->refine_wanted;

    if (open && lies == 0)
        g->open = false;
    pthread_mutex_unlock(&g->lock);
    if (g->more && lies < OUT_LOW) {
        fetch(g, tdm_clock_now(), false, OUT_BYTES - lies);
        offers = 1;
    } else if (!g->more && lies == 0 && open && (is_dirty(g) || g->ready)) {
        make_frame(g);
        offers = 1;
    } else if (!g->more && lies == 0 && refine && g->refine_ready && !is_dirty(g)) {
        fetch(g, tdm_clock_now(), true, refine < REFINE_BYTES ? refine : REFINE_BYTES);
        offers = 2;
    }
    pthread_mutex_lock(&g->lock);
    bool room = open && tdm_share_bytes_size(&g->bytes) < UNIT_LOW;

    pthread_mutex_unlock(&g->lock);
    if (room && take_unit(g))
        offers = 1;
    bool unit = has_unit(g);

    pthread_mutex_lock(&g->lock);
    if (offers == 2)
        g->refine_wanted = 0;
    /* What was not needed is still open. */
    if (open && lies == 0 && offers != 1)
        g->open = true;
    if (offers == 1 && tdm_share_bytes_size(&g->bytes) == 0)
        g->open = true;
    bool had = g->offers, had_refine = g->offers_refine;

    g->offers = g->more || is_dirty(g) || g->ready || unit;
    g->offers_refine = g->refine_ready;
    g->figures.exact = g->out.exact && !is_dirty(g);
    bool tells = offers || (g->offers && !had) || (g->offers_refine && !had_refine);

    pthread_mutex_unlock(&g->lock);
    if (tells)
        tell(g, TDM_SHARE_NEWS_BYTES);
}

/* A part of the desktop that did not change, but is seen now. */
static void take_again(struct tdm_share_give *g)
{
    pthread_mutex_lock(&g->lock);
    struct tdm_rect again = g->again;

    g->again = (struct tdm_rect){0, 0, 0, 0};
    pthread_mutex_unlock(&g->lock);
    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++) {
        struct surface *s = &g->surfaces[i];
        struct tdm_rect part = tdm_rect_both(again, s->desktop.area);

        part.x -= s->desktop.area.x;
        part.y -= s->desktop.area.y;
        if (s->desktop_id && !tdm_rect_empty(part))
            tdm_region_add_near(&s->dirty, part);
    }
}

static void take_save(struct tdm_share_give *g)
{
    char path[sizeof g->save_path];
    struct tdm_cause cause = {"there is no picture of the screen yet"};
    enum tdm_err err = TDM_E_AGAIN;

    pthread_mutex_lock(&g->lock);
    memcpy(path, g->save_path, sizeof path);
    pthread_mutex_unlock(&g->lock);
    if (!*path)
        return;
    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX && err == TDM_E_AGAIN; i++) {
        const struct surface *s = &g->surfaces[i];
        const struct tdm_share_picture picture = {
            .surface = {.width = (uint16_t)s->desktop.area.width,
                        .height = (uint16_t)s->desktop.area.height},
            .pixels = s->pixels,
            .stride = s->stride};

        if (s->desktop_id && g->started)
            err = tdm_screen_picture_save(&picture, path, &cause);
    }
    pthread_mutex_lock(&g->lock);
    *g->save_path = '\0';
    g->saved = err;
    g->save_cause = cause;
    pthread_cond_broadcast(&g->save_done);
    pthread_mutex_unlock(&g->lock);
}

/* What the other threads have left. */
static void take_words(struct tdm_share_give *g, tdm_time now)
{
    pthread_mutex_lock(&g->lock);
    bool restart = g->restart, link = g->link_news;
    struct tdm_screen_host_in in = {
        .kind = TDM_SCREEN_HOST_LINK, .rate_bps = g->rate_bps, .rtt = g->rtt};

    g->restart = g->link_news = false;
    g->started = g->on;
    if (restart) {
        tdm_share_bytes_clear(&g->bytes);
        g->open = false;
        g->refine_wanted = 0;
    }
    tdm_share_bytes_clear(&g->answer_now);
    tdm_share_bytes_swap(&g->answers, &g->answer_now);
    g->consumed += tdm_share_bytes_size(&g->answer_now);
    bool much = g->consumed >= TDM_SHARE_TELL_BYTES;

    pthread_mutex_unlock(&g->lock);
    if (much)
        tell(g, TDM_SHARE_NEWS_BYTES);
    if (restart) {
        g->more = false;
        memset(g->sent, 0, sizeof g->sent);
        memset(g->shapes, 0, sizeof g->shapes);
        step(g, now, &(struct tdm_screen_host_in){.kind = TDM_SCREEN_HOST_RESTART});
        if (g->desktop) {
            send_shape(g, now);
            look_at_pointer(g, now);
        }
    }
    if (link)
        step(g, now, &in);
    if (tdm_share_bytes_size(&g->answer_now)) {
        step(g, now,
             &(struct tdm_screen_host_in){.kind = TDM_SCREEN_HOST_ANSWER,
                                          .data = g->answer_now.data + g->answer_now.at,
                                          .size = tdm_share_bytes_size(&g->answer_now)});
        if (g->out.failed)
            tell(g, TDM_SHARE_NEWS_FAILED);
    }
}

static void wait_for(struct tdm_share_give *g, tdm_time until)
{
    struct pollfd fds[] = {
        {.fd = g->wake, .events = POLLIN},
        {.fd = g->desktop && g->started ? g->config.ops->fd(g->desktop) : -1, .events = POLLIN}};
    tdm_time now = tdm_clock_now();
    tdm_time left = until > now ? until - now : 0;
    struct timespec time = {.tv_sec = left / TDM_S, .tv_nsec = left % TDM_S};

    if (ppoll(fds, 2, until == TDM_NEVER ? NULL : &time, NULL) > 0 && fds[0].revents)
        tdm_wake_clear(g->wake);
}

static void *run(void *arg)
{
    struct tdm_share_give *g = arg;

    while (!atomic_load(&g->stopping)) {
        tdm_time now = tdm_clock_now();
        tdm_time wake = TDM_NEVER;

        take_words(g, now);
        take_again(g);
        take_save(g);
        if (g->started && g->desktop) {
            step_desktop(g, now);
            if (now >= g->core_wake)
                step(g, now, NULL);
            send_unit(g);
            if (g->desktop)
                give(g);
            if (g->desktop && g->region)
                wake = feed_regions(g, now);
            wake = tdm_time_min(wake, tdm_time_min(g->core_wake, g->told.wake_at));
        }
        wait_for(g, wake);
    }
    return NULL;
}

enum tdm_err tdm_share_give_create(struct tdm_share_give **give_out,
                                   const struct tdm_share_give_config *config,
                                   struct tdm_cause *cause)
{
    struct tdm_share_give *g = calloc(1, sizeof *g);
    struct tdm_screen_host_config core = {.cache_tiles = 0};
    enum tdm_err err = TDM_E_SYSTEM;

    *give_out = NULL;
    if (!g)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory to share a screen");
    g->config = *config;
    g->core_wake = TDM_NEVER;
    g->rider = -1;
    (void)pthread_mutex_init(&g->lock, NULL);
    (void)pthread_cond_init(&g->save_done, NULL);
    tdm_histogram_init(&g->figures.capture);
    tdm_histogram_init(&g->figures.encode);
    tdm_histogram_init(&g->figures.answer);
    tdm_entropy(core.secret, sizeof core.secret);
    void *storage = malloc(tdm_screen_host_bytes(&core));

    g->wake = tdm_wake_open(cause);
    if (!storage)
        (void)tdm_fail(cause, TDM_E_SYSTEM, "no memory to share a screen");
    if (storage && g->wake >= 0) {
        core.video = tdm_share_region_create(&g->region, g->wake, cause) == TDM_OK;
        g->core = tdm_screen_host_init(storage, &core, tdm_clock_now());
        err = config->ops->open(&config->desktop, &g->desktop, cause);
    } else {
        free(storage);
    }
    g->config.desktop = (struct tdm_desktop_config){.argument = NULL};
    if (err == TDM_OK)
        err = tdm_thread_start(&g->thread, "tdm-share", TDM_PRIORITY_NORMAL, run, g, NULL, cause);
    g->running = err == TDM_OK;
    if (err != TDM_OK) {
        tdm_share_give_destroy(g);
        return err;
    }
    *give_out = g;
    return TDM_OK;
}

void tdm_share_give_destroy(struct tdm_share_give *g)
{
    if (!g)
        return;
    if (g->running) {
        atomic_store(&g->stopping, true);
        tdm_wake_signal(g->wake);
        (void)pthread_join(g->thread, NULL);
    }
    tdm_share_region_destroy(g->region);
    if (g->desktop)
        g->config.ops->close(g->desktop);
    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++)
        free_surface(&g->surfaces[i]);
    tdm_share_bytes_free(&g->bytes);
    tdm_share_bytes_free(&g->answers);
    tdm_share_bytes_free(&g->answer_now);
    free(g->core);
    if (g->wake >= 0)
        (void)close(g->wake);
    (void)pthread_cond_destroy(&g->save_done);
    (void)pthread_mutex_destroy(&g->lock);
    free(g);
}

uint32_t tdm_share_give_news(struct tdm_share_give *g)
{
    pthread_mutex_lock(&g->lock);
    uint32_t news = g->news;

    g->news = 0;
    pthread_mutex_unlock(&g->lock);
    return news;
}

static void turn_on(struct tdm_share_give *g, bool on)
{
    pthread_mutex_lock(&g->lock);
    g->on = on;
    g->restart = on;
    g->offers = g->offers_refine = false;
    tdm_share_bytes_clear(&g->bytes);
    tdm_share_bytes_clear(&g->answers);
    g->consumed = 0;
    pthread_mutex_unlock(&g->lock);
    tdm_wake_signal(g->wake);
}

void tdm_share_give_restart(struct tdm_share_give *g)
{
    turn_on(g, true);
}

void tdm_share_give_stop(struct tdm_share_give *g)
{
    turn_on(g, false);
}

size_t tdm_share_give_pull(struct tdm_share_give *g, bool refine, uint8_t *room, size_t max,
                           bool *more)
{
    bool wake;

    pthread_mutex_lock(&g->lock);
    size_t lay = tdm_share_bytes_size(&g->bytes);
    size_t size = g->restart ? 0 : tdm_share_bytes_take(&g->bytes, room, max);
    size_t lies = tdm_share_bytes_size(&g->bytes);

    if (size == 0 && refine) {
        g->refine_wanted = (uint32_t)max;
        wake = g->offers_refine;
        *more = false;
    } else if (size == 0) {
        g->open = true;
        wake = g->offers;
        *more = false;
    } else {
        /* Asked again after the last byte, it learns when there is room for the next frame. */
        *more = lies || !refine;
        wake = lay >= OUT_LOW && lies < OUT_LOW;
    }
    pthread_mutex_unlock(&g->lock);
    if (wake)
        tdm_wake_signal(g->wake);
    return size;
}

uint32_t tdm_share_give_ready(struct tdm_share_give *g)
{
    pthread_mutex_lock(&g->lock);
    bool lies = !g->restart && tdm_share_bytes_size(&g->bytes) > 0;
    uint32_t ready = (lies || (g->offers && !g->open) ? 1u : 0) |
                     (g->offers_refine && !g->refine_wanted ? 2u : 0);

    pthread_mutex_unlock(&g->lock);
    return ready;
}

bool tdm_share_give_answer(struct tdm_share_give *g, const uint8_t *data, size_t size)
{
    pthread_mutex_lock(&g->lock);
    bool fits = tdm_share_bytes_put(&g->answers, data, size);

    pthread_mutex_unlock(&g->lock);
    tdm_wake_signal(g->wake);
    return fits;
}

size_t tdm_share_give_consumed(struct tdm_share_give *g)
{
    pthread_mutex_lock(&g->lock);
    size_t consumed = g->consumed;

    g->consumed = 0;
    pthread_mutex_unlock(&g->lock);
    return consumed;
}

void tdm_share_give_link(struct tdm_share_give *g, uint64_t rate_bps, tdm_time rtt)
{
    pthread_mutex_lock(&g->lock);
    bool news = g->rate_bps != rate_bps || g->rtt != rtt;

    g->rate_bps = rate_bps;
    g->rtt = rtt;
    g->link_news |= news;
    pthread_mutex_unlock(&g->lock);
}

void tdm_share_give_again(struct tdm_share_give *g, struct tdm_rect rect)
{
    pthread_mutex_lock(&g->lock);
    g->again = tdm_rect_around(g->again, rect);
    pthread_mutex_unlock(&g->lock);
    tdm_wake_signal(g->wake);
}

enum tdm_err tdm_share_give_save(struct tdm_share_give *g, const char *path,
                                 struct tdm_cause *cause)
{
    pthread_mutex_lock(&g->lock);
    (void)snprintf(g->save_path, sizeof g->save_path, "%s", path);
    tdm_wake_signal(g->wake);
    while (*g->save_path)
        (void)pthread_cond_wait(&g->save_done, &g->lock);
    enum tdm_err err = g->saved;

    *cause = g->save_cause;
    pthread_mutex_unlock(&g->lock);
    return err;
}

size_t tdm_share_give_pointer(struct tdm_share_give *g, uint8_t value[TDM_SCREEN_POINTER_BYTES])
{
    pthread_mutex_lock(&g->lock);
    struct tdm_screen_pointer pointer = g->pointer;

    pthread_mutex_unlock(&g->lock);
    return tdm_screen_pointer_write(&pointer, value);
}

void tdm_share_give_areas(struct tdm_share_give *g,
                          struct tdm_control_surface areas[TDM_CONTROL_SURFACES_MAX])
{
    pthread_mutex_lock(&g->lock);
    memcpy(areas, g->areas, sizeof g->areas);
    pthread_mutex_unlock(&g->lock);
}

enum tdm_desktop_state tdm_share_give_state(struct tdm_share_give *g, bool *lost,
                                            struct tdm_cause *why)
{
    pthread_mutex_lock(&g->lock);
    enum tdm_desktop_state state = g->state;

    *lost = g->lost;
    *why = g->why;
    pthread_mutex_unlock(&g->lock);
    return state;
}

void tdm_share_give_figures(struct tdm_share_give *g, struct tdm_share_give_figures *figures)
{
    pthread_mutex_lock(&g->lock);
    *figures = g->figures;
    pthread_mutex_unlock(&g->lock);
}
