/* SPDX-License-Identifier: MIT */
/* What a frame says, drawn within bounds, and its proof. */
#include "collab/screen_view_state.h"
#include "engine/base/tile.h"

#include <string.h>

#define SIDE     (TDM_SCREEN_TILE / TDM_SCREEN_CELL)
#define BY_THIS  1 /* Touched by the frame that comes in; */
#define UNTOLD   2 /* by one before it that was never proved: it is shown with the next. */
#define WORK_MAX 6 /* Times the surface's area, that a frame may write and read. */

static struct tdm_screen_rect tile_rect(const struct tdm_screen_seen_surface *s, uint64_t tile)
{
    struct tdm_screen_rect cells = {(int)(tile % (uint64_t)s->tiles_x) * SIDE,
                                    (int)(tile / (uint64_t)s->tiles_x) * SIDE, SIDE, SIDE};

    return tdm_screen_pixels_of(&cells, s->seen.width, s->seen.height);
}

/* Counts the work before it is done. */
static bool may_work(struct tdm_screen_view *v, const struct tdm_screen_rect *rect)
{
    v->work += (uint64_t)rect->width * (uint64_t)rect->height;
    return v->work <= v->work_max;
}

static void widen(struct tdm_screen_rect *around, const struct tdm_screen_rect *rect)
{
    int right = around->x + around->width, bottom = around->y + around->height;

    if (!around->width) {
        *around = *rect;
        return;
    }
    if (rect->x + rect->width > right)
        right = rect->x + rect->width;
    if (rect->y + rect->height > bottom)
        bottom = rect->y + rect->height;
    around->x = rect->x < around->x ? rect->x : around->x;
    around->y = rect->y < around->y ? rect->y : around->y;
    around->width = right - around->x;
    around->height = bottom - around->y;
}

static void touch(struct tdm_screen_seen_surface *s, const struct tdm_screen_rect *rect)
{
    int right = (rect->x + rect->width - 1) / TDM_SCREEN_TILE;
    int bottom = (rect->y + rect->height - 1) / TDM_SCREEN_TILE;

    for (int y = rect->y / TDM_SCREEN_TILE; y <= bottom; y++)
        for (int x = rect->x / TDM_SCREEN_TILE; x <= right; x++)
            s->touched[y * s->tiles_x + x] |= BY_THIS;
    widen(&s->around, rect);
}

static enum tdm_err wipe(struct tdm_screen_view *v, struct tdm_reader *r)
{
    struct tdm_screen_seen_surface *s = v->open;
    uint64_t runs = tdm_screen_read_number(r), tiles = (uint64_t)s->tiles_x * (uint64_t)s->tiles_y;

    for (uint64_t i = 0, at = 0; r->ok && i < runs; i++) {
        uint64_t skip = tdm_screen_read_number(r), count = tdm_screen_read_number(r);

        if (!r->ok || skip > tiles - at || count > tiles - at - skip || !count)
            return TDM_E_MALFORMED;
        for (at += skip; count; count--, at++) {
            struct tdm_screen_rect rect = tile_rect(s, at);

            if (!may_work(v, &rect))
                return TDM_E_MALFORMED;
            tdm_screen_fill(&s->seen, &rect, 0);
            touch(s, &rect);
        }
    }
    return TDM_OK;
}

/* One tile into its slot, or out of it; at the surface's edge it is smaller than the slot. */
static enum tdm_err move_tile(struct tdm_screen_view *v, enum tdm_screen_op op, uint64_t tile,
                              uint64_t slot)
{
    struct tdm_screen_seen_surface *s = v->open;
    struct tdm_screen_rect rect = tile_rect(s, tile);
    const ptrdiff_t stride = (ptrdiff_t)TDM_SCREEN_TILE * 4;

    if (!may_work(v, &rect))
        return TDM_E_MALFORMED;
    struct tdm_screen_image kept = {v->cache + slot * TDM_SCREEN_TILE_BYTES, stride,
                                    TDM_SCREEN_TILE, TDM_SCREEN_TILE};

    if (op == TDM_SCREEN_OP_PUT) {
        struct tdm_screen_rect all = {0, 0, rect.width, rect.height};
        struct tdm_screen_source source = tdm_screen_source_of(&s->seen, &rect);

        tdm_screen_put(&kept, &all, &source);
        v->filled[slot] = 1;
    } else if (!v->filled[slot]) {
        return TDM_E_MALFORMED;
    } else {
        struct tdm_screen_source source = {kept.pixels, stride};

        tdm_screen_put(&s->seen, &rect, &source);
        touch(s, &rect);
    }
    return TDM_OK;
}

static enum tdm_err move_tiles(struct tdm_screen_view *v, enum tdm_screen_op op,
                               struct tdm_reader *r)
{
    uint64_t runs = tdm_screen_read_number(r), at = 0;
    uint64_t tiles = (uint64_t)v->open->tiles_x * (uint64_t)v->open->tiles_y;
    int64_t slot = 0;

    for (uint64_t i = 0; r->ok && i < runs; i++) {
        uint64_t skip = tdm_screen_read_number(r);
        int64_t delta = tdm_screen_read_signed(r);
        uint64_t count = tdm_screen_read_number(r);
        int64_t slots = (int64_t)v->cache_tiles;

        if (!r->ok || skip > tiles - at || count > tiles - at - skip || !count || delta > slots ||
            delta < -slots)
            return TDM_E_MALFORMED;
        at += skip;
        slot += delta;
        if (slot < 0 || slot > slots || count > (uint64_t)(slots - slot))
            return TDM_E_MALFORMED;
        for (; count; count--, at++, slot++)
            if (move_tile(v, op, at, (uint64_t)slot))
                return TDM_E_MALFORMED;
    }
    return TDM_OK;
}

/* The sources of all copies are what was there before the first of them. */
static enum tdm_err copy(struct tdm_screen_view *v, struct tdm_reader *r)
{
    struct tdm_screen_seen_surface *s = v->open;
    struct tdm_reader again = *r;

    for (int pass = 0; pass < 2; pass++) {
        struct tdm_reader *in = pass ? &again : r;
        uint64_t vectors = tdm_screen_read_number(in);

        if (vectors > TDM_SCREEN_VECTORS)
            return TDM_E_MALFORMED;
        for (uint64_t i = 0; in->ok && i < vectors; i++) {
            int64_t dx = tdm_screen_read_signed(in), dy = tdm_screen_read_signed(in);
            uint64_t count = tdm_screen_read_number(in);

            for (uint64_t k = 0; in->ok && k < count; k++) {
                struct tdm_screen_rect cells = tdm_screen_read_cells(in, s->columns, s->rows);
                struct tdm_screen_rect rect =
                    tdm_screen_pixels_of(&cells, s->seen.width, s->seen.height);

                if (!in->ok || dx > rect.x || dy > rect.y ||
                    dx < rect.x + rect.width - s->seen.width ||
                    dy < rect.y + rect.height - s->seen.height || !may_work(v, &rect))
                    return TDM_E_MALFORMED;
                struct tdm_screen_source source = {
                    pass ? tdm_screen_at(&s->before, rect.x, rect.y)
                         : tdm_screen_at(&s->seen, rect.x - (int)dx, rect.y - (int)dy),
                    s->seen.stride};

                tdm_screen_put(pass ? &s->seen : &s->before, &rect, &source);
                touch(s, &rect);
                if (pass && v->moved_count < TDM_SCREEN_MOVES_MAX)
                    v->moved[v->moved_count++] =
                        (struct tdm_screen_move){v->frame_id, s->desc.id, (int)dx, (int)dy, rect};
            }
        }
    }
    return TDM_OK;
}

static enum tdm_err fill(struct tdm_screen_view *v, struct tdm_reader *r)
{
    struct tdm_screen_seen_surface *s = v->open;
    uint32_t colour = tdm_read_u24(r);
    struct tdm_screen_rect cells = tdm_screen_read_cells(r, s->columns, s->rows);
    struct tdm_screen_rect rect = tdm_screen_pixels_of(&cells, s->seen.width, s->seen.height);

    if (!r->ok || !may_work(v, &rect))
        return TDM_E_MALFORMED;
    tdm_screen_fill(&s->seen, &rect, colour);
    touch(s, &rect);
    return TDM_OK;
}

static enum tdm_err video(struct tdm_screen_view *v, struct tdm_reader *r)
{
    const struct tdm_screen_seen_surface *s = v->open;
    uint8_t first = tdm_read_u8(r), stream = first & 0x0f;

    if (!r->ok || stream >= TDM_SCREEN_VIDEOS_MAX)
        return TDM_E_MALFORMED;
    v->next_videos_told = true;
    v->next_videos_used &= ~(1u << stream);
    if (!(first & 0x10))
        return TDM_OK;
    struct tdm_screen_rect cells = tdm_screen_read_cells(r, s->columns, s->rows);

    v->next_videos_used |= 1u << stream;
    v->next_videos[stream] = (struct tdm_screen_video){
        .stream = stream,
        .surface = s->desc.id,
        .rect = tdm_screen_pixels_of(&cells, s->seen.width, s->seen.height),
        .frame_id = v->frame_id,
    };
    return r->ok ? TDM_OK : TDM_E_MALFORMED;
}

static enum tdm_err pixels(struct tdm_screen_view *v, enum tdm_screen_coder coder,
                           struct tdm_reader *r)
{
    struct tdm_screen_seen_surface *s = v->open;
    struct tdm_screen_group group = {.coder = coder};
    uint64_t count = tdm_screen_read_number(r), area = 0;

    if (count > TDM_SCREEN_GROUP_RECTS || !count)
        return TDM_E_MALFORMED;
    group.count = (int)count;
    for (uint64_t i = 0; i < count; i++) {
        struct tdm_screen_rect cells = tdm_screen_read_cells(r, s->columns, s->rows);

        area += (uint64_t)cells.width * (uint64_t)cells.height;
        group.rects[i] = tdm_screen_pixels_of(&cells, s->seen.width, s->seen.height);
        if (!r->ok || !may_work(v, &group.rects[i]))
            return TDM_E_MALFORMED;
        touch(s, &group.rects[i]);
    }
    size_t size = (size_t)tdm_screen_read_number(r);
    const uint8_t *data = tdm_read_bytes(r, size);

    if (!data || area * TDM_SCREEN_CELL * TDM_SCREEN_CELL > TDM_SCREEN_GROUP_AREA)
        return TDM_E_MALFORMED;
    return tdm_screen_coders_decode(v->coders, &group, &s->seen, data, size);
}

static bool in_order(struct tdm_screen_view *v, enum tdm_screen_stage stage)
{
    if (stage < v->stage || (stage == TDM_SCREEN_COPYING && stage == v->stage))
        return false;
    v->stage = stage;
    return true;
}

static enum tdm_err operation(struct tdm_screen_view *v, uint8_t op, struct tdm_reader *r)
{
    switch (op) {
    case TDM_SCREEN_OP_WIPE:
        return in_order(v, TDM_SCREEN_WIPING) ? wipe(v, r) : TDM_E_MALFORMED;
    case TDM_SCREEN_OP_PUT:
        return in_order(v, TDM_SCREEN_KEEPING) ? move_tiles(v, op, r) : TDM_E_MALFORMED;
    case TDM_SCREEN_OP_COPY:
        return in_order(v, TDM_SCREEN_COPYING) ? copy(v, r) : TDM_E_MALFORMED;
    case TDM_SCREEN_OP_REF:
        return in_order(v, TDM_SCREEN_DRAWING) ? move_tiles(v, op, r) : TDM_E_MALFORMED;
    case TDM_SCREEN_OP_FILL:
        return in_order(v, TDM_SCREEN_DRAWING) ? fill(v, r) : TDM_E_MALFORMED;
    case TDM_SCREEN_OP_VIDEO:
        return video(v, r);
    default:
        if (op < TDM_SCREEN_OP_PIXELS || op >= TDM_SCREEN_OP_PIXELS + TDM_SCREEN_CODERS ||
            !in_order(v, TDM_SCREEN_DRAWING))
            return TDM_E_MALFORMED;
        return pixels(v, (enum tdm_screen_coder)(op - TDM_SCREEN_OP_PIXELS), r);
    }
}

static uint64_t hash_touched(const struct tdm_screen_view *v,
                             const struct tdm_screen_seen_surface *s)
{
    uint64_t hash = v->hash_seed;

    for (int i = 0; i < s->tiles_x * s->tiles_y; i++) {
        if (!(s->touched[i] & BY_THIS))
            continue;
        struct tdm_screen_rect rect = tile_rect(s, (uint64_t)i);
        struct tdm_tile tile = {tdm_screen_at(&s->seen, rect.x, rect.y), s->seen.stride, rect.width,
                                rect.height};

        hash = tdm_screen_hash_join(hash, tdm_tile_hash_keyed(&tile, v->hash_seed));
    }
    return hash;
}

static int run_of(const struct tdm_screen_seen_surface *s, int tile)
{
    int run = 1;

    while ((tile + run) % s->tiles_x && s->touched[tile + run])
        run++;
    return run;
}

static void add_rect(struct tdm_screen_view_out *out, const struct tdm_screen_rect *rect)
{
    struct tdm_screen_rect *last = out->rect_count ? &out->rects[out->rect_count - 1] : NULL;

    if (last && last->x == rect->x && last->width == rect->width &&
        last->y + last->height == rect->y) {
        last->height += rect->height;
        return;
    }
    if (out->rect_count < TDM_SCREEN_RECTS_MAX) {
        out->rects[out->rect_count++] = *rect;
        return;
    }
    widen(last, rect);
}

/* Of whole tiles what lies in what was touched: a letter is not shown as a tile. */
static void clip(struct tdm_screen_rect *rect, const struct tdm_screen_rect *around)
{
    int right = rect->x + rect->width, bottom = rect->y + rect->height;

    if (around->x + around->width < right)
        right = around->x + around->width;
    if (around->y + around->height < bottom)
        bottom = around->y + around->height;
    rect->x = rect->x > around->x ? rect->x : around->x;
    rect->y = rect->y > around->y ? rect->y : around->y;
    rect->width = right - rect->x;
    rect->height = bottom - rect->y;
}

static void report(struct tdm_screen_view *v, struct tdm_screen_seen_surface *s, uint8_t flags,
                   struct tdm_screen_view_out *out)
{
    for (int i = 0, run; i < s->tiles_x * s->tiles_y; i += run) {
        run = 1;
        if (!s->touched[i])
            continue;
        run = run_of(s, i);
        struct tdm_screen_rect rect = tile_rect(s, (uint64_t)i);
        struct tdm_screen_rect end = tile_rect(s, (uint64_t)(i + run - 1));

        rect.width = end.x + end.width - rect.x;
        clip(&rect, &s->around);
        add_rect(out, &rect);
    }
    memset(s->touched, 0, (size_t)s->tiles_x * (size_t)s->tiles_y);
    s->around = (struct tdm_screen_rect){0, 0, 0, 0};
    if (v->next_videos_told) {
        memcpy(v->videos, v->next_videos, sizeof v->videos);
        v->videos_used = v->next_videos_used;
        out->videos_changed = true;
    }
    v->good_id = v->frame_id;
    v->stats.frames++;
    v->captures[v->frame_id % TDM_SCREEN_SHOWN_KEPT] = v->capture_time;
    out->event = TDM_SCREEN_VIEW_EV_FRAME;
    out->surface = s->desc.id;
    out->frame_id = v->frame_id;
    out->exact = flags & TDM_SCREEN_FRAME_EXACT;
    out->refinement = flags & TDM_SCREEN_FRAME_REFINE;
    out->capture_time = v->capture_time;
    out->moves = v->moved;
    out->move_count = v->moved_count;
}

static enum tdm_err begin(struct tdm_screen_view *v, struct tdm_screen_seen_surface *s,
                          struct tdm_reader *r)
{
    int64_t us = tdm_screen_read_signed(r);
    int64_t now_us = v->capture_time / TDM_US;

    if (v->open || !r->ok || us < -now_us || us > TDM_NEVER / TDM_US - now_us)
        return TDM_E_MALFORMED;
    v->open = s;
    v->frame_id++;
    v->capture_time = (now_us + us) * TDM_US;
    v->stage = TDM_SCREEN_WIPING;
    v->work = 0;
    v->work_max =
        WORK_MAX * (uint64_t)s->tiles_x * (uint64_t)s->tiles_y * TDM_SCREEN_TILE * TDM_SCREEN_TILE;
    v->next_videos_told = false;
    v->moved_count = 0;
    v->next_videos_used = v->videos_used;
    memcpy(v->next_videos, v->videos, sizeof v->videos);
    for (int i = 0; i < s->tiles_x * s->tiles_y; i++)
        s->touched[i] = s->touched[i] ? UNTOLD : 0;
    return TDM_OK;
}

enum tdm_err tdm_screen_view_frame(struct tdm_screen_view *v, struct tdm_reader *r,
                                   struct tdm_screen_view_out *out)
{
    uint8_t flags = tdm_read_u8(r);
    struct tdm_screen_seen_surface *s = &v->surfaces[flags & 0x0f];
    size_t proof = flags & TDM_SCREEN_FRAME_LAST ? 8 : 0;
    uint64_t work = flags & TDM_SCREEN_FRAME_FIRST ? 0 : v->work;

    if (!r->ok || !s->used || s->fresh || (flags & TDM_SCREEN_FRAME_FIRST && begin(v, s, r)) ||
        v->open != s || tdm_reader_left(r) < proof || (!proof && !tdm_reader_left(r)))
        return TDM_E_MALFORMED;
    while (tdm_reader_left(r) > proof) {
        uint8_t op = tdm_read_u8(r);

        if (operation(v, op, r) || !r->ok || tdm_reader_left(r) < proof)
            return TDM_E_MALFORMED;
    }
    out->work_pixels = v->work - work;
    if (!proof)
        return TDM_OK;
    v->open = NULL;
    if (tdm_read_u64(r) != hash_touched(v, s))
        return TDM_E_MALFORMED;
    v->faults -= v->faults > 0;
    report(v, s, flags, out);
    return TDM_OK;
}
