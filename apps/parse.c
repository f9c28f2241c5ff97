/* SPDX-License-Identifier: MIT */
#include "apps/parse.h"

#include <stdlib.h>

bool parse_u16(const char *text, uint16_t *value)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (end == text || *end || number < 1 || number > 65535)
        return false;
    *value = (uint16_t)number;
    return true;
}
