/* SPDX-License-Identifier: MIT */
#include "apps/bench_plain.h"

#include <stdlib.h>
#include <string.h>

void bench_plain_text(char *text)
{
    for (unsigned char *at = (unsigned char *)text; *at; at++) {
        if (*at < 0x20 || *at == 0x7f)
            *at = '?';
        else if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0) /* U+0080 to U+009f. */
            at[0] = at[1] = '?';
    }
}

static bool clean_string(json_t *string)
{
    char *text = strdup(json_string_value(string));
    bool ok = text != NULL;

    if (ok)
        bench_plain_text(text);
    if (ok && strcmp(text, json_string_value(string)) != 0)
        ok = json_string_set_nocheck(string, text) == 0;
    free(text);
    return ok;
}

bool bench_plain(json_t *value)
{
    const char *key;
    json_t *inner;
    size_t i;
    bool ok = true;

    if (json_is_string(value))
        return clean_string(value);
    json_array_foreach(value, i, inner) ok = ok && bench_plain(inner);
    json_object_foreach(value, key, inner) ok = ok && bench_plain(inner);
    return ok;
}
