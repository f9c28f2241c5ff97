/* SPDX-License-Identifier: MIT */
#include "codecs/fmtp.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Where the value of `key` starts, or NULL. */
static const char *find_value(const char *fmtp, const char *key)
{
    size_t key_size = strlen(key);

    for (const char *at = fmtp; at; at = strchr(at, ';')) {
        at += strspn(at, "; \t");
        if (strncasecmp(at, key, key_size) != 0)
            continue;
        const char *after = at + key_size + strspn(at + key_size, " \t");

        if (*after == '=')
            return after + 1 + strspn(after + 1, " \t");
    }
    return NULL;
}

uint32_t tdm_fmtp_number(const char *fmtp, const char *key, int base, uint32_t otherwise)
{
    const char *value = find_value(fmtp, key);
    char *end = NULL;

    if (!value || *value == '-' || *value == '+')
        return otherwise;
    unsigned long number = strtoul(value, &end, base);

    end += strspn(end, " \t");
    return end == value || (*end && *end != ';') || number > UINT32_MAX ? otherwise
                                                                        : (uint32_t)number;
}
