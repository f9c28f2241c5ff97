/* SPDX-License-Identifier: MIT */
/* Two call machines against each other over the in-memory backend, in virtual time. */
#include "signalling/call_perform.h"
#include "signalling/sdp.h"
#include "signalling/sig_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct side {
    struct tdm_sig *sig;
    struct tdm_call_machine machine;
    struct tdm_call_out out;
    tdm_time wake_at;
    uint32_t state_changes, media_changes, refusals;
    char digit;
    bool rang;
};

struct world {
    struct tdm_sig_wire *wire;
    struct side a, b; /* a calls. */
    tdm_time now;
    uint64_t seed;
};

static struct tdm_capability capability(uint16_t port, bool video)
{
    struct tdm_capability c;

    memset(&c, 0, sizeof c);
    c.plain = true;
    (void)snprintf(c.address, sizeof c.address, "127.0.0.1");
    tdm_capability_add(&c, TDM_AUDIO, TDM_CODEC_OPUS, 96, 48000, 2, "useinbandfec=1");
    tdm_capability_add(&c, TDM_AUDIO, TDM_CODEC_PCMU, 0, 8000, 1, NULL);
    tdm_capability_add(&c, TDM_AUDIO, TDM_CODEC_TELEPHONE_EVENT, 101, 48000, 1, "0-16");
    tdm_capability_add(&c, TDM_VIDEO, TDM_CODEC_VP8, 97, 90000, 1, NULL);
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        c.media[kind].direction = TDM_SENDRECV;
        c.media[kind].port = (uint16_t)(port + 2 * kind);
        c.media[kind].rtcp_mux = true;
    }
    c.media[TDM_AUDIO].wanted = true;
    c.media[TDM_VIDEO].wanted = video;
    return c;
}

static void world_open(struct world *w, uint64_t seed, double loss, double duplicate, bool video)
{
    struct tdm_sig_wire_config wire = {.seed = seed,
                                       .delay_min = 5 * TDM_MS,
                                       .delay_max = loss > 0 ? 400 * TDM_MS : 20 * TDM_MS,
                                       .loss = loss,
                                       .duplicate = duplicate};
    struct tdm_capability ca = capability(7000, video), cb = capability(8000, video);

    memset(w, 0, sizeof *w);
    w->seed = seed;
    w->wire = tdm_sig_wire_create(&wire);
    assert_non_null(w->wire);
    assert_int_equal(tdm_sig_memory.open(&w->a.sig,
                                         &(struct tdm_sig_config){.wire = w->wire, .user = "alice"},
                                         NULL),
                     TDM_OK);
    assert_int_equal(tdm_sig_memory.open(
                         &w->b.sig, &(struct tdm_sig_config){.wire = w->wire, .user = "bob"}, NULL),
                     TDM_OK);
    tdm_call_init(&w->a.machine, &ca, seed * 2 + 1);
    tdm_call_init(&w->b.machine, &cb, seed * 2 + 2);
    w->a.wake_at = w->b.wake_at = TDM_NEVER;
}

static void world_close(struct world *w)
{
    tdm_sig_memory.close(w->a.sig);
    tdm_sig_memory.close(w->b.sig);
    tdm_sig_wire_destroy(w->wire);
}

static void check(const struct world *w, const struct side *side)
{
    const struct tdm_call_machine *m = &side->machine;
    bool waiting = m->state != TDM_CALL_IDLE && m->state != TDM_CALL_ENDED &&
                   (m->state != TDM_CALL_UP || m->reoffering);

    /* Never stuck: every state that waits for somebody has an end; no wake lies in the past
     * twice; a call that ended says why. */
    if ((waiting && side->wake_at == TDM_NEVER) ||
        (m->state == TDM_CALL_ENDED && (m->end == TDM_END_NONE || !m->reason[0])))
        fail_msg("seed %llu: %s, wake %lld, end %d \"%s\"", (unsigned long long)w->seed,
                 tdm_call_state_name(m->state), (long long)side->wake_at, (int)m->end, m->reason);
}

static void side_step(struct world *w, struct side *side, const struct tdm_call_in *in)
{
    tdm_call_step(&side->machine, w->now, in, &side->out);
    side->state_changes += side->out.state_changed;
    side->media_changes += side->out.media_changed;
    side->refusals += side->out.refused;
    side->wake_at = side->out.wake_at;
    tdm_call_perform(&side->machine, w->now, &tdm_sig_memory, side->sig, &side->out);
    side->wake_at = tdm_time_min(side->wake_at, side->out.wake_at);
    check(w, side);
}

static void pull(struct world *w, struct side *side)
{
    struct tdm_sig_event event;

    while (tdm_sig_memory.next(side->sig, &event) == TDM_OK) {
        if (event.kind == TDM_SIG_DTMF_INFO)
            side->digit = event.digit;
        if (event.kind == TDM_SIG_RINGING)
            side->rang = true;
        if (event.kind != TDM_SIG_CALL_IN && event.id != side->machine.id)
            continue;
        side_step(w, side, &(struct tdm_call_in){.kind = TDM_CALL_EVENT, .event = &event});
    }
}

/* Runs until `until`, event by event. */
static void run(struct world *w, tdm_time until)
{
    for (int guard = 0; guard < 100000; guard++) {
        (void)tdm_sig_wire_step(w->wire, w->now);
        pull(w, &w->a);
        pull(w, &w->b);
        if (w->a.wake_at <= w->now)
            side_step(w, &w->a, NULL);
        if (w->b.wake_at <= w->now)
            side_step(w, &w->b, NULL);
        tdm_time wake = tdm_time_min(tdm_sig_wire_step(w->wire, w->now),
                                     tdm_time_min(w->a.wake_at, w->b.wake_at));

        if (wake > until) {
            w->now = until;
            (void)tdm_sig_wire_step(w->wire, w->now);
            return;
        }
        w->now = tdm_time_max(wake, w->now);
    }
    fail_msg("seed %llu: no end in sight", (unsigned long long)w->seed);
}

static void input(struct world *w, struct side *side, enum tdm_call_input kind)
{
    side_step(w, side, &(struct tdm_call_in){.kind = kind});
}

static void input_media(struct world *w, struct side *side, enum tdm_call_input kind,
                        enum tdm_media_kind media)
{
    side_step(w, side, &(struct tdm_call_in){.kind = kind, .media = media});
}

static void dial(struct world *w)
{
    side_step(w, &w->a, &(struct tdm_call_in){.kind = TDM_CALL_DIAL, .uri = "sip:bob"});
}

static void dial_and_accept(struct world *w)
{
    dial(w);
    run(w, w->now + TDM_S);
    assert_int_equal(w->a.machine.state, TDM_CALL_RINGING_OUT);
    assert_int_equal(w->b.machine.state, TDM_CALL_INCOMING);
    input(w, &w->b, TDM_CALL_ACCEPT);
    run(w, w->now + TDM_S);
    assert_int_equal(w->a.machine.state, TDM_CALL_UP);
    assert_int_equal(w->b.machine.state, TDM_CALL_UP);
}

static const struct tdm_negotiated_media *media_of(const struct side *side, int kind)
{
    return &side->machine.negotiated.media[kind];
}

static void rings_accepts_and_hangs_up(void **state)
{
    struct world w;

    (void)state;
    world_open(&w, 1, 0, 0, true);
    dial_and_accept(&w);
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        assert_true(media_of(&w.a, kind)->active && media_of(&w.b, kind)->active);
        assert_int_equal(media_of(&w.a, kind)->remote_port, 8000 + 2 * kind);
        assert_int_equal(media_of(&w.b, kind)->remote_port, 7000 + 2 * kind);
    }
    assert_int_equal(media_of(&w.a, TDM_AUDIO)->dtmf_send_type, 101);
    assert_string_equal(w.b.machine.peer, "sip:alice");
    side_step(&w, &w.b, &(struct tdm_call_in){.kind = TDM_CALL_DTMF_INFO, .digit = '7'});
    run(&w, w.now + TDM_S);
    assert_int_equal(w.a.digit, '7');
    input(&w, &w.a, TDM_CALL_HANG_UP);
    run(&w, w.now + TDM_S);
    assert_int_equal(w.a.machine.state, TDM_CALL_ENDED);
    assert_int_equal(w.b.machine.state, TDM_CALL_ENDED);
    assert_int_equal(w.a.machine.end, TDM_END_LOCAL);
    assert_int_equal(w.b.machine.end, TDM_END_REMOTE);
    world_close(&w);
}

static void says_how_a_call_was_not_taken(void **state)
{
    static const struct {
        uint16_t code;
        enum tdm_call_end end;
        const char *words;
    } rows[] = {
        {486, TDM_END_BUSY, "busy"},        {603, TDM_END_DECLINED, "declined"},
        {480, TDM_END_NO_ANSWER, "nobody"}, {404, TDM_END_NOT_FOUND, "nobody of that name"},
        {0, TDM_END_DECLINED, "declined"},  {503, TDM_END_FAILED, "takes no calls"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world w;

        world_open(&w, i, 0, 0, false);
        dial(&w);
        run(&w, w.now + TDM_S);
        side_step(&w, &w.b, &(struct tdm_call_in){.kind = TDM_CALL_REJECT, .code = rows[i].code});
        run(&w, w.now + 10 * TDM_S);
        assert_int_equal(w.a.machine.state, TDM_CALL_ENDED);
        assert_int_equal(w.a.machine.end, rows[i].end);
        assert_non_null(strstr(w.a.machine.reason, rows[i].words));
        assert_int_equal(w.b.machine.state, TDM_CALL_ENDED);
        assert_int_equal(w.b.machine.end, TDM_END_LOCAL);
        world_close(&w);
    }
}

static void cancels_and_times_out(void **state)
{
    struct world w;

    (void)state;
    world_open(&w, 3, 0, 0, false);
    dial(&w);
    run(&w, w.now + TDM_S);
    input(&w, &w.a, TDM_CALL_HANG_UP);
    run(&w, w.now + 10 * TDM_S);
    assert_int_equal(w.a.machine.end, TDM_END_LOCAL);
    assert_int_equal(w.b.machine.end, TDM_END_CANCELLED);
    world_close(&w);

    world_open(&w, 4, 0, 0, false);
    w.a.machine.no_answer_after = 30 * TDM_S;
    dial(&w);
    run(&w, w.now + 29 * TDM_S);
    assert_int_equal(w.a.machine.state, TDM_CALL_RINGING_OUT);
    run(&w, w.now + 10 * TDM_S);
    assert_int_equal(w.a.machine.end, TDM_END_NO_ANSWER);
    assert_non_null(strstr(w.a.machine.reason, "30 s"));
    assert_int_equal(w.b.machine.end, TDM_END_CANCELLED);
    world_close(&w);

    world_open(&w, 5, 0, 0, false);
    w.b.machine.no_answer_after = 20 * TDM_S;
    dial(&w);
    run(&w, w.now + 30 * TDM_S);
    assert_int_equal(w.b.machine.end, TDM_END_NO_ANSWER);
    assert_int_equal(w.a.machine.end, TDM_END_NO_ANSWER);
    assert_int_equal(w.a.machine.end_code, 480);
    world_close(&w);
}

static void refuses_what_it_cannot_understand(void **state)
{
    struct world w;
    struct tdm_capability only_vp8 = capability(8000, true);

    (void)state;
    world_open(&w, 6, 0, 0, false);
    only_vp8.media[TDM_AUDIO].wanted = false;
    tdm_call_init(&w.b.machine, &only_vp8, 9);
    dial(&w);
    run(&w, w.now + 5 * TDM_S);
    assert_false(w.a.rang);
    assert_int_equal(w.a.machine.end, TDM_END_NO_COMMON_CODEC);
    assert_int_equal(w.a.machine.end_code, 488);
    assert_int_equal(w.b.machine.end, TDM_END_NO_COMMON_CODEC);
    world_close(&w);

    world_open(&w, 7, 0, 0, false);
    side_step(&w, &w.a, &(struct tdm_call_in){.kind = TDM_CALL_DIAL, .uri = "sip:nobody"});
    run(&w, w.now + TDM_S);
    assert_int_equal(w.a.machine.end, TDM_END_UNREACHABLE);
    world_close(&w);

    world_open(&w, 8, 0, 0, false);
    side_step(&w, &w.a, &(struct tdm_call_in){.kind = TDM_CALL_DIAL, .uri = "not an address"});
    assert_int_equal(w.a.machine.state, TDM_CALL_ENDED);
    assert_non_null(strstr(w.a.machine.reason, "is no address"));
    world_close(&w);
}

static void corrupt_offer_ends_the_call(void **state)
{
    struct world w;
    struct tdm_sig_body body = {.data = "v=0\r\nrubbish\r\n", .size = 14};
    tdm_sig_id id;

    (void)state;
    world_open(&w, 9, 0, 0, false);
    assert_int_equal(tdm_sig_memory.call(w.a.sig, 0, "sip:bob", &body, &id, NULL), TDM_OK);
    run(&w, w.now + TDM_S);
    assert_int_equal(w.b.machine.state, TDM_CALL_ENDED);
    assert_int_equal(w.b.machine.end_code, 400);
    assert_non_null(strstr(w.b.machine.reason, "SDP line 2"));
    world_close(&w);
}

/* An invitation without SDP: bob offers, and the ACK must bring the answer. */
static void offers_late(void **state)
{
    struct world w;
    struct tdm_sig_event event;
    struct tdm_offer_answer oa;
    struct tdm_media_desc offer, answer;
    struct tdm_negotiated negotiated;
    struct tdm_capability c = capability(7000, false);
    char text[TDM_SDP_MAX];
    size_t size;

    (void)state;
    world_open(&w, 10, 0, 0, false);
    memset(&event, 0, sizeof event);
    event.kind = TDM_SIG_CALL_IN;
    event.id = 5;
    tdm_call_step(&w.b.machine, 0, &(struct tdm_call_in){.kind = TDM_CALL_EVENT, .event = &event},
                  &w.b.out);
    assert_int_equal(w.b.out.command, TDM_CALL_DO_RING);
    tdm_call_step(&w.b.machine, 1, &(struct tdm_call_in){.kind = TDM_CALL_ACCEPT}, &w.b.out);
    assert_int_equal(w.b.out.command, TDM_CALL_DO_ACCEPT);
    assert_false(w.b.out.media_changed);
    assert_int_equal(tdm_sdp_parse(w.b.out.body, w.b.out.body_size, &offer, NULL), TDM_OK);
    tdm_offer_answer_init(&oa, 1);
    assert_int_equal(tdm_answer_make(&oa, &c, &offer, &answer, &negotiated, NULL), TDM_OK);
    assert_int_equal(tdm_sdp_write(&answer, text, sizeof text, &size), TDM_OK);
    event.kind = TDM_SIG_CONFIRMED;
    event.body_size = (uint32_t)size;
    memcpy(event.body, text, size);
    tdm_call_step(&w.b.machine, 2, &(struct tdm_call_in){.kind = TDM_CALL_EVENT, .event = &event},
                  &w.b.out);
    assert_true(w.b.out.media_changed);
    assert_int_equal(w.b.machine.state, TDM_CALL_UP);
    assert_int_equal(w.b.machine.negotiated.media[TDM_AUDIO].remote_port, 7000);

    /* The same again, but the ACK brings nothing. */
    tdm_call_init(&w.b.machine, &c, 1);
    event.kind = TDM_SIG_CALL_IN;
    event.body_size = 0;
    tdm_call_step(&w.b.machine, 0, &(struct tdm_call_in){.kind = TDM_CALL_EVENT, .event = &event},
                  &w.b.out);
    tdm_call_step(&w.b.machine, 1, &(struct tdm_call_in){.kind = TDM_CALL_ACCEPT}, &w.b.out);
    event.kind = TDM_SIG_CONFIRMED;
    tdm_call_step(&w.b.machine, 2, &(struct tdm_call_in){.kind = TDM_CALL_EVENT, .event = &event},
                  &w.b.out);
    assert_int_equal(w.b.out.command, TDM_CALL_DO_HANGUP);
    assert_int_equal(w.b.machine.end, TDM_END_FAILED);
    world_close(&w);
}

static void holds_and_resumes(void **state)
{
    struct world w;

    (void)state;
    world_open(&w, 11, 0, 0, true);
    dial_and_accept(&w);
    input(&w, &w.a, TDM_CALL_HOLD);
    run(&w, w.now + TDM_S);
    assert_true(w.a.machine.held_local && w.b.machine.held_remote);
    assert_int_equal(media_of(&w.a, TDM_AUDIO)->direction, TDM_SENDONLY);
    assert_int_equal(media_of(&w.b, TDM_VIDEO)->direction, TDM_RECVONLY);
    input(&w, &w.b, TDM_CALL_HOLD);
    run(&w, w.now + TDM_S);
    assert_int_equal(media_of(&w.a, TDM_AUDIO)->direction, TDM_INACTIVE);
    assert_int_equal(media_of(&w.b, TDM_AUDIO)->direction, TDM_INACTIVE);
    input(&w, &w.a, TDM_CALL_RESUME);
    run(&w, w.now + TDM_S);
    input(&w, &w.b, TDM_CALL_RESUME);
    run(&w, w.now + TDM_S);
    assert_int_equal(media_of(&w.a, TDM_AUDIO)->direction, TDM_SENDRECV);
    assert_int_equal(media_of(&w.b, TDM_VIDEO)->direction, TDM_SENDRECV);
    assert_false(w.a.machine.held_remote || w.b.machine.held_remote);
    assert_false(w.a.machine.reoffering || w.b.machine.reoffering);
    world_close(&w);
}

static void drops_and_adds_video(void **state)
{
    struct world w;

    (void)state;
    world_open(&w, 12, 0, 0, true);
    dial_and_accept(&w);

    struct tdm_negotiated_media audio = *media_of(&w.b, TDM_AUDIO);

    input_media(&w, &w.a, TDM_CALL_MEDIA_OFF, TDM_VIDEO);
    run(&w, w.now + TDM_S);
    assert_false(media_of(&w.a, TDM_VIDEO)->active || media_of(&w.b, TDM_VIDEO)->active);
    assert_memory_equal(&audio, media_of(&w.b, TDM_AUDIO), sizeof audio);

    /* Bob's next offer is for something else and must not bring the video back. */
    input(&w, &w.b, TDM_CALL_HOLD);
    run(&w, w.now + TDM_S);
    assert_false(media_of(&w.a, TDM_VIDEO)->active || media_of(&w.b, TDM_VIDEO)->active);
    input(&w, &w.b, TDM_CALL_RESUME);
    run(&w, w.now + TDM_S);

    input_media(&w, &w.b, TDM_CALL_MEDIA_ON, TDM_VIDEO);
    run(&w, w.now + TDM_S);
    assert_false(media_of(&w.a, TDM_VIDEO)->active); /* Alice switched hers off. */
    input_media(&w, &w.a, TDM_CALL_MEDIA_ON, TDM_VIDEO);
    run(&w, w.now + TDM_S);
    assert_true(media_of(&w.a, TDM_VIDEO)->active && media_of(&w.b, TDM_VIDEO)->active);
    assert_int_equal(media_of(&w.a, TDM_VIDEO)->line_index, 1);
    assert_int_equal(media_of(&w.b, TDM_AUDIO)->line_index, 0);
    assert_int_equal(w.a.machine.oa.local.media_count, 2);
    world_close(&w);
}

static void survives_glare(void **state)
{
    struct world w;

    (void)state;
    world_open(&w, 13, 0, 0, true);
    dial_and_accept(&w);
    input(&w, &w.a, TDM_CALL_HOLD);
    input_media(&w, &w.b, TDM_CALL_MEDIA_OFF, TDM_VIDEO);
    assert_true(w.a.machine.reoffering && w.b.machine.reoffering);
    run(&w, w.now + 8 * TDM_S);
    assert_false(w.a.machine.reoffering || w.b.machine.reoffering);
    assert_true(w.a.machine.held_local && w.b.machine.held_remote);
    assert_false(media_of(&w.a, TDM_VIDEO)->active || media_of(&w.b, TDM_VIDEO)->active);
    world_close(&w);
}

/* Their offer was on its way to us when we sent ours to the backend. */
static void refuses_an_offer_that_crosses_ours(void **state)
{
    struct world w;
    struct tdm_sig_event event;

    (void)state;
    world_open(&w, 16, 0, 0, true);
    dial_and_accept(&w);
    input(&w, &w.a, TDM_CALL_HOLD);
    memset(&event, 0, sizeof event);
    event.kind = TDM_SIG_OFFER;
    event.id = w.a.machine.id;
    tdm_call_step(&w.a.machine, w.now,
                  &(struct tdm_call_in){.kind = TDM_CALL_EVENT, .event = &event}, &w.a.out);
    assert_int_equal(w.a.out.command, TDM_CALL_DO_ANSWER);
    assert_int_equal(w.a.out.code, 491);
    assert_int_equal(w.a.out.body_size, 0);
    run(&w, w.now + TDM_S);
    assert_true(w.b.machine.held_remote && !w.a.machine.reoffering);
    world_close(&w);
}

static void peer_vanishes(void **state)
{
    struct world w;

    (void)state;
    world_open(&w, 14, 0, 0, false);
    dial_and_accept(&w);
    tdm_sig_wire_set_loss(w.wire, 1, 0);
    input(&w, &w.a, TDM_CALL_HOLD);
    run(&w, w.now + 60 * TDM_S);
    assert_int_equal(w.a.machine.state, TDM_CALL_ENDED);
    assert_non_null(strstr(w.a.machine.reason, "no longer answers"));
    input(&w, &w.b, TDM_CALL_HANG_UP);
    run(&w, w.now + 60 * TDM_S);
    assert_int_equal(w.b.machine.state, TDM_CALL_ENDED);
    assert_int_equal(w.b.machine.end, TDM_END_LOCAL);
    world_close(&w);

    /* The 200 gets through, the ACK never does. */
    world_open(&w, 15, 0, 0, false);
    dial(&w);
    run(&w, w.now + TDM_S);
    tdm_sig_wire_set_loss(w.wire, 1, 0);
    input(&w, &w.b, TDM_CALL_ACCEPT);
    run(&w, w.now + 60 * TDM_S);
    assert_int_equal(w.b.machine.state, TDM_CALL_ENDED);
    assert_int_equal(w.b.machine.end, TDM_END_FAILED);
    assert_int_equal(w.a.machine.state, TDM_CALL_ENDED);
    assert_int_equal(w.a.machine.end, TDM_END_NO_ANSWER);
    world_close(&w);
}

/* Whatever either user does, in any order, over a bad wire: both end, in words, and while both
 * are up and quiet they agree about the media. */
static void random_user(struct world *w, struct side *side, struct tdm_rng *rng)
{
    static const enum tdm_call_input inputs[] = {
        TDM_CALL_HOLD,   TDM_CALL_RESUME,    TDM_CALL_MEDIA_ON, TDM_CALL_MEDIA_OFF,
        TDM_CALL_ACCEPT, TDM_CALL_DTMF_INFO, TDM_CALL_ACCEPT,
    };
    struct tdm_call_in in = {
        .kind = inputs[tdm_rng_below(rng, 7)], .media = TDM_VIDEO, .digit = '1'};

    if (tdm_rng_chance(rng, 0.02))
        in.kind = tdm_rng_below(rng, 2) ? TDM_CALL_HANG_UP : TDM_CALL_REJECT;
    side_step(w, side, &in);
}

static void agree_when_quiet(const struct world *w)
{
    const struct tdm_call_machine *a = &w->a.machine, *b = &w->b.machine;

    if ((a->state == TDM_CALL_UP) != (b->state == TDM_CALL_UP))
        fail_msg("seed %llu: %s here, %s there (\"%s\", \"%s\")", (unsigned long long)w->seed,
                 tdm_call_state_name(a->state), tdm_call_state_name(b->state), a->reason,
                 b->reason);
    if (a->state != TDM_CALL_UP)
        return;
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        const struct tdm_negotiated_media *ma = &a->negotiated.media[kind];
        const struct tdm_negotiated_media *mb = &b->negotiated.media[kind];
        unsigned back = (unsigned)(mb->direction & 1) << 1 | (unsigned)mb->direction >> 1;

        if (ma->active != mb->active || (ma->active && (unsigned)ma->direction != back))
            fail_msg("seed %llu: kind %d: %d/%d here, %d/%d there", (unsigned long long)w->seed,
                     kind, ma->active, (int)ma->direction, mb->active, (int)mb->direction);
    }
    if (a->held_local != b->held_remote && a->negotiated.media[TDM_AUDIO].active)
        fail_msg("seed %llu: hold differs", (unsigned long long)w->seed);
}

struct tally {
    uint32_t up, failed, held, without_video, reoffers;
};

static void count(const struct world *w, struct tally *tally)
{
    const struct tdm_call_machine *a = &w->a.machine, *b = &w->b.machine;

    tally->up += a->state == TDM_CALL_UP;
    tally->held += a->state == TDM_CALL_UP && (a->held_local || b->held_local);
    tally->without_video += a->state == TDM_CALL_UP && !a->negotiated.media[TDM_VIDEO].active;
    tally->failed +=
        a->end == TDM_END_FAILED || b->end == TDM_END_FAILED || a->end == TDM_END_UNREACHABLE;
    tally->reoffers += w->a.media_changes + w->b.media_changes;
}

static void one_seed(uint64_t seed, struct tally *tally)
{
    struct tdm_rng rng = tdm_rng_of(seed ^ 0x5eed);
    double loss = seed % 3 ? 0.25 * tdm_rng_unit(&rng) : 0;
    struct world w;

    world_open(&w, seed, loss, loss / 2, true);
    dial(&w);
    for (int i = 0; i < 30; i++) {
        run(&w, w.now + (tdm_time)tdm_rng_below(&rng, 3000) * TDM_MS);
        random_user(&w, tdm_rng_below(&rng, 2) ? &w.a : &w.b, &rng);
    }
    if (w.b.machine.state == TDM_CALL_INCOMING)
        input(&w, &w.b, TDM_CALL_ACCEPT);
    tdm_sig_wire_set_loss(w.wire, 0, 0);
    run(&w, w.now + 150 * TDM_S);
    agree_when_quiet(&w);
    count(&w, tally);
    input(&w, &w.a, TDM_CALL_HANG_UP);
    run(&w, w.now + 150 * TDM_S);
    assert_int_equal(w.a.machine.state, TDM_CALL_ENDED);
    if (w.b.machine.state != TDM_CALL_ENDED && w.b.machine.state != TDM_CALL_IDLE)
        fail_msg("seed %llu: bob is left %s", (unsigned long long)seed,
                 tdm_call_state_name(w.b.machine.state));
    world_close(&w);
}

static void thousands_of_seeds(void **state)
{
    struct tally tally = {0};

    (void)state;
    for (uint64_t seed = 1; seed <= 3000; seed++)
        one_seed(seed, &tally);
    print_message("of 3000 calls: %u up at the end, %u held, %u without video, %u failed; "
                  "%u agreements\n",
                  tally.up, tally.held, tally.without_video, tally.failed, tally.reoffers);
    /* At most a quarter of the messages is lost: retransmission carries all but a few calls. */
    assert_true(tally.up > 1000 && tally.held > 300 && tally.without_video > 300);
    assert_true(tally.failed < 5);
    assert_true(tally.reoffers > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rings_accepts_and_hangs_up),
        cmocka_unit_test(says_how_a_call_was_not_taken),
        cmocka_unit_test(cancels_and_times_out),
        cmocka_unit_test(refuses_what_it_cannot_understand),
        cmocka_unit_test(corrupt_offer_ends_the_call),
        cmocka_unit_test(offers_late),
        cmocka_unit_test(holds_and_resumes),
        cmocka_unit_test(drops_and_adds_video),
        cmocka_unit_test(survives_glare),
        cmocka_unit_test(refuses_an_offer_that_crosses_ours),
        cmocka_unit_test(peer_vanishes),
        cmocka_unit_test(thousands_of_seeds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
