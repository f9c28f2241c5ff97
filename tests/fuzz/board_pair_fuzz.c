/* SPDX-License-Identifier: MIT */
/*
 * Two sides of a board draw, and bytes say what somebody between them does: passes a message on,
 * keeps it, says it twice, changes a byte of it, or says one of his own. Then the connection is
 * made anew without him. Checked: nothing is read or written outside, what a board shows holds
 * together, and the two have the same or know that they have not; and surely have it when he only
 * listened.
 */
#include "collab/board_link.h"
#include "collab/board_op.h"
#include "tests/unit/collab/board_sides.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WIRE_BYTES ((size_t)1 << 20)
#define STEPS_MAX  200

struct end {
    struct board_side side;
    struct tdm_board_link *link;
    void *link_storage;
    struct tdm_board_id last; /* That it made. */
    uint32_t names;
    bool diverged, broken, denied;
    uint8_t wire[WIRE_BYTES]; /* What it says and nobody has passed on. */
    size_t wire_size;
};

static struct end ends[2];
static bool forged;

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void connect_anew(void)
{
    static const uint8_t any[TDM_BOARD_DOCUMENT_BYTES];

    for (int i = 0; i < 2; i++) {
        ends[i].link = tdm_board_link_init(ends[i].link_storage, any);
        tdm_board_listen(ends[i].side.board);
        tdm_board_link_start(ends[i].link, ends[i].side.board);
        ends[i].wire_size = 0;
        ends[i].diverged = ends[i].broken = false;
    }
}

static void restart(struct end *e, uint32_t actor)
{
    struct board_side *s = &e->side;

    if (!s->storage) {
        side_open(s, actor);
        e->link_storage = aligned_alloc(16, (tdm_board_link_bytes_needed() + 15) / 16 * 16);
    }
    s->board = tdm_board_init(s->storage, actor);
    for (size_t i = 0; i < s->block_count; i++)
        tdm_board_give(s->board, s->blocks[i], BOARD_SIDE_BLOCK);
    side_room(s);
    e->last = TDM_BOARD_FIRST_PAGE;
    e->names = actor;
    e->denied = false;
}

static void send_fresh(struct end *e)
{
    size_t size;
    const uint8_t *records = tdm_board_fresh(e->side.board, &size);

    if (size)
        tdm_board_link_put(e->link, records, size);
    tdm_board_fresh_done(e->side.board);
}

static void edit(struct end *e, uint8_t what)
{
    struct tdm_board *b = e->side.board;
    const struct tdm_board_value page = tdm_board_ref(TDM_PROP_PAGE, TDM_BOARD_FIRST_PAGE);
    const struct tdm_board_value x = tdm_board_int(TDM_PROP_X, what);
    const struct tdm_board_point point = {what, what, 100, 8};

    side_room(&e->side);
    switch (what % 8) {
    case 0:
        (void)!tdm_board_add(b, TDM_BOARD_NOTE, &page, 1, &e->last);
        break;
    case 1:
        (void)!tdm_board_add(b, TDM_BOARD_PEN, &page, 1, &e->last);
        break;
    case 2:
        (void)!tdm_board_set(b, e->last, &x, 1);
        break;
    case 3:
        (void)!tdm_board_ink(b, e->last, &point, 1);
        break;
    case 4:
        (void)!tdm_board_seal(b, e->last);
        break;
    case 5:
        (void)!tdm_board_text_delete(b, e->last, what / 8u, 2);
        break;
    case 6:
        (void)!tdm_board_undo(b, &(struct tdm_board_undone){0});
        break;
    default:
        (void)!tdm_board_text_insert(b, ends[what / 8 % 2].last, what / 16u, "ab", 2);
        break;
    }
    send_fresh(e);
}

/* What the document's owner does (engine/board_doc.c). */
static void take(struct end *e, const uint8_t *data, size_t size)
{
    struct tdm_board_link_out out;

    for (size_t taken; size; data += taken, size -= taken) {
        taken = tdm_board_link_take(e->link, e->side.board, data, size, &out);
        e->diverged |= out.diverged;
        e->broken |= out.event == TDM_BOARD_EV_BROKEN || out.event == TDM_BOARD_EV_OTHER;
        if (out.event != TDM_BOARD_EV_OPS)
            continue;
        enum tdm_err err = side_apply(&e->side, out.data, out.size, NULL);

        e->denied |= err != TDM_OK;
        if (tdm_board_doubled(e->side.board))
            check(tdm_board_become(e->side.board, e->names += 2) == TDM_OK);
    }
}

static void pull(struct end *e)
{
    size_t size;

    while ((size = tdm_board_link_pull(e->link, e->side.board, e->wire + e->wire_size,
                                       WIRE_BYTES - e->wire_size)))
        e->wire_size += size;
}

/* The first whole message of what waits; 0: there is none. */
static size_t message_of(const struct end *e)
{
    struct tdm_reader r = tdm_reader_of(e->wire, e->wire_size);
    uint64_t size = tdm_board_read_v(&r);

    return r.ok && size <= tdm_reader_left(&r) ? (size_t)(r.at - e->wire) + (size_t)size : 0;
}

static void shift(struct end *e, size_t size)
{
    memmove(e->wire, e->wire + size, e->wire_size - size);
    e->wire_size -= size;
}

/* `how`: what becomes of the next message of one of them. */
static void between(int from, uint8_t how, const uint8_t *own, size_t own_size)
{
    struct end *e = &ends[from], *to = &ends[!from];
    uint8_t made[300];
    struct tdm_writer w = tdm_writer_of(made, sizeof made);

    pull(e);
    size_t size = message_of(e);

    forged |= how % 5 != 0;
    if (how % 5 == 4) { /* One of his own. */
        tdm_board_write_v(&w, own_size + 1);
        tdm_write_u8(&w, 1 + how / 5 % 6);
        tdm_write_bytes(&w, own, own_size);
        take(to, made, tdm_writer_size(&w));
        return;
    }
    if (how % 5 == 3 && size && own_size)
        e->wire[own[0] % size] ^= (uint8_t)(1 + how / 5);
    size = message_of(e);
    if (how % 5 != 1)
        take(to, e->wire, size);
    if (how % 5 == 2)
        take(to, e->wire, size);
    shift(e, size);
}

static void until_quiet(void)
{
    for (bool more = true; more;) {
        more = false;
        for (int i = 0; i < 2; i++) {
            pull(&ends[i]);
            more |= ends[i].wire_size > 0;
            take(&ends[!i], ends[i].wire, ends[i].wire_size);
            ends[i].wire_size = 0;
        }
    }
}

/* What a board shows holds together. */
static void look(const struct tdm_board *b)
{
    static char text[1 << 16];
    struct tdm_board_view view;
    struct tdm_board_point point;
    size_t up = 0, down = 0;

    for (const struct tdm_board_object *o = tdm_board_first(b); o; o = tdm_board_next(o)) {
        struct tdm_board_points points = tdm_board_points(o);
        uint32_t count = 0, characters = 0;

        tdm_board_read(b, o, &view);
        while (tdm_board_point_next(&points, &point))
            count++;
        check(count == view.points);
        size_t size = tdm_board_text(o, text, sizeof text);

        check(size == view.text_bytes && size <= sizeof text);
        for (size_t i = 0; i < size; i++)
            characters += ((uint8_t)text[i] & 0xc0) != 0x80;
        check(characters == view.characters);
        (void)tdm_board_outer_group(b, o);
    }
    for (const struct tdm_board_object *o = tdm_board_lowest(b, TDM_BOARD_FIRST_PAGE); o;
         o = tdm_board_above(o))
        up++;
    for (const struct tdm_board_object *o = tdm_board_highest(b, TDM_BOARD_FIRST_PAGE); o;
         o = tdm_board_below(o))
        down++;
    check(up == down);
}

static bool knows_of_trouble(const struct end *e)
{
    struct tdm_board_figures figures;

    tdm_board_figures(e->side.board, &figures);
    return e->broken || e->diverged || figures.refused;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 2048)
        return 0;
    forged = false;
    for (int i = 0; i < 2; i++)
        restart(&ends[i], 10 + (uint32_t)i);
    connect_anew();
    for (int steps = 0; size >= 2 && steps < STEPS_MAX; steps++) {
        uint8_t what = data[0], how = data[1];

        data += 2;
        size -= 2;
        if (what < 128) {
            edit(&ends[what & 1], how);
            continue;
        }
        size_t own = what / 2 % 64 < size ? what / 2 % 64 : size;

        between(what & 1, how, data, own);
        data += own;
        size -= own;
    }
    if (!forged)
        until_quiet();
    /* Twice: what was held back may become whole only with what the first time brings. */
    for (int i = 0; i < 2; i++) {
        connect_anew();
        until_quiet();
    }
    for (int i = 0; i < 2; i++)
        look(ends[i].side.board);
    if (ends[0].denied || ends[1].denied) {
        check(forged);
        return 0;
    }
    bool known = knows_of_trouble(&ends[0]) || knows_of_trouble(&ends[1]);

    check(forged || !known);
    check(known || side_same(&ends[0].side, &ends[1].side));
    return 0;
}
