/* SPDX-License-Identifier: MIT */
/*
 * The panel in which a file is chosen: one to be placed on the board, or the name of one to be
 * written. It reads folders and writes nothing; what was chosen is told as an event.
 */
#include "render/board_window_files.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

static const char *const placed[] = {".png", ".jpg", ".jpeg",       ".webp",
                                     ".svg", ".pdf", ".excalidraw", NULL};

static const struct tdm_board_files_format formats[TDM_FILES_FORMATS] = {
    {"PNG", "This page, as pixels", {".png"}},
    {"SVG", "This page, as shapes", {".svg"}},
    {"PDF", "All pages, to print", {".pdf"}},
    {"Excalidraw", "All pages, to draw on", {".excalidraw"}}};

const struct tdm_board_files_format *tdm_board_files_format(uint32_t which)
{
    return &formats[which];
}

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

int tdm_board_files_rows(const struct tdm_board_files *f)
{
    int count = 0;

    for (size_t i = 0; i < f->folder.count; i++)
        count += fits(f, &f->folder.entries[i]);
    return count;
}

const struct tdm_board_folder_entry *tdm_board_files_row(const struct tdm_board_files *f, int row)
{
    for (size_t i = 0; i < f->folder.count; i++)
        if (fits(f, &f->folder.entries[i]) && row-- == 0)
            return &f->folder.entries[i];
    return NULL;
}

static void show_row(struct tdm_board_files *f, int row)
{
    int last = tdm_board_files_rows(f) - f->fit;

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
    const struct tdm_board_folder_entry *e = tdm_board_files_row(f, row);
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
    } else if (f->chosen < 0 && f->name[0] == '/') {
        (void)snprintf(path, sizeof path, "%s", f->name);
        f->name[0] = 0;
        if (!go_to(w, path)) {
            f->why.text[0] = 0;
            tell(w, path);
        }
    } else if (f->chosen >= 0 || tdm_board_files_rows(f) == 1) {
        take_row(w, f->chosen >= 0 ? f->chosen : 0);
    }
}

static void choose(struct tdm_board_window *w, int row)
{
    struct tdm_board_files *f = &w->files;
    const struct tdm_board_folder_entry *e = tdm_board_files_row(f, row);

    if (e && f->use == TDM_FILES_EXPORT && !e->folder)
        (void)snprintf(f->name, sizeof f->name, "%s", e->name);
    else if (e && (e->folder || row == f->chosen))
        take_row(w, row);
    else
        f->chosen = row;
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
    int last = tdm_board_files_rows(f) - 1, step = 0;

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
        f->format = (f->format + 1) % TDM_FILES_FORMATS;
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
    int last = tdm_board_files_rows(f) - f->fit;

    f->first = f->first + by > last ? last : f->first + by;
    f->first = f->first < 0 ? 0 : f->first;
    w->bars_dirty = true;
}

bool tdm_board_files_replaces(const struct tdm_board_files *f)
{
    char path[TDM_FOLDER_PATH_MAX], own[TDM_FOLDER_PATH_MAX];

    for (size_t i = 0; path_to_write(f, path) && i < f->folder.count; i++)
        if (tdm_board_folder_path(&f->folder, f->folder.entries[i].name, own) &&
            strcmp(own, path) == 0)
            return true;
    return false;
}
