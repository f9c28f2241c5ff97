/* SPDX-License-Identifier: MIT */
/* Made-up cells of one place; which is taken, and what the sentences say. */
#include "measure/recommend.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CELLS_MAX 4

struct sample {
    const char *preset;
    double ms, db;
    uint32_t dropped;
    bool slow;
};

static size_t recommend(const struct sample *samples, size_t count, char *why)
{
    struct tdm_video_cell cells[CELLS_MAX] = {0};
    struct tdm_video_figures figures[CELLS_MAX] = {0};
    struct tdm_candidate candidates[CELLS_MAX];

    for (size_t i = 0; i < count; i++) {
        const struct sample *s = &samples[i];

        cells[i].spec =
            (struct tdm_video_spec){.ops = tdm_video_encoder_named("vp8"), .fps = 30, .frames = 30};
        (void)snprintf(cells[i].spec.preset, sizeof cells[i].spec.preset, "%s", s->preset);
        cells[i].dropped = s->dropped;
        cells[i].quality = (struct tdm_quality){
            .frames = 1, .share = {1, 0, 0}, .mse = {255.0 * 255.0 / pow(10, s->db / 10)}};
        figures[i].fits = !s->slow;
        figures[i].latency.total = s->ms;
        candidates[i] = (struct tdm_candidate){&cells[i], &figures[i]};
    }
    return tdm_recommend(candidates, count, why, TDM_RECOMMEND_WHY_BYTES);
}

static void test_which_and_why(void **state)
{
    static const struct {
        struct sample samples[CELLS_MAX];
        size_t chosen;
        const char *says, *says_not; /* NULL: nothing is asked. */
    } cases[] = {
        {{{"a", 20, 38, 0, false}, {"b", 10, 37.5, 0, false}}, 1, "against 38.0 dB", "left"},
        {{{"a", 20, 38, 0, false}, {"b", 10, 36.5, 0, false}}, 0, "none within 1 dB", " but "},
        /* One of 20 may be dropped; beyond that it is named. */
        {{{"a", 20, 38, 0, false}, {"b", 10, 38, 1, false}}, 1, "Of those that keep up", " but "},
        {{{"a", 20, 38, 0, false}, {"b", 10, 37, 2, false}},
         0,
         "vp8 b is faster but dropped 2 of 30.",
         "better"},
        {{{"a", 20, 38, 0, false}, {"b", 30, 39, 20, false}},
         0,
         "vp8 b is better but dropped 20 of 30.",
         "faster but"},
        {{{"a", 20, 38, 0, false}, {"b", 10, 39, 2, false}},
         0,
         "vp8 b is faster and better but dropped 2 of 30.",
         "b is better"},
        {{{"a", 20, 38, 0, false}, {"b", 10, 33, 9, false}, {"c", 40, 41, 0, true}},
         0,
         "vp8 b is faster but dropped 9 of 30. vp8 c is better but does not keep up with 30 ",
         NULL},
        /* The fastest of several; one that is neither faster nor better is not worth a word. */
        {{{"a", 20, 38, 0, false}, {"b", 10, 33, 9, false}, {"c", 9, 32, 8, false}},
         0,
         "vp8 c is faster but dropped 8 of 30.",
         "vp8 b"},
        {{{"a", 20, 38, 0, false}, {"b", 21, 37, 9, false}}, 0, "best picture", " but "},
        /* Nothing keeps up: nothing was left out. */
        {{{"a", 20, 38, 9, false}, {"b", 19, 37.5, 0, true}}, 1, "None keeps up", " but "},
        /* Poor ones. */
        {{{"a", 20, 30.1, 0, false}, {"b", 10, 20, 0, false}}, 0, "best picture", "poor"},
        {{{"a", 20, 29.9, 0, false}, {"b", 10, 20, 0, false}},
         0,
         "All look poor at this rate.",
         "It looks"},
        {{{"a", 20, 29.9, 0, false}, {"b", 10, 31, 9, false}},
         0,
         "It looks poor at this rate.",
         "All"},
        {{{"a", 20, 25, 0, true}}, 0, "All look poor at this rate.", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char why[TDM_RECOMMEND_WHY_BYTES];
        size_t count = 0;

        while (count < CELLS_MAX && cases[i].samples[count].preset)
            count++;
        assert_int_equal(recommend(cases[i].samples, count, why), cases[i].chosen);
        if (!strstr(why, cases[i].says))
            fail_msg("%zu: \"%s\" does not say \"%s\"", i, why, cases[i].says);
        if (cases[i].says_not && strstr(why, cases[i].says_not))
            fail_msg("%zu: \"%s\" says \"%s\"", i, why, cases[i].says_not);
    }
}

/* The longest names and numbers fit, or the text ends early. */
static void test_room(void **state)
{
    static const struct sample samples[] = {
        {"123456789012345", 1234567.8, 12, 0, false},
        {"abcdefghijklmno", 1234567.1, 11.5, 4000000000u, false},
        {"ABCDEFGHIJKLMNO", 1234569.1, 29, 0, true},
    };
    char why[TDM_RECOMMEND_WHY_BYTES];

    (void)state;
    assert_int_equal(recommend(samples, 3, why), 0);
    assert_non_null(strstr(why, "poor at this rate."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which_and_why),
        cmocka_unit_test(test_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
