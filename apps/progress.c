/* SPDX-License-Identifier: MIT */
#include "apps/progress.h"

#include <stdio.h>
#include <string.h>

#define SMOOTH_S     3.0 /* Time constant of the speed that is shown. */
#define BAR_MIN      10
#define BAR_MAX      40
#define NAME_COLUMNS 32
#define FIGURES_MAX  64

void progress_sample(struct progress_speed *s, double now_s, uint64_t bytes)
{
    double passed = now_s - s->at_s;

    if (s->samples && passed <= 0)
        return;
    if (s->samples && bytes >= s->bytes) {
        double now = (double)(bytes - s->bytes) / passed;
        double weight = s->samples == 1 ? 1 : passed / (passed + SMOOTH_S);

        s->bytes_per_s += weight * (now - s->bytes_per_s);
    }
    s->at_s = now_s;
    s->bytes = bytes;
    s->samples += s->samples < 2;
}

const char *progress_size(char *out, size_t room, uint64_t bytes)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 999.5 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1000;
        unit++;
    }
    (void)snprintf(out, room, "%.*f %s", unit && value < 9.95 ? 1 : 0, value, units[unit]);
    return out;
}

const char *progress_time(char *out, size_t room, double seconds)
{
    if (!(seconds >= 0) || seconds > 359999) {
        (void)snprintf(out, room, "-:--");
        return out;
    }
    int whole = (int)(seconds + 0.5);

    if (whole < 3600)
        (void)snprintf(out, room, "%d:%02d", whole / 60, whole % 60);
    else
        (void)snprintf(out, room, "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
    return out;
}

/* The beginning of a name with "..." when it is too long; never half a character. */
static void shorten(char *out, size_t room, const char *name)
{
    size_t length = strlen(name);

    if (length <= NAME_COLUMNS) {
        (void)snprintf(out, room, "%s", name);
        return;
    }
    length = NAME_COLUMNS - 3;
    while (length && ((unsigned char)name[length] & 0xc0) == 0x80)
        length--;
    (void)snprintf(out, room, "%.*s...", (int)length, name);
}

static void figures(char *out, size_t room, const struct progress *p)
{
    char speed[24], left[24];

    if (p->state) {
        (void)snprintf(out, room, "%s", p->state);
        return;
    }
    double seconds = p->bytes_per_s > 0 && p->total >= p->done
                         ? (double)(p->total - p->done) / p->bytes_per_s
                         : -1;

    (void)snprintf(out, room, "%s/s  %s",
                   progress_size(speed, sizeof speed, (uint64_t)(p->bytes_per_s + 0.5)),
                   progress_time(left, sizeof left, seconds));
}

const char *progress_line(char *out, size_t room, int columns, const struct progress *p)
{
    char name[NAME_COLUMNS + 1], last[FIGURES_MAX], bar[BAR_MAX + 1];
    double part = p->total ? (double)p->done / (double)p->total : 1;

    part = part > 1 ? 1 : part;
    shorten(name, sizeof name, p->name);
    figures(last, sizeof last, p);
    /* What is left of the line between name, " 100 %" and figures. */
    int width = columns - (int)strlen(name) - (int)strlen(last) - 12;

    width = width > BAR_MAX ? BAR_MAX : width;
    if (width < BAR_MIN) {
        (void)snprintf(out, room, "%s %3d %%  %s", name, (int)(part * 100), last);
        return out;
    }
    int filled = (int)(part * width);

    memset(bar, ' ', (size_t)width);
    memset(bar, '#', (size_t)filled);
    bar[width] = 0;
    (void)snprintf(out, room, "%s [%s] %3d %%  %s", name, bar, (int)(part * 100), last);
    return out;
}
