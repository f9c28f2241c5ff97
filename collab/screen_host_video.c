/* SPDX-License-Identifier: MIT */
/*
 * What moves like a video: tiles that change eight times a second and look like photographs when
 * they are coded. Cells of such tiles are watched one by one, so that the region ends where the
 * moving picture does and no letter beside it is lost.
 */
#include "collab/screen_host_state.h"
#include "engine/base/tile.h"

#include <string.h>

#define HOT_CHANGES 4 /* In a window of half a second. */
#define STILL       (TDM_S / 2)
#define WATCH_EVERY (100 * TDM_MS)
#define WIDTH_MIN   16 /* Cells. */
#define HEIGHT_MIN  12
#define SIDE        (TDM_SCREEN_TILE / TDM_SCREEN_CELL)

static bool is_hot(const struct tdm_screen_host_tile *tile, tdm_time now)
{
    return tile->changes_before >= HOT_CHANGES &&
           now - tile->window_at < 2 * TDM_SCREEN_RATE_WINDOW;
}

static void watch_cells(struct tdm_screen_host_surface *s, int tile, bool first)
{
    struct tdm_tile all = tdm_screen_tile_of(&s->next, tile);
    uint32_t *hashes = s->cell_hashes + (size_t)tile * SIDE * SIDE;

    for (int y = 0; y < all.height; y += TDM_SCREEN_CELL) {
        for (int x = 0; x < all.width; x += TDM_SCREEN_CELL) {
            int width = all.width - x, height = all.height - y;
            int at = y / TDM_SCREEN_CELL * SIDE + x / TDM_SCREEN_CELL;
            struct tdm_tile cell = {all.pixels + y * all.stride + (ptrdiff_t)x * 4, all.stride,
                                    width < TDM_SCREEN_CELL ? width : TDM_SCREEN_CELL,
                                    height < TDM_SCREEN_CELL ? height : TDM_SCREEN_CELL};
            uint32_t hash = (uint32_t)tdm_tile_hash(&cell);

            if (!first && hash != hashes[at])
                s->moving[tile] |= (uint64_t)1 << at;
            hashes[at] = hash;
        }
    }
}

void tdm_screen_host_changed(struct tdm_screen_host *h, struct tdm_screen_host_surface *s, int tile,
                             tdm_time now)
{
    struct tdm_screen_host_tile *t = &s->tiles[tile];
    bool hot = is_hot(t, now);

    if (!h->config.video)
        return;
    if (now - t->window_at >= TDM_SCREEN_RATE_WINDOW) {
        bool next = now - t->window_at < 2 * TDM_SCREEN_RATE_WINDOW;

        t->changes_before = next ? t->changes : 0;
        t->changes = 0;
        t->window_at = now;
    }
    if (t->changes < UINT16_MAX)
        t->changes++;
    if (is_hot(t, now))
        watch_cells(s, tile, !hot);
    else
        s->moving[tile] = 0;
    for (int i = 0; s->video.masks[tile] && i < TDM_SCREEN_VIDEOS_MAX; i++) {
        const struct tdm_screen_rect *c = &h->videos[i].cells;
        int x = tile % s->todo.tiles_x * SIDE, y = tile / s->todo.tiles_x * SIDE;

        if (h->videos[i].used && h->videos[i].video.surface == s->desc.id && x < c->x + c->width &&
            x + SIDE > c->x && y < c->y + c->height && y + SIDE > c->y)
            h->videos[i].moved_at = now;
    }
}

static bool takes_part(const struct tdm_screen_host_surface *s, int tile, tdm_time now)
{
    const struct tdm_screen_host_tile *t = &s->tiles[tile];

    return t->flags & TDM_SCREEN_TILE_PHOTO && is_hot(t, now) && s->moving[tile];
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int most(int a, int b)
{
    return a > b ? a : b;
}

static struct tdm_screen_rect joined(const struct tdm_screen_rect *a,
                                     const struct tdm_screen_rect *b)
{
    int x = least(a->x, b->x), y = least(a->y, b->y);
    int right = most(a->x + a->width, b->x + b->width);
    int bottom = most(a->y + a->height, b->y + b->height);

    return (struct tdm_screen_rect){x, y, right - x, bottom - y};
}

/* The cells of a tile that move, from the first to the last both ways. */
static struct tdm_screen_rect moving_cells(const struct tdm_screen_host_surface *s, int tile)
{
    struct tdm_screen_rect all = {0};

    for (uint64_t left = s->moving[tile]; left; left &= left - 1) {
        int bit = __builtin_ctzll(left);
        struct tdm_screen_rect cell = {tile % s->todo.tiles_x * SIDE + bit % SIDE,
                                       tile / s->todo.tiles_x * SIDE + bit / SIDE, 1, 1};

        all = all.width ? joined(&all, &cell) : cell;
    }
    return all;
}

/* Grows a rectangle of tiles over all that take part and touch it. False: it is the largest. */
static bool grow(const struct tdm_screen_host_surface *s, struct tdm_screen_rect *tiles,
                 struct tdm_screen_rect *cells, tdm_time now)
{
    struct tdm_screen_rect before = *tiles;
    int left = most(tiles->x - 1, 0), top = most(tiles->y - 1, 0);
    int right = least(tiles->x + tiles->width, s->todo.tiles_x - 1);
    int bottom = least(tiles->y + tiles->height, s->todo.tiles_y - 1);

    for (int y = top; y <= bottom; y++) {
        for (int x = left; x <= right; x++) {
            int tile = y * s->todo.tiles_x + x;
            struct tdm_screen_rect one = {x, y, 1, 1};

            if (!takes_part(s, tile, now))
                continue;
            struct tdm_screen_rect moving = moving_cells(s, tile);

            *tiles = joined(tiles, &one);
            *cells = joined(cells, &moving);
        }
    }
    return tiles->width != before.width || tiles->height != before.height;
}

static bool meets(const struct tdm_screen_rect *a, const struct tdm_screen_rect *b)
{
    return a->x <= b->x + b->width && b->x <= a->x + a->width && a->y <= b->y + b->height &&
           b->y <= a->y + a->height;
}

/* A region that the new one belongs to, or a free place. */
static struct tdm_screen_host_video *place_of(struct tdm_screen_host *h, int surface,
                                              const struct tdm_screen_rect *cells)
{
    struct tdm_screen_host_video *free_place = NULL;

    for (int i = 0; i < TDM_SCREEN_VIDEOS_MAX; i++) {
        struct tdm_screen_host_video *v = &h->videos[i];

        if (!v->used && !v->tell)
            free_place = free_place ? free_place : v;
        else if (v->used && v->video.surface == surface && meets(&v->cells, cells))
            return v;
    }
    return free_place;
}

static void begin(struct tdm_screen_host *h, struct tdm_screen_host_surface *s,
                  const struct tdm_screen_rect *cells, tdm_time now)
{
    struct tdm_screen_host_video *v = place_of(h, s->desc.id, cells);

    if (!v)
        return;
    v->cells = v->used ? joined(&v->cells, cells) : *cells;
    v->used = v->tell = true;
    v->gone = false;
    v->moved_at = now;
    v->video = (struct tdm_screen_video){
        .stream = (uint8_t)(v - h->videos),
        .surface = s->desc.id,
        .rect = tdm_screen_pixels_of(&v->cells, s->seen.width, s->seen.height),
    };
    tdm_screen_cells_set(&s->video, &v->cells);
    h->tell_videos = true;
}

static void look_for_more(struct tdm_screen_host *h, struct tdm_screen_host_surface *s,
                          tdm_time now)
{
    for (int i = 0; i < s->tile_count; i++) {
        struct tdm_screen_rect tiles = {i % s->todo.tiles_x, i / s->todo.tiles_x, 1, 1};

        if (!takes_part(s, i, now) || !(s->moving[i] & ~s->video.masks[i]))
            continue;
        struct tdm_screen_rect cells = moving_cells(s, i);

        while (grow(s, &tiles, &cells, now))
            continue;
        if (cells.width >= WIDTH_MIN && cells.height >= HEIGHT_MIN) {
            begin(h, s, &cells, now);
            return; /* One at a time: the next look finds the next. */
        }
    }
}

static void end(struct tdm_screen_host *h, struct tdm_screen_host_surface *s,
                struct tdm_screen_host_video *v)
{
    v->used = v->gone = false;
    v->tell = h->tell_videos = true;
    tdm_screen_cells_clear(&s->video, &v->cells);
    for (int i = 0; i < TDM_SCREEN_VIDEOS_MAX; i++)
        if (h->videos[i].used && h->videos[i].video.surface == s->desc.id)
            tdm_screen_cells_set(&s->video, &h->videos[i].cells);
    for (int y = v->cells.y / SIDE; y * SIDE < v->cells.y + v->cells.height; y++) {
        for (int x = v->cells.x / SIDE; x * SIDE < v->cells.x + v->cells.width; x++) {
            struct tdm_screen_host_tile *tile = &s->tiles[y * s->todo.tiles_x + x];

            s->dirty_count += !(tile->flags & TDM_SCREEN_TILE_DIRTY);
            tile->flags |= TDM_SCREEN_TILE_DIRTY;
            tile->changes_before = tile->changes = 0;
        }
    }
}

void tdm_screen_host_watch(struct tdm_screen_host *h, struct tdm_screen_host_surface *s,
                           tdm_time now)
{
    if (!h->config.video || now < s->watch_at || h->open == s)
        return;
    s->watch_at = now + WATCH_EVERY;
    for (int i = 0; i < TDM_SCREEN_VIDEOS_MAX; i++) {
        struct tdm_screen_host_video *v = &h->videos[i];

        if (v->used && v->video.surface == s->desc.id && (v->gone || now - v->moved_at >= STILL))
            end(h, s, v);
    }
    look_for_more(h, s, now);
}

void tdm_screen_host_tell_videos(struct tdm_screen_host *h, struct tdm_screen_host_surface *s,
                                 struct tdm_writer *w)
{
    bool left = false;

    for (int i = 0; i < TDM_SCREEN_VIDEOS_MAX; i++) {
        struct tdm_screen_host_video *v = &h->videos[i];

        if (v->tell && v->video.surface != s->desc.id)
            left = true;
        if (!v->tell || v->video.surface != s->desc.id)
            continue;
        tdm_write_u8(w, TDM_SCREEN_OP_VIDEO);
        tdm_write_u8(w, (uint8_t)(i | (v->used ? 0x10 : 0)));
        if (v->used)
            tdm_screen_write_cells(w, &v->cells);
        v->video.frame_id = h->frame_id;
        v->tell = false;
        h->videos_news = true;
    }
    h->tell_videos = left;
}

tdm_time tdm_screen_host_video_wake(const struct tdm_screen_host *h)
{
    tdm_time at = TDM_NEVER;

    for (int i = 0; i < TDM_SCREEN_VIDEOS_MAX; i++) {
        const struct tdm_screen_host_video *v = &h->videos[i];

        /* With a frame open the next pull looks. */
        if (v->used && h->open != &h->surfaces[v->video.surface])
            at = tdm_time_min(
                at, tdm_time_max(v->moved_at + STILL, h->surfaces[v->video.surface].watch_at));
    }
    return at;
}

uint32_t tdm_screen_host_videos(const struct tdm_screen_host *h,
                                struct tdm_screen_video videos[TDM_SCREEN_VIDEOS_MAX])
{
    uint32_t count = 0;

    for (int i = 0; i < TDM_SCREEN_VIDEOS_MAX; i++)
        if (h->videos[i].used && !h->videos[i].tell)
            videos[count++] = h->videos[i].video;
    return count;
}
