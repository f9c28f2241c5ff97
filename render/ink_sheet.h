/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_INK_SHEET_H
#define TDM_RENDER_INK_SHEET_H

/*
 * The annotations of one shared surface as pixels over it, through the board's own painter:
 * transparent where there is no ink. Only what changed is painted again. One thread at a time.
 */

#include "engine/base/rect.h"
#include "render/board_figure.h"

#include "engine/base/err.h"

#define TDM_INK_RECTS_MAX 16

/** How one draws over a screen. */
enum tdm_ink_tool { TDM_INK_PEN, TDM_INK_ARROW, TDM_INK_BOX, TDM_INK_TOOLS };
enum tdm_ink_act { TDM_INK_DOWN, TDM_INK_MOVE, TDM_INK_UP };

/** Pixels over a surface. */
struct tdm_ink_pixels {
    int width, height, stride;
    const uint8_t *pixels;   /* 0xAARRGGBB, colours times alpha. */
    struct tdm_rect extent;  /* Around all ink; empty: there is none. */
    struct tdm_rect changed; /* Since the last time. */
};

struct tdm_ink_sheet;

enum tdm_err tdm_ink_sheet_create(struct tdm_ink_sheet **sheet, int width, int height,
                                  struct tdm_cause *cause);
void tdm_ink_sheet_destroy(struct tdm_ink_sheet *sheet);

/** All figures anew, from the lowest up; places are pixels of the surface / 16. */
void tdm_ink_sheet_begin(struct tdm_ink_sheet *sheet);
void tdm_ink_sheet_put(struct tdm_ink_sheet *sheet, const struct tdm_board_figure *figure);
/** @return how many rectangles were painted again. */
size_t tdm_ink_sheet_end(struct tdm_ink_sheet *sheet, struct tdm_rect rects[TDM_INK_RECTS_MAX]);

int tdm_ink_sheet_width(const struct tdm_ink_sheet *sheet);
int tdm_ink_sheet_height(const struct tdm_ink_sheet *sheet);
/** 0xAARRGGBB, colours times alpha. */
const uint8_t *tdm_ink_sheet_pixels(const struct tdm_ink_sheet *sheet, int *stride);
/** Around all ink; empty when there is none. */
struct tdm_rect tdm_ink_sheet_extent(const struct tdm_ink_sheet *sheet);

#endif
