/* SPDX-License-Identifier: MIT */
/* Which bars there are now, what is on them and where: worked out anew whenever something of it
 * may be another. */
#include "render/board_window_state.h"

#include <stdio.h>
#include <string.h>

#define BUTTON 36.0
#define GAP    3.0
#define NARROW 1010.0

#define EDGE  TDM_BAR_EDGE
#define PAD   TDM_BAR_PAD
#define SMALL TDM_BAR_SMALL

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

struct tdm_board_widget *tdm_board_window_add(struct tdm_board_window *w, enum tdm_board_bar bar,
                                              enum tdm_board_widget_kind kind,
                                              struct tdm_board_spot at)
{
    struct tdm_board_panel *p = &w->panels[bar];

    if (w->widget_count == TDM_BOARD_WIDGETS_MAX)
        w->widget_count--; /* Tables are smaller; the last one would be lost. */
    struct tdm_board_widget *widget = &w->widgets[w->widget_count++];

    memset(widget, 0, sizeof *widget);
    widget->kind = kind;
    widget->x = at.x;
    widget->y = at.y;
    widget->w = at.w;
    widget->h = at.h;
    p->count = w->widget_count - p->first;
    return widget;
}

void tdm_board_window_begin(struct tdm_board_window *w, enum tdm_board_bar bar)
{
    struct tdm_board_panel *p = &w->panels[bar];

    p->there = true;
    p->first = w->widget_count;
    p->count = 0;
}

void tdm_board_window_end(struct tdm_board_window *w, enum tdm_board_bar bar,
                          struct tdm_board_spot at)
{
    struct tdm_board_panel *p = &w->panels[bar];

    p->x = at.x;
    p->y = at.y;
    p->w = at.w;
    p->h = at.h;
    for (int i = p->first; i < p->first + p->count; i++) {
        w->widgets[i].x += at.x;
        w->widgets[i].y += at.y;
    }
}

struct tdm_board_widget *tdm_board_window_button(struct tdm_board_window *w, enum tdm_board_bar bar,
                                                 struct tdm_board_spot at, enum tdm_board_icon icon,
                                                 enum tdm_board_command command)
{
    struct tdm_board_widget *b = tdm_board_window_add(w, bar, TDM_WIDGET_ICON, at);
    const struct tdm_board_shortcut *s = tdm_board_shortcut_for(command, 0);

    b->icon = icon;
    b->command = command;
    b->tip = s ? s->name : NULL;
    return b;
}

/* Tools ------------------------------------------------------------------------------------------
 */

static void tools(struct tdm_board_window *w, double width)
{
    static const struct {
        enum tdm_board_icon icon;
        enum tdm_board_tool tool;
    } row[] = {
        {TDM_ICON_SELECT, TDM_BOARD_TOOL_SELECT},   {TDM_ICON_HAND, TDM_BOARD_TOOL_HAND},
        {TDM_ICON_NONE, TDM_BOARD_TOOLS},           {TDM_ICON_PEN, TDM_BOARD_TOOL_PEN},
        {TDM_ICON_MARKER, TDM_BOARD_TOOL_MARKER},   {TDM_ICON_ERASER, TDM_BOARD_TOOL_ERASER},
        {TDM_ICON_NONE, TDM_BOARD_TOOLS},           {TDM_ICON_RECTANGLE, TDM_BOARD_TOOL_RECTANGLE},
        {TDM_ICON_ELLIPSE, TDM_BOARD_TOOL_ELLIPSE}, {TDM_ICON_ARROW, TDM_BOARD_TOOL_ARROW},
        {TDM_ICON_LINE, TDM_BOARD_TOOL_LINE},       {TDM_ICON_TEXT, TDM_BOARD_TOOL_TEXT},
        {TDM_ICON_NOTE, TDM_BOARD_TOOL_NOTE},       {TDM_ICON_IMAGE, TDM_BOARD_TOOL_IMAGE},
        {TDM_ICON_NONE, TDM_BOARD_TOOLS},           {TDM_ICON_LASER, TDM_BOARD_TOOL_LASER}};
    double side = width < 640 ? 28 : BUTTON, x = PAD;

    tdm_board_window_begin(w, TDM_BAR_TOOLS);
    for (int i = 0; i < COUNT(row); i++) {
        if (row[i].tool == TDM_BOARD_TOOLS) {
            tdm_board_window_add(w, TDM_BAR_TOOLS, TDM_WIDGET_RULE,
                                 (struct tdm_board_spot){x + 3, PAD + 6, 1, side - 12});
            x += 10;
            continue;
        }
        struct tdm_board_widget *b =
            tdm_board_window_button(w, TDM_BAR_TOOLS, (struct tdm_board_spot){x, PAD, side, side},
                                    row[i].icon, TDM_BOARD_DO_TOOL);
        const struct tdm_board_shortcut *s = tdm_board_shortcut_for(TDM_BOARD_DO_TOOL, row[i].tool);

        b->value = row[i].tool;
        b->on = w->tools->tool == row[i].tool;
        b->tip = s ? s->name : NULL;
        x += side + GAP;
    }
    tdm_board_window_add(w, TDM_BAR_TOOLS, TDM_WIDGET_RULE,
                         (struct tdm_board_spot){x + 3, PAD + 6, 1, side - 12});
    x += 10;
    struct tdm_board_widget *b = tdm_board_window_button(
        w, TDM_BAR_TOOLS, (struct tdm_board_spot){x, PAD, side, side},
        w->tools->tool_stays ? TDM_ICON_LOCK : TDM_ICON_UNLOCK, TDM_BOARD_DO_TOOL_LOCK);

    b->on = w->tools->tool_stays;
    x += side + PAD;
    tdm_board_window_end(
        w, TDM_BAR_TOOLS,
        (struct tdm_board_spot){(double)(int)((width - x) / 2), EDGE, x, side + 2 * PAD});
}

/* What the window itself can do. */
static void menu(struct tdm_board_window *w, double y)
{
    const struct {
        enum tdm_board_icon icon;
        enum tdm_board_command command;
        bool on;
    } row[] = {
        {TDM_ICON_EXPORT, TDM_BOARD_DO_EXPORT, false},
        {TDM_ICON_GRID, TDM_BOARD_DO_GRID, w->tools->grid > 0},
        {TDM_ICON_MAGNET, TDM_BOARD_DO_SNAP, w->tools->snap},
        {w->theme == TDM_THEME_DARK ? TDM_ICON_SUN : TDM_ICON_MOON, TDM_BOARD_DO_THEME, false},
        {TDM_ICON_HELP, TDM_BOARD_DO_HELP, w->help_shown}};
    double x = PAD;

    tdm_board_window_begin(w, TDM_BAR_MENU);
    for (int i = 0; i < COUNT(row); i++) {
        tdm_board_window_button(w, TDM_BAR_MENU, (struct tdm_board_spot){x, PAD, SMALL, SMALL},
                                row[i].icon, row[i].command)
            ->on = row[i].on;
        x += SMALL + GAP;
    }
    tdm_board_window_end(w, TDM_BAR_MENU,
                         (struct tdm_board_spot){EDGE, y, x - GAP + PAD, SMALL + 2 * PAD});
}

/* Below ------------------------------------------------------------------------------------------
 */

static void view(struct tdm_board_window *w, double height)
{
    double x = PAD;
    struct tdm_board_widget *b;

    tdm_board_window_begin(w, TDM_BAR_VIEW);
    b = tdm_board_window_button(w, TDM_BAR_VIEW, (struct tdm_board_spot){x, PAD, SMALL, SMALL},
                                TDM_ICON_UNDO, TDM_BOARD_DO_UNDO);
    b->off = !tdm_board_can_undo(w->board);
    x += SMALL + GAP;
    b = tdm_board_window_button(w, TDM_BAR_VIEW, (struct tdm_board_spot){x, PAD, SMALL, SMALL},
                                TDM_ICON_REDO, TDM_BOARD_DO_REDO);
    b->off = !tdm_board_can_redo(w->board);
    x += SMALL + 4;
    tdm_board_window_add(w, TDM_BAR_VIEW, TDM_WIDGET_RULE,
                         (struct tdm_board_spot){x, PAD + 6, 1, SMALL - 12});
    x += 5;
    tdm_board_window_button(w, TDM_BAR_VIEW, (struct tdm_board_spot){x, PAD, SMALL, SMALL},
                            TDM_ICON_MINUS, TDM_BOARD_DO_ZOOM_OUT);
    x += SMALL;
    b = tdm_board_window_add(w, TDM_BAR_VIEW, TDM_WIDGET_WORD,
                             (struct tdm_board_spot){x, PAD, 52, SMALL});
    b->command = TDM_BOARD_DO_ZOOM_WHOLE;
    b->tip = "100 %";
    (void)snprintf(b->text, sizeof b->text, "%.0f %%", w->tools->canvas.zoom * 100);
    x += 52;
    tdm_board_window_button(w, TDM_BAR_VIEW, (struct tdm_board_spot){x, PAD, SMALL, SMALL},
                            TDM_ICON_PLUS, TDM_BOARD_DO_ZOOM_IN);
    x += SMALL + GAP;
    tdm_board_window_button(w, TDM_BAR_VIEW, (struct tdm_board_spot){x, PAD, SMALL, SMALL},
                            TDM_ICON_FIT, TDM_BOARD_DO_ZOOM_ALL);
    x += SMALL + PAD;
    tdm_board_window_end(
        w, TDM_BAR_VIEW,
        (struct tdm_board_spot){EDGE, height - EDGE - SMALL - 2 * PAD, x, SMALL + 2 * PAD});
}

static void pages(struct tdm_board_window *w, double width, double height)
{
    uint32_t count, at = tdm_board_tools_page(w->tools, &count);
    uint32_t room = width < 760 ? 3 : 9, first = 0;
    double x = PAD;

    if (count > room && at > room / 2)
        first = at - room / 2 + room > count ? count - room : at - room / 2;
    tdm_board_window_begin(w, TDM_BAR_PAGES);
    tdm_board_window_button(w, TDM_BAR_PAGES, (struct tdm_board_spot){x, PAD, SMALL, SMALL},
                            TDM_ICON_PREVIOUS, TDM_BOARD_DO_PAGE_PREVIOUS)
        ->off = at == 0;
    x += SMALL + GAP;
    for (uint32_t i = first; i < count && i < first + room; i++) {
        struct tdm_board_widget *b = tdm_board_window_add(
            w, TDM_BAR_PAGES, TDM_WIDGET_WORD, (struct tdm_board_spot){x, PAD, SMALL, SMALL});

        b->command = TDM_BOARD_DO_PAGE;
        b->value = i;
        b->on = i == at;
        b->tip = "Go to this page";
        (void)snprintf(b->text, sizeof b->text, "%u", i + 1);
        x += SMALL + GAP;
    }
    tdm_board_window_button(w, TDM_BAR_PAGES, (struct tdm_board_spot){x, PAD, SMALL, SMALL},
                            TDM_ICON_NEXT, TDM_BOARD_DO_PAGE_NEXT)
        ->off = at + 1 >= count;
    x += SMALL + 4;
    tdm_board_window_add(w, TDM_BAR_PAGES, TDM_WIDGET_RULE,
                         (struct tdm_board_spot){x, PAD + 6, 1, SMALL - 12});
    x += 5;
    tdm_board_window_button(w, TDM_BAR_PAGES, (struct tdm_board_spot){x, PAD, SMALL, SMALL},
                            TDM_ICON_PLUS, TDM_BOARD_DO_PAGE_NEW);
    x += SMALL + GAP;
    tdm_board_window_button(w, TDM_BAR_PAGES, (struct tdm_board_spot){x, PAD, SMALL, SMALL},
                            TDM_ICON_DELETE, TDM_BOARD_DO_PAGE_DELETE)
        ->off = count < 2;
    x += SMALL + PAD;
    double left = (double)(int)((width - x) / 2), above = height - EDGE - SMALL - 2 * PAD;

    if (left < w->panels[TDM_BAR_VIEW].x + w->panels[TDM_BAR_VIEW].w + EDGE) {
        left = width - EDGE - x; /* Beside the zoom, or above it. */
        if (left < w->panels[TDM_BAR_VIEW].x + w->panels[TDM_BAR_VIEW].w + EDGE)
            above -= SMALL + 2 * PAD + 8;
    }
    tdm_board_window_end(w, TDM_BAR_PAGES,
                         (struct tdm_board_spot){left, above, x, SMALL + 2 * PAD});
}

/* People -----------------------------------------------------------------------------------------
 */

static void peer(struct tdm_board_window *w, double width, double y)
{
    const char *state = w->peer == TDM_BOARD_PEER_HERE      ? "here"
                        : w->peer == TDM_BOARD_PEER_JOINING ? "joining"
                                                            : "offline";
    double x = PAD + 2;

    if (w->peer == TDM_BOARD_PEER_NONE)
        return;
    tdm_board_window_begin(w, TDM_BAR_PEER);
    struct tdm_board_widget *f = tdm_board_window_add(w, TDM_BAR_PEER, TDM_WIDGET_FACE,
                                                      (struct tdm_board_spot){x, PAD + 1, 30, 30});

    f->value = tdm_board_window_peer_colour(w);
    f->off = w->peer != TDM_BOARD_PEER_HERE;
    (void)snprintf(f->text, sizeof f->text, "%s", w->peer_name);
    x += 38;
    double wide = tdm_board_window_text_width(w, w->peer_name, 13, true);

    wide = wide < 48 ? 48 : wide > 140 ? 140 : wide;
    struct tdm_board_widget *l = tdm_board_window_add(
        w, TDM_BAR_PEER, TDM_WIDGET_LABEL, (struct tdm_board_spot){x, PAD - 1, wide + 4, 18});

    l->heavy = true;
    (void)snprintf(l->text, sizeof l->text, "%s", w->peer_name);
    l = tdm_board_window_add(w, TDM_BAR_PEER, TDM_WIDGET_LABEL,
                             (struct tdm_board_spot){x, PAD + 15, wide + 4, 16});
    l->off = true;
    (void)snprintf(l->text, sizeof l->text, "%s", state);
    x += wide + 12;
    if (w->peer == TDM_BOARD_PEER_HERE) {
        tdm_board_window_button(w, TDM_BAR_PEER, (struct tdm_board_spot){x, PAD, SMALL, SMALL},
                                TDM_ICON_EYE, TDM_BOARD_DO_FOLLOW)
            ->on = w->tools->follows;
        x += SMALL + GAP;
        tdm_board_window_button(w, TDM_BAR_PEER, (struct tdm_board_spot){x, PAD, SMALL, SMALL},
                                TDM_ICON_LEAD, TDM_BOARD_DO_FOLLOW_ME)
            ->on = w->tools->leads;
        x += SMALL;
    }
    x += PAD;
    tdm_board_window_end(w, TDM_BAR_PEER,
                         (struct tdm_board_spot){width - EDGE - x, y, x, SMALL + 2 * PAD});
}

static void notice(struct tdm_board_window *w, double width, double y)
{
    char text[TDM_BOARD_SAY_MAX];

    if (*w->say)
        (void)snprintf(text, sizeof text, "%s", w->say);
    else if (w->peer == TDM_BOARD_PEER_AWAY)
        (void)snprintf(text, sizeof text, "%s is offline: your work is kept", w->peer_name);
    else if (w->peer == TDM_BOARD_PEER_JOINING)
        (void)snprintf(text, sizeof text, "Putting both boards together\xe2\x80\xa6");
    else if (w->peer == TDM_BOARD_PEER_HERE && w->live.presenting && w->there && !w->tools->follows)
        (void)snprintf(text, sizeof text, "%s asks you to follow: press F", w->peer_name);
    else
        return;
    double wide = tdm_board_window_text_width(w, text, 13, false) + 2;

    tdm_board_window_begin(w, TDM_BAR_NOTICE);
    struct tdm_board_widget *l = tdm_board_window_add(w, TDM_BAR_NOTICE, TDM_WIDGET_LABEL,
                                                      (struct tdm_board_spot){14, 8, wide, 18});

    (void)snprintf(l->text, sizeof l->text, "%s", text);
    tdm_board_window_end(
        w, TDM_BAR_NOTICE,
        (struct tdm_board_spot){(double)(int)((width - wide - 28) / 2), y, wide + 28, 34});
}

static void tip(struct tdm_board_window *w, double width, double height)
{
    if (!w->tip_shown || w->hot < 0 || w->hot >= w->widget_count || !w->widgets[w->hot].tip)
        return;
    const struct tdm_board_widget hot = w->widgets[w->hot];
    const struct tdm_board_shortcut *s =
        tdm_board_shortcut_for(hot.command, hot.command == TDM_BOARD_DO_TOOL ? hot.value : 0);
    char text[TDM_BOARD_SAY_MAX];

    if (s)
        (void)snprintf(text, sizeof text, "%s  \xc2\xb7  %s", hot.tip, s->keys);
    else
        (void)snprintf(text, sizeof text, "%s", hot.tip);
    double wide = tdm_board_window_text_width(w, text, 12, false) + 2, x, y;

    tdm_board_window_begin(w, TDM_BAR_TIP);
    struct tdm_board_widget *l = tdm_board_window_add(w, TDM_BAR_TIP, TDM_WIDGET_LABEL,
                                                      (struct tdm_board_spot){9, 5, wide, 17});

    (void)snprintf(l->text, sizeof l->text, "%s", text);
    x = hot.x + hot.w / 2 - wide / 2 - 9;
    y = hot.y + hot.h + 12 > height - 60 ? hot.y - 40 : hot.y + hot.h + 12;
    x = x > width - wide - 24 ? width - wide - 24 : x;
    tdm_board_window_end(
        w, TDM_BAR_TIP,
        (struct tdm_board_spot){(double)(int)(x < 6 ? 6 : x), (double)(int)y, wide + 18, 27});
}

void tdm_board_window_arrange(struct tdm_board_window *w, tdm_time now)
{
    double width = w->width / w->scale, height = w->height / w->scale;
    bool narrow = width < NARROW;
    double second = EDGE + BUTTON + 2 * PAD + 8;

    (void)now;
    w->widget_count = 0;
    for (int i = 0; i < TDM_BARS; i++)
        w->panels[i].there = false;
    tools(w, width);
    menu(w, narrow ? second : EDGE);
    peer(w, width, narrow ? second : EDGE);
    tdm_board_window_arrange_style(w, (narrow ? second : EDGE) + SMALL + 2 * PAD + 8, height);
    view(w, height);
    pages(w, width, height);
    notice(w, width, second + (narrow ? SMALL + 2 * PAD + 8 : 0));
    if (w->help_shown)
        tdm_board_window_arrange_help(w);
    if (w->files.use)
        tdm_board_window_arrange_files(w);
    tip(w, width, height);
}

int tdm_board_window_widget_at(const struct tdm_board_window *w, double x, double y, bool *on_bar)
{
    *on_bar = false;
    for (int bar = TDM_BARS - 1; bar >= 0; bar--) {
        const struct tdm_board_panel *p = &w->panels[bar];

        if (!p->there || bar == TDM_BAR_TIP || x < p->x || y < p->y || x >= p->x + p->w ||
            y >= p->y + p->h)
            continue;
        *on_bar = bar != TDM_BAR_NOTICE;
        for (int i = p->first; i < p->first + p->count; i++) {
            const struct tdm_board_widget *widget = &w->widgets[i];

            if ((widget->command || widget->act) && x >= widget->x - 1 && y >= widget->y - 1 &&
                x < widget->x + widget->w + 1 && y < widget->y + widget->h + 1)
                return i;
        }
        return -1;
    }
    return -1;
}
