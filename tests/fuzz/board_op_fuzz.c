/* SPDX-License-Identifier: MIT */
/*
 * Bytes are operations of others, in two halves. Checked: nothing is read outside; and, unless
 * somebody says two things under one number or makes a snapshot up, two replicas that get the
 * halves in either order are the same, getting all of it again changes nothing, and neither does
 * going through what the one gives to who knows nothing.
 */

#include "collab/board.h"
#include "collab/board_op.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BLOCK  ((size_t)1 << 20)
#define BLOCKS 4

#define SPANS_MAX 64

struct replica {
    struct tdm_board *board;
    void *storage, *blocks[BLOCKS];
};

static void begin(struct replica *r, uint32_t actor)
{
    if (!r->storage) {
        r->storage = aligned_alloc(16, (tdm_board_bytes_needed() + 15) / 16 * 16);
        for (int i = 0; i < BLOCKS; i++)
            r->blocks[i] = aligned_alloc(16, BLOCK);
    }
    r->board = tdm_board_init(r->storage, actor);
    for (int i = 0; i < BLOCKS; i++)
        tdm_board_give(r->board, r->blocks[i], BLOCK);
}

static void digest(const struct replica *r, uint8_t bytes[TDM_BOARD_DIGEST_BYTES])
{
    tdm_board_digest(r->board, bytes);
}

/* Records, each with its size, as far as there are any. */
static size_t whole(const uint8_t *data, size_t size, size_t most)
{
    size_t at = 0;

    while (size - at >= 2) {
        size_t record = 2 + ((size_t)data[at] << 8 | data[at + 1]);

        if (record > size - at || at + record > most)
            break;
        at += record;
    }
    return at;
}

struct span {
    uint32_t actor;
    uint64_t first, last;
};

/* Adds the operations of a record; false: it is something else, or a number was there before. */
static bool note(struct tdm_reader r, struct span spans[SPANS_MAX], size_t *count)
{
    if (tdm_read_u8(&r) != BOARD_RECORD_OPS || *count == SPANS_MAX)
        return false;
    struct board_op op = {.name = tdm_read_u32(&r)};
    uint64_t at = tdm_board_read_v(&r);
    struct span span = {op.name, at, at};

    (void)tdm_board_read_v(&r);
    while (r.ok && r.at < r.end && board_op_read(&r, &op))
        span.last += op.span;
    for (size_t i = 0; i < *count; i++)
        if (spans[i].actor == span.actor && spans[i].first <= span.last &&
            span.first <= spans[i].last)
            return false;
    spans[(*count)++] = span;
    return true;
}

/* Whether one author each says each operation once. */
static bool is_honest(const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    struct span spans[SPANS_MAX];
    size_t count = 0;

    while (r.at < r.end)
        if (!note(tdm_read_sub(&r, tdm_read_u16(&r)), spans, &count))
            return false;
    return true;
}

static void apply(struct replica *r, const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);

    assert(exact);
    memcpy(exact, data, size);
    (void)!tdm_board_apply(r->board, exact, size, NULL);
    free(exact);
}

static void read_all(const struct replica *r)
{
    struct tdm_board_view view;
    struct tdm_board_point point;
    char text[64];

    for (const struct tdm_board_object *o = tdm_board_first(r->board); o; o = tdm_board_next(o)) {
        struct tdm_board_points points = tdm_board_points(o);

        tdm_board_read(r->board, o, &view);
        assert(abs(view.x) <= TDM_BOARD_FAR && abs(view.w) <= TDM_BOARD_FAR);
        while (tdm_board_point_next(&points, &point))
            continue;
        (void)tdm_board_text(o, text, sizeof text);
        (void)tdm_board_outer_group(r->board, o);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct replica a, b, c;
    static struct tdm_board_since since;
    static uint8_t room[TDM_BOARD_SINCE_MIN];
    uint8_t one[TDM_BOARD_DIGEST_BYTES], two[TDM_BOARD_DIGEST_BYTES];

    if (size > 8192)
        return 0;
    size_t all = whole(data, size, size), half = whole(data, all, all / 2);

    begin(&a, 1001);
    begin(&b, 1002);
    begin(&c, 1003);
    apply(&a, data, half);
    apply(&a, data + half, all - half);
    digest(&a, one);
    apply(&b, data + half, all - half);
    apply(&b, data, half);
    digest(&b, two);
    read_all(&b);
    if (!is_honest(data, all))
        return 0;
    assert(memcmp(one, two, sizeof one) == 0);
    apply(&a, data, all);
    digest(&a, two);
    assert(memcmp(one, two, sizeof one) == 0);
    read_all(&a);
    memset(&since, 0, sizeof since);
    while (!since.done) {
        size_t some = tdm_board_since(a.board, &since, room, sizeof room);

        if (tdm_board_apply(c.board, room, some, NULL) != TDM_OK)
            assert(false);
    }
    digest(&c, two);
    assert(memcmp(one, two, sizeof one) == 0);
    return 0;
}
