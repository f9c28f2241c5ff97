/* SPDX-License-Identifier: MIT */
#include "measure/preset.h"

#include "engine/base/rng.h"
#include "measure/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PICTURES 3

size_t tdm_preset_count(const struct tdm_video_encoder_ops *ops)
{
    size_t count = 0;

    while (ops->presets && ops->presets[count])
        count++;
    return count;
}

size_t tdm_preset_index(const struct tdm_video_encoder_ops *ops, const char *name, size_t size)
{
    size_t count = tdm_preset_count(ops), i = 0;

    while (i < count &&
           (strlen(ops->presets[i]) != size || memcmp(ops->presets[i], name, size) != 0))
        i++;
    return i;
}

/* Something with edges, texture and motion, so that presets differ in what they make of it. */
static void draw(struct tdm_picture *pic, int index)
{
    struct tdm_rng rng = tdm_rng_of(7);

    for (int y = 0; y < pic->height; y++) {
        uint8_t *row = pic->planes[0] + (ptrdiff_t)y * pic->strides[0];

        for (int x = 0; x < pic->width; x++) {
            int moved = x + 3 * index, fold = (moved & 63) < 32 ? moved & 31 : 31 - (moved & 31);

            row[x] =
                (uint8_t)(60 + 3 * fold + ((y * moved) >> 7 & 31) + (int)(tdm_rng_u32(&rng) & 7));
        }
    }
    for (int plane = 1; plane < 3; plane++)
        memset(pic->planes[plane], 128, (size_t)pic->width * (size_t)pic->height / 4);
}

static bool hash_of(const struct tdm_video_spec *spec, struct tdm_hash *hash,
                    struct tdm_picture *pic, char text[65])
{
    struct tdm_coder_config config = tdm_video_coder_config(spec);
    struct tdm_coder coder;

    if (tdm_coder_create(&coder, &config, NULL))
        return false;
    for (int i = 0; i < PICTURES; i++) {
        draw(pic, i);
        if (!tdm_coder_encode(&coder, pic, tdm_video_budget_bytes(spec), false, NULL))
            tdm_hash_add(hash, coder.unit, coder.unit_size);
    }
    tdm_coder_destroy(&coder);
    tdm_hash_finish(hash, text);
    return true;
}

static size_t find(const struct tdm_video_spec *spec, struct tdm_hash *hash,
                   struct tdm_picture *pic)
{
    struct tdm_video_spec with = *spec;
    size_t count = tdm_preset_count(spec->ops);
    char wanted[65], text[65];

    with.preset[0] = '\0';
    if (!hash_of(&with, hash, pic, wanted))
        return count;
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(with.preset, sizeof with.preset, "%s", spec->ops->presets[i]);
        if (hash_of(&with, hash, pic, text) && strcmp(text, wanted) == 0)
            return i;
    }
    return count;
}

size_t tdm_preset_of_calls(const struct tdm_video_spec *spec)
{
    size_t found = tdm_preset_count(spec->ops);
    uint8_t *storage = malloc(tdm_picture_bytes(spec->width, spec->height));
    struct tdm_hash hash;
    struct tdm_picture pic;

    if (!storage)
        return found;
    tdm_picture_over(&pic, storage, spec->width, spec->height);
    if (tdm_hash_create(&hash)) {
        found = find(spec, &hash, &pic);
        tdm_hash_destroy(&hash);
    }
    free(storage);
    return found;
}
