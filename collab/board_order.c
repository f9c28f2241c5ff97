/* SPDX-License-Identifier: MIT */
/*
 * Fractional indexing: keys that sort as bytes, of which there is always one between two others. A
 * key is a whole number of 32 bits, so that what is put on top of everything stays short, digits
 * behind the point, and the mark of its author, so that two who put something into the same gap do
 * not get the same key.
 */
#include "collab/board_state.h"

#define WHOLE      4
#define WHOLE_ZERO 0x80000000u
#define MARK       2
#define DIGITS_MAX (TDM_BOARD_ORDER_MAX - MARK)

/* Two bytes that are not 0: a key never ends in one, so that there is room below each. */
static void mark_of(const struct tdm_board *b, uint8_t mark[MARK])
{
    uint32_t name = b->actors[b->self].name * 0x9e3779b1u;

    mark[0] = (uint8_t)(1 + (name >> 24) % 254);
    mark[1] = (uint8_t)(1 + (name >> 8 & 0xffff) % 255);
}

static uint32_t whole_of(const struct tdm_board_view *v)
{
    uint32_t whole = 0;

    for (size_t i = 0; i < WHOLE; i++)
        whole = whole << 8 | (i < v->order_size ? v->order[i] : 0);
    return whole;
}

static size_t with_whole(const struct tdm_board *b, uint32_t whole, uint8_t *key)
{
    struct tdm_writer w = tdm_writer_of(key, TDM_BOARD_ORDER_MAX);

    tdm_write_u32(&w, whole);
    mark_of(b, w.at);
    return WHOLE + MARK;
}

static int digit(const struct tdm_board_view *v, size_t at, int past)
{
    return v && at < v->order_size ? v->order[at] : past;
}

/* Digit by digit: equal ones are kept; where there is room in between, the middle; where there is
 * none, the lower one's digit, and above it everything is free. */
static size_t middle(const struct tdm_board *b, const struct tdm_board_view *below,
                     const struct tdm_board_view *above, uint8_t *key)
{
    size_t at = 0;

    for (; at < DIGITS_MAX; at++) {
        int low = digit(below, at, 0), high = digit(above, at, above ? 0 : 256);

        if (above && low < high - 1) {
            key[at++] = (uint8_t)((low + high) / 2);
            break;
        }
        if (!above && low < 255) {
            key[at++] = (uint8_t)(low + 1 + (255 - low) / 2);
            break;
        }
        key[at] = (uint8_t)low;
        if (above && low < high)
            above = NULL;
    }
    mark_of(b, key + at);
    return at + MARK;
}

static bool sorts_below(const struct tdm_board_view *a, const uint8_t *key, size_t size)
{
    struct tdm_board_value one = tdm_board_bytes(TDM_PROP_ORDER, a->order, a->order_size);
    struct tdm_board_value other = tdm_board_bytes(TDM_PROP_ORDER, key, size);

    return board_value_order(&one, &other) < 0;
}

size_t tdm_board_order_between(const struct tdm_board *b, const struct tdm_board_view *below,
                               const struct tdm_board_view *above, uint8_t key[TDM_BOARD_ORDER_MAX])
{
    uint32_t low = below ? whole_of(below) : 0, high = above ? whole_of(above) : UINT32_MAX;

    if (!below && !above)
        return with_whole(b, WHOLE_ZERO, key);
    if (!above && low < UINT32_MAX)
        return with_whole(b, low + 1, key);
    if (!below && high > 0)
        return with_whole(b, high - 1, key);
    if (below && above && !sorts_below(below, above->order, above->order_size))
        above = NULL; /* Equal, or the wrong way round: over the one that should be below. */
    return middle(b, below, above, key);
}
