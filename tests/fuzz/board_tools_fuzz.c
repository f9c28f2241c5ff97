/* SPDX-License-Identifier: MIT */
/*
 * Bytes become what a hand does on a board, with any numbers. Checked: the state of the tools stays
 * sound, a second replica that gets the operations is the same in the end, and once everything is
 * undone there is nothing left of it.
 */

#include "engine/base/bytes.h"
#include "tests/unit/board_hand.h"

#include <string.h>

#define SIZE_MAX_OF_INPUT 1500
#define UNDO_MAX          5000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static double number(struct tdm_reader *r)
{
    static const double odd[] = {NAN, INFINITY, -INFINITY, 1e300, -1e300, 0, -0.0, 1e9};
    uint8_t byte = tdm_read_u8(r);

    return byte >= 248 ? odd[byte - 248] : byte * 4.0;
}

static void read_pointer(struct tdm_reader *r, struct tdm_board_in *in)
{
    uint8_t how = tdm_read_u8(r);

    in->x = number(r);
    in->y = number(r);
    in->button = how & 8 ? (uint8_t)(how >> 4 & 3) : 1;
    in->device = how & 4 ? (enum tdm_board_device)(how & 3) : TDM_DEVICE_MOUSE;
    in->clicks = how & 64 ? 2 : 1;
    in->touch = how >> 4 & 3;
    in->pressure = (uint16_t)(how * 257);
}

static void read_in(struct tdm_reader *r, struct tdm_board_in *in, struct tdm_board_id page)
{
    size_t count;
    const struct tdm_board_shortcut *keys = tdm_board_shortcuts(&count);
    uint8_t kind = tdm_read_u8(r);

    *in = (struct tdm_board_in){.kind = (enum tdm_board_in_kind)(kind % 20)};
    in->mods = kind >= 160 ? kind & 15 : 0;
    switch (in->kind) {
    case TDM_BOARD_IN_KEY: {
        uint8_t key = tdm_read_u8(r);

        in->key = key < count ? keys[key].key : TDM_BOARD_KEY_LEFT + (uint32_t)key % 9;
        in->mods = key < count ? keys[key].mods : in->mods;
        break;
    }
    case TDM_BOARD_IN_TEXT:
    case TDM_BOARD_IN_COMPOSE:
    case TDM_BOARD_IN_CLIP:
        in->size = tdm_read_u8(r);
        in->size = in->size < tdm_reader_left(r) ? in->size : tdm_reader_left(r);
        in->text = (const char *)tdm_read_bytes(r, in->size);
        break;
    case TDM_BOARD_IN_COMMAND:
        in->command = (enum tdm_board_command)(tdm_read_u8(r) % TDM_BOARD_COMMANDS);
        in->value = tdm_read_u32(r);
        break;
    case TDM_BOARD_IN_WHEEL:
    case TDM_BOARD_IN_PINCH:
        read_pointer(r, in);
        in->dx = number(r);
        in->dy = number(r) - 400;
        in->scale = number(r) / 100;
        break;
    case TDM_BOARD_IN_IMAGE:
        in->width = tdm_read_u16(r);
        in->height = tdm_read_u16(r);
        read_pointer(r, in);
        break;
    case TDM_BOARD_IN_VIEW:
        in->page = page;
        in->area = (struct tdm_board_area){(int32_t)tdm_read_u32(r), (int32_t)tdm_read_u32(r),
                                           (int32_t)tdm_read_u32(r), (int32_t)tdm_read_u32(r)};
        break;
    default:
        read_pointer(r, in);
        break;
    }
}

static void check(const struct hand *h)
{
    const struct tdm_board_tools *t = &h->tools;
    const double numbers[] = {t->canvas.x, t->canvas.y, t->canvas.zoom, t->here_x, t->here_y,
                              t->at_x,     t->at_y,     t->last_x,      t->last_y};
    struct tdm_board_view v;

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert(isfinite(numbers[i]));
    if (t->has_box)
        assert(isfinite(t->box.x + t->box.y + t->box.w + t->box.h + t->box.angle));
    assert(t->canvas.zoom >= TDM_BOARD_ZOOM_MIN && t->canvas.zoom <= TDM_BOARD_ZOOM_MAX);
    assert(t->tool < TDM_BOARD_TOOLS && t->tool != TDM_BOARD_TOOL_IMAGE);
    for (uint32_t i = 0; i < t->selected_count; i++) {
        assert(tdm_board_find(h->board, t->selected[i]));
        for (uint32_t k = 0; k < i; k++)
            assert(!tdm_board_same(t->selected[i], t->selected[k]));
    }
    assert(t->gesture == TDM_BOARD_IDLE || t->editing.seq || t->gesture != TDM_BOARD_MARKS_TEXT);
    const struct tdm_board_object *page = tdm_board_find(h->board, t->page);

    assert(page);
    tdm_board_read(h->board, page, &v);
    assert(v.type == TDM_BOARD_PAGE);
}

static void check_replica(const struct hand *h, const struct hand *other)
{
    uint8_t a[TDM_BOARD_DIGEST_BYTES], b[TDM_BOARD_DIGEST_BYTES];

    tdm_board_digest(h->board, a);
    tdm_board_digest(other->board, b);
    assert(memcmp(a, b, sizeof a) == 0);
}

/* Nothing is on any page, and only the first page is there. */
static void check_empty(const struct hand *h)
{
    const struct tdm_board_object *page = tdm_board_lowest(h->board, TDM_BOARD_NONE);

    assert(page && tdm_board_same(tdm_board_id_of(page), TDM_BOARD_FIRST_PAGE));
    assert(!tdm_board_above(page));
    assert(!tdm_board_lowest(h->board, TDM_BOARD_FIRST_PAGE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct hand h, other;
    struct tdm_reader r = tdm_reader_of(data, size);
    struct tdm_board_in in;

    if (size > SIZE_MAX_OF_INPUT)
        return 0;
    hand_open(&h, 7);
    hand_open(&other, 9);
    h.other = &other;
    while (tdm_reader_left(&r)) {
        read_in(&r, &in, h.tools.page);
        if (in.kind > TDM_BOARD_IN_REMOTE)
            in.kind = TDM_BOARD_IN_MOVE;
        h.now += (tdm_time)(in.mods + 1) * 5 * TDM_MS;
        hand_step(&h, &in);
        check(&h);
    }
    hand_key(&h, TDM_BOARD_KEY_ESCAPE, 0); /* A gesture, */
    hand_key(&h, TDM_BOARD_KEY_ESCAPE, 0); /* a text. */
    assert(h.tools.gesture == TDM_BOARD_IDLE && !h.tools.editing.seq && !h.tools.step_open);
    check_replica(&h, &other);
    for (int i = 0; i < UNDO_MAX && tdm_board_can_undo(h.board); i++)
        hand_key(&h, 'z', TDM_BOARD_CTRL);
    assert(!tdm_board_can_undo(h.board));
    check_empty(&h);
    check_replica(&h, &other);
    hand_close(&h);
    hand_close(&other);
    return 0;
}
