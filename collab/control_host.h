/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_CONTROL_HOST_H
#define TDM_COLLAB_CONTROL_HOST_H

/*
 * The host's side of remote control: records of the helper and acts of the person at the machine go
 * in, what is to be injected comes out as a bounded list of actions. Pure.
 *
 * It holds the consent, so that nothing can be injected around it. It knows which keys and buttons
 * it holds down and lets go of all of them when consent ends, the helper's window loses the focus,
 * the connection breaks, the helper falls silent, or the person at the machine acts; it makes the
 * modifiers agree with those that each event carries; it decides how a key is typed (by its place
 * when both layouts are equal, else by its symbol, else on a spare key that gets the symbol for a
 * while). It never injects the revoke key, nor symbols that the X server takes as orders.
 *
 * It does not draw, does not touch a display (desktop/input.h does as it is told), and holds no
 * clipboard (collab/clipboard.h, which is given the scopes at each step).
 */

#include "collab/consent.h"
#include "collab/control_keys.h"

#define TDM_CONTROL_ACTIONS_MAX  256 /* Of one step. */
#define TDM_CONTROL_REVOKES_MAX  4
#define TDM_CONTROL_QUEUE_MAX    1024 /* Characters of text that wait to be typed. */
#define TDM_CONTROL_SURFACES_MAX 16

#define TDM_CONTROL_SILENCE     (3 * TDM_S)    /* Without a word everything is let go, */
#define TDM_CONTROL_SILENCE_KEY TDM_S          /* keys that repeat sooner. */
#define TDM_CONTROL_YIELD_TIME  (500 * TDM_MS) /* After an act of the person at the machine. */
#define TDM_CONTROL_BEAT_PERIOD (250 * TDM_MS)

/** A surface in the coordinates of the injection. */
struct tdm_control_surface {
    uint16_t id;
    int32_t x, y;
    uint32_t width, height; /* 0: not there. */
};

struct tdm_control_host_config {
    struct tdm_consent_config consent;
    /* X keycodes that are never injected: the revoke key (its trigger; modifiers are not). */
    uint8_t revoke_codes[TDM_CONTROL_REVOKES_MAX];
    uint32_t revoke_count;
    uint32_t events_per_second; /* More are dropped, lettings-go never. [1000] */
};

enum tdm_control_host_input {
    TDM_HOST_RECORD,   /* record: of the helper; clipboard records are not for here */
    TDM_HOST_CONSENT,  /* consent: an act of the host's person, or DOWN, UP */
    TDM_HOST_KEYMAP,   /* keymap: copied; at start and whenever the layout or group changes */
    TDM_HOST_SURFACES, /* surfaces: copied */
    TDM_HOST_LOCKS,    /* mods: which locks are on at the host, at start and on change */
    TDM_HOST_LOCAL,    /* The person at the machine moved, clicked or typed. */
};

struct tdm_control_host_in {
    enum tdm_control_host_input kind;
    const struct tdm_control_record *record;
    struct tdm_consent_in consent;
    const struct tdm_keymap *keymap;
    const struct tdm_control_surface *surfaces; /* TDM_CONTROL_SURFACES_MAX of them. */
    uint16_t mods;
};

enum tdm_control_act {
    TDM_ACT_KEY,    /* code, down */
    TDM_ACT_BUTTON, /* code: X button (1 left, 2 middle, 3 right, 4-7 wheel, 8 back, 9), down */
    TDM_ACT_MOVE,   /* x, y: pixels of the whole desktop */
    TDM_ACT_NUDGE,  /* x, y: pixels further */
    TDM_ACT_MAP,    /* code, keysym: give a spare key this symbol; keysym 0: take it away again */
    TDM_ACT_GHOST,  /* x, y: show the helper's pointer there; code: suggest a click of this button,
                       0: none */
    TDM_ACT_GHOST_GONE,
};

struct tdm_control_action {
    enum tdm_control_act act;
    uint8_t code;
    bool down;
    uint32_t keysym;
    int32_t x, y;
};

/** Why something of the helper was not done; counted. */
enum tdm_control_drop {
    TDM_DROP_SCOPE,  /* Not granted. */
    TDM_DROP_STALE,  /* Made under another grant. */
    TDM_DROP_YIELD,  /* The person at the machine acts. */
    TDM_DROP_RATE,   /* Too many. */
    TDM_DROP_REVOKE, /* The revoke key. */
    TDM_DROP_ORDER,  /* A symbol that the X server would obey: switch terminals, end grabs. */
    TDM_DROP_NO_WAY, /* No key makes it, or no such surface. */
    TDM_DROP_COUNT,
};

struct tdm_control_host_out {
    uint32_t count;
    struct tdm_control_action actions[TDM_CONTROL_ACTIONS_MAX]; /* To be done in this order. */
    uint32_t tell_count;
    struct tdm_control_record tell[4]; /* For the helper. */
    struct tdm_consent_out consent;    /* To the log, the indicator. */
    /* Text is still being typed: no RECORD until a step says otherwise, so that what follows it
     * stays behind it. */
    bool busy;
    tdm_time wake_at;
};

struct tdm_control_host {
    struct tdm_control_host_config config;
    struct tdm_consent consent;
    struct tdm_keymap keymap;
    struct tdm_control_surface surfaces[TDM_CONTROL_SURFACES_MAX];
    char helper_layout[TDM_CONTROL_LAYOUT_MAX];
    bool helper_known; /* HELLO came. */

    struct {
        uint16_t usage; /* That the helper holds; the release names it. */
        uint8_t code;   /* That we hold for it. */
    } held[TDM_CONTROL_HELD_MAX];
    uint32_t held_count;
    uint32_t buttons;  /* X buttons that we hold: bit n. */
    uint16_t locks;    /* Of the host. */
    uint16_t touching; /* Touches that are down; the first is the pointer's. */
    uint8_t first_touch;
    int32_t wheel_x, wheel_y; /* 120ths that made no notch yet. */

    struct {
        uint8_t code;
        uint32_t keysym;
        tdm_time used;
    } spares[TDM_KEYMAP_SPARES];
    uint32_t spare_count;
    uint32_t queue[TDM_CONTROL_QUEUE_MAX]; /* Characters to be typed. */
    uint32_t queue_first, queue_count;

    tdm_time heard, yield_until, told_yield;
    bool ghost;
    int64_t tokens; /* Thousandths of events. */
    tdm_time tokens_at;
    uint64_t done, dropped[TDM_DROP_COUNT];
};

void tdm_control_host_init(struct tdm_control_host *h, const struct tdm_control_host_config *config,
                           tdm_time now);
/** `in` NULL: time has passed. */
void tdm_control_host_step(struct tdm_control_host *h, tdm_time now,
                           const struct tdm_control_host_in *in, struct tdm_control_host_out *out);

/** Keys and buttons that are held down for the helper. */
uint32_t tdm_control_host_held(const struct tdm_control_host *h);
/** Our HELLO, once the keymap is known. Borrows from `h`. */
void tdm_control_host_hello(const struct tdm_control_host *h, struct tdm_control_record *rec);

#endif
