/* SPDX-License-Identifier: MIT */
#ifndef APPS_BENCH_PLAIN_H
#define APPS_BENCH_PLAIN_H

/*
 * A report may come from anywhere, and a terminal obeys control characters: what is printed of one
 * has none of them left.
 */

#include <jansson.h>
#include <stdbool.h>

/** Puts '?' for each byte below 0x20 and 0x7f, and for each control character beyond ASCII. */
void bench_plain_text(char *text);

/** The same in every text of `value`. False when there is no memory: do not print it then. */
bool bench_plain(json_t *value);

#endif
