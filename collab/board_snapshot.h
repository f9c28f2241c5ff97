/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_BOARD_SNAPSHOT_H
#define TDM_COLLAB_BOARD_SNAPSHOT_H

/*
 * What stands in a document instead of the operations that made it: for who lacks much. Values that
 * were overwritten are not in it. A record of kind
 *
 *   STATE   names: count v, (32)...; then objects until its end:
 *             author (name's place v), number s (more than the object before), clock s (as well),
 *             type v, count of values v << 2 | text << 1 | ink
 *             value: property v << 3 | kind << 1 | stamped, [author v, number v, clock s from the
 *               object's], number s, bytes (size v), or reference (0 none, 1 first page, else
 *               name's place + 2, number s from the object's)
 *             ink: first point v, size v, points, number v; sealed (8), [number v, count v, sum 32]
 *             text: runs v, (author v, number v, clock v, behind: 0 or author + 1 v and number v,
 *               size v, UTF-8)...; marks v, (by v, number v, gone 8, author v, number v, length v)
 *   OTHERS  (author 32, number v, clock v, operation)...
 *   COVER   (author 32, number v, number v)...: to who knew everything up to the first, everything
 *           up to the other has been said. It counts for nobody who lacks what a record before it
 *           was built upon.
 */

#include "collab/board_state.h"

#define BOARD_NAMES_MAX 64 /* Of one record. */

enum { BOARD_REF_NONE, BOARD_REF_FIRST_PAGE, BOARD_REF_NAMES };

#define BOARD_HAS_INK  1u
#define BOARD_HAS_TEXT 2u

#endif
