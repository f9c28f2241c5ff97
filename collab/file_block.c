/* SPDX-License-Identifier: MIT */
#define ZSTD_STATIC_LINKING_ONLY /* For contexts in memory of ours. */
#include "collab/file_block.h"

#include <string.h>
#include <zstd.h>

#define LEVEL       1
#define PROBE_BYTES 65536
#define CTX_ALIGN   64

struct tdm_file_packer {
    ZSTD_CCtx *pack;
    ZSTD_DCtx *unpack;
    uint8_t scratch[TDM_FILE_BLOCK_BYTES];
};

static size_t aligned(size_t size)
{
    return (size + CTX_ALIGN - 1) / CTX_ALIGN * CTX_ALIGN;
}

static size_t pack_bytes(void)
{
    ZSTD_compressionParameters params = ZSTD_getCParams(LEVEL, TDM_FILE_BLOCK_BYTES, 0);

    return aligned(ZSTD_estimateCCtxSize_usingCParams(params)) + aligned(1 << 16);
}

size_t tdm_file_packer_bytes(void)
{
    return aligned(sizeof(struct tdm_file_packer)) + pack_bytes() +
           aligned(ZSTD_estimateDCtxSize()) + CTX_ALIGN;
}

struct tdm_file_packer *tdm_file_packer_init(void *storage)
{
    uint8_t *at = (uint8_t *)aligned((uintptr_t)storage);
    struct tdm_file_packer *p = (struct tdm_file_packer *)(void *)at;

    at += aligned(sizeof *p);
    p->pack = ZSTD_initStaticCCtx(at, pack_bytes());
    p->unpack = ZSTD_initStaticDCtx(at + pack_bytes(), aligned(ZSTD_estimateDCtxSize()));
    return p;
}

static uint32_t squeeze(struct tdm_file_packer *p, uint8_t *out, uint32_t room, const uint8_t *data,
                        uint32_t size)
{
    if (!p->pack)
        return 0;
    size_t packed = ZSTD_compressCCtx(p->pack, out, room, data, size, LEVEL);

    return ZSTD_isError(packed) ? 0 : (uint32_t)packed;
}

static bool saves(uint32_t packed, uint32_t plain)
{
    return packed && packed < plain - plain / 20;
}

static bool all_zeros(const uint8_t *data, uint32_t size)
{
    return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

static struct tdm_file_packed pack_delta(struct tdm_file_packer *p,
                                         const struct tdm_delta_view *view,
                                         const struct tdm_file_packing *how, uint8_t *out)
{
    struct tdm_writer w = tdm_writer_of(p->scratch, view->size - view->size / 10);

    if (tdm_delta_make(how->delta, view, &w) != TDM_OK)
        return (struct tdm_file_packed){0};
    uint32_t size = (uint32_t)tdm_writer_size(&w);
    uint32_t packed = how->zstd ? squeeze(p, out, size, p->scratch, size) : 0;

    if (saves(packed, size))
        return (struct tdm_file_packed){TDM_FILE_DELTA_ZSTD, packed};
    memcpy(out, p->scratch, size);
    return (struct tdm_file_packed){TDM_FILE_DELTA, size};
}

struct tdm_file_packed tdm_file_pack(struct tdm_file_packer *p, const struct tdm_delta_view *view,
                                     const struct tdm_file_packing *how, uint8_t *out)
{
    const uint8_t *data = view->data + view->before;
    uint32_t size = view->size, probe = size < PROBE_BYTES ? size : PROBE_BYTES;

    if (all_zeros(data, size))
        return (struct tdm_file_packed){TDM_FILE_ZEROS, 0};
    if (how->delta && how->delta->count) {
        struct tdm_file_packed packed = pack_delta(p, view, how, out);

        if (packed.size)
            return packed;
    }
    if (how->zstd && saves(squeeze(p, out, probe, data, probe), probe)) {
        uint32_t packed = squeeze(p, out, size, data, size);

        if (saves(packed, size))
            return (struct tdm_file_packed){TDM_FILE_ZSTD, packed};
    }
    memcpy(out, data, size);
    return (struct tdm_file_packed){TDM_FILE_RAW, size};
}

const uint8_t *tdm_file_unpack(struct tdm_file_packer *p, const struct tdm_file_packed *packed,
                               const uint8_t *body, uint32_t *size)
{
    bool delta = packed->encoding & TDM_FILE_DELTA;

    if (packed->encoding == TDM_FILE_RAW)
        return packed->size == *size ? body : NULL;
    if (packed->encoding == TDM_FILE_ZEROS) {
        if (packed->size)
            return NULL;
        memset(p->scratch, 0, *size);
        return p->scratch;
    }
    if (packed->encoding == TDM_FILE_DELTA) {
        *size = packed->size;
        return body;
    }
    if (packed->encoding != TDM_FILE_ZSTD && packed->encoding != TDM_FILE_DELTA_ZSTD)
        return NULL;

    size_t plain = ZSTD_decompressDCtx(p->unpack, p->scratch, *size, body, packed->size);

    if (ZSTD_isError(plain) || (!delta && plain != *size))
        return NULL;
    *size = (uint32_t)plain;
    return p->scratch;
}
