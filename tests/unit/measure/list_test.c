/* SPDX-License-Identifier: MIT */
#include "measure/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct tdm_item item_of(const char *text)
{
    return (struct tdm_item){.text = text, .size = strlen(text)};
}

static void test_rates(void **state)
{
    static const struct {
        const char *text;
        bool good;
        uint32_t bps;
    } cases[] = {
        {"800000", true, 800000}, {"500k", true, 500000},    {"1.5M", true, 1500000},
        {"0", true, 0},           {"0.064m", true, 64000},   {"4294M", true, 4294000000u},
        {"", false, 0},           {"k", false, 0},           {"1.", false, 0},
        {".5M", false, 0},        {"-1", false, 0},          {"1.5Mb", false, 0},
        {"5G", false, 0},         {"1 M", false, 0},         {"4295M", false, 0},
        {"1e6", false, 0},        {"99999999999", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tdm_item item = item_of(cases[i].text);
        uint32_t bps = 0;

        assert_int_equal(tdm_item_rate(&item, &bps), cases[i].good);
        assert_int_equal(bps, cases[i].bps);
    }
}

static void test_sides(void **state)
{
    static const char *const bad[] = {"",         "x",       "640",  "640x",     "x480",
                                      "640x480p", "640X480", "-2x2", "123456x2", "6 40x480"};
    struct tdm_item item = item_of("1280x720");
    int w = 0, h = 0;

    (void)state;
    assert_true(tdm_item_sides(&item, &w, &h));
    assert_int_equal(w, 1280);
    assert_int_equal(h, 720);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        item = item_of(bad[i]);
        assert_false(tdm_item_sides(&item, &w, &h));
    }
}

static void test_items(void **state)
{
    const char *at = " a, ,b:c\t,";
    static const char *const wanted[] = {"a", "", "b:c", ""};
    struct tdm_item item;
    size_t i = 0;

    (void)state;
    for (; tdm_list_next(&at, &item); i++)
        assert_true(i < 4 && tdm_item_is(&item, wanted[i]));
    assert_int_equal(i, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_sides),
        cmocka_unit_test(test_items),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
