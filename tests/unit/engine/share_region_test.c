/* SPDX-License-Identifier: MIT */
/*
 * A desktop with a video in a window, from the host's threads to the viewer's: the video goes
 * through a codec and costs little, what stands beside it stays exact meanwhile, and when it stops
 * everything is. The desktop is painted here, so that nothing depends on how fast the machine is.
 */
#include "engine/share_give.h"
#include "engine/share_watch.h"

#include "engine/base/rng.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define WIDTH    447 /* The region's sides are odd: it ends at the edges. */
#define HEIGHT   255
#define PATIENCE (60 * TDM_S)
#define PICTURES 25

static const struct tdm_rect movie = {287, 143, WIDTH - 287, HEIGHT - 143};
static const struct tdm_rect all = {0, 0, WIDTH, HEIGHT};

struct tdm_desktop {
    pthread_mutex_t lock;
    uint32_t pixels[HEIGHT][WIDTH];
    struct tdm_rect dirty; /* Around all that was painted since the last step. */
    struct tdm_desktop_surface surface;
    bool told;
    int wake;
};

static struct tdm_desktop desk;

static enum tdm_err open_desk(const struct tdm_desktop_config *config, struct tdm_desktop **d,
                              struct tdm_cause *cause)
{
    (void)config;
    (void)cause;
    *d = &desk;
    return TDM_OK;
}

static void close_desk(struct tdm_desktop *d)
{
    (void)d;
}

static int desk_fd(const struct tdm_desktop *d)
{
    return d->wake;
}

static enum tdm_err step_desk(struct tdm_desktop *d, tdm_time now, struct tdm_desktop_out *out,
                              struct tdm_cause *cause)
{
    (void)cause;
    *out = (struct tdm_desktop_out){.dirty_at = now, .wake_at = TDM_NEVER, .hints = true};
    tdm_wake_clear(d->wake);
    pthread_mutex_lock(&d->lock);
    out->told = d->told ? 0 : TDM_DESKTOP_TOLD_SURFACES;
    d->told = true;
    if (!tdm_rect_empty(d->dirty))
        out->dirty[out->dirty_count++] = (struct tdm_desktop_dirty){1, d->dirty};
    d->dirty = (struct tdm_rect){0, 0, 0, 0};
    pthread_mutex_unlock(&d->lock);
    return TDM_OK;
}

static size_t desk_surfaces(const struct tdm_desktop *d, const struct tdm_desktop_surface **list)
{
    *list = &d->surface;
    return 1;
}

static enum tdm_err grab(struct tdm_desktop *d, const struct tdm_desktop_surface *surface,
                         struct tdm_rect rect, uint8_t *pixels, ptrdiff_t stride,
                         struct tdm_cause *cause)
{
    (void)surface;
    (void)cause;
    pthread_mutex_lock(&d->lock);
    for (int y = rect.y; y < rect.y + rect.height; y++)
        memcpy(pixels + y * stride + (ptrdiff_t)4 * rect.x, &d->pixels[y][rect.x],
               (size_t)4 * (size_t)rect.width);
    pthread_mutex_unlock(&d->lock);
    return TDM_OK;
}

static void no_cursor(const struct tdm_desktop *d, struct tdm_desktop_cursor *out)
{
    (void)d;
    *out = (struct tdm_desktop_cursor){.visible = false};
}

static void no_pointer(const struct tdm_desktop *d, struct tdm_desktop_pointer *out)
{
    (void)d;
    *out = (struct tdm_desktop_pointer){.surface = 0};
}

static const struct tdm_desktop_ops ops = {.kind = "test",
                                           .open = open_desk,
                                           .close = close_desk,
                                           .fd = desk_fd,
                                           .step = step_desk,
                                           .surfaces = desk_surfaces,
                                           .grab = grab,
                                           .cursor = no_cursor,
                                           .pointer = no_pointer};

/* What a camera sees: smooth, with grain, and another one each turn. */
static void paint_movie(uint32_t turn)
{
    struct tdm_rng rng = tdm_rng_of(turn);

    pthread_mutex_lock(&desk.lock);
    for (int y = movie.y; y < movie.y + movie.height; y++)
        for (int x = movie.x; x < movie.x + movie.width; x++) {
            uint32_t grain = tdm_rng_below(&rng, 6), at = (uint32_t)x + 3 * turn;
            uint32_t red = at % 400 / 2 + grain, green = ((uint32_t)y + turn) % 300 / 2 + grain;

            desk.pixels[y][x] = red << 16 | green << 8 | (80 + grain * 3);
        }
    desk.dirty = tdm_rect_around(desk.dirty, movie);
    pthread_mutex_unlock(&desk.lock);
    tdm_wake_signal(desk.wake);
}

static void paint_letter(uint32_t turn)
{
    const struct tdm_rect place = {8 + (int)(turn % 40) * 10, 8 + (int)(turn / 40 % 7) * 16, 8, 12};

    pthread_mutex_lock(&desk.lock);
    for (int y = place.y; y < place.y + place.height; y++)
        for (int x = place.x; x < place.x + place.width; x++)
            desk.pixels[y][x] = (turn * 2654435761u >> (x + y) % 31 & 1) ? 0x101418 : 0xf8f8f8;
    desk.dirty = tdm_rect_around(desk.dirty, place);
    pthread_mutex_unlock(&desk.lock);
    tdm_wake_signal(desk.wake);
}

static struct tdm_share_give *give;
static struct tdm_share_watch *watch;
static int news = -1, picture_fd = -1;
static uint64_t bytes;

static void wake(void *arg)
{
    (void)arg;
    tdm_wake_signal(news);
}

/* What the channel would do: all that there is, both ways. */
static void carry(void)
{
    static uint8_t room[16384];
    char why[160];
    size_t size, sizes[2];
    bool more;

    (void)tdm_share_give_news(give);
    assert_int_equal(tdm_share_watch_news(watch, why) & TDM_WATCH_NEWS_FAILED, 0);
    for (int refine = 0; refine < 2; refine++)
        while ((size = tdm_share_give_pull(give, refine, room, sizeof room, &more))) {
            bytes += size;
            assert_true(tdm_share_watch_bytes(watch, refine, room, size));
        }
    while ((size = tdm_share_watch_pull(watch, room, sizeof room, &more)))
        assert_true(tdm_share_give_answer(give, room, size));
    (void)tdm_share_give_consumed(give);
    tdm_share_watch_consumed(watch, sizes);
    struct pollfd fd = {.fd = news, .events = POLLIN};

    (void)poll(&fd, 1, 5);
    tdm_wake_clear(news);
}

/* Whether the viewer has the desktop's pixels; `but_movie`: wherever the movie is not. */
static bool is_equal(bool but_movie, bool *exact)
{
    struct tdm_share_picture picture;
    bool equal = true;

    if (!tdm_share_watch_lock(watch, 0, true, &picture))
        return false;
    pthread_mutex_lock(&desk.lock);
    for (int y = 0; y < HEIGHT && equal; y++) {
        const uint8_t *row = picture.pixels + y * picture.stride;
        int from = movie.x / 8 * 8, left = but_movie && y >= movie.y / 8 * 8 ? from : WIDTH;

        for (int x = 0; x < left && equal; x++)
            equal = memcmp(row + (ptrdiff_t)4 * x, &desk.pixels[y][x], 3) == 0;
    }
    pthread_mutex_unlock(&desk.lock);
    *exact = picture.exact;
    tdm_share_watch_unlock(watch);
    return equal;
}

static void until_exact(void)
{
    tdm_time until = tdm_clock_now() + PATIENCE;
    bool exact = false;

    while (!is_equal(false, &exact) || !exact) {
        if (tdm_clock_now() > until)
            fail_msg("never exact");
        carry();
    }
}

static struct tdm_share_watch_figures figures_of(void)
{
    struct tdm_share_watch_figures figures;

    tdm_share_watch_figures(watch, &figures);
    return figures;
}

static void start(void)
{
    struct tdm_cause cause = {""};

    news = tdm_wake_open(&cause);
    picture_fd = tdm_wake_open(&cause);
    desk.wake = tdm_wake_open(&cause);
    assert_true(news >= 0 && picture_fd >= 0 && desk.wake >= 0);
    (void)pthread_mutex_init(&desk.lock, NULL);
    desk.surface = (struct tdm_desktop_surface){
        .id = 1, .generation = 1, .area = all, .scale_percent = 100, .name = "test"};
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            desk.pixels[y][x] = 0xf8f8f8;
    paint_movie(0);
    desk.dirty = all;
    if (tdm_share_give_create(&give, &(struct tdm_share_give_config){.ops = &ops, .wake = wake},
                              &cause) ||
        tdm_share_watch_create(
            &watch, &(struct tdm_share_watch_config){.wake = wake, .picture_fd = picture_fd},
            &cause))
        fail_msg("%s", cause.text);
    tdm_share_give_link(give, 3000000, 10 * TDM_MS);
    tdm_share_watch_restart(watch);
    tdm_share_give_restart(give);
}

static void stop(void)
{
    tdm_share_give_destroy(give);
    tdm_share_watch_destroy(watch);
    (void)pthread_mutex_destroy(&desk.lock);
    (void)close(news);
    (void)close(picture_fd);
    (void)close(desk.wake);
}

/* Plays the movie, with a letter now and then, until so many pictures of it were shown. */
static uint32_t play(uint32_t turn, uint64_t pictures)
{
    tdm_time until = tdm_clock_now() + PATIENCE;

    while (figures_of().units < pictures) {
        tdm_time next = tdm_clock_now() + 25 * TDM_MS;

        if (tdm_clock_now() > until)
            fail_msg("%llu pictures of the movie", (unsigned long long)figures_of().units);
        paint_movie(++turn);
        if (turn % 4 == 0)
            paint_letter(turn / 4);
        do
            carry();
        while (tdm_clock_now() < next);
    }
    return turn;
}

/* The letters of now, while the movie goes on. */
static uint32_t letters_arrive(uint32_t turn)
{
    tdm_time until = tdm_clock_now() + PATIENCE;
    bool exact;

    paint_letter(turn / 4 + 1);
    while (!is_equal(true, &exact)) {
        if (tdm_clock_now() > until)
            fail_msg("what is beside the movie is not exact");
        paint_movie(++turn);
        carry();
    }
    assert_false(exact); /* Nobody says that a video is. */
    return turn;
}

static void test_movie(void **state)
{
    uint32_t turn;

    (void)state;
    start();
    until_exact();
    uint64_t first = bytes;

    turn = play(0, 5);
    bytes = 0;
    tdm_time begun = tdm_clock_now();
    uint64_t before = figures_of().units;

    turn = play(turn, before + PICTURES);
    uint64_t shown = figures_of().units - before, each = bytes / shown;

    print_message("%.0f pictures a second of %llu bytes; once exactly: %llu\n",
                  (double)shown / ((double)(tdm_clock_now() - begun) / TDM_S),
                  (unsigned long long)each, (unsigned long long)first);
    assert_true(each * 10 < first);
    (void)letters_arrive(turn);
    begun = tdm_clock_now();
    until_exact();
    print_message("exact %.1f s after it stopped\n", (double)(tdm_clock_now() - begun) / TDM_S);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_movie)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
