/* SPDX-License-Identifier: MIT */
/*
 * Replays a recording of a screen (bench/pixels/record.py), from standard input, through the two
 * cores of a shared screen, and beside them through the yardstick: the smallest rectangle around
 * what changed, in one kept zstd stream of level 1 with a window of 8 MB. Frames are --every
 * milliseconds of virtual time apart. What the viewer has at the end of each frame is compared with
 * the recording, if it says that it is exact. Prints one line of JSON.
 */
#include "collab/screen.h"
#include "engine/base/tile.h"
#include "engine/io/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define FRAMES_MAX  4096
#define CHUNK_BYTES 16384
#define WIRE_BYTES  30 /* Around each piece: a TLS record's 22, the channel's head of about 8. */
#define TICK        (10 * TDM_MS)
#define EXACT_WAIT  (10 * TDM_S)

struct sizes {
    double bytes[FRAMES_MAX], wire[FRAMES_MAX], yardstick[FRAMES_MAX];
    double host_ms[FRAMES_MAX], view_ms[FRAMES_MAX];
    int count;
};

static struct {
    int width, height;
    uint8_t *now, *before, *packed;
    size_t packed_size;
    struct tdm_screen_host *host;
    struct tdm_screen_view *view;
    void *view_surface;
    struct tdm_screen_host_out host_out;
    struct tdm_screen_view_out view_out;
    ZSTD_CCtx *zstd;
    tdm_time time;
    tdm_time host_ns, view_ns;
    size_t bytes, pieces, refined;
    uint64_t rate_bps;
    bool exact;
    struct sizes sizes;
    uint32_t inexact_frames, wrong_frames;
} b;

static void give_up(const char *why)
{
    fprintf(stderr, "replay: %s\n", why);
    exit(1);
}

static void *room(size_t size)
{
    void *p = calloc(1, size);

    if (!p)
        give_up("There is not enough memory.");
    return p;
}

static void host_step(const struct tdm_screen_host_in *in)
{
    tdm_time begin = tdm_clock_process_cpu();

    tdm_screen_host_step(b.host, b.time, in, &b.host_out);
    b.host_ns += tdm_clock_process_cpu() - begin;
    if (b.host_out.failed)
        give_up(b.host_out.why);
}

static void view_step(const struct tdm_screen_view_in *in)
{
    tdm_time begin = tdm_clock_process_cpu();

    tdm_screen_view_step(b.view, in, &b.view_out);
    b.view_ns += tdm_clock_process_cpu() - begin;
}

static const struct tdm_screen_view_surface *surface(void)
{
    static struct tdm_screen_view_surface all[TDM_SCREEN_SURFACES_MAX];

    return tdm_screen_view_surfaces(b.view, all) ? all : NULL;
}

static void give_storage(void)
{
    const struct tdm_screen_view_surface *s = surface();

    if (!s || !s->fresh)
        return;
    free(b.view_surface);
    b.view_surface = room(tdm_screen_view_surface_bytes(s->surface.width, s->surface.height));
    struct tdm_screen_view_in in = {
        .kind = TDM_SCREEN_VIEW_STORAGE, .surface = s->surface.id, .storage = b.view_surface};

    view_step(&in);
}

static void shown(void)
{
    struct tdm_screen_view_in in = {.kind = TDM_SCREEN_VIEW_SHOWN,
                                    .frame_id = b.view_out.frame_id,
                                    .decode_us = 1000,
                                    .time = b.time};

    b.exact = b.view_out.exact;
    view_step(&in);
}

static void deliver(const uint8_t *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        struct tdm_screen_view_in in = {
            .kind = TDM_SCREEN_VIEW_BYTES, .data = data + done, .size = size - done};

        view_step(&in);
        done += b.view_out.consumed;
        if (b.view_out.event == TDM_SCREEN_VIEW_EV_SURFACES)
            give_storage();
        else if (b.view_out.event == TDM_SCREEN_VIEW_EV_FRAME)
            shown();
        else if (b.view_out.event == TDM_SCREEN_VIEW_EV_FAILED ||
                 b.view_out.event == TDM_SCREEN_VIEW_EV_RESYNC)
            give_up(b.view_out.why ? b.view_out.why : "A frame did not prove.");
    }
}

static void answer(void)
{
    uint8_t data[1400];
    struct tdm_screen_view_in in = {
        .kind = TDM_SCREEN_VIEW_PULL, .room = data, .size = sizeof data};

    for (;;) {
        view_step(&in);
        if (!b.view_out.filled)
            return;
        struct tdm_screen_host_in heard = {
            .kind = TDM_SCREEN_HOST_ANSWER, .data = data, .size = b.view_out.filled};

        host_step(&heard);
    }
}

static bool pull(enum tdm_screen_host_input kind)
{
    uint8_t data[CHUNK_BYTES];
    struct tdm_screen_host_in in = {.kind = kind, .room = data, .size = sizeof data};

    host_step(&in);
    if (!b.host_out.filled)
        return false;
    size_t size = b.host_out.filled;

    b.bytes += size;
    b.refined += kind == TDM_SCREEN_HOST_PULL_REFINE ? size : 0;
    b.pieces++;
    deliver(data, size);
    answer();
    return true;
}

static void run(tdm_time duration)
{
    for (tdm_time end = b.time + duration; b.time < end; b.time += TICK) {
        host_step(NULL);
        for (;;) {
            if (b.host_out.screen_ready && pull(TDM_SCREEN_HOST_PULL))
                continue;
            if (b.host_out.refine_ready && pull(TDM_SCREEN_HOST_PULL_REFINE))
                continue;
            break;
        }
        answer();
    }
}

/* The smallest rectangle around what differs; false: nothing does. */
static bool changed(struct tdm_screen_rect *rect)
{
    int left = b.width, right = 0, top = b.height, bottom = 0;

    for (int y = 0; y < b.height; y++) {
        for (int x = 0; x < b.width; x += TDM_SCREEN_TILE) {
            int width = b.width - x < TDM_SCREEN_TILE ? b.width - x : TDM_SCREEN_TILE;
            size_t at = ((size_t)y * (size_t)b.width + (size_t)x) * 4;

            if (!memcmp(b.now + at, b.before + at, (size_t)width * 4))
                continue;
            left = x < left ? x : left;
            right = x + width > right ? x + width : right;
            top = y < top ? y : top;
            bottom = y + 1;
        }
    }
    *rect = (struct tdm_screen_rect){left, top, right - left, bottom - top};
    return right > 0;
}

static size_t yardstick(const struct tdm_screen_rect *rect)
{
    ZSTD_outBuffer out = {b.packed, b.packed_size, 0};

    for (int y = 0; y < rect->height; y++) {
        ZSTD_inBuffer in = {b.now + ((size_t)(rect->y + y) * (size_t)b.width + (size_t)rect->x) * 4,
                            (size_t)rect->width * 4, 0};
        ZSTD_EndDirective end = y + 1 < rect->height ? ZSTD_e_continue : ZSTD_e_flush;

        if (ZSTD_isError(ZSTD_compressStream2(b.zstd, &out, &in, end)) || in.pos < in.size)
            give_up("zstd failed.");
    }
    return out.pos;
}

static void check(void)
{
    const struct tdm_screen_view_surface *s = surface();

    if (!b.exact) {
        b.inexact_frames++;
        return;
    }
    for (int y = 0; y < b.height; y++)
        for (int x = 0; x < b.width; x++)
            if (memcmp(s->pixels + y * s->stride + (ptrdiff_t)x * 4,
                       b.now + ((ptrdiff_t)y * b.width + x) * 4, 3) != 0) {
                b.wrong_frames++;
                return;
            }
}

static void frame(tdm_time every)
{
    struct tdm_screen_rect rect;
    int at = b.sizes.count;

    if (!changed(&rect))
        return;
    struct tdm_screen_host_in damage = {.kind = TDM_SCREEN_HOST_DAMAGE, .rects = &rect, .count = 1};

    b.bytes = b.pieces = 0;
    b.host_ns = b.view_ns = 0;
    host_step(&damage);
    run(every);
    for (tdm_time begin = b.time; !at && !b.exact && b.time - begin < EXACT_WAIT;)
        run(TICK);
    check();
    b.sizes.bytes[at] = (double)b.bytes;
    b.sizes.wire[at] = (double)(b.bytes + b.pieces * WIRE_BYTES);
    b.sizes.yardstick[at] = (double)yardstick(&rect);
    b.sizes.host_ms[at] = (double)b.host_ns / TDM_MS;
    b.sizes.view_ms[at] = (double)b.view_ns / TDM_MS;
    memcpy(b.before, b.now, (size_t)b.width * (size_t)b.height * 4);
    if (b.sizes.count < FRAMES_MAX - 1)
        b.sizes.count++;
}

static void open_all(void)
{
    struct tdm_screen_host_config host = {.cache_tiles = 4096};
    struct tdm_screen_view_config view = {.cache_tiles = 4096, .pixels_max = 1u << 26};
    uint16_t width = (uint16_t)b.width, height = (uint16_t)b.height;
    struct tdm_screen_shared shared = {
        .surface = {.primary = true, .width = width, .height = height, .name = "recording"},
        .pixels = b.now,
        .stride = (ptrdiff_t)b.width * 4,
        .storage = room(tdm_screen_host_surface_bytes(width, height))};
    struct tdm_screen_host_in surfaces = {
        .kind = TDM_SCREEN_HOST_SURFACES, .shared = &shared, .count = 1};
    struct tdm_screen_host_in restart = {.kind = TDM_SCREEN_HOST_RESTART};
    struct tdm_screen_host_in link = {
        .kind = TDM_SCREEN_HOST_LINK, .rate_bps = b.rate_bps, .rtt = 40 * TDM_MS};
    struct tdm_screen_view_in begin = {.kind = TDM_SCREEN_VIEW_RESTART};

    b.time = TDM_S;
    b.host = tdm_screen_host_init(room(tdm_screen_host_bytes(&host)), &host, b.time);
    b.view = tdm_screen_view_init(room(tdm_screen_view_bytes(&view)), &view);
    host_step(&surfaces);
    host_step(&restart);
    host_step(&link);
    view_step(&begin);
    answer();
    b.zstd = ZSTD_createCCtx();
    if (!b.zstd || ZSTD_isError(ZSTD_CCtx_setParameter(b.zstd, ZSTD_c_compressionLevel, 1)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(b.zstd, ZSTD_c_windowLog, 23)))
        give_up("zstd cannot be set up.");
}

static int by_value(const void *a, const void *c)
{
    double x = *(const double *)a, y = *(const double *)c;

    return (x > y) - (x < y);
}

/* Of all frames but the first, which is everything. */
static void print_of(const char *name, double *values, int count)
{
    double sum = 0;

    for (int i = 1; i < count; i++)
        sum += values[i];
    printf("\"%s\": {\"first\": %.3f, ", name, values[0]);
    qsort(values + 1, (size_t)(count - 1), sizeof *values, by_value);
    printf("\"median\": %.3f, \"mean\": %.3f, \"max\": %.3f}, ", values[(count + 1) / 2],
           sum / (count > 1 ? count - 1 : 1), values[count - 1]);
}

static void print_all(tdm_time until_exact)
{
    struct tdm_screen_host_stats s;
    struct sizes *z = &b.sizes;

    tdm_screen_host_stats(b.host, &s);
    printf("{\"frames\": %d, \"rate_bps\": %llu, ", z->count, (unsigned long long)b.rate_bps);
    print_of("bytes", z->bytes, z->count);
    print_of("wire_bytes", z->wire, z->count);
    print_of("kept_zstd_bytes", z->yardstick, z->count);
    print_of("host_ms", z->host_ms, z->count);
    print_of("view_ms", z->view_ms, z->count);
    printf("\"refine_bytes\": %zu, \"inexact_frames\": %u, \"wrong_frames\": %u, "
           "\"exact_at_end\": %s, \"ms_to_exact\": %lld, ",
           b.refined, b.inexact_frames, b.wrong_frames, b.exact ? "true" : "false",
           (long long)(until_exact / TDM_MS));
    const struct {
        const char *name;
        uint64_t pixels, bytes;
    } parts[] = {{"copy", s.pixels_moved, s.bytes_copy},
                 {"cache", s.pixels_cached, s.bytes_cache},
                 {"fill", s.pixels_filled, 0},
                 {"context", s.pixels_context, s.bytes_context},
                 {"zstd", s.pixels_zstd, s.bytes_zstd},
                 {"raw", s.pixels_raw, s.bytes_raw},
                 {"photo", s.pixels_photo, s.bytes_photo},
                 {"refine", s.pixels_refined, s.bytes_refine}};

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        printf("\"%s\": {\"pixels\": %llu, \"bytes\": %llu}%s", parts[i].name,
               (unsigned long long)parts[i].pixels, (unsigned long long)parts[i].bytes,
               i + 1 < sizeof parts / sizeof *parts ? ", " : "}\n");
}

int main(int argc, char **argv)
{
    long every_ms = argc > 1 ? strtol(argv[1], NULL, 10) : 100;

    b.rate_bps = argc > 2 ? strtoull(argv[2], NULL, 10) : 20000000;
    if (every_ms < 10 || scanf("TDMSCREEN %d %d", &b.width, &b.height) != 2 || getchar() != '\n' ||
        b.width < 1 || b.width > TDM_SCREEN_SIDE_MAX || b.height < 1 ||
        b.height > TDM_SCREEN_SIDE_MAX)
        give_up("usage: replay [MILLISECONDS_BETWEEN_FRAMES [BITS_A_SECOND]] < RECORDING");
    size_t size = (size_t)b.width * (size_t)b.height * 4;

    b.now = room(size);
    b.before = room(size);
    memset(b.before, 0x5a, size);
    b.packed_size = ZSTD_compressBound(size) + 1024;
    b.packed = room(b.packed_size);
    open_all();
    while (fread(b.now, 1, size, stdin) == size)
        frame(every_ms * TDM_MS);
    if (!b.sizes.count)
        give_up("The recording is empty.");
    tdm_time begin = b.time;

    while (!b.exact && b.time - begin < EXACT_WAIT)
        run(TICK);
    print_all(b.time - begin);
    return b.wrong_frames > 0 || !b.exact;
}
