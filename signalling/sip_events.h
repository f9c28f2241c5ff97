/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_SIP_EVENTS_H
#define TDM_SIGNALLING_SIP_EVENTS_H

/*
 * Event packages over libre: our subscriptions (RFC 6665), our publications (RFC 3903) and those
 * who subscribe to us. Each is a struct tdm_sip_call with `events`; it lasts until the user
 * releases it, through any number of dialogs: the cores presence_watch.h and presence_publish.h say
 * when to ask, to refresh and to begin anew. On the backend's thread.
 */

#include "signalling/presence_publish.h"
#include "signalling/presence_watch.h"
#include "signalling/sip_state.h"

#define TDM_SIP_SUBSCRIPTIONS_MAX 256 /* Of ours, with publications. */
#define TDM_SIP_WATCHERS_MAX      64  /* Of others; more get 503. */

struct tdm_sip_events {
    char package[32];
    struct tmr wake;
    bool released;
    /* A subscription or a publication of ours. */
    struct tdm_watch watch;
    struct tdm_publish publish;
    struct tdm_publish_out last; /* Of a publication: what was asked for. */
    uint32_t sub_expires_s;      /* Of a SUBSCRIBE on its way. */
    /* A watcher. */
    uint64_t lapses_ms;
    bool due; /* A NOTIFY waits for the answer to the one before. */
    enum tdm_sig_subscription state;
    char reason[32];
};

/** NULL when there is no room; then an end event is out. */
struct tdm_sip_call *tdm_sip_events_new(struct tdm_sig *sig, const struct tdm_sip_command *command,
                                        enum tdm_sip_purpose purpose);
tdm_time tdm_sip_events_now(void);
void tdm_sip_events_wake(struct tdm_sip_call *call, tdm_time at, tmr_h *handler);
/** A record begins anew: no dialog, and its address is looked up again. */
void tdm_sip_events_begin(struct tdm_sip_call *call);
/** Keeps the body that is to be sent. */
void tdm_sip_events_keep(struct tdm_sip_call *call, const struct tdm_sip_command *command);
void tdm_sip_events_emit(struct tdm_sip_call *call, enum tdm_sig_kind kind, uint16_t code,
                         uint32_t expires_s, const char *reason);
/** A number of a header: 0 when there is none. */
uint32_t tdm_sip_number_of(const struct sip_msg *msg, enum sip_hdrid id);

/* sip_subscribe.c */
void tdm_sip_do_subscribe(struct tdm_sig *sig, const struct tdm_sip_command *command);
void tdm_sip_watch_step(struct tdm_sip_call *call, const struct tdm_watch_in *in);
void tdm_sip_watch_failed(struct tdm_sip_call *call, const char *reason);
int tdm_sip_send_subscribe(struct tdm_sip_call *call);
void tdm_sip_on_notify(struct tdm_sip_stack *stack, const struct sip_msg *msg);

/* sip_publish.c */
void tdm_sip_do_publish(struct tdm_sig *sig, const struct tdm_sip_command *command);
void tdm_sip_publish_step(struct tdm_sip_call *call, const struct tdm_publish_in *in);
void tdm_sip_publish_failed(struct tdm_sip_call *call, const char *reason);
int tdm_sip_send_publish(struct tdm_sip_call *call);

/* sip_watcher.c */
void tdm_sip_on_subscribe(struct tdm_sip_stack *stack, const struct sip_msg *msg);
void tdm_sip_do_notify(struct tdm_sip_call *call, const struct tdm_sip_command *command);
void tdm_sip_watcher_leave(struct tdm_sip_call *call);

#endif
