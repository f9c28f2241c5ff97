/* SPDX-License-Identifier: MIT */
/* Which bars there are now, what is on them and where: worked out anew whenever something of it
 * may be another. */
#include "render/board_window_state.h"

#include <stdio.h>
#include <string.h>

#define EDGE        12.0 /* From the window's edges. */
#define PAD         6.0
#define BUTTON      36.0
#define SMALL       32.0
#define GAP         3.0
#define SWATCH      26.0
#define STYLE_WIDTH 218.0
#define LABEL       18.0
#define NARROW      1010.0
#define BELOW       76.0 /* What the bars at the lower edge need. */
#define COLOURS     91.0
#define CHOICES     61.0
#define OBJECT      97.0

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

static const uint32_t inks[] = {0x1e1e1eff, 0xe03131ff, 0xf08c00ff, 0x2f9e44ff, 0x0c8599ff,
                                0x1971c2ff, 0x9c36b5ff, 0xe64980ff, 0x868e96ff, 0xffffffff};
static const uint32_t fills[] = {0x00000000, 0xffc9c9ff, 0xffd8a8ff, 0xffec99ff, 0xb2f2bbff,
                                 0x99e9f2ff, 0xa5d8ffff, 0xeebefaff, 0xe9ecefff, 0xffffffff};
static const uint32_t markers[] = {0xffd43bff, 0xffa94dff, 0xff8787ff, 0xf783acff, 0xda77f2ff,
                                   0x748ffcff, 0x4dabf7ff, 0x3bc9dbff, 0x69db7cff, 0xa9e34bff};
static const uint32_t sheets[] = {0xffe58fff, 0xffd8a8ff, 0xffc9c9ff, 0xfcc2d7ff, 0xeebefaff,
                                  0xd0bfffff, 0xa5d8ffff, 0x99e9f2ff, 0xb2f2bbff, 0xf1f3f5ff};

static struct tdm_board_widget *add(struct tdm_board_window *w, enum tdm_board_bar bar,
                                    enum tdm_board_widget_kind kind, double x, double y,
                                    double width, double height)
{
    struct tdm_board_panel *p = &w->panels[bar];

    if (w->widget_count == TDM_BOARD_WIDGETS_MAX)
        w->widget_count--; /* Tables are smaller; the last one would be lost. */
    struct tdm_board_widget *widget = &w->widgets[w->widget_count++];

    memset(widget, 0, sizeof *widget);
    widget->kind = kind;
    widget->x = x;
    widget->y = y;
    widget->w = width;
    widget->h = height;
    p->count = w->widget_count - p->first;
    return widget;
}

static void begin(struct tdm_board_window *w, enum tdm_board_bar bar)
{
    struct tdm_board_panel *p = &w->panels[bar];

    p->there = true;
    p->plain = false;
    p->first = w->widget_count;
    p->count = 0;
}

static void end(struct tdm_board_window *w, enum tdm_board_bar bar, double x, double y,
                double width, double height)
{
    struct tdm_board_panel *p = &w->panels[bar];

    p->x = x;
    p->y = y;
    p->w = width;
    p->h = height;
    for (int i = p->first; i < p->first + p->count; i++) {
        w->widgets[i].x += x;
        w->widgets[i].y += y;
    }
}

static struct tdm_board_widget *button(struct tdm_board_window *w, enum tdm_board_bar bar, double x,
                                       double y, double side, enum tdm_board_icon icon,
                                       enum tdm_board_command command)
{
    struct tdm_board_widget *b = add(w, bar, TDM_WIDGET_ICON, x, y, side, side);
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

    begin(w, TDM_BAR_TOOLS);
    for (int i = 0; i < COUNT(row); i++) {
        if (row[i].tool == TDM_BOARD_TOOLS) {
            add(w, TDM_BAR_TOOLS, TDM_WIDGET_RULE, x + 3, PAD + 6, 1, side - 12);
            x += 10;
            continue;
        }
        struct tdm_board_widget *b =
            button(w, TDM_BAR_TOOLS, x, PAD, side, row[i].icon, TDM_BOARD_DO_TOOL);
        const struct tdm_board_shortcut *s = tdm_board_shortcut_for(TDM_BOARD_DO_TOOL, row[i].tool);

        b->value = row[i].tool;
        b->on = w->tools->tool == row[i].tool;
        b->tip = s ? s->name : NULL;
        x += side + GAP;
    }
    add(w, TDM_BAR_TOOLS, TDM_WIDGET_RULE, x + 3, PAD + 6, 1, side - 12);
    x += 10;
    struct tdm_board_widget *b =
        button(w, TDM_BAR_TOOLS, x, PAD, side,
               w->tools->tool_stays ? TDM_ICON_LOCK : TDM_ICON_UNLOCK, TDM_BOARD_DO_TOOL_LOCK);

    b->on = w->tools->tool_stays;
    x += side + PAD;
    end(w, TDM_BAR_TOOLS, (double)(int)((width - x) / 2), EDGE, x, side + 2 * PAD);
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

    begin(w, TDM_BAR_MENU);
    for (int i = 0; i < COUNT(row); i++) {
        button(w, TDM_BAR_MENU, x, PAD, SMALL, row[i].icon, row[i].command)->on = row[i].on;
        x += SMALL + GAP;
    }
    end(w, TDM_BAR_MENU, EDGE, y, x - GAP + PAD, SMALL + 2 * PAD);
}

/* Style ------------------------------------------------------------------------------------------
 */

enum shows {
    SHOWS_COLOUR = 1,
    SHOWS_FILL = 2,
    SHOWS_WIDTH = 4,
    SHOWS_DASH = 8,
    SHOWS_CORNER = 16,
    SHOWS_TEXT = 32,
    SHOWS_OPACITY = 64,
};

static unsigned shows_of_type(uint32_t type)
{
    switch (type) {
    case TDM_BOARD_PEN:
    case TDM_BOARD_MARKER:
        return SHOWS_COLOUR | SHOWS_WIDTH | SHOWS_OPACITY;
    case TDM_BOARD_LINE:
    case TDM_BOARD_ARROW:
        return SHOWS_COLOUR | SHOWS_WIDTH | SHOWS_DASH | SHOWS_OPACITY;
    case TDM_BOARD_RECTANGLE:
        return SHOWS_COLOUR | SHOWS_FILL | SHOWS_WIDTH | SHOWS_DASH | SHOWS_CORNER | SHOWS_OPACITY;
    case TDM_BOARD_ELLIPSE:
    case TDM_BOARD_DIAMOND:
        return SHOWS_COLOUR | SHOWS_FILL | SHOWS_WIDTH | SHOWS_DASH | SHOWS_OPACITY;
    case TDM_BOARD_TEXT:
        return SHOWS_COLOUR | SHOWS_TEXT | SHOWS_OPACITY;
    case TDM_BOARD_NOTE:
        return SHOWS_FILL | SHOWS_TEXT | SHOWS_OPACITY;
    default:
        return SHOWS_OPACITY;
    }
}

/* Of the first that is selected, or of what the tool makes; 0: nothing. */
static uint32_t type_at_hand(const struct tdm_board_window *w)
{
    static const uint32_t makes[TDM_BOARD_TOOLS] = {[TDM_BOARD_TOOL_PEN] = TDM_BOARD_PEN,
                                                    [TDM_BOARD_TOOL_MARKER] = TDM_BOARD_MARKER,
                                                    [TDM_BOARD_TOOL_LINE] = TDM_BOARD_LINE,
                                                    [TDM_BOARD_TOOL_ARROW] = TDM_BOARD_ARROW,
                                                    [TDM_BOARD_TOOL_RECTANGLE] =
                                                        TDM_BOARD_RECTANGLE,
                                                    [TDM_BOARD_TOOL_ELLIPSE] = TDM_BOARD_ELLIPSE,
                                                    [TDM_BOARD_TOOL_TEXT] = TDM_BOARD_TEXT,
                                                    [TDM_BOARD_TOOL_NOTE] = TDM_BOARD_NOTE};
    const struct tdm_board_object *o =
        w->tools->selected_count ? tdm_board_find(w->board, w->tools->selected[0]) : NULL;
    struct tdm_board_view view;

    if (!o)
        return makes[w->tools->tool];
    tdm_board_read(w->board, o, &view);
    return view.type;
}

static double title(struct tdm_board_window *w, double y, const char *text)
{
    struct tdm_board_widget *l =
        add(w, TDM_BAR_STYLE, TDM_WIDGET_LABEL, PAD + 6, y, STYLE_WIDTH - 24, LABEL);

    (void)snprintf(l->text, sizeof l->text, "%s", text);
    l->off = true;
    return y + LABEL + 3;
}

static double colours(struct tdm_board_window *w, double y, const uint32_t *list, int count,
                      enum tdm_board_command command, uint32_t chosen)
{
    const int columns = 5;
    double step = (STYLE_WIDTH - 2 * (PAD + 6)) / columns;

    for (int i = 0; i < count; i++) {
        struct tdm_board_widget *s = add(w, TDM_BAR_STYLE, TDM_WIDGET_COLOUR,
                                         PAD + 6 + step * (i % columns) + (step - SWATCH) / 2,
                                         y + (i / columns) * (SWATCH + 6), SWATCH, SWATCH);

        s->command = command;
        s->value = list[i];
        s->on = list[i] == chosen || ((list[i] & 0xff) == 0 && (chosen & 0xff) == 0);
    }
    return y + ((count + columns - 1) / columns) * (SWATCH + 6) + 6;
}

struct choice {
    enum tdm_board_icon icon;
    uint32_t value;
};

static double choices(struct tdm_board_window *w, double y, const struct choice *list, int count,
                      enum tdm_board_command command, uint32_t chosen)
{
    for (int i = 0; i < count; i++) {
        struct tdm_board_widget *b =
            button(w, TDM_BAR_STYLE, PAD + 4 + i * (SMALL + 6), y, SMALL, list[i].icon, command);

        b->value = list[i].value;
        b->on = list[i].value == chosen;
        b->tip = NULL;
    }
    return y + SMALL + 8;
}

static double text_style(struct tdm_board_window *w, double y, const struct tdm_board_style *style,
                         double room)
{
    static const struct choice fonts[] = {{TDM_ICON_SANS, TDM_FONT_SANS},
                                          {TDM_ICON_SERIF, TDM_FONT_SERIF},
                                          {TDM_ICON_MONO, TDM_FONT_MONO},
                                          {TDM_ICON_SCRIPT, TDM_FONT_HAND}};
    static const struct choice aligns[] = {{TDM_ICON_START, TDM_ALIGN_START},
                                           {TDM_ICON_CENTRE, TDM_ALIGN_CENTRE},
                                           {TDM_ICON_END, TDM_ALIGN_END}};
    static const struct {
        const char *name;
        int size;
    } sizes[] = {{"S", 16}, {"M", 24}, {"L", 36}, {"XL", 56}};

    if (y + 2 * CHOICES > room)
        return y;
    y = title(w, y, "Font");
    y = choices(w, y, fonts, COUNT(fonts), TDM_BOARD_DO_FONT, style->font);
    y = title(w, y, "Size");
    for (int i = 0; i < COUNT(sizes); i++) {
        struct tdm_board_widget *b =
            add(w, TDM_BAR_STYLE, TDM_WIDGET_WORD, PAD + 4 + i * (SMALL + 6), y, SMALL, SMALL);

        b->command = TDM_BOARD_DO_FONT_SIZE;
        b->value = (uint32_t)sizes[i].size * TDM_BOARD_UNIT;
        b->on = style->font_size == sizes[i].size * TDM_BOARD_UNIT;
        (void)snprintf(b->text, sizeof b->text, "%s", sizes[i].name);
    }
    y += SMALL + 8;
    if (y + CHOICES > room)
        return y;
    y = title(w, y, "Lines");
    return choices(w, y, aligns, COUNT(aligns), TDM_BOARD_DO_ALIGN, style->align);
}

static double layers(struct tdm_board_window *w, double y)
{
    static const struct {
        enum tdm_board_icon icon;
        enum tdm_board_command command;
    } rows[2][5] = {{{TDM_ICON_BACK, TDM_BOARD_DO_BACK},
                     {TDM_ICON_BACKWARD, TDM_BOARD_DO_BACKWARD},
                     {TDM_ICON_FORWARD, TDM_BOARD_DO_FORWARD},
                     {TDM_ICON_FRONT, TDM_BOARD_DO_FRONT},
                     {TDM_ICON_LOCK, TDM_BOARD_DO_LOCK}},
                    {{TDM_ICON_COPY, TDM_BOARD_DO_DUPLICATE},
                     {TDM_ICON_DELETE, TDM_BOARD_DO_DELETE},
                     {TDM_ICON_GROUP, TDM_BOARD_DO_GROUP},
                     {TDM_ICON_UNGROUP, TDM_BOARD_DO_UNGROUP},
                     {TDM_ICON_FIT, TDM_BOARD_DO_ZOOM_SELECTION}}};

    y = title(w, y, w->tools->selected_count > 1 ? "Objects" : "Object");
    for (int row = 0; row < 2; row++) {
        for (int i = 0; i < 5; i++)
            button(w, TDM_BAR_STYLE, PAD + 4 + i * (SMALL + 7), y, SMALL, rows[row][i].icon,
                   rows[row][i].command)
                ->off = rows[row][i].command == TDM_BOARD_DO_GROUP && w->tools->selected_count < 2;
        y += SMALL + 4;
    }
    return y + 4;
}

static double line_style(struct tdm_board_window *w, double y, unsigned shows,
                         const struct tdm_board_style *style, uint32_t type, double room)
{
    static const struct choice widths[] = {{TDM_ICON_THIN, 1 * TDM_BOARD_UNIT + 8},
                                           {TDM_ICON_MEDIUM, 3 * TDM_BOARD_UNIT},
                                           {TDM_ICON_THICK, 6 * TDM_BOARD_UNIT},
                                           {TDM_ICON_HUGE, 12 * TDM_BOARD_UNIT}};
    static const struct choice broad[] = {{TDM_ICON_THIN, 10 * TDM_BOARD_UNIT},
                                          {TDM_ICON_MEDIUM, 18 * TDM_BOARD_UNIT},
                                          {TDM_ICON_THICK, 28 * TDM_BOARD_UNIT},
                                          {TDM_ICON_HUGE, 44 * TDM_BOARD_UNIT}};
    static const struct choice dashes[] = {{TDM_ICON_SOLID, TDM_DASH_SOLID},
                                           {TDM_ICON_DASHED, TDM_DASH_DASHED},
                                           {TDM_ICON_DOTTED, TDM_DASH_DOTTED}};
    static const struct choice corners[] = {{TDM_ICON_SHARP, 0},
                                            {TDM_ICON_ROUND, 8 * TDM_BOARD_UNIT}};

    if (shows & SHOWS_WIDTH && y + CHOICES <= room) {
        y = title(w, y, "Width");
        y = choices(w, y, type == TDM_BOARD_MARKER ? broad : widths, COUNT(widths),
                    TDM_BOARD_DO_WIDTH, (uint32_t)style->width);
    }
    if (shows & SHOWS_DASH && y + CHOICES <= room) {
        y = title(w, y, "Line");
        y = choices(w, y, dashes, COUNT(dashes), TDM_BOARD_DO_DASH, style->dash);
    }
    if (shows & SHOWS_CORNER && y + CHOICES <= room) {
        y = title(w, y, "Corners");
        y = choices(w, y, corners, COUNT(corners), TDM_BOARD_DO_CORNER, (uint32_t)style->corner);
    }
    return y;
}

static void style(struct tdm_board_window *w, double top, double height)
{
    uint32_t type = type_at_hand(w);
    unsigned shows = shows_of_type(type);
    struct tdm_board_style now;
    double y = PAD + 4, room = height - top - BELOW;

    /* In a low window what comes last is left out: keys do it, too. */
    if (!type || room < COLOURS || w->tools->gesture == TDM_BOARD_DRAWS)
        return;
    tdm_board_tools_style(w->tools, &now);
    begin(w, TDM_BAR_STYLE);
    if (shows & SHOWS_COLOUR) {
        y = title(w, y, "Colour");
        y = type == TDM_BOARD_MARKER
                ? colours(w, y, markers, COUNT(markers), TDM_BOARD_DO_COLOUR, now.colour)
                : colours(w, y, inks, COUNT(inks), TDM_BOARD_DO_COLOUR, now.colour);
    }
    if (shows & SHOWS_FILL && y + COLOURS <= room) {
        y = title(w, y, type == TDM_BOARD_NOTE ? "Paper" : "Fill");
        y = colours(w, y, type == TDM_BOARD_NOTE ? sheets : fills, COUNT(fills), TDM_BOARD_DO_FILL,
                    now.fill);
    }
    y = line_style(w, y, shows, &now, type, room);
    if (shows & SHOWS_TEXT)
        y = text_style(w, y, &now, room);
    if (y + 51 <= room) {
        y = title(w, y, "Opacity");
        struct tdm_board_widget *s =
            add(w, TDM_BAR_STYLE, TDM_WIDGET_SLIDER, PAD + 6, y, STYLE_WIDTH - 24, 20);

        s->command = TDM_BOARD_DO_OPACITY;
        s->value = now.opacity;
        y += 30;
    }
    if (w->tools->selected_count && !w->tools->editing.seq && y + OBJECT <= room)
        y = layers(w, y);
    end(w, TDM_BAR_STYLE, EDGE, top, STYLE_WIDTH, y + PAD);
}

/* Below ------------------------------------------------------------------------------------------
 */

static void view(struct tdm_board_window *w, double height)
{
    double x = PAD;
    struct tdm_board_widget *b;

    begin(w, TDM_BAR_VIEW);
    b = button(w, TDM_BAR_VIEW, x, PAD, SMALL, TDM_ICON_UNDO, TDM_BOARD_DO_UNDO);
    b->off = !tdm_board_can_undo(w->board);
    x += SMALL + GAP;
    b = button(w, TDM_BAR_VIEW, x, PAD, SMALL, TDM_ICON_REDO, TDM_BOARD_DO_REDO);
    b->off = !tdm_board_can_redo(w->board);
    x += SMALL + 4;
    add(w, TDM_BAR_VIEW, TDM_WIDGET_RULE, x, PAD + 6, 1, SMALL - 12);
    x += 5;
    button(w, TDM_BAR_VIEW, x, PAD, SMALL, TDM_ICON_MINUS, TDM_BOARD_DO_ZOOM_OUT);
    x += SMALL;
    b = add(w, TDM_BAR_VIEW, TDM_WIDGET_WORD, x, PAD, 52, SMALL);
    b->command = TDM_BOARD_DO_ZOOM_WHOLE;
    b->tip = "100 %";
    (void)snprintf(b->text, sizeof b->text, "%.0f %%", w->tools->canvas.zoom * 100);
    x += 52;
    button(w, TDM_BAR_VIEW, x, PAD, SMALL, TDM_ICON_PLUS, TDM_BOARD_DO_ZOOM_IN);
    x += SMALL + GAP;
    button(w, TDM_BAR_VIEW, x, PAD, SMALL, TDM_ICON_FIT, TDM_BOARD_DO_ZOOM_ALL);
    x += SMALL + PAD;
    end(w, TDM_BAR_VIEW, EDGE, height - EDGE - SMALL - 2 * PAD, x, SMALL + 2 * PAD);
}

static void pages(struct tdm_board_window *w, double width, double height)
{
    uint32_t count, at = tdm_board_tools_page(w->tools, &count);
    uint32_t room = width < 760 ? 3 : 9, first = 0;
    double x = PAD;

    if (count > room && at > room / 2)
        first = at - room / 2 + room > count ? count - room : at - room / 2;
    begin(w, TDM_BAR_PAGES);
    button(w, TDM_BAR_PAGES, x, PAD, SMALL, TDM_ICON_PREVIOUS, TDM_BOARD_DO_PAGE_PREVIOUS)->off =
        at == 0;
    x += SMALL + GAP;
    for (uint32_t i = first; i < count && i < first + room; i++) {
        struct tdm_board_widget *b = add(w, TDM_BAR_PAGES, TDM_WIDGET_WORD, x, PAD, SMALL, SMALL);

        b->command = TDM_BOARD_DO_PAGE;
        b->value = i;
        b->on = i == at;
        b->tip = "Go to this page";
        (void)snprintf(b->text, sizeof b->text, "%u", i + 1);
        x += SMALL + GAP;
    }
    button(w, TDM_BAR_PAGES, x, PAD, SMALL, TDM_ICON_NEXT, TDM_BOARD_DO_PAGE_NEXT)->off =
        at + 1 >= count;
    x += SMALL + 4;
    add(w, TDM_BAR_PAGES, TDM_WIDGET_RULE, x, PAD + 6, 1, SMALL - 12);
    x += 5;
    button(w, TDM_BAR_PAGES, x, PAD, SMALL, TDM_ICON_PLUS, TDM_BOARD_DO_PAGE_NEW);
    x += SMALL + GAP;
    button(w, TDM_BAR_PAGES, x, PAD, SMALL, TDM_ICON_DELETE, TDM_BOARD_DO_PAGE_DELETE)->off =
        count < 2;
    x += SMALL + PAD;
    double left = (double)(int)((width - x) / 2), above = height - EDGE - SMALL - 2 * PAD;

    if (left < w->panels[TDM_BAR_VIEW].x + w->panels[TDM_BAR_VIEW].w + EDGE) {
        left = width - EDGE - x; /* Beside the zoom, or above it. */
        if (left < w->panels[TDM_BAR_VIEW].x + w->panels[TDM_BAR_VIEW].w + EDGE)
            above -= SMALL + 2 * PAD + 8;
    }
    end(w, TDM_BAR_PAGES, left, above, x, SMALL + 2 * PAD);
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
    begin(w, TDM_BAR_PEER);
    struct tdm_board_widget *f = add(w, TDM_BAR_PEER, TDM_WIDGET_FACE, x, PAD + 1, 30, 30);

    f->value = tdm_board_window_peer_colour(w);
    f->off = w->peer != TDM_BOARD_PEER_HERE;
    (void)snprintf(f->text, sizeof f->text, "%s", w->peer_name);
    x += 38;
    double wide = tdm_board_window_text_width(w, w->peer_name, 13, true);

    wide = wide < 48 ? 48 : wide > 140 ? 140 : wide;
    struct tdm_board_widget *l = add(w, TDM_BAR_PEER, TDM_WIDGET_LABEL, x, PAD - 1, wide + 4, 18);

    l->heavy = true;
    (void)snprintf(l->text, sizeof l->text, "%s", w->peer_name);
    l = add(w, TDM_BAR_PEER, TDM_WIDGET_LABEL, x, PAD + 15, wide + 4, 16);
    l->off = true;
    (void)snprintf(l->text, sizeof l->text, "%s", state);
    x += wide + 12;
    if (w->peer == TDM_BOARD_PEER_HERE) {
        button(w, TDM_BAR_PEER, x, PAD, SMALL, TDM_ICON_EYE, TDM_BOARD_DO_FOLLOW)->on =
            w->tools->follows;
        x += SMALL + GAP;
        button(w, TDM_BAR_PEER, x, PAD, SMALL, TDM_ICON_LEAD, TDM_BOARD_DO_FOLLOW_ME)->on =
            w->tools->leads;
        x += SMALL;
    }
    x += PAD;
    end(w, TDM_BAR_PEER, width - EDGE - x, y, x, SMALL + 2 * PAD);
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

    begin(w, TDM_BAR_NOTICE);
    struct tdm_board_widget *l = add(w, TDM_BAR_NOTICE, TDM_WIDGET_LABEL, 14, 8, wide, 18);

    (void)snprintf(l->text, sizeof l->text, "%s", text);
    end(w, TDM_BAR_NOTICE, (double)(int)((width - wide - 28) / 2), y, wide + 28, 34);
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

    begin(w, TDM_BAR_TIP);
    struct tdm_board_widget *l = add(w, TDM_BAR_TIP, TDM_WIDGET_LABEL, 9, 5, wide, 17);

    (void)snprintf(l->text, sizeof l->text, "%s", text);
    x = hot.x + hot.w / 2 - wide / 2 - 9;
    y = hot.y + hot.h + 12 > height - 60 ? hot.y - 40 : hot.y + hot.h + 12;
    x = x > width - wide - 24 ? width - wide - 24 : x;
    end(w, TDM_BAR_TIP, (double)(int)(x < 6 ? 6 : x), (double)(int)y, wide + 18, 27);
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
    style(w, (narrow ? second : EDGE) + SMALL + 2 * PAD + 8, height);
    view(w, height);
    pages(w, width, height);
    notice(w, width, second + (narrow ? SMALL + 2 * PAD + 8 : 0));
    if (w->help_shown)
        tdm_board_window_arrange_help(w);
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

            if (widget->command && x >= widget->x - 1 && y >= widget->y - 1 &&
                x < widget->x + widget->w + 1 && y < widget->y + widget->h + 1)
                return i;
        }
        return -1;
    }
    return -1;
}
