/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_BOARD_WIRE_H
#define TDM_COLLAB_BOARD_WIRE_H

/*
 * What two sides say about a board, version 1 (docs/board.md). Three streams of the data channel:
 *
 *   the board, class 4:  HELLO and operations; collab/board_link.h speaks it;
 *   live, class 2:       each DATA is one struct tdm_board_live, whole; only the newest counts;
 *   blobs, class 6:      WANT, HAVE and DATA of images, by SHA-256.
 *
 * Big-endian; numbers marked v are of variable size, 7 bits a byte. Messages of the first and the
 * third are a size (v) of what follows, a type (8) and fields; types that are not known are stepped
 * over, and fields may be added behind those that are known. Pure.
 */

#include "collab/board.h"
#include "collab/board_bytes.h"

#define TDM_BOARD_WIRE_VERSION   1
#define TDM_BOARD_DOCUMENT_BYTES 16
#define TDM_BOARD_NAME_MAX       64 /* Bytes of a person's name. */
#define TDM_BOARD_MESSAGE_MAX    ((size_t)64 * 1024)
#define TDM_BOARD_BLOB_PIECE     ((size_t)32 * 1024)
#define TDM_BOARD_LIVE_MAX       1400
#define TDM_BOARD_LASER_MAX      32
#define TDM_BOARD_SELECTED_MAX   32
#define TDM_BOARD_PREVIEW_MAX    64 /* Points of a shape that is being drawn. */

enum tdm_board_message_type {
    TDM_BOARD_HELLO = 1,
    TDM_BOARD_OPS = 2,    /* Records. */
    TDM_BOARD_NEXT = 3,   /* Operations that go on from the last record of this stream. */
    TDM_BOARD_PACKED = 4, /* Records through zstd. */
    TDM_BOARD_SYNCED = 5, /* All that the other side's HELLO lacked has been said; digest. */
    TDM_BOARD_INK = 6,    /* Points that go on with the stroke of the last operation of ink. */
    TDM_BOARD_BLOB_WANT = 16,
    TDM_BOARD_BLOB_HAVE = 17,
    TDM_BOARD_BLOB_DATA = 18,
    TDM_BOARD_BLOB_LACK = 19, /* Not here, either. */
};

struct tdm_board_hello {
    uint8_t version;
    uint8_t document[TDM_BOARD_DOCUMENT_BYTES]; /* Zero: whatever the contact's board is. */
    uint32_t actor;
    size_t version_count;
    struct tdm_board_version versions[TDM_BOARD_ACTORS_MAX];
};

/** Live: never kept. What is said replaces all that was said before. */
struct tdm_board_live {
    char name[TDM_BOARD_NAME_MAX + 1]; /* Cleaned of what could deceive. */
    uint32_t colour;                   /* Of the cursor. */
    struct tdm_board_id page;
    bool cursor; /* It is over the board, at x, y; pressed. */
    bool pressed;
    uint8_t tool; /* Of collab/board_tools.h; others: an arrow. */
    int32_t x, y;
    /* The part of the page that the window shows; w = 0: no window. */
    int32_t view_x, view_y, view_w, view_h;
    bool presenting; /* Asks others to follow. */
    uint8_t laser_count;
    struct tdm_board_live_point {
        int32_t x, y;
    } laser[TDM_BOARD_LASER_MAX]; /* The newest last. */
    uint16_t laser_stroke;        /* Another number: a new trail. */
    uint8_t selected_count;
    struct tdm_board_id selected[TDM_BOARD_SELECTED_MAX];
    uint8_t preview; /* A shape in progress: enum tdm_board_type; 0: none. */
    int32_t preview_x, preview_y, preview_w, preview_h;
    uint32_t preview_colour, preview_fill;
    int32_t preview_width;
    struct tdm_board_id caret_object; /* A text that is being edited; none. */
    uint32_t caret;                   /* Character before which it stands. */
};

struct tdm_board_blob {
    enum tdm_board_message_type type; /* BLOB_...; 0: nothing that we know. */
    uint8_t hash[TDM_BOARD_HASH_BYTES];
    uint64_t size;   /* HAVE: of the whole; DATA, too. */
    uint64_t offset; /* WANT: from here on; DATA: of the first byte. */
    const uint8_t *data;
    size_t data_size;
};

/** The message without its size and type. TDM_E_SPACE: no room. */
enum tdm_err tdm_board_hello_write(const struct tdm_board_hello *h, struct tdm_writer *w);
enum tdm_err tdm_board_hello_parse(struct tdm_board_hello *h, const uint8_t *data, size_t size);

/** The whole value, at most TDM_BOARD_LIVE_MAX bytes. @return its size. */
size_t tdm_board_live_write(const struct tdm_board_live *live, uint8_t data[TDM_BOARD_LIVE_MAX]);
enum tdm_err tdm_board_live_parse(struct tdm_board_live *live, const uint8_t *data, size_t size);

/** The whole message, its size and type included. */
enum tdm_err tdm_board_blob_write(const struct tdm_board_blob *blob, struct tdm_writer *w);
/**
 * The next message of a stream of blobs.
 *
 * @param taken  How many bytes it was; 0: it is not whole yet, get more (TDM_OK, type 0).
 */
enum tdm_err tdm_board_blob_parse(struct tdm_board_blob *blob, const uint8_t *data, size_t size,
                                  size_t *taken);

#endif
