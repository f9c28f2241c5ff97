/* SPDX-License-Identifier: MIT */
/*
 * How calls end and how they never begin: each with its own end and a sentence that says what to
 * do; and a peer that vanishes without a word.
 */
#include "tests/live/pair.h"

#include "engine/engine.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static struct tandem_event dial_until_end(struct pair *p, const char *to)
{
    struct tandem_cause cause = {""};

    if (tandem_dial(p->a.engine, to, &pair_media, &p->a.call, &cause) != TANDEM_OK)
        fail_msg("dial %s: %s", to, cause.text);
    return side_wait(&p->a, TANDEM_EVENT_ENDED);
}

static void dial_b(struct pair *p, const struct tandem_media *media)
{
    struct tandem_cause cause = {""};

    pair_open(p);
    if (tandem_dial(p->a.engine, p->to, media, &p->a.call, &cause) != TANDEM_OK)
        fail_msg("dial: %s", cause.text);
    (void)side_wait(&p->b, TANDEM_EVENT_INCOMING);
}

static void check_end(struct side *s, int end, const char *word)
{
    struct tandem_event event = side_wait(s, TANDEM_EVENT_ENDED);

    if (!strstr(event.text, word))
        fail_msg("%s: \"%s\" does not say \"%s\"", s->name, event.text, word);
    assert_int_equal(event.value, end);
    assert_int_equal(side_count(s, TANDEM_EVENT_ENDED), 1);
}

static void declined(void **state)
{
    struct pair p;

    (void)state;
    dial_b(&p, &pair_media);
    assert_int_equal(tandem_reject(p.b.call, false), TANDEM_OK);
    check_end(&p.a, TANDEM_END_DECLINED, "");
    check_end(&p.b, TANDEM_END_HERE, "");
    pair_close(&p);
}

static void busy(void **state)
{
    struct pair p;

    (void)state;
    dial_b(&p, &pair_media);
    assert_int_equal(tandem_reject(p.b.call, true), TANDEM_OK);
    check_end(&p.a, TANDEM_END_BUSY, "busy");
    pair_close(&p);
}

static void cancelled(void **state)
{
    struct pair p;

    (void)state;
    dial_b(&p, &pair_media);
    (void)side_wait(&p.a, TANDEM_EVENT_RINGING);
    assert_int_equal(tandem_hangup(p.a.call), TANDEM_OK);
    check_end(&p.b, TANDEM_END_CANCELLED, "");
    (void)side_wait(&p.a, TANDEM_EVENT_ENDED);
    /* Too late to answer: an error, not a crash. */
    struct tandem_cause cause = {""};

    assert_int_equal(tandem_answer(p.b.call, &pair_media, &cause), TANDEM_INVALID);
    assert_string_not_equal(cause.text, "");
    pair_close(&p);
}

static void no_answer(void **state)
{
    struct tandem_media media = pair_media;
    struct pair p;

    (void)state;
    media.ring_seconds = 1;
    dial_b(&p, &media);
    check_end(&p.a, TANDEM_END_NO_ANSWER, "answer");
    (void)side_wait(&p.b, TANDEM_EVENT_ENDED);
    pair_close(&p);
}

static void no_common_codec(void **state)
{
    struct tandem_media a = pair_media, b = pair_media;
    struct tandem_cause cause = {""};
    struct pair p;

    (void)state;
    a.video_codecs = "vp8";
    a.audio_codecs = "pcma";
    b.video_codecs = "h264";
    b.audio_codecs = "l16";
    dial_b(&p, &a);
    (void)tandem_answer(p.b.call, &b, &cause);
    check_end(&p.a, TANDEM_END_NO_COMMON_CODEC, "codec");
    (void)side_wait(&p.b, TANDEM_EVENT_ENDED);
    pair_close(&p);
}

/* One stream in common is a call. */
static void only_sound_in_common(void **state)
{
    struct tandem_media a = pair_media, b = pair_media;
    struct pair p;

    (void)state;
    a.video_codecs = "vp8";
    b.video_codecs = "h264";
    pair_start(&p, &a, &b);
    assert_false(side_until(&p.b, audio_received_at_least, 30, "sound").video.active);
    pair_hang_up(&p);
    pair_close(&p);
}

static void nobody_there(void **state)
{
    struct pair p;
    struct tandem_event event;

    (void)state;
    pair_open(&p);
    event = dial_until_end(&p, "127.0.0.1:9");
    assert_int_equal(event.value, TANDEM_END_UNREACHABLE);
    assert_string_not_equal(event.text, "");
    event = dial_until_end(&p, "sip:x@127.0.0.1:9;transport=tcp");
    assert_int_equal(event.value, TANDEM_END_UNREACHABLE);
    pair_close(&p);
}

/* A refusal at once or an ENDED event: either way with the name in the sentence. */
static void unknown_host(void **state)
{
    struct tandem_cause cause = {""};
    struct pair p;

    (void)state;
    pair_open(&p);
    if (tandem_dial(p.a.engine, "sip:x@no-such-host.invalid", &pair_media, &p.a.call, &cause) ==
        TANDEM_OK) {
        struct tandem_event event = side_wait(&p.a, TANDEM_EVENT_ENDED);

        assert_true(event.value == TANDEM_END_UNREACHABLE || event.value == TANDEM_END_NOT_FOUND);
        (void)snprintf(cause.text, sizeof cause.text, "%.255s", event.text);
    }
    if (!strstr(cause.text, "no-such-host.invalid"))
        fail_msg("\"%s\" does not name the host", cause.text);
    pair_close(&p);
}

static void hopeless_address(void **state)
{
    static const char *const addresses[] = {
        "", "sip:", "not an address", "@", "10.0.0.1:99999", "sip:a@b@c", "[::", "\r\nVia: x"};
    struct tandem_cause cause;
    struct pair p;

    (void)state;
    pair_open(&p);
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        cause.text[0] = 0;
        if (tandem_dial(p.a.engine, addresses[i], &pair_media, &p.a.call, &cause) == TANDEM_OK)
            fail_msg("\"%s\" was dialled", addresses[i]);
        if (!cause.text[0])
            fail_msg("\"%s\": no cause", addresses[i]);
    }
    pair_close(&p);
}

static const struct wrong {
    struct tandem_media media;
    const char *word; /* That the cause must have. */
} wrongs[] = {
    {{.video_source = "telescope"}, "pattern"},
    {{.video_source = "file:/no/such.mp4"}, "/no/such.mp4"},
    {{.video_source = "file:"}, "file"},
    {{.video_source = "cam:/dev/no-such-camera"}, "/dev/no-such-camera"},
    {{.video_source = "screen:no-such-display"}, "no-such-display"},
    {{.video_source = "pattern", .audio_source = "drum"}, "tone"},
    {{.video_source = "pattern", .audio_source = "tone:soprano"}, "soprano"},
    {{.video_source = "pattern", .audio_source = "file:/etc"}, "/etc"},
    {{.video_source = "pattern", .audio_source = "tone", .video_codecs = "mpeg1"}, "vp8"},
    {{.video_source = "pattern", .audio_source = "tone", .audio_codecs = "mp3"}, "opus"},
    {{.video_source = "pattern", .audio_source = "tone", .width = 321}, "321"},
    {{.video_source = "pattern", .audio_source = "tone", .fps = 1000}, "120"},
    {{.video_source = "pattern", .audio_source = "tone", .audio_frame_us = 7000}, "40 or 60"},
    {{.video_source = "pattern", .audio_source = "tone", .video_bps = 1}, "bit/s"},
    {{.video_source = "pattern", .audio_source = "tone", .record_path = "/no/such/x.mkv"},
     "/no/such/x.mkv"},
    {{.video_source = "pattern", .audio_source = "tone", .sheet_path = "/no/such/x.png"},
     "/no/such/x.png"},
};

/* The same at both ends: dialling and answering. */
static void wrong_media(void **state)
{
    struct tandem_cause cause;
    struct tandem_call *call;
    struct pair p;

    (void)state;
    dial_b(&p, &pair_media);
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        cause.text[0] = 0;
        assert_int_not_equal(tandem_dial(p.a.engine, p.to, &wrongs[i].media, &call, &cause),
                             TANDEM_OK);
        if (!strstr(cause.text, wrongs[i].word))
            fail_msg("dial %zu: \"%s\" does not say \"%s\"", i, cause.text, wrongs[i].word);
        cause.text[0] = 0;
        assert_int_not_equal(tandem_answer(p.b.call, &wrongs[i].media, &cause), TANDEM_OK);
        if (!strstr(cause.text, wrongs[i].word))
            fail_msg("answer %zu: \"%s\" does not say \"%s\"", i, cause.text, wrongs[i].word);
    }
    /* The call still rings and can be answered properly. */
    assert_int_equal(tandem_answer(p.b.call, &pair_media, &cause), TANDEM_OK);
    (void)side_wait(&p.a, TANDEM_EVENT_UP);
    (void)side_wait(&p.b, TANDEM_EVENT_UP);
    assert_int_equal(tandem_answer(p.b.call, &pair_media, &cause), TANDEM_INVALID);
    pair_hang_up(&p);
    pair_close(&p);
}

static void wrong_moment(void **state)
{
    struct tandem_cause cause = {""};
    struct tandem_stats stats;
    struct pair p;

    (void)state;
    dial_b(&p, &pair_media);
    assert_int_not_equal(tandem_send_digit(p.b.call, '1', 80, &cause), TANDEM_OK);
    assert_int_not_equal(tandem_record(p.b.call, "/tmp/never.mkv", &cause), TANDEM_OK);
    assert_int_not_equal(tandem_call_snapshot(p.b.call, "/tmp/never.png", &cause), TANDEM_OK);
    (void)tandem_hold(p.b.call, true);
    (void)tandem_mute(p.b.call, true);
    (void)tandem_set_video(p.b.call, false);
    (void)tandem_set_overlay(p.b.call, "x");
    assert_int_equal(tandem_call_stats(p.b.call, &stats), TANDEM_OK);
    assert_int_equal(stats.state, TANDEM_STATE_INCOMING);
    assert_int_equal(tandem_hangup(p.a.call), TANDEM_OK);
    (void)side_wait(&p.a, TANDEM_EVENT_ENDED);
    (void)side_wait(&p.b, TANDEM_EVENT_ENDED);
    /* Everything on a call that is over is refused or ignored. */
    assert_int_not_equal(tandem_send_digit(p.a.call, '1', 80, &cause), TANDEM_OK);
    assert_int_not_equal(tandem_record(p.a.call, "/tmp/never.mkv", &cause), TANDEM_OK);
    assert_int_not_equal(tandem_call_snapshot(p.a.call, "/tmp/never.png", &cause), TANDEM_OK);
    (void)tandem_hold(p.a.call, true);
    (void)tandem_hangup(p.a.call);
    tandem_call_release(p.a.call);
    tandem_call_release(p.b.call);
    tandem_call_release(NULL);
    pair_close(&p);
    tandem_destroy(NULL);
}

static void port_taken(void **state)
{
    struct tandem_config config = {.bind_address = "127.0.0.1", .listen = true};
    struct tandem_cause cause = {""};
    struct tandem *engine = NULL;
    char number[16];
    struct pair p;

    (void)state;
    pair_open(&p);
    config.sip_port = tandem_port(p.b.engine);
    (void)snprintf(number, sizeof number, "%u", config.sip_port);
    assert_int_not_equal(tandem_create(&config, &engine, &cause), TANDEM_OK);
    if (!strstr(cause.text, number))
        fail_msg("\"%s\" does not name port %s", cause.text, number);
    config.sip_port_may_change = true;
    assert_int_equal(tandem_create(&config, &engine, &cause), TANDEM_OK);
    assert_int_not_equal(tandem_port(engine), config.sip_port);
    tandem_destroy(engine);
    config.bind_address = "not-an-address";
    assert_int_not_equal(tandem_create(&config, &engine, &cause), TANDEM_OK);
    assert_string_not_equal(cause.text, "");
    pair_close(&p);
}

/* Destroying an engine says good-bye for its calls, whatever their state. */
static void destroy_says_goodbye(void **state)
{
    struct pair p;

    (void)state;
    pair_start(&p, &pair_media, &pair_media);
    tandem_destroy(p.a.engine);
    check_end(&p.b, TANDEM_END_THERE, "");
    tandem_destroy(p.b.engine);
    dial_b(&p, &pair_media);
    tandem_destroy(p.a.engine);
    check_end(&p.b, TANDEM_END_CANCELLED, "");
    tandem_destroy(p.b.engine);
    dial_b(&p, &pair_media);
    tandem_destroy(p.b.engine);
    (void)side_wait(&p.a, TANDEM_EVENT_ENDED);
    tandem_destroy(p.a.engine);
}

/* A child process that answers one call and goes on until it is killed. */
static void answer_until_killed(int to_parent, bool holds)
{
    /* Far from the ports that others take in turn: who got this one after the kill would answer,
     * truly, that it knows no such call. */
    const struct tandem_config config = {.bind_address = "127.0.0.1",
                                         .sip_port = (uint16_t)(20000 + getpid() % 10000),
                                         .sip_port_may_change = true,
                                         .listen = true};
    struct tandem_event event;
    struct tandem *engine;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (tandem_create(&config, &engine, NULL) != TANDEM_OK)
        _exit(1);
    uint16_t port = tandem_port(engine);

    if (write(to_parent, &port, sizeof port) != sizeof port)
        _exit(1);
    while (tandem_wait_event(engine, 60000, &event) == TANDEM_OK)
        if (event.kind == TANDEM_EVENT_INCOMING)
            (void)tandem_answer(event.call, &pair_media, NULL);
        else if (event.kind == TANDEM_EVENT_UP && holds)
            (void)tandem_hold(event.call, true);
    _exit(0);
}

enum holder { NOBODY_HOLDS, WE_HOLD, PEER_HOLDS };

static void vanish(enum holder holder)
{
    struct side a = {.name = "a"};
    const struct tandem_config config = {.bind_address = "127.0.0.1", .sip_port_may_change = true};
    struct tandem_cause cause = {""};
    int pipes[2], status;
    uint16_t port;
    char to[64];

    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();

    if (child == 0)
        answer_until_killed(pipes[1], holder == PEER_HOLDS);
    assert_int_equal(read(pipes[0], &port, sizeof port), sizeof port);
    (void)snprintf(to, sizeof to, "127.0.0.1:%u", port);
    assert_int_equal(tandem_create(&config, &a.engine, &cause), TANDEM_OK);
    a.engine->silence_notice = TDM_S; /* A person would wait longer. */
    a.engine->silence_end = 3 * TDM_S;
    assert_int_equal(tandem_dial(a.engine, to, &pair_media, &a.call, &cause), TANDEM_OK);
    (void)side_wait(&a, TANDEM_EVENT_UP);
    if (holder != PEER_HOLDS)
        (void)side_until(&a, shown_at_least, 5, "a picture");
    if (holder == WE_HOLD)
        assert_int_equal(tandem_hold(a.call, true), TANDEM_OK);
    if (holder != NOBODY_HOLDS)
        (void)side_until(&a, is_held, 0, "hold");
    /* Our offer to hold is answered by then. */
    if (holder == WE_HOLD)
        (void)usleep(500 * 1000);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    struct tandem_event event;

    do
        event = side_wait(&a, TANDEM_EVENT_NOTICE);
    while (!strstr(event.text, "nothing has come from the other side"));
    event = side_wait(&a, TANDEM_EVENT_ENDED);
    assert_int_equal(event.value, TANDEM_END_FAILED);
    assert_non_null(strstr(event.text, "silent"));
    /* Nothing is told about a call behind its end. */
    assert_int_equal(a.log[a.log_count - 1].kind, TANDEM_EVENT_ENDED);
    tandem_destroy(a.engine);
    (void)close(pipes[0]);
    (void)close(pipes[1]);
}

static void peer_vanishes(void **state)
{
    (void)state;
    vanish(NOBODY_HOLDS);
}

/* On hold there is less to hear, but not nothing: reports go on. */
static void held_peer_vanishes(void **state)
{
    (void)state;
    vanish(WE_HOLD);
}

static void holding_peer_vanishes(void **state)
{
    (void)state;
    vanish(PEER_HOLDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peer_vanishes), /* First: these fork. */
        cmocka_unit_test(held_peer_vanishes),
        cmocka_unit_test(holding_peer_vanishes),
        cmocka_unit_test(declined),
        cmocka_unit_test(busy),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(no_answer),
        cmocka_unit_test(no_common_codec),
        cmocka_unit_test(only_sound_in_common),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(unknown_host),
        cmocka_unit_test(hopeless_address),
        cmocka_unit_test(wrong_media),
        cmocka_unit_test(wrong_moment),
        cmocka_unit_test(port_taken),
        cmocka_unit_test(destroy_says_goodbye),
    };

    return cmocka_run_group_tests(tests, NULL, pair_files_remove);
}
