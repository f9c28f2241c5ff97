/* SPDX-License-Identifier: MIT */
#ifndef TDM_BOARD_SVG_MATRIX_H
#define TDM_BOARD_SVG_MATRIX_H

/* Transformations of SVG 1.1 section 7.6: x' = a x + c y + e, y' = b x + d y + f. */

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

struct tdm_svg_matrix {
    double a, b, c, d, e, f;
};

struct tdm_svg_point {
    double x, y;
};

#define TDM_SVG_IDENTITY ((struct tdm_svg_matrix){1, 0, 0, 1, 0, 0})

/** First `inner`, then `outer`. */
static inline struct tdm_svg_matrix tdm_svg_times(struct tdm_svg_matrix outer,
                                                  struct tdm_svg_matrix inner)
{
    return (struct tdm_svg_matrix){outer.a * inner.a + outer.c * inner.b,
                                   outer.b * inner.a + outer.d * inner.b,
                                   outer.a * inner.c + outer.c * inner.d,
                                   outer.b * inner.c + outer.d * inner.d,
                                   outer.a * inner.e + outer.c * inner.f + outer.e,
                                   outer.b * inner.e + outer.d * inner.f + outer.f};
}

static inline struct tdm_svg_point tdm_svg_map(struct tdm_svg_matrix m, double x, double y)
{
    return (struct tdm_svg_point){m.a * x + m.c * y + m.e, m.b * x + m.d * y + m.f};
}

/** How much longer lines become, on the average. */
static inline double tdm_svg_stretch(struct tdm_svg_matrix m)
{
    return sqrt(fabs(m.a * m.d - m.b * m.c));
}

/** "translate(1 2) rotate(30)"; what is broken ends the list. */
struct tdm_svg_matrix tdm_svg_transform(const char *text, size_t size);

#endif
