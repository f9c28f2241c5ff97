/* SPDX-License-Identifier: MIT */
#define ZSTD_STATIC_LINKING_ONLY    /* Contexts in storage of ours: the library then allocates     \
                                       nothing. */
#include "collab/screen_zstd.h"

#include <assert.h>
#include <zstd.h>

#define WINDOW_LOG  20
#define LEVEL_MAX   3
#define PIXEL_BYTES 3
#define ROWS_BYTES  ((size_t)64 * 1024)

struct tdm_screen_packer {
    ZSTD_CCtx *zstd;
    uint8_t rows[ROWS_BYTES];
};

struct tdm_screen_unpacker {
    ZSTD_DCtx *zstd;
    uint8_t rows[ROWS_BYTES];
};

static_assert((size_t)TDM_SCREEN_SIDE_MAX * PIXEL_BYTES <= ROWS_BYTES, "a row fits");
static_assert(sizeof(struct tdm_screen_packer) % 8 == 0, "zstd's storage behind it is aligned");

static size_t compressor_bytes(void)
{
    ZSTD_compressionParameters p = ZSTD_getCParams(LEVEL_MAX, 0, 0);

    p.windowLog = WINDOW_LOG;
    return ZSTD_estimateCStreamSize_usingCParams(p);
}

static size_t decompressor_bytes(void)
{
    return ZSTD_estimateDStreamSize((size_t)1 << WINDOW_LOG);
}

size_t tdm_screen_packer_bytes(void)
{
    return sizeof(struct tdm_screen_packer) + compressor_bytes();
}

size_t tdm_screen_unpacker_bytes(void)
{
    return sizeof(struct tdm_screen_unpacker) + decompressor_bytes();
}

struct tdm_screen_packer *tdm_screen_packer_init(void *storage, int level)
{
    struct tdm_screen_packer *p = storage;

    p->zstd = ZSTD_initStaticCCtx(p + 1, compressor_bytes());
    assert(p->zstd && level <= LEVEL_MAX);
    size_t failed = ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_compressionLevel, level);

    if (!ZSTD_isError(failed))
        failed = ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_windowLog, WINDOW_LOG);
    assert(!ZSTD_isError(failed));
    return p;
}

struct tdm_screen_unpacker *tdm_screen_unpacker_init(void *storage)
{
    struct tdm_screen_unpacker *u = storage;

    u->zstd = ZSTD_initStaticDCtx(u + 1, decompressor_bytes());
    assert(u->zstd);
    size_t failed = ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, WINDOW_LOG);

    assert(!ZSTD_isError(failed));
    return u;
}

static size_t plain_bytes(const struct tdm_screen_rect *rect)
{
    return (size_t)rect->width * (size_t)rect->height * PIXEL_BYTES;
}

size_t tdm_screen_pack_bound(const struct tdm_screen_rect *rect)
{
    return ZSTD_compressBound(plain_bytes(rect)) + 32;
}

/* As many rows from y on as the room has place for. */
static int rows_at_once(const struct tdm_screen_rect *rect, int y)
{
    int most = (int)(ROWS_BYTES / ((size_t)rect->width * PIXEL_BYTES));

    return most < rect->height - y ? most : rect->height - y;
}

enum tdm_err tdm_screen_pack(struct tdm_screen_packer *packer, const struct tdm_screen_image *seen,
                             const struct tdm_screen_rect *rect,
                             const struct tdm_screen_source *source, struct tdm_writer *w)
{
    ZSTD_outBuffer out = {w->at, tdm_writer_left(w), 0};

    if (!w->ok || tdm_writer_left(w) < tdm_screen_pack_bound(rect))
        return TDM_E_SPACE;
    for (int y = 0, count; y < rect->height; y += count) {
        struct tdm_screen_rect piece = {0, 0, rect->width, count = rows_at_once(rect, y)};
        struct tdm_writer rows = tdm_writer_of(packer->rows, ROWS_BYTES);
        struct tdm_screen_rect at = {rect->x, rect->y + y, piece.width, piece.height};

        tdm_screen_raw_encode(
            seen, &at,
            &(struct tdm_screen_source){source->pixels + y * source->stride, source->stride},
            &rows);
        ZSTD_inBuffer in = {packer->rows, tdm_writer_size(&rows), 0};
        size_t left = ZSTD_compressStream2(
            packer->zstd, &out, &in, y + count < rect->height ? ZSTD_e_continue : ZSTD_e_flush);

        if (ZSTD_isError(left) || in.pos < in.size || (y + count == rect->height && left))
            return TDM_E_SYSTEM;
    }
    (void)tdm_write_reserve(w, out.pos);
    return TDM_OK;
}

enum tdm_err tdm_screen_unpack(struct tdm_screen_unpacker *unpacker,
                               const struct tdm_screen_image *seen,
                               const struct tdm_screen_rect *rect, const uint8_t *data, size_t size)
{
    ZSTD_inBuffer in = {data, size, 0};

    for (int y = 0, count; y < rect->height; y += count) {
        struct tdm_screen_rect at = {rect->x, rect->y + y, rect->width,
                                     count = rows_at_once(rect, y)};
        ZSTD_outBuffer out = {unpacker->rows, plain_bytes(&at), 0};

        for (size_t before = SIZE_MAX; out.pos < out.size && out.pos + in.pos != before;) {
            before = out.pos + in.pos;
            if (ZSTD_isError(ZSTD_decompressStream(unpacker->zstd, &out, &in)))
                return TDM_E_MALFORMED;
        }
        if (out.pos < out.size)
            return TDM_E_MALFORMED;
        struct tdm_reader rows = tdm_reader_of(unpacker->rows, out.size);

        tdm_screen_raw_decode(seen, &at, &rows);
    }
    /* Nothing more may come out, and everything must have gone in. */
    for (size_t before = SIZE_MAX; in.pos != before;) {
        ZSTD_outBuffer more = {unpacker->rows, 1, 0};

        before = in.pos;
        if (ZSTD_isError(ZSTD_decompressStream(unpacker->zstd, &more, &in)) || more.pos)
            return TDM_E_MALFORMED;
    }
    return in.pos == in.size ? TDM_OK : TDM_E_MALFORMED;
}
