/* SPDX-License-Identifier: MIT */
/*
 * The first frame of a recording (bench/pixels/record.py), from standard input, or a rectangle of
 * it, through the exact coders of a shared screen, through zstd, and, where their libraries are,
 * through PNG and WebP. All of them one thread, from pixels in memory to bytes in memory and back,
 * the best of --runs, and all are checked. A line of JSON for each.
 *
 *     screen_still RUNS [FRAME [X Y WIDTH HEIGHT]] < RECORDING
 */
#include "collab/screen_context.h"
#include "collab/screen_photo.h"
#include "collab/screen_residual.h"
#include "collab/screen_zstd.h"
#include "engine/io/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#ifdef STILL_JPEG
#include <jpeglib.h>
#endif
#ifdef STILL_PNG
#include <png.h>
#endif
#ifdef STILL_WEBP
#include <webp/decode.h>
#include <webp/encode.h>
#endif

#define TILE 64

struct still {
    struct tdm_screen_image page, seen, out;
    uint8_t *packed_rgb; /* Three bytes a pixel, for the libraries. */
    uint8_t *bytes;
    size_t room, size;
    uint8_t *foreign, *jpeg; /* Made by a library. */
};

static struct tdm_screen_context context;
static struct tdm_screen_photo photo;
static struct tdm_screen_residual residual;

static void give_up(const char *why)
{
    fprintf(stderr, "screen_still: %s\n", why);
    exit(1);
}

static void *room(size_t size)
{
    void *p = calloc(1, size);

    if (!p)
        give_up("There is not enough memory.");
    return p;
}

/* One way to code: `how` is its own. */
struct way {
    const char *name;
    void (*encode)(struct still *s, int how);
    void (*decode)(struct still *s, int how);
    int how;
};

/* --- Ours. --- */

static struct tdm_screen_rect piece(const struct still *s, int side, int x, int y)
{
    int width = s->page.width - x, height = s->page.height - y;

    return (struct tdm_screen_rect){x, y, width < side ? width : side,
                                    height < side ? height : side};
}

static void context_encode(struct still *s, int side)
{
    struct tdm_screen_encoder e;

    tdm_screen_context_init(&context);
    tdm_screen_encoder_begin(&e, s->bytes, s->room);
    for (int y = 0; y < s->page.height; y += side) {
        for (int x = 0; x < s->page.width; x += side) {
            struct tdm_screen_rect rect = piece(s, side, x, y);
            struct tdm_screen_source source = tdm_screen_source_of(&s->page, &rect);

            tdm_screen_context_encode(&context, &e, &s->seen, &rect, &source, NULL);
        }
    }
    s->size = tdm_screen_encoder_end(&e);
}

static void context_decode(struct still *s, int side)
{
    struct tdm_screen_decoder d;

    tdm_screen_context_init(&context);
    tdm_screen_decoder_begin(&d, s->bytes, s->size);
    for (int y = 0; y < s->page.height; y += side) {
        for (int x = 0; x < s->page.width; x += side) {
            struct tdm_screen_rect rect = piece(s, side, x, y);

            tdm_screen_context_decode(&context, &d, &s->out, &rect);
        }
    }
}

static void photo_encode(struct still *s, int quality)
{
    struct tdm_screen_rect all = piece(s, TDM_SCREEN_SIDE_MAX, 0, 0);
    struct tdm_screen_source source = tdm_screen_source_of(&s->page, &all);
    struct tdm_screen_encoder e;

    tdm_screen_photo_init(&photo);
    tdm_screen_residual_init(&residual);
    tdm_screen_encoder_begin(&e, s->bytes, s->room);
    tdm_screen_photo_encode(&photo, &e, &s->seen, &all, &source, quality);
    tdm_screen_residual_encode(&residual, &e, &s->seen, &all, &source);
    s->size = tdm_screen_encoder_end(&e);
}

static void photo_decode(struct still *s, int quality)
{
    struct tdm_screen_rect all = piece(s, TDM_SCREEN_SIDE_MAX, 0, 0);
    struct tdm_screen_decoder d;

    (void)quality;
    tdm_screen_photo_init(&photo);
    tdm_screen_residual_init(&residual);
    tdm_screen_decoder_begin(&d, s->bytes, s->size);
    tdm_screen_photo_decode(&photo, &d, &s->out, &all);
    tdm_screen_residual_decode(&residual, &d, &s->out, &all);
}

/* --- Others'. --- */

static size_t pixels_of(const struct still *s)
{
    return (size_t)s->page.width * (size_t)s->page.height;
}

static void rgb_to_out(struct still *s)
{
    for (size_t i = 0; i < pixels_of(s); i++)
        memcpy(s->out.pixels + i * 4, s->packed_rgb + i * 3, 3);
}

static void rgb_from_page(struct still *s)
{
    for (size_t i = 0; i < pixels_of(s); i++)
        memcpy(s->packed_rgb + i * 3, s->page.pixels + i * 4, 3);
}

static void zstd_encode(struct still *s, int level)
{
    rgb_from_page(s);
    s->size = ZSTD_compress(s->bytes, s->room, s->packed_rgb, pixels_of(s) * 3, level);
}

static void zstd_decode(struct still *s, int level)
{
    (void)level;
    (void)ZSTD_decompress(s->packed_rgb, pixels_of(s) * 3, s->bytes, s->size);
    rgb_to_out(s);
}

#ifdef STILL_PNG
static png_image png_head(const struct still *s)
{
    return (png_image){.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)s->page.width,
                       .height = (png_uint_32)s->page.height,
                       .format = PNG_FORMAT_BGR,
                       .flags = PNG_IMAGE_FLAG_FAST};
}

static void png_encode(struct still *s, int slow)
{
    png_image head = png_head(s);
    png_alloc_size_t size = s->room;

    if (slow)
        head.flags = 0;
    rgb_from_page(s);
    (void)png_image_write_to_memory(&head, s->bytes, &size, 0, s->packed_rgb, 0, NULL);
    s->size = size;
}

static void png_decode(struct still *s, int slow)
{
    png_image head = {.version = PNG_IMAGE_VERSION};

    (void)slow;
    (void)png_image_begin_read_from_memory(&head, s->bytes, s->size);
    head.format = PNG_FORMAT_BGR;
    (void)png_image_finish_read(&head, NULL, s->packed_rgb, 0, NULL);
    rgb_to_out(s);
}
#endif

#ifdef STILL_WEBP
static void webp_encode(struct still *s, int method)
{
    WebPConfig config;
    WebPPicture picture;
    WebPMemoryWriter writer;

    (void)WebPConfigInit(&config);
    (void)WebPPictureInit(&picture);
    WebPMemoryWriterInit(&writer);
    config.lossless = 1;
    config.method = method;
    config.quality = 70;
    picture.use_argb = 1;
    picture.width = s->page.width;
    picture.height = s->page.height;
    picture.writer = WebPMemoryWrite;
    picture.custom_ptr = &writer;
    (void)WebPPictureImportBGRX(&picture, s->page.pixels, s->page.width * 4);
    if (!WebPEncode(&config, &picture))
        give_up("libwebp failed.");
    WebPPictureFree(&picture);
    WebPFree(s->foreign);
    s->foreign = writer.mem;
    s->size = writer.size;
}

static void webp_decode(struct still *s, int method)
{
    (void)method;
    (void)WebPDecodeBGRInto(s->foreign, s->size, s->packed_rgb, pixels_of(s) * 3,
                            s->page.width * 3);
    rgb_to_out(s);
}
#endif

/* --- Lossy: ours and JPEG with colours at full resolution. --- */

static void lossy_encode(struct still *s, int quality)
{
    struct tdm_screen_rect all = piece(s, TDM_SCREEN_SIDE_MAX, 0, 0);
    struct tdm_screen_source source = tdm_screen_source_of(&s->page, &all);
    struct tdm_screen_encoder e;

    tdm_screen_photo_init(&photo);
    tdm_screen_encoder_begin(&e, s->bytes, s->room);
    tdm_screen_photo_encode(&photo, &e, &s->seen, &all, &source, quality);
    s->size = tdm_screen_encoder_end(&e);
}

static void lossy_decode(struct still *s, int quality)
{
    struct tdm_screen_rect all = piece(s, TDM_SCREEN_SIDE_MAX, 0, 0);
    struct tdm_screen_decoder d;

    (void)quality;
    tdm_screen_photo_init(&photo);
    tdm_screen_decoder_begin(&d, s->bytes, s->size);
    tdm_screen_photo_decode(&photo, &d, &s->out, &all);
}

#ifdef STILL_JPEG
static void jpeg_encode(struct still *s, int quality)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned long size = 0;

    free(s->jpeg);
    s->jpeg = NULL;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &s->jpeg, &size);
    jpeg.image_width = (JDIMENSION)s->page.width;
    jpeg.image_height = (JDIMENSION)s->page.height;
    jpeg.input_components = 4;
    jpeg.in_color_space = JCS_EXT_BGRX;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, quality, TRUE);
    jpeg.optimize_coding = TRUE;
    jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < s->page.height; y++) {
        JSAMPROW row = tdm_screen_at(&s->page, 0, y);

        (void)jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    s->size = size;
}

static void jpeg_decode(struct still *s, int quality)
{
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;

    (void)quality;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, s->jpeg, s->size);
    (void)jpeg_read_header(&jpeg, TRUE);
    jpeg.out_color_space = JCS_EXT_BGRX;
    (void)jpeg_start_decompress(&jpeg);
    while (jpeg.output_scanline < jpeg.output_height) {
        JSAMPROW row = tdm_screen_at(&s->out, 0, (int)jpeg.output_scanline);

        (void)jpeg_read_scanlines(&jpeg, &row, 1);
    }
    (void)jpeg_finish_decompress(&jpeg);
    jpeg_destroy_decompress(&jpeg);
}
#endif

static const struct way lossy_ways[] = {
    {"photo 3", lossy_encode, lossy_decode, 3},   {"photo 6", lossy_encode, lossy_decode, 6},
    {"photo 9", lossy_encode, lossy_decode, 9},   {"photo 12", lossy_encode, lossy_decode, 12},
    {"photo 15", lossy_encode, lossy_decode, 15},
#ifdef STILL_JPEG
    {"JPEG 95", jpeg_encode, jpeg_decode, 95},    {"JPEG 90", jpeg_encode, jpeg_decode, 90},
    {"JPEG 80", jpeg_encode, jpeg_decode, 80},    {"JPEG 60", jpeg_encode, jpeg_decode, 60},
#endif
};

static double psnr(const struct still *s)
{
    double sum = 0;

    for (size_t i = 0; i < pixels_of(s) * 4; i++) {
        double off = i % 4 == 3 ? 0 : s->out.pixels[i] - s->page.pixels[i];

        sum += off * off;
    }
    return sum > 0 ? 10 * log10(255.0 * 255 * (double)pixels_of(s) * 3 / sum) : 99;
}

static const struct way ways[] = {
    {"context", context_encode, context_decode, TDM_SCREEN_SIDE_MAX},
    {"context, in tiles", context_encode, context_decode, TILE},
    {"photo 6 + residual", photo_encode, photo_decode, 6},
    {"zstd -1", zstd_encode, zstd_decode, 1},
    {"zstd -3", zstd_encode, zstd_decode, 3},
    {"zstd -9", zstd_encode, zstd_decode, 9},
#ifdef STILL_PNG
    {"PNG fast", png_encode, png_decode, 0},
    {"PNG", png_encode, png_decode, 1},
#endif
#ifdef STILL_WEBP
    {"WebP m0", webp_encode, webp_decode, 0},
    {"WebP m2", webp_encode, webp_decode, 2},
    {"WebP m4", webp_encode, webp_decode, 4},
#endif
};

static void measure(struct still *s, const struct way *way, long runs, bool exact)
{
    size_t bytes = pixels_of(s) * 4;
    tdm_time encode = TDM_NEVER, decode = TDM_NEVER;

    for (long i = 0; i < runs; i++) {
        memset(s->seen.pixels, 0, bytes);
        memset(s->out.pixels, 0, bytes);
        tdm_time begin = tdm_clock_process_cpu();

        way->encode(s, way->how);
        tdm_time middle = tdm_clock_process_cpu();

        way->decode(s, way->how);
        tdm_time end = tdm_clock_process_cpu();

        encode = middle - begin < encode ? middle - begin : encode;
        decode = end - middle < decode ? end - middle : decode;
    }
    if (exact && memcmp(s->out.pixels, s->page.pixels, bytes) != 0)
        give_up(way->name);
    printf("{\"coder\": \"%s\", \"bytes\": %zu, \"bits_per_pixel\": %.3f, "
           "\"encode_mpx_s\": %.1f, \"decode_mpx_s\": %.1f, \"psnr_db\": %.2f}\n",
           way->name, s->size, (double)s->size * 8 / (double)pixels_of(s),
           (double)pixels_of(s) * 1000 / (double)encode,
           (double)pixels_of(s) * 1000 / (double)decode, psnr(s));
}

static struct tdm_screen_image frame_of(int number)
{
    struct tdm_screen_image frame;

    if (scanf("TDMSCREEN %d %d", &frame.width, &frame.height) != 2 || getchar() != '\n' ||
        frame.width < 1 || frame.width > TDM_SCREEN_SIDE_MAX || frame.height < 1 ||
        frame.height > TDM_SCREEN_SIDE_MAX)
        give_up("That is no recording.");
    size_t bytes = (size_t)frame.width * (size_t)frame.height * 4;

    frame.stride = (ptrdiff_t)frame.width * 4;
    frame.pixels = room(bytes);
    for (int i = 0; i <= number; i++)
        if (fread(frame.pixels, 1, bytes, stdin) != bytes)
            give_up("The recording has fewer frames.");
    return frame;
}

int main(int argc, char **argv)
{
    long runs = argc > 1 ? strtol(argv[1], NULL, 10) : 3;
    struct tdm_screen_image frame = frame_of(argc > 2 ? (int)strtol(argv[2], NULL, 10) : 0);
    struct tdm_screen_rect rect = {0, 0, frame.width, frame.height};
    struct still s = {.page = frame};

    if (argc > 6)
        rect = (struct tdm_screen_rect){
            (int)strtol(argv[3], NULL, 10), (int)strtol(argv[4], NULL, 10),
            (int)strtol(argv[5], NULL, 10), (int)strtol(argv[6], NULL, 10)};
    if (runs < 1 || !tdm_screen_rect_fits(&rect, &frame))
        give_up("usage: screen_still RUNS [FRAME [X Y WIDTH HEIGHT]] < RECORDING");
    size_t bytes = (size_t)rect.width * (size_t)rect.height * 4;
    struct tdm_screen_source source = tdm_screen_source_of(&frame, &rect);
    struct tdm_screen_rect all = {0, 0, rect.width, rect.height};

    s.page = s.seen = s.out =
        (struct tdm_screen_image){NULL, (ptrdiff_t)rect.width * 4, rect.width, rect.height};
    s.page.pixels = room(bytes);
    s.seen.pixels = room(bytes);
    s.out.pixels = room(bytes);
    s.packed_rgb = room(bytes);
    s.room = bytes * 8 + 65536;
    s.bytes = room(s.room);
    tdm_screen_put(&s.page, &all, &source);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        measure(&s, &ways[i], runs, true);
    for (size_t i = 0; i < sizeof lossy_ways / sizeof *lossy_ways; i++)
        measure(&s, &lossy_ways[i], runs, false);
    return 0;
}
