/* SPDX-License-Identifier: MIT */
#ifndef APPS_TABLE_H
#define APPS_TABLE_H

/* Call figures for people: the line while it runs, the overlay, and the table at the end. */

#include "tandem/tandem.h"

#include <stddef.h>
#include <stdio.h>

/** One line without line end, e.g. "00:12 up  out 1.52 Mb/s  in 1.48 Mb/s 30 fps ...". */
void table_line(const struct tandem_stats *stats, char *text, size_t capacity);

/** Several lines for the window. */
void table_overlay(const struct tandem_stats *stats, char *text, size_t capacity);

/** "direct, DTLS-SRTP AEAD_AES_128_GCM, words: able acid also arch, known". */
void table_security(const struct tandem_security *s, char *text, size_t capacity);

/** Everything, with latencies by stage. */
void table_print(FILE *to, const struct tandem_stats *stats);

#endif
