/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_UTF8_H
#define TDM_BASE_UTF8_H

/* Characters of UTF-8 one by one (RFC 3629 section 4). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The character at `at`: its size in bytes, 0 when the bytes are none. left > 0. */
static inline size_t tdm_utf8_take(const uint8_t *at, size_t left, uint32_t *code)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = at[0] < 0x80             ? 1
                  : (at[0] & 0xe0) == 0xc0 ? 2
                  : (at[0] & 0xf0) == 0xe0 ? 3
                  : (at[0] & 0xf8) == 0xf0 ? 4
                                           : 0;

    if (size == 0 || size > left)
        return 0;
    *code = size == 1 ? at[0] : at[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (at[i] & 0x3f);
    }
    return *code < least[size] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff) ? 0
                                                                                           : size;
}

static inline bool tdm_utf8_valid(const uint8_t *text, size_t size)
{
    uint32_t code;

    for (size_t at = 0, step; at < size; at += step)
        if ((step = tdm_utf8_take(text + at, size - at, &code)) == 0)
            return false;
    return true;
}

#endif
