/* SPDX-License-Identifier: MIT */
#include "measure/list.h"

#include <string.h>

#define SIDE_DIGITS_MAX 5
#define DIGITS_MAX      9 /* On each side of a rate's point: its value fits a double exactly. */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool tdm_list_next(const char **at, struct tdm_item *item)
{
    const char *start = *at;

    if (!start)
        return false;
    const char *end = start + strcspn(start, ",");

    *at = *end ? end + 1 : NULL;
    while (start < end && is_blank(*start))
        start++;
    while (end > start && is_blank(end[-1]))
        end--;
    *item = (struct tdm_item){.text = start, .size = (size_t)(end - start)};
    return true;
}

bool tdm_item_is(const struct tdm_item *item, const char *text)
{
    return strlen(text) == item->size && memcmp(item->text, text, item->size) == 0;
}

/* Reads digits from `at` on; how many there were. */
static size_t read_digits(const struct tdm_item *item, size_t at, size_t most, uint64_t *value)
{
    size_t count = 0;

    *value = 0;
    while (at + count < item->size && count < most) {
        char c = item->text[at + count];

        if (c < '0' || c > '9')
            break;
        *value = *value * 10 + (uint64_t)(c - '0');
        count++;
    }
    return count;
}

bool tdm_item_sides(const struct tdm_item *item, int *width, int *height)
{
    uint64_t w, h;
    size_t first = read_digits(item, 0, SIDE_DIGITS_MAX, &w);

    if (first == 0 || first >= item->size || item->text[first] != 'x')
        return false;
    size_t second = read_digits(item, first + 1, SIDE_DIGITS_MAX, &h);

    if (second == 0 || first + 1 + second != item->size)
        return false;
    *width = (int)w;
    *height = (int)h;
    return true;
}

static double unit_of(char c)
{
    return c == 'k' || c == 'K' ? 1e3 : c == 'm' || c == 'M' ? 1e6 : 0;
}

bool tdm_item_rate(const struct tdm_item *item, uint32_t *bps)
{
    uint64_t whole, part = 0;
    size_t at = read_digits(item, 0, DIGITS_MAX, &whole), digits = 0;
    double scale = 1;

    if (at == 0)
        return false;
    if (at < item->size && item->text[at] == '.') {
        digits = read_digits(item, at + 1, DIGITS_MAX, &part);
        if (digits == 0)
            return false;
        at += 1 + digits;
    }
    if (at < item->size) {
        scale = unit_of(item->text[at++]);
        if (scale == 0 || at != item->size)
            return false;
    }
    double value = (double)part;

    while (digits--)
        value /= 10;
    value = (value + (double)whole) * scale + 0.5;
    if (value >= (double)UINT32_MAX)
        return false;
    *bps = (uint32_t)value;
    return true;
}
