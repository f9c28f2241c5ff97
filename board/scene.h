/* SPDX-License-Identifier: MIT */
#ifndef TDM_BOARD_SCENE_H
#define TDM_BOARD_SCENE_H

/*
 * A drawing between two formats: what a reader of this folder found, before it is put on a board,
 * and what a board shows, before a writer writes it. Positions in 1/16 px, angles in 1/65536
 * turns, colours 0xRRGGBBAA, as on the board. Everything lives until tdm_scene_free; its size is
 * bounded.
 */

#include "engine/base/digest.h"
#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_SCENE_ITEMS_MAX 100000
#define TDM_SCENE_BYTES_MAX ((size_t)512 << 20) /* Points, texts and images together. */
#define TDM_SCENE_UNIT      16                  /* Of a pixel. */
#define TDM_SCENE_FAR       (1 << 30)           /* 2^26 px: no coordinate is beyond. */

enum tdm_scene_kind {
    TDM_SCENE_PAGE,
    TDM_SCENE_STROKE, /* Points with pressure. */
    TDM_SCENE_LINE,   /* Points. */
    TDM_SCENE_ARROW,
    TDM_SCENE_RECTANGLE,
    TDM_SCENE_DIAMOND,
    TDM_SCENE_ELLIPSE,
    TDM_SCENE_TEXT,
    TDM_SCENE_NOTE,
    TDM_SCENE_IMAGE,
};

enum tdm_scene_dash { TDM_SCENE_SOLID, TDM_SCENE_DASHED, TDM_SCENE_DOTTED };
enum tdm_scene_font { TDM_SCENE_HAND, TDM_SCENE_SANS, TDM_SCENE_SERIF, TDM_SCENE_MONO };
enum tdm_scene_align { TDM_SCENE_LEFT, TDM_SCENE_CENTRE, TDM_SCENE_RIGHT };
enum tdm_scene_head { TDM_SCENE_NONE, TDM_SCENE_TIP };

/** Relative to the item's x and y. */
struct tdm_scene_point {
    int32_t x, y;
    uint16_t pressure; /* 65535: full. 0: unknown. */
};

#define TDM_SCENE_NO_GROUP 0

struct tdm_scene_item {
    enum tdm_scene_kind kind;
    uint32_t page;  /* Index of its page among the items; its own for a page. */
    uint32_t group; /* From 1; TDM_SCENE_NO_GROUP. Items of one group move together. */
    int32_t x, y, width, height;
    uint16_t angle; /* About its middle, clockwise. */
    uint32_t colour, fill;
    int32_t line_width; /* 1/16 px. */
    enum tdm_scene_dash dash;
    uint8_t opacity; /* 255: not transparent at all. */
    int32_t radius;  /* Of corners; 1/16 px. */
    bool locked, closed, curved, marker;
    enum tdm_scene_head begin, end;
    enum tdm_scene_font font;
    enum tdm_scene_align align;
    int32_t font_size; /* 1/16 px. */
    const char *text;  /* UTF-8; of a page: its name. NULL: none. */
    const struct tdm_scene_point *points;
    uint32_t point_count;
    int32_t image; /* Index among the images; -1: none. */
};

struct tdm_scene_image {
    uint8_t hash[TDM_SHA256_BYTES];
    const uint8_t *data; /* PNG, JPEG or WebP. NULL: only the hash is known. */
    size_t size;
};

struct tdm_scene_piece;

struct tdm_scene {
    struct tdm_scene_item *items; /* In the order of painting within their page. */
    uint32_t count, room;
    struct tdm_scene_image *images;
    uint32_t image_count, image_room;
    uint32_t background; /* 0: the board's own. */
    uint32_t skipped;    /* What the reader found and cannot tell. */
    char missing[200];   /* What it was. */
    struct tdm_scene_piece *pieces;
    size_t bytes;
};

void tdm_scene_init(struct tdm_scene *scene);
void tdm_scene_free(struct tdm_scene *scene);

/** A new item with the defaults of its kind, on the last page; NULL: too many, or no memory. Valid
 *  until the next one. */
struct tdm_scene_item *tdm_scene_add(struct tdm_scene *scene, enum tdm_scene_kind kind);
/** Room that lives with the scene; NULL: too much. */
void *tdm_scene_room(struct tdm_scene *scene, size_t size);
/** A copy that ends; what is not UTF-8 is replaced. NULL: too much. */
const char *tdm_scene_text(struct tdm_scene *scene, const char *text, size_t size);
/** Index of an image with these bytes, which are copied; -1: too much. */
int32_t tdm_scene_image_add(struct tdm_scene *scene, const uint8_t *data, size_t size);
/** Counts what a reader cannot tell; `what` is named once. */
void tdm_scene_skip(struct tdm_scene *scene, const char *what);

/** Pixels to 1/16 px; what is no number is 0, what is too far is brought to TDM_SCENE_FAR. */
int32_t tdm_scene_unit(double pixels);
double tdm_scene_pixels(int32_t units);
/** Radians. */
uint16_t tdm_scene_angle(double radians);
double tdm_scene_radians(uint16_t angle);

#endif
