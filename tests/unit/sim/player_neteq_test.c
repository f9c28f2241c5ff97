/* SPDX-License-Identifier: MIT */
#include "sim/player.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT 15000
#define FRAME (20 * TDM_MS)
#define SEEDS 6

static struct tdm_jitter_packet packets[COUNT];

static struct tdm_player_score play(enum tdm_jitter_kind kind, uint64_t seed,
                                    struct tdm_jitter_loss loss)
{
    struct tdm_player_setting setting = {.frame_samples = TDM_PLAYER_HZ / 50};
    struct tdm_player_run run = {.packets = packets, .count = COUNT, .frame = FRAME};

    tdm_jitter_draw(kind, seed, FRAME, packets, COUNT);
    tdm_jitter_lose(&loss, seed, packets, COUNT);
    tdm_jitter_sort(packets, COUNT);
    return tdm_player_play(&tdm_player_neteq, &setting, &run);
}

/* Stalls empty the buffer and the first packet after one is lost now and then: what comes behind
 * it is played all the same, so the delay stays one of some stalls, not of minutes. */
static void test_a_loss_after_an_underrun_is_passed(void **state)
{
    static const enum tdm_jitter_kind kinds[] = {TDM_JITTER_LAN, TDM_JITTER_WIFI,
                                                 TDM_JITTER_SPIKES};
    static const struct tdm_jitter_loss losses[] = {{0.05, 1}, {0.05, 3}, {0.2, 1}};

    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (size_t l = 0; l < sizeof losses / sizeof *losses; l++) {
            for (uint64_t seed = 1; seed <= SEEDS; seed++) {
                struct tdm_player_score s = play(kinds[k], seed, losses[l]);

                if (s.delay_ms > 1000 || s.concealed > 1.5 * 100 * losses[l].share + 3)
                    fail_msg("kind %d, loss %zu, seed %d: %.1f ms, %.2f %%", (int)kinds[k], l,
                             (int)seed, s.delay_ms, s.concealed);
            }
        }
    }
}

/* Where nothing is lost and little is late nothing is made up. */
static void test_without_loss(void **state)
{
    struct tdm_player_score s = play(TDM_JITTER_LAN, 101, (struct tdm_jitter_loss){0});

    (void)state;
    assert_true(s.concealed <= 0);
    assert_true(s.delay_ms > 20 && s.delay_ms < 80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_loss_after_an_underrun_is_passed),
        cmocka_unit_test(test_without_loss),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
