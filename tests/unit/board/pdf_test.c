/* SPDX-License-Identifier: MIT */
#include "board/pdf.h"

#include "board/image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[64];

static void write_file(const char *text)
{
    (void)snprintf(path, sizeof path, "/tmp/tandem-pdf-XXXXXX");
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
}

/* Two pages of different sizes, each with a filled square. */
static const char two_pages[] =
    "%PDF-1.4\n"
    "1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    "2 0 obj<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>endobj\n"
    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 144 72]/Contents 5 0 R>>endobj\n"
    "4 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]/Contents 5 0 R>>endobj\n"
    "5 0 obj<</Length 26>>stream\n1 0 0 rg 0 0 36 36 re f   \nendstream endobj\n"
    "trailer<</Root 1 0 R>>\n%%EOF\n";

static enum tdm_err read_pdf(struct tdm_drawing *d, const struct tdm_pdf_choice *choice,
                             struct tdm_cause *cause)
{
    enum tdm_err err = tdm_pdf_read(d, path, choice, cause);

    if (err == TDM_E_UNSUPPORTED) {
        (void)unlink(path);
        printf("SKIP: %s\n", cause->text);
        exit(77);
    }
    return err;
}

static void test_pages(void **state)
{
    struct tdm_drawing d;
    struct tdm_cause cause = {""};
    struct tdm_image_pixels pixels;

    (void)state;
    write_file(two_pages);
    if (read_pdf(&d, &(struct tdm_pdf_choice){.dpi = 36}, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    assert_int_equal(d.count, 4);
    assert_int_equal(d.items[0].type, TDM_BOARD_PAGE);
    assert_int_equal(d.items[1].type, TDM_BOARD_IMAGE);
    assert_int_equal(d.items[1].w, 192 * 16); /* Two inches. */
    assert_int_equal(d.items[1].h, 96 * 16);
    assert_int_equal(d.items[3].w, 96 * 16);
    assert_true(d.items[1].locked);

    const struct tdm_drawing_image *image = &d.images[d.items[1].image];

    assert_int_equal(tdm_image_decode(&pixels, image->data, image->size, &cause), TDM_OK);
    assert_int_equal(pixels.width, 72);
    assert_int_equal(pixels.height, 36);
    const uint8_t *corner = pixels.bgra + 35 * pixels.stride, *white = pixels.bgra;

    assert_true(corner[0] == 0 && corner[1] == 0 && corner[2] == 255);
    assert_true(white[0] == 255 && white[1] == 255 && white[2] == 255);
    tdm_image_free(&pixels);
    tdm_drawing_free(&d);

    assert_int_equal(read_pdf(&d, &(struct tdm_pdf_choice){.first = 2, .dpi = 36}, &cause), TDM_OK);
    assert_int_equal(d.count, 2);
    tdm_drawing_free(&d);
    assert_int_equal(read_pdf(&d, &(struct tdm_pdf_choice){.first = 3}, &cause), TDM_E_MALFORMED);
    tdm_drawing_free(&d);
    (void)unlink(path);
}

static void test_no_pdf(void **state)
{
    struct tdm_drawing d;
    struct tdm_cause cause = {""};

    (void)state;
    write_file("%PDF-1.4\nnothing in it\n");
    assert_int_equal(read_pdf(&d, &(struct tdm_pdf_choice){0}, &cause), TDM_E_MALFORMED);
    assert_non_null(strstr(cause.text, "pdfinfo"));
    tdm_drawing_free(&d);
    (void)unlink(path);
    assert_int_equal(tdm_pdf_read(&d, path, &(struct tdm_pdf_choice){0}, &cause), TDM_E_GONE);
    tdm_drawing_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_no_pdf),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
