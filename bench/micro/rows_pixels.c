/* SPDX-License-Identifier: MIT */
/* Pictures: colour conversion and scaling as capture does them, copies, the time code. */
#include "bench/micro/micro.h"
#include "capture/fit.h"
#include "engine/base/bgrx.h"
#include "engine/base/cpu.h"
#include "engine/base/full_range.h"
#include "engine/base/time_code.h"

#include <libavutil/opt.h>
#include <libswscale/swscale.h>
#include <math.h>
#include <string.h>

#define PSNR_MIN_DB 38.0 /* Between ways to scale or convert that round and filter differently. */

struct pixels {
    struct tdm_raw_picture raw; /* What goes in, */
    struct tdm_picture from;    /* the same where it is I420. */
    struct tdm_picture to;
    struct SwsContext *sws;
    struct tdm_fit fit;
};

/* The planes of a picture of I420 that starts `bytes` into memory that is that much larger. */
static void lay(struct tdm_picture *pic, uint8_t *storage, int width, int height, int gap)
{
    tdm_picture_over(pic, storage, width + gap, height);
    pic->width = width;
}

static void lay_out(struct micro_case *c, struct tdm_picture *pic, int width, int height)
{
    int gap = c->timed ? 0 : 2 * (int)micro_between(c, 0, 20);

    c->out_size = tdm_picture_bytes(width + gap, height);
    c->out = micro_take(c, c->out_size, c->timed ? 0 : micro_between(c, 0, 40));
    lay(pic, c->out, width, height, gap);
}

/* Something smooth with edges and a little noise: what scalers and chroma filters agree about. */
static uint8_t scene(struct micro_case *c, int x, int y, int channel)
{
    double wave = 60 * sin(0.021 * x + channel) + 50 * cos(0.017 * y - channel);
    int edge = (x / 160 + y / 120) % 2 ? 12 : -12;

    return (uint8_t)(128 + (int)wave + edge + (int)tdm_rng_below(&c->rng, 3));
}

static void make_screen(struct micro_case *c, struct pixels *p, int width, int height)
{
    int stride = width * 4 + (c->timed ? 0 : 4 * (int)micro_between(c, 0, 9));
    size_t bytes = (size_t)stride * (size_t)height;
    uint8_t *screen = micro_bytes(c, bytes);

    for (int y = 0; y < height; y++)
        for (int x = 0; x < 3 * width; x++)
            screen[(ptrdiff_t)y * stride + x / 3 * 4 + x % 3] = scene(c, x / 3, y, x % 3);
    p->raw = (struct tdm_raw_picture){.data = {screen},
                                      .strides = {stride},
                                      .width = width,
                                      .height = height,
                                      .format = AV_PIX_FMT_BGR0};
}

static void make_i420(struct micro_case *c, struct pixels *p, int width, int height)
{
    uint8_t *storage = micro_take(c, tdm_picture_bytes(width, height), 0);

    tdm_picture_over(&p->from, storage, width, height);
    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < height / (plane ? 2 : 1); y++)
            for (int x = 0; x < width / (plane ? 2 : 1); x++)
                p->from.planes[plane][(ptrdiff_t)y * p->from.strides[plane] + x] =
                    scene(c, x, y, plane);
    p->raw =
        (struct tdm_raw_picture){.width = width, .height = height, .format = AV_PIX_FMT_YUV420P};
    for (int i = 0; i < 3; i++) {
        p->raw.data[i] = p->from.planes[i];
        p->raw.strides[i] = p->from.strides[i];
    }
}

static struct pixels *state_of(struct micro_case *c)
{
    return c->state = micro_take(c, sizeof(struct pixels), 0);
}

/* As capture/fit.c sets it up, without what that does itself. */
static bool open_sws(struct pixels *p)
{
    const struct {
        const char *name;
        int64_t value;
    } options[] = {
        {"srcw", p->raw.width},
        {"srch", p->raw.height},
        {"src_format", p->raw.format},
        {"src_range", p->raw.full_range},
        {"dstw", p->to.width},
        {"dsth", p->to.height},
        {"dst_format", AV_PIX_FMT_YUV420P},
        {"sws_flags", SWS_BILINEAR},
    };

    p->sws = sws_alloc_context();
    for (size_t i = 0; p->sws && i < sizeof options / sizeof *options; i++)
        if (av_opt_set_int(p->sws, options[i].name, options[i].value, 0) < 0)
            return false;
    return p->sws && sws_init_context(p->sws, NULL, NULL) >= 0 &&
           tdm_fit_open(&p->fit, p->to.width, p->to.height);
}

static void drop(struct micro_case *c)
{
    struct pixels *p = c->state;

    sws_freeContext(p->sws);
    tdm_fit_close(&p->fit);
}

static void run_sws(const struct pixels *p)
{
    (void)sws_scale(p->sws, p->raw.data, p->raw.strides, 0, p->raw.height, p->to.planes,
                    p->to.strides);
}

/* --- A screen into a picture of its size. --- */

static bool screen_variant(size_t at, struct micro_variant *variant)
{
    if (at < tdm_bgrx_variant_count)
        *variant = (struct micro_variant){tdm_bgrx_variants[at].name,
                                          tdm_cpu_has(tdm_bgrx_variants[at].needs)};
    else
        *variant =
            (struct micro_variant){at == tdm_bgrx_variant_count ? "capture/fit" : "swscale", true};
    return at < tdm_bgrx_variant_count + 2;
}

static bool screen_make(struct micro_case *c)
{
    struct pixels *p = state_of(c);
    int width = 2 * (int)micro_between(c, 8, 640), height = 2 * (int)micro_between(c, 8, 360);

    if (!c->timed) { /* Small ones, or a check takes minutes; libswscale wants rows of 16. */
        width = (width / 4 + 15) / 16 * 16;
        height = height / 4 / 2 * 2 + 2;
    }
    make_screen(c, p, width, height);
    c->bytes = 4.0 * width * height;
    lay_out(c, &p->to, width, height);
    return open_sws(p);
}

static void screen_run(struct micro_case *c, size_t variant)
{
    struct pixels *p = c->state;

    if (variant < tdm_bgrx_variant_count)
        tdm_bgrx_variants[variant].to_i420(&p->to, p->raw.data[0], p->raw.strides[0]);
    else if (variant == tdm_bgrx_variant_count)
        (void)tdm_fit_into(&p->fit, &p->raw, &p->to);
    else
        run_sws(p);
}

/* Ours to the bit; libswscale's chroma may go into the gap behind rows. */
static bool screen_right(struct micro_case *c, size_t variant, const uint8_t *reference)
{
    if (variant < tdm_bgrx_variant_count)
        return !memcmp(c->out, reference, c->out_size);
    return micro_psnr(c->out, reference, c->out_size) >= PSNR_MIN_DB;
}

/* --- A camera's JPEG into a picture of its size. --- */

static bool camera_variant(size_t at, struct micro_variant *variant)
{
    if (at < tdm_full_range_variant_count)
        *variant = (struct micro_variant){tdm_full_range_variants[at].name,
                                          tdm_cpu_has(tdm_full_range_variants[at].needs)};
    else
        *variant = (struct micro_variant){
            at == tdm_full_range_variant_count ? "capture/fit" : "swscale", true};
    return at < tdm_full_range_variant_count + 2;
}

static bool camera_make(struct micro_case *c)
{
    struct pixels *p = state_of(c);
    int width = c->timed ? 1280 : 64 * (int)micro_between(c, 1, 5);
    int height = c->timed ? 720 : 2 * (int)micro_between(c, 1, 60);
    bool is_422 = c->timed || tdm_rng_chance(&c->rng, 0.5);

    make_i420(c, p, width, is_422 ? 2 * height : height);
    p->raw.height = height;
    p->raw.full_range = true;
    p->raw.format = is_422 ? AV_PIX_FMT_YUV422P : AV_PIX_FMT_YUV420P;
    c->bytes = (is_422 ? 2.0 : 1.5) * width * height;
    lay_out(c, &p->to, width, height);
    return open_sws(p);
}

static void camera_run(struct micro_case *c, size_t variant)
{
    struct pixels *p = c->state;
    const struct tdm_full_range from = {
        .planes = {p->raw.data[0], p->raw.data[1], p->raw.data[2]},
        .strides = {p->raw.strides[0], p->raw.strides[1], p->raw.strides[2]},
        .chroma_rows = p->raw.format == AV_PIX_FMT_YUV422P ? 2 : 1,
    };

    if (variant < tdm_full_range_variant_count)
        tdm_full_range_variants[variant].limit(&p->to, &from);
    else if (variant == tdm_full_range_variant_count)
        (void)tdm_fit_into(&p->fit, &p->raw, &p->to);
    else
        run_sws(p);
}

static bool camera_right(struct micro_case *c, size_t variant, const uint8_t *reference)
{
    if (variant < tdm_full_range_variant_count)
        return !memcmp(c->out, reference, c->out_size);
    return micro_psnr(c->out, reference, c->out_size) >= PSNR_MIN_DB;
}

/* --- Scaling. --- */

/* Bilinear between pixel centres where it enlarges, the mean over the area of a new pixel where it
 * shrinks: a triangle as wide as the larger of the two, like libswscale's bilinear filter. */
static double weight_at(double distance, double width)
{
    double part = fabs(distance) / width;

    return part < 1 ? 1 - part : 0;
}

static double tap_row(const uint8_t *row, int size, double centre, double reach)
{
    double sum = 0, weights = 0;

    for (int x = (int)ceil(centre - reach); x <= (int)floor(centre + reach); x++) {
        double weight = weight_at(x - centre, reach);

        sum += weight * row[x < 0 ? 0 : x >= size ? size - 1 : x];
        weights += weight;
    }
    return sum / weights;
}

/* One plane; `scratch` has room for the lines of the source at the width of the target. */
static void scale_plane(const struct tdm_picture *from, struct tdm_picture *to, int plane,
                        double *scratch)
{
    int half = plane ? 2 : 1;
    int fw = from->width / half, fh = from->height / half;
    int tw = to->width / half, th = to->height / half;
    double by_x = (double)fw / tw, by_y = (double)fh / th;
    double reach_x = by_x > 1 ? by_x : 1, reach_y = by_y > 1 ? by_y : 1;

    for (int y = 0; y < fh; y++)
        for (int x = 0; x < tw; x++)
            scratch[y * tw + x] = tap_row(from->planes[plane] + (ptrdiff_t)y * from->strides[plane],
                                          fw, (x + 0.5) * by_x - 0.5, reach_x);
    for (int y = 0; y < th; y++) {
        double centre = (y + 0.5) * by_y - 0.5;
        uint8_t *row = to->planes[plane] + (ptrdiff_t)y * to->strides[plane];

        for (int x = 0; x < tw; x++) {
            double sum = 0, weights = 0;

            for (int k = (int)ceil(centre - reach_y); k <= (int)floor(centre + reach_y); k++) {
                double weight = weight_at(k - centre, reach_y);

                sum += weight * scratch[(k < 0 ? 0 : k >= fh ? fh - 1 : k) * tw + x];
                weights += weight;
            }
            row[x] = (uint8_t)lrint(sum / weights);
        }
    }
}

/* Both sides, and what the plain one needs. */
struct scaling {
    struct pixels p; /* First: what drop knows. */
    struct tdm_picture full;
    double *scratch;
};

static bool scale_make(struct micro_case *c, bool is_screen, int width, int height)
{
    struct scaling *s = c->state = micro_take(c, sizeof *s, 0);
    int to_width = 640, to_height = 360;

    if (!c->timed) {
        to_width = 16 * (int)micro_between(c, 4, 12);
        to_height = to_width / 2;
        width = to_width * (int)micro_between(c, 1, 3);
        height = width / 2;
    }
    if (is_screen)
        make_screen(c, &s->p, width, height);
    else
        make_i420(c, &s->p, width, height);
    tdm_picture_over(&s->full, micro_take(c, tdm_picture_bytes(width, height), 0), width, height);
    s->scratch = micro_take(c, sizeof(double) * (size_t)to_width * (size_t)height, 0);
    c->bytes = (is_screen ? 4 : 1.5) * width * height;
    c->out_size = tdm_picture_bytes(to_width, to_height);
    c->out = micro_take(c, c->out_size, 0);
    tdm_picture_over(&s->p.to, c->out, to_width, to_height);
    return open_sws(&s->p);
}

static bool scale_i420_make(struct micro_case *c)
{
    return scale_make(c, false, 1280, 720);
}

static bool scale_screen_make(struct micro_case *c)
{
    return scale_make(c, true, 1920, 1080);
}

static bool scale_variant(size_t at, struct micro_variant *variant)
{
    static const char *const names[] = {"plain", "capture/fit", "swscale"};

    *variant = (struct micro_variant){at < 3 ? names[at] : NULL, true};
    return at < 3;
}

static void scale_run(struct micro_case *c, size_t variant)
{
    struct scaling *s = c->state;
    struct pixels *p = &s->p;

    if (variant == 1) {
        (void)tdm_fit_into(&p->fit, &p->raw, &p->to);
    } else if (variant == 2) {
        run_sws(p);
    } else {
        if (p->raw.format == AV_PIX_FMT_BGR0)
            tdm_bgrx_variants[0].to_i420(&s->full, p->raw.data[0], p->raw.strides[0]);
        for (int plane = 0; plane < 3; plane++)
            scale_plane(p->raw.format == AV_PIX_FMT_BGR0 ? &s->full : &p->from, &p->to, plane,
                        s->scratch);
    }
}

static bool scale_right(struct micro_case *c, size_t variant, const uint8_t *reference)
{
    (void)variant;
    return micro_psnr(c->out, reference, c->out_size) >= PSNR_MIN_DB;
}

/* --- Copies and the time code. --- */

static bool copy_variant(size_t at, struct micro_variant *variant)
{
    *variant = (struct micro_variant){at ? "engine" : "plain", true};
    return at < 2;
}

static bool copy_make(struct micro_case *c)
{
    struct pixels *p = state_of(c);
    int width = 2 * (int)micro_between(c, 1, 640), height = 2 * (int)micro_between(c, 1, 360);

    if (!c->timed) {
        width = width / 8 * 2 + 2;
        height = height / 8 * 2 + 2;
    }
    make_i420(c, p, width, height);
    lay_out(c, &p->to, width, height);
    c->bytes = 1.5 * width * height;
    return true;
}

static void copy_run(struct micro_case *c, size_t variant)
{
    struct pixels *p = c->state;

    if (variant) {
        tdm_picture_copy(&p->to, &p->from);
        return;
    }
    for (int plane = 0; plane < 3; plane++) {
        for (int y = 0; y < p->from.height / (plane ? 2 : 1); y++) {
            const uint8_t *from = p->from.planes[plane] + (ptrdiff_t)y * p->from.strides[plane];
            volatile uint8_t *to = p->to.planes[plane] + (ptrdiff_t)y * p->to.strides[plane];

            for (int x = 0; x < p->from.width / (plane ? 2 : 1); x++)
                to[x] = from[x];
        }
    }
}

static bool code_variant(size_t at, struct micro_variant *variant)
{
    *variant = (struct micro_variant){at ? "engine" : "drawn time", true};
    return at < 2;
}

static bool code_make(struct micro_case *c)
{
    struct pixels *p = state_of(c);
    int width = 2 * (int)micro_between(c, 68, 640), height = 2 * (int)micro_between(c, 40, 360);
    tdm_time *drawn;

    make_i420(c, p, width, height);
    drawn = micro_take(c, sizeof *drawn, 0);
    *drawn = (tdm_time)(tdm_rng_u64(&c->rng) >> 20) * TDM_US;
    p->from.captured = *drawn;
    tdm_time_code_draw(&p->from, *drawn);
    c->out_size = sizeof(tdm_time);
    c->out = micro_take(c, c->out_size, 0);
    return true;
}

static void code_run(struct micro_case *c, size_t variant)
{
    const struct pixels *p = c->state;
    tdm_time t = 0;

    if (variant)
        (void)tdm_time_code_read(&p->from, &t);
    else
        t = p->from.captured;
    memcpy(c->out, &t, sizeof t);
}

static const struct micro_routine rows[] = {
    {.name = "screen.to_i420",
     .shape = "BGRX 1280x720 into I420 of that size",
     .variant = screen_variant,
     .make = screen_make,
     .run = screen_run,
     .right = screen_right,
     .drop = drop},
    {.name = "camera.to_i420",
     .shape = "4:2:2 in full range 1280x720 into I420 of that size",
     .variant = camera_variant,
     .make = camera_make,
     .run = camera_run,
     .right = camera_right,
     .drop = drop},
    {.name = "screen.scale",
     .shape = "BGRX 1920x1080 into I420 640x360",
     .variant = scale_variant,
     .make = scale_screen_make,
     .run = scale_run,
     .right = scale_right,
     .drop = drop},
    {.name = "i420.scale",
     .shape = "I420 1280x720 into 640x360",
     .variant = scale_variant,
     .make = scale_i420_make,
     .run = scale_run,
     .right = scale_right,
     .drop = drop},
    {.name = "picture.copy",
     .shape = "I420 1280x720",
     .variant = copy_variant,
     .make = copy_make,
     .run = copy_run},
    {.name = "time_code.read",
     .shape = "I420 1280x720",
     .variant = code_variant,
     .make = code_make,
     .run = code_run},
};
const struct micro_list micro_pixels = {rows, sizeof rows / sizeof *rows};
