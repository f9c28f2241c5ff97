/* SPDX-License-Identifier: MIT */
/* Where annotations are, and their pixels: over the viewer's picture, over the host's desktop. */
#include "engine/share_ink_state.h"

#include <stdlib.h>
#include <string.h>

static const struct tdm_ink_item *item_of(const struct tdm_share_ink *k, struct tdm_board_id id)
{
    for (uint32_t i = 0; i < k->item_count; i++)
        if (tdm_board_same(k->items[i].id, id))
            return &k->items[i];
    return NULL;
}

const struct tdm_anchor_place *tdm_ink_place(const struct tdm_share_ink *k, struct tdm_board_id id)
{
    const struct tdm_ink_item *item = item_of(k, id);

    return item ? &item->place : NULL;
}

static bool same_anchor(const struct tdm_board_anchor *a, const struct tdm_board_anchor *b)
{
    return a->surface == b->surface && a->generation == b->generation && a->x == b->x &&
           a->y == b->y;
}

/* Where one was that was there before; they mostly stand in the same order. */
static const struct tdm_ink_item *find_before(const struct tdm_share_ink *k, uint32_t count,
                                              uint32_t *hint, struct tdm_board_id id)
{
    for (uint32_t i = 0; i < count; i++, *hint = (*hint + 1) % count)
        if (tdm_board_same(k->before[*hint].id, id))
            return &k->before[*hint];
    return NULL;
}

/* Those that are in the board now; ones that were there stay where they are. */
static void read_items(struct tdm_share_ink *k)
{
    const struct tdm_board *b = tdm_board_doc_board(k->doc);
    uint32_t before = k->item_count, hint = 0;
    struct tdm_board_view view;

    memcpy(k->before, k->items, before * sizeof *k->items);
    k->item_count = 0;
    for (const struct tdm_board_object *o = tdm_board_lowest(b, TDM_BOARD_FIRST_PAGE);
         o && k->item_count < TDM_INK_ITEMS_MAX; o = tdm_board_above(o)) {
        tdm_board_read(b, o, &view);
        if (!view.anchored)
            continue;
        const struct tdm_ink_item *was = find_before(k, before, &hint, view.id);
        bool same = was && same_anchor(&was->anchor, &view.anchor);

        k->items[k->item_count++] =
            same ? *was
                 : (struct tdm_ink_item){view.id, view.anchor, tdm_anchor_place_of(&view.anchor)};
    }
}

void tdm_ink_follow(struct tdm_share_ink *k)
{
    const struct tdm_board *b = tdm_board_doc_board(k->doc);

    if (tdm_board_mark(b) != k->told_mark) {
        k->told_mark = tdm_board_mark(b);
        read_items(k);
        k->moved = true;
    }
    for (uint32_t i = 0; i < k->item_count; i++)
        k->moved = tdm_anchor_follow(&k->anchors, &k->items[i].place) || k->moved;
}

void tdm_ink_settle(struct tdm_share_ink *k)
{
    struct tdm_board *b = tdm_board_doc_board(k->doc);

    tdm_ink_follow(k);
    for (uint32_t i = 0; i < k->item_count; i++) {
        struct tdm_ink_item *item = &k->items[i];
        uint8_t bytes[TDM_BOARD_ANCHOR_BYTES];

        /* What is unseen has no anchor of its own: only its way tells where it is. */
        if (item->place.away ||
            (item->place.x == item->anchor.x && item->place.y == item->anchor.y))
            continue;
        struct tdm_board_anchor now = tdm_anchor_of(&item->place, k->frame);
        struct tdm_board_value value;
        enum tdm_err err;

        tdm_board_anchor_write(&now, bytes);
        value = tdm_board_bytes(TDM_PROP_ANCHOR, bytes, sizeof bytes);
        do
            err = tdm_board_set(b, item->id, &value, 1);
        while ((err == TDM_E_SPACE || err == TDM_E_AGAIN) && tdm_ink_relieve(k, err));
    }
}

static const struct tdm_screen_surface *surface_of(const struct tdm_share_ink *k, uint8_t id)
{
    for (uint32_t i = 0; i < k->surface_count; i++)
        if (k->surfaces[i].id == id)
            return &k->surfaces[i];
    return NULL;
}

void tdm_ink_forget_sheets(struct tdm_share_ink *k)
{
    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++) {
        tdm_ink_sheet_destroy(k->sheets[i]);
        k->sheets[i] = NULL;
    }
    k->moved = true;
}

/* A sheet comes with the first ink on its surface. */
static struct tdm_ink_sheet *sheet_of(struct tdm_share_ink *k, uint8_t id)
{
    const struct tdm_screen_surface *s = surface_of(k, id);
    struct tdm_cause cause;

    if (!k->sheets[id] && s &&
        tdm_ink_sheet_create(&k->sheets[id], s->width, s->height, &cause) == TDM_OK)
        tdm_ink_sheet_begin(k->sheets[id]);
    return k->sheets[id];
}

static void put_figure(struct tdm_share_ink *k, const struct tdm_ink_item *item)
{
    const struct tdm_board *b = tdm_board_doc_board(k->doc);
    const struct tdm_board_object *o = tdm_board_find(b, item->id);
    struct tdm_board_figure f;
    struct tdm_ink_sheet *sheet =
        item->place.away ? NULL : sheet_of(k, item->place.surface % TDM_SCREEN_SURFACES_MAX);

    if (!sheet || !o || tdm_board_feed_figure(&k->feed, b, o, &f) != TDM_OK)
        return;
    f.x += item->place.x;
    f.y += item->place.y;
    f.version = f.version * 0x9e3779b97f4a7c15u ^ ((uint64_t)(uint32_t)item->place.x << 32) ^
                (uint32_t)item->place.y;
    tdm_ink_sheet_put(sheet, &f);
}

bool tdm_ink_paint(struct tdm_share_ink *k)
{
    struct tdm_rect rects[TDM_INK_RECTS_MAX];
    bool any = false;

    if (!k->moved)
        return false;
    k->moved = false;
    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++)
        if (k->sheets[i])
            tdm_ink_sheet_begin(k->sheets[i]);
    for (uint32_t i = 0; k->doc && i < k->item_count; i++)
        put_figure(k, &k->items[i]);
    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++) {
        size_t count = k->sheets[i] ? tdm_ink_sheet_end(k->sheets[i], rects) : 0;

        for (size_t r = 0; r < count; r++)
            k->changed[i] = tdm_rect_around(k->changed[i], rects[r]);
        any = any || count;
    }
    return any;
}

bool tdm_share_ink_lock(struct tdm_share_ink *k, uint8_t surface, bool again,
                        struct tdm_ink_pixels *pixels)
{
    uint8_t id = surface % TDM_SCREEN_SURFACES_MAX;

    pthread_mutex_lock(&k->lock);
    struct tdm_ink_sheet *sheet = k->sheets[id];

    if (!sheet || (!again && tdm_rect_empty(k->changed[id]))) {
        pthread_mutex_unlock(&k->lock);
        return false;
    }
    *pixels = (struct tdm_ink_pixels){.width = tdm_ink_sheet_width(sheet),
                                      .height = tdm_ink_sheet_height(sheet),
                                      .extent = tdm_ink_sheet_extent(sheet),
                                      .changed = k->changed[id]};
    pixels->pixels = tdm_ink_sheet_pixels(sheet, &pixels->stride);
    if (!again)
        k->changed[id] = (struct tdm_rect){0, 0, 0, 0};
    return true;
}

void tdm_share_ink_unlock(struct tdm_share_ink *k)
{
    pthread_mutex_unlock(&k->lock);
}

/* The overlay comes with the first ink. */
static bool has_overlay(struct tdm_share_ink *k)
{
    struct tdm_cause cause;

    if (k->overlay && !tdm_ink_overlay_step(k->overlay)) {
        tdm_ink_overlay_destroy(k->overlay);
        k->overlay = NULL;
        k->overlay_failed = true;
    }
    if (k->overlay && k->overlay_stale) {
        tdm_ink_overlay_destroy(k->overlay);
        k->overlay = NULL;
    }
    k->overlay_stale = false;
    if (!k->overlay && !k->no_display && !k->overlay_failed)
        k->overlay_failed = tdm_ink_overlay_create(&k->overlay, *k->display ? k->display : NULL,
                                                   k->window, &cause) != TDM_OK;
    return k->overlay != NULL;
}

static size_t find_spans(struct tdm_share_ink *k, struct tdm_ink_span *spans,
                         size_t counts[TDM_SCREEN_SURFACES_MAX], struct tdm_rect *around)
{
    size_t count = 0;

    *around = (struct tdm_rect){0, 0, 0, 0};
    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++) {
        const struct tdm_screen_surface *s = surface_of(k, (uint8_t)i);

        counts[i] = 0;
        if (!k->sheets[i] || !s)
            continue;
        struct tdm_rect extent = tdm_ink_sheet_extent(k->sheets[i]);

        counts[i] =
            tdm_ink_spans(k->sheets[i], s->x, s->y, spans + count, TDM_INK_SPANS_MAX - count);
        count += counts[i];
        extent.x += s->x;
        extent.y += s->y;
        if (!tdm_rect_empty(extent))
            *around = tdm_rect_around(*around, extent);
    }
    return count;
}

static bool sheets_changed(struct tdm_share_ink *k)
{
    bool any = false;

    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++) {
        any = any || !tdm_rect_empty(k->changed[i]);
        k->changed[i] = (struct tdm_rect){0, 0, 0, 0};
    }
    return any;
}

/* What is on the screen before and after is lifted out of what is captured meanwhile. */
void tdm_ink_show(struct tdm_share_ink *k, struct tdm_rect *again)
{
    size_t counts[TDM_SCREEN_SURFACES_MAX], before = k->veil_count, at = 0;
    struct tdm_rect around;

    if (k->overlay && !sheets_changed(k) && has_overlay(k))
        return;
    if (!k->overlay && !k->item_count)
        return;
    if (!has_overlay(k))
        return;
    pthread_mutex_lock(&k->veil_lock);
    size_t count = find_spans(k, k->veil + before, counts, &around);

    k->veil_count = before + count;
    pthread_mutex_unlock(&k->veil_lock);
    tdm_ink_overlay_begin(k->overlay);
    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; at += counts[i++]) {
        const struct tdm_screen_surface *s = surface_of(k, (uint8_t)i);

        if (s && counts[i])
            tdm_ink_overlay_put(k->overlay, k->sheets[i], s->x, s->y, k->veil + before + at,
                                counts[i]);
    }
    tdm_ink_overlay_end(k->overlay);
    pthread_mutex_lock(&k->veil_lock);
    memmove(k->veil, k->veil + before, count * sizeof *k->veil);
    k->veil_count = count;
    pthread_mutex_unlock(&k->veil_lock);
    *again = k->shown;
    k->shown = around;
}

/* The part of a row of ink that is in a rectangle of a surface. False: there is none. */
static bool inside(const struct tdm_ink_span *s, int x, int y, struct tdm_rect rect, int *row,
                   int *from, int *width)
{
    int right = s->x - x + s->width;

    *row = s->y - y;
    *from = s->x - x > rect.x ? s->x - x : rect.x;
    right = right < rect.x + rect.width ? right : rect.x + rect.width;
    *width = right - *from;
    return *row >= rect.y && *row<rect.y + rect.height && * width> 0;
}

bool tdm_share_ink_shows(struct tdm_share_ink *k)
{
    pthread_mutex_lock(&k->veil_lock);
    bool shows = k->veil_count > 0;

    pthread_mutex_unlock(&k->veil_lock);
    return shows;
}

void tdm_share_ink_lift(struct tdm_share_ink *k, int x, int y, struct tdm_rect rect,
                        const uint8_t *pixels, ptrdiff_t stride)
{
    int row, from, width;
    size_t needed = 0;

    pthread_mutex_lock(&k->veil_lock);
    k->below_count = 0;
    for (size_t i = 0; i < k->veil_count; i++)
        needed += inside(&k->veil[i], x, y, rect, &row, &from, &width) ? (size_t)width : 0;
    if (needed > k->below_room) {
        uint32_t *below = realloc(k->below, 2 * needed * sizeof *below);

        if (!below)
            return;
        k->below = below;
        k->below_room = 2 * needed;
    }
    for (size_t i = 0; i < k->veil_count; i++)
        if (inside(&k->veil[i], x, y, rect, &row, &from, &width)) {
            memcpy(k->below + k->below_count, pixels + row * stride + (ptrdiff_t)from * 4,
                   (size_t)width * 4);
            k->below_count += (size_t)width;
        }
}

void tdm_share_ink_lifted(struct tdm_share_ink *k, int x, int y, struct tdm_rect rect,
                          uint8_t *pixels, ptrdiff_t stride)
{
    int row, from, width;
    size_t at = 0;

    for (size_t i = 0; i < k->veil_count && at < k->below_count; i++)
        if (inside(&k->veil[i], x, y, rect, &row, &from, &width)) {
            memcpy(pixels + row * stride + (ptrdiff_t)from * 4, k->below + at, (size_t)width * 4);
            at += (size_t)width;
        }
    pthread_mutex_unlock(&k->veil_lock);
}
