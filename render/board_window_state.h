/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_WINDOW_STATE_H
#define TDM_RENDER_BOARD_WINDOW_STATE_H

/*
 * What the files of render/board_window.h share. Owner of all: the document's thread.
 *
 * A frame is made of three layers: the board's own pixels (`base`, from render/board_paint.h), the
 * marks of the hand and of the other side, and the bars. What has changed of any of them is a list
 * of rectangles; those alone are put together in `shown` and presented.
 */

#include "render/board_feed.h"
#include "render/board_folder.h"
#include "render/board_icons.h"
#include "render/board_paint.h"
#include "render/board_pointer.h"
#include "render/board_text.h"
#include "render/board_window.h"

#include <X11/Xlib.h>
#include <X11/extensions/XShm.h>
#include <cairo.h>
#include <pango/pangocairo.h>

#define TDM_BOARD_DIRTY_MAX   64
#define TDM_BOARD_EVENTS_MAX  64
#define TDM_BOARD_WIDGETS_MAX 320
#define TDM_BOARD_WANTED_MAX  256
#define TDM_BOARD_SAY_MAX     160
#define TDM_BOARD_NAME_ROOM   80
#define TDM_BOARD_CLIP_MAX    ((size_t)4 << 20)
#define TDM_BOARD_DEVICES_MAX 32
#define TDM_BOARD_AHEAD_LIFE  (32 * TDM_MS) /* A hand that is quiet for so long stays. */

/* Bars ----------------------------------------------------------------------------------------- */

enum tdm_board_bar {
    TDM_BAR_MENU,
    TDM_BAR_TOOLS,
    TDM_BAR_PEER,
    TDM_BAR_STYLE,
    TDM_BAR_VIEW,
    TDM_BAR_PAGES,
    TDM_BAR_NOTICE,
    TDM_BAR_TIP,
    TDM_BAR_HELP,
    TDM_BAR_FILES,
    TDM_BARS
};

enum tdm_board_widget_kind {
    TDM_WIDGET_ICON,   /* A button. */
    TDM_WIDGET_WORD,   /* A button with a label. */
    TDM_WIDGET_COLOUR, /* A swatch of `value`; alpha 0: crossed out. */
    TDM_WIDGET_SLIDER, /* 0 to 255 */
    TDM_WIDGET_LABEL,
    TDM_WIDGET_KEYS, /* A label in a frame, to the right. */
    TDM_WIDGET_RULE,
    TDM_WIDGET_FACE,  /* A person's letter in a circle of `value`. */
    TDM_WIDGET_ROW,   /* Of a list: an icon, a name, and something short at the right. */
    TDM_WIDGET_FIELD, /* Text with a caret behind it; `tip` while there is none. */
};

/* What widgets of the panel of files do; others have a command. */
enum tdm_board_files_act {
    TDM_FILES_NOTHING,
    TDM_FILES_CHOOSE, /* Row `value` */
    TDM_FILES_UP,
    TDM_FILES_HOME,
    TDM_FILES_FORMAT, /* `value` */
    TDM_FILES_CANCEL,
    TDM_FILES_DONE,
};

#define TDM_BAR_EDGE  12.0 /* From the window's edges. */
#define TDM_BAR_PAD   6.0
#define TDM_BAR_SMALL 32.0 /* A button's side, but for the tools. */

/** Pixels at scale 1. */
struct tdm_board_spot {
    double x, y, w, h;
};

/** Places in pixels at scale 1, of the window. */
struct tdm_board_widget {
    double x, y, w, h;
    enum tdm_board_widget_kind kind;
    enum tdm_board_icon icon;
    enum tdm_board_command command;
    uint32_t value;
    enum tdm_board_files_act act;
    bool on;    /* Chosen. */
    bool off;   /* Not possible now. */
    bool heavy; /* Of a label; a button: the one that Enter presses. */
    char text[TDM_BOARD_SAY_MAX];
    char detail[24]; /* Of a row. */
    const char *tip;
};

struct tdm_board_panel {
    bool there;
    double x, y, w, h;        /* Pixels at scale 1. */
    bool plain;               /* Without a card behind it. */
    int first, count;         /* Of its widgets. */
    struct tdm_rect drawn;    /* Pixels of the window that it covers, with its shadow. */
    cairo_surface_t *picture; /* Of `drawn`; NULL: to be painted. */
    uint64_t stamp;           /* Of what is in the picture. */
};

/* Files ---------------------------------------------------------------------------------------- */

enum tdm_board_files_use { TDM_FILES_CLOSED, TDM_FILES_PLACE, TDM_FILES_EXPORT };

/** The panel in which a file is chosen that is to be placed, or named that is to be written. */
struct tdm_board_files {
    enum tdm_board_files_use use;
    struct tdm_board_folder folder;
    char name[TDM_FOLDER_NAME_MAX]; /* What was typed: what names have in them, or the new name. */
    int chosen, first, fit;         /* Rows: chosen (-1: none), the uppermost shown, how many. */
    uint32_t format;
    struct tdm_cause why; /* It did not work. */
};

/* The rest ------------------------------------------------------------------------------------- */

enum tdm_board_cursor {
    TDM_CURSOR_ARROW,
    TDM_CURSOR_CROSS,
    TDM_CURSOR_MOVE,
    TDM_CURSOR_POINTS,
    TDM_CURSOR_TEXT,
    TDM_CURSOR_GRABS,
    TDM_CURSOR_TURNS,
    TDM_CURSOR_HOLDS,
    TDM_CURSOR_SIZES, /* Up, up and right, right, down and right. */
    TDM_CURSOR_NONE = TDM_CURSOR_SIZES + 4,
    TDM_CURSORS
};

struct tdm_board_atoms {
    Atom wm_delete, wm_state, wm_full_screen, utf8, net_name, clipboard, targets, incr, board, png,
        jpeg, webp, svg, uri_list, text_utf8, mine, drop, enter, position, status, leave, drop_now,
        finished, copy_action, type_list, aware;
};

/** What is being brought from another program. */
struct tdm_board_bringing {
    Atom target; /* None: nothing. */
    Atom selection;
    bool pieces; /* INCR */
    bool dropped;
    double x, y;
    uint8_t *data;
    size_t size, room;
};

struct tdm_board_window {
    struct tdm_board_window_config config;
    char title[TDM_BOARD_SAY_MAX];

    Display *display;
    Window window;
    GC gc;
    XIM im;
    XIC ic;
    int xi; /* Opcode of the input extension; 0: core events only. */
    bool broken, gone, told_closed, mapped;
    struct tdm_board_atoms atoms;
    Cursor cursors[TDM_CURSORS];
    int cursor; /* Which one is shown. */
    bool full_screen;
    struct tdm_rect before_full;

    /* Pixels. */
    double scale;
    int width, height;
    uint8_t *base;
    cairo_surface_t *shown;
    XImage *image;
    XShmSegmentInfo shm;
    bool shm_used;
    struct tdm_board_camera camera;
    bool all_dirty;
    int dirty_count;
    struct tdm_rect dirty[TDM_BOARD_DIRTY_MAX];
    int marks_count;
    struct tdm_rect marks[TDM_BOARD_DIRTY_MAX]; /* Where marks are on the screen. */
    bool marks_dirty, bars_dirty;
    bool ahead; /* Among the marks is the tip of ink ahead of the hand. */

    /* The board. */
    struct tdm_board *board;
    struct tdm_board_tools *tools;
    struct tdm_board_scene *scene;
    struct tdm_board_cache *cache;
    struct tdm_board_letters *letters;
    struct tdm_board_feed feed;
    struct tdm_board_id page; /* That the scene shows. */
    struct tdm_board_out out; /* Of the last step; `asked` adds up. */
    tdm_time tools_wake;
    uint64_t mark;                          /* Of the document, as of our last look. */
    uint64_t figures[TDM_BOARD_CHOSEN_MAX]; /* Of a question of the tools. */
    uint32_t wanted_count;
    uint8_t wanted[TDM_BOARD_WANTED_MAX][TDM_BOARD_HASH_BYTES];

    /* Bars. */
    enum tdm_board_theme theme;
    PangoContext *fonts;
    struct tdm_board_panel panels[TDM_BARS];
    int widget_count;
    struct tdm_board_widget widgets[TDM_BOARD_WIDGETS_MAX];
    int hot, held; /* Widgets under the pointer, -1: none. */
    tdm_time hot_at;
    bool tip_shown, help_shown;
    double help_scroll;
    struct tdm_board_files files;

    /* People. */
    enum tdm_board_window_peer peer;
    char peer_name[TDM_BOARD_NAME_ROOM];
    enum tdm_board_window_kept kept;
    char kept_why[TDM_BOARD_SAY_MAX];
    bool there; /* The other side has a hand here. */
    struct tdm_board_live live;
    uint32_t trail_count;
    struct tdm_board_trail trail[TDM_BOARD_TRAIL_MAX];
    uint16_t trail_stroke;
    char say[TDM_BOARD_SAY_MAX];
    tdm_time say_until;

    /* Input. */
    double at_x, at_y; /* Pixels at scale 1. */
    bool inside, space, on_bar;
    bool bar_pressed; /* A button went down there: the rest is not for the board. */
    uint32_t mods;
    int click_button, click_count;
    Time click_time;
    double click_x, click_y;
    int device_count;
    struct tdm_board_pointer_device devices[TDM_BOARD_DEVICES_MAX];
    tdm_time caret_at; /* When the caret was moved: it blinks from there. */
    bool caret_on;

    /* Clipboard. */
    cairo_surface_t *clip_picture; /* The same as it looks, recorded; NULL: it has no looks. */
    struct tdm_figure_box clip_box;
    uint8_t *clip_svg; /* Likewise, as shapes; NULL: there are none. */
    size_t clip_svg_size;
    uint8_t *clip;
    size_t clip_size, clip_text_size;
    char *clip_text;
    struct tdm_board_bringing bringing;
    Window drag_from;
    Atom drag_target;

    /* What happened. */
    int event_first, event_count;
    struct tdm_board_window_event events[TDM_BOARD_EVENTS_MAX];
    uint8_t *event_data; /* Of the one taken last. */
};

/* board_window.c */
void tdm_board_window_tell(struct tdm_board_window *w, const struct tdm_board_window_event *event);
/** With `data`, a path: says of which page, and where x, y are on it. */
void tdm_board_window_tell_file(struct tdm_board_window *w,
                                const struct tdm_board_window_event *event);
/** One input to the tools, and what they ask. */
void tdm_board_window_input(struct tdm_board_window *w, tdm_time now,
                            const struct tdm_board_in *in);
void tdm_board_window_do(struct tdm_board_window *w, tdm_time now, enum tdm_board_command command,
                         uint32_t value);
void tdm_board_window_dirty(struct tdm_board_window *w, struct tdm_rect rect);

/* board_window_sight.c */
struct tdm_board_sight tdm_board_window_sight(struct tdm_board_window *w);
void tdm_board_window_feed(struct tdm_board_window *w);
bool tdm_board_window_figure(struct tdm_board_window *w, struct tdm_board_id id,
                             struct tdm_board_figure *figure);

/* board_window_x.c: the window at the X server, and its pixels. */
enum tdm_err tdm_board_window_open(struct tdm_board_window *w, struct tdm_cause *cause);
void tdm_board_window_close(struct tdm_board_window *w);
bool tdm_board_window_resize(struct tdm_board_window *w, int width, int height);
void tdm_board_window_present(struct tdm_board_window *w, const struct tdm_rect *rects, int count);
void tdm_board_window_set_cursor(struct tdm_board_window *w);
void tdm_board_window_set_full(struct tdm_board_window *w, bool full_screen);

/* board_window_input.c */
void tdm_board_window_event(struct tdm_board_window *w, tdm_time now, XEvent *event);
void tdm_board_window_find_devices(struct tdm_board_window *w);

/* board_window_clip.c */
void tdm_board_window_copy(struct tdm_board_window *w, tdm_time now);
void tdm_board_window_paste(struct tdm_board_window *w);
void tdm_board_window_selection(struct tdm_board_window *w, tdm_time now, XEvent *event);
void tdm_board_window_drag(struct tdm_board_window *w, const XClientMessageEvent *event);

/* board_window_picture.c */
/** What is selected, for the clipboard. */
void tdm_board_window_record(struct tdm_board_window *w);
void tdm_board_window_forget_picture(struct tdm_board_window *w);
/** As PNG, on white. The caller frees it; NULL: there is none. */
uint8_t *tdm_board_window_png(struct tdm_board_window *w, size_t *size);

/* board_window_bars.c, board_window_style.c, board_window_help.c: what stands where. Widgets are
 * added between begin and end, in places of the panel, which end says. */
void tdm_board_window_begin(struct tdm_board_window *w, enum tdm_board_bar bar);
struct tdm_board_widget *tdm_board_window_add(struct tdm_board_window *w, enum tdm_board_bar bar,
                                              enum tdm_board_widget_kind kind,
                                              struct tdm_board_spot at);
struct tdm_board_widget *tdm_board_window_button(struct tdm_board_window *w, enum tdm_board_bar bar,
                                                 struct tdm_board_spot at, enum tdm_board_icon icon,
                                                 enum tdm_board_command command);
void tdm_board_window_end(struct tdm_board_window *w, enum tdm_board_bar bar,
                          struct tdm_board_spot at);
/** Below `top`, in a window so high. */
void tdm_board_window_arrange_style(struct tdm_board_window *w, double top, double height);
void tdm_board_window_arrange_help(struct tdm_board_window *w);
void tdm_board_window_arrange_files(struct tdm_board_window *w);
void tdm_board_window_arrange(struct tdm_board_window *w, tdm_time now);
int tdm_board_window_widget_at(const struct tdm_board_window *w, double x, double y, bool *on_bar);

/* board_window_files.c: the panel of files. All keys and text are its own while it is there. */
void tdm_board_window_open_files(struct tdm_board_window *w, enum tdm_board_files_use use);
void tdm_board_window_close_files(struct tdm_board_window *w);
void tdm_board_window_files_press(struct tdm_board_window *w,
                                  const struct tdm_board_widget *widget);
void tdm_board_window_files_key(struct tdm_board_window *w, uint32_t key);
void tdm_board_window_files_type(struct tdm_board_window *w, const char *text, size_t size);
void tdm_board_window_files_scroll(struct tdm_board_window *w, int rows);

/* board_window_panel.c, board_window_widgets.c: how it looks. */
void tdm_board_window_paint_bars(struct tdm_board_window *w, cairo_t *cr,
                                 const struct tdm_rect *clip);
void tdm_board_window_stamp_bars(struct tdm_board_window *w);
double tdm_board_window_text_width(struct tdm_board_window *w, const char *text, double size,
                                   bool heavy);
void tdm_board_window_text(struct tdm_board_window *w, cairo_t *cr, const char *text, double size,
                           bool heavy, double x, double y, double width);
void tdm_board_window_rounded(cairo_t *cr, double x, double y, double w, double h, double radius);
void tdm_board_window_source(cairo_t *cr, uint32_t colour);

/* board_window_marks.c */
/** cr NULL: only notes where marks are, in `w->marks`. */
void tdm_board_window_paint_marks(struct tdm_board_window *w, cairo_t *cr, tdm_time now);
uint32_t tdm_board_window_peer_colour(const struct tdm_board_window *w);

#endif
