/* SPDX-License-Identifier: MIT */

/* The X11 desktop on a private Xvfb that the test draws on as another program would. */

#include "desktop/x11.h"

#include "desktop/registry.h"
#include "engine/base/rng.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"
#include "tests/unit/x_server.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/uio.h>
#include <xcb/xcbext.h>
#include <xcb/xtest.h>
/* After the four headers that it needs. */
#include <cmocka.h>

#define WIDTH  640
#define HEIGHT 480
#define LIMIT  (30 * TDM_S)
#define RED    0xff0000u
#define GREEN  0x00ff00u
#define BLUE   0x0000ffu

struct fixture {
    struct x_server server;
    xcb_connection_t *c; /* The other program's. */
    xcb_window_t root;
    struct tdm_desktop *desktop;
    struct tdm_desktop_out out; /* Of the last step; `told` of all since they were looked at. */
    uint32_t told;
    uint32_t frame[WIDTH * HEIGHT];
};

static const struct tdm_desktop_ops *const ops = &tdm_x11_desktop;

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    if (!f)
        return -1;
    if (!x_server_start(&f->server, "640x480x24")) {
        free(f);
        return 0; /* The tests skip. */
    }
    f->c = xcb_connect(f->server.display, NULL);
    f->root = xcb_setup_roots_iterator(xcb_get_setup(f->c)).data->root;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    if (!f)
        return 0;
    ops->close(f->desktop);
    xcb_disconnect(f->c);
    x_server_stop(&f->server);
    free(f);
    return 0;
}

static struct fixture *fixture_of(void **state)
{
    if (!*state) {
        skip(); /* There is no Xvfb. */
        abort();
    }
    return *state;
}

static void open_it(struct fixture *f, struct tdm_desktop_config config)
{
    struct tdm_cause cause = {""};

    config.argument = f->server.display;
    assert_int_equal(ops->open(&config, &f->desktop, &cause), TDM_OK);
}

static void sync_with_server(struct fixture *f)
{
    free(xcb_get_input_focus_reply(f->c, xcb_get_input_focus(f->c), NULL));
}

static void fill(struct fixture *f, xcb_drawable_t on, struct tdm_rect r, uint32_t colour)
{
    xcb_gcontext_t gc = xcb_generate_id(f->c);
    const uint32_t values[] = {colour, XCB_SUBWINDOW_MODE_INCLUDE_INFERIORS};
    const xcb_rectangle_t rect = {(int16_t)r.x, (int16_t)r.y, (uint16_t)r.width,
                                  (uint16_t)r.height};

    xcb_create_gc(f->c, gc, on, XCB_GC_FOREGROUND | XCB_GC_SUBWINDOW_MODE, values);
    xcb_poly_fill_rectangle(f->c, on, gc, 1, &rect);
    xcb_free_gc(f->c, gc);
    sync_with_server(f);
}

static void set_text(struct fixture *f, xcb_window_t window, xcb_atom_t name, const char *text,
                     size_t size)
{
    xcb_change_property(f->c, XCB_PROP_MODE_REPLACE, window, name, XCB_ATOM_STRING, 8,
                        (uint32_t)size, text);
}

/* A mapped window of one colour. `class` NULL: without one, as menus are. */
static xcb_window_t add_window(struct fixture *f, xcb_connection_t *c, struct tdm_rect r,
                               uint32_t colour, const char *class)
{
    xcb_window_t window = xcb_generate_id(c);
    const uint32_t values[] = {colour, class == NULL};
    xcb_connection_t *own = f->c;

    xcb_create_window(c, XCB_COPY_FROM_PARENT, window, f->root, (int16_t)r.x, (int16_t)r.y,
                      (uint16_t)r.width, (uint16_t)r.height, 0, XCB_WINDOW_CLASS_INPUT_OUTPUT,
                      XCB_COPY_FROM_PARENT, XCB_CW_BACK_PIXEL | XCB_CW_OVERRIDE_REDIRECT, values);
    f->c = c;
    if (class) {
        char both[64];
        size_t size = (size_t)snprintf(both, sizeof both, "%s%c%s", class, 0, class) + 1;

        set_text(f, window, XCB_ATOM_WM_CLASS, both, size);
        set_text(f, window, XCB_ATOM_WM_NAME, class, strlen(class));
    }
    xcb_map_window(c, window);
    sync_with_server(f);
    f->c = own;
    return window;
}

static void move_window(xcb_connection_t *c, xcb_window_t window, int x, int y)
{
    const uint32_t place[] = {(uint32_t)x, (uint32_t)y};

    xcb_configure_window(c, window, XCB_CONFIG_WINDOW_X | XCB_CONFIG_WINDOW_Y, place);
}

static const struct tdm_desktop_surface *surface_of(struct fixture *f, size_t index)
{
    const struct tdm_desktop_surface *surfaces;
    size_t count = ops->surfaces(f->desktop, &surfaces);

    return index < count ? &surfaces[index] : NULL;
}

static struct tdm_rect area_of(struct fixture *f)
{
    const struct tdm_desktop_surface *surface = surface_of(f, 0);

    return surface ? surface->area : (struct tdm_rect){0, 0, 0, 0};
}

static uint32_t generation_of(struct fixture *f)
{
    const struct tdm_desktop_surface *surface = surface_of(f, 0);

    return surface ? surface->generation : 0;
}

static enum tdm_err step(struct fixture *f)
{
    struct tdm_cause cause;
    enum tdm_err err = ops->step(f->desktop, tdm_clock_now(), &f->out, &cause);

    f->told |= f->out.told;
    return err;
}

/* Steps, and keeps the frame of the first surface up to date by what is told as dirty. */
static void follow(struct fixture *f)
{
    assert_int_equal(step(f), TDM_OK);
    const struct tdm_desktop_surface *surface = surface_of(f, 0);

    for (size_t i = 0; surface && i < f->out.dirty_count; i++) {
        struct tdm_rect rect = f->out.dirty[i].rect;
        enum tdm_err err;

        if (f->out.dirty[i].surface != surface->id)
            continue;
        err = ops->grab(f->desktop, surface, rect, (uint8_t *)f->frame, WIDTH * 4, NULL);
        assert_true(err == TDM_OK || err == TDM_E_AGAIN);
    }
}

static bool is_waiting(struct fixture *f)
{
    return tdm_wait_until(0, -1, ops->fd(f->desktop)) != TDM_WAIT_TIME;
}

/* Until nothing more is told. */
static void settle(struct fixture *f)
{
    sync_with_server(f);
    do
        follow(f);
    while (is_waiting(f) || f->out.dirty_count > 0);
}

/* Waits as a caller does, until `wanted` holds. */
static void follow_until(struct fixture *f, bool (*wanted)(struct fixture *f))
{
    tdm_time limit = tdm_clock_now() + LIMIT;

    while (!wanted(f)) {
        assert_true(tdm_clock_now() < limit);
        (void)tdm_wait_until(tdm_time_min(f->out.wake_at, limit), -1, ops->fd(f->desktop));
        follow(f);
    }
}

static bool frame_is_the_screen(struct fixture *f)
{
    xcb_get_image_reply_t *reply = xcb_get_image_reply(
        f->c, xcb_get_image(f->c, XCB_IMAGE_FORMAT_Z_PIXMAP, f->root, 0, 0, WIDTH, HEIGHT, ~0u),
        NULL);
    const uint32_t *pixels = (const uint32_t *)(const void *)xcb_get_image_data(reply);
    size_t same = 0;

    while (same < WIDTH * HEIGHT && f->frame[same] == (pixels[same] & 0xffffff))
        same++;
    free(reply);
    return same == WIDTH * HEIGHT;
}

static uint32_t pixel(const struct fixture *f, int x, int y)
{
    return f->frame[y * WIDTH + x];
}

/* Everything is drawn on and moved about; only what is told is taken. */
static void check_exact(struct fixture *f, bool distrust)
{
    struct tdm_rng rng = tdm_rng_of(distrust);

    open_it(f, (struct tdm_desktop_config){.distrust_hints = distrust});
    memset(f->frame, 0x55, sizeof f->frame); /* The fourth bytes, too, are written. */
    settle(f);
    assert_true(f->told & TDM_DESKTOP_TOLD_SURFACES);
    assert_int_equal(area_of(f).width, WIDTH);
    assert_true(frame_is_the_screen(f));
    for (int i = 0; i < 30; i++) {
        struct tdm_rect r = {(int)tdm_rng_below(&rng, 600), (int)tdm_rng_below(&rng, 440),
                             1 + (int)tdm_rng_below(&rng, 40), 1 + (int)tdm_rng_below(&rng, 40)};

        fill(f, f->root, r, tdm_rng_u32(&rng) & 0xffffff);
        if (i % 5 == 0)
            continue; /* Several at once. */
        if (distrust) {
            follow_until(f, frame_is_the_screen);
        } else {
            settle(f);
            assert_true(frame_is_the_screen(f));
        }
        if (distrust && i > 3)
            break;
    }
    assert_int_equal(f->out.hints, !distrust);
}

static void what_is_told_is_exact(void **state)
{
    check_exact(fixture_of(state), false);
}

static void so_it_is_without_hints(void **state)
{
    check_exact(fixture_of(state), true);
}

static bool sees_red(struct fixture *f)
{
    return pixel(f, 100, 100) == RED;
}

static bool distrusts(struct fixture *f)
{
    return !f->out.hints;
}

/* The server stops to tell: as a driver does that draws past it. */
static void a_server_that_lies_is_found_out(void **state)
{
    struct fixture *f = fixture_of(state);

    open_it(f, (struct tdm_desktop_config){0});
    settle(f);
    assert_true(f->out.hints);
    free(xcb_damage_query_version_reply(f->c, xcb_damage_query_version(f->c, 1, 1), NULL));
    xcb_damage_destroy(f->c, f->desktop->link.damage);
    sync_with_server(f);
    /* Strips have to be looked at once before a change in them can be seen. */
    while (f->desktop->look.first_round) {
        (void)tdm_wait_until(f->out.wake_at, -1, -1);
        follow(f);
    }
    fill(f, f->root, (struct tdm_rect){90, 90, 20, 20}, RED);
    follow_until(f, sees_red);
    follow_until(f, distrusts);
    fill(f, f->root, (struct tdm_rect){90, 90, 20, 20}, GREEN);
    fill(f, f->root, (struct tdm_rect){90, 90, 20, 20}, RED);
    follow_until(f, sees_red);
    settle(f);
    assert_true(frame_is_the_screen(f));
}

static void windows_on_the_list_are_grey_with_what_belongs_to_them(void **state)
{
    struct fixture *f = fixture_of(state);
    const struct tdm_desktop_rule rule = {.class_part = "keepass"};
    xcb_connection_t *other = xcb_connect(f->server.display, NULL);

    open_it(f, (struct tdm_desktop_config){.never = &rule, .never_count = 1});
    settle(f);
    xcb_window_t secret =
        add_window(f, f->c, (struct tdm_rect){50, 50, 200, 100}, RED, "KeePassXC");
    (void)add_window(f, other, (struct tdm_rect){200, 100, 100, 100}, GREEN, "editor");
    (void)add_window(f, f->c, (struct tdm_rect){400, 300, 50, 50}, RED, NULL); /* Its tooltip. */
    settle(f);
    assert_int_equal(pixel(f, 60, 60), TDM_DESKTOP_GREY);
    assert_int_equal(pixel(f, 199, 149), TDM_DESKTOP_GREY);
    assert_int_equal(pixel(f, 210, 110), GREEN); /* Above it. */
    assert_int_equal(pixel(f, 420, 320), TDM_DESKTOP_GREY);
    assert_int_equal(pixel(f, 40, 40), 0);

    const struct tdm_desktop_window *windows;
    size_t count = ops->windows(f->desktop, &windows);

    assert_int_equal(count, 2);
    assert_string_equal(windows[0].title, "editor");
    assert_int_equal(windows[1].id, secret);
    assert_true(windows[1].never && !windows[0].never);

    assert_int_equal(ops->never(f->desktop, NULL, 0, NULL), TDM_OK);
    settle(f);
    assert_true(frame_is_the_screen(f));
    const struct tdm_desktop_rule by_title = {.title_part = "Bank"};

    assert_int_equal(ops->never(f->desktop, &by_title, 1, NULL), TDM_OK);
    settle(f);
    assert_true(frame_is_the_screen(f));
    set_text(f, secret, XCB_ATOM_WM_NAME, "My bank", 7);
    settle(f);
    assert_int_equal(pixel(f, 60, 60), TDM_DESKTOP_GREY);
    xcb_disconnect(other);
}

struct mover {
    xcb_connection_t *c;
    xcb_window_t window;
    atomic_bool stop;
};

static void *move_about(void *arg)
{
    struct mover *m = arg;

    for (int i = 0; !atomic_load(&m->stop); i++) {
        move_window(m->c, m->window, i * 37 % 500, i * 23 % 400);
        if (i % 7 == 0) {
            xcb_unmap_window(m->c, m->window);
            xcb_map_window(m->c, m->window);
        }
        free(xcb_get_input_focus_reply(m->c, xcb_get_input_focus(m->c), NULL));
    }
    return NULL;
}

static void not_one_pixel_of_it_gets_out_while_it_moves(void **state)
{
    struct fixture *f = fixture_of(state);
    const struct tdm_desktop_rule rule = {.class_part = "secret"};
    struct mover mover = {.c = xcb_connect(f->server.display, NULL)};
    pthread_t thread;

    mover.window = add_window(f, mover.c, (struct tdm_rect){0, 0, 100, 60}, RED, "secret");
    open_it(f, (struct tdm_desktop_config){.never = &rule, .never_count = 1});
    assert_int_equal(pthread_create(&thread, NULL, move_about, &mover), 0);
    for (int i = 0; i < 300; i++) {
        const struct tdm_rect all = {0, 0, WIDTH, HEIGHT};

        assert_int_equal(step(f), TDM_OK);
        for (int again = 0; again < 3; again++) {
            assert_int_equal(
                ops->grab(f->desktop, surface_of(f, 0), all, (uint8_t *)f->frame, WIDTH * 4, NULL),
                TDM_OK);
            for (size_t p = 0; p < WIDTH * HEIGHT; p++)
                if (f->frame[p] == RED)
                    fail_msg("a secret pixel in picture %d", i);
        }
    }
    atomic_store(&mover.stop, true);
    (void)pthread_join(thread, NULL);
    settle(f);
    xcb_disconnect(mover.c);
}

static void one_window_is_followed_until_it_closes(void **state)
{
    struct fixture *f = fixture_of(state);
    xcb_connection_t *other = xcb_connect(f->server.display, NULL);
    xcb_window_t shown = add_window(f, f->c, (struct tdm_rect){50, 50, 200, 100}, RED, "shown");
    struct tdm_desktop_config config = {.pick = {.what = TDM_DESKTOP_WINDOW, .window = shown}};

    open_it(f, config);
    settle(f);
    assert_int_equal(area_of(f).width, 200);
    uint32_t generation = generation_of(f);

    assert_non_null(surface_of(f, 0));
    assert_string_equal(surface_of(f, 0)->name, "shown");
    assert_int_equal(pixel(f, 0, 0), RED);
    xcb_window_t cover = add_window(f, other, (struct tdm_rect){0, 0, 100, 100}, BLUE, "cover");

    (void)add_window(f, f->c, (struct tdm_rect){60, 60, 20, 20}, GREEN, NULL); /* Its menu. */
    settle(f);
    assert_int_equal(pixel(f, 0, 0), TDM_DESKTOP_GREY);
    assert_int_equal(pixel(f, 15, 15), GREEN);
    assert_int_equal(pixel(f, 60, 60), RED);

    move_window(f->c, shown, 300, 200); /* Out of the cover. */
    settle(f);
    assert_int_equal(area_of(f).x, 300);
    assert_int_equal(generation_of(f), generation);
    assert_int_equal(pixel(f, 0, 0), RED);
    const uint32_t sides[] = {220, 90};

    xcb_configure_window(f->c, shown, XCB_CONFIG_WINDOW_WIDTH | XCB_CONFIG_WINDOW_HEIGHT, sides);
    move_window(f->c, shown, 500, 200); /* Over the edge. */
    settle(f);
    assert_int_equal(area_of(f).width, 220);
    assert_true(generation_of(f) != generation);
    assert_int_equal(pixel(f, 139, 10), RED);
    assert_int_equal(pixel(f, 141, 10), TDM_DESKTOP_GREY);

    xcb_unmap_window(f->c, shown);
    settle(f);
    assert_int_equal(f->out.state, TDM_DESKTOP_HIDDEN);
    assert_int_equal(pixel(f, 10, 10), TDM_DESKTOP_GREY);
    xcb_map_window(f->c, shown);
    settle(f);
    assert_int_equal(f->out.state, TDM_DESKTOP_SHOWN);
    assert_int_equal(pixel(f, 10, 10), RED);

    f->told = 0;
    xcb_destroy_window(f->c, shown);
    settle(f);
    assert_int_equal(f->out.state, TDM_DESKTOP_NOTHING);
    assert_true(f->told & TDM_DESKTOP_TOLD_STATE && f->told & TDM_DESKTOP_TOLD_SURFACES);
    assert_null(surface_of(f, 0));
    struct tdm_cause cause;

    assert_int_equal(ops->select(f->desktop, &config.pick, &cause), TDM_E_GONE);
    assert_non_null(strstr(cause.text, "may have closed"));
    config.pick.window = cover;
    assert_int_equal(ops->select(f->desktop, &config.pick, &cause), TDM_OK);
    settle(f);
    assert_int_equal(pixel(f, 0, 0), BLUE);
    xcb_disconnect(other);
}

static void a_rectangle_is_a_surface_of_its_own(void **state)
{
    struct fixture *f = fixture_of(state);
    struct tdm_desktop_config config = {
        .pick = {.what = TDM_DESKTOP_RECT, .rect = {600, 100, 100, 50}}};
    struct tdm_cause cause;

    open_it(f, config);
    settle(f);
    assert_true(tdm_rect_equal(area_of(f), (struct tdm_rect){600, 100, 40, 50}));
    fill(f, f->root, (struct tdm_rect){610, 110, 5, 5}, GREEN);
    settle(f);
    assert_int_equal(pixel(f, 10, 10), GREEN);
    assert_int_equal(pixel(f, 9, 10), 0);
    fill(f, f->root, (struct tdm_rect){10, 10, 5, 5}, GREEN);
    follow(f);
    assert_int_equal(f->out.dirty_count, 0);
    config.pick.rect.x = 700;
    assert_int_equal(ops->select(f->desktop, &config.pick, &cause), TDM_E_GONE);
    assert_non_null(strstr(cause.text, "outside"));
    assert_int_equal(area_of(f).x, 600);
}

/* RRSetMonitor by hand: the function of libxcb-randr 1.15 counts its bytes wrongly. */
static void set_monitor(struct fixture *f, const char *name, struct tdm_rect r, bool there)
{
    struct {
        uint8_t major, minor;
        uint16_t length;
        uint32_t window;
        xcb_randr_monitor_info_t info;
    } m = {.minor = XCB_RANDR_SET_MONITOR,
           .window = f->root,
           .info = {.x = (int16_t)r.x,
                    .y = (int16_t)r.y,
                    .width = (uint16_t)r.width,
                    .height = (uint16_t)r.height,
                    .width_in_millimeters = 100,
                    .height_in_millimeters = 100}};
    static const xcb_protocol_request_t request = {
        .count = 1, .ext = &xcb_randr_id, .opcode = XCB_RANDR_SET_MONITOR, .isvoid = 1};
    struct iovec parts[3] = {[2] = {.iov_base = &m, .iov_len = sizeof m}};
    xcb_intern_atom_reply_t *atom =
        xcb_intern_atom_reply(f->c, xcb_intern_atom(f->c, 0, (uint16_t)strlen(name), name), NULL);

    m.info.name = atom->atom;
    free(atom);
    free(xcb_randr_query_version_reply(f->c, xcb_randr_query_version(f->c, 1, 5), NULL));
    if (there)
        (void)xcb_send_request(f->c, 0, parts + 2, &request);
    else
        (void)xcb_randr_delete_monitor(f->c, f->root, m.info.name);
    sync_with_server(f);
}

static void monitors_come_and_go(void **state)
{
    struct fixture *f = fixture_of(state);
    struct tdm_desktop_config config = {.pick = {.what = TDM_DESKTOP_ALL}};

    open_it(f, config);
    settle(f);
    set_monitor(f, "LEFT", (struct tdm_rect){0, 0, 320, 480}, true);
    set_monitor(f, "RIGHT", (struct tdm_rect){320, 0, 320, 400}, true);
    f->told = 0;
    settle(f);
    const struct tdm_desktop_surface *surfaces;
    size_t count = ops->surfaces(f->desktop, &surfaces);
    struct tdm_desktop_surface right = {.id = 0}, left = {.id = 0};

    assert_true(f->told & TDM_DESKTOP_TOLD_SURFACES);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(surfaces[i].name, "RIGHT") == 0)
            right = surfaces[i];
        if (strcmp(surfaces[i].name, "LEFT") == 0)
            left = surfaces[i];
    }
    assert_true(right.id != 0 && left.id != 0 && right.id != left.id);
    fill(f, f->root, (struct tdm_rect){330, 20, 4, 4}, GREEN);
    (void)tdm_wait_until(tdm_clock_now() + LIMIT, -1, ops->fd(f->desktop));
    follow(f);
    bool told = false;

    for (size_t i = 0; i < f->out.dirty_count; i++)
        told = told || (f->out.dirty[i].surface == right.id && f->out.dirty[i].rect.x == 10);
    assert_true(told);

    set_monitor(f, "RIGHT", right.area, false);
    settle(f);
    assert_int_equal(ops->surfaces(f->desktop, &surfaces), count - 1);
    assert_int_equal(ops->grab(f->desktop, &right, (struct tdm_rect){0, 0, 1, 1},
                               (uint8_t *)f->frame, WIDTH * 4, NULL),
                     TDM_E_AGAIN);
    set_monitor(f, "RIGHT", (struct tdm_rect){320, 0, 320, 480}, true);
    settle(f);
    (void)ops->surfaces(f->desktop, &surfaces);
    bool back = false;

    for (size_t i = 0; i < count; i++)
        back = back || (surfaces[i].id == right.id && strcmp(surfaces[i].name, "RIGHT") == 0 &&
                        surfaces[i].generation > right.generation);
    assert_true(back);
}

static void the_pointer_is_told_apart(void **state)
{
    struct fixture *f = fixture_of(state);
    struct tdm_desktop_cursor first, second;
    struct tdm_desktop_pointer pointer;

    open_it(f, (struct tdm_desktop_config){0});
    settle(f);
    assert_true(f->told & TDM_DESKTOP_TOLD_SHAPE);
    ops->cursor(f->desktop, &first);
    f->told = 0;
    xcb_font_t font = xcb_generate_id(f->c);
    xcb_cursor_t cursor = xcb_generate_id(f->c);

    xcb_open_font(f->c, font, 6, "cursor");
    xcb_create_glyph_cursor(f->c, cursor, font, font, 34, 35, 0, 0, 0, 65535, 65535, 65535);
    xcb_change_window_attributes(f->c, f->root, XCB_CW_CURSOR, &cursor);
    settle(f);
    ops->cursor(f->desktop, &second);
    assert_true(f->told & TDM_DESKTOP_TOLD_SHAPE);
    assert_true(second.visible && second.width > 4 && second.hash != first.hash);

    f->told = 0;
    tdm_time limit = tdm_clock_now() + LIMIT;

    xcb_test_fake_input(f->c, XCB_MOTION_NOTIFY, 0, 0, f->root, 123, 45, 0);
    sync_with_server(f);
    while (!(f->told & TDM_DESKTOP_TOLD_POINTER) && tdm_clock_now() < limit) {
        (void)tdm_wait_until(tdm_time_min(f->out.wake_at, limit), -1, ops->fd(f->desktop));
        follow(f);
    }
    ops->pointer(f->desktop, &pointer);
    assert_int_equal(pointer.x, 123);
    assert_int_equal(pointer.surface_y, 45);
    assert_int_equal(pointer.surface, 1);
}

static void a_lock_and_a_display_that_goes_are_told(void **state)
{
    struct fixture *f = fixture_of(state);
    struct tdm_cause cause = {""};

    open_it(f, (struct tdm_desktop_config){0});
    settle(f);
    xcb_window_t lock = add_window(f, f->c, (struct tdm_rect){0, 0, WIDTH, HEIGHT}, BLUE, "i3lock");

    settle(f);
    assert_int_equal(f->out.state, TDM_DESKTOP_LOCKED);
    xcb_destroy_window(f->c, lock);
    settle(f);
    assert_int_equal(f->out.state, TDM_DESKTOP_SHOWN);
    x_server_stop(&f->server);
    enum tdm_err err = TDM_OK;
    tdm_time limit = tdm_clock_now() + LIMIT;

    while (!err && tdm_clock_now() < limit) {
        (void)tdm_wait_until(limit, -1, ops->fd(f->desktop));
        err = ops->step(f->desktop, tdm_clock_now(), &f->out, &cause);
    }
    assert_int_equal(err, TDM_E_GONE);
    assert_non_null(strstr(cause.text, "has closed"));
    assert_int_equal(ops->grab(f->desktop, surface_of(f, 0), (struct tdm_rect){0, 0, 1, 1},
                               (uint8_t *)f->frame, WIDTH * 4, &cause),
                     TDM_E_GONE);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_told_is_exact),
        TEST(so_it_is_without_hints),
        TEST(a_server_that_lies_is_found_out),
        TEST(windows_on_the_list_are_grey_with_what_belongs_to_them),
        TEST(not_one_pixel_of_it_gets_out_while_it_moves),
        TEST(one_window_is_followed_until_it_closes),
        TEST(a_rectangle_is_a_surface_of_its_own),
        TEST(monitors_come_and_go),
        TEST(the_pointer_is_told_apart),
        TEST(a_lock_and_a_display_that_goes_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
