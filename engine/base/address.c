/* SPDX-License-Identifier: MIT */
#include "engine/base/address.h"

#include <stdio.h>
#include <string.h>

bool tdm_address_same_host(const struct tdm_address *a, const struct tdm_address *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool tdm_address_equal(const struct tdm_address *a, const struct tdm_address *b)
{
    return a->port == b->port && tdm_address_same_host(a, b);
}

bool tdm_address_is_loopback(const struct tdm_address *a)
{
    static const uint8_t one[16] = {[15] = 1};

    return a->family == TDM_IPV4 ? a->bytes[0] == 127
                                 : a->family == TDM_IPV6 && memcmp(a->bytes, one, 16) == 0;
}

bool tdm_address_is_link_local(const struct tdm_address *a)
{
    return a->family == TDM_IPV4
               ? a->bytes[0] == 169 && a->bytes[1] == 254
               : a->family == TDM_IPV6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

bool tdm_address_is_private(const struct tdm_address *a)
{
    if (a->family == TDM_IPV6)
        return (a->bytes[0] & 0xfe) == 0xfc;
    return a->family == TDM_IPV4 &&
           (a->bytes[0] == 10 || (a->bytes[0] == 172 && (a->bytes[1] & 0xf0) == 16) ||
            (a->bytes[0] == 192 && a->bytes[1] == 168) ||
            (a->bytes[0] == 100 && (a->bytes[1] & 0xc0) == 64));
}

/* "10.0.0.7" and nothing behind it. */
static bool parse_v4(const char *text, uint8_t bytes[4])
{
    for (int i = 0; i < 4; i++) {
        uint32_t value = 0;
        int digits = 0;

        for (; *text >= '0' && *text <= '9' && digits < 4; text++, digits++)
            value = value * 10 + (uint32_t)(*text - '0');
        if (digits == 0 || digits > 3 || value > 255 || *text != (i < 3 ? '.' : '\0'))
            return false;
        bytes[i] = (uint8_t)value;
        text++;
    }
    return true;
}

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 4291 section 2.2: groups before "::" grow from the front, groups behind it from the end. */
static bool parse_v6(const char *text, uint8_t bytes[16])
{
    uint8_t tail[16] = {0};
    int head = 0, after = 0;
    bool gap = false;

    memset(bytes, 0, 16);
    if (text[0] == ':' && text[1] != ':')
        return false;
    while (*text) {
        uint8_t *to = gap ? tail : bytes;
        int *count = gap ? &after : &head;

        if (text[0] == ':' && text[1] == ':') {
            if (gap)
                return false;
            gap = true;
            text += 2;
            continue;
        }
        if (head + after <= 12 && parse_v4(text, to + *count)) {
            *count += 4;
            break;
        }
        uint32_t value = 0;
        int digits = 0;

        for (; hex_of(*text) >= 0 && digits < 5; text++, digits++)
            value = value << 4 | (uint32_t)hex_of(*text);
        if (digits == 0 || digits > 4 || head + after >= 16)
            return false;
        to[*count] = (uint8_t)(value >> 8);
        to[*count + 1] = (uint8_t)value;
        *count += 2;
        if (text[0] == ':' && text[1] != ':') {
            text++;
            if (!*text)
                return false;
        } else if (*text && *text != ':') {
            return false;
        }
    }
    if (gap ? head + after > 14 : head != 16)
        return false;
    memcpy(bytes + 16 - after, tail, (size_t)after);
    return true;
}

enum tdm_err tdm_address_parse(struct tdm_address *a, const char *text, uint16_t port)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct tdm_address parsed = {.port = port};

    if (parse_v4(text, parsed.bytes)) {
        parsed.family = TDM_IPV4;
    } else if (parse_v6(text, parsed.bytes)) {
        parsed.family = TDM_IPV6;
        if (memcmp(parsed.bytes, mapped, sizeof mapped) == 0) {
            parsed.family = TDM_IPV4;
            memmove(parsed.bytes, parsed.bytes + 12, 4);
            memset(parsed.bytes + 4, 0, 12);
        }
    } else {
        return TDM_E_MALFORMED;
    }
    *a = parsed;
    return TDM_OK;
}

/* RFC 5952: the longest run of zero groups becomes "::", the first of equal ones, never one. */
static void v6_text(const uint8_t bytes[16], char text[TDM_ADDRESS_TEXT_MAX])
{
    int best = -1, best_size = 1, size = 0;
    size_t at = 0;

    for (int i = 0; i < 8; i++) {
        const uint8_t *pair = bytes + (ptrdiff_t)2 * i;

        size = pair[0] == 0 && pair[1] == 0 ? size + 1 : 0;
        if (size > best_size) {
            best_size = size;
            best = i - size + 1;
        }
    }
    text[0] = '\0';
    for (int i = 0; i < 8; i++) {
        if (i == best) {
            at += (size_t)snprintf(text + at, TDM_ADDRESS_TEXT_MAX - at, "::");
            i += best_size - 1;
            continue;
        }
        const uint8_t *pair = bytes + (ptrdiff_t)2 * i;

        at += (size_t)snprintf(text + at, TDM_ADDRESS_TEXT_MAX - at, "%s%x",
                               i > 0 && text[at - 1] != ':' ? ":" : "",
                               (unsigned)(pair[0] << 8 | pair[1]));
    }
}

void tdm_address_host_text(const struct tdm_address *a, char text[TDM_ADDRESS_TEXT_MAX])
{
    if (a->family == TDM_IPV4)
        (void)snprintf(text, TDM_ADDRESS_TEXT_MAX, "%u.%u.%u.%u", a->bytes[0], a->bytes[1],
                       a->bytes[2], a->bytes[3]);
    else if (a->family == TDM_IPV6)
        v6_text(a->bytes, text);
    else
        text[0] = '\0';
}

void tdm_address_text(const struct tdm_address *a, char text[TDM_ADDRESS_TEXT_MAX])
{
    char host[TDM_ADDRESS_TEXT_MAX];

    tdm_address_host_text(a, host);
    (void)snprintf(text, TDM_ADDRESS_TEXT_MAX, a->family == TDM_IPV6 ? "[%.45s]:%u" : "%.45s:%u",
                   host, a->port);
}
