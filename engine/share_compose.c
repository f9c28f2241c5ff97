/* SPDX-License-Identifier: MIT */
#include "engine/share_compose.h"

#include "codecs/codec.h"
#include "engine/base/bgrx.h"
#include "engine/base/rect.h"

#include <stdlib.h>
#include <string.h>

struct region {
    bool used;
    struct tdm_screen_video video;
    struct chain {
        const struct tdm_video_decoder_ops *ops;
        struct tdm_video_decoder *decoder;
        uint8_t codec; /* The decoder's. */
    } chains[TDM_SHARE_WAYS];
    uint8_t *pixels; /* Of the newest picture, BGRX; NULL: there was none. */
};

struct tdm_share_compose {
    struct region regions[TDM_SCREEN_VIDEOS_MAX];  /* By stream. */
    struct tdm_rect left[TDM_SCREEN_SURFACES_MAX]; /* By surface. */
    uint8_t unit[TDM_SCREEN_UNIT_MAX + TDM_DECODER_PADDING];
};

struct tdm_share_compose *tdm_share_compose_create(void)
{
    return calloc(1, sizeof(struct tdm_share_compose));
}

static struct tdm_rect rect_of(const struct tdm_screen_rect *r)
{
    return (struct tdm_rect){r->x, r->y, r->width, r->height};
}

static void close_decoder(struct chain *c)
{
    if (c->decoder)
        c->ops->destroy(c->decoder);
    c->decoder = NULL;
}

static void end(struct tdm_share_compose *c, struct region *r)
{
    struct tdm_rect *left = &c->left[r->video.surface % TDM_SCREEN_SURFACES_MAX];

    if (r->pixels)
        *left = tdm_rect_around(*left, rect_of(&r->video.rect));
    for (int way = 0; way < TDM_SHARE_WAYS; way++)
        close_decoder(&r->chains[way]);
    free(r->pixels);
    *r = (struct region){.used = false};
}

void tdm_share_compose_destroy(struct tdm_share_compose *c)
{
    for (int i = 0; c && i < TDM_SCREEN_VIDEOS_MAX; i++)
        end(c, &c->regions[i]);
    free(c);
}

void tdm_share_compose_set(struct tdm_share_compose *c, const struct tdm_screen_video *videos,
                           uint32_t count)
{
    bool stays[TDM_SCREEN_VIDEOS_MAX] = {false};

    for (uint32_t i = 0; i < count; i++) {
        const struct region *r = &c->regions[videos[i].stream];

        stays[videos[i].stream] = r->used && r->video.frame_id == videos[i].frame_id &&
                                  r->video.surface == videos[i].surface;
    }
    for (int i = 0; i < TDM_SCREEN_VIDEOS_MAX; i++)
        if (!stays[i])
            end(c, &c->regions[i]);
    for (uint32_t i = 0; i < count; i++) {
        c->regions[videos[i].stream].used = true;
        c->regions[videos[i].stream].video = videos[i];
    }
}

static enum tdm_codec_id codec_id(uint8_t codec)
{
    return codec == TDM_SCREEN_VIDEO_H264  ? TDM_CODEC_H264
           : codec == TDM_SCREEN_VIDEO_VP8 ? TDM_CODEC_VP8
                                           : TDM_CODEC_NONE;
}

/* A decoder that takes the region's pictures and nothing larger. */
static bool open_decoder(struct chain *c, uint8_t codec, int width, int height)
{
    struct tdm_cause why;

    if (c->decoder && c->codec == codec)
        return true;
    close_decoder(c);
    c->ops = codec_id(codec) == TDM_CODEC_NONE ? NULL : tdm_video_decoder_find(codec_id(codec));
    if (!c->ops || !c->ops->limit || c->ops->create(&c->decoder, &why) != TDM_OK)
        return false;
    c->codec = codec;
    c->ops->limit(c->decoder, width, height);
    return true;
}

/* An odd last column or row is not coded: it looks like the one before it. */
static void repeat_edges(uint8_t *pixels, int width, int height)
{
    const ptrdiff_t stride = (ptrdiff_t)4 * width;

    for (int y = 0; width & 1 && y < height; y++)
        memcpy(pixels + y * stride + stride - 4, pixels + y * stride + stride - 8, 4);
    if (height & 1)
        memcpy(pixels + (height - 1) * stride, pixels + (height - 2) * stride, (size_t)stride);
}

bool tdm_share_compose_has(const struct tdm_share_compose *c, uint8_t stream, uint32_t frame_id)
{
    return stream < TDM_SCREEN_VIDEOS_MAX && c->regions[stream].used &&
           c->regions[stream].video.frame_id == frame_id;
}

enum tdm_share_drawn tdm_share_compose_unit(struct tdm_share_compose *c,
                                            const struct tdm_screen_unit *unit,
                                            enum tdm_share_way way, uint8_t *surface,
                                            struct tdm_screen_rect *rect)
{
    struct region *r = &c->regions[unit->stream % TDM_SCREEN_VIDEOS_MAX];
    struct chain *chain = &r->chains[way];
    int width = r->video.rect.width, height = r->video.rect.height;
    int even_width = width & ~1, even_height = height & ~1;
    struct tdm_picture picture;

    if (!tdm_share_compose_has(c, unit->stream, unit->frame_id))
        return TDM_SHARE_NOT_DRAWN;
    if (unit->size > TDM_SCREEN_UNIT_MAX || !even_width || !even_height ||
        even_width > TDM_PICTURE_SIDE_MAX || even_height > TDM_PICTURE_SIDE_MAX ||
        !open_decoder(chain, unit->codec, even_width, even_height))
        return TDM_SHARE_BROKEN;
    memcpy(c->unit, unit->data, unit->size);
    memset(c->unit + unit->size, 0, TDM_DECODER_PADDING);
    if (chain->ops->decode(chain->decoder, c->unit, unit->size, &picture) != TDM_OK ||
        picture.width != even_width || picture.height != even_height)
        return TDM_SHARE_BROKEN;
    if (!r->pixels)
        r->pixels = malloc((size_t)4 * (size_t)width * (size_t)height);
    if (!r->pixels)
        return TDM_SHARE_BROKEN;
    tdm_i420_to_bgrx(r->pixels, (ptrdiff_t)4 * width, &picture);
    repeat_edges(r->pixels, width, height);
    *surface = r->video.surface;
    *rect = r->video.rect;
    return TDM_SHARE_DRAWN;
}

static void copy(const struct tdm_screen_image *to, const uint8_t *from, ptrdiff_t stride,
                 struct tdm_rect r)
{
    for (int y = 0; y < r.height; y++)
        memcpy(tdm_screen_at(to, r.x, r.y + y), from + y * stride, (size_t)4 * (size_t)r.width);
}

/* What of a region's picture lies in `where`. */
static void draw(const struct region *r, const struct tdm_screen_image *shown,
                 struct tdm_rect where)
{
    const struct tdm_screen_rect *at = &r->video.rect;
    struct tdm_rect both = tdm_rect_both(where, rect_of(at));
    const ptrdiff_t stride = (ptrdiff_t)4 * at->width;

    both = tdm_rect_both(both, (struct tdm_rect){0, 0, shown->width, shown->height});
    if (r->used && r->pixels && !tdm_rect_empty(both))
        copy(shown, r->pixels + (both.y - at->y) * stride + (ptrdiff_t)4 * (both.x - at->x), stride,
             both);
}

void tdm_share_compose_draw(const struct tdm_share_compose *c, uint8_t stream,
                            const struct tdm_screen_image *shown)
{
    const struct region *r = &c->regions[stream % TDM_SCREEN_VIDEOS_MAX];

    draw(r, shown, rect_of(&r->video.rect));
}

void tdm_share_compose_rect(const struct tdm_share_compose *c, uint8_t surface,
                            const struct tdm_screen_image *shown, const uint8_t *pixels,
                            ptrdiff_t stride, const struct tdm_screen_rect *rect)
{
    struct tdm_rect r =
        tdm_rect_both(rect_of(rect), (struct tdm_rect){0, 0, shown->width, shown->height});

    copy(shown, pixels + r.y * stride + (ptrdiff_t)4 * r.x, stride, r);
    for (int i = 0; i < TDM_SCREEN_VIDEOS_MAX; i++)
        if (c->regions[i].video.surface == surface)
            draw(&c->regions[i], shown, r);
}

bool tdm_share_compose_left(struct tdm_share_compose *c, uint8_t surface,
                            struct tdm_screen_rect *rect)
{
    struct tdm_rect *left = &c->left[surface % TDM_SCREEN_SURFACES_MAX];

    *rect = (struct tdm_screen_rect){left->x, left->y, left->width, left->height};
    if (tdm_rect_empty(*left))
        return false;
    *left = (struct tdm_rect){0, 0, 0, 0};
    return true;
}
