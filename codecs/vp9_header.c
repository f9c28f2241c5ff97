/* SPDX-License-Identifier: MIT */
#include "codecs/vp9_header.h"

#include "engine/base/bytes.h"

#define SYNC_CODE 0x498342
#define SRGB      7 /* color_space with 4:4:4 samples. */

struct bits {
    struct tdm_reader bytes;
    uint8_t byte;
    unsigned left; /* Unread bits of `byte`. */
};

static uint32_t read_bits(struct bits *b, unsigned count)
{
    uint32_t value = 0;

    while (count--) {
        if (b->left == 0) {
            b->byte = tdm_read_u8(&b->bytes);
            b->left = 8;
        }
        value = value << 1 | ((unsigned)b->byte >> --b->left & 1u);
    }
    return value;
}

static bool read_flag(struct bits *b)
{
    return read_bits(b, 1) != 0;
}

bool tdm_vp9_split(struct tdm_vp9_frames *frames, const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    uint8_t marker = size ? data[size - 1] : 0;
    size_t count = (marker & 7u) + 1, width = (marker >> 3 & 3u) + 1;
    size_t index_size = 2 + count * width;

    *frames = (struct tdm_vp9_frames){.data = {data}, .size = {size}, .count = 1};
    if (marker >> 5 != 6 || size < index_size || data[size - index_size] != marker)
        return size > 0;
    struct tdm_reader index = tdm_reader_of(data + size - index_size + 1, count * width);

    r.end = data + size - index_size;
    frames->count = 0;
    for (size_t i = 0; i < count; i++) {
        size_t frame_size = 0;

        for (size_t byte = 0; byte < width; byte++)
            frame_size |= (size_t)tdm_read_u8(&index) << 8 * byte;
        if (frame_size == 0) /* Libvpx steps over these too. */
            continue;
        frames->size[frames->count] = frame_size;
        frames->data[frames->count++] = tdm_read_bytes(&r, frame_size);
    }
    return r.ok && frames->count > 0;
}

static void read_size(struct bits *b, struct tdm_vp9_header *header)
{
    header->width = (int)read_bits(b, 16) + 1;
    header->height = (int)read_bits(b, 16) + 1;
}

/* False for samples that profile 0 does not have. */
static bool read_color(struct bits *b, const struct tdm_vp9_header *header)
{
    if (header->profile >= 2)
        (void)read_flag(b); /* 10 or 12 bits. */
    if (read_bits(b, 3) == SRGB)
        return (header->profile & 1) != 0;
    (void)read_flag(b); /* Range. */
    if (header->profile & 1)
        (void)read_bits(b, 3); /* Subsampling, reserved. */
    return true;
}

/* What is not a keyframe: an intra picture or one that refers to others. */
static bool read_other(struct bits *b, struct tdm_vp9_header *header, bool resilient)
{
    bool intra_only = header->shown ? false : read_flag(b), found = false;

    if (!resilient)
        (void)read_bits(b, 2); /* Which contexts are reset. */
    if (intra_only) {
        if (read_bits(b, 24) != SYNC_CODE || (header->profile > 0 && !read_color(b, header)))
            return false;
        (void)read_bits(b, 8); /* Which buffers it writes. */
        read_size(b, header);
        return true;
    }
    (void)read_bits(b, 8 + 3 * 4); /* Which buffers it writes and refers to. */
    for (int i = 0; i < 3 && !found; i++)
        found = read_flag(b);
    if (!found)
        read_size(b, header);
    return true;
}

bool tdm_vp9_header_parse(struct tdm_vp9_header *header, const uint8_t *data, size_t size)
{
    struct bits b = {.bytes = tdm_reader_of(data, size)};
    bool good = read_bits(&b, 2) == 2;

    *header = (struct tdm_vp9_header){.profile = read_bits(&b, 1)};
    header->profile |= read_bits(&b, 1) << 1;
    if (header->profile == 3)
        good &= !read_flag(&b);
    header->show_existing = read_flag(&b);
    if (header->show_existing) {
        (void)read_bits(&b, 3);
        header->shown = true;
        return good && b.bytes.ok;
    }
    header->keyframe = !read_flag(&b);
    header->shown = read_flag(&b);
    bool resilient = read_flag(&b);

    if (!header->keyframe)
        good = good && read_other(&b, header, resilient);
    else if (good && read_bits(&b, 24) == SYNC_CODE && read_color(&b, header))
        read_size(&b, header);
    else
        good = false;
    return good && b.bytes.ok;
}
