/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_EXPORT_H
#define TDM_RENDER_BOARD_EXPORT_H

/*
 * A board as a file: PNG (the screen's own pixels), SVG and PDF (the same painting, as vectors).
 * Decides how large the picture is; the bytes go where the caller says, a file or memory. The same
 * board and options give the same bytes, whatever the day.
 */

#include "render/board_paint.h"

struct tdm_board_export {
    enum tdm_board_theme theme;
    bool without_ground;        /* Transparent paper. */
    bool without_pattern;       /* No dots or lines of the ground. */
    double scale;               /* Of a PNG: pixels for one of the board; 0: 2. */
    double margin;              /* px of the board around the figures; < 0: 24. */
    struct tdm_figure_box area; /* Empty: around all figures. */
    const char *embedded;       /* SVG: a scene that is put into its metadata; NULL: none. */
    size_t embedded_size;
    const char *embedded_type; /* Its media type. */
};

/** Takes the next bytes; false stops the export, which then fails. */
typedef bool tdm_board_write_fn(void *arg, const uint8_t *data, size_t size);

/** @return TDM_E_SPACE when the picture would have a side over 32767 or more than 256 Mpx: choose a
 *  smaller scale or area. */
enum tdm_err tdm_board_export_png(struct tdm_board_scene *scene,
                                  const struct tdm_board_export *options, tdm_board_write_fn *write,
                                  void *arg, struct tdm_cause *cause);
enum tdm_err tdm_board_export_svg(struct tdm_board_scene *scene,
                                  const struct tdm_board_export *options, tdm_board_write_fn *write,
                                  void *arg, struct tdm_cause *cause);
/** A page for each scene, each as large as its figures. */
enum tdm_err tdm_board_export_pdf(struct tdm_board_scene *const *scenes, size_t count,
                                  const struct tdm_board_export *options, tdm_board_write_fn *write,
                                  void *arg, struct tdm_cause *cause);

/** For `write`: a FILE that was opened for writing. */
bool tdm_board_write_file(void *file, const uint8_t *data, size_t size);

#endif
