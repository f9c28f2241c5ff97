/* SPDX-License-Identifier: MIT */
#include "engine/core/share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TICK (100 * TDM_MS)

/* A link with one queue, media that never yields, and a file that takes all that it may. */
struct rig {
    struct tdm_share share;
    tdm_time now, queue;
    uint64_t link_bps, media_bps, wanted_bps, capacity_bps;
    uint64_t used_bps, file_bits;
    tdm_time queued; /* How long the queue was over 10 ms. */
};

static struct rig rig_of(uint64_t link_bps, uint64_t media_bps)
{
    return (struct rig){
        .now = 100 * TDM_S, .link_bps = link_bps, .media_bps = media_bps, .wanted_bps = UINT64_MAX};
}

static uint64_t tick(struct rig *r, double loss, tdm_time noise)
{
    struct tdm_share_out out;

    r->now += TICK;
    tdm_share_step(
        &r->share, r->now,
        &(struct tdm_share_in){.media = true,
                               .media_bps = r->media_bps,
                               .used_bps = r->used_bps,
                               .capacity_bps = r->capacity_bps,
                               .rtt = 5 * TDM_MS + r->queue + noise + r->now / TICK % 1000,
                               .loss = loss},
        &out);
    r->used_bps = out.budget_bps < r->wanted_bps ? out.budget_bps : r->wanted_bps;
    double excess = (double)(r->media_bps + r->used_bps) - (double)r->link_bps;

    r->queue += (tdm_time)(excess / (double)r->link_bps * (double)TICK);
    r->queue = tdm_time_max(r->queue, 0);
    r->file_bits += r->used_bps / 10;
    r->queued += r->queue > 10 * TDM_MS ? TICK : 0;
    return out.budget_bps;
}

static uint64_t run(struct rig *r, int seconds)
{
    uint64_t budget = 0;

    for (int i = 0; i < 10 * seconds; i++)
        budget = tick(r, 0, 0);
    return budget;
}

static void no_media_no_limit(void **state)
{
    struct tdm_share s = {0};
    struct tdm_share_out out = {.budget_bps = 7};

    (void)state;
    tdm_share_step(&s, TDM_S, &(struct tdm_share_in){.used_bps = 1000000, .loss = 1}, &out);
    assert_int_equal(out.budget_bps, 0);
    tdm_share_step(&s, TDM_S, &(struct tdm_share_in){.media = true}, &out);
    assert_true(out.budget_bps > 0);
}

/* Pictures have measured the link: the channel need not begin at the bottom; and the first queue
 * counts for more than the measure. */
static void begins_with_what_pictures_measured(void **state)
{
    struct rig r = rig_of(10000000, 1000000), blind = r;

    (void)state;
    r.capacity_bps = 10000000;
    assert_in_range(run(&r, 1), 3900000, 9000000);
    assert_in_range(run(&blind, 1), 100000, 400000);
    r.capacity_bps = 500000; /* Less than media send: it says nothing. */
    assert_true(run(&r, 1) > 3900000);
    r = rig_of(3000000, 1000000);
    r.capacity_bps = 20000000; /* Wrong. */
    (void)run(&r, 20);
    assert_true(r.queue < 30 * TDM_MS);
}

/* Voice joins a channel that has found the link's size: it goes on with half of that, and not from
 * the bottom. */
static void begins_with_what_is_known(void **state)
{
    struct tdm_share_in in = {.media = true, .known_bps = 20000000};
    struct tdm_share s = {0};
    struct tdm_share_out out;

    (void)state;
    tdm_share_step(&s, TDM_S, &in, &out);
    assert_in_range(out.budget_bps, 8000000, 10000000);
    in.known_bps = 10000; /* A lower bound says nothing. */
    s = (struct tdm_share){0};
    tdm_share_step(&s, TDM_S, &in, &out);
    assert_int_equal(out.budget_bps, 128000);
}

/* What is left is used for the most part, and the queue is there for a moment only. */
static void finds_what_media_leave(void **state)
{
    struct rig r = rig_of(2000000, 1500000);

    (void)state;
    run(&r, 10);
    r.file_bits = 0;
    r.queued = 0;
    run(&r, 120);
    assert_in_range(r.file_bits / 120, 180000, 450000);
    assert_in_range(r.queued, 0, 6 * TDM_S);
}

static void finds_a_wide_link(void **state)
{
    struct rig r = rig_of(100000000, 1500000);

    (void)state;
    run(&r, 30);
    assert_in_range(r.file_bits / 30, 20000000, 98500000);
}

/* The way became wider; the old limit is not for good. */
static void looks_for_more(void **state)
{
    struct rig r = rig_of(2000000, 1500000);
    uint64_t before = run(&r, 20);

    (void)state;
    r.link_bps = 20000000;
    assert_true(run(&r, 120) > 4 * before);
}

static void makes_room_for_media(void **state)
{
    struct rig r = rig_of(2000000, 1200000);
    uint64_t before = run(&r, 15);

    (void)state;
    r.media_bps = 1500000;
    assert_true(tick(&r, 0, 0) <= before - 120000);
}

static void loss_is_a_sign(void **state)
{
    struct rig r = rig_of(20000000, 1500000);
    uint64_t before = run(&r, 3);

    (void)state;
    assert_true(tick(&r, 0.05, 0) <= before / 2);
}

static void one_late_report_is_not(void **state)
{
    struct rig r = rig_of(20000000, 1500000);
    uint64_t before = run(&r, 2);

    (void)state;
    assert_true(tick(&r, 0, 15 * TDM_MS) >= before);
    assert_true(tick(&r, 0, 0) > before);
    assert_true(tick(&r, 0, 15 * TDM_MS) > before);
    assert_true(tick(&r, 0, 15 * TDM_MS) < before);
}

/* Media alone fill the link: nothing is learned for a channel that rests, and when it begins it
 * gets little. */
static void media_alone_tell_nothing(void **state)
{
    struct rig r = rig_of(1500000, 1600000);
    uint64_t first = 0;

    (void)state;
    r.wanted_bps = 1000;
    first = tick(&r, 0, 0);
    assert_int_equal(run(&r, 5), first);
    r.wanted_bps = UINT64_MAX;
    assert_int_equal(run(&r, 5), TDM_SHARE_MIN_BPS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_media_no_limit),
        cmocka_unit_test(begins_with_what_is_known),
        cmocka_unit_test(begins_with_what_pictures_measured),
        cmocka_unit_test(finds_what_media_leave),
        cmocka_unit_test(finds_a_wide_link),
        cmocka_unit_test(looks_for_more),
        cmocka_unit_test(makes_room_for_media),
        cmocka_unit_test(loss_is_a_sign),
        cmocka_unit_test(one_late_report_is_not),
        cmocka_unit_test(media_alone_tell_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
