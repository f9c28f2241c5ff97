/* SPDX-License-Identifier: MIT */
#include "tests/live/sharer.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct tandem_media alone = {.video_source = "off",
                                          .video_sink = "off",
                                          .audio_source = "off",
                                          .audio_sink = "off",
                                          .channel = true};

struct pair sharers;
struct sharer host, viewer;
const struct tandem_config *sharers_config[2];

int64_t sharer_now_ms(void)
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
    side_drain(&sharers.a);
    side_drain(&sharers.b);
    while (s->count < 512 && tandem_share_next_event(s->share, &s->log[s->count]) == TANDEM_OK)
        s->count++;
    assert_true(s->count < 512);
}

void sharers_wait(void)
{
    struct pollfd fds[] = {{.fd = tandem_share_event_fd(host.share), .events = POLLIN},
                           {.fd = tandem_share_event_fd(viewer.share), .events = POLLIN},
                           {.fd = tandem_share_picture_fd(viewer.share), .events = POLLIN}};

    (void)poll(fds, 3, 50);
    drain(&host);
    drain(&viewer);
}

/* The next event of `kind`; what came before it is passed. */
const struct tandem_share_event *sharer_next(struct sharer *s, enum tandem_share_event_kind kind)
{
    int64_t until = sharer_now_ms() + PAIR_PATIENCE_MS;

    for (;;) {
        while (s->seen < s->count)
            if (s->log[s->seen++].kind == kind)
                return &s->log[s->seen - 1];
        if (sharer_now_ms() > until) {
            for (uint32_t i = 0; i < s->count; i++)
                print_message("%d: %s\n", (int)s->log[i].kind, s->log[i].text);
            fail_msg("no event of kind %d at the %s", (int)kind, s == &host ? "host" : "viewer");
        }
        sharers_wait();
    }
}

void sharers_start_with(const char *desktop, const struct tandem_share_offer *offer,
                        const struct tandem_media *media)
{
    struct tandem_media a = *media, b = *media;
    struct tandem_cause cause = {""};

    open_sharer(&host, desktop);
    open_sharer(&viewer, NULL);
    a.channel = b.channel = true;
    a.share = host.share;
    b.share = viewer.share;
    if (tandem_share_give(host.share, offer, &cause) != TANDEM_OK)
        fail_msg("%s", cause.text);
    pair_open_with(&sharers, sharers_config[0], sharers_config[1]);
    pair_call(&sharers, &a, &b);
}

void sharers_start(const char *desktop, const struct tandem_share_offer *offer)
{
    sharers_start_with(desktop, offer, &alone);
}

void sharers_stop(void)
{
    pair_hang_up(&sharers);
    pair_close(&sharers);
    tandem_share_destroy(host.share);
    tandem_share_destroy(viewer.share);
}

/* Waits for a picture that is exact and newer than `number`; returns its number. */
uint64_t sharer_exact_after(uint64_t number)
{
    static struct tandem_share_picture picture;
    int64_t until = sharer_now_ms() + PAIR_PATIENCE_MS;

    for (;;) {
        if (tandem_share_picture(viewer.share, 0, &picture) == TANDEM_OK) {
            uint64_t got = picture.number;
            bool exact = picture.exact;

            tandem_share_picture_done(viewer.share);
            if (exact && got > number)
                return got;
        }
        if (sharer_now_ms() > until)
            fail_msg("no exact picture");
        sharers_wait();
    }
}

bool sharer_no_audio(const struct tandem_stats *s, uint64_t unused)
{
    (void)unused;
    return !s->audio.active;
}

/* A source where there was none offers the sound by itself. */
void sharer_talk(struct side *s, bool again)
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
