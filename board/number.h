/* SPDX-License-Identifier: MIT */
#ifndef TDM_BOARD_NUMBER_H
#define TDM_BOARD_NUMBER_H

/* Numbers of SVG and CSS in bounded text, the same in every locale. */

#include <stdbool.h>
#include <stddef.h>

/** Steps over the number at `*at`, such as "-.5e3"; false: there is none. Finite; too large ones
 *  become 1e300. */
bool tdm_number_take(const char **at, const char *end, double *value);
/** Steps over spaces and commas. */
void tdm_number_gap(const char **at, const char *end);

#endif
