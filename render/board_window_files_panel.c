/* SPDX-License-Identifier: MIT */
/* What stands where on the panel of files. */
#include "render/board_window_files.h"

#include <glib.h>
#include <math.h>
#include <stdio.h>

#define WIDE   560.0
#define HIGH   560.0
#define MARGIN 20.0
#define HEAD   58.0 /* Title, */
#define PLACE  40.0 /* folder, */
#define FIELD  48.0 /* name, */
#define ROW    36.0
#define FOOT   64.0 /* and buttons. */
#define BUTTON 36.0
#define AROUND 12.0
#define UNITS  5

static struct tdm_board_widget *add(struct tdm_board_window *w, enum tdm_board_widget_kind kind,
                                    struct tdm_board_spot at, const char *text)
{
    struct tdm_board_widget *b = tdm_board_window_add(w, TDM_BAR_FILES, kind, at);
    /* Names of files are bytes. */
    char *shown = g_utf8_make_valid(text, -1);

    (void)snprintf(b->text, sizeof b->text, "%s", shown);
    g_free(shown);
    return b;
}

static struct tdm_board_widget *button(struct tdm_board_window *w, struct tdm_board_spot at,
                                       enum tdm_board_icon icon, enum tdm_board_files_act act,
                                       const char *tip)
{
    struct tdm_board_widget *b = add(w, TDM_WIDGET_ICON, at, "");

    b->icon = icon;
    b->act = act;
    b->tip = tip;
    return b;
}

static void size_of(uint64_t bytes, char room[24])
{
    static const char *const units[UNITS] = {"B", "kB", "MB", "GB", "TB"};
    double in = (double)bytes;
    int unit = 0;

    for (; in >= 1000 && unit < UNITS - 1; unit++)
        in /= 1000;
    (void)snprintf(room, 24, unit && in < 10 ? "%.1f %s" : "%.0f %s", in, units[unit]);
}

static void list(struct tdm_board_window *w, double y, double wide, double bottom)
{
    struct tdm_board_files *f = &w->files;
    int count = tdm_board_files_rows(f);
    const double top = y;

    f->fit = (int)fmax((bottom - y) / ROW, 1);
    f->first = f->first > count - f->fit ? count - f->fit : f->first;
    f->first = f->first < 0 ? 0 : f->first;
    for (int i = f->first; i < count && i < f->first + f->fit; i++, y += ROW) {
        const struct tdm_board_folder_entry *e = tdm_board_files_row(f, i);
        struct tdm_board_widget *r = add(
            w, TDM_WIDGET_ROW, (struct tdm_board_spot){MARGIN - 8, y, wide + 16, ROW - 2}, e->name);

        r->icon = e->folder ? TDM_ICON_FOLDER
                  : tdm_board_folder_ends(e->name, ".pdf") ||
                          tdm_board_folder_ends(e->name, ".excalidraw")
                      ? TDM_ICON_FILE
                      : TDM_ICON_IMAGE;
        r->act = TDM_FILES_CHOOSE;
        r->value = (uint32_t)i;
        r->on = i == f->chosen;
        if (!e->folder)
            size_of(e->size, r->detail);
    }
    if (count > f->fit) {
        double all = f->fit * ROW, part = fmax(all * f->fit / count, 24);

        tdm_board_window_add(
            w, TDM_BAR_FILES, TDM_WIDGET_RULE,
            (struct tdm_board_spot){MARGIN + wide + 10,
                                    top + (all - part) * f->first / (count - f->fit), 3, part});
    }
    if (count)
        return;
    add(w, TDM_WIDGET_LABEL, (struct tdm_board_spot){MARGIN, y + 10, wide, 18},
        f->use == TDM_FILES_EXPORT ? "Nothing of this kind is here yet"
        : f->name[0]               ? "Nothing here has that in its name"
                                   : "No image, drawing or PDF is here")
        ->off = true;
}

static double format_row(struct tdm_board_window *w, double y, double wide)
{
    double x = MARGIN;

    for (int i = 0; i < TDM_FILES_FORMATS; i++) {
        const char *name = tdm_board_files_format((uint32_t)i)->name;
        double side = tdm_board_window_text_width(w, name, 13, true) + 24;
        struct tdm_board_widget *b =
            add(w, TDM_WIDGET_WORD, (struct tdm_board_spot){x, y, side, BUTTON - 4}, name);

        b->act = TDM_FILES_FORMAT;
        b->value = (uint32_t)i;
        b->on = w->files.format == (uint32_t)i;
        x += side + 4;
    }
    if (x + 160 < wide + MARGIN)
        add(w, TDM_WIDGET_LABEL, (struct tdm_board_spot){x + 8, y + 8, wide + MARGIN - x - 8, 18},
            tdm_board_files_format(w->files.format)->what)
            ->off = true;
    return y + BUTTON + 4;
}

static void buttons(struct tdm_board_window *w, double y, double wide)
{
    const struct tdm_board_files *f = &w->files;
    bool place = f->use == TDM_FILES_PLACE;
    double right = MARGIN + wide;
    struct tdm_board_widget *b;

    if (f->why.text[0])
        add(w, TDM_WIDGET_LABEL, (struct tdm_board_spot){MARGIN, y + 9, wide - 200, 18},
            f->why.text);
    b = add(w, TDM_WIDGET_WORD, (struct tdm_board_spot){right - 96, y, 96, BUTTON},
            place                         ? "Place"
            : tdm_board_files_replaces(f) ? "Replace"
                                          : "Save");
    b->act = TDM_FILES_DONE;
    b->heavy = true;
    b->off =
        place ? f->chosen < 0 && tdm_board_files_rows(f) != 1 && f->name[0] != '/' : !f->name[0];
    b = add(w, TDM_WIDGET_WORD, (struct tdm_board_spot){right - 188, y, 84, BUTTON}, "Cancel");
    b->act = TDM_FILES_CANCEL;
}

void tdm_board_window_arrange_files(struct tdm_board_window *w)
{
    const struct tdm_board_files *f = &w->files;
    double width = w->width / w->scale, height = w->height / w->scale;
    double w_all = fmin(WIDE, width - 2 * AROUND), h_all = fmin(HIGH, height - 2 * AROUND);
    double wide = w_all - 2 * MARGIN, y = HEAD;
    const char *ending = tdm_board_files_format(f->format)->endings[0];
    bool place = f->use == TDM_FILES_PLACE;

    tdm_board_window_begin(w, TDM_BAR_FILES);
    add(w, TDM_WIDGET_LABEL, (struct tdm_board_spot){MARGIN, 20, wide - 50, 22},
        place ? "Place an image, a drawing or a PDF" : "Export")
        ->heavy = true;
    button(w, (struct tdm_board_spot){w_all - 46, 14, 32, 32}, TDM_ICON_CLOSE, TDM_FILES_CANCEL,
           "Close");
    if (!place)
        y = format_row(w, y, wide);
    button(w, (struct tdm_board_spot){MARGIN - 6, y, 32, 32}, TDM_ICON_UP, TDM_FILES_UP,
           "The folder above");
    button(w, (struct tdm_board_spot){MARGIN + 28, y, 32, 32}, TDM_ICON_HOME, TDM_FILES_HOME,
           "Your own folder");
    add(w, TDM_WIDGET_LABEL, (struct tdm_board_spot){MARGIN + 68, y + 8, wide - 68, 18},
        f->folder.path);
    y += PLACE;
    struct tdm_board_widget *field =
        add(w, TDM_WIDGET_FIELD, (struct tdm_board_spot){MARGIN, y, wide, BUTTON}, f->name);

    field->tip = place ? "Part of its name" : "Name";
    (void)snprintf(field->detail, sizeof field->detail, "%s",
                   place || tdm_board_folder_ends(f->name, ending) ? "" : ending);
    list(w, y + FIELD, wide, h_all - FOOT);
    buttons(w, h_all - FOOT + 14, wide);
    tdm_board_window_end(w, TDM_BAR_FILES,
                         (struct tdm_board_spot){(double)(int)((width - w_all) / 2),
                                                 (double)(int)((height - h_all) / 2), w_all,
                                                 h_all});
}
