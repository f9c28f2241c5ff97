/* SPDX-License-Identifier: MIT */
/* The page holds the report as it is, whatever stands in its texts, and its own script whole. */
#include "measure/report_read.h"
#include "measure/report_template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const encoders[] = {"x264", "openh264", "vp8", "vp9", "aom", "unheard-of"};

#define ENCODER_COUNT (sizeof encoders / sizeof *encoders)

/* A report whose texts are all `text`, with a cell of each encoder. */
static char *report_with(const char *text)
{
    json_t *video = json_array();

    for (size_t i = 0; i < ENCODER_COUNT; i++)
        (void)json_array_append_new(
            video, json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:{s:f}}", "encoder", encoders[i],
                             "preset", text, "content", text, "width", 640, "height", 480, "fps",
                             30, "bps", 800000, "encode_ms", "p50", 1.25));
    json_t *report = json_pack("{s:i, s:s, s:{s:s}, s:o, s:[]}", "tandem_bench", 1, "version", text,
                               "machine", "cpu", text, "video", video, "audio");
    char *json = json_dumps(report, 0);

    assert_non_null(json);
    json_decref(report);
    return json;
}

/* What stands in the script element `id`, as a browser reads it: up to the first "</script". */
static json_t *embedded(const char *page, const char *id)
{
    char open[64];

    (void)snprintf(open, sizeof open, "<script type=\"application/json\" id=\"%s\">", id);
    const char *start = strstr(page, open);

    assert_non_null(start);
    start += strlen(open);
    return json_loadb(start, (size_t)(strstr(start, "</script") - start), JSON_DECODE_ANY, NULL);
}

static size_t count_of(const char *text, const char *word)
{
    size_t count = 0;

    for (const char *at = text; (at = strstr(at, word)); at += strlen(word))
        count++;
    return count;
}

static void test_embeds_every_text(void **state)
{
    static const char *const texts[] = {
        "plain",
        "</script><script>alert(1)</script>",
        "</SCRIPT >",
        "<!-- <script>",
        "]]> & &lt;/script&gt; \" ' \\ \\u003c/script>",
        "@REPORT@ @CHANGES@",
        "\xe2\x80\xa8 line \xe2\x80\xa9 ends, \xf0\x9f\x8e\xa5, \xc2\xb5s",
        "%s%n\n\t\x01",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *json = report_with(texts[i]), *page = tandem_bench_html(json, NULL, NULL);
        json_t *there = json_loads(json, 0, NULL), *found;

        assert_non_null(page);
        found = embedded(page, "report");
        assert_non_null(found);
        assert_true(json_equal(found, there));
        json_decref(found);
        found = embedded(page, "changes");
        assert_true(json_is_null(found));
        json_decref(found);
        /* Two elements of data and one of code, and the texts open none. */
        assert_int_equal(count_of(page, "</script"), 3);
        assert_int_equal(count_of(page, "<script"), 3);
        for (size_t k = 0; k < ENCODER_COUNT; k++)
            assert_non_null(strstr(page, encoders[k]));
        json_decref(there);
        free(page);
        free(json);
    }
}

static void test_page_needs_nothing_else(void **state)
{
    static const char *const outside[] = {"http:",   "https:", " src=",     "url(",
                                          "@import", "<link",  "innerHTML", "eval("};
    char *json = report_with("x"), *page = tandem_bench_html(json, NULL, NULL);

    (void)state;
    assert_non_null(page);
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        /* The name of SVG's elements, which is no address. */
        size_t meant =
            strcmp(outside[i], "http:") == 0 ? count_of(page, "http://www.w3.org/2000/svg") : 0;

        assert_int_equal(count_of(page, outside[i]), meant);
    }
    assert_int_equal(strncmp(page, "<!doctype html>", 15), 0);
    assert_non_null(strstr(page, "</html>"));
    assert_null(strstr(page, "@REPORT@"));
    assert_true(tdm_report_template_size > 20000);
    free(page);
    free(json);
}

static void test_page_of_changes(void **state)
{
    char *json = report_with("x"), *older = report_with("y"), *page;
    json_t *changes;

    (void)state;
    page = tandem_bench_html(json, older, NULL);
    assert_non_null(page);
    changes = embedded(page, "changes");
    assert_int_equal(json_array_size(json_object_get(changes, "new")), ENCODER_COUNT);
    assert_int_equal(json_array_size(json_object_get(changes, "missing")), ENCODER_COUNT);
    json_decref(changes);
    free(page);
    free(older);
    free(json);
}

static void test_refuses_what_is_no_report(void **state)
{
    static const struct {
        const char *text, *cause;
    } cases[] = {
        {"", "line 1"},
        {"{\"tandem_bench\": 1,\n \"video\": [", "line 2"},
        {"[]", "no report"},
        {"{}", "no report"},
        {"{\"tandem_bench\": \"1\"}", "no report"},
        {"{\"tandem_bench\": 2, \"video\": [], \"audio\": []}", "measure again"},
        {"{\"tandem_bench\": 1, \"video\": []}", "audio"},
        {"{\"tandem_bench\": 1, \"video\": {}, \"audio\": []}", "video"},
    };
    static const char good[] = "{\"tandem_bench\": 1, \"video\": [], \"audio\": []}";

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tandem_cause cause = {""};

        assert_null(tandem_bench_html(cases[i].text, NULL, &cause));
        assert_non_null(strstr(cause.text, cases[i].cause));
        assert_null(tandem_bench_html(good, cases[i].text, &cause));
        assert_null(tandem_bench_compare(cases[i].text, good, NULL));
        assert_null(tandem_bench_compare(good, cases[i].text, &cause));
        assert_non_null(strstr(cause.text, cases[i].cause));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_embeds_every_text),
        cmocka_unit_test(test_page_needs_nothing_else),
        cmocka_unit_test(test_page_of_changes),
        cmocka_unit_test(test_refuses_what_is_no_report),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
