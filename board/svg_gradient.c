/* SPDX-License-Identifier: MIT */
#include "board/svg_gradient.h"

#include "board/colour.h"
#include "board/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LIKE_MAX 8 /* Steps from one to the one that it is like. */

static const char *attribute(const char **attributes, const char *name)
{
    for (; *attributes; attributes += 2)
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    return NULL;
}

/* What "stop-color: red; ..." says of a property. */
static const char *in_style(const char *style, const char *name, size_t *size)
{
    const char *at = style ? strstr(style, name) : NULL;

    if (!at)
        return NULL;
    at += strlen(name);
    at += strspn(at, " \t\r\n:");
    *size = strcspn(at, ";");
    while (*size && strchr(" \t\r\n", at[*size - 1]))
        --*size;
    return at;
}

static const char *property(const char **attributes, const char *name, size_t *size)
{
    const char *text = in_style(attribute(attributes, "style"), name, size);

    if (!text && (text = attribute(attributes, name)))
        *size = strlen(text);
    return text;
}

static void take_stop(struct tdm_svg_gradient *g, const char **attributes)
{
    uint32_t colour = 0x000000ff;
    double opacity = 1;
    size_t size = 0;
    const char *text = property(attributes, "stop-color", &size);

    if (text)
        (void)tdm_colour_parse(text, size, &colour);
    text = property(attributes, "stop-opacity", &size);
    const char *end = text ? text + size : NULL;

    if (text && (!tdm_number_take(&text, end, &opacity) || !(opacity >= 0 && opacity <= 1)))
        opacity = 1;
    uint64_t alpha = (uint64_t)lround((colour & 0xff) * opacity);

    g->sums[0] += (colour >> 24) * alpha;
    g->sums[1] += (colour >> 16 & 0xff) * alpha;
    g->sums[2] += (colour >> 8 & 0xff) * alpha;
    g->sums[3] += alpha;
    g->stops++;
}

void tdm_svg_gradient_take(struct tdm_svg_gradients *gs, const char *element,
                           const char **attributes)
{
    if (strcmp(element, "stop") == 0) {
        if (gs->open)
            take_stop(&gs->list[gs->count - 1], attributes);
        return;
    }
    gs->open = false;
    if (strcmp(element, "linearGradient") != 0 && strcmp(element, "radialGradient") != 0)
        return;
    const char *name = attribute(attributes, "id"), *like = attribute(attributes, "href");

    like = like ? like : attribute(attributes, "xlink:href");
    if (!name || gs->count == TDM_SVG_GRADIENTS_MAX || strlen(name) >= TDM_SVG_NAME_MAX)
        return;
    struct tdm_svg_gradient *g = &gs->list[gs->count++];

    *g = (struct tdm_svg_gradient){.stops = 0};
    (void)snprintf(g->name, sizeof g->name, "%s", name);
    if (like && like[0] == '#' && strlen(like) <= TDM_SVG_NAME_MAX)
        (void)snprintf(g->like, sizeof g->like, "%s", like + 1);
    gs->open = true;
}

static const struct tdm_svg_gradient *find(const struct tdm_svg_gradients *gs, const char *name,
                                           size_t size)
{
    for (size_t i = 0; i < gs->count; i++)
        if (strlen(gs->list[i].name) == size && memcmp(gs->list[i].name, name, size) == 0)
            return &gs->list[i];
    return NULL;
}

bool tdm_svg_gradient_mean(const struct tdm_svg_gradients *gs, const char *name, size_t size,
                           uint32_t *colour)
{
    const struct tdm_svg_gradient *g = size && name[0] == '#' ? find(gs, name + 1, size - 1) : NULL;

    for (int i = 0; g && !g->stops && i < LIKE_MAX; i++)
        g = find(gs, g->like, strlen(g->like));
    if (!g || !g->stops)
        return false;
    uint64_t alpha = g->sums[3] ? g->sums[3] : 1;

    *colour = (uint32_t)(g->sums[0] / alpha << 24 | g->sums[1] / alpha << 16 |
                         g->sums[2] / alpha << 8 | g->sums[3] / g->stops);
    return true;
}
