/* SPDX-License-Identifier: MIT */
#include "board/base64.h"

#include <string.h>
#include <strings.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t tdm_base64_room(size_t size)
{
    return (size + 2) / 3 * 4 + 1;
}

void tdm_base64_write(const uint8_t *data, size_t size, char *text)
{
    for (size_t at = 0; at < size; at += 3) {
        uint32_t three = (uint32_t)data[at] << 16 |
                         (at + 1 < size ? (uint32_t)data[at + 1] << 8 : 0) |
                         (at + 2 < size ? data[at + 2] : 0);

        for (size_t i = 0; i < 4; i++)
            *text++ = at + i > size ? '=' : letters[three >> (18 - 6 * i) & 63];
    }
    *text = '\0';
}

static int value_of(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    if (letter >= 'a' && letter <= 'z')
        return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9')
        return letter - '0' + 52;
    return letter == '+' || letter == '-' ? 62 : letter == '/' || letter == '_' ? 63 : -1;
}

bool tdm_base64_read(const char *text, size_t size, uint8_t *data, size_t *written)
{
    uint32_t bits = 0;
    int count = 0;
    size_t at = 0, out = 0;

    for (; at < size && text[at] != '='; at++) {
        int value = value_of(text[at]);

        if (value < 0 && memchr(" \t\r\n", text[at], 4))
            continue;
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            data[out++] = (uint8_t)(bits >> count);
        }
    }
    for (; at < size; at++)
        if (!memchr("= \t\r\n", text[at], 5))
            return false;
    *written = out;
    return count < 6; /* One letter alone is no byte. */
}

const char *tdm_data_uri(const char *uri, size_t size)
{
    static const char scheme[] = "data:", mark[] = ";base64";
    const char *comma =
        size > 5 && strncasecmp(uri, scheme, 5) == 0 ? memchr(uri, ',', size) : NULL;

    if (!comma || (size_t)(comma - uri) < sizeof scheme - 1 + sizeof mark - 1 ||
        strncasecmp(comma - (sizeof mark - 1), mark, sizeof mark - 1) != 0)
        return NULL;
    return comma + 1;
}
