/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_SHARE_HAND_H
#define TDM_ENGINE_SHARE_HAND_H

/*
 * Consent, control and clipboard of a share, of either side: the thread `tdm-hand`. At the host it
 * owns the consent with its log (collab/control_host.h), the injection (desktop/input.h) and the
 * indicator (render/indicator.h); at the viewer what is sent of keyboard and pointer
 * (collab/control_view.h); at both the clipboard. It is a thread of its own so that a key does not
 * wait for a frame that is being made.
 *
 * Any thread may call what is here.
 */

#include "collab/control_host.h"
#include "collab/control_view.h"
#include "engine/base/err.h"

#define TDM_HAND_TEXT_MAX 128

struct tdm_share_hand;

enum tdm_hand_event_kind {
    TDM_HAND_ASKED,
    TDM_HAND_ALLOWED,
    TDM_HAND_REFUSED,
    TDM_HAND_REVOKED,
    TDM_HAND_NOTICE,
    TDM_HAND_POINTED,
};

struct tdm_hand_event {
    enum tdm_hand_event_kind kind;
    uint16_t scopes;
    uint32_t seconds;
    int x, y, value;
    char text[512];
};

struct tdm_share_hand_config {
    bool host;
    const char *display;  /* X display for injection, clipboard and indicator; NULL: as DISPLAY
                             says. Borrowed for create, like the other texts. */
    bool no_display;      /* There is none (a test picture, a viewer without a window). */
    const char *log_path; /* Host. NULL: none. */
    const char *revoke_key;
    struct tdm_consent_config consent;
    uint16_t offer;   /* Host: scopes out of TDM_SCOPES_SEEN that hold without a question, and */
    uint16_t allow;   /* those that hold without a question from when the other side may see, */
    uint32_t allow_s; /* for so long from their first use; 0: no end. What the person takes back
                         ends both. */
    void (*wake)(void *arg); /* Something to send, or the scopes changed. Without a lock. */
    void (*tell)(void *arg, const struct tdm_hand_event *event);
    void *arg;
};

struct tdm_hand_figures {
    uint64_t sent, done, refused;
};

/** Host: TDM_E_GONE or TDM_E_UNSUPPORTED without the display that is to be controlled. */
enum tdm_err tdm_share_hand_create(struct tdm_share_hand **hand,
                                   const struct tdm_share_hand_config *config,
                                   struct tdm_cause *cause);
void tdm_share_hand_destroy(struct tdm_share_hand *hand);

/** The channel stands, with whom; or broke. Without resuming nothing of before counts. */
void tdm_share_hand_up(struct tdm_share_hand *hand, const char *peer, bool resumed);
void tdm_share_hand_down(struct tdm_share_hand *hand);

/** The two streams: 0 of the class of input, 1 of that of bulk. As in tdm_rider_ops. */
bool tdm_share_hand_bytes(struct tdm_share_hand *hand, int stream, const uint8_t *data,
                          size_t size);
/** How much of each stream was taken since the last call. */
void tdm_share_hand_consumed(struct tdm_share_hand *hand, size_t sizes[2]);
size_t tdm_share_hand_pull(struct tdm_share_hand *hand, int stream, uint8_t *room, size_t max,
                           bool *more);
void tdm_share_hand_acked(struct tdm_share_hand *hand, int stream, uint64_t offset);
void tdm_share_hand_rewind(struct tdm_share_hand *hand, int stream, uint64_t offset);
/** Bit n: stream n has something. */
uint32_t tdm_share_hand_ready(struct tdm_share_hand *hand);

/** What is allowed, by the host's word, and for how many seconds (0: no end). */
uint16_t tdm_share_hand_scopes(struct tdm_share_hand *hand, uint32_t *seconds);

/** Host: an act of the person at the machine. False: too many wait. */
bool tdm_share_hand_act(struct tdm_share_hand *hand, const struct tdm_consent_in *act);
/** Host: whether who is there is known, or was never seen; until the next link that does not go on
 *  with this one. */
void tdm_share_hand_known(struct tdm_share_hand *hand, bool known);
/** Host: from now on exactly these; see tandem_share_answer. */
bool tdm_share_hand_answer(struct tdm_share_hand *hand, uint16_t scopes, uint32_t seconds);
void tdm_share_hand_areas(struct tdm_share_hand *hand,
                          const struct tdm_control_surface areas[TDM_CONTROL_SURFACES_MAX]);
/** Host: the screen is locked: nothing is injected. */
void tdm_share_hand_lock(struct tdm_share_hand *hand, bool locked);

/** Viewer: TDM_VIEW_*, but RECORD. The key's text is copied. False: too many wait. */
bool tdm_share_hand_input(struct tdm_share_hand *hand, const struct tdm_control_view_in *in);

void tdm_share_hand_figures(struct tdm_share_hand *hand, struct tdm_hand_figures *figures);

#endif
