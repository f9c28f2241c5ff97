/* SPDX-License-Identifier: MIT */
#include "render/board_paint.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* After the four headers that it needs. */
#include <cmocka.h>

/* What the libraries below keep until the process ends. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\nleak:libcairo\nleak:libpango\nleak:libglib\n";
}

#define WIDTH  500
#define HEIGHT 400
#define COUNT  60

static const uint32_t types[] = {
    TDM_BOARD_PEN,       TDM_BOARD_MARKER,  TDM_BOARD_LINE, TDM_BOARD_ARROW, TDM_BOARD_DIAMOND,
    TDM_BOARD_RECTANGLE, TDM_BOARD_ELLIPSE, TDM_BOARD_TEXT, TDM_BOARD_NOTE,  TDM_BOARD_IMAGE};

static struct tdm_board_point points[40];

static int32_t below(struct tdm_rng *rng, uint32_t bound)
{
    return (int32_t)(tdm_rng_u64(rng) % bound);
}

static struct tdm_board_figure figure(struct tdm_rng *rng, uint64_t id, uint64_t version)
{
    int32_t x = 0, y = 0;

    for (size_t i = 0; i < 40; i++) {
        points[i] = (struct tdm_board_point){x, y, (uint8_t)below(rng, 256), 8};
        x += below(rng, 160) - 40;
        y += below(rng, 160) - 80;
    }
    return (struct tdm_board_figure){.id = id,
                                     .version = version,
                                     .type = types[id % 10],
                                     .x = below(rng, WIDTH * 16),
                                     .y = below(rng, HEIGHT * 16),
                                     .w = below(rng, 3000),
                                     .h = below(rng, 2000),
                                     .angle = (uint16_t)(id % 3 ? 0 : below(rng, 65536)),
                                     .colour = (uint32_t)tdm_rng_u64(rng) | 0x80,
                                     .fill = (uint32_t)tdm_rng_u64(rng),
                                     .width = below(rng, 120),
                                     .opacity = (uint8_t)(55 + below(rng, 200)),
                                     .dash = (uint8_t)below(rng, 3),
                                     .head_end = (uint8_t)below(rng, 5),
                                     .font_size = 320,
                                     .points = points,
                                     .point_count = 40,
                                     .text = "Tandem \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d board",
                                     .text_size = 22};
}

static struct tdm_board_scene *filled(struct tdm_rng *rng)
{
    struct tdm_board_scene *scene = NULL;

    assert_int_equal(tdm_board_scene_create(&scene, NULL), TDM_OK);
    tdm_board_scene_begin(scene);
    for (uint64_t id = 1; id <= COUNT; id++) {
        struct tdm_board_figure f = figure(rng, id, 1);

        assert_int_equal(tdm_board_scene_put(scene, &f), TDM_OK);
    }
    tdm_board_scene_end(scene);
    return scene;
}

static uint8_t kept[WIDTH * HEIGHT * 4], anew[WIDTH * HEIGHT * 4];

static void damage_equals_full(void **state)
{
    struct tdm_rng rng = tdm_rng_of(8);
    struct tdm_board_scene *scene = filled(&rng);
    struct tdm_board_cache *cache = NULL;
    struct tdm_board_camera camera = tdm_board_camera_at(0.7, -20, -30, WIDTH, HEIGHT);
    struct tdm_board_cache_report report;

    (void)state;
    assert_int_equal(tdm_board_cache_create(&cache, scene, 0, NULL), TDM_OK);
    tdm_board_cache_draw(cache, &camera, kept, WIDTH * 4, 0, &report);
    for (uint64_t i = 0; i < 30; i++) {
        struct tdm_board_figure f = figure(&rng, 1 + i * 7 % COUNT, 2 + i);

        assert_int_equal(tdm_board_scene_change(scene, &f), TDM_OK);
        tdm_board_cache_draw(cache, &camera, kept, WIDTH * 4, 0, &report);
        assert_int_equal(report.painted, 0);
        tdm_board_paint_pixels(scene, &camera, anew, WIDTH * 4);
        assert_memory_equal(kept, anew, sizeof kept);
        camera.x += i % 5 == 4 ? 37 : 0;
        tdm_board_cache_draw(cache, &camera, kept, WIDTH * 4, 0, &report);
    }
    tdm_board_cache_destroy(cache);
    tdm_board_scene_destroy(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(damage_equals_full)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
