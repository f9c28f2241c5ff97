/* SPDX-License-Identifier: MIT */
#ifndef TDM_DESKTOP_X11_H
#define TDM_DESKTOP_X11_H

/*
 * The parts of the X11 desktop, each a file: the link to the server (x11_link.c), what is shown
 * (x11_surfaces.c), windows and what is masked (x11_windows.c, x11_rules.c, x11_masks.c), looking
 * (x11_look.c), the pointer (x11_cursor.c); x11.c has the table and tells them of events.
 *
 * XCB because its connections fail with a state that can be read, where Xlib ends the process.
 * Coordinates are the root window's unless said otherwise.
 */

#include "desktop/desktop.h"
#include "desktop/look.h"
#include "desktop/region.h"

#include <xcb/damage.h>
#include <xcb/randr.h>
#include <xcb/shm.h>
#include <xcb/xcb.h>

#define X11_TOPS_MAX     512 /* Children of the root window; more are not masked one by one. */
#define X11_MONITORS_MAX TDM_DESKTOP_SURFACES_MAX
#define X11_STRIP_ROWS   64

enum x11_atom {
    X11_WM_STATE,
    X11_WM_CLIENT_LEADER,
    X11_NET_WM_NAME,
    X11_NET_ACTIVE_WINDOW,
    X11_UTF8_STRING,
    X11_ATOM_COUNT,
};

/* The connection and what the server can do. */
struct x11_link {
    xcb_connection_t *connection;
    xcb_window_t root;
    uint16_t width, height; /* Of the root window. */
    uint8_t depth;
    uint32_t client_bits; /* Those of an id that name the client it belongs to. */
    xcb_atom_t atoms[X11_ATOM_COUNT];
    xcb_damage_damage_t damage; /* 0: no such extension, or not wanted. */
    uint8_t damage_event, randr_event, fixes_event, shape_event, saver_event, input_opcode;
    bool has_randr, has_fixes, has_shape, has_saver, has_input;
    xcb_shm_seg_t segment;
    uint8_t *shared; /* NULL: pixels come over the connection. */
    size_t shared_bytes;
    char display[64];
};

struct x11_pixels {
    const uint8_t *data; /* Until the next grab. */
    ptrdiff_t stride;
    unsigned sequence; /* Events with lower ones are of what happened before these pixels. */
    void *reply;
};

/* A child of the root window, and the window of the program that is inside it, or itself. */
struct x11_top {
    xcb_window_t id, client;
    struct tdm_rect area; /* With the border. */
    bool mapped, override_redirect, input_only, see_through, iconic;
    bool known;  /* The client's properties were read. */
    bool placed; /* Area and mapped are by events: what a question tells may be of later. */
    bool never;
    xcb_window_t transient_for, leader;
    char class_name[64], title[128];
};

struct x11_monitor {
    xcb_atom_t name;
    struct tdm_rect area;
    bool primary;
};

struct tdm_desktop {
    struct x11_link link;
    struct tdm_desktop_pick pick;
    struct tdm_desktop_rule rules[TDM_DESKTOP_RULES_MAX];
    size_t rule_count;

    struct x11_top tops[X11_TOPS_MAX]; /* From the lowest to the topmost. */
    size_t top_count;
    bool too_many_tops; /* Then masks cannot be computed: all is grey when there are any. */
    xcb_window_t active;
    bool windows_changed, active_changed; /* Since the masks were computed. */

    struct x11_monitor monitors[X11_MONITORS_MAX];
    size_t monitor_count;
    xcb_atom_t id_names[X11_MONITORS_MAX]; /* Surface id i + 1 is the monitor of this name. */
    bool monitors_changed;
    uint16_t scale_percent;
    uint32_t generation;
    struct tdm_desktop_surface surfaces[TDM_DESKTOP_SURFACES_MAX];
    size_t surface_count;

    struct tdm_region masks;
    /* The server tells once of each damaged pixel until the damage is subtracted: a draw after that
     * tells again. So what was heard may be told, and grabbed, only after a subtraction. */
    struct tdm_region heard, dirty;
    tdm_time heard_at, dirty_at;

    struct tdm_look look;
    uint64_t *tile_hashes; /* By strip and column; 0: none yet. */
    size_t tile_columns;
    bool hinted[TDM_LOOK_STRIPS_MAX]; /* Since the strip was last looked at. */

    struct tdm_desktop_cursor cursor;
    uint32_t cursor_pixels[TDM_DESKTOP_CURSOR_MAX * TDM_DESKTOP_CURSOR_MAX];
    bool cursor_changed, pointer_changed;
    struct tdm_desktop_pointer pointer;
    tdm_time pointer_at; /* When it was last asked for. */

    struct tdm_desktop_window windows[TDM_DESKTOP_WINDOWS_MAX];
    size_t window_count;
    enum tdm_desktop_state state;
    bool saver_on;
    uint32_t told;             /* Not yet told. */
    xcb_generic_event_t *held; /* The first event that was too new. */
    int wake_fd, fd; /* An eventfd for events that were read early; it or the connection. */
};

/* x11_link.c */
enum tdm_err x11_link_open(struct x11_link *link, const char *display, bool hints,
                           struct tdm_cause *cause);
void x11_link_close(struct x11_link *link);
bool x11_link_gone(const struct x11_link *link);
enum tdm_err x11_link_lost(const struct x11_link *link, struct tdm_cause *cause);
/* The root window has another size: shared memory for it, as far as there is. */
void x11_link_resize(struct x11_link *link, uint16_t width, uint16_t height);
/* How many rows of this width one grab can take. */
int x11_link_rows(const struct x11_link *link, int width);
/* Pixels of the root window; TDM_E_AGAIN when it has no such rectangle any more. */
enum tdm_err x11_link_grab(struct x11_link *link, struct tdm_rect rect, struct x11_pixels *pixels);
void x11_link_release(struct x11_pixels *pixels);

/* x11_choose.c */
enum tdm_err x11_choose(const char *display, uint32_t *window, struct tdm_cause *cause);

/* x11_surfaces.c */
void x11_surfaces_read_scale(struct tdm_desktop *d);
void x11_surfaces_read_monitors(struct tdm_desktop *d);
/* Makes the surfaces of what is picked. TDM_E_GONE with a cause when there is none of them. */
enum tdm_err x11_surfaces_update(struct tdm_desktop *d, struct tdm_cause *cause);
/* Where the surface of the pick is now; false: it is another than that one. */
bool x11_surface_is_there(const struct tdm_desktop *d, const struct tdm_desktop_surface *surface);

/* x11_windows.c */
void x11_windows_start(struct tdm_desktop *d);
/* Takes note of an event about windows; false when it is none. */
bool x11_windows_event(struct tdm_desktop *d, const xcb_generic_event_t *event);
/* Reads what is not known yet of windows that can be seen. */
void x11_windows_read(struct tdm_desktop *d);
struct x11_top *x11_windows_find(struct tdm_desktop *d, xcb_window_t id);
/* Makes the list for users; true when it has changed. */
bool x11_windows_list(struct tdm_desktop *d);

/* x11_rules.c */
void x11_rules_apply(struct tdm_desktop *d);
bool x11_same_client(const struct tdm_desktop *d, xcb_window_t a, xcb_window_t b);
/* The window that is shown and what belongs to it: its menus and tooltips. */
bool x11_belongs_to(const struct tdm_desktop *d, const struct x11_top *top,
                    const struct x11_top *shown);
bool x11_is_lock(const struct tdm_desktop *d);

/* x11_masks.c */
void x11_masks_compute(const struct tdm_desktop *d, struct tdm_region *masks);

/* x11_look.c */
enum tdm_err x11_look_start(struct tdm_desktop *d, tdm_time now, struct tdm_cause *cause);
void x11_look_hinted(struct tdm_desktop *d, struct tdm_rect rect);
void x11_look(struct tdm_desktop *d, tdm_time now);

/* x11_cursor.c */
void x11_cursor_start(struct tdm_desktop *d);
void x11_cursor_read(struct tdm_desktop *d);
void x11_pointer_read(struct tdm_desktop *d);

/* x11.c */
void x11_dirty(struct tdm_desktop *d, struct tdm_rect rect);
/* Takes note of the events of what happened before the pixels were taken. */
void x11_events_before(struct tdm_desktop *d, const struct x11_pixels *pixels);

#endif
