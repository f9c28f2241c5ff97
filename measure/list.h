/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_LIST_H
#define TDM_MEASURE_LIST_H

/* Reads the lists that a person types: "a,b,c", "640x480", "1.5M". Nothing is allocated. */

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One item of a list; borrows. */
struct tdm_item {
    const char *text; /* Without blanks around it. */
    size_t size;
};

/** The next item behind `*at`, which moves on; false at the end. An item may be empty. Start with
 *  the list's text in `*at`. */
bool tdm_list_next(const char **at, struct tdm_item *item);

bool tdm_item_is(const struct tdm_item *item, const char *text);

/** "1280x720": two whole numbers of at most five digits. False when it is something else. */
bool tdm_item_sides(const struct tdm_item *item, int *width, int *height);

/** "800000", "500k", "1.5M" bits a second, rounded. False when it is something else or beyond
 *  4 Gb/s. */
bool tdm_item_rate(const struct tdm_item *item, uint32_t *bps);

#endif
