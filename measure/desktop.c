/* SPDX-License-Identifier: MIT */
#include "measure/desktop.h"

#include <stdlib.h>

struct tdm_desktop {
    struct tdm_desktop_config config;
    uint32_t index;
};

enum tdm_err tdm_desktop_create(const struct tdm_desktop_config *config,
                                struct tdm_desktop **desktop, struct tdm_cause *cause)
{
    struct tdm_desktop *d = calloc(1, sizeof *d);

    if (!d)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory to draw a desktop");
    d->config = *config;
    *desktop = d;
    return TDM_OK;
}

void tdm_desktop_destroy(struct tdm_desktop *desktop)
{
    free(desktop);
}

enum tdm_err tdm_desktop_next(struct tdm_desktop *desktop, struct tdm_picture *pic,
                              struct tdm_cause *cause)
{
    (void)cause;
    for (int y = 0; y < pic->height; y++)
        for (int x = 0; x < pic->width; x++)
            pic->planes[0][y * pic->strides[0] + x] =
                (uint8_t)(((x / 8) ^ (y / 8)) * 16 + (int)desktop->index);
    for (int i = 1; i < 3; i++)
        for (int y = 0; y < pic->height / 2; y++)
            for (int x = 0; x < pic->width / 2; x++)
                pic->planes[i][y * pic->strides[i] + x] = 128;
    desktop->index++;
    return TDM_OK;
}

bool tdm_desktop_has_font(const struct tdm_desktop *desktop)
{
    return desktop->index == 0;
}
