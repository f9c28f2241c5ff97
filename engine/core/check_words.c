/* SPDX-License-Identifier: MIT */
#include "engine/core/check_words.h"

#include "engine/base/digest.h"

#include <stdio.h>
#include <string.h>

#define ITERATIONS 500000
#define WORD_BITS  10

void tdm_check_words(const uint8_t ours[32], const uint8_t theirs[32],
                     char text[TDM_CHECK_WORDS_TEXT])
{
    static const char salt[] = "tandem check words 1";
    const uint8_t *first = memcmp(ours, theirs, 32) <= 0 ? ours : theirs;
    uint8_t both[64], digest[TDM_SHA256_BYTES], key[(TDM_CHECK_WORDS_COUNT * WORD_BITS + 7) / 8];
    uint64_t bits = 0;
    size_t at = 0;

    memcpy(both, first, 32);
    memcpy(both + 32, first == ours ? theirs : ours, 32);
    tdm_sha256(both, sizeof both, digest);
    tdm_pbkdf2_sha256(digest, sizeof digest, salt, sizeof salt - 1, ITERATIONS, key, sizeof key);
    for (size_t i = 0; i < sizeof key; i++)
        bits = bits << 8 | key[i];
    for (int i = TDM_CHECK_WORDS_COUNT - 1; i >= 0; i--) {
        const char *word = tdm_check_word_list[bits >> (i * WORD_BITS) & 1023];

        at += (size_t)snprintf(text + at, TDM_CHECK_WORDS_TEXT - at, "%s%s", at ? " " : "", word);
    }
}
