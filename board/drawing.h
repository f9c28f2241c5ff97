/* SPDX-License-Identifier: MIT */
#ifndef TDM_BOARD_DRAWING_H
#define TDM_BOARD_DRAWING_H

/*
 * A drawing between two formats: what a reader of this folder found, before it is put on a board,
 * and what a board shows, before a writer writes it. Units, types and words are those of
 * collab/board_object.h. Everything lives until tdm_drawing_free; its size is bounded.
 */

#include "collab/board_object.h"
#include "engine/base/digest.h"
#include "engine/base/err.h"

#define TDM_DRAWING_ITEMS_MAX 100000
#define TDM_DRAWING_BYTES_MAX ((size_t)512 << 20) /* Points, texts and images together. */
#define TDM_DRAWING_UNIT      16                  /* Of a pixel. */
#define TDM_DRAWING_NO_GROUP  0

/** A page, or an object on one. */
struct tdm_drawing_item {
    enum tdm_board_type type; /* No groups: see `group`. */
    uint32_t group;           /* Of tdm_drawing_group; items of one group move together. */
    int32_t x, y, w, h;       /* Of points: what they are relative to. */
    uint16_t angle;
    uint32_t colour, fill;
    int32_t width;
    enum tdm_board_dash dash;
    uint8_t opacity;
    int32_t corner; /* Of lines with points: 1 makes them a curve. */
    bool locked;
    enum tdm_board_head head_start, head_end;
    enum tdm_board_font font;
    enum tdm_board_align align;
    int32_t font_size;
    uint32_t background; /* Of a page; 0: the window's own. */
    const char *text;    /* UTF-8; a page's name. NULL: none. */
    const char *link;    /* UTF-8. NULL: none. */
    const struct tdm_board_point *points;
    uint32_t point_count;
    int32_t image;             /* Index among the images; -1: none. */
    uint16_t crop[4];          /* As TDM_PROP_CROP; all zero: all of it. */
    bool flipped_x, flipped_y; /* An image. */
};

struct tdm_drawing_image {
    uint8_t hash[TDM_SHA256_BYTES];
    const uint8_t *data; /* PNG, JPEG or WebP. NULL: only the hash is known. */
    size_t size;
};

struct tdm_drawing_piece;

struct tdm_drawing {
    struct tdm_drawing_item *items; /* Each page, and behind it what is on it, the lowest first. */
    uint32_t count, room;
    uint32_t *parents; /* Of groups, from 1 on: the group that each is in. */
    uint32_t group_count, group_room;
    struct tdm_drawing_image *images;
    uint32_t image_count, image_room;
    uint32_t skipped;  /* What the reader found and cannot tell. */
    char missing[200]; /* What it was. */
    struct tdm_drawing_piece *pieces;
    size_t bytes;
};

void tdm_drawing_init(struct tdm_drawing *drawing);
void tdm_drawing_free(struct tdm_drawing *drawing);

/** A new item with the defaults of its type; NULL: too many, or no memory. Valid until the next
 *  one. */
struct tdm_drawing_item *tdm_drawing_add(struct tdm_drawing *drawing, enum tdm_board_type type);
/** A new group, within another or none; TDM_DRAWING_NO_GROUP: too many. */
uint32_t tdm_drawing_group(struct tdm_drawing *drawing, uint32_t parent);
/** Room that lives with the drawing; NULL: too much. */
void *tdm_drawing_room(struct tdm_drawing *drawing, size_t size);
/** A copy that ends; what is not UTF-8, and zeros, become U+FFFD. NULL: too much. */
const char *tdm_drawing_text(struct tdm_drawing *drawing, const char *text, size_t size);
/** Index of the image with these bytes, which are copied; -1: too much. */
int32_t tdm_drawing_image_add(struct tdm_drawing *drawing, const uint8_t *data, size_t size);
/** Index of the image with this hash, whose bytes are not at hand; -1: too much. */
int32_t tdm_drawing_image_name(struct tdm_drawing *drawing, const uint8_t hash[TDM_SHA256_BYTES]);
/** Counts what a reader cannot tell; `what` is named once. */
void tdm_drawing_skip(struct tdm_drawing *drawing, const char *what);

/** The box around an item with its points, without its line; before it is turned. */
struct tdm_drawing_box {
    int32_t x, y, w, h;
};
struct tdm_drawing_box tdm_drawing_box_of(const struct tdm_drawing_item *item);

/** Pixels in 1/16 px; what is no number is 0, what is too far is brought to TDM_BOARD_FAR. */
int32_t tdm_drawing_unit(double pixels);
double tdm_drawing_pixels(int32_t units);
uint16_t tdm_drawing_angle(double radians);
double tdm_drawing_radians(uint16_t angle);

#endif
