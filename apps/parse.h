/* SPDX-License-Identifier: MIT */
#ifndef APPS_PARSE_H
#define APPS_PARSE_H

/* Numbers as people type them, for the options of every verb. */

#include <stdbool.h>
#include <stdint.h>

/** 1-65535, and nothing behind it. */
bool parse_u16(const char *text, uint16_t *value);

#endif
