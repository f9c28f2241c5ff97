/* SPDX-License-Identifier: MIT */
#include "collab/screen_context.h"
#include "collab/screen_photo.h"
#include "collab/screen_residual.h"
#include "collab/screen_zstd.h"
#include "tests/unit/collab/screen_canvas.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define WIDTH  300
#define HEIGHT 120
#define ROOM   (WIDTH * HEIGHT * 32)

/* What one side of a session has. */
struct side {
    struct tdm_screen_context context;
    struct tdm_screen_photo photo;
    struct tdm_screen_residual residual;
    struct tdm_screen_packer *packer;
    struct tdm_screen_unpacker *unpacker;
    struct tdm_screen_image seen;
};

static struct side host, viewer;
static uint8_t bytes[ROOM];

static void side_init(struct side *s, int level)
{
    tdm_screen_context_init(&s->context);
    tdm_screen_photo_init(&s->photo);
    tdm_screen_residual_init(&s->residual);
    s->packer = tdm_screen_packer_init(malloc(tdm_screen_packer_bytes()), level);
    s->unpacker = tdm_screen_unpacker_init(malloc(tdm_screen_unpacker_bytes()));
    s->seen = canvas_make(WIDTH, HEIGHT);
}

static void side_drop(struct side *s)
{
    free(s->packer);
    free(s->unpacker);
    free(s->seen.pixels);
}

static int set_up(void **state)
{
    (void)state;
    side_init(&host, 1);
    side_init(&viewer, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    side_drop(&host);
    side_drop(&viewer);
    return 0;
}

/* --- A coder each way, by one name. --- */

typedef void encode_fn(struct tdm_screen_encoder *e, const struct tdm_screen_rect *rect,
                       const struct tdm_screen_source *source);
typedef void decode_fn(struct tdm_screen_decoder *d, const struct tdm_screen_rect *rect);

static void context_encode(struct tdm_screen_encoder *e, const struct tdm_screen_rect *rect,
                           const struct tdm_screen_source *source)
{
    tdm_screen_context_encode(&host.context, e, &host.seen, rect, source, NULL);
}

static void context_decode(struct tdm_screen_decoder *d, const struct tdm_screen_rect *rect)
{
    tdm_screen_context_decode(&viewer.context, d, &viewer.seen, rect);
}

static void residual_encode(struct tdm_screen_encoder *e, const struct tdm_screen_rect *rect,
                            const struct tdm_screen_source *source)
{
    tdm_screen_residual_encode(&host.residual, e, &host.seen, rect, source);
}

static void residual_decode(struct tdm_screen_decoder *d, const struct tdm_screen_rect *rect)
{
    tdm_screen_residual_decode(&viewer.residual, d, &viewer.seen, rect);
}

static void photo_encode(struct tdm_screen_encoder *e, const struct tdm_screen_rect *rect,
                         const struct tdm_screen_source *source)
{
    tdm_screen_photo_encode(&host.photo, e, &host.seen, rect, source,
                            (rect->x + rect->y) % TDM_SCREEN_PHOTO_QUALITIES);
}

static void photo_decode(struct tdm_screen_decoder *d, const struct tdm_screen_rect *rect)
{
    tdm_screen_photo_decode(&viewer.photo, d, &viewer.seen, rect);
}

static const struct {
    encode_fn *encode;
    decode_fn *decode;
    bool exact;
} coders[] = {{context_encode, context_decode, true},
              {residual_encode, residual_decode, true},
              {photo_encode, photo_decode, false}};

/* Frames of some rectangles each, by any coder, on pictures of any kind. */
static void any_rectangles_arrive(void **state)
{
    struct tdm_rng rng = tdm_rng_of(1);
    struct tdm_screen_image now = canvas_make(WIDTH, HEIGHT);

    (void)state;
    for (int frame = 0; frame < 60; frame++) {
        struct tdm_screen_rect rects[4];
        size_t kinds[4], count = 1 + tdm_rng_below(&rng, 4), size;
        struct tdm_screen_encoder e;
        struct tdm_screen_decoder d;

        canvas_any(&now, &rng);
        tdm_screen_encoder_begin(&e, bytes, sizeof bytes);
        for (size_t i = 0; i < count; i++) {
            rects[i] = canvas_rect(&now, &rng);
            kinds[i] = tdm_rng_below(&rng, sizeof coders / sizeof *coders);
            struct tdm_screen_source source = tdm_screen_source_of(&now, &rects[i]);

            coders[kinds[i]].encode(&e, &rects[i], &source);
            if (coders[kinds[i]].exact)
                assert_true(canvas_shows(&host.seen, &rects[i], &source));
        }
        size = tdm_screen_encoder_end(&e);
        assert_true(e.ok);
        tdm_screen_decoder_begin(&d, bytes, size);
        for (size_t i = 0; i < count; i++)
            coders[kinds[i]].decode(&d, &rects[i]);
        assert_true(tdm_screen_decoder_end(&d));
        assert_true(canvas_equal(&host.seen, &viewer.seen));
    }
    assert_memory_equal(&host.context, &viewer.context, sizeof host.context);
    assert_memory_equal(&host.photo, &viewer.photo, sizeof host.photo);
    assert_memory_equal(&host.residual, &viewer.residual, sizeof host.residual);
    free(now.pixels);
}

static void raw_and_zstd_arrive(void **state)
{
    struct tdm_rng rng = tdm_rng_of(2);
    struct tdm_screen_image now = canvas_make(WIDTH, HEIGHT);

    (void)state;
    for (int frame = 0; frame < 60; frame++) {
        struct tdm_screen_rect rect = canvas_rect(&now, &rng);
        struct tdm_screen_source source = tdm_screen_source_of(&now, &rect);
        struct tdm_writer w = tdm_writer_of(bytes, sizeof bytes);

        canvas_any(&now, &rng);
        if (frame & 1) {
            tdm_screen_raw_encode(&host.seen, &rect, &source, &w);
            struct tdm_reader r = tdm_reader_of(bytes, tdm_writer_size(&w));

            tdm_screen_raw_decode(&viewer.seen, &rect, &r);
            assert_true(r.ok && !tdm_reader_left(&r));
        } else {
            assert_int_equal(tdm_screen_pack(host.packer, &host.seen, &rect, &source, &w), TDM_OK);
            assert_int_equal(
                tdm_screen_unpack(viewer.unpacker, &viewer.seen, &rect, bytes, tdm_writer_size(&w)),
                TDM_OK);
        }
        assert_true(w.ok);
        assert_true(canvas_shows(&viewer.seen, &rect, &source));
        assert_true(canvas_equal(&host.seen, &viewer.seen));
    }
    free(now.pixels);
}

static void zstd_levels_set_up(void **state)
{
    struct tdm_rng rng = tdm_rng_of(3);
    struct tdm_screen_image now = canvas_make(WIDTH, HEIGHT);
    struct tdm_screen_rect all = {0, 0, WIDTH, HEIGHT};
    struct tdm_screen_source source = tdm_screen_source_of(&now, &all);
    static const int levels[] = {-7, -3, 1, 2, 3};

    (void)state;
    canvas_noise(&now, &rng);
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        struct tdm_writer w = tdm_writer_of(bytes, sizeof bytes);

        host.packer = tdm_screen_packer_init(host.packer, levels[i]);
        viewer.unpacker = tdm_screen_unpacker_init(viewer.unpacker);
        assert_int_equal(tdm_screen_pack(host.packer, &host.seen, &all, &source, &w), TDM_OK);
        size_t first = tdm_writer_size(&w);

        assert_int_equal(tdm_screen_unpack(viewer.unpacker, &viewer.seen, &all, bytes, first),
                         TDM_OK);
        assert_true(canvas_shows(&viewer.seen, &all, &source));
        /* Again: it is in the window. */
        w = tdm_writer_of(bytes, sizeof bytes);
        assert_int_equal(tdm_screen_pack(host.packer, &host.seen, &all, &source, &w), TDM_OK);
        assert_int_equal(
            tdm_screen_unpack(viewer.unpacker, &viewer.seen, &all, bytes, tdm_writer_size(&w)),
            TDM_OK);
        assert_true(tdm_writer_size(&w) < first / 4);
    }
    free(now.pixels);
}

static void zstd_refuses_what_is_not_the_rectangle(void **state)
{
    struct tdm_screen_rect rect = {3, 5, 40, 20}, taller = {3, 5, 40, 21}, lower = {3, 5, 40, 19};
    struct tdm_screen_source source = {host.seen.pixels, host.seen.stride};
    struct tdm_writer w = tdm_writer_of(bytes, sizeof bytes), none = tdm_writer_of(bytes, 10);
    size_t size;

    (void)state;
    assert_int_equal(tdm_screen_pack(host.packer, &host.seen, &rect, &source, &none), TDM_E_SPACE);
    assert_int_equal(tdm_screen_pack(host.packer, &host.seen, &rect, &source, &w), TDM_OK);
    size = tdm_writer_size(&w);

    const struct {
        const struct tdm_screen_rect *rect;
        size_t size;
    } wrong[] = {{&taller, size}, {&lower, size}, {&rect, size - 1}, {&rect, 0}};

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        viewer.unpacker = tdm_screen_unpacker_init(viewer.unpacker);
        assert_int_equal(
            tdm_screen_unpack(viewer.unpacker, &viewer.seen, wrong[i].rect, bytes, wrong[i].size),
            TDM_E_MALFORMED);
    }
    viewer.unpacker = tdm_screen_unpacker_init(viewer.unpacker);
    assert_int_equal(tdm_screen_unpack(viewer.unpacker, &viewer.seen, &rect, bytes, size), TDM_OK);
}

/* --- The range coder. --- */

static void numbers_and_bits_arrive(void **state)
{
    enum { COUNT = 20000 };
    static uint32_t values[COUNT];
    struct tdm_rng rng = tdm_rng_of(4);
    struct tdm_screen_encoder e;
    struct tdm_screen_decoder d;
    struct tdm_screen_number numbers[2];
    tdm_screen_bit bits[2][3];

    (void)state;
    for (int i = 0; i < 2; i++) {
        tdm_screen_number_init(&numbers[i]);
        tdm_screen_bits_init(bits[i], 3);
    }
    tdm_screen_encoder_begin(&e, bytes, sizeof bytes);
    for (int i = 0; i < COUNT; i++) {
        values[i] = tdm_rng_u32(&rng) >> (16 + tdm_rng_below(&rng, 16));
        if (i % 3 == 0)
            tdm_screen_number_encode(&numbers[0], &e, values[i]);
        else if (i % 3 == 1)
            tdm_screen_encode_plain(&e, values[i], 16);
        else /* Nearly always the same, or never. */
            tdm_screen_encode_bit(&e, &bits[0][values[i] % 3], values[i] % 3 != 1);
    }
    size_t size = tdm_screen_encoder_end(&e);

    tdm_screen_decoder_begin(&d, bytes, size);
    for (int i = 0; i < COUNT; i++) {
        if (i % 3 == 0)
            assert_int_equal(tdm_screen_number_decode(&numbers[1], &d), values[i]);
        else if (i % 3 == 1)
            assert_int_equal(tdm_screen_decode_plain(&d, 16), values[i]);
        else
            assert_int_equal(tdm_screen_decode_bit(&d, &bits[1][values[i] % 3]),
                             values[i] % 3 != 1);
    }
    assert_true(tdm_screen_decoder_end(&d));
    assert_memory_equal(bits[0], bits[1], sizeof bits[0]);
}

/* Few decisions make few bytes: what a keystroke's frame depends on. */
static void short_streams_are_short(void **state)
{
    struct tdm_screen_encoder e;
    struct tdm_screen_decoder d;
    struct tdm_rng rng = tdm_rng_of(5);

    (void)state;
    tdm_screen_encoder_begin(&e, bytes, 0);
    assert_int_equal(tdm_screen_encoder_end(&e), 0);
    assert_true(e.ok);
    for (int count = 1; count < 200; count++) {
        uint32_t value = tdm_rng_u32(&rng);

        tdm_screen_encoder_begin(&e, bytes, sizeof bytes);
        for (int i = 0; i < count; i++)
            tdm_screen_encode_plain(&e, value >> i % 32, 1);
        size_t size = tdm_screen_encoder_end(&e);

        assert_in_range(size, 0, (size_t)count / 8 + 1);
        tdm_screen_decoder_begin(&d, bytes, size);
        for (int i = 0; i < count; i++)
            assert_int_equal(tdm_screen_decode_plain(&d, 1), value >> i % 32 & 1);
    }
}

static void too_little_room_is_told(void **state)
{
    struct tdm_rng rng = tdm_rng_of(6);
    struct tdm_screen_image now = canvas_make(WIDTH, HEIGHT);
    struct tdm_screen_rect all = {0, 0, WIDTH, HEIGHT};
    struct tdm_screen_source source = tdm_screen_source_of(&now, &all);
    struct tdm_screen_encoder e;

    (void)state;
    canvas_noise(&now, &rng);
    memset(bytes, 0x5a, sizeof bytes);
    tdm_screen_encoder_begin(&e, bytes, 1000);
    context_encode(&e, &all, &source);
    assert_int_equal(tdm_screen_encoder_end(&e), 0);
    assert_false(e.ok);
    assert_int_equal(bytes[1000], 0x5a);
    free(now.pixels);
}

/* --- What the coders are for. --- */

static size_t context_bytes(const struct tdm_screen_image *now, const struct tdm_screen_rect *rect,
                            struct tdm_screen_context_stats *stats)
{
    struct tdm_screen_source source = tdm_screen_source_of(now, rect);
    struct tdm_screen_encoder e;

    tdm_screen_encoder_begin(&e, bytes, sizeof bytes);
    tdm_screen_context_encode(&host.context, &e, &host.seen, rect, &source, stats);
    return tdm_screen_encoder_end(&e);
}

/* A word that was seen costs little, wherever it appears and on whatever frame. */
static void a_word_is_learnt(void **state)
{
    struct tdm_screen_image now = canvas_make(WIDTH, HEIGHT);
    struct tdm_screen_rect all = {0, 0, WIDTH, HEIGHT}, first = {10, 10, 100, 16};
    struct tdm_screen_rect second = {150, 67, 100, 16};
    size_t once, again;

    (void)state;
    memset(now.pixels, 0xff, (size_t)now.stride * HEIGHT);
    (void)context_bytes(&now, &all, NULL);
    canvas_word(&now, 12, 13, "abcdefghijk");
    once = context_bytes(&now, &first, NULL);
    canvas_word(&now, 152, 70, "abcdefghijk");
    again = context_bytes(&now, &second, NULL);
    assert_in_range(again, 1, once / 2);
    free(now.pixels);
}

static void flat_areas_cost_nothing(void **state)
{
    struct tdm_screen_image now = canvas_make(WIDTH, HEIGHT);
    struct tdm_screen_rect all = {0, 0, WIDTH, HEIGHT};
    struct tdm_screen_context_stats stats = {0};

    (void)state;
    memset(now.pixels, 0x77, (size_t)now.stride * HEIGHT);
    assert_in_range(context_bytes(&now, &all, &stats), 1, 40);
    assert_int_equal(stats.pixels, WIDTH * HEIGHT);
    assert_in_range(stats.runs, WIDTH * (HEIGHT - 4), WIDTH * HEIGHT);
    assert_in_range(stats.literals, 1, 2);
    free(now.pixels);
}

/* The look tells text from a photograph, before and after learning, and guesses the bytes. */
static void a_look_tells_photographs(void **state)
{
    struct tdm_rng rng = tdm_rng_of(7);
    struct tdm_screen_image now = canvas_make(WIDTH, HEIGHT);
    struct tdm_screen_rect all = {0, 0, WIDTH, HEIGHT}, dot = {5, 5, 1, 1};
    struct tdm_screen_source source = tdm_screen_source_of(&now, &all);

    (void)state;
    for (int i = 0; i < 4; i++) {
        if (i < 2)
            canvas_text(&now, &rng);
        else
            canvas_photo(&now, &rng);
        struct tdm_screen_context_guess look =
            tdm_screen_context_look(&host.context, &all, &source);
        struct tdm_screen_context_stats stats = {0};
        size_t size = context_bytes(&now, &all, &stats);

        if (i < 2)
            assert_in_range(look.miss_percent, 0, 15);
        else
            assert_in_range(look.miss_percent, 60, 100);
        assert_in_range(look.bytes, size / 3, size * 3);
        look = tdm_screen_context_look(&host.context, &dot, &source);
        assert_int_equal(look.miss_percent, 0);
    }
    free(now.pixels);
}

static double psnr(const struct tdm_screen_image *a, const struct tdm_screen_image *b)
{
    double sum = 1;
    int colours = 0;

    for (int i = 0; i < a->height * a->width * 4; i++) {
        if (i % 4 == 3)
            continue;
        sum += (a->pixels[i] - b->pixels[i]) * (a->pixels[i] - b->pixels[i]);
        colours++;
    }
    return 10 * log10(255.0 * 255 * colours / sum);
}

static void a_photograph_comes_lossy_then_exact(void **state)
{
    struct tdm_rng rng = tdm_rng_of(8);
    struct tdm_screen_image now = canvas_make(WIDTH, HEIGHT);
    struct tdm_screen_rect all = {0, 0, WIDTH, HEIGHT};
    struct tdm_screen_source source = tdm_screen_source_of(&now, &all);
    struct tdm_screen_encoder e;
    size_t before = SIZE_MAX;
    double quality_before = 100;

    (void)state;
    canvas_photo(&now, &rng);
    for (int quality = 0; quality < TDM_SCREEN_PHOTO_QUALITIES; quality += 6) {
        tdm_screen_photo_init(&host.photo);
        tdm_screen_encoder_begin(&e, bytes, sizeof bytes);
        tdm_screen_photo_encode(&host.photo, &e, &host.seen, &all, &source, quality);
        size_t size = tdm_screen_encoder_end(&e);
        double db = psnr(&host.seen, &now);

        assert_true(size < before && db < quality_before);
        assert_true(quality || db > 44);
        before = size;
        quality_before = db;
    }
    tdm_screen_encoder_begin(&e, bytes, sizeof bytes);
    residual_encode(&e, &all, &source);
    assert_true(tdm_screen_encoder_end(&e) > 0);
    assert_true(canvas_shows(&host.seen, &all, &source));
    free(now.pixels);
}

static void the_quality_keeps_a_budget(void **state)
{
    static const size_t budgets[] = {3000, 6000, 12000};
    struct tdm_rng rng = tdm_rng_of(9);
    struct tdm_screen_image now = canvas_make(WIDTH, HEIGHT);
    struct tdm_screen_rect all = {0, 0, WIDTH, HEIGHT};
    struct tdm_screen_source source = tdm_screen_source_of(&now, &all);

    (void)state;
    canvas_photo(&now, &rng);
    assert_int_equal(tdm_screen_photo_quality(&all, &source, SIZE_MAX), 0);
    assert_int_equal(tdm_screen_photo_quality(&all, &source, 1), TDM_SCREEN_PHOTO_QUALITIES - 1);
    for (size_t i = 0; i < sizeof budgets / sizeof *budgets; i++) {
        int quality = tdm_screen_photo_quality(&all, &source, budgets[i]);
        struct tdm_screen_encoder e;

        tdm_screen_photo_init(&host.photo);
        tdm_screen_encoder_begin(&e, bytes, sizeof bytes);
        tdm_screen_photo_encode(&host.photo, &e, &host.seen, &all, &source, quality);
        assert_in_range(tdm_screen_encoder_end(&e), budgets[i] / 3, budgets[i] * 5 / 4);
    }
    free(now.pixels);
}

static void solid_rectangles_are_found(void **state)
{
    struct tdm_screen_image now = canvas_make(WIDTH, HEIGHT);
    struct tdm_screen_rect rect = {7, 9, 31, 17};
    struct tdm_screen_source source = tdm_screen_source_of(&now, &rect);
    uint32_t colour;

    (void)state;
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            canvas_dot(&now, x, y, 0x123456u | (uint32_t)(x + y) << 24);
    assert_true(tdm_screen_solid(&rect, &source, &colour));
    assert_int_equal(colour, 0x123456);
    tdm_screen_fill(&host.seen, &rect, colour);
    assert_true(canvas_shows(&host.seen, &rect, &source));
    assert_int_equal(*tdm_screen_at(&host.seen, 6, 9), 0);
    assert_int_equal(*tdm_screen_at(&host.seen, 38, 25), 0);
    canvas_dot(&now, 7 + 30, 9 + 16, 0x123457);
    assert_false(tdm_screen_solid(&rect, &source, &colour));
    free(now.pixels);
}

static void rectangles_must_fit(void **state)
{
    static const struct {
        struct tdm_screen_rect rect;
        bool fits;
    } cases[] = {
        {{0, 0, WIDTH, HEIGHT}, true},  {{WIDTH - 1, HEIGHT - 1, 1, 1}, true},
        {{0, 0, 0, 1}, false},          {{0, 0, 1, 0}, false},
        {{-1, 0, 2, 2}, false},         {{0, -1, 2, 2}, false},
        {{1, 0, WIDTH, 1}, false},      {{0, 1, 1, HEIGHT}, false},
        {{0, 0, WIDTH + 1, 1}, false},  {{0x7fffffff, 0, 1, 1}, false},
        {{1, 1, 0x7fffffff, 1}, false}, {{1, 1, 1, 0x7fffffff}, false},
        {{0, 0x7fffffff, 1, 2}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(tdm_screen_rect_fits(&cases[i].rect, &host.seen), cases[i].fits);
}

/* Whatever the bytes are, only the rectangle is written, and it is written to its end. */
static void nonsense_stays_in_its_rectangle(void **state)
{
    struct tdm_rng rng = tdm_rng_of(10);

    (void)state;
    for (int round = 0; round < 60; round++) {
        struct tdm_screen_rect rect = canvas_rect(&viewer.seen, &rng);
        size_t kind = tdm_rng_below(&rng, sizeof coders / sizeof *coders);
        size_t size = tdm_rng_below(&rng, 3000);
        struct tdm_screen_decoder d;

        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)tdm_rng_u32(&rng);
        memset(viewer.seen.pixels, 0x11, (size_t)viewer.seen.stride * HEIGHT);
        tdm_screen_decoder_begin(&d, bytes, size);
        coders[kind].decode(&d, &rect);
        for (int y = 0; y < HEIGHT; y++) {
            for (int x = 0; x < WIDTH; x++) {
                bool inside = x >= rect.x && x < rect.x + rect.width && y >= rect.y &&
                              y < rect.y + rect.height;

                assert_int_equal(tdm_screen_at(&viewer.seen, x, y)[3], inside ? 0 : 0x11);
            }
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(any_rectangles_arrive),
        TEST(raw_and_zstd_arrive),
        TEST(zstd_levels_set_up),
        TEST(zstd_refuses_what_is_not_the_rectangle),
        TEST(numbers_and_bits_arrive),
        TEST(short_streams_are_short),
        TEST(too_little_room_is_told),
        TEST(a_word_is_learnt),
        TEST(flat_areas_cost_nothing),
        TEST(a_look_tells_photographs),
        TEST(a_photograph_comes_lossy_then_exact),
        TEST(the_quality_keeps_a_budget),
        TEST(solid_rectangles_are_found),
        TEST(rectangles_must_fit),
        TEST(nonsense_stays_in_its_rectangle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
