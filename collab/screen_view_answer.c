/* SPDX-License-Identifier: MIT */
/* What the host is told: what this side has, and what it has shown. */
#include "collab/screen_view_state.h"
#include "engine/base/tile.h"

#include <string.h>

void tdm_screen_view_ask(struct tdm_screen_view *v, enum tdm_screen_resync reason)
{
    v->tell_hashes = true;
    v->reason = reason;
    v->resyncs++;
    v->hash_surface = v->hash_tile = 0;
}

void tdm_screen_view_shown(struct tdm_screen_view *v, const struct tdm_screen_view_in *in)
{
    if (v->shown_count == TDM_SCREEN_SHOWN_KEPT) {
        v->shown_count--;
        memmove(v->shown, v->shown + 1, v->shown_count * sizeof *v->shown);
    }
    v->shown[v->shown_count++] =
        (struct tdm_screen_shown){in->frame_id, in->decode_us, in->time > 0 ? in->time : 0};
}

bool tdm_screen_view_has_answer(const struct tdm_screen_view *v)
{
    return v->answer_left || v->tell_hello || v->tell_hashes || v->shown_count;
}

static enum tdm_screen_answer write_hashes(struct tdm_screen_view *v, struct tdm_writer *w)
{
    const struct tdm_screen_seen_surface *s = &v->surfaces[v->hash_surface];
    int count = s->tiles_x * s->tiles_y - v->hash_tile;

    if (count > TDM_SCREEN_HASHES_MAX)
        count = TDM_SCREEN_HASHES_MAX;
    tdm_write_u8(w, (uint8_t)v->hash_surface);
    tdm_write_u16(w, s->desc.width);
    tdm_write_u16(w, s->desc.height);
    tdm_screen_write_number(w, (uint64_t)v->hash_tile);
    tdm_screen_write_number(w, (uint64_t)count);
    for (int i = 0; i < count; i++, v->hash_tile++) {
        int x = v->hash_tile % s->tiles_x * TDM_SCREEN_TILE;
        int y = v->hash_tile / s->tiles_x * TDM_SCREEN_TILE;
        int width = s->seen.width - x, height = s->seen.height - y;
        struct tdm_tile tile = {tdm_screen_at(&s->seen, x, y), s->seen.stride,
                                width < TDM_SCREEN_TILE ? width : TDM_SCREEN_TILE,
                                height < TDM_SCREEN_TILE ? height : TDM_SCREEN_TILE};

        tdm_write_u64(w, tdm_tile_hash_keyed(&tile, v->hash_seed));
    }
    if (v->hash_tile == s->tiles_x * s->tiles_y) {
        v->hash_surface++;
        v->hash_tile = 0;
    }
    return TDM_SCREEN_HASHES;
}

static enum tdm_screen_answer write_next(struct tdm_screen_view *v, struct tdm_writer *w)
{
    if (v->tell_hello) {
        tdm_screen_write_number(w, TDM_SCREEN_VERSION);
        tdm_screen_write_number(w, v->config.cache_tiles);
        v->tell_hello = false;
        return TDM_SCREEN_HELLO;
    }
    if (v->tell_hashes) {
        while (v->hash_surface < TDM_SCREEN_SURFACES_MAX &&
               (!v->surfaces[v->hash_surface].used || v->surfaces[v->hash_surface].fresh))
            v->hash_surface++;
        if (v->hash_surface < TDM_SCREEN_SURFACES_MAX)
            return write_hashes(v, w);
        tdm_write_u8(w, (uint8_t)v->reason);
        tdm_screen_write_number(w, v->good_id);
        v->tell_hashes = false;
        return TDM_SCREEN_RESYNC;
    }
    const struct tdm_screen_shown *shown = &v->shown[0];

    tdm_screen_write_number(w, shown->id);
    tdm_screen_write_number(w, shown->decode_us);
    tdm_screen_write_signed(w, shown->present / TDM_US);
    tdm_screen_write_signed(w, v->captures[shown->id % TDM_SCREEN_SHOWN_KEPT] / TDM_US);
    v->shown_count--;
    memmove(v->shown, v->shown + 1, v->shown_count * sizeof *v->shown);
    return TDM_SCREEN_SHOWN;
}

size_t tdm_screen_view_pull(struct tdm_screen_view *v, uint8_t *room, size_t size)
{
    size_t filled = 0;

    while (filled < size && tdm_screen_view_has_answer(v)) {
        if (!v->answer_left) {
            struct tdm_screen_out_record record =
                tdm_screen_record_begin(v->answer, sizeof v->answer);
            enum tdm_screen_answer kind = write_next(v, &record.body);

            v->answer_at = tdm_screen_record_end(&record, (uint8_t)kind, &v->answer_left);
        }
        size_t piece = v->answer_left < size - filled ? v->answer_left : size - filled;

        memcpy(room + filled, v->answer_at, piece);
        v->answer_at += piece;
        v->answer_left -= piece;
        filled += piece;
    }
    return filled;
}
