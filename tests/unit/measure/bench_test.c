/* SPDX-License-Identifier: MIT */
/* A bench from its public side: what it refuses, and two small real cells. */
#include "tandem/bench.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define assert_near(a, b, epsilon) assert_true(fabs((a) - (b)) <= (epsilon))

static void test_refused(void **state)
{
    static const struct {
        struct tandem_bench_config config;
        enum tandem_status status;
        const char *says;
    } cases[] = {
        {{.codecs = "h266"}, TANDEM_UNSUPPORTED, "vp8"},
        {{.codecs = "h265"}, TANDEM_UNSUPPORTED, "h265 is only received by this build"},
        {{.codecs = "vp8,hevc:fast"}, TANDEM_UNSUPPORTED, "hevc is only received"},
        {{.codecs = "vp8:ludicrous"}, TANDEM_UNSUPPORTED, "12"},
        {{.codecs = ""}, TANDEM_UNSUPPORTED, "vp8"},
        {{.codecs = "opus:fast"}, TANDEM_UNSUPPORTED, "preset"},
        {{.sizes = "641x480"}, TANDEM_INVALID, "even"},
        {{.sizes = "8000x4000"}, TANDEM_INVALID, "4096"},
        {{.sizes = "big"}, TANDEM_INVALID, "1280x720"},
        {{.rates = "0"}, TANDEM_INVALID, "rate"},
        {{.rates = "fast"}, TANDEM_INVALID, "1.5M"},
        {{.content = "movie"}, TANDEM_INVALID, "slides"},
        {{.content = "text,text"}, TANDEM_INVALID, "twice"},
        {{.content = "camera=/no/such/clip.mkv"}, TANDEM_FAILED, "clip.mkv"},
        {{.fps = 500}, TANDEM_INVALID, "120"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tandem_bench *bench = NULL;
        struct tandem_cause cause = {{0}};

        assert_int_equal(tandem_bench_create(&cases[i].config, &bench, &cause), cases[i].status);
        assert_null(bench);
        if (!strstr(cause.text, cases[i].says))
            fail_msg("\"%s\" does not say \"%s\"", cause.text, cases[i].says);
    }
}

static json_t *run(const struct tandem_bench_config *config)
{
    struct tandem_bench_progress progress = {0};
    struct tandem_bench *bench;
    struct tandem_cause cause = {{0}};
    enum tandem_status status;
    uint32_t steps = 0;

    assert_int_equal(tandem_bench_create(config, &bench, &cause), TANDEM_OK);
    while ((status = tandem_bench_step(bench, &progress, &cause)) != TANDEM_AGAIN) {
        assert_int_equal(status, TANDEM_OK);
        assert_int_equal(progress.done, ++steps);
        assert_true(progress.cell[0] && progress.done <= progress.total);
    }
    assert_int_equal(progress.done, progress.total);
    char *text = tandem_bench_json(bench);

    assert_non_null(text);
    json_t *json = json_loads(text, 0, NULL);

    assert_non_null(json);
    free(text);
    tandem_bench_destroy(bench);
    return json;
}

static double number(const json_t *object, const char *a, const char *b)
{
    const json_t *value = json_object_get(object, a);

    if (b)
        value = json_object_get(value, b);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

static void check_cell(const json_t *cell)
{
    assert_int_equal((int)number(cell, "frames_held", NULL), 0);
    assert_near(number(cell, "latency_ms", "total"),
                number(cell, "latency_ms", "held") + number(cell, "latency_ms", "encode") +
                    number(cell, "latency_ms", "serialise") + number(cell, "latency_ms", "decode"),
                1e-4);
    assert_int_equal((int)number(cell, "encode_ms", "n"), 24); /* Two rounds of 12. */
    assert_int_equal(json_array_size(json_object_get(cell, "bytes")), 12);
    assert_true(number(cell, "encode_ms", "p50") > 0 && number(cell, "decode_ms", "p50") > 0);
    assert_true(number(cell, "first_slice_ms", "p50") <= number(cell, "encode_ms", "p50"));
    assert_true(number(cell, "psnr_db", "all") > 20 && number(cell, "ssim", "all") > 0.5);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* mallinfo2 sees nothing. */
    assert_true(number(cell, "memory_bytes", NULL) > 100000);
#endif
    assert_true(number(cell, "loss", "frames") >= 1 && number(cell, "loss", "bytes") > 0);
    assert_true(json_is_true(json_object_get(cell, "bits_stable")));
}

static void test_two_cells(void **state)
{
    const struct tandem_bench_config config = {
        .codecs = "vp8:12,pcmu",
        .sizes = "320x240",
        .content = "text",
        .rates = "300k,600k",
        .rounds = 2,
        .frames = 12,
    };
    json_t *first = run(&config), *second = run(&config);
    const json_t *cells = json_object_get(first, "video"),
                 *others = json_object_get(second, "video");

    (void)state;
    assert_int_equal(json_array_size(cells), 2);
    for (size_t i = 0; i < 2; i++) {
        const json_t *cell = json_array_get(cells, i), *other = json_array_get(others, i);

        check_cell(cell);
        assert_string_equal(json_string_value(json_object_get(cell, "bits_sha256")),
                            json_string_value(json_object_get(other, "bits_sha256")));
    }
    const json_t *sound = json_array_get(json_object_get(first, "audio"), 0);

    assert_near(number(sound, "delay_ms", NULL), 0, 0);
    assert_true(number(sound, "snr_db", NULL) > 25);
    assert_true(number(sound, "loss", "snr_db") < number(sound, "snr_db", NULL));
    assert_int_equal((int)number(sound, "payload_bytes", "p50"), 160);
    assert_int_equal(json_array_size(json_object_get(first, "recommendations")), 2);
    assert_int_equal(json_array_size(json_object_get(first, "failed")), 0);
    json_decref(first);
    json_decref(second);
}

/* Low-delay Opus looks 2.5 ms ahead (RFC 6716 section 2.1.4), the music mode 4 ms more. */
static void test_opus_delay(void **state)
{
    json_t *report = run(&(struct tandem_bench_config){.codecs = "opus", .quick = true});
    const json_t *audio = json_object_get(report, "audio");

    (void)state;
    assert_near(number(json_array_get(audio, 0), "delay_ms", NULL), 2.5, 0.1);
    assert_near(number(json_array_get(audio, 3), "delay_ms", NULL), 6.5, 0.2);
    json_decref(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_two_cells),
        cmocka_unit_test(test_opus_delay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
