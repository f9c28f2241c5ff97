/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_SCREEN_WIRE_H
#define TDM_COLLAB_SCREEN_WIRE_H

/*
 * A shared screen as bytes, version 1; docs/screen-wire.md has the layout of every record. Both
 * ways a record is a kind (8 bits), a size (a number, see below) and that many bytes; kinds that
 * are not known are stepped over. A number is 7 bits a byte, lowest first, the top bit set on all
 * but the last; a signed one has its sign in the lowest bit. Pure.
 */

#include "collab/screen.h"
#include "engine/base/bytes.h"

#define TDM_SCREEN_VERSION    1
#define TDM_SCREEN_HEAD_MAX   4                    /* Kind and size. */
#define TDM_SCREEN_RECORD_MAX ((size_t)512 * 1024) /* Body of a record of the host. */
#define TDM_SCREEN_ANSWER_MAX (16 + 8 * 512)       /* Body of a record of the viewer. */
#define TDM_SCREEN_HASHES_MAX 512                  /* Of one record. */
#define TDM_SCREEN_GROUP_AREA 16384                /* Pixels that one PIXELS op may hold. */
#define TDM_SCREEN_VECTORS    6                    /* Of one COPY op. */

/** Records of the host. */
enum tdm_screen_record {
    TDM_SCREEN_START = 1,
    TDM_SCREEN_SURFACES = 2,
    TDM_SCREEN_FRAME = 3,
    TDM_SCREEN_CURSOR = 4,
    TDM_SCREEN_UNIT = 5, /* Of a moving region's video. */
};

/** First byte of a FRAME record; its low half is the surface. */
enum tdm_screen_frame_flag {
    TDM_SCREEN_FRAME_FIRST = 0x10,
    TDM_SCREEN_FRAME_LAST = 0x20,
    TDM_SCREEN_FRAME_REFINE = 0x40, /* On the last. */
    TDM_SCREEN_FRAME_EXACT = 0x80,  /* On the last. */
};

/** Operations within a frame. */
enum tdm_screen_op {
    TDM_SCREEN_OP_WIPE = 1,
    TDM_SCREEN_OP_PUT = 2,
    TDM_SCREEN_OP_COPY = 3,
    TDM_SCREEN_OP_REF = 4,
    TDM_SCREEN_OP_FILL = 5,
    TDM_SCREEN_OP_VIDEO = 6,
    TDM_SCREEN_OP_PIXELS = 16, /* Plus enum tdm_screen_coder. */
};

/** Records of the viewer. */
enum tdm_screen_answer {
    TDM_SCREEN_HELLO = 1,
    TDM_SCREEN_HASHES = 2,
    TDM_SCREEN_RESYNC = 3,
    TDM_SCREEN_SHOWN = 4,
};

enum tdm_screen_resync { TDM_SCREEN_RESYNC_START = 0, TDM_SCREEN_RESYNC_WRONG_HASH = 1 };

void tdm_screen_write_number(struct tdm_writer *w, uint64_t value);
/** More than 64 bits, or bytes that say nothing at the end: ok = false. */
uint64_t tdm_screen_read_number(struct tdm_reader *r);
void tdm_screen_write_signed(struct tdm_writer *w, int64_t value);
int64_t tdm_screen_read_signed(struct tdm_reader *r);

/** A rectangle in cells of 8x8 pixels: four numbers, the sides less one. */
void tdm_screen_write_cells(struct tdm_writer *w, const struct tdm_screen_rect *cells);
/** Within `columns` x `rows` cells, or ok = false and a rectangle of one cell. */
struct tdm_screen_rect tdm_screen_read_cells(struct tdm_reader *r, int columns, int rows);

/** The pixels of a rectangle of cells, cut at the image's edge. */
struct tdm_screen_rect tdm_screen_pixels_of(const struct tdm_screen_rect *cells, int width,
                                            int height);

/** A record in the making: the body is written behind room for the head. */
struct tdm_screen_out_record {
    uint8_t *room; /* TDM_SCREEN_HEAD_MAX before the body. */
    struct tdm_writer body;
};
struct tdm_screen_out_record tdm_screen_record_begin(uint8_t *room, size_t size);
/** Puts the head before the body. @return where the record begins; *size of all of it. */
uint8_t *tdm_screen_record_end(struct tdm_screen_out_record *record, uint8_t kind, size_t *size);

/** Reads a head. TDM_E_AGAIN: not all of it is there; TDM_E_MALFORMED: larger than `max`. */
enum tdm_err tdm_screen_head_parse(const uint8_t *data, size_t size, size_t max, uint8_t *kind,
                                   size_t *head_size, size_t *body_size);

struct tdm_screen_start {
    uint64_t version, hash_seed, cache_tiles;
    uint64_t resyncs;  /* That the host has heard on these streams: which one this answers. */
    uint32_t first_id; /* Of the next frame. */
};
void tdm_screen_start_write(const struct tdm_screen_start *start, struct tdm_writer *w);
enum tdm_err tdm_screen_start_parse(struct tdm_screen_start *start, struct tdm_reader *r);

struct tdm_screen_list {
    uint32_t count;
    struct tdm_screen_surface surfaces[TDM_SCREEN_SURFACES_MAX];
};
void tdm_screen_list_write(const struct tdm_screen_list *list, struct tdm_writer *w);
/** Ids differ, sides are in their limits, names are cut and without controls. */
enum tdm_err tdm_screen_list_parse(struct tdm_screen_list *list, struct tdm_reader *r);

void tdm_screen_cursor_write(const struct tdm_screen_cursor *cursor, struct tdm_writer *w);
/** Into `pixels`, TDM_SCREEN_CURSOR_SIDE_MAX squared of them. */
enum tdm_err tdm_screen_cursor_parse(struct tdm_screen_cursor *cursor, struct tdm_reader *r,
                                     uint8_t *pixels);

/** The body of a unit's record; the data is borrowed. */
enum tdm_err tdm_screen_unit_parse(struct tdm_screen_unit *unit, struct tdm_reader *r);

/** What the hashes of a frame's touched tiles are joined with, in the order of tiles. */
static inline uint64_t tdm_screen_hash_join(uint64_t sum, uint64_t hash)
{
    sum = (sum ^ hash) * 0xbf58476d1ce4e5b9u;
    return sum ^ sum >> 29;
}

#endif
