/* SPDX-License-Identifier: MIT */
#ifndef TDM_BOARD_PDF_H
#define TDM_BOARD_PDF_H

/*
 * The pages of a PDF as images, one page of the board each. Poppler does it as a process of its own
 * (pdftocairo, found by its name; no shell), because its licence is not ours and a PDF is hostile
 * until shown: bounded in time, memory, output and pages. Blocks.
 */

#include "board/drawing.h"

#define TDM_PDF_PAGES_MAX 500

struct tdm_pdf_choice {
    uint32_t first, last; /* From 1; 0: the first, the last. */
    uint32_t dpi;         /* 0: 150. */
};

/** TDM_E_UNSUPPORTED: pdftocairo is not installed; TDM_E_MALFORMED: it could not read it;
 *  TDM_E_SPACE: too many pages, too large, too long. The drawing is initialised and to be freed in
 *  any case. */
enum tdm_err tdm_pdf_read(struct tdm_drawing *drawing, const char *path,
                          const struct tdm_pdf_choice *choice, struct tdm_cause *cause);

#endif
