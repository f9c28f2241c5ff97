/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_CONTACT_SHEET_H
#define TDM_RENDER_CONTACT_SHEET_H

/*
 * A whole call on one page: a small picture every so often, in a grid, with its time under it.
 * Adding allocates nothing, so it may be called where pictures are presented. When the grid is
 * full every other picture is dropped and the interval doubles: so the page always covers the
 * whole call, however long.
 */

#include "engine/base/err.h"
#include "engine/base/picture.h"

#include <stdint.h>

struct tdm_contact_sheet;

struct tdm_contact_sheet_config {
    uint32_t columns, rows; /* 1 to 32 each; columns * rows even. */
    int cell_width;         /* Pixels, even; the height follows 16:9 with bars. */
    tdm_time interval;      /* Between two pictures at first. */
};

/** Control thread. */
enum tdm_err tdm_contact_sheet_create(const struct tdm_contact_sheet_config *config,
                                      struct tdm_contact_sheet **sheet, struct tdm_cause *cause);
void tdm_contact_sheet_destroy(struct tdm_contact_sheet *sheet);

/** Takes the picture when its turn has come. One thread. */
void tdm_contact_sheet_add(struct tdm_contact_sheet *sheet, const struct tdm_picture *pic,
                           tdm_time now);

/** Control thread, when nothing is added any more. Times on the page count from the first add. */
enum tdm_err tdm_contact_sheet_write(const struct tdm_contact_sheet *sheet, const char *path,
                                     struct tdm_cause *cause);

/** Writes one picture as PNG. Allocates. */
enum tdm_err tdm_snapshot_write(const struct tdm_picture *pic, const char *path,
                                struct tdm_cause *cause);

#endif
