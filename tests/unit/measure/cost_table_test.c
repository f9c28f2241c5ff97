/* SPDX-License-Identifier: MIT */
#include "measure/cost_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/tandem-costs-XXXXXX";

static const char *file_in(const char *name)
{
    static char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_every_encoder_is_measured(void **state)
{
    static struct tdm_cost_table table;
    struct tdm_cause cause;

    (void)state;
    assert_int_equal(tdm_cost_table_measure(&table, &cause), TDM_OK);
    for (size_t i = 0; tdm_video_encoder_at(i); i++) {
        const struct tdm_video_encoder_ops *ops = tdm_video_encoder_at(i);
        uint32_t found = 0, presets = 0;

        while (ops->presets[presets])
            presets++;
        for (uint32_t j = 0; j < table.count; j++)
            found += strcmp(table.costs[j].encoder, ops->name) == 0;
        assert_int_equal(found, presets);
    }
    for (uint32_t i = 0; i < table.count; i++) {
        const struct tdm_cost *c = &table.costs[i];

        print_message("  %-9s %-9s %6.2f ns a pixel to encode, %5.2f to decode, %.2f by two\n",
                      c->encoder, c->preset, c->encode_ns, c->decode_ns, c->parallel);
        assert_true(c->encode_ns > 0 && c->decode_ns > 0);
        assert_true(c->parallel >= 1 && c->parallel <= 2);
        /* x264 alone lets slices go while it works. */
        assert_int_equal(c->first < 0.8, strcmp(c->encoder, "x264") == 0);
    }
}

static void test_kept_and_read_again(void **state)
{
    static struct tdm_cost_table table, again;
    struct tdm_cause cause;
    const char *path = file_in("deep/er/costs.json");

    (void)state;
    assert_int_equal(tdm_cost_table_load(&table, path), TDM_E_GONE);
    assert_int_equal(tdm_cost_table_get(&table, path, &cause), TDM_OK);
    assert_int_equal(tdm_cost_table_load(&again, path), TDM_OK);
    assert_int_equal(again.count, table.count);
    for (uint32_t i = 0; i < table.count; i++) {
        assert_string_equal(again.costs[i].encoder, table.costs[i].encoder);
        assert_string_equal(again.costs[i].preset, table.costs[i].preset);
        assert_int_equal(again.costs[i].codec, table.costs[i].codec);
        assert_true(again.costs[i].encode_ns / table.costs[i].encode_ns > 0.999);
        assert_true(again.costs[i].encode_ns / table.costs[i].encode_ns < 1.001);
    }
    /* The kept one is used: a mark in it comes back. */
    again.costs[0].encode_ns = 77;
    assert_int_equal(tdm_cost_table_save(&again, path, &cause), TDM_OK);
    assert_int_equal(tdm_cost_table_get(&table, path, &cause), TDM_OK);
    assert_true(table.costs[0].encode_ns > 76.9 && table.costs[0].encode_ns < 77.1);
}

static void test_bad_files_are_measured_anew(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "{\"tandem_codec_costs\": 1}",
        "{\"tandem_codec_costs\": 3, \"of\": \"another machine\", \"costs\": []}",
    };
    static struct tdm_cost_table table;
    const char *path = file_in("bad.json");

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_text(path, texts[i]);
        assert_int_equal(tdm_cost_table_load(&table, path), TDM_E_MALFORMED);
        assert_int_equal(table.count, 0);
    }
}

static void test_path_follows_the_environment(void **state)
{
    char path[128];

    (void)state;
    assert_int_equal(setenv("XDG_CACHE_HOME", "/somewhere", 1), 0);
    assert_true(tdm_cost_table_path(path, sizeof path));
    assert_string_equal(path, "/somewhere/tandem/codec-costs.json");
    assert_false(tdm_cost_table_path(path, 10));
    assert_int_equal(unsetenv("XDG_CACHE_HOME"), 0);
    assert_int_equal(setenv("HOME", "/me", 1), 0);
    assert_true(tdm_cost_table_path(path, sizeof path));
    assert_string_equal(path, "/me/.cache/tandem/codec-costs.json");
    assert_int_equal(unsetenv("HOME"), 0);
    assert_false(tdm_cost_table_path(path, sizeof path));
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[128];

    (void)state;
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_encoder_is_measured),
        cmocka_unit_test(test_kept_and_read_again),
        cmocka_unit_test(test_bad_files_are_measured_anew),
        cmocka_unit_test(test_path_follows_the_environment),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
