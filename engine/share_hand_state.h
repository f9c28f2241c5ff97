/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_SHARE_HAND_STATE_H
#define TDM_ENGINE_SHARE_HAND_STATE_H

/* The inside of engine/share_hand.h, shared by its three files: share_hand.c (the thread and its
 * door), share_hand_host.c and share_hand_view.c (what either side does with a record). */

#include "collab/clipboard.h"
#include "collab/control_pipe.h"
#include "desktop/clipboard.h"
#include "desktop/input.h"
#include "engine/base/ring.h"
#include "engine/share_bytes.h"
#include "engine/share_clip_files.h"
#include "engine/share_hand.h"
#include "render/indicator.h"

#include <pthread.h>
#include <stdatomic.h>

#define TDM_HAND_STREAMS 2
#define TDM_HAND_INPUTS  256
#define TDM_HAND_ACTS    16
#define TDM_HAND_PEER    128

struct tdm_hand_input {
    struct tdm_control_view_in in;
    char text[TDM_HAND_TEXT_MAX];
};

struct tdm_hand_act {
    bool answer; /* act.scopes and seconds: what shall hold. */
    struct tdm_consent_in act;
};

struct tdm_share_hand {
    struct tdm_share_hand_config config;
    pthread_t thread;
    bool running;
    _Atomic bool stopping;
    int wake;
    char display[64], revoke_key[32];
    char *log_path;

    /* The thread's own. */
    struct tdm_control_pipe in[TDM_HAND_STREAMS];
    struct tdm_share_bytes now[TDM_HAND_STREAMS];
    bool up;
    char peer[TDM_HAND_PEER];
    struct tdm_clipboard clipboard;
    struct tdm_desk_clipboard *desk; /* NULL: none. */
    tdm_time clipboard_wake;
    struct tdm_share_bytes files_out, files_in, files_list; /* Of the clipboard: going, coming, and
                                                               where they are now. */
    struct tdm_clip_folder files_folder;
    /* Of the host. */
    struct tdm_control_host host;
    struct tdm_control_host_out host_out;
    const struct tdm_input_ops *input_ops; /* NULL: none. */
    struct tdm_input *input;
    struct tdm_indicator *indicator;
    struct tdm_keymap keymap;
    bool locked;
    tdm_time wish_until; /* What was allowed beforehand ends; TDM_NEVER: it was not used yet. */
    tdm_time pressed_at; /* A button was injected, and */
    int32_t injected_x, injected_y; /* where the pointer was put last. */
    tdm_time host_wake, indicator_wake;
    /* Of the viewer. */
    char layout[TDM_CONTROL_LAYOUT_MAX];
    struct tdm_control_view view;
    struct tdm_control_view_out view_out;
    tdm_time view_wake;
    uint16_t told_scopes;
    enum tdm_consent_state told_state;

    pthread_mutex_t lock; /* Of what follows. */
    struct tdm_share_bytes arrived[TDM_HAND_STREAMS];
    size_t consumed[TDM_HAND_STREAMS];
    struct tdm_control_pipe out[TDM_HAND_STREAMS];
    bool link_news, link_up, link_resumed;
    char link_peer[TDM_HAND_PEER];
    bool areas_news, lock_news, lock_on;
    bool known_news, known;
    struct tdm_control_surface areas[TDM_CONTROL_SURFACES_MAX];
    struct tdm_ring acts, inputs; /* Producers hold the lock. */
    struct tdm_hand_act act_slots[TDM_HAND_ACTS];
    struct tdm_hand_input input_slots[TDM_HAND_INPUTS];
    uint16_t scopes;
    tdm_time until;
    struct tdm_hand_figures figures;
};

/** Puts a record for the other side. */
void tdm_hand_send(struct tdm_share_hand *h, const struct tdm_control_record *rec);
/** What holds now, for other threads; they are woken when it changed. */
void tdm_hand_publish(struct tdm_share_hand *h, uint16_t scopes, tdm_time until);
void tdm_hand_tell(struct tdm_share_hand *h, enum tdm_hand_event_kind kind, uint16_t scopes,
                   uint32_t seconds, const char *text);
/** A step of the clipboard with the scopes that hold; `in` NULL: time, or other scopes. */
void tdm_hand_clipboard(struct tdm_share_hand *h, tdm_time now, const struct tdm_clipboard_in *in);

/* share_hand_host.c */
enum tdm_err tdm_hand_host_open(struct tdm_share_hand *h, struct tdm_cause *cause);
void tdm_hand_host_close(struct tdm_share_hand *h);
void tdm_hand_host_link(struct tdm_share_hand *h, tdm_time now, bool resumed);
void tdm_hand_host_record(struct tdm_share_hand *h, tdm_time now,
                          const struct tdm_control_record *rec);
void tdm_hand_host_act(struct tdm_share_hand *h, tdm_time now, const struct tdm_hand_act *act);
void tdm_hand_host_areas(struct tdm_share_hand *h, tdm_time now,
                         const struct tdm_control_surface *areas);
/** Input of the person, the indicator, time. @return when again. */
tdm_time tdm_hand_host_run(struct tdm_share_hand *h, tdm_time now);
uint16_t tdm_hand_host_scopes(const struct tdm_share_hand *h, tdm_time now);

/* share_hand_view.c */
void tdm_hand_view_link(struct tdm_share_hand *h, tdm_time now, bool resumed);
void tdm_hand_view_step(struct tdm_share_hand *h, tdm_time now,
                        const struct tdm_control_view_in *in);

#endif
