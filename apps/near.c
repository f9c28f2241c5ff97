/* SPDX-License-Identifier: MIT */
#include "apps/near.h"

#include <string.h>

#define LETTERS 48 /* Longer names are compared up to here. */

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static size_t length_of(const char *text)
{
    return strnlen(text, LETTERS);
}

/* One row of the table of distances after the other (Damerau and Levenshtein): three at a time. */
unsigned near_distance(const char *word, const char *name)
{
    unsigned rows[3][LETTERS + 1];
    size_t letters = length_of(word), others = length_of(name);
    unsigned start = ~0U;

    for (size_t j = 0; j <= others; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= letters; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i - 1) % 3];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= others; j++) {
            row[j] =
                least(above[j - 1] + (word[i - 1] != name[j - 1]), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && word[i - 1] == name[j - 2] && word[i - 2] == name[j - 1])
                row[j] = least(row[j], rows[(i - 2) % 3][j - 2] + 1);
        }
    }
    const unsigned *last = rows[letters % 3];

    for (size_t j = 0; j <= others; j++) /* The best beginning of the name. */
        start = least(start, last[j]);
    return least(last[others], 2 * start + (others > letters));
}

int near_enough(const char *word, unsigned distance)
{
    return distance <= 1 + length_of(word) / 3;
}
