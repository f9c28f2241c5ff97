/* SPDX-License-Identifier: MIT */
#ifndef TDM_DESKTOP_DESKTOP_H
#define TDM_DESKTOP_DESKTOP_H

/*
 * The desktop as a device that is shown to somebody: which surfaces there are, what may have
 * changed on them, their exact pixels, the pointer apart from them, the windows, and what must
 * never be seen. A desktop is one table in desktop/, found by a spec "kind" or "kind:argument":
 *
 *   x11[:DISPLAY]     an X11 display (without an argument that of DISPLAY)
 *   pattern[:NAME]    a synthetic desktop that plays a script, for tests and measurements
 *
 * It decides nothing about coding, rates or consent. What it tells as changed is a hint that errs
 * on the side of too much: compare before sending. What it gives as pixels has the masks applied:
 * what must not be seen is grey in them, by the masks before and after the pixels were taken.
 *
 * Threading: every function of one desktop runs on one thread at a time (that of the share), and
 * may allocate, and waits for nothing but one answer of the display server. Time is an argument.
 *
 * The loop of the caller:
 *
 *     wait until fd is readable, or out.wake_at, or what else it waits for;
 *     step -> remember the dirty rectangles (and look at `told`);
 *     when a frame may leave: grab what is dirty, and only that.
 *
 * A draw is in the pixels of a grab that follows the step that told of it, or is told again.
 */

#include "engine/base/err.h"
#include "engine/base/rect.h"
#include "engine/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_DESKTOP_SURFACES_MAX 16
#define TDM_DESKTOP_SIDE_MAX     16384
#define TDM_DESKTOP_DIRTY_MAX    64
#define TDM_DESKTOP_WINDOWS_MAX  256
#define TDM_DESKTOP_RULES_MAX    32
#define TDM_DESKTOP_CURSOR_MAX   256
#define TDM_DESKTOP_GREY         0x808080u /* 0xRRGGBB of what is masked. */

/** What of the desktop is shown. */
enum tdm_desktop_what {
    TDM_DESKTOP_ALL,    /* Every monitor, each a surface. */
    TDM_DESKTOP_OUTPUT, /* The number-th monitor, from 1, from left to right then down. */
    TDM_DESKTOP_WINDOW, /* One window with its menus; what covers it is grey. */
    TDM_DESKTOP_RECT,   /* A rectangle of the desktop. */
};

struct tdm_desktop_pick {
    enum tdm_desktop_what what;
    int number;           /* OUTPUT. */
    uint32_t window;      /* WINDOW: an id of `windows`; 0 as parsed: `choose` tells it. */
    struct tdm_rect rect; /* RECT, in desktop coordinates. */
};

/** A window that is never shown, nor its menus, tooltips and dialogs: each field that is not empty
 *  must be a part of the window's own, whatever the case of letters; both empty matches none. */
struct tdm_desktop_rule {
    char class_part[64];
    char title_part[128];
};

struct tdm_desktop_config {
    const char *argument; /* After the colon, "" when none. Borrowed for open. */
    struct tdm_desktop_pick pick;
    const struct tdm_desktop_rule *never; /* Borrowed for open. */
    size_t never_count;                   /* At most TDM_DESKTOP_RULES_MAX. */
    bool distrust_hints; /* Do not use the server's change hints: find changes by looking. */
};

/** A picture of its own. Its pixels are named by their place in it, from 0, 0. */
struct tdm_desktop_surface {
    uint16_t id;            /* Stays for the same monitor, also when it was away. Never 0. */
    uint32_t generation;    /* Counts up when the sides changed: everything of it is dirty then. */
    struct tdm_rect area;   /* Where it is in desktop coordinates (for input); the sides. */
    uint16_t scale_percent; /* What the user set for text and icons: 100, 150, 200 ... */
    bool primary;
    char name[64]; /* "HDMI-1", or the window's title. */
};

struct tdm_desktop_dirty {
    uint16_t surface;     /* An id. */
    struct tdm_rect rect; /* In the surface, inside its sides. */
};

/** What `told` of a step has: look at what is named. */
enum tdm_desktop_told {
    TDM_DESKTOP_TOLD_SURFACES = 1 << 0, /* One came, left, moved or has another generation. */
    TDM_DESKTOP_TOLD_SHAPE = 1 << 1,    /* The pointer looks otherwise. */
    TDM_DESKTOP_TOLD_POINTER = 1 << 2,  /* It moved. */
    TDM_DESKTOP_TOLD_WINDOWS = 1 << 3,  /* The list of windows is another. */
    TDM_DESKTOP_TOLD_STATE = 1 << 4,
};

enum tdm_desktop_state {
    TDM_DESKTOP_SHOWN,
    TDM_DESKTOP_LOCKED,  /* A screen lock covers it: go on, but say so, and take no input. */
    TDM_DESKTOP_ASLEEP,  /* The screen saver is on. */
    TDM_DESKTOP_HIDDEN,  /* The window that is shown is minimised: its surface is grey. */
    TDM_DESKTOP_NOTHING, /* The window that was shown is closed, or the monitor unplugged: there is
                            no surface until it is plugged in again, or `select`. */
};

struct tdm_desktop_out {
    uint32_t told; /* enum tdm_desktop_told. */
    enum tdm_desktop_state state;
    struct tdm_desktop_dirty dirty[TDM_DESKTOP_DIRTY_MAX];
    size_t dirty_count;
    tdm_time dirty_at; /* When the first of these was heard of; TDM_NEVER when there is none. */
    tdm_time wake_at;  /* Step again then, without fd (looking where hints cannot be trusted). */
    bool hints;        /* Whether hints are trusted now. */
};

struct tdm_desktop_cursor {
    bool visible;
    uint64_t hash;          /* Of all below but the place: equal means drawn alike. */
    uint16_t width, height; /* At most TDM_DESKTOP_CURSOR_MAX; cut off beyond. */
    uint16_t hot_x, hot_y;
    const uint32_t *argb; /* Premultiplied, width * height, the row's stride is the width. Valid
                             until the next step. */
};

struct tdm_desktop_pointer {
    int x, y;         /* In desktop coordinates: of the hotspot. */
    uint16_t surface; /* The surface it is on, 0: none of those shown. */
    int surface_x, surface_y;
};

struct tdm_desktop_window {
    uint32_t id;
    struct tdm_rect area;            /* With its frame, in desktop coordinates. */
    bool active, minimised, never;   /* never: a rule matches it. */
    char class_name[64], title[128]; /* UTF-8. */
};

struct tdm_desktop;

struct tdm_desktop_ops {
    const char *kind;

    /** Lets the person at the desktop click a window, for a minute at most; Escape or another
     *  button than the left cancels. NULL: not possible. Any thread, also without a desktop open.
     *  @return TDM_OK; TDM_E_GONE with a cause: cancelled, or no such display. */
    enum tdm_err (*choose)(const char *argument, uint32_t *window, struct tdm_cause *cause);

    /** On the thread that steps, or before it starts.
     *  @return TDM_OK; else with a cause: TDM_E_GONE no such display, window or monitor;
     *          TDM_E_UNSUPPORTED a display without what is needed; TDM_E_SYSTEM. */
    enum tdm_err (*open)(const struct tdm_desktop_config *config, struct tdm_desktop **desktop,
                         struct tdm_cause *cause);
    void (*close)(struct tdm_desktop *desktop);

    /** Readable while a step has something to do. Belongs to the desktop; do not read it. */
    int (*fd)(const struct tdm_desktop *desktop);

    /**
     * Tells what has happened since the step before. The first tells all surfaces as dirty.
     *
     * @return TDM_OK; TDM_E_GONE with a cause when the display is no longer there: close it, and
     *         open again when it should come back.
     */
    enum tdm_err (*step)(struct tdm_desktop *desktop, tdm_time now, struct tdm_desktop_out *out,
                         struct tdm_cause *cause);

    /** The surfaces, by id; valid until the next step or select. */
    size_t (*surfaces)(const struct tdm_desktop *desktop,
                       const struct tdm_desktop_surface **surfaces);

    /**
     * Takes the pixels of a part of a surface.
     *
     * @param rect    In the surface, not empty and inside its sides.
     * @param pixels  The surface's first pixel in the caller's frame, `stride` bytes a row (both
     *                multiples of 4): B, G, R and a zero. Only those of `rect` are written.
     * @return TDM_OK; TDM_E_AGAIN when the surface is not that one any more: step first; nothing
     *         of use was written. TDM_E_GONE as from step.
     */
    enum tdm_err (*grab)(struct tdm_desktop *desktop, const struct tdm_desktop_surface *surface,
                         struct tdm_rect rect, uint8_t *pixels, ptrdiff_t stride,
                         struct tdm_cause *cause);

    /** How the pointer looks, and where it is, as of the last step. */
    void (*cursor)(const struct tdm_desktop *desktop, struct tdm_desktop_cursor *cursor);
    void (*pointer)(const struct tdm_desktop *desktop, struct tdm_desktop_pointer *pointer);

    /** The windows that a user knows of, the topmost first; as of the last step. */
    size_t (*windows)(const struct tdm_desktop *desktop, const struct tdm_desktop_window **windows);

    /** Shows something else from now on, with other rules; all of it is dirty in the next step.
     *  @return TDM_OK; TDM_E_GONE with a cause (nothing has changed then). */
    enum tdm_err (*select)(struct tdm_desktop *desktop, const struct tdm_desktop_pick *pick,
                           struct tdm_cause *cause);
    enum tdm_err (*never)(struct tdm_desktop *desktop, const struct tdm_desktop_rule *rules,
                          size_t count, struct tdm_cause *cause);
};

/** Finds the table for a spec such as "x11:1" and gives the argument's start. "" is the desktop of
 *  this session. NULL with a cause that says what can be done: on Wayland, or with no display. */
const struct tdm_desktop_ops *tdm_desktop_find(const char *spec, const char **argument,
                                               struct tdm_cause *cause);

/**
 * Parses what a user writes for "--screen": "all", a number from 1, "WIDTHxHEIGHT+X+Y",
 * "window:0xID", "window" (window 0: to be chosen). TDM_E_MALFORMED with a cause otherwise.
 */
enum tdm_err tdm_desktop_pick_parse(const char *text, struct tdm_desktop_pick *pick,
                                    struct tdm_cause *cause);

#endif
