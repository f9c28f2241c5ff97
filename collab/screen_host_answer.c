/* SPDX-License-Identifier: MIT */
/* What the viewer says: what it has, and what it has shown. */
#include "collab/screen_host_state.h"
#include "engine/base/tile.h"

#include <string.h>

/* From the first hash on until RESYNC nothing is sent: the tiles must stay as they are compared. */
static void hear(struct tdm_screen_host *h)
{
    if (h->hearing)
        return;
    h->hearing = true;
    h->running = false;
    h->open = NULL;
    for (int id = 0; id < TDM_SCREEN_SURFACES_MAX; id++) {
        struct tdm_screen_host_surface *s = &h->surfaces[id];

        for (int i = 0; s->used && i < s->tile_count; i++) {
            s->todo.masks[i] = 0;
            s->tiles[i].flags &=
                (uint8_t) ~(TDM_SCREEN_TILE_KEPT | TDM_SCREEN_TILE_TOUCHED | TDM_SCREEN_TILE_FRESH);
        }
    }
}

static void hello(struct tdm_screen_host *h, struct tdm_reader *r)
{
    uint64_t version = tdm_screen_read_number(r), tiles = tdm_screen_read_number(r);

    if (!r->ok)
        return;
    if (version != TDM_SCREEN_VERSION)
        h->why = "The viewer speaks another version of screen sharing; update the older side.";
    hear(h);
    if (tiles < tdm_screen_cache_slots(h->cache))
        tdm_screen_cache_limit(h->cache, (uint32_t)tiles);
}

static void hashes(struct tdm_screen_host *h, struct tdm_reader *r)
{
    uint8_t id = tdm_read_u8(r);
    uint16_t width = tdm_read_u16(r), height = tdm_read_u16(r);
    uint64_t first = tdm_screen_read_number(r), count = tdm_screen_read_number(r);
    struct tdm_screen_host_surface *s = &h->surfaces[id % TDM_SCREEN_SURFACES_MAX];

    hear(h);
    if (id >= TDM_SCREEN_SURFACES_MAX || !s->used || s->desc.width != width ||
        s->desc.height != height)
        return; /* It was changed on this side in the meantime. */
    if (first > (uint64_t)s->tile_count || count > (uint64_t)s->tile_count - first) {
        r->ok = false;
        return;
    }
    for (uint64_t i = first; i < first + count; i++) {
        struct tdm_tile seen = tdm_screen_tile_of(&s->seen, (int)i);

        uint64_t hash = tdm_read_u64(r);

        if (r->ok && hash == tdm_tile_hash_keyed(&seen, h->hash_seed)) {
            s->tiles[i].flags |= TDM_SCREEN_TILE_KEPT;
            s->tiles[i].sent_hash = hash;
        }
    }
}

/* What the viewer has not, or has not the same, is black on both sides from now on. */
static void wipe(struct tdm_screen_host *h, struct tdm_screen_host_surface *s)
{
    s->dirty_count = 0;
    s->owes = false;
    for (int i = 0; i < s->tile_count; i++) {
        struct tdm_screen_host_tile *tile = &s->tiles[i];
        struct tdm_tile seen = tdm_screen_tile_of(&s->seen, i);

        if (!(tile->flags & TDM_SCREEN_TILE_KEPT)) {
            for (int y = 0; y < seen.height; y++)
                memset((uint8_t *)seen.pixels + y * seen.stride, 0, (size_t)seen.width * 4);
            s->owed.masks[i] = 0;
            tile->flags |= TDM_SCREEN_TILE_WIPED;
            s->wipes = true;
            h->stats.wiped_tiles++;
        }
        if (s->owed.masks[i])
            s->owes = true;
        tile->flags &=
            (uint8_t) ~(TDM_SCREEN_TILE_ANCHORS | TDM_SCREEN_TILE_TRIED | TDM_SCREEN_TILE_KEPT);
        /* A frame that was cut off may have changed what was owed or exact: all is compared. */
        if (tile->seen_hash)
            tile->flags |= TDM_SCREEN_TILE_DIRTY;
        s->dirty_count += !!(tile->flags & TDM_SCREEN_TILE_DIRTY);
    }
    s->listed = s->told_exact = false;
}

static void resync(struct tdm_screen_host *h, struct tdm_reader *r)
{
    uint8_t reason = tdm_read_u8(r);
    uint32_t last_id = (uint32_t)tdm_screen_read_number(r);

    if (!r->ok)
        return;
    hear(h);
    h->hearing = false;
    h->running = true;
    h->tell_start = h->tell_list = true;
    h->resyncs++;
    h->stats.resyncs++;
    if (reason == TDM_SCREEN_RESYNC_WRONG_HASH) {
        h->stats.hash_mismatches++;
        h->photo_faults += h->photo_sent;
    }
    h->photo_sent = false;
    tdm_screen_cache_drop_after(h->cache, last_id);
    for (int id = 0; id < TDM_SCREEN_SURFACES_MAX; id++)
        if (h->surfaces[id].used)
            wipe(h, &h->surfaces[id]);
}

static void shown(struct tdm_screen_host *h, struct tdm_reader *r, struct tdm_screen_host_out *out)
{
    uint32_t id = (uint32_t)tdm_screen_read_number(r);
    uint32_t decode_us = (uint32_t)tdm_screen_read_number(r);
    int64_t present_us = tdm_screen_read_signed(r), capture_us = tdm_screen_read_signed(r);

    if (!r->ok || (int32_t)(id - h->frame_id) > 0 || present_us > TDM_NEVER / TDM_US ||
        present_us < 0 || capture_us > TDM_NEVER / TDM_US || capture_us < 0) {
        r->ok = false;
        return;
    }
    h->stats.frame_id_acked = id;
    out->acked = true;
    out->frame_id = id;
    out->decode_us = decode_us;
    out->present_time = present_us * TDM_US;
    out->capture_time = capture_us * TDM_US;
}

static void one(struct tdm_screen_host *h, uint8_t kind, const uint8_t *body, size_t size,
                struct tdm_screen_host_out *out)
{
    struct tdm_reader r = tdm_reader_of(body, size);

    switch (kind) {
    case TDM_SCREEN_HELLO:
        hello(h, &r);
        break;
    case TDM_SCREEN_HASHES:
        hashes(h, &r);
        break;
    case TDM_SCREEN_RESYNC:
        resync(h, &r);
        break;
    case TDM_SCREEN_SHOWN:
        shown(h, &r, out);
        break;
    default:
        break;
    }
    if (!r.ok)
        h->why = "The viewer sent an answer that cannot be read.";
}

void tdm_screen_host_answer(struct tdm_screen_host *h, tdm_time now, const uint8_t *data,
                            size_t size, struct tdm_screen_host_out *out)
{
    (void)now;
    while (size && !h->why) {
        uint8_t kind;
        size_t head, body, piece = sizeof h->answer - h->answer_size;

        if (piece > size)
            piece = size;
        memcpy(h->answer + h->answer_size, data, piece);
        h->answer_size += piece;
        data += piece;
        size -= piece;
        for (;;) {
            enum tdm_err err = tdm_screen_head_parse(h->answer, h->answer_size,
                                                     TDM_SCREEN_ANSWER_MAX, &kind, &head, &body);

            if (err == TDM_E_MALFORMED)
                h->why = "The viewer sent an answer that is too long.";
            if (err || h->answer_size < head + body)
                break;
            one(h, kind, h->answer + head, body, out);
            h->answer_size -= head + body;
            memmove(h->answer, h->answer + head + body, h->answer_size);
        }
    }
}
