/* SPDX-License-Identifier: MIT */
#include "collab/clipboard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct tdm_clipboard c;
static struct tdm_clipboard_out out;
static struct tdm_clipboard_rights rights;
static tdm_time now;

static void start(bool host, uint16_t scopes)
{
    now = 10 * TDM_S;
    rights = (struct tdm_clipboard_rights){.scopes = scopes, .seq = 4};
    tdm_clipboard_init(
        &c,
        &(struct tdm_clipboard_config){
            .host = host, .origin = 11, .in_bytes_max = 1000, .out_bytes_max = 20000},
        now);
}

static void step(struct tdm_clipboard_in in)
{
    tdm_clipboard_step(&c, now, &rights, &in, &out);
}

static void record(struct tdm_control_record rec)
{
    rec.seq = rec.seq ? rec.seq : rights.seq;
    step((struct tdm_clipboard_in){.kind = TDM_CLIPBOARD_RECORD, .record = &rec});
}

static void copy(uint8_t format, uint64_t origin, bool secret)
{
    step((struct tdm_clipboard_in){.kind = TDM_CLIPBOARD_CHANGED,
                                   .format_count = 1,
                                   .formats = {{format, TDM_CLIP_SIZE_UNKNOWN}},
                                   .origin = origin,
                                   .secret = secret});
}

static void offer(uint32_t serial, uint8_t format, uint32_t size, uint64_t origin)
{
    record((struct tdm_control_record){.kind = TDM_CONTROL_CLIP_OFFER,
                                       .serial = serial,
                                       .origin = origin,
                                       .format_count = 1,
                                       .formats = {{format, size}}});
}

static void test_going(void **state)
{
    static uint8_t content[20001];

    (void)state;
    start(true, TDM_SCOPE_CLIPBOARD_OUT);
    copy(TDM_CLIP_TEXT, 0, false);
    assert_true(out.send && out.record.kind == TDM_CONTROL_CLIP_OFFER);
    assert_int_equal(out.record.origin, 11);
    assert_int_equal(out.record.seq, 4);
    struct tdm_control_record want = {.kind = TDM_CONTROL_CLIP_WANT, .serial = out.record.serial};

    record(want);
    assert_int_equal(out.desk, TDM_CLIPBOARD_DESK_FETCH);
    step((struct tdm_clipboard_in){
        .kind = TDM_CLIPBOARD_CONTENT, .content = content, .size = 20000});
    uint32_t offset = 0;

    for (;;) {
        assert_int_equal(out.record.kind, TDM_CONTROL_CLIP_DATA);
        assert_int_equal(out.record.offset, offset);
        assert_ptr_equal(out.record.data, content + offset);
        offset += out.record.size;
        if (out.record.fin)
            break;
        assert_true(out.more);
        step((struct tdm_clipboard_in){.kind = TDM_CLIPBOARD_ROOM});
    }
    assert_int_equal(offset, 20000);
    assert_int_equal(out.desk, TDM_CLIPBOARD_DESK_DONE);
    record(want);
    step((struct tdm_clipboard_in){
        .kind = TDM_CLIPBOARD_CONTENT, .content = content, .size = 20001});
    assert_int_equal(out.record.kind, TDM_CONTROL_CLIP_NONE); /* Too large. */
    want.serial++;
    record(want);
    assert_int_equal(out.record.kind, TDM_CONTROL_CLIP_NONE); /* Never told of. */
    want.serial--;
    want.format = TDM_CLIP_PNG;
    record(want);
    assert_int_equal(out.record.kind, TDM_CONTROL_CLIP_NONE);
    want.format = TDM_CLIP_TEXT;
    want.seq = 3;
    record(want);
    assert_false(out.send); /* Of an older grant. */
    assert_true(out.refused);
}

static void test_rights_that_end_in_between(void **state)
{
    static uint8_t content[20000];

    (void)state;
    start(true, TDM_SCOPE_CLIPBOARD_OUT);
    copy(TDM_CLIP_TEXT, 0, false);
    record((struct tdm_control_record){.kind = TDM_CONTROL_CLIP_WANT, .serial = c.serial});
    step((struct tdm_clipboard_in){
        .kind = TDM_CLIPBOARD_CONTENT, .content = content, .size = 20000});
    assert_int_equal(out.record.kind, TDM_CONTROL_CLIP_DATA);
    rights.scopes = TDM_SCOPE_VIEW;
    step((struct tdm_clipboard_in){.kind = TDM_CLIPBOARD_ROOM});
    assert_int_equal(out.record.kind, TDM_CONTROL_CLIP_NONE);
    assert_int_equal(out.desk, TDM_CLIPBOARD_DESK_DONE);

    start(true, TDM_SCOPE_CLIPBOARD_IN);
    offer(1, TDM_CLIP_TEXT, 5, 77);
    step((struct tdm_clipboard_in){.kind = TDM_CLIPBOARD_WISH});
    assert_int_equal(out.record.kind, TDM_CONTROL_CLIP_WANT);
    rights.scopes = 0;
    tdm_clipboard_step(&c, now, &rights, NULL, &out);
    assert_int_equal(out.desk, TDM_CLIPBOARD_DESK_NEVER);
    assert_int_equal(out.wake_at, now);
    tdm_clipboard_step(&c, now, &rights, NULL, &out);
    assert_int_equal(out.desk, TDM_CLIPBOARD_DESK_OFFER); /* Given up: */
    assert_int_equal(out.format_count, 0);
    tdm_clipboard_step(&c, now, &rights, NULL, &out);
    assert_int_equal(out.desk, TDM_CLIPBOARD_DESK_NONE);
    assert_int_equal(out.wake_at, TDM_NEVER);
}

static void test_coming(void **state)
{
    uint8_t bytes[600] = {0};
    struct tdm_control_record data = {
        .kind = TDM_CONTROL_CLIP_DATA, .serial = 1, .data = bytes, .size = sizeof bytes};

    (void)state;
    start(true, TDM_SCOPE_CLIPBOARD_IN);
    record(data);
    assert_true(out.refused); /* Nobody asked. */
    offer(1, TDM_CLIP_TEXT, TDM_CLIP_SIZE_UNKNOWN, 77);
    assert_int_equal(out.desk, TDM_CLIPBOARD_DESK_OFFER);
    assert_int_equal(out.origin, 77);
    step((struct tdm_clipboard_in){.kind = TDM_CLIPBOARD_WISH, .format = TDM_CLIP_PNG});
    assert_int_equal(out.desk, TDM_CLIPBOARD_DESK_NEVER);
    step((struct tdm_clipboard_in){.kind = TDM_CLIPBOARD_WISH});
    record(data);
    assert_int_equal(out.desk, TDM_CLIPBOARD_DESK_PIECE);
    data.offset = 600;
    record(data); /* A bomb: more than is allowed. */
    assert_int_equal(out.desk, TDM_CLIPBOARD_DESK_NEVER);
    assert_true(out.refused);
    step((struct tdm_clipboard_in){.kind = TDM_CLIPBOARD_WISH});
    now += TDM_CLIPBOARD_WAIT;
    tdm_clipboard_step(&c, now, &rights, NULL, &out);
    assert_int_equal(out.desk, TDM_CLIPBOARD_DESK_NEVER); /* It stopped coming. */
    offer(2, TDM_CLIP_TEXT, 1001, 77);
    assert_int_equal(out.format_count, 0); /* Too large to be offered. */
}

static void test_what_is_not_told(void **state)
{
    (void)state;
    start(true, TDM_SCOPE_CLIPBOARD_OUT | TDM_SCOPE_CLIPBOARD_IN);
    copy(TDM_CLIP_TEXT, 0, true); /* A password. */
    assert_false(out.send);
    copy(TDM_CLIP_TEXT, 0, false);
    assert_true(out.send);
    copy(TDM_CLIP_TEXT, 0, true);
    assert_true(out.send); /* What was there is no longer. */
    assert_int_equal(out.record.format_count, 0);
    copy(TDM_CLIP_FILES, 0, false);
    assert_false(out.send); /* Without FILES. */
    rights.scopes = TDM_SCOPE_VIEW;
    copy(TDM_CLIP_TEXT, 0, false);
    assert_false(out.send);
    rights.scopes = TDM_SCOPE_CLIPBOARD_OUT;
    tdm_clipboard_step(&c, now, &rights, NULL, &out);
    assert_false(out.send); /* Copied before it was allowed. */
    record((struct tdm_control_record){.kind = TDM_CONTROL_CLIP_WANT, .serial = c.serial});
    assert_int_equal(out.record.kind, TDM_CONTROL_CLIP_NONE);
}

static void test_no_loops(void **state)
{
    uint32_t told = 0;

    (void)state;
    start(false, TDM_SCOPE_CLIPBOARD_OUT | TDM_SCOPE_CLIPBOARD_IN);
    offer(1, TDM_CLIP_TEXT, 5, 77);
    copy(TDM_CLIP_TEXT, 0, false); /* A manager that takes over at once. */
    assert_false(out.send);
    now += TDM_CLIPBOARD_TAKEOVER;
    copy(TDM_CLIP_TEXT, 77, false); /* One that keeps the mark, later. */
    assert_false(out.send);
    copy(TDM_CLIP_TEXT, 0, false);
    assert_true(out.send);
    offer(2, TDM_CLIP_TEXT, 5, 11); /* Our own comes back. */
    assert_true(out.refused);
    assert_int_equal(out.desk, TDM_CLIPBOARD_DESK_NONE);
    for (int i = 0; i < 100; i++) {
        now += 100 * TDM_MS;
        copy(TDM_CLIP_TEXT, 0, false);
        told += out.send;
    }
    assert_in_range(told, 8, 14);
}

static void test_a_break(void **state)
{
    (void)state;
    start(false, TDM_SCOPE_CLIPBOARD_OUT | TDM_SCOPE_CLIPBOARD_IN);
    offer(1, TDM_CLIP_TEXT, 5, 77);
    step((struct tdm_clipboard_in){.kind = TDM_CLIPBOARD_WISH});
    step((struct tdm_clipboard_in){.kind = TDM_CLIPBOARD_DOWN});
    assert_int_equal(out.desk, TDM_CLIPBOARD_DESK_NEVER);
    tdm_clipboard_step(&c, now, &rights, NULL, &out);
    assert_int_equal(out.desk, TDM_CLIPBOARD_DESK_OFFER);
    assert_int_equal(out.format_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_going),    cmocka_unit_test(test_rights_that_end_in_between),
        cmocka_unit_test(test_coming),   cmocka_unit_test(test_what_is_not_told),
        cmocka_unit_test(test_no_loops), cmocka_unit_test(test_a_break),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
