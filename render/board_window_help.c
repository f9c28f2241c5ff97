/* SPDX-License-Identifier: MIT */
/* The panel that says which keys do what, from the table that the tools look them up in. */
#include "render/board_window_state.h"

#include <math.h>
#include <stdio.h>

#define COLUMN   260.0
#define LINE     23.0
#define HEAD     58.0
#define MARGIN   26.0
#define FOOT     46.0
#define LINES    160
#define SECTIONS ((int)(sizeof sections / sizeof *sections))

/* Commands are in this order, too: a section ends where the next one begins. */
static const struct {
    enum tdm_board_command first;
    const char *name;
} sections[] = {{TDM_BOARD_DO_TOOL, "Tools"},
                {TDM_BOARD_DO_UNDO, "Edit"},
                {TDM_BOARD_DO_GROUP, "Arrange and style"},
                {TDM_BOARD_DO_GRID, "Page and view"},
                {TDM_BOARD_DO_FOLLOW, "Together, and the window"}};

/* A line of the panel: a shortcut, a section's name, or nothing. */
struct line {
    const struct tdm_board_shortcut *shortcut;
    const char *title;
};

static void label(struct tdm_board_window *w, struct tdm_board_spot at, const char *text,
                  bool heavy, bool muted)
{
    struct tdm_board_widget *l = tdm_board_window_add(w, TDM_BAR_HELP, TDM_WIDGET_LABEL, at);

    (void)snprintf(l->text, sizeof l->text, "%s", text);
    l->heavy = heavy;
    l->off = muted;
}

static int section_of(const struct tdm_board_shortcut *s)
{
    int at = 0;

    while (at + 1 < SECTIONS && s->command >= sections[at + 1].first)
        at++;
    return at;
}

/* All lines, section by section. A title is never the last line of a column of so many. */
static int lines_of(struct line *lines, int per_column)
{
    size_t count;
    const struct tdm_board_shortcut *s = tdm_board_shortcuts(&count);
    int n = 0;

    for (int section = 0; section < SECTIONS; section++) {
        if (n % per_column)
            lines[n++] = (struct line){NULL, NULL};
        while (n % per_column == per_column - 1 || (n % per_column == per_column - 2))
            lines[n++] = (struct line){NULL, NULL};
        lines[n++] = (struct line){NULL, sections[section].name};
        for (size_t i = 0; i < count && n < LINES - 4; i++)
            if (s[i].keys && section_of(&s[i]) == section)
                lines[n++] = (struct line){&s[i], NULL};
    }
    return n;
}

static void column(struct tdm_board_window *w, const struct line *lines, int count, double x,
                   double y)
{
    for (int i = 0; i < count; i++, y += LINE) {
        const struct tdm_board_shortcut *s = lines[i].shortcut;

        if (lines[i].title)
            label(w, (struct tdm_board_spot){x, y, COLUMN - 24, 18}, lines[i].title, true, true);
        if (!s)
            continue;
        struct tdm_board_widget *k = tdm_board_window_add(
            w, TDM_BAR_HELP, TDM_WIDGET_KEYS, (struct tdm_board_spot){x, y, COLUMN - 24, 18});

        (void)snprintf(k->text, sizeof k->text, "%s", s->keys);
        label(w, (struct tdm_board_spot){x, y, COLUMN - 24, 18}, s->name, false, false);
    }
}

void tdm_board_window_arrange_help(struct tdm_board_window *w)
{
    struct tdm_board_panel *p = &w->panels[TDM_BAR_HELP];
    double width = w->width / w->scale, height = w->height / w->scale;
    int columns = (int)fmax(1, fmin(3, (width - 2 * MARGIN - 24) / COLUMN)), per_column = 8;
    struct line lines[LINES];
    int count = lines_of(lines, per_column);

    /* As low as all of it goes into the columns; one column is as long as it is. */
    while (count > columns * per_column && per_column < LINES)
        count = lines_of(lines, ++per_column);
    tdm_board_window_begin(w, TDM_BAR_HELP);
    p->w = columns * COLUMN + 2 * MARGIN - 20;
    p->h = fmin(HEAD + per_column * LINE + FOOT, height - 24);
    p->x = (double)(int)((width - p->w) / 2);
    p->y = (double)(int)((height - p->h) / 2);
    int fit = (int)((p->h - HEAD - FOOT) / LINE + 0.01);
    int first = (int)fmax(0, fmin(w->help_scroll / LINE, per_column - fit));

    w->help_scroll = fmax(0, fmin(w->help_scroll, (per_column - fit) * LINE));
    label(w, (struct tdm_board_spot){p->x + MARGIN, p->y + 20, 300, 22}, "Tools and keys", true,
          false);
    struct tdm_board_widget *close = tdm_board_window_button(
        w, TDM_BAR_HELP, (struct tdm_board_spot){p->x + p->w - 46, p->y + 14, 32, 32},
        TDM_ICON_CLOSE, TDM_BOARD_DO_HELP);

    close->tip = "Close";
    for (int i = 0; i < columns; i++) {
        int from = i * per_column + first, end = i * per_column + per_column;

        end = end < count ? end : count;
        column(w, lines + from, end - from < fit ? end - from : fit, p->x + MARGIN + i * COLUMN,
               p->y + HEAD);
    }
    label(w, (struct tdm_board_spot){p->x + MARGIN, p->y + p->h - 34, p->w - 2 * MARGIN, 18},
          columns > 1 ? "Shift: straight, square, 15\xc2\xb0   Alt: from the middle, or a copy   "
                        "Ctrl: no snapping   Space or middle button: move the page"
                      : "Shift: straight, square   Alt: from the middle   Space: move the page",
          false, true);
}
