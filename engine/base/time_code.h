/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_TIME_CODE_H
#define TDM_BASE_TIME_CODE_H

/*
 * A time drawn into the pixels, so that latency can be checked against what was really shown: a
 * strip of black and white cells along the top edge, two rows of 32 data cells between two columns
 * of reference cells. Bits run left to right, upper row first: 48 bits of microseconds, then
 * CRC-16 of them. A cell is a whole number of macroblocks where the picture is wide enough, so it
 * survives H.264 and VP8 at low rates. It is read at the size at which it was drawn.
 *
 *     B b0  b1  ... b31 W
 *     W b32 b33 ... b63 B
 */

#include "engine/base/picture.h"

#include <stdbool.h>

/** Smallest picture that has room for a strip; smaller ones are left alone. */
#define TDM_TIME_CODE_WIDTH_MIN  136
#define TDM_TIME_CODE_HEIGHT_MIN 16

/** Rows of the strip in a picture of this width; 0 when there is no room. Also the cells' side
 *  times two, so a program that reads pixels itself can find them. */
int tdm_time_code_rows(int width);

/** Draws `t`, rounded down to a microsecond, modulo 2^48 us (9 years). */
void tdm_time_code_draw(struct tdm_picture *pic, tdm_time t);

/** Reads the strip back, in whole microseconds; false when there is none or it is damaged. */
bool tdm_time_code_read(const struct tdm_picture *pic, tdm_time *t);

#endif
