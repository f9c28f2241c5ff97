/* SPDX-License-Identifier: MIT */
/*
 * Bytes are what the other side of a board says; between them there are edits here, and pulls and
 * rewinds of the channel. Checked: nothing is read or written outside, a link that is broken takes
 * everything, and unless a snapshot was made up, what a third side gets of this board makes it the
 * same.
 */

#include "collab/board_link.h"
#include "collab/board_op.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BLOCK  ((size_t)1 << 20)
#define BLOCKS 4

struct side {
    struct tdm_board *board;
    struct tdm_board_link *link;
    void *storage, *link_storage, *blocks[BLOCKS];
    bool honest; /* Nothing but operations was taken. */
};

static void begin(struct side *s, uint32_t actor)
{
    static const uint8_t any[TDM_BOARD_DOCUMENT_BYTES];

    if (!s->storage) {
        s->storage = aligned_alloc(16, (tdm_board_bytes_needed() + 15) / 16 * 16);
        s->link_storage = aligned_alloc(16, (tdm_board_link_bytes_needed() + 15) / 16 * 16);
        for (int i = 0; i < BLOCKS; i++)
            s->blocks[i] = aligned_alloc(16, BLOCK);
    }
    s->board = tdm_board_init(s->storage, actor);
    s->link = tdm_board_link_init(s->link_storage, any);
    for (int i = 0; i < BLOCKS; i++)
        tdm_board_give(s->board, s->blocks[i], BLOCK);
    tdm_board_link_start(s->link, s->board);
    s->honest = true;
}

static bool only_operations(const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);

    while (r.at < r.end) {
        struct tdm_reader record = tdm_read_sub(&r, tdm_read_u16(&r));

        if (tdm_read_u8(&record) != BOARD_RECORD_OPS)
            return false;
    }
    return true;
}

static void take(struct side *s, const uint8_t *data, size_t size)
{
    struct tdm_board_link_out out;

    for (size_t taken; size; data += taken, size -= taken) {
        taken = tdm_board_link_take(s->link, s->board, data, size, &out);
        assert(taken <= size && (taken || out.event != TDM_BOARD_EV_NONE));
        if (out.event == TDM_BOARD_EV_OPS) {
            s->honest = s->honest && only_operations(out.data, out.size);
            (void)!tdm_board_apply(s->board, out.data, out.size, NULL);
        }
        if (out.event == TDM_BOARD_EV_BROKEN)
            assert(taken == size);
    }
}

static void edit(struct side *s, uint8_t what)
{
    const struct tdm_board_value page = tdm_board_ref(TDM_PROP_PAGE, TDM_BOARD_FIRST_PAGE);
    struct tdm_board_id id;
    size_t size;

    if (tdm_board_add(s->board, (enum tdm_board_type)(1 + what % 12), &page, 1, &id) == TDM_OK)
        (void)!tdm_board_text_insert(s->board, id, 0, "text", 4);
    const uint8_t *records = tdm_board_fresh(s->board, &size);

    if (size)
        tdm_board_link_put(s->link, records, size);
    tdm_board_fresh_done(s->board);
}

/* All that a board has, in another one. */
static void check_whole(const struct side *s)
{
    static struct tdm_board_since since;
    static struct side other;
    static uint8_t room[TDM_BOARD_SINCE_MIN];
    uint8_t one[TDM_BOARD_DIGEST_BYTES], two[TDM_BOARD_DIGEST_BYTES];

    begin(&other, 99);
    memset(&since, 0, sizeof since);
    while (!since.done) {
        size_t size = tdm_board_since(s->board, &since, room, sizeof room);

        if (tdm_board_apply(other.board, room, size, NULL) != TDM_OK)
            assert(false);
    }
    tdm_board_digest(s->board, one);
    tdm_board_digest(other.board, two);
    assert(memcmp(one, two, sizeof one) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct side here;
    static uint8_t room[4096];
    uint64_t pulled = 0;

    if (size > 4096)
        return 0;
    begin(&here, 7);
    /* A piece is its size and then its bytes; the sizes that are left are things to do. */
    while (size) {
        uint8_t what = *data++;
        size_t some = what < size - 1 ? what : size - 1;

        size--;
        if (what >= 0xf0) {
            edit(&here, what);
            continue;
        }
        if (what >= 0xe0) {
            if (what & 1)
                tdm_board_link_rewind(here.link, pulled /= 2);
            pulled +=
                tdm_board_link_pull(here.link, here.board, room, 1 + (size_t)(what & 15) * 256);
            if (what & 2)
                tdm_board_link_acked(here.link, pulled);
            continue;
        }
        uint8_t *exact = malloc(some ? some : 1);

        assert(exact);
        memcpy(exact, data, some);
        take(&here, exact, some);
        free(exact);
        data += some;
        size -= some;
    }
    if (here.honest)
        check_whole(&here);
    return 0;
}
