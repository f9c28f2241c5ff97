/* SPDX-License-Identifier: MIT */
#include "engine/wire/sip_frame.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define LENGTH_MAX 1000000

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* The number behind "NAME :"; false: this line is another header. */
static bool length_of(const uint8_t *line, const uint8_t *end, const char *name, size_t *length,
                      bool *good)
{
    size_t name_size = strlen(name);
    size_t digits = 0;

    if ((size_t)(end - line) <= name_size || strncasecmp((const char *)line, name, name_size) != 0)
        return false;
    line += name_size;
    while (line < end && is_blank(*line))
        line++;
    if (line == end || *line != ':')
        return false;
    for (line++; line < end && is_blank(*line); line++)
        ;
    *length = 0;
    for (; line < end && *line >= '0' && *line <= '9'; line++, digits++)
        if (*length < LENGTH_MAX)
            *length = *length * 10 + (size_t)(*line - '0');
    while (line < end && (is_blank(*line) || *line == '\r'))
        line++;
    *good = digits && line == end && *length < LENGTH_MAX;
    return true;
}

/* The end of the head, behind its empty line; NULL: not there yet. */
static const uint8_t *head_end(const uint8_t *data, const uint8_t *end)
{
    for (const uint8_t *at = data; (at = memchr(at, '\n', (size_t)(end - at))) != NULL;) {
        at++;
        if (at < end && *at == '\n')
            return at + 1;
        if (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
            return at + 2;
    }
    return NULL;
}

enum tdm_err tdm_sip_frame_size(const uint8_t *data, size_t have, size_t *size)
{
    const uint8_t *end = have ? data + have : data;
    size_t blank = 0, length = 0;
    bool good = true;

    while (blank < have && (data[blank] == '\r' || data[blank] == '\n'))
        blank++;
    *size = blank;
    if (blank)
        return TDM_OK;
    const uint8_t *head = have ? head_end(data, end) : NULL;

    *size = have + 1;
    if (!head)
        return TDM_E_AGAIN;
    for (const uint8_t *line = data; line < head && good;) {
        const uint8_t *stop = memchr(line, '\n', (size_t)(head - line));

        if (length_of(line, stop, "content-length", &length, &good) ||
            length_of(line, stop, "l", &length, &good))
            break;
        line = stop + 1;
    }
    if (!good)
        return TDM_E_MALFORMED;
    *size = (size_t)(head - data) + length;
    return *size <= have ? TDM_OK : TDM_E_AGAIN;
}
