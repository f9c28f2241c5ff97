/* SPDX-License-Identifier: MIT */
/* The framing of a board's journal: cut at every byte, spoiled at every byte, and put together. */
#include "collab/board_journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define ROOM 4096

static const char *const texts[] = {"a", "", "two words", "\xb5 the mark within", "the last"};

#define TEXTS (sizeof texts / sizeof *texts)

/* A journal of the texts above; ends[i] is where record i ends. */
static size_t make(uint8_t room[ROOM], size_t ends[TEXTS])
{
    struct tdm_writer w = tdm_writer_of(room, ROOM);
    struct tdm_journal_head head = {.document = "0123456789abcde", .begun_ms = 1700000000000};

    tdm_journal_head_write(&w, &head);
    assert_int_equal(tdm_writer_size(&w), TDM_JOURNAL_HEAD_BYTES);
    for (size_t i = 0; i < TEXTS; i++) {
        tdm_journal_write(&w, &(struct tdm_journal_record){.kind = TDM_JOURNAL_OPS,
                                                           .wall_ms = 1700000000000 + (int64_t)i,
                                                           .data = (const uint8_t *)texts[i],
                                                           .size = strlen(texts[i])});
        ends[i] = tdm_writer_size(&w);
    }
    assert_true(w.ok);
    return tdm_writer_size(&w);
}

/* Copies of the exact size, so that a sanitizer sees what reads beyond. */
static uint8_t *copy_of(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    assert_non_null(copy);
    memcpy(copy, data, size);
    return copy;
}

static void test_whole(void **state)
{
    uint8_t room[ROOM];
    size_t ends[TEXTS], size = make(room, ends);
    struct tdm_journal_scan scan;
    struct tdm_journal_head head;
    struct tdm_journal_record record;

    (void)state;
    assert_int_equal(tdm_journal_scan_init(&scan, &head, room, size), TDM_OK);
    assert_string_equal((const char *)head.document, "0123456789abcde");
    assert_int_equal(head.begun_ms, 1700000000000);
    for (size_t i = 0; i < TEXTS; i++) {
        assert_true(tdm_journal_scan_next(&scan, &record));
        assert_int_equal(record.kind, TDM_JOURNAL_OPS);
        assert_int_equal(record.size, strlen(texts[i]));
        assert_memory_equal(record.data, texts[i], record.size);
        assert_int_equal(record.wall_ms, 1700000000000 + (int64_t)i);
        assert_int_equal(scan.good_size, ends[i]);
    }
    assert_false(tdm_journal_scan_next(&scan, &record));
    assert_int_equal(scan.records, TEXTS);
    assert_int_equal(scan.holes + scan.lost + scan.torn, 0);
}

static void test_cut_at_every_byte(void **state)
{
    uint8_t room[ROOM];
    size_t ends[TEXTS], size = make(room, ends);

    (void)state;
    for (size_t cut = 0; cut <= size; cut++) {
        uint8_t *data = copy_of(room, cut);
        struct tdm_journal_scan scan;
        struct tdm_journal_head head;
        struct tdm_journal_record record;
        enum tdm_err err = tdm_journal_scan_init(&scan, &head, data, cut);
        size_t whole = 0, good = TDM_JOURNAL_HEAD_BYTES;

        for (size_t i = 0; i < TEXTS && ends[i] <= cut; i++, whole++)
            good = ends[i];
        assert_int_equal(err, cut < TDM_JOURNAL_HEAD_BYTES ? TDM_E_MALFORMED : TDM_OK);
        if (err == TDM_OK) {
            for (size_t i = 0; i < whole; i++) {
                assert_true(tdm_journal_scan_next(&scan, &record));
                assert_memory_equal(record.data, texts[i], strlen(texts[i]));
            }
            assert_int_equal(scan.good_size, good);
            assert_int_equal(scan.at, good);
            if (whole < TEXTS) {
                assert_false(tdm_journal_scan_next(&scan, &record));
                assert_int_equal(scan.torn, cut > good);
                assert_int_equal(scan.lost, cut - good);
            }
        } else {
            assert_false(tdm_journal_scan_next(&scan, &record));
        }
        free(data);
    }
}

/* One byte is changed: the record that it is in is missing, all others are there. */
static void test_spoiled_at_every_byte(void **state)
{
    uint8_t room[ROOM];
    size_t ends[TEXTS], size = make(room, ends);

    (void)state;
    for (size_t at = 0; at < size; at++) {
        bool in_head = at < TDM_JOURNAL_HEAD_BYTES;
        struct tdm_journal_scan scan;
        struct tdm_journal_head head;
        struct tdm_journal_record record;
        size_t bad = in_head ? TEXTS : 0, found = 0;

        while (bad < TEXTS && ends[bad] <= at)
            bad++;
        room[at] ^= 0x41;
        assert_int_equal(tdm_journal_scan_init(&scan, &head, room, size), TDM_OK);
        assert_int_equal(head.spoiled, in_head);
        for (; tdm_journal_scan_next(&scan, &record); found++) {
            size_t i = found < bad ? found : found + 1;

            assert_int_equal(record.size, strlen(texts[i]));
            assert_memory_equal(record.data, texts[i], record.size);
        }
        assert_int_equal(found, in_head ? TEXTS : TEXTS - 1);
        assert_int_equal(scan.holes, bad < TEXTS - 1);
        assert_int_equal(scan.torn, bad == TEXTS - 1);
        assert_int_equal(scan.lost, in_head ? (size_t)TDM_JOURNAL_HEAD_BYTES
                                    : bad   ? ends[bad] - ends[bad - 1]
                                            : ends[bad] - TDM_JOURNAL_HEAD_BYTES);
        room[at] ^= 0x41;
    }
}

static void test_head(void **state)
{
    uint8_t room[ROOM];
    size_t ends[TEXTS], size = make(room, ends);
    struct tdm_journal_head head;

    (void)state;
    for (size_t at = 0; at < TDM_JOURNAL_HEAD_BYTES; at++) {
        room[at] ^= 1;
        assert_int_equal(tdm_journal_head_parse(&head, room, TDM_JOURNAL_HEAD_BYTES),
                         TDM_E_MALFORMED);
        room[at] ^= 1;
    }
    assert_int_equal(tdm_journal_head_parse(&head, NULL, 0), TDM_E_MALFORMED);
    memset(room, 0, ends[0]); /* As when a disk loses its first sector. */
    assert_int_equal(tdm_journal_head_parse(&head, room, size), TDM_OK);
    assert_true(head.spoiled);
    assert_int_equal(tdm_journal_head_parse(&head, room, ends[0]), TDM_E_MALFORMED);
}

static void test_clock_that_goes_back(void **state)
{
    uint8_t room[ROOM];
    struct tdm_writer w = tdm_writer_of(room, ROOM);
    struct tdm_journal_scan scan;
    struct tdm_journal_head head = {.begun_ms = 5};
    struct tdm_journal_record record;
    static const int64_t wrote[] = {100, 50, 200}, read[] = {100, 100, 200};

    (void)state;
    tdm_journal_head_write(&w, &head);
    for (size_t i = 0; i < 3; i++)
        tdm_journal_write(
            &w, &(struct tdm_journal_record){.kind = TDM_JOURNAL_OPS, .wall_ms = wrote[i]});
    assert_int_equal(tdm_journal_scan_init(&scan, &head, room, tdm_writer_size(&w)), TDM_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_true(tdm_journal_scan_next(&scan, &record));
        assert_int_equal(record.wall_ms, read[i]);
    }
}

/* Spoiled bytes that all look like the begin of a long record cost a bounded search. */
static void test_search_is_bounded(void **state)
{
    enum { SIZE = 1 << 20, STEP = TDM_JOURNAL_RECORD_HEAD_BYTES };
    uint8_t *data = calloc(1, SIZE);
    struct tdm_writer w = tdm_writer_of(data, SIZE);
    struct tdm_journal_scan scan;
    struct tdm_journal_head head = {.begun_ms = 1};
    struct tdm_journal_record record;

    (void)state;
    assert_non_null(data);
    tdm_journal_head_write(&w, &head);
    for (size_t at = TDM_JOURNAL_HEAD_BYTES; at + STEP <= SIZE; at += STEP) {
        uint32_t size = (uint32_t)(SIZE - at - STEP);

        data[at] = 0xb5;
        data[at + 1] = TDM_JOURNAL_OPS;
        for (int i = 0; i < 4; i++)
            data[at + 4 + (size_t)i] = (uint8_t)(size >> (24 - 8 * i));
    }
    assert_int_equal(tdm_journal_scan_init(&scan, &head, data, SIZE), TDM_OK);
    assert_false(tdm_journal_scan_next(&scan, &record));
    assert_true(scan.torn);
    assert_int_equal(scan.search_left, 0); /* It gave up instead of adding up 50,000 MB. */
    free(data);
}

static void test_session(void **state)
{
    uint8_t data[TDM_JOURNAL_SESSION_BYTES];
    struct tdm_journal_session session = {0xcafe0001, 0x1122334455667788}, read;
    struct tdm_journal_record record = {
        .kind = TDM_JOURNAL_SESSION, .data = data, .size = sizeof data};

    (void)state;
    tdm_journal_session_write(data, &session);
    assert_true(tdm_journal_session_parse(&read, &record));
    assert_int_equal(read.actor, session.actor);
    assert_int_equal(read.place, session.place);
    record.size--;
    assert_false(tdm_journal_session_parse(&read, &record));
}

static void test_no_room(void **state)
{
    uint8_t room[TDM_JOURNAL_RECORD_HEAD_BYTES + 3];
    struct tdm_writer w = tdm_writer_of(room, sizeof room);
    struct tdm_journal_record record = {
        .kind = TDM_JOURNAL_OPS, .data = (const uint8_t *)"four", .size = 4};

    (void)state;
    tdm_journal_write(&w, &record);
    assert_false(w.ok);
    assert_int_equal(tdm_writer_size(&w), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_spoiled_at_every_byte),
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_clock_that_goes_back),
        cmocka_unit_test(test_search_is_bounded),
        cmocka_unit_test(test_session),
        cmocka_unit_test(test_no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
