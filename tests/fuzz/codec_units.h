/* SPDX-License-Identifier: MIT */
#ifndef TDM_TESTS_FUZZ_CODEC_UNITS_H
#define TDM_TESTS_FUZZ_CODEC_UNITS_H

/* A fuzz input for a decoder is a row of coded units, each behind its size in two bytes, so that
 * mutations reach what a decoder keeps from one unit to the next. */

#include "codecs/codec.h"
#include "engine/base/bytes.h"

#include <stdlib.h>

/** The next unit in a heap block of its own with the padding that decoders are promised; NULL at
 *  the end. A size beyond the input means: all that is left. */
static inline uint8_t *take_unit(struct tdm_reader *r, size_t *size)
{
    if (tdm_reader_left(r) < 2)
        return NULL;
    *size = tdm_read_u16(r);
    if (*size > tdm_reader_left(r))
        *size = tdm_reader_left(r);
    uint8_t *unit = calloc(1, *size + TDM_DECODER_PADDING);
    const uint8_t *bytes = tdm_read_bytes(r, *size);

    if (!unit)
        abort();
    if (bytes && *size)
        memcpy(unit, bytes, *size);
    return unit;
}

/** Decodes all units and reads every pixel of what comes out. */
static inline void decode_units(enum tdm_codec_id id, const uint8_t *data, size_t size)
{
    const struct tdm_video_decoder_ops *ops = tdm_video_decoder_find(id);
    struct tdm_reader r = tdm_reader_of(data, size);
    struct tdm_video_decoder *dec;
    volatile unsigned sum = 0;
    uint8_t *unit;
    size_t unit_size;

    if (!ops) /* A build without this codec. */
        return;
    if (ops->create(&dec, NULL) != TDM_OK)
        abort();
    while ((unit = take_unit(&r, &unit_size))) {
        struct tdm_picture pic;

        if (ops->decode(dec, unit, unit_size, &pic) == TDM_OK)
            for (int plane = 0; plane < 3; plane++)
                for (int y = 0; y < (plane ? pic.height / 2 : pic.height); y++)
                    for (int x = 0; x < (plane ? pic.width / 2 : pic.width); x++)
                        sum = sum + pic.planes[plane][(ptrdiff_t)y * pic.strides[plane] + x];
        free(unit);
    }
    ops->destroy(dec);
}

#endif
