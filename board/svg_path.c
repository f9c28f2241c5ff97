/* SPDX-License-Identifier: MIT */
#include "board/svg_path.h"

#include "board/number.h"

#include <ctype.h>
#include <string.h>

#define PIECES_MAX 96

struct path {
    const char *at, *end;
    const struct tdm_svg_path_sink *sink;
    struct tdm_svg_point now, begin, control; /* control: of the curve before, for S and T. */
    char before;                              /* The command before, in upper case. */
    bool open, good;
};

static void go(struct path *p, double x, double y)
{
    if (!p->open && p->good) {
        p->good = p->sink->point(p->sink->arg, p->begin.x, p->begin.y);
        p->open = true;
    }
    p->good = p->good && p->sink->point(p->sink->arg, x, y);
    p->now = (struct tdm_svg_point){x, y};
}

static void finish(struct path *p, bool closed)
{
    if (p->open)
        p->sink->end(p->sink->arg, closed);
    p->open = false;
    p->now = closed ? p->begin : p->now;
    p->begin = p->now;
}

static int pieces_of(const struct path *p, double length)
{
    double pieces = 2 * ceil(sqrt(length / p->sink->fineness));

    return pieces >= 2 ? pieces < PIECES_MAX ? (int)pieces : PIECES_MAX : 2;
}

static double distance(struct tdm_svg_point a, struct tdm_svg_point b)
{
    return hypot(b.x - a.x, b.y - a.y);
}

static void cubic(struct path *p, struct tdm_svg_point b, struct tdm_svg_point c,
                  struct tdm_svg_point d)
{
    struct tdm_svg_point a = p->now;
    int pieces = pieces_of(p, distance(a, b) + distance(b, c) + distance(c, d));

    for (int i = 1; i <= pieces && p->good; i++) {
        double t = (double)i / pieces, u = 1 - t;
        double wa = u * u * u, wb = 3 * u * u * t, wc = 3 * u * t * t, wd = t * t * t;

        go(p, wa * a.x + wb * b.x + wc * c.x + wd * d.x, wa * a.y + wb * b.y + wc * c.y + wd * d.y);
    }
    p->now = d;
}

static void quadratic(struct path *p, struct tdm_svg_point b, struct tdm_svg_point c)
{
    struct tdm_svg_point a = p->now;

    cubic(p, (struct tdm_svg_point){a.x + (b.x - a.x) * 2 / 3, a.y + (b.y - a.y) * 2 / 3},
          (struct tdm_svg_point){c.x + (b.x - c.x) * 2 / 3, c.y + (b.y - c.y) * 2 / 3}, c);
}

/* SVG 1.1 appendix F.6: from the two ends to the middle and the angles. */
static void arc(struct path *p, const double n[5], struct tdm_svg_point to)
{
    double rx = fabs(n[0]), ry = fabs(n[1]), turn = fmod(n[2], 360) * M_PI / 180;
    double cosine = cos(turn), sine = sin(turn);
    double hx = (p->now.x - to.x) / 2, hy = (p->now.y - to.y) / 2;
    double x1 = cosine * hx + sine * hy, y1 = cosine * hy - sine * hx;

    if (!(rx > 0) || !(ry > 0) || (!(fabs(hx) > 0) && !(fabs(hy) > 0))) {
        go(p, to.x, to.y);
        return;
    }
    double far = x1 * x1 / (rx * rx) + y1 * y1 / (ry * ry);

    if (far > 1) {
        rx *= sqrt(far);
        ry *= sqrt(far);
    }
    double over = rx * rx * y1 * y1 + ry * ry * x1 * x1;
    double under = fmax(0, (rx * rx * ry * ry - over) / over);
    double factor = (n[3] != n[4] ? 1 : -1) * sqrt(under);
    double cx = factor * rx * y1 / ry, cy = -factor * ry * x1 / rx;
    double from = atan2((y1 - cy) / ry, (x1 - cx) / rx);
    double sweep = atan2((-y1 - cy) / ry, (-x1 - cx) / rx) - from;

    if (n[4] != 0 && sweep < 0)
        sweep += 2 * M_PI;
    else if (n[4] == 0 && sweep > 0)
        sweep -= 2 * M_PI;
    double mx = cosine * cx - sine * cy + (p->now.x + to.x) / 2,
           my = sine * cx + cosine * cy + (p->now.y + to.y) / 2;
    int pieces = pieces_of(p, fabs(sweep) * fmax(rx, ry));

    for (int i = 1; i < pieces && p->good; i++) {
        double angle = from + sweep * i / pieces;

        go(p, mx + cosine * rx * cos(angle) - sine * ry * sin(angle),
           my + sine * rx * cos(angle) + cosine * ry * sin(angle));
    }
    go(p, to.x, to.y);
}

/* How many numbers a command takes; -1: no command. */
static int count_of(char command)
{
    static const char commands[] = "MLHVCSQTAZ";
    static const signed char counts[] = {2, 2, 1, 1, 6, 4, 4, 2, 7, 0};
    const char *found = command ? strchr(commands, command) : NULL;

    return found ? counts[found - commands] : -1;
}

/* Flags of an arc may stand without anything between. */
static bool take_numbers(struct path *p, char command, int count, double n[7])
{
    for (int i = 0; i < count; i++) {
        tdm_number_gap(&p->at, p->end);
        if (command == 'A' && (i == 3 || i == 4)) {
            if (p->at == p->end || (*p->at != '0' && *p->at != '1'))
                return false;
            n[i] = *p->at++ - '0';
        } else if (!tdm_number_take(&p->at, p->end, &n[i])) {
            return false;
        }
    }
    return true;
}

/* The control point that goes on from the one before. */
static struct tdm_svg_point mirrored(const struct path *p, const char *after)
{
    if (!p->before || !strchr(after, p->before))
        return p->now;
    return (struct tdm_svg_point){2 * p->now.x - p->control.x, 2 * p->now.y - p->control.y};
}

static struct tdm_svg_point point_of(const double *n, struct tdm_svg_point base)
{
    return (struct tdm_svg_point){n[0] + base.x, n[1] + base.y};
}

static void perform(struct path *p, char command, bool relative, const double n[7])
{
    struct tdm_svg_point base = relative ? p->now : (struct tdm_svg_point){0, 0}, first, to;

    switch (command) {
    case 'M':
        finish(p, false);
        p->now = p->begin = point_of(n, base);
        break;
    case 'L':
        to = point_of(n, base);
        go(p, to.x, to.y);
        break;
    case 'H':
        go(p, n[0] + base.x, p->now.y);
        break;
    case 'V':
        go(p, p->now.x, n[0] + base.y);
        break;
    case 'C':
        p->control = point_of(n + 2, base);
        cubic(p, point_of(n, base), p->control, point_of(n + 4, base));
        break;
    case 'S':
        first = mirrored(p, "CS");
        p->control = point_of(n, base);
        cubic(p, first, p->control, point_of(n + 2, base));
        break;
    case 'Q':
        p->control = point_of(n, base);
        quadratic(p, p->control, point_of(n + 2, base));
        break;
    case 'T':
        p->control = mirrored(p, "QT");
        quadratic(p, p->control, point_of(n, base));
        break;
    case 'A':
        arc(p, n, point_of(n + 5, base));
        break;
    default:
        finish(p, true);
        break;
    }
}

void tdm_svg_path(const char *text, size_t size, const struct tdm_svg_path_sink *sink)
{
    struct path p = {.at = text, .end = text + size, .sink = sink, .good = true};
    char command = 0;
    bool relative = false;

    while (p.good) {
        double n[7] = {0};

        tdm_number_gap(&p.at, p.end);
        if (p.at == p.end)
            break;
        if (isalpha((unsigned char)*p.at)) {
            relative = islower((unsigned char)*p.at);
            command = (char)toupper((unsigned char)*p.at++);
            if (!p.before && command != 'M')
                break;
        } else if (!command || command == 'Z') {
            break;
        } else if (command == 'M') { /* Further pairs are lines. */
            command = 'L';
        }
        int count = count_of(command);

        if (count < 0 || !take_numbers(&p, command, count, n))
            break;
        perform(&p, command, relative, n);
        p.before = command;
    }
    finish(&p, false);
}
