/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_SCENE_STATE_H
#define TDM_RENDER_BOARD_SCENE_STATE_H

/* What is inside of a scene, for the files that work out, paint and find figures. */

#include "render/board_image.h"
#include "render/board_lines.h"
#include "render/board_path.h"
#include "render/board_scene.h"

/** Of a figure: a polygon's corner in px from the figure's (x, y). */
struct tdm_board_corner {
    float x, y;
};

/** A figure of the scene, with copies of what it borrowed and what is worked out of it. */
struct tdm_board_entry {
    struct tdm_board_figure f;
    uint32_t pass;             /* Of the scene, that put it last. */
    uint32_t rank;             /* Its place in the order. */
    struct tdm_figure_box box; /* All that it may paint on, px of the board. */
    /* Px from (x, y): around points or text, else the box of w and h. */
    struct tdm_figure_box frame;
    struct tdm_board_lines lines;     /* Of text; made when needed. */
    struct tdm_board_corner *outline; /* Of ink; made when needed. */
    size_t corner_count;
    bool is_ink, has_text;
    uint8_t hash[TDM_BOARD_HASH_BYTES]; /* What f.image points to. */
};

/** A box in which all of a box is, in half the room. */
struct tdm_board_bounds {
    float left, top, right, bottom;
};

struct tdm_board_scene {
    struct tdm_board_entry **order; /* From the bottom. */
    size_t count, room;
    struct tdm_board_bounds *bounds; /* The boxes of `order`, close together: most are not seen. */
    struct tdm_board_entry **next;   /* The order that is being put, */
    size_t next_count;
    uint32_t pass; /* by this pass. */
    bool putting;

    struct tdm_board_entry **table; /* By id, open addressing; its size a power of 2. */
    size_t table_size, table_used;

    struct tdm_board_letters *letters;
    struct tdm_board_images images;
    struct tdm_board_ground ground;
    struct tdm_board_damage damage;
    struct tdm_board_path path; /* Room for whoever paints. */
    struct tdm_board_ink_vertex *ink;
    size_t ink_room;
};

/** An entry of a figure, by itself; NULL without memory. */
struct tdm_board_entry *tdm_board_entry_create(struct tdm_board_letters *letters,
                                               const struct tdm_board_figure *figure);
void tdm_board_entry_destroy(struct tdm_board_entry *e);

/** Makes the outline of ink; without memory there is none. */
void tdm_board_entry_outline(struct tdm_board_scene *scene, struct tdm_board_entry *e);
/** Makes the lines of text. */
void tdm_board_entry_lines(struct tdm_board_letters *letters, struct tdm_board_entry *e);

/** From px of the entry's own, which begin at (x, y), to px of the board: its turn and place. */
void tdm_board_entry_matrix(const struct tdm_board_entry *e, cairo_matrix_t *matrix);

/** The places of a line or an arrow, `i` of them in px from (x, y). */
size_t tdm_board_entry_spots(const struct tdm_board_entry *e);
struct tdm_path_spot tdm_board_entry_spot(const struct tdm_board_entry *e, size_t i);

/** A group or a page has no looks of its own. */
bool tdm_board_entry_drawn(const struct tdm_board_entry *e);

/** How long an arrow's head is, px. */
double tdm_board_entry_head(const struct tdm_board_figure *f);

/** The first figure from place `i` of the order on that may touch `box`; the count when none. */
size_t tdm_board_scene_touching(const struct tdm_board_scene *scene,
                                const struct tdm_figure_box *box, size_t i);

void tdm_board_damage_add(struct tdm_board_damage *damage, const struct tdm_figure_box *box);

static inline bool tdm_figure_box_touch(const struct tdm_figure_box *a,
                                        const struct tdm_figure_box *b)
{
    return a->left < b->right && b->left < a->right && a->top < b->bottom && b->top < a->bottom;
}

#endif
