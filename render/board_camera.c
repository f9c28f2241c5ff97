/* SPDX-License-Identifier: MIT */
#include "render/board_camera.h"

#include <math.h>

/* In the dark theme white paper has this lightness, and black ink the one of light letters. */
#define DARK_PAPER 0.235
#define DARK_INK   1.11 /* Of black; the usual ink comes out at 0.91. */
#define DARK_KEPT  0.36 /* How much of a strong colour's own lightness stays. */
#define STRONG     0.15

static double held(double value, double least, double most)
{
    return value > least ? (value < most ? value : most) : least; /* NaN: the least. */
}

static double scale_of(double scale)
{
    return held(scale, TDM_BOARD_SCALE_MIN, TDM_BOARD_SCALE_MAX);
}

/* Whole pixels as far as doubles count them. */
static int64_t whole(double v)
{
    return (int64_t)floor(held(v, -1e12, 1e12) + 0.5);
}

struct tdm_board_camera tdm_board_camera_at(double scale, double left, double top, int width,
                                            int height)
{
    scale = scale_of(scale);
    return (struct tdm_board_camera){.scale = scale,
                                     .x = whole(left * scale),
                                     .y = whole(top * scale),
                                     .width = width,
                                     .height = height};
}

void tdm_board_camera_zoom(struct tdm_board_camera *camera, double scale, double x, double y)
{
    double board_x, board_y;

    tdm_board_camera_to_board(camera, x, y, &board_x, &board_y);
    camera->scale = scale_of(scale);
    camera->x = whole(board_x * camera->scale - x);
    camera->y = whole(board_y * camera->scale - y);
}

void tdm_board_camera_fit(struct tdm_board_camera *camera, const struct tdm_figure_box *box,
                          double margin, double scale_max)
{
    double wide = box->right - box->left, high = box->bottom - box->top;
    double scale = fmin((camera->width - 2 * margin) / fmax(wide, 1e-6),
                        (camera->height - 2 * margin) / fmax(high, 1e-6));

    camera->scale = scale_of(fmin(scale, scale_max));
    camera->x = whole((box->left + box->right) / 2 * camera->scale - camera->width / 2.0);
    camera->y = whole((box->top + box->bottom) / 2 * camera->scale - camera->height / 2.0);
}

void tdm_board_camera_to_board(const struct tdm_board_camera *camera, double x, double y,
                               double *board_x, double *board_y)
{
    *board_x = ((double)camera->x + x) / camera->scale;
    *board_y = ((double)camera->y + y) / camera->scale;
}

void tdm_board_camera_to_window(const struct tdm_board_camera *camera, double board_x,
                                double board_y, double *x, double *y)
{
    *x = board_x * camera->scale - (double)camera->x;
    *y = board_y * camera->scale - (double)camera->y;
}

static int pixel(double v, int most)
{
    return (int)held(v, 0, most);
}

struct tdm_rect tdm_board_camera_rect(const struct tdm_board_camera *camera,
                                      const struct tdm_figure_box *box)
{
    double left, top, right, bottom;

    tdm_board_camera_to_window(camera, box->left, box->top, &left, &top);
    tdm_board_camera_to_window(camera, box->right, box->bottom, &right, &bottom);
    /* Edges are smoothed into the pixel beside them. */
    int x = pixel(floor(left) - 1, camera->width), y = pixel(floor(top) - 1, camera->height);

    return (struct tdm_rect){x, y, pixel(ceil(right) + 1, camera->width) - x,
                             pixel(ceil(bottom) + 1, camera->height) - y};
}

struct tdm_figure_box tdm_board_camera_box(const struct tdm_board_camera *camera)
{
    struct tdm_figure_box box;

    tdm_board_camera_to_board(camera, 0, 0, &box.left, &box.top);
    tdm_board_camera_to_board(camera, camera->width, camera->height, &box.right, &box.bottom);
    return box;
}

static double linear(uint32_t byte)
{
    double v = byte / 255.0;

    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

static uint32_t byte_of(double v)
{
    v = held(v, 0, 1);
    v = v <= 0.0031308 ? v * 12.92 : 1.055 * pow(v, 1 / 2.4) - 0.055;
    return (uint32_t)(v * 255 + 0.5);
}

/* Lightness and the two axes of colour as the eye has them (OKLab, Ottosson 2020). */
struct seen {
    double light, a, b;
};

static struct seen seen_of(uint32_t colour)
{
    double r = linear(colour >> 24), g = linear(colour >> 16 & 255), b = linear(colour >> 8 & 255);
    double l = cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
    double m = cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
    double s = cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);

    return (struct seen){0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
                         1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
                         0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

static uint32_t colour_of(struct seen c, uint32_t alpha)
{
    double l = pow(c.light + 0.3963377774 * c.a + 0.2158037573 * c.b, 3);
    double m = pow(c.light - 0.1055613458 * c.a - 0.0638541728 * c.b, 3);
    double s = pow(c.light - 0.0894841775 * c.a - 1.2914855480 * c.b, 3);

    return byte_of(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s) << 24 |
           byte_of(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s) << 16 |
           byte_of(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s) << 8 | alpha;
}

uint32_t tdm_board_theme_colour(enum tdm_board_theme theme, uint32_t colour)
{
    if (theme == TDM_THEME_LIGHT)
        return colour;
    struct seen c = seen_of(colour);

    /* Colours are told by their lightness, too: a yellow that is dark is a brown. */
    double turned = DARK_INK - (DARK_INK - DARK_PAPER) * c.light;
    double strength = sqrt(c.a * c.a + c.b * c.b);
    double kept = DARK_KEPT * fmin(strength / STRONG, 1);

    /* Dark ones would be darker than they need be. */
    if (c.light < 0.7)
        turned += fmin(strength, 0.25) * 0.5;
    c.light = turned + (c.light - turned) * kept;
    return colour_of(c, colour & 255);
}
