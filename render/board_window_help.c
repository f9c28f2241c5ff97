/* SPDX-License-Identifier: MIT */
/* The panel that says which keys do what, from the table that the tools look them up in. */
#include "render/board_window_state.h"

#include <math.h>
#include <stdio.h>

#define COLUMN 260.0
#define LINE   23.0
#define HEAD   58.0
#define MARGIN 26.0
#define FOOT   46.0

static void label(struct tdm_board_window *w, double x, double y, double width, const char *text,
                  bool heavy, bool muted)
{
    struct tdm_board_widget *l = tdm_board_window_add(w, TDM_BAR_HELP, TDM_WIDGET_LABEL,
                                                      (struct tdm_board_spot){x, y, width, 18});

    (void)snprintf(l->text, sizeof l->text, "%s", text);
    l->heavy = heavy;
    l->off = muted;
}

void tdm_board_window_arrange_help(struct tdm_board_window *w)
{
    struct tdm_board_panel *p = &w->panels[TDM_BAR_HELP];
    double width = w->width / w->scale, height = w->height / w->scale;
    size_t count, shown = 0;
    const struct tdm_board_shortcut *s = tdm_board_shortcuts(&count);

    for (size_t i = 0; i < count; i++)
        shown += s[i].keys != NULL;
    int columns = (int)fmax(1, fmin(3, (width - 2 * MARGIN - 24) / COLUMN));
    int lines = (int)((shown + (size_t)columns - 1) / (size_t)columns);

    tdm_board_window_begin(w, TDM_BAR_HELP);
    p->w = columns * COLUMN + 2 * MARGIN - 20;
    p->h = fmin(HEAD + lines * LINE + FOOT, height - 24);
    p->x = (double)(int)((width - p->w) / 2);
    p->y = (double)(int)((height - p->h) / 2);
    int fit = (int)((p->h - HEAD - FOOT) / LINE + 0.01);
    int first = (int)fmax(0, fmin(w->help_scroll / LINE, lines - fit));

    w->help_scroll = fmax(0, fmin(w->help_scroll, (lines - fit) * LINE));
    label(w, p->x + MARGIN, p->y + 20, 300, "Keys and tools", true, false);
    for (size_t i = 0, n = 0; i < count; i++) {
        if (!s[i].keys)
            continue;
        int column = (int)n / lines, line = (int)n % lines - first;

        n++;
        if (line < 0 || line >= fit)
            continue;
        double x = p->x + MARGIN + column * COLUMN, y = p->y + HEAD + line * LINE;
        struct tdm_board_widget *k = tdm_board_window_add(
            w, TDM_BAR_HELP, TDM_WIDGET_KEYS, (struct tdm_board_spot){x, y, COLUMN - 24, 18});

        (void)snprintf(k->text, sizeof k->text, "%s", s[i].keys);
        label(w, x, y, COLUMN - 24, s[i].name, false, false);
    }
    label(w, p->x + MARGIN, p->y + p->h - 34, p->w - 2 * MARGIN,
          columns > 1 ? "Shift: straight, square, 15\xc2\xb0   Alt: from the middle, or a copy   "
                        "Ctrl: no snapping   Space or middle button: move the page"
                      : "Shift: straight, square   Alt: from the middle   Space: move the page",
          false, true);
}
