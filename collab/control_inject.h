/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_CONTROL_INJECT_H
#define TDM_COLLAB_CONTROL_INJECT_H

/*
 * The part of collab/control_host.h that knows which keys and buttons are held down for the helper
 * and how a symbol is typed. All actions on keys go through here, and so does the filter of the
 * revoke key. Consent was looked at before.
 */

#include "collab/control_host.h"

/** A bare action. */
void tdm_inject(struct tdm_control_host_out *out, struct tdm_control_action action);

/** Modifiers that we hold, by the keys that are down. */
uint16_t tdm_inject_mods(const struct tdm_control_host *h);

/** A key as the helper pressed it, by the policy for the two layouts; the modifiers that it came
 *  with are made to hold first. */
void tdm_inject_key(struct tdm_control_host *h, tdm_time now, const struct tdm_control_record *rec,
                    struct tdm_control_host_out *out);
/** The helper let go of a key; unknown ones are ignored. */
void tdm_inject_key_up(struct tdm_control_host *h, uint16_t usage,
                       struct tdm_control_host_out *out);
/** Lets go of modifiers that are not in `mods`; with `press`, presses those that are missing. */
void tdm_inject_agree(struct tdm_control_host *h, uint16_t mods, bool press,
                      struct tdm_control_host_out *out);
/** A pointer button, as on the wire. */
void tdm_inject_button(struct tdm_control_host *h, uint8_t button, bool down,
                       struct tdm_control_host_out *out);
/** Keys that repeat; `all`: modifiers and buttons too. Whatever text waits is forgotten. */
void tdm_inject_let_go(struct tdm_control_host *h, bool all, struct tdm_control_host_out *out);

/** Text waits to be typed. */
void tdm_inject_text(struct tdm_control_host *h, const uint8_t *text, size_t size);
/** Types as much of it as there is room for, and takes old symbols off spare keys. @return when it
 *  has more to do, TDM_NEVER: when there is more text. */
tdm_time tdm_inject_pump(struct tdm_control_host *h, tdm_time now,
                         struct tdm_control_host_out *out);

#endif
