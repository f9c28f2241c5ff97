/* SPDX-License-Identifier: MIT */

/*
 * A window through SDL2: the other side's picture with its aspect kept, the own picture in the
 * lower right corner, an overlay of text in the lower left one (the top edge stays free for the
 * time code).
 *
 * One thread owns everything of SDL. It sleeps on an eventfd and the X connection, so a picture is
 * presented at once: no polling, no waiting for a refresh. Without a GPU the software renderer
 * draws through shared memory, and SDL_RenderPresent returns when the X server has taken the
 * pixels (it ends in XSync); with one, when the frame was handed to the driver.
 *
 * SDL's state belongs to the process, so there is one window at a time; a second is refused.
 */

#include "engine/base/rt.h"
#include "engine/io/clock.h"
#include "engine/io/environment.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"
#include "render/overlay.h"
#include "render/picture_slot.h"
#include "render/registry.h"
#include "render/x_errors.h"

#include <SDL.h>
#include <SDL_syswm.h>
#include <X11/Xlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIXELS_MAX      (4096u * 2304u)
#define SELF_WIDTH      320
#define SELF_PIXELS_MAX (640u * 640u)
#define MARGIN          12
#define SELF_WAIT       (100 * TDM_MS)
#define OVERLAY_BYTES   2048
#define POLL_PERIOD     (10 * TDM_MS) /* Only with a driver that has no fd to wait on (dummy). */
#define TITLE           "Tandem"

/* A texture and what was last uploaded to it. */
struct layer {
    SDL_Texture *texture;
    int width, height;
};

struct tdm_video_sink {
    /* Shared: each slot has one producer; the atomics are requests. */
    struct tdm_picture_slot slot, self_slot;
    struct tdm_mailbox overlay_mailbox;
    char overlay_texts[TDM_MAILBOX_SLOTS][OVERLAY_BYTES];
    atomic_bool stop, fullscreen;
    int wake_fd;

    /* Set before the thread starts. */
    struct tdm_video_sink_events events;
    char title[80];
    int first_width, first_height;
    pthread_t thread;

    /* The result of opening: written by the thread, `opened` last, before it signals `opened_fd`.
     */
    int opened_fd;
    _Atomic enum tdm_err opened;
    struct tdm_cause opened_cause;

    /* The window thread's own. */
    SDL_Window *window;
    SDL_Renderer *renderer;
    Display *display; /* NULL with another driver than X11. */
    struct layer main, self, overlay;
    const struct tdm_picture *pic;
    tdm_time drawn_at;
    bool is_fullscreen, dirty, lost;
};

/* Called by libX11 in the place of exit() when the X server goes away. */
static void on_display_lost(Display *display, void *arg)
{
    struct tdm_video_sink *s = arg;

    (void)display;
    if (s)
        s->lost = true;
}

static enum tdm_err check_display(struct tdm_cause *cause)
{
    const char *driver = tdm_environment("SDL_VIDEODRIVER");
    const char *display = tdm_environment("DISPLAY");

    if (SDL_WasInit(SDL_INIT_VIDEO))
        return tdm_fail(cause, TDM_E_UNSUPPORTED,
                        "this program has a window already: close it, or use --sink off");
    if (!driver && (!display || !*display))
        return tdm_fail(cause, TDM_E_GONE, "no display: set DISPLAY, or use --sink off");
    return TDM_OK;
}

static bool has_gpu(void)
{
    return !access("/dev/dri/renderD128", R_OK | W_OK);
}

static void set_hints(void)
{
    if (!tdm_environment("SDL_VIDEODRIVER"))
        (void)SDL_SetHint(SDL_HINT_VIDEODRIVER, "x11");
    (void)SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    (void)SDL_SetHint(SDL_HINT_RENDER_VSYNC, "0");
    (void)SDL_SetHint(SDL_HINT_RENDER_SCALE_QUALITY, "linear");
    if (!has_gpu())
        (void)SDL_SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");
}

static void find_connection(struct tdm_video_sink *s)
{
    SDL_SysWMinfo info;

    SDL_VERSION(&info.version);
    if (!SDL_GetWindowWMInfo(s->window, &info) || info.subsystem != SDL_SYSWM_X11)
        return;
    s->display = info.info.x11.display;
    tdm_x_errors_catch(s->display, on_display_lost, s);
}

static enum tdm_err open_window(struct tdm_video_sink *s, struct tdm_cause *cause)
{
    set_hints();
    if (SDL_InitSubSystem(SDL_INIT_VIDEO)) {
        const char *name = tdm_environment("DISPLAY");

        return tdm_fail(cause, TDM_E_GONE,
                        "cannot open display \"%.60s\": check DISPLAY, or use --sink off",
                        name ? name : "");
    }
    s->window = SDL_CreateWindow(s->title, SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED,
                                 s->first_width, s->first_height, SDL_WINDOW_RESIZABLE);
    if (!s->window)
        return tdm_fail(cause, TDM_E_SYSTEM, "cannot open a window: %.120s", SDL_GetError());
    find_connection(s);
    if (has_gpu())
        s->renderer = SDL_CreateRenderer(s->window, -1, SDL_RENDERER_ACCELERATED);
    if (!s->renderer)
        s->renderer = SDL_CreateRenderer(s->window, -1, SDL_RENDERER_SOFTWARE);
    if (!s->renderer)
        return tdm_fail(cause, TDM_E_SYSTEM, "cannot draw in a window: %.120s", SDL_GetError());
    return TDM_OK;
}

static void close_window(struct tdm_video_sink *s)
{
    if (s->lost) {
        /* Closing a dead connection ends the process: SDL's second one has no handler of ours. So
         * SDL's state stays, and this process opens no further window. */
        XSetIOErrorExitHandler(s->display, on_display_lost, NULL);
        return;
    }
    struct layer *layers[] = {&s->main, &s->self, &s->overlay};

    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        if (layers[i]->texture)
            SDL_DestroyTexture(layers[i]->texture);
    if (s->renderer)
        SDL_DestroyRenderer(s->renderer);
    if (s->window)
        SDL_DestroyWindow(s->window);
    if (SDL_WasInit(SDL_INIT_VIDEO))
        SDL_QuitSubSystem(SDL_INIT_VIDEO);
}

/* Makes the layer's texture fit, and says whether it is there. */
static bool fit_layer(struct tdm_video_sink *s, struct layer *layer, uint32_t format, int width,
                      int height)
{
    if (layer->texture && layer->width == width && layer->height == height)
        return true;
    if (layer->texture)
        SDL_DestroyTexture(layer->texture);
    layer->texture =
        SDL_CreateTexture(s->renderer, format, SDL_TEXTUREACCESS_STREAMING, width, height);
    layer->width = width;
    layer->height = height;
    return layer->texture;
}

static void upload(struct tdm_video_sink *s, struct layer *layer, const struct tdm_picture *pic)
{
    if (fit_layer(s, layer, SDL_PIXELFORMAT_IYUV, pic->width, pic->height))
        (void)SDL_UpdateYUVTexture(layer->texture, NULL, pic->planes[0], pic->strides[0],
                                   pic->planes[1], pic->strides[1], pic->planes[2],
                                   pic->strides[2]);
    s->dirty = true;
}

static void upload_overlay(struct tdm_video_sink *s, const char *text)
{
    int width = 0, height = 0;

    s->dirty = true;
    if (s->overlay.texture)
        SDL_DestroyTexture(s->overlay.texture);
    s->overlay = (struct layer){0};
    SDL_GetWindowSize(s->window, &width, &height);
    cairo_surface_t *image =
        *text ? tdm_overlay_draw(text, width - 2 * MARGIN, height - 2 * MARGIN) : NULL;

    if (!image)
        return;
    if (fit_layer(s, &s->overlay, SDL_PIXELFORMAT_ARGB8888, cairo_image_surface_get_width(image),
                  cairo_image_surface_get_height(image))) {
        (void)SDL_SetTextureBlendMode(s->overlay.texture, SDL_BLENDMODE_BLEND);
        (void)SDL_UpdateTexture(s->overlay.texture, NULL, cairo_image_surface_get_data(image),
                                cairo_image_surface_get_stride(image));
    }
    cairo_surface_destroy(image);
}

/* The largest rectangle of the layer's aspect in the window, centred. */
static SDL_Rect place_main(const struct layer *layer, int width, int height)
{
    SDL_Rect at = {0, 0, width, height};

    if ((int64_t)layer->width * height > (int64_t)layer->height * width)
        at.h = (int)((int64_t)layer->height * width / layer->width);
    else
        at.w = (int)((int64_t)layer->width * height / layer->height);
    at.x = (width - at.w) / 2;
    at.y = (height - at.h) / 2;
    return at;
}

static void draw(struct tdm_video_sink *s)
{
    int width = 0, height = 0;

    s->dirty = false;
    (void)SDL_GetRendererOutputSize(s->renderer, &width, &height);
    if (width < 1 || height < 1)
        return;
    (void)SDL_SetRenderDrawColor(s->renderer, 0, 0, 0, 255);
    (void)SDL_RenderClear(s->renderer);
    if (s->main.texture) {
        SDL_Rect at = place_main(&s->main, width, height);

        (void)SDL_RenderCopy(s->renderer, s->main.texture, NULL, &at);
    }
    if (s->self.texture) {
        /* At its own size, for that is cheap; smaller only in a small window. */
        bool small = s->self.width * 3 > width;
        int w = small ? width / 4 : s->self.width;
        int h = small ? w * s->self.height / s->self.width : s->self.height;
        SDL_Rect at = {width - MARGIN - w, height - MARGIN - h, w, h};
        SDL_Rect frame = {at.x - 1, at.y - 1, at.w + 2, at.h + 2};

        (void)SDL_SetRenderDrawColor(s->renderer, 220, 220, 220, 255);
        (void)SDL_RenderFillRect(s->renderer, &frame);
        (void)SDL_RenderCopy(s->renderer, s->self.texture, NULL, &at);
    }
    if (s->overlay.texture) {
        SDL_Rect at = {MARGIN, height - MARGIN - s->overlay.height, s->overlay.width,
                       s->overlay.height};

        (void)SDL_RenderCopy(s->renderer, s->overlay.texture, NULL, &at);
    }
    SDL_RenderPresent(s->renderer);
    s->drawn_at = tdm_clock_now();
}

static void tell_key(struct tdm_video_sink *s, int key)
{
    if (s->events.key)
        s->events.key(s->events.arg, key);
}

static void handle(struct tdm_video_sink *s, const SDL_Event *event)
{
    switch (event->type) {
    case SDL_TEXTINPUT:
        if (event->text.text[0] >= ' ' && event->text.text[0] <= '~' && !event->text.text[1])
            tell_key(s, event->text.text[0]);
        break;
    case SDL_KEYDOWN:
        if (event->key.repeat)
            break;
        if (event->key.keysym.sym == SDLK_ESCAPE)
            tell_key(s, TDM_KEY_ESCAPE);
        if (event->key.keysym.sym == SDLK_RETURN || event->key.keysym.sym == SDLK_KP_ENTER)
            tell_key(s, TDM_KEY_ENTER);
        if (event->key.keysym.sym == SDLK_F11)
            tell_key(s, TDM_KEY_F11);
        break;
    case SDL_WINDOWEVENT:
        if (event->window.event == SDL_WINDOWEVENT_CLOSE && s->events.closed)
            s->events.closed(s->events.arg);
        s->dirty = true; /* Exposed, resized: whatever it was, draw again. */
        break;
    default:
        break;
    }
}

static bool next_event(SDL_Event *event)
{
    tdm_rt_foreign_enter();
    bool found = SDL_PollEvent(event);

    tdm_rt_foreign_leave();
    return found;
}

static void handle_events(struct tdm_video_sink *s)
{
    SDL_Event event;

    while (!s->lost && next_event(&event))
        handle(s, &event);
}

/* Takes everything new, draws when something changed, closes the trace of a new picture. */
static void refresh(struct tdm_video_sink *s)
{
    struct tdm_frame_trace trace, self_trace;
    bool fullscreen = atomic_load_explicit(&s->fullscreen, memory_order_relaxed);
    const struct tdm_picture *pic = tdm_picture_slot_take(&s->slot, &trace);
    const struct tdm_picture *self = tdm_picture_slot_take(&s->self_slot, &self_trace);
    uint8_t text;

    tdm_rt_foreign_enter();
    if (fullscreen != s->is_fullscreen) {
        (void)SDL_SetWindowFullscreen(s->window, fullscreen ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0);
        s->is_fullscreen = fullscreen;
        s->dirty = true;
    }
    if (pic)
        upload(s, &s->main, pic);
    if (self) {
        bool was_dirty = s->dirty;

        upload(s, &s->self, self);
        /* While pictures flow the own one waits for the next, so that none waits behind it. */
        s->dirty = was_dirty || tdm_clock_now() - s->drawn_at > SELF_WAIT;
    }
    if (tdm_mailbox_take(&s->overlay_mailbox, &text))
        upload_overlay(s, s->overlay_texts[text]);
    if (s->dirty)
        draw(s);
    tdm_rt_foreign_leave();
    if (pic && s->events.presented && !s->lost) {
        trace.at[TDM_STAGE_PRESENTED] = tdm_clock_now();
        s->events.presented(s->events.arg, &trace, pic);
    }
}

static void wait_for_work(struct tdm_video_sink *s)
{
    if (s->lost)
        (void)tdm_wait_until(TDM_NEVER, s->wake_fd, -1);
    else if (s->display)
        (void)tdm_wait_until(TDM_NEVER, s->wake_fd, ConnectionNumber(s->display));
    else
        (void)tdm_wait_until(tdm_clock_now() + POLL_PERIOD, s->wake_fd, -1);
    tdm_wake_clear(s->wake_fd);
}

static void *run(void *arg)
{
    struct tdm_video_sink *s = arg;
    bool told = false;

    enum tdm_err opened = open_window(s, &s->opened_cause);
    bool failed = opened;

    if (failed)
        close_window(s);
    atomic_store_explicit(&s->opened, opened, memory_order_release);
    tdm_wake_signal(s->opened_fd); /* From here on `opened` is the creator's. */
    if (failed)
        return NULL;
    s->dirty = true;
    (void)tdm_x_errors_take(TDM_X_WINDOW_GONE);
    tdm_rt_enter();
    while (!atomic_load_explicit(&s->stop, memory_order_acquire)) {
        if (!s->lost) {
            handle_events(s);
            refresh(s);
            /* Presenting reads events into Xlib's queue, where the fd does not show them. */
            handle_events(s);
        }
        /* Destroyed by somebody else is as good as closed. */
        s->lost |= tdm_x_errors_take(TDM_X_WINDOW_GONE) != 0;
        if (s->lost && !told && s->events.closed)
            s->events.closed(s->events.arg);
        told = s->lost;
        if (!s->dirty || s->lost)
            wait_for_work(s);
    }
    tdm_rt_leave();
    close_window(s);
    return NULL;
}

static void release(struct tdm_video_sink *s)
{
    tdm_picture_slot_free(&s->slot);
    tdm_picture_slot_free(&s->self_slot);
    if (s->wake_fd >= 0)
        (void)close(s->wake_fd);
    if (s->opened_fd >= 0)
        (void)close(s->opened_fd);
    free(s);
}

static void destroy(struct tdm_video_sink *s)
{
    if (!s)
        return;
    atomic_store_explicit(&s->stop, true, memory_order_release);
    tdm_wake_signal(s->wake_fd);
    (void)pthread_join(s->thread, NULL);
    release(s);
}

static enum tdm_err start(struct tdm_video_sink *s, struct tdm_cause *cause)
{
    enum tdm_err err = check_display(cause);

    if (!err)
        err = tdm_picture_slot_init(&s->slot, PIXELS_MAX, cause);
    if (!err)
        err = tdm_picture_slot_init(&s->self_slot, SELF_PIXELS_MAX, cause);
    if (!err && (s->wake_fd = tdm_wake_open(cause)) < 0)
        err = TDM_E_SYSTEM;
    if (!err && (s->opened_fd = tdm_wake_open(cause)) < 0)
        err = TDM_E_SYSTEM;
    if (!err)
        err = tdm_thread_start(&s->thread, "window", TDM_PRIORITY_DECODE, run, s, NULL, cause);
    if (err)
        return err;
    (void)tdm_wait_until(TDM_NEVER, s->opened_fd, -1);
    err = atomic_load_explicit(&s->opened, memory_order_acquire);
    if (err) {
        (void)pthread_join(s->thread, NULL);
        if (cause)
            *cause = s->opened_cause;
    }
    return err;
}

static enum tdm_err create(const struct tdm_video_sink_config *config, struct tdm_video_sink **sink,
                           struct tdm_cause *cause)
{
    struct tdm_video_sink *s = calloc(1, sizeof *s);

    if (!s)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the window");
    s->wake_fd = s->opened_fd = -1;
    s->events = config->events;
    s->first_width = config->width;
    s->first_height = config->height;
    tdm_mailbox_init(&s->overlay_mailbox);
    atomic_init(&s->stop, false);
    atomic_init(&s->fullscreen, false);
    (void)snprintf(s->title, sizeof s->title, "%s", *config->argument ? config->argument : TITLE);
    enum tdm_err err = start(s, cause);

    if (err) {
        release(s);
        return err;
    }
    *sink = s;
    return TDM_OK;
}

static void show(struct tdm_video_sink *s, const struct tdm_picture *pic,
                 const struct tdm_frame_trace *trace)
{
    if (tdm_picture_slot_put(&s->slot, pic, 1, trace))
        tdm_wake_signal(s->wake_fd);
}

static void show_self(struct tdm_video_sink *s, const struct tdm_picture *pic)
{
    int divisor = (pic->width + SELF_WIDTH - 1) / SELF_WIDTH;

    if (tdm_picture_slot_put(&s->self_slot, pic, divisor < 2 ? 2 : divisor, NULL))
        tdm_wake_signal(s->wake_fd);
}

static void set_overlay(struct tdm_video_sink *s, const char *text)
{
    uint8_t back = tdm_mailbox_back(&s->overlay_mailbox);

    (void)snprintf(s->overlay_texts[back], OVERLAY_BYTES, "%s", text);
    tdm_mailbox_publish(&s->overlay_mailbox);
    tdm_wake_signal(s->wake_fd);
}

static void set_fullscreen(struct tdm_video_sink *s, bool on)
{
    atomic_store_explicit(&s->fullscreen, on, memory_order_relaxed);
    tdm_wake_signal(s->wake_fd);
}

const struct tdm_video_sink_ops tdm_window_sink = {
    .kind = "window",
    .create = create,
    .destroy = destroy,
    .show = show,
    .show_self = show_self,
    .set_overlay = set_overlay,
    .set_fullscreen = set_fullscreen,
};
