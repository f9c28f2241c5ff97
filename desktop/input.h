/* SPDX-License-Identifier: MIT */
#ifndef TDM_DESKTOP_INPUT_H
#define TDM_DESKTOP_INPUT_H

/*
 * Input tables: how actions of collab/control_host.h reach a desktop, and what its own keyboard and
 * pointer do meanwhile. A member is one file desktop/input_NAME.c:
 *
 *   x11   XTest; tells the person's own input from what was injected
 *   list  keeps what it was told, for tests
 *
 * There is none for Wayland: its compositors give no program such a right without a portal.
 *
 * Threading: everything on the one thread that owns the desktop; nothing blocks longer than a round
 * trip to the display.
 */

#include "collab/control_host.h"

struct tdm_input;

struct tdm_input_config {
    const char *display; /* NULL: as the environment says. */
    /* The revoke key as a keysym name with modifiers, "ctrl+alt+End" or "Pause". */
    const char *revoke_key;
};

enum tdm_input_event {
    TDM_INPUT_NOTHING,
    TDM_INPUT_KEYMAP, /* tdm_input_ops.keymap gives the new one. */
    TDM_INPUT_LOCKS,  /* mods */
    TDM_INPUT_LOCAL,  /* The person moved, clicked or typed, on a device that is not ours. */
    TDM_INPUT_REVOKE, /* The person pressed the revoke key. */
    TDM_INPUT_GONE,   /* The display went away; nothing works any more. */
};

struct tdm_input_ops {
    const char *kind;

    /** TDM_E_UNSUPPORTED: the display lacks what is needed; the cause says what. */
    enum tdm_err (*create)(const struct tdm_input_config *config, struct tdm_input **input,
                           struct tdm_cause *cause);
    /** Lets go of what is still held and takes symbols off spare keys, as far as it knows. */
    void (*destroy)(struct tdm_input *input);

    /** Readable when `next` has something to say; -1: never. */
    int (*fd)(struct tdm_input *input);
    /** What happened; NOTHING when that is all. Call until then. @param mods  Of LOCKS. */
    enum tdm_input_event (*next)(struct tdm_input *input, uint16_t *mods);

    /** The layout as it is now; `map` is overwritten. */
    enum tdm_err (*keymap)(struct tdm_input *input, struct tdm_keymap *map);
    /** X keycodes of the revoke key's trigger, for the core. @return how many. */
    uint32_t (*revoke_codes)(struct tdm_input *input, uint8_t codes[TDM_CONTROL_REVOKES_MAX]);
    /** Does the actions in order; GHOST ones are not for it and are stepped over. TDM_E_GONE: the
     *  display went away. */
    enum tdm_err (*perform)(struct tdm_input *input, const struct tdm_control_action *actions,
                            uint32_t count);
};

/** The members; a desktop of kind "x11" goes with the first. */
extern const struct tdm_input_ops tdm_x11_input;
extern const struct tdm_input_ops tdm_list_input;

/** The keyboard layout of a display by name, as HELLO tells it: for the helper's side, whose window
 *  takes the keys. False: the display tells none. */
bool tdm_input_layout_name(const char *display, char name[TDM_CONTROL_LAYOUT_MAX]);

/** For tests: what the list member was told so far, and how many. */
const struct tdm_control_action *tdm_input_list_actions(const struct tdm_input *input,
                                                        uint32_t *count);
/** For tests: the next event that it gives. */
void tdm_input_list_event(struct tdm_input *input, enum tdm_input_event event);

#endif
