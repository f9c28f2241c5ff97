/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_BOARD_LINK_H
#define TDM_COLLAB_BOARD_LINK_H

/*
 * One board between two sides over one stream each way of the data channel: says what is known
 * here, sends what the other side lacks, then every operation as it is made, and takes the other
 * side's apart. Operations that go on from the last ones are sent without their head; what a late
 * joiner lacks goes through zstd. Pure; it reads the board that it is given and never edits it.
 *
 *     start;  pull -> the channel's DATA;  acked, rewind: as the channel says
 *     bytes that arrived -> take, until all are taken; EV_OPS: tdm_board_apply and the journal
 *     tdm_board_fresh -> put
 *
 * Operations of others that arrive by another link are put here, too, when more than two edit.
 */

#include "collab/board_wire.h"

#define TDM_BOARD_LINK_OUT_BYTES ((size_t)512 * 1024)

enum tdm_board_link_event {
    TDM_BOARD_EV_NONE,
    TDM_BOARD_EV_HELLO,  /* peer: what the other side knows. Sending of what it lacks begins. */
    TDM_BOARD_EV_OPS,    /* data, size: whole records; apply and keep them. */
    TDM_BOARD_EV_SYNCED, /* All that we lacked when we said hello has come. diverged: we know the
                            same and yet have not the same; it is being repaired. */
    TDM_BOARD_EV_OTHER,  /* peer: its document is another one; nothing is sent or taken. */
    TDM_BOARD_EV_BROKEN, /* It breaks the rules: nothing of it is believed any more. */
};

struct tdm_board_link_out {
    enum tdm_board_link_event event;
    const uint8_t *data; /* Borrowed until the next call with the link. */
    size_t size;
    bool diverged;
};

struct tdm_board_link;

size_t tdm_board_link_bytes_needed(void);
/** In `storage`, aligned to 16. `document`: zero means that any will do. */
struct tdm_board_link *tdm_board_link_init(void *storage,
                                           const uint8_t document[TDM_BOARD_DOCUMENT_BYTES]);
/** A new stream: forgets what was, and says hello. */
void tdm_board_link_start(struct tdm_board_link *l, const struct tdm_board *b);
/** The document that both agreed on: the other side's when ours was zero. */
const uint8_t *tdm_board_link_document(const struct tdm_board_link *l);
const struct tdm_board_hello *tdm_board_link_peer(const struct tdm_board_link *l);

/** Records of tdm_board_fresh. When too much waits they are left out, and what the other side
 *  lacks is worked out again as soon as there is room: nothing is lost. */
void tdm_board_link_put(struct tdm_board_link *l, const uint8_t *records, size_t size);

/** For the channel: whether there is anything to send; fills up to `max` bytes of it. */
bool tdm_board_link_has(const struct tdm_board_link *l);
size_t tdm_board_link_pull(struct tdm_board_link *l, const struct tdm_board *b, uint8_t *room,
                           size_t max);
/** The other side's channel has everything below `offset`. */
void tdm_board_link_acked(struct tdm_board_link *l, uint64_t offset);
/** The next pull is at `offset` again. */
void tdm_board_link_rewind(struct tdm_board_link *l, uint64_t offset);

/**
 * Bytes of the other side.
 *
 * @param b    For what it knows (hello, digest); records are the caller's to apply.
 * @param out  What became whole.
 *
 * @return how many bytes were taken; call again for the rest.
 */
size_t tdm_board_link_take(struct tdm_board_link *l, const struct tdm_board *b, const uint8_t *data,
                           size_t size, struct tdm_board_link_out *out);

struct tdm_board_link_figures {
    uint64_t sent_bytes, taken_bytes, records_short, packed_bytes, plain_bytes, refused;
};
void tdm_board_link_figures(const struct tdm_board_link *l, struct tdm_board_link_figures *f);

#endif
