/* SPDX-License-Identifier: MIT */
#include "render/board_export.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SCALE_USUAL  2.0
#define MARGIN_USUAL 24.0
#define SIDE_MOST    32767
#define PIXELS_MOST  (256.0 * 1024 * 1024)
#define POINTS       0.75 /* Of a PDF to a px. */
#define EMPTY_WIDTH  1280.0
#define EMPTY_HEIGHT 720.0

struct out {
    tdm_board_write_fn *write;
    void *arg;
};

static cairo_status_t on_bytes(void *arg, const unsigned char *data, unsigned size)
{
    const struct out *out = arg;

    return out->write(out->arg, data, size) ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

bool tdm_board_write_file(void *file, const uint8_t *data, size_t size)
{
    return fwrite(data, 1, size, file) == size;
}

static struct tdm_figure_box area_of(struct tdm_board_scene *scene,
                                     const struct tdm_board_export *o)
{
    struct tdm_figure_box box = o->area;
    double margin = o->margin < 0 ? MARGIN_USUAL : o->margin;

    if (box.left < box.right && box.top < box.bottom)
        return box;
    if (!tdm_board_scene_extent(scene, &box))
        return (struct tdm_figure_box){0, 0, EMPTY_WIDTH, EMPTY_HEIGHT};
    return (struct tdm_figure_box){box.left - margin, box.top - margin, box.right + margin,
                                   box.bottom + margin};
}

static struct tdm_board_camera camera_of(const struct tdm_board_export *o)
{
    return (struct tdm_board_camera){.scale = 1,
                                     .theme = o->theme,
                                     .without_ground = o->without_ground,
                                     .without_pattern = o->without_pattern};
}

static enum tdm_err finish(cairo_surface_t *s, cairo_status_t status, struct tdm_cause *cause)
{
    cairo_surface_destroy(s);
    if (status == CAIRO_STATUS_SUCCESS)
        return TDM_OK;
    return tdm_fail(cause, TDM_E_SYSTEM, "The board cannot be written: %s.",
                    cairo_status_to_string(status));
}

enum tdm_err tdm_board_export_png(struct tdm_board_scene *scene, const struct tdm_board_export *o,
                                  tdm_board_write_fn *write, void *arg, struct tdm_cause *cause)
{
    struct tdm_figure_box box = area_of(scene, o);
    struct tdm_board_camera camera =
        tdm_board_camera_at(o->scale > 0 ? o->scale : SCALE_USUAL, box.left, box.top, 0, 0);
    double wide = ceil((box.right - box.left) * camera.scale);
    double high = ceil((box.bottom - box.top) * camera.scale);
    struct out out = {write, arg};

    if (!(wide <= SIDE_MOST && high <= SIDE_MOST && wide * high <= PIXELS_MOST))
        return tdm_fail(cause, TDM_E_SPACE,
                        "The picture would have %.0f x %.0f pixels: choose a smaller scale or "
                        "a part of the board.",
                        wide, high);
    camera.width = (int)fmax(wide, 1);
    camera.height = (int)fmax(high, 1);
    camera.theme = o->theme;
    camera.without_ground = o->without_ground;
    camera.without_pattern = o->without_pattern;
    cairo_surface_t *s =
        cairo_image_surface_create(CAIRO_FORMAT_ARGB32, camera.width, camera.height);

    if (cairo_surface_status(s) != CAIRO_STATUS_SUCCESS)
        return finish(s, cairo_surface_status(s), cause);
    tdm_board_paint_pixels(scene, &camera, cairo_image_surface_get_data(s),
                           cairo_image_surface_get_stride(s));
    cairo_surface_mark_dirty(s);
    return finish(s, cairo_surface_write_to_png_stream(s, on_bytes, &out), cause);
}

static void paint(struct tdm_board_scene *scene, const struct tdm_board_export *o,
                  cairo_surface_t *s, const struct tdm_figure_box *box, double points)
{
    struct tdm_board_camera camera = camera_of(o);
    cairo_t *cr = cairo_create(s);

    cairo_scale(cr, points, points);
    cairo_translate(cr, -box->left, -box->top);
    tdm_board_paint_vector(scene, cr, box, &camera);
    cairo_destroy(cr);
}

/* Puts the scene behind the opening tag's end, where programs look for it. */
struct svg_out {
    struct out out;
    const struct tdm_board_export *o;
    bool opened, done;
};

static bool put_embedded(const struct svg_out *s)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[256];
    int size = snprintf(text, sizeof text,
                        "\n<metadata><!-- payload-type:%.100s --><!-- payload-version:2 -->"
                        "<!-- payload-start -->",
                        s->o->embedded_type ? s->o->embedded_type : "application/octet-stream");
    const uint8_t *from = (const uint8_t *)s->o->embedded;

    if (!s->out.write(s->out.arg, (const uint8_t *)text, (size_t)size))
        return false;
    for (size_t i = 0; i < s->o->embedded_size; i += 3) {
        size_t left = s->o->embedded_size - i;
        uint32_t v = (uint32_t)from[i] << 16 | (left > 1 ? (uint32_t)from[i + 1] << 8 : 0) |
                     (left > 2 ? from[i + 2] : 0);
        uint8_t four[4] = {(uint8_t)letters[v >> 18], (uint8_t)letters[v >> 12 & 63],
                           (uint8_t)(left > 1 ? letters[v >> 6 & 63] : '='),
                           (uint8_t)(left > 2 ? letters[v & 63] : '=')};

        if (!s->out.write(s->out.arg, four, 4))
            return false;
    }
    static const char end[] = "<!-- payload-end --></metadata>";

    return s->out.write(s->out.arg, (const uint8_t *)end, sizeof end - 1);
}

static cairo_status_t on_svg(void *arg, const unsigned char *data, unsigned size)
{
    struct svg_out *s = arg;

    for (unsigned i = 0; s->o->embedded && !s->done && i < size; i++) {
        s->opened |= i + 4 <= size && data[i] == '<' && data[i + 1] == 's' && data[i + 2] == 'v';
        if (!s->opened || data[i] != '>')
            continue;
        s->done = true;
        if (!s->out.write(s->out.arg, data, i + 1) || !put_embedded(s))
            return CAIRO_STATUS_WRITE_ERROR;
        data += i + 1;
        size -= i + 1;
    }
    return s->out.write(s->out.arg, data, size) ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

enum tdm_err tdm_board_export_svg(struct tdm_board_scene *scene, const struct tdm_board_export *o,
                                  tdm_board_write_fn *write, void *arg, struct tdm_cause *cause)
{
    struct tdm_figure_box box = area_of(scene, o);
    struct svg_out out = {.out = {write, arg}, .o = o};
    cairo_surface_t *s = cairo_svg_surface_create_for_stream(on_svg, &out, box.right - box.left,
                                                             box.bottom - box.top);

    cairo_svg_surface_set_document_unit(s, CAIRO_SVG_UNIT_PX);
    paint(scene, o, s, &box, 1);
    cairo_surface_finish(s);
    return finish(s, cairo_surface_status(s), cause);
}

enum tdm_err tdm_board_export_pdf(struct tdm_board_scene *const *scenes, size_t count,
                                  const struct tdm_board_export *o, tdm_board_write_fn *write,
                                  void *arg, struct tdm_cause *cause)
{
    struct out out = {write, arg};
    cairo_surface_t *s = cairo_pdf_surface_create_for_stream(on_bytes, &out, 72, 72);

    /* Not the day: the same board gives the same bytes. */
    cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
    for (size_t i = 0; i < count; i++) {
        struct tdm_figure_box box = area_of(scenes[i], o);

        cairo_pdf_surface_set_size(s, (box.right - box.left) * POINTS,
                                   (box.bottom - box.top) * POINTS);
        paint(scenes[i], o, s, &box, POINTS);
        cairo_surface_show_page(s);
    }
    cairo_surface_finish(s);
    return finish(s, cairo_surface_status(s), cause);
}
