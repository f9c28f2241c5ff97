/* SPDX-License-Identifier: MIT */
/* The playout with the shortest and the longest frames of Opus, on good and bad networks, with
 * loss: how late it plays, what it conceals, and that every pulled sample is accounted for. */
#include "tests/unit/core/playout_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define SHORT 120  /* 2.5 ms */
#define LONG  2880 /* 60 ms */

struct ride {
    const char *name;
    enum rig_net net;
    uint32_t packet_samples, pull_samples, rtp_hz;
    double loss;
    double delay_most_ms; /* Mean, beyond the fastest packet. */
    double conceal_most;  /* Percent. */
};

static const struct ride rides[] = {
    {"2.5 ms, LAN", RIG_LAN, SHORT, 128, 48000, 0, 8, 0.02},
    {"2.5 ms, LAN, pull 480", RIG_LAN, SHORT, 480, 48000, 0, 14, 0.02},
    {"2.5 ms, LAN, 2 % loss", RIG_LAN, SHORT, 128, 48000, 0.02, 9, 2.3},
    {"2.5 ms, LAN, G.722's clock", RIG_LAN, SHORT, 240, 8000, 0, 9, 0.02},
    {"2.5 ms, access", RIG_ACCESS, SHORT, 128, 48000, 0, 21, 0.1},
    {"2.5 ms, Wi-Fi, 1 % loss", RIG_WIFI, SHORT, 128, 48000, 0.01, 75, 1.6},
    {"2.5 ms, Gaussian", RIG_GAUSS, SHORT, 128, 48000, 0, 95, 0.3},
    {"60 ms, LAN", RIG_LAN, LONG, 128, 48000, 0, 8, 0.02},
    {"60 ms, LAN, pull 480", RIG_LAN, LONG, 480, 48000, 0, 16, 0.02},
    {"60 ms, LAN, 2 % loss", RIG_LAN, LONG, 128, 48000, 0.02, 9, 2.6},
    {"60 ms, LAN, G.722's clock", RIG_LAN, LONG, 240, 8000, 0, 9, 0.02},
    {"60 ms, access", RIG_ACCESS, LONG, 128, 48000, 0, 25, 0.1},
    {"60 ms, Wi-Fi, 1 % loss", RIG_WIFI, LONG, 128, 48000, 0.01, 80, 1.8},
    {"60 ms, Gaussian", RIG_GAUSS, LONG, 128, 48000, 0, 110, 0.4},
};

static void test_lengths(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rides / sizeof *rides; i++) {
        const struct ride *ride = &rides[i];
        struct rig_config config = {.net = ride->net,
                                    .seed = 7 + i,
                                    .seconds = 120,
                                    .packet_samples = ride->packet_samples,
                                    .pull_samples = ride->pull_samples,
                                    .rtp_hz = ride->rtp_hz,
                                    .loss = ride->loss,
                                    .warm_up_s = 4};
        struct rig_result r = rig_run(&config, NULL, NULL);
        const struct tdm_playout_stats *s = &r.stats;

        print_message("%s: %.1f ms (%.1f to %.1f), concealed %.3f %%, stretched %.3f %%\n",
                      ride->name, r.delay_ms, r.delay_min_ms, r.delay_max_ms, r.conceal_percent,
                      r.stretch_percent);
        assert_true(r.delay_ms < ride->delay_most_ms);
        assert_true(r.conceal_percent < ride->conceal_most);
        /* What was pulled is what went in. */
        assert_int_equal(r.pulled, s->played_samples + s->concealed_samples + s->silent_samples +
                                       s->stretched_samples - s->shrunk_samples +
                                       (uint64_t)s->resampled_samples - s->buffered_samples);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
