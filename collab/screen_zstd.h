/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_SCREEN_ZSTD_H
#define TDM_COLLAB_SCREEN_ZSTD_H

/*
 * The coder for fast links: pixels, 3 bytes each, through one zstd stream that is kept for the
 * session, so that the window (1 MB) reaches back into rectangles and frames before. Levels: 1 and
 * up for ratio, negative ones where even that is too slow. All memory is the caller's.
 */

#include "collab/screen_pixels.h"

struct tdm_screen_packer;
struct tdm_screen_unpacker;

size_t tdm_screen_packer_bytes(void);
size_t tdm_screen_unpacker_bytes(void);

/** In `storage`, aligned to 8, of as many bytes as above; levels up to 3. Again: the session starts
 *  over, which both sides must do at once. */
struct tdm_screen_packer *tdm_screen_packer_init(void *storage, int level);
struct tdm_screen_unpacker *tdm_screen_unpacker_init(void *storage);

/** What a rectangle can need at most. */
size_t tdm_screen_pack_bound(const struct tdm_screen_rect *rect);

/** Writes the rectangle's piece of the stream and brings `seen` up to date. Without room for
 *  tdm_screen_pack_bound bytes, TDM_E_SPACE and nothing happened. */
enum tdm_err tdm_screen_pack(struct tdm_screen_packer *packer, const struct tdm_screen_image *seen,
                             const struct tdm_screen_rect *rect,
                             const struct tdm_screen_source *source, struct tdm_writer *w);

/** All of `data` goes into this rectangle, which fits. TDM_E_MALFORMED: it is not, the
 *  rectangle may be written in part, and the unpacker must be set up anew. */
enum tdm_err tdm_screen_unpack(struct tdm_screen_unpacker *unpacker,
                               const struct tdm_screen_image *seen,
                               const struct tdm_screen_rect *rect, const uint8_t *data,
                               size_t size);

#endif
