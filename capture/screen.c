/* SPDX-License-Identifier: MIT */

/*
 * The whole X11 screen as a camera: screen, or screen:DISPLAY. XCB because its connections fail
 * with a state that can be read, where Xlib ends the process. Pixels come through shared memory
 * where the server shares our machine, else over the connection (10 times slower at 1080p).
 *
 * When a picture is taken is draw_pace.h; the DAMAGE extension tells of draws.
 */

#include "capture/draw_pace.h"
#include "capture/fit.h"
#include "capture/registry.h"
#include "engine/base/rt.h"
#include "engine/io/clock.h"
#include "engine/io/environment.h"
#include "engine/io/wake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <xcb/damage.h>
#include <xcb/shm.h>
#include <xcb/xcb.h>

#define SHM_BYTES_MAX (64u << 20)

struct tdm_video_source {
    xcb_connection_t *connection;
    xcb_window_t root;
    uint16_t screen_width, screen_height;
    xcb_shm_seg_t segment;
    uint8_t *shared; /* NULL: over the connection. */
    size_t shared_bytes;
    struct tdm_fit fit;
    struct tdm_picture pic;
    uint8_t *storage;
    xcb_damage_damage_t damage; /* 0: the server has no such extension. */
    uint8_t damage_event;
    struct tdm_draw_pace pace;
    uint32_t frame_id;
    int wake_fd;
    char display[64];
};

static void detach(struct tdm_video_source *s)
{
    if (s->shared) {
        (void)xcb_shm_detach(s->connection, s->segment);
        (void)shmdt(s->shared);
    }
    s->shared = NULL;
}

static void destroy(struct tdm_video_source *s)
{
    if (!s)
        return;
    if (s->connection) {
        detach(s);
        xcb_disconnect(s->connection);
    }
    tdm_fit_close(&s->fit);
    free(s->storage);
    free(s);
}

/* Shared memory for the screen's size; without it (a remote server) `shared` stays NULL. */
static void attach(struct tdm_video_source *s)
{
    size_t bytes = (size_t)s->screen_width * s->screen_height * 4;

    detach(s);
    if (bytes > SHM_BYTES_MAX)
        return;
    int id = shmget(IPC_PRIVATE, bytes, IPC_CREAT | 0600);

    if (id < 0)
        return;
    uint8_t *memory = shmat(id, NULL, 0);

    s->segment = xcb_generate_id(s->connection);
    xcb_generic_error_t *error = xcb_request_check(
        s->connection, xcb_shm_attach_checked(s->connection, s->segment, (uint32_t)id, 0));

    (void)shmctl(id, IPC_RMID, NULL); /* It lives until both sides let go. */
    if (error || memory == (void *)-1) {
        if (memory != (void *)-1)
            (void)shmdt(memory);
    } else {
        s->shared = memory;
        s->shared_bytes = bytes;
    }
    free(error);
}

static bool has_32_bits(const xcb_setup_t *setup, uint8_t depth)
{
    for (xcb_format_iterator_t it = xcb_setup_pixmap_formats_iterator(setup); it.rem;
         xcb_format_next(&it))
        if (it.data->depth == depth)
            return it.data->bits_per_pixel == 32 &&
                   setup->image_byte_order == XCB_IMAGE_ORDER_LSB_FIRST;
    return false;
}

static void watch_damage(struct tdm_video_source *s)
{
    const xcb_query_extension_reply_t *extension =
        xcb_get_extension_data(s->connection, &xcb_damage_id);

    if (!extension || !extension->present)
        return;
    /* The server answers nothing else of the extension before its version was asked for. */
    free(xcb_damage_query_version_reply(
        s->connection,
        xcb_damage_query_version(s->connection, XCB_DAMAGE_MAJOR_VERSION, XCB_DAMAGE_MINOR_VERSION),
        NULL));
    s->damage = xcb_generate_id(s->connection);
    s->damage_event = (uint8_t)(extension->first_event + XCB_DAMAGE_NOTIFY);
    (void)xcb_damage_create(s->connection, s->damage, s->root, XCB_DAMAGE_REPORT_LEVEL_NON_EMPTY);
    (void)xcb_flush(s->connection);
}

static enum tdm_err connect_screen(struct tdm_video_source *s, const char *display,
                                   struct tdm_cause *cause)
{
    const char *name = *display ? display : tdm_environment("DISPLAY");
    int wanted = 0;

    if (!name || !*name)
        return tdm_fail(
            cause, TDM_E_GONE,
            "no display to show: set DISPLAY, name it as screen:DISPLAY, or use --video "
            "pattern");
    (void)snprintf(s->display, sizeof s->display, "%s", name);
    s->connection = xcb_connect(name, &wanted);
    if (xcb_connection_has_error(s->connection))
        return tdm_fail(cause, TDM_E_GONE,
                        "cannot open display \"%s\": is it running, and may you use it (xauth)?",
                        s->display);
    const xcb_setup_t *setup = xcb_get_setup(s->connection);
    xcb_screen_iterator_t it = xcb_setup_roots_iterator(setup);

    while (wanted-- > 0 && it.rem)
        xcb_screen_next(&it);
    if (!it.rem)
        return tdm_fail(cause, TDM_E_GONE, "display \"%s\" has no such screen", s->display);
    if (!has_32_bits(setup, it.data->root_depth))
        return tdm_fail(cause, TDM_E_UNSUPPORTED, "display \"%s\" has %d-bit colour: 24 is needed",
                        s->display, it.data->root_depth);
    s->root = it.data->root;
    s->screen_width = it.data->width_in_pixels;
    s->screen_height = it.data->height_in_pixels;
    const xcb_query_extension_reply_t *shm = xcb_get_extension_data(s->connection, &xcb_shm_id);

    if (shm && shm->present)
        attach(s);
    watch_damage(s);
    return TDM_OK;
}

static enum tdm_err create(const struct tdm_video_source_config *config,
                           struct tdm_video_source **source, struct tdm_cause *cause)
{
    struct tdm_video_source *s = calloc(1, sizeof *s);

    assert(config->fps > 0);
    if (s)
        s->storage = malloc(tdm_picture_bytes(config->width, config->height));
    if (!s || !s->storage || !tdm_fit_open(&s->fit, config->width, config->height)) {
        destroy(s);
        return tdm_fail(cause, TDM_E_SYSTEM,
                        "no memory for the screen's pictures: use a smaller -s");
    }
    enum tdm_err err = connect_screen(s, config->argument, cause);

    if (err) {
        destroy(s);
        return err;
    }
    tdm_picture_over(&s->pic, s->storage, config->width, config->height);
    tdm_draw_pace_init(&s->pace, TDM_S / config->fps, s->damage != 0);
    s->wake_fd = config->wake_fd;
    *source = s;
    return TDM_OK;
}

static enum tdm_err fit_pixels(struct tdm_video_source *s, const uint8_t *pixels)
{
    const struct tdm_raw_picture raw = {
        .data = {pixels},
        .strides = {s->screen_width * 4},
        .width = s->screen_width,
        .height = s->screen_height,
        .format = AV_PIX_FMT_BGR0,
    };

    return tdm_fit_into(&s->fit, &raw, &s->pic);
}

static enum tdm_err grab_shared(struct tdm_video_source *s)
{
    xcb_shm_get_image_reply_t *reply = xcb_shm_get_image_reply(
        s->connection,
        xcb_shm_get_image(s->connection, s->root, 0, 0, s->screen_width, s->screen_height, ~0u,
                          XCB_IMAGE_FORMAT_Z_PIXMAP, s->segment, 0),
        NULL);
    enum tdm_err err = reply ? fit_pixels(s, s->shared) : TDM_E_AGAIN;

    free(reply);
    return err;
}

static enum tdm_err grab_connection(struct tdm_video_source *s)
{
    xcb_get_image_reply_t *reply =
        xcb_get_image_reply(s->connection,
                            xcb_get_image(s->connection, XCB_IMAGE_FORMAT_Z_PIXMAP, s->root, 0, 0,
                                          s->screen_width, s->screen_height, ~0u),
                            NULL);
    size_t needed = (size_t)s->screen_width * s->screen_height * 4;
    enum tdm_err err = TDM_E_AGAIN;

    if (reply && (size_t)xcb_get_image_data_length(reply) >= needed)
        err = fit_pixels(s, xcb_get_image_data(reply));
    free(reply);
    return err;
}

/* Follows a change of the screen's size; true when there was one. */
static bool size_changed(struct tdm_video_source *s, xcb_get_geometry_cookie_t asked)
{
    xcb_get_geometry_reply_t *reply = xcb_get_geometry_reply(s->connection, asked, NULL);
    bool changed = reply && (reply->width != s->screen_width || reply->height != s->screen_height);

    if (changed) {
        bool shared = s->shared;

        detach(s);
        s->screen_width = reply->width;
        s->screen_height = reply->height;
        if (shared)
            attach(s);
    }
    free(reply);
    return changed;
}

/* Size and pixels are asked for together: each wait for the server is a turn of its scheduler. */
static enum tdm_err grab(struct tdm_video_source *s, struct tdm_cause *cause)
{
    tdm_rt_foreign_enter();
    xcb_get_geometry_cookie_t size = xcb_get_geometry(s->connection, s->root);
    enum tdm_err err = s->shared ? grab_shared(s) : grab_connection(s);

    if (size_changed(s, size))
        err = TDM_E_AGAIN;
    bool gone = xcb_connection_has_error(s->connection);

    tdm_rt_foreign_leave();
    if (gone)
        return tdm_fail(cause, TDM_E_GONE, "display \"%s\" has closed", s->display);
    if (err == TDM_E_UNSUPPORTED)
        return tdm_fail(cause, TDM_E_GONE, "display \"%s\" has a size that cannot be converted",
                        s->display);
    return err;
}

/* Hears of draws. Each is taken note of at once, so that the next one is told, too. */
static void listen_for_draws(struct tdm_video_source *s)
{
    xcb_generic_event_t *event;

    tdm_rt_foreign_enter();
    while ((event = xcb_poll_for_event(s->connection))) {
        if ((event->response_type & 0x7f) == s->damage_event) {
            tdm_draw_pace_drawn(&s->pace, tdm_clock_now());
            (void)xcb_damage_subtract(s->connection, s->damage, XCB_NONE, XCB_NONE);
            (void)xcb_flush(s->connection);
        }
        free(event);
    }
    tdm_rt_foreign_leave();
}

static enum tdm_err next(struct tdm_video_source *s, struct tdm_picture *pic,
                         struct tdm_cause *cause)
{
    int fd = xcb_get_file_descriptor(s->connection);

    for (;;) {
        listen_for_draws(s);
        enum tdm_wait woken = tdm_wait_until(tdm_draw_pace_due(&s->pace), s->wake_fd, fd);

        if (woken == TDM_WAIT_WAKE)
            return TDM_E_AGAIN;
        if (xcb_connection_has_error(s->connection))
            return tdm_fail(cause, TDM_E_GONE, "display \"%s\" has closed", s->display);
        if (woken == TDM_WAIT_DEVICE)
            continue;
        tdm_time now = tdm_clock_now();

        tdm_draw_pace_taken(&s->pace, now);
        enum tdm_err err = grab(s, cause);

        if (err == TDM_E_AGAIN)
            continue; /* The size changed under the request: at the next period. */
        if (err)
            return err;
        s->pic.captured = now;
        s->pic.frame_id = s->frame_id++;
        *pic = s->pic;
        return TDM_OK;
    }
}

const struct tdm_video_source_ops tdm_screen_source = {
    .kind = "screen",
    .create = create,
    .destroy = destroy,
    .next = next,
};
