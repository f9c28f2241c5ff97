/* SPDX-License-Identifier: MIT */
/* Pixels that must be coded: by which coder, in what order, and what stays owed. */
#include "collab/screen_host_state.h"
#include "engine/base/tile.h"

#include <string.h>

#define AREA_CELLS    (TDM_SCREEN_GROUP_AREA / (TDM_SCREEN_CELL * TDM_SCREEN_CELL))
#define SMALL_AREA    4096          /* Pixels that CONTEXT takes on any link. */
#define PHOTO_MISSES  25            /* Per cent; interface has 0 to 10. */
#define PHOTO_AREA    1024          /* Smaller ones are not worth being owed. */
#define PHOTO_TIME    (50 * TDM_MS) /* Of the link, that exact photographs may take. */
#define LOOK_TILES    128           /* That are looked at ahead. */
#define PHOTO_FAULTS  2             /* Wrong hashes after which lossy is not tried again. */
#define REFINE_TIME   (10 * TDM_MS) /* Of the link, that one refinement may take. */
#define REFINE_BITS   14            /* Of a pixel, about. */
#define RESIDUAL_BITS 5.5           /* Of a pixel, at least. */
#define RATE_UNKNOWN  20000000u     /* Until the link has been measured. */

/* Where each is the quickest from pixels to pixels, by bench/screen_still: CONTEXT costs both sides
 * about 10 ns a pixel and half as many bytes as ZSTD, or a third. One for everything: what one
 * learns is lost to the other. */
#define CONTEXT_RATE 100e6 /* Up to here. */
#define ZSTD_RATE    2e9

static double rate_of(const struct tdm_screen_host *h)
{
    return h->rate_bps ? (double)h->rate_bps : RATE_UNKNOWN;
}

/* Bytes that exact photographs may take. */
static double allowed_of(const struct tdm_screen_host *h)
{
    return rate_of(h) / 8 * (double)PHOTO_TIME / (double)TDM_S;
}

static enum tdm_screen_coder exact_coder(double pixels, double rate)
{
    if (pixels <= SMALL_AREA || rate <= CONTEXT_RATE)
        return TDM_SCREEN_CONTEXT;
    return rate <= ZSTD_RATE ? TDM_SCREEN_ZSTD : TDM_SCREEN_RAW;
}

static void mark_photo(struct tdm_screen_host_surface *s, const struct tdm_screen_rect *cells,
                       bool photo)
{
    const int side = TDM_SCREEN_TILE / TDM_SCREEN_CELL;
    int right = cells->x + cells->width - 1;

    for (int x = cells->x / side; x <= right / side; x++) {
        uint8_t *flags = &s->tiles[cells->y / side * s->todo.tiles_x + x].flags;

        *flags =
            (uint8_t)(photo ? *flags | TDM_SCREEN_TILE_PHOTO : *flags & ~TDM_SCREEN_TILE_PHOTO);
    }
}

static enum tdm_screen_coder choose(struct tdm_screen_host *h, struct tdm_screen_host_surface *s,
                                    const struct tdm_screen_rect *cells,
                                    const struct tdm_screen_rect *rect, int *quality)
{
    double pixels = (double)rect->width * rect->height, rate = rate_of(h);

    if (pixels < PHOTO_AREA)
        return TDM_SCREEN_CONTEXT;
    struct tdm_screen_look look = tdm_screen_coders_look(h->coders, &s->next, rect);
    double allowed = allowed_of(h);
    bool photo = look.miss_percent >= PHOTO_MISSES;

    mark_photo(s, cells, photo);
    if (photo && !h->looked_ahead)
        h->photo_bytes += look.bytes;
    if (!photo || h->config.photo_exact || h->photo_faults >= PHOTO_FAULTS ||
        (double)h->photo_bytes <= allowed)
        return exact_coder(pixels, rate);
    /* The whole surface would take the time that is allowed for exact ones. */
    double share = allowed * pixels / ((double)s->seen.width * s->seen.height);

    if (share < pixels / 24)
        share = pixels / 24;
    if (share > pixels / 2)
        share = pixels / 2;
    *quality = tdm_screen_coders_quality(&s->next, rect, (size_t)share);
    return TDM_SCREEN_PHOTO;
}

void tdm_screen_host_look_ahead(struct tdm_screen_host *h, struct tdm_screen_host_surface *s)
{
    int tiles = 0;

    for (int i = 0; i < s->tile_count; i++)
        tiles += s->todo.masks[i] != 0;
    /* What the link takes in time even uncoded is only counted, while it is coded. */
    h->looked_ahead =
        (double)h->photo_bytes + (double)tiles * TDM_SCREEN_TILE * TDM_SCREEN_TILE * 3 >
        allowed_of(h);
    if (!h->looked_ahead)
        return;
    int every = tiles / LOOK_TILES + 1, at = 0;

    for (int i = 0; i < s->tile_count; i++) {
        if (!s->todo.masks[i] || at++ % every)
            continue;
        struct tdm_tile tile = tdm_screen_tile_of(&s->next, i);
        struct tdm_screen_rect rect = {i % s->todo.tiles_x * TDM_SCREEN_TILE,
                                       i / s->todo.tiles_x * TDM_SCREEN_TILE, tile.width,
                                       tile.height};
        struct tdm_screen_look look = tdm_screen_coders_look(h->coders, &s->next, &rect);

        if (look.miss_percent >= PHOTO_MISSES)
            h->photo_bytes += (size_t)look.bytes * (size_t)every *
                              (size_t)__builtin_popcountll(s->todo.masks[i]) / 64;
    }
}

static void count(struct tdm_screen_host *h, enum tdm_screen_coder coder, uint64_t pixels,
                  uint64_t bytes)
{
    struct tdm_screen_host_stats *t = &h->stats;
    struct {
        uint64_t *pixels, *bytes;
    } of[TDM_SCREEN_CODERS] = {
        [TDM_SCREEN_RAW] = {&t->pixels_raw, &t->bytes_raw},
        [TDM_SCREEN_ZSTD] = {&t->pixels_zstd, &t->bytes_zstd},
        [TDM_SCREEN_CONTEXT] = {&t->pixels_context, &t->bytes_context},
        [TDM_SCREEN_PHOTO] = {&t->pixels_photo, &t->bytes_photo},
        [TDM_SCREEN_RESIDUAL] = {&t->pixels_refined, &t->bytes_refine},
    };

    *of[coder].pixels += pixels;
    *of[coder].bytes += bytes;
}

struct batch {
    struct tdm_screen_group group;
    struct tdm_screen_rect cells[TDM_SCREEN_GROUP_RECTS];
};

static void write_group(struct tdm_screen_host *h, struct tdm_screen_host_surface *s,
                        struct batch *b, struct tdm_writer *w)
{
    uint8_t *start = w->at;
    uint64_t pixels = 0;

    if (!b->group.count)
        return;
    tdm_write_u8(w, (uint8_t)(TDM_SCREEN_OP_PIXELS + b->group.coder));
    tdm_screen_write_number(w, (uint64_t)b->group.count);
    for (int i = 0; i < b->group.count; i++) {
        tdm_screen_write_cells(w, &b->cells[i]);
        pixels += (uint64_t)b->group.rects[i].width * (uint64_t)b->group.rects[i].height;
    }
    /* The size stands before the bytes, in as many bytes as the largest needs, then closed up. */
    uint8_t *size_at = tdm_write_reserve(w, 4), *data_at = w->at;

    if (!tdm_screen_coders_encode(h->coders, &b->group, &s->seen, &s->next, w)) {
        /* Not with TDM_SCREEN_RECORD_MAX for so few pixels; were it so, raw and a new start help.
         */
        w->ok = true;
        w->at = data_at;
        *start = TDM_SCREEN_OP_PIXELS + TDM_SCREEN_RAW;
        b->group.coder = TDM_SCREEN_RAW;
        (void)tdm_screen_coders_encode(h->coders, &b->group, &s->seen, &s->next, w);
        h->tell_start = true;
    }
    size_t size = (size_t)(w->at - data_at);

    w->at = size_at;
    tdm_screen_write_number(w, size);
    memmove(w->at, data_at, size);
    w->at += size;
    for (int i = 0; i < b->group.count; i++) {
        tdm_screen_host_touch(s, &b->cells[i]);
        if (b->group.coder == TDM_SCREEN_PHOTO)
            tdm_screen_cells_set(&s->owed, &b->cells[i]);
        else
            tdm_screen_cells_clear(&s->owed, &b->cells[i]);
    }
    if (b->group.coder == TDM_SCREEN_PHOTO)
        s->owes = h->photo_sent = true;
    count(h, b->group.coder, pixels, (uint64_t)(w->at - start));
    b->group.count = 0;
}

static void add(struct tdm_screen_host *h, struct tdm_screen_host_surface *s, struct batch *b,
                const struct tdm_screen_rect *cells, const struct tdm_screen_rect *rect,
                enum tdm_screen_coder coder, int quality, struct tdm_writer *w)
{
    if (b->group.count && (b->group.count == TDM_SCREEN_GROUP_RECTS || b->group.coder != coder ||
                           b->group.quality != quality))
        write_group(h, s, b, w);
    b->group.coder = coder;
    b->group.quality = quality;
    b->cells[b->group.count] = *cells;
    b->group.rects[b->group.count++] = *rect;
}

void tdm_screen_host_code(struct tdm_screen_host *h, struct tdm_screen_host_surface *s,
                          struct tdm_writer *w)
{
    struct batch batch;
    struct tdm_screen_rect cells;
    int left = AREA_CELLS, start = s->next_tile;

    batch.group.coder = TDM_SCREEN_CONTEXT;
    batch.group.count = batch.group.quality = 0;
    while (left > 0) {
        int quality = 0;

        if (!tdm_screen_cells_take(&s->todo, &s->next_tile, left, &cells)) {
            s->next_tile = 0;
            if (!start || !tdm_screen_cells_take(&s->todo, &s->next_tile, left, &cells))
                break;
            start = 0;
        }
        struct tdm_screen_rect rect = tdm_screen_pixels_of(&cells, s->seen.width, s->seen.height);
        enum tdm_screen_coder coder = choose(h, s, &cells, &rect, &quality);

        add(h, s, &batch, &cells, &rect, coder, quality, w);
        left -= cells.width * cells.height;
    }
    write_group(h, s, &batch, w);
}

static int64_t distance(const struct tdm_screen_host *h, const struct tdm_screen_host_surface *s,
                        int tile)
{
    int64_t x = tile % s->todo.tiles_x * TDM_SCREEN_TILE + TDM_SCREEN_TILE / 2;
    int64_t y = tile / s->todo.tiles_x * TDM_SCREEN_TILE + TDM_SCREEN_TILE / 2;

    if (h->pointer.surface != s->desc.id)
        return y * TDM_SCREEN_SIDE_MAX + x;
    x -= h->pointer.x;
    y -= h->pointer.y;
    return x * x + y * y;
}

static int nearest(const struct tdm_screen_host *h, const struct tdm_screen_host_surface *s,
                   tdm_time now)
{
    int best = -1;

    for (int i = 0; i < s->tile_count; i++)
        if (s->owed.masks[i] && !(s->tiles[i].flags & TDM_SCREEN_TILE_DIRTY) &&
            now - s->tiles[i].changed_at >= TDM_SCREEN_STILL &&
            (best < 0 || distance(h, s, i) < distance(h, s, best)))
            best = i;
    return best;
}

/* Some pictures have few enough colours to be told anew for less than their residual. */
static enum tdm_screen_coder exact_of_owed(const struct tdm_screen_host *h,
                                           const struct tdm_screen_host_surface *s,
                                           const struct tdm_screen_rect *rect)
{
    struct tdm_screen_look look = tdm_screen_coders_look(h->coders, &s->next, rect);

    return (double)look.bytes * 8 < RESIDUAL_BITS * rect->width * rect->height
               ? TDM_SCREEN_CONTEXT
               : TDM_SCREEN_RESIDUAL;
}

void tdm_screen_host_refine(struct tdm_screen_host *h, struct tdm_screen_host_surface *s,
                            tdm_time now, struct tdm_writer *w)
{
    double pixels = rate_of(h) * (double)REFINE_TIME / (double)TDM_S / REFINE_BITS;
    int left = pixels > TDM_SCREEN_GROUP_AREA ? AREA_CELLS : (int)pixels / 64 + 1;
    struct batch batch;
    struct tdm_screen_rect cells;

    batch.group.coder = TDM_SCREEN_CONTEXT;
    batch.group.count = batch.group.quality = 0;
    memset(s->work.masks, 0, (size_t)s->tile_count * sizeof *s->work.masks);
    for (int tile; left > 0 && (tile = nearest(h, s, now)) >= 0;) {
        int from = tile;

        /* Of this tile alone: its neighbours may not be still. */
        s->work.masks[tile] = s->owed.masks[tile];
        while (left > 0 && tdm_screen_cells_take(&s->work, &from, left, &cells)) {
            struct tdm_screen_rect rect =
                tdm_screen_pixels_of(&cells, s->seen.width, s->seen.height);

            add(h, s, &batch, &cells, &rect, exact_of_owed(h, s, &rect), 0, w);
            tdm_screen_cells_clear(&s->owed, &cells);
            left -= cells.width * cells.height;
        }
        s->work.masks[tile] = 0;
    }
    write_group(h, s, &batch, w);
}
