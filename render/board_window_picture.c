/* SPDX-License-Identifier: MIT */
/*
 * What is copied, as a picture for programs that know no boards. It is recorded when it is copied,
 * and becomes pixels or shapes when somebody asks for them.
 */
#include "render/board_window_state.h"

#include <cairo-svg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AROUND     16.0
#define SCALE      2.0
#define SIDE_MOST  8192.0
#define AREA_MOST  16e6 /* Pixels. */
#define BYTES_MOST ((size_t)32 << 20)

struct bytes {
    uint8_t *data;
    size_t size, room;
};

static cairo_status_t put(void *arg, const unsigned char *data, unsigned size)
{
    struct bytes *b = arg;

    if (b->size + size > BYTES_MOST)
        return CAIRO_STATUS_WRITE_ERROR;
    if (b->size + size > b->room) {
        size_t room = 2 * b->room + size;
        uint8_t *grown = realloc(b->data, room);

        if (!grown)
            return CAIRO_STATUS_NO_MEMORY;
        b->data = grown;
        b->room = room;
    }
    memcpy(b->data + b->size, data, size);
    b->size += size;
    return CAIRO_STATUS_SUCCESS;
}

static int by_id(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

void tdm_board_window_forget_picture(struct tdm_board_window *w)
{
    if (w->clip_picture)
        cairo_surface_destroy(w->clip_picture);
    w->clip_picture = NULL;
}

void tdm_board_window_record(struct tdm_board_window *w)
{
    uint32_t count = w->tools->selected_count;

    tdm_board_window_forget_picture(w);
    tdm_board_window_feed(w);
    for (uint32_t i = 0; i < count; i++)
        w->figures[i] = tdm_board_figure_id(w->tools->selected[i]);
    qsort(w->figures, count, sizeof *w->figures, by_id);
    w->clip_picture = cairo_recording_surface_create(CAIRO_CONTENT_COLOR_ALPHA, NULL);
    cairo_t *cr = cairo_create(w->clip_picture);

    /* Other programs' paper is white. */
    if (!tdm_board_paint_chosen(w->scene, cr, w->figures, count, TDM_THEME_LIGHT, &w->clip_box))
        tdm_board_window_forget_picture(w);
    cairo_destroy(cr);
}

static void paint(const struct tdm_board_window *w, cairo_surface_t *on, double scale, bool paper)
{
    cairo_t *cr = cairo_create(on);

    if (paper) {
        cairo_set_source_rgb(cr, 1, 1, 1);
        cairo_paint(cr);
    }
    cairo_scale(cr, scale, scale);
    cairo_set_source_surface(cr, w->clip_picture, AROUND - w->clip_box.left,
                             AROUND - w->clip_box.top);
    cairo_paint(cr);
    cairo_destroy(cr);
}

uint8_t *tdm_board_window_picture_bytes(struct tdm_board_window *w, bool shapes, size_t *size)
{
    double wide = w->clip_box.right - w->clip_box.left + 2 * AROUND;
    double high = w->clip_box.bottom - w->clip_box.top + 2 * AROUND;
    double scale = fmin(fmin(SCALE, SIDE_MOST / fmax(wide, high)), sqrt(AREA_MOST / wide / high));
    struct bytes bytes = {.size = 0};
    cairo_surface_t *s;

    *size = 0;
    if (!w->clip_picture)
        return NULL;
    if (shapes) {
        s = cairo_svg_surface_create_for_stream(put, &bytes, wide, high);
        cairo_svg_surface_set_document_unit(s, CAIRO_SVG_UNIT_PX);
        paint(w, s, 1, false);
        cairo_surface_finish(s);
    } else {
        s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)fmax(ceil(wide * scale), 1),
                                       (int)fmax(ceil(high * scale), 1));
        paint(w, s, scale, true);
        (void)cairo_surface_write_to_png_stream(s, put, &bytes);
    }
    bool good = cairo_surface_status(s) == CAIRO_STATUS_SUCCESS;

    cairo_surface_destroy(s);
    if (!good) {
        free(bytes.data);
        return NULL;
    }
    *size = bytes.size;
    return bytes.data;
}
