/* SPDX-License-Identifier: MIT */
#include "apps/parse.h"

#include <stdlib.h>
#include <string.h>

bool parse_u16(const char *text, uint16_t *value)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (end == text || *end || number < 1 || number > 65535)
        return false;
    *value = (uint16_t)number;
    return true;
}

bool parse_rule(const char *rule, char *rules, size_t capacity)
{
    size_t used = strlen(rules), more = strlen(rule);

    if (used + more + 2 > capacity || strchr(rule, ';') || !more)
        return false;
    if (used)
        rules[used++] = ';';
    memcpy(rules + used, rule, more + 1);
    return true;
}
