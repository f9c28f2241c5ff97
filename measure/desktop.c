/* SPDX-License-Identifier: MIT */
#include "measure/desktop.h"

#include "capture/fit.h"
#include "measure/scene.h"

#include <stdlib.h>

#define LARGE_HEIGHT 700 /* From here on text has the size that people like on a monitor. */

struct tdm_desktop {
    const struct tdm_scene_ops *ops;
    void *scene;
    struct tdm_canvas canvas;
    struct tdm_fit fit;
    uint32_t index;
};

static const struct tdm_scene_ops *const scenes[TDM_FOOTAGE_COUNT] = {
    [TDM_FOOTAGE_TEXT] = &tdm_scene_text,
    [TDM_FOOTAGE_SCROLL] = &tdm_scene_scroll,
    [TDM_FOOTAGE_SLIDES] = &tdm_scene_slides,
    [TDM_FOOTAGE_GAME] = &tdm_scene_game,
};

enum tdm_err tdm_desktop_create(const struct tdm_desktop_config *config,
                                struct tdm_desktop **desktop, struct tdm_cause *cause)
{
    struct tdm_desktop *d = calloc(1, sizeof *d);

    assert(config->kind < TDM_FOOTAGE_COUNT && scenes[config->kind]);
    if (!d)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory to draw a desktop");
    d->ops = scenes[config->kind];
    d->canvas = (struct tdm_canvas){
        .surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, config->width, config->height),
        .width = config->width,
        .height = config->height,
        .fps = config->fps,
        .text_pixels = config->height >= LARGE_HEIGHT ? 15 : 12,
    };
    bool good = tdm_pen_create(&d->canvas.pen, d->canvas.surface) &&
                tdm_fit_open(&d->fit, config->width, config->height);

    if (good)
        d->scene = d->ops->create(&d->canvas);
    if (!d->scene) {
        tdm_desktop_destroy(d);
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory to draw a desktop of %dx%d", config->width,
                        config->height);
    }
    *desktop = d;
    return TDM_OK;
}

void tdm_desktop_destroy(struct tdm_desktop *d)
{
    if (!d)
        return;
    if (d->scene)
        d->ops->destroy(d->scene);
    tdm_pen_destroy(&d->canvas.pen);
    cairo_surface_destroy(d->canvas.surface);
    tdm_fit_close(&d->fit);
    free(d);
}

enum tdm_err tdm_desktop_next(struct tdm_desktop *d, struct tdm_picture *pic,
                              struct tdm_cause *cause)
{
    d->ops->draw(d->scene, &d->canvas, d->index++);
    cairo_surface_flush(d->canvas.surface);
    const struct tdm_raw_picture raw = {
        .data = {cairo_image_surface_get_data(d->canvas.surface)},
        .strides = {cairo_image_surface_get_stride(d->canvas.surface)},
        .width = d->canvas.width,
        .height = d->canvas.height,
        .format = AV_PIX_FMT_0RGB32, /* As cairo has it, in the machine's byte order. */
    };

    if (tdm_fit_into(&d->fit, &raw, pic))
        return tdm_fail(cause, TDM_E_SYSTEM, "a drawn desktop could not be converted");
    return TDM_OK;
}

bool tdm_desktop_has_font(const struct tdm_desktop *desktop)
{
    return desktop->canvas.pen.has_font;
}
