/* SPDX-License-Identifier: MIT */
/* The host core's memory, its inputs and what it says about itself. */
#include "collab/screen_host_state.h"
#include "engine/base/tile.h"

#include <string.h>

#define ALIGN 64

static size_t aligned(size_t size)
{
    return (size + ALIGN - 1) / ALIGN * ALIGN;
}

static uint32_t tiles_kept(const struct tdm_screen_host_config *config)
{
    return config->cache_tiles ? config->cache_tiles : TDM_SCREEN_CACHE_TILES;
}

size_t tdm_screen_host_bytes(const struct tdm_screen_host_config *config)
{
    return aligned(sizeof(struct tdm_screen_host)) +
           aligned(tdm_screen_cache_bytes(tiles_kept(config))) +
           aligned(tdm_screen_coders_bytes(true)) + aligned(TDM_SCREEN_OUT_BYTES) +
           TDM_SCREEN_CURSOR_SLOTS * TDM_SCREEN_CURSOR_BYTES;
}

static uint64_t word_of(const uint8_t *bytes)
{
    struct tdm_reader r = tdm_reader_of(bytes, 8);

    return tdm_read_u64(&r);
}

struct tdm_screen_host *
tdm_screen_host_init(void *storage, const struct tdm_screen_host_config *config, tdm_time now)
{
    struct tdm_screen_host *h = storage;
    uint8_t *at = (uint8_t *)storage + aligned(sizeof *h);

    (void)now;
    memset(h, 0, sizeof *h);
    h->config = *config;
    h->hash_seed = word_of(config->secret);
    h->second_seed = word_of(config->secret + 8);
    h->cache = tdm_screen_cache_init(at, tiles_kept(config));
    at += aligned(tdm_screen_cache_bytes(tiles_kept(config)));
    h->coders = tdm_screen_coders_init(at, true);
    at += aligned(tdm_screen_coders_bytes(true));
    h->room = at;
    h->cursor_pixels = at + aligned(TDM_SCREEN_OUT_BYTES);
    return h;
}

static size_t tiles_of(int width, int height)
{
    return (size_t)((width + TDM_SCREEN_TILE - 1) / TDM_SCREEN_TILE) *
           (size_t)((height + TDM_SCREEN_TILE - 1) / TDM_SCREEN_TILE);
}

size_t tdm_screen_host_surface_bytes(uint16_t width, uint16_t height)
{
    size_t tiles = tiles_of(width, height);

    return aligned((size_t)width * height * 4) + 4 * aligned(tiles * sizeof(uint64_t)) +
           aligned(tiles * sizeof(struct tdm_screen_host_tile)) +
           aligned(tiles * sizeof(struct tdm_screen_anchors)) +
           aligned(2 * tiles * sizeof(struct tdm_screen_place)) +
           aligned(tiles * sizeof(uint32_t)) + aligned(64 * tiles * sizeof(uint32_t)) +
           aligned(tiles * sizeof(uint64_t)) + aligned(tdm_screen_moves_bytes((int)tiles));
}

static void *cut(uint8_t **at, size_t size)
{
    void *piece = *at;

    *at += aligned(size);
    return piece;
}

static void begin_surface(struct tdm_screen_host_surface *s, const struct tdm_screen_shared *shared)
{
    int width = shared->surface.width, height = shared->surface.height;
    size_t tiles = tiles_of(width, height);
    uint8_t *at = shared->storage;

    memset(s, 0, sizeof *s);
    memset(at, 0, tdm_screen_host_surface_bytes(shared->surface.width, shared->surface.height));
    s->storage = shared->storage;
    s->tile_count = (int)tiles;
    s->seen = (struct tdm_screen_image){cut(&at, (size_t)width * (size_t)height * 4),
                                        (ptrdiff_t)width * 4, width, height};
    s->todo = tdm_screen_cells_of(cut(&at, tiles * sizeof(uint64_t)), width, height);
    s->owed = tdm_screen_cells_of(cut(&at, tiles * sizeof(uint64_t)), width, height);
    s->work = tdm_screen_cells_of(cut(&at, tiles * sizeof(uint64_t)), width, height);
    s->video = tdm_screen_cells_of(cut(&at, tiles * sizeof(uint64_t)), width, height);
    s->tiles = cut(&at, tiles * sizeof *s->tiles);
    s->anchors = cut(&at, tiles * sizeof *s->anchors);
    s->places = cut(&at, 2 * tiles * sizeof *s->places);
    s->colours = cut(&at, tiles * sizeof *s->colours);
    s->cell_hashes = cut(&at, 64 * tiles * sizeof *s->cell_hashes);
    s->moving = cut(&at, tiles * sizeof *s->moving);
    s->moves = tdm_screen_moves_init(at, (int)tiles);
    for (size_t i = 0; i < tiles; i++) {
        struct tdm_tile black = tdm_screen_tile_of(&s->seen, (int)i);

        s->tiles[i].sent_hash = tdm_tile_hash(&black);
        s->tiles[i].flags = TDM_SCREEN_TILE_WIPED;
    }
    s->wipes = true;
}

struct tdm_tile tdm_screen_tile_of(const struct tdm_screen_image *image, int tile)
{
    int across = (image->width + TDM_SCREEN_TILE - 1) / TDM_SCREEN_TILE;
    int x = tile % across * TDM_SCREEN_TILE, y = tile / across * TDM_SCREEN_TILE;
    int width = image->width - x, height = image->height - y;

    return (struct tdm_tile){tdm_screen_at(image, x, y), image->stride,
                             width < TDM_SCREEN_TILE ? width : TDM_SCREEN_TILE,
                             height < TDM_SCREEN_TILE ? height : TDM_SCREEN_TILE};
}

static const struct tdm_screen_shared *find(const struct tdm_screen_host_in *in, int id)
{
    for (uint32_t i = 0; i < in->count; i++)
        if (in->shared[i].surface.id == id)
            return &in->shared[i];
    return NULL;
}

static void end_videos(struct tdm_screen_host *h, int surface)
{
    for (int i = 0; i < TDM_SCREEN_VIDEOS_MAX; i++)
        if (h->videos[i].used && h->videos[i].video.surface == surface)
            h->videos[i] = (struct tdm_screen_host_video){0};
}

static void set_surfaces(struct tdm_screen_host *h, const struct tdm_screen_host_in *in)
{
    assert(in->count <= TDM_SCREEN_SURFACES_MAX);
    if (h->open)
        h->tell_start = true; /* A frame is cut off: the viewer forgets it. */
    tdm_screen_host_abandon(h);
    for (int id = 0; id < TDM_SCREEN_SURFACES_MAX; id++) {
        struct tdm_screen_host_surface *s = &h->surfaces[id];
        const struct tdm_screen_shared *shared = find(in, id);
        bool same = shared && s->used && s->storage == shared->storage &&
                    s->desc.width == shared->surface.width &&
                    s->desc.height == shared->surface.height;

        if (!same)
            end_videos(h, id);
        if (!shared) {
            s->used = false;
            continue;
        }
        if (!same)
            begin_surface(s, shared);
        assert(shared->surface.width && shared->surface.width <= TDM_SCREEN_SIDE_MAX &&
               shared->surface.height && shared->surface.height <= TDM_SCREEN_SIDE_MAX);
        s->used = true;
        s->desc = shared->surface;
        s->next = (struct tdm_screen_image){(uint8_t *)shared->pixels, shared->stride,
                                            s->desc.width, s->desc.height};
    }
    h->tell_list = true;
}

static void damage_tile(struct tdm_screen_host *h, struct tdm_screen_host_surface *s, int tile,
                        tdm_time now)
{
    struct tdm_screen_host_tile *t = &s->tiles[tile];
    struct tdm_tile pixels = tdm_screen_tile_of(&s->next, tile);
    uint64_t hash = tdm_tile_hash_keyed(&pixels, h->hash_seed);

    if (hash == t->seen_hash)
        return;
    t->seen_hash = hash;
    t->changed_at = now;
    s->captured_at = now;
    tdm_screen_host_changed(h, s, tile, now);
    t->flags &= (uint8_t)~TDM_SCREEN_TILE_TRIED;
    if (s->video.masks[tile] == tdm_screen_cells_whole(&s->video, tile))
        return;
    if (!(t->flags & TDM_SCREEN_TILE_DIRTY))
        s->dirty_count++;
    t->flags |= TDM_SCREEN_TILE_DIRTY;
}

static void damage(struct tdm_screen_host *h, tdm_time now, const struct tdm_screen_host_in *in)
{
    struct tdm_screen_host_surface *s = &h->surfaces[in->surface % TDM_SCREEN_SURFACES_MAX];

    for (uint32_t i = 0; s->used && i < in->count; i++) {
        const struct tdm_screen_rect *r = &in->rects[i];
        int64_t left = r->x > 0 ? r->x : 0, top = r->y > 0 ? r->y : 0;
        int64_t right = (int64_t)r->x + r->width, bottom = (int64_t)r->y + r->height;

        if (right > s->seen.width)
            right = s->seen.width;
        if (bottom > s->seen.height)
            bottom = s->seen.height;
        for (int64_t y = top / TDM_SCREEN_TILE; y * TDM_SCREEN_TILE < bottom && left < right; y++)
            for (int64_t x = left / TDM_SCREEN_TILE; x * TDM_SCREEN_TILE < right; x++)
                damage_tile(h, s, (int)(y * s->todo.tiles_x + x), now);
    }
}

static void set_cursor(struct tdm_screen_host *h, const struct tdm_screen_cursor *cursor)
{
    uint8_t *pixels = h->cursor_pixels + cursor->slot * TDM_SCREEN_CURSOR_BYTES;

    assert(cursor->slot < TDM_SCREEN_CURSOR_SLOTS && cursor->width && cursor->height &&
           cursor->width <= TDM_SCREEN_CURSOR_SIDE_MAX &&
           cursor->height <= TDM_SCREEN_CURSOR_SIDE_MAX && cursor->hot_x < cursor->width &&
           cursor->hot_y < cursor->height);
    memcpy(pixels, cursor->pixels, (size_t)cursor->width * cursor->height * 4);
    h->cursors[cursor->slot] = *cursor;
    h->cursors[cursor->slot].pixels = pixels;
    h->cursor_filled |= 1u << cursor->slot;
    h->cursor_told &= ~(1u << cursor->slot);
}

static void restart(struct tdm_screen_host *h)
{
    tdm_screen_host_abandon(h);
    h->running = h->hearing = false;
    h->answer_size = h->answer_skip = 0;
    h->cursor_told = 0;
    h->resyncs = 0;
    h->why = NULL;
}

static void pull(struct tdm_screen_host *h, tdm_time now, const struct tdm_screen_host_in *in,
                 struct tdm_screen_host_out *out)
{
    bool refine = in->kind == TDM_SCREEN_HOST_PULL_REFINE, made = false;

    while (out->filled < in->size) {
        size_t size = in->size - out->filled;

        if (!h->out_left) {
            /* One frame a pull: what comes next is decided when there is room for it. */
            if (made || !tdm_screen_host_make(h, now, refine))
                break;
            made = h->out_is_frame;
        }
        if (size > h->out_left)
            size = h->out_left;
        memcpy(in->room + out->filled, h->out_at, size);
        h->out_at += size;
        h->out_left -= size;
        out->filled += size;
    }
}

static bool urgent(const struct tdm_screen_host *h)
{
    if (!h->running)
        return false;
    if ((h->out_left && !(h->out_is_frame && h->out_is_refinement)) || h->open || h->tell_start ||
        h->tell_list || h->cursor_filled & ~h->cursor_told || h->tell_videos)
        return true;
    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++) {
        const struct tdm_screen_host_surface *s = &h->surfaces[i];

        if (s->used &&
            (s->dirty_count || s->wipes || s->told_exact != tdm_screen_host_is_exact(h, s)))
            return true;
    }
    return false;
}

/* When something of the surface may be made exact. */
static tdm_time refine_at(const struct tdm_screen_host_surface *s)
{
    tdm_time at = TDM_NEVER;

    for (int i = 0; s->owes && i < s->tile_count; i++)
        if (s->owed.masks[i] && !(s->tiles[i].flags & TDM_SCREEN_TILE_DIRTY))
            at = tdm_time_min(at, s->tiles[i].changed_at + TDM_SCREEN_STILL);
    return at;
}

static void report(struct tdm_screen_host *h, tdm_time now, struct tdm_screen_host_out *out)
{
    tdm_time refine = TDM_NEVER;

    out->exact = h->running;
    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++) {
        const struct tdm_screen_host_surface *s = &h->surfaces[i];

        if (!s->used)
            continue;
        refine = tdm_time_min(refine, refine_at(s));
        out->exact = out->exact && s->listed && tdm_screen_host_is_exact(h, s) && h->open != s;
    }
    out->screen_ready = urgent(h);
    out->between = h->running && !h->open && !h->out_left && !h->tell_start && !h->tell_list;
    out->refine_ready = h->running && (h->out_left || refine <= now);
    out->wake_at = h->running ? tdm_screen_host_video_wake(h) : TDM_NEVER;
    if (h->running && refine > now)
        out->wake_at = tdm_time_min(out->wake_at, refine);
}

void tdm_screen_host_step(struct tdm_screen_host *h, tdm_time now,
                          const struct tdm_screen_host_in *in, struct tdm_screen_host_out *out)
{
    memset(out, 0, sizeof *out);
    out->wake_at = TDM_NEVER;
    h->moved_count = 0;
    switch (in ? (int)in->kind : -1) {
    case TDM_SCREEN_HOST_SURFACES:
        set_surfaces(h, in);
        break;
    case TDM_SCREEN_HOST_DAMAGE:
        damage(h, now, in);
        break;
    case TDM_SCREEN_HOST_POINTER:
        h->pointer = *in->pointer;
        break;
    case TDM_SCREEN_HOST_CURSOR:
        set_cursor(h, in->cursor);
        break;
    case TDM_SCREEN_HOST_LINK:
        h->rate_bps = in->rate_bps;
        h->rtt = in->rtt;
        break;
    case TDM_SCREEN_HOST_RESTART:
        restart(h);
        break;
    case TDM_SCREEN_HOST_ANSWER:
        tdm_screen_host_answer(h, now, in->data, in->size, out);
        out->consumed = in->size;
        break;
    case TDM_SCREEN_HOST_PULL:
    case TDM_SCREEN_HOST_PULL_REFINE:
        pull(h, now, in, out);
        break;
    case TDM_SCREEN_HOST_VIDEO_GONE:
        if (in->video < TDM_SCREEN_VIDEOS_MAX)
            h->videos[in->video].gone = true;
        break;
    default:
        break;
    }
    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++)
        if (h->surfaces[i].used)
            tdm_screen_host_watch(h, &h->surfaces[i], now);
    report(h, now, out);
    out->more = in && out->filled &&
                (in->kind == TDM_SCREEN_HOST_PULL ? out->screen_ready : out->refine_ready);
    out->videos_changed = h->videos_news;
    h->videos_news = false;
    out->moves = h->moved;
    out->move_count = h->moved_count;
    out->failed = h->why != NULL;
    out->why = h->why;
}

void tdm_screen_host_stats(const struct tdm_screen_host *h, struct tdm_screen_host_stats *stats)
{
    *stats = h->stats;
    stats->frame_id = h->frame_id;
    stats->tiles_dirty = stats->tiles_owed = stats->tiles_video = 0;
    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++) {
        const struct tdm_screen_host_surface *s = &h->surfaces[i];

        for (int k = 0; s->used && k < s->tile_count; k++) {
            stats->tiles_dirty += !!(s->tiles[k].flags & TDM_SCREEN_TILE_DIRTY);
            stats->tiles_owed += !!s->owed.masks[k];
            stats->tiles_video += !!s->video.masks[k];
        }
    }
}
