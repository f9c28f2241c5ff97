/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_BOARD_IMAGE_LINK_H
#define TDM_ENGINE_BOARD_IMAGE_LINK_H

/*
 * Images of a board between two sides, on the stream of class 6: what an object shows and is not
 * here is asked for, and what the other side asks for is read from the document and sent, one at a
 * time. Each is known by its hash, which is verified before it is kept; one that breaks off is
 * asked for again in the next connection. The board's thread.
 */

#include "collab/board_wire.h"
#include "engine/board_doc.h"
#include "engine/share_bytes.h"

#define TDM_BOARD_WANTS_MAX 64

struct tdm_board_image_link {
    struct tdm_board_doc *doc; /* NULL: no board is open. */
    struct tdm_share_bytes in; /* A message that is not whole. */
    /* Asked for, the oldest first; the other side sends in that order. */
    uint32_t wanted_count;
    uint8_t wanted[TDM_BOARD_WANTS_MAX][TDM_BOARD_HASH_BYTES];
    struct tdm_share_bytes coming; /* Of the one that is coming, */
    uint8_t coming_hash[TDM_BOARD_HASH_BYTES];
    uint64_t coming_size; /* 0: none is. */
    /* That the other side asked for. */
    uint32_t asked_count;
    uint8_t asked[TDM_BOARD_WANTS_MAX][TDM_BOARD_HASH_BYTES];
    uint8_t *going; /* The first of them; NULL: not read yet. */
    size_t going_size, going_at;
    uint32_t to_ask; /* Of `wanted`, how many were not told yet: the last ones. */
    uint64_t come;   /* Bytes of images since the restart. */
    uint64_t refused;
};

void tdm_board_image_link_init(struct tdm_board_image_link *m, struct tdm_board_doc *doc);
void tdm_board_image_link_free(struct tdm_board_image_link *m);
/** A new stream: what was under way is asked for again. */
void tdm_board_image_link_restart(struct tdm_board_image_link *m);

/** An object shows it: asked for, if it is not here. False: too many are wanted already. */
bool tdm_board_image_link_need(struct tdm_board_image_link *m,
                               const uint8_t hash[TDM_BOARD_HASH_BYTES]);

/** Bytes of the other side. `arrived` is called for each image that is kept now. False: it breaks
 *  the rules. */
bool tdm_board_image_link_take(struct tdm_board_image_link *m, const uint8_t *data, size_t size,
                               void (*arrived)(void *arg, const uint8_t hash[TDM_BOARD_HASH_BYTES]),
                               void *arg);
/** Fills what is to be sent. @return bytes; 0: nothing, or there is too little room. */
size_t tdm_board_image_link_fill(struct tdm_board_image_link *m, uint8_t *room, size_t max);

#endif
