/* SPDX-License-Identifier: MIT */
#include "collab/board_canvas.h"

#include <math.h>
#include <stddef.h>

#define MARGIN     48.0 /* Pixels of the window around what is fitted. */
#define SMALLEST   64.0 /* px: a dot is not enlarged without end. */
#define NEARLY_ONE 1.001

double tdm_board_finite(double value, double limit)
{
    if (isnan(value))
        return 0;
    return value > limit ? limit : value < -limit ? -limit : value;
}

int32_t tdm_board_unit(double px)
{
    return (int32_t)lrint(tdm_board_finite(px, TDM_BOARD_EDGE) * TDM_BOARD_UNIT);
}

double tdm_board_canvas_x(const struct tdm_board_canvas *c, double window_x)
{
    return c->x + tdm_board_finite(window_x, TDM_BOARD_PIXEL_MAX) / c->zoom;
}

double tdm_board_canvas_y(const struct tdm_board_canvas *c, double window_y)
{
    return c->y + tdm_board_finite(window_y, TDM_BOARD_PIXEL_MAX) / c->zoom;
}

/* The corner stands on a whole pixel of the window, so that what is painted can be moved. */
static void settle(struct tdm_board_canvas *c)
{
    c->x = tdm_board_finite(round(c->x * c->zoom) / c->zoom, TDM_BOARD_EDGE);
    c->y = tdm_board_finite(round(c->y * c->zoom) / c->zoom, TDM_BOARD_EDGE);
}

void tdm_board_canvas_pan(struct tdm_board_canvas *c, double dx, double dy)
{
    c->x -= tdm_board_finite(dx, TDM_BOARD_PIXEL_MAX) / c->zoom;
    c->y -= tdm_board_finite(dy, TDM_BOARD_PIXEL_MAX) / c->zoom;
    settle(c);
}

static double within(double zoom)
{
    if (!(zoom >= TDM_BOARD_ZOOM_MIN))
        return TDM_BOARD_ZOOM_MIN;
    return zoom > TDM_BOARD_ZOOM_MAX ? TDM_BOARD_ZOOM_MAX : zoom;
}

void tdm_board_canvas_zoom(struct tdm_board_canvas *c, double zoom, double x, double y)
{
    double board_x = tdm_board_canvas_x(c, x), board_y = tdm_board_canvas_y(c, y);

    c->zoom = within(zoom);
    c->x = board_x - tdm_board_finite(x, TDM_BOARD_PIXEL_MAX) / c->zoom;
    c->y = board_y - tdm_board_finite(y, TDM_BOARD_PIXEL_MAX) / c->zoom;
    settle(c);
}

double tdm_board_canvas_step(const struct tdm_board_canvas *c, bool in)
{
    static const double round_zooms[] = {0.05, 0.1, 0.25, 0.5, 0.75, 1,  1.25, 1.5,
                                         2,    3,   4,    6,   8,    12, 16,   32};
    size_t count = sizeof round_zooms / sizeof *round_zooms;

    if (in) {
        for (size_t i = 0; i < count; i++)
            if (round_zooms[i] > c->zoom * NEARLY_ONE)
                return round_zooms[i];
        return TDM_BOARD_ZOOM_MAX;
    }
    for (size_t i = count; i-- > 0;)
        if (round_zooms[i] * NEARLY_ONE < c->zoom)
            return round_zooms[i];
    return TDM_BOARD_ZOOM_MIN;
}

void tdm_board_canvas_fit(struct tdm_board_canvas *c, struct tdm_board_area area, double most)
{
    double w = fmax((double)area.w / TDM_BOARD_UNIT, SMALLEST);
    double h = fmax((double)area.h / TDM_BOARD_UNIT, SMALLEST);
    double zoom = fmin((c->width - 2 * MARGIN) / w, (c->height - 2 * MARGIN) / h);

    c->zoom = within(fmin(zoom, most));
    c->x = ((double)area.x + area.w / 2.0) / TDM_BOARD_UNIT - c->width / 2 / c->zoom;
    c->y = ((double)area.y + area.h / 2.0) / TDM_BOARD_UNIT - c->height / 2 / c->zoom;
    settle(c);
}

struct tdm_board_area tdm_board_canvas_area(const struct tdm_board_canvas *c)
{
    int32_t x = tdm_board_unit(floor(c->x)), y = tdm_board_unit(floor(c->y));
    int32_t right = tdm_board_unit(ceil(c->x + c->width / c->zoom));
    int32_t bottom = tdm_board_unit(ceil(c->y + c->height / c->zoom));

    return (struct tdm_board_area){x, y, right - x, bottom - y};
}
