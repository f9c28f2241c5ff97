/* SPDX-License-Identifier: MIT */
#include "engine/core/session.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One side sends pictures to the other over 100 ms each way, in steps of a millisecond. */

#define WAY        (100 * TDM_MS)
#define INTERVAL   (33 * TDM_MS)
#define FLIGHT_MAX 4096
#define PARITY     119
#define ULPFEC     120
#define RED        121
#define RTX        97
#define VIDEO      96
#define REFERENCES 6
#define CHAINS     6
#define HEAD_BYTES 32 /* Behind the RTP header: what it covers, and the first of that. */

enum repairs { NONE, WINDOW, GENERIC, GENERIC_RTX, RTX_ALONE };

struct datagram {
    tdm_time at;
    uint8_t to;
    uint16_t size;
    uint8_t bytes[1500];
};

struct rig {
    struct tdm_session *sides[2];
    void *storage[2];
    tdm_time now;
    struct tdm_rng rng;
    bool key_wanted;
    double loss;     /* Of what side 0 sends. */
    uint8_t corrupt; /* XOR of a byte of each repair, in turn those that say what it covers. */
    uint32_t corrupted;
    int drop_next;      /* Packets of side 0. */
    bool resting;       /* No pictures. */
    uint8_t elsewhere;  /* Chains of another agreed codec's encoder; ours has one. */
    tdm_time late_most; /* Of the pictures that came out, behind their capture. */
    uint32_t frame, first, last;
    uint64_t frames;
    struct datagram flight[FLIGHT_MAX];
};

static bool is_repair(const struct datagram *d)
{
    uint8_t type = d->bytes[1] & 0x7f;

    return type == PARITY || (type == RED && d->bytes[12] == ULPFEC);
}

/* On our clock, as sender reports tell. */
static tdm_time captured_of(const struct tdm_session_video *video)
{
    return video->trace.at[TDM_STAGE_CAPTURED];
}

static void handle(struct rig *rig, int side, const struct tdm_session_in *in)
{
    static struct tdm_session_out out;

    for (int turn = 0; turn == 0 || out.wake_at <= rig->now; turn++) {
        assert_true(turn < 1000);
        tdm_session_step(rig->sides[side], rig->now, turn ? NULL : in, &out);
        rig->frames += out.unit == TDM_UNIT_VIDEO;
        if (out.unit == TDM_UNIT_VIDEO)
            rig->late_most = tdm_time_max(rig->late_most, rig->now - captured_of(&out.video));
        rig->key_wanted |= out.keyframe_wanted;
        for (uint32_t i = 0; i < out.send_count; i++) {
            struct datagram *d = &rig->flight[rig->last % FLIGHT_MAX];

            if (side == 0 && !out.sends[i].rtcp &&
                (tdm_rng_chance(&rig->rng, rig->loss) || (rig->drop_next > 0 && rig->drop_next--)))
                continue;
            assert_true(rig->last++ - rig->first < FLIGHT_MAX);
            *d = (struct datagram){
                .at = rig->now + WAY, .to = (uint8_t)(1 - side), .size = out.sends[i].size};
            memcpy(d->bytes, out.sends[i].data, d->size);
            if (is_repair(d) && !out.sends[i].rtcp)
                d->bytes[12 + rig->corrupted++ % HEAD_BYTES] ^= rig->corrupt;
        }
    }
}

static void configure(struct rig *rig, int side, enum repairs repairs)
{
    bool window = repairs == WINDOW, generic = repairs == GENERIC || repairs == GENERIC_RTX;
    bool rtx = repairs >= GENERIC_RTX;
    const struct tdm_stream_config config = {
        .kind = TDM_VIDEO,
        .send = side == 0,
        .receive = side == 1,
        .send_codec = TDM_CODEC_VP8,
        .send_payload_type = VIDEO,
        .send_hz = 90000,
        .receive_count = 1,
        .receive_codecs =
            {{.payload_type = VIDEO, .id = TDM_CODEC_VP8, .rtp_hz = 90000, .channels = 1}},
        .nack = true,
        .pli = true,
        .ccfb = true,
        .reduced_rtcp = true,
        .send_parity_type = window ? PARITY : 0,
        .receive_parity_type = window ? PARITY : 0,
        .send_ulpfec_type = generic ? ULPFEC : 0,
        .send_ulpfec_red_type = generic ? RED : 0,
        .receive_ulpfec_type = generic ? ULPFEC : 0,
        .receive_ulpfec_red_type = generic ? RED : 0,
        .send_rtx_payload_type = rtx ? RTX : 0,
        .receive_rtx_count = rtx,
        .receive_rtx = {{.payload_type = RTX, .of = VIDEO}},
        .reference_ext_id = rig->elsewhere ? REFERENCES : 0,
        .refer_reach = 12,
        .refer_chains = 1,
        .refer_elsewhere = rig->elsewhere,
        .limit_bps = 2000000,
        .fps = 30,
    };

    handle(rig, side,
           &(struct tdm_session_in){.kind = TDM_SESSION_CONFIGURE, .configure = &config});
}

static struct rig *rig_create(enum repairs repairs)
{
    struct rig *rig = calloc(1, sizeof *rig);

    assert_non_null(rig);
    rig->rng = tdm_rng_of(3);
    rig->now = 1000 * TDM_S;
    for (int side = 0; side < 2; side++) {
        const struct tdm_session_config config = {.seed = 7 + (uint64_t)side, .cname = "x"};

        rig->storage[side] = malloc(tdm_session_bytes());
        assert_non_null(rig->storage[side]);
        rig->sides[side] = tdm_session_init(rig->storage[side], &config, rig->now);
        configure(rig, side, repairs);
    }
    return rig;
}

static void rig_destroy(struct rig *rig)
{
    free(rig->storage[0]);
    free(rig->storage[1]);
    free(rig);
}

/* A picture of five packets; VP8 says in the lowest bit whether it needs another one. */
static void send_picture(struct rig *rig)
{
    static uint8_t slice[6000];
    bool keyframe = rig->frame == 0 || rig->key_wanted;

    memset(slice, 0x11, sizeof slice);
    slice[0] = keyframe ? 0x10 : 0x11;
    rig->key_wanted = false;
    handle(rig, 0,
           &(struct tdm_session_in){.kind = TDM_SESSION_VIDEO_SLICE,
                                    .slice = {.data = slice,
                                              .size = sizeof slice,
                                              .first = true,
                                              .last = true,
                                              .keyframe = keyframe,
                                              .frame_id = rig->frame++,
                                              .captured = rig->now,
                                              .encode_start = rig->now,
                                              .encode_end = rig->now}});
}

static void run(struct rig *rig, tdm_time time)
{
    for (tdm_time end = rig->now + time; rig->now < end; rig->now += TDM_MS) {
        if (!rig->resting && rig->now / TDM_MS % (INTERVAL / TDM_MS) == 0)
            send_picture(rig);
        while (rig->first != rig->last && rig->flight[rig->first % FLIGHT_MAX].at <= rig->now) {
            const struct datagram *d = &rig->flight[rig->first++ % FLIGHT_MAX];

            handle(rig, d->to,
                   &(struct tdm_session_in){
                       .kind = TDM_SESSION_DATAGRAM,
                       .datagram = {.data = d->bytes, .size = d->size, .received = rig->now}});
        }
        handle(rig, 0, NULL);
        handle(rig, 1, NULL);
    }
}

static struct tdm_stream_stats stats_of(struct rig *rig, int side)
{
    struct tdm_stream_stats stats;

    tdm_session_stats(rig->sides[side], 0, &stats);
    return stats;
}

static void test_no_loss_no_repairs(void **state)
{
    (void)state;
    for (enum repairs repairs = WINDOW; repairs <= GENERIC; repairs++) {
        struct rig *rig = rig_create(repairs);

        run(rig, 6 * TDM_S);
        assert_int_equal(stats_of(rig, 0).parity_sent, 0);
        assert_true(rig->frames > 100);
        rig_destroy(rig);
    }
}

static void test_loss_is_mended(void **state)
{
    (void)state;
    for (enum repairs repairs = WINDOW; repairs <= GENERIC_RTX; repairs++) {
        struct rig *rig = rig_create(repairs);

        rig->loss = 0.05;
        run(rig, 12 * TDM_S);
        struct tdm_stream_stats sent = stats_of(rig, 0), received = stats_of(rig, 1);

        assert_true(sent.parity_sent > 50 && sent.parity_bytes > sent.parity_sent * 100);
        assert_true(received.parity_received > sent.parity_sent * 4 / 5);
        assert_true(received.mended > 30);
        assert_true(received.mended_late < received.mended / 4);
        assert_int_equal(received.packets_refused, 0);
        assert_true(received.repaired > 10 && received.plis_sent < 4);
        rig_destroy(rig);
    }
}

static void test_not_agreed_not_sent(void **state)
{
    struct rig *rig = rig_create(NONE);

    (void)state;
    rig->loss = 0.05;
    run(rig, 6 * TDM_S);
    assert_int_equal(stats_of(rig, 0).parity_sent, 0);
    assert_int_equal(stats_of(rig, 1).mended, 0);
    rig_destroy(rig);
}

/* What a damaged repair gives back is a packet with other bytes or none; it does not stop us. */
static void test_damaged_repairs(void **state)
{
    (void)state;
    for (enum repairs repairs = WINDOW; repairs <= GENERIC; repairs++) {
        struct rig *rig = rig_create(repairs);

        rig->loss = 0.05;
        rig->corrupt = 0x55;
        run(rig, 8 * TDM_S);
        assert_true(stats_of(rig, 1).parity_received > 0);
        assert_true(stats_of(rig, 1).packets_refused > 10);
        assert_true(rig->frames > 100);
        rig_destroy(rig);
    }
}

/* A repetition that is the last to come in time leaves twice where one in ten is lost, and what it
 * costs is bounded; where nothing is, it leaves once. */
static void test_repetitions_leave_twice(void **state)
{
    (void)state;
    for (enum repairs repairs = NONE; repairs <= RTX_ALONE; repairs += RTX_ALONE) {
        struct rig *rig = rig_create(repairs);

        rig->loss = 0.1;
        run(rig, 12 * TDM_S);
        struct tdm_stream_stats sent = stats_of(rig, 0), received = stats_of(rig, 1);

        assert_true(received.nacks_sent > 50);
        assert_true(sent.packets_resent > received.nacks_sent * 3 / 2);
        assert_true(sent.packets_resent < received.nacks_sent + sent.packets_sent / 8);
        assert_int_equal(received.packets_refused, 0);
        rig_destroy(rig);
    }
    struct rig *rig = rig_create(NONE);

    run(rig, 3 * TDM_S);
    rig->drop_next = 3; /* And then nothing more. */
    run(rig, 2 * TDM_S);
    assert_int_equal(stats_of(rig, 0).packets_resent, 3);
    rig_destroy(rig);
}

/* Requests never add a round trip of delay: what comes whole is shown as it comes, also behind
 * pictures that waited for repetitions, and how late pictures are is soon as before the losses. */
static void test_requests_add_no_delay(void **state)
{
    (void)state;
    for (enum repairs repairs = NONE; repairs <= GENERIC_RTX; repairs++) {
        struct rig *rig = rig_create(repairs);

        run(rig, 4 * TDM_S); /* The way is found out. */
        rig->late_most = 0;
        run(rig, 2 * TDM_S);
        tdm_time before = rig->late_most;

        rig->loss = 0.05;
        run(rig, 6 * TDM_S);
        /* Without repairs some waited for an answer. */
        assert_true(repairs != NONE || rig->late_most > before + 2 * WAY);
        rig->loss = 0;
        run(rig, TDM_S); /* What was under way. */
        rig->late_most = 0;
        run(rig, 3 * TDM_S);
        assert_true(rig->late_most <= before + WAY / 4);
        rig_destroy(rig);
    }
}

static bool better_elsewhere(struct rig *rig)
{
    struct tdm_session_references references;

    tdm_session_references(rig->sides[0], 0, &references);
    return references.better_elsewhere;
}

/* Where rows are lost, chains would do better, and only there; where nobody else has more, nobody
 * is told so. */
static void test_rows_are_better_elsewhere(void **state)
{
    static const struct {
        uint8_t elsewhere;
        int row;
        double loss;
        bool better;
    } cases[] = {{CHAINS, 6, 0, true},
                 {1, 6, 0, false},
                 {0, 6, 0, false},
                 {CHAINS, 0, 0.02, false},
                 {CHAINS, 0, 0, false}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig *rig = rig_create(WINDOW);

        rig->elsewhere = cases[i].elsewhere;
        configure(rig, 0, WINDOW);
        configure(rig, 1, WINDOW);
        rig->loss = cases[i].loss;
        assert_false(better_elsewhere(rig));
        for (int row = 0; row < 30; row++) {
            run(rig, 400 * TDM_MS);
            rig->drop_next = cases[i].row;
        }
        assert_int_equal(better_elsewhere(rig), cases[i].better);
        rig_destroy(rig);
    }
    struct rig *rig = rig_create(WINDOW);

    /* Where nothing was sent nothing stood still. */
    rig->elsewhere = CHAINS;
    configure(rig, 0, WINDOW);
    configure(rig, 1, WINDOW);
    run(rig, 10 * TDM_S);
    rig->drop_next = 6;
    run(rig, 3 * TDM_S);
    assert_false(better_elsewhere(rig));
    rig->resting = true;
    run(rig, 300 * TDM_S);
    rig->resting = false;
    run(rig, TDM_S);
    assert_false(better_elsewhere(rig));
    rig_destroy(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_loss_no_repairs),
        cmocka_unit_test(test_loss_is_mended),
        cmocka_unit_test(test_not_agreed_not_sent),
        cmocka_unit_test(test_damaged_repairs),
        cmocka_unit_test(test_repetitions_leave_twice),
        cmocka_unit_test(test_requests_add_no_delay),
        cmocka_unit_test(test_rows_are_better_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
