/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_RFC3339_H
#define TDM_SIGNALLING_RFC3339_H

/*
 * Dates as text, "2026-11-23T14:00:00Z" (RFC 3339), and as seconds of Unix time; and the day and
 * minute that a schedule looks at. Pure: the offset from UTC is an argument.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_RFC3339_SIZE 40 /* With room for what the compiler thinks a day may be. */

/** Writes UTC. Years outside of 1970 to 9999 are clamped to these. */
void tdm_rfc3339_write(int64_t unix_s, char text[TDM_RFC3339_SIZE]);

/** False for anything but a date with time and zone; fractions of a second are dropped. */
bool tdm_rfc3339_parse(const char *text, size_t size, int64_t *unix_s);

/** Where a time lies in its week, at `offset_s` east of UTC: minutes since Monday 00:00. */
uint32_t tdm_minute_of_week(int64_t unix_s, int32_t offset_s);

#endif
