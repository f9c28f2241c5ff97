/* SPDX-License-Identifier: MIT */
#include "engine/wire/red.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* The figure of RFC 2198 section 5, made small: a copy 160 units back, then the newest frame. */
static void test_reads_the_figure(void **state)
{
    /* F=1, type 7, offset 160 (0x0a0), length 3; F=0, type 5; then 3 and 2 bytes. */
    static const uint8_t bytes[] = {0x87, 0x02, 0x80, 0x03, 0x05, 'o', 'l', 'd', 'n', 'w'};
    struct tdm_red red;

    (void)state;
    assert_int_equal(tdm_red_parse(&red, bytes, sizeof bytes), TDM_OK);
    assert_int_equal(red.count, 2);
    assert_int_equal(red.blocks[0].payload_type, 7);
    assert_int_equal(red.blocks[0].offset, 160);
    assert_int_equal(red.blocks[0].size, 3);
    assert_memory_equal(red.blocks[0].data, "old", 3);
    assert_int_equal(red.blocks[1].payload_type, 5);
    assert_int_equal(red.blocks[1].offset, 0);
    assert_int_equal(red.blocks[1].size, 2);
    assert_memory_equal(red.blocks[1].data, "nw", 2);
}

static void test_reads_what_it_wrote(void **state)
{
    struct tdm_red red = {.count = 3}, again;
    uint8_t payload[64], copy[80];

    (void)state;
    red.blocks[0] = (struct tdm_red_block){111, TDM_RED_OFFSET_MAX, 5, (const uint8_t *)"first"};
    red.blocks[1] = (struct tdm_red_block){111, 480, 0, (const uint8_t *)""};
    red.blocks[2] = (struct tdm_red_block){111, 0, 6, (const uint8_t *)"newest"};
    struct tdm_writer w = tdm_writer_of(payload, sizeof payload);
    tdm_red_write(&w, &red);
    assert_true(w.ok);
    assert_int_equal(tdm_writer_size(&w), 4 + 4 + 1 + 5 + 6);
    memcpy(copy, payload, tdm_writer_size(&w));
    assert_int_equal(tdm_red_parse(&again, copy, tdm_writer_size(&w)), TDM_OK);
    assert_int_equal(again.count, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(again.blocks[i].offset, red.blocks[i].offset);
        assert_int_equal(again.blocks[i].size, red.blocks[i].size);
        assert_memory_equal(again.blocks[i].data, red.blocks[i].data, red.blocks[i].size);
    }
}

static void test_refuses(void **state)
{
    static const uint8_t endless[] = {0x87, 0x02, 0x80, 0x03};
    static const uint8_t cut[] = {0x87, 0x02, 0x80, 0x03, 0x05, 'o', 'l'};
    struct tdm_red red;

    (void)state;
    assert_int_equal(tdm_red_parse(&red, endless, 0), TDM_E_MALFORMED);
    assert_int_equal(tdm_red_parse(&red, endless, sizeof endless), TDM_E_MALFORMED);
    assert_int_equal(tdm_red_parse(&red, cut, sizeof cut), TDM_E_MALFORMED);
}

/* More copies than it keeps: the newest frame is kept all the same. */
static void test_keeps_the_newest(void **state)
{
    uint8_t bytes[20 * 4 + 2];
    struct tdm_red red;

    (void)state;
    for (int i = 0; i < 20; i++)
        memcpy(bytes + 4 * i, "\x87\x02\x80\x00", 4);
    bytes[80] = 5;
    bytes[81] = 'n';
    assert_int_equal(tdm_red_parse(&red, bytes, sizeof bytes), TDM_OK);
    assert_int_equal(red.count, TDM_RED_BLOCKS_MAX);
    assert_int_equal(red.blocks[red.count - 1].size, 1);
    assert_int_equal(*red.blocks[red.count - 1].data, 'n');
}

static void test_writes_nothing_too_large(void **state)
{
    struct tdm_red red = {.count = 2};
    uint8_t payload[2000], big[1200] = {0};

    (void)state;
    red.blocks[0] = (struct tdm_red_block){111, 480, TDM_RED_COPY_MAX + 1, big};
    red.blocks[1] = (struct tdm_red_block){111, 0, 1, big};
    struct tdm_writer w = tdm_writer_of(payload, sizeof payload);
    tdm_red_write(&w, &red);
    assert_false(w.ok);
    red.blocks[0] = (struct tdm_red_block){111, TDM_RED_OFFSET_MAX + 1, 1, big};
    w = tdm_writer_of(payload, sizeof payload);
    tdm_red_write(&w, &red);
    assert_false(w.ok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_the_figure),
        cmocka_unit_test(test_reads_what_it_wrote),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_keeps_the_newest),
        cmocka_unit_test(test_writes_nothing_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
