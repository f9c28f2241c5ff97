/* SPDX-License-Identifier: MIT */
#ifndef APPS_PARSE_H
#define APPS_PARSE_H

/* Numbers and rules as people type them, for the options of every verb. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** 1-65535, and nothing behind it. */
bool parse_u16(const char *text, uint16_t *value);

/** Adds a rule of --auto-accept to those of struct tandem_files_config; false: no rule, or too
 * many.
 */
bool parse_rule(const char *rule, char *rules, size_t capacity);

#endif
