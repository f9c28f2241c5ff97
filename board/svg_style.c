/* SPDX-License-Identifier: MIT */
#include "board/svg_style.h"

#include "board/colour.h"
#include "board/number.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

struct tdm_svg_style tdm_svg_style_first(void)
{
    return (struct tdm_svg_style){.colour = 0x000000ff,
                                  .fill = 0x000000ff,
                                  .fill_opacity = 1,
                                  .stroke_opacity = 1,
                                  .opacity = 1,
                                  .stroke_width = 1,
                                  .font_size = 16};
}

uint32_t tdm_svg_paint(uint32_t colour, double opacity)
{
    return (colour & ~0xffu) | (uint32_t)lround((colour & 0xff) * opacity);
}

static bool is(const char *text, size_t size, const char *word)
{
    return strlen(word) == size && strncasecmp(text, word, size) == 0;
}

bool tdm_svg_length(const char *text, double font_size, double whole, double *px)
{
    static const struct {
        const char *name;
        double px;
    } units[] = {{"px", 1},         {"pt", 96 / 72.0}, {"pc", 16},
                 {"mm", 96 / 25.4}, {"cm", 96 / 2.54}, {"in", 96}};
    const char *end = text + strlen(text);
    size_t size;

    tdm_number_gap(&text, end);
    if (!tdm_number_take(&text, end, px))
        return false;
    while (end > text && isspace((unsigned char)end[-1]))
        end--;
    size = (size_t)(end - text);
    if (is(text, size, "%"))
        *px *= whole / 100;
    if (is(text, size, "em") || is(text, size, "rem"))
        *px *= font_size;
    if (is(text, size, "ex"))
        *px *= font_size / 2;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (is(text, size, units[i].name))
            *px *= units[i].px;
    return true;
}

/* --- Values ----------------------------------------------------------------------------------- */

static double fraction(const char *text, size_t size, double other)
{
    const char *at = text, *end = text + size;
    double value;

    if (!tdm_number_take(&at, end, &value))
        return other;
    if (at < end && *at == '%')
        value /= 100;
    return value > 0 ? value < 1 ? value : 1 : 0;
}

/* "url(#gradient) red": what stands behind is meant for who knows no gradients. */
static void take_paint(struct tdm_svg_style *s, uint32_t *paint, const char *text, size_t size)
{
    uint32_t colour;

    if (size > 4 && strncasecmp(text, "url(", 4) == 0) {
        const char *close = memchr(text, ')', size);
        size_t used = close ? (size_t)(close - text) + 1 : size;

        s->gradient = true;
        *paint = 0x808080ff;
        text += used;
        size -= used;
    }
    if (is(text, size, "currentColor"))
        *paint = s->colour;
    else if (size && tdm_colour_parse(text, size, &colour))
        *paint = colour;
}

static void take_dash(struct tdm_svg_style *s, const char *text, size_t size)
{
    const char *at = text, *end = text + size;
    double first;

    tdm_number_gap(&at, end);
    if (is(text, size, "none") || !tdm_number_take(&at, end, &first))
        s->dash = TDM_DASH_SOLID;
    else
        s->dash = first <= 2 * s->stroke_width ? TDM_DASH_DOTTED : TDM_DASH_DASHED;
}

static bool has(const char *text, size_t size, const char *word)
{
    size_t length = strlen(word);

    for (size_t i = 0; i + length <= size; i++)
        if (strncasecmp(text + i, word, length) == 0)
            return true;
    return false;
}

static enum tdm_board_font font_of(const char *text, size_t size)
{
    if (has(text, size, "mono") || has(text, size, "courier") || has(text, size, "consol"))
        return TDM_FONT_MONO;
    if (has(text, size, "sans"))
        return TDM_FONT_SANS;
    if (has(text, size, "serif") || has(text, size, "times") || has(text, size, "georgia"))
        return TDM_FONT_SERIF;
    if (has(text, size, "cursive") || has(text, size, "hand") || has(text, size, "comic") ||
        has(text, size, "virgil") || has(text, size, "excalifont"))
        return TDM_FONT_HAND;
    return TDM_FONT_SANS;
}

static void take_size(double *to, const char *text, size_t size, double font_size)
{
    char copy[32];
    double px;

    if (size >= sizeof copy)
        return;
    memcpy(copy, text, size);
    copy[size] = '\0';
    if (tdm_svg_length(copy, font_size, font_size, &px) && px >= 0)
        *to = px;
}

static void take_anchor(struct tdm_svg_style *s, const char *text, size_t size)
{
    s->anchor = is(text, size, "middle") ? TDM_ALIGN_CENTRE
                : is(text, size, "end")  ? TDM_ALIGN_END
                                         : TDM_ALIGN_START;
}

static void take(struct tdm_svg_style *s, const char *name, size_t length, const char *text,
                 size_t size)
{
    while (size && isspace((unsigned char)*text))
        text++, size--;
    while (size && isspace((unsigned char)text[size - 1]))
        size--;
    if (is(name, length, "color"))
        take_paint(s, &s->colour, text, size);
    else if (is(name, length, "fill"))
        take_paint(s, &s->fill, text, size);
    else if (is(name, length, "stroke"))
        take_paint(s, &s->stroke, text, size);
    else if (is(name, length, "fill-opacity"))
        s->fill_opacity = fraction(text, size, s->fill_opacity);
    else if (is(name, length, "fill-rule"))
        s->even_odd = is(text, size, "evenodd");
    else if (is(name, length, "stroke-opacity"))
        s->stroke_opacity = fraction(text, size, s->stroke_opacity);
    else if (is(name, length, "opacity"))
        s->opacity *= fraction(text, size, 1);
    else if (is(name, length, "stroke-width"))
        take_size(&s->stroke_width, text, size, s->font_size);
    else if (is(name, length, "stroke-dasharray"))
        take_dash(s, text, size);
    else if (is(name, length, "font-size"))
        take_size(&s->font_size, text, size, s->font_size);
    else if (is(name, length, "font-family"))
        s->font = font_of(text, size);
    else if (is(name, length, "text-anchor"))
        take_anchor(s, text, size);
    else if (is(name, length, "display"))
        s->hidden |= is(text, size, "none");
    else if (is(name, length, "visibility"))
        s->hidden |= is(text, size, "hidden") || is(text, size, "collapse");
}

/* "fill: red; stroke: none" */
static void take_list(struct tdm_svg_style *s, const char *text)
{
    while (*text) {
        size_t size = strcspn(text, ";"), name;

        while (size && isspace((unsigned char)*text))
            text++, size--;
        const char *colon = memchr(text, ':', size);

        if (colon) {
            name = (size_t)(colon - text);
            while (name && isspace((unsigned char)text[name - 1]))
                name--;
            take(s, text, name, colon + 1, size - (size_t)(colon + 1 - text));
        }
        text += size;
        text += *text == ';';
    }
}

void tdm_svg_style_take(struct tdm_svg_style *s, const char **attributes)
{
    s->gradient = false;
    for (const char **a = attributes; *a; a += 2) /* Others refer to these. */
        if (strcmp(*a, "color") == 0 || strcmp(*a, "font-size") == 0 ||
            strcmp(*a, "stroke-width") == 0)
            take(s, a[0], strlen(a[0]), a[1], strlen(a[1]));
    for (const char **a = attributes; *a; a += 2)
        if (strcmp(*a, "color") != 0 && strcmp(*a, "font-size") != 0 &&
            strcmp(*a, "stroke-width") != 0)
            take(s, a[0], strlen(a[0]), a[1], strlen(a[1]));
    for (const char **a = attributes; *a; a += 2)
        if (strcmp(*a, "style") == 0)
            take_list(s, a[1]);
}
