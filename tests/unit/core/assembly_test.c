/* SPDX-License-Identifier: MIT */
#include "engine/core/assembly.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Packets are written as words: what the payload starts, the frame (a digit, its RTP time), and '!'
 * for the marker. VP8: K keyframe, P other frame, c continued. H.264: S SPS, p PPS, A AUD, I IDR
 * slice, N slice, n second slice of a picture, F and f and e: FU-A start, middle and end of an IDR.
 * VP9: G key and g other frame in one packet, H and h such a frame's first, m and d its middle and
 * last, U and u an upper layer's frame of a key and of another picture. AV1: Z key frame in one
 * packet, Y and y and w its first, middle and last without N, E a last with a sequence header
 * behind, M one without, with N, D other frame, L one with a repeated sequence header. H.265: V
 * VPS, s SPS, a both, R IRAP slice, T other slice, t a second one. 0: padding alone. In brackets:
 * lost for good. In the order of sending; `order` is the order of arrival.
 */
struct script {
    const char *what;
    enum tdm_codec_id codec;
    bool can_repair;
    const char *packets;
    const char *order;    /* Indices, a letter each from 'a'; NULL: as sent. */
    const char *expected; /* Frames that come out, 'k' behind a keyframe. */
    bool keyframe_asked;
};

struct packet {
    bool lost, marker;
    int64_t frame;
    uint8_t payload[12];
    uint16_t size;
};

struct rig {
    struct tdm_assembly *a;
    char got[256];
    int asks;
    tdm_time now, wake_at;
    int64_t last_seq;
};

static const uint8_t *payload_of(char kind, uint16_t *size)
{
    static const struct {
        char kind;
        uint8_t size;
        uint8_t bytes[12];
    } rows[] = {
        {'K', 4, {0x10, 0x10, 1, 2}},
        {'P', 4, {0x10, 0x11, 1, 2}},
        {'c', 4, {0x00, 0x10, 1, 2}},
        {'S', 4, {0x67, 0x42, 1, 2}},
        {'p', 4, {0x68, 0xce, 1, 2}},
        {'I', 4, {0x65, 0x88, 1, 2}},
        {'N', 4, {0x41, 0x9a, 1, 2}},
        {'n', 4, {0x41, 0x1a, 1, 2}},
        {'F', 4, {0x7c, 0x85, 0x88, 1}},
        {'f', 4, {0x7c, 0x05, 3, 4}},
        {'e', 4, {0x7c, 0x45, 5, 6}},
        {'x', 4, {0x1d, 0, 0, 0}}, /* FU-B: not for this mode. */
        {'A', 2, {0x09, 0xf0}},
        {'G', 11, {0x0c, 0x82, 0x49, 0x83, 0x42, 0x40, 0x15, 0xf0, 0x11, 0xf0, 1}},
        {'H', 11, {0x08, 0x82, 0x49, 0x83, 0x42, 0x40, 0x15, 0xf0, 0x11, 0xf0, 1}},
        {'g', 4, {0x4c, 0x86, 1, 2}},
        {'h', 4, {0x48, 0x86, 1, 2}},
        {'m', 4, {0x40, 0x82, 3, 4}},
        {'d', 4, {0x44, 0x82, 5, 6}},
        {'U', 5, {0x2c, 0x03, 0, 0x86, 7}},
        {'u', 5, {0x6c, 0x03, 0, 0x86, 8}},
        {'Z', 7, {0x28, 2, 0x08, 9, 0x30, 0x10, 1}},
        {'Y', 7, {0x60, 2, 0x08, 9, 0x30, 0x10, 1}},
        {'y', 3, {0xd0, 2, 3}},
        {'w', 3, {0x90, 4, 5}},
        {'D', 4, {0x10, 0x30, 0x30, 1}},
        {'L', 7, {0x20, 2, 0x08, 9, 0x30, 0x30, 1}},
        {'M', 4, {0x18, 0x30, 0x10, 1}},
        {'E', 5, {0xa0, 1, 4, 0x08, 9}},
        {'0', 0, {0}},
        {'V', 4, {0x40, 1, 0x0c, 1}},
        {'s', 4, {0x42, 1, 0x01, 1}},
        {'a', 10, {0x60, 1, 0, 2, 0x40, 1, 0, 2, 0x42, 1}},
        {'R', 4, {0x26, 1, 0x80, 1}},
        {'T', 4, {0x02, 1, 0x80, 1}},
        {'t', 4, {0x02, 1, 0x40, 1}},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].kind == kind) {
            *size = rows[i].size;
            return rows[i].bytes;
        }
    fail_msg("no such packet: %c", kind);
    return NULL;
}

static int read_packets(const char *words, struct packet *packets)
{
    int count = 0;

    for (const char *c = words; *c; count++) {
        struct packet *p = &packets[count];

        *p = (struct packet){.lost = *c == '['};
        c += *c == '[';
        memcpy(p->payload, payload_of(c[0], &p->size), sizeof p->payload);
        p->frame = c[1] - '0';
        c += 2;
        p->marker = *c == '!';
        c += *c == '!';
        c += *c == ']';
        c += *c == ' ';
    }
    return count;
}

static void take_out(struct rig *r, const struct tdm_assembly_out *out)
{
    size_t at = strlen(r->got);

    r->asks += out->keyframe_wanted;
    r->wake_at = out->wake_at;
    assert_true(out->wake_at >= r->now);
    if (!out->has_frame)
        return;
    assert_true(out->frame.first_seq > r->last_seq);
    assert_true(out->frame.first_arrival <= out->frame.last_arrival);
    assert_true(out->frame.size > 0 && out->frame.size <= TDM_ASSEMBLY_FRAME_MAX);
    assert_true(out->forget_before == out->frame.last_seq + 1);
    r->last_seq = out->frame.last_seq;
    (void)snprintf(r->got + at, sizeof r->got - at, "%s%d%s", at ? " " : "",
                   (int)(out->frame.rtp_time / 3000), out->frame.keyframe ? "k" : "");
}

static void step(struct rig *r, const struct tdm_assembly_in *in)
{
    struct tdm_assembly_out out;

    tdm_assembly_step(r->a, r->now, in, &out);
    take_out(r, &out);
}

/* Lets time run, from wake to wake. */
static void run_until(struct rig *r, tdm_time end)
{
    for (int turns = 0; r->wake_at <= end; turns++) {
        assert_true(turns < 10000);
        r->now = tdm_time_max(r->now, r->wake_at);
        step(r, NULL);
    }
    r->now = end;
}

static void send(struct rig *r, const struct packet *p, int64_t seq)
{
    step(r, &(struct tdm_assembly_in){.kind = TDM_ASSEMBLY_PACKET,
                                      .packet = {.seq = seq,
                                                 .rtp_time = p->frame * 3000,
                                                 .arrival = r->now,
                                                 .marker = p->marker,
                                                 .size = p->size,
                                                 .payload = p->payload}});
}

static void rig_init(struct rig *r, enum tdm_codec_id codec, bool can_repair)
{
    memset(r, 0, sizeof *r);
    r->now = 7 * TDM_S;
    r->wake_at = TDM_NEVER;
    r->last_seq = -1;
    r->a = tdm_assembly_init(
        malloc(tdm_assembly_bytes()),
        &(struct tdm_assembly_config){.codec = codec, .can_repair = can_repair}, r->now);
}

#define FIRST_SEQ 131070 /* So that a wrap of 16 bits is near. */
#define VP8       TDM_CODEC_VP8
#define H264      TDM_CODEC_H264
#define VP9       TDM_CODEC_VP9
#define AV1       TDM_CODEC_AV1
#define H265      TDM_CODEC_H265

static const struct script scripts[] = {
    {"VP8 in order", VP8, true, "K0 c0! P1! P2 c2 c2!", NULL, "0k 1 2", false},
    {"H.264 in order", H264, true, "S0 p0 I0! N1! N2 n2!", NULL, "0k 1 2", false},
    {"fragments", H264, true, "S0 p0 F0 f0 e0! N1!", NULL, "0k 1", false},
    {"an AUD in front", H264, true, "A0 S0 p0 I0! A1 N1!", NULL, "0k 1", false},
    {"swapped within a frame", VP8, true, "K0 c0! P1 c1 c1!", "abedc", "0k 1", false},
    {"swapped between frames", VP8, true, "K0 c0! P1! P2!", "abdc", "0k 1 2", false},
    {"twice each", VP8, true, "K0 c0! P1!", "aabbccab", "0k 1", false},
    {"no markers", VP8, true, "K0 c0 P1 P2 c2 P3", NULL, "0k 1 2", false},
    {"no markers, H.264", H264, true, "S0 p0 I0 N1 N2 n2 N3", NULL, "0k 1 2", false},
    {"begins with a delta frame", VP8, true, "P0! P1! K2! P3!", NULL, "2k 3", false},
    {"begins amid a frame", H264, true, "f0 e0! N1! S2 p2 I2! N3!", NULL, "2k 3", false},
    {"a hole, repaired", VP8, true, "K0! P1 c1! P2! P3!", "abdec", "0k 1 2 3", false},
    {"a hole, then a keyframe", VP8, true, "K0! P1 [c1!] P2! K3! P4!", NULL, "0k 3k 4", false},
    {"a frame lost, keyframe later", VP8, true, "K0! [P1!] P2! K3! P4!", NULL, "0k 3k 4", false},
    {"a hole for good", VP8, true, "K0! P1 [c1] c1! P2! P3!", NULL, "0k", true},
    {"a hole for good, H.264", H264, true, "S0 I0! [N1] n1! N2! N3!", NULL, "0k", true},
    {"a whole frame lost", VP8, false, "K0! [P1!] P2! P3!", NULL, "0k", true},
    {"keyframe's parameters late", H264, true, "N0! S1 p1 I1! N2!", "abdec", "1k 2", false},
    {"keyframe's SPS last", H264, true, "N0! S1 p1 I1! N2!", "adceb", "1k 2", false},
    {"keyframe without its SPS", H264, true, "N0! [S1] p1 I1! N2!", NULL, "", true},
    {"IDR alone, parameters known", H264, true, "S0 p0 I0! N1! I2! N3!", NULL, "0k 1 2k 3", false},
    {"IDR alone behind a hole", H264, true, "S0 p0 I0! [N1] n1! I2! N3!", NULL, "0k 2k 3", false},
    {"IDR right behind a hole", H264, false, "S0 p0 I0! [N1!] I2! N3!", NULL, "0k 2k 3", true},
    {"a damaged keyframe makes way", VP8, true, "K0 [c0] c0! K1! P2!", NULL, "1k 2", false},
    {"a hole, keyframe, no markers", VP8, true, "K0! [P1!] K2 c2 P3!", NULL, "0k 2k 3", false},
    {"of two frames at one time", VP8, true, "K0! P1 P1! K2!", NULL, "0k 2k", true},
    {"refused payload type", H264, true, "S0 I0! x1! S2 I2!", NULL, "0k 2k", false},
    {"padding between frames", VP8, true, "K0! 00 00 P1! 01 P2!", NULL, "0k 1 2", false},
    {"padding comes first", VP8, true, "00 00 K1! P2!", NULL, "1k 2", false},
    {"padding inside a frame", VP8, true, "K0 00 c0! P1! 01 P2!", NULL, "0k 1 2", false},
    {"padding with a time of its own", VP8, true, "K0 09 c0! P1! 09 P2!", NULL, "0k 1 2", false},
    {"padding in a keyframe behind a hole", VP8, true, "K0! [P1!] K2 09 c2! 02 P3!", NULL,
     "0k 2k 3", false},
    {"padding without markers", VP8, true, "K0 c0 00 P1 01 P2", NULL, "0k 1", false},
    {"padding repairs a hole", VP8, true, "K0! 00 P1! P2!", "acdb", "0k 1 2", false},
    {"padding lost for good", VP8, true, "K0! [00] P1! P2!", NULL, "0k", true},
    {"padding in front of an IDR", H264, true, "S0 p0 I0! 00 [N1!] 01 I2! N3!", NULL, "0k 2k 3",
     false},
    {"VP9 in order", VP9, true, "H0 m0 d0! g1! h2 d2!", NULL, "0k 1 2", false},
    {"VP9, no markers", VP9, true, "H0 d0 g1 h2 m2 d2 g3", NULL, "0k 1 2", false},
    {"VP9, layers of a picture", VP9, true, "G0 U0! h1 d1 u1! g2 u2!", NULL, "0k 1 2", false},
    {"VP9, layers without markers", VP9, true, "G0 U0 g1 u1 g2", NULL, "0k 1", false},
    {"VP9, a layer late", VP9, true, "G0 U0! g1 u1! g2 u2!", "abdcef", "0k 1 2", false},
    {"VP9, upper layer alone", VP9, true, "U0! G1 U1! g2 u2!", NULL, "1k 2", false},
    {"VP9, the picture's rest", VP9, false, "G0! [h1] d1! G2! g3!", NULL, "0k 2k 3", false},
    {"VP9, a hole, then a keyframe", VP9, true, "G0! h1 [d1!] g2! G3 U3! g4!", NULL, "0k 3k 4",
     false},
    {"VP9, a hole for good", VP9, true, "G0! h1 [m1] d1! g2!", NULL, "0k", true},
    {"VP9, a start inside a frame", VP9, true, "G0! h1 g1! G2! g3!", NULL, "0k 2k 3", true},
    {"VP9, begins with a delta", VP9, true, "g0! h1 d1! H2 d2! g3!", NULL, "2k 3", false},
    {"AV1 in order", AV1, true, "Y0 y0 w0! D1! D2!", NULL, "0k 1 2", false},
    {"AV1, no markers", AV1, true, "Z0 D1 D2 D2 D3", NULL, "0k 1 2", false},
    {"AV1, swapped", AV1, true, "Y0 y0 w0! D1! D2!", "acbed", "0k 1 2", false},
    {"AV1, layers of a unit", AV1, true, "Z0 D0! D1 D1! D2!", NULL, "0k 1 2", false},
    {"AV1, begins amid a unit", AV1, true, "y0 w0! D1! Z2! D3!", NULL, "2k 3", false},
    {"AV1, a sequence header alone", AV1, true, "L0! L1! Z2! L3!", NULL, "2k 3", false},
    {"AV1, N alone", AV1, true, "D0! M1! D2!", NULL, "1k 2", false},
    {"AV1, a header amid a unit", AV1, true, "Z0! Y1 E1! D2!", "acbd", "0k 1k 2", false},
    {"AV1, a hole, then a keyframe", AV1, true, "Z0! D1 [D1!] D2! Y3 w3! D4!", NULL, "0k 3k 4",
     false},
    {"AV1, a hole for good", AV1, true, "Z0! [D1!] D2! D3!", NULL, "0k", true},
    {"AV1, an OBU that never ends", AV1, true, "Z0! Y1! Z2! D3!", NULL, "0k 2k 3", true},
    {"AV1, an OBU without its start", AV1, true, "Z0! w1! Z2! D3!", NULL, "0k 2k 3", true},
    {"H.265 in order", H265, true, "V0 s0 R0! T1! T2 t2!", NULL, "0k 1 2", false},
    {"H.265, sets in one packet", H265, true, "a0 R0! T1! T2!", NULL, "0k 1 2", false},
    {"H.265, no markers", H265, true, "a0 R0 T1 T2 t2 T3", NULL, "0k 1 2", false},
    {"H.265, the VPS last", H265, true, "T0! V1 s1 R1! T2!", "adceb", "1k 2", false},
    {"H.265, an IRAP without sets", H265, true, "T0! [V1] s1 R1! T2!", NULL, "", true},
    {"H.265, an IRAP, sets known", H265, true, "a0 R0! T1! R2! T3!", NULL, "0k 1 2k 3", false},
    {"H.265, a hole, then sets", H265, true, "a0 R0! [T1] t1! a2 R2! T3!", NULL, "0k 2k 3", false},
    {"H.265, IRAP right behind a hole", H265, false, "a0 R0! [T1!] R2! T3!", NULL, "0k 2k 3", true},
};

static void test_scripts(void **state)
{
    (void)state;
    for (size_t row = 0; row < sizeof scripts / sizeof scripts[0]; row++) {
        const struct script *s = &scripts[row];
        struct packet packets[26];
        char order[64] = "";
        struct rig r;

        rig_init(&r, s->codec, s->can_repair);
        int count = read_packets(s->packets, packets);

        for (int i = 0; i < count && !s->order; i++)
            order[i] = (char)('a' + i);
        for (const char *c = s->order ? s->order : order; *c; c++) {
            run_until(&r, r.now + TDM_MS);
            if (!packets[*c - 'a'].lost)
                send(&r, &packets[*c - 'a'], FIRST_SEQ + *c - 'a');
        }
        bool asked_soon = r.asks > 0;

        run_until(&r, r.now + 300 * TDM_MS);
        if (strcmp(r.got, s->expected) != 0)
            fail_msg("%s: \"%s\" instead of \"%s\"", s->what, r.got, s->expected);
        if ((r.asks > 0) != s->keyframe_asked)
            fail_msg("%s: %d requests for a keyframe (soon: %d)", s->what, r.asks, asked_soon);
        free(r.a);
    }
}

/* A damaged keyframe right at the base must not stand in the way of what follows it. */
static void test_damaged_keyframe_is_dropped(void **state)
{
    struct packet p[8];
    struct rig r;

    (void)state;
    rig_init(&r, VP8, false);
    read_packets("K0! K1 c1 c1! P2! P3! K4 c4!", p);
    send(&r, &p[0], 100);
    send(&r, &p[1], 101);
    send(&r, &p[3], 103);
    run_until(&r, r.now + 45 * TDM_MS); /* Given up. */
    assert_int_equal(tdm_assembly_stats_of(r.a)->holes_given_up, 1);
    assert_int_equal(r.asks, 1);
    send(&r, &p[4], 104);
    run_until(&r, r.now + 60 * TDM_MS);
    assert_int_equal(tdm_assembly_stats_of(r.a)->holes_given_up, 1); /* One hole, once. */
    /* The next keyframe is half there when the frame before it is given up: it still counts. */
    send(&r, &p[6], 106);
    run_until(&r, r.now + 60 * TDM_MS);
    send(&r, &p[7], 107);
    assert_string_equal(r.got, "0k 4k");
    free(r.a);
}

/* After a frame came out, a hole that waits behind it has its clock started without more packets.
 */
static void test_hole_behind_a_repair(void **state)
{
    struct packet p[5];
    struct rig r;

    (void)state;
    rig_init(&r, VP8, true);
    read_packets("K0! P1! P2! P3!", p);
    send(&r, &p[0], 10);
    send(&r, &p[3], 13);
    send(&r, &p[1], 11); /* 12 is still missing, and nothing follows. */
    run_until(&r, r.now + TDM_S);
    assert_int_equal(tdm_assembly_stats_of(r.a)->holes_given_up, 1);
    assert_true(r.asks > 0);
    free(r.a);
}

/* How long a hole holds up: 40 ms, or 2.5 round trips more where somebody repairs. */
static void test_hold(void **state)
{
    static const struct {
        bool can_repair;
        tdm_time rtt, hold;
    } rows[] = {{false, 100 * TDM_MS, 40 * TDM_MS},
                {true, 0, 40 * TDM_MS},
                {true, 100 * TDM_MS, 290 * TDM_MS},
                {true, 2 * TDM_S, 600 * TDM_MS}};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct packet p[3];
        struct rig r;
        tdm_time from;

        rig_init(&r, VP8, rows[i].can_repair);
        read_packets("K0! P1! P2!", p);
        step(&r, &(struct tdm_assembly_in){.kind = TDM_ASSEMBLY_RTT, .rtt = rows[i].rtt});
        send(&r, &p[0], 10);
        send(&r, &p[2], 12);
        from = r.now;
        run_until(&r, from + rows[i].hold - 1);
        assert_int_equal(r.asks, 0);
        run_until(&r, from + rows[i].hold);
        assert_int_equal(r.asks, 1);
        free(r.a);
    }
}

/* Packets of no picture share the numbers and are lost, too: the pictures' own ids tell. */
static void test_empty_between(void **state)
{
    static const struct {
        const char *what;
        bool empty_between;
        uint8_t ids[3];
        int64_t seqs[3];
        int count;
    } rows[] = {
        {"one lost between two pictures", true, {126, 127, 0}, {10, 12, 13}, 3},
        {"three of them", true, {5, 6, 7}, {10, 11, 15}, 3},
        {"a picture lost", true, {5, 7, 8}, {10, 12, 13}, 1},
        {"not agreed", false, {5, 6, 7}, {10, 12, 13}, 1},
    };

    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        struct rig r;

        rig_init(&r, VP8, true);
        r.a = tdm_assembly_init(
            r.a,
            &(struct tdm_assembly_config){
                .codec = VP8, .can_repair = true, .empty_between = rows[row].empty_between},
            r.now);
        for (int i = 0; i < 3; i++) {
            struct packet p = {.marker = true,
                               .frame = i,
                               .size = 5,
                               .payload = {0x90, 0x80, rows[row].ids[i], i ? 0x11 : 0x10, 1}};

            send(&r, &p, rows[row].seqs[i]);
        }
        if (tdm_assembly_stats_of(r.a)->frames != (uint64_t)rows[row].count)
            fail_msg("%s: %s", rows[row].what, r.got);
        assert_int_equal(tdm_assembly_stats_of(r.a)->holes_given_up, 0);
        free(r.a);
    }
}

static void test_told_to_give_up(void **state)
{
    struct packet p[3];
    struct rig r;

    (void)state;
    rig_init(&r, VP8, true);
    read_packets("K0! P1! P2!", p);
    send(&r, &p[0], 10);
    step(&r, &(struct tdm_assembly_in){.kind = TDM_ASSEMBLY_GIVE_UP}); /* There is no hole. */
    assert_int_equal(tdm_assembly_stats_of(r.a)->holes_given_up, 0);
    send(&r, &p[2], 12);
    step(&r, &(struct tdm_assembly_in){.kind = TDM_ASSEMBLY_GIVE_UP});
    assert_int_equal(r.asks, 1);
    assert_int_equal(tdm_assembly_stats_of(r.a)->holes_given_up, 1);
    free(r.a);
}

/* The decoder fails: a keyframe is asked for at once, then less and less often. */
static void test_decode_failed(void **state)
{
    struct packet p[4];
    struct rig r;
    int64_t seq = 10;

    (void)state;
    rig_init(&r, VP8, true);
    read_packets("K0! P1! K2! P3!", p);
    send(&r, &p[0], seq++);
    step(&r, &(struct tdm_assembly_in){.kind = TDM_ASSEMBLY_BROKEN});
    assert_int_equal(r.asks, 1);
    step(&r, &(struct tdm_assembly_in){.kind = TDM_ASSEMBLY_BROKEN});
    assert_int_equal(r.asks, 1);
    for (tdm_time end = r.now + TDM_S; r.now < end;) {
        send(&r, &p[1], seq++);
        run_until(&r, r.now + 33 * TDM_MS);
    }
    assert_int_equal(r.asks, 3); /* At 0, 250 and 750 ms. */
    assert_string_equal(r.got, "0k");
    send(&r, &p[2], seq++);
    send(&r, &p[3], seq++);
    run_until(&r, r.now + TDM_S);
    assert_int_equal(r.asks, 3);
    assert_string_equal(r.got, "0k 2k 3");
    free(r.a);
}

/* A sender that never makes another keyframe: after some seconds, what there is gets decoded. */
static void test_no_keyframe_ever(void **state)
{
    struct packet p[1];
    struct rig r;

    (void)state;
    rig_init(&r, VP8, true);
    read_packets("P1!", p);
    for (int i = 0; i < 30 * 10; i++) {
        p->frame = i;
        send(&r, p, 10 + i);
        run_until(&r, r.now + 33 * TDM_MS);
    }
    assert_in_range(tdm_assembly_stats_of(r.a)->frames, 100, 150);
    free(r.a);
}

/* Sends one frame of `packets` packets of `bytes`; true when it came out whole. */
static bool send_big(struct rig *r, int packets, uint16_t bytes, int64_t seq, int64_t frame)
{
    static uint8_t payload[TDM_DATAGRAM_MAX];
    struct tdm_assembly_out out = {.has_frame = false};
    bool whole = false;

    for (int i = 0; i < packets; i++) {
        payload[0] = i ? 0 : 0x10;
        tdm_assembly_step(r->a, r->now,
                          &(struct tdm_assembly_in){.kind = TDM_ASSEMBLY_PACKET,
                                                    .packet = {.seq = seq + i,
                                                               .rtp_time = frame,
                                                               .arrival = r->now,
                                                               .marker = i == packets - 1,
                                                               .size = bytes,
                                                               .payload = payload}},
                          &out);
        whole |= out.has_frame && out.frame.size == (size_t)packets * (bytes - 1u);
        r->asks += out.keyframe_wanted;
        r->wake_at = out.wake_at;
    }
    return whole;
}

static void test_big_frames(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, VP8, true);
    assert_true(send_big(&r, 512, 1025, 10, 0)); /* Just 512 KiB. */
    assert_int_equal(r.asks, 0);
    assert_false(send_big(&r, 513, 1025, 10 + 512, 1)); /* Over. */
    assert_int_equal(r.asks, 1);
    assert_int_equal(tdm_assembly_stats_of(r.a)->dropped_frames, 1);
    assert_true(send_big(&r, 3, 1025, 10 + 512 + 513, 2));
    assert_false(send_big(&r, 3000, 10, 2000, 3)); /* More packets than the ring has. */
    r.now += TDM_S;
    assert_true(send_big(&r, 1, 1500, 5000, 4));
    assert_false(send_big(&r, 1, 1501, 5001, 5));
    assert_int_equal(tdm_assembly_stats_of(r.a)->malformed_packets, 1);
    free(r.a);
}

/* A jump beyond the ring drops what waited and asks once, not once a packet. */
static void test_outrun(void **state)
{
    struct packet p[2];
    struct rig r;

    (void)state;
    rig_init(&r, VP8, true);
    read_packets("K0! P1", p);
    send(&r, &p[0], 10);
    for (int i = 0; i < 20; i++)
        send(&r, &p[1], 2000 + i * 1024);
    assert_int_equal(r.asks, 1);
    send(&r, &p[0], 2000 + 20 * 1024);
    assert_string_equal(r.got, "0k 0k");
    assert_int_equal(tdm_assembly_stats_of(r.a)->abandoned_packets, 20);
    free(r.a);
}

static void test_timing_travels_along(void **state)
{
    uint8_t timing[TDM_FRAME_TIMING_BYTES];
    struct packet p[2];
    struct rig r;
    struct tdm_assembly_out out;

    (void)state;
    memset(timing, 0x5a, sizeof timing);
    rig_init(&r, VP8, true);
    read_packets("K0 c0!", p);
    send(&r, &p[0], 10);
    r.now += 5 * TDM_MS;
    tdm_assembly_step(r.a, r.now,
                      &(struct tdm_assembly_in){.kind = TDM_ASSEMBLY_PACKET,
                                                .packet = {.seq = 11,
                                                           .rtp_time = 0,
                                                           .arrival = r.now,
                                                           .marker = true,
                                                           .size = p[1].size,
                                                           .payload = p[1].payload,
                                                           .timing = timing}},
                      &out);
    assert_true(out.has_frame && out.frame.has_timing);
    assert_memory_equal(out.frame.timing, timing, sizeof timing);
    assert_true(out.frame.last_arrival - out.frame.first_arrival == 5 * TDM_MS);
    assert_int_equal(out.frame.size, 3 + 3);
    assert_memory_equal(out.frame.data, ((uint8_t[]){0x10, 1, 2, 0x10, 1, 2}), 6);
    free(r.a);
}

/* Ten minutes of a path that loses, swaps and repeats: frames come out in order, and keep coming.
 */
static void test_random_path(void **state)
{
    static struct packet stream[4];
    struct tdm_rng rng = tdm_rng_of(9);
    struct rig r;
    int64_t seq = 100;
    bool want_key = true;

    (void)state;
    rig_init(&r, VP8, true);
    read_packets("K0 P0 c0 c0!", stream);
    for (int frame = 0; frame < 18000; frame++) {
        bool key = want_key;
        int parts = 1 + (int)tdm_rng_below(&rng, 6);

        for (int i = 0; i < parts; i++, seq++) {
            struct packet p = i ? stream[2] : key ? stream[0] : stream[1];

            p.frame = frame;
            p.marker = i == parts - 1;
            if (tdm_rng_chance(&rng, 0.02))
                continue;
            int64_t late = tdm_rng_chance(&rng, 0.05) ? (int64_t)tdm_rng_below(&rng, 4) : 0;

            send(&r, &p, seq - late > 100 ? seq - late : seq); /* Wrong numbers, too. */
            send(&r, &p, seq);
        }
        int before = r.asks;

        run_until(&r, r.now + 33 * TDM_MS);
        want_key = r.asks - before > 0 || tdm_rng_chance(&rng, 0.02);
        r.got[0] = 0;
    }
    assert_true(tdm_assembly_stats_of(r.a)->frames > 6000);
    free(r.a);
}

/* What comes out is what a decoder of codecs/codec.h takes. */
static void test_forms_of_frames(void **state)
{
    static const struct {
        enum tdm_codec_id codec;
        const char *packets;
        size_t size;
        uint8_t bytes[24];
    } rows[] = {
        {VP9, "G0 U0!", 22, {0x82, 0x49, 0x83, 0x42, 0x40, 0x15, 0xf0, 0x11, 0xf0, 1, 0x86,
                             7,    0xd9, 10,   0,    0,    0,    2,    0,    0,    0, 0xd9}},
        {AV1, "Y0 y0 w0!", 11, {0x0a, 1, 9, 0x32, 6, 0x10, 1, 2, 3, 4, 5}},
        {H265, "a0 R0!", 20, {0,    0, 0, 1, 0x40, 1, 0,    0, 0,    1,
                              0x42, 1, 0, 0, 0,    1, 0x26, 1, 0x80, 1}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct packet p[3];
        struct rig r;
        struct tdm_assembly_out out = {.has_frame = false};

        rig_init(&r, rows[i].codec, true);
        int count = read_packets(rows[i].packets, p);

        for (int k = 0; k < count; k++)
            tdm_assembly_step(r.a, r.now,
                              &(struct tdm_assembly_in){.kind = TDM_ASSEMBLY_PACKET,
                                                        .packet = {.seq = 10 + k,
                                                                   .arrival = r.now,
                                                                   .marker = p[k].marker,
                                                                   .size = p[k].size,
                                                                   .payload = p[k].payload}},
                              &out);
        assert_true(out.has_frame && out.frame.keyframe);
        assert_int_equal(out.frame.size, rows[i].size);
        assert_memory_equal(out.frame.data, rows[i].bytes, rows[i].size);
        free(r.a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scripts),
        cmocka_unit_test(test_damaged_keyframe_is_dropped),
        cmocka_unit_test(test_hole_behind_a_repair),
        cmocka_unit_test(test_hold),
        cmocka_unit_test(test_empty_between),
        cmocka_unit_test(test_told_to_give_up),
        cmocka_unit_test(test_decode_failed),
        cmocka_unit_test(test_no_keyframe_ever),
        cmocka_unit_test(test_big_frames),
        cmocka_unit_test(test_outrun),
        cmocka_unit_test(test_timing_travels_along),
        cmocka_unit_test(test_random_path),
        cmocka_unit_test(test_forms_of_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
