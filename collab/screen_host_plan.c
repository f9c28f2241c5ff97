/* SPDX-License-Identifier: MIT */
/* What of a frame need not be coded: it is one colour, was shown before, or has moved. */
#include "collab/screen_host_state.h"
#include "engine/base/tile.h"

#include <string.h>

#define PUT_CELLS  8              /* Of a tile that change before what was there is kept. */
#define PUT_AGE    (250 * TDM_MS) /* What was there only for a moment is not worth keeping. */
#define COPY_CELLS 3              /* Fewer are coded sooner than told. */

int tdm_screen_host_verify(struct tdm_screen_host *h, struct tdm_screen_host_surface *s, int *tiles)
{
    int cells = 0;

    *tiles = 0;
    for (int i = 0; i < s->tile_count && s->dirty_count; i++) {
        struct tdm_screen_host_tile *tile = &s->tiles[i];

        if (!(tile->flags & TDM_SCREEN_TILE_DIRTY))
            continue;
        tile->flags &= (uint8_t)~TDM_SCREEN_TILE_DIRTY;
        s->dirty_count--;
        struct tdm_tile next = tdm_screen_tile_of(&s->next, i);
        struct tdm_tile seen = tdm_screen_tile_of(&s->seen, i);

        s->todo.masks[i] = tdm_tile_cells(&next, &seen) & ~s->video.masks[i];
        if (!s->todo.masks[i])
            continue;
        cells += __builtin_popcountll(s->todo.masks[i]);
        ++*tiles;
    }
    (void)h;
    return cells;
}

/* Runs of tiles beside each other in slots beside each other. */
static void write_places(struct tdm_writer *w, enum tdm_screen_op op,
                         const struct tdm_screen_place *places, uint32_t count)
{
    uint32_t runs = 0, tile = 0, slot = 0;

    for (uint32_t i = 0; i < count; i++)
        runs += !i || places[i].tile != places[i - 1].tile + 1 ||
                places[i].slot != places[i - 1].slot + 1;
    tdm_write_u8(w, (uint8_t)op);
    tdm_screen_write_number(w, runs);
    for (uint32_t i = 0, length; i < count; i += length) {
        length = 1;
        while (i + length < count && places[i + length].tile == places[i].tile + length &&
               places[i + length].slot == places[i].slot + length)
            length++;
        tdm_screen_write_number(w, places[i].tile - tile);
        tdm_screen_write_signed(w, (int64_t)places[i].slot - slot);
        tdm_screen_write_number(w, length);
        tile = places[i].tile + length;
        slot = places[i].slot + length;
    }
}

static struct tdm_screen_rect cells_of(const struct tdm_screen_host_surface *s, int tile,
                                       int columns, int rows)
{
    const int side = TDM_SCREEN_TILE / TDM_SCREEN_CELL;
    struct tdm_screen_rect rect = {tile % s->todo.tiles_x * side, tile / s->todo.tiles_x * side,
                                   columns * side, rows * side};

    if (rect.width > s->todo.columns - rect.x)
        rect.width = s->todo.columns - rect.x;
    if (rect.height > s->todo.rows - rect.y)
        rect.height = s->todo.rows - rect.y;
    return rect;
}

/* The viewer will have the new pixels there. */
static void settle(struct tdm_screen_host_surface *s, const struct tdm_screen_rect *cells)
{
    struct tdm_screen_rect rect = tdm_screen_pixels_of(cells, s->seen.width, s->seen.height);
    struct tdm_screen_source source = tdm_screen_source_of(&s->next, &rect);

    tdm_screen_put(&s->seen, &rect, &source);
    tdm_screen_cells_clear(&s->todo, cells);
    tdm_screen_cells_clear(&s->owed, cells);
    tdm_screen_host_touch(s, cells);
}

static bool same_colour(const struct tdm_screen_host_surface *s, int tile, int columns,
                        uint32_t colour)
{
    for (int i = 0; i < columns; i++)
        if (s->colours[tile + i] != colour)
            return false;
    return true;
}

/* Tiles that are one colour, as rectangles. The others' colour is NO_COLOUR. */
static void fill(struct tdm_screen_host *h, struct tdm_screen_host_surface *s, struct tdm_writer *w)
{
    for (int i = 0; i < s->tile_count; i++) {
        uint32_t colour = s->colours[i];
        int x = i % s->todo.tiles_x, y = i / s->todo.tiles_x, columns = 1, rows = 1;

        if (colour == TDM_SCREEN_NO_COLOUR || !s->todo.masks[i])
            continue;
        while (x + columns < s->todo.tiles_x && s->colours[i + columns] == colour)
            columns++;
        while (y + rows < s->todo.tiles_y &&
               same_colour(s, i + rows * s->todo.tiles_x, columns, colour))
            rows++;
        for (int k = 0; k < columns * rows; k++)
            s->colours[i + k / columns * s->todo.tiles_x + k % columns] = TDM_SCREEN_NO_COLOUR;
        struct tdm_screen_rect cells = cells_of(s, i, columns, rows);

        tdm_write_u8(w, TDM_SCREEN_OP_FILL);
        tdm_write_u24(w, colour);
        tdm_screen_write_cells(w, &cells);
        settle(s, &cells);
        h->stats.pixels_filled +=
            (uint64_t)cells.width * (uint64_t)cells.height * TDM_SCREEN_CELL * TDM_SCREEN_CELL;
    }
}

/* The colours of solid tiles, the places of those that the viewer keeps. These may turn out to have
 * moved, too: that is as cheap, and who follows what moves learns of it. */
static uint32_t look_up(struct tdm_screen_host *h, struct tdm_screen_host_surface *s,
                        struct tdm_screen_place *found)
{
    uint32_t count = 0;

    for (int i = 0; i < s->tile_count; i++) {
        const struct tdm_screen_host_tile *tile = &s->tiles[i];
        struct tdm_screen_rect rect = cells_of(s, i, 1, 1);

        s->colours[i] = TDM_SCREEN_NO_COLOUR;
        s->tiles[i].cached = false;
        if (!s->todo.masks[i] || tile->flags & TDM_SCREEN_TILE_TRIED || s->video.masks[i])
            continue;
        rect = tdm_screen_pixels_of(&rect, s->seen.width, s->seen.height);
        struct tdm_screen_source source = tdm_screen_source_of(&s->next, &rect);
        uint32_t colour;

        if (tdm_screen_solid(&rect, &source, &colour)) {
            s->colours[i] = colour;
            continue;
        }
        if (!tdm_screen_cache_may_have(h->cache, tile->seen_hash))
            continue;
        struct tdm_tile pixels = tdm_screen_tile_of(&s->next, i);
        uint32_t slot = tdm_screen_cache_find(
            h->cache, tile->seen_hash, tdm_tile_hash_keyed(&pixels, h->second_seed), h->frame_id);

        if (slot == TDM_SCREEN_NO_SLOT)
            continue;
        found[count++] = (struct tdm_screen_place){(uint32_t)i, slot};
        s->tiles[i].cached = true;
    }
    return count;
}

/* What has not moved after all comes out of the cache. @return how many those are. */
static uint32_t left_of(struct tdm_screen_host_surface *s, struct tdm_screen_place *found,
                        uint32_t count)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (s->todo.masks[found[i].tile])
            found[left++] = found[i];
        s->todo.masks[found[i].tile] = 0;
    }
    return left;
}

/* Tiles that go away after they were there for a while. */
static uint32_t keep(struct tdm_screen_host *h, struct tdm_screen_host_surface *s, tdm_time now,
                     struct tdm_screen_place *kept)
{
    uint32_t count = 0;

    if (!tdm_screen_cache_slots(h->cache))
        return 0;
    for (int i = 0; i < s->tile_count; i++) {
        const struct tdm_screen_host_tile *tile = &s->tiles[i];
        uint32_t colour;

        if (__builtin_popcountll(s->todo.masks[i]) < PUT_CELLS || s->owed.masks[i] ||
            now - tile->coded_at < PUT_AGE)
            continue;
        struct tdm_screen_rect rect = cells_of(s, i, 1, 1);

        rect = tdm_screen_pixels_of(&rect, s->seen.width, s->seen.height);
        struct tdm_screen_source source = tdm_screen_source_of(&s->seen, &rect);

        if (tdm_screen_solid(&rect, &source, &colour))
            continue;
        struct tdm_tile pixels = tdm_screen_tile_of(&s->seen, i);
        uint64_t second = tdm_tile_hash_keyed(&pixels, h->second_seed);

        if (tdm_screen_cache_find(h->cache, tile->sent_hash, second, h->frame_id) !=
            TDM_SCREEN_NO_SLOT)
            continue;
        uint32_t slot = tdm_screen_cache_put(h->cache, tile->sent_hash, second, h->frame_id);

        if (slot == TDM_SCREEN_NO_SLOT)
            break;
        kept[count++] = (struct tdm_screen_place){(uint32_t)i, slot};
    }
    return count;
}

static int find_vectors(struct tdm_screen_host_surface *s,
                        struct tdm_screen_vector vectors[TDM_SCREEN_VECTORS])
{
    const int tiles_x = s->todo.tiles_x;

    tdm_screen_moves_begin(s->moves);
    for (int i = 0; i < s->tile_count; i++) {
        struct tdm_tile pixels = tdm_screen_tile_of(&s->seen, i);

        if (!(s->tiles[i].flags & TDM_SCREEN_TILE_ANCHORS))
            tdm_screen_anchors_find(&s->anchors[i], pixels.pixels, pixels.stride, pixels.width,
                                    pixels.height);
        s->tiles[i].flags |= TDM_SCREEN_TILE_ANCHORS;
        tdm_screen_moves_old(s->moves, &s->anchors[i], i % tiles_x * TDM_SCREEN_TILE,
                             i / tiles_x * TDM_SCREEN_TILE);
    }
    for (int i = 0; i < s->tile_count; i++) {
        struct tdm_tile pixels = tdm_screen_tile_of(&s->next, i);

        if (!s->todo.masks[i] || s->tiles[i].flags & TDM_SCREEN_TILE_TRIED)
            continue;
        /* In the place of the old ones: they are what will have been sent. */
        tdm_screen_anchors_find(&s->anchors[i], pixels.pixels, pixels.stride, pixels.width,
                                pixels.height);
        s->tiles[i].flags |= TDM_SCREEN_TILE_FRESH;
        tdm_screen_moves_vote(s->moves, &s->anchors[i], i % tiles_x * TDM_SCREEN_TILE,
                              i / tiles_x * TDM_SCREEN_TILE);
    }
    return tdm_screen_moves_best(s->moves, vectors, TDM_SCREEN_VECTORS);
}

static bool moved(const struct tdm_screen_host_surface *s, const struct tdm_screen_vector *v, int x,
                  int y, int width, int height)
{
    int from_x = x - v->dx, from_y = y - v->dy;

    if (from_x < 0 || from_y < 0 || from_x + width > s->seen.width ||
        from_y + height > s->seen.height)
        return false;
    struct tdm_tile now = {tdm_screen_at(&s->next, x, y), s->next.stride, width, height};
    struct tdm_tile then = {tdm_screen_at(&s->seen, from_x, from_y), s->seen.stride, width, height};

    return tdm_tile_equal(&now, &then);
}

/* Which of a tile's cells are where the vector says, also those that are right already: a rectangle
 * may take them in. */
static uint64_t moved_cells(const struct tdm_screen_host_surface *s,
                            const struct tdm_screen_vector *v, int tile)
{
    struct tdm_tile all = tdm_screen_tile_of(&s->next, tile);
    int x = tile % s->todo.tiles_x * TDM_SCREEN_TILE, y = tile / s->todo.tiles_x * TDM_SCREEN_TILE;
    uint64_t cells = 0, wanted = tdm_screen_cells_whole(&s->todo, tile) & ~s->video.masks[tile];

    if (moved(s, v, x, y, all.width, all.height))
        return wanted;
    if (s->tiles[tile].cached)
        return 0;
    for (uint64_t left = wanted; left; left &= left - 1) {
        int bit = __builtin_ctzll(left), cx = x + bit % 8 * TDM_SCREEN_CELL;
        int cy = y + bit / 8 * TDM_SCREEN_CELL;
        int width = s->seen.width - cx, height = s->seen.height - cy;

        if (moved(s, v, cx, cy, width < TDM_SCREEN_CELL ? width : TDM_SCREEN_CELL,
                  height < TDM_SCREEN_CELL ? height : TDM_SCREEN_CELL))
            cells |= (uint64_t)1 << bit;
    }
    return cells;
}

/* The tiles around all that is to do. */
static struct tdm_screen_rect tiles_to_do(const struct tdm_screen_host_surface *s)
{
    int left = s->todo.tiles_x, right = 0, top = s->todo.tiles_y, bottom = 0;

    for (int i = 0; i < s->tile_count; i++) {
        int x = i % s->todo.tiles_x, y = i / s->todo.tiles_x;

        if (!s->todo.masks[i])
            continue;
        left = x < left ? x : left;
        right = x >= right ? x + 1 : right;
        top = y < top ? y : top;
        bottom = y + 1;
    }
    return (struct tdm_screen_rect){left, top, right - left, bottom - top};
}

static void collect_copies(struct tdm_screen_host *h, struct tdm_screen_host_surface *s,
                           const struct tdm_screen_vector *v, int vector)
{
    struct tdm_screen_rect around = tiles_to_do(s), rect;
    int from = 0;

    memset(s->work.masks, 0, (size_t)s->tile_count * sizeof *s->work.masks);
    for (int y = around.y; y < around.y + around.height; y++) {
        for (int x = around.x; x < around.x + around.width; x++) {
            int tile = y * s->todo.tiles_x + x;

            if (!(s->tiles[tile].flags & TDM_SCREEN_TILE_TRIED))
                s->work.masks[tile] = moved_cells(s, v, tile);
        }
    }
    while (h->copy_count < TDM_SCREEN_COPIES_MAX &&
           tdm_screen_cells_find_within(&s->todo, &s->work, &from, &rect)) {
        if (tdm_screen_cells_count(&s->todo, &rect) < COPY_CELLS) {
            tdm_screen_cells_clear(&s->work, &rect);
            continue;
        }
        h->copies[h->copy_count++] = (struct tdm_screen_copy){rect, vector};
        tdm_screen_cells_clear(&s->todo, &rect);
    }
}

static void write_copies(struct tdm_screen_host *h, const struct tdm_screen_vector *vectors,
                         int count, struct tdm_writer *w)
{
    tdm_write_u8(w, TDM_SCREEN_OP_COPY);
    tdm_screen_write_number(w, (uint64_t)count);
    for (int v = 0, at = 0, end; v < count; v++, at = end) {
        for (end = at; end < h->copy_count && h->copies[end].vector == v;)
            end++;
        tdm_screen_write_signed(w, vectors[v].dx);
        tdm_screen_write_signed(w, vectors[v].dy);
        tdm_screen_write_number(w, (uint64_t)(end - at));
        for (int i = at; i < end; i++)
            tdm_screen_write_cells(w, &h->copies[i].cells);
    }
}

/* For whoever follows what moves (collab/board_anchor.h). */
static void tell_moves(struct tdm_screen_host *h, const struct tdm_screen_host_surface *s,
                       const struct tdm_screen_vector *vectors)
{
    for (int i = 0; i < h->copy_count; i++)
        h->moved[i] = (struct tdm_screen_move){
            .frame_id = h->frame_id,
            .surface = s->desc.id,
            .dx = vectors[h->copies[i].vector].dx,
            .dy = vectors[h->copies[i].vector].dy,
            .to = tdm_screen_pixels_of(&h->copies[i].cells, s->seen.width, s->seen.height)};
    h->moved_count = (uint32_t)h->copy_count;
}

void tdm_screen_host_plan(struct tdm_screen_host *h, struct tdm_screen_host_surface *s,
                          tdm_time now, struct tdm_writer *w)
{
    struct tdm_screen_vector vectors[TDM_SCREEN_VECTORS];
    struct tdm_screen_place *found = s->places;
    uint32_t found_count = look_up(h, s, found);
    struct tdm_screen_place *kept = s->places + s->tile_count;
    uint32_t kept_count = keep(h, s, now, kept);
    uint8_t *start = w->at;

    if (kept_count)
        write_places(w, TDM_SCREEN_OP_PUT, kept, kept_count);
    h->copy_count = 0;
    int count = find_vectors(s, vectors);

    for (int v = 0; v < count; v++)
        collect_copies(h, s, &vectors[v], v);
    found_count = left_of(s, found, found_count);
    if (h->copy_count)
        write_copies(h, vectors, count, w);
    tell_moves(h, s, vectors);
    h->stats.bytes_copy += (uint64_t)(w->at - start);
    for (int i = 0; i < h->copy_count; i++) {
        settle(s, &h->copies[i].cells);
        h->stats.pixels_moved +=
            (uint64_t)h->copies[i].cells.width * (uint64_t)h->copies[i].cells.height * 64;
    }
    start = w->at;
    if (found_count)
        write_places(w, TDM_SCREEN_OP_REF, found, found_count);
    h->stats.bytes_cache += (uint64_t)(w->at - start);
    for (uint32_t i = 0; i < found_count; i++) {
        struct tdm_screen_rect cells = cells_of(s, (int)found[i].tile, 1, 1);

        settle(s, &cells);
        h->stats.pixels_cached += (uint64_t)TDM_SCREEN_TILE * TDM_SCREEN_TILE;
    }
    fill(h, s, w);
    for (int i = 0; i < s->tile_count; i++)
        if (s->todo.masks[i])
            s->tiles[i].flags |= TDM_SCREEN_TILE_TRIED;
}
