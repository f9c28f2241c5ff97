/* SPDX-License-Identifier: MIT */
/*
 * A shared screen between two engines: a test picture arrives whole and exact, what was not allowed
 * is not done, what was is taken back, and a channel that breaks goes on. Other desktops are tested
 * by tests/live/share_command_test.py.
 */
#include "tandem/share.h"
#include "tests/live/pair.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct tandem_media alone = {.video_source = "off",
                                          .video_sink = "off",
                                          .audio_source = "off",
                                          .audio_sink = "off",
                                          .channel = true};

/* One side's share, and what its events said. */
struct sharer {
    struct tandem_share *share;
    struct tandem_share_event log[512];
    uint32_t count, seen;
};

static struct pair p;
static struct sharer host, viewer; /* A gives, B looks. */

static int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void open_sharer(struct sharer *s, const char *desktop)
{
    struct tandem_cause cause = {""};

    memset(s, 0, sizeof *s);
    if (tandem_share_create(&(struct tandem_share_config){.desktop = desktop}, &s->share, &cause) !=
        TANDEM_OK)
        fail_msg("%s", cause.text);
}

static void drain(struct sharer *s)
{
    side_drain(&p.a);
    side_drain(&p.b);
    while (s->count < 512 && tandem_share_next_event(s->share, &s->log[s->count]) == TANDEM_OK)
        s->count++;
    assert_true(s->count < 512);
}

static void wait_a_little(void)
{
    struct pollfd fds[] = {{.fd = tandem_share_event_fd(host.share), .events = POLLIN},
                           {.fd = tandem_share_event_fd(viewer.share), .events = POLLIN},
                           {.fd = tandem_share_picture_fd(viewer.share), .events = POLLIN}};

    (void)poll(fds, 3, 50);
    drain(&host);
    drain(&viewer);
}

/* The next event of `kind`; what came before it is passed. */
static const struct tandem_share_event *next(struct sharer *s, enum tandem_share_event_kind kind)
{
    int64_t until = now_ms() + PAIR_PATIENCE_MS;

    for (;;) {
        while (s->seen < s->count)
            if (s->log[s->seen++].kind == kind)
                return &s->log[s->seen - 1];
        if (now_ms() > until)
            fail_msg("no event of kind %d at the %s", (int)kind, s == &host ? "host" : "viewer");
        wait_a_little();
    }
}

static void start(const char *desktop, const struct tandem_share_offer *offer)
{
    struct tandem_media a = alone, b = alone;
    struct tandem_cause cause = {""};

    open_sharer(&host, desktop);
    open_sharer(&viewer, NULL);
    a.share = host.share;
    b.share = viewer.share;
    if (tandem_share_give(host.share, offer, &cause) != TANDEM_OK)
        fail_msg("%s", cause.text);
    pair_start(&p, &a, &b);
}

static void stop(void)
{
    pair_hang_up(&p);
    pair_close(&p);
    tandem_share_destroy(host.share);
    tandem_share_destroy(viewer.share);
}

/* Waits for a picture that is exact and newer than `number`; returns its number. */
static uint64_t exact_after(uint64_t number)
{
    static struct tandem_share_picture picture;
    int64_t until = now_ms() + PAIR_PATIENCE_MS;

    for (;;) {
        if (tandem_share_picture(viewer.share, 0, &picture) == TANDEM_OK) {
            uint64_t got = picture.number;
            bool exact = picture.exact;

            tandem_share_picture_done(viewer.share);
            if (exact && got > number)
                return got;
        }
        if (now_ms() > until)
            fail_msg("no exact picture");
        wait_a_little();
    }
}

/* Who shows the own screen of his own accord is not asked; the other side sees it at once. */
static void test_shown(void **state)
{
    (void)state;
    start("pattern:still", &(struct tandem_share_offer){.unasked_view = true});
    (void)next(&viewer, TANDEM_SHARE_SHOWN);
    (void)exact_after(0);
    stop();
}

static void test_moving(void **state)
{
    uint64_t number = 0;

    (void)state;
    start("pattern:scroll", &(struct tandem_share_offer){.unasked_view = true});
    for (int i = 0; i < 10; i++)
        number = exact_after(number);
    stop();
}

/* Nothing is seen before the host said yes. */
static void test_asked(void **state)
{
    struct tandem_share_stats stats;

    (void)state;
    start("pattern:still", NULL);
    assert_int_equal(tandem_share_ask(viewer.share, TANDEM_SHARE_VIEW), TANDEM_OK);
    const struct tandem_share_event *e = next(&host, TANDEM_SHARE_ASKED);

    assert_int_equal(e->scopes, TANDEM_SHARE_VIEW);
    (void)tandem_share_stats(viewer.share, &stats);
    assert_int_equal(stats.frames, 0);
    assert_int_equal(tandem_share_answer(host.share, TANDEM_SHARE_VIEW, 0, NULL), TANDEM_OK);
    (void)next(&viewer, TANDEM_SHARE_SHOWN);
    (void)exact_after(0);
    tandem_share_end(host.share);
    (void)next(&viewer, TANDEM_SHARE_HIDDEN);
    assert_int_equal(next(&viewer, TANDEM_SHARE_REVOKED)->scopes, 0);
    assert_int_equal(tandem_share_ask(viewer.share, TANDEM_SHARE_VIEW), TANDEM_OK);
    (void)next(&viewer, TANDEM_SHARE_REFUSED);
    stop();
}

static void wait_for_scopes(struct sharer *s, unsigned scopes)
{
    const struct tandem_share_event *e;

    do
        e = next(s, TANDEM_SHARE_ALLOWED);
    while ((e->scopes & scopes) != scopes);
}

/* What was allowed beforehand holds without a question; taken back or over, it is asked for. */
static void allowed_beforehand(uint32_t seconds)
{
    const unsigned control = TANDEM_SHARE_POINTER | TANDEM_SHARE_KEYBOARD;

    start("pattern:still", &(struct tandem_share_offer){.unasked_view = true,
                                                        .allow = TANDEM_SHARE_VIEW | control,
                                                        .allow_s = seconds});
    wait_for_scopes(&viewer, control);
    if (seconds > 1)
        assert_int_equal(tandem_share_answer(host.share, TANDEM_SHARE_VIEW, 0, NULL), TANDEM_OK);
    assert_int_equal(next(&viewer, TANDEM_SHARE_REVOKED)->scopes & control, 0);
    (void)next(&host, TANDEM_SHARE_REVOKED);
    for (uint32_t i = 0; i < host.seen; i++)
        assert_int_not_equal(host.log[i].kind, TANDEM_SHARE_ASKED);
    assert_int_equal(tandem_share_ask(viewer.share, control), TANDEM_OK);
    assert_int_equal(next(&host, TANDEM_SHARE_ASKED)->scopes, control);
    assert_int_equal(tandem_share_answer(host.share, TANDEM_SHARE_VIEW, 0, NULL), TANDEM_OK);
    (void)next(&viewer, TANDEM_SHARE_REFUSED);
    stop();
}

static void test_allowed(void **state)
{
    (void)state;
    allowed_beforehand(300);
}

static void test_allowed_for_a_second(void **state)
{
    (void)state;
    allowed_beforehand(1);
}

/* The warning beside a stranger's question arrives whole. */
static void test_warned(void **state)
{
    (void)state;
    start("pattern:still", &(struct tandem_share_offer){.unasked_view = true});
    (void)next(&viewer, TANDEM_SHARE_ALLOWED);
    assert_int_equal(tandem_share_ask(viewer.share, TANDEM_SHARE_KEYBOARD), TANDEM_OK);
    const struct tandem_share_event *e = next(&host, TANDEM_SHARE_ASKED);

    assert_non_null(strstr(e->text, "whom you asked for help."));
    stop();
}

/* Ended and given again, in the same call. */
static void test_again(void **state)
{
    const struct tandem_share_offer offer = {.unasked_view = true};
    uint64_t number = 0;

    (void)state;
    start("pattern:scroll", &offer);
    for (int i = 0; i < 3; i++) {
        (void)next(&viewer, TANDEM_SHARE_SHOWN);
        number = exact_after(number);
        tandem_share_end(host.share);
        (void)next(&viewer, TANDEM_SHARE_HIDDEN);
        assert_int_equal(tandem_share_give(host.share, &offer, NULL), TANDEM_OK);
    }
    (void)next(&viewer, TANDEM_SHARE_SHOWN);
    (void)exact_after(number);
    stop();
}

static bool no_audio(const struct tandem_stats *s, uint64_t unused)
{
    (void)unused;
    return !s->audio.active;
}

/* A source where there was none offers the sound by itself. */
static void talk(struct side *s, bool again)
{
    struct tandem_cause cause = {""};

    if (again) {
        assert_int_equal(tandem_set_audio(s->call, true), TANDEM_OK);
        return;
    }
    assert_int_equal(tandem_set_audio_sink(s->call, "null", &cause), TANDEM_OK);
    if (tandem_set_audio_source(s->call, "tone", &cause) != TANDEM_OK)
        fail_msg("%s", cause.text);
}

/* Voice comes when both have asked for it, and goes; the screen goes on over the same connection.
 */
static void test_voice(void **state)
{
    uint64_t number = 0;

    (void)state;
    start("pattern:scroll", &(struct tandem_share_offer){.unasked_view = true});
    number = exact_after(number);
    for (int i = 0; i < 2; i++) {
        talk(&p.a, i > 0);
        number = exact_after(number);
        talk(&p.b, i > 0);
        (void)side_until(&p.a, audio_received_at_least, 20, "voice at the host");
        (void)side_until(&p.b, audio_received_at_least, 20, "voice at the viewer");
        number = exact_after(number);
        assert_int_equal(tandem_set_audio(p.b.call, false), TANDEM_OK);
        (void)side_until(&p.a, no_audio, 0, "silence at the host");
        (void)side_until(&p.b, no_audio, 0, "silence at the viewer");
        number = exact_after(exact_after(number));
    }
    struct tandem_stats a = side_stats(&p.a);

    assert_int_equal(a.channel.reconnects, 0);
    assert_int_equal(a.channel.state, TANDEM_CHANNEL_UP);
    for (uint32_t i = 0; i < viewer.count; i++)
        assert_int_not_equal(viewer.log[i].kind, TANDEM_SHARE_HIDDEN);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shown),
        cmocka_unit_test(test_moving),
        cmocka_unit_test(test_asked),
        cmocka_unit_test(test_allowed),
        cmocka_unit_test(test_allowed_for_a_second),
        cmocka_unit_test(test_warned),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_voice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
