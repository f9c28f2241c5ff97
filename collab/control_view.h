/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_CONTROL_VIEW_H
#define TDM_COLLAB_CONTROL_VIEW_H

/*
 * The helper's side of remote control: what the helper's window sees of keyboard, pointer and focus
 * goes in, records for the host come out. Pure.
 *
 * It knows which keys are down and says so again (beats) as long as there is something to say;
 * sends no more motion than a screen can show, the newest, and always before the button that
 * follows; lets go of everything when the focus is lost; sends nothing that was not granted, which
 * is a courtesy: the host decides. It tells where the local pointer is to be drawn at once
 * (`x`, `y`), and how long an event takes there and back.
 */

#include "collab/control_keys.h"
#include "engine/base/time.h"

#define TDM_VIEW_RECORDS_MAX 64
#define TDM_VIEW_TEXT_MAX    8192 /* Bytes of one TEXT; more are cut off. */
#define TDM_VIEW_BEATS       16
#define TDM_VIEW_MOTION      (8 * TDM_MS) /* At most 125 motions a second. */

enum tdm_control_view_input {
    TDM_VIEW_RECORD, /* record: of the host */
    TDM_VIEW_ASK,    /* scopes, seconds: for control */
    TDM_VIEW_LEAVE,
    TDM_VIEW_KEY,    /* key */
    TDM_VIEW_TEXT,   /* text, size: committed by an input method, pasted as keys */
    TDM_VIEW_MOVE,   /* surface, x, y */
    TDM_VIEW_NUDGE,  /* dx, dy: relative mode */
    TDM_VIEW_BUTTON, /* surface, x, y, button, press */
    TDM_VIEW_WHEEL,  /* dx, dy in 120ths */
    TDM_VIEW_TOUCH,  /* surface, x, y, touch, phase, pressure */
    TDM_VIEW_FOCUS,  /* press: DOWN: the window has it; mods: locks and modifiers then */
    TDM_VIEW_GHOST,  /* press: DOWN: from now on only point and suggest */
    TDM_VIEW_DOWN,   /* The connection broke: what is down is forgotten. */
};

/** What a window knows of one key event. */
struct tdm_view_key {
    uint16_t evdev; /* Place. */
    enum tdm_press press;
    uint32_t keysym;
    uint16_t mods;    /* After the event. */
    const char *text; /* UTF-8 that it makes, composed where dead keys made it. */
    uint32_t size;
    bool composing; /* Part of a sequence that has not made anything yet: dead keys. */
};

struct tdm_control_view_in {
    enum tdm_control_view_input kind;
    struct tdm_control_record record; /* RECORD: the one that came. All others but KEY: the fields
                                         as in the one that goes out; text is its data. */
    struct tdm_view_key key;
};

struct tdm_control_view_out {
    uint32_t count;
    struct tdm_control_record records[TDM_VIEW_RECORDS_MAX]; /* Borrow from the input. */
    bool changed; /* State, scopes or the time left are news. */
    tdm_time wake_at;
};

struct tdm_control_view {
    char layout[TDM_CONTROL_LAYOUT_MAX], host_layout[TDM_CONTROL_LAYOUT_MAX];
    bool host_known;
    /* As the host told. */
    enum tdm_consent_state state;
    enum tdm_consent_cause cause;
    uint16_t scopes;
    uint32_t seq;
    tdm_time until; /* By our clock; TDM_NEVER: none. */
    uint16_t host_locks;
    tdm_time yield_until;
    tdm_time echo; /* Of the last beat, there and back; 0: none yet. */

    uint16_t pressed[TDM_CONTROL_HELD_MAX];
    uint32_t pressed_count;
    uint32_t buttons; /* Bit n: button n. */
    uint16_t mods;
    bool focus, ghost, motion_waits, composing;
    uint16_t surface;
    uint16_t x, y; /* Of the local pointer, drawn at once. */
    tdm_time motion_at, beat_at;
    tdm_time beats[TDM_VIEW_BEATS]; /* When the beat with this stamp (modulo) was sent. */
    uint32_t stamp;
};

/** `layout`: name of the helper's keyboard layout. */
void tdm_control_view_init(struct tdm_control_view *v, const char *layout, tdm_time now);
void tdm_control_view_step(struct tdm_control_view *v, tdm_time now,
                           const struct tdm_control_view_in *in, struct tdm_control_view_out *out);
/** Our HELLO. Borrows from `v`. */
void tdm_control_view_hello(const struct tdm_control_view *v, struct tdm_control_record *rec);

#endif
