/* SPDX-License-Identifier: MIT */
#include "collab/screen_coders.h"

#include "collab/screen_context.h"
#include "collab/screen_photo.h"
#include "collab/screen_residual.h"
#include "collab/screen_wire.h"
#include "collab/screen_zstd.h"

#define ZSTD_LEVEL 1
#define ALIGN      16

struct tdm_screen_coders {
    struct tdm_screen_context context;
    struct tdm_screen_photo photo;
    struct tdm_screen_residual residual;
    bool encodes;
    void *zstd_storage; /* Behind this. */
    struct tdm_screen_packer *packer;
    struct tdm_screen_unpacker *unpacker;
};

static size_t own_bytes(void)
{
    return (sizeof(struct tdm_screen_coders) + ALIGN - 1) / ALIGN * ALIGN;
}

size_t tdm_screen_coders_bytes(bool encodes)
{
    return own_bytes() + (encodes ? tdm_screen_packer_bytes() : tdm_screen_unpacker_bytes());
}

struct tdm_screen_coders *tdm_screen_coders_init(void *storage, bool encodes)
{
    struct tdm_screen_coders *c = storage;

    c->encodes = encodes;
    c->zstd_storage = (uint8_t *)storage + own_bytes();
    tdm_screen_coders_reset(c);
    return c;
}

void tdm_screen_coders_reset(struct tdm_screen_coders *c)
{
    tdm_screen_context_init(&c->context);
    tdm_screen_photo_init(&c->photo);
    tdm_screen_residual_init(&c->residual);
    if (c->encodes)
        c->packer = tdm_screen_packer_init(c->zstd_storage, ZSTD_LEVEL);
    else
        c->unpacker = tdm_screen_unpacker_init(c->zstd_storage);
}

struct tdm_screen_look tdm_screen_coders_look(const struct tdm_screen_coders *c,
                                              const struct tdm_screen_image *next,
                                              const struct tdm_screen_rect *rect)
{
    struct tdm_screen_source source = tdm_screen_source_of(next, rect);
    struct tdm_screen_context_guess guess = tdm_screen_context_look(&c->context, rect, &source);

    return (struct tdm_screen_look){guess.miss_percent, guess.bytes};
}

int tdm_screen_coders_quality(const struct tdm_screen_image *next,
                              const struct tdm_screen_rect *rect, size_t bytes)
{
    struct tdm_screen_source source = tdm_screen_source_of(next, rect);

    return tdm_screen_photo_quality(rect, &source, bytes);
}

static void pack(struct tdm_screen_coders *c, const struct tdm_screen_image *seen,
                 const struct tdm_screen_rect *rect, const struct tdm_screen_source *source,
                 struct tdm_writer *w)
{
    /* The piece's size stands before it, in three bytes. */
    uint8_t *size_at = tdm_write_reserve(w, 3), *start = w->at;

    if (!size_at || tdm_screen_pack(c->packer, seen, rect, source, w) != TDM_OK) {
        w->ok = false;
        return;
    }
    struct tdm_writer size = tdm_writer_of(size_at, 3);

    tdm_write_u24(&size, (uint32_t)(w->at - start));
}

static void encode_one(struct tdm_screen_coders *c, const struct tdm_screen_group *group,
                       struct tdm_screen_encoder *range, const struct tdm_screen_image *seen,
                       const struct tdm_screen_rect *rect, const struct tdm_screen_source *source,
                       struct tdm_writer *w)
{
    switch (group->coder) {
    case TDM_SCREEN_ZSTD:
        pack(c, seen, rect, source, w);
        break;
    case TDM_SCREEN_CONTEXT:
        tdm_screen_context_encode(&c->context, range, seen, rect, source, NULL);
        break;
    case TDM_SCREEN_PHOTO:
        tdm_screen_photo_encode(&c->photo, range, seen, rect, source, group->quality);
        break;
    case TDM_SCREEN_RESIDUAL:
        tdm_screen_residual_encode(&c->residual, range, seen, rect, source);
        break;
    case TDM_SCREEN_RAW:
    case TDM_SCREEN_CODERS:
        tdm_screen_raw_encode(seen, rect, source, w);
        break;
    }
}

bool tdm_screen_coders_encode(struct tdm_screen_coders *c, const struct tdm_screen_group *group,
                              const struct tdm_screen_image *seen,
                              const struct tdm_screen_image *next, struct tdm_writer *w)
{
    bool ranged = group->coder >= TDM_SCREEN_CONTEXT;
    struct tdm_screen_encoder range;

    if (ranged)
        tdm_screen_encoder_begin(&range, w->at, tdm_writer_left(w));
    for (int i = 0; i < group->count; i++) {
        struct tdm_screen_source source = tdm_screen_source_of(next, &group->rects[i]);

        encode_one(c, group, &range, seen, &group->rects[i], &source, w);
    }
    if (ranged) {
        size_t size = tdm_screen_encoder_end(&range);

        if (!range.ok)
            w->ok = false;
        (void)tdm_write_reserve(w, size);
    }
    return w->ok;
}

static enum tdm_err decode_one(struct tdm_screen_coders *c, enum tdm_screen_coder coder,
                               struct tdm_screen_decoder *range,
                               const struct tdm_screen_image *seen,
                               const struct tdm_screen_rect *rect, struct tdm_reader *r)
{
    switch (coder) {
    case TDM_SCREEN_ZSTD: {
        size_t size = tdm_read_u24(r);
        const uint8_t *piece = tdm_read_bytes(r, size);

        return piece ? tdm_screen_unpack(c->unpacker, seen, rect, piece, size) : TDM_E_MALFORMED;
    }
    case TDM_SCREEN_CONTEXT:
        tdm_screen_context_decode(&c->context, range, seen, rect);
        return TDM_OK;
    case TDM_SCREEN_PHOTO:
        tdm_screen_photo_decode(&c->photo, range, seen, rect);
        return TDM_OK;
    case TDM_SCREEN_RESIDUAL:
        tdm_screen_residual_decode(&c->residual, range, seen, rect);
        return TDM_OK;
    case TDM_SCREEN_RAW:
        tdm_screen_raw_decode(seen, rect, r);
        return r->ok ? TDM_OK : TDM_E_MALFORMED;
    case TDM_SCREEN_CODERS:
        break;
    }
    return TDM_E_MALFORMED;
}

enum tdm_err tdm_screen_coders_decode(struct tdm_screen_coders *c,
                                      const struct tdm_screen_group *group,
                                      const struct tdm_screen_image *seen, const uint8_t *data,
                                      size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    struct tdm_screen_decoder range;

    if (group->coder >= TDM_SCREEN_CONTEXT) {
        tdm_screen_decoder_begin(&range, data, size);
        tdm_read_skip(&r, size);
    }
    for (int i = 0; i < group->count; i++) {
        enum tdm_err err = decode_one(c, group->coder, &range, seen, &group->rects[i], &r);

        if (err)
            return err;
    }
    return tdm_reader_left(&r) ? TDM_E_MALFORMED : TDM_OK;
}
