/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_BOARD_OBJECT_H
#define TDM_COLLAB_BOARD_OBJECT_H

/*
 * The words of a board: ids, types, properties and values, and an object as it reads. The numbers
 * are the wire's and never change their meaning (docs/board.md).
 *
 * Units: places and lengths in 1/16 pixel at zoom 1, int32, within +-TDM_BOARD_FAR; angles in
 * 1/65536 turn, clockwise; colours 0xRRGGBBAA.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_BOARD_FAR          (1 << 26) /* Places and lengths beyond are brought back to it. */
#define TDM_BOARD_VALUE_MAX    256       /* Bytes of a property: names, order, unknown ones. */
#define TDM_BOARD_HASH_BYTES   32
#define TDM_BOARD_ANCHOR_BYTES 16
#define TDM_BOARD_ORDER_MAX    64

/* What an object reads as that says nothing itself. */
#define TDM_BOARD_COLOUR_DEFAULT    0x1e1e1effu
#define TDM_BOARD_WIDTH_DEFAULT     32
#define TDM_BOARD_FONT_SIZE_DEFAULT 320
#define TDM_BOARD_SCALE_ONE         65536

/** An object, for ever: who made it, and the number of the operation. {0, 0} is none. */
struct tdm_board_id {
    uint32_t actor;
    uint32_t seq;
};

/** The page that every document has from the start, so that two sides that never met share it. */
#define TDM_BOARD_FIRST_PAGE ((struct tdm_board_id){0, 1})
#define TDM_BOARD_NONE       ((struct tdm_board_id){0, 0})

static inline bool tdm_board_same(struct tdm_board_id a, struct tdm_board_id b)
{
    return a.actor == b.actor && a.seq == b.seq;
}

/** Numbers are the wire's and stay; types of newer peers are kept and not drawn. */
enum tdm_board_type {
    TDM_BOARD_PAGE = 1,
    TDM_BOARD_PEN = 2,    /* Points. */
    TDM_BOARD_MARKER = 3, /* Points. */
    TDM_BOARD_LINE = 4,  /* From (x, y) to (x+w, y+h), which may be negative; with points: those. */
    TDM_BOARD_ARROW = 5, /* As a line. */
    TDM_BOARD_RECTANGLE = 6,
    TDM_BOARD_ELLIPSE = 7,
    TDM_BOARD_DIAMOND = 8,
    TDM_BOARD_TEXT = 9,  /* Text; w = 0: as wide as its lines. */
    TDM_BOARD_NOTE = 10, /* Text on a sheet. */
    TDM_BOARD_IMAGE = 11,
    TDM_BOARD_GROUP = 12, /* Not drawn; the parent of its members. */
};

/** Numbers are the wire's and stay. What an object does not have reads as the default in []. */
enum tdm_board_prop {
    TDM_PROP_PAGE = 1,    /* Ref [none: nowhere]. */
    TDM_PROP_ORDER = 2,   /* Bytes, tdm_board_order_between; pages too. */
    TDM_PROP_PARENT = 3,  /* Ref of a group [none]. */
    TDM_PROP_DELETED = 4, /* 1: gone [0]. */
    TDM_PROP_LOCKED = 5,  /* 1: tools leave it alone [0]. */
    TDM_PROP_X = 6,
    TDM_PROP_Y = 7, /* Of points: what the first point is relative to. */
    TDM_PROP_W = 8,
    TDM_PROP_H = 9,
    TDM_PROP_ANGLE = 10,      /* About the middle of the box. */
    TDM_PROP_COLOUR = 11,     /* Of the line, of text [0x1e1e1eff]. */
    TDM_PROP_FILL = 12,       /* [0: none]; paper of a note. */
    TDM_PROP_WIDTH = 13,      /* Of the line [32]. */
    TDM_PROP_DASH = 14,       /* enum tdm_board_dash [SOLID] */
    TDM_PROP_OPACITY = 15,    /* 0 to 255 [255]. */
    TDM_PROP_FONT = 16,       /* enum tdm_board_font [SANS] */
    TDM_PROP_FONT_SIZE = 17,  /* [320] */
    TDM_PROP_ALIGN = 18,      /* enum tdm_board_align [START] */
    TDM_PROP_CORNER = 19,     /* Radius [0]. */
    TDM_PROP_HEAD_START = 20, /* enum tdm_board_head [NONE] */
    TDM_PROP_HEAD_END = 21,   /* [NONE; an arrow's: ARROW] */
    TDM_PROP_IMAGE = 22,      /* Bytes: SHA-256 of the blob. */
    TDM_PROP_ANCHOR = 23,     /* Bytes, struct tdm_board_anchor. */
    TDM_PROP_NAME = 24,       /* Bytes: UTF-8; a page's, a group's. */
    TDM_PROP_BACKGROUND = 25, /* A page's colour [0: the window's paper]. */
    TDM_PROP_GRID = 26,       /* A page's step [0: none]. */
    TDM_PROP_LINK = 27,       /* Bytes: UTF-8. */
    TDM_PROP_CROP = 28,    /* Bytes; an image's part, 4 x u16: left, top, right, bottom / 65535. */
    TDM_PROP_SCALE_X = 29, /* Points are stretched, /65536, about x, y [65536]; may be < 0. */
    TDM_PROP_SCALE_Y = 30,
    TDM_PROP_COUNT = 31, /* Above: unknown, kept. */
};

enum tdm_board_dash { TDM_DASH_SOLID, TDM_DASH_DASHED, TDM_DASH_DOTTED };
enum tdm_board_font { TDM_FONT_SANS, TDM_FONT_SERIF, TDM_FONT_MONO, TDM_FONT_HAND };
enum tdm_board_align { TDM_ALIGN_START, TDM_ALIGN_CENTRE, TDM_ALIGN_END };
enum tdm_board_head {
    TDM_HEAD_NONE,
    TDM_HEAD_ARROW,
    TDM_HEAD_TRIANGLE,
    TDM_HEAD_DOT,
    TDM_HEAD_BAR
};

enum tdm_board_value_kind { TDM_VALUE_INT, TDM_VALUE_REF, TDM_VALUE_BYTES };

/** A value of a property. One of the wrong kind for its property is not written: TDM_E_MALFORMED
 *  here, nothing on any replica when it comes from outside. */
struct tdm_board_value {
    enum tdm_board_prop prop;
    enum tdm_board_value_kind kind;
    int64_t number;
    struct tdm_board_id ref;
    const uint8_t *bytes; /* Borrowed for the call. */
    size_t size;
};

static inline struct tdm_board_value tdm_board_int(enum tdm_board_prop prop, int64_t number)
{
    return (struct tdm_board_value){.prop = prop, .kind = TDM_VALUE_INT, .number = number};
}

static inline struct tdm_board_value tdm_board_ref(enum tdm_board_prop prop, struct tdm_board_id id)
{
    return (struct tdm_board_value){.prop = prop, .kind = TDM_VALUE_REF, .ref = id};
}

static inline struct tdm_board_value tdm_board_bytes(enum tdm_board_prop prop, const void *bytes,
                                                     size_t size)
{
    return (struct tdm_board_value){
        .prop = prop, .kind = TDM_VALUE_BYTES, .bytes = bytes, .size = size};
}

/** Where an annotation hangs on a shared screen: generation is the number of the frame that the
 *  point was seen in (collab/board_anchor.h). */
struct tdm_board_anchor {
    uint32_t surface, generation;
    int32_t x, y; /* Of what it hangs on, in the surface's pixels / 16; the object's own x, y are
                     from there. */
};

void tdm_board_anchor_write(const struct tdm_board_anchor *a,
                            uint8_t bytes[TDM_BOARD_ANCHOR_BYTES]);

/** What stands in an object now, resolved and within bounds. Pointers borrow until the next edit.
 */
struct tdm_board_view {
    struct tdm_board_id id;
    uint32_t type;             /* enum tdm_board_type, or a newer peer's. */
    struct tdm_board_id page;  /* None: a page itself, or lost. */
    struct tdm_board_id group; /* Its parent when that is a group; no group is its own ancestor. */
    bool deleted;              /* Itself; a page's objects stay what they are. */
    bool locked;
    int32_t x, y, w, h;
    uint16_t angle;
    uint32_t colour, fill;
    int32_t width;
    enum tdm_board_dash dash;
    uint8_t opacity;
    enum tdm_board_font font;
    int32_t font_size;
    enum tdm_board_align align;
    int32_t corner;
    enum tdm_board_head head_start, head_end;
    const uint8_t *image; /* NULL, or TDM_BOARD_HASH_BYTES. */
    bool anchored;
    struct tdm_board_anchor anchor;
    const char *name; /* No terminator. */
    size_t name_size;
    const char *link;
    size_t link_size;
    uint16_t crop[4];
    int32_t scale_x, scale_y;
    uint32_t background;
    int32_t grid;
    const uint8_t *order;
    size_t order_size;
    uint32_t points; /* Of its stroke. */
    bool sealed;     /* No more will come. */
    bool broken;     /* Sealed with a checksum that is not its points'. */
    uint32_t characters, text_bytes;
    uint64_t changed; /* The board's mark when it changed last. */
};

struct tdm_board_point {
    int32_t x, y;     /* Relative to the object's x, y, before its scale. */
    uint8_t pressure; /* 0 to 255; 128 where the device knows none. */
    uint16_t dt_ms;   /* Since the point before. */
};

#endif
