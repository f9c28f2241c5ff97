/* SPDX-License-Identifier: MIT */
#include "board/svg_matrix.h"

#include "board/number.h"

#include <string.h>

#define NUMBERS_MAX 6

static double radians(double degrees)
{
    return fmod(degrees, 360) * M_PI / 180;
}

static struct tdm_svg_matrix rotation(const double n[NUMBERS_MAX], int count)
{
    double cosine = cos(radians(n[0])), sine = sin(radians(n[0]));
    struct tdm_svg_matrix m = {cosine, sine, -sine, cosine, 0, 0};

    if (count < 3)
        return m;
    m.e = n[1] - cosine * n[1] + sine * n[2];
    m.f = n[2] - sine * n[1] - cosine * n[2];
    return m;
}

/* False: no such function, or with other numbers. */
static bool make(const char *name, size_t size, const double n[NUMBERS_MAX], int count,
                 struct tdm_svg_matrix *m)
{
    *m = TDM_SVG_IDENTITY;
    if (!count)
        return false;
    if (size == 6 && memcmp(name, "matrix", 6) == 0 && count == 6)
        *m = (struct tdm_svg_matrix){n[0], n[1], n[2], n[3], n[4], n[5]};
    else if (size == 9 && memcmp(name, "translate", 9) == 0)
        *m = (struct tdm_svg_matrix){1, 0, 0, 1, n[0], count > 1 ? n[1] : 0};
    else if (size == 5 && memcmp(name, "scale", 5) == 0)
        *m = (struct tdm_svg_matrix){n[0], 0, 0, count > 1 ? n[1] : n[0], 0, 0};
    else if (size == 6 && memcmp(name, "rotate", 6) == 0)
        *m = rotation(n, count);
    else if (size == 5 && memcmp(name, "skewX", 5) == 0)
        m->c = tan(radians(n[0]));
    else if (size == 5 && memcmp(name, "skewY", 5) == 0)
        m->b = tan(radians(n[0]));
    else
        return false;
    return true;
}

struct tdm_svg_matrix tdm_svg_transform(const char *text, size_t size)
{
    const char *at = text, *end = text + size;
    struct tdm_svg_matrix all = TDM_SVG_IDENTITY, one;

    for (;;) {
        double numbers[NUMBERS_MAX] = {0};
        const char *name;
        size_t name_size;
        int count = 0;

        tdm_number_gap(&at, end);
        for (name = at; at < end && *at != '(' && *at > ' ';)
            at++;
        name_size = (size_t)(at - name);
        while (at < end && *at <= ' ')
            at++;
        if (at == end || *at++ != '(')
            return all;
        for (tdm_number_gap(&at, end);
             count < NUMBERS_MAX && tdm_number_take(&at, end, &numbers[count]); count++)
            tdm_number_gap(&at, end);
        if (at == end || *at++ != ')' || !make(name, name_size, numbers, count, &one))
            return all;
        all = tdm_svg_times(all, one);
    }
}
