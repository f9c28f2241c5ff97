/* SPDX-License-Identifier: MIT */
#ifndef TDM_TESTS_GOLDEN_HEX_H
#define TDM_TESTS_GOLDEN_HEX_H

/* Captured packets as hexadecimal text, and back to bytes. */

#include "tests/golden/wire_captures.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPTURE_BYTES_MAX 512

static inline size_t bytes_of_hex(uint8_t bytes[CAPTURE_BYTES_MAX], const char *hex)
{
    size_t size = strlen(hex) / 2;

    assert(size <= CAPTURE_BYTES_MAX);
    for (size_t i = 0; i < size; i++) {
        unsigned value = 0;
        int count = sscanf(hex + 2 * i, "%2x", &value);

        assert(count == 1);
        bytes[i] = (uint8_t)value;
    }
    return size;
}

/* The bytes of the captured RTP packet with this name. */
static inline size_t bytes_of_capture(uint8_t bytes[CAPTURE_BYTES_MAX], const char *name)
{
    for (size_t i = 0; i < sizeof captured_rtp / sizeof *captured_rtp; i++) {
        if (strcmp(captured_rtp[i].name, name) == 0)
            return bytes_of_hex(bytes, captured_rtp[i].hex);
    }
    abort(); /* No capture has this name. */
}

#endif
