/* SPDX-License-Identifier: MIT */
/* The viewer core's memory, its inputs and the records of the host. */
#include "collab/screen_view_state.h"

#include <string.h>

#define ALIGN      64
#define FAULTS_MAX 8 /* Frames that are wrong, before the host is given up. */

static size_t aligned(size_t size)
{
    return (size + ALIGN - 1) / ALIGN * ALIGN;
}

static uint32_t tiles_kept(const struct tdm_screen_view_config *config)
{
    return config->cache_tiles ? config->cache_tiles : TDM_SCREEN_CACHE_TILES;
}

static size_t cursor_bytes(void)
{
    return (size_t)TDM_SCREEN_CURSOR_SIDE_MAX * TDM_SCREEN_CURSOR_SIDE_MAX * 4;
}

size_t tdm_screen_view_bytes(const struct tdm_screen_view_config *config)
{
    return aligned(sizeof(struct tdm_screen_view)) + aligned(tdm_screen_coders_bytes(false)) +
           aligned(TDM_SCREEN_HEAD_MAX + TDM_SCREEN_RECORD_MAX) + cursor_bytes() +
           aligned(tiles_kept(config)) + tiles_kept(config) * TDM_SCREEN_TILE_BYTES;
}

struct tdm_screen_view *tdm_screen_view_init(void *storage,
                                             const struct tdm_screen_view_config *config)
{
    struct tdm_screen_view *v = storage;
    uint8_t *at = (uint8_t *)storage + aligned(sizeof *v);

    memset(v, 0, sizeof *v);
    v->config = *config;
    v->config.cache_tiles = tiles_kept(config);
    v->coders = tdm_screen_coders_init(at, false);
    at += aligned(tdm_screen_coders_bytes(false));
    v->record = at;
    at += aligned(TDM_SCREEN_HEAD_MAX + TDM_SCREEN_RECORD_MAX);
    v->cursor_pixels = at;
    v->filled = at + cursor_bytes();
    memset(v->filled, 0, v->config.cache_tiles);
    /* Not cleared: pages that are never used stay unused. */
    v->cache = v->filled + aligned(v->config.cache_tiles);
    return v;
}

static size_t tiles_of(int width, int height)
{
    return (size_t)((width + TDM_SCREEN_TILE - 1) / TDM_SCREEN_TILE) *
           (size_t)((height + TDM_SCREEN_TILE - 1) / TDM_SCREEN_TILE);
}

size_t tdm_screen_view_surface_bytes(uint16_t width, uint16_t height)
{
    return 2 * aligned((size_t)width * height * 4) + aligned(tiles_of(width, height));
}

static void restart(struct tdm_screen_view *v)
{
    v->record_size = v->answer_left = 0;
    v->started = v->failed = false;
    v->open = NULL;
    v->shown_count = 0;
    v->faults = 0;
    v->resyncs = 0;
    v->why = NULL;
    v->tell_hello = true;
    tdm_screen_view_ask(v, TDM_SCREEN_RESYNC_START);
}

static void give_storage(struct tdm_screen_view *v, const struct tdm_screen_view_in *in)
{
    struct tdm_screen_seen_surface *s = &v->surfaces[in->surface % TDM_SCREEN_SURFACES_MAX];
    int width = s->desc.width, height = s->desc.height;
    uint8_t *at = in->storage;

    if (!s->used || !s->fresh)
        return;
    if (!at) {
        v->failed = true;
        v->why = "There is no memory for the shared screen.";
        return;
    }
    memset(at, 0, tdm_screen_view_surface_bytes(s->desc.width, s->desc.height));
    s->seen = (struct tdm_screen_image){at, (ptrdiff_t)width * 4, width, height};
    s->before = s->seen;
    s->before.pixels += aligned((size_t)width * (size_t)height * 4);
    s->touched = s->before.pixels + aligned((size_t)width * (size_t)height * 4);
    s->around = (struct tdm_screen_rect){0, 0, 0, 0};
    s->fresh = false;
    v->waiting = false;
    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++)
        v->waiting = v->waiting || (v->surfaces[i].used && v->surfaces[i].fresh);
}

static void end_videos(struct tdm_screen_view *v, uint32_t surfaces)
{
    for (int i = 0; i < TDM_SCREEN_VIDEOS_MAX; i++)
        if (surfaces >> v->videos[i].surface & 1)
            v->videos_used &= ~(1u << i);
}

static void set_surface(struct tdm_screen_view *v, const struct tdm_screen_surface *desc)
{
    struct tdm_screen_seen_surface *s = &v->surfaces[desc->id];
    bool same = s->used && s->desc.width == desc->width && s->desc.height == desc->height;

    if (!same)
        end_videos(v, 1u << desc->id);
    if (!same)
        *s = (struct tdm_screen_seen_surface){
            .fresh = true,
            .tiles_x = (desc->width + TDM_SCREEN_TILE - 1) / TDM_SCREEN_TILE,
            .tiles_y = (desc->height + TDM_SCREEN_TILE - 1) / TDM_SCREEN_TILE,
            .columns = (desc->width + TDM_SCREEN_CELL - 1) / TDM_SCREEN_CELL,
            .rows = (desc->height + TDM_SCREEN_CELL - 1) / TDM_SCREEN_CELL,
        };
    s->used = true;
    s->desc = *desc;
    v->waiting = v->waiting || s->fresh;
}

static enum tdm_err set_surfaces(struct tdm_screen_view *v, struct tdm_reader *r,
                                 struct tdm_screen_view_out *out)
{
    struct tdm_screen_list list;
    uint32_t ids = 0;
    uint64_t pixels = 0;

    if (v->open || tdm_screen_list_parse(&list, r))
        return TDM_E_MALFORMED;
    for (uint32_t i = 0; i < list.count; i++)
        pixels += (uint64_t)list.surfaces[i].width * list.surfaces[i].height;
    if (pixels > v->config.pixels_max) {
        v->failed = true;
        v->why = "The host shares more screen than this side has memory for; "
                 "ask it to share one monitor.";
        return TDM_OK;
    }
    v->waiting = false;
    for (uint32_t i = 0; i < list.count; i++) {
        set_surface(v, &list.surfaces[i]);
        ids |= 1u << list.surfaces[i].id;
    }
    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++)
        if (!(ids >> i & 1))
            v->surfaces[i] = (struct tdm_screen_seen_surface){0};
    end_videos(v, ~ids);
    out->event = TDM_SCREEN_VIEW_EV_SURFACES;
    return TDM_OK;
}

static enum tdm_err start(struct tdm_screen_view *v, struct tdm_reader *r)
{
    struct tdm_screen_start told;
    enum tdm_err err = tdm_screen_start_parse(&told, r);

    if (err == TDM_E_UNSUPPORTED) {
        v->failed = true;
        v->why = "The host speaks another version of screen sharing; update the older side.";
        return TDM_OK;
    }
    if (err || told.cache_tiles > v->config.cache_tiles || told.resyncs > v->resyncs)
        return TDM_E_MALFORMED;
    if (told.resyncs < v->resyncs)
        return TDM_OK; /* It does not know yet that this side asked again. */
    tdm_screen_coders_reset(v->coders);
    v->started = true;
    v->open = NULL;
    v->frame_id = v->good_id = told.first_id - 1;
    v->hash_seed = told.hash_seed;
    v->cache_tiles = told.cache_tiles;
    v->capture_time = 0;
    v->videos_used = 0;
    return TDM_OK;
}

static enum tdm_err set_cursor(struct tdm_screen_view *v, struct tdm_reader *r,
                               struct tdm_screen_view_out *out)
{
    if (tdm_screen_cursor_parse(&out->cursor, r, v->cursor_pixels))
        return TDM_E_MALFORMED;
    out->event = TDM_SCREEN_VIEW_EV_CURSOR;
    return TDM_OK;
}

/* Pictures of a region that is over, or never was, are nobody's. */
static void take_unit(struct tdm_screen_view *v, struct tdm_reader *r,
                      struct tdm_screen_view_out *out)
{
    struct tdm_screen_unit unit;

    if (tdm_screen_unit_parse(&unit, r) || !(v->videos_used >> unit.stream & 1) ||
        v->videos[unit.stream].frame_id != unit.frame_id)
        return;
    out->unit = unit;
    out->event = TDM_SCREEN_VIEW_EV_UNIT;
}

/* A host that goes wrong is asked to begin anew, but not for ever. */
static void fault(struct tdm_screen_view *v, struct tdm_screen_view_out *out)
{
    v->started = false;
    v->open = NULL;
    if (++v->faults > FAULTS_MAX) {
        v->failed = true;
        v->why = "The host keeps sending pictures that are not what it says they are.";
        return;
    }
    v->stats.resyncs++;
    tdm_screen_view_ask(v, TDM_SCREEN_RESYNC_WRONG_HASH);
    out->event = TDM_SCREEN_VIEW_EV_RESYNC;
}

static void take_record(struct tdm_screen_view *v, uint8_t kind, const uint8_t *body, size_t size,
                        struct tdm_screen_view_out *out)
{
    struct tdm_reader r = tdm_reader_of(body, size);
    enum tdm_err err = TDM_OK;

    /* Between a fault and the new start nothing can be understood. */
    if (!v->started && kind != TDM_SCREEN_START)
        return;
    if (kind == TDM_SCREEN_START)
        err = start(v, &r);
    else if (kind == TDM_SCREEN_SURFACES)
        err = set_surfaces(v, &r, out);
    else if (kind == TDM_SCREEN_FRAME)
        err = tdm_screen_view_frame(v, &r, out);
    else if (kind == TDM_SCREEN_CURSOR)
        err = set_cursor(v, &r, out);
    else if (kind == TDM_SCREEN_UNIT)
        take_unit(v, &r, out);
    if (err)
        fault(v, out);
}

static void take_bytes(struct tdm_screen_view *v, const struct tdm_screen_view_in *in,
                       struct tdm_screen_view_out *out)
{
    if (v->waiting)
        out->event = TDM_SCREEN_VIEW_EV_SURFACES;
    while (out->consumed < in->size && out->event == TDM_SCREEN_VIEW_EV_NONE && !v->failed) {
        uint8_t kind = 0;
        size_t head = 0, body = 0, left = in->size - out->consumed, need = 1;
        enum tdm_err err = tdm_screen_head_parse(v->record, v->record_size, TDM_SCREEN_RECORD_MAX,
                                                 &kind, &head, &body);

        if (err == TDM_E_MALFORMED) {
            v->failed = true;
            v->why = "The host sent a record that is too long.";
            return;
        }
        if (!err)
            need = head + body - v->record_size;
        if (need > left)
            need = left;
        memcpy(v->record + v->record_size, in->data + out->consumed, need);
        v->record_size += need;
        out->consumed += need;
        if (err)
            err = tdm_screen_head_parse(v->record, v->record_size, TDM_SCREEN_RECORD_MAX, &kind,
                                        &head, &body);
        if (err || v->record_size < head + body)
            continue;
        v->record_size = 0;
        take_record(v, kind, v->record + head, body, out);
    }
    v->stats.bytes += out->consumed;
}

void tdm_screen_view_step(struct tdm_screen_view *v, const struct tdm_screen_view_in *in,
                          struct tdm_screen_view_out *out)
{
    memset(out, 0, sizeof *out);
    if (in->kind == TDM_SCREEN_VIEW_RESTART)
        restart(v);
    if (!v->failed) {
        switch (in->kind) {
        case TDM_SCREEN_VIEW_BYTES:
            take_bytes(v, in, out);
            break;
        case TDM_SCREEN_VIEW_STORAGE:
            give_storage(v, in);
            break;
        case TDM_SCREEN_VIEW_SHOWN:
            tdm_screen_view_shown(v, in);
            break;
        case TDM_SCREEN_VIEW_PULL:
            out->filled = tdm_screen_view_pull(v, in->room, in->size);
            break;
        case TDM_SCREEN_VIEW_RESTART:
            break;
        }
    }
    if (v->failed) {
        out->event = TDM_SCREEN_VIEW_EV_FAILED;
        out->why = v->why;
        if (in->kind == TDM_SCREEN_VIEW_BYTES)
            out->consumed = in->size;
        return;
    }
    out->answer_ready = tdm_screen_view_has_answer(v);
    out->more = in->kind == TDM_SCREEN_VIEW_PULL && out->answer_ready;
}

uint32_t tdm_screen_view_surfaces(const struct tdm_screen_view *v,
                                  struct tdm_screen_view_surface surfaces[TDM_SCREEN_SURFACES_MAX])
{
    uint32_t count = 0;

    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++) {
        const struct tdm_screen_seen_surface *s = &v->surfaces[i];

        if (s->used)
            surfaces[count++] = (struct tdm_screen_view_surface){
                .surface = s->desc,
                .fresh = s->fresh,
                .pixels = s->fresh ? NULL : s->seen.pixels,
                .stride = s->seen.stride,
            };
    }
    return count;
}

uint32_t tdm_screen_view_videos(const struct tdm_screen_view *v,
                                struct tdm_screen_video videos[TDM_SCREEN_VIDEOS_MAX])
{
    uint32_t count = 0;

    for (int i = 0; i < TDM_SCREEN_VIDEOS_MAX; i++)
        if (v->videos_used >> i & 1)
            videos[count++] = v->videos[i];
    return count;
}

void tdm_screen_view_stats(const struct tdm_screen_view *v, struct tdm_screen_view_stats *stats)
{
    *stats = v->stats;
    stats->frame_id = v->good_id;
}
