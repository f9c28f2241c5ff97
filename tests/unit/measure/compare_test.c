/* SPDX-License-Identifier: MIT */
/* One cell before, one after with a difference; what of it is told. */
#include "measure/report_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DIST                                                                                       \
    "{\"n\": 180, \"p50\": 4.0, \"p95\": 5.0, \"max\": 7.0, \"ci_low\": 3.9, \"ci_high\": 4.1}"

static const char video_cell[] =
    "{\"encoder\": \"x264\", \"preset\": \"superfast\", \"threads\": 1, \"content\": \"camera\","
    " \"width\": 1280, \"height\": 720, \"fps\": 30, \"bps\": 1500000, \"frames_held\": 0,"
    " \"encode_ms\": " DIST ", \"decode_ms\": " DIST ", \"latency_ms\": {\"total\": 40.0},"
    " \"psnr_db\": {\"all\": 38.0}, \"ssim\": {\"all\": 0.95}, \"share\": {\"max\": 1.5},"
    " \"frame_bytes\": {\"p50\": 6000}, \"dropped\": 0, \"loss\": {\"frames\": 2, \"bytes\": "
    "50000},"
    " \"step\": {\"worst_share\": 2.0, \"settled_after\": 4}, \"memory_bytes\": 50000000,"
    " \"cpu_ms\": 4.1, \"fits\": true, \"bits_sha256\": \"aa\"}";

static const char audio_cell[] =
    "{\"encoder\": \"opus\", \"mode\": \"voice\", \"bps\": 48000, \"frame_ms\": 10, \"channels\": "
    "1,"
    " \"delay_ms\": 2.5, \"latency_ms\": {\"total\": 13.5}, \"encode_ms\": " DIST ","
    " \"decode_ms\": " DIST ", \"payload_bytes\": {\"p50\": 60, \"max\": 80}, \"snr_db\": 18.0,"
    " \"loss\": {\"snr_db\": 11.0, \"ms\": 16}, \"memory_bytes\": 60000}";

/* The cells with the values of `patch` ({"path.below": value}) in the one of `list`. */
static char *report_of(const char *list, const char *patch)
{
    json_t *report =
        json_pack("{s:i, s:{s:s}, s:{s:i}, s:[{s:s, s:s}], s:[{s:s, s:i, s:i, s:s}], s:[o], s:[o]}",
                  "tandem_bench", 1, "machine", "cpu", "A", "method", "frames", 60, "libraries",
                  "name", "libx264", "version", "1", "inputs", "content", "camera", "width", 1280,
                  "height", 720, "sha256", "in", "video", json_loads(video_cell, 0, NULL), "audio",
                  json_loads(audio_cell, 0, NULL));
    json_t *changes = json_loads(patch, 0, NULL), *value;
    const char *path;

    assert_non_null(report);
    assert_non_null(changes);
    json_object_foreach(changes, path, value)
    {
        json_t *at = json_array_get(json_object_get(report, list), 0);
        char name[64];

        at = at ? at : json_object_get(report, list); /* Not a list: an object of the report. */
        (void)snprintf(name, sizeof name, "%s", path);
        for (char *dot; (dot = strchr(name, '.')); memmove(name, dot + 1, strlen(dot + 1) + 1)) {
            *dot = 0;
            at = json_object_get(at, name);
            assert_non_null(at);
        }
        if (json_is_null(value))
            (void)json_object_del(at, name);
        else
            (void)json_object_set(at, name, value);
    }
    char *text = json_dumps(report, 0);

    json_decref(changes);
    json_decref(report);
    return text;
}

static json_t *compare(const char *list, const char *before, const char *after)
{
    char *old = report_of(list, before), *new = report_of(list, after);
    struct tandem_cause cause = {""};
    char *text = tandem_bench_compare(new, old, &cause);
    json_t *out = text ? json_loads(text, 0, NULL) : NULL;

    assert_non_null(out);
    free(text);
    free(new);
    free(old);
    return out;
}

/* The opening of a patch of an encode time, open for more. */
#define ENCODE(median, low, high)                                                                  \
    "{\"encode_ms.p50\": " median ", \"encode_ms.ci_low\": " low ", \"encode_ms.ci_high\": " high

enum verdict { SAME, WORSE, BETTER, TOLD };

static void test_figures(void **state)
{
    static const struct {
        const char *list, *patch, *figure;
        enum verdict verdict;
    } cases[] = {
        {"video", "{}", "", SAME},
        /* Times: beyond both intervals, by enough, and backed by the CPU time where it is known. */
        {"video", ENCODE("4.2", "4.05", "4.3") ", \"cpu_ms\": 4.6}", "", SAME},
        {"video", ENCODE("4.39", "4.3", "4.5") ", \"cpu_ms\": 4.6}", "", SAME},
        {"video", ENCODE("4.5", "4.05", "4.6") ", \"cpu_ms\": 4.6}", "", SAME},
        {"video", ENCODE("4.5", "4.3", "4.6") ", \"cpu_ms\": 4.6}", "encode_ms.p50", WORSE},
        {"video", ENCODE("4.5", "4.3", "4.6") ", \"cpu_ms\": 4.2}", "", SAME},
        {"video", ENCODE("4.5", "4.3", "4.6") ", \"cpu_ms\": 3.6}", "", SAME},
        {"video", ENCODE("8.5", "8.3", "8.6") "}", "", SAME},
        {"video", ENCODE("3.5", "3.4", "3.6") ", \"cpu_ms\": 3.6}", "encode_ms.p50", BETTER},
        {"video", ENCODE("4.9", "4.8", "5.0") ", \"cpu_ms\": null}", "", SAME},
        {"video", ENCODE("5.1", "5.0", "5.2") ", \"cpu_ms\": null}", "encode_ms.p50", WORSE},
        {"video", "{\"decode_ms.p50\": 3.1, \"decode_ms.ci_low\": 3, \"decode_ms.ci_high\": 3.2}",
         "", SAME},
        {"video", "{\"decode_ms.p50\": 2.9, \"decode_ms.ci_low\": 2.8, \"decode_ms.ci_high\": 3}",
         "decode_ms.p50", BETTER},
        {"video", "{\"decode_ms.p50\": 5.1, \"decode_ms.ci_low\": 4, \"decode_ms.ci_high\": 6}", "",
         SAME},
        {"video", "{\"latency_ms.total\": 49}", "", SAME},
        {"video", "{\"latency_ms.total\": 51}", "latency_ms.total", WORSE},
        {"video", "{\"latency_ms.total\": 29}", "latency_ms.total", BETTER},
        {"audio", ENCODE("4.9", "4.8", "5.0") "}", "", SAME},
        {"audio", ENCODE("5.1", "5.0", "5.2") "}", "encode_ms.p50", WORSE},
        /* Without an interval: a tenth to either side. */
        {"video", "{\"decode_ms.p50\": 4.5, \"decode_ms.ci_low\": null}", "", SAME},
        {"video", "{\"decode_ms.p50\": 5.2, \"decode_ms.ci_low\": null}", "decode_ms.p50", WORSE},
        /* What the same bits always give: beyond a threshold. */
        {"video", "{\"psnr_db.all\": 37.96}", "", SAME},
        {"video", "{\"psnr_db.all\": 37.9}", "psnr_db.all", WORSE},
        {"video", "{\"psnr_db.all\": 38.1}", "psnr_db.all", BETTER},
        {"video", "{\"ssim.all\": 0.9495}", "", SAME},
        {"video", "{\"ssim.all\": 0.94}", "ssim.all", WORSE},
        {"video", "{\"share.max\": 1.56}", "", SAME},
        {"video", "{\"share.max\": 1.6}", "share.max", WORSE},
        {"video", "{\"frames_held\": 1}", "frames_held", WORSE},
        {"video", "{\"dropped\": 1}", "dropped", WORSE},
        {"video", "{\"fits\": false}", "fits", TOLD},
        {"video", "{\"loss.frames\": 1}", "loss.frames", BETTER},
        {"video", "{\"memory_bytes\": 54900000}", "", SAME},
        {"video", "{\"memory_bytes\": 55100000}", "memory_bytes", WORSE},
        {"video", "{\"cpu_ms\": 4.5}", "", SAME},
        {"video", "{\"cpu_ms\": 5.5}", "cpu_ms", WORSE},
        /* Odd ones say nothing. */
        {"video",
         "{\"psnr_db\": \"high\", \"share\": [], \"encode_ms\": 3, \"memory_bytes\": null}", "",
         SAME},
        {"audio", "{}", "", SAME},
        {"audio", "{\"payload_bytes.p50\": 70}", "payload_bytes.p50", WORSE},
        {"audio", "{\"snr_db\": 17.5}", "snr_db", WORSE},
        {"audio", "{\"snr_db\": 18.05}", "", SAME},
        {"audio", "{\"delay_ms\": 0}", "delay_ms", BETTER},
        {"audio", "{\"loss.snr_db\": 12}", "loss.snr_db", BETTER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *out = compare(cases[i].list, "{}", cases[i].patch);
        const json_t *changes = json_object_get(out, "changes"), *one = json_array_get(changes, 0);

        if (json_array_size(changes) != (cases[i].verdict != SAME))
            fail_msg("%s: %zu changes", cases[i].patch, json_array_size(changes));
        assert_int_equal(json_integer_value(json_object_get(out, "cells")), 2);
        if (one) {
            assert_string_equal(tdm_report_text(one, "figure"), cases[i].figure);
            assert_int_equal(json_is_true(json_object_get(one, "worse")),
                             cases[i].verdict == WORSE);
            assert_int_equal(json_is_true(json_object_get(one, "better")),
                             cases[i].verdict == BETTER);
        }
        json_decref(out);
    }
}

static const json_t *change_of(const json_t *out, const char *figure)
{
    const json_t *one;
    size_t i;

    json_array_foreach(json_object_get(out, "changes"), i, one)
    {
        if (strcmp(tdm_report_text(one, "figure"), figure) == 0)
            return one;
    }
    return NULL;
}

/* It counts beside an encoder or a decoder that went the same way. */
static void test_fits_beside_times(void **state)
{
    static const struct {
        const char *before, *after;
        enum verdict verdict;
    } cases[] = {
        {"{}", ENCODE("4.5", "4.3", "4.6") ", \"cpu_ms\": 4.6, \"fits\": false}", WORSE},
        {"{}", "{\"decode_ms.p50\": 5.2, \"decode_ms.ci_low\": null, \"fits\": false}", WORSE},
        {"{}", "{\"psnr_db.all\": 30, \"fits\": false}", TOLD},
        {"{}", ENCODE("3.5", "3.4", "3.6") ", \"cpu_ms\": 3.6, \"fits\": false}", TOLD},
        {"{\"fits\": false}", ENCODE("3.5", "3.4", "3.6") ", \"cpu_ms\": 3.6}", BETTER},
        {"{\"fits\": false}", "{}", TOLD},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *out = compare("video", cases[i].before, cases[i].after);
        const json_t *fits = change_of(out, "fits");

        assert_non_null(fits);
        assert_int_equal(json_is_true(json_object_get(fits, "worse")), cases[i].verdict == WORSE);
        assert_int_equal(json_is_true(json_object_get(fits, "better")), cases[i].verdict == BETTER);
        json_decref(out);
    }
}

static void test_what_a_change_says(void **state)
{
    json_t *out =
        compare("video", "{}", "{\"psnr_db.all\": 36.1, \"dropped\": 3, \"share.max\": 1}");
    const json_t *changes = json_object_get(out, "changes"), *one;

    (void)state;
    /* Worse before better; from nothing to something before any percentage. */
    assert_int_equal(json_array_size(changes), 3);
    assert_string_equal(tdm_report_text(json_array_get(changes, 0), "figure"), "dropped");
    assert_true(json_is_null(json_object_get(json_array_get(changes, 0), "percent")));
    one = json_array_get(changes, 1);
    assert_string_equal(tdm_report_text(one, "cell"),
                        "x264 superfast 1280x720 30/s camera 1.5 Mb/s");
    assert_string_equal(tdm_report_text(one, "figure"), "psnr_db.all");
    assert_float_equal(tdm_report_number(one, "before"), 38, 1e-6);
    assert_float_equal(tdm_report_number(one, "after"), 36.1, 1e-6);
    assert_float_equal(tdm_report_number(one, "percent"), -5, 1e-6);
    assert_string_equal(tdm_report_text(json_array_get(changes, 2), "figure"), "share.max");
    json_decref(out);
}

static void test_cells_that_do_not_match(void **state)
{
    static const char *const keys[] = {"{\"encoder\": \"vp8\"}", "{\"preset\": \"fast\"}",
                                       "{\"threads\": 2}",       "{\"content\": \"text\"}",
                                       "{\"height\": 480}",      "{\"bps\": 500000}"};

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        json_t *out = compare("video", "{\"psnr_db.all\": 99}", keys[i]);

        assert_int_equal(json_array_size(json_object_get(out, "changes")), 0);
        assert_int_equal(json_array_size(json_object_get(out, "new")), 1);
        assert_int_equal(json_array_size(json_object_get(out, "missing")), 1);
        assert_int_equal(json_integer_value(json_object_get(out, "cells")), 1);
        json_decref(out);
    }
}

static void test_notes(void **state)
{
    static const struct {
        const char *list, *patch, *words;
    } cases[] = {
        {"video", "{\"bits_sha256\": \"bb\"}", "other bits"},
        {"machine", "{\"cpu\": \"B\"}", "Two machines: A before, B now"},
        {"method", "{\"frames\": 30}", "frames was 60 and is 30"},
        {"libraries", "{\"version\": \"2\"}", "libx264 was 1 and is 2"},
        {"inputs", "{\"sha256\": \"other\"}", "camera of 1280x720 is another input"},
        {"video", "{\"threads\": 4}", "1 cell of the older report"},
        {"video", "{\"cpu_ms\": 2.6}", "busy with something else in 1 of 1 video cells of this"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *out = compare(cases[i].list, "{}", cases[i].patch);
        const json_t *notes = json_object_get(out, "notes");
        const char *text = json_string_value(json_array_get(notes, 0));

        assert_non_null(text);
        assert_non_null(strstr(text, cases[i].words));
        json_decref(out);
    }
    json_t *out = compare("video", "{\"cpu_ms\": 2.6}", "{}");

    assert_non_null(strstr(json_string_value(json_array_get(json_object_get(out, "notes"), 0)),
                           "of the older report: their times"));
    json_decref(out);
    out = compare("video", "{\"cpu_ms\": 2.7, \"threads\": 1}", "{\"cpu_ms\": 2.7}");
    assert_int_equal(json_array_size(json_object_get(out, "notes")), 0);
    json_decref(out);
}

static void test_trim(void **state)
{
    static const struct {
        const char *text, *trimmed;
    } cases[] = {{"", ""},
                 {"abc", "abc"},
                 {"ab\xc3", "ab"},
                 {"ab\xc3\xa9", "ab\xc3\xa9"},
                 {"\xe2\x82", ""},
                 {"x\xf0\x9f\x8e", "x"},
                 {"x\xf0\x9f\x8e\xa5", "x\xf0\x9f\x8e\xa5"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[16];

        (void)snprintf(text, sizeof text, "%s", cases[i].text);
        tdm_report_trim(text);
        assert_string_equal(text, cases[i].trimmed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures),
        cmocka_unit_test(test_fits_beside_times),
        cmocka_unit_test(test_what_a_change_says),
        cmocka_unit_test(test_cells_that_do_not_match),
        cmocka_unit_test(test_notes),
        cmocka_unit_test(test_trim),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
