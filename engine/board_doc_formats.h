/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_BOARD_DOC_FORMATS_H
#define TDM_ENGINE_BOARD_DOC_FORMATS_H

/*
 * Other programs' files in and out of a document: .excalidraw, SVG, PDF, images in; PNG, SVG, PDF
 * and .excalidraw out. What a file is, its bytes say on the way in, its name on the way out.
 */

#include "engine/board_doc.h"

/** What came in, and what did not. */
struct tdm_board_imported {
    const char *format; /* "excalidraw", "svg", "pdf", "image". */
    uint32_t objects, pages, images;
    uint32_t skipped;  /* Elements that have no counterpart here. */
    char missing[200]; /* What those were: "iframe, 2 links"; "" when nothing was skipped. */
};

/** The bytes of a file that is to come in, bounded as those are; `data` to be freed, also NULL. */
enum tdm_err tdm_board_doc_file(const char *path, uint8_t **data, size_t *size,
                                struct tdm_cause *cause);

/** As one step that undo takes back. `page`: a visible page, or NULL for new ones; of a board with
 *  nothing on its only page, that is the first of them. TDM_E_MALFORMED, TDM_E_UNSUPPORTED,
 *  TDM_E_SPACE, TDM_E_SYSTEM with a cause; then nothing was added. */
enum tdm_err tdm_board_doc_import(struct tdm_board_doc *doc, const char *path,
                                  const struct tdm_board_id *page,
                                  struct tdm_board_imported *imported, struct tdm_cause *cause);
/** The same for bytes, such as of the clipboard; no PDF. At `x`, `y` (1/16 px) is its middle. */
enum tdm_err tdm_board_doc_paste(struct tdm_board_doc *doc, const void *data, size_t size,
                                 const struct tdm_board_id *page, int32_t x, int32_t y,
                                 struct tdm_board_imported *imported, struct tdm_cause *cause);

struct tdm_board_export_choice {
    int page;     /* From 1; 0: all (PDF and .excalidraw), the first (PNG and SVG). */
    double scale; /* PNG: pixels for one of the board's; 0: 1. */
    bool dark;
};

/** Written beside and renamed. TDM_E_UNSUPPORTED: a name that ends in none of the four. */
enum tdm_err tdm_board_doc_export(struct tdm_board_doc *doc, const char *path,
                                  const struct tdm_board_export_choice *choice,
                                  struct tdm_cause *cause);

#endif
