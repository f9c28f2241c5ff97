/* SPDX-License-Identifier: MIT */
#include "engine/core/check_words.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#define WORDS 1024

/* Whether they are equal but for at most one letter that is changed, missing or too much. */
static bool nearly_equal(const char *a, const char *b)
{
    size_t same = 0;

    while (a[same] && a[same] == b[same])
        same++;
    a += same;
    b += same;
    return strcmp(a, b) == 0 || (*a && strcmp(a + 1, b) == 0) || (*b && strcmp(a, b + 1) == 0) ||
           (*a && *b && strcmp(a + 1, b + 1) == 0);
}

static void test_list(void **state)
{
    (void)state;
    for (int i = 0; i < WORDS; i++) {
        const char *word = tdm_check_word_list[i];
        size_t size = strlen(word);

        assert_in_range(size, 3, 9);
        assert_int_equal(strspn(word, "abcdefghijklmnopqrstuvwxyz"), size);
        for (int k = 0; k < i; k++)
            assert_false(nearly_equal(word, tdm_check_word_list[k]));
    }
}

static int index_of(const char *word, size_t size)
{
    for (int i = 0; i < WORDS; i++)
        if (strlen(tdm_check_word_list[i]) == size &&
            memcmp(tdm_check_word_list[i], word, size) == 0)
            return i;
    return -1;
}

static void test_words(void **state)
{
    uint8_t a[32], b[32];
    char text[TDM_CHECK_WORDS_TEXT], other[TDM_CHECK_WORDS_TEXT];
    int words = 0;

    (void)state;
    for (int i = 0; i < 32; i++) {
        a[i] = (uint8_t)(i + 1);
        b[i] = (uint8_t)(200 - i);
    }
    tdm_check_words(a, b, text);
    for (const char *at = text; *at; words++) {
        size_t size = strcspn(at, " ");

        assert_true(index_of(at, size) >= 0);
        at += size + (at[size] == ' ');
    }
    assert_int_equal(words, TDM_CHECK_WORDS_COUNT);
    tdm_check_words(b, a, other);
    assert_string_equal(text, other);
    for (int i = 0; i < 4; i++) {
        b[i * 8] ^= 1;
        tdm_check_words(a, b, other);
        assert_string_not_equal(text, other);
    }
}

/* What two versions of this program must agree on, computed beforehand by another one. */
static void test_same_everywhere(void **state)
{
    uint8_t a[32], b[32];
    char text[TDM_CHECK_WORDS_TEXT];

    (void)state;
    memset(a, 0x11, sizeof a);
    memset(b, 0xee, sizeof b);
    tdm_check_words(b, a, text);
    assert_string_equal(text, "bramble thorn giant bundle");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_same_everywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
