/* SPDX-License-Identifier: MIT */
/* The bar that says how what is selected looks, or what comes next. */
#include "render/board_window_state.h"

#include <stdio.h>

#define STEP    (SMALL + 6) /* From one button to the next: five fill the bar. */
#define WIDE    218.0
#define LABEL   18.0
#define BELOW   76.0 /* What the bars at the lower edge need. */
#define COLOURS 97.0 /* How high a part of the bar is: colours to choose from, */
#define CHOICES 61.0 /* a row of buttons with its title, */
#define SLIDER  51.0
#define OBJECT  97.0 /* what is done to objects. */

#define EDGE  TDM_BAR_EDGE
#define PAD   TDM_BAR_PAD
#define SMALL TDM_BAR_SMALL

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* Of inks; others have no names that all would know. */
static const char *const ink_names[] = {"Black", "Red",    "Orange", "Green", "Teal",
                                        "Blue",  "Violet", "Pink",   "Grey",  "White"};

static const uint32_t inks[] = {0x1e1e1eff, 0xe03131ff, 0xf08c00ff, 0x2f9e44ff, 0x0c8599ff,
                                0x1971c2ff, 0x9c36b5ff, 0xe64980ff, 0x868e96ff, 0xffffffff};
static const uint32_t fills[] = {0x00000000, 0xffc9c9ff, 0xffd8a8ff, 0xffec99ff, 0xb2f2bbff,
                                 0x99e9f2ff, 0xa5d8ffff, 0xeebefaff, 0xe9ecefff, 0xffffffff};
static const uint32_t markers[] = {0xffd43bff, 0xffa94dff, 0xff8787ff, 0xf783acff, 0xda77f2ff,
                                   0x748ffcff, 0x4dabf7ff, 0x3bc9dbff, 0x69db7cff, 0xa9e34bff};
static const uint32_t sheets[] = {0xffe58fff, 0xffd8a8ff, 0xffc9c9ff, 0xfcc2d7ff, 0xeebefaff,
                                  0xd0bfffff, 0xa5d8ffff, 0x99e9f2ff, 0xb2f2bbff, 0xf1f3f5ff};

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
    struct tdm_board_widget *l = tdm_board_window_add(
        w, TDM_BAR_STYLE, TDM_WIDGET_LABEL, (struct tdm_board_spot){PAD + 6, y, WIDE - 24, LABEL});

    (void)snprintf(l->text, sizeof l->text, "%s", text);
    l->off = true;
    return y + LABEL + 3;
}

static double colours(struct tdm_board_window *w, double y, const uint32_t *list, int count,
                      enum tdm_board_command command, uint32_t chosen)
{
    const int columns = 5, rows = (count + columns - 1) / columns;

    for (int i = 0; i < count; i++) {
        const int row = i / columns;
        struct tdm_board_widget *s =
            tdm_board_window_add(w, TDM_BAR_STYLE, TDM_WIDGET_COLOUR,
                                 (struct tdm_board_spot){PAD + 4 + STEP * (i % columns),
                                                         y + (SMALL + 3) * row, SMALL, SMALL});

        s->command = command;
        s->value = list[i];
        s->on = list[i] == chosen || ((list[i] & 0xff) == 0 && (chosen & 0xff) == 0);
        s->tip = list == inks ? ink_names[i] : list[i] & 0xff ? NULL : "None";
    }
    return y + rows * (SMALL + 3) + 6;
}

struct choice {
    enum tdm_board_icon icon;
    uint32_t value;
    const char *name;
};

static double choices(struct tdm_board_window *w, double y, const struct choice *list, int count,
                      enum tdm_board_command command, uint32_t chosen)
{
    for (int i = 0; i < count; i++) {
        struct tdm_board_widget *b = tdm_board_window_button(
            w, TDM_BAR_STYLE, (struct tdm_board_spot){PAD + 4 + i * STEP, y, SMALL, SMALL},
            list[i].icon, command);

        b->value = list[i].value;
        b->on = list[i].value == chosen;
        b->tip = list[i].name;
    }
    return y + SMALL + 8;
}

static double text_style(struct tdm_board_window *w, double y, const struct tdm_board_style *style,
                         double room)
{
    static const struct choice fonts[] = {{TDM_ICON_SANS, TDM_FONT_SANS, "Plain"},
                                          {TDM_ICON_SERIF, TDM_FONT_SERIF, "With serifs"},
                                          {TDM_ICON_MONO, TDM_FONT_MONO, "Code"},
                                          {TDM_ICON_SCRIPT, TDM_FONT_HAND, "By hand"}};
    static const struct choice aligns[] = {{TDM_ICON_START, TDM_ALIGN_START, "To the begin"},
                                           {TDM_ICON_CENTRE, TDM_ALIGN_CENTRE, "In the middle"},
                                           {TDM_ICON_END, TDM_ALIGN_END, "To the end"}};
    static const struct {
        const char *name, *tip;
        int size;
    } sizes[] = {
        {"S", "Small", 16}, {"M", "Medium", 24}, {"L", "Large", 36}, {"XL", "Very large", 56}};

    if (y + 2 * CHOICES > room)
        return y;
    y = title(w, y, "Font");
    y = choices(w, y, fonts, COUNT(fonts), TDM_BOARD_DO_FONT, style->font);
    y = title(w, y, "Size");
    for (int i = 0; i < COUNT(sizes); i++) {
        struct tdm_board_widget *b =
            tdm_board_window_add(w, TDM_BAR_STYLE, TDM_WIDGET_WORD,
                                 (struct tdm_board_spot){PAD + 4 + i * STEP, y, SMALL, SMALL});

        b->command = TDM_BOARD_DO_FONT_SIZE;
        b->tip = sizes[i].tip;
        b->value = (uint32_t)sizes[i].size * TDM_BOARD_UNIT;
        b->on = style->font_size == sizes[i].size * TDM_BOARD_UNIT;
        (void)snprintf(b->text, sizeof b->text, "%s", sizes[i].name);
    }
    y += SMALL + 8;
    if (y + CHOICES > room)
        return y;
    y = title(w, y, "Align");
    return choices(w, y, aligns, COUNT(aligns), TDM_BOARD_DO_ALIGN, style->align);
}

static bool any_grouped(const struct tdm_board_window *w)
{
    struct tdm_board_view view;

    for (uint32_t i = 0; i < w->tools->selected_count; i++) {
        const struct tdm_board_object *o = tdm_board_find(w->board, w->tools->selected[i]);

        if (!o)
            continue;
        tdm_board_read(w->board, o, &view);
        if (view.group.seq)
            return true;
    }
    return false;
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
        for (int i = 0; i < 5; i++) {
            enum tdm_board_command command = rows[row][i].command;

            tdm_board_window_button(w, TDM_BAR_STYLE,
                                    (struct tdm_board_spot){PAD + 4 + i * STEP, y, SMALL, SMALL},
                                    rows[row][i].icon, command)
                ->off = (command == TDM_BOARD_DO_GROUP && w->tools->selected_count < 2) ||
                        (command == TDM_BOARD_DO_UNGROUP && !any_grouped(w));
        }
        y += SMALL + 4;
    }
    return y + 4;
}

static double line_style(struct tdm_board_window *w, double y, unsigned shows,
                         const struct tdm_board_style *style, uint32_t type, double room)
{
    static const struct choice widths[] = {{TDM_ICON_THIN, 1 * TDM_BOARD_UNIT + 8, "Thin"},
                                           {TDM_ICON_MEDIUM, 3 * TDM_BOARD_UNIT, "Medium"},
                                           {TDM_ICON_THICK, 6 * TDM_BOARD_UNIT, "Thick"},
                                           {TDM_ICON_HUGE, 12 * TDM_BOARD_UNIT, "Very thick"}};
    static const struct choice broad[] = {{TDM_ICON_THIN, 10 * TDM_BOARD_UNIT, "Thin"},
                                          {TDM_ICON_MEDIUM, 18 * TDM_BOARD_UNIT, "Medium"},
                                          {TDM_ICON_THICK, 28 * TDM_BOARD_UNIT, "Thick"},
                                          {TDM_ICON_HUGE, 44 * TDM_BOARD_UNIT, "Very thick"}};
    static const struct choice dashes[] = {{TDM_ICON_SOLID, TDM_DASH_SOLID, "Solid"},
                                           {TDM_ICON_DASHED, TDM_DASH_DASHED, "Dashed"},
                                           {TDM_ICON_DOTTED, TDM_DASH_DOTTED, "Dotted"}};
    static const struct choice corners[] = {{TDM_ICON_SHARP, 0, "Sharp"},
                                            {TDM_ICON_ROUND, 8 * TDM_BOARD_UNIT, "Round"}};

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

void tdm_board_window_arrange_style(struct tdm_board_window *w, double top, double height)
{
    uint32_t type = type_at_hand(w);
    unsigned shows = shows_of_type(type);
    struct tdm_board_style now;
    double y = PAD + 4, room = height - top - BELOW;

    /* In a low window what comes last is left out: keys do it, too. */
    if (!type || room < COLOURS)
        return;
    tdm_board_tools_style(w->tools, &now);
    tdm_board_window_begin(w, TDM_BAR_STYLE);
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
    if (y + SLIDER <= room) {
        y = title(w, y, "Opacity");
        struct tdm_board_widget *s =
            tdm_board_window_add(w, TDM_BAR_STYLE, TDM_WIDGET_SLIDER,
                                 (struct tdm_board_spot){PAD + 6, y, WIDE - 24, 20});

        s->command = TDM_BOARD_DO_OPACITY;
        s->value = now.opacity;
        y += 30;
    }
    if (w->tools->selected_count && !w->tools->editing.seq && y + OBJECT <= room)
        y = layers(w, y);
    tdm_board_window_end(w, TDM_BAR_STYLE, (struct tdm_board_spot){EDGE, top, WIDE, y + PAD});
}
