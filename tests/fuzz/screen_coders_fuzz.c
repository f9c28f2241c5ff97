/* SPDX-License-Identifier: MIT */
/*
 * The screen's pixel coders. Either a stranger's bytes for rectangles by any coder: nothing outside
 * a rectangle is written, and it ends. Or a picture made of the input: it goes out, comes back the
 * same, and leaves both sides' models the same.
 */
#include "collab/screen_context.h"
#include "collab/screen_photo.h"
#include "collab/screen_residual.h"
#include "collab/screen_zstd.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WIDTH  80
#define HEIGHT 24
#define RECTS  6
#define ROOM   (RECTS * WIDTH * HEIGHT * 48)

struct side {
    struct tdm_screen_context context;
    struct tdm_screen_photo photo;
    struct tdm_screen_residual residual;
    struct tdm_screen_image seen;
    uint8_t pixels[WIDTH * HEIGHT * 4];
};

static struct side host, viewer;
static struct tdm_screen_packer *packer;
static struct tdm_screen_unpacker *unpacker;
static uint8_t stream[ROOM], picture[WIDTH * HEIGHT * 4];

/* All models anew: an input says the same each time. */
static void side_init(struct side *s)
{
    tdm_screen_context_init(&s->context);
    tdm_screen_photo_init(&s->photo);
    tdm_screen_residual_init(&s->residual);
    s->seen = (struct tdm_screen_image){s->pixels, WIDTH * 4, WIDTH, HEIGHT};
    memset(s->pixels, 0, sizeof s->pixels);
}

static struct tdm_screen_rect rect_of(struct tdm_reader *r)
{
    int x = tdm_read_u8(r) % WIDTH, y = tdm_read_u8(r) % HEIGHT;

    return (struct tdm_screen_rect){x, y, 1 + tdm_read_u8(r) % (WIDTH - x),
                                    1 + tdm_read_u8(r) % (HEIGHT - y)};
}

static void decode(int kind, struct tdm_screen_decoder *d, const struct tdm_screen_rect *rect)
{
    if (kind == 0)
        tdm_screen_context_decode(&viewer.context, d, &viewer.seen, rect);
    else if (kind == 1)
        tdm_screen_residual_decode(&viewer.residual, d, &viewer.seen, rect);
    else
        tdm_screen_photo_decode(&viewer.photo, d, &viewer.seen, rect);
}

static void check_outside(const struct tdm_screen_rect *rect, const uint8_t *before)
{
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            if (x < rect->x || x >= rect->x + rect->width || y < rect->y ||
                y >= rect->y + rect->height)
                assert(
                    !memcmp(viewer.pixels + (y * WIDTH + x) * 4, before + (y * WIDTH + x) * 4, 4));
}

static void decode_anything(struct tdm_reader *r)
{
    int kind = tdm_read_u8(r) % 4;
    struct tdm_screen_rect rects[2] = {rect_of(r), rect_of(r)};
    struct tdm_screen_decoder d;

    tdm_screen_decoder_begin(&d, r->at, tdm_reader_left(r));
    for (int i = 0; i < 2; i++) {
        memcpy(picture, viewer.pixels, sizeof picture);
        if (kind == 3)
            (void)tdm_screen_unpack(unpacker, &viewer.seen, &rects[i], r->at, tdm_reader_left(r));
        else
            decode(kind, &d, &rects[i]);
        check_outside(&rects[i], picture);
    }
    (void)tdm_screen_decoder_end(&d);
}

/* Few colours or many, in strokes or dots, as the input says. */
static void paint(struct tdm_reader *r)
{
    uint8_t how = tdm_read_u8(r);
    uint32_t colour = 0;

    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        if (i % (how % 16 + 1) == 0) {
            uint32_t v = tdm_read_u8(r);

            colour = how & 0x40 ? v * 0x010307u : v * 0x010101u;
        }
        colour ^= how & 0x80 ? (uint32_t)i << 24 : 0;
        memcpy(picture + i * 4, &colour, 4);
    }
}

static void encode(int kind, struct tdm_screen_encoder *e, const struct tdm_screen_rect *rect)
{
    struct tdm_screen_source source = {picture + (rect->y * WIDTH + rect->x) * 4, WIDTH * 4};

    if (kind == 0)
        tdm_screen_context_encode(&host.context, e, &host.seen, rect, &source, NULL);
    else if (kind == 1)
        tdm_screen_residual_encode(&host.residual, e, &host.seen, rect, &source);
    else
        tdm_screen_photo_encode(&host.photo, e, &host.seen, rect, &source, rect->x);
    for (int y = 0; y < rect->height && kind < 2; y++)
        for (int x = 0; x < rect->width; x++)
            assert(!memcmp(tdm_screen_at(&host.seen, rect->x + x, rect->y + y),
                           source.pixels + y * source.stride + x * 4, 3));
}

static void round_trip(struct tdm_reader *r)
{
    struct tdm_screen_rect rects[RECTS];
    int kinds[RECTS], count = 1 + tdm_read_u8(r) % RECTS;
    struct tdm_screen_encoder e;
    struct tdm_screen_decoder d;

    for (int i = 0; i < count; i++) {
        kinds[i] = tdm_read_u8(r) % 3;
        rects[i] = rect_of(r);
    }
    paint(r);
    tdm_screen_encoder_begin(&e, stream, sizeof stream);
    for (int i = 0; i < count; i++)
        encode(kinds[i], &e, &rects[i]);
    size_t size = tdm_screen_encoder_end(&e);

    assert(e.ok);
    tdm_screen_decoder_begin(&d, stream, size);
    for (int i = 0; i < count; i++)
        decode(kinds[i], &d, &rects[i]);
    assert(tdm_screen_decoder_end(&d));
    assert(!memcmp(host.pixels, viewer.pixels, sizeof host.pixels));
    assert(!memcmp(&host.context, &viewer.context, sizeof host.context));
    assert(!memcmp(&host.photo, &viewer.photo, sizeof host.photo));
    assert(!memcmp(&host.residual, &viewer.residual, sizeof host.residual));
}

static void pack_round_trip(struct tdm_reader *r)
{
    struct tdm_screen_rect rect = rect_of(r);
    struct tdm_writer w = tdm_writer_of(stream, sizeof stream);
    struct tdm_screen_source source = {picture + (rect.y * WIDTH + rect.x) * 4, WIDTH * 4};

    paint(r);
    assert(tdm_screen_pack(packer, &host.seen, &rect, &source, &w) == TDM_OK);
    assert(tdm_screen_unpack(unpacker, &viewer.seen, &rect, stream, tdm_writer_size(&w)) == TDM_OK);
    assert(!memcmp(host.pixels, viewer.pixels, sizeof host.pixels));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void *storage[2];
    struct tdm_reader r = tdm_reader_of(data, size);

    if (!storage[0]) {
        storage[0] = malloc(tdm_screen_packer_bytes());
        storage[1] = malloc(tdm_screen_unpacker_bytes());
        if (!storage[0] || !storage[1])
            abort();
    }
    packer = tdm_screen_packer_init(storage[0], 1);
    unpacker = tdm_screen_unpacker_init(storage[1]);
    side_init(&host);
    side_init(&viewer);
    uint8_t way = tdm_read_u8(&r) % 4;

    if (way < 2)
        decode_anything(&r);
    else if (way == 2)
        round_trip(&r);
    else
        pack_round_trip(&r);
    return 0;
}
