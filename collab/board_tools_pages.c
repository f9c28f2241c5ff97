/* SPDX-License-Identifier: MIT */
/* Pages: which one is looked at, and where on it. */
#include "collab/board_tools_state.h"

#include <string.h>

uint32_t tdm_board_tools_page(const struct tdm_board_tools *t, uint32_t *count)
{
    uint32_t at = 0;

    *count = 0;
    for (const struct tdm_board_object *o = tdm_board_lowest(t->board, TDM_BOARD_NONE); o;
         o = tdm_board_above(o)) {
        if (tdm_board_same(tdm_board_id_of(o), t->page))
            at = *count;
        ++*count;
    }
    return at;
}

static struct tdm_board_seen *seen(struct tdm_board_tools *t, struct tdm_board_id page, bool make)
{
    for (uint32_t i = 0; i < t->seen_count; i++)
        if (tdm_board_same(t->seen[i].page, page))
            return &t->seen[i];
    if (!make)
        return NULL;
    if (t->seen_count == TDM_BOARD_SEEN_MAX) {
        memmove(t->seen, t->seen + 1, sizeof *t->seen * (TDM_BOARD_SEEN_MAX - 1));
        t->seen_count--;
    }
    t->seen[t->seen_count].page = page;
    return &t->seen[t->seen_count++];
}

void tdm_hand_go_to(struct tdm_board_tools *t, struct tdm_board_id page)
{
    struct tdm_board_canvas *c = &t->canvas;
    struct tdm_board_seen *s = seen(t, t->page, true);

    if (tdm_board_same(page, t->page))
        return;
    tdm_hand_end_gesture(t);
    tdm_hand_edit_end(t);
    s->x = c->x;
    s->y = c->y;
    s->zoom = c->zoom;
    t->page = page;
    t->sight.page(t->sight.arg, page);
    s = seen(t, page, false);
    c->zoom = s ? s->zoom : 1;
    c->x = s ? s->x : 0;
    c->y = s ? s->y : 0;
    t->hover = TDM_BOARD_NONE;
    tdm_hand_select_none(t);
    t->asked |= TDM_BOARD_ASK_VIEW | TDM_BOARD_ASK_BARS | TDM_BOARD_ASK_LIVE;
}

static const struct tdm_board_object *page_at(const struct tdm_board_tools *t, uint32_t at)
{
    const struct tdm_board_object *o = tdm_board_lowest(t->board, TDM_BOARD_NONE);

    while (o && at--)
        o = tdm_board_above(o);
    return o;
}

static void new_page(struct tdm_board_tools *t)
{
    const struct tdm_board_object *here = tdm_board_find(t->board, t->page);
    const struct tdm_board_object *next = here ? tdm_board_above(here) : NULL;
    struct tdm_board_view low, high;
    uint8_t key[TDM_BOARD_ORDER_MAX];
    struct tdm_board_id id;

    if (here)
        tdm_board_read(t->board, here, &low);
    if (next)
        tdm_board_read(t->board, next, &high);
    size_t size = tdm_board_order_between(t->board, here ? &low : NULL, next ? &high : NULL, key);
    struct tdm_board_value order = tdm_board_bytes(TDM_PROP_ORDER, key, size);

    tdm_hand_edit_end(t);
    tdm_hand_open(t);
    bool added = tdm_hand_add(t, TDM_BOARD_PAGE, &order, 1, &id);

    tdm_hand_close(t);
    if (added)
        tdm_hand_go_to(t, id);
}

static void delete_page(struct tdm_board_tools *t)
{
    uint32_t count, at = tdm_board_tools_page(t, &count);
    struct tdm_board_id page = t->page;

    if (count < 2) {
        tdm_hand_say(t, "The last page stays");
        return;
    }
    const struct tdm_board_object *other = page_at(t, at ? at - 1 : 1);

    if (!other)
        return;
    tdm_hand_go_to(t, tdm_board_id_of(other));
    tdm_hand_open(t);
    (void)tdm_hand_delete(t, page);
    tdm_hand_close(t);
    tdm_hand_say(t, "Page deleted: Ctrl Z brings it back");
}

bool tdm_hand_turn_page(struct tdm_board_tools *t, enum tdm_board_command command, uint32_t value)
{
    const struct tdm_board_object *o = NULL;
    uint32_t count, at = tdm_board_tools_page(t, &count);

    switch (command) {
    case TDM_BOARD_DO_PAGE_NEW:
        new_page(t);
        return true;
    case TDM_BOARD_DO_PAGE_DELETE:
        delete_page(t);
        return true;
    case TDM_BOARD_DO_PAGE_NEXT:
        o = page_at(t, at + 1);
        break;
    case TDM_BOARD_DO_PAGE_PREVIOUS:
        o = at ? page_at(t, at - 1) : NULL;
        break;
    case TDM_BOARD_DO_PAGE:
        o = value < count ? page_at(t, value) : NULL;
        break;
    default:
        return false;
    }
    if (o) {
        t->follows = false;
        tdm_hand_go_to(t, tdm_board_id_of(o));
    }
    return true;
}
