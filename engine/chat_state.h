/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_CHAT_STATE_H
#define TDM_ENGINE_CHAT_STATE_H

/* The inside of engine/chat.h, shared by its two files. */

#include "collab/chat.h"
#include "engine/base/ring.h"
#include "engine/chat.h"
#include "engine/io/history.h"

#include <pthread.h>

#define TDM_CHAT_EVENTS   256
#define TDM_CHAT_SIP_MAX  8000 /* Bytes of a text by SIP. */
#define TDM_CHAT_SIP_OPEN 32   /* Messages by SIP that have no answer yet. */

struct tdm_chat_by_sip {
    tdm_sig_id sig; /* 0: free. */
    uint64_t id;
    char who[128];
};

/* `lock` guards all of it; the history is written under it, as a rider may. */
struct tandem_chat {
    pthread_mutex_t lock;
    struct tdm_history *history;
    struct tdm_rider_seat *seat; /* NULL: no channel. */
    bool up, typing, sent_typing;
    uint32_t out, in; /* Streams; 0: none. */
    uint64_t epoch;   /* Of our stream, as its tag. */
    char peer[128];   /* "user@host" of whom the channel is with. */
    struct tdm_chat core;
    struct tdm_chat_by_sip by_sip[TDM_CHAT_SIP_OPEN];
    char *clean; /* Room for the cleaned text of one message. */

    int event_fd;
    struct tdm_ring events;
    struct tandem_chat_event event_slots[TDM_CHAT_EVENTS];
};

/** The lock is held. `text` may be NULL. */
void tdm_chat_tell(struct tandem_chat *chat, const struct tandem_chat_event *event,
                   const char *text);
/** What there is to send is told to the channel. The lock is held. */
void tdm_chat_flow(struct tandem_chat *chat);
/** A text of somebody's, by whichever way, into the history and to the program; not if it is known
 *  already. The lock is held. */
void tdm_chat_heard(struct tandem_chat *chat, const char *who, const struct tdm_chat_message *m);

#endif
