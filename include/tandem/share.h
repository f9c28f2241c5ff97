/* SPDX-License-Identifier: MIT */
#ifndef TANDEM_SHARE_H
#define TANDEM_SHARE_H

/*
 * A screen shown to another person, and help given on it, over the data channel of a call, with
 * sound and picture or without. The viewer has the desktop pixel by pixel; every frame carries a
 * hash that proves it. What the viewer may do is decided at the host alone: to see, to point, to
 * type, to use the clipboard, each by itself, until a time, and taken back at any moment.
 * docs/share.md says how.
 *
 * One `struct tandem_share` serves one call at a time, both ways: name it in struct tandem_media.
 * The host:
 *
 *     tandem_share_create(&(struct tandem_share_config){0}, &share, &cause);
 *     tandem_share_give(share, &(struct tandem_share_offer){.what = "all"}, &cause);
 *     media.channel = true;
 *     media.share = share;
 *     tandem_dial(t, "10.0.0.7", &media, &call, &cause);
 *     ... tandem_share_next_event: ASKED; tandem_share_answer(share, TANDEM_SHARE_POINTER, 600) ...
 *
 * The viewer:
 *
 *     tandem_share_ask(share, TANDEM_SHARE_VIEW);
 *     ... poll tandem_share_event_fd; tandem_share_picture(share, &picture) ...
 *
 * Threads: as in tandem.h. Pictures are taken by one thread at a time.
 */

#include "tandem/tandem.h"

#ifdef __cplusplus
extern "C" {
#endif

struct tandem_share;

/** What somebody may do, as bits. */
enum tandem_share_scope {
    TANDEM_SHARE_VIEW = 1,
    TANDEM_SHARE_POINT = 2,   /* The ghost hand: points and suggests, the host performs. */
    TANDEM_SHARE_POINTER = 4, /* Move the pointer, buttons, wheel. */
    TANDEM_SHARE_KEYBOARD = 8,
    TANDEM_SHARE_CLIPBOARD_IN = 16,  /* What the viewer copied can be pasted at the host; */
    TANDEM_SHARE_CLIPBOARD_OUT = 32, /* and the other way round. */
    TANDEM_SHARE_FILES = 64,         /* Files through the clipboard. */
    TANDEM_SHARE_ANNOTATE = 128,     /* Draw over the screen. */
};

struct tandem_share_config {
    const char *desktop; /* What is given from: "x11[:DISPLAY]", where the indicator stands, too;
                            "pattern[:NAME]": a test picture without any X. [x11 of $DISPLAY] */
    const char *never; /* Windows that are never shown: classes or parts of titles, commas between;
                          grey stands in their place. */
    const char *revoke_key; /* Ends it all at the host, like "ctrl+alt+End", which is the
                               default. */
    const char *log_path; /* Every transition of what is allowed, a line each, with its time. NULL:
                             none. */
};

/** TANDEM_INVALID for a list that means nothing. No display is opened before something is given. */
TANDEM_API enum tandem_status tandem_share_create(const struct tandem_share_config *config,
                                                  struct tandem_share **share,
                                                  struct tandem_cause *cause);

/** After every call that named it has ended and was released. */
TANDEM_API void tandem_share_destroy(struct tandem_share *share);

/* At the host. */

struct tandem_share_offer {
    const char *what;  /* "all"; a monitor by number from 1; "window:ID", by its number in
                          X; "window": tandem_share_give waits until the person there has clicked
                          one, a minute at most; "WIDTHxHEIGHT+X+Y". ["all"] */
    bool view_only;    /* Control can neither be asked for nor given. */
    unsigned allow;    /* Scopes that the other side has without asking, beside what it may see;
                          nobody is asked at the screen, so only by an explicit wish. What the
                          person there takes back is asked for again. */
    uint32_t allow_s;  /* For so long from its first use; 0: as long as it is given. */
    bool unasked_view; /* Who is in the call sees it at once; else the first ASKED for
                          TANDEM_SHARE_VIEW waits for tandem_share_answer. */
};

/** Gives a screen, now or as soon as a call names `share`. TANDEM_FAILED without a display or a
 * click, TANDEM_INVALID for a monitor or window that is not there. */
TANDEM_API enum tandem_status tandem_share_give(struct tandem_share *share,
                                                const struct tandem_share_offer *offer,
                                                struct tandem_cause *cause);
/** Ends it; everything that was allowed is taken back. */
TANDEM_API void tandem_share_end(struct tandem_share *share);

/** Answers TANDEM_SHARE_ASKED, or gives or takes of one's own accord: from now on exactly `scopes`
 *  are allowed, for `seconds` (0: until taken back). 0 scopes: refused, or all taken back. */
TANDEM_API enum tandem_status tandem_share_answer(struct tandem_share *share, unsigned scopes,
                                                  uint32_t seconds, struct tandem_cause *cause);

/* At the viewer. */

/** Asks to see, or for more. The answer is an event. */
TANDEM_API enum tandem_status tandem_share_ask(struct tandem_share *share, unsigned scopes);
/** Gives back what was allowed, or stops watching (TANDEM_SHARE_VIEW). */
TANDEM_API void tandem_share_give_back(struct tandem_share *share, unsigned scopes);

/** A surface: a monitor, window or rectangle. */
struct tandem_share_surface {
    uint32_t id;
    int x, y, width, height; /* On the host's desktop, in pixels. */
    bool primary;
    char name[64];
};

#define TANDEM_SHARE_SURFACES_MAX 16
/** What there is to see. @return how many. */
TANDEM_API int
tandem_share_surfaces(struct tandem_share *share,
                      struct tandem_share_surface surfaces[TANDEM_SHARE_SURFACES_MAX]);

struct tandem_share_rect {
    int x, y, width, height;
};

#define TANDEM_SHARE_DAMAGE_MAX 64

/** What is to be seen now. Pixels are 32 bits, blue in the lowest byte, the highest one 0. */
struct tandem_share_picture {
    uint32_t surface;
    int width, height;
    size_t stride; /* Bytes. */
    const uint32_t *pixels;
    uint64_t number;     /* Of the newest frame in it. */
    bool exact;          /* Every pixel is the host's; else some are being refined. */
    int64_t captured_ns; /* When the newest frame was taken, by the host's monotonic clock. */
    int damage_count;    /* Rectangles that changed since the last picture that was taken. */
    struct tandem_share_rect damage[TANDEM_SHARE_DAMAGE_MAX];
};

/** Locks the newest picture until tandem_share_picture_done; frames that come wait for it, so copy
 *  and be quick. TANDEM_AGAIN: nothing new since the last one; nothing is locked then. */
TANDEM_API enum tandem_status tandem_share_picture(struct tandem_share *share, uint32_t surface,
                                                   struct tandem_share_picture *picture);
TANDEM_API void tandem_share_picture_done(struct tandem_share *share);
/** Readable when there is a new picture or pointer. */
TANDEM_API int tandem_share_picture_fd(struct tandem_share *share);
/** Writes the first surface's picture as it is now, pixel by pixel, as PNG. */
TANDEM_API enum tandem_status tandem_share_snapshot(struct tandem_share *share, const char *path,
                                                    struct tandem_cause *cause);

#define TANDEM_SHARE_CURSOR_MAX 128

/** The host's pointer, which is not in the picture. */
struct tandem_share_cursor {
    bool visible;
    uint32_t surface;
    int x, y;         /* Of its hot spot, on the surface. */
    int hot_x, hot_y; /* Inside its picture. */
    int width, height;
    uint32_t number;                                                  /* Changes with the shape. */
    uint32_t argb[TANDEM_SHARE_CURSOR_MAX * TANDEM_SHARE_CURSOR_MAX]; /* Premultiplied. */
};

/** TANDEM_AGAIN: as before. */
TANDEM_API enum tandem_status tandem_share_cursor(struct tandem_share *share,
                                                  struct tandem_share_cursor *cursor);

enum tandem_share_input_kind {
    TANDEM_SHARE_MOVE,   /* x, y on the surface. */
    TANDEM_SHARE_BUTTON, /* button (1 left, 2 middle, 3 right, 4 back, 5 forward), down, at x, y. */
    TANDEM_SHARE_WHEEL,  /* x, y: 120ths of a notch, right and down. */
    TANDEM_SHARE_NUDGE,  /* x, y: relative motion. */
    TANDEM_SHARE_KEY,    /* code: USB HID usage of the physical key (page 7); symbol: X keysym of
                            what it means here; modifiers; down. */
    TANDEM_SHARE_TEXT,   /* text: what was typed by whatever means. */
    TANDEM_SHARE_FOCUS,  /* down: the window has it, with modifiers; without, nothing is held. */
    TANDEM_SHARE_GHOST,  /* down: from now on MOVE and BUTTON only point and suggest. */
};

/** Modifiers that are held or locked after the event. */
enum tandem_share_modifier {
    TANDEM_SHARE_SHIFT = 1,
    TANDEM_SHARE_CTRL = 2,
    TANDEM_SHARE_ALT = 4,
    TANDEM_SHARE_SUPER = 8,
    TANDEM_SHARE_ALT_GR = 16,
    TANDEM_SHARE_CAPS_LOCK = 32,
    TANDEM_SHARE_NUM_LOCK = 64,
};

struct tandem_share_input {
    enum tandem_share_input_kind kind;
    uint32_t surface;
    int x, y;
    uint8_t button;
    bool down;
    uint16_t code;
    uint32_t symbol;
    uint8_t modifiers;
    char text[128]; /* UTF-8. */
};

/** TANDEM_INVALID when it is not allowed (the host would drop it anyhow), TANDEM_AGAIN when too
 *  much waits. */
TANDEM_API enum tandem_status tandem_share_input(struct tandem_share *share,
                                                 const struct tandem_share_input *input);
/** A window of the engine's own, which does all that, until it is closed; TANDEM_SHARE_CLOSED when
 *  the user closes it. TANDEM_FAILED without a display. */
TANDEM_API enum tandem_status
tandem_share_open_window(struct tandem_share *share, const char *title, struct tandem_cause *cause);
TANDEM_API void tandem_share_close_window(struct tandem_share *share);

/* Both. */

struct tandem_board;

/**
 * Annotations: what both draw over the shared screen. They hang on what they were drawn on and move
 * with it when it is scrolled or dragged; the viewer needs TANDEM_SHARE_ANNOTATE. A request is an
 * object like {"do": "annotate", "type": "arrow", "x": 10, "y": 20, "w": 80, "h": 40};
 * docs/annotations.md lists them.
 *
 * @param answer  An object, {"ok": true, ...} or {"ok": false, "why": "..."}, to be freed with
 *                tandem_free; may be NULL.
 *
 * TANDEM_INVALID: no such request, or it is not allowed; the cause says which. TANDEM_AGAIN: no
 * screen is seen or given yet.
 */
TANDEM_API enum tandem_status tandem_share_request(struct tandem_share *share, const char *request,
                                                   char **answer, struct tandem_cause *cause);

/** The board that frozen frames go to (the request {"do": "freeze"} and the window's key), until
 *  another one is named; NULL: none. It outlives the share, or is taken away before. */
TANDEM_API void tandem_share_freeze_to(struct tandem_share *share, struct tandem_board *board);

enum tandem_share_event_kind {
    TANDEM_SHARE_ASKED,   /* Host: scopes are asked for; tandem_share_answer. */
    TANDEM_SHARE_ALLOWED, /* Both: scopes = all that is allowed now, for `seconds` (0: no end). */
    TANDEM_SHARE_REFUSED, /* Viewer: text = why. */
    TANDEM_SHARE_REVOKED, /* Both: scopes = what is still allowed; text = by whom or what. */
    TANDEM_SHARE_SHOWN,   /* Viewer: pictures come; text = of what. */
    TANDEM_SHARE_CHANGED, /* Both: other surfaces. */
    TANDEM_SHARE_HIDDEN,  /* Viewer: no more pictures; text = why. */
    TANDEM_SHARE_NOTICE,  /* text = something to know. */
    TANDEM_SHARE_POINTED, /* Host: the viewer points at x, y of the desktop; value = the button that
                             it suggests, 0: none. */
    TANDEM_SHARE_CLOSED,  /* Viewer: the user closed the window. */
    TANDEM_SHARE_DRAWN,   /* The other side has drawn or taken something away; value = how many
                             annotations there are. */
};

struct tandem_share_event {
    enum tandem_share_event_kind kind;
    unsigned scopes;
    uint32_t seconds; /* ASKED: until a yes counts. */
    int x, y, value;
    char text[512];
};

/** Readable when there may be events. */
TANDEM_API int tandem_share_event_fd(struct tandem_share *share);
/** Takes the oldest event; TANDEM_AGAIN when there is none. */
TANDEM_API enum tandem_status tandem_share_next_event(struct tandem_share *share,
                                                      struct tandem_share_event *event);

struct tandem_share_stats {
    bool giving, watching, connected;
    unsigned allowed;                          /* Scopes, by the host's word. */
    uint32_t seconds;                          /* Until that ends; 0: no end. */
    char peer[256];                            /* Who watches, or whom we watch. */
    uint64_t frames, bytes, refined, repaired; /* repaired: tiles that a hash found wrong. */
    uint64_t moving, moving_rtp; /* Pictures of moving regions that went through a video codec;
                                    those of them that went by the call's RTP. */
    uint64_t input_sent, input_done, input_refused;
    double exact_share; /* Of the pixels that are exact, 0 to 1. */
    struct tandem_distribution capture_ms, encode_ms, decode_ms;
    struct tandem_distribution answer_ms; /* Host: from a frame's capture to the viewer's word that
                                             it has it. */
};

TANDEM_API enum tandem_status tandem_share_stats(struct tandem_share *share,
                                                 struct tandem_share_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
