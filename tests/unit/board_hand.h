/* SPDX-License-Identifier: MIT */
#ifndef TDM_TESTS_UNIT_BOARD_HAND_H
#define TDM_TESTS_UNIT_BOARD_HAND_H

/*
 * A hand on a board without a window: a document with as much memory as it wants, and an eye that
 * sees every object as its box and every letter as 10 x 20 px.
 */

#include "collab/board_tools.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HAND_LETTER     10.0
#define HAND_LINE       20.0
#define HAND_BLOCKS_MAX 64
#define HAND_BLOCK      ((size_t)1 << 20)
#define HAND_TEXT       4096

struct hand {
    struct tdm_board *board;
    void *storage;
    void *blocks[HAND_BLOCKS_MAX];
    size_t block_count;
    struct tdm_board_tools tools;
    struct tdm_board_out out;
    uint32_t asked; /* Since it was cleared. */
    tdm_time now;
    struct hand *other; /* Gets what is fresh. */
};

static inline bool hand_give(struct hand *h)
{
    if (h->block_count == HAND_BLOCKS_MAX)
        return false;
    void *block = aligned_alloc(16, HAND_BLOCK);

    h->blocks[h->block_count++] = block;
    tdm_board_give(h->board, block, HAND_BLOCK);
    return true;
}

/* What is fresh goes to the other one, if there is one. */
static inline void hand_pass(struct hand *h)
{
    size_t size;
    const uint8_t *data = tdm_board_fresh(h->board, &size);

    if (size && h->other) {
        while (tdm_board_apply(h->other->board, data, size, NULL) == TDM_E_SPACE)
            if (!hand_give(h->other))
                break;
    }
    tdm_board_fresh_done(h->board);
}

static inline bool hand_room(void *arg)
{
    hand_pass(arg);
    return hand_give(arg);
}

/* The eye ----------------------------------------------------------------------------------------
 */

static inline void hand_page(void *arg, struct tdm_board_id page)
{
    (void)arg;
    (void)page;
}

static inline size_t hand_text(const struct tdm_board_object *o, char room[HAND_TEXT])
{
    size_t size = tdm_board_text(o, room, HAND_TEXT);

    return size < HAND_TEXT ? size : 0;
}

static inline bool hand_frame(void *arg, struct tdm_board_id id, struct tdm_board_frame *f)
{
    struct hand *h = arg;
    const struct tdm_board_object *o = tdm_board_find(h->board, id);
    struct tdm_board_view v;
    struct tdm_board_point p;

    if (!o)
        return false;
    tdm_board_read(h->board, o, &v);
    if (v.deleted || v.type == TDM_BOARD_GROUP || v.type == TDM_BOARD_PAGE)
        return false;
    double x = v.x / 16.0, y = v.y / 16.0, w = v.w / 16.0, height = v.h / 16.0;

    *f = (struct tdm_board_frame){fmin(x, x + w), fmin(y, y + height), fmax(x, x + w),
                                  fmax(y, y + height)};
    if (v.type == TDM_BOARD_TEXT) {
        f->bottom = y + HAND_LINE;
        f->right = v.w ? f->right : x + HAND_LETTER * (v.characters + 1);
    }
    if (v.points) {
        struct tdm_board_points points = tdm_board_points(o);

        *f = (struct tdm_board_frame){INFINITY, INFINITY, -INFINITY, -INFINITY};
        while (tdm_board_point_next(&points, &p)) {
            double px = x + p.x / 16.0 * (v.scale_x / 65536.0);
            double py = y + p.y / 16.0 * (v.scale_y / 65536.0);

            *f = (struct tdm_board_frame){fmin(f->left, px), fmin(f->top, py), fmax(f->right, px),
                                          fmax(f->bottom, py)};
        }
    }
    return true;
}

static inline size_t hand_within(void *arg, const struct tdm_board_frame *box, bool touched,
                                 struct tdm_board_id *ids, size_t max)
{
    struct hand *h = arg;
    size_t count = 0;

    for (const struct tdm_board_object *o = tdm_board_lowest(h->board, h->tools.page);
         o && count < max; o = tdm_board_above(o)) {
        struct tdm_board_id id = tdm_board_id_of(o);
        struct tdm_board_frame f;

        if (!hand_frame(h, id, &f))
            continue;
        if (touched ? f.left <= box->right && f.right >= box->left && f.top <= box->bottom &&
                          f.bottom >= box->top
                    : f.left >= box->left && f.right <= box->right && f.top >= box->top &&
                          f.bottom <= box->bottom)
            ids[count++] = id;
    }
    return count;
}

static inline bool hand_hit(void *arg, double x, double y, double reach, struct tdm_board_id *id)
{
    const struct tdm_board_frame at = {x - reach, y - reach, x + reach, y + reach};
    struct tdm_board_id found[256];
    size_t count = hand_within(arg, &at, true, found, 256);

    if (count)
        *id = found[count - 1];
    return count;
}

static inline size_t hand_crossed(void *arg, const double from[2], const double to[2], double reach,
                                  struct tdm_board_id *ids, size_t max)
{
    const struct tdm_board_frame way = {fmin(from[0], to[0]) - reach, fmin(from[1], to[1]) - reach,
                                        fmax(from[0], to[0]) + reach, fmax(from[1], to[1]) + reach};

    return hand_within(arg, &way, true, ids, max);
}

/* Where the line begins that a byte is in. */
static inline uint32_t hand_line(const char *text, uint32_t at)
{
    while (at && text[at - 1] != '\n')
        at--;
    return at;
}

static inline double hand_text_x(void *arg, struct tdm_board_id id, uint32_t at)
{
    struct hand *h = arg;
    char text[HAND_TEXT];

    (void)hand_text(tdm_board_find(h->board, id), text);
    return (at - hand_line(text, at)) * HAND_LETTER;
}

static inline uint32_t hand_text_at(void *arg, struct tdm_board_id id, double x, double y)
{
    struct hand *h = arg;
    char text[HAND_TEXT];
    size_t size = hand_text(tdm_board_find(h->board, id), text);
    uint32_t at = 0;

    for (double line = HAND_LINE; y >= line && at < size; line += HAND_LINE) {
        uint32_t next = at;

        while (next < size && text[next] != '\n')
            next++;
        if (next == size)
            break;
        at = next + 1;
    }
    for (x -= HAND_LETTER / 2; x > 0 && at < size && text[at] != '\n'; x -= HAND_LETTER)
        at++;
    while (at < size && ((uint8_t)text[at] & 0xc0) == 0x80)
        at++;
    return at;
}

static inline uint32_t hand_text_move(void *arg, struct tdm_board_id id, uint32_t at,
                                      enum tdm_board_text_move move, double x)
{
    struct hand *h = arg;
    char text[HAND_TEXT];
    uint32_t size = (uint32_t)hand_text(tdm_board_find(h->board, id), text);
    uint32_t line = hand_line(text, at < size ? at : size), end = line;

    at = at < size ? at : size;
    while (end < size && text[end] != '\n')
        end++;
    switch (move) {
    case TDM_BOARD_TEXT_LEFT:
    case TDM_BOARD_TEXT_BACK:
        while (at && ((uint8_t)text[--at] & 0xc0) == 0x80)
            ;
        return at;
    case TDM_BOARD_TEXT_RIGHT:
    case TDM_BOARD_TEXT_FORWARD:
        while (at < size && ++at < size && ((uint8_t)text[at] & 0xc0) == 0x80)
            ;
        return at;
    case TDM_BOARD_TEXT_UP:
        return line ? hand_text_at(arg, id, x + 1,
                                   0) /* Texts of these tests have two lines at most. */
                    : 0;
    case TDM_BOARD_TEXT_DOWN:
        return end < size ? hand_text_at(arg, id, x + 1, HAND_LINE) : size;
    case TDM_BOARD_TEXT_LINE_START:
        return line;
    case TDM_BOARD_TEXT_LINE_END:
        return end;
    case TDM_BOARD_TEXT_WORD_LEFT:
        while (at && text[at - 1] == ' ')
            at--;
        while (at && text[at - 1] != ' ')
            at--;
        return at;
    default:
        while (at < size && text[at] != ' ')
            at++;
        while (at < size && text[at] == ' ')
            at++;
        return at;
    }
}

static inline void hand_text_word(void *arg, struct tdm_board_id id, uint32_t at, uint32_t *from,
                                  uint32_t *to)
{
    *from = hand_text_move(arg, id, at, TDM_BOARD_TEXT_WORD_LEFT, 0);
    *to = hand_text_move(arg, id, *from, TDM_BOARD_TEXT_WORD_RIGHT, 0);
}

/* Life -------------------------------------------------------------------------------------------
 */

static inline void hand_step(struct hand *h, const struct tdm_board_in *in)
{
    tdm_board_tools_step(&h->tools, h->now, in, &h->out);
    h->asked |= h->out.asked;
    hand_pass(h);
}

static inline void hand_open(struct hand *h, uint32_t actor)
{
    const struct tdm_board_sight eye = {.arg = h,
                                        .page = hand_page,
                                        .hit = hand_hit,
                                        .crossed = hand_crossed,
                                        .within = hand_within,
                                        .frame = hand_frame,
                                        .text_at = hand_text_at,
                                        .text_move = hand_text_move,
                                        .text_x = hand_text_x,
                                        .text_word = hand_text_word,
                                        .room = hand_room};

    memset(h, 0, sizeof *h);
    h->storage = aligned_alloc(16, (tdm_board_bytes_needed() + 15) / 16 * 16);
    h->board = tdm_board_init(h->storage, actor);
    (void)hand_give(h);
    h->now = TDM_S;
    tdm_board_tools_init(&h->tools, h->board, &eye);
    hand_step(h, &(struct tdm_board_in){.kind = TDM_BOARD_IN_RESIZE, .x = 1000, .y = 800});
    h->asked = 0;
}

static inline void hand_close(struct hand *h)
{
    for (size_t i = 0; i < h->block_count; i++)
        free(h->blocks[i]);
    free(h->storage);
}

/* What a user does
 * --------------------------------------------------------------------------------- */

static inline void hand_pointer(struct hand *h, enum tdm_board_in_kind kind, double x, double y,
                                uint32_t mods)
{
    h->now += 10 * TDM_MS;
    hand_step(h, &(struct tdm_board_in){.kind = kind,
                                        .x = x,
                                        .y = y,
                                        .button = 1,
                                        .clicks = 1,
                                        .pressure = 32768,
                                        .mods = mods});
}

static inline void hand_down(struct hand *h, double x, double y, uint32_t mods)
{
    hand_pointer(h, TDM_BOARD_IN_MOVE, x, y, mods);
    hand_pointer(h, TDM_BOARD_IN_DOWN, x, y, mods);
}

static inline void hand_drag(struct hand *h, double x0, double y0, double x1, double y1,
                             uint32_t mods)
{
    hand_down(h, x0, y0, mods);
    for (int i = 1; i <= 4; i++)
        hand_pointer(h, TDM_BOARD_IN_MOVE, x0 + (x1 - x0) * i / 4, y0 + (y1 - y0) * i / 4, mods);
    hand_pointer(h, TDM_BOARD_IN_UP, x1, y1, mods);
}

static inline void hand_click(struct hand *h, double x, double y, uint32_t mods)
{
    hand_down(h, x, y, mods);
    hand_pointer(h, TDM_BOARD_IN_UP, x, y, mods);
}

static inline void hand_double(struct hand *h, double x, double y)
{
    hand_click(h, x, y, 0);
    hand_step(h, &(struct tdm_board_in){
                     .kind = TDM_BOARD_IN_DOWN, .x = x, .y = y, .button = 1, .clicks = 2});
    hand_pointer(h, TDM_BOARD_IN_UP, x, y, 0);
}

static inline void hand_key(struct hand *h, uint32_t key, uint32_t mods)
{
    h->now += 10 * TDM_MS;
    hand_step(h, &(struct tdm_board_in){.kind = TDM_BOARD_IN_KEY, .key = key, .mods = mods});
}

static inline void hand_type(struct hand *h, const char *text)
{
    hand_step(
        h, &(struct tdm_board_in){.kind = TDM_BOARD_IN_TEXT, .text = text, .size = strlen(text)});
}

static inline void hand_do(struct hand *h, enum tdm_board_command command, uint32_t value)
{
    hand_step(h, &(struct tdm_board_in){
                     .kind = TDM_BOARD_IN_COMMAND, .command = command, .value = value});
}

static inline void hand_wait(struct hand *h, tdm_time time)
{
    h->now += time;
    hand_step(h, &(struct tdm_board_in){.kind = TDM_BOARD_IN_TIME});
}

/* What is there -----------------------------------------------------------------------------------
 */

static inline int hand_count(const struct hand *h)
{
    int count = 0;
    struct tdm_board_view v;

    for (const struct tdm_board_object *o = tdm_board_lowest(h->board, h->tools.page); o;
         o = tdm_board_above(o)) {
        tdm_board_read(h->board, o, &v);
        count += v.type != TDM_BOARD_GROUP;
    }
    return count;
}

/* From the lowest up; groups do not count. */
static inline struct tdm_board_view hand_object(const struct hand *h, int which)
{
    struct tdm_board_view v;

    memset(&v, 0, sizeof v);
    for (const struct tdm_board_object *o = tdm_board_lowest(h->board, h->tools.page); o;
         o = tdm_board_above(o)) {
        tdm_board_read(h->board, o, &v);
        if (v.type != TDM_BOARD_GROUP && which-- == 0)
            return v;
    }
    memset(&v, 0, sizeof v);
    return v;
}

#endif
