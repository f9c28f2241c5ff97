/* SPDX-License-Identifier: MIT */
/*
 * The panel in which a file is chosen: one to be placed on the board, or the name of one to be
 * written. It reads folders and writes nothing; what was chosen is told as an event.
 */
#include "render/board_window_state.h"

#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

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

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

static const char *const placed[] = {".png", ".jpg", ".jpeg",       ".webp",
                                     ".svg", ".pdf", ".excalidraw", NULL};

static const struct {
    const char *name, *what;
    const char *endings[2];
} formats[] = {{"PNG", "This page, as pixels", {".png"}},
               {"SVG", "This page, as shapes", {".svg"}},
               {"PDF", "All pages, to print", {".pdf"}},
               {"Excalidraw", "All pages, to draw on", {".excalidraw"}}};

static const char *const *endings_of(const struct tdm_board_files *f)
{
    return f->use == TDM_FILES_PLACE ? placed : formats[f->format].endings;
}

/* Rows ------------------------------------------------------------------------------------------
 */

static bool has_in_it(const char *name, const char *part)
{
    for (size_t size = strlen(part); strlen(name) >= size; name++)
        if (g_ascii_strncasecmp(name, part, size) == 0)
            return true;
    return false;
}

/* What was typed filters what may be placed. */
static bool fits(const struct tdm_board_files *f, const struct tdm_board_folder_entry *e)
{
    return f->use == TDM_FILES_EXPORT || strchr(f->name, '/') || has_in_it(e->name, f->name);
}

static int rows(const struct tdm_board_files *f)
{
    int count = 0;

    for (size_t i = 0; i < f->folder.count; i++)
        count += fits(f, &f->folder.entries[i]);
    return count;
}

static const struct tdm_board_folder_entry *row_at(const struct tdm_board_files *f, int row)
{
    for (size_t i = 0; i < f->folder.count; i++)
        if (fits(f, &f->folder.entries[i]) && row-- == 0)
            return &f->folder.entries[i];
    return NULL;
}

static void show_row(struct tdm_board_files *f, int row)
{
    int last = rows(f) - f->fit;

    f->first = row < f->first ? row : row >= f->first + f->fit ? row - f->fit + 1 : f->first;
    f->first = f->first > last ? last : f->first;
    f->first = f->first < 0 ? 0 : f->first;
}

/* What it does ----------------------------------------------------------------------------------
 */

static bool go_to(struct tdm_board_window *w, const char *path)
{
    struct tdm_board_files *f = &w->files;
    bool good = tdm_board_folder_read(&f->folder, path, endings_of(f), &f->why) == TDM_OK;

    if (good)
        f->why.text[0] = 0;
    w->bars_dirty = true;
    if (!good)
        return false;
    f->chosen = -1;
    f->first = 0;
    return true;
}

void tdm_board_window_open_files(struct tdm_board_window *w, enum tdm_board_files_use use)
{
    struct tdm_board_files *f = &w->files;

    w->help_shown = false;
    f->use = use;
    (void)snprintf(f->name, sizeof f->name, "%s", use == TDM_FILES_EXPORT ? "board" : "");
    /* Where it was the last time. */
    if (!go_to(w, f->folder.path[0] ? f->folder.path : ".") && !go_to(w, "~"))
        (void)go_to(w, "/");
}

void tdm_board_window_close_files(struct tdm_board_window *w)
{
    w->files.use = TDM_FILES_CLOSED;
    w->bars_dirty = true;
}

static void tell(struct tdm_board_window *w, const char *path)
{
    const struct tdm_board_canvas *c = &w->tools->canvas;
    bool place = w->files.use == TDM_FILES_PLACE;
    struct tdm_board_window_event event = {.kind = place ? TDM_BOARD_WINDOW_FILE
                                                         : TDM_BOARD_WINDOW_EXPORT,
                                           .data = (const uint8_t *)path,
                                           .size = strlen(path) + 1,
                                           .x = c->width / 2,
                                           .y = c->height / 2};

    tdm_board_window_tell_file(w, &event);
    tdm_board_window_close_files(w);
}

static void take_row(struct tdm_board_window *w, int row)
{
    struct tdm_board_files *f = &w->files;
    const struct tdm_board_folder_entry *e = row_at(f, row);
    char path[TDM_FOLDER_PATH_MAX];

    if (!e || !tdm_board_folder_path(&f->folder, e->name, path))
        return;
    if (e->folder) {
        if (f->use == TDM_FILES_PLACE)
            f->name[0] = 0;
        (void)go_to(w, path);
    } else {
        tell(w, path);
    }
}

/* A name without its ending gets it. */
static bool path_to_write(const struct tdm_board_files *f, char path[TDM_FOLDER_PATH_MAX])
{
    const char *ending = formats[f->format].endings[0];
    char name[TDM_FOLDER_NAME_MAX + 16];

    (void)snprintf(name, sizeof name, "%s%s", f->name,
                   tdm_board_folder_ends(f->name, ending) ? "" : ending);
    if (f->name[0] == '/')
        return snprintf(path, TDM_FOLDER_PATH_MAX, "%s", name) < TDM_FOLDER_PATH_MAX;
    return f->name[0] && tdm_board_folder_path(&f->folder, name, path);
}

static void done(struct tdm_board_window *w)
{
    struct tdm_board_files *f = &w->files;
    char path[TDM_FOLDER_PATH_MAX];

    if (f->use == TDM_FILES_EXPORT) {
        if (path_to_write(f, path))
            tell(w, path);
    } else if (f->chosen >= 0 || rows(f) == 1) {
        take_row(w, f->chosen >= 0 ? f->chosen : 0);
    } else if (f->name[0] == '/' && !go_to(w, f->name)) {
        f->why.text[0] = 0;
        tell(w, f->name);
    }
}

static void choose(struct tdm_board_window *w, int row)
{
    struct tdm_board_files *f = &w->files;
    const struct tdm_board_folder_entry *e = row_at(f, row);

    if (e && e->folder) {
        take_row(w, row);
    } else if (f->use == TDM_FILES_EXPORT && e) {
        (void)snprintf(f->name, sizeof f->name, "%s", e->name);
    } else if (row == f->chosen) {
        take_row(w, row);
    } else {
        f->chosen = row;
    }
}

void tdm_board_window_files_press(struct tdm_board_window *w, const struct tdm_board_widget *widget)
{
    struct tdm_board_files *f = &w->files;

    w->bars_dirty = true;
    switch (widget->act) {
    case TDM_FILES_CHOOSE:
        choose(w, (int)widget->value);
        break;
    case TDM_FILES_UP:
        (void)go_to(w, "..");
        break;
    case TDM_FILES_HOME:
        (void)go_to(w, "~");
        break;
    case TDM_FILES_FORMAT:
        f->format = widget->value;
        (void)go_to(w, f->folder.path);
        break;
    case TDM_FILES_CANCEL:
        tdm_board_window_close_files(w);
        break;
    default:
        done(w);
        break;
    }
}

void tdm_board_window_files_type(struct tdm_board_window *w, const char *text, size_t size)
{
    struct tdm_board_files *f = &w->files;
    size_t had = strlen(f->name), end;

    if (!g_utf8_validate(text, (gssize)size, NULL))
        return;
    for (end = 0; end < size && (unsigned char)text[end] >= ' '; end++)
        continue;
    if (end == 0 || had + end >= sizeof f->name)
        return;
    memcpy(f->name + had, text, end);
    f->name[had + end] = 0;
    f->chosen = -1;
    f->first = 0;
    w->bars_dirty = true;
}

static void erase_letter(struct tdm_board_files *f)
{
    size_t size = strlen(f->name);

    while (size && ((unsigned char)f->name[--size] & 0xc0) == 0x80)
        continue;
    f->name[size] = 0;
    f->chosen = -1;
    f->first = 0;
}

void tdm_board_window_files_key(struct tdm_board_window *w, uint32_t key)
{
    struct tdm_board_files *f = &w->files;
    int last = rows(f) - 1, step = 0;

    w->bars_dirty = true;
    if (key == TDM_BOARD_KEY_ESCAPE)
        tdm_board_window_close_files(w);
    else if (key == TDM_BOARD_KEY_ENTER)
        done(w);
    else if (key == TDM_BOARD_KEY_BACKSPACE && f->name[0])
        erase_letter(f);
    else if (key == TDM_BOARD_KEY_BACKSPACE || key == TDM_BOARD_KEY_LEFT)
        (void)go_to(w, "..");
    else if (key == TDM_BOARD_KEY_TAB && f->use == TDM_FILES_EXPORT) {
        f->format = (f->format + 1) % (uint32_t)COUNT(formats);
        (void)go_to(w, f->folder.path);
    } else {
        step = key == TDM_BOARD_KEY_DOWN        ? 1
               : key == TDM_BOARD_KEY_UP        ? -1
               : key == TDM_BOARD_KEY_PAGE_DOWN ? f->fit
               : key == TDM_BOARD_KEY_PAGE_UP   ? -f->fit
                                                : 0;
    }
    if (!step || last < 0 || f->use == TDM_FILES_EXPORT)
        return;
    f->chosen = f->chosen + step > last ? last : f->chosen + step;
    f->chosen = f->chosen < 0 ? 0 : f->chosen;
    show_row(f, f->chosen);
}

void tdm_board_window_files_scroll(struct tdm_board_window *w, int by)
{
    struct tdm_board_files *f = &w->files;
    int last = rows(f) - f->fit;

    f->first = f->first + by > last ? last : f->first + by;
    f->first = f->first < 0 ? 0 : f->first;
    w->bars_dirty = true;
}

/* What stands where -----------------------------------------------------------------------------
 */

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
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double in = (double)bytes;
    int unit = 0;

    for (; in >= 1000 && unit < COUNT(units) - 1; unit++)
        in /= 1000;
    (void)snprintf(room, 24, unit && in < 10 ? "%.1f %s" : "%.0f %s", in, units[unit]);
}

static void list(struct tdm_board_window *w, double y, double wide, double bottom)
{
    struct tdm_board_files *f = &w->files;
    int count = rows(f);

    f->fit = (int)fmax((bottom - y) / ROW, 1);
    f->first = f->first > count - f->fit ? count - f->fit : f->first;
    f->first = f->first < 0 ? 0 : f->first;
    for (int i = f->first; i < count && i < f->first + f->fit; i++, y += ROW) {
        const struct tdm_board_folder_entry *e = row_at(f, i);
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
    if (count > f->fit || count)
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

    for (int i = 0; i < COUNT(formats); i++) {
        double side = tdm_board_window_text_width(w, formats[i].name, 13, true) + 24;
        struct tdm_board_widget *b = add(
            w, TDM_WIDGET_WORD, (struct tdm_board_spot){x, y, side, BUTTON - 4}, formats[i].name);

        b->act = TDM_FILES_FORMAT;
        b->value = (uint32_t)i;
        b->on = w->files.format == (uint32_t)i;
        x += side + 4;
    }
    if (x + 160 < wide + MARGIN)
        add(w, TDM_WIDGET_LABEL, (struct tdm_board_spot){x + 8, y + 8, wide + MARGIN - x - 8, 18},
            formats[w->files.format].what)
            ->off = true;
    return y + BUTTON + 4;
}

static bool is_there(const struct tdm_board_files *f)
{
    char path[TDM_FOLDER_PATH_MAX], own[TDM_FOLDER_PATH_MAX];

    for (size_t i = 0; path_to_write(f, path) && i < f->folder.count; i++)
        if (tdm_board_folder_path(&f->folder, f->folder.entries[i].name, own) &&
            strcmp(own, path) == 0)
            return true;
    return false;
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
            place         ? "Place"
            : is_there(f) ? "Replace"
                          : "Save");
    b->act = TDM_FILES_DONE;
    b->heavy = true;
    b->off = place ? f->chosen < 0 && rows(f) != 1 && f->name[0] != '/' : !f->name[0];
    b = add(w, TDM_WIDGET_WORD, (struct tdm_board_spot){right - 188, y, 84, BUTTON}, "Cancel");
    b->act = TDM_FILES_CANCEL;
}

void tdm_board_window_arrange_files(struct tdm_board_window *w)
{
    const struct tdm_board_files *f = &w->files;
    double width = w->width / w->scale, height = w->height / w->scale;
    double w_all = fmin(WIDE, width - 2 * AROUND), h_all = fmin(HIGH, height - 2 * AROUND);
    double wide = w_all - 2 * MARGIN, y = HEAD;
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
                   place || tdm_board_folder_ends(f->name, formats[f->format].endings[0])
                       ? ""
                       : formats[f->format].endings[0]);
    list(w, y + FIELD, wide, h_all - FOOT);
    buttons(w, h_all - FOOT + 14, wide);
    tdm_board_window_end(w, TDM_BAR_FILES,
                         (struct tdm_board_spot){(double)(int)((width - w_all) / 2),
                                                 (double)(int)((height - h_all) / 2), w_all,
                                                 h_all});
}
