/* SPDX-License-Identifier: MIT */
#ifndef APPS_NEAR_H
#define APPS_NEAR_H

/* Which name somebody may have meant who mistyped one. Pure. */

#include <stddef.h>

/** How far `name` is from `word`: letters added, left out, changed or swapped with their neighbour;
 *  what merely goes on behind `word` counts less. 0: the same. */
unsigned near_distance(const char *word, const char *name);

/** Whether that is near enough to be worth mentioning. */
int near_enough(const char *word, unsigned distance);

#endif
