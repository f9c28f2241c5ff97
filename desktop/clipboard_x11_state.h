/* SPDX-License-Identifier: MIT */
#ifndef TDM_DESKTOP_CLIPBOARD_X11_STATE_H
#define TDM_DESKTOP_CLIPBOARD_X11_STATE_H

/*
 * What the files of desktop/clipboard.h share: clipboard_x11.c the table of atoms and the events,
 * clipboard_x11_read.c what other programs copied, clipboard_x11_give.c what they paste.
 */

#include "desktop/clipboard.h"

#include <xcb/xcb.h>

#define TDM_X11_CLIP_FORMATS    4
#define TDM_X11_CLIP_ASKERS_MAX 16
#define TDM_X11_CLIP_PIECE      (64u * 1024)
#define TDM_X11_CLIP_PATIENCE   (10 * TDM_S) /* With a program that stops answering. */

enum tdm_x11_clip_atom {
    TDM_ATOM_CLIPBOARD,
    TDM_ATOM_TARGETS,
    TDM_ATOM_INCR,
    TDM_ATOM_PROPERTY, /* Where we have things put. */
    TDM_ATOM_ORIGIN,
    TDM_ATOM_SECRET,
    TDM_ATOM_UTF8, /* Targets of formats from here. */
    TDM_ATOM_PLAIN_UTF8,
    TDM_ATOM_PLAIN,
    TDM_ATOM_HTML,
    TDM_ATOM_PNG,
    TDM_ATOM_URIS,
    TDM_ATOM_COUNT,
};

/** Bytes that several programs may be reading. */
struct tdm_x11_blob {
    uint32_t refs, size, room;
    uint8_t data[];
};

enum tdm_x11_reading {
    TDM_READ_NOTHING,
    TDM_READ_TARGETS,
    TDM_READ_SECRET,
    TDM_READ_ORIGIN,
    TDM_READ_CONTENT
};

/** A program that pastes. */
struct tdm_x11_asker {
    xcb_window_t window; /* 0: free. */
    xcb_atom_t target, property;
    xcb_timestamp_t time;
    uint8_t format;
    struct tdm_x11_blob *blob; /* What it is being given piece by piece; NULL: it waits for it. */
    uint32_t offset;
    tdm_time since;
};

struct tdm_desk_clipboard {
    xcb_connection_t *connection;
    xcb_window_t window;
    xcb_atom_t atoms[TDM_ATOM_COUNT];
    uint8_t fixes_event;
    uint32_t bytes_max;

    /* Reading what a program here copied. */
    enum tdm_x11_reading reading;
    bool incremental, look, fetch;
    uint8_t fetch_format;
    tdm_time read_since;
    struct tdm_x11_blob *read;                /* So far; of CONTENT until it is done with. */
    xcb_atom_t targets[TDM_X11_CLIP_FORMATS]; /* Of the owner, for our formats; 0: it has none. */
    bool has_origin, has_secret;
    struct tdm_clipboard_in changed;
    bool told_changed, told_content, content_good;

    /* Giving what the other side offers. */
    bool owner;
    uint64_t origin;
    uint8_t format_count;
    struct tdm_clip_entry formats[TDM_CONTROL_FORMATS_MAX];
    struct tdm_x11_blob *have[TDM_X11_CLIP_FORMATS]; /* Fetched already. */
    struct tdm_x11_blob *coming;
    bool wishing, told_wish;
    uint8_t wish_format;
    struct tdm_x11_asker askers[TDM_X11_CLIP_ASKERS_MAX];
};

/** Adds bytes; false, and *blob is gone, when there is no memory or more than `max`. */
bool tdm_x11_blob_add(struct tdm_x11_blob **blob, const void *data, size_t size, uint32_t max);
void tdm_x11_blob_unref(struct tdm_x11_blob **blob);

/** The format of a target, TDM_X11_CLIP_FORMATS: of none. */
uint8_t tdm_x11_clip_format_of(const struct tdm_desk_clipboard *c, xcb_atom_t target);

/* clipboard_x11_read.c */
void tdm_x11_read_start(struct tdm_desk_clipboard *c, tdm_time now);
void tdm_x11_read_notify(struct tdm_desk_clipboard *c, tdm_time now,
                         const xcb_selection_notify_event_t *event);
void tdm_x11_read_property(struct tdm_desk_clipboard *c, tdm_time now,
                           const xcb_property_notify_event_t *event);
void tdm_x11_read_time(struct tdm_desk_clipboard *c, tdm_time now);

/* clipboard_x11_give.c */
void tdm_x11_give_offer(struct tdm_desk_clipboard *c, const struct tdm_clipboard_out *out);
void tdm_x11_give_piece(struct tdm_desk_clipboard *c, tdm_time now,
                        const struct tdm_clipboard_out *out);
void tdm_x11_give_never(struct tdm_desk_clipboard *c, uint8_t format);
void tdm_x11_give_request(struct tdm_desk_clipboard *c, tdm_time now,
                          const xcb_selection_request_event_t *event);
void tdm_x11_give_property(struct tdm_desk_clipboard *c, tdm_time now,
                           const xcb_property_notify_event_t *event);
void tdm_x11_give_time(struct tdm_desk_clipboard *c, tdm_time now);
void tdm_x11_give_end(struct tdm_desk_clipboard *c);

#endif
