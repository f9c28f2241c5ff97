/* SPDX-License-Identifier: MIT */
#include "engine/share_watch.h"

#include "engine/io/clock.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"
#include "engine/share_bytes.h"
#include "engine/share_compose.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define PIXELS_MAX   ((uint64_t)64 << 20) /* Of all surfaces: 256 MiB. */
#define ANSWER_BYTES 65536
#define STREAMS      2
#define HELD_FOR                                                                                   \
    (2 * TDM_S) /* A unit by RTP waits so long for the frame that began its region.                \
                 */

/* What is shown of a surface. */
struct shown {
    bool used;
    struct tdm_screen_surface surface;
    uint8_t *pixels;
    ptrdiff_t stride;
    uint64_t number;
    bool exact, fresh; /* fresh: not taken yet. */
    tdm_time captured_at;
    uint32_t damage_count;
    struct tdm_rect damage[TDM_SHARE_DAMAGE_MAX];
};

struct tdm_share_watch {
    struct tdm_share_watch_config config;
    pthread_t thread;
    bool running;
    _Atomic bool stopping;
    int wake;

    /* The thread's own. */
    struct tdm_screen_view *core;
    struct tdm_screen_view_out out;
    struct tdm_share_compose *compose;
    struct tdm_share_bytes now; /* Being decoded. */
    uint32_t frame_id;          /* Of the newest frame. */
    uint8_t unit[TDM_SCREEN_UNIT_MAX];
    void *storage[TDM_SCREEN_SURFACES_MAX];
    bool failed;

    pthread_mutex_t lock; /* Of what follows; held by who takes a picture. */
    uint32_t news;
    char why[160];
    bool restart;
    struct tdm_share_bytes arrived, answers;
    size_t waiting[STREAMS], consumed[STREAMS];
    struct shown shown[TDM_SCREEN_SURFACES_MAX];
    struct tdm_screen_pointer pointer;
    bool pointer_news;
    struct {
        uint32_t number; /* 0: none. */
        struct tdm_screen_cursor cursor;
        uint8_t *pixels;
    } shapes[TDM_SCREEN_CURSOR_SLOTS];
    uint32_t last_shape;
    bool first_told;
    struct tdm_share_watch_figures figures;
};

static void tell(struct tdm_share_watch *w, uint32_t news)
{
    pthread_mutex_lock(&w->lock);
    w->news |= news;
    pthread_mutex_unlock(&w->lock);
    w->config.wake(w->config.arg);
}

static void add_damage(struct shown *s, const struct tdm_screen_rect *rects, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct tdm_rect r = {rects[i].x, rects[i].y, rects[i].width, rects[i].height};

        if (s->damage_count < TDM_SHARE_DAMAGE_MAX)
            s->damage[s->damage_count++] = r;
        else
            s->damage[TDM_SHARE_DAMAGE_MAX - 1] =
                tdm_rect_around(s->damage[TDM_SHARE_DAMAGE_MAX - 1], r);
    }
}

static struct tdm_screen_image image_of(const struct shown *s)
{
    return (struct tdm_screen_image){s->pixels, s->stride, s->surface.width, s->surface.height};
}

static void forget_shown(struct shown *s)
{
    free(s->pixels);
    *s = (struct shown){.used = false};
}

/* A surface of another size begins black. The lock is held. */
static bool show_surface(struct shown *s, const struct tdm_screen_surface *surface)
{
    bool same =
        s->used && s->surface.width == surface->width && s->surface.height == surface->height;

    if (!same) {
        forget_shown(s);
        s->stride = (ptrdiff_t)4 * surface->width;
        s->pixels = calloc((size_t)s->stride, surface->height);
        s->fresh = true;
        s->damage[0] = (struct tdm_rect){0, 0, surface->width, surface->height};
        s->damage_count = 1;
    }
    s->surface = *surface;
    s->used = s->pixels != NULL;
    return s->used;
}

static void step(struct tdm_share_watch *w, const struct tdm_screen_view_in *in)
{
    tdm_screen_view_step(w->core, in, &w->out);
}

static void fail(struct tdm_share_watch *w, const char *why)
{
    w->failed = true;
    pthread_mutex_lock(&w->lock);
    (void)snprintf(w->why, sizeof w->why, "%s", why);
    pthread_mutex_unlock(&w->lock);
    tell(w, TDM_WATCH_NEWS_FAILED);
}

static void list_videos(struct tdm_share_watch *w)
{
    struct tdm_screen_video videos[TDM_SCREEN_VIDEOS_MAX];
    uint32_t count = tdm_screen_view_videos(w->core, videos);

    tdm_share_compose_set(w->compose, videos, count);
}

static void take_surfaces(struct tdm_share_watch *w)
{
    struct tdm_screen_view_surface list[TDM_SCREEN_SURFACES_MAX];
    uint32_t count = tdm_screen_view_surfaces(w->core, list);
    bool seen[TDM_SCREEN_SURFACES_MAX] = {false};
    bool enough = true;

    for (uint32_t i = 0; i < count && enough; i++) {
        uint8_t id = list[i].surface.id;

        seen[id] = true;
        if (list[i].fresh) {
            void *before = w->storage[id];

            w->storage[id] = malloc(
                tdm_screen_view_surface_bytes(list[i].surface.width, list[i].surface.height));
            step(w, &(struct tdm_screen_view_in){
                        .kind = TDM_SCREEN_VIEW_STORAGE, .surface = id, .storage = w->storage[id]});
            free(before);
            enough = w->storage[id] && w->out.event != TDM_SCREEN_VIEW_EV_FAILED;
        }
        pthread_mutex_lock(&w->lock);
        enough = show_surface(&w->shown[id], &list[i].surface) && enough;
        pthread_mutex_unlock(&w->lock);
    }
    pthread_mutex_lock(&w->lock);
    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++)
        if (!seen[i] && w->shown[i].used)
            forget_shown(&w->shown[i]);
    pthread_mutex_unlock(&w->lock);
    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++)
        if (!seen[i]) {
            free(w->storage[i]);
            w->storage[i] = NULL;
        }
    list_videos(w); /* Those of a surface that is gone are, too. */
    if (w->config.ink) {
        struct tdm_screen_surface plain[TDM_SCREEN_SURFACES_MAX];

        for (uint32_t i = 0; i < count; i++)
            plain[i] = list[i].surface;
        tdm_share_ink_surfaces(w->config.ink, plain, count);
    }
    if (!enough)
        fail(w, "there is no memory for the screens that are shown");
    else
        tell(w, TDM_WATCH_NEWS_SURFACES);
    tdm_wake_signal(w->config.picture_fd); /* One may be gone, and no frame tells of that. */
}

/* A picture of a moving region: into what is shown, over the pixels. */
static void take_unit(struct tdm_share_watch *w, const struct tdm_screen_unit *unit,
                      enum tdm_share_way way)
{
    struct tdm_screen_rect rect;
    uint8_t surface;
    tdm_time begun = tdm_clock_now();
    enum tdm_share_drawn drawn = tdm_share_compose_unit(w->compose, unit, way, &surface, &rect);

    if (drawn == TDM_SHARE_BROKEN && way == TDM_SHARE_BY_RTP)
        tdm_share_media_failed(w->config.media);
    if (drawn != TDM_SHARE_DRAWN)
        return;
    struct shown *s = &w->shown[surface];

    pthread_mutex_lock(&w->lock);
    if (s->used) {
        const struct tdm_screen_image to = image_of(s);

        tdm_share_compose_draw(w->compose, unit->stream, &to);
        add_damage(s, &rect, 1);
        s->number++;
        s->exact = false;
        s->fresh = true;
        w->figures.units++;
        w->figures.rtp_units += way == TDM_SHARE_BY_RTP;
        tdm_histogram_add(&w->figures.unit_decode, tdm_clock_now() - begun);
    }
    pthread_mutex_unlock(&w->lock);
    tdm_wake_signal(w->config.picture_fd);
}

static void take_frame(struct tdm_share_watch *w, tdm_time begun)
{
    struct tdm_screen_view_surface list[TDM_SCREEN_SURFACES_MAX];
    uint32_t count = tdm_screen_view_surfaces(w->core, list);
    struct shown *s = &w->shown[w->out.surface];
    bool first = false;

    w->frame_id = w->out.frame_id;
    if (w->config.ink)
        tdm_share_ink_frame(w->config.ink, w->out.frame_id, w->out.moves, w->out.move_count);
    if (w->out.videos_changed)
        list_videos(w);
    pthread_mutex_lock(&w->lock);
    for (uint32_t i = 0; s->used && i < count; i++) {
        if (list[i].surface.id != w->out.surface || !list[i].pixels)
            continue;
        const struct tdm_screen_image to = image_of(s);
        struct tdm_screen_rect left;

        for (uint32_t r = 0; r < w->out.rect_count; r++)
            tdm_share_compose_rect(w->compose, w->out.surface, &to, list[i].pixels, list[i].stride,
                                   &w->out.rects[r]);
        add_damage(s, w->out.rects, w->out.rect_count);
        if ((w->out.exact || w->out.refinement) &&
            tdm_share_compose_left(w->compose, w->out.surface, &left)) {
            tdm_share_compose_rect(w->compose, w->out.surface, &to, list[i].pixels, list[i].stride,
                                   &left);
            add_damage(s, &left, 1);
        }
        s->number++;
        s->exact = w->out.exact;
        s->captured_at = w->out.capture_time;
        s->fresh = true;
        first = !w->first_told;
        w->first_told = true;
    }
    tdm_time now = tdm_clock_now();

    tdm_histogram_add(&w->figures.decode, now - begun);
    tdm_screen_view_stats(w->core, &w->figures.core);
    pthread_mutex_unlock(&w->lock);
    tdm_wake_signal(w->config.picture_fd);
    step(w, &(struct tdm_screen_view_in){.kind = TDM_SCREEN_VIEW_SHOWN,
                                         .frame_id = w->out.frame_id,
                                         .decode_us = (uint32_t)((now - begun) / TDM_US),
                                         .time = now});
    if (first)
        tell(w, TDM_WATCH_NEWS_FIRST);
}

static void take_cursor(struct tdm_share_watch *w)
{
    const struct tdm_screen_cursor *c = &w->out.cursor;
    size_t size = (size_t)c->width * c->height * 4;
    uint8_t *pixels = malloc(size ? size : 1);

    if (!pixels)
        return;
    memcpy(pixels, c->pixels, size);
    pthread_mutex_lock(&w->lock);
    free(w->shapes[c->slot].pixels);
    w->shapes[c->slot].pixels = pixels;
    w->shapes[c->slot].cursor = *c;
    w->shapes[c->slot].cursor.pixels = pixels;
    w->shapes[c->slot].number = ++w->last_shape;
    w->pointer_news = true;
    pthread_mutex_unlock(&w->lock);
    tdm_wake_signal(w->config.picture_fd);
}

static void fetch_answers(struct tdm_share_watch *w)
{
    uint8_t room[4096];
    bool any = false;

    do {
        step(w, &(struct tdm_screen_view_in){
                    .kind = TDM_SCREEN_VIEW_PULL, .room = room, .size = sizeof room});
        pthread_mutex_lock(&w->lock);
        if (w->out.filled)
            any = tdm_share_bytes_put(&w->answers, room, w->out.filled);
        pthread_mutex_unlock(&w->lock);
    } while (w->out.more && w->out.filled);
    if (any)
        tell(w, TDM_WATCH_NEWS_ANSWERS);
}

static void decode(struct tdm_share_watch *w)
{
    tdm_time begun = tdm_clock_now();

    while (tdm_share_bytes_size(&w->now) && !w->failed && !atomic_load(&w->stopping)) {
        step(w, &(struct tdm_screen_view_in){.kind = TDM_SCREEN_VIEW_BYTES,
                                             .data = w->now.data + w->now.at,
                                             .size = tdm_share_bytes_size(&w->now)});
        w->now.at += w->out.consumed;
        switch (w->out.event) {
        case TDM_SCREEN_VIEW_EV_SURFACES:
            take_surfaces(w);
            break;
        case TDM_SCREEN_VIEW_EV_FRAME:
            take_frame(w, begun);
            begun = tdm_clock_now();
            break;
        case TDM_SCREEN_VIEW_EV_CURSOR:
            take_cursor(w);
            break;
        case TDM_SCREEN_VIEW_EV_UNIT:
            take_unit(w, &w->out.unit, TDM_SHARE_BY_CHANNEL);
            break;
        case TDM_SCREEN_VIEW_EV_FAILED:
            fail(w, w->out.why ? w->out.why : "the other side's frames are malformed");
            break;
        default:
            break;
        }
        if (w->out.answer_ready)
            fetch_answers(w);
    }
}

/* Units that came by RTP. It may be faster than the channel: what is of a region that no frame has
 * told of yet stays where it is, with all behind it. */
static void take_media(struct tdm_share_watch *w)
{
    struct tdm_region_mark mark;
    struct tdm_screen_unit unit;
    tdm_time came;

    while (w->config.media && tdm_share_media_peek(w->config.media, &mark, &came) &&
           !atomic_load(&w->stopping)) {
        bool known = tdm_share_compose_has(w->compose, mark.stream, mark.frame_id);

        if (!known && (int32_t)(mark.frame_id - w->frame_id) > 0 &&
            tdm_clock_now() - came < HELD_FOR)
            return;
        if (tdm_share_media_take(w->config.media, w->unit, &unit) && known)
            take_unit(w, &unit, TDM_SHARE_BY_RTP);
    }
}

/* @return whether there is something to do. */
static bool take_arrived(struct tdm_share_watch *w)
{
    pthread_mutex_lock(&w->lock);
    bool restart = w->restart;

    w->restart = false;
    tdm_share_bytes_clear(&w->now);
    tdm_share_bytes_swap(&w->arrived, &w->now);
    bool much = false;

    for (int i = 0; i < STREAMS; i++) {
        w->consumed[i] += w->waiting[i];
        w->waiting[i] = 0;
        much = much || w->consumed[i] >= TDM_SHARE_TELL_BYTES;
    }
    pthread_mutex_unlock(&w->lock);
    if (much)
        tell(w, TDM_WATCH_NEWS_ANSWERS);
    if (restart) {
        w->failed = false;
        step(w, &(struct tdm_screen_view_in){.kind = TDM_SCREEN_VIEW_RESTART});
        tdm_share_compose_set(w->compose, NULL, 0);
        fetch_answers(w);
    }
    return restart || tdm_share_bytes_size(&w->now);
}

static void *run(void *arg)
{
    struct tdm_share_watch *w = arg;

    while (!atomic_load(&w->stopping)) {
        bool arrived = take_arrived(w);

        if (arrived)
            decode(w);
        take_media(w);
        if (!arrived) {
            (void)tdm_wait_until(TDM_NEVER, w->wake, -1);
            tdm_wake_clear(w->wake);
        }
    }
    return NULL;
}

enum tdm_err tdm_share_watch_create(struct tdm_share_watch **watch,
                                    const struct tdm_share_watch_config *config,
                                    struct tdm_cause *cause)
{
    struct tdm_share_watch *w = calloc(1, sizeof *w);
    const struct tdm_screen_view_config core = {.pixels_max = PIXELS_MAX};
    void *storage = w ? malloc(tdm_screen_view_bytes(&core)) : NULL;
    struct tdm_share_compose *compose = storage ? tdm_share_compose_create() : NULL;

    *watch = NULL;
    if (!compose) {
        free(storage);
        free(w);
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory to watch a screen");
    }
    w->config = *config;
    w->compose = compose;
    w->core = tdm_screen_view_init(storage, &core);
    (void)pthread_mutex_init(&w->lock, NULL);
    tdm_histogram_init(&w->figures.decode);
    tdm_histogram_init(&w->figures.unit_decode);
    w->wake = tdm_wake_open(cause);
    enum tdm_err err = w->wake < 0 ? TDM_E_SYSTEM
                                   : tdm_thread_start(&w->thread, "tdm-watch", TDM_PRIORITY_NORMAL,
                                                      run, w, NULL, cause);

    w->running = err == TDM_OK;
    if (err != TDM_OK)
        tdm_share_watch_destroy(w);
    else
        *watch = w;
    return err;
}

void tdm_share_watch_destroy(struct tdm_share_watch *w)
{
    if (!w)
        return;
    if (w->running) {
        atomic_store(&w->stopping, true);
        tdm_wake_signal(w->wake);
        (void)pthread_join(w->thread, NULL);
    }
    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++) {
        free(w->shown[i].pixels);
        free(w->storage[i]);
    }
    for (int i = 0; i < TDM_SCREEN_CURSOR_SLOTS; i++)
        free(w->shapes[i].pixels);
    tdm_share_bytes_free(&w->now);
    tdm_share_bytes_free(&w->arrived);
    tdm_share_bytes_free(&w->answers);
    tdm_share_compose_destroy(w->compose);
    free(w->core);
    if (w->wake >= 0)
        (void)close(w->wake);
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
}

uint32_t tdm_share_watch_news(struct tdm_share_watch *w, char why[160])
{
    pthread_mutex_lock(&w->lock);
    uint32_t news = w->news;

    w->news = 0;
    memcpy(why, w->why, sizeof w->why);
    pthread_mutex_unlock(&w->lock);
    return news;
}

int tdm_share_watch_wake(const struct tdm_share_watch *w)
{
    return w->wake;
}

void tdm_share_watch_restart(struct tdm_share_watch *w)
{
    pthread_mutex_lock(&w->lock);
    w->restart = true;
    w->first_told = false;
    tdm_share_bytes_clear(&w->arrived);
    tdm_share_bytes_clear(&w->answers);
    memset(w->waiting, 0, sizeof w->waiting);
    memset(w->consumed, 0, sizeof w->consumed);
    pthread_mutex_unlock(&w->lock);
    tdm_wake_signal(w->wake);
}

bool tdm_share_watch_bytes(struct tdm_share_watch *w, int stream, const uint8_t *data, size_t size)
{
    pthread_mutex_lock(&w->lock);
    bool fits = tdm_share_bytes_put(&w->arrived, data, size);

    if (fits)
        w->waiting[stream] += size;
    pthread_mutex_unlock(&w->lock);
    tdm_wake_signal(w->wake);
    return fits;
}

void tdm_share_watch_pointer(struct tdm_share_watch *w, const uint8_t *value, size_t size)
{
    struct tdm_screen_pointer pointer;

    if (tdm_screen_pointer_parse(&pointer, value, size) != TDM_OK)
        return;
    pthread_mutex_lock(&w->lock);
    w->pointer = pointer;
    w->pointer_news = true;
    pthread_mutex_unlock(&w->lock);
    tdm_wake_signal(w->config.picture_fd);
}

void tdm_share_watch_consumed(struct tdm_share_watch *w, size_t sizes[STREAMS])
{
    pthread_mutex_lock(&w->lock);
    memcpy(sizes, w->consumed, sizeof w->consumed);
    memset(w->consumed, 0, sizeof w->consumed);
    pthread_mutex_unlock(&w->lock);
}

size_t tdm_share_watch_pull(struct tdm_share_watch *w, uint8_t *room, size_t max, bool *more)
{
    pthread_mutex_lock(&w->lock);
    size_t size = tdm_share_bytes_take(&w->answers, room, max);

    *more = tdm_share_bytes_size(&w->answers) > 0;
    pthread_mutex_unlock(&w->lock);
    return size;
}

bool tdm_share_watch_ready(struct tdm_share_watch *w)
{
    pthread_mutex_lock(&w->lock);
    bool ready = tdm_share_bytes_size(&w->answers) > 0;

    pthread_mutex_unlock(&w->lock);
    return ready;
}

uint32_t tdm_share_watch_surfaces(struct tdm_share_watch *w,
                                  struct tdm_screen_surface surfaces[TDM_SCREEN_SURFACES_MAX])
{
    uint32_t count = 0;

    pthread_mutex_lock(&w->lock);
    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++)
        if (w->shown[i].used)
            surfaces[count++] = w->shown[i].surface;
    pthread_mutex_unlock(&w->lock);
    return count;
}

bool tdm_share_watch_lock(struct tdm_share_watch *w, uint8_t surface, bool again,
                          struct tdm_share_picture *picture)
{
    pthread_mutex_lock(&w->lock);
    struct shown *s = &w->shown[surface % TDM_SCREEN_SURFACES_MAX];

    if (!s->used || !(s->fresh || again)) {
        pthread_mutex_unlock(&w->lock);
        return false;
    }
    *picture = (struct tdm_share_picture){.surface = s->surface,
                                          .pixels = s->pixels,
                                          .stride = s->stride,
                                          .number = s->number,
                                          .exact = s->exact,
                                          .captured_at = s->captured_at,
                                          .damage_count = s->damage_count};
    memcpy(picture->damage, s->damage, s->damage_count * sizeof *s->damage);
    s->fresh = false;
    s->damage_count = 0;
    return true;
}

void tdm_share_watch_unlock(struct tdm_share_watch *w)
{
    pthread_mutex_unlock(&w->lock);
}

bool tdm_share_watch_cursor(struct tdm_share_watch *w, struct tdm_share_pointer *pointer,
                            uint8_t pixels[TDM_SHARE_SHAPE_BYTES])
{
    pthread_mutex_lock(&w->lock);
    bool news = w->pointer_news;
    uint32_t slot = w->pointer.shape % TDM_SCREEN_CURSOR_SLOTS;

    w->pointer_news = false;
    *pointer = (struct tdm_share_pointer){.at = w->pointer, .number = w->shapes[slot].number};
    if (w->shapes[slot].number) {
        pointer->shape = w->shapes[slot].cursor;
        memcpy(pixels, w->shapes[slot].pixels,
               (size_t)pointer->shape.width * pointer->shape.height * 4);
        pointer->shape.pixels = pixels;
    }
    pthread_mutex_unlock(&w->lock);
    return news;
}

void tdm_share_watch_figures(struct tdm_share_watch *w, struct tdm_share_watch_figures *figures)
{
    uint64_t pixels = 0, exact = 0;

    pthread_mutex_lock(&w->lock);
    *figures = w->figures;
    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++) {
        uint64_t area =
            w->shown[i].used ? (uint64_t)w->shown[i].surface.width * w->shown[i].surface.height : 0;

        pixels += area;
        exact += w->shown[i].exact ? area : 0;
    }
    pthread_mutex_unlock(&w->lock);
    figures->exact_share = pixels ? (double)exact / (double)pixels : 0;
}
