/* SPDX-License-Identifier: MIT */
/* Frames: when one begins, of what its records consist, when it is closed, and how it is proved. */
#include "collab/screen_host_state.h"
#include "engine/base/tile.h"

#include <string.h>

#define TINY_TILES  4              /* A keystroke: nothing is searched for, */
#define TINY_CELLS  64             /* all is coded at once. */
#define HEAD_BYTES  4096           /* More before the pixels is a record of its own. */
#define FRAME_TIME  (50 * TDM_MS)  /* Of the link, that a frame may take. */
#define FRAME_BYTES 16384          /* That it may have in any case. */
#define STALE_BYTES 4096           /* After which a frame gives way to what is newer. */
#define PHOTO_PAUSE (300 * TDM_MS) /* After which a photograph is another one. */

void tdm_screen_host_touch(struct tdm_screen_host_surface *s, const struct tdm_screen_rect *cells)
{
    const int side = TDM_SCREEN_TILE / TDM_SCREEN_CELL;
    int right = cells->x + cells->width - 1, bottom = cells->y + cells->height - 1;

    for (int y = cells->y / side; y <= bottom / side; y++)
        for (int x = cells->x / side; x <= right / side; x++)
            s->tiles[y * s->todo.tiles_x + x].flags |= TDM_SCREEN_TILE_TOUCHED;
}

bool tdm_screen_host_is_exact(const struct tdm_screen_host *h,
                              const struct tdm_screen_host_surface *s)
{
    if (s->dirty_count || s->owes || s->wipes)
        return false;
    for (int i = 0; i < TDM_SCREEN_VIDEOS_MAX; i++)
        if (h->videos[i].used && h->videos[i].video.surface == s->desc.id)
            return false;
    return true;
}

static void finish_record(struct tdm_screen_host *h, struct tdm_screen_out_record *record,
                          enum tdm_screen_record kind)
{
    h->out_at = tdm_screen_record_end(record, (uint8_t)kind, &h->out_left);
    h->stats.bytes += h->out_left;
    h->out_is_frame = kind == TDM_SCREEN_FRAME;
}

static void make_start(struct tdm_screen_host *h)
{
    struct tdm_screen_out_record record = tdm_screen_record_begin(h->room, TDM_SCREEN_OUT_BYTES);
    struct tdm_screen_start start = {
        .version = TDM_SCREEN_VERSION,
        .first_id = h->frame_id + 1,
        .cache_tiles = tdm_screen_cache_slots(h->cache),
        .hash_seed = h->hash_seed,
        .resyncs = h->resyncs,
    };

    tdm_screen_start_write(&start, &record.body);
    finish_record(h, &record, TDM_SCREEN_START);
    tdm_screen_coders_reset(h->coders);
    for (int i = 0; i < TDM_SCREEN_VIDEOS_MAX; i++)
        if (h->videos[i].used)
            h->videos[i].tell = h->tell_videos = true; /* The viewer has forgotten them too. */
    h->tell_start = false;
    h->told_time = 0;
}

static void make_list(struct tdm_screen_host *h)
{
    struct tdm_screen_out_record record = tdm_screen_record_begin(h->room, TDM_SCREEN_OUT_BYTES);
    struct tdm_screen_list list = {0};

    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++) {
        if (!h->surfaces[i].used)
            continue;
        list.surfaces[list.count++] = h->surfaces[i].desc;
        h->surfaces[i].listed = true;
    }
    tdm_screen_list_write(&list, &record.body);
    finish_record(h, &record, TDM_SCREEN_SURFACES);
    h->tell_list = false;
}

static void make_cursor(struct tdm_screen_host *h)
{
    struct tdm_screen_out_record record = tdm_screen_record_begin(h->room, TDM_SCREEN_OUT_BYTES);
    int slot = __builtin_ctz(h->cursor_filled & ~h->cursor_told);

    tdm_screen_cursor_write(&h->cursors[slot], &record.body);
    finish_record(h, &record, TDM_SCREEN_CURSOR);
    h->cursor_told |= 1u << slot;
}

static void write_wipes(struct tdm_screen_host_surface *s, struct tdm_writer *w)
{
    uint32_t runs = 0;
    int tile = 0;

    for (int i = 0; i < s->tile_count; i++)
        runs += (s->tiles[i].flags & TDM_SCREEN_TILE_WIPED) &&
                !(i && s->tiles[i - 1].flags & TDM_SCREEN_TILE_WIPED);
    s->wipes = false;
    if (!runs)
        return;
    tdm_write_u8(w, TDM_SCREEN_OP_WIPE);
    tdm_screen_write_number(w, runs);
    for (int i = 0, end; i < s->tile_count; i = end + 1) {
        for (end = i; end < s->tile_count && s->tiles[end].flags & TDM_SCREEN_TILE_WIPED; end++)
            s->tiles[end].flags |= TDM_SCREEN_TILE_TOUCHED;
        if (end == i)
            continue;
        tdm_screen_write_number(w, (uint64_t)(i - tile));
        tdm_screen_write_number(w, (uint64_t)(end - i));
        tile = end;
    }
    for (int i = 0; i < s->tile_count; i++)
        s->tiles[i].flags &= (uint8_t)~TDM_SCREEN_TILE_WIPED;
}

/* What the viewer has of a tile. */
static uint64_t hash_of(const struct tdm_screen_host *h, const struct tdm_screen_host_surface *s,
                        int tile)
{
    const struct tdm_screen_host_tile *t = &s->tiles[tile];

    /* Every pixel was compared or copied since it was captured. */
    if (!(t->flags & TDM_SCREEN_TILE_DIRTY) && !s->todo.masks[tile] && !s->owed.masks[tile] &&
        !s->video.masks[tile])
        return t->seen_hash;
    struct tdm_tile pixels = tdm_screen_tile_of(&s->seen, tile);

    return tdm_tile_hash_keyed(&pixels, h->hash_seed);
}

/* Tiles that were left out wait for the next frame. */
static void close_tiles(struct tdm_screen_host *h, struct tdm_screen_host_surface *s, tdm_time now,
                        uint64_t *hash)
{
    s->owes = false;
    for (int i = 0; i < s->tile_count; i++) {
        struct tdm_screen_host_tile *tile = &s->tiles[i];

        if (s->owed.masks[i])
            s->owes = true;
        if (s->todo.masks[i]) {
            s->todo.masks[i] = 0;
            if (!(tile->flags & TDM_SCREEN_TILE_DIRTY))
                s->dirty_count++;
            tile->flags |= TDM_SCREEN_TILE_DIRTY;
        }
        if (!(tile->flags & TDM_SCREEN_TILE_TOUCHED))
            continue;
        tile->sent_hash = hash_of(h, s, i);
        *hash = tdm_screen_hash_join(*hash, tile->sent_hash);
        if (!(tile->flags & TDM_SCREEN_TILE_FRESH) || tile->sent_hash != tile->seen_hash)
            tile->flags &= (uint8_t)~TDM_SCREEN_TILE_ANCHORS;
        tile->flags &= (uint8_t) ~(TDM_SCREEN_TILE_FRESH | TDM_SCREEN_TILE_TOUCHED);
        tile->coded_at = now;
    }
}

static void close_frame(struct tdm_screen_host *h, struct tdm_screen_host_surface *s, tdm_time now,
                        uint8_t *flags, struct tdm_writer *w)
{
    uint64_t hash = h->hash_seed;

    close_tiles(h, s, now, &hash);
    tdm_write_u64(w, hash);
    *flags |= TDM_SCREEN_FRAME_LAST;
    s->told_exact = tdm_screen_host_is_exact(h, s);
    if (s->told_exact)
        *flags |= TDM_SCREEN_FRAME_EXACT;
    h->open = NULL;
}

void tdm_screen_host_abandon(struct tdm_screen_host *h)
{
    struct tdm_screen_host_surface *s = h->open;

    for (int i = 0; s && i < s->tile_count; i++) {
        s->todo.masks[i] = 0;
        s->tiles[i].flags &=
            (uint8_t) ~(TDM_SCREEN_TILE_TOUCHED | TDM_SCREEN_TILE_FRESH | TDM_SCREEN_TILE_ANCHORS);
    }
    h->open = NULL;
    h->out_left = 0;
}

static size_t frame_limit(const struct tdm_screen_host *h)
{
    uint64_t bytes = h->rate_bps / 8 * (uint64_t)(FRAME_TIME / TDM_MS) / 1000;

    return bytes > FRAME_BYTES ? bytes : FRAME_BYTES;
}

/* Is there something newer, or has it had its share of the link? */
static bool gives_way(const struct tdm_screen_host *h, const struct tdm_screen_host_surface *s,
                      size_t bytes)
{
    if (bytes >= frame_limit(h))
        return true;
    return bytes >= STALE_BYTES && s->dirty_count;
}

static void write_time(struct tdm_screen_host *h, const struct tdm_screen_host_surface *s,
                       struct tdm_writer *w)
{
    int64_t us = (s->captured_at - h->told_time) / TDM_US;

    tdm_screen_write_signed(w, us);
    h->told_time += us * TDM_US;
}

/* The flags are known when the rest is. */
static uint8_t *begin_record(struct tdm_screen_host *h, struct tdm_screen_host_surface *s,
                             struct tdm_screen_out_record *record)
{
    *record = tdm_screen_record_begin(h->room, TDM_SCREEN_OUT_BYTES);
    uint8_t *flags = tdm_write_reserve(&record->body, 1);

    *flags = s->desc.id;
    if (h->first) {
        *flags |= TDM_SCREEN_FRAME_FIRST;
        write_time(h, s, &record->body);
    }
    h->first = false;
    return flags;
}

/* More pixels of the frame, and its end if these are the last. */
static void go_on(struct tdm_screen_host *h, struct tdm_screen_host_surface *s, tdm_time now)
{
    struct tdm_screen_out_record record;
    uint8_t *flags = begin_record(h, s, &record);

    tdm_screen_host_code(h, s, &record.body);
    h->frame_bytes += tdm_writer_size(&record.body);
    if (h->tell_start || gives_way(h, s, h->frame_bytes) || !tdm_screen_cells_any(&s->todo))
        close_frame(h, s, now, flags, &record.body);
    finish_record(h, &record, TDM_SCREEN_FRAME);
    h->out_is_refinement = false;
}

static void open_frame(struct tdm_screen_host *h, struct tdm_screen_host_surface *s, tdm_time now)
{
    /* A picture that is told in several frames, or one after the other, is one to the link. */
    if (now - h->opened_at > PHOTO_PAUSE)
        h->photo_bytes = 0;
    h->opened_at = now;
    h->open = s;
    h->first = true;
    h->frame_id++;
    h->frame_bytes = 0;
    h->stats.frames++;
}

/* False: nothing has changed after all. */
static bool begin_frame(struct tdm_screen_host *h, struct tdm_screen_host_surface *s, tdm_time now)
{
    struct tdm_screen_out_record record;
    int tiles, cells = tdm_screen_host_verify(h, s, &tiles);

    if (!cells && !s->wipes && !h->tell_videos && s->told_exact == tdm_screen_host_is_exact(h, s))
        return false;
    open_frame(h, s, now);
    uint8_t *flags = begin_record(h, s, &record);

    tdm_screen_host_tell_videos(h, s, &record.body);
    if (s->wipes)
        write_wipes(s, &record.body);
    if (tiles > TINY_TILES || cells > TINY_CELLS)
        tdm_screen_host_plan(h, s, now, &record.body);
    tdm_screen_host_look_ahead(h, s);
    if (tdm_writer_size(&record.body) < HEAD_BYTES)
        tdm_screen_host_code(h, s, &record.body);
    h->frame_bytes = tdm_writer_size(&record.body);
    if (h->tell_start || !tdm_screen_cells_any(&s->todo))
        close_frame(h, s, now, flags, &record.body);
    finish_record(h, &record, TDM_SCREEN_FRAME);
    h->out_is_refinement = false;
    return true;
}

static bool make_refinement(struct tdm_screen_host *h, struct tdm_screen_host_surface *s,
                            tdm_time now)
{
    struct tdm_screen_out_record record;

    open_frame(h, s, now);
    uint8_t *flags = begin_record(h, s, &record);
    uint8_t *start = record.body.at;

    tdm_screen_host_refine(h, s, now, &record.body);
    if (record.body.at == start) {
        h->open = NULL;
        h->frame_id--;
        h->stats.frames--;
        return false;
    }
    *flags |= TDM_SCREEN_FRAME_REFINE;
    close_frame(h, s, now, flags, &record.body);
    finish_record(h, &record, TDM_SCREEN_FRAME);
    h->out_is_refinement = true;
    h->stats.refinements++;
    return true;
}

/* Surfaces in turn. */
static bool make_frame(struct tdm_screen_host *h, tdm_time now)
{
    for (int i = 1; i <= TDM_SCREEN_SURFACES_MAX; i++) {
        int at = (h->last_surface + i) % TDM_SCREEN_SURFACES_MAX;
        struct tdm_screen_host_surface *s = &h->surfaces[at];

        if (!s->used || !s->listed)
            continue;
        tdm_screen_host_watch(h, s, now);
        if ((s->dirty_count || s->wipes || h->tell_videos ||
             s->told_exact != tdm_screen_host_is_exact(h, s)) &&
            begin_frame(h, s, now)) {
            h->last_surface = at;
            return true;
        }
    }
    return false;
}

bool tdm_screen_host_make(struct tdm_screen_host *h, tdm_time now, bool refine)
{
    if (!h->running)
        return false;
    if (h->open) {
        go_on(h, h->open, now);
        return true;
    }
    if (h->tell_start) {
        make_start(h);
        return true;
    }
    if (h->tell_list) {
        make_list(h);
        return true;
    }
    if (h->cursor_filled & ~h->cursor_told) {
        make_cursor(h);
        return true;
    }
    if (make_frame(h, now))
        return true;
    for (int i = 0; refine && i < TDM_SCREEN_SURFACES_MAX; i++)
        if (h->surfaces[i].used && h->surfaces[i].owes && make_refinement(h, &h->surfaces[i], now))
            return true;
    return false;
}
