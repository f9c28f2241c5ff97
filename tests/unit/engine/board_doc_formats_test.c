/* SPDX-License-Identifier: MIT */
/* Boards as other programs' files, out and in again. */
#include "engine/board_doc_formats.h"

#include "board/image.h"
#include "render/board_feed.h"
#include "render/board_paint.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char folder[64], path[96];
};

static int make_place(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    const char *under = getenv("TMPDIR");

    assert_non_null(p);
    (void)snprintf(p->folder, sizeof p->folder, "%.40s/board-out-XXXXXX", under ? under : "/tmp");
    assert_non_null(mkdtemp(p->folder));
    *state = p;
    return 0;
}

static int leave_place(void **state)
{
    struct place *p = *state;
    char command[128];

    (void)snprintf(command, sizeof command, "rm -rf '%s'", p->folder);
    assert_int_equal(system(command), 0);
    free(p);
    return 0;
}

static const char *file_in(struct place *p, const char *name)
{
    (void)snprintf(p->path, sizeof p->path, "%s/%s", p->folder, name);
    return p->path;
}

static struct tdm_board_doc *open_doc(void)
{
    struct tdm_board_doc *doc = NULL;
    struct tdm_cause cause;

    assert_int_equal(
        tdm_board_doc_open(&doc, &(struct tdm_board_doc_config){.path = NULL}, NULL, &cause),
        TDM_OK);
    return doc;
}

static struct tdm_board_id add(struct tdm_board_doc *doc, enum tdm_board_type type, int x, int y)
{
    const struct tdm_board_value values[] = {
        tdm_board_ref(TDM_PROP_PAGE, TDM_BOARD_FIRST_PAGE),
        tdm_board_int(TDM_PROP_X, x * 16),
        tdm_board_int(TDM_PROP_Y, y * 16),
        tdm_board_int(TDM_PROP_W, 120 * 16),
        tdm_board_int(TDM_PROP_H, 80 * 16),
        tdm_board_int(TDM_PROP_FILL, 0xffcc00ff),
    };
    struct tdm_board_id id;

    assert_int_equal(tdm_board_doc_room(doc, TDM_BOARD_ROOM), TDM_OK);
    assert_int_equal(tdm_board_add(tdm_board_doc_board(doc), type, values, 6, &id), TDM_OK);
    return id;
}

/* One of each that the formats have in common. */
static struct tdm_board_doc *picture(void)
{
    struct tdm_board_doc *doc = open_doc();
    struct tdm_board *b = tdm_board_doc_board(doc);
    struct tdm_board_point points[30];

    (void)add(doc, TDM_BOARD_RECTANGLE, 0, 0);
    (void)add(doc, TDM_BOARD_ELLIPSE, 200, 10);
    (void)add(doc, TDM_BOARD_ARROW, -50, 150);
    struct tdm_board_id text = add(doc, TDM_BOARD_TEXT, 20, 200),
                        pen = add(doc, TDM_BOARD_PEN, 5, 5);

    assert_int_equal(tdm_board_text_insert(b, text, 0, "zwei Worte", 10), TDM_OK);
    for (int i = 0; i < 30; i++)
        points[i] = (struct tdm_board_point){i * 100, (int32_t)(400 * sin(i / 4.0)), 128, 8};
    assert_int_equal(tdm_board_ink(b, pen, points, 30), TDM_OK);
    assert_int_equal(tdm_board_seal(b, pen), TDM_OK);
    return doc;
}

static unsigned count_of(struct tdm_board_doc *doc, uint32_t type)
{
    const struct tdm_board *b = tdm_board_doc_board(doc);
    struct tdm_board_view view;
    unsigned count = 0;

    for (const struct tdm_board_object *p = tdm_board_lowest(b, TDM_BOARD_NONE); p;
         p = tdm_board_above(p))
        for (const struct tdm_board_object *o = tdm_board_lowest(b, tdm_board_id_of(p)); o;
             o = tdm_board_above(o)) {
            tdm_board_read(b, o, &view);
            count += !type || view.type == type;
        }
    return count;
}

static void write_to(struct tdm_board_doc *doc, const char *path)
{
    const struct tdm_board_export_choice choice = {.scale = 1};
    struct tdm_cause cause = {""};

    if (tdm_board_doc_export(doc, path, &choice, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
}

static struct tdm_board_imported read_from(struct tdm_board_doc *doc, const char *path)
{
    struct tdm_board_imported imported;
    struct tdm_cause cause = {""};

    if (tdm_board_doc_import(doc, path, NULL, &imported, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    return imported;
}

static uint8_t *bytes_of(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(4 << 20);

    assert_non_null(file);
    assert_non_null(data);
    *size = fread(data, 1, 4 << 20, file);
    assert_int_equal(fclose(file), 0);
    return data;
}

static void test_png_has_the_painters_pixels(void **state)
{
    struct place *p = *state;
    struct tdm_board_doc *doc = picture();
    struct tdm_board_scene *scene;
    struct tdm_image_pixels png;
    struct tdm_figure_box box;
    struct tdm_board_feed feed;
    struct tdm_cause cause;
    size_t size;

    write_to(doc, file_in(p, "a.png"));
    uint8_t *data = bytes_of(p->path, &size);

    assert_int_equal(tdm_image_decode(&png, data, size, &cause), TDM_OK);
    assert_int_equal(tdm_board_scene_create(&scene, &cause), TDM_OK);
    tdm_board_feed_init(&feed, scene);
    assert_int_equal(tdm_board_feed(&feed, tdm_board_doc_board(doc), TDM_BOARD_FIRST_PAGE), TDM_OK);
    assert_true(tdm_board_scene_extent(scene, &box));
    struct tdm_board_camera camera =
        tdm_board_camera_at(1, box.left - 24, box.top - 24, (int)png.width, (int)png.height);

    assert_int_equal(png.width, (int)ceil(box.right - box.left + 48));
    assert_int_equal(png.height, (int)ceil(box.bottom - box.top + 48));
    uint8_t *target = calloc(png.height, (size_t)png.width * 4);
    unsigned other = 0, inked = 0;

    assert_non_null(target);
    tdm_board_paint_pixels(scene, &camera, target, (int)png.width * 4);
    for (uint32_t y = 0; y < png.height; y++)
        for (uint32_t x = 0; x < png.width; x++) {
            const uint8_t *here = target + ((size_t)y * png.width + x) * 4;

            other += memcmp(here, png.bgra + y * png.stride + (size_t)x * 4, 3) != 0;
            inked += memcmp(here, target, 3) != 0;
        }
    assert_int_equal(other, 0);
    assert_true(inked > 10000);
    free(target);
    free(data);
    tdm_image_free(&png);
    tdm_board_feed_free(&feed);
    tdm_board_scene_destroy(scene);
    tdm_board_doc_close(doc);
}

static void test_excalidraw_there_and_back(void **state)
{
    struct place *p = *state;
    struct tdm_board_doc *doc = picture(), *again = open_doc();

    write_to(doc, file_in(p, "a.excalidraw"));
    struct tdm_board_imported imported = read_from(again, p->path);

    assert_string_equal(imported.format, "excalidraw");
    assert_int_equal(imported.objects, 5);
    assert_int_equal(imported.skipped, 0);
    for (uint32_t type = 0; type <= TDM_BOARD_GROUP; type++)
        assert_int_equal(count_of(doc, type), count_of(again, type));
    /* One step of undo takes all of it back. */
    struct tdm_board_undone undone;

    assert_int_equal(tdm_board_undo(tdm_board_doc_board(again), &undone), TDM_OK);
    assert_int_equal(count_of(again, 0), 0);
    assert_false(tdm_board_can_undo(tdm_board_doc_board(again)));
    tdm_board_doc_close(doc);
    tdm_board_doc_close(again);
}

static void test_svg(void **state)
{
    struct place *p = *state;
    struct tdm_board_doc *doc = picture(), *again = open_doc();

    write_to(doc, file_in(p, "a.svg"));
    struct tdm_board_imported imported = read_from(again, p->path);

    assert_string_equal(imported.format, "svg");
    assert_true(imported.objects >= 4);
    tdm_board_doc_close(doc);
    tdm_board_doc_close(again);
}

static void test_pdf(void **state)
{
    struct place *p = *state;
    struct tdm_board_doc *doc = picture(), *again = open_doc();
    struct tdm_board_imported imported;
    struct tdm_board_id page;
    struct tdm_cause cause;
    size_t size;

    assert_int_equal(tdm_board_add(tdm_board_doc_board(doc), TDM_BOARD_PAGE, NULL, 0, &page),
                     TDM_OK);
    write_to(doc, file_in(p, "a.pdf"));
    uint8_t *data = bytes_of(p->path, &size);

    assert_memory_equal(data, "%PDF-", 5);
    free(data);
    enum tdm_err err = tdm_board_doc_import(again, p->path, NULL, &imported, &cause);

    if (err == TDM_OK) {
        assert_int_equal(imported.pages, 2);
        assert_int_equal(count_of(again, TDM_BOARD_IMAGE), 2);
    } else {
        assert_int_equal(err, TDM_E_UNSUPPORTED); /* pdftocairo is not installed. */
    }
    tdm_board_doc_close(doc);
    tdm_board_doc_close(again);
}

static void test_image_in(void **state)
{
    struct place *p = *state;
    struct tdm_board_doc *doc = picture(), *again = open_doc();
    struct tdm_board_imported imported;
    struct tdm_cause cause;
    struct tdm_board_view view;
    size_t size;

    write_to(doc, file_in(p, "a.png"));
    uint8_t *data = bytes_of(p->path, &size);
    const struct tdm_board_id page = TDM_BOARD_FIRST_PAGE;

    assert_int_equal(tdm_board_doc_paste(again, data, size, &page, 16000, 8000, &imported, &cause),
                     TDM_OK);
    free(data);
    assert_string_equal(imported.format, "image");
    assert_int_equal(imported.images, 1);
    const struct tdm_board *b = tdm_board_doc_board(again);

    tdm_board_read(b, tdm_board_lowest(b, page), &view);
    assert_int_equal(view.type, TDM_BOARD_IMAGE);
    assert_true(abs(view.x + view.w / 2 - 16000) <= 1 && abs(view.y + view.h / 2 - 8000) <= 1);
    assert_true(tdm_board_doc_blob_has(again, view.image));
    /* And out again, with its pixels. */
    write_to(again, file_in(p, "b.excalidraw"));
    write_to(again, file_in(p, "b.png"));
    tdm_board_doc_close(doc);
    tdm_board_doc_close(again);
}

static void test_refused(void **state)
{
    static const char *const wrong[] = {
        "", "neither this nor that", "{\"type\": \"else\"}", "<html></html>", "\x89PNG\r\n\x1a\n",
        "{"};
    struct place *p = *state;
    struct tdm_board_doc *doc = open_doc();
    struct tdm_board_imported imported;
    struct tdm_cause cause;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        FILE *file = fopen(file_in(p, "wrong"), "wb");

        assert_non_null(file);
        assert_true(fputs(wrong[i], file) >= 0);
        assert_int_equal(fclose(file), 0);
        cause.text[0] = '\0';
        assert_int_not_equal(tdm_board_doc_import(doc, p->path, NULL, &imported, &cause), TDM_OK);
        assert_true(strlen(cause.text) > 10);
    }
    assert_int_equal(tdm_board_doc_import(doc, file_in(p, "absent"), NULL, &imported, &cause),
                     TDM_E_SYSTEM);
    assert_int_equal(count_of(doc, 0), 0);

    const struct tdm_board_export_choice choice = {.page = 7};

    assert_int_equal(tdm_board_doc_export(doc, file_in(p, "a.gif"), &choice, &cause),
                     TDM_E_UNSUPPORTED);
    assert_int_equal(tdm_board_doc_export(doc, file_in(p, "a.png"), &choice, &cause),
                     TDM_E_MALFORMED);
    assert_int_not_equal(access(p->path, F_OK), 0);
    tdm_board_doc_close(doc);
}

static void test_merge(void **state)
{
    struct tdm_board_doc *a = picture(), *b = picture();
    uint8_t one[TDM_BOARD_DIGEST_BYTES], two[TDM_BOARD_DIGEST_BYTES], hash[TDM_SHA256_BYTES];
    struct tdm_cause cause;

    (void)state;
    struct tdm_board_id id = add(b, TDM_BOARD_IMAGE, 0, 0);

    assert_int_equal(tdm_board_doc_blob_put(b, "pixels", 6, hash, &cause), TDM_OK);
    const struct tdm_board_value image = tdm_board_bytes(TDM_PROP_IMAGE, hash, sizeof hash);

    assert_int_equal(tdm_board_set(tdm_board_doc_board(b), id, &image, 1), TDM_OK);
    assert_int_equal(tdm_board_doc_merge(a, b, &cause), TDM_OK);
    assert_int_equal(tdm_board_doc_merge(b, a, &cause), TDM_OK);
    tdm_board_digest(tdm_board_doc_board(a), one);
    tdm_board_digest(tdm_board_doc_board(b), two);
    assert_memory_equal(one, two, sizeof one);
    assert_int_equal(count_of(a, 0), 11);
    assert_true(tdm_board_doc_blob_has(a, hash));
    tdm_board_doc_close(a);
    tdm_board_doc_close(b);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, leave_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(test_png_has_the_painters_pixels),
        IN_PLACE(test_excalidraw_there_and_back),
        IN_PLACE(test_svg),
        IN_PLACE(test_pdf),
        IN_PLACE(test_image_in),
        IN_PLACE(test_refused),
        cmocka_unit_test(test_merge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
