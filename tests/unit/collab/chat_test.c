/* SPDX-License-Identifier: MIT */
#include "collab/chat.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct tdm_chat ann, bob;
static char big[TDM_CHAT_TEXT_MAX + 1];

static struct tdm_chat_message text(uint64_t id, const char *words)
{
    return (struct tdm_chat_message){.kind = TDM_CHAT_TEXT,
                                     .id = id,
                                     .sent_ms = 5,
                                     .text = words,
                                     .size = (uint32_t)strlen(words)};
}

/* What one has to say goes to the other in pieces; the last message that was whole there. */
static struct tdm_chat_message pass(struct tdm_chat *from, struct tdm_chat *to, size_t piece,
                                    uint32_t *count)
{
    static uint8_t room[8192];
    struct tdm_chat_message m, last = {.kind = TDM_CHAT_OTHER};
    bool again;

    while (tdm_chat_has(from)) {
        size_t size = tdm_chat_pull(from, room, piece);

        for (size_t at = 0; at < size;) {
            at += tdm_chat_take(to, 0, room + at, size - at, &m, &again);
            if (m.kind == TDM_CHAT_OTHER)
                continue;
            last = m;
            *count += !again;
        }
        tdm_chat_acked(from, from->pulled);
    }
    return last;
}

static void start(void)
{
    tdm_chat_init(&ann);
    tdm_chat_init(&bob);
}

static void test_a_text_and_its_receipt(void **state)
{
    struct tdm_chat_message m = text(7, "Grüße"), got;
    uint32_t count = 0;

    (void)state;
    start();
    assert_int_equal(tdm_chat_put(&ann, &m), TDM_OK);
    got = pass(&ann, &bob, 3, &count);
    assert_int_equal(count, 1);
    assert_int_equal(got.kind, TDM_CHAT_TEXT);
    assert_int_equal(got.id, 7);
    assert_int_equal(got.sent_ms, 5);
    assert_int_equal(got.size, strlen("Grüße"));
    assert_memory_equal(got.text, "Grüße", got.size);
    got = pass(&bob, &ann, 100, &count);
    assert_int_equal(got.kind, TDM_CHAT_RECEIPT);
    assert_int_equal(got.id, 7);
    assert_int_equal(got.receipt, TDM_CHAT_DELIVERED);
}

static void test_every_kind_there_and_back(void **state)
{
    struct tdm_chat_message rows[] = {
        text(1, ""),
        {.kind = TDM_CHAT_EDIT, .id = 2, .sent_ms = -3, .text = "new", .size = 3},
        {.kind = TDM_CHAT_RECEIPT, .id = UINT64_MAX, .receipt = TDM_CHAT_READ},
        {.kind = TDM_CHAT_TYPING, .seconds = 9},
        {.kind = TDM_CHAT_FILE, .id = 4, .root = {1, 2, 3}, .text = "a.png", .size = 5},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t data[128];
        struct tdm_chat_message m;
        size_t size = tdm_chat_size(&rows[i]);

        assert_int_equal(tdm_chat_write(&rows[i], data, size - 1), TDM_E_SPACE);
        assert_int_equal(tdm_chat_write(&rows[i], data, sizeof data), TDM_OK);
        assert_int_equal(tdm_chat_parse(&m, data + 4, size - 4), TDM_OK);
        assert_int_equal(m.kind, rows[i].kind);
        assert_true(m.id == rows[i].id && m.sent_ms == rows[i].sent_ms);
        assert_int_equal(m.seconds, rows[i].seconds);
        assert_int_equal(m.receipt, rows[i].receipt);
        assert_memory_equal(m.root, rows[i].root, sizeof m.root);
        assert_int_equal(m.size, rows[i].size);
        if (m.size)
            assert_memory_equal(m.text, rows[i].text, m.size);
        for (size_t cut = 1; cut < size - 4 - rows[i].size; cut++)
            assert_int_equal(tdm_chat_parse(&m, data + 4, cut), TDM_E_MALFORMED);
    }
}

static void test_large_texts(void **state)
{
    struct tdm_chat_message m = {.kind = TDM_CHAT_TEXT, .id = 1, .text = big}, got;
    uint32_t count = 0;

    (void)state;
    start();
    for (size_t i = 0; i < TDM_CHAT_TEXT_MAX; i++)
        big[i] = (char)('a' + i % 26);
    m.size = TDM_CHAT_TEXT_MAX + 1;
    assert_int_equal(tdm_chat_put(&ann, &m), TDM_E_SPACE);
    for (int round = 0; round < 5; round++) { /* The ring turns. */
        m.size = TDM_CHAT_TEXT_MAX;
        m.id = (uint64_t)round + 1;
        assert_int_equal(tdm_chat_put(&ann, &m), TDM_OK);
        got = pass(&ann, &bob, 4099, &count);
        assert_int_equal(got.size, TDM_CHAT_TEXT_MAX);
        assert_memory_equal(got.text, big, got.size);
    }
    assert_int_equal(tdm_chat_put(&ann, &m), TDM_OK);
    assert_int_equal(tdm_chat_put(&ann, &m), TDM_OK);
    assert_int_equal(tdm_chat_put(&ann, &m), TDM_E_SPACE); /* Nobody takes them. */
}

/* Cut anywhere, with the other side at any offset, everything comes once. */
static void test_breaks(void **state)
{
    static uint8_t room[4096];

    (void)state;
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        struct tdm_rng rng = tdm_rng_of(seed);
        struct tdm_chat_message m;
        uint64_t received = 0;
        uint32_t put = 0, came = 0;
        bool again;

        tdm_chat_init(&ann);
        tdm_chat_init(&bob);
        for (int turn = 0; turn < 200 || received < ann.put; turn++) {
            if (turn < 200 && tdm_rng_chance(&rng, 0.3)) {
                m = text(++put, "something that is said");
                m.size = tdm_rng_below(&rng, m.size);
                assert_int_equal(tdm_chat_put(&ann, &m), TDM_OK);
            }
            if (tdm_rng_chance(&rng, 0.2)) /* What was on its way is lost. */
                tdm_chat_rewind(&ann, received);
            size_t size = tdm_chat_pull(&ann, room, tdm_rng_below(&rng, 60));
            bool lost = tdm_rng_chance(&rng, 0.2);

            if (lost) {
                tdm_chat_rewind(&ann, received);
                continue;
            }
            for (size_t at = 0; at < size;) {
                at += tdm_chat_take(&bob, 0, room + at, size - at, &m, &again);
                if (m.kind == TDM_CHAT_OTHER)
                    continue;
                assert_false(again);
                assert_int_equal(m.id, ++came);
            }
            received += size;
            if (tdm_rng_chance(&rng, 0.5))
                tdm_chat_acked(&ann, received);
        }
        assert_int_equal(came, put);
    }
}

static void test_a_text_that_comes_again_is_known(void **state)
{
    struct tdm_chat_message m = text(9, "hello");
    uint32_t count = 0;

    (void)state;
    start();
    assert_int_equal(tdm_chat_put(&ann, &m), TDM_OK);
    (void)pass(&ann, &bob, 100, &count);
    tdm_chat_restart(&ann); /* Another call, and no receipt had come. */
    tdm_chat_restart(&bob);
    assert_int_equal(tdm_chat_put(&ann, &m), TDM_OK);
    (void)pass(&ann, &bob, 100, &count);
    assert_int_equal(count, 1);
    assert_true(tdm_chat_has(&bob)); /* It is confirmed all the same. */
}

static void test_typing(void **state)
{
    struct tdm_chat_message m = {.kind = TDM_CHAT_TYPING, .seconds = 5};
    uint32_t count = 0;

    (void)state;
    start();
    assert_int_equal(tdm_chat_put(&ann, &m), TDM_OK);
    (void)pass(&ann, &bob, 100, &count);
    assert_true(tdm_chat_typing(&bob, 4 * TDM_S));
    assert_false(tdm_chat_typing(&bob, 5 * TDM_S));
    m = text(1, "done");
    assert_int_equal(tdm_chat_put(&ann, &m), TDM_OK);
    (void)pass(&ann, &bob, 100, &count);
    assert_false(tdm_chat_typing(&bob, TDM_S));
}

static void feed(const uint8_t *data, size_t size)
{
    struct tdm_chat_message m;
    bool again;

    for (size_t at = 0; at < size;)
        at += tdm_chat_take(&bob, 0, data + at, size - at, &m, &again);
}

static void test_hostile_bytes(void **state)
{
    static const uint8_t huge[] = {0xff, 0xff, 0xff, 0xff, 1, 2, 3};
    static const uint8_t empty[] = {0, 0, 0, 0, 0, 0, 0, 1, 1};
    static const uint8_t short_text[] = {0, 0, 0, 2, 1, 0, 0, 0, 0, 2, 4, 7};
    static const uint8_t newer[] = {0, 0, 0, 3, 99, 1, 2};
    struct tdm_chat_message m;
    bool again;

    (void)state;
    start();
    feed(short_text, sizeof short_text);
    assert_int_equal(bob.refused, 1);
    assert_true(tdm_chat_typing(&bob, TDM_S)); /* And it goes on behind it. */
    feed(newer, sizeof newer);
    assert_int_equal(bob.refused, 1);
    assert_false(tdm_chat_has(&bob));
    feed(huge, sizeof huge); /* Stepped over, be it for hours. */
    assert_int_equal(bob.refused, 2);
    assert_int_equal(tdm_chat_take(&bob, 0, newer, sizeof newer, &m, &again), sizeof newer);
    start();
    feed(empty, sizeof empty);
    assert_true(bob.in_broken);
    assert_int_equal(tdm_chat_take(&bob, 0, newer, sizeof newer, &m, &again), sizeof newer);
    assert_int_equal(m.kind, TDM_CHAT_OTHER);
}

static void test_clean_text(void **state)
{
    static const struct {
        const char *text, *clean;
    } rows[] = {
        {"plain\ttext\nof lines", "plain\ttext\nof lines"},
        {"\x1b[2Jgone", "\xef\xbf\xbd[2Jgone"},
        {"a\xe2\x80\xae"
         "b",
         "a\xef\xbf\xbd"
         "b"},
        {"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
        {"cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xc2\x85", "\xef\xbf\xbd"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char clean[100];
        size_t size = tdm_chat_clean(rows[i].text, strlen(rows[i].text), clean, sizeof clean - 1);

        clean[size] = '\0';
        assert_string_equal(clean, rows[i].clean);
    }
    char four[4];

    assert_int_equal(tdm_chat_clean("ab\xf0\x9f\x98\x80", 6, four, sizeof four), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_text_and_its_receipt),
        cmocka_unit_test(test_every_kind_there_and_back),
        cmocka_unit_test(test_large_texts),
        cmocka_unit_test(test_breaks),
        cmocka_unit_test(test_a_text_that_comes_again_is_known),
        cmocka_unit_test(test_typing),
        cmocka_unit_test(test_hostile_bytes),
        cmocka_unit_test(test_clean_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
