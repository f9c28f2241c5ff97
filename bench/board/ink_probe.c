/* SPDX-License-Identifier: MIT */

/*
 * How long until ink is seen, from outside, through two X displays: a hand draws on the board's
 * window at HERE, and ink comes there and on the other side's window at THERE. Which program shows
 * the windows it does not know.
 *
 *     ink_probe HERE THERE STROKES PERIOD_MS
 *
 * A stroke is a row of points to the right. Each is a motion of the pointer (XTest), PERIOD_MS
 * after the one before, or, with 0, a while after that one was seen everywhere. Its ink is seen
 * when the server has painted (XDamage) and the row is dark up to it; smoothing may hold back a
 * part of the way from the point before. Both windows show the same place at the same size, and
 * their pen is chosen. Prints JSON.
 */

#include "bench/blackbox/clock.h"
#include "bench/blackbox/series.h"
#include "engine/base/rng.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <xcb/damage.h>
#include <xcb/shm.h>
#include <xcb/xcb.h>
#include <xcb/xtest.h>

#define STROKES_MAX 1000
#define POINTS      50 /* Of a stroke. */
#define LEFT        280
#define STEP        16
#define TOP         330 /* Below what a window says for a moment. */
#define ROWS        20  /* Strokes below each other, then the first row is used again. */
#define ROW_STEP    13
#define WIDTH       (POINTS * STEP + 64)
#define HELD_BACK   (STEP * 3 / 4) /* Of a step, by smoothing. */
#define SEEN_WITHIN (30 * TDM_S)
#define OPEN_WITHIN (60 * TDM_S)
#define DARK        0x60 /* Each channel of ink is below it; cursors and papers are not. */

enum { HERE, THERE, SIDES };

static const char *const side_names[SIDES] = {"here", "there"};

struct side {
    xcb_connection_t *c;
    const xcb_screen_t *screen;
    uint8_t damage_event;
    xcb_damage_damage_t damage;
    xcb_shm_seg_t segment;
    const uint32_t *pixels;
    int seen; /* Points of this stroke whose ink was seen. */
    int lost;
    struct tdm_series series;
};

struct probe {
    struct side sides[SIDES];
    tdm_time sent_at[POINTS];
    int sent, y;
    struct tdm_rng rng;
};

static void fail(const char *why)
{
    (void)fprintf(stderr, "ink_probe: %s\n", why);
    exit(1);
}

static void sync_side(struct side *s)
{
    free(xcb_get_input_focus_reply(s->c, xcb_get_input_focus(s->c), NULL));
    if (xcb_connection_has_error(s->c))
        fail("a display has closed");
}

static void share_memory(struct side *s)
{
    int id = shmget(IPC_PRIVATE, WIDTH * sizeof *s->pixels, IPC_CREAT | 0600);

    if (id < 0)
        fail("no shared memory");
    s->pixels = shmat(id, NULL, 0);
    s->segment = xcb_generate_id(s->c);
    xcb_shm_attach(s->c, s->segment, (uint32_t)id, 0);
    sync_side(s);
    (void)shmctl(id, IPC_RMID, NULL);
}

static void open_side(struct side *s, const char *display, size_t room)
{
    const xcb_query_extension_reply_t *damage;

    s->c = xcb_connect(display, NULL);
    if (xcb_connection_has_error(s->c))
        fail("a display does not open");
    s->screen = xcb_setup_roots_iterator(xcb_get_setup(s->c)).data;
    damage = xcb_get_extension_data(s->c, &xcb_damage_id);
    if (!damage || !damage->present)
        fail("a display cannot tell what is painted");
    s->damage_event = damage->first_event;
    free(xcb_damage_query_version_reply(s->c, xcb_damage_query_version(s->c, 1, 1), NULL));
    s->damage = xcb_generate_id(s->c);
    xcb_damage_create(s->c, s->damage, s->screen->root, XCB_DAMAGE_REPORT_LEVEL_NON_EMPTY);
    share_memory(s);
    if (!tdm_series_init(&s->series, room))
        fail("no memory");
}

/* --- The hand --------------------------------------------------------------------------------- */

static void fake(struct probe *p, uint8_t type, uint8_t detail, int x)
{
    struct side *s = &p->sides[HERE];

    xcb_test_fake_input(s->c, type, detail, 0, s->screen->root, (int16_t)x, (int16_t)p->y, 0);
    xcb_flush(s->c);
}

static void send_point(struct probe *p)
{
    p->sent_at[p->sent] = clock_now();
    fake(p, XCB_MOTION_NOTIFY, 0, LEFT + (p->sent + 1) * STEP);
    p->sent++;
}

/* --- The eye ---------------------------------------------------------------------------------- */

static bool is_ink(uint32_t pixel)
{
    return (pixel & 0xff) < DARK && (pixel >> 8 & 0xff) < DARK && (pixel >> 16 & 0xff) < DARK;
}

/* How far the row is dark, from the stroke's first pixels on. */
static int ink_reaches(struct probe *p, struct side *s)
{
    xcb_shm_get_image_cookie_t asked =
        xcb_shm_get_image(s->c, s->screen->root, LEFT, (int16_t)p->y, WIDTH, 1, ~0u,
                          XCB_IMAGE_FORMAT_Z_PIXMAP, s->segment, 0);
    int x = STEP / 2; /* A tapered end is thin and light. */

    free(xcb_shm_get_image_reply(s->c, asked, NULL));
    while (x < WIDTH && is_ink(s->pixels[x]))
        x++;
    return x;
}

static bool is_paper(uint32_t pixel)
{
    return (pixel & 0xff) > 0xf0 && (pixel >> 8 & 0xff) > 0xf0 && (pixel >> 16 & 0xff) > 0xf0;
}

/* Before the windows are there nobody takes what the hand does. */
static void wait_for_windows(struct probe *p)
{
    tdm_time limit = clock_now() + OPEN_WITHIN;

    p->y = TOP - 2 * ROW_STEP; /* There is never ink. */
    for (int i = 0; i < SIDES;) {
        (void)ink_reaches(p, &p->sides[i]);
        if (is_paper(p->sides[i].pixels[0]) && is_paper(p->sides[i].pixels[WIDTH - 1])) {
            i++;
            continue;
        }
        if (clock_now() > limit)
            fail("a display shows no board");
        clock_sleep_until(clock_now() + 50 * TDM_MS);
    }
}

static void look(struct probe *p, struct side *s)
{
    int reached = ink_reaches(p, s);
    tdm_time now = clock_now();

    while (s->seen < p->sent && reached >= (s->seen + 1) * STEP - HELD_BACK)
        tdm_series_push(&s->series, (double)(now - p->sent_at[s->seen++]) / 1e6);
}

static void take_events(struct probe *p, struct side *s)
{
    xcb_generic_event_t *event;
    bool painted = false;

    while ((event = xcb_poll_for_event(s->c))) {
        painted |= (event->response_type & 0x7f) == s->damage_event;
        free(event);
    }
    if (xcb_connection_has_error(s->c))
        fail("a display has closed");
    if (!painted)
        return;
    xcb_damage_subtract(s->c, s->damage, XCB_NONE, XCB_NONE);
    look(p, s);
}

static void watch_until(struct probe *p, tdm_time until)
{
    for (;;) {
        struct pollfd fds[SIDES];
        tdm_time left;

        for (int i = 0; i < SIDES; i++) {
            take_events(p, &p->sides[i]);
            fds[i] = (struct pollfd){xcb_get_file_descriptor(p->sides[i].c), POLLIN, 0};
        }
        left = until - clock_now();
        if (left <= 0)
            return;
        const struct timespec time = {.tv_sec = left / TDM_S, .tv_nsec = left % TDM_S};

        (void)ppoll(fds, SIDES, &time, NULL);
    }
}

static bool all_seen(const struct probe *p)
{
    return p->sides[HERE].seen == p->sent && p->sides[THERE].seen == p->sent;
}

static void watch_until_seen(struct probe *p)
{
    for (tdm_time limit = clock_now() + SEEN_WITHIN; !all_seen(p) && clock_now() < limit;)
        watch_until(p, clock_now() + TDM_MS / 4);
}

/* --- Strokes ---------------------------------------------------------------------------------- */

static void draw(struct probe *p, int stroke, int period_ms)
{
    tdm_time at;

    p->y = TOP + stroke % ROWS * ROW_STEP;
    p->sent = p->sides[HERE].seen = p->sides[THERE].seen = 0;
    fake(p, XCB_MOTION_NOTIFY, 0, LEFT);
    fake(p, XCB_BUTTON_PRESS, 1, LEFT);
    watch_until(p, clock_now() + 100 * TDM_MS);
    at = clock_now();
    while (p->sent < POINTS) {
        send_point(p);
        if (period_ms) {
            watch_until(p, at += period_ms * TDM_MS);
            continue;
        }
        watch_until_seen(p);
        watch_until(p, clock_now() + 10 * TDM_MS + (tdm_time)(tdm_rng_unit(&p->rng) * 20 * TDM_MS));
    }
    watch_until_seen(p);
    for (int i = 0; i < SIDES; i++)
        p->sides[i].lost += p->sent - p->sides[i].seen;
    fake(p, XCB_BUTTON_RELEASE, 1, LEFT + p->sent * STEP);
    watch_until(p, clock_now() + 100 * TDM_MS);
}

/* Back to white paper: select all, delete, and the pen again. */
static void clear(struct probe *p)
{
    static const uint8_t control = 37, a = 38, delete = 119, pen = 33;
    static const struct {
        uint8_t key, type;
    } keys[] = {{control, XCB_KEY_PRESS},   {a, XCB_KEY_PRESS},      {a, XCB_KEY_RELEASE},
                {control, XCB_KEY_RELEASE}, {delete, XCB_KEY_PRESS}, {delete, XCB_KEY_RELEASE},
                {pen, XCB_KEY_PRESS},       {pen, XCB_KEY_RELEASE}};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        fake(p, keys[i].type, keys[i].key, 0);
    watch_until(p, clock_now() + 500 * TDM_MS);
}

int main(int argc, char **argv)
{
    static struct probe p;
    int strokes = argc == 5 ? (int)strtol(argv[3], NULL, 10) : 0;
    int period_ms = argc == 5 ? (int)strtol(argv[4], NULL, 10) : -1;

    if (strokes < 1 || strokes > STROKES_MAX || period_ms < 0) {
        fprintf(stderr, "usage: ink_probe HERE THERE STROKES PERIOD_MS\n");
        return 2;
    }
    p.rng = tdm_rng_of(1);
    for (int i = 0; i < SIDES; i++)
        open_side(&p.sides[i], argv[1 + i], (size_t)strokes * POINTS);
    wait_for_windows(&p);
    fake(&p, XCB_MOTION_NOTIFY, 0, LEFT);
    clear(&p);
    for (int i = 0; i < strokes; i++) {
        if (i && i % ROWS == 0)
            clear(&p);
        draw(&p, i, period_ms);
    }
    printf("{\"what\": \"ink\", \"period_ms\": %d", period_ms);
    for (int i = 0; i < SIDES; i++) {
        struct tdm_series *s = &p.sides[i].series;

        tdm_series_sort(s);
        printf(", \"%s\": {\"count\": %zu, \"lost\": %d, \"min_ms\": %.3f, \"p50_ms\": %.3f, "
               "\"p95_ms\": %.3f, \"max_ms\": %.3f}",
               side_names[i], s->count, p.sides[i].lost, tdm_series_at(s, 0), tdm_series_at(s, 0.5),
               tdm_series_at(s, 0.95), tdm_series_at(s, 1));
    }
    printf("}\n");
    return 0;
}
