/* SPDX-License-Identifier: MIT */

/* Pictures that say what they refer to: which come out past a hole, and what is told of them. */

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

struct rig {
    struct tdm_assembly *a;
    tdm_time now;
    char got[64]; /* Numbers of the pictures that came out, a letter each: 'a' is 0, 'A' 26. */
    int64_t last;
    int asks;
};

/* Pictures of VP8, two packets each: number, what it refers to (0: a keyframe), and which of the
 * two are lost (bits). */
struct sent {
    int number, refers;
    unsigned lost;
};

static char letter_of(int64_t number)
{
    return (char)(number < 26 ? 'a' + number : 'A' + number - 26);
}

static void take_out(struct rig *r, const struct tdm_assembly_out *out)
{
    size_t length = strlen(r->got);

    r->asks += out->keyframe_wanted;
    if (out->has_frame && length + 1 < sizeof r->got)
        r->got[length] = letter_of(out->frame.rtp_time / 3000);
    if (out->has_frame) {
        assert_true(!length || out->frame.rtp_time > r->last);
        r->last = out->frame.rtp_time;
    }
}

static void step(struct rig *r, const struct tdm_assembly_in *in)
{
    struct tdm_assembly_out out;

    tdm_assembly_step(r->a, r->now, in, &out);
    take_out(r, &out);
    for (int i = 0; i < 50 && out.wake_at <= r->now; i++) {
        tdm_assembly_step(r->a, r->now, NULL, &out);
        take_out(r, &out);
    }
}

static void send_packet(struct rig *r, const struct sent *p, int index, int64_t seq, bool marked)
{
    static const uint8_t keyframe[] = {0x10, 0x10, 1, 2}, other[] = {0x10, 0x11, 1, 2},
                         more[] = {0x00, 0x10, 1, 2};
    const struct tdm_assembly_in in = {
        .kind = TDM_ASSEMBLY_PACKET,
        .packet = {.seq = seq,
                   .rtp_time = p->number * 3000,
                   .arrival = r->now,
                   .marker = index == 1,
                   .size = 4,
                   .payload = index       ? more
                              : p->refers ? other
                                          : keyframe,
                   .has_reference = marked && index == 1,
                   .reference = {.number = (uint16_t)p->number,
                                 .refers = (uint8_t)p->refers,
                                 .index = 1}},
    };

    step(r, &in);
}

static void rig_init(struct rig *r)
{
    *r = (struct rig){.a = malloc(tdm_assembly_bytes())};
    assert_non_null(r->a);
    tdm_assembly_init(r->a,
                      &(struct tdm_assembly_config){.codec = TDM_CODEC_VP8, .can_repair = true}, 0);
}

static void send_all(struct rig *r, const struct sent *pictures, int count)
{
    for (int i = 0; i < count; i++) {
        r->now += 33 * TDM_MS;
        for (int k = 0; k < 2; k++)
            if (!(pictures[i].lost >> k & 1))
                send_packet(r, &pictures[i], k, 2 * pictures[i].number + k, true);
    }
}

static const struct {
    const char *what;
    struct sent pictures[8];
    int count;
    const char *expected;
    uint64_t decoded; /* As told, the newest in bit 0. */
} rows[] = {
    {"all there", {{0, 0, 0}, {1, 1, 0}, {2, 1, 0}}, 3, "abc", 7},
    {"two chains, one breaks",
     {{0, 0, 0}, {1, 1, 0}, {2, 2, 1}, {3, 2, 0}, {4, 2, 0}, {5, 2, 0}},
     6,
     "abdf",
     0x35},
    {"known again", {{0, 0, 0}, {1, 1, 2}, {2, 1, 0}, {3, 3, 0}, {4, 1, 0}}, 5, "ade", 0x13},
    {"what it refers to never came", {{0, 0, 0}, {1, 1, 1}, {2, 1, 0}, {3, 1, 0}}, 4, "a", 8},
    {"what was jumped over stays away", {{0, 0, 0}, {1, 1, 1}, {2, 2, 0}, {3, 2, 0}}, 4, "ac", 0xa},
    {"a lie: further back than anything", {{0, 0, 0}, {1, 200, 0}, {2, 1, 0}}, 3, "a", 4},
    {"the last packet is lost", {{0, 0, 0}, {1, 1, 2}, {2, 2, 0}}, 3, "ac", 5},
    {"numbers are left out", {{0, 0, 0}, {3, 3, 0}, {5, 2, 0}}, 3, "adf", 0x25},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_reference_report report;
        struct rig r;

        rig_init(&r);
        send_all(&r, rows[i].pictures, rows[i].count);
        assert_true(tdm_assembly_report(r.a, &report));
        if (strcmp(r.got, rows[i].expected) != 0 || report.decoded != rows[i].decoded ||
            report.newest != rows[i].pictures[rows[i].count - 1].number)
            fail_msg("%s: %s came out, not %s; %#llx is told", rows[i].what, r.got,
                     rows[i].expected, (unsigned long long)report.decoded);
        assert_true(r.asks <= 1); /* The first keyframe. */
        free(r.a);
    }
}

/* A repair that comes after the jump changes nothing; before it, all is shown. */
static void test_late_repair(void **state)
{
    static const struct sent pictures[] = {{0, 0, 0}, {1, 1, 1}, {2, 2, 0}};
    struct rig r;

    (void)state;
    rig_init(&r);
    send_all(&r, pictures, 3);
    send_packet(&r, &pictures[1], 0, 2, true);
    assert_string_equal(r.got, "ac");
    assert_int_equal(tdm_assembly_stats_of(r.a)->jumped_holes, 1);
    free(r.a);
    rig_init(&r);
    send_all(&r, pictures, 2);
    send_packet(&r, &pictures[1], 0, 2, true);
    send_all(&r, &pictures[2], 1);
    assert_string_equal(r.got, "abc");
    free(r.a);
}

/* Nobody answers what is told: after a while a keyframe is asked for, and one heals. */
static void test_stuck(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r);
    send_all(&r, &(struct sent){0, 0, 0}, 1);
    for (int i = 1; i < 15; i++)
        send_all(&r, &(struct sent){i, 1, i == 1}, 1);
    assert_int_equal(r.asks, 0);
    for (int i = 15; i < 40; i++)
        send_all(&r, &(struct sent){i, 1, 0}, 1);
    assert_true(r.asks > 0);
    assert_string_equal(r.got, "a");
    send_all(&r, &(struct sent){40, 0, 0}, 1);
    send_all(&r, &(struct sent){41, 1, 0}, 1);
    assert_string_equal(r.got, "aOP");
    free(r.a);
}

/* The decoder failed: nothing that it had is relied on. */
static void test_broken(void **state)
{
    static const struct sent pictures[] = {{0, 0, 0}, {1, 1, 0}, {2, 1, 0}, {3, 0, 0}, {4, 1, 0}};
    struct tdm_reference_report report;
    struct rig r;

    (void)state;
    rig_init(&r);
    send_all(&r, pictures, 2);
    step(&r, &(struct tdm_assembly_in){.kind = TDM_ASSEMBLY_BROKEN});
    assert_int_equal(r.asks, 1);
    assert_true(tdm_assembly_report(r.a, &report));
    assert_true(report.decoded == 0);
    send_all(&r, pictures + 2, 3);
    assert_string_equal(r.got, "abde");
    free(r.a);
}

/* A sender that stops marking begins again with a keyframe, by the ordinary rule. */
static void test_marks_end(void **state)
{
    static const struct sent pictures[] = {{0, 0, 0}, {1, 1, 0}, {2, 1, 0}, {3, 0, 0}, {4, 1, 0}};
    struct rig r;

    (void)state;
    rig_init(&r);
    send_all(&r, pictures, 2);
    for (int i = 2; i < 5; i++)
        for (int k = 0; k < 2; k++)
            send_packet(&r, &pictures[i], k, 2 * i + k, false);
    assert_string_equal(r.got, "abde");
    assert_int_equal(r.asks, 1);
    free(r.a);
}

/* Losses, marks that lie and any order: what comes out was whole, and came in order of sending. */
static void test_random(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct tdm_rng rng = tdm_rng_of(seed);
        struct rig r;

        rig_init(&r);
        for (int i = 0; i < 60; i++) {
            struct sent p = {i,
                             i && tdm_rng_chance(&rng, 0.97) ? 1 + (int)tdm_rng_below(&rng, 6) : 0,
                             tdm_rng_chance(&rng, 0.2) ? 1 + tdm_rng_below(&rng, 3) : 0};

            send_all(&r, &p, 1);
        }
        free(r.a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),      cmocka_unit_test(test_late_repair),
        cmocka_unit_test(test_stuck),     cmocka_unit_test(test_broken),
        cmocka_unit_test(test_marks_end), cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
