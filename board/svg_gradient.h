/* SPDX-License-Identifier: MIT */
#ifndef TDM_BOARD_SVG_GRADIENT_H
#define TDM_BOARD_SVG_GRADIENT_H

/*
 * Gradients of an SVG, of which a board shows the mean colour: it has none. They are noted as they
 * come, and asked for by name; one that says nothing itself is like the one that it names (href).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_SVG_GRADIENTS_MAX 512 /* More are not known. */
#define TDM_SVG_NAME_MAX      64

struct tdm_svg_gradient {
    char name[TDM_SVG_NAME_MAX], like[TDM_SVG_NAME_MAX];
    uint64_t sums[4]; /* Of red, green and blue, weighed by alpha, and of alpha. */
    uint32_t stops;
};

struct tdm_svg_gradients {
    struct tdm_svg_gradient list[TDM_SVG_GRADIENTS_MAX];
    size_t count;
    bool open; /* The last one takes stops. */
};

/** An element that may belong to a gradient begins, with its attributes (name, value, ..., NULL).
 */
void tdm_svg_gradient_take(struct tdm_svg_gradients *gradients, const char *element,
                           const char **attributes);

/** The mean colour of "#name" or of what it is like. False: it is not known, or has no stops. */
bool tdm_svg_gradient_mean(const struct tdm_svg_gradients *gradients, const char *name, size_t size,
                           uint32_t *colour);

#endif
