/* SPDX-License-Identifier: MIT */
#include "board/image.h"

#include "engine/base/bytes.h"

static const uint8_t png_begin[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

static bool look_at_png(struct tdm_image_info *info, struct tdm_reader *r)
{
    tdm_read_skip(r, sizeof png_begin + 4);
    const uint8_t *name = tdm_read_bytes(r, 4);

    info->format = TDM_IMAGE_PNG;
    info->width = tdm_read_u32(r);
    info->height = tdm_read_u32(r);
    return r->ok && memcmp(name, "IHDR", 4) == 0;
}

/* ITU-T T.81 annex B: from segment to segment up to the head of the frame. */
static bool look_at_jpeg(struct tdm_image_info *info, struct tdm_reader *r)
{
    info->format = TDM_IMAGE_JPEG;
    tdm_read_skip(r, 2);
    while (r->ok) {
        uint8_t mark = tdm_read_u8(r), kind = tdm_read_u8(r);

        while (r->ok && kind == 0xff) /* Fill. */
            kind = tdm_read_u8(r);
        if (mark != 0xff || !kind)
            return false;
        if (kind == 0x01 || (kind >= 0xd0 && kind <= 0xd8))
            continue; /* Without a size. */
        uint16_t size = tdm_read_u16(r);

        if (kind >= 0xc0 && kind <= 0xcf && kind != 0xc4 && kind != 0xc8 && kind != 0xcc) {
            tdm_read_skip(r, 1);
            info->height = tdm_read_u16(r);
            info->width = tdm_read_u16(r);
            return r->ok;
        }
        if (size < 2 || kind == 0xd9 || kind == 0xda)
            return false;
        tdm_read_skip(r, size - 2u);
    }
    return false;
}

static uint32_t read_le24(struct tdm_reader *r)
{
    uint32_t low = tdm_read_u8(r), middle = tdm_read_u8(r);

    return low | middle << 8 | (uint32_t)tdm_read_u8(r) << 16;
}

/* RFC 9649 sections 2.5 to 2.7. */
static bool look_at_webp(struct tdm_image_info *info, struct tdm_reader *r)
{
    info->format = TDM_IMAGE_WEBP;
    tdm_read_skip(r, 12);
    const uint8_t *name = tdm_read_bytes(r, 4);

    tdm_read_skip(r, 4);
    if (!r->ok)
        return false;
    if (memcmp(name, "VP8X", 4) == 0) {
        tdm_read_skip(r, 4);
        info->width = read_le24(r) + 1;
        info->height = read_le24(r) + 1;
    } else if (memcmp(name, "VP8L", 4) == 0) {
        uint8_t mark = tdm_read_u8(r);
        uint32_t bits = read_le24(r);

        bits |= (uint32_t)tdm_read_u8(r) << 24;
        info->width = (bits & 0x3fff) + 1;
        info->height = (bits >> 14 & 0x3fff) + 1;
        return r->ok && mark == 0x2f;
    } else if (memcmp(name, "VP8 ", 4) == 0) {
        tdm_read_skip(r, 3);
        uint32_t start = tdm_read_u24(r), sides = read_le24(r);

        sides |= (uint32_t)tdm_read_u8(r) << 24;
        info->width = sides & 0x3fff;
        info->height = sides >> 16 & 0x3fff;
        return r->ok && start == 0x9d012a;
    } else {
        return false;
    }
    return r->ok;
}

enum tdm_err tdm_image_look(struct tdm_image_info *info, const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    bool good;

    *info = (struct tdm_image_info){.width = 0};
    if (size >= sizeof png_begin && memcmp(data, png_begin, sizeof png_begin) == 0)
        good = look_at_png(info, &r);
    else if (size >= 3 && data[0] == 0xff && data[1] == 0xd8 && data[2] == 0xff)
        good = look_at_jpeg(info, &r);
    else if (size >= 12 && memcmp(data, "RIFF", 4) == 0 && memcmp(data + 8, "WEBP", 4) == 0)
        good = look_at_webp(info, &r);
    else
        return TDM_E_UNSUPPORTED;
    if (!good || !info->width || !info->height)
        return TDM_E_MALFORMED;
    if (info->width > TDM_IMAGE_SIDE_MAX || info->height > TDM_IMAGE_SIDE_MAX ||
        (uint64_t)info->width * info->height > TDM_IMAGE_PIXELS_MAX)
        return TDM_E_SPACE;
    return TDM_OK;
}

const char *tdm_image_mime(enum tdm_image_format format)
{
    static const char *const types[] = {"image/png", "image/jpeg", "image/webp"};

    return types[format];
}
