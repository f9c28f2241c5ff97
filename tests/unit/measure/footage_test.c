/* SPDX-License-Identifier: MIT */
/* What the codecs are measured with: the same each time, of the right size, and it moves. */
#include "measure/camera_scene.h"
#include "measure/footage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void load(struct tdm_clip *clip, const char *name, int width, int height, uint32_t count)
{
    const struct tdm_clip_request request = {
        .width = width, .height = height, .fps = 30, .count = count, .hash = true};
    struct tdm_footage footage;
    struct tdm_cause cause;

    assert_int_equal(tdm_footage_parse(&footage, name, strlen(name), &cause), TDM_OK);
    assert_int_equal(tdm_clip_load(clip, &footage, &request, &cause), TDM_OK);
}

static size_t changed(const struct tdm_clip *clip, uint32_t a, uint32_t b)
{
    struct tdm_picture from, to;
    size_t count = 0;

    tdm_clip_picture(clip, a, &from);
    tdm_clip_picture(clip, b, &to);
    for (size_t i = 0; i < (size_t)clip->width * (size_t)clip->height; i++)
        count += from.planes[0][i] != to.planes[0][i];
    return count;
}

static void test_drawn(void **state)
{
    static const struct {
        const char *name;
        double least, most; /* Share of the luma that a picture changes. */
    } cases[] = {{"text", 0, 0.02}, {"scroll", 0.05, 0.6}, {"slides", 0, 0.02}, {"game", 0.3, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tdm_clip clip, again;

        load(&clip, cases[i].name, 640, 480, 30);
        load(&again, cases[i].name, 640, 480, 30);
        assert_int_equal(clip.count, 30);
        assert_true(clip.generated);
        assert_int_equal(strlen(clip.sha256), 64);
        assert_string_equal(clip.sha256, again.sha256);
        double share = (double)changed(&clip, 10, 11) / (640 * 480);

        assert_true(share >= cases[i].least && share <= cases[i].most);
        assert_true(changed(&clip, 0, 29) > 20); /* Something happens. */
        tdm_clip_free(&clip);
        tdm_clip_free(&again);
    }
}

/* A slide changes within a second, all of it. */
static void test_slide_change(void **state)
{
    struct tdm_clip clip;

    (void)state;
    load(&clip, "slides", 640, 480, 30);
    assert_true(changed(&clip, 0, 29) > 640 * 480 / 2);
    tdm_clip_free(&clip);
}

static void test_to_and_fro(void **state)
{
    static const uint32_t wanted[] = {0, 1, 2, 3, 2, 1, 0, 1};
    struct tdm_clip clip = {.width = 16, .height = 16, .count = 4};
    struct tdm_picture pic;

    (void)state;
    clip.storage = calloc(4, tdm_picture_bytes(16, 16));
    assert_non_null(clip.storage);
    for (uint32_t i = 0; i < 8; i++) {
        tdm_clip_picture(&clip, i, &pic);
        assert_int_equal(pic.frame_id, wanted[i]);
    }
    tdm_clip_free(&clip);
}

static void test_camera_scene(void **state)
{
    static uint8_t storage[2][160 * 120 * 3 / 2];
    struct tdm_picture a, b;

    (void)state;
    tdm_picture_over(&a, storage[0], 160, 120);
    tdm_picture_over(&b, storage[1], 160, 120);
    tdm_camera_scene_draw(&a, 3, 30);
    tdm_camera_scene_draw(&b, 3, 30);
    assert_memory_equal(storage[0], storage[1], sizeof storage[0]);
    tdm_camera_scene_draw(&b, 4, 30);
    assert_memory_not_equal(storage[0], storage[1], sizeof storage[0]);
}

static void test_names(void **state)
{
    static const struct {
        const char *text;
        enum tdm_err err;
    } cases[] = {
        {"camera", TDM_OK},
        {"text", TDM_OK},
        {"movie", TDM_E_MALFORMED},
        {"", TDM_E_MALFORMED},
        {"=x.mkv", TDM_E_MALFORMED},
        {"text=", TDM_E_MALFORMED},
        {"text=/nowhere.mkv", TDM_E_GONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tdm_footage footage;
        struct tdm_cause cause = {{0}};

        assert_int_equal(tdm_footage_parse(&footage, cases[i].text, strlen(cases[i].text), &cause),
                         cases[i].err);
        assert_int_equal(cause.text[0] == '\0', cases[i].err == TDM_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drawn),      cmocka_unit_test(test_slide_change),
        cmocka_unit_test(test_to_and_fro), cmocka_unit_test(test_camera_scene),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
