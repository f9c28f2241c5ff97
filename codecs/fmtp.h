/* SPDX-License-Identifier: MIT */
#ifndef TDM_CODECS_FMTP_H
#define TDM_CODECS_FMTP_H

/*
 * Reads one parameter of an a=fmtp text ("key=value;key=value", blanks around separators
 * allowed, keys without regard to case). Unknown keys and broken values are not errors: the
 * caller's default stands.
 */

#include <stddef.h>
#include <stdint.h>

/** The value of `key` as an unsigned number in `base`; `otherwise` when absent or no number. */
uint32_t tdm_fmtp_number(const char *fmtp, const char *key, int base, uint32_t otherwise);

#endif
