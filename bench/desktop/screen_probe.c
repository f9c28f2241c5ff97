/* SPDX-License-Identifier: MIT */

/*
 * Measures any screen sharing from outside, through two X displays: HOST is shared, VIEW shows it.
 * It draws on the one and looks at the other; which program carries the pixels it does not know.
 *
 *     screen_probe HOST VIEW update COUNT GAP_MS [X Y]
 *         From a draw to its pixels on the viewer's screen.
 *     screen_probe HOST VIEW key COUNT GAP_MS [X Y]
 *         From a key at the viewer to what it changed there.
 *     screen_probe HOST VIEW exact
 *         Is coloured text the same, and since when.
 *     screen_probe HOST - drag|page|video SECONDS
 *         Something to share: 60 or 30 pictures a second.
 *
 * Prints JSON. What it draws first is black, then white, so that it finds its place at the viewer;
 * where other things move, X and Y must say it.
 */

#include "bench/blackbox/clock.h"
#include "bench/blackbox/series.h"
#include "bench/blackbox/strip.h"
#include "engine/base/rng.h"
#include "engine/base/time_code.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <xcb/shm.h>
#include <xcb/xcb.h>
#include <xcb/xtest.h>

#define STRIP_WIDTH 272 /* Cells of 8 pixels: they live through 4:2:0. */
#define STRIP_ROWS  32
#define LOOK_EVERY  (250 * TDM_US)
#define SEEN_WITHIN (5 * TDM_S)
#define FIND_WITHIN (20 * TDM_S)
#define TEXT_WIDTH  272
#define TEXT_ROWS   160

struct side {
    xcb_connection_t *c;
    const xcb_screen_t *screen;
    xcb_shm_seg_t segment;
    uint32_t *pixels;
    int width, height;
};

struct probe {
    struct side host, view;
    xcb_window_t window;
    xcb_gcontext_t gc;
    struct tdm_strip strip;
    int x, y; /* Where the window's first pixel is on the viewer's screen. */
    tdm_time drawn_at;
};

static void fail(const char *why)
{
    (void)fprintf(stderr, "screen_probe: %s\n", why);
    exit(1);
}

static void open_side(struct side *s, const char *display)
{
    s->c = xcb_connect(display, NULL);
    if (xcb_connection_has_error(s->c))
        fail("a display does not open");
    s->screen = xcb_setup_roots_iterator(xcb_get_setup(s->c)).data;
    s->width = s->screen->width_in_pixels;
    s->height = s->screen->height_in_pixels;
    int id = shmget(IPC_PRIVATE, (size_t)s->width * (size_t)s->height * 4, IPC_CREAT | 0600);

    if (id < 0)
        fail("no shared memory");
    s->pixels = shmat(id, NULL, 0);
    s->segment = xcb_generate_id(s->c);
    xcb_shm_attach(s->c, s->segment, (uint32_t)id, 0);
    free(xcb_get_input_focus_reply(s->c, xcb_get_input_focus(s->c), NULL));
    (void)shmctl(id, IPC_RMID, NULL);
}

static void sync_side(struct side *s)
{
    free(xcb_get_input_focus_reply(s->c, xcb_get_input_focus(s->c), NULL));
}

static const uint32_t *look(struct side *s, int x, int y, int width, int height)
{
    xcb_shm_get_image_cookie_t asked =
        xcb_shm_get_image(s->c, s->screen->root, (int16_t)x, (int16_t)y, (uint16_t)width,
                          (uint16_t)height, ~0u, XCB_IMAGE_FORMAT_Z_PIXMAP, s->segment, 0);

    free(xcb_shm_get_image_reply(s->c, asked, NULL));
    if (xcb_connection_has_error(s->c))
        fail("a display has closed");
    return s->pixels;
}

static xcb_window_t add_window(struct side *s, int x, int y, int width, int height, uint32_t events)
{
    xcb_window_t window = xcb_generate_id(s->c);
    const uint32_t values[] = {0, 1, events};

    xcb_create_window(s->c, XCB_COPY_FROM_PARENT, window, s->screen->root, (int16_t)x, (int16_t)y,
                      (uint16_t)width, (uint16_t)height, 0, XCB_WINDOW_CLASS_INPUT_OUTPUT,
                      XCB_COPY_FROM_PARENT,
                      XCB_CW_BACK_PIXEL | XCB_CW_OVERRIDE_REDIRECT | XCB_CW_EVENT_MASK, values);
    xcb_map_window(s->c, window);
    sync_side(s);
    return window;
}

static void put(struct side *s, xcb_window_t window, xcb_gcontext_t gc, int width, int height,
                const void *pixels)
{
    xcb_put_image(s->c, XCB_IMAGE_FORMAT_Z_PIXMAP, window, gc, (uint16_t)width, (uint16_t)height, 0,
                  0, 0, s->screen->root_depth, (uint32_t)(width * height * 4), pixels);
}

static void fill(struct probe *p, uint32_t colour)
{
    const xcb_rectangle_t all = {0, 0, STRIP_WIDTH, STRIP_ROWS};

    xcb_change_gc(p->host.c, p->gc, XCB_GC_FOREGROUND, &colour);
    xcb_poly_fill_rectangle(p->host.c, p->window, p->gc, 1, &all);
    sync_side(&p->host);
}

static bool is_light(uint32_t pixel)
{
    return (pixel & 0xff) + (pixel >> 8 & 0xff) + (pixel >> 16 & 0xff) > 3 * 128;
}

/* The box of what is light now and was dark before; false when it has not the window's sides. */
static bool find_box(struct probe *p, const uint32_t *dark, const uint32_t *light)
{
    int left = p->view.width, top = p->view.height, right = 0, bottom = 0;

    for (int y = 0; y < p->view.height; y++)
        for (int x = 0; x < p->view.width; x++) {
            int i = y * p->view.width + x;

            if (is_light(dark[i]) || !is_light(light[i]))
                continue;
            left = x < left ? x : left;
            right = x > right ? x : right;
            top = y < top ? y : top;
            bottom = y > bottom ? y : bottom;
        }
    p->x = left;
    p->y = top;
    return right - left + 1 == STRIP_WIDTH && bottom - top + 1 == STRIP_ROWS;
}

static void pause_for(tdm_time duration)
{
    clock_sleep_until(clock_now() + duration);
}

/* Where the viewer shows the window, at its own size. */
static void find_window(struct probe *p)
{
    size_t bytes = (size_t)p->view.width * (size_t)p->view.height * 4;
    uint32_t *dark = malloc(bytes);
    tdm_time limit = clock_now() + FIND_WITHIN;
    tdm_time patience = 250 * TDM_MS;

    if (!dark)
        fail("no memory");
    for (;;) {
        fill(p, 0);
        pause_for(patience);
        memcpy(dark, look(&p->view, 0, 0, p->view.width, p->view.height), bytes);
        fill(p, 0xffffff);
        pause_for(patience);
        if (find_box(p, dark, look(&p->view, 0, 0, p->view.width, p->view.height)))
            break;
        if (clock_now() > limit)
            fail("the viewer does not show what the host draws, or not at its own size");
        patience = patience * 3 / 2;
    }
    free(dark);
}

static void open_probe(struct probe *p, const char *host, const char *view, char **place)
{
    open_side(&p->host, host);
    open_side(&p->view, view);
    p->window =
        add_window(&p->host, p->host.width - STRIP_WIDTH - 8, p->host.height - STRIP_ROWS - 8,
                   STRIP_WIDTH, STRIP_ROWS, XCB_EVENT_MASK_KEY_PRESS);
    p->gc = xcb_generate_id(p->host.c);
    xcb_create_gc(p->host.c, p->gc, p->window, 0, NULL);
    if (!tdm_strip_init(&p->strip, STRIP_WIDTH) || p->strip.rows > STRIP_ROWS)
        fail("no memory");
    if (place) {
        p->x = (int)strtol(place[0], NULL, 10);
        p->y = (int)strtol(place[1], NULL, 10);
    } else {
        find_window(p);
    }
}

static void draw_code(struct probe *p)
{
    static uint32_t pixels[STRIP_WIDTH * STRIP_ROWS];

    p->drawn_at = clock_now() / TDM_US * TDM_US;
    tdm_strip_paint(&p->strip, (uint8_t *)pixels, (size_t)STRIP_WIDTH * 4, p->drawn_at);
    put(&p->host, p->window, p->gc, STRIP_WIDTH, p->strip.rows, pixels);
    xcb_flush(p->host.c);
}

static bool code_is_seen(struct probe *p)
{
    tdm_time seen;
    const uint32_t *pixels = look(&p->view, p->x, p->y, STRIP_WIDTH, p->strip.rows);

    return tdm_strip_read(&p->strip, (const uint8_t *)pixels, (size_t)STRIP_WIDTH * 4, &seen) &&
           seen == p->drawn_at;
}

/* Until the code is at the viewer; false when it never comes. The looks do not keep step with the
 * draws: else all that lies between two of them would be the same to us. */
static bool wait_for_code(struct probe *p, struct tdm_rng *rng, tdm_time from,
                          struct tdm_series *series)
{
    tdm_time phase = (tdm_time)(tdm_rng_unit(rng) * LOOK_EVERY);

    clock_sleep_until(from + phase);
    for (tdm_time at = from + phase; clock_now() - from < SEEN_WITHIN; at += LOOK_EVERY) {
        tdm_time now = clock_now();

        if (code_is_seen(p)) {
            tdm_series_push(series, (double)(clock_now() - from) / 1e6);
            return true;
        }
        if (at < now)
            at = now;
        clock_sleep_until(at + LOOK_EVERY);
    }
    return false;
}

static void print_series(const struct probe *p, const char *name, struct tdm_series *series,
                         int lost)
{
    tdm_series_sort(series);
    (void)printf(
        "{\"what\": \"%s\", \"x\": %d, \"y\": %d, \"count\": %zu, \"lost\": %d, \"p50_ms\": %.2f, "
        "\"p95_ms\": %.2f, \"min_ms\": %.2f, \"max_ms\": %.2f}\n",
        name, p->x, p->y, series->count, lost, tdm_series_at(series, 0.5),
        tdm_series_at(series, 0.95), tdm_series_at(series, 0), tdm_series_at(series, 1));
}

/* A gap that does not keep step with anybody's timer. */
static void wait_gap(struct tdm_rng *rng, int gap_ms)
{
    pause_for(gap_ms * TDM_MS + (tdm_time)(tdm_rng_unit(rng) * 30 * TDM_MS));
}

static void measure_updates(struct probe *p, int count, int gap_ms)
{
    struct tdm_rng rng = tdm_rng_of(1);
    struct tdm_series series;
    int lost = 0;

    if (!tdm_series_init(&series, (size_t)count))
        fail("no memory");
    for (int i = 0; i < count; i++) {
        wait_gap(&rng, gap_ms);
        draw_code(p);
        lost += !wait_for_code(p, &rng, p->drawn_at, &series);
    }
    print_series(p, "update", &series, lost);
}

/* The program at the host answers each key with a new code. */
static bool answer_key(struct probe *p, tdm_time limit)
{
    struct pollfd ready = {.fd = xcb_get_file_descriptor(p->host.c), .events = POLLIN};
    xcb_generic_event_t *event;

    while (clock_now() < limit) {
        while ((event = xcb_poll_for_event(p->host.c))) {
            bool pressed = (event->response_type & 0x7f) == XCB_KEY_PRESS;

            free(event);
            if (pressed) {
                draw_code(p);
                return true;
            }
        }
        (void)poll(&ready, 1, 100);
    }
    return false;
}

static void measure_keys(struct probe *p, int count, int gap_ms)
{
    const uint8_t key = 38; /* The letter a. */
    struct tdm_rng rng = tdm_rng_of(2);
    struct tdm_series series;
    int lost = 0;

    if (!tdm_series_init(&series, (size_t)count))
        fail("no memory");
    xcb_set_input_focus(p->host.c, XCB_INPUT_FOCUS_PARENT, p->window, XCB_CURRENT_TIME);
    xcb_test_fake_input(p->view.c, XCB_MOTION_NOTIFY, 0, 0, p->view.screen->root,
                        (int16_t)(p->x + 8), (int16_t)(p->y + 8), 0);
    sync_side(&p->host);
    sync_side(&p->view);
    pause_for(300 * TDM_MS);
    for (int i = 0; i < count; i++) {
        wait_gap(&rng, gap_ms);
        tdm_time from = clock_now();

        xcb_test_fake_input(p->view.c, XCB_KEY_PRESS, key, 0, p->view.screen->root, 0, 0, 0);
        xcb_test_fake_input(p->view.c, XCB_KEY_RELEASE, key, 0, p->view.screen->root, 0, 0, 0);
        xcb_flush(p->view.c);
        lost += !answer_key(p, from + TDM_S) || !wait_for_code(p, &rng, from, &series);
        if (lost > 3)
            break; /* Keys do not arrive. */
    }
    print_series(p, "key", &series, lost);
}

/* Somebody types in the window under the pointer, at (60, 60) of the host. */
static void type_letters(struct side *host, int count, int gap_ms)
{
    const uint8_t first = 24; /* The letter q; nine more beside it. */
    struct tdm_rng rng = tdm_rng_of(5);

    xcb_test_fake_input(host->c, XCB_MOTION_NOTIFY, 0, 0, host->screen->root, 60, 60, 0);
    for (int i = 0; i < count; i++) {
        uint8_t key = (uint8_t)(first + tdm_rng_below(&rng, 10));

        wait_gap(&rng, gap_ms);
        xcb_test_fake_input(host->c, XCB_KEY_PRESS, key, 0, host->screen->root, 0, 0, 0);
        xcb_test_fake_input(host->c, XCB_KEY_RELEASE, key, 0, host->screen->root, 0, 0, 0);
        sync_side(host);
    }
    pause_for(300 * TDM_MS);
}

/* Letters of every colour on white, as an editor has them. */
static void draw_text(uint32_t *pixels)
{
    struct tdm_rng rng = tdm_rng_of(3);
    uint32_t colour = 0;

    for (int i = 0; i < TEXT_WIDTH * TEXT_ROWS; i++)
        pixels[i] = 0xffffff;
    for (int cell = 0; cell < TEXT_WIDTH / 8 * (TEXT_ROWS / 16); cell++) {
        int left = cell % (TEXT_WIDTH / 8) * 8, top = cell / (TEXT_WIDTH / 8) * 16;

        if (cell % 6 == 0)
            colour = tdm_rng_u32(&rng) & 0xffffff;
        for (int i = 0; i < 6 * 11; i++) {
            uint32_t edge = tdm_rng_below(&rng, 4) * 0x151515; /* Of smooth letters. */

            if (tdm_rng_chance(&rng, 0.4))
                pixels[(top + 2 + i / 6) * TEXT_WIDTH + left + 1 + i % 6] =
                    ((colour & 0xbfbfbf) + edge) & 0xffffff;
        }
    }
}

static int channel_error(uint32_t a, uint32_t b)
{
    int worst = 0;

    for (int shift = 0; shift < 24; shift += 8) {
        int difference = abs((int)(a >> shift & 0xff) - (int)(b >> shift & 0xff));

        worst = difference > worst ? difference : worst;
    }
    return worst;
}

static void measure_exactness(struct probe *p)
{
    static const int after_ms[] = {300, 1000, 3000};
    static uint32_t text[TEXT_WIDTH * TEXT_ROWS];
    int x = p->host.width - STRIP_WIDTH - 8, y = p->host.height - STRIP_ROWS - 16 - TEXT_ROWS;
    xcb_window_t window = add_window(&p->host, x, y, TEXT_WIDTH, TEXT_ROWS, 0);
    tdm_time drawn;

    draw_text(text);
    put(&p->host, window, p->gc, TEXT_WIDTH, TEXT_ROWS, text);
    sync_side(&p->host);
    drawn = clock_now();
    for (int i = 0; i < 3; i++) {
        int wrong = 0, worst = 0;

        clock_sleep_until(drawn + after_ms[i] * TDM_MS);
        const uint32_t *seen = look(&p->view, p->x, p->y - 8 - TEXT_ROWS, TEXT_WIDTH, TEXT_ROWS);

        for (int k = 0; k < TEXT_WIDTH * TEXT_ROWS; k++) {
            int error = channel_error(seen[k], text[k]);

            wrong += error > 0;
            worst = error > worst ? error : worst;
        }
        (void)printf("{\"what\": \"exact\", \"after_ms\": %d, \"wrong\": %.4f, \"worst\": %d}\n",
                     after_ms[i], (double)wrong / (TEXT_WIDTH * TEXT_ROWS), worst);
    }
}

struct load {
    struct side *side;
    xcb_window_t window;
    xcb_gcontext_t gc;
    int width, height;
    uint32_t *pixels;
    struct tdm_rng rng;
};

/* A page of text with smooth edges, of which each pixel can be asked for. */
static uint32_t page_pixel(int x, int y)
{
    uint32_t cell = (uint32_t)(y / 16) * 997u + (uint32_t)(x / 8);
    uint32_t glyph = (cell * 2654435761u >> 22) % 60;
    uint32_t bit = (glyph * 66u + (uint32_t)(y % 16 / 2 * 4 + x % 8 / 2)) * 2246822519u >> 27;

    if (glyph % 6 == 0 || y % 16 > 12 || x % 8 > 5)
        return 0xffffff;
    if (!(bit & 1))
        return 0xffffff;
    return 0x202428 + 0x404040u * ((glyph + (uint32_t)(y % 16 * 5 + x % 8 * 3)) % 4);
}

static void show_page(struct load *l, int turn)
{
    for (int y = 0; y < l->height; y++)
        for (int x = 0; x < l->width; x++)
            l->pixels[y * l->width + x] = page_pixel(x, y + turn * 53);
    put(l->side, l->window, l->gc, l->width, l->height, l->pixels);
}

/* Smooth shapes that move, with a camera's noise. */
static void show_video(struct load *l, int turn)
{
    for (int y = 0; y < l->height; y++)
        for (int x = 0; x < l->width; x++) {
            uint32_t noise = tdm_rng_u32(&l->rng) & 0x030303;
            uint32_t value = (uint32_t)(128 + (x + turn * 3) % 128 / 2 + (y - turn) % 64 / 2);

            l->pixels[y * l->width + x] = (value << 16 | (value / 2) << 8 | (255 - value)) + noise;
        }
    put(l->side, l->window, l->gc, l->width, l->height, l->pixels);
}

static void show_drag(struct load *l, int turn)
{
    const uint32_t place[] = {(uint32_t)(40 + turn * 7 % 400), (uint32_t)(30 + turn * 3 % 200)};

    if (turn == 0)
        show_page(l, 0);
    xcb_configure_window(l->side->c, l->window, XCB_CONFIG_WINDOW_X | XCB_CONFIG_WINDOW_Y, place);
}

static void run_load(struct side *side, const char *what, double seconds)
{
    static const struct {
        const char *name;
        int width, height, every_ms;
        void (*show)(struct load *load, int turn);
    } loads[] = {
        {"page", 900, 600, 33, show_page},
        {"video", 640, 360, 33, show_video},
        {"drag", 500, 350, 16, show_drag},
    };
    tdm_time began = clock_now();

    for (size_t i = 0; i < 3; i++) {
        if (strcmp(what, loads[i].name) != 0)
            continue;
        struct load l = {
            .side = side, .width = loads[i].width, .height = loads[i].height, .rng = tdm_rng_of(4)};

        l.pixels = malloc((size_t)l.width * (size_t)l.height * 4);
        l.window = add_window(side, 20, 20, l.width, l.height, 0);
        l.gc = xcb_generate_id(side->c);
        xcb_create_gc(side->c, l.gc, l.window, 0, NULL);
        for (int turn = 0; clock_now() < began + (tdm_time)(seconds * 1e9); turn++) {
            loads[i].show(&l, turn);
            sync_side(side);
            clock_sleep_until(began + (tdm_time)(turn + 1) * loads[i].every_ms * TDM_MS);
        }
        free(l.pixels);
        return;
    }
    fail("no such load");
}

int main(int argc, char **argv)
{
    struct probe p = {.x = 0};

    if (argc < 4)
        fail("use screen_probe HOST VIEW update|key COUNT GAP_MS, exact, HOST - LOAD SECONDS, or "
             "HOST - letters COUNT GAP_MS");
    if (strcmp(argv[2], "-") == 0) {
        open_side(&p.host, argv[1]);
        if (strcmp(argv[3], "letters") == 0 && argc > 5) {
            type_letters(&p.host, (int)strtol(argv[4], NULL, 10), (int)strtol(argv[5], NULL, 10));
            return 0;
        }
        run_load(&p.host, argv[3], argc > 4 ? strtod(argv[4], NULL) : 10);
        return 0;
    }
    open_probe(&p, argv[1], argv[2], argc > 7 ? argv + 6 : NULL);
    int count = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 60;
    int gap_ms = argc > 5 ? (int)strtol(argv[5], NULL, 10) : 100;

    if (strcmp(argv[3], "update") == 0)
        measure_updates(&p, count, gap_ms);
    else if (strcmp(argv[3], "key") == 0)
        measure_keys(&p, count, gap_ms);
    else if (strcmp(argv[3], "exact") == 0)
        measure_exactness(&p);
    else
        fail("measure update, key or exact");
    tdm_strip_fini(&p.strip);
    return 0;
}
