/* SPDX-License-Identifier: MIT */
#include "capture/draw_pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define PERIOD (TDM_S / 30)

/* Runs a screen that is drawn every `every`, and gives how old the oldest picture was when it was
 * taken, and how many were. The first second is left out. */
static tdm_time oldest(tdm_time every, bool told, int *pictures)
{
    struct tdm_draw_pace p;
    tdm_time drawn = TDM_S;
    tdm_time worst = 0;

    tdm_draw_pace_init(&p, PERIOD, told);
    *pictures = 0;
    for (tdm_time now = TDM_S; now < 11 * TDM_S; now += 100 * TDM_US) {
        if (now - drawn >= every) {
            drawn += every;
            tdm_draw_pace_drawn(&p, now);
        }
        if (now < tdm_draw_pace_due(&p))
            continue;
        tdm_draw_pace_taken(&p, now);
        if (now < 2 * TDM_S)
            continue;
        worst = tdm_time_max(worst, now - drawn);
        ++*pictures;
    }
    return worst;
}

static void test_steady_content_is_taken_fresh(void **state)
{
    static const struct {
        int hz, least_pictures;
    } cases[] = {{24, 200}, {25, 200}, {30, 260}, {60, 260}, {61, 260}, {120, 260}, {144, 250}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int pictures;
        tdm_time worst = oldest(TDM_S / cases[i].hz, true, &pictures);

        print_message("%d a second: %d pictures, at most %.1f ms old\n", cases[i].hz, pictures,
                      (double)worst / 1e6);
        assert_true(pictures >= cases[i].least_pictures && pictures <= 290);
        assert_true(worst <= 3 * TDM_MS);
    }
}

static void test_without_being_told_it_ticks(void **state)
{
    int pictures;

    (void)state;
    assert_true(oldest(TDM_S / 61, false, &pictures) > 10 * TDM_MS);
    assert_in_range(pictures, 268, 272);
}

static void test_a_single_change_is_taken_at_once(void **state)
{
    struct tdm_draw_pace p;

    (void)state;
    tdm_draw_pace_init(&p, PERIOD, true);
    tdm_draw_pace_drawn(&p, 10 * TDM_S);
    tdm_draw_pace_taken(&p, 10 * TDM_S);
    tdm_draw_pace_drawn(&p, 20 * TDM_S);
    assert_true(tdm_draw_pace_due(&p) <= 20 * TDM_S);
    tdm_draw_pace_taken(&p, 20 * TDM_S);
    /* Another one soon after waits for the frame rate, and no longer. */
    tdm_draw_pace_drawn(&p, 20 * TDM_S + 10 * TDM_MS);
    assert_in_range(tdm_draw_pace_due(&p), 20 * TDM_S + 30 * TDM_MS, 20 * TDM_S + PERIOD);
}

static void test_a_still_screen_is_taken_seldom(void **state)
{
    struct tdm_draw_pace p;
    int pictures = 0;

    (void)state;
    tdm_draw_pace_init(&p, PERIOD, true);
    tdm_draw_pace_drawn(&p, TDM_S);
    for (tdm_time now = TDM_S; now < 11 * TDM_S; now += TDM_MS)
        if (now >= tdm_draw_pace_due(&p)) {
            tdm_draw_pace_taken(&p, now);
            pictures++;
        }
    assert_in_range(pictures, 50, 75);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steady_content_is_taken_fresh),
        cmocka_unit_test(test_without_being_told_it_ticks),
        cmocka_unit_test(test_a_single_change_is_taken_at_once),
        cmocka_unit_test(test_a_still_screen_is_taken_seldom),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
