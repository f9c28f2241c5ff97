/* SPDX-License-Identifier: MIT */
#include "render/board_icons.h"

#include <string.h>

#define GRID  24.0
#define WIDTH 1.6
#define PI    3.14159265358979323846

/*
 * Words of an icon: M x y, L x y, C x1 y1 x2 y2 x y, Z; O x y r (a circle), R x y w h r (a
 * rectangle with round corners), W w (the width of what follows), F (fill what is there), S (stroke
 * what is there), D on off (dashes).
 */
static const char *const icons[TDM_ICONS] = {
    [TDM_ICON_NONE] = "",
    [TDM_ICON_SELECT] = "M 6 4 L 10.2 19 L 12.8 12.8 L 19 10.2 Z S M 13.2 13.2 L 18.5 18.5",
    [TDM_ICON_HAND] =
        "M 8 13 L 8 6.2 C 8 4.4 10.6 4.4 10.6 6.2 L 10.6 11.5 M 10.6 5.4 C 10.6 3.4 13.2 3.4 13.2 "
        "5.4 L 13.2 11.5 M 13.2 6.2 C 13.2 4.4 15.8 4.4 15.8 6.2 L 15.8 12 M 15.8 8.4 C 15.8 6.8 "
        "18.2 6.8 18.2 8.4 L 18.2 14.5 C 18.2 18 16 20.5 13 20.5 C 10 20.5 8.8 19.4 7.4 17 L 5 "
        "13.2 C 4.2 11.8 6 10.6 7 11.8 L 8 13",
    [TDM_ICON_PEN] = "M 4.5 19.5 L 5.6 15 L 16 4.6 C 17.6 3 21 6.4 19.4 8 L 9 18.4 Z S M 14 6.6 L "
                     "17.4 10",
    [TDM_ICON_MARKER] = "M 9 14.5 L 16.2 4.2 L 20.2 7 L 13 17.2 L 9.6 17.6 Z S M 9 14.6 L 6.6 18 L "
                        "10 17.6 S W 2.6 M 4.5 21 L 19.5 21",
    [TDM_ICON_ERASER] = "M 9.5 19.5 L 4.8 14.8 C 4 14 4 13 4.8 12.2 L 12.4 4.6 C 13.2 3.8 14.2 3.8 "
                        "15 4.6 L 19.4 9 C 20.2 9.8 20.2 10.8 19.4 11.6 L 11.5 19.5 Z S M 8.6 8.4 "
                        "L 15.6 15.4 M 9.5 19.5 L 19.5 19.5",
    [TDM_ICON_LINE] = "M 5 19 L 19 5",
    [TDM_ICON_ARROW] = "M 5 19 L 19 5 M 11.5 5 L 19 5 L 19 12.5",
    [TDM_ICON_RECTANGLE] = "R 4 5.5 16 13 2.5",
    [TDM_ICON_ELLIPSE] = "O 12 12 8",
    [TDM_ICON_TEXT] = "M 5.5 7.5 L 5.5 5 L 18.5 5 L 18.5 7.5 M 12 5 L 12 19 M 9.5 19 L 14.5 19",
    [TDM_ICON_NOTE] = "M 5 5 L 19 5 L 19 13.5 L 13.5 19 L 5 19 Z S M 19 13.5 L 13.5 13.5 L 13.5 19",
    [TDM_ICON_IMAGE] = "R 4 4.5 16 15 2.5 S O 9 9.6 1.6 S M 4.5 17 L 9.2 12.8 L 12.4 15.6 L 15.8 "
                       "11.6 L 19.8 15.4",
    [TDM_ICON_LASER] = "M 4.5 19.5 L 13 11 S W 2.6 M 4.8 19.2 L 8.2 15.8 S W 1.6 M 16 3.8 L 16 6 M "
                       "20.2 8 L 18 8 M 19 4.9 L 17.4 6.5 M 12.9 4.9 L 14.2 6.2 M 19.1 11.1 L 17.8 "
                       "9.8",
    [TDM_ICON_LOCK] = "R 6 11 12 9 2 S M 8.5 11 L 8.5 8 C 8.5 3.4 15.5 3.4 15.5 8 L 15.5 11 S O 12 "
                      "15.5 0.9 F",
    [TDM_ICON_UNLOCK] =
        "R 6 11 12 9 2 S M 8.5 11 L 8.5 8 C 8.5 3.8 14.6 3.4 15.4 7 S O 12 15.5 0.9 "
        "F",
    [TDM_ICON_UNDO] = "M 8.5 13.5 L 4.5 9.5 L 8.5 5.5 M 4.5 9.5 L 14.5 9.5 C 21 9.5 21 18.5 14.5 "
                      "18.5 L 11 18.5",
    [TDM_ICON_REDO] = "M 15.5 13.5 L 19.5 9.5 L 15.5 5.5 M 19.5 9.5 L 9.5 9.5 C 3 9.5 3 18.5 9.5 "
                      "18.5 L 13 18.5",
    [TDM_ICON_PLUS] = "M 12 5.5 L 12 18.5 M 5.5 12 L 18.5 12",
    [TDM_ICON_MINUS] = "M 5.5 12 L 18.5 12",
    [TDM_ICON_HELP] = "M 8.4 9 C 8.4 4.2 15.6 4.2 15.6 9 C 15.6 12 12 11.8 12 14.8 S O 12 18.6 1.1 "
                      "F",
    [TDM_ICON_SUN] =
        "O 12 12 4 S M 12 3 L 12 5 M 12 19 L 12 21 M 3 12 L 5 12 M 19 12 L 21 12 M 5.6 "
        "5.6 L 7 7 M 17 17 L 18.4 18.4 M 18.4 5.6 L 17 7 M 7 17 L 5.6 18.4",
    [TDM_ICON_MOON] = "M 19.5 14.2 C 13 17 7 11 9.8 4.5 C 2.2 7.2 2.8 19.6 12 20 C 15.6 20 18.2 "
                      "17.8 19.5 14.2 Z",
    [TDM_ICON_GRID] =
        "R 4 4 16 16 2 S M 9.33 4 L 9.33 20 M 14.67 4 L 14.67 20 M 4 9.33 L 20 9.33 M "
        "4 14.67 L 20 14.67",
    [TDM_ICON_MAGNET] =
        "M 5 5 L 9 5 L 9 12.5 C 9 16.5 15 16.5 15 12.5 L 15 5 L 19 5 L 19 12.5 C 19 "
        "21.5 5 21.5 5 12.5 Z S M 5 8.6 L 9 8.6 M 15 8.6 L 19 8.6",
    [TDM_ICON_EXPORT] = "M 12 15 L 12 4 M 7.8 8.2 L 12 4 L 16.2 8.2 M 4.5 14.5 L 4.5 18 C 4.5 19 5 "
                        "19.5 6 19.5 L 18 19.5 C 19 19.5 19.5 19 19.5 18 L 19.5 14.5",
    [TDM_ICON_EYE] = "M 3 12 C 7 5 17 5 21 12 C 17 19 7 19 3 12 Z S O 12 12 2.8",
    [TDM_ICON_LEAD] =
        "O 12 12 2.2 F O 12 12 2.2 S M 8 16 C 5.6 13.6 5.6 10.4 8 8 M 16 8 C 18.4 "
        "10.4 18.4 13.6 16 16 M 5.4 18.6 C 1.6 14.8 1.6 9.2 5.4 5.4 M 18.6 5.4 C 22.4 "
        "9.2 22.4 14.8 18.6 18.6",
    [TDM_ICON_PREVIOUS] = "M 14.5 6 L 8.5 12 L 14.5 18",
    [TDM_ICON_NEXT] = "M 9.5 6 L 15.5 12 L 9.5 18",
    [TDM_ICON_DELETE] = "M 4.5 7 L 19.5 7 M 9 7 L 9 4.5 L 15 4.5 L 15 7 M 6.5 7 L 7.4 19.5 L 16.6 "
                        "19.5 L 17.5 7 M 10.2 10.5 L 10.2 16 M 13.8 10.5 L 13.8 16",
    [TDM_ICON_COPY] = "R 8.5 8.5 11 11 2 S M 5.5 15.5 L 5.5 6.5 C 5.5 5.5 5.5 5.5 6.5 5.5 L 15.5 "
                      "5.5",
    [TDM_ICON_GROUP] = "R 7 7 6.5 6.5 1 S R 11 11 6.5 6.5 1 S W 1.3 D 2 2 R 3.5 3.5 17 17 2",
    [TDM_ICON_UNGROUP] = "D 2 2 R 3.5 3.5 8.5 8.5 1.5 S R 12 12 8.5 8.5 1.5",
    [TDM_ICON_FRONT] = "M 12 16 L 12 7 M 8 10.6 L 12 6.6 L 16 10.6 M 5 4 L 19 4 M 7 19.5 L 17 19.5",
    [TDM_ICON_FORWARD] = "M 12 17 L 12 6 M 7.8 10 L 12 5.8 L 16.2 10 M 7 20 L 17 20",
    [TDM_ICON_BACKWARD] = "M 12 7 L 12 18 M 7.8 14 L 12 18.2 L 16.2 14 M 7 4 L 17 4",
    [TDM_ICON_BACK] = "M 12 8 L 12 17 M 8 13.4 L 12 17.4 L 16 13.4 M 5 20 L 19 20 M 7 4.5 L 17 4.5",
    [TDM_ICON_SOLID] = "W 2 M 4 12 L 20 12",
    [TDM_ICON_DASHED] = "W 2 D 3.4 3.4 M 4 12 L 20 12",
    [TDM_ICON_DOTTED] = "W 2.4 D 0.1 4 M 4 12 L 20 12",
    [TDM_ICON_THIN] = "W 1.2 M 5 12 L 19 12",
    [TDM_ICON_MEDIUM] = "W 2.4 M 5 12 L 19 12",
    [TDM_ICON_THICK] = "W 4.4 M 5 12 L 19 12",
    [TDM_ICON_HUGE] = "W 7.5 M 6.5 12 L 17.5 12",
    [TDM_ICON_SHARP] = "M 5 19 L 5 5 L 19 5",
    [TDM_ICON_ROUND] = "M 5 19 L 5 13 C 5 7.5 7.5 5 13 5 L 19 5",
    [TDM_ICON_START] = "M 4.5 6 L 19.5 6 M 4.5 12 L 12.5 12 M 4.5 18 L 16.5 18",
    [TDM_ICON_CENTRE] = "M 4.5 6 L 19.5 6 M 8 12 L 16 12 M 6 18 L 18 18",
    [TDM_ICON_END] = "M 4.5 6 L 19.5 6 M 11.5 12 L 19.5 12 M 7.5 18 L 19.5 18",
    [TDM_ICON_SANS] = "W 2 M 5.5 19 L 12 5 L 18.5 19 M 8 14 L 16 14",
    [TDM_ICON_SERIF] = "M 6.5 19 L 12 5 L 17.5 19 M 8.6 14 L 15.4 14 M 4.5 19 L 8.5 19 M 15.5 19 L "
                       "19.5 19",
    [TDM_ICON_MONO] = "W 2 M 8.5 7 L 3.8 12 L 8.5 17 M 15.5 7 L 20.2 12 L 15.5 17",
    [TDM_ICON_SCRIPT] =
        "W 1.8 M 4 18.5 C 9 18 13.5 10 13 6 C 12.6 3 9.6 5.6 10.4 10 C 11.4 15.4 12 "
        "19 14 18.6 C 16 18 17 15 20 14.5",
    [TDM_ICON_FIT] =
        "M 4.5 9 L 4.5 4.5 L 9 4.5 M 15 4.5 L 19.5 4.5 L 19.5 9 M 19.5 15 L 19.5 19.5 L "
        "15 19.5 M 9 19.5 L 4.5 19.5 L 4.5 15",
    [TDM_ICON_FULL] =
        "M 14 10 L 19.5 4.5 M 14.5 4.5 L 19.5 4.5 L 19.5 9.5 M 10 14 L 4.5 19.5 M 9.5 "
        "19.5 L 4.5 19.5 L 4.5 14.5",
    [TDM_ICON_FOLDER] = "M 3.5 18.5 L 3.5 5.5 L 9.5 5.5 L 11.8 8.2 L 20.5 8.2 L 20.5 18.5 Z",
    [TDM_ICON_FILE] = "M 6 3.5 L 14 3.5 L 18.5 8 L 18.5 20.5 L 6 20.5 Z S M 14 3.5 L 14 8 L 18.5 8",
    [TDM_ICON_HOME] = "M 4 11.5 L 12 4.5 L 20 11.5 S M 6 10 L 6 19.5 L 18 19.5 L 18 10 S M 10 19.5 "
                      "L 10 14 L 14 14 L 14 19.5",
    [TDM_ICON_UP] = "M 12 19 L 12 5.5 M 6.5 11 L 12 5.5 L 17.5 11",
    [TDM_ICON_CLOSE] = "M 6.5 6.5 L 17.5 17.5 M 17.5 6.5 L 6.5 17.5",
};

/* strtod would look for the comma of some locales. */
static double number(const char **at)
{
    double value = 0, part = 1;
    const char *c = *at;

    while (*c == ' ')
        c++;
    for (; *c >= '0' && *c <= '9'; c++)
        value = value * 10 + (*c - '0');
    if (*c == '.')
        for (c++; *c >= '0' && *c <= '9'; c++)
            value += (*c - '0') * (part /= 10);
    *at = c;
    return value;
}

static void rounded(cairo_t *cr, const double v[5])
{
    cairo_new_sub_path(cr);
    cairo_arc(cr, v[0] + v[2] - v[4], v[1] + v[4], v[4], -PI / 2, 0);
    cairo_arc(cr, v[0] + v[2] - v[4], v[1] + v[3] - v[4], v[4], 0, PI / 2);
    cairo_arc(cr, v[0] + v[4], v[1] + v[3] - v[4], v[4], PI / 2, PI);
    cairo_arc(cr, v[0] + v[4], v[1] + v[4], v[4], PI, 3 * PI / 2);
    cairo_close_path(cr);
}

static void word(cairo_t *cr, char what, const double v[6])
{
    switch (what) {
    case 'M':
        cairo_move_to(cr, v[0], v[1]);
        break;
    case 'L':
        cairo_line_to(cr, v[0], v[1]);
        break;
    case 'C':
        cairo_curve_to(cr, v[0], v[1], v[2], v[3], v[4], v[5]);
        break;
    case 'Z':
        cairo_close_path(cr);
        break;
    case 'O':
        cairo_new_sub_path(cr);
        cairo_arc(cr, v[0], v[1], v[2], 0, 2 * PI);
        break;
    case 'R':
        rounded(cr, v);
        break;
    case 'W':
        cairo_set_line_width(cr, v[0]);
        break;
    case 'D':
        cairo_set_dash(cr, v, 2, 0);
        break;
    case 'F':
        cairo_fill(cr);
        break;
    default:
        cairo_stroke(cr);
        break;
    }
}

static int numbers_of(char what)
{
    static const char words[] = "MLCORWD";
    static const int counts[] = {2, 2, 6, 3, 5, 1, 2};
    const char *found = strchr(words, what);

    return found ? counts[found - words] : 0;
}

void tdm_board_icon_draw(cairo_t *cr, enum tdm_board_icon icon, double x, double y, double side)
{
    cairo_save(cr);
    cairo_translate(cr, x, y);
    cairo_scale(cr, side / GRID, side / GRID);
    cairo_set_line_width(cr, WIDTH);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    cairo_new_path(cr);
    for (const char *at = icons[icon]; *at;) {
        char what = *at++;
        double v[6] = {0};

        if (what == ' ')
            continue;
        for (int i = 0, n = numbers_of(what); i < n; i++)
            v[i] = number(&at);
        word(cr, what, v);
    }
    cairo_stroke(cr);
    cairo_restore(cr);
}
