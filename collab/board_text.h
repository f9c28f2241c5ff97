/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_BOARD_TEXT_H
#define TDM_COLLAB_BOARD_TEXT_H

/*
 * A text that several type into at once: a replicated growable array (Roh and others, 2011) with
 * runs. Every character has an id, its author and number, and a clock; it stands behind the
 * character that it was typed behind, before those that stood there with a smaller clock.
 * Characters that were typed in a row are one item. Nothing is taken out: each actor may mark
 * characters as gone and take its own mark back, and one that nobody has marked is visible.
 */

#include "collab/board_state.h"

#define BOARD_ITEM_BYTES 1024 /* At most, and as many characters. */

struct board_mark {
    struct board_mark *next;
    uint32_t seq;
    uint16_t actor;
    bool gone;
};

struct board_item {
    struct board_node node; /* By id. */
    struct board_item *next, *before;
    uint64_t lamport; /* Of the first character; each has one more. */
    uint32_t seq;     /* As well. */
    uint32_t origin_seq;
    uint16_t origin_actor; /* BOARD_NO_ACTOR: typed at the begin. */
    uint16_t actor;
    uint16_t chars, size, room;
    bool hidden; /* Somebody's mark says gone. */
    struct board_mark *marks;
    uint8_t *text;
};

struct board_author {
    struct board_author *next;
    uint32_t chars;
    uint16_t actor;
};

struct board_text {
    struct board_item *first, *last;
    struct board_node *ids;
    struct board_author *authors;
    uint32_t chars, bytes; /* Visible. */
};

struct board_typed {
    struct board_stamp stamp;
    struct tdm_board_id origin;
    const uint8_t *text; /* Clean. */
    size_t size;
    uint32_t chars;
};

/** Whether something with this stamp may stand behind `origin`, which is older then. */
bool board_text_follows(const struct tdm_board *b, const struct tdm_board_object *o,
                        struct tdm_board_id origin, struct board_stamp stamp);
/** TDM_E_MALFORMED: what it stands behind is not there, or is not older; or it is too much. */
enum tdm_err board_text_type(struct tdm_board *b, struct tdm_board_object *o,
                             const struct board_typed *typed);
size_t board_text_type_need(const struct tdm_board *b, const struct tdm_board_object *o,
                            const struct board_typed *typed);

/** Characters that are not there are left out. */
void board_text_mark(struct tdm_board *b, struct tdm_board_object *o, struct board_stamp stamp,
                     const struct board_range *range, bool gone);
/** Whether all characters of a range are there. */
bool board_text_has(const struct tdm_board *b, const struct tdm_board_object *o,
                    const struct board_range *range);
size_t board_text_mark_need(const struct tdm_board *b, const struct tdm_board_object *o,
                            const struct board_range *range);

/** The item that a character is in, or NULL. */
struct board_item *board_text_find(const struct board_text *t, uint16_t actor, uint32_t seq);
/** The id of the visible character before `at`; none at the begin. */
struct tdm_board_id board_text_before(const struct tdm_board *b, const struct board_text *t,
                                      uint32_t at);
/** Visible characters from `at` on as ranges, at most BOARD_RANGES_MAX of them, together at most
 *  BOARD_RANGE_MAX long. @return how many ranges; `count` becomes what is left. */
size_t board_text_ranges(const struct tdm_board *b, const struct board_text *t, uint32_t at,
                         uint32_t *count, struct board_range ranges[BOARD_RANGES_MAX]);
/** How many characters an actor ever typed here. */
uint32_t board_text_typed(const struct board_text *t, uint16_t actor);
/** Whether anybody but this actor typed here. */
bool board_text_others(const struct board_text *t, uint16_t actor);

#endif
