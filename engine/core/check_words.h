/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_CHECK_WORDS_H
#define TDM_CORE_CHECK_WORDS_H

/*
 * Four words that two people read to each other: when both see the same, each talks to the key that
 * the other one has, and nobody sits between. Made of both certificates' fingerprints, in whatever
 * order, slowly, so that somebody who looks for certificates with the same words pays for each try.
 * What that costs him, and when the words are not enough, is in docs/security.md.
 */

#include <stdint.h>

#define TDM_CHECK_WORDS_COUNT 4
#define TDM_CHECK_WORDS_TEXT  48 /* Room for them, with blanks between and the terminator. */

/** 1024 words of three to nine letters, no two of which differ in one letter alone. */
extern const char *const tdm_check_word_list[1024];

/** Both are SHA-256 of a certificate. Takes 50 to 100 ms: not on a media thread; remember it. */
void tdm_check_words(const uint8_t ours[32], const uint8_t theirs[32],
                     char text[TDM_CHECK_WORDS_TEXT]);

#endif
